/** Figures: as of now (live), as rates over the range, and the ledger of what the grouping saved. */

import { type DataFrame, FieldType } from '@grafana/data';
import { asyncScheduler, map, throttleTime } from 'rxjs';
import { type Api } from '../../feed/api';
import { hasEnded, withNotices } from '../../feed/Picture';
import { type Update } from '../../feed/LiveFeed';
import { frameOf, milliseconds, number, text, time, type Column } from '../../frames/columns';
import { type Cluster, type Stats } from '../../frames/schema';
import { Figures } from '../types';
import { ranked, READABLE_MS } from './clusters';
import { rangeParameters, withWarning, type Answer, type Ask, type Asked, type Range } from './query';

export const stats: Ask = (asked) => {
  switch (asked.query.figures ?? Figures.Now) {
    case Figures.Rates:
      return rates(asked);
    case Figures.Ledger:
      return ledger(asked);
    default:
      return now(asked);
  }
};

// --- now

interface Now {
  update: Update;
  live: Cluster[];
}

const share = { unit: 'percentunit', decimals: 0 };
const figure = (name: string, of: (stats: Stats) => unknown, config = {}) =>
  number<Now>(name, ({ update }) => (update.meta.stats ? of(update.meta.stats) : null), config);

const outside = ({ update, live }: Now) => {
  const inside = new Set(update.meta.storm?.cluster_ids);
  return live.filter(({ id, firing }) => firing > 0 && !inside.has(id)).length;
};

export const NOW_COLUMNS: Array<Column<Now>> = [
  time('time', ({ update }) => update.meta.time),
  number('live_clusters', ({ live }) => live.length),
  number('firing', ({ live }) => live.reduce((sum, { firing }) => sum + firing, 0)),
  number('firing_clusters', ({ live }) => live.filter(({ firing }) => firing > 0).length),
  text(
    'worst_severity',
    ({ live, update }) =>
      ranked(
        live.filter(({ firing }) => firing > 0),
        update.meta.severityOrder
      )[0]?.severity
  ),
  number('storm_active', ({ update }) => (update.meta.storm ? 1 : 0)),
  number('storm_id', ({ update }) => update.meta.storm?.id),
  text('storm_state', ({ update }) => update.meta.storm?.state),
  time('storm_started_at', ({ update }) => update.meta.storm?.started_at),
  number('storm_intensity', ({ update }) => update.meta.storm?.intensity, { decimals: 1 }),
  number('storm_peak_intensity', ({ update }) => update.meta.storm?.peak_intensity, { decimals: 1 }),
  number('storm_rate_per_minute', ({ update }) => update.meta.storm?.rate_per_minute, { decimals: 1 }),
  number('storm_baseline_per_minute', ({ update }) => update.meta.storm?.baseline_per_minute, { decimals: 1 }),
  number('storm_firing', ({ update }) => update.meta.storm?.firing),
  number('storm_clusters', ({ update }) => update.meta.storm?.cluster_ids.length ?? 0),
  number('outside_storm', outside),
  figure('pending_alerts', ({ pending_alerts }) => pending_alerts),
  figure('flapping_alerts', ({ flapping_alerts }) => flapping_alerts),
  figure('new_cluster_rate', ({ stability }) => stability?.new_cluster_rate, share),
  figure('avg_assignment_confidence', ({ stability }) => stability?.avg_assignment_confidence, share),
  figure('stability_score', ({ stability }) => stability?.stability_score, share),
  figure('vectors', ({ memory }) => memory?.current_vectors),
  figure('max_vectors', ({ memory }) => memory?.max_vectors),
  figure('usage_ratio', ({ memory }) => memory?.usage_ratio, share),
  figure('past_clusters', ({ memory }) => memory?.past_clusters),
  figure('measured_recall', ({ index }) => index?.measured_recall, { unit: 'percentunit', decimals: 1 }),
  time('heartbeat_at', ({ update }) => update.meta.stats?.heartbeat_at),
  time('source_quiet_at', ({ update }) => update.meta.stats?.source_quiet_at),
  text('connection', ({ update }) => update.connection.text),
];

function now({ feed }: Asked) {
  return feed.updates.pipe(
    throttleTime(READABLE_MS, asyncScheduler, { leading: true, trailing: true }),
    map((update): Answer => {
      const live = update.clusters.filter((cluster) => !hasEnded(cluster));
      const frame = frameOf('now', NOW_COLUMNS, update.meta.epoch ? [{ update, live }] : []);
      return { frames: [withNotices(frame, update.connection)], connection: update.connection };
    })
  );
}

// --- rates

interface Timeline {
  from: string;
  to: string;
  step_seconds: number;
  fired: number[];
  resolved: number[];
  clusters: Array<Cluster & { samples: Array<[number, number]> }>;
  truncated: boolean;
}

const MOST_CLUSTERS = 2000;
const MOST_BUCKETS = 4000;

export function readTimeline(api: Api, range: Range, stepSeconds: number): Promise<Timeline> {
  const seconds = (range.to.valueOf() - range.from.valueOf()) / 1000;
  // One bucket may come on top: the receiver moves `from` back to a whole multiple of the step.
  const step = Math.max(1, Math.ceil(stepSeconds), Math.ceil(seconds / (MOST_BUCKETS - 1)));
  return api.get('timeline', { ...rangeParameters(range), step, limit: MOST_CLUSTERS });
}

export const RATE_COLUMNS = ['time', 'fired', 'resolved', 'firing', 'firing_clusters'];

async function rates({ api, range, intervalMs }: Asked): Promise<Answer> {
  const timeline = await readTimeline(api, range, intervalMs / 1000);
  const frame = ratesFrame(timeline);
  return {
    frames: [withWarning(frame, timeline.truncated && `firing counts the ${MOST_CLUSTERS} latest clusters only.`)],
  };
}

/** Counts of each bucket, at its end: so many fired in the step before, so many fire then. Pure. */
export function ratesFrame({ from, to, step_seconds: step, fired, resolved, clusters }: Timeline): DataFrame {
  const start = milliseconds(from) ?? 0;
  const end = milliseconds(to) ?? Infinity;
  const [firing, firingClusters] = levels(clusters, fired.length);
  const field = (name: string, values: number[], config = {}) => ({ name, type: FieldType.number, config, values });
  const perBucket = { custom: { drawStyle: 'bars', fillOpacity: 60 } };
  return {
    name: 'rates',
    length: fired.length,
    fields: [
      {
        name: 'time',
        type: FieldType.time,
        config: { interval: step * 1000 },
        values: fired.map((_, i) => Math.min(end, start + (i + 1) * step * 1000)),
      },
      field('fired', fired, perBucket),
      field('resolved', resolved, perBucket),
      field('firing', firing),
      field('firing_clusters', firingClusters),
    ],
  };
}

/** Firing alerts and firing clusters at the end of each bucket: samples tell changes, which are summed up. */
function levels(clusters: Timeline['clusters'], buckets: number): [number[], number[]] {
  const alerts = new Array<number>(buckets + 1).fill(0);
  const some = new Array<number>(buckets + 1).fill(0);
  for (const { samples } of clusters) {
    let before = 0;
    for (const [bucket, value] of samples) {
      const at = Math.min(bucket, buckets);
      alerts[at] += value - before;
      some[at] += Number(value > 0) - Number(before > 0);
      before = value;
    }
  }
  return [summed(alerts, buckets), summed(some, buckets)];
}

function summed(changes: number[], length: number): number[] {
  let sum = 0;
  return changes.slice(0, length).map((change) => (sum += change));
}

// --- ledger

interface StatsAnswer extends Stats {
  ledger: Record<'notifications' | 'dead_letters' | 'alerts' | 'episodes' | 'clusters' | 'storms', number>;
  storage: { size_bytes: number };
}

export const LEDGER_COLUMNS: Array<Column<StatsAnswer>> = [
  number('notifications', ({ ledger }) => ledger.notifications),
  number('alerts', ({ ledger }) => ledger.alerts),
  number('episodes', ({ ledger }) => ledger.episodes),
  number('clusters', ({ ledger }) => ledger.clusters),
  number('storms', ({ ledger }) => ledger.storms),
  number('dead_letters', ({ ledger }) => ledger.dead_letters),
  number('alerts_per_cluster', ({ ledger }) => (ledger.clusters ? ledger.alerts / ledger.clusters : null), {
    decimals: 1,
  }),
  number('size_bytes', ({ storage }) => storage.size_bytes, { unit: 'bytes' }),
];

async function ledger({ api }: Asked): Promise<Answer> {
  const answer = await api.get<StatsAnswer>('stats');
  return { frames: [frameOf('ledger', LEDGER_COLUMNS, [answer])] };
}
