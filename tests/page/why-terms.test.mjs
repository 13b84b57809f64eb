import assert from "node:assert/strict";
import { test } from "node:test";

import { bar, scaleOf, signed, termHelp, termName, total, whatDiffers } from "../../receiver/page/why-terms.js";

const best = { cluster_id: 5, evidence: { text: 1, labels: 2, time: -0.5 } };
const second = { cluster_id: 7, evidence: { text: -3, labels: 0.5, time: 1 } };

test("a term that is not known has its own name, whatever objects have by nature", () => {
  assert.equal(termName("text"), "Text");
  assert.equal(termName("same_day"), "Same day");
  assert.equal(termName("constructor"), "Constructor");
  assert.equal(termHelp("constructor"), null);
  assert.match(termHelp("time"), /next alert/);
});

test("all bars of a decision, the sums and the threshold are on one scale that has zero in it", () => {
  const scale = scaleOf([best, second], 5);
  for (const value of [0, 1, 2, -0.5, -3, total(best), total(second), 5]) {
    assert.ok(scale(value) > 0 && scale(value) < 1, String(value));
  }
  assert.ok(scale(-3) < scale(0) && scale(0) < scale(5));
  assert.equal(total(best), 2.5);
});

test("bars go from zero to either side, and are empty at zero", () => {
  const scale = scaleOf([best], null);
  const forIt = bar(2, scale);
  const against = bar(-0.5, scale);
  assert.equal(forIt.x, scale(0));
  assert.ok(!forIt.against && against.against);
  assert.ok(Math.abs(against.x + against.width - scale(0)) < 1e-9);
  assert.ok(Math.abs(forIt.width - 4 * against.width) < 1e-9);
  assert.equal(bar(0, scale).width, 0);
});

test("little evidence looks little", () => {
  const scale = scaleOf([{ evidence: { text: 0.01 } }], null);
  assert.ok(bar(0.01, scale).width < 0.02);
});

test("log-odds have a sign, and none at zero", () => {
  assert.deepEqual([1.26, -2, 0.04, -0.04].map(signed), ["+1.3", "−2.0", "0.0", "0.0"]);
});

test("it is told what would have to differ", () => {
  const why = (evidence, decided_by) => ({ best, runner_up: second, margin: { evidence, decided_by } });
  assert.equal(
    whatDiffers(why(2.5, ["labels"])),
    "Runner-up cluster 7 is 2.5 behind: with as much for labels it would have been level or ahead.",
  );
  assert.match(whatDiffers(why(1, ["text", "labels", "time"])), /any one of text, labels or time it would/);
  assert.match(whatDiffers(why(1, [])), /by several terms together/);
  assert.match(whatDiffers(why(-1, [])), /cluster 7 is ahead/);
  assert.equal(whatDiffers({ best, runner_up: null, margin: null }), null);
  assert.equal(whatDiffers({ best, runner_up: second }), null);
});
