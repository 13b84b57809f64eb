// Puts the evolution canvas into the page: range, theme, selection, and words beside the pointer.

import { EvolutionView } from "./evolution.js";
import { byId, fill, h, setText } from "./dom.js";
import { clock, count, ms, plural } from "./format.js";
import { recall, remember } from "./preference.js";
import { severityMark } from "./severity.js";
import { foreign } from "./text.js";
import { canvasTheme } from "./theme.js";

export const RANGES = [900, 1800, 3600, 6 * 3600, 24 * 3600];
const DEFAULT_RANGE = 1800;

/**
 * Return the canvas part of index.html.
 * @param {{history: import("./history.js").History, onSelect: (id: number|null) => void}} parts
 */
export function createCanvas({ history, onSelect }) {
  const host = byId("canvas");
  const tip = byId("canvas-tip");
  const choices = [...byId("ranges").querySelectorAll("input")];
  const motion = matchMedia("(prefers-reduced-motion: reduce)");
  const view = new EvolutionView(host, {
    theme: canvasTheme(),
    reducedMotion: motion.matches,
    onSelect,
    onHover: showTip,
  });
  let range = Number(recall("range", DEFAULT_RANGE));
  if (!RANGES.includes(range)) range = DEFAULT_RANGE;

  // The picture is one stop of the keyboard; within it arrows walk from lane to lane.
  host.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp")
      view.moveFocus(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Enter" && view.focused !== null) onSelect(view.focused);
    else return;
    event.preventDefault();
  });
  host.addEventListener("blur", () => {
    view.blur();
    showTip(null);
  });

  for (const choice of choices) {
    choice.checked = Number(choice.value) === range;
    choice.addEventListener("change", () => setRange(Number(choice.value)));
  }

  function setRange(seconds) {
    range = seconds;
    remember("range", seconds === DEFAULT_RANGE ? "" : seconds);
    for (const choice of choices) choice.checked = Number(choice.value) === seconds;
    view.setModel(history.setRange(seconds));
    view.setRange({ lastSeconds: seconds });
  }

  function showTip(id, place) {
    const model = history.drawn;
    const cluster = id === null ? null : model.clusters.get(id);
    tip.hidden = !cluster;
    if (!cluster) return;
    const now = model.now();
    fill(
      tip,
      severityMark(cluster.severity, model.severityOrder, { terse: true }),
      h("span", {}, foreign(cluster.title, { limit: 120 })),
      h(
        "span.muted",
        {},
        `${count(cluster.firing)} of ${plural(cluster.size, "alert")} firing, ${cluster.state}, since ${clock(ms(cluster.opened_at), now)}`,
      ),
    );
    const room = host.clientWidth - tip.offsetWidth - 8;
    tip.style.left = `${Math.max(8, Math.min(place.x + 14, room))}px`;
    tip.style.top = `${place.y + 16}px`;
  }

  return {
    start: () => setRange(range),
    setRange,
    select: (id) => view.select(id),
    invalidate: () => view.invalidate(),
    retheme: () => view.setTheme(canvasTheme()),
    /** Say that the past is being loaded, or that it cannot be. */
    loading: (words) => setText(byId("history-status"), words),
  };
}
