// Numbers and times as people read them. Local time, 24 hours; the full moment is in the tooltip.

import { h } from "./dom.js";

const hourMinute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const hourMinuteSecond = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const dayMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dayMonthYear = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
});
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Return the milliseconds of an RFC 3339 *text*; NaN if it is none. */
export function ms(text) {
  return typeof text === "string" ? Date.parse(text) : NaN;
}

/** Return a count: 12,345. */
export function count(n) {
  return whole.format(n);
}

/** Return a count with its noun: "1 alert", "12 alerts". */
export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Return a ratio such as "12×" or "1.4×". */
export function times(ratio) {
  if (!Number.isFinite(ratio)) return "–";
  return `${ratio >= 10 ? whole.format(ratio) : ratio.toFixed(1)}×`;
}

/** Return a rate with a sensible number of digits. */
export function rate(n) {
  if (!Number.isFinite(n)) return "–";
  return n >= 10 ? whole.format(n) : String(Number(n.toFixed(1)));
}

/** Return a moment: "03:12" today, "3 Mar 03:12" on another day, with the year in another year. */
export function clock(at, now = Date.now(), { seconds = false } = {}) {
  if (!Number.isFinite(at)) return "–";
  const then = new Date(at);
  const today = new Date(now);
  const time = (seconds ? hourMinuteSecond : hourMinute).format(then);
  if (then.toDateString() === today.toDateString()) return time;
  return `${day(at, now)} ${time}`;
}

/** Return a day: "3 Mar", with the year where it is not this one. */
export function day(at, now = Date.now()) {
  const then = new Date(at);
  const same = then.getFullYear() === new Date(now).getFullYear();
  return (same ? dayMonth : dayMonthYear).format(then);
}

/** Return a length of time in at most two units: "41 min", "2 h 5 min", "3 d 4 h". */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return `${m} min`;
  const hours = Math.floor(m / 60);
  if (hours < 24) return m % 60 ? `${hours} h ${m % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 && days < 10 ? `${days} d ${hours % 24} h` : `${days} d`;
}

/** Return a length of time that may be short: "+0 s", "+1 min 20 s". */
export function offset(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s >= 60 && s < 600 && s % 60) return `+${Math.floor(s / 60)} min ${s % 60} s`;
  return `+${duration(s)}`;
}

/** Return a <time> that shows *text*, by default the clock, with the full moment on hover. */
export function timeElement(iso, now, text = undefined) {
  const at = ms(iso);
  if (!Number.isFinite(at)) return h("span", {}, "–");
  return h("time", { datetime: new Date(at).toISOString(), title: fullMoment(at) }, text ?? clock(at, now));
}

/** Return a moment in full, with its zone. */
function fullMoment(at) {
  return new Date(at).toLocaleString("en-GB", {
    dateStyle: "full",
    timeStyle: "long",
  });
}

/** Return the zone that all times are shown in, such as "UTC+1". */
export function zone(at = Date.now()) {
  const minutes = -new Date(at).getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  const rest = size % 60 ? `:${String(size % 60).padStart(2, "0")}` : "";
  return `UTC${minutes > 0 ? "+" : "−"}${Math.floor(size / 60)}${rest}`;
}
