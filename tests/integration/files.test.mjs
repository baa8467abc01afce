// The files that nexusd opens when it starts: whose they may be, who else may read them, and what they have to be.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BIN, freePort, Home } from '../support/nexus.mjs';

const NOT_ROOT = process.getuid() !== 0 && 'only root can become somebody else';
const NOBODY = 65534;

/** What nexusd says instead of starting; it does not wait for anything. */
const refusal = (home, { env = {}, as } = {}) => {
  const program = [join(BIN, 'nexusd'), '--foreground'];
  const words = as ? ['setpriv', `--reuid=${as}`, '--clear-groups', ...program] : program;
  const { status, stderr, error } = spawnSync(words[0], words.slice(1), { env: { ...home.env, ...env }, encoding: 'utf8', timeout: 8000 });
  assert.equal(error, undefined, `it goes on, and says: ${stderr}`);
  assert.notEqual(status, 0);
  return stderr;
};

async function used(options) {
  const home = await Home.make(options);
  await home.start();
  await home.stop();
  return home;
}

function withTls(home, name = 'server') {
  const file = (kind) => join(home.dir, `${name}.${kind}`);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-keyout', file('key'),
    '-out', file('pem'), '-subj', '/CN=localhost'], { stdio: 'ignore' });
  return { key: file('key'), certificate: file('pem') };
}

test('vault, audit log and what lies beside them belong to their user alone', async () => {
  const home = await used();
  for (const name of ['nexus.db', 'nexus.db-wal', 'nexus.db-shm', 'audit.db', 'audit.db-wal', 'audit.db-shm', 'vault.key']) {
    const path = join(home.data, name);
    const made = !existsSync(path);
    if (made) writeFileSync(path, '', { mode: 0o600 });
    chmodSync(path, 0o640);
    assert.match(refusal(home), new RegExp(`${path} is open to other users\\n {2}run: chmod 600`), name);
    chmodSync(path, 0o600);
    if (!NOT_ROOT) {
      chownSync(path, NOBODY, NOBODY);
      assert.match(refusal(home), new RegExp(`${path} is not this user's: it belongs to uid 65534\\n {2}run nexusd as that user, or give it the file: chown 0`), name);
      chownSync(path, 0, 0);
    }
    if (made) rmSync(path);
  }
  await home.start();
  await home.remove();
});

test('a certificate\'s key that others can read is refused, as the vault\'s is', async () => {
  const home = await Home.make();
  const { key, certificate } = withTls(home);
  writeFileSync(home.configFile, `[gateway]\nlisten = "127.0.0.1:${await freePort()}"\ntls_key = "${key}"\ntls_certificate = "${certificate}"\n`);
  chmodSync(key, 0o644);
  assert.match(refusal(home), /gateway\.tls_key \S+ is open to other users\n {2}run: chmod 6[04]0/);
  chmodSync(key, 0o600);
  await home.start();
  await home.remove();
});

test('what is no regular file keeps nobody waiting', async () => {
  const home = await used();
  const { key, certificate } = withTls(home);
  const ca = join(home.dir, 'ca.pem');
  const keys = join(home.dir, 'keys');
  copyFileSync(certificate, ca);
  writeFileSync(keys, 'a-key-of-enough-characters\n');
  writeFileSync(home.configFile, `[gateway]\nlisten = "127.0.0.1:${await freePort()}"\ntls_key = "${key}"\ntls_certificate = "${certificate}"\nenvironment_keys = true\n`
    + `[network]\nca_file = "${ca}"\n`);
  const files = [key, certificate, ca, keys, home.configFile, join(home.data, 'vault.key'), join(home.data, 'nexus.db'), join(home.data, 'audit.db')];
  for (const file of files) {
    renameSync(file, `${file}.away`);
    execFileSync('mkfifo', ['-m', '600', file]);
    assert.match(refusal(home, { env: { API_KEYS_FILE: keys } }), /no regular file|not a regular file|gone or empty/, file);
    rmSync(file);
    renameSync(`${file}.away`, file);
  }
  await home.start();
  await home.remove();
});

test('a read-only data directory or database is told at the start, with the way out', { skip: NOT_ROOT }, async () => {
  const home = await Home.make();
  mkdirSync(home.data, { mode: 0o700 });
  const own = () => execFileSync('chown', ['-R', `${NOBODY}`, home.dir]);
  own();
  await home.start().catch(() => {});  // root does not take it
  await home.stop();
  const start = (limit) => spawnSync('timeout', [limit, 'setpriv', `--reuid=${NOBODY}`, '--clear-groups', join(BIN, 'nexusd'), '--foreground'],
    { env: home.env, encoding: 'utf8' }).stderr;
  assert.match(start('1'), / ready /);
  for (const [name, mode, said] of [['', 0o500, /the data directory \S+ cannot be written: Permission denied\n {2}run: chmod 700/],
    ['nexus.db', 0o400, /the vault \S+nexus\.db cannot be written: Permission denied\n {2}run: chmod 600/],
    ['audit.db', 0o400, /the audit log \S+audit\.db cannot be written: Permission denied\n {2}run: chmod 600/]]) {
    chmodSync(join(home.data, name), mode);
    assert.match(refusal(home, { as: NOBODY }), said);
    chmodSync(join(home.data, name), name ? 0o600 : 0o700);
  }
  assert.match(start('1'), / ready /);
  await home.remove();
});
