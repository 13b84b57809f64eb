import { CustomVariableSupport, type DataQueryRequest, type DataQueryResponse } from '@grafana/data';
import { type Observable } from 'rxjs';
import { VariableEditor } from './components/VariableEditor';
import { type DataSource } from './DataSource';
import { QueryType, type StormcellQuery, ValuesOf } from './types';

export class Variables extends CustomVariableSupport<DataSource, StormcellQuery> {
  editor = VariableEditor;

  constructor(private readonly dataSource: DataSource) {
    super();
  }

  getDefaultQuery(): Partial<StormcellQuery> {
    return { queryType: QueryType.Variable, values: ValuesOf.Clusters };
  }

  query = (request: DataQueryRequest<StormcellQuery>): Observable<DataQueryResponse> =>
    this.dataSource.query({
      ...request,
      targets: request.targets.map((query) => ({
        ...query,
        refId: query.refId ?? 'Variable',
        queryType: QueryType.Variable,
      })),
    });
}
