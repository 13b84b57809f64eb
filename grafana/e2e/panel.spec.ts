import { expect, test } from '@grafana/plugin-e2e';

/** It lies in dashboards/ and not in provisioning/: Grafana is asked for it by its uid. */
const STORM_ROOM = { uid: 'stormcell-storm-room' };

test('the storm room is provisioned, and live', async ({ gotoDashboardPage, page }) => {
  await gotoDashboardPage(STORM_ROOM);

  await expect(page.getByTestId('stormcell-panel')).toBeVisible();
  await expect(page.getByTestId('stormcell-connection')).toHaveText(/Live/);
});

test('a refresh keeps what is shown', async ({ gotoDashboardPage, page }) => {
  const dashboardPage = await gotoDashboardPage(STORM_ROOM);
  const connection = page.getByTestId('stormcell-connection');
  await expect(connection).toHaveText(/Live/);
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await dashboardPage.refreshDashboard();

  await expect(connection).toHaveText(/Live/);
  expect(sockets.filter((url) => url.includes('/live/api/v1/stream'))).toEqual([]);
});
