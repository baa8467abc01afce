// The picture of the daemon's rooms in daemon/README.md is drawn from the includes that are there: an include
// against it fails here, and so does an arrow that nothing follows any more.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = new URL('../..', import.meta.url).pathname;

function* sources(folder) {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.(cc|h)$/.test(path)) yield path;
  }
}

/** "daemon/api/x.cc" → "api"; what lies at the daemon's root is "daemon", other programs are themselves. */
function roomOf(path) {
  const [program, room, file] = path.split('/');
  return program === 'daemon' && file ? room : program;
}

const includes = [...['daemon', 'cli', 'common'].flatMap((folder) => [...sources(folder)])].flatMap((path) =>
  [...readFileSync(join(ROOT, path), 'utf8').matchAll(/#include "((?:daemon|cli|common)\/[^"]+)"/g)]
    .map(([, other]) => ({ path, other, from: roomOf(path), to: roomOf(other) })));

const picture = new Map([...readFileSync(join(ROOT, 'daemon', 'README.md'), 'utf8').matchAll(/^([a-z]+) +→ ([a-z, ]+)$/gm)]
  .map(([, room, others]) => [room, others.split(', ')]));

test('the two programs share common, and nothing else', () => {
  for (const { path, other } of includes) {
    if (path.startsWith('common/')) assert.ok(other.startsWith('common/'), `${path} includes ${other}`);
    if (path.startsWith('cli/')) assert.ok(!other.startsWith('daemon/'), `${path} includes ${other}`);
    if (path.startsWith('daemon/')) assert.ok(!other.startsWith('cli/'), `${path} includes ${other}`);
  }
});

test('inside the daemon includes go where the picture has an arrow', () => {
  assert.ok(picture.size > 10);
  for (const { path, other, from, to } of includes) {
    // The root's own files (wiring, log, audit…) see everybody and are seen by everybody.
    if (!path.startsWith('daemon/') || [from, to].includes('daemon') || to === 'common' || from === to) continue;
    assert.ok(picture.get(from)?.includes(to), `${path} includes ${other}: daemon/README.md has no arrow ${from} → ${to}`);
  }
});

test('each arrow of the picture is there, and none leads back', () => {
  for (const [room, others] of picture)
    for (const other of others)
      assert.ok(includes.some(({ from, to }) => from === room && to === other), `nothing follows ${room} → ${other}`);
  const below = (room, seen = new Set()) => {
    for (const other of picture.get(room) ?? []) if (!seen.has(other)) below(other, seen.add(other));
    return seen;
  };
  for (const room of picture.keys()) assert.ok(!below(room).has(room), `${room} depends on itself`);
});

test('only the wiring sees the whole house', () => {
  // What is open to every room must not lead into one that stands above others.
  const wiring = /^daemon\/(daemon|foundations|handover|locked_daemon|main|serving)\./;
  for (const { path, other, from, to } of includes) {
    if (from === 'daemon' && !wiring.test(path) && path.startsWith('daemon/'))
      assert.ok(['daemon', 'common', 'store'].includes(to), `${path} includes ${other}`);
    if (!wiring.test(path) && path.startsWith('daemon/'))
      assert.ok(!wiring.test(other), `${path} includes ${other}`);
  }
});
