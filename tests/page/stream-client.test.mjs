import assert from "node:assert/strict";
import { test } from "node:test";

import { StreamClient, backoffMs, streamAddress } from "../../receiver/page/stream-client.js";

/** A socket as the client sees it. Leaves out: readyState, onopen, binary frames, the close handshake. */
class FakeSocket {
  static opened = [];
  constructor(address) {
    this.address = new URL(address);
    this.closed = false;
    FakeSocket.opened.push(this);
  }
  close() { this.closed = true; }
  say(frame) { this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) }); }
  drop(code = 1006) { this.onclose?.({ code }); }
  asked(name) { return this.address.searchParams.get(name); }
}

/** A clock with timers that run when told to. */
class Clock {
  time = 1_000_000;
  timers = new Map();
  next = 1;
  now = () => this.time;
  setTimer = (callback, ms) => { this.timers.set(this.next, { callback, due: this.time + ms }); return this.next++; };
  clearTimer = (timer) => this.timers.delete(timer);
  advance(ms) {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.timers].filter(([, t]) => t.due <= end).sort((a, b) => a[1].due - b[1].due)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.time = Math.max(this.time, due[1].due);
      due[1].callback();
    }
    this.time = end;
  }
  /** Time passes but no timer runs, as on a laptop with its lid closed. */
  sleep(ms) {
    this.time += ms;
    for (const timer of this.timers.values()) timer.due += ms;
  }
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const event = (seq) => ({ seq, type: "alert_assigned" });
const snapshot = (seq, epoch = "e1", more = {}) => ({ type: "snapshot", epoch, seq, clusters: [], ...more });
const events = (first, last) => ({
  type: "events", first, last, clusters: [],
  events: Array.from({ length: last - first + 1 }, (_, i) => event(first + i)),
});

async function connected(options = {}) {
  FakeSocket.opened = [];
  const clock = new Clock();
  const got = { snapshots: [], events: [], heartbeats: [], statuses: [] };
  const client = new StreamClient({
    url: "http://host/prefix/api/v1/stream", WebSocketClass: FakeSocket, random: () => 0.5,
    now: clock.now, setTimer: clock.setTimer, clearTimer: clock.clearTimer,
    onSnapshot: (f) => got.snapshots.push(f), onEvents: (f) => got.events.push(f),
    onHeartbeat: (f) => got.heartbeats.push(f), onStatus: (s) => got.statuses.push(s),
    ...options,
  });
  client.start();
  await settle();
  return { client, clock, got, socket: () => FakeSocket.opened.at(-1), states: () => got.statuses.map((s) => s.state) };
}

test("the address keeps the route prefix and carries position and ticket", () => {
  const address = new URL(streamAddress("./api/v1/stream", { after: 7, epoch: "e", ticket: "t&", base: "https://h/p/" }));

  assert.equal(address.origin + address.pathname, "wss://h/p/api/v1/stream");
  assert.deepEqual(Object.fromEntries(address.searchParams), { after: "7", epoch: "e", ticket: "t&" });
});

test("the first connection asks for no position and is live with its first frame", async () => {
  const { client, got, socket, states } = await connected();
  assert.equal(socket().asked("after"), null);
  socket().say(snapshot(5));

  assert.deepEqual(states(), ["connecting", "live"]);
  assert.equal(got.snapshots[0].seq, 5);
  assert.equal(client.seq, 5);
});

test("after a lost connection it resumes after the last event", async () => {
  const { clock, socket } = await connected();
  socket().say(snapshot(5));
  socket().say(events(6, 9));
  socket().drop();
  clock.advance(15_000);
  await settle();

  assert.equal(socket().asked("after"), "9");
  assert.equal(socket().asked("epoch"), "e1");
});

test("an event seen before is not handed on again", async () => {
  const { got, socket } = await connected();
  socket().say(snapshot(5));
  socket().say(events(4, 8));
  socket().say(events(6, 8));
  socket().say(events(3, 5));

  assert.deepEqual(got.events.map((f) => f.events.map((e) => e.seq)), [[6, 7, 8], []]);
});

test("a frame without events, only changed clusters, is handed on", async () => {
  const { got, socket } = await connected();
  socket().say(snapshot(5));
  socket().say({ type: "events", first: 6, last: 5, events: [], clusters: [{ id: 1 }] });

  assert.equal(got.events[0].clusters[0].id, 1);
});

for (const [what, frame] of [
  ["a gap in seq", events(9, 10)],
  ["a heartbeat ahead of the last event", { type: "heartbeat", seq: 9 }],
  ["a frame that is not JSON", "{"],
]) {
  test(`${what} leads to a fresh snapshot`, async () => {
    const { clock, got, socket } = await connected();
    const first = socket();
    first.say(snapshot(5));
    first.say(frame);
    clock.advance(500);
    await settle();

    assert.equal(first.closed, true);
    assert.equal(got.events.length, 0);
    assert.notEqual(socket(), first);
    assert.equal(socket().asked("after"), null);
  });
}

test("another epoch makes the snapshot a reset", async () => {
  const { clock, got, socket } = await connected();
  socket().say(snapshot(500));
  socket().drop(1001);
  clock.advance(15_000);
  await settle();
  socket().say(snapshot(3, "e2"));
  socket().say(events(4, 4));

  assert.equal(got.snapshots[1].reset, true);
  assert.equal(got.events[0].last, 4);
});

test("waiting grows with each failure, is jittered, and is bounded", () => {
  assert.equal(backoffMs(0, () => 1), 500);
  assert.equal(backoffMs(3, () => 1), 4000);
  assert.equal(backoffMs(3, () => 0.25), 1000);
  assert.equal(backoffMs(400, () => 1), 15_000);
});

test("a failing server is asked again at growing intervals, and the status says when", async () => {
  const { clock, got, socket } = await connected();
  const waits = [];
  for (let i = 0; i < 4; i += 1) {
    socket().drop();
    waits.push(got.statuses.at(-1).retryAt - clock.now());
    clock.advance(waits.at(-1));
    await settle();
  }

  assert.deepEqual(waits, [250, 500, 1000, 2000]);
  assert.equal(FakeSocket.opened.length, 5);
});

test("25 s of silence end the connection", async () => {
  const { clock, socket, states } = await connected();
  const first = socket();
  first.say(snapshot(5));
  clock.advance(20_000);
  first.say({ type: "heartbeat", seq: 5 });
  clock.advance(24_000);
  assert.equal(first.closed, false);
  clock.advance(1_000);

  assert.equal(first.closed, true);
  assert.deepEqual(states().slice(-2), ["silent", "waiting"]);
});

test("a slow client resumes at once, a full server is asked later", async () => {
  const { clock, got, socket } = await connected();
  socket().say(snapshot(5));
  clock.advance(6_000);
  socket().drop(4008);
  assert.equal(got.statuses.at(-1).retryAt, clock.now());
  clock.advance(0);
  await settle();
  assert.equal(socket().asked("after"), "5");
  socket().drop(4013);

  assert.equal(got.statuses.at(-1).retryAt - clock.now(), 11_250);
});

test("a refused ticket is replaced at once, a second refusal has to wait", async () => {
  let tickets = 0;
  const { clock, got, socket } = await connected({ ticket: async () => `t${(tickets += 1)}` });
  assert.equal(socket().asked("ticket"), "t1");
  socket().drop(4001);
  clock.advance(0);
  await settle();
  assert.equal(socket().asked("ticket"), "t2");
  socket().drop(4001);

  assert.ok(got.statuses.at(-1).retryAt > clock.now());
});

test("without a valid token it stops trying until woken", async () => {
  let allowed = false;
  const ticket = async () => { if (!allowed) throw { unauthorized: true }; return null; };
  const { client, clock, states } = await connected({ ticket });
  clock.advance(3_600_000);
  await settle();
  assert.equal(states().at(-1), "unauthorized");
  assert.equal(FakeSocket.opened.length, 0);
  allowed = true;
  client.wake();
  await settle();

  assert.equal(FakeSocket.opened.length, 1);
});

test("a ticket that fails for another reason is asked for again", async () => {
  const { states } = await connected({ ticket: async () => { throw new TypeError("network"); } });

  assert.equal(states().at(-1), "waiting");
});

test("a ticket that comes after stop opens no socket", async () => {
  let give;
  const { client } = await connected({ ticket: () => new Promise((resolve) => { give = resolve; }) });
  client.stop();
  give("late");
  await settle();

  assert.equal(FakeSocket.opened.length, 0);
});

test("waking after a sleep replaces a socket that has been silent, and leaves a fresh one alone", async () => {
  const { client, clock, socket } = await connected();
  const first = socket();
  first.say(snapshot(5));
  client.wake();
  assert.equal(socket(), first);
  clock.sleep(3_600_000);
  client.wake();
  await settle();

  assert.equal(first.closed, true);
  assert.equal(socket().asked("after"), "5");
});

test("waking cuts a wait short", async () => {
  const { client, socket } = await connected();
  const first = socket();
  first.drop();
  client.wake();
  await settle();

  assert.notEqual(socket(), first);
});

test("after stop nothing is handed on and no timer is left", async () => {
  const { client, clock, got, socket } = await connected();
  const first = socket();
  first.say(snapshot(5));
  client.stop();
  first.say(events(6, 6));
  first.drop();

  assert.equal(got.events.length, 0);
  assert.equal(clock.timers.size, 0);
  assert.equal(client.state, "stopped");
});
