/** Asks the receiver over the data source's proxy, on the route that carries the token. */

import { config, getBackendSrv, type FetchResponse } from '@grafana/runtime';
import { lastValueFrom, type Observable } from 'rxjs';

/** The route of plugin.json; whatever is not below it goes without the token. */
const ROUTE = 'live';

export type Parameters = Record<string, string | number | string[] | null | undefined>;

/** Where requests and sockets of the data source go; *base* is `instanceSettings.url`. */
export class Api {
  private readonly root: string;

  constructor(base: string) {
    this.root = `${base.replace(/\/+$/, '')}/${ROUTE}`;
  }

  /** GET `/api/v1/`*path*; parameters that are null or empty are left out. Rejects with what faultOf() explains. */
  get<T>(path: string, parameters: Parameters = {}): Promise<T> {
    return this.raw<T>(`api/v1/${path}`, parameters);
  }

  async raw<T>(path: string, parameters: Parameters = {}): Promise<T> {
    const given = Object.entries(parameters).filter(
      ([, value]) => value !== null && value !== undefined && value.toString() !== ''
    );
    const answer = await lastValueFrom(
      getBackendSrv().fetch<T>({
        url: `${this.root}/${path}`,
        params: Object.fromEntries(given),
        showErrorAlert: false,
      })
    );
    return answer.data;
  }

  /** The stream, as an absolute http address: sockets know nothing of the path that Grafana is served under. */
  streamUrl(): string {
    if (/^https?:/.test(this.root)) {
      return `${this.root}/api/v1/stream`;
    }
    const prefix = config.appSubUrl ?? '';
    const path = prefix && this.root.startsWith(`${prefix}/`) ? this.root : `${prefix}${this.root}`;
    return new URL(`${path}/api/v1/stream`, window.location.origin).href;
  }

  chunked(url: string): Observable<FetchResponse<Uint8Array | undefined>> {
    return getBackendSrv().chunked({ url, method: 'GET' });
  }
}
