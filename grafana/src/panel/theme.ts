/** Grafana's theme as the drawing core takes it: plain, opaque colours. Pure. */

import { type GrafanaTheme2 } from '@grafana/data';
import { type DrawingTheme } from '@page/evolution-theme.js';

/** Severity colours by Grafana's palette; the light theme takes darker shades, for they stand on white. */
const SHADES = {
  dark: { critical: 'red', warning: 'orange', info: 'blue', other: 'light-purple', storm: 'purple', ok: 'green' },
  light: {
    critical: 'semi-dark-red',
    warning: 'dark-orange',
    info: 'dark-blue',
    other: 'dark-purple',
    storm: 'purple',
    ok: 'dark-green',
  },
} as const;

export function drawingTheme(theme: GrafanaTheme2): DrawingTheme {
  const shades = theme.isDark ? SHADES.dark : SHADES.light;
  const background = theme.colors.background.primary;
  const named = (name: string) => theme.visualization.getColorByName(name);
  const muted = opaque(theme.colors.text.secondary, background);
  return {
    background,
    text: opaque(theme.colors.text.maxContrast, background),
    muted,
    grid: opaque(theme.colors.border.weak, background),
    storm: named(shades.storm),
    ok: named(shades.ok),
    severity: {
      critical: named(shades.critical),
      warning: named(shades.warning),
      info: named(shades.info),
      other: named(shades.other),
      none: muted,
    },
    font: theme.typography.fontFamily,
    heaviest: Number(theme.typography.fontWeightBold),
  };
}

/** *color* as it looks on *background*: the drawing core mixes colours and knows of no transparency. */
export function opaque(color: string, background: string): string {
  const above = channels(color);
  const below = channels(background);
  if (!above || !below) {
    return color;
  }
  const alpha = above[3];
  const mixed = [0, 1, 2].map((i) => Math.round(above[i] * alpha + below[i] * (1 - alpha)));
  return `rgb(${mixed.join(', ')})`;
}

function channels(color: string): [number, number, number, number] | null {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(color)?.[1];
  if (hex) {
    const wide = hex.length === 3 ? [...hex].map((digit) => digit + digit).join('') : hex;
    return [parseInt(wide.slice(0, 2), 16), parseInt(wide.slice(2, 4), 16), parseInt(wide.slice(4, 6), 16), 1];
  }
  const rgb = /^rgba?\(\s*([\d.]+)[,\s]+([\d.]+)[,\s]+([\d.]+)(?:[,/\s]+([\d.]+))?\s*\)$/i.exec(color);
  return rgb ? [Number(rgb[1]), Number(rgb[2]), Number(rgb[3]), rgb[4] === undefined ? 1 : Number(rgb[4])] : null;
}
