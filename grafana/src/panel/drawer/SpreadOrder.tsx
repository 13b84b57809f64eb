import { css } from '@emotion/css';
import { type GrafanaTheme2 } from '@grafana/data';
import { Combobox, useStyles2 } from '@grafana/ui';
import { bestLabel, caveat, waves } from '@page/cascade.js';
import { offset, plural } from '@page/format.js';
import { visible } from '@page/text.js';
import React, { useState } from 'react';
import { type ClusterDetail } from '../data/detail';

const WAVES_SHOWN = 12;
const VALUES_SHOWN = 10;

interface Props {
  detail: ClusterDetail;
  time: (iso: string) => string;
}

/** In what order the cluster's alerts first fired, along one of its labels. Of firing, not of cause. */
export function SpreadOrder({ detail, time }: Props) {
  const styles = useStyles2(getStyles);
  const { cascade, spread = null } = detail;
  const names = Object.keys(cascade);
  const [chosen, setChosen] = useState<string | null>(null);
  const label = chosen && names.includes(chosen) ? chosen : bestLabel(cascade, spread);
  const all = waves(cascade[label]);
  const start = all[0]?.at ?? 0;
  return (
    <div className={styles.spread}>
      {spread && (
        <div className={styles.first}>
          <b>
            {spread.probable_first === null
              ? 'Which was first is not clear'
              : `Probably first: ${visible(spread.label)} ${visible(spread.probable_first, { limit: 120 })}`}
          </b>
          <p>{visible(spread.evidence.reason, { limit: 400 })}.</p>
          {caveat(spread) && <p className={styles.muted}>{caveat(spread)}</p>}
        </div>
      )}
      <div className={styles.choice}>
        <span id="stormcell-spread-by">By</span>
        <Combobox
          aria-labelledby="stormcell-spread-by"
          width={30}
          value={label}
          options={names.map((name) => ({
            value: name,
            label: `${visible(name, { limit: 40 })} (${cascade[name].length})`,
          }))}
          onChange={({ value }) => setChosen(value)}
        />
      </div>
      <ol className={styles.waves}>
        {all.slice(0, WAVES_SHOWN).map((wave, place) => (
          <li key={place}>
            <span className={styles.when}>
              {time(wave.firstAt).slice(-8)}{' '}
              <span className={styles.muted}>{place ? offset((wave.at - start) / 1000) : 'first'}</span>
            </span>
            <span>
              {wave.values
                .slice(0, VALUES_SHOWN)
                .map((value) => visible(value, { limit: 120 }))
                .join(', ')}
              {wave.values.length > VALUES_SHOWN && ` and ${wave.values.length - VALUES_SHOWN} more`}
              {wave.values.length > 1 && <span className={styles.muted}> at about the same time</span>}
            </span>
          </li>
        ))}
        {all.length > WAVES_SHOWN && <li>and {plural(all.length - WAVES_SHOWN, 'later wave')}</li>}
      </ol>
      <p className={styles.muted}>The order in which they first fired, which need not be the order of cause.</p>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  spread: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(1) }),
  first: css({
    borderLeft: `3px solid ${theme.visualization.getColorByName('purple')}`,
    paddingLeft: theme.spacing(1),
    b: { fontWeight: theme.typography.fontWeightMedium, color: theme.colors.text.maxContrast },
  }),
  choice: css({ display: 'flex', gap: theme.spacing(1), alignItems: 'center' }),
  waves: css({
    listStyle: 'none',
    li: {
      display: 'grid',
      gridTemplateColumns: '11em minmax(0, 1fr)',
      gap: theme.spacing(1),
      padding: theme.spacing(0.25, 0),
    },
  }),
  when: css({
    display: 'flex',
    justifyContent: 'space-between',
    fontVariantNumeric: 'tabular-nums',
    whiteSpace: 'nowrap',
  }),
  muted: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
});
