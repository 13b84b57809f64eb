// Why an alert is in its cluster: the terms of the decision, in words and figures.

import { h } from "./dom.js";
import { count, duration } from "./format.js";
import { foreign } from "./text.js";

/**
 * Return the explanation.
 * @param {object} why as GET alerts/{fingerprint} tells it
 * @param {{fingerprint: string, onCluster: (id: number) => void, onAlert: (fingerprint: string) => void}} about
 */
export function whyView(why, about) {
  if (!why) return h("p.muted", {}, "Nothing was kept about this decision.");
  const { best, runner_up: second } = why;
  return h(
    "div.why",
    {},
    h("p", {}, sentence(why)),
    best && scores(why, best, second, about),
    sharedLabels(why.shared_labels),
    best && nearest(best, about),
  );
}

function sentence(why) {
  const { best } = why;
  const told = foreign(why.reason, { limit: 400 });
  if (!best || typeof why.threshold !== "number") return told;
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

function scores(why, best, second, { onCluster }) {
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
      row(
        "Text similarity",
        (score) => term(score, score.text_similarity, "text"),
        "How alike the alerts' texts are, 0 to 1, and what that speaks for (+) or against (−) it",
      ),
      row(
        "to what else goes on",
        (score) => two(score.usual_similarity),
        "How alike the text is to the other clusters that move now: what likeness is judged against",
      ),
      row(
        "Shared labels",
        (score) => term(score, score.label_overlap, "labels"),
        "How much of their labels they share, 0 to 1, and what the most telling one speaks for it",
      ),
      row(
        "Time gap",
        (score) => [duration(score.gap_seconds), weight(score.evidence?.time)],
        "Time since the cluster's latest alert, and what that speaks for or against it",
      ),
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
  const most = Math.max(...shared.map(({ weight }) => weight), 0.001);
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

function nearest(best, { fingerprint, onAlert }) {
  const others = (best.nearest ?? []).filter((near) => near.fingerprint !== fingerprint);
  if (!others.length) return null;
  return h(
    "p.small.muted",
    {},
    `Nearest ${others.length === 1 ? "member" : `${count(others.length)} members`}: `,
    others.flatMap((near, place) => [
      place ? ", " : "",
      h(
        "button.link",
        { type: "button", onclick: () => onAlert(near.fingerprint) },
        foreign(near.fingerprint, { limit: 20 }),
      ),
      ` ${two(near.similarity)}`,
    ]),
  );
}

function clusterLink(id, onCluster) {
  return h("button.link", { type: "button", onclick: () => onCluster(id) }, `cluster ${id}`);
}

function term(score, value, name) {
  return [two(value), weight(score.evidence?.[name])];
}

/** Return log-odds with their sign; nothing for a decision kept before there were any. */
function weight(evidence) {
  if (typeof evidence !== "number") return null;
  return h("span.muted", {}, ` ${evidence < 0 ? "−" : "+"}${Math.abs(evidence).toFixed(1)}`);
}

function two(number) {
  return typeof number === "number" ? number.toFixed(2) : "–";
}
