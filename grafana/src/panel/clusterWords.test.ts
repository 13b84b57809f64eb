import { type Cluster } from '@page/model.js';
import { describe, expect, it } from 'vitest';
import { heldBackWords, quietWords } from './clusterWords';

const cluster = (given: Partial<Cluster>) => ({ id: 1, title: 'c', state: 'steady', ...given }) as Cluster;

describe('the words of a cluster', () => {
  it('tell what is suppressed and what is stale, and nothing where none is', () => {
    expect(heldBackWords(cluster({ suppressed: 3, stale: 1 }))).toEqual(['3 suppressed', '1 stale']);
    expect(heldBackWords(cluster({ suppressed: null, stale: 0 }))).toEqual([]);
  });

  it('do not call recovered what a silent source left', () => {
    const time = (ms: number) => `t${ms}`;

    expect(quietWords(cluster({ source_quiet_at: '1970-01-01T00:00:01Z' }), time)).toBe(
      'may not have recovered: its source had gone quiet by t1000'
    );
    expect(quietWords(cluster({ source_quiet_at: null }), time)).toBe('');
  });
});
