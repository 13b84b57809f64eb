// The card of one alert: its labels, its episodes, its cluster and why it is there.

import { fill, h } from "./dom.js";
import { duration, ms, plural, timeElement } from "./format.js";
import { labelList } from "./labels.js";
import { externalLink } from "./links.js";
import { severityMark } from "./severity.js";
import { stateMark } from "./state.js";
import { foreign, safeUrl, visible } from "./text.js";
import { whyView } from "./why.js";

const EPISODES_SHOWN = 20;

/** Return the view of an alert: {node, brief, detail, failed}. */
export function createAlertCard({ api, open }) {
  const node = h("div.alert-card", {}, h("p.muted.loading", {}, "Loading…"));
  return {
    node,
    brief() {},
    detail(told, model) {
      const now = model.now();
      const episodes = [...told.episodes].sort((a, b) => ms(b.startsAt) - ms(a.startsAt));
      fill(
        node,
        head(told, episodes[0], model, now),
        clusterPart(told, model, open),
        whyPart(told, api, open),
        labelsPart(told, episodes[0]),
        episodesPart(episodes, now),
      );
    },
    failed(error, again) {
      const words =
        error.status === 404 ? "This alert was never received, or is no longer kept." : error.message;
      fill(
        node,
        h(
          "p.failed",
          { role: "alert" },
          words,
          " ",
          h("button", { type: "button", onclick: again }, "Try again"),
        ),
      );
    },
  };
}

function head(told, latest, model, now) {
  const { summary, description } = latest?.annotations ?? {};
  const links = [
    ["Runbook", safeUrl(latest?.annotations?.runbook_url)],
    ["Source", safeUrl(latest?.generatorURL)],
    ...Object.entries(latest?.links ?? {}).map(([name, url]) => [
      visible(name.replace(/URL$/, ""), { limit: 30 }),
      safeUrl(url),
    ]),
  ].filter(([, url]) => url);
  return [
    h(
      "div.card-marks",
      {},
      severityMark(latest?.severity ?? "", model.severityOrder),
      latest && h("span.member-state", { "data-state": latest.state }, latest.state),
    ),
    h("h3.card-title", {}, foreign(told.labels.alertname ?? told.fingerprint, { limit: 200 })),
    latest &&
      h(
        "p.card-figures",
        {},
        h("span", {}, "started ", timeElement(latest.startsAt, now)),
        h("span", {}, ended(latest, now)),
      ),
    summary && h("p", {}, foreign(summary, { limit: 1000, lines: true })),
    description && h("p.muted", {}, foreign(description, { limit: 4000, lines: true })),
    links.length > 0 &&
      h(
        "p.card-links",
        {},
        links.map(([name, url]) => externalLink(name, url)),
      ),
  ];
}

function ended(episode, now) {
  if (episode.state !== "resolved") return `for ${duration((now - ms(episode.startsAt)) / 1000)}`;
  return ["resolved ", timeElement(episode.endsAt, now)];
}

function clusterPart(told, model, open) {
  const { cluster } = told;
  if (!cluster) {
    return h(
      "section",
      {},
      h("h4", {}, "Its cluster"),
      h(
        "p.muted",
        {},
        "It is in no cluster: not grouped yet, or it came resolved without ever having been seen firing.",
      ),
    );
  }
  return h(
    "section",
    {},
    h("h4", {}, "Its cluster"),
    h(
      "p.row",
      {},
      severityMark(cluster.severity, model.severityOrder, { terse: true }),
      h(
        "button.link",
        { type: "button", onclick: () => open("cluster", cluster.id) },
        foreign(cluster.title || `Cluster ${cluster.id}`, { limit: 160 }),
      ),
      stateMark(cluster.state),
    ),
  );
}

function whyPart(told, api, open) {
  return h(
    "section",
    {},
    h("h4", {}, "Why there?"),
    whyView(told.why, {
      fingerprint: told.fingerprint,
      api,
      onCluster: (id) => open("cluster", id),
      onAlert: (fingerprint) => open("alert", fingerprint),
    }),
  );
}

function labelsPart(told, latest) {
  const rest = Object.entries(latest?.annotations ?? {}).filter(
    ([name]) => !["summary", "description", "runbook_url"].includes(name),
  );
  return [
    h("section", {}, h("h4", {}, "Labels"), labelList(told.labels)),
    rest.length > 0 && h("section", {}, h("h4", {}, "Annotations"), labelList(Object.fromEntries(rest))),
  ];
}

function episodesPart(episodes, now) {
  const rows = episodes
    .slice(0, EPISODES_SHOWN)
    .map((episode) =>
      h(
        "tr",
        {},
        h("td", {}, h("span.member-state", { "data-state": episode.state }, episode.state)),
        h("td.number", {}, timeElement(episode.startsAt, now)),
        h("td.number", {}, episode.endsAt ? timeElement(episode.endsAt, now) : "–"),
        h(
          "td.number",
          {},
          duration(((episode.endsAt ? ms(episode.endsAt) : now) - ms(episode.startsAt)) / 1000),
        ),
        h("td.number", {}, episode.flaps ? String(episode.flaps) : ""),
      ),
    );
  return h(
    "section",
    {},
    h("h4", {}, `Fired ${plural(episodes.length, "time")}`),
    h(
      "table.terms.wide",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["State", "Started", "Ended", "Lasted", "Flaps"].map((name) => h("th", { scope: "col" }, name)),
        ),
      ),
      h("tbody", {}, rows),
    ),
    episodes.length > EPISODES_SHOWN && h("p.small.muted", {}, `The latest ${EPISODES_SHOWN} are listed.`),
  );
}
