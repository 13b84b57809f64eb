/** Why the receiver, or Grafana in between, did not answer: in words that say what to do. Pure. */

import { isFetchError } from '@grafana/runtime';

export interface Fault {
  /** For a corner of a panel. */
  short: string;
  /** Sentences. */
  message: string;
  status: number;
  /** Only a person can help; else it may pass. */
  lasting: boolean;
}

const fault = (status: number, short: string, message: string, lasting = true): Fault => ({
  short,
  message,
  status,
  lasting,
});

/** What was thrown by a request through the data source's proxy. */
export function faultOf(error: unknown): Fault {
  if (!isFetchError(error) || !error.status) {
    const told = error instanceof Error && error.message ? ` (${error.message.slice(0, 200)})` : '';
    return fault(0, 'No answer', `Grafana does not answer${told}.`, false);
  }
  const { status, data } = error;
  const told = receiverMessage(data);
  switch (status) {
    case 400:
      if (told === null && /authentication to data source failed/i.test(textOf(data))) {
        return fault(
          status,
          'Token refused',
          'The receiver refused the token, or wants one and got none: set a read token of the receiver (web.read_token_files) in the data source.'
        );
      }
      return fault(status, 'Refused', `The receiver does not take this question: ${told ?? textOf(data)}`);
    case 401:
      return fault(status, 'Signed out', 'Grafana does not know you any more: sign in again.');
    case 403:
      return told === null
        ? fault(status, 'Not allowed', 'Grafana does not let you query this data source.')
        : fault(status, 'Wrong token', `The receiver knows the token, but: ${told}. It needs the role read.`);
    case 404:
      return told === null
        ? fault(
            status,
            'Not a Stormcell',
            'Something answers at this URL, but it is no Stormcell: check host, port and path.'
          )
        : fault(status, 'Not found', `The receiver says: ${told}. A path in the URL must be its route prefix.`);
    case 502:
      return fault(
        status,
        'Unreachable',
        'Grafana’s server cannot reach the receiver: it is down, or the URL is not one that Grafana’s server can use.',
        false
      );
    case 503:
      return fault(status, 'Busy', 'The receiver is starting, stopping or full.', false);
    case 504:
      return fault(status, 'No answer', 'The receiver did not answer in time.', false);
    default:
      return fault(status, `Error ${status}`, `The receiver answered ${status}${told ? `: ${told}` : ''}.`, false);
  }
}

/** What the receiver itself said, as all its errors do; null for errors of others. */
function receiverMessage(data: unknown): string | null {
  const message = (data as { error?: { message?: unknown } } | null)?.error?.message;
  return typeof message === 'string' ? message.slice(0, 300) : null;
}

function textOf(data: unknown): string {
  const message = (data as { message?: unknown } | null)?.message;
  return String(typeof message === 'string' ? message : (data ?? '')).slice(0, 300);
}
