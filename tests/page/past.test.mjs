import assert from "node:assert/strict";
import { test } from "node:test";

import { likeness, noveltyWords, pastWords } from "../../receiver/page/past.js";

const NOW = Date.parse("2026-11-23T12:00:00Z");

test("a past cluster is told by its day, its length and how it ended", () => {
  const past = { opened_at: "2026-03-03T10:00:00.000Z", duration_seconds: 2460, ended: "PgDown (pod pg-0) resolved" };

  assert.equal(pastWords(past, NOW), "on 3 Mar: 41 min, ended when PgDown (pod pg-0) resolved");
  assert.equal(pastWords({ ...past, ended: null }, NOW), "on 3 Mar: 41 min");
  assert.equal(pastWords({ opened_at: "2025-03-03T10:00:00.000Z", duration_seconds: null, ended: "" }, NOW), "on 3 Mar 2025");
});

test("what it ended with is shown without what is not to be seen", () => {
  const past = { opened_at: "2026-03-03T10:00:00.000Z", duration_seconds: 60, ended: "a\u202eb resolved" };

  assert.ok(!pastWords(past, NOW).includes("\u202e"));
});

test("a likeness has two digits, and none where it is not known", () => {
  assert.deepEqual([0.931, 1, 0, null, undefined].map(likeness), ["0.93", "1.00", "0.00", "", ""]);
});

test("only what is known to be new is called so", () => {
  const cluster = { opened_at: "2026-11-23T10:00:00.000Z", first_seen: "2026-11-23T10:00:00.000Z" };

  assert.deepEqual([false, null, undefined].map((novel) => noveltyWords({ ...cluster, novel }, NOW)), ["", "", ""]);
  assert.equal(noveltyWords({ ...cluster, novel: true }, NOW), "it has alerts never seen here before");
  assert.equal(
    noveltyWords({ ...cluster, novel: true, first_seen: "2026-03-03T10:00:00.000Z" }, NOW),
    "it has alerts not seen here for long; the first was on 3 Mar",
  );
});
