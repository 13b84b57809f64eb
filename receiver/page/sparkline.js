// Very small charts in SVG: a shape to glance at, with the numbers in words beside it.

import { svg } from "./dom.js";
import { duration } from "./format.js";

const MOST_BARS = 30;
const BARS = [5, 10, 20, 30, 60, 120, 600, 900, 3600];

/** Return the seconds a bar stands for, where all bars together show *seconds*. */
export function barSeconds(seconds) {
  return BARS.find((bar) => seconds / bar <= MOST_BARS) ?? seconds / MOST_BARS;
}

/** Return "last 5 min". */
export function spanWords(seconds) {
  if (seconds === 3600) return "last hour";
  return `last ${seconds === 86_400 ? "24 h" : duration(seconds)}`;
}

/** Each direction has at least this share of the height, so that the ground line is one. */
const LEAST_SHARE = 0.15;

/**
 * Draw fired upwards and resolved downwards, to one scale, a bar for each bucket, into *host*.
 * @param {SVGElement} host with a viewBox of 0 0 *width* *height*
 */
export function drawFlow(host, fired, resolved, { width, height }) {
  const buckets = fired.length;
  const step = width / buckets;
  const thick = Math.max(1, step - 1.5);
  const up = Math.max(2, ...fired);
  const down = Math.max(2, ...resolved);
  const share = Math.min(1 - LEAST_SHARE, Math.max(LEAST_SHARE, up / (up + down)));
  const middle = height * share;
  const scale = Math.min((middle - 1) / up, (height - middle - 1) / down);
  const bars = [svg("line", { x1: 0, x2: width, y1: middle, y2: middle, class: "flow-axis" })];
  for (let i = 0; i < buckets; i += 1) {
    const x = i * step;
    if (fired[i]) {
      const tall = Math.max(1, fired[i] * scale);
      bars.push(svg("rect", { x, y: middle - tall, width: thick, height: tall, class: "flow-fired" }));
    }
    if (resolved[i]) {
      const tall = Math.max(1, resolved[i] * scale);
      bars.push(svg("rect", { x, y: middle, width: thick, height: tall, class: "flow-resolved" }));
    }
  }
  host.replaceChildren(...bars);
}

/**
 * Return the path of a step function over a range, filled down to the ground; one step at most each unit of width.
 * @param {[number, number][]} samples [ms, value] ascending, each holding until the next
 */
export function stepPath(samples, fromMs, toMs, { width, height }) {
  const values = columns(samples, fromMs, toMs, width);
  const first = values.findIndex((value) => value !== null);
  if (first < 0) return "";
  const most = Math.max(1, ...values);
  const y = (value) => (height - 1 - (value / most) * (height - 2)).toFixed(1);
  let path = `M${first},${height}`;
  for (let x = first; x < width; x += 1) {
    if (x === first || values[x] !== values[x - 1]) path += `H${x}V${y(values[x])}`;
  }
  return `${path}H${width}V${height}Z`;
}

/** The largest value in each of *width* columns, null before the first sample. */
function columns(samples, fromMs, toMs, width) {
  const values = new Array(width).fill(null);
  const columnMs = (toMs - fromMs) / width;
  let next = samples.findIndex(([at]) => at > fromMs);
  if (next < 0) next = samples.length;
  let held = next > 0 ? samples[next - 1][1] : null;
  for (let x = 0; x < width; x += 1) {
    values[x] = held;
    const end = fromMs + (x + 1) * columnMs;
    for (; next < samples.length && samples[next][0] < end; next += 1) {
      held = samples[next][1];
      values[x] = Math.max(values[x] ?? 0, held);
    }
  }
  return values;
}
