import { whatDiffers } from '@page/why-terms.js';
import { visible } from '@page/text.js';
import React from 'react';
import { type ReceiverApi } from '../data/api';
import { type AlertDetail } from '../data/detail';
import { WhyTerms } from './WhyTerms';
import { useAnswer } from './useAnswer';

interface Props {
  fingerprint: string;
  api: ReceiverApi;
}

/** Why an alert is in its cluster, in words, and the terms that decided as bars. */
export function WhyHere({ fingerprint, api }: Props) {
  const { value, error, loading } = useAnswer(fingerprint, () =>
    api.get<AlertDetail>(`alerts/${encodeURIComponent(fingerprint)}`)
  );
  if (error) {
    return <p role="alert">{error}</p>;
  }
  if (loading || !value) {
    return <p>Asking…</p>;
  }
  const { why } = value;
  if (!why) {
    return <p>Nothing was kept about this decision.</p>;
  }
  const differs = whatDiffers(why);
  return (
    <div>
      <p>{visible(why.reason, { limit: 400 })}</p>
      {why.best?.evidence && <WhyTerms why={why} />}
      {differs && <p>{visible(differs)}</p>}
    </div>
  );
}
