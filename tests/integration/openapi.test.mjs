// share/openapi.yaml against the running daemon: every operation is called, every answer validated,
// and every route of the daemon is in the document.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { Validator } from '@seriousme/openapi-schema-validator';
import { MisbehavingProvider, reply } from '../provider/misbehaving.mjs';
import { connect, register } from '../support/flow.mjs';
import { keyPair } from '../support/key_pair.mjs';
import { BIN, Home, freePort, until } from '../support/nexus.mjs';

const file = new URL('../../share/openapi.yaml', import.meta.url);
const document = parse(readFileSync(file, 'utf8'));
const routes = new URL('../../daemon/api/routes.cc', import.meta.url);

const ajv = new Ajv({ strict: true, allErrors: true, strictRequired: false, allowUnionTypes: true,
  keywords: ['components', 'paths', 'openapi', 'info', 'servers', 'security', 'tags'] });
addFormats(ajv);
ajv.addSchema(document, 'openapi.yaml');

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const at = (pointer) => decodeURIComponent(pointer).slice(2).split('/').reduce((node, part) => node[part.replaceAll('~1', '/').replaceAll('~0', '~')], document);
const follow = (node) => (node?.$ref ? follow(at(node.$ref)) : node);
/** [path, method, operation], aliases included. */
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => follow(item)[method]).map((method) => [path, method, follow(item)[method]]));

let home;
let provider;
let keys;
before(async () => {
  provider = await MisbehavingProvider.start();
  home = await Home.make({ gateway: true, config: '[limits]\nrequest_connection = 8\nrefresh = 20\npending = 50\n' });
  await home.start();
  await register(home, provider.issuer);
  keys = { admin: await home.makeKey('admin', '--admin'), read: await home.makeKey('read', '--read', 'all'), none: '' };
});
after(async () => { await home.remove(); await provider.close(); });

test('the document is a valid OpenAPI 3.1 description', async () => {
  const result = await new Validator().validate(document);
  assert.ok(result.valid, JSON.stringify(result.errors, null, 1));
});

test('its examples fit their schemas', () => {
  let count = 0;
  const check = (where, holder) => {
    for (const [type, media] of Object.entries(follow(holder)?.content ?? {}))
      if (media.example !== undefined) {
        const validate = ajv.compile(relocated(media.schema));
        assert.ok(validate(media.example), `${where} ${type}: ${ajv.errorsText(validate.errors)}`);
        ++count;
      }
  };
  for (const [path, method, operation] of operations) {
    check(`${method} ${path} request`, operation.requestBody);
    for (const [status, response] of Object.entries(operation.responses)) check(`${method} ${path} ${status}`, response);
  }
  assert.ok(count > 40);
});

/** References inside the document, seen from outside it. */
function relocated(schema) {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi.yaml#/'));
}

test('it has every route of the daemon, and no other', () => {
  const shape = (path) => path.replaceAll(/\{[^}]*\}/g, '{}');
  const served = [...readFileSync(routes, 'utf8').matchAll(/\{"([A-Z]+)", "(\/[^"]*)", (?:Answering|Later)/g)].map(([, method, path]) => `${method} ${path}`);
  assert.ok(served.length > 30);
  const described = operations.map(([path, method]) => `${method.toUpperCase()} ${shape(path)}`);
  assert.deepEqual(described.filter((d) => d !== 'GET /auth/callback').sort(), served.sort());
});

test('every operation answers as it is described', async () => {
  const seen = new Map();
  const call = async (method, path, { body, key = keys.admin, as = path, headers, media, own = false } = {}) => {
    const template = Object.keys(document.paths).find((p) => p === as) ?? Object.keys(document.paths).find((p) =>
      new RegExp(`^${p.replaceAll(/\{[^}]*\}/g, '[^/]+')}$`).test(path.split('?')[0]));
    const operation = follow(document.paths[template])[method.toLowerCase()];
    const answer = own ? await home.api(method, path, body)
      : await home.http(method, path, body, { key, headers: { ...headers, ...(media ? { 'content-type': media } : {}) } });
    const described = follow(operation.responses[answer.status]);
    assert.ok(described, `${method} ${path}: ${answer.status} is not described: ${answer.text}`);
    const [type, content] = Object.entries(described.content ?? {})[0] ?? [];
    if (type) assert.equal(answer.headers['content-type'].split(';')[0], type, `${method} ${path}`);
    for (const header of Object.keys(described.headers ?? {})) assert.ok(answer.headers[header.toLowerCase()], `${method} ${path} ${header}`);
    if (type === 'application/json') {
      const validate = ajv.compile(relocated(content.schema));
      assert.ok(validate(answer.json), `${method} ${path} ${answer.status}: ${ajv.errorsText(validate.errors)}\n${answer.text}`);
    }
    const name = `${method} ${template}`;
    seen.set(name, (seen.get(name) ?? new Set()).add(String(answer.status)));
    return answer;
  };
  const UNKNOWN = 'conn_01ARZ3NDEKTSV4RRFFQ69G5FAV';
  const NOBODY = '8f1c5a52-6a3c-4d43-9d06-2f6d3c2f3f5e';

  for (const path of ['/health', '/ready', '/metrics', '/v1/daemon']) await call('GET', path);
  const proxyAt = `127.0.0.1:${await freePort()}`;
  for (const [method, path, body] of [['GET', '/v1/daemon/proxy'], ['POST', '/v1/daemon/proxy', { listen: proxyAt }], ['DELETE', '/v1/daemon/proxy'], ['GET', '/v1/daemon/proxy/routes?workspace_id=default'], ['POST', '/v1/daemon/proxy/programs', { connections: ['demo'] }]]) {
    await call(method, path, { body });
    await call(method, path, { body, key: keys.none });
    await call(method, path, { body, key: keys.read });
  }
  await call('POST', '/v1/daemon/proxy', { body: { listen: '0.0.0.0:1' } });
  const served = await call('GET', '/openapi.yaml', { key: keys.none });
  assert.equal(served.text, readFileSync(file, 'utf8'), 'it serves this very document');
  const started = await call('POST', '/v1/request-connection', { body: { workspace_id: 'default', provider_name: 'demo', return_url: 'https://a.example/' } });
  await call('GET', new URL(provider.consent(started.json.auth_url)).pathname + new URL(provider.consent(started.json.auth_url)).search);
  await call('GET', '/auth/callback?state=x&code=y');
  await call('GET', '/auth/callback?outcome=x');
  await call('POST', '/v1/request-connection', { body: {} });
  await call('POST', '/v1/request-connection', { body: {}, key: keys.none });
  await call('POST', '/v1/request-connection', { body: { workspace_id: 'default', provider_name: 'demo', return_url: 'https://a.example/' }, key: keys.read });
  await call('POST', '/v1/request-connection', { body: { workspace_id: 'default', provider_name: 'nobody', return_url: 'https://a.example/' } });
  await call('POST', '/v1/request-connection', { body: 'a=b', media: 'text/plain' });

  const id = started.json.connection_id;
  for (const path of [`/v1/check-connection/${id}`, `/v1/token/${id}`, '/v1/resolve?workspace_id=default&provider_name=demo',
    '/v1/connections?workspace_id=default', `/v1/connections/${id}`]) {
    await call('GET', path);
    await call('GET', path, { key: 'wrong' });
  }
  await call('POST', `/v1/refresh/${id}`);
  await call('POST', `/v1/refresh/${id}`, { key: keys.none });
  await call('POST', `/v1/refresh/${id}`, { key: keys.read });
  await call('GET', `/v1/token/${id}`, { key: keys.read });
  await call('GET', `/v1/token/${id}?scope=beyond`);
  await call('POST', `/v1/refresh/${id}?audience=nope`);
  // The grants that go another way.
  provider.onOther = (path, response) => path === '/device_authorization' && reply(response, { device_code: 'd', user_code: 'U', verification_uri: `${provider.issuer}/d`, verification_uri_complete: `${provider.issuer}/d?c=U`, expires_in: 60 });
  const endpoints = { issuer: provider.issuer, client_id: 'c', client_secret: 's', allow_insecure_http: true };
  await call('POST', '/v1/providers', { body: { ...endpoints, name: 'by-device', params: { device_authorization_endpoint: `${provider.issuer}/device_authorization` } } });
  await call('POST', '/v1/request-connection', { body: { workspace_id: 'w', provider_name: 'by-device', return_url: 'https://a.example/', device: true, params: { login_hint: 'a' } } });
  const { privateKey } = keyPair('ec', { namedCurve: 'P-256' });
  await call('POST', '/v1/providers', { body: { ...endpoints, client_secret: undefined, name: 'machine', grant_type: 'client_credentials', private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }) } });
  provider.onToken = (form, response) => form.get('grant_type') === 'client_credentials' && reply(response, { access_token: 'a', token_type: 'Bearer', expires_in: 60 });
  const machine = await call('POST', '/v1/request-connection', { body: { workspace_id: 'w', provider_name: 'machine', return_url: 'https://a.example/' } });
  assert.equal(machine.json.status, 'active');
  provider.onToken = null;
  provider.onOther = (path, response) => path === '/revoke' && reply(response, {}, 503);
  const unasked = await call('DELETE', `/v1/connections/${machine.json.connection_id}?workspace_id=w`);
  assert.deepEqual([unasked.json.provider_revocation_pending, unasked.json.token_deleted], [true, false]);
  provider.onOther = null;
  await call('GET', '/v1/connections');
  await call('GET', '/v1/resolve');
  await call('GET', '/v1/resolve?workspace_id=x&provider_name=demo');
  await call('PATCH', `/v1/connections/${id}`, { body: { alias: 'mine' } });
  await call('PATCH', `/v1/connections/${id}`, { body: {} });
  await call('PATCH', `/v1/connections/${id}`, { body: { alias: 'mine' }, key: keys.read });
  await call('PATCH', `/v1/connections/${id}`, { body: { alias: 'mine' }, key: keys.none });
  await call('PATCH', `/v1/connections/${id}`, { body: 'alias=mine', media: 'application/x-www-form-urlencoded' });
  const other = await connect(home, provider);
  await call('PATCH', `/v1/connections/${other.id}`, { body: { alias: 'mine' } });
  for (const [method, path] of [['GET', '/v1/check-connection/'], ['GET', '/v1/token/'], ['POST', '/v1/refresh/'], ['GET', '/v1/connections/'], ['DELETE', '/v1/connections/']])
    await call(method, path + UNKNOWN);
  await call('PATCH', `/v1/connections/${UNKNOWN}`, { body: { alias: 'x' } });
  await call('GET', `/v1/token/${id}?min_ttl=x`);
  const pending = await call('POST', '/v1/request-connection', { body: { workspace_id: 'default', provider_name: 'demo', return_url: 'https://a.example/' } });
  await call('POST', `/v1/refresh/${pending.json.connection_id}`);

  // What only an unhappy provider brings.
  provider.onToken = (form, response) => { response.writeHead(500); response.end(); return true; };
  await call('POST', `/v1/refresh/${id}`);
  provider.onToken = (form, response) => { response.writeHead(400, { 'content-type': 'application/json' }); response.end('{"error":"invalid_grant"}'); return true; };
  await call('POST', `/v1/refresh/${other.id}`);
  await call('GET', `/v1/token/${other.id}`);
  provider.onToken = null;
  const access = `/v1/connections/${id}/access`;
  for (const body of [{ uids: ['4711'], confirm_minutes: 15 }, {}, { everybody: true }]) await call('PUT', access, { body });
  await call('PUT', access, { body: { everybody: true }, key: keys.none });
  await call('PUT', access, { body: { everybody: true }, key: keys.read });
  await call('PUT', access, { body: 'everybody', media: 'text/plain' });
  await call('PUT', `/v1/connections/${UNKNOWN}/access`, { body: { everybody: true } });
  await call('DELETE', `/v1/connections/${id}?workspace_id=default&reason=test`, { key: keys.read });
  await call('DELETE', `/v1/connections/${id}?workspace_id=default&reason=test`);
  await call('GET', '/v1/resolve?workspace_id=default&provider_name=demo');
  await call('DELETE', `/v1/connections/${id}`, { key: keys.none });
  await call('DELETE', `/v1/connections/${id}`, { body: '{oops' });
  await call('GET', `/v1/token/${id}`);
  await call('POST', `/v1/refresh/${id}`);

  // An answer that is brought by hand.
  const pasted = (await home.api('POST', '/v1/request-connection', { provider_name: 'demo', paste: true })).json;
  await call('POST', '/v1/complete-connection', { body: { callback_url: provider.consent(pasted.auth_url) } });
  await call('POST', '/v1/complete-connection', { body: { callback_url: 'x' } });
  await call('POST', '/v1/complete-connection', { body: {}, key: keys.none });
  await call('POST', '/v1/complete-connection', { body: 'x', media: 'text/plain' });

  // A refresh token from elsewhere.
  const adopt = (body, options = {}) => call('POST', '/v1/adopt-connection', { body, ...options });
  provider.refreshTokens.add('own');
  await adopt({ provider_name: 'demo', workspace_id: 'w', refresh_token: 'own' });
  await adopt({ provider_name: 'demo', workspace_id: 'w' });
  await adopt({ provider_name: 'nobody', workspace_id: 'w', refresh_token: 'own' });
  await adopt({ provider_name: 'demo', workspace_id: 'w', refresh_token: 'own' }, { key: keys.read });
  await adopt({ provider_name: 'demo', workspace_id: 'w', refresh_token: 'own' }, { key: keys.none });
  await adopt('x', { media: 'text/plain' });
  provider.onToken = (form, response) => { response.writeHead(500); response.end(); return true; };
  await adopt({ provider_name: 'demo', workspace_id: 'w', refresh_token: 'own' });
  provider.onToken = null;

  // Static credentials.
  await call('POST', '/v1/providers', { body: { name: 'static', auth_type: 'api_key', params: { validation: { skip: true } } } });
  await call('POST', '/v1/providers', { body: { name: 'asked', auth_type: 'api_key', api_base_url: provider.issuer, user_info_endpoint: '/x', allow_insecure_http: true } });
  const ask = (name) => home.api('POST', '/v1/request-connection', { provider_name: name });
  const keyed = (await ask('static')).json;
  await call('GET', `/v1/capture-schema?state=${keyed.state}`);
  await call('GET', '/v1/capture-schema?state=x');
  await call('POST', '/v1/capture-credential', { body: { state: keyed.state, credentials: {} } });
  await call('POST', '/v1/capture-credential', { body: 'x', media: 'text/plain' });
  await call('POST', '/v1/capture-credential', { body: { state: keyed.state, credentials: { api_key: 'k' } } });
  await call('GET', `/v1/token/${keyed.connection_id}`);
  await call('GET', `/v1/token/${keyed.connection_id}?strategy=bridge`);
  await call('GET', '/v1/resolve?workspace_id=default&provider_name=static');
  await call('POST', `/v1/refresh/${keyed.connection_id}`);
  provider.onOther = (path, response) => path === '/x' && (response.writeHead(503).end(), true);
  await call('POST', '/v1/capture-credential', { body: { state: (await ask('asked')).json.state, credentials: { api_key: 'k' } } });
  provider.onOther = null;

  for (const key of [keys.admin, keys.none]) await call('GET', '/v1/providers/redirect-uri?name=x', { key });
  for (const route of ['plan', 'apply']) {
    await call('POST', `/v1/providers/${route}`, { body: { providers: [{ name: 'planned', auth_url: 'https://a.example/a', token_url: 'https://a.example/t', client_id: 'c' }] } });
    await call('POST', `/v1/providers/${route}`, { body: {} });
    await call('POST', `/v1/providers/${route}`, { body: 'x', media: 'text/plain' });
    for (const key of [keys.none, keys.read]) await call('POST', `/v1/providers/${route}`, { body: { providers: [] }, key });
  }
  await call('POST', '/v1/providers/plan', { body: { providers: [{ name: 'bad' }] } });
  const tested = (await home.api('GET', '/v1/providers/by-name/demo')).json.id;
  await call('POST', `/v1/providers/${tested}/test`);
  await call('POST', `/v1/providers/${NOBODY}/test`);
  for (const key of [keys.admin, keys.none, keys.read]) await call('POST', '/v1/providers/reach', { key });
  for (const key of [keys.none, keys.read]) await call('POST', `/v1/providers/${tested}/test`, { key });

  const profile = (name) => ({ name, issuer: provider.issuer, client_id: 'c', allow_insecure_http: true });
  for (const base of ['/v1/providers', '/providers']) {
    const name = `p${base.length}`;
    const { json } = await call('POST', base, { body: profile(name) });
    await call('POST', base, { body: profile(name) });
    await call('POST', base, { body: {} });
    await call('POST', base, { body: 'x', media: 'text/plain' });
    for (const key of [keys.none, keys.read]) {
      await call('POST', base, { body: profile('q'), key });
      for (const method of ['PUT', 'PATCH', 'DELETE']) await call(method, `${base}/${json.id}`, { body: {}, key });
      await call('DELETE', `${base}/by-name/${name}`, { key });
    }
    for (const path of ['', '/metadata', '/health', `/${json.id}`, `/by-name/${name}`]) {
      await call('GET', base + path);
      await call('GET', base + path, { key: keys.none });
    }
    await call('GET', `${base}?view=list`);
    for (const method of ['PUT', 'PATCH']) {
      await call(method, `${base}/${json.id}`, { body: profile(name) });
      await call(method, `${base}/${json.id}`, { body: { ...profile(name), scopes: 1 } });
      await call(method, `${base}/${json.id}`, { body: profile('demo') });
      await call(method, `${base}/${json.id}`, { body: 'x', media: 'text/plain' });
      await call(method, `${base}/${NOBODY}`, { body: profile(name) });
    }
    await call('GET', `${base}/${NOBODY}`);
    await call('DELETE', `${base}/${json.id}`);
    await call('DELETE', `${base}/${json.id}`);
    await call('POST', base, { body: profile(name) });
    await call('DELETE', `${base}/by-name/${name}`);
    await call('DELETE', `${base}/by-name/${name}`);
    await call('GET', `${base}/by-name/${name}`);
  }
  for (const key of Object.values(keys)) await call('GET', '/v1/audit/verify', { key });
  for (const path of ['/v1/audit', '/audit']) {
    for (const key of Object.values(keys)) await call('GET', path, { key });
    await call('GET', `${path}?since=x`);
  }
  await call('POST', '/v1/keys', { body: { name: 'k', use: ['all'] } });
  await call('POST', '/v1/keys', { body: { name: 'k', use: ['all'] } });
  await call('POST', '/v1/keys', { body: { name: 'k' } });
  await call('POST', '/v1/keys', { body: 'x', media: 'text/plain' });
  for (const key of Object.values(keys)) {
    await call('GET', '/v1/keys', { key });
    await call('GET', '/v1/daemon', { key });
    await call('POST', '/v1/keys', { body: { name: 'l', read: ['all'] }, key });
    await call('DELETE', '/v1/keys/l', { key });
  }
  await call('DELETE', '/v1/keys/l');
  // What only the control socket has.
  const bundled = { public_key: (await home.nexus(['key', 'pair', '-o', join(home.dir, 'ci.key')])).stdout.trim() };
  const private_key = readFileSync(join(home.dir, 'ci.key'), 'utf8');
  const house = await connect(home, provider);
  for (const path of ['/v1/export', '/v1/import', '/v1/daemon/restart', `/v1/connections/${house.id}/take-back`]) {
    for (const key of [keys.none, keys.admin]) await call('POST', path, { body: {}, key });
    await call('POST', path, { body: {}, own: true });
  }
  await call('POST', '/v1/export', { body: { connections: [UNKNOWN], ...bundled }, own: true });
  await call('POST', '/v1/export', { body: { connections: [house.id], ...bundled }, own: true });
  const { json: moved } = await call('POST', '/v1/export', { body: { connections: [house.id], ...bundled, move: true }, own: true });
  await call('POST', `/v1/connections/${house.id}/take-back`, { own: true });
  await call('POST', `/v1/connections/${UNKNOWN}/take-back`, { own: true });
  await call('POST', '/v1/import', { body: { bundle: moved.bundle }, own: true });
  await call('POST', '/v1/import', { body: { bundle: moved.bundle, private_key }, own: true });
  await home.api('POST', `/v1/refresh/${house.id}`, '');
  await call('POST', '/v1/import', { body: { bundle: moved.bundle, private_key }, own: true });

  for (let i = 0; i < 9; ++i) await call('POST', '/v1/request-connection', { body: { workspace_id: 'busy', provider_name: 'demo', return_url: 'https://a.example/' } });

  for (let i = 0, status = 200; status !== 503; ++i) ({ status } = await call('POST', '/v1/request-connection', { body: { workspace_id: `fresh-${i}`, provider_name: 'demo', return_url: 'https://a.example/' } }));

  for (const key of [keys.admin, keys.none, keys.read]) await call('GET', '/v1/vault', { key });
  for (const path of ['/v1/vault/lock', '/v1/vault/unlock', '/v1/vault/change-key', '/v1/vault/rotate', '/v1/vault/backup', '/v1/vault/accept'])
    for (const key of [keys.none, keys.admin]) await call('POST', path, { body: {}, key });
  await call('POST', '/v1/vault/change-key', { own: true, body: {} });
  await call('POST', '/v1/vault/change-key', { own: true, body: { to: 'file' } });
  await call('POST', '/v1/vault/backup', { own: true, body: {} });
  await Promise.all([1, 2].map(() => call('POST', '/v1/vault/backup', { own: true, body: { passphrase: 'twelve letters and more' } })));
  await call('POST', '/v1/vault/rotate', { own: true, body: {} });
  await call('POST', '/v1/vault/rotate', { own: true, body: '{' });
  await call('POST', '/v1/vault/accept', { own: true });
  await until(async () => (await home.api('GET', '/v1/vault')).json.rotation.done, 'that it is through');
  for (const key of [keys.admin, keys.none, keys.read]) {
    await call('GET', '/v1/vault', { key });
    await call('GET', '/v1/vault/verify', { key });
  }
  await call('POST', '/v1/vault/unlock', { own: true, body: {} });
  await call('POST', '/v1/vault/lock', { own: true });
  await until(async () => (await home.api('GET', '/v1/vault')).json.locked, 'that it is locked');
  await call('GET', '/v1/vault', { key: keys.admin });
  await home.api('POST', '/v1/vault/unlock', {});
  await call('POST', '/v1/daemon/restart', { own: true, body: { program: join(BIN, 'nexusd') } });

  // What cannot be had here in the time of a test, or only by breaking the machine.
  const left = { '504': 'a provider that stalls for 15 s', '500': 'a full disk' };
  const byHand = new Set(['GET /auth/callback 200', 'GET /auth/callback 429', 'GET /metrics 401', 'POST /v1/request-connection 409',
    'POST /v1/daemon/proxy/programs 201', 'POST /v1/vault/lock 400', 'POST /v1/vault/accept 200', 'GET /v1/token/{connection_id} 429', 'GET /v1/token/{connection_id} 502', 'POST /v1/refresh/{connection_id} 429', 'GET /v1/resolve 429', 'GET /v1/resolve 502']);
  const missing = operations.flatMap(([path, method, operation]) => Object.keys(operation.responses)
    .filter((status) => !left[status] && !seen.get(`${method.toUpperCase()} ${path}`)?.has(status))
    .map((status) => `${method.toUpperCase()} ${path} ${status}`)).filter((name) => !byHand.has(name));
  assert.deepEqual(missing, []);
});
