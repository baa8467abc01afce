// nexus exec: which credentials a program of others gets, under which names, and how it is begun and ended.
// exec-running.test.mjs has what there is for as long as it runs.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KINDS, KEY, PASSWORD, SECRET_KEY, USER } from '../provider/keyed_api.mjs';
import { execHome, nexus, says, sh } from '../support/exec_home.mjs';
import { connect, register, request } from '../support/flow.mjs';
import { until } from '../support/nexus.mjs';

const { home, provider, value, exec, start, leftBehind, keyed } = await execHome();

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
  for (const [words, example] of [[['work', 'true'], 'work -- true'], [['work', 'prog', '--version'], 'work -- prog …'], [['work', 'prog', '--help'], 'work -- prog …'],
    [['--env', 'A=work', 'other', 'ls', '-la'], 'other -- ls …'], [['work', '--min-ttl', '60s', 'ls', '--mask=x'], 'work -- ls …']]) {
    const bare = await home.nexus(['exec', ...words]);
    assert.deepEqual([bare.code, bare.stdout], [2, '']);
    assert.match(bare.stderr, /no program is named behind --\n/);
    assert.ok(bare.stderr.includes(`put -- in front of the program, for example: nexus exec ${example}\n`), bare.stderr);
  }
  assert.equal(await issued(), count);
});

test('a program without -- in front of it is told where that belongs', async () => {
  for (const [words, said] of [
    [['--env', 'A=work', './prog'], /no program is named behind --\n {2}if \.\/prog is the program, put -- in front of it\n/],
    [['--proxy', 'ls', '-la'], /there is no option -la\n {2}if it is the program's, put -- in front of that: nexus exec … -- PROGRAM -la\n/],
    [['work', '--mas'], /there is no option --mas\n {2}did you mean: nexus exec --mask\n/],
  ]) {
    const { code, stderr } = await home.nexus(['exec', ...words]);
    assert.equal(code, 2);
    assert.match(stderr, said);
  }
});

test('words behind the program are the program\'s, whatever they are called', async () => {
  for (const words of [['--version'], ['--help'], ['-h'], ['--json'], ['--no-pager'], ['help'], ['--', '--version'], ['--workspace', 'other']]) {
    const { code, stdout } = await exec(['work'], ['sh', '-c', 'printf "%s " "$0" "$@"', ...words]);
    assert.deepEqual([code, stdout], [0, `${words.join(' ')} `]);
  }
  const failed = await exec(['nobody'], ['true', '--json']);
  assert.deepEqual([failed.code, failed.stdout], [6, '']);
  assert.match((await home.nexus(['exec', 'work', '--help'])).stdout, /^Run a program with credentials/);
});

test('two that give the same variable are an error that names both', async () => {
  for (const [args, said] of [
    [['work', '--env', 'DEMO_TOKEN=work:id_token'], /DEMO_TOKEN is given by work and by --env DEMO_TOKEN=work\n/],
    [['--env', 'A=work', '--env', 'A=work'], /A is given by --env A=work and by --env A=work/],
    [['--file', 'A=work', '--file', 'A=work'], /A is given by --file A and by --file A/],
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
