// The panel's manners: hostile text, data links, colours of mappings, refresh, sizes, reduced motion, hidden and idle.

import { accessible, assert, until } from '../lib/check.mjs';

export const name = 'panel-manners';

const HOSTILE = {
  script: '<script>window.taken = 1</script><img src=x onerror="window.taken=1">',
  bidi: 'safe\u202e\u2066dangerous\u2069\u200b',
  long: 'x'.repeat(5000),
  link: 'javascript:window.taken=1',
};

export async function run(stage) {
  const receiver = await stage.ownReceiver();
  await receiver.post(
    Object.entries(HOSTILE).map(([kind, text]) => ({
      labels: { alertname: `Hostile${kind}`, severity: 'critical', service: text, team: 'a' },
      annotations: { summary: text, runbook_url: HOSTILE.link },
    }))
  );
  const grafana = await stage.grafanaFor(receiver);
  await hostile(stage, grafana);
  await linksAndColours(stage, grafana);
  await refresh(stage, grafana);
  await sizes(stage, grafana);
  await stillness(stage, grafana);
}

async function shown(stage, grafana, what = {}, options = {}) {
  const page = await stage.open(options, grafana);
  await page.show({ kind: 'panel', height: 700, ...what });
  await page.live();
  await until('clusters', async () => (await page.told()).rows.clusters >= 3);
  return page;
}

/** Go to a cluster by keyboard. */
async function chooseOne(page) {
  await page.getByTestId('stormcell-canvas').focus();
  // What the panel was given is drawn with its next frame: before, there is nothing to go to.
  await until('a cluster to be chosen', async () => {
    await page.keyboard.press('ArrowDown');
    return page.getByTestId('stormcell-tooltip').isVisible();
  });
}

async function openOne(page) {
  await chooseOne(page);
  await page.keyboard.press('Enter');
  return page.getByTestId('stormcell-drawer');
}

async function hostile(stage, grafana) {
  const page = await shown(stage, grafana);
  const drawer = await openOne(page);
  await drawer.getByText(/^Members/).waitFor();
  await drawer.getByRole('button', { name: /silences? exactly this/i }).click();
  await drawer
    .getByText(/It hits/)
    .first()
    .waitFor();
  await page.picture('panel-hostile-drawer');
  assert.deepEqual(await drawer.locator('a[href^="javascript"]').count(), 0);
  await page.keyboard.press('Escape');
  await page.change({ options: { view: 'table' } });
  await page.getByTestId('stormcell-table').waitFor();
  const text = await page.getByTestId('stormcell-table').textContent();
  assert.ok(!/[\u202a-\u202e\u2066-\u2069]/.test(text), 'nothing reorders');
  await page.change({ options: { view: 'now' } });
  await page.picture('panel-hostile-now');
  assert.equal(await page.evaluate(() => window.taken), undefined);
  await page.done();
}

/** Links and colours that an editor of a dashboard sets for fields. */
async function linksAndColours(stage, grafana) {
  const fieldConfig = {
    overrides: [
      { matcher: { id: 'byName', options: 'title' }, properties: [{ id: 'links', value: [{ title: 'Runbooks of the team', url: 'https://wiki.example/alerts' }] }] },
      { matcher: { id: 'byName', options: 'severity' }, properties: [{ id: 'mappings', value: [{ type: 'value', options: { critical: { color: 'green', index: 0 } } }] }] },
    ],
  }; // prettier-ignore
  const page = await shown(stage, grafana, { fieldConfig });
  await chooseOne(page);
  await page.getByTestId('stormcell-tooltip').getByText('Runbooks of the team').waitFor();
  await page.picture('panel-link');
  await page.keyboard.press('Enter');
  const link = page.getByTestId('stormcell-drawer').getByRole('link', { name: 'Runbooks of the team' });
  assert.equal(await link.getAttribute('href'), 'https://wiki.example/alerts');
  const color = await page.getByTestId('stormcell-legend').locator('polygon').first().getAttribute('fill');
  assert.match(color, /^#/);
  const [red, green] = [1, 3].map((from) => parseInt(color.slice(from, from + 2), 16));
  assert.ok(green > red, `critical is green as it was mapped, not ${color}`);
  await page.done();
}

async function refresh(stage, grafana) {
  const page = await shown(stage, grafana);
  const { opened } = grafana.sockets;
  const blank = () =>
    page.evaluate(() => {
      const canvas = document.querySelector('[data-testid=stormcell-canvas] canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size < 3;
    });
  await until('a picture', async () => !(await blank()));
  for (let i = 0; i < 5; i += 1) {
    await page.refresh();
    assert.equal(await blank(), false, 'a refresh blanks nothing');
  }
  assert.equal(grafana.sockets.opened, opened);
  await page.done();
}

/** From a phone to a wall; nothing overflows, and what has no room is left out. */
async function sizes(stage, grafana) {
  const page = await shown(stage, grafana);
  for (const [width, height] of [
    [300, 120],
    [360, 300],
    [700, 400],
    [1400, 240],
  ]) {
    // prettier-ignore
    for (const view of ['evolution', 'now', 'table']) {
      await page.change({ width, height, options: { view } });
      await page.waitForTimeout(150);
      const box = await page.getByTestId('stormcell-panel').boundingBox();
      assert.ok(box.width <= width + 1 && box.height <= height + 1, `${view} at ${width} × ${height}: ${JSON.stringify(box)}`);
    }
    await page.change({ options: { view: 'evolution' } });
    await page.picture(`panel-size-${width}x${height}`);
  }
  await accessible(page, '[data-testid=stormcell-panel]');
  await page.done();
}

/** Frames are drawn while something moves, and none while the page is hidden or nothing does. */
async function stillness(stage, grafana) {
  const page = await shown(stage, grafana, { range: { from: 'now-6h', to: 'now' } }, { reducedMotion: 'reduce' });
  await page.waitForTimeout(1500);
  const frames = (hidden) =>
    page.evaluate(async (hide) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => hide });
      document.dispatchEvent(new Event('visibilitychange'));
      const { drawImage, fillRect } = CanvasRenderingContext2D.prototype;
      let drawn = 0;
      CanvasRenderingContext2D.prototype.fillRect = function (...given) {
        drawn += 1;
        return fillRect.apply(this, given);
      };
      await new Promise((done) => setTimeout(done, 1500));
      Object.assign(CanvasRenderingContext2D.prototype, { drawImage, fillRect });
      return drawn;
    }, hidden);
  assert.equal(await frames(true), 0, 'nothing is drawn for nobody');
  assert.ok((await frames(false)) > 0, 'it is drawn again');
  await page.done();
}
