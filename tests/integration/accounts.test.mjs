// Several accounts at one provider: told apart by alias, by whose they are, and by workspace.
import { test, before, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register } from '../support/flow.mjs';
import { Home } from '../support/nexus.mjs';

let home;
let provider;
let me;
before(async () => {
  provider = await MisbehavingProvider.start();
  home = await Home.make();
  await home.start();
  await register(home, provider.issuer, {
    name: 'plain', issuer: '', auth_url: `${provider.issuer}/authorize`, token_url: `${provider.issuer}/token`,
    user_info_endpoint: '/me', api_base_url: provider.issuer, scopes: ['read'], params: { request_headers: { 'x-version': '7' } },
  });
  await register(home, provider.issuer, { name: 'openid', user_info_endpoint: `${provider.issuer}/me` });
});
after(async () => { await home.remove(); await provider.close(); });
beforeEach(() => {
  provider.reset();
  provider.authorizationResponse = (parameters, asked) => (asked.has('nonce') ? parameters : { ...parameters, iss: undefined });
  me = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"login":"octo","email":null}');
  provider.onOther = (path, response) => path === '/me' && (me(response), true);
});

const account = async (id) => (await home.api('GET', `/v1/connections/${id}`)).json;
const asked = () => provider.requests.filter(({ path }) => path === '/me');

test('an account without an e-mail or a name is told by what the provider tells it apart with', async () => {
  for (const [answer, told] of [['{"id":12345,"plan":"free"}', '12345'], ['{"data":{"gid":"g-7"}}', 'g-7'], ['{"ok":true}', null]]) {
    me = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    const { id } = await connect(home, provider, { provider_name: 'plain' });
    assert.equal((await account(id)).account, told, answer);
  }
  provider.claims = (claims) => ({ ...claims, email: undefined });
  me = (response) => response.writeHead(500).end();
  const { id } = await connect(home, provider, { provider_name: 'openid' });
  assert.equal((await account(id)).account, 'alice');
});

test('an OAuth API tells whose account it is; the token travels in the header alone', async () => {
  const { id } = await connect(home, provider, { provider_name: 'plain' });
  assert.equal((await account(id)).account, 'octo');
  const [request] = asked();
  assert.match(request.headers.authorization, /^Bearer at-/);
  assert.equal(request.headers['x-version'], '7');
  assert.equal([...request.query].length, 0);
});

test('an id_token that tells it is enough', async () => {
  const { id } = await connect(home, provider, { provider_name: 'openid' });
  assert.equal((await account(id)).account, 'alice@example.com');
  assert.equal(asked().length, 0);
});

test('userinfo of another person than the id_token\'s is refused (OpenID Connect Core 5.3.2)', async () => {
  provider.claims = ({ email, ...claims }) => claims;
  me = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"sub":"mallory","email":"m@example.com"}');
  const wrong = await connect(home, provider, { provider_name: 'openid' });
  assert.equal((await account(wrong.id)).status, 'failed');
  me = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"sub":"alice","name":"Alice"}');
  const right = await connect(home, provider, { provider_name: 'openid' });
  assert.equal((await account(right.id)).account, 'Alice');
});

test('an API that does not answer costs the name, not the connection', async () => {
  for (const answer of [
    (response) => response.writeHead(500).end(),
    (response) => response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end(),
    (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>hello</h1>'),
    (response) => response.writeHead(200).end('{"email":"\\u001b]0;x\\u0007a@b"}'),
    (response) => response.socket.destroy(),
  ]) {
    me = answer;
    const { id } = await connect(home, provider, { provider_name: 'plain' });
    const { status, account: name } = await account(id);
    assert.equal(status, 'active');
    assert.ok(name === null || !/[\u0000-\u001f]/.test(name), name);
  }
});

test('two accounts: a provider\'s name alone is ambiguous, and the error tells them apart', async () => {
  await connect(home, provider, { provider_name: 'plain', alias: 'work', workspace_id: 'w1' });
  me = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"login":"hubot"}');
  await connect(home, provider, { provider_name: 'plain', workspace_id: 'w1' });
  const both = await home.nexus(['token', 'plain', '--workspace', 'w1']);
  assert.equal(both.code, 2);
  assert.match(both.stderr, /^ {4}work {2}conn_\w+ {2}\(octo\)\n {4}conn_\w+ {2}\(hubot\)$/m);
  assert.equal((await home.nexus(['token', 'work', '--workspace', 'w1'])).code, 0);
  assert.equal((await home.nexus(['token', 'work', '--workspace', 'w2'])).code, 6, 'an alias is of its workspace');
  const list = await home.nexus(['list', '--workspace', 'w1']);
  assert.match(list.stdout, /octo/);
  assert.match(list.stdout, /hubot/);
});
