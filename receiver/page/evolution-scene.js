/**
 * From model, rows and size to a scene: plain data with every position the painters need. No canvas here.
 */

import { crossingWidth, largestBetween } from "./evolution-ribbon.js";
import { niceCeiling, rowHeights, timeText } from "./evolution-scale.js";
import { counted, countText, drawable } from "./evolution-text.js";
import { severityStyle } from "./evolution-theme.js";

/** So many px a row decide how many there are… */
const ROW = 18;
/** …and fewer are enough for a lane of few alerts, so that one of many can be shown thick. */
const LEAST_ROW = 15;
const CALM_ROW = 42;
const MOST_RIBBON = 96;
const MORE_HEIGHT = 26;
const HEADER = 22;
const AXIS = 22;
const COMPACT_BELOW = 520;
/** Narrower bars than this flicker instead of showing a rate. */
const BAR_PX = 4;
const FADED = new Set(["resolved", "merged"]);

/** The areas of a view of *size*: header, rows, strip, axis, and the gutter for counts right of now. */
export function metrics({ width, height }, live, mostRows = Infinity) {
  const compact = width < COMPACT_BELOW;
  const stripHeight = height < 200 ? 0 : Math.min(62, Math.max(36, Math.round(height * 0.11)));
  const axisTop = height - AXIS;
  const stripTop = axisTop - stripHeight;
  const bottom = stripTop - 6;
  const room = (more) => Math.max(0, bottom - HEADER - (more ? MORE_HEIGHT : 0));
  return {
    compact, top: HEADER, bottom, axisTop, strip: stripHeight ? { top: stripTop, bottom: axisTop } : null,
    gutter: live ? (compact ? 48 : 72) : 12,
    capacity: (more) => Math.max(1, Math.min(mostRows, Math.floor(room(more) / ROW))),
    /** Heights for rows of *counts* (the largest of each), where *slots* rows are to fit. */
    rows(counts, slots, full, more) {
      const least = Math.min(CALM_ROW, Math.max(LEAST_ROW, (room(more) / slots) * 0.75));
      const empty = Math.max(0, slots - counts.length) * least;
      return rowHeights(counts, room(more) - empty, { full, least, most: Math.min(MOST_RIBBON, room(more) / 2) });
    },
  };
}

/** The lanes that touch the range, as the row layout takes them. */
export function describe(model, scale, selected) {
  const lanes = [];
  for (const lane of model.lanes.values()) {
    if (lane.bornAt > scale.toMs || (lane.endedAt !== null && lane.endedAt < scale.fromMs)) continue;
    const cluster = model.clusters.get(lane.id);
    if (!cluster) continue;
    lanes.push({
      id: lane.id, bornAt: lane.bornAt, endedAt: lane.endedAt, rank: model.severityRank(cluster.severity),
      firing: cluster.firing ?? 0, kept: lane.id === selected || Boolean(cluster.pinned && lane.endedAt === null),
    });
  }
  return lanes;
}

/** The largest count of each row among the lanes shown, from *fromMs* on. */
export function largestByRow(model, layout, fromMs) {
  return layout.rows.map((ids) => Math.max(0, ...ids.map((id) => largestBetween(model?.lanes.get(id)?.samples ?? [], fromMs, Infinity))));
}

/** All a painter needs to know. `shape` changes when nothing that is already drawn holds any longer; see evolution-bands.js for less. */
export function buildScene(input) {
  const { model, frame, scale, size, theme, full, thickest, hidden } = input;
  const look = { ...ownLook(theme, model), ...input.look };
  const live = frame.gutter > 12;
  const nowX = live ? scale.right : Math.min(scale.right, scale.x(input.now));
  const scene = {
    ...size, theme, scale, full, thickest, live, nowX, nowMs: Math.min(input.now, scale.toMs), compact: frame.compact, axisTop: frame.axisTop,
    plot: { top: frame.top, bottom: frame.bottom }, formatTime: input.formatTime ?? timeText,
    hovered: input.hovered, selected: input.selected, focused: input.focused, pointer: input.pointer,
    shown: [], byId: new Map(), storms: [], strip: null, more: null, message: null,
  };
  if (live) scene.nowMs = Math.max(input.now, scale.toMs);
  if (model) {
    addLanes(scene, input, look);
    scene.storms = stormBands(model, scene);
    scene.strip = frame.strip && strip(model, scene, frame.strip, input.previous?.strip);
    if (hidden.length && live) scene.more = moreLane(model, hidden, frame, theme);
    if (!input.lanes.length && model.version > 0) scene.message = calmMessage(model, live, (scale.toMs - scale.fromMs) / 1000);
  }
  scene.shape = shapeOf(scene, model);
  scene.summary = () => summarise(model, scene);
  return scene;
}

/** How a cluster looks and what it is called, where the host has nothing else to say. */
const ownLook = (theme, model) => ({
  styleOf: (cluster) => severityStyle(theme, cluster.severity, model.severityOrder),
  titleOf: (cluster) => cluster.title,
});

function addLanes(scene, { model, layout, places }, look) {
  for (const [id, place] of places) {
    const lane = model.lanes.get(id);
    const cluster = model.clusters.get(id);
    if (!lane || !cluster) continue;
    const state = lane.endedAt === null ? cluster.state : cluster.state === "merged" ? "merged" : "resolved";
    const faded = FADED.has(state);
    const view = {
      id, lane, cluster, state, faded, row: layout.rowOf.get(id), y: place.y, height: place.height,
      style: look.styleOf(cluster), spans: spansOf(lane, cluster, look),
      title: drawable(look.titleOf(cluster)) || `Cluster ${id}`, firing: cluster.firing ?? 0,
      bornX: scene.scale.x(lane.bornAt), endMs: lane.endedAt, head: scene.live && lane.endedAt === null,
      untilX: scene.nowX, current: false, crossings: [],
    };
    scene.shown.push(view);
    scene.byId.set(id, view);
  }
  shareRows(scene, layout);
  for (const view of scene.shown) {
    addCrossings(scene, view);
    view.shape = laneShape(view);
  }
}

/**
 * In which style a lane is drawn from when to when: that of its severity at the time. Severities are known since the
 * stream began; before, the first of them has to do.
 */
export function spansOf({ severities = [] }, cluster, look) {
  if (!severities.length) return [{ fromMs: -Infinity, toMs: Infinity, style: look.styleOf(cluster) }];
  return severities.map(([ms, severity], i) => ({
    fromMs: i ? ms : -Infinity, toMs: severities[i + 1]?.[0] ?? Infinity, style: look.styleOf({ ...cluster, severity }),
  }));
}

function laneShape({ id, state, y, height, style, spans, lane, crossings }) {
  const joins = crossings.map(({ fromY, toY }) => `${fromY} ${toY}`);
  const drawn = spans.map((span) => `${span.fromMs} ${span.style.color} ${span.style.pattern}`);
  return [id, state, y, height, style.color, style.pattern, ...drawn, lane.bornAt, lane.endedAt, lane.mergedInto, lane.splitFrom, ...joins].join("|");
}

/** In a row with several lanes a title ends where the next lane begins. */
function shareRows(scene, layout) {
  for (const ids of layout.rows) {
    const views = ids.map((id) => scene.byId.get(id)).filter(Boolean);
    views.forEach((view, i) => {
      const after = views[i + 1];
      if (after) view.untilX = after.bornX - 6;
      view.current = !after;
    });
  }
}

function addCrossings(scene, view) {
  const { scale, byId } = scene;
  const { lane } = view;
  const survivor = lane.mergedInto === null ? null : byId.get(lane.mergedInto);
  if (survivor && lane.endedAt !== null) {
    const toX = scale.x(lane.endedAt);
    const fromX = Math.max(toX - crossingWidth(survivor.y - view.y), Math.min(view.bornX + 4, toX - 4));
    const firing = firingBefore(lane.samples, lane.endedAt);
    view.endMs = scale.time(fromX);
    view.crossings.push({ fromX, fromY: view.y, toX, toY: survivor.y, firing });
  }
  const parent = lane.splitFrom === null ? null : byId.get(lane.splitFrom);
  if (parent) {
    const toX = view.bornX;
    const fromX = Math.max(toX - crossingWidth(parent.y - view.y), Math.min(parent.bornX + 4, toX - 4));
    const firing = lane.samples[0]?.[1] ?? 1;
    view.crossings.push({ fromX, fromY: parent.y, toX, toY: view.y, firing });
  }
}

/** What was firing until the moment *ms*. */
function firingBefore(samples, ms) {
  for (let i = samples.length - 1; i >= 0; i -= 1) if (samples[i][0] < ms && samples[i][1] > 0) return samples[i][1];
  return 1;
}

function stormBands(model, scene) {
  const bands = [];
  for (const storm of model.storms) {
    const from = Date.parse(storm.started_at);
    const ended = storm.ended_at ? Date.parse(storm.ended_at) : null;
    if (Number.isNaN(from) || (ended !== null && ended < scene.scale.fromMs) || from > scene.scale.toMs) continue;
    const x0 = Math.max(scene.scale.left - 2, scene.scale.crisp(from));
    const x1 = ended === null ? scene.nowX : Math.min(scene.nowX, scene.scale.crisp(ended));
    bands.push({ x0, x1: Math.max(x0 + 2, x1), ongoing: ended === null, labels: stormLabels(storm, ended), id: storm.id });
  }
  return bands;
}

/** What a storm's band says, the longest first. While it goes on its rate changes, and is told elsewhere as of now. */
export function stormLabels(storm, ended) {
  const short = `Storm: ${counted(storm.episodes ?? 0, "alert")}`;
  if (ended === null) return [`${short} so far`, "Storm"];
  const times = Math.round(storm.peak_intensity ?? 0);
  if (times < 2) return [short, "Storm"];
  return [`${short}, at its peak ${countText(times)} times as many as normal`, short, "Storm"];
}

function strip(model, scene, { top, bottom }, previous) {
  const { scale } = scene;
  const bucketMs = Math.max(1, Math.ceil((BAR_PX * scale.msPerPx) / 1000)) * 1000;
  const firstBucket = Math.floor(scale.fromMs / bucketMs);
  const fromMs = firstBucket * bucketMs;
  const { fired, resolved } = model.rate(fromMs, scale.toMs, bucketMs);
  const peak = fired.reduce((a, b) => Math.max(a, b), 0);
  const least = Math.max(4, (2 * bucketMs) / 1000);
  let most = Math.max(least, niceCeiling(peak));
  // A scale that falls and rises with every bar is read wrongly: it falls only for good.
  if (previous?.bucketMs === bucketMs && most < previous.most && peak > previous.most * 0.35) most = previous.most;
  const base = Math.round(top + (bottom - top) * 0.76);
  return { top, bottom, base, bucketMs, firstBucket, fired, resolved, most, caption: stripCaption(peak, bucketMs) };
}

function stripCaption(peak, bucketMs) {
  if (!peak) return "Alerts fired ▲  resolved ▼";
  const perSecond = (peak * 1000) / bucketMs;
  const rate = perSecond >= 1 ? `${countText(perSecond)}/s` : `${countText(Math.max(1, perSecond * 60))}/min`;
  return `Alerts fired ▲  resolved ▼   peak ${rate}`;
}

function moreLane(model, hidden, frame, theme) {
  const bySeverity = new Map();
  let firing = 0;
  for (const { id } of hidden) {
    const cluster = model.clusters.get(id);
    if (!cluster) continue;
    firing += cluster.firing ?? 0;
    const name = cluster.severity ?? "";
    bySeverity.set(name, (bySeverity.get(name) ?? 0) + 1);
  }
  const severities = [...bySeverity]
    .sort(([a], [b]) => model.severityRank(b) - model.severityRank(a)).slice(0, 5)
    .map(([name, count]) => ({ name: drawable(name).slice(0, 20) || "without severity", count, style: severityStyle(theme, name, model.severityOrder) }));
  return { clusters: hidden.length, firing, severities, top: frame.bottom - MORE_HEIGHT, height: MORE_HEIGHT };
}

export function calmMessage(model, live, rangeSeconds) {
  if (!live) return { text: "Nothing was firing.", detail: "" };
  const minutes = Math.floor(Math.min(model.windowSeconds ?? 0, rangeSeconds) / 60);
  if (model.stats?.source_quiet_at) return { text: "Nothing is told to fire.", detail: "A source has gone quiet." };
  if (model.live().some(({ suppressed }) => suppressed)) return { text: "All that fires is suppressed.", detail: "" };
  return { text: "Nothing is firing.", detail: minutes ? `No alert cluster in the last ${counted(minutes, "minute")}.` : "" };
}

/** What all past pixels depend on, beyond time; what those of one lane depend on is its own `shape`. */
function shapeOf(scene, model) {
  const parts = [model?.historyVersion ?? 0, scene.full, scene.thickest, scene.strip?.most ?? 0, scene.strip?.bucketMs ?? 0];
  for (const band of scene.storms) parts.push(band.id, band.ongoing);
  return parts.join("|");
}

/** The picture in a sentence, for those who do not see it. */
function summarise(model, scene) {
  const live = model?.live() ?? [];
  const range = `${scene.formatTime(scene.scale.fromMs, 60_000)} to ${scene.formatTime(scene.scale.toMs, 60_000)}`;
  const head = `Evolution of alert clusters, ${range}: `;
  if (!model?.version) return `${head}nothing is known yet.`;
  if (!live.length) return `${head}nothing is firing.`;
  const firing = live.reduce((sum, cluster) => sum + (cluster.firing ?? 0), 0);
  const worst = live[0];
  const largest = live.reduce((a, b) => ((b.firing ?? 0) > (a.firing ?? 0) ? b : a));
  const storm = model.storm && model.storm.state !== "ended" ? ` Storm since ${scene.formatTime(Date.parse(model.storm.started_at), 60_000)}.` : "";
  return `${head}${counted(live.length, "live cluster")}, ${counted(firing, "firing alert")}. `
    + `Worst severity ${drawable(worst.severity) || "none"}. Largest: ${drawable(largest.title) || `Cluster ${largest.id}`}, ${countText(largest.firing ?? 0)} firing.${storm}`;
}
