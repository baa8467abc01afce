// The machine of somebody who has just installed Nexus: its programs on the PATH, a home with nothing in it but what a
// test cannot do without (ports of its own, and the way to a GitHub of ours), and a browser whose person consents.
import { execFile, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { github } from './github.mjs';
import { Internet } from './internet.mjs';
import { BIN, freePort } from './nexus.mjs';
import { Terminal } from './terminal.mjs';

const PROGRAMS = ['nexus', 'nexusd', 'git-credential-nexus', 'docker-credential-nexus'];
const programOf = (name) => join(BIN, name.endsWith('-credential-nexus') ? 'nexus' : name);

/** What a terminal shows in the end of `text`, line by line: progress that was wiped away is gone, links are their text. */
function screen(text) {
  const lines = [''];
  let column = 0;
  for (const [part] of text.matchAll(/\x1b\[[\d;]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[^]/gu)) {
    const line = lines.at(-1);
    if (part === '\n') { lines.push(''); column = 0; }
    else if (part === '\r') column = 0;
    else if (part === '\x1b[K') lines[lines.length - 1] = line.slice(0, column);
    else if (!part.startsWith('\x1b')) { lines[lines.length - 1] = line.slice(0, column) + part + line.slice(column + 1); ++column; }
  }
  return lines.map((line) => line.trimEnd());
}

/** What opens an address as somebody's browser does who says yes to everything; the program's path. */
function makeBrowser(directory, proxy, certificate) {
  const browser = join(directory, 'browser');
  writeFileSync(browser, `#!/bin/sh\nexec curl -fsSL --proxy ${proxy} --noproxy 127.0.0.1 --cacert ${certificate} "$1"\n`);
  chmodSync(browser, 0o755);
  return browser;
}

export class Machine {
  static async make() {
    const machine = new Machine();
    machine.home = mkdtempSync(join(tmpdir(), 'nexus-machine-'));
    const [bin, run, config, repositories] = ['.local/bin', '.run', '.config/nexus', '.github'].map((name) => join(machine.home, name));
    for (const directory of [bin, run, config]) mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const name of PROGRAMS) symlinkSync(programOf(name), join(bin, name));
    machine.internet = await Internet.start(github(repositories));
    machine.ports = { callback: await freePort(), proxy: await freePort() };
    machine.config = join(config, 'nexus.toml');
    writeFileSync(machine.config, `[callback]\nbase_url = "http://127.0.0.1:${machine.ports.callback}"\n[proxy]\nlisten = "127.0.0.1:${machine.ports.proxy}"\n${machine.internet.config}`);
    const proxy = `http://127.0.0.1:${machine.internet.proxy.address().port}`;
    const { certificate } = machine.internet.certificate;
    machine.env = {
      PATH: `${bin}:${process.env.PATH}`, HOME: machine.home, XDG_RUNTIME_DIR: run, TERM: 'xterm', BROWSER: makeBrowser(bin, proxy, certificate),
      https_proxy: proxy, GIT_SSL_CAINFO: certificate,  // git's way there
      ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '', TSAN_OPTIONS: process.env.TSAN_OPTIONS ?? '',
    };
    return machine;
  }

  /** More of nexus.toml, for the next nexusd. */
  configure(text) { appendFileSync(this.config, `\n${text}`); }

  /** A command line on a terminal; `answers` are what the person types, as [question, reply]. */
  async type(command, answers = []) {
    const terminal = new Terminal(this, ['-c', `set -o pipefail; cd && ${command}`], { program: '/bin/bash' });
    for (const [question, reply] of answers) await terminal.answer(question, reply);
    const { code, text } = await terminal.end();
    return { code, lines: text === '' ? [] : screen(text.replace(/\n$/, '')) };
  }

  /** A script, without a terminal. */
  script(text, env = {}) {
    return new Promise((resolve) => {
      execFile('/bin/bash', ['--norc', '-euo', 'pipefail', '-c', text], { cwd: this.home, env: { ...this.env, ...env } },
        (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
    });
  }

  async remove() {
    // Whoever started it, it is this one's.
    spawnSync(join(BIN, 'nexus'), ['daemon', 'stop'], { env: this.env });
    await this.internet.close();
    rmSync(this.home, { recursive: true, force: true });
  }
}
