// A nexusd that is somebody else's, or whose provider is: what it says cannot steer the terminal that nexus shows it on.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { Home } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';

// ESC and CSI, OSC, C1, DEL, bidirectional overrides and isolates, what breaks lines and columns.
const BAD = 'x\u001b[2J\u001b]0;t\u0007\u009b31m\u009d0;u\u009c\u007f\u202e\u2066\u2028\b\r\ty\nnexus: z';
const HARMLESS = /^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]*$/;

const connection = (status = 'active', more = {}) => ({
  connection_id: BAD, alias: BAD, provider_name: BAD, provider_id: BAD, workspace_id: BAD, account: BAD, status, scopes: [BAD],
  created_at: '2026-01-01T00:00:00Z', updated_at: new Date().toISOString(), last_error: { code: BAD, message: BAD }, ...more,
});
const provider = {
  id: BAD, name: BAD, auth_type: 'oauth2', grant_type: BAD, issuer: BAD, auth_url: BAD, token_url: BAD, client_id: BAD, auth_header: BAD,
  api_base_url: BAD, user_info_endpoint: BAD, redirect_uri: BAD, client_secret_fingerprint: BAD, scopes: [BAD],
  params: { [BAD]: BAD, other: { [BAD]: BAD } }, public_jwk: { [BAD]: BAD }, message: BAD, warning: BAD,
};
const key = { id: BAD, name: BAD, use: [BAD], read: [BAD], created_at: 1, key: BAD };
const started = {
  connection_id: BAD, auth_url: BAD, state: BAD, scopes: [BAD], provider_id: BAD, expires_at: 4e9, redirect_uri: BAD, status: 'pending',
};
const plan = {
  changes: [{ action: 'update', name: BAD, warning: BAD, fields: [{ field: BAD, before: BAD, after: { [BAD]: BAD } }] },
    { action: 'orphan', name: BAD, warning: '', fields: [] }],
  problems: [],
};

// The first that fits; `given` replaces answers in one test.
let given;
const answers = [
  [/^GET \/v1\/token|^POST \/v1\/refresh/, { access_token: 'plain', token_type: BAD, scope: BAD, strategy: { type: BAD }, extra: BAD }],
  [/^GET \/v1\/connections\?/, () => [connection(), connection('attention_required'), connection('pending')]],
  [/^DELETE \/v1\/connections/, { connection_id: BAD, provider_name: BAD, provider_revoked: false, provider_revocation_error: BAD }],
  [/^(GET|PATCH) \/v1\/connections/, () => connection()],
  [/^GET \/v1\/check-connection/, { connection_id: BAD, status: 'failed', reason: BAD }],
  [/^POST \/v1\/request-connection/, () => started],
  [/^POST \/v1\/adopt-connection/, () => connection()],
  [/^POST \/v1\/providers\/(plan|apply)/, () => plan],
  [/^POST \/v1\/providers\/.*\/test/s, { name: BAD, checks: [{ check: BAD, ok: true, detail: BAD, hint: BAD }, { check: BAD, ok: false, detail: BAD, hint: BAD }] }],
  [/^DELETE/, { id: BAD, name: BAD, message: BAD }],
  [/^GET \/providers\?/, [{ ...provider, warning: '' }]],  // with one it is damaged, and not exported
  [/ \/v1\/providers/, provider],
  [/^POST \/v1\/keys/, key],
  [/^GET \/v1\/keys/, [key]],
  [/^GET \/v1\/audit/, [1, 2].map((id) => ({ id: String(id), connection_id: BAD, event_type: BAD, ip_address: BAD, user_agent: BAD, created_at: BAD,
    event_data: JSON.stringify({ outcome: BAD, provider: BAD, detail: BAD, key: BAD, via: BAD }) }))],
];

let home;
let server;
before(async () => {
  server = createServer((request, response) => {
    request.resume();
    const name = `${request.method} ${decodeURI(request.url)}`;
    if (given) return response.writeHead(given.status, { 'content-type': 'application/json' }).end(given.body);
    const found = answers.find(([pattern]) => pattern.test(name));
    if (!found) return response.writeHead(404).end(JSON.stringify({ status: 'error', code: BAD, message: BAD, hint: BAD }));
    const answer = typeof found[1] === 'function' ? found[1]() : found[1];
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  home = await Home.make({ env: { NEXUS_URL: `http://127.0.0.1:${server.address().port}`, NEXUS_API_KEY: 'k' } });
  writeFileSync(join(home.dir, 'p.toml'), '[providers.acme]\nissuer = "https://acme.example"\nclient_id = "c"\n');
});
after(async () => { server.close(); await home.remove(); });

// Every command that prints what a server says, with what it has to print (else it would pass by saying nothing).
const commands = [
  [['list', '--wide'], /x\?\[2J/], [['list', '--all-workspaces', '--wide'], /x\?\[2J/], [['list', '--status', 'failed']],
  [['status'], /x\?\[2J/], [['status', 'a'], /x\?\[2J/], [['refresh', 'a'], /x\?\[2J/], [['alias', 'a', 'b'], /x\?\[2J/], [['disconnect', 'a'], /x\?\[2J/],
  [['prune'], /removed|no failed/], [['token', 'a', '--format', 'json'], /x\\u001b\[2J/], [['token', 'a', '--field', `no${BAD}`], /have no field/],
  [['connect', 'a', '--no-browser', '--timeout', '1s'], /x\?\[2J/], [['connect', 'a', '--no-wait', '--no-browser'], /x\?\[2J/],
  [['key', 'list'], /x\?\[2J/], [['key', 'create', '--name', 'k', '--use', 'all'], /x\?\[2J/], [['key', 'revoke', 'k'], /revoked/],
  [['audit'], /x\?\[2J/], [['provider', 'list'], /x\?\[2J/], [['provider', 'show', 'a'], /x\?\[2J/], [['provider', 'test', 'a'], /x\?\[2J/],
  [['provider', 'export'], /x\\u001b\[2J/i], [['provider', 'edit', 'a', '--scope', 's'], /x\?\[2J/], [['provider', 'remove', 'a'], /removed/],
  [['provider', 'add', 'acme', '--issuer', 'https://acme.example', '--client-id', 'c'], /x\?\[2J/],
  [['provider', 'plan', '-f', 'P'], /x\?\[2J/], [['provider', 'apply', '-f', 'P', '--yes'], /x\?\[2J/],
  [['daemon', 'status'], /x\?\[2J/], [['daemon', 'start'], /NEXUS_URL/],
];
const words = (args) => args.map((word) => (word === 'P' ? join(home.dir, 'p.toml') : word));
const check = (text, what) => assert.match(text, HARMLESS, `${what}: ${JSON.stringify(text)}`);

answers.unshift([/^GET \/v1\/daemon/, {
  pid: 1, version: BAD, socket: BAD, gateway: BAD, callback: BAD, data_dir: BAD, uptime_s: 1, vault: { key_source: BAD }, connections: {},
}]);

test('no control character of a server gets through any command that prints', async () => {
  for (const [args, shows] of commands) {
    const { stdout, stderr } = await home.nexus(words(args));
    check(stdout, args.join(' '));
    check(stderr, args.join(' '));
    if (shows) assert.match(stdout + stderr, shows, args.join(' '));
    // A line that seems to be ours does not begin by itself.
    if (!args.includes('export')) assert.doesNotMatch(stdout + stderr, /^nexus: z/m, args.join(' '));
  }
});

test('JSON has them escaped, and is the same document', async () => {
  for (const [args] of commands) {
    if (args.includes('--format') || args.includes('--field') || args.includes('export') || args.includes('start')) continue;
    const { stdout, stderr } = await home.nexus([...words(args), '--json']);
    check(stdout, `${args.join(' ')} --json`);
    check(stderr, `${args.join(' ')} --json`);
    for (const line of stdout.split('\n').filter(Boolean)) JSON.parse(line);
  }
  assert.equal(JSON.parse((await home.nexus(['list', '--json'])).stdout).connections[0].account, BAD);
  assert.equal(JSON.parse((await home.nexus(['token', 'a', '--format', 'json'])).stdout).extra, BAD);
});

test('the same on a terminal, in questions and in colour', async () => {
  for (const [args] of commands) {
    const terminal = new Terminal(home, words(args));
    terminal.child.stdin.write('y\n');  // to what is asked
    check((await terminal.end()).text, `${args.join(' ')} on a terminal`);
  }
  const asked = await new Terminal(home, ['disconnect', 'a']).answer(/Disconnect x\?\[2J/, 'n');
  check((await asked.end()).text, 'a question');
  const colored = await new Terminal(home, ['status', 'a'], { env: { TERM: 'xterm' } }).end();
  assert.match(colored.text, /\u001b\[33m/);
  check(colored.text.replace(/\u001b\[(0|33)m/g, ''), 'in colour');
});

test('nor through an error, nor as what is no JSON at all', async () => {
  for (const body of [JSON.stringify({ status: 'error', code: BAD, message: BAD, hint: BAD, connection_id: BAD, provider: BAD }), BAD, `{"a":"${BAD}"}`])
    for (const status of [200, 400, 404, 500]) {
      given = { status, body };
      for (const [args] of commands)
        for (const json of [[], ['--json']]) {
          if (args[0] === 'connect' && status === 200) continue;
          const { stdout, stderr } = await home.nexus([...words(args), ...json]);
          check(stdout, `${args.join(' ')} ${status}`);
          check(stderr, `${args.join(' ')} ${status}`);
        }
    }
  given = undefined;
});
