/** The `clusters` frame: a row per alert cluster. Pure. */

import { type DataFrame } from '@grafana/data';
import { flag, frameOf, number, object, text, time, type Column } from './columns';
import { FRAME_CLUSTERS, type Cluster } from './schema';

export const CLUSTER_COLUMNS: Array<Column<Cluster>> = [
  number('cluster_id', (cluster) => cluster.id),
  text('title', (cluster) => cluster.title),
  text('severity', (cluster) => cluster.severity),
  text('state', (cluster) => cluster.state),
  number('firing', (cluster) => cluster.firing),
  number('size', (cluster) => cluster.size),
  time('opened_at', (cluster) => cluster.opened_at),
  time('updated_at', (cluster) => cluster.updated_at),
  time('closed_at', (cluster) => cluster.closed_at),
  time('resolved_at', (cluster) => cluster.resolved_at),
  time('source_quiet_at', (cluster) => cluster.source_quiet_at),
  flag('accepting', (cluster) => cluster.accepting),
  number('suppressed', (cluster) => cluster.suppressed),
  number('stale', (cluster) => cluster.stale),
  number('confidence', (cluster) => cluster.confidence, { unit: 'percentunit', decimals: 0 }),
  flag('novel', (cluster) => cluster.novel),
  time('first_seen', (cluster) => cluster.first_seen),
  number('recurs_cluster_id', (cluster) => cluster.recurs?.cluster_id),
  text('probable_first', (cluster) => cluster.spread?.probable_first),
  number('merged_into', (cluster) => cluster.merged_into),
  number('split_from', (cluster) => cluster.split_from),
  flag('pinned', (cluster) => cluster.pinned),
  text('acked_by', (cluster) => cluster.acked_by),
  text('note', (cluster) => cluster.note),
  object('labels', (cluster) => cluster.labels),
  object('affected', (cluster) => cluster.affected),
  object('spread', (cluster) => cluster.spread),
  object('recurs', (cluster) => cluster.recurs),
];

export function clustersFrame(clusters: readonly Cluster[]): DataFrame {
  return frameOf(FRAME_CLUSTERS, CLUSTER_COLUMNS, clusters);
}

const TIMES = ['opened_at', 'updated_at', 'closed_at', 'resolved_at', 'source_quiet_at', 'first_seen'];
const AS_THEY_ARE = [
  'title', 'severity', 'state', 'firing', 'size', 'accepting', 'suppressed', 'stale', 'confidence', 'novel',
  'merged_into', 'split_from', 'pinned', 'acked_by', 'note', 'labels', 'affected', 'spread', 'recurs',
]; // prettier-ignore

/** The cluster a row was told from. */
export function clusterOfRow(row: Record<string, unknown>, rfc3339: (ms: unknown) => string | null): Cluster {
  const cluster: Record<string, unknown> = { id: row.cluster_id };
  for (const name of AS_THEY_ARE) {
    cluster[name] = row[name];
  }
  for (const name of TIMES) {
    cluster[name] = rfc3339(row[name]);
  }
  return cluster as unknown as Cluster;
}
