/** The dashboard's time range as the panel takes it. Pure. */

import { type TimeRange } from '@grafana/data';
import { type DrawnRange } from './view';

/** A live picture of less shows nothing but noise; one of more than the model keeps samples for is no live picture. */
const SHORTEST_SECONDS = 30;

/** Does the range end in now, however it is rounded? Then the panel is live. */
export function isLive({ raw }: TimeRange): boolean {
  return typeof raw.to === 'string' && raw.to.trim() === 'now';
}

export function drawnRange(range: TimeRange): DrawnRange {
  const fromMs = range.from.valueOf();
  const toMs = range.to.valueOf();
  if (isLive(range)) {
    return { lastSeconds: Math.max(SHORTEST_SECONDS, Math.round((toMs - fromMs) / 1000)) };
  }
  return { fromMs, toMs: Math.max(fromMs + 1000, toMs) };
}

/** Two ranges that show the same: a live one moves on by itself with each refresh. */
export function rangeKey(range: DrawnRange): string {
  return 'lastSeconds' in range ? `live ${range.lastSeconds}` : `${range.fromMs} ${range.toMs}`;
}
