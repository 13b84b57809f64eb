/** What can be chosen in the editors, in words. */

import { type ComboboxOption } from '@grafana/ui';
import { EVENT_TYPES } from '../queries/events';
import { Figures, Marks, QueryType, ValuesOf } from '../types';

export const QUERY_TYPES: Array<ComboboxOption<QueryType>> = [
  { value: QueryType.Evolution, label: 'Evolution', description: 'The live stream, for the Stormcell evolution panel' },
  { value: QueryType.Clusters, label: 'Clusters', description: 'A table of alert clusters, live or over the range' },
  { value: QueryType.Alerts, label: 'Alerts', description: 'Search over every alert ever received' },
  { value: QueryType.Events, label: 'Events', description: 'What happened within the range, step by step' },
  { value: QueryType.Stats, label: 'Stats', description: 'Figures of now, rates, and the noise ledger' },
  { value: QueryType.Storms, label: 'Storms', description: 'Storms within the range' },
];

export const CLUSTER_STATES: Array<ComboboxOption<string>> = [
  { value: 'live', label: 'Live', description: 'As of now; follows the stream' },
  { value: 'all', label: 'All', description: 'Within the range, also those that are over' },
  { value: 'forming', label: 'Forming', description: 'New, and still small' },
  { value: 'growing', label: 'Growing', description: 'Still taking in new alerts' },
  { value: 'steady', label: 'Steady', description: 'Alerts fire, none are new' },
  { value: 'resolving', label: 'Resolving', description: 'Members resolve, none are new' },
  { value: 'resolved', label: 'Resolved', description: 'No member fires any more' },
  { value: 'merged', label: 'Merged', description: 'Went into another cluster' },
];

export const ALERT_STATES: Array<ComboboxOption<string>> = [
  { value: '', label: 'Any' },
  { value: 'firing', label: 'Firing' },
  { value: 'stale', label: 'Stale', description: 'Neither repeated nor resolved for too long' },
  { value: 'resolved', label: 'Resolved' },
];

export const FIGURES: Array<ComboboxOption<Figures>> = [
  {
    value: Figures.Now,
    label: 'Now',
    description: 'One row that follows the stream: clusters, storm, stability, memory',
  },
  { value: Figures.Rates, label: 'Rates', description: 'Fired, resolved and firing over the range' },
  {
    value: Figures.Ledger,
    label: 'Noise ledger',
    description: 'Notifications, alerts, clusters, storms: what grouping saved',
  },
];

export const MARKS: Array<ComboboxOption<Marks>> = [
  { value: Marks.Storms, label: 'Storms', description: 'As regions' },
  { value: Marks.Births, label: 'New clusters' },
  { value: Marks.Merges, label: 'Merges' },
  { value: Marks.Splits, label: 'Splits' },
  { value: Marks.Resolutions, label: 'Ends' },
];

export const VALUES: Array<ComboboxOption<ValuesOf>> = [
  { value: ValuesOf.Clusters, label: 'Live clusters', description: 'Title as text, id as value' },
  { value: ValuesOf.Severities, label: 'Severities', description: 'Of live clusters' },
  { value: ValuesOf.Label, label: 'Values of a label', description: 'Of live clusters' },
  { value: ValuesOf.Storms, label: 'Storms', description: 'Latest first, id as value' },
];

export const EVENT_CHOICES: Array<ComboboxOption<string>> = EVENT_TYPES.map((value) => ({
  value,
  label: value.replaceAll('_', ' '),
}));
