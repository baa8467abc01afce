// Floods of what nobody can have asked for: those who bring the real thing get through, and the disk
// keeps one record of the first and one that counts the others.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { register, request, visit } from '../support/flow.mjs';
import { Home, until } from '../support/nexus.mjs';

const FLOOD = 130;
const LIMIT = 20;

let provider;
before(async () => { provider = await MisbehavingProvider.start(); });
after(() => provider.close());

async function withHome(options, act) {
  const home = await Home.make({ config: `[limits]\ncallback = ${LIMIT}\n`, ...options });
  try {
    await home.start();
    await register(home, provider.issuer);
    await home.api('POST', '/v1/providers', { name: 'keyed', auth_type: 'api_key', api_base_url: 'https://api.example.com' });
    await act(home);
  } finally {
    await home.remove();
  }
}

/** How many of that kind each of its records stands for, oldest first; those that are only counted yet as well. */
async function counted(home, event) {
  await home.stop();
  await home.start();
  return (await home.api('GET', `/v1/audit?event_type=${event}&limit=1000`)).json
    .map((record) => JSON.parse(record.event_data).count ?? 1).reverse();
}

const tally = (statuses) => Object.fromEntries([...new Set(statuses)].sort().map((status) => [status, statuses.filter((other) => other === status).length]));

async function flood(one) {
  const statuses = [];
  for (let i = 0; i < FLOOD; ++i) statuses.push((await one(i)).status);
  return tally(statuses);
}

for (const gateway of [false, true]) {
  test(`a flood of forged answers keeps no real one out: ${gateway ? 'the gateway' : 'a port of its own'}`, () => withHome({ gateway }, async (home) => {
    const asked = await request(home);
    const real = provider.consent(asked.auth_url);
    const url = new URL(real);
    const known = url.searchParams.get('state');
    const refused = await flood((i) => {
      url.searchParams.set('state', i % 2 ? `${'A'.repeat(43)}.${i}` : known.slice(0, -1) + (known.endsWith('A') ? 'B' : 'A'));
      return visit(url);
    });
    assert.ok(refused[400] >= LIMIT && refused[429] > FLOOD / 2, JSON.stringify(refused));
    const page = await visit(real);
    assert.equal(page.status, 200);
    assert.match(page.text, /<h1>demo is connected<\/h1>/);
    assert.equal((await visit(real)).text, page.text, 'and it is told again');
    assert.deepEqual(await counted(home, 'state_verification_failed'), [1, FLOOD - 1]);
  }));
}

test('a flood of forged states at the page that asks for a key does not keep the person from it', () => withHome({}, async (home) => {
  const asked = await request(home, { provider_name: 'keyed' });
  const page = asked.auth_url;
  const headers = { accept: 'text/html' };
  const looks = await flood((i) => fetch(`${page}${i}`, { headers }));
  const sends = await flood((i) => fetch(new URL('/auth/capture-credential', page),
    { method: 'POST', headers, body: new URLSearchParams({ state: `forged.${i}`, api_key: 'x' }) }));
  for (const refused of [looks, sends]) assert.ok(refused[429] > FLOOD / 2, JSON.stringify(refused));
  const form = await fetch(page, { headers });
  assert.equal(form.status, 200);
  assert.match(await form.text(), /<form/);
  assert.deepEqual(await counted(home, 'state_verification_failed'), [1, FLOOD - 1]);
}));

test('wrong API keys, and ids that are guessed', () => withHome({ gateway: true }, async (home) => {
  const records = async () => (await home.api('GET', '/v1/audit?limit=1000')).json.length;
  const before = await records();
  const guessed = await flood((i) => home.http('GET', `/v1/check-connection/conn_01ARZ3NDEKTSV4RRFFQ69G${String(i).padStart(4, '0')}`, undefined, { key: '' }));
  assert.deepEqual(guessed, { 404: FLOOD });
  assert.equal(await records(), before, 'a look that finds nothing leaves nothing');
  await flood((i) => home.http('GET', '/v1/connections?workspace_id=w', undefined, { key: `nxk_${i}` }));
  assert.deepEqual(await counted(home, 'api_key_refused'), [1, FLOOD - 1]);
}));

test('what the control socket\'s own user brings wrong is on record each time', () => withHome({}, async (home) => {
  for (let i = 0; i < 3; ++i) await home.api('POST', '/v1/complete-connection', { callback_url: `http://127.0.0.1:1/auth/callback?code=x&state=a.${i}` });
  assert.deepEqual(await counted(home, 'state_verification_failed'), [1, 1, 1]);
}));

test('other users at the control socket', { skip: process.getuid() !== 0 && 'only root can become somebody else' }, () => withHome({}, async (home) => {
  for (const path of [home.dir, dirname(home.socket)]) chmodSync(path, 0o755);
  chmodSync(home.socket, 0o777);
  const strangers = `let left = ${FLOOD}; const again = () => left-- > 0 &&
    require('net').connect(${JSON.stringify(home.socket)}).on('error', () => {}).on('close', again).resume(); again();`;
  execFileSync('setpriv', ['--reuid=65534', '--clear-groups', process.execPath, '-e', strangers]);
  await until(() => home.log.includes('peer_refused'), 'the line in the log');
  for (const path of [home.dir, dirname(home.socket)]) chmodSync(path, 0o700);
  assert.deepEqual(await counted(home, 'peer_refused'), [1, FLOOD - 1]);
  assert.equal(home.log.match(/peer_refused/g).length, 1);
}));

test('an API key is limited whatever workspaces it thinks of, and by how many connections wait', () => withHome({
  gateway: true, config: '[limits]\nrequest_connection_per_key = 6\npending = 7\npending_per_key = 4\n',
}, async (home) => {
  const ask = (key, workspace_id) => home.http('POST', '/v1/request-connection', { workspace_id, provider_name: 'demo', return_url: 'https://a.example/' }, { key });
  const key = await home.makeKey('app', '--use', 'all');
  const other = await home.makeKey('other', '--use', 'all');
  const answers = [];
  for (let i = 0; i < 20; ++i) answers.push(await ask(key, `fresh-${i}`));
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200, ...Array(16).fill(429)]);
  const [full] = answers.slice(4);
  assert.equal(full.json.code, 'rate_limited');
  assert.match(full.json.message, /4 connections of this key wait for an answer/);
  assert.match(full.json.hint, /limits\.pending_per_key/);
  assert.ok(Number(full.headers['retry-after']) > 500);
  assert.match(answers.at(-1).json.message, /too many requests for this key$/);
  await home.stop();
  await home.start();
  assert.equal((await ask(key, 'w')).status, 429, 'they wait after a restart as well');
  assert.equal((await home.api('DELETE', `/v1/connections/${answers[0].json.connection_id}`)).status, 200);
  assert.equal((await ask(key, 'w')).status, 200, 'one that is disconnected waits no more');
  for (let i = 0; i < 3; ++i) assert.equal((await ask(other, `w-${i}`)).status, 200);
  const third = await home.makeKey('third', '--use', 'all');
  const overloaded = await home.http('POST', '/v1/request-connection', { workspace_id: 'w', provider_name: 'keyed', return_url: 'https://a.example/' }, { key: third });
  assert.equal(overloaded.status, 503, 'pages for keys count like consents');
  assert.equal(overloaded.json.code, 'overloaded');
  assert.match(overloaded.json.hint, /limits\.pending$/);
  const { code, stderr } = await home.nexus(['connect', 'demo', '--no-browser', '--no-wait']);
  assert.equal(code, 0, `nobody keeps the owner out: ${stderr}`);
}));
