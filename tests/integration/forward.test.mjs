// Requests that nexusd sends on to a connection's API with its credentials: what arrives there, what
// comes back, and what must never have left.
import { test, before, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { readFileSync } from 'node:fs';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, token } from '../support/flow.mjs';
import { until } from '../support/nexus.mjs';
import { RecordingApi } from '../provider/recording_api.mjs';

const { home, provider } = await daemonAndProvider({ gateway: true });
let api;
let evil;
let id;
let other;
let key;
let bearer;
before(async () => {
  api = await RecordingApi.start();
  evil = await RecordingApi.start('127.0.0.2');
  await register(home, provider.issuer, { api_base_url: `${api.url}/v3` });
  ({ id } = await connect(home, provider));
  other = (await connect(home, provider)).id;
  key = await home.makeKey('app', '--use', id);
  bearer = (await token(home, id)).json.access_token;
});
after(async () => { await api.close(); await evil.close(); });
beforeEach(() => { api.reset(); evil.reset(); });
after(() => assert.deepEqual(evil.requests, [], 'nothing ever went to another host'));

/** One request with a body that may be a stream; gives status, headers, body as a Buffer. */
function send(method, path, { headers = {}, body, gateway = false, withKey = key } = {}) {
  return new Promise((resolve, reject) => {
    const where = gateway ? { host: '127.0.0.1', port: home.gatewayPort } : { socketPath: home.socket };
    const request = httpRequest({ ...where, method, path, agent: false, headers: { ...(gateway && withKey ? { 'x-api-key': withKey } : {}), ...headers } }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('close', () => {
        const data = Buffer.concat(parts);
        let json;
        try { json = JSON.parse(data); } catch { json = undefined; }
        resolve({ status: response.statusCode, headers: response.headers, data, json, complete: response.complete });
      });
    });
    request.on('error', reject);
    if (body && typeof body.pipe === 'function') body.pipe(request);
    else request.end(body);
  });
}
const to = (path, connection = id) => `/v1/proxy/${connection}${path}`;
const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${home.daemon.pid}/status`, 'utf8'))[1]) / 1024;

test('a request arrives with the credential, and the answer comes back', async () => {
  for (const gateway of [false, true]) {
    api.reset();
    const answer = await send('POST', to('/things?a=b&c'), { gateway, headers: { 'content-type': 'text/plain', 'x-custom': '1', ...(gateway ? {} : { authorization: 'Bearer mine' }) }, body: 'hello' });
    assert.equal(answer.status, 200, answer.data.toString());
    assert.deepEqual(answer.json, { method: 'POST', target: '/v3/things?a=b&c', bytes: 5 });
    assert.equal(answer.headers['x-nexus-connection'], id);
    const [seen] = api.requests;
    assert.equal(seen.headers.authorization, `Bearer ${bearer}`);
    assert.equal(seen.headers['x-custom'], '1');
    assert.equal(seen.headers['content-length'], '5');
    assert.equal(seen.body.toString(), 'hello');
    assert.equal(seen.headers.host, `127.0.0.1:${api.port}`);
  }
});

test('the path goes on as it stands, and by header as a whole URL', async () => {
  for (const path of ['/a%2Fb//c/', '/%E2%82%AC?q=a+b&q=%2B&empty=&flag', '/x?u=https://evil.example/'])
    assert.equal((await send('GET', to(path))).json.target, `/v3${path}`);
  const answer = await send('GET', to(''), { headers: { 'x-nexus-target': `${api.url}/v4/x` } });
  assert.equal(answer.json.target, '/v4/x');
});

test('credentials go to no other host, whatever a request says (L1, L2)', async () => {
  const refused = async (target, expected) => {
    const answer = await send('GET', to(''), { headers: { 'x-nexus-target': target } });
    assert.ok(expected.includes(answer.json?.code), `${target}: ${answer.data}`);
    assert.equal(answer.headers['x-nexus-error'], answer.json.code);
  };
  for (const target of [`http://127.0.0.2:${evil.port}/`, `https://127.0.0.1:${api.port}/`, `http://127.0.0.1:${evil.port}/`, 'https://evil.example/'])
    await refused(target, ['host_not_allowed']);
  for (const target of [`http://127.0.0.1:${api.port}@127.0.0.2:${evil.port}/`, 'ftp://127.0.0.1/', '/../up', '/a/%2e%2E/b', '/a#b', '/a b', `http:127.0.0.2:${evil.port}`, `http:///127.0.0.2:${evil.port}/`])
    await refused(target, ['invalid_field', 'host_not_allowed']);
  for (const headers of [{ host: `127.0.0.2:${evil.port}` }, { 'x-forwarded-host': '127.0.0.2' }])
    assert.equal((await send('GET', to('/'), { headers })).status, 200);
  assert.ok(api.requests.every(({ headers }) => headers.host === `127.0.0.1:${api.port}`));
  const before = api.requests.length;
  const raw = await home.raw(`GET http://127.0.0.2:${evil.port}/v1/proxy/${id}/ HTTP/1.1\r\nHost: 127.0.0.1:${home.gatewayPort}\r\nX-API-Key: ${key}\r\n\r\n`);
  assert.match(raw, /^HTTP\/1\.1 400 /);
  assert.match(await home.raw(`CONNECT 127.0.0.2:${evil.port} HTTP/1.1\r\nHost: 127.0.0.1:${home.gatewayPort}\r\n\r\n`), /^HTTP\/1\.1 (400|501) /);
  assert.equal(api.requests.length, before);
  const [record] = (await home.api('GET', '/v1/audit?event_type=request_forwarded&limit=50')).json.filter(({ event_data: data }) => data.includes('host_not_allowed'));
  assert.equal(JSON.parse(record.event_data).outcome, 'refused');
});

test('a redirect is an answer like any other: nobody follows it (L4)', async () => {
  for (const [status, where] of [[302, `http://127.0.0.2:${evil.port}/x`], [307, `http://127.0.0.1:${evil.port}/`], [301, '/elsewhere']]) {
    api.answer = (request, response) => response.writeHead(status, { location: where }).end();
    const answer = await send('POST', to('/'), { body: 'x' });
    assert.equal(answer.status, status);
    assert.equal(answer.headers.location, where);
  }
  assert.equal(api.requests.length, 3);
});

test('what the caller sends as its own credential, and what is of its connection, stays here (L5, L6)', async () => {
  await send('GET', to('/'), { gateway: true, headers: { 'proxy-authorization': 'Basic x', cookie: 'a=b', te: 'trailers', connection: 'close, x-named', 'x-named': '1', 'x-nexus-anything': 'y' } });
  const { headers } = api.requests[0];
  assert.equal(headers.authorization, `Bearer ${bearer}`);
  for (const gone of ['x-api-key', 'proxy-authorization', 'cookie', 'te', 'x-named', 'x-nexus-anything']) assert.equal(headers[gone], undefined, gone);
  assert.ok(!JSON.stringify(api.requests).includes(key));
  await home.raw(`GET /v1/proxy/${id}/ HTTP/1.1\r\nHost: 127.0.0.1:${home.gatewayPort}\r\nX-API-Key: ${key}\r\nConnection: close, authorization\r\n\r\n`);
  assert.equal(api.requests[1].headers.authorization, `Bearer ${bearer}`, 'Connection cannot name the injected one away');
});

test('a request that two readers could read differently is refused (L7, L8)', async () => {
  const head = `POST /v1/proxy/${id}/ HTTP/1.1\r\nHost: 127.0.0.1:${home.gatewayPort}\r\nX-API-Key: ${key}\r\n`;
  for (const rest of [
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'Content-Length: +5\r\n\r\nhello', 'X-A: b\rAuthorization: c\r\n\r\n', 'X-A: b\nX-C: d\r\n\r\n', 'X-A : b\r\n\r\n', 'X-A: \0\r\n\r\n', 'X-A: b\r\n folded\r\n\r\n',
  ]) assert.match(await home.raw(head + rest), /^HTTP\/1\.1 400 /, JSON.stringify(rest));
  assert.deepEqual(api.requests, []);
  for (const chunks of ['5;a=b\r\nhello\r\n0\r\n\r\n', '5\nhello\r\n0\r\n\r\n', 'x\r\n\r\n', '5\r\nhelloGET / HTTP/1.1\r\n\r\n']) {
    await home.raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`);
    await until(() => api.requests.every(({ body }) => body === undefined || body.length === 0), 'no whole request arrived');
  }
  assert.ok(api.requests.every(({ target }) => target === '/v3/'), 'nothing was smuggled in');
  assert.equal((await home.nexus(['api', id, '/', '-H', 'X: a\r\nAuthorization: b'])).code, 2);
});

test('an answer that two readers could read differently is not passed on (L7)', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(server.answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await register(home, provider.issuer, { name: 'raw', api_base_url: `http://127.0.0.1:${server.address().port}` });
  const { id: raw } = await connect(home, provider, { provider_name: 'raw' });
  for (const head of ['Content-Length: 5\r\nTransfer-Encoding: chunked', 'Content-Length: 5\r\nContent-Length: 5', 'Content-Length: 5\r\nContent-Length: 6', 'Content-Length: x', 'Transfer-Encoding: gzip']) {
    server.answer = `HTTP/1.1 200 OK\r\n${head}\r\n\r\nhello`;
    const answer = await send('GET', to('/', raw));
    assert.equal(answer.status, 502, head);
    assert.equal(answer.json.code, 'provider_protocol');
  }
  server.answer = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n';
  assert.equal((await send('GET', to('/', raw))).status, 502);
  server.answer = `HTTP/1.1 200 OK\r\nX-Big: ${'a'.repeat(70000)}\r\n\r\n`;
  assert.equal((await send('GET', to('/', raw))).status, 502);
  server.answer = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello';
  assert.equal((await send('GET', to('/', raw)).catch((error) => error.code)), 'ECONNRESET', 'what is cut off does not look whole');
  for (const head of ['Content-Length : 60', 'X-A: b\r\n Content-Length: 60', 'no header at all', ': nameless']) {
    server.answer = `HTTP/1.1 200 OK\r\n${head}\r\n\r\nhello`;
    assert.equal((await send('GET', to('/', raw))).status, 502, head);
  }
  for (const cut of ['HTTP/1.1 200 OK\r\nX-A: b\r\n', 'HTTP/1.1 200 OK\r\nX-A', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n']) {
    server.answer = cut;
    assert.equal((await send('GET', to('/', raw))).json?.code, 'provider_protocol', cut);
  }
  server.answer = 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n';
  assert.equal((await send('GET', to('/', raw))).headers['content-length'], undefined);
  server.answer = 'HTTP/1.1 200 OK\r\n\r\nuntil the end';
  assert.equal((await send('GET', to('/', raw))).data.toString(), 'until the end');
  server.answer = 'HTTP/1.0 200 OK\r\n\r\nas in 1.0';
  assert.equal((await send('GET', to('/', raw))).data.toString(), 'as in 1.0');
  server.close();
});

test('after a 401 the token is refreshed once, and what can be repeated is (L10)', async () => {
  const answers401 = (request, response) => request.headers.authorization !== `Bearer ${good}` && response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('no');
  let good;
  const refreshed = async (method, options) => {
    const refreshes = provider.tokenRequests('refresh_token').length;
    api.reset();
    api.answer = async (request, response) => {
      good ??= 'something that is not there yet';
      if (provider.tokenRequests('refresh_token').length > refreshes) good = request.headers.authorization.slice(7);
      return answers401(request, response);
    };
    good = undefined;
    const answer = await send(method, to('/'), options);
    return { status: answer.status, calls: api.requests.length, refreshes: provider.tokenRequests('refresh_token').length - refreshes };
  };
  assert.deepEqual(await refreshed('GET', {}), { status: 200, calls: 2, refreshes: 1 });
  assert.deepEqual(await refreshed('PUT', { body: 'kept', headers: { 'content-length': 4 } }), { status: 200, calls: 2, refreshes: 1 });
  assert.deepEqual(await refreshed('POST', { body: 'x' }), { status: 401, calls: 1, refreshes: 0 });
  assert.deepEqual(await refreshed('PUT', { body: 'a stream', headers: { 'transfer-encoding': 'chunked' } }), { status: 401, calls: 1, refreshes: 0 });
  const before = provider.tokenRequests('refresh_token').length;
  api.reset();
  api.answer = (request, response) => response.writeHead(401).end('never');
  const always = await send('GET', to('/'));
  assert.deepEqual([always.status, always.data.toString(), api.requests.length, provider.tokenRequests('refresh_token').length - before], [401, 'never', 2, 1]);
  bearer = (await token(home, id)).json.access_token;
});

test('a refresh that needs a person is told as such, not as the API\'s 401', async () => {
  const { id: ended } = await connect(home, provider);
  api.answer = (request, response) => response.writeHead(401).end('no');
  provider.onToken = (form, response) => { response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}'); return true; };
  const answer = await send('GET', to('/', ended));
  provider.onToken = null;
  assert.deepEqual([answer.status, answer.json.code], [409, 'attention_required']);
  assert.equal((await home.nexus(['api', ended, '/'])).code, 4);
});

test('streams go both ways at once, in bounded memory (L11)', { timeout: 120000 }, async () => {
  const BYTES = 200 * 1024 * 1024;
  const piece = randomBytes(1024 * 1024);
  const { Readable } = await import('node:stream');
  const upload = () => Readable.from((function* () { for (let sent = 0; sent < BYTES; sent += piece.length) yield piece; })());
  api.answer = (request, response) => { response.writeHead(200, { 'content-type': 'application/octet-stream' }); request.pipe(response); };
  await send('POST', to('/'), { body: 'warm' });
  const before = rss();
  let most = before;
  const watch = setInterval(() => { most = Math.max(most, rss()); }, 20);
  const hash = createHash('sha256');
  let got = 0;
  await new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath: home.socket, method: 'POST', path: to('/'), agent: false }, (response) => {
      response.on('data', (part) => { got += part.length; hash.update(part); });
      response.on('end', resolve);
      response.on('error', reject);
    });
    request.on('error', reject);
    upload().pipe(request);
  });
  clearInterval(watch);
  assert.equal(got, BYTES);
  const expected = createHash('sha256');
  for (let sent = 0; sent < BYTES; sent += piece.length) expected.update(piece);
  assert.equal(hash.digest('hex'), expected.digest('hex'));
  assert.ok(most - before < 16 || process.env.ASAN_OPTIONS, `${most - before} MiB more`);
});

test('who goes away ends what is done for them, both ways (L11)', async () => {
  let closed = 0;
  api.answer = (request, response) => {
    request.on('close', () => { closed += 1; });
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'.repeat(1000)), 5);
    response.on('close', () => clearInterval(timer));
  };
  const leaving = httpRequest({ socketPath: home.socket, path: to('/'), agent: false }, (response) => response.once('data', () => response.destroy()));
  leaving.on('error', () => {});
  leaving.end();
  await until(() => closed === 1, 'the API\'s connection is closed');
  const uploading = httpRequest({ socketPath: home.socket, method: 'POST', path: to('/'), agent: false });
  uploading.on('error', () => {});
  uploading.write('some of it');
  await until(() => api.requests.length === 2, 'the upload has begun');
  uploading.destroy();
  await until(() => closed === 2, 'the upload is given up');
});

test('a request in chunks is whole however it comes, and the next one begins behind it', async () => {
  const { connect: dial } = await import('node:net');
  const socket = dial({ path: home.socket });
  let said = '';
  socket.on('data', (part) => { said += part; });
  const answers = () => said.split('HTTP/1.1 ').length - 1;
  for (let round = 1; round <= 2; ++round) {
    for (const piece of [`POST /v1/proxy/${id}/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`, '5', '\r\nhel', 'lo', '\r', '\n0\r\nX', '-A: b\r\n\r', '\n']) {
      socket.write(piece);
      await new Promise((go) => setTimeout(go, 30));
    }
    await until(() => answers() === round, 'the answer');
  }
  socket.destroy();
  assert.deepEqual(api.requests.map(({ target, body }) => [target, body.toString()]), [['/v3/x', 'hello'], ['/v3/x', 'hello']]);
  assert.match(said, /^HTTP\/1\.1 200 [^]*HTTP\/1\.1 200 /);
});

test('who goes away before there is an answer ends the request at the API, too', async () => {
  let closed = 0;
  api.answer = (request) => { request.on('close', () => { closed += 1; }); };
  const leaving = Array.from({ length: 20 }, () => {
    const request = httpRequest({ socketPath: home.socket, path: to('/'), agent: false });
    request.on('error', () => {});
    request.end();
    return request;
  });
  await until(() => api.requests.length === 20, 'all wait');
  for (const request of leaving) request.destroy();
  await until(() => closed === 20, 'all are given up');
});

test('an upload that nobody reads costs nothing, also when its client is done with it', async () => {
  const { connect: dial } = await import('node:net');
  api.answer = (request) => { request.pause(); };
  const socket = dial({ path: home.socket });
  socket.on('error', () => {});
  socket.write(`POST /v1/proxy/${id}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n`);
  socket.end(Buffer.alloc(8_000_000));
  await until(() => api.requests.length === 1, 'it is there');
  await new Promise((go) => setTimeout(go, 300));
  assert.ok(await home.ticksIn(1000) < 20, 'no busy loop');
  socket.destroy();
});

test('what would tell the credential, or open a tunnel, is not sent on', async () => {
  for (const method of ['TRACE', 'CONNECT'])
    assert.match(await home.raw(`${method} /v1/proxy/${id}/ HTTP/1.1\r\nHost: 127.0.0.1:${home.gatewayPort}\r\nX-API-Key: ${key}\r\n\r\n`), /^HTTP\/1\.1 405 /, method);
  assert.deepEqual(api.requests, []);
});

test('a stop with requests under way ends in order', async () => {
  const { Home } = await import('../support/nexus.mjs');
  const own = await Home.make();
  await own.start();
  await register(own, provider.issuer, { api_base_url: api.url });
  const { id: waiting } = await connect(own, provider);
  api.answer = (request, response) => { setTimeout(() => response.writeHead(401).end('no'), 50 + 3 * (api.requests.length % 100)); };
  for (let i = 0; i < 100; ++i) {
    const request = httpRequest({ socketPath: own.socket, path: `/v1/proxy/${waiting}/`, agent: false });
    request.on('error', () => {});
    request.end();
    setTimeout(() => request.destroy(), 40 + i % 30);
  }
  await new Promise((go) => setTimeout(go, 60));
  await own.remove();  // which wants exit code 0
});

test('a slow reader and many that wait hold nobody up (J13)', async () => {
  api.answer = (request, response) => {
    if (!request.url.includes('slow')) return false;
    response.writeHead(200);
    response.write('first');
  };
  const waiting = Array.from({ length: 100 }, () => {
    const request = httpRequest({ socketPath: home.socket, path: to('/slow'), agent: false }, () => {});
    request.on('error', () => {});
    request.end();
    return request;
  });
  await until(() => api.requests.length === 100, 'all wait');
  const begin = Date.now();
  for (let i = 0; i < 20; ++i) assert.equal((await send('GET', to('/'))).status, 200);
  assert.equal((await home.api('GET', '/health')).status, 200);
  assert.ok(Date.now() - begin < 5000);
  for (const request of waiting) request.destroy();
});

test('two connections at the same host never get each other\'s token (L12)', async () => {
  const tokens = { [id]: bearer, [other]: (await token(home, other)).json.access_token };
  assert.notEqual(tokens[id], tokens[other]);
  await Promise.all(Array.from({ length: 200 }, (_, i) => send('GET', to(`/${i}`, i % 2 ? id : other))));
  for (const { target, headers } of api.requests)
    assert.equal(headers.authorization, `Bearer ${tokens[Number(target.slice(4)) % 2 ? id : other]}`);
  assert.equal(api.requests.length, 200);
});

test('answers come back without cookies, credentials and caches (L9, L13, L14)', async () => {
  api.answer = (request, response) => response.writeHead(200, { 'set-cookie': 'a=b', 'cache-control': 'public, max-age=99', 'x-echo': request.headers.authorization, etag: '"1"', 'x-nexus-error': 'forged' }).end();
  const { headers } = await send('GET', to('/'));
  assert.equal(headers['set-cookie'], undefined);
  assert.equal(headers['cache-control'], 'private, no-store');
  assert.equal(headers['x-echo'], 'Bearer ***');
  assert.equal(headers.etag, '"1"');
  assert.equal(headers['x-nexus-error'], undefined);
  await home.api('POST', '/v1/providers', { name: 'basic', auth_type: 'basic_auth', api_base_url: api.url, allow_insecure_http: true, params: { validation: { skip: true } } });
  const { state, connection_id: basic } = (await home.api('POST', '/v1/request-connection', { provider_name: 'basic' })).json;
  assert.equal((await home.api('POST', '/v1/capture-credential', { state, credentials: { username: 'ada', password: 'canary-pw' } })).status, 200);
  const told = await send('GET', to('/', basic));
  assert.equal(told.headers['x-echo'], 'Basic ***');
});

test('HEAD, 204, 304, 1xx, HTTP/1.0 and upgrades have their ways (L15)', async () => {
  api.answer = (request, response) => {
    const status = Number(request.url.slice(4)) || 200;
    if (status === 103) response.writeEarlyHints?.({ link: '</a>; rel=preload' });
    response.writeHead(status === 103 ? 200 : status, request.method === 'HEAD' ? { 'content-length': 77 } : {});
    response.end(request.method === 'HEAD' || status === 204 || status === 304 ? undefined : 'body');
  };
  const head = await send('HEAD', to('/'));
  assert.deepEqual([head.status, head.headers['content-length'], head.data.length], [200, '77', 0]);
  for (const status of [204, 304]) {
    const none = await send('GET', to(`/${status}`));
    assert.deepEqual([none.status, none.data.length, none.headers['transfer-encoding']], [status, 0, undefined]);
  }
  assert.equal((await send('GET', to('/103'))).data.toString(), 'body');
  const old = await home.raw(`GET /v1/proxy/${id}/ HTTP/1.0\r\nHost: 127.0.0.1:${home.gatewayPort}\r\nX-API-Key: ${key}\r\n\r\n`);
  assert.match(old, /^HTTP\/1\.1 200 OK\r\n(?![^]*chunked)[^]*Connection: close\r\n\r\nbody$/);
  await send('GET', to('/'), { headers: { connection: 'upgrade', upgrade: 'websocket' } });
  assert.equal(api.requests.at(-1).headers?.upgrade, undefined, 'an upgrade goes nowhere');
});

test('an answer that comes before the whole body was sent arrives', async () => {
  const early = (options) => new Promise((resolve) => {
    const request = httpRequest({ method: 'POST', agent: false, ...options }, (response) => { response.resume(); resolve(response.statusCode); });
    request.on('error', (error) => resolve(error.code));
    const piece = Buffer.alloc(256 * 1024);
    const write = () => { while (!request.destroyed && request.write(piece)); };
    request.on('drain', write);
    write();
  });
  for (let i = 0; i < 5; ++i) assert.equal(await early({ host: '127.0.0.1', port: home.gatewayPort, path: to('/') }), 401);
  api.answer = (request, response) => response.writeHead(413).end('too large');
  for (let i = 0; i < 5; ++i) assert.equal(await early({ socketPath: home.socket, path: to('/') }), 413);
});

test('a client that waits for 100 Continue gets it', async () => {
  const continued = await new Promise((resolve, reject) => {
    let went = false;
    const request = httpRequest({ socketPath: home.socket, method: 'PUT', path: to('/'), agent: false, headers: { expect: '100-continue', 'content-length': 5 } }, (response) => { response.resume(); response.on('end', () => resolve(went)); });
    request.on('continue', () => { went = true; request.end('hello'); });
    request.on('error', reject);
    request.flushHeaders();
  });
  assert.ok(continued);
  assert.equal(api.requests[0].body.toString(), 'hello');
  assert.equal(api.requests[0].headers.expect, undefined);
});

test('it needs the same as the token itself: a key, its scope, no page in a browser (L16)', async () => {
  const status = async (options) => { const { status: code, json } = await send('GET', to('/', options.connection), { gateway: true, ...options }); return [code, json?.code]; };
  assert.deepEqual(await status({ withKey: null }), [401, 'missing_api_key']);
  assert.deepEqual(await status({ withKey: 'wrong' }), [401, 'invalid_api_key']);
  assert.deepEqual(await status({ connection: other }), [404, 'connection_not_found']);
  assert.deepEqual(await status({ headers: { origin: 'https://evil.example' } }), [403, 'access_denied']);
  assert.deepEqual(await status({ headers: { host: 'evil.example' } }), [421, 'misdirected_request']);
  const readOnly = await home.makeKey('reader', '--read', 'all');
  assert.equal((await status({ withKey: readOnly }))[0], 403);
  assert.deepEqual(api.requests, []);
  assert.equal((await send('GET', to('/', 'demo'), { gateway: true })).status, 200, 'of what the key may see the name is not ambiguous');
});

test('an API whose address the token\'s answer tells is reached there, and nowhere else', async () => {
  await register(home, provider.issuer, { name: 'instanced', api_base_url: '{instance_url}/services', params: { token_fields: ['instance_url'] } });
  provider.tokenAnswer = (answer) => ({ ...answer, instance_url: `${api.url}/org` });
  const { id: there } = await connect(home, provider, { provider_name: 'instanced' });
  assert.equal((await send('GET', to('/data?q=1', there))).json.target, '/org/services/data?q=1');
  assert.equal((await send('GET', to('', there), { headers: { 'x-nexus-target': `http://127.0.0.2:${evil.port}/` } })).json.code, 'host_not_allowed');
  provider.tokenAnswer = (answer) => answer;
});

test('each is on record, with where it went and without what it carried', async () => {
  await send('GET', to('/secret-path?token=canary'), { headers: { 'x-private': 'canary' } });
  const [{ event_data: data, connection_id: of }] = (await home.api('GET', '/v1/audit?event_type=request_forwarded&limit=1')).json;
  const record = JSON.parse(data);
  assert.equal(of, id);
  assert.equal(record.detail, `GET http://127.0.0.1:${api.port}/v3/secret-path 200`);
  assert.ok(!data.includes('canary') && !home.log.includes('canary') && !home.log.includes(bearer));
  assert.match((await home.api('GET', '/metrics')).text, /^nexus_sidecar_proxy_requests_total\{outcome="success",route="demo",status="200"\} \d+$/m);
});

test('an API that is away, refuses or breaks off is told as what it is', async () => {
  await register(home, provider.issuer, { name: 'away', api_base_url: 'http://127.0.0.1:9' });
  const { id: away } = await connect(home, provider, { provider_name: 'away' });
  const answer = await send('GET', to('/', away));
  assert.deepEqual([answer.status, answer.json.code], [502, 'upstream_error']);
  assert.equal((await home.nexus(['api', away, '/'])).code, 10);
  api.answer = (request, response) => { response.writeHead(200, { 'content-length': 10 }); response.write('hal'); setImmediate(() => response.destroy()); };
  const broken = await home.nexus(['api', id, '/']);
  assert.equal(broken.code, 10);
  assert.match(broken.stderr, /broke off/);
  await register(home, provider.issuer, { name: 'nowhere' });
  const { id: nowhere } = await connect(home, provider, { provider_name: 'nowhere' });
  const unknown = await send('GET', to('/', nowhere));
  assert.equal(unknown.json.code, 'provider_misconfigured');
  assert.match(unknown.json.hint, /nexus provider edit nowhere --api-base-url URL/);
});
