// The daemon is killed at every step of a refresh: strace delivers SIGKILL as a system call is entered,
// one call further in each run. Nothing that a caller was told of may be lost (F2, F6).
// NEXUS_CRASH_ROUNDS=10 repeats all of it ten times; the table of what came of it is printed.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, token } from '../support/flow.mjs';
import { until } from '../support/nexus.mjs';

const ROUNDS = Number(process.env.NEXUS_CRASH_ROUNDS ?? 1);
/** What a refresh does, and how often at most. */
const STEPS = { connect: 1, sendto: 2, recvfrom: 4, pwrite64: 24, fdatasync: 4, write: 4 };
// Nobody may trace the daemon but root, who may trace everything.
const skip = process.getuid() !== 0 ? 'needs root' : spawnSync('strace', ['-V']).error ? 'needs strace' : false;

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);
provider.rotate = true;

const refreshes = () => provider.tokenRequests('refresh_token').length;

/** Runs `act` with the daemon killed as it enters that system call for the `when`th time. */
async function killedAt(call, when, act) {
  const strace = spawn('strace', ['-f', '-q', '-p', String(home.daemon.pid), '-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${when}`],
    { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  strace.stderr.on('data', (text) => { said += text; });
  await until(() => isTraced(home.daemon.pid), 'strace attached');
  const result = await act();
  await new Promise((go) => setTimeout(go, 60));
  const killed = home.daemon.signalCode === 'SIGKILL' || home.daemon.exitCode !== null;
  if (!killed) strace.kill('SIGINT');
  await (strace.exitCode === null && strace.signalCode === null ? once(strace, 'exit') : undefined);
  return { killed, result, said };
}

function isTraced(pid) {
  const status = spawnSync('grep', ['-h', '^TracerPid:', `/proc/${pid}/status`]).stdout.toString();
  return /TracerPid:\s+[1-9]/.test(status);
}

test('killed at every step of a refresh: nothing acknowledged is lost', { skip, timeout: 280000 * ROUNDS }, async (t) => {
  const table = new Map();
  const count = (step, outcome) => {
    const row = table.get(step) ?? {};
    row[outcome] = (row[outcome] ?? 0) + 1;
    table.set(step, row);
  };
  let { id } = await connect(home, provider);
  for (let round = 0; round < ROUNDS; ++round)
    for (const [call, most] of Object.entries(STEPS))
      for (let when = 1; when <= most; ++when) {
        const step = `${call} ${when}`;
        const before = refreshes();
        const { killed, result } = await killedAt(call, when, () =>
          home.api('POST', `/v1/refresh/${id}`, '').then(({ status, json }) => ({ status, token: json?.access_token }), () => ({ status: 0 })));
        const asked = refreshes() - before;
        assert.ok(asked <= 1, `${step}: the provider was asked ${asked} times`);
        if (!killed) {
          assert.equal(result.status, 200, step);
          count(step, 'not reached: refreshed');
          continue;
        }
        await home.stop('SIGKILL');
        await home.start();
        const next = await home.api('POST', `/v1/refresh/${id}`, '');
        if (next.status === 200) {
          count(step, result.status === 200 ? 'told the caller, kept' : asked ? 'the provider had answered, kept' : 'before the request, kept');
          continue;
        }
        // The provider had used the token up, and died with us before its answer was stored.
        assert.notEqual(result.status, 200, `${step}: a refresh token was lost that a caller had been told of`);
        assert.equal(asked, 1, `${step}: lost without having been sent`);
        assert.equal(next.status, 409, next.text);
        assert.match(next.json.message, /interrupted refresh/);
        assert.equal(refreshes() - before, 2, `${step}: tried once more, and no more`);
        count(step, 'the answer was under way: a person is asked, and told why');
        ({ id } = await connect(home, provider));
      }
  let killed = 0;
  for (const [step, row] of table) {
    t.diagnostic(`${step.padEnd(12)} ${Object.entries(row).map(([outcome, times]) => `${times} × ${outcome}`).join(', ')}`);
    killed += Object.entries(row).reduce((sum, [outcome, times]) => sum + (outcome.startsWith('not reached') ? 0 : times), 0);
  }
  t.diagnostic(`${killed} kills`);
  assert.ok(killed > 10 * ROUNDS, `${killed} kills`);
  assert.equal((await token(home, id)).status, 200);
});

test('a full disk while a token is rotated: nothing is served that is not stored, and it recovers by itself (F8)', { skip: skip || (spawnSync('prlimit', ['-V']).error && 'needs prlimit'), timeout: 60000 }, async () => {
  provider.expiresIn = 10;
  await connect(home, provider);
  await new Promise((go) => setTimeout(go, 7000));
  provider.expiresIn = 3600;
  const { id } = await connect(home, provider);
  const first = (await token(home, id)).json.access_token;
  // What a full disk does to writes, a limit on the size of files does too.
  const limit = (bytes) => spawnSync('prlimit', ['--pid', String(home.daemon.pid), `--fsize=${bytes}`]);
  limit('1000:unlimited');
  const before = refreshes();
  const full = await home.api('POST', `/v1/refresh/${id}`, '');
  assert.equal(full.status, 500, full.text);
  assert.equal(home.daemon.exitCode, null, 'the daemon lives');
  // What is due meanwhile is tried now and then, not without end.
  const ticks = await home.ticksIn(2000);
  assert.ok(ticks < 40, `${ticks} ticks of CPU in 2 s`);
  const sent = refreshes() - before;
  limit('unlimited:unlimited');
  await until(async () => {
    const { status, json } = await token(home, id);
    return status === 200 && (sent === 0 || json.access_token !== first);
  }, 'recovery', 30000);
  assert.equal((await home.api('POST', `/v1/refresh/${id}`, '')).status, 200, 'with the newest refresh token');
  assert.equal(await home.status(id), 'active');
});
