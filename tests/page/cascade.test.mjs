import assert from "node:assert/strict";
import { test } from "node:test";

import { bestLabel, caveat, waves } from "../../receiver/page/cascade.js";

const at = (seconds) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const values = (...told) => told.map(([second, wave], i) => ({ value: `v${i}`, first_at: at(second), wave }));
const many = (count) => values(...Array.from({ length: count }, (_, i) => [i, 1]));

test("values are in the waves that the receiver told", () => {
  const found = waves(values([0, 1], [30, 1], [60, 2], [200, 3], [201, 3]));

  assert.deepEqual(found.map((wave) => wave.values), [["v0", "v1"], ["v2"], ["v3", "v4"]]);
  assert.deepEqual(found.map((wave) => (wave.at - found[0].at) / 1000), [0, 60, 200]);
});

test("no values are no waves", () => {
  assert.deepEqual(waves([]), []);
});

test("the label shown first is the one along which the cluster spread", () => {
  const cascade = { job: values([0, 1], [1, 1]), pod: many(100), service: many(20) };

  assert.equal(bestLabel(cascade, { label: "service" }), "service");
  assert.equal(bestLabel(cascade, { label: "gone" }), "job");
  assert.equal(bestLabel(cascade, null), "job");
  assert.equal(bestLabel({ pod: cascade.pod }, null), "pod");
});

test("that other rules fired next is said of a first only", () => {
  const told = (first, same) => ({ probable_first: first, evidence: { same_rule_next: same } });

  assert.match(caveat(told("pg", false)), /other rules/i);
  assert.equal(caveat(told("pg", true)), "");
  assert.equal(caveat(told(null, false)), "");
  assert.equal(caveat(told(null, null)), "");
});
