// All that is kept, sealed with another vault key, verified, and noticed when it is not what nexusd left.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../support/flow.mjs';
import { until } from '../support/nexus.mjs';
import { done, events, provider, served, serves, vault } from '../support/vault_home.mjs';

test('rotate seals all anew while tokens are served; verify names what is not as it was written', async () => {
  const one = await served();
  const { home, id } = one;
  const sql = (text) => execFileSync('sqlite3', [join(home.data, 'nexus.db'), text], { encoding: 'utf8' }).trim();
  const numbers = () => sql("SELECT DISTINCT hex(substr(sealed, 2, 4)) FROM credentials ORDER BY 1").split('\n');
  assert.deepEqual(numbers(), ['01000000']);
  const codes = sql('SELECT hex(mac) FROM connections');
  let serving = true;
  const served_ = (async () => { let count = 0; for (; serving; ++count) await serves(one); return count; })();
  const rotated = await done(home, ['vault', 'rotate']);
  serving = false;
  assert.ok(await served_ > 0);
  assert.match(rotated.stderr, /^\d+ values are sealed with a new vault key\n$/);
  assert.deepEqual(numbers(), ['02000000']);
  assert.notEqual(sql('SELECT hex(mac) FROM connections'), codes, 'the codes of rows, too');
  await serves(one);
  await home.stop();
  await home.start();
  await serves(one);
  assert.match((await done(home, ['vault', 'verify'])).stdout, /^\d+ sealed values and \d+ records of the audit log: all is as it was written\n$/);
  assert.equal((await done(home, ['audit', 'verify'])).code, 0);
  assert.equal((await done(home, ['refresh', 'work'])).code, 0);
  assert.deepEqual(numbers(), ['02000000']);
  await done(home, ['vault', 'rotate', '--json']);
  assert.deepEqual(numbers(), ['03000000']);
  assert.equal((await events(home, 'vault.rotated')).length, 2);

  const other = await connect(home, provider, { alias: 'other' });
  sql(`UPDATE credentials SET sealed = (SELECT sealed FROM credentials WHERE owner = '${other.id}' AND field = 'access_token') WHERE owner = '${id}' AND field = 'access_token'`);
  sql(`UPDATE connections SET scopes = 'more' WHERE id = '${other.id}'`);
  sql(`DELETE FROM credentials WHERE owner = '${other.id}' AND field = 'refresh_token'`);
  const verdict = await home.nexus(['vault', 'verify']);
  assert.equal(verdict.code, 1);
  assert.deepEqual(verdict.stdout.trim().split('\n'), [
    `connection ${other.id}: not what was written there`,
    `refresh_token of connection ${other.id}: missing`,
    `access_token of connection ${id}: does not open`]);
  const left = await done(home, ['vault', 'rotate']);
  assert.match(left.stderr, /1 are damaged and stay as they are/);
  assert.deepEqual((await home.nexus(['vault', 'verify'])).stdout, verdict.stdout, 'what is damaged does not become right');
});

test('killed in the middle of a rotation, it opens and finishes', async () => {
  const one = await served();
  const { home } = one;
  for (let i = 0; i < 20; ++i) await connect(home, provider, { alias: `c${i}` });
  for (let round = 0; round < 10; ++round) {
    const rotating = home.nexus(['vault', 'rotate']);
    await new Promise((go) => setTimeout(go, 5 + round * 4));
    await home.stop('SIGKILL');
    await rotating;
    await home.start();
    await serves(one);
    const { code, stdout } = await home.nexus(['vault', 'verify', '--json']);
    assert.equal(code, 0, stdout);
  }
  const numbers = execFileSync('sqlite3', [join(home.data, 'nexus.db'), 'SELECT count(DISTINCT substr(sealed, 2, 4)) FROM credentials'], { encoding: 'utf8' });
  assert.equal(numbers.trim(), '1');
});

test('put back to what it was, it refreshes nothing by itself until somebody says so; asked, it does', async () => {
  const one = await served();
  const { home, id } = one;
  const database = join(home.data, 'nexus.db');
  await home.stop();
  copyFileSync(database, join(home.dir, 'yesterday'));
  await home.start();
  for (let i = 0; i < 3; ++i) await done(home, ['refresh', 'work']);
  await home.stop();
  for (const beside of ['', '-wal', '-shm']) rmSync(database + beside, { force: true });
  copyFileSync(join(home.dir, 'yesterday'), database);
  await home.start();
  const { suspicion } = await vault(home);
  assert.match(suspicion, /^it was put back to what it was \d+ writes ago$/);
  assert.match((await done(home, ['daemon', 'status'])).stderr, /nexus\.db: it was put back/);
  assert.match((await done(home, ['vault', 'status'])).stdout, /not trusted: +it was put back[^]+nexus vault accept/);
  assert.equal((await events(home, 'vault.suspected')).length, 1);
  const sent = provider.tokenRequests('refresh_token').length;
  await serves(one);
  execFileSync('sqlite3', [database, `UPDATE connections SET refresh_at = 1 WHERE id = '${id}'`]);
  await home.stop();
  await home.start();
  await new Promise((go) => setTimeout(go, 1500));
  assert.equal(provider.tokenRequests('refresh_token').length, sent, 'nothing was sent by itself');
  assert.ok((await vault(home)).suspicion, 'it is still not trusted');
  assert.equal((await home.nexus(['vault', 'accept'])).code, 2, 'a script has to say so');
  await done(home, ['vault', 'accept', '--yes']);
  await until(() => provider.tokenRequests('refresh_token').length > sent, 'that it is refreshed');
  assert.equal((await vault(home)).suspicion, null);
  await home.stop();
  await home.start();
  assert.equal((await vault(home)).suspicion, null);
  assert.equal((await home.nexus(['vault', 'accept', '--yes'])).code, 1, 'nothing is wrong');
});

test('rows that somebody has taken away, or put back, are told', async () => {
  const { home } = await served();
  await connect(home, provider, { alias: 'other' });
  const sql = (text) => execFileSync('sqlite3', [join(home.data, 'nexus.db'), text]);
  sql("DELETE FROM credentials WHERE owner IN (SELECT id FROM connections WHERE alias = 'other'); DELETE FROM connections WHERE alias = 'other'");
  const { code, stdout } = await home.nexus(['vault', 'verify']);
  assert.equal(code, 1);
  assert.equal(stdout, 'connections, providers or API keys: missing\n');
  sql("DELETE FROM meta WHERE key = 'tally'");
  await home.stop();
  await home.start();
  assert.equal((await vault(home)).suspicion, 'what counts its writes was removed');
});
