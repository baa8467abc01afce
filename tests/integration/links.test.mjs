// Addresses that a person may want to open are links, where the terminal knows those; their text is what it was.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { daemonAndProvider } from '../support/fixture.mjs';
import { register } from '../support/flow.mjs';
import { Terminal } from '../support/terminal.mjs';

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);

const LINK = /\x1b\]8;;(.*?)\x1b\\(.*?)\x1b\]8;;\x1b\\/g;
const run = (args, env = {}) => new Terminal(home, args, { columns: 200, rows: 60, env: { TERM: 'xterm-256color', NEXUS_PAGER: '', ...env } });
const links = (text) => [...text.matchAll(LINK)].map(([, to, seen]) => { assert.equal(seen, to); return to; });

test('a provider\'s pages are links in its entry', async () => {
  const { text } = await run(['provider', 'show', 'github']).end();
  const { stdout, stderr } = await home.nexus(['provider', 'show', 'github']);
  const pages = [/^make a client at +(\S+)$/m, /^see also +(\S+)$/m].map((line) => line.exec(stdout)[1]);
  assert.deepEqual(links(text), pages);
  assert.equal(text.replaceAll(LINK, '$2'), stdout + stderr);
});

test('where to consent and where a client is made are links on stderr', async () => {
  const connecting = run(['connect', 'demo', '--no-browser']);
  await connecting.shows(/waiting for your consent/);
  connecting.type('\x03');
  const { text } = await connecting.end();
  assert.equal(links(text).length, 1);
  assert.match(links(text)[0], /^http:\/\/127\.0\.0\.1:\d+\/authorize\?response_type=code&/);
  const adding = run(['provider', 'add', 'github']);
  await adding.shows(/Client id/);
  adding.type('\x03');
  assert.ok(links((await adding.end()).text).length >= 1);
});

test('no links in pipes and pagers, nor where the terminal or the person wants none; NO_COLOR has no say', async () => {
  const count = async (env) => links((await run(['provider', 'show', 'github'], env).end()).text).length;
  for (const env of [{ TERM: 'dumb' }, { TERM: 'linux' }, { TERM: '' }, { FORCE_HYPERLINK: '0' }]) assert.equal(await count(env), 0, JSON.stringify(env));
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb', FORCE_HYPERLINK: '1' }]) assert.equal(await count(env), 2, JSON.stringify(env));
  assert.doesNotMatch((await home.nexus(['provider', 'show', 'github'], { env: { TERM: 'xterm', FORCE_HYPERLINK: '1' } })).stdout, /\x1b/);
  const paged = await new Terminal(home, ['provider', 'show', 'github'], { rows: 5, env: { TERM: 'xterm', NEXUS_PAGER: 'sed s/^/paged:/' } }).end();
  assert.match(paged.text, /^paged:see also/m);
  assert.equal(links(paged.text).length, 0);
});
