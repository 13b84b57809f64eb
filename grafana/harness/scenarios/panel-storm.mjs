// The panel while the demo's storm passes through a real receiver: births, growth, the storm's band, what is outside,
// merge and split, resolution, the drawer; dark and light. The pictures of the catalog are made here.

import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accessible, assert, until } from '../lib/check.mjs';

export const name = 'panel-storm';

const SECONDS = 60;
const IMAGES = join(dirname(fileURLToPath(import.meta.url)), '../../src/img');
/** The catalog's pictures are kept in the repository: they are made anew when asked for. */
const KEEP = process.env.STORMCELL_IMAGES === '1';
const THEMES = ['dark', 'light'];
const OPTIONS = { alertmanagerUrl: 'https://alertmanager.shop.example' };

export async function run(stage) {
  const receiver = await stage.ownReceiver({
    seconds: SECONDS,
    embedding: process.env.STORMCELL_HARNESS_EMBEDDING ?? 'onnx',
  });
  const grafana = await stage.grafanaFor(receiver);
  const below = await stage.grafanaFor(receiver, { basePath: '/grafana' });
  const pages = {};
  for (const theme of THEMES) {
    // The light one is served below a path, as behind a reverse proxy.
    pages[theme] = await stage.open({ theme }, theme === 'light' ? below : grafana);
    await pages[theme].show({
      title: 'Storm cells',
      height: 760,
      range: { from: 'now-90s', to: 'now' },
      options: { ...OPTIONS, view: 'evolution' },
    });
    await pages[theme].live();
  }
  const keep = async (moment, ...catalog) => {
    for (const view of ['Now', 'Evolution']) {
      for (const theme of THEMES) {
        const page = pages[theme];
        // A viewer's choice stands above the panel's option.
        await choose(page, view);
        await page.mouse.move(2, 2);
        await page.waitForTimeout(400);
        const what = `${view.toLowerCase()}-${theme}`;
        await page.picture(`panel-${moment}-${what}`);
        if (catalog.includes(what)) {
          await toCatalog(stage, `panel-${moment}-${what}`, what);
        }
      }
    }
  };
  const { dark: page } = pages;
  const situation = page.getByTestId('stormcell-situation');
  const storm = receiver.play();

  await until('a storm', async () => (await situation.textContent()).includes('Storm since'));
  await until("the storm's band", () => stormBand(page));
  await keep('onset');
  await until('its growth', async () => (await largest(receiver)).firing > 100);
  await page.waitForTimeout(1500);
  await keep('peak', 'evolution-light', 'now-dark');
  await table(page, receiver);

  await until('the second wave', async () =>
    (await firingClusters(receiver)).some(({ title, size }) => /node/i.test(title) && size > 30)
  );
  await page.waitForTimeout(1500);
  await keep('second', 'evolution-dark');
  for (const theme of THEMES) {
    await drawer(pages[theme], theme, stage);
  }
  await mergeAndSplit(Object.values(pages), receiver);
  await accessible(pages.light, '[data-testid=stormcell-panel]');
  await page.waitForTimeout(1500);
  await keep('joins');
  await storm;
  await until('resolution', async () => (await receiver.get('clusters?state=resolved&limit=100')).items.length > 8);
  await page.waitForTimeout(1000);
  await keep('after');
  await again(page, receiver);
  await keep('again');
  await closedRange(page);
  await page.picture('panel-past-dark');
  await pages.light.setViewportSize({ width: 400, height: 800 });
  await pages.light.change({});
  await pages.light.waitForTimeout(500);
  await pages.light.picture('panel-narrow-light');
  for (const one of Object.values(pages)) {
    await one.done();
  }
}

function choose(page, view) {
  return page.getByRole('radio', { name: view }).click({ force: true });
}

async function toCatalog(stage, picture, name_) {
  if (KEEP) {
    await copyFile(join(stage.browser.pictures, `${picture}.png`), join(IMAGES, `${name_}.png`));
  }
}

async function firingClusters(receiver) {
  return (await receiver.get('clusters?limit=100')).items.filter(({ firing }) => firing > 0);
}

async function largest(receiver) {
  return (await firingClusters(receiver)).reduce((a, b) => (b.firing > a.firing ? b : a), { firing: 0 });
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
async function table(page, receiver) {
  await choose(page, 'Table');
  const counts = page.getByTestId('stormcell-table').locator('tbody tr td:nth-child(3)');
  const { firing } = await largest(receiver);
  await until('the large cluster in the table', async () =>
    (await counts.allTextContents()).some((text) => Math.abs(Number(text) - firing) < 60 && Number(text) > 30)
  );
  await accessible(page, '[data-testid=stormcell-panel]');
  await page.picture('panel-table');
  await choose(page, 'Now');
  const label = await page.locator('[data-testid=stormcell-canvas] canvas').getAttribute('aria-label');
  assert.match(label, /in the storm, .* firing; \d+ clusters? outside the storm/);
  await accessible(page, '[data-testid=stormcell-panel]');
  await choose(page, 'Evolution');
  await accessible(page, '[data-testid=stormcell-panel]');
}

/** By keyboard to a cluster, into the drawer, and out again. */
async function drawer(page, theme, stage) {
  await page.getByTestId('stormcell-canvas').focus();
  await page.keyboard.press('ArrowDown');
  await page.getByTestId('stormcell-tooltip').waitFor();
  assert.match(await page.getByTestId('stormcell-tooltip').textContent(), /Severity.*Firing\d+ of/);
  await page.picture(`panel-tooltip-${theme}`);
  await page.keyboard.press('Enter');
  const drawn = page.getByTestId('stormcell-drawer');
  await drawn.getByText('Order of firing').waitFor();
  const runbook = await drawn.getByRole('link', { name: 'Runbook' }).getAttribute('href');
  assert.match(runbook, /^https:\/\/runbooks\.shop\.example\//);
  await drawn.getByRole('button', { name: /Silence exactly this/ }).click();
  await drawn
    .getByText(/It hits|None of its alerts fires now/)
    .first()
    .waitFor();
  const links = drawn.getByRole('link', { name: 'Open in Alertmanager' });
  for (const href of await links.evaluateAll((all) => all.map((link) => link.getAttribute('href')))) {
    assert.match(href, /^https:\/\/alertmanager\.shop\.example\/#\/silences\/new\?filter=%7Balertname/);
  }
  await drawn.getByRole('button', { name: 'Why here?' }).first().click();
  await drawn.getByRole('rowheader', { name: 'Text' }).waitFor();
  // The drawer slides in; its colours are those of its end. Grafana's own colours under the pointer are not ours to judge.
  await page.mouse.move(2, 2);
  await page.waitForTimeout(400);
  await accessible(page, '[role=dialog]');
  await page.picture(`panel-drawer-${theme}`);
  await toCatalog(stage, `panel-drawer-${theme}`, `drawer-${theme}`);
  await page.keyboard.press('Escape');
  await drawn.waitFor({ state: 'detached' });
}

/** An operator's word is drawn as it is heard. */
async function mergeAndSplit(pages, receiver) {
  const live = (await receiver.get('clusters?limit=100')).items
    .filter(({ firing: n }) => n > 0)
    .sort((a, b) => b.firing - a.firing);
  const [into, from] = live;
  const { seq } = await pages[0].told();
  // What was merged cannot be split before the merge is undone: so the other way round.
  const { members } = await receiver.get(`clusters/${into.id}`);
  const some = members.filter(({ state }) => state === 'firing').slice(0, 3);
  await receiver.order('POST', `clusters/${into.id}/split`, {
    fingerprints: some.map(({ fingerprint }) => fingerprint),
  });
  await pages[0].waitForTimeout(3000);
  await receiver.order('POST', `clusters/${from.id}/merge`, { into: into.id });
  for (const page of pages) {
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
}

/** What comes back is marked, and the table and the drawer say what it is like. */
async function again(page, receiver) {
  const over = (await receiver.get('clusters?state=resolved&limit=100')).items
    .filter(({ size, recurs }) => size >= 3 && !recurs)
    .sort((a, b) => b.size - a.size)[0];
  const { members } = await receiver.get(`clusters/${over.id}`);
  await receiver.post(members.map(({ labels, annotations }) => ({ labels, annotations })));
  const back = await until('a cluster that came back', async () =>
    (await firingClusters(receiver)).find(({ recurs }) => recurs?.cluster_id === over.id)
  );
  assert.ok(back.recurs.similarity >= 0.8, `it is only ${back.recurs.similarity} like cluster ${over.id}`);
  await choose(page, 'Table');
  await page.getByTestId('stormcell-table').getByText('seen before').first().waitFor();
  await choose(page, 'Evolution');
}

/** Scrubbing back shows what was, standing still, from the receiver's own history. */
async function closedRange(page) {
  const to = new Date(Date.now() - 5000);
  await page.change({ range: { from: new Date(to - 70_000).toISOString(), to: to.toISOString() } });
  await until('the past', async () => (await page.getByTestId('stormcell-connection').textContent()).trim() === 'Past');
  await until("the storm's band, in the past as it was live", () => stormBand(page));
  const label = await page.locator('[data-testid=stormcell-canvas] canvas[role=img]').getAttribute('aria-label');
  assert.match(label, /Evolution of alert clusters/);
}
