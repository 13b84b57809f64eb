import { css } from '@emotion/css';
import { dateTimeFormat, type GrafanaTheme2, type LinkModel } from '@grafana/data';
import { Alert, Drawer, LinkButton, LoadingPlaceholder, useStyles2 } from '@grafana/ui';
import { noveltyWords, pastWords, likeness } from '@page/past.js';
import { count, duration, plural } from '@page/format.js';
import { type Cluster, type EvolutionModel, type Look } from '@page/model.js';
import { safeUrl, visible } from '@page/text.js';
import React from 'react';
import { type ReceiverApi } from '../data/api';
import { outwardLinks, type ClusterDetail } from '../data/detail';
import { testIds } from '../testIds';
import { heldBackWords, quietWords } from '../clusterWords';
import { SeverityIcon } from '../SeverityIcon';
import { Labels } from './Labels';
import { Members } from './Members';
import { OutLink } from './OutLink';
import { Section } from './Section';
import { Silencing } from './Silencing';
import { Similar } from './Similar';
import { SpreadOrder } from './SpreadOrder';
import { useAnswer } from './useAnswer';

interface Props {
  id: number;
  model: EvolutionModel;
  api: ReceiverApi | null;
  look: Look;
  links: Array<LinkModel<unknown>>;
  alertmanagerUrl: string;
  timeZone: string;
  onOpen: (id: number) => void;
  onClose: () => void;
}

/** A storm changes a cluster ten times a second; nobody reads so fast, and each look is a query. */
const REFRESH_MS = 5000;

/** All about one cluster, from what is most urgent at night to what explains it. */
export function ClusterDrawer({ id, model, api, look, links, alertmanagerUrl, timeZone, onOpen, onClose }: Props) {
  const styles = useStyles2(getStyles);
  const known = model.clusters.get(id);
  const changed = Math.floor(Date.parse(known?.updated_at ?? '') / REFRESH_MS) || 0;
  const detail = useAnswer<ClusterDetail>(`${id} ${changed} ${known?.state ?? ''}`, () =>
    api
      ? api.get<ClusterDetail>(`clusters/${id}`)
      : Promise.reject(new Error('This panel has no Stormcell data source to ask.'))
  );
  // The answer of another cluster is not this one's; a merged one answers with its survivor.
  const told =
    detail.value && (detail.value.id === id || known?.merged_into === detail.value.id || !known)
      ? detail.value
      : undefined;
  const cluster: Cluster | undefined = known ?? told;
  const now = model.now();
  const time = (iso: string) => dateTimeFormat(iso, { timeZone });
  return (
    <Drawer
      title={
        <div className={styles.head}>
          <Title cluster={cluster} id={id} look={look} />
          {cluster && <Figures cluster={cluster} now={now} time={time} />}
        </div>
      }
      onClose={onClose}
      size="md"
    >
      <div className={styles.body} data-testid={testIds.drawer}>
        {detail.error && (
          <Alert severity="warning" title="The details could not be loaded">
            {detail.error}
          </Alert>
        )}
        {told && told.id !== id && <p>Cluster {id} was merged into this one.</p>}
        {cluster && <History cluster={cluster} now={now} onOpen={onOpen} />}
        {cluster?.note && <p className={styles.note}>{visible(cluster.note, { limit: 600, lines: true })}</p>}
        {!told && detail.loading && <LoadingPlaceholder text="Asking the receiver…" />}
        <div className={styles.links}>
          {told &&
            outwardLinks(told.members, safeUrl).map(({ title, href }) => (
              <OutLink key={title} href={href} primary={title === 'Runbook'}>
                {title}
              </OutLink>
            ))}
          {told && safeUrl(told.url) && <OutLink href={told.url}>In Stormcell</OutLink>}
          {links.map((link) => (
            <LinkButton
              key={link.title + link.href}
              href={link.href}
              target={link.target}
              onClick={link.onClick}
              icon="link"
              size="sm"
              variant="secondary"
            >
              {link.title}
            </LinkButton>
          ))}
        </div>
        {told && (
          <>
            <Section title="Silence">
              <Silencing
                cluster={cluster ?? told}
                api={api}
                alertmanagerUrl={alertmanagerUrl}
                time={(ms) => dateTimeFormat(ms, { timeZone, format: 'HH:mm:ss' })}
              />
            </Section>
            {Object.keys(told.cascade ?? {}).length > 0 && (
              <Section title="Order of firing">
                <SpreadOrder detail={told} time={time} />
              </Section>
            )}
            <Section title={`Members (${count(told.members_total)})`}>
              <Members detail={told} api={api} look={look} now={now} time={time} />
            </Section>
            <Section title="Similar, now and before">
              <Similar id={told.id} api={api} now={now} onOpen={onOpen} />
            </Section>
            <Section title="Labels">
              <Labels detail={told} />
            </Section>
            <Lineage detail={told} onOpen={onOpen} />
          </>
        )}
      </div>
    </Drawer>
  );
}

function Title({ cluster, id, look }: { cluster?: Cluster; id: number; look: Look }) {
  const styles = useStyles2(getStyles);
  return (
    <h2 className={styles.title}>
      {cluster && <SeverityIcon style={look.styleOf(cluster)} size={18} />}
      <bdi>{visible(cluster?.title || `Cluster ${id}`, { limit: 200 })}</bdi>
    </h2>
  );
}

function Figures({ cluster, now, time }: { cluster: Cluster; now: number; time: (iso: string) => string }) {
  const styles = useStyles2(getStyles);
  const age = duration((now - Date.parse(cluster.opened_at)) / 1000);
  const ended = cluster.resolved_at ?? cluster.closed_at;
  const over = cluster.state === 'resolved' || cluster.state === 'merged';
  const quiet = quietWords(cluster, (ms) => time(new Date(ms).toISOString()));
  return (
    <div className={styles.figuresClip}>
      <div className={styles.figures}>
        <span>{visible(cluster.severity || 'no severity', { limit: 40 })}</span>
        <span>
          <b>{count(cluster.firing)}</b> of {plural(cluster.size, 'alert')} firing
        </span>
        {heldBackWords(cluster).map((words) => (
          <span key={words}>{words}</span>
        ))}
        <span>{cluster.state}</span>
        <span>
          {over && ended ? `${time(cluster.opened_at)} to ${time(ended)}` : `since ${time(cluster.opened_at)}, ${age}`}
        </span>
        {typeof cluster.confidence === 'number' && (
          <span>{Math.round(cluster.confidence * 100)} % sure of the grouping</span>
        )}
        {cluster.acked_by && <span>acknowledged by {visible(cluster.acked_by, { limit: 80 })}</span>}
        <span>cluster {cluster.id}</span>
        {quiet && <span className={styles.quiet}>{quiet}</span>}
      </div>
    </div>
  );
}

function History({ cluster, now, onOpen }: { cluster: Cluster; now: number; onOpen: (id: number) => void }) {
  const { recurs } = cluster;
  const news = noveltyWords(cluster, now);
  if (recurs) {
    return (
      <Alert severity="info" title={`Seen before: ${likeness(recurs.similarity)} like cluster ${recurs.cluster_id}`}>
        <p>{pastWords(recurs, now)}</p>
        {recurs.title && <p>{visible(recurs.title, { limit: 160 })}</p>}
        <LinkButton fill="text" size="sm" onClick={() => onOpen(recurs.cluster_id)}>
          Show it
        </LinkButton>
      </Alert>
    );
  }
  return news ? (
    <Alert severity="info" title="New here">
      {news}
    </Alert>
  ) : null;
}

function Lineage({ detail, onOpen }: { detail: ClusterDetail; onOpen: (id: number) => void }) {
  const { merged_from: from = [], merged_into: into = null, split_from: parent = null } = detail.lineage ?? {};
  const lines: Array<[string, number[]]> = [
    ['Took in', from],
    ['Went into', into === null ? [] : [into]],
    ['Was split from', parent === null ? [] : [parent]],
  ];
  if (!lines.some(([, ids]) => ids.length)) {
    return null;
  }
  return (
    <Section title="Where it comes from">
      {lines.map(
        ([words, ids]) =>
          ids.length > 0 && (
            <p key={words}>
              {words}{' '}
              {ids.map((id) => (
                <LinkButton key={id} fill="text" size="sm" onClick={() => onOpen(id)}>
                  cluster {id}
                </LinkButton>
              ))}
            </p>
          )
      )}
    </Section>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  body: css({
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(2),
    overflowWrap: 'anywhere',
    p: { margin: 0 },
  }),
  // Grafana keeps the corner for the button that closes.
  head: css({ paddingRight: theme.spacing(5) }),
  title: css({
    fontSize: theme.typography.h4.fontSize,
    margin: 0,
    display: 'inline-flex',
    gap: theme.spacing(1),
    alignItems: 'center',
    overflowWrap: 'anywhere',
  }),
  // The dot before the first word of a line lies outside and is cut off.
  figuresClip: css({ overflow: 'hidden' }),
  figures: css({
    display: 'flex',
    flexWrap: 'wrap',
    marginLeft: theme.spacing(-2),
    rowGap: theme.spacing(0.5),
    color: theme.colors.text.secondary,
    b: { color: theme.colors.text.maxContrast, fontWeight: theme.typography.fontWeightBold },
    'span::before': { content: '"·"', display: 'inline-block', width: theme.spacing(2), textAlign: 'center' },
  }),
  quiet: css({ color: theme.colors.warning.text }),
  note: css({
    whiteSpace: 'pre-line',
    borderLeft: `3px solid ${theme.colors.border.medium}`,
    paddingLeft: theme.spacing(1),
  }),
  links: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1), '&:empty': { display: 'none' } }),
});
