// What scripts rely on: stdout, autostart, the daemon's life. hints.test.mjs has what is said where it fails.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync, rmSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, visit } from '../support/flow.mjs';
import { BIN, Home, until } from '../support/nexus.mjs';

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);
const { id } = await connect(home, provider, { alias: 'work' });
const fitsTerminal = (text) => { for (const line of text.split('\n')) assert.ok([...line].length <= 80, line); };


test('stdout of token holds the token and nothing else, in every format', async () => {
  const raw = await home.nexus(['token', 'demo']);
  assert.equal(raw.code, 0);
  assert.match(raw.stdout, /^at-1-[0-9a-f]+$/);
  const value = raw.stdout;
  assert.equal((await home.nexus(['token', 'work', '--newline'])).stdout, `${value}\n`);
  assert.equal((await home.nexus(['token', id, '--format', 'header'])).stdout, `Authorization: Bearer ${value}\n`);
  assert.equal((await home.nexus(['token', id, '--format', 'env'])).stdout, `NEXUS_TOKEN='${value}'\n`);
  assert.equal((await home.nexus(['token', id, '--format', 'curl'])).stdout, `header = "Authorization: Bearer ${value}"\n`);
  const netrc = await home.nexus(['token', id, '--format', 'netrc']);
  assert.deepEqual([netrc.code, netrc.stdout], [2, '']);
  assert.match(netrc.stderr, /nothing is known of where the API of demo is\n {2}name the host: --host/);
  assert.equal((await home.nexus(['token', id, '--format', 'netrc', '--host', 'git.example.com'])).stdout, `machine git.example.com login oauth2 password ${value}\n`);
  assert.equal((await home.nexus(['token', id, '--format', 'netrc', '--host', 'h', '--user', 'x-token-auth'])).stdout, `machine h login x-token-auth password ${value}\n`);
  assert.equal((await home.nexus(['token', id, '--format', 'netrc', '--host', 'two words'])).code, 2);
  assert.match((await home.nexus(['token', id, '--host', 'h'])).stderr, /add: --format netrc/);
  assert.equal(JSON.parse((await home.nexus(['token', id, '--json'])).stdout).access_token, value);
  assert.match((await home.nexus(['token', id, '--field', 'id_token'])).stdout, /^ey[\w-]+\.[\w-]+\.[\w-]+$/);
  assert.equal((await home.nexus(['token', id, '--field', 'nothing'])).code, 2);
});

test('connect without waiting prints one JSON line; connect --json that waits prints two', async () => {
  const one = await home.nexus(['connect', 'demo', '--no-wait', '--no-browser', '--json']);
  const started = JSON.parse(one.stdout);
  assert.deepEqual(Object.keys(started).sort(), ['auth_url', 'connection_id', 'expires_at', 'status']);
  const two = home.nexus(['connect', 'demo', '--no-browser', '--json', '--alias', 'second']);
  await until(async () => (await home.api('GET', '/v1/connections?pending=true')).json.some((c) => c.alias === 'second'), 'the pending connection');
  const pending = (await home.api('GET', '/v1/connections?pending=true')).json.find((c) => c.alias === 'second');
  await home.api('DELETE', `/v1/connections/${pending.connection_id}`);
  const lines = (await two).stdout.trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(lines.length, 2);
  assert.equal(lines[1].status, 'failed');
  assert.equal((await two).code, 5);
});

test('a denied consent exits 5; a wait that times out exits 3, one that is interrupted 130; both say how to go on', async () => {
  provider.authorizationResponse = (p) => ({ state: p.state, iss: p.iss, error: 'access_denied' });
  const denied = spawn(join(BIN, 'nexus'), ['connect', 'demo', '--no-browser'], { env: home.env });
  let shown = '';
  denied.stderr.on('data', (text) => { shown += text; });
  const url = await until(() => shown.match(/http\S+authorize\S+/)?.[0], 'the URL on stderr');
  const code = new Promise((go) => denied.on('close', go));
  await visit(provider.consent(url));
  assert.equal(await code, 5);
  assert.match(shown, /denied/);

  provider.authorizationResponse = (p) => ({ state: p.state, iss: p.iss, error: 'server_error' });
  const failing = spawn(join(BIN, 'nexus'), ['connect', 'demo', '--no-browser'], { env: home.env });
  let told = '';
  failing.stderr.on('data', (text) => { told += text; });
  const failed = new Promise((go) => failing.on('close', go));
  await visit(provider.consent(await until(() => told.match(/http\S+authorize\S+/)?.[0], 'the URL on stderr')));
  assert.equal(await failed, 5);
  assert.match(told, /failed: the provider has a fault of its own; try again later \(server_error\)\n/);
  provider.authorizationResponse = (p) => p;

  for (const [words, said] of [[['--timeout', '0s'], /--timeout 0s is no time\n {2}not to wait at all: --no-wait/], [['--replace', 'demo', '--alias', 'x'], /takes over the other one's alias\n {2}leave --alias out/]]) {
    const refused = await home.nexus(['connect', 'demo', '--no-browser', ...words]);
    assert.deepEqual([refused.code, refused.stdout], [2, '']);
    assert.match(refused.stderr, said);
  }
  const late = await home.nexus(['connect', 'demo', '--no-browser', '--timeout', '1s']);
  assert.equal(late.code, 3);
  assert.match(late.stderr, /stays open for .*then run:\n +nexus status conn_/);
  fitsTerminal(late.stderr.replace(/^ {2}http.*$/m, ''));
  const child = spawn(join(BIN, 'nexus'), ['connect', 'demo', '--no-browser'], { env: home.env });
  let said = '';
  child.stderr.on('data', (text) => { said += text; });
  await until(() => said.includes('authorize'), 'the URL on stderr');
  const ended = new Promise((go) => child.on('close', go));
  child.kill('SIGINT');
  assert.equal(await ended, 130);
  assert.match(said, /stays open/);
});

test('the browser is started without a shell, once, by connect alone', async () => {
  const record = join(home.dir, 'browser-argv');
  const browser = join(home.dir, 'browser');
  writeFileSync(browser, `#!/bin/sh\nfor word in "$@"; do echo "$word" >> '${record}'; done\nenv >> '${record}'\ngrep SigIgn /proc/$$/status >> '${record}'\n`, { mode: 0o755 });
  const result = await home.nexus(['connect', 'demo', '--no-wait'], { env: { BROWSER: browser, NEXUS_ENCRYPTION_KEY: 'canary', API_KEY: 'canary', API_KEYS: 'canary' } });
  assert.equal(result.code, 0, result.stderr);
  const lines = readFileSync(record, 'utf8').split('\n');
  assert.match(lines[0], /^http:\/\/127\.0\.0\.1:\d+\/authorize\?/);
  assert.ok(!lines.some((line) => /^NEXUS_|^API_KEY|canary/.test(line)));
  const ignored = lines.find((line) => line.startsWith('SigIgn:'));
  assert.equal(parseInt(ignored.slice(-4), 16) & 0x1000, 0, 'a pipe that ends early ends it, as it ends others');
  rmSync(record);
  for (const args of [['token', id], ['status'], ['refresh', id], ['list']])
    await home.nexus(args, { env: { BROWSER: browser } });
  assert.ok(!existsSync(record));
  const failing = await home.nexus(['connect', 'demo', '--no-wait'], { env: { BROWSER: '/bin/false' } });
  assert.equal(failing.code, 0);
  assert.match(failing.stderr, /warning: no browser could be opened[\s\S]+http:\/\/127/);
});

test('list and status have the shape that scripts read', async () => {
  const { connections } = JSON.parse((await home.nexus(['list', '--json'])).stdout);
  const mine = connections.find((c) => c.connection_id === id);
  assert.deepEqual(Object.keys(mine).sort(), ['access', 'account', 'alias', 'connection_id', 'expires_at', 'last_error',
    'last_refresh_at', 'next_refresh_at', 'provider', 'scopes', 'status', 'workspace']);
  assert.equal(mine.account, 'alice@example.com');
  assert.ok(Number.isInteger(mine.expires_at));
  assert.equal((await home.nexus(['list', '--workspace', 'elsewhere'])).stdout, '');
});

test('no daemon and no autostart is exit 8; with autostart it just works', async () => {
  const other = await Home.make();
  const none = await other.nexus(['list', '--no-autostart']);
  assert.equal(none.code, 8);
  assert.match(none.stderr, /nexus daemon start/);
  const env = { NEXUS_NO_AUTOSTART: '' };
  const started = await Promise.all([1, 2, 3].map(() => other.nexus(['list'], { env })));
  assert.deepEqual(started.map((r) => r.code), [0, 0, 0], JSON.stringify(started));
  const status = JSON.parse((await other.nexus(['daemon', 'status', '--json'])).stdout);
  assert.equal(status.vault.key_source, 'file');
  assert.equal((await other.nexus(['daemon', 'stop'])).code, 0);
  assert.equal((await other.nexus(['daemon', 'status'])).code, 8);
  assert.equal(existsSync(other.socket), false);
  // What stops it from starting reaches the person.
  writeFileSync(other.configFile, '[daemon]\nlog_levle = "info"\n');
  const misspelt = await other.nexus(['list'], { env });
  assert.equal(misspelt.code, 2);
  assert.match(misspelt.stderr, /nexus\.toml:2: unknown setting 'daemon\.log_levle'[\s\S]*did you mean: daemon\.log_level/);
  await other.remove();
});

test('one daemon a data directory; a stale socket is replaced, anything else is left alone', async () => {
  const second = spawn(join(BIN, 'nexusd'), ['--foreground', '--socket', join(home.dir, 'run', 'other.sock')], { env: home.env });
  let said = '';
  second.stderr.on('data', (text) => { said += text; });
  assert.notEqual(await new Promise((go) => second.on('close', go)), 0);
  assert.match(said, /another nexusd serves/);
  await home.stop('SIGKILL');
  assert.ok(existsSync(home.socket));
  await home.start();
  assert.equal((await home.nexus(['token', id])).code, 0);
  await home.stop();
  mkdirSync(home.socket);
  await assert.rejects(home.start(), /is in the way/);
  rmSync(home.socket, { recursive: true });
  await home.start();
});

test('a mistake in nexus.toml is warned of by every command, and stops none but the daemon\'s start', async () => {
  const other = await Home.make();
  await other.start();
  const good = readFileSync(other.configFile, 'utf8');
  for (const [flaw, warning] of [['nonsense = 1', /unknown setting 'nonsense'/], ['[limits]\ntoken = "x"', /'limits\.token' has to be a number/],
    ['workspace = [', /nexus\.toml:\d+: /]]) {
    writeFileSync(other.configFile, `${flaw}\n`);
    for (const words of [['list'], ['provider', 'list', '--json'], ['daemon', 'status'], ['token', 'nobody']]) {
      const asked = await other.nexus(words);
      assert.equal(asked.code, words[0] === 'token' ? 6 : 0, asked.stderr);
      assert.match(asked.stderr, /^nexus: warning: /);
      assert.match(asked.stderr, warning);
    }
    const second = spawn(join(BIN, 'nexusd'), [], { env: { ...other.env, NEXUS_DATA_DIR: join(other.dir, 'none') } });
    assert.equal(await new Promise((go) => second.on('close', go)), 2);
    assert.equal(existsSync(join(other.dir, 'none')), false);
  }
  assert.equal((await other.nexus(['daemon', 'stop'])).code, 0);
  writeFileSync(other.configFile, good);
  await other.remove();
});

test('a mistake in nexus.toml that no daemon starts with is told once, as the error', async () => {
  const other = await Home.make({ env: { NEXUS_NO_AUTOSTART: '' } });
  for (const flaw of ['nonsense = 1', 'workspace = [', '[daemon]\nlog_level = "loud"']) {
    writeFileSync(other.configFile, `${flaw}\n`);
    for (const words of [['list'], ['token', 'nobody'], ['daemon', 'start'], ['connect', 'github']]) {
      const { code, stdout, stderr } = await other.nexus(words);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, /^nexus: the daemon could not be started: \S*nexus\.toml/);
      assert.equal(stderr.split('nexus.toml').length, stderr.includes('nexus.toml(5)') ? 3 : 2, stderr);
    }
    const without = await other.nexus(['list', '--no-autostart']);
    assert.equal(without.code, 8);
    assert.match(without.stderr, /^nexus: warning: [^]*\nnexus: no daemon answers/);
    assert.match((await other.nexus(['provider', 'catalog', 'github'])).stderr, /nexus: warning: /);
  }
  await other.remove();
});

test('SIGHUP reloads, a broken file does not stop the daemon', async () => {
  const good = readFileSync(home.configFile, 'utf8');
  writeFileSync(home.configFile, 'nonsense = 1\n');
  home.daemon.kill('SIGHUP');
  await until(() => home.log.includes('reload_refused'), 'the refusal in the log');
  writeFileSync(home.configFile, good);
  home.daemon.kill('SIGHUP');
  await until(() => home.log.includes(' reloaded '), 'the reload in the log');
  assert.equal((await home.nexus(['token', id])).code, 0);
});

test('provider edit changes what is mentioned, and connections live on', async () => {
  const edit = (args, options) => home.nexus(['provider', 'edit', 'demo', ...args], options);
  const shown = async () => JSON.parse((await home.nexus(['provider', 'show', 'demo', '--json'])).stdout);
  const fresh = await connect(home, provider);
  const before = await shown();
  provider.onToken = (form, response, { headers }) => {
    if (Buffer.from((headers.authorization ?? '').slice(6), 'base64').toString().endsWith(':rotated-secret')) return false;
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end('{"error":"invalid_client"}');
    return true;
  };
  assert.notEqual((await home.nexus(['refresh', fresh.id])).code, 0);
  const rotated = await edit(['--client-secret-file', '-'], { input: 'rotated-secret\n' });
  assert.equal(rotated.code, 0, rotated.stderr);
  assert.ok(!(rotated.stdout + rotated.stderr).includes('rotated-secret'));
  assert.equal((await home.nexus(['refresh', fresh.id])).code, 0);
  provider.onToken = null;
  const { client_secret_fingerprint: fingerprint, ...unchanged } = await shown();
  assert.deepEqual({ ...unchanged, client_secret_fingerprint: before.client_secret_fingerprint }, before);
  assert.notEqual(fingerprint, before.client_secret_fingerprint, 'the secret alone is another one');

  await edit(['--param', 'a=1', '--scope', 'openid', '--scope', 'email']);
  await edit(['--param', 'b=2', '--api-base-url', 'https://api.example.com']);
  const after = await shown();
  assert.deepEqual(after.params, { ...before.params, a: '1', b: '2' });
  assert.deepEqual(after.scopes, ['openid', 'email']);
  assert.equal(after.id, before.id);
  assert.equal((await edit([])).code, 2);
  assert.equal((await edit(['--scope', 'a b'])).code, 2);
  assert.equal((await home.nexus(['provider', 'edit', 'nobody', '--scope', 'x'])).code, 6);
  assert.equal((await home.nexus(['token', fresh.id])).code, 0);
  const moved = await edit(['--client-id', 'client-2']);
  assert.match(moved.stderr, /need a person/);
  assert.equal((await home.nexus(['token', fresh.id])).code, 4);
});

test('audit knows a connection by whatever it is called, by its id also when it is gone, and providers', async () => {
  const { id } = await connect(home, provider, { alias: 'logged' });
  const about = async (name) => JSON.parse((await home.nexus(['audit', '--json', '--limit', '1000', '--connection', name])).stdout).events;
  const all = await about(id);
  assert.ok(all.length >= 2 && all.every((event) => event.connection_id === id));
  assert.ok(all.every((event) => ['control_socket', 'callback', 'daemon'].includes(event.event_data.via)), 'no JSON in a text');
  assert.deepEqual(await about('logged'), all);
  const ofProvider = await about('demo');
  assert.ok(ofProvider.some((event) => event.event_type === 'provider.created') && ofProvider.length > all.length);
  const nobody = await home.nexus(['audit', '--connection', 'nobody']);
  assert.equal(nobody.code, 6);
  assert.match(nobody.stderr, /nobody[^]*\n {2}\S/);
  await home.nexus(['disconnect', 'logged', '--yes']);
  assert.ok((await about(id)).some((event) => event.event_type === 'connection.revoked'));
});

test('audit tells what happened and who did it, oldest first', async () => {
  const { id: connection } = await connect(home, provider);
  await home.nexus(['token', connection]);
  const audit = (...args) => home.nexus(['audit', '--connection', connection, ...args]);
  const { events } = JSON.parse((await audit('--json')).stdout);
  assert.deepEqual(events.map((e) => e.event_type), ['connection.created', 'oauth_flow_completed', 'token_retrieved']);
  const table = (await audit()).stdout;
  assert.match(table, new RegExp(`token_retrieved +success +${connection} +demo +pid \\d+`));
  assert.equal((await audit('--event', 'token.retrieved', '--since', '1h')).stdout.trim().split('\n').length, 2);
  assert.equal((await audit('--since', 'yesterday')).stdout, table);
  assert.equal((await audit('--since', '2w')).stdout, table);
  assert.match((await audit('--since', 'tomorrow')).stderr, /nothing is on record/);
  const unknown = await audit('--since', 'soon');
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /'soon' is not a time\n {2}for example 2h, 30d or 2w, yesterday, today, 2026-12-01/);
  assert.match((await home.nexus(['audit', '--event', 'peer_refused'])).stderr, /nothing is on record/);
  const misspelt = await home.nexus(['audit', '--event', 'token_retreived']);
  assert.equal(misspelt.code, 2);
  assert.match(misspelt.stderr, /'token_retreived' is no event that is recorded\n {2}did you mean: token[._]retrieved/);
  assert.match((await home.nexus(['audit', '--event', 'nonsense'])).stderr, /it is one of: connection\.created, /);
  const refused = await home.api('GET', '/v1/audit?event_type=nonsense');
  assert.deepEqual([refused.status, refused.json.code], [400, 'invalid_field']);
  const follow = spawn(join(BIN, 'nexus'), ['audit', '--follow', '--connection', connection, '--event', 'token_retrieved'], { env: home.env });
  let said = '';
  follow.stdout.on('data', (text) => { said += text; });
  await until(() => said.includes('token_retrieved'), 'the first line');
  await home.nexus(['token', connection]);
  await until(() => said.match(/token_retrieved/g).length === 2, 'the line of what happened since');
  const ended = new Promise((go) => follow.on('close', go));
  follow.kill('SIGINT');
  assert.equal(await ended, 130);
});
