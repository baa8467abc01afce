// nexus on a machine without a daemon: NEXUS_URL and NEXUS_API_KEY over TLS to a nexusd elsewhere.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { createServer } from 'node:http';
import { connect as tlsConnect } from 'node:tls';
import { once } from 'node:events';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register } from '../support/flow.mjs';
import { BIN, freePort, Home, noticedInterrupt, until } from '../support/nexus.mjs';

let server;  // where nexusd runs
let ci;      // where it does not
let provider;
let id;
let files;

function makeCertificate(name, alternatives = 'DNS:localhost,IP:127.0.0.1,DNS:nexus.example', extra = []) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-keyout', files(`${name}.key`), '-out', files(`${name}.pem`), '-subj', `/CN=${name}`, '-addext', `subjectAltName=${alternatives}`, ...extra], { stdio: 'ignore' });
}

before(async () => {
  provider = await MisbehavingProvider.start();
  ci = await Home.make();
  files = (name) => join(ci.dir, name);
  makeCertificate('first');
  copyFileSync(files('first.pem'), files('server.pem'));
  copyFileSync(files('first.key'), files('server.key'));
  server = await Home.make({
    gateway: { tls_certificate: files('server.pem'), tls_key: files('server.key'), hosts: ['nexus.example'] }, gatewayPort: await freePort(),
  });
  await server.start();
  await register(server, provider.issuer);
  ({ id } = await connect(server, provider));
  await server.nexus(['alias', id, 'mine']);
  ci.env.NEXUS_URL = `https://localhost:${server.gatewayPort}`;
  ci.env.NEXUS_API_KEY = await server.makeKey('ci', '--use', id);
  delete ci.env.NEXUS_NO_AUTOSTART;  // nothing may start here all the same
});
after(async () => { await server.remove(); await ci.remove(); await provider.close(); });

const trusting = (...args) => ci.nexus([...args, '--ca-file', files('first.pem')]);

test('token, status, list and refresh, with the exit codes of the local ones', async () => {
  const { json } = await server.api('GET', `/v1/token/${id}`);
  const raw = await trusting('token', id);
  assert.equal(raw.stderr, '');
  assert.equal(raw.stdout, json.access_token);
  assert.equal((await trusting('token', 'mine', '--format', 'header')).stdout, `Authorization: Bearer ${json.access_token}\n`);
  assert.equal(JSON.parse((await trusting('status', id, '--json')).stdout).connections[0].status, 'active');
  assert.match((await trusting('list', '--wide')).stdout, new RegExp(id));
  assert.equal((await trusting('refresh', id)).code, 0);
  assert.equal((await trusting('token', 'conn_01ARZ3NDEKTSV4RRFFQ69G5FAV')).code, 6);
  assert.equal((await trusting('provider', 'remove', 'demo')).code, 9);
  assert.equal((await trusting('disconnect', id)).code, 9);
  for (const words of [['token', id], ['list'], ['api', id, '/user']]) {
    const keyless = await ci.nexus([...words, '--ca-file', files('first.pem')], { env: { NEXUS_API_KEY: '' } });
    assert.deepEqual([keyless.code, keyless.stdout], [9, '']);
    assert.match(keyless.stderr, /^nexus: the nexusd that NEXUS_URL names wants an API key, and NEXUS_API_KEY is not set\n {2}set it to one made there \(nexus key create/);
  }
  const wrong = await ci.nexus(['token', id, '--ca-file', files('first.pem')], { env: { NEXUS_API_KEY: 'wrong' } });
  assert.equal(wrong.code, 9);
  assert.equal(wrong.stdout, '');
  // The setting serves as well as the flag, also for the plain form that scripts use.
  writeFileSync(ci.configFile, `[network]\nca_file = "${files('first.pem')}"\n`);
  assert.equal((await ci.nexus(['token', id])).code, 0);
  writeFileSync(ci.configFile, '');
});

test('nothing is started or stopped here, and nothing here is written', async () => {
  for (const command of ['start', 'stop']) {
    const refused = await ci.nexus(['daemon', command]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /NEXUS_URL/);
  }
  assert.deepEqual(readdirSync(ci.dir).filter((name) => name === 'data'), []);
});

test('the key is in no command line and in no child\'s environment', async () => {
  const seen = [];
  ci.env.API_KEY = 'canary-of-a-shell';
  const watch = setInterval(() => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
        seen.push(line);
        // Only what is nexus-remote by now: before exec a child shows the environment of its parent.
        if (/nexus-remote/.test(line)) seen.push(readFileSync(`/proc/${pid}/environ`, 'latin1'));
      } catch { /* it ended */ }
  }, 2);
  for (let i = 0; i < 20; ++i) await trusting('token', id);
  clearInterval(watch);
  assert.ok(!seen.join('\n').includes(ci.env.NEXUS_API_KEY) && !seen.join('\n').includes('canary-of-a-shell'));
  delete ci.env.API_KEY;
});

test('a server that cannot prove who it is gets no key', async () => {
  const untrusted = await ci.nexus(['token', id]);
  assert.equal(untrusted.code, 8);
  assert.match(untrusted.stderr, /certificate[\s\S]*--ca-file/);
  makeCertificate('other', 'DNS:other.example');
  const received = [];
  const https = await import('node:https');
  const impostor = https.createServer({ key: readFileSync(files('other.key')), cert: readFileSync(files('other.pem')) },
    (request, response) => { received.push(request.headers); response.end('{}'); });
  impostor.listen(0, '127.0.0.1');
  await once(impostor, 'listening');
  const wrongName = await ci.nexus(['token', id, '--ca-file', files('other.pem')], { env: { NEXUS_URL: `https://localhost:${impostor.address().port}` } });
  assert.equal(wrongName.code, 8);
  impostor.close();
  assert.deepEqual(received, []);
  for (const [url, text] of [['http://example.com', /in the clear/], ['ftp://x', /not an http/], ['https://u:p@localhost', /NEXUS_API_KEY/], ['https://localhost/?x', /plain URL/]]) {
    const refused = await ci.nexus(['token', id], { env: { NEXUS_URL: url } });
    assert.equal(refused.code, 2, url);
    assert.match(refused.stderr, text);
  }
  assert.equal((await ci.nexus(['token', id], { env: { NEXUS_URL: `https://localhost:${await freePort()}` } })).code, 8);
});

test('redirects are not followed', async () => {
  const redirecting = createServer((request, response) => { response.writeHead(302, { location: 'http://127.0.0.1:1/' }); response.end(); });
  redirecting.listen(0, '127.0.0.1');
  await once(redirecting, 'listening');
  const answer = await ci.nexus(['token', id], { env: { NEXUS_URL: `http://127.0.0.1:${redirecting.address().port}` } });
  assert.notEqual(answer.code, 0);
  assert.equal(answer.stdout, '');
  redirecting.close();
});

/** A proxy that takes every name for the gateway; `asked` tells what it was asked for. */
async function startProxy() {
  const asked = [];
  const proxy = createServer((request, response) => { asked.push(request.url); response.end('{}'); });
  proxy.on('connect', (request, client) => {
    asked.push(request.url);
    const upstream = connectTcp(server.gatewayPort, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return { asked, url: `http://127.0.0.1:${proxy.address().port}`, close: () => { proxy.closeAllConnections(); proxy.close(); } };
}

test('proxies of the environment are honoured', async () => {
  const proxy = await startProxy();
  const name = `nexus.example:${server.gatewayPort}`;
  const env = { HTTPS_PROXY: proxy.url, NEXUS_URL: `https://${name}` };
  const through = (extra = {}) => ci.nexus(['token', id, '--ca-file', files('first.pem')], { env: { ...env, ...extra } });
  assert.equal((await through()).code, 0);
  assert.deepEqual(proxy.asked, [name]);
  assert.equal((await through({ NO_PROXY: 'nexus.example' })).code, 8);  // nobody else knows that name
  assert.equal(proxy.asked.length, 1);
  proxy.close();
});

test('a nexusd on loopback is asked without a proxy, whoever names one (E12)', async () => {
  const proxy = await startProxy();
  const plain = createServer((request, response) => { response.end('{}'); });
  plain.listen(0, 'localhost');
  await once(plain, 'listening');
  const env = { http_proxy: proxy.url, https_proxy: proxy.url, all_proxy: proxy.url };
  for (const url of [`http://localhost:${plain.address().port}`, `http://LOCALHOST:${plain.address().port}`, ci.env.NEXUS_URL,
    `https://127.0.0.1:${server.gatewayPort}`]) {
    const asked = await ci.nexus(['token', id, '--format', 'json', '--ca-file', files('first.pem')], { env: { ...env, NEXUS_URL: url } });
    assert.equal(asked.code, 0, `${url}: ${asked.stderr}`);
  }
  writeFileSync(ci.configFile, `[network]\nproxy = "${proxy.url}"\n`);
  assert.equal((await trusting('token', id)).code, 0);
  writeFileSync(ci.configFile, '');
  assert.deepEqual(proxy.asked, []);
  plain.close();
  proxy.close();
});

test('TLS 1.2 at least, HTTP/1.1 by ALPN, and plain talk gets nowhere', async () => {
  const handshake = (options) => new Promise((resolve) => {
    const socket = tlsConnect({ port: server.gatewayPort, host: '127.0.0.1', servername: 'localhost', ca: readFileSync(files('first.pem')), ...options },
      () => { resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`); socket.destroy(); });
    socket.on('error', (error) => resolve(error.code ?? 'refused'));
  });
  assert.equal(await handshake({ ALPNProtocols: ['h2', 'http/1.1'] }), 'TLSv1.3 http/1.1');
  assert.match(await handshake({ maxVersion: 'TLSv1.2' }), /^TLSv1\.2 /);
  assert.doesNotMatch(await handshake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), /^TLSv1/);
  assert.ok(!(await server.raw('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n')).includes('200'));
  // Half a handshake, and then nothing: others are served, and it is given ten seconds.
  const stalled = connectTcp(server.gatewayPort, '127.0.0.1').on('error', () => {});
  stalled.write('\x16\x03\x01\x02\x00\x01');
  assert.equal((await trusting('token', id)).code, 0);
  await until(() => stalled.destroyed || stalled.readyState !== 'open', 'the stalled one is closed', 13000);
});

test('a renewed certificate is taken over; one that does not fit leaves the old one in use', async () => {
  const serial = () => new Promise((resolve, reject) => {
    const socket = tlsConnect({ port: server.gatewayPort, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    }).on('error', reject);
  });
  assert.equal(await serial(), 'first');
  makeCertificate('second');
  renameSync(files('second.pem'), files('server.pem'));  // the key is still the old one
  await until(async () => { await serial(); return server.log.includes('certificate_not_reloaded'); }, 'the mismatch is told');
  assert.equal(await serial(), 'first');
  renameSync(files('second.key'), files('server.key'));
  await until(async () => (await serial()) === 'second', 'the new certificate is in use');
  await until(() => server.log.includes('certificate_reloaded'), 'it is told');
});

test('Ctrl-C on a terminal, which reaches every process there, leaves nothing unsaid', async () => {
  let asked;
  const slow = createServer((request, response) => {
    if (request.method === 'POST') asked = response;
    else response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(slow, 'listening');
  const child = spawn(join(BIN, 'nexus'), ['key', 'create', '--name', 'ci', '--use', 'all'],
    { env: { ...ci.env, NEXUS_URL: `http://127.0.0.1:${slow.address().port}` }, detached: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => { text += part; });
  const ended = once(child, 'exit');
  await until(() => asked, 'it is asked for');
  process.kill(-child.pid, 'SIGINT');
  await noticedInterrupt(child.pid);
  asked.writeHead(201, { 'content-type': 'application/json' })
    .end(JSON.stringify({ id: 'k', name: 'ci', admin: false, use: ['all'], read: [], created_at: 1, expires_at: null, key: 'nxk_made' }));
  const [code] = await ended;
  assert.equal(code, 0, text);
  assert.match(text, /nxk_made/);
  slow.closeAllConnections();
  slow.close();
});
