import { type Subscription } from 'rxjs';
import { events, fakeApi, FakeSocket, snapshot } from './fakes';
import { LiveFeed, type Update } from './LiveFeed';

const refused = { status: 400, data: { message: 'Authentication to data source failed' }, config: { url: '' } };
const unreachable = { status: 502, data: '', config: { url: '' } };

let open: Subscription[] = [];

function started(answers?: Record<string, unknown>) {
  const api = fakeApi(answers);
  const feed = new LiveFeed({ api, WebSocketClass: FakeSocket, random: () => 0.5 });
  const told: Update[] = [];
  const listen = () => {
    const subscription = feed.updates.subscribe((update) => told.push(update));
    open.push(subscription);
    return subscription;
  };
  return { api, feed, told, listen, last: () => told.at(-1)! };
}

/** Let timers up to *ms* from now run, and what they set off. */
const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
});

afterEach(async () => {
  open.forEach((subscription) => subscription.unsubscribe());
  open = [];
  // A feed lingers; the next test is not to hear of it.
  await pass(11_000);
  vi.useRealTimers();
});

describe('the live feed', () => {
  it('begins with what is known, goes live with the snapshot, and follows events', async () => {
    const { listen, told, last } = started();
    listen();
    expect(told).toHaveLength(1);
    expect(last().connection.state).toBe('connecting');

    await pass();
    FakeSocket.last.say(snapshot());
    await pass(200);
    expect(last().connection.state).toBe('live');
    FakeSocket.last.say(events(11, 15));
    await pass(200);
    expect(last().meta.seq).toBe(15);
  });

  it('tells many messages at once', async () => {
    const { listen, told } = started();
    listen();
    await pass();
    FakeSocket.last.say(snapshot());
    await pass(200);
    const before = told.length;
    for (let seq = 11; seq < 31; seq += 1) {
      FakeSocket.last.say(events(seq, seq));
    }
    await pass(200);

    expect(told).toHaveLength(before + 1);
  });

  it('keeps its socket while a dashboard asks again, and lets go of it later', async () => {
    const { listen, told, last } = started();
    let subscription = listen();
    await pass();
    FakeSocket.last.say(snapshot());
    await pass(200);
    for (let i = 0; i < 6; i += 1) {
      subscription.unsubscribe();
      await pass(50);
      const before = told.length;
      subscription = listen();
      expect(told.length).toBe(before + 1);
      expect(last().clusters).toHaveLength(2);
    }
    expect(FakeSocket.all).toHaveLength(1);

    subscription.unsubscribe();
    await pass(11_000);
    expect(FakeSocket.last.closed).toBe(true);
  });

  it('goes on where it was left', async () => {
    const { listen, last } = started();
    const subscription = listen();
    await pass();
    FakeSocket.last.say(snapshot());
    await pass(200);
    subscription.unsubscribe();
    await pass(11_000);
    listen();
    await pass();

    expect(last().clusters).toHaveLength(2);
    expect(FakeSocket.last.url).toContain('after=10&epoch=e1');
  });

  it('keeps the picture and says why, when the receiver is gone', async () => {
    const { api, listen, last } = started();
    listen();
    await pass();
    FakeSocket.last.say(snapshot());
    await pass(200);
    api.answers.stats = unreachable;
    FakeSocket.last.drop();
    await pass(1000);
    FakeSocket.last.drop();
    await pass(200);

    expect(last().clusters).toHaveLength(2);
    expect(last().connection).toMatchObject({ state: 'reconnecting', text: 'Unreachable' });
    expect(last().connection.detail).toMatch(/cannot reach.*as old as the last message/);
  });

  it('opens no sockets while the token is refused, and recovers by itself', async () => {
    const { api, listen, last } = started({ stats: refused });
    listen();
    await pass();
    FakeSocket.last.drop();
    await pass(200);
    expect(last().connection).toMatchObject({ state: 'failed', text: 'Token refused' });
    const sockets = FakeSocket.all.length;
    await pass(60_000);
    expect(FakeSocket.all).toHaveLength(sockets);
    expect(last().connection.state).toBe('failed');

    api.answers.stats = {};
    await pass(16_000);
    FakeSocket.last.say(snapshot());
    await pass(200);
    expect(FakeSocket.all).toHaveLength(sockets + 1);
    expect(last().connection.state).toBe('live');
  });

  it('waits longer and longer, at most 15 s', async () => {
    const { listen } = started({ stats: unreachable });
    listen();
    const times: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      await pass();
      const before = FakeSocket.all.length;
      const from = Date.now();
      FakeSocket.last.drop();
      while (FakeSocket.all.length === before) {
        await pass(50);
      }
      times.push(Date.now() - from);
    }
    expect(times[0]).toBeLessThanOrEqual(300);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    expect(times.at(-1)).toBeLessThanOrEqual(15_050);
  });

  it('looks up after a sleep, in which timers stood still', async () => {
    const { listen } = started();
    listen();
    await pass();
    FakeSocket.last.say(snapshot());
    await pass(200);
    document.dispatchEvent(new Event('visibilitychange'));
    await pass();
    expect(FakeSocket.all).toHaveLength(1);

    vi.setSystemTime(Date.now() + 3_600_000);
    document.dispatchEvent(new Event('visibilitychange'));
    await pass();
    expect(FakeSocket.all).toHaveLength(2);
    expect(FakeSocket.last.url).toContain('after=10');
  });

  it('makes a socket anew that says nothing', async () => {
    const { listen } = started();
    listen();
    await pass();
    FakeSocket.last.say(snapshot());
    await pass(40_000);

    expect(FakeSocket.all.length).toBeGreaterThan(1);
  });
});
