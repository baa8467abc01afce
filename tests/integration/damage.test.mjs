// A record that cannot be read takes itself out of service, and nothing else.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register, request, token, visit } from '../support/flow.mjs';
import { Home, until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

let home;
let provider;
let good;
before(async () => {
  provider = await MisbehavingProvider.start();
  home = await Home.make();
  await home.start();
  await register(home, provider.issuer);
  good = (await connect(home, provider)).id;
});
after(async () => { await home.remove(); await provider.close(); });

/** Changes the vault behind the back of a daemon that is stopped, and starts it again. */
async function damage(sql) {
  await home.stop();
  execFileSync('sqlite3', [join(home.data, 'nexus.db'), sql]);
  await home.start();
}

async function othersAreServed() {
  assert.equal((await token(home, good)).status, 200);
  assert.equal((await home.nexus(['refresh', good])).code, 0);
  const listed = await home.api('GET', '/v1/connections?pending=true');
  assert.equal(listed.status, 200, listed.text);
  assert.ok(listed.json.some(({ connection_id: id }) => id === good));
  return listed.json;
}

for (const [what, sql] of [
  ['endpoints', "pinned = '{'"],
  ['endpoints, with no token endpoint among them', "pinned = '{}'"],
  ['status', "status = 'odd'"],
  ['type', "auth_type = 'odd'"],
]) {
  test(`a connection whose record of its ${what} is damaged`, async () => {
    const { id } = await connect(home, provider);
    // Due, so that the scheduler comes upon it as well.
    await damage(`UPDATE connections SET refresh_at = 1, ${sql} WHERE id = '${id}'`);
    assert.ok(await home.ticksIn(500) < 20, 'what is due is not tried without end');
    const listed = await othersAreServed();
    assert.ok(listed.some(({ connection_id }) => connection_id === id), 'it is listed');
    const refreshed = await home.nexus(['refresh', id]);
    assert.notEqual(refreshed.code, 0);
    assert.match(refreshed.stderr, /its record was altered by something else than nexusd/);
    assert.match((await home.nexus(['status', id])).stdout, /altered/);
    assert.equal((await home.nexus(['disconnect', id])).code, 0, 'and it can be removed');
    await othersAreServed();
  });
}

test('a connection that is turned to another token endpoint sends it nothing', async () => {
  const thief = await MisbehavingProvider.start();
  const { id } = await connect(home, provider);
  await damage(`UPDATE connections SET refresh_at = 1, pinned = replace(pinned, '${provider.issuer}', '${thief.issuer}') WHERE id = '${id}'`);
  assert.notEqual((await home.nexus(['refresh', id])).code, 0);
  assert.equal((await home.nexus(['disconnect', id])).code, 0);
  assert.deepEqual(thief.requests, []);
  await thief.close();
  await othersAreServed();
});

test('a provider that is turned to another token endpoint sends it nothing', async () => {
  const thief = await MisbehavingProvider.start();
  await register(home, provider.issuer, { name: 'turned' });
  const asked = await request(home, { provider_name: 'turned' });
  const answer = provider.consent(asked.auth_url);
  await damage(`UPDATE providers SET profile = replace(profile, '${provider.issuer}', '${thief.issuer}') WHERE name = 'turned'; UPDATE flows SET pinned = replace(pinned, '${provider.issuer}', '${thief.issuer}')`);
  assert.match((await visit(answer)).text, /altered by something else than nexusd/);
  const refused = await home.nexus(['connect', 'turned', '--no-browser']);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /the record of provider turned is damaged: it was altered by something else than nexusd/);
  assert.deepEqual(thief.requests, []);
  await thief.close();
  await othersAreServed();
});

test('an older refresh token that is put back is not sent', async () => {
  provider.rotate = true;
  const { id } = await connect(home, provider);
  const file = join(home.data, 'nexus.db');
  const kept = execFileSync('sqlite3', [file, `SELECT quote(generation) || ',' || quote(sealed) FROM credentials WHERE owner = '${id}' AND field = 'refresh_token'`], { encoding: 'utf8' }).trim();
  assert.equal((await home.nexus(['refresh', id])).code, 0);
  const before = provider.tokenRequests('refresh_token').length;
  await damage(`INSERT OR REPLACE INTO credentials (owner, field, generation, sealed) VALUES ('${id}', 'refresh_token', ${kept})`);
  const refused = await home.nexus(['refresh', id]);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /its refresh_token was put back or taken away by something else than nexusd/);
  assert.equal(provider.tokenRequests('refresh_token').length, before);
  provider.rotate = false;
  assert.equal((await home.nexus(['disconnect', id])).code, 0);
  await othersAreServed();
});

test('a flow whose record is damaged takes no answer', async () => {
  const asked = await request(home);
  const answer = provider.consent(asked.auth_url);
  await damage(`UPDATE flows SET pinned = '{' WHERE connection_id = '${asked.connection_id}'`);
  const page = await visit(answer);
  assert.match(page.text, /the flow of conn_\w+ was altered by something else than nexusd/);
  assert.equal((await home.nexus(['disconnect', asked.connection_id])).code, 0);
  await othersAreServed();
});

test('an API key whose record is damaged opens nothing, and the others do', async () => {
  const key = async (name) => JSON.parse((await home.nexus(['key', 'create', '--name', name, ...(name === 'sound' ? ['--use', 'all'] : ['--read', 'all']), '--json'])).stdout);
  await key('bad');
  await key('sound');
  await damage("UPDATE api_keys SET access = (SELECT access FROM api_keys WHERE name = 'sound') WHERE name = 'bad'");
  const listed = await home.nexus(['key', 'list', '--json']);
  assert.equal(listed.code, 0, listed.stderr);
  assert.deepEqual(JSON.parse(listed.stdout).keys.map(({ name, damaged }) => [name, damaged]), [['bad', true], ['sound', false]]);
  assert.match((await home.nexus(['key', 'list'])).stdout, /bad +\w+ +nothing: its record is damaged/);
  assert.equal((await home.nexus(['key', 'revoke', 'bad'])).code, 0);
  await othersAreServed();
});

test('a record of the audit log that was altered is told as that, and the others as they are', async () => {
  const asked = async (...words) => JSON.parse((await home.nexus(['audit', '--limit', '1000', '--json', ...words])).stdout).events;
  const whole = await asked();
  const { id } = whole.find((e) => e.event_type === 'oauth_flow_completed');
  await home.stop();
  execFileSync('sqlite3', [join(home.data, 'audit.db'), `UPDATE audit SET record = replace(record, 'oauth_flow_completed', 'token_retrieved') WHERE seq = ${id}`]);
  await home.start();
  for (const record of await asked()) {
    if (record.id === id) assert.equal(record.event_type, 'record_damaged');
    else if (Number(record.id) <= Number(whole[0].id)) assert.deepEqual(record, whole.find((e) => e.id === record.id));
  }
  assert.match((await home.nexus(['audit', '--limit', '1000'])).stdout, /record_damaged .*altered or damaged/);
  assert.ok(!(await asked('--event', 'token_retrieved')).some((e) => e.id === id));
});

for (const profile of ['{', '[]', '{}', '{"id":"another","name":"another"}']) {
  test(`a provider whose record is ${profile}`, async () => {
    await register(home, provider.issuer, { name: 'other' });
    const { id } = await connect(home, provider, { provider_name: 'other' });
    await damage(`UPDATE providers SET profile = '${profile}' WHERE name = 'other'`);
    await othersAreServed();
    const listed = await home.nexus(['provider', 'list']);
    assert.equal(listed.code, 0, listed.stderr);
    assert.match(listed.stdout, /demo/);
    assert.match(listed.stdout, /other +\? +the record of provider other is damaged/);
    const exported = await home.nexus(['provider', 'export']);
    assert.notEqual(exported.code, 0);
    assert.match(exported.stderr, /the record of provider other is damaged.*\n.*nexus provider remove other/);
    const shown = await home.nexus(['provider', 'show', 'other']);
    assert.match(shown.stderr, /the record of provider other is damaged.*\n.*nexus provider add other --replace/);
    assert.notEqual((await home.nexus(['refresh', id])).code, 0);
    const person = new Terminal(home, ['provider', 'remove', 'other']);
    await person.answer(/Remove other\? Its record is damaged \[y\/N\]: /, 'y');
    assert.equal((await person.end()).code, 0);
    assert.equal((await home.nexus(['disconnect', id])).code, 0);
    await othersAreServed();
  });
}

test('what a disk has damaged without a trace is found after the start, and told', async () => {
  const other = await Home.make();
  await other.start();
  await register(other, provider.issuer);
  const { id } = await connect(other, provider, { alias: 'sheltered' });
  const damaged = async () => {
    const { text } = await until(async () => { const metrics = await other.api('GET', '/metrics'); return metrics.text.includes('{file="audit.db"}') && metrics; }, 'both were checked');
    return ['nexus.db', 'audit.db'].filter((file) => text.includes(`nexus_database_damaged{file="${file}"} 1`));
  };
  assert.deepEqual(await damaged(), []);
  assert.deepEqual((await other.api('GET', '/v1/daemon')).json.damage, []);
  assert.equal((await other.nexus(['daemon', 'status'])).stderr, '');
  await other.stop();

  // One letter in an index: the row is there, and nobody finds it by its alias any more.
  const ask = (file, sql) => execFileSync('sqlite3', [join(other.data, file), sql]).toString().trim();
  const whole = Object.fromEntries(['nexus.db', 'audit.db'].map((file) => [file, readFileSync(join(other.data, file))]));
  const pages = ask('nexus.db', "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'connections' AND sql LIKE '%alias%'").split('\n').map(Number);
  const bytes = Buffer.from(whole['nexus.db']);
  const at = pages.map((page) => bytes.indexOf('sheltered', (page - 1) * 4096)).find((place, i) => place >= 0 && place < pages[i] * 4096);
  assert.ok(at > 0, 'the index holds the alias');
  bytes[at] += 1;
  writeFileSync(join(other.data, 'nexus.db'), bytes);
  await other.start();
  assert.deepEqual(await damaged(), ['nexus.db']);
  const { json } = await other.api('GET', '/v1/daemon');
  assert.match(json.damage[0], /^nexus\.db: row 1 missing from index /);
  assert.match(other.log, /error database_damaged file=nexus\.db .*DAMAGE/);
  const told = await other.nexus(['daemon', 'status']);
  assert.equal(told.code, 0);
  assert.match(told.stderr, /warning: damaged, see nexusd\(8\), DAMAGE: nexus\.db: row 1 missing/);
  assert.equal((await other.nexus(['token', id])).code, 0, 'and the rest is served');
  await other.stop();

  writeFileSync(join(other.data, 'nexus.db'), whole['nexus.db']);
  const audit = Buffer.from(whole['audit.db']);
  audit.fill(0, audit.length - 4096);
  writeFileSync(join(other.data, 'audit.db'), audit);
  await other.start();
  assert.deepEqual(await damaged(), ['audit.db']);
  await other.remove();
});

test('what is altered or hidden, and SQLite takes for sound, is told when nexusd has started', async () => {
  const { id } = await connect(home, provider);
  await home.makeKey('altered', '--use', 'all');
  await home.stop();
  const database = join(home.data, 'nexus.db');
  const whole = readFileSync(database);
  // A key that nobody can use any more, and a connection that no list has, as it is of no provider.
  execFileSync('sqlite3', [database, `UPDATE api_keys SET created_at = created_at + 1 WHERE name = 'altered'; UPDATE connections SET provider_id = 'none' WHERE id = '${id}'`]);
  await home.start();
  const told = async () => (await home.nexus(['daemon', 'status'])).stderr;
  await until(async () => /API key altered: not what was written there/.test(await told()), told);
  assert.match(await told(), new RegExp(`damaged, see nexusd\\(8\\), DAMAGE: nexus\\.db: connection ${id}: not what was written there\n`));
  assert.match(home.log, /database_damaged file=nexus\.db found="API key altered: not what was written there"/);
  await home.stop();
  writeFileSync(database, whole);
  await home.start();
  await until(async () => home.log.lastIndexOf('databases_checked') > home.log.lastIndexOf(' ready '), 'the check');
  assert.doesNotMatch(await told(), new RegExp(`API key altered|${id}`));
});

test('a nexusd whose vault cannot be counted says so, and can be stopped', async () => {
  const own = await Home.make();
  after(() => own.remove());
  await own.start();
  await own.stop();
  const database = join(own.data, 'nexus.db');
  const ask = (sql) => Number(execFileSync('sqlite3', [database, sql], { encoding: 'utf8' }));
  const page = ask("SELECT rootpage FROM sqlite_schema WHERE name = 'connection_statuses'");
  const size = ask('PRAGMA page_size');
  const bytes = readFileSync(database);
  bytes.fill(0xff, (page - 1) * size, page * size);
  writeFileSync(database, bytes);
  await own.start();
  const status = await own.nexus(['daemon', 'status']);
  assert.equal(status.code, 0, status.stderr);
  assert.match(status.stderr, /damaged, see nexusd\(8\), DAMAGE: the connections are not counted: the store failed: database disk image is malformed/);
  assert.equal((await own.nexus(['daemon', 'stop'])).code, 0);
});
