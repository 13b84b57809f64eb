import { describe, expect, it } from 'vitest';
import { HEADING, layOut, weight, type Region } from './layout';

const sized = (...firing: number[]) => firing.map((count, i) => ({ id: i + 1, firing: count }));
const area = ({ width, height }: { width: number; height: number }) => width * height;

function overlaps({ cells }: Region): boolean {
  return cells.some((a, i) =>
    cells
      .slice(i + 1)
      .some(
        (b) =>
          a.x < b.x + b.width - 0.01 &&
          b.x < a.x + a.width - 0.01 &&
          a.y < b.y + b.height - 0.01 &&
          b.y < a.y + a.height - 0.01
      )
  );
}

describe('the Now view', () => {
  it('gives more alerts a larger cell, and none overlaps another or leaves its region', () => {
    const [region] = layOut(sized(300, 40, 5, 1, 1), [], 900, 500);
    const areas = new Map(region.cells.map((cell) => [cell.id, area(cell)]));

    expect(areas.get(1)).toBeGreaterThan(areas.get(2)!);
    expect(areas.get(2)).toBeGreaterThan(areas.get(3)!);
    expect(overlaps(region)).toBe(false);
    for (const { x, y, width, height } of region.cells) {
      expect(x >= 0 && y >= HEADING && x + width <= 900.01 && y + height <= 500.01).toBe(true);
    }
  });

  it('sets what is outside of the storm apart, and leaves it room however large the storm is', () => {
    const [storm, outside] = layOut(sized(5000), [{ id: 9, firing: 1 }], 1000, 500);

    expect([storm.kind, outside.kind]).toEqual(['storm', 'outside']);
    expect(outside.x).toBeGreaterThanOrEqual(storm.x + storm.width);
    expect(outside.width).toBeGreaterThanOrEqual(250);
  });

  it('puts the two below each other where it is narrow', () => {
    const [storm, outside] = layOut(sized(50), [{ id: 9, firing: 1 }], 400, 600);

    expect([storm.width, outside.width]).toEqual([400, 400]);
    expect(outside.y).toBeGreaterThan(storm.y + storm.height);
  });

  it('leaves out what could not be read, and counts it', () => {
    const [region] = layOut(sized(...Array.from({ length: 1500 }, (_, i) => 1500 - i)), [], 800, 400);

    expect(region.cells.length).toBeLessThan(150);
    expect(region.cells.length + region.more).toBe(1500);
    expect(region.firing).toBe((1500 * 1501) / 2);
    expect(Math.min(...region.cells.map(area))).toBeGreaterThan(1000);
  });

  it('lists what is outside in lines that can be read, in more columns where there are more', () => {
    const [few] = layOut([], sized(3, 2, 1), 900, 500);
    const [many] = layOut([], sized(...new Array(1500).fill(1)), 900, 500);

    expect(new Set(few.cells.map(({ x }) => x)).size).toBe(2);
    expect(new Set(many.cells.map(({ x }) => x)).size).toBe(3);
    for (const region of [few, many]) {
      expect(overlaps(region)).toBe(false);
      expect(Math.min(...region.cells.map(({ height }) => height))).toBeGreaterThanOrEqual(24);
      expect(Math.max(...region.cells.map(({ y, height }) => y + height))).toBeLessThanOrEqual(500);
    }
    expect(many.cells.length + many.more).toBe(1500);
  });

  it('has no region where there is no room', () => {
    expect(layOut([], sized(1), 0, 400)).toEqual([]);
  });

  it('does not resize a cell for one alert among many', () => {
    expect(weight(101)).toBe(weight(100));
    expect(weight(150)).toBeGreaterThan(weight(100));
    expect(weight(0)).toBe(1);
  });
});
