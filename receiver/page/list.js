// The table of clusters: what the canvas shows, as rows that can be read, filtered and walked by keys.
// Nothing jumps: while a pointer or the keyboard is in the table, rows keep their places.

import { byId, h, icon, keyed, setAttribute, setText, svg } from "./dom.js";
import { isEmpty, noFilter, passes, toggled } from "./filter.js";
import { clock, count, duration, ms, plural } from "./format.js";
import { severityMark, updateSeverityMark } from "./severity.js";
import { activeStorm } from "./situation.js";
import { spanWords, stepPath } from "./sparkline.js";
import { isLive, stateMark, updateStateMark } from "./state.js";
import { foreign, visible } from "./text.js";

const PAGE = 50;
const NEXT_PAGE = 200;
const RESOLVED_SHOWN = 100;
const TREND = { width: 96, height: 22 };
const HOLD_AFTER_MS = 1200;
/** Many rows that change places faster than this can neither be read nor clicked. */
const SORT_EVERY_MS = 2000;
/** Rows out of sight are brought up to date so seldom: laying out many costs the picture its smoothness. */
const ALL_EVERY_MS = 2000;
/** Nearly in sight is in sight: one who scrolls meets no row of the past. */
const NEAR = "300px";

/**
 * Fill the list of index.html.
 * @param {{onOpen: (id: number) => void, onFilter: (filter: object) => void}} handlers
 */
export function createList({ onOpen, onFilter }) {
  const nodes = {
    section: byId("clusters"),
    body: byId("rows"),
    table: byId("table"),
    number: byId("list-count"),
    spoken: byId("list-spoken"),
    held: byId("list-held"),
    empty: byId("list-empty"),
    more: byId("list-more"),
    ended: byId("ended"),
    endedRows: byId("ended-rows"),
    endedCount: byId("ended-count"),
    active: byId("active-filters"),
    trendHeads: [...byId("clusters").querySelectorAll("th.c-trend")],
  };
  const controls = {
    text: byId("filter-text"),
    severity: byId("filter-severity"),
    state: byId("filter-state"),
    where: byId("filter-where"),
  };
  let shown = PAGE;
  let filter = noFilter();
  let order = []; // ids, as last sorted
  let sortedAt = -Infinity;
  let allAt = -Infinity;
  let lastModel = null;
  let selected = null; // id of the cluster whose card is open
  let span = null; // what the picture shows, and so the trends: {model, seconds}
  const hold = holder(nodes.table, () => render(lastModel, filter, span));

  const near = inSight((row) => {
    const cluster = lastModel?.clusters.get(Number(row.dataset.id));
    if (cluster) updateRow(row, cluster, listContext(lastModel, span, selected));
  });

  for (const [name, control] of Object.entries(controls)) {
    control.addEventListener("input", () => change({ ...filter, [name]: control.value }));
  }
  byId("filter-clear").addEventListener("click", () => {
    change(noFilter());
    controls.text.focus();
  });
  nodes.more.addEventListener("click", () => {
    shown += NEXT_PAGE;
    render(lastModel, filter, span, { sort: true });
  });
  nodes.ended.addEventListener("toggle", () => render(lastModel, filter, span));
  for (const body of [nodes.body, nodes.endedRows]) {
    body.addEventListener("click", (event) => openFrom(event, onOpen));
    body.addEventListener("keydown", walk);
  }

  function change(next) {
    filter = next;
    shown = PAGE;
    for (const [name, control] of Object.entries(controls)) {
      if (control.value !== filter[name]) control.value = filter[name];
    }
    onFilter(filter);
    render(lastModel, filter, span, { sort: true });
    // Only what was asked for is said: in a storm the number changes all the time.
    setText(nodes.spoken, nodes.number.textContent);
  }

  function render(model, current, shownSpan, { sort = false } = {}) {
    if (!model) return;
    lastModel = model;
    filter = current;
    span = shownSpan;
    const context = listContext(model, span, selected);
    for (const head of nodes.trendHeads) setText(head, capitalised(spanWords(span.seconds)));
    const pass = passes(filter, context);
    const live = model.live();
    const matching = mattersFirst(live.filter(pass));
    const calm = matching.length <= shown || performance.now() - sortedAt >= SORT_EVERY_MS;
    if (sort || (calm && !hold.held())) {
      order = matching.map((cluster) => cluster.id);
      sortedAt = performance.now();
    } else order = kept(order, matching);
    const rows = order
      .slice(0, shown)
      .map((id) => model.clusters.get(id))
      .filter(Boolean);
    const waiting = hold.held() && !sameStart(rows, matching);
    nodes.held.hidden = !waiting;
    const all = performance.now() - allAt >= ALL_EVERY_MS;
    if (all) allAt = performance.now();
    keyed(
      nodes.body,
      rows,
      (cluster) => cluster.id,
      (cluster) => near.watch(createRow(cluster)),
      (row, cluster) => {
        if (all || near.has(row)) updateRow(row, cluster, context);
      },
    );
    setText(nodes.number, numberWords(rows.length, matching.length, live.length));
    nodes.table.hidden = !rows.length;
    nodes.empty.hidden = rows.length > 0;
    setText(nodes.empty, emptyWords(live.length, filter));
    const rest = order.length - rows.length;
    nodes.more.hidden = rest <= 0;
    if (rest > 0) setText(nodes.more, `Show ${count(Math.min(NEXT_PAGE, rest))} more of ${count(rest)}`);
    showActive(nodes.active, filter, change);
    byId("filter-clear").hidden = isEmpty(filter);
    showEnded(model, pass, context);
  }

  function showEnded(model, pass, context) {
    const ended = [...model.clusters.values()].filter((cluster) => !isLive(cluster.state) && pass(cluster));
    nodes.ended.hidden = !ended.length;
    setText(nodes.endedCount, count(ended.length));
    if (!nodes.ended.open) return;
    ended.sort((a, b) => endOf(b) - endOf(a));
    keyed(
      nodes.endedRows,
      ended.slice(0, RESOLVED_SHOWN),
      (cluster) => cluster.id,
      createRow,
      (row, cluster) => updateRow(row, cluster, context),
    );
  }

  return {
    render,
    /** Set the filter from outside, as by a chip of the overview. */
    setFilter: change,
    toggle: (label, value) => change(toggled(filter, label, value)),
    /** Put the keyboard into the filter box. */
    focusFilter: () => controls.text.focus(),
    /** Put the keyboard on the row of *id*, else the first; returns whether there is one. */
    focusRow(id) {
      const link = nodes.section.querySelector(`a[data-id="${Number(id)}"]`) ?? nodes.body.querySelector("a");
      link?.focus();
      return Boolean(link);
    },
    /** Mark the row whose card is open. */
    select(id) {
      for (const row of nodes.section.querySelectorAll("[aria-current]")) row.removeAttribute("aria-current");
      selected = id;
      const link = id === null ? null : nodes.section.querySelector(`a[data-id="${Number(id)}"]`);
      link?.setAttribute("aria-current", "true");
    },
  };
}

const capitalised = (words) => words.charAt(0).toUpperCase() + words.slice(1);

function listContext(model, span, selected) {
  return {
    now: model.now(),
    span,
    selected,
    order: model.severityOrder ?? [],
    stormIds: new Set(activeStorm(model)?.cluster_ids ?? []),
  };
}

const endOf = (cluster) => ms(cluster.resolved_at ?? cluster.closed_at ?? cluster.updated_at);

/** Return *clusters* with those pinned first, then those that fire; else in their order, worst first. */
function mattersFirst(clusters) {
  const rank = (cluster) => (cluster.pinned ? 0 : cluster.firing > 0 ? 1 : 2);
  return [...clusters].sort((a, b) => rank(a) - rank(b));
}

/** Return the ids in their old order, without those gone, the new ones at the end. */
function kept(order, matching) {
  const present = new Set(matching.map((cluster) => cluster.id));
  const old = order.filter((id) => present.has(id));
  const known = new Set(old);
  return [...old, ...matching.map((cluster) => cluster.id).filter((id) => !known.has(id))];
}

function sameStart(rows, matching) {
  return rows.every((cluster, place) => cluster.id === matching[place]?.id);
}

function numberWords(shown, matching, live) {
  if (matching < live) return `${count(matching)} of ${plural(live, "live cluster")}`;
  return shown < live ? `${count(shown)} of ${plural(live, "live cluster")}` : plural(live, "live cluster");
}

function emptyWords(live, filter) {
  if (isEmpty(filter)) return "No live clusters. What fires next appears here at once.";
  return live ? "No live cluster matches the filter." : "No live clusters, with or without the filter.";
}

function showActive(node, filter, change) {
  const values = ["team", "service"].flatMap((label) => filter[label].map((value) => ({ label, value })));
  node.hidden = !values.length;
  keyed(
    node,
    values,
    ({ label, value }) => `${label}=${value}`,
    ({ label, value }) =>
      h(
        "li",
        {},
        h(
          "button.chip.pressed",
          { type: "button", onclick: () => change(toggled(filter, label, value)) },
          h("span.muted", {}, `${label} `),
          foreign(value, { limit: 40 }),
          icon("close"),
          h("span.unseen", {}, "remove this filter"),
        ),
      ),
    (item, { label, value }) => {
      // The handler must see the filter of now, not the one of when the chip was made.
      item.firstChild.onclick = () => change(toggled(filter, label, value));
    },
  );
}

function createRow(cluster) {
  return h(
    "tr",
    { role: "row", "data-id": cluster.id },
    h("td.c-severity", { role: "cell" }, severityMark(cluster.severity, [])),
    h(
      "td.c-title",
      { role: "cell" },
      h(
        "div.cell",
        {},
        h(
          "a",
          { href: `#cluster=${cluster.id}`, "data-id": cluster.id },
          foreign(cluster.title, { limit: 160 }),
        ),
        h("span.badges"),
      ),
    ),
    h("td.c-state", { role: "cell" }, stateMark(cluster.state)),
    h("td.c-firing.number", { role: "cell" }, h("b"), h("span.muted")),
    h(
      "td.c-trend",
      { role: "cell", "aria-hidden": "true" },
      svg(
        "svg",
        { viewBox: `0 0 ${TREND.width} ${TREND.height}`, class: "trend", preserveAspectRatio: "none" },
        svg("path", { d: "" }),
      ),
    ),
    h("td.c-affects", { role: "cell" }),
    h("td.c-since.number", { role: "cell" }, h("span"), h("span.muted")),
  );
}

function updateRow(row, cluster, { now, span, selected, order, stormIds }) {
  const [severity, title, state, firing, trend, affects, since] = row.children;
  updateSeverityMark(severity.firstChild, cluster.severity, order);
  const [link, badges] = title.firstChild.children;
  setText(link.firstChild, visible(cluster.title, { limit: 160 }));
  setAttribute(link, "aria-current", selected === cluster.id ? "true" : null);
  showBadges(badges, cluster, stormIds.has(cluster.id));
  updateStateMark(state.firstChild, cluster.state);
  setText(firing.firstChild, count(cluster.firing));
  setText(firing.lastChild, `of ${count(cluster.size)}`);
  const lane = span.model.lanes.get(cluster.id);
  const path = lane ? stepPath(lane.samples, now - span.seconds * 1000, now, TREND) : "";
  setAttribute(trend.firstChild.firstChild, "d", path);
  setText(affects, affectsWords(cluster));
  const opened = ms(cluster.opened_at);
  if (isLive(cluster.state)) {
    setText(since.firstChild, clock(opened, now));
    setText(since.lastChild, duration((now - opened) / 1000));
  } else {
    setText(since.firstChild, clock(endOf(cluster), now));
    setText(since.lastChild, `after ${duration((endOf(cluster) - opened) / 1000)}`);
  }
}

/** Return up to three of the teams, else services, that a cluster touches. */
function affectsWords(cluster) {
  const teams = Object.keys(cluster.affected?.team ?? {});
  const services = Object.keys(cluster.affected?.service ?? {});
  const names = teams.length ? teams : services;
  const first = names
    .slice(0, 3)
    .map((name) => visible(name, { limit: 24 }))
    .join(", ");
  return names.length > 3 ? `${first} +${names.length - 3}` : first;
}

function showBadges(node, cluster, inStorm) {
  const badges = [];
  if (inStorm) badges.push(["storm", "in the storm"]);
  if (cluster.recurs) badges.push(["again", "seen before"]);
  if (cluster.novel) badges.push(["new", "new here"]);
  if (cluster.acked_by) badges.push(["ack", visible(cluster.acked_by, { limit: 24 })]);
  if (cluster.pinned) badges.push(["pin", "pinned"]);
  if (cluster.note) badges.push(["note", "note"]);
  keyed(
    node,
    badges,
    ([name]) => name,
    ([name, words]) =>
      h(
        "span.badge",
        { "data-badge": name },
        icon(name),
        name === "ack" ? h("bdi", {}, words) : h("span", {}, words),
      ),
    (badge, [, words]) => setText(badge.lastChild, words),
  );
}

function openFrom(event, onOpen) {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  const row = event.target.closest("tr");
  if (!row || String(getSelection())) return;
  event.preventDefault();
  onOpen(Number(row.dataset.id));
}

const STEPS = {
  ArrowDown: 1,
  j: 1,
  ArrowUp: -1,
  k: -1,
  PageDown: 10,
  PageUp: -10,
  Home: -Infinity,
  End: Infinity,
};

/** Walk from row to row by keys. */
function walk(event) {
  const step = STEPS[event.key];
  if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const links = [...event.currentTarget.querySelectorAll("a[data-id]")];
  const place = links.indexOf(document.activeElement);
  if (place < 0) return;
  event.preventDefault();
  event.stopPropagation();
  links[Math.min(links.length - 1, Math.max(0, place + step))].focus();
}

/** Tell which rows are in sight, or nearly; *onEnter* gets each that comes into it. */
function inSight(onEnter) {
  const rows = new WeakSet();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!target.isConnected) observer.unobserve(target);
        else if (!isIntersecting) rows.delete(target);
        else if (!rows.has(target)) {
          rows.add(target);
          onEnter(target);
        }
      }
    },
    { rootMargin: NEAR },
  );
  return {
    has: (row) => rows.has(row),
    /** Watch a new row; until it is known where it is, it counts as in sight. */
    watch(row) {
      rows.add(row);
      observer.observe(row);
      return row;
    },
  };
}

/** Tell whether rows must keep their places, and call *release* when they need not any more. */
function holder(table, release) {
  let inside = false;
  let until = 0;
  const leave = () => {
    until = performance.now() + HOLD_AFTER_MS;
    setTimeout(release, HOLD_AFTER_MS + 20);
  };
  table.addEventListener("pointerenter", (event) => {
    inside = event.pointerType === "mouse" || event.pointerType === "pen";
  });
  table.addEventListener("pointerdown", leave);
  table.addEventListener("pointerleave", () => {
    inside = false;
    leave();
  });
  table.addEventListener("focusout", leave);
  return {
    held: () => inside || table.contains(document.activeElement) || performance.now() < until,
  };
}
