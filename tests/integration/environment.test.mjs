// nexus called from where a session's environment does not reach: cron, su, sudo, ssh, service managers.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lstatSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BIN, Home } from '../support/nexus.mjs';

const IS_ROOT = process.getuid() === 0;
const NOT_ROOT = !IS_ROOT && 'only root can become somebody else';

/** A home where nothing says where data and socket are, but HOME and the variables of one's own. */
async function plainHome(variables = {}) {
  const home = await Home.make();
  const { PATH, TERM } = home.env;
  home.env = { PATH, TERM, HOME: home.dir, ...variables };
  home.record = join(home.dir, '.local/share/nexusd/nexusd.address');
  return home;
}

/** Runs a program to its end. */
const run = (home, [program, ...args], { env = home.env } = {}) =>
  spawnSync(join(BIN, program), args, { env, timeout: 30000, encoding: 'utf8' });
const status = (home, options) => run(home, ['nexus', '--no-autostart', '--json', 'daemon', 'status'], options);
const pidOf = (asked) => {
  assert.equal(asked.status, 0, asked.stderr);
  return JSON.parse(asked.stdout).pid;
};

/** The daemon of that home is ended, whatever came of the test. */
async function withHome(variables, use) {
  const home = await plainHome(variables);
  try {
    await use(home);
  } finally {
    for (const env of [home.env, { ...home.env, XDG_RUNTIME_DIR: home.runtime }]) run(home, ['nexus', 'daemon', 'stop'], { env });
    rmSync(home.dir, { recursive: true });
  }
}

/** The same, with a session's runtime directory. */
const withSession = (use) => withHome({}, async (home) => {
  home.runtime = join(home.dir, 'run');
  home.session = { ...home.env, XDG_RUNTIME_DIR: home.runtime };
  await use(home);
});

test('cron finds the session\'s daemon, and stops it', () => withSession((home) => {
  const started = run(home, ['nexus', '--json', 'daemon', 'start'], { env: home.session });
  const pid = pidOf(started);
  assert.equal(JSON.parse(started.stdout).socket, join(home.runtime, 'nexus/nexusd.sock'));
  assert.equal(pidOf(status(home)), pid);
  assert.equal(run(home, ['nexus', 'list']).status, 0);
  const stopped = run(home, ['nexus', '--json', 'daemon', 'stop']);
  assert.deepEqual(JSON.parse(stopped.stdout), { stopped: true, pid });
  assert.equal(existsSync(home.record), false);
}));

test('the session finds the daemon that cron has started', () => withSession((home) => {
  const pid = pidOf(run(home, ['nexus', '--json', 'daemon', 'start']));
  assert.equal(pidOf(status(home, { env: home.session })), pid);
  assert.equal(run(home, ['nexus', 'list'], { env: home.session }).status, 0);
}));

test('the record is this user\'s alone, and what a dead daemon left is no hindrance', () => withSession((home) => {
  const pid = pidOf(run(home, ['nexus', '--json', 'daemon', 'start'], { env: home.session }));
  assert.equal(lstatSync(home.record).mode & 0o777, 0o600);
  assert.equal(readFileSync(home.record, 'utf8'), `${join(home.runtime, 'nexus/nexusd.sock')}\n`);
  process.kill(pid, 'SIGKILL');
  while (existsSync(`/proc/${pid}`) && !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  assert.equal(status(home).status, 8);
  assert.equal(run(home, ['nexus', 'list']).status, 0);
  assert.notEqual(pidOf(status(home, { env: home.session })), pid);
}));

test('a record that somebody else may have written is not believed (J22)', () => withSession((home) => {
  run(home, ['nexus', 'daemon', 'start'], { env: home.session });
  assert.equal(status(home).status, 0);
  for (const mode of [0o620, 0o602]) {
    chmodSync(home.record, mode);
    assert.equal(status(home).status, 8, mode.toString(8));
  }
  chmodSync(home.record, 0o600);
  const data = join(home.record, '..');
  chmodSync(data, 0o770);
  assert.equal(status(home).status, 8);
  chmodSync(data, 0o700);
  if (IS_ROOT) {
    chownSync(home.record, 65534, 65534);
    assert.equal(status(home).status, 8);
    chownSync(home.record, 0, 0);
  }
  assert.equal(status(home).status, 0);
  // It names a place and no more: cut off or empty it names none.
  for (const text of ['', '\n', 'run/nexusd.sock\n', readFileSync(home.record, 'utf8').trim()]) {
    writeFileSync(home.record, text);
    assert.equal(status(home).status, 8, text);
  }
  run(home, ['nexus', 'daemon', 'stop'], { env: home.session });
}));

test('a socket that is named is the one that is asked', () => withSession((home) => {
  run(home, ['nexus', 'daemon', 'start'], { env: home.session });
  const elsewhere = { ...home.env, NEXUS_SOCKET: join(home.dir, 'other.sock') };
  assert.equal(status(home, { env: elsewhere }).status, 8);
  const asked = run(home, ['nexus', 'list'], { env: elsewhere });
  assert.equal(asked.status, 8, asked.stderr);
  assert.match(asked.stderr, /another nexusd serves .*, at \S+\/run\/nexus\/nexusd\.sock/);
}));

test('a runtime directory of another user, as su leaves it, is not used (J22)', { skip: NOT_ROOT }, () => withSession((home) => {
  chownSync(home.runtime, 65534, 65534);
  const started = run(home, ['nexus', '--json', 'daemon', 'start'], { env: home.session });
  const pid = pidOf(started);
  assert.deepEqual(readdirSync(home.runtime), []);
  assert.equal(pidOf(status(home)), pid);
  assert.equal(pidOf(status(home, { env: home.session })), pid);
}));

const canMount = IS_ROOT && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/run']).status === 0;
test('/run/user/UID is tried where XDG_RUNTIME_DIR is not set (J22)', { skip: !canMount && 'needs a /run of its own' }, () => withHome({}, (home) => {
  const script = `mount -t tmpfs none /run && mkdir -p -m 700 /run/user/0 && "$1" --json daemon start; ls -d /run/user/0/nexus/*; "$1" daemon stop
    chmod 777 /run/user/0; "$1" --json daemon start; "$1" daemon stop`;
  const said = execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', join(BIN, 'nexus')], { env: home.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [first, socket, second] = said.trim().split('\n');
  assert.equal(JSON.parse(first).socket, '/run/user/0/nexus/nexusd.sock');
  assert.equal(socket, '/run/user/0/nexus/nexusd.sock');
  assert.equal(JSON.parse(second).socket, join(home.dir, '.local/share/nexusd/nexusd.sock'));  // others may write there
}));

test('without a HOME nexus says so, and needs none to talk to a daemon elsewhere', { skip: existsSync(`/run/user/${process.getuid()}`) && 'what has a runtime directory needs no HOME' }, () => withHome({}, (home) => {
  const { PATH } = home.env;
  for (const HOME of [undefined, '', 'relative'])
    for (const words of [['list'], ['token', 'demo'], ['daemon', 'stop'], ['connect', 'github', '--no-browser']]) {
      const asked = run(home, ['nexus', ...words], { env: { PATH, ...(HOME === undefined ? {} : { HOME }) } });
      assert.equal(asked.status, 2, asked.stderr);
      assert.match(asked.stderr, HOME ? /HOME is not an absolute path \(relative\), so .*\n {2}set HOME/ : /HOME is not set.*\n {2}set HOME/);
    }
  const elsewhere = run(home, ['nexus', 'list'], { env: { PATH, NEXUS_URL: 'http://127.0.0.1:1', NEXUS_API_KEY: 'k' } });
  assert.equal(elsewhere.status, 8, elsewhere.stderr);
  const named = run(home, ['nexus', '--no-autostart', 'list'], { env: { PATH, NEXUS_SOCKET: join(home.dir, 'none.sock') } });
  assert.equal(named.status, 8, named.stderr);
}));

test('without a HOME nexusd takes that of the password database, or says that there is none', { skip: !canMount && 'needs a password database of its own' }, () => withHome({}, (home) => {
  const { PATH } = home.env;
  const passwd = join(home.dir, 'passwd');
  writeFileSync(passwd, `root:x:0:0:root:${home.dir}:/bin/sh\n`);
  const script = 'mount --bind "$1" /etc/passwd; shift; exec "$@"';
  const unshared = (env, ...words) => spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', passwd, ...words], { env: { PATH, ...env }, encoding: 'utf8', timeout: 30000 });
  for (const env of [{}, { HOME: '' }]) {
    const started = unshared(env, join(BIN, 'nexusd'));
    assert.equal(started.status, 0, started.stderr);
    assert.ok(existsSync(home.record));
    assert.equal(run(home, ['nexus', 'daemon', 'stop']).status, 0);
    rmSync(join(home.dir, '.local'), { recursive: true });
  }
  writeFileSync(passwd, 'root:x:0:0:root::/bin/sh\n');
  const unknown = unshared({}, join(BIN, 'nexusd'));
  assert.equal(unknown.status, 2, unknown.stderr);
  assert.match(unknown.stderr, /HOME/);
}));

test('root with a user\'s HOME leaves nothing there that the user could not use', { skip: NOT_ROOT }, () => withHome({}, (home) => {
  chownSync(home.dir, 65534, 65534);
  const refused = run(home, ['nexusd']);
  assert.equal(refused.status, 1, refused.stderr);
  assert.match(refused.stderr, /root would make \S+\/\.local in a directory of another user.*\n.*sudo -H/);
  const asked = run(home, ['nexus', 'list']);
  assert.equal(asked.status, 8, asked.stderr);
  assert.match(asked.stderr, /root would make/);
  const socket = run(home, ['nexusd', '--data-dir', join(home.dir, 'run/data'), '--socket', join(home.dir, 'runtime/nexusd.sock')]);
  assert.equal(socket.status, 1, socket.stderr);
  assert.match(socket.stderr, /root would make \S+\/runtime /);
  assert.deepEqual(['.local', '.config', 'runtime'].filter((name) => existsSync(join(home.dir, name))), []);
}));
