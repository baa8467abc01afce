// nexus.toml with what cannot be: nexusd says which setting, and where, and does not start.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plain, source } from '../support/manual.mjs';
import { BIN, Home } from '../support/nexus.mjs';

const config = readFileSync(new URL('../../common/config.cc', import.meta.url), 'utf8');
const settings = [...config.matchAll(/\{"([a-z_.]+)", &[\w.]+\}/g)].map(([, name]) => name);

test('what nexus.toml(5) and the example show is understood', async () => {
  const home = await Home.make();
  const shown = [...source('nexus.toml.5').matchAll(/^\.EX\n([^]*?)^\.EE$/gm)].map(([, block]) => plain(block));
  const example = readFileSync(new URL('../../share/nexus.toml.example', import.meta.url), 'utf8');
  assert.ok(shown.length >= 2);
  // But for the places that a line of the example only describes.
  for (const text of [...shown, example.replaceAll(/^# (?=\w+ = |")/gm, '').replaceAll(/^data_dir = .*$/gm, '')]) {
    writeFileSync(home.configFile, text);
    const { code, stderr } = await home.nexus(['daemon', 'status']);
    assert.equal(code, 8, stderr);
    assert.doesNotMatch(stderr, /passed over/);
  }
  await home.remove();
});

/** What nexusd says of a nexus.toml, and what it ends with. */
async function refused(text) {
  const home = await Home.make();
  writeFileSync(home.configFile, text);
  const { status, stderr } = spawnSync(join(BIN, 'nexusd'), ['--foreground'], { env: home.env, encoding: 'utf8', timeout: 10000 });
  await home.remove();
  return { status, stderr: stderr.replaceAll(home.configFile, 'nexus.toml') };
}

test('every setting of a wrong type is told with its line', async () => {
  assert.ok(settings.length > 30);
  for (const name of settings) {
    const { status, stderr } = await refused(`# a date is no setting's type\n${name} = 1979-05-27\n`);
    assert.equal(status, 2, `${name}: ${stderr}`);
    assert.ok(stderr.includes(`nexus.toml:2: '${name}' has to be `), stderr);
    assert.match(stderr, /\n {2}correct the file; nexus\.toml\(5\) lists the settings\n/);
  }
});

test('a value that makes no sense is told with setting and line, and never with a password', async () => {
  for (const [text, said] of [
    ['workspace = "a\\u0007b"', /nexus\.toml:2: workspace is 'a.?b'\n {2}\S/],
    ['workspace = "*"', /nexus\.toml:2: workspace is '\*'\n {2}\S/],
    ['daemon.log_level = "loud"', /nexus\.toml:2: daemon\.log_level is 'loud'\n {2}use error, warn/],
    ['network.proxy = "http//me:canary-77"', /nexus\.toml:2: network\.proxy is no proxy's address\n {2}write it as http:\/\/HOST:PORT.*"env" or "none"/],
    ['network.proxy = "http://proxy.example.com:port"', /nexus\.toml:2: network\.proxy is no proxy's address/],
    ['gateway.hosts = ["nexus.example.com:8090", "https://nexus.example.com"]', /nexus\.toml:2: gateway\.hosts: 'https:\/\/nexus\.example\.com' is no host's name\n {2}write each as HOST/],
    ['gateway.hosts = ["a b"]', /gateway\.hosts: 'a b' is no host's name/],
    ['gateway.hosts = ["nexus.example.com:http"]', /gateway\.hosts: 'nexus\.example\.com:http' is no/],
    ['limits.token = 1000000001', /nexus\.toml:2: 'limits\.token' has to be a number from 0 to 1000000000\n/],
    ['audit.max_mib = 9223372036854775807', /'audit\.max_mib' has to be a number from 0 to/],
    ['refresh.idle_days = 100000', /nexus\.toml:2: refresh\.idle_days is 100000\n {2}\S/],
    ['audit.keep_days = 100000', /nexus\.toml:2: audit\.keep_days is 100000\n {2}\S/],
  ]) {
    const { status, stderr } = await refused(`# a setting\n${text}\n`);
    assert.equal(status, 2, `${text}: ${stderr}`);
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /canary/);
  }
});

test('a callback that no consent comes back to, and a hook without a program, are told at the start', async () => {
  for (const [text, said] of [
    ['callback.base_url = "127.0.0.1:8090"', /callback\.base_url '127\.0\.0\.1:8090' is not scheme, host and port\n {2}leave out what follows/],
    ['callback.base_url = "http://nexus.example.com"', /callback\.base_url is neither https nor on loopback\n {2}.*: use https\n/],
    ['callback.base_url = "http://127.0.0.1:8090/"', /callback\.base_url .* is not scheme, host and port\n/],
    ['callback.base_url = "https://nexus.example.com/nexus"', /callback\.base_url .* is not scheme, host and port\n/],
    ['callback.base_url = "https://nexus.example.com?a=b"', /callback\.base_url .* is not scheme, host and port\n/],
    ['access.prompt = [""]', /access\.prompt names no program\n {2}name one first/],
    ['access.group = "no-such-group"', /access\.group: there is no group 'no-such-group'\n {2}\S/],
    ['hooks.on_attention = [""]', /hooks\.on_attention names no program\n {2}name one first/],
  ]) {
    const { status, stderr } = await refused(`${text}\n`);
    assert.equal(status, 2, stderr);
    assert.match(stderr, said);
  }
});
