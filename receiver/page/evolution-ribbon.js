/**
 * The shape of one lane: a ribbon as thick as alerts are firing, in nested contours like the cells of a weather radar.
 *
 * Shapes are computed in columns fixed to absolute time, so that a column drawn today and moved on by a copy is the
 * same as one drawn anew.
 */

import { mix } from "./evolution-theme.js";

/** Width of a column in CSS px. */
export const COLUMN_PX = 2;
/** Binomial: rounds steps and ends without moving them. */
const KERNEL = [1, 4, 6, 4, 1].map((n) => n / 16);
export const KERNEL_REACH = 2;
/** What lives but has nothing firing, or nothing known, is a thread. */
const THREAD_PX = 1.5;
/** How far a merge or a split takes to cross over, at least and at most. */
const CROSSING_PX = [26, 72];

/**
 * How much of the severity's colour each contour has by state: [body, core, heart, edge], 0 … 1 against the background.
 * Forming is an outline, growing is brightest, what is over fades.
 */
const CONTOURS = {
  forming: [0.16, 0.16, 0.16, 0.9],
  growing: [0.42, 0.68, 0.95, 1],
  steady: [0.36, 0.56, 0.78, 0.8],
  resolving: [0.24, 0.34, 0.42, 0.5],
  resolved: [0.17, 0.22, 0.26, 0.3],
  merged: [0.2, 0.26, 0.3, 0.34],
};

/** Colours of the contours of a lane in *state*. */
export function contourColors(color, background, state) {
  const shares = CONTOURS[state] ?? CONTOURS.steady;
  const [body, core, heart, edge] = shares.map((share) => mix(color, background, 1 - share));
  return { body, core, heart, edge };
}

/**
 * Thickness per column, smoothed.
 *
 * @param {object} lane samples, bornAt, endedAt
 * @param {object} span {first, last} columns, `columnMs`, and `endMs` up to where the lane is drawn
 * @param {(firing: number) => number} thicknessOf px
 * @returns {Float32Array} one value per column from first to last
 */
export function profile(lane, { first, last, columnMs, endMs }, thicknessOf) {
  const from = first - KERNEL_REACH;
  const raw = rawProfile(lane, from, last + KERNEL_REACH, columnMs, endMs, thicknessOf);
  const smooth = new Float32Array(Math.max(0, last - first + 1));
  for (let i = 0; i < smooth.length; i += 1) {
    let sum = 0;
    for (let k = 0; k < KERNEL.length; k += 1) sum += KERNEL[k] * raw[i + k];
    smooth[i] = sum;
  }
  return smooth;
}

/** The largest thickness within each column; 0 outside of the lane's life. */
function rawProfile(lane, from, to, columnMs, endMs, thicknessOf) {
  const raw = new Float32Array(Math.max(0, to - from + 1));
  const { samples } = lane;
  const firstAlive = Math.floor(lane.bornAt / columnMs);
  const lastAlive = Math.floor(endMs / columnMs);
  let next = firstAfter(samples, from * columnMs);
  let held = next > 0 ? samples[next - 1][1] : 0;
  for (let i = 0; i < raw.length; i += 1) {
    const column = from + i;
    const end = (column + 1) * columnMs;
    let most = held;
    while (next < samples.length && samples[next][0] < end) {
      held = samples[next][1];
      if (held > most) most = held;
      next += 1;
    }
    if (column >= firstAlive && column <= lastAlive) raw[i] = thicknessOf(most) || THREAD_PX;
  }
  return raw;
}

function firstAfter(samples, ms) {
  let low = 0;
  let high = samples.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (samples[middle][0] < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Thickness of the inner contours where the lane is *t* thick. By column and without a step: a part drawn alone must
 * look as it does within the whole. A thin ribbon is all core, a thick one shows the body around it.
 */
export const CONTOUR = {
  body: (t) => t,
  core: (t) => (t < 6 ? t : Math.max(6, 0.56 * t)),
  heart: (t) => Math.max(0, t - 12) * 0.3,
};

/** Trace a ribbon around *y*: along its upper edge and back along the lower. Begins a path. */
export function traceRibbon(context, thicknesses, x, y, contour) {
  context.beginPath();
  const length = thicknesses.length;
  const visit = (i, side) => context.lineTo(x + i * COLUMN_PX, y + (side * contour(thicknesses[i])) / 2);
  for (let i = 0; i < length; i += 1) if (turns(thicknesses, i)) visit(i, -1);
  for (let i = length - 1; i >= 0; i -= 1) if (turns(thicknesses, i)) visit(i, 1);
  context.closePath();
}

/** Does the edge bend at *i*? Straight runs need no points between. */
const turns = (values, i) => i === 0 || i === values.length - 1 || values[i] !== values[i - 1] || values[i] !== values[i + 1];

/** Width of the crossing between rows *distance* px apart: the farther, the wider, so that it does not fall steeply. */
export const crossingWidth = (distance) => Math.min(CROSSING_PX[1], Math.max(CROSSING_PX[0], Math.abs(distance) * 0.4));

/** Trace the middle of the band a merge or a split crosses over in; stroked, it keeps its thickness where it is steep. */
export function traceCrossing(context, x0, y0, x1, y1) {
  const middle = (x0 + x1) / 2;
  context.beginPath();
  context.moveTo(x0, y0);
  context.bezierCurveTo(middle, y0, middle, y1, x1, y1);
}

/** The most firing at any time from *fromMs* to *toMs*. */
export function largestBetween(samples, fromMs, toMs) {
  let i = firstAfter(samples, fromMs);
  let most = i > 0 ? samples[i - 1][1] : 0;
  for (; i < samples.length && samples[i][0] <= toMs; i += 1) most = Math.max(most, samples[i][1]);
  return most;
}

/** Tiles repeat after this many CSS px. */
export const TILE_PX = 8;

/** A tile of hatch or dots in *color*, or null for plain. */
export function patternTile(createCanvas, kind, color, ratio) {
  if (kind === "plain") return null;
  const size = Math.max(1, Math.round(TILE_PX * ratio));
  const tile = createCanvas();
  tile.width = size;
  tile.height = size;
  const context = tile.getContext("2d");
  if (!context) return null;
  context.scale(size / TILE_PX, size / TILE_PX);
  if (kind === "hatch") hatch(context, color);
  else dots(context, color);
  return tile;
}

function hatch(context, color) {
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.beginPath();
  // One stroke too many on either side, so that the corners meet.
  for (const shift of [-TILE_PX, 0, TILE_PX]) {
    context.moveTo(shift - 1, TILE_PX + 1);
    context.lineTo(shift + TILE_PX + 1, -1);
  }
  context.stroke();
}

function dots(context, color) {
  context.fillStyle = color;
  for (const [x, y] of [[2, 2], [6, 6]]) {
    context.beginPath();
    context.arc(x, y, 1, 0, Math.PI * 2);
    context.fill();
  }
}
