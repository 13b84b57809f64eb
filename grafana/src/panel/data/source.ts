import { getDataSourceSrv } from '@grafana/runtime';
import { receiverApi, type ReceiverApi } from './api';

/** The receiver behind the data source *uid*; null for another kind of source. */
export function sourceApi(uid: string | undefined): ReceiverApi | null {
  const settings = uid ? getDataSourceSrv().getInstanceSettings({ uid }) : undefined;
  return settings?.type === 'stormcell-datasource' && settings.url ? receiverApi(settings.url) : null;
}
