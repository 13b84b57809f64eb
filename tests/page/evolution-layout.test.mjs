import assert from "node:assert/strict";
import { test } from "node:test";

import { RowLayout, clearlyWorse, rowSlots, worstFirst } from "../../receiver/page/evolution-layout.js";

const lane = (id, more = {}) => ({ id, bornAt: id * 10, endedAt: null, rank: 1, firing: 1, kept: false, ...more });
const GAP = 5;

test("at first rows are given worst and largest first", () => {
  const layout = new RowLayout();
  layout.update([lane(1), lane(2, { rank: 2 }), lane(3, { firing: 9 })], 10, 0, GAP);

  assert.deepEqual(layout.rows, [[2], [3], [1]]);
});

test("a lane keeps its row when others come, grow or worsen", () => {
  const layout = new RowLayout();
  layout.update([lane(1), lane(2)], 10, 0, GAP);
  layout.update([lane(1), lane(2, { rank: 3, firing: 500 }), lane(3, { rank: 3 })], 10, 0, GAP);

  assert.deepEqual(layout.rows, [[1], [2], [3]]);
});

test("a birth takes an empty row first, then the row of a lane that ended before it", () => {
  const layout = new RowLayout();
  layout.update([lane(1, { endedAt: 15 }), lane(2)], 3, 0, GAP);
  layout.update([lane(1, { endedAt: 15 }), lane(2), lane(3)], 3, 0, GAP);
  layout.update([lane(1, { endedAt: 15 }), lane(2), lane(3), lane(4)], 3, 0, GAP);

  assert.equal(layout.rowOf.get(3), 2);
  assert.deepEqual(layout.rows[layout.rowOf.get(1)], [1, 4]);
});

test("with no room what is over gives way, the earliest ended first", () => {
  const layout = new RowLayout();
  layout.update([lane(1, { endedAt: 100 }), lane(2, { endedAt: 90 })], 2, 0, GAP);
  const hidden = layout.update([lane(1, { endedAt: 100 }), lane(2, { endedAt: 90 }), lane(5)], 2, 0, GAP);

  assert.deepEqual(hidden, []);
  assert.ok(layout.rowOf.has(1) && layout.rowOf.has(5) && !layout.rowOf.has(2));
});

test("with no room a clearly worse lane takes the weakest's row, a slightly larger one does not", () => {
  const layout = new RowLayout();
  layout.update([lane(1, { firing: 10 }), lane(2, { firing: 4 })], 2, 0, GAP);
  const alike = layout.update([lane(1, { firing: 10 }), lane(2, { firing: 4 }), lane(3, { firing: 6 })], 2, 0, GAP);
  assert.deepEqual(alike.map((l) => l.id), [3]);
  const worse = layout.update([lane(1, { firing: 10 }), lane(2, { firing: 4 }), lane(3, { rank: 2 })], 2, 0, GAP);

  assert.deepEqual(worse.map((l) => l.id), [2]);
  assert.equal(layout.rowOf.get(1), 0);
});

test("a lane that is kept comes in and is never pushed out", () => {
  const layout = new RowLayout();
  layout.update([lane(1, { rank: 3 }), lane(2, { rank: 3 })], 2, 0, GAP);
  layout.update([lane(1, { rank: 3 }), lane(2, { rank: 3, firing: 5 }), lane(9, { kept: true, rank: 0 })], 2, 0, GAP);
  assert.ok(layout.rowOf.has(9));
  layout.update([lane(1, { rank: 9, firing: 999 }), lane(2, { rank: 3, firing: 5 }), lane(9, { kept: true, rank: 0 })], 2, 0, GAP);

  assert.ok(layout.rowOf.has(9));
});

test("only some rows change hands at once", () => {
  const layout = new RowLayout();
  const weak = Array.from({ length: 40 }, (_, i) => lane(i + 1, { rank: 0 }));
  layout.update(weak, 40, 0, GAP);
  layout.update([...weak, ...Array.from({ length: 40 }, (_, i) => lane(i + 100, { rank: 3 }))], 40, 0, GAP);

  assert.equal([...layout.rowOf.keys()].filter((id) => id >= 100).length, 5);
});

test("no live lane is lost: each has a row or is reported hidden", () => {
  const layout = new RowLayout();
  let random = 1;
  const next = () => (random = (random * 48271) % 2147483647) / 2147483647;
  const lanes = new Map();
  for (let round = 1; round < 300; round += 1) {
    lanes.set(round, lane(round, { rank: Math.floor(next() * 3) }));
    for (const l of lanes.values()) {
      if (l.endedAt === null && next() < 0.02) l.endedAt = round * 10;
      else if (l.endedAt !== null && l.endedAt < round * 10 - 800) lanes.delete(l.id);
      else l.firing += Math.floor(next() * 4);
    }
    const capacity = 8 + Math.floor(next() * 20);
    const hidden = new Set(layout.update([...lanes.values()], capacity, round * 1000, GAP).map((l) => l.id));
    assert.ok(layout.rows.length <= capacity);
    for (const l of lanes.values()) if (l.endedAt === null) assert.ok(layout.rowOf.has(l.id) !== hidden.has(l.id));
    for (const [id, row] of layout.rowOf) assert.ok(layout.rows[row].includes(id) && lanes.has(id));
    assert.equal(layout.rows.flat().length, layout.rowOf.size);
  }
});

test("empty rows close up seldom and in order", () => {
  const layout = new RowLayout();
  const lanes = [1, 2, 3, 4].map((id) => lane(id));
  layout.update(lanes, 10, 0, GAP);
  layout.update([lanes[0], lanes[2], lanes[3]], 10, 1000, GAP);
  assert.deepEqual(layout.rows, [[1], [3], [4]]);
  layout.update([lanes[0], lanes[3]], 10, 2000, GAP);
  assert.deepEqual(layout.rows, [[1], [], [4]]);
  layout.update([lanes[0], lanes[3]], 10, 12_000, GAP);

  assert.deepEqual(layout.rows, [[1], [4]]);
});

test("the lane of a row depends on when", () => {
  const layout = new RowLayout();
  layout.update([lane(1, { endedAt: 15 }), lane(4)], 1, 0, GAP);

  assert.deepEqual([12, 45, 0].map((ms) => layout.laneAt(0, ms)), [1, 4, 1]);
  assert.equal(layout.laneAt(7, 0), null);
});

test("thousands of waiting lanes are placed in little time", () => {
  const layout = new RowLayout();
  const lanes = Array.from({ length: 5000 }, (_, i) => lane(i + 1, { firing: i % 97, rank: i % 3 }));
  const started = performance.now();
  for (let i = 0; i < 20; i += 1) layout.update(lanes, 40, i * 1000, GAP);

  assert.ok((performance.now() - started) / 20 < 50);
});

test("worse is worse in one direction only", () => {
  const a = lane(1, { rank: 2 });
  const b = lane(2, { firing: 100 });

  assert.ok(clearlyWorse(a, b) && !clearlyWorse(b, a));
  assert.ok(worstFirst(a, b) < 0 && worstFirst(b, a) > 0);
});

test("the height is divided in steps, so that a birth seldom moves the others", () => {
  assert.deepEqual([0, 1, 4, 5, 13, 200].map((n) => rowSlots(n, 60)), [4, 4, 4, 6, 15, 60]);
  assert.equal(rowSlots(3, 2), 2);
});
