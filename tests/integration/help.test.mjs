// The help of every command: what it takes, in groups, with examples; and it fits 80 columns.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { commandsOf } from '../support/commands.mjs';
import { Home } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const home = await Home.make();
const help = async (...words) => {
  const { code, stdout, stderr } = await home.nexus([...words, '--help']);
  assert.equal(code, 0, stderr);
  return stdout;
};
const commands = (await commandsOf(home)).map(([words]) => words);

test('every command explains itself within 80 columns, with examples and the global options', async () => {
  assert.ok(commands.length > 25, `${commands.length} commands`);
  for (const words of commands) {
    const text = await help(...words);
    const name = ['nexus', ...words].join(' ');
    for (const line of text.split('\n')) assert.ok([...line].length <= 80, `${name}: ${line}`);
    assert.match(text, new RegExp(`^Usage: ${name} `, 'm'));
    const [, globals] = text.split('\nGlobal options:\n');
    for (const option of ['--json', '--no-color', '--no-pager', '--no-autostart', '--workspace NAME', '--socket PATH', '--config FILE', '--help'])
      assert.ok(globals.includes(option), `${name} tells ${option}`);
    if (words.length > 0) assert.match(text, new RegExp(`^Examples:\\n(.*\\n)*?.*nexus ${words[0]}`, 'm'), name);
    assert.doesNotMatch(text, /TEXT|REQUIRED|\{.*,.*\}/, name);
  }
});

test('on a narrower terminal the help has its width, up to 40 columns', { timeout: 120000 }, async () => {
  for (const columns of [60, 40])
    for (const words of commands) {
      const { code, text } = await new Terminal(home, [...words, '--help'], { columns }).end();
      assert.equal(code, 0);
      const [examples] = /^Examples:\n( {2}.*\n)+/m.exec(text) ?? [''];  // to be copied
      for (const line of text.replace(examples, '').split('\n')) assert.ok([...line].length <= columns, `${words.join(' ')}, ${columns} columns: ${line}`);
    }
});

test('values are shown as they are typed, options in groups', async () => {
  const token = await help('token');
  assert.match(token, /^Usage: nexus token CONNECTION \[options\]$/m);
  assert.match(token, /^ {2}--format raw\|json\|header\|env\|curl\|netrc$/m);
  assert.match(token, /\(default: raw\)/);
  assert.equal(await help('token', '--format', 'json', '--workspace', 'elsewhere'), token, 'what was typed is no default');
  assert.match(await help('audit', '--limit', '7'), /\(default: 50\)/);
  assert.match(await help('connect'), /^How you answer:\n(.*\n)*? {2}--device /m);
  const add = await help('provider', 'add');
  for (const group of ['Options', 'Client', 'Endpoints', 'Global options']) assert.match(add, new RegExp(`^${group}:$`, 'm'));
  assert.match(add, /^ {2}--param NAME=VALUE/m);
  assert.match(add, /^ {2}--\[no-\]allow-insecure-http/m);
  assert.ok(!/--client-secret /.test(add), 'what is understood only to be refused is not offered');
  assert.match(await help('provider', 'catalog'), /^ {2}--type WORD {2,}only what authenticates so; one of: oauth2,/m);
});

test('a value that cannot be is answered with those that can', async () => {
  const cases = [
    [['token', 'x', '--format', 'jsn'], /--format cannot be 'jsn'\n {2}did you mean: --format json\n/],
    [['token', 'x', '--format', 'pdf'], /--format cannot be 'pdf'\n {2}it is one of: raw, json, header, env, curl, netrc\n/],
    [['provider', 'add', 'x', '--client-auth', 'client_secret_pst'], /did you mean: --client-auth client_secret_post\n/],
    [['provider', 'edit', 'x', '--grant-type', 'device'], /it is one of: authorization_code, device_code/],
    [['list', '--status', 'actve'], /did you mean: --status active\n/],
    [['token', 'x', '--format'], /--format wants a value\n/],
    [['provider', 'catalog', '--category', 'crmm'], /there is no category 'crmm'\n {2}did you mean: --category crm\n/],
    [['audit', '--limit', '0'], /--limit/],
  ];
  for (const [args, said] of cases) {
    const { code, stderr, stdout } = await home.nexus(args);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /TEXT|INT/);
  }
  await home.remove();
});
