import { describe, expect, it } from 'vitest';
import { type Connection, type ConnectionState } from '../frames/schema';
import { told } from './ConnectionMark';

const connection = (state: ConnectionState, heardAt: number | null): Connection => ({
  state, text: state, detail: '', retryAt: null, since: 0, heardAt, via: 'websocket',
}); // prettier-ignore
const time = (ms: number) => `t${ms}`;

describe('the mark of the connection', () => {
  it('says of when the picture is once it is not live any more', () => {
    expect(told(connection('reconnecting', 7), '', true, time).words).toBe('reconnecting, as of t7');
    expect(told(connection('live', 7), '', true, time).words).toBe('live');
    expect(told(connection('connecting', null), '', true, time).words).toBe('connecting');
  });

  it('does not hide a lost connection behind what is being loaded', () => {
    expect(told(connection('failed', 7), 'Loading the past…', true, time)).toMatchObject({ kind: 'bad' });
    expect(told(connection('live', 7), 'Loading the past…', true, time).words).toBe('Loading');
  });
});
