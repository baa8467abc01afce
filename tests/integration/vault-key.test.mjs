// Where the vault's key comes from, and that it is changed with all that is kept.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Desktop } from '../support/desktop.mjs';
import { Home, isSanitized } from '../support/nexus.mjs';
import { PASSPHRASE, done, events, key, served, serves, vault, write } from '../support/vault_home.mjs';

const NEXT = 'another passphrase than before';

test('status says where the key comes from, and what is weak about that', async () => {
  const { home } = await served();
  const { stdout } = await done(home, ['vault', 'status']);
  assert.match(stdout, /^vault +open\nkey from +file \(\S+\/vault\.key\)\n/);
  assert.match(stdout, /weak: the key lies beside the vault/);
  const json = await vault(home);
  assert.deepEqual([json.locked, json.key_source, json.weaknesses[0].code], [false, 'file', 'key_beside_vault']);
});

test('a passphrase: nothing else opens it, wrong ones are slowed, and what is kept stays', async () => {
  const one = await served();
  const { home } = one;
  await done(home, ['vault', 'change-key', 'passphrase', '--passphrase-file', write(home, 'new', PASSPHRASE)]);
  await serves(one);
  assert.equal(existsSync(join(home.data, 'vault.key')), false, 'the old key is gone');
  const status = await vault(home);
  assert.deepEqual([status.key_source, status.derivation.algorithm, status.derivation.passes, status.derivation.memory_kib], ['passphrase', 'argon2id', 3, 262144]);
  assert.deepEqual(status.weaknesses.filter(({ code }) => code !== 'memory_not_locked'), []);
  assert.deepEqual((await events(home, 'vault.key_changed')).map(({ event_data }) => JSON.parse(event_data).detail), ['file to passphrase']);

  await home.stop();
  await home.start();
  assert.equal((await home.nexus(['token', 'work'])).code, 7, 'it starts locked');
  const began = Date.now();
  for (const wrong of ['not the passphrase', `${PASSPHRASE}s`, PASSPHRASE.toUpperCase()]) {
    const refused = await home.nexus(['unlock', '--passphrase-file', '-'], { input: wrong });
    assert.deepEqual([refused.code, refused.stdout], [7, '']);
    assert.match(refused.stderr, /^nexus: the vault does not open with this passphrase\n {2}check it, /);
    assert.ok(!refused.stderr.includes(wrong));
  }
  assert.ok(Date.now() - began >= 700, '0.1, 0.2 and 0.4 s');
  await done(home, ['unlock', '--passphrase-file', '-'], { input: `${PASSPHRASE}\n` });
  await serves(one);
  assert.match(JSON.parse((await events(home, 'vault.unlocked'))[0].event_data).detail, /^after 3 that did not open it$/);

  const wrong = await home.nexus(['vault', 'change-key', 'passphrase', '--current-passphrase-file', write(home, 'not', NEXT), '--passphrase-file', write(home, 'next', NEXT)]);
  assert.equal(wrong.code, 7);
  await done(home, ['vault', 'change-key', 'passphrase', '--current-passphrase-file', join(home.dir, 'new'), '--passphrase-file', join(home.dir, 'next')]);
  await done(home, ['lock']);
  assert.equal((await home.nexus(['unlock', '--passphrase-file', join(home.dir, 'new')])).code, 7, 'the old one opens it no more');
  await done(home, ['unlock', '--passphrase-file', join(home.dir, 'next')]);
  await done(home, ['vault', 'change-key', 'file', '--current-passphrase-file', join(home.dir, 'next')]);
  await serves(one);
  assert.deepEqual(readdirSync(home.data).filter((name) => name.startsWith('vault.key')), ['vault.key']);
  assert.equal(statSync(join(home.data, 'vault.key')).mode & 0o777, 0o600);
  await home.stop();
  await home.start();
  await serves(one);
});

test('a new vault under a passphrase is made when somebody chooses one', async () => {
  const home = await Home.make({ config: '[vault]\nkey_source = "passphrase"\n' });
  after(() => home.remove());
  await home.start();
  assert.equal((await vault(home)).new, true);
  const short = await home.nexus(['unlock', '--passphrase-file', '-'], { input: 'short' });
  assert.match(short.stderr, /fewer than 12 characters/);
  await done(home, ['unlock', '--passphrase-file', '-'], { input: PASSPHRASE });
  assert.deepEqual(readdirSync(home.data).filter((name) => name.startsWith('vault')), []);
  await home.stop();
  await home.start();
  assert.deepEqual([(await vault(home)).new, (await vault(home)).locked], [false, true]);
  await done(home, ['unlock', '--passphrase-file', '-'], { input: PASSPHRASE });
});

test('a command prints the key; one that fails, or prints something else, opens nothing', async () => {
  const one = await served();
  const { home } = one;
  const missing = await home.nexus(['vault', 'change-key', 'command']);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /names no vault\.key_command\n {2}name the program/);
  const kept = write(home, 'kept', key());
  const program = write(home, 'print', `#!/bin/sh\ntest -z "$NEXUS_ENCRYPTION_KEY" || exit 9\ncat ${kept}\n`);
  chmodSync(program, 0o700);
  writeFileSync(home.configFile, `${readFileSync(home.configFile, 'utf8')}\n[vault]\nkey_command = ["${program}"]\n`);
  await home.stop();
  await home.start();
  await done(home, ['vault', 'change-key', 'command']);
  await home.stop();
  await home.start();
  await serves(one);
  await done(home, ['lock']);
  for (const [script, said] of [['echo no entry >&2; exit 3', /ended with 3: no entry/], ['echo short', /does not hold a base64 key/], [`echo ${key()}`, /does not open with this key/]]) {
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    const refused = await home.nexus(['unlock']);
    assert.equal(refused.code, 7);
    assert.match(refused.stderr, said);
  }
  writeFileSync(program, `#!/bin/sh\ncat ${kept}\n`);
  await done(home, ['unlock']);
  await serves(one);
});

test('environment and credential: the key is given once, and has to be there at the next start', async () => {
  const one = await served();
  const { home } = one;
  const first = key();
  assert.match((await home.nexus(['vault', 'change-key', 'environment'])).stderr, /the key that the environment is going to have is missing/);
  const changed = await done(home, ['vault', 'change-key', 'environment', '--key-file', '-'], { input: first });
  assert.match(changed.stderr, /next: set NEXUS_ENCRYPTION_KEY/);
  await done(home, ['daemon', 'restart']);
  await serves(one);
  await done(home, ['lock']);
  assert.equal((await home.nexus(['unlock', '--passphrase-file', '-'], { input: key() })).code, 7);
  await done(home, ['unlock', '--passphrase-file', '-'], { input: first });
  await serves(one);
  await home.stop();
  await assert.rejects(home.start(), /NEXUS_ENCRYPTION_KEY is not set/);
  await home.start({ env: { NEXUS_ENCRYPTION_KEY: first } });
  await serves(one);

  const second = key();
  await done(home, ['vault', 'change-key', 'credential', '--key-file', '-'], { input: second });
  await home.stop();
  await assert.rejects(home.start({ env: { NEXUS_ENCRYPTION_KEY: first } }), /gives no nexusd\.vault\.key/);
  write(home, 'nexusd.vault.key', second);
  await home.start({ env: { CREDENTIALS_DIRECTORY: home.dir } });
  await serves(one);
});

test('nexus.toml and the vault have to agree', async () => {
  const { home } = await served();
  await home.stop();
  writeFileSync(home.configFile, `${readFileSync(home.configFile, 'utf8')}\n[vault]\nkey_source = "passphrase"\n`);
  await assert.rejects(home.start(), /nexus\.toml says vault\.key_source = \\?"passphrase\\?", but the vault's key comes from where it is found by default/);
  writeFileSync(home.configFile, readFileSync(home.configFile, 'utf8').replace('"passphrase"', '"safe"'));
  await assert.rejects(home.start(), /vault\.key_source is 'safe'/);
});

test('killed between the steps of a change, it opens with the one key or the other', async () => {
  const one = await served();
  const { home } = one;
  for (let round = 0; round < 8; ++round) {
    const changing = home.nexus(['vault', 'change-key', 'file']);
    await new Promise((go) => setTimeout(go, round * 3));
    await home.stop('SIGKILL');
    await changing;
    await home.start();
    await serves(one);
    assert.deepEqual(readdirSync(home.data).filter((name) => name.startsWith('vault.key')), ['vault.key']);
  }
});

// nexusd gives its children no variable of a sanitizer's, which would look for leaks of GLib.
const skip = isSanitized() && 'nexus-keyring would be looked through for leaks';

test('the desktop\'s keyring holds the key and nothing else; locked, it is no way round', { skip }, async () => {
  const one = await served();
  const { home } = one;
  const nobody = await home.nexus(['vault', 'change-key', 'keyring']);
  assert.equal(nobody.code, 7);
  assert.match(nobody.stderr, /^nexus: the keyring cannot be used: .+\n {2}log in to the desktop, unlock its keyring, .+nothing was changed\n$/);
  await serves(one);

  const desktop = await Desktop.start(home.dir);
  after(() => desktop.end());
  await home.stop();
  home.env.DBUS_SESSION_BUS_ADDRESS = desktop.bus;
  await home.start();
  await done(home, ['vault', 'change-key', 'keyring']);
  assert.deepEqual(readdirSync(home.data).filter((name) => name.startsWith('vault.key')), []);
  assert.equal(desktop.items().length, 1);
  await home.stop();
  await home.start();
  await serves(one);
  assert.match((await home.nexus(['vault', 'change-key', 'keyring'])).stderr, /comes from the keyring already/);

  await done(home, ['lock']);
  desktop.silence();
  const began = Date.now();
  const silent = await home.nexus(['unlock']);
  assert.equal(silent.code, 7);
  assert.match(silent.stderr, /the keyring did not answer within 3 s/);
  assert.ok(Date.now() - began < 6000);
  desktop.listen();
  await done(home, ['unlock']);
  await serves(one);
  await done(home, ['vault', 'change-key', 'file']);
  assert.equal(desktop.items().length, 0, 'the old key is gone from there');
  await serves(one);
});
