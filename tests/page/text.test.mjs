import assert from "node:assert/strict";
import { test } from "node:test";

import { safeUrl, visible } from "../../receiver/page/text.js";

test("what could hide or reorder text is made visible", () => {
  assert.equal(visible("a\u0000b\u001b"), "a␀b␛");
  assert.equal(visible("abc\u202edef\u2066"), "abc⟨U+202E⟩def⟨U+2066⟩");
  assert.equal(visible("\u007f\u0085\ufeff\u{e0041}"), "␡⟨U+0085⟩⟨U+FEFF⟩⟨U+E0041⟩");
});

test("other scripts and emoji stay as they are", () => {
  for (const text of ["العربية", "日本語", "👩‍🚒", "Ünïcödé", "<b>&amp;</b>"]) assert.equal(visible(text), text);
});

test("line feeds are kept only where asked for", () => {
  assert.equal(visible("a\nb"), "a␊b");
  assert.equal(visible("a\nb", { lines: true }), "a\nb");
});

test("long text is cut and says so", () => {
  assert.equal(visible("A".repeat(5000), { limit: 10 }), "AAAAAAAAA…");
});

test("what is no text is shown all the same", () => {
  assert.equal(visible(null), "");
  assert.equal(visible(7), "7");
});

test("only http and https may be linked to", () => {
  assert.equal(safeUrl("https://runbooks.example/x").host, "runbooks.example");
  for (const bad of ["javascript:alert(1)", "data:text/html,x", "//x.example", "/graph", "", null, 7]) {
    assert.equal(safeUrl(bad), null);
  }
});
