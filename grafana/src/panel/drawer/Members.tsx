import { css } from '@emotion/css';
import { type GrafanaTheme2 } from '@grafana/data';
import { Button, useStyles2 } from '@grafana/ui';
import { duration, plural } from '@page/format.js';
import { type Look } from '@page/model.js';
import { visible } from '@page/text.js';
import React, { useState } from 'react';
import { type ReceiverApi } from '../data/api';
import { firingFirst, stateWords, tellingLabels, type ClusterDetail, type Member } from '../data/detail';
import { SeverityIcon } from '../SeverityIcon';
import { WhyHere } from './WhyHere';

const PAGE = 20;
const LABELS_SHOWN = 5;

interface Props {
  detail: ClusterDetail;
  api: ReceiverApi | null;
  look: Look;
  now: number;
  time: (iso: string) => string;
}

export function Members({ detail, api, look, now, time }: Props) {
  const styles = useStyles2(getStyles);
  const [shown, setShown] = useState(PAGE);
  const members = [...detail.members].sort(firingFirst);
  const left = members.length - shown;
  const unlisted = detail.members_total - members.length;
  return (
    <>
      <ul className={styles.list}>
        {members.slice(0, shown).map((member) => (
          <MemberRow key={`${member.fingerprint} ${member.episode_id}`} {...{ member, detail, api, look, now, time }} />
        ))}
      </ul>
      {left > 0 && (
        <Button size="sm" variant="secondary" fill="outline" onClick={() => setShown(shown + 4 * PAGE)}>
          Show {Math.min(4 * PAGE, left)} more of {left}
        </Button>
      )}
      {unlisted > 0 && <p>{plural(unlisted, 'member')} more are not listed here.</p>}
    </>
  );
}

function MemberRow({ member, detail, api, look, now, time }: Props & { member: Member }) {
  const styles = useStyles2(getStyles);
  const [asked, setAsked] = useState(false);
  const { state, labels, annotations, startsAt, endsAt } = member;
  const style = look.styleOf({ ...detail, severity: member.severity, labels });
  const firing = state === 'firing';
  return (
    <li className={styles.member} data-state={state}>
      <div className={styles.head}>
        <SeverityIcon style={style} />
        <b>{visible(labels.alertname ?? member.fingerprint, { limit: 120 })}</b>
        <span className={firing ? styles.firing : styles.muted}>{visible(stateWords(member))}</span>
        <span className={styles.time}>
          {endsAt && !firing
            ? `${time(startsAt).slice(-8)} – ${time(endsAt).slice(-8)}`
            : `${time(startsAt).slice(-8)}, ${duration((now - Date.parse(startsAt)) / 1000)}`}
        </span>
        <Button
          size="sm"
          variant="secondary"
          fill="text"
          aria-expanded={asked}
          onClick={() => setAsked(!asked)}
          disabled={!api}
        >
          Why here?
        </Button>
      </div>
      {annotations?.summary && <p>{visible(annotations.summary, { limit: 300 })}</p>}
      <p className={styles.muted}>
        {tellingLabels(member, detail, LABELS_SHOWN).map(([name, value]) => (
          <span key={name} className={styles.label}>
            {visible(name, { limit: 60 })} <bdi>{visible(value, { limit: 120 })}</bdi>
          </span>
        ))}
      </p>
      {asked && api && <WhyHere fingerprint={member.fingerprint} api={api} />}
    </li>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({ listStyle: 'none' }),
  member: css({
    padding: theme.spacing(0.75, 0),
    borderBottom: `1px solid ${theme.colors.border.weak}`,
    '&[data-state="resolved"]': { b: { fontWeight: theme.typography.fontWeightRegular } },
  }),
  head: css({
    display: 'flex',
    gap: theme.spacing(1),
    alignItems: 'center',
    b: { fontWeight: theme.typography.fontWeightMedium, color: theme.colors.text.maxContrast },
  }),
  firing: css({ color: theme.colors.error.text }),
  time: css({
    marginLeft: 'auto',
    color: theme.colors.text.secondary,
    fontVariantNumeric: 'tabular-nums',
    whiteSpace: 'nowrap',
  }),
  muted: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
  label: css({
    display: 'inline-block',
    background: theme.colors.background.secondary,
    borderRadius: theme.shape.radius.default,
    padding: theme.spacing(0, 0.75),
    marginRight: theme.spacing(0.5),
    bdi: { color: theme.colors.text.primary },
  }),
});
