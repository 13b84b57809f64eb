/**
 * Counts per second in a ring: as much memory after a week as after a minute.
 *
 * Each slot remembers which second it holds; a slot of a past round reads as zero.
 */

const MINUTE = 60;

export class SecondCounts {
  #size; #second; #fired; #resolved;

  /** @param {number} windowSeconds how far back counts are kept; a minute more is held for late events */
  constructor(windowSeconds) {
    this.#size = Math.ceil(windowSeconds) + MINUTE;
    this.#second = new Float64Array(this.#size).fill(-1);
    this.#fired = new Uint32Array(this.#size);
    this.#resolved = new Uint32Array(this.#size);
  }

  clear() { this.#second.fill(-1); }

  /** Add to the second *ms* lies in. */
  add(ms, fired, resolved) {
    const slot = this.#claim(Math.floor(ms / 1000));
    if (slot < 0) return;
    this.#fired[slot] += fired;
    this.#resolved[slot] += resolved;
  }

  /** Set a second's counts, whatever they were. */
  set(second, fired, resolved) {
    const slot = this.#claim(second);
    if (slot < 0) return;
    this.#fired[slot] = fired;
    this.#resolved[slot] = resolved;
  }

  /** Sums over whole seconds of [fromSecond, toSecond). */
  sum(fromSecond, toSecond) {
    let fired = 0;
    let resolved = 0;
    for (let second = Math.max(fromSecond, toSecond - this.#size); second < toSecond; second += 1) {
      const slot = this.#slot(second);
      if (this.#second[slot] !== second) continue;
      fired += this.#fired[slot];
      resolved += this.#resolved[slot];
    }
    return { fired, resolved };
  }

  /** Buckets of *stepMs* from *fromMs*; a second counts in the bucket it begins in. */
  buckets(fromMs, toMs, stepMs) {
    const length = Math.max(0, Math.ceil((toMs - fromMs) / stepMs));
    const into = { fired: new Array(length).fill(0), resolved: new Array(length).fill(0) };
    this.addBuckets(into, fromMs, toMs, stepMs);
    return into;
  }

  /** Add to the buckets of an earlier call with the same range. */
  addBuckets(into, fromMs, toMs, stepMs) {
    const end = Math.ceil(toMs / 1000);
    for (let second = Math.max(Math.ceil(fromMs / 1000), end - this.#size); second < end; second += 1) {
      const slot = this.#slot(second);
      if (this.#second[slot] !== second) continue;
      const bucket = Math.floor((second * 1000 - fromMs) / stepMs);
      into.fired[bucket] += this.#fired[slot];
      into.resolved[bucket] += this.#resolved[slot];
    }
  }

  #slot(second) { return ((second % this.#size) + this.#size) % this.#size; }

  /** The slot of *second*, emptied if it held an older one; -1 if a newer second has it already. */
  #claim(second) {
    const slot = this.#slot(second);
    if (this.#second[slot] > second) return -1;
    if (this.#second[slot] !== second) {
      this.#second[slot] = second;
      this.#fired[slot] = 0;
      this.#resolved[slot] = 0;
    }
    return slot;
  }
}
