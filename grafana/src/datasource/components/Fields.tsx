/** The fields of the query editors: each changes one name of the query. */

import { Combobox, Field, Input, MultiCombobox, TagsInput, type ComboboxOption } from '@grafana/ui';
import React, { type ChangeEvent, useId } from 'react';
import { type StormcellQuery } from '../types';

export interface FieldsProps {
  query: StormcellQuery;
  change: (changes: Partial<StormcellQuery>) => void;
}

interface Named<Name extends keyof StormcellQuery> extends FieldsProps {
  name: Name;
  label: string;
  description?: string;
}

type TextName = 'text' | 'severity' | 'clusterId' | 'label';

/** Text is taken when the field is left: a query for each letter typed would be asked. */
export function TextField({
  name,
  label,
  description,
  placeholder,
  query,
  change,
}: Named<TextName> & { placeholder?: string }) {
  const id = useId();
  const take = (value: string) => value !== (query[name] ?? '') && change({ [name]: value.trim() });
  return (
    <Field noMargin label={label} description={description} htmlFor={id}>
      <Input
        id={id}
        key={query[name]}
        width={32}
        defaultValue={query[name]}
        placeholder={placeholder}
        onBlur={({ currentTarget }) => take(currentTarget.value)}
        onKeyDown={({ key, currentTarget }) => key === 'Enter' && take(currentTarget.value)}
      />
    </Field>
  );
}

export function LimitField({ query, change, fallback }: FieldsProps & { fallback: number }) {
  const id = useId();
  return (
    <Field noMargin label="Limit" htmlFor={id}>
      <Input
        id={id}
        key={query.limit}
        width={12}
        type="number"
        min={1}
        max={20_000}
        defaultValue={query.limit}
        placeholder={String(fallback)}
        onBlur={({ currentTarget }: ChangeEvent<HTMLInputElement>) =>
          change({
            limit: currentTarget.value
              ? Math.max(1, Math.min(20_000, Math.round(Number(currentTarget.value))))
              : undefined,
          })
        }
      />
    </Field>
  );
}

type ChoiceName = 'state' | 'figures' | 'values' | 'queryType';

interface ChoiceProps extends Named<ChoiceName> {
  options: Array<ComboboxOption<string>>;
  fallback: string;
  testId?: string;
}

export function ChoiceField({ name, label, description, options, fallback, query, change, testId }: ChoiceProps) {
  const id = useId();
  return (
    <Field noMargin label={label} description={description} htmlFor={id}>
      <Combobox
        id={id}
        data-testid={testId}
        width={32}
        options={options}
        value={query[name] ?? fallback}
        onChange={({ value }) => change({ [name]: value })}
      />
    </Field>
  );
}

interface ManyProps extends Named<'types' | 'marks'> {
  options: Array<ComboboxOption<string>>;
  fallback: string[];
  placeholder?: string;
}

export function ManyField({ name, label, description, options, fallback, placeholder, query, change }: ManyProps) {
  const id = useId();
  return (
    <Field noMargin label={label} description={description} htmlFor={id}>
      <MultiCombobox
        id={id}
        width={60}
        options={options}
        value={query[name] ?? fallback}
        placeholder={placeholder}
        onChange={(chosen) => change({ [name]: chosen.map(({ value }) => value) })}
      />
    </Field>
  );
}

export function LabelsField({ query, change }: FieldsProps) {
  const id = useId();
  return (
    <Field noMargin label="Labels" description="name=value, met exactly; all of them" htmlFor={id}>
      <TagsInput
        id={id}
        width={40}
        tags={query.labels ?? []}
        placeholder="namespace=payments"
        invalid={query.labels?.some((label) => !label.includes('='))}
        onChange={(labels) => change({ labels })}
      />
    </Field>
  );
}
