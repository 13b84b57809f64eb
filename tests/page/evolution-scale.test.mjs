import assert from "node:assert/strict";
import { test } from "node:test";

import { TimeScale, fullAt, niceCeiling, rowHeights, thickness, timeText, timeTicks } from "../../receiver/page/evolution-scale.js";

const NOW = Date.parse("2026-11-23T18:00:00Z");

test("time and x are each other's inverse, the right edge is now", () => {
  const scale = new TimeScale(NOW - 1_800_000, NOW, 0, 1200, 2);

  assert.ok(Math.abs(scale.x(NOW) - 1200) <= 0.5);
  assert.ok(Math.abs(scale.time(scale.x(NOW - 600_000)) - (NOW - 600_000)) < 1);
  assert.ok(Math.abs(scale.x(NOW - 900_000) - 600) <= 0.5);
});

test("as time goes on everything moves by whole device pixels", () => {
  const at = (ms) => new TimeScale(ms - 1_800_000, ms, 0, 1208, 1.5);
  const before = at(NOW);
  for (let later = 137; later < 20_000; later += 137) {
    const after = at(NOW + later);
    const moved = (before.x(NOW - 5000) - after.x(NOW - 5000)) * 1.5;
    assert.ok(Math.abs(moved - Math.round(moved)) < 1e-3, `${moved}`);
    assert.ok(after.sameStep(before));
  }
});

test("ticks are round and far enough apart, from seconds to days", () => {
  for (const seconds of [10, 60, 300, 1800, 7200, 86_400, 30 * 86_400]) {
    const from = NOW - seconds * 1000;
    const { step, ticks } = timeTicks(from, NOW, 1000);
    assert.ok(ticks.length >= 2 && ticks.length <= 15, `${seconds} s: ${ticks.length}`);
    assert.ok(ticks.every((ms) => ms >= from && ms <= NOW));
    if (step < 3_600_000) assert.ok(ticks.every((ms) => ms % step === 0));
  }
});

test("time is written as short as the step allows", () => {
  const noon = new Date(2026, 10, 3, 12, 5, 9).getTime();

  assert.equal(timeText(noon), "12:05");
  assert.equal(timeText(noon, 1000), "12:05:09");
  assert.equal(timeText(noon, 86_400_000), "2026-11-03");
});

test("scales end on round numbers", () => {
  assert.deepEqual([0, 1, 1.5, 3, 7, 11, 49, 51, 1000].map(niceCeiling), [1, 1, 2, 5, 10, 20, 50, 100, 1000]);
});

test("one alert and three hundred both read", () => {
  const full = fullAt(300);
  const [none, one, thirty, most] = [0, 1, 30, 300].map((n) => thickness(n, full, 34, 3));

  assert.equal(none, 0);
  assert.equal(one, 3);
  assert.ok(thirty > 8 && thirty < most);
  assert.ok(most > 24 && most <= 34);
});

test("a row is as high as its count needs, and thickness can be compared between rows", () => {
  const counts = [171, 1, 1, 3, 0, 1, 1, 1, 1, 1, 1, 1];
  const { heights, thickest } = rowHeights(counts, 250, { full: 200, least: 15, most: 96 });

  assert.ok(heights.reduce((a, b) => a + b, 0) <= 250);
  assert.ok(heights[0] > 70 && Math.min(...heights) === 15);
  assert.ok(thickness(171, 200, thickest, 3) > 8 * thickness(1, 200, thickest, 3));
  counts.forEach((count, row) => assert.ok(thickness(count, 200, thickest, 3) <= heights[row]));
});

test("on a calm day rows are even, and where all are full none is lower than it may be", () => {
  assert.deepEqual(rowHeights([1, 2, 0], 300, { full: 100, least: 42, most: 96 }).heights, [42, 42, 42]);
  const { heights } = rowHeights([100, 100, 100], 48, { full: 100, least: 15, most: 96 });
  assert.ok(Math.min(...heights) >= 15 && heights[0] + heights[1] + heights[2] <= 48);
});

test("rows do not move with every alert", () => {
  const at = (count) => rowHeights([count, 1], 200, { full: 200, least: 15, most: 96 }).heights;
  assert.deepEqual(at(110), at(190));
});
