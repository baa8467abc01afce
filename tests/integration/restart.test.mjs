// nexus daemon restart: the nexusd that is installed takes the place of the one that runs, in the same
// process, and nobody who calls meanwhile is refused.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { reply } from '../provider/misbehaving.mjs';
import { connect, register, request, token, visit } from '../support/flow.mjs';
import { forwarding } from '../support/forwarding.mjs';
import { BIN, Home, freePort, until } from '../support/nexus.mjs';

const execute = promisify(execFile);

const { home, provider, api, id, key } = await forwarding();
const { access_token: good } = (await token(home, id)).json;
home.key = key;

const restart = (options) => home.nexus(['daemon', 'restart', '--json'], options);
const restarts = () => home.log.match(/ ready /g).length - 1;

/** Does it over and over, a few at a time, until it is told to end; tells how often. */
function overAndOver(ask, side = 3) {
  let goes = true;
  const all = Promise.all(Array.from({ length: side }, async () => {
    let count = 0;
    for (; goes; ++count) await ask();
    return count;
  }));
  all.catch(() => { goes = false; });
  return async () => {
    goes = false;
    for (const count of await all) assert.ok(count > 5, `only ${count} came through`);
  };
}
/** One in whose sandbox a program that is put into the directory may be run. */
async function homeWithPrograms() {
  const own = await Home.make();
  own.programs = join(own.dir, '.local', 'bin');
  mkdirSync(own.programs, { recursive: true });
  return own;
}

/** A program behind the proxy, and what it would ask for. */
async function program(t) {
  const script = 'echo "$NEXUS_PROXY_URL $NEXUS_PROXY_KEY"; exec sleep 1000';
  const child = spawn(join(BIN, 'nexus'), ['exec', '--proxy', id, '--', 'sh', '-c', script], { env: home.env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (text) => { said += text; });
  await until(() => said.includes('\n'), () => said);
  const [url, key] = said.trim().split(' ');
  const ask = () => fetch(`${url}/${id}/things`, { headers: { authorization: `Bearer ${key}`, connection: 'close' } });
  return { child, ask };
}

test('commands, the gateway and the proxy all answer while it is restarted', async (t) => {
  const { child, ask } = await program(t);
  const { pid } = JSON.parse((await home.nexus(['daemon', 'status', '--json'])).stdout);
  const before = restarts();
  const ends = [
    overAndOver(async () => {
      const { code, stdout, stderr } = await home.nexus(['token', id]);
      assert.deepEqual([code, stdout], [0, good], stderr);
    }),
    overAndOver(async () => {
      const { status, json } = await home.http('GET', `/v1/token/${id}`, undefined, { headers: { connection: 'close' } });
      assert.deepEqual([status, json?.access_token], [200, good]);
    }),
    overAndOver(async () => {
      const answer = await ask();
      assert.equal(answer.status, 200, await answer.text());
    }),
  ];
  for (let i = 0; i < 5; ++i) {
    const { code, stdout, stderr } = await restart();
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).pid, pid, 'the process stays');
    assert.equal(restarts(), before + i + 1);
  }
  for (const end of ends) await end();
  assert.ok(api.requests.length > 5);
  assert.deepEqual(JSON.parse((await home.nexus(['proxy', 'status', '--json'])).stdout).programs, 1);
  // Its key ends with it, as before.
  child.kill('SIGKILL');
  await until(async () => (await ask().catch(() => ({ status: 'refused' }))).status !== 200, 'the key is over');
});

test('a consent that was begun before is given afterwards', async () => {
  const { auth_url: consent, connection_id: awaited } = await request(home);
  assert.equal((await restart()).code, 0);
  await visit(provider.consent(consent));
  assert.equal((await home.api('GET', `/v1/check-connection/${awaited}`)).json.status, 'active');
});

test('the settings that there are by then are in force, and a port that they left is free', async (t) => {
  const was = readFileSync(home.configFile, 'utf8');
  const port = await freePort();
  t.after(async () => { writeFileSync(home.configFile, was); assert.equal((await restart()).code, 0); });
  writeFileSync(home.configFile, was.replace(/\[gateway\]\nlisten = "[^"]*"/, `[gateway]\nlisten = "127.0.0.1:${port}"`));
  assert.equal((await restart()).code, 0);
  assert.equal((await home.http('GET', `/v1/token/${id}`, undefined, { port })).status, 200);
  const socket = connectTo(home.gatewayPort, '127.0.0.1');
  assert.equal((await once(socket, 'error'))[0].code, 'ECONNREFUSED');
});

test('what the new one could not begin with is told, and the old one goes on', async (t) => {
  const was = readFileSync(home.configFile, 'utf8');
  t.after(() => writeFileSync(home.configFile, was));
  const before = restarts();
  appendFileSync(home.configFile, '\n[nonsense]\nx = 1\n');
  const { code, stderr } = await home.nexus(['daemon', 'restart'], { env: { NEXUS_CONFIG: '/dev/null' } });
  assert.equal(code, 2, stderr);
  assert.match(stderr, /nonsense/);
  writeFileSync(home.configFile, was);
  for (const named of ['', 'nexusd', '/nowhere/nexusd', home.configFile]) {
    const refused = await home.api('POST', '/v1/daemon/restart', { program: named });
    assert.deepEqual([refused.status, refused.json.error], [400, 'invalid_field'], named);
  }
  assert.equal(restarts(), before);
  assert.equal((await token(home, id)).status, 200);
  assert.equal((await home.http('POST', '/v1/daemon/restart', { program: join(BIN, 'nexusd') }, { key: await home.makeKey('root', '--admin') })).status, 403);
});

test('one that says nothing of why it does not begin is told by its exit code', async (t) => {
  const own = await homeWithPrograms();
  t.after(() => own.remove());
  await own.start();
  const other = join(own.programs, 'other');
  writeFileSync(other, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
  const silent = await own.api('POST', '/v1/daemon/restart', { program: other });
  assert.equal(silent.status, 500);
  assert.match(silent.json.message, /other --check ended with 3/);
});

test('its vault key stays, also where it came from the environment, and so does a --config as it was given', async (t) => {
  const own = await Home.make();
  t.after(() => own.remove());
  const { NEXUS_CONFIG, NEXUS_DATA_DIR, NEXUS_SOCKET, ...bare } = own.env;
  own.daemon = spawn(join(BIN, 'nexusd'), ['--foreground', '--config', 'nexus.toml', '--data-dir', NEXUS_DATA_DIR, '--socket', NEXUS_SOCKET],
    { cwd: own.dir, env: { ...bare, NEXUS_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64') }, stdio: ['ignore', 'inherit', 'pipe'] });
  own.daemon.stderr.on('data', (text) => { own.log += text; });
  await until(() => own.log.includes(' ready '), () => own.log);
  for (let i = 0; i < 2; ++i) {
    const { code, stdout, stderr } = await own.nexus(['daemon', 'restart', '--json']);
    assert.equal(code, 0, stderr + own.log);
    const status = JSON.parse(stdout);
    assert.deepEqual([status.vault.key_source, status.data_dir], ['environment', NEXUS_DATA_DIR]);
    assert.doesNotMatch(readFileSync(`/proc/${status.pid}/environ`, 'latin1'), /BwcHBwc/, 'and is not left there');
  }
  assert.equal(await own.stop(), 0);
  assert.ok(!existsSync(NEXUS_SOCKET), 'its socket goes with the last one');
});

test('one that ends while it takes over leaves an error, and the next command starts one', async (t) => {
  const own = await homeWithPrograms();
  delete own.env.NEXUS_NO_AUTOSTART;
  t.after(async () => { await own.nexus(['daemon', 'stop']); await own.stop(); });
  assert.equal((await own.nexus(['daemon', 'start'])).code, 0);
  const bad = join(own.programs, 'bad');
  writeFileSync(bad, '#!/bin/sh\ncase "$*" in *--check*) exit 0 ;; esac\nexit 9\n', { mode: 0o755 });
  assert.equal((await own.api('POST', '/v1/daemon/restart', { program: bad })).status, 202);
  await until(async () => (await own.nexus(['daemon', 'status'])).code === 8, 'it is gone');
  const { code, stdout, stderr } = await own.nexus(['list', '--json']);
  assert.deepEqual([code, stdout.trim()], [0, '{"connections":[]}'], stderr);
});

test('one that is told to end while it is restarted ends', async (t) => {
  const own = await Home.make();
  t.after(() => own.remove());
  await own.start();
  await register(own, provider.issuer);
  const { id: slow } = await connect(own, provider);
  // What is under way keeps it from taking over at once.
  provider.onToken = (form, response) => { setTimeout(() => reply(response, { error: 'temporarily_unavailable' }, 503), 1500); return true; };
  t.after(() => { provider.onToken = null; });
  const underWay = own.api('POST', `/v1/refresh/${slow}`, '').catch(() => {});
  await until(() => provider.tokenRequests('refresh_token').length > 0, 'the refresh is under way');
  assert.equal((await own.api('POST', '/v1/daemon/restart', { program: join(BIN, 'nexusd') })).status, 202);
  await until(() => own.log.includes(' restarting '), () => own.log);
  own.daemon.kill('SIGTERM');
  await until(() => own.daemon.exitCode !== null, () => `its end: ${own.log}`);
  assert.equal(own.daemon.exitCode, 0, own.log);
  assert.equal(own.log.match(/ ready /g).length, 1, 'none took its place');
  await underWay;
});

test('an ephemeral one is not restarted: it would lose all of it', async (t) => {
  const own = await Home.make();
  const script = 'eval "$(nexusd --ephemeral)"; nexus daemon restart; echo "$?"';
  const child = spawn('sh', ['-c', script], { env: { ...own.env, NEXUS_CONFIG: '', NEXUS_SOCKET: '', NEXUS_DATA_DIR: '', PATH: `${BIN}:${process.env.PATH}` }, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => own.stop());
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => { said += text; });
  await once(child, 'close');
  assert.match(said, /keeps nothing, and would lose all of it/);
  assert.match(said, /\n1\n$/);
});

test('what an older nexusd does not know is told with the way out, which a restart is', async (t) => {
  // From where it lies the one that is built may not be run in a sandbox.
  const own = await Home.make({ daemon: 'sandbox = "off"' });
  t.after(() => own.stop());
  const [, version] = /^nexusd (\S+)/.exec((await execute(join(BIN, 'nexusd'), ['--version'])).stdout);
  // One of another version, without one of today's routes.
  const older = readFileSync(join(BIN, 'nexusd'), 'latin1')
    .replaceAll(`\0${version}\0`, `\0${version.replace(/\d$/, '!')}\0`)
    .replaceAll('\0/v1/daemon/proxy\0', '\0/v1/daemon/prox?\0');
  const place = join(own.dir, 'nexusd');
  writeFileSync(place, older, { encoding: 'latin1', mode: 0o755 });
  own.daemon = spawn(place, ['--foreground'], { env: own.env, stdio: ['ignore', 'inherit', 'pipe'] });
  own.daemon.stderr.on('data', (text) => { own.log += text; });
  await until(() => own.log.includes(' ready '), () => own.log);
  const { code, stderr } = await own.nexus(['proxy', 'status']);
  assert.equal(code, 6);
  assert.match(stderr, new RegExp(`nexusd is \\S+!, and nexus is ${version}: run nexus daemon restart`));
  assert.equal((await own.nexus(['daemon', 'restart'])).code, 0);
  assert.equal((await own.nexus(['proxy', 'status'])).code, 0);
});
