/** How the connection is, in words. Pure. */

import { type Status } from '@page/stream-client.js';
import { type Fault } from './faults';
import { type Connection } from '../frames/schema';

interface Known {
  status: Status;
  /** What HTTP said of why there is no stream; null where it works, or was not asked. */
  fault: Fault | null;
  heardAt: number | null;
  since: number;
  via: Connection['via'];
}

const KEPT = 'What is shown stays, and is as old as the last message.';

export function connectionOf({ status, fault, heardAt, since, via }: Known): Connection {
  const base = { since, heardAt, via, retryAt: status.retryAt };
  if (status.state === 'live') {
    const way = via === 'ndjson' ? 'as lines over HTTP: no WebSocket gets through' : 'over a WebSocket';
    return { ...base, state: 'live', text: 'Live', detail: `The receiver tells what changes as it happens, ${way}.` };
  }
  if (fault?.lasting) {
    return { ...base, state: 'failed', text: fault.short, detail: `${fault.message} It is tried again by itself.` };
  }
  if (status.state === 'silent') {
    return {
      ...base,
      state: 'reconnecting',
      text: 'Silent',
      detail: `The receiver has said nothing for too long; connecting anew. ${KEPT}`,
    };
  }
  if (heardAt === null && !fault) {
    return { ...base, state: 'connecting', text: 'Connecting', detail: 'Connecting to the receiver.' };
  }
  const why = fault ? fault.message : 'The connection to the receiver broke.';
  const again = status.state === 'connecting' ? 'Connecting anew.' : 'It is tried again by itself.';
  const kept = heardAt === null ? '' : ` ${KEPT}`;
  return {
    ...base,
    state: 'reconnecting',
    text: fault ? fault.short : 'Reconnecting',
    detail: `${why} ${again}${kept}`,
  };
}
