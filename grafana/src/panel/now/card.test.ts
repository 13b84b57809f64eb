import { describe, expect, it } from 'vitest';
import { discOf, discScales, roomForDisc, wordBox } from './card';
import { layOut } from './layout';

const cells = [
  { id: 1, x: 10, y: 20, width: 700, height: 400 },
  { id: 2, x: 10, y: 20, width: 240, height: 28 },
  { id: 3, x: 10, y: 20, width: 200, height: 500 },
];

describe('a cell', () => {
  it.each(cells)('has its disc and its words within, and beside each other: %j', (cell) => {
    for (const firing of [1, 50, 5000]) {
      const disc = discOf(cell, firing, 20);
      const words = wordBox(cell, disc);

      expect(
        disc.x - disc.radius >= cell.x && disc.y - disc.radius >= cell.y && disc.y + disc.radius <= cell.y + cell.height
      ).toBe(true);
      expect(words.x + words.width <= cell.x + cell.width && words.y + words.height <= cell.y + cell.height).toBe(true);
      expect(words.x).toBeGreaterThan(disc.x + disc.radius);
    }
  });
});

describe('the scale of the discs', () => {
  const firing = new Map([
    [1, 170],
    [2, 3],
    [3, 1],
    [4, 60],
  ]);
  const sized = (...ids: number[]) => ids.map((id) => ({ id, firing: firing.get(id)! }));
  const regions = layOut(sized(1, 4), sized(2, 3), 1000, 500);
  const scales = discScales(regions, (id) => firing.get(id)!);

  it('lets each fit its cell without being cut down to it', () => {
    for (const { kind, cells } of regions) {
      for (const cell of cells) {
        expect(discOf(cell, firing.get(cell.id)!, scales.get(kind)!).radius).toBeLessThanOrEqual(
          roomForDisc(cell) + 1e-9
        );
        expect(discOf(cell, firing.get(cell.id)!, scales.get(kind)! * 0.9).radius).toBeLessThan(roomForDisc(cell));
      }
    }
  });

  it('does not make the storm look more than a few times as bad as what is beside it', () => {
    expect(scales.get('storm')! / scales.get('outside')!).toBeLessThanOrEqual(3.5);
  });
});
