import assert from "node:assert/strict";
import { test } from "node:test";

import { AutoRange, neededSeconds } from "../../receiver/page/auto-range.js";

const NOW = Date.parse("2026-01-01T03:30:00Z");
const MINUTE = 60;
const iso = (ms) => new Date(ms).toISOString();

/** A model in which *fired* alerts fired so many seconds ago: [[age, number]…]. */
function model({ fired = [], storm = null, storms = [], passed = 0 } = {}) {
  const now = NOW + passed * 1000;
  return {
    storm,
    storms,
    now: () => now,
    rate(from, to, step) {
      const buckets = new Array(Math.ceil((to - from) / step)).fill(0);
      for (const [age, number] of fired) {
        const bucket = Math.floor((NOW - age * 1000 - from) / step);
        if (bucket >= 0 && bucket < buckets.length) buckets[bucket] += number;
      }
      return { fired: buckets, resolved: buckets.map(() => 0) };
    },
  };
}

const storm = (age, { id = 1, endedAge = null } = {}) => ({
  id,
  started_at: iso(NOW - age * 1000),
  ended_at: endedAge === null ? null : iso(NOW - endedAge * 1000),
});
const chosen = (of) => new AutoRange().choose(model(of));

test("a young receiver fills the width", () => {
  assert.equal(chosen({ fired: [[20, 3]] }), 2 * MINUTE);
});

test("where nothing happened lately half an hour is shown", () => {
  assert.equal(neededSeconds(model()), null);
  assert.equal(chosen({ fired: [[5 * 3600, 100]] }), 30 * MINUTE);
});

test("what happened lately is seen from its beginning, with some room before it", () => {
  assert.equal(chosen({ fired: [[4 * MINUTE, 10], [60, 5]] }), 5 * MINUTE);
  assert.equal(chosen({ fired: [[4.9 * MINUTE, 10], [60, 5]] }), 10 * MINUTE);
});

test("a lone change long ago does not shrink all the rest", () => {
  assert.equal(chosen({ fired: [[55 * MINUTE, 1], [3 * MINUTE, 100]] }), 5 * MINUTE);
  assert.equal(chosen({ fired: [[55 * MINUTE, 1], [3 * MINUTE, 4]] }), 60 * MINUTE);
});

test("a storm is seen from its onset, whatever was before, up to six hours", () => {
  assert.equal(chosen({ fired: [[50 * MINUTE, 9]], storm: storm(40) }), 2 * MINUTE);
  assert.equal(chosen({ storm: storm(2 * 3600) }), 3 * 3600);
  assert.equal(chosen({ storm: storm(30 * 3600) }), 6 * 3600);
});

test("a storm that is over is recalled for an hour", () => {
  assert.equal(chosen({ storms: [storm(80 * MINUTE, { endedAge: 50 * MINUTE })] }), 180 * MINUTE);
  assert.equal(chosen({ storms: [storm(120 * MINUTE, { endedAge: 70 * MINUTE })] }), 30 * MINUTE);
});

test("of several storms the newest counts", () => {
  const storms = [storm(50 * MINUTE, { endedAge: 30 * MINUTE })];
  assert.equal(chosen({ storms, storm: storm(60, { id: 2 }) }), 2 * MINUTE);
});

test("it widens at once, and narrows only after it could for long", () => {
  const range = new AutoRange();
  const at = (passed, age) => range.choose(model({ passed, fired: [[age - passed, 5]] }));
  assert.equal(at(0, 60), 2 * MINUTE);
  assert.equal(at(10, 200), 5 * MINUTE);
  assert.equal(at(20, 80), 5 * MINUTE);
  assert.equal(at(45, 80), 5 * MINUTE);
  assert.equal(at(51, 80), 2 * MINUTE);
});

test("what needs nearly all of a narrower step leaves the picture as it is", () => {
  const range = new AutoRange();
  range.choose(model({ fired: [[200, 5]] }));
  for (let passed = 0; passed < 300; passed += 10) {
    assert.equal(range.choose(model({ passed, fired: [[105 - passed, 5]] })), 5 * MINUTE);
  }
});

test("while one points at it nothing changes, but a storm that breaks out is shown", () => {
  const range = new AutoRange();
  range.choose(model({ fired: [[20 * MINUTE, 5]] }));
  assert.equal(range.choose(model({ fired: [[40 * MINUTE, 5]] }), { held: true }), 30 * MINUTE);
  assert.equal(range.choose(model({ storm: storm(30) }), { held: true }), 2 * MINUTE);
});
