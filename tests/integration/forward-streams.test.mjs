// How requests that nexusd sends on travel: framing in both directions, streams of any length, and what
// becomes of them when either end goes away.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { connect as dial, createServer } from 'node:net';
import { once } from 'node:events';
import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { connect, register } from '../support/flow.mjs';
import { forwarding } from '../support/forwarding.mjs';
import { Home, until, isSanitized } from '../support/nexus.mjs';

const { home, provider, api, id, key, to, send } = await forwarding();
const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${home.daemon.pid}/status`, 'utf8'))[1]) / 1024;
/** The daemon's loop has seen all that was there before. */
const seen = () => home.api('GET', '/health');

test('a request that two readers could read differently is refused (L7, L8)', async () => {
  const head = `POST /v1/proxy/${id}/ HTTP/1.1\r\nHost: 127.0.0.1:${home.gatewayPort}\r\nX-API-Key: ${key}\r\n`;
  for (const rest of [
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'Content-Length: +5\r\n\r\nhello', 'X-A: b\rAuthorization: c\r\n\r\n', 'X-A: b\nX-C: d\r\n\r\n', 'X-A : b\r\n\r\n', 'X-A: \0\r\n\r\n', 'X-A: b\r\n folded\r\n\r\n',
  ]) assert.match(await home.raw(head + rest), /^HTTP\/1\.1 400 /, JSON.stringify(rest));
  assert.deepEqual(api.requests, []);
  for (const chunks of ['5;a=b\r\nhello\r\n0\r\n\r\n', '5\nhello\r\n0\r\n\r\n', 'x\r\n\r\n', '5\r\nhelloGET / HTTP/1.1\r\n\r\n']) {
    assert.match(await home.raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`), /^HTTP\/1\.1 400 /, chunks);
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
  server.answer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n';
  const begun = httpRequest({ socketPath: home.socket, path: `/v1/proxy/${raw}/` }).end();
  const [response] = await once(begun, 'response');
  assert.equal(response.statusCode, 200);
  await assert.rejects(response.toArray(), 'a head, and no end of its body');
  for (const head of ['X-A: b\nX-Injected: c', 'X-A: b\n']) {
    server.answer = `HTTP/1.1 200 OK\r\n${head}\r\nContent-Length: 0\r\n\r\n`;
    assert.equal((await send('GET', to('/', raw))).status, 502, head);
  }
  for (const head of ['Content-Length : 60', 'X-A: b\r\n Content-Length: 60', 'no header at all', ': nameless']) {
    server.answer = `HTTP/1.1 200 OK\r\n${head}\r\n\r\nhello`;
    assert.equal((await send('GET', to('/', raw))).status, 502, head);
  }
  // libcurl takes what has a colon for a header, and goes by the first status line and all of the headers.
  for (const head of ['Transfer-Encoding: chunked\r\nHTTP/1.1 200: OK\r\nContent-Length: 1', 'Content-Length: 15\r\nHTTP/1.1 200: OK', 'HTTP/1.1 200: OK\r\nContent-Length: 15', 'HTTP/1.1: 200 OK\r\nContent-Length: 15', 'Content-Length: 15\r\nHTTP/1.1 200 OK']) {
    server.answer = `HTTP/1.1 401 Unauthorized\r\n${head}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`;
    assert.equal((await send('GET', to('/', raw))).status, 502, head);
  }
  server.answer = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 7\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
  const last = await send('GET', to('/', raw));
  assert.deepEqual([last.status, last.headers['content-length'], last.headers.link, last.data.toString()], [200, '5', undefined, 'hello']);
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

test('streams go both ways at once, in bounded memory (L11)', { timeout: 120000 }, async () => {
  const BYTES = 200 * 1024 * 1024;
  const piece = randomBytes(1024 * 1024);
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
  assert.ok(most - before < 16 || isSanitized(), `${most - before} MiB more`);
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
  const socket = dial({ path: home.socket });
  let said = '';
  socket.on('data', (part) => { said += part; });
  const answers = () => said.split('HTTP/1.1 ').length - 1;
  for (let round = 1; round <= 2; ++round) {
    for (const piece of [`POST /v1/proxy/${id}/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`, '5', '\r\nhel', 'lo', '\r', '\n0\r\nX', '-A: b\r\n\r', '\n']) {
      await new Promise((go) => socket.write(piece, go));
      await seen();
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
  api.answer = (request) => { request.pause(); };
  const socket = dial({ path: home.socket });
  socket.on('error', () => {});
  socket.write(`POST /v1/proxy/${id}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n`);
  socket.end(Buffer.alloc(8_000_000));
  await until(() => api.requests.length === 1, 'it is there');
  await seen();
  assert.ok(await home.ticksIn(1000) < 20, 'no busy loop');
  socket.destroy();
});

test('a stop with requests under way ends in order', async () => {
  const own = await Home.make();
  await own.start();
  await register(own, provider.issuer, { api_base_url: api.url });
  const { id: waiting } = await connect(own, provider);
  const answers = [];
  api.answer = (request, response) => { answers.push(() => response.writeHead(401).end('no')); };
  const leaving = Array.from({ length: 100 }, () => {
    const request = httpRequest({ socketPath: own.socket, path: `/v1/proxy/${waiting}/`, agent: false });
    request.on('error', () => {});
    request.end();
    return request;
  });
  await until(() => answers.length === 100, 'all wait');
  for (const request of leaving.slice(0, 50)) request.destroy();
  for (const answer of answers) setImmediate(answer);
  for (const request of leaving.slice(50)) request.destroy();
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

test('HEAD, 204, 304, 1xx and HTTP/1.0 have their ways (L15)', async () => {
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

