// The manual pages say what the programs do, both ways: commands, options, settings, variables, exit codes. They are
// free of faults, fit 80 columns, and are installed.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandsOf, optionsOf } from '../support/commands.mjs';
import { MAN, pages, plain, rows, section, source } from '../support/manual.mjs';
import { BIN, Home } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

const ROOT = new URL('../..', import.meta.url).pathname;
const read = (path) => readFileSync(join(ROOT, path), 'utf8');
const home = await Home.make();
const commands = await commandsOf(home);
const installed = mkdtempSync(join(tmpdir(), 'nexus-man-'));
execFileSync('cmake', ['--install', BIN, '--component', 'manual', '--prefix', installed]);
after(async () => { await home.remove(); rmSync(installed, { recursive: true }); });

const [, help] = commands[0];
const globals = optionsOf(help.split('\nGlobal options:\n')[1]);
const own = (text) => text.split(/\nExamples:\n|\nGlobal options:\n/)[0];

/** The names that a page has. */
const namesOf = (page) => plain(section(source(page), 'NAME')).split(' - ')[0].replaceAll('\n', ' ').split(', ');
/** The page that tells of a command. */
const pageOf = ([name]) => pages.find((page) => page.endsWith('.1') && namesOf(page).includes(name ? `nexus-${name}` : 'nexus'));
/** The options that a text has an entry for: what stands behind .TP. */
const entries = (roff) => [...roff.matchAll(/^\.TP\n(.*)$/gm)].map(([, tag]) => plain(tag.replace(/^\.\w+ /, '')))
  .flatMap((tag) => [...tag.matchAll(/(?:^|, )(-\w|--[\w-]+)/g)].map(([, option]) => option));
const optionsIn = (page) => (section(source(page), 'OPTIONS') ?? '') + (section(source(page), 'GLOBAL OPTIONS') ?? '');

test('every command is told by a page of its name, and nexus(1) leads there', () => {
  const overview = plain(section(source('nexus.1'), 'COMMANDS'));
  for (const [words, text] of commands) {
    const page = pageOf(words);
    assert.ok(page, `a page for nexus ${words[0]}`);
    const hasEntry = new RegExp(`^\\.TP\\n(?:\\.BR? |\\\\fB)${words.at(-1)}\\b`, 'm').test(source(page));
    assert.ok(hasEntry || plain(source(page)).includes(words.join(' ')), `${page} tells nexus ${words.join(' ')}`);
    if (words.length === 1) assert.match(overview, new RegExp(`(^|[ ,"])${words[0]}\\b`, 'm'), `nexus(1) names ${words[0]}`);
    if (words.length > 0) assert.ok(overview.includes(`${page.replace('.1', '')} (1)`), `nexus(1) refers to ${page}`);
    assert.match(text, words.length > 0 ? new RegExp(`^nexus-${words[0]}\\(1\\) has the manual\\.$`, 'm') : /^nexus\(1\) has the manual\.$/m);
  }
});

test('every option is in the page of its command, and no other', () => {
  const there = new Map(pages.filter((page) => page.endsWith('.1')).map((page) => [page, new Set()]));
  for (const [words, text] of commands)
    for (const option of optionsOf(words.length > 0 ? own(text) : text)) there.get(pageOf(words)).add(option);
  for (const [page, options] of there)
    assert.deepEqual([...new Set(entries(optionsIn(page)))].sort(), [...options].sort(), page);
  const nexusd = execFileSync(join(BIN, 'nexusd'), ['--help'], { encoding: 'utf8' });
  assert.deepEqual(entries(optionsIn('nexusd.8')).sort(), optionsOf(nexusd).sort());
});

test('no page names an option that does not exist', () => {
  const known = new Set([...globals, ...commands.flatMap(([, text]) => optionsOf(text)), ...optionsOf(execFileSync(join(BIN, 'nexusd'), ['--help'], { encoding: 'utf8' }))]);
  const others = {  // of curl, git, kubectl, pip, bazel, cargo, zenity, systemctl and systemd-creds
    'nexus-credential.1': ['--global', '--add', '--exec-command', '--exec-api-version', '--exec-interactive-mode', '--exec-arg', '--keyring-provider', '--credential_helper'],
    'nexus-exec.1': ['--netrc-file'], 'nexus-token.1': ['--netrc-file'], 'nexus.toml.5': ['--question', '--text'], 'nexusd.8': ['--user', '--enable', '--now', '--name'],
  };
  for (const page of pages) {
    const named = [...plain(source(page)).matchAll(/(?<![\w-])(--[a-z][\w-]*)/g)].map(([, option]) => option);
    assert.deepEqual(named.filter((option) => !known.has(option) && !others[page]?.includes(option)), [], page);
  }
});

/** The settings of config.cc, with the member that each goes to. */
const settings = new Map([...read('common/config.cc').matchAll(/\{"([a-z_.]+)", &([\w.]+)\}/g)].map(([, name, member]) => [name, member]));

/** What config.h has a member begin with, as TOML writes it; and its type. */
function declared(member) {
  const [name, ...path] = member.split('.').reverse();
  const owner = { gateway: 'GatewayConfig', limits: 'LimitsConfig', audit: 'AuditConfig', access: 'AccessConfig', vault: 'VaultConfig', forwarding: 'ForwardingConfig', config: 'Config' }[path[0]];
  const body = read('common/config.h').split(`struct ${owner} {`)[1].split('\n};')[0];
  const [, type, value] = new RegExp(`(\\S+) ${name}(?: = (.*?))?;`).exec(body);
  return { type, value: value?.replaceAll("'", '') ?? { 'std::string': '""', 'std::vector<std::string>': '[]' }[type] };
}

test('every setting is in nexus.toml(5) and the example, with its type and default, and no other', () => {
  const told = new Map([...source('nexus.toml.5').matchAll(/^\.TP\n\.B ([a-z_.]+)\n(Text|Number|True or false|List of texts|Table)\b[^]*?^Default: (.*)\.$/gm)]
    .map(([, name, type, value]) => [name, { type, value: plain(value) }]));
  const exampled = new Map();
  let table = '';
  for (const line of read('share/nexus.toml.example').split('\n')) {
    table = /^\[(\w+)\]/.exec(line)?.[1] ?? table;
    const [, name, value] = /^# (\w+) = (\[.*?\]|".*?"|\S+)/.exec(line) ?? [];
    if (name) exampled.set(table ? `${table}.${name}` : name, value);
  }
  assert.ok(settings.size > 30);
  assert.deepEqual([...told.keys()].sort(), [...settings.keys()].sort());
  assert.deepEqual([...exampled.keys(), 'credential'].sort(), [...settings.keys()].sort());
  const types = { Text: 'std::string', Number: 'std::int64_t', 'True or false': 'bool', 'List of texts': 'std::vector<std::string>', Table: 'std::vector<CredentialMapping>' };
  const fromEnvironment = ['workspace', 'daemon.data_dir', 'daemon.socket', 'credential'];  // empty until then
  for (const [name, { type, value }] of told) {
    const member = declared(settings.get(name));
    assert.equal(types[type], member.type, name);
    if (!fromEnvironment.includes(name)) assert.deepEqual([value, exampled.get(name)], [member.value, member.value], name);
  }
});

/** The files of both programs. */
const code = (function below(directory) {
  return readdirSync(join(ROOT, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    return entry.isDirectory() ? below(path) : path.endsWith('.cc') ? [read(path)] : [];
  });
});

test('every variable that is read has its place under ENVIRONMENT, and no other', () => {
  const files = ['cli', 'common', 'daemon'].flatMap(code);
  const ACCESS = /\b(?:environment|getenv|take_variable)\(/;
  const found = files.filter((text) => ACCESS.test(text)).flatMap((text) => [
    ...text.matchAll(/"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z]+_proxy)"/g),
    ...text.matchAll(/\b(?:environment|getenv|take_variable|setenv)\("(\w+)"/g),
    ...[...text.matchAll(/for \(const char\* \w+ :\s*\{([^}]*)\}/g)].flatMap(([, list]) => [...list.matchAll(/"([A-Z]+)"/g)]),
  ]).map(([, name]) => name);
  const used = [...new Set(found)].sort();
  const told = new Set(pages.flatMap((page) => [...(section(source(page), 'ENVIRONMENT') ?? '').matchAll(/^\.TP\n\.BR? (.*)$/gm)])
    .flatMap(([, tag]) => tag.split(/", "| /).map((name) => name.replaceAll('"', '')).filter((name) => /^\w+$/.test(name))));
  assert.ok(used.length > 40, used.join());
  assert.deepEqual(used.filter((name) => !told.has(name)), []);
  // TZ is the C library's to read.
  assert.deepEqual([...told].filter((name) => !used.includes(name) && name !== 'TZ'), []);
});

test('the exit codes are those of the table of errors', () => {
  const codes = [...read('common/error.cc').matchAll(/ErrorInfo\{ErrorCode::(\w+), [^}]*, (\d+)\}/g)];
  assert.ok(codes.length > 50);
  const nexusds = codes.filter(([, name]) => name === 'daemon_running').map(([, , number]) => number);
  const expected = new Set(codes.map(([, , number]) => number).filter((number) => !nexusds.includes(number)));
  assert.deepEqual(rows(section(source('nexus.1'), 'EXIT STATUS')).map(([number]) => number), ['0', ...[...expected].sort((a, b) => a - b)]);
  assert.ok(plain(section(source('nexusd.8'), 'EXIT STATUS')).includes(`${nexusds[0]} where another nexusd serves`));
});

test('sections stand in the order that readers know', () => {
  const ORDER = ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'COMMANDS', 'OPTIONS', 'EXIT STATUS', 'ENVIRONMENT', 'FILES', 'EXAMPLES', 'SEE ALSO'];
  for (const page of pages) {
    const headings = [...source(page).matchAll(/^\.SH (.*)$/gm)].map(([, heading]) => heading.replaceAll('"', ''));
    if (!page.endsWith('.1')) continue;
    const usual = headings.filter((heading) => ORDER.includes(heading));
    assert.deepEqual(usual, ORDER.filter((heading) => usual.includes(heading)), page);
    for (const heading of ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'EXIT STATUS', 'EXAMPLES', 'SEE ALSO']) assert.ok(usual.includes(heading), `${page} has ${heading}`);
  }
});

/** A page as man(1) has groff set it on a terminal of 80 columns: one long sheet. */
const groff = (page, ...options) => spawnSync('groff', ['-t', '-man', '-Tutf8', '-rLL=78n', '-rcR=1', '-P-cbu', ...options],
  { input: `.pl 1000i\n${source(page)}`, encoding: 'utf8' });

test('mandoc and groff find no fault in a page', () => {
  for (const page of pages) {
    const { error, stdout } = spawnSync('mandoc', ['-Tlint', join(MAN, page)], { encoding: 'utf8' });
    assert.equal(error, undefined);
    // Lines of the source are as long as those of other files here.
    assert.deepEqual(stdout.split('\n').filter((line) => line && !line.includes('input text line longer than 80 bytes')), []);
    const warned = groff(page, '-ww', '-z');
    assert.deepEqual([warned.error, warned.status, warned.stderr], [undefined, 0, ''], page);
  }
});

test('pages fit 80 columns, but for what is to be copied, and break no word', () => {
  for (const page of pages) {
    const text = groff(page).stdout;
    assert.ok(text.includes('NAME'));
    const examples = plain([...source(page).matchAll(/^\.(?:EX|nf)\n([^]*?)^\.(?:EE|fi)$/gm)].map(([, example]) => example).join('')).split('\n').map((line) => line.trim());
    const wide = text.split('\n').filter((line) => line.length > 80 && !examples.includes(line.trim()));
    assert.deepEqual(wide, [], page);
    assert.doesNotMatch(text, /\u2010$/m, page);
  }
});

test('every page is installed, also by each of its names, and the README names it', () => {
  const readme = read('README.md');
  for (const page of pages) {
    const number = page.at(-1);
    for (const name of namesOf(page))
      assert.equal(readFileSync(join(installed, 'share', 'man', `man${number}`, `${name}.${number}`), 'utf8'), source(page), name);
    assert.ok(readme.includes(page.replace(/\.(\d)$/, '($1)')), `README.md names ${page}`);
  }
});

test('nexus help COMMAND opens the page where it is installed, and is the help elsewhere', async () => {
  const shown = async (words, env) => (await new Terminal(home, ['help', ...words], { env: { MANPAGER: 'cat', ...env } }).end()).text.replaceAll(/.\x08/g, '');
  const here = { MANPATH: join(installed, 'share', 'man') };
  assert.match(await shown(['token'], here), /^NEXUS-TOKEN\(1\)[^]*^SYNOPSIS\n/m);
  assert.match(await shown(['list'], here), /^NEXUS-STATUS\(1\)/m);
  assert.match(await shown(['provider', 'add'], here), /^NEXUS-PROVIDER\(1\)/m);
  assert.match(await shown(['nexus-token'], here), /^NEXUS-TOKEN\(1\)/m);
  assert.match(await shown(['token', '--no-pager'], { ...here, MANPAGER: 'false' }), /^NEXUS-TOKEN\(1\)/m);
  for (const page of pages.filter((each) => !each.endsWith('.1'))) {
    const [, name, section] = /^(.*)\.(\d)$/.exec(page);
    for (const word of ['nexus-api', 'nexus-vault'].includes(name) ? [`${name}(${section})`] : [name, `${name}(${section})`])
      assert.ok((await shown([word], here)).includes(`${name}(${section})`.toUpperCase()), word);
  }
  assert.match(await shown(['nexus.toml'], { MANPATH: home.dir }), /^nexus: nexus\.toml\(5\) is a page of the manual, which is not installed here\n {2}see: man 5 nexus\.toml\n/);
  assert.match((await home.nexus(['help', 'nexusd'], { env: here })).stderr, /which is for a terminal\n {2}see: man 8 nexusd\n/);
  assert.match(await shown(['token'], { MANPATH: home.dir }), /^Usage: nexus token /m);
  const noMan = join(home.dir, 'bin');
  mkdirSync(noMan);
  for (const name of ['script', 'stty']) symlinkSync(execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), join(noMan, name));
  assert.match(await shown(['token'], { ...here, PATH: noMan }), /^Usage: nexus token /m);
  const piped = await home.nexus(['help', 'token'], { env: here });
  assert.match(piped.stdout, /^Usage: nexus token /m);
  const none = await home.nexus(['help', 'tokne'], { env: here });
  assert.deepEqual([none.code, none.stdout], [2, '']);
  assert.match(none.stderr, /there is no command 'tokne'\n {2}did you mean: nexus token/);
});
