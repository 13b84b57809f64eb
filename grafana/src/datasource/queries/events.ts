/** The history of events over the dashboard's range. */

import { eventsFrame } from '../../frames/events';
import { type StreamEvent } from '../../frames/schema';
import { readPages } from './pages';
import { rangeParameters, withWarning, type Ask } from './query';

export const EVENT_TYPES = [
  'cluster_created',
  'cluster_merged',
  'cluster_split',
  'cluster_resolved',
  'cluster_closed',
  'cluster_state_changed',
  'cluster_renamed',
  'storm_started',
  'storm_ended',
  'operator_command',
  'alert_assigned',
  'alert_reopened',
  'alert_resolved',
  'alert_stale',
];

export const events: Ask = async ({ api, query, range }) => {
  const types = new Set(query.types ?? []);
  const id = query.clusterId ? Number(query.clusterId) : null;
  const about = ({ cluster_id, into, from }: StreamEvent) =>
    id === null || cluster_id === id || into === id || from === id;
  const { items, more } = await readPages<StreamEvent>(api, 'events', rangeParameters(range), query.limit ?? 1000, {
    cursor: 'after',
    wanted: (event) => (types.size === 0 || types.has(event.type)) && about(event),
  });
  const until = items.at(-1)?.time;
  const text = `There are more events than are shown${until ? `: these end at ${until}` : ''}. Choose a shorter range.`;
  return { frames: [withWarning(eventsFrame(items), more && text)] };
};
