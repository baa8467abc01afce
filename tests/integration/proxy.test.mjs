// The proxy: a loopback port on which programs reach the APIs of connections without a credential, and
// nexus exec --proxy, which starts them so.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { KINDS, KeyedApi } from '../provider/keyed_api.mjs';
import { forwarding } from '../support/forwarding.mjs';
import { connect, register, token } from '../support/flow.mjs';
import { BIN, Home, freePort, until } from '../support/nexus.mjs';

const { home, provider, api, id } = await forwarding();
const { id: other } = await connect(home, provider, { alias: 'work' });
const bearer = (await token(home, id)).json.access_token;
const forwardKey = await home.makeKey('agent', '--forward', id);

const sh = (script) => ['sh', '-c', script];
const exec = (args, command, options) => home.nexus(['exec', '--proxy', ...args, '--', ...command], options);
const status = async () => JSON.parse((await home.nexus(['proxy', 'status', '--json'])).stdout);

/** One request to a URL; gives status, headers and body. */
function ask(url, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, async (response) => {
      let text = '';
      for await (const part of response) text += part;
      let json;
      try { json = JSON.parse(text); } catch { json = undefined; }
      resolve({ status: response.statusCode, headers: response.headers, text, json });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** A program behind the proxy that runs until it is ended; tells its address and key. */
async function running(args = [id]) {
  const child = spawn(join(BIN, 'nexus'), ['exec', '--proxy', ...args, '--', ...sh('echo "$NEXUS_PROXY_URL $NEXUS_PROXY_KEY"; exec sleep 1000')], { env: home.env, stdio: ['ignore', 'pipe', 'inherit'] });
  after(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (text) => { said += text; });
  await until(() => said.includes('\n'), () => said);
  const [url, key] = said.trim().split(' ');
  return { child, url, key, end: async (signal) => { child.kill(signal); await once(child, 'close'); } };
}

test('a program gets an address and a key, and its requests arrive with the credential', async () => {
  const { stdout, code, stderr } = await exec(['--env', 'TOKEN=demo', '--env', 'BASE=demo:proxy_url', '--workspace', 'default', id], sh('env | grep -E "^(TOKEN|BASE|DEMO_TOKEN|NEXUS)" | sort; curl -sS -H "Authorization: Bearer $TOKEN" "$BASE/things?a=b"'));
  assert.equal(code, 2, 'demo is two connections');
  assert.match(stderr, /two|several|2 /i);
  assert.equal(stdout, '');
  const good = await exec(['--env', `TOKEN=${id}`, '--env', `BASE=${id}:proxy_url`, id], sh('env | grep -E "^(TOKEN|BASE|DEMO_TOKEN|NEXUS)" | sort; curl -sS -H "Authorization: Bearer $TOKEN" "$BASE/things?a=b"'));
  assert.equal(good.code, 0, good.stderr);
  const variables = Object.fromEntries(good.stdout.split('\n').filter((line) => /^[A-Z_]+=/.test(line)).map((line) => line.split(/=(.*)/s).slice(0, 2)));
  assert.match(variables.TOKEN, /^nxr_[0-9a-z]{10}_[0-9A-Za-z]{49}$/);
  assert.deepEqual(variables, { TOKEN: variables.TOKEN, DEMO_TOKEN: variables.TOKEN, NEXUS_PROXY_KEY: variables.TOKEN, BASE: `${variables.NEXUS_PROXY_URL}/${id}`, NEXUS_PROXY_URL: variables.NEXUS_PROXY_URL });
  assert.match(good.stdout, /"target":"\/v3\/things\?a=b"/);
  assert.equal(api.requests[0].headers.authorization, `Bearer ${bearer}`);
  assert.ok(!good.stdout.includes(bearer));
  assert.ok(!JSON.stringify(api.requests).includes('nxr_'));
});

test('the key is taken from wherever a client puts a credential, and goes no further', async () => {
  const { url, key, end } = await running();
  const basic = (text) => `Basic ${Buffer.from(text).toString('base64')}`;
  const ways = [
    { authorization: `Bearer ${key}` }, { authorization: `token ${key}` }, { authorization: key }, { 'x-api-key': key }, { 'x-goog-api-key': key },
    { authorization: basic(`${key}:`) }, { authorization: basic(`user:${key}`) }, { 'private-token': key },
    { authorization: `AWS4-HMAC-SHA256 Credential=${key}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0` },
  ];
  for (const headers of ways) assert.equal((await ask(`${url}/${id}/x`, { headers })).status, 200, JSON.stringify(headers));
  for (const headers of [{ 'x-debug': `nxr_ ${key}` }, { 'x-other': basic(`user:${key}`) }])
    assert.equal((await ask(`${url}/${id}/x`, { headers })).status, 200);
  const encoded = key.replace('_', '%5F');
  for (const path of [`/x?a=nxr_&key=${key}`, `/x?key=${encoded}`, `/x?key=${key}`, `/x?a=1&key=${key}&b=2`]) assert.equal((await ask(`${url}/${id}${path}`)).status, 200);
  assert.deepEqual(api.requests.slice(-2).map(({ target }) => target), ['/v3/x', '/v3/x?a=1&b=2']);
  assert.ok(api.requests.every(({ headers }) => headers.authorization === `Bearer ${bearer}`));
  assert.ok(!/nx[kr](_|%5F)[0-9a-z]{10}/.test(JSON.stringify(api.requests)));
  // So is an API key; and no second one goes on beside the one that counts.
  api.reset();
  for (const headers of [{ 'x-goog-api-key': forwardKey }, { authorization: `Bearer ${forwardKey}`, 'x-other': forwardKey }, { 'x-api-key': forwardKey, 'x-other': key }])
    assert.equal((await ask(`${url}/${id}/x?token=${forwardKey}`, { headers })).status, 200, Object.keys(headers).join());
  assert.ok(!/nx[kr]_/.test(JSON.stringify(api.requests)));
  const inPath = async (spelt) => assert.equal((await ask(`${url}/${id}/bot${spelt}/getMe`, { headers: { 'x-api-key': key, 'user-agent': `a ${key}` } })).json.code, 'invalid_field');
  await inPath(key);
  await ask(`${url}/${id}/bot${forwardKey}/x`, { headers: { 'x-api-key': 'wrong' } });
  const secrets = [key, forwardKey].map((each) => each.slice(-40));
  const recorded = `${home.log}${(await home.api('GET', '/v1/audit?limit=1000')).text}`;
  assert.ok(secrets.every((secret) => !recorded.includes(secret)), 'neither the log nor the audit log has a key');
  await inPath(encoded);
  for (const wrong of ['', 'nxr_', `${key.slice(0, -1)}x`, key.toUpperCase()])
    assert.equal((await ask(`${url}/${id}/x`, { headers: { authorization: `Bearer ${wrong}` } })).status, 401, wrong);
  const foreign = await ask(`${url}/${other}/x`, { headers: { 'x-api-key': key } });
  assert.deepEqual([foreign.status, foreign.json.code, foreign.headers['x-nexus-error']], [404, 'connection_not_found', 'connection_not_found']);
  assert.equal((await ask(`${url}/${id}/x`, { headers: { 'x-api-key': key, 'x-nexus-dry-run': 'show-secrets' } })).status, 403);
  await end('SIGTERM');
});

test('each strategy is applied, whatever the program put in its place, signatures among it', async () => {
  const keyed = await KeyedApi.start();
  after(() => keyed.close());
  const ids = {};
  for (const [kind, { provider: fields, credentials }] of Object.entries(KINDS)) {
    const name = `kind-${kind.replaceAll('_', '-')}`;
    await home.api('POST', '/v1/providers', { name, api_base_url: keyed.url, allow_insecure_http: true, ...fields });
    const asked = (await home.api('POST', '/v1/request-connection', { provider_name: name })).json;
    assert.equal((await home.api('POST', '/v1/capture-credential', { state: asked.state, credentials })).status, 200, kind);
    ids[kind] = asked.connection_id;
  }
  const { url, key, end } = await running(Object.values(ids).flatMap((each, i) => ['--env', `K${i}=${each}`]));
  const places = {
    api_key: { headers: { 'x-api-key': key } }, header: { headers: { authorization: `Bearer ${key}` } }, query_param: { query: `?key=${key}` },
    basic_auth: { headers: { authorization: `Basic ${Buffer.from(`${key}:${key}`).toString('base64')}` } }, hmac_payload: { headers: { 'x-signature': key } },
    aws_sigv4: { headers: { 'x-amz-date': '20200101T000000Z', 'x-amz-security-token': key, authorization: `AWS4-HMAC-SHA256 Credential=${key}/20200101/eu-west-1/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}` } },
  };
  for (const [kind, { query = '', headers }] of Object.entries(places)) {
    const path = kind === 'aws_sigv4' ? '/aws' : KINDS[kind].provider.user_info_endpoint;
    const answer = await ask(`${url}/${ids[kind]}${path}${query}`, { headers });
    assert.deepEqual([answer.status, answer.json?.login], [200, 'octo'], `${kind}: ${answer.text}`);
  }
  assert.ok(!JSON.stringify(keyed.requests.map(({ path, query, headers }) => [path, [...query], headers])).includes('nxr_'));
  await end('SIGTERM');
});

test('the key ends with the program, however that ends, and nobody listens then', async () => {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    const first = await running();
    const second = await running();
    assert.equal(first.url, second.url, 'one port for all');
    assert.equal((await status()).programs, 2);
    assert.equal((await ask(`${first.url}/${id}/x`, { headers: { 'x-api-key': first.key } })).status, 200);
    await first.end(signal);
    await until(async () => (await status()).programs === 1);
    const late = await ask(`${second.url}/${id}/x`, { headers: { 'x-api-key': first.key } });
    assert.deepEqual([late.status, late.json.code], [401, 'invalid_api_key']);
    assert.match(late.json.message, /is over/);
    await second.end(signal);
    await until(async () => (await status()).url === null);
    await assert.rejects(ask(`${second.url}/health`), /ECONNREFUSED/);
  }
});

test('what two readers could read differently, or is meant for another host, goes nowhere', async () => {
  const { url, key, end } = await running();
  const { port } = new URL(url);
  const raw = (bytes) => home.raw(bytes, { target: { host: '127.0.0.1', port } });
  const head = (line) => `${line}\r\nHost: 127.0.0.1:${port}\r\nX-API-Key: ${key}\r\n`;
  for (const rest of ['Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!', 'X-A: b\rAuthorization: c\r\n\r\n', 'X-A : b\r\n\r\n'])
    assert.match(await raw(head(`POST /${id}/x HTTP/1.1`) + rest), /^HTTP\/1\.1 400 /, JSON.stringify(rest));
  for (const line of [`GET http://127.0.0.2/${id}/x HTTP/1.1`, `GET http://u:p@127.0.0.1:${port}/${id}/x HTTP/1.1`, `GET ${id}/x HTTP/1.1`]) assert.match(await raw(`${head(line)}\r\n`), /^HTTP\/1\.1 400 /, line);
  assert.match(await raw(`${head('CONNECT 127.0.0.2:80 HTTP/1.1')}\r\n`), /^HTTP\/1\.1 (400|405|501) /);
  for (const path of ['/../x', '/%2e%2e/x', '/a/./b']) assert.match(await raw(`${head(`GET /${id}${path} HTTP/1.1`)}\r\n`), /"code":"invalid_field"/, path);
  assert.deepEqual(api.requests, []);
  const inside = `GET /${id}/inner HTTP/1.1\r\nHost: x\r\n\r\n`;
  await raw(`${head(`POST /${id}/outer HTTP/1.1`)}Content-Length: ${inside.length}\r\n\r\n${inside}`);
  assert.deepEqual(api.requests.map(({ target, body }) => [target, body.toString()]), [['/v3/outer', inside]]);
  await end('SIGTERM');
});

test('rules say what of an API a program may ask for', async () => {
  const { url, key, end } = await running([id, '--rule', 'deny * /things/secret', '--rule', 'allow GET,HEAD /things/**']);
  const code = async (method, path, headers = {}) => { const { status: got, json } = await ask(`${url}/${id}${path}`, { method, headers: { 'x-api-key': key, ...headers } }); return got === 200 ? 200 : json.code; };
  assert.equal(await code('GET', '/things/1?x=/y'), 200);
  for (const [method, path] of [['GET', '/other'], ['POST', '/things/1'], ['GET', '/things/secret'], ['GET', '/things/s%65cret'], ['GET', '/things//1'], ['GET', '/things%2f1'], ['GET', '/']])
    assert.equal(await code(method, path), 'route_not_allowed', `${method} ${path}`);
  assert.equal(await code('GET', '/things/1', { 'x-http-method-override': 'DELETE' }), 'route_not_allowed');
  assert.equal(api.requests.length, 1);
  const records = (await home.api('GET', '/v1/audit?event_type=request_forwarded&limit=50')).json.map(({ event_data: data }) => JSON.parse(data));
  assert.ok(records.some(({ outcome, detail, via, key: who }) => outcome === 'refused' && detail === 'POST route_not_allowed' && via === 'proxy' && who.startsWith('nxr_')));
  await end('SIGTERM');
  const wrong = await exec([id, '--rule', 'permit all'], ['true']);
  assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
  assert.match(wrong.stderr, /the rule 'permit all' .*\n {2}it reads \[CONNECTION\] allow\|deny METHODS PATH/);
});

test('what a program behind the proxy cannot have is refused with a way out', async () => {
  for (const [args, said] of [
    [['--file', `A=${id}`], /--proxy keeps credentials from the program/],
    [['--netrc', `h=${id}`], /--proxy keeps credentials from the program/],
    [['--env', `A=${id}:access_token`], /with --proxy there is no access_token for A/],
    [['nobody'], /no connection nobody|there is no connection/],
  ]) {
    const { code, stderr, stdout } = await exec(args, sh('echo ran'));
    assert.ok(code === 2 || code === 6, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, said);
  }
  assert.match((await home.nexus(['exec', id, '--rule', 'allow GET /**', '--', 'true'])).stderr, /--rule is about what goes through the proxy/);
  const remote = await exec([id], ['true'], { env: { NEXUS_URL: `http://127.0.0.1:${home.gatewayPort}`, NEXUS_API_KEY: await home.makeKey('boss', '--admin') } });
  assert.equal(remote.code, 2);
  assert.match(remote.stderr, /--proxy is for a nexusd on this machine/);
  const direct = await home.http('POST', '/v1/daemon/proxy/programs', { connections: [id] }, { key: await home.makeKey('boss-2', '--admin') });
  assert.deepEqual([direct.status, direct.json.code], [403, 'access_denied']);
  const { stdout } = await exec([id], sh('echo "$no_proxy|$NO_PROXY"'), { env: { no_proxy: 'a.example', NO_PROXY: '', HTTP_PROXY: 'http://127.0.0.1:1' } });
  assert.match(stdout, /^a\.example,127\.0\.0\.1:\d+,127\.0\.0\.1\|127\.0\.0\.1:\d+,127\.0\.0\.1\n$/);
});

test('programs find the address under the name that they know', async () => {
  await register(home, provider.issuer, { name: 'openai-like', api_base_url: api.url, params: { catalog_entry: 'openai' } });
  const { id: ai } = await connect(home, provider, { provider_name: 'openai-like' });
  const { stdout } = await exec([ai], sh('echo "$OPENAI_BASE_URL"; curl -sS -H "Authorization: Bearer $OPENAI_API_KEY" "$OPENAI_BASE_URL/models"'));
  assert.match(stdout, new RegExp(`^http://127\\.0\\.0\\.1:\\d+/${ai}/v1\\n`));
  assert.match(stdout, /"target":"\/v1\/models"/);
});

test('nexus proxy start listens until it is stopped, for whoever shows a key', async () => {
  const port = await freePort();
  const started = await home.nexus(['proxy', 'start', '--listen', `127.0.0.1:${port}`]);
  const url = `http://127.0.0.1:${port}`;
  assert.deepEqual([started.code, started.stdout], [0, `${url}\n`], started.stderr);
  const get = (path, headers = {}) => ask(`${url}${path}`, { headers: { 'x-api-key': forwardKey, ...headers } });
  for (const [path, headers] of [[`/${id}/x?y=1`, {}], ['/demo/x?y=1', {}], ['/demo/x?y=1', { 'x-nexus-connection-id': id }], ['/x?y=1', { 'x-nexus-provider': 'Demo', 'x-nexus-connection-id': id }], ['/x?y=1', { 'x-nexus-provider': 'demo' }]]) {
    const answer = await get(path, headers);
    assert.deepEqual([answer.status, answer.json.target], [200, '/v3/x?y=1'], `${path} ${answer.text}`);
  }
  assert.ok(api.requests.every(({ headers }) => Object.keys(headers).every((name) => !name.startsWith('x-nexus'))));
  for (const [path, headers, expected] of [
    [`/${id}/x`, { 'x-api-key': '' }, '401 invalid_api_key'],
    [`/${id}/x`, { origin: 'https://evil.example' }, '403 access_denied'],
    [`/${id}/x`, { 'sec-fetch-site': 'cross-site' }, '403 access_denied'],
    [`/${id}/x`, { host: 'evil.example' }, '421 misdirected_request'],
    ['/work/x', {}, '404 connection_not_found'],
    ['/', {}, '400 invalid_field'],
    ['/github/x', { 'x-nexus-connection-id': id }, '404 connection_not_found'],
    [`/${id}/x`, { 'x-nexus-target': 'http://127.0.0.2/' }, '400 invalid_field'],
  ]) {
    const { status: got, json } = await get(path, headers);
    assert.equal(`${got} ${json.code}`, expected, `${path} ${JSON.stringify(headers)}`);
  }
  assert.equal((await ask(`${url}/${id}/x`)).json.code, 'missing_api_key');
  assert.deepEqual((await ask(`${url}/health`)).json, { status: 'ok', healthy: true });
  assert.equal((await ask(`${url}/v1/token/${id}`, { headers: { 'x-api-key': forwardKey } })).status, 404, 'v1 is no connection');
  const routes = (await home.nexus(['proxy', 'routes'])).stdout;
  assert.match(routes, /^ADDRESS +PROVIDER +API +ALLOWED/m);
  assert.match(routes, new RegExp(`^${url}/work +demo +${api.url}/v3 +all`, 'm'));
  assert.match((await home.nexus(['proxy', 'status'])).stdout, new RegExp(`listens on +${url}`));
  assert.equal((await home.nexus(['proxy', 'start'])).stdout, `${url}\n`, 'it is there already');
  assert.equal((await home.nexus(['proxy', 'start', '--listen', '0.0.0.0:8070'])).code, 2);
  // Programs that run keep their address.
  const { url: own, end } = await running();
  assert.equal(own, url);
  const moved = await home.nexus(['proxy', 'start', '--listen', `127.0.0.1:${await freePort()}`]);
  assert.notEqual(moved.code, 0);
  assert.match(moved.stderr, /programs that run use the proxy at/);
  assert.match((await home.nexus(['proxy', 'stop'])).stdout, /ends with the programs that use it: 1\n/);
  assert.equal((await get(`/${id}/x`)).status, 200);
  await end('SIGTERM');
  await until(async () => !JSON.parse((await home.nexus(['proxy', 'status', '--json'])).stdout).url, 'it listens no more');
  await assert.rejects(get(`/${id}/x`), /ECONNREFUSED/);
  await home.nexus(['proxy', 'start', '--listen', `127.0.0.1:${port}`]);
  assert.match((await home.nexus(['proxy', 'stop'])).stdout, /listens no more/);
});

test('a port that is taken is told, and the one before stays', async () => {
  const port = await freePort();
  await home.nexus(['proxy', 'start', '--listen', `127.0.0.1:${port}`]);
  const { code, stderr } = await home.nexus(['proxy', 'start', '--listen', `127.0.0.1:${home.gatewayPort}`]);
  assert.notEqual(code, 0);
  assert.match(stderr, /nexus: .*\n {2}\S/);
  assert.equal((await ask(`http://127.0.0.1:${port}/health`)).status, 200);
  await home.nexus(['proxy', 'stop']);
});

test('nexus.toml says where it always listens, and what is allowed on it and on the gateway', async () => {
  const port = await freePort();
  const own = await Home.make({ gateway: true, config: `[proxy]\nlisten = "127.0.0.1:${port}"\nrules = ["demo allow GET /ok/**"]\n` });
  await own.start();
  after(() => own.remove());
  await register(own, provider.issuer, { api_base_url: `${api.url}/v3` });
  const { id: there } = await connect(own, provider);
  await register(own, provider.issuer, { name: 'other', api_base_url: `${api.url}/v3` });
  const { id: unnamed } = await connect(own, provider, { provider_name: 'other' });
  const routes = (await own.nexus(['proxy', 'routes'])).stdout;
  assert.match(routes, /demo allow GET \/ok\/\*\*$/m);
  assert.match(routes, /nothing: no rule is about it$/m);
  const key = await own.makeKey('app', '--use', 'all');
  assert.equal((await ask(`http://127.0.0.1:${port}/${unnamed}/ok/1`, { headers: { 'x-api-key': key } })).json.code, 'route_not_allowed');
  const url = `http://127.0.0.1:${port}`;
  for (const base of [`${url}/${there}`, `http://127.0.0.1:${own.gatewayPort}/v1/proxy/${there}`]) {
    assert.equal((await ask(`${base}/ok/1`, { headers: { 'x-api-key': key } })).status, 200);
    assert.equal((await ask(`${base}/else`, { headers: { 'x-api-key': key } })).json.code, 'route_not_allowed');
  }
  assert.equal((await own.nexus(['api', there, '/else'])).code, 0, 'rules are for applications, not for the owner');
  assert.match((await own.nexus(['proxy', 'routes'])).stdout, /demo allow GET \/ok\/\*\*/);
  // A stop with a request under way ends in order.
  api.answer = (request, response) => { response.writeHead(200); response.write('begun'); };
  const open = httpRequest(`${url}/${there}/ok/slow`, { headers: { 'x-api-key': key } });
  open.end();
  const [response] = await once(open, 'response');
  response.on('error', () => {});
  await once(response, 'data');
  assert.equal(await own.stop(), 0);
  for (const [setting, said] of [['listen = "0.0.0.0:8070"', /proxy\.listen is for programs on this machine/], ['rules = ["allow"]', /proxy\.rules: the rule 'allow'/]]) {
    const wrong = await Home.make({ config: `[proxy]\n${setting}\n` });
    await assert.rejects(wrong.start(), said);
    await wrong.remove();
  }
});
