// vault.lock_on_suspend: the key is gone before the machine sleeps where logind says so before, else before anything is
// served after.
import { test, after, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, register, token } from '../support/flow.mjs';
import { SystemBus, dreamer } from '../support/logind.mjs';
import { Home, isSanitized, until } from '../support/nexus.mjs';
import { done, events, provider, serves, vault } from '../support/vault_home.mjs';

afterEach(() => provider.reset());
const CONFIG = '[vault]\nlock_on_suspend = true\n';
const skip = isSanitized() && 'what is loaded before has to be the sanitizer';
const weak = async (home) => (await vault(home)).weaknesses.find(({ code }) => code === 'suspend_not_told');
const locked = async (home) => (await vault(home)).locked;
/** What its parent has not waited for. */
const zombies = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(/\s+/).filter(Boolean)
  .filter((child) => /^State:\s+Z/m.test(readFileSync(`/proc/${child}/status`, 'utf8')));

/** A nexusd with a connection, and the bus that it looks for logind on. */
async function beside({ config = CONFIG, daemon = '', running = true, sleeps = false } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-bus-'));
  const bus = new SystemBus(directory);
  if (running) await bus.start();
  const home = await Home.make({ config, daemon, env: bus.env });
  after(async () => {
    await home.remove();
    await bus.stop();
    rmSync(directory, { recursive: true });
  });
  mkdirSync(home.data, { mode: 0o700 });
  const dream = sleeps ? dreamer(home.data) : {};
  const sleep = (seconds) => writeFileSync(dream.ASLEEP_SECONDS_FILE, String(seconds));
  if (sleeps) sleep(0);
  // The order of its words tells a nexusd that was started from one that was executed in its place.
  await home.start({ args: ['--data-dir', home.data], env: dream });
  await register(home, provider.issuer);
  const { id } = await connect(home, provider, { alias: 'work' });
  const value = (await token(home, id)).json.credentials.access_token;
  return { home, id, value, bus, sleep };
}

/** The machine waits for this nexusd. */
const waits = async ({ home, bus }, locks = 1) => {
  await until(() => bus.given().length === locks && bus.released().length === locks - 1, 'an inhibitor lock');
  await until(async () => !(await weak(home)), 'that nexusd knows');
  bus.tell(`pid ${home.daemon.pid}`);
};

/** PrepareForSleep, until the machine sleeps; how long it had to wait. */
async function sleeps({ bus }) {
  const before = bus.released().length;
  const begun = Date.now();
  bus.tell('sleep');
  await until(() => bus.released().length > before, 'that the machine may sleep', 8000);
  return { ms: Date.now() - begun, command: bus.released().at(-1) };
}

/** `act` while nexusd is stuck. */
async function stuck({ home }, act) {
  process.kill(home.daemon.pid, 'SIGSTOP');
  try { return await act(); } finally { process.kill(home.daemon.pid, 'SIGCONT'); }
}

async function isLockedBefore(sandbox) {
  const one = await beside({ daemon: `sandbox = "${sandbox}"` });
  const { home, bus } = one;
  const { pid } = home.daemon;
  await waits(one);
  assert.deepEqual(bus.given(), ["inhibit sleep nexusd delay: the vault's key leaves memory"]);
  assert.equal((await vault(home)).lock_on_suspend, true);
  assert.match((await done(home, ['vault', 'status'])).stdout, /locks +when asked to, and before the machine sleeps\n/);
  const { ms, command } = await sleeps(one);
  assert.match(command, /^released \S+ --data-dir \S+ --foreground$/, 'when the machine may sleep another nexusd has taken its place');
  assert.ok(ms < 3000, `it waited for ${ms} ms`);
  assert.equal(await locked(home), true);
  assert.equal((await home.api('GET', `/v1/token/${one.id}`)).status, 503);
  await until(() => bus.watchers().length === 0, 'that nobody watches');
  bus.tell('awake');
  await done(home, ['unlock']);
  await serves(one);
  await waits(one, 2);
  assert.equal(home.daemon.pid, pid);
  assert.equal(JSON.parse((await events(home, 'vault.locked'))[0].event_data).detail, 'the machine is about to sleep');
  assert.match((await sleeps(one)).command, /--foreground$/);
  assert.deepEqual(zombies(pid), []);
}

test('the vault is locked before the machine sleeps, which waits for that; opened, it is so again', () => isLockedBefore('auto'));

test('the same without a sandbox, and without children that nobody has waited for', () => isLockedBefore('off'));

test('a request that takes its time, and a nexusd that is stuck, have the machine wait for less than five seconds', async () => {
  const one = await beside();
  const { home, bus } = one;
  await waits(one);
  const unanswered = [];
  provider.onToken = (form, response) => unanswered.push(response);
  const asked = home.api('POST', `/v1/refresh/${one.id}`, '').catch((error) => error);
  await until(() => unanswered.length === 1, 'a refresh');
  const busy = await sleeps(one);
  await asked;
  assert.match(busy.command, /--foreground$/);
  assert.ok(busy.ms < 4800, `it waited for ${busy.ms} ms`);
  assert.equal(await locked(home), true);
  bus.tell('awake');
  await done(home, ['unlock']);
  await waits(one, 2);
  const { ms } = await stuck(one, () => sleeps(one));
  assert.ok(ms > 4000 && ms < 4990, `it waited for ${ms} ms`);
  await until(() => locked(home), 'that it locks all the same');
});

test('a sleep that came to nothing, or that nexusd was too late for: the machine waits the next time', async () => {
  const one = await beside();
  const { home, bus } = one;
  await waits(one);
  bus.tell('awake');
  await until(() => bus.given().length === 2, 'another inhibitor lock');
  await until(() => bus.released().length === 1, 'that there is one only');
  assert.equal(await locked(home), false);
  await stuck(one, async () => {
    bus.tell('sleep');
    bus.tell('awake');
    await until(() => bus.given().length === 3, 'another inhibitor lock');
    await new Promise((go) => setTimeout(go, 5000));
    assert.equal(bus.released().length, 2, 'how long the machine waits is counted from a sleep that comes');
  });
  await until(() => bus.released().length === 3, 'that it locks all the same');
  assert.match(bus.released().at(-1), /--foreground$/);
  assert.equal(await locked(home), true);
});

test('without a bus that is told, and nothing is served once the machine has slept; a bus that comes is used', { skip }, async () => {
  const one = await beside({ running: false, sleeps: true });
  const { home, bus, sleep } = one;
  await serves(one);
  await until(() => / WARN suspend_not_told error="there is no system bus: No such file or directory"/i.test(home.log), () => `that the log has it: ${home.log}`);
  const { message, hint } = await weak(home);
  assert.match(message, /^the key is in memory while the machine sleeps, as nobody says so before: there is no system bus/);
  assert.match((await done(home, ['vault', 'status'])).stdout.replaceAll(/\s+/g, ' '), new RegExp(hint.split(';')[0]));
  sleep(3);
  const refused = await home.nexus(['token', 'work']);
  assert.deepEqual([refused.code, refused.stdout], [7, '']);
  await until(() => locked(home), 'that it locks');
  assert.equal((await vault(home)).lock_on_suspend, true);
  await done(home, ['unlock']);
  await serves(one);
  assert.equal(JSON.parse((await events(home, 'vault.locked'))[0].event_data).detail, 'the machine has slept');
  // Nobody asks for anything.
  sleep(6);
  await until(() => locked(home), 'that it notices by itself', 40000);
  await done(home, ['unlock']);
  await bus.start();
  await waits(one);
  assert.match((await sleeps(one)).command, /--foreground$/);
});

test('a bus, or a logind, that is started again is found again, calmly', async () => {
  const one = await beside();
  const { home, bus } = one;
  await waits(one);
  await bus.stop();
  await until(async () => /the system bus is gone|there is no system bus/.test((await weak(home))?.message), 'that it is told');
  await until(() => bus.watchers().length === 0, 'that nobody watches');
  await serves(one);
  const ticks = await home.ticksIn(3000);
  assert.ok(ticks < 10, `${ticks} ticks in three seconds`);
  await bus.start();
  await waits(one);
  await bus.stopLogind();
  await until(async () => /systemd-logind/.test((await weak(home))?.message), 'that it is told');
  await bus.startLogind();
  await waits(one);
  assert.match((await sleeps(one)).command, /--foreground$/);
  assert.equal(await locked(home), true);
});

test('a logind that refuses is told as it says', async () => {
  const one = await beside({ running: false });
  const { home, bus } = one;
  await bus.start();
  bus.tell('refuse');
  await until(async () => /systemd-logind does not answer: .*not now/.test((await weak(home))?.message), 'that it is told');
  await serves(one);
});

test('where it is not wished for nobody watches, and nothing is loaded', async () => {
  const one = await beside({ config: '' });
  const { home, bus } = one;
  await serves(one);
  assert.equal((await vault(home)).lock_on_suspend, false);
  assert.match((await done(home, ['vault', 'status'])).stdout, /locks +when asked to\n/);
  assert.deepEqual([bus.given(), bus.watchers()], [[], []]);
  assert.doesNotMatch(home.log, /suspend/);
  const maps = () => readFileSync(`/proc/${home.daemon.pid}/maps`, 'utf8');
  // Root's to read: nexusd's memory is nobody else's.
  if (process.getuid() === 0) assert.doesNotMatch(maps(), /libsystemd|libelogind/);
  bus.tell('sleep');
  bus.tell('awake');
  await serves(one);
});
