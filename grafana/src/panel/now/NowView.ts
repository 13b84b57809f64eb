/**
 * The Now view: the live clusters as cells, as large as they have alerts firing, on one canvas.
 *
 * Made like the Evolution view and used alike: it reads the model and never changes it, and draws only what changed.
 */

import { marksOf, mark, severitySign, trendSign } from '@page/evolution-glyphs.js';
import { contourColors, patternTile } from '@page/evolution-ribbon.js';
import { waveText } from '@page/evolution-spread.js';
import { countText, counted, drawable, TextMeasure } from '@page/evolution-text.js';
import { isDark, mix, severityStyle, type DrawingTheme, type SeverityStyle } from '@page/evolution-theme.js';
import { type Cluster, type EvolutionModel, type Look } from '@page/model.js';
import { isKnown, situationOf } from '../situation';
import { type CanvasView, type HoverPlace } from '../view';
import { growthOf, growthWords, type Growth } from './growth';
import { discOf, discScales, GLOW, wordBox, type Disc, type WordBox } from './card';
import { HEADING, layOut, total, type Cell, type Region, type Sized } from './layout';
import { wrap } from './wrap';

/** Counts change faster than one can read. */
const LAYOUT_MS = 500;
/** Growth ages even when no event comes. */
const CALM_MS = 1000;
const EASE_MS = 90;
const MOST_RATIO = 3;
const RADIUS = 4;

interface Options {
  theme: DrawingTheme;
  reducedMotion: boolean;
  look: Partial<Look>;
  onSelect: (id: number | null) => void;
  onHover: (id: number | null, at: HoverPlace) => void;
}

interface Shown extends Cell {
  target: Cell;
}

export class NowView implements CanvasView {
  private readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  private readonly measure: TextMeasure;
  private readonly undo: Array<() => void> = [];
  private readonly tiles = new Map<string, CanvasPattern | null>();
  private readonly options: Options;
  private model: EvolutionModel | null = null;
  private theme: DrawingTheme;
  private size = { width: 0, height: 0, ratio: 1 };
  private regions: Region[] = [];
  private shown = new Map<number, Shown>();
  private scales = new Map<Region['kind'], number>();
  private laidOutAt = -Infinity;
  private laidOutVersion = -1;
  private drawnVersion = -1;
  private drawnAt = -Infinity;
  private lastFrameAt = 0;
  private stale = true;
  private moving = false;
  private frame: number | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private onScreen = true;
  private destroyed = false;
  private hovered: number | null = null;
  private selected: number | null = null;
  private focusedId: number | null = null;

  constructor(
    private readonly host: HTMLElement,
    options: Options
  ) {
    this.options = { ...options };
    this.theme = options.theme;
    const document = host.ownerDocument;
    this.canvas = document.createElement('canvas');
    Object.assign(this.canvas.style, {
      position: 'absolute',
      inset: '0',
      width: '100%',
      height: '100%',
      display: 'block',
    });
    this.canvas.setAttribute('role', 'img');
    this.canvas.setAttribute('aria-label', 'Live alert clusters');
    host.append(this.canvas);
    const context = this.canvas.getContext('2d');
    const measuring = document.createElement('canvas').getContext('2d');
    if (!context || !measuring) {
      throw new Error('this browser gives no 2D canvas');
    }
    this.context = context;
    this.measure = new TextMeasure(measuring);
    this.listen();
    this.resize();
  }

  setModel(model: EvolutionModel | null) {
    if (model !== this.model) {
      this.model = model;
      this.shown.clear();
      this.forget();
    }
  }

  setTheme(theme: DrawingTheme) {
    this.theme = theme;
    this.measure.clear();
    this.tiles.clear();
    this.forget();
  }

  setOptions(options: Partial<Options>) {
    Object.assign(this.options, options);
    this.forget();
  }

  /** It shows what is now, whatever the range. */
  setRange() {}

  select(id: number | null) {
    this.selected = id;
    this.touch();
  }

  get focused() {
    return this.focusedId;
  }

  moveFocus(step: number): number | null {
    const ids = this.order();
    if (!ids.length) {
      return null;
    }
    const from = ids.indexOf(this.focusedId ?? this.selected ?? -1);
    const next = from < 0 ? (step > 0 ? 0 : ids.length - 1) : (from + step + ids.length) % ids.length;
    this.focusedId = ids[next];
    this.touch();
    const cell = this.shown.get(this.focusedId)!;
    this.options.onHover(this.focusedId, {
      x: cell.x + cell.width / 2,
      y: cell.y + cell.height / 2,
      timeMs: this.now(),
    });
    return this.focusedId;
  }

  blur() {
    this.focusedId = null;
    this.touch();
  }

  invalidate() {
    this.request();
  }

  get summary() {
    return this.canvas.getAttribute('aria-label') ?? '';
  }

  /** The picture as it is, for an export. */
  toBlob(done: (blob: Blob | null) => void) {
    this.canvas.toBlob(done);
  }

  destroy() {
    this.destroyed = true;
    this.sleep();
    for (const undo of this.undo) {
      undo();
    }
    this.canvas.remove();
  }

  // --- element, events

  private listen() {
    const document = this.host.ownerDocument;
    const view = document.defaultView ?? globalThis.window;
    this.on(this.canvas, 'pointermove', (event) => this.point(event as PointerEvent));
    this.on(this.canvas, 'pointerleave', () => this.leave());
    this.on(this.canvas, 'click', (event) => this.options.onSelect(this.cellAt(event as PointerEvent)));
    this.on(document, 'visibilitychange', () => this.wakeOrSleep());
    if (view.ResizeObserver) {
      const observer = new view.ResizeObserver(() => {
        this.resize();
        // A canvas is blank once its size is set: draw before the browser paints.
        if (this.stale && this.awake) {
          this.render(this.lastFrameAt, 0);
        }
      });
      observer.observe(this.host);
      this.undo.push(() => observer.disconnect());
    }
    if (view.IntersectionObserver) {
      const observer = new view.IntersectionObserver((entries) => {
        this.onScreen = entries[entries.length - 1].isIntersecting;
        this.wakeOrSleep();
      });
      observer.observe(this.host);
      this.undo.push(() => observer.disconnect());
    }
  }

  private on(target: EventTarget, type: string, handler: (event: Event) => void) {
    target.addEventListener(type, handler);
    this.undo.push(() => target.removeEventListener(type, handler));
  }

  private point(event: PointerEvent) {
    const id = this.cellAt(event);
    if (id !== null || this.hovered !== null) {
      const box = this.canvas.getBoundingClientRect();
      this.options.onHover(id, { x: event.clientX - box.left, y: event.clientY - box.top, timeMs: this.now() });
    }
    this.canvas.style.cursor = id === null ? '' : 'pointer';
    if (id !== this.hovered) {
      this.hovered = id;
      this.touch();
    }
  }

  private leave() {
    if (this.hovered !== null) {
      this.options.onHover(null, { x: 0, y: 0, timeMs: 0 });
      this.hovered = null;
      this.touch();
    }
  }

  private cellAt(event: MouseEvent): number | null {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    for (const cell of this.shown.values()) {
      if (x >= cell.x && x < cell.x + cell.width && y >= cell.y && y < cell.y + cell.height) {
        return cell.id;
      }
    }
    return null;
  }

  private resize() {
    const view = this.host.ownerDocument.defaultView ?? globalThis.window;
    const ratio = Math.min(MOST_RATIO, view.devicePixelRatio || 1);
    const width = Math.floor(this.host.clientWidth);
    const height = Math.floor(this.host.clientHeight);
    if (width === this.size.width && height === this.size.height && ratio === this.size.ratio) {
      return;
    }
    this.size = { width, height, ratio };
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    this.tiles.clear();
    this.shown.clear();
    this.forget();
  }

  // --- when to draw

  private get awake() {
    return (
      !this.destroyed && this.onScreen && !this.host.ownerDocument.hidden && this.size.width > 0 && this.size.height > 0
    );
  }

  private wakeOrSleep() {
    if (this.awake) {
      this.forget();
    } else {
      this.sleep();
    }
  }

  private sleep() {
    if (this.frame !== null) {
      cancelAnimationFrame(this.frame);
    }
    clearTimeout(this.timer);
    this.frame = null;
  }

  private forget() {
    this.laidOutVersion = -1;
    this.touch();
  }

  private touch() {
    this.stale = true;
    this.request();
  }

  private request() {
    if (this.frame === null && this.awake) {
      this.frame = requestAnimationFrame((time) => this.tick(time));
    }
  }

  private tick(time: number) {
    this.frame = null;
    if (!this.awake) {
      return;
    }
    const elapsed = Math.min(100, time - this.lastFrameAt);
    this.lastFrameAt = time;
    const changed = (this.model?.version ?? -1) !== this.drawnVersion && time - this.drawnAt >= 80;
    if (this.stale || this.moving || changed || time - this.drawnAt >= CALM_MS) {
      this.render(time, elapsed);
    }
    if (this.moving) {
      this.request();
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.request(), (this.model?.version ?? -1) !== this.drawnVersion ? 100 : CALM_MS);
  }

  // --- drawing

  private now() {
    return this.model?.now() ?? Date.now();
  }

  private order() {
    return this.regions.flatMap(({ cells }) => cells.map(({ id }) => id));
  }

  private render(time: number, elapsed: number) {
    const version = this.model?.version ?? -1;
    if (this.laidOutVersion < 0 || (version !== this.laidOutVersion && time - this.laidOutAt >= LAYOUT_MS)) {
      this.arrange();
      this.laidOutVersion = version;
      this.laidOutAt = time;
    }
    this.moving = this.ease(elapsed);
    this.draw();
    this.stale = false;
    this.drawnVersion = version;
    this.drawnAt = time;
  }

  private arrange() {
    const { width, height } = this.size;
    const [inside, outside] = this.sides();
    this.regions = layOut(inside, outside, width, height);
    this.scales = discScales(this.regions, (id) => this.model?.clusters.get(id)?.firing ?? 0);
    const before = this.shown;
    this.shown = new Map();
    for (const target of this.regions.flatMap(({ cells }) => cells)) {
      const known = before.get(target.id);
      const from = known && !this.options.reducedMotion ? known : target;
      this.shown.set(target.id, { ...from, id: target.id, target });
    }
    this.canvas.setAttribute('aria-label', this.spoken());
  }

  /** Live clusters with firing alerts: those of the storm, and the others. */
  private sides(): [Sized[], Sized[]] {
    const { model } = this;
    if (!model) {
      return [[], []];
    }
    const sized = (clusters: Cluster[]) => clusters.map(({ id, firing }) => ({ id, firing: firing ?? 0 }));
    const firing = model.live().filter((cluster) => (cluster.firing ?? 0) > 0);
    if (!model.storm || model.storm.state === 'ended') {
      return [[], sized(firing)];
    }
    const outside = model.outsideStorm();
    const apart = new Set(outside.map(({ id }) => id));
    return [sized(firing.filter(({ id }) => !apart.has(id))), sized(outside)];
  }

  private ease(elapsed: number) {
    const share = this.options.reducedMotion ? 1 : 1 - Math.exp(-elapsed / EASE_MS);
    let moving = false;
    for (const cell of this.shown.values()) {
      for (const side of ['x', 'y', 'width', 'height'] as const) {
        const distance = cell.target[side] - cell[side];
        cell[side] = Math.abs(distance) < 0.4 ? cell.target[side] : cell[side] + distance * share;
        moving ||= cell[side] !== cell.target[side];
      }
    }
    return moving;
  }

  private draw() {
    const { context, theme, size } = this;
    context.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    context.fillStyle = theme.background;
    context.fillRect(0, 0, size.width, size.height);
    context.textBaseline = 'middle';
    const now = this.now();
    const [inside, outside] = this.sides();
    for (const region of this.regions) {
      this.heading(region, region.kind === 'storm' ? inside : outside);
      for (const { id } of region.cells) {
        const cluster = this.model?.clusters.get(id);
        const cell = this.shown.get(id);
        if (cluster && cell) {
          this.cell(cluster, cell, now, this.scales.get(region.kind) ?? 1);
        }
      }
    }
    if (this.model && isKnown(this.model) && !this.shown.size) {
      this.calm();
    }
  }

  private font(size: number, weight = 500) {
    return `${Math.min(weight, this.theme.heaviest ?? weight)} ${size}px ${this.theme.font}`;
  }

  /** Cells move seldom; what is counted above them is as of now, as are the words around the picture. */
  private heading({ kind, x, y, width, cells }: Region, clusters: Sized[]) {
    const { context, theme } = this;
    if (!clusters.length) {
      return;
    }
    const shown = new Set(cells.map(({ id }) => id));
    const rest = clusters.filter(({ id }) => !shown.has(id));
    const storm = kind === 'storm';
    const name = storm ? 'In the storm' : kind === 'outside' ? 'Outside the storm' : 'Firing now';
    if (storm) {
      context.fillStyle = theme.storm;
      context.fillRect(x, y, width, 2);
    }
    const line = y + HEADING / 2;
    context.textAlign = 'left';
    context.font = this.font(13, 700);
    context.fillStyle = storm ? mix(theme.storm, theme.text, isDark(theme.background) ? 0.45 : 0.1) : theme.text;
    context.fillText(name, x + 8, line);
    const after = this.measure.width(name, this.font(13, 700)) + 18;
    const unseen = rest.length
      ? `, of them ${countText(rest.length)} (${countText(total(rest))} firing) not shown for want of room`
      : '';
    const words = `${counted(clusters.length, 'cluster')} · ${countText(total(clusters))} firing${unseen}`;
    context.font = this.font(12);
    context.fillStyle = theme.muted;
    context.fillText(this.measure.fit(words, this.font(12), width - after - 4), x + after, line);
  }

  private style(cluster: Cluster): SeverityStyle {
    return (
      this.options.look.styleOf?.(cluster) ?? severityStyle(this.theme, cluster.severity, this.model?.severityOrder)
    );
  }

  private cell(cluster: Cluster, cell: Shown, now: number, scale: number) {
    const { context, theme } = this;
    const { x, y, width, height } = cell;
    if (width < 8 || height < 8) {
      return;
    }
    const style = this.style(cluster);
    const chosen = cluster.id === this.hovered || cluster.id === this.selected || cluster.id === this.focusedId;
    const path = new Path2D();
    path.roundRect(x + 0.5, y + 0.5, width - 1, height - 1, RADIUS);
    context.fillStyle = mix(theme.grid, theme.background, chosen ? 0.1 : 0.55);
    context.fill(path);
    const growth = growthOf(this.model?.lanes.get(cluster.id), cluster.firing ?? 0, now);
    context.fillStyle = contourColors(style.color, theme.background, cluster.state).edge;
    context.fillRect(x, y + RADIUS, 3, height - 2 * RADIUS);
    const disc = discOf(cell, cluster.firing ?? 0, scale);
    this.disc(cluster, style, disc, growth);
    this.words(cluster, style, wordBox(cell, disc), growth);
    if (chosen) {
      context.strokeStyle = theme.text;
      context.lineWidth = cluster.id === this.hovered ? 1.5 : 2.5;
      context.setLineDash(cluster.id === this.focusedId ? [5, 3] : []);
      context.stroke(path);
      context.setLineDash([]);
    }
  }

  /** A storm cell as a weather radar shows it: its area is the alerts, the outer ring what is new of them. */
  private disc(cluster: Cluster, style: SeverityStyle, { x, y, radius }: Disc, growth: Growth) {
    const { context, theme } = this;
    const colors = contourColors(style.color, theme.background, cluster.state);
    const ring = (share: number) => {
      context.beginPath();
      context.arc(x, y, Math.max(0.5, radius * share), 0, Math.PI * 2);
    };
    if (cluster.state === 'growing') {
      context.globalAlpha = 0.16;
      ring(1);
      context.lineWidth = 2 * Math.min(GLOW, radius * 0.2);
      context.strokeStyle = style.color;
      context.stroke();
      context.globalAlpha = 1;
    }
    ring(1);
    context.fillStyle = colors.body;
    context.fill();
    const tile = this.tile(style);
    if (tile) {
      context.fillStyle = tile;
      context.globalAlpha = 0.8;
      context.fill();
      context.globalAlpha = 1;
    }
    if (cluster.state !== 'forming' && radius > 6) {
      ring(0.72);
      context.fillStyle = colors.core;
      context.fill();
      ring(0.4);
      context.fillStyle = colors.heart;
      context.fill();
    }
    ring(1);
    context.strokeStyle = colors.edge;
    context.lineWidth = growth.share > 0 ? 2.5 : 1;
    context.setLineDash(cluster.state === 'forming' ? [3, 3] : []);
    context.stroke();
    context.setLineDash([]);
    if (growth.share > 0 && !growth.born && radius > 6) {
      this.grown(radius, Math.sqrt(1 - growth.share), ring);
    }
  }

  /** Where the cell's edge was a minute ago: between it and the edge of now is what is new. */
  private grown(radius: number, before: number, ring: (share: number) => void) {
    const { context, theme } = this;
    context.strokeStyle = theme.text;
    context.globalAlpha = 0.22;
    context.lineWidth = radius * (1 - before);
    ring((1 + before) / 2);
    context.stroke();
    context.globalAlpha = 0.9;
    context.lineWidth = 1.5;
    context.setLineDash([4, 3]);
    ring(before);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  private words(cluster: Cluster, style: SeverityStyle, box: WordBox, growth: Growth) {
    const { context, theme } = this;
    const { x, width, large } = box;
    if (width < 40) {
      return;
    }
    const title =
      drawable((this.options.look.titleOf ?? ((c: Cluster) => c.title))(cluster)) || `Cluster ${cluster.id}`;
    const [font, small] = [this.font(large ? 16 : 13, 600), this.font(large ? 13 : 12)];
    const lineHeight = large ? 20 : 16;
    const number = countText(cluster.firing ?? 0);
    const numberFont = this.font(large ? 30 : 14, 700);
    const numberWidth = this.measure.width(number, numberFont);
    // Large: the figure above the title. Small: at the right end of the line, where figures can be compared.
    const head = large ? 38 : 0;
    const textWidth = large ? width : width - numberWidth - 32;
    const room = Math.max(1, Math.floor((box.height - head) / lineHeight));
    const lines = wrap(title, font, textWidth, Math.min(large ? 3 : 2, room), this.measure);
    const details = this.details(cluster, growth).slice(0, Math.min(large ? 4 : 1, room - lines.length));
    const top = box.y + (box.height - head - (lines.length + details.length) * lineHeight) / 2;
    const signX = large ? x + 7 : x + width - numberWidth - 14;
    const numberY = large ? top + head / 2 - 3 : box.y + box.height / 2;
    context.textAlign = 'left';
    severitySign(context, style.look, signX, numberY, large ? 14 : 9, style.color);
    this.text(number, signX + (large ? 16 : 10), numberY, numberFont, cluster.firing ? theme.text : theme.muted);
    if (large) {
      let free = signX + 28 + numberWidth;
      trendSign(context, cluster.state, free, numberY, 10, cluster.state === 'growing' ? style.color : theme.muted);
      for (const name of marksOf(cluster)) {
        free += 20;
        mark(context, name, free, numberY, 11, theme.text, theme.background);
      }
    }
    let line = top + head + lineHeight / 2;
    for (const part of lines) {
      this.text(part, x, line, font, theme.text);
      line += lineHeight;
    }
    for (const detail of details) {
      this.text(this.measure.fit(detail, small, textWidth), x, line, small, theme.muted);
      line += lineHeight;
    }
  }

  /** Under the title, the most urgent first: what is new, where it began and went, whom it hits. */
  private details(cluster: Cluster, growth: Growth): string[] {
    const { spread, affected, recurs } = cluster;
    const told = [[growthWords(growth), recurs ? 'seen before' : ''].filter(Boolean).join(' · ')];
    if (spread?.waves?.length) {
      told.push(`${drawable(spread.label)}: ${spread.waves.slice(0, 4).map(waveText).join(', then ')}`);
    }
    for (const name of ['team', 'namespace']) {
      const values = Object.entries(affected?.[name] ?? {}).sort(([, a], [, b]) => b - a);
      if (values.length) {
        told.push(
          `${name}: ${values
            .slice(0, 4)
            .map(([value, number]) => `${drawable(value)} ${countText(number)}`)
            .join(', ')}`
        );
      }
    }
    return told.filter(Boolean);
  }

  private text(text: string, x: number, y: number, font: string, color: string) {
    const { context } = this;
    context.font = font;
    context.fillStyle = color;
    context.fillText(text, x, y);
  }

  private tile(style: SeverityStyle) {
    const key = `${style.pattern} ${style.color}`;
    if (!this.tiles.has(key)) {
      const color = mix(style.color, this.theme.background, 0.35);
      const tile = patternTile(
        () => this.host.ownerDocument.createElement('canvas'),
        style.pattern,
        color,
        this.size.ratio
      );
      const pattern = tile && this.context.createPattern(tile, 'repeat');
      pattern?.setTransform({ a: 1 / this.size.ratio, d: 1 / this.size.ratio });
      this.tiles.set(key, pattern);
    }
    return this.tiles.get(key) ?? null;
  }

  private calm() {
    const { context, theme, size } = this;
    context.textAlign = 'center';
    this.text(this.calmWords(), size.width / 2, size.height / 2, this.font(17), theme.text);
  }

  /** As the line above the picture has it. */
  private calmWords() {
    return `${situationOf(this.model!, () => '').heading}.`;
  }

  private spoken() {
    const told = this.regions
      .filter(({ clusters }) => clusters)
      .map(({ kind, clusters, firing }) => {
        const where = kind === 'storm' ? 'in the storm' : kind === 'outside' ? 'outside the storm' : 'live';
        return `${counted(clusters, 'cluster')} ${where}, ${counted(firing, 'alert')} firing`;
      });
    return `Live alert clusters: ${told.join('; ') || (this.model && isKnown(this.model) ? 'nothing is firing' : 'nothing is known yet')}.`;
  }
}
