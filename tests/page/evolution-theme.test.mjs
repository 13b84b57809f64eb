import assert from "node:assert/strict";
import { test } from "node:test";

import { darkTheme, isDark, lightTheme, lookOf, mix, severityStyle, vanished } from "../../receiver/page/evolution-theme.js";

const luminance = (hex) => {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};

for (const [name, theme] of [["dark", darkTheme], ["light", lightTheme]]) {
  test(`the ${name} theme's words have contrast 4.5, its graphics 3 (WCAG 2.2 AA)`, () => {
    for (const color of [theme.text, theme.muted]) assert.ok(contrast(color, theme.background) >= 4.5, color);
    for (const color of [...Object.values(theme.severity), theme.ok, theme.storm]) {
      assert.ok(contrast(color, theme.background) >= 3, `${color} ${contrast(color, theme.background)}`);
    }
  });
}

test("each severity has a look of its own, by pattern too", () => {
  assert.deepEqual(["critical", "warning", "info", ""].map((s) => severityStyle(darkTheme, s).pattern), ["hatch", "dots", "plain", "plain"]);
  assert.equal(severityStyle(darkTheme, "").color, darkTheme.severity.none);
});

test("a name the theme does not know looks like its place in the order", () => {
  const order = ["low", "medium", "high", "page"];
  const colors = ["low", "medium", "page", "unheard of"].map((name) => severityStyle(darkTheme, name, order).color);

  assert.deepEqual(colors, ["info", "warning", "critical", "other"].map((key) => darkTheme.severity[key]));
  assert.deepEqual(["p3", "p2", "p1"].map((name) => severityStyle(darkTheme, name, ["p3", "p2", "p1"]).look), ["info", "warning", "critical"]);
});

test("a name not in the order never looks harmless, also where the theme has no colour for it", () => {
  const poor = { ...darkTheme, severity: { critical: "#f00", none: "#888" } };

  assert.equal(severityStyle(poor, "disaster").color, "#f00");
  assert.equal(severityStyle(poor, "disaster").pattern, "hatch");
});

test("a host may give colours for names of its own", () => {
  assert.equal(severityStyle({ ...darkTheme, severity: { ...darkTheme.severity, sev1: "#abc" } }, "sev1", ["sev1"]).color, "#abc");
});

test("a name of the object prototype is a name like any other", () => {
  assert.equal(severityStyle(darkTheme, "constructor").color, darkTheme.severity.other);
});

test("colours mix in hex and rgb, what cannot be read stays", () => {
  assert.equal(mix("#000000", "#fff", 0.5), "rgb(128,128,128)");
  assert.equal(mix("rgb(10, 20, 30)", "rgba(20,40,60,.5)", 1), "rgb(20,40,60)");
  assert.equal(mix("var(--x)", "#fff", 0.5), "var(--x)");
});

test("a vanished colour keeps its hue", () => {
  assert.equal(vanished("#102030"), "rgba(16,32,48,0)");
  assert.equal(vanished("red"), "transparent");
});

test("dark backgrounds are told from light ones", () => {
  assert.deepEqual([darkTheme.background, lightTheme.background, "rgb(250,250,250)"].map(isDark), [true, false, false]);
});

test("a severity that is a word of the language itself is one nobody knows", () => {
  assert.deepEqual(["constructor", "__proto__", "toString", "valueOf"].map((name) => lookOf(name)), new Array(4).fill("other"));
});
