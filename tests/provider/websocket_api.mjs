// An API behind a connection that speaks WebSocket: it echoes messages, or answers as a test says.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import { WebSocketServer } from 'ws';

export class WebSocketApi {
  /** `tls`: key and certificate. */
  static async start(tls) {
    const api = new WebSocketApi();
    api.server = tls ? createTlsServer(tls) : createServer();
    api.sockets = new Set();
    api.server.on(tls ? 'secureConnection' : 'connection', (socket) => {
      api.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => api.sockets.delete(socket));
    });
    api.server.on('request', (request, response) => {
      api.requests.push({ target: request.url, headers: request.headers });
      response.end('no WebSocket');
    });
    api.speaker = new WebSocketServer({ noServer: true });
    api.server.on('upgrade', (request, socket, head) => {
      api.requests.push({ target: request.url, headers: request.headers });
      if (api.answer && api.answer(request, socket, head) !== false) return;
      api.speaker.handleUpgrade(request, socket, head, (client) => {
        api.clients.push(client);
        client.on('error', () => {});
        client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }));
      });
    });
    api.server.listen(0, '127.0.0.1');
    await once(api.server, 'listening');
    api.url = `${tls ? 'https://localhost' : 'http://127.0.0.1'}:${api.server.address().port}`;
    api.reset();
    return api;
  }

  /** What was begun before is over. */
  reset() {
    for (const socket of this.sockets) socket.destroy();
    this.requests = [];
    this.clients = [];
    /** (request, socket, head) => anything but false when it answers the handshake itself. */
    this.answer = null;
  }

  async close() {
    this.reset();
    this.server.close();
    await once(this.server, 'close');
  }
}
