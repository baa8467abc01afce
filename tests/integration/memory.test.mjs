// What the daemon's memory holds afterwards: nothing of the secrets that went through it.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import { openSync, readSync, closeSync, readFileSync } from 'node:fs';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { makeCertificate } from '../support/certificate.mjs';
import { connect, register, token, SECRET } from '../support/flow.mjs';
import { Home } from '../support/nexus.mjs';

/** Where each text stands in what the process can write to. */
function findInMemory(pid, texts) {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const found = [];
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const [, from, to, mode, name] = /^(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
    if (!mode?.startsWith('rw')) continue;
    const start = parseInt(from, 16);
    const bytes = Buffer.alloc(parseInt(to, 16) - start);
    try { readSync(memory, bytes, 0, bytes.length, start); } catch { continue; }
    for (const text of texts)
      for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) found.push(`${text} in ${name || 'memory'} ${from}+${at.toString(16)}: ${JSON.stringify(bytes.subarray(Math.max(0, at - 40), at + 60).toString('latin1'))}`);
  }
  closeSync(memory);
  return found;
}

const certificate = makeCertificate();
after(() => certificate.remove());

async function refresh40AtOnce(t, tls) {
  if (process.getuid() !== 0) return t.skip('only root can look');
  if (process.env.ASAN_OPTIONS) return t.skip('AddressSanitizer keeps what is freed');
  const provider = await MisbehavingProvider.start({ tls });
  const home = await Home.make({ config: `[network]\nca_file = "${certificate.certificate}"\n` });
  t.after(async () => { await home.remove(); await provider.close(); });
  await home.start();
  provider.rotate = true;
  await register(home, provider.issuer);
  const ids = [];
  for (let i = 0; i < 40; ++i) ids.push((await connect(home, provider)).id);
  const seen = new Set();
  for (let round = 0; round < 2; ++round) {
    await Promise.all(ids.map((id) => home.api('POST', `/v1/refresh/${id}`, '')));
    for (const id of ids) seen.add((await token(home, id)).json.access_token);
  }
  const sent = provider.tokenRequests().flatMap(({ form }) => ['code', 'code_verifier', 'refresh_token'].map((name) => form.get(name)).filter(Boolean));
  const secrets = [...seen, ...sent, SECRET];
  assert.ok(secrets.length > 200);
  const found = findInMemory(home.daemon.pid, secrets);
  assert.equal(found.length, 0, found.slice(0, 20).join('\n'));
}

test('after 40 refreshes at once no token and no secret is left in it (N18)', (t) => refresh40AtOnce(t));
test('nor after as many over TLS (N18)', (t) =>
  refresh40AtOnce(t, { key: readFileSync(certificate.key), cert: readFileSync(certificate.certificate) }));
