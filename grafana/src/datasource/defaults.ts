import { QueryType, type StormcellQuery } from './types';

/** What a new query asks for. */
export const DEFAULT_QUERY: Partial<StormcellQuery> = { queryType: QueryType.Evolution };
