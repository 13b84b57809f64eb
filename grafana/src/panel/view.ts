/** What the panel asks of a canvas, whichever view it is. */

import { type DrawingTheme } from '@page/evolution-theme.js';
import { type EvolutionModel } from '@page/model.js';

export interface HoverPlace {
  /** CSS px of the canvas. */
  x: number;
  y: number;
  timeMs: number;
}

export type DrawnRange = { fromMs: number; toMs: number } | { lastSeconds: number };

export interface CanvasView {
  setModel(model: EvolutionModel | null): void;
  setTheme(theme: DrawingTheme): void;
  setOptions(options: object): void;
  setRange(range: DrawnRange): void;
  select(id: number | null): void;
  moveFocus(step: number): number | null;
  readonly focused: number | null;
  readonly summary: string;
  blur(): void;
  invalidate(): void;
  destroy(): void;
}
