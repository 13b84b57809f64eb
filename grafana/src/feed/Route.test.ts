import { Route } from './Route';

describe('the route', () => {
  it('takes lines after two sockets that failed though HTTP works, for ten minutes', () => {
    let now = 0;
    const route = new Route(() => now);
    expect(route.failed()).toBe(false);
    expect(route.via).toBe('websocket');
    expect(route.failed()).toBe(true);
    expect(route.via).toBe('ndjson');
    now = 10 * 60_000;
    expect(route.via).toBe('websocket');
  });

  it('forgets a failure once a socket worked', () => {
    const route = new Route(() => 0);
    route.failed();
    route.worked();
    expect(route.failed()).toBe(false);
  });

  it('goes back to sockets where lines fail too', () => {
    const route = new Route(() => 0);
    [1, 2, 3, 4].forEach(() => route.failed());
    expect(route.via).toBe('websocket');
  });
});
