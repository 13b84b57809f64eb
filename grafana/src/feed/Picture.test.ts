import { readFrames } from '../frames/read';
import { type Connection } from '../frames/schema';
import { cluster, event, events, snapshot, time } from './fakes';
import { EVENT_ROWS, Picture } from './Picture';

const live: Connection = {
  state: 'live', text: 'Live', detail: '', retryAt: null, since: 0, heardAt: 1, via: 'websocket',
}; // prettier-ignore
const read = (picture: Picture) => readFrames(picture.frames(live))!;
const ids = (picture: Picture) => read(picture).clusters.map(({ id }) => id);

describe('the picture', () => {
  it('is a snapshot, and the events after it', () => {
    const picture = new Picture();
    picture.snapshot(snapshot());
    picture.events(events(11, 12, [cluster(2, { firing: 9 }), cluster(3)]));

    expect(read(picture)).toMatchObject({ epoch: 'e1', seq: 12, time: time(12), snapshots: 1 });
    expect(read(picture).events.map(({ seq }) => seq)).toEqual([11, 12]);
    expect(read(picture).clusters.map(({ id, firing }) => [id, firing])).toEqual([[1, 2], [2, 9], [3, 2]]); // prettier-ignore
  });

  it('keeps unchanged clusters the same objects', () => {
    const picture = new Picture();
    picture.snapshot(snapshot());
    const [one, two] = read(picture).clusters;
    picture.events(events(11, 11, [cluster(2, { firing: 9 })]));

    expect(read(picture).clusters[0]).toBe(one);
    expect(read(picture).clusters[1]).not.toBe(two);
  });

  it('shows how a cluster ended for a minute', () => {
    const picture = new Picture();
    picture.snapshot(snapshot());
    picture.events(events(11, 11, [cluster(1, { state: 'resolved' })]));
    expect(ids(picture)).toEqual([1, 2]);
    picture.heartbeat({ type: 'heartbeat', seq: 11, time: time(70) });
    expect(ids(picture)).toEqual([1, 2]);
    picture.heartbeat({ type: 'heartbeat', seq: 11, time: time(72) });
    expect(ids(picture)).toEqual([2]);
  });

  it('keeps a cluster that ended and came back', () => {
    const picture = new Picture();
    picture.snapshot(snapshot());
    picture.events(events(11, 11, [cluster(1, { state: 'resolved' })]));
    picture.events(events(12, 12, [cluster(1)]));
    picture.heartbeat({ type: 'heartbeat', seq: 12, time: time(500) });

    expect(ids(picture)).toEqual([1, 2]);
  });

  it('bounds ended clusters however many there are', () => {
    const picture = new Picture();
    picture.snapshot(snapshot({ clusters: [] }));
    picture.events(
      events(
        11,
        11,
        Array.from({ length: 3000 }, (_, i) => cluster(i + 1, { state: 'resolved' }))
      )
    );

    expect(ids(picture)).toHaveLength(500);
    expect(ids(picture)[0]).toBe(2501);
  });

  it('forgets with a snapshot what it does not name, and says so', () => {
    const picture = new Picture();
    picture.snapshot(snapshot());
    picture.events(events(11, 11));
    picture.snapshot(snapshot({ epoch: 'e2', seq: 3, clusters: [cluster(7)] }));

    expect(read(picture)).toMatchObject({ epoch: 'e2', seq: 3, snapshots: 2, events: [] });
    expect(ids(picture)).toEqual([7]);
  });

  it('gives frames that later events do not change', () => {
    const picture = new Picture();
    picture.snapshot(snapshot());
    picture.events(events(11, 12));
    const [before] = picture.frames(live);
    picture.events(events(13, 20));

    expect(before.length).toBe(2);
    expect(before.fields.every(({ values }) => values.length === 2)).toBe(true);
  });

  it('holds a bounded number of events, the latest', () => {
    const picture = new Picture();
    picture.snapshot(snapshot());
    for (let seq = 11; seq < 11 + EVENT_ROWS * 3; seq += 1000) {
      picture.events(events(seq, seq + 999));
    }
    const { events: kept, seq } = read(picture);

    expect(kept).toHaveLength(EVENT_ROWS);
    expect(kept.at(-1)!.seq).toBe(seq);
    expect(picture.frames(live)[0].length).toBe(EVENT_ROWS);
  });

  it('reads the same from columns where rows were lost on the way', () => {
    const picture = new Picture();
    const told = cluster(1, {
      labels: { a: 'b' },
      recurs: { cluster_id: 9, similarity: 0.9, opened_at: time(0), duration_seconds: 3 },
      resolved_at: time(4),
    });
    const full = event(11, {
      alert: { fingerprint: 'f1', startsAt: time(1), labels: { alertname: 'X' } },
      confidence: 0.5,
      reason: 'near',
    });
    picture.snapshot(snapshot({ clusters: [told] }));
    picture.events(events(11, 12, [], { events: [full, event(12, { type: 'cluster_merged', into: 4 })] }));
    const stored = JSON.parse(JSON.stringify(picture.frames(live)));
    const again = readFrames(stored)!;

    expect(stored[1].meta.custom.rows).toBeUndefined();
    expect(again.events).toEqual(read(picture).events);
    expect(again.clusters[0]).toMatchObject(told);
  });

  it('says in the panel’s header that it is old, while it is', () => {
    const picture = new Picture();
    picture.snapshot(snapshot());
    const [frame] = picture.frames({ ...live, state: 'reconnecting', detail: 'The receiver is down.' });

    expect(frame.meta!.notices).toEqual([{ severity: 'warning', text: 'The receiver is down.' }]);
    expect(picture.frames(live)[0].meta!.notices).toBeUndefined();
  });

  it('does not know frames of others', () => {
    expect(readFrames([{ name: 'events', fields: [], length: 0 }])).toBeNull();
  });
});
