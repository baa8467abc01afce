// Who may talk to the daemon, how it is started by a service manager, and how it ends.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register } from '../support/flow.mjs';
import { BIN, Home, until } from '../support/nexus.mjs';

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);

const records = () => execFileSync('sqlite3', [join(home.data, 'audit.db'), 'SELECT record FROM audit ORDER BY seq'])
  .toString().trim().split('\n').map((line) => JSON.parse(line));

test('another user is refused before a byte is read, even where the socket is open to all',
  { skip: process.getuid() !== 0 && 'only root can become somebody else' }, async () => {
    for (const path of [home.dir, dirname(home.socket)]) chmodSync(path, 0o755);
    chmodSync(home.socket, 0o777);
    const stranger = `const s = require('net').connect(${JSON.stringify(home.socket)});
      let got = ''; s.on('data', (d) => { got += d; }); s.on('error', () => {});
      s.on('close', () => { console.log('got:' + got); });
      s.write('GET /health HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n');`;
    const said = execFileSync('setpriv', ['--reuid=65534', '--clear-groups', process.execPath, '-e', stranger]);
    assert.equal(said.toString().trim(), 'got:');
    await until(() => records().some((r) => r.event === 'peer_refused' && r.uid === 65534), 'the record');
    assert.match((await home.nexus(['audit', '--event', 'peer_refused'])).stdout, /a process of uid 65534/);
    for (const path of [home.dir, dirname(home.socket)]) chmodSync(path, 0o700);
    chmodSync(home.socket, 0o600);
    assert.equal((await home.api('GET', '/health')).status, 200);
  });

test('nobody of the same user can look into the daemon, and it leaves no core', () => {
  const limits = readFileSync(`/proc/${home.daemon.pid}/limits`, 'utf8');
  assert.match(limits, /Max core file size\s+0\s+0/);
  // Not dumpable: its /proc entries belong to root, whoever runs it.
  assert.equal(statSync(`/proc/${home.daemon.pid}/mem`).uid, 0);
});

test('nothing that it was started with stays open but the standard streams', async () => {
  const other = await Home.make({ env: { NEXUS_NO_AUTOSTART: '' } });
  const kept = join(other.dir, 'kept');
  const held = (pid) => readdirSync(`/proc/${pid}/fd`).map((fd) => { try { return readlinkSync(`/proc/${pid}/fd/${fd}`); } catch { return ''; } }).filter((path) => path === kept);
  const pid = async () => (await other.api('GET', '/v1/daemon')).json.pid;
  for (const program of [`'${join(BIN, 'nexus')}' list`, `'${join(BIN, 'nexusd')}'`]) {
    const shell = spawnSync('/bin/sh', ['-c', `exec 7>'${kept}' 9>&7; ${program}; exit $?`], { env: other.env, encoding: 'utf8', timeout: 20000 });
    assert.equal(shell.status, 0, shell.stderr);
    assert.deepEqual(held(await pid()), [], program);
    await other.nexus(['daemon', 'stop']);
  }
  await other.remove();
});

/** What a service manager does: bind, listen, give the socket to a group, put it on descriptor 3, execute as a user. */
const SERVICE_MANAGER = `use Socket; use POSIX; $^F = 3; socket(S, PF_UNIX, SOCK_STREAM, 0); my ($path, $group, @program) = @ARGV;
  bind(S, sockaddr_un($path)); listen(S, 10); chown(-1, $group, $path) if $group; chmod($group ? 0660 : 0600, $path);
  POSIX::dup2(fileno(S), 3); $ENV{LISTEN_FDS} = 1; $ENV{LISTEN_PID} = $$; exec(@program, '--foreground');`;

function startAs(home, program, args) {
  const child = spawn(program, args, { env: home.env, stdio: ['ignore', 'ignore', 'pipe', 'ignore'] });
  child.said = '';
  child.stderr.on('data', (text) => { child.said += text; });
  child.ended = new Promise((go) => child.on('close', go));
  return child;
}

async function passOnSocket(home, group = '', as = []) {
  const child = startAs(home, 'perl', ['-e', SERVICE_MANAGER, home.socket, group, ...as, join(BIN, 'nexusd')]);
  await until(() => {
    if (child.exitCode !== null) throw new Error(`it ended: ${child.said}`);
    return child.said.includes(' ready ');
  }, 'nexusd ready');
  return child;
}

test('a socket passed on by the service manager is used, anything else is refused', async () => {
  const other = await Home.make();
  const refused = startAs(other, '/bin/sh', ['-c', `LISTEN_FDS=1 LISTEN_PID=$$ exec '${join(BIN, 'nexusd')}' --foreground`]);
  assert.notEqual(await refused.ended, 0);
  assert.match(refused.said, /not one listening Unix socket/);
  const child = await passOnSocket(other);
  assert.equal((await other.api('GET', '/health')).status, 200);
  child.kill('SIGTERM');
  assert.equal(await child.ended, 0);
  await other.remove();
});

test('where a socket passed on is a group\'s, its members and root are let in, and nobody else',
  { skip: process.getuid() !== 0 && 'only root can become somebody else' }, async () => {
    const GROUP = '12345';
    const DAEMON = 65533;
    const other = await Home.make();
    mkdirSync(other.data, { mode: 0o700 });
    chownSync(other.data, DAEMON, DAEMON);
    for (const path of [other.dir, dirname(other.socket)]) chmodSync(path, 0o755);
    const child = await passOnSocket(other, GROUP, ['setpriv', `--reuid=${DAEMON}`, '--clear-groups']);
    const nexus = (args, who) => spawnSync('setpriv', [...who, join(BIN, 'nexus'), ...args], { env: other.env, encoding: 'utf8' });
    const stranger = ['--reuid=65534', '--regid=65534', '--clear-groups'];
    const member = ['--reuid=65534', '--regid=65534', `--groups=${GROUP}`];
    assert.equal(nexus(['provider', 'add', 'github', '--client-id', 'x'], member).status, 0);
    assert.equal(nexus(['list'], ['--reuid=65534', `--regid=${GROUP}`, '--clear-groups']).status, 0);
    assert.match(nexus(['audit'], ['--reuid=0']).stdout, /provider\.created .* uid 65534 pid \d+ /);
    const refused = nexus(['list'], stranger);
    assert.match(refused.stderr, /you may not use \S+\n {2}join the group that may/);
    assert.equal(refused.status, 9);
    // Beside the file's mode, which can be changed later, the kernel says whose member calls.
    chmodSync(other.socket, 0o666);
    assert.notEqual(nexus(['list'], stranger).status, 0);
    await until(() => child.said.includes('peer_refused'), 'the refusal');
    child.kill('SIGTERM');
    assert.equal(await child.ended, 0);
    await other.remove();
  });

test('a vault has one daemon (F5): a second one says so and leaves the first alone', async () => {
  const second = spawnSync(join(BIN, 'nexusd'), ['--foreground', '--socket', join(home.dir, 'other.sock')], { env: home.env, timeout: 10000 });
  assert.equal(second.status, 11, second.stderr.toString());
  assert.match(second.stderr.toString(), /nexusd: .*(another|already|in use)/);
  assert.equal((await home.api('GET', '/health')).status, 200);
});

test('a daemon that is stopped keeps nobody waiting for ever, and goes on where it was', async () => {
  const { id } = await connect(home, provider);
  home.daemon.kill('SIGSTOP');
  const callers = await Promise.all([['token', id], ['daemon', 'status'], ['daemon', 'start'], ['daemon', 'stop'], ['list', '--json']]
    .map((words) => home.nexus(words, { env: { NEXUS_NO_AUTOSTART: '' } })));
  home.daemon.kill('SIGCONT');
  for (const { code, stderr } of callers) {
    assert.equal(code, 8, stderr);
    assert.match(stderr, /does not answer\n.*kill -CONT/);
  }
  assert.equal((await home.nexus(['token', id])).code, 0);
});

test('a daemon that could not serve anybody says so instead of starting', async () => {
  const other = await Home.make({ env: { NEXUS_NO_AUTOSTART: '' } });
  const limited = (limit, program) => spawnSync('/bin/sh', ['-c', `ulimit ${limit}; exec '${join(BIN, program[0])}' ${program[1]}`],
    { env: other.env, timeout: 20000, encoding: 'utf8' });
  const refused = limited('-n 20', ['nexusd', '']);
  assert.equal(refused.status, 1, refused.stderr);
  assert.match(refused.stderr, /^nexusd: only 20 files may be open at a time, and 64 are needed\n.*ulimit -n/);
  const asked = limited('-n 20', ['nexus', 'list']);
  assert.equal(asked.status, 8, asked.stderr);
  assert.match(asked.stderr, /could not be started: only 20 files may be open/);
  await other.remove();
});

test('a daemon that ends before it can say why is told by how it ended', async () => {
  const other = await Home.make();
  await other.start();
  await other.stop();
  // A program that has the vault to itself for a moment, as a backup may: the daemon waits for it.
  const holder = spawn('sqlite3', [join(other.data, 'nexus.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  holder.stdin.write("PRAGMA locking_mode=EXCLUSIVE;\nBEGIN EXCLUSIVE;\nSELECT 'held';\n");
  let held = '';
  holder.stdout.on('data', (text) => { held += text; });
  await until(() => held.includes('held'), 'the vault is held');
  const starting = spawn(join(BIN, 'nexusd'), [], { env: other.env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  starting.stderr.on('data', (text) => { said += text; });
  const ended = new Promise((go) => starting.on('close', go));
  const children = () => readFileSync(`/proc/${starting.pid}/task/${starting.pid}/children`, 'utf8').trim();
  process.kill(Number(await until(children, 'the daemon is there')), 'SIGKILL');
  assert.equal(await ended, 1);
  assert.match(said, /^nexusd: the daemon ended while it was starting \(Killed, signal 9\)\n {2}see \S+nexusd\.log/);
  holder.kill('SIGKILL');
  await once(holder, 'close');
  await other.remove();
});

test('an audit log that is larger than it may be becomes smaller, and says so', async () => {
  const other = await Home.make({ config: '[audit]\nmax_mib = 2\n' });
  await other.start();
  const now = Math.floor(Date.now() / 1000);
  await other.stop();
  const sql = (text) => execFileSync('sqlite3', [join(other.data, 'audit.db'), text]).toString().trim();
  const fill = (count, at) => sql(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO audit (record) SELECT json_object('v', 2, 'at', ${at}, 'event', 'token_retrieved', 'detail', printf('%.400c', 'x')) FROM n`);
  fill(20000, now - 86400);
  assert.ok(statSync(join(other.data, 'audit.db')).size > 8e6);
  await other.start();
  const pruned = () => other.api('GET', '/v1/audit?event_type=audit_pruned&limit=1000').then(({ json }) => json.map(({ event_data: data }) => JSON.parse(data)).reverse());
  const removed = async () => (await pruned()).reduce((sum, { count }) => sum + count, 0);
  await until(async () => await removed() > 15000, 'the oldest are gone');
  const [first] = await pruned();
  assert.equal(first.count, 2000);
  assert.match(first.detail, /^2000 records until \d{4}-\d\d-\d\dT[\d:]+Z: the file was to grow beyond 2 MiB$/);
  await until(() => sql('PRAGMA freelist_count') === '0', 'no space is left unused');
  assert.equal((await other.api('GET', '/ready')).status, 200);
  await other.stop();
  assert.ok(statSync(join(other.data, 'audit.db')).size < 3e6, 'its space is given back');
  await other.remove();
});

test('SIGTERM ends the daemon within ten seconds, also while a provider stalls', { timeout: 30000 }, async () => {
  const { id } = await connect(home, provider);
  let asked = false;
  provider.onToken = () => { asked = true; return true; };
  const waiting = home.api('POST', `/v1/refresh/${id}`, '').catch(() => undefined);
  await until(() => asked, 'the refresh request');
  const begin = Date.now();
  assert.equal(await home.stop(), 0);
  assert.ok(Date.now() - begin < 10000);
  await waiting;
  provider.onToken = null;
  await home.start();
  assert.equal((await home.api('POST', `/v1/refresh/${id}`, '')).status, 200);
});

test('settings are checked without starting anything', async () => {
  const other = await Home.make();
  const check = (...more) => spawnSync(join(BIN, 'nexusd'), ['--check', ...more], { env: other.env, encoding: 'utf8', timeout: 10000 });
  const good = check();
  assert.deepEqual([good.status, good.stdout, good.stderr], [0, '', '']);
  for (const [text, said] of [['[gateway]\nlisten = "nowhere"\n', /^nexusd: .*gateway\.listen.*\n {2}\S/], ['[daemn]\n', /^nexusd: \S+:1: unknown setting/]]) {
    writeFileSync(other.configFile, text);
    const bad = check();
    assert.equal(bad.status, 2);
    assert.match(bad.stderr, said);
  }
  assert.equal(check('--ephemeral').status, 2);
  assert.ok(!existsSync(other.data), 'no data directory is made');
  await other.remove();
});
