// Puts the evolution canvas into the page: range, theme, selection, and words beside the pointer.

import { AutoRange } from "./auto-range.js";
import { EvolutionView } from "./evolution.js";
import { byId, fill, h, setText } from "./dom.js";
import { clock, count, duration, ms, plural } from "./format.js";
import { recall, remember } from "./preference.js";
import { severityMark } from "./severity.js";
import { foreign } from "./text.js";
import { canvasTheme } from "./theme.js";

/** As index.html has them, in its order; "auto" fits what matters. */
export const RANGES = ["auto", "900", "1800", "3600", "21600", "86400"];
const [AUTO] = RANGES;
/** Until the past is there nobody can say what matters in it. */
const FIRST_SECONDS = 1800;
/** Who moved the pointer over the picture so lately still looks at what is under it. */
const LOOKING_MS = 10_000;

/**
 * Return the canvas part of index.html.
 * @param {{history: import("./history.js").History, onSelect: (id: number|null) => void, onRange: () => void}} parts
 */
export function createCanvas({ history, onSelect, onRange }) {
  const host = byId("canvas");
  const tip = byId("canvas-tip");
  const choices = [...byId("ranges").querySelectorAll("input")];
  const autoLength = byId("range-auto");
  const motion = matchMedia("(prefers-reduced-motion: reduce)");
  const view = new EvolutionView(host, {
    theme: canvasTheme(),
    reducedMotion: motion.matches,
    onSelect,
    onHover: showTip,
  });
  const auto = new AutoRange();
  let range = recall("range", AUTO);
  if (!RANGES.includes(range)) range = AUTO;
  let seconds = FIRST_SECONDS;
  let pointedAt = -Infinity;

  // The picture is one stop of the keyboard; within it arrows walk from lane to lane.
  host.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      view.moveFocus(event.key === "ArrowDown" ? 1 : -1);
      // A tip that follows the pointer must not be read out; one that was asked for by key must.
      setText(byId("canvas-spoken"), tip.hidden ? "No lane" : tip.textContent);
    } else if (event.key === "Enter" && view.focused !== null) onSelect(view.focused);
    else return;
    event.preventDefault();
  });
  host.addEventListener("pointermove", () => {
    pointedAt = performance.now();
  });
  host.addEventListener("blur", () => {
    view.blur();
    showTip(null);
  });

  for (const choice of choices) choice.addEventListener("change", () => setRange(choice.value));

  function setRange(next) {
    range = next;
    remember("range", range === AUTO ? "" : range);
    for (const choice of choices) choice.checked = choice.value === range;
    auto.reset();
    if (range !== AUTO) setText(autoLength, "");
    show(range === AUTO ? chosen() : Number(range));
    onRange();
  }

  /** How much of the past the automatic range shows now. */
  function chosen() {
    if (!history.hasPast) {
      auto.reset();
      return FIRST_SECONDS;
    }
    const held = document.activeElement === host || performance.now() - pointedAt < LOOKING_MS;
    return auto.choose(history.main, { held });
  }

  function show(next) {
    seconds = next;
    view.setModel(history.setRange(seconds));
    view.setRange({ lastSeconds: seconds });
    if (range === AUTO) setText(autoLength, duration(seconds));
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
    /** Let the automatic range follow what happens. */
    follow() {
      const next = range === AUTO ? chosen() : seconds;
      if (next !== seconds) show(next);
    },
    /** What is drawn, for others that show the same span: its model and how many seconds of it. */
    span: () => ({ model: history.drawn, seconds }),
    select: (id) => view.select(id),
    invalidate: () => view.invalidate(),
    retheme: () => view.setTheme(canvasTheme()),
    /** Say that the past is being loaded, or that it cannot be. */
    loading: (words) => setText(byId("history-status"), words),
  };
}
