import assert from "node:assert/strict";
import { test } from "node:test";

import { changedBands, extent, overlaps } from "../../receiver/page/evolution-bands.js";

const view = (id, y, shape, crossings = []) => ({ id, y, height: 20, shape, crossings });
const scene = (...shown) => ({ shown, ratio: 1 });

test("only the row of a lane that changed is drawn anew", () => {
  const before = [view(1, 10, "a"), view(2, 60, "a"), view(3, 110, "a")];

  assert.deepEqual(changedBands(before, scene(view(1, 10, "a"), view(2, 60, "b"), view(3, 110, "a"))), [[45, 75]]);
  assert.deepEqual(changedBands(before, scene(...before)), []);
});

test("a lane that moved is drawn where it is, and what it left is drawn over", () => {
  assert.deepEqual(changedBands([view(1, 20, "a")], scene(view(1, 200, "b"))), [[5, 35], [185, 215]]);
});

test("one that came, and one that went", () => {
  assert.deepEqual(changedBands([view(1, 20, "a")], scene(view(2, 100, "a"))), [[5, 35], [85, 115]]);
});

test("bands that touch are one", () => {
  assert.deepEqual(changedBands([], scene(view(1, 20, "a"), view(2, 40, "a"))), [[5, 55]]);
});

test("a crossing belongs to what is drawn", () => {
  const [top, bottom] = extent(view(1, 100, "a", [{ fromY: 100, toY: 300 }]));

  assert.deepEqual([top, bottom], [85, 312]);
  assert.ok(overlaps([top, bottom], 250, 260) && !overlaps([top, bottom], 320, 330));
});

test("bands are cut between device pixels", () => {
  const bands = changedBands([], { shown: [view(1, 20.3, "a")], ratio: 1.5 });

  for (const edge of bands.flat()) assert.ok(Math.abs(edge * 1.5 - Math.round(edge * 1.5)) < 1e-9);
});
