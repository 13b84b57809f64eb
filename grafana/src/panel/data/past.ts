/** A closed range of the past as a model of its own, whose clock stands at the end of the range. */

import { EvolutionModel, type Cluster, type Storm } from '@page/model.js';
import { valueAt } from '@page/model-lane.js';
import { type ReceiverApi } from './api';

/** More buckets than a screen has pixels tell nothing. */
const BUCKETS = 720;
const MOST_CLUSTERS = 2000;
const MOST_STORMS = 200;

export interface Timeline {
  from: string;
  to: string;
  clusters: Cluster[];
  truncated: boolean;
}

/** Ask the receiver for what was from *fromMs* to *toMs*. */
export async function loadPast(
  api: ReceiverApi,
  fromMs: number,
  toMs: number,
  severityOrder?: string[]
): Promise<EvolutionModel> {
  const seconds = Math.max(1, (toMs - fromMs) / 1000);
  const [timeline, storms] = await Promise.all([
    api.get<Timeline>('timeline', {
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
      step: Math.max(1, Math.ceil(seconds / BUCKETS)),
      limit: MOST_CLUSTERS,
    }),
    api.get<{ items: Storm[] }>('storms', { limit: MOST_STORMS }),
  ]);
  const model = pastModel(fromMs, toMs, timeline, storms.items);
  if (severityOrder) {
    model.severityOrder = severityOrder;
  }
  return model;
}

/** The model of a timeline's answer: every cluster as it was at the end of the range. */
export function pastModel(fromMs: number, toMs: number, timeline: Timeline, storms: Storm[]): EvolutionModel {
  // A bucket's value is as of its end, which may lie a bucket behind the range.
  const windowSeconds = Math.ceil((toMs - fromMs) / 1000) + 60;
  const model = new EvolutionModel({ windowSeconds, clock: () => toMs });
  // The model takes a timeline for the time before its first snapshot: here, all of it.
  model.applySnapshot({ epoch: 'past', seq: 0, time: new Date(toMs + 1).toISOString(), clusters: [], storm: null });
  model.applyTimeline(timeline);
  model.applyStorms(storms.filter(({ started_at }) => Date.parse(started_at) <= toMs));
  for (const cluster of [...model.clusters.values()]) {
    model.clusters.set(cluster.id, asOf(cluster, model, toMs));
  }
  model.storm = storms.find((storm) => goesOnAt(storm, toMs)) ?? null;
  return model;
}

function goesOnAt({ started_at: start, ended_at: end }: Storm, ms: number): boolean {
  return Date.parse(start) <= ms && (end === null || Date.parse(end) > ms);
}

function asOf(cluster: Cluster, model: EvolutionModel, ms: number): Cluster {
  const lane = model.lanes.get(cluster.id);
  if (!lane || (lane.endedAt !== null && lane.endedAt <= ms)) {
    return cluster;
  }
  const firing = valueAt(lane.samples, ms) ?? 0;
  return { ...cluster, firing, state: firing > 0 ? 'steady' : 'resolving' };
}
