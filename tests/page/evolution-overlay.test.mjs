import assert from "node:assert/strict";
import { test } from "node:test";

import { labelPlace, shortCount } from "../../receiver/page/evolution-overlay.js";

const NOTHING = -Infinity;

test("a title goes left of the birth while enough of it fits there", () => {
  assert.equal(labelPlace({ bornX: 300, untilX: 1200 }, 480, 0, NOTHING).align, "right");
  assert.equal(labelPlace({ bornX: 200, untilX: 1200 }, 480, 0, NOTHING).align, "left");
  assert.deepEqual(labelPlace({ bornX: 500, untilX: 1200 }, 200, 0, NOTHING), { x: 486, room: 478, align: "right" });
});

test("else it goes on the lane, from the birth or the window's edge on", () => {
  assert.equal(labelPlace({ bornX: 100, untilX: 1200 }, 200, 0, NOTHING).x, 109);
  assert.deepEqual(labelPlace({ bornX: -4000, untilX: 1200 }, 200, 0, NOTHING), { x: 8, room: 1184, align: "left" });
});

test("a title keeps clear of an earlier lane of its row, and of a later one's title", () => {
  assert.equal(labelPlace({ bornX: 500, untilX: 1200 }, 200, 0, 400).align, "left");
  assert.equal(labelPlace({ bornX: 300, untilX: 250 }, 200, 0, NOTHING), null);
});

test("a title too short to read is left out, a short one is not", () => {
  assert.equal(labelPlace({ bornX: 20, untilX: 90 }, 200, 0, NOTHING), null);
  assert.notEqual(labelPlace({ bornX: 20, untilX: 90 }, 40, 0, NOTHING), null);
});

test("counts are shortened where they do not fit", () => {
  assert.deepEqual([999, 1346, 12_345].map((n) => shortCount(n, 1000)), ["999", "1.3k", "12k"]);
  assert.equal(shortCount(1346, 10_000), "1346");
});
