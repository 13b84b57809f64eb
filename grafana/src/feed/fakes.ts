/** Stand-ins for tests: a receiver's side of a socket, and an Api. They leave out timing, proxies and bad JSON. */

import { type Cluster, type StreamEvent } from '../frames/schema';
import { type Api } from './api';
import { type EventsMessage, type SnapshotMessage } from './messages';
import { type Socket } from './sockets';

export class FakeSocket implements Socket {
  static all: FakeSocket[] = [];
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  closed = false;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  static get last(): FakeSocket {
    return FakeSocket.all.at(-1)!;
  }

  close() {
    this.closed = true;
  }

  say(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  drop(code = 1006) {
    this.onclose?.({ code });
  }
}

export function fakeApi(answers: Record<string, unknown | Error> = { stats: {} }) {
  const asked: Array<[string, unknown]> = [];
  const answer = async (path: string, parameters: unknown) => {
    asked.push([path, parameters]);
    const told = answers[path];
    const value = typeof told === 'function' ? told(parameters) : told;
    if (value instanceof Error || (value && (value as { status?: number }).status)) {
      throw value;
    }
    return value;
  };
  const api = { get: answer, raw: answer, streamUrl: () => 'http://grafana/live/api/v1/stream', answers, asked };
  return api as typeof api & Api;
}

export const time = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

export const cluster = (id: number, given: Partial<Cluster> = {}): Cluster => ({
  id,
  title: `Cluster ${id}`,
  state: 'growing',
  severity: 'warning',
  size: 3,
  firing: 2,
  opened_at: time(0),
  ...given,
});

export const event = (seq: number, given: Partial<StreamEvent> = {}): StreamEvent => ({
  seq,
  time: time(seq),
  type: 'alert_assigned',
  cluster_id: 1,
  cluster_size: 1,
  total_clusters: 1,
  ...given,
});

export const snapshot = (given: Partial<SnapshotMessage> = {}): SnapshotMessage => ({
  type: 'snapshot',
  epoch: 'e1',
  seq: 10,
  time: time(10),
  clusters: [cluster(1), cluster(2, { severity: 'critical' })],
  storm: null,
  stats: { live_clusters: 2 },
  ...given,
});

export const events = (
  first: number,
  last: number,
  clusters: Cluster[] = [],
  given: Partial<EventsMessage> = {}
): EventsMessage => ({
  type: 'events',
  first,
  last,
  time: time(last),
  events: Array.from({ length: last - first + 1 }, (_, i) => event(first + i)),
  clusters,
  ...given,
});
