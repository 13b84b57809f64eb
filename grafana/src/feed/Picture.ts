/** What the stream has told by now, as frames. Knows no socket and no clock. */

import { type DataFrame, type QueryResultMetaNotice } from '@grafana/data';
import { clustersFrame } from '../frames/clusters';
import { EventLog } from '../frames/events';
import { withMeta } from '../frames/meta';
import { CONTRACT, type Cluster, type Connection, type Stats, type Storm, type StormcellMeta } from '../frames/schema';
import { type EventsMessage, type HeartbeatMessage, type SnapshotMessage } from './messages';

/** A second of the fastest stream the receiver is made for: whoever looks seldomer takes the clusters, whole. */
export const EVENT_ROWS = 5000;
/** Ended clusters stay so long, by the stream's time: a reader that skips frames sees how they ended. */
const ENDED_FOR_MS = 60_000;
const ENDED_MOST = 500;
const DEFAULT_ORDER = ['info', 'warning', 'critical'];

export const hasEnded = ({ state }: Cluster) => state === 'resolved' || state === 'merged';

export class Picture {
  private readonly log = new EventLog(EVENT_ROWS);
  private readonly byId = new Map<number, Cluster>();
  /** When each ended, in that order. */
  private readonly ended = new Map<number, number>();
  private epoch = '';
  private seq = 0;
  private time = '';
  private storm: Storm | null = null;
  private stats: Stats | null = null;
  private severityOrder = DEFAULT_ORDER;
  private snapshots = 0;

  /** All known clusters, each the same object as long as it is unchanged. */
  clusters(): Cluster[] {
    return [...this.byId.values()];
  }

  snapshot(message: SnapshotMessage) {
    this.byId.clear();
    this.ended.clear();
    this.log.clear();
    message.clusters.forEach((cluster) => this.byId.set(cluster.id, cluster));
    this.epoch = message.epoch;
    this.seq = message.seq;
    this.storm = message.storm;
    this.severityOrder = message.severity_order ?? DEFAULT_ORDER;
    this.snapshots += 1;
    this.told(message);
  }

  events(message: EventsMessage) {
    this.log.push(message.events);
    for (const cluster of message.clusters) {
      this.byId.set(cluster.id, cluster);
      if (!hasEnded(cluster)) {
        this.ended.delete(cluster.id);
      } else if (!this.ended.has(cluster.id)) {
        this.ended.set(cluster.id, Date.parse(message.time));
      }
    }
    this.seq = message.last;
    if (message.storm !== undefined) {
      this.storm = message.storm;
    }
    this.told(message);
  }

  heartbeat(message: HeartbeatMessage) {
    this.told(message);
  }

  private told({ time, stats }: { time: string; stats?: Stats }) {
    this.time = time;
    this.stats = stats ?? this.stats;
    const from = Date.parse(time) - ENDED_FOR_MS;
    for (const [id, endedAt] of this.ended) {
      if (endedAt >= from && this.ended.size <= ENDED_MOST) {
        break;
      }
      this.ended.delete(id);
      this.byId.delete(id);
    }
  }

  meta(connection: Connection): StormcellMeta {
    const { epoch, seq, time, storm, stats, severityOrder, snapshots } = this;
    return { stormcell: CONTRACT, connection, epoch, seq, time, storm, stats, severityOrder, snapshots };
  }

  /** The frames `events` and `clusters` as of now. */
  frames(connection: Connection): DataFrame[] {
    const meta = this.meta(connection);
    const clusters = this.clusters();
    return [
      withNotices(withMeta(this.log.frame(), meta, this.log.rows()), connection),
      withNotices(withMeta(clustersFrame(clusters), meta, clusters), connection),
    ];
  }
}

/** Grafana shows notices in the panel's header: also where a table shows our frames, it is told that they are old. */
export function withNotices(frame: DataFrame, connection: Connection): DataFrame {
  if (connection.state === 'live' || (connection.state === 'connecting' && connection.heardAt === null)) {
    return frame;
  }
  const notices: QueryResultMetaNotice[] = [
    { severity: connection.state === 'failed' ? 'error' : 'warning', text: connection.detail },
  ];
  return { ...frame, meta: { ...frame.meta, notices } };
}
