import { css } from '@emotion/css';
import { type GrafanaTheme2 } from '@grafana/data';
import { Button, useStyles2 } from '@grafana/ui';
import { count, duration } from '@page/format.js';
import { type Cluster, type EvolutionModel, type Look } from '@page/model.js';
import { visible } from '@page/text.js';
import React from 'react';
import { heldBackWords, quietWords } from './clusterWords';
import { growthOf } from './now/growth';
import { SeverityIcon } from './SeverityIcon';
import { isKnown, NOTHING_KNOWN } from './situation';
import { testIds } from './testIds';

/** More rows nobody reads, and each costs with every change. */
const ROWS = 200;

interface Props {
  model: EvolutionModel;
  look: Look;
  time: (ms: number) => string;
  onOpen: (id: number) => void;
}

/** What the pictures show, as a table: for screen readers, for keyboards, and for who likes figures best. */
export function ClusterTable({ model, look, time, onOpen }: Props) {
  const styles = useStyles2(getStyles);
  const live = model.live();
  const now = model.now();
  const storming = Boolean(model.storm && model.storm.state !== 'ended');
  const apart = new Set(storming ? model.outsideStorm().map(({ id }) => id) : []);
  return (
    <div className={styles.scroll} tabIndex={0} role="region" aria-label="Live alert clusters">
      <table className={styles.table} data-testid={testIds.table}>
        <thead>
          <tr>
            <th scope="col">Severity</th>
            <th scope="col">Cluster</th>
            <th scope="col" className={styles.number}>
              Firing
            </th>
            <th scope="col" className={styles.number}>
              New in a minute
            </th>
            <th scope="col">State</th>
            <th scope="col" className={styles.number}>
              Age
            </th>
            {storming && <th scope="col">Storm</th>}
          </tr>
        </thead>
        <tbody>
          {live.slice(0, ROWS).map((cluster: Cluster) => (
            <tr key={cluster.id}>
              <td>
                <span className={styles.severity}>
                  <SeverityIcon style={look.styleOf(cluster)} /> {visible(cluster.severity || 'none', { limit: 30 })}
                </span>
              </td>
              <td>
                <Button fill="text" size="sm" className={styles.title} onClick={() => onOpen(cluster.id)}>
                  <bdi>{visible(look.titleOf(cluster) || `Cluster ${cluster.id}`, { limit: 160 })}</bdi>
                </Button>
                <span className={styles.muted}> {remarks(cluster, time)}</span>
              </td>
              <td className={styles.number}>{count(cluster.firing)}</td>
              <td className={styles.number}>
                {count(growthOf(model.lanes.get(cluster.id), cluster.firing, now).added)}
              </td>
              <td>{cluster.state}</td>
              <td className={styles.number}>{duration((now - Date.parse(cluster.opened_at)) / 1000)}</td>
              {storming && <td>{cluster.firing ? (apart.has(cluster.id) ? 'outside' : 'inside') : '–'}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {!live.length && <p className={styles.muted}>{isKnown(model) ? 'No cluster is live.' : `${NOTHING_KNOWN}.`}</p>}
      {live.length > ROWS && <p className={styles.muted}>and {count(live.length - ROWS)} more</p>}
    </div>
  );
}

const remarks = (cluster: Cluster, time: (ms: number) => string) =>
  [cluster.recurs ? 'seen before' : '', ...heldBackWords(cluster), quietWords(cluster, time)]
    .filter(Boolean)
    .join(' · ');

const getStyles = (theme: GrafanaTheme2) => ({
  scroll: css({ height: '100%', overflow: 'auto' }),
  table: css({
    width: '100%',
    'th, td': {
      padding: theme.spacing(0.25, 1),
      textAlign: 'left',
      borderBottom: `1px solid ${theme.colors.border.weak}`,
    },
    th: {
      position: 'sticky',
      top: 0,
      background: theme.colors.background.primary,
      color: theme.colors.text.secondary,
      whiteSpace: 'nowrap',
      fontWeight: theme.typography.fontWeightMedium,
    },
  }),
  title: css({ whiteSpace: 'normal', textAlign: 'left', height: 'auto', padding: 0 }),
  severity: css({ display: 'inline-flex', gap: theme.spacing(0.5), alignItems: 'center' }),
  number: css({ '&&': { textAlign: 'right' }, fontVariantNumeric: 'tabular-nums', whiteSpace: 'nowrap' }),
  muted: css({ color: theme.colors.text.secondary }),
});
