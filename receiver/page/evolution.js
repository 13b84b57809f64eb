/**
 * Draws how alert clusters are born, grow, merge, split and end: a lane each, over time, on two canvases.
 *
 * The lower one (history) moves on by a copy of itself, the upper one (words, pointer) is drawn anew. Reads the model,
 * never changes it; imports nothing of the page, so that a Grafana panel can take it as it is. Nothing is drawn
 * while nothing changed, the page is hidden or the view is scrolled away.
 */

import { changedBands } from "./evolution-bands.js";
import { HistoryPainter } from "./evolution-history.js";
import { RowLayout, rowSlots } from "./evolution-layout.js";
import { OverlayPainter } from "./evolution-overlay.js";
import { buildScene, describe, largestByRow, metrics } from "./evolution-scene.js";
import { TimeScale, fullAt, timeText } from "./evolution-scale.js";
import { TextMeasure } from "./evolution-text.js";
import { darkTheme, lightTheme } from "./evolution-theme.js";

export { darkTheme, lightTheme };

/** Frames come at most this often, so looking more often finds nothing. */
const LOOK_MS = 100;
/** A calm view is looked at this often. */
const CALM_LOOK_MS = 250;
/** Rows are reconsidered less often when many lanes compete for them: counts change faster than one can read. */
const RELAYOUT_MS = 500;
const MANY_LANES = 150;
const SUMMARY_MS = 5000;
/** A movement is through after about five of these. */
const EASE_MS = 70;
/** Events reach the stream up to this long after their own time. */
const LATE_MS = 2500;
/** Finer than any eye on a moving picture, and every step up costs by its square. */
const MOST_RATIO = 3;
/** Drawing may take this share of the time at most, on however slow a machine. */
const DRAW_SHARE = 0.3;
/** Where more than this share of the rows changed, all is drawn at once. */
const MOST_CHANGED = 0.6;

export class EvolutionView {
  #host; #options; #theme; #model = null; #range = { lastSeconds: 1800 };
  #history; #overlay; #canvases; #measure; #layout = new RowLayout();
  #size = { width: 0, height: 0, ratio: 1 };
  #selected = null; #focused = null; #hovered = null; #pointer = null;
  #frame = null; #timer = null; #undo = []; #onScreen = true; #destroyed = false;
  #stale = true; #overlayStale = true; #drawn = null; #scene = null;
  #lanes = []; #hidden = []; #layoutAt = -Infinity; #layoutVersion = -1; #full = fullAt(0); #fullTarget = fullAt(0);
  #thickest = 0; #thickestTarget = 0; #tops = []; #places = new Map(); #lastFrameAt = 0; #moving = false; #costMs = 0; #drawnAt = -Infinity; #summaryAt = -Infinity;

  /**
   * @param {HTMLElement} host filled by two canvases; its size is followed
   * @param {object} [options]
   * @param {object} [options.theme] see evolution-theme.js
   * @param {boolean} [options.reducedMotion] rows jump instead of gliding
   * @param {(id: number|null) => void} [options.onSelect] a click on a lane, or beside all lanes (null)
   * @param {(id: number|null, at: {x: number, y: number, timeMs: number}) => void} [options.onHover] x and y in CSS px of the host
   * @param {(ms: number, stepMs: number) => string} [options.formatTime] for a host with a time zone of its own
   * @param {object} [options.look] `styleOf(cluster)` → {look, color, pattern} and `titleOf(cluster)`, in place of severity and title
   * @param {number} [options.mostRows] at most so many rows, however much room there is
   */
  constructor(host, options = {}) {
    this.#host = host;
    this.#options = { reducedMotion: false, mostRows: Infinity, look: {}, onSelect() {}, onHover() {}, formatTime: timeText, ...options };
    this.#theme = options.theme ?? darkTheme;
    const document = host.ownerDocument;
    const create = () => document.createElement("canvas");
    this.#canvases = [create(), create()];
    this.#measure = new TextMeasure(create().getContext("2d"));
    this.#history = new HistoryPainter(this.#canvases[0], create);
    this.#overlay = new OverlayPainter(this.#canvases[1], this.#measure);
    this.#mount();
    this.#listen();
    this.#resize();
  }

  /** @param {object} model an EvolutionModel, or null */
  setModel(model) {
    if (model === this.#model) return;
    this.#model = model;
    this.#layout.clear();
    this.#forgetDrawing();
  }

  setTheme(theme) {
    this.#theme = theme;
    this.#measure.clear();
    this.#forgetDrawing();
  }

  /** Change some of the options, all but `theme`. */
  setOptions(options) {
    Object.assign(this.#options, options);
    this.#forgetDrawing();
  }

  /** @param {{fromMs: number, toMs: number}|{lastSeconds: number}} range the latter moves on with time */
  setRange(range) {
    const goesOn = range.lastSeconds !== undefined && this.#range.lastSeconds !== undefined;
    this.#range = range;
    // Who only looks farther back, or less far, finds each lane in its row.
    if (!goesOn) this.#layout.clear();
    this.#forgetDrawing();
  }

  /** Highlight a lane and keep it on screen; null for none. Does not call onSelect. */
  select(id) {
    if (this.#selected === id) return;
    this.#selected = id;
    this.#layoutVersion = -1;
    this.#touch();
  }

  get selected() { return this.#selected; }
  get focused() { return this.#focused; }

  /**
   * Move the keyboard's focus by *step* lanes, in the order of rows, and report it through onHover.
   * @returns {number|null} the focused lane's id
   */
  moveFocus(step) {
    const rows = (this.#scene?.shown ?? []).filter((view) => view.current).sort((a, b) => a.row - b.row);
    if (!rows.length) return null;
    const from = rows.findIndex((view) => view.id === (this.#focused ?? this.#selected));
    const next = from < 0 ? (step > 0 ? 0 : rows.length - 1) : (from + step + rows.length) % rows.length;
    const view = rows[next];
    this.#focused = view.id;
    this.#touch();
    const x = Math.min(view.untilX, this.#scene.nowX) - 24;
    this.#options.onHover(view.id, { x, y: view.y, timeMs: this.#scene.scale.time(x) });
    return view.id;
  }

  /** Take the focus ring away. */
  blur() {
    this.#focused = null;
    this.#touch();
  }

  /** The model may have changed: look at it with the next frame. Cheap, also when it did not. */
  invalidate() { this.#request(); }

  /** What the view shows, in a sentence: the canvas's label. */
  get summary() { return this.#canvases[1].getAttribute("aria-label"); }

  /** Remove all it made. Nothing is called or drawn afterwards. */
  destroy() {
    this.#destroyed = true;
    this.#sleep();
    for (const undo of this.#undo) undo();
    for (const canvas of this.#canvases) canvas.remove();
  }

  // --- element, events

  #mount() {
    const [history, overlay] = this.#canvases;
    for (const canvas of this.#canvases) {
      Object.assign(canvas.style, { position: "absolute", inset: "0", width: "100%", height: "100%", display: "block" });
    }
    // Labelled is the one on top: it is what a pointer or a reader meets.
    history.setAttribute("aria-hidden", "true");
    overlay.setAttribute("role", "img");
    overlay.setAttribute("aria-label", "Evolution of alert clusters");
    overlay.style.touchAction = "pan-y";
    const view = this.#host.ownerDocument.defaultView;
    if (view?.getComputedStyle && view.getComputedStyle(this.#host).position === "static") this.#host.style.position = "relative";
    this.#host.append(history, overlay);
  }

  #listen() {
    const document = this.#host.ownerDocument;
    const view = document.defaultView ?? globalThis;
    const overlay = this.#canvases[1];
    this.#on(overlay, "pointermove", (event) => this.#point(event));
    this.#on(overlay, "pointerleave", () => this.#leave());
    this.#on(overlay, "click", (event) => this.#click(event));
    this.#on(document, "visibilitychange", () => this.#wakeOrSleep());
    if (view.ResizeObserver) this.#observe(new view.ResizeObserver(() => this.#resized()));
    if (view.IntersectionObserver) {
      this.#observe(new view.IntersectionObserver((entries) => {
        this.#onScreen = entries.at(-1).isIntersecting;
        this.#wakeOrSleep();
      }));
    }
  }

  #on(target, type, handler) {
    target.addEventListener(type, handler);
    this.#undo.push(() => target.removeEventListener(type, handler));
  }

  #observe(observer) {
    observer.observe(this.#host);
    this.#undo.push(() => observer.disconnect());
  }

  #point(event) {
    this.#pointer = this.#position(event);
    const view = this.#viewAt(this.#pointer);
    const id = view?.id ?? null;
    if (id !== null || this.#hovered !== null) {
      this.#options.onHover(id, { ...this.#pointer, timeMs: this.#scene?.scale.time(this.#pointer.x) ?? 0 });
    }
    this.#hovered = id;
    this.#canvases[1].style.cursor = id === null ? "" : "pointer";
    this.#touch();
  }

  #leave() {
    this.#pointer = null;
    if (this.#hovered !== null) this.#options.onHover(null, { x: 0, y: 0, timeMs: 0 });
    this.#hovered = null;
    this.#touch();
  }

  #click(event) {
    this.#options.onSelect(this.#viewAt(this.#position(event))?.id ?? null);
  }

  #position(event) {
    const box = this.#canvases[1].getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** The lane at a point: its row, then the few lanes of that row. */
  #viewAt({ x, y }) {
    const scene = this.#scene;
    if (!scene || y < scene.plot.top || y >= scene.plot.bottom) return null;
    const row = this.#tops.findLastIndex((top) => top <= y);
    const id = row < 0 ? null : this.#layout.laneAt(row, scene.scale.time(x));
    return id === null ? null : scene.byId.get(id) ?? null;
  }

  /** A canvas is blank once its size is set: draw before the browser paints. */
  #resized() {
    this.#resize();
    if (this.#stale && this.#awake) this.#render(this.#lastFrameAt, 0);
  }

  get #ratio() {
    const view = this.#host.ownerDocument.defaultView ?? globalThis;
    return Math.min(MOST_RATIO, view.devicePixelRatio || 1);
  }

  #resize() {
    const ratio = this.#ratio;
    const width = Math.floor(this.#host.clientWidth);
    const height = Math.floor(this.#host.clientHeight);
    const { width: oldWidth, height: oldHeight, ratio: oldRatio } = this.#size;
    if (width === oldWidth && height === oldHeight && ratio === oldRatio) return;
    this.#size = { width, height, ratio };
    for (const canvas of this.#canvases) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
    }
    this.#places.clear();
    this.#forgetDrawing();
  }

  // --- when to draw

  get #awake() {
    return !this.#destroyed && this.#onScreen && !this.#host.ownerDocument.hidden && this.#size.width > 0 && this.#size.height > 0;
  }

  #wakeOrSleep() {
    if (!this.#awake) return this.#sleep();
    this.#forgetDrawing();
  }

  #sleep() {
    const view = this.#host.ownerDocument.defaultView ?? globalThis;
    if (this.#frame !== null) view.cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = null;
    this.#timer = null;
  }

  #forgetDrawing() {
    this.#stale = true;
    this.#layoutVersion = -1;
    this.#touch();
  }

  #touch() {
    this.#overlayStale = true;
    this.#request();
  }

  #request() {
    if (this.#frame !== null || !this.#awake) return;
    const view = this.#host.ownerDocument.defaultView ?? globalThis;
    this.#frame = view.requestAnimationFrame((time) => this.#tick(time));
  }

  #tick(time) {
    this.#frame = null;
    if (!this.#awake) return;
    // No observer tells of a move to another screen. The size is not read here: that could force a layout.
    if (this.#ratio !== this.#size.ratio) this.#resize();
    const elapsed = Math.min(100, time - this.#lastFrameAt);
    this.#lastFrameAt = time;
    if (this.#mayDraw(time)) this.#render(time, elapsed);
    if (this.#moving || this.#overlayStale) this.#request();
    this.#lookLater();
  }

  /** Words and pointer at once; the picture no oftener than frames come and this machine can draw. */
  #mayDraw(time) {
    const sinceMs = time - this.#drawnAt;
    const cheapest = this.#moving || this.#overlayStale || this.#stale ? 0 : LOOK_MS - 20;
    return sinceMs >= Math.max(cheapest, Math.min(1000, this.#costMs / DRAW_SHARE - 16));
  }

  /** Look again when time has moved a pixel, or for a change nobody announced. */
  #lookLater() {
    clearTimeout(this.#timer);
    const pixelMs = this.#drawn?.scale.msPerDevicePx ?? CALM_LOOK_MS;
    this.#timer = setTimeout(() => {
      if (this.#changed()) this.#request();
      else this.#lookLater();
    }, Math.min(CALM_LOOK_MS, Math.max(LOOK_MS, pixelMs)));
  }

  #changed() {
    if (!this.#drawn || !this.#model) return this.#stale;
    return this.#model.version !== this.#drawn.version || this.#scale().rightPx !== this.#drawn.scale.rightPx;
  }

  // --- drawing

  #scale() {
    const { width, ratio } = this.#size;
    const now = this.#now();
    const live = this.#range.lastSeconds !== undefined;
    const [from, to] = live ? [now - this.#range.lastSeconds * 1000, now] : [this.#range.fromMs, this.#range.toMs];
    const right = Math.floor(Math.max(40, width - metrics(this.#size, live).gutter) * ratio) / ratio;
    return new TimeScale(from, to, 0, right, ratio);
  }

  #now() { return this.#model?.now() ?? Date.now(); }

  #render(time, elapsedMs) {
    const started = performance.now();
    const scale = this.#scale();
    const version = this.#model?.version ?? -1;
    if (!this.#stale && !this.#overlayStale && !this.#moving && this.#drawn?.version === version && this.#drawn.scale.rightPx === scale.rightPx) return;
    const frame = metrics(this.#size, this.#range.lastSeconds !== undefined, this.#options.mostRows);
    this.#arrange(frame, scale, time, version);
    this.#moving = this.#ease(elapsedMs);
    this.#scene = buildScene({
      model: this.#model, layout: this.#layout, hidden: this.#hidden, lanes: this.#lanes, places: this.#places, frame, scale,
      size: this.#size, theme: this.#theme, full: this.#full, thickest: this.#thickest, now: this.#now(), previous: this.#scene,
      hovered: this.#hovered, selected: this.#selected, focused: this.#focused, pointer: this.#pointer,
      formatTime: this.#options.formatTime, look: this.#options.look,
    });
    this.#paintHistory(this.#scene, version);
    this.#overlay.draw(this.#scene);
    this.#overlayStale = false;
    this.#drawnAt = time;
    this.#costMs = this.#costMs * 0.8 + (performance.now() - started) * 0.2;
    this.#summarise(time);
  }

  #arrange(frame, scale, time, version) {
    const few = this.#lanes.length < MANY_LANES;
    const due = this.#layoutVersion < 0 || (version !== this.#layoutVersion && (few || time - this.#layoutAt >= RELAYOUT_MS));
    const moved = time - this.#layoutAt >= 1000;
    if (!due && !moved) return;
    this.#layoutVersion = version;
    this.#layoutAt = time;
    this.#lanes = this.#model ? describe(this.#model, scale, this.#selected) : [];
    const gapMs = 40 * scale.msPerPx;
    this.#hidden = this.#layout.update(this.#lanes, frame.capacity(this.#hidden.length > 0), this.#now(), gapMs);
    // The line that sums up the rest takes a row's place: find out whether it is needed, then fit to it.
    const fits = frame.capacity(this.#hidden.length > 0);
    if (this.#layout.rows.length > fits) this.#hidden = this.#layout.update(this.#lanes, fits, this.#now(), gapMs);
    const counts = largestByRow(this.#model, this.#layout, scale.fromMs);
    const most = Math.max(0, ...counts);
    if (most > this.#fullTarget || most < this.#fullTarget * 0.3) this.#fullTarget = fullAt(most);
    this.#place(frame, counts);
  }

  /** Where each lane's row is; a lane seen first appears there, one that moved glides. */
  #place(frame, counts) {
    const more = this.#hidden.length > 0;
    const slots = rowSlots(counts.length, frame.capacity(more));
    const { heights, thickest } = frame.rows(counts, slots, this.#fullTarget, more);
    this.#thickestTarget = thickest;
    let next = frame.top;
    // One more than there are rows: below the last is no lane.
    this.#tops = [next, ...heights.map((height) => (next += height))];
    const places = new Map();
    for (const [id, row] of this.#layout.rowOf) {
      const target = { y: this.#tops[row] + heights[row] / 2, height: heights[row] };
      const known = this.#places.get(id);
      places.set(id, { ...(known && !this.#options.reducedMotion ? { y: known.y, height: known.height } : target), target });
    }
    this.#places = places;
  }

  /** One step of all movements. @returns {boolean} whether any goes on */
  #ease(elapsedMs) {
    const share = this.#options.reducedMotion ? 1 : 1 - Math.exp(-elapsedMs / EASE_MS);
    const toward = (from, to) => (Math.abs(to - from) < Math.max(0.4, to * 0.005) ? to : from + (to - from) * share);
    let moving = false;
    for (const place of this.#places.values()) {
      place.y = toward(place.y, place.target.y);
      place.height = toward(place.height, place.target.height);
      moving ||= place.y !== place.target.y || place.height !== place.target.height;
    }
    this.#full = toward(this.#full, this.#fullTarget);
    this.#thickest = this.#thickest ? toward(this.#thickest, this.#thickestTarget) : this.#thickestTarget;
    return moving || this.#full !== this.#fullTarget || this.#thickest !== this.#thickestTarget;
  }

  /** Draw the whole; or move what is there, and draw its newest part and the rows that changed. */
  #paintHistory(scene, version) {
    const { scale } = scene;
    const drawn = this.#drawn;
    const moved = drawn ? scale.rightPx - drawn.scale.rightPx : 0;
    const same = !this.#stale && drawn && scale.sameStep(drawn.scale) && drawn.shape === scene.shape && moved >= 0;
    const bands = same ? changedBands(drawn.shown, scene) : [];
    const lateMs = Math.max(LATE_MS, scene.strip?.bucketMs ?? 0);
    // Whole device pixels: a clip through a pixel leaves a seam.
    const freshPx = Math.ceil(moved + (lateMs / scale.msPerPx + 12) * scale.ratio) / scale.ratio;
    if (same && moved === 0 && version === drawn.version && !bands.length) return;
    const changed = bands.reduce((sum, [top, bottom]) => sum + bottom - top, 0);
    const few = changed < (scene.plot.bottom - scene.plot.top) * MOST_CHANGED;
    if (same && few && freshPx < (scale.right - scale.left) / 2) {
      if (moved) this.#history.shift(moved);
      this.#history.draw(scene, scale.right - freshPx, scene.width);
      for (const [top, bottom] of bands) this.#history.draw(scene, 0, scale.right - freshPx, top, bottom);
    } else this.#history.draw(scene, 0, scene.width);
    this.#stale = false;
    this.#drawn = { scale, version, shape: scene.shape, shown: scene.shown };
  }

  #summarise(time) {
    if (time - this.#summaryAt < SUMMARY_MS) return;
    this.#summaryAt = time;
    this.#canvases[1].setAttribute("aria-label", this.#scene.summary());
  }
}
