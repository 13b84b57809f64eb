import { createTheme } from '@grafana/data';
import { type Cluster } from '@page/model.js';
import { describe, expect, it } from 'vitest';
import { labelOf, legendItems, lookFor } from './look';
import { drawingTheme } from './theme';
import { ColorBy, DEFAULTS, ShowLabel, type Options } from './types';

const theme = createTheme();
const drawing = drawingTheme(theme);
const order = ['info', 'warning', 'critical'];
const cluster = (given: Partial<Cluster>): Cluster => ({
  id: 1,
  title: 'A title',
  state: 'growing',
  severity: 'critical',
  size: 3,
  firing: 3,
  opened_at: '2026-01-01T00:00:00Z',
  ...given,
});
const look = (options: Partial<Options>, mapped?: (severity: string) => string | undefined) =>
  lookFor({ ...DEFAULTS, ...options }, drawing, theme, () => order, mapped);

describe('the look', () => {
  it('is that of the severity', () => {
    expect(look({}).styleOf(cluster({}))).toEqual({
      look: 'critical',
      color: drawing.severity.critical,
      pattern: 'hatch',
    });
  });

  it('takes a colour that is mapped to the severity, and keeps sign and pattern', () => {
    const mapped = (severity: string) => (severity === 'critical' ? '#123456' : undefined);

    expect(look({}, mapped).styleOf(cluster({}))).toEqual({ look: 'critical', color: '#123456', pattern: 'hatch' });
    expect(look({}, mapped).styleOf(cluster({ severity: 'info' })).color).toBe(drawing.severity.info);
  });

  it('tells the severity by sign and pattern whatever the colour means', () => {
    for (const colorBy of [ColorBy.State, ColorBy.Label]) {
      expect(look({ colorBy }).styleOf(cluster({}))).toMatchObject({ look: 'critical', pattern: 'hatch' });
    }
  });

  it('gives the same value of a label the same colour', () => {
    const { styleOf } = look({ colorBy: ColorBy.Label, colorLabel: 'service' });
    const one = styleOf(cluster({ labels: { service: 'web' } }));

    expect(styleOf(cluster({ id: 2, affected: { service: { cart: 1, web: 5 } } })).color).toBe(one.color);
    expect(styleOf(cluster({})).color).toBe(drawing.muted);
  });

  it('names by a label, and by the title where the cluster has none', () => {
    const { titleOf } = look({ showLabel: ShowLabel.Label, label: 'service' });

    expect(titleOf(cluster({ labels: { service: 'web' } }))).toBe('web');
    expect(titleOf(cluster({}))).toBe('A title');
  });
});

describe('the legend', () => {
  it('has the severities there are, the worst first', () => {
    const clusters = ['info', 'critical', 'info', '', 'odd'].map((severity, id) => cluster({ id, severity }));
    const items = legendItems(clusters, look({}), DEFAULTS, order);

    expect(items.map(({ name, count }) => [name, count])).toEqual([
      ['odd', 1],
      ['critical', 1],
      ['info', 2],
      ['no severity', 1],
    ]);
  });

  it('counts what fires, and names the rest', () => {
    const clusters = [
      cluster({ id: 1 }),
      cluster({ id: 2, firing: 0 }),
      cluster({ id: 3, firing: 0, severity: 'info' }),
    ];
    const items = legendItems(clusters, look({}), DEFAULTS, order);

    expect(items.map(({ name, count }) => [name, count])).toEqual([
      ['critical', 1],
      ['info', 0],
    ]);
  });

  it('has the values of a label, the most first, and not more than can be read', () => {
    const options = { ...DEFAULTS, colorBy: ColorBy.Label };
    const clusters = Array.from({ length: 50 }, (_, id) =>
      cluster({ id, labels: { service: `s${Math.floor(id / 2)}` } })
    );
    const items = legendItems(
      [...clusters, cluster({ id: 99, labels: { service: 's7' } })],
      look(options),
      options,
      order
    );

    expect(items[0]).toMatchObject({ name: 's7', count: 3 });
    expect(items).toHaveLength(12);
  });
});

describe('a label of a cluster', () => {
  it('is what all share, else what most have', () => {
    expect(labelOf(cluster({ labels: { team: 'a' }, affected: { team: { b: 9 } } }), 'team')).toBe('a');
    expect(labelOf(cluster({ affected: { team: { b: 2, c: 9 } } }), 'team')).toBe('c');
    expect(labelOf(cluster({}), 'team')).toBe('');
  });
});
