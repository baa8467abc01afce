// The life of a connection against a real, certified OpenID provider.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { startCertifiedProvider, CLIENT_ID, CLIENT_SECRET } from '../provider/certified.mjs';
import { consent } from '../support/consent.mjs';
import { visit, token, request, register, readsOf } from '../support/flow.mjs';
import { Home, until } from '../support/nexus.mjs';

let home;
let provider;

before(async () => {
  home = await Home.make();
  provider = await startCertifiedProvider({
    callbacks: [`${home.callbackBase}/auth/callback`], accessTokenTtl: 3,
  });
  await home.start();
  await register(home, provider.issuer, {
    client_id: CLIENT_ID, client_secret: CLIENT_SECRET, scopes: ['openid', 'email', 'offline_access'],
  });
});
after(async () => { await home.remove(); await provider.close(); });

test('from request to token, refresh, rotation and a withdrawn grant', async () => {
  const asked = await request(home);
  assert.equal(asked.authUrl, asked.auth_url);
  assert.match(asked.connection_id, /^conn_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.equal(await home.status(asked.connection_id), 'pending');
  const early = await token(home, asked.connection_id);
  assert.equal(early.status, 400);
  assert.equal(early.json.code, 'connection_not_active');
  assert.equal(early.json.status, 'pending');

  const page = await visit(await consent(asked.auth_url));
  assert.equal(page.status, 200);
  assert.match(page.text, /demo is connected/);
  assert.equal(await home.status(asked.connection_id), 'active');

  const first = (await token(home, asked.connection_id)).json;
  assert.equal(first.strategy.type, 'oauth2');
  assert.equal(first.access_token, first.credentials.access_token);
  assert.equal(first.expires_at, first.credentials.expires_at);
  assert.ok(Number.isInteger(first.expires_in) && first.expires_in <= 3);
  assert.equal(first.scope, 'openid email offline_access');
  assert.ok(!JSON.stringify(first).includes('refresh_token'));
  const me = await fetch(`${provider.issuer}/me`, { headers: { authorization: `Bearer ${first.access_token}` } });
  assert.equal((await me.json()).email, 'alice@example.com');

  // Expiry: the next fetch brings a fresh token, by exactly one refresh each time.
  let last = first;
  for (let round = 0; round < 2; ++round) {
    const before = provider.counts['/token'];
    const fresh = await until(async () => {
      const answer = (await token(home, asked.connection_id)).json;
      return answer.access_token !== last.access_token && answer;
    }, 'a refreshed token');
    assert.equal(provider.counts['/token'], before + 1);
    last = fresh;
  }
  const forced = await home.api('POST', `/v1/refresh/${asked.connection_id}`, '');
  assert.equal(forced.status, 200);
  assert.notEqual(forced.json.access_token, last.access_token);
  assert.equal(forced.json.strategy.type, 'oauth2');

  await provider.revokeGrants();
  const refused = await home.api('POST', `/v1/refresh/${asked.connection_id}`, '');
  assert.equal(refused.status, 409);
  for (const field of ['status', 'code', 'error']) assert.equal(refused.json[field], 'attention_required');
  assert.equal(await home.status(asked.connection_id), 'attention_required');
  // Nobody retries: the answer comes from the store.
  const requests = provider.counts['/token'];
  for (let i = 0; i < 3; ++i) assert.equal((await token(home, asked.connection_id)).status, 409);
  assert.equal(provider.counts['/token'], requests);

  // A person reconnects: the alias moves, the old one goes.
  await home.nexus(['alias', asked.connection_id, 'mine']);
  const again = await request(home, { replaces: 'mine' });
  await visit(await consent(again.auth_url));
  const mine = await home.nexus(['status', 'mine', '--json']);
  assert.equal(mine.code, 0, mine.stderr);
  assert.equal(JSON.parse(mine.stdout).connections[0].connection_id, again.connection_id);
  assert.equal((await token(home, asked.connection_id)).status, 410);
});

test('a refused consent fails the connection and says so', async () => {
  const asked = await request(home, { return_url: 'https://app.example.com/back?x=1#f' });
  const page = await visit(await consent(asked.auth_url, { deny: true }));
  assert.equal(page.status, 302);
  const location = new URL(page.headers.get('location'));
  assert.equal(location.searchParams.get('status'), 'failed');
  assert.equal(location.searchParams.get('error'), 'access_denied');
  assert.equal(location.searchParams.get('connection_id'), asked.connection_id);
  assert.equal(location.searchParams.get('x'), '1');
  assert.equal(location.hash, '#f');
  assert.equal(await home.status(asked.connection_id), 'failed');
});

test('a return_url gets status and connection_id, nothing secret', async () => {
  const asked = await request(home, { return_url: 'http://localhost:3000/done' });
  const page = await visit(await consent(asked.auth_url));
  const location = new URL(page.headers.get('location'));
  assert.deepEqual([...location.searchParams.keys()], ['status', 'connection_id', 'provider']);
  assert.equal(location.searchParams.get('status'), 'success');
});

test('disconnecting revokes at the provider and leaves nothing', async () => {
  const asked = await request(home);
  await visit(await consent(asked.auth_url));
  const gone = await home.api('DELETE', `/v1/connections/${asked.connection_id}`);
  assert.equal(gone.status, 200);
  assert.equal(gone.json.provider_revoked, true);
  assert.equal((await token(home, asked.connection_id)).status, 410);
  const repeat = await home.api('DELETE', `/v1/connections/${asked.connection_id}`);
  assert.equal(repeat.json.already_revoked, true);
  assert.equal(repeat.json.provider_revoked, true);
});

test('the callback port is open only while somebody is expected', async () => {
  const reachable = () => fetch(home.callbackBase).then(() => true, () => false);
  const asked = await request(home);
  assert.equal(await reachable(), true);
  const callback = `${home.callbackBase}/auth/callback`;
  assert.equal((await fetch(callback, { method: 'POST' })).status, 405);
  assert.equal((await fetch(`${home.callbackBase}/v1/connections`)).status, 404);
  assert.equal((await fetch(`${callback}?state=x&code=y`)).status, 400);
  const evil = await home.raw('GET /auth/callback HTTP/1.1\r\nHost: evil.example\r\n\r\n',
    { target: { port: home.callbackPort, host: '127.0.0.1' } });
  assert.match(evil, /^HTTP\/1\.1 421 /);
  assert.equal(await home.status(asked.connection_id), 'pending');
  await visit(await consent(asked.auth_url));
  assert.equal(await home.status(asked.connection_id), 'active');
  await until(async () => !(await reachable()), 'the callback port is closed', 5000);
});

test('the callback port is free again when the one who was expected is disconnected', async () => {
  const reachable = () => fetch(home.callbackBase).then(() => true, () => false);
  const asked = await request(home);
  assert.equal(await reachable(), true);
  await home.api('DELETE', `/v1/connections/${asked.connection_id}`);
  await until(async () => !(await reachable()), 'the callback port is closed', 5000);
});

test('a pending consent survives a restart of the daemon', async () => {
  const asked = await request(home);
  await home.stop('SIGKILL');
  await home.start();
  await visit(await consent(asked.auth_url));
  assert.equal(await home.status(asked.connection_id), 'active');
});

test('asking how a consent in a browser stands costs one read of the store', async () => {
  const asked = await request(home);
  assert.deepEqual(await readsOf(home, async () => {
    for (let i = 0; i < 5; ++i) assert.equal(await home.status(asked.connection_id), 'pending');
  }), { connection: 5 });
});
