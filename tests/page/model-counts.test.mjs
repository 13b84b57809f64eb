import assert from "node:assert/strict";
import { test } from "node:test";

import { SecondCounts } from "../../receiver/page/model-counts.js";

test("counts of a second add up and are found in their bucket", () => {
  const counts = new SecondCounts(60);
  counts.add(100_200, 1, 0);
  counts.add(100_900, 1, 2);
  counts.add(103_000, 5, 0);

  assert.deepEqual(counts.sum(100, 101), { fired: 2, resolved: 2 });
  assert.deepEqual(counts.buckets(100_000, 104_000, 2000), { fired: [2, 5], resolved: [2, 0] });
});

test("a slot of a past round reads as zero, and a late event does not overwrite a newer second", () => {
  const counts = new SecondCounts(60);
  counts.add(10_000, 7, 0);
  counts.add(130_000, 1, 0);
  counts.add(10_000, 7, 0);

  assert.deepEqual(counts.sum(0, 131), { fired: 1, resolved: 0 });
});

test("setting a second twice is setting it once", () => {
  const counts = new SecondCounts(60);
  counts.set(5, 3, 1);
  counts.set(5, 3, 1);

  assert.deepEqual(counts.sum(5, 6), { fired: 3, resolved: 1 });
});

test("a range longer than the ring costs no more than the ring", () => {
  const counts = new SecondCounts(60);
  counts.add(1_700_000_000_000, 4, 0);

  assert.equal(counts.sum(0, 1_700_000_001).fired, 4);
});
