// What the daemon's memory holds afterwards: nothing of the secrets that went through it, and little more than before.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, connect as dial } from 'node:net';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { RecordingApi } from '../provider/recording_api.mjs';
import { makeCertificate } from '../support/certificate.mjs';
import { connect, register, token, SECRET } from '../support/flow.mjs';
import { cannotLook, findInMemory } from '../support/memory.mjs';
import { Home, isSanitized, until } from '../support/nexus.mjs';

const certificate = makeCertificate();
after(() => certificate.remove());

async function refresh40AtOnce(t, tls) {
  if (cannotLook()) return t.skip(cannotLook());
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
  const found = findInMemory(home.daemon.pid, { 'a secret': secrets });
  assert.equal(found.length, 0, found.slice(0, 20).join('\n'));
}

test('after 40 refreshes at once no token and no secret is left in it (N18)', (t) => refresh40AtOnce(t));
test('nor after as many over TLS (N18)', (t) =>
  refresh40AtOnce(t, { key: readFileSync(certificate.key), cert: readFileSync(certificate.certificate) }));

/** Random texts that are known by a name, and looked for. */
class Canaries {
  #named = {};

  add(name, secret) {
    (this.#named[name] ??= []).push(secret);
    return secret;
  }

  make(name, size) { return this.add(name, randomBytes(size).toString('base64url')); }

  async areGone(home, when, but = []) {
    const secrets = Object.fromEntries(Object.entries(this.#named).filter(([name]) => !but.includes(name)));
    // What a request that is just over has given back may take a moment.
    const found = () => findInMemory(home.daemon.pid, secrets);
    await until(() => found().length === 0, () => `${when}: ${found().slice(0, 10).join('\n')}\nand the end`, 3000);
  }
}

/** All that a connection's life brings along, with answers of so many bytes to a token. */
async function liveThrough(home, provider, api, canaries, size) {
  provider.rotate = true;
  provider.tokenAnswer = (answer) => {
    answer.access_token = canaries.make('an access token', size);
    if (answer.refresh_token) {
      provider.refreshTokens.delete(answer.refresh_token);
      provider.refreshTokens.add(answer.refresh_token = canaries.make('a refresh token', size));
    }
    if (answer.id_token) canaries.add('an id_token', answer.id_token);
    return answer;
  };
  await register(home, provider.issuer, { api_base_url: api.url, client_secret: canaries.make('the client secret', 30) });
  const { id } = await connect(home, provider, { alias: 'work' });
  for (const { form } of provider.tokenRequests())
    for (const name of ['code', 'code_verifier']) canaries.add(`a ${name}`, form.get(name));
  const key = canaries.add('an API key', await home.makeKey('app', '--use', 'all'));
  await canaries.areGone(home, 'connected');
  const ok = async (asked) => { const answer = await asked; assert.equal(answer.status, 200, answer.text); return answer; };
  await ok(token(home, id));
  await ok(home.http('GET', `/v1/token/${id}`, undefined, { key }));
  await canaries.areGone(home, 'fetched');
  for (let i = 0; i < 3; ++i) await ok(home.api('POST', `/v1/refresh/${id}`, ''));
  await canaries.areGone(home, 'refreshed');
  await ok(home.http('POST', `/v1/proxy/${id}/things`, 'x'.repeat(10_000), { key }));
  assert.equal((await home.nexus(['api', 'work', '/things'])).code, 0);
  assert.match(api.requests.at(-1).headers.authorization, /^Bearer /);
  await canaries.areGone(home, 'used');
  return id;
}

/** A key or a password that a person types in, by the API and on the page. */
async function captureAndUse(home, api, canaries) {
  const made = await home.api('POST', '/v1/providers', { name: 'static', auth_type: 'basic_auth', api_base_url: api.url, allow_insecure_http: true, params: { validation: { skip: true } } });
  assert.equal(made.status, 201, made.text);
  const password = canaries.make('a password', 40);
  canaries.add('a header', Buffer.from(`alice:${password}`).toString('base64'));
  const { state, connection_id: id } = (await home.api('POST', '/v1/request-connection', { provider_name: 'static' })).json;
  const captured = await home.api('POST', '/v1/capture-credential', { state, credentials: { username: 'alice', password } });
  assert.equal(captured.status, 200, captured.text);
  assert.equal((await home.nexus(['api', id, '/things'])).code, 0);
  assert.match(api.requests.at(-1).headers.authorization, /^Basic /);
  await canaries.areGone(home, 'captured and used');
}

for (const [what, over, size] of [['in the clear', false, 60], ['over TLS, of 5 KB each', true, 4000]])
  test(`of a connection's whole life nothing is left, nor of the keys: ${what} (N18)`, { timeout: 60000 }, async (t) => {
    if (cannotLook()) return t.skip(cannotLook());
    const tls = over && { key: readFileSync(certificate.key), cert: readFileSync(certificate.certificate) };
    const provider = await MisbehavingProvider.start({ tls: tls || undefined });
    const api = await RecordingApi.start();
    const home = await Home.make({ gateway: true, config: `[network]\nca_file = "${certificate.certificate}"\n` });
    t.after(async () => { await home.remove(); await provider.close(); await api.close(); });
    await home.start();
    const canaries = new Canaries();
    const root = home.file('vault.key').toString().trim();
    canaries.add('the root key', root);
    canaries.add('the root key', Buffer.from(root, 'base64'));
    const id = await liveThrough(home, provider, api, canaries, size);
    await captureAndUse(home, api, canaries);
    assert.equal((await home.api('DELETE', `/v1/connections/${id}`)).status, 200);
    await canaries.areGone(home, 'disconnected');
    assert.equal((await home.nexus(['daemon', 'restart'])).code, 0);
    await canaries.areGone(home, 'restarted');
    assert.equal((await home.nexus(['lock'])).code, 0);
    await canaries.areGone(home, 'locked');
  });

test('the key that came by the environment is kept once, for a restart, and not as it came (N18)', async (t) => {
  if (cannotLook()) return t.skip(cannotLook());
  const key = randomBytes(32);
  const home = await Home.make({ env: { NEXUS_ENCRYPTION_KEY: key.toString('base64') } });
  t.after(() => home.remove());
  await home.start();
  for (let i = 0; i < 2; ++i) {
    const found = findInMemory(home.daemon.pid, { raw: key });
    assert.equal(found.length, 2, `its two halves, once each: ${found.join('\n')}`);
    assert.deepEqual(findInMemory(home.daemon.pid, { text: key.toString('base64') }), []);
    assert.equal((await home.nexus(['daemon', 'restart'])).code, 0);
  }
});

test('what is looked for is found: a search that finds nothing has looked', async (t) => {
  if (cannotLook()) return t.skip(cannotLook());
  const canary = randomBytes(40).toString('base64url');
  const holder = spawn(process.execPath, ['-e', 'const kept = Buffer.alloc(64 * 1024); kept.write(process.env.CANARY, 99); console.log("here"); setInterval(() => kept[0], 1000);'],
    { env: { CANARY: canary }, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => holder.kill());
  await once(holder.stdout, 'data');
  assert.ok(findInMemory(holder.pid, { canary }).length > 0);
  assert.ok(findInMemory(holder.pid, { canary: `another beginning ${canary.slice(-20)}` }).length > 0, 'also by its end alone');
  assert.deepEqual(findInMemory(holder.pid, { other: randomBytes(40).toString('base64url') }), []);
});

/** In MiB. */
const resident = (home) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${home.daemon.pid}/status`, 'utf8'))[1]) / 1024;

/** A daemon that is busy accepts later: until then its queue may be full. */
async function dialled(path) {
  const socket = dial({ path });
  try {
    await once(socket, 'connect');
    return socket.on('error', () => {});
  } catch (error) {
    if (error.code !== 'EAGAIN') throw error;
    await new Promise((go) => setTimeout(go, 20));
    return dialled(path);
  }
}

/** Opens so many sockets, each of which does that, and ends them once `over` has come true. */
async function crowd(home, count, act, over) {
  const sockets = [];
  while (sockets.length < count) {
    const socket = await dialled(home.socket);
    act(socket);
    sockets.push(socket);
  }
  await over();
  for (const socket of sockets) socket.destroy();
}

/** Each takes as much as it says at the least, and leaves no more behind than what a daemon needs that has worked. */
async function staysSmall(home, crowds) {
  const before = resident(home);
  for (const [name, most, run] of crowds) {
    let peak = before;
    const watch = setInterval(() => { peak = Math.max(peak, resident(home)); }, 50);
    await run();
    clearInterval(watch);
    assert.ok(peak > before + most, `${name} takes ${peak - before} MiB: too little to tell`);
    await until(() => resident(home) < before + 8, () => `${name}: of ${peak - before} MiB more, ${resident(home) - before} MiB stay`, 15000);
  }
}

test('what a crowd has taken goes back to the system', { skip: isSanitized() && 'its runtime keeps what is freed', timeout: 120000 }, async (t) => {
  const provider = await MisbehavingProvider.start();
  const home = await Home.make();
  const silent = createServer((socket) => { socket.on('error', () => {}).pause(); }).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(async () => { await home.remove(); silent.close(); await provider.close(); });
  await home.start();
  await register(home, provider.issuer, { api_base_url: `http://127.0.0.1:${silent.address().port}` });
  const { id } = await connect(home, provider);
  await token(home, id);
  const body = Buffer.alloc(1_000_000, 'x');
  await staysSmall(home, [
    ['half a head', 10, () => crowd(home, 3000, (socket) => socket.write(`GET / HTTP/1.1\r\nX: ${'a'.repeat(6000)}`), () => home.api('GET', '/health'))],
    ['half a body', 60, () => crowd(home, 400, (socket) => socket.write(`POST /v1/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n${'b'.repeat(300_000)}`), () => home.api('GET', '/health'))],
    ['uploads that nobody reads', 30, () => crowd(home, 300, (socket) => { socket.write(`POST /v1/proxy/${id}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n`); socket.write(body); },
      () => until(() => resident(home) > 70, () => `300 uploads, ${resident(home)} MiB`))],
  ]);
});
