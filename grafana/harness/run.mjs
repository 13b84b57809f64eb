// Runs the built plugin as Grafana would, against real receivers, in a real browser.
//
//   node harness/run.mjs [--only=NAME,NAME] [--list] [--keep]
//
// Each file of scenarios/ exports `name` and `run(stage)`. They share one receiver, which plays the demo's storm
// meanwhile; one that harms its receiver asks the stage for another. --keep serves on for a person to look at.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Browser, findChromium } from './lib/browser.mjs';
import { Grafana } from './lib/grafana.mjs';
import { Receiver, TOKENS } from './lib/receiver.mjs';
import { buildPage, sharedFiles } from './lib/shared.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const PICTURES = process.env.STORMCELL_PICTURES ?? join(ROOT, '../build/pictures/grafana');
const STORM_SECONDS = 40;

const flags = Object.fromEntries(
  process.argv.slice(2).map((flag) => flag.replace(/^--/, '').split('=')).map(([name, value = '1']) => [name, value])
);

async function main() {
  if (!findChromium()) throw new Error('chromium is not installed; scripts/tools installs it');
  if (!existsSync(join(ROOT, 'dist/module.js'))) throw new Error('the plugin is not built: npm run build');
  const scenarios = await load(flags.only?.split(','));
  if (flags.list) return scenarios.forEach(({ name }) => console.log(name));

  const folder = await mkdtemp(join(tmpdir(), 'stormcell-page-'));
  const stage = new Stage({ ...(await sharedFiles(ROOT)), ...(await buildPage(ROOT, folder)) });
  const failed = [];
  try {
    await stage.start();
    for (const scenario of scenarios) {
      const from = Date.now();
      try {
        await scenario.run(stage);
        console.log(`ok      ${scenario.name}  ${((Date.now() - from) / 1000).toFixed(1)} s`);
      } catch (error) {
        failed.push(scenario.name);
        console.log(`FAILED  ${scenario.name}\n${error.stack}`);
        await stage.browser.report(scenario.name);
      }
      await stage.clear();
    }
    if (flags.keep) await serveOn(stage);
  } finally {
    await stage.stop();
    await rm(folder, { recursive: true, force: true });
  }
  console.log(failed.length ? `failed: ${failed.join(', ')}` : `all ${scenarios.length} pass; pictures: ${PICTURES}`);
  process.exitCode = failed.length ? 1 : 0;
}

/** What scenarios stand on. */
class Stage {
  constructor(files) {
    this.files = files;
    this.browser = new Browser(PICTURES);
    this.mine = [];
  }

  async start() {
    await this.browser.start();
    /** The receiver that plays the demo's storm from the start on. */
    this.receiver = await new Receiver({ seconds: STORM_SECONDS }).start();
    this.grafana = await this.grafanaFor(this.receiver);
    /** Ends when the whole storm was told. */
    this.storm = this.receiver.play();
  }

  /** A Grafana for *receiver*, put away with the scenario. */
  async grafanaFor(receiver, { token = TOKENS.read, ...options } = {}) {
    const grafana = await new Grafana({ dist: join(ROOT, 'dist'), files: this.files, receiver: { url: receiver.url, token }, ...options }).start();
    if (this.grafana) this.mine.push(grafana);
    return grafana;
  }

  /** Another receiver, put away with the scenario; it groups without the model. */
  async ownReceiver(options = {}) {
    const receiver = await new Receiver({ embedding: 'hashing', ...options }).start();
    this.mine.push(receiver);
    return receiver;
  }

  /** A page of *grafana*, closed and checked by the scenario's `await page.done()`. */
  open(options = {}, grafana = this.grafana) {
    return this.browser.open(grafana, options);
  }

  async clear() {
    for (const one of this.mine.reverse()) await one.stop();
    this.mine = [];
    await this.browser.clear();
  }

  async stop() {
    await this.clear();
    await this.browser.stop();
    await this.grafana?.stop();
    await this.receiver?.stop();
  }
}

async function load(only) {
  const folder = join(ROOT, 'harness/scenarios');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.mjs')).sort();
  const all = await Promise.all(names.map((name) => import(join(folder, name))));
  return all.filter(({ name }) => !only || only.some((part) => name.includes(part)));
}

function serveOn(stage) {
  console.log(`open ${stage.grafana.url}/ and call harness.show({kind: 'panel'}); Ctrl-C ends it`);
  return new Promise((resolve) => process.once('SIGINT', resolve));
}

await main();
