import { expect, test } from '@grafana/plugin-e2e';

const PROXY = '/api/datasources/proxy/uid/stormcell/live/api/v1';
const ALERT = { alertname: 'PostedByAViewer', severity: 'info' };

/** As Alertmanager sends it, so that nothing but rights can refuse it. */
const notification = {
  version: '4',
  groupKey: '{}:{}',
  truncatedAlerts: 0,
  status: 'firing',
  receiver: 'e2e',
  groupLabels: {},
  commonLabels: ALERT,
  commonAnnotations: {},
  externalURL: 'http://alertmanager.example',
  alerts: [
    {
      status: 'firing',
      labels: ALERT,
      annotations: {},
      startsAt: new Date().toISOString(),
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: '',
      fingerprint: '',
    },
  ],
};

test('a viewer sees the storm room live', async ({ gotoDashboardPage, page }) => {
  await gotoDashboardPage({ uid: 'stormcell-storm-room' });

  await expect(page.getByTestId('stormcell-connection')).toHaveText(/Live/);
});

test('a viewer can read through the data source, and cannot post', async ({ request }) => {
  const before = await request.get(`${PROXY}/alerts?label=alertname%3D${ALERT.alertname}`);
  expect(before.ok()).toBe(true);
  const posted = await request.post(`${PROXY}/webhook`, { data: notification });
  expect([400, 401, 403]).toContain(posted.status());
  const after = await request.get(`${PROXY}/alerts?label=alertname%3D${ALERT.alertname}`);

  expect((await after.json()).items).toEqual((await before.json()).items);
});
