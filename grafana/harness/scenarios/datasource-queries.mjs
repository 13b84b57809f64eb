// Every query type against the real receiver, over the proxy.

import { assert, until } from '../lib/check.mjs';

export const name = 'datasource-queries';

export async function run(stage) {
  const page = await stage.open();
  await page.show({ kind: 'panel' });
  await page.live();
  await until('events of the storm', async () => (await page.told()).rows.events > 60);

  const told = await page.told();
  assert.equal(told.state, 'Streaming');
  assert.ok(told.seq > 0 && told.epoch);
  assert.match(stage.grafana.sent.headers.authorization, /^Bearer read-/);
  for (const name of ['cookie', 'origin']) assert.ok(!(name in stage.grafana.sent.headers), name);

  const one = async (query) => {
    const { frames, errors } = await page.ask(query);
    assert.deepEqual(errors, [], JSON.stringify(query));
    return frames[0];
  };
  const live = await one({ queryType: 'clusters' });
  assert.ok(live.rows.length > 3 && live.rows.every(({ state }) => !['resolved', 'merged'].includes(state)));
  assert.equal((await one({ queryType: 'clusters', limit: 2 })).rows.length, 2);
  assert.ok((await one({ queryType: 'clusters', state: 'all' })).rows.length >= live.rows.length);

  const alerts = await one({ queryType: 'alerts', state: 'firing', limit: 5 });
  assert.equal(alerts.rows.length, 5);
  assert.match(alerts.notices[0].text, /Only the 5 latest/);
  const { alertname } = alerts.rows[0];
  const named = await one({ queryType: 'alerts', labels: [`alertname=${alertname}`] });
  assert.ok(named.rows.length && named.rows.every((row) => row.alertname === alertname));

  const created = await one({ queryType: 'events', types: ['cluster_created'] });
  assert.ok(created.rows.length > 3 && created.rows.every(({ type, title }) => type === 'cluster_created' && title));

  const [now] = (await one({ queryType: 'stats' })).rows;
  assert.ok(now.live_clusters > 3 && now.firing >= now.live_clusters - 1);
  const rates = await one({ queryType: 'stats', figures: 'rates' });
  assert.ok(rates.rows.reduce((sum, { fired }) => sum + fired, 0) > 5);
  assert.ok(rates.rows.at(-1).firing > 0);
  const [ledger] = (await one({ queryType: 'stats', figures: 'ledger' })).rows;
  assert.ok(ledger.alerts > ledger.clusters && ledger.clusters > 3);

  const values = await one({ queryType: 'variable', values: 'clusters' });
  assert.ok(values.rows.length > 3 && values.rows.every(({ text, value }) => text && Number(value) > 0));
  const bad = await page.ask({ queryType: 'alerts', clusterId: 'seven' });
  assert.match(bad.errors[0].message, /cluster_id/);
  await page.done();
}
