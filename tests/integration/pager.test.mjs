// What is longer than the terminal goes through the person's pager, and nothing else does.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register } from '../support/flow.mjs';
import { until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);
for (const alias of ['one', 'two', 'three', 'four']) await connect(home, provider, { alias });
for (const name of ['a', 'b', 'c', 'd']) await home.makeKey(name, '--forward', 'all');
for (const name of ['p', 'q', 'r']) await register(home, provider.issuer, { name });

const paged = join(home.dir, 'paged');
/** Says that it was there, and keeps what it was given. */
const PAGER = `cat >'${paged}'; echo the pager was here`;
const seen = () => { const text = readFileSync(paged, 'utf8'); rmSync(paged); return text; };
/** On a terminal that can be drawn on, of 5 rows unless said. */
const run = (args, { env = {}, rows = 5, ...options } = {}) =>
  new Terminal(home, args, { rows, ...options, env: { TERM: 'xterm', MANPATH: home.dir, ...env } });
const end = (args, options) => run(args, options).end();

const LISTS = [['list'], ['status'], ['status', 'one'], ['audit'], ['provider', 'catalog'], ['provider', 'catalog', 'google'], ['provider', 'list'],
  ['provider', 'show', 'demo'], ['provider', 'show', 'github'], ['key', 'list'], ['proxy', 'routes'], ['doctor'], ['help'], ['help', 'token']];

test('lists that are longer than the terminal go through NEXUS_PAGER, with the notes below them', async () => {
  for (const args of LISTS) {
    const { text } = await end(args, { env: { NEXUS_PAGER: PAGER } });
    assert.match(text, /the pager was here\n$/, args.join(' '));
    assert.ok(seen().split('\n').length > 5, args.join(' '));
  }
  const catalogue = await end(['provider', 'catalog'], { env: { NEXUS_PAGER: PAGER } });
  assert.equal(catalogue.code, 0);
  assert.equal(catalogue.text, 'the pager was here\n');
  assert.match(seen(), /^NAME [^]*^\d+ of \d+; nexus provider show NAME tells more/m);
});

test('what fits is printed, to the row', async () => {
  const { stdout } = await home.nexus(['key', 'list']);
  const lines = stdout.split('\n').length - 1;
  for (const [rows, isPaged] of [[lines, true], [lines + 1, false]]) {
    const { text } = await end(['key', 'list'], { rows, env: { NEXUS_PAGER: PAGER } });
    assert.equal(text.includes('the pager was here'), isPaged, `${lines} lines on ${rows} rows`);
    if (isPaged) seen();
  }
  // A line that the terminal breaks takes two.
  const wide = await end(['list', '--wide'], { rows: 8, columns: 40, env: { NEXUS_PAGER: PAGER } });
  assert.match(wide.text, /the pager was here/);
  seen();
});

test('PAGER comes after NEXUS_PAGER; "" and cat are none; the shell reads both', async () => {
  const was = async (env, ...more) => (await end([...more, 'key', 'list'], { env })).text.includes('pager was here');
  assert.ok(await was({ PAGER }));
  seen();
  assert.ok(await was({ NEXUS_PAGER: 'tr a-z A-Z; echo pager was here', PAGER: 'false' }));
  for (const off of ['', 'cat']) {
    assert.ok(!await was({ NEXUS_PAGER: off, PAGER }), `NEXUS_PAGER=${off}`);
    assert.ok(!await was({ PAGER: off }), `PAGER=${off}`);
  }
  assert.ok(!await was({ NEXUS_PAGER: PAGER }, '--no-pager'));
  assert.doesNotMatch((await end(['help', 'token', '--no-pager'], { env: { NEXUS_PAGER: PAGER } })).text, /pager was here/);
});

test('no pager where nobody pages: in pipes, for JSON, on a dumb terminal, for --help and what goes on', async () => {
  const NEXUS_PAGER = PAGER;
  assert.match((await home.nexus(['provider', 'catalog'], { env: { NEXUS_PAGER, TERM: 'xterm' } })).stdout, /^NAME /);
  for (const [args, env] of [[['key', 'list', '--json']], [['token', '--help']], [['key', 'list'], { TERM: 'dumb' }], [['provider', 'export']]])
    assert.doesNotMatch((await end(args, { env: { NEXUS_PAGER, ...env } })).text, /pager was here/, args.join(' '));
  const following = run(['audit', '--follow'], { env: { NEXUS_PAGER } });
  await following.shows(/provider\.created/);
  following.type('\x03');
  assert.equal((await following.end()).code, 130);
});

test('the pager gets LESS and LV as git sets them, colours, and nothing of ours', async () => {
  const env = { NEXUS_PAGER: `env >'${paged}'; ls -l /proc/self/fd >>'${paged}'; cat >>'${paged}'`, ENCRYPTION_KEY: 'canary', NEXUS_URL: '', API_KEY: 'canary' };
  await end(['list'], { env });
  const got = seen();
  assert.match(got, /^LESS=FRX$/m);
  assert.match(got, /^LV=-c$/m);
  assert.match(got, /^LESSCHARSET=utf-8$/m);
  assert.doesNotMatch(got, /NEXUS_|canary/);
  assert.match(got, /^LC_ALL|^HOME=/m);
  assert.deepEqual([...got.matchAll(/ (\d+) -> (?!\/proc)/g)].map(([, fd]) => fd), ['0', '1', '2'], got);
  assert.match(got, /\x1b\[32mactive\x1b\[0m/);
  await end(['list', '--no-color'], { env: { ...env, LESS: 'S', LV: '-v' } });
  const own = seen();
  assert.deepEqual([/^LESS=(.*)$/m.exec(own)[1], /^LV=(.*)$/m.exec(own)[1]], ['S', '-v']);
  assert.ok(!own.includes('\x1b'));
});

test('a pager that cannot be run loses nothing, be it little or much', async () => {
  for (const args of [['provider', 'list'], ['provider', 'catalog'], ['provider', 'show', 'github']])
    // A busy machine comes late to find that there is none.
    for (const NEXUS_PAGER of ['no-such-pager', home.dir, 'sleep 0.3; no-such-pager']) {
      const plain = await end(args, { lingers: true, env: { NEXUS_PAGER: '' } });
      const { code, text } = await end(args, { lingers: true, env: { NEXUS_PAGER } });
      const [warning, ...rest] = text.split('\n');
      assert.match(warning, /no-such-pager|denied/i);
      assert.deepEqual([code, rest.join('\n')], [0, plain.text], args.join(' '));
    }
});

test('without less, and where nobody names a pager, everything is printed', async () => {
  const bin = join(home.dir, 'bin');
  mkdirSync(bin);
  for (const name of ['script', 'stty']) symlinkSync(execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), join(bin, name));
  const { code, text } = await end(['key', 'list'], { env: { PATH: bin } });
  assert.equal(code, 0);
  assert.match(text, /^KEY +ID/);
});

test('who leaves the pager early gets the command\'s own exit code, and no words', async () => {
  const NEXUS_PAGER = 'head -n 1 >/dev/null';
  for (const args of [['provider', 'catalog'], ['list'], ['help']])
    assert.deepEqual(await end(args, { env: { NEXUS_PAGER } }), { code: 0, text: '' }, args.join(' '));
  const flawed = join(home.dir, 'flawed.toml');
  writeFileSync(flawed, 'nonsense = 1\n');
  // What it looks at longest is one of the last.
  const slow = join(home.dir, 'slow');
  mkdirSync(slow);
  writeFileSync(join(slow, 'systemctl'), '#!/bin/sh\nsleep 1\n', { mode: 0o755 });
  const PATH = `${slow}:${process.env.PATH}`;
  const { code, text } = await end(['doctor'], { env: { NEXUS_PAGER, NEXUS_CONFIG: flawed, PATH } });
  assert.deepEqual([code, text.replaceAll('\r\x1b[K', '')], [1, ''], 'doctor has found something');
});

test('less pages: q ends it, Ctrl-C does not', async () => {
  const terminal = run(['provider', 'catalog'], { env: { NEXUS_PAGER: 'less' } });
  await terminal.shows(/NAME +TYPE[^]*:/);
  for (let i = 0; i < 2; ++i) await terminal.type('\x03').shows(/\x07[^]*:\x1b\[K/);
  terminal.type('G');
  await terminal.shows(/\(END\)/);
  terminal.type('q');
  assert.equal((await terminal.end()).code, 0);
});
