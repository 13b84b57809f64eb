import { dateTime } from '@grafana/data';
import { firstValueFrom, isObservable, of } from 'rxjs';
import { cluster, event, fakeApi, time } from '../../feed/fakes';
import { type LiveFeed, type Update } from '../../feed/LiveFeed';
import { Figures, Marks, type StormcellQuery, ValuesOf } from '../types';
import { alerts } from './alerts';
import { annotations, marksOf } from './annotations';
import { clusters, ranked } from './clusters';
import { events } from './events';
import { readPages } from './pages';
import { type Ask } from './query';
import { ratesFrame, stats } from './stats';
import { storms } from './storms';
import { variable } from './variable';

const range = { from: dateTime(time(0)), to: dateTime(time(100)), raw: { from: 'now-1h', to: 'now' } };

async function ask(
  what: Ask,
  query: Partial<StormcellQuery>,
  answers: Record<string, unknown> = {},
  update: Partial<Update> = {}
) {
  const api = fakeApi(answers);
  const feed = { updates: of(update) } as unknown as LiveFeed;
  const answer = what({ query: { refId: 'A', ...query }, range, intervalMs: 10_000, api, feed });
  const { frames } = await (isObservable(answer) ? firstValueFrom(answer) : answer);
  const [frame] = frames;
  const rows = Array.from({ length: frame.length }, (_, i) =>
    Object.fromEntries(frame.fields.map(({ name, values }) => [name, values[i]]))
  );
  return { rows, frame, asked: api.asked };
}

describe('pages', () => {
  const numbers = (parameters: { limit: number; cursor?: string }) => {
    const from = Number(parameters.cursor ?? 0);
    const items = Array.from({ length: Math.min(parameters.limit, 2500 - from) }, (_, i) => from + i);
    const next = from + items.length < 2500 ? String(from + items.length) : null;
    return { items, next };
  };

  it('are read up to the limit', async () => {
    const api = fakeApi({ numbers });
    expect(await readPages(api, 'numbers', {}, 1500)).toMatchObject({ more: true, items: { length: 1500 } });
    expect(await readPages(api, 'numbers', {}, 2500)).toMatchObject({ more: false, items: { length: 2500 } });
    expect(await readPages(api, 'numbers', {}, 9999)).toMatchObject({ more: false, items: { length: 2500 } });
  });

  it('are searched for what is wanted', async () => {
    const wanted = (n: number) => n % 1000 === 0;
    expect((await readPages<number>(fakeApi({ numbers }), 'numbers', {}, 10, { wanted })).items).toEqual([
      0, 1000, 2000,
    ]);
  });
});

describe('clusters', () => {
  const all = [
    cluster(1, { firing: 5 }),
    cluster(2, { severity: 'critical' }),
    cluster(3, { severity: 'page-me' }),
    cluster(4, { state: 'resolved', severity: 'critical' }),
    cluster(5, { labels: { team: 'Payments' }, firing: 5, source_quiet_at: time(4) }),
  ];
  const update = {
    clusters: all,
    meta: { severityOrder: ['info', 'warning', 'critical'] },
    connection: { state: 'live' },
  } as unknown as Update;

  it('that are live follow the stream, worst first; an unknown severity is worst', async () => {
    const { rows } = await ask(clusters, {}, {}, update);
    expect(rows.map(({ cluster_id: id }) => id)).toEqual([3, 2, 1, 5]);
    expect(rows[3].source_quiet_at).toBe(Date.parse(time(4)));
  });

  it('can be filtered', async () => {
    expect((await ask(clusters, { severity: 'critical' }, {}, update)).rows).toHaveLength(1);
    expect((await ask(clusters, { text: 'paym' }, {}, update)).rows.map(({ cluster_id: id }) => id)).toEqual([5]);
    expect((await ask(clusters, { limit: 1 }, {}, update)).rows).toHaveLength(1);
  });

  it('of the past are those that were live within the range', async () => {
    const items = [
      cluster(1, { opened_at: time(200) }),
      cluster(2, { opened_at: time(50), resolved_at: time(60), state: 'resolved' }),
      cluster(3, { opened_at: '2025-12-31T00:00:00.000Z', resolved_at: '2025-12-31T01:00:00.000Z', state: 'resolved' }),
      cluster(4, { opened_at: '2025-12-31T00:00:00.000Z' }),
    ];
    const { rows, asked } = await ask(clusters, { state: 'all', text: 'x' }, { clusters: { items, next: null } });
    expect(rows.map(({ cluster_id: id }) => id)).toEqual([2, 4]);
    expect(asked[0]).toMatchObject(['clusters', { state: 'all', q: 'x' }]);
  });

  it('are ranked without changing what was given', () => {
    const given = [...all];
    ranked(given, []);
    expect(given).toEqual(all);
  });
});

describe('alerts', () => {
  it('are asked for over the range, with labels that are some', async () => {
    const alert = {
      labels: { alertname: 'X' },
      annotations: { summary: 's' },
      startsAt: time(1),
      endsAt: null,
      ending: 'lapsed',
    };
    const { rows, asked } = await ask(
      alerts,
      { labels: ['a=b', 'nonsense', '=x'], limit: 5 },
      { alerts: { items: [alert], next: null } }
    );
    expect(rows).toMatchObject([
      { alertname: 'X', summary: 's', startsAt: Date.parse(time(1)), endsAt: null, ending: 'lapsed' },
    ]);
    expect(asked[0]).toMatchObject(['alerts', { label: ['a=b'], from: time(0), to: time(100), limit: 5 }]);
  });

  it('that are cut off are said to be', async () => {
    const alert = { labels: {}, annotations: {} };
    const { frame } = await ask(alerts, { limit: 1 }, { alerts: { items: [alert], next: 'more' } });
    expect(frame.meta!.notices![0].text).toMatch(/Only the 1 latest/);
  });
});

describe('events', () => {
  const items = [event(1), event(2, { type: 'cluster_merged', cluster_id: 3, into: 1 }), event(3, { cluster_id: 2 })];
  const answers = { events: { items, next: null } };

  it('are those of the cluster', async () => {
    expect((await ask(events, { clusterId: '1' }, answers)).rows.map(({ seq }) => seq)).toEqual([1, 2]);
    expect((await ask(events, { types: [] }, answers)).rows).toHaveLength(3);
  });

  it('are asked for by type: the receiver leaves out what is not wanted', async () => {
    const { asked } = await ask(events, { types: ['cluster_merged', 'storm_started'] }, answers);
    expect(asked[0]).toMatchObject(['events', { type: ['cluster_merged', 'storm_started'], from: time(0) }]);
  });

  it('are the latest where there are more than are wanted, and that is said', async () => {
    const { rows, frame } = await ask(events, { limit: 2 }, answers);
    expect(rows.map(({ seq }) => seq)).toEqual([2, 3]);
    expect(frame.meta!.notices![0].text).toMatch(/Only the 2 latest/);
  });
});

describe('figures', () => {
  it('of now are one row', async () => {
    const storm = { id: 4, intensity: 7.5, cluster_ids: [2], firing: 2 };
    const update = {
      clusters: [cluster(1), cluster(2, { severity: 'critical' }), cluster(3, { state: 'merged', firing: 0 })],
      meta: { epoch: 'e', time: time(3), storm, stats: { pending_alerts: 6 }, severityOrder: ['warning', 'critical'] },
      connection: { state: 'live', text: 'Live' },
    } as unknown as Update;
    const { rows } = await ask(stats, {}, {}, update);
    expect(rows).toMatchObject([
      { live_clusters: 2, firing: 4, worst_severity: 'critical', storm_active: 1, storm_intensity: 7.5, outside_storm: 1, pending_alerts: 6, vectors: null, connection: 'Live' },
    ]); // prettier-ignore
  });

  it('are none before the first snapshot', async () => {
    const update = {
      clusters: [],
      meta: { epoch: '' },
      connection: { state: 'connecting', heardAt: null },
    } as unknown as Update;
    expect((await ask(stats, {}, {}, update)).rows).toEqual([]);
  });

  it('over the range add up what clusters fire', () => {
    const frame = ratesFrame({
      from: time(0), to: time(25), step_seconds: 10, fired: [3, 2, 0], resolved: [0, 1, 4], truncated: false,
      clusters: [{ ...cluster(1), samples: [[0, 3], [2, 0]] }, { ...cluster(2), samples: [[1, 1]] }],
    }); // prettier-ignore
    const values = Object.fromEntries(frame.fields.map((field) => [field.name, field.values]));
    expect(values.time).toEqual([time(10), time(20), time(25)].map(Date.parse));
    expect(values.firing).toEqual([3, 4, 1]);
    expect(values.firing_clusters).toEqual([1, 2, 1]);
    expect(values.fired).toEqual([3, 2, 0]);
  });

  it('of the ledger tell what grouping saved', async () => {
    const ledger = { notifications: 900, alerts: 400, episodes: 300, clusters: 8, storms: 1, dead_letters: 0 };
    const { rows } = await ask(stats, { figures: Figures.Ledger }, { stats: { ledger, storage: { size_bytes: 5 } } });
    expect(rows).toMatchObject([{ notifications: 900, clusters: 8, alerts_per_cluster: 50 }]);
  });
});

const storm = (id: number, from: number, to: number | null) => ({
  id, state: 'ended', started_at: time(from), peak_at: time(from), ended_at: to === null ? null : time(to), intensity: 1,
  peak_intensity: 12.3, rate_per_minute: 1, baseline_per_minute: 1, episodes: 30, firing: 0, cluster_ids: [1, 2],
}); // prettier-ignore

describe('storms', () => {
  it('are those that went on within the range', async () => {
    const items = [storm(3, 200, null), storm(2, 90, null), storm(1, 10, 20)];
    const { rows } = await ask(storms, {}, { storms: { items, next: null } });
    expect(rows.map(({ storm_id: id, duration_seconds: s }) => [id, s])).toEqual([[2, null], [1, 10]]); // prettier-ignore
  });
});

describe('annotations', () => {
  it('are storms as regions and ends as points', async () => {
    const timeline = {
      from: time(0), to: time(100), step_seconds: 4, fired: [], resolved: [], truncated: false,
      clusters: [
        { ...cluster(1, { state: 'resolved', resolved_at: time(50) }), samples: [] },
        { ...cluster(2, { state: 'resolved', resolved_at: time(500) }), samples: [] },
        { ...cluster(3, { state: 'merged', closed_at: time(30), merged_into: 1 }), samples: [] },
      ],
    }; // prettier-ignore
    const { rows } = await ask(annotations, {}, { storms: { items: [storm(7, 20, null)], next: null }, timeline });
    expect(rows.map(({ id }) => id)).toEqual(['storm-7', 'merges-3', 'resolutions-1']);
    expect(rows[0]).toMatchObject({ time: Date.parse(time(20)), timeEnd: Date.parse(time(100)) });
    expect(rows[1].timeEnd).toBeNull();
  });

  it('do not call recovered what a silent source left', () => {
    const ended = { state: 'resolved', resolved_at: time(50) };
    const words = (given: object) => marksOf(cluster(1, { ...ended, ...given }), new Set([Marks.Resolutions]))[0].text;
    expect(words({})).toMatch(/^Cluster 1 is over/);
    expect(words({ source_quiet_at: time(40) })).toMatch(/may not have recovered: its source had gone quiet/);
  });

  it('tell a split from a birth', () => {
    const both = new Set([Marks.Births, Marks.Splits]);
    expect(marksOf(cluster(2, { split_from: 1 }), both).map(({ tags }) => tags)).toEqual([['splits']]);
    expect(marksOf(cluster(2), both).map(({ tags }) => tags)).toEqual([['births']]);
  });
});

describe('variables', () => {
  const items = [
    cluster(1, { labels: { team: 'a' } }),
    cluster(2, { affected: { team: { b: 3, a: 1 } }, severity: 'critical' }),
  ];
  it.each([
    [{ values: ValuesOf.Clusters }, ['1', '2']],
    [{ values: ValuesOf.Severities }, ['critical', 'warning']],
    [{ values: ValuesOf.Label, label: 'team' }, ['a', 'b']],
    [{ values: ValuesOf.Label, label: 'none' }, []],
  ])('%o', async (query, expected) => {
    const { rows } = await ask(variable, query, { clusters: { items, next: null } });
    expect(rows.map(({ value }) => value)).toEqual(expected);
  });
});
