// Bundles: connections that are copied to a CI job, and that are moved to another machine.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { startCertifiedProvider, CLIENT_ID, CLIENT_SECRET } from '../provider/certified.mjs';
import { consent } from '../support/consent.mjs';
import { connect, register, request, startOver, token, visit, SECRET } from '../support/flow.mjs';
import { BIN, Home } from '../support/nexus.mjs';

let provider;
let here;
let there;
let publicKey;
before(async () => {
  provider = await MisbehavingProvider.start();
  here = await Home.make({ gateway: true });
  there = await Home.make();
  await here.start();
  await there.start();
  await register(here, provider.issuer);
  publicKey = (await here.nexus(['key', 'pair', '-o', join(here.dir, 'ci.key')])).stdout.trim();
});
after(async () => { await here.remove(); await there.remove(); await provider.close(); });

const keyFile = () => join(here.dir, 'ci.key');
let files = 0;
const newFile = () => join(here.dir, `bundle-${++files}`);
const clear = async (home) => {
  await startOver(home, provider);
  if (home === there) await home.api('DELETE', '/v1/providers/by-name/demo');
};
/** Refreshed once without a new refresh token: two may hold it. */
async function shareable(fields) {
  provider.rotate = false;
  const { id } = await connect(here, provider, fields);
  const refreshed = await here.api('POST', `/v1/refresh/${id}`, '');
  assert.equal(refreshed.status, 200, refreshed.text);
  return id;
}
const exported = async (...args) => {
  const { code, stdout, stderr } = await here.nexus(['export', ...args]);
  assert.equal(code, 0, stderr);
  return stdout.trim();
};
const imports = (file, ...args) => there.nexus(['import', file, '--key-file', keyFile(), ...args]);

test('a key pair is made once: private for its user alone, never in the place of another file', async () => {
  assert.match(publicKey, /^nexus-pub-[0-9a-f]{72}$/);
  assert.equal(statSync(keyFile()).mode & 0o777, 0o600);
  const secret = readFileSync(keyFile(), 'utf8');
  assert.match(secret, /^nexus-key-[0-9a-f]{72}\n$/);
  assert.match((await here.nexus(['key', 'pair', '-o', '-'], { cwd: here.dir })).stdout, /^nexus-key-/);
  assert.ok(!existsSync(join(here.dir, '-')), '- is standard output');
  const again = await here.nexus(['key', 'pair', '-o', keyFile()]);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /exists already, and a key is never overwritten/);
  assert.equal(readFileSync(keyFile(), 'utf8'), secret);
  const shown = await here.nexus(['key', 'pair']);
  assert.match(shown.stdout, /^nexus-key-[0-9a-f]{72}\n$/);
  assert.match(shown.stderr, /^public key: nexus-pub-[0-9a-f]{72}\n$/);
  assert.notEqual(shown.stdout, secret);
});

test('a bundle brings token, provider and alias to another nexusd, and both go on', async () => {
  const id = await shareable({ alias: 'deploy' });
  const bundle = await exported('deploy', '--to', publicKey);
  assert.match(bundle, /^nexus-bundle:[A-Za-z0-9+/=]+$/);
  assert.ok(bundle.length < 4096);
  const file = newFile();
  writeFileSync(file, bundle);
  const { code, stdout, stderr } = await imports(file);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /ALIAS +PROVIDER +ACCOUNT +STATUS +EXPIRES\ndeploy +demo .*active/);
  assert.match(stderr, /registered demo/);
  const mine = (await token(here, id)).json.access_token;
  assert.equal((await there.nexus(['token', 'deploy'])).stdout, mine);
  assert.equal((await there.api('POST', `/v1/refresh/${id}`, '')).status, 200, 'with the client secret that came with it');
  assert.equal((await here.api('POST', `/v1/refresh/${id}`, '')).status, 200);
  const records = (await here.nexus(['audit', '--event', 'connection.exported', '--json'])).stdout;
  assert.match(records, new RegExp(id));
  assert.match(records, new RegExp(publicKey));
  const taken = (await there.nexus(['audit', '--json'])).stdout;
  assert.match(taken, /connection\.imported/);
  assert.match(taken, /provider\.created/);
  await clear(here);
  await clear(there);
});

test('nothing that is sealed can be read in a bundle, in answers, logs or audit', async () => {
  const id = await shareable();
  const { text } = await here.api('POST', '/v1/export', { connections: [id], public_key: publicKey });
  const { access_token: access } = (await token(here, id)).json;
  const bytes = Buffer.from(JSON.parse(text).bundle.split(':')[1], 'base64').toString('latin1');
  const said = [text, bytes, here.log, (await here.api('GET', '/v1/audit')).text];
  for (const secret of [access, SECRET, ...provider.refreshTokens.keys()])
    for (const place of said) assert.ok(!place.includes(secret));
  await clear(here);
});

test('a passphrase seals as well, and comes from a file, stdin or the environment, never from argv', async () => {
  const id = await shareable({ alias: 'deploy' });
  const words = join(here.dir, 'words');
  writeFileSync(words, 'correct horse battery\n', { mode: 0o600 });
  const file = newFile();
  assert.equal(await exported('deploy', '--passphrase-file', words, '-o', file), '');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const wrong = await there.nexus(['import', file, '--passphrase-file', '-'], { input: 'correct horse batterz' });
  assert.equal(wrong.code, 7);
  assert.match(wrong.stderr, /does not open with this passphrase/);
  const right = await there.nexus(['import', file], { env: { NEXUS_BUNDLE_PASSPHRASE: 'correct horse battery' } });
  assert.equal(right.code, 0, right.stderr);
  assert.equal((await token(there, id)).status, 200);
  const short = await here.nexus(['export', 'deploy', '--passphrase-file', '-'], { input: 'hunter2' });
  assert.equal(short.code, 2);
  assert.match(short.stderr, /fewer than 12 characters/);
  await clear(here);
  await clear(there);
});

test('what is wrong with a bundle or its key is told, each as what it is, and changes nothing', async () => {
  const id = await shareable();
  const bundle = await exported(id, '--to', publicKey);
  const other = join(here.dir, 'other.key');
  await here.nexus(['key', 'pair', '-o', other]);
  const file = newFile();
  const cases = [
    [bundle.slice(0, -40), keyFile(), 2, /the bundle was cut: it has \d+ of its \d+ bytes/],
    [bundle.slice(0, 60) + (bundle[60] === 'A' ? 'B' : 'A') + bundle.slice(61), keyFile(), 2, /damaged: its checksum does not fit/],
    ['age-encryption.org/v1', keyFile(), 2, /is no bundle of nexus/],
    [bundle, other, 7, new RegExp(`is sealed for ${publicKey}, and the private key is that of nexus-pub-`)],
    [bundle, file, 2, /is no private key of nexus/],
  ];
  for (const [text, key, expected, said] of cases) {
    writeFileSync(file, text);
    const { code, stdout, stderr } = await there.nexus(['import', file, '--key-file', key]);
    assert.deepEqual([code, stdout], [expected, ''], stderr);
    assert.match(stderr, said);
    assert.match(stderr, /\n {2}\S/, 'with a way out');
  }
  writeFileSync(file, bundle);
  const keyless = await there.nexus(['import', file]);
  assert.equal(keyless.code, 2);
  assert.match(keyless.stderr, /give --key-file FILE/);
  assert.deepEqual((await there.api('GET', '/v1/connections')).json, []);
  const cut = await here.nexus(['export', id, '--to', publicKey.slice(0, -3)]);
  assert.equal(cut.code, 2);
  assert.match(cut.stderr, /public key was cut or mistyped/);
  await clear(here);
});

test('only nexusd\'s own user makes and opens bundles: no API key does', async () => {
  const id = await shareable();
  const key = await here.makeKey('admin-of-bundles', '--admin');
  for (const [path, body] of [['/v1/export', { connections: [id], public_key: publicKey }], ['/v1/import', { bundle: 'x' }], [`/v1/connections/${id}/take-back`, {}]]) {
    assert.equal((await here.http('POST', path, body)).status, 401, path);
    const { status, json } = await here.http('POST', path, body, { key });
    assert.deepEqual([status, json.code], [403, 'access_denied'], path);
  }
  await clear(here);
});

test('a rotating refresh token is moved, not copied, and is gone here once the bundle is safe', async () => {
  provider.rotate = true;
  const { id } = await connect(here, provider, { alias: 'house' });
  const refused = await here.nexus(['export', 'house', '--to', publicKey]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /cannot be held by two.*\n.*--move/);
  const file = newFile();
  const { code, stderr } = await here.nexus(['export', 'house', '--to', publicKey, '--move', '-o', file]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /moved conn_/);
  assert.equal((await token(here, id)).status, 410);
  const came = await imports(file);
  assert.equal(came.code, 0, came.stderr);
  assert.equal((await there.api('POST', `/v1/refresh/${id}`, '')).status, 200, 'the grant lives: nobody revoked it');
  await clear(there);
});

test('a real provider that watches for a token used twice goes on with the one who has it now', async () => {
  const certified = await startCertifiedProvider({ callbacks: [`${here.callbackBase}/auth/callback`, `${here.callbackBase}/auth/callback/real`] });
  await register(here, certified.issuer, { name: 'real', client_id: CLIENT_ID, client_secret: CLIENT_SECRET, scopes: ['openid', 'offline_access'] });
  const asked = await request(here, { provider_name: 'real' });
  await visit(await consent(asked.auth_url));
  const id = asked.connection_id;
  assert.equal((await here.api('POST', `/v1/refresh/${id}`, '')).status, 200);
  const file = newFile();
  await exported(id, '--to', publicKey, '--move', '-o', file);
  assert.equal((await here.api('POST', `/v1/refresh/${id}`, '')).status, 410);
  const came = await imports(file);
  assert.equal(came.code, 0, came.stderr);
  for (let i = 0; i < 3; ++i) assert.equal((await there.api('POST', `/v1/refresh/${id}`, '')).status, 200);
  const home = newFile();
  assert.equal((await there.nexus(['export', id, '--to', publicKey, '--move', '-o', home])).code, 0);
  assert.equal((await here.nexus(['import', home, '--key-file', keyFile()])).code, 0);
  assert.equal((await here.api('POST', `/v1/refresh/${id}`, '')).status, 200, 'and back');
  await clear(here);
  await certified.close();
});

test('a move into a pipe waits for the word that the bundle is safe, and can be taken back', async () => {
  provider.rotate = true;
  const { id } = await connect(here, provider, { alias: 'house' });
  const { code, stdout, stderr } = await here.nexus(['export', 'house', '--to', publicKey, '--move']);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^nexus-bundle:/);
  assert.match(stderr, new RegExp(`nexus disconnect ${id} --keep-grant\nor, if it is lost: nexus export --take-back ${id}`));
  const status = await here.nexus(['status', 'house']);
  assert.equal(status.code, 4);
  assert.match(status.stdout, /being moved[^]*nexus export --take-back house/);
  const used = await here.nexus(['token', 'house']);
  assert.equal(used.code, 4);
  assert.match(used.stderr, /is being moved.*\n.*nexus export --take-back/);
  const back = await here.nexus(['export', '--take-back', 'house']);
  assert.equal(back.code, 0, back.stderr);
  assert.equal((await here.api('POST', `/v1/refresh/${id}`, '')).status, 200);
  await clear(here);
});

test('a move whose bundle cannot be written leaves the connection here', { skip: !existsSync('/dev/full') }, async () => {
  provider.rotate = true;
  const { id } = await connect(here, provider);
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(join(BIN, 'nexus'), ['export', id, '--to', publicKey, '--move'], { env: here.env, stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
  closeSync(full);
  assert.equal(status, 1);
  assert.match(stderr, /nothing was moved/);
  const file = newFile();
  const unseen = openSync('/dev/full', 'w');
  assert.equal(spawnSync(join(BIN, 'nexus'), ['export', id, '--to', publicKey, '--move', '--json', '-o', file], { env: here.env, stdio: ['ignore', unseen, 'pipe'] }).status, 1);
  closeSync(unseen);
  assert.ok(!existsSync(file), 'what was not moved is in no bundle');
  writeFileSync(file, 'mine');
  const taken = await here.nexus(['export', id, '--to', publicKey, '--move', '-o', file]);
  assert.equal(taken.code, 2);
  assert.equal(readFileSync(file, 'utf8'), 'mine');
  assert.equal((await here.api('POST', `/v1/refresh/${id}`, '')).status, 200);
  await clear(here);
});

test('a nexusd that is killed in the middle of a move has lost nothing', async () => {
  provider.rotate = true;
  const { id } = await connect(here, provider);
  const { status } = await here.api('POST', '/v1/export', { connections: [id], public_key: publicKey, move: true });
  assert.equal(status, 200);
  await here.stop('SIGKILL');
  await here.start();
  assert.equal(await here.status(id), 'attention_required');
  assert.equal((await here.nexus(['export', '--take-back', id])).code, 0);
  assert.equal((await here.api('POST', `/v1/refresh/${id}`, '')).status, 200);
  await clear(here);
});

test('API keys and their providers travel as well', async () => {
  const registered = await here.api('POST', '/v1/providers', { name: 'keyed', auth_type: 'api_key', api_base_url: 'https://keyed.example', params: { validation: { skip: true } } });
  assert.equal(registered.status, 201, registered.text);
  const made = await here.nexus(['connect', 'keyed', '--credentials-stdin', '--alias', 'static'], { input: '{"api_key":"canary-key-77"}' });
  assert.equal(made.code, 0, made.stderr);
  const file = newFile();
  await exported('static', '--to', publicKey, '-o', file);
  const came = await imports(file, '--json');
  assert.equal(came.code, 0, came.stderr);
  assert.deepEqual(JSON.parse(came.stdout).providers, ['keyed']);
  assert.equal((await there.nexus(['token', 'static'])).stdout, 'canary-key-77');
  await clear(here);
  await startOver(there, provider);
});
