// nexus exec, while the program runs: private files, signals, jobs of a terminal, masked output.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { KINDS, KEY } from '../provider/keyed_api.mjs';
import { execHome, nexus, says, sh, stateOf } from '../support/exec_home.mjs';
import { until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const { home, api, value, runtime, exec, start, leftBehind, keyed } = await execHome();
await keyed('openai', KINDS.api_key.provider, { api_key: KEY });

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

test('what kill -9 of nexus leaves behind is taken away by the next one, and nothing that is in use', async () => {
  const living = start(['--file', 'F=work'], sh('echo ready "$F"; read line; cat "$F"'), { stdio: ['pipe', 'pipe', 'pipe'] });
  const [, file] = await says(living, /ready (\S+)/);
  const killed = start(['--file', 'F=work', '--netrc', 'a.example=work'], sh('echo ready $$; exec sleep 60'));
  const [, orphan] = await says(killed, /ready (\d+)/);
  killed.child.kill('SIGKILL');
  process.kill(Number(orphan), 'SIGKILL');
  assert.equal(await killed.ended, 'SIGKILL');
  assert.equal(leftBehind().length, 2);
  assert.equal((await exec(['--env', 'T=work'], sh('true'))).code, 0);
  assert.equal(leftBehind().length, 2, 'who has no files does not look');
  assert.equal((await exec(['--file', 'F=work'], sh('cat "$F"'))).stdout, value);
  assert.deepEqual(leftBehind(), [basename(dirname(file))]);
  living.child.stdin.end('go\n');
  assert.equal(await living.ended, 0);
  assert.ok(living.stdout.endsWith(value));
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
  const { stdout } = await exec(['--netrc', 'git.example.com=work', '--netrc', 'b.example=work:x-token-auth', '--netrc', '127.0.0.1=netrc-api', '--netrc', 'c.example=netrc-api:bob', '--file', 'netrc=work'], sh('stat -c %a "$NETRC"; cat "$NETRC"; curl -sS --netrc-file "$NETRC" "$1/anything"', api.url));
  assert.equal(stdout, `600\nmachine git.example.com login oauth2 password ${value}\nmachine b.example login x-token-auth password ${value}\nmachine 127.0.0.1 login ada password plain-pw\nmachine c.example login bob password plain-pw\n`);
  assert.equal(api.requests.at(-1).headers.authorization, `Basic ${Buffer.from('ada:plain-pw').toString('base64')}`);
  assert.deepEqual(leftBehind(), []);
  await keyed('odd-pair', KINDS.basic_auth.provider, KINDS.basic_auth.credentials);
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
