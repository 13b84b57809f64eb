/** Two ways for the stream's messages: a WebSocket, and lines over HTTP where no upgrade gets through. */

import { type FetchResponse } from '@grafana/runtime';
import { type Observable, type Subscription } from 'rxjs';

/** What of a WebSocket the stream's client uses. */
export interface Socket {
  onmessage: ((event: { data: string }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  close(): void;
}

export type SocketClass = new (url: string) => Socket;
export type Chunked = (url: string) => Observable<FetchResponse<Uint8Array | undefined>>;

/** As of a connection that ended without a closing handshake (RFC 6455, 7.4.1). */
const ABNORMAL = 1006;
/** A snapshot of some thousand clusters has a few MB; what never ends is no line of ours. */
const LONGEST_LINE = 64 * 1024 * 1024;

/** A class of sockets that read `stream.ndjson`, given the address of `stream`. */
export function lineSockets(chunked: Chunked): SocketClass {
  return class LineSocket implements Socket {
    onmessage: Socket['onmessage'] = null;
    onclose: Socket['onclose'] = null;
    private readonly subscription: Subscription;
    private readonly decoder = new TextDecoder();
    private rest = '';
    private closed = false;

    constructor(address: string) {
      const url = new URL(address);
      url.protocol = url.protocol.replace(/^ws/, 'http');
      url.pathname = url.pathname.replace(/stream$/, 'stream.ndjson');
      this.subscription = chunked(url.href).subscribe({
        next: ({ ok, data }) => (ok ? this.take(data) : this.end()),
        error: () => this.end(),
        complete: () => this.end(),
      });
    }

    close() {
      this.closed = true;
      this.subscription?.unsubscribe();
    }

    private take(data: Uint8Array | undefined) {
      this.rest += data ? this.decoder.decode(data, { stream: true }) : '';
      const lines = this.rest.split('\n');
      this.rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line && !this.closed) {
          this.onmessage?.({ data: line });
        }
      }
      if (this.rest.length > LONGEST_LINE) {
        this.end();
      }
    }

    private end() {
      if (!this.closed) {
        this.close();
        this.onclose?.({ code: ABNORMAL });
      }
    }
  };
}
