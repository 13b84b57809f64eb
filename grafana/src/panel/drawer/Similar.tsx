import { css } from '@emotion/css';
import { type GrafanaTheme2 } from '@grafana/data';
import { Button, useStyles2 } from '@grafana/ui';
import { likeness, pastWords } from '@page/past.js';
import { visible } from '@page/text.js';
import React from 'react';
import { type ReceiverApi } from '../data/api';
import { type SimilarAnswer } from '../data/detail';
import { useAnswer } from './useAnswer';

const LISTED = 5;
/** What is less similar has a word in common, and no more; as on the receiver's own page. */
const UNLIKE = 0.4;

interface Props {
  id: number;
  api: ReceiverApi | null;
  now: number;
  onOpen: (id: number) => void;
}

export function Similar({ id, api, now, onOpen }: Props) {
  const styles = useStyles2(getStyles);
  const { value, error } = useAnswer(String(id), () =>
    api
      ? api.get<SimilarAnswer>('similar', { cluster_id: id, limit: LISTED })
      : Promise.reject(new Error('No data source to ask.'))
  );
  if (error) {
    return <p role="alert">{error}</p>;
  }
  if (!value) {
    return <p>Asking…</p>;
  }
  const found = value.clusters.filter(({ similarity }) => similarity >= UNLIKE);
  if (!found.length) {
    return <p>Nothing like it is remembered.</p>;
  }
  return (
    <ul className={styles.list}>
      {found.map((past) => (
        <li key={past.cluster_id} title={past.reason}>
          <span className={styles.likeness}>{likeness(past.similarity)}</span>
          <span>
            <Button fill="text" size="sm" onClick={() => onOpen(past.cluster_id)}>
              {visible(past.title || `Cluster ${past.cluster_id}`, { limit: 160 })}
            </Button>
            <p className={styles.past}>{past.resolved_at === null ? 'goes on now' : pastWords(past, now)}</p>
          </span>
        </li>
      ))}
    </ul>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({ listStyle: 'none', li: { display: 'flex', gap: theme.spacing(1), padding: theme.spacing(0.25, 0) } }),
  likeness: css({
    fontVariantNumeric: 'tabular-nums',
    color: theme.colors.text.secondary,
    paddingTop: theme.spacing(0.25),
  }),
  past: css({ color: theme.colors.text.secondary, paddingLeft: theme.spacing(1) }),
});
