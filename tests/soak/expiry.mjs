// Connections that nobody consented to, very many, run out at once: how long fetches of a token and
// writes take meanwhile. node tests/soak/expiry.mjs [--count 100000]
// (NEXUS_BIN has the benchmarks, too: target `bench`)
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BIN, Home } from '../support/nexus.mjs';

const run = promisify(execFile);
const count = Number(process.argv.includes('--count') ? process.argv[process.argv.indexOf('--count') + 1] : 100_000);

const home = await Home.make({ config: '[limits]\npending = 0\n' });
const at = Math.floor(Date.now() / 1000) + 25;
const id = execFileSync(join(BIN, 'tests', 'bench_seed'), [home.data, String(count), 'pending', String(at)]).toString().trim();
await home.start();

/** Beside what is measured: nothing here may wait for it. */
const waiting = async () => Number((await run('sqlite3', ['-readonly', join(home.data, 'nexus.db'),
  `SELECT count(*) FROM connections WHERE status = 'pending' AND pending_until = ${at}`])).stdout);
const memory = () => Number(readFileSync(`/proc/${home.daemon.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;
const agent = new Agent({ keepAlive: true });
const ask = (method, path, body) => new Promise((resolve, reject) => {
  httpRequest({ socketPath: home.socket, method, path, agent, headers: body ? { 'content-type': 'application/json', 'content-length': body.length } : {} },
    (response) => response.resume().on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`${path} answered ${response.statusCode}`)))))
    .on('error', reject).end(body);
});
let most = memory();
const before = most;
/** Asks one after another until it is over; how long each took. */
async function measure(one, over) {
  const took = [];
  while (!over()) {
    const begun = performance.now();
    await one(took.length);
    took.push(performance.now() - begun);
    most = Math.max(most, memory());
    await new Promise((go) => setTimeout(go, 1));
  }
  return took.sort((a, b) => a - b);
}
const tell = (what, took) => console.log(`${what.padEnd(24)} p50 ${took[took.length >> 1].toFixed(1)} ms, p99 ${took[Math.floor(took.length * 0.99)].toFixed(1)} ms, worst ${took.at(-1).toFixed(1)} ms (${took.length})`);
const fetchToken = () => ask('GET', `/v1/token/${id}`);
const rename = (i) => ask('PATCH', `/v1/connections/${id}`, JSON.stringify({ alias: `name-${i % 2}` }));
async function both(what, over) {
  const [fetches, writes] = await Promise.all([measure(fetchToken, over), measure(rename, over)]);
  tell(`${what}: a fetch`, fetches);
  tell(`${what}: a write`, writes);
}
await both('quiet', () => Date.now() / 1000 > at - 2);
let left = count;
const look = setInterval(async () => { left = await waiting(); }, 1000);
const begun = performance.now();
await both(`${count} run out`, () => left === 0);
clearInterval(look);
console.log(`all had failed after ${((performance.now() - begun) / 1000).toFixed(1)} s; memory ${before.toFixed(1)} to ${most.toFixed(1)} MiB`);
agent.destroy();
await home.remove();
