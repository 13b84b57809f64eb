import assert from "node:assert/strict";
import { test } from "node:test";

import { appendSample, bound, dropExpired, indexAt, replaceBetween, thinned, valueAt, newLane, noteSeverity } from "../../receiver/page/model-lane.js";

test("a value holds until the next sample and is unknown before the first", () => {
  const samples = [[10, 1], [20, 5]];

  assert.deepEqual([9, 10, 19, 20, 99].map((ms) => valueAt(samples, ms)), [null, 1, 1, 5, 5]);
  assert.equal(indexAt([], 5), -1);
});

test("samples finer than the resolution are overwritten, ends are exact", () => {
  const samples = [];
  for (let i = 0; i <= 1000; i += 1) appendSample(samples, i, i, 100);

  assert.ok(samples.length <= 22, `${samples.length} samples`);
  assert.equal(samples.at(-1)[1], 1000);
  assert.ok(samples.every(([ms], i) => i === 0 || ms > samples[i - 1][0]));
});

test("an unchanged value adds nothing, a late time counts as the last", () => {
  const samples = [[100, 3]];
  appendSample(samples, 200, 3, 1);
  appendSample(samples, 50, 4, 1);

  assert.deepEqual(samples, [[100, 4]]);
});

test("thinning keeps a peak and the value it settles to", () => {
  assert.deepEqual(thinned([[0, 1], [1, 9], [2, 0], [100, 2]], 10), [[1, 9], [2, 0], [100, 2]]);
});

test("bound keeps to its length and leaves the newer half alone", () => {
  const samples = Array.from({ length: 400 }, (_, i) => [i * 10, i % 7]);
  const kept = bound(samples, 300);

  assert.ok(kept.length <= 300);
  assert.deepEqual(kept.slice(-200), samples.slice(-200));
});

test("expired samples go, the one that still holds stays", () => {
  const samples = Array.from({ length: 100 }, (_, i) => [i, i]);
  dropExpired(samples, 50.5);

  assert.deepEqual(samples[0], [50, 50]);
});

test("replacing a span leaves what is outside of it", () => {
  const merged = replaceBetween([[5, 1], [15, 2], [25, 3]], [[1, 9], [12, 8], [30, 9]], 10, 20);

  assert.deepEqual(merged, [[5, 1], [12, 8], [25, 3]]);
});

test("a severity is noted when it changes, and the latest are kept", () => {
  const lane = newLane(1, 0);
  noteSeverity(lane, 1, "critical");
  noteSeverity(lane, 2, "critical");
  noteSeverity(lane, 3, "warning");
  assert.deepEqual(lane.severities, [[1, "critical"], [3, "warning"]]);
  for (let ms = 4; ms < 100; ms += 1) noteSeverity(lane, ms, String(ms));

  assert.deepEqual([lane.severities.length, lane.severities.at(-1)[0]], [16, 99]);
});
