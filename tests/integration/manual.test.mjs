// nexus-api(7) is true: its commands are run as they stand, in their order.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCertifiedProvider, CLIENT_ID, CLIENT_SECRET } from '../provider/certified.mjs';
import { register } from '../support/flow.mjs';
import { BIN, Home } from '../support/nexus.mjs';

const page = readFileSync(new URL('../../man/nexus-api.7', import.meta.url), 'utf8');

/** The text between .EX and .EE, without roff's escapes. */
const commands = [...page.matchAll(/^\.EX\n([\s\S]*?)^\.EE$/gm)].map(([, block]) =>
  block.replaceAll('\\-', '-').replaceAll('\\e', '\\'));

test('the walkthrough runs as it is written', async () => {
  assert.ok(commands.length >= 8);
  const home = await Home.make({ gateway: true });
  const provider = await startCertifiedProvider({ callbacks: [`${home.callbackBase}/auth/callback`] });
  await home.start();
  await register(home, provider.issuer, { name: 'google', client_id: CLIENT_ID, client_secret: CLIENT_SECRET });
  const desktop = join(home.dir, 'desktop');
  mkdirSync(desktop);
  const returned = join(home.dir, 'returned');
  const support = new URL('../support/consent.mjs', import.meta.url).pathname;
  // What a desktop's browser does: consents, and follows the callback.
  writeFileSync(join(desktop, 'xdg-open'), '#!/bin/sh\nexec node "${0%/*}/open.mjs" "$1"\n');
  writeFileSync(join(desktop, 'open.mjs'), `import { writeFileSync } from 'node:fs';
import { consent } from ${JSON.stringify(support)};
const answer = await fetch(await consent(process.argv[2]), { redirect: 'manual' });
writeFileSync(${JSON.stringify(returned)}, answer.headers.get('location'));
`);
  chmodSync(join(desktop, 'xdg-open'), 0o755);

  const script = commands.join('\n').replace('NEXUS=http://127.0.0.1:8090', `NEXUS=${home.gateway}`);
  const { error, stdout, stderr } = await new Promise((resolve) => {
    execFile('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: home.dir, env: { ...home.env, PATH: `${desktop}:${BIN}:${process.env.PATH}` },
    }, (failure, out, err) => resolve({ error: failure, stdout: out, stderr: err }));
  });
  assert.equal(error, null, stderr);
  assert.match(readFileSync(returned, 'utf8'), /^http:\/\/localhost:3000\/oauth\/return\?status=success&connection_id=conn_/);
  assert.match(stdout, /^active$/m);
  assert.match(stdout, /"type": "oauth2"/);
  assert.match(stdout, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/m);
  assert.match(stdout, /"provider_revoked": true/);
  assert.match(stdout, /revoked key app/);
  assert.match(readFileSync(join(home.dir, 'google.header'), 'utf8'), /^Authorization: Bearer \S+\n$/);
  await home.remove();
  await provider.close();
});
