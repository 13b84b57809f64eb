// The panel of one cluster or one alert: loads it, keeps it fresh, closes. What is in it is made by
// cluster-card.js and alert-card.js.

import { createAlertCard } from "./alert-card.js";
import { createClusterCard } from "./cluster-card.js";
import { byId, fill, h, setAttribute, setText } from "./dom.js";

const FRESH_MS = 3000;
const narrow = matchMedia("(max-width: 1099px)");

/**
 * Return the panel of index.html.
 * @param {{api: import("./api.js").Api, model: () => object, open: (kind: string, id: any) => void,
 *   close: () => void, correct: (kind: string, id: any) => void, onSearch: (text: string) => void,
 *   restoreFocus: (route: object) => void, hidden: () => boolean}} parts hidden: something else has the page
 */
export function createCard(parts) {
  const panel = byId("card");
  const body = byId("card-body");
  const heading = byId("card-heading");
  const behind = [byId("page"), document.querySelector("header")];
  let shown = null; // {route, view, loadedAt, timer, stop}
  let opener = null;

  byId("card-close").addEventListener("click", parts.close);
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    parts.close();
  });
  narrow.addEventListener("change", cover);

  // A full-screen sheet hides the page behind it from keys and screen readers too.
  function cover() {
    const modal = Boolean(shown) && narrow.matches && !parts.hidden();
    for (const node of behind) node.inert = modal;
    setAttribute(panel, "role", modal ? "dialog" : "complementary");
    setAttribute(panel, "aria-modal", modal ? "true" : null);
  }

  function show(route) {
    const last = shown?.route;
    leave();
    if (!route) {
      panel.hidden = true;
      document.body.classList.remove("with-card");
      cover();
      fill(body);
      if (last) giveBackFocus(last);
      return;
    }
    if (!last) opener = document.activeElement;
    shown = { route, view: null, loadedAt: -Infinity, timer: 0, stop: new AbortController() };
    setText(heading, route.kind === "cluster" ? `Cluster ${route.id}` : "Alert");
    fill(body, h("p.muted.loading", {}, "Loading…"));
    panel.hidden = false;
    panel.scrollTop = 0;
    document.body.classList.add("with-card");
    cover();
    heading.focus({ preventScroll: true });
    if (route.kind === "cluster") useView(createClusterCard({ ...parts, id: route.id, refresh: load }));
    else useView(createAlertCard(parts));
    const known = route.kind === "cluster" && parts.model().clusters.get(route.id);
    if (known) shown.view.brief(known, parts.model());
    load();
  }

  function useView(view) {
    shown.view = view;
    fill(body, view.node);
  }

  async function load() {
    const mine = shown;
    if (!mine) return;
    clearTimeout(mine.timer);
    mine.timer = 0;
    mine.loadedAt = performance.now();
    const { kind, id } = mine.route;
    const path = kind === "cluster" ? `clusters/${id}` : `alerts/${encodeURIComponent(id)}`;
    try {
      const detail = await parts.api.get(path, {}, { signal: mine.stop.signal });
      if (mine !== shown) return;
      if (kind === "cluster" && detail.id !== id) {
        // A merged cluster answers with the one it went into.
        mine.route = { kind, id: detail.id };
        parts.correct(kind, detail.id);
        setText(heading, `Cluster ${detail.id}`);
        mine.view.moved(id);
      }
      mine.version = parts.model().clusters.get(detail.id)?.updated_at;
      mine.view.detail(detail, parts.model());
    } catch (error) {
      if (mine !== shown || error.name === "AbortError") return;
      mine.view.failed(error, () => load());
    }
  }

  function leave() {
    if (!shown) return;
    clearTimeout(shown.timer);
    shown.stop.abort();
    shown.view?.gone?.();
    shown = null;
  }

  function giveBackFocus(route) {
    const target = opener?.isConnected && opener !== document.body ? opener : null;
    opener = null;
    if (target && target.getClientRects().length) target.focus({ preventScroll: true });
    else parts.restoreFocus(route);
  }

  return {
    show,
    /** Look again whether the card covers the page. */
    cover,
    /** Ask again for what is shown, as after a reconnect or with another token. */
    reload: load,
    /** Follow the stream: the head at once, the details at most every few seconds. */
    follow(model) {
      if (shown?.route.kind !== "cluster") return;
      const cluster = model.clusters.get(shown.route.id);
      if (!cluster) return;
      shown.view.brief(cluster, model);
      if (cluster.state === "merged" || cluster.updated_at !== shown.version) {
        shown.version = cluster.updated_at;
        const wait = shown.loadedAt + FRESH_MS - performance.now();
        shown.timer ||= setTimeout(load, Math.max(0, wait));
      }
    },
  };
}
