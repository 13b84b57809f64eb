/** Inside a cell: where its disc is, and where its words. Pure. */

import { weight, type Cell, type Region } from './layout';

export interface Disc {
  x: number;
  y: number;
  radius: number;
}

export interface WordBox {
  x: number;
  y: number;
  width: number;
  height: number;
  /** Room for a large figure and for details. */
  large: boolean;
}

const PAD = 8;
/** Left of the disc: the bar of the severity, and air. */
const LEFT = 16;
/** A disc takes this share of a cell's width at most: the words tell more. */
const DISC_SHARE = 0.4;
const LEAST_RADIUS = 3;
/** A lone cluster must not be a wall of colour: what it is stands beside it. */
const MOST_RADIUS = 130;
/** What grows shines so far around its disc. */
export const GLOW = 8;
/** A disc in the storm is at most so many times as large as the same would be in the list beside it. */
const MOST_SCALE = 3.5;

/** The largest disc that a cell has room for. */
export function roomForDisc({ width, height }: Cell): number {
  return Math.max(LEAST_RADIUS, Math.min(height / 2 - PAD, (width * DISC_SHARE) / 2, MOST_RADIUS));
}

/** The disc of *firing* alerts, at the left of the cell. */
export function discOf(cell: Cell, firing: number, scale: number): Disc {
  const radius = Math.max(LEAST_RADIUS, Math.min(roomForDisc(cell), scale * Math.sqrt(weight(firing))));
  return { x: cell.x + LEFT + Math.max(radius, Math.min(roomForDisc(cell), 18)), y: cell.y + cell.height / 2, radius };
}

/** What is right of the disc. */
export function wordBox(cell: Cell, disc: Disc): WordBox {
  const left = disc.x + Math.max(disc.radius, Math.min(roomForDisc(cell), 18)) + LEFT;
  const width = cell.x + cell.width - left - PAD;
  return { x: left, y: cell.y + 2, width, height: cell.height - 4, large: cell.height >= 84 && width >= 180 };
}

/** CSS px of a disc's radius by the root of its weight: as large as fits, and the same for all of a region. */
export function discScales(regions: Region[], firingOf: (id: number) => number): Map<Region['kind'], number> {
  const scales = new Map<Region['kind'], number>();
  for (const { kind, cells } of regions) {
    scales.set(kind, Math.min(...cells.map((cell) => roomForDisc(cell) / Math.sqrt(weight(firingOf(cell.id)))), 100));
  }
  const [storm, outside] = [scales.get('storm'), scales.get('outside')];
  if (storm !== undefined && outside !== undefined) {
    scales.set('storm', Math.min(storm, outside * MOST_SCALE));
  }
  return scales;
}
