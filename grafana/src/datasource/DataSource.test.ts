import { type DataQueryRequest, type DataSourceInstanceSettings, dateTime, LoadingState } from '@grafana/data';
import { setBackendSrv, setTemplateSrv, type BackendSrv, type TemplateSrv } from '@grafana/runtime';
import { lastValueFrom, of, throwError, toArray } from 'rxjs';
import { FakeSocket, snapshot } from '../feed/fakes';
import { DataSource } from './DataSource';
import { QueryType, type StormcellOptions, type StormcellQuery } from './types';

const settings = {
  url: '/api/datasources/proxy/uid/s',
  access: 'proxy',
  jsonData: {},
} as DataSourceInstanceSettings<StormcellOptions>;
const request = (...targets: Array<Partial<StormcellQuery>>) =>
  ({
    targets: targets.map((target, i) => ({ refId: String.fromCharCode(65 + i), ...target })),
    range: { from: dateTime(0), to: dateTime(10_000) },
    scopedVars: { team: { text: 'x', value: 'x' } },
    intervalMs: 1000,
  }) as unknown as DataQueryRequest<StormcellQuery>;

const fetch = vi.fn();

beforeEach(() => {
  FakeSocket.all = [];
  fetch.mockReset().mockReturnValue(of({ data: { items: [], next: null } }));
  setBackendSrv({ fetch } as unknown as BackendSrv);
  setTemplateSrv({
    replace: (text: string, vars: Record<string, { value: string }>) =>
      text.replace(/\$(\w+)/g, (_, name) => vars[name]?.value),
  } as unknown as TemplateSrv);
});

describe('the data source', () => {
  it('answers each query under its own key, with variables filled in', async () => {
    const source = new DataSource(settings, FakeSocket);
    const responses = await lastValueFrom(
      source
        .query(
          request(
            { queryType: QueryType.Alerts, text: '$team', labels: ['team=$team'] },
            { queryType: QueryType.Storms }
          )
        )
        .pipe(toArray())
    );
    expect(responses.map(({ key, state }) => [key, state])).toEqual([['A', LoadingState.Done], ['B', LoadingState.Done]]); // prettier-ignore
    expect(responses[0].data[0].refId).toBe('A');
    expect(fetch.mock.calls[0][0]).toMatchObject({
      url: '/api/datasources/proxy/uid/s/live/api/v1/alerts',
      params: { q: 'x', label: ['team=x'] },
      showErrorAlert: false,
    });
  });

  it('tells why a query failed, and answers the others', async () => {
    const source = new DataSource(settings, FakeSocket);
    fetch.mockReturnValueOnce(throwError(() => ({ status: 502, data: '', config: {} })));
    const responses = await lastValueFrom(
      source.query(request({ queryType: QueryType.Storms }, { queryType: QueryType.Alerts })).pipe(toArray())
    );
    const failed = responses.find(({ key }) => key === 'A')!;
    expect(failed).toMatchObject({ state: LoadingState.Error, errors: [{ refId: 'A', status: 502 }] });
    expect(failed.errors![0].message).toMatch(/cannot reach/);
    expect(responses.find(({ key }) => key === 'B')!.state).toBe(LoadingState.Done);
  });

  it('asks for nothing that is hidden or of an unknown type', async () => {
    const source = new DataSource(settings, FakeSocket);
    const query = source.query(
      request({ queryType: QueryType.Storms, hide: true }, { queryType: 'later' as QueryType })
    );
    expect(await lastValueFrom(query)).toEqual({ data: [] });
    expect(fetch).not.toHaveBeenCalled();
  });

  it('serves all live queries from one socket, and streams', async () => {
    vi.useFakeTimers();
    const source = new DataSource(settings, FakeSocket);
    const states = new Map<string, string>();
    const rows = new Map<string, number[]>();
    const subscription = source
      .query(request({}, { queryType: QueryType.Clusters }, { queryType: QueryType.Stats }))
      .subscribe(({ key, state, data }) => {
        states.set(key!, state!);
        rows.set(key!, data.map(({ length }) => length)); // prettier-ignore
      });
    await vi.advanceTimersByTimeAsync(0);
    FakeSocket.last.say(snapshot());
    await vi.advanceTimersByTimeAsync(1500);
    subscription.unsubscribe();
    vi.useRealTimers();

    expect(FakeSocket.all).toHaveLength(1);
    expect(FakeSocket.last.url).toBe('ws://localhost:3000/api/datasources/proxy/uid/s/live/api/v1/stream');
    expect([...states.values()]).toEqual(Array(3).fill(LoadingState.Streaming));
    expect(Object.fromEntries(rows)).toEqual({ A: [0, 2], B: [2], C: [1] });
  });
});
