import { css } from '@emotion/css';
import { type GrafanaTheme2 } from '@grafana/data';
import { Icon, Tooltip, useStyles2, type IconName } from '@grafana/ui';
import React from 'react';
import { type Connection } from '../frames/schema';
import { testIds } from './testIds';

interface Props {
  connection: Connection | null;
  /** What is being loaded, or why it is not. */
  loading: string;
  live: boolean;
  /** Of a moment, with seconds. */
  time: (ms: number) => string;
}

/** How the picture gets its news, or why it gets none: a picture that stands still must not look calm. */
export function ConnectionMark({ connection, loading, live, time }: Props) {
  const styles = useStyles2(getStyles);
  const { kind, icon, words, more } = told(connection, loading, live, time);
  return (
    <Tooltip content={more || words}>
      <span className={styles.mark} data-kind={kind} data-testid={testIds.connection} role="status" tabIndex={0}>
        {icon ? <Icon name={icon} size="sm" /> : <span className={styles.dot} />} {words}
      </span>
    </Tooltip>
  );
}

interface Told {
  kind: 'ok' | 'busy' | 'bad';
  /** A plain dot without one. */
  icon?: IconName;
  words: string;
  more: string;
}

export function told(
  connection: Connection | null,
  loading: string,
  live: boolean,
  time: (ms: number) => string
): Told {
  const lost = live && connection && connection.state !== 'live' && connection.heardAt !== null;
  // What is shown is old then, whatever is being loaded beside it.
  if (loading && !lost) {
    const failed = loading.includes('not be loaded');
    return {
      kind: failed ? 'bad' : 'busy',
      icon: failed ? 'exclamation-triangle' : 'sync',
      words: failed ? 'Past not loaded' : 'Loading',
      more: loading,
    };
  }
  if (!live) {
    return { kind: 'ok', icon: 'history', words: 'Past', more: 'A closed range: nothing moves until it ends in now.' };
  }
  const { state = 'connecting', text = 'Connecting', detail = '', heardAt = null } = connection ?? {};
  const kind = ({ live: 'ok', failed: 'bad', connecting: 'busy', reconnecting: 'busy' } as const)[state];
  const icon = ({ ok: undefined, busy: 'sync', bad: 'exclamation-triangle' } as const)[kind];
  return { kind, icon, words: lost ? `${text}, as of ${time(heardAt!)}` : text, more: detail };
}

const getStyles = (theme: GrafanaTheme2) => ({
  dot: css({ width: 8, height: 8, borderRadius: theme.shape.radius.circle, background: 'currentColor' }),
  mark: css({
    display: 'inline-flex',
    alignItems: 'center',
    gap: theme.spacing(0.5),
    whiteSpace: 'nowrap',
    fontSize: theme.typography.bodySmall.fontSize,
    '&[data-kind="ok"]': { color: theme.colors.success.text },
    '&[data-kind="busy"]': { color: theme.colors.warning.text },
    '&[data-kind="bad"]': { color: theme.colors.error.text },
  }),
});
