// The drawing core by itself, with a clock that stands still: a row drawn anew alone looks as it does within the whole.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert } from '../lib/check.mjs';

export const name = 'panel-drawing';

const PAGE = join(dirname(fileURLToPath(import.meta.url)), '../../../receiver/page');

export async function run(stage) {
  const receiver = await stage.ownReceiver();
  const grafana = await stage.grafanaFor(receiver, { files: { ...stage.files, '/page/': PAGE } });
  for (const deviceScaleFactor of [1, 1.5, 2]) {
    const page = await stage.open({ deviceScaleFactor, viewport: { width: 900, height: 640 } }, grafana);
    const told = await page.evaluate(compare);
    assert.ok(told.drawn >= 3, `rows were drawn alone: ${JSON.stringify(told)}`);
    assert.deepEqual(told.different, told.different.map(() => 0), `pixels that differ at ${deviceScaleFactor}`); // prettier-ignore
    await page.done();
  }
}

/** Change lanes step by step; after each, compare the picture with the one drawn whole. In the page. */
async function compare() {
  const [{ EvolutionView, darkTheme }, { EvolutionModel }] = await Promise.all([
    import(new URL('page/evolution.js', document.baseURI)),
    import(new URL('page/model.js', document.baseURI)),
  ]);
  const NOW = 1_800_000_000_000;
  const iso = (ms) => new Date(ms).toISOString();
  const cluster = (id, given = {}) => ({
    id, title: `Cluster number ${id}`, state: 'growing', severity: ['critical', 'warning', 'info', 'odd'][id % 4],
    size: 40, firing: 5 + id * 3, opened_at: iso(NOW - 50_000 - id * 7000), merged_into: null, split_from: null, ...given,
  }); // prettier-ignore
  const host = document.createElement('div');
  Object.assign(host.style, { position: 'fixed', inset: '0', zIndex: 1000 });
  document.body.append(host);
  const model = new EvolutionModel({ windowSeconds: 600, clock: () => NOW });
  const clusters = new Map(Array.from({ length: 14 }, (_, i) => [i + 1, cluster(i + 1)]));
  const storm = { id: 1, state: 'peak', started_at: iso(NOW - 90_000), ended_at: null, cluster_ids: [1], intensity: 3 };
  model.applySnapshot({ epoch: 'e', seq: 1, time: iso(NOW), clusters: [...clusters.values()], storm, severity_order: ['info', 'warning', 'critical'] }); // prettier-ignore
  const view = new EvolutionView(host, { theme: darkTheme, reducedMotion: true });
  view.setModel(model);
  view.setRange({ lastSeconds: 300 });
  const canvas = host.querySelector('canvas');
  const context = canvas.getContext('2d');
  const pause = () => new Promise((done) => setTimeout(done, 350));
  const pixels = () => new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  await pause();

  let drawn = 0;
  const { rect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.rect = function (x, y, width, height) {
    drawn += y > 0 && height < 200 ? 1 : 0;
    return rect.call(this, x, y, width, height);
  };
  const change = (id, given) => {
    clusters.set(id, { ...clusters.get(id), ...given });
    model.applyEvents({ first: model.seq + 1, last: model.seq + 1, time: iso(NOW), events: [], clusters: [clusters.get(id)] }); // prettier-ignore
    view.invalidate();
  };
  // Edges are smoothed a little differently where they are clipped: by less than can be seen.
  const seen = (a, b) => [0, 8, 16].some((shift) => Math.abs(((a >> shift) & 255) - ((b >> shift) & 255)) > 16);
  const different = [];
  const steps = [
    () => change(3, { state: 'resolving' }),
    () => change(7, { state: 'steady', severity: 'critical' }),
    () => change(1, { state: 'forming' }),
    () => change(14, { state: 'resolved', firing: 0, resolved_at: iso(NOW - 1000) }),
    () => change(9, { state: 'merged', firing: 0, merged_into: 4, closed_at: iso(NOW - 5000) }),
    () => change(5, { split_from: 2 }),
    () => [6, 8, 10].forEach((id) => change(id, { state: 'steady' })),
  ];
  for (const step of steps) {
    step();
    await pause();
    const alone = pixels();
    const before = drawn;
    view.setTheme({ ...darkTheme });
    await pause();
    drawn = before;
    const whole = pixels();
    different.push(alone.filter((pixel, i) => seen(pixel, whole[i])).length);
  }
  CanvasRenderingContext2D.prototype.rect = rect;
  return { drawn, different };
}
