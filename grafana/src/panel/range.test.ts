import { dateTime, type TimeRange } from '@grafana/data';
import { describe, expect, it } from 'vitest';
import { drawnRange, isLive, rangeKey } from './range';

const range = (from: string, to: string, rawTo: string): TimeRange => ({
  from: dateTime(from),
  to: dateTime(to),
  raw: { from, to: rawTo },
});

describe('the range', () => {
  it('is live when it ends in now', () => {
    const live = range('2026-01-01T00:00:00Z', '2026-01-01T00:30:00Z', 'now');

    expect(isLive(live)).toBe(true);
    expect(drawnRange(live)).toEqual({ lastSeconds: 1800 });
  });

  it('is the past when it ends before, also by a few minutes', () => {
    const past = range('2026-01-01T00:00:00Z', '2026-01-01T00:30:00Z', 'now-5m');

    expect(isLive(past)).toBe(false);
    expect(drawnRange(past)).toEqual({
      fromMs: Date.parse('2026-01-01T00:00:00Z'),
      toMs: Date.parse('2026-01-01T00:30:00Z'),
    });
  });

  it('stays the same while a live range moves on', () => {
    const one = range('2026-01-01T00:00:00Z', '2026-01-01T00:30:00Z', 'now');
    const later = range('2026-01-01T00:10:00Z', '2026-01-01T00:40:00Z', 'now');

    expect(rangeKey(drawnRange(one))).toBe(rangeKey(drawnRange(later)));
  });

  it('is never empty', () => {
    expect(drawnRange(range('2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'now'))).toEqual({ lastSeconds: 30 });
    const { fromMs, toMs } = drawnRange(range('2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'x')) as {
      fromMs: number;
      toMs: number;
    };
    expect(toMs).toBeGreaterThan(fromMs);
  });
});
