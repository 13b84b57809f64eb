/** Values for a dashboard's variable, of what is live. */

import { frameOf, text, type Column } from '../../frames/columns';
import { type Cluster, type Storm } from '../../frames/schema';
import { ValuesOf } from '../types';
import { readPages } from './pages';
import { type Ask } from './query';

interface Value {
  text: string;
  value: string;
}

const COLUMNS: Array<Column<Value>> = [text('text', (row) => row.text), text('value', (row) => row.value)];

export const variable: Ask = async ({ api, query }) => {
  const wanted = query.values ?? ValuesOf.Clusters;
  const limit = query.limit ?? 1000;
  const values =
    wanted === ValuesOf.Storms
      ? (await readPages<Storm>(api, 'storms', {}, limit)).items.map(stormValue)
      : valuesOf(wanted, (await readPages<Cluster>(api, 'clusters', {}, limit)).items, query.label ?? '');
  return { frames: [frameOf('values', COLUMNS, values)] };
};

const stormValue = ({ id, started_at }: Storm): Value => ({
  text: `Storm ${id}, ${started_at.slice(0, 16).replace('T', ' ')} UTC`,
  value: String(id),
});

function valuesOf(wanted: ValuesOf, clusters: Cluster[], label: string): Value[] {
  if (wanted === ValuesOf.Clusters) {
    return clusters.map(({ id, title }) => ({ text: `${title} (${id})`, value: String(id) }));
  }
  const found =
    wanted === ValuesOf.Severities
      ? clusters.map(({ severity }) => severity)
      : clusters.flatMap(({ labels = {}, affected = {} }) => [labels[label], ...Object.keys(affected[label] ?? {})]);
  return [...new Set(found)]
    .filter((value) => value !== undefined)
    .sort()
    .map((value) => ({ text: value || '(none)', value }));
}
