import { fakeApi } from '../feed/fakes';
import { testReceiver } from './test';

const paths = Object.fromEntries(
  ['stats', 'clusters', 'alerts', 'events', 'timeline', 'storms', 'stream', 'stream.ndjson'].map((name) => [
    `/api/v1/${name}`,
    {},
  ])
);
const openapi = 'api/v1/openapi.json';
const good = {
  [openapi]: { info: { title: 'Stormcell' }, paths },
  stats: { live_clusters: 1, ledger: { alerts: 1234 } },
};
const proxied = { access: 'proxy' as const, url: '' };
const test = (answers: object, opens = true, settings: Parameters<typeof testReceiver>[1] = proxied) =>
  testReceiver(fakeApi({ ...good, ...answers }), settings, async () => opens);
const failed = (status: number, data: unknown = '') => ({ status, data, config: {} });

describe('Save & test', () => {
  it('tells what it found', async () => {
    expect(await test({})).toEqual({
      status: 'success',
      message: 'Stormcell answers: 1 live cluster, 1,234 alerts received so far. Live updates come over a WebSocket.',
    });
  });

  it('tells that no socket gets through', async () => {
    expect((await test({}, false)).message).toMatch(/pass on Upgrade/);
  });

  it.each([
    [{ [openapi]: failed(502) }, /cannot reach/],
    [{ [openapi]: failed(404, '<html>') }, /no Stormcell/],
    [{ [openapi]: '<html>' }, /no Stormcell/],
    [{ [openapi]: { info: { title: 'Prometheus' }, paths } }, /no Stormcell/],
    [{ stats: failed(400, { message: 'Authentication to data source failed' }) }, /refused the token/],
    [{ stats: failed(403, { error: { message: 'no role read' } }) }, /no role read/],
  ])('%o', async (answers, words) => {
    expect((await test(answers)).message).toMatch(words);
  });

  it('knows an older receiver by what it lacks', async () => {
    const { '/api/v1/timeline': _, ...older } = paths;
    const { status, message } = await test({ [openapi]: { info: { title: 'Stormcell' }, paths: older } });
    expect([status, message]).toEqual(['error', expect.stringMatching(/older than the plugin.*timeline/)]);
  });

  it('refuses direct access', async () => {
    expect((await test({}, true, { access: 'direct', url: '' })).message).toMatch(/not for browsers/);
  });
});
