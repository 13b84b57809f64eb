// How much of the past the picture shows when nobody said: as much as what is going on takes. Pure.

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Few and far apart: a picture that is rescaled has to be read anew. */
export const AUTO_STEPS = [2, 5, 10, 15, 30, 60, 180, 360].map((minutes) => minutes * MINUTE);

/** Shown while nothing happened lately. */
const CALM_SECONDS = 30 * MINUTE;
/** Without a storm this much of the past counts; what is older enters the picture from the left. */
const LATELY_SECONDS = HOUR;
/** This share of what fired and resolved lately must be seen: a lone change long ago must not shrink all the rest. */
const SEEN_SHARE = 0.95;
/** So much of the width is left before what matters, to see where it comes from. */
const LEAD_SHARE = 0.08;
/** A narrower step is taken only when it has been enough, with room to spare, for this long. */
const NARROW_AFTER_MS = 30_000;
const ROOM_TO_SPARE = 0.7;
/** A storm that is over is still what one looks back at. */
const RECALLED_SECONDS = HOUR;

/** Return the seconds the picture has to reach back to hold what matters; null where nothing happened lately. */
export function neededSeconds(model) {
  const now = model.now();
  return stormAge(model, now) ?? newsAge(model, now);
}

/** Age in seconds of the onset of a storm that goes on or ended lately; the newest, if there are several. */
function stormAge(model, now) {
  const known = model.storm ? [...model.storms, model.storm] : model.storms;
  const ages = known
    .filter((storm) => !(now - Date.parse(storm.ended_at) > RECALLED_SECONDS * 1000))
    .map((storm) => (now - Date.parse(storm.started_at)) / 1000)
    .filter((age) => age >= 0);
  return ages.length ? Math.min(...ages) : null;
}

/** Age in seconds from which on nearly all that fired and resolved lately is seen. */
function newsAge(model, now) {
  const bucket = 5;
  const { fired, resolved } = model.rate(now - LATELY_SECONDS * 1000, now, bucket * 1000);
  const changes = fired.map((number, i) => number + resolved[i]);
  const all = changes.reduce((sum, number) => sum + number, 0);
  if (!all) return null;
  let unseen = Math.floor(all * (1 - SEEN_SHARE));
  const oldest = changes.findIndex((number) => (unseen -= number) < 0);
  return (changes.length - oldest) * bucket;
}

/** Return the step that holds the last *seconds*. */
function stepFor(seconds) {
  return AUTO_STEPS.find((step) => step * (1 - LEAD_SHARE) >= seconds) ?? AUTO_STEPS.at(-1);
}

/** Chooses a range and keeps it while one looks: wider as soon as it must be, narrower only when it long could be. */
export class AutoRange {
  seconds = null;
  #stormId = null;
  #narrowSince = null;

  /**
   * Return the seconds to show of *model*.
   * @param {{held?: boolean}} [how] held: somebody points at the picture, so it stays as it is
   */
  choose(model, { held = false } = {}) {
    const needed = neededSeconds(model);
    const step = needed === null ? CALM_SECONDS : stepFor(needed);
    const stormId = model.storm?.id ?? null;
    // What one looked at until now is not what one wants to see of a storm that breaks out.
    const breaksOut = stormId !== null && stormId !== this.#stormId;
    this.#stormId = stormId;
    if (this.seconds === null || breaksOut) return this.#take(step);
    if (held || step === this.seconds) {
      this.#narrowSince = null;
      return this.seconds;
    }
    if (step > this.seconds) return this.#take(step);
    return this.#narrow(needed, step, model.now());
  }

  /** Forget what was chosen: another database, or the choice was somebody's for a while. */
  reset() {
    this.seconds = null;
  }

  #narrow(needed, step, now) {
    if (needed > step * ROOM_TO_SPARE) this.#narrowSince = null;
    else this.#narrowSince ??= now;
    if (this.#narrowSince === null || now - this.#narrowSince < NARROW_AFTER_MS) return this.seconds;
    return this.#take(step);
  }

  #take(step) {
    this.seconds = step;
    this.#narrowSince = null;
    return step;
  }
}
