// What a provider tells beside a token: kept by the names of its setting token_fields, shown with the token,
// and covered by the codes of the vault's rows.
import { test, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { reply } from '../provider/misbehaving.mjs';
import { daemonAndProvider } from '../support/fixture.mjs';
import { startOver, token, SECRET } from '../support/flow.mjs';

const { home, provider } = await daemonAndProvider();
beforeEach(() => startOver(home, provider));

/** The answers to come, one after the other; the last one again and again. */
function tell(...answers) {
  let count = 0;
  provider.onToken = (form, response) => reply(response, {
    access_token: `at-${++count}`, token_type: 'Bearer', expires_in: 3600, ...answers[Math.min(count, answers.length) - 1] });
}

async function add(name, fields) {
  const answer = await home.api('POST', '/v1/providers', {
    name, token_url: `${provider.issuer}/token`, grant_type: 'client_credentials', client_id: 'client-1',
    client_secret: SECRET, allow_insecure_http: true, replace: true, ...fields });
  return answer;
}

const run = async (...args) => {
  const { code, stdout, stderr } = await home.nexus(args);
  assert.equal(code, 0, stderr);
  return stdout;
};

test('what the setting names is shown with the token, and stays when a refresh does not tell it', async () => {
  tell({ instance_url: 'https://a.my.example', team: { id: 'T1', secret: 'no' }, more: 'no' },
    { team: { id: 2 } }, { instance_url: null });
  const added = await home.nexus(['provider', 'add', 'crm', '--token-url', `${provider.issuer}/token`, '--grant-type', 'client_credentials',
    '--client-id', 'client-1', '--allow-insecure-http', '--api-base-url', '{instance_url}/v1',
    '--param', 'token_fields=["instance_url","team.id"]', '--client-secret-file', '-'], { input: SECRET });
  assert.equal(added.code, 0, added.stderr);
  await run('connect', 'crm', '--alias', 'sales');
  assert.equal(await run('token', 'sales', '--field', 'instance_url'), 'https://a.my.example');
  assert.equal(await run('token', 'sales', '--field', 'team.id'), 'T1');
  assert.equal(await run('token', 'sales'), 'at-1');
  const none = await home.nexus(['token', 'sales', '--field', 'more']);
  assert.equal(none.code, 2);
  assert.deepEqual((await token(home, 'sales')).json.token_fields, { instance_url: 'https://a.my.example', 'team.id': 'T1' });
  await run('token', 'sales', '--refresh');
  await run('token', 'sales', '--refresh');
  assert.deepEqual((await token(home, 'sales')).json.token_fields, { instance_url: 'https://a.my.example', 'team.id': 2 });
  const resolved = await home.api('GET', '/v1/resolve?workspace_id=default&provider_name=crm');
  assert.deepEqual(resolved.json.token_fields, { instance_url: 'https://a.my.example', 'team.id': 2 });
});

test('without the setting nothing is kept, and an address that hangs on more is refused', async () => {
  tell({ instance_url: 'https://a.my.example' });
  assert.equal((await add('plain', {})).status, 201);
  await run('connect', 'plain');
  assert.ok(!('token_fields' in (await token(home, 'plain')).json));
  for (const api_base_url of ['{instance_url}', 'https://{host}:1/', 'https://x/{'])
    assert.equal((await add('bad', { api_base_url })).json.field, 'api_base_url');
  const refused = await add('bad', { params: { token_fields: ['authed_user.access_token'] } });
  assert.equal(refused.status, 400);
  assert.match(refused.json.message, /token_fields.*secret/);
});

test('what somebody else writes over it takes the connection out of service', async () => {
  tell({ instance_url: 'https://a.my.example' });
  assert.equal((await add('crm', { params: { token_fields: ['instance_url'] } })).status, 201);
  await run('connect', 'crm', '--alias', 'mine');
  await home.stop();
  execFileSync('sqlite3', [join(home.data, 'nexus.db'),
    `UPDATE connections SET token_fields = '{"instance_url":"https://evil.example"}' WHERE alias = 'mine'`]);
  await home.start();
  const answer = await token(home, 'mine');
  assert.equal(answer.json.status, 'failed', answer.text);
  assert.match(answer.json.message, /was altered/);
  assert.ok(!answer.text.includes('evil'));
});
