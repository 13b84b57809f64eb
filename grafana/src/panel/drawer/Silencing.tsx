import { css } from '@emotion/css';
import { type GrafanaTheme2 } from '@grafana/data';
import { Alert, Button, ClipboardButton, useStyles2 } from '@grafana/ui';
import { firingAlerts, hitWords, type Firing } from '@page/firing.js';
import { count, plural } from '@page/format.js';
import { type Cluster } from '@page/model.js';
import { addressOf, amtoolCommand, matcherText, silencePlan, silenceUrl, type Silence } from '@page/silence.js';
import { visible } from '@page/text.js';
import React, { useState } from 'react';
import { type ReceiverApi } from '../data/api';
import { testIds } from '../testIds';
import { OutLink } from './OutLink';

interface Props {
  cluster: Cluster;
  api: ReceiverApi | null;
  alertmanagerUrl: string;
  /** Of a moment, with seconds. */
  time: (ms: number) => string;
}

type State = { of: number } & (
  { kind: 'asking' } | { kind: 'told'; firing: Firing; at: number; count: number } | { kind: 'failed'; error: string }
);

/** "Silence exactly this": asked for, since who fires changes all the time, and never done from here. */
export function Silencing({ cluster, api, alertmanagerUrl, time }: Props) {
  const styles = useStyles2(getStyles);
  const [state, setState] = useState<State | null>(null);
  const current = state?.of === cluster.id ? state : null;
  const ask = async () => {
    const { id: of, firing: counted } = cluster;
    if (!api) {
      return;
    }
    setState({ of, kind: 'asking' });
    try {
      const firing = await firingAlerts(api, of);
      setState({ of, kind: 'told', firing, at: Date.now(), count: counted });
    } catch (error) {
      setState({ of, kind: 'failed', error: error instanceof Error ? error.message : String(error) });
    }
  };
  return (
    <div data-testid={testIds.silence}>
      <Button
        icon="bell-slash"
        size="sm"
        variant="secondary"
        onClick={ask}
        disabled={!api || current?.kind === 'asking'}
      >
        {addressOf(alertmanagerUrl)
          ? 'Silence exactly this in Alertmanager…'
          : 'Work out an amtool command that silences exactly this…'}
      </Button>
      <div aria-live="polite">
        {current?.kind === 'failed' && (
          <Alert severity="warning" title="What fires could not be read">
            {current.error}
          </Alert>
        )}
        {current?.kind === 'told' && (
          <>
            <p className={current.count === cluster.firing ? styles.asOf : styles.hits}>
              As of {time(current.at)}
              {current.count !== cluster.firing &&
                `: then ${count(current.count)} fired, now ${count(cluster.firing)} do. Ask again.`}
            </p>
            <PlanView firing={current.firing} cluster={cluster} alertmanagerUrl={alertmanagerUrl} />
          </>
        )}
      </div>
    </div>
  );
}

function PlanView({ firing, cluster, alertmanagerUrl }: { firing: Firing; cluster: Cluster; alertmanagerUrl: string }) {
  const comment = `Stormcell cluster ${cluster.id}: ${cluster.title}`;
  if (!firing.members.length) {
    return <p>None of its alerts fires now.</p>;
  }
  const { one, several, severalHits } = silencePlan(firing.members, firing.others);
  const how = { complete: firing.complete, comment, alertmanagerUrl };
  return (
    <>
      <SilenceView silence={one} {...how} />
      {several && (
        <>
          <p>
            {plural(several.length, 'silence')}, one for each name of alert, would together hit {severalHits} instead:
          </p>
          {several.map((silence) => (
            <SilenceView key={silence.matchers.map(matcherText).join()} silence={silence} {...how} />
          ))}
        </>
      )}
    </>
  );
}

interface SilenceProps {
  silence: Silence;
  complete: boolean;
  comment: string;
  alertmanagerUrl: string;
}

function SilenceView({ silence, complete, comment, alertmanagerUrl }: SilenceProps) {
  const styles = useStyles2(getStyles);
  const href = silenceUrl(alertmanagerUrl, silence);
  return (
    <div className={styles.silence}>
      <ul className={styles.matchers}>
        {silence.matchers.map((matcher) => (
          <li key={matcher.name}>
            <code>{breakable(visible(matcherText(matcher), { limit: 400 }))}</code>
          </li>
        ))}
      </ul>
      <p className={silence.hits ? styles.hits : undefined}>
        Covers {plural(silence.covers, 'firing alert')}. {hitWords(silence.hits, complete)}
      </p>
      <div className={styles.actions}>
        {href && (
          <OutLink href={href} primary>
            Open in Alertmanager
          </OutLink>
        )}
        <ClipboardButton
          icon="copy"
          size="sm"
          variant="secondary"
          getText={() => amtoolCommand(silence, { comment, alertmanager: alertmanagerUrl })}
        >
          Copy the amtool command
        </ClipboardButton>
      </div>
    </div>
  );
}

/** A choice of values is broken between them. */
const breakable = (text: string) =>
  text.split('|').map((part, i) => (
    <React.Fragment key={i}>
      {i > 0 && (
        <>
          |<wbr />
        </>
      )}
      {part}
    </React.Fragment>
  ));

const getStyles = (theme: GrafanaTheme2) => ({
  silence: css({ marginTop: theme.spacing(1), display: 'flex', flexDirection: 'column', gap: theme.spacing(0.75) }),
  matchers: css({
    listStyle: 'none',
    display: 'flex',
    flexWrap: 'wrap',
    gap: theme.spacing(0.5),
    code: { margin: 0, whiteSpace: 'pre-wrap', display: 'inline-block' },
  }),
  asOf: css({ color: theme.colors.text.secondary }),
  hits: css({ color: theme.colors.error.text, fontWeight: theme.typography.fontWeightMedium }),
  actions: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1) }),
});
