// Clients that only mean harm, on loopback, each kind for some seconds beside a quiet run:
// node tests/soak/flood.mjs [--seconds 10] [--clients 200]
// Prints how long somebody else's health check took meanwhile, and what memory it cost.
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { makeCertificate } from '../support/certificate.mjs';
import { Home, freePort } from '../support/nexus.mjs';

const argument = (name, otherwise) => process.argv.includes(`--${name}`) ? process.argv[process.argv.indexOf(`--${name}`) + 1] : otherwise;
const seconds = Number(argument('seconds', 10));
const clients = Number(argument('clients', 200));
const port = Number(argument('port', 0));

/** Keeps so many sockets open to it, each replaced by the next when it ends. */
function hold(open) {
  const again = () => {
    const socket = open().on('error', () => {}).on('close', () => setTimeout(again, 1));
    return socket;
  };
  for (let i = 0; i < clients; ++i) again();
}
/** Asks without end, so many at a time. */
function ask(options) {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const again = () => httpRequest({ host: '127.0.0.1', port, agent, ...options() }, (response) => response.resume().on('end', again))
    .on('error', () => setTimeout(again, 1)).end();
  for (let i = 0; i < Math.min(clients, 32); ++i) again();
}

const attacks = {
  'half a request': () => hold(() => connectTcp(port, '127.0.0.1').on('connect', function () { this.write('GET /health HTTP/1.1\r\nHost: loc'); })),
  'answers that nobody reads': () => hold(() => connectTcp(port, '127.0.0.1').pause().on('connect', function () {
    for (let i = 0; i < 64; ++i) this.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
  })),
  'forged callbacks': () => ask(() => ({ path: `/auth/callback?code=x&state=${Math.random()}.forged` })),
  'wrong keys': () => ask(() => ({ path: '/v1/connections?workspace_id=w', headers: { 'x-api-key': `nxk_${Math.random()}` } })),
  'TLS handshakes': () => hold(() => connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, function () { this.destroy(); })),
};
if (argument('attack')) {
  attacks[argument('attack')]();
  setTimeout(() => process.exit(), seconds * 1000);
} else {
  await measureAll();
}

async function measureAll() {
  const certificate = makeCertificate();
  for (const [name] of [['nothing'], ...Object.entries(attacks)]) {
    const tls = name === 'TLS handshakes' ? { tls_certificate: certificate.certificate, tls_key: certificate.key } : {};
    const home = await Home.make({ gateway: tls, ...(tls.tls_key ? { gatewayPort: await freePort() } : {}) });
    await home.start();
    const attacker = name === 'nothing' ? undefined
      : fork(new URL(import.meta.url).pathname, ['--attack', name, '--port', String(home.gatewayPort), '--seconds', String(seconds), '--clients', String(clients)]);
    const memory = () => Number(readFileSync(`/proc/${home.daemon.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;
    const before = memory();
    let most = before;
    const took = [];
    for (const end = Date.now() + seconds * 1000 - 500; Date.now() < end;) {
      const begun = performance.now();
      const { status } = await home.api('GET', '/health');
      took.push(performance.now() - begun);
      if (status !== 200) throw new Error(`health answered ${status}`);
      most = Math.max(most, memory());
      await new Promise((go) => setTimeout(go, 5));
    }
    if (attacker) await new Promise((ended) => { attacker.on('exit', ended); attacker.kill(); });
    took.sort((a, b) => a - b);
    const at = (share) => took[Math.floor(took.length * share)].toFixed(1);
    const { stdout } = await home.nexus(['audit', '--limit', '1000', '--json']);
    console.log(`${name.padEnd(26)} health p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${took.at(-1).toFixed(1)} ms; memory ${before.toFixed(1)} to ${most.toFixed(1)} MiB; audit ${JSON.parse(stdout).events.length} records`);
    await home.remove();
  }
  certificate.remove();
}
