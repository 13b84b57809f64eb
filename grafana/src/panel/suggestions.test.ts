import { FieldType, getPanelDataSummary, toDataFrame } from '@grafana/data';
import { describe, expect, it } from 'vitest';
import { suggest } from './suggestions';
import { View } from './types';

const frame = (...names: string[]) =>
  toDataFrame({ fields: names.map((name) => ({ name, type: FieldType.string, values: ['x'] })) });

describe('suggestions', () => {
  it('are both views for our frames', () => {
    const found = suggest(getPanelDataSummary([frame('time', 'seq', 'type', 'cluster_id')])) ?? [];

    expect(found.map(({ options }) => options?.view)).toEqual([View.Evolution, View.Now]);
    for (const one of found) {
      one.cardOptions?.previewModifier?.(one);
      expect(one.options?.legend).toBe(false);
    }
  });

  it('are none for other data, and none without data', () => {
    expect(suggest(getPanelDataSummary([frame('time', 'value')]))).toBeUndefined();
    expect(suggest(getPanelDataSummary([]))).toBeUndefined();
  });
});
