// While the demo's storm passes: the editors, by hand. After it: every query type over what it left.

import { accessible, assert, until } from '../lib/check.mjs';

export const name = 'datasource-storm';

/** The shortest that the receiver's settings allow. */
const SECONDS = 24;

export async function run(stage) {
  const receiver = await stage.ownReceiver({ seconds: SECONDS });
  const grafana = await stage.grafanaFor(receiver);
  const storm = receiver.play();
  const dark = await stage.open({ theme: 'dark' }, grafana);
  const light = await stage.open({ theme: 'light' }, grafana);
  await pictures(dark, 'dark');
  await pictures(light, 'light');
  await light.done();
  await queryByHand(dark);
  await configByHand(dark);
  await saveAndTest(dark, grafana);
  await storm;
  await queries(dark);
  await dark.done();
}

const EDITORS = {
  'query-evolution': { kind: 'query', value: { refId: 'A', queryType: 'evolution' } },
  'query-clusters': { kind: 'query', value: { refId: 'A', queryType: 'clusters', severity: 'critical' } },
  'query-alerts': { kind: 'query', value: { refId: 'A', queryType: 'alerts', labels: ['namespace=payments', 'nonsense'] } },
  'query-events': { kind: 'query', value: { refId: 'A', queryType: 'events', types: ['cluster_merged', 'storm_started'] } },
  'query-stats': { kind: 'query', value: { refId: 'A', queryType: 'stats', figures: 'rates' } },
  help: { kind: 'help' },
  annotation: { kind: 'annotation' },
  variable: { kind: 'variable', value: { refId: 'A', values: 'label', label: 'team' } },
  config: { kind: 'config', value: { url: 'http://stormcell:9783/api/v1', secureJsonFields: { token: true } } },
}; // prettier-ignore

async function pictures(page, theme) {
  for (const [editor, shown] of Object.entries(EDITORS)) {
    await page.show(shown);
    await page.locator('#root label, #root h2').first().waitFor();
    await accessible(page);
    await page.picture(`editor-${editor}-${theme}`, {
      clip: { x: 0, y: 0, width: 1140, height: editor === 'help' ? 620 : 420 },
    });
  }
}

const value = (page) => page.evaluate(() => window.harness.value);

async function queryByHand(page) {
  await page.show({ kind: 'query', value: { refId: 'A' } });
  const choose = async (label, option) => {
    await page.getByLabel(label, { exact: true }).click();
    await page.getByRole('option', { name: option }).click();
  };
  await choose('Show', /^Clusters/);
  await choose('State', /^All/);
  const contains = page.getByLabel('Contains', { exact: true });
  await contains.fill('payments');
  await contains.press('Enter');
  await page.getByLabel('Limit', { exact: true }).fill('7');
  await page.getByLabel('Limit', { exact: true }).blur();
  const expected = { refId: 'A', queryType: 'clusters', state: 'all', text: 'payments', limit: 7 };
  await until('the query', async () => JSON.stringify(await value(page)) === JSON.stringify(expected));
  await choose('Show', /^Stats/);
  await page.getByLabel('Figures', { exact: true }).click();
  await page.getByRole('option', { name: /^Noise ledger/ }).waitFor();
  await page.picture('editor-choices-dark', { clip: { x: 0, y: 0, width: 1140, height: 420 } });
  await page.keyboard.press('Escape');
}

async function configByHand(page) {
  await page.show({ kind: 'config', value: { url: '' } });
  const url = page.getByTestId('stormcell-url');
  await url.fill('stormcell:9783');
  await page.getByText(/Expected http/).waitFor();
  await url.fill('http://stormcell:9783');
  await page.getByTestId('stormcell-token').fill('a-token-that-is-typed');
  assert.partialDeepStrictEqual?.(await value(page), { url: 'http://stormcell:9783', access: 'proxy' });
  assert.equal((await value(page)).secureJsonData.token, 'a-token-that-is-typed');
  assert.equal(await page.getByTestId('stormcell-token').getAttribute('type'), 'password');
}

/** Each way in which it can be wrong is told in its own words. */
async function saveAndTest(page, grafana) {
  const test = () => page.evaluate(() => window.harness.test());
  const { status, message } = await test();
  assert.equal(status, 'success');
  assert.match(message, /^Stormcell answers: \d+ live clusters?, .* over a WebSocket\.$/);
  const right = { ...grafana.settings };
  const wrong = async (settings, words) => {
    Object.assign(grafana.settings, right, settings);
    const answer = await test();
    assert.equal(answer.status, 'error');
    assert.match(answer.message, words);
  };
  await wrong({ url: 'http://127.0.0.1:1' }, /cannot reach the receiver/);
  await wrong({ url: `${right.url}/elsewhere` }, /route prefix/);
  await wrong({ url: grafana.url }, /no Stormcell/);
  await wrong({ secureJsonData: {} }, /wants one and got none/);
  await wrong({ secureJsonData: { token: 'webhook-token-of-the-harness' } }, /needs the role read/);
  Object.assign(grafana.settings, right);
  grafana.signedIn = false;
  assert.match((await test()).message, /sign in again/);
  grafana.signedIn = true;
}

async function queries(page) {
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
  assert.ok(now.live_clusters > 3 && now.firing > 3);
  const rates = await one({ queryType: 'stats', figures: 'rates' });
  assert.ok(rates.rows.reduce((sum, { fired }) => sum + fired, 0) > 100);
  assert.equal(rates.rows.at(-1).firing, now.firing);
  const [ledger] = (await one({ queryType: 'stats', figures: 'ledger' })).rows;
  assert.ok(ledger.alerts > ledger.clusters && ledger.clusters > 3);

  const storms = (await one({ queryType: 'storms' })).rows;
  const { episodes } = storms.reduce((a, b) => (b.episodes > a.episodes ? b : a));
  assert.ok(
    episodes > 100 && storms.every(({ clusters, peak_intensity: peak }) => clusters > 0 && peak > 1),
    JSON.stringify(storms)
  );
  const marks = (await one({ queryType: 'annotations', marks: ['storms', 'births', 'resolutions'] })).rows;
  const region = marks.find(({ tags }) => tags[0] === 'storm');
  assert.ok(region.timeEnd > region.time);
  for (const kind of ['births', 'resolutions']) {assert.ok(marks.some(({ tags }) => tags[0] === kind), kind);} // prettier-ignore

  const values = await one({ queryType: 'variable', values: 'clusters' });
  assert.ok(values.rows.length > 3 && values.rows.every(({ text, value: id }) => text && Number(id) > 0));
  const bad = await page.ask({ queryType: 'alerts', clusterId: 'seven' });
  assert.match(bad.errors[0].message, /cluster_id/);
}
