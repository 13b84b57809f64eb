// Why an alert is in its cluster: the terms of the decision, in words and figures.

import { fill, h, svg } from "./dom.js";
import { count, duration } from "./format.js";
import { inOrder } from "./labels.js";
import { foreign } from "./text.js";
import { bar, scaleOf, signed, termHelp, termName, total, whatDiffers } from "./why-terms.js";

/** Labels that do not tell one alert of a name from another. */
const UNTELLING = new Set(["alertname", "severity", "team", "cluster"]);

/** Labels of alerts that were asked for, by fingerprint, which they make: they never change. */
const labelsOf = new Map();
const NAMES_KEPT = 500;

/**
 * Return the explanation.
 * @param {object} why as GET alerts/{fingerprint} tells it
 * @param {{fingerprint: string, api: import("./api.js").Api, onCluster: (id: number) => void,
 *   onAlert: (fingerprint: string) => void}} about
 */
export function whyView(why, about) {
  if (!why) return h("p.muted", {}, "Nothing was kept about this decision.");
  const { best, runner_up: second } = why;
  return h(
    "div.why",
    {},
    h("p", {}, sentence(why)),
    best && (best.evidence ? terms(why, about) : measured(why, best, second, about)),
    whatDiffers(why) && h("p.small.muted", {}, whatDiffers(why)),
    sharedLabels(why.shared_labels),
    best && nearest(best, about),
  );
}

function sentence(why) {
  const { best } = why;
  const told = foreign(why.reason, { limit: 400 });
  // Since the sentence tells where the decision would have been another, it tells the score too.
  if (!best || why.decides_at !== undefined || typeof why.threshold !== "number") return told;
  const enough = best.confidence >= why.threshold;
  return [
    told,
    h(
      "span.muted",
      {},
      ` · score ${two(best.confidence)} ${enough ? "reaches" : "is below"} the ${two(why.threshold)} needed`,
    ),
  ];
}

/** What a term was judged by, beside its bar. */
const MEASURED = {
  text: (score) => [`${two(score.text_similarity)} alike`, `usual ${two(score.usual_similarity)}`],
  labels: (score) => [`${two(score.label_overlap)} shared`],
  time: (score) => [score.gap_seconds ? `${duration(score.gap_seconds)} apart` : "no gap"],
};

function terms(why, { onCluster }) {
  const scores = [why.best, why.runner_up].filter(Boolean);
  const scale = scaleOf(scores, why.evidence_needed);
  const row = (name, help, cell) =>
    h("tr", {}, h("th", { scope: "row", title: help }, name), scores.map((score) => h("td", {}, cell(score))));
  return h(
    "table.why-terms",
    {},
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "For, against"),
        scores.map((score, place) =>
          h("th", { scope: "col" }, place ? "next: " : "", clusterLink(score.cluster_id, onCluster)),
        ),
      ),
    ),
    h(
      "tbody",
      {},
      Object.keys(why.best.evidence).map((term) =>
        row(termName(term), termHelp(term), (score) => [
          barOf(score.evidence[term] ?? 0, scale),
          h("small.muted", {}, (MEASURED[term]?.(score) ?? []).join(", ")),
        ]),
      ),
      row("All", "All terms together; the dashed line is what the threshold takes", (score) => [
        barOf(total(score), scale, why.evidence_needed),
        h("small", {}, h("b", {}, two(score.confidence)), ` of ${two(why.threshold)} needed`),
      ]),
    ),
  );
}

function barOf(value, scale, needed = null) {
  const percent = (share) => `${(100 * share).toFixed(2)}%`;
  const { x, width, against } = bar(value, scale);
  const line = (at, name) => svg("line", { class: name, x1: percent(at), x2: percent(at), y1: "0%", y2: "100%" });
  return h(
    "span.why-bar",
    {},
    svg(
      "svg",
      { "aria-hidden": "true", focusable: "false" },
      svg("rect", {
        class: against ? "against" : "for",
        x: percent(x),
        width: percent(width),
        y: "20%",
        height: "60%",
        rx: 2,
      }),
      line(scale(0), "zero"),
      ...(typeof needed === "number" ? [line(scale(needed), "needed")] : []),
    ),
    h("span.number", {}, signed(value)),
  );
}

/** Return the table of a decision kept before there was any evidence: what was measured. */
function measured(why, best, second, { onCluster }) {
  const row = (name, of, help) =>
    h(
      "tr",
      {},
      h("th", { scope: "row", title: help }, name),
      h("td.number", {}, of(best)),
      second && h("td.number", {}, of(second)),
    );
  return h(
    "table.terms",
    {},
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("td"),
        h("th", { scope: "col" }, clusterLink(best.cluster_id, onCluster)),
        second && h("th", { scope: "col" }, "runner-up ", clusterLink(second.cluster_id, onCluster)),
      ),
    ),
    h(
      "tbody",
      {},
      row("Text similarity", (score) => two(score.text_similarity), "How alike the alerts' texts are, 0 to 1"),
      row("Shared labels", (score) => two(score.label_overlap), "How much of their labels they share, 0 to 1"),
      row("Time gap", (score) => duration(score.gap_seconds), "Time since the cluster's latest alert"),
      row(
        `Score (needs ${two(why.threshold)})`,
        (score) => h("b", {}, two(score.confidence)),
        "All terms together, 0 to 1",
      ),
    ),
  );
}

function sharedLabels(shared = []) {
  if (!shared.length) return null;
  // At least a unit of log-odds, as in the terms' bars, so that nothing looks much.
  const most = Math.max(...shared.map(({ weight }) => weight), 1);
  return h(
    "div",
    {},
    h("h5", {}, "Shared labels, by weight"),
    h(
      "ul.weights",
      {},
      shared.map(({ label, value, weight }) => {
        const bar = h("meter", { min: 0, max: most, value: weight, "aria-hidden": "true" });
        return h(
          "li",
          {},
          h(
            "span",
            {},
            h("span.label-name", {}, foreign(label, { limit: 60 })),
            foreign(value, { limit: 120 }),
          ),
          bar,
          h("span.number", {}, two(weight)),
        );
      }),
    ),
  );
}

function nearest(best, { fingerprint, api, onAlert }) {
  const others = (best.nearest ?? []).filter((near) => near.fingerprint !== fingerprint);
  if (!others.length) return null;
  return h(
    "p.small.muted",
    {},
    `Nearest ${others.length === 1 ? "member" : `${count(others.length)} members`}: `,
    others.flatMap((near, place) => {
      const link = h("button.link", { type: "button", onclick: () => onAlert(near.fingerprint) });
      fill(link, foreign(near.fingerprint, { limit: 20 }));
      name(link, near.fingerprint, api);
      return [place ? ", " : "", link, ` ${two(near.similarity)}`];
    }),
  );
}

/** Call the alert of *link* by its name and what it is about, once that is known: a fingerprint says nothing. */
async function name(link, fingerprint, api) {
  try {
    fill(link, await nameOf(fingerprint, api));
  } catch {
    // The fingerprint stays, and leads to the alert.
  }
}

async function nameOf(fingerprint, api) {
  if (!labelsOf.has(fingerprint)) {
    const { labels } = await api.get(`alerts/${encodeURIComponent(fingerprint)}`);
    if (labelsOf.size >= NAMES_KEPT) labelsOf.clear();
    labelsOf.set(fingerprint, labels);
  }
  const labels = labelsOf.get(fingerprint);
  const about = inOrder(labels).find(([label]) => !UNTELLING.has(label));
  return [
    foreign(labels.alertname ?? fingerprint, { limit: 80 }),
    about && [" (", foreign(about[1], { limit: 60 }), ")"],
  ];
}

function clusterLink(id, onCluster) {
  return h("button.link", { type: "button", onclick: () => onCluster(id) }, `cluster ${id}`);
}

function two(number) {
  return typeof number === "number" ? number.toFixed(2) : "–";
}
