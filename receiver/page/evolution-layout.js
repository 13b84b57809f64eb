/**
 * Which lane has which row. A lane keeps its row while one looks: rows are given at birth, taken back when the lane
 * has left the window or something clearly worse needs the place, and closed up seldom.
 *
 * Pure: lanes come in as {id, bornAt, endedAt, rank, firing, kept}, time in ms.
 */

/** Rows close up at most this often. */
const CLOSE_UP_MS = 10_000;
/** …and then only if this share of them is empty. */
const EMPTY_SHARE = 0.25;

/** Is *a* so much worse than *b* that it may take its row? Nearly equal ones must not trade places for ever. */
export function clearlyWorse(a, b) {
  if (b.kept) return false;
  if (a.kept) return true;
  if (a.rank !== b.rank) return a.rank > b.rank;
  return a.firing > b.firing * 1.5 + 2;
}

/** Worst first, then largest, then oldest. */
export const worstFirst = (a, b) =>
  Number(b.kept) - Number(a.kept) || b.rank - a.rank || b.firing - a.firing || a.bornAt - b.bornAt || a.id - b.id;

export class RowLayout {
  /** Lanes by row; several in one row follow each other in time, the newest last. */
  rows = [];
  rowOf = new Map();
  #lanes = new Map(); #closedUpAt = -Infinity; #settled = false;

  /**
   * @param {object[]} lanes all that touch the window
   * @param {number} capacity rows there is room for
   * @param {number} nowMs
   * @param {number} gapMs between two lanes that share a row
   * @returns {object[]} live lanes that found no row
   */
  update(lanes, capacity, nowMs, gapMs) {
    this.#lanes = new Map(lanes.map((lane) => [lane.id, lane]));
    this.#keepPlaced(capacity);
    const waiting = lanes.filter((lane) => !this.rowOf.has(lane.id)).sort(this.#settled ? byBirth : worstFirst);
    const live = waiting.filter((lane) => lane.endedAt === null);
    this.#placeLive(live, capacity, gapMs);
    for (const lane of waiting) if (lane.endedAt !== null) this.#placeFree(lane, capacity, gapMs);
    this.#closeUp(nowMs);
    this.#settled = this.rows.length > 0;
    return lanes.filter((lane) => lane.endedAt === null && !this.rowOf.has(lane.id));
  }

  /** Forget all rows: the next update orders anew. */
  clear() {
    this.rows = [];
    this.rowOf.clear();
    this.#settled = false;
  }

  /** The lane of *row* at *ms*: the one that was then, else the newest. */
  laneAt(row, ms) {
    const ids = this.rows[row];
    if (!ids?.length) return null;
    return ids.findLast((id) => this.#lanes.get(id)?.bornAt <= ms) ?? ids[0];
  }

  #keepPlaced(capacity) {
    this.rows.length = Math.min(this.rows.length, capacity);
    this.rows = this.rows.map((ids) => ids.filter((id) => this.#lanes.has(id)));
    this.rowOf = new Map(this.rows.flatMap((ids, row) => ids.map((id) => [id, row])));
  }

  #placeLive(waiting, capacity, gapMs) {
    // A live lane can only go where no other lives: with thousands waiting, do not search what cannot be there.
    let open = capacity - this.rows.length + this.rows.filter((ids) => !this.#hasLive(ids)).length;
    const goes = (place) => (lane) => {
      if (open > 0 && place(lane)) open -= 1;
      else return true;
      return false;
    };
    const left = waiting.filter(goes((lane) => this.#placeFree(lane, capacity, gapMs))).sort(worstFirst);
    const pressing = left.filter(goes((lane) => this.#placeOverEnded(lane)));
    // Few at a time: a screen that changes wholly between two looks tells nothing.
    let trades = Math.max(2, Math.ceil(capacity / 8));
    for (const lane of pressing) {
      if (trades <= 0 || !this.#placeOverWeaker(lane)) return;
      trades -= 1;
    }
  }

  #hasLive(ids) { return ids.some((id) => this.#lanes.get(id).endedAt === null); }

  /** In an empty row, else behind lanes of a row that ended well before. */
  #placeFree(lane, capacity, gapMs) {
    let row = this.rows.findIndex((ids) => ids.length === 0);
    if (row < 0 && this.rows.length < capacity) row = this.rows.push([]) - 1;
    if (row < 0) row = this.rows.findIndex((ids) => this.#fits(lane, ids, gapMs));
    if (row < 0) return false;
    this.#put(lane, row);
    return true;
  }

  #fits(lane, ids, gapMs) {
    const end = (other) => other.endedAt ?? Infinity;
    return ids.every((id) => {
      const other = this.#lanes.get(id);
      return end(other) + gapMs < lane.bornAt || end(lane) + gapMs < other.bornAt;
    });
  }

  /** In place of lanes that are over: the row whose last one ended first. */
  #placeOverEnded(lane) {
    let best = -1;
    let bestEnd = Infinity;
    this.rows.forEach((ids, row) => {
      const ends = ids.map((id) => this.#lanes.get(id)).map((other) => (other.kept ? Infinity : other.endedAt ?? Infinity));
      const end = Math.max(...ends);
      if (end < bestEnd) [best, bestEnd] = [row, end];
    });
    if (best < 0) return false;
    this.#empty(best);
    this.#put(lane, best);
    return true;
  }

  #placeOverWeaker(lane) {
    let weakest = null;
    for (const ids of this.rows) {
      const current = this.#lanes.get(ids.at(-1));
      if (current && (weakest === null || worstFirst(current, weakest) > 0)) weakest = current;
    }
    if (weakest === null || !clearlyWorse(lane, weakest)) return false;
    const row = this.rowOf.get(weakest.id);
    this.#empty(row);
    this.#put(lane, row);
    return true;
  }

  #put(lane, row) {
    const ids = this.rows[row];
    ids.push(lane.id);
    ids.sort((a, b) => this.#lanes.get(a).bornAt - this.#lanes.get(b).bornAt);
    this.rowOf.set(lane.id, row);
  }

  #empty(row) {
    for (const id of this.rows[row]) this.rowOf.delete(id);
    this.rows[row] = [];
  }

  #closeUp(nowMs) {
    while (this.rows.length && this.rows.at(-1).length === 0) this.rows.pop();
    const empty = this.rows.filter((ids) => ids.length === 0).length;
    if (empty === 0 || empty < this.rows.length * EMPTY_SHARE || nowMs - this.#closedUpAt < CLOSE_UP_MS) return;
    this.#closedUpAt = nowMs;
    this.rows = this.rows.filter((ids) => ids.length > 0);
    this.rowOf = new Map(this.rows.flatMap((ids, row) => ids.map((id) => [id, row])));
  }
}

const byBirth = (a, b) => a.bornAt - b.bornAt || a.id - b.id;

/** How many rows a height is divided into: more than there are, so that a birth seldom moves the others. */
export function rowSlots(rows, capacity) {
  const steps = [4, 6, 8, 10, 12, 15, 18, 22, 27, 33, 40, 48, 58, 70, 84, 100];
  return Math.max(1, Math.min(capacity, steps.find((n) => n >= rows) ?? rows));
}
