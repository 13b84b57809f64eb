/** Queries and settings of the data source, as dashboards and provisioning keep them: names may be added, never changed. */

import { type DataSourceJsonData } from '@grafana/data';
import { type DataQuery } from '@grafana/schema';

export const PLUGIN_ID = 'stormcell-datasource';

export enum QueryType {
  /** The live stream: frames `events` and `clusters`. */
  Evolution = 'evolution',
  Clusters = 'clusters',
  Alerts = 'alerts',
  Events = 'events',
  Stats = 'stats',
  Storms = 'storms',
  /** Storms as regions, merges, splits and resolutions as points. */
  Annotations = 'annotations',
  /** Values for a dashboard's variable. */
  Variable = 'variable',
}

export enum Figures {
  /** One row: live clusters, firing alerts, storm and its intensity, stability, index, memory. */
  Now = 'now',
  /** Alerts fired and resolved, and clusters firing, over the dashboard's range. */
  Rates = 'rates',
  /** Notifications, alerts, clusters, storms: what the grouping saved. */
  Ledger = 'ledger',
}

export enum Marks {
  Storms = 'storms',
  Births = 'births',
  Merges = 'merges',
  Splits = 'splits',
  Resolutions = 'resolutions',
}

export enum ValuesOf {
  Clusters = 'clusters',
  Severities = 'severities',
  /** Values of the label named in `label` among live clusters. */
  Label = 'label',
  Storms = 'storms',
}

/** All but queryType may be left out; what a query type does not know, it ignores. Text may hold variables. */
export interface StormcellQuery extends DataQuery {
  queryType?: QueryType;
  /** clusters: 'live', 'all' or one state. alerts: '', 'firing', 'stale' or 'resolved'. */
  state?: string;
  /** clusters: one severity. */
  severity?: string;
  /** clusters, alerts: part of a title, a label or an annotation. */
  text?: string;
  /** alerts: `name=value`, all must hold. */
  labels?: string[];
  /** alerts, events: of one alert cluster. */
  clusterId?: string;
  /** events: only these types; empty: all. */
  types?: string[];
  /** stats. */
  figures?: Figures;
  /** annotations. */
  marks?: Marks[];
  /** variable. */
  values?: ValuesOf;
  /** variable, values of a label. */
  label?: string;
  /** Most rows. */
  limit?: number;
}

/** Read by Grafana's server, for receivers with a certificate of their own. */
export interface StormcellOptions extends DataSourceJsonData {
  tlsSkipVerify?: boolean;
  tlsAuthWithCACert?: boolean;
}

export interface StormcellSecrets {
  /** A read token of the receiver; sent by Grafana's server, for reads only. */
  token?: string;
  /** PEM; with tlsAuthWithCACert. */
  tlsCACert?: string;
}
