// Refreshing under every fault: nobody is logged out by mistake, nothing acknowledged is lost.
import { test, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, readsOf, register, request, startOver, token, visit } from '../support/flow.mjs';
import { BIN, until } from '../support/nexus.mjs';

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);
beforeEach(() => startOver(home, provider));

const answer = (response, status, body, type = 'application/json', headers = {}) => {
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
  return true;
};
const onRefresh = (act) => (form, response) => form.get('grant_type') === 'refresh_token' && act(response, form);
const refresh = (id) => home.api('POST', `/v1/refresh/${id}`, '');
const refreshes = () => provider.tokenRequests('refresh_token').length;

test('what the provider says decides who has to act (F9)', async (t) => {
  const cases = {
    'invalid_grant': [(r) => answer(r, 400, { error: 'invalid_grant' }), 409, 'attention_required'],
    '401 invalid_token': [(r) => answer(r, 401, { error: 'invalid_token' }), 409, 'attention_required'],
    'invalid_client': [(r) => answer(r, 401, { error: 'invalid_client' }), 500, 'active'],
    'unauthorized_client': [(r) => answer(r, 400, { error: 'unauthorized_client' }), 500, 'active'],
    'invalid_scope': [(r) => answer(r, 400, { error: 'invalid_scope' }), 500, 'active'],
    '500': [(r) => answer(r, 500, {}), 502, 'active'],
    '503': [(r) => answer(r, 503, {}, 'application/json'), 502, 'active'],
    '429': [(r) => answer(r, 429, { error: 'invalid_grant' }), 502, 'active'],
    '408': [(r) => answer(r, 408, {}), 502, 'active'],
    'a captive portal': [(r) => answer(r, 200, '<h1>Wi-Fi</h1>', 'text/html'), 502, 'active'],
    'html with 400': [(r) => answer(r, 400, '<h1>blocked</h1>', 'text/html'), 502, 'active'],
    'another OAuth error': [(r) => answer(r, 400, { error: 'temporarily_unavailable' }), 502, 'active'],
    'interaction_required': [(r) => answer(r, 400, { error: 'interaction_required' }), 409, 'attention_required'],
    'revoked, in words': [(r) => answer(r, 400, { error: 'invalid_request', error_description: 'this token was revoked' }), 409, 'attention_required'],
    'revoked, without an OAuth error': [(r) => answer(r, 400, { message: 'Token has been revoked' }), 409, 'attention_required'],
    'revoked, in plain text': [(r) => answer(r, 400, 'Token has been revoked', 'text/plain'), 409, 'attention_required'],
    'revoked, within the error': [(r) => answer(r, 400, { error: { message: 'access was revoked by the user' } }), 409, 'attention_required'],
    'bad_refresh_token': [(r) => answer(r, 400, { error: 'bad_refresh_token' }), 409, 'attention_required'],
    'an answer that is too large': [(r) => answer(r, 200, 'x'.repeat(1 << 21)), 502, 'active'],
    'a reset': [(r) => { r.socket.resetAndDestroy(); return true; }, 502, 'active'],
    'token_type mac': [(r) => answer(r, 200, { access_token: 'a', token_type: 'mac' }), 502, 'active'],
  };
  for (const [name, [act, status, state]] of Object.entries(cases)) {
    await t.test(name, async () => {
      const { id } = await connect(home, provider);
      const old = (await token(home, id)).json.access_token;
      provider.onToken = onRefresh(act);
      const refused = await refresh(id);
      assert.equal(refused.status, status, refused.text);
      assert.equal(await home.status(id), state);
      if (state === 'active') {
        // The token that is still valid goes on being served; the grant is as good as before.
        assert.equal((await token(home, id)).json.access_token, old);
        provider.onToken = null;
        assert.equal((await refresh(id)).status, 200);
      } else {
        const before = refreshes();
        assert.equal((await token(home, id)).status, 409);
        assert.equal((await refresh(id)).status, 409);
        assert.equal(refreshes(), before);
      }
    });
  }
});

test('an answer without refresh_token keeps the old one', async () => {
  for (const value of [undefined, null, '']) {
    provider.rotate = false;
    const { id } = await connect(home, provider);
    provider.tokenAnswer = (a) => ({ ...a, refresh_token: value });
    for (let i = 0; i < 2; ++i) assert.equal((await refresh(id)).status, 200);
    provider.tokenAnswer = (a) => a;
  }
});

test('a life that nobody tells is said to be that, and never where the provider says so', async () => {
  await register(home, provider.issuer, { name: 'lasting', params: { tokens_never_expire: true } });
  await register(home, provider.issuer, { name: 'silent', params: { untold_expiry_is_never: true } });
  const told = await connect(home, provider, { provider_name: 'silent', alias: 'told' });
  assert.ok((await home.api('GET', `/v1/connections/${told.id}`)).json.expires_at > 0, 'what is told holds');
  assert.equal((await home.api('POST', `/v1/refresh/${told.id}`, '')).status, 200);
  await home.nexus(['disconnect', 'told', '--yes']);
  provider.expiresIn = undefined;
  for (const [name, never, shown] of [['demo', false, 'not told'], ['lasting', true, 'never'], ['silent', true, 'never']]) {
    const { id } = await connect(home, provider, { provider_name: name });
    const told = (await home.api('GET', `/v1/connections/${id}`)).json;
    assert.deepEqual([told.expires_at, told.never_expires], [null, never]);
    assert.deepEqual(await readsOf(home, () => home.api('GET', `/v1/connections/${id}`)), { connection: 1 }, 'it is known without a second read');
    assert.match((await home.nexus(['status', id])).stdout, new RegExp(`^token expires +${shown}$`, 'm'));
    assert.match((await home.nexus(['list'])).stdout, new RegExp(`${name} .*active +${shown}( |$)`, 'm'));
    assert.match((await home.nexus(['status'])).stdout, new RegExp(`${name} +active, ${never ? 'it does not expire' : 'its provider tells no expiry'}$`, 'm'));
    assert.equal((await token(home, id, '?min_ttl=3600')).status, 200);
  }
});

test('a rotated refresh token is used from then on, and no answer ever shows one', async () => {
  provider.rotate = true;
  const { id } = await connect(home, provider);
  const answers = [];
  for (let i = 0; i < 3; ++i) answers.push(await refresh(id));
  assert.deepEqual(answers.map((a) => a.status), [200, 200, 200]);
  const used = provider.tokenRequests('refresh_token').map((r) => r.form.get('refresh_token'));
  assert.equal(new Set(used).size, 3);
  answers.push(await token(home, id), await home.api('GET', `/v1/connections/${id}`), await home.api('GET', '/v1/connections'));
  for (const { text } of answers) for (const secret of used) assert.ok(!text.includes(secret));
});

test('50 callers of an expired token cause one refresh, and all get its result', async () => {
  provider.expiresIn = 1;
  provider.rotate = true;
  let release;
  // From the start: on a slow machine the first token is over before anybody has asked for it.
  provider.onToken = onRefresh((response, form) => {
    provider.onToken = null;
    release = () => { provider.refreshTokens.delete(form.get('refresh_token')); provider.refreshTokens.add('rt-next'); answer(response, 200, { access_token: 'at-next', token_type: 'Bearer', expires_in: 3600, refresh_token: 'rt-next' }); };
    return true;
  });
  const { id } = await connect(home, provider);
  provider.expiresIn = 3600;
  // Wait until the first token is over, so that every caller needs the refresh.
  await until(async () => (await home.api('GET', `/v1/connections/${id}`)).json.expires_at < Date.now() / 1000 - 1, 'expiry');
  const callers = Array.from({ length: 50 }, () => token(home, id));
  await until(() => release, 'the refresh request');
  assert.equal((await home.api('GET', '/health')).status, 200);  // waiting callers hold up nobody
  release();
  const answers = await Promise.all(callers);
  assert.deepEqual([...new Set(answers.map((a) => a.status))], [200]);
  assert.deepEqual([...new Set(answers.map((a) => a.json.access_token))], ['at-next']);
  assert.equal(refreshes(), 1);
});

test('50 nexus processes on an expired token at a provider that takes 3 s, half of them killed: one request, the others served', { timeout: 60000 }, async () => {
  provider.expiresIn = 1;
  provider.rotate = true;
  const { id } = await connect(home, provider);
  provider.expiresIn = 3600;
  await until(async () => (await home.api('GET', `/v1/connections/${id}`)).json.expires_at < Date.now() / 1000 - 1, 'expiry');
  let asked = false;
  provider.onToken = onRefresh((response, form) => {
    provider.onToken = null;
    asked = true;
    provider.refreshTokens.delete(form.get('refresh_token'));
    provider.refreshTokens.add('rt-slow');
    setTimeout(() => answer(response, 200, { access_token: 'at-slow', token_type: 'Bearer', expires_in: 3600, refresh_token: 'rt-slow' }), 3000);
    return true;
  });
  const callers = Array.from({ length: 50 }, () => {
    const child = spawn(join(BIN, 'nexus'), ['token', id], { env: home.env, stdio: ['ignore', 'pipe', 'ignore'] });
    child.out = '';
    child.stdout.on('data', (part) => { child.out += part; });
    return child;
  });
  await until(() => asked, 'the refresh at the provider');
  const ends = callers.map((child) => once(child, 'close'));
  for (const child of callers.slice(25)) child.kill('SIGKILL');
  await Promise.all(ends);
  assert.deepEqual([...new Set(callers.slice(0, 25).map((child) => child.out))], ['at-slow']);
  assert.equal(refreshes(), 1);
  assert.equal((await home.api('POST', `/v1/refresh/${id}`)).status, 200, 'the rotated refresh token was kept');
});

test('a caller that leaves does not lose the refresh', async () => {
  const { id } = await connect(home, provider);
  let release;
  provider.onToken = onRefresh((response) => { release = () => answer(response, 200, { access_token: 'at-kept', token_type: 'Bearer', expires_in: 3600 }); return true; });
  const leaving = home.raw(`POST /v1/refresh/${id} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n`, { quietMs: 50 });
  await until(() => release, 'the refresh request');
  await leaving;
  release();
  provider.onToken = null;
  await until(async () => (await token(home, id)).json.access_token === 'at-kept', 'the kept token');
});

test('an expired token is never served, a token that expires at once does not loop', async () => {
  provider.expiresIn = 0;
  const { id } = await connect(home, provider);
  provider.onToken = onRefresh((response) => answer(response, 500, {}));
  const refused = await token(home, id);
  assert.equal(refused.status, 502);
  assert.ok(!refused.text.includes('at-'));
  provider.onToken = null;
  const before = refreshes();
  const waiting = await token(home, id);
  assert.equal(waiting.json.code, 'upstream_error');
  assert.ok(Number(waiting.headers['retry-after']) >= 1, 'it is told when to come back');
  assert.equal(refreshes(), before, 'and until then nobody is asked');
  await new Promise((go) => setTimeout(go, 3000));  // that little is asked shows only in time
  assert.equal((await token(home, id)).json.code, 'upstream_error');
  assert.ok(refreshes() > before && refreshes() <= before + 2, `${refreshes() - before} requests in 3 s`);
});

test('a refresh asks for no scope (F18), and fewer granted in its answer are recorded and shown', async () => {
  const { id } = await connect(home, provider);
  provider.tokenAnswer = (given) => ({ ...given, scope: 'openid' });
  const answered = (await refresh(id)).json;
  assert.equal(answered.scope, 'openid');
  assert.ok(!provider.tokenRequests('refresh_token').at(-1).form.has('scope'));
  const shown = JSON.parse((await home.nexus(['status', id, '--json'])).stdout).connections[0];
  assert.deepEqual(shown.scopes, ['openid']);
});

test('a rejection right after a good refresh is a security event (F14): somebody else used the token', async () => {
  provider.rotate = true;
  const { id } = await connect(home, provider);
  assert.equal((await refresh(id)).status, 200);
  // The old token is replayed from outside, so the provider ends the grant.
  provider.refreshTokens.clear();
  assert.equal((await refresh(id)).status, 409);
  const events = (await home.api('GET', '/v1/audit?limit=5')).json.map((r) => r.event_type);
  assert.ok(events.includes('refresh_token_reuse_suspected'), events.join(' '));
});

test('attention is told everywhere, kept, and ended by reconnecting (F20)', async () => {
  const { id } = await connect(home, provider, { alias: 'mail' });
  provider.refreshTokens.clear();
  assert.equal((await refresh(id)).status, 409);
  const asked = refreshes();
  for (let at = 0; at < 3; ++at) {
    const run = await home.nexus(['token', 'mail']);
    assert.deepEqual([run.code, run.stdout], [4, '']);
    assert.match(run.stderr, /run: nexus connect demo --replace mail\n/);
  }
  assert.equal((await refresh(id)).status, 409);
  assert.equal(refreshes(), asked, 'nobody retries');
  assert.equal((await home.nexus(['status', 'mail'])).code, 4);
  const metrics = await home.api('GET', '/metrics');
  assert.match(metrics.text, /nexus_connections_total\{status="attention_required"\} 1/);
  const again = await request(home, { replaces: 'mail' });
  assert.equal((await home.nexus(['token', 'mail'])).code, 4, 'until the new one is active');
  await visit(provider.consent(again.auth_url));
  const run = await home.nexus(['token', 'mail']);
  assert.equal(run.code, 0, run.stderr);
  assert.equal((await token(home, id)).json.code, 'connection_revoked');
});

test('min_ttl refreshes when less is left, and not when enough is', async () => {
  provider.expiresIn = 1000;
  const { id } = await connect(home, provider);
  await until(async () => Date.now() / 1000 > (await home.api('GET', `/v1/connections/${id}`)).json.expires_at - 998, 'two seconds');
  await token(home, id, '?min_ttl=100');
  assert.equal(refreshes(), 0);
  await token(home, id, '?min_ttl=999');
  assert.equal(refreshes(), 1);
  assert.equal((await token(home, id, '?min_ttl=-1')).json.code, 'invalid_field');
});

test('a refreshed id_token of another person is refused, a good one is taken', async () => {
  const { id } = await connect(home, provider);
  const asked = (claims) => { provider.tokenAnswer = (a) => ({ ...a, id_token: provider.key.sign({ iss: provider.issuer, aud: 'client-1', exp: Date.now() / 1000 + 600, iat: Date.now() / 1000, ...claims }) }); };
  asked({ sub: 'mallory' });
  assert.equal((await refresh(id)).status, 502);
  assert.equal(await home.status(id), 'active');
  asked({ sub: 'alice' });
  assert.equal((await refresh(id)).status, 200);
});

test('a changed token endpoint never gets the old refresh tokens', async () => {
  await register(home, provider.issuer, { name: 'moving' });
  const { id } = await connect(home, provider, { provider_name: 'moving' });
  const elsewhere = await MisbehavingProvider.start();
  await register(home, elsewhere.issuer, { name: 'moving', replace: true });
  assert.equal(await home.status(id), 'attention_required');
  assert.equal((await refresh(id)).status, 409);
  assert.equal(elsewhere.tokenRequests().length, 0);
  await elsewhere.close();
});

test('a corrected client secret mends its connections without a new consent', async () => {
  await register(home, provider.issuer, { name: 'rotating' });
  const { id } = await connect(home, provider, { provider_name: 'rotating' });
  provider.onToken = (form, response, { headers }) =>
    Buffer.from(headers.authorization.slice(6), 'base64').toString().endsWith(':new-secret') ? false : answer(response, 401, { error: 'invalid_client' });
  assert.equal((await refresh(id)).json.code, 'provider_misconfigured');
  await register(home, provider.issuer, { name: 'rotating', client_secret: 'new-secret', replace: true });
  assert.equal((await refresh(id)).status, 200);
});

test('kill -9 around refreshes loses no refresh token that a caller was told about', { timeout: 120000 }, async () => {
  provider.rotate = true;
  let { id } = await connect(home, provider);
  let unacknowledged = 0;
  for (let round = 0; round < 20; ++round) {
    // Even rounds kill right after the caller has the answer, odd ones as soon as the provider was asked.
    const before = refreshes();
    let acknowledged = false;
    const asked = refresh(id).then((r) => { acknowledged = r.status === 200; }, () => {});
    await (round % 2 === 0 ? asked : until(() => refreshes() > before, 'a refresh request'));
    await home.stop('SIGKILL');
    await asked;
    await home.start();
    const next = await refresh(id);
    if (next.status === 200) continue;
    // The provider rotated and we died before its answer was stored: nobody had been told of it.
    assert.equal(next.status, 409);
    assert.equal(acknowledged, false, 'an acknowledged refresh token was lost');
    ++unacknowledged;
    ({ id } = await connect(home, provider));
  }
  assert.ok(unacknowledged <= 10);
});
