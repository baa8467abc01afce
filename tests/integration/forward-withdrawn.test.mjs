// What nexusd sends on ends with what allowed it: a stream, a download, an upload or a WebSocket that is
// under way when its key, its program, its connection or the proxy goes, and nothing else.
import { test, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import WebSocket from 'ws';
import { WebSocketApi } from '../provider/websocket_api.mjs';
import { connect, register } from '../support/flow.mjs';
import { forwarding } from '../support/forwarding.mjs';
import { BIN, Home, freePort, until } from '../support/nexus.mjs';

const AT_ONCE = 1000;

const { home, provider, api, id } = await forwarding();
const live = await WebSocketApi.start();
after(() => live.close());
beforeEach(() => live.reset());
const liveTo = async (name) => {
  await register(home, provider.issuer, { name, api_base_url: `${live.url}/v3`, params: { websocket: true } });
  return (await connect(home, provider, { provider_name: name })).id;
};
const liveId = await liveTo('live');
/** Of another key and another connection: goes on whatever is withdrawn. */
const otherKey = await home.makeKey('other', '--use', 'all');
const { id: otherId } = await connect(home, provider, { alias: 'other' });

const open = [];
after(() => { for (const one of open) one.abort(); });

/** Something that is open: when it ended, and how the API's side of it did. */
class Open {
  constructor() {
    open.push(this);
    this.ended = null;
    this.apiEnded = null;
  }

  end() { this.ended ??= Date.now(); }

  abort() { this.socket?.terminate(); this.request?.destroy(); }

  async endsWithin(since, what) {
    await until(() => this.ended && this.apiEnded, () => `the end of ${what} at both ends (${this.ended}, ${this.apiEnded})`);
    for (const [side, at] of [['caller', this.ended], ['API', this.apiEnded]])
      assert.ok(at - since < AT_ONCE, `${what}, ${side}: ${at - since} ms`);
  }

  goesOn(what) { assert.deepEqual([this.ended, this.apiEnded], [null, null], `${what} goes on`); }
}

const places = {
  gateway: (to) => ({ base: `http://127.0.0.1:${home.gatewayPort}/v1/proxy/${to}` }),
  socket: (to) => ({ socketPath: home.socket, base: `http://localhost/v1/proxy/${to}` }),
};
/** Whether the server's end of that client's connection is anybody's; the kernel may still have something to send. */
const isHeldByServer = (port) => readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/))
  .some(([, , remote, , , , , , , inode]) => remote?.endsWith(`:${port.toString(16).toUpperCase().padStart(4, '0')}`) && inode !== '0');

let proxyUrl;
places.proxy = (to) => ({ base: `${proxyUrl}/${to}` });

async function http({ where, to, key, method = 'GET', answer, body }) {
  const one = new Open();
  api.answer = (request, response) => {
    one.apiSide = { request, response };
    request.socket.on('close', () => { one.apiEnded ??= Date.now(); });
    request.on('data', (part) => { one.arrived = (one.arrived ?? 0) + part.length; });
    if (answer) answer(response);
  };
  const { socketPath, base } = typeof where === 'function' ? where(to) : places[where](to);
  const url = new URL(`${base}/stream`);
  one.request = httpRequest({ ...(socketPath ? { socketPath } : { host: url.hostname, port: url.port }), path: url.pathname, method, agent: false, headers: key ? { 'x-api-key': key } : {} });
  one.request.on('error', () => one.end());
  one.request.on('response', (response) => {
    one.response = response;
    if (response.statusCode >= 400) response.resume();
    response.on('error', () => one.end());
    response.on('close', () => { one.whole = response.complete; one.end(); });
  });
  if (body) body(one.request); else one.request.end();
  await until(() => one.apiSide, 'the request arrives');
  return one;
}

const kinds = {
  'server-sent events': async (whose) => {
    const one = await http({ ...whose, answer: (response) => { response.writeHead(200, { 'content-type': 'text/event-stream' }); response.write('data: 1\n\n'); } });
    await until(() => one.response, 'the stream begins');
    const [event] = await once(one.response, 'data');
    assert.equal(event.toString(), 'data: 1\n\n');
    return one;
  },
  'a download that nobody reads': async (whose) => {
    const one = await http({ ...whose, answer: (response) => {
      response.writeHead(200, { 'content-length': 1e9 });
      const more = () => { while (!response.destroyed && response.write(Buffer.alloc(65536))); };
      response.on('drain', more);
      more();
    } });
    await until(() => one.response, 'the download begins');
    await until(() => one.apiSide.response.writableNeedDrain, 'everything is full');
    // What does not read is told nothing: it is nexusd that has closed the connection by then.
    const port = one.request.socket.localPort;
    const look = setInterval(() => {
      if (port ? isHeldByServer(port) : !one.apiEnded) return;
      clearInterval(look);
      one.end();
      one.response.resume();
    }, 20);
    return one;
  },
  'an upload': async (whose) => {
    const one = await http({ ...whose, method: 'POST', body: (request) => request.write(Buffer.alloc(100_000)) });
    await until(() => one.arrived === 100_000, 'the upload arrives');
    return one;
  },
  'a request whose answer is awaited': (whose) => http(whose),
  'a WebSocket': async ({ where, key, liveTo: to = liveId }) => {
    const one = new Open();
    const { socketPath, base } = typeof where === 'function' ? where(to) : places[where](to);
    const url = socketPath ? `ws+unix://${socketPath}:/v1/proxy/${to}/echo` : `${base.replace('http', 'ws')}/echo`;
    const before = live.clients.length;
    one.socket = new WebSocket(url, { headers: key ? { 'x-api-key': key } : {} });
    one.socket.on('error', () => one.end());
    one.socket.on('close', () => one.end());
    await once(one.socket, 'open');
    await until(() => live.clients.length > before, 'it has arrived');
    live.clients.at(-1).on('close', () => { one.apiEnded ??= Date.now(); });
    one.socket.send('hello');
    assert.equal((await once(one.socket, 'message'))[0].toString(), 'hello');
    return one;
  },
};

/** Opens one of a kind and one that stays, withdraws, and sees the first alone end. */
async function endsWith(kind, whose, withdraw) {
  const stays = await kinds['server-sent events']({ where: 'gateway', to: otherId, key: otherKey });
  const goes = await kinds[kind](whose);
  await new Promise((go) => setTimeout(go, 50));
  goes.goesOn(kind);
  const since = Date.now();
  const at = await withdraw();
  await goes.endsWithin(Number.isInteger(at) ? at : since, kind);
  if (goes.response) await until(() => goes.response.closed, 'the caller learns of it');
  assert.ok(!goes.whole || goes.response.statusCode >= 400, 'what was cut off does not look whole');
  stays.goesOn('another stream');
  stays.abort();
  return goes;
}

const startProxy = async () => { proxyUrl = (await home.nexus(['proxy', 'start', '--listen', `127.0.0.1:${await freePort()}`])).stdout.trim(); };
const nexus = async (...args) => {
  const done = await home.nexus(args);
  assert.equal(done.code, 0, done.stderr);
  return done;
};

let count = 0;
for (const kind of Object.keys(kinds)) {
  for (const where of ['gateway', 'proxy'])
    test(`${kind} ends with its key, through the ${where}`, async () => {
      const name = `key-${++count}`;
      const key = await home.makeKey(name, '--forward', id, '--forward', liveId);
      if (where === 'proxy') await startProxy();
      await endsWith(kind, { where, to: id, key }, () => nexus('key', 'revoke', name));
      const [record] = (await home.api('GET', '/v1/audit?event_type=key.revoked&limit=1')).json;
      assert.match(JSON.parse(record.event_data).detail, new RegExp(`${name}; 1 request that was sent on ended`));
    });

  test(`${kind} ends when its key expires`, async () => {
    const expires_at = Math.floor(Date.now() / 1000) + 3;
    const { json: { key } } = await home.api('POST', '/v1/keys', { name: `key-${++count}`, forward: [id, liveId], expires_at });
    await endsWith(kind, { where: 'gateway', to: id, key }, async () => {
      await new Promise((go) => setTimeout(go, expires_at * 1000 - Date.now()));
      return expires_at * 1000;
    });
  });

  test(`${kind} ends with the program whose key began it`, async () => {
    const child = spawn(join(BIN, 'nexus'), ['exec', '--proxy', id, '--proxy', liveId, '--', 'sh', '-c', 'echo "$NEXUS_PROXY_URL $NEXUS_PROXY_KEY"; exec sleep 1000'], { env: home.env, stdio: ['ignore', 'pipe', 'inherit'] });
    after(() => child.kill('SIGKILL'));
    let said = '';
    child.stdout.on('data', (text) => { said += text; });
    await until(() => said.includes('\n'), () => said);
    const [url, key] = said.trim().split(' ');
    await startProxy();  // it goes on listening
    await endsWith(kind, { where: (to) => ({ base: `${url}/${to}` }), to: id, key }, () => child.kill('SIGKILL'));
  });

  for (const where of ['gateway', 'socket'])
    test(`${kind} ends with its connection, through the ${where}`, async () => {
      const { id: to } = await connect(home, provider);
      const { id: liveOne } = await connect(home, provider, { provider_name: 'live' });
      const gone = kind === 'a WebSocket' ? liveOne : to;
      const goes = await endsWith(kind, { where, to, liveTo: liveOne, key: where === 'gateway' ? otherKey : '' }, () => nexus('disconnect', gone, '--yes'));
      const [record] = (await home.api('GET', '/v1/audit?event_type=connection_revoked&limit=1')).json;
      assert.match(JSON.parse(record.event_data).detail, /; 1 request that was sent on ended/);
      if (kind === 'a request whose answer is awaited') assert.equal(goes.response.statusCode, 410);
    });

  test(`${kind} ends when the proxy is stopped`, async () => {
    await startProxy();
    await endsWith(kind, { where: 'proxy', to: id, key: otherKey }, () => nexus('proxy', 'stop'));
  });
}

test('what is cut off does not look whole, where the end of the connection is the body\'s', async () => {
  const begun = async (key) => {
    api.answer = (request, response) => { begun.response = response; response.writeHead(200); response.write('begun'); };
    const socket = dial(home.gatewayPort, '127.0.0.1');
    after(() => socket.destroy());
    const over = new Promise((done) => { socket.on('error', ({ code }) => done(code)); socket.on('end', () => done('a proper end')); });
    socket.write(`GET /v1/proxy/${id}/ HTTP/1.0\r\nHost: 127.0.0.1:${home.gatewayPort}\r\nX-API-Key: ${key}\r\n\r\n`);
    // All of it: Node takes a reset behind bytes that it has not read for an end.
    let text = '';
    await new Promise((go) => { socket.on('data', (part) => { text += part; if (text.endsWith('begun')) go(); }); });
    return { over };
  };
  const key = await home.makeKey('old-client', '--forward', id);
  for (const [withKey, act, expected] of [
    [key, () => nexus('key', 'revoke', 'old-client'), 'ECONNRESET'],
    [otherKey, () => begun.response.destroy(), 'ECONNRESET'],
    [otherKey, () => begun.response.end(), 'a proper end'],
  ]) {
    const { over } = await begun(withKey);
    await act();
    assert.equal(await over, expected);
  }
});

test('what is no stream of the one that goes stays, wherever it is', async () => {
  const key = await home.makeKey('going', '--forward', id);
  await startProxy();
  const goes = [await kinds['server-sent events']({ where: 'gateway', to: id, key }), await kinds['server-sent events']({ where: 'proxy', to: id, key })];
  const stay = [];
  for (const where of ['gateway', 'proxy', 'socket'])
    for (const kind of ['server-sent events', 'a WebSocket'])
      stay.push(await kinds[kind]({ where, to: id, key: where === 'socket' ? '' : otherKey }));
  const since = Date.now();
  await nexus('key', 'revoke', 'going');
  for (const one of goes) await one.endsWithin(since, 'a stream');
  await new Promise((go) => setTimeout(go, 200));
  for (const one of stay) one.goesOn('another');
  for (const one of stay) one.abort();
});

test('a program keeps what it has while it runs, also when the proxy is stopped meanwhile', async () => {
  await startProxy();
  const child = spawn(join(BIN, 'nexus'), ['exec', '--proxy', id, '--', 'sh', '-c', 'echo "$NEXUS_PROXY_URL $NEXUS_PROXY_KEY"; exec sleep 1000'], { env: home.env, stdio: ['ignore', 'pipe', 'inherit'] });
  after(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (text) => { said += text; });
  await until(() => said.includes('\n'), () => said);
  const [url, key] = said.trim().split(' ');
  const one = await kinds['server-sent events']({ where: (to) => ({ base: `${url}/${to}` }), to: id, key });
  await nexus('proxy', 'stop');
  await new Promise((go) => setTimeout(go, 200));
  one.goesOn('its stream');
  const since = Date.now();
  child.kill('SIGTERM');
  await one.endsWithin(since, 'its stream');
});

test('what a person does to a connection in other ways ends what goes on with it, too', async () => {
  const stream = async (to) => kinds['server-sent events']({ where: 'socket', to });
  const [moved, replaced] = [await connect(home, provider), await connect(home, provider)];
  for (const [what, to, act] of [
    ['replaced', replaced.id, () => connect(home, provider, { replaces: replaced.id })],
    ['moved', moved.id, () => home.api('POST', '/v1/export', { connections: [moved.id], move: true, passphrase: 'a long enough passphrase' })],
  ]) {
    const one = await stream(to);
    const since = Date.now();
    await act();
    await one.endsWithin(since, what);
  }
  await register(home, provider.issuer, { name: 'changed', api_base_url: `${api.url}/v3` });
  const { id: changed } = await connect(home, provider, { provider_name: 'changed' });
  const [one, other] = [await stream(changed), await stream(otherId)];
  await nexus('provider', 'edit', 'changed', '--param', 'websocket=true');
  one.goesOn('what a setting does not touch');
  const since = Date.now();
  await nexus('provider', 'edit', 'changed', '--client-id', 'another');
  await one.endsWithin(since, 'a provider that is another client\'s');
  other.goesOn('another provider\'s');
  other.abort();
});

test('a key that its file has no more ends what was begun with it', async () => {
  const file = join(home.dir, 'keys');
  const [kept, dropped] = ['kept-0123456789abcdef', 'dropped-0123456789abcdef'];
  writeFileSync(file, `${kept}\n${dropped}\n`, { mode: 0o600 });
  const own = await Home.make({ gateway: { environment_keys: true }, env: { API_KEYS_FILE: file, API_KEY_RELOAD_INTERVAL: '1s' } });
  await own.start();
  after(() => own.remove());
  await register(own, provider.issuer, { api_base_url: `${api.url}/v3` });
  const { id: there } = await connect(own, provider);
  const where = (to) => ({ base: `http://127.0.0.1:${own.gatewayPort}/v1/proxy/${to}` });
  const [stays, goes] = [await kinds['server-sent events']({ where, to: there, key: kept }), await kinds['server-sent events']({ where, to: there, key: dropped })];
  writeFileSync(file, `${kept}\n`);
  // It is read again when a key is used.
  await until(async () => { await own.http('GET', `/v1/check-connection/${there}`, undefined, { key: kept }); return goes.ended; }, 'it ends');
  stays.goesOn('the key that stays');
  stays.abort();
});
