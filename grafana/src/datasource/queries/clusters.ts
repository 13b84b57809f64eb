/** Clusters as a table: the live ones from the stream, others from the list. */

import { throttleTime, map, asyncScheduler } from 'rxjs';
import { clustersFrame } from '../../frames/clusters';
import { withMeta } from '../../frames/meta';
import { type Cluster } from '../../frames/schema';
import { hasEnded, withNotices } from '../../feed/Picture';
import { readPages } from './pages';
import { withWarning, type Ask, type Asked } from './query';

/** A table that changes faster cannot be read. */
export const READABLE_MS = 1000;
export const LIVE = 'live';

export const clusters: Ask = (asked) => ((asked.query.state ?? LIVE) === LIVE ? live(asked) : past(asked));

function live({ feed, query }: Asked) {
  return feed.updates.pipe(
    throttleTime(READABLE_MS, asyncScheduler, { leading: true, trailing: true }),
    map(({ clusters: all, meta, connection }) => {
      const rows = ranked(
        all.filter((cluster) => !hasEnded(cluster) && matches(cluster, query.severity, query.text)),
        meta.severityOrder
      );
      const shown = rows.slice(0, query.limit);
      return { frames: [withNotices(withMeta(clustersFrame(shown), meta, shown), connection)], connection };
    })
  );
}

async function past({ api, query, range }: Asked) {
  const parameters = { state: query.state, severity: query.severity, q: query.text };
  const limit = query.limit ?? 100;
  const from = range.from.toISOString();
  const to = range.to.toISOString();
  const { items, more } = await readPages<Cluster>(api, 'clusters', parameters, limit, {
    wanted: ({ opened_at, resolved_at, closed_at, state }) => {
      const ended = state === 'merged' ? closed_at : resolved_at;
      return opened_at < to && (!ended || ended >= from);
    },
  });
  return {
    frames: [withWarning(clustersFrame(items), more && `Only the ${items.length} latest of these clusters are shown.`)],
  };
}

/** Worst first, then most firing, then oldest: what somebody should look at is on top. */
export function ranked(all: Cluster[], order: string[]): Cluster[] {
  const rank = ({ severity }: Cluster) => {
    const position = order.indexOf(severity);
    return !severity ? -1 : position < 0 ? order.length : position;
  };
  return [...all].sort((a, b) => rank(b) - rank(a) || b.firing - a.firing || a.id - b.id);
}

function matches({ title, labels = {}, severity }: Cluster, wanted = '', text = ''): boolean {
  const part = text.toLowerCase();
  const holds = (value: string) => value.toLowerCase().includes(part);
  return (!wanted || severity === wanted) && (!part || holds(title) || Object.values(labels).some(holds));
}
