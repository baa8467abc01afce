// Providers' hosts as far as a test needs them: a proxy on loopback that leads each of them to a TLS
// server of ours, with a certificate for their names. Configure nexusd with `config`.
import { createServer as createProxy } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { makeCertificate } from './certificate.mjs';

export class Internet {
  /** `hosts`: by name, (request, response) => void. */
  static async start(hosts) {
    const internet = new Internet();
    internet.certificate = makeCertificate(Object.keys(hosts));
    internet.server = createTlsServer(
      { key: readFileSync(internet.certificate.key), cert: readFileSync(internet.certificate.certificate) },
      (request, response) => hosts[request.headers.host](request, response)).listen(0, '127.0.0.1');
    await once(internet.server, 'listening');
    internet.proxy = createProxy().on('connect', (request, socket, head) => {
      if (!hosts[request.url.split(':')[0]]) return socket.end('HTTP/1.1 502 Nobody there\r\n\r\n');
      const upstream = connect(internet.server.address().port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.write(head);
        upstream.pipe(socket).pipe(upstream);
      });
      for (const one of [socket, upstream]) one.on('error', () => { socket.destroy(); upstream.destroy(); });
    }).listen(0, '127.0.0.1');
    await once(internet.proxy, 'listening');
    internet.config = `[network]\nproxy = "http://127.0.0.1:${internet.proxy.address().port}"\nca_file = "${internet.certificate.certificate}"\n`;
    return internet;
  }

  async close() {
    for (const server of [this.proxy, this.server]) {
      server.closeAllConnections();
      server.close();
    }
    this.certificate.remove();
  }
}
