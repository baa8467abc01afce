// AWS's own vectors for Signature Version 4, as a user meets them: what nexus api would send at their time,
// and what an API that computes each signature anew says of requests through nexus api and the proxy.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { BIN, Home, freePort } from '../support/nexus.mjs';

const KEYS = { access_key: 'AKIDEXAMPLE', secret_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const vectors = JSON.parse(readFileSync(new URL('../support/aws_vectors.json', import.meta.url)))['aws-c-auth'];
/** What no request of a URL can be, or is not sent on: raw blanks and UTF-8, dot segments, headers that nexusd sets itself. */
const unsent = ({ name, target, headers = '' }) => name.endsWith('-unnormalized') || /[ #\u1234]/.test(target) || /\/\.\.?(\/|$)/.test(target) || /x-amz-/i.test(headers);
const sent = vectors.filter((vector) => !unsent(vector));
const lines = (headers = '') => headers.split('\n').filter(Boolean);

const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const encoded = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** The signature that AWS's documents make of a request as it arrived. */
function signatureOf({ method, url, rawHeaders }, body, names, [, date, region, service], time) {
  const [path, query = ''] = url.split(/\?(.*)/s);
  const segments = path.split('/').filter((each) => each !== '');
  const canonicalPath = `/${segments.map(encoded).join('/')}${segments.length > 0 && path.endsWith('/') ? '/' : ''}`;
  const pairs = query.split('&').filter((each) => each !== '').map((each) => each.split(/=(.*)/s).slice(0, 2).map((part) => encoded(decodeURIComponent(part.replaceAll('+', ' ')))))
    .map(([name, value = '']) => [name, value]).sort(([a, x], [b, y]) => order(a, b) || order(x, y)).map(([name, value]) => `${name}=${value}`);
  const valueOf = (name) => rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1].toLowerCase() === name).map((value) => value.trim().replace(/ +/g, ' ')).join(',');
  const canonical = [method, canonicalPath, pairs.join('&'), ...names.map((name) => `${name}:${valueOf(name)}`), '', names.join(';'), sha256(body)].join('\n');
  const text = ['AWS4-HMAC-SHA256', time, `${date}/${region}/${service}/aws4_request`, sha256(canonical)].join('\n');
  return createHmac('sha256', [date, region, service, 'aws4_request'].reduce(hmac, `AWS4${KEYS.secret_key}`)).update(text).digest('hex');
}

async function connection(home, name, base) {
  const made = await home.api('POST', '/v1/providers', { name, auth_type: 'aws_sigv4', api_base_url: base, allow_insecure_http: true, params: { service: 'service', region: 'us-east-1', validation: { skip: true } } });
  assert.equal(made.status, 201, made.text);
  const asked = (await home.api('POST', '/v1/request-connection', { provider_name: name })).json;
  assert.equal((await home.api('POST', '/v1/capture-credential', { state: asked.state, credentials: KEYS })).status, 200);
  return asked.connection_id;
}

test('nexus api signs the vectors as AWS does, at their time', { skip: skipped() }, async () => {
  const library = faketime();
  assert.ok(library, 'libfaketime is installed');
  const home = await Home.make();
  after(() => home.remove());
  await home.start({ env: { LD_PRELOAD: library, FAKETIME: '2015-08-30 12:36:00', TZ: 'UTC', FAKETIME_DONT_FAKE_MONOTONIC: '1' } });
  await connection(home, 'vectors', 'https://example.amazonaws.com');
  assert.ok(sent.length >= 20, `${sent.length}`);
  for (const { name, method, target, headers, body, signature } of sent) {
    const args = ['api', 'vectors', method, target, ...lines(headers).flatMap((line) => ['-H', line]), ...(body ? ['-d', body] : []), '--dry-run', '--show-secrets'];
    const { code, stdout, stderr } = await home.nexus(args);
    assert.equal(code, 0, `${name}: ${stderr}`);
    assert.match(stdout, /^> x-amz-date: 20150830T123600Z$/mi);
    assert.equal(/^> authorization: .*Signature=(\w+)$/mi.exec(stdout)?.[1], signature, `${name}\n${stdout}`);
  }
});

test('an API that computes every signature anew takes the vectors from nexus api and from the proxy', async () => {
  let wrong;
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const [, credential, names, signature] = /^AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/.exec(request.headers.authorization) ?? [];
    const good = credential && signature === signatureOf(request, Buffer.concat(parts), names.split(';'), credential.split('/'), request.headers['x-amz-date']);
    if (!good) wrong = `${request.method} ${request.url} ${request.rawHeaders}`;
    response.writeHead(good ? 200 : 403).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const home = await Home.make();
  after(async () => { await home.remove(); server.closeAllConnections(); server.close(); });
  await home.start();
  const id = await connection(home, 'verified', `http://127.0.0.1:${server.address().port}`);
  const key = await home.makeKey('app', '--forward', id);
  const port = await freePort();
  assert.equal((await home.nexus(['proxy', 'start', '--listen', `127.0.0.1:${port}`])).code, 0);
  for (const { name, method, target, headers, body } of sent) {
    const { code, stderr } = await home.nexus(['api', 'verified', method, target, ...lines(headers).flatMap((line) => ['-H', line]), ...(body ? ['-d', body] : [])]);
    assert.equal(code, 0, `${name}: ${stderr} ${wrong}`);
    const given = {};
    for (const line of lines(headers)) { const [header, value] = line.split(/:(.*)/s); given[header] = given[header] === undefined ? value : [given[header], value].flat(); }
    const request = httpRequest({ port, host: '127.0.0.1', method, path: `/${id}${target}`, agent: false, headers: { ...given, 'x-api-key': key } });
    request.end(body);
    const [response] = await once(request, 'response');
    response.resume();
    assert.equal(response.statusCode, 200, `${name}: ${wrong}`);
  }
});

function faketime() {
  return readdirSync('/usr/lib').map((name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`).find((path) => existsSync(path));
}

/** A sanitizer's runtime has to be the first library of all. */
function skipped() {
  return /lib[at]san/.test(execFileSync('ldd', [join(BIN, 'nexusd')]).toString()) && 'not under a sanitizer';
}
