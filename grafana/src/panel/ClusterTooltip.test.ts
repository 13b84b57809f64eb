import { EvolutionModel, type Cluster } from '@page/model.js';
import { describe, expect, it } from 'vitest';
import { openWords, tooltipItems } from './ClusterTooltip';

const cluster: Cluster = {
  id: 1, title: 'c', state: 'steady', severity: 'critical', size: 5, firing: 2, suppressed: 3, opened_at: '2026-01-01T00:00:00Z',
  source_quiet_at: '1970-01-01T00:00:01Z', labels: { severity: 'critical', zone: 'z1', pod: '' },
}; // prettier-ignore

describe('the tooltip', () => {
  const rows = tooltipItems(cluster, new EvolutionModel(), (ms) => `t${ms}`);
  const row = (name: string) => rows.filter(({ label }) => label.toLowerCase() === name).map(({ value }) => value);

  it('names the severity once, and no label without a value', () => {
    expect(row('severity')).toEqual(['critical']);
    expect(row('zone')).toEqual(['z1']);
    expect(row('pod')).toEqual([]);
  });

  it('tells what is suppressed, and that its source is silent', () => {
    expect(row('firing')).toEqual(['2 of 5 alerts, 3 suppressed']);
    expect(row('its source')).toEqual(['quiet by t1000: may not have recovered']);
  });

  it('says what a click opens, since nothing in it can be clicked', () => {
    expect(openWords([])).not.toContain('links');
    expect(openWords(['a', 'b', 'c', 'd'])).toContain('links: a, b, c and 1 more');
  });
});
