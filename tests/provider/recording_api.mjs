// An API of ours behind a connection: it records every request with its body as it arrived, and
// answers as a test says. What it has not recorded has not left nexusd.
import { createServer } from 'node:http';
import { once } from 'node:events';

export class RecordingApi {
  static async start(host = '127.0.0.1') {
    const api = new RecordingApi();
    api.server = createServer((request, response) => api.#serve(request, response)).listen(0, host);
    api.server.on('upgrade', (request, socket) => { api.requests.push({ method: request.method, target: request.url }); socket.destroy(); });
    api.sockets = 0;
    api.server.on('connection', () => { api.sockets += 1; });
    await once(api.server, 'listening');
    api.port = api.server.address().port;
    api.url = `http://${host}:${api.port}`;
    api.reset();
    return api;
  }

  reset() {
    this.requests = [];
    /** (request, response) => anything but false when it answers itself, before the body is read. */
    this.answer = null;
  }

  async close() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  async #serve(request, response) {
    const entry = { method: request.method, target: request.url, headers: request.headers, raw: request.rawHeaders, trailers: request.trailers };
    this.requests.push(entry);
    request.on('error', () => {});
    response.on('error', () => {});
    if (this.answer && (await this.answer(request, response, entry)) !== false) return;
    const parts = [];
    try {
      for await (const part of request) parts.push(part);
    } catch {
      entry.aborted = true;
      return;
    }
    entry.body = Buffer.concat(parts);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ method: entry.method, target: entry.target, bytes: entry.body.length }));
  }
}
