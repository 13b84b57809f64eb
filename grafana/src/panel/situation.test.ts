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

function model(clusters: Cluster[], storm: object | null, stats: object | null = null) {
  const made = new EvolutionModel({ clock: () => 90_000 });
  made.applySnapshot({ epoch: 'e', seq: 1, time: at(90), clusters, storm, stats });
  return made;
}

describe('the situation', () => {
  it('is calm', () => {
    expect(situationOf(model([], null), clock)).toEqual({ storm: false, heading: 'Nothing is firing', facts: [] });
  });

  it('claims nothing before it heard anything', () => {
    expect(situationOf(new EvolutionModel(), clock)).toEqual({
      storm: false,
      heading: 'Nothing is known yet',
      facts: [],
    });
  });

  it('claims no recovery where a source went quiet', () => {
    const stats = { source_quiet_at: at(60) };
    const calm = situationOf(model([], null, stats), clock);
    const doubt = 'a source has gone quiet (t60): what ended since may not have recovered';

    expect(calm).toMatchObject({ heading: 'Nothing is told to fire', facts: [doubt] });
    expect(situationOf(model([cluster(1, 3)], null, stats), clock).facts).toEqual(['1 warning', doubt]);
  });

  it('says that what fires is suppressed', () => {
    const held = { ...cluster(1, 0, 'critical'), suppressed: 4 };

    expect(situationOf(model([held], null), clock)).toMatchObject({
      heading: 'All that fires is suppressed',
      facts: ['4 suppressed'],
    });
  });

  it('does not count as worst what does not fire', () => {
    expect(situationOf(model([cluster(1, 0, 'critical'), cluster(2, 2)], null), clock).facts).toEqual(['1 warning']);
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
    const told = situationOf(
      model([cluster(1, 170, 'critical'), cluster(2, 2), cluster(3, 1, 'critical')], storm),
      clock
    );

    expect(told).toEqual({
      storm: true,
      heading: 'Storm since t30',
      facts: ['170 firing in 1 cluster', '12× normal', 'for 1 min', '2 clusters outside, 1 critical'],
    });
  });
});
