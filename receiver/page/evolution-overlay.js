/**
 * The upper canvas: words, signs, the now line, and what the hand points at. Cleared and drawn whole each time.
 */

import { calmSign, mark, marksOf, severitySign, trendSign } from "./evolution-glyphs.js";
import { largestBetween } from "./evolution-ribbon.js";
import { thickness, timeTicks } from "./evolution-scale.js";
import { spreadSteps } from "./evolution-spread.js";
import { counted, countText } from "./evolution-text.js";
import { isDark, mix, vanished } from "./evolution-theme.js";

const MARK_PX = 9;
const MARK_STEP = 15;
/** A title on its lane wants this much room; with less than the least there is none. */
const ROOM_PX = 150;
const LEAST_ROOM_PX = 90;
/** So much of a title tells enough to rather cut it there than lay the whole of it over its ribbon. */
const ENOUGH_PX = 260;
/** No title takes more: the pictures are what the width is for. */
const LONGEST_PX = 480;
/** The dot of a birth, its ring and air. */
const DOT_PX = 14;
const NARROW_ROW = 20;
/** A row of this height has room for a second line on the lane. */
const SPREAD_ROW = 40;
const SPREAD_LINE = 16;
/** Half of a line of words. */
const SPREAD_HALF = 9;
/** How far back the leading edge of a growing lane shines. */
const SHINE_PX = 70;

export class OverlayPainter {
  #context; #measure;

  /** @param {TextMeasure} measure on a context of its own: measuring changes the font */
  constructor(canvas, measure) {
    this.#context = canvas.getContext("2d");
    this.#measure = measure;
  }

  draw(scene) {
    const context = this.#context;
    context.setTransform(scene.ratio, 0, 0, scene.ratio, 0, 0);
    context.clearRect(0, 0, scene.width, scene.height);
    context.textBaseline = "middle";
    context.direction = "ltr";
    this.#axis(scene);
    this.#stripLabels(scene);
    this.#highlights(scene);
    for (const view of scene.shown) if (view.head) this.#shine(scene, view);
    if (scene.live) this.#nowLine(scene);
    const titled = this.#labels(scene);
    for (const view of scene.shown) if (!view.faded && view.height >= SPREAD_ROW) this.#spread(scene, view, titled.has(view.id));
    for (const view of scene.shown) if (view.head) this.#head(scene, view);
    this.#stormLabels(scene);
    if (scene.more) this.#more(scene);
    if (scene.message) this.#message(scene);
    this.#pointer(scene);
  }

  /** No heavier than the host's font is: what a browser makes up of a lighter one blurs small letters. */
  #font({ theme }, size, weight = 500) { return `${Math.min(weight, theme.heaviest ?? weight)} ${size}px ${theme.font}`; }

  #text(text, x, y, font, color, align = "left") {
    const context = this.#context;
    context.font = font;
    context.textAlign = align;
    context.fillStyle = color;
    context.fillText(text, x, y);
  }

  /** Text that stays readable on a ribbon: the background shows around each letter. */
  #haloed(scene, text, x, y, font, color, align = "left") {
    const context = this.#context;
    context.font = font;
    context.textAlign = align;
    context.lineJoin = "round";
    context.lineWidth = 3.5;
    context.strokeStyle = mix(scene.theme.background, isDark(scene.theme.background) ? "#000000" : "#ffffff", 0.3);
    context.globalAlpha = 0.86;
    context.strokeText(text, x, y);
    context.globalAlpha = 1;
    context.fillStyle = color;
    context.fillText(text, x, y);
  }

  #axis(scene) {
    const { scale, theme, axisTop, height } = scene;
    const font = this.#font(scene, 11);
    const y = (axisTop + height) / 2 + 1;
    const { step, ticks } = timeTicks(scale.fromMs, scale.toMs, scale.right - scale.left);
    const limit = scene.live ? scene.nowX - 30 : scene.width;
    for (const ms of ticks) {
      const text = scene.formatTime(ms, step);
      const half = this.#measure.width(text, font) / 2;
      const x = scale.x(ms);
      if (x - half >= 0 && x + half <= limit) this.#text(text, x, y, font, theme.muted, "center");
    }
    if (scene.live) this.#text("now", scene.nowX, y, this.#font(scene, 11, 600), theme.text, "center");
  }

  #stripLabels(scene) {
    const { strip, theme, scale } = scene;
    if (!strip) return;
    const font = this.#font(scene, 10.5);
    this.#haloed(scene, strip.caption, scale.left + 8, strip.top + 7, font, theme.muted);
  }

  #highlights(scene) {
    const { theme, hovered, selected, focused } = scene;
    for (const view of scene.shown) {
      const isSelected = view.id === selected;
      if (isSelected || view.id === hovered) this.#band(scene, view, theme.text, isSelected ? 0.13 : 0.07);
      if (isSelected) this.#frame(scene, view, [], theme.text, 0.75);
      else if (view.id === focused) this.#frame(scene, view, [4, 3], theme.text, 0.8);
    }
  }

  #band(scene, view, color, alpha) {
    const context = this.#context;
    context.globalAlpha = alpha;
    context.fillStyle = color;
    context.fillRect(0, view.y - view.height / 2, scene.width, view.height);
    context.globalAlpha = 1;
  }

  #frame(scene, view, dash, color, alpha) {
    const context = this.#context;
    context.globalAlpha = alpha;
    context.strokeStyle = color;
    context.lineWidth = 1.5;
    context.setLineDash(dash);
    context.strokeRect(0.75, view.y - view.height / 2 + 0.75, scene.width - 1.5, view.height - 1.5);
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  /** The leading edge of what grows. It moves with now, so it cannot be part of the history. */
  #shine(scene, view) {
    if (view.state !== "growing" && view.state !== "forming") return;
    const context = this.#context;
    const size = thickness(view.firing, scene.full, scene.thickest, 3);
    const x0 = Math.max(scene.nowX - SHINE_PX, view.bornX);
    const bright = isDark(scene.theme.background) ? mix(view.style.color, "#ffffff", 0.4) : view.style.color;
    const light = context.createLinearGradient(scene.nowX - SHINE_PX, 0, scene.nowX, 0);
    light.addColorStop(0, vanished(bright));
    light.addColorStop(1, bright);
    context.globalAlpha = view.state === "growing" ? 0.55 : 0.3;
    context.fillStyle = light;
    context.fillRect(x0, view.y - size * 0.28, scene.nowX - x0, Math.max(2, size * 0.56));
    context.globalAlpha = 1;
  }

  #nowLine({ nowX, theme, axisTop }) {
    const context = this.#context;
    context.fillStyle = theme.text;
    context.globalAlpha = 0.5;
    context.fillRect(nowX, 0, 1, axisTop + 3);
    context.globalAlpha = 1;
  }

  /** Head of a live lane: a cap on the now line, and to its right severity, count and trend. */
  #head(scene, view) {
    const context = this.#context;
    const { nowX, theme, compact } = scene;
    const { style, y } = view;
    const size = Math.max(5, thickness(view.firing, scene.full, scene.thickest, 3));
    const strong = view.state === "growing" || view.state === "steady";
    context.fillStyle = strong ? style.color : mix(style.color, theme.background, 0.4);
    context.fillRect(nowX - 1, y - size / 2, 3, size);
    const x = nowX + (compact ? 8 : 12);
    const small = view.height < NARROW_ROW;
    severitySign(context, style.look, x + 1, y, small ? 7.5 : 9, style.color);
    const font = this.#font(scene, small ? 11 : 13, 700);
    const count = shortCount(view.firing, compact ? 1000 : 10_000);
    this.#text(count, x + 10, y + 0.5, font, view.firing ? theme.text : theme.muted);
    if (compact) return;
    trendSign(context, view.state, x + 18 + this.#measure.width(count, font), y, 7, view.state === "growing" ? style.color : theme.muted);
  }

  /**
   * Titles row by row from the newest lane back: what lives has the first choice of place.
   * @returns {Set<number>} lanes whose title lies on their ribbon
   */
  #labels(scene) {
    const rows = new Map();
    const titled = new Set();
    for (const view of scene.shown) rows.set(view.row, [...(rows.get(view.row) ?? []), view]);
    for (const views of rows.values()) {
      views.sort((a, b) => b.lane.bornAt - a.lane.bornAt);
      let untilX = Infinity;
      views.forEach((view, i) => {
        const earlier = views[i + 1];
        const takenX = earlier && earlier.endMs !== null ? scene.scale.x(earlier.endMs) : -Infinity;
        const startX = this.#label(scene, view, takenX, untilX);
        untilX = Math.min(untilX, startX);
        if (startX !== Infinity && startX >= view.bornX) titled.add(view.id);
      });
    }
    return titled;
  }

  /** The order of label values inside a lane: a stroke where each wave began, and its values. */
  #spread(scene, view, isTitled) {
    const context = this.#context;
    const { scale, theme } = scene;
    const font = this.#font(scene, 11);
    const { strokes, words } = spreadSteps(view.cluster.spread, {
      xOf: (ms) => Math.max(scale.x(ms), view.bornX), from: Math.max(view.bornX, scale.left + 8), to: Math.min(view.untilX, scene.nowX) - 8,
      width: (text) => this.#measure.width(text, font),
    });
    const half = (from, to) => thickness(largestBetween(view.lane.samples, scale.time(from), scale.time(to)), scene.full, scene.thickest, 3) / 2;
    context.fillStyle = theme.text;
    context.globalAlpha = 0.5;
    for (const x of strokes) context.fillRect(Math.round(x), view.y - half(x, x + 2), 1, half(x, x + 2) * 2);
    context.globalAlpha = 1;
    // Letters that stick out of a thin lane on both sides cannot be read: there they stand below it.
    const most = words.length ? half(words[0].x, words.at(-1).x + this.#measure.width(words.at(-1).text, font)) : 0;
    const below = most < SPREAD_HALF ? most + SPREAD_HALF : 0;
    const y = view.y + (isTitled ? SPREAD_LINE : below);
    for (const { x, text } of words) this.#haloed(scene, text, x, y + 0.5, font, mix(theme.text, theme.background, 0.12));
  }

  /** @returns {number} where the title begins */
  #label(scene, view, takenX, untilX) {
    if (view.height < 12) return Infinity;
    const { theme } = scene;
    const size = view.height >= 30 ? 13 : view.height >= NARROW_ROW ? 12 : 11;
    const font = this.#font(scene, size, view.faded ? 400 : 600);
    const marks = marksOf(view.cluster);
    const marksWidth = marks.length * MARK_STEP;
    const wanted = Math.min(LONGEST_PX, this.#measure.width(view.title, font) + marksWidth);
    const span = { bornX: view.bornX, untilX: Math.min(view.untilX, untilX) };
    const place = labelPlace(span, wanted, scene.scale.left, takenX)
      // What lives is named, if need be across an earlier lane's faded end.
      ?? (view.head ? labelPlace(span, wanted, scene.scale.left, -Infinity) : null);
    // Where rows are narrow, mere beginnings of names of what is over are in the way of names of what lives.
    const inTheWay = view.faded && view.height < NARROW_ROW && place?.room < Math.min(wanted, ROOM_PX);
    if (!place || inTheWay) return Infinity;
    const text = this.#measure.fit(view.title, font, Math.min(place.room, LONGEST_PX) - marksWidth);
    const width = this.#measure.width(text, font) + marksWidth;
    let x = place.align === "right" ? place.x - width : place.x;
    const start = x;
    const y = place.align === "right" ? view.y : this.#beside(scene, view, x, x + width);
    if (place.align === "left" && y === view.y) this.#plate(scene, x - 4, y, width + 8, size + 4);
    const color = view.faded ? mix(theme.text, theme.background, 0.35) : theme.text;
    for (const name of marks) {
      mark(this.#context, name, x + MARK_PX / 2, y, MARK_PX, color, theme.background);
      x += MARK_STEP;
    }
    if (text) this.#haloed(scene, text, x, y + 0.5, font, color);
    return start;
  }

  /** A ground for words on a ribbon: its pattern would run through the letters. */
  #plate(scene, x, y, width, height) {
    const context = this.#context;
    context.globalAlpha = 0.55;
    context.fillStyle = scene.theme.background;
    context.fillRect(x, y - height / 2, width, height);
    context.globalAlpha = 1;
  }

  /** Inside a thick ribbon; above a thin one, which would strike the title through. */
  #beside(scene, view, x0, x1) {
    const firing = largestBetween(view.lane.samples, scene.scale.time(x0), scene.scale.time(x1));
    const size = thickness(firing, scene.full, scene.thickest, 3);
    const above = view.y - size / 2 - 9;
    return above >= view.y - view.height / 2 + 5 ? above : view.y;
  }

  /** Inside the band, else before it: a storm that just began is what one has to see. */
  #stormLabels(scene) {
    const font = this.#font(scene, 11.5, 700);
    const { theme, scale } = scene;
    const color = mix(theme.storm, theme.text, isDark(theme.background) ? 0.45 : 0.1);
    let free = scale.left;
    for (const { x0, x1, labels } of scene.storms) {
      const start = Math.max(x0, free) + 8;
      const fitting = (room) => labels.find((text) => this.#measure.width(text, font) <= room);
      const inside = fitting(x1 - start - 4);
      const before = fitting(x0 - free - 16);
      if (inside && (inside === labels[0] || before !== labels[0])) this.#haloed(scene, inside, start, 12, font, color);
      else if (before) this.#haloed(scene, before, x0 - 8, 12, font, color, "right");
      free = x1;
    }
  }

  #more(scene) {
    const context = this.#context;
    const { more, theme, scale, compact } = scene;
    const font = this.#font(scene, 12, 600);
    context.fillStyle = mix(theme.grid, theme.muted, 0.14);
    context.fillRect(scale.left, more.top + 2, scene.width - scale.left, more.height - 4);
    const y = more.top + more.height / 2 + 0.5;
    const text = `and ${counted(more.clusters, "more cluster")}, ${countText(more.firing)} firing`;
    this.#text(this.#measure.fit(text, font, scene.width - 16), scale.left + 10, y, font, theme.text);
    if (compact) return;
    let x = scale.left + 28 + this.#measure.width(text, font);
    for (const { style, name, count } of more.severities) {
      const part = `${countText(count)} ${name}`;
      const width = this.#measure.width(part, font);
      if (x + width + 20 > scene.width) break;
      severitySign(context, style.look, x, y, 8, style.color);
      this.#text(part, x + 9, y, this.#font(scene, 12), theme.muted);
      x += width + 26;
    }
  }

  #message({ message, theme, plot, scale, width, ...scene }) {
    const x = (scale.left + (scene.live ? scene.nowX : width)) / 2;
    const y = (plot.top + plot.bottom) / 2;
    if (scene.live) calmSign(this.#context, x, y - 46, 30, mix(theme.ok, theme.background, 0.1));
    this.#text(message.text, x, message.detail ? y - 10 : y, this.#font({ theme }, 17, 500), mix(theme.text, theme.background, 0.15), "center");
    if (message.detail) this.#text(message.detail, x, y + 14, this.#font({ theme }, 12.5, 400), theme.muted, "center");
  }

  /** A hairline and the time under the pointer. */
  #pointer(scene) {
    const { pointer, theme, scale, axisTop, height } = scene;
    if (!pointer || pointer.x > scale.right || pointer.x < scale.left) return;
    const context = this.#context;
    context.globalAlpha = 0.35;
    context.fillStyle = theme.text;
    context.fillRect(Math.round(pointer.x), 0, 1, axisTop);
    context.globalAlpha = 1;
    const font = this.#font(scene, 11, 600);
    const text = scene.formatTime(scale.time(pointer.x), scale.msPerPx < 30_000 ? 1000 : 60_000);
    const half = this.#measure.width(text, font) / 2 + 6;
    const x = Math.min(Math.max(pointer.x, half), scene.width - half);
    context.fillStyle = theme.text;
    context.fillRect(x - half, axisTop + 2, half * 2, height - axisTop - 3);
    this.#text(text, x, (axisTop + height) / 2 + 1, font, theme.background, "center");
  }
}

/** 1346 → "1.3k" from *limit* on, for where four digits do not fit. */
export function shortCount(count, limit) {
  if (count < limit) return String(count);
  return count < 10_000 ? `${(count / 1000).toFixed(1)}k` : `${Math.round(count / 1000)}k`;
}

/**
 * Where the title of a lane goes: left of its birth while there is room for enough of it, so that all of the ribbon is seen; else on the
 * lane, from its birth or the window's edge on. Null where neither has room worth reading.
 *
 * @param {object} view bornX, untilX in CSS px
 * @param {number} wanted width
 * @param {number} left edge of the plot
 * @param {number} takenX up to where the row is taken by an earlier lane
 * @returns {{x: number, room: number, align: "left"|"right"}|null}
 */
export function labelPlace(view, wanted, left, takenX) {
  const startX = Math.max(view.bornX + 9, left + 8, takenX + 10);
  const on = { x: startX, room: view.untilX - startX - 8, align: "left" };
  const hemmedIn = view.untilX < view.bornX;
  const beforeRoom = hemmedIn ? 0 : view.bornX - DOT_PX - Math.max(left + 8, takenX + 10);
  const before = { x: view.bornX - DOT_PX, room: beforeRoom, align: "right" };
  if (before.room >= Math.min(wanted, ENOUGH_PX)) return before;
  if (on.room >= Math.min(wanted, ROOM_PX)) return on;
  const larger = before.room > on.room ? before : on;
  return larger.room >= Math.min(wanted, LEAST_ROOM_PX) ? larger : null;
}
