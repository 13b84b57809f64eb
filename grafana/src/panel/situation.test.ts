import { EvolutionModel, type Cluster } from '@page/model.js';
import { describe, expect, it } from 'vitest';
import { situationOf } from './situation';

const at = (second: number) => new Date(second * 1000).toISOString();
const cluster = (id: number, firing: number, severity = 'warning'): Cluster => ({
  id,
  title: `c${id}`,
  state: 'growing',
  severity,
  size: firing,
  firing,
  opened_at: at(0),
});
const clock = (ms: number) => `t${ms / 1000}`;

function model(clusters: Cluster[], storm: object | null) {
  const made = new EvolutionModel({ clock: () => 90_000 });
  made.applySnapshot({ epoch: 'e', seq: 1, time: at(90), clusters, storm });
  return made;
}

describe('the situation', () => {
  it('is calm', () => {
    expect(situationOf(model([], null), clock)).toEqual({ storm: false, heading: 'Nothing is firing', facts: [] });
  });

  it('counts what fires without a storm, and the worst of it', () => {
    expect(situationOf(model([cluster(1, 3, 'critical'), cluster(2, 2)], null), clock)).toEqual({
      storm: false,
      heading: '5 alerts firing in 2 clusters',
      facts: ['1 critical'],
    });
  });

  it('tells a storm, and what is outside of it', () => {
    const storm = { id: 1, state: 'peak', started_at: at(30), ended_at: null, cluster_ids: [1], intensity: 12 };
    const told = situationOf(model([cluster(1, 170, 'critical'), cluster(2, 2)], storm), clock);

    expect(told).toEqual({
      storm: true,
      heading: 'Storm since t30',
      facts: ['170 alerts in 1 cluster', '12× normal', 'for 1 min', '1 cluster outside'],
    });
  });
});
