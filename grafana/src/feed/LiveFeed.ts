/**
 * The one stream of a data source: it outlives queries, and with it the socket and what was told.
 *
 * A dashboard's refresh ends every query and asks again. The socket stays as long as somebody has asked within
 * LINGER_MS; what was told stays for good, so that whoever comes later goes on where the stream was left.
 */

import { type DataFrame } from '@grafana/data';
import { StreamClient, type Status } from '@page/stream-client.js';
import { Observable, ReplaySubject, share, timer } from 'rxjs';
import { type Cluster, type Connection, type StormcellMeta } from '../frames/schema';
import { type Api } from './api';
import { faultOf, type Fault } from './faults';
import { Picture } from './Picture';
import { Route } from './Route';
import { lineSockets, type SocketClass } from './sockets';
import { connectionOf } from './words';

/** Longer than a dashboard takes to ask again. */
const LINGER_MS = 10_000;
/** Panels are told so often at most, however fast the stream is: each time all of them are drawn. */
export const TELL_MS = 150;

export interface Update {
  /** `events` and `clusters`. */
  frames: DataFrame[];
  clusters: Cluster[];
  meta: StormcellMeta;
  connection: Connection;
}

interface Given {
  api: Api;
  WebSocketClass?: SocketClass;
  random?: () => number;
  now?: () => number;
}

export class LiveFeed {
  /** Begins with what is known; never errors and never completes. */
  readonly updates: Observable<Update>;

  private readonly api: Api;
  private readonly now: () => number;
  private readonly picture = new Picture();
  private readonly route: Route;
  private readonly client: StreamClient;
  private status: Status = { state: 'stopped', retryAt: null, attempt: 0 };
  private fault: Fault | null = null;
  private heardAt: number | null = null;
  private since: number;
  private asking = false;
  private tell: (() => void) | null = null;

  constructor({ api, WebSocketClass = WebSocket as unknown as SocketClass, random, now = Date.now }: Given) {
    this.api = api;
    this.now = now;
    this.since = now();
    const route = (this.route = new Route(now));
    const Lines = lineSockets((url) => api.chunked(url));
    this.client = new StreamClient({
      url: api.streamUrl(),
      // A function that returns an object is a class to `new`, and gets the way of the moment.
      WebSocketClass: function (url: string) {
        return new (route.via === 'ndjson' ? Lines : WebSocketClass)(url);
      } as unknown as SocketClass,
      ticket: () => this.mayConnect(),
      ...(random && { random }),
      now,
      onSnapshot: (message) => this.heard(() => this.picture.snapshot(message)),
      onEvents: (message) => this.heard(() => this.picture.events(message)),
      onHeartbeat: (message) => this.heard(() => this.picture.heartbeat(message)),
      onStatus: (status) => this.changed(status),
    });
    this.updates = new Observable<Update>((subscriber) => this.run((update) => subscriber.next(update))).pipe(
      share({ connector: () => new ReplaySubject(1), resetOnRefCountZero: () => timer(LINGER_MS) })
    );
  }

  private run(give: (update: Update) => void): () => void {
    let last = -Infinity;
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const now = () => {
      waiting = undefined;
      last = this.now();
      give(this.update());
    };
    this.tell = () => {
      waiting ??= setTimeout(now, Math.max(0, last + TELL_MS - this.now()));
    };
    const wake = () => {
      if (!document.hidden) {
        this.client.wake();
      }
    };
    // A laptop that slept has a socket that may be dead without having said so.
    document.addEventListener('visibilitychange', wake);
    window.addEventListener('online', wake);
    window.addEventListener('pageshow', wake);
    this.client.start();
    now();
    return () => {
      document.removeEventListener('visibilitychange', wake);
      window.removeEventListener('online', wake);
      window.removeEventListener('pageshow', wake);
      this.tell = null;
      clearTimeout(waiting);
      this.client.stop();
    };
  }

  private update(): Update {
    const connection = this.connection();
    return {
      frames: this.picture.frames(connection),
      clusters: this.picture.clusters(),
      meta: this.picture.meta(connection),
      connection,
    };
  }

  private connection(): Connection {
    const { status, fault, heardAt, since } = this;
    return connectionOf({ status, fault, heardAt, since, via: this.route.via });
  }

  private heard(take: () => void) {
    this.heardAt = this.now();
    take();
    this.tell?.();
  }

  private changed(status: Status) {
    const before = this.status.state;
    this.status = status;
    if (status.state !== before) {
      this.since = this.now();
    }
    if (status.state === 'live') {
      this.fault = null;
      this.route.worked();
    }
    // "silent" is told between two states: the route works, the receiver does not.
    if (status.state === 'waiting' && before === 'connecting' && !this.fault?.lasting) {
      void this.askWhy();
    }
    this.tell?.();
  }

  /** No socket is opened as long as HTTP says that it cannot work. */
  private async mayConnect(): Promise<null> {
    if (this.fault?.lasting) {
      await this.ask();
      if (this.fault?.lasting) {
        throw new Error(this.fault.short);
      }
    }
    return null;
  }

  /** A browser does not tell why a socket failed; HTTP does. */
  private async askWhy() {
    if (this.asking) {
      return;
    }
    this.asking = true;
    try {
      await this.ask();
    } finally {
      this.asking = false;
    }
    if (!this.fault && this.route.failed()) {
      // The other way has not failed yet: it need not wait for its turn.
      this.client.wake();
    }
    this.tell?.();
  }

  private async ask() {
    try {
      await this.api.get('stats');
      this.fault = null;
    } catch (error) {
      this.fault = faultOf(error);
    }
  }
}
