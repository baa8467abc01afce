// A person's way: the built programs, a certified provider, and a real Chromium at the consent page.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { startCertifiedProvider, CLIENT_ID, CLIENT_SECRET } from '../provider/certified.mjs';
import { register } from '../support/flow.mjs';
import { BIN, Home, until } from '../support/nexus.mjs';
import { launchChromium, consentInBrowser } from '../support/chromium.mjs';

let home;
let provider;
let browser;
before(async () => {
  home = await Home.make();
  provider = await startCertifiedProvider({ callbacks: [`${home.callbackBase}/auth/callback`] });
  await home.start();
  await register(home, provider.issuer, {
    client_id: CLIENT_ID, client_secret: CLIENT_SECRET, scopes: ['openid', 'profile', 'email', 'offline_access'],
  });
  browser = await launchChromium();
});
after(async () => { await browser?.close(); await home.remove(); await provider.close(); });

/** `nexus connect demo` as a person runs it; resolves with the URL it shows, and later its end. */
async function startConnect(...args) {
  const child = spawn(join(BIN, 'nexus'), ['connect', 'demo', '--no-browser', ...args], { env: home.env });
  const result = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => { result.stdout += text; });
  child.stderr.on('data', (text) => { result.stderr += text; });
  const ended = new Promise((go) => child.on('close', (code) => go({ code, ...result })));
  const url = await until(() => {
    if (child.exitCode !== null) throw new Error(`nexus exited with ${child.exitCode}: ${result.stderr}`);
    return result.stderr.match(/http\S+/)?.[0];
  }, 'the URL on stderr');
  return { url, ended: () => ended };
}

test('connect, consent in the browser, status, and a request with the token', { timeout: 90000 }, async () => {
  const connecting = await startConnect();
  const page = await browser.newPage({ viewport: { width: 900, height: 640 } });
  const problems = [];
  page.on('console', (message) => { if (message.type() === 'error') problems.push(message.text()); });
  await consentInBrowser(page, connecting.url);
  await page.waitForSelector('h1:has-text("demo is connected")');
  assert.doesNotMatch(page.url(), /code=|state=/, 'code and state are out of the address bar');
  await home.api('POST', '/v1/request-connection', { provider_name: 'demo' });  // keeps the listener open
  await page.reload();
  await page.waitForSelector('h1:has-text("demo is connected")');
  assert.doesNotMatch(page.url(), /code=|state=/, 'and stay out');
  assert.match(await page.locator('main').innerText(), /connected as alice@example\.com[\s\S]*nexus token conn_\w{26}/);
  assert.deepEqual(problems.filter((text) => text.includes('Content Security Policy')), []);
  if (process.env.NEXUS_SCREENSHOTS) await page.screenshot({ path: `${process.env.NEXUS_SCREENSHOTS}/success.png` });
  const done = await connecting.ended();
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^conn_\w{26}\n$/);
  assert.match(done.stderr, /Connected as alice@example\.com/);

  assert.equal((await home.nexus(['status', 'demo'])).code, 0);
  const header = (await home.nexus(['token', 'demo', '--format', 'header'])).stdout.trim();
  const [name, value] = header.split(': ');
  const me = await (await fetch(`${provider.issuer}/me`, { headers: { [name]: value } })).json();
  assert.equal(me.email, 'alice@example.com');
  await page.close();
});

test('a denied consent shows a page that says so, on a narrow screen too, and exits 5', { timeout: 90000 }, async () => {
  const connecting = await startConnect();
  const page = await browser.newPage({ viewport: { width: 340, height: 640 }, colorScheme: 'dark' });
  await consentInBrowser(page, connecting.url, { deny: true });
  await page.waitForSelector('h1:has-text("Nothing was connected")');
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.equal(overflow, false);
  if (process.env.NEXUS_SCREENSHOTS) await page.screenshot({ path: `${process.env.NEXUS_SCREENSHOTS}/denied.png` });
  assert.equal((await connecting.ended()).code, 5);
  await page.close();
});

test('a forged callback shows a page that helps, and the real one still works', { timeout: 90000 }, async () => {
  const connecting = await startConnect('--alias', 'after-forgery');
  const page = await browser.newPage();
  await page.goto(`${home.callbackBase}/auth/callback?code=x&state=forged`);
  await page.waitForSelector('h1:has-text("This link does not work")');
  if (process.env.NEXUS_SCREENSHOTS) await page.screenshot({ path: `${process.env.NEXUS_SCREENSHOTS}/forged.png` });
  await consentInBrowser(page, connecting.url);
  await page.waitForSelector('h1:has-text("demo is connected")');
  assert.equal((await connecting.ended()).code, 0);
  await page.close();
});
