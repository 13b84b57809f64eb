import { type PluginOptions } from '@grafana/plugin-e2e';
import { defineConfig, devices } from '@playwright/test';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

const auth = `${dirname(createRequire(import.meta.url).resolve('@grafana/plugin-e2e'))}/auth`;

/** For a real Grafana, started by docker-compose.yml of the project with the plugin, a receiver and its dashboards. */
export default defineConfig<PluginOptions>({
  testDir: '.',
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  retries: process.env.CI ? 2 : 0,
  reporter: 'list',
  use: { baseURL: process.env.GRAFANA_URL ?? 'http://localhost:3000', trace: 'on-first-retry' },
  projects: [
    { name: 'auth', testDir: auth, testMatch: [/.*\.js/] },
    // It is made by the API of the administrator.
    {
      name: 'auth-viewer',
      testDir: auth,
      testMatch: [/.*\.js/],
      use: { user: { user: 'stormcell-viewer', password: 'stormcell-viewer', role: 'Viewer' } },
    },
    {
      name: 'viewer',
      testMatch: 'viewer.spec.ts',
      use: { ...devices['Desktop Chrome'], storageState: 'playwright/.auth/stormcell-viewer.json' },
      dependencies: ['auth-viewer'],
    },
    {
      name: 'chromium',
      testIgnore: 'viewer.spec.ts',
      use: { ...devices['Desktop Chrome'], storageState: 'playwright/.auth/admin.json' },
      dependencies: ['auth'],
    },
  ],
});
