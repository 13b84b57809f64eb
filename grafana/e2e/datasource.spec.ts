import { expect, test } from '@grafana/plugin-e2e';

const TYPE = 'stormcell-datasource';
const { RECEIVER_URL = 'http://stormcell:9783', RECEIVER_TOKEN = '' } = process.env;

test('Save & test finds the receiver', async ({ createDataSourceConfigPage, page }) => {
  const config = await createDataSourceConfigPage({ type: TYPE });
  await page.getByTestId('stormcell-url').fill(RECEIVER_URL);
  await page.getByTestId('stormcell-token').fill(RECEIVER_TOKEN);

  // The test is the browser's own, and begins with this question.
  await config.saveAndTest({ path: '/live/api/v1/openapi.json' });
  await expect(config).toHaveAlert('success', { hasText: 'Stormcell answers' });
});

test('Save & test tells that the token is wrong', async ({ createDataSourceConfigPage, page }) => {
  test.skip(!RECEIVER_TOKEN, 'this receiver asks for no token');
  const config = await createDataSourceConfigPage({ type: TYPE });
  await page.getByTestId('stormcell-url').fill(RECEIVER_URL);
  await page.getByTestId('stormcell-token').fill('a-token-that-is-wrong');

  await config.saveAndTest({ path: '/live/api/v1/openapi.json' });
  await expect(config).toHaveAlert('error', { hasText: 'refused the token' });
});

test('a query of clusters gives a table', async ({ panelEditPage, readProvisionedDataSource }) => {
  const { name } = await readProvisionedDataSource({ fileName: 'stormcell.yaml', name: 'Stormcell' });
  await panelEditPage.datasource.set(name);
  await panelEditPage.setVisualization('Table');
  const row = panelEditPage.getQueryEditorRow('A');
  await row.getByLabel('Show', { exact: true }).click();
  await panelEditPage.ctx.page.getByRole('option', { name: /^Clusters/ }).click();

  await expect(panelEditPage.panel.fieldNames).toContainText(['cluster_id', 'title', 'severity']);
});
