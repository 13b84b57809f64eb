/** Asks the receiver what no frame holds: details, the past, what is similar. */

import { type Asker } from '@page/api.js';
import { Api } from '../../feed/api';
import { faultOf } from '../../feed/faults';

/** Answers GETs of the API, version 1; parameters that are null or empty are left out. */
export type ReceiverApi = Asker;

/** Why there is no answer, in words that can be shown. */
export class ReceiverError extends Error {
  /** @param status of HTTP; 0 where no answer came */
  constructor(
    message: string,
    readonly status: number
  ) {
    super(message);
  }
}

/** @param url of the data source, as Grafana tells it to browsers */
export function receiverApi(url: string): ReceiverApi {
  const api = new Api(url);
  return {
    async get<T>(path: string, parameters = {}) {
      try {
        return await api.get<T>(path, parameters);
      } catch (error) {
        const { message, status } = faultOf(error);
        throw new ReceiverError(message, status);
      }
    },
  };
}
