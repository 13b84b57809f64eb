import assert from "node:assert/strict";
import { test } from "node:test";

import { barSeconds, spanWords, stepPath } from "../../receiver/page/sparkline.js";

const SIZE = { width: 10, height: 22 };

test("bars are few enough to be seen, and of a length one can say", () => {
  assert.deepEqual([120, 300, 900, 1800, 3600, 21_600, 86_400].map(barSeconds), [5, 10, 30, 60, 120, 900, 3600]);
  assert.deepEqual([120, 3600, 86_400].map(spanWords), ["last 2 min", "last hour", "last 24 h"]);
});

test("the path of a step function begins with the first sample and holds the last", () => {
  assert.equal(stepPath([[40, 1], [70, 2]], 0, 100, SIZE), "M4,22H4V11.0H7V1.0H10V22Z");
  assert.equal(stepPath([], 0, 100, SIZE), "");
});

test("what was before the span counts only as what it starts with", () => {
  assert.equal(stepPath([[-50, 100], [-10, 1]], 0, 100, SIZE), "M0,22H0V1.0H10V22Z");
});

test("a peak shorter than a column is not lost, and many samples make no longer path", () => {
  const samples = Array.from({ length: 5000 }, (_, i) => [i / 50, i === 2512 ? 9 : 1]);
  const path = stepPath(samples, 0, 100, SIZE);

  assert.match(path, /H5V1\.0H6/);
  assert.ok(path.length < 100);
});
