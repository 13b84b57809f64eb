import { expect, test } from '@grafana/plugin-e2e';

test('the storm room is provisioned, and live', async ({ gotoDashboardPage, readProvisionedDashboard, page }) => {
  const dashboard = await readProvisionedDashboard({ fileName: 'storm-room.json' });
  await gotoDashboardPage(dashboard);

  await expect(page.getByTestId('stormcell-panel')).toBeVisible();
  await expect(page.getByTestId('stormcell-connection')).toHaveText(/Live/);
});

test('a refresh keeps what is shown', async ({ gotoDashboardPage, readProvisionedDashboard, page }) => {
  const dashboardPage = await gotoDashboardPage(await readProvisionedDashboard({ fileName: 'storm-room.json' }));
  const connection = page.getByTestId('stormcell-connection');
  await expect(connection).toHaveText(/Live/);
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await dashboardPage.refreshDashboard();

  await expect(connection).toHaveText(/Live/);
  expect(sockets.filter((url) => url.includes('/live/api/v1/stream'))).toEqual([]);
});
