// Dark or light: as the system says until the user says otherwise.

import { recall, remember } from "./preference.js";

const system = matchMedia("(prefers-color-scheme: light)");
const NAMES = ["critical", "warning", "info", "none", "other"];
const FILLS = { warning: "warning-fill" };

/** Return "dark" or "light", as shown now. */
export function shownTheme() {
  const chosen = recall("theme");
  if (chosen === "dark" || chosen === "light") return chosen;
  return system.matches ? "light" : "dark";
}

/** Show the other theme from now on. */
export function toggleTheme() {
  const next = shownTheme() === "dark" ? "light" : "dark";
  // Choosing what the system says anyway is to follow the system again.
  remember("theme", next === (system.matches ? "light" : "dark") ? "" : next);
  applyTheme();
}

/** Put the theme on the document. */
export function applyTheme() {
  document.documentElement.dataset.theme = shownTheme();
}

/** Call *listener* when the system changes its mind. */
export function onSystemTheme(listener) {
  system.addEventListener("change", () => {
    applyTheme();
    listener();
  });
}

/** Return the colours of the theme as plain values, for the canvas. */
export function canvasTheme() {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return hex(getComputedStyle(probe).color);
  };
  const theme = {
    text: colour("text"),
    muted: colour("muted"),
    grid: colour("line"),
    background: colour("surface"),
    storm: colour("storm"),
    ok: colour("ok"),
    severity: Object.fromEntries(NAMES.map((name) => [name, colour(FILLS[name] ?? name)])),
    font: getComputedStyle(document.body).fontFamily,
  };
  probe.remove();
  return theme;
}

/** Return "rgb(1, 2, 3)" as "#010203": the canvas mixes colours by their channels. */
function hex(rgb) {
  const channels = rgb.match(/[\d.]+/g) ?? [0, 0, 0];
  return `#${channels
    .slice(0, 3)
    .map((channel) => Math.round(channel).toString(16).padStart(2, "0"))
    .join("")}`;
}
