// What stands in the memory of another process: for tests that look for secrets which should be gone.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const PAGE = 4096;
/** What is freed loses its beginning to the allocator, and what is overwritten its beginning or its end. */
const TAKEN = 16;

/** '' where this process may look into others, else why not. */
export const cannotLook = () => (process.getuid() !== 0 ? 'only root can look'
  : process.env.ASAN_OPTIONS ? 'AddressSanitizer keeps what is freed' : '');

/** Pages that are not there are left out. */
function read(memory, start, size) {
  const bytes = Buffer.alloc(size);
  try {
    readSync(memory, bytes, 0, size, start);
    return bytes;
  } catch { /* one of them cannot be read */ }
  for (let at = 0; at < size; at += PAGE)
    try { readSync(memory, bytes, at, PAGE, start + at); } catch { continue; }
  return bytes;
}

/** All that the process can write to: its name, where it begins, and its bytes. */
export function* writableMemory(pid) {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to, mode, name] = /^(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
      if (!mode?.startsWith('rw')) continue;
      const start = parseInt(from, 16);
      yield { name: name || 'memory', start, bytes: read(memory, start, parseInt(to, 16) - start) };
    }
  } finally {
    closeSync(memory);
  }
}

/** The forms that a secret takes on its way: as it is, and base64 (of Basic authentication, of a sealed key). */
function forms(secret) {
  const bytes = Buffer.from(secret);
  return [bytes, ...(bytes.length <= 64 ? [Buffer.from(bytes.toString('base64').replace(/=+$/, '')), Buffer.from(bytes.toString('hex'))] : [])];
}

/** The parts of it that are looked for: its first bytes and its last. */
const parts = (bytes) => (bytes.length < 2 * TAKEN ? [bytes] : [bytes.subarray(0, TAKEN), bytes.subarray(-TAKEN)]);

/**
 * Where secrets stand in what the process can write to, in whole or in part; each a line that says which, where, and
 * what is around it. `secrets`: name → text or bytes, or a list of these.
 */
export function findInMemory(pid, secrets) {
  const wanted = Object.entries(secrets).flatMap(([name, list]) => [list].flat().flatMap((secret) => forms(secret).flatMap(parts)).map((bytes) => ({ name, bytes })));
  const found = [];
  for (const { name: place, start, bytes } of writableMemory(pid))
    for (const { name, bytes: part } of wanted)
      for (let at = bytes.indexOf(part); at >= 0; at = bytes.indexOf(part, at + part.length))
        found.push(`${name} in ${place} ${(start + at).toString(16)}: ${JSON.stringify(bytes.subarray(Math.max(0, at - 48), at + part.length + 32).toString('latin1'))}`);
  return found;
}
