// What people look at: list is the table to find a connection in, status tells how one is doing. Both fit
// the terminal; what is piped is never shortened.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, request, visit } from '../support/flow.mjs';
import { Terminal } from '../support/terminal.mjs';

const { home, provider } = await daemonAndProvider({ gateway: true });
const LONG = 'a-very-long-alias-that-somebody-chose-for-a-mailbox';
await register(home, provider.issuer);
await register(home, provider.issuer, { name: 'another-provider-of-mail', scopes: ['openid', 'email', 'https://mail.example/auth/everything.readonly'] });
const { id } = await connect(home, provider, { alias: 'work' });
await connect(home, provider, { alias: LONG, provider_name: 'another-provider-of-mail' });
await connect(home, provider, { alias: 'elsewhere', workspace_id: 'team' });
provider.claims = (claims) => ({ ...claims, email: '山田太郎🚀@例え.jp' });
await connect(home, provider, { alias: 'tokyo', provider_name: 'another-provider-of-mail' });
provider.claims = (claims) => claims;

const run = async (...args) => {
  const result = await home.nexus(args);
  assert.equal(result.code, 0, `${args.join(' ')}: ${result.stderr}`);
  return result;
};
const onTerminal = async (columns, ...args) => (await new Terminal(home, args, { columns }).end()).text;
/** As a terminal shows it: East Asian letters and pictures are wide. */
const columnsOf = (line) => [...line].reduce((sum, letter) => sum + (/[\u3000-\ufaff\u{1f300}-\u{1faff}]/u.test(letter) ? 2 : 1), 0);
/** No line is broken by the terminal but in a word or a command, which are there to be copied. */
const fits = (text, columns) => {
  for (const line of text.split('\n'))
    assert.ok(columnsOf(line) <= columns || /^ *(\S+|(nexus|chmod|chown|export) .*)$/.test(line), `${columnsOf(line)} columns: ${line}`);
};

test('list is a table by alias, provider and account; ids come with --wide', async () => {
  const { stdout } = await run('list');
  const [head, ...rows] = stdout.trimEnd().split('\n');
  assert.deepEqual(head.split(/ +/), ['ALIAS', 'PROVIDER', 'ACCOUNT', 'STATUS', 'EXPIRES']);
  assert.equal(rows.length, 3);
  assert.match(stdout, /^work +demo +alice@example\.com +active +in \d[\dhm ]+$/m);
  assert.ok(!stdout.includes('conn_'));
  assert.ok(stdout.includes(LONG), 'nothing is shortened in a pipe');
  const wide = (await run('list', '--wide')).stdout;
  assert.match(wide, new RegExp(`^work .* ${id} +openid email`, 'm'));
  assert.match((await run('list', '--all-workspaces')).stdout, /^ALIAS +WORKSPACE +PROVIDER[\s\S]*^elsewhere +team +demo/m);
  assert.equal((await run('list', '--status', 'pending')).stdout, '');
});

for (const columns of [40, 80, 100, 140])
  test(`everything that is shown fits a terminal of ${columns} columns`, { timeout: 60000 }, async () => {
    await home.makeKey(`a-key-with-a-long-name-at-${columns}`, '--use', 'workspace:default', '--use', 'provider:demo', '--forward', 'all');
    for (const args of [['list'], ['list', '--all-workspaces'], ['status'], ['status', 'work', LONG, 'tokyo'], ['key', 'list'], ['provider', 'list'], ['provider', 'show', 'demo'],
      ['provider', 'show', 'stripe'], ['provider', 'show', 'google'], ['provider', 'catalog'], ['provider', 'catalog', '--category', 'ai'], ['proxy', 'routes'], ['proxy', 'status'],
      ['daemon', 'status'], ['doctor'], ['audit', '--limit', '1000'], ['provider', 'test', 'demo'],
      ['token', 'nobody'], ['token', 'github'], ['tokn'], ['connect', 'slak'], ['provider', 'add', 'nobody'], ['provider', 'catalog', '--category', 'nothing'], ['audit', '--since', 'long ago'], ['list', '--status', 'good']])
      fits(await onTerminal(columns, ...args), columns);
  });

test('what a narrow terminal has no columns for stands below, in full', async () => {
  const list = await onTerminal(40, 'list');
  assert.match(list, /^work {2}provider demo\n {4}account alice@example\.com\n {4}status active {2}expires in \d[\dhm ]*$/m);
  assert.ok(list.includes(LONG) && list.includes('山田太郎🚀@例え.jp'));
  assert.doesNotMatch(list, /…|ALIAS/);
  const { keys } = JSON.parse((await run('key', 'list', '--json')).stdout);
  for (const columns of [40, 80]) {
    const shown = await onTerminal(columns, 'key', 'list');
    for (const key of keys) assert.ok(shown.includes(key.id), 'ids are there to be copied');
  }
  for (const name of ['atlassian-service-account-api-token', 'atlassian-service-account-oauth2'])
    for (const columns of [40, 80])
      assert.match(await onTerminal(columns, 'provider', 'catalog', 'atlassian'), new RegExp(`^${name}( |$)`, 'm'), 'a name is there to be typed');
});

test('a table says where it is shortened, and --wide shortens nothing', async () => {
  const shown = await onTerminal(80, 'list');
  assert.match(shown, /^ALIAS +PROVIDER +ACCOUNT +STATUS +EXPIRES$/m);
  assert.match(shown, /^a-ve.*…/m);
  assert.match(shown, /^work /m);
  // What is right of wide letters stands where it stands elsewhere.
  const [of, to] = ['work', 'tokyo'].map((alias) => shown.split('\n').find((line) => line.startsWith(alias)));
  assert.equal(columnsOf(of.split(/ active /)[0]), columnsOf(to.split(/ active /)[0]));
  for (const columns of [40, 80]) assert.ok((await onTerminal(columns, 'list', '--wide')).includes(LONG), 'ids are there to be copied');
});

test('the status of one is a record of it', async () => {
  const { stdout } = await run('status', 'work');
  for (const line of [/^connection +work$/m, /^provider +demo$/m, /^account +alice@example\.com$/m, /^status +active$/m,
    /^token expires +in \d[\dhm ]+$/m, /^scopes +openid email/m, /^workspace +default$/m, new RegExp(`^id +${id}$`, 'm')]) assert.match(stdout, line);
  const two = (await run('status', 'work', LONG)).stdout;
  assert.equal(two.match(/^connection /gm).length, 2);
  assert.match((await run('status')).stdout, /^ALIAS +PROVIDER +STATE\n[\s\S]*^work +demo +active, the token expires in \d[\dhm ]+$/m);
});

test('a refresh that fails is told in words, with its reason in full', async () => {
  const { id: failing } = await connect(home, provider, { alias: 'failing' });
  const reason = `the mailbox is being moved to another continent and cannot be reached ${'for quite some time '.repeat(6)}`.trim();
  provider.onToken = (form, response) => response.writeHead(503, { 'content-type': 'application/json' })
    .end(JSON.stringify({ error: 'temporarily_unavailable', error_description: reason }));
  assert.notEqual((await home.api('POST', `/v1/refresh/${failing}`, '')).status, 200);
  provider.onToken = null;
  const told = (await home.api('GET', `/v1/connections/${failing}`)).json;
  assert.equal(told.status, 'active');
  assert.ok(Math.abs(told.refresh_failing_since - Date.now() / 1000) < 30);
  const record = (await run('status', 'failing')).stdout;
  assert.match(record, /^status +active, refreshing has failed for \d+s, next try (in \d+[sm]|now)$/m);
  const line = record.split('\n').find((each) => each.startsWith('reason'));
  assert.ok(line.includes(told.last_error.message), 'on a line of its own, at full length');
  const overview = (await run('status')).stdout;
  assert.match(overview, /^failing +demo +active, refreshing has failed for \d+s/m);
  assert.ok(overview.includes(`\nfailing: ${told.last_error.message}\n`));
  assert.match((await run('list')).stdout, /^failing +demo .* refresh fails +in \d[\dhm ]+$/m);
  const { id: nameless } = await connect(home, provider);
  provider.onToken = (form, response) => response.writeHead(503).end();
  await home.api('POST', `/v1/refresh/${nameless}`, '');
  provider.onToken = null;
  const named = (await run('status')).stdout;
  assert.match(named, /^demo \(alice@example\.com\): /m, 'as the table has it');
  assert.ok(!named.includes(nameless));
  await run('disconnect', nameless);
  await run('refresh', 'failing');
  assert.equal((await home.api('GET', `/v1/connections/${failing}`)).json.refresh_failing_since, null);
  assert.match((await run('status', 'failing')).stdout, /^status +active$/m);
  await run('disconnect', 'failing');
});

test('refresh and alias say what happened', async () => {
  const refreshed = (await run('refresh', 'work')).stdout;
  assert.match(refreshed, /^refreshed the token of demo \(alice@example\.com\): it is good until \d{4}-\d\d-\d\dT[\d:]+Z \(\d+[hm].*\)\n$/);
  assert.equal((await run('alias', 'work', 'office')).stdout, 'demo (alice@example.com) is called office now\n');
  assert.equal(JSON.parse((await run('alias', 'office', 'work', '--json')).stdout).connections[0].alias, 'work');
  assert.equal(JSON.parse((await run('refresh', 'work', '--json')).stdout).connections[0].connection_id, id);
});

test('failed attempts can be listed, and removed', async () => {
  for (let i = 0; i < 2; ++i) {
    const asked = await request(home);
    const state = new URL(asked.auth_url).searchParams.get('state');
    await visit(`${new URL(asked.auth_url).searchParams.get('redirect_uri')}?error=access_denied&state=${encodeURIComponent(state)}`);
  }
  assert.equal((await run('list', '--status', 'failed')).stdout.match(/ failed /g).length, 2);
  assert.equal((await run('prune')).stdout, 'removed 2 failed attempts\n');
  assert.equal((await run('prune')).stdout, 'there are no failed attempts\n');
  assert.deepEqual(JSON.parse((await run('prune', '--json')).stdout), { removed: [] });
  const none = await run('list', '--status', 'failed');
  assert.deepEqual([none.stdout, none.stderr], ['', 'no connection is failed\n']);
  assert.match((await run('list')).stdout, /^work /m);
});

test('JSON is indented on a terminal, and one line in a pipe', async () => {
  for (const args of [['list'], ['status', 'work'], ['token', 'work'], ['key', 'list'], ['provider', 'show', 'demo']]) {
    const piped = (await run(...args, '--json')).stdout;
    assert.equal(piped.split('\n').length, 2, args.join(' '));
    const shown = await onTerminal(80, ...args, '--json');
    assert.match(shown, /^\{\n {2}"/);
    assert.deepEqual(Object.keys(JSON.parse(shown)), Object.keys(JSON.parse(piped)));
  }
});

test('key list tells when each was made and used last', async () => {
  const key = await home.makeKey('used', '--use', 'all');
  assert.match((await run('key', 'list')).stdout, /^used .* \d+s ago +never +never$/m);
  assert.equal((await home.http('GET', '/v1/connections?workspace_id=default', undefined, { key })).status, 200);
  assert.match((await run('key', 'list')).stdout, /^used .* \d+s ago +\d+s ago +never$/m);
  await home.stop();
  await home.start();
  const { keys } = JSON.parse((await run('key', 'list', '--json')).stdout);
  assert.ok(Math.abs(keys.find((each) => each.name === 'used').last_used_at - Date.now() / 1000) < 60, 'a restart does not forget it');
});
