// GitHub as far as README.md needs it: an OAuth App's consent, its tokens, GET /user, and a private repository.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gitBackend } from './git_server.mjs';

// Not of the form that scanners for secrets look for.
export const TOKEN = 'gho_an-example-of-a-token';
export const CLIENT_SECRET = 'canary-github-client-secret-30e1';

const SCOPES = 'repo,read:user,user:email';
const USER = { login: 'octocat', id: 583231, name: 'The Octocat' };  // of some thirty members

async function formOf(request) {
  let text = '';
  for await (const part of request) text += part;
  return new URLSearchParams(text);
}

/** A bare repository with a commit. */
function makeRepository(path) {
  const git = (...words) => execFileSync('git', words, { cwd: path, encoding: 'utf8' }).trim();
  mkdirSync(path, { recursive: true });
  git('init', '--quiet', '--bare');
  const tree = git('hash-object', '-w', '-t', 'tree', '/dev/null');
  git('update-ref', 'HEAD', git('-c', 'user.name=octocat', '-c', 'user.email=octocat@example.com', 'commit-tree', '-m', 'Nothing yet', tree));
}

/** The hosts of a GitHub for Internet.start; `root` is where its repository lies. */
export function github(root) {
  makeRepository(join(root, 'acme', 'private.git'));
  const codes = new Map();

  /** What a person says yes to: the browser is sent back at once. */
  function consent(url, response) {
    const asked = Object.fromEntries(url.searchParams);
    const code = `code-${codes.size}`;
    codes.set(code, asked);
    const back = new URL(asked.redirect_uri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', asked.state);
    response.writeHead(302, { location: back.href }).end();
  }

  async function exchange(request, response) {
    const form = await formOf(request);
    const asked = codes.get(form.get('code'));
    codes.delete(form.get('code'));
    const good = asked && form.get('client_id') === asked.client_id && form.get('client_secret') === CLIENT_SECRET;
    // Errors come as 200 there.
    const answer = good ? { access_token: TOKEN, scope: SCOPES, token_type: 'bearer' } : { error: 'bad_verification_code' };
    response.writeHead(200, { 'content-type': 'application/x-www-form-urlencoded' }).end(new URLSearchParams(answer).toString());
  }

  function repository(request, response) {
    const [, password] = Buffer.from(request.headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString().split(':');
    if (password !== TOKEN) return response.writeHead(401, { 'www-authenticate': 'Basic realm="GitHub"' }).end();
    return gitBackend(root, request, response);
  }

  return {
    'github.com': (request, response) => {
      const url = new URL(request.url, 'https://github.com');
      if (url.pathname === '/login/oauth/authorize') return consent(url, response);
      if (url.pathname === '/login/oauth/access_token') return exchange(request, response);
      if (url.pathname.startsWith('/acme/private.git/')) return repository(request, response);
      return response.writeHead(404).end();
    },
    'api.github.com': (request, response) => {
      const known = request.headers.authorization === `Bearer ${TOKEN}`;
      response.writeHead(!known ? 401 : request.url === '/user' ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(known && request.url === '/user' ? USER : { message: known ? 'Not Found' : 'Bad credentials' }));
    },
  };
}
