import assert from "node:assert/strict";
import { test } from "node:test";

import { EvolutionModel } from "../../receiver/page/model.js";
import { valueAt } from "../../receiver/page/model-lane.js";

const T0 = Date.parse("2026-11-23T18:00:00.000Z");
const iso = (seconds) => new Date(T0 + seconds * 1000).toISOString();
const ms = (seconds) => T0 + seconds * 1000;

const cluster = (id, more = {}) => ({
  id, title: `Cluster ${id}`, state: "growing", severity: "warning", size: 1, firing: 1, opened_at: iso(0), ...more,
});
const snapshot = (at, clusters = [], more = {}) => ({
  type: "snapshot", epoch: "e", seq: 100, time: iso(at), clusters, storm: null, stats: {}, ...more,
});
let nextSeq = 101;
const event = (at, type, id, more = {}) => ({ seq: nextSeq++, time: iso(at), type, cluster_id: id, ...more });
const frame = (events, clusters = [], more = {}) => ({
  type: "events", first: events[0]?.seq, last: events.at(-1)?.seq, events, clusters, storm: null, stats: {}, ...more,
});

function modelAt(seconds, options = {}) {
  const clock = { at: ms(seconds) };
  return { clock, model: new EvolutionModel({ clock: () => clock.at, ...options }) };
}

test("a snapshot gives lanes that begin with the cluster, known from now on", () => {
  const { model } = modelAt(60);
  model.applySnapshot(snapshot(60, [cluster(1, { firing: 7 })]));
  const lane = model.lanes.get(1);

  assert.equal(lane.bornAt, ms(0));
  assert.deepEqual(lane.samples, [[ms(60), 7]]);
  assert.equal(model.clusters.get(1).firing, 7);
});

test("events move a lane at their own times, the frame's clusters have the last word", () => {
  const { model } = modelAt(60);
  model.applySnapshot(snapshot(60));
  model.applyEvents(frame(
    [event(61, "cluster_created", 2), event(61, "alert_assigned", 2, { cluster_firing: 1 }),
      event(65, "alert_assigned", 2, { cluster_firing: 2 })],
    [cluster(2, { firing: 3, opened_at: iso(61) })],
  ));

  assert.deepEqual(model.lanes.get(2).samples, [[ms(61), 1], [ms(65), 3]]);
  assert.equal(model.seq, nextSeq - 1);
});

test("events of unknown clusters, unknown types and missing fields break nothing", () => {
  const { model } = modelAt(0);
  model.applySnapshot({ type: "snapshot", epoch: "e", seq: 1 });
  model.applyEvents({ events: [
    event(1, "alert_assigned", 99, { cluster_firing: 3 }), event(1, "cluster_merged", 98, { into: 97 }),
    event(1, "cluster_resolved", 96), event(1, "from_the_future", 95), { type: "storm_started" }, event(1, "cluster_split", 94),
  ] });
  model.applyEvents({});
  model.applyTimeline({});
  model.applyHeartbeat({});

  assert.equal(model.live().length, 0);
  assert.equal(model.fired(60), 1);
});

test("a cluster that came and went in one frame leaves a lane", () => {
  const { model } = modelAt(0);
  model.applySnapshot(snapshot(0));
  model.applyEvents(frame([
    event(1, "cluster_created", 5, { title: "Brief", cluster_firing: 1 }),
    event(4, "cluster_resolved", 5, { cluster_firing: 0 }),
  ]));

  assert.equal(model.clusters.get(5).state, "resolved");
  assert.equal(model.lanes.get(5).endedAt, ms(4));
});

test("a merged cluster ends its lane into the survivor", () => {
  const { model } = modelAt(0);
  model.applySnapshot(snapshot(0, [cluster(1, { firing: 4 }), cluster(2, { firing: 6 })]));
  model.applyEvents(frame([event(9, "cluster_merged", 2, { into: 1, cluster_firing: 0 })], [cluster(1, { firing: 10 })]));
  const lane = model.lanes.get(2);

  assert.equal(lane.mergedInto, 1);
  assert.equal(lane.endedAt, ms(9));
  assert.equal(valueAt(lane.samples, ms(8)), 6);
  assert.deepEqual(model.live().map((c) => c.id), [1]);
});

test("a split lane knows its parent", () => {
  const { model } = modelAt(0);
  model.applySnapshot(snapshot(0, [cluster(1)]));
  model.applyEvents(frame([event(5, "cluster_split", 1, { from: 1, into: 3 })], [cluster(3, { split_from: 1, opened_at: iso(5) })]));

  assert.equal(model.lanes.get(3).splitFrom, 1);
  assert.equal(model.lanes.get(1).splitFrom, null);
});

test("a cluster missing from the next snapshot has ended, a lane it had stays", () => {
  const { model, clock } = modelAt(0);
  model.applySnapshot(snapshot(0, [cluster(1, { firing: 4 }), cluster(2)]));
  clock.at = ms(100);
  model.applySnapshot(snapshot(100, [cluster(2)], { reset: true }));

  assert.deepEqual(model.live().map((c) => c.id), [2]);
  assert.equal(model.lanes.get(1).endedAt, ms(100));
  assert.equal(model.lanes.get(1).samples.at(-1)[1], 0);
});

test("another epoch forgets everything", () => {
  const { model } = modelAt(0);
  model.applySnapshot(snapshot(0, [cluster(1)]));
  model.applyEvents(frame([event(1, "alert_assigned", 1, { cluster_firing: 2 })]));
  model.applySnapshot(snapshot(2, [cluster(1, { firing: 9 })], { epoch: "other", seq: 4 }));

  assert.deepEqual(model.lanes.get(1).samples, [[ms(2), 9]]);
  assert.equal(model.fired(60), 0);
  assert.equal(model.seq, 4);
});

test("live clusters come worst first, then largest, and an unknown severity ranks above all", () => {
  const { model } = modelAt(0);
  model.applySnapshot(snapshot(0, [
    cluster(1, { severity: "info", firing: 90 }), cluster(2, { severity: "critical", firing: 2 }),
    cluster(3, { severity: "critical", firing: 8 }), cluster(4, { severity: "page" }), cluster(5, { severity: "" }),
    cluster(6, { state: "resolved" }),
  ]));

  assert.deepEqual(model.live().map((c) => c.id), [4, 3, 2, 1, 5]);
  assert.deepEqual(["", undefined, "info", "critical", "page"].map((s) => model.severityRank(s)), [-1, -1, 0, 2, 3]);
});

test("fired counts assigned and reopened alerts, resolved counts resolved and stale ones", () => {
  const { model, clock } = modelAt(0);
  model.applySnapshot(snapshot(0, [cluster(1)]));
  clock.at = ms(30);
  model.applyEvents(frame([
    event(10, "alert_assigned", 1), event(20, "alert_reopened", 1), event(25, "alert_resolved", 1), event(30, "alert_stale", 1),
  ]));

  assert.equal(model.fired(60), 2);
  assert.equal(model.resolved(60), 2);
  assert.equal(model.fired(11), 1);
  assert.deepEqual(model.rate(ms(0), ms(40), 20_000), { fired: [1, 1], resolved: [0, 2] });
});

const timeline = (more = {}) => ({
  from: iso(-300), to: iso(60), step_seconds: 60, seq: 100,
  fired: [0, 3, 2, 0, 0, 4], resolved: [0, 0, 1, 0, 0, 0],
  clusters: [
    { ...cluster(1, { firing: 5, opened_at: iso(-230) }), samples: [[1, 3], [3, 5], [5, 6]] },
    { ...cluster(2, { state: "resolved", opened_at: iso(-200), resolved_at: iso(-100) }), samples: [[1, 1], [3, 0]] },
  ],
  truncated: false, ...more,
});

test("a timeline fills the time before the stream and leaves the stream's own", () => {
  const { model } = modelAt(30);
  model.applySnapshot(snapshot(30, [cluster(1, { firing: 8, opened_at: iso(-230) })]));
  model.applyTimeline(timeline());

  assert.deepEqual(model.lanes.get(1).samples, [[ms(-180), 3], [ms(-60), 5], [ms(30), 8]]);
  assert.equal(model.lanes.get(2).endedAt, ms(-100));
  assert.equal(model.clusters.get(1).firing, 8);
});

test("what stream and timeline both saw is counted once, however often the timeline comes", () => {
  const { model, clock } = modelAt(30);
  model.applySnapshot(snapshot(30, [cluster(1)]));
  clock.at = ms(60);
  model.applyEvents(frame([event(40, "alert_assigned", 1), event(41, "alert_assigned", 1), event(42, "alert_assigned", 1)], [cluster(1)]));
  model.applyTimeline(timeline());
  model.applyTimeline(timeline());
  const rate = model.rate(ms(-300), ms(60), 60_000);

  assert.deepEqual(rate.fired, [0, 3, 2, 0, 0, 4]);
  assert.deepEqual(rate.resolved, [0, 0, 1, 0, 0, 0]);
});

test("a timeline also fills the gap a reset left", () => {
  const { model, clock } = modelAt(-280);
  model.applySnapshot(snapshot(-280, [cluster(1, { firing: 2, opened_at: iso(-290) })]));
  clock.at = ms(30);
  model.applySnapshot(snapshot(30, [cluster(1, { firing: 8, opened_at: iso(-290) })]));
  model.applyTimeline(timeline({ clusters: [{ ...cluster(1), samples: [[0, 99], [1, 3], [3, 5]] }] }));

  assert.deepEqual(model.lanes.get(1).samples, [[ms(-280), 2], [ms(-240), 99], [ms(-180), 3], [ms(-60), 5], [ms(30), 8]]);
});

test("storms that end stay in the window, then go", () => {
  const { model, clock } = modelAt(0);
  const storm = { id: 1, state: "peak", started_at: iso(0), ended_at: null, cluster_ids: [1] };
  model.applySnapshot(snapshot(0, [cluster(1), cluster(2)], { storm }));
  assert.deepEqual(model.outsideStorm().map((c) => c.id), [2]);
  model.applyEvents(frame([event(50, "storm_ended", null)]));
  assert.equal(model.storm, null);
  assert.equal(model.storms[0].state, "ended");
  assert.equal(model.storms[0].ended_at, iso(50));
  clock.at = ms(4000);
  model.applyHeartbeat({ time: iso(4000) });

  assert.equal(model.storms.length, 0);
});

test("affected sums members by value, the most first, hostile names included", () => {
  const { model } = modelAt(0);
  model.applySnapshot(snapshot(0, [
    cluster(1, { affected: { team: { payments: 20, orders: 8 }, service: { pg: 3 } } }),
    cluster(2, { affected: { team: { orders: 30 }, ["__proto__"]: { x: 1 } } }),
  ]));

  assert.deepEqual(model.affected().team, [["orders", 38], ["payments", 20]]);
  assert.deepEqual(model.affected([1]).service, [["pg", 3]]);
  assert.deepEqual(new EvolutionModel().affected(), { team: [], service: [] });
});

test("the server's time is the least delayed frame's, and follows a clock that was set", () => {
  const { model, clock } = modelAt(0);
  clock.at = ms(-5000);
  model.applySnapshot(snapshot(0));
  clock.at += 10_000;
  model.applyEvents(frame([event(9.5, "alert_assigned", 1)]));
  assert.equal(model.now(), ms(10));
  clock.at += 3_600_000;
  model.applyHeartbeat({ time: iso(20) });

  assert.equal(model.now(), ms(20));
});

test("memory stays flat under hours of events", () => {
  const { model, clock } = modelAt(0, { windowSeconds: 300 });
  model.applySnapshot(snapshot(0));
  const sizes = [];
  for (let second = 1; second <= 3000; second += 1) {
    clock.at = ms(second);
    const events = [];
    const clusters = [];
    for (let i = 0; i < 20; i += 1) {
      const id = Math.floor(second / 10) * 20 + i;
      events.push(event(second + i / 40, "alert_assigned", id, { cluster_firing: second % 50 }));
      const ends = second % 10 === 9;
      clusters.push(cluster(id, { firing: ends ? 0 : second % 50, state: ends ? "resolved" : "growing", resolved_at: ends ? iso(second) : null }));
    }
    model.applyEvents(frame(events, clusters));
    let samples = 0;
    for (const lane of model.lanes.values()) samples += lane.samples.length;
    sizes.push(model.lanes.size, samples, model.clusters.size);
  }

  assert.ok(model.lanes.size <= 20 * 32, `${model.lanes.size} lanes`);
  assert.equal(model.lanes.size, model.clusters.size);
  assert.ok(Math.max(...sizes.slice(-1500)) <= Math.max(...sizes.slice(1500, 3000)) * 1.1);
});

test("2,000 live clusters and 1,000 events a second fold in a small share of the time", () => {
  const { model, clock } = modelAt(0);
  model.applySnapshot(snapshot(0, Array.from({ length: 2000 }, (_, i) => cluster(i + 1))));
  const started = performance.now();
  for (let tick = 1; tick <= 300; tick += 1) {
    clock.at = ms(tick / 10);
    const events = Array.from({ length: 100 }, (_, i) => event(tick / 10, "alert_assigned", ((tick * 100 + i) % 2000) + 1, { cluster_firing: tick }));
    model.applyEvents(frame(events, events.map((e) => cluster(e.cluster_id, { firing: tick }))));
    model.live();
  }
  const spentMs = performance.now() - started;

  assert.ok(spentMs < 6000, `${spentMs} ms for 30 s of stream`);
});
