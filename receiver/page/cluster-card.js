// The card of a cluster, from what is most urgent at night to what explains it.

import { cascadeView } from "./cascade.js";
import { fill, h, icon, setAttribute, setText } from "./dom.js";
import { count, duration, ms, plural, timeElement } from "./format.js";
import { differingTable, labelList } from "./labels.js";
import { externalLink } from "./links.js";
import { createMembers } from "./members.js";
import { ackWords, createOperator } from "./operator.js";
import { createSimilar, showHistory } from "./past.js";
import { severityMark, updateSeverityMark } from "./severity.js";
import { createSilencing } from "./silencing.js";
import { isLive, STATES, stateMark, updateStateMark } from "./state.js";
import { foreign, safeUrl, visible } from "./text.js";

/** The stream tells of a change within this time; after it, what it says holds. */
const STREAM_LATE_MS = 5000;

/**
 * Return the view of cluster *id*: {node, brief, detail, moved, failed}.
 * @param {{id: number, api: object, open: Function, onSearch: Function, refresh: () => void}} parts
 */
export function createClusterCard(parts) {
  const { api, open } = parts;
  let id = parts.id;
  let cluster = null;
  let detail = null;
  let model = null;
  let chosenLabel = null;
  let drawn = "";
  const sent = {}; // changes not answered yet: shown as if they were made
  const answered = {}; // changes made that the stream has not told of yet

  const mark = severityMark("", []);
  const state = stateMark("forming");
  const title = h("h3.card-title");
  const figures = h("p.card-figures");
  const acked = h("p.card-acked", { hidden: true });
  const noted = h("p.card-noted", { hidden: true });
  const notice = h("p.notice", { hidden: true });
  const trouble = h("div.trouble", { hidden: true });
  const links = h("p.card-links", { hidden: true });
  const history = h("div.card-history", { hidden: true });
  const operator = createOperator({ patch });
  const common = section("Every member has");
  const differing = section("They differ in");
  const spread = section("Order of firing");
  const members = createMembers({
    api,
    onCluster: (other) => open("cluster", other),
    onAlert: (fingerprint) => open("alert", fingerprint),
    onSearch: () => parts.onSearch(`cluster:${id}`),
  });
  const membersSection = section("Members");
  membersSection.body.append(members.node);
  const lineage = section("Where it comes from");
  const similar = createSimilar({ api, open });
  const similarSection = section("Similar, now and before");
  similarSection.body.append(similar.node);
  const silencing = createSilencing({ api });
  const silenceSection = section("Silence");
  silenceSection.body.append(silencing.node);
  const noteSection = section("Note");
  noteSection.body.append(operator.note);
  noteSection.node.hidden = false;

  const node = h(
    "div.cluster-card.blank",
    {},
    h("div.card-marks", {}, mark, state),
    title,
    figures,
    acked,
    noted,
    notice,
    history,
    links,
    trouble,
    operator.actions,
    spread.node,
    common.node,
    differing.node,
    membersSection.node,
    similarSection.node,
    silenceSection.node,
    noteSection.node,
    lineage.node,
  );

  async function patch(changes) {
    const names = Object.keys(changes);
    Object.assign(sent, changes);
    showBrief();
    try {
      const answer = await api.patch(`clusters/${id}`, changes);
      for (const name of names) answered[name] = answer[name];
      setTimeout(() => forget(answered, answer, names), STREAM_LATE_MS);
    } finally {
      forget(sent, changes, names);
      showBrief();
    }
  }

  /** Drop *names* from *changes* where they are still as in *values*. */
  function forget(changes, values, names = Object.keys(changes)) {
    for (const name of names) if (changes[name] === values[name]) delete changes[name];
  }

  function showBrief() {
    if (!cluster) return;
    node.classList.remove("blank");
    const now = model.now();
    const kept = { ...cluster, ...answered };
    const shown = { ...kept, ...sent };
    updateSeverityMark(mark, shown.severity, model.severityOrder);
    updateStateMark(state, shown.state);
    const words = visible(shown.title || `Cluster ${shown.id}`, { limit: 300 });
    if (title.textContent !== words) fill(title, foreign(words));
    fill(figures, figureWords(shown, now));
    acked.hidden = !shown.acked_by;
    if (shown.acked_by) fill(acked, icon("ack"), ackWords(shown));
    // Written in its own part further down; what a colleague wrote is read first.
    noted.hidden = !shown.note;
    if (shown.note) fill(noted, icon("note"), foreign(shown.note, { limit: 300, lines: true }));
    operator.update(shown, kept);
    showHistory(history, shown, now, open);
  }

  function showDetail() {
    const now = model.now();
    trouble.hidden = true;
    // Tables are made anew only when what they hold changed: selection and open lists stay.
    const version = JSON.stringify([
      detail.common_labels,
      detail.differing_labels,
      detail.cascade,
      detail.spread,
      detail.lineage,
    ]);
    if (version !== drawn) {
      drawn = version;
      showSection(common, hasAny(detail.common_labels) && labelList(detail.common_labels));
      showSection(differing, hasAny(detail.differing_labels) && differingTable(detail.differing_labels));
      showSection(
        spread,
        hasAny(detail.cascade) &&
          cascadeView(detail.cascade, detail.spread, chosenLabel, {
            now,
            onChoose: (label) => {
              chosenLabel = label;
            },
            onAlert: (fingerprint) => open("alert", fingerprint),
          }),
      );
      showSection(lineage, lineageView(detail.lineage, open));
    }
    membersSection.node.hidden = false;
    setText(
      membersSection.heading,
      `Members (${count(detail.members_total ?? detail.members?.length ?? 0)})`,
    );
    members.update(detail, model.severityOrder, now);
    showLinks(links, detail.members ?? []);
    similarSection.node.hidden = false;
    similar.update(detail, () => model.now());
    silenceSection.node.hidden = !isLive(cluster.state);
    silencing.update(cluster);
  }

  return {
    node,
    /** Show what the stream knows. */
    brief(next, of) {
      cluster = next;
      model = of;
      forget(answered, next);
      showBrief();
    },
    /** Show the whole of it. */
    detail(next, of) {
      model = of;
      detail = next;
      id = next.id;
      cluster = of.clusters.get(next.id) ?? next;
      showBrief();
      showDetail();
    },
    /** Say that the cluster asked for went into the one shown. */
    moved(from) {
      notice.hidden = false;
      setText(notice, `Cluster ${from} was merged into this one.`);
    },
    failed(error, again) {
      trouble.hidden = false;
      const words =
        error.status === 404
          ? "No such cluster is kept here. It may have been in an earlier database."
          : error.message;
      fill(
        trouble,
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

function section(name) {
  const heading = h("h4", {}, name);
  const body = h("div");
  return { node: h("section", { hidden: true }, heading, body), heading, body };
}

function showSection({ node, body }, content) {
  node.hidden = !content;
  fill(body, content);
}

const hasAny = (object) => Object.keys(object ?? {}).length > 0;

function figureWords(cluster, now) {
  const opened = ms(cluster.opened_at);
  const parts = [
    h("span", {}, h("b", {}, count(cluster.firing)), ` of ${plural(cluster.size, "alert")} firing`),
  ];
  if (cluster.stale)
    parts.push(
      h("span", { title: "Not heard of for long, and never resolved" }, `${count(cluster.stale)} stale`),
    );
  if (cluster.suppressed)
    parts.push(
      h("span", { title: "Silenced or inhibited in Alertmanager" }, `${count(cluster.suppressed)} suppressed`),
    );
  if (cluster.source_quiet_at)
    parts.push(
      h(
        "span.quiet-source",
        { title: "Alerts of a source that is silent end by themselves, whether what they tell of has recovered or not" },
        "may not have recovered: its source had gone quiet by ",
        timeElement(cluster.source_quiet_at, now),
      ),
    );
  if (isLive(cluster.state)) {
    parts.push(
      h("span", {}, "since ", timeElement(cluster.opened_at, now), `, ${duration((now - opened) / 1000)}`),
    );
  } else {
    const end = cluster.resolved_at ?? cluster.closed_at ?? cluster.updated_at;
    parts.push(
      h(
        "span",
        {},
        timeElement(cluster.opened_at, now),
        " – ",
        timeElement(end, now),
        `, ${duration((ms(end) - opened) / 1000)}`,
      ),
    );
  }
  if (typeof cluster.confidence === "number") {
    parts.push(
      h(
        "span",
        { title: "How sure the grouping of its members is, on average" },
        `${Math.round(cluster.confidence * 100)} % sure of the grouping`,
      ),
    );
  }
  const meaning = STATES[cluster.state]?.meaning;
  if (meaning) parts.push(h("span.muted", {}, meaning));
  return parts;
}

/** Show runbook and source of the first alert that has them. */
function showLinks(node, members) {
  const first = (urlOf) => {
    for (const alert of members) {
      const url = safeUrl(urlOf(alert));
      if (url) return url;
    }
    return null;
  };
  const found = [
    ["Runbook", first((alert) => alert.annotations?.runbook_url)],
    ["Dashboard", first((alert) => alert.annotations?.dashboard_url ?? alert.links?.dashboardURL)],
    ["Source", first((alert) => alert.generatorURL)],
  ].filter(([, url]) => url);
  const key = found.map(([, url]) => url.href).join(" ");
  if (node.dataset.key === key) return;
  setAttribute(node, "data-key", key);
  node.hidden = !found.length;
  fill(
    node,
    found.map(([name, url]) => externalLink(name, url)),
  );
}

function lineageView(lineage, open) {
  const {
    merged_from: mergedFrom = [],
    merged_into: mergedInto = null,
    split_from: splitFrom = null,
  } = lineage ?? {};
  const links = (ids) =>
    ids.flatMap((id, place) => [
      place ? ", " : "",
      h("button.link", { type: "button", onclick: () => open("cluster", id) }, `cluster ${id}`),
    ]);
  const lines = [];
  if (mergedFrom.length) lines.push(h("li", {}, "Took in ", links(mergedFrom)));
  if (mergedInto) lines.push(h("li", {}, "Went into ", links([mergedInto])));
  if (splitFrom) lines.push(h("li", {}, "Was split from ", links([splitFrom])));
  return lines.length ? h("ul.plain", {}, lines) : null;
}
