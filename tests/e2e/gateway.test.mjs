// Pages in a real browser at the gateway: the listed origin's page may call it, any other may not.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register } from '../support/flow.mjs';
import { launchChromium } from '../support/chromium.mjs';
import { Home } from '../support/nexus.mjs';

let home;
let provider;
let browser;
let pages;
let listed;
let other;
before(async () => {
  provider = await MisbehavingProvider.start();
  pages = createServer((request, response) => { response.setHeader('content-type', 'text/html'); response.end('<title>app</title>'); });
  pages.listen(0, '127.0.0.1');
  await once(pages, 'listening');
  listed = `http://localhost:${pages.address().port}`;
  other = `http://127.0.0.1:${pages.address().port}`;
  home = await Home.make({ gateway: { cors_origins: [listed] } });
  await home.start();
  await register(home, provider.issuer);
  home.key = await home.makeKey('page', '--use', 'all');
  browser = await launchChromium();
});
after(async () => {
  await browser.close();
  pages.closeAllConnections();
  pages.close();
  await home.remove();
  await provider.close();
});

/** What a page of that origin gets: the answer, or that the browser kept it away. */
async function callFrom(origin, path, init = {}) {
  const page = await browser.newPage();
  await page.goto(origin);
  const result = await page.evaluate(async ([url, options]) => {
    try {
      const response = await fetch(url, options);
      return { status: response.status, id: response.headers.get('x-request-id'), json: await response.json() };
    } catch (error) {
      return { refused: String(error) };
    }
  }, [home.gateway + path, init]);
  await page.close();
  return result;
}

test('a page of the listed origin fetches a token with its key', async () => {
  const { id } = await connect(home, provider);
  const headers = { 'X-API-Key': home.key };
  const answer = await callFrom(listed, `/v1/token/${id}`, { headers });
  assert.equal(answer.status, 200, JSON.stringify(answer));
  assert.match(answer.json.access_token, /^at-/);
  assert.ok(answer.id);
  const posted = await callFrom(listed, '/v1/request-connection', {
    method: 'POST', headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ workspace_id: 'w', provider_name: 'demo', return_url: 'https://a.example/' }),
  });
  assert.equal(posted.status, 200, JSON.stringify(posted));
  const wrong = await callFrom(listed, `/v1/token/${id}`, { headers: { 'X-API-Key': 'wrong' } });
  assert.equal(wrong.json.code, 'invalid_api_key');  // an error that the page can read
});

test('a page of any other origin gets nothing, not even health', async () => {
  const requests = provider.requests.length;
  const { id } = await connect(home, provider);
  for (const [path, init] of [[`/v1/token/${id}`, { headers: { 'X-API-Key': home.key } }], ['/health', {}],
    [`/v1/check-connection/${id}`, {}], [`/v1/refresh/${id}`, { method: 'POST' }],
    ['/v1/request-connection', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' }]])
    assert.match((await callFrom(other, path, init)).refused ?? 'answered', /Failed to fetch/, path);
  // The POST without preflight reached nobody: no refresh was made.
  assert.equal(provider.requests.slice(requests).filter((r) => r.form.get('grant_type') === 'refresh_token').length, 0);
});

test('the consent ends at return_url through the gateway\'s port', async () => {
  const asked = await home.http('POST', '/v1/request-connection', { workspace_id: 'w', provider_name: 'demo', return_url: `${listed}/done?x=1#f` });
  const page = await browser.newPage();
  await page.goto(provider.consent(asked.json.auth_url));
  const url = new URL(page.url());
  assert.equal(url.origin + url.pathname, `${listed}/done`);
  assert.deepEqual([...url.searchParams.entries()], [['x', '1'], ['status', 'success'], ['connection_id', asked.json.connection_id], ['provider', 'demo']]);
  assert.equal(url.hash, '#f');
});
