import { css } from '@emotion/css';
import { type GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { inOrder } from '@page/labels.js';
import { visible } from '@page/text.js';
import React from 'react';
import { type ClusterDetail } from '../data/detail';

const VALUES_SHOWN = 8;

/** What every member has, and what they differ in. */
export function Labels({ detail }: { detail: ClusterDetail }) {
  const styles = useStyles2(getStyles);
  return (
    <table className={styles.table}>
      <tbody>
        {inOrder(detail.common_labels).map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{visible(name, { limit: 60 })}</th>
            <td>
              <bdi>{visible(value, { limit: 300 })}</bdi> <span className={styles.muted}>all</span>
            </td>
          </tr>
        ))}
        {inOrder(detail.differing_labels).map(([name, values]) => (
          <tr key={name}>
            <th scope="row">{visible(name, { limit: 60 })}</th>
            <td>{told(values)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function told(values: Record<string, number>) {
  const all = Object.entries(values).sort(([, a], [, b]) => b - a);
  const named = all.slice(0, VALUES_SHOWN).map(([value, number]) => `${visible(value, { limit: 80 })} ${number}`);
  return named.join(', ') + (all.length > VALUES_SHOWN ? ` and ${all.length - VALUES_SHOWN} more` : '');
}

const getStyles = (theme: GrafanaTheme2) => ({
  table: css({
    width: '100%',
    th: {
      fontWeight: 'normal',
      color: theme.colors.text.secondary,
      width: '28%',
      verticalAlign: 'top',
      padding: theme.spacing(0.25, 1, 0.25, 0),
    },
  }),
  muted: css({ color: theme.colors.text.secondary }),
});
