// The catalogue, and how a person is led from "nexus connect NAME" on a fresh machine to the consent.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { KeyedApi, KINDS, KEY, PASSWORD, USER } from '../provider/keyed_api.mjs';
import { makeCertificate } from '../support/certificate.mjs';
import { Internet } from '../support/internet.mjs';
import { Home, freePort, until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const SECRET = 'canary-client-secret-91ab';

/** The metadata of the issuers in the catalogue, as they publish it. */
const ISSUERS = {
  'accounts.google.com': { authorization_endpoint: 'https://accounts.google.com/o/oauth2/v2/auth', token_endpoint: 'https://oauth2.googleapis.com/token', jwks_uri: 'https://www.googleapis.com/oauth2/v3/certs' },
  'gitlab.com': { authorization_endpoint: 'https://gitlab.com/oauth/authorize', token_endpoint: 'https://gitlab.com/oauth/token', jwks_uri: 'https://gitlab.com/oauth/discovery/keys' },
  'login.salesforce.com': { authorization_endpoint: 'https://login.salesforce.com/services/oauth2/authorize', token_endpoint: 'https://login.salesforce.com/services/oauth2/token', jwks_uri: 'https://login.salesforce.com/id/keys' },
};

let home;
let api;
let internet;
before(async () => {
  api = await KeyedApi.start();
  internet = await Internet.start(Object.fromEntries(Object.entries(ISSUERS).map(([host, metadata]) => [host, (request, response) => {
    if (request.url !== '/.well-known/openid-configuration') return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'application/json' });
    return response.end(JSON.stringify({ issuer: `https://${host}`, ...metadata, response_types_supported: ['code'], id_token_signing_alg_values_supported: ['RS256'] }));
  }])));
  home = await Home.make({ config: internet.config });
  const own = join(home.dir, '.config', 'nexus', 'providers');
  mkdirSync(own, { recursive: true });
  const entry = (name, text) => writeFileSync(join(own, `${name}.toml`), text);
  entry('mykey', `display_name = "My API"\nauth_type = "api_key"\napi_base_url = "${api.url}"\nuser_info_endpoint = "/header"\nallow_insecure_http = true\n[client]\nconsole_url = "https://my.example/keys"\n`);
  entry('mybasic', `auth_type = "basic_auth"\napi_base_url = "${api.url}"\nuser_info_endpoint = "/basic"\nallow_insecure_http = true\n`);
  entry('discord', 'display_name = "My own Discord"\nauth_url = "https://{region}.discord.example/a"\ntoken_url = "https://discord.example/t"\n[variables.region]\nchoices = ["eu", "us"]\n');
  entry('broken', 'display_name = "x"\nauth_ur = "https://a.example"\n');
  await home.start();
});
after(async () => { await home.remove(); await api.close(); await internet.close(); });

test('catalog searches names, categories and types', async () => {
  const found = async (...words) => JSON.parse((await home.nexus(['provider', 'catalog', ...words, '--json'])).stdout).entries;
  const all = await found();
  assert.ok(all.length > 690, `${all.length} entries`);
  assert.deepEqual((await found('GitHub')).map((entry) => entry.name), ['github', 'github-pat']);
  assert.ok((await found('oauth2', 'crm')).some((entry) => entry.name === 'salesforce'));
  const table = await home.nexus(['provider', 'catalog', 'notion', 'oauth2']);
  assert.match(table.stdout, /^NAME +TYPE +PROVIDER +CATEGORY\nnotion +oauth2 +Notion +knowledge-base\n$/);
  assert.match(table.stderr, /broken\.toml:2: auth_ur is no member/, 'a broken entry of one\'s own is told with its line');
  assert.equal((await home.nexus(['provider', 'catalog', 'zzzz'])).code, 6);
});

test('catalog is narrowed by category and type', async () => {
  const found = async (...words) => JSON.parse((await home.nexus(['provider', 'catalog', ...words, '--json'])).stdout).entries;
  const ai = await found('--category', 'ai');
  assert.ok(ai.every((entry) => entry.category === 'ai'));
  for (const name of ['anthropic', 'openai', 'mistral', 'groq', 'cohere', 'huggingface', 'openrouter', 'deepseek'])
    assert.ok(ai.some((entry) => entry.name === name), name);
  const signed = await found('--type', 'aws_sigv4');
  assert.ok(signed.length > 0 && signed.every((entry) => entry.auth_type === 'aws_sigv4'));
  assert.deepEqual((await found('--category', 'payment', '--type', 'api_key', 'stripe')).map((entry) => entry.name), ['stripe']);
  assert.equal((await home.nexus(['provider', 'catalog', '--category', 'ai', 'zzzz'])).code, 6);
  const all = await home.nexus(['provider', 'catalog']);
  assert.match(all.stderr, /--category C, of:\n {2}accounting \(\d+\), ai \(\d+\)/);
  const stripe = await home.nexus(['connect', 'stripe', '--credentials-stdin'], { input: '{"api_key":"pk_live_x"}' });
  assert.equal(stripe.code, 2);
  assert.match(stripe.stderr, /api_key|restricted API key/i, 'a publishable key is none of them');
});

test('a provider setting that is mistyped is told', async () => {
  const add = await home.nexus(['provider', 'add', 'misspelt', '--auth-url', 'https://a.example/a', '--token-url', 'https://a.example/t', '--client-id', 'x', '--param', 'scope_seperator=,']);
  assert.equal(add.code, 0, add.stderr);
  assert.match(add.stderr, /warning: there is no setting scope_seperator; did you mean scope_separator\?/);
});

test('show explains an entry and its quirks', async () => {
  const github = await home.nexus(['provider', 'show', 'github']);
  assert.equal(github.code, 0);
  for (const said of ['https://github.com/login/oauth/authorize', 'OAuth App', 'settings/applications/new', 'separated by commas', 'Not checked at the provider'])
    assert.ok(github.stdout.includes(said), said);
  assert.match((await home.nexus(['provider', 'show', 'aws'])).stdout, /^nexus exec gives +AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN$/m);
  assert.deepEqual(JSON.parse((await home.nexus(['provider', 'show', 'openai', '--json'])).stdout).env, { OPENAI_API_KEY: 'api_key' });
  assert.match((await home.nexus(['provider', 'show', 'discord'])).stdout, /My own Discord/, 'one\'s own entry stands first');
  assert.equal((await home.nexus(['provider', 'show', 'broken'])).code, 2);
  const nobody = await home.nexus(['provider', 'show', 'slac']);
  assert.equal(nobody.code, 6);
  assert.match(nobody.stderr, /slack/);
});

test('without a person, connect says what to run instead of asking', async () => {
  const { code, stderr, stdout } = await home.nexus(['connect', 'github', '--no-browser']);
  assert.equal(code, 6);
  assert.equal(stdout, '');
  assert.match(stderr, /no client of GitHub is registered here yet/);
  assert.ok(stderr.includes(`${home.callbackBase}/auth/callback/github`));
  assert.ok(stderr.includes('nexus provider add github --client-id ID --client-secret-file -'));
});

/** What each consent URL has to be, part by part; `say` answers what is asked. */
const CONSENTS = {
  github: {
    at: 'https://github.com/login/oauth/authorize', scope: 'read:user user:email repo', pkce: true, secret: true,
  },
  google: {
    at: 'https://accounts.google.com/o/oauth2/v2/auth', scope: 'openid email profile', pkce: true, secret: true,
    also: { access_type: 'offline', prompt: 'consent' }, nonce: true, redirect: (base) => `${base}/auth/callback`,
  },
  microsoft: {
    at: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize', scope: 'offline_access User.Read', pkce: true, secret: true,
    also: { response_mode: 'query', prompt: 'consent' }, redirect: (base) => `${base.replace('127.0.0.1', 'localhost')}/auth/callback/microsoft`,
  },
  slack: { at: 'https://slack.com/oauth/v2/authorize', scope: 'channels:read,chat:write,users:read', https: true },
  notion: { at: 'https://api.notion.com/v1/oauth/authorize', scope: null, pkce: true, also: { owner: 'user' } },
  gitlab: { at: 'https://gitlab.com/oauth/authorize', scope: 'openid email read_api', pkce: true, nonce: true },
  atlassian: {
    at: 'https://auth.atlassian.com/authorize', scope: 'offline_access read:me read:jira-work read:confluence-content.all', pkce: true,
    also: { audience: 'api.atlassian.com', prompt: 'consent' },
  },
  salesforce: {
    at: 'https://login.salesforce.com/services/oauth2/authorize', scope: 'openid api offline_access', pkce: true,
    also: { prompt: 'consent' }, nonce: true, asks: [[/My Domain host[^]*: /, '']],
  },
};

async function lead(at, name, { asks = [], scope }) {
  const terminal = new Terminal(at, ['connect', name, '--no-wait', '--no-browser']);
  await terminal.shows(/needs a client of yours/);
  for (const [question, reply] of asks) await terminal.answer(question, reply);
  await terminal.answer(/Client id: /, 'client-1');
  await terminal.answer(/Client secret \(not shown.*\): /, SECRET);
  if (scope !== null) await terminal.answer(/Scopes \[.*\]: /, '');
  const { code, text } = await terminal.end();
  assert.ok(!text.includes(SECRET), 'the secret is not echoed');
  return { code, text };
}

async function checkConsent(at, name, expected) {
  const { code, text } = await lead(at, name, expected);
  assert.equal(code, 0, text);
  const redirect = expected.redirect?.(at.callbackBase) ?? `${at.callbackBase}/auth/callback/${name}`;
  assert.ok(text.includes(`redirect URI  ${redirect}`), 'what to register is what will be sent');
  const url = new URL(text.match(/^ {2}(https:\S+response_type\S+)$/m)[1]);
  assert.equal(url.origin + url.pathname, expected.at);
  const sent = url.searchParams;
  assert.equal(sent.get('response_type'), 'code');
  assert.equal(sent.get('client_id'), 'client-1');
  assert.equal(sent.get('redirect_uri'), redirect);
  assert.equal(sent.get('scope'), expected.scope);
  assert.ok(sent.get('state').length > 40);
  assert.equal(sent.get('code_challenge_method'), expected.pkce ? 'S256' : null);
  assert.equal(sent.get('code_challenge')?.length, expected.pkce ? 43 : undefined);
  assert.equal(sent.has('nonce'), Boolean(expected.nonce));
  for (const [parameter, value] of Object.entries(expected.also ?? {})) assert.equal(sent.get(parameter), value, parameter);
  const known = new Set(['response_type', 'client_id', 'redirect_uri', 'scope', 'state', 'code_challenge', 'code_challenge_method', 'nonce', ...Object.keys(expected.also ?? {})]);
  assert.deepEqual([...sent.keys()].filter((key) => !known.has(key)), [], 'nothing else is sent');
}

for (const [name, expected] of Object.entries(CONSENTS).filter(([, { https }]) => !https))
  test(`connect ${name} on a fresh machine leads to its consent URL`, () => checkConsent(home, name, expected));

test('a provider that takes only https says so; it works by pasting, and where the gateway has TLS', async () => {
  const { code, text } = await lead(home, 'slack', CONSENTS.slack);
  assert.equal(code, 1, text);
  assert.match(text, /nobody listens for the provider's answer at\s+https:\/\/localhost/);
  assert.match(text, /callback\.base_url/);
  assert.match(text, /nexus connect slack --paste/);
  assert.ok(text.includes(`redirect URI  https://localhost:${home.callbackPort}/auth/callback/slack`), 'what to register is what will be sent');
  const pasted = await home.nexus(['connect', 'slack', '--paste', '--no-wait', '--no-browser', '--json']);
  assert.equal(pasted.code, 0, pasted.stderr);
  assert.equal(new URL(JSON.parse(pasted.stdout).auth_url).searchParams.get('redirect_uri'),
    `https://localhost:${home.callbackPort}/auth/callback/slack`);

  const certificate = makeCertificate();
  const port = await freePort();
  const secure = await Home.make({
    gateway: { tls_certificate: certificate.certificate, tls_key: certificate.key }, gatewayPort: port,
    callbackBase: `https://localhost:${port}`,
  });
  await secure.start();
  try {
    await checkConsent(secure, 'slack', { ...CONSENTS.slack, redirect: () => `https://localhost:${port}/auth/callback/slack` });
  } finally {
    await secure.remove();
    certificate.remove();
  }
});

test('what a person says wrong is asked for again, and Ctrl-C changes nothing', async () => {
  const terminal = new Terminal(home, ['provider', 'add', 'shop', '--from', 'shopify']);
  await terminal.answer(/Subdomain \(….myshopify.com\): /, 'evil.example/path');
  await terminal.shows(/cannot be the subdomain/);
  await terminal.answer(/Subdomain.*: /, 'https://acme.myshopify.com/');
  await terminal.answer(/Client id: /, 'c');
  await terminal.answer(/Client secret.*: /, '^C');
  const { code, text } = await terminal.end();
  assert.equal(code, 130, text);
  assert.match(text, /interrupted; nothing was changed/);
  assert.equal((await home.api('GET', '/v1/providers/by-name/shop')).status, 404);
  const added = await home.nexus(['provider', 'add', 'shop', '--from', 'shopify', '--var', 'subdomain=acme', '--client-id', 'c', '--client-secret-file', '-', '--scope', 'read_products'], { input: SECRET });
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stdout, /https:\/\/acme\.myshopify\.com\/admin\/oauth\/authorize/);
  for (const [args, said] of [
    [['--var', 'subdomain=a/b'], /cannot be the subdomain/],
    [['--var', 'sub=a'], /no variable 'sub'/],
    [['--var', 'subdomain'], /NAME=VALUE/],
  ]) {
    const bad = await home.nexus(['provider', 'add', 'shop2', '--from', 'shopify', '--client-id', 'c', '--client-secret-file', '-', ...args], { input: SECRET });
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, said);
  }
});

test('an API key is asked for on the terminal, checked, and asked for again when it is wrong', async () => {
  const terminal = new Terminal(home, ['connect', 'mykey', '--alias', 'key']);
  await terminal.shows(/My API is registered now/);
  await terminal.shows(/Make a key at https:\/\/my\.example\/keys/);
  await terminal.answer(/API key \(not shown\): /, 'wrong');
  await terminal.shows(/does not accept these credentials \(401\)/);
  await terminal.answer(/API key \(not shown\): /, '');
  await terminal.shows(/API key is missing/);
  await terminal.answer(/API key \(not shown\): /, KEY);
  const { code, text } = await terminal.end();
  assert.equal(code, 0, text);
  assert.match(text, /Connected as octo/);
  assert.ok(!text.includes(KEY) && !text.includes('wrong'), 'nothing typed is echoed');
  assert.equal((await home.nexus(['token', 'key'])).stdout, KEY);
  // The page that asks for one links there as well.
  const { auth_url: page } = (await home.api('POST', '/v1/request-connection', { provider_name: 'mykey' })).json;
  assert.ok((await (await fetch(page, { headers: { accept: 'text/html' } })).text()).includes('<a href="https://my.example/keys"'));
});

test('three wrong answers, or Ctrl-C, leave no connection behind', async () => {
  const pending = async () => JSON.parse((await home.nexus(['list', '--json'])).stdout).connections.filter((c) => c.status === 'pending' && c.provider === 'mybasic').length;
  const wrong = new Terminal(home, ['connect', 'mybasic']);
  for (let i = 0; i < 3; ++i) {
    await wrong.answer(/User name: /, USER);
    await wrong.answer(/Password \(not shown\): /, 'wrong');
  }
  assert.equal((await wrong.end()).code, 2);
  const broken = new Terminal(home, ['connect', 'mybasic']);
  await broken.answer(/User name: /, USER);
  await broken.answer(/Password \(not shown\): /, '^C');
  assert.equal((await broken.end()).code, 130);
  assert.equal(await pending(), 0);
});

test('what connect has registered by itself is taken back with the connection that it was for, and told', async () => {
  const entry = (name, more = '') => writeFileSync(join(home.dir, '.config', 'nexus', 'providers', `${name}.toml`),
    `display_name = "A Fresh API"\nauth_type = "api_key"\napi_base_url = "${api.url}"\nuser_info_endpoint = "/header"\nallow_insecure_http = true\n[params.credential_schema]\nrequired = ["api_key"]\n[params.credential_schema.properties.api_key]\ntitle = "Secret Key"\ndescription = "Begins with sk-"\npattern = "^sk-"\n${more}`);
  entry('fresh');
  const isRegistered = async () => (await home.api('GET', '/v1/providers/by-name/fresh')).status === 200;
  const connections = async () => JSON.parse((await home.nexus(['list', '--json'])).stdout).connections.filter(({ provider: name }) => name === 'fresh');
  const left = async () => [await isRegistered(), await connections()];

  const broken = new Terminal(home, ['connect', 'fresh']);
  await broken.answer(/Secret Key – Begins with sk- \(not shown\): /, '^C');
  const { code, text } = await broken.end();
  assert.equal(code, 130, text);
  assert.match(text, /interrupted; taken back: the connection and the registration of fresh/);
  assert.ok(!text.includes('nothing was changed'));
  assert.deepEqual(await left(), [false, []]);

  // The terminal is closed, or somebody ends the program.
  const closed = new Terminal(home, ['connect', 'fresh']);
  await closed.shows(/Secret Key .*: /);
  assert.equal((await connections()).length, 1);
  closed.child.kill('SIGKILL');  // it holds the other end
  await closed.ended;
  await until(async () => !(await isRegistered()) && (await connections()).length === 0, 'what was begun is taken back');
  const ended = new Terminal(home, ['connect', 'fresh']);
  await ended.shows(/Secret Key .*: /);
  process.kill(Number(readFileSync(`/proc/${ended.child.pid}/task/${ended.child.pid}/children`, 'utf8')), 'SIGTERM');
  const told = await ended.end();
  assert.match(told.text, /interrupted; taken back: the connection and the registration of fresh/);
  assert.deepEqual(await left(), [false, []]);

  const wrong = new Terminal(home, ['connect', 'fresh']);
  await wrong.answer(/Secret Key .*: /, 'pk-1');
  await wrong.shows(/Secret Key does not look like it should; /);
  for (const key of ['sk-1', 'sk-2']) await wrong.answer(/Secret Key .*: /, key);
  const refused = await wrong.end();
  assert.equal(refused.code, 2);
  assert.match(refused.text, /taken back: the connection and the registration of fresh\n/);
  assert.deepEqual(await left(), [false, []]);

  const piped = await home.nexus(['connect', 'fresh', '--credentials-stdin'], { input: '{"api_key":"sk-1"}' });
  assert.equal(piped.code, 2);
  assert.match(piped.stderr, /taken back: the connection and the registration of fresh\n/);
  for (const [args, status, said] of [
    [[], 2, /no terminal to ask on/],
    [['--refresh-token-stdin'], 2, /has no refresh tokens/],
    [['--no-wait', '--alias', 'conn_x'], 2, /taken back: the registration of fresh\n[^]*cannot be an alias/],
  ]) {
    const { code: exit, stderr } = await home.nexus(['connect', 'fresh', ...args], { input: 'x' });
    assert.equal(exit, status, stderr);
    assert.match(stderr, said);
    assert.deepEqual(await left(), [false, []], args.join(' '));
  }

  // A registration that was there before is somebody's, whatever comes of the connection.
  assert.equal((await home.nexus(['provider', 'add', 'fresh'])).code, 0);
  const again = new Terminal(home, ['connect', 'fresh']);
  await again.answer(/Secret Key .*: /, '^C');
  assert.match((await again.end()).text, /interrupted; taken back: the connection\n/);
  assert.deepEqual(await left(), [true, []]);
});

test('Ctrl-C at the client\'s id or secret leaves no provider and no connection', async () => {
  for (const answers of [[[/Client id: /, '^C']], [[/Client id: /, 'c'], [/Client secret \(not shown.*\): /, '^C']]]) {
    const terminal = new Terminal(home, ['connect', 'dropbox', '--no-browser']);
    for (const [question, reply] of answers) await terminal.answer(question, reply);
    const { code, text } = await terminal.end();
    assert.equal(code, 130, text);
    assert.match(text, /interrupted; nothing was changed/);
    assert.equal((await home.api('GET', '/v1/providers/by-name/dropbox')).status, 404);
  }
});

test('an entry\'s header of a key is kept by all ways to register it', async () => {
  writeFileSync(join(home.dir, '.config', 'nexus', 'providers', 'headed.toml'),
    `auth_type = "api_key"\nauth_header = "X-Own"\napi_base_url = "${api.url}"\nallow_insecure_http = true\n`);
  const header = async () => {
    const { id } = (await home.api('GET', '/v1/providers/by-name/headed')).json;
    return (await home.api('GET', `/v1/providers/${id}`)).json.auth_header;
  };
  const added = await home.nexus(['provider', 'add', 'headed']);
  assert.equal(added.code, 0, added.stderr);
  assert.equal(await header(), 'X-Own');
  const file = join(home.dir, 'headed.toml');
  writeFileSync(file, '[providers.headed]\n');
  assert.equal((await home.nexus(['provider', 'apply', '-f', file, '--yes'])).code, 0);
  assert.equal(await header(), 'X-Own');
});

test('credentials come from stdin in a script', async () => {
  const connect = (input, ...args) => home.nexus(['connect', 'mybasic', '--credentials-stdin', ...args], { input });
  const good = await connect(JSON.stringify({ username: USER, password: PASSWORD }));
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /^conn_\w{26}\n$/);
  const json = await connect(JSON.stringify({ username: USER, password: PASSWORD }), '--json');
  assert.equal(JSON.parse(json.stdout).status, 'active');
  for (const [input, said] of [['', /empty/], ['{', /not a JSON object/], ['[]', /not a JSON object/], ['{}', /username is missing/],
    [JSON.stringify({ username: USER, password: 'wrong' }), /does not accept/]]) {
    const bad = await connect(input);
    assert.equal(bad.code, 2, bad.stderr);
    assert.equal(bad.stdout, '');
    assert.match(bad.stderr, said);
  }
  assert.equal((await home.nexus(['connect', 'github', '--credentials-stdin'], { input: '{}' })).code, 2);
  const silent = await home.nexus(['connect', 'mybasic'], { input: '' });
  assert.equal(silent.code, 2);
  assert.match(silent.stderr, /no terminal to ask on\n {2}give them with --credentials-stdin, or .* --page/);
});

for (const [kind, { provider: fields, credentials }] of Object.entries(KINDS)) {
  test(`${kind}: by prompt and by stdin, with the same payload`, async () => {
    const name = kind.replaceAll('_', '-');
    const answer = await home.api('POST', '/v1/providers', { name, api_base_url: api.url, allow_insecure_http: true, ...fields });
    assert.equal(answer.status, 201, answer.text);
    const terminal = new Terminal(home, ['connect', name, '--alias', `${name}-prompt`]);
    const titles = { api_key: /API key/, username: /User name/, password: /Password/, api_secret: /Api secret/, access_key: /Access key ID/, secret_key: /Secret access key/ };
    for (const [field, value] of Object.entries(credentials)) await terminal.answer(titles[field], value);
    if (kind === 'aws_sigv4') await terminal.answer(/Session token.*optional/, '');
    const prompted = await terminal.end();
    assert.equal(prompted.code, 0, prompted.text);
    const piped = await home.nexus(['connect', name, '--alias', `${name}-stdin`, '--credentials-stdin'], { input: JSON.stringify(credentials) });
    assert.equal(piped.code, 0, piped.stderr);
    for (const way of ['prompt', 'stdin']) {
      const payload = JSON.parse((await home.nexus(['token', `${name}-${way}`, '--json'])).stdout);
      assert.deepEqual(payload.credentials, credentials);
      assert.equal(payload.strategy.type, kind);
    }
  });
}

test('provider test tells what works and what does not', async () => {
  const provider = await MisbehavingProvider.start();
  try {
    const add = (name, ...args) => home.nexus(['provider', 'add', name, '--issuer', provider.issuer, '--client-id', 'client-1', '--allow-insecure-http', '--scope', 'openid', ...args]);
    const check = async (name) => { const { code, stdout } = await home.nexus(['provider', 'test', name]); return [code, stdout]; };
    assert.equal((await add('checked')).code, 0);
    provider.onOther = (path, response) => path === '/authorize' && (response.writeHead(302, { location: '/login' }).end(), true);
    const [code, said] = await check('checked');
    assert.equal(code, 0, said);
    for (const line of [/ok +discovery/, /ok +authorization endpoint: .* 302/, /ok +token endpoint: .* takes the client/, /ok +redirect URI: .* can be listened on/])
      assert.match(said, line);
    assert.equal(provider.tokenRequests()[0].form.get('code'), 'nexus-provider-test');

    provider.onOther = (path, response) => path === '/authorize' && (response.writeHead(400).end(), true);
    provider.onToken = (form, response) => { response.writeHead(401, { 'content-type': 'application/json' }); response.end('{"error":"invalid_client"}'); return true; };
    const [bad, told] = await check('checked');
    assert.equal(bad, 1);
    assert.match(told, /FAIL authorization endpoint: .* 400\n {2}it may not know the client id, or the redirect URI/);
    assert.match(told, /FAIL token endpoint: .*invalid_client/);
    const asJson = JSON.parse((await home.nexus(['provider', 'test', 'checked', '--json'])).stdout);
    assert.equal(asJson.ok, false);
    assert.equal((await home.nexus(['provider', 'test', 'nobody'])).code, 6);
    assert.equal((await check('mykey'))[0], 0);
    assert.match((await check('mykey'))[1], /401 without credentials/);
  } finally {
    await provider.close();
  }
});
