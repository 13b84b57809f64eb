/**
 * The contract between the data source and whoever draws its frames: the panel here, and the panels of Grafana.
 * It is told in words in src/README.md; add to it, change nothing.
 *
 * An `evolution` query answers LoadingState.Streaming with two frames: `events`, a row per event of the receiver's
 * stream since the last snapshot, and `clusters`, what is live or ended lately, a row each. Both carry the same
 * `meta.custom`, a StormcellMeta. Names of fields are those of the receiver's JSON, save that a cluster's `id` is
 * `cluster_id` in both frames; times are ms since 1970, objects stay objects (FieldType.other).
 */

export const FRAME_EVENTS = 'events';
export const FRAME_CLUSTERS = 'clusters';

/** `frame.meta.custom.stormcell`: the version of this contract, and the mark by which frames are known. */
export const CONTRACT = 1;

export interface Wave {
  at: string;
  offset_seconds: number;
  values: string[];
  values_total: number;
}

export interface Spread {
  label: string;
  values: number;
  more_values: boolean;
  waves: Wave[];
  waves_total: number;
  probable_first: string | null;
  evidence: {
    reason: string;
    alerts: Array<{ fingerprint: string; alertname: string; value: string; startsAt: string }>;
    values_in_first_wave: number;
    lead_seconds: number | null;
    same_rule_next: boolean | null;
  };
}

export interface Recurrence {
  cluster_id: number;
  similarity: number | null;
  opened_at: string;
  duration_seconds: number | null;
  resolved_at?: string | null;
  title?: string | null;
  reason?: string | null;
  ended?: string | null;
}

/** An alert cluster as the receiver tells it. */
export interface Cluster {
  id: number;
  title: string;
  state: string;
  severity: string;
  size: number;
  firing: number;
  opened_at: string;
  accepting?: boolean;
  suppressed?: number | null;
  stale?: number;
  updated_at?: string;
  closed_at?: string | null;
  resolved_at?: string | null;
  /** By when a source had gone quiet by whose silence members ended: they may not have recovered. */
  source_quiet_at?: string | null;
  labels?: Record<string, string>;
  affected?: Record<string, Record<string, number>>;
  spread?: Spread | null;
  confidence?: number | null;
  recurs?: Recurrence | null;
  novel?: boolean | null;
  first_seen?: string | null;
  merged_into?: number | null;
  split_from?: number | null;
  pinned?: boolean;
  acked_by?: string;
  note?: string;
}

/** One step of evolution as the receiver tells it; what it has beside the first six depends on its type. */
export interface StreamEvent {
  seq: number;
  time: string;
  type: string;
  cluster_id: number | null;
  cluster_size: number;
  total_clusters: number;
  cluster_firing?: number;
  alert?: { fingerprint: string; startsAt: string; labels: Record<string, string> };
  confidence?: number;
  reason?: string;
  title?: string;
  state?: string;
  recurs?: Recurrence | null;
  into?: number | null;
  from?: number | null;
  storm_id?: number;
  command?: string;
  undoes?: number;
  set?: Record<string, unknown>;
  was?: Record<string, unknown>;
}

export interface Storm {
  id: number;
  /** onset, peak, easing, ended */
  state: string;
  started_at: string;
  peak_at: string | null;
  ended_at: string | null;
  intensity: number;
  peak_intensity: number;
  rate_per_minute: number;
  baseline_per_minute: number;
  episodes: number;
  firing: number;
  cluster_ids: number[];
  representatives?: unknown[];
}

/** The receiver's figures; more is in them than is named here. */
export interface Stats {
  live_clusters?: number;
  pending_alerts?: number;
  flapping_alerts?: number;
  model_ready?: boolean;
  heartbeat_at?: string | null;
  /** By when a source had gone quiet; null: none is. */
  source_quiet_at?: string | null;
  stability?: Record<string, number | string | null>;
  index?: Record<string, number | null>;
  memory?: Record<string, number | string | boolean | null>;
  [name: string]: unknown;
}

/** `failed`: only a person can help (token, rights, address); it is tried again all the same, seldom. */
export type ConnectionState = 'connecting' | 'live' | 'reconnecting' | 'failed';

export interface Connection {
  state: ConnectionState;
  /** A few words for a corner of the panel: "Live", "Reconnecting", "Token refused". No countdown: see retryAt. */
  text: string;
  /** Sentences for a tooltip: what happened, what is being done, what a person can do. */
  detail: string;
  /** When it is tried again, ms of the browser's clock; null while connecting or live. */
  retryAt: number | null;
  /** When this state began, ms of the browser's clock. */
  since: number;
  /** When the last frame came, ms of the browser's clock; null before the first. Older than that is the picture. */
  heardAt: number | null;
  via: 'websocket' | 'ndjson';
}

export interface StormcellMeta {
  stormcell: typeof CONTRACT;
  connection: Connection;
  /** The receiver's database; '' before the first snapshot. With another epoch, nothing known before holds. */
  epoch: string;
  /** Of the last event that the frames reflect; 0 before the first snapshot. */
  seq: number;
  /** The receiver's time of the last message, RFC 3339; '' before the first. */
  time: string;
  /** The storm that goes on, null while it is calm. */
  storm: Storm | null;
  stats: Stats | null;
  /** Least severe first; a severity that is not in it ranks highest. */
  severityOrder: string[];
  /** Grows with each snapshot that was applied: after a change, the events before are not in the frame. */
  snapshots: number;
}

/** What read.ts makes of the frames again; events ascend without a gap and end at `seq`. */
export interface Read extends StormcellMeta {
  events: StreamEvent[];
  /** An unchanged cluster stays the same object from one reading to the next. */
  clusters: Cluster[];
}
