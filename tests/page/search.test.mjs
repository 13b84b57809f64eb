import assert from "node:assert/strict";
import { test } from "node:test";

import { parseQuery } from "../../receiver/page/search.js";

test("words stay words", () => {
  assert.deepEqual(parseQuery(" disk  full "), { q: "disk full", label: [], cluster_id: null, state: null });
});

test("label=value, also quoted or written as the API writes it, looks for a label", () => {
  const { q, label } = parseQuery('checkout team=payments label=zone=eu-1 title="two words"');

  assert.equal(q, "checkout");
  assert.deepEqual(label, ["team=payments", "zone=eu-1", "title=two words"]);
});

test("a value may hold an equals sign", () => {
  assert.deepEqual(parseQuery("instance=http://x/?a=b").label, ["instance=http://x/?a=b"]);
});

test("cluster and state have words of their own", () => {
  assert.deepEqual(parseQuery("cluster:7 state:firing x"), { q: "x", label: [], cluster_id: "7", state: "firing" });
});
