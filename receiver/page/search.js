// "Where did the alert go?": search over every alert ever kept.

import { byId, fill, h, setText } from "./dom.js";
import { clock, duration, ms, plural } from "./format.js";
import { inOrder, labelChip } from "./labels.js";
import { severityMark } from "./severity.js";
import { foreign } from "./text.js";

const PAGE = 50;
const WAIT_MS = 250;
const LABELS_SHOWN = 4;
const TOKEN =
  /(?:label=)?([A-Za-z_][\w.-]*)=(?:"([^"]*)"|(\S+))|cluster:(\d+)|state:(firing|suppressed|stale|resolved)/g;

/**
 * Split what was typed into the API's parameters: `label=value` pairs, `cluster:7`, `state:firing`; the rest is text.
 * @param {string} typed
 */
export function parseQuery(typed) {
  const query = { q: "", label: [], cluster_id: null, state: null };
  const rest = typed.replace(TOKEN, (whole, name, quoted, bare, cluster, state) => {
    if (cluster) query.cluster_id = cluster;
    else if (state) query.state = state;
    else query.label.push(`${name}=${quoted ?? bare}`);
    return " ";
  });
  query.q = rest.replace(/\s+/g, " ").trim();
  return query;
}

/**
 * Return the search dialog of index.html.
 * @param {{api: object, model: () => object, onOpen: (kind: string, id: any) => void}} parts
 */
export function createSearch({ api, model, onOpen }) {
  const dialog = byId("search");
  const input = byId("search-text");
  const status = byId("search-status");
  const results = byId("search-results");
  const more = byId("search-more");
  const state = byId("search-state");
  let asked = null; // AbortController of the question under way
  let cursor = null;
  let timer = 0;
  let shownCount = 0;

  byId("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    ask();
  });
  byId("search-close").addEventListener("click", () => dialog.close());
  // A click beside the dialog lands on the dialog's own backdrop.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => asked?.abort());
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  };
  input.addEventListener("input", later);
  state.addEventListener("input", later);
  more.addEventListener("click", () => ask(true));

  async function ask(next = false) {
    asked?.abort();
    const mine = new AbortController();
    asked = mine;
    const query = parseQuery(input.value);
    query.state = query.state ?? state.value;
    setText(status, next ? "Loading more…" : "Searching…");
    try {
      const parameters = { ...query, limit: PAGE, cursor: next ? cursor : null };
      const answer = await api.get("alerts", parameters, { signal: mine.signal });
      if (mine !== asked) return;
      show(answer, next, query);
    } catch (error) {
      if (mine !== asked || error.name === "AbortError") return;
      setText(status, error.message);
    }
  }

  function show({ items, next }, appended, query) {
    cursor = next;
    shownCount = (appended ? shownCount : 0) + items.length;
    const now = model().now();
    const rows = items.map((alert) => resultRow(alert, { model: model(), now, open }));
    if (appended) results.append(...rows);
    else fill(results, rows);
    if (appended) rows[0]?.querySelector("button")?.focus();
    more.hidden = !next;
    if (!shownCount) {
      fill(status);
      fill(results, nothing(query, widen));
      return;
    }
    const words = next
      ? `The latest ${plural(shownCount, "alert")}, more below.`
      : `${plural(shownCount, "alert")}, the latest first.`;
    setText(status, isEmptyQuery(query) ? `${words} Type to narrow them down.` : words);
  }

  function widen(text) {
    input.value = text;
    state.value = "";
    input.focus();
    ask();
  }

  function open(kind, id) {
    dialog.close();
    onOpen(kind, id);
  }

  return {
    /** Open the dialog, with *text* to look for if given. */
    open(text = null) {
      if (text !== null) input.value = text;
      if (!dialog.open) dialog.showModal();
      input.focus();
      input.select();
      ask();
    },
  };
}

const isEmptyQuery = (query) => !query.q && !query.label.length && !query.cluster_id && !query.state;

function resultRow(alert, { model, now, open }) {
  const cluster = model.clusters.get(alert.cluster_id);
  const labels = inOrder(alert.labels).filter(([name]) => name !== "alertname" && name !== "severity");
  const where =
    alert.cluster_id === null
      ? h("span.muted", {}, "in no cluster")
      : h(
          "button.link",
          { type: "button", onclick: () => open("cluster", alert.cluster_id) },
          cluster ? foreign(cluster.title, { limit: 100 }) : `cluster ${alert.cluster_id}`,
        );
  return h(
    "li.result",
    { "data-state": alert.state },
    severityMark(alert.severity, model.severityOrder, { terse: true }),
    h(
      "div",
      {},
      h(
        "p.result-head",
        {},
        h(
          "button.link.member-name",
          { type: "button", onclick: () => open("alert", alert.fingerprint) },
          foreign(alert.labels.alertname ?? alert.fingerprint, { limit: 120 }),
        ),
        h("span.member-state", { "data-state": alert.state }, alert.state),
        h("span.muted.number", {}, when(alert, now)),
      ),
      alert.annotations?.summary
        ? h("p.summary", {}, foreign(alert.annotations.summary, { limit: 200 }))
        : null,
      h(
        "ul.labels",
        {},
        labels.slice(0, LABELS_SHOWN).map(([name, value]) => h("li", {}, labelChip(name, value))),
      ),
      h("p.result-where", {}, h("span.muted", {}, "→ "), where),
    ),
  );
}

function when(alert, now) {
  const started = ms(alert.startsAt);
  if (alert.state !== "resolved") return `since ${clock(started, now)}`;
  const ended = ms(alert.endsAt);
  return `${clock(started, now)} – ${clock(ended, now)}, ${duration((ended - started) / 1000)}`;
}

/** Say what it means that nothing was found, and offer to look wider. */
function nothing(query, widen) {
  const words = query.q.split(" ").filter(Boolean);
  const fewer = words.length > 1 || (words.length && query.label.length);
  return h(
    "li.nothing",
    {},
    h("p", {}, h("b", {}, "No such alert was ever received here.")),
    h(
      "ul",
      {},
      h(
        "li",
        {},
        "Alertmanager may have silenced or inhibited it: such alerts are held back before they reach Stormcell.",
      ),
      h("li", {}, "Its route may not send to Stormcell, or it is still waiting for group_wait."),
      h("li", {}, "It may be older than what is kept, or spelt differently."),
    ),
    h(
      "p.row",
      {},
      fewer
        ? h(
            "button",
            { type: "button", onclick: () => widen(words[0]) },
            "Search for ",
            foreign(words[0], { limit: 40 }),
            " only",
          )
        : null,
      isEmptyQuery(query)
        ? null
        : h("button", { type: "button", onclick: () => widen("") }, "Show the latest alerts"),
    ),
  );
}
