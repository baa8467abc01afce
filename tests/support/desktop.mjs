// A session bus with GNOME Keyring on it, as a desktop has them, in a directory of the test's own.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './nexus.mjs';

export class Desktop {
  static async start(directory) {
    const desktop = new Desktop();
    const runtime = join(directory, 'desktop');
    mkdirSync(runtime, { mode: 0o700 });
    desktop.env = { PATH: process.env.PATH, HOME: runtime, XDG_RUNTIME_DIR: runtime, XDG_DATA_HOME: join(runtime, 'share') };
    desktop.daemon = spawn('dbus-daemon', ['--session', '--nofork', '--nopidfile', '--print-address', `--address=unix:path=${join(runtime, 'bus')}`], { env: desktop.env, stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    desktop.daemon.stdout.on('data', (text) => { said += text; });
    await until(() => said.includes('\n'), 'the bus');
    desktop.bus = said.trim();
    desktop.env.DBUS_SESSION_BUS_ADDRESS = desktop.bus;
    desktop.keyring = spawn('gnome-keyring-daemon', ['--foreground', '--unlock', '--components=secrets'], { env: desktop.env, stdio: ['pipe', 'ignore', 'ignore'] });
    desktop.keyring.stdin.end('the login password');
    await until(() => desktop.call('org.freedesktop.DBus', '/', 'org.freedesktop.DBus.ListNames').includes('org.freedesktop.secrets'), 'the keyring');
    return desktop;
  }

  call(to, path, method, ...words) {
    return execFileSync('dbus-send', [`--bus=${this.bus}`, '--print-reply', `--dest=${to}`, path, method, ...words], { env: this.env, encoding: 'utf8' });
  }

  /** The paths of what is in it of ours. */
  items() {
    const found = this.call('org.freedesktop.secrets', '/org/freedesktop/secrets', 'org.freedesktop.Secret.Service.SearchItems', 'dict:string:string:xdg:schema,dev.nexus.VaultKey');
    return [...found.matchAll(/object path "([^"]+)"/g)].map(([, path]) => path);
  }

  /** It answers nobody, as one that waits for a person. */
  silence() { this.keyring.kill('SIGSTOP'); }
  listen() { this.keyring.kill('SIGCONT'); }

  end() {
    this.keyring.kill('SIGKILL');
    this.daemon.kill('SIGTERM');
  }
}
