// The connection over its life: refresh, kill and restart, wrong token, no upgrade, slow network, sub-path.

import { assert, until } from '../lib/check.mjs';
import { TOKENS } from '../lib/receiver.mjs';

export const name = 'datasource-connection';

export async function run(stage) {
  const receiver = await stage.ownReceiver();
  await receiver.post(alerts(0, 8));
  await refreshKeepsTheSocket(stage, receiver);
  await killedAndRestarted(stage, receiver);
  await wrongToken(stage, receiver);
  await noUpgrade(stage, receiver);
  await slowBelowASubPath(stage, receiver);
}

const alerts = (from, count) =>
  Array.from({ length: count }, (_, i) => ({
    labels: { alertname: `Alert${(from + i) % 4}`, service: `service-${from + i}`, severity: 'warning' },
    annotations: { summary: `Number ${from + i} fails` },
  }));

/** A panel that is live and shows rows. */
async function livePage(stage, receiver, options = {}) {
  const grafana = await stage.grafanaFor(receiver, options);
  const page = await stage.open({}, grafana);
  await page.show({ kind: 'panel' });
  return { grafana, page };
}

async function refreshKeepsTheSocket(stage, receiver) {
  const { grafana, page } = await livePage(stage, receiver);
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
  assert.equal(grafana.sockets.opened, 1);
  await page.done();
}

async function killedAndRestarted(stage, receiver) {
  const { page } = await livePage(stage, receiver);
  const before = await page.live();
  await receiver.kill();
  const down = await until('the loss to be told', async () => {
    const told = await page.told();
    return told.connection.state === 'reconnecting' && told.connection.text === 'Unreachable' && told;
  });
  assert.deepEqual([down.rows.clusters, down.seq], [before.rows.clusters, before.seq], 'the picture stays');
  assert.match(down.connection.detail, /cannot reach the receiver.*tried again/s);
  await receiver.launch();
  await receiver.post(alerts(200, 5));
  const after = await until('the events after the restart', async () => {
    const told = await page.told();
    return told.connection.state === 'live' && told.seq > before.seq && told;
  });
  assert.equal(after.epoch, before.epoch);
  const resumed = await page.evaluate(() => {
    const frame = window.harness.data.series.find(({ name }) => name === 'events');
    return frame.fields.find(({ name }) => name === 'seq').values;
  });
  assert.deepEqual(resumed, resumed.map((_, i) => resumed[0] + i), 'resumed without a gap');
  await page.done();
}

async function wrongToken(stage, receiver) {
  const { grafana, page } = await livePage(stage, receiver, { token: 'a-wrong-token-of-the-harness' });
  const told = await until('the refusal to be told', async () => {
    const now = await page.told();
    return now.connection?.state === 'failed' && now;
  });
  assert.equal(told.connection.text, 'Token refused');
  assert.equal(told.state, 'Streaming');
  assert.match(told.errors[0], /read token/);
  await page.picture('datasource-wrong-token');
  const { status, message } = await page.evaluate(() => window.harness.test());
  assert.equal(status, 'error');
  assert.match(message, /refused the token/);
  // Somebody sets the right one: nobody has to reload.
  grafana.settings.secureJsonData.token = TOKENS.read;
  await page.live('the stream with the right token');
  await page.done();
}

async function noUpgrade(stage, receiver) {
  const grafana = await stage.grafanaFor(receiver);
  grafana.upgrades = false;
  const page = await stage.open({}, grafana);
  await page.show({ kind: 'panel' });
  const { connection, seq } = await page.live('the stream as lines');
  assert.equal(connection.via, 'ndjson');
  await receiver.post(alerts(300, 3));
  await until('events as lines', async () => (await page.told()).seq > seq);
  const { status, message } = await page.evaluate(() => window.harness.test());
  assert.equal(status, 'success');
  assert.match(message, /No WebSocket gets through/);
  await page.done();
}

async function slowBelowASubPath(stage, receiver) {
  const grafana = await stage.grafanaFor(receiver, { basePath: '/grafana' });
  grafana.delayMs = 300;
  grafana.bytesPerSecond = 64_000;
  const page = await stage.open({}, grafana);
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
