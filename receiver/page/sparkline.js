// Very small charts in SVG: a shape to glance at, with the numbers in words beside it.

import { svg } from "./dom.js";

/**
 * Draw fired upwards and resolved downwards, a bar for each bucket, into *host*.
 * @param {SVGElement} host with a viewBox of 0 0 *width* *height*
 */
export function drawFlow(host, fired, resolved, { width, height }) {
  const buckets = fired.length;
  const step = width / buckets;
  const thick = Math.max(1, step - 1.5);
  const most = Math.max(4, ...fired, ...resolved);
  const middle = height / 2;
  const scale = (middle - 1) / most;
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
 * Return the path of a step function over a range, filled down to the ground.
 * @param {[number, number][]} samples [ms, value] ascending, each holding until the next
 */
export function stepPath(samples, fromMs, toMs, { width, height }) {
  let most = 1;
  for (const [, value] of samples) most = Math.max(most, value);
  const x = (at) => (((Math.min(Math.max(at, fromMs), toMs) - fromMs) / (toMs - fromMs)) * width).toFixed(1);
  const y = (value) => (height - 1 - (value / most) * (height - 2)).toFixed(1);
  let path = "";
  let last = 0;
  for (const [at, value] of samples) {
    if (at > toMs) break;
    path += path ? `H${x(at)}V${y(value)}` : `M${x(at)},${height}V${y(value)}`;
    last = value;
  }
  if (!path) return "";
  return last > 0 ? `${path}H${width}V${height}Z` : `${path}V${height}Z`;
}
