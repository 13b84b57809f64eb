/** The history of events over the dashboard's range. */

import { eventsFrame } from '../../frames/events';
import { type StreamEvent } from '../../frames/schema';
import { MOST_ROWS, readPages } from './pages';
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
  'alert_suppressed',
  'alert_unsuppressed',
];

export const events: Ask = async ({ api, query, range }) => {
  const id = query.clusterId ? Number(query.clusterId) : null;
  const about = ({ cluster_id, into, from }: StreamEvent) =>
    id === null || cluster_id === id || into === id || from === id;
  const parameters = { ...rangeParameters(range), type: query.types };
  // The receiver tells them from the oldest on: all are read, and the latest of them shown.
  const { items, more } = await readPages<StreamEvent>(api, 'events', parameters, MOST_ROWS, {
    cursor: 'after',
    wanted: about,
  });
  const latest = items.slice(-(query.limit ?? 1000));
  const until = items.at(-1)?.time;
  const text = `There are too many events to read them all${until ? `: these end at ${until}` : ''}. Choose a shorter range or fewer types.`;
  const cut = latest.length < items.length && `Only the ${latest.length} latest of these events are shown.`;
  return { frames: [withWarning(eventsFrame(latest), more ? text : cut)] };
};
