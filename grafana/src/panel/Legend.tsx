import { css } from '@emotion/css';
import { type GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { visible } from '@page/text.js';
import React from 'react';
import { type LegendItem } from './look';
import { SeverityIcon } from './SeverityIcon';
import { testIds } from './testIds';

/** What the colours mean. Patterns and signs are told too: nobody has to tell colours apart. */
export function Legend({ items }: { items: LegendItem[] }) {
  const styles = useStyles2(getStyles);
  return (
    <ul className={styles.legend} data-testid={testIds.legend} aria-label="Legend">
      {items.map(({ name, style, count }) => (
        <li key={name}>
          <SeverityIcon style={style} size={10} />
          <span>{visible(name, { limit: 40 })}</span>
          {count > 0 && <span className={styles.count}>{count}</span>}
        </li>
      ))}
    </ul>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  legend: css({
    listStyle: 'none',
    display: 'flex',
    gap: theme.spacing(2),
    overflow: 'hidden',
    whiteSpace: 'nowrap',
    fontSize: theme.typography.bodySmall.fontSize,
    color: theme.colors.text.primary,
    li: { display: 'inline-flex', alignItems: 'center', gap: theme.spacing(0.5) },
  }),
  count: css({ color: theme.colors.text.secondary, fontVariantNumeric: 'tabular-nums' }),
});
