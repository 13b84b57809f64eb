// The members of a cluster: which, since when, and, when asked, why each is here.

import { fill, h, icon, keyed, setAttribute, setText } from "./dom.js";
import { clock, count, duration, ms, plural } from "./format.js";
import { inOrder, labelChip } from "./labels.js";
import { severityMark } from "./severity.js";
import { foreign, visible } from "./text.js";
import { whyView } from "./why.js";

const FIRST_PAGE = 50;
const NEXT_PAGE = 100;
const LABELS_SHOWN = 5;

/**
 * Return a view of members that can be updated in place.
 * @param {{api: import("./api.js").Api, onCluster: (id: number) => void, onAlert: (fingerprint: string) => void,
 *   onSearch: () => void}} parts
 */
export function createMembers({ api, onCluster, onAlert, onSearch }) {
  const list = h("ul.members");
  const more = h("button.more", { type: "button", hidden: true });
  const rest = h("p.small.muted", { hidden: true });
  const node = h("div", {}, list, more, rest);
  let shown = FIRST_PAGE;
  let last = null;
  more.addEventListener("click", () => {
    const before = shown;
    shown += NEXT_PAGE;
    update(...last);
    list.children[before]?.querySelector("button")?.focus();
  });

  /**
   * @param {object} detail of the cluster
   * @param {string[]} order of severities
   * @param {number} now
   */
  function update(detail, order, now) {
    last = [detail, order, now];
    const differing = new Set(Object.keys(detail.differing_labels ?? {}));
    const members = [...(detail.members ?? [])].sort(firingFirst);
    keyed(
      list,
      members.slice(0, shown),
      (alert) => `${alert.fingerprint} ${alert.episode_id}`,
      (alert) => memberRow(alert, differing, order, { api, onCluster, onAlert }),
      (row, alert) => updateMember(row, alert, now),
    );
    const left = members.length - shown;
    more.hidden = left <= 0;
    if (left > 0) setText(more, `Show ${count(Math.min(NEXT_PAGE, left))} more of ${count(left)}`);
    const unlisted = (detail.members_total ?? 0) - members.length;
    rest.hidden = unlisted <= 0;
    if (unlisted > 0) {
      fill(
        rest,
        `${plural(unlisted, "member")} more are not listed here. `,
        h("button.link", { type: "button", onclick: onSearch }, "Search all of them"),
      );
    }
  }

  return { node, update };
}

const RANKS = ["firing", "suppressed", "stale", "resolved"];

function firingFirst(a, b) {
  const rank = (alert) => RANKS.indexOf(alert.state);
  return rank(a) - rank(b) || ms(a.startsAt) - ms(b.startsAt);
}

function memberRow(alert, differing, order, parts) {
  const name = alert.labels.alertname;
  // The name heads the row; what differs tells one row from the next.
  const telling = inOrder(alert.labels).filter(
    ([label]) => differing.has(label) && label !== "alertname" && label !== "severity",
  );
  const labels = h(
    "ul.labels",
    {},
    telling.slice(0, LABELS_SHOWN).map(([label, value]) => h("li", {}, labelChip(label, value))),
  );
  const why = h("div.why-place", { hidden: true });
  const button = h("button.link", { type: "button", "aria-expanded": "false" }, "Why here?");
  button.addEventListener("click", () => toggleWhy(button, why, alert, parts));
  return h(
    "li.member",
    {},
    h(
      "div.member-head",
      {},
      severityMark(alert.severity, order, { terse: true }),
      h(
        "button.link.member-name",
        { type: "button", onclick: () => parts.onAlert(alert.fingerprint) },
        foreign(name ?? alert.fingerprint, { limit: 120 }),
      ),
      h("span.member-state"),
      h("span.member-time.number"),
    ),
    telling.length > 0 && labels,
    telling.length > LABELS_SHOWN &&
      h("p.small.muted", {}, `and ${plural(telling.length - LABELS_SHOWN, "label")} more`),
    h(
      "div.member-foot",
      {},
      h(
        "p.summary",
        {},
        alert.annotations?.summary ? foreign(alert.annotations.summary, { limit: 300 }) : null,
      ),
      button,
    ),
    why,
  );
}

function updateMember(row, alert, now) {
  const head = row.firstChild;
  setAttribute(row, "data-state", alert.state);
  const [, , state, time] = head.children;
  if (state.dataset.state !== alert.state) {
    state.dataset.state = alert.state;
    fill(state, alert.state === "resolved" && icon("check"), visible(alert.state));
  }
  const started = ms(alert.startsAt);
  const ended = ms(alert.endsAt);
  const words =
    Number.isFinite(ended) && alert.state === "resolved"
      ? `${clock(started, now)} – ${clock(ended, now)}`
      : `${clock(started, now)}, ${duration((now - started) / 1000)}`;
  setText(time, words);
}

async function toggleWhy(button, place, alert, { api, onCluster, onAlert }) {
  const open = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!open));
  place.hidden = open;
  if (open || place.dataset.state === "told") return;
  fill(place, h("p.muted", {}, "Asking…"));
  try {
    const told = await api.get(`alerts/${encodeURIComponent(alert.fingerprint)}`);
    place.dataset.state = "told";
    fill(place, whyView(told.why, { fingerprint: alert.fingerprint, api, onCluster, onAlert }));
  } catch (error) {
    fill(place, h("p.failed", { role: "alert" }, error.message));
  }
}
