// What a person sees in the browser: after a consent, when the page is loaded again, and where a key is asked for.
import { test, before, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { MisbehavingProvider, reply } from '../provider/misbehaving.mjs';
import { connect, register, request, startOver, visit } from '../support/flow.mjs';
import { Home, until } from '../support/nexus.mjs';

let home;
let provider;
before(async () => {
  provider = await MisbehavingProvider.start();
  home = await Home.make({ gateway: true, config: '[limits]\nrequest_connection = 0\ncallback = 0\n' });
  await home.start();
  await register(home, provider.issuer);
});
after(async () => { await home.remove(); await provider.close(); });
beforeEach(() => startOver(home, provider));

/** A page that runs nothing but what its own hash allows, and keeps nothing. */
function assertSafe(page) {
  assert.match(page.headers.get('content-security-policy'), /^default-src 'none'; style-src 'sha256-[^']+'(; script-src 'sha256-[^']+')?; base-uri 'none'; form-action [^;]+; frame-ancestors 'none'$/);
  assert.equal(page.headers.get('cache-control'), 'no-store');
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
  for (const secret of [/at-\d/, /rt-\d/, /code=/, /state=/]) assert.doesNotMatch(page.text, secret);
}
/** What stands in the address bar once the page's script has run. */
const cleaned = (page, url) => `${new URL(url).origin}${new URL(url).pathname}?outcome=${page.text.match(/data-receipt="([\w-]+)"/)[1]}`;

test('success names the account and the command that comes next', async () => {
  const { id, page } = await connect(home, provider);
  assert.equal(page.status, 200);
  assertSafe(page);
  assert.match(page.text, /<h1>demo is connected<\/h1>\n<p>You are connected as alice@example\.com\. /);
  assert.ok(page.text.includes(`<pre>nexus token ${id}</pre>`));
  const aliased = await connect(home, provider, { alias: 'work' });
  assert.ok(aliased.page.text.includes('<pre>nexus token work</pre>'));
  const elsewhere = await connect(home, provider, { alias: 'work', workspace_id: 'a b' });
  assert.ok(elsewhere.page.text.includes('<pre>nexus token work --workspace &#39;a b&#39;</pre>'));
});

test('a redirect_path that no answer can come to is refused', async () => {
  const add = (path) => home.api('POST', '/v1/providers', { name: 'paths', issuer: provider.issuer, client_id: 'c', allow_insecure_http: true, redirect_path: path });
  for (const path of ['a', '//a', '/a/../b', '/a/.', '/a?b=c', '/a#b', '/a%2fb', '/a b', '/a\\b', '/é'])
    assert.match((await add(path)).json.message, /redirect_path has to be a plain path/, path);
  for (const path of ['/health', '/metrics', '/v1/connections', '/v1/token/x', '/providers/x', '/v1/providers/by-name/x', '/auth/capture-schema', '/auth/capture-credential']) {
    const { status, json } = await add(path);
    assert.deepEqual([status, json.field, json.message], [400, 'redirect_path', `redirect_path ${path} is one of nexusd's own paths`]);
  }
  for (const path of ['/v1/callback', '/', '/oauth2/callback.html']) {
    assert.equal((await add(path)).status, 201, path);
    await home.api('DELETE', '/v1/providers/by-name/paths');
  }
  const misled = await Home.make();
  writeFileSync(misled.configFile, '[callback]\npath = "/health"\n');
  await assert.rejects(misled.start(), /callback\.path \/health is one of nexusd's own paths/);
  await misled.remove().catch(() => {});
});

test('the state of a form leaves the address bar and the history, without a script', async () => {
  const added = await home.api('POST', '/v1/providers', { name: 'led', auth_type: 'api_key', api_base_url: 'https://led.example' });
  assert.equal(added.status, 201, added.text);
  const asked = await request(home, { provider_name: 'led' });
  const html = (url) => fetch(url, { redirect: 'manual', headers: { accept: 'text/html' } }).then(async (response) => ({ status: response.status, headers: response.headers, text: await response.text() }));
  const way = await html(asked.auth_url);
  assert.deepEqual([way.status, way.headers.get('referrer-policy'), way.headers.get('cache-control')], [303, 'no-referrer', 'no-store']);
  const left = new URL(way.headers.get('location'), asked.auth_url).href;
  assert.ok(!left.includes(asked.state) && !left.includes('state='));
  const form = await html(left);
  assert.equal(form.status, 200);
  assert.ok(form.text.includes(`value="${asked.state}"`) && !form.text.includes('<script'));
  // What is left in the address bar opens nothing; who has the first address has it still.
  for (let i = 0; i < 2; ++i) {
    const again = await html(left);
    assert.equal(again.status, 404);
    assert.match(again.text, /<h1>Open the page again<\/h1>/);
    assert.ok(!again.text.includes(asked.state));
  }
  assert.equal((await fetch(asked.auth_url, { headers: { accept: 'text/html' } })).status, 200);
  assert.equal((await html(left.replace(/outcome=.*/, 'outcome=guessed'))).status, 404);
});

test('a page that is loaded again says the same, and nothing is exchanged twice', async () => {
  const asked = await request(home, { alias: 'again' });
  const url = provider.consent(asked.auth_url);
  const page = await visit(url);
  const events = (await home.api('GET', '/v1/audit')).json.length;
  for (const again of [url, cleaned(page, url), url, cleaned(page, url)]) {
    const repeated = await visit(again);
    assert.equal(repeated.status, 200, again);
    assert.equal(repeated.text, page.text);
    assertSafe(repeated);
  }
  assert.equal(provider.tokenRequests('authorization_code').length, 1);
  assert.equal((await home.api('GET', '/v1/audit')).json.length, events, 'and nothing is put on record');
  assert.equal(await home.status(asked.connection_id), 'active');
});

test('a failure, a refusal and the way back to an application are told again as well', async () => {
  provider.onToken = (form, response) => reply(response, { error: 'invalid_client' }, 401);
  const failed = provider.consent((await request(home)).auth_url);
  const page = await visit(failed);
  assert.match(page.text, /could not be connected/);
  assert.equal((await visit(failed)).text, page.text);
  provider.onToken = null;
  const denied = new URL(provider.consent((await request(home)).auth_url));
  denied.searchParams.delete('code');
  denied.searchParams.set('error', 'access_denied');
  assert.match((await visit(denied.href)).text, /Nothing was connected/);
  assert.match((await visit(denied.href)).text, /Nothing was connected/);
  const back = provider.consent((await request(home, { return_url: 'https://app.example.com/back' })).auth_url);
  const first = await visit(back);
  assert.equal(first.status, 302);
  assert.equal((await visit(back)).headers.get('location'), first.headers.get('location'));
});

test('a page that is loaded again while the provider still answers waits, and then tells', async () => {
  let release;
  provider.onToken = (form, response) => { release = () => reply(response, { error: 'invalid_grant' }, 400); return true; };
  const url = provider.consent((await request(home)).auth_url);
  const first = visit(url);
  await until(() => release, 'the exchange');
  const second = await visit(url);
  assert.equal(second.status, 200);
  assert.match(second.text, /<h1>One moment<\/h1>/);
  assert.equal(second.headers.get('refresh'), '2');
  assertSafe(second);
  const reloaded = cleaned(second, url);
  assert.match((await visit(reloaded)).text, /<h1>One moment<\/h1>/);
  release();
  const told = (await first).text;
  assert.match(told, /could not be connected/);
  assert.equal((await visit(reloaded)).text, told);
  assert.equal(provider.tokenRequests('authorization_code').length, 1);
});

test('strangers learn nothing: of states that never were, of other addresses, of receipts that they guess', async () => {
  const url = provider.consent((await request(home)).auth_url);
  const page = await visit(url);
  const changed = (act) => { const other = new URL(url); act(other); return other.href; };
  const unknown = await visit(changed((other) => other.searchParams.set('state', 'x'.repeat(43) + '.' + 'y'.repeat(43))));
  assert.equal(unknown.status, 400);
  const state = new URL(url).searchParams.get('state');
  for (const other of [
    changed((to) => to.searchParams.set('state', state.slice(0, -1))),
    changed((to) => to.searchParams.set('state', state.split('.')[0])),
    changed((to) => to.searchParams.set('code', 'another')),
    changed((to) => to.searchParams.delete('code')),
    changed((to) => { to.pathname = '/auth/callback/other'; }),
    changed((to) => { to.pathname = '/v1/callback'; }),
  ]) {
    const answer = await visit(other);
    assert.deepEqual([answer.status, answer.text], [unknown.status, unknown.text], other);
  }
  const forgotten = cleaned(page, url).slice(0, -1);
  const nothing = await visit(forgotten);
  assert.equal(nothing.status, 404);
  assert.match(nothing.text, /nothing to show any more/);
  assert.ok(!nothing.text.includes('alice'));
  assertSafe(nothing);
});

test('a failure says in plain words what happened and what to do', async () => {
  provider.onToken = (form, response) => reply(response, { error: 'invalid_client' }, 401);
  const { page } = await connect(home, provider);
  const [, text] = page.text.match(/<h1>demo could not be connected<\/h1>\n<p>([^<]*)<\/p>/);
  assert.match(text, /^[A-Z][^.]*.*\. [A-Z].*nexus provider edit demo.*\.$/);
  assert.ok(page.text.includes('<p>To try again, in a terminal:</p>\n<pre>nexus connect demo</pre>'));
  assertSafe(page);
  const forged = await visit(`${home.gateway}/auth/callback?state=x&code=y`);
  assert.match(forged.text, /<p>This answer belongs to no connection that is waiting\. Go back to the terminal/);
});

test('what a provider says is shown as text', async () => {
  const markup = '<img src=x onerror=alert(1)>&"\'';
  provider.onToken = (form, response) => reply(response, { error: 'invalid_request', error_description: markup }, 400);
  const { page } = await connect(home, provider);
  assert.ok(!page.text.includes('<img'));
  assertSafe(page);
  provider.onToken = null;
  provider.claims = (claims) => ({ ...claims, email: markup });
  const named = await connect(home, provider);
  assert.ok(!named.page.text.includes('<img'));
});

test('a malformed query at the callback is answered with a page, elsewhere with JSON', async () => {
  const callback = await visit(`${home.gateway}/auth/callback?state=%zz`);
  assert.equal(callback.status, 400);
  assert.match(callback.headers.get('content-type'), /^text\/html/);
  assertSafe(callback);
  for (const path of ['/v1/connections?workspace_id=%zz', '/health?%zz', '/nowhere?%zz']) {
    const answer = await home.http('GET', path, undefined, { key: await home.makeKey(`k${path.length}`, '--admin') });
    assert.deepEqual([answer.status, answer.json.code], [400, 'invalid_field'], path);
  }
});

test('the page that asks for a key links to where keys are made, and is told again once it is taken', async () => {
  const add = (name, params) => home.api('POST', '/v1/providers', { name, auth_type: 'api_key', params: { validation: { skip: true }, ...params } });
  assert.equal((await add('keyed', { console_url: 'https://keys.example/new?a=1&b="2"' })).status, 400, 'no URL');
  assert.equal((await add('keyed', { console_url: 'https://keys.example/new?a=1&b=2' })).status, 201);
  assert.equal((await add('unlinked', {})).status, 201);
  for (const console_url of ['javascript:alert(1)', 'http://keys.example/', 'https://u:p@keys.example/', 'keys.example', 7]) {
    const refused = await add('refused', { console_url });
    assert.equal(refused.status, 400, String(console_url));
    assert.match(refused.json.field, /console_url/);
  }
  const accept = { accept: 'text/html' };
  const open = async (url) => {
    const response = await fetch(url, { headers: accept });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const asked = await request(home, { provider_name: 'keyed' });
  const form = await open(asked.auth_url);
  assert.ok(form.text.includes('<a href="https://keys.example/new?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">'), form.text);
  assert.ok(!(await open((await request(home, { provider_name: 'unlinked' })).auth_url)).text.includes('<a '));

  const sent = await fetch(`${home.gateway}/auth/capture-credential`, {
    method: 'POST', headers: accept, body: new URLSearchParams({ state: asked.state, api_key: 'canary-static-key' }) });
  const taken = { headers: sent.headers, text: await sent.text() };
  assert.match(taken.text, /keyed is connected/);
  for (const url of [asked.auth_url, cleaned(taken, `${home.gateway}/auth/capture-credential`)]) {
    const again = await open(url);
    assert.equal(again.status, 200, url);
    assert.equal(again.text, taken.text);
    assert.ok(!again.text.includes('canary'));
  }
  const program = await fetch(asked.auth_url);
  assert.equal(program.status, 400);
  assert.equal((await program.json()).code, 'invalid_state', 'a program is told that the state is spent');
});
