// Disconnecting (H5 to H8, F21): what the provider is asked, and that nothing is said which is not so.
import { test, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { reply } from '../provider/misbehaving.mjs';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, startOver, token, SECRET } from '../support/flow.mjs';
import { until } from '../support/nexus.mjs';

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);
beforeEach(() => startOver(home, provider));

const revocations = () => provider.requests.filter((r) => r.path === '/revoke');
/** What the revocation endpoint answers; `act` gets the response and how often it was asked before. */
function onRevoke(act) {
  let count = 0;
  provider.onOther = (path, response, entry) => path === '/revoke' && act(response, count++, entry);
}
/** How many sealed values the vault still has of a connection. */
const credentialsOf = (id) => Number(execFileSync('sqlite3',
  [`${home.data}/nexus.db`, `SELECT count(*) FROM credentials WHERE owner = '${id}'`]).toString());

test('refresh token first, then the access token: hints, body, authentication (H5)', async () => {
  const { id } = await connect(home, provider);
  const run = await home.nexus(['disconnect', id]);
  assert.equal(run.code, 0);
  assert.match(run.stderr, /revoked its tokens, too/);
  assert.deepEqual(revocations().map((r) => r.form.get('token_type_hint')), ['refresh_token', 'access_token']);
  assert.match(revocations()[0].form.get('token'), /^rt-/);
  for (const { headers, query } of revocations()) {
    assert.equal(headers.authorization, `Basic ${Buffer.from(`client-1:${SECRET}`).toString('base64')}`);
    assert.equal([...query].length, 0);
  }
  assert.equal(credentialsOf(id), 0);
});

test('a provider in trouble is asked again, no sooner than it says, until it has done it (H6)', async () => {
  const { id } = await connect(home, provider);
  const times = [];
  onRevoke((response, count) => {
    times.push(Date.now());
    return count < 2 ? reply(response, {}, 503, { 'retry-after': '3' }) : reply(response, {}, 200);
  });
  const run = await home.nexus(['disconnect', id]);
  assert.equal(run.code, 0);
  assert.match(run.stdout, /nobody gets its credentials any more/);
  assert.match(run.stderr, /has not revoked its tokens yet: the revocation endpoint answered 503/);
  assert.ok(!/revoked its tokens, too/.test(run.stderr));
  assert.equal((await token(home, id)).json.code, 'connection_revoked');
  const again = await home.api('DELETE', `/v1/connections/${id}`);
  assert.deepEqual([again.json.already_revoked, again.json.provider_revoked, again.json.provider_revocation_pending], [true, false, true]);
  await until(async () => (await home.api('DELETE', `/v1/connections/${id}`)).json.provider_revoked, 'the revocation', 20000);
  assert.ok(times[2] - times[1] >= 3000);
  assert.equal(credentialsOf(id), 0);
  assert.equal((await home.api('GET', '/v1/audit?event_type=grant_revoked')).json[0].connection_id, id);
});

test('a pending revocation survives a restart (H7), also one whose daemon was killed while it asked', async () => {
  const one = (await connect(home, provider)).id;
  const two = (await connect(home, provider)).id;
  onRevoke((response) => { response.socket.resetAndDestroy(); return true; });
  assert.equal((await home.api('DELETE', `/v1/connections/${one}`)).json.provider_revocation_pending, true);
  let asked = false;
  onRevoke(() => { asked = true; return true; });  // never answers
  home.api('DELETE', `/v1/connections/${two}`).catch(() => {});
  await until(() => asked, 'the request');
  await home.stop('SIGKILL');
  provider.onOther = null;
  await home.start();
  assert.equal((await token(home, two)).json.code, 'connection_revoked');
  await until(async () => (await home.api('DELETE', `/v1/connections/${one}`)).json.provider_revoked, 'the first', 20000);
  // The killed one is due a minute after it began: that much is not waited for here.
  assert.equal((await home.api('DELETE', `/v1/connections/${two}`)).json.provider_revocation_pending, true);
});

test('unsupported_token_type: the other token is tried (H6)', async () => {
  const { id } = await connect(home, provider);
  onRevoke((response, _, entry) => entry.form.get('token_type_hint') === 'refresh_token'
    ? reply(response, { error: 'unsupported_token_type' }, 400) : reply(response, {}, 200));
  const gone = (await home.api('DELETE', `/v1/connections/${id}`)).json;
  assert.deepEqual([gone.provider_revoked, gone.provider_revocation_pending, revocations().length], [true, false, 2]);
});

test('an access token that is revoked does not make up for a refresh token that is not', async () => {
  const { id } = await connect(home, provider);
  onRevoke((response, _, entry) => entry.form.get('token_type_hint') === 'refresh_token'
    ? reply(response, { error: 'invalid_request' }, 400) : reply(response, {}, 200));
  const gone = (await home.api('DELETE', `/v1/connections/${id}`)).json;
  assert.deepEqual([gone.provider_revoked, gone.provider_revocation_pending], [false, false]);
  assert.match(gone.provider_revocation_error, /400 \(invalid_request\)/);
});

test('other answers are told, and never as revoked', async (t) => {
  const cases = {
    'invalid_client': [(r) => reply(r, { error: 'invalid_client' }, 401), /401 \(invalid_client\)/],
    'a refusal': [(r) => reply(r, { error: 'invalid_request', error_description: 'no' }, 400), /400 \(invalid_request: no\)/],
    'a redirect (H8)': [(r) => reply(r, {}, 307, { location: `${provider.issuer}/stolen` }), /answered 307/],
    '204': [(r) => { r.writeHead(204); r.end(); return true; }, /answered 204/],
  };
  for (const [name, [act, told]] of Object.entries(cases))
    await t.test(name, async () => {
      const { id } = await connect(home, provider);
      onRevoke(act);
      const run = await home.nexus(['disconnect', id]);
      assert.equal(run.code, 0);
      assert.match(run.stderr, told);
      assert.match(run.stderr, /did not revoke its tokens/);
      assert.equal(provider.requests.filter((r) => r.path === '/stolen').length, 0);
      assert.equal(credentialsOf(id), 0);
      provider.onOther = null;
    });
  await t.test('no endpoint', async () => {
    await register(home, provider.issuer, { name: 'bare', issuer: undefined, auth_url: `${provider.issuer}/authorize`, token_url: `${provider.issuer}/token`, scopes: ['a'] });
    provider.authorizationResponse = (parameters) => ({ ...parameters, iss: undefined });
    const { id } = await connect(home, provider, { provider_name: 'bare' });
    assert.match((await home.nexus(['disconnect', id])).stderr, /has no revocation endpoint/);
    assert.equal(credentialsOf(id), 0);
  });
});

test('an http revocation endpoint of an https provider gets no token (H8)', async () => {
  const run = await home.nexus(['provider', 'add', 'downgrade', '--auth-url', 'https://a.example/authorize', '--token-url', 'https://a.example/token',
    '--param', 'revocation_endpoint=http://a.example/revoke', '--client-id', 'c']);
  assert.equal(run.code, 2);
  assert.match(run.stderr, /revocation_endpoint/);
});

test('disconnected while the provider answers a refresh: the new token is revoked as well (F21)', async () => {
  provider.rotate = true;
  const { id } = await connect(home, provider);
  let release;
  provider.onToken = (form, response) => {
    if (form.get('grant_type') !== 'refresh_token') return false;
    release = () => reply(response, { access_token: 'at-late', refresh_token: 'rt-late', token_type: 'Bearer', expires_in: 60 }, 200);
    return true;
  };
  const refreshing = home.api('POST', `/v1/refresh/${id}`);
  await until(() => release, 'the refresh at the provider');
  assert.equal((await home.api('DELETE', `/v1/connections/${id}`)).json.provider_revoked, true);
  release();
  assert.equal((await refreshing).status, 410);
  assert.ok(revocations().some((r) => r.form.get('token') === 'rt-late'));
  assert.equal(credentialsOf(id), 0);
});
