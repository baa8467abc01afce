// What a socket that others can reach has to stand: foreign names and pages, malformed requests, slow
// and many clients, too few descriptors, too many requests, a stop in the middle.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register } from '../support/flow.mjs';
import { BIN, freePort, Home, until } from '../support/nexus.mjs';

let home;
let provider;
let id;
let port;
before(async () => {
  provider = await MisbehavingProvider.start();
  home = await Home.make({
    gateway: { hosts: ['nexus.example.com', 'api.example.com:9443'], cors_origins: ['https://app.example.com'] },
    config: '[limits]\nrequest_connection = 3\nresolve = 2\nrefresh = 0\ncallback = 5\n',
  });
  await home.start();
  await register(home, provider.issuer);
  ({ id } = await connect(home, provider));
  home.key = await home.makeKey('app', '--admin');
  port = home.gatewayPort;
});
after(async () => { await home.remove(); await provider.close(); });

const get = (path, host, extra = '') => home.raw(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${extra}Connection: close\r\n\r\n`);
const statusOf = (answer) => Number(answer.match(/^HTTP\/1\.1 (\d{3}) /)?.[1]);
const key = () => `X-API-Key: ${home.key}\r\n`;

test('only under names that are its own (J5)', async () => {
  for (const host of [`127.0.0.1:${port}`, `[::1]:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `localhost.:${port}`,
    'nexus.example.com', 'Nexus.Example.COM.', `nexus.example.com:${port}`, 'nexus.example.com:443', 'api.example.com:9443'])
    assert.equal(statusOf(await get('/health', host)), 200, host);
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost', '127.0.0.1', `127.0.0.1:${port + 1}`, 'api.example.com',
    `127.0.0.1:${port}:1`, 'nexus.example.com:x', 'nexus.example.com.evil.example', 'xnexus.example.com', '', `127.0.0.1:${port}@evil`])
    assert.equal(statusOf(await get(`/v1/token/${id}`, host, key())), 421, host);
  assert.equal(statusOf(await home.raw(`GET /health HTTP/1.1\r\nHost: localhost:${port}\r\nHost: evil\r\n\r\n`)), 400);
  assert.equal(statusOf(await home.raw('GET http://evil/ HTTP/1.1\r\nHost: evil\r\n\r\n')), 400);
  assert.equal(statusOf(await get('/auth/callback?state=x&code=y', 'evil.example')), 421);
});

test('no page of another origin gets anywhere (J6)', async () => {
  const host = `127.0.0.1:${port}`;
  const path = `/v1/token/${id}`;
  for (const header of ['Origin: null', 'Origin: http://localhost:3000', 'Origin: https://app.example.com.evil.example',
    'Origin: https://APP.example.com', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Site: same-site']) {
    const answer = await get(path, host, `${key()}${header}\r\n`);
    assert.equal(statusOf(answer), 403, header);
    assert.ok(!/access-control/i.test(answer));
  }
  assert.equal(statusOf(await get(path, host, `${key()}Sec-Fetch-Site: same-origin\r\n`)), 200);
  const post = (type, body = '{}') => home.raw(`POST /v1/request-connection HTTP/1.1\r\nHost: ${host}\r\n${key()}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonx', ''])
    assert.equal(statusOf(await post(type)), 415, type);
  assert.equal(statusOf(await post('Application/JSON; charset=utf-8')), 400);
  assert.equal(statusOf(await home.raw(`OPTIONS ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)), 405);
});

test('a listed origin may, with the key in a header', async () => {
  const headers = { origin: 'https://app.example.com' };
  const preflight = await home.http('OPTIONS', `/v1/token/${id}`, undefined, {
    key: '', headers: { ...headers, 'access-control-request-method': 'GET', 'access-control-request-headers': 'x-api-key' } });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers['content-length'], undefined);
  assert.equal(preflight.headers['access-control-allow-origin'], 'https://app.example.com');
  assert.match(preflight.headers['access-control-allow-headers'], /X-API-Key/);
  assert.equal(preflight.headers.vary, 'Origin');
  const answer = await home.http('GET', `/v1/token/${id}`, undefined, { headers });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['access-control-allow-origin'], 'https://app.example.com');
  const refused = await home.http('GET', `/v1/token/${id}`, undefined, { key: 'wrong', headers });
  assert.equal(refused.status, 401);  // readable for the page
  assert.equal(refused.headers['access-control-allow-origin'], 'https://app.example.com');
});

test('malformed requests are refused and end the connection (J11, J14, J17)', async () => {
  const head = `Host: 127.0.0.1:${port}\r\n`;
  const cases = [
    [`GET /health HTTP/1.1\n${head}\r\n`, 400], [`GET /health HTTP/1.1\r\n${head}A: 1\nB: 2\r\n\r\n`, 400],
    [`GET /health HTTP/1.1\r\n${head} folded\r\n\r\n`, 400], [`GET /health HTTP/1.1\r\nHost : x\r\n\r\n`, 400],
    [`GET /health HTTP/1.1\r\n${head}X: a\0b\r\n\r\n`, 400], [`GET /health\0 HTTP/1.1\r\n${head}\r\n`, 400],
    [`POST /v1/keys HTTP/1.1\r\n${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    [`POST /v1/keys HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
    [`POST /v1/keys HTTP/1.1\r\n${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400],
    [`POST /v1/keys HTTP/1.1\r\n${head}Content-Length: 2, 2\r\n\r\n{}`, 400], [`POST /v1/keys HTTP/1.1\r\n${head}Content-Length: -2\r\n\r\n{}`, 400],
    [`GET /v1/%2e%2e/health HTTP/1.1\r\n${head}\r\n`, 400], [`GET /v1/%00 HTTP/1.1\r\n${head}\r\n`, 400], [`GET //health HTTP/1.1\r\n${head}\r\n`, 400],
    [`GET /${'a'.repeat(9000)} HTTP/1.1\r\n${head}\r\n`, 431], [`GET /health HTTP/1.1\r\n${head}X: ${'a'.repeat(40000)}\r\n\r\n`, 431],
    [`GET /health HTTP/1.1\r\n${head}${'A: 1\r\n'.repeat(101)}\r\n`, 431], [`POST /v1/keys HTTP/1.1\r\n${head}Content-Length: 1048577\r\n\r\n`, 413],
    [`GET /health HTTP/2.0\r\n${head}\r\n`, 400], ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
  ];
  for (const [bytes, status] of cases) assert.equal(statusOf(await home.raw(bytes, { quietMs: 2000 })), status, JSON.stringify(bytes.slice(0, 80)));
  for (const method of ['TRACE', 'CONNECT', 'BREW', 'PROPFIND']) assert.equal(statusOf(await home.raw(`${method} /v1/token/${id} HTTP/1.1\r\n${head}${key()}\r\n`)), 501, method);
  for (const method of ['HEAD', 'OPTIONS', 'PUT', 'POST']) assert.equal(statusOf(await home.raw(`${method} /v1/token/${id} HTTP/1.1\r\n${head}${key()}\r\n`)), 405, method);
  // Header values are taken as they are: %58 is no X.
  assert.equal(statusOf(await get(`/v1/token/${id}`, `127.0.0.1:${port}`, `X-API-Key: ${home.key.replace('n', '%6e')}\r\n`)), 401);
  let deep = '"x"';
  for (let i = 0; i < 70; ++i) deep = `[${deep}]`;
  assert.equal((await home.http('POST', '/v1/keys', `{"name":${deep}}`)).json.code, 'invalid_json');
  // Settings may come as JSON in a text.
  const deeper = '['.repeat(400_000) + ']'.repeat(400_000);
  for (const params of [{ credential_schema: `{"a":${deeper}}` }, { api_hosts: deeper }, { request_headers: `{"a":${deeper}}` }])
    assert.equal((await home.api('POST', '/v1/providers', { name: 'deep', auth_type: 'api_key', api_base_url: 'https://api.example.com', params })).json.code, 'invalid_field');
});

test('500 idle and 500 half-open connections delay nobody (J12)', async () => {
  const sockets = Array.from({ length: 1000 }, (_, i) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    if (i % 2) socket.write('GET /v1/tok');
    return socket;
  });
  await Promise.all(sockets.map((s) => new Promise((go) => (s.connecting ? s.on('connect', go) : go()))));
  const begin = Date.now();
  assert.equal((await home.http('GET', `/v1/token/${id}`)).status, 200);
  assert.ok(Date.now() - begin < 1000);
  // A half-open one is given ten seconds in all, however it trickles.
  const slow = sockets[1];
  const trickle = setInterval(() => slow.write('x'), 500);
  await until(() => slow.destroyed || slow.readyState !== 'open', 'the slow one is closed', 13000);
  clearInterval(trickle);
  for (const socket of sockets) socket.destroy();
});

test('callers that wait for a stalled provider do not hold up others (J13)', async () => {
  const waiting = [];
  provider.onToken = (form, response) => { waiting.push(response); return true; };
  const callers = Array.from({ length: 64 }, () => home.http('POST', `/v1/refresh/${id}`));
  await until(() => waiting.length, 'the provider is asked');
  const begin = Date.now();
  assert.equal((await home.http('GET', '/health', undefined, { key: '' })).status, 200);
  assert.equal((await home.http('GET', '/v1/connections?workspace_id=default')).status, 200);
  assert.ok(Date.now() - begin < 1000);
  for (const response of waiting) { response.writeHead(500); response.end(); }
  provider.onToken = null;
  const answers = await Promise.all(callers);
  assert.deepEqual([...new Set(answers.map((a) => `${a.status} ${a.json.code}`))], ['502 upstream_error']);
  assert.equal(waiting.length, 1);
});

test('limits for each key and workspace, with Retry-After and a JSON body', async () => {
  const ask = (workspace_id, with_key = home.key) => home.http('POST', '/v1/request-connection',
    { workspace_id, provider_name: 'demo', return_url: 'https://a.example/' }, { key: with_key });
  for (let i = 0; i < 3; ++i) assert.equal((await ask('busy')).status, 200);
  const limited = await ask('busy');
  assert.equal(limited.status, 429);
  assert.equal(limited.json.code, 'rate_limited');
  assert.ok(Number(limited.headers['retry-after']) > 0 && Number(limited.headers['retry-after']) <= 20);
  assert.equal(limited.json.retry_after, Number(limited.headers['retry-after']));
  assert.equal((await ask('calm')).status, 200);
  assert.equal((await ask('busy', await home.makeKey('another', '--use', 'all'))).status, 200);
  const resolve = () => home.http('GET', '/v1/resolve?workspace_id=default&provider_name=demo');
  assert.deepEqual([(await resolve()).status, (await resolve()).status, (await resolve()).status], [200, 200, 429]);
  // The own user at the control socket is not counted.
  for (let i = 0; i < 5; ++i) assert.equal((await home.api('GET', '/v1/resolve?workspace_id=default&provider_name=demo')).status, 200);
  const callback = () => get('/auth/callback?state=x&code=y', `127.0.0.1:${port}`);
  const answers = [];
  for (let i = 0; i < 7; ++i) answers.push(statusOf(await callback()));
  assert.ok(answers.includes(400) && answers.at(-1) === 429);
  const page = await callback();
  assert.match(page, /^retry-after: \d+\r$/im);
  assert.match(page, /<h1>Too many answers<\/h1>/, 'a person is told, not a program');
});

test('answers carry what keeps them out of caches and guesses (J16)', async () => {
  for (const answer of [await home.http('GET', `/v1/token/${id}`), await home.http('GET', '/v1/token/none'),
    await home.http('GET', '/nowhere'), await home.http('GET', '/v1/audit', undefined, { key: '' })]) {
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.ok(answer.headers['x-request-id']);
    assert.ok(!/sqlite|SELECT|\/tmp\/|\.cc/i.test(answer.text));
  }
});

test('too few descriptors: it backs off and recovers (J15)', async (t) => {
  const small = await Home.make({ gateway: true });
  t.after(() => small.remove());
  const daemon = spawn('sh', ['-c', `ulimit -n 64; exec "${join(BIN, 'nexusd')}" --foreground`], { env: small.env, stdio: ['ignore', 'ignore', 'pipe'] });
  daemon.stderr.on('data', (text) => { small.log += text; });
  small.daemon = daemon;
  await until(() => small.log.includes(' ready '), 'nexusd ready');
  const open = () => readdirSync(`/proc/${daemon.pid}/fd`).length;
  const idle = (count) => Array.from({ length: count }, () => createConnection({ host: '127.0.0.1', port: small.gatewayPort }).on('error', () => {}));
  const healthy = () => small.http('GET', '/health').then((r) => r.status === 200, () => false);
  // More clients than descriptors: those that have idled longest make room.
  const sockets = idle(100);
  await until(() => sockets.filter((socket) => socket.destroyed).length >= 60, 'room is made');
  assert.ok(await healthy());
  assert.ok(!small.log.includes('out_of_file_descriptors'));
  // Fewer than it could know of.
  assert.equal(spawnSync('prlimit', ['--pid', String(daemon.pid), `--nofile=${open() - 10}:64`]).status, 0);
  sockets.push(...idle(20));
  await until(() => small.log.includes('out_of_file_descriptors'), 'descriptors run out');
  for (const socket of sockets) socket.destroy();
  await until(healthy, 'it answers again', 5000);
  assert.ok(open() < 40);
  assert.ok(small.log.match(/out_of_file_descriptors/g).length < 20, 'no busy loop');
});

test('a stop finishes what is in progress', async () => {
  let answer;
  provider.onToken = (form, response) => { answer = response; return true; };
  const running = home.http('POST', `/v1/refresh/${id}`);
  await until(() => answer, 'the provider is asked');
  const stopped = home.stop();
  await until(() => home.http('GET', '/health').then(() => false, () => true), 'it accepts nothing more', 3000);
  answer.writeHead(200, { 'content-type': 'application/json' });
  answer.end(JSON.stringify({ access_token: 'at-last', token_type: 'Bearer', expires_in: 3600 }));
  provider.onToken = null;
  assert.equal((await running).json.access_token, 'at-last');
  assert.equal(await stopped, 0);
  await home.start();
});

test('settings that would expose it are refused with a way out', async () => {
  const attempt = async (settings, extra = '') => {
    const bad = await Home.make({ gateway: settings, config: extra });
    try { await bad.start(); return 'started'; } catch (error) { return error.message; } finally { await bad.stop(); }
  };
  assert.match(await attempt({ listen: '0.0.0.0:18099' }), /gateway\.hosts is empty/);
  assert.match(await attempt({ listen: '0.0.0.0:18099', hosts: ['n'] }), /without TLS[\s\S]*insecure_http/);
  assert.match(await attempt({ listen: 'example.com:80' }), /not an address and a port/);
  assert.match(await attempt({ listen: '127.0.0.1' }), /not an address and a port/);
  assert.match(await attempt({ tls_key: '/x' }), /belong together/);
  assert.match(await attempt({ tls_key: '/x', tls_certificate: '/y' }), /callback\.base_url is http|cannot be used/);
  assert.match(await attempt({ cors_origins: ['*'] }), /not an origin/);
  assert.match(await attempt({ cors_origins: ['https://a.example/'] }), /not an origin/);
  assert.match(await attempt({ return_urls: ['app.example.com'] }), /cannot be listed/);
  assert.match(await attempt({ hosts: 'one' }), /'gateway\.hosts' has to be a list of texts/);
  assert.match(await attempt({ listen_on: 'x' }), /unknown setting 'gateway\.listen_on'/);
  const taken = await Home.make({ gateway: true, gatewayPort: port });
  await assert.rejects(taken.start(), /holds the port[\s\S]*gateway\.listen/);
});

test('return_urls: an exact list, checked again before the browser is sent there (K5)', async () => {
  const listed = await Home.make({ gateway: { return_urls: ['https://app.example.com/oauth', 'http://localhost:3000/'] } });
  await listed.start();
  await register(listed, provider.issuer);
  listed.key = await listed.makeKey('app', '--use', 'all');
  const ask = (return_url) => listed.http('POST', '/v1/request-connection', { workspace_id: 'w', provider_name: 'demo', return_url });
  for (const url of ['https://app.example.com/oauth', 'https://app.example.com/oauth/return?a=1#f', 'http://localhost:3000/x', 'https://APP.example.com/oauth'])
    assert.equal((await ask(url)).status, 200, url);
  for (const url of ['https://app.example.com/oauthx', 'https://app.example.com/', 'http://app.example.com/oauth', 'https://app.example.com:444/oauth',
    'https://app.example.com.evil.example/oauth', 'https://app.example.com/oauth/../x', 'https://app.example.com/oauth/%2e%2E/x', 'https://evil\\.app.example.com/oauth'])
    assert.equal((await ask(url)).json.code, 'return_url_not_allowed', url);
  const { json } = await ask('https://app.example.com/oauth');
  await listed.stop();
  const { writeFileSync, readFileSync } = await import('node:fs');
  writeFileSync(listed.configFile, readFileSync(listed.configFile, 'utf8').replace('https://app.example.com/oauth', 'https://new.example.com/'));
  await listed.start();
  const page = await fetch(provider.consent(json.auth_url), { redirect: 'manual' });
  assert.equal(page.status, 200);  // a page instead of the redirect
  assert.equal(page.headers.get('location'), null);
  await listed.remove();
});

test('an application\'s own scheme is a return_url where it is listed, to the letter', async () => {
  const listed = await Home.make({ gateway: { return_urls: ['myapp://callback', 'com.example.app:/oauth', 'https://app.example.com/'] } });
  await listed.start();
  await register(listed, provider.issuer);
  listed.key = await listed.makeKey('app', '--use', 'all');
  const ask = (return_url) => listed.http('POST', '/v1/request-connection', { workspace_id: 'w', provider_name: 'demo', return_url });
  for (const url of ['myapp://callback', 'myapp://callback?session=1', 'com.example.app:/oauth', 'https://app.example.com/x'])
    assert.equal((await ask(url)).status, 200, url);
  for (const url of ['myapp://callback/', 'myapp://callback2', 'MYAPP://callback', 'myapp://CALLBACK', 'myapp:callback', 'myapp://callback#f', 'myapp://callback x',
    'otherapp://callback', 'com.example.app:/oauth/x', 'javascript:alert(1)', 'javascript://callback', 'data:text/html,x', 'file:///etc/passwd', 'https://evil.example/'])
    assert.equal((await ask(url)).json.code, 'return_url_not_allowed', url);
  const { json } = await ask('myapp://callback?session=1');
  const page = await fetch(provider.consent(json.auth_url), { redirect: 'manual' });
  assert.equal(page.status, 302);
  assert.equal(page.headers.get('location'), `myapp://callback?session=1&status=success&connection_id=${json.connection_id}&provider=demo`);
  await listed.remove();

  const bare = await Home.make({ gateway: true });
  await bare.start();
  await register(bare, provider.issuer);
  bare.key = await bare.makeKey('app', '--use', 'all');
  const refused = await bare.http('POST', '/v1/request-connection', { workspace_id: 'w', provider_name: 'demo', return_url: 'myapp://callback' });
  assert.equal(refused.json.code, 'return_url_not_allowed');
  assert.match(refused.json.hint, /gateway\.return_urls/);
  await bare.remove();
});

test('a scheme that a browser acts upon cannot be listed', async () => {
  for (const url of ['javascript://callback', 'data:text/html,x', 'file:///x', 'blob:https://a.example/x', 'view-source://x', 'myapp:x', 'myapp://callback?x=1',
    'myapp://callback#x', 'MyApp://callback', 'my app://callback']) {
    const bad = await Home.make({ gateway: { return_urls: [url] } });
    await assert.rejects(bad.start(), /cannot be listed/, url);
    await bad.remove().catch(() => {});
  }
});

test('a gateway on another port than the callback\'s: where the callback is, and how it is moved, is told', async () => {
  const other = await Home.make({ gateway: true, gatewayPort: await freePort() });
  await other.start();
  await register(other, provider.issuer);
  const status = JSON.parse((await other.nexus(['daemon', 'status', '--json'])).stdout);
  assert.equal(status.callback, `${other.callbackBase}/auth/callback`);
  assert.equal(status.callback_on_gateway, false);
  assert.match((await other.nexus(['daemon', 'status'])).stdout, new RegExp(`callback +${other.callbackBase}/auth/callback \\(the port is bound while`));
  const holder = createServer(() => {}).listen(other.callbackPort, '127.0.0.1');
  await once(holder, 'listening');
  const refused = (await other.api('POST', '/v1/request-connection', { provider_name: 'demo' })).json;
  holder.close();
  assert.equal(refused.code, 'callback_unavailable');
  assert.ok(refused.hint.includes(`callback.base_url = "${other.gateway}" and register ${other.gateway}/auth/callback`), refused.hint);
  await other.remove();
  const own = JSON.parse((await home.nexus(['daemon', 'status', '--json'])).stdout);
  assert.equal(own.callback_on_gateway, true);
});

test('behind a reverse proxy: the public https address is the redirect URI (K9)', async () => {
  await assert.rejects((await Home.make({ callbackBase: 'http://nexus.example.com', gateway: true })).start(), /neither https nor on loopback/);
  const proxied = await Home.make({ callbackBase: 'https://nexus.example.com', gateway: { hosts: ['nexus.example.com'] } });
  await proxied.start();
  await register(proxied, provider.issuer);
  const asked = await proxied.api('POST', '/v1/request-connection', { provider_name: 'demo' });
  const callback = new URL(provider.consent(asked.json.auth_url));
  assert.equal(callback.origin + callback.pathname, 'https://nexus.example.com/auth/callback');
  const arrive = (host) => proxied.raw(`GET ${callback.pathname}${callback.search} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  assert.equal(statusOf(await arrive(`127.0.0.1:${proxied.gatewayPort}`)), 400);  // another address than was asked for
  assert.equal(await proxied.status(asked.json.connection_id), 'pending');
  assert.equal(statusOf(await arrive('nexus.example.com')), 200);
  assert.equal(await proxied.status(asked.json.connection_id), 'active');
  await proxied.remove();
});
