/** The receiver's answers that the drawer shows; only what it reads of them. */

import { type FirstSeen } from '@page/cascade.js';
import { type Cluster } from '@page/model.js';
import { type ToldAlert } from '../../frames/alert';

export interface Member extends ToldAlert {
  episode_id: number;
  links: Record<string, string>;
}

export interface ClusterDetail extends Cluster {
  members: Member[];
  members_total: number;
  common_labels: Record<string, string>;
  differing_labels: Record<string, Record<string, number>>;
  cascade: Record<string, FirstSeen[]>;
  lineage: { merged_from?: number[]; merged_into?: number | null; split_from?: number | null } | null;
  url: string;
}

export interface SimilarCluster {
  cluster_id: number;
  similarity: number;
  title: string;
  opened_at: string;
  resolved_at: string | null;
  duration_seconds: number | null;
  ended: string | null;
  reason: string;
}

export interface SimilarAnswer {
  clusters: SimilarCluster[];
}

export interface Why {
  reason: string;
  threshold?: number;
  best?: { cluster_id: number; confidence: number; evidence?: Record<string, number> } | null;
  runner_up?: { cluster_id: number; confidence: number } | null;
}

export interface AlertDetail {
  why: Why | null;
}

const STATES = ['firing', 'suppressed', 'stale', 'resolved'];

/** Firing first, then what is held back, stale and resolved; of each the earliest. */
export function firingFirst(a: Member, b: Member): number {
  const rank = ({ state }: Member) => (STATES.includes(state) ? STATES.indexOf(state) : STATES.length);
  return rank(a) - rank(b) || Date.parse(a.startsAt) - Date.parse(b.startsAt);
}

/** A member's state; of one that ended, whether somebody said so. */
export function stateWords({ state, ending }: Pick<Member, 'state' | 'ending'>): string {
  const unsaid = { lapsed: 'resolved by silence', gone: 'gone from Alertmanager' }[ending ?? ''];
  return state === 'resolved' && unsaid ? unsaid : state;
}

/** The labels that tell one member from the next. */
export function tellingLabels(member: Member, detail: ClusterDetail, most: number): Array<[string, string]> {
  const differing = new Set(Object.keys(detail.differing_labels ?? {}));
  return Object.entries(member.labels)
    .filter(([name]) => differing.has(name) && name !== 'alertname' && name !== 'severity')
    .slice(0, most);
}

export interface OutwardLink {
  title: string;
  href: string;
}

/** Runbook, dashboard and source of the first alert that has each. */
export function outwardLinks(members: Member[], safe: (text: unknown) => URL | null): OutwardLink[] {
  const first = (urlOf: (member: Member) => unknown) =>
    members.map((member) => safe(urlOf(member))).find((url) => url !== null);
  const found: Array<[string, URL | null | undefined]> = [
    ['Runbook', first(({ annotations }) => annotations?.runbook_url)],
    ['Dashboard', first(({ annotations, links }) => annotations?.dashboard_url ?? links?.dashboardURL)],
    ['Source', first(({ generatorURL }) => generatorURL)],
  ];
  return found.flatMap(([title, url]) => (url ? [{ title, href: url.href }] : []));
}
