// What the shells complete behind nexus, in the shells themselves: commands, options, values and the names that
// there are; nothing is started, nobody waits, and a name is never more than a name.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register } from '../support/flow.mjs';
import { BIN, Home, until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const SCRIPTS = new URL('../../share/completions/', import.meta.url).pathname;
const FILES = { bash: 'nexus.bash', zsh: '_nexus', fish: 'nexus.fish' };
const script = (shell) => join(SCRIPTS, FILES[shell]);

/** Runs a program to its end; the built nexus comes first on its PATH. */
const run = (home, program, args, env = {}) => new Promise((resolve) => {
  const child = execFile(program, args, { cwd: home.dir, env: { ...home.env, PATH: `${BIN}:${process.env.PATH}`, ...env } },
    (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
  child.stdin.end();
});

/** Nobody waits for names: on a busy machine the daemon may be late, and is asked again. */
async function again(check, between = () => {}) {
  for (let left = 3; left > 0; left -= 1)
    try { return await check(); } catch (error) {
      if (left === 1) throw error;
      between();
    }
}

/** What nexus answers the scripts: the kind, and the words with their descriptions. */
async function answer(home, words, env) {
  const { code, stdout, stderr } = await run(home, join(BIN, 'nexus'), ['__complete', 'fish', ...words], env);
  assert.deepEqual([code, stderr], [0, ''], words.join(' '));
  const [kind, what, ...lines] = stdout.split('\n').slice(0, -1);
  return { kind, what, words: new Map(lines.map((line) => line.split('\t'))) };
}
const wordsOf = async (...args) => [...(await answer(...args)).words.keys()];

/** What bash's function replies to a line, with the cursor at its end. */
async function inBash(home, line, env) {
  const text = `source ${script('bash')}; COMP_LINE=$1 COMP_POINT=\${#1}; read -ra COMP_WORDS <<<"$1"; COMP_CWORD=\${#COMP_WORDS[@]}
_nexus nexus '' ''; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await run(home, 'bash', ['--norc', '-uc', text, 'bash', line], env);
  assert.equal(stderr, '');
  return stdout.trimEnd().split('\n');
}

/** What fish offers for a line: the words, and what it shows beside them. */
async function inFish(home, line, env) {
  const { stdout, stderr } = await run(home, 'fish', ['--no-config', '-c', `source ${script('fish')}; complete -C $argv[1]`, line], env);
  assert.equal(stderr, '');
  return new Map(stdout.split('\n').slice(0, -1).map((entry) => entry.split('\t')));
}

const START = {
  bash: { args: ['--norc', '--noprofile', '-i'], line: `PS1='go> '; source ${script('bash')}` },
  zsh: { args: ['-f', '-i'], line: `PS1='go> '; autoload -Uz compinit; compinit -u -D; source ${script('zsh')}` },
  fish: { args: ['--no-config', '-i'], line: `function fish_prompt; echo 'go> '; end; source ${script('fish')}` },
};

/** A shell on a terminal whose nexus completes as ever, and otherwise only says what words it was given. */
class Shell {
  static async start(home, shell) {
    const own = new Shell();
    own.said = join(home.dir, `said-${shell}`);
    const bin = join(home.dir, `bin-${shell}`);
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'nexus'), `#!/bin/sh
[ "$1" != __complete ] || exec ${join(BIN, 'nexus')} "$@"
printf '%s\\0' "$@" >${own.said}.part && mv ${own.said}.part ${own.said}\n`);
    chmodSync(join(bin, 'nexus'), 0o755);
    own.terminal = new Terminal(home, START[shell].args, { program: shell, columns: 200,
      env: { PATH: `${bin}:${process.env.PATH}`, TERM: 'vt100', LC_ALL: 'C.UTF-8', HISTFILE: '' } });
    own.terminal.type(`cd ${home.dir}; ${START[shell].line}; echo sta""rted\n`);
    await own.terminal.shows(/started/);
    return own;
  }

  /** After these keys nexus is given these words. */
  gives(keys, words) {
    return again(async () => {
      rmSync(this.said, { force: true });
      this.terminal.type(`${keys}\n`);
      await until(() => existsSync(this.said), () => `${JSON.stringify(keys)} in:\n${this.terminal.text}\n`);
      assert.deepEqual(readFileSync(this.said, 'utf8').split('\0').slice(0, -1), words, keys);
    }, () => this.terminal.type('\x03'));
  }

  async end() {
    this.terminal.type('\x15exit\n');
    await this.terminal.end();
  }
}

/** A daemon that tells whatever names it is given, also those that nexusd refuses. */
async function anyNames(home) {
  const asked = [];
  const told = { connections: [] };
  const server = createServer((request, response) => {
    asked.push(request.url);
    const body = JSON.stringify(request.url.startsWith('/v1/connections') ? told.connections : []);
    // As nexusd spells it.
    response.writeHead(200, { 'Content-Length': Buffer.byteLength(body) }).end(body);
  });
  server.listen(home.socket);
  await once(server, 'listening');
  return { asked, told, close: () => { server.closeAllConnections(); server.close(); } };
}
const aliased = (alias, more = {}) => ({ connection_id: 'conn_01M8K62EEGF6JTXS6SMG2JJBTD', alias, provider_name: 'demo', provider_id: 'p', workspace_id: 'default',
  auth_type: 'oauth2', status: 'active', scopes: [], ...more });

const { home, provider } = await daemonAndProvider();
const ids = {};
before(async () => {
  for (const name of ['demo', 'mail', 'twice']) await register(home, provider.issuer, { name });
  for (const [name, fields] of Object.entries({ work: { alias: 'work' }, mail: { provider_name: 'mail' }, one: { provider_name: 'twice' },
    two: { provider_name: 'twice' }, ann: { alias: 'ann@example.com' }, team: { alias: 'elsewhere', workspace_id: 'team $(touch pwned)' } }))
    ids[name] = (await connect(home, provider, fields)).id;
  await home.makeKey('ci', '--use', 'all');
  await home.makeKey('dashboard', '--read', 'all');
});

test('each shell\'s script is printed as it is installed', async () => {
  for (const shell of Object.keys(FILES)) {
    const { code, stdout } = await home.nexus(['completion', shell]);
    assert.equal(code, 0);
    assert.equal(stdout, readFileSync(script(shell), 'utf8'));
  }
  const { code, stderr } = await home.nexus(['completion', 'basch']);
  assert.equal(code, 2);
  assert.match(stderr, /did you mean: shell bash/);
});

test('a connection is offered by its alias, its provider\'s name or its id, with whose it is', () => again(async () => {
  for (const words of [['token', ''], ['status', ''], ['connect', 'demo', '--replace', ''], ['credential', 'git', '--connection', ''], ['exec', '']]) {
    const offered = await answer(home, words);
    for (const name of ['work', 'mail', 'ann@example.com', ids.one, ids.two])
      assert.match(offered.words.get(name) ?? '', /^(demo|mail|twice), alice@example\.com, active$/, `${words.join(' ')}: ${name}`);
    assert.ok(!offered.words.has('elsewhere') && !offered.words.has(ids.work) && !offered.words.has('twice'));
  }
  assert.deepEqual(await wordsOf(home, ['--workspace', 'team $(touch pwned)', 'token', '']), ['elsewhere']);
  assert.deepEqual(await wordsOf(home, ['token', ''], { NEXUS_WORKSPACE: 'team $(touch pwned)' }), ['elsewhere']);
  assert.ok(!(await wordsOf(home, ['status', 'work', ''])).includes('work'), 'not the same one twice');
  assert.deepEqual((await answer(home, ['exec', '--env', 'A=w'])).words.get('A=work'), 'demo, alice@example.com, active');
}));

test('providers, keys, workspaces and what else has a name are offered where they belong', () => again(async () => {
  const connectable = await answer(home, ['connect', '']);
  assert.equal(connectable.words.get('demo'), 'registered, oauth2');
  assert.equal(connectable.words.get('github'), 'in the catalogue');
  assert.ok(connectable.words.size > 780);
  assert.deepEqual(await wordsOf(home, ['provider', 'remove', '']), ['demo', 'mail', 'twice']);
  assert.ok((await wordsOf(home, ['provider', 'show', ''])).includes('demo'));
  const addable = await wordsOf(home, ['provider', 'add', '']);
  assert.ok(addable.includes('github') && !addable.includes('demo'));
  assert.deepEqual(await wordsOf(home, ['key', 'revoke', '']), ['ci', 'dashboard']);
  assert.deepEqual((await answer(home, ['list', '--workspace', ''])).words,
    new Map([['default', '5 connections'], ['team $(touch pwned)', '1 connection']]));
  const scopes = await wordsOf(home, ['key', 'create', '--use', '']);
  for (const scope of ['all', 'provider:demo', 'workspace:default', ids.work]) assert.ok(scopes.includes(scope), scope);
  assert.ok((await wordsOf(home, ['audit', '--connection', ''])).includes('work'));
  assert.ok((await wordsOf(home, ['audit', '--event', ''])).includes('token_retrieved'));
  assert.deepEqual(await wordsOf(home, ['completion', '']), ['bash', 'zsh', 'fish']);
  assert.equal((await answer(home, ['import', ''])).kind, 'file');
}));

test('bash: its function completes at = and :, behind the last of them alone', () => again(async () => {
  assert.deepEqual(await inBash(home, 'nexus tok'), ['token']);
  assert.deepEqual(await inBash(home, 'nexus token w'), ['work']);
  assert.deepEqual(await inBash(home, 'nexus token work --format=n'), ['netrc']);
  assert.deepEqual(await inBash(home, 'nexus token work --format n'), ['netrc']);
  assert.deepEqual(await inBash(home, 'nexus key create --use provider:m'), ['mail']);
  assert.deepEqual(await inBash(home, 'nexus key create --use=provider:m'), ['mail']);
  assert.deepEqual(await inBash(home, 'nexus token ann@e'), ['example.com']);
  assert.deepEqual(await inBash(home, 'nexus list --workspace te'), ['team\\ \\$\\(touch\\ pwned\\)']);
  assert.ok(!(await inBash(home, 'nexus token work --json --')).includes('--json'));
  assert.deepEqual(await inBash(home, 'nexus key revoke nobody'), ['']);
}));

test('bash: its function is content with words, split where bash splits them', () => again(async () => {
  const reply = async (...words) => (await run(home, 'bash', ['--norc', '-uc',
    `source ${script('bash')}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nexus nexus '' ''; echo "\${COMPREPLY[@]}"`, 'bash', ...words])).stdout.trimEnd();
  assert.equal(await reply('nexus', 'provider', 'cat'), 'catalog');
  assert.equal(await reply('nexus', 'token', 'work', '--format', '=', 'n'), 'netrc');
  assert.equal(await reply('nexus', 'token', 'work', '--format', '='), 'raw json header env curl netrc');
  assert.equal(await reply('nexus', 'key', 'create', '--use', 'provider', ':', 'm'), 'mail');
}));

test('fish shows what each word is', () => again(async () => {
  assert.deepEqual(await inFish(home, 'nexus tok'), new Map([['token', 'Print a connection\'s access token']]));
  assert.equal((await inFish(home, 'nexus token ')).get('work'), 'demo, alice@example.com, active');
  assert.equal((await inFish(home, 'nexus token --')).get('--refresh'), 'refresh first, whatever is left');
  assert.deepEqual([...(await inFish(home, 'nexus token work --format=n')).keys()], ['--format=netrc']);
  assert.deepEqual([...(await inFish(home, 'nexus --workspace \'team $(touch pwned)\' token ')).keys()], ['elsewhere']);
  writeFileSync(join(home.dir, 'a.bundle'), '');
  assert.ok((await inFish(home, 'nexus import a.b')).has('a.bundle'));
  assert.ok((await inFish(home, 'nexus export work --output=a.b')).has('--output=a.bundle'));
  assert.ok((await inFish(home, 'nexus exec work -- chmo')).has('chmod'));
  assert.ok((await inFish(home, 'nexus exec work -- nexus comple')).has('completion'));
}));

for (const shell of ['bash', 'zsh', 'fish'])
  test(`${shell}: a person presses Tab`, async () => {
    const on = await Shell.start(home, shell);
    writeFileSync(join(home.dir, 'only-one.bundle'), '');
    await on.gives('nexus tok\tw\t--form\tne\t', ['token', 'work', '--format', 'netrc']);
    await on.gives('nexus token ann\t --format=n\t', ['token', 'ann@example.com', '--format=netrc']);
    await on.gives('nexus key create --use provider:m\t', ['key', 'create', '--use', 'provider:mail']);
    await on.gives('nexus list --workspace te\t', ['list', '--workspace', 'team $(touch pwned)']);
    await on.gives('nexus import only\t', ['import', 'only-one.bundle']);
    await on.gives('nexus export work --output=only\t', ['export', 'work', '--output=only-one.bundle']);
    await on.gives('nexus exec work -- cat only\t', ['exec', 'work', '--', 'cat', 'only-one.bundle']);
    await on.gives('nexus exec work -- faketi\tx', ['exec', 'work', '--', 'faketime', 'x']);
    assert.ok(!existsSync(join(home.dir, 'pwned')));
    on.terminal.type('nexus provider \t\t');
    await on.terminal.shows(shell === 'bash' ? /catalog[\s\S]*remove/ : /catalog[\s\S]*Search the providers that nexus knows/);
    await on.end();
  });

const NASTY = ['$(touch pwned)', '`touch pwned`', 'a;touch pwned', 'a&&touch pwned', 'a b', 'a\'b"c', '\'$(touch pwned)\'', '"`touch pwned`"', 'a!', 'back\\slash', 'a\\', '*',
  '~root', '=ls', '!!', '{a,b}', '#a', 'x:y=z', '%s%n', 'ünï', '<a>', '|touch pwned', '${HOME}', '(a)', '[a]', '^a^b'];

for (const shell of ['bash', 'zsh', 'fish'])
  test(`${shell}: whatever a name is, it is completed to that word, and nothing of it is run`, async () => {
    const own = await Home.make();
    const daemon = await anyNames(own);
    const on = await Shell.start(own, shell);
    for (const alias of NASTY) {
      if (shell === 'fish' && alias.startsWith('~')) continue;  // it would leave the tilde as it is
      daemon.told.connections = [aliased(alias)];
      for (const open of shell === 'fish' ? [''] : ['', '"', '\''])
        await on.gives(`nexus token ${open}\t`, ['token', alias]);
      // What is only told beside it is shown, at the most.
      daemon.told.connections = [aliased('one', { account: alias }), aliased('two', { account: alias })];
      await on.gives('nexus token \ttw\t', ['token', 'two']);
    }
    assert.ok(!existsSync(join(own.dir, 'pwned')));
    await on.end();
    daemon.close();
    await own.remove();
  });

test('what would be an option, or more than a line, is not offered', async () => {
  const own = await Home.make();
  const daemon = await anyNames(own);
  daemon.told.connections = ['-rf', 'two\nlines', 'a\ttab', '\u001b]0;title\u0007', '\u202egnp', 'good'].map((alias) => aliased(alias));
  await again(async () => assert.deepEqual(await wordsOf(own, ['token', '']), ['good']));
  daemon.told.connections = ['~root', '~'].map((alias) => aliased(alias));
  assert.equal((await inFish(own, 'nexus token ')).size, 0);
  daemon.told.connections = [aliased('good', { account: 'a\u001b[31m\nb\tc' })];
  await again(async () => assert.deepEqual([...(await answer(own, ['token', ''])).words], [['good', 'demo, a?[31m?b?c, active']]));
  daemon.close();
  await own.remove();
});

test('no daemon is started, and one that runs is asked once at the most', async () => {
  const own = await Home.make({ env: { NEXUS_NO_AUTOSTART: '' } });
  assert.deepEqual(await wordsOf(own, ['token', '']), []);
  assert.ok((await wordsOf(own, ['connect', ''])).includes('github'));
  assert.deepEqual(await inBash(own, 'nexus token '), ['']);
  assert.equal((await inFish(own, 'nexus token ')).size, 0);
  assert.ok(!existsSync(own.data) && !existsSync(own.socket));

  const daemon = await anyNames(own);
  for (const [count, words] of [[1, ['token', '']], [1, ['connect', '']], [1, ['key', 'revoke', '']], [1, ['key', 'create', '--use', '']], [1, ['--workspace', '']],
    [0, ['']], [0, ['token', '-']], [0, ['token', '--format', '']], [0, ['provider', 'add', '']], [0, ['exec', '--', '']]]) {
    daemon.asked.length = 0;
    await answer(own, words);
    assert.equal(daemon.asked.length, count, `${words.join(' ')}: ${daemon.asked}`);
  }
  daemon.close();
  await own.remove();
});

test('whoever waits for consent on another device is not asked about by a key that is pressed', async () => {
  const own = await Home.make();
  const daemon = await anyNames(own);
  await answer(own, ['token', '']);
  assert.ok(!daemon.asked[0].includes('pending'), daemon.asked[0]);
  daemon.close();
  await own.remove();
});

test('a daemon that hangs is not waited for', async () => {
  home.daemon.kill('SIGSTOP');
  try {
    assert.deepEqual(await wordsOf(home, ['token', '']), []);
    assert.ok((await wordsOf(home, ['connect', ''])).includes('github'));
    assert.deepEqual(await inBash(home, 'nexus token '), ['']);
  } finally { home.daemon.kill('SIGCONT'); }
  await again(async () => assert.ok((await wordsOf(home, ['token', ''])).includes('work')));
});

test('a daemon elsewhere is not asked: what is known here is offered', async () => {
  let asked = 0;
  const elsewhere = createServer((_, response) => { asked += 1; response.end('[]'); }).listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  const env = { NEXUS_URL: `http://127.0.0.1:${elsewhere.address().port}`, NEXUS_API_KEY: 'nxk_a_b' };
  assert.deepEqual(await wordsOf(home, ['token', ''], env), []);
  const providers = await wordsOf(home, ['connect', ''], env);
  assert.ok(providers.includes('github') && !providers.includes('demo'));
  assert.deepEqual(await wordsOf(home, ['list', '--status', ''], env), ['pending', 'active', 'attention_required', 'failed']);
  assert.equal(asked, 0);
  elsewhere.close();
});

test('settings that cannot be followed are no matter of a command that is being written', async () => {
  const broken = join(home.dir, 'broken.toml');
  writeFileSync(broken, '= nothing');
  for (const env of [{ NEXUS_CONFIG: broken }, { NEXUS_CONFIG: join(home.dir, 'none.toml') }, { NEXUS_SOCKET: 'x'.repeat(200) }]) {
    await answer(home, ['token', ''], env);
    assert.ok((await wordsOf(home, [''], env)).includes('token'));
  }
  for (const words of [[], ['bash'], ['bash', 'nexus '], ['zsh'], ['tcsh', '']]) {
    const { code, stdout, stderr } = await home.nexus(['__complete', ...words]);
    assert.deepEqual([code, stdout, stderr], [2, '', ''], words.join(' '));
  }
});
