// Puts the page together: the stream feeds the models, the models are shown, what is open is in the address.

import { Api } from "./api.js";
import { createCanvas, RANGES } from "./canvas.js";
import { createCard } from "./card.js";
import { createConnection } from "./connection.js";
import { byId, setText } from "./dom.js";
import { noFilter } from "./filter.js";
import { zone } from "./format.js";
import { History } from "./history.js";
import { createList } from "./list.js";
import { createOverview } from "./overview.js";
import { Router } from "./route.js";
import { createSearch } from "./search.js";
import { token } from "./session.js";
import { listenForShortcuts } from "./shortcuts.js";
import { StreamClient } from "./stream-client.js";
import { applyTheme, onSystemTheme, shownTheme, toggleTheme } from "./theme.js";
import { createTokenForm } from "./token.js";

const RENDER_EVERY_MS = 500;
const RENDER_SELDOM_MS = 2000;
/** Scripts that write words and list take this share of the time at most; to lay them out costs some times as much. */
const RENDER_SHARE = 0.025;

applyTheme();

const api = new Api(new URL(".", location.href), { token, onUnauthorized: () => tokenForm.ask() });
const tokenForm = createTokenForm({
  onToken: () => {
    client.stop();
    client.start();
    history.load();
    card.reload();
  },
  onShown: () => card.cover(),
});
const history = new History({
  api,
  onChange: () => changed(),
  onLoading: (words) => canvas.loading(words),
});
const model = () => history.main;

const router = new Router((route) => {
  card.show(route);
  const id = route?.kind === "cluster" ? route.id : null;
  canvas.select(id);
  list.select(id);
});
const openCluster = (id) => router.open("cluster", id);

let filter = noFilter();
const list = createList({
  onOpen: openCluster,
  onFilter: (next) => {
    filter = next;
    if (model().epoch !== null) overview.render(model(), filter, canvas.span());
  },
});
const overview = createOverview({
  onOpen: openCluster,
  onToggle: (label, value) => list.toggle(label, value),
  onOutside: () => {
    list.setFilter({ ...noFilter(), where: "outside" });
    byId("clusters").scrollIntoView({ block: "start" });
    list.focusRow(null);
  },
});
const canvas = createCanvas({
  history,
  onSelect: (id) => (id === null ? router.close() : openCluster(id)),
  onRange: () => changed(),
});
const search = createSearch({ api, model, onOpen: (kind, id) => router.open(kind, id) });
const card = createCard({
  api,
  model,
  open: (kind, id) => router.open(kind, id),
  close: () => router.close(),
  correct: (kind, id) => router.correct(kind, id),
  onSearch: (text) => search.open(text),
  restoreFocus: (route) => list.focusRow(route.id),
  hidden: () => tokenForm.isShown(),
});
const connection = createConnection({ onRetry: () => client.wake() });

const client = new StreamClient({
  url: "api/v1/stream",
  ticket: askTicket,
  onSnapshot: (frame) => {
    tokenForm.hide();
    if (history.applySnapshot(frame))
      connection.notice("The receiver started with a fresh database: what was shown before is gone.");
    heard(frame.time);
    card.reload();
  },
  onEvents: (frame) => {
    history.applyEvents(frame);
    heard();
  },
  onHeartbeat: (frame) => {
    history.applyHeartbeat(frame);
    heard(frame.time);
  },
  onStatus: (status) => {
    connection.status(status);
    if (status.state === "unauthorized") tokenForm.ask();
    changed();
  },
});

async function askTicket() {
  try {
    const ticket = await api.ticket();
    connection.because(null);
    return ticket;
  } catch (error) {
    connection.because(error.status === 503 ? "restarting" : error.status === 0 ? "unreachable" : null);
    throw error;
  }
}

function heard(time) {
  const told = Date.parse(time);
  connection.heard(Number.isNaN(told) ? model().now() : told);
  changed();
}

let due = 0;
let drawnAt = -Infinity;
let costMs = 0;

/** Draw soon: at once after a pause, else at most every half second, more seldom where it costs much. */
function changed() {
  canvas.invalidate();
  if (due) return;
  const every = Math.min(RENDER_SELDOM_MS, Math.max(RENDER_EVERY_MS, costMs / RENDER_SHARE));
  due = setTimeout(draw, Math.max(0, drawnAt + every - performance.now()));
}

function draw() {
  clearTimeout(due);
  due = 0;
  drawnAt = performance.now();
  connection.render(model());
  if (model().epoch === null) return;
  document.body.classList.remove("waiting");
  canvas.follow();
  const span = canvas.span();
  overview.render(model(), filter, span);
  list.render(model(), filter, span);
  card.follow(model());
  costMs = costMs * 0.8 + (performance.now() - drawnAt) * 0.2;
}

function retheme() {
  canvas.retheme();
  const dark = shownTheme() === "dark";
  byId("theme").setAttribute("aria-label", dark ? "Use the light theme" : "Use the dark theme");
}

function switchTheme() {
  toggleTheme();
  retheme();
}

byId("theme").addEventListener("click", switchTheme);
byId("open-search").addEventListener("click", () => search.open());
const help = byId("help");
byId("open-help").addEventListener("click", () => help.showModal());
byId("help-close").addEventListener("click", () => help.close());
help.addEventListener("click", (event) => event.target === help && help.close());
onSystemTheme(retheme);
setText(byId("zone"), zone());

listenForShortcuts({
  "/": () => search.open(),
  "?": () => help.showModal(),
  f: () => list.focusFilter(),
  j: () => list.focusRow(null),
  k: () => list.focusRow(null),
  t: switchTheme,
  Escape: () => router.close(),
  ...Object.fromEntries(RANGES.map((range, place) => [String(place + 1), () => canvas.setRange(range)])),
});

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  client.wake();
  changed();
});
for (const moment of ["online", "pageshow"]) addEventListener(moment, () => client.wake());
// Ages and waits count on when no frame comes.
setInterval(() => document.visibilityState === "visible" && changed(), 1000);

retheme();
canvas.start();
router.start();
client.start();
