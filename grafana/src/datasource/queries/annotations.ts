/** Marks on other panels: storms as regions, what happened to clusters as points. */

import { frameOf, milliseconds, object, text, time, type Column } from '../../frames/columns';
import { type Cluster } from '../../frames/schema';
import { Marks } from '../types';
import { type Ask } from './query';
import { readTimeline } from './stats';
import { stormsWithin } from './storms';

/** Of a timeline only the clusters are wanted. */
const BUCKETS = 30;

interface Mark {
  time: string;
  timeEnd?: string | null;
  title: string;
  text: string;
  tags: string[];
  id: string;
}

const COLUMNS: Array<Column<Mark>> = [
  time('time', (mark) => mark.time),
  time('timeEnd', (mark) => mark.timeEnd),
  text('title', (mark) => mark.title),
  text('text', (mark) => mark.text),
  object('tags', (mark) => mark.tags),
  text('id', (mark) => mark.id),
];

export const DEFAULT_MARKS = [Marks.Storms, Marks.Merges, Marks.Resolutions];

export const annotations: Ask = async ({ api, query, range }) => {
  const wanted = new Set(query.marks ?? DEFAULT_MARKS);
  const seconds = (range.to.valueOf() - range.from.valueOf()) / 1000;
  const ofClusters = [...wanted].some((mark) => mark !== Marks.Storms);
  const [storms, timeline] = await Promise.all([
    wanted.has(Marks.Storms) ? stormsWithin(api, range) : { items: [] },
    ofClusters ? readTimeline(api, range, seconds / BUCKETS) : { clusters: [] },
  ]);
  const marks = [
    ...storms.items.map((storm) => ({
      time: storm.started_at,
      // One that goes on reaches to the end of the picture.
      timeEnd: storm.ended_at ?? range.to.toISOString(),
      title: `Storm ${storm.id}`,
      text: `${storm.episodes} alerts in ${storm.cluster_ids.length} clusters, ${storm.peak_intensity.toFixed(0)} times the usual at its peak`,
      tags: ['storm'],
      id: `storm-${storm.id}`,
    })),
    ...timeline.clusters.flatMap((cluster) => marksOf(cluster, wanted)),
  ];
  const from = range.from.valueOf();
  const to = range.to.valueOf();
  const within = marks.filter((mark) => 'timeEnd' in mark || isWithin(milliseconds(mark.time), from, to));
  return {
    frames: [
      frameOf(
        'annotations',
        COLUMNS,
        within.sort((a, b) => (a.time < b.time ? -1 : 1))
      ),
    ],
  };
};

const isWithin = (ms: number | null, from: number, to: number) => ms !== null && ms >= from && ms <= to;

/** What happened to a cluster, of what is *wanted*. Pure. */
export function marksOf(cluster: Cluster, wanted: Set<Marks>): Mark[] {
  const marks: Mark[] = [];
  const mark = (kind: Marks, at: string | null | undefined, told: string) => {
    if (wanted.has(kind) && at) {
      marks.push({ time: at, title: cluster.title, text: told, tags: [kind], id: `${kind}-${cluster.id}` });
    }
  };
  if (cluster.split_from) {
    mark(Marks.Splits, cluster.opened_at, `Cluster ${cluster.id} was split off ${cluster.split_from}`);
  } else {
    mark(Marks.Births, cluster.opened_at, `Cluster ${cluster.id} was opened`);
  }
  if (cluster.state === 'merged') {
    mark(
      Marks.Merges,
      cluster.closed_at ?? cluster.updated_at,
      `Cluster ${cluster.id} went into ${cluster.merged_into}`
    );
  } else if (cluster.state === 'resolved') {
    const words = cluster.source_quiet_at
      ? 'is told to be over, and may not have recovered: its source had gone quiet'
      : 'is over';
    mark(Marks.Resolutions, cluster.resolved_at, `Cluster ${cluster.id} ${words}: ${cluster.size} alerts`);
  }
  return marks;
}
