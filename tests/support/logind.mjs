// A system bus of the test's own, with a logind on it that does as it is told (logind.py).
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './nexus.mjs';

const PROGRAM = new URL('logind.py', import.meta.url).pathname;

export class SystemBus {
  /** Nothing runs yet. */
  constructor(directory) {
    this.path = join(directory, 'system_bus');
    this.env = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${this.path}` };
    this.lines = [];
  }

  /** The bus, and logind on it. */
  async start() {
    this.bus = spawn('dbus-daemon', ['--session', '--nofork', '--nopidfile', '--print-address', `--address=unix:path=${this.path}`], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(this.bus.stdout, 'data');
    await this.startLogind();
  }

  async startLogind() {
    // Debian's Python has Debian's modules, whatever else is on the PATH.
    this.logind = spawn('/usr/bin/python3', [PROGRAM, `unix:path=${this.path}`], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = [];
    let rest = '';
    this.logind.stdout.on('data', (text) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop();
      this.lines.push(...parts);
    });
    await until(() => this.lines.includes('ready'), 'logind');
  }

  tell(words) { this.logind.stdin.write(`${words}\n`); }
  /** How many locks it has given, and what it said of those that were let go of. */
  given() { return this.lines.filter((line) => line.startsWith('inhibit ')); }
  released() { return this.lines.filter((line) => line.startsWith('released')); }

  /** The nexus-suspend processes that were started to speak with it. */
  watchers() {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'nexus-suspend\n' && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(this.path);
      } catch { return false; }  // it has ended meanwhile
    });
  }

  async #end(program) {
    if (!program || program.exitCode !== null || program.signalCode) return;
    const ended = once(program, 'close');
    program.kill('SIGKILL');
    await ended;
  }
  stopLogind() { return this.#end(this.logind); }
  async stop() {
    await this.#end(this.bus);
    await this.stopLogind();
  }
}

/** Has a nexusd with this environment believe that its machine has slept, as long as `sleep` says. The files are where its
 *  sandbox lets it read. */
export function dreamer(directory) {
  const library = join(directory, 'asleep.so');
  execFileSync('cc', ['-shared', '-fPIC', '-Wall', '-Werror', '-o', library, new URL('asleep.c', import.meta.url).pathname, '-ldl']);
  return { LD_PRELOAD: library, ASLEEP_SECONDS_FILE: join(directory, 'asleep') };
}
