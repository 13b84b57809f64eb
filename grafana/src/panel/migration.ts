/** Brings options that an earlier version kept in a dashboard into today's shape. Pure. */

import { ColorBy, DEFAULTS, Motion, ShowLabel, View, type Options } from './types';

const oneOf = <T extends string>(values: Record<string, T>, value: unknown, fallback: T): T =>
  Object.values(values).find((known) => known === value) ?? fallback;

const text = (value: unknown, fallback: string) => (typeof value === 'string' ? value : fallback);

/**
 * Return complete options, whatever was stored. A dashboard is written by hand, by a generator or by another version,
 * so a value that is no value of ours falls back to the default in place of a blank panel.
 */
export function migrate(stored: unknown): Options {
  const given: Record<string, unknown> = typeof stored === 'object' && stored !== null ? { ...stored } : {};
  const lanes = Number(given.lanes);
  return {
    view: oneOf(View, given.view, DEFAULTS.view),
    lanes: Number.isFinite(lanes) ? Math.min(500, Math.max(0, Math.round(lanes))) : DEFAULTS.lanes,
    colorBy: oneOf(ColorBy, given.colorBy, DEFAULTS.colorBy),
    colorLabel: text(given.colorLabel, DEFAULTS.colorLabel),
    showLabel: oneOf(ShowLabel, given.showLabel, DEFAULTS.showLabel),
    label: text(given.label, DEFAULTS.label),
    legend: typeof given.legend === 'boolean' ? given.legend : DEFAULTS.legend,
    motion: oneOf(Motion, given.motion, DEFAULTS.motion),
    alertmanagerUrl: text(given.alertmanagerUrl, DEFAULTS.alertmanagerUrl),
  };
}
