import { createTheme } from '@grafana/data';
import { isDark, mix } from '@page/evolution-theme.js';
import { describe, expect, it } from 'vitest';
import { drawingTheme, opaque } from './theme';

/** Relative luminance and contrast of WCAG 2.2, of "#rrggbb" or "rgb(r, g, b)". */
function luminance(color: string): number {
  const [r, g, b] = /\((.*)\)/
    .exec(mix(color, color, 0))![1]
    .split(',')
    .map((value) => {
      const share = Number(value) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const contrast = (a: string, b: string) => {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
};

describe.each(['dark', 'light'] as const)('the %s theme', (mode) => {
  const drawing = drawingTheme(createTheme({ colors: { mode } }));

  it('has colours that the drawing core can mix', () => {
    for (const color of [
      drawing.background,
      drawing.text,
      drawing.muted,
      drawing.grid,
      drawing.storm,
      drawing.ok,
      ...Object.values(drawing.severity),
    ]) {
      expect(mix(color, '#000000', 0.5)).toMatch(/^rgb\(/);
    }
    expect(isDark(drawing.background)).toBe(mode === 'dark');
  });

  it('has words that can be read, and severities that can be seen', () => {
    expect(contrast(drawing.text, drawing.background)).toBeGreaterThan(7);
    expect(contrast(drawing.muted, drawing.background)).toBeGreaterThan(4.5);
    for (const color of Object.values(drawing.severity)) {
      expect(contrast(color, drawing.background)).toBeGreaterThan(3);
    }
  });
});

describe('an opaque colour', () => {
  it('is what is seen through it', () => {
    expect(opaque('rgba(255, 255, 255, 0.5)', '#000000')).toBe('rgb(128, 128, 128)');
    expect(opaque('#f00', '#000')).toBe('rgb(255, 0, 0)');
    expect(opaque('tomato', '#000')).toBe('tomato');
  });
});
