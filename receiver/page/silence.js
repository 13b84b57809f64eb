/**
 * Which matchers silence exactly the firing members of a cluster in Alertmanager, and whom else they would hit. Pure.
 *
 * A silence is a conjunction: an alert is silenced when each matcher holds, and a label it lacks counts as "". Every
 * label of the members gives one matcher that covers all of them: their values. From these the fewest are chosen that
 * spare every other alert that can be spared, which is a minimal hitting set; there are few enough to try them all.
 *
 * That spares what fires now. What begins to fire while the silence lasts is not known: so every label besides in which
 * all members agree is asked for too. It costs a reader one value each, and lets later alerts from elsewhere through.
 */

/** Without it a silence covers what has nothing to do with the problem as soon as it begins to fire. */
const NAME = "alertname";
/** A longer choice of values cannot be read, and makes addresses that browsers cut. */
const MOST_VALUES = 60;
const MOST_CHARACTERS = 1500;
/** All subsets of so many labels are tried in some milliseconds. */
const MOST_CANDIDATES = 16;
/** So many labels in which all members agree; a problem in one pod has a label for everything. */
const MOST_SHARED = 8;
/** A longer value cannot be read, and the address has to hold them all. */
const MOST_SHARED_CHARACTERS = 100;
/** More silences at once than this nobody looks through at night. */
const MOST_SILENCES = 12;
const EXAMPLES = 5;

/**
 * Return the silence that covers *members*, and as few of *others* as any can: with the fewest matchers of several
 * values, and one of each label in which all members agree.
 *
 * @param {Record<string, string>[]} members labels of the alerts to silence, at least one
 * @param {Record<string, string>[]} others labels of all other firing alerts
 * @returns {{matchers: {name: string, values: string[]}[], covers: number, hits: number, examples: object[]}}
 *   values: sorted, "" where the label may be absent; hits: how many of *others*; examples: some of them
 */
export function silenceFor(members, others) {
  const all = candidates(members);
  const fixed = all.filter(({ name }) => name === NAME);
  // Who is spared by the name already asks nothing of the rest.
  const left = others.filter((labels) => matches(fixed, labels));
  const useful = all
    .filter(({ name }) => name !== NAME)
    .map((matcher) => ({ matcher, spares: left.filter((labels) => !holds(matcher, labels)).length }))
    .filter(({ spares }) => spares > 0)
    .sort((a, b) => b.spares - a.spares || cost(a.matcher) - cost(b.matcher))
    .slice(0, MOST_CANDIDATES)
    .map(({ matcher }) => matcher);
  const chosen = fewest(useful, left);
  const matchers = narrowed(settled([...fixed, ...chosen], all), all);
  const hit = left.filter((labels) => matches(matchers, labels));
  return { matchers, covers: members.length, hits: hit.length, examples: hit.slice(0, EXAMPLES) };
}

/**
 * Return what to silence *members* with: one silence; and where that hits others, several, one for each name of
 * alert, if these hit fewer.
 *
 * @returns {{one: object, several: object[]|null, severalHits: number}} silences as of silenceFor
 */
export function silencePlan(members, others) {
  const one = silenceFor(members, others);
  const byName = groupByName(members);
  if (one.hits === 0 || byName.size < 2 || byName.size > MOST_SILENCES) return { one, several: null, severalHits: one.hits };
  const several = [...byName.values()].map((some) => silenceFor(some, others));
  const severalHits = others.filter((labels) => several.some(({ matchers }) => matches(matchers, labels))).length;
  return severalHits < one.hits ? { one, several, severalHits } : { one, several: null, severalHits: one.hits };
}

function groupByName(members) {
  const groups = new Map();
  for (const labels of members) {
    const name = labels[NAME] ?? "";
    groups.set(name, [...(groups.get(name) ?? []), labels]);
  }
  return groups;
}

/** Would a silence of *matchers* hold back an alert with *labels*? */
export const matches = (matchers, labels) => matchers.every((matcher) => holds(matcher, labels));

const holds = ({ name, values }, labels) => values.includes(labels[name] ?? "");

/** A matcher for each label that any of *members* has, of all values it has there. */
function candidates(members) {
  const names = new Set(members.flatMap((labels) => Object.keys(labels)));
  const found = [];
  for (const name of [...names].sort()) {
    const values = [...new Set(members.map((labels) => labels[name] ?? ""))].sort();
    if (values.length <= MOST_VALUES && values.join("|").length <= MOST_CHARACTERS) found.push({ name, values });
  }
  return found;
}

/** What a matcher costs who has to read it: its values, and a doubt more where the label may be absent. */
const cost = ({ values }) => values.length + (values[0] === "" ? 2 : 0);

/**
 * The fewest of *matchers*, and of those the cheapest, that spare each of *others* that any of them spares.
 * Two of *others* that the same matchers spare ask the same, and one that more of them spare asks nothing more.
 */
function fewest(matchers, others) {
  const sparers = new Set();
  for (const labels of others) {
    const mask = matchers.reduce((bits, matcher, i) => (holds(matcher, labels) ? bits : bits | (1 << i)), 0);
    if (mask) sparers.add(mask);
  }
  const asked = [...sparers].filter((mask) => ![...sparers].some((other) => other !== mask && (other & mask) === other));
  for (let size = 0; size <= matchers.length; size += 1) {
    const best = cheapest(matchers, size, (set) => asked.every((mask) => mask & set));
    if (best !== null) return matchers.filter((_, i) => best & (1 << i));
  }
  return matchers;
}

/** The cheapest set of *size* matchers, as bits, for which *enough* holds; null if there is none. */
function cheapest(matchers, size, enough) {
  let best = null;
  let least = Infinity;
  const visit = (from, left, set, sum) => {
    if (sum >= least) return;
    if (left === 0) {
      if (enough(set)) [best, least] = [set, sum];
      return;
    }
    for (let i = from; i <= matchers.length - left; i += 1) visit(i + 1, left - 1, set | (1 << i), sum + cost(matchers[i]));
  };
  visit(0, size, 0, 0);
  return best;
}

/** Alertmanager takes no silence whose matchers all hold for an alert without labels. */
function settled(matchers, all) {
  if (matchers.some(({ values }) => values[0] !== "")) return matchers;
  const sure = all.filter(({ values }) => values[0] !== "").sort((a, b) => cost(a) - cost(b))[0];
  return sure ? [...matchers, sure] : matchers;
}

/** *matchers*, and of *all* those with one value: an alert that fires later must have it too. */
function narrowed(matchers, all) {
  const names = new Set(matchers.map(({ name }) => name));
  const shared = all.filter(({ name, values }) => !names.has(name) && values.length === 1 && values[0] !== ""
    && values[0].length <= MOST_SHARED_CHARACTERS);
  return [...matchers, ...shared.slice(0, MOST_SHARED)];
}

/** Return a matcher as Alertmanager reads it: `name="value"`, or `name=~"one|two"`. */
export function matcherText({ name, values }) {
  if (values.length === 1) return `${quotedName(name)}=${quoted(values[0])}`;
  return `${quotedName(name)}=~${quoted(values.map(escaped).join("|"))}`;
}

/** Every character with a meaning in RE2; Alertmanager anchors the expression itself. */
const escaped = (value) => value.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");

const quoted = (text) => `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;

/** A name beyond the classic letters is quoted, as UTF-8 matchers have it. */
const quotedName = (name) => (/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name) ? name : quoted(name));

/** Return the address of Alertmanager's form for a new silence, filled in; null where *base* is no address. */
export function silenceUrl(base, { matchers }) {
  const address = addressOf(base);
  const filter = `{${matchers.map(matcherText).join(", ")}}`;
  return address && `${address}/#/silences/new?filter=${encodeURIComponent(filter)}`;
}

/** Return *base* without a slash at its end, query and fragment; null where it is no address of a web server. */
export function addressOf(base) {
  let url;
  try {
    url = new URL(base);
  } catch {
    return null;
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/**
 * Return the command that makes the silence; safe to paste into a POSIX shell, whatever the labels hold.
 * @param {{comment: string, duration?: string, alertmanager?: string}} how alertmanager: its address, where it is known
 */
export function amtoolCommand({ matchers }, { comment, duration = "2h", alertmanager = "" }) {
  const words = matchers.map((matcher) => shell(matcherText(matcher)));
  const address = addressOf(alertmanager);
  const where = address ? ` --alertmanager.url=${shell(address)}` : "";
  return `amtool silence add ${words.join(" ")} --duration=${duration} --comment=${shell(comment)}${where}`;
}

/** A line feed in single quotes is harmless to the shell, but a terminal takes it for the end of a paste. */
const shell = (text) => `'${text.replace(/[\u0000-\u001f\u007f]/g, " ").replace(/'/g, "'\\''")}'`;
