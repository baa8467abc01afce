// A script as people write them, in an environment that has nothing: it goes on while all is well, and
// ends at the first command that is not, with that command's exit code.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register, token } from '../support/flow.mjs';
import { BIN } from '../support/nexus.mjs';
import { RecordingApi } from '../provider/recording_api.mjs';

const { home, provider } = await daemonAndProvider();
let api;
let id;
before(async () => {
  api = await RecordingApi.start();
  await register(home, provider.issuer, { api_base_url: api.url });
  ({ id } = await connect(home, provider));
});
after(() => api.close());

/** Nothing but where the programs and the data are, as cron has it. */
const run = (script, more = {}) => new Promise((resolve) => {
  const bare = { PATH: `${BIN}:/usr/bin:/bin`, HOME: home.dir, NEXUS_DATA_DIR: home.data, ...more };
  execFile('/usr/bin/env', ['-i', ...Object.entries(bare).map(([name, value]) => `${name}=${value}`), 'bash', '--norc', '-c', `set -euo pipefail\n${script}`],
    (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
});

test('token, api and exec work in a script with set -euo pipefail and env -i', async () => {
  const { code, stdout, stderr } = await run(`
    token=$(nexus token demo)
    test -n "$token"
    nexus token demo --format curl | curl -fsS -K - ${api.url}/by-curl | grep -o by-curl
    nexus api demo /by-api | grep -o by-api
    nexus api demo POST /posted -f "note=a b" | grep -o '"bytes":[0-9]*'
    nexus exec demo -- sh -c 'test -n "$DEMO_TOKEN"; echo "exec has $(printf %s "$DEMO_TOKEN" | wc -c)"'
    nexus exec --mask --env MINE=demo -- sh -c 'echo "masked: $MINE"'
    nexus status demo --json | grep -o '"status":"active"'
    echo done`);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  const { access_token: secret } = (await token(home, id)).json;
  assert.equal(stdout, `by-curl\nby-api\n"bytes":14\nexec has ${secret.length}\nmasked: ***\n"status":"active"\ndone\n`);
  assert.ok(api.requests.every(({ headers }) => headers.authorization === `Bearer ${secret}`));
});

test('the same script has its connections from a bundle in CI', async () => {
  const key = join(home.dir, 'ci.key');
  const { stdout: publicKey } = await home.nexus(['key', 'pair', '-o', key]);
  provider.rotate = false;
  await home.nexus(['refresh', 'demo']);
  const { code: made, stdout: bundle, stderr: why } = await home.nexus(['export', 'demo', '--to', publicKey.trim()]);
  assert.equal(made, 0, why);
  const { access_token: secret } = (await token(home, id)).json;
  const { code, stdout, stderr } = await run(`
    eval "$(nexusd --ephemeral)"
    test "$(nexus token demo)" = '${secret}'
    nexus api demo /by-api | grep -o by-api
    nexus exec --mask --env MINE=demo -- sh -c 'echo "masked: $MINE"'
    echo done`, { NEXUS_BUNDLE: bundle, NEXUS_BUNDLE_KEY: readFileSync(key, 'utf8'), HOME: '', NEXUS_DATA_DIR: '' });
  assert.equal(stderr, '');
  assert.equal(code, 0);
  assert.equal(stdout, 'by-api\nmasked: ***\ndone\n');
});

test('a script ends where a command of nexus fails, with its code', async () => {
  for (const [command, expected] of [['x=$(nexus token nobody)', 6], ['nexus api nobody / | cat', 6], ['nexus exec nobody -- true', 6], ['nexus exec demo -- sh -c "exit 41"', 41], ['nexus exec demo -- /nonexistent', 127]]) {
    const { code, stdout } = await run(`${command}\necho went on`);
    assert.deepEqual([code, stdout], [expected, ''], command);
  }
});
