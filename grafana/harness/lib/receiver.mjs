// A real receiver in a process of its own, with tokens, and the demo's storm played to it.

import { spawn, execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from './check.mjs';

const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const PYTHON = process.env.STORMCELL_PYTHON ?? join(REPOSITORY, '.venv/bin/python');
const ENVIRONMENT = { ...process.env, PYTHONPATH: REPOSITORY };

export const TOKENS = {
  read: 'read-token-of-the-harness',
  webhook: 'webhook-token-of-the-harness',
  operator: 'operator-token-of-the-harness',
};

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function python(...args) {
  const { stdout } = await promisify(execFile)(PYTHON, args, { cwd: REPOSITORY, env: ENVIRONMENT });
  return stdout;
}

export class Receiver {
  /**
   * @param {object} [options]
   * @param {number} [options.seconds] that the demo's storm will take: times of clustering are divided accordingly
   * @param {string} [options.embedding] backend; the real model by default
   */
  constructor({ seconds = 30, embedding = 'onnx' } = {}) {
    Object.assign(this, { seconds, embedding });
    this.child = null;
    this.player = null;
  }

  /** Make its folder and start it. */
  async start() {
    this.folder = await mkdtemp(join(tmpdir(), 'stormcell-harness-'));
    this.port = await freePort();
    this.url = `http://127.0.0.1:${this.port}`;
    const tokens = join(this.folder, 'tokens');
    await mkdir(tokens);
    for (const [role, token] of Object.entries(TOKENS)) {
      await writeFile(join(tokens, role), `${token}\n`);
    }
    const settings = JSON.parse(
      await python('-m', 'tests.support.demo_storm', 'settings', `--seconds=${this.seconds}`)
    );
    await writeFile(
      join(this.folder, 'stormcell.yml'),
      JSON.stringify({
        web: Object.fromEntries(Object.keys(TOKENS).map((role) => [`${role}_token_files`, [join(tokens, role)]])),
        embedding: { backend: this.embedding },
      })
    );
    this.arguments = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    await this.launch();
    return this;
  }

  /** Start the process, again with the same port and database. */
  async launch() {
    const log = openSync(join(this.folder, 'stormcell.log'), 'a');
    this.child = spawn(
      PYTHON,
      ['-m', 'receiver', 'serve', `--config.file=${join(this.folder, 'stormcell.yml')}`, `--storage.path=${join(this.folder, 'data')}`,
       `--web.listen-address=127.0.0.1:${this.port}`, ...this.arguments], // prettier-ignore
      { cwd: REPOSITORY, env: ENVIRONMENT, stdio: ['ignore', log, log] }
    );
    const { child } = this;
    await until('the receiver to be ready', async () => {
      if (child.exitCode !== null) {
        throw new Error(`the receiver ended at its start; see ${this.folder}/stormcell.log`);
      }
      return (await fetch(`${this.url}/-/ready`).catch(() => null))?.ok;
    });
  }

  /** SIGKILL: it gets to do nothing more. */
  async kill() {
    await ended(this.child, 'SIGKILL');
  }

  /** Put everything away. */
  async stop() {
    await ended(this.player, 'SIGTERM');
    await ended(this.child, 'SIGTERM');
    if (this.folder) {
      await rm(this.folder, { recursive: true, force: true });
    }
  }

  /** Play the demo's storm; the promise ends with it. */
  play() {
    this.player = spawn(
      PYTHON,
      [
        '-m',
        'tests.support.demo_storm',
        'play',
        `--seconds=${this.seconds}`,
        `--url=${this.url}`,
        `--token=${TOKENS.webhook}`,
      ],
      { cwd: REPOSITORY, env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'inherit'] }
    );
    return new Promise((resolve) => this.player.on('exit', resolve));
  }

  async request(method, path, { token = TOKENS.read, body } = {}) {
    const response = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
    const answer = await response.json().catch(() => null);
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    }
    return answer;
  }

  get(path) {
    return this.request('GET', path);
  }

  /** As an operator. */
  order(method, path, body) {
    return this.request(method, path, { token: TOKENS.operator, body });
  }

  /** Post *alerts* ({labels, annotations?, startsAt?, endsAt?}) as an Alertmanager would. */
  post(alerts) {
    const now = new Date().toISOString();
    const sent = alerts.map(({ labels, annotations = {}, startsAt = now, endsAt }) => ({
      status: endsAt ? 'resolved' : 'firing', labels, annotations, startsAt,
      endsAt: endsAt ?? '0001-01-01T00:00:00Z', generatorURL: 'http://prometheus.example/graph',
    })); // prettier-ignore
    const body = {
      version: '4', receiver: 'stormcell', status: 'firing', alerts: sent, groupLabels: {}, commonLabels: {}, commonAnnotations: {},
      externalURL: 'http://alertmanager.example', groupKey: `{}:{harness="${Math.random()}"}`, truncatedAlerts: 0,
    }; // prettier-ignore
    return this.request('POST', 'webhook', { token: TOKENS.webhook, body });
  }
}

function ended(child, signal) {
  if (!child || child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    child.on('exit', resolve);
    child.kill(signal);
  });
}
