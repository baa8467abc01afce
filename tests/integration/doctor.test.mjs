// nexus doctor: each thing that it looks at is broken, really, and it names that and the mend; where
// the mend is a command, that is run and mends it.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { MisbehavingProvider, reply } from '../provider/misbehaving.mjs';
import { makeCertificate } from '../support/certificate.mjs';
import { connect, register } from '../support/flow.mjs';
import { BIN, freePort, Home, isSanitized, until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const NOT_ROOT = process.getuid() !== 0 && 'only root can become somebody else';
const CANARY = 'canary-2d9f41';

const provider = await MisbehavingProvider.start();
const homes = [];
after(async () => {
  for (const home of homes) await home.remove();
  await provider.close();
});

async function newHome(options) {
  const home = await Home.make(options);
  homes.push(home);
  return home;
}
async function running(options) {
  const home = await newHome(options);
  await home.start();
  return home;
}

/** What it says of each check, and its exit code; never a secret. */
async function examine(home, { env = {}, args = [] } = {}) {
  const { code, stdout, stderr } = await home.nexus(['doctor', '--json', ...args], { env });
  assert.doesNotMatch(stdout + stderr, new RegExp(CANARY));
  assert.ok([0, 1].includes(code), stderr);
  const { checks, failures, warnings } = JSON.parse(stdout);
  assert.equal(code, failures > 0 ? 1 : 0);
  assert.deepEqual([failures, warnings], ['failure', 'warning'].map((state) => checks.filter((check) => check.state === state).length));
  for (const check of checks) assert.equal(check.state === 'ok', check.hint === null, JSON.stringify(check));
  return { code, checks, of: (name) => checks.filter((check) => check.name === name) };
}

/** That a check finds this, and what it says is the mend. */
async function finds(home, name, state, message, hint, options) {
  const { checks, code } = await examine(home, options);
  const found = checks.find((check) => check.name === name && check.state === state && message.test(check.message));
  assert.ok(found, `${name} does not find ${message}: ${JSON.stringify(checks.filter((check) => check.name === name))}`);
  assert.match(found.hint, hint);
  if (state === 'failure') assert.equal(code, 1);
  return found.hint;
}

async function isWell(home, name, options) {
  const { of } = await examine(home, options);
  const [first] = of(name);
  // AddressSanitizer has no memory locked.
  const isItsWay = process.env.ASAN_OPTIONS && /cannot lock its secrets in memory/.test(first?.message);
  assert.deepEqual(of(name).map(({ state }) => state), [isItsWay ? 'warning' : 'ok'], JSON.stringify(of(name)));
  return first.message;
}

/** Runs the command behind "run: " as a shell does, with the nexus that is tested. */
function mend(home, hint, env = {}) {
  const command = /run: (.*)$/.exec(hint)[1];
  execFileSync('sh', ['-c', command], { env: { ...home.env, PATH: `${BIN}:${home.env.PATH}`, ...env }, stdio: 'ignore' });
}

/** A script on the PATH, before everything else that is there. */
function program(home, name, text) {
  const directory = join(home.dir, 'programs');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return `${directory}:${process.env.PATH}`;
}

test('a set-up that works has nothing that fails, and every check has its say', async () => {
  const home = await running();
  await register(home, provider.issuer);
  await connect(home, provider);
  const { code, checks } = await examine(home);
  assert.equal(code, 0, JSON.stringify(checks.filter(({ state }) => state === 'failure')));
  assert.deepEqual([...new Set(checks.map(({ name }) => name))], ['configuration', 'insecure-settings', 'directories', 'socket', 'daemon',
    'programs', 'vault', 'callback', 'browser', 'clock', 'certificates', 'proxy', 'providers', 'connections', 'catalogue', 'services',
    'credential-helpers', 'path']);
  for (const name of ['configuration', 'directories', 'socket', 'programs', 'vault', 'callback', 'clock', 'certificates', 'providers', 'connections', 'catalogue'])
    await isWell(home, name);
});

test('people read a line for each, with its mend below', async () => {
  const home = await newHome();
  const { code, stdout, stderr } = await home.nexus(['doctor']);
  assert.equal(code, 1);
  assert.match(stdout, /^ok {7}configuration {7}\S+nexus\.toml is read$/m);
  assert.match(stdout, /^failure {2}socket {14}no nexusd runs, and commands may not start one \(NEXUS_NO_AUTOSTART\)\n {2}run: nexus daemon start$/m);
  assert.match(stderr, /^failures: 1, warnings: \d+\n$/);
});

test('it starts no daemon, opens no browser, and changes nothing', async () => {
  const home = await newHome({ env: { NEXUS_NO_AUTOSTART: '' } });
  const opened = join(home.dir, 'opened');
  const before = () => execFileSync('find', [home.dir, '-printf', '%p %m %T@ %s\\n'], { encoding: 'utf8' });
  const path = program(home, 'a-browser', `touch ${opened}`);
  const was = before();
  const { of } = await examine(home, { env: { PATH: path, BROWSER: 'a-browser' } });
  assert.equal(before(), was);
  assert.match(of('socket')[0].message, /no nexusd runs; the next command starts one/);
  for (const name of ['clock', 'providers', 'connections']) assert.match(of(name)[0].message, /^not checked: nexusd is not running$/);
});

test('configuration: what nexus.toml says wrong is named with its line', async () => {
  const home = await newHome({ config: '[gateway]\nlissten = "127.0.0.1:1"\n' });
  await finds(home, 'configuration', 'failure', /nexus\.toml:6: unknown setting 'gateway\.lissten'/, /did you mean: gateway\.listen/);
  const { stderr } = await home.nexus(['doctor']);
  assert.doesNotMatch(stderr, /passed over/, 'it is told once');
  writeFileSync(home.configFile, '[daemon\n');
  await finds(home, 'configuration', 'failure', /nexus\.toml:1: /, /correct the file/);
  writeFileSync(home.configFile, 'workspace = 1\n');
  await finds(home, 'configuration', 'failure', /nexus\.toml:1: 'workspace' has to be a text/, /correct the file/);
  rmSync(home.configFile);
  const { checks, code } = await examine(home);
  assert.deepEqual([checks.length, code], [1, 1], 'where the settings are cannot be told');
  assert.match(checks[0].message, /cannot read \S+nexus\.toml: No such file/);
  const { checks: homeless } = await examine(home, { env: { NEXUS_CONFIG: '', NEXUS_DATA_DIR: '', NEXUS_SOCKET: '', HOME: '' } });
  assert.match(homeless[0].message + homeless[0].hint, /HOME is not set.*set HOME|no nexus\.toml|there is no/);
});

test('configuration: what only nexusd can tell is wrong', async () => {
  const home = await newHome({ config: '[gateway]\nlisten = "nowhere"\n' });
  await finds(home, 'configuration', 'failure', /gateway\.listen/, /./);
  for (const [text, said] of [['[proxy]\nrules = ["allow nothing"]\n', /proxy\.rules/], ['[network]\nca_file = "/gone.pem"\n', /gone\.pem/]]) {
    writeFileSync(home.configFile, text);
    await finds(home, 'configuration', 'failure', said, /./);
  }
  writeFileSync(home.configFile, '');
  await isWell(home, 'configuration');
});

test('configuration: a program to run that is not there', async () => {
  const home = await newHome({ config: '[hooks]\non_attention = ["/opt/gone/notify"]\n' });
  await finds(home, 'configuration', 'warning', /hooks\.on_attention is \/opt\/gone\/notify, which is no program/, /on_attention under \[hooks\]/);
  writeFileSync(home.configFile, '[hooks]\non_attention = ["true"]\n');
  await isWell(home, 'configuration');
});

test('configuration: a file that others can write', async () => {
  const home = await newHome();
  chmodSync(home.configFile, 0o666);
  mend(home, await finds(home, 'configuration', 'warning', /can be changed by other users/, /^run: chmod go-w /));
  await isWell(home, 'configuration');
  if (NOT_ROOT) return;
  chownSync(home.configFile, 65534, 65534);
  await finds(home, 'configuration', 'warning', /belongs to another user \(uid 65534\)/, /chown 0/);
});

test('insecure settings are listed', async () => {
  const home = await running({ config: '[gateway]\ninsecure_http = true\n' });
  await register(home, provider.issuer, { allow_private_network: true });
  await finds(home, 'insecure-settings', 'warning', /gateway\.insecure_http is on/, /tls_certificate/);
  for (const [setting, option] of [['allow_insecure_http', 'allow-insecure-http'], ['allow_private_network', 'allow-private-network']])
    await finds(home, 'insecure-settings', 'warning', new RegExp(`provider demo: ${setting} is on`), new RegExp(`nexus provider edit demo --no-${option}`));
  mend(home, await finds(home, 'insecure-settings', 'warning', /allow_private_network/, /run: /));
  assert.equal((await home.api('GET', '/v1/providers/by-name/demo')).json.allow_private_network, false);
});

test('directories: those that are open to others, not there, or another user\'s', async () => {
  const home = await newHome();
  mkdirSync(home.data, { mode: 0o700 });
  await isWell(home, 'directories');
  chmodSync(home.data, 0o755);
  mend(home, await finds(home, 'directories', 'failure', /the data directory \(\S+\) can be entered by other users/, /^run: chmod 700 /));
  await isWell(home, 'directories');
  chmodSync(home.dir, 0o777);
  mend(home, await finds(home, 'directories', 'warning', /HOME \(\S+\) can be written by other users/, /^run: chmod go-w /));
  await finds(home, 'directories', 'warning', /^XDG_RUNTIME_DIR \(\S+away\): No such file/, /mkdir -p -m 700/, { env: { XDG_RUNTIME_DIR: join(home.dir, 'away') } });
  await finds(home, 'directories', 'warning', /^XDG_DATA_HOME is no absolute path/, /absolute path/, { env: { XDG_DATA_HOME: 'here' } });
  rmSync(home.data, { recursive: true });
  writeFileSync(home.data, '');
  await finds(home, 'directories', 'failure', /is no directory/, /a directory of yours/);
  rmSync(home.data);
  if (NOT_ROOT) return;
  mkdirSync(home.data, { mode: 0o700 });
  chownSync(home.data, 65534, 65534);
  await finds(home, 'directories', 'failure', /belongs to uid 65534/, /sudo -H/);
});

test('directories: a disk that is full', {
  skip: (NOT_ROOT || spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status !== 0) && 'no file system can be mounted',
}, async () => {
  const home = await newHome();
  mkdirSync(home.data, { mode: 0o700 });
  const within = (size) => {
    const { stdout } = spawnSync('unshare', ['-m', 'sh', '-c', `mount -t tmpfs -o size=${size},mode=700 none "$1" && exec "$2" doctor --json`, 'sh', home.data, join(BIN, 'nexus')], { env: home.env, encoding: 'utf8' });
    return JSON.parse(stdout).checks.filter(({ name }) => name === 'directories');
  };
  assert.match(JSON.stringify(within('2m')), /"failure","message":"only 2 MiB are free for the data directory.*make room/);
  assert.match(JSON.stringify(within('50m')), /"warning","message":"only 50 MiB are free/);
  assert.deepEqual(within('200m').map(({ state }) => state), ['ok']);
});

test('socket: what is stale, in the way, too long or not to be reached', async () => {
  const home = await running();
  await isWell(home, 'socket');
  await home.stop('SIGKILL');
  mend(home, await finds(home, 'socket', 'failure', /is left over: the nexusd that listened there was killed/, /^run: nexus daemon start$/));
  await isWell(home, 'socket');
  await home.nexus(['daemon', 'stop']);
  assert.equal((await examine(home, { env: { NEXUS_NO_AUTOSTART: '' } })).of('socket')[0].state, 'note');
  rmSync(home.socket, { force: true });
  writeFileSync(home.socket, '');
  await finds(home, 'socket', 'failure', /is no socket/, /move it away/);
  await finds(home, 'socket', 'failure', /the socket's path is too long/, /at most 107/, { env: { NEXUS_SOCKET: `/${'x'.repeat(120)}` } });
  await finds(home, 'socket', 'failure', /cannot be reached: Not a directory/, /NEXUS_SOCKET/, { env: { NEXUS_SOCKET: join(home.socket, 'nexusd.sock') } });
});

test('socket: open to others, and found by its record', async () => {
  const home = await running();
  chmodSync(home.socket, 0o666);
  mend(home, await finds(home, 'socket', 'warning', /is open to other users/, /^run: chmod o= /));
  await isWell(home, 'socket');  // for a group, that is how it is made where one is let in
  await finds(home, 'socket', 'note', /nexusd answers at \S+, which it has recorded/, /set socket under \[daemon\]/,
    { env: { NEXUS_SOCKET: '', XDG_RUNTIME_DIR: join(home.dir, 'elsewhere') } });
});

test('socket: a daemon that is stopped is told from one that is absent, soon, and mended', async () => {
  const home = await running();
  home.daemon.kill('SIGSTOP');
  await until(() => /^State:\s+T/m.test(readFileSync(`/proc/${home.daemon.pid}/status`, 'utf8')), 'it is stopped');
  const begin = Date.now();
  const hint = await finds(home, 'socket', 'failure', new RegExp(`nexusd \\(pid ${home.daemon.pid}\\) at \\S+ is stopped`), /^run: kill -CONT \d+$/);
  assert.ok(Date.now() - begin < 6000, `${Date.now() - begin} ms`);
  mend(home, hint);
  await isWell(home, 'socket');
});

test('socket: what listens and never answers does not keep it', async () => {
  const home = await newHome();
  const server = createServer(() => {}).listen(home.socket);
  await once(server, 'listening');
  const begin = Date.now();
  await finds(home, 'socket', 'failure', /does not answer/, /run: nexus daemon/);
  assert.ok(Date.now() - begin < 6500, `${Date.now() - begin} ms`);
  server.close();
});

test('daemon: several of them', async () => {
  const home = await newHome();
  const other = await running();
  await home.start();
  const hint = await finds(home, 'daemon', 'warning', /\d+ nexusd run as you.*pids/, /kill PID/);
  assert.match(hint, /ps -C nexusd/);
  const { of } = await examine(home);
  assert.match(of('daemon')[0].message, /^nexusd \d+\.\d+\.\d+ has been up for /);
  const pids = of('daemon').map(({ message }) => message).join(' ');
  for (const { daemon } of [home, other]) assert.match(pids, new RegExp(`\\b${daemon.pid}\\b`));
});

test('daemon: of another version than nexus, as after an update', async () => {
  const home = await newHome();
  const [, version] = /^nexusd (\S+)/.exec(execFileSync(join(BIN, 'nexusd'), ['--version'], { encoding: 'utf8' }));
  const older = readFileSync(join(BIN, 'nexusd'), 'latin1').replaceAll(`\0${version}\0`, `\0${version.replace(/\d$/, '!')}\0`);
  const program = join(home.dir, 'nexusd');
  writeFileSync(program, older, { encoding: 'latin1', mode: 0o755 });
  const child = spawn(program, ['--foreground'], { env: home.env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => { said += text; });
  await until(() => said.includes(' ready '), () => `ready: ${said}`);
  await finds(home, 'daemon', 'warning', new RegExp(`^nexusd is \\S+!, and nexus is ${version}$`), /^run: nexus daemon restart$/);
  child.kill('SIGTERM');
  await once(child, 'close');
  await home.start();
  assert.equal((await examine(home)).of('daemon')[0].state, 'ok');
});

test('programs: one that an installation lacks', async () => {
  const home = await newHome();
  const bin = join(home.dir, 'bin');
  mkdirSync(bin);
  for (const name of ['nexus', 'nexus-cli', 'nexusd', 'nexus-remote', 'nexus-jq']) copyFileSync(join(BIN, name), join(bin, name));
  const found = () => JSON.parse(spawnSync(join(bin, 'nexus'), ['doctor', '--json'], { env: home.env, encoding: 'utf8' }).stdout).checks;
  const programs = () => found().filter(({ name }) => name === 'programs');
  assert.deepEqual(programs().map(({ state }) => state), ['ok']);
  for (const [name, state] of [['nexus-jq', 'warning'], ['nexus-remote', 'warning'], ['nexusd', 'failure']]) {
    rmSync(join(bin, name));
    const [lacking] = programs();
    assert.deepEqual([lacking.state, lacking.message.split(' ')[0]], [state, name]);
    assert.match(lacking.hint, /install it again/);
    copyFileSync(join(BIN, name), join(bin, name));
  }
  assert.match(found().find(({ name }) => name === 'catalogue').message, /the one that comes with Nexus is not found/);
});

test('vault: a key that others can read, that is gone, and damage', async () => {
  const home = await running();
  await register(home, provider.issuer);
  const key = join(home.data, 'vault.key');
  await isWell(home, 'vault');
  chmodSync(key, 0o644);
  mend(home, await finds(home, 'vault', 'failure', /vault\.key is open to other users/, /^run: chmod 600 /));
  await isWell(home, 'vault');
  await home.stop();
  const kept = readFileSync(key);
  rmSync(key);
  await finds(home, 'vault', 'failure', /the vault's key is missing/, /put the key file back/);
  writeFileSync(key, kept, { mode: 0o600 });
  await isWell(home, 'vault');
  // A page is lost, as a failing disk loses it.
  const file = join(home.data, 'audit.db');
  const bytes = readFileSync(file);
  bytes.fill(0, bytes.length - 4096);
  writeFileSync(file, bytes, { mode: 0o600 });
  await home.start();
  await until(async () => (await home.api('GET', '/v1/daemon')).json.damage.length > 0, 'the damage is found');
  await finds(home, 'vault', 'failure', /^damaged: /, /nexusd\(8\), DAMAGE/);
});

/** All that is in there, to the byte, and when it was changed. */
const everythingIn = (directory) => execFileSync('sh', ['-c', 'find . -printf "%p %m %T@ %s\\n" | sort; find . -type f | sort | xargs -r sha256sum'], { cwd: directory, encoding: 'utf8' });

test('vault: what keeps nexusd from starting is what a start says, and is only looked at', async () => {
  const home = await running();
  await register(home, provider.issuer);
  await home.stop('SIGKILL');  // what it wrote last is in the log beside the file
  assert.ok(readFileSync(join(home.data, 'nexus.db-wal')).length > 0);
  const whole = join(home.dir, 'whole');
  execFileSync('cp', ['-a', home.data, whole]);
  const was = everythingIn(home.data);
  await isWell(home, 'vault');
  assert.equal(everythingIn(home.data), was);
  // Another program reads it meanwhile, as a backup does.
  const reader = spawn('sqlite3', [join(home.data, 'nexus.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  reader.stdin.write("BEGIN; SELECT 'reads' || count(*) FROM providers;\n");
  await once(reader.stdout, 'data');
  await isWell(home, 'vault');
  reader.kill('SIGKILL');
  await once(reader, 'close');
  const db = (name, sql) => execFileSync('sqlite3', [join(home.data, name), sql]);
  for (const [spoil, said, mended] of [
    [() => writeFileSync(join(home.data, 'vault.key'), 'junk\n'), /vault\.key does not hold a base64 key/, /the key that the vault was made with/],
    [() => writeFileSync(join(home.data, 'vault.key'), `${randomBytes(32).toString('base64')}\n`), /the vault does not open with this key/, /./],
    [() => { rmSync(join(home.data, 'nexus.db-wal')); writeFileSync(join(home.data, 'nexus.db'), 'garbage '.repeat(2000)); }, /cannot open the vault \S+nexus\.db: file is not a database/, /nexusd\(8\), DAMAGE/],
    [() => { rmSync(join(home.data, 'audit.db-wal')); writeFileSync(join(home.data, 'audit.db'), 'garbage '.repeat(2000)); }, /cannot open the audit log \S+audit\.db: file is not a database/, /nexusd\(8\), DAMAGE/],
    [() => rmSync(join(home.data, 'nexus.db')), /the vault \S+nexus\.db is gone or empty/, /put nexus\.db back/],
    [() => db('nexus.db', 'PRAGMA user_version = 9999'), /nexus\.db: a newer nexusd has written this file/, /./],
    [() => db('audit.db', 'PRAGMA user_version = 9999'), /audit\.db: a newer nexusd has written this file/, /./],
  ]) {
    rmSync(home.data, { recursive: true });
    execFileSync('cp', ['-a', whole, home.data]);
    spoil();
    const spoilt = everythingIn(home.data);
    await finds(home, 'vault', 'failure', said, mended);
    assert.equal(everythingIn(home.data), spoilt);
    const started = spawnSync(join(BIN, 'nexusd'), ['--foreground'], { env: home.env, encoding: 'utf8', timeout: 10000 });
    assert.match(started.stderr, said);
    assert.equal(started.status, 7);
  }
});

test('vault: a key in the environment is tried, and one that another nexusd serves is left to it', async () => {
  const key = randomBytes(32).toString('base64');
  const home = await running({ env: { NEXUS_ENCRYPTION_KEY: key } });
  await isWell(home, 'vault');
  await home.stop();
  await isWell(home, 'vault');
  const wrong = randomBytes(32).toString('base64');
  await finds(home, 'vault', 'failure', /does not open with this key/, /./, { env: { NEXUS_ENCRYPTION_KEY: wrong } });
  await home.start();
  await isWell(home, 'vault', { env: { NEXUS_ENCRYPTION_KEY: wrong } });
});

test('directories: a home where none can be made', async () => {
  const home = await newHome();
  const locked = join(home.dir, 'locked');
  mkdirSync(locked, { mode: 0o555 });
  const env = { ...home.env, NEXUS_DATA_DIR: join(locked, 'share', 'nexusd') };
  // Root writes where it likes.
  const words = NOT_ROOT ? [] : ['setpriv', '--bounding-set=-dac_override', '--inh-caps=-dac_override'];
  const [file, ...args] = [...words, join(BIN, 'nexus'), 'doctor', '--json'];
  const { checks } = JSON.parse(spawnSync(file, args, { env, encoding: 'utf8' }).stdout);
  const [found] = checks.filter(({ name }) => name === 'directories');
  assert.deepEqual([found.state, found.message], ['failure', `cannot make ${join(locked, 'share')}: Permission denied`]);
  assert.match(found.hint, /--data-dir or NEXUS_DATA_DIR/);
});

// A sanitizer takes mlock for itself, and says that it went well.
test('vault: secrets that cannot be locked in memory (N16)', { skip: NOT_ROOT || (isSanitized() && 'a sanitizer has its own mlock') }, async (t) => {
  const home = await newHome();
  const child = spawn('prlimit', ['--memlock=0:0', 'setpriv', '--bounding-set=-ipc_lock', join(BIN, 'nexusd'), '--foreground'],
    { env: home.env, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', (text) => { said += text; });
  await until(() => said.includes(' ready '), () => `ready: ${said}`);
  assert.match(said, /warn memory_not_locked/);
  await finds(home, 'vault', 'warning', /cannot lock its secrets in memory/, /ulimit -l/);
  child.kill('SIGTERM');
  await once(child, 'close');
});

test('callback: a port that another program holds is told with that program', async () => {
  const home = await running();
  await isWell(home, 'callback');
  const holder = spawn(process.execPath, ['-e', `require('net').createServer().listen(${home.callbackPort}, '127.0.0.1', () => console.log('held'))`]);
  await once(holder.stdout, 'data');
  await finds(home, 'callback', 'failure', new RegExp(`node \\(pid ${holder.pid}\\) holds the port`), /base_url under \[callback\]/);
  holder.kill();
  await once(holder, 'exit');
  await isWell(home, 'callback');
  await register(home, provider.issuer);
  await home.api('POST', '/v1/request-connection', { workspace_id: 'default', provider_name: 'demo' });
  assert.match(await isWell(home, 'callback'), /a consent is pending/);
});

test('callback: an address that no browser may be sent to', async () => {
  const home = await newHome({ callbackBase: 'http://nexus.example.com:8090' });
  await finds(home, 'callback', 'failure', /callback\.base_url is http:\/\/nexus\.example\.com:8090/, /127\.0\.0\.1:PORT/);
});

test('browser: the one that would be opened, or none', async () => {
  const home = await newHome();
  const PATH = program(home, 'a-browser', 'exit 0');
  assert.match(await isWell(home, 'browser', { env: { PATH, BROWSER: 'a-browser' } }), /nexus connect opens a-browser/);
  await finds(home, 'browser', 'note', /no display/, /--device/);
  await finds(home, 'browser', 'warning', /BROWSER names no program that is there \(no-such-browser\)/, /set BROWSER/, { env: { BROWSER: 'no-such-browser' } });
  await finds(home, 'browser', 'note', /SSH session/, /--paste/, { env: { PATH, BROWSER: 'a-browser', SSH_CONNECTION: '192.0.2.1 1 192.0.2.2 22' } });
});

test('clock: off by a minute is a warning, by an hour a failure', async () => {
  const home = await running();
  await register(home, provider.issuer);
  await isWell(home, 'clock');
  const tell = (seconds) => { provider.onOther = (path, response) => path === '/' && reply(response, {}, 200, { date: new Date(Date.now() + seconds * 1000).toUTCString() }); };
  tell(60);
  await finds(home, 'clock', 'warning', /^it is (59s|1m\w*|1m 0s) behind that of http/, /timedatectl set-ntp true/);
  tell(-3600);
  await finds(home, 'clock', 'failure', /^it is 1h\S*( \d+m)? ahead of that of http/, /timedatectl/);
  provider.onOther = null;
  await isWell(home, 'clock');
});

test('certificates: a bundle that is empty, gone, or the one of a variable', async () => {
  const home = await newHome();
  await isWell(home, 'certificates');
  const empty = join(home.dir, 'empty.pem');
  writeFileSync(empty, '');
  const set = (file) => writeFileSync(home.configFile, `[network]\nca_file = "${file}"\n`);
  set(empty);
  await finds(home, 'certificates', 'failure', /empty\.pem: it has no certificate/, /ca_file under \[network\]/);
  set(join(home.dir, 'gone.pem'));
  await finds(home, 'certificates', 'failure', /gone\.pem: No such file/, /leave it out/);
  writeFileSync(home.configFile, '');
  await finds(home, 'certificates', 'warning', /^SSL_CERT_FILE is \S+empty\.pem: it has no certificate/, /unset SSL_CERT_FILE/, { env: { SSL_CERT_FILE: empty } });
  await finds(home, 'certificates', 'warning', /^SSL_CERT_DIR is \S+: it is empty/, /unset SSL_CERT_DIR/, { env: { SSL_CERT_DIR: join(home.dir, 'run') } });
});

test('proxy: malformed variables, never shown with a password; and NO_PROXY', async () => {
  const home = await newHome();
  await isWell(home, 'proxy');
  for (const value of [`gopher://me:${CANARY}@proxy.example.com`, `http://me:${CANARY}@proxy.example.com:port`, `http://me:${CANARY}@`, `http://proxy example ${CANARY}`])
    await finds(home, 'proxy', 'failure', /^HTTPS_PROXY is no proxy's address/, /http:\/\/HOST:PORT.*unset HTTPS_PROXY/, { env: { HTTPS_PROXY: value } });
  const env = { https_proxy: `http://me:${CANARY}@proxy.example.com:3128`, NO_PROXY: '.example.com' };
  const hint = await finds(home, 'proxy', 'warning', /^http:\/\/proxy\.example\.com:3128 \(https_proxy\), and NO_PROXY leaves this machine in/, /^run: export NO_PROXY=/, { env });
  const exported = execFileSync('sh', ['-c', `${hint.slice('run: '.length)}; printf %s "$NO_PROXY"`], { encoding: 'utf8' });
  assert.match(exported, /,\.example\.com$/);
  assert.match(await isWell(home, 'proxy', { env: { ...env, NO_PROXY: exported } }), /^http:\/\/proxy\.example\.com:3128/);
  writeFileSync(home.configFile, `[network]\nproxy = "http//me:${CANARY}"\n`);
  await finds(home, 'configuration', 'failure', /nexus\.toml:2: network\.proxy is no proxy's address/, /http:\/\/HOST:PORT/);
});

test('providers: each that is not reached, by its name, without credentials', async () => {
  const home = await running();
  await finds(home, 'providers', 'note', /none is registered/, /nexus connect/);
  await register(home, provider.issuer);
  const gone = `http://127.0.0.1:${await freePort()}`;
  await register(home, undefined, { name: 'gone', auth_url: `${gone}/a`, token_url: `${gone}/t` });
  provider.requests = [];
  await finds(home, 'providers', 'failure', /^gone: cannot talk to http:\/\/127\.0\.0\.1/, /check the network/);
  const { of } = await examine(home);
  assert.deepEqual(of('providers').map(({ state }) => state), ['failure', 'ok']);
  assert.equal(of('providers')[1].message, '1 reached: demo');
  for (const { method, path, headers } of provider.requests) {
    assert.deepEqual([method, path], ['HEAD', '/']);
    assert.equal(headers.authorization, undefined);
  }
});

test('providers: one whose certificate is from nobody known, until ca_file names who', async () => {
  const made = makeCertificate();
  const secure = await MisbehavingProvider.start({ tls: { key: readFileSync(made.key), cert: readFileSync(made.certificate) } });
  const home = await running();
  await register(home, secure.issuer, { enable_discovery: false, auth_url: `${secure.issuer}/a`, token_url: `${secure.issuer}/t` });
  await finds(home, 'providers', 'failure', /^demo: cannot talk to https:\/\/localhost:\d+\/: .*certificate/, /network\.ca_file/);
  await home.stop();
  writeFileSync(home.configFile, `${readFileSync(home.configFile, 'utf8')}[network]\nca_file = "${made.certificate}"\n`);
  await home.start();
  await isWell(home, 'providers');
  await secure.close();
  made.remove();
});

test('providers: one that never answers does not keep it, however many there are', async () => {
  const home = await running();
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  for (let i = 0; i < 20; ++i) await register(home, undefined, { name: `silent-${i}`, auth_url: 'https://a.example/', token_url: `http://127.0.0.${i + 1}:${silent.address().port}/t` });
  const begin = Date.now();
  await finds(home, 'providers', 'failure', /^20 are not reached: silent-0, .* and 10 more$/, /nexus provider test/);
  assert.ok(Date.now() - begin < 6500, `${Date.now() - begin} ms`);
  silent.close();
});

test('connections: those that need a person', async () => {
  const home = await running();
  await register(home, provider.issuer);
  const { id } = await connect(home, provider);
  await isWell(home, 'connections');
  provider.onToken = (form, response) => form.get('grant_type') === 'refresh_token' && reply(response, { error: 'invalid_grant' }, 400);
  await home.api('POST', `/v1/refresh/${id}`, '');
  provider.onToken = null;
  const hint = await finds(home, 'connections', 'warning', /^1 needs a person/, /^run: nexus list --status attention_required --all-workspaces$/);
  assert.match((await home.nexus(hint.split(' ').slice(2))).stdout, /demo/);
});

test('catalogue: an entry of one\'s own that is broken', async () => {
  const home = await newHome();
  const own = join(home.dir, '.config', 'nexus', 'providers');
  mkdirSync(own, { recursive: true });
  await isWell(home, 'catalogue');
  writeFileSync(join(own, 'acme.toml'), 'name = "acme\n');
  await finds(home, 'catalogue', 'failure', /acme\.toml:1: /, /./);
});

test('catalogue: what is no file among the entries, which is not waited for', async () => {
  const home = await newHome();
  const own = join(home.dir, '.config', 'nexus', 'providers');
  mkdirSync(own, { recursive: true });
  execFileSync('mkfifo', [join(own, 'acme.toml')]);
  await finds(home, 'catalogue', 'failure', /cannot read \S+acme\.toml: it is no regular file/, /correct the entry, or take it away/);
});

test('what hangs for longer than each has time does not keep it', async () => {
  const home = await newHome();
  const directories = [1, 2, 3, 4, 5, 6].map((number) => join(home.dir, `bin${number}`));
  for (const directory of directories) {
    mkdirSync(directory);
    writeFileSync(join(directory, 'nexus'), '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
  }
  const begin = Date.now();
  await finds(home, 'path', 'failure', /^not done within 6 s$/, /what it looks at hangs/, { env: { PATH: `${directories.join(':')}:${process.env.PATH}` } });
  assert.ok(Date.now() - begin < 8000, `${Date.now() - begin} ms`);
});

// systemd does not run where tests do: what it would say stands in for it.
test('services: a unit that failed, and a daemon beside the unit', async () => {
  const home = await running();
  const says = (socket, service) => {
    const block = ([id, active, file, pid]) => `Id=${id}\nActiveState=${active}\nUnitFileState=${file}${pid ? `\nMainPID=${pid}` : ''}\n`;
    return { env: { PATH: program(home, 'systemctl', `cat <<'END'\n${block(['nexusd.socket', ...socket])}\n${block(['nexusd.service', ...service])}END`), USER: 'nobody-lingers' } };
  };
  await isWell(home, 'services', says(['inactive', 'disabled'], ['inactive', 'disabled', '0']));
  await finds(home, 'services', 'failure', /nexusd\.service has failed/, /run: systemctl --user restart nexusd\.service/, says(['active', 'enabled'], ['failed', 'disabled', '0']));
  await finds(home, 'services', 'warning', new RegExp(`the nexusd that runs \\(pid ${home.daemon.pid}\\) is not the unit's`), /^run: nexus daemon stop && systemctl --user restart nexusd\.socket$/,
    says(['active', 'enabled'], ['inactive', 'disabled', '0']));
  const hint = await finds(home, 'services', 'note', /linger is off/, /loginctl enable-linger/, says(['active', 'enabled'], ['active', 'disabled', home.daemon.pid]));
  assert.ok(hint);
  // One that hangs has two seconds.
  const PATH = program(home, 'systemctl', 'exec sleep 60');
  await isWell(home, 'services', { env: { PATH } });
});

test('credential helpers: what git, docker and aws are to ask and do not find', async () => {
  const home = await running({ env: { PATH: '/usr/bin:/bin' } });
  await register(home, provider.issuer);
  await connect(home, provider);
  assert.match(await isWell(home, 'credential-helpers'), /do not ask nexus/);
  const helpers = join(home.dir, 'helpers');
  mkdirSync(helpers);
  for (const name of ['git-credential-nexus', 'docker-credential-nexus']) symlinkSync(join(BIN, 'nexus'), join(helpers, name));
  const env = { PATH: `${helpers}:/usr/bin:/bin` };
  for (const [tool, place] of [['git', 'git.example.com'], ['docker', 'ghcr.example.com']]) {
    const { code, stderr } = await home.nexus(['credential', 'setup', tool, place, '--connection', 'demo', '--yes'], { env });
    assert.equal(code, 0, stderr);
  }
  assert.match(await isWell(home, 'credential-helpers', { env }), /git, docker: found what they ask/);
  await finds(home, 'credential-helpers', 'failure', /git is to ask git-credential-nexus \(\S+\.gitconfig\), which is not on the PATH/, /nexus credential setup git PLACE --undo/);
  await finds(home, 'credential-helpers', 'failure', /docker is to ask docker-credential-nexus/, /--undo/);
  mkdirSync(join(home.dir, '.aws'));
  writeFileSync(join(home.dir, '.aws', 'config'), '[profile x]\ncredential_process = /opt/gone/nexus credential aws demo\n');
  await finds(home, 'credential-helpers', 'failure', /aws is to ask \/opt\/gone\/nexus \(\S+config\), which is not there/, /--undo/, { env });
});

test('path: no nexus, another one, and the mend', async () => {
  const home = await newHome();
  const hint = await finds(home, 'path', 'warning', /nexus is not on the PATH/, /^run: export PATH=/, { env: { PATH: '/usr/bin:/bin' } });
  const PATH = execFileSync('sh', ['-c', `${hint.slice('run: '.length)}; printf %s "$PATH"`], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
  assert.match(await isWell(home, 'path', { env: { PATH } }), new RegExp(`nexus is ${join(BIN, 'nexus')}$`));
  const [other] = program(home, 'nexus', 'echo nexus 0.0.9').split(':');
  await finds(home, 'path', 'warning', /nexus is \S+programs\/nexus \(0\.0\.9\), and not this one/, /^run: export PATH=/, { env: { PATH: `${other}:${PATH}` } });
  await finds(home, 'path', 'note', /there is another nexus behind it: \S+programs\/nexus \(0\.0\.9\)/, /remove/, { env: { PATH: `${PATH}:${other}` } });
});

test('a nexusd elsewhere: what is of this machine\'s daemon is left out', async () => {
  const home = await running({ gateway: true });
  const NEXUS_API_KEY = await home.makeKey('admin', '--admin');
  const env = { NEXUS_URL: home.gateway, NEXUS_API_KEY };
  const { of } = await examine(home, { env });
  for (const name of ['directories', 'socket', 'vault', 'callback', 'services']) assert.match(of(name)[0].message, /^not checked: NEXUS_URL/);
  assert.match(of('daemon')[0].message, /^nexusd \S+ has been up/);
  await finds(home, 'daemon', 'note', /answers, and tells an admin's key alone/, /nexus key create --name NAME --admin/, { env: { ...env, NEXUS_API_KEY: await home.makeKey('reader', '--read', 'all') } });
  await finds(home, 'daemon', 'failure', /API key/, /./, { env: { ...env, NEXUS_API_KEY: 'nxk_wrong' } });
  await finds(home, 'daemon', 'failure', /Failed to connect/, /./, { env: { ...env, NEXUS_URL: `http://127.0.0.1:${await freePort()}` } });
});

test('on a terminal it says what it waits for', async () => {
  const home = await running();
  home.daemon.kill('SIGSTOP');
  const terminal = new Terminal(home, ['doctor', '--no-pager'], { env: { TERM: 'xterm' } });
  const { code, text } = await terminal.end();
  home.daemon.kill('SIGCONT');
  assert.match(text, /looking at \S+ …\r/);
  assert.equal(code, 1);
});
