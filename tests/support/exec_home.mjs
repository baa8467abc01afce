// What the tests of nexus exec begin with: a daemon with a connection, a runtime directory of its own, and
// ways to run programs.
import { after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { KeyedApi } from '../provider/keyed_api.mjs';
import { daemonAndProvider } from './fixture.mjs';
import { connect, register } from './flow.mjs';
import { BIN, until } from './nexus.mjs';

export const nexus = join(BIN, 'nexus');
export const sh = (script, ...words) => ['sh', '-c', script, 'sh', ...words];
export const says = (running, what) => until(() => running.stdout.match(what), () => `${what} in ${running.stdout}${running.stderr}`);
export const stateOf = (pid) => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];

/** `value` is the token of the connection work. */
export async function execHome() {
  const { home, provider } = await daemonAndProvider({ gateway: true });
  const api = await KeyedApi.start();
  after(() => api.close());
  const runtime = join(home.dir, 'session');
  mkdirSync(runtime, { mode: 0o700 });
  await register(home, provider.issuer);
  await connect(home, provider, { alias: 'work' });
  const value = (await home.nexus(['token', 'work'])).stdout;
  home.env = { ...home.env, XDG_RUNTIME_DIR: runtime };

  const exec = (args, command, options) => home.nexus(['exec', ...args, '--', ...command], options);

  /** The same, running: what it has said so far, and how it ends. */
  function start(args, command, { env = {}, stdio = ['ignore', 'pipe', 'pipe'] } = {}) {
    const child = spawn(nexus, ['exec', ...args, '--', ...command], { env: { ...home.env, ...env }, stdio });
    const running = { child, pid: child.pid, stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr']) child[stream]?.on('data', (text) => { running[stream] += text; });
    running.ended = once(child, 'close').then(([code, signal]) => code ?? signal);
    return running;
  }
  const leftBehind = () => readdirSync(runtime).filter((name) => name.startsWith('nexus-exec-'));

  /** A connection with static credentials of that kind. */
  async function keyed(name, fields, credentials) {
    const made = await home.api('POST', '/v1/providers', { name, api_base_url: api.url, allow_insecure_http: true, ...fields });
    assert.equal(made.status, 201, made.text);
    const asked = (await home.api('POST', '/v1/request-connection', { provider_name: name })).json;
    assert.equal((await home.api('POST', '/v1/capture-credential', { state: asked.state, credentials })).status, 200);
    return asked.connection_id;
  }
  return { home, provider, api, value, runtime, exec, start, leftBehind, keyed };
}
