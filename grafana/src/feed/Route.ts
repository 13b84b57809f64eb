/** Chooses between the two ways. A reverse proxy in front of Grafana may not pass on `Upgrade`; HTTP it always does. */

import { type Connection } from '../frames/schema';

/** The receiver may have come back between a failed socket and the question whether HTTP works: once proves nothing. */
const FAILURES = 2;
/** After that long a socket is tried again, when the connection has to be made anew in any case. */
const LINES_FOR_MS = 10 * 60_000;

export class Route {
  private failures = 0;
  private linesUntil = 0;

  constructor(private readonly now: () => number) {}

  get via(): Connection['via'] {
    return this.now() < this.linesUntil ? 'ndjson' : 'websocket';
  }

  worked() {
    this.failures = 0;
  }

  /** A connection of the current way was not made, though HTTP works. Returns whether the other way is next. */
  failed(): boolean {
    this.failures += 1;
    if (this.failures < FAILURES) {
      return false;
    }
    this.failures = 0;
    this.linesUntil = this.via === 'websocket' ? this.now() + LINES_FOR_MS : 0;
    return true;
  }
}
