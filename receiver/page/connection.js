// Whether what is on the screen is true right now, in words. The last picture stays; it is never passed off as live.

import { byId, setAttribute, setText } from "./dom.js";
import { clock, duration, plural } from "./format.js";

const BRIEFLY_MS = 12_000;
/** A first blip needs no alarm across the page. */
const PATIENCE_MS = 1500;
/** So many alerts wait for a moment in each storm: only what stays is worth moving the page for. */
const MANY_PENDING = 50;
const PENDING_PATIENCE_MS = 3000;
const SPOKEN = { live: "Live", wait: "Connecting", down: "Not live", token: "Token needed" };

/**
 * Return the view of the connection in index.html.
 * @param {{onRetry: () => void}} handlers
 */
export function createConnection({ onRetry }) {
  const chip = byId("connection");
  const words = byId("connection-words");
  const spoken = byId("connection-spoken");
  const age = byId("connection-age");
  const banner = byId("stale");
  const bannerWords = byId("stale-words");
  const notice = byId("notice");
  const pipeline = byId("pipeline");
  byId("retry").addEventListener("click", onRetry);

  let status = { state: "connecting", retryAt: null, attempt: 0 };
  let reason = null; // what GET stats said, while the stream is down
  let silent = false;
  let heardAt = null; // local time of the last frame
  let pictureAt = null; // server's time of it
  let downSince = Date.now();
  let noticeTimer = 0;
  let pendingSince = null;

  function render(model) {
    const now = Date.now();
    const told = say(status, { reason, silent, now, heardAt });
    setAttribute(chip, "data-state", told.tone);
    setText(words, told.short);
    // What is said has no seconds in it: it would be said anew each second.
    setText(spoken, SPOKEN[told.tone]);
    setText(age, status.state === "live" && heardAt ? ageWords(now - heardAt) : "");
    const stale = status.state !== "live" && heardAt !== null && now - downSince > PATIENCE_MS;
    setAttribute(document.documentElement, "data-stale", stale);
    banner.hidden = !stale;
    if (stale) {
      const from = `${clock(pictureAt, now, { seconds: true })}, ${duration((now - heardAt) / 1000)} ago`;
      setText(bannerWords, `Not live: this is the picture of ${from}. ${told.long}`);
    }
    showPipeline(model?.stats);
  }

  function showPipeline(stats) {
    const pending = stats?.pending_alerts ?? 0;
    const loading = stats && stats.model_ready === false;
    if (pending < MANY_PENDING) pendingSince = null;
    else pendingSince ??= Date.now();
    pipeline.hidden = !loading && !(pendingSince !== null && Date.now() - pendingSince >= PENDING_PATIENCE_MS);
    if (pipeline.hidden) return;
    const waiting = pending
      ? `${plural(pending, "alert")} ${pending === 1 ? "waits" : "wait"} to be grouped; nothing is lost.`
      : "New alerts wait until it is there; nothing is lost.";
    setText(pipeline, loading ? `The language model is loading. ${waiting}` : `Catching up: ${waiting}`);
  }

  return {
    render,
    /** Take the status of the stream's client. */
    status(next) {
      if (next.state === "silent") silent = true;
      if (next.state === "live") {
        silent = false;
        reason = null;
      } else if (status.state === "live") downSince = Date.now();
      status = next;
    },
    /** Note that a frame came, and the time it shows. */
    heard(serverMs) {
      heardAt = Date.now();
      pictureAt = serverMs;
    },
    /** Tell why the stream is down, as far as HTTP knows: "restarting", "unreachable", null. */
    because(next) {
      reason = next;
    },
    /** Say something for a few seconds. */
    notice(text) {
      clearTimeout(noticeTimer);
      notice.hidden = false;
      setText(notice, text);
      noticeTimer = setTimeout(() => {
        notice.hidden = true;
      }, BRIEFLY_MS);
    },
  };
}

function ageWords(passed) {
  return passed < 3000 ? "" : `${duration(passed / 1000)} ago`;
}

function say(status, { reason, silent, now, heardAt }) {
  const wait = status.retryAt ? Math.max(0, Math.ceil((status.retryAt - now) / 1000)) : 0;
  const again = wait > 0 ? `Reconnecting in ${wait} s.` : "Reconnecting…";
  const short = wait > 0 ? `Reconnecting in ${wait} s` : "Reconnecting…";
  switch (status.state) {
    case "live":
      return { tone: "live", short: "Live", long: "" };
    case "unauthorized":
      return { tone: "token", short: "Token needed", long: "A token is needed to go on." };
    case "stopped":
      return { tone: "down", short: "Stopped", long: "The stream is stopped." };
    case "silent":
      return { tone: "down", short: "Silent", long: `The receiver has said nothing for too long. ${again}` };
    default:
      if (heardAt === null && !reason) return { tone: "wait", short: "Connecting…", long: "" };
      if (reason === "restarting")
        return { tone: "down", short: "Receiver restarting", long: `The receiver is restarting. ${again}` };
      if (reason === "unreachable")
        return {
          tone: "down",
          short: wait ? `Unreachable, again in ${wait} s` : "Unreachable",
          long: `The receiver does not answer. ${again}`,
        };
      if (silent)
        return {
          tone: "down",
          short: `Silent. ${short}`,
          long: `The receiver had said nothing for too long. ${again}`,
        };
      return { tone: "wait", short, long: again };
  }
}
