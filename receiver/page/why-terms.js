// The terms of a decision as bars: what each speaks for or against a cluster, on one scale. Pure.

/** What people call a term; one that is not here is called by its own name. */
const NAMES = {
  text: "Text",
  labels: "Labels",
  time: "Time",
  together: "Seen together",
  habit: "Comes back alone",
};

const HELP = {
  text: "How much nearer the alert's text is to this cluster than to what else goes on",
  labels: "How rare the most telling label value is that they share, less what differs that seldom does",
  time: "Whether the cluster's next alert was due, or a new problem was likelier",
  together: "Whether such alerts have come together here before",
  habit: "Whether this alert, which keeps coming back alone, was due",
};

/** Return what people call *term*. */
export function termName(term) {
  if (Object.hasOwn(NAMES, term)) return NAMES[term];
  return term.charAt(0).toUpperCase() + term.slice(1).replaceAll("_", " ");
}

/** Return what *term* tells, in a sentence; nothing for one that is not known. */
export function termHelp(term) {
  return Object.hasOwn(HELP, term) ? HELP[term] : null;
}

/** Return the sum of the terms of *score*, log-odds. */
export function total(score) {
  return Object.values(score.evidence).reduce((sum, value) => sum + value, 0);
}

/**
 * Return the scale of all bars of a decision: a function from log-odds to 0..1 of the width, and 0 is within.
 * @param {object[]} scores the best and perhaps the runner-up
 * @param {number|null} needed evidence at which the threshold is reached
 */
export function scaleOf(scores, needed) {
  const values = scores.flatMap((score) => [...Object.values(score.evidence), total(score)]);
  const all = [0, ...values, ...(typeof needed === "number" ? [needed] : [])];
  const low = Math.min(...all);
  const high = Math.max(...all);
  // Some room at both ends, so that a mark at the edge is seen; at least a unit, so that nothing looks much.
  const room = Math.max(1, high - low) * 0.06;
  const span = Math.max(1, high - low) + 2 * room;
  return (value) => (value - low + room) / span;
}

/** Return {x, width, against} of the bar of *value*, as shares of the width, from zero to it. */
export function bar(value, scale) {
  const ends = [scale(0), scale(value)].sort((a, b) => a - b);
  return { x: ends[0], width: ends[1] - ends[0], against: value < 0 };
}

/** Return log-odds with their sign, as text. */
export function signed(value) {
  const rounded = Math.abs(value).toFixed(1);
  if (rounded === "0.0") return "0.0";
  return `${value < 0 ? "−" : "+"}${rounded}`;
}

/** Return in a sentence what would have to differ for the runner-up to win; nothing if that is not told. */
export function whatDiffers(why) {
  const { margin, runner_up: second } = why;
  if (!margin || !second) return null;
  const cluster = `cluster ${second.cluster_id}`;
  if (margin.evidence < 0) return `By the evidence alone, ${cluster} is ahead.`;
  const behind = `Runner-up ${cluster} is ${margin.evidence.toFixed(1)} behind`;
  const names = margin.decided_by.map((term) => termName(term).toLowerCase());
  if (!names.length) return `${behind}, by several terms together.`;
  const either = names.length > 1 ? "any one of " : "";
  const list = names.length > 1 ? `${names.slice(0, -1).join(", ")} or ${names.at(-1)}` : names[0];
  return `${behind}: with as much for ${either}${list} it would have been level or ahead.`;
}
