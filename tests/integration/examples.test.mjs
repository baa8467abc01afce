// share/examples do what they say, as far as that can be tried here: their commands are run as they stand.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { daemonAndProvider } from '../support/fixture.mjs';
import { connect, register } from '../support/flow.mjs';
import { BIN } from '../support/nexus.mjs';
import { RecordingApi } from '../provider/recording_api.mjs';

const examples = new URL('../../share/examples/', import.meta.url).pathname;
const example = (name) => readFileSync(join(examples, name), 'utf8');
const { home, provider } = await daemonAndProvider();
let api;
let place;
let secrets;
before(async () => {
  api = await RecordingApi.start();
  await register(home, provider.issuer, { api_base_url: api.url });
  provider.rotate = false;
  await connect(home, provider, { alias: 'deploy' });
  // As the comment at the top of the example tells to.
  const bundle = join(home.dir, 'ci.bundle');
  const key = join(home.dir, 'ci.key');
  const { stdout: publicKey } = await home.nexus(['key', 'pair', '-o', key]);
  await home.nexus(['refresh', 'deploy']);
  const made = await home.nexus(['export', 'deploy', '--to', publicKey.trim(), '-o', bundle]);
  assert.equal(made.code, 0, made.stderr);
  secrets = { NEXUS_BUNDLE: readFileSync(bundle, 'utf8'), NEXUS_BUNDLE_KEY: readFileSync(key, 'utf8') };
  place = mkdtempSync(join(tmpdir(), 'nexus-example-'));
  mkdirSync(join(place, 'bin'));
  for (const script of ['deploy.sh', 'bin/backup']) {
    writeFileSync(join(place, script), '#!/bin/sh\ntest -z "${NEXUS_BUNDLE+set}" && echo "with ${DEMO_TOKEN:?}"\n');
    chmodSync(join(place, script), 0o755);
  }
});
after(async () => { rmSync(place, { recursive: true }); await api.close(); });

const bare = () => ({ PATH: `${BIN}:/usr/bin:/bin`, HOME: place, TMPDIR: place });
const own = () => ({ ...bare(), NEXUS_SOCKET: home.socket, NEXUS_DATA_DIR: home.data, NEXUS_NO_AUTOSTART: '1' });
/** As a runner does: nothing in the environment but what is said. */
const run = (words, env) => new Promise((resolve) => {
  execFile('/usr/bin/env', ['-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...words], { cwd: place },
    (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
});
const went_well = ({ code, stdout, stderr }, said) => {
  assert.equal(code, 0, stderr + stdout);
  assert.match(stdout, said);
};

test('the GitHub Actions job runs as it stands', async () => {
  const workflow = parse(example('github-actions.yml'));
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps).filter((step) => step.run);
  assert.equal(steps.length, 1);
  for (const { run: script, env } of steps) {
    const given = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace(/^\$\{\{ secrets\.(\w+) \}\}$/, (_, secret) => secrets[secret])]));
    went_well(await run(['bash', '-e', '-c', script], { ...bare(), ...given }), /^with \*\*\*\n$/);
    // A pull request of a fork is given empty ones.
    const forked = await run(['bash', '-e', '-c', script], { ...bare(), NEXUS_BUNDLE: '', NEXUS_BUNDLE_KEY: '' });
    assert.equal(forked.code, 2);
    assert.match(forked.stderr, /NEXUS_BUNDLE is empty/);
  }
});

test('the GitLab CI job runs as it stands', async () => {
  const { script } = parse(example('gitlab-ci.yml')).deploy;
  went_well(await run(['bash', '-c', `set -eo pipefail\n${script.join('\n')}`], { ...bare(), ...secrets }), /^with \*\*\*\n$/);
});

test('the Makefile runs for a person, and in CI with a bundle', async () => {
  const make = ['make', '-s', '-f', join(examples, 'Makefile')];
  for (const env of [own(), { ...bare(), ...secrets }]) {
    went_well(await run([...make, 'deploy'], env), /^with \S+\n$/);
    went_well(await run([...make, 'whoami'], env), /\/me/);
  }
});

test('the lines of the crontab run as cron runs them', async () => {
  const lines = example('crontab').split('\n').filter((line) => line && !line.startsWith('#'));
  const jobs = lines.filter((line) => !/^\w+=/.test(line)).map((line) => line.split(/\s+/).slice(5).join(' '));
  assert.equal(jobs.length, 2);
  for (const command of jobs) {
    assert.ok(!command.includes('%'));
    const { code, stdout, stderr } = await run(['/bin/sh', '-c', command], own());
    assert.equal(code, 0, stderr);
    assert.match(stdout, command.includes('backup') ? /^with \S+\n$/ : /^$/);
  }
});

test('the systemd units are sound, and their command runs', async () => {
  mkdirSync(join(place, '.local', 'bin'), { recursive: true });
  symlinkSync(join(BIN, 'nexus'), join(place, '.local', 'bin', 'nexus'));
  const unit = example('nexus-backup.service');
  const command = /^ExecStart=(.*)$/m.exec(unit)[1].replaceAll('%h', place);
  went_well(await run(command.split(' '), own()), /^with \S+\n$/);
  const units = join(place, 'units');
  const ours = (name) => new URL(`../../packaging/systemd/${name}`, import.meta.url);
  mkdirSync(units);
  copyFileSync(ours('nexusd.socket'), join(units, 'nexusd.socket'));
  writeFileSync(join(units, 'nexusd.service'), readFileSync(ours('nexusd.service.in'), 'utf8').replaceAll('@NEXUS_BIN@', BIN));
  const { status, stdout, stderr, error } = spawnSync('systemd-analyze', ['--user', 'verify', '--recursive-errors=no', '--man=no', join(examples, 'nexus-backup.service'), join(examples, 'nexus-backup.timer')],
    { encoding: 'utf8', env: { PATH: process.env.PATH, HOME: place, XDG_RUNTIME_DIR: place, SYSTEMD_UNIT_PATH: `${units}:` } });
  if (error?.code === 'ENOENT') return;  // no systemd on this machine
  assert.deepEqual([status, stdout, stderr], [0, '', '']);
});

test('every example is installed, and is named by the manual', () => {
  const manual = readFileSync(new URL('../../man/nexus.1', import.meta.url), 'utf8').replaceAll('\\', '');
  for (const name of readdirSync(examples)) assert.ok(manual.includes(name), name);
});
