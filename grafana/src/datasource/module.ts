import { DataSourcePlugin } from '@grafana/data';
import { ConfigEditor } from './components/ConfigEditor';
import { QueryEditor } from './components/QueryEditor';
import { QueryHelp } from './components/QueryHelp';
import { DataSource } from './DataSource';
import { type StormcellOptions, type StormcellQuery, type StormcellSecrets } from './types';

export const plugin = new DataSourcePlugin<DataSource, StormcellQuery, StormcellOptions, StormcellSecrets>(DataSource)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor)
  .setQueryEditorHelp(QueryHelp);
