/** Reads the frames of an `evolution` query again; see schema.ts. Pure. */

import { type DataFrame } from '@grafana/data';
import { clusterOfRow } from './clusters';
import { rfc3339 } from './columns';
import { eventOfRow } from './events';
import { metaOf, rowsOf } from './meta';
import { FRAME_CLUSTERS, FRAME_EVENTS, type Cluster, type Read, type StreamEvent } from './schema';

/** null: these are not the frames of an `evolution` query. */
export function readFrames(series: DataFrame[]): Read | null {
  const ours = series.filter((frame) => metaOf(frame) !== null);
  const events = ours.find(({ name }) => name === FRAME_EVENTS);
  const clusters = ours.find(({ name }) => name === FRAME_CLUSTERS);
  if (!events || !clusters) {
    return null;
  }
  return {
    ...metaOf(clusters)!,
    events: read<StreamEvent>(events, eventOfRow),
    clusters: read<Cluster>(clusters, clusterOfRow),
  };
}

type OfRow<Row> = (row: Record<string, unknown>, asText: typeof rfc3339) => Row;

/** A frame that was stored, say in a dashboard's snapshot, has columns only. */
function read<Row>(frame: DataFrame, ofRow: OfRow<Row>): Row[] {
  const rows = rowsOf<Row>(frame);
  if (rows) {
    return rows as Row[];
  }
  return Array.from({ length: frame.length }, (_, i) =>
    ofRow(Object.fromEntries(frame.fields.map(({ name, values }) => [name, values[i]])), rfc3339)
  );
}
