// A record that cannot be read takes itself out of service, and nothing else.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register, request, token, visit } from '../support/flow.mjs';
import { Home } from '../support/nexus.mjs';
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

for (const [what, sql, said] of [
  ['endpoints', "pinned = '{'", /the record of where its tokens belong is damaged/],
  ['endpoints, with no token endpoint among them', "pinned = '{}'", /the record of where its tokens belong is damaged/],
  ['status', "status = 'odd'", /its record is damaged: the status is unknown: odd/],
  ['type', "auth_type = 'odd'", /its record is damaged: the type is unknown: odd/],
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
    assert.match(refreshed.stderr + (await home.nexus(['status', id, '--json'])).stdout, said);
    assert.equal((await home.nexus(['disconnect', id])).code, 0, 'and it can be removed');
    await othersAreServed();
  });
}

test('a flow whose record of its endpoints is damaged ends with its connection', async () => {
  const asked = await request(home);
  const answer = provider.consent(asked.auth_url);
  await damage(`UPDATE flows SET pinned = '{' WHERE connection_id = '${asked.connection_id}'`);
  const page = await visit(answer);
  assert.match(page.text, /demo could not be connected/);
  await othersAreServed();
});

test('an API key whose record is damaged opens nothing, and the others do', async () => {
  const key = async (name) => JSON.parse((await home.nexus(['key', 'create', '--name', name, '--use', 'all', '--json'])).stdout);
  await key('bad');
  await key('sound');
  await damage("UPDATE api_keys SET access = '{' WHERE name = 'bad'");
  const listed = await home.nexus(['key', 'list', '--json']);
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stdout, /sound/);
  assert.equal((await home.nexus(['key', 'revoke', 'bad'])).code, 0);
  await othersAreServed();
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
    assert.match(listed.stdout, /other/);
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
