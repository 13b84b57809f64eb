/** What is going on, in a line: what one reads first at 3 am. Pure. */

import { count, duration, plural } from '@page/format.js';
import { type EvolutionModel } from '@page/model.js';

export interface Situation {
  storm: boolean;
  heading: string;
  facts: string[];
}

export function situationOf(model: EvolutionModel, time: (ms: number) => string): Situation {
  const live = model.live();
  const firing = live.filter((cluster) => (cluster.firing ?? 0) > 0);
  const alerts = firing.reduce((sum, cluster) => sum + (cluster.firing ?? 0), 0);
  const worst = live[0]?.severity;
  const critical = worst ? firing.filter(({ severity }) => severity === worst).length : 0;
  const worstWords = critical ? [`${count(critical)} ${worst}`] : [];
  const { storm } = model;
  if (!storm || storm.state === 'ended') {
    const heading = firing.length
      ? `${plural(alerts, 'alert')} firing in ${plural(firing.length, 'cluster')}`
      : 'Nothing is firing';
    return { storm: false, heading, facts: worstWords };
  }
  const outside = model.outsideStorm();
  const apart = outside.reduce((sum, cluster) => sum + (cluster.firing ?? 0), 0);
  const inside = firing.length - outside.length;
  const started = Date.parse(storm.started_at);
  const facts = [`${plural(alerts - apart, 'alert')} in ${plural(inside, 'cluster')}`];
  const times = storm.intensity ?? 0;
  if (times >= 1.5) {
    facts.push(`${times >= 10 ? count(times) : times.toFixed(1)}× normal`);
  }
  facts.push(`for ${duration((model.now() - started) / 1000)}`);
  if (outside.length) {
    facts.push(`${plural(outside.length, 'cluster')} outside`);
  }
  return { storm: true, heading: `Storm since ${time(started)}`, facts };
}
