// Where the name of an API may lead: what E5 says of addresses holds for requests that are sent on, whatever
// a name server answers, and whenever. The names are resolved by a library that is preloaded into nexusd.
import { test, before, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from '../support/certificate.mjs';
import { BIN, Home } from '../support/nexus.mjs';

// A sanitizer's runtime has to be the first library of all.
const skip = /lib[at]san/.test(execFileSync('ldd', [join(BIN, 'nexusd')]).toString()) && 'not under a sanitizer';
const FORBIDDEN = ['169.254.169.254', '[::ffff:169.254.169.254]', '[fd00:ec2::254]', '0.0.0.0', '10.0.0.5', '192.168.1.1', '100.64.0.1', '[fe80::1]', '224.0.0.1'];
const KEY = 'canary-api-key-of-addresses';

let home;
let env;
let server;
let certificate;
let requests = [];
const lead = (names) => writeFileSync(env.RESOLVER_NAMES, Object.entries(names)
  .map(([name, addresses]) => `${name} ${[addresses].flat().join(' ').replaceAll(/[[\]]/g, '')}\n`).join(''));
const hosts = (FORBIDDEN.map((address, i) => [`api${i}.example`, address]));

before(async () => {
  if (skip) return;
  certificate = makeCertificate(['open.example', 'closed.example', ...hosts.map(([host]) => host)]);
  server = createServer({ key: readFileSync(certificate.key), cert: readFileSync(certificate.certificate) }, (request, response) => {
    requests.push(request.headers);
    response.writeHead(200, { connection: 'close' }).end('here');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  home = await Home.make({ config: `[network]\nproxy = "none"\nca_file = "${certificate.certificate}"\n` });
  const library = join(home.dir, 'resolver.so');
  execFileSync('cc', ['-shared', '-fPIC', '-Wall', '-Werror', '-o', library, new URL('../support/resolver.c', import.meta.url).pathname, '-ldl']);
  mkdirSync(home.data, { mode: 0o700 });  // which nexusd may read in its sandbox
  env = { LD_PRELOAD: library, RESOLVER_NAMES: join(home.data, 'names') };
  lead({});
  await home.start({ env });
  for (const host of ['open.example', 'closed.example', ...hosts.map(([name]) => name)]) await add(host, host !== 'closed.example');
});
after(async () => {
  if (skip) return;
  await home.remove();
  server.closeAllConnections();
  server.close();
  certificate.remove();
});
beforeEach(() => { requests = []; });

/** A connection, of the host's name, to an API there; `loopback`: whether it may be on this machine. */
async function add(host, loopback) {
  const name = host.replaceAll('.', '-');
  const made = await home.api('POST', '/v1/providers', { name, auth_type: 'api_key', api_base_url: `https://${host}:${server.address().port}`, allow_insecure_http: loopback,
    params: { validation: { skip: true } } });
  assert.equal(made.status, 201, JSON.stringify(made.json));
  const { state } = (await home.api('POST', '/v1/request-connection', { provider_name: name })).json;
  const captured = await home.api('POST', '/v1/capture-credential', { state, credentials: { api_key: KEY } });
  assert.equal(captured.status, 200, JSON.stringify(captured.json));
}
const ask = (host) => home.nexus(['api', host.replaceAll('.', '-'), '/x']);
const lastRecord = async () => {
  const { stdout } = await home.nexus(['audit', '--json', '--event', 'request_forwarded']);
  return JSON.parse(stdout).events.at(-1).event_data;
};

async function isRefused(host) {
  const { code, stdout, stderr } = await ask(host);
  assert.deepEqual([code, stdout], [10, ''], `${host}: ${stderr}`);
  assert.match(stderr, /leads to an address that nexusd does not talk to\n {2}allow it on the provider/);
  assert.ok(!stderr.includes(KEY));
  const record = await lastRecord();
  assert.equal(record.provider, host.replaceAll('.', '-'));
  assert.equal(record.outcome, 'failure');
  assert.match(record.detail, /^GET upstream_error/);
}

test('a name that leads where no request may go is refused, told, and on record (L3)', { skip }, async () => {
  lead(Object.fromEntries(hosts));
  for (const [host] of hosts) await isRefused(host);
  // Here somebody listens, and would be reached: the provider is not allowed to be on this machine.
  for (const address of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]']) {
    lead({ 'closed.example': address });
    await isRefused('closed.example');
    await home.stop();  // its memory of names with it
    await home.start({ env });
  }
  assert.deepEqual(requests, []);
});

test('a name is led elsewhere between two requests: the second goes where the first went, or nowhere (L3)', { skip }, async () => {
  lead({ 'open.example': '127.0.0.1' });
  assert.equal((await ask('open.example')).stdout, 'here');
  assert.ok(JSON.stringify(requests.at(-1)).includes(KEY));
  for (const address of FORBIDDEN) {
    lead({ 'open.example': address });
    assert.equal((await ask('open.example')).stdout, 'here', 'what was looked at holds for a while');
    await home.stop();
    await home.start({ env });
    await isRefused('open.example');
    lead({ 'open.example': '127.0.0.1' });
    await home.stop();
    await home.start({ env });
    assert.equal((await ask('open.example')).stdout, 'here');
  }
});

test('of several addresses of a name only those are tried that may be reached (L3)', { skip }, async () => {
  await home.stop();
  await home.start({ env });
  lead({ 'open.example': ['169.254.169.254', '127.0.0.1'], 'closed.example': ['169.254.169.254', '127.0.0.1'] });
  assert.equal((await ask('open.example')).stdout, 'here');
  await isRefused('closed.example');
  assert.equal(requests.length, 1);
});
