// A receiver's stream at any speed, without a receiver: clusters are born, grow, resolve and are merged, as many live
// as wanted, and every message has the shape of docs/stream.md.
//
// Left out: grouping, a database, resuming (who comes again gets a snapshot), tokens, and every call but those a
// panel makes by itself. The alerts are of one make, so that their JSON is as long as that of the demo's.

import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const MESSAGE_MS = 100;
const SEVERITIES = ['info', 'warning', 'critical'];
const SERVICES = ['checkout', 'payments', 'orders', 'search', 'catalog', 'sessions', 'mail', 'edge'];

export class Load {
  /** @param {{eventsPerSecond: number, clusters: number, born?: number}} rates born: clusters a second */
  constructor({ eventsPerSecond, clusters, born = 10 }) {
    Object.assign(this, { eventsPerSecond, wanted: clusters, born });
    this.seq = 0;
    this.nextId = 1;
    this.owed = 0;
    this.owedBirths = 0;
    this.live = new Map();
    this.random = generator(9783);
    this.server = createServer((request, response) => this.#answer(request, response));
    this.sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    this.server.on('upgrade', (request, socket, head) =>
      this.sockets.handleUpgrade(request, socket, head, (opened) => opened.send(this.#snapshot()))
    );
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  async start() {
    const now = Date.now();
    while (this.live.size < this.wanted) {
      this.#open(new Date(now - this.random() * 600_000).toISOString(), []);
    }
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    let last = Date.now();
    this.timer = setInterval(() => {
      const passed = Date.now() - last;
      last += passed;
      this.#step(passed);
    }, MESSAGE_MS);
    return this;
  }

  stop() {
    clearInterval(this.timer);
    for (const socket of this.sockets.clients) {
      socket.terminate();
    }
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  #step(passedMs) {
    this.owed += (this.eventsPerSecond * passedMs) / 1000;
    this.owedBirths += (this.born * passedMs) / 1000;
    const time = new Date().toISOString();
    const events = [];
    const changed = new Map();
    const told = (cluster) => changed.set(cluster.id, cluster);
    for (; this.owedBirths >= 1; this.owedBirths -= 1) {
      const [oldest] = this.live.values();
      if (this.random() < 0.2) {
        told(this.#merge(oldest, time, events));
      } else {
        told(this.#resolve(oldest, time, events));
      }
      told(this.#open(time, events));
    }
    const clusters = [...this.live.values()];
    while (events.length < Math.floor(this.owed)) {
      // As in a storm: few clusters get most of the alerts.
      const cluster = clusters[Math.floor(clusters.length * this.random() ** 2)];
      told(this.#alert(cluster, time, events));
    }
    this.owed -= events.length;
    if (!events.length) {
      return;
    }
    const message = JSON.stringify({
      type: 'events', first: events[0].seq, last: this.seq, time, events, clusters: [...changed.values()], storm: this.#storm(), stats: this.#stats(),
    }); // prettier-ignore
    for (const socket of this.sockets.clients) {
      socket.send(message);
    }
  }

  #event(type, cluster, time, events, more) {
    this.seq += 1;
    events.push({
      seq: this.seq, time, type, cluster_id: cluster.id, cluster_size: cluster.size, cluster_firing: cluster.firing, total_clusters: this.live.size, ...more,
    }); // prettier-ignore
  }

  #open(time, events) {
    const id = this.nextId++;
    const service = SERVICES[id % SERVICES.length];
    const severity = SEVERITIES[id % 3];
    const cluster = {
      id, title: `${service} latency high, upstream errors and ${id % 9} more in ${1 + (id % 5)} services`, state: 'growing', accepting: true, severity,
      size: 1, firing: 1, suppressed: 0, stale: 0, opened_at: time, updated_at: time, closed_at: null, resolved_at: null,
      labels: { namespace: service, region: 'eu-1', team: service, env: 'prod' }, affected: { service: { [service]: 1 }, team: { [service]: 1 } },
      spread: { label: 'service', values: 2, more_values: false, waves: [{ at: time, offset_seconds: 0, values: [service], values_total: 1 }], waves_total: 1, probable_first: service, evidence: { reason: `LatencyHigh in service ${service} fired first`, alerts: [], values_in_first_wave: 1, lead_seconds: 95, same_rule_next: false } },
      confidence: 0.83, recurs: id % 5 ? null : { cluster_id: 1, similarity: 0.93, title: 'as before', opened_at: time, resolved_at: time, duration_seconds: 60, ended: null, reason: 'texts alike' },
      novel: false, first_seen: time, merged_into: null, split_from: null, pinned: false, acked_by: '', note: '',
    }; // prettier-ignore
    this.live.set(id, cluster);
    this.#event('cluster_created', cluster, time, events, { title: cluster.title });
    return cluster;
  }

  #alert(cluster, time, events) {
    const fires = cluster.firing <= 2 || this.random() < 0.5;
    const changed = {
      ...cluster,
      updated_at: time,
      firing: cluster.firing + (fires ? 1 : -1),
      size: cluster.size + (fires ? 1 : 0),
    };
    this.live.set(cluster.id, changed);
    const n = changed.size;
    const alert = {
      fingerprint: (cluster.id * 65_536 + n).toString(16).padStart(16, '0'), startsAt: time,
      labels: { alertname: `LatencyHigh${n % 7}`, ...cluster.labels, pod: `pod-${n % 40}`, severity: cluster.severity },
    }; // prettier-ignore
    const more = fires ? { alert, confidence: 0.91, reason: 'fits 0.91: text, labels and time' } : { alert };
    this.#event(fires ? 'alert_assigned' : 'alert_resolved', changed, time, events, more);
    return changed;
  }

  #resolve(cluster, time, events) {
    this.live.delete(cluster.id);
    const over = {
      ...cluster,
      state: 'resolved',
      accepting: false,
      firing: 0,
      closed_at: time,
      resolved_at: time,
      updated_at: time,
    };
    this.#event('cluster_resolved', over, time, events);
    return over;
  }

  #merge(cluster, time, events) {
    this.live.delete(cluster.id);
    const [into] = this.live.keys();
    const over = {
      ...cluster,
      state: 'merged',
      accepting: false,
      size: 0,
      firing: 0,
      closed_at: time,
      updated_at: time,
      merged_into: into,
    };
    this.#event('cluster_merged', over, time, events, { into, reason: 'texts, labels and times say so' });
    return over;
  }

  #storm() {
    const started = (this.startedAt ??= new Date().toISOString());
    return {
      id: 1, state: 'peak', started_at: started, peak_at: started, ended_at: null, intensity: 40, peak_intensity: 50, rate_per_minute: this.eventsPerSecond * 60,
      baseline_per_minute: 100, episodes: this.seq, firing: 1000, cluster_ids: [...this.live.keys()].slice(0, 50), representatives: [],
    }; // prettier-ignore
  }

  #stats() {
    return {
      live_clusters: this.live.size, flapping_alerts: 0, heartbeat_at: null, pending_alerts: 0, model_ready: true,
      stability: { status: 'ok', new_cluster_rate: 0.07, avg_assignment_confidence: 0.88, stability_score: 0.93, total_clusters: this.nextId, window_size: 100, assignments: 100 },
      index: { vectors: 50_000, cells: 224, probes: 10, measured_recall: 1 }, memory: { current_vectors: 50_000, max_vectors: 50_000, usage_ratio: 1, past_clusters: 31, max_past_clusters: 5000 },
      constraints: { must_link: 0, cannot_link: 0, alerts_named: 0, max_alerts_named: 20_000 },
    }; // prettier-ignore
  }

  #snapshot() {
    return JSON.stringify({
      type: 'snapshot', epoch: 'load', seq: this.seq, time: new Date().toISOString(), severity_order: SEVERITIES, clusters: [...this.live.values()],
      storm: this.#storm(), stats: this.#stats(), reset: true,
    }); // prettier-ignore
  }

  #answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, this.url);
    const now = new Date().toISOString();
    const answers = {
      '/api/v1/stats': { ...this.#stats(), ledger: {}, storage: {} },
      '/api/v1/storms': { items: [], next: null },
      '/api/v1/timeline': {
        from: searchParams.get('from') ?? now, to: searchParams.get('to') ?? now, step_seconds: Number(searchParams.get('step') ?? 10), seq: this.seq,
        fired: [0], resolved: [0], clusters: [], truncated: false,
      },
    }; // prettier-ignore
    const answer = answers[pathname];
    response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answer ?? { error: { code: 'not_found', message: 'no such path' } }));
  }
}

/** Mulberry32: the same load each time. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
