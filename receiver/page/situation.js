// What is going on, in a sentence. Pure: reads the model, knows no document.

import { clock, count, duration, ms, plural, times } from "./format.js";

// Of a source that is silent nobody knows.
const NOTHING_TOLD = "Nothing is told to fire";

const LATELY_SECONDS = 300;
const NOW_SECONDS = 60;
const RECALLED_MS = 60 * 60 * 1000;

// How much more must fire than resolve, or the other way round, to call it a direction.
const CLEARLY = 1.2;

// What share of the five minutes' pace the last minute must fall below to say that it slows down.
const SLOWING = 0.4;

// Fewer in a minute are no new wave.
const SEVERAL = 5;

// Below this multiple of the normal rate it says more how bad it was.
const RAGING = 1.5;

/** Return whether the storm of *model*, if any, still goes on. */
export function activeStorm(model) {
  return model.storm && model.storm.state !== "ended" ? model.storm : null;
}

/**
 * Return where things are heading: {word, sign, tone}.
 * @param {string|null} state of the storm; null without one
 * @param {number} fired in the last five minutes
 * @param {number} resolved in the last five minutes
 * @param {{firedNow: number, resolvedNow: number, calmed?: boolean}} lately the same of the last minute; calmed: new
 *   alerts come hardly faster than is normal
 */
export function trend(state, fired, resolved, { firedNow, resolvedNow, calmed = false }) {
  const rising = fired > resolved * CLEARLY;
  const falling = resolved > fired * CLEARLY;
  // Five minutes are slow to notice that it stopped raining, or that a second cloud came while the first cleared.
  const pace = (firedNow * LATELY_SECONDS) / NOW_SECONDS;
  // A young storm lies in the last minute whole: there only its rate tells.
  const slowing = calmed || pace < fired * SLOWING;
  const again = !calmed && firedNow >= SEVERAL && pace > fired && firedNow > resolvedNow * CLEARLY;
  if (again) return { word: "getting worse", sign: "up", tone: "worse" };
  if (rising && (state === "easing" || (slowing && state !== "onset"))) {
    return { word: "slowing down", sign: "level", tone: "level" };
  }
  if (state === "easing" || falling) return { word: "easing", sign: "down", tone: "better" };
  if (rising) return { word: "getting worse", sign: "up", tone: "worse" };
  if (state === "onset") return { word: "building up", sign: "up", tone: "worse" };
  return { word: "neither better nor worse", sign: "level", tone: "level" };
}

/**
 * Return the situation: {tone, heading, trend, facts, clusters, firing, fired, resolved, storm}.
 * tone is "storm", "after", "alert" (calm, but something critical fires), "calm" or "quiet".
 */
export function situation(model, { isCritical }) {
  const now = model.now();
  const firingClusters = model.live().filter((cluster) => cluster.firing > 0);
  const firing = sum(firingClusters, (cluster) => cluster.firing);
  const fired = model.fired(LATELY_SECONDS);
  const resolved = model.resolved(LATELY_SECONDS);
  const critical = firingClusters.filter(isCritical).length;
  const figures = { clusters: firingClusters.length, firing, fired, resolved, critical };
  const storm = activeStorm(model);
  const quiet = model.stats?.source_quiet_at;
  const doubts = doubtsOf(model, (at) => clock(at, now));
  if (storm) {
    const told = inStorm(storm, now, figures, lastMinute(model));
    return { ...figures, ...told, facts: [...told.facts, ...doubts], storm };
  }
  const last = latestEnded(model, now);
  const both = `${plural(firingClusters.length, "cluster")}, ${plural(firing, "alert")} firing`;
  if (last) {
    const began = ms(last.started_at);
    const ended = ms(last.ended_at);
    return {
      ...figures,
      storm: null,
      tone: critical ? "alert" : "after",
      heading: `Storm over since ${clock(ended, now)}`,
      trend: null,
      facts: [
        firing ? `still ${both}` : quiet ? "nothing is told to fire" : "nothing fires any more",
        `it lasted ${duration((ended - began) / 1000)}`,
        `${plural(last.episodes, "alert")} in ${plural(last.cluster_ids.length, "cluster")}`,
        ...doubts,
      ],
    };
  }
  if (!firing && doubts.length) {
    const heading = quiet ? NOTHING_TOLD : "All that fires is suppressed";
    return { ...figures, storm: null, tone: quiet ? "alert" : "calm", heading, trend: null, facts: doubts };
  }
  if (!firing) {
    return {
      ...figures,
      storm: null,
      tone: "quiet",
      heading: "All quiet: nothing is firing",
      trend: null,
      facts: [],
    };
  }
  const tone = critical ? "alert" : "calm";
  const heading = critical ? `No storm: ${both}` : `Calm: ${both}`;
  const facts = [critical ? `${plural(critical, "cluster")} critical` : "none of them critical", ...doubts];
  return { ...figures, storm: null, tone, heading, trend: null, facts };
}

function inStorm(storm, now, { fired, resolved }, ofLastMinute) {
  const began = ms(storm.started_at);
  return {
    tone: "storm",
    heading: `Storm since ${clock(began, now)}`,
    trend: trend(storm.state, fired, resolved, { ...ofLastMinute, calmed: storm.intensity < RAGING }),
    facts: [
      `${plural(storm.episodes, "alert")} in ${plural(storm.cluster_ids.length, "cluster")}`,
      storm.intensity >= RAGING
        ? `${times(storm.intensity)} normal`
        : `at its peak ${times(storm.peak_intensity)} normal`,
      `for ${duration((now - began) / 1000)}`,
    ],
  };
}

/**
 * Return what keeps the numbers from being the whole truth: a source that is silent, alerts that are suppressed.
 * @param {(ms: number) => string} time how a moment is told
 */
export function doubtsOf(model, time) {
  const quiet = model.stats?.source_quiet_at;
  const suppressed = sum(model.live(), (cluster) => cluster.suppressed ?? 0);
  return [
    ...(quiet ? [`a source has gone quiet (${time(ms(quiet))}): what ended since may not have recovered`] : []),
    ...(suppressed ? [`${count(suppressed)} suppressed`] : []),
  ];
}

function lastMinute(model) {
  return { firedNow: model.fired(NOW_SECONDS), resolvedNow: model.resolved(NOW_SECONDS) };
}

/** Return the storm that ended last, if that was lately enough to be worth saying. */
function latestEnded(model, now) {
  const known = [...(model.storms ?? []), ...(model.storm ? [model.storm] : [])];
  let last = null;
  for (const storm of known) {
    const ended = ms(storm.ended_at);
    if (!(now - ended < RECALLED_MS)) continue;
    if (!last || ended > ms(last.ended_at)) last = storm;
  }
  return last;
}

function sum(items, numberOf) {
  return items.reduce((total, item) => total + numberOf(item), 0);
}
