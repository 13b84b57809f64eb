// The connection over its life: refresh, kill and restart, a wrong token, no upgrade; below a sub-path and slow.

import { assert, until } from '../lib/check.mjs';
import { TOKENS } from '../lib/receiver.mjs';

export const name = 'datasource-connection';

export async function run(stage) {
  const receiver = await stage.ownReceiver();
  await receiver.post(alerts(0, 8));
  const grafana = await stage.grafanaFor(receiver);
  const page = await stage.open({}, grafana);
  await page.show({ kind: 'panel' });
  const given = { receiver, grafana, page };
  await refreshKeepsTheSocket(given);
  await killedAndRestarted(given);
  await wrongToken(given);
  await noUpgrade(given);
  await page.done();
  await slowBelowASubPath(stage, receiver);
}

const alerts = (from, count) =>
  Array.from({ length: count }, (_, i) => ({
    labels: { alertname: `Alert${(from + i) % 4}`, service: `service-${from + i}`, severity: 'warning' },
    annotations: { summary: `Number ${from + i} fails` },
  }));

async function refreshKeepsTheSocket({ receiver, grafana, page }) {
  const { rows, seq } = await page.live();
  assert.ok(rows.clusters > 0);
  await receiver.post(alerts(100, 3));
  await until('new events', async () => (await page.told()).seq > seq);
  const before = await page.told();
  for (let i = 0; i < 6; i += 1) {
    await page.refresh();
    const after = await page.told();
    assert.ok(after.rows.clusters >= before.rows.clusters && after.rows.events >= before.rows.events, 'nothing blanks');
  }
  // Strict mode mounts twice, the refreshes ask six times more: all of it goes over one socket.
  assert.equal(grafana.sockets.opened, 1);
  assert.match(grafana.sent.headers.authorization, /^Bearer read-/);
  for (const name of ['cookie', 'origin']) {
    assert.ok(!(name in grafana.sent.headers), `${name} is not sent on`);
  }
}

async function killedAndRestarted({ receiver, page }) {
  const before = await page.live();
  await receiver.kill();
  const down = await until('the loss to be told', async () => {
    const told = await page.told();
    // Between two attempts; in the midst of one it says so.
    return told.connection.text === 'Unreachable' && /tried again/.test(told.connection.detail) && told;
  });
  assert.equal(down.connection.state, 'reconnecting');
  // The last of what was told may have come meanwhile.
  assert.ok(down.rows.clusters >= before.rows.clusters && down.rows.events >= before.rows.events, 'the picture stays');
  assert.match(down.connection.detail, /cannot reach the receiver/);
  await receiver.launch();
  await receiver.post(alerts(200, 5));
  const after = await until('the events after the restart', async () => {
    await hurry(page);
    const told = await page.told();
    return told.connection.state === 'live' && told.seq > down.seq && told;
  });
  assert.equal(after.epoch, down.epoch);
  const resumed = await page.evaluate(() => {
    const frame = window.harness.data.series.find(({ name }) => name === 'events');
    return frame.fields.find(({ name }) => name === 'seq').values;
  });
  assert.deepEqual(resumed, resumed.map((_, i) => resumed[0] + i), 'resumed without a gap'); // prettier-ignore
  assert.ok(resumed[0] <= down.seq, 'and without a snapshot');
}

/** As when the network is back: what waits for its turn need not. */
const hurry = (page) => page.evaluate(() => void window.dispatchEvent(new Event('online')));

async function wrongToken({ grafana, page }) {
  const before = await page.live();
  grafana.settings.secureJsonData.token = 'a-wrong-token-of-the-harness';
  grafana.cut();
  const told = await until('the refusal to be told', async () => {
    await hurry(page);
    const now = await page.told();
    return now.connection.state === 'failed' && now;
  });
  assert.equal(told.connection.text, 'Token refused');
  assert.equal(told.state, 'Streaming');
  assert.match(told.errors[0], /read token/);
  assert.ok(told.rows.clusters >= before.rows.clusters && told.rows.events >= before.rows.events, 'the picture stays');
  await page.picture('datasource-wrong-token');
  const { status, message } = await page.evaluate(() => window.harness.test());
  assert.equal(status, 'error');
  assert.match(message, /refused the token/);
  // Somebody sets the right one: nobody has to reload.
  grafana.settings.secureJsonData.token = TOKENS.read;
  await until('the stream with the right token', async () => {
    await hurry(page);
    return (await page.told()).connection.state === 'live';
  });
}

async function noUpgrade({ receiver, grafana, page }) {
  grafana.upgrades = false;
  grafana.cut();
  await until('the stream as lines', async () => {
    await hurry(page);
    const { connection } = await page.told();
    return connection.state === 'live' && connection.via === 'ndjson';
  });
  const { seq } = await page.told();
  await receiver.post(alerts(300, 3));
  await until('events as lines', async () => (await page.told()).seq > seq);
  const { status, message } = await page.evaluate(() => window.harness.test());
  assert.equal(status, 'success');
  assert.match(message, /No WebSocket gets through/);
}

async function slowBelowASubPath(stage, receiver) {
  const grafana = await stage.grafanaFor(receiver, { basePath: '/grafana' });
  grafana.delayMs = 300;
  grafana.bytesPerSecond = 64_000;
  const page = await stage.open({ theme: 'light' }, grafana);
  await page.show({ kind: 'panel' });
  const { seq } = await page.live('the stream over a slow network');
  await receiver.post(alerts(400, 20));
  await until('events over a slow network', async () => (await page.told()).seq > seq);
  const { status, message } = await page.evaluate(() => window.harness.test());
  assert.equal(status, 'success', message);
  assert.match(message, /over a WebSocket/);
  assert.ok(grafana.proxied.every(({ path }) => path.startsWith('live/')));
  await page.done();
}
