// The device authorization grant (RFC 8628): at a certified provider, and at ours when it misbehaves.
// Intervals are in whole seconds, so some of these wait: they run at once, each with a provider of its own.
import { test, describe, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { startCertifiedProvider, CLIENT_ID, CLIENT_SECRET } from '../provider/certified.mjs';
import { MisbehavingProvider, reply } from '../provider/misbehaving.mjs';
import { consentOnDevice } from '../support/consent.mjs';
import { register, request, token, SECRET } from '../support/flow.mjs';
import { BIN, Home, until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
let home;
let certified;
before(async () => {
  home = await Home.make();
  await home.start();
  certified = await startCertifiedProvider();
  await register(home, certified.issuer, {
    name: 'certified', client_id: CLIENT_ID, client_secret: CLIENT_SECRET, scopes: ['openid', 'email', 'offline_access'] });
});
after(async () => { await home.remove(); await certified.close(); });

/** A provider with a device endpoint; `answers`: what each poll in turn gets, the last one for ever. */
async function deviceProvider(name, { device = {}, answers = [] } = {}) {
  const provider = await MisbehavingProvider.start();
  provider.metadata = (document) => ({ ...document, device_authorization_endpoint: `${provider.issuer}/device_authorization` });
  provider.polls = [];
  provider.onOther = (path, response) => path === '/device_authorization' && reply(response, {
    device_code: 'canary-device-code-77ab', user_code: 'WDJB-MJHT', verification_uri: `${provider.issuer}/device`,
    expires_in: 600, interval: 1, ...device });
  provider.onToken = (form, response) => {
    if (form.get('grant_type') !== DEVICE) return false;
    provider.polls.push(Date.now());
    const answer = answers[Math.min(provider.polls.length, answers.length) - 1];
    return typeof answer === 'function' ? answer(response, provider, form) : reply(response, { error: answer }, 400);
  };
  await register(home, provider.issuer, { name, scopes: ['openid'] });
  return provider;
}

const good = (response, provider, form, claims = {}) => reply(response, {
  access_token: 'at-device', token_type: 'Bearer', expires_in: 3600, refresh_token: 'rt-device',
  id_token: provider.key.sign({ iss: provider.issuer, sub: 'alice', aud: 'client-1', exp: 2e9, iat: Math.floor(Date.now() / 1000), email: 'alice@example.com', ...claims }),
});
const ask = (name) => request(home, { provider_name: name, device: true });
/** Asks as a waiting application does, until the connection is no longer pending. */
const settled = (id, ms = 40000) => until(async () => {
  const status = await home.status(id);
  return status !== 'pending' && status;
}, `${id} settled`, ms);
const gaps = (times) => times.slice(1).map((time, at) => time - times[at]);

describe('the device grant', { concurrency: true }, () => {
  test('at a certified provider: code, consent elsewhere, active, refreshed', async () => {
    const asked = await ask('certified');
    assert.match(asked.user_code, /^[A-Z]{4}-[A-Z]{4}$/);
    assert.equal(asked.auth_url, asked.verification_uri_complete);
    assert.match(await consentOnDevice(asked.verification_uri, asked.user_code), /Sign-in Success/);
    assert.equal(await settled(asked.connection_id), 'active');
    const shown = (await home.api('GET', `/v1/connections/${asked.connection_id}`)).json;
    assert.equal(shown.account, 'alice@example.com');
    const first = (await token(home, asked.connection_id)).json;
    assert.ok(first.id_token);
    const again = (await home.api('POST', `/v1/refresh/${asked.connection_id}`)).json;
    assert.notEqual(again.access_token, first.access_token);
  });

  test('denied at the certified provider: failed, exit 5', async () => {
    const asked = await ask('certified');
    await consentOnDevice(asked.verification_uri, asked.user_code, { deny: true });
    assert.equal(await settled(asked.connection_id), 'failed');
    const status = await home.nexus(['status', asked.connection_id]);
    assert.equal(status.code, 5);
    assert.match(status.stdout, /consent was denied/);
  });

  test('nexus connect --device shows code and address, waits, prints the id; started in JSON too', async () => {
    const child = spawn(join(BIN, 'nexus'), ['connect', 'certified', '--device', '--json'], { env: home.env });
    let out = '';
    let err = '';
    child.stdout.on('data', (part) => { out += part; });
    child.stderr.on('data', (part) => { err += part; });
    const started = JSON.parse(await until(() => out.includes('\n') && out.split('\n')[0], 'the first line'));
    assert.equal(started.status, 'pending');
    await until(() => err.includes(started.user_code) && err.includes(started.verification_uri), 'code and address, for people');
    await consentOnDevice(started.verification_uri, started.user_code);
    const last = JSON.parse(await until(() => out.split('\n')[1], 'the second line', 20000));
    assert.deepEqual(last, { connection_id: started.connection_id, status: 'active' });
  });

  test('on a terminal there is a QR code, and Ctrl-C ends the polling within a second (G7, G8)', async () => {
    const provider = await deviceProvider('terminal', { answers: ['authorization_pending'], device: { user_code: 'AB\u001b[2JCD' } });
    const terminal = new Terminal(home, ['connect', 'terminal', '--device'], { env: { LANG: 'C.UTF-8', TERM: 'xterm' } });
    await until(() => provider.polls.length > 0, 'a poll');
    assert.ok(terminal.text.includes('█'), terminal.text);
    assert.ok(terminal.text.includes('AB?[2JCD'));
    assert.ok(!terminal.text.includes('\u001b[2J'));
    const pressed = Date.now();
    terminal.child.stdin.write('\x03');
    const { code, text } = await terminal.end();
    assert.ok(Date.now() - pressed < 1000);
    assert.equal(code, 130);
    assert.match(text, /still waits for consent/);
    const seen = provider.polls.length;
    await new Promise((go) => setTimeout(go, 2500));  // two intervals in which nothing may come
    assert.equal(provider.polls.length, seen);
    await provider.close();
  });

  test('slow_down adds five seconds for good (G3)', async () => {
    const provider = await deviceProvider('slow', { answers: ['slow_down', 'slow_down', good] });
    const begin = Date.now();
    assert.equal(await settled((await ask('slow')).connection_id), 'active');
    const [one, two, three] = gaps([begin, ...provider.polls]);
    assert.ok(one >= 1000 && two >= 6000 && three >= 11000, `${one} ${two} ${three}`);
    await provider.close();
  });

  test('it stops by its own clock (G5) and never asks for another code by itself (G10)', async () => {
    const provider = await deviceProvider('endless', { answers: ['authorization_pending'], device: { expires_in: 5 } });
    const asked = await ask('endless');
    assert.equal(await settled(asked.connection_id), 'failed');
    assert.ok(provider.polls.length <= 7);
    assert.equal((await token(home, asked.connection_id)).json.code, 'connection_not_active');
    assert.equal(provider.requests.filter((r) => r.path === '/device_authorization').length, 1);
    await provider.close();
  });

  test('resets are backed off from, Retry-After is kept, and it goes on (G6)', async () => {
    const reset = (response) => { response.socket.resetAndDestroy(); return true; };
    const later = (response) => reply(response, {}, 503, { 'retry-after': '3' });
    const provider = await deviceProvider('flaky', { answers: [reset, reset, later, later, good] });
    assert.equal(await settled((await ask('flaky')).connection_id), 'active');
    const [one, two, three, four] = gaps(provider.polls);
    assert.ok(one >= 2000 && two >= 4000 && three >= 3000 && four >= 3000, `${one} ${two} ${three} ${four}`);
    await provider.close();
  });

  for (const error of ['access_denied', 'expired_token', 'invalid_grant', 'something_else'])
    test(`${error} ends it (G4)`, async () => {
      const name = `ends-${error.replaceAll('_', '-')}`;
      const provider = await deviceProvider(name, { answers: ['authorization_pending', error] });
      const asked = await ask(name);
      assert.equal(await settled(asked.connection_id), 'failed');
      assert.equal(provider.polls.length, 2);
      const told = (await home.api('GET', `/v1/connections/${asked.connection_id}`)).json.last_error;
      assert.equal(told.code, error);
      assert.match(told.message, error === 'access_denied' ? /^consent was denied$/ : new RegExp(`^(the provider|nobody) .* \\(${error}\\)$`));
      await provider.close();
    });

  test('id_tokens are checked as ever (G9), and one has to come', async () => {
    const bad = {
      'bad-signature': (response, provider, form) => good(response, { ...provider, key: { sign: (claims) => provider.key.sign(claims).slice(0, -8) + 'AAAAAAAA' }, issuer: provider.issuer }, form),
      'bad-audience': (response, provider, form) => good(response, provider, form, { aud: 'other' }),
      'no-id-token': (response) => reply(response, { access_token: 'a', token_type: 'Bearer' }),
    };
    for (const [name, answer] of Object.entries(bad)) {
      const provider = await deviceProvider(name, { answers: [answer] });
      assert.equal(await settled((await ask(name)).connection_id), 'failed', name);
      await provider.close();
    }
  });

  test('answers that RFC 8628 does not allow are refused, and nothing is stored (G1)', async () => {
    const count = async () => (await home.api('GET', '/v1/connections?pending=true&workspace_id=g1')).json.length;
    const cases = [
      { device_code: undefined }, { user_code: undefined }, { verification_uri: undefined }, { expires_in: undefined },
      { expires_in: 'soon' }, { expires_in: -1 }, { verification_uri: 'javascript:alert(1)' }, { verification_uri: 'http://192.0.2.1/x' },
    ];
    for (const [at, device] of cases.entries()) {
      const provider = await deviceProvider(`g1-${at}`, { device });
      const answer = await home.api('POST', '/v1/request-connection', { provider_name: `g1-${at}`, workspace_id: 'g1', device: true });
      assert.equal(answer.json.code, 'provider_protocol', JSON.stringify(device));
      await provider.close();
    }
    assert.equal(await count(), 0);
  });

  test('odd intervals become five seconds (G2), and verification_url is understood', async () => {
    const odd = await Promise.all([undefined, 0, -1, 'x', 1e9].map(async (interval, at) => {
      const provider = await deviceProvider(`g2-${at}`, { answers: ['access_denied'], device: { interval, expires_in: 60 } });
      return { provider, id: (await ask(`g2-${at}`)).connection_id };
    }));
    await new Promise((go) => setTimeout(go, 1200));  // an interval of one second would be over
    for (const { provider, id } of odd) {
      // Answered after the provider was asked, if it was.
      assert.equal((await home.api('GET', `/v1/connections/${id}`)).json.status, 'pending');
      assert.equal(provider.polls.length, 0);
      await home.api('DELETE', `/v1/connections/${id}`);
      await provider.close();
    }
    const provider = await deviceProvider('google-style', { device: { verification_uri: undefined, verification_url: 'https://www.google.com/device' } });
    assert.equal((await ask('google-style')).verification_uri, 'https://www.google.com/device');
    await provider.close();
  });

  test('a restart loses nothing, and the device code appears nowhere (G8)', async () => {
    const other = await Home.make();
    await other.start();
    const provider = await MisbehavingProvider.start();
    let polls = 0;
    provider.metadata = (document) => ({ ...document, device_authorization_endpoint: `${provider.issuer}/device_authorization` });
    provider.onOther = (path, response) => path === '/device_authorization' && reply(response, {
      device_code: 'canary-device-code-77ab', user_code: 'X', verification_uri: `${provider.issuer}/device`, expires_in: 600, interval: 1 });
    provider.onToken = (form, response) => {
      ++polls;
      assert.equal(form.get('device_code'), 'canary-device-code-77ab');
      return good(response, provider);
    };
    await register(other, provider.issuer, { scopes: ['openid'] });
    const asked = await request(other, { device: true });
    await other.stop();
    assert.equal(polls, 0);
    await other.start();
    await until(async () => (await other.status(asked.connection_id)) === 'active', 'active after the restart');
    for (const text of [other.log, other.file('nexus.db').toString('latin1'), other.file('nexus.db-wal').toString('latin1'), other.file('audit.db').toString('latin1')])
      assert.ok(!text.includes('canary-device-code-77ab'));
    await other.remove();
    await provider.close();
  });

  test('a provider without the endpoint says so, with the ways that are left', async () => {
    const provider = await MisbehavingProvider.start();
    await register(home, provider.issuer, { name: 'no-device' });
    const run = await home.nexus(['connect', 'no-device', '--device']);
    assert.equal(run.code, 2);
    assert.match(run.stderr, /no device authorization endpoint/);
    assert.match(run.stderr, /--paste/);
    await provider.close();
  });

  test('a provider of the device grant alone needs no authorization endpoint', async () => {
    const provider = await MisbehavingProvider.start();
    const added = await home.nexus(['provider', 'add', 'only-device', '--token-url', `${provider.issuer}/token`, '--grant-type', 'device_code',
      '--param', `device_authorization_endpoint=${provider.issuer}/device_authorization`, '--client-id', 'client-1', '--client-secret-file', '-', '--allow-insecure-http'], { input: SECRET });
    assert.equal(added.code, 0, added.stderr);
    provider.onOther = (path, response) => path === '/device_authorization' && reply(response, { device_code: 'd', user_code: 'U', verification_uri: `${provider.issuer}/d`, expires_in: 60, interval: 1 });
    provider.onToken = (form, response) => reply(response, { access_token: 'a', token_type: 'Bearer', expires_in: 60 });
    const connected = await home.nexus(['connect', 'only-device']);
    assert.equal(connected.code, 0, connected.stderr);
    assert.match(connected.stderr, /enter the code {2}U/);
    const [sent] = provider.requests.filter((r) => r.path === '/device_authorization');
    assert.equal(sent.form.get('client_id'), 'client-1');
    assert.match(sent.headers.authorization, /^Basic /);
    await provider.close();
  });
});
