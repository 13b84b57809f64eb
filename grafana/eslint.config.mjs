import grafana from '@grafana/eslint-config/flat.js';
import { defineConfig } from 'eslint/config';

export default defineConfig([
  { ignores: ['dist/**', 'node_modules/**', '.cache/**', 'playwright-report/**', 'test-results/**'] },
  ...grafana,
  { files: ['src/**/*.{ts,tsx}'], rules: { 'no-console': 'error' } },
]);
