/** Where each live cluster stands in the Now view: what is in the storm, and apart from it what is outside. Pure. */

import { hierarchy, treemap, treemapSquarify } from 'd3';

export interface Cell {
  id: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Region {
  /** Empty where there is no storm and so nothing to set apart. */
  kind: 'storm' | 'outside' | 'all';
  x: number;
  y: number;
  width: number;
  height: number;
  cells: Cell[];
  clusters: number;
  firing: number;
  /** Clusters there is no room for. */
  more: number;
  moreFiring: number;
}

export interface Sized {
  id: number;
  firing: number;
}

/** Room for a region's heading. */
export const HEADING = 26;
const GAP = 10;
const CELL_GAP = 4;
/** A smaller cell has room for no word. */
const LEAST_AREA = 4200;
/** A line of the list beside the storm: as high as a glance wants it, and as low as it can be read. */
const LINE = { high: 64, low: 30, narrow: 240, wide: 760 };
/** The storm gets most of the picture; what is outside of it never less than it takes to be read. */
const OUTSIDE_SHARE = [0.26, 0.5] as const;
const NARROW = 640;
/** Beside the storm a title takes so much, however large the storm is. */
const LEAST_OUTSIDE = 270;
const FEW = 4;

/** Area grows with the alerts, and yet 1 and 300 both can be read: firing^0.6, in steps, so that not each alert moves all. */
export function weight(firing: number): number {
  const steps = Math.round(Math.log(Math.max(1, firing)) / Math.log(1.25));
  return Math.max(1, 1.25 ** (steps * 0.6));
}

/** Regions and cells for an area of *width* × *height*; clusters come in the order of importance. */
export function layOut(inside: Sized[], outside: Sized[], width: number, height: number): Region[] {
  if (width <= 0 || height <= 0) {
    return [];
  }
  if (!inside.length) {
    return [region('all', outside, 0, 0, width, height)];
  }
  if (!outside.length) {
    return [region('storm', inside, 0, 0, width, height)];
  }
  const sum = (clusters: Sized[]) => clusters.reduce((all, { firing }) => all + weight(firing), 0);
  const [least, most] = OUTSIDE_SHARE;
  const share = Math.min(most, Math.max(least, sum(outside) / (sum(inside) + sum(outside))));
  if (width < NARROW) {
    const low = Math.round((height - GAP) * share);
    return [
      region('storm', inside, 0, 0, width, height - GAP - low),
      region('outside', outside, 0, height - low, width, low),
    ];
  }
  const right = Math.round(Math.max((width - GAP) * share, LEAST_OUTSIDE));
  return [
    region('storm', inside, 0, 0, width - GAP - right, height),
    region('outside', outside, width - right, 0, right, height),
  ];
}

function region(kind: Region['kind'], clusters: Sized[], x: number, y: number, width: number, height: number): Region {
  const top = y + HEADING;
  const low = Math.max(0, height - HEADING);
  // In the storm size tells most. Outside all are small: there each is to be found and read.
  const placed =
    kind === 'storm' ? cells(fitting(clusters, width * low), x, top, width, low) : lines(clusters, x, top, width, low);
  const shown = new Set(placed.map(({ id }) => id));
  const rest = clusters.filter(({ id }) => !shown.has(id));
  return {
    kind,
    x,
    y,
    width,
    height,
    cells: placed,
    clusters: clusters.length,
    firing: total(clusters),
    more: rest.length,
    moreFiring: total(rest),
  };
}

export const total = (clusters: Sized[]) => clusters.reduce((sum, { firing }) => sum + firing, 0);

/** As many of the first as leave the smallest a cell that can be read; at least one. */
function fitting(clusters: Sized[], room: number): Sized[] {
  const most = Math.max(1, Math.floor(room / LEAST_AREA));
  let shown = clusters.slice(0, most);
  while (shown.length > 1) {
    const weights = shown.map(({ firing }) => weight(firing));
    const sum = weights.reduce((a, b) => a + b, 0);
    if ((Math.min(...weights) / sum) * room >= LEAST_AREA * 0.6) {
      break;
    }
    shown = shown.slice(0, Math.floor(shown.length * 0.85));
  }
  return shown;
}

/** A list in as few columns as there is height for. */
function lines(clusters: Sized[], x: number, y: number, width: number, height: number): Cell[] {
  const most = Math.max(1, Math.floor(width / LINE.narrow));
  const wanted = Math.ceil((clusters.length * (LINE.low + 12)) / Math.max(1, height));
  // From the end of a title to its figure the eye must not have to travel.
  const least = Math.min(clusters.length, Math.ceil(width / LINE.wide));
  const columns = Math.min(most, Math.max(1, wanted, least));
  const rows = Math.max(1, Math.min(Math.ceil(clusters.length / columns), Math.floor(height / LINE.low)));
  const line = Math.min(LINE.high, height / rows);
  const column = (width + CELL_GAP) / columns;
  return clusters.slice(0, rows * columns).map(({ id }, place) => ({
    id,
    x: x + Math.floor(place / rows) * column,
    y: y + (place % rows) * line,
    width: column - CELL_GAP,
    height: line - CELL_GAP,
  }));
}

interface Node {
  id: number;
  value: number;
  children?: Node[];
}

/** Few clusters below each other, for words are wide; none so low that it cannot be read. */
function rows(clusters: Sized[], x: number, y: number, width: number, height: number): Cell[] {
  const weights = clusters.map(({ firing }) => weight(firing));
  const sum = weights.reduce((a, b) => a + b, 0);
  const least = Math.min(LINE.high, height / clusters.length);
  const free = height - least * clusters.length;
  let top = y;
  return clusters.map(({ id }, i) => {
    const high = least + (free * weights[i]) / sum;
    top += high;
    return { id, x, y: top - high, width, height: high - CELL_GAP };
  });
}

function cells(clusters: Sized[], x: number, y: number, width: number, height: number): Cell[] {
  if (!clusters.length) {
    return [];
  }
  if (clusters.length <= FEW || (width < NARROW && clusters.length * LINE.low <= height)) {
    return rows(
      [...clusters].sort((a, b) => b.firing - a.firing || a.id - b.id),
      x,
      y,
      width,
      height
    );
  }
  const root: Node = { id: 0, value: 0, children: clusters.map(({ id, firing }) => ({ id, value: weight(firing) })) };
  const tree = hierarchy<Node>(root)
    .sum((node) => (node.children ? 0 : node.value))
    // By weight, for squarish cells; by id where equal, so that they keep their places.
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0) || a.data.id - b.data.id);
  const placed = treemap<Node>().tile(treemapSquarify.ratio(2.2)).size([width, height]).paddingInner(CELL_GAP)(tree);
  return placed.leaves().map((leaf) => ({
    id: leaf.data.id,
    x: x + leaf.x0,
    y: y + leaf.y0,
    width: leaf.x1 - leaf.x0,
    height: leaf.y1 - leaf.y0,
  }));
}
