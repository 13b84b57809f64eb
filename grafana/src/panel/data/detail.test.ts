import { describe, expect, it } from 'vitest';
import { firingFirst, stateWords, type Member } from './detail';

const member = (state: string, startsAt = '2026-01-01T00:00:00Z') => ({ state, startsAt }) as Member;

describe('members', () => {
  it('come firing first, then suppressed, stale, resolved; of each the earliest', () => {
    const states = ['resolved', 'stale', 'suppressed', 'firing'];
    const sorted = [...states.map((state) => member(state)), member('firing', '2025-01-01T00:00:00Z')].sort(
      firingFirst
    );

    expect(sorted.map(({ state }) => state)).toEqual(['firing', 'firing', 'suppressed', 'stale', 'resolved']);
    expect(sorted[0].startsAt).toContain('2025');
  });

  it('are not called resolved alone where nobody said so', () => {
    expect(stateWords({ state: 'resolved', ending: 'told' })).toBe('resolved');
    expect(stateWords({ state: 'resolved', ending: 'lapsed' })).toBe('resolved by silence');
    expect(stateWords({ state: 'firing', ending: null })).toBe('firing');
  });
});
