// Credential helpers of everything but git: what each program sends and expects, as its specification has
// it.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { KEY, USER, PASSWORD, ACCESS_KEY, SECRET_KEY } from '../provider/keyed_api.mjs';
import { credentialHelpers, SILENCE } from '../support/credential_helpers.mjs';
import { connect, token } from '../support/flow.mjs';

const { home, provider, work, aliased, tokenOf, map, run, endGrant } = await credentialHelpers();

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
