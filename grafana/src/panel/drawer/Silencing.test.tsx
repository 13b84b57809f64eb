import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { type Cluster } from '@page/model.js';
import React from 'react';
import { afterEach, describe, expect, it } from 'vitest';
import { type ReceiverApi } from '../data/api';
import { Silencing } from './Silencing';

const cluster = (firing: number) => ({ id: 1, title: 'c', firing }) as Cluster;
const items = [{ cluster_id: 1, labels: { alertname: 'A', zone: 'z1' } }];
const api = { get: () => Promise.resolve({ items, next: null }) } as unknown as ReceiverApi;
const shown = (firing: number, alertmanagerUrl = '') => (
  <Silencing cluster={cluster(firing)} api={api} alertmanagerUrl={alertmanagerUrl} time={() => '03:12:09'} />
);

// Files share a document: nothing else does it for the second of them.
afterEach(cleanup);

describe('the silence', () => {
  it('promises Alertmanager only where its address is known', () => {
    const { rerender } = render(shown(1));
    expect(screen.getByRole('button').textContent).toMatch(/amtool command/);
    rerender(shown(1, 'https://am.example'));

    expect(screen.getByRole('button').textContent).toMatch(/in Alertmanager/);
  });

  it('says of when it is, and when the cluster has changed since', async () => {
    const { rerender } = render(shown(1));
    await userEvent.click(screen.getByRole('button'));
    expect((await screen.findByText(/As of/)).textContent).toBe('As of 03:12:09');
    rerender(shown(4));

    expect(screen.getByText(/As of/).textContent).toMatch(/then 1 fired, now 4 do. Ask again/);
  });
});
