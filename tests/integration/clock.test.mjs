// Clocks that jump (F15): libfaketime turns the daemon's wall clock, CLOCK_BOOTTIME goes on as it does.
import { test, before, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register, request, startOver, token, visit } from '../support/flow.mjs';
import { BIN, Home, until } from '../support/nexus.mjs';

const DAY = 86400;
const library = readdirSync('/usr/lib').map((name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`).find((path) => existsSync(path));
// A sanitizer's runtime has to be the first library of all.
const skip = /lib[at]san/.test(execFileSync('ldd', [join(BIN, 'nexusd')]).toString()) && 'not under a sanitizer';

let home;
let provider;
let env;
const turn = (seconds) => writeFileSync(env.FAKETIME_TIMESTAMP_FILE, `${seconds < 0 ? '' : '+'}${seconds}`);
before(async () => {
  assert.ok(library, 'libfaketime is installed');
  provider = await MisbehavingProvider.start();
  provider.rotate = true;
  home = await Home.make();
  mkdirSync(home.data, { mode: 0o700 });  // which nexusd may read in its sandbox
  env = { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: join(home.data, 'clock'), FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
  turn(0);
  await home.start(skip ? {} : { env });
  await register(home, provider.issuer, { scopes: ['read'] });
});
after(async () => { await home.remove(); await provider.close(); });
beforeEach(() => startOver(home, provider));

const refreshes = () => provider.tokenRequests('refresh_token').length;
const pause = (seconds) => new Promise((go) => setTimeout(go, seconds * 1000));

test('a day ahead: every token is refreshed once, none is served expired, nobody is bothered', { skip, timeout: 60000 }, async () => {
  provider.rotate = true;
  const ids = [];
  for (let at = 0; at < 5; ++at) ids.push((await connect(home, provider)).id);
  const old = new Map();
  for (const id of ids) old.set(id, (await token(home, id)).json.access_token);
  turn(DAY);
  const answers = await Promise.all([...ids, ...ids, ...ids].map((id) => token(home, id)));
  for (const { status, json } of answers) {
    assert.equal(status, 200);
    assert.notEqual(json.access_token, old.get(json.connection_id));
    assert.ok(json.expires_in > 3500);
  }
  assert.equal(refreshes(), ids.length);
  await pause(3);
  assert.equal(refreshes(), ids.length, 'no burst');
  // And back: nobody knows which day was right, but no token got a day more to live.
  turn(0);
  for (const id of ids) assert.equal((await token(home, id)).status, 200);
  assert.ok(refreshes() <= 2 * ids.length);
  for (const id of ids) assert.equal(await home.status(id), 'active');
});

test('what others dated is held against the corrected clock: a consent with OpenID goes on', { skip }, async () => {
  turn(DAY);
  assert.equal((await home.api('GET', '/v1/connections')).status, 200);
  turn(0);
  await register(home, provider.issuer, { name: 'openid' });
  const { id, asked } = await connect(home, provider, { provider_name: 'openid' });
  assert.equal(await home.status(id), 'active');
  assert.ok(Math.abs(asked.expires_at - Date.now() / 1000 - 600) < 10, 'the flow ends by the clock that people see');
});

test('a day back: a token does not live a day longer', { skip, timeout: 60000 }, async () => {
  turn(0);
  provider.expiresIn = 12;
  const { id } = await connect(home, provider);
  const first = (await token(home, id)).json.access_token;
  turn(-DAY);
  const soon = (await token(home, id)).json;
  assert.ok(soon.expires_in <= 12, `${soon.expires_in} s left`);
  await until(async () => (await token(home, id)).json.access_token !== first, 'the end of its 12 s', 13000);
  assert.ok(refreshes() >= 1 && refreshes() <= 3, `${refreshes()} refreshes`);
  assert.equal(await home.status(id), 'active');
});

test('a daemon that starts a day in the past trusts no token from the future', { skip, timeout: 60000 }, async () => {
  turn(0);
  const { id } = await connect(home, provider);
  const first = (await token(home, id)).json.access_token;
  await home.stop();
  turn(-DAY);
  await home.start({ env });
  const [one, two] = await Promise.all([token(home, id), token(home, id)]);
  assert.notEqual(one.json.access_token, first);
  assert.equal(one.json.access_token, two.json.access_token);
  assert.equal(refreshes(), 1);
  assert.equal(await home.status(id), 'active');
});

test('a failed attempt is shown for a day, then only counted', { skip }, async () => {
  const own = await Home.make();
  try {
    mkdirSync(own.data, { mode: 0o700 });
    const clock = { ...env, FAKETIME_TIMESTAMP_FILE: join(own.data, 'clock') };
    const begin = async (seconds) => {
      writeFileSync(clock.FAKETIME_TIMESTAMP_FILE, `${seconds}`);
      await own.start({ env: clock });
    };
    const fail = async () => {
      const asked = await request(own);
      const url = new URL(asked.auth_url).searchParams;
      await visit(`${url.get('redirect_uri')}?error=access_denied&state=${encodeURIComponent(url.get('state'))}`);
    };
    await begin(-2 * DAY);
    await register(own, provider.issuer, { scopes: ['read'] });
    await fail();
    await own.stop();
    await begin('+0');
    for (const command of ['list', 'status']) {
      const { stdout, stderr } = await own.nexus([command]);
      assert.deepEqual([stdout, stderr], ['', '1 older failed attempt not shown; see: nexus list --status failed\n']);
    }
    assert.match((await own.nexus(['list', '--status', 'failed'])).stdout, /^- +demo +- +failed/m);
    assert.equal(JSON.parse((await own.nexus(['list', '--json'])).stdout).connections.length, 1, 'scripts get all of them');
    await fail();
    const { stdout, stderr } = await own.nexus(['list']);
    assert.equal(stdout.match(/ failed /g).length, 1);
    assert.match(stderr, /^1 older failed attempt /);
  } finally {
    await own.remove();
  }
});
