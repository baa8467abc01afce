// What the tests of credential helpers begin with: a daemon with connections of each kind, nexus under the
// names that programs have for their helpers, and a nexus.toml that maps hosts.
import { after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KeyedApi, KINDS } from '../provider/keyed_api.mjs';
import { reply } from '../provider/misbehaving.mjs';
import { daemonAndProvider } from './fixture.mjs';
import { connect, register, token } from './flow.mjs';
import { BIN } from './nexus.mjs';

const NAMES = ['nexus', 'git-credential-nexus', 'docker-credential-nexus', 'terraform-credentials-nexus', 'bazel-credential-nexus', 'cargo-credential-nexus', 'keyring', 'nexus-npm-npm.example.com', 'nexus-npm-other.example.com'];
export const SILENCE = { code: 0, stdout: '', stderr: '' };

/** `work` is the connection that github.com is mapped to when each test begins. */
export async function credentialHelpers() {
  const { home, provider } = await daemonAndProvider();
  const api = await KeyedApi.start();
  after(() => api.close());
  const links = join(home.dir, 'links');
  const plain = readFileSync(home.configFile, 'utf8');

  /** An active connection to demo under that alias, and its token now. */
  async function aliased(alias) {
    const { id } = await connect(home, provider, { alias });
    return { id, alias, token: (await token(home, id)).json.access_token };
  }
  const tokenOf = async (id) => (await token(home, id)).json.access_token;

  async function keyed(kind, credentials = KINDS[kind].credentials) {
    const name = kind.replaceAll('_', '-');
    await home.api('POST', '/v1/providers', { name, api_base_url: api.url, allow_insecure_http: true, ...KINDS[kind].provider });
    const asked = (await home.api('POST', '/v1/request-connection', { provider_name: name, alias: `my-${name}` })).json;
    const answer = await home.api('POST', '/v1/capture-credential', { state: asked.state, credentials });
    assert.equal(answer.status, 200, answer.text);
    return asked.connection_id;
  }

  /** What `[credential]` of nexus.toml says from now on. */
  const map = (lines) => writeFileSync(home.configFile, `${plain}\n[credential]\n${lines.join('\n')}\n`);

  /** Runs nexus by the name that the program has for its helper. */
  function run(name, args, input = '', env = {}) {
    return new Promise((resolve) => {
      const child = execFile(join(links, name), args, { env: { ...home.env, ...env } },
        (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
  }

  /** The provider ends the grant. */
  async function endGrant(id) {
    provider.onToken = (form, response) => reply(response, { error: 'invalid_grant' }, 400);
    await home.api('POST', `/v1/refresh/${id}`);
    provider.onToken = null;
    assert.equal(await home.status(id), 'attention_required');
  }

  mkdirSync(links);
  for (const name of NAMES) symlinkSync(join(BIN, 'nexus'), join(links, name));
  await register(home, provider.issuer);
  const work = await aliased('work');
  for (const kind of ['basic_auth', 'header', 'aws_sigv4']) await keyed(kind);
  beforeEach(() => map(['"github.com" = "work"']));
  return { home, provider, links, plain, work, aliased, tokenOf, keyed, map, run, endGrant };
}
