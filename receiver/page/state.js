// The states of an alert cluster: sign, word and what they mean.

import { h, icon } from "./dom.js";

export const STATES = {
  forming: { sign: "forming", meaning: "new, and still small" },
  growing: { sign: "up", meaning: "still taking in new alerts" },
  steady: { sign: "level", meaning: "alerts fire, none are new" },
  resolving: { sign: "down", meaning: "members resolve, none are new" },
  resolved: { sign: "check", meaning: "no member fires any more" },
  merged: { sign: "merge", meaning: "went into another cluster" },
};

/** Return whether a cluster of *state* may still change. */
export function isLive(state) {
  return state !== "resolved" && state !== "merged";
}

/** Return sign and word of a state. */
export function stateMark(state) {
  const known = STATES[state] ?? { sign: "level", meaning: "" };
  return h(
    "span.state",
    { "data-state": state, title: known.meaning },
    icon(known.sign),
    h("span", {}, state),
  );
}

/** Show another state in *mark*, made by stateMark. */
export function updateStateMark(mark, state) {
  if (mark.dataset.state === state) return;
  const known = STATES[state] ?? { sign: "level", meaning: "" };
  mark.dataset.state = state;
  mark.title = known.meaning;
  mark.querySelector("use").setAttribute("href", `#icon-${known.sign}`);
  mark.lastChild.textContent = state;
}
