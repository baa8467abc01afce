// nexusd as something that one looks into and hands over to systemd. systemd itself does not run here: a
// systemctl of ours notes what it is asked.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BIN, Home, until } from '../support/nexus.mjs';

/** A daemon as a command starts it, and its pid. */
async function started(t, env = {}) {
  const home = await Home.make();
  delete home.env.NEXUS_NO_AUTOSTART;
  const nexus = (words, more = {}) => home.nexus(words, { env: more });
  t.after(async () => { await nexus(['daemon', 'stop']); await home.stop(); });
  assert.equal((await nexus(['daemon', 'start'], env)).code, 0);
  const pid = async () => JSON.parse((await nexus(['daemon', 'status', '--json'])).stdout).pid;
  return { home, nexus, pid };
}
/** Programs on a PATH of their own, scripts that note in `calls` what they are run with. */
function programs(home, scripts) {
  const place = join(home.dir, 'programs');
  mkdirSync(place, { recursive: true });
  const calls = join(place, 'calls');
  writeFileSync(calls, '');
  for (const [name, script] of Object.entries(scripts))
    writeFileSync(join(place, name), `#!/bin/sh\necho "${name} $*" >>'${calls}'\n${script}\n`, { mode: 0o755 });
  return { PATH: `${place}:/usr/bin:/bin`, calls: () => readFileSync(calls, 'utf8').trim().split('\n').filter(Boolean) };
}

test('logs go on as long as they are followed', async (t) => {
  const { home, nexus } = await started(t);
  const following = spawn(join(BIN, 'nexus'), ['daemon', 'logs', '--follow', '-n', '0'], { env: home.env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  following.stdout.setEncoding('utf8').on('data', (text) => { said += text; });
  await until(async () => {
    await nexus(['daemon', 'restart']);
    return said.includes(' ready ');
  }, 'what is logged later');
  following.kill('SIGINT');
  await once(following, 'close');
  assert.equal((await nexus(['daemon', 'logs', '-n', '1'])).stdout.trim().split('\n').length, 1);
  const none = await Home.make();
  const { code, stderr } = await none.nexus(['daemon', 'logs']);
  assert.equal(code, 6);
  assert.match(stderr, /there is no log at .*nexusd\.log: No such file.*\n {2}one that runs in the foreground/);
  await none.stop();
});

test('install hands it over to systemd, and uninstall takes it back', async (t) => {
  const { home, nexus, pid } = await started(t);
  const { calls, PATH } = programs(home, { systemctl: `case "$2" in enable) test -z "$(pgrep -f '^[^ ]*nexusd .*${home.data}')" || echo running >>'${join(home.dir, 'programs', 'calls')}' ;; esac` });
  const installed = await nexus(['daemon', 'install'], { PATH });
  assert.equal(installed.code, 0, installed.stderr);
  assert.match(installed.stderr, /systemd starts nexusd from now on.*\n.*loginctl enable-linger/);
  assert.deepEqual(calls(), ['systemctl --user daemon-reload', 'systemctl --user cat nexusd.socket nexusd.service', 'systemctl --user enable --now nexusd.socket'], 'and nothing ran any more by then');
  const gone = await nexus(['daemon', 'uninstall', '--json'], { PATH });
  assert.deepEqual(JSON.parse(gone.stdout), { service: 'uninstalled' });
  assert.equal(calls().at(-1), 'systemctl --user disable --now nexusd.socket nexusd.service');
  // Where it cannot be, nothing is stopped.
  assert.equal((await nexus(['daemon', 'start'])).code, 0);
  const before = await pid();
  const unknown = programs(home, { systemctl: 'test "$2" != cat || { echo "No files found for nexusd.socket." >&2; exit 1; }' });
  const refused = await nexus(['daemon', 'install'], { PATH: unknown.PATH });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /systemd knows no nexusd\.socket of yours\n {2}install Nexus with its units/);
  const was = await nexus(['daemon', 'uninstall'], { PATH: unknown.PATH });
  assert.deepEqual([was.code, was.stderr], [0, 'nexusd is no service: systemd knows no nexusd.socket of yours.\n']);
  const none = programs(home, { systemctl: 'echo "Failed to connect to bus: No medium found" >&2; exit 1' });
  assert.match((await nexus(['daemon', 'install'], { PATH: none.PATH })).stderr, /systemctl --user daemon-reload: Failed to connect to bus: No medium found\n {2}without a systemd of yours, nexusd starts/);
  assert.equal(await pid(), before);
  const elsewhere = await nexus(['daemon', 'install'], { PATH, NEXUS_URL: 'https://nexus.example' });
  assert.equal(elsewhere.code, 2);
});

test('one that is a service is restarted and read through systemd', async (t) => {
  const { home, nexus, pid } = await started(t);
  const root = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((place) => existsSync(`${place}/cgroup.procs`));
  const group = `${root}/nexus-test-${process.pid}`;
  const service = `${group}/nexusd.service`;
  const before = await pid();
  try {
    mkdirSync(service, { recursive: true });
    writeFileSync(`${service}/cgroup.procs`, `${before}`);
  } catch (error) {
    return t.skip(`no control group can be made here: ${error.message}`);
  }
  t.after(() => { writeFileSync(`${root}/cgroup.procs`, `${before}`); rmdirSync(service); rmdirSync(group); });
  const { calls, PATH } = programs(home, { systemctl: '', journalctl: 'echo a line' });
  assert.equal((await nexus(['daemon', 'restart'], { PATH })).code, 0);
  assert.equal(await pid(), before, 'it is left to systemd');
  assert.equal((await nexus(['daemon', 'logs', '-n', '5', '-f'], { PATH })).stdout, 'a line\n');
  assert.deepEqual(calls(), ['systemctl --user restart nexusd.service', 'journalctl --user --unit nexusd.service --no-pager --lines 5 --follow']);
});
