// A git server over http for one test: git's own http-backend, behind a check of the password.
import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';

/** Answers by git's http-backend (RFC 3875), from the bare repositories below `root`. */
export function gitBackend(root, request, response) {
  const url = new URL(request.url, 'http://git.invalid');
  const cgi = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH, GIT_PROJECT_ROOT: root, GIT_HTTP_EXPORT_ALL: '1', GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*',
      PATH_INFO: url.pathname, QUERY_STRING: url.search.slice(1), REQUEST_METHOD: request.method, REMOTE_USER: 'test',
      CONTENT_TYPE: request.headers['content-type'] ?? '', HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: request.headers['git-protocol'] ?? '',
    },
  });
  cgi.stdin.on('error', () => {});
  request.pipe(cgi.stdin);
  const parts = [];
  cgi.stdout.on('data', (part) => parts.push(part));
  cgi.on('close', () => {
    const all = Buffer.concat(parts);
    const end = all.indexOf('\r\n\r\n');
    const headers = Object.fromEntries(all.subarray(0, end).toString().split('\r\n').map((line) => line.split(/: (.*)/)));
    const status = Number(headers.Status?.slice(0, 3) ?? 200);
    delete headers.Status;
    response.writeHead(status, headers).end(all.subarray(end + 4));
  });
}

export class GitServer {
  /** Serves the bare repositories below `root` to whoever shows a password that `accepts`. */
  static async start(root, accepts) {
    const server = new GitServer();
    server.logins = [];
    server.http = createServer((request, response) => {
      const [name, password] = Buffer.from(request.headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString().split(':');
      if (request.headers.authorization) server.logins.push({ name, password });
      if (!accepts(password)) return void response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
      gitBackend(root, request, response);
    }).listen(0, '127.0.0.1');
    await once(server.http, 'listening');
    server.url = `http://127.0.0.1:${server.http.address().port}`;
    server.root = root;
    return server;
  }

  /** A bare repository that takes pushes; its URL. */
  repository(name) {
    execFileSync('git', ['init', '--quiet', '--bare', join(this.root, name)]);
    execFileSync('git', ['-C', join(this.root, name), 'config', 'http.receivepack', 'true']);
    return `${this.url}/${name}`;
  }

  async close() {
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
  }
}
