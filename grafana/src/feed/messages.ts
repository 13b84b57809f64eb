/** What the receiver's stream says, as docs/stream.md tells it. */

import { type Cluster, type Stats, type Storm, type StreamEvent } from '../frames/schema';

export interface SnapshotMessage {
  type: 'snapshot';
  epoch: string;
  seq: number;
  time: string;
  clusters: Cluster[];
  storm: Storm | null;
  stats: Stats;
  severity_order?: string[];
  reset?: boolean;
}

export interface EventsMessage {
  type: 'events';
  first: number;
  last: number;
  time: string;
  events: StreamEvent[];
  clusters: Cluster[];
  storm?: Storm | null;
  stats?: Stats;
}

export interface HeartbeatMessage {
  type: 'heartbeat';
  seq: number;
  time: string;
  stats?: Stats;
}
