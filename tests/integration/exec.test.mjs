// nexus exec: programs of others with credentials in their environment, in files and masked.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KeyedApi, KINDS, KEY, PASSWORD, SECRET_KEY, USER } from '../provider/keyed_api.mjs';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register, request } from '../support/flow.mjs';
import { BIN, Home, until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const nexus = join(BIN, 'nexus');
let home;
let provider;
let api;
let value;
let runtime;
before(async () => {
  provider = await MisbehavingProvider.start();
  api = await KeyedApi.start();
  home = await Home.make({ gateway: true });
  runtime = join(home.dir, 'session');
  mkdirSync(runtime, { mode: 0o700 });
  await home.start();
  await register(home, provider.issuer);
  await connect(home, provider, { alias: 'work' });
  value = (await home.nexus(['token', 'work'])).stdout;
  home.env = { ...home.env, XDG_RUNTIME_DIR: runtime };
});
after(async () => { await home.remove(); await provider.close(); await api.close(); });

const exec = (args, command, options) => home.nexus(['exec', ...args, '--', ...command], options);
const sh = (script, ...words) => ['sh', '-c', script, 'sh', ...words];

/** The same, running: what it has said so far, and how it ends. */
function start(args, command, { env = {}, stdio = ['ignore', 'pipe', 'pipe'] } = {}) {
  const child = spawn(nexus, ['exec', ...args, '--', ...command], { env: { ...home.env, ...env }, stdio });
  const running = { child, pid: child.pid, stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) child[stream]?.on('data', (text) => { running[stream] += text; });
  running.ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  return running;
}
const says = (running, what) => until(() => running.stdout.match(what), () => `${what} in ${running.stdout}${running.stderr}`);
const leftBehind = () => readdirSync(runtime).filter((name) => name.startsWith('nexus-exec-'));
const stateOf = (pid) => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];

/** A connection with static credentials of that kind. */
async function keyed(name, fields, credentials) {
  const made = await home.api('POST', '/v1/providers', { name, api_base_url: api.url, allow_insecure_http: true, ...fields });
  assert.equal(made.status, 201, made.text);
  const asked = (await home.api('POST', '/v1/request-connection', { provider_name: name })).json;
  assert.equal((await home.api('POST', '/v1/capture-credential', { state: asked.state, credentials })).status, 200);
  return asked.connection_id;
}

test('a connection\'s variables are called as programs know them', async () => {
  const show = (name, ...more) => exec([name, ...more], sh('env | grep -E "^(DEMO|GITHUB|GH|AWS|OPENAI|ODD)" | sort'), { env: { AWS_SESSION_TOKEN: 'stale', AWS_REGION: 'eu-west-1' } });
  assert.equal((await show('work')).stdout, `AWS_REGION=eu-west-1\nAWS_SESSION_TOKEN=stale\nDEMO_TOKEN=${value}\n`);
  await register(home, provider.issuer, { name: 'hub-at-work', params: { catalog_entry: 'github' } });
  const { id } = await connect(home, provider, { provider_name: 'hub-at-work' });
  const token = (await home.nexus(['token', id])).stdout;
  assert.match((await show('hub-at-work')).stdout, new RegExp(`^GITHUB_TOKEN=${token}$`, 'm'));
  await keyed('openai', { ...KINDS.api_key.provider }, { api_key: KEY });
  assert.match((await show('openai')).stdout, new RegExp(`^OPENAI_API_KEY=${KEY}$`, 'm'));
  await keyed('aws', KINDS.aws_sigv4.provider, KINDS.aws_sigv4.credentials);
  const { access_key: accessKey } = KINDS.aws_sigv4.credentials;
  assert.equal((await show('aws')).stdout, `AWS_ACCESS_KEY_ID=${accessKey}\nAWS_REGION=eu-west-1\nAWS_SECRET_ACCESS_KEY=${SECRET_KEY}\n`,
    'the session token of other keys is not there with these');
  const both = await show('aws', 'openai');
  assert.match(both.stdout, /^AWS_SECRET_ACCESS_KEY=[\s\S]*^OPENAI_API_KEY=/m);

  await keyed('odd-pair', KINDS.basic_auth.provider, KINDS.basic_auth.credentials);
  const pair = await show('odd-pair');
  assert.deepEqual([pair.code, pair.stdout], [2, '']);
  assert.match(pair.stderr, /several fields: password, username\n {2}name a variable for each: nexus exec --env VAR=odd-pair:FIELD/);
  assert.equal((await exec(['--env', 'ODD_USER=odd-pair:username', '--env', 'ODD_PASSWORD=odd-pair:password'], sh('echo "$ODD_USER $ODD_PASSWORD"'))).stdout, `${USER} ${PASSWORD}\n`);
  assert.match((await exec(['--env', 'ODD=odd-pair'], ['true'])).stderr, /several fields: password, username\n {2}name one: --env ODD=odd-pair:FIELD\n/);
  await keyed('1digit', KINDS.api_key.provider, { api_key: KEY });
  const digit = await show('1digit');
  assert.deepEqual([digit.code, digit.stdout], [2, '']);
  assert.match(digit.stderr, /called after 1digit\n {2}name one: nexus exec --env VAR=1digit\n/);
});

test('the environment is the caller\'s, without what is nexus\'s own', async () => {
  const own = { NEXUS_API_KEY: 'canary-a', NEXUS_ENCRYPTION_KEY: 'canary-b', ENCRYPTION_KEY: 'canary-c', API_KEY: 'canary-d', API_KEYS: 'canary-e', NEXUS_WORKSPACE: 'default', MY_OWN: 'mine', DEMO_TOKEN: 'stale' };
  for (const more of [[], ['--mask']]) {
    const { stdout, code, stderr } = await exec(['work', ...more], ['env'], { env: own });
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout, /canary|NEXUS_|stale/);
    assert.match(stdout, /^MY_OWN=mine$/m);
    assert.equal(stdout.match(/^DEMO_TOKEN=/gm).length, 1);
    assert.match(stdout, new RegExp(`^PATH=${process.env.PATH.replaceAll('.', '\\.')}$`, 'm'));
  }
});

test('nexus makes room for the program where nothing is left to do, and leaves it as it was found', async () => {
  const limits = 'ulimit -Sc; ulimit -Hc; grep -E "^Sig(Ign|Blk)" /proc/self/status; umask';
  const direct = spawn('sh', ['-c', `${limits}; exec "$0" exec --env X=work -- sh -c '${limits}; echo pid $$'`, nexus], { env: home.env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  direct.stdout.on('data', (text) => { said += text; });
  await once(direct, 'close');
  const lines = said.trim().split('\n');
  assert.equal(lines.pop(), `pid ${direct.pid}`);
  assert.deepEqual(lines.slice(0, lines.length / 2), lines.slice(lines.length / 2));
  const waiting = await exec(['--file', 'X=work'], sh(limits));
  assert.deepEqual(waiting.stdout.trim().split('\n'), lines.slice(0, lines.length / 2));
});

test('no credential is in an argument list, and a waiting nexus has none in its environment', async () => {
  for (const args of [['work'], ['--file', 'F=work', '--env', 'T=work'], ['--mask', 'work'], ['--netrc', 'h=work']]) {
    const running = start(args, sh('echo ready $$; exec sleep 60'));
    const [, inner] = await says(running, /ready (\d+)/);
    for (const pid of new Set([running.pid, inner]))
      assert.ok(!readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(value), args.join(' '));
    if (running.pid !== Number(inner)) assert.ok(!readFileSync(`/proc/${running.pid}/environ`, 'latin1').includes(value));
    running.child.kill();
    assert.equal(await running.ended, running.pid === Number(inner) ? 'SIGTERM' : 143);
  }
});

test('the exit code is the program\'s, 128 and the signal\'s number, 127 or 126', async () => {
  writeFileSync(join(home.dir, 'no-program'), 'x', { mode: 0o644 });
  writeFileSync(join(home.dir, 'script'), 'echo from a script without a first line\n', { mode: 0o755 });
  for (const more of [[], ['--mask'], ['--file', 'F=work']]) {
    const run = (...command) => exec(['--env', 'T=work', ...more], command);
    assert.equal((await run('true')).code, 0);
    assert.equal((await run('sh', '-c', 'exit 42')).code, 42);
    if (more.length > 0) for (const [signal, number] of [['TERM', 15], ['KILL', 9], ['INT', 2]]) assert.equal((await run('sh', '-c', `kill -${signal} $$`)).code, 128 + number);
    const missing = await run('no-such-program');
    assert.deepEqual([missing.code, missing.stdout], [127, '']);
    assert.match(missing.stderr, /^nexus: there is no program 'no-such-program'\n {2}check its name/);
    const data = await run(join(home.dir, 'no-program'));
    assert.equal(data.code, 126);
    assert.match(data.stderr, /no-program' cannot be run: Permission denied\n {2}check/);
    assert.equal((await run(home.dir)).code, 126);
    assert.equal((await run(join(home.dir, 'script'))).stdout, 'from a script without a first line\n');
    assert.deepEqual(leftBehind(), []);
  }
  const json = await exec(['work', '--json'], ['no-such-program']);
  assert.deepEqual([json.code, JSON.parse(json.stdout).error.code], [127, 'command_not_found']);
  assert.equal((await exec(['work', '--json'], sh('echo plain; exit 3'))).stdout, 'plain\n', '--json is not for what the program says');
});

test('a signal that ends the program ends nexus where it has made room', async () => {
  const running = start(['work'], sh('echo ready; kill -KILL $$'));
  assert.equal(await running.ended, 'SIGKILL');
});

test('arguments that cannot be are refused before anything is fetched', async () => {
  const issued = async () => (await home.nexus(['audit', '--limit', '1000'])).stdout.split('\n').length;
  const count = await issued();
  for (const [args, command, said] of [
    [['work'], [], /no program is named behind --\n {2}for example: nexus exec/],
    [[], ['true'], /no connection is named before --/],
    [['--env', 'TOKEN'], ['true'], /--env cannot be 'TOKEN'\n {2}it is --env VAR=CONN/],
    [['--env', 'A-B=work'], ['true'], /'A-B' cannot be the name of an environment variable/],
    [['--file', '=work'], ['true'], /--file cannot be|cannot be the name/],
    [['--netrc', 'https://h=work'], ['true'], /HOST a name without a port/],
    ...['PATH', 'LD_PRELOAD', 'LD_AUDIT', 'DYLD_LIBRARY_PATH', 'IFS', 'BASH_ENV', 'ENV'].flatMap((name) => [
      [['--env', `${name}=work`], ['true'], new RegExp(`${name} tells programs where code is`)],
      [['--file', `${name}=work`], ['true'], /tells programs where code is/]]),
  ]) {
    const { code, stdout, stderr } = await exec(args, command);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, said);
  }
  const bare = await home.nexus(['exec', 'work', 'true']);
  assert.equal(bare.code, 2);
  assert.match(bare.stderr, /behind --/);
  assert.equal(await issued(), count);
});

test('two that give the same variable are an error that names both', async () => {
  for (const [args, said] of [
    [['work', '--env', 'DEMO_TOKEN=work:id_token'], /DEMO_TOKEN is given by work and by --env DEMO_TOKEN=work\n/],
    [['--env', 'A=work', '--env', 'A=work'], /A is given by --env A=work and by --env A=work/],
    [['--env', 'A=work', '--file', 'A=work'], /A is given by --env A=work and by --file A/],
    [['--env', 'NETRC=work', '--netrc', 'h=work'], /NETRC is given by --env NETRC=work and by --netrc/],
    [['work', 'work'], /DEMO_TOKEN is given by work and by work/],
  ]) {
    const { code, stdout, stderr } = await exec(args, sh('echo started'));
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, said);
    assert.deepEqual(leftBehind(), []);
  }
});

test('all credentials or none: one that is not to be had keeps the program from being started', async () => {
  const started = join(home.dir, 'started');
  const browser = join(home.dir, 'browser');
  writeFileSync(browser, `#!/bin/sh\ntouch '${started}'\n`, { mode: 0o755 });
  const refused = async (code, ...args) => {
    const result = await exec([...args, '--json'], ['touch', started], { env: { BROWSER: browser } });
    assert.equal(result.code, code, result.stdout);
    assert.equal(existsSync(started), false, args.join(' '));
    assert.deepEqual(leftBehind(), []);
    return JSON.parse(result.stdout).error;
  };
  assert.equal((await refused(6, 'work', 'nobody')).code, 'connection_not_found');
  assert.equal((await refused(6, '--file', 'A=work', '--file', 'B=nobody')).code, 'connection_not_found');
  assert.equal((await refused(2, 'work', '--env', 'A=work:no_such_field')).code, 'usage');
  const pending = await request(home);
  assert.equal((await refused(3, pending.connection_id)).code, 'connection_not_active');
  await register(home, provider.issuer, { name: 'ended' });
  const { id } = await connect(home, provider, { provider_name: 'ended' });
  provider.onToken = (form, response) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end('{"error":"invalid_grant"}');
    return true;
  };
  assert.equal((await home.nexus(['refresh', id])).code, 4);
  provider.onToken = null;
  const attention = await refused(4, '--env', 'A=work', '--env', `B=${id}`);
  assert.equal(attention.code, 'attention_required');
  assert.match(attention.hint, /nexus connect ended --replace/);
});

test('--min-ttl has a token refreshed that has less', async () => {
  provider.expiresIn = 1000;
  await register(home, provider.issuer, { name: 'short' });
  const { id } = await connect(home, provider, { provider_name: 'short' });
  provider.expiresIn = 3600;
  const shown = async (...args) => (await exec([id, ...args], sh('echo $SHORT_TOKEN'))).stdout.trim();
  const first = await shown();
  await until(async () => Date.now() / 1000 > (await home.api('GET', `/v1/connections/${id}`)).json.expires_at - 998, 'two seconds');
  assert.equal(await shown('--min-ttl', '10m'), first);
  assert.notEqual(await shown('--min-ttl', '999'), first);
  const { stderr, code } = await exec([id, '--min-ttl', '2d'], ['true']);
  assert.equal(code, 0);
  assert.match(stderr, /^nexus: warning: this token lives for (1h|59m) only: there is none for 2d$/m);
  assert.equal((await exec(['work', '--min-ttl', 'soon'], ['true'])).code, 2);
});

test('a nexusd elsewhere is asked as well, also with a key for one connection alone', async () => {
  const id = (await home.api('GET', '/v1/connections?workspace_id=default')).json.find((c) => c.alias === 'work').id;
  for (const scope of ['all', id]) {
    const env = { NEXUS_URL: home.gateway, NEXUS_API_KEY: await home.makeKey(`exec-${scope}`, '--use', scope), NEXUS_SOCKET: '' };
    const { code, stdout, stderr } = await exec([id, '--file', `F=${id}`], sh('echo "$DEMO_TOKEN"; cat "$F"; env | grep -c NEXUS'), { env });
    assert.deepEqual([code, stdout], [1, `${value}\n${value}0\n`], stderr);
  }
});

test('a file is this user\'s alone, in a place of its own, and gone when the program is', async () => {
  const look = 'stat -c "%a %s" "$F"; stat -c %a "$(dirname "$F")"; ls -A "$(dirname "$F")"; echo "$F"; cat "$F"';
  const { stdout } = await exec(['--file', 'F=work'], sh(look));
  const [file, directory, names, path, content] = stdout.split('\n');
  assert.deepEqual([file, directory, names, content], [`600 ${value.length}`, '700', 'F', value]);
  assert.ok(path.startsWith(`${runtime}/nexus-exec-`), path);
  assert.equal(existsSync(join(path, '..')), false);
  const temporary = join(home.dir, 'tmp');
  mkdirSync(temporary);
  const elsewhere = join(home.dir, 'open');
  mkdirSync(elsewhere);
  chmodSync(elsewhere, 0o777);
  if (!existsSync(`/run/user/${process.getuid()}`))
    for (const XDG_RUNTIME_DIR of ['', 'relative', elsewhere, join(home.dir, 'none')]) {
      const there = await exec(['--file', 'F=work'], sh('echo "$F"'), { env: { XDG_RUNTIME_DIR, TMPDIR: temporary } });
      assert.ok(there.stdout.startsWith(`${temporary}/nexus-exec-`), `${XDG_RUNTIME_DIR}: ${there.stdout}`);
    }
  assert.deepEqual(readdirSync(temporary), []);
  const nowhere = await exec(['--file', 'F=work'], sh('echo started'), { env: { XDG_RUNTIME_DIR: elsewhere, TMPDIR: join(home.dir, 'none') } });
  if (!existsSync(`/run/user/${process.getuid()}`)) {
    assert.deepEqual([nowhere.code, nowhere.stdout], [1, '']);
    assert.match(nowhere.stderr, /cannot be made: No such file or directory\n {2}.*TMPDIR/);
  }
  // What the program does with it does not keep it.
  await exec(['--file', 'F=work'], sh('cp "$F" "$F.new"; mv "$F.new" "$F"; mkdir "$(dirname "$F")/more"; touch "$(dirname "$F")/more/x"'));
  assert.equal((await exec(['--file', 'F=work'], sh('rm -r "$(dirname "$F")"'))).code, 0);
  assert.deepEqual(leftBehind(), []);
});

test('a file is gone however the program or nexus is told to end', async () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1']) {
    const running = start(['--file', 'F=work'], sh('echo ready; exec sleep 60'));
    await says(running, /ready/);
    assert.equal(leftBehind().length, 1);
    running.child.kill(signal);
    assert.equal(await running.ended, 128 + { SIGTERM: 15, SIGINT: 2, SIGHUP: 1, SIGQUIT: 3, SIGUSR1: 10 }[signal], signal);
    assert.deepEqual(leftBehind(), [], signal);
  }
  const killed = start(['--file', 'F=work'], sh('echo ready $$; exec sleep 60'));
  const [, inner] = await says(killed, /ready (\d+)/);
  process.kill(Number(inner), 'SIGKILL');
  assert.equal(await killed.ended, 137);
  assert.deepEqual(leftBehind(), []);
});

test('who takes its time to end is waited for, and has its file until then', async () => {
  const running = start(['--file', 'F=work'], sh('trap "sleep 0.3; cat \\"$F\\" >/dev/null && echo still there; exit 7" TERM; echo ready; while :; do sleep 0.05; done'));
  await says(running, /ready/);
  running.child.kill('SIGTERM');
  assert.equal(await running.ended, 7);
  assert.match(running.stdout, /still there/);
  assert.deepEqual(leftBehind(), []);
});

test('what the program leaves behind keeps nobody waiting where nothing is masked', async () => {
  const running = start(['--file', 'F=work'], sh('sleep 60 & echo $!'), { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(running.child, 'exit');
  const [, sleeper] = await says(running, /(\d+)/);
  assert.equal((await exited)[0], 0);
  assert.deepEqual(leftBehind(), []);
  process.kill(Number(sleeper));
});

test('a netrc file has each host, and programs log in with it', async () => {
  await keyed('netrc-api', { ...KINDS.basic_auth.provider, params: { validation: { skip: true } } }, { username: 'ada', password: 'plain-pw' });
  const { stdout } = await exec(['--netrc', 'git.example.com=work', '--netrc', 'b.example=work:x-token-auth', '--netrc', '127.0.0.1=netrc-api'], sh('stat -c %a "$NETRC"; cat "$NETRC"; curl -sS --netrc-file "$NETRC" "$1/anything"', api.url));
  assert.equal(stdout, `600\nmachine git.example.com login oauth2 password ${value}\nmachine b.example login x-token-auth password ${value}\nmachine 127.0.0.1 login ada password plain-pw\n`);
  assert.equal(api.requests.at(-1).headers.authorization, `Basic ${Buffer.from('ada:plain-pw').toString('base64')}`);
  assert.deepEqual(leftBehind(), []);
  const odd = await exec(['--netrc', 'h=odd-pair:two words'], sh('echo started'));
  assert.deepEqual([odd.code, odd.stdout], [2, '']);
});

const COUNTER = 'n=0; trap "n=\\$((n+1))" INT TERM USR1; echo ready; i=0; while [ $i -lt 40 ] && [ $n -lt 2 ]; do sleep 0.05; i=$((i+1)); done; echo count $n';

test('a signal to nexus reaches the program once, and so does one of the terminal', async () => {
  for (const signal of ['SIGTERM', 'SIGUSR1', 'SIGINT']) {
    const running = start(['--file', 'F=work'], sh(COUNTER));
    await says(running, /ready/);
    running.child.kill(signal);
    assert.equal(await running.ended, 0);
    assert.match(running.stdout, /count 1/, signal);
  }
  for (const more of [['--file', 'F=work'], ['--mask', '--env', 'T=work']]) {
    const terminal = new Terminal(home, ['exec', ...more, '--', ...sh(COUNTER)]);
    await terminal.shows(/ready/);
    terminal.child.stdin.write('\x03');
    const { code, text } = await terminal.end();
    assert.deepEqual([code, text.match(/count \d/)[0]], [0, 'count 1'], text);
  }
});

test('Ctrl-C on a terminal ends the program, and the file with it', async () => {
  const terminal = new Terminal(home, ['exec', '--file', 'F=work', '--', ...sh('echo ready; exec sleep 60')]);
  await terminal.shows(/ready/);
  terminal.child.stdin.write('\x03');
  assert.equal((await terminal.end()).code, 130);
  assert.deepEqual(leftBehind(), []);
});

test('a terminal that goes away ends the program, and the file with it', async () => {
  const terminal = new Terminal(home, ['exec', '--file', 'F=work', '--', ...sh('echo ready $$; exec sleep 60')]);
  await terminal.shows(/ready \d+\r?\n/);
  const inner = Number(terminal.text.match(/ready (\d+)/)[1]);
  terminal.child.kill('SIGKILL');
  await until(() => leftBehind().length === 0, 'the file is gone');
  assert.equal(existsSync(`/proc/${inner}`), false);
});

test('a job is stopped and continued as any other, by Ctrl-Z and by signals', async () => {
  // A shell with job control, itself with a file: it has the terminal for itself and gives it to its jobs.
  const terminal = new Terminal(home, ['exec', '--file', 'OUTER=work', '--', 'bash', '--norc', '--noprofile', '-i'], { env: { PS1: '' } });
  const type = (text) => terminal.child.stdin.write(text);
  type('PS1="> "; echo shell-$((1+1))\n');
  await terminal.shows(/shell-2/);
  const again = `'${nexus}' --socket '${home.socket}' exec`;
  for (const more of ['--file F=work', '--mask --env T=work']) {
    type(`${again} ${more} -- sh -c 'echo job $$ $PPID; exec sleep 60'\n`);
    await terminal.shows(/job \d+ \d+\r?\n/);
    const [inner, outer] = terminal.text.match(/job (\d+) (\d+)\r?\n(?![\s\S]*job \d+ \d+\r?\n)/).slice(1).map(Number);
    const both = () => `${stateOf(outer)}${stateOf(inner)}`;
    type('\x1a');
    await terminal.shows(/Stopped/);
    await until(() => both() === 'TT', () => `both are stopped: ${both()}`);
    type('bg; echo going-$((2+2))\n');
    await terminal.shows(/going-4/);
    await until(() => both() === 'SS', () => `both go on: ${both()}`);
    process.kill(outer, 'SIGTSTP');  // nexus alone, by whoever
    await until(() => both() === 'TT', () => `both are stopped by a signal: ${both()}`);
    process.kill(outer, 'SIGCONT');
    await until(() => both() === 'SS', () => `both go on by a signal: ${both()}`);
    process.kill(inner, 'SIGTSTP');  // the program alone
    await until(() => both() === 'TT', () => `both are stopped with the program: ${both()}`);
    type('fg; echo code-$?\n');
    await until(() => both() === 'SS', () => `both go on in the foreground: ${both()}`);
    type('\x03');
    await terminal.shows(/code-130/);
  }
  type('exit 5\n');
  assert.equal((await terminal.end()).code, 5);
  assert.deepEqual(leftBehind(), []);
});

test('a masked program shows none of its credentials, whole, in pieces, encoded', async () => {
  const half = value.length >> 1;
  const { stdout, stderr, code } = await exec(['--mask', '--env', 'T=work', '--env', 'K=openai', '--file', 'F=openai'], sh(`
    echo "a $T b $K$K c"; echo "err $T" >&2
    printf %s "$T" | cut -c1-${half} | tr -d '\\n'; sleep 0.2; printf %s "$T" | cut -c${half + 1}-
    printf %s "$T" | base64 -w0; echo; printf %s "user:$T" | base64 -w0; echo; cat "$F"; echo
    printf %s "$T" | cut -c1-${half}; exit 9`));
  assert.equal(code, 9);
  assert.equal(stderr, 'err ***\n');
  const lines = stdout.split('\n');
  assert.deepEqual([...lines.slice(0, 3), ...lines.slice(4)], ['a *** b ****** c', '***', '***', '***', value.slice(0, half), '']);
  assert.match(lines[3], /^dXNlcj\w{0,2}\*{3}[\w=]{0,3}$/);
});

test('a masked program loses nothing, and is told when nobody reads', async () => {
  const bytes = Buffer.alloc(3_000_000);
  for (let i = 0; i < bytes.length; ++i) bytes[i] = (i * 2654435761) >>> 13;
  writeFileSync(join(home.dir, 'bytes'), bytes);
  const running = start(['--mask', '--env', 'T=work'], sh('cat "$1"; cat "$1" >&2; printf end', join(home.dir, 'bytes')));
  const hash = { stdout: createHash('sha256'), stderr: createHash('sha256') };
  for (const stream of ['stdout', 'stderr']) running.child[stream].on('data', (part) => hash[stream].update(part));
  assert.equal(await running.ended, 0);
  assert.equal(hash.stderr.digest('hex'), createHash('sha256').update(bytes).digest('hex'));
  assert.equal(hash.stdout.digest('hex'), createHash('sha256').update(bytes).update('end').digest('hex'));

  const head = spawn('sh', ['-c', '"$0" exec --mask --env T=work -- sh -c \'yes; exit 3\' | head -n1; exit 0', nexus], { env: home.env, stdio: 'ignore' });
  assert.equal((await once(head, 'close'))[0], 0);
  const gone = start(['--mask', '--env', 'T=work'], ['yes']);
  gone.child.stdout.destroy();
  assert.equal(await gone.ended, 141);
  const full = spawn('sh', ['-c', '"$0" exec --mask --env T=work -- echo x >/dev/full', nexus], { env: home.env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  full.stderr.on('data', (text) => { said += text; });
  assert.equal((await once(full, 'close'))[0], 1);
  assert.match(said, /output cannot be written: No space left on device/);
});

test('a masked stream that nobody reads keeps the other one from nobody', async () => {
  const running = start(['--mask', '--env', 'T=work'], sh('(yes | head -c 2000000) & (yes e | head -c 2000000 >&2); echo done >&2; wait'));
  running.child.stdout.pause();
  await until(() => running.stderr.endsWith('done\n'), 'all of stderr', 15000);
  running.child.stdout.resume();
  assert.equal(await running.ended, 0);
  assert.equal(running.stdout.length, 2_000_000);
});

test('what a masked program says comes at once, and it can be answered', async () => {
  const running = start(['--mask', '--env', 'T=work'], sh('printf "name? "; read name; echo "hello $name $T"; test -t 1 || echo no terminal'), { stdio: ['pipe', 'pipe', 'pipe'] });
  await says(running, /name\? $/);
  running.child.stdin.end('ada\n');
  assert.equal(await running.ended, 0);
  assert.equal(running.stdout, 'name? hello ada ***\nno terminal\n');
});

test('what a masked program leaves behind is masked as long as it runs, or until a signal', async () => {
  const running = start(['--mask', '--file', 'F=work', '--env', 'T=work'], sh('(sleep 0.3; echo "late $T") & echo early; exit 4'));
  await says(running, /early/);
  await until(() => leftBehind().length === 0, 'the file is gone');
  assert.equal(await running.ended, 4);
  assert.equal(running.stdout, 'early\nlate ***\n');
  const held = start(['--mask', '--env', 'T=work'], sh('sleep 60 & echo $!; exit 6'));
  const [, sleeper] = await says(held, /(\d+)/);
  const alive = await Promise.race([held.ended, new Promise((go) => setTimeout(go, 300, 'waits'))]);
  assert.equal(alive, 'waits');
  held.child.kill('SIGTERM');
  assert.equal(await held.ended, 6);
  process.kill(Number(sleeper));
});

test('the program\'s other descriptors and its input are the caller\'s', async () => {
  const direct = spawn('ls', ['/proc/self/fd'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let descriptors = '';
  direct.stdout.on('data', (text) => { descriptors += text; });
  await once(direct, 'close');
  for (const more of [[], ['--mask'], ['--file', 'F=work']]) {
    const { stdout } = await exec(['--env', 'T=work', ...more], sh('cat; ls /proc/self/fd'), { input: 'from the caller\n' });
    assert.equal(stdout, `from the caller\n${descriptors}`, more.join(' '));
  }
});
