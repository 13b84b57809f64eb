import assert from "node:assert/strict";
import { test } from "node:test";

import { HistoryPainter } from "../../receiver/page/evolution-history.js";
import { TimeScale } from "../../receiver/page/evolution-scale.js";
import { darkTheme, severityStyle } from "../../receiver/page/evolution-theme.js";
import { fakeHost } from "./fakes.mjs";

const NOW = 1_800_000_000_000;

function scene(state = "growing") {
  const scale = new TimeScale(NOW - 600_000, NOW, 0, 600, 1);
  const lane = { id: 1, bornAt: NOW - 300_000, endedAt: null, samples: [[NOW - 300_000, 3], [NOW - 100_000, 30]] };
  const view = {
    id: 1, lane, state, faded: false, y: 60, height: 40, thickest: 32, style: severityStyle(darkTheme, "critical"),
    spans: [{ fromMs: -Infinity, toMs: Infinity, style: severityStyle(darkTheme, "critical") }],
    endMs: null, crossings: [{ fromX: 300, fromY: 60, toX: 330, toY: 100, firing: 4 }],
  };
  return {
    width: 672, height: 300, ratio: 1, theme: darkTheme, scale, full: 50, nowX: 600, nowMs: NOW, axisTop: 278,
    plot: { top: 22, bottom: 230 }, shown: [view], storms: [{ x0: 100, x1: 400, ongoing: false }],
    strip: { top: 236, bottom: 278, base: 268, bucketMs: 4000, firstBucket: Math.floor((NOW - 600_000) / 4000), fired: [1, 0, 5], resolved: [0, 2, 0], most: 10 },
  };
}

function painter() {
  const { document } = fakeHost(1, 1);
  const canvas = document.createElement("canvas");
  return { context: canvas.context, painter: new HistoryPainter(canvas, () => document.createElement("canvas")) };
}

test("a whole picture has ribbons, crossings, storms, grid and rate", () => {
  const { context, painter: history } = painter();
  history.draw(scene(), 0, 672);

  assert.ok(context.count("fill") >= 5);
  assert.equal(context.count("bezierCurveTo"), 1);
  assert.ok(context.count("fillRect") > 10);
});

test("the newest part costs a fraction of the whole", () => {
  const whole = painter();
  whole.painter.draw(scene(), 0, 672);
  const part = painter();
  part.painter.draw(scene(), 580, 672);

  assert.ok(part.context.count("fillRect") < whole.context.count("fillRect"));
  assert.equal(part.context.count("bezierCurveTo"), 0);
});

test("moving on is one copy", () => {
  const { context, painter: history } = painter();
  history.shift(3);

  assert.equal(context.count("drawImage"), 1);
  assert.equal(context.imageSmoothingEnabled, false);
});

test("every state can be drawn, known or not", () => {
  for (const state of ["forming", "growing", "steady", "resolving", "resolved", "merged", "of the future"]) {
    const { context, painter: history } = painter();
    history.draw(scene(state), 0, 672);
    assert.ok(context.count("fill") > 0);
  }
});

test("a lane whose severity changed is drawn in each for its time", () => {
  const { context, painter: history } = painter();
  const once = painter();
  const two = scene();
  const [critical, warning] = ["critical", "warning"].map((name) => severityStyle(darkTheme, name));
  two.shown[0].spans = [{ fromMs: -Infinity, toMs: NOW - 60_000, style: critical }, { fromMs: NOW - 60_000, toMs: Infinity, style: warning }];
  history.draw(two, 0, 672);
  once.painter.draw(scene(), 0, 672);

  assert.equal(context.count("clip"), once.context.count("clip") + 2);
  assert.ok(context.count("fill") > once.context.count("fill"));
});
