// What one redraw of the drawing core costs with 2,000 lanes, rasterising included, in a browser without a graphics card.
//
//   node bench/redraw.mjs [--lanes=2000] [--frames=400]
//
// The clock moves on by a pixel with each frame, so that each is a copy of the picture and its newest strip; every tenth
// frame one cluster on the screen changes its state, and then its row is drawn anew as well. A redraw is the time until
// both canvases can be read again. On a machine that others use, look at `p10`.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Browser } from '../harness/lib/browser.mjs';
import { Grafana } from '../harness/lib/grafana.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const flags = { lanes: 2000, frames: 400 };
for (const [name, value] of process.argv.slice(2).map((flag) => flag.replace(/^--/, '').split('='))) {
  flags[name] = Number(value);
}

/** In the page. */
async function redraws({ lanes, frames }) {
  const [{ EvolutionView, darkTheme }, { EvolutionModel }] = await Promise.all([
    import(new URL('evolution.js', document.baseURI)),
    import(new URL('model.js', document.baseURI)),
  ]);
  const iso = (ms) => new Date(ms).toISOString();
  let now = 1_800_000_000_000;
  const model = new EvolutionModel({ windowSeconds: 900, clock: () => now });
  const clusters = Array.from({ length: lanes }, (_, i) => ({
    id: i + 1, title: `Cluster ${i + 1} of a storm in many services`, state: ['growing', 'steady', 'resolving'][i % 3],
    severity: ['critical', 'warning', 'warning', 'info'][i % 4], size: 300, firing: 1 + ((i * 7919) % 300),
    opened_at: iso(now - 60_000 - ((i * 104_729) % 800_000)), merged_into: null, split_from: null,
  })); // prettier-ignore
  model.applySnapshot({ epoch: 'e', seq: 1, time: iso(now - 600_000), clusters: [], storm: null });
  // A past of some steps for each lane.
  for (let step = 60; step >= 0; step -= 1) {
    now = 1_800_000_000_000 - step * 10_000;
    const changed = clusters.filter(({ opened_at: at }) => Date.parse(at) <= now).map((one) => ({ ...one, firing: 1 + ((one.firing * (61 - step)) % 300) })); // prettier-ignore
    model.applyEvents({ first: model.seq + 1, last: model.seq + 1, time: iso(now), events: [], clusters: changed });
  }
  const host = document.createElement('div');
  Object.assign(host.style, { position: 'fixed', inset: '0' });
  document.body.append(host);
  const request = window.requestAnimationFrame.bind(window);
  let taken = null;
  const contexts = () => [...host.querySelectorAll('canvas')].map((canvas) => canvas.getContext('2d'));
  window.requestAnimationFrame = (callback) =>
    request((time) => {
      const from = performance.now();
      callback(time);
      for (const context of contexts()) {
        context.getImageData(0, 0, 1, 1);
      }
      taken?.push(performance.now() - from);
    });
  const view = new EvolutionView(host, { theme: darkTheme, reducedMotion: true });
  view.setModel(model);
  view.setRange({ lastSeconds: 900 });
  const frame = () => new Promise((done) => request(() => setTimeout(done)));
  for (let i = 0; i < 20; i += 1) {
    await frame();
  }
  const pixelMs = 900_000 / (host.clientWidth - 72);
  const kinds = { strip: [], strip_and_row: [] };
  for (let i = 0; i < frames; i += 1) {
    now += pixelMs;
    const changes = i % 10 === 9;
    if (changes) {
      const one = model.live()[i % 20];
      const changed = { ...one, state: one.state === 'steady' ? 'growing' : 'steady' };
      model.applyEvents({ first: model.seq + 1, last: model.seq + 1, time: iso(now), events: [], clusters: [changed] });
    }
    taken = [];
    // Later than frames of the stream are looked at: a redraw must not wait for its turn.
    await new Promise((done) => setTimeout(done, 110));
    view.invalidate();
    await frame();
    await frame();
    kinds[changes ? 'strip_and_row' : 'strip'].push(Math.max(...taken, 0));
    taken = null;
  }
  return { width: host.clientWidth, height: host.clientHeight, kinds };
}

const folder = await mkdtemp(join(tmpdir(), 'stormcell-bench-'));
const browser = new Browser(folder);
const grafana = await new Grafana({
  dist: join(ROOT, 'harness/page'),
  files: { '/page/': join(ROOT, '../receiver/page') },
  receiver: { url: 'http://127.0.0.1:9' },
}).start();
try {
  await browser.start();
  const page = await (await browser.chromium.newContext({ viewport: { width: 1180, height: 560 } })).newPage();
  await page.goto(`${grafana.url}/page/style.css`);
  await page.evaluate(() => document.body.replaceChildren());
  const { kinds, ...size } = await page.evaluate(redraws, flags);
  const at = (values, share) => [...values].sort((a, b) => a - b)[Math.floor(values.length * share)];
  const told = (values) => ({
    p10: Number(at(values, 0.1).toFixed(2)),
    median: Number(at(values, 0.5).toFixed(2)),
    p95: Number(at(values, 0.95).toFixed(2)),
    number: values.length,
  });
  console.log(
    JSON.stringify({
      lanes: flags.lanes,
      ...size,
      ms: Object.fromEntries(Object.entries(kinds).map(([kind, values]) => [kind, told(values)])),
    })
  );
} finally {
  await browser.stop();
  await grafana.stop();
  await rm(folder, { recursive: true, force: true });
}
