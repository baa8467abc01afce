// nexus, or a shell, on a terminal of its own (util-linux's script makes the pseudo-terminal), as a person uses it.
import { after } from 'node:test';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { BIN, until } from './nexus.mjs';

// A test that fails leaves nobody behind who waits for an answer.
const open = new Set();
after(() => { for (const child of open) child.kill('SIGKILL'); });

export class Terminal {
  /**
   * `lingers`: the terminal stays for a moment after the program. script reads on for 10 ms only once its child is gone,
   * and a busy kernel may bring the last of what was printed later.
   */
  constructor(home, args, { env = {}, columns = 80, rows = 24, program = join(BIN, 'nexus'), lingers = false } = {}) {
    const quoted = [program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    const command = lingers ? `${quoted}; code=$?; sleep 0.2; exit $code` : `exec ${quoted}`;
    this.child = spawn('script', ['-qfec', `stty cols ${columns} rows ${rows}; ${command}`, '/dev/null'], { env: { ...home.env, ...env, SHELL: '/bin/sh' } });
    this.text = '';
    this.seen = 0;
    this.child.stdout.on('data', (part) => { this.text += part; });
    open.add(this.child);
    this.ended = new Promise((go) => this.child.on('close', (code) => { open.delete(this.child); go(code); }));
  }

  /** Keys, as they are pressed. */
  type(keys) {
    this.child.stdin.write(keys);
    return this;
  }

  /** Waits for a question that was not answered yet, then types the answer. */
  async answer(question, reply) {
    await this.shows(question);
    this.child.stdin.write(reply === '^C' ? '\x03' : `${reply}\n`);
    return this;
  }

  /** Waits until what has come since the last time matches. */
  async shows(what) {
    await until(() => {
      const match = this.text.slice(this.seen).match(what);
      if (match) this.seen += match.index + match[0].length;
      return match;
    }, () => `${what} on the terminal; there is:\n${this.text}\n`, 15000);
    return this;
  }

  /** Exit code, and all that was shown. */
  async end() {
    const code = await this.ended;
    return { code, text: this.text.replaceAll('\r\n', '\n') };
  }
}
