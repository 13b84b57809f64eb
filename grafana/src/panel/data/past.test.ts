import { describe, expect, it } from 'vitest';
import { loadPast, pastModel } from './past';

const at = (second: number) => new Date(second * 1000).toISOString();
const cluster = (id: number, given = {}) => ({
  id,
  title: `c${id}`,
  state: 'resolved',
  severity: 'critical',
  size: 9,
  firing: 0,
  opened_at: at(1000),
  resolved_at: at(1500),
  ...given,
});
const timeline = {
  from: at(1000),
  to: at(1100),
  step_seconds: 10,
  seq: 5,
  truncated: false,
  fired: [0, 3],
  resolved: [0],
  clusters: [
    {
      ...cluster(1),
      samples: [
        [0, 2],
        [5, 7],
      ],
    },
    {
      ...cluster(2, { resolved_at: at(1050) }),
      samples: [
        [0, 4],
        [5, 0],
      ],
    },
  ],
};

describe('the past', () => {
  it('shows clusters as they were at the end of the range, not as they are now', () => {
    const model = pastModel(1_000_000, 1_100_000, timeline as never, []);

    expect(model.clusters.get(1)).toMatchObject({ firing: 7, state: 'steady' });
    expect(model.clusters.get(2)).toMatchObject({ firing: 0, state: 'resolved' });
    expect(model.live().map(({ id }) => id)).toEqual([1]);
    expect(model.lanes.get(1)!.samples.map(([, firing]) => firing)).toEqual([2, 7, 0]);
  });

  it('has its clock at the end of the range', () => {
    expect(Math.abs(pastModel(1_000_000, 1_100_000, timeline as never, []).now() - 1_100_000)).toBeLessThan(10);
  });

  it('knows the storm that went on then, and no later one', () => {
    const storm = (id: number, from: number, to: number | null) => ({
      id,
      state: 'ended',
      started_at: at(from),
      ended_at: to === null ? null : at(to),
      cluster_ids: [1],
    });
    const model = pastModel(
      1_000_000,
      1_100_000,
      timeline as never,
      [storm(1, 1010, 1020), storm(2, 1090, 1400), storm(3, 2000, null)] as never
    );

    expect(model.storms.map(({ id }) => id).sort()).toEqual([1, 2]);
    expect(model.storm?.id).toBe(2);
  });

  it('is asked for in as many buckets as a screen can show', async () => {
    const asked: object[] = [];
    const api = {
      async get(path: string, parameters: object = {}) {
        asked.push({ path, ...parameters });
        return (path === 'storms' ? { items: [] } : timeline) as never;
      },
    };
    await loadPast(api, 0, 7_200_000);

    expect(asked[0]).toMatchObject({ path: 'timeline', from: at(0), to: at(7200), step: 10 });
  });
});
