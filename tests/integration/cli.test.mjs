// What scripts rely on: stdout, exit codes, errors with a way out, autostart, the daemon's life.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync, rmSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register, request, visit } from '../support/flow.mjs';
import { BIN, Home, until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

let home;
let provider;
let id;
const fitsTerminal = (text) => { for (const line of text.split('\n')) assert.ok([...line].length <= 80, line); };

before(async () => {
  provider = await MisbehavingProvider.start();
  home = await Home.make();
  await home.start();
  await register(home, provider.issuer);
  ({ id } = await connect(home, provider, { alias: 'work' }));
});
after(async () => { await home.remove(); await provider.close(); });

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

test('each failure has its exit code, an empty stdout and a hint', async () => {
  const cases = [
    [['token', 'nobody'], 6, /nexus list/],
    [['token', 'conn_01ARZ3NDEKTSV4RRFFQ69G5FAV'], 6, /nexus list/],
    [['connect', 'nobody', '--no-browser'], 6, /nexus provider add/],
    [['token'], 2, /--help/],
    [['token', 'demo', '--min-ttl', 'soon'], 2, /90s/],
    [['nonsense'], 2, /--help/],
    [['tokn', 'demo'], 2, /did you mean: nexus token\n/],
    [['--workspace', 'w', 'tokn'], 2, /did you mean: nexus token\n/],
    [['login'], 2, /that is here: nexus connect\n/],
    [['ls'], 2, /that is here: nexus list\n/],
    [['provider'], 2, /nexus provider wants one of: add, edit, .*list/],
    [['provider', 'lst'], 2, /did you mean: nexus provider list\n/],
    [['connect', 'demo', '--aliaz', 'x'], 2, /there is no option --aliaz\n {2}did you mean: nexus connect --alias\n/],
    [['token', 'demo', '--wrkspace=x'], 2, /there is no option --wrkspace\n {2}did you mean: nexus token --workspace\n/],
    [['token', 'wrok'], 6, /did you mean work\? \(see: nexus list\)/],
    [['status', 'dmeo'], 6, /did you mean demo\?/],
    [['provider', 'edit', 'demmo', '--client-id', 'x'], 6, /did you mean demo\?/],
    [['provider', 'test', 'dem'], 6, /did you mean demo\?/],
    [['provider', 'show', 'dmeo'], 6, /did you mean demo\?/],
    [['provider', 'remove', 'dmeo'], 6, /did you mean demo\?/],
    [['connect', 'dmeo', '--no-browser'], 6, /did you mean demo\?/],
    [['help', 'tokn'], 2, /there is no command 'tokn'\n {2}did you mean: nexus token\n/],
    [['tokn', '--help'], 2, /did you mean: nexus token\n/],
    [['provider', 'lst', '--help'], 2, /did you mean: nexus provider list\n/],
    [['token', 'demo', 'surplus'], 2, /'surplus' is one word too many/],
    [['connect', 'gihub', '--no-browser'], 6, /the catalogue has: github/],
    [['connect', 'slak', '--no-browser'], 6, /the catalogue has: slack, slab;/],
    [['provider', 'show', 'slak'], 6, /the catalogue has: slack, slab;/],
    [['provider', 'add', 'gihub'], 2, /did you mean github\? Else give --issuer/],
    [['provider', 'catalog', 'gihub'], 6, /did you mean github\? Else register it/],
    [['provider', 'catalog', '--category', 'crm', 'github'], 6, /\n {2}register it by its endpoints/],
    [['provider', 'add', 'x'], 2, /nexus provider add --help/],
    [['token', 'github'], 6, /there is no connection github\n {2}run: nexus connect github\n/],
    [['token', 'GitHub', '--format', 'header'], 6, /\n {2}run: nexus connect github\n/],
    [['token', 'github', '--workspace', 'w'], 6, /\n {2}run: nexus connect github --workspace w\n/],
    [['token', '../providers/github'], 6, /\n {2}see: nexus list\n/],
    [['status', 'github'], 6, /\n {2}run: nexus connect github\n/],
    [['refresh', 'github'], 6, /\n {2}run: nexus connect github\n/],
    [['disconnect', 'github'], 6, /\n {2}run: nexus connect github\n/],
    [['alias', 'github', 'code'], 6, /\n {2}run: nexus connect github\n/],
    [['provider', 'add', 'demo', '--issuer', provider.issuer, '--client-id', 'x', '--allow-insecure-http'], 2, /--replace/],
    [['provider', 'add', 'bad', '--issuer', 'http://example.com', '--client-id', 'x'], 2, /loopback/],
    [['alias', 'demo', 'conn_x'], 2, /letters/],
  ];
  for (const [args, code, hint] of cases) {
    const result = await home.nexus(args);
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
    assert.equal(result.stdout, '');
    assert.match(result.stderr, /^nexus: .+\n {2}.+/);
    assert.match(result.stderr, hint);
  }
  const alone = await home.nexus([]);
  assert.equal(alone.code, 0);
  assert.match(alone.stdout, /Start with: {2}nexus provider catalog/);
  const json = await home.nexus(['token', 'nobody', '--json']);
  assert.equal(JSON.parse(json.stdout).error.code, 'connection_not_found');
  const asked = await request(home);
  assert.equal((await home.nexus(['token', asked.connection_id])).code, 3);
  assert.equal((await home.nexus(['status', asked.connection_id])).code, 3);
});

test('two candidates are an error that lists them', async () => {
  const { id: second } = await connect(home, provider);
  const result = await home.nexus(['token', 'demo']);
  assert.equal(result.code, 2);
  assert.match(result.stderr, /^nexus: demo stands for 2 connections\n {2}name one of them:\n/);
  assert.match(result.stderr, new RegExp(`^ {4}work {2}${id} {2}\\(alice@example.com\\)$`, 'm'));
  assert.match(result.stderr, new RegExp(`^ {4}${second} {2}\\(alice@example.com\\)$`, 'm'));
  assert.match(result.stderr, new RegExp(`nexus alias ${second} NAME`));
  const json = JSON.parse((await home.nexus(['token', 'demo', '--json'])).stdout);
  assert.equal(json.error.code, 'connection_ambiguous');
  assert.ok(json.error.hint.includes(id) && json.error.hint.includes(second));
  assert.equal((await home.nexus(['disconnect', second])).code, 0);
  assert.equal((await home.nexus(['token', 'demo'])).code, 0);
});

test('a hint calls a connection as whoever asked did, where that means the same to the next command', async () => {
  await register(home, provider.issuer, { name: 'hinted' });
  const make = async (fields) => (await connect(home, provider, { provider_name: 'hinted', ...fields })).id;
  const shaky = await make({ alias: 'shaky' });
  const far = await make({ alias: 'shaky', workspace_id: 'far' });
  provider.onToken = (form, response) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end('{"error":"invalid_grant"}');
    return true;
  };
  const wayOut = async (...words) => {
    const { code, stderr } = await home.nexus(words);
    assert.equal(code, 4, stderr);
    return stderr.match(/^ {2}run: nexus connect hinted (.*)$/m)?.[1] ?? stderr;
  };
  for (const name of ['shaky', shaky, 'hinted'])
    for (const verb of ['refresh', 'token']) assert.equal(await wayOut(verb, name), `--replace ${name}`);
  assert.equal(await wayOut('refresh', 'shaky', '--workspace', 'far'), `--workspace far --replace ${far}`);
  provider.onToken = null;
  for (const id of [shaky, far]) await home.api('DELETE', `/v1/connections/${id}`);
});

test('connections of other workspaces are told of, where there are none here', async () => {
  const { id: elsewhere } = await connect(home, provider, { alias: 'far', workspace_id: 'app1' });
  const empty = await home.nexus(['list', '--workspace', 'nothing']);
  assert.equal(empty.stdout, '');
  assert.match(empty.stderr, /no connections yet.*\n\d+ connections in other workspaces \(default: \d+, app1: 1(, \w+: \d)*\): nexus list --all-workspaces\n/);
  const far = await home.nexus(['token', 'far']);
  assert.equal(far.code, 6);
  assert.match(far.stderr, /\n {2}see: nexus list\n {2}1 connection in other workspaces \(app1: 1\): add --workspace app1\n/);
  assert.equal((await home.nexus(['token', 'far', '--workspace', 'app1'])).code, 0);
  const json = await home.nexus(['list', '--workspace', 'nothing', '--json']);
  assert.deepEqual([json.stdout, json.stderr], ['{"connections":[]}\n', '']);
  await home.api('DELETE', `/v1/connections/${elsewhere}?workspace_id=app1`);
});

test('a life that the provider\'s tokens do not have is warned of', async () => {
  const { id: short } = await connect(home, provider);
  const asked = await home.nexus(['token', short, '--min-ttl', '2d']);
  assert.equal(asked.code, 0, asked.stderr);
  assert.match(asked.stdout, /^at-/);
  assert.match(asked.stderr, /^nexus: warning: this token lives for (1h|59m) only: there is none for 2d\n$/);
  fitsTerminal(asked.stderr);
  assert.equal((await home.nexus(['token', short, '--min-ttl', '5m'])).stderr, '');
  await home.api('DELETE', `/v1/connections/${short}`);
});

test('a life that nobody tells is warned of, one without an end is not', async () => {
  await register(home, provider.issuer, { name: 'endless', params: { tokens_never_expire: true } });
  provider.expiresIn = undefined;
  const { id: unknown } = await connect(home, provider);
  const { id: endless } = await connect(home, provider, { provider_name: 'endless' });
  provider.expiresIn = 3600;
  const asked = await home.nexus(['token', unknown, '--min-ttl', '1h']);
  assert.equal(asked.code, 0, asked.stderr);
  assert.match(asked.stdout, /^at-/);
  fitsTerminal(asked.stderr);
  assert.equal(asked.stderr, 'nexus: warning: for how long this token lives its provider does not say\n');
  assert.equal((await home.nexus(['token', unknown])).stderr, '', 'who asked for nothing is told nothing');
  assert.equal((await home.nexus(['token', endless, '--min-ttl', '1h'])).stderr, '');
  for (const each of [unknown, endless]) await home.api('DELETE', `/v1/connections/${each}`);
});

test('on a terminal disconnect and provider remove ask first; --yes, and scripts, are not asked', async () => {
  await register(home, provider.issuer, { name: 'asked' });
  const make = (alias) => connect(home, provider, { provider_name: 'asked', alias });
  const { id: first } = await make('first');
  const no = new Terminal(home, ['disconnect', 'first']);
  await no.answer(/Disconnect first \(asked, alice@example\.com\)\? \[y\/N\]: /, '');
  const denied = await no.end();
  assert.equal(denied.code, 1);
  assert.match(denied.text, /nothing was changed/);
  const broken = new Terminal(home, ['disconnect', 'first']);
  await broken.answer(/\[y\/N\]: /, '^C');
  assert.equal((await broken.end()).code, 130);
  assert.equal(await home.status(first), 'active');

  const keep = new Terminal(home, ['provider', 'remove', 'asked']);
  await keep.answer(/Remove asked\? 1 connection made with it will go on working \[y\/N\]: /, 'n');
  assert.equal((await keep.end()).code, 1);
  const yes = new Terminal(home, ['disconnect', 'first']);
  await yes.answer(/\[y\/N\]: /, 'y');
  assert.equal((await yes.end()).code, 0);
  assert.equal(await home.status(first), 'failed');

  const { id: second } = await make('second');
  assert.equal((await new Terminal(home, ['disconnect', 'second', '--yes']).end()).code, 0);
  assert.equal(await home.status(second), 'failed');
  await make('third');
  assert.equal((await home.nexus(['disconnect', 'third'])).code, 0, 'a script is not asked');
  assert.equal((await new Terminal(home, ['disconnect', 'third']).end()).code, 6);
  const free = await new Terminal(home, ['provider', 'remove', 'asked']).end();
  assert.equal(free.code, 0, 'nor is anybody where nothing goes on with it');
});

test('a provider that connections in need want is asked about; status says what they need without it', async () => {
  await register(home, provider.issuer, { name: 'waning' });
  await connect(home, provider, { provider_name: 'waning', alias: 'att' });
  assert.equal((await home.nexus(['provider', 'edit', 'waning', '--client-id', 'client-2'])).code, 0);
  const toDo = async () => (await home.nexus(['status', 'att'])).stdout.match(/^to do +(.*)$/m)[1];
  assert.equal(await toDo(), 'run: nexus connect waning --replace att');
  const alone = new Terminal(home, ['provider', 'remove', 'waning']);
  await alone.answer(/Remove waning\? 1 connection made with it needs it to work again \[y\/N\]: /, 'n');
  assert.equal((await alone.end()).code, 1);
  await connect(home, provider, { provider_name: 'waning', alias: 'good' });
  const both = new Terminal(home, ['provider', 'remove', 'waning']);
  await both.answer(/1 connection made with it will go on working, 1 needs it to work again \[y\/N\]: /, 'y');
  const removed = await both.end();
  assert.equal(removed.code, 0, removed.text);
  assert.match(removed.text, /active connections made with it go on working.*\n.*once it is registered again\n/);
  assert.equal(await toDo(), 'run: nexus provider add waning …, then: nexus connect waning --replace att');
  assert.match((await home.nexus(['status'])).stdout, /^ {2}run: nexus provider add waning …, then: nexus connect waning --replace att$/m);
  const asked = await home.nexus(['token', 'att']);
  assert.equal(asked.code, 4);
  assert.match(asked.stderr, /\n {2}run: nexus provider add waning …, then: nexus connect waning --replace att\n/);
  // What it says is what helps.
  await register(home, provider.issuer, { name: 'waning' });
  assert.equal(await toDo(), 'run: nexus connect waning --replace att');
  const child = spawn(join(BIN, 'nexus'), ['connect', 'waning', '--replace', 'att', '--no-browser'], { env: home.env });
  let said = '';
  child.stderr.on('data', (text) => { said += text; });
  const code = new Promise((go) => child.on('close', go));
  await visit(provider.consent(await until(() => said.match(/http\S+authorize\S+/)?.[0], 'the URL on stderr')));
  assert.equal(await code, 0, said);
  for (const alias of ['att', 'good']) assert.equal((await home.nexus(['disconnect', alias])).code, 0);
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
  assert.deepEqual(Object.keys(mine).sort(), ['account', 'alias', 'connection_id', 'expires_at', 'last_error',
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
  assert.match((await home.nexus(['audit', '--event', 'none'])).stderr, /nothing is on record/);
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

test('a key made while the gateway is off comes with a word about that', async () => {
  const made = await home.nexus(['key', 'create', '--name', 'early', '--use', 'all']);
  assert.match(made.stdout, /^nxk_\S+\n$/);
  assert.match(made.stderr, /gateway is off/);
  fitsTerminal(made.stderr);
});
