// Debian's Chromium, without a display and without phoning home.
import { chromium } from 'playwright-core';

export function launchChromium() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/** Logs in where that is asked for, then consents or denies at oidc-provider's pages. */
export async function consentInBrowser(page, url, { login = 'alice', deny = false } = {}) {
  await page.goto(url);
  if (deny) {
    await page.click('a[href$="/abort"]');
    return;
  }
  if (await page.$('input[name=login]')) {
    await page.fill('input[name=login]', login);
    await page.fill('input[name=password]', 'secret');
    await page.click('button[type=submit]');
  }
  await page.click('form[action$="/confirm"] button, button:has-text("Continue")');
}

// As a program: node chromium.mjs URL drives the consent for the quickstart.
if (process.argv[1] === new URL(import.meta.url).pathname) {
  const browser = await launchChromium();
  const page = await browser.newPage();
  await consentInBrowser(page, process.argv[2]);
  await page.waitForSelector('main.success', { timeout: 30000 });
  await browser.close();
}
