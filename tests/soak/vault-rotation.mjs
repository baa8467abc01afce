// nexusd killed at random moments of `nexus vault rotate`, over a vault with many connections; it has to open every
// time, with all of them: node tests/soak/vault-rotation.mjs [--rounds 200] [--connections 10000] [--seed 1]
// Prints how long an undisturbed rotation takes, and what the rounds came to. The build has bench_seed.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BIN, Home } from '../support/nexus.mjs';

const argument = (name, otherwise) => Number(process.argv.includes(`--${name}`) ? process.argv[process.argv.indexOf(`--${name}`) + 1] : otherwise);
const rounds = argument('rounds', 200);
const connections = argument('connections', 10000);
let state = argument('seed', 1);
/** mulberry32: the same rounds for the same seed. */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

const home = await Home.make();
mkdirSync(home.data, { mode: 0o700 });
const id = execFileSync(join(BIN, 'tests/bench_seed'), [home.data, String(connections)], { encoding: 'utf8' }).trim();
const sql = (text) => execFileSync('sqlite3', ['-readonly', join(home.data, 'nexus.db'), text], { encoding: 'utf8' }).trim();
const rows = () => sql('SELECT (SELECT count(*) FROM connections) || \'/\' || (SELECT count(*) FROM credentials)');
const status = async () => (await home.api('GET', '/v1/vault')).json;

await home.start();
const before = rows();
const value = (await home.api('GET', `/v1/token/${id}`)).json.credentials.access_token;
const began = Date.now();
let fetched = 0;
let longest = 0;
await home.api('POST', '/v1/vault/rotate', {});
while (!(await status()).rotation.done) {
  const asked = performance.now();
  const got = await home.api('GET', `/v1/token/${id}`);
  longest = Math.max(longest, performance.now() - asked);
  if (got.json?.credentials?.access_token !== value) throw new Error(got.text);
  ++fetched;
}
const whole = Date.now() - began;
console.log(`${before} connections/values sealed anew in ${whole} ms; ${fetched} tokens fetched meanwhile, the slowest in ${longest.toFixed(1)} ms`);

let halfway = 0;
let slowest = 0;
for (let round = 0; round < rounds; ++round) {
  const rotating = home.api('POST', '/v1/vault/rotate', {}).catch(() => {});
  await new Promise((go) => setTimeout(go, random() * whole * 1.1));
  await home.stop('SIGKILL');
  await rotating;
  const numbers = Number(sql('SELECT count(DISTINCT substr(sealed, 2, 4)) FROM credentials'));
  const starting = Date.now();
  await home.start();
  slowest = Math.max(slowest, Date.now() - starting);
  if (numbers > 1) ++halfway;
  const got = await home.api('GET', `/v1/token/${id}`);
  if (got.json?.credentials?.access_token !== value) throw new Error(`round ${round}: ${got.text}`);
  if (rows() !== before) throw new Error(`round ${round}: ${rows()}, there were ${before}`);
  if (Number(sql('SELECT count(DISTINCT substr(sealed, 2, 4)) FROM credentials')) !== 1) throw new Error(`round ${round}: it did not finish`);
  const { findings } = (await home.api('GET', '/v1/vault/verify')).json;
  if (findings.length > 0) throw new Error(`round ${round}: ${findings.join('; ')}`);
}
console.log(`${rounds} rounds: opened each time, ${before} there each time, nothing damaged; ${halfway} of the kills were in the middle; the slowest start took ${slowest} ms`);
await home.remove();
