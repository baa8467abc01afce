// Credential helpers, run by the programs themselves. Those that this machine does not have are skipped;
// integration/credential.test.mjs has what they send.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { KeyedApi, KINDS, ACCESS_KEY } from '../provider/keyed_api.mjs';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register, token } from '../support/flow.mjs';
import { GitServer } from '../support/git_server.mjs';
import { BIN, Home } from '../support/nexus.mjs';

const has = (program) => { try { execFileSync('sh', ['-c', `command -v ${program}`]); return true; } catch { return false; } };
const unless = (program) => ({ skip: has(program) ? false : `no ${program} here` });

let home;
let provider;
let api;
let links;
before(async () => {
  provider = await MisbehavingProvider.start();
  api = await KeyedApi.start();
  home = await Home.make();
  await home.start();
  await register(home, provider.issuer);
  links = join(home.dir, 'links');
  mkdirSync(links);
  for (const name of ['nexus', 'git-credential-nexus', 'docker-credential-nexus'])
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

  await git('config', '--global', `credential.${server.url}.helper`, 'nexus --connection forge');
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
  const shown = [];
  const registry = createServer((request, response) => {
    if (request.headers.authorization) shown.push(request.headers.authorization);
    response.writeHead(request.headers.authorization ? 404 : 401, { 'www-authenticate': 'Basic realm="test"' }).end();
  }).listen(0, '127.0.0.1');
  await once(registry, 'listening');
  after(() => registry.close());
  const host = `127.0.0.1:${registry.address().port}`;
  appendFileSync(home.configFile, `\n[credential]\n"${host}" = { connection = "registry", username = "ada" }\n`);
  mkdirSync(join(home.dir, '.docker'));
  writeFileSync(join(home.dir, '.docker/config.json'), JSON.stringify({ credHelpers: { [host]: 'nexus' } }));
  // Without docker's daemon: the client itself asks for the manifest.
  await run('docker', ['manifest', 'inspect', '--insecure', `${host}/x:latest`]);
  assert.ok(shown.length > 0, 'the registry was asked with a login');
  const { access_token: secret } = (await token(home, id)).json;
  for (const each of shown) assert.equal(each, `Basic ${Buffer.from(`ada:${secret}`).toString('base64')}`);
});

test('aws takes the keys from credential_process', unless('aws'), async () => {
  await home.api('POST', '/v1/providers', { name: 'cloud', api_base_url: api.url, allow_insecure_http: true, ...KINDS.aws_sigv4.provider });
  const asked = (await home.api('POST', '/v1/request-connection', { provider_name: 'cloud' })).json;
  await home.api('POST', '/v1/capture-credential', { state: asked.state, credentials: KINDS.aws_sigv4.credentials });
  const config = join(home.dir, 'aws-config');
  writeFileSync(config, `[profile work]\ncredential_process = "${join(links, 'nexus')}" credential aws cloud\n[profile gone]\ncredential_process = "${join(links, 'nexus')}" credential aws nobody\n`);
  const signed = [];
  const sts = createServer((request, response) => {
    signed.push(request.headers);
    response.writeHead(200, { 'content-type': 'text/xml' }).end('<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>');
  }).listen(0, '127.0.0.1');
  await once(sts, 'listening');
  after(() => sts.close());
  const env = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_EC2_METADATA_DISABLED: 'true' };
  const whoAmI = (profile) => run('aws', ['sts', 'get-caller-identity', '--profile', profile, '--region', 'eu-west-1', '--endpoint-url', `http://127.0.0.1:${sts.address().port}`], { env });
  const shown = await whoAmI('work');
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(signed[0].authorization, new RegExp(`Credential=${ACCESS_KEY}/\\d{8}/eu-west-1/sts/`));
  assert.ok(!('x-amz-security-token' in signed[0]));
  const gone = await whoAmI('gone');
  assert.notEqual(gone.code, 0);
  assert.match(gone.stderr, /nexus: .*nobody/);
});
