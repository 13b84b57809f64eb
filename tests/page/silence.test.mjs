import assert from "node:assert/strict";
import { test } from "node:test";

import { amtoolCommand, matcherText, matches, silenceFor, silencePlan, silenceUrl } from "../../receiver/page/silence.js";

const alert = (alertname, labels = {}) => ({ alertname, severity: "critical", ...labels });
const names = ({ matchers }) => matchers.map(({ name }) => name);

test("alone on the screen, the name is enough, and what all share lets later ones from elsewhere through", () => {
  const silence = silenceFor([alert("A", { node: "n1" }), alert("A", { node: "n2" })], []);

  assert.deepEqual(silence.matchers, [{ name: "alertname", values: ["A"] }, { name: "severity", values: ["critical"] }]);
  assert.ok(!matches(silence.matchers, { ...alert("A", { node: "n1" }), severity: "warning" }));
  assert.deepEqual([silence.covers, silence.hits], [2, 0]);
});

test("of the labels that spare the others the one with the fewest values is taken", () => {
  const members = [alert("A", { node: "n1", pod: "p1" }), alert("A", { node: "n1", pod: "p2" })];
  const silence = silenceFor(members, [alert("A", { node: "n2", pod: "p3" }), alert("B", { node: "n1" })]);

  assert.deepEqual(silence.matchers, [{ name: "alertname", values: ["A"] }, { name: "node", values: ["n1"] }, { name: "severity", values: ["critical"] }]);
  assert.equal(silence.hits, 0);
});

test("two labels only where one does not do, and then no third", () => {
  const members = [alert("A", { node: "n1", zone: "z1", team: "t1" })];
  const others = [alert("A", { node: "n1", zone: "z2", team: "t1" }), alert("A", { node: "n2", zone: "z1", team: "t1" })];

  assert.deepEqual(names(silenceFor(members, others)), ["alertname", "node", "zone", "severity", "team"]);
});

test("one label that spares all beats two that each spare some", () => {
  const members = [alert("A", { a: "1", b: "1", instance: "i1" })];
  const others = [alert("A", { a: "2", b: "1", instance: "i2" }), alert("A", { a: "1", b: "2", instance: "i3" })];

  assert.deepEqual(names(silenceFor(members, others)), ["alertname", "instance", "a", "b", "severity"]);
});

test("a label that a member lacks may be absent, and still spares who has another value", () => {
  const members = [alert("A", { zone: "z1" }), alert("A")];
  const silence = silenceFor(members, [alert("A", { zone: "z2" })]);

  assert.deepEqual(silence.matchers[1], { name: "zone", values: ["", "z1"] });
  assert.equal(matcherText(silence.matchers[1]), 'zone=~"|z1"');
  assert.ok(members.every((labels) => matches(silence.matchers, labels)));
});

test("who has the very labels of a member cannot be spared, and is told", () => {
  const silence = silenceFor([alert("A", { node: "n1" }), alert("A", { node: "n2" })], [alert("A", { node: "n1" }), alert("A", { node: "n3" })]);

  assert.equal(silence.hits, 1);
  assert.deepEqual(silence.examples, [alert("A", { node: "n1" })]);
});

test("members are always covered, and the choice is the smallest, against a search of all subsets", () => {
  let seed = 7;
  const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  const some = (n, spread) => Array.from({ length: n }, () => alert(`A${random(2)}`, Object.fromEntries(
    ["p", "q", "r", "s"].filter(() => random(5)).map((name) => [name, String(random(spread))]))));
  for (let round = 0; round < 200; round += 1) {
    const members = some(1 + random(3), 3);
    const others = some(8, 3);
    const silence = silenceFor(members, others);
    assert.ok(members.every((labels) => matches(silence.matchers, labels)));
    const all = [...new Set(members.flatMap(Object.keys))].filter((name) => name !== "alertname")
      .map((name) => ({ name, values: [...new Set(members.map((labels) => labels[name] ?? ""))].sort() }));
    const name = { name: "alertname", values: [...new Set(members.map((m) => m.alertname))].sort() };
    const subsets = Array.from({ length: 2 ** all.length }, (_, bits) => [name, ...all.filter((_, i) => bits & (2 ** i))]);
    const hits = (matchers) => others.filter((labels) => matches(matchers, labels)).length;
    const least = Math.min(...subsets.map(hits));
    const smallest = Math.min(...subsets.filter((matchers) => hits(matchers) === least).map((matchers) => matchers.length));
    const costly = silence.matchers.filter(({ name: of, values }) => of === "alertname" || values.length > 1 || values[0] === "");
    assert.equal(silence.hits, least);
    assert.ok(costly.length <= smallest, `${costly.length} of ${smallest}`);
  }
});

test("thousands of alerts with many labels are done at once", () => {
  const many = (n, of) => Array.from({ length: n }, (_, i) => alert(`A${i % 9}`,
    Object.fromEntries(Array.from({ length: 30 }, (_, label) => [`l${label}`, `${of}${(i * (label + 3)) % 40}`]))));

  assert.equal(silenceFor(many(1000, "m"), many(5000, "o")).hits, 0);
});

test("a mixed cluster whose one silence hits others gets one for each name", () => {
  const members = [alert("A", { node: "n1" }), alert("B", { node: "n2" })];
  const plan = silencePlan(members, [alert("A", { node: "n2" }), alert("B", { node: "n1" })]);

  assert.equal(plan.one.hits, 2);
  assert.equal(plan.severalHits, 0);
  assert.deepEqual(plan.several.map(names), [["alertname", "node", "severity"], ["alertname", "node", "severity"]]);
});

test("several silences are not offered where one does", () => {
  assert.equal(silencePlan([alert("A"), alert("B")], [alert("C")]).several, null);
});

test("alerts without a name get a matcher that holds for something", () => {
  assert.deepEqual(names(silenceFor([{ job: "x" }], [])), ["job"]);
  assert.deepEqual(silenceFor([{}], []).matchers, []);
});

test("values are escaped for the expression, and quoted for the matcher", () => {
  assert.equal(matcherText({ name: "path", values: ['a"b\\c'] }), 'path="a\\"b\\\\c"');
  assert.equal(matcherText({ name: "host", values: ["a.b", "c|d"] }), 'host=~"a\\\\.b|c\\\\|d"');
  assert.equal(matcherText({ name: "k8s.pod", values: ["x"] }), '"k8s.pod"="x"');
});

test("the address keeps a path and refuses what is no web address", () => {
  const silence = { matchers: [{ name: "a", values: ["b&c"] }] };

  assert.equal(silenceUrl("https://am.example/alerts/", silence), "https://am.example/alerts/#/silences/new?filter=%7Ba%3D%22b%26c%22%7D");
  assert.equal(silenceUrl("javascript:alert(1)", silence), null);
  assert.equal(silenceUrl("", silence), null);
});

test("the command is one line in which nothing of a label is run", () => {
  const silence = { matchers: [{ name: "a", values: ["x'; rm -rf /\n$(id)"] }] };
  const command = amtoolCommand(silence, { comment: "it's known" });

  assert.equal(command, `amtool silence add 'a="x'\\''; rm -rf /\\n$(id)"' --duration=2h --comment='it'\\''s known'`);
});

test("a long value, and more shared labels than one can read, are left out", () => {
  const labels = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`l${i}`, "x"]));
  const { matchers } = silenceFor([{ alertname: "A", aaa: "x".repeat(101), ...labels }], []);

  assert.equal(matchers.length, 9);
  assert.ok(!matchers.some(({ name }) => name === "aaa"));
});

test("the command names the Alertmanager where its address is known", () => {
  const command = (alertmanager) => amtoolCommand({ matchers: [] }, { comment: "c", alertmanager });

  assert.match(command("https://am.example/x/"), / --alertmanager\.url='https:\/\/am\.example\/x'$/);
  assert.doesNotMatch(command("javascript:1"), /alertmanager\.url/);
  assert.doesNotMatch(command(""), /alertmanager\.url/);
});
