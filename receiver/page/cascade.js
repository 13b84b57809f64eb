// In what order values first fired. It is an order of firing and no more: `for` differs between rules, so
// gaps under a minute count as simultaneous, and nothing here may claim a cause.

import { fill, h } from "./dom.js";
import { ms, offset, plural, timeElement } from "./format.js";
import { foreign, visible } from "./text.js";

const SIMULTANEOUS_MS = 60_000;
const STEPS_SHOWN = 12;
const PREFERRED = ["service", "namespace", "team", "node", "zone", "region", "alertname", "instance", "pod"];

/**
 * Return the values of one label in steps. A step is what fired within a minute of its first: chained gaps would
 * make one step of a whole storm.
 */
export function steps(values) {
  const found = [];
  for (const { value, first_at: firstAt } of values) {
    const at = ms(firstAt);
    if (!found.length || at - found.at(-1).at >= SIMULTANEOUS_MS) found.push({ at, firstAt, values: [] });
    found.at(-1).values.push(value);
  }
  return found;
}

/** Return the label that tells the most: one people think in, with several values but not hundreds. */
export function bestLabel(cascade) {
  const names = Object.keys(cascade);
  const good = (name) => cascade[name].length > 1 && cascade[name].length <= 15;
  return PREFERRED.find((name) => names.includes(name) && good(name)) ?? names.find(good) ?? names[0];
}

/**
 * Return the view of a cascade, with a choice of label.
 * @param {Record<string, {value: string, first_at: string}[]>} cascade
 * @param {string|null} chosen label
 * @param {(label: string) => void} onChoose
 */
export function cascadeView(cascade, chosen, now, onChoose) {
  const names = Object.keys(cascade);
  const label = names.includes(chosen) ? chosen : bestLabel(cascade);
  const list = h("ol.cascade");
  const choice = h(
    "select",
    {
      "aria-label": "Label to order by",
      onchange: () => {
        onChoose(choice.value);
        show(list, cascade[choice.value], now);
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
  show(list, cascade[label], now);
  return h(
    "div",
    {},
    h("p.row", {}, h("label.inline", {}, "By ", choice)),
    list,
    h(
      "p.small.muted",
      {},
      "The order in which they first fired, which need not be the order of cause. Less than a minute apart counts as the same time.",
    ),
  );
}

function show(list, values, now) {
  const all = steps(values);
  const start = all[0]?.at ?? 0;
  fill(
    list,
    all
      .slice(0, STEPS_SHOWN)
      .map((step, place) =>
        h(
          "li",
          {},
          h(
            "span.when",
            {},
            timeElement(step.firstAt, now),
            h("span.muted", {}, place ? offset((step.at - start) / 1000) : "first"),
          ),
          h("span.what", {}, valuesOf(step)),
        ),
      ),
    all.length > STEPS_SHOWN && h("li.muted", {}, `and ${plural(all.length - STEPS_SHOWN, "later step")}`),
  );
}

function valuesOf(step) {
  const most = 10;
  const shown = step.values
    .slice(0, most)
    .flatMap((value, place) => [place ? ", " : "", foreign(value, { limit: 120 })]);
  const rest = step.values.length - most;
  if (rest > 0) shown.push(` and ${rest} more`);
  if (step.values.length > 1) shown.push(h("span.muted", {}, " at about the same time"));
  return shown;
}
