/**
 * A document with just enough of canvas to run the evolution view without a browser.
 *
 * Leaves out: pixels, layout, styles, real text widths (each character is half its font size wide), bubbling.
 * Records the text drawn, and runs frames and timers only when told.
 */

const SHAPES = ["setTransform", "save", "restore", "beginPath", "closePath", "moveTo", "lineTo", "bezierCurveTo", "arc", "rect",
  "clip", "fill", "stroke", "fillRect", "strokeRect", "clearRect", "setLineDash", "scale", "strokeText", "drawImage"];

export class FakeContext {
  font = "10px sans-serif";
  calls = new Map();
  texts = [];
  constructor() {
    for (const name of SHAPES) this[name] = (...args) => this.#count(name, args);
  }
  #count(name, args) {
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
    if (name === "clearRect") this.texts = [];
    if (args.some((arg) => typeof arg === "number" && Number.isNaN(arg))) throw new Error(`${name} got NaN: ${args}`);
  }
  count(name) { return this.calls.get(name) ?? 0; }
  fillText(text, x, y) {
    this.#count("fillText", [x, y]);
    this.texts.push(text);
  }
  measureText(text) { return { width: text.length * (parseFloat(/([\d.]+)px/.exec(this.font)[1]) / 2) }; }
  createLinearGradient() { return { addColorStop() {} }; }
  createPattern() { return { setTransform() {} }; }
}

class FakeElement {
  style = {};
  attributes = new Map();
  children = [];
  listeners = new Map();
  width = 0;
  height = 0;
  context = new FakeContext();
  constructor(document) { this.ownerDocument = document; }
  getContext() { return this.context; }
  setAttribute(name, value) { this.attributes.set(name, value); }
  getAttribute(name) { return this.attributes.get(name) ?? null; }
  append(...children) { for (const child of children) { this.children.push(child); child.parent = this; } }
  remove() { this.parent?.children.splice(this.parent.children.indexOf(this), 1); }
  addEventListener(type, handler) { this.listeners.set(type, [...(this.listeners.get(type) ?? []), handler]); }
  removeEventListener(type, handler) { this.listeners.set(type, (this.listeners.get(type) ?? []).filter((h) => h !== handler)); }
  send(type, event = {}) { for (const handler of this.listeners.get(type) ?? []) handler(event); }
  getBoundingClientRect() { return { left: 0, top: 0 }; }
}

class FakeDocument extends FakeElement {
  hidden = false;
  constructor(view) {
    super(null);
    this.defaultView = view;
  }
  createElement() { return new FakeElement(this); }
}

/** A host of the given size, with `frame(ms)` to run what waits for the next animation frame. */
export function fakeHost(width, height, ratio = 1) {
  const frames = new Map();
  let next = 1;
  let time = 0;
  const observers = [];
  const view = {
    devicePixelRatio: ratio,
    requestAnimationFrame: (callback) => { frames.set(next, callback); return next++; },
    cancelAnimationFrame: (frame) => frames.delete(frame),
    ResizeObserver: class {
      constructor(callback) { this.callback = callback; observers.push(this); }
      observe() {}
      disconnect() { observers.splice(observers.indexOf(this), 1); }
    },
  };
  const document = new FakeDocument(view);
  const host = new FakeElement(document);
  host.clientWidth = width;
  host.clientHeight = height;
  return {
    host, document, frames, observers,
    frame(ms = 200) {
      time += ms;
      const waiting = [...frames.values()];
      frames.clear();
      for (const callback of waiting) callback(time);
    },
    resize(w, h) {
      host.clientWidth = w;
      host.clientHeight = h;
      for (const observer of observers) observer.callback();
    },
    get history() { return host.children[0].context; },
    get overlay() { return host.children[1].context; },
  };
}
