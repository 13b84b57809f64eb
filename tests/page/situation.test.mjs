import assert from "node:assert/strict";
import { test } from "node:test";

import { situation, trend } from "../../receiver/page/situation.js";

const NOW = Date.parse("2026-01-01T03:30:00Z");
const QUIET = { firedNow: 0, resolvedNow: 0 };

function model({ live = [], storm = null, storms = [], fired = 0, resolved = 0, stats = null } = {}) {
  return { now: () => NOW, live: () => live, fired: () => fired, resolved: () => resolved, storm, storms, stats };
}

const isCritical = (cluster) => cluster.severity === "critical";
const told = (of) => situation(model(of), { isCritical });
const storm = (changed) => ({
  state: "peak",
  started_at: "2026-01-01T03:12:00Z",
  ended_at: null,
  intensity: 12,
  peak_intensity: 20,
  episodes: 430,
  cluster_ids: [1, 2],
  ...changed,
});

test("more firing than resolving is getting worse, the other way round it eases", () => {
  assert.equal(trend("peak", 100, 10, { firedNow: 20, resolvedNow: 2 }).tone, "worse");
  assert.equal(trend("peak", 10, 100, QUIET).tone, "better");
  assert.equal(trend("peak", 100, 100, { firedNow: 20, resolvedNow: 20 }).tone, "level");
});

test("a storm that stopped raining is not called worse for the rain of minutes ago", () => {
  assert.equal(trend("peak", 100, 10, { firedNow: 1, resolvedNow: 1 }).word, "slowing down");
});

test("a young storm whose rate is back to normal is not called worse for the rain of seconds ago", () => {
  const justNow = { firedNow: 189, resolvedNow: 11 };
  assert.equal(trend("peak", 189, 11, justNow).tone, "worse");
  assert.equal(trend("peak", 189, 11, { ...justNow, calmed: true }).word, "slowing down");
});

test("a second wave is worse though the first one still resolves", () => {
  assert.equal(trend("easing", 60, 170, { firedNow: 40, resolvedNow: 5 }).tone, "worse");
});

test("nothing firing is quiet, something is calm, something critical is not called calm", () => {
  assert.equal(told().tone, "quiet");
  assert.match(told({ live: [{ firing: 2, severity: "warning" }] }).heading, /^Calm: 1 cluster, 2 alerts/);
  assert.match(told({ live: [{ firing: 2, severity: "critical" }] }).heading, /^No storm: 1 cluster/);
});

test("a cluster without firing members counts for nothing", () => {
  assert.equal(told({ live: [{ firing: 0, severity: "critical" }] }).tone, "quiet");
});

test("a storm says how many alerts, in how many clusters, and how far above normal", () => {
  const { tone, facts } = told({ storm: storm(), fired: 90 });

  assert.equal(tone, "storm");
  assert.deepEqual(facts.slice(0, 2), ["430 alerts in 2 clusters", "12× normal"]);
});

test("a storm whose rate has fallen says what its peak was", () => {
  assert.equal(told({ storm: storm({ intensity: 0.2 }) }).facts[1], "at its peak 20× normal");
});

test("after a storm what is critical and fires still looks like an alert", () => {
  const ended = storm({ state: "ended", ended_at: "2026-01-01T03:20:00Z" });

  assert.equal(told({ storms: [ended], live: [{ firing: 2, severity: "critical" }] }).tone, "alert");
});

test("a storm that ended within the hour is told of, an older one is not", () => {
  const ended = storm({ state: "ended", ended_at: "2026-01-01T03:20:00Z" });

  assert.equal(told({ storms: [ended] }).tone, "after");
  assert.equal(told({ storms: [{ ...ended, ended_at: "2026-01-01T01:20:00Z" }] }).tone, "quiet");
});

test("when a source has gone quiet nothing is called recovered", () => {
  const stats = { source_quiet_at: "2026-01-01T03:20:00Z" };

  assert.equal(told({ stats }).heading, "Nothing is told to fire");
  assert.notEqual(told({ stats }).tone, "quiet");
  for (const of of [{}, { live: [{ firing: 2, severity: "warning" }] }, { storm: storm() },
    { storm: storm({ state: "ended", ended_at: "2026-01-01T03:28:00Z" }) }]) {
    assert.match(told({ ...of, stats }).facts.join(), /a source has gone quiet .*may not have recovered/);
  }
});

test("what is suppressed is said, and does not count as firing", () => {
  const { heading, facts } = told({ live: [{ firing: 0, suppressed: 3, severity: "critical" }] });

  assert.equal(heading, "All that fires is suppressed");
  assert.deepEqual(facts, ["3 suppressed"]);
});
