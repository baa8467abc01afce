// The control socket under bad, slow and many clients.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register, token } from '../support/flow.mjs';
import { Home } from '../support/nexus.mjs';

let home;
let provider;
let id;
before(async () => {
  provider = await MisbehavingProvider.start();
  home = await Home.make();
  await home.start();
  await register(home, provider.issuer);
  ({ id } = await connect(home, provider));
});
after(async () => { await home.remove(); await provider.close(); });

test('malformed requests get an error and a closed connection, the daemon lives on', async () => {
  const cases = [
    ['GET / HTTP/1.1\nHost: h\n\n', 400], ['GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost : h\r\n\r\n', 400], ['GET /a//b HTTP/1.1\r\nHost: h\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    [`GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: h\r\n\r\n`, 431],
    [`GET / HTTP/1.1\r\nHost: h\r\nX: ${'a'.repeat(40000)}\r\n\r\n`, 431],
    ['POST /v1/providers HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n', 413],
    ['TRACE / HTTP/1.1\r\nHost: h\r\n\r\n', 501], ['CONNECT /v1/connections HTTP/1.1\r\nHost: h\r\n\r\n', 501],
    ['DELETE /health HTTP/1.1\r\nHost: h\r\n\r\n', 405],
    ['BREW /health HTTP/1.1\r\nHost: h\r\n\r\n', 501], ['\x16\x03\x01\x02\x00\r\n\r\n', 400],
  ];
  for (const [bytes, status] of cases) {
    const answer = await home.raw(bytes);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(bytes.slice(0, 60)));
  }
  assert.equal((await home.api('GET', '/health')).status, 200);
});

test('bad bodies and fields are refused by name, and nothing is stored', async () => {
  const post = (path, body) => home.api('POST', path, body);
  assert.equal((await post('/v1/request-connection', '{oops')).json.code, 'invalid_json');
  assert.equal((await post('/v1/request-connection', '[]')).json.code, 'invalid_json');
  assert.equal((await post('/v1/request-connection', '{"provider_name":"demo","provider_name":"x"}')).json.code, 'invalid_json');
  assert.equal((await post('/v1/request-connection', {})).json.code, 'missing_fields');
  assert.equal((await post('/v1/request-connection', { provider_name: 7 })).json.code, 'invalid_field');
  assert.equal((await post('/v1/request-connection', { provider_name: 'demo', scopes: 'openid' })).json.code, 'invalid_field');
  assert.equal((await post('/v1/request-connection', { provider_name: 'demo', return_url: '//evil' })).json.code, 'return_url_not_allowed');
  assert.equal((await post('/v1/request-connection', { provider_name: 'demo', alias: 'a b' })).json.code, 'invalid_field');
  assert.equal((await post('/v1/request-connection', { provider_name: 'x'.repeat(10000) })).json.code, 'invalid_field');
  assert.equal((await post('/v1/providers', { name: 'x' })).json.code, 'missing_fields');
  const { json } = await home.api('GET', '/v1/connections?pending=true');
  assert.deepEqual(json.map((c) => c.connection_id), [id]);
});

test('answers carry their type, length and no permission to be stored', async () => {
  const { headers } = await token(home, id);
  assert.match(headers['content-type'], /^application\/json/);
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['x-content-type-options'], 'nosniff');
});

test('requests in one packet are answered in order', async () => {
  const one = `GET /v1/check-connection/${id} HTTP/1.1\r\nHost: h\r\n\r\n`;
  const answer = await home.raw(one + 'GET /health HTTP/1.1\r\nHost: h\r\n\r\n' + one);
  assert.equal(answer.match(/HTTP\/1\.1 200/g).length, 3);
  assert.ok(answer.indexOf('healthy') > answer.indexOf('active'));
});

test('500 idle and 500 half-open clients delay nobody', async () => {
  const sockets = Array.from({ length: 1000 }, (_, i) => {
    const socket = createConnection({ path: home.socket });
    socket.on('error', () => {});
    if (i % 2) socket.write('GET /v1/tok');
    else socket.write('GET /health HTTP/1.1\r\nHost: h\r\n\r\n');
    return socket;
  });
  await Promise.all(sockets.map((s) => new Promise((go) => (s.connecting ? s.on('connect', go) : go()))));
  const begin = Date.now();
  assert.equal((await home.nexus(['token', id])).code, 0);
  assert.ok(Date.now() - begin < 1000);
  for (const socket of sockets) socket.destroy();
});

test('callers that wait for a stalled provider do not hold up others', async () => {
  const waiting = [];
  provider.onToken = (form, response) => { waiting.push(response); return true; };
  const callers = Array.from({ length: 64 }, () => home.api('POST', `/v1/refresh/${id}`, ''));
  while (!waiting.length) await home.api('GET', '/health');
  const begin = Date.now();
  assert.equal((await token(home, id)).status, 200);
  assert.ok(Date.now() - begin < 1000);
  for (const response of waiting) { response.writeHead(500); response.end(); }
  provider.onToken = null;
  assert.deepEqual([...new Set((await Promise.all(callers)).map((r) => r.status))], [502]);
});

test('every token that leaves, and every refusal, is on record first', async () => {
  const { execFileSync } = await import('node:child_process');
  const records = () => execFileSync('sqlite3', [`${home.data}/audit.db`, 'SELECT record FROM audit ORDER BY seq'])
    .toString().trim().split('\n').map((line) => JSON.parse(line));
  const before = records().filter((r) => r.event === 'token_retrieved').length;
  await token(home, id);
  await token(home, 'conn_01ARZ3NDEKTSV4RRFFQ69G5FAV');
  const after = records();
  assert.equal(after.filter((r) => r.event === 'token_retrieved').length, before + 1);
  assert.equal(after.at(-1).event, 'token_retrieval_failed');
  assert.deepEqual(Object.keys(after.at(-1)), ['v', 'at', 'event', 'outcome', 'connection', 'provider', 'via', 'uid', 'pid', 'detail', 'request']);
  assert.equal(after.at(-1).uid, process.getuid());
  for (const event of ['provider.created', 'connection.created', 'oauth_flow_completed', 'token_refresh_failed'])
    assert.ok(after.some((r) => r.event === event), event);
});
