// WebSockets that nexusd sends on: handshakes that are taken and refused, what goes through, and what becomes
// of both ends when one of them goes away.
import { test, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer as createProxy } from 'node:http';
import { connect as dial } from 'node:net';
import WebSocket from 'ws';
import { WebSocketApi } from '../provider/websocket_api.mjs';
import { makeCertificate } from '../support/certificate.mjs';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, token } from '../support/flow.mjs';
import { freePort, Home, until, isSanitized } from '../support/nexus.mjs';

const certificate = makeCertificate(['localhost', 'api.example']);
const tls = { key: readFileSync(certificate.key), cert: readFileSync(certificate.certificate) };
const trust = `[network]\nca_file = "${certificate.certificate}"\n`;
const { home, provider } = await daemonAndProvider({ gateway: { cors_origins: ['https://app.example'] }, config: trust });
const api = await WebSocketApi.start();
const secure = await WebSocketApi.start(tls);
after(async () => { await api.close(); await secure.close(); certificate.remove(); });
beforeEach(() => { api.reset(); secure.reset(); });

const connectionTo = async (name, url, params, where = home) => {
  await register(where, provider.issuer, { name, api_base_url: `${url}/v3`, params });
  return (await connect(where, provider, { provider_name: name })).id;
};
const id = await connectionTo('live', api.url, { websocket: true });
const secureId = await connectionTo('secure', secure.url, { websocket: true });
const plainId = await connectionTo('plain', api.url, {});
const key = await home.makeKey('app', '--use', 'all');

const digest = (data) => createHash('sha256').update(data).digest('hex');
const opened = [];
after(() => { for (const socket of opened) socket.terminate(); });
/** A caller's WebSocket, over the gateway unless `url` says otherwise. */
function caller(path = '/echo', { to = id, protocols = [], headers = {}, url = `ws://127.0.0.1:${home.gatewayPort}`, ...options } = {}) {
  const socket = new WebSocket(`${url}/v1/proxy/${to}${path}`, protocols, { headers: { 'x-api-key': key, ...headers }, ...options });
  socket.on('error', () => {});
  opened.push(socket);
  return socket;
}
async function open(...args) {
  const socket = caller(...args);
  await Promise.race([once(socket, 'open'), once(socket, 'unexpected-response').then(async ([, response]) => {
    throw new Error(`${response.statusCode}: ${(await response.toArray()).join('')}`);
  })]);
  return socket;
}
async function refused(...args) {
  const socket = caller(...args);
  const [, response] = await once(socket, 'unexpected-response');
  const data = Buffer.concat(await response.toArray()).toString();
  let json;
  try { json = JSON.parse(data); } catch { json = undefined; }
  return { status: response.statusCode, headers: response.headers, data, json };
}
async function echoed(socket, message, options = {}) {
  const answer = once(socket, 'message');
  socket.send(message, options);
  const [data, isBinary] = await answer;
  return { data, isBinary };
}

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';  // RFC 6455 1.3
/** A handshake in bytes; `lines` are put in the place of those of the same name, undefined leaves one out. */
function handshake({ method = 'GET', version = '1.1', to = id, ...lines } = {}) {
  const headers = { Host: `127.0.0.1:${home.gatewayPort}`, 'X-API-Key': key, Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': KEY, ...lines };
  return `${method} /v1/proxy/${to}/echo HTTP/${version}\r\n${Object.entries(headers).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}
const taken = (rest = '') => `HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n${rest}\r\n`;
/** A caller's connection in bytes; `said` is what has come back. */
function bytes(first = '') {
  const socket = dial({ host: '127.0.0.1', port: home.gatewayPort, allowHalfOpen: true });
  socket.said = '';
  socket.on('data', (part) => { socket.said += part.toString('latin1'); });
  socket.on('error', () => {});
  socket.write(first);
  return socket;
}
const descriptors = () => readdirSync(`/proc/${home.daemon.pid}/fd`).length;
const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${home.daemon.pid}/status`, 'utf8'))[1]) / 1024;
const everywhere = [
  ['through the gateway', {}],
  ['through the control socket', { url: `ws+unix://${home.socket}:` }],
  ['to a server with TLS', { to: secureId }],
];

for (const [where, options] of everywhere)
  test(`messages of any size go both ways as they are, ${where}`, { timeout: 60000 }, async () => {
    const socket = await open('/echo', options);
    for (const size of [0, 1, 125, 65536, 10 * 1024 * 1024]) {
      const message = randomBytes(size);
      const { data, isBinary } = await echoed(socket, message);
      assert.ok(isBinary);
      assert.equal(digest(data), digest(message), `${size} bytes`);
    }
    const text = await echoed(socket, 'Grüße');
    assert.deepEqual([text.data.toString(), text.isBinary], ['Grüße', false]);
    socket.close();
    await once(socket, 'close');
  });

test('a gateway with TLS takes WebSockets, too', async () => {
  const own = await Home.make({ gateway: { tls_certificate: certificate.certificate, tls_key: certificate.key }, gatewayPort: await freePort(), config: trust });
  await own.start();
  const there = await connectionTo('live', secure.url, { websocket: true }, own);
  const ownKey = await own.makeKey('app', '--use', 'all');
  const socket = await open('/echo', { to: there, url: `wss://localhost:${own.gatewayPort}`, ca: tls.cert, headers: { 'x-api-key': ownKey } });
  const message = randomBytes(3_000_000);
  assert.equal(digest((await echoed(socket, message)).data), digest(message));
  secure.clients[0].close(4001, 'enough');
  const [code, reason] = await once(socket, 'close');
  assert.deepEqual([code, reason.toString()], [4001, 'enough']);
  await own.remove();
});

test('behind a proxy it goes through a tunnel that the proxy cannot look into', async () => {
  const asked = [];
  const ends = new Set();
  const proxy = createProxy().listen(0, '127.0.0.1');
  proxy.on('connect', (request, socket, head) => {
    asked.push(request.url);
    const server = dial({ host: '127.0.0.1', port: new URL(secure.url).port }, () => socket.write('HTTP/1.1 200 Connected\r\nVia: a proxy\r\n\r\n'));
    server.write(head);
    server.pipe(socket).pipe(server);
    for (const end of [socket, server]) ends.add(end.on('error', () => {}));
  });
  await once(proxy, 'listening');
  const own = await Home.make({ config: `${trust}proxy = "http://127.0.0.1:${proxy.address().port}"\n` });
  await own.start();
  const there = await connectionTo('live', 'https://api.example', { websocket: true }, own);
  const socket = await open('/echo', { to: there, url: `ws+unix://${own.socket}:` });
  const message = randomBytes(500_000);
  assert.equal(digest((await echoed(socket, message)).data), digest(message));
  assert.deepEqual(asked, ['api.example:443']);
  assert.equal(secure.requests[0].headers.host, 'api.example');
  socket.close();
  await once(socket, 'close');
  await own.remove();
  for (const end of ends) end.destroy();
  proxy.close();
});

test('the credential arrives, and nothing of the caller\'s own; the answer tells neither', async () => {
  const bearer = (await token(home, id)).json.access_token;
  api.answer = (request, socket, head) => {
    api.speaker.once('headers', (headers) => headers.push(`X-Echo: ${request.headers.authorization}`, 'Set-Cookie: a=b'));
    return false;
  };
  const socket = caller('/live?room=1', { protocols: ['chat.v2'], headers: { cookie: 'a=b', 'x-nexus-anything': '1', 'x-custom': '2' } });
  const [[response]] = await Promise.all([once(socket, 'upgrade'), once(socket, 'open')]);
  assert.equal(socket.protocol, 'chat.v2');
  const [{ target, headers }] = api.requests;
  assert.equal(target, '/v3/live?room=1');
  assert.equal(headers.authorization, `Bearer ${bearer}`);
  assert.deepEqual([headers.upgrade, headers.connection, headers['sec-websocket-version'], headers['x-custom']], ['websocket', 'Upgrade', '13', '2']);
  for (const gone of ['x-api-key', 'cookie', 'x-nexus-anything']) assert.equal(headers[gone], undefined, gone);
  assert.ok(!JSON.stringify(api.requests).includes(key));
  assert.equal(response.headers['x-echo'], 'Bearer ***');
  assert.equal(response.headers['set-cookie'], undefined);
  assert.equal(response.headers['x-nexus-connection'], id);
  assert.equal(response.headers['cache-control'], 'private, no-store');
  const records = (await home.api('GET', '/v1/audit?event_type=request_forwarded&limit=1')).json;
  assert.match(records[0].event_data, /GET [^ ]*\/v3\/live 101/);
  socket.terminate();
});

test('a password of ours is put in as for every request, and a server that cannot prove its name gets none', async () => {
  const withPassword = async (name, url) => {
    const params = { websocket: true, validation: { skip: true } };
    assert.equal((await home.api('POST', '/v1/providers', { name, auth_type: 'basic_auth', api_base_url: url, allow_insecure_http: true, params })).status, 201);
    const { state, connection_id: made } = (await home.api('POST', '/v1/request-connection', { provider_name: name })).json;
    assert.equal((await home.api('POST', '/v1/capture-credential', { state, credentials: { username: 'ada', password: 'canary-pw' } })).status, 200);
    return made;
  };
  const socket = await open('/echo', { to: await withPassword('basic', api.url) });
  assert.equal((await echoed(socket, 'hello')).data.toString(), 'hello');
  assert.equal(api.requests[0].headers.authorization, `Basic ${Buffer.from('ada:canary-pw').toString('base64')}`);
  const answer = await refused('/echo', { to: await withPassword('nameless', secure.url.replace('localhost', '127.0.0.1')) });
  assert.deepEqual([answer.status, answer.json.code], [502, 'upstream_error']);
  assert.deepEqual(secure.requests, []);
});

test('pings, pongs and the codes of a close arrive at the other end', async () => {
  const socket = await open();
  socket.ping('here');
  assert.equal((await once(socket, 'pong'))[0].toString(), 'here');
  api.clients[0].ping('there');
  assert.equal((await once(api.clients[0], 'pong'))[0].toString(), 'there');
  const closed = Promise.all([once(api.clients[0], 'close'), once(socket, 'close')]);  // in whichever order they come
  socket.close(4321, 'by the caller');
  const [[code, reason], [own]] = await closed;
  assert.deepEqual([code, reason.toString(), own], [4321, 'by the caller', 4321]);
  const other = await open();
  api.clients[1].close(1011, 'by the server');
  assert.deepEqual((await once(other, 'close')).map(String), ['1011', 'by the server']);
});

test('without the provider\'s setting an upgrade is refused, and nothing is sent (L15)', async () => {
  const answer = await refused('/echo', { to: plainId });
  assert.deepEqual([answer.status, answer.json.code, answer.headers['x-nexus-error']], [403, 'upgrade_not_allowed', 'upgrade_not_allowed']);
  assert.match(answer.json.hint, /nexus provider edit plain --param websocket=true/);
  assert.deepEqual(api.requests, []);
  const [record] = (await home.api('GET', '/v1/audit?event_type=request_forwarded&limit=1')).json;
  assert.equal(JSON.parse(record.event_data).outcome, 'refused');
  const edited = await home.nexus(['provider', 'edit', 'plain', '--param', 'websocket=true']);
  assert.equal(edited.code, 0, edited.stderr);
  (await open('/echo', { to: plainId })).terminate();
});

test('other protocols are not offered to the server, whatever the setting', async () => {
  const answer = await home.raw(handshake({ Upgrade: 'h2c', 'Sec-WebSocket-Key': undefined, 'Sec-WebSocket-Version': undefined }));
  assert.match(answer, /^HTTP\/1\.1 200 [^]*no WebSocket$/);
  assert.equal(api.requests[0].headers.upgrade, undefined);
});

test('a handshake that is none is refused before anything is sent (L15)', async () => {
  for (const lines of [{ method: 'POST' }, { version: '1.0' }, { 'Content-Length': '5' }, { 'Transfer-Encoding': 'chunked' }, { Connection: 'keep-alive' }, { 'Sec-WebSocket-Version': '8' }, { 'Sec-WebSocket-Version': undefined },
    { 'Sec-WebSocket-Key': undefined }, { 'Sec-WebSocket-Key': 'dG9vIHNob3J0' }, { 'Sec-WebSocket-Key': `${KEY}\r\nSec-WebSocket-Key: ${KEY}` }, { Upgrade: 'h2c, WebSocket', 'Sec-WebSocket-Key': 'x' }]) {
    const answer = await home.raw(handshake(lines));
    assert.match(answer, /^HTTP\/1\.1 400 [^]*"invalid_field"/, JSON.stringify(lines));
  }
  assert.deepEqual(api.requests, []);
});

test('what comes behind a handshake that is not taken is nobody\'s request', async () => {
  const smuggled = `GET /v1/proxy/${id}/smuggled HTTP/1.1\r\nHost: 127.0.0.1:${home.gatewayPort}\r\nX-API-Key: ${key}\r\n\r\n`;
  for (const lines of [{ to: plainId, 'Sec-WebSocket-Key': 'x' }, { 'Sec-WebSocket-Version': '8' }, { 'X-API-Key': 'wrong' }, { Upgrade: 'h2c' }]) {
    const socket = bytes(handshake(lines) + smuggled);
    await once(socket, 'end');
    assert.equal(socket.said.split('HTTP/1.1 ').length, 2, socket.said);
    assert.match(socket.said, /Connection: close\r\n/);
    socket.destroy();
  }
  api.answer = (request, socket) => late.write(smuggled, () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno'));
  const late = bytes(handshake());
  await once(late, 'end');
  assert.match(late.said, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nno$/);
  late.destroy();
  assert.ok(api.requests.every(({ target }) => target === '/v3/echo'));
});

test('what the caller sends with its handshake belongs to the WebSocket', async () => {
  let got = '';
  api.answer = (request, socket, head) => {
    socket.on('data', (part) => { got += part; });
    socket.unshift(head);
    socket.write(`${taken()}early `);
    setImmediate(() => socket.write('late'));
  };
  const socket = bytes(`${handshake()}GET /ahead HTTP/1.1\r\n\r\n`);
  await until(() => socket.said.endsWith('early late'), 'what the server says');
  assert.match(socket.said, /^HTTP\/1\.1 101 Switching Protocols\r\n[^]*Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly late$/);
  await until(() => got === 'GET /ahead HTTP/1.1\r\n\r\n', 'what was sent ahead arrives');
  socket.destroy();
});

test('an answer that takes what was not offered is not passed on', async () => {
  const head = (status, ...lines) => `HTTP/1.1 ${status}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
  const right = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${ACCEPT}`];
  for (const [answer, code] of [
    [head('101 Switching', ...right.slice(0, 2), 'Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA='), 'provider_protocol'],
    [head('101 Switching', ...right.slice(0, 2)), 'provider_protocol'], [head('101 Switching', ...right.slice(1)), 'provider_protocol'],
    [head('101 Switching', right[0], right[2]), 'provider_protocol'], [head('101 Switching', 'Upgrade: h2c', ...right.slice(1)), 'provider_protocol'],
    [head('101 Switching', ...right, right[2]), 'provider_protocol'], [head('101 Switching', ...right, 'Content-Length: 5'), 'provider_protocol'], [head('101 Switching', ...right, 'Transfer-Encoding: chunked'), 'provider_protocol'],
    [head('200 OK', 'Content-Length: 5', 'Transfer-Encoding: chunked'), 'provider_protocol'], [head('200 OK', 'X : y'), 'provider_protocol'], ['HTTP/1.1 200 OK\nX: y\r\n\r\n', 'provider_protocol'],
    ['HTTP/1.1 200 OK\r\nHTTP/1.1 101 Switching\r\n\r\n', 'provider_protocol'], ['SSH-2.0-OpenSSH\r\n\r\n', 'provider_protocol'], [`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70000)}\r\n\r\n`, 'provider_protocol'],
    ['HTTP/1.1 101 Switching\r\nUpgrade: web', 'provider_protocol'], ['', 'upstream_error'],
  ]) {
    api.answer = (request, socket) => socket.end(answer);
    const said = await home.raw(handshake());
    assert.match(said, new RegExp(`^HTTP/1\\.1 502 [^]*"${code}"`), answer.slice(0, 200));
  }
});

test('an answer other than 101 comes back like any other', async () => {
  for (const [answer, status, body] of [
    ['HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nX-Why: lost\r\n\r\ngone and more', 404, 'gone'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\nTrailer: x\r\n\r\n', 200, 'onetwo'],
    ['HTTP/1.1 200 OK\r\n\r\nuntil the end', 200, 'until the end'], ['HTTP/1.1 204 No Content\r\n\r\n', 204, ''],
    ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n', 426, ''],
  ]) {
    api.answer = (request, socket) => { for (const part of answer.match(/[^]{1,7}/g)) socket.write(part); socket.end(); };
    const back = await refused();
    assert.deepEqual([back.status, back.data, back.headers.link], [status, body, undefined], answer);
  }
  const large = randomBytes(3_000_000);
  api.answer = (request, socket) => { socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n`); socket.end(large); };
  const [, response] = await once(caller(), 'unexpected-response');
  assert.equal(digest(Buffer.concat(await response.toArray())), digest(large));
  for (const cut of ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n']) {
    api.answer = (request, socket) => socket.end(cut);
    await assert.rejects(async () => (await once(caller(), 'unexpected-response'))[1].toArray(), 'what is cut off does not look whole');
  }
});

test('after a 401 the token is refreshed once, and the handshake sent once more (L10)', async () => {
  const before = provider.tokenRequests('refresh_token').length;
  api.answer = (request, socket) => {
    if (provider.tokenRequests('refresh_token').length > before) return false;
    socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno');
  };
  const socket = await open();
  assert.equal((await echoed(socket, 'after it')).data.toString(), 'after it');
  assert.equal(api.requests.length, 2);
  assert.notEqual(api.requests[0].headers.authorization, api.requests[1].headers.authorization);
  socket.terminate();
  api.reset();
  api.answer = (request, socket_) => { socket_.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nnever'); };
  const always = await refused();
  assert.deepEqual([always.status, always.data, api.requests.length], [401, 'never', 1], 'it was given a new token just now');
});

test('it needs what the token needs, and goes where the credentials may go (L1, L16)', async () => {
  assert.equal((await refused('/echo', { headers: { 'x-api-key': 'wrong' } })).status, 401);
  assert.equal((await refused('/echo', { headers: { 'x-api-key': await home.makeKey('narrow', '--use', secureId) } })).status, 404);
  assert.equal((await refused('/echo', { origin: 'https://evil.example' })).json.code, 'access_denied');
  for (const target of ['http://127.0.0.2:1/', 'https://evil.example/'])
    assert.equal((await refused('', { headers: { 'x-nexus-target': target } })).json.code, 'host_not_allowed', target);
  assert.equal((await refused('/echo', { headers: { host: 'evil.example' } })).status, 421);
  assert.deepEqual(api.requests, []);
  const page = await open('/echo', { origin: 'https://app.example' });
  assert.equal((await echoed(page, 'from a page')).data.toString(), 'from a page');
  page.terminate();
});

/** Ends a WebSocket by a TCP reset, where it is one over TCP in the clear. */
function reset(end) {
  const socket = end._socket;
  if (socket.remoteFamily && !socket.encrypted) socket.resetAndDestroy();
  else end.terminate();
}

test('either end that goes away takes the other one with it, and nothing is left behind', async () => {
  (await open()).terminate();
  await until(() => api.sockets.size === 0, 'the first is over');
  const before = descriptors();
  for (const [where, options] of everywhere) {
    const server = options.to === secureId ? secure : api;
    for (const leave of [
      (client) => client.terminate(), (client, other) => other.terminate(), (client) => reset(client),
      (client, other) => reset(other), (client) => client.close(), (client, other) => other.close(),
    ]) {
      const sockets = await Promise.all(Array.from({ length: 5 }, () => open('/echo', options)));
      const closed = sockets.map((socket) => once(socket, 'close'));
      sockets.forEach((socket, i) => leave(socket, server.clients[i]));
      await Promise.all(closed);
      await until(() => server.sockets.size === 0, `the server's ends are closed, ${where}, ${leave}`);
      await until(() => descriptors() <= before, () => `${descriptors()} descriptors, and ${before} before, ${where}, ${leave}`);
      server.reset();
    }
  }
});

test('a caller that leaves before the answer ends the handshake at the server, too', async () => {
  let closed = 0;
  api.answer = (request, socket) => { socket.on('end', () => { closed += 1; socket.end(); }); socket.resume(); };
  const sockets = Array.from({ length: 5 }, () => bytes(handshake()));
  await until(() => api.requests.length === 5, 'all wait');
  for (const socket of sockets) socket.destroy();
  await until(() => closed === 5, 'all are given up');
});

test('a caller that has said all hears the rest; a server that has closed is the end', async () => {
  let got = '';
  api.answer = (request, socket) => {
    socket.on('data', (part) => { got += part; });
    socket.write(taken());
    socket.on('end', () => socket.end('the rest'));
  };
  const half = bytes(handshake());
  await until(() => half.said.endsWith('\r\n\r\n'), 'it is taken');
  half.end('all of it');
  await once(half, 'end');
  assert.ok(half.said.endsWith('the rest'));
  assert.equal(got, 'all of it');
  api.answer = (request, socket) => socket.end(`${taken()}all of it`);
  const other = bytes(handshake());
  await once(other, 'end');
  assert.ok(other.said.endsWith('all of it'));
  other.destroy();
});

test('what nobody reads waits in bounded memory, and holds nobody else up (L11)', { timeout: 60000 }, async () => {
  const PIECE = randomBytes(1024 * 1024);
  const COUNT = 40;
  const before = rss();
  const slow = await open();
  const other = await open();
  slow._socket.pause();
  for (let i = 0; i < COUNT; ++i) api.clients[0].send(PIECE);
  for (let i = 0; i < 20; ++i) assert.equal((await echoed(other, `${i}`)).data.toString(), `${i}`);
  assert.ok(api.clients[0].bufferedAmount > COUNT / 4 * PIECE.length, 'the server waits');
  const most = rss();
  let got = 0;
  slow.on('message', (data) => { got += data.length; });
  slow._socket.resume();
  await until(() => got === COUNT * PIECE.length, 'all arrives in the end', 30000);
  // The same the other way.
  api.clients[0]._socket.pause();
  for (let i = 0; i < COUNT; ++i) slow.send(PIECE);
  for (let i = 0; i < 20; ++i) await echoed(other, `${i}`);
  assert.ok(slow.bufferedAmount > COUNT / 4 * PIECE.length, 'the caller waits');
  assert.ok(Math.max(most, rss()) - before < 16 || isSanitized(), `${Math.max(most, rss()) - before} MiB more`);
  got = 0;
  api.clients[0]._socket.resume();
  await until(() => got === COUNT * PIECE.length, 'all comes back in the end', 30000);
  slow.terminate();
  other.terminate();
});

test('many that are idle cost no time', async () => {
  const sockets = await Promise.all(Array.from({ length: 100 }, (_, i) => open('/echo', everywhere[i % 3][1])));
  const half = sockets.slice(0, 50);
  for (const socket of half) assert.equal((await echoed(socket, 'x')).data.toString(), 'x');
  assert.ok(await home.ticksIn(1000) < 20, 'no busy loop');
  for (const socket of sockets) assert.equal((await echoed(socket, 'y')).data.toString(), 'y');
  for (const socket of sockets) socket.terminate();
});

test('a stop ends both ends, and in order', async () => {
  const own = await Home.make({ gateway: true, config: trust });
  await own.start();
  const there = await connectionTo('live', api.url, { websocket: true }, own);
  const ownKey = await own.makeKey('app', '--use', 'all');
  const sockets = await Promise.all(Array.from({ length: 20 }, () => open('/echo', { to: there, url: own.gateway.replace('http', 'ws'), headers: { 'x-api-key': ownKey } })));
  const closed = sockets.map((socket) => once(socket, 'close'));
  for (const socket of sockets) socket.send(randomBytes(300_000));
  await own.remove();  // which wants exit code 0
  await Promise.all(closed);
  await until(() => api.sockets.size === 0, 'the server learns of it');
});

test('there are so many as descriptors are enough for, and others have theirs', { skip: spawnSync('prlimit', ['-V']).error && 'needs prlimit' }, async () => {
  const own = await Home.make({ gateway: true });
  await own.start();
  const there = await connectionTo('live', api.url, { websocket: true }, own);
  const where = { to: there, url: `ws+unix://${own.socket}:` };
  assert.equal(spawnSync('prlimit', ['--pid', String(own.daemon.pid), '--nofile=128:']).status, 0);
  const sockets = [];
  for (let i = 0; i < 16; ++i) sockets.push(await open('/echo', where));
  const oneMore = await refused('/echo', where);
  assert.deepEqual([oneMore.status, oneMore.json.code, oneMore.headers['retry-after']], [503, 'overloaded', '1']);
  assert.equal((await own.api('GET', `/v1/proxy/${there}/`)).text, 'no WebSocket');
  sockets[0].terminate();
  await until(() => open('/echo', where).then(() => true, () => false), 'there is room again');
  await own.remove();
});

test('nexus api, which is no WebSocket client, offers no upgrade', async () => {
  const { code, stderr } = await home.nexus(['api', id, '/echo', ...['upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${KEY}`].flatMap((line) => ['-H', line])]);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /could not go on after an upgrade\n {2}have a WebSocket client ask the gateway/);
  assert.deepEqual(api.requests, []);
});

test('what would be sent is shown with the upgrade', async () => {
  const { status, json } = await home.api('GET', `/v1/proxy/${id}/echo`, undefined, { 'x-nexus-dry-run': 'masked', upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13', 'sec-websocket-key': KEY });
  assert.equal(status, 200);
  const shown = Object.fromEntries(json.headers.map(({ name, value }) => [name.toLowerCase(), value]));
  assert.deepEqual([shown.connection, shown.upgrade, shown['sec-websocket-key'], shown.authorization], ['Upgrade', 'websocket', KEY, '***']);
  assert.deepEqual(api.requests, []);
});
