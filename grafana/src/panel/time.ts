/** Times in the dashboard's zone, as short as the axis needs them. */

import { dateTimeFormat } from '@grafana/data';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** The time of day; with seconds, or the date, where the step between ticks asks for them. */
export function axisTime(timeZone: string) {
  return (ms: number, stepMs: number) =>
    dateTimeFormat(ms, { timeZone, format: stepMs >= DAY ? 'YYYY-MM-DD' : stepMs < MINUTE ? 'HH:mm:ss' : 'HH:mm' });
}
