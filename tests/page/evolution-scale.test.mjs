import assert from "node:assert/strict";
import { test } from "node:test";

import { TimeScale, fullAt, niceCeiling, thickness, timeText, timeTicks } from "../../receiver/page/evolution-scale.js";

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
