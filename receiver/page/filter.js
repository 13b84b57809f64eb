// Which clusters the list shows. Pure apart from what it is told.

import { lookOf } from "./evolution-theme.js";

/** Return a filter that lets everything through. */
export function noFilter() {
  return { text: "", severity: "", state: "", where: "", team: [], service: [] };
}

/** Return whether *filter* lets everything through. */
export function isEmpty(filter) {
  return (
    !filter.text &&
    !filter.severity &&
    !filter.state &&
    !filter.where &&
    !filter.team.length &&
    !filter.service.length
  );
}

/** Return *filter* with *value* of *label* put in, or taken out where it was in. */
export function toggled(filter, label, value) {
  const had = filter[label].includes(value);
  const next = had ? filter[label].filter((other) => other !== value) : [...filter[label], value];
  return { ...filter, [label]: next };
}

/**
 * Return a function that says whether a cluster passes *filter*.
 * @param {{order: string[], stormIds: Set<number>}} context
 */
export function passes(filter, { order, stormIds }) {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return (cluster) => {
    if (filter.severity && lookOf(cluster.severity, order) !== filter.severity) return false;
    if (filter.state && cluster.state !== filter.state) return false;
    if (filter.where && (filter.where === "storm") !== stormIds.has(cluster.id)) return false;
    if (!hasOneOf(cluster, "team", filter.team)) return false;
    if (!hasOneOf(cluster, "service", filter.service)) return false;
    return !words.length || containsAll(cluster, words);
  };
}

function hasOneOf(cluster, label, values) {
  if (!values.length) return true;
  const own = cluster.affected?.[label] ?? {};
  return values.some((value) => Object.hasOwn(own, value) || cluster.labels?.[label] === value);
}

function containsAll(cluster, words) {
  const affected = Object.values(cluster.affected ?? {}).flatMap((values) => Object.keys(values));
  const labels = Object.entries(cluster.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  // Of `PgPrimaryDown` a title makes "Pg primary down"; who knows the rule types its name.
  const unspaced = (cluster.title ?? "").replaceAll(" ", "");
  const all = [`#${cluster.id}`, cluster.title, unspaced, cluster.note, cluster.acked_by, ...labels, ...affected]
    .join("\n")
    .toLowerCase();
  return words.every((word) => all.includes(word));
}
