// The panel under more than a storm, in a real browser without a graphics card: frames a second, what a redraw costs,
// and the heap.
//
//   node bench/run.mjs [--clusters=1500] [--rate=5000] [--seconds=30] [--minutes=10] [--view=evolution] [--out=FILE]
//
// First *seconds* without disturbance for the frames, then *minutes* for the heap, read every 15 s after forced
// collections, which the frames leave out. On a machine that others use, `p10` tells what a redraw costs undisturbed, and
// `main_thread_busy`, by the thread's own clock, what share of a processor the page needs. The receiver is the made-up one of benchmarks/page.py; the built plugin, the
// data source's proxy, and the packages of Grafana are those of the harness.
//
// A redraw is the time from the begin of an animation frame's callbacks until the canvases can be read again, so that
// rasterising counts too; it is taken in a stretch of its own, since reading makes the browser wait.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Browser } from '../harness/lib/browser.mjs';
import { until } from '../harness/lib/check.mjs';
import { Grafana } from '../harness/lib/grafana.mjs';
import { buildPage, sharedFiles } from '../harness/lib/shared.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const REPOSITORY = join(ROOT, '..');
const PYTHON = process.env.STORMCELL_PYTHON ?? join(REPOSITORY, '.venv/bin/python');
const HEAP_EVERY_MS = 15_000;
const WARM_UP_MS = 8000;
const REDRAW_SECONDS = 10;

const flags = { clusters: 1500, rate: 5000, seconds: 30, minutes: 10, view: 'evolution', range: 'now-15m' };
for (const [name, value] of process.argv.slice(2).map((flag) => flag.replace(/^--/, '').split('='))) {
  flags[name] = Number.isNaN(Number(value)) ? value : Number(value);
}

/** Intervals between frames, and redraws, of a page. */
const PROBE = () => {
  const probe = { intervals: [], redraws: [], paused: false, flush: false };
  const request = window.requestAnimationFrame.bind(window);
  let last = null;
  const tick = (now) => {
    if (last !== null && !probe.paused) {
      probe.intervals.push(now - last);
    }
    last = probe.paused ? null : now;
    request(tick);
  };
  request(tick);
  // A frame that drew on a canvas is a redraw; the others cost nothing worth telling.
  let drew = null;
  for (const name of ['fill', 'fillRect', 'drawImage', 'fillText']) {
    const original = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...given) {
      drew ??= new Set();
      drew.add(this);
      return original.apply(this, given);
    };
  }
  window.requestAnimationFrame = (callback) =>
    request((now) => {
      drew = null;
      const from = performance.now();
      callback(now);
      if (drew && !probe.paused) {
        if (probe.flush) {
          for (const context of drew) {
            context.getImageData(0, 0, 1, 1);
          }
        }
        probe.redraws.push(performance.now() - from);
      }
    });
  probe.take = () => {
    const { intervals, redraws } = probe;
    Object.assign(probe, { intervals: [], redraws: [] });
    return { intervals, redraws };
  };
  window.probe = probe;
};

const sorted = (values) => [...values].sort((a, b) => a - b);
const at = (values, share) => sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
const round = (value) => Math.round(value * 100) / 100;
const sum = (values) => values.reduce((a, b) => a + b, 0);

function framesOf({ intervals, redraws }) {
  return {
    frames_per_second: round((intervals.length / sum(intervals)) * 1000),
    interval_ms: {
      median: round(at(intervals, 0.5)),
      p95: round(at(intervals, 0.95)),
      longest: round(Math.max(...intervals)),
    },
    redraws_per_second: round((redraws.length / sum(intervals)) * 1000),
    script_ms: { p10: round(at(redraws, 0.1)), median: round(at(redraws, 0.5)), p95: round(at(redraws, 0.95)) },
  };
}

/** Of the least-squares line through [minutes, MB]. */
function slope(samples) {
  const mean = (i) => sum(samples.map((sample) => sample[i])) / samples.length;
  const [x, y] = [mean(0), mean(1)];
  return round(sum(samples.map(([a, b]) => (a - x) * (b - y))) / sum(samples.map(([a]) => (a - x) ** 2)));
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function main() {
  const folder = await mkdtemp(join(tmpdir(), 'stormcell-bench-'));
  const port = await freePort();
  const receiver = spawn(
    PYTHON,
    ['-m', 'benchmarks.page', `--serve=${port}`, `--clusters=${flags.clusters}`, `--rate=${flags.rate}`],
    { cwd: REPOSITORY, env: { ...process.env, PYTHONPATH: REPOSITORY }, stdio: 'inherit' }
  );
  const browser = new Browser(folder);
  let grafana;
  try {
    const files = { ...(await sharedFiles(ROOT)), ...(await buildPage(ROOT, folder)) };
    const url = `http://127.0.0.1:${port}`;
    await until('the receiver', async () => (await fetch(`${url}/api/v1/stats`).catch(() => null))?.ok);
    grafana = await new Grafana({ dist: join(ROOT, 'dist'), files, receiver: { url } }).start();
    await browser.start();
    const page = await browser.open(grafana, { viewport: { width: 1440, height: 900 } });
    await page.evaluate(`(${PROBE})()`);
    await page.show({ height: 820, range: { from: flags.range, to: 'now' }, options: { view: flags.view } });
    await page.live();
    await page.waitForTimeout(WARM_UP_MS);
    const result = await measure(page);
    const { faults } = page;
    console.log(JSON.stringify({ ...result, faults }, null, 2));
    if (flags.out) {
      await writeFile(flags.out, `${JSON.stringify(result, null, 2)}\n`);
    }
  } finally {
    await browser.stop();
    await grafana?.stop();
    receiver.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(page) {
  const take = () => page.evaluate(() => window.probe.take());
  const stretch = async (seconds) => {
    const { seq } = await page.told();
    await take();
    const from = Date.now();
    await page.waitForTimeout(seconds * 1000);
    const taken = await take();
    const told = await page.told();
    return { taken, events: Math.round((told.seq - seq) / ((Date.now() - from) / 1000)), clusters: told.rows.clusters };
  };
  // Of the thread's own clock: what others do on the machine meanwhile does not count.
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const work = async () =>
    Object.fromEntries((await session.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
  const before = await work();
  const calm = await stretch(flags.seconds);
  const after = await work();
  const share = (name) => round((after[name] - before[name]) / flags.seconds);
  await page.evaluate(() => (window.probe.flush = true));
  const flushed = await stretch(REDRAW_SECONDS);
  await page.evaluate(() => (window.probe.flush = false));
  const heap = flags.minutes ? await heapOf(page, stretch) : null;
  return {
    machine: `${cpus().length} CPUs, ${cpus()[0].model.trim()}, Node ${process.version}`,
    asked: flags,
    events_per_second: calm.events,
    rows_of_clusters: calm.clusters,
    ...framesOf(calm.taken),
    main_thread_busy: { all: share('TaskDuration'), scripts: share('ScriptDuration') },
    redraw_with_raster_ms: {
      p10: round(at(flushed.taken.redraws, 0.1)),
      median: round(at(flushed.taken.redraws, 0.5)),
      p95: round(at(flushed.taken.redraws, 0.95)),
      number: flushed.taken.redraws.length,
    },
    heap,
  };
}

async function heapOf(page, stretch) {
  const session = await page.context().newCDPSession(page);
  const samples = [];
  const frames = [];
  const from = Date.now();
  while (Date.now() - from < flags.minutes * 60_000) {
    const { taken } = await stretch(HEAP_EVERY_MS / 1000);
    frames.push(framesOf(taken).frames_per_second);
    await page.evaluate(() => (window.probe.paused = true));
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    samples.push([round((Date.now() - from) / 60_000), round(usedSize / 2 ** 20)]);
    await page.evaluate(() => (window.probe.paused = false));
  }
  const later = samples.slice(Math.floor(samples.length / 2));
  return {
    samples,
    frames_per_second: frames,
    slope_mb_per_minute: slope(samples),
    later_slope_mb_per_minute: slope(later),
  };
}

await main();
