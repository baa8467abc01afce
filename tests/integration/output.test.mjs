// Results that do not get to standard output: no command takes that for success.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register } from '../support/flow.mjs';
import { BIN, Home, until } from '../support/nexus.mjs';

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);
const { id } = await connect(home, provider, { alias: 'work' });
const nexus = join(BIN, 'nexus');

/** What `sh` makes of it: exit code, stdout and stderr. */
async function shell(command, env = home.env) {
  const child = spawn('/bin/sh', ['-c', command], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) child[stream].on('data', (text) => { said[stream] += text; });
  const [code] = await once(child, 'close');
  return { code, ...said };
}

const commands = ['token work', 'token work --format json', 'token work --refresh', 'status', `status ${id}`, 'list', 'list --json',
  'refresh work', `alias ${id} work`, 'key list --json', 'audit', 'audit --follow', 'status --watch', 'provider list',
  'provider show demo', 'provider catalog', 'provider export', 'provider test demo', 'daemon status', 'daemon status --json',
  '--help', '--version', 'help token'];

test('a full or closed standard output is an error with its reason, for every command', async () => {
  for (const words of commands)
    for (const [where, reason] of [['>/dev/full', /No space left/], ['>&-', /Bad file descriptor/]]) {
      const { code, stderr } = await shell(`'${nexus}' ${words} ${where}`);
      assert.equal(code, 1, `nexus ${words} ${where}: ${stderr}`);
      assert.match(stderr, /^nexus: standard output cannot be written/m, `nexus ${words} ${where}`);
      if (!/help|version/.test(words)) assert.match(stderr, reason);
    }
  const daemon = await shell(`'${join(BIN, 'nexusd')}' --help >/dev/full`);
  assert.equal(daemon.code, 1);
  assert.match(daemon.stderr, /standard output cannot be written/);
});

test('a reader that has gone is no success, and nothing to talk about', async () => {
  const child = spawn(nexus, ['list'], { env: home.env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (text) => { stderr += text; });
  assert.deepEqual([...await once(child, 'close'), stderr], [1, null, '']);
});

test('a key that nobody has seen is revoked, and that is said', async () => {
  for (const [form, where] of [['', '>/dev/full'], ['--json', '>/dev/full'], ['', '>&-']]) {
    const { code, stderr } = await shell(`'${nexus}' key create --name unseen --use all ${form} ${where}`);
    assert.equal(code, 1);
    assert.match(stderr, /standard output cannot be written[\s\S]*nobody has seen the key, so it was revoked/);
  }
  const { keys } = JSON.parse((await home.nexus(['key', 'list', '--json'])).stdout);
  assert.deepEqual(keys.map((key) => key.name), []);
});

test('a daemon whose streams are closed writes no log into its own files', async () => {
  const other = await Home.make();
  const child = spawn('/bin/sh', ['-c', `exec '${join(BIN, 'nexusd')}' --foreground <&- 2>&-`], { env: other.env, stdio: 'ignore' });
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`nexusd ended with ${child.exitCode}`);
    return other.api('GET', '/health').then((answer) => answer.status === 200, () => false);
  }, 'nexusd answers');
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
  assert.equal(readFileSync(join(other.data, 'nexusd.lock'), 'utf8'), '');
  assert.equal(readFileSync(join(other.data, 'nexus.db')).subarray(0, 15).toString(), 'SQLite format 3');
  await other.remove();
});
