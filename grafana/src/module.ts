import { AppPlugin } from '@grafana/data';

/** Holds data source and panel together; it has no pages and no settings of its own. */
export const plugin = new AppPlugin();
