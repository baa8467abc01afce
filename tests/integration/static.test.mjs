// Static credentials: API keys, passwords and signing keys, from a prompt, a page, stdin or an
// application; checked with the provider before they are stored.
import { test, before, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KeyedApi, KINDS, KEY, PASSWORD, SECRET_KEY, USER } from '../provider/keyed_api.mjs';
import { token } from '../support/flow.mjs';
import { BIN, Home } from '../support/nexus.mjs';

let home;
let api;
before(async () => {
  api = await KeyedApi.start();
  home = await Home.make();
  await home.start();
  for (const [kind, { provider }] of Object.entries(KINDS)) await register(kind, provider);
});
after(async () => { await home.remove(); await api.close(); });
beforeEach(() => api.reset());

const name = (kind) => kind.replaceAll('_', '-');

async function register(kind, fields, status = 201) {
  const answer = await home.api('POST', '/v1/providers',
    { name: name(kind), api_base_url: api.url, allow_insecure_http: true, ...fields });
  assert.equal(answer.status, status, answer.text);
  return answer.json;
}

async function ask(kind, fields = {}) {
  const answer = await home.api('POST', '/v1/request-connection', { provider_name: name(kind), ...fields });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

const capture = (state, credentials) => home.api('POST', '/v1/capture-credential', { state, credentials });

async function connect(kind, credentials = KINDS[kind].credentials, fields = {}) {
  const asked = await ask(kind, fields);
  const answer = await capture(asked.state, credentials);
  assert.equal(answer.status, 200, answer.text);
  return asked.connection_id;
}

for (const [kind, { credentials }] of Object.entries(KINDS)) {
  test(`${kind}: asked for, checked, stored, handed out`, async () => {
    const asked = await ask(kind);
    assert.equal(await home.status(asked.connection_id), 'pending');
    const schema = (await home.api('GET', `/v1/capture-schema?state=${encodeURIComponent(asked.state)}`)).json;
    assert.equal(schema.provider_name, name(kind));
    assert.equal(schema.connection_id, asked.connection_id);
    assert.deepEqual(schema.required, Object.keys(credentials));
    assert.deepEqual(schema.schema.properties, schema.properties);

    const wrong = await capture(asked.state, Object.fromEntries(Object.keys(credentials).map((field) => [field, 'wrong'])));
    assert.equal(wrong.status, 400);
    assert.equal(wrong.json.code, 'invalid_credentials');
    assert.equal(await home.status(asked.connection_id), 'pending', 'a typing error ends nothing');

    const good = await capture(asked.state, credentials);
    assert.equal(good.status, 200, good.text);
    assert.equal(good.json.connection_id, asked.connection_id);
    assert.equal(good.json.status, 'success');
    assert.equal(await home.status(asked.connection_id), 'active');

    const replay = await capture(asked.state, { ...credentials, api_key: 'other' });
    assert.equal(replay.status, 400);
    assert.equal(replay.json.code, 'invalid_state');

    const payload = (await token(home, asked.connection_id)).json;
    assert.deepEqual(payload.credentials, credentials);
    assert.equal(payload.strategy.type, kind);
    assert.ok(!('expires_at' in payload) && !('expires_in' in payload) && !('access_token' in payload));
    const refused = await home.api('POST', `/v1/refresh/${asked.connection_id}`);
    assert.equal(refused.status, 400);
    assert.equal(refused.json.code, 'static_token');
  });
}

test('payloads carry strategy and config as the contract has them, on both endpoints', async () => {
  const of = async (kind) => {
    await connect(kind);
    const resolved = await home.api('GET', `/v1/resolve?workspace_id=default&provider_name=${name(kind)}`);
    const id = resolved.json.connection_id;
    return [(await token(home, id)).json.strategy, resolved.json];
  };
  const [apiKey, resolvedKey] = await of('api_key');
  assert.deepEqual(apiKey, { type: 'api_key', config: { in: 'header', header_name: 'X-API-Key', credential_field: 'api_key', value_prefix: '' } });
  assert.deepEqual(resolvedKey.strategy, { type: 'header', config: { header_name: 'X-API-Key', credential_field: 'api_key', value_prefix: '' } });
  assert.equal(resolvedKey.access_token, KEY, 'for clients that read nothing else');
  const [query, resolvedQuery] = await of('query_param');
  assert.deepEqual(query, { type: 'query_param', config: { param_name: 'key', credential_field: 'api_key' } });
  assert.deepEqual(resolvedQuery.strategy, query);
  assert.equal(resolvedQuery.access_token, KEY);
  const [basic, resolvedBasic] = await of('basic_auth');
  assert.deepEqual(basic, { type: 'basic_auth', config: { username_field: 'username', password_field: 'password' } });
  assert.ok(!('access_token' in resolvedBasic));
  assert.deepEqual((await of('hmac_payload'))[0],
    { type: 'hmac_payload', config: { header_name: 'X-Signature', secret_field: 'api_secret', algo: 'sha256', encoding: 'hex' } });
  assert.deepEqual((await of('aws_sigv4'))[0], { type: 'aws_sigv4', config: { service: 'sts', region: 'eu-west-1' } });
});

test('a caller that asks for the form of the Bridge gets it on every route, by query or by header', async () => {
  const resolved = async (kind) => {
    const { json } = await home.api('GET', `/v1/resolve?workspace_id=default&provider_name=${name(kind)}`);
    return json;
  };
  for (const kind of ['api_key', 'query_param', 'basic_auth']) {
    await connect(kind);
    const wanted = await resolved(kind);
    const id = wanted.connection_id;
    assert.deepEqual((await token(home, id, '?strategy=bridge')).json, wanted, kind);
    assert.deepEqual((await home.api('GET', `/v1/token/${id}`, undefined, { 'x-nexus-strategy': 'bridge' })).json, wanted, kind);
  }
  const { connection_id: id } = await resolved('api_key');
  assert.equal((await token(home, id)).json.strategy.type, 'api_key');
  for (const path of [`/v1/token/${id}`, `/v1/resolve?workspace_id=default&provider_name=${name('api_key')}`]) {
    const unknown = await home.api('GET', `${path}${path.includes('?') ? '&' : '?'}strategy=toll`);
    assert.deepEqual([unknown.status, unknown.json.code], [400, 'invalid_field'], path);
    assert.match(unknown.json.hint, /strategy=bridge/);
  }
});

test('a provider that names the place of its key itself says the same on both endpoints', async () => {
  await register('placed', { auth_type: 'api_key', user_info_endpoint: '/header',
    params: { auth_strategy: { type: 'header', config: { header_name: 'X-API-Key' } } } });
  const id = await connect('placed', { api_key: KEY });
  const { json: resolved } = await home.api('GET', `/v1/resolve?workspace_id=default&provider_name=${name('placed')}`);
  const { json } = await token(home, id);
  assert.deepEqual(json.strategy, { type: 'header', config: { header_name: 'X-API-Key', credential_field: 'api_key', value_prefix: '' } });
  assert.deepEqual(resolved.strategy, json.strategy);
});

test('credentials in the path, on a host that the person names', async () => {
  await register('bot', {
    auth_type: 'api_key', api_base_url: '', user_info_endpoint: '/bot{api_key}/getMe',
    params: { auth_strategy: { type: 'path' }, credential_schema: { required: ['base_url', 'api_key'], properties: { base_url: {}, api_key: { title: 'Bot token' } } } },
  });
  const id = await connect('bot', { base_url: `${api.url}/`, api_key: KEY });
  assert.equal((await token(home, id)).json.strategy.type, 'path');
  const asked = await ask('bot');
  for (const base of ['http://169.254.169.254', 'ftp://x.example', 'https://u:p@x.example', 'http://x.example', 'x'])
    assert.equal((await capture(asked.state, { base_url: base, api_key: KEY })).json.code, 'invalid_credentials', base);
});

test('what cannot be asked for now is not refused for good', async () => {
  const asked = await ask('api_key');
  for (const [status, code] of [[500, 502], [503, 502], [429, 502], [404, 400], [302, 400], [403, 400]]) {
    api.answer = (response) => response.writeHead(status, { location: 'https://evil.example/' }).end(`echo ${KEY}`);
    const answer = await capture(asked.state, { api_key: KEY });
    assert.equal(answer.status, code, `${status}: ${answer.text}`);
    assert.ok(!answer.text.includes(KEY));
  }
  api.answer = (response) => response.socket.destroy();
  assert.equal((await capture(asked.state, { api_key: KEY })).status, 502);
  api.answer = null;
  assert.equal(await home.status(asked.connection_id), 'pending');
  assert.equal((await capture(asked.state, { api_key: KEY })).status, 200);
});

test('an entry may say by the body what is wrong, or that nothing can be asked', async () => {
  await register('slackish', {
    auth_type: 'api_key', user_info_endpoint: '/anything',
    params: { validation: { failure_body_contains: '"ok":false', success_body_contains: '"ok"', failure_status: [204] } },
  });
  const asked = await ask('slackish');
  for (const [status, body] of [[200, '{"ok":false}'], [200, '{}'], [204, '']]) {
    api.answer = (response) => response.writeHead(status).end(body);
    assert.equal((await capture(asked.state, { api_key: KEY })).json.code, 'invalid_credentials', body);
  }
  api.answer = (response) => response.writeHead(200).end('{"ok":true,"user":{"name":"bot"}}');
  assert.equal((await capture(asked.state, { api_key: KEY })).status, 200);
  assert.equal((await home.api('GET', `/v1/connections/${asked.connection_id}`)).json.account, 'bot');

  await register('unchecked', { auth_type: 'api_key', params: { validation: { skip: true } } });
  await connect('unchecked', { api_key: 'whatever' });
  assert.equal(api.requests.length, 4, 'nobody was asked');
  const again = await ask('unchecked');
  assert.equal((await capture(again.state, { api_key: 'schlüssel' })).json.code, 'invalid_credentials', 'it could not travel');

  await register('uncheckable', { auth_type: 'api_key', api_base_url: '' });
  const open = await ask('uncheckable');
  const answer = await capture(open.state, { api_key: KEY });
  assert.equal(answer.json.code, 'provider_not_validatable');
  assert.match(answer.json.hint ?? answer.json.message, /skip/);
});

test('bad values are refused field by field, and nothing is stored', async () => {
  const asked = await ask('basic_auth');
  for (const [credentials, said] of [
    [{}, 'username is missing; password is missing'],
    [{ username: 'x'.repeat(10000), password: 'y' }, 'username is longer than 4096'],
    [{ username: 'a\nb', password: 'y' }, 'username has U+000A (a line break) as its character 2'],
    [{ username: 'a', password: 'b\u0000c' }, 'password has U+0000 (a control character) as its character 2'],
    [{ username: ['a'], password: 'b' }, 'username has to be a text'],
    [{ username: 'a', password: 'b\u200bc' }, 'password has U+200B (a zero width space) as its character 2'],
    [{ username: 'a:b', password: 'c' }, 'colon'],
  ]) {
    const answer = await capture(asked.state, credentials);
    assert.equal(answer.status, 400);
    assert.ok(answer.json.message.includes(said), answer.json.message);
  }
  for (const body of ['{', '[]', '{"state":1}', '{"state":"x"}', '{"state":"x","credentials":[]}'])
    assert.equal((await home.api('POST', '/v1/capture-credential', body)).status, 400);
  assert.equal(await home.status(asked.connection_id), 'pending');
  assert.equal(api.requests.length, 0);
  assert.equal((await capture(asked.state, KINDS.basic_auth.credentials)).status, 200, 'non-ASCII is fine where it can travel');
  assert.equal((await home.api('GET', `/v1/connections/${asked.connection_id}`)).json.account, 'octo');
});

test('bad entries are refused when they are registered', async () => {
  for (const fields of [
    { auth_type: 'telepathy' },
    { auth_type: 'saml' },
    { auth_type: 'query_param' },
    { auth_type: 'api_key', params: { credential_schema: 'x' } },
    { auth_type: 'api_key', params: { credential_schema: { properties: {} } } },
    { auth_type: 'api_key', params: { credential_schema: { properties: { api_key: { pattern: '(' } } } } },
    { auth_type: 'api_key', params: { header_name: 'X\r\nY' } },
    { auth_type: 'api_key', params: { validation: { skip: 'perhaps' } } },
    { auth_type: 'api_key', params: { validation: { failure_status: ['x'] } } },
    { auth_type: 'api_key', user_info_endpoint: '/{nobody}' },
    { auth_type: 'api_key', params: { request_headers: { 'a b': 'c' } } },
    { auth_type: 'api_key', description: 'x'.repeat(10000) },
    { auth_type: 'api_key', description: 'bell \u0007' },
  ]) {
    const answer = await register('bad-entry', fields, 400);
    assert.ok(answer.message.length > 10 && answer.hint, JSON.stringify(answer));
  }
  assert.equal((await home.api('GET', '/v1/providers/by-name/bad-entry')).status, 404);
});

test('settings given as words, as a command line gives them, are settings all the same', async () => {
  const oauth = { auth_url: 'https://a.example/a', token_url: 'https://a.example/t', client_id: 'c' };
  const made = await home.api('POST', '/v1/providers', { name: 'worded', ...oauth, params: { https_redirect: 'true', any_loopback_port: 'false', skip_scope_on_auth: 'true' } });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(made.json.params, { https_redirect: true, any_loopback_port: false, skip_scope_on_auth: true });
  assert.match(made.json.redirect_uri, /^https:/);
  assert.equal((await home.api('GET', '/providers')).status, 200);
  for (const params of [{ https_redirect: 'perhaps' }, { https_redirect: 1 }, { any_loopback_port: [] }, { catalog_entry: 7 }])
    assert.equal((await home.api('POST', '/v1/providers', { name: 'odd', ...oauth, params })).status, 400, JSON.stringify(params));
  assert.equal((await home.api('GET', '/providers')).status, 200);
});

test('a provider whose host changes needs its credentials anew, a corrected header does not', async () => {
  const provider = await register('moving', { auth_type: 'api_key', user_info_endpoint: '/header' });
  const id = await connect('moving', { api_key: KEY });
  await home.api('PATCH', `/v1/providers/${provider.id}`, { params: { header_name: 'X-Other' } });
  assert.equal((await token(home, id)).json.strategy.config.header_name, 'X-Other');
  await home.api('PATCH', `/v1/providers/${provider.id}`, { api_base_url: 'https://elsewhere.example' });
  assert.equal((await token(home, id)).status, 409);
});

test('a static connection lives as others do: alias, list, replace, disconnect', async () => {
  const id = await connect('api_key', undefined, { alias: 'mine' });
  const listed = JSON.parse((await home.nexus(['list', '--json'])).stdout).connections.find((c) => c.connection_id === id);
  assert.deepEqual([listed.alias, listed.status, listed.account, listed.expires_at], ['mine', 'active', 'octo', null]);
  const next = await connect('api_key', undefined, { replaces: 'mine' });
  assert.equal((await home.nexus(['token', 'mine'])).stdout, KEY);
  assert.equal((await token(home, id)).status, 410);
  assert.equal((await home.nexus(['disconnect', 'mine'])).code, 0);
  assert.equal((await token(home, next)).status, 410);
});

test('nexus token prints what scripts want of each kind', async () => {
  const print = async (kind, ...args) => {
    const id = await connect(kind);
    const { code, stdout, stderr } = await home.nexus(['token', id, ...args]);
    return code === 0 ? stdout : `${code} ${stderr}`;
  };
  assert.equal(await print('api_key'), KEY);
  assert.equal(await print('header'), KEY);
  assert.equal(await print('query_param', '--format', 'env'), `NEXUS_TOKEN='${KEY}'\n`);
  assert.equal(await print('api_key', '--format', 'header'), `X-API-Key: ${KEY}\n`);
  assert.equal(await print('header', '--format', 'header'), `Authorization: Bearer ${KEY}\n`);
  assert.equal(await print('basic_auth', '--format', 'header'),
    `Authorization: Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}\n`);
  assert.equal(await print('basic_auth', '--field', 'username'), USER);
  assert.equal(await print('hmac_payload'), KEY);
  assert.match(await print('basic_auth'), /^2 .*--field/s);
  assert.match(await print('aws_sigv4'), /^2 .*--field/s);
  assert.match(await print('aws_sigv4', '--format', 'header'), /^2 .*header/s);
  assert.equal(JSON.parse(await print('aws_sigv4', '--json')).credentials.secret_key, SECRET_KEY);
});

test('curl reads its form of each kind from a pipe, and authenticates with it', async () => {
  const curl = async (kind, script) => {
    const id = await connect(kind, KINDS[kind].credentials);
    return promisify(execFile)('sh', ['-ec', script, 'sh', join(BIN, 'nexus'), id, api.url], { env: home.env }).then(({ stdout }) => stdout);
  };
  const config = (path) => `"$1" token "$2" --format curl | curl -sS -o /dev/null -w '%{http_code}' -H 'x-version: 7' -K - "$3${path}"`;
  for (const [kind, path] of [['api_key', '/header'], ['header', '/bearer'], ['query_param', '/query?page=2'], ['basic_auth', '/basic']])
    assert.equal(await curl(kind, config(path)), '200', kind);
  assert.equal(await curl('basic_auth', '"$1" token "$2" --format netrc >"$HOME/netrc"; curl -sS -o /dev/null -w "%{http_code}" --netrc-file "$HOME/netrc" "$3/basic"'), '200');
  const signed = await home.nexus(['token', await connect('aws_sigv4'), '--format', 'curl']);
  assert.deepEqual([signed.code, signed.stdout], [2, '']);
});

test('curl\'s quoting: what ends a text in its config, and what a query would break, arrives as it is', async () => {
  await register('odd', { auth_type: 'query_param', params: { param_name: 'key', validation: { skip: true } } });
  await register('odd-header', { auth_type: 'api_key', params: { header_name: 'X-Odd', validation: { skip: true } } });
  const odd = 'a"b\\c&d=e+f%41 g\\n#@';
  for (const [kind, seen] of [['odd', (request) => request.query.get('key')], ['odd-header', (request) => request.headers['x-odd']]]) {
    const id = await connect(kind, { api_key: odd });
    const script = `"$1" token "$2" --format curl | curl -sS -o /dev/null -K - "$3/anything?a=b"`;
    await promisify(execFile)('sh', ['-ec', script, 'sh', join(BIN, 'nexus'), id, api.url], { env: home.env });
    assert.equal(seen(api.requests.at(-1)), odd, kind);
    assert.equal(api.requests.at(-1).query.get('a'), 'b');
  }
  const netrc = await home.nexus(['token', 'odd', '--format', 'netrc']);
  assert.deepEqual([netrc.code, netrc.stdout], [2, '']);
  assert.match(netrc.stderr, /the password has characters that programs read differently in netrc/);
});

test('no credential is in the log, the audit log, the database or an error', async () => {
  await home.stop();
  const files = Buffer.concat(['nexus.db', 'nexus.db-wal', 'audit.db', 'audit.db-wal'].map((file) => home.file(file)));
  for (const canary of [KEY, PASSWORD, SECRET_KEY]) {
    assert.ok(!home.log.includes(canary));
    assert.ok(!files.includes(canary));
  }
  await home.start();
});
