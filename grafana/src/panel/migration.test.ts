import { describe, expect, it } from 'vitest';
import { migrate } from './migration';
import { ColorBy, DEFAULTS, View } from './types';

describe('migration', () => {
  it('leaves options of today as they are', () => {
    const options = { ...DEFAULTS, view: View.Now, colorBy: ColorBy.Label, colorLabel: 'team', lanes: 40 };

    expect(migrate(options)).toEqual(options);
  });

  it.each([undefined, null, 'x', 7, {}, []])('gives defaults for %j', (stored) => {
    expect(migrate(stored)).toEqual(DEFAULTS);
  });

  it('gives the default for each value that is none, and keeps the rest', () => {
    expect(migrate({ view: 'radar', lanes: 'many', legend: 'yes', colorLabel: 7, label: 'team' })).toEqual({
      ...DEFAULTS,
      label: 'team',
    });
  });

  it('keeps the number of lanes within bounds', () => {
    expect(migrate({ lanes: -3 }).lanes).toBe(0);
    expect(migrate({ lanes: 1e9 }).lanes).toBe(500);
    expect(migrate({ lanes: 12.4 }).lanes).toBe(12);
  });
});
