import { type PanelData } from '@grafana/data';
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { readFrames } from '../../frames/read';
import { type Connection } from '../../frames/schema';
import { rangeKey } from '../range';
import { type DrawnRange } from '../view';
import { type ReceiverApi } from './api';
import { Feed, type FeedSnapshot } from './Feed';
import { sourceApi } from './source';

export interface FeedState extends FeedSnapshot {
  api: ReceiverApi | null;
  connection: Connection | null;
  /** Whether the frames are a Stormcell data source's. */
  known: boolean;
}

/** The model behind the picture: fed by the data source's frames while live, asked of the receiver for a closed range. */
export function useFeed(data: PanelData, range: DrawnRange): FeedState {
  const uid = data.request?.targets.find(({ datasource }) => datasource?.uid)?.datasource?.uid;
  const api = useMemo(() => sourceApi(uid), [uid]);
  const feed = useMemo(() => new Feed(api), [api]);
  const read = useMemo(() => readFrames(data.series), [data.series]);
  const key = rangeKey(range);
  // A live range is a new object with each refresh, and the same range.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const stable = useMemo(() => range, [key]);
  useEffect(() => () => feed.close(), [feed]);
  useEffect(() => feed.setRange(stable), [feed, stable]);
  useEffect(() => {
    if (read) {
      feed.take(read);
    }
  }, [feed, read]);
  const snapshot = useSyncExternalStore(feed.subscribe, feed.snapshot);
  return { ...snapshot, api, connection: read?.connection ?? null, known: read !== null };
}
