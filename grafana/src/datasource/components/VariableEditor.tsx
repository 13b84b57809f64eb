import { type QueryEditorProps } from '@grafana/data';
import { Stack } from '@grafana/ui';
import React from 'react';
import { type DataSource } from '../DataSource';
import { QueryType, type StormcellOptions, type StormcellQuery, ValuesOf } from '../types';
import { VALUES } from './choices';
import { ChoiceField, TextField } from './Fields';

type Props = QueryEditorProps<DataSource, StormcellQuery, StormcellOptions>;

export function VariableEditor({ query, onChange }: Props) {
  const change = (changes: Partial<StormcellQuery>) =>
    onChange({ ...query, ...changes, refId: query.refId ?? 'Variable', queryType: QueryType.Variable });
  return (
    <Stack direction="row" gap={1} wrap="wrap">
      <ChoiceField name="values" label="Values" options={VALUES} fallback={ValuesOf.Clusters} {...{ query, change }} />
      {query.values === ValuesOf.Label && (
        <TextField name="label" label="Label" placeholder="team" {...{ query, change }} />
      )}
    </Stack>
  );
}
