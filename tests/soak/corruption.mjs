// Copies of a vault and of an audit log, damaged at random as disks and accidents do, and what nexusd makes of each:
// node tests/soak/corruption.mjs [--rounds 300] [--seed 1] [--show]
// SILENT is an answer that is wrong or lacks something while nothing anywhere (an error, the log, the status) says so.
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register } from '../support/flow.mjs';
import { BIN, Home, until } from '../support/nexus.mjs';

const argument = (name, otherwise) => process.argv.includes(`--${name}`) ? process.argv[process.argv.indexOf(`--${name}`) + 1] : otherwise;
const rounds = Number(argument('rounds', 300));
const show = process.argv.includes('--show');
let state = Number(argument('seed', 1));
/** mulberry32: the same rounds for the same seed. */
function random(below) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % below;
}

const kinds = {
  'a flipped bit': (bytes) => { bytes[random(bytes.length)] ^= 1 << random(8); return bytes; },
  'eight flipped bits': (bytes) => { for (let i = 0; i < 8; ++i) bytes[random(bytes.length)] ^= 1 << random(8); return bytes; },
  'cut off': (bytes) => bytes.subarray(0, random(bytes.length)),
  'a page of zeros': (bytes) => bytes.fill(0, ...((at) => [at, at + 4096])(4096 * random(bytes.length / 4096))),
  'a page of noise': (bytes) => { const at = 4096 * random(bytes.length / 4096); for (let i = 0; i < 4096; ++i) bytes[at + i] = random(256); return bytes; },
};

const provider = await MisbehavingProvider.start();
const home = await Home.make();
const seeded = join(home.dir, 'seeded');
await home.start();
await register(home, provider.issuer);
const ids = [];
for (let i = 0; i < 40; ++i) ids.push((await connect(home, provider, { alias: `alias-${i}` })).id);
for (let i = 0; i < 5; ++i) await home.makeKey(`key-${i}`, '--use', 'all');
await home.stop();
cpSync(home.data, seeded, { recursive: true });

const json = (text) => { try { return JSON.parse(text); } catch { return {}; } };
/** What each command answers of the whole vault, as far as it can be compared. */
const commands = {
  list: [['list', '--json'], (out) => json(out).connections.map((c) => [c.connection_id, c.alias, c.provider, c.account, c.status, c.scopes, c.last_error?.code]).sort()],
  token: [['token', 'alias-7'], (out) => out],
  'token by id': [['token', ids[20]], (out) => out],
  status: [['status', 'alias-31', '--json'], (out) => json(out).connections.map((c) => [c.connection_id, c.status, c.account])],
  'key list': [['key', 'list', '--json'], (out) => json(out).keys.map((key) => [key.id, key.name, key.use])],
  'provider list': [['provider', 'list', '--json'], (out) => json(out).providers],
  audit: [['audit', '--limit', '1000', '--json'], (out) => json(out).events.filter((e) => Number(e.id) <= recorded).map((e) => [e.id, e.event_type, e.event_data])],
  refresh: [['refresh', 'alias-12'], (out) => out.replace(/good until.*|for how long.*/, '')],
  connect: [['connect', 'demo', '--no-wait', '--no-browser'], (out) => /^conn_/.test(out)],
};
let recorded = Infinity;

/** Where an answer begins to be another one. */
function difference(said = '', whole = '') {
  let at = 0;
  while (at < said.length && said[at] === whole[at]) ++at;
  const around = (text) => text.slice(Math.max(at - 30, 0), at + 30);
  return `${around(said)} in place of ${around(whole)}`;
}

/** Whether it came up; then the daemon is in home.daemon. */
async function start() {
  home.log = '';
  home.daemon = spawn(join(BIN, 'nexusd'), ['--foreground'], { env: home.env, stdio: ['ignore', 'ignore', 'pipe'] });
  home.daemon.stderr.on('data', (text) => { home.log += text; });
  let closed = false;
  home.daemon.on('close', () => { closed = true; });
  await until(() => closed || home.log.includes(' ready '), 'the start', 20000);
  return !closed;
}
const answersOf = async () => {
  const answers = {};
  for (const [name, [args, read]] of Object.entries(commands)) {
    const { code, stdout, stderr } = await home.nexus(args);
    let said;
    try { said = JSON.stringify(read(stdout)); } catch { said = undefined; }
    answers[name] = { code, stderr, said };
  }
  return answers;
};
const checked = () => until(() => home.log.includes('databases_checked') || home.daemon.exitCode !== null || home.daemon.signalCode, 'the check of the databases', 20000);

await start();
recorded = Math.max(...json((await home.nexus(['audit', '--limit', '1', '--json'])).stdout).events.map((e) => Number(e.id)));
const right = await answersOf();
for (const [name, { code, stderr }] of Object.entries(right)) if (code !== 0) throw new Error(`${name} of the whole vault: ${stderr}`);
await home.stop();

for (const file of ['nexus.db', 'audit.db']) {
  const outcomes = { 'all answers right': 0, 'refused at the start, with its reason': 0, 'refused or shown as damaged, with what it is': 0,
    'wrong, and told by log and status': 0, SILENT: 0, CRASH: 0 };
  for (let round = 0; round < rounds; ++round) {
    rmSync(home.data, { recursive: true, force: true });
    cpSync(seeded, home.data, { recursive: true });
    const path = join(home.data, file);
    const names = Object.keys(kinds);
    const kind = names[random(names.length)];
    writeFileSync(path, kinds[kind](readFileSync(path)));
    let outcome;
    let why = '';
    if (!await start()) {
      const reason = home.log.match(/nexusd: .*/);
      outcome = home.daemon.signalCode || !reason ? 'CRASH' : 'refused at the start, with its reason';
      why = home.log;
    } else {
      const answers = await answersOf();
      await checked();
      const status = (await home.nexus(['daemon', 'status'])).stderr;
      const wrong = Object.entries(answers).filter(([name, answer]) => answer.code !== 0 || answer.said !== right[name].said);
      const named = ([, answer]) => answer.code !== 0 ? answer.stderr.startsWith('nexus: ') : /damaged/.test(answer.said ?? '');
      const code = await home.stop();
      if (code !== 0) outcome = 'CRASH';
      else if (!wrong.length) outcome = 'all answers right';
      else if (wrong.every(named)) outcome = 'refused or shown as damaged, with what it is';
      else if (/damaged/.test(status) && /database_damaged/.test(home.log)) outcome = 'wrong, and told by log and status';
      else outcome = 'SILENT';
      why = outcome === 'CRASH' ? home.log : wrong.map(([name, answer]) => `${name}: ${answer.code === 0 ? difference(answer.said, right[name].said) : answer.stderr.trim()}`).join('\n');
    }
    ++outcomes[outcome];
    if (show || outcome === 'SILENT' || outcome === 'CRASH') console.log(`${file} round ${round}, ${kind}: ${outcome}\n${why.slice(0, 1500)}`);
  }
  console.log(`${file}, ${rounds} rounds:`);
  for (const [outcome, count] of Object.entries(outcomes)) console.log(`  ${String(count).padStart(5)} ${outcome}`);
}
rmSync(home.dir, { recursive: true, force: true });
await provider.close();
