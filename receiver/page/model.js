/**
 * Folds the stream's frames, and the timeline behind them, into what is drawn and counted.
 *
 * Pure: no DOM, no socket, no timer; the clock is handed in. What the stream says is exact and wins; a timeline
 * only fills the gaps: the time before the first frame, and around each reset. Memory is bounded by the window,
 * the sample budget and ENDED_LANES, however many events come.
 */

import { SecondCounts } from "./model-counts.js";
import { appendSample, bound, dropExpired, newLane, noteSeverity, replaceBetween } from "./model-lane.js";

const FIRED = new Set(["alert_assigned", "alert_reopened"]);
const RESOLVED = new Set(["alert_resolved", "alert_stale"]);
const ENDED_STATES = new Set(["resolved", "merged"]);
const DEFAULT_ORDER = ["info", "warning", "critical"];

/** No screen shows more steps across its width. */
const SAMPLES_PER_WINDOW = 1800;
/** Shared by all lanes: 2,000 lanes keep 100 samples each, some 15 MB in all. */
const SAMPLE_BUDGET = 200_000;
const FEWEST_SAMPLES = 64;
/** Ended lanes kept inside the window; beyond, those that ended first go. */
const ENDED_LANES = 4000;
/** The clock offset is the best of the last one to two of these. */
const OFFSET_PERIOD_MS = 30_000;

const milliseconds = (time) => {
  const ms = typeof time === "string" ? Date.parse(time) : NaN;
  return Number.isNaN(ms) ? null : ms;
};

export const hasEnded = (cluster) => ENDED_STATES.has(cluster.state);

export class EvolutionModel {
  clusters = new Map();
  lanes = new Map();
  storm = null;
  stats = null;
  epoch = null;
  seq = null;
  severityOrder = DEFAULT_ORDER;
  /** Grows with each change. */
  version = 0;
  /** Grows when the past changed, not only the present: whoever drew it must draw it again. */
  historyVersion = 0;
  /** The last timeline did not hold every cluster of its range. */
  truncated = false;

  /** What the stream counted, and what a timeline adds where it did not. */
  #windowMs; #clock; #streamed; #filled; #storms = new Map();
  /** Spans the stream did not cover, without their ends: [fromMs, toMs]. */
  #gaps = []; #lastMs = null; #prunedMs = 0;
  #offset = null; #offsetPeriods = [-Infinity, -Infinity]; #offsetPeriodAt = 0;
  #live = null; #liveVersion = -1;

  /**
   * @param {object} [options]
   * @param {number} [options.windowSeconds] how much of the past is kept
   * @param {() => number} [options.clock] local time in ms
   */
  constructor({ windowSeconds = 1800, clock = () => Date.now() } = {}) {
    this.#windowMs = windowSeconds * 1000;
    this.#clock = clock;
    this.#streamed = new SecondCounts(windowSeconds);
    this.#filled = new SecondCounts(windowSeconds);
  }

  /** Storms seen in the window, oldest first. */
  get storms() { return [...this.#storms.values()]; }
  get windowSeconds() { return this.#windowMs / 1000; }

  /** The server's time in ms, estimated from the frames: the local clock plus the least delayed offset seen. */
  now() { return this.#clock() + (this.#offset ?? 0); }

  /** Start from a snapshot: live clusters, whole. Those no longer in it ended unseen. */
  applySnapshot(frame) {
    if (this.epoch !== null && frame.epoch !== this.epoch) this.#forget();
    const at = milliseconds(frame.time) ?? this.now();
    this.#learnTime(at, true);
    this.epoch = frame.epoch ?? null;
    this.seq = frame.seq ?? this.seq;
    if (Array.isArray(frame.severity_order)) this.severityOrder = frame.severity_order;
    this.#gaps.push([this.#lastMs ?? -Infinity, at]);
    this.#lastMs = at;
    const clusters = frame.clusters ?? [];
    const named = new Set(clusters.map((cluster) => cluster.id));
    for (const cluster of this.clusters.values()) {
      if (!named.has(cluster.id) && !hasEnded(cluster)) this.#endUnseen(cluster, at);
    }
    for (const cluster of clusters) this.#upsert(cluster, at);
    this.#takeStorm(frame.storm, at);
    this.stats = frame.stats ?? this.stats;
    this.#prune();
    this.#changed(true);
  }

  /** Apply a frame of events; its `clusters` have the last word on counts and states. */
  applyEvents(frame) {
    const events = frame.events ?? [];
    const lastMs = milliseconds(events.at(-1)?.time);
    if (lastMs !== null) this.#learnTime(lastMs, false);
    const at = Math.max(lastMs ?? this.now(), this.#lastMs ?? -Infinity);
    for (const cluster of frame.clusters ?? []) this.#adopt(cluster, at);
    for (const event of events) this.#applyEvent(event, at);
    for (const cluster of frame.clusters ?? []) this.#upsert(cluster, at);
    if (frame.storm !== undefined) this.#takeStorm(frame.storm, at);
    this.stats = frame.stats ?? this.stats;
    this.seq = frame.last ?? this.seq;
    this.#lastMs = at;
    this.#prune();
    this.#changed();
  }

  applyHeartbeat(frame) {
    const at = milliseconds(frame.time);
    if (at !== null) {
      this.#learnTime(at, true);
      this.#lastMs = at;
    }
    this.#prune();
    this.#changed();
  }

  /** Fill the gaps of the stream from a timeline. Applying one twice, or another over it, adds nothing twice. */
  applyTimeline(timeline) {
    const from = milliseconds(timeline.from);
    const to = milliseconds(timeline.to);
    const stepMs = (timeline.step_seconds ?? 0) * 1000;
    if (from === null || to === null || !(stepMs > 0)) return;
    const gaps = this.#gapsWithin(from, to);
    for (const entry of timeline.clusters ?? []) this.#fillLane(entry, { from, stepMs, gaps });
    this.#fillCounts(timeline, { from, to, stepMs, gaps });
    this.truncated = Boolean(timeline.truncated);
    this.#prune();
    this.#changed(true);
  }

  /** Storms of the list call, to show those that ended before the first frame. */
  applyStorms(storms) {
    for (const storm of storms) {
      if (storm.id !== this.storm?.id) this.#storms.set(storm.id, storm);
    }
    this.#storms = new Map([...this.#storms].sort(([a], [b]) => a - b));
    this.#prune();
    this.#changed(true);
  }

  /** Alerts that fired in the last *seconds* whole seconds. */
  fired(seconds) { return this.#lastSeconds(seconds).fired; }
  /** Alerts that resolved or went stale in the last *seconds* whole seconds. */
  resolved(seconds) { return this.#lastSeconds(seconds).resolved; }
  /** Counts by bucket: {fired: [n…], resolved: [n…]}. */
  rate(fromMs, toMs, stepMs) {
    const rate = this.#streamed.buckets(fromMs, toMs, stepMs);
    this.#filled.addBuckets(rate, fromMs, toMs, stepMs);
    return rate;
  }

  /** Live clusters: worst severity first, then most firing, then oldest. The array is shared: do not change it. */
  live() {
    if (this.#liveVersion !== this.version) {
      const ranked = [];
      for (const cluster of this.clusters.values()) {
        if (!hasEnded(cluster)) ranked.push([this.severityRank(cluster.severity), cluster]);
      }
      ranked.sort(([a, x], [b, y]) => b - a || (y.firing ?? 0) - (x.firing ?? 0) || x.id - y.id);
      this.#live = ranked.map(([, cluster]) => cluster);
      this.#liveVersion = this.version;
    }
    return this.#live;
  }

  /** What an operator may miss in a storm: live clusters with firing alerts that are not part of it. */
  outsideStorm() {
    const inside = new Set(this.storm && this.storm.state !== "ended" ? this.storm.cluster_ids : []);
    return this.live().filter((cluster) => (cluster.firing ?? 0) > 0 && !inside.has(cluster.id));
  }

  /** Members by label value, the most first, over the clusters of *ids* (all live ones without). */
  affected(ids = null) {
    const clusters = ids ? [...ids].map((id) => this.clusters.get(id)).filter(Boolean) : this.live();
    const sums = new Map([["team", new Map()], ["service", new Map()]]);
    for (const cluster of clusters) {
      for (const [label, values] of Object.entries(cluster.affected ?? {})) {
        const sum = sums.get(label) ?? new Map();
        sums.set(label, sum);
        for (const [value, count] of Object.entries(values)) sum.set(value, (sum.get(value) ?? 0) + count);
      }
    }
    const mostFirst = (sum) => [...sum].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    return Object.fromEntries([...sums].map(([label, sum]) => [label, mostFirst(sum)]));
  }

  /** Higher is worse: none −1, then the order's positions, a name not in the order above all. */
  severityRank(name) {
    if (!name) return -1;
    const position = this.severityOrder.indexOf(name);
    return position < 0 ? this.severityOrder.length : position;
  }

  // --- clusters and lanes

  /** Know a cluster before its events are applied, without the counts that belong after them. */
  #adopt(cluster, at) {
    if (!this.clusters.has(cluster.id)) this.clusters.set(cluster.id, cluster);
    if (!this.lanes.has(cluster.id)) this.lanes.set(cluster.id, newLane(cluster.id, milliseconds(cluster.opened_at) ?? at));
  }

  #upsert(cluster, at) {
    this.#adopt(cluster, at);
    this.clusters.set(cluster.id, cluster);
    const lane = this.lanes.get(cluster.id);
    this.#settleLane(lane, cluster, at);
    this.#sample(lane, at, lane.endedAt === null ? cluster.firing ?? 0 : 0);
    // What no longer fires keeps the colour it fired in.
    if (cluster.firing > 0) noteSeverity(lane, at, cluster.severity);
  }

  #settleLane(lane, cluster, at) {
    lane.mergedInto = cluster.merged_into ?? null;
    lane.splitFrom = cluster.split_from ?? lane.splitFrom;
    if (!hasEnded(cluster)) lane.endedAt = null;
    else {
      const said = cluster.state === "resolved" ? cluster.resolved_at : cluster.closed_at ?? cluster.updated_at;
      lane.endedAt ??= milliseconds(said) ?? at;
    }
  }

  #endUnseen(cluster, at) {
    this.#upsert({ ...cluster, state: "resolved", firing: 0, resolved_at: cluster.resolved_at ?? new Date(at).toISOString() }, at);
  }

  #sample(lane, ms, firing) {
    appendSample(lane.samples, ms, firing, this.#windowMs / SAMPLES_PER_WINDOW);
  }

  #applyEvent(event, frameMs) {
    const at = milliseconds(event.time) ?? frameMs;
    if (FIRED.has(event.type)) this.#streamed.add(at, 1, 0);
    else if (RESOLVED.has(event.type)) this.#streamed.add(at, 0, 1);
    if (event.type === "cluster_created") this.#created(event, at);
    const lane = this.lanes.get(event.cluster_id);
    if (lane && lane.endedAt === null && typeof event.cluster_firing === "number") {
      this.#sample(lane, at, event.cluster_firing);
    }
    if (event.type === "cluster_merged") this.#merged(lane, event.into, at);
    else if (event.type === "cluster_split") this.#split(event.into, event.from ?? event.cluster_id);
    else if (event.type === "cluster_resolved") this.#ended(lane, "resolved", at);
    else if (event.type === "cluster_state_changed") this.#stateChanged(event);
  }

  /** A cluster that came and went within one frame is only known from its events. */
  #created(event, at) {
    if (event.cluster_id == null || this.clusters.has(event.cluster_id)) return;
    this.#adopt({
      id: event.cluster_id, title: event.title ?? "", state: "forming", severity: event.alert?.labels?.severity ?? "",
      size: event.cluster_size ?? 1, firing: event.cluster_firing ?? 1, opened_at: new Date(at).toISOString(),
    }, at);
  }

  #merged(lane, into, at) {
    if (!lane) return;
    lane.mergedInto = into ?? null;
    this.#ended(lane, "merged", at);
  }

  #split(child, parent) {
    const lane = this.lanes.get(child);
    if (lane && child !== parent) lane.splitFrom = parent ?? null;
  }

  #stateChanged(event) {
    const cluster = this.clusters.get(event.cluster_id);
    if (cluster && event.state) this.clusters.set(cluster.id, { ...cluster, state: event.state });
  }

  #ended(lane, state, at) {
    if (!lane) return;
    lane.endedAt ??= at;
    const cluster = this.clusters.get(lane.id);
    if (cluster && !hasEnded(cluster)) {
      this.clusters.set(lane.id, { ...cluster, state, firing: 0, merged_into: lane.mergedInto });
    }
    if (lane.samples.length) this.#sample(lane, at, 0);
  }

  // --- timeline

  #gapsWithin(from, to) {
    return this.#gaps.map(([a, b]) => [Math.max(a, from), Math.min(b, to)]).filter(([a, b]) => a < b);
  }

  #fillLane(entry, { from, stepMs, gaps }) {
    const { samples = [], ...cluster } = entry;
    const known = this.clusters.get(cluster.id);
    if (!known) {
      this.clusters.set(cluster.id, cluster);
      const lane = newLane(cluster.id, milliseconds(cluster.opened_at) ?? from);
      this.#settleLane(lane, cluster, this.#lastMs ?? from);
      this.lanes.set(cluster.id, lane);
    }
    const lane = this.lanes.get(cluster.id);
    // A bucket's value is as of its end.
    const past = samples.map(([bucket, firing]) => [Math.max(from + (bucket + 1) * stepMs, lane.bornAt), firing]);
    for (const [start, end] of gaps) {
      // The bucket the stream began in ends after the gap: its value is what the stream says at that moment.
      lane.samples = replaceBetween(lane.samples, past, start, end);
    }
    if (lane.endedAt !== null && (lane.samples.at(-1)?.[1] ?? 0) > 0) this.#sample(lane, lane.endedAt, 0);
  }

  #fillCounts(timeline, { from, to, stepMs, gaps }) {
    const fired = timeline.fired ?? [];
    const resolved = timeline.resolved ?? [];
    const inGap = (second) => gaps.some(([a, b]) => second * 1000 >= a - 999 && second * 1000 < b);
    for (let bucket = 0; bucket < Math.max(fired.length, resolved.length); bucket += 1) {
      const first = Math.ceil((from + bucket * stepMs) / 1000);
      const end = Math.ceil(Math.min(from + (bucket + 1) * stepMs, to) / 1000);
      this.#fillBucket(first, end, fired[bucket] ?? 0, resolved[bucket] ?? 0, inGap);
    }
  }

  /** Spread what the stream did not count itself over the bucket's seconds that it did not cover. */
  #fillBucket(first, end, fired, resolved, inGap) {
    const missing = [];
    for (let second = first; second < end; second += 1) if (inGap(second)) missing.push(second);
    const streamed = this.#streamed.sum(first, end);
    const share = (total, i) => {
      const whole = Math.max(0, total);
      return Math.floor(((i + 1) * whole) / missing.length) - Math.floor((i * whole) / missing.length);
    };
    missing.forEach((second, i) => {
      this.#filled.set(second, share(fired - streamed.fired, i), share(resolved - streamed.resolved, i));
    });
  }

  // --- storms, time, memory

  #takeStorm(storm, at) {
    if (this.storm && this.storm.id !== storm?.id) {
      const ended = this.storm.ended_at ?? new Date(at).toISOString();
      this.#storms.set(this.storm.id, { ...this.storm, state: "ended", ended_at: ended });
    }
    this.storm = storm ?? null;
    if (storm) this.#storms.set(storm.id, storm);
  }

  /**
   * A frame is never early, so the largest offset is the least delayed one. It may fall when nothing as large came
   * for a period (a clock was set), or at once by a frame that states the server's time and differs by much.
   */
  #learnTime(serverMs, stated) {
    const local = this.#clock();
    const offset = serverMs - local;
    if (this.#offset === null || (stated && Math.abs(offset - this.#offset) > OFFSET_PERIOD_MS)) {
      this.#offset = offset;
      this.#offsetPeriods = [offset, offset];
      this.#offsetPeriodAt = local;
      return;
    }
    if (Math.abs(local - this.#offsetPeriodAt) > OFFSET_PERIOD_MS) {
      this.#offsetPeriods = [this.#offsetPeriods[1], -Infinity];
      this.#offsetPeriodAt = local;
    }
    this.#offsetPeriods[1] = Math.max(this.#offsetPeriods[1], offset);
    this.#offset = Math.max(...this.#offsetPeriods);
  }

  #lastSeconds(seconds) {
    const end = Math.floor(this.now() / 1000) + 1;
    const streamed = this.#streamed.sum(end - Math.ceil(seconds), end);
    const filled = this.#filled.sum(end - Math.ceil(seconds), end);
    return { fired: streamed.fired + filled.fired, resolved: streamed.resolved + filled.resolved };
  }

  /** Once a second: let go of what left the window and thin what grew too fine. */
  #prune() {
    const now = this.now();
    if (Math.abs(now - this.#prunedMs) < 1000) return;
    this.#prunedMs = now;
    const from = now - this.#windowMs;
    const longest = Math.max(FEWEST_SAMPLES, Math.min(SAMPLES_PER_WINDOW, Math.floor(SAMPLE_BUDGET / (this.lanes.size || 1))));
    const ended = [];
    for (const lane of this.lanes.values()) {
      if (lane.endedAt !== null && lane.endedAt < from) this.#drop(lane.id);
      else {
        if (lane.endedAt !== null) ended.push(lane);
        dropExpired(lane.samples, from);
        lane.samples = bound(lane.samples, longest);
      }
    }
    if (ended.length > ENDED_LANES) {
      ended.sort((a, b) => a.endedAt - b.endedAt);
      for (const lane of ended.slice(0, ended.length - ENDED_LANES)) this.#drop(lane.id);
    }
    this.#gaps = this.#gaps.filter(([, end]) => end > from);
    for (const storm of this.#storms.values()) {
      const endedAt = milliseconds(storm.ended_at);
      if (endedAt !== null && endedAt < from) this.#storms.delete(storm.id);
    }
  }

  #drop(id) {
    this.lanes.delete(id);
    this.clusters.delete(id);
  }

  #forget() {
    this.clusters.clear();
    this.lanes.clear();
    this.#storms.clear();
    this.#streamed.clear();
    this.#filled.clear();
    this.#gaps = [];
    this.#lastMs = null;
    this.storm = null;
    this.seq = null;
  }

  #changed(past = false) {
    this.version += 1;
    if (past) this.historyVersion += 1;
  }
}
