import {
  type AnnotationSupport,
  DataSourceApi,
  type DataFrame,
  type DataQueryRequest,
  type DataQueryResponse,
  type DataSourceInstanceSettings,
  LoadingState,
  type ScopedVars,
  type TestDataSourceResponse,
} from '@grafana/data';
import { getTemplateSrv } from '@grafana/runtime';
import { catchError, from, isObservable, map, merge, type Observable, of } from 'rxjs';
import { Api } from '../feed/api';
import { faultOf } from '../feed/faults';
import { LiveFeed } from '../feed/LiveFeed';
import { type SocketClass } from '../feed/sockets';
import { AnnotationEditor } from './components/AnnotationEditor';
import { DEFAULT_QUERY } from './defaults';
import { alerts } from './queries/alerts';
import { annotations, DEFAULT_MARKS } from './queries/annotations';
import { clusters } from './queries/clusters';
import { events } from './queries/events';
import { evolution } from './queries/evolution';
import { type Answer, type Ask } from './queries/query';
import { stats } from './queries/stats';
import { storms } from './queries/storms';
import { variable } from './queries/variable';
import { testReceiver } from './test';
import { QueryType, type StormcellOptions, type StormcellQuery } from './types';
import { Variables } from './Variables';

const ASK: Record<QueryType, Ask> = {
  [QueryType.Evolution]: evolution,
  [QueryType.Clusters]: clusters,
  [QueryType.Alerts]: alerts,
  [QueryType.Events]: events,
  [QueryType.Stats]: stats,
  [QueryType.Storms]: storms,
  [QueryType.Annotations]: annotations,
  [QueryType.Variable]: variable,
};

export class DataSource extends DataSourceApi<StormcellQuery, StormcellOptions> {
  readonly api: Api;
  readonly feed: LiveFeed;

  /** @param WebSocketClass for tests that want a socket of their own */
  constructor(
    private readonly settings: DataSourceInstanceSettings<StormcellOptions>,
    WebSocketClass?: SocketClass
  ) {
    super(settings);
    this.api = new Api(settings.url ?? '');
    this.feed = new LiveFeed({ api: this.api, ...(WebSocketClass && { WebSocketClass }) });
    this.variables = new Variables(this);
    this.annotations = annotationSupport;
  }

  getDefaultQuery(): Partial<StormcellQuery> {
    return DEFAULT_QUERY;
  }

  /** What a collapsed query shows. */
  getQueryDisplayText({ queryType = QueryType.Evolution, state, severity, text, figures }: StormcellQuery): string {
    return [queryType, figures, state, severity, text].filter(Boolean).join(' · ');
  }

  filterQuery(query: StormcellQuery): boolean {
    return !query.hide && (query.queryType ?? QueryType.Evolution) in ASK;
  }

  query(request: DataQueryRequest<StormcellQuery>): Observable<DataQueryResponse> {
    const wanted = request.targets.filter((query) => this.filterQuery(query));
    return wanted.length === 0 ? of({ data: [] }) : merge(...wanted.map((query) => this.one(query, request)));
  }

  private one(query: StormcellQuery, request: DataQueryRequest<StormcellQuery>): Observable<DataQueryResponse> {
    const { refId } = query;
    const asked = {
      query: this.fill(query, request.scopedVars),
      range: request.range,
      intervalMs: request.intervalMs,
      api: this.api,
      feed: this.feed,
    };
    const answer = ASK[query.queryType ?? QueryType.Evolution](asked);
    return (isObservable(answer) ? answer : from(answer)).pipe(
      map((given) => responseOf(refId, given)),
      catchError((error) => {
        const { message, status } = faultOf(error);
        return of({ key: refId, data: [], state: LoadingState.Error, errors: [{ refId, message, status }] });
      })
    );
  }

  /** *query* with variables replaced by their values. */
  fill(query: StormcellQuery, scopedVars: ScopedVars): StormcellQuery {
    const filled = <T>(value: T): T =>
      (typeof value === 'string'
        ? getTemplateSrv().replace(value, scopedVars)
        : Array.isArray(value)
          ? value.map(filled)
          : value) as T;
    return {
      ...Object.fromEntries(Object.entries(query).map(([name, value]) => [name, filled(value)])),
      refId: query.refId,
    };
  }

  interpolateVariablesInQueries(queries: StormcellQuery[], scopedVars: ScopedVars): StormcellQuery[] {
    return queries.map((query) => this.fill(query, scopedVars));
  }

  testDatasource(): Promise<TestDataSourceResponse> {
    return testReceiver(this.api, this.settings);
  }
}

function responseOf(refId: string, { frames, connection }: Answer): DataQueryResponse {
  const data: DataFrame[] = frames.map((frame) => ({ ...frame, refId }));
  if (!connection) {
    return { key: refId, data, state: LoadingState.Done };
  }
  // Streaming in any case: with the state Error a panel might drop what it shows.
  const errors = connection.state === 'failed' ? [{ refId, message: connection.detail }] : undefined;
  return { key: refId, data, state: LoadingState.Streaming, errors };
}

const annotationSupport: AnnotationSupport<StormcellQuery> = {
  QueryEditor: AnnotationEditor,
  getDefaultQuery: () => ({ queryType: QueryType.Annotations, marks: DEFAULT_MARKS }),
  prepareQuery: ({ target }) => ({ refId: 'Annotation', ...target, queryType: QueryType.Annotations }),
};
