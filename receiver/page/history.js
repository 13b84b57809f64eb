// The models behind the page: one of the last hour, which everything counts by, and one with a longer past
// while the canvas shows more. Both fold the same frames; the timeline fills what was before them.

import { EvolutionModel } from "./model.js";

const HOUR = 3600;
const BUCKETS = 720;
const AGAIN_MS = 5000;
const STORMS = 20;

/** Keeps the models and fetches their past. */
export class History {
  /**
   * @param {{api: import("./api.js").Api, onChange: () => void, onLoading: (words: string) => void}} parts
   *   onLoading gets "" when nothing is under way and nothing failed
   */
  constructor({ api, onChange, onLoading }) {
    this.api = api;
    this.onChange = onChange;
    this.onLoading = onLoading;
    this.main = new EvolutionModel({ windowSeconds: HOUR });
    this.drawn = this.main;
    /** Whether the past before the first frame was loaded. */
    this.hasPast = false;
    this.asked = 0;
  }

  /** Take a snapshot; returns whether it is of another database than before. */
  applySnapshot(frame) {
    const fresh = this.main.epoch !== null && this.main.epoch !== frame.epoch;
    if (fresh) this.hasPast = false;
    for (const model of this.#models()) model.applySnapshot(frame);
    this.load();
    return fresh;
  }

  applyEvents(frame) {
    for (const model of this.#models()) model.applyEvents(frame);
  }

  applyHeartbeat(frame) {
    for (const model of this.#models()) model.applyHeartbeat(frame);
  }

  /** Let the canvas show the last *seconds*; returns the model to draw. */
  setRange(seconds) {
    const before = this.drawn;
    if (seconds <= this.main.windowSeconds) {
      this.drawn = this.main;
    } else if (this.drawn.windowSeconds !== seconds) {
      this.drawn = new EvolutionModel({ windowSeconds: seconds });
      if (this.main.epoch !== null) this.drawn.applySnapshot(this.#asSnapshot());
    }
    if (this.drawn !== before) this.load();
    return this.drawn;
  }

  /** Fetch the past of the models from the receiver; tries again until it has it. */
  async load() {
    if (this.main.epoch === null) return;
    this.asked += 1;
    const mine = this.asked;
    clearTimeout(this.timer);
    this.onLoading("Loading the past…");
    try {
      for (const model of this.#models()) await this.#fill(model);
      const storms = await this.#storms();
      if (mine !== this.asked) return;
      for (const model of this.#models()) model.applyStorms(storms);
      this.hasPast = true;
      this.onLoading(this.drawn.truncated ? "Too many clusters in this range to draw them all." : "");
    } catch {
      if (mine !== this.asked) return;
      this.onLoading("The past could not be loaded; trying again.");
      this.timer = setTimeout(() => this.load(), AGAIN_MS);
    }
    this.onChange();
  }

  /** Stop asking. Nothing is called afterwards. */
  close() {
    this.asked += 1;
    clearTimeout(this.timer);
  }

  async #storms() {
    try {
      return (await this.api.get("storms", { limit: STORMS })).items;
    } catch (error) {
      // A receiver that keeps no storms has none to show; the rest of the past is no worse for it.
      if (error.status === 404) return [];
      throw error;
    }
  }

  async #fill(model) {
    const to = model.now();
    const from = to - model.windowSeconds * 1000;
    const { epoch } = model;
    const timeline = await this.api.get("timeline", {
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      step: Math.max(1, Math.ceil(model.windowSeconds / BUCKETS)),
    });
    // A fresh database may have taken the place of the one that was asked.
    if (model.epoch !== epoch) return;
    model.applyTimeline(timeline);
    this.onChange();
  }

  #models() {
    return this.drawn === this.main ? [this.main] : [this.main, this.drawn];
  }

  #asSnapshot() {
    const { epoch, seq, storm, stats, severityOrder } = this.main;
    const time = new Date(this.main.now()).toISOString();
    return {
      type: "snapshot",
      epoch,
      seq,
      time,
      clusters: this.main.live(),
      storm,
      stats,
      severity_order: severityOrder,
    };
  }
}
