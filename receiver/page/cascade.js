// In what order a cluster's alerts first fired, along one of its labels. It is an order of firing and no more:
// `for` differs between rules, so what fired within a minute is one wave, and nothing here may claim a cause.

import { fill, h } from "./dom.js";
import { ms, offset, plural, timeElement } from "./format.js";
import { foreign, visible } from "./text.js";

const WAVES_SHOWN = 12;
const VALUES_SHOWN = 10;
const ALERTS_SHOWN = 3;

/** Return the values of one label in waves: [{at, firstAt, values}]. */
export function waves(values) {
  const found = [];
  for (const { value, first_at: firstAt, wave } of values) {
    if (found.length < wave) found.push({ at: ms(firstAt), firstAt, values: [] });
    found.at(-1).values.push(value);
  }
  return found;
}

/** Return the label to show first: the one along which the cluster spread; else one with few values. */
export function bestLabel(cascade, spread) {
  const names = Object.keys(cascade);
  if (spread && names.includes(spread.label)) return spread.label;
  const good = (name) => cascade[name].length > 1 && cascade[name].length <= 15;
  return names.find(good) ?? names[0];
}

/**
 * Return the view of a cascade, with a choice of label.
 * @param {Record<string, {value: string, first_at: string, wave: number}[]>} cascade
 * @param {object|null} spread what the cluster tells of its first
 * @param {string|null} chosen label
 * @param {{now: number, onChoose: (label: string) => void, onAlert: (fingerprint: string) => void}} about
 */
export function cascadeView(cascade, spread, chosen, { now, onChoose, onAlert }) {
  const names = Object.keys(cascade);
  const label = names.includes(chosen) ? chosen : bestLabel(cascade, spread);
  const list = h("ol.cascade");
  const choice = h(
    "select",
    {
      "aria-label": "Label to order by",
      onchange: () => {
        onChoose(choice.value);
        show(list, cascade[choice.value], spread, choice.value, now);
      },
    },
    names.map((name) =>
      h(
        "option",
        { value: name, selected: name === label },
        `${visible(name, { limit: 40 })} (${cascade[name].length})`,
      ),
    ),
  );
  show(list, cascade[label], spread, label, now);
  return h(
    "div",
    {},
    spread && firstView(spread, onAlert),
    h("p.row", {}, h("label.inline", {}, "By ", choice)),
    list,
    h(
      "p.small.muted",
      {},
      "The order in which they first fired, which need not be the order of cause. Less than a minute apart counts as the same time.",
    ),
  );
}

/** Return what was probably first, with what speaks for it; or why that is not told. */
function firstView(spread, onAlert) {
  const { evidence, probable_first: first } = spread;
  const known = typeof first === "string";
  return h(
    "div.first",
    { "data-known": known ? "yes" : "no" },
    h(
      "p",
      {},
      known
        ? [h("b", {}, `Probably first: ${spread.label} `, foreign(first, { limit: 120 }))]
        : h("b", {}, "Which was first is not clear"),
    ),
    h("p", {}, foreign(evidence.reason, { limit: 400 }), "."),
    caveat(spread) && h("p.small.muted", {}, caveat(spread)),
    h(
      "p.small",
      {},
      known ? "Its first alert: " : "First alerts: ",
      evidence.alerts
        .slice(0, ALERTS_SHOWN)
        .flatMap((alert, place) => [
          place ? ", " : "",
          h(
            "button.link",
            { type: "button", onclick: () => onAlert(alert.fingerprint) },
            foreign(alert.alertname || alert.fingerprint, { limit: 120 }),
          ),
          !known && [" in ", foreign(alert.value, { limit: 120 })],
        ]),
      rest(evidence.values_in_first_wave),
    ),
  );
}

const rest = (all) => (all > ALERTS_SHOWN ? ` and ${all - ALERTS_SHOWN} more` : "");

/** Return what may be said against the first; nothing where one rule saw the first and what came next. */
export function caveat({ probable_first: first, evidence }) {
  if (first === null || evidence.same_rule_next !== false) return "";
  return "Other rules fired next, and may have waited longer before they did.";
}

function show(list, values, spread, label, now) {
  const all = waves(values);
  const start = all[0]?.at ?? 0;
  const first = spread?.label === label ? spread.probable_first : null;
  fill(
    list,
    all
      .slice(0, WAVES_SHOWN)
      .map((wave, place) =>
        h(
          "li",
          { class: place === 0 && first !== null ? "probably-first" : null },
          h(
            "span.when",
            {},
            timeElement(wave.firstAt, now),
            h("span.muted", {}, place ? offset((wave.at - start) / 1000) : "first"),
          ),
          h("span.what", {}, valuesOf(wave)),
        ),
      ),
    all.length > WAVES_SHOWN && h("li.muted", {}, `and ${plural(all.length - WAVES_SHOWN, "later wave")}`),
  );
}

function valuesOf(wave) {
  const shown = wave.values
    .slice(0, VALUES_SHOWN)
    .flatMap((value, place) => [place ? ", " : "", foreign(value, { limit: 120 })]);
  const more = wave.values.length - VALUES_SHOWN;
  if (more > 0) shown.push(` and ${more} more`);
  if (wave.values.length > 1) shown.push(h("span.muted", {}, " at about the same time"));
  return shown;
}
