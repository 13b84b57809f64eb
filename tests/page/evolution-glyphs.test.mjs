import assert from "node:assert/strict";
import { test } from "node:test";

import { calmSign, mark, marksOf, severitySign, trendSign } from "../../receiver/page/evolution-glyphs.js";
import { FakeContext } from "./fakes.mjs";

test("marks come in one order, and only those a cluster carries", () => {
  assert.deepEqual(marksOf({ pinned: true, acked_by: "ana", recurs: { cluster_id: 3 } }), ["pinned", "acked", "recurring"]);
  assert.deepEqual(marksOf({ pinned: false, acked_by: "", recurs: null }), []);
  assert.deepEqual(marksOf({}), []);
});

test("each mark has a path, drawn with its halo", () => {
  for (const name of ["pinned", "acked", "recurring"]) {
    const context = new FakeContext();
    mark(context, name, 5, 5, 9, "#fff", "#000");
    assert.equal(context.count("stroke"), 2);
  }
});

test("severities differ by shape", () => {
  const shape = (look) => {
    const context = new FakeContext();
    const path = [];
    for (const name of ["moveTo", "lineTo", "arc", "fill", "stroke"]) context[name] = (...args) => path.push([name, ...args]);
    severitySign(context, look, 5, 5, 9, "#fff");
    return JSON.stringify(path);
  };

  assert.equal(new Set(["critical", "warning", "info", "none", "other"].map(shape)).size, 5);
});

test("only growing and resolving have a trend", () => {
  const drawn = (state) => {
    const context = new FakeContext();
    trendSign(context, state, 5, 5, 7, "#fff");
    return context.count("fill");
  };

  assert.deepEqual(["growing", "resolving", "steady", "forming", undefined].map(drawn), [1, 1, 0, 0, 0]);
});

test("calm has a sign", () => {
  const context = new FakeContext();
  calmSign(context, 5, 5, 30, "#0f0");

  assert.equal(context.count("stroke"), 2);
});
