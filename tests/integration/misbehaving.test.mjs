// What a provider (or somebody in its place) does wrong, and what has to come of it.
import { test, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { MisbehavingProvider, SigningKey, hmacToken, unsignedToken, now } from '../provider/misbehaving.mjs';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, request, token, visit, SECRET } from '../support/flow.mjs';

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);
// The daemon may keep a key set for an hour: the key stays the same from test to test.
const key = new SigningKey('k1');
beforeEach(() => { provider.reset(); provider.key = key; provider.keys = [key.jwk]; });

const html = (response, status = 200) => { response.writeHead(status, { 'content-type': 'text/html' }); response.end('<h1>sign in to the Wi-Fi</h1>'); return true; };
const json = (response, value, status = 200, type = 'application/json') => { response.writeHead(status, { 'content-type': type }); response.end(typeof value === 'string' ? value : JSON.stringify(value)); return true; };

test('answers that belong to no flow are refused and leave the flow alone', async (t) => {
  const cases = {
    'no state': (p) => ({ ...p, state: undefined }),
    'empty state': (p) => ({ ...p, state: '' }),
    'wrong state': (p) => ({ ...p, state: 'x'.repeat(87) }),
    'a prefix of the state': (p) => ({ ...p, state: p.state.slice(0, -1) }),
    'the state twice': (p) => ({ ...p, state: [p.state, p.state] }),
    'an error without state': () => ({ error: 'access_denied' }),
  };
  const asked = await request(home);
  for (const [name, answer] of Object.entries(cases)) {
    await t.test(name, async () => {
      provider.authorizationResponse = answer;
      const page = await visit(provider.consent(asked.auth_url));
      assert.equal(page.status, 400);
      assert.equal(provider.tokenRequests().length, 0);
      assert.equal(await home.status(asked.connection_id), 'pending');
    });
  }
  provider.authorizationResponse = (p) => p;
  const good = provider.consent(asked.auth_url);
  const page = await visit(good);
  assert.equal(page.status, 200);
  assert.equal(await home.status(asked.connection_id), 'active');
  // The same answer is told the same again; another one with the state that is spent belongs to nobody.
  assert.equal((await visit(good)).text, page.text);
  assert.equal((await visit(good.replace(/code=[^&]+/, 'code=another'))).status, 400);
  assert.equal(provider.tokenRequests().length, 1);
});

test('an answer with the right state that cannot be used ends the flow: page and status say why', async (t) => {
  const cases = {
    'the code twice': [(p) => ({ ...p, code: [p.code, p.code] }), /gives code twice/],
    'no code and no error': [(p) => ({ ...p, code: undefined }), /neither a code nor an error/],
    'another issuer': [(p) => ({ ...p, iss: 'https://evil.example' }), /the issuer that was asked/],
    'the issuer with a slash': [(p) => ({ ...p, iss: `${p.iss}/` }), /the issuer that was asked/],
    'no issuer although promised': [(p) => ({ ...p, iss: undefined }), /the issuer that was asked/],
    'a JARM response': [(p) => ({ ...p, response: 'x.y.z' }), /was not asked for/],
    'a code that cannot be decoded': [(p) => ({ ...p, code: 'MARK' }), /code is malformed/, '%zz'],
    'an error with control characters': [(p) => ({ ...p, code: undefined, error: 'server_error', error_description: 'MARK' }), /a\?\?b/, 'a%1b%0ab'],
    'an error of the provider\'s own': [(p) => ({ ...p, code: undefined, error: 'Odd-Error 7' }), /could not be connected/],
    'an error that cannot be decoded': [(p) => ({ ...p, code: undefined, error: 'server_error', error_description: 'MARK' }), /could not be connected/, 'a%00b'],
  };
  for (const [name, [answer, why, raw]] of Object.entries(cases)) {
    await t.test(name, async () => {
      provider.authorizationResponse = answer;
      const asked = await request(home);
      const page = await visit(provider.consent(asked.auth_url).replace('MARK', raw));
      assert.equal(page.status, 200);
      assert.match(page.text, /could not be connected/);
      assert.match(page.text, why);
      const told = (await home.api('GET', `/v1/connections/${asked.connection_id}`)).json;
      assert.equal(told.status, 'failed');
      assert.ok(told.last_error.message);
      assert.match(told.last_error.code, /^[a-z0-9_]+$/);
      assert.equal(provider.tokenRequests().length, 0);
    });
  }
});

test('a provider that sends iss without saying so is connected once its issuer is known', async () => {
  const quiet = await MisbehavingProvider.start();
  quiet.metadata = ({ authorization_response_iss_parameter_supported: _, ...document }) => document;
  const said = await register(home, quiet.issuer, { name: 'quiet', scopes: ['email'], params: { sends_iss: true } });
  assert.equal(said.redirect_uri, `${home.callbackBase}/auth/callback`, 'it needs no path of its own');
  assert.match((await connect(home, quiet, { provider_name: 'quiet' })).page.text, /is connected/);
  quiet.authorizationResponse = (p) => ({ ...p, iss: undefined });
  assert.match((await connect(home, quiet, { provider_name: 'quiet' })).page.text, /the issuer that was asked/);

  quiet.reset();
  const plain = await register(home, undefined, { name: 'plain', scopes: ['email'], auth_url: `${quiet.issuer}/authorize`, token_url: `${quiet.issuer}/token` });
  assert.equal(plain.redirect_uri, `${home.callbackBase}/auth/callback/plain`);
  const mend = /registered without.*nexus provider edit plain --issuer URL/s;
  const nameless = await connect(home, quiet, { provider_name: 'plain' });
  assert.match(nameless.page.text, mend);
  assert.match((await home.nexus(['status', nameless.id])).stdout.replace(/\s+/g, ' '), mend);
  const edited = await home.nexus(['provider', 'edit', 'plain', '--issuer', quiet.issuer]);
  assert.equal(edited.code, 0, edited.stderr);
  assert.match((await connect(home, quiet, { provider_name: 'plain' })).page.text, /is connected/);
  await assert.rejects(register(home, undefined, { name: 'blind', auth_url: plain.auth_url, token_url: plain.token_url, params: { sends_iss: true } }),
    /needs the issuer/);
  await quiet.close();
});

test('a malformed query at the callback is answered with a page, anywhere else with an error', async () => {
  const asked = await request(home);
  const page = await visit(`${new URL(asked.auth_url).searchParams.get('redirect_uri')}?state=%zz&code=a`);
  assert.equal(page.status, 400);
  assert.match(page.headers.get('content-type'), /^text\/html/);
  assert.equal(await home.status(asked.connection_id), 'pending');
  const elsewhere = await home.api('GET', '/v1/connections?limit=%zz');
  assert.equal(elsewhere.status, 400);
  assert.match(elsewhere.json.message, /query is malformed/);
});

test('the state of one flow does not serve another, and one callback is redeemed once', async () => {
  const one = await request(home);
  const two = await request(home);
  provider.authorizationResponse = (p) => ({ ...p, state: new URL(one.auth_url).searchParams.get('state') });
  const crossed = provider.consent(two.auth_url);
  await visit(crossed);
  assert.equal(await home.status(two.connection_id), 'pending');
  assert.equal(await home.status(one.connection_id), 'failed');  // its state, the other's code
  provider.authorizationResponse = (p) => p;
  const callback = provider.consent(two.auth_url);
  const redeemed = () => provider.tokenRequests('authorization_code').length;
  const before = redeemed();
  const pages = await Promise.all([visit(callback), visit(callback), visit(callback)]);
  assert.equal(redeemed() - before, 1);
  for (const page of pages) assert.match(page.text, /demo is connected|One moment/);
  assert.equal(await home.status(two.connection_id), 'active');
  assert.equal(provider.tokenRequests().length, 2);
});

test('a token in the callback is never stored', async () => {
  provider.authorizationResponse = (p) => ({ ...p, access_token: 'front-channel', token_type: 'Bearer' });
  const { id } = await connect(home, provider);
  assert.match((await token(home, id)).json.access_token, /^at-/);
});

test('id_tokens that do not verify fail the connection', async (t) => {
  const cases = {
    'missing': () => { provider.tokenAnswer = (a) => ({ ...a, id_token: undefined }); },
    'not a text': () => { provider.tokenAnswer = (a) => ({ ...a, id_token: 7 }); },
    'another issuer': () => { provider.claims = (c) => ({ ...c, iss: 'https://evil.example' }); },
    'another audience': () => { provider.claims = (c) => ({ ...c, aud: 'other' }); },
    'two audiences': () => { provider.claims = (c) => ({ ...c, aud: [c.aud, 'other'] }); },
    'another nonce': () => { provider.claims = (c) => ({ ...c, nonce: 'other' }); },
    'no nonce': () => { provider.claims = (c) => ({ ...c, nonce: undefined }); },
    'expired': () => { provider.claims = (c) => ({ ...c, exp: now() - 120 }); },
    'no subject': () => { provider.claims = (c) => ({ ...c, sub: undefined }); },
    'alg none': () => { provider.idToken = (c) => unsignedToken(c); },
    'alg NONE': () => { provider.idToken = (c) => unsignedToken(c, 'NONE'); },
    'HS256 with the client secret': () => { provider.idToken = (c) => hmacToken(c, SECRET); },
    'a flipped signature': () => { provider.idToken = (c) => { const s = key.sign(c); return s.slice(0, -10) + (s.at(-10) === 'A' ? 'B' : 'A') + s.slice(-9); }; },
    'a rogue key in the header': () => { const rogue = new SigningKey('k1'); provider.idToken = (c) => rogue.sign(c, { jwk: rogue.jwk }); },
  };
  for (const [name, misbehave] of Object.entries(cases)) {
    await t.test(name, async () => {
      misbehave();
      const { id, page } = await connect(home, provider);
      assert.match(page.text, /could not be connected/);
      assert.equal(await home.status(id), 'failed');
      assert.equal((await token(home, id)).json.code, 'connection_not_active');
      provider.reset(); provider.key = key; provider.keys = [key.jwk];
    });
  }
});

test('a rotated signing key is fetched, but unknown kids do not cause a storm', async () => {
  const next = new SigningKey('k2');
  await connect(home, provider);
  provider.keys = [key.jwk, next.jwk];
  provider.idToken = (c) => next.sign(c);
  const { id } = await connect(home, provider);
  assert.equal(await home.status(id), 'active');
  const before = provider.requests.filter((r) => r.path === '/jwks').length;
  for (let i = 0; i < 10; ++i) {
    const unknown = new SigningKey(`unknown-${i}`);
    provider.idToken = (c) => unknown.sign(c);
    assert.equal(await home.status((await connect(home, provider)).id), 'failed');
  }
  assert.ok(provider.requests.filter((r) => r.path === '/jwks').length - before <= 1);
});

test('token answers that RFC 6749 does not allow fail the connection, after one request', async (t) => {
  const cases = {
    'html': (f, r) => html(r),
    'text/plain': (f, r) => json(r, { access_token: 'x', token_type: 'Bearer' }, 200, 'text/plain'),
    '201': (f, r) => json(r, { access_token: 'x', token_type: 'Bearer' }, 201),
    '204': (f, r) => { r.writeHead(204); r.end(); return true; },
    '302 to elsewhere': (f, r) => { r.writeHead(302, { location: 'http://127.0.0.1:1/steal' }); r.end(); return true; },
    '307 to elsewhere': (f, r) => { r.writeHead(307, { location: `${provider.issuer}/stolen` }); r.end(); return true; },
    '500': (f, r) => json(r, { error: 'server_error' }, 500),
    '429': (f, r) => json(r, { error: 'slow_down' }, 429),
    'an error with status 200': (f, r) => json(r, { error: 'invalid_grant', access_token: 'x', token_type: 'Bearer' }),
    'not JSON': (f, r) => json(r, '{oops'),
    'two documents': (f, r) => json(r, '{"access_token":"a","token_type":"Bearer"}{}'),
    'a member twice': (f, r) => json(r, '{"access_token":"a","access_token":"b","token_type":"Bearer"}'),
    'too deep': (f, r) => json(r, `{"access_token":"a","token_type":"Bearer","x":${'['.repeat(200000)}`),
    'a line break in the token': (f, r) => json(r, { access_token: 'a\r\nX: 1', token_type: 'Bearer' }),
    'mac': (f, r) => json(r, { access_token: 'a', token_type: 'mac' }),
    'negative expires_in': (f, r) => json(r, { access_token: 'a', token_type: 'Bearer', expires_in: -3600 }),
    '50 MiB': (f, r) => { r.writeHead(200, { 'content-type': 'application/json' }); const part = 'x'.repeat(1 << 20); let n = 0; const more = () => { while (n++ < 50) if (!r.write(part)) return r.once('drain', more); r.end(); }; r.on('error', () => {}); more(); return true; },
    'gzip': (f, r) => { r.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }); r.end('x'); return true; },
    'truncated': (f, r) => { r.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' }); r.write('{"access_token":"a","token_type":"Bearer"}'); setImmediate(() => r.destroy()); return true; },
    'reset after the request': (f, r) => { r.socket.resetAndDestroy(); return true; },
    'endless headers': (f, r) => { const s = r.socket; s.on('error', () => {}); s.write('HTTP/1.1 200 OK\r\n'); const more = () => { while (!s.destroyed) if (!s.write(`X-${'a'.repeat(1000)}: b\r\n`)) return s.once('drain', more); }; more(); return true; },
    'invalid_client': (f, r) => json(r, { error: 'invalid_client' }, 401),
  };
  for (const [name, answer] of Object.entries(cases)) {
    await t.test(name, async () => {
      const before = provider.tokenRequests().length;
      provider.onToken = answer;
      const { id, page } = await connect(home, provider);
      assert.match(page.text, /could not be connected/);
      assert.equal(await home.status(id), 'failed');
      assert.equal(provider.tokenRequests().length, before + 1);
      assert.equal(provider.requests.filter((r) => r.path === '/stolen').length, 0);
    });
  }
});

test('a provider that trickles is cut off within 15 s and delays nobody else', { timeout: 60000 }, async () => {
  provider.onToken = (f, r) => {
    r.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' });
    const timer = setInterval(() => r.write(' '), 300);
    r.on('close', () => clearInterval(timer)); r.on('error', () => {});
    return true;
  };
  const begin = Date.now();
  const asked = await request(home);
  const pending = visit(provider.consent(asked.auth_url));
  const health = Date.now();
  assert.equal((await home.api('GET', '/health')).status, 200);
  assert.ok(Date.now() - health < 1000);
  await pending;
  assert.ok(Date.now() - begin < 17000);
  assert.equal(await home.status(asked.connection_id), 'failed');
});

test('what the provider echoes is neither shown nor logged', async () => {
  provider.onToken = (form, r) => json(r, {
    error: 'invalid_grant',
    error_description: `code ${form.get('code')} verifier ${form.get('code_verifier')} <script>alert(1)</script>\u001b]0;x\u0007`,
  }, 400);
  const before = home.log.length;
  const { page } = await connect(home, provider);
  const { form } = provider.tokenRequests().at(-1);
  for (const secret of [form.get('code'), form.get('code_verifier')]) {
    assert.ok(!page.text.includes(secret));
    assert.ok(!home.log.slice(before).includes(secret));
  }
  assert.ok(!page.text.includes('<script>alert'));
  assert.ok(!page.text.includes('\u001b') && !home.log.includes('\u001b'));
});

test('the wire: one client authentication, S256, a nonce, no secret in front', async () => {
  const { asked } = await connect(home, provider);
  const query = new URL(asked.auth_url).searchParams;
  assert.equal(query.get('response_type'), 'code');
  assert.equal(query.get('code_challenge').length, 43);
  assert.equal(query.get('code_challenge_method'), 'S256');
  assert.ok(query.get('nonce') && query.get('nonce') !== query.get('state'));
  assert.ok(!asked.auth_url.includes(SECRET));
  const { headers, form } = provider.tokenRequests().at(-1);
  assert.equal(headers.authorization, `Basic ${Buffer.from(`client-1:${SECRET}`).toString('base64')}`);
  assert.ok(!form.has('client_secret') && !form.has('client_id'));
  assert.equal(headers.accept, 'application/json');
  assert.equal(headers.cookie, undefined);
  assert.match(form.get('code_verifier'), /^[A-Za-z0-9_-]{43}$/);
});

test('client authentication by post, by none, and with odd characters', async () => {
  await register(home, provider.issuer, { name: 'post', auth_header: 'client_secret_post' });
  await connect(home, provider, { provider_name: 'post' });
  let last = provider.tokenRequests().at(-1);
  assert.equal(last.form.get('client_secret'), SECRET);
  assert.equal(last.headers.authorization, undefined);
  await register(home, provider.issuer, { name: 'public', client_secret: null });
  await connect(home, provider, { provider_name: 'public' });
  last = provider.tokenRequests().at(-1);
  assert.equal(last.form.get('client_id'), 'client-1');
  assert.ok(!last.form.has('client_secret') && last.headers.authorization === undefined);
  await register(home, provider.issuer, { name: 'odd', client_id: 'my:client id%', client_secret: 'p%ss+w:rd &é' });
  await connect(home, provider, { provider_name: 'odd' });
  last = provider.tokenRequests().at(-1);
  const [id, secret] = Buffer.from(last.headers.authorization.slice(6), 'base64').toString().split(':')
    .map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
  assert.deepEqual([id, secret], ['my:client id%', 'p%ss+w:rd &é']);
});

test('metadata that cannot be trusted refuses the provider', async (t) => {
  const cases = {
    'another issuer': (d) => ({ ...d, issuer: 'https://evil.example' }),
    'a slash more': (d) => ({ ...d, issuer: `${d.issuer}/` }),
    'no issuer': (d) => ({ ...d, issuer: undefined }),
    'no token endpoint': (d) => ({ ...d, token_endpoint: undefined }),
    'a javascript: endpoint': (d) => ({ ...d, authorization_endpoint: 'javascript:alert(1)' }),
    'only plain PKCE': (d) => ({ ...d, code_challenge_methods_supported: ['plain'] }),
  };
  for (const [name, change] of Object.entries(cases)) {
    await t.test(name, async () => {
      const other = await MisbehavingProvider.start();
      other.metadata = change;
      await assert.rejects(register(home, other.issuer, { name: 'untrusted' }), /provider_metadata_invalid/);
      await other.close();
    });
  }
  await assert.rejects(register(home, 'http://192.0.2.1', { name: 'untrusted' }), /not https/);
  await assert.rejects(register(home, 'http://169.254.169.254', { name: 'untrusted' }), /not https/);
});

test('cloud metadata addresses are never talked to', async () => {
  const answer = await home.api('POST', '/v1/providers', {
    name: 'imds', issuer: 'https://169.254.169.254', client_id: 'c', allow_insecure_http: true, allow_private_network: true });
  assert.equal(answer.status, 201);
  assert.match(answer.json.warning, /does not talk to/);
});
