/**
 * Keeps one WebSocket to the receiver's stream alive and hands its frames on, each event once and in order.
 *
 * Knows sockets, sequence numbers and waiting; knows nothing of clusters or of the page. Time, chance and
 * the socket class are handed in, so that a test can own them.
 */

const BACKOFF_FIRST_MS = 500;
const BACKOFF_LONGEST_MS = 15_000;
/** The server sends a heartbeat every 10 s: two and a half of them missing is silence. */
const SILENCE_MS = 25_000;
/** A connection that lived this long was a good one: the next failure starts its backoff afresh. */
const SETTLED_MS = 5_000;

export const CLOSE = Object.freeze({
  TICKET_REFUSED: 4001, FORBIDDEN_ORIGIN: 4003, SLOW_CLIENT: 4008, TOO_MANY_CLIENTS: 4013,
});
/** Nobody is helped by asking these again soon. */
const ASK_LATER = new Set([CLOSE.FORBIDDEN_ORIGIN, CLOSE.TOO_MANY_CLIENTS]);
/** The server lost nothing: the next connection may follow at once. */
const ASK_AT_ONCE = new Set([CLOSE.SLOW_CLIENT, CLOSE.TICKET_REFUSED]);

/** Full jitter: uniform in [0, min(longest, first · 2^attempt)], so that a thousand pages do not return together. */
export function backoffMs(attempt, random) {
  return random() * Math.min(BACKOFF_LONGEST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 16));
}

/** *url* (relative, http or ws) as a WebSocket address with the resume position and the ticket. */
export function streamAddress(url, { after, epoch, ticket, base }) {
  const address = new URL(url, base);
  address.protocol = address.protocol.replace(/^http/, "ws");
  if (after !== null) {
    address.searchParams.set("after", String(after));
    address.searchParams.set("epoch", epoch);
  }
  if (ticket) address.searchParams.set("ticket", ticket);
  return address.href;
}

export class StreamClient {
  #options; #socket = null; #generation = 0; #state = "stopped"; #attempt = 0;
  #epoch = null; #seq = null; #resumable = false;
  #retryTimer = null; #silenceTimer = null; #heardAt = 0; #liveAt = null;

  /**
   * @param {object} options
   * @param {string} options.url of the stream, relative to the page or absolute
   * @param {() => Promise<string|null>} [options.ticket] asked before every connect; reject with
   *   `{unauthorized: true}` when only a new token can help
   * @param {(frame: object) => void} [options.onSnapshot] `frame.reset` is true when all that was known is void
   * @param {(frame: object) => void} [options.onEvents] `frame.events` holds only events not handed on before
   * @param {(frame: object) => void} [options.onHeartbeat]
   * @param {(status: {state: string, retryAt: number|null, attempt: number}) => void} [options.onStatus]
   *   `retryAt` in ms of *now*
   */
  constructor(options) {
    this.#options = {
      ticket: async () => null,
      WebSocketClass: globalThis.WebSocket,
      random: Math.random,
      now: () => Date.now(),
      setTimer: (callback, ms) => setTimeout(callback, ms),
      clearTimer: (timer) => clearTimeout(timer),
      base: globalThis.location?.href,
      onSnapshot() {}, onEvents() {}, onHeartbeat() {}, onStatus() {},
      ...options,
    };
  }

  get state() { return this.#state; }
  /** The last event handed on, or null before the first snapshot. */
  get seq() { return this.#seq; }
  get epoch() { return this.#epoch; }

  /** Connect, unless already at it. After a stop the stream resumes where it was. */
  start() {
    if (this.#state === "stopped" || this.#state === "unauthorized") this.#connectNow();
  }

  /** Close and stay closed until start(). No handler is called after the status "stopped". */
  stop() {
    this.#abandon();
    this.#setState("stopped");
  }

  /**
   * Look up after a sleep (visibilitychange, online): timers stood still meanwhile, and a socket may be dead
   * without having said so.
   */
  wake() {
    if (this.#state === "stopped") return;
    const busy = this.#state === "live" || this.#state === "connecting";
    if (busy && this.#options.now() - this.#heardAt <= SILENCE_MS) return;
    this.#connectNow();
  }

  #connectNow() {
    this.#attempt = 0;
    this.#connect();
  }

  async #connect() {
    this.#abandon();
    const generation = this.#generation;
    const { WebSocketClass, url, base } = this.#options;
    this.#listenForSilence();
    this.#setState("connecting");
    let ticket;
    try {
      ticket = await this.#options.ticket();
    } catch (error) {
      if (generation === this.#generation) this.#ticketFailed(error);
      return;
    }
    if (generation !== this.#generation) return;
    const after = this.#resumable ? this.#seq : null;
    const socket = new WebSocketClass(streamAddress(url, { after, epoch: this.#epoch, ticket, base }));
    this.#socket = socket;
    const ours = (handler) => (event) => { if (generation === this.#generation) handler(event); };
    socket.onmessage = ours((event) => this.#receive(event.data));
    socket.onclose = ours((event) => this.#closed(event.code));
  }

  #ticketFailed(error) {
    if (!error?.unauthorized) return this.#retryLater();
    this.#abandon();
    this.#setState("unauthorized");
  }

  #receive(text) {
    this.#heardAt = this.#options.now();
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return this.#startOver();
    }
    if (this.#state !== "live") {
      this.#liveAt = this.#heardAt;
      this.#setState("live");
    }
    if (frame.type === "snapshot") this.#snapshot(frame);
    else if (frame.type === "events") this.#events(frame);
    else if (frame.type === "heartbeat") this.#heartbeat(frame);
  }

  #snapshot(frame) {
    const otherEpoch = this.#epoch !== null && frame.epoch !== this.#epoch;
    this.#epoch = frame.epoch;
    this.#seq = frame.seq;
    this.#resumable = true;
    this.#options.onSnapshot(otherEpoch ? { ...frame, reset: true } : frame);
  }

  #events(frame) {
    if (this.#seq === null || frame.first > this.#seq + 1) return this.#startOver();
    // Its clusters are older than those already handed on.
    if (frame.last < this.#seq) return;
    const known = this.#seq;
    this.#seq = frame.last;
    const repeats = frame.first <= known;
    this.#options.onEvents(repeats ? { ...frame, events: frame.events.filter((event) => event.seq > known) } : frame);
  }

  #heartbeat(frame) {
    if (this.#seq === null || frame.seq > this.#seq) return this.#startOver();
    this.#options.onHeartbeat(frame);
  }

  /** Events are missing or unreadable: only a snapshot puts that right. */
  #startOver() {
    this.#resumable = false;
    this.#retryLater();
  }

  #closed(code) {
    const lived = this.#liveAt === null ? 0 : this.#options.now() - this.#liveAt;
    if (lived >= SETTLED_MS) this.#attempt = 0;
    // A ticket lives briefly: one refusal may be bad luck, a second is not.
    const atOnce = ASK_AT_ONCE.has(code) && this.#attempt === 0;
    if (ASK_LATER.has(code)) this.#retryIn(BACKOFF_LONGEST_MS * (0.5 + this.#options.random() / 2));
    else if (atOnce) this.#retryIn(0);
    else this.#retryLater();
  }

  #retryLater() {
    this.#retryIn(backoffMs(this.#attempt, this.#options.random));
  }

  #retryIn(delayMs) {
    this.#abandon();
    this.#attempt += 1;
    this.#retryTimer = this.#options.setTimer(() => this.#connect(), delayMs);
    this.#setState("waiting", this.#options.now() + delayMs);
  }

  #listenForSilence() {
    this.#heardAt = this.#options.now();
    const check = () => {
      const quietMs = this.#options.now() - this.#heardAt;
      if (quietMs < SILENCE_MS) {
        this.#silenceTimer = this.#options.setTimer(check, SILENCE_MS - quietMs);
        return;
      }
      const generation = this.#generation;
      this.#setState("silent");
      if (generation === this.#generation) this.#retryLater();
    };
    this.#silenceTimer = this.#options.setTimer(check, SILENCE_MS);
  }

  /** Let go of socket and timers; whatever they still say belongs to an earlier generation. */
  #abandon() {
    this.#generation += 1;
    this.#options.clearTimer(this.#retryTimer);
    this.#options.clearTimer(this.#silenceTimer);
    this.#liveAt = null;
    this.#socket?.close();
    this.#socket = null;
  }

  #setState(state, retryAt = null) {
    this.#state = state;
    this.#options.onStatus({ state, retryAt, attempt: this.#attempt });
  }
}
