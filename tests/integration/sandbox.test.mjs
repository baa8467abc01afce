// The sandbox of a nexusd that runs: it is in force, tells so, survives a restart, and lets through what it has to.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { makeCertificate } from '../support/certificate.mjs';
import { connect, register } from '../support/flow.mjs';
import { BIN, Home, freePort, isSanitized, until } from '../support/nexus.mjs';

const execute = promisify(execFile);
const certificate = makeCertificate();
const provider = await MisbehavingProvider.start({ tls: { key: readFileSync(certificate.key), cert: readFileSync(certificate.certificate) } });
after(async () => { await provider.close(); certificate.remove(); });

const field = (pid, name) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
const status = async (home) => JSON.parse((await home.nexus(['daemon', 'status', '--json'])).stdout);
const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).map(Number);
const skip = isSanitized() && 'a sanitizer needs system calls that nexusd does not';

async function started(t, { config = '', ...more } = {}) {
  const home = await Home.make({ config: `[network]\nca_file = "${certificate.certificate}"\n${config}`, ...more });
  t.after(() => home.remove());
  return home.start();
}

test('a nexusd that runs is confined, and works: a provider over TLS, the gateway over TLS, a restart', { skip }, async (t) => {
  const home = await started(t, { gatewayPort: await freePort(), gateway: { tls_certificate: certificate.certificate, tls_key: certificate.key } });
  const { pid, sandbox } = await status(home);
  assert.deepEqual(['Seccomp', 'NoNewPrivs'].map((name) => field(pid, name)), ['2', '1']);
  assert.ok(sandbox.landlock >= 1 && sandbox.seccomp, JSON.stringify(sandbox));
  assert.match(home.log, new RegExp(` ready .* landlock=${sandbox.landlock} seccomp=yes`));
  await register(home, provider.issuer);
  const { id } = await connect(home, provider);
  const key = await home.makeKey('app', '--use', 'all');
  const overTls = ['--silent', '--cacert', certificate.certificate, '-H', `X-API-Key: ${key}`, `https://localhost:${home.gatewayPort}/v1/token/${id}`];
  // Landlock counts sixteen sandboxes in each other at the most.
  for (let i = 0; i < 20; ++i) {
    assert.equal((await home.api('POST', `/v1/refresh/${id}`, '')).status, 200);
    const { stdout } = await execute('curl', overTls);
    assert.ok(JSON.parse(stdout).access_token, stdout);
    const { code, stderr } = await home.nexus(['daemon', 'restart', '--json']);
    assert.equal(code, 0, stderr);
  }
  assert.deepEqual((await status(home)).sandbox, sandbox);
  assert.equal(field(pid, 'Seccomp_filters'), '1', 'it is not made narrower by each restart');
});

test('a hook runs outside, before and after a restart with other settings', { skip }, async (t) => {
  const home = await started(t);
  const settings = readFileSync(home.configFile, 'utf8');
  const seen = join(home.dir, 'seen');
  // Not a file of nexusd's: in its sandbox neither could be run nor written.
  const setHook = (word) => {
    const program = join(home.dir, word);
    writeFileSync(program, `#!/bin/sh\ncat >/dev/null; { echo ${word}; grep Seccomp: /proc/self/status; ls -l /proc/$$/fd; env; } >>'${seen}'\n`, { mode: 0o755 });
    writeFileSync(home.configFile, `${settings}\n[hooks]\non_attention = ["${program}"]\n`);
  };
  const text = () => (existsSync(seen) ? readFileSync(seen, 'utf8') : '');
  await register(home, provider.issuer);
  for (const word of ['first', 'second']) {
    setHook(word);
    assert.equal((await home.nexus(['daemon', 'restart'])).code, 0);
    const { id } = await connect(home, provider, { alias: word });
    provider.onToken = (form, response) => {
      if (form.get('grant_type') !== 'refresh_token') return false;
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"error":"invalid_grant"}');
      return true;
    };
    await home.api('POST', `/v1/refresh/${id}`, '');
    await until(() => text().includes(`${word}\n`) && text().includes('PWD='), () => `the hook ${word}: ${text()} ${home.log}`);
    provider.onToken = null;
  }
  assert.match(text(), /Seccomp:\s+0/);
  assert.doesNotMatch(text(), /socket:|nexus\.db|Seccomp:\s+2/);
});

test('its helper holds nothing of it, and ends with it', { skip }, async (t) => {
  const home = await started(t, { env: { NEXUS_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64') } });
  const [helper] = children(home.daemon.pid);
  assert.equal(readFileSync(`/proc/${helper}/comm`, 'utf8'), 'nexusd-children\n');
  const open = readdirSync(`/proc/${helper}/fd`).map((fd) => readlinkSync(`/proc/${helper}/fd/${fd}`));
  assert.deepEqual(open.map((path) => path.replace(/:.*/, '')).sort(), ['/dev/null', '/dev/null', '/dev/null', 'socket']);
  assert.doesNotMatch(readFileSync(`/proc/${helper}/environ`, 'latin1'), /BwcHBwc/);
  await home.stop('SIGKILL');
  await until(() => !existsSync(`/proc/${helper}`) || /^Z/.test(field(helper, 'State')), 'its end');
});

test('what a successor may not read or run is told, and the one that runs goes on', { skip }, async (t) => {
  const home = await started(t);
  const settings = readFileSync(home.configFile, 'utf8');
  const elsewhere = makeCertificate();
  t.after(() => elsewhere.remove());
  writeFileSync(home.configFile, settings.replace(/ca_file = .*/, `ca_file = "${elsewhere.certificate}"`));
  const refused = await home.nexus(['daemon', 'restart']);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /ca_file .* cannot be read: Permission denied\n.*nexus daemon stop, then nexus daemon start/);
  writeFileSync(home.configFile, settings);
  const moved = join(home.dir, 'nexusd');
  copyFileSync(join(BIN, 'nexusd'), moved);
  chmodSync(moved, 0o755);
  const { status: code, json } = await home.api('POST', '/v1/daemon/restart', { program: moved });
  assert.equal(code, 500);
  assert.match(`${json.message} ${json.hint ?? ''}`, /Permission denied/);
  assert.equal((await home.nexus(['daemon', 'restart'])).code, 0);
});

test('where it cannot be confined it does not start with "require", and "off" is told', async (t) => {
  const home = await Home.make();
  t.after(() => home.remove());
  const settings = readFileSync(home.configFile, 'utf8');
  const set = (mode) => writeFileSync(home.configFile, settings.replace('[daemon]\n', `[daemon]\nsandbox = "${mode}"\n`));
  set('maybe');
  await assert.rejects(home.start(), /daemon\.sandbox is 'maybe'\n.*auto, require or off/);
  set('off');
  await home.start();
  assert.match(home.log, /warn not_confined setting="daemon\.sandbox is/);
  assert.equal(field(home.daemon.pid, 'Seccomp'), '0');
  assert.deepEqual(children(home.daemon.pid), [0], 'and there is no helper');
  assert.match((await home.nexus(['daemon', 'status'])).stdout, /nothing: there is no sandbox/);
  assert.match((await home.nexus(['doctor'])).stdout, /nexusd is not kept to its own files \(Landlock\), nor to its own system calls/);
  await home.stop();
  if (skip) return;
  set('require');
  await home.start();
  assert.equal(field(home.daemon.pid, 'Seccomp'), '2');
  await home.stop();
  // strace answers as a kernel without Landlock does.
  await assert.rejects(home.start({ under: ['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=landlock_create_ruleset', '-e', 'inject=landlock_create_ruleset:error=EOPNOTSUPP'] }),
    /the kernel has no Landlock[^]*daemon\.sandbox is "require"/);
  set('auto');
  await home.start({ under: ['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=landlock_create_ruleset', '-e', 'inject=landlock_create_ruleset:error=EOPNOTSUPP'] });
  assert.match((await home.nexus(['daemon', 'status'])).stdout, /kept to its own\s+system calls/);
  await home.stop();
});
