import assert from "node:assert/strict";
import { test } from "node:test";

import { count, duration, offset, plural, times } from "../../receiver/page/format.js";

test("a length of time has at most two units", () => {
  const shown = [0, 59.4, 60, 41 * 60, 3600, 7500, 86_400, 273_600, NaN].map(duration);

  assert.deepEqual(shown, ["0 s", "59 s", "1 min", "41 min", "1 h", "2 h 5 min", "1 d", "3 d 4 h", "–"]);
});

test("short steps of a cascade keep their seconds", () => {
  assert.deepEqual([0, 70, 600, 3600].map(offset), ["+0 s", "+1 min 10 s", "+10 min", "+1 h"]);
});

test("counts are grouped and agree with their noun", () => {
  assert.equal(count(12_345), "12,345");
  assert.equal(plural(1, "alert"), "1 alert");
  assert.equal(plural(0, "alert"), "0 alerts");
});

test("a ratio has a digit after the point only where it is small", () => {
  assert.deepEqual([12.34, 1.42, NaN].map(times), ["12×", "1.4×", "–"]);
});
