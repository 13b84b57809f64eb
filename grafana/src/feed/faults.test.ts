import { faultOf } from './faults';

const answer = (status: number, data: unknown = '') => ({ status, data, config: { url: '' } });
const own = (message: string) => ({ error: { code: 'x', message } });

describe('faults', () => {
  it.each([
    [answer(400, { message: 'Authentication to data source failed' }), 'Token refused', true],
    [answer(400, own('cluster_id: got seven')), 'Refused', true],
    [answer(401, { message: 'Unauthorized' }), 'Signed out', true],
    [answer(403, own('this token does not give the role read')), 'Wrong token', true],
    [answer(403, { message: 'Forbidden' }), 'Not allowed', true],
    [answer(404, '<html>'), 'Not a Stormcell', true],
    [answer(404, own('no such path')), 'Not found', true],
    [answer(502), 'Unreachable', false],
    [answer(503, own('starting')), 'Busy', false],
    [answer(504), 'No answer', false],
    [answer(500, own('a fault')), 'Error 500', false],
    [new TypeError('Failed to fetch'), 'No answer', false],
  ])('%o is told as %s', (error, short, lasting) => {
    expect(faultOf(error)).toMatchObject({ short, lasting });
  });

  it('repeats what the receiver said', () => {
    expect(faultOf(answer(400, own('cluster_id: got seven'))).message).toContain('cluster_id: got seven');
  });
});
