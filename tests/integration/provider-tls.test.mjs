// Whom nexusd trusts with a client secret: providers whose certificate is good for their name, now,
// from a known authority, over TLS 1.2 at least (C19).
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register, token } from '../support/flow.mjs';
import { Home } from '../support/nexus.mjs';

const directory = mkdtempSync(join(tmpdir(), 'nexus-tls-'));
const file = (name) => join(directory, name);
const openssl = (...args) => execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function authority(name) {
  openssl('req', '-x509', ...EC, '-days', '2', '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`);
}

/** A certificate for that name, signed by the authority; `days` below 0: expired. */
function certificate({ name = 'localhost', by = 'ca', days = 2 } = {}) {
  openssl('req', ...EC, '-keyout', 'server.key', '-out', 'server.csr', '-subj', `/CN=${name}`);
  writeFileSync(file('extensions'), `subjectAltName=DNS:${name}`);
  openssl('x509', '-req', '-in', 'server.csr', '-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-days', String(days),
    '-extfile', 'extensions', '-out', 'server.pem');
  return { key: readFileSync(file('server.key')), cert: readFileSync(file('server.pem')) };
}

let home;
before(async () => {
  authority('ca');
  authority('stranger');
  home = await Home.make({ config: `[network]\nca_file = "${file('ca.pem')}"\n` });
  await home.start();
});
after(async () => {
  await home.remove();
  rmSync(directory, { recursive: true });
});

test('a provider with a good certificate of the configured authority', async () => {
  const provider = await MisbehavingProvider.start({ tls: certificate() });
  await register(home, provider.issuer, { name: 'good' });
  const { id } = await connect(home, provider, { provider_name: 'good' });
  assert.equal((await token(home, id)).status, 200);
  // The same provider, but what answers in its place cannot prove it: no token request gets through.
  const before = provider.tokenRequests().length;
  provider.server.setSecureContext(certificate({ by: 'stranger' }));
  const refused = await home.api('POST', `/v1/refresh/${id}`);
  assert.equal(refused.status, 502);
  assert.equal(provider.tokenRequests().length, before);
  assert.equal(await home.status(id), 'active');  // the network's fault, not the grant's
  provider.server.setSecureContext(certificate());
  assert.equal((await home.api('POST', `/v1/refresh/${id}`)).status, 200);
  await provider.close();
});

for (const [what, tls] of [
  ['for another name', () => certificate({ name: 'other.example' })],
  ['that has expired', () => certificate({ days: -1 })],
  ['of an unknown authority', () => certificate({ by: 'stranger' })],
  ['of nobody', () => ({ key: readFileSync(file('stranger.key')), cert: readFileSync(file('stranger.pem')) })],
  ['over TLS 1.1', () => ({ ...certificate(), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })],
])
  test(`a certificate ${what}: nothing is sent`, async () => {
    const provider = await MisbehavingProvider.start({ tls: tls() });
    const name = what.replaceAll(/[^a-z]/g, '');
    // Metadata that cannot be fetched is a warning when registering, and an error when connecting.
    const made = await home.api('POST', '/v1/providers', { name, issuer: provider.issuer, client_id: 'c', client_secret: 's', allow_insecure_http: true });
    assert.equal(made.status, 201, made.text);
    assert.ok(made.json.warning);
    const asked = await home.api('POST', '/v1/request-connection', { provider_name: name });
    assert.equal(asked.status, 502, asked.text);
    assert.deepEqual(provider.requests, []);
    await provider.close();
  });
