// The panel while the demo's storm passes through a real receiver: births, growth, the storm's band, what is outside,
// merge and split, resolution, the drawer; dark and light. The pictures of the catalog are made here.

import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accessible, assert, until } from '../lib/check.mjs';

export const name = 'panel-storm';

const SECONDS = 45;
const IMAGES = join(dirname(fileURLToPath(import.meta.url)), '../../src/img');
/** The catalog's pictures are kept in the repository: they are made anew when asked for. */
const KEEP = process.env.STORMCELL_IMAGES === '1';

const LOOKS = {
  'evolution-dark': { theme: 'dark', view: 'evolution' },
  'evolution-light': { theme: 'light', view: 'evolution' },
  'now-dark': { theme: 'dark', view: 'now' },
  'now-light': { theme: 'light', view: 'now' },
};

export async function run(stage) {
  const receiver = await stage.ownReceiver({
    seconds: SECONDS,
    embedding: process.env.STORMCELL_HARNESS_EMBEDDING ?? 'onnx',
  });
  const grafana = await stage.grafanaFor(receiver);
  const pages = new Map();
  for (const [look, { theme, view }] of Object.entries(LOOKS)) {
    const page = await stage.open({ theme }, grafana);
    await page.show({
      title: 'Storm cells', height: 760, range: { from: 'now-75s', to: 'now' },
      options: { view, alertmanagerUrl: 'https://alertmanager.shop.example' },
    }); // prettier-ignore
    await page.live();
    pages.set(look, page);
  }
  const page = pages.get('evolution-dark');
  const keep = async (moment, ...catalog) => {
    for (const [look, one] of pages) {
      await one.mouse.move(2, 2);
      await one.picture(`panel-${moment}-${look}`);
      if (KEEP && catalog.includes(look)) {
        await copyFile(join(stage.browser.pictures, `panel-${moment}-${look}.png`), join(IMAGES, `${look}.png`));
      }
    }
  };
  const situation = page.getByTestId('stormcell-situation');
  const storm = receiver.play();

  await until('a storm', async () => (await situation.textContent()).includes('Storm since'));
  assert.ok(await stormBand(page), 'the storm has a band');
  await keep('onset');
  await until('its peak', async () => firing(await page.told(), receiver) && (await largest(receiver)).firing > 150);
  await page.waitForTimeout(1500);
  await keep('peak', 'evolution-light', 'now-dark');
  await growth(page);
  await outside(pages.get('now-dark'), receiver);

  await until('the second wave', async () =>
    (await receiver.get('clusters?limit=100')).items.some(({ title, size }) => /node/i.test(title) && size > 40)
  );
  await page.waitForTimeout(2000);
  await keep('second', 'evolution-dark');
  await drawer(pages, stage);
  await storm;
  await mergeAndSplit(page, receiver);
  await page.waitForTimeout(1500);
  await keep('joins');
  await closedRange(page);
  await keep('past');
  for (const one of pages.values()) {
    await one.done();
  }
}

const firing = (told) => told.rows.clusters > 5;

async function largest(receiver) {
  const { items } = await receiver.get('clusters?limit=100');
  return items.reduce((a, b) => (b.firing > a.firing ? b : a), { firing: 0 });
}

/** Is the line along the top of a storm drawn? By colour, since a canvas has no elements. */
function stormBand(page) {
  return page.evaluate(() => {
    const canvas = document.querySelector('[data-testid=stormcell-canvas] canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 1, canvas.width, 1);
    let purple = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (data[i] > data[i + 1] + 40 && data[i + 2] > data[i + 1] + 40) {
        purple += 1;
      }
    }
    return purple > 10;
  });
}

/** The table tells the same as the pictures; a view is a viewer's choice. */
async function growth(page) {
  await page.getByRole('radio', { name: 'Table' }).click({ force: true });
  const first = page.getByTestId('stormcell-table').locator('tbody tr').first();
  await until(
    'the large cluster in the table',
    async () => Number(await first.locator('td').nth(2).textContent()) > 100
  );
  await accessible(page, '[data-testid=stormcell-panel]');
  await page.picture('panel-table');
  await page.getByRole('radio', { name: 'Evolution' }).click({ force: true });
  await accessible(page, '[data-testid=stormcell-panel]');
}

async function outside(page, receiver) {
  const label = await page.locator('[data-testid=stormcell-canvas] canvas').getAttribute('aria-label');
  assert.match(label, /in the storm, .* firing; \d+ clusters? outside the storm/);
  await accessible(page, '[data-testid=stormcell-panel]');
  assert.ok((await receiver.get('storms')).items.length);
}

/** By keyboard to a cluster, into the drawer, and out again. */
async function drawer(pages, stage) {
  for (const look of ['evolution-dark', 'now-light']) {
    const page = pages.get(look);
    await page.getByTestId('stormcell-canvas').focus();
    await page.keyboard.press('ArrowDown');
    await page.getByTestId('stormcell-tooltip').waitFor();
    assert.match(await page.getByTestId('stormcell-tooltip').textContent(), /Severity.*Firing\d+ of/);
    await page.picture(`panel-tooltip-${look}`);
    await page.keyboard.press('Enter');
    const drawn = page.getByTestId('stormcell-drawer');
    await drawn.getByText('Order of firing').waitFor();
    assert.match(
      await drawn.getByRole('link', { name: 'Runbook' }).getAttribute('href'),
      /^https:\/\/runbooks\.shop\.example\//
    );
    await drawn.getByRole('button', { name: /Silence exactly this/ }).click();
    const link = drawn.getByRole('link', { name: 'Open in Alertmanager' }).first();
    assert.match(
      await link.getAttribute('href'),
      /^https:\/\/alertmanager\.shop\.example\/#\/silences\/new\?filter=%7Balertname/
    );
    await drawn
      .getByText(/It hits/)
      .first()
      .waitFor();
    await drawn.getByRole('button', { name: 'Why here?' }).first().click();
    await drawn.getByRole('rowheader', { name: 'Text' }).waitFor();
    await page.waitForTimeout(400);
    await accessible(page, '[role=dialog]');
    await page.picture(`panel-drawer-${look}`);
    if (KEEP && look === 'evolution-dark') {
      await copyFile(join(stage.browser.pictures, `panel-drawer-${look}.png`), join(IMAGES, 'drawer-dark.png'));
    }
    await page.keyboard.press('Escape');
    await drawn.waitFor({ state: 'detached' });
  }
}

/** An operator's word is drawn as it is heard. */
async function mergeAndSplit(page, receiver) {
  const live = (await receiver.get('clusters?limit=100')).items
    .filter(({ firing: n }) => n > 0)
    .sort((a, b) => b.firing - a.firing);
  const [into, from] = live;
  const { seq } = await page.told();
  await receiver.order('POST', `clusters/${from.id}/merge`, { into: into.id });
  const { members } = await receiver.get(`clusters/${into.id}`);
  const some = members.filter(({ state }) => state === 'firing').slice(0, 2);
  await receiver.order('POST', `clusters/${into.id}/split`, {
    fingerprints: some.map(({ fingerprint }) => fingerprint),
  });
  await until('both to be heard', async () => {
    const types = await page.evaluate(() => {
      const events = window.harness.data.series.find(({ name: of }) => of === 'events');
      const of = (field) => events.fields.find(({ name: is }) => is === field).values;
      return [...of('type')].map((type, i) => [type, of('seq')[i]]);
    });
    const fresh = types.filter(([, at]) => at > seq).map(([type]) => type);
    return fresh.includes('cluster_merged') && fresh.includes('cluster_split');
  });
}

/** Scrubbing back shows what was, standing still, from the receiver's own history. */
async function closedRange(page) {
  const to = new Date(Date.now() - 5000);
  await page.change({ range: { from: new Date(to - 70_000).toISOString(), to: to.toISOString() } });
  await until('the past', async () => (await page.getByTestId('stormcell-connection').textContent()).trim() === 'Past');
  await page.waitForTimeout(500);
  assert.ok(await stormBand(page), 'the storm is in the past as it was live');
  const label = await page.locator('[data-testid=stormcell-canvas] canvas[role=img]').getAttribute('aria-label');
  assert.match(label, /Evolution of alert clusters/);
}
