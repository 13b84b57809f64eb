import { type QueryEditorProps } from '@grafana/data';
import { Stack, Text } from '@grafana/ui';
import React from 'react';
import { type DataSource } from '../DataSource';
import { testIds } from '../testIds';
import { Figures, QueryType, type StormcellOptions, type StormcellQuery } from '../types';
import { ALERT_STATES, CLUSTER_STATES, EVENT_CHOICES, FIGURES, QUERY_TYPES } from './choices';
import { ChoiceField, type FieldsProps, LabelsField, LimitField, ManyField, TextField } from './Fields';

type Props = QueryEditorProps<DataSource, StormcellQuery, StormcellOptions>;

export function QueryEditor({ query, onChange, onRunQuery }: Props) {
  const change = (changes: Partial<StormcellQuery>) => {
    onChange({ ...query, ...changes });
    onRunQuery();
  };
  const type = query.queryType ?? QueryType.Evolution;
  const Fields = FIELDS[type];
  return (
    <div data-testid={testIds.queryEditor}>
      <Stack direction="column" gap={1}>
        <Stack direction="row" gap={1} wrap="wrap" alignItems="flex-start">
          <ChoiceField
            name="queryType"
            label="Show"
            options={QUERY_TYPES}
            fallback={QueryType.Evolution}
            testId={testIds.queryType}
            {...{ query, change }}
          />
          {Fields && <Fields query={query} change={change} />}
        </Stack>
        <Text variant="bodySmall" color="secondary">
          {HINTS[type]?.(query) ?? ''}
        </Text>
      </Stack>
    </div>
  );
}

const FIELDS: Partial<Record<QueryType, React.ComponentType<FieldsProps>>> = {
  [QueryType.Clusters]: (props) => (
    <>
      <ChoiceField name="state" label="State" options={CLUSTER_STATES} fallback="live" {...props} />
      <TextField name="severity" label="Severity" placeholder="any" width={16} {...props} />
      <TextField name="text" label="Contains" placeholder="part of title or label" {...props} />
      <LimitField fallback={100} {...props} />
    </>
  ),
  [QueryType.Alerts]: (props) => (
    <>
      <TextField name="text" label="Contains" placeholder="part of label or annotation" {...props} />
      <ChoiceField name="state" label="State" options={ALERT_STATES} fallback="" {...props} />
      <TextField name="clusterId" label="Cluster" placeholder="id" width={12} {...props} />
      <LimitField fallback={100} {...props} />
      <LabelsField {...props} />
    </>
  ),
  [QueryType.Events]: (props) => (
    <>
      <TextField name="clusterId" label="Cluster" placeholder="id" width={12} {...props} />
      <LimitField fallback={1000} {...props} />
      <ManyField name="types" label="Types; none: all of them" options={EVENT_CHOICES} fallback={[]} {...props} />
    </>
  ),
  [QueryType.Stats]: (props) => (
    <ChoiceField name="figures" label="Figures" options={FIGURES} fallback={Figures.Now} {...props} />
  ),
  [QueryType.Storms]: (props) => <LimitField fallback={100} {...props} />,
};

const HINTS: Partial<Record<QueryType, (query: StormcellQuery) => string>> = {
  [QueryType.Evolution]: () =>
    'Streams the frames “events” and “clusters” and needs no refresh; a refresh keeps the connection. All panels of a dashboard share one.',
  [QueryType.Clusters]: ({ state = 'live' }) =>
    state === 'live'
      ? 'Follows the stream, once a second: worst severity first, then most firing.'
      : 'Asked once for the dashboard’s range, newest first.',
  [QueryType.Alerts]: () => 'Whatever fired at some time within the range, latest first, and the cluster it went to.',
  [QueryType.Events]: () => 'Oldest first. Choose types: alerts joining clusters are most of all events.',
  [QueryType.Stats]: ({ figures = Figures.Now }) =>
    ({
      [Figures.Now]: 'Follows the stream, once a second. Choose the fields to show in the panel.',
      [Figures.Rates]: 'Counts within each step of the range; firing is as of its end.',
      [Figures.Ledger]: 'Since the receiver’s database was made.',
    })[figures],
  [QueryType.Storms]: () => 'Latest first, with what they rose to above the usual.',
};
