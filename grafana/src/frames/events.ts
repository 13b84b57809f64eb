/** The `events` frame: a row per event, oldest first, without a gap. Pure. */

import { type DataFrame } from '@grafana/data';
import { fieldsOf, frameOf, number, object, text, time, type Column } from './columns';
import { FRAME_EVENTS, type StreamEvent } from './schema';

const label = (name: string) => (event: StreamEvent) => event.alert?.labels?.[name];

export const EVENT_COLUMNS: Array<Column<StreamEvent>> = [
  time('time', (event) => event.time),
  number('seq', (event) => event.seq),
  text('type', (event) => event.type),
  number('cluster_id', (event) => event.cluster_id),
  number('cluster_size', (event) => event.cluster_size),
  number('cluster_firing', (event) => event.cluster_firing),
  number('total_clusters', (event) => event.total_clusters),
  number('into', (event) => event.into),
  number('from', (event) => event.from),
  number('storm_id', (event) => event.storm_id),
  text('state', (event) => event.state),
  text('title', (event) => event.title),
  text('reason', (event) => event.reason),
  number('confidence', (event) => event.confidence, { unit: 'percentunit', decimals: 0 }),
  text('alertname', label('alertname')),
  text('severity', label('severity')),
  text('fingerprint', (event) => event.alert?.fingerprint),
  time('startsAt', (event) => event.alert?.startsAt),
  object('labels', (event) => event.alert?.labels),
  text('command', (event) => event.command),
  object('recurs', (event) => event.recurs),
  object('set', (event) => event.set),
];

/** The frame of events that do not come on. */
export function eventsFrame(events: readonly StreamEvent[]): DataFrame {
  return frameOf(FRAME_EVENTS, EVENT_COLUMNS, events);
}

/**
 * Events as they come, the latest *capacity* of them. Each is told once; a frame is a copy, which later events do
 * not change: others may still show it.
 */
export class EventLog {
  private columns: unknown[][] = EVENT_COLUMNS.map(() => []);
  private kept: StreamEvent[] = [];

  constructor(private readonly capacity: number) {}

  get last(): number {
    return this.kept.at(-1)?.seq ?? 0;
  }

  push(events: readonly StreamEvent[]) {
    for (const event of events) {
      this.kept.push(event);
      EVENT_COLUMNS.forEach(({ of }, i) => this.columns[i].push(of(event)));
    }
    // By halves: letting go of one row at a time would move all the others each time.
    if (this.kept.length > this.capacity * 2) {
      this.kept = this.kept.slice(-this.capacity);
      this.columns = this.columns.map((column) => column.slice(-this.capacity));
    }
  }

  clear() {
    this.kept = [];
    this.columns = EVENT_COLUMNS.map(() => []);
  }

  rows(): StreamEvent[] {
    return this.kept.slice(-this.capacity);
  }

  frame(): DataFrame {
    const fields = fieldsOf(EVENT_COLUMNS, (i) => this.columns[i].slice(-this.capacity));
    return { name: FRAME_EVENTS, length: fields[0].values.length, fields };
  }
}

/** The event a row was told from, as far as columns hold it. */
export function eventOfRow(row: Record<string, unknown>, rfc3339: (ms: unknown) => string | null): StreamEvent {
  const event: Record<string, unknown> = {
    seq: row.seq,
    time: rfc3339(row.time) ?? '',
    type: row.type,
    cluster_id: row.cluster_id ?? null,
    cluster_size: row.cluster_size ?? 0,
    total_clusters: row.total_clusters ?? 0,
  };
  for (const name of ['cluster_firing', 'into', 'from', 'storm_id', 'confidence', 'recurs', 'set']) {
    if (row[name] !== null && row[name] !== undefined) {
      event[name] = row[name];
    }
  }
  for (const name of ['state', 'title', 'reason', 'command']) {
    if (row[name]) {
      event[name] = row[name];
    }
  }
  if (row.fingerprint) {
    event.alert = { fingerprint: row.fingerprint, startsAt: rfc3339(row.startsAt) ?? '', labels: row.labels ?? {} };
  }
  return event as unknown as StreamEvent;
}
