// nexusd --ephemeral: a CI job has its connections for as long as it runs, and leaves nothing behind.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, token } from '../support/flow.mjs';
import { BIN, until } from '../support/nexus.mjs';

const { home, provider } = await daemonAndProvider();
let bundle;
let key;
let secret;
let place;
before(async () => {
  await register(home, provider.issuer);
  provider.rotate = false;
  const { id } = await connect(home, provider, { alias: 'deploy' });
  await home.api('POST', `/v1/refresh/${id}`, '');
  const file = join(home.dir, 'ci.key');
  const { stdout } = await home.nexus(['key', 'pair', '-o', file]);
  key = readFileSync(file, 'utf8').trim();
  bundle = (await home.nexus(['export', 'deploy', '--to', stdout.trim()])).stdout.trim();
  secret = (await token(home, id)).json.access_token;
  place = mkdtempSync(join(tmpdir(), 'nexus-job-'));
});
after(() => rmSync(place, { recursive: true }));

/** A job of a CI system: its variables, and nothing else. */
const variables = (more = {}) => Object.entries({ PATH: `${BIN}:/usr/bin:/bin`, TMPDIR: place, NEXUS_BUNDLE: bundle, NEXUS_BUNDLE_KEY: key, ...more })
  .filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${value}`);
const job = (script, { shell = 'bash', env } = {}) => new Promise((resolve) => {
  // bash reads no .bashrc where its standard input is no socket.
  execFile('/bin/sh', ['-c', 'exec /usr/bin/env -i "$@" < /dev/null', 'sh', ...variables(env), shell, '-c', `set -eu\n${script}`], (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
});
const START = 'eval "$(nexusd --ephemeral)"';
const PID = 'nexus daemon status --json | sed \'s/.*"pid":\\([0-9]*\\).*/\\1/\'';
const isGone = (pid) => !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
const gone = (pid) => until(() => isGone(pid) && readdirSync(place).length === 0, 'the daemon and its socket are gone');

for (const [how, shell, start] of [['bash', 'bash', START], ['sh', 'dash', START], ['a subshell', 'bash', 'eval "$(nexusd --ephemeral || echo exit 1)"']])
  test(`two lines are enough for a job with an empty environment (${how}), and nothing of it stays`, async () => {
    const { code, stdout, stderr } = await job(`${start}
      TOKEN=$(nexus token deploy) && export TOKEN
      nexus exec deploy -- sh -c 'test "$DEMO_TOKEN" = "$TOKEN" && test -z "\${NEXUS_BUNDLE+set}" && echo same'
      nexus status deploy --json | grep -o '"status":"active"'
      ${PID}`, { shell });
    assert.equal(stderr, '');
    assert.equal(code, 0);
    const [same, status, pid] = stdout.trim().split('\n');
    assert.deepEqual([same, status], ['same', '"status":"active"']);
    await gone(pid);
  });

test('where its words cannot be read it does not stay, and says so', async () => {
  const { code, stdout } = await job('nexusd --ephemeral >/dev/full 2>said || echo "$?"; cat said; rm said', { env: { HOME: place } });
  assert.equal(code, 0);
  assert.match(stdout, /^1\nnexusd: standard output cannot be written: No space left on device\n {2}have it read/);
  for (const option of ['', '--foreground']) {
    const closed = await job(`nexusd --ephemeral ${option} >&- 2>said || echo "$?"; cat said; rm said`, { env: { HOME: place } });
    assert.match(closed.stdout, /^1\nnexusd: standard output cannot be written: Bad file descriptor\n {2}have it read/);
  }
  await until(() => readdirSync(place).length === 0, 'nothing of it is left');
});

test('it ends with its script, also when that is killed', async () => {
  const shell = spawn('/usr/bin/env', ['-i', ...variables(), 'bash', '--norc', '-c', `${START}\n${PID}\nread line`], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [pid] = await once(shell.stdout.setEncoding('utf8'), 'data');
  assert.ok(!isGone(pid.trim()));
  assert.equal(readdirSync(place).length, 1);
  shell.kill('SIGKILL');
  await gone(pid.trim());
});

test('neither its environment nor its children have bundle and key, and no file is open', async () => {
  const { code, stdout, stderr } = await job(`${START}
    pid=$(${PID})
    tr '\\0' '\\n' < /proc/$pid/environ | grep -c -e nexus-bundle: -e nexus-key- || true
    grep -c nexus-key- /proc/$pid/cmdline || true
    readlink /proc/$pid/fd/* | grep -v -e '^socket:' -e '^pipe:' -e '^anon_inode:' -e '^/dev/null$' || true
    ls -A ${place}/nexusd-*
    stat -c %a ${place}/nexusd-* ${place}/nexusd-*/*`);
  assert.equal(code, 0, stderr);
  assert.deepEqual(stdout.trim().split('\n'), ['0', '0', 'nexusd.sock', '700', '600']);
});

test('what is wrong ends the script with its own exit code, and says why', async () => {
  for (const [env, expected, said] of [
    [{ NEXUS_BUNDLE: '' }, 2, /NEXUS_BUNDLE is empty\n.*forks/],
    [{ NEXUS_BUNDLE: bundle.slice(0, -8) }, 2, /was cut/],
    [{ NEXUS_BUNDLE_KEY: undefined }, 7, /no private key was given/],
    [{ NEXUS_BUNDLE_KEY: `${key.slice(0, -1)}x` }, 2, /private key was cut or mistyped/],
  ]) {
    const { code, stdout, stderr } = await job(`${START}\necho went on`, { env });
    assert.deepEqual([code, stdout], [expected, ''], stderr);
    assert.match(stderr, said);
  }
  const { code, stderr } = await job('eval "$(nexusd --ephemeral --data-dir /tmp/x)"\necho went on');
  assert.equal(code, 2);
  assert.match(stderr, /--ephemeral has a socket of its own/);
  assert.deepEqual(readdirSync(place), []);
});

test('it opens nothing that this job did not ask for, and reads no other nexusd\'s settings', async () => {
  const other = mkdtempSync(join(tmpdir(), 'nexus-home-'));
  mkdirSync(join(other, '.config', 'nexus'), { recursive: true });
  writeFileSync(join(other, '.config', 'nexus', 'nexus.toml'), '[gateway]\nlisten = "127.0.0.1:1"\n');
  const before = execFileSync('find', [other]).toString();
  const { code, stdout, stderr } = await job(`${START}\nnexus token deploy\nnexus daemon status --json | grep -o '"gateway":[^,]*'`, { env: { HOME: other, NEXUS_SOCKET: '/nowhere/nexusd.sock', NEXUS_DATA_DIR: join(other, 'data') } });
  assert.equal(code, 0, stderr);
  assert.equal(stdout, `${secret}"gateway":null\n`);
  assert.equal(execFileSync('find', [other]).toString(), before);
  rmSync(other, { recursive: true });
});

test('without a bundle it begins empty, and takes one in by hand', async () => {
  const { code, stdout, stderr } = await job(`${START}
    nexus list
    printf %s "$JOB_BUNDLE" | nexus import - | tail -1 | cut -d' ' -f1
    nexus token deploy`, { env: { NEXUS_BUNDLE: undefined, NEXUS_BUNDLE_KEY: key, JOB_BUNDLE: bundle } });
  assert.equal(code, 0, stderr);
  assert.equal(stdout, `deploy\n${secret}`);
});

test('once it is gone, no other nexusd is started in its place', async () => {
  const { code, stdout, stderr } = await job(`${START}
    kill $(${PID})
    while nexus daemon status >/dev/null 2>&1; do sleep 0.05; done
    nexus token deploy || echo "code $?"`);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'code 8\n');
});

test('a refresh token that would be lost with it is warned of', async () => {
  provider.rotate = true;
  const { id } = await connect(home, provider, { alias: 'rotating' });
  const { stdout } = await home.nexus(['export', 'rotating', '--move', '--passphrase-file', '-'], { input: 'correct horse battery' });
  const env = { NEXUS_BUNDLE: stdout.trim(), NEXUS_BUNDLE_KEY: undefined, NEXUS_BUNDLE_PASSPHRASE: 'correct horse battery' };
  const run = await job(`${START}\nnexus token rotating > /dev/null`, { env });
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stderr, new RegExp(`refresh_token_will_be_lost.*${id}`));
});

test('many ask it at once, while it refreshes', async () => {
  const { code, stdout, stderr } = await job(`${START}
    for i in 1 2 3 4 5 6 7 8; do (for j in 1 2 3 4 5; do nexus token deploy --format env; done) & done > ${place}/out
    nexus refresh deploy > /dev/null
    nexus refresh deploy > /dev/null
    wait
    grep -c NEXUS_TOKEN= ${place}/out; rm ${place}/out
    nexus audit --json --limit 200 | grep -o '"event_type":"token_retrieved"' | wc -l`);
  assert.equal(code, 0, stderr);
  assert.deepEqual(stdout.trim().split(/\s+/), ['40', '42'], 'each is on record, and so are the two refreshes');
});
