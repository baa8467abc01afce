// No secret where it must not be: files, logs at their most verbose, argv, errors.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, chmodSync, writeFileSync, symlinkSync, unlinkSync, copyFileSync, existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register, token, SECRET } from '../support/flow.mjs';
import { Home } from '../support/nexus.mjs';

let home;
let provider;
before(async () => {
  provider = await MisbehavingProvider.start();
  home = await Home.make();
  await home.start();
});
after(async () => { await home.remove(); await provider.close(); });

function commandLines() {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => {
    try { return readFileSync(`/proc/${pid}/cmdline`, 'latin1'); } catch { return ''; }
  }).join('\n');
}

test('canary values are found nowhere but in the answers meant for them', async () => {
  const seen = [];
  const watch = setInterval(() => seen.push(commandLines()), 5);
  const said = [];
  const run = async (args, options) => { const r = await home.nexus(args, options); said.push(r.stderr); return r; };
  await run(['provider', 'add', 'demo', '--issuer', provider.issuer, '--client-id', 'client-1',
    '--client-secret-file', '-', '--scope', 'openid', '--allow-insecure-http'], { input: `${SECRET}\n` });
  provider.rotate = true;
  const { id, asked } = await connect(home, provider);
  const access = (await token(home, id)).json.access_token;
  await run(['refresh', id]);
  const newest = (await run(['token', id])).stdout;
  provider.onToken = (form, response) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: 'invalid_grant', error_description: `no ${form.get('refresh_token')} of ${SECRET}` }));
    return true;
  };
  await run(['refresh', id]);
  await run(['token', id]);
  await run(['status']);
  clearInterval(watch);

  const sent = provider.tokenRequests();
  const secrets = [SECRET, access, newest, ...sent.flatMap(({ form }) =>
    ['code', 'code_verifier', 'refresh_token'].map((name) => form.get(name)).filter(Boolean))];
  assert.ok(secrets.length >= 6);
  const files = readdirSync(home.data).map((name) => home.file(name).toString('latin1')).join('\n');
  const status = await home.api('GET', `/v1/connections/${id}`);
  const providerAnswer = await home.api('GET', '/v1/providers/by-name/demo');
  for (const secret of secrets) {
    assert.ok(!files.includes(secret), 'in the data directory');
    assert.ok(!home.log.includes(secret), 'in the log');
    assert.ok(!said.join('').includes(secret), 'in an error');
    assert.ok(!seen.join('').includes(secret), 'in a command line');
    assert.ok(!status.text.includes(secret) && !providerAnswer.text.includes(secret), 'in an answer');
  }
  assert.ok(!files.includes(new URL(asked.auth_url).searchParams.get('state')));
});

test('a secret on the command line is refused with a way out', async () => {
  const refused = await home.nexus(['provider', 'add', 'x', '--client-id', 'c', '--issuer', 'https://a.example', '--client-secret', 'oops']);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /--client-secret-file/);
});

test('files and socket belong to their user alone', () => {
  assert.equal(statSync(home.data).mode & 0o777, 0o700);
  assert.equal(statSync(home.socket).mode & 0o777, 0o600);
  for (const name of readdirSync(home.data)) assert.equal(statSync(join(home.data, name)).mode & 0o077, 0, name);
});

test('a wrong or missing key is refused, and the vault stays as it was', async () => {
  await home.stop();
  const vault = home.file('nexus.db');
  const attempt = (env = {}) => home.start({ env }).then(() => 'started', (error) => error.message);
  const wrong = Buffer.alloc(32, 7).toString('base64');
  assert.match(await attempt({ NEXUS_ENCRYPTION_KEY: wrong }), /does not open with this key/);
  assert.match(await attempt({ ENCRYPTION_KEY: 'c2hvcnQ=' }), /base64 key of 32 bytes/);
  const keyFile = join(home.data, 'vault.key');
  copyFileSync(keyFile, `${keyFile}.kept`);
  unlinkSync(keyFile);
  assert.match(await attempt(), /key is missing/);
  symlinkSync(`${keyFile}.kept`, keyFile);
  assert.match(await attempt(), /the key file \S+vault\.key is a link, which is not followed/);
  unlinkSync(keyFile);
  writeFileSync(keyFile, home.file('vault.key.kept'), { mode: 0o644 });
  chmodSync(keyFile, 0o644);
  assert.match(await attempt(), /other users/);
  chmodSync(keyFile, 0o600);
  assert.deepEqual(home.file('nexus.db'), vault);
  // The same key from the environment opens it as well.
  await home.start({ env: { NEXUS_ENCRYPTION_KEY: home.file('vault.key').toString().trim() } });
  assert.match(home.log, /key_source=environment/);
});

test('a key that the service manager gives as a credential is used, and needs no file', async () => {
  const given = await Home.make();
  const credentials = join(given.dir, 'credentials');
  const file = join(credentials, 'nexusd.vault.key');
  const env = { CREDENTIALS_DIRECTORY: credentials };
  const attempt = () => given.start({ env }).then(() => 'started', (error) => error.message);
  mkdirSync(credentials);
  writeFileSync(file, Buffer.alloc(32, 7).toString('base64'), { mode: 0o400 });
  await given.start({ env });
  assert.match(given.log, /key_source=credential/);
  assert.ok(!existsSync(join(given.data, 'vault.key')));
  await given.stop();
  // It is the key of that vault: another one is refused, as none is, and so is one that others can read.
  assert.match(await given.start().then(() => 'started', (error) => error.message), /the vault's key is missing/);
  chmodSync(file, 0o644);
  assert.match(await attempt(), /the credential \S+ is open to other users/);
  unlinkSync(file);
  assert.match(await attempt(), /the vault's key is missing/);
  writeFileSync(file, Buffer.alloc(32, 8).toString('base64'), { mode: 0o400 });
  assert.match(await attempt(), /does not open with this key/);
  unlinkSync(file);
  writeFileSync(file, 'no key', { mode: 0o400 });
  assert.match(await attempt(), /does not hold a base64 key of 32 bytes/);
  await given.remove();
});

test('a vault that is gone or empty is not replaced by a new one', async () => {
  const lost = await Home.make();
  const attempt = () => lost.start().then(() => 'started', (error) => error.message);
  await lost.start();
  await lost.stop();
  const vault = join(lost.data, 'nexus.db');
  const audit = join(lost.data, 'audit.db');
  const kept = lost.file('nexus.db');
  unlinkSync(vault);
  assert.match(await attempt(), /nexus\.db is gone or empty, but its audit\.db is there[^]*put nexus\.db back/);
  assert.ok(!existsSync(vault), 'and none was made');
  writeFileSync(vault, '', { mode: 0o600 });
  assert.match(await attempt(), /gone or empty/);
  renameSync(audit, `${audit}.away`);
  assert.match(await attempt(), /its vault\.key is there/);
  // Emptied: the database is there, and the vault is not in it.
  writeFileSync(vault, kept, { mode: 0o600 });
  execFileSync('sqlite3', [vault, 'DELETE FROM meta']);
  renameSync(`${audit}.away`, audit);
  assert.match(await attempt(), /gone or empty/);
  // Put back, it is as it was.
  writeFileSync(vault, kept, { mode: 0o600 });
  await lost.start();
  await lost.stop();
  // A new beginning is one by intent.
  for (const file of [vault, audit, join(lost.data, 'vault.key')]) renameSync(file, `${file}.away`);
  await lost.start();
  await lost.remove();
});

test('a damaged record is named, the others still open', async () => {
  const other = await connect(home, provider = Object.assign(provider, { onToken: null }));
  const damaged = await connect(home, provider);
  await home.stop();
  execFileSync('sqlite3', [join(home.data, 'nexus.db'),
    `UPDATE credentials SET sealed = (SELECT sealed FROM credentials WHERE owner = '${other.id}' AND field = 'access_token') WHERE owner = '${damaged.id}' AND field = 'access_token'`]);
  await home.start();
  assert.equal((await token(home, other.id)).status, 200);
  const refused = await token(home, damaged.id);
  assert.equal(refused.status, 500);
  assert.match(refused.json.message, new RegExp(damaged.id));
});

test('a secret with what nobody can see is refused where it comes in, and what was seen is said (O15)', async () => {
  const file = join(home.dir, 'secret');
  const add = (content, option = '--client-secret-file') => {
    writeFileSync(file, content);
    return home.nexus(['provider', 'add', 'copied', '--issuer', provider.issuer, '--client-id', 'client-1', option, file, '--allow-insecure-http', '--replace']);
  };
  for (const [content, said] of [
    [`${SECRET}\u200b`, /secret has U\+200B \(a zero width space\) as its character 26/], [`canary\u00a0secret`, /U\+00A0 \(a no-break space\) as its character 7/],
    [`canary\ufeff`, /U\+FEFF \(a byte order mark\)/], ['canary\nsecret', /U\+000A \(a line break\)/], [Buffer.from(`\ufeff${SECRET}`, 'utf16le'), /is UTF-16 text, not UTF-8\n.*save it as UTF-8/],
    [Buffer.from(SECRET, 'utf16le'), /UTF-16/], [Buffer.from('canary\xe9', 'latin1'), /a byte that is not UTF-8 as its character 7/],
  ]) {
    const refused = await add(content);
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, said);
    assert.doesNotMatch(refused.stderr, /canary/);
  }
  for (const option of ['--private-key-file', '--service-account-file'])
    assert.match((await add(Buffer.from('{"a":1}', 'utf16le'), option)).stderr, /is UTF-16 text/);
  const piped = await home.nexus(['provider', 'add', 'copied', '--issuer', provider.issuer, '--client-id', 'c', '--client-secret-file', '-'], { input: 'se\u200bcret' });
  assert.match(piped.stderr, /what came on stdin has U\+200B/);
  const adopted = await home.nexus(['connect', 'demo', '--refresh-token-stdin'], { input: 'se\u200bcret' });
  assert.match(adopted.stderr, /what came on stdin has U\+200B/);
  // Nor over HTTP, where no file is to blame.
  const posted = await home.api('POST', '/v1/providers', { name: 'copied', issuer: provider.issuer, client_id: 'c', client_secret: 'se\u200bcret', allow_insecure_http: true });
  assert.equal(posted.status, 400);
  assert.match(posted.json.message, /client_secret has U\+200B \(a zero width space\) as its character 3/);
  assert.equal((await home.api('GET', '/v1/providers/by-name/copied')).status, 404);
  // An editor's byte order mark and the line's end are around the secret, not in it.
  assert.equal((await add(`\ufeff${SECRET}\r\n`)).code, 0);
  provider.reset();
  await connect(home, provider, { provider_name: 'copied' });
  assert.ok(provider.tokenRequests().some(({ form, headers }) => `${form.get('client_secret')} ${Buffer.from((headers?.authorization ?? '').slice(6), 'base64')}`.includes(SECRET)));
});
