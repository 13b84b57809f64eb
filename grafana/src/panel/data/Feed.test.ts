import { type Read, type StreamEvent } from '../../frames/schema';
import { describe, expect, it } from 'vitest';
import { Feed } from './Feed';

const at = (second: number) => new Date(1_700_000_000_000 + second * 1000).toISOString();
const cluster = (id: number, firing: number, given = {}) => ({
  id,
  title: `c${id}`,
  state: 'growing',
  severity: 'critical',
  size: firing,
  firing,
  opened_at: at(0),
  ...given,
});
const event = (seq: number, type: string, id: number, firing: number, given = {}): StreamEvent => ({
  seq,
  time: at(seq),
  type,
  cluster_id: id,
  cluster_size: firing,
  total_clusters: 1,
  cluster_firing: firing,
  ...given,
});
const read = (given: Partial<Read>): Read => ({
  stormcell: 1,
  epoch: 'e',
  seq: 0,
  time: at(0),
  storm: null,
  stats: null,
  severityOrder: ['info', 'critical'],
  snapshots: 1,
  events: [],
  clusters: [],
  connection: { state: 'live', text: 'Live', detail: '', retryAt: null, since: 0, heardAt: 0, via: 'websocket' },
  ...given,
});

function feed() {
  const made = new Feed(null);
  made.setRange({ lastSeconds: 600 });
  return { feed: made, model: made.snapshot().model };
}

describe('the feed', () => {
  it('begins with the clusters there are', () => {
    const { feed: one, model } = feed();
    one.take(read({ seq: 5, clusters: [cluster(1, 3), cluster(2, 0, { state: 'resolved' })] }));

    expect(model.live().map(({ id, firing }) => [id, firing])).toEqual([[1, 3]]);
    expect(model.severityOrder).toEqual(['info', 'critical']);
  });

  it('takes each event once, however often the frame holds it', () => {
    const { feed: one, model } = feed();
    const events = [event(6, 'alert_assigned', 1, 4)];
    one.take(read({ seq: 5, clusters: [cluster(1, 3)] }));
    one.take(read({ seq: 6, time: at(6), events, clusters: [cluster(1, 4)] }));
    const { version } = model;
    one.take(
      read({ seq: 7, time: at(7), events: [...events, event(7, 'alert_assigned', 1, 5)], clusters: [cluster(1, 5)] })
    );

    expect(model.version).toBe(version + 1);
    expect(model.rate(1_700_000_000_000, 1_700_000_010_000, 10_000).fired).toEqual([2]);
    expect(model.lanes.get(1)!.samples.map(([, firing]) => firing)).toEqual([3, 4, 5]);
  });

  it('draws merges and splits as the events tell them', () => {
    const { feed: one, model } = feed();
    one.take(read({ seq: 1, clusters: [cluster(1, 3), cluster(2, 2)] }));
    const events = [
      event(2, 'cluster_merged', 2, 0, { into: 1 }),
      event(3, 'cluster_split', 1, 2, { from: 1, into: 3 }),
    ];
    const clusters = [
      cluster(1, 3),
      cluster(2, 0, { state: 'merged', merged_into: 1, closed_at: at(2) }),
      cluster(3, 2, { split_from: 1, opened_at: at(3) }),
    ];
    one.take(read({ seq: 3, time: at(3), events, clusters }));

    expect(model.lanes.get(2)).toMatchObject({ mergedInto: 1 });
    expect(model.lanes.get(3)).toMatchObject({ splitFrom: 1 });
  });

  it('begins anew where events are missing, and forgets another database', () => {
    const { feed: one, model } = feed();
    one.take(read({ seq: 5, clusters: [cluster(1, 3)] }));
    one.take(read({ seq: 90, time: at(90), events: [event(90, 'alert_assigned', 2, 1)], clusters: [cluster(2, 1)] }));
    expect(model.live().map(({ id }) => id)).toEqual([2]);
    one.take(read({ epoch: 'other', seq: 1, time: at(91), clusters: [cluster(7, 1)] }));

    expect([...model.clusters.keys()]).toEqual([7]);
  });

  it('tells at once what it heard first: the canvas does not wait either', () => {
    const { feed: one } = feed();
    let told = 0;
    one.subscribe(() => (told += 1));
    one.take(read({ seq: 5, clusters: [cluster(1, 3)] }));

    expect(told).toBe(1);
    one.close();
  });

  it('waits while nothing was heard', () => {
    const { feed: one, model } = feed();
    one.take(read({ epoch: '', clusters: [] }));

    expect(model.version).toBe(0);
  });

  it('tells its readers when the range changes, and not again for the same range', () => {
    const { feed: one } = feed();
    let told = 0;
    one.subscribe(() => (told += 1));
    one.setRange({ lastSeconds: 600 });
    expect(told).toBe(0);
    one.setRange({ lastSeconds: 7200 });

    expect(told).toBe(1);
    expect(one.snapshot().model.windowSeconds).toBe(7200);
  });

  it('asks for a closed range, and tells why where it cannot have it', async () => {
    const refuse = { get: () => Promise.reject(new Error('The receiver is busy.')) };
    const one = new Feed(refuse);
    const said = new Promise<string>((resolve) =>
      one.subscribe(() => one.snapshot().loading.includes('busy') && resolve(one.snapshot().loading))
    );
    one.setRange({ fromMs: 0, toMs: 60_000 });

    expect(await said).toContain('could not be loaded; trying again');
    one.close();
  });
});
