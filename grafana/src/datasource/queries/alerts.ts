/** Search over all alerts ever kept that fired within the dashboard's range: where did the alert go? */

import { type ToldAlert } from '../../frames/alert';
import { number, frameOf, object, text, time, type Column } from '../../frames/columns';
import { readPages } from './pages';
import { rangeParameters, withWarning, type Ask } from './query';

export interface Alert extends ToldAlert {
  received_at: string;
  last_seen: string;
  reopened: number;
  flaps: number;
  cluster_id: number | null;
  confidence: number | null;
}

export const ALERT_COLUMNS: Array<Column<Alert>> = [
  time('startsAt', (alert) => alert.startsAt),
  time('endsAt', (alert) => alert.endsAt),
  text('state', (alert) => alert.state),
  text('ending', (alert) => alert.ending),
  text('severity', (alert) => alert.severity),
  text('alertname', (alert) => alert.labels.alertname),
  text('summary', (alert) => alert.annotations.summary ?? alert.annotations.description),
  number('cluster_id', (alert) => alert.cluster_id),
  number('confidence', (alert) => alert.confidence, { unit: 'percentunit', decimals: 0 }),
  number('reopened', (alert) => alert.reopened),
  number('flaps', (alert) => alert.flaps),
  time('received_at', (alert) => alert.received_at),
  time('last_seen', (alert) => alert.last_seen),
  text('fingerprint', (alert) => alert.fingerprint),
  text('runbook_url', (alert) => alert.annotations.runbook_url),
  text('generatorURL', (alert) => alert.generatorURL),
  object('labels', (alert) => alert.labels),
  object('annotations', (alert) => alert.annotations),
];

export const alerts: Ask = async ({ api, query, range }) => {
  const parameters = {
    q: query.text,
    label: query.labels?.filter((label) => /^[^=]+=/.test(label)),
    state: query.state,
    cluster_id: query.clusterId,
    ...rangeParameters(range),
  };
  const { items, more } = await readPages<Alert>(api, 'alerts', parameters, query.limit ?? 100);
  const frame = frameOf('alerts', ALERT_COLUMNS, items);
  return { frames: [withWarning(frame, more && `Only the ${items.length} latest of these alerts are shown.`)] };
};
