// README.md is true: its commands are run as they stand, in their order, and show what it says they show; its recording
// is what they show today; what it names is there.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { commandsOf as commandsOfHelp, optionsOf } from '../support/commands.mjs';
import { CLIENT_SECRET } from '../support/github.mjs';
import { Machine } from '../support/machine.mjs';
import { BIN, Home } from '../support/nexus.mjs';
import { asWritten, blocksOf, commandsOf, isAsWritten, onMachine } from '../support/transcript.mjs';

const ROOT = new URL('../..', import.meta.url).pathname;
const read = (path) => readFileSync(join(ROOT, path), 'utf8');
const readme = read('README.md');
const blocks = blocksOf(readme);

/** Programs that are not run here, and why. That they are there is checked all the same. */
const NOT_RUN = new Map([
  ['./packaging/quickstart', 'installs packages and builds everything'],
  ['./tests/run', 'builds everything, and runs this'],
]);

let machine;
before(async () => {
  machine = await Machine.make();
  // As a deployment has it: its own script, and a client secret that was replaced since.
  machine.env.GITHUB_CLIENT_SECRET = `${CLIENT_SECRET}-replaced`;
  writeFileSync(join(machine.home, 'deploy.sh'), '#!/bin/sh\ntest -z "${NEXUS_BUNDLE+set}" && echo "deploys with ${GITHUB_TOKEN:?}"\n');
  chmodSync(join(machine.home, 'deploy.sh'), 0o755);
});
after(() => machine?.remove());

/** The secrets that CI gives to a job, once they were made. */
function secretsOfCi() {
  const secret = (name) => (existsSync(join(machine.home, name)) ? readFileSync(join(machine.home, name), 'utf8') : '');
  return { NEXUS_BUNDLE: secret('ci.bundle'), NEXUS_BUNDLE_KEY: secret('ci.key') };
}

async function runConsole(block) {
  for (const { command, shown, answers } of commandsOf(block)) {
    const { code, lines } = await machine.type(onMachine(command, machine), answers.map(({ question, reply }) => [question, reply]));
    const said = asWritten(lines, machine);
    assert.equal(code, 0, `${command}\n${said.join('\n')}`);
    // What differs is told line by line.
    if (!isAsWritten(said, shown)) assert.deepEqual(said, shown, command);
  }
}

function checkUnrun(lines) {
  for (const line of lines) {
    const [program] = line.split(' ');
    assert.ok(NOT_RUN.has(program), `${line}: all of the block, or nothing`);
    accessSync(join(ROOT, program), constants.X_OK);
  }
}

async function runScript(block) {
  const lines = block.text.trim().split('\n');
  if (lines.some((line) => NOT_RUN.has(line.split(' ')[0]))) return checkUnrun(lines);
  const { code, stderr } = await machine.script(onMachine(block.text, machine), secretsOfCi());
  assert.equal(code, 0, stderr);
}

/** A file of which the first line says where it belongs. */
function writeDown(block) {
  const [, name] = /^# (\S+)\n/.exec(block.text);
  if (name === '~/.config/nexus/nexus.toml') machine.configure(onMachine(block.text, machine));
  else writeFileSync(join(machine.home, name), block.text);
}

const WAYS = { console: runConsole, sh: runScript, toml: writeDown };

test('every block is one that can be checked', () => {
  assert.ok(blocks.length > 8, `${blocks.length} blocks`);
  assert.equal(readme.match(/^ *```/gm).length, 2 * blocks.length, 'none hides in a list');
  for (const { language, line } of blocks) assert.ok(language in WAYS, `README.md:${line} ${language}`);
  const unrun = blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.split('\n')).map((line) => line.split(' ')[0]).filter((program) => NOT_RUN.has(program));
  assert.deepEqual(unrun, [...NOT_RUN.keys()]);
});

for (const block of blocks)
  test(`README.md:${block.line}: ${block.text.split('\n', 1)[0]}`, () => WAYS[block.language](block));

test('share/first-run.svg shows what its commands show today', () => {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-recording-'));
  try {
    const file = join(directory, 'first-run.svg');
    execFileSync(join(ROOT, 'packaging', 'recording'), ['--output', file], { env: { ...process.env, NEXUS_BIN: BIN } });
    const [kept, today] = [read('share/first-run.svg'), readFileSync(file, 'utf8')];
    const texts = (picture) => [...picture.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    assert.deepEqual(texts(kept), texts(today));
    assert.ok(kept === today, 'it is drawn otherwise: run packaging/recording');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the pictures are small, text, and move for nobody who does not want it', () => {
  for (const name of ['flow', 'first-run']) {
    const picture = read(`share/${name}.svg`);
    assert.ok(picture.length < 60_000, `${name}: ${picture.length} bytes`);
    assert.doesNotMatch(picture, /<script|<image|href=|url\(http/);
    assert.match(picture, /@media \(prefers-color-scheme: ?dark\)/);
    assert.match(picture, /<title id="title">[^<]+<\/title>/);
    const still = picture.replaceAll(/@media \(prefers-reduced-motion:no-preference\)\{\n[^]*?\n\}\n/g, '');
    assert.doesNotMatch(still, /animation|opacity/, name);
  }
});

test('relative links lead somewhere', () => {
  const documents = ['README.md', 'daemon/README.md', 'tests/bench/README.md', 'CHANGELOG.md'];
  const links = documents.flatMap((path) => [...read(path).matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => ({ path, link })));
  assert.ok(links.length > 5);
  for (const { path, link } of links.filter((each) => !/^\w+:/.test(each.link))) {
    const [file] = link.split('#');
    assert.ok(existsSync(join(ROOT, dirname(path), file)), `${path}: ${link}`);
  }
});

/** What stands between backquotes outside the blocks. */
const spans = [...readme.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, span]) => span.replaceAll('\\|', '|'));

test('files that are named are there, and scripts have the options that are', () => {
  const named = spans.map((span) => span.split(' ')).flatMap((words) => words.filter((word) => /^(\.\/)?(packaging|tests|share|cli|common|daemon)\//.test(word))
    .map((name) => ({ name, options: words.filter((word) => word.startsWith('--')) })));
  assert.ok(named.some(({ options }) => options.length > 0) && named.length > 8);
  for (const { name, options } of named) {
    assert.ok(existsSync(join(ROOT, name)), name);
    for (const option of options) assert.ok(read(name).includes(option), `${name} ${option}`);
  }
});

/** The rows of the table of commands: the commands that each tells, and the options that it names. */
function commandRows(help) {
  const table = readme.split('\n## Commands\n\n')[1].split('\n\n')[0].split('\n').slice(2);
  return table.map((row) => {
    const code = [...row.replaceAll('\\|', '/').matchAll(/`([^`]+)`/g)].map(([, span]) => span);
    const names = code.filter((span) => span.startsWith('nexus ')).flatMap((span) => {
      const [, name, next = ''] = span.split(' ');
      // What is no command of its own is a value.
      return next.split('/').filter((word) => word !== '…').map((word) => (help.has(`${name} ${word}`) ? `${name} ${word}` : name));
    });
    return { names, options: code.flatMap((span) => span.match(/(?<![\w-])--?[a-zA-Z][\w-]*/g) ?? []) };
  });
}

test('every command is in the table, with options that it has', async () => {
  const home = await Home.make();
  const help = new Map((await commandsOfHelp(home)).map(([words, text]) => [words.join(' '), text]));
  await home.remove();
  const rows = commandRows(help);
  const told = new Set(rows.flatMap(({ names }) => names));
  for (const name of told) assert.ok(help.has(name), `nexus ${name} is there`);
  // A group is told by its commands; of the helpers some stand for all.
  const own = [...help.keys()].filter((name) => name && ![...help.keys()].some((other) => other.startsWith(`${name} `)) && !name.startsWith('credential '));
  assert.deepEqual(own.filter((name) => !told.has(name)), []);
  for (const { names, options } of rows) {
    const known = names.flatMap((name) => optionsOf(help.get(name)));
    for (const option of options) assert.ok(known.includes(option), `nexus ${names.join(', ')}: ${option}`);
  }
});

test('numbers are those of today', () => {
  const [, version] = /^project\(nexus VERSION (\S+) /m.exec(read('CMakeLists.txt'));
  assert.deepEqual([...new Set(readme.match(/(?<=nexus_)\d+\.\d+\.\d+/g))], [version]);
  const catalogue = readdirSync(join(ROOT, 'share', 'providers')).filter((name) => name.endsWith('.toml')).length;
  for (const path of ['README.md', 'daemon/README.md', 'share/flow.svg'])
    for (const [, number] of read(path).replace('| 45 providers |', '').matchAll(/(\d+) providers/g)) assert.equal(number, `${catalogue}`, path);  // 45: authsome's
  // Each row of speed is one of the whole table.
  const speed = readme.split('\n## Speed\n')[1].match(/^\|.*\|$/gm);
  const whole = read('tests/bench/README.md').match(/^\|.*\|$/gm);
  assert.ok(speed.length > 4);
  for (const row of speed) assert.ok(whole.includes(row), row);
});
