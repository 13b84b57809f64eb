import { css, cx } from '@emotion/css';
import { type GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import React from 'react';
import { type Situation } from './situation';
import { testIds } from './testIds';

interface Props {
  situation: Situation;
}

/** The storm in a line, above the picture. */
export function SituationLine({ situation }: Props) {
  const styles = useStyles2(getStyles);
  return (
    <div className={cx(styles.line, situation.storm && styles.storm)} data-testid={testIds.situation}>
      {situation.storm && <Icon name="bolt" />}
      <b className={styles.heading}>{situation.heading}</b>
      <span className={styles.facts}>{situation.facts.join(' · ')}</span>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  line: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(1),
    minWidth: 0,
    overflow: 'hidden',
    whiteSpace: 'nowrap',
    color: theme.colors.text.primary,
  }),
  storm: css({
    borderLeft: `3px solid ${theme.visualization.getColorByName('purple')}`,
    paddingLeft: theme.spacing(1),
  }),
  heading: css({
    fontSize: theme.typography.h5.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
    color: theme.colors.text.maxContrast,
    overflow: 'hidden',
    textOverflow: 'ellipsis',
  }),
  // It gives way first.
  facts: css({ overflow: 'hidden', textOverflow: 'ellipsis', flexShrink: 1000, color: theme.colors.text.secondary }),
});
