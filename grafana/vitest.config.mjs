import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = dirname(fileURLToPath(import.meta.url));

export default defineConfig({
  resolve: { alias: { '@page': join(root, '../receiver/page') } },
  server: { fs: { allow: [join(root, '..')] } },
  test: {
    environment: 'jsdom',
    globals: true,
    include: ['src/**/*.test.{ts,tsx}', 'harness/**/*.test.mjs'],
    // Importing @grafana/* takes far longer than the tests: once for all of them.
    isolate: false,
    pool: 'threads',
    maxWorkers: 1,
    setupFiles: ['./vitest.setup.ts'],
    // They ship ES modules without saying so, which Node does not load.
    server: { deps: { inline: [/@grafana/] } },
  },
});
