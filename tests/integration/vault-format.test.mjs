// nexus-vault(5) is true: a reader that knows nothing but that page, made of other libraries than nexusd is, opens
// what a nexusd has written. Tables, columns, contexts and what codes cover are taken from the page itself.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { xchacha20poly1305 } from '@noble/ciphers/chacha';
import { blake2b } from '@noble/hashes/blake2';
import { KeyedApi, KINDS } from '../provider/keyed_api.mjs';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { SECRET, connect, register, request, token } from '../support/flow.mjs';
import { plain, rows, section, source } from '../support/manual.mjs';
import { Home } from '../support/nexus.mjs';

const page = source('nexus-vault.5');
const u32 = (number) => { const out = Buffer.alloc(4); out.writeUInt32LE(number); return out; };
const u64 = (number) => { const out = Buffer.alloc(8); out.writeBigInt64LE(BigInt(number)); return out; };
const hash = (key, size, ...parts) => Buffer.from(blake2b(Buffer.concat(parts), { key, dkLen: size }));

/** The contexts of KEYS, by the key that each derives from. */
const contexts = rows(section(page, 'Derivation', 'SS')).slice(1);
const derive = (key, context) => Buffer.from(blake2b(new Uint8Array(), {
  key, dkLen: 32, salt: Buffer.concat([u64(1), Buffer.alloc(8)]), personalization: Buffer.concat([Buffer.from(context), Buffer.alloc(8)]) }));

function open(key, number, vaultId, { kind, owner, field, generation }, sealed) {
  const head = Buffer.concat([Buffer.from([1]), u32(number)]);
  assert.deepEqual(sealed.subarray(0, 5), head);
  const texts = [vaultId, ...[kind, owner, field].map((text) => Buffer.from(text))];
  const data = Buffer.concat([head, ...texts.flatMap((text) => [u32(text.length), text]), u64(generation)]);
  const padded = Buffer.from(xchacha20poly1305(key, sealed.subarray(5, 29), data).decrypt(sealed.subarray(29)));
  assert.equal(padded.length % 64, 0);
  const end = padded.lastIndexOf(0x80);
  assert.ok(padded.subarray(end + 1).every((byte) => byte === 0));
  return padded.subarray(0, end);
}

/** What ROW CODES lists: the columns of each kind. */
const covered = new Map(rows(section(page, 'ROW CODES')).map(([kind, columns]) => [kind, columns.split(', ')]));

function code(key, kind, row) {
  const value = (cell) => {
    if (cell === null) return Buffer.alloc(9);
    if (typeof cell === 'number') return Buffer.concat([Buffer.from('i'), u64(cell)]);
    const bytes = Buffer.from(cell);
    return Buffer.concat([Buffer.from(typeof cell === 'string' ? 't' : 'b'), u64(bytes.length), bytes]);
  };
  const isLeftOut = { access: row.access === '', token_fields: row.access === '' && row.token_fields === '' };
  const columns = covered.get(kind).filter((column) => kind !== 'connection' || !isLeftOut[column]);
  return hash(key, 16, value(kind), ...columns.map((column) => value(row[column])));
}

let home;
let provider;
let api;
const made = {};
const sql = (database, text) => JSON.parse(execFileSync('sqlite3', ['-readonly', '-json', join(home.data, database), text], { encoding: 'utf8' }) || '[]');
/** The rows of a table, its BLOBs (which JSON cannot hold) as bytes. */
function table(database, name) {
  const columns = sql(database, `PRAGMA table_info(${name})`);
  const list = columns.map(({ name: column, type }) => (type === 'BLOB' ? `hex(${column}) AS ${column}` : `"${column}"`));
  return sql(database, `SELECT ${list.join(', ')} FROM ${name}`).map((row) => Object.fromEntries(columns.map(({ name: column, type }) =>
    [column, type === 'BLOB' ? Buffer.from(row[column], 'hex') : row[column]])));
}

let vault;  // the keys, by context
let vaultId;
let tally;

before(async () => {
  provider = await MisbehavingProvider.start();
  api = await KeyedApi.start();
  home = await Home.make({ gateway: true });
  await home.start();
  await register(home, provider.issuer, { scopes: ['openid', 'email', 'offline_access'] });
  made.oauth = (await connect(home, provider, { metadata: { seat: 7 } })).id;
  assert.equal((await home.api('POST', `/v1/refresh/${made.oauth}`)).status, 200);
  const { provider: fields, credentials } = KINDS.basic_auth;
  assert.equal((await home.api('POST', '/v1/providers', { name: 'basic', api_base_url: api.url, allow_insecure_http: true, ...fields })).status, 201);
  const asked = await request(home, { provider_name: 'basic' });
  assert.equal((await home.api('POST', '/v1/capture-credential', { state: asked.state, credentials })).status, 200);
  Object.assign(made, { basic: asked.connection_id, credentials });
  assert.equal((await home.api('PUT', `/v1/connections/${asked.connection_id}/access`, { uids: [String(process.getuid())] })).status, 200);
  made.pending = await request(home);
  made.key = await home.makeKey('app', '--use', 'all', '--expires', '90d');

  assert.equal((await home.nexus(['vault', 'rotate'])).code, 0);

  const root = Buffer.from(home.file('vault.key').toString().trim(), 'base64');
  const header = Object.fromEntries(table('nexus.db', 'meta').map(({ key, value }) => [key, value]));
  vaultId = header.vault_id;
  const [[sealing], ...subkeys] = contexts;
  const vaultKeys = open(derive(root, sealing), 2, vaultId, { kind: 'vault', owner: 'vault', field: 'vault_key', generation: 3 }, header.wrapped_key);
  assert.equal(vaultKeys.length, 64, 'the present one, and the first');
  const [present, first] = [vaultKeys.subarray(0, 32), vaultKeys.subarray(32)];
  vault = Object.fromEntries(subkeys.map(([context]) => [context, derive(['nxsealng', 'nxrowmac'].includes(context) ? present : first, context)]));
  vault.auditRows = derive(first, 'nxrowmac');
  tally = header.tally;
});
after(async () => { await home.remove(); await provider.close(); await api.close(); });

/** The opened values of an owner, by field. */
const opened = (kind, owner) => Object.fromEntries(table('nexus.db', 'credentials').filter((row) => row.owner === owner)
  .map((row) => [row.field, open(vault.nxsealng, 2, vaultId, { kind, ...row }, row.sealed).toString()]));

test('the tally counts writes and rows, and the file elsewhere has the same number', () => {
  const body = tally.subarray(0, 40);
  assert.deepEqual(tally.subarray(40), hash(vault.nxtallys, 16, Buffer.from('v'), body));
  const rows = Buffer.alloc(32);
  for (const [kind, name] of [['connection', 'connections'], ['provider', 'providers'], ['api_key', 'api_keys']])
    for (const { id } of table('nexus.db', name))
      hash(vault.nxtallys, 32, Buffer.from(`${kind}\0${id}`)).forEach((byte, at) => { rows[at] ^= byte; });
  assert.deepEqual(tally.subarray(8, 40), rows);
  const name = `${vaultId.toString('hex')}-${createHash('sha256').update(home.data).digest('hex').slice(0, 16)}.head`;
  const head = readFileSync(join(home.dir, '.local/state/nexusd', name));
  const slots = [head.subarray(0, 24), head.subarray(24, 48)];
  for (const slot of slots) assert.deepEqual(slot.subarray(8), hash(vault.nxtallys, 16, Buffer.from('h'), slot.subarray(0, 8)));
  const writes = slots.map((slot) => slot.readBigUInt64LE()).sort();
  assert.equal(writes[1], tally.readBigUInt64LE());
});

test('the page has every file of the directory', () => {
  const named = new Set([...section(page, 'FILES').matchAll(/^\.(?:TP\n\.)?IR? (\S+)/gm)].map(([, name]) => plain(name)));
  const present = readdirSync(home.data);
  assert.ok(present.length >= 8, present.join());
  assert.deepEqual(present.filter((name) => !named.has(name)), []);
  for (const name of present) assert.equal(statSync(join(home.data, name)).mode & 0o777, 0o600, name);
  assert.equal(home.file('nexusd.address').toString(), `${home.socket}\n`);
  assert.equal(home.file('nexusd.lock').length, 0);
});

test('the page has every table and column, with its type, and no other; and the versions', () => {
  for (const [database, heading] of [['nexus.db', 'VAULT'], ['audit.db', 'AUDIT LOG']]) {
    const there = sql(database, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").map(({ name }) => name).sort();
    const headings = [...section(page, heading).matchAll(/^\.SS ([a-z_]+)$/gm)].map(([, name]) => name);
    assert.deepEqual(headings.sort(), there);
    for (const name of there) {
      const told = rows(section(page, name, 'SS')).filter((row) => row.length === 3).map(([column, type]) => [column, type]);
      assert.deepEqual(told, sql(database, `PRAGMA table_info(${name})`).map((column) => [column.name, column.type]), name);
    }
    assert.ok(plain(section(page, heading)).replaceAll('\n', ' ').includes(`user_version ${sql(database, 'PRAGMA user_version')[0].user_version}.`), `${heading}: user_version`);
    assert.equal(sql(database, 'PRAGMA application_id')[0].application_id, Number(/application_id (0x\w+)/.exec(page)[1]));
  }
});

test('the credentials of every kind open', async () => {
  const oauth = opened('connection', made.oauth);
  const { access_token: access, id_token: id } = (await token(home, made.oauth)).json.credentials;
  assert.equal(oauth.access_token, access);
  assert.equal(oauth.id_token, id);
  assert.ok(provider.refreshTokens.has(oauth.refresh_token), 'the provider takes that refresh token');
  assert.deepEqual(JSON.parse(opened('connection', made.basic).credentials), made.credentials);
  const [demo] = table('nexus.db', 'providers').filter(({ name }) => name === 'demo');
  assert.equal(opened('provider', demo.id).client_secret, SECRET);
  assert.equal(hash(vault.nxfinger, 32, Buffer.from(`${demo.id}\n${SECRET}`)).subarray(0, 4).toString('hex'),
    (await home.api('GET', `/v1/providers/${demo.id}`)).json.client_secret_fingerprint);
  const fields = rows(section(page, 'credentials', 'SS')).filter((row) => row.length === 2).map(([field]) => field);
  for (const { field } of table('nexus.db', 'credentials')) assert.ok(fields.includes(field), field);
});

test('what is moved does not open, and rows say which generation is the latest', () => {
  const [row] = table('nexus.db', 'credentials').filter(({ owner, field }) => owner === made.oauth && field === 'access_token');
  assert.equal(row.generation, 2);
  for (const other of [{ kind: 'provider' }, { owner: made.basic }, { field: 'id_token' }, { generation: 1 }])
    assert.throws(() => open(vault.nxsealng, 2, vaultId, { kind: 'connection', ...row, ...other }, row.sealed), /invalid tag/);
  const [{ generations }] = table('nexus.db', 'connections').filter(({ id }) => id === made.oauth);
  assert.equal(JSON.parse(generations).access_token, 2);
});

test('the codes of all rows are those that the page says', () => {
  const kinds = { connections: 'connection', providers: 'provider', flows: 'flow', api_keys: 'api_key' };
  for (const [name, kind] of Object.entries(kinds)) {
    const all = table('nexus.db', name);
    assert.ok(all.length > 0, name);
    for (const row of all) assert.deepEqual(row.mac, code(vault.nxrowmac, kind, row), `${kind} ${row.id}`);
  }
  for (const row of table('nexus.db', 'providers')) assert.deepEqual(row.profile_mac, code(vault.nxrowmac, 'profile', row));
  for (const row of table('audit.db', 'audit')) assert.deepEqual(row.mac, code(vault.auditRows, 'audit', row));
});

test('the records of the audit log are chained as the page says, from the anchor to the head', () => {
  const place = (letter, seq, link) => hash(vault.nxauditc, 16, Buffer.from(letter), u64(seq), link);
  const [anchor] = table('audit.db', 'audit_anchor');
  assert.deepEqual([anchor.seq, anchor.chain, anchor.mac], [0, Buffer.alloc(32), place('b', 0, Buffer.alloc(32))]);
  const records = table('audit.db', 'audit');
  const last = records.reduce((before, { seq, record, chain }) => {
    assert.deepEqual(chain, hash(vault.nxauditc, 32, Buffer.from('r'), before, u64(seq), Buffer.from(record)), `record ${seq}`);
    return chain;
  }, anchor.chain);
  const head = home.file('audit.head');
  assert.equal(head.length, 128);
  const slots = [0, 64].map((at) => head.subarray(at, at + 64)).sort((a, b) => Number(b.readBigUInt64LE(8) - a.readBigUInt64LE(8)));
  const { seq } = records.at(-1);
  assert.equal(slots[0].toString('hex'), Buffer.concat([Buffer.from('NXAH'), u32(1), u64(seq), last, place('h', seq, last)]).toString('hex'));
});

test('a vault of 0.1, which has no codes, opens as generation 0', () => {
  const old = new URL('../support/data-0.1.0/', import.meta.url).pathname;
  const root = Buffer.from(readFileSync(join(old, 'vault.key'), 'utf8').trim(), 'base64');
  const value = (key) => Buffer.from(execFileSync('sqlite3', [`file:${join(old, 'nexus.db')}?immutable=1`, `SELECT hex(value) FROM meta WHERE key = '${key}'`], { encoding: 'utf8' }).trim(), 'hex');
  const place = { kind: 'vault', owner: 'vault', field: 'vault_key' };
  const unwrap = (generation) => open(derive(root, 'nxkeyenc'), 1, value('vault_id'), { ...place, generation }, value('wrapped_key'));
  assert.equal(unwrap(0).length, 32);
  assert.throws(() => unwrap(1), /invalid tag/);
});

test('states and API keys are what the page says', () => {
  const [flow] = table('nexus.db', 'flows').filter(({ connection_id: id }) => id === made.pending.connection_id);
  const state = new URL(made.pending.auth_url).searchParams.get('state');
  assert.equal(flow.state_hash, createHash('sha256').update(state).digest('base64url'));
  const [random, signature] = state.split('.');
  const signed = [random, flow.connection_id, flow.issuer, flow.redirect_uri].join('\n');
  assert.equal(signature, createHmac('sha512', vault.nxstates).update(signed).digest().subarray(0, 32).toString('base64url'));
  const [key] = table('nexus.db', 'api_keys');
  assert.equal(made.key.slice(4, 14), key.id);
  assert.deepEqual(key.hash, hash(vault.nxapikey, 32, Buffer.from(made.key)));
});

test('the records of the audit log have the members of the page, in its order', () => {
  const members = rows(section(page, 'Records', 'SS')).filter((row) => row.length === 2).map(([name]) => name);
  const records = table('audit.db', 'audit').map(({ record }) => record);
  assert.ok(records.length > 5);
  for (const record of records) {
    const object = JSON.parse(record);
    assert.equal(record, JSON.stringify(object), 'without white space');
    assert.deepEqual(Object.keys(object), members.filter((name) => name in object));
  }
});
