// Credential helpers: what each program sends and expects, as its specification has it; and the
// programs themselves, where this machine has them, in e2e/credential.test.mjs.
import { test, after, before, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
  for (const name of ['nexus', 'git-credential-nexus', 'docker-credential-nexus', 'terraform-credentials-nexus', 'bazel-credential-nexus', 'cargo-credential-nexus', 'keyring', 'nexus-npm-npm.example.com', 'nexus-npm-other.example.com']) symlinkSync(join(BIN, 'nexus'), join(links, name));
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

test('the API refreshes for a token that was refused, and says what is wrong with the question', async () => {
  const { id, token: refused } = await aliased('asked');
  const sha256 = createHash('sha256').update(refused).digest('hex');
  const ask = (query) => home.api('POST', `/v1/refresh/${id}?${query}`);
  for (const query of ['if_token_sha256=x', `if_token_sha256=${sha256.slice(1)}`, `if_token_sha256=${sha256}g`, `if_token_sha256=${sha256}&scope=email`, `if_token_sha256=${sha256}&audience=https%3A%2F%2Fx`]) {
    const { status, json } = await ask(query);
    assert.deepEqual([status, json.code], [400, 'invalid_field'], query);
  }
  assert.equal((await ask(`if_token_sha256=${'0'.repeat(64)}`)).json.access_token, refused);
  const { json } = await ask(`if_token_sha256=${sha256.toUpperCase()}`);
  assert.notEqual(json.access_token, refused);
  assert.equal((await ask(`if_token_sha256=${sha256}`)).json.access_token, json.access_token);
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

const AWAY = { NEXUS_SOCKET: join(home.dir, 'nowhere.sock') };
const tool = (args, input = '', env = {}) => home.nexus(['credential', ...args], { input, env });
const parsed = ({ code, stdout, stderr }) => { assert.deepEqual([code, stderr], [0, '']); return JSON.parse(stdout); };
const iso = (seconds) => new Date(seconds * 1000).toISOString().replace('.000', '');
/** A connection whose grant is over, mapped for that host. */
async function mapTired(host, alias) {
  const tired = await aliased(alias);
  await endGrant(tired.id);
  map([`"${host}" = "${alias}"`]);
  return tired;
}

const execInfo = (version, spec = { interactive: false }) => ({ KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion: `client.authentication.k8s.io/${version}`, kind: 'ExecCredential', spec }) });

test('kubectl: an ExecCredential of the version that is asked for, with the id_token or the access token', async () => {
  const { json } = await token(home, work.id);
  const { exp } = JSON.parse(Buffer.from(json.id_token.split('.')[1], 'base64url'));
  for (const version of ['v1', 'v1beta1', 'v1alpha1'])
    assert.deepEqual(parsed(await tool(['kubectl', 'work'], '', execInfo(version))), {
      apiVersion: `client.authentication.k8s.io/${version}`, kind: 'ExecCredential', status: { token: json.id_token, expirationTimestamp: iso(exp) },
    });
  assert.equal(parsed(await tool(['kubectl', 'work'])).apiVersion, 'client.authentication.k8s.io/v1beta1', 'who says none knows no later');
  assert.deepEqual(parsed(await tool(['kubectl', 'work', '--access-token'])).status, { token: json.access_token, expirationTimestamp: iso(json.expires_at) });
  assert.deepEqual(parsed(await tool(['kubectl', 'my-header'])).status, { token: KEY });
  map(['"k8s.example.com:6443" = "work"']);
  const cluster = (server) => execInfo('v1', { interactive: false, cluster: { server, 'certificate-authority-data': 'x' } });
  assert.equal(parsed(await tool(['kubectl'], '', cluster('https://k8s.example.com:6443'))).status.token, json.id_token);
  for (const env of [{}, cluster('https://k8s.example.com'), cluster('https://k8s.example.com:6443.evil.example'), execInfo('v2'), { KUBERNETES_EXEC_INFO: '{' }, { KUBERNETES_EXEC_INFO: '{"apiVersion":7}' }]) {
    const { code, stdout, stderr } = await tool(['kubectl'], '', env);
    assert.deepEqual([code, stdout], [2, ''], JSON.stringify(env));
    assert.match(stderr, /^nexus: .*\n {2}/);
  }
  const away = await tool(['kubectl', 'work'], '', AWAY);
  assert.deepEqual([away.code, away.stdout], [8, '']);
});

test('kubectl: an id_token that ends before its access token is replaced, or said to be over', async () => {
  const brief = await (async () => {
    provider.claims = (claims) => ({ ...claims, exp: claims.iat + 5 });
    return aliased('brief').finally(() => { provider.claims = (claims) => claims; });
  })();
  const lapsed = await tool(['kubectl', 'brief']);
  assert.deepEqual([lapsed.code, lapsed.stdout], [2, '']);
  assert.match(lapsed.stderr, /id_token of connection brief has expired/);
  assert.equal(parsed(await tool(['kubectl', 'brief', '--access-token'])).status.token, await tokenOf(brief.id));
});

const terraform = (args, input = '', env = {}) => run('terraform-credentials-nexus', args, input, env);

test('terraform: get, store and forget as Terraform and OpenTofu want them', async () => {
  map(['"app.terraform.io" = "work"', '"tfe.example.com:8443" = "my-header"']);
  assert.deepEqual(parsed(await terraform(['get', 'app.terraform.io'])), { token: work.token });
  assert.deepEqual(parsed(await terraform(['get', 'tfe.example.com:8443'])), { token: KEY });
  assert.deepEqual(parsed(await terraform(['--connection', 'work', 'get', 'any.example.com'])), { token: work.token });
  for (const host of ['registry.example.com', 'app.terraform.io.evil.example', 'evil@app.terraform.io', 'tfe.example.com'])
    assert.deepEqual(await terraform(['get', host]), { code: 0, stdout: '{}\n', stderr: '' }, host);
  assert.deepEqual(await terraform(['forget', 'registry.example.com']), SILENCE);
  for (const [args, input] of [[['store', 'app.terraform.io'], '{"token":"canary"}'], [['store', 'app.terraform.io'], 'x'.repeat(1_000_000)], [['forget', 'app.terraform.io'], ''],
    [['frob', 'app.terraform.io'], ''], [['get'], ''], [['get', 'a', 'b'], ''], [[], '']]) {
    const { code, stdout, stderr } = await terraform(args, input);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, /^nexus: /);
  }
  await mapTired('app.terraform.io', 'tired-terraform');
  const over = await terraform(['get', 'app.terraform.io']);
  assert.deepEqual([over.code, over.stdout], [4, '']);
  assert.match(over.stderr, /run: nexus connect demo --replace/);
  assert.equal((await terraform(['get', 'app.terraform.io'], '', AWAY)).code, 8);
});

const bazel = (input, env = {}) => run('bazel-credential-nexus', ['get'], input, env);

test('bazel: headers for a URI, {} where none are needed', async () => {
  map(['"cache.example.com" = "work"', '"key.example.com" = "my-header"', '"basic.example.com" = "my-basic-auth"']);
  const { json } = await token(home, work.id);
  for (const uri of ['https://cache.example.com/ac/x?y=z#w', 'grpcs://cache.example.com', 'HTTPS://Cache.example.com:443/'])
    assert.deepEqual(parsed(await bazel(JSON.stringify({ uri, extra: [1] }))), { headers: { Authorization: [`Bearer ${json.access_token}`] }, expires: iso(json.expires_at) }, uri);
  const { headers } = parsed(await bazel('{"uri":"https://key.example.com"}'));
  assert.ok(Object.values(headers)[0][0].endsWith(KEY));
  assert.deepEqual(parsed(await bazel('{"uri":"https://basic.example.com"}')), { headers: { Authorization: [`Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`] } });
  for (const uri of ['https://other.example.com', 'http://cache.example.com', 'grpc://cache.example.com', 'https://cache.example.com.evil.example', 'https://x@cache.example.com/'])
    assert.deepEqual(await bazel(JSON.stringify({ uri })), { code: 0, stdout: '{}\n', stderr: '' }, uri);
  for (const input of ['', '{}', '{"uri":7}', '{"url":"https://cache.example.com"}', '{"uri":"ftp://cache.example.com"}', '[', 'x'.repeat(100_000)]) {
    const { code, stdout, stderr } = await bazel(input);
    assert.deepEqual([code, stdout], [2, ''], input.slice(0, 50));
    assert.match(stderr, /^nexus: /);
  }
  assert.equal((await run('bazel-credential-nexus', [])).code, 2);
  await mapTired('cache.example.com', 'tired-bazel');
  assert.equal((await bazel('{"uri":"https://cache.example.com"}')).code, 4);
  assert.equal((await bazel('{"uri":"https://cache.example.com"}', AWAY)).code, 8);
});

/** The answers of one conversation; the provider speaks first. */
async function cargo(requests, env = {}) {
  const lines = requests.map((request) => (typeof request === 'string' ? request : JSON.stringify({ v: 1, kind: 'get', operation: 'read', ...request })));
  const { code, stdout, stderr } = await run('cargo-credential-nexus', ['--cargo-plugin'], lines.map((line) => `${line}\n`).join(''), env);
  assert.deepEqual([code, stderr], [0, '']);
  const [hello, ...answers] = stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(hello, { v: [1] });
  return answers;
}

test('cargo: a conversation of requests and answers', async () => {
  map(['"crates.example.com" = "work"', '"index.crates.io" = "my-header"', '"git.example.com/index" = "work"']);
  const { json } = await token(home, work.id);
  const registry = (url) => ({ registry: { 'index-url': url, name: 'x', headers: [] } });
  const good = { Ok: { kind: 'get', token: `Bearer ${json.access_token}`, cache: 'expires', expiration: json.expires_at, operation_independent: true } };
  const NONE = { Err: { kind: 'url-not-supported' } };
  assert.deepEqual(await cargo([
    registry('sparse+https://crates.example.com/index/'), { operation: 'publish', vers: '1.0.0', cksum: 'x', ...registry('sparse+https://crates.example.com/') },
    registry('https://git.example.com/index'), registry('registry+https://git.example.com/indexes'), registry('sparse+https://other.example.com/'), registry('http://crates.example.com/'),
    { ...registry('sparse+https://other.example.com/'), args: ['--connection', 'work'] },
    { kind: 'login', token: 'canary', ...registry('sparse+https://crates.example.com/') }, { kind: 'logout', ...registry('sparse+https://crates.example.com/') }, { kind: 'later' },
  ]), [good, good, good, NONE, NONE, NONE, good, ...Array(3).fill({ Err: { kind: 'operation-not-supported' } })]);
  const [key] = await cargo([registry('sparse+https://index.crates.io/')]);
  assert.equal(key.Ok.cache, 'session');
  assert.ok(key.Ok.token.endsWith(KEY));
  for (const bad of ['', '{', '[]', '{"v":2,"kind":"get"}', '{"v":1,"kind":"get","registry":7}']) {
    const [answer, next] = await cargo([bad, registry('sparse+https://crates.example.com/')]);
    assert.equal(answer.Err.kind, 'other', bad);
    assert.deepEqual(next, good, 'the conversation goes on');
  }
  assert.deepEqual(await cargo(['x'.repeat(1_000_000)]), [], 'what is no request ends it');
  await mapTired('crates.example.com', 'tired-cargo');
  const [over] = await cargo([registry('sparse+https://crates.example.com/')]);
  assert.equal(over.Err.kind, 'other');
  assert.match(over.Err.message, /needs attention.*run: nexus connect demo --replace/);
  assert.deepEqual(over.Err['caused-by'], []);
  assert.equal((await cargo([registry('sparse+https://crates.example.com/')], AWAY))[0].Err.kind, 'other');
});

const keyring = (args, env = {}) => run('keyring', args, '', env);

test('keyring: what pip, uv, twine and poetry ask it', async () => {
  map(['"pypi.example.com" = { connection = "work", username = "oauth2accesstoken" }', '"pypi.example.com/private" = "my-header"', '"basic.example.com" = "my-basic-auth"']);
  const answers = async (args) => { const { code, stdout, stderr } = await keyring(args); assert.deepEqual([code, stderr], [0, ''], args.join(' ')); return stdout; };
  assert.equal(await answers(['get', 'https://pypi.example.com/simple/', '__token__']), `${work.token}\n`);
  assert.equal(await answers(['get', 'pypi.example.com', 'ada']), `${work.token}\n`);
  assert.equal(await answers(['get', 'https://pypi.example.com/simple/', '--mode', 'creds']), `oauth2accesstoken\n${work.token}\n`);
  assert.equal(await answers(['--mode', 'creds', 'get', 'pypi.example.com', 'ada']), `ada\n${work.token}\n`);
  assert.equal(await answers(['get', 'https://pypi.example.com/private/simple', 'x']), `${KEY}\n`);
  assert.equal(await answers(['get', 'basic.example.com', '--mode', 'creds']), `${USER}\n${PASSWORD}\n`);
  for (const service of ['https://pypi.org/simple', 'http://pypi.example.com', 'pypi.example.com.evil.example', 'https://x:y@pypi.example.com', 'system', ''])
    assert.deepEqual(await keyring(['get', service, 'x']), { code: 1, stdout: '', stderr: '' }, service);
  for (const [args, exit] of [[['set', 'pypi.example.com', 'x'], 1], [['del', 'pypi.example.com', 'x'], 1], [['get'], 2], [['get', 'pypi.example.com'], 2], [['get', 'basic.example.com', 'bob'], 2], [[], 2], [['--list-backends'], 2], [['get', 'x', 'y', '--mode', 'z'], 2]]) {
    const { code, stdout, stderr } = await keyring(args);
    assert.deepEqual([code, stdout], [exit, ''], args.join(' '));
    assert.match(stderr, /^nexus: /);
  }
  await mapTired('pypi.example.com', 'tired-pypi');
  assert.equal((await keyring(['get', 'pypi.example.com', 'x'])).code, 4);
  assert.equal((await keyring(['get', 'pypi.example.com', 'x'], AWAY)).code, 8);
});

test('goauth: nothing at first, then a header for what was refused', async () => {
  map(['"go.example.com" = "work"', '"git.example.com/acme" = "my-basic-auth"']);
  const refused = 'HTTP/1.1 401 Unauthorized\r\nWww-Authenticate: Basic\r\n\r\n';
  const goauth = (args, env = {}) => tool(['goauth', ...args], refused, env);
  assert.deepEqual(await goauth([]), SILENCE);
  assert.deepEqual(await goauth(['https://go.example.com/x/@v/list']), { code: 0, stdout: `https://go.example.com\n\nAuthorization: Bearer ${work.token}\n\n`, stderr: '' });
  assert.deepEqual(await goauth(['https://git.example.com/acme/x?go-get=1']), { code: 0, stdout: `https://git.example.com/acme\n\nAuthorization: Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}\n\n`, stderr: '' });
  assert.equal((await goauth(['--connection', 'work', 'https://any.example.com/x'])).stdout, `https://any.example.com\n\nAuthorization: Bearer ${work.token}\n\n`);
  for (const url of ['https://proxy.golang.org/x', 'http://go.example.com/x', 'go.example.com', 'https://go.example.com@evil.example/', 'https://git.example.com/acmeevil'])
    assert.deepEqual(await goauth([url]), SILENCE, url);
  await mapTired('go.example.com', 'tired-go');
  const over = await goauth(['https://go.example.com/x']);
  assert.deepEqual([over.code, over.stdout], [4, '']);
  assert.equal((await goauth(['https://go.example.com/x'], AWAY)).code, 8);
});

test('gcp: an id_token, or a failure as an answer', async () => {
  const gcp = async (connection, env = {}) => parsed(await tool(['gcp', connection], '', env));
  const { json } = await token(home, work.id);
  const { exp } = JSON.parse(Buffer.from(json.id_token.split('.')[1], 'base64url'));
  const TYPES = 'urn:ietf:params:oauth:token-type:';
  assert.deepEqual(await gcp('work'), { version: 1, success: true, token_type: `${TYPES}id_token`, id_token: json.id_token, expiration_time: exp });
  assert.equal((await gcp('work', { GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE: `${TYPES}jwt` })).token_type, `${TYPES}jwt`);
  for (const [connection, env, code] of [['nobody', {}, 'connection_not_found'], ['my-header', {}, 'usage'], ['work', { GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE: `${TYPES}saml2` }, 'usage'], ['work', AWAY, 'daemon_unreachable']]) {
    const answer = await gcp(connection, env);
    assert.deepEqual([answer.version, answer.success, answer.code], [1, false, code]);
    assert.ok(answer.message && !JSON.stringify(answer).includes(KEY));
  }
});

test('kubelet: a login for the registry of an image, or null', async () => {
  map(['"registry.example.com:5000" = { connection = "work", username = "ada" }', '"ghcr.io/acme" = "my-basic-auth"', '"docker.io" = "my-header"']);
  const API = 'credentialprovider.kubelet.k8s.io/v1';
  const ask = (fields) => tool(['kubelet'], JSON.stringify({ apiVersion: API, kind: 'CredentialProviderRequest', serviceAccountToken: 'x', serviceAccountAnnotations: {}, ...fields }));
  const { expires_at: end } = (await token(home, work.id)).json;
  for (const image of ['registry.example.com:5000/team/app:1.2', 'registry.example.com:5000/team/app@sha256:00', 'registry.example.com:5000/app']) {
    const { cacheDuration, ...answer } = parsed(await ask({ image }));
    assert.deepEqual(answer, { apiVersion: API, kind: 'CredentialProviderResponse', cacheKeyType: 'Registry', auth: { 'registry.example.com:5000': { username: 'ada', password: work.token } } });
    assert.ok(Math.abs(parseInt(cacheDuration, 10) - (end - Date.now() / 1000 - 60)) < 10, cacheDuration);
  }
  assert.deepEqual(parsed(await ask({ image: 'ghcr.io/acme/app:latest' })), { apiVersion: API, kind: 'CredentialProviderResponse', cacheKeyType: 'Image', auth: { 'ghcr.io/acme': { username: USER, password: PASSWORD } } });
  for (const image of ['nginx', 'library/nginx:1', 'docker.io/library/nginx@sha256:00'])
    assert.equal(parsed(await ask({ image })).auth['docker.io'].password, KEY, image);
  for (const image of ['quay.io/x', 'registry.example.com/x', 'ghcr.io/acmeevil/x', 'registry.example.com:5000@evil.example/x'])
    assert.equal(parsed(await ask({ image })).auth, null, image);
  assert.equal(parsed(await ask({ apiVersion: 'credentialprovider.kubelet.k8s.io/v1beta1', image: 'quay.io/x' })).apiVersion, 'credentialprovider.kubelet.k8s.io/v1beta1');
  for (const input of ['', '{', '{}', JSON.stringify({ apiVersion: API, kind: 'CredentialProviderRequest' }), JSON.stringify({ apiVersion: 'x/v9', kind: 'CredentialProviderRequest', image: 'x' }), 'x'.repeat(100_000)]) {
    const { code, stdout } = await tool(['kubelet'], input);
    assert.deepEqual([code, stdout], [2, ''], input.slice(0, 60));
  }
  await mapTired('quay.io', 'tired-kubelet');
  assert.equal((await ask({ image: 'quay.io/x' })).code, 4);
});

test('pnpm: the whole value of Authorization, for the registry in the name of the link', async () => {
  map(['"npm.example.com" = "work"']);
  assert.deepEqual(await run('nexus-npm-npm.example.com', []), { code: 0, stdout: `Bearer ${work.token}\n`, stderr: '' });
  const none = await run('nexus-npm-other.example.com', []);
  assert.deepEqual([none.code, none.stdout], [2, '']);
  map(['"npm.example.com" = "my-basic-auth"']);
  assert.equal((await run('nexus-npm-npm.example.com', [])).stdout, `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}\n`);
  await mapTired('npm.example.com', 'tired-npm');
  const over = await run('nexus-npm-npm.example.com', []);
  assert.deepEqual([over.code, over.stdout], [4, '']);
  assert.equal((await run('nexus-npm-npm.example.com', [], '', AWAY)).code, 8);
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
  map(['"GHCR.io:443/" = "work"', '"ghcr.io" = "my-header"']);
  const twice = await docker('get', 'ghcr.io');
  assert.match(twice.stderr, /nexus\.toml:\d+: 'credential\..*' is mapped twice/);
});

/** A home with these configurations; `setup` runs in it, `files` tells what is there then. */
function configured(before) {
  const dir = mkdtempSync(join(home.dir, 'setup-'));
  const toml = join(dir, 'nexus.toml');
  const put = (name, text) => { mkdirSync(dirname(join(dir, name)), { recursive: true }); writeFileSync(join(dir, name), text); };
  put('nexus.toml', plain);
  for (const [name, text] of Object.entries(before)) put(name, text);
  const read = (name) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : undefined);
  const env = { HOME: dir, NEXUS_CONFIG: toml, PATH: `${links}:${process.env.PATH}` };
  return { dir, env, read, put, setup: (...args) => home.nexus(['credential', 'setup', ...args], { env }) };
}
/** What setup does is shown and, taken back, leaves every byte as it was. */
async function thereAndBack(name, text, args, undo, check) {
  const { setup, read, ...rest } = configured(text === undefined ? {} : { [name]: text });
  const asked = await setup(...args);
  assert.deepEqual([asked.code, read(name)], [1, text], 'without --yes nothing is changed');
  assert.match(asked.stderr, /nothing was changed\n {2}run it again with --yes/);
  assert.match(asked.stdout, /^\+ /m);
  const done = await setup(...args, '--yes');
  assert.deepEqual([done.code, done.stdout], [0, asked.stdout], done.stderr);
  await check?.({ ...rest, text: read(name) });
  const again = await setup(...args, '--yes');
  assert.deepEqual([again.code, again.stdout, again.stderr], [0, '', 'there is nothing to change\n']);
  const back = await setup(...undo, '--undo', '--yes');
  assert.equal(back.code, 0, back.stderr);
  assert.equal(read(name), text);
  assert.equal(read('nexus.toml'), plain);
  assert.equal((await setup(...undo, '--undo', '--yes')).stderr, 'there is nothing to change\n');
}

test('setup git: the only helper for the URL, and back to the byte', async () => {
  for (const text of [undefined, '[user]\n\tname = T # x\n', '[credential]\n\thelper = store\n\n', '[user]\n\tname = no line end', '[credential "https://github.com"]\n\tusername = x\n'])
    await thereAndBack('.gitconfig', text, ['git', 'github.com', '--connection', 'work'], ['git', 'https://github.com/'], ({ text: now }) => {
      assert.ok(now.endsWith('[credential "https://github.com"]\n\thelper =\n\thelper = nexus --connection work\n'), now);
    });
  await thereAndBack('.gitconfig', undefined, ['git', 'http://127.0.0.1:3000/acme', '--connection', 'work'], ['git', 'http://127.0.0.1:3000/acme'], ({ text: now }) => {
    assert.match(now, /^\[credential "http:\/\/127\.0\.0\.1:3000\/acme"\]$/m);
  });
});

test('setup docker: its config.json and nexus.toml, and back to the byte', async () => {
  const compact = '{"auths":{"x":{"auth":"e30="}},"credHelpers":{"gcr.io":"gcloud"}}';
  for (const text of [undefined, '{}', '{ }\n', '{"credHelpers":{}}', compact, '{\n\t"auths": {},\n\t"credHelpers": {\n\t\t"a": "b{\\"}"\n\t},\n\t"credsStore": "x"\n}'])
    await thereAndBack('.docker/config.json', text, ['docker', 'ghcr.io', '--connection', 'work'], ['docker', 'ghcr.io'], async ({ text: now, env }) => {
      const was = text === undefined ? {} : JSON.parse(text);
      assert.deepEqual(JSON.parse(now), { ...was, credHelpers: { ...was.credHelpers, 'ghcr.io': 'nexus' } });
      const answer = await run('docker-credential-nexus', ['get'], 'ghcr.io', env);
      assert.equal(JSON.parse(answer.stdout).Secret, work.token, 'and it works');
    });
});

test('setup docker: what docker has written anew since is taken out as well', async () => {
  const { setup, read, put } = configured({ '.docker/config.json': '{"auths":{}}' });
  await setup('docker', 'ghcr.io', '--connection', 'work', '--yes');
  put('.docker/config.json', '{\n\t"auths": {},\n\t"credHelpers": {\n\t\t"gcr.io": "gcloud",\n\t\t"ghcr.io": "nexus"\n\t}\n}');
  await setup('docker', 'ghcr.io', '--undo', '--yes');
  assert.equal(read('.docker/config.json'), '{\n\t"auths": {},\n\t"credHelpers": {\n\t\t"gcr.io": "gcloud"\n\t}\n}');
});

test('setup aws: credential_process of a profile, and back to the byte', async () => {
  for (const text of [undefined, '[default]\nregion = eu-west-1\n', '[profile other]\nregion = x\n\n', '[profile work]\nregion = eu-west-1\n[profile z]\nregion = y', '[profile work]'])
    await thereAndBack('.aws/config', text, ['aws', 'work', '--connection', 'my-aws-sigv4'], ['aws', 'work'], ({ text: now }) => {
      assert.match(now, new RegExp(`^\\[profile work\\]\ncredential_process = ${BIN}/nexus credential aws my-aws-sigv4$`, 'm'));
    });
});

test('setup: of a file nothing is shown but the change, and what others added since stays', async () => {
  const docker = configured({ '.docker/config.json': '{"auths":{"x":{"auth":"canary-login"}},"HttpHeaders":{}}' });
  for (const args of [['--connection', 'work'], ['--connection', 'work', '--yes'], ['--undo', '--yes']]) {
    const { stdout, stderr } = await docker.setup('docker', 'ghcr.io', ...args);
    assert.ok(stdout.includes('"ghcr.io": "nexus"') && !stdout.includes('canary'), stdout);
    assert.ok(!stderr.includes('canary'));
  }
  const aws = configured({ '.aws/config': '[profile work]\ncli_pager =\n' });
  assert.match((await aws.setup('aws', 'work', '--connection', 'work')).stdout, /^\+ credential_process = \S+ credential aws work\n$/m);

  const { setup, read, put } = configured({ '.gitconfig': '[user]\n\tname = T\n' });
  await setup('git', 'github.com', '--connection', 'work', '--yes');
  put('.gitconfig', `${read('.gitconfig')}\tusername = bob\n[core]\n\tpager = less\n`);
  await setup('git', 'github.com', '--undo', '--yes');
  assert.equal(read('.gitconfig'), '[user]\n\tname = T\n\n# written by nexus credential setup\n[credential "https://github.com"]\n\tusername = bob\n[core]\n\tpager = less\n');
});

test('setup: what is somebody else\'s stays, and says so', async () => {
  const cases = [
    ['.docker/config.json', '{"credHelpers":{"ghcr.io":"other"}}', ['docker', 'ghcr.io', '--connection', 'work'], /another helper for ghcr\.io/],
    ['.docker/config.json', '{"credHelpers":[]}', ['docker', 'ghcr.io', '--connection', 'work'], /is no object/],
    ['.docker/config.json', '{,}', ['docker', 'ghcr.io', '--connection', 'work'], /not well-formed/],
    ['.aws/config', '[profile work]\ncredential_process = other\n', ['aws', 'work', '--connection', 'work'], /another credential_process/],
    ['nexus.toml', `${plain}\n[credential]\n"ghcr.io" = "other"\n`, ['docker', 'ghcr.io', '--connection', 'work'], /mapped to other/],
    ['nexus.toml', `credential = { "x.example.com" = "work" }\n${plain}`, ['docker', 'ghcr.io', '--connection', 'work'], /cannot be added[\s\S]*yourself: "ghcr\.io" = "work"/],
    ['.gitconfig', 'x', ['git', 'github.com'], /no connection is named/],
    ['.gitconfig', 'x', ['git', 'http://github.com', '--connection', 'work'], /no host that credentials are for/],
    ['.gitconfig', 'x', ['git', 'github.com', '--connection', 'a b'], /cannot be written/],
    ['.gitconfig', 'x', ['git', 'github.com"]', '--connection', 'work'], /cannot be written/],
    ['.gitconfig', 'x', ['git', 'github.com', '--connection', 'nobody'], /nobody/],
  ];
  for (const [name, text, args, said] of cases) {
    const { setup, read } = configured({ [name]: text });
    const { code, stderr } = await setup(...args, '--yes');
    assert.notEqual(code, 0, args.join(' '));
    assert.match(stderr, said);
    assert.equal(read(name), text);
  }
  const { setup, read, env } = configured({ '.docker/config.json': '{"credHelpers":{"ghcr.io":"other"}}' });
  assert.equal((await setup('docker', 'ghcr.io', '--undo', '--yes')).stderr, 'there is nothing to change\n');
  assert.equal(read('.docker/config.json'), '{"credHelpers":{"ghcr.io":"other"}}');
  const json = await home.nexus(['credential', 'setup', 'git', 'github.com', '--connection', 'work', '--yes', '--json'], { env });
  const file = join(env.HOME, '.gitconfig');
  assert.deepEqual(JSON.parse(json.stdout), { applied: true, changes: [{ file, lines: ['+ # written by nexus credential setup', '+ [credential "https://github.com"]', '+ \thelper =', '+ \thelper = nexus --connection work'] }] });
  assert.equal(JSON.parse((await home.nexus(['credential', 'setup', 'git', 'github.com', '--undo', '--json'], { env })).stdout).applied, false);
  assert.match(readFileSync(file, 'utf8'), /helper = nexus/, 'which was only told');
});

test('setup kubectl: tells kubectl\'s own command', async () => {
  const { setup } = configured({});
  const { code, stdout } = await setup('kubectl', 'me', '--connection', 'work');
  assert.deepEqual([code, stdout], [0, 'kubectl config set-credentials me --exec-command=nexus --exec-api-version=client.authentication.k8s.io/v1 --exec-interactive-mode=Never --exec-arg=credential --exec-arg=kubectl --exec-arg=work\n']);
  assert.equal((await setup('kubectl', 'me', '--undo')).stdout, 'kubectl config unset users.me\n');
  assert.equal((await setup('kubectl', 'me')).code, 2);
  assert.match(JSON.parse((await setup('kubectl', 'me', '--connection', 'work', '--json')).stdout).command, /^kubectl config set-credentials me /);
});

test('setup: permissions and symbolic links of the files stay, new ones are the owner\'s alone', async () => {
  const { dir, setup, put } = configured({});
  const mode = (name) => statSync(join(dir, name)).mode & 0o777;
  await setup('docker', 'ghcr.io', '--connection', 'work', '--yes');
  assert.equal(mode('.docker/config.json'), 0o600);
  put('dotfiles/gitconfig', '[user]\n\tname = T\n');
  chmodSync(join(dir, 'dotfiles/gitconfig'), 0o640);
  symlinkSync('dotfiles/gitconfig', join(dir, '.gitconfig'));
  await setup('git', 'github.com', '--connection', 'work', '--yes');
  assert.ok(lstatSync(join(dir, '.gitconfig')).isSymbolicLink());
  assert.equal(mode('dotfiles/gitconfig'), 0o640);
  assert.match(readFileSync(join(dir, 'dotfiles/gitconfig'), 'utf8'), /helper = nexus --connection work/);
});
