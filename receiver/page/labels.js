// Label sets and their values as they are shown.

import { h } from "./dom.js";
import { count } from "./format.js";
import { foreign, visible } from "./text.js";

const VALUES_SHOWN = 6;
const VALUE_SHOWN = 300;

/** Labels people look at first; the rest follow by name. */
const FIRST = ["alertname", "severity", "team", "service", "namespace", "node", "instance", "pod"];

/** Return *labels* as pairs in the order people look for them. */
export function inOrder(labels) {
  const place = (name) => {
    const at = FIRST.indexOf(name);
    return at < 0 ? FIRST.length : at;
  };
  return Object.entries(labels ?? {}).sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : a > b ? 1 : 0));
}

/** Return one label as "name value"; a very long value is cut until asked for. */
export function labelChip(name, value) {
  const shown = foreign(value, { limit: VALUE_SHOWN });
  const whole =
    value.length > VALUE_SHOWN &&
    h(
      "button.link",
      {
        type: "button",
        onclick: (event) => {
          shown.textContent = visible(value);
          event.currentTarget.remove();
        },
      },
      `all ${count(value.length)} characters`,
    );
  return h(
    "span.label",
    {},
    h("span.label-name", {}, foreign(name, { limit: 60 })),
    shown,
    whole && " ",
    whole,
  );
}

/** Return a list of *labels*. */
export function labelList(labels) {
  return h(
    "ul.labels",
    {},
    inOrder(labels).map(([name, value]) => h("li", {}, labelChip(name, value))),
  );
}

/**
 * Return a table of labels that differ: {name: {value: count}}.
 * @param {Record<string, Record<string, number>>} differing
 */
export function differingTable(differing) {
  const rows = inOrder(differing).map(([name, values]) => {
    const all = Object.entries(values).sort(([, a], [, b]) => b - a);
    const list = h("ul.values", {}, all.slice(0, VALUES_SHOWN).map(valueItem));
    const rest = all.slice(VALUES_SHOWN);
    const more =
      rest.length > 0 &&
      h(
        "button.link",
        {
          type: "button",
          onclick: (event) => {
            list.append(...rest.map(valueItem));
            event.currentTarget.remove();
          },
        },
        `${count(rest.length)} more`,
      );
    return h("tr", {}, h("th", { scope: "row" }, foreign(name, { limit: 60 })), h("td", {}, list, more));
  });
  return h("table.differing", {}, h("tbody", {}, rows));
}

function valueItem([value, number]) {
  return h("li", {}, foreign(value, { limit: 200 }), h("span.count", {}, count(number)));
}
