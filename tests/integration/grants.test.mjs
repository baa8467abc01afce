// Clients that need no person (client credentials, assertions), keys instead of secrets, and tokens for a
// part of a grant.
import { test, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { startCertifiedProvider, CLIENT_ID, CLIENT_SECRET } from '../provider/certified.mjs';
import { MisbehavingProvider, now, reply } from '../provider/misbehaving.mjs';
import { consent } from '../support/consent.mjs';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, request, startOver, token, visit, SECRET } from '../support/flow.mjs';
import { keyPair } from '../support/key_pair.mjs';
import { until } from '../support/nexus.mjs';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const CLIENT_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const pem = (key) => key.export({ type: 'pkcs8', format: 'pem' });
const rsa = keyPair('rsa', { modulusLength: 2048 });
const ec = keyPair('ec', { namedCurve: 'P-256' });
const ed = keyPair('ed25519');

const { home, provider } = await daemonAndProvider();
beforeEach(() => startOver(home, provider));

/** Answers every token request well; `more` is added to the answer. */
function issueTo(grant, more = {}) {
  let count = 0;
  provider.onToken = (form, response) => form.get('grant_type') === grant && reply(response, {
    access_token: `at-client-${++count}`, token_type: 'Bearer', expires_in: 3600, ...more });
}
const add = (name, ...args) => home.nexus(['provider', 'add', name, '--allow-insecure-http', '--replace', ...args.slice(0, -1)], { input: args.at(-1) });
const addClient = (name, ...args) => add(name, '--token-url', `${provider.issuer}/token`, '--grant-type', 'client_credentials', '--client-id', 'client-1', ...args, '--client-secret-file', '-', SECRET);

/** Header and claims of a JWT whose signature holds. */
function read(jwt, key, algorithm) {
  const [header, claims, signature] = jwt.split('.');
  const text = Buffer.from(`${header}.${claims}`);
  const options = algorithm === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : algorithm === 'PS256' ? { key, padding: 6, saltLength: 32 } : key;
  assert.ok(verify(algorithm === 'EdDSA' ? null : 'sha256', text, options, Buffer.from(signature, 'base64url')), 'the signature');
  return [header, claims].map((part) => JSON.parse(Buffer.from(part, 'base64url')));
}

test('client credentials as a new user would: add, connect, token', async () => {
  issueTo('client_credentials', { refresh_token: 'rt-not-wanted' });
  const added = await addClient('billing', '--scope', 'invoices:read');
  assert.equal(added.code, 0, added.stderr);
  assert.ok(!added.stdout.includes('redirect URI'));
  assert.match(added.stderr, /Now run: nexus connect billing/);
  const connected = await home.nexus(['connect', 'billing', '--alias', 'bills']);
  assert.equal(connected.code, 0, connected.stderr);
  assert.match(connected.stdout, /^conn_\w{26}\n$/);
  assert.equal((await home.nexus(['token', 'bills'])).stdout, 'at-client-1');
  const [sent] = provider.tokenRequests('client_credentials');
  assert.equal(sent.form.get('scope'), 'invoices:read');
  assert.equal(sent.headers.authorization, `Basic ${Buffer.from(`client-1:${SECRET}`).toString('base64')}`);
  // H1: a new token comes by the same grant; the refresh token that came is never used.
  assert.equal((await home.nexus(['token', 'bills', '--refresh'])).stdout, 'at-client-2');
  assert.equal(provider.tokenRequests('refresh_token').length, 0);
  const status = JSON.parse((await home.nexus(['status', 'bills', '--json'])).stdout).connections[0];
  assert.deepEqual([status.status, status.account, status.last_error], ['active', 'client-1', null]);
});

test('client credentials over HTTP: active at once, and the person goes straight back', async () => {
  issueTo('client_credentials');
  await addClient('billing');
  const answer = await home.api('POST', '/v1/request-connection', { workspace_id: 'w', provider_name: 'billing', return_url: 'https://app.example/done?x=1' });
  assert.equal(answer.json.status, 'active');
  const back = new URL(answer.json.auth_url);
  assert.equal(back.origin + back.pathname, 'https://app.example/done');
  assert.deepEqual([back.searchParams.get('x'), back.searchParams.get('status'), back.searchParams.get('connection_id')], ['1', 'success', answer.json.connection_id]);
  assert.equal((await token(home, answer.json.connection_id)).json.access_token, 'at-client-1');
});

test('tokens of the client are renewed in the background, and a provider in trouble changes nothing', async () => {
  issueTo('client_credentials', { expires_in: 12 });
  await addClient('billing');
  const id = (await home.nexus(['connect', 'billing'])).stdout.trim();
  await until(() => provider.tokenRequests().length >= 2, 'a renewal', 15000);
  // Stored as well: a refresh that is asked for while one is under way has that one's outcome.
  const renewed = async () => JSON.parse((await home.nexus(['status', id, '--json'])).stdout).connections[0].last_refresh_at;
  await until(renewed, 'what it brought is stored');
  provider.onToken = (form, response) => reply(response, { error: 'invalid_client' }, 401);
  const refused = await home.nexus(['refresh', id]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /refuses this client \(invalid_client\)/);
  assert.equal(await home.status(id), 'active');
  // It recovers by itself when the secret is mended.
  issueTo('client_credentials', { expires_in: 60 });
  const from = provider.tokenRequests().length;
  const edited = await home.nexus(['provider', 'edit', 'billing', '--client-secret-file', '-'], { input: 'rotated-secret' });
  assert.equal(edited.code, 0, edited.stderr);
  await until(() => provider.tokenRequests().length > from, 'a renewal after the correction');
});

test('what the provider refuses fails the connection and says whose fault it is', async () => {
  provider.onToken = (form, response) => reply(response, { error: 'unauthorized_client', error_description: 'not for this grant' }, 400);
  await addClient('billing');
  const run = await home.nexus(['connect', 'billing']);
  assert.equal(run.code, 1);
  assert.match(run.stderr, /unauthorized_client: not for this grant/);
  assert.match(run.stderr, /nexus provider edit/);
});

test('scopes of the registration that the provider refuses are the operator\'s error (F9), told once and waited with', async () => {
  provider.onToken = (form, response) => reply(response, { error: 'invalid_scope' }, 400);
  await addClient('billing', '--scope', 'nope');
  const refused = await home.api('POST', '/v1/request-connection', { provider_name: 'billing' });
  assert.deepEqual([refused.status, refused.json.code], [500, 'provider_misconfigured']);
  issueTo('client_credentials', { expires_in: 0 });
  const { connection_id: id } = (await home.api('POST', '/v1/request-connection', { provider_name: 'billing' })).json;
  provider.onToken = (form, response) => reply(response, { error: 'invalid_scope' }, 400);
  const from = provider.tokenRequests().length;
  for (let at = 0; at < 5; ++at) assert.equal((await token(home, id)).json.code, 'provider_misconfigured');
  assert.equal(provider.tokenRequests().length, from + 1);
  assert.equal((await home.api('GET', `/v1/connections/${id}`)).json.last_error.code, 'provider_misconfigured');
});

test('a public client cannot have client credentials (H1)', async () => {
  const run = await home.nexus(['provider', 'add', 'public', '--token-url', `${provider.issuer}/token`, '--grant-type', 'client_credentials', '--client-id', 'c', '--allow-insecure-http']);
  assert.equal(run.code, 2);
  assert.match(run.stderr, /needs a client secret/);
});

test('client credentials at a certified provider, by secret and by private_key_jwt', async (t) => {
  const named = async (key) => ({ ...key.export({ format: 'jwk' }), use: 'sig', kid: await calculateJwkThumbprint(key.export({ format: 'jwk' })) });
  const jwks = { keys: [await named(rsa.publicKey)] };
  const ecJwks = { keys: [await named(ec.publicKey)] };
  const machine = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
  const certified = await startCertifiedProvider({ extraClients: [
    { ...machine, client_id: 'by-secret', client_secret: CLIENT_SECRET },
    { ...machine, client_id: 'by-rsa', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'RS256', jwks },
    { ...machine, client_id: 'by-pss', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'PS256', jwks },
    { ...machine, client_id: 'by-ec', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', jwks: ecJwks },
  ] });
  t.after(() => certified.close());
  const common = ['--issuer', certified.issuer, '--grant-type', 'client_credentials', '--scope', 'api:read', '--param', 'token_params={"resource":"https://api.example.com"}'];
  for (const [name, ...args] of [
    ['by-secret', '--client-secret-file', '-', CLIENT_SECRET],
    ['by-rsa', '--private-key-file', '-', pem(rsa.privateKey)],
    ['by-pss', '--param', 'assertion_algorithm=PS256', '--private-key-file', '-', pem(rsa.privateKey)],
    ['by-ec', '--private-key-file', '-', ec.privateKey.export({ type: 'sec1', format: 'pem' })],
  ]) {
    const added = await add(name, ...common, '--client-id', name, ...args);
    assert.equal(added.code, 0, `${name}: ${added.stderr}`);
    // What is to be registered at the provider is what is registered there.
    const shown = JSON.parse((await home.nexus(['provider', 'show', name, '--json'])).stdout).public_jwk;
    const { alg, ...key } = shown ?? {};
    if (name !== 'by-secret') assert.deepEqual(key, (name === 'by-ec' ? ecJwks : jwks).keys[0]);
    const connected = await home.nexus(['connect', name]);
    assert.equal(connected.code, 0, `${name}: ${connected.stderr}`);
    const got = JSON.parse((await home.nexus(['token', name, '--format', 'json'])).stdout);
    const claims = JSON.parse(Buffer.from(got.access_token.split('.')[1], 'base64url'));
    assert.deepEqual([claims.client_id, claims.aud, got.scope], [name, 'https://api.example.com', 'api:read']);
  }
});

test('private_key_jwt: what is asserted, and never twice the same (H2)', async () => {
  issueTo('client_credentials');
  const cases = [[rsa, 'RS256', []], [rsa, 'PS256', ['--param', 'assertion_algorithm=PS256']], [ec, 'ES256', []], [ed, 'EdDSA', ['--param', 'key_id=my-key']]];
  for (const [pair, algorithm, more] of cases) {
    const name = algorithm.toLowerCase();
    const added = await add(name, '--issuer', provider.issuer, '--grant-type', 'client_credentials', '--client-id', 'client-1', ...more, '--private-key-file', '-', pem(pair.privateKey));
    assert.equal(added.code, 0, added.stderr);
    await home.nexus(['connect', name]);
    await home.nexus(['refresh', name]);
    const sent = provider.tokenRequests('client_credentials').slice(-2);
    const ids = sent.map(({ form, headers }) => {
      assert.equal(headers.authorization, undefined);
      assert.ok(!form.has('client_secret'));
      assert.equal(form.get('client_assertion_type'), CLIENT_ASSERTION);
      const [header, claims] = read(form.get('client_assertion'), pair.publicKey, algorithm);
      assert.equal(header.alg, algorithm);
      assert.ok(algorithm === 'EdDSA' ? header.kid === 'my-key' : header.kid.length === 43);
      assert.deepEqual([claims.iss, claims.sub, claims.aud], ['client-1', 'client-1', provider.issuer]);
      assert.ok(claims.exp > now() - 5 && claims.exp <= now() + 60);
      return claims.jti;
    });
    assert.equal(new Set(ids).size, 2);
  }
});

test('a browser flow authenticates by private_key_jwt too, also when it refreshes and revokes', async () => {
  await register(home, provider.issuer, { name: 'signed', client_secret: undefined, private_key: pem(ec.privateKey), scopes: ['openid'] });
  const { id } = await connect(home, provider, { provider_name: 'signed' });
  assert.equal((await home.api('POST', `/v1/refresh/${id}`)).status, 200);
  await home.api('DELETE', `/v1/connections/${id}`);
  const asserted = provider.requests.filter((r) => ['/token', '/revoke'].includes(r.path));
  assert.ok(asserted.length >= 3);
  for (const { form } of asserted) read(form.get('client_assertion'), ec.publicKey, 'ES256');
});

test('a Google service account: one file, then connect', async () => {
  issueTo(JWT_BEARER);
  const account = {
    type: 'service_account', project_id: 'p', private_key_id: 'key-1', private_key: pem(rsa.privateKey),
    client_email: 'robot@p.iam.gserviceaccount.com', client_id: '123', token_uri: `${provider.issuer}/token`,
  };
  const file = join(home.dir, 'key.json');
  writeFileSync(file, JSON.stringify(account, null, 2));
  const added = await home.nexus(['provider', 'add', 'gcp', '--service-account-file', file, '--scope', 'https://www.googleapis.com/auth/cloud-platform', '--allow-insecure-http']);
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stdout, /private key +set, fingerprint/);
  const connected = await home.nexus(['connect', 'gcp']);
  assert.equal(connected.code, 0, connected.stderr);
  assert.match(connected.stderr, /Connected as robot@p.iam.gserviceaccount.com/);
  assert.equal((await home.nexus(['token', 'gcp'])).stdout, 'at-client-1');
  const [{ form }] = provider.tokenRequests(JWT_BEARER);
  const [header, claims] = read(form.get('assertion'), rsa.publicKey, 'RS256');
  assert.equal(header.kid, 'key-1');
  assert.deepEqual([claims.iss, claims.aud, claims.scope], [account.client_email, account.token_uri, 'https://www.googleapis.com/auth/cloud-platform']);
  // Asking for somebody (domain-wide delegation, Salesforce, DocuSign).
  await home.nexus(['provider', 'edit', 'gcp', '--param', 'assertion_subject=alice@example.com']);
  await home.nexus(['refresh', 'gcp']);
  assert.equal(read(provider.tokenRequests(JWT_BEARER).at(-1).form.get('assertion'), rsa.publicKey, 'RS256')[1].sub, 'alice@example.com');
  // The key is neither in an answer nor in the log nor on disk.
  const shown = await home.api('GET', '/v1/providers/by-name/gcp');
  const middle = account.private_key.split('\n')[5];
  for (const text of [JSON.stringify(shown.json), home.log, home.file('nexus.db').toString('latin1'), home.file('nexus.db-wal').toString('latin1')])
    assert.ok(!text.includes(middle));
});

test('what a provider says of an assertion is the operator\'s to mend, not a person\'s to reconnect', async () => {
  issueTo(JWT_BEARER);
  await add('salesforce-like', '--token-url', `${provider.issuer}/token`, '--grant-type', 'jwt_bearer', '--client-id', 'consumer-key', '--param', 'assertion_audience=https://login.salesforce.com', '--param', 'assertion_subject=alice', '--private-key-file', '-', pem(rsa.privateKey));
  const id = (await home.nexus(['connect', 'salesforce-like'])).stdout.trim();
  assert.equal(read(provider.tokenRequests(JWT_BEARER)[0].form.get('assertion'), rsa.publicKey, 'RS256')[1].aud, 'https://login.salesforce.com');
  provider.onToken = (form, response) => reply(response, { error: 'invalid_grant', error_description: 'user hasn\'t approved this consumer' }, 400);
  const run = await home.nexus(['refresh', id]);
  assert.equal(run.code, 1);
  assert.match(run.stderr, /hasn't approved this consumer/);
  assert.equal(await home.status(id), 'active');
});

test('keys that cannot sign are refused where they are given', async () => {
  const weak = keyPair('rsa', { modulusLength: 1024 }).privateKey;
  const curve = keyPair('ec', { namedCurve: 'secp256k1' }).privateKey;
  const locked = rsa.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' });
  const cases = { 'fewer than 2048 bits': pem(weak), 'another curve': pem(curve), 'has a passphrase': locked, 'cannot be read': 'not a key', 'of another kind': pem(keyPair('x25519').privateKey) };
  for (const [why, key] of Object.entries(cases)) {
    const run = await add('bad-key', '--issuer', provider.issuer, '--client-id', 'c', '--private-key-file', '-', key);
    assert.equal(run.code, 2, why);
    assert.match(run.stderr, new RegExp(why));
    assert.ok(!run.stderr.includes(key.split('\n')[1] ?? key));
  }
  const account = await add('bad-account', '--service-account-file', '-', '{"type":"authorized_user"}');
  assert.equal(account.code, 2);
  assert.match(account.stderr, /is no service account's key/);
  const file = join(home.dir, 'secret');
  writeFileSync(file, SECRET);
  const both = await home.nexus(['provider', 'add', 'both', '--issuer', provider.issuer, '--client-id', 'c', '--client-secret-file', file, '--private-key-file', file]);
  assert.equal(both.code, 2);
  assert.match(both.stderr, /one secret or one key/);
});

test('a client authentication that the metadata does not offer is warned of (H4)', async (t) => {
  const other = await MisbehavingProvider.start();
  t.after(() => other.close());
  other.metadata = (document) => ({ ...document, token_endpoint_auth_methods_supported: ['client_secret_basic'] });
  const run = await add('mismatch', '--issuer', other.issuer, '--client-id', 'c', '--client-auth', 'client_secret_post', '--client-secret-file', '-', SECRET);
  assert.equal(run.code, 0);
  assert.match(run.stderr, /does not offer the client authentication client_secret_post/);
});

test('a token for fewer scopes has its own place; the whole one stays as it is', async () => {
  provider.rotate = true;
  await register(home, provider.issuer, { replace: true, scopes: ['read', 'write'] });
  const { id } = await connect(home, provider);
  const whole = (await token(home, id)).json.access_token;
  const narrow = (await token(home, id, '?scope=read')).json;
  assert.notEqual(narrow.access_token, whole);
  assert.equal(narrow.scope, 'read');
  assert.equal((await token(home, id, '?scope=read')).json.access_token, narrow.access_token);
  assert.equal((await token(home, id)).json.access_token, whole);
  assert.equal((await token(home, id, '?scope=write%20read')).json.access_token, whole);
  const [sent] = provider.tokenRequests('refresh_token');
  assert.equal(sent.form.get('scope'), 'read');
  assert.equal(provider.tokenRequests('refresh_token').length, 1);
  const renewed = (await home.api('POST', `/v1/refresh/${id}?scope=read`)).json;
  assert.notEqual(renewed.access_token, narrow.access_token);
  // The rotated refresh token was kept each time: the whole one can be refreshed as well.
  assert.equal((await home.api('POST', `/v1/refresh/${id}`)).status, 200);
  const record = (await home.api('GET', '/v1/audit?event_type=token_retrieved&limit=1000')).json.find((r) => r.event_data.includes('scope read'));
  assert.ok(record);
});

test('many callers with different targets share one rotating grant without a race', async () => {
  provider.rotate = true;
  await register(home, provider.issuer, { replace: true, scopes: ['read', 'write', 'admin'] });
  const { id } = await connect(home, provider);
  const queries = ['?scope=read', '?scope=write', '?scope=admin', '?scope=read%20write'];
  const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => token(home, id, queries[at % 4])));
  assert.ok(answers.every((a) => a.status === 200), JSON.stringify(answers.find((a) => a.status !== 200)?.json));
  for (let at = 0; at < 4; ++at)
    assert.equal(new Set(answers.filter((_, n) => n % 4 === at).map((a) => a.json.access_token)).size, 1);
  assert.equal(provider.tokenRequests('refresh_token').length, 4);
});

test('more than was granted, and targets that a provider refuses, leave the connection alone', async () => {
  await register(home, provider.issuer, { replace: true, scopes: ['read'] });
  const { id } = await connect(home, provider);
  const beyond = await home.nexus(['token', id, '--scope', 'admin']);
  assert.deepEqual([beyond.code, beyond.stdout], [9, '']);
  assert.match(beyond.stderr, /was not granted admin/);
  assert.equal(provider.tokenRequests('refresh_token').length, 0);
  provider.onToken = (form, response) => form.has('resource') && reply(response, { error: 'invalid_target' }, 400);
  const refused = await token(home, id, '?audience=https%3A%2F%2Fapi.example.com');
  assert.deepEqual([refused.status, refused.json.code], [403, 'scope_not_allowed']);
  assert.equal((await home.api('POST', `/v1/refresh/${id}`)).status, 200);
  const shown = (await home.api('GET', `/v1/connections/${id}`)).json;
  assert.equal(shown.last_error, null);
  for (const audience of ['nope', 'https://a.example/%23x', 'a%20b'])
    assert.equal((await token(home, id, `?audience=${audience}`)).json.code, 'invalid_field', audience);
});

test('an audience at a certified provider (RFC 8707): a JWT for that API', async (t) => {
  const certified = await startCertifiedProvider({ callbacks: [`${home.callbackBase}/auth/callback`] });
  t.after(() => certified.close());
  await register(home, certified.issuer, { name: 'certified', client_id: CLIENT_ID, client_secret: CLIENT_SECRET, scopes: ['openid', 'offline_access', 'api:read'] });
  // --param: of this authorization request alone.
  const asked = await request(home, { provider_name: 'certified', params: { resource: 'https://api.example.com', login_hint: 'alice' } });
  assert.equal(new URL(asked.auth_url).searchParams.get('login_hint'), 'alice');
  await visit(await consent(asked.auth_url));
  const answer = await home.nexus(['token', asked.connection_id, '--audience', 'https://api.example.com', '--scope', 'api:read']);
  assert.equal(answer.code, 0, answer.stderr);
  const claims = JSON.parse(Buffer.from(answer.stdout.split('.')[1], 'base64url'));
  assert.deepEqual([claims.aud, claims.scope], ['https://api.example.com', 'api:read']);
});

test('parameters of a request may not set what is the flow\'s own', async () => {
  await register(home, provider.issuer, { replace: true });
  for (const name of ['state', 'redirect_uri', 'code_challenge', 'client_secret', 'scope']) {
    const answer = await home.api('POST', '/v1/request-connection', { provider_name: 'demo', params: { [name]: 'x' } });
    assert.deepEqual([answer.status, answer.json.code], [400, 'invalid_field'], name);
  }
  const run = await home.nexus(['connect', 'demo', '--no-browser', '--no-wait', '--json', '--param', 'prompt=login', '--param', 'login_hint=a@b.example']);
  const url = new URL(JSON.parse(run.stdout).auth_url);
  assert.deepEqual([url.searchParams.get('prompt'), url.searchParams.get('login_hint')], ['login', 'a@b.example']);
});

test('a private key never travels: a client that stops signing needs a secret', async () => {
  await add('was-signing', '--issuer', provider.issuer, '--client-id', 'c', '--private-key-file', '-', pem(rsa.privateKey));
  const run = await home.nexus(['provider', 'edit', 'was-signing', '--client-auth', 'client_secret_post']);
  assert.equal(run.code, 2);
  assert.match(run.stderr, /would send the client's private key/);
  const mended = await home.nexus(['provider', 'edit', 'was-signing', '--client-auth', 'client_secret_post', '--client-secret-file', '-'], { input: SECRET });
  assert.equal(mended.code, 0, mended.stderr);
  await connect(home, provider, { provider_name: 'was-signing', scopes: ['a'] });
  assert.ok(provider.requests.every(({ form, headers }) => !/PRIVATE|BEGIN/.test(form.toString() + Buffer.from(headers.authorization?.slice(6) ?? '', 'base64'))));
});

test('provider test tries what the grant needs, and no redirect URI where there is none', async () => {
  issueTo('client_credentials');
  await addClient('billing');
  const good = await home.nexus(['provider', 'test', 'billing']);
  assert.equal(good.code, 0, good.stdout);
  assert.match(good.stdout, /gives the client a token/);
  assert.ok(!good.stdout.includes('redirect URI'));
  provider.onToken = (form, response) => reply(response, { error: 'invalid_client' }, 401);
  assert.equal((await home.nexus(['provider', 'test', 'billing'])).code, 1);
});

test('a manifest has clients that sign: planned, applied, and nothing to do afterwards', async () => {
  const file = join(home.dir, 'machines.toml');
  writeFileSync(file, `[providers.robot]\nservice_account = "\${ROBOT}"\nscopes = ["a"]\nallow_insecure_http = true\n
[providers.signer]\nissuer = "${provider.issuer}"\nclient_id = "c"\nprivate_key = "\${KEY}"\nallow_insecure_http = true\n`);
  const env = {
    ROBOT: JSON.stringify({ type: 'service_account', client_email: 'robot@example.com', private_key: pem(rsa.privateKey), private_key_id: 'k', token_uri: `${provider.issuer}/token` }),
    KEY: pem(ec.privateKey),
  };
  const applied = await home.nexus(['provider', 'apply', '-f', file, '--yes'], { env });
  assert.equal(applied.code, 0, applied.stderr);
  const again = await home.nexus(['provider', 'plan', '-f', file], { env });
  assert.match(again.stdout, /0 to create, 0 to update, 0 to delete, 2 unchanged/);
  const rotated = await home.nexus(['provider', 'plan', '-f', file], { env: { ...env, KEY: pem(ed.privateKey) } });
  assert.match(rotated.stdout, /client_secret: \(fingerprint/);
  const exported = (await home.nexus(['provider', 'export'])).stdout;
  assert.match(exported, /private_key = '\$\{SIGNER_PRIVATE_KEY\}'/);
});
