import { type AnnotationQuery, type QueryEditorProps } from '@grafana/data';
import { Stack, Text } from '@grafana/ui';
import React from 'react';
import { type DataSource } from '../DataSource';
import { DEFAULT_MARKS } from '../queries/annotations';
import { QueryType, type StormcellOptions, type StormcellQuery } from '../types';
import { MARKS } from './choices';
import { ManyField } from './Fields';

interface Props extends QueryEditorProps<DataSource, StormcellQuery, StormcellOptions> {
  annotation?: AnnotationQuery<StormcellQuery>;
  onAnnotationChange?: (annotation: AnnotationQuery<StormcellQuery>) => void;
}

export function AnnotationEditor({ query, annotation, onChange, onAnnotationChange }: Props) {
  const target = annotation?.target ?? query;
  const change = (changes: Partial<StormcellQuery>) => {
    const changed = { ...target, ...changes, queryType: QueryType.Annotations };
    if (annotation && onAnnotationChange) {
      onAnnotationChange({ ...annotation, target: changed });
    } else {
      onChange(changed);
    }
  };
  return (
    <Stack direction="column" gap={1}>
      <ManyField name="marks" label="Mark" options={MARKS} fallback={DEFAULT_MARKS} query={target} change={change} />
      <Text variant="bodySmall" color="secondary">
        Storms are regions, all else are points.
      </Text>
    </Stack>
  );
}
