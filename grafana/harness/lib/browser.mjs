// Chromium, and pages of the harness.

import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { assert, until } from './check.mjs';

// No service of the browser's maker is to be asked; there is no screen and no graphics card.
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--js-flags=--expose-gc', '--enable-precise-memory-info',
]; // prettier-ignore

export function findChromium() {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8' }).trim();
    } catch {
      // The next name.
    }
  }
  return null;
}

export class Browser {
  constructor(pictures) {
    this.pictures = pictures;
  }

  async start() {
    await mkdir(this.pictures, { recursive: true });
    this.chromium = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
    return this;
  }

  stop() {
    return this.chromium?.close();
  }

  /**
   * Open the page of *grafana*. What its scripts log as errors is in `page.faults`, and is checked by `close()`.
   *
   * @param {object} [options] theme: dark, light; the rest is for the browser's context
   */
  async open(grafana, { theme = 'dark', ...options } = {}) {
    const context = await this.chromium.newContext({
      viewport: { width: 1440, height: 800 },
      colorScheme: theme,
      ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    page.faults = [];
    page.on('pageerror', (error) => page.faults.push(String(error.stack ?? error)));
    page.on('console', (message) => {
      // The browser itself logs requests that fail; scenarios make some.
      const own = ['Failed to load resource', 'WebSocket connection'];
      if (message.type() === 'error' && !own.some((words) => message.text().includes(words))) {
        page.faults.push(message.text());
      }
    });
    await page.goto(`${grafana.url}/?theme=${theme}`);
    await page.evaluate(() => window.harness.ready);
    /** Show a panel or an editor; see harness/page/host.jsx. */
    page.show = (what) => page.evaluate((given) => window.harness.show(given), what);
    page.change = (what) => page.evaluate((given) => window.harness.change(given), what);
    page.refresh = () => page.evaluate(() => window.harness.refresh());
    page.told = () => page.evaluate(() => window.harness.told());
    page.ask = (target, range) => page.evaluate(([t, r]) => window.harness.ask(t, r), [target, range]);
    page.live = (words = 'the stream to be live') =>
      until(words, async () => (await page.told()).connection?.state === 'live' && page.told());
    page.picture = async (name, options_ = {}) => {
      // Two frames: what was set is drawn.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      await page.screenshot({ path: join(this.pictures, `${name}.png`), ...options_ });
    };
    page.done = async () => {
      const { faults } = page;
      await context.close();
      assert.deepEqual(faults, [], 'a script of the page failed');
    };
    return page;
  }
}
