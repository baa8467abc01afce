// Ctrl-C: exit 130, and what was begun is taken back or said.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { daemonAndProvider } from '../support/fixture.mjs';
import { BIN, noticedInterrupt, until } from '../support/nexus.mjs';

const { home, provider } = await daemonAndProvider();

test('Ctrl-C while the daemon works leaves nothing unsaid', async (t) => {
  const slow = await MisbehavingProvider.start();
  t.after(() => slow.close());
  const answers = {
    '/.well-known/openid-configuration': { issuer: slow.issuer, authorization_endpoint: `${slow.issuer}/authorize`, token_endpoint: `${slow.issuer}/token`, jwks_uri: `${slow.issuer}/jwks` },
    '/device': { device_code: 'd', user_code: 'ABCD', verification_uri: `${slow.issuer}/enter`, expires_in: 600 },
  };
  let held;
  slow.onOther = (path, response) => {
    held = () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answers[path]));
    return path in answers;
  };
  const pressedDuring = async (args) => {
    held = null;
    const child = spawn(join(BIN, 'nexus'), args, { env: home.env });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => { text += part; });
    const ended = new Promise((go) => child.on('close', go));
    await until(() => held, 'the provider is asked');
    child.kill('SIGINT');
    await noticedInterrupt(child.pid);
    held();
    return { code: await ended, text };
  };
  const added = await pressedDuring(['provider', 'add', 'slow', '--issuer', slow.issuer, '--client-id', 'c', '--allow-insecure-http', '--param', `device_authorization_endpoint=${slow.issuer}/device`]);
  assert.equal(added.code, 0, added.text);
  assert.match(added.text, /provider +slow/, 'what was made is said');
  const connected = await pressedDuring(['connect', 'slow', '--device']);
  assert.equal(connected.code, 130, connected.text);
  assert.match(connected.text, /interrupted; taken back: the connection\n/);
  assert.ok(!connected.text.includes('ABCD'), 'nobody is asked to consent any more');
  assert.deepEqual((await home.api('GET', '/v1/connections?pending=true')).json.filter((c) => c.provider_name === 'slow'), []);
});

test('Ctrl-C while a secret comes from a pipe is exit 130', async () => {
  const pipe = join(home.dir, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const child = spawn(join(BIN, 'nexus'), ['provider', 'add', 'piped', '--issuer', provider.issuer, '--client-id', 'c', '--allow-insecure-http', '--client-secret-file', pipe], { env: home.env });
  let said = '';
  child.stderr.on('data', (text) => { said += text; });
  const ended = new Promise((go) => child.on('close', go));
  const writer = await open(pipe, 'w');  // when there is a reader
  child.kill('SIGINT');
  assert.equal(await ended, 130, said);
  assert.match(said, /interrupted; nothing was changed/);
  await writer.close();
});

test('Ctrl-C before a manifest is sent applies nothing', async (t) => {
  const manifest = join(home.dir, 'manifest.toml');
  const slow = await MisbehavingProvider.start();
  t.after(() => slow.close());
  let held;
  slow.onOther = (path, response) => { held = response; return true; };  // the metadata that the plan needs
  writeFileSync(manifest, `[providers.planned]\nissuer = "${slow.issuer}"\nclient_id = "c"\nallow_insecure_http = true\n`);
  const child = spawn(join(BIN, 'nexus'), ['provider', 'apply', '-f', manifest, '--yes'], { env: home.env });
  const ended = new Promise((go) => child.on('close', (code, signal) => go(code ?? signal)));
  await until(() => held, 'the provider is asked');
  child.kill('SIGINT');
  assert.equal(await ended, 'SIGINT');
  held.end();
  assert.equal((await home.api('GET', '/v1/providers/by-name/planned')).status, 404);
});
