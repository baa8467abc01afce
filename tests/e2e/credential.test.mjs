// Credential helpers, run by the programs themselves. Those that this machine does not have are skipped;
// integration/credential.test.mjs has what they send.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import { join } from 'node:path';
import { KeyedApi, KINDS, ACCESS_KEY } from '../provider/keyed_api.mjs';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { makeCertificate } from '../support/certificate.mjs';
import { connect, register, token } from '../support/flow.mjs';
import { GitServer } from '../support/git_server.mjs';
import { BIN, Home } from '../support/nexus.mjs';

/** What a command of the shell prints, "" where it fails. */
const said = (command) => { try { return execFileSync('sh', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }); } catch { return ''; } };
// pnpm comes with these tests.
process.env.PATH = `${new URL('../node_modules/.bin', import.meta.url).pathname}:${process.env.PATH}`;
const unless = (program) => ({ skip: said(`command -v ${program}`) ? false : `no ${program} here` });
/** The n of a version 1.n, 0 where the program is not here. */
const minor = (command) => Number(/(?:^|[^\d.])1\.(\d+)/.exec(said(command))?.[1] ?? 0);

let home;
let provider;
let api;
let links;
let plain;
before(async () => {
  provider = await MisbehavingProvider.start();
  api = await KeyedApi.start();
  home = await Home.make();
  await home.start();
  plain = readFileSync(home.configFile, 'utf8');
  await register(home, provider.issuer);
  links = join(home.dir, 'links');
  mkdirSync(links);
  for (const name of ['nexus', 'git-credential-nexus', 'docker-credential-nexus', 'cargo-credential-nexus', 'keyring', 'terraform-credentials-nexus'])
    symlinkSync(join(BIN, 'nexus'), join(links, name));
});
after(async () => { await home.remove(); await api.close(); await provider.close(); });

/** Runs a program with our helpers on the PATH; never throws. */
function run(program, args, { env = {}, cwd = home.dir, input = '' } = {}) {
  return new Promise((resolve) => {
    const child = execFile(program, args, { cwd, timeout: 60_000, env: { ...home.env, PATH: `${links}:${process.env.PATH}`, ...env } },
      (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** Maps a host to a connection, beside those that are mapped. */
const mappings = [];
function map(line) {
  mappings.push(line);
  writeFileSync(home.configFile, `${plain}\n[credential]\n${mappings.join('\n')}\n`);
}

/** A server that keeps what it was shown, and answers by `serve`. */
async function server(serve, tls) {
  const shown = [];
  const it = (tls ? createTlsServer : createServer)(tls ?? {}, (request, response) => {
    if (request.headers.authorization) shown.push(request.headers.authorization);
    serve(request, response);
  }).listen(0, '127.0.0.1');
  await once(it, 'listening');
  after(() => { it.closeAllConnections(); it.close(); });
  return { shown, port: it.address().port };
}

/** Runs it and expects that it goes well; what it printed. */
async function good(...args) {
  const { code, stdout, stderr } = await run(...args);
  assert.equal(code, 0, stderr || stdout);
  return stdout;
}

test('git clones, fetches and pushes; after a token that was refused the next one is another', unless('git'), async () => {
  const { id } = await connect(home, provider, { alias: 'forge' });
  let valid = (await token(home, id)).json.access_token;
  mkdirSync(join(home.dir, 'repositories'));
  const server = await GitServer.start(join(home.dir, 'repositories'), (password) => password === valid);
  after(() => server.close());
  const url = server.repository('team/project.git');
  const env = { GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...args) => run('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.com', ...args], { env });
  const work = join(home.dir, 'work');

  const unmapped = await git('clone', url, work);
  assert.equal(unmapped.code, 128);
  assert.match(unmapped.stderr, /terminal prompts disabled/, 'without a helper git would ask a person');

  await good('nexus', ['credential', 'setup', 'git', server.url, '--connection', 'forge', '--yes']);
  for (const args of [['clone', url, work], ['-C', work, 'commit', '--allow-empty', '-m', 'one'], ['-C', work, 'push', 'origin', 'HEAD:main'], ['-C', work, 'fetch']]) {
    const { code, stderr } = await git(...args);
    assert.equal(code, 0, stderr);
  }
  assert.deepEqual(server.logins.at(-1), { name: 'oauth2', password: valid });

  // The provider withdraws it before its time: nexusd cannot know.
  provider.tokenAnswer = (answer) => { valid = answer.access_token; return answer; };
  const withdrawn = valid;
  valid = 'another one';
  await git('-C', work, 'commit', '--allow-empty', '-m', 'two');
  const refused = await git('-C', work, 'push', 'origin', 'HEAD:main');
  assert.equal(refused.code, 128);
  assert.ok(!refused.stderr.includes(withdrawn));
  assert.notEqual(valid, 'another one', 'git has told the helper, and nexusd has a new one');
  const pushed = await git('-C', work, 'push', 'origin', 'HEAD:main');
  assert.equal(pushed.code, 0, pushed.stderr);
  assert.equal(server.logins.at(-1).password, valid);
  assert.equal((await good('git', ['-C', join(server.root, 'team/project.git'), 'log', '--format=%s', 'main'])), 'two\none\n');

  provider.onToken = (form, response) => { response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}'); return true; };
  await home.api('POST', `/v1/refresh/${id}`);
  const over = await git('-C', work, 'fetch');
  assert.equal(over.code, 128);
  assert.match(over.stderr, /run: nexus connect demo --replace/);
  provider.reset();
});

test('docker asks its helper, and shows the registry what that says', unless('docker'), async () => {
  const { id } = await connect(home, provider, { alias: 'registry' });
  const { shown, port } = await server((request, response) => {
    response.writeHead(request.headers.authorization ? 404 : 401, { 'www-authenticate': 'Basic realm="test"' }).end();
  });
  const host = `127.0.0.1:${port}`;
  map(`"${host}" = { connection = "registry", username = "ada" }`);
  await good('nexus', ['credential', 'setup', 'docker', host, '--yes']);
  // Without docker's daemon: the client itself asks for the manifest.
  await run('docker', ['manifest', 'inspect', '--insecure', `${host}/x:latest`]);
  assert.ok(shown.length > 0, 'the registry was asked with a login');
  const { access_token: secret } = (await token(home, id)).json;
  for (const each of shown) assert.equal(each, `Basic ${Buffer.from(`ada:${secret}`).toString('base64')}`);
});

test('podman asks the same helper', unless('podman'), async () => {
  const { id } = await connect(home, provider, { alias: 'images' });
  const { shown, port } = await server((request, response) => {
    if (request.headers.authorization) return response.writeHead(404).end();
    return response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
  });
  const host = `127.0.0.1:${port}`;
  map(`"${host}" = { connection = "images", username = "ada" }`);
  const containers = join(home.dir, 'containers');
  mkdirSync(containers);
  writeFileSync(join(containers, 'auth.json'), JSON.stringify({ credHelpers: { [host]: 'nexus' } }));
  const search = await run('podman', ['search', '--tls-verify=false', `${host}/x`], { env: { REGISTRY_AUTH_FILE: join(containers, 'auth.json'), XDG_RUNTIME_DIR: containers, NO_PROXY: '*' } });
  assert.ok(shown.length > 0, search.stderr);
  const { access_token: secret } = (await token(home, id)).json;
  for (const each of shown) assert.equal(each, `Basic ${Buffer.from(`ada:${secret}`).toString('base64')}`);
});

test('aws takes the keys from credential_process', unless('aws'), async () => {
  await home.api('POST', '/v1/providers', { name: 'cloud', api_base_url: api.url, allow_insecure_http: true, ...KINDS.aws_sigv4.provider });
  const asked = (await home.api('POST', '/v1/request-connection', { provider_name: 'cloud' })).json;
  await home.api('POST', '/v1/capture-credential', { state: asked.state, credentials: KINDS.aws_sigv4.credentials });
  const config = join(home.dir, 'aws-config');
  writeFileSync(config, `[profile gone]\ncredential_process = "${join(links, 'nexus')}" credential aws nobody\n`);
  await good('nexus', ['credential', 'setup', 'aws', 'work', '--connection', 'cloud', '--yes'], { env: { AWS_CONFIG_FILE: config } });
  const { shown, port } = await server((request, response) => {
    response.writeHead(200, { 'content-type': 'text/xml' }).end('<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>');
  });
  const env = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_EC2_METADATA_DISABLED: 'true' };
  const whoAmI = (profile) => run('aws', ['sts', 'get-caller-identity', '--profile', profile, '--region', 'eu-west-1', '--endpoint-url', `http://127.0.0.1:${port}`], { env });
  const work = await whoAmI('work');
  assert.equal(work.code, 0, work.stderr);
  assert.match(shown[0], new RegExp(`Credential=${ACCESS_KEY}/\\d{8}/eu-west-1/sts/`));
  const gone = await whoAmI('gone');
  assert.notEqual(gone.code, 0);
  assert.match(gone.stderr, /nexus: .*nobody/);
});

test('aws works behind the proxy without a key of its own: nexusd signs anew', unless('aws'), async () => {
  const { shown, port } = await server((request, response) => {
    response.writeHead(200, { 'content-type': 'text/xml' }).end('<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>');
  });
  await home.api('POST', '/v1/providers', { name: 'cloud-behind', api_base_url: `http://127.0.0.1:${port}`, allow_insecure_http: true, ...KINDS.aws_sigv4.provider, params: { ...KINDS.aws_sigv4.provider.params, validation: { skip: true } } });
  const asked = (await home.api('POST', '/v1/request-connection', { provider_name: 'cloud-behind' })).json;
  await home.api('POST', '/v1/capture-credential', { state: asked.state, credentials: KINDS.aws_sigv4.credentials });
  const { code, stdout, stderr } = await home.nexus(['exec', '--proxy', '--env', 'AWS_ACCESS_KEY_ID=cloud-behind', '--env', 'AWS_SECRET_ACCESS_KEY=cloud-behind', '--env', 'ENDPOINT=cloud-behind:proxy_url',
    '--', 'sh', '-c', 'aws sts get-caller-identity --region eu-west-1 --endpoint-url "$ENDPOINT"'], { env: { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_EC2_METADATA_DISABLED: 'true' } });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /123456789012/);
  assert.match(shown.at(-1), new RegExp(`^AWS4-HMAC-SHA256 Credential=${ACCESS_KEY}/\\d{8}/`));
});

test('kubectl shows the cluster the id_token', unless('kubectl'), async () => {
  const { id } = await connect(home, provider, { alias: 'cluster' });
  const { id_token: expected } = (await token(home, id)).json;
  const certificate = makeCertificate();
  after(certificate.remove);
  const { shown, port } = await server((request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"gitVersion":"v1.30.0"}'),
    { key: readFileSync(certificate.key), cert: readFileSync(certificate.certificate) });
  for (const version of minor('kubectl version --client') >= 22 ? ['v1', 'v1beta1'] : ['v1beta1']) {
    shown.length = 0;
    const kubeconfig = join(home.dir, `kubeconfig-${version}`);
    writeFileSync(kubeconfig, JSON.stringify({
      apiVersion: 'v1', kind: 'Config', 'current-context': 'test',
      clusters: [{ name: 'test', cluster: { server: `https://localhost:${port}`, 'certificate-authority': certificate.certificate } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      users: [{ name: 'test', user: { exec: { apiVersion: `client.authentication.k8s.io/${version}`, command: 'nexus', args: ['credential', 'kubectl', 'cluster'], interactiveMode: 'Never' } } }],
    }));
    assert.match(await good('kubectl', ['get', '--raw', '/version'], { env: { KUBECONFIG: kubeconfig, NO_PROXY: '*' } }), /v1\.30\.0/);
    assert.deepEqual([...new Set(shown)], [`Bearer ${expected}`]);
  }
});

test('cargo shows a registry the token', { skip: minor('cargo --version') >= 74 ? false : 'no cargo here that knows providers' }, async () => {
  const { id } = await connect(home, provider, { alias: 'crates' });
  const { access_token: expected } = (await token(home, id)).json;
  const { shown, port } = await server((request, response) => {
    if (!request.headers.authorization) return response.writeHead(401).end();
    if (request.url.endsWith('/config.json')) return response.writeHead(200).end(JSON.stringify({ dl: `http://127.0.0.1:${port}/dl`, 'auth-required': true }));
    return response.writeHead(404).end();
  });
  map(`"127.0.0.1:${port}" = "crates"`);
  const project = join(home.dir, 'crate');
  mkdirSync(join(project, 'src'), { recursive: true });
  mkdirSync(join(project, '.cargo'));
  writeFileSync(join(project, 'src/lib.rs'), '');
  writeFileSync(join(project, 'Cargo.toml'), '[package]\nname = "x"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nmissing = { version = "1", registry = "ours" }\n');
  writeFileSync(join(project, '.cargo/config.toml'), `[registries.ours]\nindex = "sparse+http://127.0.0.1:${port}/index/"\ncredential-provider = ["${join(links, 'cargo-credential-nexus')}"]\n`);
  const fetched = await run('cargo', ['fetch'], { cwd: project, env: { CARGO_HOME: join(home.dir, 'cargo'), RUSTUP_HOME: process.env.RUSTUP_HOME ?? join(process.env.HOME, '.rustup'), NO_PROXY: '*' } });
  assert.match(fetched.stderr, /no matching package named `missing` found/, 'the index was read');
  assert.deepEqual([...new Set(shown)], [`Bearer ${expected}`]);
});

test('pnpm shows a registry what its tokenHelper says', unless('pnpm'), async () => {
  const { id } = await connect(home, provider, { alias: 'packages' });
  const { access_token: expected } = (await token(home, id)).json;
  const { shown, port } = await server((request, response) => response.writeHead(request.headers.authorization ? 404 : 401, { 'content-type': 'application/json' }).end('{}'));
  const host = `127.0.0.1:${port}`;
  map(`"${host}" = "packages"`);
  const helper = join(home.dir, `nexus-npm-${host}`);
  symlinkSync(join(BIN, 'nexus'), helper);
  writeFileSync(join(home.dir, '.npmrc'), `//${host}/:tokenHelper=${helper}\n`);
  const project = join(home.dir, 'package');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"name":"x","version":"1.0.0"}');
  const { code, stdout, stderr } = await run('pnpm', ['add', 'something', `--registry=http://${host}/`], { cwd: project, env: { NO_PROXY: '*', npm_config_fetch_retries: '0' } });
  assert.notEqual(code, 0, stdout);
  assert.deepEqual([...new Set(shown)], [`Bearer ${expected}`], stdout + stderr);
});

test('terraform shows a module registry the token', unless('terraform'), async () => {
  const { id } = await connect(home, provider, { alias: 'modules' });
  const { access_token: expected } = (await token(home, id)).json;
  const certificate = makeCertificate();
  after(certificate.remove);
  const { shown, port } = await server((request, response) => response.writeHead(404).end(), { key: readFileSync(certificate.key), cert: readFileSync(certificate.certificate) });
  map('"registry.example.com" = "modules"');
  mkdirSync(join(home.dir, '.terraform.d/plugins'), { recursive: true });
  symlinkSync(join(BIN, 'nexus'), join(home.dir, '.terraform.d/plugins/terraform-credentials-nexus'));
  writeFileSync(join(home.dir, '.terraformrc'), 'disable_checkpoint = true\ncredentials_helper "nexus" {}\n'
    + `host "registry.example.com" {\n  services = { "modules.v1" = "https://localhost:${port}/modules/" }\n}\n`);
  const project = join(home.dir, 'modules');
  mkdirSync(project);
  writeFileSync(join(project, 'main.tf'), 'module "x" {\n  source = "registry.example.com/team/x/test"\n  version = "1.0.0"\n}\n');
  const init = await run('terraform', ['init', '-input=false', '-no-color'], { cwd: project, env: { SSL_CERT_FILE: certificate.certificate, NO_PROXY: '*' } });
  assert.notEqual(init.code, 0);
  assert.ok(shown.length > 0, init.stderr);
  assert.deepEqual([...new Set(shown)], [`Bearer ${expected}`]);
});

const pip = said('pip download --help').includes('--keyring-provider');
test('pip shows an index what keyring says', { skip: pip ? false : 'no pip here that can be told of keyring' }, async () => {
  const { id } = await connect(home, provider, { alias: 'index' });
  const { access_token: expected } = (await token(home, id)).json;
  const { shown, port } = await server((request, response) => {
    // pip tries the name alone first.
    if (request.headers.authorization !== `Basic ${Buffer.from(`ada:${expected}`).toString('base64')}`)
      return response.writeHead(401, { 'www-authenticate': 'Basic realm="index"' }).end();
    return response.writeHead(200, { 'content-type': 'text/html' }).end('<!DOCTYPE html><title>none</title>');
  });
  map(`"127.0.0.1:${port}" = "index"`);
  const { code, stderr } = await run('pip', ['download', '--no-deps', '--no-input', '--disable-pip-version-check', '--keyring-provider', 'subprocess',
    '--index-url', `http://ada@127.0.0.1:${port}/simple`, 'something'], { env: { NO_PROXY: '*' } });
  assert.equal(code, 1);
  assert.match(stderr, /No matching distribution found for something/);
  assert.equal(shown.at(-1), `Basic ${Buffer.from(`ada:${expected}`).toString('base64')}`);
});
