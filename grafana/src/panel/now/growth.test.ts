import { describe, expect, it } from 'vitest';
import { growthOf, growthWords } from './growth';

const lane = (bornAt: number, ...samples: Array<[number, number]>) => ({ bornAt, samples });
const now = 1_000_000;

describe('the words of a growth', () => {
  it('say both that it is new and how much came, and no sum of one', () => {
    expect(growthWords({ added: 3, share: 1, born: true })).toBe('new, +3 in a minute');
    expect(growthWords({ added: 1, share: 1, born: true })).toBe('began within a minute');
    expect(growthWords({ added: 4, share: 0.5, born: false })).toBe('+4 in a minute');
    expect(growthWords({ added: 0, share: 0, born: false })).toBe('');
  });
});

describe('growth', () => {
  it('is what fires above what fired a minute ago', () => {
    expect(growthOf(lane(0, [0, 10], [now - 30_000, 25]), 25, now)).toEqual({ added: 15, share: 0.6, born: false });
  });

  it('is all of a cluster that began within the minute', () => {
    expect(growthOf(lane(now - 10_000, [now - 10_000, 4]), 4, now)).toEqual({ added: 4, share: 1, born: true });
  });

  it('is nothing while a cluster shrinks, and where nothing is known', () => {
    expect(growthOf(lane(0, [0, 10], [now - 5000, 3]), 3, now).added).toBe(0);
    expect(growthOf(undefined, 3, now).added).toBe(0);
    expect(growthOf(lane(0), 3, now).added).toBe(0);
  });
});
