// "Silence exactly this": the matchers for it, whom else they would hit, and the command. Nothing is silenced from here.

import { fill, h } from "./dom.js";
import { firingAlerts, hitWords } from "./firing.js";
import { clock, plural } from "./format.js";
import { amtoolCommand, matcherText, silencePlan } from "./silence.js";
import { foreign } from "./text.js";

const COPIED_MS = 2000;
const VALUE_SHOWN = 300;

/**
 * Return the part of a card: {node, update}. It asks when it is told to, for who fires changes all the time.
 * @param {{api: {get: Function}}} parts
 */
export function createSilencing({ api }) {
  let cluster = null;
  const answer = h("div", { "aria-live": "polite" });
  const button = h("button", { type: "button", onclick: ask }, "Work out a silence for exactly this");
  const node = h("div.silencing", {}, button, answer);

  async function ask() {
    const { id, title } = cluster;
    button.disabled = true;
    fill(answer, h("p.muted", {}, "Looking at what fires…"));
    try {
      const firing = await firingAlerts(api, id);
      if (id !== cluster.id) return;
      fill(answer, h("p.muted", {}, `As of ${clock(Date.now(), Date.now(), { seconds: true })}.`), planView(firing, `Stormcell cluster ${id}: ${title}`));
    } catch (error) {
      fill(answer, h("p.failed", { role: "alert" }, error.message));
    } finally {
      button.disabled = false;
    }
  }

  return {
    node,
    update(next) {
      if (cluster?.id !== next.id) fill(answer);
      cluster = next;
    },
  };
}

function planView({ members, others, complete }, comment) {
  if (!members.length) return h("p", {}, "None of its alerts fires now.");
  const { one, several, severalHits } = silencePlan(members, others);
  return h(
    "div",
    {},
    silenceView(one, complete, comment),
    several && h("p", {}, `${plural(several.length, "silence")}, one for each name, would together hit ${severalHits} instead:`),
    several && h("ul.plain", {}, several.map((silence) => h("li", {}, silenceView(silence, complete, comment)))),
  );
}

function silenceView(silence, complete, comment) {
  const command = amtoolCommand(silence, { comment });
  const copy = h("button", { type: "button" }, "Copy the amtool command");
  copy.addEventListener("click", () => copyText(copy, command));
  return h(
    "div.silence",
    {},
    h("ul.labels", {}, silence.matchers.map((matcher) => h("li", {}, foreign(matcherText(matcher), { limit: VALUE_SHOWN })))),
    h("p", { class: silence.hits ? "hits" : null }, `${plural(silence.covers, "firing alert")} covered. `, hitWords(silence.hits, complete)),
    copy,
  );
}

async function copyText(button, text) {
  const words = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // Without https there is no clipboard: show it, to be copied by hand.
    button.after(h("pre.command", { tabindex: 0 }, text));
    button.textContent = "The command:";
  }
  setTimeout(() => (button.textContent = words), COPIED_MS);
}
