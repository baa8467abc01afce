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

test('a callback that no consent comes back to, and a hook without a program, are told at the start', async () => {
  for (const [text, said] of [
    ['callback.base_url = "127.0.0.1:8090"', /callback\.base_url '127\.0\.0\.1:8090' is not scheme, host and port\n {2}leave out what follows/],
    ['callback.base_url = "http://nexus.example.com"', /callback\.base_url is neither https nor on loopback\n {2}.*: use https\n/],
    ['callback.base_url = "http://127.0.0.1:8090/"', /callback\.base_url .* is not scheme, host and port\n/],
    ['callback.base_url = "https://nexus.example.com/nexus"', /callback\.base_url .* is not scheme, host and port\n/],
    ['callback.base_url = "https://nexus.example.com?a=b"', /callback\.base_url .* is not scheme, host and port\n/],
    ['hooks.on_attention = [""]', /hooks\.on_attention names no program\n {2}name one first/],
  ]) {
    const { status, stderr } = await refused(`${text}\n`);
    assert.equal(status, 2, stderr);
    assert.match(stderr, said);
  }
});
