import { type DataSourceSettings } from '@grafana/data';
import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type StormcellOptions, type StormcellSecrets } from '../types';
import { ConfigEditor } from './ConfigEditor';

type Settings = DataSourceSettings<StormcellOptions, StormcellSecrets>;
const settings = (url: string, jsonData: StormcellOptions = {}) =>
  ({ url, jsonData, secureJsonFields: {}, readOnly: false }) as unknown as Settings;

// Files share a document: nothing else does it for the second of them.
afterEach(cleanup);

describe('the settings', () => {
  it('ask for TLS only where the address has it', () => {
    const { rerender } = render(
      <ConfigEditor options={settings('http://stormcell:9783')} onOptionsChange={() => {}} />
    );
    expect(screen.queryByRole('checkbox')).toBeNull();
    rerender(<ConfigEditor options={settings('https://stormcell:9783')} onOptionsChange={() => {}} />);

    expect(screen.getAllByRole('checkbox')).toHaveLength(2);
  });

  it('are those that Grafana reads, the certificate as a secret', async () => {
    const change = vi.fn();
    const { rerender } = render(<ConfigEditor options={settings('https://x')} onOptionsChange={change} />);
    await userEvent.click(screen.getByRole('checkbox', { name: /Skip TLS/ }));
    expect(change.mock.lastCall![0].jsonData).toEqual({ tlsSkipVerify: true });
    rerender(<ConfigEditor options={settings('https://x', { tlsAuthWithCACert: true })} onOptionsChange={change} />);
    await userEvent.type(screen.getByPlaceholderText(/BEGIN CERTIFICATE/), 'P');

    expect(change.mock.lastCall![0].secureJsonData).toEqual({ tlsCACert: 'P' });
  });
});
