// nexus api: what the command line makes of its words, what it prints and how it ends.
import { test, before, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash, randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, token } from '../support/flow.mjs';
import { BIN, until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';
import { RecordingApi } from '../provider/recording_api.mjs';
import { KeyedApi, KINDS, KEY } from '../provider/keyed_api.mjs';

const { home, provider } = await daemonAndProvider({ gateway: true });
let api;
let keyed;
let bearer;
before(async () => {
  api = await RecordingApi.start();
  keyed = await KeyedApi.start();
  await register(home, provider.issuer, { api_base_url: `${api.url}/v3` });
  const { id } = await connect(home, provider);
  bearer = (await token(home, id)).json.access_token;
  for (const [kind, { provider: fields, credentials }] of Object.entries(KINDS)) {
    const name = kind.replaceAll('_', '-');
    await home.api('POST', '/v1/providers', { name, api_base_url: keyed.url, allow_insecure_http: true, ...fields });
    const { state } = (await home.api('POST', '/v1/request-connection', { provider_name: name })).json;
    assert.equal((await home.api('POST', '/v1/capture-credential', { state, credentials })).status, 200);
  }
});
after(async () => { await api.close(); await keyed.close(); });
beforeEach(() => { api.reset(); keyed.reset(); });

const nexus = (args, options) => home.nexus(['api', ...args], options);
const last = () => api.requests.at(-1);

test('the method and the body are what the words say', async () => {
  const made = async (...words) => {
    const { code, stderr } = await nexus(['demo', ...words]);
    assert.equal(code, 0, stderr);
    const { method, target, headers, body } = last();
    return [method, target, headers['content-type'], body.toString()];
  };
  assert.deepEqual(await made('/user'), ['GET', '/v3/user', undefined, '']);
  assert.deepEqual(await made('user?a=b'), ['GET', '/v3/user?a=b', undefined, '']);
  assert.deepEqual(await made('DELETE', '/x'), ['DELETE', '/v3/x', undefined, '']);
  assert.deepEqual(await made('/x', '-d', '{"a":1}'), ['POST', '/v3/x', 'application/json', '{"a":1}']);
  assert.deepEqual(await made('/x', '-d', 'a=b'), ['POST', '/v3/x', 'application/x-www-form-urlencoded', 'a=b']);
  assert.deepEqual(await made('PUT', '/x', '-d', 'a', '-H', 'Content-Type: text/plain'), ['PUT', '/v3/x', 'text/plain', 'a']);
  assert.deepEqual(await made('/x', '-f', 'name=1', '-F', 'n=1', '-F', 'on=true', '-F', 'z=01', '-F', 'nil=null'),
    ['POST', '/v3/x', 'application/json', '{"name":"1","n":1,"on":true,"z":"01","nil":null}']);
  assert.deepEqual(await made('GET', '/x?p=1', '-f', 'q=a b&c'), ['GET', '/v3/x?p=1&q=a%20b%26c', undefined, '']);
  assert.deepEqual(await made('POST', '/x'), ['POST', '/v3/x', undefined, '']);
  assert.equal(last().headers['content-length'], '0');
  const file = join(home.dir, 'body.json');
  writeFileSync(file, '[1]');
  assert.deepEqual(await made('/x', '--input', file), ['POST', '/v3/x', 'application/json', '[1]']);
  assert.equal(last().headers['content-length'], '3');
});

test('bodies of any length are streamed in and out', async () => {
  const body = randomBytes(8 * 1024 * 1024);
  api.answer = (request, response) => { response.writeHead(200, { 'content-type': 'application/octet-stream' }); request.pipe(response); };
  const file = join(home.dir, 'big');
  const { code, stdout, stderr } = await nexus(['demo', 'POST', '/x', '--input', '-', '-o', file], { input: body });
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '');
  assert.ok(readFileSync(file).equals(body));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const hash = createHash('sha256');
  await new Promise((resolve) => {
    const child = execFile(join(BIN, 'nexus'), ['api', 'demo', 'POST', '/x', '--input', file], { env: home.env, encoding: 'buffer', maxBuffer: 1e8 }, resolve);
    child.stdout.on('data', (part) => hash.update(part));
  });
  assert.equal(hash.digest('hex'), createHash('sha256').update(body).digest('hex'));
});

test('the exit code tells the class of the answer, and stdout has its body', async () => {
  for (const [status, expected] of [[200, 0], [204, 0], [302, 0], [400, 1], [404, 1], [429, 10], [500, 10], [503, 10]]) {
    api.answer = (request, response) => response.writeHead(status).end(status === 204 ? undefined : 'the body');
    const { code, stdout, stderr } = await nexus(['demo', '/x']);
    assert.equal(code, expected, `${status}`);
    assert.equal(stdout, status === 204 ? '' : 'the body');
    if (status >= 400) assert.match(stderr, new RegExp(`the API answered ${status}`));
  }
  api.answer = (request, response) => response.writeHead(404, { 'content-type': 'application/json' }).end('{"code":"connection_not_found"}');
  assert.equal((await nexus(['demo', '/x'])).code, 1, 'a body like an error of ours is the API\'s all the same');
  assert.equal((await nexus(['nobody', '/x'])).code, 6);
  const json = await nexus(['nobody', '/x', '--json']);
  assert.equal(JSON.parse(json.stdout).error.code, 'connection_not_found');
});

test('-i shows the head; what is refused says why', async () => {
  const { stdout } = await nexus(['demo', '/x', '-i']);
  assert.match(stdout, /^HTTP\/1\.1 200 OK\ncontent-type: application\/json\n[^]*\n\n\{"method":"GET"/);
  for (const words of [['demo'], ['demo', 'get', '/x'], ['demo', 'GET', '/x', '/y'], ['demo', '/x', '-H', 'no colon'], ['demo', '/x', '-H', 'a b: c'],
    ['demo', '/x', '-f', 'novalue'], ['demo', '/x', '-d', 'a', '-f', 'b=c'], ['demo', '/x', '--input', '/nonexistent'], ['demo', '/x', '--input', '/'],
    ['demo', 'POST', '/x', '--paginate'], ['demo', '/x', '--slurp'], ['demo', '/a\tb'], ['demo', '/x', '-o', '/nonexistent/x']]) {
    const { code, stderr } = await nexus(words);
    assert.equal(code, 2, `${words}: ${stderr}`);
    assert.match(stderr, /^nexus: .+\n/);
  }
  assert.deepEqual(api.requests.filter(({ target }) => target !== '/v3/x'), []);
});

test('pages follow each other as the Link header says, to hosts of the provider only', async () => {
  api.answer = (request, response) => {
    const page = Number(new URL(request.url, api.url).searchParams.get('page') ?? 1);
    const link = page < 3 ? { link: `<${api.url}/v3/x?page=1>; rel="first", <${api.url}/v3/x?page=${page + 1}>; rel="next"` } : {};
    response.writeHead(200, { 'content-type': 'application/json', ...link }).end(`[${page}]`);
  };
  assert.equal((await nexus(['demo', '/x'])).stdout, '[1]');
  assert.equal((await nexus(['demo', '/x', '--paginate'])).stdout, '[1][2][3]');
  assert.deepEqual(JSON.parse((await nexus(['demo', '/x', '--paginate', '--slurp'])).stdout), [[1], [2], [3]]);
  for (const next of [(page) => `/v3/x?fields=a,b&page=${page}`, (page) => `?fields=a,b&page=${page}`, (page) => `${api.url}/v3/x?fields=a,b&page=${page}`]) {
    api.answer = (request, response) => {
      const page = Number(new URL(request.url, api.url).searchParams.get('page') ?? 1);
      response.writeHead(200, page < 3 ? { link: `<${api.url}/v3/x?fields=a,b>; rel="first",<${next(page + 1)}>; title="a,b"; rel="next"` } : {}).end(`[${page}]`);
    };
    assert.equal((await nexus(['demo', '/x', '--paginate'])).stdout, '[1][2][3]', next(2));
  }
  api.answer = (request, response) => response.writeHead(200, { link: '<https://evil.example/?page=2>; rel="next"' }).end('[1]');
  const { code, stderr } = await nexus(['demo', '/x', '--paginate']);
  assert.equal(code, 9);
  assert.match(stderr, /do not go to https:\/\/evil\.example/);
});

test('--dry-run sends nothing, and shows what would be, masked unless that is asked for', async () => {
  const { code, stdout } = await nexus(['demo', 'PUT', '/x?a=b', '-d', '{"a":1}', '-H', 'X-Mine: 1', '--dry-run', '-v']);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^> PUT /v3/x\\?a=b HTTP/1\\.1\n> Host: 127\\.0\\.0\\.1:${api.port}\n`));
  assert.match(stdout, /^> x-mine: 1$/m);
  assert.match(stdout, /^> Content-Length: 7$/m);
  assert.match(stdout, /^> Authorization: \*\*\*$/m);
  for (const line of stdout.trim().split('\n')) assert.match(line, /^> /);
  const template = await nexus(['header', '/bearer', '--dry-run']);
  assert.match(template.stdout, /^> x-again: \*\*\*$/m);
  assert.ok(!template.stdout.includes(KEY), template.stdout);
  const shown = async () => (await home.api('GET', '/v1/audit?event_type=token_retrieved&limit=100')).json.filter(({ event_data: data }) => JSON.parse(data).detail === 'shown in a request');
  assert.deepEqual(await shown(), [], 'who sees it masked has not got it');
  const open = await nexus(['demo', '/x', '--dry-run', '--show-secrets']);
  assert.match(open.stdout, new RegExp(`^> Authorization: Bearer ${bearer}$`, 'm'));
  assert.equal((await shown()).length, 1);
  assert.deepEqual(api.requests, []);
  const query = await nexus(['query-param', '/query', '--dry-run']);
  assert.match(query.stdout, /^> GET \/query\?key=\*\*\* HTTP/);
  const signed = await nexus(['aws-sigv4', '/aws?Action=WhoAmI', '--dry-run', '--show-secrets']);
  assert.match(signed.stdout, /^> Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/sts\/aws4_request, SignedHeaders=\S+, Signature=[0-9a-f]{64}$/m);
  assert.match(signed.stdout, /^> X-Amz-Date: \d{8}T\d{6}Z$/m);
});

for (const kind of Object.keys(KINDS))
  test(`a request in the strategy ${kind} is what the API takes`, async () => {
    const path = KINDS[kind].provider.user_info_endpoint;
    const { code, stdout, stderr } = await nexus([kind.replaceAll('_', '-'), path]);
    assert.equal(code, 0, `${stderr}${stdout}`);
    assert.equal(JSON.parse(stdout).login, 'octo');
    if (kind === 'query_param') assert.ok(!home.log.includes(KEY), 'a credential in a URL is in no log');
  });

test('a credential that belongs into the path is put where the caller says, and told nowhere', async () => {
  const answer = await home.api('POST', '/v1/providers', { name: 'bot', auth_type: 'api_key', api_base_url: keyed.url, allow_insecure_http: true, user_info_endpoint: '/bot{api_key}/getMe', params: { auth_strategy: { type: 'path' }, credential_schema: { required: ['api_key'], properties: { api_key: {} } } } });
  assert.equal(answer.status, 201, answer.text);
  const { state } = (await home.api('POST', '/v1/request-connection', { provider_name: 'bot' })).json;
  assert.equal((await home.api('POST', '/v1/capture-credential', { state, credentials: { api_key: KEY } })).status, 200);
  const { code, stdout, stderr } = await nexus(['bot', '/bot{api_key}/getMe']);
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).login, 'octo');
  assert.equal((await nexus(['bot', '/bot{other}/getMe'])).code, 2);
  assert.match((await nexus(['bot', 'DELETE'])).stderr, /a path or URL is needed behind DELETE\n/);
  for (const target of ['/bot{api_key}/../x', '/bot{api_key}/a b', 'https://{api_key}.evil.example/'])
    assert.ok(!(await nexus(['bot', target, '--dry-run'])).stderr.includes(KEY), target);
  keyed.answer = (response) => { response.destroy(); return true; };
  // Never where many an answer tells it back, and not in two places.
  for (const target of ['/bot{api_key}/sendMessage?text={api_key}', '/bot{api_key}/{api_key}', '/x?{api_key}'])
    assert.ok(!(await nexus(['bot', target])).stdout.includes(KEY), target);
  assert.equal((await nexus(['bot', '/bot{api_key}/{api_key}'])).code, 2);
  // Errors tell what was asked for, and so no piece of the credential, wherever they are cut.
  for (let length = 150; length < 200; ++length) {
    const { code: told, stderr: said } = await nexus(['bot', `/${'a'.repeat(length)}/{api_key}/../x`]);
    assert.equal(told, 2);
    assert.ok(!said.includes(KEY.slice(0, 5)), said);
  }
  const broken = await nexus(['bot', '/bot{api_key}/getMe']);
  assert.equal(broken.code, 10);
  assert.match(broken.stderr, new RegExp(`cannot talk to ${keyed.url}:`), 'the server, and no path');
  const audit = (await home.api('GET', '/v1/audit?event_type=request_forwarded&limit=200')).text;
  assert.match(audit, /bot\*\*\*\/getMe/);
  assert.ok(!`${stderr}${broken.stderr}${audit}${home.log}`.includes(KEY));
});

test('on a terminal JSON is laid out, and nothing of a server moves the cursor', async () => {
  // In pieces that cut a character, and a control of eight bits, in two.
  const inPieces = (type, ...pieces) => {
    api.answer = async (request, response) => {
      response.writeHead(200, { 'content-type': type });
      for (const piece of pieces) await new Promise((done) => response.write(Buffer.from(piece, 'latin1'), done));
      response.end();
    };
  };
  const shown = async () => (await new Terminal(home, ['api', 'demo', '/x']).end()).text;
  inPieces('application/json', '{ "a":1,\r\n  "b":"\x1b[2J \xc3', '\xa9 \xc2', '\x9b"}\n');
  assert.equal(await shown(), '{\n  "a": 1,\n  "b": "\\u001b[2J \u00e9 \\u009b"\n}\n');
  inPieces('text/plain', 'one\ttwo\n\x1b[2J \xc3', '\xa9 \xc2', '\x9b \xe2\x80', '\xae end \xe2');
  assert.equal(await shown(), 'one\ttwo\n?[2J \u00e9 ? ? end ?\n');
  inPieces('application/json', `]]${'['.repeat(5000)}`);
  assert.match(await shown(), /^\n\]\n\]\[\n/);
});

test('it works the same over NEXUS_URL, with a key', async () => {
  const key = await home.makeKey('remote', '--use', 'all');
  const env = { NEXUS_URL: home.gateway, NEXUS_API_KEY: key };
  const body = randomBytes(3 * 1024 * 1024);
  const { code, stdout, stderr } = await nexus(['demo', 'POST', '/x', '--input', '-'], { env, input: body });
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).bytes, body.length);
  assert.equal(last().headers.authorization, `Bearer ${bearer}`);
  assert.ok(!JSON.stringify(api.requests).includes(key));
  // An answer that begins before the body has been taken: neither waits for the other.
  const large = randomBytes(24 * 1024 * 1024);
  api.answer = (request, response) => { response.writeHead(200); response.write(large, () => request.resume().on('end', () => response.end())); };
  const file = join(home.dir, 'both-ways');
  assert.equal((await nexus(['demo', 'POST', '/x', '--input', '-', '-o', file], { env, input: large })).code, 0);
  assert.ok(readFileSync(file).equals(large));
  // Who is interrupted leaves nothing behind.
  let closed = false;
  api.answer = (request) => { request.on('close', () => { closed = true; }); };
  const child = execFile(join(BIN, 'nexus'), ['api', 'demo', '/waits'], { env: { ...home.env, ...env } });
  await until(() => last().target === '/v3/waits', 'it waits');
  child.kill('SIGINT');
  await until(() => closed, 'the request is given up');
  api.answer = null;
  const wrong = await nexus(['demo', '/x'], { env: { ...env, NEXUS_API_KEY: 'nxk_wrong' } });
  assert.equal(wrong.code, 9, wrong.stderr);
  const away = await nexus(['demo', '/x'], { env: { ...env, NEXUS_URL: 'http://127.0.0.1:9' } });
  assert.equal(away.code, 8, away.stderr);
});
