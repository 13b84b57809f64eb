import assert from "node:assert/strict";
import { test } from "node:test";

import { spreadSteps, waveText } from "../../receiver/page/evolution-spread.js";

const at = (second) => new Date(second * 1000).toISOString();
const wave = (second, values, total = values.length) => ({ at: at(second), values, values_total: total });
const room = { xOf: (ms) => ms / 100, from: 0, to: 1000, width: (text) => text.length * 6 };

test("a wave names a few of its values and counts the rest", () => {
  assert.equal(waveText(wave(0, ["web", "cart", "search", "ads"], 8)), "web, cart, search +5");
});

test("values from anywhere are made harmless and short", () => {
  assert.equal(waveText(wave(0, ["\u202egpj.exe"])), "gpj.exe");
  assert.equal(waveText(wave(0, [""])), "(empty)");
  assert.ok(waveText(wave(0, ["x".repeat(5000)])).length <= 24);
});

test("words stand at their stroke, and after the words before where these reach so far", () => {
  const { strokes, words } = spreadSteps({ waves: [wave(10, ["db"]), wave(20, ["web", "cart"]), wave(21, ["ads"])] }, room);

  assert.deepEqual(strokes, [100, 200, 210]);
  assert.deepEqual(words.map(({ text }) => text), ["db", "then web, cart", "then ads"]);
  assert.deepEqual(words.map(({ x }) => x), [105, 205, 205 + 14 * 6 + 10]);
});

test("strokes too near to tell apart are one", () => {
  assert.deepEqual(spreadSteps({ waves: [wave(10, ["a"]), wave(10.1, ["b"])] }, room).strokes, [100]);
});

test("without room for one nothing later is told either, for the order is the message", () => {
  const { strokes, words } = spreadSteps({ waves: [wave(10, ["a"]), wave(90, ["b".repeat(20)]), wave(99, [])] }, room);

  assert.deepEqual(words.map(({ text }) => text), ["a"]);
  assert.deepEqual(strokes, [100, 900, 990]);
});

test("what began before the window is told at its edge, without a stroke", () => {
  const { strokes, words } = spreadSteps({ waves: [wave(-50, ["a"]), wave(20, ["b"])] }, room);

  assert.deepEqual(strokes, [200]);
  assert.equal(words[0].x, 0);
});

test("no spread, no steps", () => {
  assert.deepEqual(spreadSteps(null, room), { strokes: [], words: [] });
});
