// How a severity looks: a colour, a shape and a word, so that no one of them is needed alone.

import { h, icon, setAttribute } from "./dom.js";
import { visible } from "./text.js";

const KNOWN = {
  critical: "critical",
  page: "critical",
  emergency: "critical",
  error: "critical",
  high: "critical",
  warning: "warning",
  warn: "warning",
  medium: "warning",
  info: "info",
  notice: "info",
  low: "info",
  none: "none",
  "": "none",
};

/**
 * Return which look a severity has: critical, warning, info, none or other.
 * @param {string} name as the label says
 * @param {string[]} order mildest first, as the receiver ranks; a name not in it ranks above all
 */
export function lookOf(name, order = []) {
  const known = KNOWN[String(name ?? "").toLowerCase()];
  if (known) return known;
  const place = order.indexOf(name);
  // Not in the order: the receiver takes it for the worst, so it must not look harmless.
  if (place < 0) return "other";
  if (place === order.length - 1) return "critical";
  return place === order.length - 2 ? "warning" : "info";
}

/** Return the word for a severity. */
export function wordOf(name) {
  return name ? visible(name, { limit: 24 }) : "no severity";
}

/** Return shape and word of a severity; with *terse* the word is for screen readers and hover only. */
export function severityMark(name, order, { terse = false } = {}) {
  const look = lookOf(name, order);
  const word = wordOf(name);
  return h(
    "span.severity",
    { "data-look": look, title: terse ? word : null },
    icon(`severity-${look}`),
    h(terse ? "span.unseen" : "span", {}, word),
  );
}

/** Show another severity in *mark*, made by severityMark. */
export function updateSeverityMark(mark, name, order) {
  const look = lookOf(name, order);
  const word = wordOf(name);
  if (mark.dataset.look !== look) {
    mark.dataset.look = look;
    mark.querySelector("use").setAttribute("href", `#icon-severity-${look}`);
  }
  if (mark.lastChild.textContent !== word) mark.lastChild.textContent = word;
  if (mark.hasAttribute("title")) setAttribute(mark, "title", word);
}
