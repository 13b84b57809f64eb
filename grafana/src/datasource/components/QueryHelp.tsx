import { css } from '@emotion/css';
import { type GrafanaTheme2, type QueryEditorHelpProps } from '@grafana/data';
import { Button, useStyles2 } from '@grafana/ui';
import React from 'react';
import { testIds } from '../testIds';
import { Figures, QueryType, type StormcellQuery } from '../types';

interface Example {
  title: string;
  panel: string;
  told: string;
  query: Partial<StormcellQuery>;
}

const EXAMPLES: Example[] = [
  {
    title: 'See a storm form',
    panel: 'Stormcell evolution',
    told: 'Clusters are born, grow, merge and end, live. Set the dashboard’s range to end in now.',
    query: { queryType: QueryType.Evolution },
  },
  {
    title: 'What is worst now?',
    panel: 'Table',
    told: 'Live clusters, worst severity first. Hide the columns you do not need with “Organize fields”.',
    query: { queryType: QueryType.Clusters, state: 'live', limit: 20 },
  },
  {
    title: 'Where did the alert go?',
    panel: 'Table',
    told: 'Every alert with this text in a label or an annotation, and the cluster it went to.',
    query: { queryType: QueryType.Alerts, text: 'payments' },
  },
  {
    title: 'How stormy is it?',
    panel: 'Stat',
    told: 'storm_intensity is the rate of new alerts over what is usual; no value while it is calm.',
    query: { queryType: QueryType.Stats, figures: Figures.Now },
  },
  {
    title: 'How much noise was taken away?',
    panel: 'Bar gauge',
    told: 'Notifications, alerts, clusters and storms since the beginning.',
    query: { queryType: QueryType.Stats, figures: Figures.Ledger },
  },
  {
    title: 'Merges and splits of last night',
    panel: 'Table',
    told: 'Each with its reason.',
    query: { queryType: QueryType.Events, types: ['cluster_merged', 'cluster_split'] },
  },
];

export function QueryHelp({ onClickExample }: QueryEditorHelpProps<StormcellQuery>) {
  const styles = useStyles2(getStyles);
  return (
    <div data-testid={testIds.help}>
      <h2 className={styles.heading}>Examples</h2>
      <ul className={styles.list}>
        {EXAMPLES.map(({ title, panel, told, query }) => (
          <li key={title} className={styles.example}>
            <div>
              <strong>{title}</strong> <span className={styles.panel}>in a {panel} panel</span>
              <div>{told}</div>
            </div>
            <Button
              size="sm"
              variant="secondary"
              aria-label={`Use: ${title}`}
              onClick={() => onClickExample({ refId: 'A', ...query })}
            >
              Use
            </Button>
          </li>
        ))}
      </ul>
      <p className={styles.note}>
        A cluster is a set of alerts judged to be one problem; a storm is a time in which new alerts arrive far above
        what is usual. Fields are described in the plugin’s README.
      </p>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  heading: css({ ...theme.typography.h5 }),
  list: css({ listStyle: 'none', margin: 0, padding: 0 }),
  example: css({
    display: 'flex',
    justifyContent: 'space-between',
    alignItems: 'center',
    gap: theme.spacing(2),
    padding: theme.spacing(1, 0),
    borderBottom: `1px solid ${theme.colors.border.weak}`,
  }),
  panel: css({ color: theme.colors.text.secondary }),
  note: css({ color: theme.colors.text.secondary, marginTop: theme.spacing(1) }),
});
