// A grant that a person has already: its refresh token becomes a connection, and is never seen again.
import { test, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { daemonAndProvider } from '../support/fixture.mjs';
import { register, token } from '../support/flow.mjs';
import { Terminal } from '../support/terminal.mjs';

const OWN = 'canary-own-refresh-token-77';

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);
beforeEach(() => {
  provider.reset();
  provider.refreshTokens.add(OWN);
});

const adopt = (args = [], input = `${OWN}\n`) => home.nexus(['connect', 'demo', '--refresh-token-stdin', ...args], { input });

test('the token is used once, and what it brings is kept; a rotated one replaces it', async () => {
  provider.rotate = true;
  const { code, stdout, stderr } = await adopt(['--alias', 'mine']);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^conn_\w{26}\n$/);
  const id = stdout.trim();
  assert.equal(provider.tokenRequests('refresh_token')[0].form.get('refresh_token'), OWN);
  assert.equal((await token(home, 'mine')).status, 200);
  assert.equal((await home.api('POST', `/v1/refresh/${id}`, '')).status, 200);
  const used = provider.tokenRequests('refresh_token').map(({ form }) => form.get('refresh_token'));
  assert.equal(new Set(used).size, 2, 'the second refresh used the rotated token');
  assert.ok((await home.api('GET', `/v1/connections/${id}`)).json.next_refresh_at, 'it is kept fresh as others are');
});

test('one that does not rotate is kept as it is; an id_token tells whose it is', async () => {
  provider.tokenAnswer = (answer) => ({ ...answer, id_token: provider.key.sign({ iss: provider.issuer, aud: 'client-1', sub: 'alice', email: 'alice@example.com', exp: Date.now() / 1000 + 600, iat: Date.now() / 1000 }) });
  const first = await adopt(['--json']);
  const { connection_id: id, status } = JSON.parse(first.stdout);
  assert.equal(status, 'active');
  assert.equal((await home.api('GET', `/v1/connections/${id}`)).json.account, 'alice@example.com');
  assert.equal((await home.api('POST', `/v1/refresh/${id}`, '')).status, 200);
  const replaced = await adopt(['--replace', id, '--json']);
  assert.equal(replaced.code, 0, replaced.stderr);
  assert.equal((await token(home, id)).status, 410);
});

test('one that the provider does not take makes no connection', async () => {
  const usable = async () => (await home.api('GET', '/v1/connections')).json.filter(({ status }) => status === 'active').length;
  const before = await usable();
  provider.refreshTokens.clear();
  provider.onToken = (form, response) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: 'invalid_grant', error_description: `unknown: ${form.get('refresh_token')}` }));
    return true;
  };
  const refused = await adopt();
  assert.equal(refused.code, 1);
  assert.equal(refused.stdout, '');
  assert.match(refused.stderr, /demo does not take this refresh token/);
  assert.match(refused.stderr, /taken back: the connection\n/);
  provider.onToken = (form, response) => { response.writeHead(503); response.end(); return true; };
  assert.equal((await adopt()).code, 10);
  assert.equal(await usable(), before);
  assert.deepEqual((await home.api('GET', '/v1/connections?pending=true')).json.filter(({ status }) => status !== 'active'), [], 'nor a failed one that stays in the list');
  for (const text of [refused.stderr, home.log]) assert.ok(!text.includes(OWN));
});

test('bad input is refused before anybody is asked', async () => {
  await home.api('POST', '/v1/providers', { name: 'static', auth_type: 'api_key', params: { validation: { skip: true } } });
  assert.equal((await adopt([], '')).code, 2);
  assert.equal((await adopt([], 'a\u0007b')).code, 2);
  assert.equal((await adopt([], 'schlüssel')).code, 2);
  const wrong = await home.nexus(['connect', 'static', '--refresh-token-stdin'], { input: OWN });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /has no refresh tokens/);
  for (const body of [{ provider_name: 'demo' }, { provider_name: 'demo', refresh_token: 7 }, { provider_name: 'demo', refresh_token: '' }])
    assert.equal((await home.api('POST', '/v1/adopt-connection', body)).status, 400);
  assert.equal(provider.tokenRequests().length, 0);
});

test('on a terminal it is typed without being shown', async () => {
  const terminal = new Terminal(home, ['connect', 'demo', '--refresh-token-stdin']);
  await terminal.answer(/Refresh token \(not shown\): /, OWN);
  const { code, text } = await terminal.end();
  assert.equal(code, 0, text);
  assert.ok(!text.includes(OWN));
});

test('no answer, log or file shows it', async () => {
  const answers = [await home.api('GET', '/v1/connections'), await home.api('GET', '/v1/audit?limit=1000')];
  await home.stop();
  for (const text of [...answers.map((a) => a.text), home.log, ...['nexus.db', 'nexus.db-wal', 'audit.db', 'audit.db-wal'].map((file) => home.file(file).toString('latin1'))])
    assert.ok(!text.includes(OWN));
  await home.start();
});
