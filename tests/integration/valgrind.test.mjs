// What runs most, under valgrind's memcheck: no read of what was never written or is gone, and nothing lost.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { RecordingApi } from '../provider/recording_api.mjs';
import { connect, register } from '../support/flow.mjs';
import { BIN, Home, isSanitized } from '../support/nexus.mjs';

const NEXUS = join(BIN, 'tests', 'nexus_dynamic');
const FOUND = 99;
const memcheck = (log, ...more) => ['valgrind', '--quiet', '--vgdb=no', '--leak-check=full', '--errors-for-leak-kinds=definite', '--show-leak-kinds=definite',
  `--error-exitcode=${FOUND}`, `--log-file=${log}`, ...more];
const told = (log) => (existsSync(log) ? readFileSync(log, 'utf8') : 'no log');
const skip = isSanitized() && 'its runtime does the same';

test('nexusd while it connects, serves, refreshes, sends on and ends', { skip, timeout: 240000 }, async () => {
  const provider = await MisbehavingProvider.start();
  const api = await RecordingApi.start();
  // It lets no program be confined, and says so.
  const home = await Home.make({ gateway: true, daemon: 'sandbox = "off"' });
  const log = join(home.dir, 'memcheck');
  try {
    await home.start({ under: memcheck(log) });
    provider.rotate = true;
    await register(home, provider.issuer, { api_base_url: api.url });
    const { id } = await connect(home, provider, { alias: 'work' });
    const key = await home.makeKey('app', '--use', 'all');
    const right = async (asked) => { const answer = await asked; assert.equal(answer.status, 200, answer.text); return answer; };
    for (let i = 0; i < 3; ++i) {
      await right(home.api('GET', `/v1/token/${id}`));
      await right(home.http('GET', `/v1/token/${id}`, undefined, { key }));
    }
    const before = (await right(home.api('GET', `/v1/token/${id}`))).json.access_token;
    await right(home.api('POST', `/v1/refresh/${id}`, ''));
    assert.notEqual((await right(home.api('GET', `/v1/token/${id}`))).json.access_token, before);
    await right(home.http('POST', `/v1/proxy/${id}/things`, 'x'.repeat(100_000), { key }));
    assert.equal(api.requests[0].body.length, 100_000);
    assert.equal((await home.http('GET', `/v1/token/${id}`, undefined, { key: 'nxk_wrong' })).status, 401);
    await right(home.api('GET', '/v1/audit?limit=10'));
    assert.equal(await home.stop(), 0, told(log));
    assert.equal(told(log), '');
  } finally {
    await home.stop();
    await home.remove();
    await api.close();
    await provider.close();
  }
});

test('nexus token', { skip, timeout: 120000 }, async () => {
  assert.ok(existsSync(NEXUS), 'the target nexus_dynamic is to be built');
  const provider = await MisbehavingProvider.start();
  const home = await Home.make();
  await home.start();
  try {
    await register(home, provider.issuer);
    const { id } = await connect(home, provider);
    const { access_token: token } = (await home.api('GET', `/v1/token/${id}`)).json;
    for (const [args, output] of [[[id], token], [[id, '--format', 'header'], `Authorization: Bearer ${token}\n`], [['nobody'], '']]) {
      const log = join(home.dir, `memcheck-${args.join('-')}`);
      const [program, ...words] = memcheck(log);
      const { code, stdout, stderr } = await new Promise((resolve) => {
        execFile(program, [...words, NEXUS, 'token', ...args], { env: home.env }, (error, out, err) => resolve({ code: error?.code ?? 0, stdout: out, stderr: err }));
      });
      assert.equal(told(log), '', args.join(' '));
      assert.equal(stdout.trim(), output.trim(), stderr);
      assert.equal(code, output ? 0 : 6);
    }
  } finally {
    await home.remove();
    await provider.close();
  }
});
