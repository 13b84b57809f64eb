import assert from "node:assert/strict";
import { test } from "node:test";

import {
  CONTOUR, contourColors, crossingWidth, largestBetween, patternTile, profile, traceCrossing, traceRibbon,
} from "../../receiver/page/evolution-ribbon.js";
import { fakeHost } from "./fakes.mjs";

const lane = { bornAt: 1000, endedAt: null, samples: [[1000, 2], [3000, 10], [3050, 4], [6000, 0]] };
const span = (first, last, endMs = 1e9) => ({ first, last, columnMs: 100, endMs });
const same = (n) => n;

test("a lane is nothing before its birth, as thick as it fires, and a thread when nothing does", () => {
  const thick = profile(lane, span(0, 80), same);

  assert.equal(thick[5], 0);
  assert.equal(thick[20], 2);
  assert.equal(thick[45], 4);
  assert.equal(thick[75], 1.5);
});

test("a peak shorter than a column is seen", () => {
  assert.ok(profile(lane, span(0, 80), same)[30] > 4.5);
});

test("a lane ends where it ends", () => {
  const thick = profile(lane, span(0, 80, 5000), same);

  assert.ok(thick[49] > 0);
  assert.equal(thick[54], 0);
});

test("a part drawn alone is the same as within the whole", () => {
  const whole = profile(lane, span(0, 80), same);
  const part = profile(lane, span(28, 40), same);

  assert.deepEqual([...part], [...whole.slice(28, 41)]);
});

test("before the first sample a lane is a thread: alive, its count unknown", () => {
  assert.equal(profile({ bornAt: 0, samples: [[5000, 7]] }, span(10, 20), same)[5], 1.5);
});

test("an empty span and a lane without samples break nothing", () => {
  assert.equal(profile(lane, span(5, 4), same).length, 0);
  assert.equal(profile({ bornAt: 0, samples: [] }, span(5, 9), same)[2], 1.5);
});

test("straight runs are drawn with two points an edge", () => {
  const { host } = fakeHost(1, 1);
  const context = host.getContext();
  traceRibbon(context, new Float32Array(500).fill(8), 0, 20, CONTOUR.body);

  assert.equal(context.count("lineTo"), 4);
});

test("inner contours lie within outer ones and grow without a step", () => {
  for (let t = 0.5; t < 50; t += 0.25) {
    assert.ok(CONTOUR.heart(t) <= CONTOUR.core(t) && CONTOUR.core(t) <= CONTOUR.body(t));
    assert.ok(Math.abs(CONTOUR.core(t) - CONTOUR.core(t - 0.25)) <= 0.26);
  }
});

test("what grows is brighter than what is over, and an unknown state has colours", () => {
  const body = (state) => Number(/\d+/.exec(contourColors("#ffffff", "#000000", state).core)[0]);

  assert.ok(body("growing") > body("steady") && body("steady") > body("resolving") && body("resolving") > body("resolved"));
  assert.ok(body("new state") > 0);
});

test("the most between two times counts what held before", () => {
  assert.equal(largestBetween(lane.samples, 2000, 2500), 2);
  assert.equal(largestBetween(lane.samples, 2000, 3500), 10);
  assert.equal(largestBetween([], 0, 1), 0);
});

test("a crossing is wider the farther it goes, within bounds", () => {
  assert.deepEqual([0, 100, -100, 1000].map(crossingWidth), [26, 40, 40, 72]);
  const { host } = fakeHost(1, 1);
  traceCrossing(host.getContext(), 0, 0, 10, 10);
  assert.equal(host.getContext().count("bezierCurveTo"), 1);
});

test("hatch and dots have tiles in device pixels, plain has none", () => {
  const { document } = fakeHost(1, 1);
  const create = () => document.createElement("canvas");

  assert.equal(patternTile(create, "plain", "#fff", 2), null);
  assert.equal(patternTile(create, "hatch", "#fff", 2).width, 16);
  assert.equal(patternTile(create, "dots", "#fff", 1.5).width, 12);
});
