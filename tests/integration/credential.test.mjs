// Credential helpers: what each program sends and expects, as its specification has it; and the
// programs themselves, where this machine has them, in e2e/credential.test.mjs.
import { test, after, before, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KeyedApi, KINDS, KEY, USER, PASSWORD, ACCESS_KEY, SECRET_KEY } from '../provider/keyed_api.mjs';
import { reply } from '../provider/misbehaving.mjs';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, token } from '../support/flow.mjs';
import { BIN, until } from '../support/nexus.mjs';

const { home, provider } = await daemonAndProvider();
const api = await KeyedApi.start();
after(() => api.close());
const links = join(home.dir, 'links');
const plain = readFileSync(home.configFile, 'utf8');

/** An active connection to demo under that alias, and its token now. */
async function aliased(alias) {
  const { id } = await connect(home, provider, { alias });
  return { id, alias, token: (await token(home, id)).json.access_token };
}
const tokenOf = async (id) => (await token(home, id)).json.access_token;

async function keyed(kind, credentials = KINDS[kind].credentials) {
  const name = kind.replaceAll('_', '-');
  await home.api('POST', '/v1/providers', { name, api_base_url: api.url, allow_insecure_http: true, ...KINDS[kind].provider });
  const asked = (await home.api('POST', '/v1/request-connection', { provider_name: name, alias: `my-${name}` })).json;
  const answer = await home.api('POST', '/v1/capture-credential', { state: asked.state, credentials });
  assert.equal(answer.status, 200, answer.text);
  return asked.connection_id;
}

/** What `[credential]` of nexus.toml says from now on. */
const map = (lines) => writeFileSync(home.configFile, `${plain}\n[credential]\n${lines.join('\n')}\n`);

/** Runs nexus by the name that the program has for its helper. */
function run(name, args, input = '', env = {}) {
  return new Promise((resolve) => {
    const child = execFile(join(links, name), args, { env: { ...home.env, ...env } },
      (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
const attributes = (...lines) => `${lines.join('\n')}\n\n`;
const SILENCE = { code: 0, stdout: '', stderr: '' };

/** The provider ends the grant. */
async function endGrant(id) {
  provider.onToken = (form, response) => reply(response, { error: 'invalid_grant' }, 400);
  await home.api('POST', `/v1/refresh/${id}`);
  provider.onToken = null;
  assert.equal(await home.status(id), 'attention_required');
}

let work;
before(async () => {
  mkdirSync(links);
  for (const name of ['git-credential-nexus', 'docker-credential-nexus']) symlinkSync(join(BIN, 'nexus'), join(links, name));
  await register(home, provider.issuer);
  work = await aliased('work');
  await keyed('basic_auth');
  await keyed('header');
  await keyed('aws_sigv4');
});
beforeEach(() => map(['"github.com" = "work"']));

const git = (operation, input, args = []) => run('git-credential-nexus', [...args, operation], input);
const github = ['protocol=https', 'host=github.com'];

test('git get: a name and the token for the host that is mapped, with its end', async () => {
  const { json } = await token(home, work.id);
  const answer = await git('get', attributes(...github));
  assert.deepEqual(answer, { code: 0, stdout: `username=oauth2\npassword=${json.access_token}\npassword_expiry_utc=${json.expires_at}\n`, stderr: '' });
  assert.equal((await git('get', github.join('\n'))).stdout, answer.stdout, 'the end of the input is one, too');
  assert.equal((await home.nexus(['credential', 'git', 'get'], { input: attributes(...github) })).stdout, answer.stdout);
  assert.equal((await home.nexus(['--workspace', 'default', 'credential', 'git', 'get'], { input: attributes(...github) })).stdout, answer.stdout, 'the whole parser says the same');
  const unknown = ['wwwauth[]=Basic realm="x"', 'oauth_refresh_token=x', 'something[]=new', 'url='];
  assert.equal((await git('get', attributes('capability[]=', ...github, ...unknown))).stdout, answer.stdout);
});

test('git get: the name that git has, else the mapping\'s, else an argument\'s', async () => {
  const nameIn = ({ stdout }) => /^username=(.*)$/m.exec(stdout)[1];
  map(['"github.com" = { connection = "work", username = "x-access-token" }']);
  assert.equal(nameIn(await git('get', attributes(...github))), 'x-access-token');
  assert.equal(nameIn(await git('get', attributes(...github), ['--username', 'other'])), 'other');
  assert.equal(nameIn(await git('get', attributes(...github, 'username=ada'))), 'ada');
});

test('git get: the longest prefix of the path, part by part, of exactly that host', async () => {
  const other = await aliased('other');
  map(['"github.com" = "work"', '"github.com/acme" = "other"', '"git.example.com:8443" = "other"', '"localhost:3000" = "other"']);
  const password = async (...lines) => /^password=(.*)$/m.exec((await git('get', attributes(...lines))).stdout)?.[1];
  assert.equal(await password(...github, 'path=acme/x.git'), other.token);
  assert.equal(await password(...github, 'path=acme'), other.token);
  assert.equal(await password('protocol=https', 'host=GitHub.com:443', 'path=acme'), other.token);
  for (const path of ['acmeevil/x.git', 'Acme/x.git', 'x/acme', 'acme/../x', ''])
    assert.equal(await password(...github, `path=${path}`), work.token, path);
  assert.equal(await password('protocol=https', 'host=git.example.com:8443'), other.token);
  assert.equal(await password('protocol=http', 'host=localhost:3000'), other.token);
  for (const [protocol, host] of [['http', 'github.com'], ['ssh', 'github.com'], ['https', 'github.com.evil.example'], ['https', 'evil.github.com'],
    ['https', 'github.com@evil.example'], ['https', 'evil.example/github.com'], ['https', 'github.com:8443'], ['https', 'git.example.com'],
    ['https', 'github.com\r'], ['https', 'github.com%0ahost=evil.example'], ['http', 'localhost.evil.example:3000']])
    assert.deepEqual(await git('get', attributes(`protocol=${protocol}`, `host=${host}`)), SILENCE, `${protocol} ${host}`);
});

test('git get: by an argument where git itself chooses by the URL; never in the clear', async () => {
  map([]);
  const byArgument = await git('get', attributes('protocol=https', 'host=git.example.org'), ['--connection', 'work']);
  assert.match(byArgument.stdout, new RegExp(`^password=${work.token}$`, 'm'));
  assert.deepEqual(await git('get', attributes('protocol=http', 'host=git.example.org'), ['--connection', 'work']), SILENCE);
});

test('git get: a bearer token only where git takes it and the server nothing else', async () => {
  const capable = ['capability[]=authtype', 'capability[]=state'];
  const bearer = await git('get', attributes(...capable, ...github, 'wwwauth[]=Bearer realm="x"'));
  assert.match(bearer.stdout, new RegExp(`^capability\\[\\]=authtype\\nauthtype=Bearer\\ncredential=${work.token}\\nephemeral=1\\npassword_expiry_utc=\\d+\\ncapability\\[\\]=state\\nstate\\[\\]=nexus:${work.id}\\n$`));
  for (const lines of [
    [...capable, ...github, 'wwwauth[]=Basic realm="x"'],
    [...capable, ...github, 'wwwauth[]=Bearer', 'wwwauth[]=basic realm="x"'],
    [...capable, ...github],
    ['capability[]=state', ...github, 'wwwauth[]=Bearer'],
  ]) {
    const { stdout } = await git('get', attributes(...lines));
    assert.match(stdout, new RegExp(`^username=oauth2\\npassword=${work.token}\\n`), lines.join(' '));
    assert.ok(!stdout.includes('authtype'));
    assert.ok(stdout.endsWith(`state[]=nexus:${work.id}\n`));
  }
  assert.deepEqual(await git('capability'), { code: 0, stdout: 'version 0\ncapability authtype\ncapability state\n', stderr: '' });
});

test('git get: passwords and keys as well, a password under its own name alone', async () => {
  map(['"github.com" = "my-basic-auth"', '"key.example.com" = "my-header"', '"aws.example.com" = "my-aws-sigv4"']);
  assert.equal((await git('get', attributes(...github))).stdout, `username=${USER}\npassword=${PASSWORD}\n`);
  assert.equal((await git('get', attributes(...github, `username=${USER}`))).stdout, `username=${USER}\npassword=${PASSWORD}\n`);
  const foreign = await git('get', attributes(...github, 'username=bob'));
  assert.deepEqual([foreign.code, foreign.stdout], [2, 'quit=1\n']);
  assert.equal((await git('get', attributes('protocol=https', 'host=key.example.com'))).stdout, `username=oauth2\npassword=${KEY}\n`);
  const several = await git('get', attributes('protocol=https', 'host=aws.example.com'));
  assert.equal(several.stdout, 'quit=1\n');
  assert.ok(!several.stderr.includes(SECRET_KEY));
});

test('git get: who has to reconnect is told so at once, without a prompt and without a secret', async () => {
  const tired = await aliased('tired');
  await endGrant(tired.id);
  map(['"github.com" = "tired"', '"gone.example.com" = "nobody"']);
  const answer = await git('get', attributes(...github));
  assert.deepEqual([answer.code, answer.stdout], [4, 'quit=1\n']);
  assert.match(answer.stderr, /^nexus: connection \S+ needs attention: .*\n {2}run: nexus connect demo --replace \S+\n$/);
  assert.ok(!answer.stderr.includes(tired.token));
  const gone = await git('get', attributes('protocol=https', 'host=gone.example.com'));
  assert.deepEqual([gone.code, gone.stdout], [6, 'quit=1\n']);
  const away = await run('git-credential-nexus', ['get'], attributes(...github), { NEXUS_SOCKET: join(home.dir, 'nowhere.sock') });
  assert.deepEqual([away.code, away.stdout], [8, 'quit=1\n']);
});

test('git get: what git does not send gets nothing', async () => {
  for (const input of ['', '\n', 'nonsense\n\n', attributes('protocol=https'), attributes(...github, 'host=evil.example'),
    attributes('protocol=https', 'host=evil.example', 'host=github.com'), attributes(...github, 'protocol=http'),
    attributes(...github, 'path=a\0b'), `${github.join('\n')}\nwwwauth[]=${'x'.repeat(70000)}\n\n`, 'x'.repeat(10_000_000)]) {
    const { code, stdout, stderr } = await git('get', input);
    assert.deepEqual([code, stdout], [2, ''], input.slice(0, 80));
    assert.match(stderr, /^nexus: /);
  }
  assert.equal((await git('get', attributes(...github).replace('\n\n', '\n\nhost=evil.example\n'))).code, 0, 'an empty line ends it');
});

test('git store, and what a later git may ask, is read and does nothing', async () => {
  const login = attributes(...github, 'username=oauth2', 'password=typed-by-hand');
  assert.deepEqual(await git('store', login), SILENCE);
  assert.deepEqual(await git('store', 'x'.repeat(5_000_000)), SILENCE);
  assert.deepEqual(await git('renew', login), SILENCE);
  assert.equal((await run('git-credential-nexus', [])).code, 2);
  assert.equal(await tokenOf(work.id), work.token);
});

test('git erase: the token that failed is replaced, and only that one', async () => {
  const mine = await aliased('mine');
  map(['"github.com" = "mine"']);
  const refreshes = () => provider.tokenRequests('refresh_token').length;
  const before = refreshes();
  for (const other of [['password=typed-by-hand'], [], ['password='], ['authtype=Bearer']])
    assert.deepEqual(await git('erase', attributes(...github, 'username=oauth2', ...other)), SILENCE);
  assert.deepEqual(await git('erase', attributes('protocol=https', 'host=evil.example', `password=${mine.token}`)), SILENCE);
  assert.equal(refreshes(), before);
  const failed = attributes(...github, 'username=oauth2', `password=${mine.token}`);
  assert.deepEqual(await git('erase', failed), SILENCE);
  assert.equal(refreshes(), before + 1);
  const second = await tokenOf(mine.id);
  assert.notEqual(second, mine.token);
  assert.match((await git('get', attributes(...github))).stdout, new RegExp(`^password=${second}$`, 'm'));
  assert.deepEqual(await git('erase', failed), SILENCE);
  assert.deepEqual(await Promise.all(Array.from({ length: 5 }, () => git('erase', attributes(...github, `credential=${second}`, `state[]=nexus:${mine.id}`)))), Array(5).fill(SILENCE));
  assert.equal(refreshes(), before + 2);
});

test('git erase: its connection is the one that the answer came from, whatever is mapped now', async () => {
  const former = await aliased('former');
  assert.deepEqual(await git('erase', attributes(...github, 'state[]=other:x', `state[]=nexus:${former.id}`, `password=${former.token}`)), SILENCE);
  assert.notEqual(await tokenOf(former.id), former.token);
  assert.equal(await tokenOf(work.id), work.token);
});

test('git erase: git waits for no provider, and hears nothing of it', async () => {
  const slow = await aliased('slow');
  map(['"github.com" = "slow"']);
  let answer;
  provider.onToken = (form, response) => { answer = () => reply(response, { access_token: 'at-late', token_type: 'Bearer', expires_in: 3600 }); return true; };
  const from = Date.now();
  assert.deepEqual(await git('erase', attributes(...github, `password=${slow.token}`)), SILENCE);
  assert.ok(Date.now() - from < 6000);
  provider.onToken = null;
  answer();
  await until(async () => (await tokenOf(slow.id)) === 'at-late', 'the daemon has gone on by itself');
  const away = await run('git-credential-nexus', ['erase'], attributes(...github, 'password=x'), { NEXUS_SOCKET: join(home.dir, 'nowhere.sock') });
  assert.deepEqual(away, SILENCE);
});

const docker = (operation, input = '') => run('docker-credential-nexus', [operation], input);

test('docker get: the login for a registry that is mapped, however docker writes it', async () => {
  map(['"ghcr.io" = "work"', '"index.docker.io" = { connection = "work", username = "ada" }', '"basic.example.com" = "my-basic-auth"']);
  for (const [server, mapped] of [['ghcr.io', 'oauth2'], ['https://ghcr.io', 'oauth2'], ['https://ghcr.io/v2/\n', 'oauth2'], ['GHCR.io:443', 'oauth2'], ['https://index.docker.io/v1/', 'ada']]) {
    const { code, stdout, stderr } = await docker('get', server);
    assert.deepEqual([code, stderr], [0, ''], server);
    assert.deepEqual(JSON.parse(stdout), { ServerURL: server.trim(), Username: mapped, Secret: work.token });
  }
  assert.deepEqual(JSON.parse((await docker('get', 'basic.example.com')).stdout), { ServerURL: 'basic.example.com', Username: USER, Secret: PASSWORD });
  assert.deepEqual(JSON.parse((await docker('list')).stdout), { 'https://ghcr.io': 'oauth2', 'https://index.docker.io': 'ada', 'https://basic.example.com': 'oauth2' });
  assert.match((await docker('version')).stdout, /^docker-credential-nexus \(nexus\) \d+\.\d+\.\d+\n$/);
});

test('docker get: none in docker\'s own words, for whatever is not exactly a mapped host', async () => {
  map(['"ghcr.io" = "work"']);
  const NONE = { code: 1, stdout: 'credentials not found in native keychain\n', stderr: '' };
  for (const server of ['quay.io', 'ghcr.io.evil.example', 'evil.ghcr.io', 'ghcr.io@evil.example', 'https://x:y@ghcr.io', 'http://ghcr.io', 'ghcr.io:8443', 'ghcr.io\nquay.io', '{"ServerURL":"ghcr.io"}', ''])
    assert.deepEqual(await docker('get', server), NONE, server);
});

test('docker: failures are said on standard output, with what mends them and without a secret', async () => {
  const tired = await aliased('tired-docker');
  await endGrant(tired.id);
  map(['"ghcr.io" = "tired-docker"', '"aws.example.com" = "my-aws-sigv4"']);
  const answer = await docker('get', 'ghcr.io');
  assert.deepEqual([answer.code, answer.stderr], [1, '']);
  assert.match(answer.stdout, /^nexus: connection \S+ needs attention: .*; run: nexus connect demo --replace \S+\n$/);
  assert.equal((await docker('get', 'aws.example.com')).stdout.includes(SECRET_KEY), false);
  const away = await run('docker-credential-nexus', ['get'], 'ghcr.io', { NEXUS_SOCKET: join(home.dir, 'nowhere.sock') });
  assert.deepEqual([away.code, away.stderr], [1, '']);
  assert.match(away.stdout, /^nexus: /);
  assert.match((await docker('get', 'x'.repeat(100_000))).stdout, /^nexus: the request is longer than 64 KiB/);
  for (const operation of ['store', 'erase']) {
    const refused = await docker(operation, '{"ServerURL":"ghcr.io","Username":"u","Secret":"canary-typed"}');
    assert.deepEqual([refused.code, refused.stderr, refused.stdout.includes('canary')], [1, '', false]);
    assert.match(refused.stdout, /nexus disconnect/);
  }
  assert.equal((await docker('frob')).code, 2);
});

const aws = (connection) => home.nexus(['credential', 'aws', connection]);

test('aws: keys as credential_process wants them', async () => {
  const { code, stdout, stderr } = await aws('my-aws-sigv4');
  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(JSON.parse(stdout), { Version: 1, AccessKeyId: ACCESS_KEY, SecretAccessKey: SECRET_KEY });
  for (const [connection, exit] of [['work', 2], ['my-header', 2], ['nobody', 6]]) {
    const refused = await aws(connection);
    assert.deepEqual([refused.code, refused.stdout], [exit, ''], connection);
    assert.match(refused.stderr, /^nexus: .*\n {2}/);
    assert.ok(![KEY, work.token].some((secret) => refused.stderr.includes(secret)));
  }
  assert.deepEqual((await home.nexus(['credential', 'aws'])).code, 2);
});

test('nexus.toml: a mapping that says nothing clear is passed over, with a warning', async () => {
  for (const bad of ['github.com = "work"', '"https://github.com" = "work"', '"github.com" = ""', '"github.com" = 7', '"git hub.com" = "work"', '"*.github.com" = "work"',
    '"github.com" = { username = "x" }', '"github.com" = { connection = "work", user = "x" }', '"github.com" = { connection = "work", username = "a\\nhost=evil" }', '"a@github.com" = "work"']) {
    map([bad, '"ghcr.io" = "work"']);
    const { code, stdout, stderr } = await docker('get', 'ghcr.io');
    assert.equal(code, 0, `${bad}: ${stdout}`);
    assert.match(stderr, /nexus\.toml:\d+: 'credential\..*' is no host and connection/, bad);
    assert.equal((await git('get', attributes(...github))).stdout, '', bad);
  }
});
