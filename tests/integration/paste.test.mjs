// A consent that always completes: the port is taken, nobody can listen, or the browser is elsewhere.
import { test, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { reply } from '../provider/misbehaving.mjs';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, startOver, token, visit } from '../support/flow.mjs';
import { until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);
await register(home, provider.issuer, { name: 'anyport', params: { any_loopback_port: true } });
await register(home, provider.issuer, { name: 'secure', params: { https_redirect: true } });
beforeEach(() => startOver(home, provider));

const urlOn = async (terminal) => (await terminal.shows(/ {2}http\S+response_type\S+/), terminal.text.match(/ {2}(http\S+response_type\S+)/g).at(-1).trim());

/** Runs `act` while another program holds the callback's port. */
async function withPortTaken(act) {
  const other = createServer((request, response) => response.end('not nexus'));
  // Those of earlier tests who were expected are so no more: nexusd gives the port up in a moment.
  await until(() => once(other.listen(home.callbackPort, '127.0.0.1'), 'listening').then(() => true, () => false), 'the port is free');
  try {
    await act();
  } finally {
    other.closeAllConnections();
    other.close();
    await once(other, 'close');
  }
}

test('--paste: the person brings the address, and nothing is listened on', { timeout: 60000 }, async () => {
  await withPortTaken(async () => {
    const terminal = new Terminal(home, ['connect', 'demo', '--paste', '--no-browser', '--alias', 'pasted']);
    const answer = provider.consent(await urlOn(terminal));
    await terminal.answer(/Paste the address: /, 'hello');
    await terminal.shows(/paste all of it/);
    await terminal.answer(/Paste the address: /, answer.replace(/state=(.)/, (_, first) => `state=${first === 'x' ? 'y' : 'x'}`));
    await terminal.shows(/belongs to no connection that is waiting/);
    await terminal.answer(/Paste the address: /, answer);
    const { code, text } = await terminal.end();
    assert.equal(code, 0, text);
    assert.match(text, /Connected as alice@example\.com/);
  });
  assert.equal((await token(home, 'pasted')).status, 200);
});

test('Ctrl-C instead of an address ends the connection that nobody can answer any more', async () => {
  const terminal = new Terminal(home, ['connect', 'demo', '--paste', '--no-browser', '--alias', 'left']);
  await terminal.answer(/Paste the address: /, '^C');
  const { code, text } = await terminal.end();
  assert.equal(code, 130, text);
  assert.match(text, /interrupted; taken back: the connection\n/);
  assert.deepEqual((await home.api('GET', '/v1/connections?pending=true')).json, []);
});

test('a pasted answer is as strictly looked at as any: once, with its state and issuer', async () => {
  const ask = async () => (await home.api('POST', '/v1/request-connection', { provider_name: 'demo', paste: true })).json;
  const bring = (url) => home.api('POST', '/v1/complete-connection', { callback_url: url });
  const first = await ask();
  const good = provider.consent(first.auth_url);
  const changed = (act) => { const url = new URL(good); act(url); return url.href; };
  for (const bad of [
    changed((url) => url.searchParams.set('iss', 'https://evil.example')),
    changed((url) => url.searchParams.append('state', 'x')),
    changed((url) => { url.port = '1'; }),
    changed((url) => { url.pathname = '/elsewhere'; }),
    changed((url) => url.searchParams.delete('code')),
  ]) assert.equal((await bring(bad)).json.code, 'invalid_state', bad);
  for (const bad of ['', 'x', 'javascript:alert(1)', 'http://x/%zz?a=%zz']) assert.equal((await bring(bad)).status, 400, bad);
  assert.equal(provider.tokenRequests().length, 0);
  assert.equal((await bring(good)).json.status, 'active');
  assert.equal((await bring(good)).json.code, 'invalid_state');
  const denied = await ask();
  const url = new URL(provider.consent(denied.auth_url));
  url.searchParams.delete('code');
  url.searchParams.set('error', 'access_denied');
  assert.deepEqual((await bring(url.href)).json, { connection_id: denied.connection_id, status: 'failed', message: 'consent was denied' });
});

test('a taken port: who holds it is told, and a person can paste instead', { timeout: 60000 }, async () => {
  await withPortTaken(async () => {
    const alone = await home.nexus(['connect', 'demo', '--no-browser']);
    assert.equal(alone.code, 1);
    assert.match(alone.stderr, new RegExp(`node.* \\(pid ${process.pid}\\) holds the port`));
    assert.match(alone.stderr, /nexus connect demo --paste/);
    const terminal = new Terminal(home, ['connect', 'demo', '--no-browser']);
    await terminal.shows(/holds the port/);
    const answer = provider.consent(await urlOn(terminal));
    await terminal.answer(/Paste the address: /, answer);
    const { code, text } = await terminal.end();
    assert.equal(code, 0);
    assert.ok(!/device/.test(alone.stderr + text), 'no other device is offered where the provider has no such grant');
  });
});

test('another device is offered where the provider has that grant: at a taken port, and where the browser is elsewhere', { timeout: 60000 }, async () => {
  provider.onOther = (path, response) => path === '/device' && reply(response, {
    device_code: 'dc', user_code: 'WDJB-MJHT', verification_uri: `${provider.issuer}/device`, expires_in: 600, interval: 1 });
  provider.onToken = (form, response) => form.get('grant_type').endsWith('device_code') && reply(response, { error: 'authorization_pending' }, 400);
  await register(home, provider.issuer, { name: 'handy', params: { device_authorization_endpoint: `${provider.issuer}/device` } });
  const ask = async (name, fields) => (await home.api('POST', '/v1/request-connection', { provider_name: name, ...fields })).json;
  await withPortTaken(async () => {
    const refused = await ask('handy');
    assert.equal(refused.code, 'callback_unavailable');
    assert.equal(refused.device_supported, true);
    assert.match(refused.hint, /--paste, or consent on another device: --device/);
    assert.ok(!('device_supported' in await ask('demo')));
    const terminal = new Terminal(home, ['connect', 'handy', '--no-browser']);
    await terminal.answer(/another device \(d\), or paste .*\? \[p\]/, 'd');
    await terminal.shows(/WDJB-MJHT/);
    terminal.child.stdin.write('\x03');
    await terminal.end();
  });
  assert.equal((await ask('handy')).device_supported, true);
  const { auth_url: url, redirect_uri: uri, device_supported: device } = await ask('demo');
  assert.equal(device, undefined);
  assert.equal(uri, new URL(url).searchParams.get('redirect_uri'));
  const env = { SSH_CONNECTION: '192.0.2.7 50000 192.0.2.9 22' };
  const told = async (name) => (await home.nexus(['connect', name, '--no-browser', '--timeout', '1s'], { env })).stderr;
  assert.match(await told('handy'), /with --paste or --device\./);
  assert.match(await told('demo'), /with --paste\.\n/);
});

test('the port to forward is that of the redirect URI which was sent', async () => {
  await withPortTaken(async () => {
    const run = await home.nexus(['connect', 'anyport', '--no-browser', '--timeout', '1s'], { env: { SSH_CONNECTION: '192.0.2.7 50000 192.0.2.9 22' } });
    const sent = new URL(new URL(run.stderr.match(/http\S+response_type\S+/)[0]).searchParams.get('redirect_uri'));
    assert.notEqual(Number(sent.port), home.callbackPort);
    assert.match(run.stderr, new RegExp(`ssh -N -L ${sent.port}:127\\.0\\.0\\.1:${sent.port} `));
  });
});

test('a taken port is no obstacle where the provider takes any', async () => {
  await withPortTaken(async () => {
    const asked = (await home.api('POST', '/v1/request-connection', { provider_name: 'anyport' })).json;
    const redirect = new URL(new URL(asked.auth_url).searchParams.get('redirect_uri'));
    assert.equal(redirect.hostname, '127.0.0.1');
    assert.notEqual(Number(redirect.port), home.callbackPort);
    const page = await visit(provider.consent(asked.auth_url));
    assert.equal(page.status, 200);
    assert.equal(await home.status(asked.connection_id), 'active');
    assert.equal(provider.tokenRequests()[0].form.get('redirect_uri'), redirect.href, 'the same URI at the token endpoint');
  });
  const { asked } = await connect(home, provider, { provider_name: 'anyport' });
  assert.equal(Number(new URL(new URL(asked.auth_url).searchParams.get('redirect_uri')).port), home.callbackPort, 'the usual port when it is free');
});

test('a provider that takes only https is connected by pasting', { timeout: 60000 }, async () => {
  const shown = JSON.parse((await home.nexus(['provider', 'show', 'secure', '--json'])).stdout);
  assert.equal(new URL(shown.redirect_uri).origin, `https://localhost:${home.callbackPort}`);
  const alone = await home.nexus(['connect', 'secure', '--no-browser']);
  assert.equal(alone.code, 1);
  assert.match(alone.stderr, /--paste/);
  const terminal = new Terminal(home, ['connect', 'secure', '--no-browser']);
  const answer = provider.consent(await urlOn(terminal));
  assert.ok(answer.startsWith('https://localhost:'));
  await terminal.answer(/Paste the address: /, answer);
  assert.equal((await terminal.end()).code, 0);
});

test('over SSH and in containers, the way around is told', async () => {
  const over = await home.nexus(['connect', 'demo', '--no-browser', '--timeout', '1s'], { env: { SSH_CONNECTION: '192.0.2.7 50000 192.0.2.9 22' } });
  assert.match(over.stderr, new RegExp(`ssh -N -L ${home.callbackPort}:127\\.0\\.0\\.1:${home.callbackPort} 192\\.0\\.2\\.9`));
  const inside = await home.nexus(['connect', 'demo', '--no-browser', '--timeout', '1s'], { env: { container: 'podman' } });
  assert.match(inside.stderr, new RegExp(`-p 127\\.0\\.0\\.1:${home.callbackPort}:${home.callbackPort}`));
});

test('a restart while an answer is to be pasted opens no port, and the answer is still taken', async () => {
  const asked = (await home.api('POST', '/v1/request-connection', { provider_name: 'demo', paste: true })).json;
  await home.stop();
  await withPortTaken(async () => {
    await home.start();
    assert.ok(!home.log.includes('callback_not_resumed'));
    const done = await home.api('POST', '/v1/complete-connection', { callback_url: provider.consent(asked.auth_url) });
    assert.equal(done.json.status, 'active', done.text);
  });
});
