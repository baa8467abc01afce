// Who may use which connection: users, groups, programs, and what a person has to confirm.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFile, execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register } from '../support/flow.mjs';
import { BIN } from '../support/nexus.mjs';

const { home, provider } = await daemonAndProvider({ gateway: true });
await register(home, provider.issuer);
const { id } = await connect(home, provider);
const CURL = execFileSync('/bin/sh', ['-c', 'readlink -f "$(command -v curl)"']).toString().trim();
const NODE = process.execPath;

const access = async (...args) => {
  const done = await home.nexus(['access', id, ...args]);
  assert.equal(done.code, 0, done.stderr);
  return done.stdout;
};
after(() => access('--everybody').catch(() => {}));

/** What a program gets that speaks to the socket itself. */
const ask = (program, path = `/v1/token/${id}`) => new Promise((resolve) => {
  execFile(program, ['-s', '--unix-socket', home.socket, `http://localhost${path}`], (error, stdout) => {
    resolve(stdout ? JSON.parse(stdout) : { failed: String(error) });
  });
});
const lastUses = async () => (await home.api('GET', '/v1/audit?limit=20')).json
  .filter((record) => /token_retriev|request_forwarded/.test(record.event_type)).map((record) => ({ event: record.event_type, ...JSON.parse(record.event_data) }));

test('without rules whoever is let in uses a connection; nothing is told of it', async () => {
  assert.match((await ask(CURL)).access_token, /\S/);
  assert.equal(await access(), `${id} may be used by everybody who reaches nexusd\n`);
  assert.equal((await home.api('GET', `/v1/connections/${id}`)).json.access, null);
});

test('named programs use a connection and others do not, by link or by a copy of the same name', async () => {
  const bin = join(home.dir, 'bin');
  mkdirSync(bin);
  symlinkSync(CURL, join(bin, 'linked'));
  copyFileSync(CURL, join(bin, 'curl'));
  await access('--exe', join(bin, 'linked'));
  assert.match((await ask(CURL)).access_token, /\S/);
  const refused = await ask(join(bin, 'curl'));
  assert.equal(refused.code, 'use_refused');
  assert.equal(refused.connection_id, id);
  assert.match(refused.message, new RegExp(`^${join(bin, 'curl')} may not use demo`));
  assert.ok(refused.hint);
  const [last] = await lastUses();
  assert.deepEqual([last.event, last.outcome, last.detail, last.exe, last.uid], ['token_retrieval_failed', 'refused', 'use_refused', join(bin, 'curl'), process.getuid()]);
  // The same at the API that requests are sent on by, and for a refresh.
  assert.equal((await ask(join(bin, 'curl'), `/v1/proxy/${id}/x`)).code, 'use_refused');
  assert.equal((await home.api('POST', `/v1/refresh/${id}`, '')).json.code, 'use_refused');
  assert.equal((await home.api('GET', `/v1/token/${id}?scope=openid`)).json.code, 'use_refused');
  assert.equal((await home.api('GET', '/v1/resolve?workspace_id=default&provider_name=demo')).json.code, 'use_refused');
  // To look is no use.
  assert.equal((await home.api('GET', `/v1/connections/${id}`)).json.access.programs[0], join(bin, 'linked'));
  assert.equal(await home.status(id), 'active');
});

test('with a hash the file has to be the one that was meant', async () => {
  const copy = join(home.dir, 'bin', 'curl');
  const hash = createHash('sha256').update(readFileSync(copy)).digest('hex');
  await access('--exe', `${copy}@sha256:${hash}`);
  assert.match((await ask(copy)).access_token, /\S/);
  appendFileSync(copy, 'another');
  const refused = await ask(copy);
  assert.equal(refused.code, 'use_refused');
  assert.match(refused.message, /its file is not the one that was meant/);
  assert.match(refused.hint, /sha256sum/);
});

test('where nexus asks, what started it counts, and nothing in between', async () => {
  await access('--exe', NODE);
  const direct = await home.nexus(['token', id]);
  assert.equal(direct.code, 0, direct.stderr);
  const script = join(home.dir, 'bin', 'asks');
  writeFileSync(script, `'${join(BIN, 'nexus')}' token ${id}; exit $?`);
  const run = (args) => new Promise((resolve) => execFile('/bin/sh', args, { env: home.env }, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr })));
  const shell = await run([script]);
  assert.equal(shell.code, 9);
  assert.equal(shell.stdout, '');
  assert.match(shell.stderr, /^nexus: \S+sh may not use demo\n {2}\S/);
  // One that was started for one command is who started it, where nexus is below it.
  assert.match((await run(['-c', `'${join(BIN, 'nexus')}' token ${id}; exit $?`])).stdout, /\S/);
});

test('git is let in where its helper asks', async () => {
  const helper = join(home.dir, 'bin', 'git-credential-nexus');
  symlinkSync(join(BIN, 'nexus'), helper);
  appendFileSync(home.configFile, `[credential]\n"git.example" = "${id}"\n`);
  const fill = () => new Promise((resolve) => {
    const git = execFile('git', ['-c', 'credential.helper=', '-c', `credential.helper=${helper}`, 'credential', 'fill'],
      { env: { ...home.env, GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: 'false' } }, (error, stdout, stderr) => resolve(stdout + stderr));
    git.stdin.end('protocol=https\nhost=git.example\n\n');
  });
  await access('--exe', '/usr/bin/git');
  assert.match(await fill(), /^password=\S+/m);
  await access('--exe', NODE);
  assert.match(await fill(), /\/git may not use demo/);
});

test('what is no program, no user and no group is refused by name, and a misspelt rule opens nothing', async () => {
  const script = join(home.dir, 'bin', 'script');
  writeFileSync(script, '#!/bin/sh\n');
  for (const [args, said] of [
    [['--exe', 'git'], /'git' is no program's absolute path\n.*command -v/], [['--exe', '/nowhere/git'], /cannot be looked at/],
    [['--exe', script], /is a script.*\n.*interpreter/], [['--exe', `${CURL}@sha256:abc`], /64 hexadecimal digits/],
    [['--uid', 'root'], /no user's number/], [['--group', 'no-such-group'], /there is no group/],
    [['--confirm', '5s'], /a minute at the least/], [['--confirm', '3d'], /a day at the most/], [['--everybody', '--uid', '0'], /everybody stands alone/]]) {
    const done = await home.nexus(['access', id, ...args]);
    assert.equal(done.code, 2, `${args}: ${done.stderr}`);
    assert.match(done.stderr, said);
  }
  const put = (body) => home.api('PUT', `/v1/connections/${id}/access`, body).then(({ json }) => json.code);
  assert.equal(await put({ program: [CURL] }), 'invalid_field');
  assert.equal(await put({}), 'missing_fields');
  assert.deepEqual((await home.api('GET', `/v1/connections/${id}`)).json.access.programs, [NODE]);
});

test('status tells who may use a connection, and so does its JSON', async () => {
  await access('--exe', NODE, '--uid', String(process.getuid()), '--group', 'root', '--confirm', '15m');
  const words = `programs: ${NODE}; users: ${process.getuid()}; groups: root; confirmed: once in 15 minutes`;
  assert.match((await home.nexus(['status', id])).stdout.replaceAll(/\s+/g, ' '), new RegExp(`used by ${words} `));
  const told = JSON.parse((await home.nexus(['status', id, '--json'])).stdout).connections[0].access;
  assert.deepEqual(told, { programs: [NODE], uids: [String(process.getuid())], groups: ['root'], confirm_minutes: 15 });
  const [changed] = (await home.api('GET', '/v1/audit?event_type=connection.updated&limit=1')).json;
  const { detail, exe } = JSON.parse(changed.event_data);
  assert.deepEqual([detail, exe], [`access: ${words}`, NODE]);
});

test('named users use a connection, and the rules hold for nexusd\'s own user as for others', async () => {
  await access('--uid', '4711');
  const refused = await home.nexus(['token', id]);
  assert.deepEqual([refused.code, refused.stdout], [9, '']);
  assert.match(refused.stderr, new RegExp(`user ${process.getuid()} may not use demo`));
  await access('--uid', '4711', '--uid', String(process.getuid()));
  assert.equal((await home.nexus(['token', id])).code, 0);
  await access('--group', 'daemon');
  assert.equal((await home.nexus(['token', id])).code, 9);
});

test('over the gateway a connection with rules is there for keys that are for it alone', async () => {
  await access('--exe', CURL);
  const keys = { all: ['--use', 'all'], admin: ['--admin'], own: ['--use', id], forward: ['--forward', id] };
  for (const [name, rights] of Object.entries(keys)) keys[name] = await home.makeKey(`access-${name}`, ...rights);
  const use = (key) => home.http('GET', `/v1/token/${id}`, undefined, { key });
  for (const key of [keys.all, keys.admin]) {
    const refused = await use(key);
    assert.deepEqual([refused.status, refused.json.code], [403, 'use_refused']);
    assert.match(refused.json.hint, new RegExp(`--use ${id}`));
  }
  assert.equal((await use(keys.own)).status, 200);
  assert.equal((await use(keys.forward)).json.code, 'access_denied');
  // An admin's key may say who may.
  assert.equal((await home.http('PUT', `/v1/connections/${id}/access`, { programs: [CURL, NODE] }, { key: keys.admin })).status, 200);
  assert.equal((await home.http('PUT', `/v1/connections/${id}/access`, { everybody: true }, { key: keys.own })).status, 403);
});

test('a program behind the proxy gets its key by the rules for who starts it, and is bound by that key then', async () => {
  const run = (program) => new Promise((resolve) => execFile(program[0], [...program.slice(1), join(BIN, 'nexus'), 'exec', '--proxy', id, '--', '/bin/sh', '-c', 'echo "$NEXUS_PROXY_KEY"'], { env: home.env },
    (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr })));
  await access('--exe', NODE);
  const began = await run(['/usr/bin/env']);  // which becomes nexus
  assert.equal(began.code, 0, began.stderr);
  await access('--exe', CURL);
  const refused = await run(['/usr/bin/env']);
  assert.equal(refused.code, 9, refused.stderr);
  assert.match(refused.stderr, /may not use demo/);
  const [last] = (await home.api('GET', '/v1/audit?event_type=key.created&limit=1')).json;
  assert.deepEqual([JSON.parse(last.event_data).outcome, JSON.parse(last.event_data).exe], ['refused', NODE]);
});

test('a connection that takes another one\'s place has its rules', async () => {
  await access('--exe', CURL);
  const { id: next } = await connect(home, provider, { replaces: id });
  assert.notEqual(next, id);
  assert.deepEqual((await home.api('GET', `/v1/connections/${next}`)).json.access?.programs, [CURL]);
  assert.equal((await home.api('GET', `/v1/token/${next}`)).json.code, 'use_refused');
});
