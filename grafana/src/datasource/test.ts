/** What "Save & test" finds out, in the order in which things can be wrong. */

import { type DataSourceInstanceSettings, type TestDataSourceResponse } from '@grafana/data';
import { type Api } from '../feed/api';
import { faultOf } from '../feed/faults';
import { type Stats } from '../frames/schema';

/** What this plugin asks the receiver for. */
const NEEDED = ['stats', 'clusters', 'alerts', 'events', 'timeline', 'storms', 'stream', 'stream.ndjson'];
const SOCKET_MS = 5000;

interface StatsAnswer extends Stats {
  ledger?: { alerts: number };
}

export async function testReceiver(
  api: Api,
  settings: Pick<DataSourceInstanceSettings, 'access' | 'url'>,
  opens: (url: string) => Promise<boolean> = socketOpens
): Promise<TestDataSourceResponse> {
  if (settings.access === 'direct') {
    return bad('Set the access to "server" (access: proxy): the token is not for browsers.');
  }
  const stranger = await strangerAt(api);
  if (stranger) {
    return bad(stranger);
  }
  let stats: StatsAnswer;
  try {
    stats = await api.get<StatsAnswer>('stats');
  } catch (error) {
    return bad(faultOf(error).message);
  }
  const alerts = stats.ledger?.alerts ?? 0;
  const found = `Stormcell answers: ${counted(stats.live_clusters ?? 0, 'live cluster')}, ${counted(alerts, 'alert')} received so far.`;
  const live = (await opens(api.streamUrl()))
    ? 'Live updates come over a WebSocket.'
    : 'No WebSocket gets through: live updates come as lines over HTTP, which works. A reverse proxy in front of Grafana should pass on Upgrade for /api/datasources/proxy/.';
  return { status: 'success', message: `${found} ${live}` };
}

/** What is wrong with whoever answers at the address; null if it is a receiver that knows all we ask for. */
async function strangerAt(api: Api): Promise<string | null> {
  let description: { info?: { title?: string }; paths?: Record<string, unknown> };
  try {
    description = await api.raw('api/v1/openapi.json');
  } catch (error) {
    return faultOf(error).message;
  }
  if (description?.info?.title !== 'Stormcell' || !description.paths) {
    return 'Something answers at this URL, but it is no Stormcell: check host, port and path.';
  }
  const missing = NEEDED.filter((name) => !(`/api/v1/${name}` in description.paths!));
  return missing.length
    ? `This Stormcell is older than the plugin: it does not know ${missing.join(', ')}. Update the receiver.`
    : null;
}

function socketOpens(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url.replace(/^http/, 'ws'));
    const told = (opened: boolean) => {
      clearTimeout(timer);
      socket.onopen = socket.onclose = null;
      socket.close();
      resolve(opened);
    };
    const timer = setTimeout(() => told(false), SOCKET_MS);
    socket.onopen = () => told(true);
    socket.onclose = () => told(false);
  });
}

const bad = (message: string): TestDataSourceResponse => ({ status: 'error', message });
const counted = (count: number, noun: string) => `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
