/** Which rows of the picture have to be drawn anew: those where a lane changed, came or went. Pure. */

/** A glow, an edge and a birth's dot reach so far beyond a row, in CSS px. */
const BLEED = 5;
/** Half of the thickest crossing; see evolution-history.js. */
const CROSSING = 7;

/** From where to where a lane and its crossings are drawn: [top, bottom] in CSS px. */
export function extent({ y, height, crossings }) {
  let [top, bottom] = [y - height / 2, y + height / 2];
  for (const { fromY, toY } of crossings) {
    top = Math.min(top, Math.min(fromY, toY) - CROSSING);
    bottom = Math.max(bottom, Math.max(fromY, toY) + CROSSING);
  }
  return [top - BLEED, bottom + BLEED];
}

export const overlaps = ([top, bottom], y0, y1) => top < y1 && bottom > y0;

/**
 * Bands where lanes have another shape than *before*, apart from each other, from top to bottom.
 *
 * @param {object[]} before views of the scene that is drawn
 * @param {object} scene the one to draw
 * @returns {[number, number][]} whole device pixels: a clip through a pixel leaves a seam
 */
export function changedBands(before, { shown, ratio }) {
  const gone = new Map(before.map((view) => [view.id, view]));
  const bands = [];
  for (const view of shown) {
    const old = gone.get(view.id);
    gone.delete(view.id);
    if (old?.shape === view.shape) continue;
    bands.push(extent(view));
    if (old) bands.push(extent(old));
  }
  for (const view of gone.values()) bands.push(extent(view));
  bands.sort(([a], [b]) => a - b);
  const apart = [];
  for (const [top, bottom] of bands) {
    const last = apart.at(-1);
    if (last && top <= last[1]) last[1] = Math.max(last[1], bottom);
    else apart.push([top, bottom]);
  }
  return apart.map(([top, bottom]) => [Math.floor(top * ratio) / ratio, Math.ceil(bottom * ratio) / ratio]);
}
