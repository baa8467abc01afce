// Uses that a person has to confirm: by a program that asks, or on the caller's terminal.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register } from '../support/flow.mjs';
import { BIN, Home, until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const CURL = execFileSync('/bin/sh', ['-c', 'readlink -f "$(command -v curl)"']).toString().trim();
const provider = await MisbehavingProvider.start();

/** A home with an active connection; `config` beside the usual. */
async function homeWith(config = '') {
  const home = await Home.make({ config });
  await home.start();
  await register(home, provider.issuer);
  const { id } = await connect(home, provider);
  return { home, id };
}

// Two daemons: one has a program that asks, which answers as `answer` says and notes what it was asked.
const { home, id } = await homeWith();
const prompt = join(home.dir, 'prompt');
const said = join(home.dir, 'said');
const answer = join(home.dir, 'answer');
writeFileSync(prompt, `#!/bin/sh\necho "$#:$2" >>'${said}'\nwhile [ ! -e '${answer}' ]; do sleep 0.05; done\nexit "$(cat '${answer}')"\n`, { mode: 0o755 });
const { home: asking, id: asked } = await homeWith(`[access]\nprompt = ["${prompt}", "--ask"]\n`);
after(async () => { await home.remove(); await asking.remove(); await provider.close(); });

const questions = () => (existsSync(said) ? readFileSync(said, 'utf8').trim().split('\n') : []);
const willSay = (code) => writeFileSync(answer, String(code));
const access = async (of, connection, ...args) => assert.equal((await of.nexus(['access', connection, ...args])).code, 0);
const use = (of, connection, headers = []) => new Promise((resolve) => {
  execFile(CURL, ['-s', ...headers.flatMap((header) => ['-H', header]), '--unix-socket', of.socket, `http://localhost/v1/token/${connection}`],
    (error, stdout) => resolve(JSON.parse(stdout)));
});
/** nexus where there is no terminal at all. */
const withoutTerminal = (of, args) => new Promise((resolve) => {
  execFile('setsid', ['--wait', join(BIN, 'nexus'), ...args], { env: of.env }, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
});

test('the program that asks says yes or no to each use, and is told who wants what', async () => {
  await access(asking, asked, '--confirm', 'every');
  willSay(0);
  assert.match((await use(asking, asked)).access_token, /\S/);
  assert.match((await use(asking, asked)).access_token, /\S/);
  assert.deepEqual(questions(), Array(2).fill(`2:Let ${CURL} use demo?`));
  willSay(1);
  const refused = await asking.nexus(['token', asked]);
  assert.deepEqual([refused.code, refused.stdout], [9, '']);
  assert.match(refused.stderr, /^nexus: nobody confirmed the use\n {2}\S/);
  const [last] = (await asking.api('GET', '/v1/audit?event_type=token_retrieval_failed&limit=1')).json;
  const { outcome, detail, exe } = JSON.parse(last.event_data);
  assert.deepEqual([outcome, detail, exe], ['refused', 'confirmation_refused', process.execPath]);
});

test('who asks while the question is open waits for its answer', async () => {
  rmSync(said); rmSync(answer);
  const three = Promise.all([1, 2, 3].map(() => asking.api('GET', `/v1/token/${asked}`)));
  await until(questions, 'the question');
  // Nobody else waits for that: the loop goes on.
  assert.equal((await asking.api('GET', '/health')).status, 200);
  willSay(0);
  for (const { json } of await three) assert.match(json.access_token, /\S/);
  assert.deepEqual(questions(), [`2:Let ${process.execPath} use demo?`]);
});

test('a yes counts for as long as was said, for the program that had it, and until the rules change', async () => {
  await access(asking, asked, '--confirm', '15m');
  rmSync(said);
  willSay(0);
  for (let i = 0; i < 3; ++i) assert.match((await use(asking, asked)).access_token, /\S/);
  assert.equal(questions().length, 1);
  assert.equal((await asking.api('GET', `/v1/token/${asked}`)).status, 200);
  assert.equal(questions().length, 2, 'another program is asked about by itself');
  await access(asking, asked, '--confirm', '16m');
  await use(asking, asked);
  assert.equal(questions().length, 3);
});

test('a program that asks and cannot be run refuses every use', async () => {
  const other = await homeWith('[access]\nprompt = ["/nowhere/askpass"]\n');
  await access(other.home, other.id, '--confirm', 'every');
  const refused = await other.home.nexus(['token', other.id]);
  assert.equal(refused.code, 9);
  assert.match(refused.stderr, /cannot be run: \/nowhere\/askpass.*\n {2}correct access\.prompt/);
  await other.home.remove();
});

test('where no program asks the person is asked on the terminal, and a no is a no', async () => {
  await access(home, id, '--confirm', 'every');
  const yes = await new Terminal(home, ['token', id]).answer(/Let \S+ use demo\? \[y\/N\] /, 'y').then((terminal) => terminal.end());
  assert.equal(yes.code, 0, yes.text);
  assert.match(yes.text, /\[y\/N\] y\n\S{20,}\n$/);
  for (const reply of ['', 'n']) {
    const no = await new Terminal(home, ['token', id]).answer(/\[y\/N\] /, reply).then((terminal) => terminal.end());
    assert.equal(no.code, 9);
    assert.match(no.text, /the use was not confirmed/);
  }
});

test('a script\'s person is asked on its terminal, whatever its output is', async () => {
  const terminal = new Terminal(home, ['-c', `x=$('${join(BIN, 'nexus')}' token ${id} 2>/dev/null </dev/null); echo "got \${#x}"`], { program: '/bin/sh' });
  await terminal.answer(/\[y\/N\] /, 'yes');
  assert.match((await terminal.end()).text, /got [1-9]\d+\n$/);
});

test('a request to the API is asked about, its body sent again with it', async () => {
  const sent = join(home.dir, 'body');
  writeFileSync(sent, 'x');
  // The provider has no API: that nexusd says so shows that the use was let through.
  for (const more of [['--data', 'x'], ['--input', sent]]) {
    const { text } = await new Terminal(home, ['api', id, 'POST', '/x', ...more]).answer(/\[y\/N\] /, 'y').then((terminal) => terminal.end());
    assert.match(text, /API|api_base_url/);
    assert.doesNotMatch(text, /confirm/);
  }
  const piped = new Terminal(home, ['-c', `echo x | '${join(BIN, 'nexus')}' api ${id} POST /x --input -`], { program: '/bin/sh' });
  const { code, text } = await piped.end();
  assert.equal(code, 9);
  assert.match(text, /a body from a pipe cannot be sent again/);
});

test('without a terminal, and without a program that asks, a use is refused', async () => {
  for (const args of [['token', id], ['token', id, '--min-ttl', '1m'], ['api', id, '/x'], ['exec', '--proxy', id, '--', 'true']]) {
    const refused = await withoutTerminal(home, args);
    assert.equal(refused.code, 9, `${args}: ${refused.stderr}`);
    assert.equal(refused.stdout, '');
    assert.match(refused.stderr, /has to be confirmed, and there is no terminal to ask on\n {2}.*access\.prompt/);
  }
});

test('the answer\'s nonce is good once, for that program and that connection', async () => {
  const required = await use(home, id);
  assert.equal(required.code, 'confirmation_required');
  assert.equal(required.confirmation.question, `Let ${CURL} use demo?`);
  const header = [`X-Nexus-Confirmation: ${required.confirmation.nonce}`];
  const other = await home.api('GET', `/v1/token/${id}`, undefined, { 'X-Nexus-Confirmation': required.confirmation.nonce });
  assert.equal(other.json.code, 'confirmation_required', 'another program has no use for it');
  assert.match((await use(home, id, header)).access_token, /\S/);
  assert.equal((await use(home, id, header)).code, 'confirmation_required');
});
