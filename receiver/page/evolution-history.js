/**
 * The lower canvas: all that moves with time and does not change once it is past. Drawn whole when the picture
 * changed, else moved on by a copy with only the newest columns drawn.
 */

import { extent, overlaps } from "./evolution-bands.js";
import {
  COLUMN_PX, CONTOUR, TILE_PX, contourColors, patternTile, profile, traceCrossing, traceRibbon,
} from "./evolution-ribbon.js";
import { thickness, timeTicks } from "./evolution-scale.js";
import { isDark, mix } from "./evolution-theme.js";

const THINNEST_PX = 3;

export class HistoryPainter {
  #canvas; #context; #createCanvas; #patterns = new Map(); #colors = new Map(); #theme = null; #ratio = 0;

  constructor(canvas, createCanvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
    this.#createCanvas = createCanvas;
  }

  /** Move all of the plot left by *devicePx*. */
  shift(devicePx) {
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    // Whole pixels: there is nothing to smooth. What the copy leaves uncovered is drawn anew in any case.
    context.imageSmoothingEnabled = false;
    context.drawImage(this.#canvas, -devicePx, 0);
  }

  /** Draw *scene* between x0 and x1, and between y0 and y1 (CSS px). */
  draw(scene, x0, x1, y0 = 0, y1 = scene.height) {
    this.#use(scene);
    const context = this.#context;
    context.setTransform(scene.ratio, 0, 0, scene.ratio, 0, 0);
    context.save();
    context.beginPath();
    context.rect(x0, y0, x1 - x0, y1 - y0);
    context.clip();
    context.fillStyle = scene.theme.background;
    context.fillRect(x0, y0, x1 - x0, y1 - y0);
    this.#storms(scene);
    this.#grid(scene);
    context.beginPath();
    context.rect(x0, 0, Math.min(x1, scene.nowX) - x0, scene.height);
    context.clip();
    const whole = y0 <= 0 && y1 >= scene.height;
    const touched = whole ? scene.shown : scene.shown.filter((view) => overlaps(extent(view), y0, y1));
    for (const view of touched) this.#crossing(scene, view, x0, x1);
    for (const view of touched) this.#lane(scene, view, x0, x1);
    if (scene.strip && scene.strip.top < y1) this.#strip(scene, x0);
    context.restore();
  }

  #use(scene) {
    if (scene.theme === this.#theme && scene.ratio === this.#ratio) return;
    this.#theme = scene.theme;
    this.#ratio = scene.ratio;
    this.#patterns.clear();
    this.#colors.clear();
  }

  #storms({ storms, theme, plot, axisTop }) {
    const context = this.#context;
    for (const { x0, x1, ongoing } of storms) {
      const fade = context.createLinearGradient(0, plot.top, 0, plot.bottom);
      fade.addColorStop(0, theme.storm);
      fade.addColorStop(1, mix(theme.storm, theme.background, 0.55));
      context.globalAlpha = isDark(theme.background) ? 0.17 : 0.11;
      context.fillStyle = fade;
      context.fillRect(x0, 0, x1 - x0, axisTop);
      context.globalAlpha = 0.9;
      context.fillStyle = theme.storm;
      context.fillRect(x0, 0, x1 - x0, 2);
      context.globalAlpha = 0.55;
      context.fillRect(x0, 0, 1, axisTop);
      if (!ongoing) context.fillRect(x1 - 1, 0, 1, axisTop);
      context.globalAlpha = 1;
    }
  }

  #grid({ scale, theme, axisTop }) {
    const context = this.#context;
    context.fillStyle = theme.grid;
    const { ticks } = timeTicks(scale.fromMs, scale.toMs, scale.right - scale.left);
    for (const ms of ticks) context.fillRect(scale.crisp(ms), 0, 1, axisTop);
  }

  #lane(scene, view, x0, x1) {
    const { scale, nowMs } = scene;
    const { lane } = view;
    const endMs = view.endMs ?? nowMs;
    const columnMs = COLUMN_PX * scale.msPerPx;
    const first = Math.max(Math.floor(lane.bornAt / columnMs), Math.floor(scale.time(Math.max(x0, scale.left)) / columnMs) - 3);
    // Beyond now the ribbon runs on, to be cut straight by the clip.
    const runsOn = view.endMs === null ? 3 : 0;
    const last = Math.min(Math.floor(endMs / columnMs) + 3, Math.ceil(scale.time(x1) / columnMs) + 3);
    if (last < first) return;
    const drawnEnd = endMs + runsOn * columnMs + (runsOn ? columnMs * 2 : 0);
    const thicknesses = profile(lane, { first, last, columnMs, endMs: drawnEnd },
      (firing) => thickness(firing, scene.full, scene.thickest, THINNEST_PX));
    const x = scale.x((first + 0.5) * columnMs);
    if (view.spans.length === 1) this.#ribbon(scene, { ...view, style: view.spans[0].style }, thicknesses, x);
    else for (const span of view.spans) this.#span(scene, view, span, () => this.#ribbon(scene, { ...view, style: span.style }, thicknesses, x));
    this.#birth(scene, { ...view, style: view.spans[0].style });
  }

  /** Draw only what lies within *span*. */
  #span({ scale, height, width }, view, { fromMs, toMs }, draw) {
    const from = fromMs === -Infinity ? 0 : scale.crisp(fromMs);
    const to = toMs === Infinity ? width : scale.crisp(toMs);
    if (to <= 0 || from >= width) return;
    const context = this.#context;
    context.save();
    context.beginPath();
    context.rect(from, 0, to - from, height);
    context.clip();
    draw();
    context.restore();
  }

  #ribbon(scene, view, thicknesses, x) {
    const context = this.#context;
    const colors = this.#contours(scene, view);
    traceRibbon(context, thicknesses, x, view.y, CONTOUR.body);
    if (view.state === "growing" && view.style.pattern === "hatch") this.#glow(colors.edge);
    context.fillStyle = colors.body;
    context.fill();
    this.#fillPattern(scene, view);
    context.strokeStyle = colors.edge;
    context.lineWidth = view.style.pattern === "hatch" ? 1.4 : 1;
    context.stroke();
    if (view.state === "forming") return;
    for (const contour of ["core", "heart"]) {
      traceRibbon(context, thicknesses, x, view.y, CONTOUR[contour]);
      context.fillStyle = colors[contour];
      context.fill();
    }
  }

  /** What is worst and getting worse shines; cheaper than a shadow. */
  #glow(color) {
    const context = this.#context;
    context.globalAlpha = 0.13;
    context.strokeStyle = color;
    context.lineWidth = 7;
    context.stroke();
    context.globalAlpha = 1;
  }

  #fillPattern(scene, view) {
    const pattern = this.#pattern(scene, view.style);
    if (!pattern) return;
    const { scale, ratio } = scene;
    // Fixed to time, not to the canvas: what is moved on by a copy must match what is drawn beside it.
    const shift = scale.right - ((scale.rightPx / ratio) % TILE_PX);
    pattern.setTransform?.({ a: 1 / ratio, b: 0, c: 0, d: 1 / ratio, e: shift, f: 0 });
    this.#context.globalAlpha = view.faded ? 0.35 : 0.8;
    this.#context.fillStyle = pattern;
    this.#context.fill();
    this.#context.globalAlpha = 1;
  }

  #birth(scene, view) {
    if (view.lane.bornAt < scene.scale.fromMs) return;
    const context = this.#context;
    context.beginPath();
    context.arc(scene.scale.x(view.lane.bornAt), view.y, Math.min(4, Math.max(2.5, view.height * 0.13)), 0, Math.PI * 2);
    context.fillStyle = this.#contours(scene, view).edge;
    context.strokeStyle = scene.theme.background;
    context.lineWidth = 1.5;
    context.fill();
    context.stroke();
  }

  /** The band by which a lane left its parent, and the one by which it joined its survivor. */
  #crossing(scene, view, x0, x1) {
    const context = this.#context;
    for (const { fromX, fromY, toX, toY, firing } of view.crossings) {
      if (toX < x0 || fromX > x1) continue;
      const { body, edge } = this.#contours(scene, { ...view, style: view.spans.at(-1).style });
      const size = Math.min(14, Math.max(4, thickness(firing, scene.full, scene.thickest, THINNEST_PX)));
      traceCrossing(context, fromX, fromY, toX, toY);
      for (const [color, width] of [[edge, size], [body, size - 2]]) {
        context.strokeStyle = color;
        context.lineWidth = width;
        context.stroke();
      }
    }
  }

  #strip({ strip, theme, scale }, x0) {
    const context = this.#context;
    const { base, bottom, top, bucketMs, firstBucket, fired, resolved, most } = strip;
    const up = base - top - 3;
    const down = bottom - base - 2;
    const width = Math.max(1, bucketMs / scale.msPerPx - 1);
    const start = Math.max(0, Math.floor(scale.time(x0) / bucketMs) - firstBucket);
    context.fillStyle = theme.grid;
    context.fillRect(scale.left, base, scale.right - scale.left, 1);
    context.fillStyle = mix(theme.text, theme.background, 0.28);
    for (let i = start; i < fired.length; i += 1) {
      if (!fired[i]) continue;
      const height = Math.max(1.5, (fired[i] / most) * up);
      context.fillRect(scale.x((firstBucket + i) * bucketMs), base - height, width, height);
    }
    context.fillStyle = mix(theme.ok, theme.background, 0.15);
    for (let i = start; i < resolved.length; i += 1) {
      if (!resolved[i]) continue;
      context.fillRect(scale.x((firstBucket + i) * bucketMs), base + 1, width, Math.max(2, Math.min(1, resolved[i] / most) * down));
    }
  }

  #contours({ theme }, { style, state }) {
    const key = `${style.color} ${state}`;
    let colors = this.#colors.get(key);
    if (!colors) this.#colors.set(key, (colors = contourColors(style.color, theme.background, state)));
    return colors;
  }

  #pattern({ theme, ratio }, { pattern, color }) {
    const key = `${pattern} ${color}`;
    if (!this.#patterns.has(key)) {
      const tile = patternTile(this.#createCanvas, pattern, mix(color, theme.background, 0.3), ratio);
      this.#patterns.set(key, tile && this.#context.createPattern(tile, "repeat"));
    }
    return this.#patterns.get(key);
  }
}
