// The page that asks for static credentials, in a real Chromium: by keyboard alone, with and without
// scripts, wide and narrow, light and dark.
import { test, before, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { KeyedApi, KINDS, KEY, PASSWORD, USER } from '../provider/keyed_api.mjs';
import { visit } from '../support/flow.mjs';
import { Home } from '../support/nexus.mjs';
import { launchChromium } from '../support/chromium.mjs';

let home;
let api;
let browser;
let app;
before(async () => {
  api = await KeyedApi.start();
  home = await Home.make();
  await home.start();
  browser = await launchChromium();
  app = createServer((request, response) => { if (request.url.startsWith('/return')) app.seen = request.url; response.end('<h1>back in the app</h1>'); }).listen(0, '127.0.0.1');
  await once(app, 'listening');
  const register = async (name, fields) => {
    const answer = await home.api('POST', '/v1/providers', { name, api_base_url: api.url, allow_insecure_http: true, ...fields });
    assert.equal(answer.status, 201, answer.text);
  };
  for (const [kind, { provider }] of Object.entries(KINDS)) await register(kind.replaceAll('_', '-'), provider);
  await register('full', {
    auth_type: 'api_key', user_info_endpoint: '/header', description: 'A service with <b>many</b> questions',
    params: {
      credential_schema: {
        type: 'object', required: ['region', 'email', 'api_key'],
        properties: {
          region: { title: 'Region', enum: ['eu', 'us'] },
          email: { title: 'E-mail', format: 'email', pattern: '@', description: 'The one that you log in with.' },
          api_key: { title: 'API key', format: 'password', minLength: 8 },
          port: { title: 'Port', type: 'integer', default: '443' },
          sandbox: { title: 'This is the sandbox', type: 'boolean' },
        },
      },
    },
  });
});
after(async () => { await browser?.close(); app.close(); await home.remove(); await api.close(); });
beforeEach(() => api.reset());

async function ask(name, fields = {}) {
  const answer = await home.api('POST', '/v1/request-connection', { provider_name: name, ...fields });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

async function open(url, { script = true, width = 900, height = 760, dark = false } = {}) {
  const context = await browser.newContext({ javaScriptEnabled: script, viewport: { width, height }, colorScheme: dark ? 'dark' : 'light' });
  const page = await context.newPage();
  page.problems = [];
  page.on('console', (message) => { if (message.type() === 'error') page.problems.push(message.text()); });
  await page.goto(url);
  return page;
}

const picture = (page, name) => (process.env.NEXUS_SCREENSHOTS ? page.screenshot({ path: `${process.env.NEXUS_SCREENSHOTS}/${name}.png`, fullPage: true }) : undefined);
const field = (page, name) => page.locator(`[name=${name}]`);

for (const script of [true, false]) {
  test(`by keyboard alone, ${script ? 'with' : 'without'} scripts: wrong, then right`, { timeout: 60000 }, async () => {
    const asked = await ask('full');
    const page = await open(asked.auth_url, { script });
    await picture(page, `capture-empty-${script}`);
    assert.equal(await page.locator('h1').innerText(), 'Connect full');
    assert.equal(await page.locator('main > p').first().innerText(), 'A service with <b>many</b> questions', 'texts are texts');
    for (const title of ['Region', 'E-mail', 'API key', 'Port (optional)', 'This is the sandbox'])
      assert.equal(await page.getByLabel(title, { exact: true }).count(), 1, `${title} has its label`);
    assert.equal(await field(page, 'api_key').getAttribute('type'), 'password');
    assert.equal(await field(page, 'email').evaluate((input) => document.getElementById(input.getAttribute('aria-describedby')).textContent), 'The one that you log in with.');

    // The first field has the focus; Tab goes on in the order of the page, Enter sends.
    await page.keyboard.press('ArrowDown');  // "eu"
    await page.keyboard.press('Tab');
    await page.keyboard.type('nobody');
    await page.keyboard.press('Tab');
    await page.keyboard.type('short');
    await page.keyboard.press('Enter');
    await page.waitForSelector('p.error');
    await picture(page, `capture-errors-${script}`);
    assert.deepEqual(await page.locator('p.error').allInnerTexts(), ['E-mail does not look like it should', 'API key is shorter than 8 characters']);
    assert.equal(await field(page, 'email').getAttribute('aria-invalid'), 'true');
    assert.equal(await field(page, 'email').inputValue(), 'nobody', 'what is no secret is there again');
    assert.equal(await field(page, 'api_key').inputValue(), '', 'a secret is not');
    assert.equal(await field(page, 'region').inputValue(), 'eu');
    assert.ok(!page.url().includes('state='), 'nor is the state in the address bar');

    // The first thing to correct has the focus.
    await page.keyboard.press('Control+A');
    await page.keyboard.type('ada@example.com');
    await page.keyboard.press('Tab');
    await page.keyboard.type('wrong-key');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');  // the button
    await page.waitForSelector('[role=alert]');
    await picture(page, `capture-refused-${script}`);
    assert.match(await page.locator('[role=alert]').innerText(), /full does not accept these credentials \(401\)/);
    assert.ok(!(await page.content()).includes('wrong-key'));
    assert.equal(await home.status(asked.connection_id), 'pending');

    await field(page, 'api_key').focus();
    await page.keyboard.type(KEY);
    await page.keyboard.press('Enter');
    await page.waitForSelector('h1:has-text("full is connected")');
    await picture(page, `capture-done-${script}`);
    assert.deepEqual(page.problems.filter((text) => text.includes('Content Security Policy')), []);
    const payload = (await home.api('GET', `/v1/token/${asked.connection_id}`)).json;
    assert.deepEqual(payload.credentials, { region: 'eu', email: 'ada@example.com', api_key: KEY, port: 443, sandbox: true });
    await page.context().close();
  });
}

for (const kind of Object.keys(KINDS)) {
  test(`${kind} is asked for by the page`, { timeout: 60000 }, async () => {
    const asked = await ask(kind.replaceAll('_', '-'));
    const page = await open(asked.auth_url, { script: false, width: 360, height: 640, dark: true });
    await picture(page, `capture-narrow-${kind}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth).catch(() => true), 'nothing is cut off');
    for (const [name, value] of Object.entries(KINDS[kind].credentials)) await field(page, name).fill(value);
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.waitForSelector('main.success');
    assert.equal(await home.status(asked.connection_id), 'active');
    await page.context().close();
  });
}

test('the browser is sent back to the application, with the contract\'s parameters', { timeout: 60000 }, async () => {
  const back = `http://127.0.0.1:${app.address().port}/return?a=1`;
  const asked = await ask('basic-auth', { return_url: back });
  const page = await open(asked.auth_url);
  await field(page, 'username').fill(USER);
  await field(page, 'password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForSelector('h1:has-text("back in the app")');
  assert.equal(app.seen, `/return?a=1&status=success&connection_id=${asked.connection_id}&provider=basic-auth`);
  assert.deepEqual(page.problems.filter((text) => text.includes('Content Security Policy')), []);
  await page.context().close();
});

test('a state is good once, and for its own page only (K8)', { timeout: 60000 }, async () => {
  const asked = await ask('api-key');
  const submit = new URL('/auth/capture-credential', asked.auth_url).href;
  const post = (body, headers = {}) => fetch(submit, { method: 'POST', body: new URLSearchParams(body), redirect: 'manual', headers: { accept: 'text/html', ...headers } });
  for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }])
    assert.equal((await post({ state: asked.state, api_key: KEY }, headers)).status, 403);
  assert.equal((await post({ state: `${asked.state}x`, api_key: KEY })).status, 400);
  assert.equal(api.requests.length, 0);
  assert.equal((await post({ state: asked.state, api_key: KEY })).status, 200);

  const replay = await ask('api-key');  // keeps the listener open
  const page = await open(asked.auth_url);
  assert.equal(await page.locator('h1').innerText(), 'api-key is connected');
  assert.equal(await page.locator('form, input').count(), 0, 'nothing is asked for any more');
  const again = await post({ state: asked.state, api_key: 'other' });
  assert.equal(again.status, 400);
  assert.equal((await home.api('GET', `/v1/token/${asked.connection_id}`)).json.credentials.api_key, KEY);
  // A consent's state is none of a capture, nor the other way round.
  assert.equal((await visit(new URL(`/auth/callback?state=${replay.state}&code=x`, asked.auth_url).href)).status, 400);
  await page.context().close();
});

test('odd requests to the page are refused, and it says so in its headers', async () => {
  const asked = await ask('api-key');
  const at = (path, options = {}) => fetch(new URL(path, asked.auth_url), { redirect: 'manual', ...options });
  const page = await at(asked.auth_url, { headers: { accept: 'text/html' }, redirect: 'follow' });
  const policy = page.headers.get('content-security-policy');
  assert.match(policy, /default-src 'none'/);
  assert.ok(!policy.includes('script-src'), 'no script at all');
  assert.match(policy, /form-action 'self'; frame-ancestors 'none'/);
  assert.equal(page.headers.get('cache-control'), 'no-store');
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
  assert.equal((await (await at(asked.auth_url)).json()).provider_name, 'api-key', 'programs get JSON');
  assert.equal((await at('/auth/capture-schema')).status, 400);
  assert.equal((await at('/auth/capture-credential')).status, 405);
  assert.equal((await at('/auth/capture-schema', { method: 'POST', body: 'x' })).status, 405);
  const post = (body, type) => at('/auth/capture-credential', { method: 'POST', body, headers: { 'content-type': type } });
  assert.equal((await post('x', 'text/plain')).status, 415);
  assert.equal((await post('%zz', 'application/x-www-form-urlencoded')).status, 400);
  assert.equal((await post('{', 'application/json')).status, 400);
  assert.equal((await post(`state=${'x'.repeat(300000)}`, 'application/x-www-form-urlencoded')).status, 413);
  const json = await post(JSON.stringify({ state: asked.state, credentials: { api_key: KEY } }), 'application/json');
  assert.equal(json.status, 200);
  assert.ok(!home.log.includes(KEY));
});
