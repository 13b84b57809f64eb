// The first minute: is there a storm, worse or easing, whom does it hit, and what fires beside it.

import { byId, fill, h, icon, keyed, setAttribute, setText } from "./dom.js";
import { lookOf } from "./evolution-theme.js";
import { clock, count, duration, ms, plural, rate } from "./format.js";
import { severityMark, updateSeverityMark } from "./severity.js";
import { activeStorm, situation } from "./situation.js";
import { barSeconds, drawFlow, spanWords } from "./sparkline.js";
import { foreign, visible } from "./text.js";

const FLOW = { width: 240, height: 44 };
const OUTSIDE_SHOWN = 6;
const CHIPS_SHOWN = { team: 6, service: 8 };
const SPOKEN_EVERY_MS = 15_000;

/**
 * Fill the overview of index.html.
 * @param {{onOpen: (id: number) => void, onToggle: (label: string, value: string) => void,
 *   onOutside: () => void}} handlers
 */
export function createOverview({ onOpen, onToggle, onOutside }) {
  const root = byId("overview");
  const nodes = {
    heading: byId("situation"),
    trend: byId("trend"),
    facts: byId("facts"),
    flow: byId("flow"),
    flowNote: byId("flow-note"),
    fired: byId("fired"),
    resolved: byId("resolved"),
    firing: byId("firing"),
    firingNote: byId("firing-note"),
    rate: byId("rate"),
    rateNote: byId("rate-note"),
    rateBox: byId("rate-box"),
    outside: byId("outside"),
    outsideHeading: byId("outside-heading"),
    outsideNote: byId("outside-note"),
    outsideMore: byId("outside-more"),
    spoken: byId("spoken"),
  };
  nodes.outsideMore.addEventListener("click", onOutside);
  const say = speaker(nodes.spoken);

  return {
    /** Show *model*; *filter* tells which chips are pressed, *span* what the picture shows: {model, seconds}. */
    render(model, filter, span) {
      const order = model.severityOrder ?? [];
      const isCritical = (cluster) => ["critical", "other"].includes(lookOf(cluster.severity, order));
      const now = model.now();
      const told = situation(model, { isCritical });
      setAttribute(root, "data-tone", told.tone);
      setText(nodes.heading, told.heading);
      showTrend(nodes.trend, told.trend);
      keyed(
        nodes.facts,
        [...told.facts.entries()],
        ([place]) => place,
        () => h("li"),
        (node, [, fact]) => setText(node, fact),
      );
      showFigures(nodes, told);
      showFlow(nodes, span);
      showChips(model, filter, told.storm, onToggle);
      showOutside(nodes, model, { now, order, isCritical, onOpen });
      say(spokenWords(told));
      document.title = titleWords(told);
    },
  };
}

function showTrend(node, trend) {
  node.hidden = !trend;
  if (!trend || node.textContent === trend.word) return;
  node.dataset.tone = trend.tone;
  fill(node, icon(trend.sign), h("span", {}, trend.word));
}

function showFigures(nodes, told) {
  setText(nodes.fired, count(told.fired));
  setText(nodes.resolved, count(told.resolved));
  setText(nodes.firing, count(told.firing));
  setText(
    nodes.firingNote,
    `in ${plural(told.clusters, "cluster")}${told.critical ? `, ${count(told.critical)} critical` : ""}`,
  );
  nodes.rateBox.hidden = !told.storm;
  if (told.storm) {
    setText(nodes.rate, rate(told.storm.rate_per_minute));
    setText(nodes.rateNote, `a minute, normally ${rate(told.storm.baseline_per_minute)}`);
  }
}

function showFlow(nodes, { model, seconds }) {
  const bar = barSeconds(seconds) * 1000;
  // Whole bars, so that they keep their height while they move along.
  const end = (Math.floor(model.now() / bar) + 1) * bar;
  const { fired, resolved } = model.rate(end - seconds * 1000, end, bar);
  drawFlow(nodes.flow, fired, resolved, FLOW);
  setText(nodes.flowNote, `${spanWords(seconds)}, a bar is ${duration(bar / 1000)}`);
}

function showChips(model, filter, storm, onToggle) {
  const affected = model.affected(storm ? storm.cluster_ids : undefined);
  for (const label of ["team", "service"]) {
    const values = withPressed(affected?.[label] ?? [], filter[label]).slice(
      0,
      CHIPS_SHOWN[label] + filter[label].length,
    );
    const row = byId(`${label}s-row`);
    row.hidden = !values.length;
    const chips = byId(`${label}s`);
    keyed(
      chips,
      values,
      ([value]) => value,
      ([value]) =>
        h(
          "li",
          {},
          h(
            "button.chip",
            { type: "button", "aria-pressed": "false", onclick: () => onToggle(label, value) },
            foreign(value, { limit: 40 }),
            h("span.count"),
          ),
        ),
      (node, [value, number]) => {
        const button = node.firstChild;
        setAttribute(button, "aria-pressed", String(filter[label].includes(value)));
        setText(button.lastChild, count(number));
      },
    );
    const rest = (affected?.[label]?.length ?? 0) - CHIPS_SHOWN[label];
    setAttribute(chips, "data-rest", rest > 0 && `and ${count(rest)} more`);
  }
}

/** A pressed chip stays where it can be released, whatever the storm does. */
function withPressed(values, pressed) {
  const known = new Set(values.map(([value]) => value));
  const missing = pressed.filter((value) => !known.has(value)).map((value) => [value, 0]);
  return [
    ...missing,
    ...values.filter(([value]) => pressed.includes(value)),
    ...values.filter(([value]) => !pressed.includes(value)),
  ];
}

function showOutside(nodes, model, { now, order, isCritical, onOpen }) {
  const storm = activeStorm(model);
  const outside = model.outsideStorm();
  const critical = outside.filter(isCritical).length;
  setText(nodes.outsideHeading, storm ? "Firing outside the storm" : "Firing now");
  setText(
    nodes.outsideNote,
    outside.length
      ? `${plural(outside.length, "cluster")}${critical ? `, ${count(critical)} critical` : ""}`
      : "nothing",
  );
  setAttribute(nodes.outside.parentElement, "data-critical", critical > 0);
  keyed(
    nodes.outside,
    outside.slice(0, OUTSIDE_SHOWN),
    (cluster) => cluster.id,
    (cluster) => outsideRow(cluster, order, onOpen),
    (row, cluster) => {
      const [link] = row.children;
      const [mark, title, meta] = link.children;
      updateSeverityMark(mark, cluster.severity, order);
      setText(title.firstChild, visible(cluster.title, { limit: 140 }));
      const since = duration((now - ms(cluster.opened_at)) / 1000);
      setText(meta, cluster.firing > 1 ? `${count(cluster.firing)} alerts · ${since}` : since);
      setAttribute(
        meta,
        "title",
        `${plural(cluster.firing, "alert")} firing, since ${clock(ms(cluster.opened_at), now)}`,
      );
      setAttribute(row, "data-look", isCritical(cluster) ? "critical" : null);
    },
  );
  const rest = outside.length - OUTSIDE_SHOWN;
  nodes.outsideMore.hidden = rest <= 0;
  if (rest > 0) setText(nodes.outsideMore, `and ${count(rest)} more in the list`);
}

function outsideRow(cluster, order, onOpen) {
  return h(
    "li",
    {},
    h(
      "a",
      {
        href: `#cluster=${cluster.id}`,
        onclick: (event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          onOpen(cluster.id);
        },
      },
      severityMark(cluster.severity, order, { terse: true }),
      h("span.title", {}, foreign(cluster.title, { limit: 140 })),
      h("span.meta"),
    ),
  );
}

function spokenWords(told) {
  const parts = [told.heading, told.trend?.word, ...told.facts].filter(Boolean);
  return `${parts.join(", ")}. In the last five minutes ${told.fired} fired, ${told.resolved} resolved.`;
}

function titleWords(told) {
  if (told.storm) return `⛈ ${count(told.firing)} firing, storm · Stormcell`;
  return told.firing ? `${count(told.firing)} firing · Stormcell` : "Quiet · Stormcell";
}

/** Return a function that lets a screen reader say what changed, but not every second. */
function speaker(node) {
  let last = -Infinity;
  let timer = 0;
  let words = "";
  const speak = () => {
    timer = 0;
    last = performance.now();
    setText(node, words);
  };
  return (next) => {
    words = next;
    const wait = last + SPOKEN_EVERY_MS - performance.now();
    if (wait <= 0) speak();
    else timer ||= setTimeout(speak, wait);
  };
}
