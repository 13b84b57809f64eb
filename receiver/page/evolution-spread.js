/**
 * In which order the values of a label fired, as steps along a lane: where each wave began, and its values in words. Pure.
 *
 * It is the order of firing, not of cause, so the words are joined by no arrow that would claim one.
 */

import { drawable } from "./evolution-text.js";

const VALUES_SHOWN = 3;
const LONGEST_VALUE = 24;
const GAP_PX = 10;
/** Steps nearer than this are one stroke to the eye. */
const STROKE_PX = 3;

/** "web, cart +6": the values of a wave, the first few named. */
export function waveText({ values, values_total: total = values.length }) {
  const named = values.slice(0, VALUES_SHOWN).map((value) => {
    const text = drawable(value) || "(empty)";
    return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text;
  });
  const more = total - named.length;
  return more > 0 ? `${named.join(", ")} +${more}` : named.join(", ");
}

/**
 * Return where each wave of *spread* is marked and told. Words stand at their stroke, or after the words before; those
 * for which there is no room are left out, and then all later ones.
 *
 * @param {object|null} spread of a cluster
 * @param {{xOf: (ms: number) => number, from: number, to: number, width: (text: string) => number}} room in CSS px
 * @returns {{strokes: number[], words: {x: number, text: string}[]}}
 */
export function spreadSteps(spread, { xOf, from, to, width }) {
  const strokes = [];
  const words = [];
  let free = from;
  let told = true;
  for (const [place, wave] of (spread?.waves ?? []).entries()) {
    const at = xOf(Date.parse(wave.at));
    if (Number.isNaN(at) || at > to) continue;
    if (at >= from && at - (strokes.at(-1) ?? -Infinity) >= STROKE_PX) strokes.push(at);
    const text = place ? `then ${waveText(wave)}` : waveText(wave);
    const x = Math.max(free, at + 5);
    told &&= x + width(text) <= to;
    if (!told) continue;
    words.push({ x, text });
    free = x + width(text) + GAP_PX;
  }
  return { strokes, words };
}
