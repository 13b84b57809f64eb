// Text that others wrote: labels, annotations, titles, notes. It must change nothing but itself, so
// everything foreign that is shown goes through this file. No markup is ever made of it.

const HIDDEN = new RegExp(
  "[\\u0000-\\u001f\\u007f-\\u009f" + // C0, DEL and C1 controls
    "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069" + // direction marks, overrides, isolates
    "\\u200b\\u2028\\u2029\\u2060-\\u2064\\ufeff\\ufff9-\\ufffb" + // nothing to see, or a line break
    "\\u{e0000}-\\u{e007f}]", // tags: a whole hidden alphabet
  "gu",
);

/**
 * Return *text* with what could hide or reorder made visible: NUL as ␀, an override as ⟨U+202E⟩.
 * @param {unknown} text
 * @param {{lines?: boolean, limit?: number}} [how] lines: keep line feeds; limit: most characters
 */
export function visible(text, { lines = false, limit = Infinity } = {}) {
  let whole = String(text ?? "");
  // Cut first: 5 kB of label must not cost 5 kB of work in every row.
  if (whole.length > limit) whole = `${whole.slice(0, Math.max(0, limit - 1)).trimEnd()}…`;
  return whole.replace(HIDDEN, (character) => {
    const code = character.codePointAt(0);
    if (code === 0x0a && lines) return character;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return "␡";
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

/** Return an element that shows *text* and keeps its direction to itself; options as for visible. */
export function foreign(text, how) {
  const node = document.createElement("bdi");
  node.className = "foreign";
  node.textContent = visible(text, how);
  return node;
}

/** Return the URL if *text* is one that may be linked to (http or https), else null. */
export function safeUrl(text) {
  if (typeof text !== "string" || text.length > 4096) return null;
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url : null;
  } catch {
    return null;
  }
}
