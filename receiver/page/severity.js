// How a severity looks: a colour, a shape and a word, so that no one of them is needed alone.

import { h, icon, setAttribute } from "./dom.js";
import { lookOf } from "./evolution-theme.js";
import { visible } from "./text.js";

/** Return the word for a severity. */
function wordOf(name) {
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
