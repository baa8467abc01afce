// nexusd without its vault's key: locked, and opened again.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';
import { PASSPHRASE, done, events, served, serves, vault, write } from '../support/vault_home.mjs';

test('locked, it answers status and unlock alone; opened, it serves what it served', async () => {
  const one = await served({ gateway: true });
  const { home } = one;
  home.key = await home.makeKey('app', '--use', 'all');
  const { pid } = home.daemon;
  await done(home, ['lock']);
  assert.equal(home.daemon.pid, pid, 'the same process, executed anew');
  const refused = await home.nexus(['token', 'work']);
  assert.deepEqual([refused.code, refused.stdout], [7, '']);
  assert.match(refused.stderr, /^nexus: the vault is locked\n {2}run: nexus unlock\n$/);
  for (const [method, path] of [['GET', '/v1/connections'], ['GET', `/v1/token/${one.id}`], ['POST', '/v1/keys'], ['GET', '/v1/audit'], ['GET', '/metrics'], ['POST', '/v1/vault/change-key']]) {
    const answer = await home.api(method, path);
    assert.deepEqual([answer.status, answer.json.code], [503, 'vault_locked'], path);
  }
  for (const path of [`/v1/token/${one.id}`, `/v1/check-connection/${one.id}`, '/ready', '/v1/vault'])
    assert.deepEqual([(await home.http('GET', path)).status, (await home.http('GET', path)).json.code], [503, 'vault_locked'], path);
  assert.equal((await home.http('GET', '/health')).status, 200);
  assert.equal((await vault(home)).locked, true);
  assert.match((await done(home, ['daemon', 'status'])).stdout, /vault key from +file \(locked\)/);
  assert.match((await home.nexus(['lock'])).stderr, /locked already/);
  await done(home, ['unlock']);
  await serves(one);
  assert.equal((await home.http('GET', `/v1/token/${one.id}`)).status, 200);
  assert.equal(home.daemon.pid, pid);
  assert.equal((await events(home, 'vault.locked')).length, 1);
  assert.equal((await events(home, 'vault.unlocked')).length, 1);
  assert.match((await home.nexus(['unlock'])).stderr, /open already/);
});

test('on a terminal it asks, three times, without showing what is typed; --askpass has a program ask', async () => {
  const one = await served();
  const { home } = one;
  await done(home, ['vault', 'change-key', 'passphrase', '--passphrase-file', write(home, 'new', PASSPHRASE)]);
  await done(home, ['lock']);
  const terminal = new Terminal(home, ['unlock']);
  await terminal.answer('Passphrase for the vault', 'mistyped once');
  await terminal.answer('does not open with this passphrase', '');
  const { text } = await terminal.end().catch(() => ({ text: terminal.text }));
  assert.ok(!text.includes('mistyped once'));
  const asked = join(home.dir, 'asked');
  const program = join(home.dir, 'askpass');
  writeFileSync(program, `#!/bin/sh\necho "$1" > ${asked}\ncat ${join(home.dir, 'new')}\n`);
  chmodSync(program, 0o700);
  await done(home, ['unlock', '--askpass', program]);
  assert.equal(readFileSync(asked, 'utf8'), 'Passphrase for the vault: \n');
  await serves(one);
  await done(home, ['lock']);
  const refused = await home.nexus(['unlock', '--askpass', '/bin/false']);
  assert.match(refused.stderr, /brought no answer/);
  assert.equal((await home.nexus(['unlock', '--askpass', '/no/such/program'])).code, 127);
});

test('nobody uses it for a while: it locks itself', async () => {
  const { home, id, value } = await served({ config: '[vault]\nlock_after_minutes = 1\n' });
  assert.equal((await vault(home)).lock_after_minutes, 1);
  assert.match((await done(home, ['vault', 'status'])).stdout, /after 1 minute without a use/);
  await until(async () => (await vault(home)).locked, 'that it locks itself', 90000);
  await done(home, ['unlock']);
  await serves({ home, id, value });
  assert.match(JSON.parse((await events(home, 'vault.locked'))[0].event_data).detail, /nobody has used it/);
});
