// Consent on another device, in a real Chromium: `nexus connect --device` here, the page there.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { startCertifiedProvider, CLIENT_ID, CLIENT_SECRET } from '../provider/certified.mjs';
import { register, token } from '../support/flow.mjs';
import { Home } from '../support/nexus.mjs';
import { launchChromium } from '../support/chromium.mjs';
import { Terminal } from '../support/terminal.mjs';

/** A terminal's links are around their text. */
const LINK = /\x1b\]8;;.*?\x1b\\/g;

let home;
let provider;
let browser;
before(async () => {
  home = await Home.make();
  provider = await startCertifiedProvider();
  await home.start();
  await register(home, provider.issuer, { client_id: CLIENT_ID, client_secret: CLIENT_SECRET, scopes: ['openid', 'email', 'offline_access'] });
  browser = await launchChromium();
});
after(async () => { await browser?.close(); await home.remove(); await provider.close(); });

test('the code on the terminal is the code on the page, and consenting there connects here', { timeout: 90000 }, async () => {
  const terminal = new Terminal(home, ['connect', 'demo', '--device', '--alias', 'phone'], { env: { LANG: 'C.UTF-8', TERM: 'xterm' } });
  await terminal.shows(/waiting for your consent/);
  const shown = terminal.text.replace(LINK, '');
  const [, code] = shown.match(/enter the code {2}(\S+)/);
  const [, address] = shown.match(/or open (\S+) and compare the code/);
  const page = await browser.newPage();
  await page.goto(address);
  await page.waitForSelector('button:has-text("Continue")');
  assert.ok((await page.textContent('body')).includes(code));
  await page.click('button:has-text("Continue")');
  await page.fill('input[name=login]', 'alice');
  await page.fill('input[name=password]', 'secret');
  await page.click('button[type=submit]');
  await page.click('button:has-text("Continue")');
  await page.waitForSelector('text=Sign-in Success');
  const { code: exit, text } = await terminal.end();
  assert.equal(exit, 0, text);
  assert.match(text, /Connected as alice@example\.com/);
  assert.equal((await token(home, 'phone')).status, 200);
});
