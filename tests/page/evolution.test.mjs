import assert from "node:assert/strict";
import { test } from "node:test";

import { EvolutionView, darkTheme, lightTheme } from "../../receiver/page/evolution.js";
import { EvolutionModel } from "../../receiver/page/model.js";
import { fakeHost } from "./fakes.mjs";

const T0 = Date.parse("2026-11-23T18:00:00.000Z");
const iso = (seconds) => new Date(T0 + seconds * 1000).toISOString();
const cluster = (id, more = {}) => ({
  id, title: `Title ${id}`, state: "growing", severity: "warning", size: 3, firing: 3, opened_at: iso(-600), ...more,
});

function shown(t, clusters, { width = 1200, height = 600, storm = null, ...options } = {}) {
  const clock = { at: T0 };
  const model = new EvolutionModel({ clock: () => clock.at });
  model.applySnapshot({ epoch: "e", seq: 1, time: iso(0), clusters, storm, stats: {} });
  const fake = fakeHost(width, height);
  const got = { selected: [], hovered: [] };
  const view = new EvolutionView(fake.host, {
    reducedMotion: true, onSelect: (id) => got.selected.push(id), onHover: (id, at) => got.hovered.push([id, at]), ...options,
  });
  t.after(() => view.destroy());
  view.setModel(model);
  fake.frame();
  return { view, model, clock, got, ...fake, fake, texts: () => fake.host.children[1].context.texts, canvas: fake.host.children[1] };
}

/** Later events as the stream brings them. */
function update(model, clusters, events = []) {
  model.applyEvents({ first: 2, last: 1 + events.length, events, clusters, storm: null, stats: {} });
}

test("each lane has its title and its count", (t) => {
  const { texts } = shown(t, [cluster(1, { firing: 12 }), cluster(2, { title: "Other", firing: 7 })]);

  for (const text of ["Title 1", "12", "Other", "7", "now"]) assert.ok(texts().includes(text), text);
});

test("calm says so, and nothing does before the first frame", (t) => {
  assert.ok(shown(t, []).texts().includes("Nothing is firing."));
  const { host, frame } = fakeHost(800, 400);
  const view = new EvolutionView(host);
  t.after(() => view.destroy());
  view.setModel(new EvolutionModel());
  frame();

  assert.ok(!host.children[1].context.texts.some((text) => text.startsWith("Nothing")));
});

test("what finds no row is summed up, and no live cluster is missing", (t) => {
  const clusters = Array.from({ length: 300 }, (_, i) => cluster(i + 1, { firing: 2 }));
  const { texts } = shown(t, clusters);
  const more = texts().find((text) => text.startsWith("and "));
  const titles = texts().filter((text) => text.startsWith("Title")).length;
  const [, hidden, firing] = /^and (\d+) more clusters, (\d+) firing$/.exec(more);

  assert.equal(titles + Number(hidden), 300);
  assert.equal(Number(firing), Number(hidden) * 2);
});

test("a click selects the lane under it, and nothing beside lanes", (t) => {
  const { canvas, got } = shown(t, [cluster(1, { firing: 9 }), cluster(2)]);
  canvas.send("click", { clientX: 900, clientY: 22 + 20 });
  canvas.send("click", { clientX: 900, clientY: 22 + 42 + 20 });
  canvas.send("click", { clientX: 900, clientY: 500 });

  assert.deepEqual(got.selected, [1, 2, null]);
});

test("the pointer reports lanes with position and time, and leaving them", (t) => {
  const { canvas, got } = shown(t, [cluster(1)]);
  canvas.send("pointermove", { clientX: 900, clientY: 40 });
  canvas.send("pointermove", { clientX: 900, clientY: 500 });
  canvas.send("pointermove", { clientX: 901, clientY: 500 });
  canvas.send("pointermove", { clientX: 900, clientY: 40 });
  canvas.send("pointerleave");

  assert.deepEqual(got.hovered.map(([id]) => id), [1, null, 1, null]);
  assert.equal(got.hovered[0][1].x, 900);
  assert.ok(got.hovered[0][1].timeMs < T0);
});

test("the keyboard goes through lanes in the order of rows, around the ends", (t) => {
  const { view, got } = shown(t, [cluster(1, { firing: 9 }), cluster(2, { severity: "critical" }), cluster(3)]);
  const ids = [view.moveFocus(1), view.moveFocus(1), view.moveFocus(1), view.moveFocus(1), view.moveFocus(-1)];

  assert.deepEqual(ids, [2, 1, 3, 2, 3]);
  assert.deepEqual(got.hovered.map(([id]) => id), ids);
  assert.equal(shown(t, []).view.moveFocus(1), null);
});

test("a hidden cluster that is selected comes on screen", (t) => {
  const clusters = Array.from({ length: 200 }, (_, i) => cluster(i + 1, { firing: 5, severity: "critical" }));
  clusters.push(cluster(999, { title: "Last of all", firing: 1, severity: "" }));
  const { view, frame, texts } = shown(t, clusters);
  assert.ok(!texts().includes("Last of all"));
  view.select(999);
  frame();

  assert.ok(texts().includes("Last of all"));
});

test("hostile titles are drawn harmless and short", (t) => {
  const { texts } = shown(t, [cluster(1, { title: `\u202e\u0000evil\n${"x".repeat(5000)}` }), cluster(2, { title: "\u200b" }), cluster(3, { title: undefined })]);

  assert.ok(texts().every((text) => text.length <= 200 && !/[\u0000-\u001f\u202a-\u202e]/.test(text)));
  assert.ok(texts().includes("Cluster 2") && texts().includes("Cluster 3"));
});

test("nothing is drawn while nothing changes", (t) => {
  const { view, frame, frames, canvas } = shown(t, [cluster(1)]);
  frame();
  assert.equal(frames.size, 0);
  const before = canvas.context.count("clearRect");
  for (let i = 0; i < 10; i += 1) { view.invalidate(); frame(); }

  assert.equal(canvas.context.count("clearRect"), before);
});

test("time moves the history on by a copy, also where a state changed; another scale draws it whole", (t) => {
  const all = [1, 2, 3, 4, 5].map((id) => cluster(id));
  const { view, model, clock, frame, history } = shown(t, all);
  const later = (clusters) => {
    clock.at += 30_000;
    update(model, clusters);
    view.invalidate();
    frame();
  };
  later([]);
  assert.equal(history.count("drawImage"), 1);
  later([cluster(1, { state: "resolving" })]);
  assert.equal(history.count("drawImage"), 2);
  later(all.map((one) => ({ ...one, firing: 9000, size: 9000 })));

  assert.equal(history.count("drawImage"), 2);
});

test("a hidden page is left alone and drawn when it comes back", (t) => {
  const { view, model, document, frame, frames, texts } = shown(t, [cluster(1)]);
  document.hidden = true;
  document.send("visibilitychange");
  update(model, [cluster(1, { firing: 77 })]);
  view.invalidate();
  assert.equal(frames.size, 0);
  document.hidden = false;
  document.send("visibilitychange");
  frame();

  assert.ok(texts().includes("77"));
});

test("a resize draws anew at the new size, down to a phone and to nothing", (t) => {
  const { fake, frame, canvas, texts } = shown(t, [cluster(1), cluster(2, { severity: "critical" })]);
  for (const [width, height] of [[360, 640], [200, 90], [0, 0], [1400, 500]]) {
    fake.resize(width, height);
    frame();
  }

  assert.equal(canvas.width, 1400);
  assert.ok(texts().includes("Title 1"));
});

test("the label sums the picture up, at most every five seconds", (t) => {
  const storm = { id: 1, state: "peak", started_at: iso(-60), ended_at: null, cluster_ids: [1], intensity: 12.3, episodes: 40 };
  const { view, model, frame, canvas } = shown(t, [cluster(1, { firing: 31 }), cluster(2)], { storm });
  assert.equal(canvas.getAttribute("role"), "img");
  assert.match(view.summary, /2 live clusters, 34 firing alerts\. Worst severity warning\. Largest: Title 1, 31 firing\. Storm since/);
  const first = view.summary;
  update(model, [cluster(1, { firing: 50 })]);
  view.invalidate();
  frame(200);
  assert.equal(view.summary, first);
  update(model, [cluster(1, { firing: 60 })]);
  view.invalidate();
  frame(6000);

  assert.match(view.summary, /60 firing/);
});

test("storms, merges, splits, marks, themes and past ranges can be drawn", (t) => {
  const storm = { id: 1, state: "onset", started_at: iso(-300), ended_at: null, cluster_ids: [1], intensity: 12.3, episodes: 430 };
  const { view, model, frame, texts } = shown(t, [
    cluster(1, { pinned: true, acked_by: "ana", recurs: { cluster_id: 9 } }), cluster(2), cluster(3, { split_from: 1, opened_at: iso(-100) }),
  ], { storm });
  assert.ok(texts().some((text) => text === "Storm: 430 alerts so far"));
  update(model, [cluster(2, { state: "merged", merged_into: 1, firing: 0, updated_at: iso(0) })], [{ seq: 2, time: iso(0), type: "cluster_merged", cluster_id: 2, into: 1 }]);
  view.setTheme(lightTheme);
  frame();
  view.setTheme({ ...darkTheme, severity: { critical: "#f00" } });
  frame();
  view.setRange({ fromMs: T0 - 3_600_000, toMs: T0 - 60_000 });
  frame();

  assert.ok(!texts().includes("now"));
});

test("after destroy nothing is left behind", (t) => {
  const { view, host, document, frames, observers, canvas } = shown(t, [cluster(1)]);
  view.destroy();
  view.invalidate();

  assert.equal(host.children.length, 0);
  assert.equal(frames.size, 0);
  assert.equal(observers.length, 0);
  assert.deepEqual([...document.listeners.values(), ...canvas.listeners.values()].flat(), []);
});
