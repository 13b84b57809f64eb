// Runs the built plugin as Grafana would, against real receivers, in a real browser.
//
//   node harness/run.mjs [--only=NAME,NAME] [--list] [--keep]
//
// Each file of scenarios/ exports `name` and `run(stage)`. A stage makes receivers, Grafanas and pages, and puts
// them away after the scenario. --keep plays a storm and serves for a person to look at.

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

/** Scenarios mostly wait. */
const AT_A_TIME = 2;
/** It watches a storm in real time. */
const LONGEST = 'panel-storm';

const flags = Object.fromEntries(
  process.argv
    .slice(2)
    .map((flag) => flag.replace(/^--/, '').split('='))
    .map(([name, value = '1']) => [name, value])
);

async function main() {
  if (!findChromium()) {
    throw new Error('chromium is not installed; scripts/tools installs it');
  }
  if (!existsSync(join(ROOT, 'dist/module.js'))) {
    throw new Error('the plugin is not built: npm run build');
  }
  const scenarios = await load(flags.only?.split(','));
  if (flags.list) {
    return scenarios.forEach(({ name }) => console.log(name));
  }

  const folder = await mkdtemp(join(tmpdir(), 'stormcell-page-'));
  const browser = new Browser(PICTURES);
  try {
    const files = { ...(await sharedFiles(ROOT)), ...(await buildPage(ROOT, folder)) };
    await browser.start();
    if (flags.keep) {
      return await serveOn(new Stage(files, browser));
    }
    const failed = await runAll(scenarios, () => new Stage(files, browser));
    console.log(failed.length ? `failed: ${failed.join(', ')}` : `all ${scenarios.length} pass; pictures: ${PICTURES}`);
    process.exitCode = failed.length ? 1 : 0;
  } finally {
    await browser.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Those that wait longest first, so that both rows end at about the same time. */
async function runAll(scenarios, makeStage) {
  const isLongest = ({ name }) => name === LONGEST;
  const waiting = [...scenarios.filter(isLongest), ...scenarios.filter((scenario) => !isLongest(scenario))];
  const failed = [];
  const row = async () => {
    for (let scenario = waiting.shift(); scenario; scenario = waiting.shift()) {
      if (!(await runOne(scenario, makeStage()))) {
        failed.push(scenario.name);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, row));
  return failed;
}

async function runOne({ name, run }, stage) {
  const from = Date.now();
  const seconds = () => `${((Date.now() - from) / 1000).toFixed(1)} s`;
  try {
    await run(stage);
    console.log(`ok      ${name}  ${seconds()}`);
    return true;
  } catch (error) {
    console.log(`FAILED  ${name}  ${seconds()}\n${error.stack}`);
    await stage.report(name);
    return false;
  } finally {
    await stage.clear();
  }
}

/** What a scenario stands on. */
class Stage {
  constructor(files, browser) {
    Object.assign(this, { files, browser });
    this.mine = [];
    this.pages = [];
  }

  /** A receiver; it groups without the model unless told otherwise. `await receiver.play()` plays the demo's storm. */
  async ownReceiver(options = {}) {
    const receiver = new Receiver({ embedding: 'hashing', ...options });
    this.mine.push(receiver);
    return receiver.start();
  }

  /** A Grafana whose data source is *receiver*. */
  async grafanaFor(receiver, { token = TOKENS.read, ...options } = {}) {
    const grafana = new Grafana({
      dist: join(ROOT, 'dist'),
      files: this.files,
      receiver: { url: receiver.url, token },
      ...options,
    });
    this.mine.push(grafana);
    return grafana.start();
  }

  /** A page of *grafana*; `await page.done()` closes it and fails if one of its scripts did. */
  async open(options, grafana) {
    const page = await this.browser.open(grafana, options);
    this.pages.push(page);
    return page;
  }

  /** Say what open pages were up to when a scenario failed. */
  async report(name) {
    for (const [i, page] of this.pages.entries()) {
      if (page.isClosed()) {
        continue;
      }
      console.log(`page ${i}: ${JSON.stringify(await page.told().catch(String))}\n${page.faults.join('\n')}`);
      await page.picture(`failed-${name}-${i}`).catch(() => {});
    }
  }

  async clear() {
    for (const page of this.pages) {
      await page.context().close();
    }
    for (const one of this.mine.reverse()) {
      await one.stop();
    }
  }
}

async function load(only) {
  const folder = join(ROOT, 'harness/scenarios');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.mjs')).sort();
  const all = await Promise.all(names.map((name) => import(join(folder, name))));
  return all.filter(({ name }) => !only || only.some((part) => name.includes(part)));
}

async function serveOn(stage) {
  const receiver = await stage.ownReceiver({ seconds: 300, embedding: 'onnx' });
  const grafana = await stage.grafanaFor(receiver);
  console.log(`open ${grafana.url}/ and call harness.show({kind: 'panel'}); Ctrl-C ends it`);
  void receiver.play();
  await new Promise((resolve) => process.once('SIGINT', resolve));
  await stage.clear();
}

await main();
