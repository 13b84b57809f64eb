import assert from "node:assert/strict";
import { test } from "node:test";

import { firingAlerts, hitWords } from "../../receiver/page/firing.js";

/** Pages of alerts as the receiver lists them, each as [cluster, name]; leaves out all filters. */
class FakeApi {
  asked = [];
  constructor(pages) { this.pages = pages; }
  async get(path, { cursor, ...parameters }) {
    this.asked.push([path, parameters]);
    const page = Number(cursor ?? 0);
    const items = this.pages[page % this.pages.length].map(([id, alertname]) => ({ cluster_id: id, labels: { alertname } }));
    return { items, next: page + 1 < this.pages.length || this.endless ? String(page + 1) : null };
  }
}

test("all pages are read, and members are told from the rest", async () => {
  const api = new FakeApi([[[1, "A"], [2, "B"]], [[1, "C"], [null, "D"]]]);
  const { members, others, complete } = await firingAlerts(api, 1);

  assert.deepEqual(members.map((m) => m.alertname), ["A", "C"]);
  assert.deepEqual(others.map((m) => m.alertname), ["B", "D"]);
  assert.ok(complete);
  assert.deepEqual(api.asked[0], ["alerts", { state: "firing", limit: 1000 }]);
});

test("it does not read for ever, and says that it stopped", async () => {
  const api = new FakeApi([[[1, "A"]]]);
  api.endless = true;

  assert.equal((await firingAlerts(api, 1)).complete, false);
  assert.equal(api.asked.length, 10);
});

test("what is not known to be complete is told as a least", () => {
  assert.equal(hitWords(0, true), "It hits no other alert that fires now. Later alerts that match are silenced too.");
  assert.match(hitWords(0, false), /none of the other alerts looked at/);
  assert.match(hitWords(1, true), /^It hits 1 other alert that fires now, outside this cluster\. Later/);
  assert.match(hitWords(7, false), /at least 7 other alerts that fire/);
});
