// Exit codes, and the way out that each error, warning and question of the command line tells.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, request, visit } from '../support/flow.mjs';
import { BIN, until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);
const { id } = await connect(home, provider, { alias: 'work' });
const fitsTerminal = (text) => { for (const line of text.split('\n')) assert.ok([...line].length <= 80, line); };


test('each failure has its exit code, an empty stdout and a hint', async () => {
  const cases = [
    [['token', 'nobody'], 6, /nexus list/],
    [['token', 'conn_01ARZ3NDEKTSV4RRFFQ69G5FAV'], 6, /nexus list/],
    [['connect', 'nobody', '--no-browser'], 6, /nexus provider add/],
    [['token'], 2, /^nexus: CONNECTION is required\n {2}run: nexus token --help\n/],
    [['alias', 'work'], 2, /^nexus: NAME is required\n/],
    [['key', 'create'], 2, /^nexus: --name is required\n/],
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

test('what is wrong with the words themselves is told in JSON, too', async () => {
  for (const words of [['audit', '--json', '--limt', '5'], ['--json', 'audit', '--limit', 'x'], ['audit', '--limit', '5000', '--json'], ['token', '--json'], ['lst', '--json'], ['provider', '--json'],
    ['exec', 'work', 'true', '--json'], ['audit', '--json', '--limit'], ['token', 'x', '--format', 'none', '--json']]) {
    const { code, stdout } = await home.nexus(words);
    assert.equal(code, 2, words.join(' '));
    const { error } = JSON.parse(stdout);
    assert.equal(error.code, 'usage');
    assert.ok(error.message && error.hint, stdout);
  }
});

test('hints for those who come from other programs', async () => {
  for (const [words, said] of [
    [['api', 'x', '-X', 'POST', '/user'], /there is no option -X\n {2}the method stands in front of the path: nexus api/],
    [['api', 'x', '-XPOST', '/user'], /there is no option -X\n {2}the method stands in front/],
    [['api', 'x', '--method=POST', '/user'], /there is no option --method\n {2}the method stands in front/],
    [['api', 'x', '/user', 'POST'], /the method stands in front of the path\n {2}run: nexus api x POST \/user/],
    [['api', 'x', 'POST'], /a path or URL is needed behind POST/]]) {
    const { code, stderr } = await home.nexus(words);
    assert.equal(code, 2);
    assert.match(stderr, said);
  }
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

test('connect calls a connection by its alias, by its provider where it is the only one, else by its id', async () => {
  await register(home, provider.issuer, { name: 'lonely' });
  const told = async (...args) => {
    provider.refreshTokens.add('a-refresh-token');
    const { code, stdout, stderr } = await home.nexus(['connect', 'lonely', '--refresh-token-stdin', ...args], { input: 'a-refresh-token' });
    assert.equal(code, 0, stderr);
    return { id: stdout.trim(), name: stderr.match(/ Use it with: nexus token (.*)\n$/)[1] };
  };
  const first = await told();
  assert.equal(first.name, 'lonely');
  assert.equal((await home.nexus(['token', first.name])).code, 0);
  const named = await told('--alias', 'company');
  assert.equal(named.name, 'company');
  const third = await told();
  assert.equal(third.name, third.id);
  for (const { id: each } of [first, named, third]) await home.api('DELETE', `/v1/connections/${each}`);
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
  await both.answer(/1 connection made with it will go on working, 1 needs it to work\s+again \[y\/N\]: /, 'y');
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

test('a key made while the gateway is off comes with a word about that', async () => {
  const made = await home.nexus(['key', 'create', '--name', 'early', '--use', 'all']);
  assert.match(made.stdout, /^nxk_\S+\n$/);
  assert.match(made.stderr, /gateway is off/);
  fitsTerminal(made.stderr);
  const forward = await home.nexus(['key', 'create', '--name', 'forward', '--forward', 'all']);
  assert.match(forward.stderr, /gateway is off[^]*\nThe proxy takes it, too: nexus proxy start\n/);
  fitsTerminal(forward.stderr);
});
