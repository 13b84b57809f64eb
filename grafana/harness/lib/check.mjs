// Waiting and checking, with words.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

export { assert };

/** Far beyond what anything takes: only a failing scenario waits so long. */
const PATIENCE_MS = Number(process.env.STORMCELL_PATIENCE_MS ?? 60_000);

/** Wait until *look* gives something true, and return it. */
export async function until(what, look, patienceMs = PATIENCE_MS) {
  const deadline = Date.now() + patienceMs;
  let last;
  for (;;) {
    last = await look();
    if (last) {
      return last;
    }
    if (Date.now() > deadline) {
      throw new Error(`waited in vain for ${what}; last: ${JSON.stringify(last)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const AXE = new URL('../../node_modules/axe-core/axe.min.js', import.meta.url);

/** Fail if axe-core finds a serious fault within *selector*. */
export async function accessible(page, selector = '#root', { ignore = [] } = {}) {
  if (!(await page.evaluate(() => 'axe' in window))) {
    await page.addScriptTag({ content: await axeSource() });
  }
  const faults = await page.evaluate(
    async ([within, ignored]) => {
      const rules = Object.fromEntries(ignored.map((id) => [id, { enabled: false }]));
      const { violations } = await window.axe.run(within, { rules, resultTypes: ['violations'] });
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(
          ({ id, help, nodes }) =>
            `${id}: ${help}: ${nodes
              .slice(0, 3)
              .map(({ html, failureSummary }) => `${html.slice(0, 200)} (${failureSummary})`)
              .join(' | ')}`
        );
    },
    [selector, ignore]
  );
  assert.deepEqual(faults, [], 'axe-core found serious faults');
}

let axe;
/** axe registers itself with `define`, which SystemJS has put there. */
async function axeSource() {
  axe ??= await readFile(AXE, 'utf8');
  return `(() => { const define = undefined; const module = undefined; ${axe}\n})()`;
}
