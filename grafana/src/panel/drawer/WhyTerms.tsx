import { css } from '@emotion/css';
import { type GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { bar, scaleOf, signed, termHelp, termName } from '@page/why-terms.js';
import React from 'react';
import { type Why } from '../data/detail';

/** What each term speaks for or against the cluster, on one scale. */
export function WhyTerms({ why }: { why: Why }) {
  const styles = useStyles2(getStyles);
  const evidence = why.best?.evidence ?? {};
  const scale = scaleOf([{ evidence }], null);
  return (
    <table className={styles.table}>
      <tbody>
        {Object.entries(evidence).map(([term, value]) => {
          const { x, width, against } = bar(value, scale);
          return (
            <tr key={term}>
              <th scope="row" title={termHelp(term) ?? undefined}>
                {termName(term)}
              </th>
              <td className={styles.bar}>
                <span
                  className={against ? styles.against : styles.for}
                  style={{ left: `${x * 100}%`, width: `${Math.max(0.5, width * 100)}%` }}
                />
              </td>
              <td className={styles.number}>{signed(value)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  table: css({
    width: '100%',
    margin: theme.spacing(0.5, 0),
    th: { fontWeight: 'normal', width: '11em', color: theme.colors.text.secondary },
  }),
  bar: css({ position: 'relative', span: { position: 'absolute', top: '30%', height: '40%' } }),
  for: css({ background: theme.visualization.getColorByName('green') }),
  against: css({ background: theme.visualization.getColorByName('red') }),
  number: css({ width: '4em', textAlign: 'right', fontVariantNumeric: 'tabular-nums' }),
});
