// nexus vault backup and restore: all that is kept in one sealed file, made while nexusd serves, and brought back on
// this machine or on another one.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, token } from '../support/flow.mjs';
import { BIN, Home, until } from '../support/nexus.mjs';
import { PASSPHRASE, done, events, key, provider, served, serves, vault, write } from '../support/vault_home.mjs';

const OTHER = 'the passphrase of the backup';
const INTACT = /^\d+ sealed values and \d+ records of the audit log: all is as it was written\n$/;
const hasStrace = spawnSync('strace', ['-V']).status === 0;
const wait = (ms) => new Promise((go) => setTimeout(go, ms));

/** Made with a passphrase; `opened` is what restore needs beside the file. */
async function backup({ home }, name = 'vault.nxbk', options = []) {
  const file = join(home.dir, name);
  const made = await done(home, ['vault', 'backup', file, '--passphrase-file', write(home, 'other', OTHER), ...options]);
  return { file, made, opened: ['--passphrase-file', join(home.dir, 'other')] };
}
/** The same for a key, which takes no time to derive. */
async function backupForKey({ home }) {
  const { publicKey, file: keyFile } = await pair(home);
  const file = join(home.dir, 'for-key.nxbk');
  await done(home, ['vault', 'backup', file, '--to', publicKey]);
  return { file, keyFile, opened: ['--key-file', keyFile] };
}
/** Another machine: nothing of the first one is there. */
async function elsewhere(config = '') {
  const home = await Home.make({ config });
  after(() => home.remove());
  return home;
}
const left = (home) => readdirSync(home.data).filter((name) => !/^(nexusd\.|.*-(wal|shm)$)/.test(name)).sort();

test('made while tokens are served and refreshed, it has all of them, and opens elsewhere with a key of its own', async () => {
  const one = await served();
  const { home, id } = one;
  for (let i = 0; i < 30; ++i) await connect(home, provider, { alias: `c${i}` });
  await home.makeKey('app', '--use', 'all');
  let goes = true;
  const refreshing = (async () => { let count = 0; for (; goes; ++count) await done(home, ['refresh', `c${count % 30}`]); return count; })();
  const serving = (async () => { let count = 0; for (; goes; ++count) await serves(one); return count; })();
  const { publicKey, file: keyFile } = await pair(home);
  const file = join(home.dir, 'vault.nxbk');
  const made = JSON.parse((await done(home, ['vault', 'backup', file, '--to', publicKey, '--json'])).stdout);
  goes = false;
  assert.ok(await refreshing > 0 && await serving > 0);
  assert.deepEqual([made.file, made.connections, made.bytes], [file, 31, statSync(file).size]);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(left(home), ['audit.db', 'audit.head', 'nexus.db', 'vault.key'], 'nothing is left of the work');
  const [{ event_data: data }] = await events(home, 'vault.backed_up');
  assert.equal(JSON.parse(data).detail, `for ${publicKey}`);
  // Nothing of it can be read in the file, not even what is no secret.
  const bytes = readFileSync(file);
  for (const text of ['SQLite format 3', id, 'demo', one.value, home.file('vault.key').toString().trim()]) assert.ok(!bytes.includes(text), text);

  const there = await elsewhere();
  const restored = JSON.parse((await done(there, ['vault', 'restore', file, '--key-file', keyFile, '--json'])).stdout);
  assert.deepEqual([restored.connections, restored.providers, restored.api_keys, restored.key_source, restored.findings, restored.put_aside], [31, ['demo'], ['app'], 'file', [], null]);
  assert.equal(restored.made_at, made.made_at);
  assert.notEqual(there.file('vault.key').toString(), home.file('vault.key').toString(), 'this machine has a key of its own');
  await there.start();
  await serves({ home: there, id, value: one.value });
  assert.match((await done(there, ['vault', 'verify'])).stdout, INTACT);
  await done(there, ['audit', 'verify']);
  assert.equal((await events(there, 'vault.restored')).length, 1);
  assert.ok((await events(there, 'connection.created')).length > 30, 'the audit log came along');
});

test('what was restored is refreshed when somebody asks, and not before; a refresh token that was replaced ends one connection', async (t) => {
  const sent = () => provider.requests.filter(({ path }) => /token|revoke/.test(path)).length;
  Object.assign(provider, { rotate: true, expiresIn: 3 });
  t.after(() => Object.assign(provider, { rotate: false, expiresIn: 3600 }));
  const one = await served();
  const { home } = one;
  await connect(home, provider, { alias: 'replaced' });
  await connect(home, provider, { alias: 'last' });
  // One that was disconnected while its provider could not be reached: its tokens are to be revoked.
  await connect(home, provider, { alias: 'revoking' });
  provider.revocation = 503;
  await done(home, ['disconnect', 'revoking', '--yes']);
  const { file, opened } = await backup(one);
  provider.revocation = 200;
  await done(home, ['refresh', 'replaced']);
  await home.stop();
  const there = await elsewhere();
  const told = await done(there, ['vault', 'restore', file, ...opened]);
  assert.match(told.stderr, /^restored as of \S+; the vault's key comes from: file\nconnections: 3\nproviders: demo\nAPI keys, valid again as they were: none\n/);
  assert.match(told.stderr, /none is refreshed by itself until you run: nexus vault accept/);
  await there.start();
  assert.match((await vault(there)).suspicion, /^it was restored from a backup of \S+$/);
  const before = sent();
  await wait(4000);
  assert.equal(sent(), before, 'nobody has asked');
  assert.equal((await there.nexus(['refresh', 'last'])).code, 0);
  assert.equal((await there.nexus(['refresh', 'replaced'])).code, 4, 'a person has to connect it again');
  const asked = sent();
  await done(there, ['vault', 'accept', '--yes']);
  assert.equal((await vault(there)).suspicion, null);
  await until(() => sent() > asked, 'what is to be revoked is, from then on');
  await there.stop();
  await there.start();
  assert.equal((await vault(there)).suspicion, null, 'and for good');
});

test('a vault that is here is not replaced unasked, and what the backup lacks is told; then it lies beside', async () => {
  const one = await served();
  const { home, id } = one;
  const gone = await connect(home, provider, { alias: 'gone' });
  await home.makeKey('revoked', '--use', 'all');
  const { file, opened } = await backup(one);
  await done(home, ['key', 'revoke', 'revoked']);
  await connect(home, provider, { alias: 'late' });
  await done(home, ['disconnect', 'gone', '--yes']);
  const refused = await home.nexus(['vault', 'restore', file, ...opened]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^nexus: there is a vault here \(connections: 2, not in the backup: 1, disconnected here since: 1, API keys revoked here since: 1\)\n {2}to put it aside, and have what the backup has in its place: --replace\n$/);
  await serves(one);
  assert.equal((await token(home, gone.id)).status, 410);

  const restored = JSON.parse((await done(home, ['vault', 'restore', file, ...opened, '--replace', '--json'])).stdout);
  assert.match(restored.put_aside, new RegExp(`^${home.data}/nexus\\.db\\.before-restore-[-0-9TZ]+$`));
  await home.start();
  await serves(one);
  assert.equal((await token(home, gone.id)).status, 200, 'as it was then');
  assert.equal((await home.nexus(['token', 'late'])).code, 6);
  assert.ok((await vault(home)).weaknesses.some(({ code, message }) => code === 'earlier_copy' && message.includes('before-restore')));
  // The log of this machine goes on: what happened since then stays on record.
  await done(home, ['audit', 'verify']);
  assert.equal((await events(home, 'connection.revoked')).length, 1);
  // The way back: the one that was put aside opens with the same key.
  await home.stop();
  writeFileSync(join(home.data, 'nexus.db'), readFileSync(restored.put_aside));
  await home.start();
  assert.equal((await home.nexus(['token', 'late'])).code, 0);
  assert.equal((await token(home, id)).status, 200);
});

test('what cannot be restored does not end the nexusd that runs', async () => {
  const one = await served();
  const { home } = one;
  const own = write(home, 'own', PASSPHRASE);
  await done(home, ['vault', 'change-key', 'passphrase', '--passphrase-file', own]);
  const { file, opened } = await backup(one, 'b', ['--current-passphrase-file', own]);
  const { pid } = JSON.parse((await home.nexus(['daemon', 'status', '--json'])).stdout);
  for (const args of [[join(home.dir, 'none'), ...opened], [file, '--passphrase-file', own], [file, ...opened], ['', ...opened], ['-', ...opened]]) {
    const refused = await home.nexus(['vault', 'restore', ...args]);
    assert.notEqual(refused.code, 0);
    assert.equal(JSON.parse((await home.nexus(['daemon', 'status', '--json'])).stdout).pid, pid, refused.stderr);
    await serves(one);
  }
  const other = await elsewhere();
  const elsewhere_ = await home.nexus(['vault', 'restore', file, ...opened], { env: { NEXUS_DATA_DIR: other.data } });
  assert.equal(elsewhere_.code, 2);
  assert.match(elsewhere_.stderr, /nexusd serves \S+, and the backup would come into \S+\n/);
  await serves(one);
});

test('it opens with the key that is here, and not with a weaker one unless that is asked for', async () => {
  const one = await served();
  const { home } = one;
  const own = key();
  await done(home, ['vault', 'change-key', 'environment', '--key-file', write(home, 'key', own)]);
  const { file, opened } = await backup(one);
  await home.stop();
  const refused = await home.nexus(['vault', 'restore', file, ...opened, '--replace']);
  assert.equal(refused.code, 7);
  assert.match(refused.stderr, /the key of the vault that is here is not found: .*NEXUS_ENCRYPTION_KEY is not set\n {2}run this where nexusd gets it, or .*: --new-key\n/);
  assert.deepEqual(left(home), ['audit.db', 'audit.head', 'nexus.db']);
  const env = { NEXUS_ENCRYPTION_KEY: own };
  await done(home, ['vault', 'restore', file, ...opened, '--replace'], { env });
  assert.ok(!existsSync(join(home.data, 'vault.key')));
  await home.start({ env });
  await serves(one);
  await home.stop();
  // The key is lost.
  await done(home, ['vault', 'restore', file, ...opened, '--replace', '--new-key']);
  await home.start();
  await serves(one);
  await home.stop();
  writeFileSync(join(home.data, 'vault.key'), Buffer.alloc(32, 7).toString('base64'));
  assert.match((await home.nexus(['vault', 'restore', file, ...opened, '--replace'])).stderr, /what was found as the key of the vault that is here does not open it/);
  await done(home, ['vault', 'restore', file, ...opened, '--replace', '--new-key']);
  await home.start();
  await serves(one);
});

for (const [what, harm] of [['noise', (path) => writeFileSync(path, Buffer.alloc(20_000, 7))], ['nothing', (path) => rmSync(path)]])
  test(`where the audit log that is here is ${what}, the backup's takes its place`, async () => {
    const one = await served();
    const { home } = one;
    const { file, opened } = await backup(one);
    await home.stop();
    harm(join(home.data, 'audit.db'));
    const restored = await done(home, ['vault', 'restore', file, ...opened, '--replace']);
    assert.doesNotMatch(restored.stderr, /warning/);
    await home.start();
    await serves(one);
    await done(home, ['audit', 'verify']);
    assert.ok((await events(home, 'connection.created')).length > 0, 'what was on record is');
  });

test('under a passphrase, both ways; a wrong one is told', async () => {
  const one = await served();
  const { home } = one;
  const own = write(home, 'own', PASSPHRASE);
  await done(home, ['vault', 'change-key', 'passphrase', '--passphrase-file', own]);
  const unasked = await home.nexus(['vault', 'backup', join(home.dir, 'x'), '--passphrase-file', write(home, 'other', OTHER)], { input: 'not the one that it is\n' });
  assert.equal(unasked.code, 7, unasked.stderr);
  const { file, opened } = await backup(one, 'b', ['--current-passphrase-file', own]);
  const wrong = await home.nexus(['vault', 'restore', file, '--passphrase-file', own]);
  assert.deepEqual([wrong.code, wrong.stderr], [7, 'nexus: the backup does not open with this passphrase\n  check it, blanks and capitals too; nothing was changed\n']);
  await home.stop();
  const refused = await home.nexus(['vault', 'restore', file, ...opened, '--replace']);
  assert.equal(refused.code, 7);
  assert.match(refused.stderr, /the vault that is here opens with a passphrase, and none was given\n {2}give it: --vault-passphrase-file FILE\n/);
  assert.equal((await home.nexus(['vault', 'restore', file, ...opened, '--replace', '--vault-passphrase-file', join(home.dir, 'other')])).code, 7);
  await done(home, ['vault', 'restore', file, ...opened, '--replace', '--vault-passphrase-file', own]);
  await home.start();
  await done(home, ['unlock', '--passphrase-file', own]);
  await serves(one);

  const there = await elsewhere('[vault]\nkey_source = "passphrase"\n');
  assert.match((await there.nexus(['vault', 'restore', file, ...opened])).stderr, /nexus\.toml has the vault open with a passphrase/);
  await done(there, ['vault', 'restore', file, ...opened, '--vault-passphrase-file', own]);
  await there.start();
  await done(there, ['unlock', '--passphrase-file', own]);
  await serves({ home: there, id: one.id, value: one.value });
});

test('one that was cut, altered, lengthened or is none replaces nothing, and nor does a wrong key (N20)', async () => {
  const one = await served();
  const { home } = one;
  const { file, opened } = await backupForKey(one);
  await home.stop();
  const whole = readFileSync(file);
  const names = left(home);
  const was = home.file('nexus.db');
  const bad = join(home.dir, 'bad');
  const refuses = async (bytes, codes, pattern, options = opened) => {
    if (bytes) writeFileSync(bad, bytes);
    const { code, stderr } = await home.nexus(['vault', 'restore', bytes ? bad : file, '--replace', ...options]);
    assert.ok(codes.includes(code), `${code}: ${stderr}`);
    assert.match(stderr, pattern);
    assert.deepEqual(left(home), names);
  };
  for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 24)) {
    const bytes = Buffer.from(whole);
    bytes[at] ^= 1 << at % 8;
    await refuses(bytes, at < 40 ? [2, 7] : [2], /^nexus: (the backup (was|is sealed)|this is no backup)/);
  }
  for (const size of [0, 3, 5, 6, 40, 60, 5000, 65 * 1024, whole.length - 1])
    await refuses(whole.subarray(0, size), [2], /cut|no backup|altered/);
  await refuses(Buffer.concat([whole, Buffer.from('x')]), [2], /altered/);
  await refuses(readFileSync(join(home.data, 'nexus.db')), [2], /this is no backup of a vault/);
  const later = Buffer.from(whole);
  later[4] = 2;
  await refuses(later, [2], /of another version of nexus/);
  await refuses(undefined, [7], /is sealed for nexus-pub-\S+, and the private key is that of nexus-pub-/, ['--key-file', (await pair(home)).file]);
  await refuses(undefined, [7], /is sealed for nexus-pub-\S+, and no private key was given/, ['--passphrase-file', write(home, 'wrong', PASSPHRASE)]);
  const missing = await home.nexus(['vault', 'restore', join(home.dir, 'none'), ...opened]);
  assert.deepEqual([missing.code, missing.stderr], [2, `nexus: ${join(home.dir, 'none')} cannot be read: No such file or directory\n  name the file of a backup\n`]);
  assert.deepEqual(home.file('nexus.db'), was);
  await home.start();
  await serves(one);
});

for (const whose of ['the same', 'another'])
  test(`killed at any moment, the vault that was here or the restored one opens, with its log: ${whose} vault`, { skip: !hasStrace && 'needs strace' }, async () => {
    const one = await served();
    const { home } = one;
    const other = whose === 'another' ? await served() : one;
    const { file, keyFile } = await backupForKey(other);
    const order = JSON.stringify({ private_key: readFileSync(keyFile, 'utf8').trim(), replace: true });
    const ends = { killed: 0, through: 0 };
    // Each rename is a step of it; what is killed before one has done all those before.
    for (let step = 1; step < 16; ++step) {
      await home.stop();
      const restoring = spawn('strace', ['-f', '-qq', '-o', '/dev/null', '-e', `inject=rename,unlink,rmdir:signal=KILL:when=${step}`, join(BIN, 'nexusd'), '--restore', file],
        { env: { ...home.env, LD_BIND_NOW: '1' }, stdio: ['pipe', 'ignore', 'inherit'] });
      restoring.stdin.end(order);
      const [code] = await once(restoring, 'close');
      ++ends[code === 0 ? 'through' : 'killed'];
      await home.start();
      const served_ = await Promise.all([one, other].map(async ({ id }) => (await token(home, id)).status));
      assert.ok(served_.includes(200), `step ${step}: ${served_}`);
      assert.match((await done(home, ['vault', 'verify'])).stdout, INTACT, `step ${step}`);
      assert.ok((await events(home, 'connection.created')).length > 0, `step ${step}: its history is there`);
      assert.deepEqual(left(home).filter((name) => /^(restore|backup|vault\.backup)/.test(name)), [], `step ${step}`);
    }
    assert.ok(ends.killed > 3 && ends.through > 0, JSON.stringify(ends));
  });

test('a command that is told to end while it restores comes to its end first', async () => {
  const one = await served();
  const { home } = one;
  const { file, opened } = await backup(one);
  await home.stop();
  const restoring = spawn(join(BIN, 'nexus'), ['vault', 'restore', file, ...opened, '--replace'], { env: home.env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  restoring.stderr.on('data', (text) => { said += text; });
  await until(() => existsSync(join(home.data, 'restore.tmp')), 'the beginning');
  restoring.kill('SIGTERM');
  await once(restoring, 'close');
  assert.match(said, /restored as of/);
  await home.start();
  await serves(one);
});

test('what keeps one from being made is told, and nothing is left of it', async () => {
  const one = await served();
  const { home } = one;
  const other = write(home, 'other', OTHER);
  const refuses = async (args, code, pattern, options) => {
    const refused = await home.nexus(['vault', 'backup', ...args], options);
    assert.equal(refused.code, code, refused.stderr);
    assert.match(refused.stderr, pattern);
    assert.deepEqual(left(home), ['audit.db', 'audit.head', 'nexus.db', 'vault.key']);
  };
  await refuses([join(home.dir, 'x')], 2, /sealed for a public key, or with a passphrase/);
  await refuses([join(home.dir, 'x'), '--passphrase-file', other, '--to', 'nexus-pub-x'], 2, /give one of/);
  await refuses([join(home.dir, 'x'), '--to', 'nexus-pub-x'], 2, /public key/);
  await refuses([join(home.dir, 'x'), '--passphrase-file', '-'], 2, /fewer than 12 characters/, { input: 'short' });
  await refuses([other, '--passphrase-file', other], 2, /exists already, and is not overwritten/);
  await refuses([join(home.dir, 'no', 'such'), '--passphrase-file', other], 1, /cannot make .*No such file or directory/);
  assert.ok(!existsSync(join(home.dir, 'x')));
});

/** A pair of keys of somebody who restores. */
async function pair(home) {
  const file = join(home.dir, `pair-${Math.random()}`);
  const { stdout } = await done(home, ['key', 'pair', '-o', file]);
  return { publicKey: /nexus-pub-\S+/.exec(stdout)[0], file };
}
