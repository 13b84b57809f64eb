/** A table as columns: what each is called, what it holds, and how a row of it is told. Pure. */

import { type DataFrame, type Field, type FieldConfig, FieldType } from '@grafana/data';

export interface Column<Row> {
  name: string;
  type: FieldType;
  of: (row: Row) => unknown;
  config?: FieldConfig;
}

type Of<Row> = (row: Row) => unknown;

export const number = <Row>(name: string, of: Of<Row>, config?: FieldConfig): Column<Row> => ({
  name,
  type: FieldType.number,
  of: (row) => of(row) ?? null,
  config,
});

export const text = <Row>(name: string, of: Of<Row>, config?: FieldConfig): Column<Row> => ({
  name,
  type: FieldType.string,
  of: (row) => of(row) ?? '',
  config,
});

export const flag = <Row>(name: string, of: Of<Row>, config?: FieldConfig): Column<Row> => ({
  name,
  type: FieldType.boolean,
  of: (row) => of(row) ?? null,
  config,
});

/** Objects stay objects: a table shows them as JSON, "Extract fields" takes them apart, and nothing is paid for it. */
export const object = <Row>(name: string, of: Of<Row>, config?: FieldConfig): Column<Row> => ({
  name,
  type: FieldType.other,
  of: (row) => of(row) ?? null,
  config,
});

export const time = <Row>(name: string, of: Of<Row>, config?: FieldConfig): Column<Row> => ({
  name,
  type: FieldType.time,
  of: (row) => milliseconds(of(row)),
  config,
});

/** RFC 3339 as ms since 1970; null for what is no time. */
export function milliseconds(given: unknown): number | null {
  const ms = typeof given === 'string' ? Date.parse(given) : NaN;
  return Number.isNaN(ms) ? null : ms;
}

export function rfc3339(ms: unknown): string | null {
  return typeof ms === 'number' ? new Date(ms).toISOString() : null;
}

export function fieldsOf<Row>(columns: Array<Column<Row>>, valuesOf: (column: number) => unknown[]): Field[] {
  return columns.map(({ name, type, config = {} }, i) => ({ name, type, config: { ...config }, values: valuesOf(i) }));
}

export function frameOf<Row>(name: string, columns: Array<Column<Row>>, rows: readonly Row[]): DataFrame {
  return { name, length: rows.length, fields: fieldsOf(columns, (i) => rows.map(columns[i].of)) };
}
