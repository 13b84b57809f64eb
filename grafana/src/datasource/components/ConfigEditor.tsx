import { type DataSourcePluginOptionsEditorProps } from '@grafana/data';
import { Alert, Checkbox, Field, Input, SecretInput, SecretTextArea, Stack, Text } from '@grafana/ui';
import React, { type ChangeEvent } from 'react';
import { testIds } from '../testIds';
import { type StormcellOptions, type StormcellSecrets } from '../types';
import { urlFault } from './urlFault';

type Props = DataSourcePluginOptionsEditorProps<StormcellOptions, StormcellSecrets>;

const WIDTH = 60;

export function ConfigEditor({ options, onOptionsChange }: Props) {
  const fault = urlFault(options.url);
  const { secureJsonFields = {}, secureJsonData = {} } = options;
  const setToken = (token: string, isSet: boolean) =>
    onOptionsChange({
      ...options,
      secureJsonData: { ...secureJsonData, token },
      secureJsonFields: { ...secureJsonFields, token: isSet },
    });
  const setOption = (changes: Partial<StormcellOptions>) =>
    onOptionsChange({ ...options, jsonData: { ...options.jsonData, ...changes } });
  const setCertificate = (tlsCACert: string, isSet: boolean) =>
    onOptionsChange({
      ...options,
      secureJsonData: { ...secureJsonData, tlsCACert },
      secureJsonFields: { ...secureJsonFields, tlsCACert: isSet },
    });
  const { tlsSkipVerify = false, tlsAuthWithCACert = false } = options.jsonData;
  return (
    <Stack direction="column" gap={2}>
      <Text color="secondary">
        Grafana’s server talks to the receiver; browsers talk to Grafana only, and never see the token.
      </Text>
      <Field
        noMargin
        label="URL"
        description="Of the receiver, as Grafana’s server reaches it, with its route prefix if it has one."
        invalid={Boolean(fault)}
        error={fault}
        required
      >
        <Input
          id="stormcell-url"
          data-testid={testIds.url}
          width={WIDTH}
          value={options.url}
          placeholder="http://stormcell:9783"
          readOnly={options.readOnly}
          onChange={({ currentTarget }: ChangeEvent<HTMLInputElement>) =>
            onOptionsChange({ ...options, url: currentTarget.value.trim(), access: 'proxy' })
          }
        />
      </Field>
      <Field
        noMargin
        label="Read token"
        description="A line of a file in web.read_token_files. Leave it empty if anybody may read (web.anonymous_roles)."
      >
        <SecretInput
          id="stormcell-token"
          data-testid={testIds.token}
          width={WIDTH}
          isConfigured={Boolean(secureJsonFields.token)}
          value={secureJsonData.token ?? ''}
          placeholder="openssl rand -hex 24"
          disabled={options.readOnly}
          onReset={() => setToken('', false)}
          onChange={({ currentTarget }: ChangeEvent<HTMLInputElement>) => setToken(currentTarget.value.trim(), false)}
        />
      </Field>
      {options.url.startsWith('https:') && (
        <>
          <Checkbox
            label="With the certificate of an authority of your own"
            value={tlsAuthWithCACert}
            disabled={options.readOnly}
            onChange={({ currentTarget }) => setOption({ tlsAuthWithCACert: currentTarget.checked })}
          />
          {tlsAuthWithCACert && (
            <Field noMargin label="CA certificate" htmlFor="stormcell-ca">
              <SecretTextArea
                id="stormcell-ca"
                cols={WIDTH}
                rows={5}
                isConfigured={Boolean(secureJsonFields.tlsCACert)}
                placeholder="-----BEGIN CERTIFICATE-----"
                disabled={options.readOnly}
                onReset={() => setCertificate('', false)}
                onChange={({ currentTarget }) => setCertificate(currentTarget.value, false)}
              />
            </Field>
          )}
          <Checkbox
            label="Skip TLS verification"
            description="Whoever is between Grafana and the receiver could then read the token."
            value={tlsSkipVerify}
            disabled={options.readOnly}
            onChange={({ currentTarget }) => setOption({ tlsSkipVerify: currentTarget.checked })}
          />
        </>
      )}
      <Alert severity="info" title="Give a read token, not another one">
        It is sent with reads only. One that may also post alerts or give orders would let nobody do more from here, but
        more would be lost if it got out. How tokens are made is told in docs/access.md of the receiver.
      </Alert>
    </Stack>
  );
}
