/** How much of a cluster is new. Pure. */

import { countText } from '@page/evolution-text.js';

/** What came within this time is called new. */
export const NEW_MS = 60_000;

export interface Growth {
  /** Firing now above what fired a minute ago; 0 where it shrank. */
  added: number;
  /** Of what fires now, 0 … 1. */
  share: number;
  /** Born within the minute. */
  born: boolean;
}

/** Short: it stands on small cards. */
export function growthWords({ added, born }: Growth): string {
  if (born) {
    return added > 1 ? `new, +${countText(added)} in a minute` : 'began within a minute';
  }
  return added ? `+${countText(added)} in a minute` : '';
}

interface Lane {
  samples: Array<[number, number]>;
  bornAt: number;
}

/** How much *lane* grew until *nowMs*, of *firing* that fire now. */
export function growthOf(lane: Lane | undefined, firing: number, nowMs: number): Growth {
  if (!lane || firing <= 0) {
    return { added: 0, share: 0, born: false };
  }
  const since = nowMs - NEW_MS;
  const born = lane.bornAt > since;
  let before = born ? 0 : firing;
  for (let i = lane.samples.length - 1; i >= 0 && !born; i -= 1) {
    before = lane.samples[i][1];
    if (lane.samples[i][0] <= since) {
      break;
    }
  }
  const added = Math.max(0, firing - before);
  return { added, share: Math.min(1, added / firing), born };
}
