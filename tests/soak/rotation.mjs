// Many connections at a certified provider that rotates refresh tokens and ends a grant when one is used
// twice: node tests/soak/rotation.mjs [--connections 200] [--ttl 12] [--minutes 6]
// Prints what was refreshed, whether an expired token was ever handed out, and what it cost.
import { readFileSync } from 'node:fs';
import { startCertifiedProvider, CLIENT_ID, CLIENT_SECRET } from '../provider/certified.mjs';
import { consent } from '../support/consent.mjs';
import { register, request } from '../support/flow.mjs';
import { Home } from '../support/nexus.mjs';

const option = (name, otherwise) => Number(process.argv[process.argv.indexOf(`--${name}`) + 1] || otherwise);
const given = (name) => process.argv.includes(`--${name}`);
const connections = given('connections') ? option('connections') : 200;
const ttl = given('ttl') ? option('ttl') : 12;
const minutes = given('minutes') ? option('minutes') : 6;

const home = await Home.make({ config: '[limits]\nrequest_connection = 0\n' });
const provider = await startCertifiedProvider({ callbacks: [`${home.callbackBase}/auth/callback`], accessTokenTtl: ttl });
let reused = 0;
let refreshed = 0;
provider.provider.on('grant.error', (context, error) => { reused += error.error === 'invalid_grant'; });
provider.provider.on('grant.success', (context) => { refreshed += context.oidc.params.grant_type === 'refresh_token'; });
await home.start();
await register(home, provider.issuer, { client_id: CLIENT_ID, client_secret: CLIENT_SECRET, scopes: ['openid', 'offline_access'] });

const ids = [];
while (ids.length < connections) {
  const asked = await request(home);
  await fetch(await consent(asked.auth_url), { redirect: 'manual' });
  ids.push(asked.connection_id);
}
const cpu = () => { const fields = readFileSync(`/proc/${home.daemon.pid}/stat`, 'utf8').split(' '); return (Number(fields[13]) + Number(fields[14])) / 100; };
const memory = () => Number(readFileSync(`/proc/${home.daemon.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;
const begun = Date.now();
const cpuBefore = cpu();
const rounds = refreshed;
let fetched = 0;
let expired = 0;
let failed = 0;
let checked = 0;
let most = 0;
while (Date.now() - begun < minutes * 60000) {
  const id = ids[Math.floor(Math.random() * ids.length)];
  const { status, json } = await home.api('GET', `/v1/token/${id}`);
  ++fetched;
  if (status !== 200) ++failed;
  else if (json.expires_in <= 0) ++expired;
  else if (fetched % 20 === 0) {
    // The provider's own word for whether the token is good.
    const me = await fetch(`${provider.issuer}/me`, { headers: { authorization: `Bearer ${json.access_token}` } });
    ++checked;
    if (me.status !== 200) ++expired;
  }
  most = Math.max(most, memory());
  await new Promise((go) => setTimeout(go, 10));
}
const counts = JSON.parse((await home.nexus(['daemon', 'status', '--json'])).stdout).connections;
const { events } = JSON.parse((await home.nexus(['audit', '--event', 'token_refreshed', '--limit', '1000', '--json'])).stdout);
const seconds = (Date.now() - begun) / 1000;
console.log(`${connections} connections, tokens of ${ttl} s, ${(seconds / 60).toFixed(1)} minutes`);
console.log(`  refreshed ${refreshed - rounds} times (${((refreshed - rounds) / connections).toFixed(1)} each), the latest ${events.length} on record`);
console.log(`  rejected by the provider (reuse): ${reused}; connections: ${JSON.stringify(counts)}`);
console.log(`  ${fetched} fetches: ${failed} failed, ${expired} expired (${checked} checked at the provider)`);
console.log(`  CPU ${((cpu() - cpuBefore) / seconds * 100).toFixed(1)} % of a core, resident ${most.toFixed(1)} MiB at most`);
const good = reused === 0 && expired === 0 && failed === 0 && counts.active === connections;
if (!good) console.log(home.log.split('\n').filter((line) => / (warn|error) |unanswered/.test(line)).slice(0, 20).join('\n'));
await home.remove();
await provider.close();
process.exit(good ? 0 : 1);
