// Sets up the distribution's oidc-agent on a certified provider and prints what a shell needs to use
// it: OIDC_SOCK, OIDCD_PID and the provider's pid. usage: DIRECTORY
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { CLIENT_ID, CLIENT_SECRET } from '../provider/certified.mjs';
import { consent } from '../support/consent.mjs';

const [directory] = process.argv.slice(2);
const redirect = 'http://localhost:4242';
const program = new URL('../provider/certified.mjs', import.meta.url).pathname;
const provider = spawn(process.execPath, [program, '--callback', redirect], {
  detached: true, stdio: ['ignore', 'pipe', openSync(`${directory}/provider.log`, 'w')] });
const [line] = await once(provider.stdout, 'data');
const { issuer } = JSON.parse(line);

// A refresh token by the code grant, as any client would get it.
const verifier = randomBytes(32).toString('base64url');
const query = new URLSearchParams({
  response_type: 'code', client_id: CLIENT_ID, redirect_uri: redirect, state: 'x', prompt: 'consent',
  scope: 'openid offline_access', code_challenge_method: 'S256',
  code_challenge: createHash('sha256').update(verifier).digest('base64url') });
const answer = new URL(await consent(`${issuer}/auth?${query}`));
const tokens = await (await fetch(`${issuer}/token`, {
  method: 'POST',
  headers: { authorization: `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64')}`, 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams({ grant_type: 'authorization_code', code: answer.searchParams.get('code'), redirect_uri: redirect, code_verifier: verifier }) })).json();

mkdirSync(`${directory}/.oidc-agent`, { recursive: true, mode: 0o700 });
writeFileSync(`${directory}/password`, 'bench', { mode: 0o600 });
const env = { ...process.env, HOME: directory, OIDC_CONFIG_DIR: `${directory}/.oidc-agent` };
const started = execFileSync('oidc-agent', [], { env, encoding: 'utf8' });
const value = (name) => started.match(new RegExp(`${name}=([^;]+);`))[1];
execFileSync('oidc-gen', ['bench', '--issuer', issuer, '--client-id', CLIENT_ID, '--client-secret', CLIENT_SECRET,
  '--redirect-uri', redirect, '--scope', 'openid offline_access', '--rt', tokens.refresh_token, '--manual',
  '--flow', 'refresh', `--pw-file=${directory}/password`, '--prompt=none'],
{ env: { ...env, OIDC_SOCK: value('OIDC_SOCK') }, stdio: ['ignore', 'ignore', 'pipe'] });
console.log(`OIDC_SOCK=${value('OIDC_SOCK')}\nOIDCD_PID=${value('OIDCD_PID')}\nPROVIDER_PID=${provider.pid}`);
process.exit(0);
