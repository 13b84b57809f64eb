/**
 * Colours of the evolution view: plain values, so that a host with colours of its own (Grafana) can hand in others, with
 * its own font and as `heaviest` the greatest weight that font has.
 *
 * The severities differ in lightness as well as in hue, and each has a pattern besides: nothing rests on hue alone.
 */

const SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';

export const darkTheme = Object.freeze({
  background: "#0c1219",
  text: "#eaf0f6",
  muted: "#8d9bab",
  grid: "#1b2530",
  storm: "#8f7bff",
  ok: "#3fc79a",
  severity: Object.freeze({ critical: "#ff4f79", warning: "#f5a623", info: "#4a9df0", none: "#8496aa", other: "#f58be4" }),
  font: SANS,
});

export const lightTheme = Object.freeze({
  background: "#fbfcfe",
  text: "#141c26",
  muted: "#566374",
  grid: "#e4e9ef",
  storm: "#6a4fe0",
  ok: "#12805a",
  severity: Object.freeze({ critical: "#d0184f", warning: "#c27a00", info: "#1c6fd1", none: "#6b7c90", other: "#a01f8c" }),
  font: SANS,
});

const PATTERNS = { critical: "hatch", other: "hatch", warning: "dots" };

/** Words that are common enough to be known wherever they stand in the order. */
const LOOKS = new Map(Object.entries({
  critical: "critical", page: "critical", emergency: "critical", error: "critical", high: "critical",
  warning: "warning", warn: "warning", medium: "warning", info: "info", notice: "info", low: "info", none: "none",
}));

/**
 * How a severity looks. A name of the site's own takes the look of its place in the order; one not in the order ranks
 * above all, so it must not look harmless.
 *
 * @param {object} theme `severity` may also hold names of the site's own
 * @param {string} name
 * @param {string[]} order mildest first
 * @returns {{look: "critical"|"warning"|"info"|"none"|"other", color: string, pattern: "hatch"|"dots"|"plain"}}
 */
export function severityStyle(theme, name, order = ["info", "warning", "critical"]) {
  const look = lookOf(name, order);
  const colors = theme.severity;
  const color = name && Object.hasOwn(colors, name) ? colors[name] : colors[look] ?? (look === "other" ? colors.critical : null);
  return { look, color: color ?? colors.none ?? theme.muted, pattern: PATTERNS[look] ?? "plain" };
}

/**
 * The look of a severity: critical, warning, info, none or other.
 *
 * @param {string} name
 * @param {string[]} order mildest first
 */
export function lookOf(name, order = []) {
  if (!name) return "none";
  const known = LOOKS.get(String(name).toLowerCase());
  if (known) return known;
  const place = order.indexOf(name);
  if (place < 0) return "other";
  if (place === order.length - 1) return "critical";
  return place === order.length - 2 ? "warning" : "info";
}

/** Is *color* (#rgb or #rrggbb) dark? Other notations count as dark. */
export function isDark(color) {
  const [r, g, b] = channels(color) ?? [0, 0, 0];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
}

/** *color* mixed with *other* by *share* (0 … 1 of *other*); an unreadable notation is given back as it is. */
export function mix(color, other, share) {
  const a = channels(color);
  const b = channels(other);
  if (!a || !b) return color;
  return `rgb(${a.map((v, i) => Math.round(v + (b[i] - v) * share)).join(",")})`;
}

/** *color* with nothing left of it: where a gradient from it ends without turning grey on the way. */
export function vanished(color) {
  const rgb = channels(color);
  return rgb ? `rgba(${rgb.map(Math.round).join(",")},0)` : "transparent";
}

function channels(color) {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(color ?? "")?.[1];
  if (hex) {
    const wide = hex.length === 3 ? [...hex].map((digit) => digit + digit).join("") : hex;
    return [0, 2, 4].map((i) => parseInt(wide.slice(i, i + 2), 16));
  }
  const rgb = /^rgba?\(\s*([\d.]+)[,\s]+([\d.]+)[,\s]+([\d.]+)/i.exec(color ?? "");
  return rgb ? rgb.slice(1, 4).map(Number) : null;
}
