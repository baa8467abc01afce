// API keys: what each may do, and where a key must not be found.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register } from '../support/flow.mjs';
import { Home, until } from '../support/nexus.mjs';

let home;
let provider;
const ids = {};
const UNKNOWN = 'conn_01ARZ3NDEKTSV4RRFFQ69G5FAV';

before(async () => {
  provider = await MisbehavingProvider.start();
  home = await Home.make({ gateway: true });
  await home.start();
  await register(home, provider.issuer, { name: 'mine' });
  await register(home, provider.issuer, { name: 'theirs' });
  for (const [name, workspace_id, provider_name] of [['own', 'w1', 'mine'], ['other', 'w2', 'theirs']])
    ids[name] = (await connect(home, provider, { workspace_id, provider_name })).id;
});
after(async () => { await home.remove(); await provider.close(); });

const bearer = (value) => ({ headers: { authorization: value }, key: '' });

test('the scope matrix: read, forward, use and admin over own, other and unknown connections', async () => {
  const keys = {
    none: '',
    'read connection': await home.makeKey('r1', '--read', ids.own),
    'read workspace': await home.makeKey('r2', '--read', 'workspace:w1'),
    'forward connection': await home.makeKey('f1', '--forward', ids.own),
    'forward workspace': await home.makeKey('f2', '--forward', 'workspace:w1'),
    'use connection': await home.makeKey('u1', '--use', ids.own),
    'use provider': await home.makeKey('u2', '--use', 'provider:mine'),
    'use workspace': await home.makeKey('u3', '--use', 'workspace:w1'),
    'use all': await home.makeKey('u4', '--use', 'all'),
    admin: await home.makeKey('a1', '--admin'),
  };
  // [check, list, token, resolve, request-connection, rename] for own; the same for other.
  const O = 200, F = 403, N = 404, U = 401;
  const expected = {
    none: { own: [O, U, U, U, U, U], other: [O, U, U, U, U, U] },
    'read connection': { own: [O, 1, F, N, N, F], other: [N, 0, N, N, N, N] },
    'read workspace': { own: [O, 1, F, N, F, F], other: [N, 0, N, N, F, N] },
    'forward connection': { own: [O, 1, F, N, N, F], other: [N, 0, N, N, N, N] },
    'forward workspace': { own: [O, 1, F, N, F, F], other: [N, 0, N, N, F, N] },
    'use connection': { own: [O, 1, O, O, N, F], other: [N, 0, N, N, N, N] },
    'use provider': { own: [O, 1, O, O, O, O], other: [N, 0, N, N, N, N] },
    'use workspace': { own: [O, 1, O, O, O, O], other: [N, 0, N, N, F, N] },
    'use all': { own: [O, 1, O, O, O, O], other: [O, 1, O, O, O, O] },
    admin: { own: [O, 1, O, O, O, O], other: [O, 1, O, O, O, O] },
  };
  const where = { own: ['w1', 'mine'], other: ['w2', 'theirs'] };
  for (const [who, key] of Object.entries(keys))
    for (const whose of ['own', 'other']) {
      const [workspace, name] = where[whose];
      const http = (method, path, body) => home.http(method, path, body, { key });
      const list = await http('GET', `/v1/connections?workspace_id=${workspace}`);
      const answers = [
        (await http('GET', `/v1/check-connection/${ids[whose]}`)).status,
        list.status === 200 ? list.json.filter((c) => c.id === ids[whose]).length : list.status,
        (await http('GET', `/v1/token/${ids[whose]}`)).status,
        (await http('GET', `/v1/resolve?workspace_id=${workspace}&provider_name=${name}`)).status,
        (await http('POST', '/v1/request-connection', { workspace_id: workspace, provider_name: name, return_url: 'https://a.example/' })).status,
        (await http('PATCH', `/v1/connections/${ids[whose]}`, { alias: `${whose}-alias` })).status,
      ];
      assert.deepEqual(answers, expected[who][whose], `${who}, ${whose}`);
    }
  // What is not there and what is not yours are one answer.
  for (const [method, path] of [['GET', '/v1/token/'], ['POST', '/v1/refresh/'], ['GET', '/v1/check-connection/'],
    ['GET', '/v1/connections/'], ['DELETE', '/v1/connections/']]) {
    const ask = (id) => home.http(method, path + id, undefined, { key: keys['use provider'] });
    const [foreign, missing] = [await ask(ids.other), await ask(UNKNOWN)];
    assert.equal(foreign.status, 404);
    assert.equal(foreign.text.replaceAll(ids.other, 'ID'), missing.text.replaceAll(UNKNOWN, 'ID'));
    assert.deepEqual(Object.keys(foreign.headers), Object.keys(missing.headers));
  }
  // A provider's name or an alias leads no further than an id.
  assert.equal((await home.http('GET', '/v1/token/theirs?workspace_id=w2', undefined, { key: keys['use provider'] })).status, 404);
  assert.equal((await home.http('GET', '/v1/token/other-alias?workspace_id=w2', undefined, { key: keys['use provider'] })).status, 404);
  // Without a key, check-connection answers for an id alone; all else is not there.
  for (const reference of ['mine?workspace_id=w1', 'nonsense', 'all', 'workspace:w1', 'provider:mine', UNKNOWN]) {
    const answer = await home.http('GET', `/v1/check-connection/${reference}`, undefined, { key: '' });
    assert.equal(`${answer.status} ${answer.json.code}`, '404 connection_not_found', reference);
  }
});

test('no connection is called like a provider, and what a key cannot see has no other answer than what is not there', async () => {
  await register(home, provider.issuer, { name: 'hidden', client_id: 'hidden-client' });
  await connect(home, provider, { workspace_id: 'w1', provider_name: 'hidden', alias: 'prod' });
  const own = await home.makeKey('mine-only', '--use', 'provider:mine');
  const rename = (alias, key) => home.http('PATCH', `/v1/connections/${ids.own}`, { alias }, { key });
  const ask = (alias, key) => home.http('POST', '/v1/request-connection',
    { workspace_id: 'w1', provider_name: 'mine', return_url: 'https://a.example/', alias }, { key });
  // A provider's name, in any case; a hidden connection's alias: one answer, which does not say why.
  const answers = [];
  for (const alias of ['hidden', 'HIDDEN', 'prod'])
    for (const act of [rename, ask]) {
      const answer = await act(alias, own);
      assert.equal(answer.status, 409);
      answers.push(answer.text.replaceAll(alias, 'ALIAS'));
    }
  // The request says which provider it was about; neither says more.
  assert.equal(new Set(answers).size, 2, answers.join('\n'));
  assert.ok(answers.every((text) => JSON.parse(text).code === 'alias_taken' && !/hidden|replace/i.test(text)));
  // Who may see it is told.
  const admin = await home.makeKey('sees-all', '--admin');
  assert.match((await rename('prod', admin)).json.hint, /--replace prod/);
  assert.match((await rename('hidden', admin)).json.message, /name of a provider/);
  assert.equal((await home.http('GET', '/v1/token/hidden?workspace_id=w1', undefined, { key: own })).status, 404);
  // The other way around, in any workspace.
  await home.api('PATCH', `/v1/connections/${ids.own}`, { alias: 'to-come' });
  const late = { name: 'to-come', issuer: provider.issuer, client_id: 'c', allow_insecure_http: true };
  for (const made of [await home.api('POST', '/v1/providers', late), await home.api('POST', '/v1/providers/apply', { providers: [late] })]) {
    assert.equal(`${made.status} ${made.json.code}`, '409 name_taken');
    assert.ok(made.json.hint.includes(`nexus alias ${ids.own} NAME`));
  }
  const planned = await home.api('POST', '/v1/providers/plan', { providers: [late] });
  assert.match(planned.text, /name_taken/, 'a plan says so before it is made');
  // The command line knows the catalogue, too.
  const catalogue = await home.nexus(['alias', ids.own, 'GitHub', '--json']);
  assert.equal(JSON.parse(catalogue.stdout).error.code, 'alias_taken');
  assert.match((await home.nexus(['connect', 'mine', '--alias', 'github'])).stderr, /github is the name of a provider/);
  await home.api('PATCH', `/v1/connections/${ids.own}`, { alias: 'own-alias' });

  // Providers: those of the key alone, and which client we are there for admins alone.
  const get = (path, key = own) => home.http('GET', path, undefined, { key });
  const hiddenId = (await home.api('GET', '/providers/by-name/hidden')).json.id;
  const mineId = (await home.api('GET', '/providers/by-name/mine')).json.id;
  for (const path of ['/providers', '/v1/providers', '/v1/providers/metadata', '/v1/providers?view=list', '/providers/health', '/providers?limit=1'])
    assert.ok(/mine/.test((await get(path)).text) && !/hidden|theirs/.test((await get(path)).text), path);
  assert.equal((await get('/providers?limit=1')).headers['x-next-cursor'], 'mine');
  assert.deepEqual((await get('/providers?limit=1&cursor=mine')).json, []);
  for (const [there, missing] of [['/providers/by-name/hidden', '/providers/by-name/nobody'], [`/providers/${hiddenId}`, '/providers/0'],
    [`/v1/resolve?workspace_id=w1&provider_name=hidden`, '/v1/resolve?workspace_id=w1&provider_name=nobody'],
    [`/v1/resolve?workspace_id=w1&provider_id=${hiddenId}`, '/v1/resolve?workspace_id=w1&provider_id=0']]) {
    const [foreign, nobody] = [await get(there), await get(missing)];
    assert.equal(foreign.status, 404, there);
    assert.equal(foreign.text.replaceAll(/hidden|nobody/g, 'NAME').replaceAll(hiddenId, '0'), nobody.text.replaceAll(/hidden|nobody/g, 'NAME'), there);
  }
  const request = (fields) => home.http('POST', '/v1/request-connection', { workspace_id: 'w1', return_url: 'https://a.example/', ...fields }, { key: own });
  for (const fields of [{ provider_name: 'hidden' }, { provider_id: hiddenId }])
    assert.equal((await request(fields)).json.code, 'provider_not_found');
  const told = (await get(`/providers/${mineId}`)).json;
  assert.equal(told.client_id, '');
  assert.equal(told.client_secret_fingerprint, '');
  const toAdmin = (await get(`/providers/${mineId}`, admin)).json;
  assert.equal(toAdmin.client_id, 'client-1');
  assert.ok(toAdmin.client_secret_fingerprint);
  // Metrics name providers to who may see all.
  await home.api('GET', `/v1/token/${ids.own}`);
  const all = await home.makeKey('reads-all', '--read', 'all');
  for (const key of ['', own]) {
    const { text } = await get('/metrics', key);
    assert.ok(!/provider=/.test(text));
    assert.match(text, /^oauth_token_get_total\{has_id_token="(true|false)"\} [1-9]/m);
  }
  for (const key of [all, admin]) assert.match((await get('/metrics', key)).text, /provider="mine"/);
});

test('a workspace and the names in a key are as good from the query as from the body', async () => {
  const key = await home.makeKey('queries', '--use', 'all');
  const body = { provider_name: 'mine', return_url: 'https://a.example/' };
  for (const bad of ['a%1b%5b2J', '%ff', '%c2%9b', 'a%0ab', '%e2%80%ae', 'w'.repeat(5000), '%zz'])
    for (const [method, path, sent] of [['POST', `/v1/request-connection?workspace_id=${bad}`, body], ['POST', `/v1/request-connection?user_id=${bad}`, body],
      ['GET', `/v1/connections?workspace_id=${bad}`], ['GET', `/v1/token/mine?workspace_id=${bad}`], ['DELETE', `/v1/connections/${UNKNOWN}?reason=${bad}`],
      ['GET', `/v1/resolve?workspace_id=${bad}&provider_name=mine`]]) {
      const answer = await home.http(method, path, sent, { key });
      assert.equal(`${answer.status} ${answer.json.code}`, '400 invalid_field', path);
    }
  const decoded = ['a\u001b[2J', 'a\nb', '\u009b', '\u202e', 'w'.repeat(5000)];
  for (const bad of decoded)
    assert.equal((await home.http('POST', '/v1/request-connection', { ...body, workspace_id: bad }, { key })).json.code, 'invalid_field');
  for (const bad of decoded)
    for (const wanted of [{ name: 'bad-names', use: [`workspace:${bad}`] }, { name: 'bad-names', read: [`provider:${bad}`] }, { name: bad, use: ['all'] }])
      assert.equal((await home.api('POST', '/v1/keys', wanted)).json.code, 'invalid_field');
  assert.equal((await home.http('GET', '/v1/connections?workspace_id=a+b%C3%BC', undefined, { key })).status, 200);
});

test('admin routes need an admin key', async () => {
  const use = await home.makeKey('not-admin', '--use', 'all');
  const admin = await home.makeKey('is-admin', '--admin');
  const { json: { id } } = await home.http('GET', '/providers/by-name/mine', undefined, { key: use });
  for (const [method, path, body] of [['POST', '/v1/providers', {}], ['PATCH', `/v1/providers/${id}`, {}], ['PUT', `/v1/providers/${id}`, {}],
    ['DELETE', `/v1/providers/${id}`], ['DELETE', '/providers/by-name/mine'], ['GET', '/v1/audit'], ['GET', '/audit'],
    ['POST', '/v1/keys', {}], ['GET', '/v1/keys'], ['DELETE', '/v1/keys/x'], ['GET', '/v1/daemon'], ['POST', '/v1/providers/reach']]) {
    assert.equal((await home.http(method, path, body, { key: '' })).status, 401, path);
    const refused = await home.http(method, path, body, { key: use });
    assert.equal(refused.status, 403, path);
    assert.equal(refused.json.code, 'access_denied');
  }
  const made = await home.http('POST', '/v1/keys', { name: 'over-http', use: ['provider:mine'] }, { key: admin });
  assert.equal(made.status, 201);
  assert.match(made.json.key, /^nxk_/);
  assert.ok(!JSON.stringify((await home.http('GET', '/v1/keys', undefined, { key: admin })).json).includes(made.json.key));
});

test('the ways to send a key; wrong ones are one answer', async () => {
  const key = await home.makeKey('ways', '--use', 'all');
  const path = `/v1/token/${ids.own}`;
  const basic = (text) => `Basic ${Buffer.from(text).toString('base64')}`;
  for (const options of [{ key }, bearer(`Bearer ${key}`), bearer(`bearer ${key}`), bearer(basic(`nexus:${key}`)), bearer(basic(`${key}:`))])
    assert.equal((await home.http('GET', path, undefined, options)).status, 200);
  // As the Go client can be told: the key in the URL.
  assert.equal((await home.http('GET', path, undefined, { key: '', auth: `nexus:${key}` })).status, 200);
  const flipped = key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');
  const answers = [];
  for (const options of [{ key: 'x' }, { key: flipped }, { key: key.slice(0, -1) }, { key: `${key}0` }, bearer('Bearer'), bearer(basic(key)),
    bearer(`Digest ${key}`), bearer('Basic ???')]) {
    const { status, json } = await home.http('GET', path, undefined, options);
    answers.push(`${status} ${json.code} ${json.status}`);
  }
  assert.deepEqual([...new Set(answers)], ['401 invalid_api_key error']);
  const missing = await home.http('GET', `${path}?api_key=${key}`, undefined, { key: '' });
  assert.equal(missing.json.code, 'missing_api_key');
  assert.match(missing.json.hint, /X-API-Key.*http:\/\/nexus:KEY@HOST/);
  assert.equal((await home.http('GET', `/v1/check-connection/${ids.own}`, undefined, { key: flipped })).status, 401);
  const twice = await home.raw(`GET ${path} HTTP/1.1\r\nHost: localhost:${home.gatewayPort}\r\nX-API-Key: ${key}\r\nX-API-Key: ${key}\r\n\r\n`);
  assert.match(twice, /^HTTP\/1\.1 401 /);
});

test('a key tells itself from noise, is shown once, and is found in no file', async () => {
  const midnight = new Date();
  midnight.setHours(24, 0, 0, 0);
  for (const [text, at] of [['tomorrow', midnight.getTime()], ['2w', Date.now() + 14 * 86400e3], ['2099-12-01', new Date(2099, 11, 1).getTime()]]) {
    const { expires_at: end } = JSON.parse((await home.nexus(['key', 'create', '--name', text, '--use', 'all', '--expires', text, '--json'])).stdout);
    assert.ok(Math.abs(end - at / 1000) < 5, `${text}: ${end}`);
    await home.nexus(['key', 'revoke', text]);
  }
  const made = await home.nexus(['key', 'create', '--name', 'canary', '--use', 'all', '--expires', '90d', '--json']);
  const { key, id, expires_at: expires } = JSON.parse(made.stdout);
  assert.match(key, /^nxk_[0-9a-z]{10}_[0-9A-Za-z]{49}$/);
  assert.ok(Math.abs(expires - Date.now() / 1000 - 90 * 86400) < 5);
  // The checksum, as a scanner would compute it.
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let number = createHash('sha256').update(key.slice(0, -6)).digest().readBigUInt64BE();
  let checksum = '';
  for (let i = 0; i < 6; ++i, number /= 62n) checksum += digits[Number(number % 62n)];
  assert.equal(key.slice(-6), checksum);

  await home.http('GET', `/v1/token/${ids.own}`, undefined, { key });
  const list = await home.nexus(['key', 'list', '--json']);
  const secret = key.slice(15);
  for (const text of [list.stdout, (await home.nexus(['key', 'list'])).stdout, home.log,
    ...['nexus.db', 'nexus.db-wal', 'audit.db', 'audit.db-wal'].map((f) => home.file(f).toString('latin1'))])
    assert.ok(!text.includes(secret) && !text.includes(createHash('sha256').update(key).digest('latin1')));
  assert.ok(JSON.parse(list.stdout).keys.some((k) => k.id === id && k.name === 'canary' && k.use[0] === 'all'));
});

test('a revoked or expired key is refused on the next request', async () => {
  const key = await home.makeKey('short', '--use', 'all');
  const ask = (with_key) => home.http('GET', `/v1/token/${ids.own}`, undefined, { key: with_key });
  assert.equal((await ask(key)).status, 200);
  assert.equal((await home.nexus(['key', 'revoke', 'short'])).code, 0);
  assert.equal((await ask(key)).status, 401);
  assert.equal((await home.nexus(['key', 'revoke', 'short'])).code, 6);
  assert.match((await home.nexus(['key', 'revoke', 'canray'])).stderr, /did you mean canary\?/);
  const soon = await home.makeKey('soon', '--use', 'all', '--expires', '2');
  assert.equal((await ask(soon)).status, 200);
  await until(async () => (await ask(soon)).status === 401, 'the key expires', 4000);
  const lasting = await home.makeKey('lasting', '--use', 'all');
  await home.stop();
  await home.start();
  assert.equal((await ask(lasting)).status, 200);  // over a restart
  assert.equal((await ask(key)).status, 401);
});

test('on the command line a key is made for connections as they are called there', async () => {
  const { id } = await connect(home, provider, { provider_name: 'mine', alias: 'called' });
  for (const right of ['use', 'forward', 'read']) {
    const { code, stdout, stderr } = await home.nexus(['key', 'create', '--json', '--name', `for-called-${right}`, `--${right}`, 'called']);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout)[right], [id]);
  }
});

test('bad wishes are refused with a way out', async () => {
  const create = (...args) => home.nexus(['key', 'create', '--name', 'bad', ...args]);
  assert.match((await create()).stderr, /--use, --forward, --read or --admin/);
  assert.equal((await create('--use', 'everything')).code, 2);
  assert.match((await create('--use', 'google')).stderr, /provider:NAME/);
  const unknown = await create('--use', 'all', '--expires', 'soon');
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /'soon' is not a time\n {2}for example 2h, 30d or 2w, tomorrow, 2026-12-01/);
  for (const past of ['yesterday', 'today', '2001-01-01'])
    assert.match((await create('--use', 'all', '--expires', past)).stderr, /would have expired already/, past);
  assert.equal((await create('--use', 'all', '--expires', '2001-01-01T00:00:00Z')).code, 2);
  assert.equal((await home.nexus(['key', 'create', '--name', 'a b', '--use', 'all'])).code, 2);
  await create('--use', 'all');
  assert.match((await create('--use', 'all')).stderr, /exists already/);
  const { id } = (await home.api('GET', '/v1/keys')).json.find((each) => each.name === 'bad');
  const twin = await home.nexus(['key', 'create', '--name', id, '--use', 'all', '--json']);
  assert.equal(JSON.parse(twin.stdout).error.code, 'key_exists', 'a key is revoked by name or id: none is both');
});

test('keys of the environment and of files, as containers bring them', async (t) => {
  const box = await Home.make({ gateway: { environment_keys: true } });
  t.after(() => box.remove());
  const file = join(box.dir, 'keys');
  writeFileSync(file, 'from-a-file-0123456789\nsecond-in-file-012345\n', { mode: 0o600 });
  const start = (env) => box.start({ env });
  await assert.rejects(start({ API_KEY: 'short' }), /less than 16 characters/);
  await assert.rejects(start({ API_KEY_FILE: '/nowhere' }), /API_KEY_FILE names \/nowhere/);
  await start({ NEXUS_API_KEY: 'of-a-client-0123456789', API_KEY: 'canary-env-0123456789', API_KEYS: 'first-of-many-012345, second-of-many-01234', API_KEYS_FILE: file, API_KEY_RELOAD_INTERVAL: '1s' });
  const status = async (key) => (await box.http('GET', '/v1/audit?limit=1', undefined, { key })).status;
  for (const key of ['canary-env-0123456789', 'first-of-many-012345', 'second-of-many-01234', 'from-a-file-0123456789', 'second-in-file-012345'])
    assert.equal(await status(key), 200, key);
  for (const key of ['first-of-many-012345, second-of-many-01234', 'of-a-client-0123456789']) assert.equal(await status(key), 401, key);

  // They are listed among those that were made, page by page, and say where they are taken back.
  await box.makeKey('made', '--use', 'all');
  const { keys } = JSON.parse((await box.nexus(['key', 'list', '--json'])).stdout);
  assert.deepEqual(keys.map((key) => [key.name, key.variable, key.admin]), [
    ['API_KEY#1', 'API_KEY', true], ['API_KEYS#1', 'API_KEYS', true], ['API_KEYS#2', 'API_KEYS', true],
    ['API_KEYS_FILE#1', 'API_KEYS_FILE', true], ['API_KEYS_FILE#2', 'API_KEYS_FILE', true], ['made', null, false]]);
  assert.ok(keys[1].last_used_at > 0 && keys[1].created_at === null && keys[5].created_at > 0);
  const paged = [];
  for (let cursor = ''; cursor !== undefined;) {
    const page = await box.api('GET', `/v1/keys?limit=2&cursor=${encodeURIComponent(cursor)}`);
    assert.ok(page.json.length <= 2);
    paged.push(...page.json.map((key) => key.name));
    cursor = page.headers['x-next-cursor'];
  }
  assert.deepEqual(paged, keys.map((key) => key.name));
  assert.match((await box.nexus(['key', 'list'])).stdout, /API_KEYS#2 +\(environment\) +admin/);
  for (const name of ['API_KEYS#2', 'API_KEYS']) {
    const refused = await box.nexus(['key', 'revoke', name, '--json']);
    assert.equal(JSON.parse(refused.stdout).error.code, 'environment_key');
    assert.match(JSON.parse(refused.stdout).error.hint, /gateway\.environment_keys/);
  }
  assert.equal(await status('second-of-many-01234'), 200);

  writeFileSync(file, 'replaced-in-file-01234\n');
  await until(async () => (await status('replaced-in-file-01234')) === 200, 'the file is read again', 5000);
  assert.equal(await status('from-a-file-0123456789'), 401);
  assert.ok(!box.log.includes('canary-env') && !box.file('audit.db-wal').toString('latin1').includes('canary-env'));
});

test('keys of the environment are for a nexusd that was told so, and never come with its start by nexus', async (t) => {
  const key = 'of-some-other-program';
  const status = async (at) => (await at.http('GET', '/v1/audit?limit=1', undefined, { key })).status;
  const shell = await Home.make({ gateway: true });
  t.after(() => shell.remove());
  await shell.start({ env: { API_KEY: 'short', API_KEYS_FILE: '/nowhere', API_KEY_RELOAD_INTERVAL: 'never' } });
  await shell.stop();
  await shell.start({ env: { API_KEY: key, API_KEYS: key, NEXUS_API_KEY: key } });
  assert.equal(await status(shell), 401);
  assert.deepEqual((await shell.api('GET', '/v1/keys')).json, []);

  const box = await Home.make({ gateway: { environment_keys: true } });
  t.after(async () => { await box.nexus(['daemon', 'stop']); await box.remove(); });
  const env = { NEXUS_NO_AUTOSTART: '' };
  for (const variables of [{ API_KEY: 'short' }, { API_KEY: key, API_KEYS: key }, { API_KEY_FILE: '/nowhere' }]) {
    assert.equal((await box.nexus(['list'], { env: { ...env, ...variables } })).code, 0);
    assert.equal(await status(box), 401);
    const { pid } = JSON.parse((await box.nexus(['daemon', 'status', '--json'])).stdout);
    assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'latin1'), /API_KEY/);
    assert.equal((await box.nexus(['daemon', 'stop'])).code, 0);
  }
});

test('ten thousand wrong keys do not hold up a right one, and do not fill the audit log', async () => {
  const key = await home.makeKey('patient', '--use', 'all');
  const audited = () => home.nexus(['--json', 'daemon', 'status']).then(() => home.api('GET', '/v1/audit?event_type=api_key_refused&limit=1000')).then((r) => r.json.length);
  const before = await audited();
  const statuses = new Map();
  const http = await import('node:http');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 50 });
  const guess = (n) => new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port: home.gatewayPort, path: `/v1/token/${ids.own}`, agent, headers: { 'x-api-key': `${key.slice(0, 40)}${n}` } },
      (response) => { response.resume(); response.on('end', () => { statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1); resolve(response); }); }).on('error', reject);
  });
  const storm = Promise.all(Array.from({ length: 10000 }, (_, n) => guess(n)));
  const begin = Date.now();
  assert.equal((await home.http('GET', `/v1/token/${ids.own}`, undefined, { key })).status, 200);
  assert.ok(Date.now() - begin < 1000);
  const answers = await storm;
  agent.destroy();
  assert.equal((await home.http('GET', `/v1/token/${ids.own}`, undefined, { key })).status, 200);
  assert.deepEqual([...statuses.keys()].sort(), [401, 429]);
  assert.ok(answers.filter((a) => a.statusCode === 429).every((a) => Number(a.headers['retry-after']) > 0));
  assert.ok((await audited()) - before <= 1, 'the first is on record, the others are counted');
});
