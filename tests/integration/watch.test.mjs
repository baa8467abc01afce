// nexus status --watch: one picture in its place, and a terminal that is as it was afterwards.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register } from '../support/flow.mjs';
import { BIN, until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const { home, provider } = await daemonAndProvider();
await register(home, provider.issuer);
for (const alias of ['one', 'two', 'three', 'four', 'five', 'six']) await connect(home, provider, { alias });

const [ENTER, LEAVE] = ['\x1b[?1049h', '\x1b[?1049l'];
const SHOWN = /\x1b\[\?1049h[^]*six[^]*?\x1b\[J/;
const watch = (args = [], options = {}) => new Terminal(home, ['status', '--watch', ...args], { ...options, env: { TERM: 'xterm', ...options.env } });
/** The program on the terminal: script's one child. */
const pidOf = (terminal) => Number(readFileSync(`/proc/${terminal.child.pid}/task/${terminal.child.pid}/children`, 'utf8'));
/** What is left on the usual screen. */
const afterwards = (text) => text.slice(text.lastIndexOf(LEAVE) + LEAVE.length);

test('it draws in place on the alternate screen, and leaves the last table on the usual one', { timeout: 60000 }, async () => {
  const terminal = watch();
  await terminal.shows(SHOWN);
  await connect(home, provider, { alias: 'seventh' });
  await terminal.shows(/seventh/);
  terminal.type('\x03');
  const { code, text } = await terminal.end();
  assert.equal(code, 130);
  assert.equal(text.split(ENTER).length, 2, 'entered once');
  assert.equal(text.split('\x1b[2J').length, 2, 'and cleared only then');
  assert.match(afterwards(text), /^ALIAS +PROVIDER +STATE\nseventh +demo +\S*active, the token expires in [^\n]*\n[^]*\none [^\n]*\n$/);
  assert.ok(text.includes('\x1b[?25l') && text.lastIndexOf('\x1b[?25h') > text.lastIndexOf('\x1b[?25l'), 'the cursor is back');
  assert.equal((await home.nexus(['disconnect', 'seventh'])).code, 0);
});

test('SIGTERM and SIGHUP leave the terminal as it was, too', async () => {
  for (const signal of ['SIGTERM', 'SIGHUP']) {
    const terminal = watch();
    await terminal.shows(SHOWN);
    process.kill(pidOf(terminal), signal);
    const { code, text } = await terminal.end();
    assert.equal(code, 130, signal);
    assert.match(afterwards(text), /^ALIAS [^]*\nsix /);
  }
});

test('the picture follows the window', { timeout: 60000 }, async () => {
  const terminal = watch();
  await terminal.shows(SHOWN);
  const tty = `/dev/${execFileSync('ps', ['-o', 'tty=', '-p', `${pidOf(terminal)}`], { encoding: 'utf8' }).trim()}`;
  const resize = (columns, rows) => execFileSync('stty', ['-F', tty, 'cols', `${columns}`, 'rows', `${rows}`]);
  resize(80, 4);
  await terminal.shows(/\x1b\[H[^\n]*ALIAS [^]*?… 4 more lines\x1b\[K/);
  resize(80, 20);
  await terminal.shows(/\x1b\[H[^]*?six[^]*?\x1b\[J/);
  terminal.type('\x03');
  assert.equal((await terminal.end()).code, 130);
});

test('stopped by Ctrl-Z it gives the terminal back, and takes it again with fg', { timeout: 60000 }, async () => {
  const shell = new Terminal(home, ['--norc', '--noprofile', '-i'], { program: 'bash', env: { TERM: 'xterm', PS1: 'ready> ' } });
  await shell.shows(/ready> /);
  shell.type(`'${join(BIN, 'nexus')}' status --watch\n`);
  await shell.shows(SHOWN);
  shell.type('\x1a');
  await shell.shows(/\x1b\[\?1049l[^]*Stopped[^]*ready> /);
  shell.type('fg\n');
  await shell.shows(SHOWN);
  shell.type('\x03');
  await shell.shows(/\x1b\[\?1049l[^]*six[^]*ready> /);
  shell.type('exit\n');
  await shell.end();
});

test('Ctrl-\\ ends it at once, with the terminal as it was', async () => {
  const terminal = watch();
  await terminal.shows(SHOWN);
  terminal.type('\x1c');
  const { text } = await terminal.end();
  assert.ok(text.lastIndexOf(LEAVE) > text.lastIndexOf(ENTER));
});

test('a daemon that is away is told below the last table', { timeout: 60000 }, async () => {
  const terminal = watch(['one', 'two']);
  await terminal.shows(/\x1b\[\?1049h[^]*two[^]*?\x1b\[J/);
  await home.stop();
  await terminal.shows(/\x1b\[Hconnection +one[^]*two[^]*nexus: no daemon answers/);
  await home.start();
  await terminal.shows(/\x1b\[Hconnection +one[^]*?\x1b\[J/);
  terminal.type('\x03');
  const { code, text } = await terminal.end();
  assert.equal(code, 130);
  assert.doesNotMatch(afterwards(text), /no daemon/);
});

test('Ctrl-C gives the terminal back at once, also while the daemon hangs', { timeout: 60000 }, async () => {
  const terminal = watch();
  await terminal.shows(SHOWN);
  home.daemon.kill('SIGSTOP');
  const listening = () => readFileSync('/proc/net/unix', 'utf8').split('\n').filter((line) => line.endsWith(` ${home.socket}`)).length;
  await until(() => listening() > 1, 'nexus waits for an answer');
  terminal.type('\x03');
  await terminal.shows(/\x1b\[\?1049l/);
  terminal.type('\x03');
  assert.notEqual((await terminal.end()).code, 0);
  home.daemon.kill('SIGCONT');
});

test('an error at the first look is an error, on the usual screen', async () => {
  const { code, text } = await watch(['nobody']).end();
  assert.equal(code, 6);
  assert.ok(!text.includes(ENTER));
  assert.match(text, /^nexus: there is no connection nobody\n/);
});

test('a dumb terminal is not drawn on: what has changed is printed', { timeout: 60000 }, async () => {
  const terminal = watch([], { env: { TERM: 'dumb' } });
  await terminal.shows(/six/);
  await connect(home, provider, { alias: 'eighth' });
  await terminal.shows(/ALIAS[^]*eighth/);
  terminal.type('\x03');
  const { code, text } = await terminal.end();
  assert.equal(code, 130);
  assert.ok(!text.includes('\x1b'));
});
