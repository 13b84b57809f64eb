// Stands in for Grafana's server: its pages' files, and its data source proxy for HTTP and WebSockets.
//
// Left out: users, rights, plugin scanning, provisioning, the query API. The proxy does what was read in Grafana's
// source: routes of plugin.json, cookies and Origin dropped, 401 from upstream told as 400 in plain text, 502 for
// no answer, a session needed.

import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import http from 'node:http';
import { extname, join, normalize } from 'node:path';
import { Transform } from 'node:stream';
import { target } from './routes.mjs';

const SESSION = 'grafana_session';
const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.json': 'application/json', '.svg': 'image/svg+xml',
  '.css': 'text/css', '.woff2': 'font/woff2', '.map': 'application/json',
}; // prettier-ignore
const PROXY = /^\/api\/datasources\/proxy\/uid\/([^/]+)\/(.*)$/;

export class Grafana {
  /**
   * @param {object} options
   * @param {string} options.dist the built plugin
   * @param {Record<string, string>} options.files folders by the path they are served at, below `basePath`
   * @param {string} [options.basePath] as with serve_from_sub_path: "/grafana"
   * @param {{url: string, token?: string}} options.receiver
   */
  constructor({ dist, files, basePath = '', receiver }) {
    Object.assign(this, { dist, files, basePath });
    this.settings = { url: receiver.url, secureJsonData: receiver.token ? { token: receiver.token } : {} };
    /** A reverse proxy in front that does not pass on Upgrade. */
    this.upgrades = true;
    /** A slow network: ms that each piece waits, and bytes a second; 0: as fast as can be. */
    this.delayMs = 0;
    this.bytesPerSecond = 0;
    this.signedIn = true;
    this.sockets = { opened: 0, open: 0 };
    /** Each request that was proxied: {method, path, status}. */
    this.proxied = [];
    /** What the receiver was sent with the last request. */
    this.sent = null;
    this.links = new Set();
    this.server = http.createServer((request, response) => this.#answer(request, response));
    this.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}${this.basePath}`;
  }

  start() {
    return new Promise((resolve) => this.server.listen(0, '127.0.0.1', () => resolve(this)));
  }

  stop() {
    this.cut();
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  /** Cut every open socket, as a lost network does. */
  cut() {
    for (const link of this.links) {
      link.destroy();
    }
  }

  get #routes() {
    return JSON.parse(readFileSync(join(this.dist, 'datasource/plugin.json'), 'utf8')).routes;
  }

  #answer(request, response) {
    const { pathname, search } = new URL(request.url, 'http://grafana');
    if (!pathname.startsWith(this.basePath)) {
      return end(response, 404, 'not below the sub-path');
    }
    const path = pathname.slice(this.basePath.length) || '/';
    const proxied = PROXY.exec(path);
    if (proxied) {
      return this.#proxy(request, response, proxied[2], search);
    }
    const file = this.#file(path);
    if (!file) {
      return end(response, 404, 'not found');
    }
    response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
    // The shared script is large: a page of the same server takes it from the cache, compiled.
    response.setHeader('Cache-Control', path.startsWith('/shared/') ? 'max-age=86400, immutable' : 'no-cache');
    if (path === '/') {
      response.setHeader('Set-Cookie', `${SESSION}=harness; Path=/; HttpOnly; SameSite=Lax`);
    }
    createReadStream(file).pipe(response);
  }

  #file(path) {
    const wanted = path === '/' ? '/index.html' : normalize(path);
    for (const [prefix, folder] of Object.entries({ '/public/plugins/stormcell-app/': this.dist, ...this.files })) {
      const file = wanted.startsWith(prefix) && join(folder, wanted.slice(prefix.length));
      if (file && existsSync(file) && statSync(file).isFile()) {
        return file;
      }
    }
    return null;
  }

  #refusal(request) {
    if (!this.signedIn || !request.headers.cookie?.includes(`${SESSION}=`)) {
      return 401;
    }
    return 0;
  }

  #request(request, path, search) {
    const { url, headers: added } = target({ method: request.method, path }, this.settings, this.#routes);
    const headers = { ...request.headers, 'user-agent': 'Grafana/13.2.2', ...added };
    for (const name of ['cookie', 'origin', 'referer', 'host', 'connection', 'upgrade']) {
      delete headers[name];
    }
    this.sent = { method: request.method, url, headers };
    return [new URL(url + search), { method: request.method, headers }];
  }

  #note(request, path, status) {
    this.proxied.push({ method: request.method, path, status });
  }

  #proxy(request, response, path, search) {
    if (this.#refusal(request)) {
      return end(response, 401, '{"message":"Unauthorized"}', 'application/json');
    }
    const [url, options] = this.#request(request, path, search);
    const upstream = http.request(url, options, (answer) => {
      this.#note(request, path, answer.statusCode);
      if (answer.statusCode === 401) {
        answer.resume();
        return end(response, 400, 'Authentication to data source failed', 'text/plain');
      }
      response.writeHead(answer.statusCode, answer.headers);
      answer.on('error', () => response.destroy());
      answer.pipe(this.#slow()).pipe(response);
    });
    upstream.on('error', () => {
      this.#note(request, path, 502);
      if (response.headersSent) {
        response.destroy();
      } else {
        end(response, 502, '');
      }
    });
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  }

  #upgrade(request, socket, head) {
    const { pathname, search } = new URL(request.url, 'http://grafana');
    const proxied = PROXY.exec(pathname.slice(this.basePath.length));
    const refuse = (status) =>
      socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
    socket.on('error', () => {});
    if (!pathname.startsWith(this.basePath) || !proxied) {
      return refuse(404);
    }
    if (this.#refusal(request)) {
      return refuse(401);
    }
    const path = proxied[2];
    const [url, options] = this.#request(request, path, search);
    if (this.upgrades) {
      Object.assign(options.headers, { connection: 'Upgrade', upgrade: 'websocket' });
    }
    const upstream = http.request(url, options, (answer) => {
      answer.resume();
      this.#note(request, path, answer.statusCode);
      refuse(answer.statusCode === 401 ? 400 : answer.statusCode);
    });
    upstream.on('error', () => {
      this.#note(request, path, 502);
      refuse(502);
    });
    upstream.on('upgrade', (answer, link, first) => {
      this.#note(request, path, 101);
      this.#join(socket, head, link, first, answer);
    });
    upstream.end();
  }

  #join(socket, head, link, first, answer) {
    this.sockets.opened += 1;
    this.sockets.open += 1;
    this.links.add(socket);
    const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
    if (head.length) {
      link.write(head);
    }
    const slow = this.#slow();
    slow.pipe(socket);
    if (first.length) {
      slow.write(first);
    }
    link.pipe(slow);
    socket.pipe(link);
    socket.setNoDelay(true);
    link.on('error', () => socket.destroy());
    link.on('close', () => socket.destroy());
    socket.on('close', () => {
      this.links.delete(socket);
      this.sockets.open -= 1;
      link.destroy();
    });
  }

  #slow() {
    return new Transform({
      transform: (piece, _encoding, done) => {
        const ms = this.delayMs + (this.bytesPerSecond ? (piece.length / this.bytesPerSecond) * 1000 : 0);
        if (ms > 0) {
          setTimeout(done, ms, null, piece);
        } else {
          done(null, piece);
        }
      },
    });
  }
}

function end(response, status, body, type = 'text/plain') {
  response.writeHead(status, { 'Content-Type': type });
  response.end(body);
}
