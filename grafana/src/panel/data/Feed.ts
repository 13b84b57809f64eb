/**
 * Folds what the frames hold into the model behind the picture, whatever came twice or was missed; for a closed range
 * it asks the receiver. A store as React subscribes to: its snapshot changes seldom enough for words around the picture.
 */

import { History } from '@page/history.js';
import { EvolutionModel, type Cluster } from '@page/model.js';
import { type Read, type StreamEvent } from '../../frames/schema';
import { rangeKey } from '../range';
import { type DrawnRange } from '../view';
import { type ReceiverApi } from './api';
import { loadPast } from './past';

export interface FeedSnapshot {
  model: EvolutionModel;
  /** Grows whenever what the panel says may have changed. */
  version: number;
  /** What is being loaded, or why it is not; empty while all is there. */
  loading: string;
}

/** Words around the picture need no more than this; the canvas looks at the model by itself. */
const WORDS_MS = 500;
const AGAIN_MS = 5000;

/** Answers nothing: for frames whose source cannot be asked. The picture then begins with the first frame. */
const NOBODY: ReceiverApi = { get: () => new Promise(() => {}) };

export class Feed {
  private readonly history: History;
  private readonly listeners = new Set<() => void>();
  private current: FeedSnapshot = { model: new EvolutionModel(), version: 0, loading: '' };
  private past: EvolutionModel | null = null;
  private range = '';
  private live = true;
  private epoch: string | null = null;
  private seq = 0;
  /** As last taken, to tell which changed: an unchanged cluster is the same object. */
  private rows = new Map<number, Cluster>();
  private words = { history: '', past: '' };
  private toldAt = -Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly api: ReceiverApi | null) {
    this.history = new History({
      api: api ?? NOBODY,
      onChange: () => this.changed(),
      onLoading: (words) => {
        this.words.history = api ? words : '';
        this.changed();
      },
    });
  }

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = () => this.current;

  /** Show the last seconds from now on, or a closed range. */
  setRange(range: DrawnRange) {
    const key = rangeKey(range);
    if (key === this.range) {
      return;
    }
    this.range = key;
    this.live = 'lastSeconds' in range;
    this.past = null;
    this.words.past = '';
    clearTimeout(this.again);
    if ('lastSeconds' in range) {
      this.history.setRange(range.lastSeconds);
      if (!this.history.hasPast) {
        void this.history.load();
      }
    } else if (this.api) {
      void this.load(this.api, range.fromMs, range.toMs, key);
    }
    this.tell();
  }

  /** Take what the frames hold by now. Taking the same twice changes nothing. */
  take(read: Read) {
    if (!read.epoch) {
      return;
    }
    const first = read.events[0]?.seq ?? read.seq + 1;
    const missed = read.seq > this.seq && first > this.seq + 1;
    const begins = this.epoch === null;
    if (read.epoch !== this.epoch || missed || read.seq < this.seq) {
      this.start(read);
    } else {
      this.goOn(read);
    }
    this.epoch = read.epoch;
    this.seq = read.seq;
    this.rows = new Map(read.clusters.map((cluster) => [cluster.id, cluster]));
    if (begins) {
      // The canvas shows it at once: words that still know nothing must not stand above it.
      this.tell();
    } else {
      this.changed();
    }
  }

  /** Stop asking and telling. */
  close() {
    this.history.close();
    this.range = '';
    clearTimeout(this.timer);
    clearTimeout(this.again);
  }

  private start({ epoch, seq, time, clusters, storm, severityOrder, stats }: Read) {
    const live = clusters.filter(({ state }) => state !== 'resolved' && state !== 'merged');
    this.history.applySnapshot({ epoch, seq, time, clusters: live, storm, stats, severity_order: severityOrder });
  }

  private goOn({ seq, time, events, clusters, storm, stats }: Read) {
    const fresh = newer(events, this.seq);
    const changed = clusters.filter((cluster) => this.rows.get(cluster.id) !== cluster);
    if (fresh.length || changed.length) {
      this.history.applyEvents({
        first: this.seq + 1,
        last: seq,
        time,
        events: fresh,
        clusters: changed,
        storm,
        stats,
      });
    } else if (time) {
      this.history.applyHeartbeat({ seq, time });
    }
  }

  private async load(api: ReceiverApi, fromMs: number, toMs: number, key: string) {
    this.words.past = 'Loading the past…';
    try {
      const model = await loadPast(
        api,
        fromMs,
        toMs,
        this.epoch === null ? undefined : this.history.main.severityOrder
      );
      if (key !== this.range) {
        return;
      }
      this.past = model;
      this.words.past = model.truncated ? 'Too many clusters in this range to draw them all.' : '';
    } catch (error) {
      if (key !== this.range) {
        return;
      }
      this.words.past = `The past could not be loaded; trying again. ${error instanceof Error ? error.message : ''}`;
      this.again = setTimeout(() => void this.load(api, fromMs, toMs, key), AGAIN_MS);
    }
    this.tell();
  }

  private changed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), Math.max(0, this.toldAt + WORDS_MS - performance.now()));
  }

  private tell() {
    this.toldAt = performance.now();
    const model = this.live ? this.history.drawn : (this.past ?? new EvolutionModel());
    this.current = {
      model,
      version: this.current.version + 1,
      loading: this.live ? this.words.history : this.words.past,
    };
    for (const listener of this.listeners) {
      listener();
    }
  }
}

/** What is after *seq* of ascending events: the tail, found from its end, for most are known. */
function newer(events: StreamEvent[], seq: number): StreamEvent[] {
  let from = events.length;
  while (from > 0 && events[from - 1].seq > seq) {
    from -= 1;
  }
  return events.slice(from);
}
