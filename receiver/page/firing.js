// All firing alerts, asked of the receiver: those of a cluster, and those of no concern to it.

const PAGE = 1000;
/** 10,000 firing alerts; beyond, figures are told as a least. */
const MOST_PAGES = 10;

/**
 * Return the labels of the firing alerts of cluster *id* and of all others: {members, others, complete}.
 * @param {{get: (path: string, parameters: object) => Promise<object>}} api
 */
export async function firingAlerts(api, id) {
  const members = [];
  const others = [];
  let cursor = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { items, next } = await api.get("alerts", { state: "firing", limit: PAGE, cursor });
    for (const alert of items) (alert.cluster_id === id ? members : others).push(alert.labels);
    cursor = next;
    if (!cursor) return { members, others, complete: true };
  }
  return { members, others, complete: false };
}

const LATER = "Later alerts that match are silenced too.";

/** Return whom a silence would hit beside the members, as words. */
export function hitWords(hits, complete) {
  return `${hitNow(hits, complete)} ${LATER}`;
}

function hitNow(hits, complete) {
  if (!hits) return complete ? "It hits no other alert that fires now." : "It hits none of the other alerts looked at.";
  const alerts = hits === 1 ? "alert that fires" : "alerts that fire";
  return `It hits ${complete ? "" : "at least "}${hits} other ${alerts} now, outside this cluster.`;
}
