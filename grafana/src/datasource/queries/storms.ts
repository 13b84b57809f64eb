/** Storms that went on at some time of the dashboard's range. */

import { frameOf, milliseconds, number, object, text, time, type Column } from '../../frames/columns';
import { type Storm } from '../../frames/schema';
import { type Api } from '../../feed/api';
import { readPages } from './pages';
import { withWarning, type Ask, type Range } from './query';

const perMinute = { unit: 'short', decimals: 1 };

export const STORM_COLUMNS: Array<Column<Storm>> = [
  time('started_at', (storm) => storm.started_at),
  time('ended_at', (storm) => storm.ended_at),
  time('peak_at', (storm) => storm.peak_at),
  number('storm_id', (storm) => storm.id),
  text('state', (storm) => storm.state),
  number('duration_seconds', (storm) => durationSeconds(storm), { unit: 's' }),
  number('episodes', (storm) => storm.episodes),
  number('firing', (storm) => storm.firing),
  number('clusters', (storm) => storm.cluster_ids.length),
  number('intensity', (storm) => storm.intensity, { unit: 'short', decimals: 1 }),
  number('peak_intensity', (storm) => storm.peak_intensity, { unit: 'short', decimals: 1 }),
  number('rate_per_minute', (storm) => storm.rate_per_minute, perMinute),
  number('baseline_per_minute', (storm) => storm.baseline_per_minute, perMinute),
  object('cluster_ids', (storm) => storm.cluster_ids),
  object('representatives', (storm) => storm.representatives),
];

/** Of one that is over; null while it goes on. */
function durationSeconds({ started_at, ended_at }: Storm): number | null {
  const from = milliseconds(started_at);
  const to = milliseconds(ended_at);
  return from === null || to === null ? null : (to - from) / 1000;
}

export function stormsWithin(api: Api, range: Range, limit = 100) {
  const from = range.from.valueOf();
  const to = range.to.valueOf();
  return readPages<Storm>(api, 'storms', {}, limit, {
    wanted: ({ started_at, ended_at }) =>
      (milliseconds(started_at) ?? 0) <= to && (milliseconds(ended_at) ?? Infinity) >= from,
  });
}

export const storms: Ask = async ({ api, query, range }) => {
  const { items, more } = await stormsWithin(api, range, query.limit ?? 100);
  const frame = frameOf('storms', STORM_COLUMNS, items);
  return { frames: [withWarning(frame, more && `Only the ${items.length} latest of these storms are shown.`)] };
};
