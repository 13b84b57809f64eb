import { css } from '@emotion/css';
import { type Field, type LinkModel, type GrafanaTheme2 } from '@grafana/data';
import {
  Portal,
  useStyles2,
  VizTooltipColorPlacement,
  VizTooltipContainer,
  VizTooltipContent,
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
import { heldBackWords } from './clusterWords';
import { growthOf } from './now/growth';
import { SeverityIcon } from './SeverityIcon';
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
  return (
    <Portal>
      <VizTooltipContainer
        position={position}
        offset={{ x: 14, y: 14 }}
        className={styles.place}
        data-testid={testIds.tooltip}
      >
        <VizTooltipWrapper className={styles.wrapper}>
          <div className={styles.header}>
            <SeverityIcon style={look.styleOf(cluster)} />
            <bdi>{visible(cluster.title || `Cluster ${cluster.id}`, { limit: TITLE_SHOWN })}</bdi>
          </div>
          <VizTooltipContent items={tooltipItems(cluster, model, time)} />
          <div className={styles.footer}>{openWords(links.map(({ title }) => title))}</div>
        </VizTooltipWrapper>
      </VizTooltipContainer>
    </Portal>
  );
}

/** The box follows the pointer, so nothing in it can be clicked: it says what a click opens. */
export function openWords(links: string[]): string {
  const named = links.slice(0, VALUES_SHOWN).map((title) => visible(title, { limit: 40 }));
  const more = links.length > VALUES_SHOWN ? ` and ${links.length - VALUES_SHOWN} more` : '';
  return `Click or Enter: its alerts, and why each is here${links.length ? `; links: ${named.join(', ')}${more}` : ''}`;
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
      [
        `${count(cluster.firing)} of ${plural(cluster.size, 'alert')}`,
        ...(added ? [`${count(added)} new in a minute`] : []),
        ...heldBackWords(cluster),
      ].join(', '),
    ],
    ['State', `${cluster.state}, since ${time(opened)}, ${duration((now - opened) / 1000)}`],
  ];
  if (cluster.source_quiet_at) {
    rows.push(['Its source', `quiet by ${time(Date.parse(cluster.source_quiet_at))}: may not have recovered`]);
  }
  const { spread, recurs } = cluster;
  if (spread?.waves?.length) {
    rows.push([
      `Order by ${visible(spread.label, { limit: 30 })}`,
      spread.waves.slice(0, VALUES_SHOWN).map(waveText).join(', then '),
    ]);
  }
  // The severity stands above, and is the receiver's.
  const telling = inOrder(cluster.labels).filter(([name, value]) => name !== 'severity' && String(value).trim());
  for (const [name, value] of telling.slice(0, LABELS_SHOWN)) {
    rows.push([visible(name, { limit: 40 }), visible(value, { limit: 80 })]);
  }
  for (const [name, values] of Object.entries(cluster.affected ?? {})) {
    if (name !== 'severity' && !cluster.labels?.[name] && Object.keys(values).length) {
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
    rows.push(['Why one', `${Math.round(cluster.confidence * 100)} % sure of the grouping`]);
  }
  return rows
    .filter(([, value]) => value.trim())
    .map(([label, value]) => ({
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

const getStyles = (theme: GrafanaTheme2) => ({
  // It is measured where it stands: gliding from there would show it beyond the window's edge.
  place: css({ transition: 'none !important' }),
  wrapper: css({ minWidth: 'min(300px, 100vw - 28px)', maxWidth: 'min(480px, 100vw - 28px)', lineHeight: 1.35 }),
  header: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(1), padding: theme.spacing(1) }),
  footer: css({
    padding: theme.spacing(1),
    borderTop: `1px solid ${theme.colors.border.weak}`,
    color: theme.colors.text.secondary,
  }),
});
