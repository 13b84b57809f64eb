import assert from "node:assert/strict";
import { test } from "node:test";

import { TextMeasure, counted, countText, drawable } from "../../receiver/page/evolution-text.js";
import { FakeContext } from "./fakes.mjs";

test("control, bidi and zero-width characters are gone, lines are one", () => {
  assert.equal(drawable("a\u0000b\n\tc \u202egpj.exe\u2066\u200b\ufeff"), "a b c gpj.exe");
});

test("text is cut to 200 characters, never inside one", () => {
  const cut = drawable("😀".repeat(5000));

  assert.equal([...cut].length, 200);
  assert.ok(cut.endsWith("…"));
  assert.ok(cut.isWellFormed());
});

test("marks do not pile up, other scripts stay", () => {
  assert.equal(drawable(`e${"\u0301".repeat(50)}`).length, 3);
  assert.equal(drawable("оповещение 通知 تنبيه"), "оповещение 通知 تنبيه");
});

test("nothing and other types are text too", () => {
  assert.deepEqual([null, undefined, 7, ""].map(drawable), ["", "", "7", ""]);
});

test("fitted text is as wide as allowed and ends in an ellipsis", () => {
  const measure = new TextMeasure(new FakeContext());
  const font = "10px x";

  assert.equal(measure.fit("short", font, 100), "short");
  assert.equal(measure.fit("a longer title", font, 40), "a longe…");
  assert.equal(measure.fit("a longer title", font, 12), "");
  assert.ok(measure.width(measure.fit("a longer title", font, 40), font) <= 40);
});

test("what was measured once is not measured again, and not kept for ever", () => {
  const context = new FakeContext();
  let measured = 0;
  const plain = context.measureText.bind(context);
  context.measureText = (text) => { measured += 1; return plain(text); };
  const measure = new TextMeasure(context);
  for (let i = 0; i < 10; i += 1) measure.width("same", "10px x");
  assert.equal(measured, 1);
  for (let i = 0; i < 5000; i += 1) measure.width(`t${i}`, "10px x");
  measure.width("same", "10px x");

  assert.equal(measured, 5002);
});

test("counts read well", () => {
  assert.deepEqual([0, 999, 1234, 99999, 123456, 2500000].map(countText), ["0", "999", "1,234", "99,999", "123k", "2.5M"]);
  assert.deepEqual([counted(1, "cluster"), counted(2, "cluster")], ["1 cluster", "2 clusters"]);
});
