/** The fields of the query editors: each changes one name of the query. */

import { Combobox, Field, FilterPill, Input, Stack, TagsInput, type ComboboxOption } from '@grafana/ui';
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
  width = 28,
  query,
  change,
}: Named<TextName> & { placeholder?: string; width?: number }) {
  const id = useId();
  const take = (value: string) => value !== (query[name] ?? '') && change({ [name]: value.trim() });
  return (
    <Field noMargin label={label} description={description} htmlFor={id}>
      <Input
        id={id}
        key={query[name]}
        width={width}
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
        width={24}
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
}

/** All that can be chosen is in sight; none chosen may mean all, which is up to the query. */
export function ManyField({ name, label, description, options, fallback, query, change }: ManyProps) {
  const chosen: string[] = query[name] ?? fallback;
  const toggle = (value: string) =>
    change({ [name]: chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value] });
  return (
    <Field noMargin label={label} description={description}>
      <div role="group" aria-label={label}>
        <Stack direction="row" gap={0.5} wrap="wrap">
          {options.map(({ value, label: text = value }) => (
            <FilterPill key={value} label={text} selected={chosen.includes(value)} onClick={() => toggle(value)} />
          ))}
        </Stack>
      </div>
    </Field>
  );
}

export function LabelsField({ query, change }: FieldsProps) {
  const id = useId();
  const wrong = query.labels?.find((label) => !/^[^=]+=/.test(label));
  return (
    <Field
      noMargin
      label="Labels, all of them met exactly"
      htmlFor={id}
      invalid={Boolean(wrong)}
      error={wrong && `“${wrong}” is left out: expected name=value.`}
    >
      <TagsInput
        id={id}
        width={40}
        tags={query.labels ?? []}
        placeholder="namespace=payments"
        onChange={(labels) => change({ labels })}
      />
    </Field>
  );
}
