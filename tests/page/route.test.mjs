import assert from "node:assert/strict";
import { test } from "node:test";

import { parseRoute } from "../../receiver/page/route.js";

test("a cluster and an alert can be named by address", () => {
  assert.deepEqual(parseRoute("#cluster=7"), { kind: "cluster", id: 7 });
  assert.deepEqual(parseRoute("#alert=e9a8527f3e9eee29"), { kind: "alert", id: "e9a8527f3e9eee29" });
});

test("anything else names nothing", () => {
  for (const hash of ["", "#", "#cluster=0", "#cluster=-1", "#cluster=7x", "#alert=../x", "#rows"]) {
    assert.equal(parseRoute(hash), null);
  }
});
