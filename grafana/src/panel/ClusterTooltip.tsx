import { css } from '@emotion/css';
import { type Field, type LinkModel, type GrafanaTheme2 } from '@grafana/data';
import {
  Portal,
  useStyles2,
  VizTooltipColorIndicator,
  VizTooltipColorPlacement,
  VizTooltipContainer,
  VizTooltipContent,
  VizTooltipFooter,
  VizTooltipHeader,
  VizTooltipWrapper,
  type VizTooltipItem,
} from '@grafana/ui';
import { count, duration, plural } from '@page/format.js';
import { waveText } from '@page/evolution-spread.js';
import { inOrder } from '@page/labels.js';
import { type Cluster, type EvolutionModel, type Look } from '@page/model.js';
import { pastWords } from '@page/past.js';
import { visible } from '@page/text.js';
import React from 'react';
import { growthOf } from './now/growth';
import { testIds } from './testIds';

const LABELS_SHOWN = 6;
const VALUES_SHOWN = 3;
/** Grafana's row squeezes the name for a longer value. */
const VALUE_SHOWN = 48;
const TITLE_SHOWN = 100;

interface Props {
  cluster: Cluster;
  model: EvolutionModel;
  look: Look;
  links: Array<LinkModel<Field>>;
  /** Of the window. */
  position: { x: number; y: number };
  time: (ms: number) => string;
}

/** What a lane or a cell is, beside the pointer: Grafana's own tooltip with our words. */
export function ClusterTooltip({ cluster, model, look, links, position, time }: Props) {
  const styles = useStyles2(getStyles);
  const style = look.styleOf(cluster);
  const color = {
    color: style.color,
    colorIndicator: VizTooltipColorIndicator.value,
    colorPlacement: VizTooltipColorPlacement.first,
  };
  return (
    <Portal>
      <VizTooltipContainer position={position} offset={{ x: 14, y: 14 }} data-testid={testIds.tooltip}>
        <VizTooltipWrapper className={styles.wrapper}>
          <VizTooltipHeader
            item={{
              label: visible(cluster.title || `Cluster ${cluster.id}`, { limit: TITLE_SHOWN }),
              value: '',
              ...color,
            }}
          />
          <VizTooltipContent items={tooltipItems(cluster, model, time)} />
          {links.length > 0 && <VizTooltipFooter dataLinks={links} />}
        </VizTooltipWrapper>
      </VizTooltipContainer>
    </Portal>
  );
}

/** The rows of the tooltip: how much, how it goes, what it has in common, and why it is one cluster. */
export function tooltipItems(cluster: Cluster, model: EvolutionModel, time: (ms: number) => string): VizTooltipItem[] {
  const now = model.now();
  const opened = Date.parse(cluster.opened_at);
  const { added } = growthOf(model.lanes.get(cluster.id), cluster.firing, now);
  const rows: Array<[string, string]> = [
    ['Severity', visible(cluster.severity || 'none', { limit: 40 })],
    [
      'Firing',
      `${count(cluster.firing)} of ${plural(cluster.size, 'alert')}${added ? `, ${count(added)} new in a minute` : ''}`,
    ],
    ['State', `${cluster.state}, since ${time(opened)}, ${duration((now - opened) / 1000)}`],
  ];
  const { spread, recurs } = cluster;
  if (spread?.waves?.length) {
    rows.push([
      `Order by ${visible(spread.label, { limit: 30 })}`,
      spread.waves.slice(0, VALUES_SHOWN).map(waveText).join(', then '),
    ]);
  }
  for (const [name, value] of inOrder(cluster.labels).slice(0, LABELS_SHOWN)) {
    rows.push([visible(name, { limit: 40 }), visible(value, { limit: 80 })]);
  }
  for (const [name, values] of Object.entries(cluster.affected ?? {})) {
    if (!cluster.labels?.[name] && Object.keys(values).length) {
      rows.push([visible(name, { limit: 40 }), mostOf(values)]);
    }
  }
  if (recurs) {
    rows.push(['Seen before', pastWords(recurs, now)]);
  }
  if (cluster.acked_by) {
    rows.push(['Acknowledged by', visible(cluster.acked_by, { limit: 60 })]);
  }
  if (typeof cluster.confidence === 'number') {
    rows.push(['Why one', `${Math.round(cluster.confidence * 100)} % sure; a click tells each reason`]);
  }
  return rows.map(([label, value]) => ({
    label,
    value: visible(value, { limit: VALUE_SHOWN }),
    colorPlacement: VizTooltipColorPlacement.hidden,
  }));
}

function mostOf(values: Record<string, number>): string {
  const all = Object.entries(values).sort(([, a], [, b]) => b - a);
  const named = all
    .slice(0, VALUES_SHOWN)
    .map(([value, number]) => `${visible(value, { limit: 40 })} ${count(number)}`);
  return named.join(', ') + (all.length > VALUES_SHOWN ? ` +${all.length - VALUES_SHOWN}` : '');
}

const getStyles = (_: GrafanaTheme2) => ({
  wrapper: css({ minWidth: 300, maxWidth: 480, lineHeight: 1.35 }),
});
