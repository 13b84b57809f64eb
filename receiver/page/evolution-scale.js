/** Time and size to pixels, and the ticks between: pure arithmetic. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  1, 2, 5, 10, 15, 30].map((n) => n * SECOND).concat(
  [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE), [1, 2, 3, 6, 12].map((n) => n * HOUR), [1, 2, 7, 14, 30].map((n) => n * DAY));

/**
 * Time on the x axis, in steps of whole device pixels: what was drawn stays where it was when the axis moves on,
 * so that moving on is a copy.
 */
export class TimeScale {
  /**
   * @param {number} fromMs @param {number} toMs the range
   * @param {number} left @param {number} right in CSS px
   * @param {number} ratio device px per CSS px
   */
  constructor(fromMs, toMs, left, right, ratio) {
    this.left = left;
    this.right = right;
    this.ratio = ratio;
    this.msPerDevicePx = Math.max(1e-3, (toMs - fromMs) / Math.max(1, (right - left) * ratio));
    /** Number of the device pixel *right* lies on, counted from the epoch. */
    this.rightPx = Math.floor(toMs / this.msPerDevicePx);
  }

  get msPerPx() { return this.msPerDevicePx * this.ratio; }
  get fromMs() { return this.time(this.left); }
  get toMs() { return this.rightPx * this.msPerDevicePx; }

  x(ms) { return this.right - (this.rightPx - ms / this.msPerDevicePx) / this.ratio; }
  /** Where a sharp line is drawn: on a whole device pixel, and on the same one after any move. */
  crisp(ms) { return this.right - (this.rightPx - Math.round(ms / this.msPerDevicePx)) / this.ratio; }
  time(x) { return (this.rightPx - (this.right - x) * this.ratio) * this.msPerDevicePx; }

  /** Does *other* differ only by having moved on? */
  sameStep(other) {
    return other !== null && other.left === this.left && other.right === this.right && other.ratio === this.ratio
      && other.msPerDevicePx === this.msPerDevicePx;
  }
}

/** Round local times at most one each *spacingPx*: {step, ticks: [ms…]}. */
export function timeTicks(fromMs, toMs, widthPx, spacingPx = 76) {
  const most = Math.max(1, widthPx / spacingPx);
  const step = STEPS.find((s) => (toMs - fromMs) / s <= most) ?? STEPS.at(-1);
  // Round in local time: 06:00 is a better tick than 05:30, also at UTC+5:30.
  const offset = -new Date(toMs).getTimezoneOffset() * MINUTE;
  const ticks = [];
  for (let ms = Math.ceil((fromMs + offset) / step) * step - offset; ms <= toMs; ms += step) ticks.push(ms);
  return { step, ticks };
}

const two = (n) => String(n).padStart(2, "0");

/** HH:MM in local time; with seconds or the date where *stepMs* asks for them. */
export function timeText(ms, stepMs = MINUTE) {
  const time = new Date(ms);
  if (stepMs >= DAY) return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const text = `${two(time.getHours())}:${two(time.getMinutes())}`;
  return stepMs < MINUTE ? `${text}:${two(time.getSeconds())}` : text;
}

/** The least of 1, 2, 5, 10, 20, 50 … that is not below *value*. */
export function niceCeiling(value) {
  if (!(value > 1)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= value * (1 - 1e-9));
}

/** Below it, a few alerts would fill the picture on a calm day. */
const LEAST_FULL = 100;

/**
 * Thickness in px of *firing* alerts: firing^0.45, so that area grows with the alerts and yet 1 and 300 both read.
 * Zero firing has thickness 0; anything else at least *thinnest*.
 */
export function thickness(firing, full, thickest, thinnest) {
  if (!(firing > 0)) return 0;
  return Math.max(thinnest, thickest * Math.min(1, (firing / full) ** 0.45));
}

/** The count that is drawn thickest, for a largest count of *most*; rounded up so that it rarely changes. */
export const fullAt = (most) => Math.max(LEAST_FULL, niceCeiling(most));

/** A ribbon takes this share of its row; the rest keeps it apart from the next. */
const ROW_SHARE = 0.84;

/**
 * Heights of rows that share *room*, and how thick the fullest lane is then: the same for all rows, so that thickness
 * can be compared. A row is as high as its largest count needs; where room is short, the thickest gives way.
 *
 * @param {number[]} counts the largest of each row
 * @param {{full: number, least: number, most: number}} how least: px of a row; most: px of a ribbon
 * @returns {{heights: number[], thickest: number}}
 */
export function rowHeights(counts, room, { full, least, most }) {
  // Rounded up, so that rows do not move with every alert.
  const shares = counts.map((count) => thickness(count && niceCeiling(count), full, 1, 0));
  const heightsAt = (thickest) => shares.map((share) => Math.max(least, (thickest * share) / ROW_SHARE));
  const fits = (thickest) => heightsAt(thickest).reduce((sum, height) => sum + height, 0) <= room;
  let low = Math.min(most, least * ROW_SHARE);
  let high = most;
  if (fits(high)) low = high;
  while (high - low > 0.5) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return { heights: heightsAt(low), thickest: low };
}
