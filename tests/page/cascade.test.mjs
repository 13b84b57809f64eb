import assert from "node:assert/strict";
import { test } from "node:test";

import { bestLabel, steps } from "../../receiver/page/cascade.js";

const at = (seconds) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const values = (...seconds) => seconds.map((second, i) => ({ value: `v${i}`, first_at: at(second) }));

test("values less than a minute apart count as simultaneous", () => {
  assert.deepEqual(steps(values(0, 30, 59, 60, 200)).map((step) => step.values), [["v0", "v1", "v2"], ["v3"], ["v4"]]);
});

test("a chain of small gaps is not one step", () => {
  assert.equal(steps(values(0, 40, 80, 120, 160)).length, 3);
});

test("no values are no steps", () => {
  assert.deepEqual(steps([]), []);
});

test("the label shown first is one people think in, with several values but not hundreds", () => {
  const cascade = { pod: values(...Array(100).keys()), service: values(0, 90), job: values(0, 1) };

  assert.equal(bestLabel(cascade), "service");
  assert.equal(bestLabel({ pod: cascade.pod, job: cascade.job }), "job");
  assert.equal(bestLabel({ pod: cascade.pod }), "pod");
});
