/**
 * The receiver's page modules that the panel draws with, as TypeScript sees them. They are plain JavaScript in
 * receiver/page, and are bundled from there: what is declared here is what the panel uses of them.
 */

declare module '@page/model.js' {
  // What the receiver tells is told once, in the frames' contract.
  export type Wave = import('../frames/schema').Wave;
  export type Spread = import('../frames/schema').Spread;
  export type Recurrence = import('../frames/schema').Recurrence;
  export type Cluster = import('../frames/schema').Cluster;
  export type Storm = import('../frames/schema').Storm;
  export type StreamEvent = import('../frames/schema').StreamEvent;
  export interface Lane {
    id: number;
    samples: Array<[number, number]>;
    bornAt: number;
    endedAt: number | null;
    mergedInto: number | null;
    splitFrom: number | null;
  }
  /** How a cluster looks, and what it is called. */
  export interface Look {
    styleOf: (cluster: Cluster) => import('@page/evolution-theme.js').SeverityStyle;
    titleOf: (cluster: Cluster) => string;
  }
  export class EvolutionModel {
    constructor(options?: { windowSeconds?: number; clock?: () => number });
    clusters: Map<number, Cluster>;
    lanes: Map<number, Lane>;
    storm: Storm | null;
    stats: import('../frames/schema').Stats | null;
    epoch: string | null;
    seq: number | null;
    severityOrder: string[];
    version: number;
    historyVersion: number;
    truncated: boolean;
    readonly storms: Storm[];
    readonly windowSeconds: number;
    now(): number;
    applySnapshot(frame: object): void;
    applyEvents(frame: object): void;
    applyHeartbeat(frame: object): void;
    applyTimeline(timeline: object): void;
    applyStorms(storms: Storm[]): void;
    rate(fromMs: number, toMs: number, stepMs: number): { fired: number[]; resolved: number[] };
    live(): Cluster[];
    outsideStorm(): Cluster[];
    fired(seconds: number): number;
    resolved(seconds: number): number;
    severityRank(name: string): number;
  }
  export function hasEnded(cluster: Cluster): boolean;
}

declare module '@page/evolution-theme.js' {
  export interface DrawingTheme {
    background: string;
    text: string;
    muted: string;
    grid: string;
    storm: string;
    ok: string;
    severity: Record<string, string>;
    font: string;
    heaviest?: number;
  }
  export interface SeverityStyle {
    look: 'critical' | 'warning' | 'info' | 'none' | 'other';
    color: string;
    pattern: 'hatch' | 'dots' | 'plain';
  }
  export function severityStyle(theme: DrawingTheme, name: string, order?: string[]): SeverityStyle;
  export function lookOf(name: string, order?: string[]): SeverityStyle['look'];
  export function mix(color: string, other: string, share: number): string;
  export function isDark(color: string): boolean;
}

declare module '@page/evolution.js' {
  type EvolutionModel = import('@page/model.js').EvolutionModel;
  type Look = import('@page/model.js').Look;
  type DrawingTheme = import('@page/evolution-theme.js').DrawingTheme;
  export interface EvolutionOptions {
    theme?: DrawingTheme;
    reducedMotion?: boolean;
    onSelect?: (id: number | null) => void;
    onHover?: (id: number | null, at: { x: number; y: number; timeMs: number }) => void;
    formatTime?: (ms: number, stepMs: number) => string;
    look?: Partial<Look>;
    mostRows?: number;
  }
  export class EvolutionView {
    constructor(host: HTMLElement, options?: EvolutionOptions);
    setModel(model: EvolutionModel | null): void;
    setTheme(theme: DrawingTheme): void;
    setOptions(options: EvolutionOptions): void;
    setRange(range: { fromMs: number; toMs: number } | { lastSeconds: number }): void;
    select(id: number | null): void;
    readonly selected: number | null;
    readonly focused: number | null;
    moveFocus(step: number): number | null;
    blur(): void;
    invalidate(): void;
    readonly summary: string;
    destroy(): void;
  }
}

declare module '@page/evolution-glyphs.js' {
  type Cluster = import('@page/model.js').Cluster;
  type Context = CanvasRenderingContext2D;
  export function severitySign(context: Context, look: string, x: number, y: number, size: number, color: string): void;
  export function trendSign(context: Context, state: string, x: number, y: number, size: number, color: string): void;
  export function mark(
    context: Context,
    name: string,
    x: number,
    y: number,
    size: number,
    color: string,
    halo: string
  ): void;
  export function marksOf(cluster: Cluster): string[];
}

declare module '@page/evolution-ribbon.js' {
  export const TILE_PX: number;
  export function contourColors(
    color: string,
    background: string,
    state: string
  ): Record<'body' | 'core' | 'heart' | 'edge', string>;
  export function patternTile(
    create: () => HTMLCanvasElement,
    kind: string,
    color: string,
    ratio: number
  ): HTMLCanvasElement | null;
}

declare module '@page/evolution-text.js' {
  export function drawable(text: unknown): string;
  export function countText(count: number): string;
  export function counted(count: number, noun: string): string;
  export class TextMeasure {
    constructor(context: CanvasRenderingContext2D);
    width(text: string, font: string): number;
    fit(text: string, font: string, widest: number): string;
    clear(): void;
  }
}

declare module '@page/silence.js' {
  export type Labels = Record<string, string>;
  export interface Matcher {
    name: string;
    values: string[];
  }
  export interface Silence {
    matchers: Matcher[];
    covers: number;
    hits: number;
    examples: Labels[];
  }
  export interface Plan {
    one: Silence;
    several: Silence[] | null;
    severalHits: number;
  }
  export function silencePlan(members: Labels[], others: Labels[]): Plan;
  export function matcherText(matcher: Matcher): string;
  export function silenceUrl(base: string, silence: Silence): string | null;
  export function addressOf(base: string): string | null;
  export function amtoolCommand(
    silence: Silence,
    how: { comment: string; duration?: string; alertmanager?: string }
  ): string;
}

declare module '@page/firing.js' {
  type Labels = import('@page/silence.js').Labels;
  export interface Firing {
    members: Labels[];
    others: Labels[];
    complete: boolean;
  }
  export function firingAlerts(api: import('@page/api.js').Asker, id: number): Promise<Firing>;
  export function hitWords(hits: number, complete: boolean): string;
}

declare module '@page/text.js' {
  export function visible(text: unknown, how?: { lines?: boolean; limit?: number }): string;
  export function safeUrl(text: unknown): URL | null;
}

declare module '@page/past.js' {
  export function pastWords(
    past: { opened_at: string; duration_seconds?: number | null; ended?: string | null },
    now: number
  ): string;
  export function likeness(similarity: number | null): string;
  export function noveltyWords(cluster: import('@page/model.js').Cluster, now: number): string;
}

declare module '@page/situation.js' {
  export function doubtsOf(model: import('@page/model.js').EvolutionModel, time: (ms: number) => string): string[];
}

declare module '@page/cascade.js' {
  type Spread = import('@page/model.js').Spread;
  export interface FirstSeen {
    value: string;
    first_at: string;
    wave: number;
  }
  export function waves(values: FirstSeen[]): Array<{ at: number; firstAt: string; values: string[] }>;
  export function bestLabel(cascade: Record<string, FirstSeen[]>, spread: Spread | null): string;
  export function caveat(spread: Spread): string;
}

declare module '@page/format.js' {
  export function count(n: number): string;
  export function plural(n: number, one: string, many?: string): string;
  export function duration(seconds: number): string;
  export function offset(seconds: number): string;
}

declare module '@page/labels.js' {
  export function inOrder<T>(labels: Record<string, T> | undefined): Array<[string, T]>;
}

declare module '@page/why-terms.js' {
  type Evidence = Record<string, number>;
  export function termName(term: string): string;
  export function termHelp(term: string): string | null;
  export function scaleOf(scores: Array<{ evidence: Evidence }>, needed: number | null): (value: number) => number;
  export function bar(value: number, scale: (value: number) => number): { x: number; width: number; against: boolean };
  export function signed(value: number): string;
  export function whatDiffers(why: object): string | null;
}

declare module '@page/model-lane.js' {
  export function valueAt(samples: Array<[number, number]>, ms: number): number | null;
}

declare module '@page/history.js' {
  type EvolutionModel = import('@page/model.js').EvolutionModel;
  export class History {
    constructor(parts: { api: import('@page/api.js').Asker; onChange: () => void; onLoading: (words: string) => void });
    readonly main: EvolutionModel;
    readonly drawn: EvolutionModel;
    readonly hasPast: boolean;
    applySnapshot(frame: object): boolean;
    applyEvents(frame: object): void;
    applyHeartbeat(frame: object): void;
    setRange(seconds: number): EvolutionModel;
    load(): Promise<void>;
    close(): void;
  }
}

declare module '@page/evolution-spread.js' {
  export function waveText(wave: import('@page/model.js').Wave): string;
}

declare module '@page/api.js' {
  /** Whatever answers GETs of the receiver's API; an error it throws has the `status` of the answer, 0 without any. */
  export interface Asker {
    get<T>(path: string, parameters?: Record<string, string | number | null | undefined>): Promise<T>;
  }
}
