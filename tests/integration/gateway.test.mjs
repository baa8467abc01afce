// The published HTTP contract over TCP, with a certified provider: the walkthrough, and what the
// clients in use send and read.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { startCertifiedProvider, CLIENT_ID, CLIENT_SECRET } from '../provider/certified.mjs';
import { consent } from '../support/consent.mjs';
import { visit } from '../support/flow.mjs';
import { Home, until } from '../support/nexus.mjs';

const RETURN_URL = 'https://app.example.com/oauth/return';
const SCOPES = ['openid', 'email', 'offline_access'];
let home;
let provider;

before(async () => {
  home = await Home.make({ gateway: true, config: '[limits]\nrequest_connection = 0\nrefresh = 0\n' });
  provider = await startCertifiedProvider({
    callbacks: [`${home.callbackBase}/auth/callback`], accessTokenTtl: 3600,
  });
  await home.start();
  home.key = await home.makeKey('app', '--admin');
  const made = await home.http('POST', '/v1/providers', {
    profile: {
      name: 'demo', issuer: provider.issuer, client_id: CLIENT_ID, client_secret: CLIENT_SECRET,
      allow_insecure_http: true, scopes: SCOPES,
    },
  });
  assert.equal(made.status, 201, made.text);
});
after(async () => { await home.remove(); await provider.close(); });

const ask = (fields = {}) => home.http('POST', '/v1/request-connection', {
  workspace_id: 'user_abc123', provider_name: 'demo', scopes: SCOPES, return_url: RETURN_URL, ...fields,
});

async function connected(fields) {
  const { json } = await ask(fields);
  await visit(await consent(json.auth_url));
  return json.connection_id;
}

function assertError(answer, status, code, state = 'error') {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.json.code, code);
  assert.equal(answer.json.error, code);
  assert.equal(answer.json.status, state);
  assert.equal(typeof answer.json.message, 'string');
  assert.notEqual(answer.json.message, '');
  assert.match(answer.headers['content-type'], /^application\/json/);
}

test('the walkthrough, in its order', async () => {
  const asked = await ask();
  assert.equal(asked.status, 200);
  assert.match(asked.json.connection_id, /^conn_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.equal(asked.json.auth_url, asked.json.authUrl);
  const authorization = new URL(asked.json.auth_url).searchParams;
  assert.equal(authorization.get('redirect_uri'), `${home.gateway}/auth/callback`);
  assert.equal(authorization.get('code_challenge_method'), 'S256');
  assert.ok(authorization.get('nonce'));
  const check = () => home.http('GET', `/v1/check-connection/${asked.json.connection_id}`);
  assert.equal((await check()).json.status, 'pending');

  const page = await visit(await consent(asked.json.auth_url));
  assert.equal(page.status, 302);
  const back = new URL(page.headers.get('location'));
  assert.equal(back.origin + back.pathname, RETURN_URL);
  assert.equal(back.searchParams.get('status'), 'success');
  assert.equal(back.searchParams.get('connection_id'), asked.json.connection_id);
  assert.equal((await check()).json.status, 'active');

  const { json } = await home.http('GET', `/v1/token/${asked.json.connection_id}`);
  assert.deepEqual(json.strategy, { type: 'oauth2' });
  assert.equal(json.expires_at, json.credentials.expires_at);
  const me = await fetch(`${provider.issuer}/me`,
    { headers: { authorization: `Bearer ${json.credentials.access_token}` } });
  assert.equal((await me.json()).email, 'alice@example.com');
});

test('a rejected refresh: 409 attention_required, nobody retries, a new flow is a new connection', async () => {
  const id = await connected({ workspace_id: 'rejected' });
  await provider.revokeGrants();
  const refused = await home.http('POST', `/v1/refresh/${id}`);
  assertError(refused, 409, 'attention_required', 'attention_required');
  assert.equal(refused.json.connection_id, id);
  assert.equal(refused.json.provider, 'demo');
  assert.equal(typeof refused.json.detail, 'string');
  const requests = provider.counts['/token'];
  for (const [method, path] of [['GET', `/v1/token/${id}`], ['POST', `/v1/refresh/${id}`],
    ['GET', '/v1/resolve?workspace_id=rejected&provider_name=demo']])
    assertError(await home.http(method, path), 409, 'attention_required', 'attention_required');
  assert.equal(provider.counts['/token'], requests);
  assert.equal((await home.http('GET', `/v1/check-connection/${id}`)).json.status, 'attention_required');
  const fresh = await connected({ workspace_id: 'rejected' });
  assert.notEqual(fresh, id);
  // resolve prefers the active one.
  const { json } = await home.http('GET', '/v1/resolve?workspace_id=rejected&provider_name=demo');
  assert.equal(json.connection_id, fresh);
});

test('request-connection: both spellings of every field, null and absent scopes, anything else ignored', async () => {
  for (const fields of [
    { workspace_id: undefined, user_id: 'u1' }, { scopes: null }, { scopes: undefined }, { scopes: [] },
    { provider_name: 'Demo' }, { metadata: { any: [1, null] } }, { metadata: 'text' }, { action: 'x', unknown: 1 },
    { provider_name: undefined, provider_id: (await home.http('GET', '/providers/by-name/demo')).json.id },
  ]) {
    const { status, json } = await ask(fields);
    assert.equal(status, 200, JSON.stringify(fields));
    for (const name of ['auth_url', 'authUrl', 'connection_id', 'state', 'provider_id'])
      assert.equal(typeof json[name], 'string', name);
    assert.deepEqual(json.scopes, SCOPES);
    assert.equal(new URL(json.auth_url).searchParams.get('state'), json.state);
  }
});

test('metadata that was given is given back with the connection, whatever JSON it is', async () => {
  for (const metadata of [{ order: 7, tags: ['a', null, { deep: true }], text: '<ü>"' }, 'text', 0, false, [1, 2]]) {
    const { json } = await ask({ workspace_id: 'annotated', metadata });
    assert.deepEqual((await home.http('GET', `/v1/connections/${json.connection_id}`)).json.metadata, metadata);
  }
  for (const metadata of [null, undefined]) {
    const { json } = await ask({ workspace_id: 'annotated', metadata });
    assert.ok(!('metadata' in (await home.http('GET', `/v1/connections/${json.connection_id}`)).json));
  }
  const id = await connected({ workspace_id: 'annotated', metadata: { order: 8 } });
  const { json: [listed] } = await home.http('GET', '/v1/connections?workspace_id=annotated');
  assert.deepEqual([listed.connection_id, listed.metadata], [id, { order: 8 }]);
  const long = await ask({ metadata: 'x'.repeat(16 * 1024) });
  assertError(long, 400, 'invalid_field');
  assert.equal(long.json.field, 'metadata');
});

test('request-connection: what is wrong is told by its code', async () => {
  assertError(await home.http('POST', '/v1/request-connection', '{oops'), 400, 'invalid_json');
  assertError(await ask({ workspace_id: undefined }), 400, 'missing_fields');
  assertError(await ask({ workspace_id: '' }), 400, 'missing_fields');
  assertError(await ask({ provider_name: undefined }), 400, 'missing_fields');
  assertError(await ask({ return_url: undefined }), 400, 'missing_fields');
  assertError(await ask({ provider_name: 'nobody' }), 404, 'provider_not_found');
  assertError(await ask({ provider_id: '8f1c5a52-6a3c-4d43-9d06-2f6d3c2f3f5e', provider_name: undefined }), 404, 'provider_not_found');
  for (const return_url of ['//evil', '/\\evil', 'https:evil', 'https://ok@evil', 'javascript:alert(1)',
    'data:text/html,x', 'https://a.example/%zz{', 'http://app.example.com/', 'ftp://a.example/', 'https://a。example/'])
    assertError(await ask({ return_url }), 400, 'return_url_not_allowed');
  assertError(await ask({ return_url: 'https://a.example/\r\nX: y' }), 400, 'invalid_field');
  assert.equal((await ask({ return_url: 'http://localhost:3000/back' })).status, 200);
});

test('the token payload: JSON types, flat and nested, never a refresh token', async () => {
  const id = await connected({ workspace_id: 'payload' });
  for (const [method, path] of [['GET', `/v1/token/${id}`], ['POST', `/v1/refresh/${id}`]]) {
    const { status, json, text, headers } = await home.http(method, path);
    assert.equal(status, 200);
    assert.equal(Number(headers['content-length']), Buffer.byteLength(text));
    assert.deepEqual(json.strategy, { type: 'oauth2' });
    for (const part of [json, json.credentials]) {
      assert.equal(typeof part.access_token, 'string');
      assert.equal(part.token_type, 'Bearer');
      assert.equal(part.scope, SCOPES.join(' '));
      assert.ok(Number.isInteger(part.expires_at));
      assert.equal(typeof part.id_token, 'string');
    }
    assert.equal(json.access_token, json.credentials.access_token);
    assert.ok(Number.isInteger(json.expires_in) && json.expires_in <= 3600 && json.expires_in > 3500);
    assert.match(text, /"expires_at":\d+[,}]/);  // 3600, never 3600.0 or 3.6e3
    assert.match(text, /"expires_in":\d+[,}]/);
    assert.equal(json.provider, 'demo');
    assert.equal(json.connection_id, id);
    assert.equal(json.health_status, 'healthy');
    assert.ok(!text.includes('refresh_token') && !text.includes('null'));
  }
});

test('resolve: the same with expires_at as a text; + is a space; aliases of the parameters', async () => {
  const id = await connected({ workspace_id: 'a b' });
  const { json: { id: providerId } } = await home.http('GET', '/v1/providers/by-name/demo');
  for (const query of ['workspace_id=a+b&provider_name=demo', 'user_id=a%20b&provider_name=DEMO', `workspace_id=a+b&provider_id=${providerId}`]) {
    const { status, json } = await home.http('GET', `/v1/resolve?${query}`);
    assert.equal(status, 200, query);
    assert.equal(json.connection_id, id);
    assert.match(json.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(json.credentials.expires_at, json.expires_at);
    assert.ok(Math.abs(Date.parse(json.expires_at) / 1000 - Date.now() / 1000 - json.expires_in) <= 2);
    assert.equal(json.strategy.type, 'oauth2');
    assert.equal(json.credentials.token_type, 'Bearer');
  }
  const newer = await connected({ workspace_id: 'a b' });
  assert.equal((await home.http('GET', '/v1/resolve?workspace_id=a+b&provider_name=demo')).json.connection_id, newer);
  assert.equal((await home.http('GET', `/v1/token/${id}`)).status, 200);  // the older one lives on
  assertError(await home.http('GET', '/v1/resolve?workspace_id=&provider_name='), 400, 'missing_fields');
  assertError(await home.http('GET', '/v1/resolve?workspace_id=none&provider_name=demo'), 404, 'connection_not_found');
  assertError(await home.http('GET', '/v1/resolve?workspace_id=none&provider_name=nobody'), 404, 'provider_not_found');
});

test('connections that are not active say which state is the cause', async () => {
  const { json: { connection_id: id } } = await ask({ workspace_id: 'states' });
  assertError(await home.http('GET', `/v1/token/${id}`), 400, 'connection_not_active', 'pending');
  const denied = await ask({ workspace_id: 'states' });
  await visit(await consent(denied.json.auth_url, { deny: true }));
  assertError(await home.http('GET', `/v1/token/${denied.json.connection_id}`), 400, 'connection_not_active', 'failed');
  for (const unknown of ['conn_01ARZ3NDEKTSV4RRFFQ69G5FAV', 'nonsense', 'a%2Fb', '8f1c5a52-6a3c-4d43-9d06-2f6d3c2f3f5e'])
    for (const [method, path] of [['GET', '/v1/token/'], ['POST', '/v1/refresh/'], ['GET', '/v1/check-connection/']])
      assertError(await home.http(method, path + unknown), 404, 'connection_not_found');
});

test('connections: list and delete, by query and by body, repeated', async () => {
  const id = await connected({ workspace_id: 'list' });
  await ask({ workspace_id: 'list' });  // pending ones are left out
  const { json } = await home.http('GET', '/v1/connections?workspace_id=list');
  assert.equal(json.length, 1);
  for (const name of ['id', 'connection_id', 'provider_id', 'provider_name', 'auth_type', 'status', 'health_status', 'created_at', 'updated_at'])
    assert.equal(typeof json[0][name], 'string', name);
  assert.deepEqual(json[0].scopes, SCOPES);
  assert.deepEqual((await home.http('GET', '/v1/connections?workspace_id=nothing')).json, []);
  assertError(await home.http('GET', '/v1/connections'), 400, 'missing_workspace_id');

  assertError(await home.http('DELETE', `/v1/connections/${id}?workspace_id=other`), 404, 'connection_not_found');
  assertError(await home.http('DELETE', `/v1/connections/${id}`, '{oops'), 400, 'invalid_json');
  const gone = await home.http('DELETE', `/v1/connections/${id}?workspace_id=list&reason=test`);
  assert.equal(gone.status, 200);
  for (const [name, value] of Object.entries({ connection_id: id, provider_name: 'demo', status: 'revoked',
    already_revoked: false, token_deleted: true, sessions_closed: 0, provider_revoked: true }))
    assert.deepEqual(gone.json[name], value, name);
  const again = await home.http('DELETE', `/v1/connections/${id}`, { workspace_id: 'list', reason: 'again' });
  assert.equal(again.json.already_revoked, true);
  assert.equal(again.json.revoked_at, gone.json.revoked_at);
  assertError(await home.http('GET', `/v1/token/${id}`), 410, 'connection_revoked', 'revoked');
  assertError(await home.http('POST', `/v1/refresh/${id}`), 410, 'connection_revoked', 'revoked');
  const check = await home.http('GET', `/v1/check-connection/${id}`);
  assert.equal(check.json.status, 'failed');  // so that wait loops end
  assert.equal(check.json.reason, 'revoked');
});

test('providers: both bases, both forms, edits in place that keep what they do not mention', async () => {
  const made = await home.http('POST', '/providers', {
    name: 'second', issuer: provider.issuer, client_id: 'c', client_secret: 'canary-91c2', allow_insecure_http: true, scopes: ['openid'],
  });
  assert.equal(made.status, 201);
  assert.match(made.json.id, /^[0-9a-f-]{36}$/);
  assert.equal(made.json.message, 'provider registered');
  assertError(await home.http('POST', '/v1/providers', { name: 'second', issuer: provider.issuer, client_id: 'c', allow_insecure_http: true }), 409, 'provider_exists');
  const { id } = made.json;
  for (const base of ['/v1/providers', '/providers']) {
    assert.deepEqual((await home.http('GET', `${base}/${id}`)).json.scopes, ['openid']);
    assert.equal((await home.http('GET', `${base}/by-name/second`)).json.id, id);
    assert.equal((await home.http('GET', `${base}/metadata`)).json.oauth2.second.id, id);
    assert.ok(Array.isArray((await home.http('GET', `${base}/health`)).json));
  }
  assert.equal((await home.http('GET', '/v1/providers')).json.oauth2.demo.scopes.length, 3);
  assert.ok((await home.http('GET', '/providers')).json.some((p) => p.id === id && p.name === 'second'));
  assert.ok(Array.isArray((await home.http('GET', '/v1/providers?view=list')).json));

  const patched = await home.http('PATCH', `/v1/providers/${id}`, { scopes: ['openid', 'email'], description: 'd' });
  assert.equal(patched.status, 200);
  assert.deepEqual(patched.json.scopes, ['openid', 'email']);
  assert.equal(patched.json.client_id, 'c');
  assert.equal(patched.json.auth_header, made.json.auth_header);
  const before = (await home.http('GET', '/v1/audit?event_type=provider.updated')).json.length;
  await home.http('PATCH', `/providers/${id}`, { description: 'd', client_secret: 'canary-91c2' });  // changes nothing
  assert.equal((await home.http('GET', '/v1/audit?event_type=provider.updated')).json.length, before);
  const put = await home.http('PUT', `/providers/${id}`, { profile: { name: 'second', issuer: provider.issuer, client_id: 'c', allow_insecure_http: true } });
  assert.equal(put.status, 200);
  assert.deepEqual(put.json.scopes, []);
  assert.equal(put.json.description, '');
  assertError(await home.http('PATCH', `/providers/${id}`, { scopes: 'openid' }), 400, 'invalid_field');
  assertError(await home.http('PATCH', `/providers/${id}`, { name: 'demo' }), 409, 'provider_exists');
  for (const answer of [made, patched, put, await home.http('GET', '/providers')])
    assert.ok(!answer.text.includes('canary-91c2') && !answer.text.includes('client_secret"'));
  const removed = await home.http('DELETE', '/providers/by-name/second');
  assert.equal(removed.status, 200);
  assertError(await home.http('GET', `/v1/providers/${id}`), 404, 'provider_not_found');
});

test('a client secret can be rotated under living connections', async () => {
  const id = await connected({ workspace_id: 'rotated' });
  const { json: { id: providerId } } = await home.http('GET', '/providers/by-name/demo');
  await home.http('PATCH', `/providers/${providerId}`, { client_secret: 'wrong-for-now' });
  const failed = await home.http('POST', `/v1/refresh/${id}`);
  assert.notEqual(failed.status, 200);
  assert.equal((await home.http('GET', `/v1/check-connection/${id}`)).json.status, 'active');
  await home.http('PATCH', `/providers/${providerId}`, { client_secret: CLIENT_SECRET });
  assert.equal((await home.http('POST', `/v1/refresh/${id}`)).status, 200);
});

test('audit: newest first, filters by both names, bad times refused', async () => {
  const id = await connected({ workspace_id: 'audited' });
  await home.http('GET', `/v1/token/${id}`, undefined, { headers: { 'user-agent': 'audit-test/1', 'x-forwarded-for': '203.0.113.9' } });
  const { json } = await home.http('GET', `/v1/audit?resource_id=${id}`);
  assert.deepEqual(json.map((e) => e.event_type), ['token_retrieved', 'oauth_flow_completed', 'connection.created']);
  assert.equal(json[0].ip_address, '127.0.0.1');  // J18: the peer, not what a header claims
  assert.equal(json[0].user_agent, 'audit-test/1');
  assert.equal(typeof json[0].id, 'string');
  assert.match(json[0].created_at, /Z$/);
  const data = JSON.parse(json[0].event_data);
  assert.equal(data.via, 'gateway');
  assert.match(data.key, /^[0-9a-z]{10}$/);
  for (const name of ['token.retrieved', 'token_retrieved'])
    assert.equal((await home.http('GET', `/audit?event_type=${name}&resource_id=${id}`)).json.length, 1);
  assert.equal((await home.http('GET', '/v1/audit?limit=2')).json.length, 2);
  assert.equal((await home.http('GET', '/v1/audit?limit=1&offset=1')).json[0].id, (await home.http('GET', '/v1/audit?limit=2')).json[1].id);
  assert.deepEqual((await home.http('GET', '/v1/audit?since=2099-01-01T00:00:00Z')).json, []);
  assert.deepEqual((await home.http('GET', '/v1/audit?until=2001-01-01T00:00:00%2B02:00')).json, []);
  assertError(await home.http('GET', '/v1/audit?since=yesterday'), 400, 'invalid_since');
});

test('health, readiness, metrics and request ids', async () => {
  const health = await home.http('GET', '/health', undefined, { key: '' });
  assert.deepEqual(health.json, { status: 'ok', healthy: true });
  assert.equal((await home.http('GET', '/ready', undefined, { key: '' })).json.ready, true);
  assert.match(health.headers['x-request-id'], /^[0-9a-f]{8}-[0-9a-f]+$/);
  const metrics = await home.http('GET', '/metrics');
  assert.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  for (const name of ['oauth_consents_created_total', 'oauth_consents_with_openid_total',
    'oauth_token_exchanges_total{status="success"}', 'oauth_exchange_duration_seconds_count', 'oauth_id_tokens_returned_total',
    'oauth_token_get_total{has_id_token="true",provider="demo"}', 'oidc_discovery_total{status="success"}',
    'oidc_discovery_duration_seconds_count', 'oidc_verifications_total{status="success"}', 'oidc_verification_duration_seconds_count',
    'nexus_connections_total{status="active"}', 'nexus_db_operation_duration_seconds_count{method="token",repo="connections"}',
    'nexus_token_refreshes_total{outcome="success",provider="demo"}', 'nexus_http_answers_total{listener="gateway",status="200"}'])
    assert.ok(metrics.text.split('\n').some((line) => line.startsWith(name) && Number(line.split(' ').at(-1)) > 0), name);
  assert.ok(!/conn_|alice|Bearer/.test(metrics.text));
  const refused = await home.http('GET', '/v1/token/conn_01ARZ3NDEKTSV4RRFFQ69G5FAV');
  // The log comes through a pipe of its own and may arrive after the answer.
  await until(() => home.log.includes(refused.headers['x-request-id']), 'the request id in the log');
});

test('routes: unknown ones, other methods, no trailing-slash redirects', async () => {
  assertError(await home.http('GET', '/v1/token'), 404, 'not_found');
  for (const [method, path] of [['GET', '/v1/connections/'], ['GET', '/v1/token/'], ['POST', '/v1/refresh/'],
    ['GET', '/v1/check-connection/'], ['GET', '/v1/token/conn_01ARZ3NDEKTSV4RRFFQ69G5FAV/'], ['DELETE', '/providers/']]) {
    const answer = await home.http(method, path);
    assertError(answer, 404, 'not_found');
    assert.match(answer.json.message, /ends with a slash/, path);
    assert.match(answer.json.hint, /the id or name that is missing/);
  }
  const wrong = await home.http('PUT', '/v1/connections');
  assertError(wrong, 405, 'method_not_allowed');
  assert.equal(wrong.headers.allow, 'GET');
  for (const method of ['TRACE', 'BREW']) assert.match(await home.raw(`${method} /v1/token/x HTTP/1.1\r\nHost: localhost:${home.gatewayPort}\r\n\r\n`), /^HTTP\/1\.1 501 /);
});

test('the callback shares the port: /auth/callback and /v1/callback, nothing leaks to it', async () => {
  for (const path of ['/auth/callback', '/v1/callback']) {
    const page = await visit(`${home.gateway}${path}?state=x&code=y`);
    assert.equal(page.status, 400);
    assert.match(page.headers.get('content-security-policy'), /default-src 'none'/);
    assert.equal((await fetch(`${home.gateway}${path}`, { method: 'POST' })).status, 405);
  }
});
