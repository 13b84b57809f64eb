/** What a query type is to the data source: frames by parameters. */

import { type DataFrame, type DataQueryRequest } from '@grafana/data';
import { type Observable } from 'rxjs';
import { type Api } from '../../feed/api';
import { type LiveFeed } from '../../feed/LiveFeed';
import { type Connection } from '../../frames/schema';
import { type StormcellQuery } from '../types';

/** Filled in: no variable is left in it. */
export type FilledQuery = StormcellQuery;
export type Range = DataQueryRequest['range'];

export interface Asked {
  query: FilledQuery;
  range: Range;
  /** What Grafana would like between two points of a series. */
  intervalMs: number;
  api: Api;
  feed: LiveFeed;
}

/** Frames as of now; with a *connection* more will follow by themselves. */
export interface Answer {
  frames: DataFrame[];
  connection?: Connection;
}

export type Ask = (asked: Asked) => Observable<Answer> | Promise<Answer>;

export const rangeParameters = ({ from, to }: Range) => ({ from: from.toISOString(), to: to.toISOString() });

/** Say in the panel's header that a frame does not hold all there is. */
export function withWarning(frame: DataFrame, text: string | false): DataFrame {
  return text ? { ...frame, meta: { ...frame.meta, notices: [{ severity: 'warning', text }] } } : frame;
}
