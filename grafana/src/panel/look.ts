/** How clusters look and what they are called, as the panel's options and the field's configuration say. Pure. */

import { type GrafanaTheme2 } from '@grafana/data';
import { severityStyle, type DrawingTheme, type SeverityStyle } from '@page/evolution-theme.js';
import { type Cluster, type Look } from '@page/model.js';
import { ColorBy, ShowLabel, type Options } from './types';

const STATE_SHADES: Record<string, string> = {
  forming: 'blue',
  growing: 'red',
  steady: 'orange',
  resolving: 'green',
  resolved: 'text',
  merged: 'purple',
};

/** The colour that a field's value mappings give to a severity; undefined where they give none. */
export type MappedColor = (severity: string) => string | undefined;

export function lookFor(
  options: Options,
  drawing: DrawingTheme,
  theme: GrafanaTheme2,
  order: () => string[],
  mapped: MappedColor = () => undefined
): Look {
  const bySeverity = (cluster: Cluster): SeverityStyle => {
    const style = severityStyle(drawing, cluster.severity, order());
    const color = mapped(cluster.severity);
    return color ? { ...style, color } : style;
  };
  // The sign and the pattern always tell the severity: a colour that means something else must not hide it.
  const withColor = (cluster: Cluster, color: string): SeverityStyle => ({ ...bySeverity(cluster), color });
  const styles: Record<ColorBy, (cluster: Cluster) => SeverityStyle> = {
    [ColorBy.Severity]: bySeverity,
    [ColorBy.State]: (cluster) => withColor(cluster, stateColor(cluster.state, drawing, theme)),
    [ColorBy.Label]: (cluster) => withColor(cluster, labelColor(labelOf(cluster, options.colorLabel), drawing, theme)),
  };
  return {
    styleOf: styles[options.colorBy] ?? bySeverity,
    titleOf: (cluster) => (options.showLabel === ShowLabel.Label && labelOf(cluster, options.label)) || cluster.title,
  };
}

function stateColor(state: string, drawing: DrawingTheme, theme: GrafanaTheme2): string {
  const shade = STATE_SHADES[state] ?? 'text';
  return shade === 'text'
    ? drawing.muted
    : theme.visualization.getColorByName(theme.isDark ? shade : `semi-dark-${shade}`);
}

/** The cluster's value of a label: the one all members share, else the one most of them have. */
export function labelOf(cluster: Cluster, name: string): string {
  const common = cluster.labels?.[name];
  if (common) {
    return common;
  }
  const counts = Object.entries(cluster.affected?.[name] ?? {}).sort(([, a], [, b]) => b - a);
  return counts[0]?.[0] ?? '';
}

/** Of Grafana's classic palette, always the same for the same value: a service keeps its colour from storm to storm. */
export function labelColor(value: string, drawing: DrawingTheme, theme: GrafanaTheme2): string {
  if (!value) {
    return drawing.muted;
  }
  const { palette } = theme.visualization;
  const color = theme.visualization.getColorByName(palette[hash(value) % palette.length]);
  return color;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  }
  return state >>> 0;
}

export interface LegendItem {
  name: string;
  style: SeverityStyle;
  /** Clusters that fire; others have the colour too. */
  count: number;
}

type Found = LegendItem & { severity: string };

const MOST_ITEMS = 12;

/** What the colours mean, of the clusters that are shown: the most first, for severities the worst first. */
export function legendItems(
  clusters: Iterable<Cluster>,
  look: Look,
  options: Pick<Options, 'colorBy' | 'colorLabel'>,
  order: string[]
): LegendItem[] {
  const found = new Map<string, Found>();
  const nameOf = {
    [ColorBy.Severity]: (cluster: Cluster) => cluster.severity || 'no severity',
    [ColorBy.State]: (cluster: Cluster) => cluster.state,
    [ColorBy.Label]: (cluster: Cluster) => labelOf(cluster, options.colorLabel) || `no ${options.colorLabel}`,
  }[options.colorBy];
  for (const cluster of clusters) {
    const name = nameOf(cluster);
    const item = found.get(name) ?? { name, severity: cluster.severity, style: look.styleOf(cluster), count: 0 };
    item.count += cluster.firing > 0 ? 1 : 0;
    found.set(name, item);
  }
  // A severity that is not in the order ranks above all, none below: as the receiver has it.
  const rank = ({ severity }: Found) =>
    severity ? (order.includes(severity) ? order.indexOf(severity) : order.length) : -1;
  const items = [...found.values()];
  items.sort((a, b) =>
    options.colorBy === ColorBy.Severity ? rank(b) - rank(a) : b.count - a.count || (a.name < b.name ? -1 : 1)
  );
  return items.slice(0, MOST_ITEMS);
}
