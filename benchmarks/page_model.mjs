// What the page's model keeps over hours: `node --expose-gc benchmarks/page_model.mjs [MINUTES]`.
//
// Plays 2,000 live clusters and 1,000 events a second, ten frames a second, on a clock of its own, and
// prints the heap, after a collection, for every ten minutes of it. Leaves out canvas and lists.

import { EvolutionModel } from "../receiver/page/model.js";

const CLUSTERS = 2000;
const EVENTS_A_FRAME = 100;
const FRAME_MS = 100;
const ENDS = 0.0003; // of all events; about one cluster ends, and one begins, in three seconds
const WINDOW_SECONDS = 1800;

const minutes = Number(process.argv[2] ?? 120);
let now = Date.UTC(2026, 0, 1);
let seq = 0;
let lastId = 0;

const rendered = () => new Date(now).toISOString();

function cluster() {
  lastId += 1;
  return {
    id: lastId,
    title: `HighLatency in service s${lastId}`,
    state: "growing",
    severity: "warning",
    size: 1,
    firing: 1,
    opened_at: rendered(),
  };
}

function event(type, { id, firing }) {
  seq += 1;
  return { seq, time: rendered(), type, cluster_id: id, cluster_firing: firing };
}

function frame(live) {
  const events = [];
  const changed = new Map();
  for (let count = 0; count < EVENTS_A_FRAME; count += 1) {
    const place = Math.floor(Math.random() * live.length);
    let one = live[place];
    if (Math.random() < ENDS) {
      const over = { ...one, state: "resolved", resolved_at: rendered(), firing: 0 };
      events.push(event("cluster_resolved", over));
      changed.set(over.id, over);
      one = cluster();
      events.push(event("cluster_created", one));
    }
    const firing = Math.max(0, one.firing + (Math.random() < 0.5 ? 1 : -1));
    one = { ...one, firing, size: one.size + 1 };
    events.push(event("alert_assigned", one));
    live[place] = one;
    changed.set(one.id, one);
  }
  const first = events[0].seq;
  return { type: "events", first, last: seq, time: rendered(), events, clusters: [...changed.values()] };
}

const model = new EvolutionModel({ windowSeconds: WINDOW_SECONDS, clock: () => now });
const live = Array.from({ length: CLUSTERS }, cluster);
model.applySnapshot({ type: "snapshot", epoch: "benchmark", seq, time: rendered(), clusters: live });

console.log("minute  heap MB  lanes  samples");
for (let tick = 1; tick <= (minutes * 60_000) / FRAME_MS; tick += 1) {
  now += FRAME_MS;
  model.applyEvents(frame(live));
  if (tick % (600_000 / FRAME_MS) === 0) {
    globalThis.gc();
    const heap = process.memoryUsage().heapUsed / 1e6;
    const samples = [...model.lanes.values()].reduce((sum, lane) => sum + lane.samples.length, 0);
    const minute = String((tick * FRAME_MS) / 60_000).padStart(6);
    console.log(`${minute}  ${heap.toFixed(1).padStart(7)}  ${String(model.lanes.size).padStart(5)}  ${samples}`);
  }
}
