// A data directory that an earlier nexusd wrote (tests/support/data-0.1.0, schema 5) opens, migrates and serves:
// connections of each kind, flows that waited while the daemon was replaced, keys, providers.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { Home, until } from '../support/nexus.mjs';
import { token, visit } from '../support/flow.mjs';

const FIXTURE = new URL('../support/data-0.1.0/', import.meta.url).pathname;
// What it was made with.
const PROVIDER_PORT = 49417;
const CALLBACK = 'http://127.0.0.1:33365';
const STATE = '6mr-F-RppIRk87PbNgJFLOv_VgDcQdw06y7fl9NVv4w.hBTvAWXww2WiRFihRQWopNwF6nFSssnn8rXEhR1iUsI';
const CAPTURE_STATE = 'pM9z4ryVyc0su_5v754ElVzBQcRiJ0v-qfHnWaZ1bMI.HgAWQyRq-75C_7vydRmCyCG4Y7f2sNAJzhdM9jGCgcQ';
const IDS = {
  work: 'conn_01M89M0Y3G6MRZ6A26CEMNKBPP', revoked: 'conn_01M89M0YMF9KJR6X1KPNMM9RT2',
  code: 'conn_01M89M0YJ8T3RDFT64KJB2FJ85', pasted: 'conn_01M89M0YJGDCX3FF645DTH5J85', device: 'conn_01M89M0YJR72DFZ6DDY7NSH615',
};

let home;
const servers = [];
const asked = [];

/**
 * Listens on a port that the stored data names: it stands in what is sealed and signed there, so no other will do.
 * The kernel may have given it to anybody for a connection of theirs, which ends some time.
 */
async function listen(server, port) {
  const taken = (error) => (error.code === 'EADDRINUSE' ? false : Promise.reject(error));
  await until(() => once(server.listen(port, '127.0.0.1'), 'listening').then(() => true, taken),
    `that port ${port}, which the stored data names, is free (ss -tanp says who has it)`, 60000);
  servers.push(server);
  return server;
}

before(async () => {
  const callback = await listen(createServer(), Number(new URL(CALLBACK).port));
  await listen(createServer((request, response) => {
    let text = '';
    request.on('data', (part) => { text += part; });
    request.on('end', () => {
      asked.push(Object.fromEntries(new URLSearchParams(text)));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ access_token: `token-${asked.length}`, token_type: 'Bearer', expires_in: 3600 }));
    });
  }), PROVIDER_PORT);
  home = await Home.make({ callbackBase: CALLBACK });
  mkdirSync(home.data, { mode: 0o700 });
  for (const name of ['nexus.db', 'audit.db', 'vault.key']) {
    copyFileSync(join(FIXTURE, name), join(home.data, name));
    chmodSync(join(home.data, name), 0o600);
  }
  // As if it had been written a moment ago: the consents still wait.
  const soon = Math.floor(Date.now() / 1000) + 300;
  execFileSync('sqlite3', [join(home.data, 'nexus.db'),
    `UPDATE flows SET expires_at = ${soon}; UPDATE connections SET pending_until = ${soon} WHERE status = 'pending';
     UPDATE connections SET obtained_at = 0, expires_at = 1, refresh_at = NULL WHERE alias = 'work';`]);
  callback.close();
  await once(callback, 'close');
  await home.start();
}, { timeout: 180000 });
after(async () => {
  for (const server of servers) server.close();
  await home?.remove();
});

const fetched = (reference) => token(home, reference).then((answer) => answer.json);

test('what was connected is served and refreshed with the refresh token it had', { timeout: 60000 }, async () => {
  assert.equal((await fetched('always')).access_token, 'first-access-token');
  assert.equal((await fetched('key')).credentials.api_key, 'static-key');
  const before = asked.length;
  assert.match((await fetched('work')).access_token, /^token-/);  // it has expired since
  const refresh = asked.slice(before).find((form) => form.grant_type === 'refresh_token');
  assert.equal(refresh.refresh_token, 'first-refresh-token');
  assert.equal(refresh.client_secret ?? 'client-secret', 'client-secret');
  assert.equal((await home.api('GET', `/v1/check-connection/${IDS.revoked}`)).json.reason, 'revoked');
});

test('consents that waited are answered: by callback, by hand, on another device, at the page', { timeout: 60000 }, async () => {
  assert.equal((await visit(`${CALLBACK}/auth/callback/demo?code=c&state=${STATE}`)).status, 200);
  assert.equal(await home.status(IDS.code), 'active');
  assert.equal(await home.status(IDS.pasted), 'pending');
  const device = await home.api('GET', `/v1/connections/${IDS.device}`);
  assert.equal(device.json.status, 'active');
  assert.ok(asked.some((form) => form.device_code === 'dev'));
  const form = await home.api('GET', `/v1/capture-schema?state=${CAPTURE_STATE}`);
  assert.deepEqual(form.json.required, ['api_key']);
  const captured = await home.api('POST', '/v1/capture-credential', { state: CAPTURE_STATE, credentials: { api_key: 'second' } });
  assert.equal(captured.status, 200);
  assert.equal((await fetched('waiting-capture')).credentials.api_key, 'second');
});

test('providers are as they were; what nexusd knew of Google are settings now', { timeout: 60000 }, async () => {
  const named = (name) => home.api('GET', `/v1/providers/by-name/${name}`).then((answer) => answer.json);
  assert.deepEqual((await named('demo')).params,
    { device_authorization_endpoint: `http://127.0.0.1:${PROVIDER_PORT}/device`, pkce: 'S256', prompt: 'login' });
  assert.deepEqual((await named('google')).params, { access_type: 'offline', offline_access_scope: false, prompt: 'consent' });
  assert.deepEqual((await home.api('GET', '/v1/keys')).json.map((key) => key.name), ['ci']);
});

test('what they were before is kept for a week, for the nexusd that wrote it', { timeout: 60000 }, async () => {
  const sql = (file, text) => execFileSync('sqlite3', [file, text]).toString().trim();
  for (const name of ['nexus.db', 'audit.db']) {
    const [copy, ...more] = readdirSync(home.data).filter((file) => file.startsWith(`${name}.before-`));
    assert.deepEqual([copy, more], [`${name}.before-${sql(join(home.data, name), 'PRAGMA user_version')}`, []]);
    const file = join(home.data, copy);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const version = 'PRAGMA user_version; PRAGMA integrity_check';
    assert.equal(sql(file, version), sql(join(FIXTURE, name), version));
  }
  assert.equal(sql(join(home.data, readdirSync(home.data).find((file) => /nexus\.db\.before/.test(file))), 'SELECT count(*) FROM connections'),
    sql(join(FIXTURE, 'nexus.db'), 'SELECT count(*) FROM connections'));
  const copies = () => readdirSync(home.data).filter((file) => file.includes('.before-'));
  await home.stop();
  await home.start();
  assert.equal(copies().length, 2);
  await home.stop();
  const old = Date.now() / 1000 - 8 * 86400;
  utimesSync(join(home.data, copies()[0]), old, old);
  await home.start();
  assert.equal(copies().length, 1);
});

test('nothing is left of the earlier tables', { timeout: 60000 }, () => {
  const ask = (sql) => execFileSync('sqlite3', [`file:${join(home.data, 'nexus.db')}?mode=ro`, sql]).toString().trim();
  assert.equal(ask("SELECT count(*) FROM credentials WHERE field = 'device_state'"), '0');
  assert.equal(ask("SELECT count(*) FROM sqlite_master WHERE sql LIKE '%pasted%'"), '0');
  assert.equal(ask('PRAGMA foreign_key_check'), '');
  assert.equal(ask('PRAGMA integrity_check'), 'ok');
});
