/** The dashboards that come with the plugin ask for what the data source knows. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLUSTER_COLUMNS } from '../frames/clusters';
import { EVENT_COLUMNS } from '../frames/events';
import { ALERT_COLUMNS } from './queries/alerts';
import { EVENT_TYPES } from './queries/events';
import { LEDGER_COLUMNS, NOW_COLUMNS, RATE_COLUMNS } from './queries/stats';
import { STORM_COLUMNS } from './queries/storms';
import { Figures, Marks, QueryType, type StormcellQuery } from './types';

const FOLDER = join(import.meta.dirname, '../../dashboards');
const KEYS = [
  'refId',
  'datasource',
  'queryType',
  'hide',
  'state',
  'severity',
  'text',
  'labels',
  'clusterId',
  'types',
  'figures',
  'marks',
  'values',
  'label',
  'limit',
];
const OURS = 'stormcell-datasource';

interface Panel {
  title: string;
  targets?: StormcellQuery[];
  panels?: Panel[];
  fieldConfig?: { overrides?: Array<{ matcher: { id: string; options: string } }> };
}

const names = (columns: Array<{ name: string }>) => columns.map(({ name }) => name);
const FIGURES: Record<Figures, string[]> = {
  [Figures.Now]: names(NOW_COLUMNS),
  [Figures.Rates]: RATE_COLUMNS,
  [Figures.Ledger]: names(LEDGER_COLUMNS),
};

function fieldsOf({ queryType = QueryType.Evolution, figures = Figures.Now }: StormcellQuery): string[] {
  switch (queryType) {
    case QueryType.Evolution:
      return [...names(EVENT_COLUMNS), ...names(CLUSTER_COLUMNS)];
    case QueryType.Clusters:
      return names(CLUSTER_COLUMNS);
    case QueryType.Alerts:
      return names(ALERT_COLUMNS);
    case QueryType.Events:
      return names(EVENT_COLUMNS);
    case QueryType.Storms:
      return names(STORM_COLUMNS);
    case QueryType.Stats:
      return FIGURES[figures];
    default:
      return [];
  }
}

const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith('.json')) : [];
const flat = (panels: Panel[]): Panel[] => panels.flatMap((panel) => [panel, ...flat(panel.panels ?? [])]);
const isOurs = ({ datasource }: StormcellQuery) => datasource?.type === OURS;

describe.skipIf(files.length === 0)('the dashboards', () => {
  const dashboards = files.map((file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')));
  const panels = dashboards.flatMap(({ panels: some }) => flat(some)).filter(({ targets }) => targets?.some(isOurs));
  const marked = dashboards.flatMap(({ annotations }) => annotations?.list ?? []).filter(isOurs);
  const queries = [...panels.flatMap(({ targets }) => targets!.filter(isOurs)), ...marked.map(({ target }) => target)];

  it('ask the data source for something', () => {
    expect(queries.length).toBeGreaterThan(5);
  });

  it('ask for what it knows', () => {
    for (const query of queries) {
      expect(Object.keys(query).filter((key) => !KEYS.includes(key))).toEqual([]);
      expect(Object.values(QueryType)).toContain(query.queryType);
      expect([...Object.values(Figures), undefined]).toContain(query.figures);
      expect((query.types ?? []).filter((type: string) => !EVENT_TYPES.includes(type))).toEqual([]);
      expect((query.marks ?? []).filter((mark: Marks) => !Object.values(Marks).includes(mark))).toEqual([]);
    }
  });

  it('name fields that are answered', () => {
    for (const { title, targets, fieldConfig } of panels) {
      const known = targets!.filter(isOurs).flatMap(fieldsOf);
      const named = (fieldConfig?.overrides ?? [])
        .filter(({ matcher }) => matcher.id === 'byName')
        .map(({ matcher }) => matcher.options);
      expect([title, named.filter((name) => !known.includes(name))]).toEqual([title, []]);
    }
  });
});
