import assert from "node:assert/strict";
import { test } from "node:test";

import { isEmpty, noFilter, passes, toggled } from "../../receiver/page/filter.js";

const context = { order: ["info", "warning", "critical"], stormIds: new Set([7]) };
const cluster = {
  id: 7,
  title: "Pg primary down in payments",
  severity: "critical",
  state: "growing",
  labels: { namespace: "data" },
  affected: { team: { payments: 3 }, service: { web: 1 } },
};
const fits = (changed) => passes({ ...noFilter(), ...changed }, context)(cluster);

test("no filter lets everything through", () => {
  assert.ok(isEmpty(noFilter()));
  assert.ok(fits({}));
});

test("all words must be found, in title, labels, teams or number", () => {
  assert.ok(fits({ text: "pgprimary DATA web" }));
  assert.ok(fits({ text: "PgPrimaryDown" }));
  assert.ok(fits({ text: "primary down" }));
  assert.ok(fits({ text: "#7" }));
  assert.ok(!fits({ text: "primary orders" }));
});

test("severity, state and storm each narrow", () => {
  assert.ok(fits({ severity: "critical", state: "growing", where: "storm" }));
  assert.ok(!fits({ severity: "warning" }));
  assert.ok(!fits({ state: "steady" }));
  assert.ok(!fits({ where: "outside" }));
});

test("one of several teams is enough, but a service must fit too", () => {
  assert.ok(fits({ team: ["orders", "payments"] }));
  assert.ok(!fits({ team: ["payments"], service: ["cart"] }));
});

test("a value named like something every object has is no match", () => {
  assert.ok(!fits({ team: ["constructor"] }));
});

test("a chip pressed twice is released", () => {
  const once = toggled(noFilter(), "team", "payments");

  assert.deepEqual(once.team, ["payments"]);
  assert.ok(isEmpty(toggled(once, "team", "payments")));
});
