// Tokens that never go stale: refreshed before anybody asks, patient with a provider in trouble.
import { test, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, startOver, token } from '../support/flow.mjs';
import { BIN, Home, until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);
beforeEach(() => startOver(home, provider));

const refreshes = () => provider.tokenRequests('refresh_token');
const onRefresh = (act) => (form, response) => form.get('grant_type') === 'refresh_token' && act(response, form);
const answer = (response, status, body = {}, headers = {}) => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
  return true;
};
const sleep = (ms) => new Promise((go) => setTimeout(go, ms));
const describe = async (id) => (await home.api('GET', `/v1/connections/${id}`)).json;

test('tokens are refreshed before they expire, once each, without anybody asking', { timeout: 60000 }, async () => {
  provider.expiresIn = 10;
  provider.rotate = true;
  const ids = [];
  for (let i = 0; i < 20; ++i) ids.push((await connect(home, provider)).id);
  const { next_refresh_at: due, expires_at: end } = await describe(ids[0]);
  assert.ok(due < end - 1 && due > end - 6, `${due} before ${end}`);
  await until(async () => refreshes().length >= 40, 'two rounds of refreshes', 30000);
  const used = refreshes().map(({ form }) => form.get('refresh_token'));
  assert.equal(new Set(used).size, used.length, 'no refresh token was used twice');
  for (const id of ids) {
    const { json, status } = await token(home, id);
    assert.equal(status, 200);
    assert.ok(json.expires_in > 0);
    assert.equal(await home.status(id), 'active');
  }
});

test('a provider in trouble is asked less and less, and the others do not pile up (F10)', { timeout: 60000 }, async () => {
  provider.expiresIn = 10;
  const ids = [];
  for (let i = 0; i < 30; ++i) ids.push((await connect(home, provider)).id);
  provider.onToken = onRefresh((response) => answer(response, 500));
  // A machine that took long to connect them all has refreshed the first ones by now.
  const calm = refreshes().length;
  await until(() => refreshes().length > calm, 'the first refresh', 20000);
  await sleep(8000);
  const asked = refreshes().length - calm;
  assert.ok(asked <= 30, `${asked} requests of 30 connections in 8 s, ${calm} before`);
  for (const id of ids) assert.equal(await home.status(id), 'active', 'no false attention');
  provider.onToken = null;
  const before = refreshes().length;
  await until(async () => {
    const all = await Promise.all(ids.map((id) => token(home, id)));
    return all.every(({ status }) => status === 200);
  }, 'recovery', 70000);
  assert.ok(refreshes().length > before);
});

test('Retry-After is kept, also by a forced refresh when it is short (F11)', { timeout: 60000 }, async () => {
  const { id } = await connect(home, provider);
  const forced = () => home.api('POST', `/v1/refresh/${id}`, '');
  provider.onToken = onRefresh((response) => answer(response, 429, {}, { 'retry-after': '4' }));
  const first = await forced();
  assert.equal(first.status, 502);
  assert.equal(first.headers['retry-after'], '4');
  provider.onToken = null;
  const second = await forced();
  assert.equal(second.status, 502);
  assert.ok(Number(second.headers['retry-after']) <= 4);
  assert.equal(refreshes().length, 1, 'nobody was asked again');
  assert.equal((await token(home, id)).status, 200, 'the token that is still good is served');
  await sleep(4100);
  assert.equal((await forced()).status, 200);

  for (const absurd of ['99999999999999999999', 'soon', '-5']) {
    provider.onToken = onRefresh((response) => answer(response, 503, {}, { 'retry-after': absurd }));
    await forced();
    provider.onToken = null;
    assert.equal((await forced()).status, 200, `a person who insists gets through: ${absurd}`);
  }
});

test('a lost answer is asked for once more (F7): with grace all is well, without it a person is told why', { timeout: 60000 }, async () => {
  provider.rotate = true;
  const lost = (grace) => {
    let first = true;
    provider.onToken = onRefresh((response, form) => {
      if (!first) return false;
      first = false;
      if (!grace) provider.refreshTokens.delete(form.get('refresh_token'));
      response.socket.destroy();
      return true;
    });
  };
  const kind = await connect(home, provider);
  lost(true);
  assert.equal((await home.api('POST', `/v1/refresh/${kind.id}`, '')).status, 200);
  assert.equal(refreshes().length, 2);

  const strict = await connect(home, provider);
  lost(false);
  const refused = await home.api('POST', `/v1/refresh/${strict.id}`, '');
  assert.equal(refused.status, 409);
  assert.match(refused.json.message, /interrupted refresh/);
  assert.equal(refreshes().length, 4, 'and nothing after that');
  assert.equal((await home.api('POST', `/v1/refresh/${strict.id}`, '')).status, 409);
  assert.equal(refreshes().length, 4);
});

test('a daemon that dies while the provider answers tries the token once, and tells what happened (F6)', { timeout: 60000 }, async () => {
  provider.rotate = true;
  const { id } = await connect(home, provider);
  provider.onToken = onRefresh((response, form) => { provider.refreshTokens.delete(form.get('refresh_token')); return true; });
  const asked = home.api('POST', `/v1/refresh/${id}`, '').catch(() => {});
  await until(() => refreshes().length === 1, 'the refresh request');
  await home.stop('SIGKILL');
  await asked;
  provider.onToken = null;
  await home.start();
  const after = await home.api('POST', `/v1/refresh/${id}`, '');
  assert.equal(after.status, 409);
  assert.match(after.json.message, /interrupted refresh/);
  assert.equal(refreshes().length, 2, 'one extra request, no loop');
});

test('a wrong client secret is told on the provider, and its connections recover when it is corrected', { timeout: 60000 }, async () => {
  await register(home, provider.issuer, { name: 'mended' });
  provider.expiresIn = 10;
  const { id } = await connect(home, provider, { provider_name: 'mended' });
  provider.onToken = (form, response, { headers }) =>
    (Buffer.from(headers.authorization.slice(6), 'base64').toString().endsWith(':right-secret') ? false : answer(response, 401, { error: 'invalid_client' }));
  await until(async () => (await describe(id)).last_error?.code === 'provider_misconfigured', 'the error', 20000);
  const health = (await home.api('GET', '/v1/providers/health')).json.find(({ name }) => name === 'mended');
  assert.equal(health.health_status, 'unhealthy');
  assert.match(health.health_message, /invalid_client/);
  const { id: of } = (await home.api('GET', '/v1/providers/by-name/mended')).json;
  await home.api('PATCH', `/v1/providers/${of}`, { client_secret: 'right-secret' });
  await until(async () => (await describe(id)).last_error === null, 'recovery, without anybody asking for the token', 2000);
  assert.equal((await token(home, id)).status, 200);
});

test('a hook is run when a connection needs a person: no shell, JSON on stdin, not too often', { timeout: 60000 }, async () => {
  const own = await Home.make({ env: { NEXUS_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64') } });
  const seen = join(own.dir, 'seen');
  const program = join(own.dir, 'hook; touch never');
  writeFileSync(program, `#!/bin/sh\n{ cat; env; printf 'args %s\\n' "$@"; } >>'${seen}'\n`, { mode: 0o755 });
  writeFileSync(own.configFile, `${readFileSync(own.configFile, 'utf8')}\n[hooks]\non_attention = [${JSON.stringify(program)}, "$(touch never)"]\n`);
  await own.start();
  try {
    await register(own, provider.issuer);
    provider.onToken = onRefresh((response) => answer(response, 400, { error: 'invalid_grant' }));
    const ids = [];
    for (let i = 0; i < 8; ++i) ids.push((await connect(own, provider, { alias: `a${i}` })).id);
    for (const id of ids) assert.equal((await own.api('POST', `/v1/refresh/${id}`, '')).status, 409);
    const text = () => (existsSync(seen) ? readFileSync(seen, 'utf8') : '');
    await until(() => text().split('"event"').length === 7, 'six runs');
    await sleep(300);
    assert.equal(text().split('"event"').length, 7, 'and not eight');
    const first = JSON.parse(text().split('\n').find((line) => line.startsWith('{')));
    assert.equal(first.event, 'attention_required');
    assert.ok(ids.includes(first.connection_id));
    assert.match(first.command, /^nexus connect demo --replace conn_/);
    assert.match(text(), /^args \$\(touch never\)$/m);
    assert.ok(!text().includes('NEXUS_ENCRYPTION_KEY'));
    assert.ok(!existsSync(join(own.dir, 'never')) && !existsSync('never'));
  } finally {
    await own.remove();
  }
});

test('status --watch shows changes as they come, and ends with Ctrl-C', { timeout: 60000 }, async () => {
  const { id } = await connect(home, provider, { alias: 'watched' });
  const terminal = new Terminal(home, ['status', 'watched', '--watch']);
  await terminal.shows(/watched[\s\S]*active/);
  provider.onToken = onRefresh((response) => answer(response, 400, { error: 'invalid_grant' }));
  await home.api('POST', `/v1/refresh/${id}`, '');
  await terminal.shows(/attention_required/);
  await terminal.shows(/run: nexus connect demo --replace watched/);
  terminal.child.stdin.write('\x03');
  assert.equal((await terminal.end()).code, 130);

  const { id: other } = await connect(home, provider, { alias: 'lines' });
  const lines = spawn(join(BIN, 'nexus'), ['status', 'lines', '--watch', '--json'], { env: home.env });
  let text = '';
  lines.stdout.on('data', (part) => { text += part; });
  await until(() => text.includes('"active"'), 'the first line');
  await sleep(3000);
  assert.equal(text.trim().split('\n').length, 1, 'what has not changed is not told again');
  await home.api('POST', `/v1/refresh/${other}`, '');
  await until(() => text.includes('"attention_required"'), 'the change');
  lines.kill('SIGINT');
  const [code] = await once(lines, 'exit');
  assert.equal(code, 130);
});

test('asleep for two lifetimes, then the provider is down at first: no expired token, no burst, no attention (F16)', { timeout: 60000 }, async () => {
  provider.expiresIn = 10;
  const ids = [];
  for (let i = 0; i < 20; ++i) ids.push((await connect(home, provider)).id);
  home.daemon.kill('SIGSTOP');
  await sleep(20000);
  const before = refreshes().length;
  provider.onToken = onRefresh((response) => { response.socket.destroy(); return true; });
  home.daemon.kill('SIGCONT');
  const first = await token(home, ids[0]);
  assert.notEqual(first.status, 200, 'an expired token is not served');
  await sleep(3000);
  assert.ok(refreshes().length - before <= 20, `${refreshes().length - before} requests right after waking`);
  provider.onToken = null;
  await until(async () => (await Promise.all(ids.map((id) => token(home, id)))).every(({ status, json }) => status === 200 && json.expires_in > 0), 'recovery', 70000);
  for (const id of ids) assert.equal(await home.status(id), 'active');
});
