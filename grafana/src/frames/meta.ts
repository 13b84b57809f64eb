/** How frames carry what is not a column: `meta.custom`, and beside it the rows as the receiver told them. Pure. */

import { type DataFrame } from '@grafana/data';
import { CONTRACT, type StormcellMeta } from './schema';

const ROWS = 'rows';

/**
 * Set *meta* and, hidden from copies and from JSON (a dashboard's snapshot would hold all twice), the *rows*: who
 * finds them need not read columns, and can tell what changed by identity.
 */
export function withMeta<Row>(frame: DataFrame, meta: StormcellMeta, rows: readonly Row[]): DataFrame {
  const custom = Object.defineProperty({ ...meta }, ROWS, { value: rows, enumerable: false });
  return { ...frame, meta: { ...frame.meta, custom } };
}

export function metaOf(frame: DataFrame): StormcellMeta | null {
  const custom = frame.meta?.custom;
  return custom?.stormcell === CONTRACT ? (custom as unknown as StormcellMeta) : null;
}

export function rowsOf<Row>(frame: DataFrame): readonly Row[] | null {
  return (frame.meta?.custom?.[ROWS] as readonly Row[] | undefined) ?? null;
}
