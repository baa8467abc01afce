// Who writes the files of the audit log, and has no key, is found out: by nexus audit verify, by a nexusd that starts,
// by nexus doctor.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, token } from '../support/flow.mjs';
import { until } from '../support/nexus.mjs';

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);
const { id } = await connect(home, provider);
for (let i = 0; i < 10; ++i) await token(home, id);

const verify = (...more) => home.nexus(['audit', 'verify', ...more]);
const sql = (text) => execFileSync('sqlite3', [join(home.data, 'audit.db'), text], { encoding: 'utf8' }).trim();
const newest = () => Number(sql('SELECT max(seq) FROM audit'));
const trouble = async () => (await home.api('GET', '/v1/audit?event_type=audit_damaged')).json;

test('what nobody has touched is intact, in words and in JSON', async () => {
  const { code, stdout, stderr } = await verify();
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^\d+ records, 1 to \d+: each is as it was written, and none is missing\n$/);
  const json = JSON.parse((await verify('--json')).stdout);
  assert.deepEqual({ ...json, records: 0, last: 0 }, { intact: true, records: 0, first: 1, last: 0, unchained: 0, findings: [], more_findings: false });
  assert.equal(json.records, newest());
  assert.deepEqual(await trouble(), []);
});

test('it takes no filter, and what stands above it still shows the log', async () => {
  for (const words of [['audit', 'verify', '--since', '2h'], ['audit', '--event', 'token_retrieved', 'verify']]) {
    const { code, stderr } = await home.nexus(words);
    assert.equal(code, 2);
    assert.match(stderr, /verified together/);
  }
  assert.match((await home.nexus(['audit', '--limit', '1'])).stdout, /token_retrieved/);
});

test('records that are altered and taken away behind a running nexusd are named', async () => {
  sql("UPDATE audit SET record = replace(record, '\"uid\":', '\"uid\":1') WHERE seq = 3; DELETE FROM audit WHERE seq IN (5, 6)");
  const { code, stdout } = await verify();
  assert.equal(code, 1);
  assert.equal(stdout, 'record 3: not what was written there\nrecords 5 to 6: missing\n');
  const json = await verify('--json');
  assert.equal(json.code, 1);
  assert.deepEqual(JSON.parse(json.stdout).findings, [{ fault: 'altered', first: 3, last: 3 }, { fault: 'missing', first: 5, last: 6 }]);
});

test('a nexusd that starts tells them too, in its log and to doctor', async () => {
  await home.stop();
  await home.start();
  await until(async () => {
    const { stdout } = await home.nexus(['doctor', '--json']);
    const { checks } = JSON.parse(stdout);
    return checks.some(({ name, state, message }) => name === 'vault' && state === 'failure' && /audit\.db: records/.test(message));
  }, 'that doctor tells it');
  assert.match(home.log, /database_damaged file=audit\.db found="record 3: not what was written there/);
});

test('a log that was put back to what it was is told when nexusd starts, and on record', async () => {
  await home.stop();
  const database = join(home.data, 'audit.db');
  copyFileSync(database, join(home.dir, 'yesterday'));
  await home.start();
  for (let i = 0; i < 5; ++i) await token(home, id);
  const had = newest();
  await home.stop();
  for (const beside of ['', '-wal', '-shm']) rmSync(database + beside, { force: true });
  copyFileSync(join(home.dir, 'yesterday'), database);
  await home.start();
  const [told] = await trouble();
  assert.match(JSON.parse(told.event_data).detail, new RegExp(`^the records \\d+ to ${had} are gone`));
  assert.equal(Number(told.id), had + 1, 'numbers are not given again');
  assert.match((await verify()).stdout, new RegExp(`to ${had}: gone when nexusd started, as record ${had + 1} tells`));
  assert.equal((await token(home, id)).status, 200);
});

test('kill -9 in the middle of much leaves a chain that holds', async () => {
  await home.stop();
  for (const beside of ['', '-wal', '-shm']) rmSync(join(home.data, 'audit.db') + beside, { force: true });
  await home.start();
  const [told] = await trouble();
  assert.equal(JSON.parse(told.event_data).detail, 'all that was on record is gone');
  for (let round = 0; round < 3; ++round) {
    const asked = Array.from({ length: 40 }, () => token(home, id).catch(() => {}));
    await Promise.race(asked);
    await home.stop('SIGKILL');
    await Promise.all(asked);
    await home.start();
  }
  assert.deepEqual((await trouble()).length, 1);
  const { code, stdout, stderr } = await verify();
  assert.equal(code, 0, stdout + stderr);
});
