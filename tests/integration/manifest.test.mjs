// Providers under version control: plan, apply, export, in TOML and in the YAML of the Go system.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, token } from '../support/flow.mjs';
import { Home } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const SECRET = 'canary-manifest-secret-4e';

const { home, provider } = await daemonAndProvider();

const demo = (scopes = '["openid", "email"]', more = '') => `
[providers.demo]
issuer = "${provider.issuer}"
client_id = "client-1"
client_secret = "\${DEMO_SECRET}"
scopes = ${scopes}
allow_insecure_http = true
${more}`;
const github = `
[providers.github]
client_id = "Iv1.abc"
client_secret = "\${GITHUB_SECRET}"
`;

function write(text, name = 'nexus-providers.toml') {
  const file = join(home.dir, name);
  writeFileSync(file, text);
  return file;
}
const env = { DEMO_SECRET: SECRET, GITHUB_SECRET: 'other-secret' };
const run = (verb, file, args = [], variables = env) => home.nexus(['provider', verb, '-f', file, ...args], { env: variables });
const apply = (file, args = [], variables) => run('apply', file, ['--yes', ...args], variables);
const names = async () => (await home.api('GET', '/providers')).json.map((one) => one.name).sort();

test('plan, apply, plan: what was wanted is there, and a second plan says no change', async () => {
  const file = write(demo() + github);
  const planned = await run('plan', file);
  assert.equal(planned.code, 0, planned.stderr);
  assert.match(planned.stdout, /^\+ demo: create$/m);
  assert.match(planned.stdout, /^ {4}\+ client_secret: \(set\)$/m);
  assert.equal((await run('plan', file)).stdout, planned.stdout, 'who looks twice sees the same');
  assert.match(planned.stdout, /^ {4}\+ scopes: \["openid","email"\]$/m);
  assert.match(planned.stdout, /^2 to create, 0 to update, 0 to delete, 0 unchanged$/m);
  assert.ok(!(planned.stdout + planned.stderr).includes(SECRET));
  assert.deepEqual(await names(), [], 'a plan changes nothing');

  const applied = await apply(file);
  assert.equal(applied.code, 0, applied.stderr);
  assert.deepEqual(await names(), ['demo', 'github']);
  const shown = JSON.parse((await home.nexus(['provider', 'show', 'github', '--json'])).stdout);
  assert.equal(shown.token_url, 'https://github.com/login/oauth/access_token', 'the catalogue knows the rest');
  assert.match((await run('plan', file)).stdout, /^0 to create, 0 to update, 0 to delete, 2 unchanged$/m);
  const again = await apply(file);
  assert.equal(again.code, 0);
  const { events } = JSON.parse((await home.nexus(['audit', '--json'])).stdout);
  assert.equal(events.filter((e) => e.event_type === 'provider.created').length, 2);
  assert.equal(events.filter((e) => e.event_type === 'provider.updated').length, 0, 'what changes nothing is not on record');
});

test('a changed scope, a rotated secret and an orphan each show rightly', async () => {
  const { id } = await connect(home, provider);
  const scopes = await run('plan', write(demo('["openid"]') + github));
  assert.match(scopes.stdout, /^~ demo: update\n {4}~ scopes: \["openid","email"\] → \["openid"\]$/m);
  const rotated = await run('plan', write(demo() + github), [], { ...env, DEMO_SECRET: 'rotated' });
  assert.match(rotated.stdout, /^~ demo: update\n {4}~ client_secret: \(fingerprint ([0-9a-f]{8})\) → \(fingerprint (?!\1)[0-9a-f]{8}\)$/m);
  assert.match(rotated.stdout, /1 unchanged/);
  const orphan = await run('plan', write(demo()));
  assert.match(orphan.stdout, /^\? github: registered, but not in the manifest \(--prune deletes it\)$/m);
  assert.match(orphan.stdout, /1 unchanged, 1 not in the manifest/);
  const pruning = await run('plan', write(demo()), ['--prune']);
  assert.match(pruning.stdout, /^- github: delete$/m);

  assert.equal((await apply(write(demo() + github), [], { ...env, DEMO_SECRET: 'rotated' })).code, 0);
  assert.equal((await token(home, id)).status, 200, 'a rotated secret leaves connections alone');
  const moved = await run('plan', write(demo(undefined, 'token_url = "https://elsewhere.example/token"') + github));
  assert.match(moved.stdout, /! its connections will need a person/);
  assert.equal((await apply(write(demo()), ['--prune'])).code, 0);
  assert.deepEqual(await names(), ['demo']);
  // A secret that the manifest leaves out is not the manifest's business.
  const silent = await run('plan', write(demo().replace(/client_secret.*\n/, '')));
  assert.match(silent.stdout, /1 unchanged/);
});

test('one bad entry changes nothing, and is named with its line; so are all of them', async () => {
  const before = (await home.api('GET', '/providers')).text;
  const file = write(`${demo('["openid"]')}
[providers.bad]
auth_url = "https://a.example/auth"
token_url = "http://a.example/token"
client_id = "x"

[providers.worse]
auth_type = "telepathy"
`);
  for (const verb of ['plan', 'apply']) {
    const { code, stderr, stdout } = await run(verb, file, verb === 'apply' ? ['--yes'] : []);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /nexus-providers\.toml:11: bad: token_url is not https/);
    assert.match(stderr, /nexus-providers\.toml:15: worse: auth_type 'telepathy'/);
    assert.match(stderr, /2 entries of .* cannot be applied; nothing was changed/);
  }
  assert.equal((await home.api('GET', '/providers')).text, before);
  const direct = await home.api('POST', '/v1/providers/apply', { providers: [{ name: 'good', auth_url: 'https://a.example/a', token_url: 'https://a.example/t', client_id: 'x' }, { name: 'bad' }] });
  assert.equal(direct.status, 400);
  assert.match(direct.json.message, /^bad: /);
  assert.equal((await home.api('GET', '/providers')).text, before, 'the good one neither');
});

test('a manifest that cannot be read is told with its line', async () => {
  for (const [text, said] of [
    ['', /empty/],
    ['x = [', /nexus-providers\.toml:1: /],
    ['[provider.x]\n', /:1: 'provider' has no meaning/],
    ['[providers.x]\nclient_idd = "a"\n', /:2: 'client_idd' is no field/],
    ['[[providers]]\nclient_id = "a"\n', /:1: name is missing/],
    ['[providers]\nx = 1\n', /:2: a provider has to be a table/],
    ['[providers.x]\ncatalog = "nobody"\n', /:1: catalog names 'nobody'/],
    ['[providers.x]\ncatalog = "shopify"\nclient_id = "a"\n', /:1: .*needs to know the subdomain/],
    ['[providers.x]\nclient_id = "a"\nsince = 2026-01-01\n', /:3: a date/],
    [`${demo()}\n[providers.demo]\n`, /:\d+: /],
  ]) {
    const { code, stderr } = await run('plan', write(text));
    assert.equal(code, 2, text);
    assert.match(stderr, said);
  }
  assert.equal((await run('plan', join(home.dir, 'nothing.toml'))).code, 2);
});

test('every missing variable is listed at once, and $${ stands for itself', async () => {
  const file = write(demo() + github + '\n[providers.x]\nclient_id = "${A_1}-${B}"\nauth_url = "https://a.example/a"\ntoken_url = "https://a.example/t"\n');
  const missing = await run('plan', file, [], {});
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /A_1 \(line 14\), B \(line 14\), DEMO_SECRET \(line 5\), GITHUB_SECRET \(line 11\)/);
  const escaped = await run('plan', write('[providers.x]\nclient_id = "$${A}b"\nauth_url = "https://a.example/a"\ntoken_url = "https://a.example/t"\n'), ['--json']);
  const change = JSON.parse(escaped.stdout).changes.find(({ name }) => name === 'x');
  assert.equal(change.fields.find(({ field }) => field === 'client_id').after, '${A}b');
  const open = await run('plan', write('[providers.x]\nclient_id = "a"\nclient_secret = "plain-canary"\nauth_url = "https://a.example/a"\ntoken_url = "https://a.example/t"\n'));
  assert.match(open.stderr, /toml:3: a secret is written here/);
  assert.ok(!(open.stdout + open.stderr).includes('plain-canary'));
});

test('nobody there to confirm: nothing is applied without --yes', async () => {
  const file = write(demo('["openid"]'));
  const alone = await run('apply', file);
  assert.equal(alone.code, 2);
  assert.match(alone.stderr, /--yes/);
  const no = new Terminal(home, ['provider', 'apply', '-f', file], { env: { ...env, TERM: 'xterm' } });
  await no.answer(/Apply these changes\? \[y\/N\]: /, '');
  const { code, text } = await no.end();
  assert.equal(code, 1);
  assert.match(text, /\x1b\[33m~ demo: update\x1b\[0m/, 'coloured on a terminal');
  assert.ok(JSON.parse((await home.nexus(['provider', 'show', 'demo', '--json'])).stdout).scopes.includes('email'));
  const yes = new Terminal(home, ['provider', 'apply', '-f', file, '--no-color'], { env });
  await yes.answer(/Apply these changes\? \[y\/N\]: /, 'y');
  assert.equal((await yes.end()).code, 0);
  assert.deepEqual(JSON.parse((await home.nexus(['provider', 'show', 'demo', '--json'])).stdout).scopes, ['openid']);
});

test('the manifests of the Go system work as they are', async () => {
  const yaml = `# as nexus-cli takes it
providers:
  - name: google-workspace
    auth_type: oauth2
    client_id: "\${GOOGLE_CLIENT_ID}"
    client_secret: "\${DEMO_SECRET}"
    auth_url: "https://accounts.example/auth"
    token_url: "https://accounts.example/token"
    enable_discovery: false
    scopes:
      - openid
      - email
  - name: telegram
    auth_type: api_key
    scopes: []
    api_base_url: https://api.telegram.org
    user_info_endpoint: "/bot{api_key}/getMe"
    params:
      auth_strategy: { type: path }
      credential_schema:
        type: object
        required: [api_key]
        properties:
          api_key: { type: string, title: "Bot Token" }
  - name: segment
    auth_type: api_key
    params: { validation: { skip: true } }
`;
  const file = write(yaml, 'nexus-providers.yaml');
  const applied = await apply(file, [], { ...env, GOOGLE_CLIENT_ID: 'g-1' });
  assert.equal(applied.code, 0, applied.stderr);
  assert.match((await run('plan', file, [], { ...env, GOOGLE_CLIENT_ID: 'g-1' })).stdout, /3 unchanged/);
  const telegram = JSON.parse((await home.nexus(['provider', 'show', 'telegram', '--json'])).stdout);
  assert.equal(telegram.params.credential_schema.properties.api_key.title, 'Bot Token');
  for (const [text, said] of [
    ['providers:\n  - name: a\n   bad', /yaml:3: /],
    ['providers:\n  - name: a\n    name: b\n', /yaml:3: 'name' stands here twice/],
    ['providers:\n  - name: a\n    clientid: b\n', /yaml:3: 'clientid' is no field/],
    [`a: &a [${'1,'.repeat(99)}1]\n${'bcdefg'.split('').map((name, i) => `${name}: &${name} [${`*${'abcdef'[i]},`.repeat(9)}*${'abcdef'[i]}]`).join('\n')}\n`, /too large/],
  ]) {
    const bad = await run('plan', write(text, 'bad.yaml'));
    assert.equal(bad.code, 2, text);
    assert.match(bad.stderr, said);
  }
});

test('export writes a manifest that changes nothing, and that another machine can apply', async () => {
  await apply(write(demo() + github + '\n[providers.shop]\ncatalog = "shopify"\nvars = { subdomain = "acme" }\nclient_id = "c"\nclient_secret = "${DEMO_SECRET}"\n'), ['--prune']);
  const { stdout, code } = await home.nexus(['provider', 'export']);
  assert.equal(code, 0);
  assert.ok(!stdout.includes(SECRET));
  assert.match(stdout, /client_secret = ['"]\$\{SHOP_CLIENT_SECRET\}['"]/);
  const variables = { DEMO_CLIENT_SECRET: SECRET, GITHUB_CLIENT_SECRET: env.GITHUB_SECRET, SHOP_CLIENT_SECRET: SECRET };
  const file = write(stdout, 'export.toml');
  const planned = await run('plan', file, [], variables);
  assert.match(planned.stdout, /^0 to create, 0 to update, 0 to delete, 3 unchanged\n$/, planned.stdout + planned.stderr);
  const other = await Home.make();
  await other.start();
  try {
    assert.equal((await other.nexus(['provider', 'apply', '-f', file, '--yes'], { env: variables })).code, 0);
    assert.equal((await other.nexus(['provider', 'export'])).stdout, stdout);
  } finally {
    await other.remove();
  }
  assert.ok(!home.log.includes(SECRET));
});

/** What export writes of the providers of `manifest`, alone; it has to say what they are to any plan. */
async function roundTrip(manifest, variables) {
  assert.equal((await apply(write(manifest), ['--prune'])).code, 0);
  const { stdout } = await home.nexus(['provider', 'export']);
  const file = write(stdout, 'export.toml');
  const all = (await home.api('GET', '/providers?limit=1000')).json;
  const planned = await run('plan', file, [], variables);
  assert.match(planned.stdout, new RegExp(`^0 to create, 0 to update, 0 to delete, ${all.length} unchanged\\n$`), planned.stdout + planned.stderr + stdout);
  const other = await Home.make();
  await other.start();
  try {
    assert.equal((await other.nexus(['provider', 'apply', '-f', file, '--yes'], { env: variables })).code, 0);
    const known = ({ id, redirect_uri, client_secret_fingerprint, ...rest }) => rest;
    for (const { id } of all) {
      const here = (await home.api('GET', `/v1/providers/${id}`)).json;
      const there = (await other.api('GET', `/v1/providers/by-name/${here.name}`)).json;
      assert.deepEqual(known((await other.api('GET', `/v1/providers/${there.id}`)).json), known(here));
    }
  } finally {
    await other.remove();
  }
  return stdout;
}

test('export names the entry of the catalogue, and what differs from that', async () => {
  const secret = { GITHUB_CLIENT_SECRET: env.GITHUB_SECRET };
  const plain = await roundTrip(github, secret);
  assert.deepEqual(plain.match(/^\s*\w+(?= =)/gm).map((field) => field.trim()).sort(), ['catalog', 'client_id', 'client_secret', 'redirect_path']);
  assert.match(plain, /catalog = ['"]github['"]/);

  const edited = await roundTrip(`[providers.code]
catalog = "github"
client_id = "Iv1.abc"
client_secret = "\${GITHUB_SECRET}"
auth_header = "client_secret_basic"
api_base_url = ""
scopes = []
description = "Ours"
[providers.code.params]
login = "octo"
any_loopback_port = false
invalid_grant_errors = ""
`, { CODE_CLIENT_SECRET: env.GITHUB_SECRET });
  assert.match(edited, /catalog = ['"]github['"]/);
  assert.match(edited, /description = ['"]Ours['"]/);
  assert.match(edited, /invalid_grant_errors = ['"]['"]/, 'what the entry has and this provider has not');
  assert.match(edited, /scopes = \[ *\]/);
  for (const same of ['token_url', 'auth_url', 'token_response_format', 'category', 'auth_type'])
    assert.ok(!edited.includes(same), `${same} is the entry's`);
  const code = (await home.api('GET', '/v1/providers/by-name/code')).json;
  assert.equal('invalid_grant_errors' in (await home.api('GET', `/v1/providers/${code.id}`)).json.params, false);
});

test('export finds the variables of an entry, also of one with two forms, and needs none for a key', async () => {
  const text = await roundTrip(`[providers.shop]
catalog = "shopify"
vars = { subdomain = "acme" }
client_id = "c"
client_secret = "\${GITHUB_SECRET}"
[providers.openai]
[providers.crm]
catalog = "salesforce"
vars = { hostname = "acme.my.salesforce.com" }
client_id = "c"
client_secret = "\${GITHUB_SECRET}"
`, { SHOP_CLIENT_SECRET: env.GITHUB_SECRET, CRM_CLIENT_SECRET: env.GITHUB_SECRET });
  assert.match(text, /subdomain = ['"]acme['"]/);
  assert.ok(!text.includes('auth_url'), text);
  const { openai } = Object.fromEntries([...text.matchAll(/^\s*\[providers\.(\w+)\]\n([^[]*)/gm)].map(([, name, body]) => [name, body.trim()]));
  assert.match(openai, /^catalog = ['"]openai['"]$/);
});

test('export writes all of a provider that is in no catalogue, or not in this one', async () => {
  const text = await roundTrip(`[providers.alone]
auth_url = "https://a.example/a"
token_url = "https://a.example/t"
client_id = "c"
description = "from $\${100} a month, $$\${200} with support"
params = { catalog_entry = "long-gone", prompt = "" }
`, {});
  assert.equal((await home.api('GET', `/v1/providers/${(await home.api('GET', '/v1/providers/by-name/alone')).json.id}`)).json.description, 'from ${100} a month, $${200} with support');
  assert.match(text, /auth_url = ['"]https:\/\/a\.example\/a['"]/);
  assert.ok(!/^\s*catalog =/m.test(text), text);
});
