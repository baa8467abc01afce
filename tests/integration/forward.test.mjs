// Requests that nexusd sends on to a connection's API with its credentials: where they go, what arrives
// there, what comes back, and what must never have left. forward-streams.test.mjs has how they travel.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { connect, register, token } from '../support/flow.mjs';
import { forwarding } from '../support/forwarding.mjs';
import { RecordingApi } from '../provider/recording_api.mjs';

const { home, provider, api, id, key, to, send } = await forwarding();
let evil;
let other;
let bearer;
before(async () => {
  evil = await RecordingApi.start('127.0.0.2');
  other = (await connect(home, provider)).id;
  bearer = (await token(home, id)).json.access_token;
});
after(async () => {
  assert.deepEqual(evil.requests, [], 'nothing ever went to another host');
  await evil.close();
});

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

test('after a 401 the token is refreshed once, and what can be repeated is (L10)', async () => {
  const answers401 = (request, response) => request.headers.authorization !== `Bearer ${good}` && response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('no');
  let good;
  const refreshed = async (method, options) => {
    const { id: fresh } = await connect(home, provider);
    const refreshes = provider.tokenRequests('refresh_token').length;
    api.reset();
    api.answer = async (request, response) => {
      good ??= 'something that is not there yet';
      if (provider.tokenRequests('refresh_token').length > refreshes) good = request.headers.authorization.slice(7);
      return answers401(request, response);
    };
    good = undefined;
    const answer = await send(method, to('/', fresh), options);
    return { status: answer.status, calls: api.requests.length, refreshes: provider.tokenRequests('refresh_token').length - refreshes };
  };
  assert.deepEqual(await refreshed('GET', {}), { status: 200, calls: 2, refreshes: 1 });
  assert.deepEqual(await refreshed('PUT', { body: 'kept', headers: { 'content-length': 4 } }), { status: 200, calls: 2, refreshes: 1 });
  assert.deepEqual(await refreshed('POST', { body: 'x' }), { status: 401, calls: 1, refreshes: 0 });
  assert.deepEqual(await refreshed('PUT', { body: 'a stream', headers: { 'transfer-encoding': 'chunked' } }), { status: 401, calls: 1, refreshes: 0 });
  const before = provider.tokenRequests('refresh_token').length;
  api.reset();
  api.answer = (request, response) => response.writeHead(401).end('never');
  const { id: refusedAlways } = await connect(home, provider);
  const always = await send('GET', to('/', refusedAlways));
  assert.deepEqual([always.status, always.data.toString(), api.requests.length, provider.tokenRequests('refresh_token').length - before], [401, 'never', 2, 1]);
  // An API that refuses whatever it gets does not have every request cost a refresh.
  assert.equal((await send('GET', to('/', refusedAlways))).data.toString(), 'never');
  assert.deepEqual([api.requests.length, provider.tokenRequests('refresh_token').length - before], [3, 1]);
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

test('what would tell the credential, or open a tunnel, is not sent on', async () => {
  for (const method of ['TRACE', 'CONNECT', 'trace', 'Track'])
    assert.match(await home.raw(`${method} /v1/proxy/${id}/ HTTP/1.1\r\nHost: 127.0.0.1:${home.gatewayPort}\r\nX-API-Key: ${key}\r\n\r\n`), /^HTTP\/1\.1 405 /, method);
  assert.deepEqual(api.requests, []);
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
  const forwardOnly = await home.makeKey('agent', '--forward', id);
  assert.equal((await status({ withKey: forwardOnly }))[0], 200);
  assert.deepEqual(await status({ withKey: forwardOnly, headers: { 'x-nexus-dry-run': 'masked' } }), [200, undefined]);
  assert.deepEqual(await status({ withKey: forwardOnly, headers: { 'x-nexus-dry-run': 'show-secrets' } }), [403, 'access_denied']);
  for (const [method, path] of [['GET', `/v1/token/${id}`], ['POST', `/v1/refresh/${id}`]]) {
    const { status: code, json } = await home.http(method, path, undefined, { key: forwardOnly });
    assert.equal(`${code} ${json.code}`, '403 access_denied', path);
    assert.match(json.message, /have requests sent on for the connection, not have its credentials/);
  }
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
