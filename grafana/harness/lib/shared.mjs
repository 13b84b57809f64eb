// The packages that Grafana shares with its plugins, as one script, and the page that hosts a plugin.
//
// The script is made once per lock file: it is 20 MB, and takes esbuild seconds.

import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** By what they give to `require`: a namespace, or what CommonJS exports. */
const NAMESPACES = ['@emotion/css', '@emotion/react', '@grafana/data', '@grafana/runtime', '@grafana/ui', 'd3', 'rxjs'];
const DEFAULTS = ['lodash', 'moment', 'react', 'react-dom', 'react-dom/client', 'react/jsx-runtime'];
export const SHARED = [...NAMESPACES, ...DEFAULTS];

const WEIGHTS = [400, 500];

/**
 * @param {string} root the folder of package.json
 * @returns {Promise<Record<string, string>>} folders to be served, by path
 */
export async function sharedFiles(root) {
  const cache = join(root, 'node_modules/.cache/stormcell-harness');
  const modules = join(root, 'node_modules');
  const lock = await readFile(join(root, 'package-lock.json'));
  const self = await readFile(new URL(import.meta.url));
  const hash = createHash('sha256').update(lock).update(self).digest('hex').slice(0, 16);
  const folder = join(cache, hash);
  if (!existsSync(folder)) {
    await rm(cache, { recursive: true, force: true });
    const draft = `${folder}.draft`;
    await mkdir(draft, { recursive: true });
    await buildShared(root, join(draft, 'shared.js'));
    await cp(join(modules, 'systemjs/dist/system.min.js'), join(draft, 'system.js'));
    await cp(join(modules, 'systemjs/dist/extras/amd.min.js'), join(draft, 'amd.js'));
    await writeFile(join(draft, 'fonts.css'), await fonts(modules, draft));
    await rename(draft, folder);
  }
  return {
    '/shared/': folder,
    '/public/build/img/icons/': join(modules, '@grafana/ui/dist/public/img/icons'),
    '/public/img/icons/': join(modules, '@grafana/ui/dist/public/img/icons'),
  };
}

function buildShared(root, outfile) {
  const lines = SHARED.map((name, i) => `import * as m${i} from ${JSON.stringify(name)};`);
  const entries = SHARED.map(
    (name, i) => `${JSON.stringify(name)}: ${DEFAULTS.includes(name) ? `m${i}.default ?? m${i}` : `m${i}`}`
  );
  return build({
    stdin: { contents: `${lines.join('\n')}\nwindow.stormcellShared = {${entries.join(', ')}};`, resolveDir: root },
    bundle: true,
    format: 'iife',
    outfile,
    loader: { '.svg': 'dataurl', '.woff2': 'dataurl', '.ttf': 'dataurl' },
    // The extra that gives SystemJS `define` would have bundled UMD modules register themselves instead.
    // A third of all, for code editors that we do not have; Grafana, too, loads it when one is opened.
    plugins: [{ name: 'no-monaco', setup: withoutMonaco }],
    define: { define: 'undefined', 'process.env.NODE_ENV': '"production"', global: 'window' },
    // Less to parse with each page; names stay, for stacks that can be read.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'error',
  });
}

function withoutMonaco({ onResolve, onLoad }) {
  onResolve({ filter: /^(monaco-editor|@monaco-editor)/ }, ({ path }) => ({ path, namespace: 'monaco' }));
  onLoad({ filter: /.*/, namespace: 'monaco' }, () => ({ contents: 'module.exports = {}' }));
}

/** Grafana's own fonts are not in its packages. */
async function fonts(modules, folder) {
  const rules = [];
  for (const [family, name, weights] of [
    ['Inter', 'inter', WEIGHTS],
    ['Roboto Mono', 'roboto-mono', [400]],
  ]) {
    const files = join(modules, '@fontsource', name, 'files');
    for (const weight of weights) {
      const file = `${name}-latin-${weight}-normal.woff2`;
      if (!(await readdir(files)).includes(file)) {
        continue;
      }
      await cp(join(files, file), join(folder, file));
      rules.push(`@font-face{font-family:"${family}";font-weight:${weight};src:url(${file}) format("woff2")}`);
    }
  }
  return rules.join('\n');
}

/** The page itself: small, made anew each time. */
export async function buildPage(root, folder) {
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: [join(root, 'harness/page/host.jsx')],
    bundle: true,
    format: 'iife',
    jsx: 'automatic',
    tsconfigRaw: {},
    outfile: join(folder, 'host.js'),
    sourcemap: 'inline',
    logLevel: 'error',
    plugins: [
      {
        name: 'shared',
        setup({ onResolve, onLoad }) {
          const names = new RegExp(`^(${SHARED.map((name) => name.replaceAll('/', '\\/')).join('|')})$`);
          onResolve({ filter: names }, ({ path }) => ({ path, namespace: 'shared' }));
          onLoad({ filter: /.*/, namespace: 'shared' }, ({ path }) => ({
            contents: `module.exports = window.stormcellShared[${JSON.stringify(path)}]`,
          }));
        },
      },
    ],
  });
  await cp(join(root, 'harness/page/index.html'), join(folder, 'index.html'));
  return { '/': folder };
}
