// A home of its own for one test: a temporary directory, a daemon that runs the built nexusd, and the
// built nexus. Nothing of the machine's own Nexus is touched.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, mkdirSync, writeFileSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { createServer, createConnection } from 'node:net';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const BIN = process.env.NEXUS_BIN ?? new URL('../../build/release', import.meta.url).pathname;
/** Their runtime has to be the first library of all, and takes memory of its own. */
export const isSanitized = () => /lib[at]san/.test(execFileSync('ldd', [join(BIN, 'nexusd')]).toString());

/** Ctrl-C was noticed by a program that caught it: another one would end it. */
export const noticedInterrupt = (pid) => until(() => (parseInt(/^SigCgt:\s+(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1].slice(-1), 16) & 2) === 0, 'Ctrl-C is noticed');

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until `check` gives something: true, or a list that is not empty. The one way tests wait for what has no
 *  event. `what` may be a function. */
export async function until(check, what, ms = 10000) {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    const value = await check();
    if (Array.isArray(value) ? value.length : value) return value;
    await new Promise((go) => setTimeout(go, 20));
  }
  throw new Error(`${typeof what === 'function' ? what() : what} did not happen within ${ms} ms`);
}

export class Home {
  /** `gateway`: true, or settings of [gateway] besides `listen`; on the callback's port unless said. `daemon`: settings
   *  of [daemon] besides. */
  static async make({ config = '', daemon = '', env = {}, gateway = false, gatewayPort, callbackBase } = {}) {
    const home = new Home();
    home.dir = mkdtempSync(join(tmpdir(), 'nexus-test-'));
    home.data = join(home.dir, 'data');
    home.socket = join(home.dir, 'run', 'nexusd.sock');
    mkdirSync(join(home.dir, 'run'), { mode: 0o700 });
    home.callbackPort = await freePort();
    home.callbackBase = callbackBase ?? `http://127.0.0.1:${home.callbackPort}`;
    if (gateway) {
      home.gatewayPort = gatewayPort ?? home.callbackPort;
      const settings = { listen: `127.0.0.1:${home.gatewayPort}`, ...(gateway === true ? {} : gateway) };
      home.gateway = `${settings.tls_certificate ? 'https' : 'http'}://127.0.0.1:${home.gatewayPort}`;
      config += '\n[gateway]\n' + Object.entries(settings)
        .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`).join('');
    }
    home.configFile = join(home.dir, 'nexus.toml');
    writeFileSync(home.configFile,
      `[daemon]\nlog_level = "debug"\n${daemon && `${daemon}\n`}[callback]\nbase_url = "${home.callbackBase}"\n${config}`);
    home.env = {
      PATH: process.env.PATH, HOME: home.dir, NEXUS_CONFIG: home.configFile,
      NEXUS_DATA_DIR: home.data, NEXUS_SOCKET: home.socket, NEXUS_NO_AUTOSTART: '1', TERM: 'dumb',
      ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '', TSAN_OPTIONS: process.env.TSAN_OPTIONS ?? '',
      ...env,
    };
    home.log = '';
    return home;
  }

  /** `under`: a program with its arguments that runs nexusd in its own process, slower than it is. */
  async start({ args = [], env = {}, under = [] } = {}) {
    const [program, ...words] = [...under, join(BIN, 'nexusd'), '--foreground', ...args];
    this.daemon = spawn(program, words, { env: { ...this.env, ...env }, stdio: ['ignore', 'inherit', 'pipe'] });
    this.daemon.stderr.on('data', (text) => { this.log += text; });
    let closed = false;  // later than the exit: all that it said has come
    this.daemon.on('close', () => { closed = true; });
    const from = this.log.length;
    await until(() => {
      if (closed) throw new Error(`nexusd ended: ${this.log}`);
      return this.log.slice(from).includes(' ready ');
    }, 'nexusd ready', under.length ? 60000 : 10000);
    return this;
  }

  async stop(signal = 'SIGTERM') {
    if (!this.daemon || this.daemon.exitCode !== null || this.daemon.signalCode) return;
    const ended = once(this.daemon, 'close');
    this.daemon.kill(signal);
    const [code] = await ended;
    return code;
  }

  /** The processor time that the daemon takes in so many ms, in hundredths of a second. */
  async ticksIn(ms) {
    const ticks = () => readFileSync(`/proc/${this.daemon.pid}/stat`, 'utf8').split(' ').slice(13, 15).reduce((sum, text) => sum + Number(text), 0);
    const before = ticks();
    await new Promise((go) => setTimeout(go, ms));
    return ticks() - before;
  }

  async remove() {
    const code = await this.stop();
    if (code !== undefined && code !== 0) throw new Error(`nexusd exited with ${code}:\n${this.log}`);
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Runs nexus; never throws. */
  nexus(args, { env = {}, input = '' } = {}) {
    return new Promise((resolve) => {
      const child = execFile(join(BIN, 'nexus'), args, { env: { ...this.env, ...env } },
        (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
  }

  /** One request over the control socket. */
  api(method, path, body, headers = {}) {
    return this.#request({ socketPath: this.socket }, method, path, body, headers);
  }

  /** One request to the gateway, with that key. */
  http(method, path, body, { key = this.key, headers = {}, ...options } = {}) {
    return this.#request({ host: '127.0.0.1', port: this.gatewayPort, ...options }, method, path, body,
      { ...(key ? { 'x-api-key': key } : {}), ...headers });
  }

  /** Makes a key; `rights` as `nexus key create` takes them. */
  async makeKey(name, ...rights) {
    const made = await this.nexus(['key', 'create', '--name', name, ...rights]);
    if (made.code !== 0) throw new Error(made.stderr);
    return made.stdout.trim();
  }

  #request(where, method, path, body, headers) {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
      const request = httpRequest({
        ...where, method, path, agent: false,
        headers: { ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }), ...headers },
      }, (response) => {
        let data = '';
        response.on('data', (part) => { data += part; });
        response.on('end', () => {
          let json;
          try { json = JSON.parse(data); } catch { json = undefined; }
          resolve({ status: response.statusCode, headers: response.headers, text: data, json });
        });
      });
      request.on('error', reject);
      request.end(text);
    });
  }

  /** Bytes to the socket, everything that comes back until it closes or falls silent. */
  raw(bytes, { quietMs = 300, target = this.gatewayPort && { host: '127.0.0.1', port: this.gatewayPort } } = {}) {
    return new Promise((resolve) => {
      const socket = createConnection(target ?? { path: this.socket });
      let data = '';
      const timer = setTimeout(() => socket.destroy(), 5000);
      socket.setTimeout(quietMs, () => socket.destroy());
      socket.on('data', (part) => { data += part.toString('latin1'); });
      socket.on('error', () => {});
      socket.on('close', () => { clearTimeout(timer); resolve(data); });
      socket.write(bytes);
    });
  }

  status(id) { return this.api('GET', `/v1/check-connection/${id}`).then((r) => r.json.status); }

  file(name) { return existsSync(join(this.data, name)) ? readFileSync(join(this.data, name)) : Buffer.alloc(0); }
}
