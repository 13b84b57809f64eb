/**
 * A lane: how many alerts of one cluster were firing, over time, as a step function of bounded length.
 *
 * `samples` is [[ms, firing]…] ascending; a value holds until the next sample.
 */

/** How many samples go before it pays to cut the array. */
const EXPIRED_SLACK = 32;

export function newLane(id, bornAt) {
  return { id, samples: [], bornAt, endedAt: null, mergedInto: null, splitFrom: null, severities: [] };
}

/** A cluster whose severity goes to and fro is drawn in its latest ones. */
const MOST_SEVERITIES = 16;

/** Note the worst severity that fires as of *ms*: `severities` is [[ms, severity]…] ascending, each holding until the next. */
export function noteSeverity(lane, ms, severity) {
  const { severities } = lane;
  if (severities.length && severities.at(-1)[1] === severity) return;
  severities.push([ms, severity]);
  if (severities.length > MOST_SEVERITIES) severities.shift();
}

/** The newest index whose sample is at or before *ms*, or -1. */
export function indexAt(samples, ms) {
  let low = 0;
  let high = samples.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (samples[middle][0] <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Firing alerts at *ms*; null before the first sample, where nothing is known. */
export function valueAt(samples, ms) {
  const index = indexAt(samples, ms);
  return index < 0 ? null : samples[index][1];
}

/**
 * Append *firing* as of *ms*. Within *resolutionMs* of the last sample but one the last is overwritten: what
 * changes faster than a pixel is not kept. A time before the last sample counts as the last sample's.
 */
export function appendSample(samples, ms, firing, resolutionMs) {
  const last = samples.at(-1);
  if (!last) { samples.push([ms, firing]); return; }
  if (last[1] === firing) return;
  const before = samples.at(-2);
  const at = Math.max(ms, last[0]);
  if (at === last[0] || (before && at - before[0] < resolutionMs)) last[1] = firing;
  else samples.push([at, firing]);
}

/** Drop what ended before *fromMs*, keeping the sample that still holds there. */
export function dropExpired(samples, fromMs) {
  const holds = indexAt(samples, fromMs);
  if (holds > EXPIRED_SLACK) samples.splice(0, holds);
}

/**
 * Samples thinned to at most two a bucket of *bucketMs*: the largest value, and the one it ends with, so that
 * neither a short peak nor the state it settled to is lost.
 */
export function thinned(samples, bucketMs) {
  const kept = [];
  let bucket = null;
  let peak = null;
  let last = null;
  const flush = () => {
    if (!last) return;
    if (peak[1] > last[1]) kept.push(peak);
    kept.push(last);
  };
  for (const sample of samples) {
    const of = Math.floor(sample[0] / bucketMs);
    if (of !== bucket) {
      flush();
      bucket = of;
      peak = sample;
    }
    if (sample[1] >= peak[1]) peak = sample;
    last = sample;
  }
  flush();
  return kept;
}

/** Keep at most *longest* samples: the newer half as it is, the older half thinned. */
export function bound(samples, longest) {
  if (samples.length <= longest) return samples;
  const half = samples.length >> 1;
  const older = samples.slice(0, half);
  const spanMs = older.at(-1)[0] - older[0][0];
  const bucketMs = Math.max(1, (spanMs * 8) / longest);
  return thinned(older, bucketMs).concat(samples.slice(half)).slice(-longest);
}

/** *samples* with everything strictly between *fromMs* and *toMs* replaced by *others* from there. */
export function replaceBetween(samples, others, fromMs, toMs) {
  return [
    ...samples.filter(([ms]) => ms <= fromMs),
    ...others.filter(([ms]) => ms > fromMs && ms < toMs),
    ...samples.filter(([ms]) => ms >= toMs),
  ];
}
