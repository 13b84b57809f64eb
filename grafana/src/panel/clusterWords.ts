/** What keeps a cluster's count of firing alerts from being the whole truth, in words. Pure. */

import { count } from '@page/format.js';
import { type Cluster } from '@page/model.js';

type Time = (ms: number) => string;

/** Members that neither fire nor are over: "3 suppressed". */
export function heldBackWords({ suppressed, stale }: Cluster): string[] {
  return [...(suppressed ? [`${count(suppressed)} suppressed`] : []), ...(stale ? [`${count(stale)} stale`] : [])];
}

/** Alerts of a source that is silent end by themselves, whether what they tell of has recovered or not. */
export function quietWords({ source_quiet_at: quiet }: Cluster, time: Time): string {
  return quiet ? `may not have recovered: its source had gone quiet by ${time(Date.parse(quiet))}` : '';
}
