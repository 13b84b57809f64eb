/** What is going on, in a line: what one reads first at 3 am. Pure. */

import { count, duration, plural } from '@page/format.js';
import { type Cluster, type EvolutionModel } from '@page/model.js';
import { doubtsOf } from '@page/situation.js';

export interface Situation {
  storm: boolean;
  heading: string;
  facts: string[];
}

/** Before the first word of the receiver: silence is no good news then. */
export const NOTHING_KNOWN = 'Nothing is known yet';

export function situationOf(model: EvolutionModel, time: (ms: number) => string): Situation {
  if (!isKnown(model)) {
    return { storm: false, heading: NOTHING_KNOWN, facts: [] };
  }
  const firing = model.live().filter((cluster) => (cluster.firing ?? 0) > 0);
  const doubts = doubtsOf(model, time);
  const { storm } = model;
  if (!storm || storm.state === 'ended') {
    return { storm: false, heading: calmHeading(model, firing), facts: [...worstOf(firing), ...doubts] };
  }
  const outside = model.outsideStorm();
  const apart = new Set(outside);
  const inside = firing.filter((cluster) => !apart.has(cluster));
  const started = Date.parse(storm.started_at);
  const facts = [`${count(alertsOf(inside))} firing in ${plural(inside.length, 'cluster')}`];
  const times = storm.intensity ?? 0;
  if (times >= 1.5) {
    facts.push(`${times >= 10 ? count(times) : times.toFixed(1)}× normal`);
  }
  facts.push(`for ${duration((model.now() - started) / 1000)}`);
  if (outside.length) {
    facts.push([`${plural(outside.length, 'cluster')} outside`, ...worstOf(outside)].join(', '));
  }
  return { storm: true, heading: `Storm since ${time(started)}`, facts: [...facts, ...doubts] };
}

/** A model that heard nothing is empty too. */
export const isKnown = (model: EvolutionModel) => model.version > 0;

function calmHeading(model: EvolutionModel, firing: Cluster[]): string {
  if (firing.length) {
    return `${plural(alertsOf(firing), 'alert')} firing in ${plural(firing.length, 'cluster')}`;
  }
  if (model.stats?.source_quiet_at) {
    return 'Nothing is told to fire';
  }
  return model.live().some(({ suppressed }) => suppressed) ? 'All that fires is suppressed' : 'Nothing is firing';
}

const alertsOf = (clusters: Cluster[]) => clusters.reduce((sum, { firing }) => sum + (firing ?? 0), 0);

/** How many of *clusters*, worst first, are as bad as the worst. */
function worstOf(clusters: Cluster[]): string[] {
  const worst = clusters[0]?.severity;
  return worst ? [`${count(clusters.filter(({ severity }) => severity === worst).length)} ${worst}`] : [];
}
