// The group of [access]: its members use connections at another user's nexusd, and do nothing else there.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { BIN, Home, until } from '../support/nexus.mjs';

const isRoot = process.getuid() === 0;
const OWNER = 65533;
const GROUP = 12345;
const as = (uid, ...groups) => ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, groups.length ? `--groups=${groups}` : '--clear-groups'];
const owner = as(OWNER, GROUP);
const member = as(65534, GROUP);
const stranger = as(65532);

/** A home of the owner's, whose socket lies where members of the group may go. */
async function ownersHome(options = {}) {
  const home = await Home.make({ config: `[access]\ngroup = "${GROUP}"\n`, ...options });
  mkdirSync(home.data, { mode: 0o700 });
  chownSync(home.data, OWNER, OWNER);
  chmodSync(home.dir, 0o755);
  chownSync(dirname(home.socket), OWNER, GROUP);
  chmodSync(dirname(home.socket), 0o750);
  return home;
}
/** nexus, or another program, as somebody. */
const run = (home, who, words, program = join(BIN, 'nexus')) => new Promise((resolve) => {
  execFile(who[0], [...who.slice(1), program, ...words], { env: home.env, timeout: 20000 }, (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
});
const curl = async (home, who, path, ...more) => JSON.parse((await run(home, who, ['-s', ...more, '--unix-socket', home.socket, `http://localhost${path}`], 'curl')).stdout || '{}');

let home;
let provider;
let id;
before(async () => {
  if (!isRoot) return;
  provider = await MisbehavingProvider.start();
  home = await ownersHome();
  await home.start({ under: owner });
  // Root is nobody here: what the owner does is done as the owner.
  const fields = { name: 'demo', issuer: provider.issuer, client_id: 'client-1', client_secret: 'canary-client-secret-5f2c', allow_insecure_http: true, scopes: ['openid', 'email'] };
  await curl(home, owner, '/v1/providers', '-H', 'Content-Type: application/json', '-d', JSON.stringify(fields));
  const asked = await curl(home, owner, '/v1/request-connection', '-H', 'Content-Type: application/json', '-d', '{"workspace_id":"default","provider_name":"demo"}');
  await fetch(provider.consent(asked.auth_url), { redirect: 'manual' });
  id = asked.connection_id;
});
after(async () => { if (isRoot) { await home.remove(); await provider.close(); } });
const only = { skip: !isRoot && 'only root can become somebody else' };
const ownerDoes = async (...words) => { const done = await run(home, owner, words); assert.equal(done.code, 0, done.stderr); return done.stdout; };

test('members use connections: they see them, get tokens, send requests and run programs', only, async () => {
  assert.equal(statSync(home.socket).mode & 0o777, 0o660);
  assert.equal(statSync(home.socket).gid, GROUP);
  for (const words of [['token', id], ['token', 'demo', '--format', 'json'], ['status', id], ['list'], ['refresh', id], ['exec', '--env', `T=${id}`, '--', 'true'],
    ['credential', 'kubectl', id]]) {
    const done = await run(home, member, words);
    assert.equal(done.code, 0, `${words}: ${done.stderr}`);
  }
  const sent = await run(home, member, ['api', id, '/x']);
  assert.doesNotMatch(sent.stderr, /may do nothing else|access_denied/);
});

test('members do nothing else', only, async () => {
  for (const words of [['connect', 'demo', '--no-wait', '--no-browser'], ['alias', id, 'mine'], ['disconnect', id, '--yes'], ['access', id, '--everybody'],
    ['provider', 'remove', 'demo', '--yes'], ['provider', 'edit', 'demo', '--client-id', 'x'], ['key', 'create', '--name', 'x', '--use', 'all'], ['key', 'list'], ['audit'],
    ['audit', 'verify'], ['daemon', 'restart'], ['exec', '--proxy', id, '--', 'true'], ['proxy', 'start']]) {
    const refused = await run(home, member, words);
    assert.equal(refused.code, 9, `${words}: ${refused.stderr}${refused.stdout}`);
    assert.match(refused.stderr, /may do nothing else/, words.join(' '));
  }
  for (const path of ['/v1/export', '/v1/import', '/v1/adopt-connection', '/v1/complete-connection', '/v1/keys', '/v1/daemon/restart', '/v1/providers/plan'])
    assert.equal((await curl(home, member, path, '-H', 'Content-Type: application/json', '-d', '{}')).code, 'access_denied', path);
  assert.match(await ownerDoes('status', id), /active/);
});

test('everybody else is refused before a byte is read, root among them, and on record', only, async () => {
  // Past the modes of files, the kernel still says who it is.
  for (const path of [dirname(home.socket), home.socket]) chmodSync(path, 0o777);
  for (const who of [stranger, as(0)]) {
    const refused = await run(home, who, ['token', id]);
    assert.notEqual(refused.code, 0);
    assert.equal(refused.stdout, '');
  }
  chmodSync(home.socket, 0o660);
  chmodSync(dirname(home.socket), 0o750);
  await until(() => home.log.includes('peer_refused'), 'the refusal');
  assert.match(await ownerDoes('audit', '--event', 'peer_refused'), /uid 65532/);
});

test('a connection is narrowed further, to users and to groups', only, async () => {
  const uses = async (who) => (await run(home, who, ['token', id])).code;
  await ownerDoes('access', id, '--uid', String(OWNER));
  assert.deepEqual([await uses(owner), await uses(member)], [0, 9]);
  await ownerDoes('access', id, '--group', String(GROUP), '--uid', '4711');
  assert.deepEqual([await uses(owner), await uses(member), await uses(as(65534, 4711, GROUP))], [0, 0, 0]);
  await ownerDoes('access', id, '--group', '4711');
  assert.deepEqual([await uses(owner), await uses(member), await uses(as(65534, 4711, GROUP))], [9, 9, 0]);
  await ownerDoes('access', id, '--everybody');
});

test('nexusd without any right tells programs of its own user, and not those of others', only, async () => {
  const node = process.execPath;
  await ownerDoes('access', id, '--exe', node);
  // nexus keeps its file from nexusd: its name leads on to what has started it.
  const begun = `require('child_process').spawnSync(${JSON.stringify(join(BIN, 'nexus'))}, ['token', ${JSON.stringify(id)}], { stdio: 'inherit' })`;
  assert.match((await run(home, owner, ['-e', begun], node)).stdout, /\S/);
  writeFileSync(join(home.dir, 'asks'), `'${join(BIN, 'nexus')}' token ${id}; exit $?`);
  const shell = await run(home, owner, [join(home.dir, 'asks')], '/bin/sh');
  assert.equal(shell.code, 9);
  assert.match(shell.stderr, /sh may not use demo/);
  const others = await run(home, member, ['token', id]);
  assert.equal(others.code, 9);
  assert.match(others.stderr, /which program asks cannot be told: process \d+ .*\n {2}only programs of nexusd's own user/);
  await ownerDoes('access', id, '--everybody');
});

test('nexusd does not start where members could not come to it, and says why', only, async () => {
  const closed = async (change, said) => {
    const other = await ownersHome();
    change(other);
    const [program, ...words] = [...owner, join(BIN, 'nexusd'), '--foreground'];
    const refused = spawnSync(program, words, { env: other.env, encoding: 'utf8', timeout: 10000 });
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, said);
    await other.remove();
  };
  await closed((other) => chmodSync(dirname(other.socket), 0o700), /members of the group 12345 cannot enter \S+\/run, .*\n {2}.*nexusd\(8\)/);
  await closed((other) => chmodSync(dirname(other.socket), 0o770), /other users can enter/);
  await closed((other) => chownSync(dirname(other.socket), OWNER, OWNER), /other users can enter/);
  await closed((other) => writeFileSync(other.configFile, '[access]\ngroup = "no-such-group"\n'), /access\.group: there is no group 'no-such-group'/);
  await closed((other) => writeFileSync(other.configFile, '[access]\ngroup = "4711"\n'), /other users can enter/);
});

test('a restart takes the group\'s door away with the setting', only, async () => {
  const other = await ownersHome();
  await other.start({ under: owner });
  assert.equal((await run(other, member, ['list'])).code, 0);
  writeFileSync(other.configFile, readFileSync(other.configFile, 'utf8').replace(/\[access\]\n.*\n/, ''));
  assert.equal((await run(other, owner, ['daemon', 'restart'])).code, 0);
  assert.equal(statSync(other.socket).mode & 0o777, 0o600);
  chmodSync(other.socket, 0o666);
  assert.notEqual((await run(other, member, ['list'])).code, 0);
  await other.remove();
});

test('the command line speaks to another user only where it was sent, and in a directory of that user', only, async () => {
  // What XDG_RUNTIME_DIR happens to be is no word of the person.
  const found = join(home.dir, 'nexus');
  mkdirSync(found, { mode: 0o755 });
  symlinkSync(home.socket, join(found, 'nexusd.sock'));
  chownSync(found, OWNER, GROUP);
  const { NEXUS_SOCKET, NEXUS_DATA_DIR, ...env } = home.env;
  const said = new RegExp(`is served by another user \\(uid ${OWNER}\\)`);
  assert.match((await run({ env: { ...env, XDG_RUNTIME_DIR: home.dir } }, member, ['list'])).stderr, said);
  assert.equal((await run({ env: { ...env, NEXUS_SOCKET: join(found, 'nexusd.sock') } }, member, ['list'])).code, 0);
  // Somebody else's directory may have whatever socket.
  chownSync(found, 4711, GROUP);
  assert.match((await run({ env: { ...env, NEXUS_SOCKET: join(found, 'nexusd.sock') } }, member, ['list'])).stderr, said);
});
