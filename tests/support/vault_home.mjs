// A nexusd with a connection in its vault, for what is done with that.
import { after } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { connect, register, token } from './flow.mjs';
import { Home } from './nexus.mjs';

export const PASSPHRASE = 'a passphrase of some length';
export const key = () => randomBytes(32).toString('base64');

export const provider = await MisbehavingProvider.start();
after(() => provider.close());

/** A nexusd of its own with a connection; `value` is its token. */
export async function served({ config = '', env = {}, gateway = false } = {}) {
  const home = await Home.make({ config, env, gateway });
  after(() => home.remove());
  await home.start();
  await register(home, provider.issuer);
  const { id } = await connect(home, provider, { alias: 'work' });
  return { home, id, value: (await token(home, id)).json.credentials.access_token };
}

export const write = (home, name, text) => { writeFileSync(join(home.dir, name), text, { mode: 0o600 }); return join(home.dir, name); };
export const vault = async (home) => JSON.parse((await home.nexus(['vault', 'status', '--json'])).stdout);
export const events = async (home, name) => (await home.api('GET', `/v1/audit?event_type=${name}`)).json;

export async function serves({ home, id, value }) {
  const got = await token(home, id);
  assert.equal(got.status, 200, got.text);
  assert.equal(got.json.credentials.access_token, value);
}

export async function done(home, args, options) {
  const ran = await home.nexus(args, options);
  assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.stderr}`);
  return ran;
}
