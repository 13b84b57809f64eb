// What a cluster has to do with the past: which earlier one it recurs, whether it is new here, what else
// it is like. Words are made apart from elements, so that they can be read without a browser.

import { fill, h, icon, setText } from "./dom.js";
import { day, duration, ms } from "./format.js";
import { foreign, visible } from "./text.js";

const LISTED = 5;
const UNLIKE = 0.4; // what is less similar than this has a word in common, and no more

/** Return when it was, how long it took and how it ended: "on 3 Mar: 41 min, ended when A resolved". */
export function pastWords(past, now) {
  const when = `on ${day(ms(past.opened_at), now)}`;
  const details = [];
  if (Number.isFinite(past.duration_seconds)) details.push(duration(past.duration_seconds));
  if (past.ended) details.push(`ended when ${visible(past.ended, { limit: 200 })}`);
  return details.length ? `${when}: ${details.join(", ")}` : when;
}

/** Return a similarity with two digits, "0.93"; empty where it is not known. */
export function likeness(similarity) {
  return Number.isFinite(similarity) ? similarity.toFixed(2) : "";
}

/** Return what is said of a cluster whose kinds of alert are new here; empty if they are not. */
export function noveltyWords(cluster, now) {
  if (cluster.novel !== true) return "";
  const first = ms(cluster.first_seen);
  // What began with this cluster was received with it, give or take a delivery.
  const known = Number.isFinite(first) && ms(cluster.opened_at) - first > 3_600_000;
  return known
    ? `it has alerts not seen here for long; the first was on ${day(first, now)}`
    : "it has alerts never seen here before";
}

const link = (id, open, words = `cluster ${id}`) =>
  h("button.link", { type: "button", onclick: () => open("cluster", id) }, words);

/** Show in *node* which earlier cluster *cluster* recurs, or that it is new; hide it if it is neither. */
export function showHistory(node, cluster, now, open) {
  const { recurs } = cluster;
  const news = noveltyWords(cluster, now);
  const key = JSON.stringify([recurs, news]);
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  node.hidden = !recurs && !news;
  if (node.hidden) return;
  if (!recurs) {
    fill(node, icon("new"), h("span", {}, h("b", {}, "New here: "), news));
    return;
  }
  const similar = likeness(recurs.similarity);
  fill(
    node,
    icon("again"),
    h(
      "div",
      {},
      h("b", {}, "Seen before: "),
      similar ? `${similar} like ` : "as in ",
      link(recurs.cluster_id, open),
      " ",
      h("bdi", {}, pastWords(recurs, now)),
      recurs.title ? h("p", {}, foreign(recurs.title, { limit: 160 })) : null,
      recurs.reason ? h("p.muted", {}, recurs.reason) : null,
    ),
  );
}

/**
 * Return the list of what a cluster is like: {node, update}. It asks once it is shown a cluster, and again
 * when that recurs another one than before.
 * @param {{api: {get: Function}, open: Function}} parts
 */
export function createSimilar({ api, open }) {
  const list = h("ul.plain.similar");
  const note = h("p.muted", { hidden: true });
  const node = h("div", {}, list, note);
  let asked = "";

  function say(words) {
    note.hidden = !words;
    setText(note, words);
  }

  return {
    node,
    /** Show what *cluster* is like. */
    async update(cluster, now) {
      const key = `${cluster.id} ${cluster.recurs?.cluster_id ?? ""}`;
      if (key === asked) return;
      asked = key;
      try {
        const answer = await api.get("similar", { cluster_id: cluster.id, limit: LISTED });
        if (key !== asked) return;
        const found = answer.clusters.filter((other) => other.similarity >= UNLIKE);
        fill(
          list,
          found.map((other) => similarItem(other, now(), open)),
        );
        say(found.length ? "" : "Nothing like it is remembered.");
      } catch (error) {
        if (key !== asked) return;
        // Asked again with the next news of the cluster.
        asked = "";
        say(error.message);
      }
    },
  };
}

function similarItem(other, now, open) {
  const over = other.resolved_at !== null;
  return h(
    "li",
    { title: other.reason },
    h("span.likeness", {}, likeness(other.similarity)),
    h(
      "span",
      {},
      link(other.cluster_id, open, foreign(other.title || `Cluster ${other.cluster_id}`, { limit: 160 })),
      h("span.muted", {}, " ", over ? h("bdi", {}, pastWords(other, now)) : "goes on now"),
    ),
  );
}
