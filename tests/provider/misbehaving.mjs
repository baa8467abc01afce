// An OpenID provider of ours that does wrong on demand. Well-behaved until a test replaces one of its
// parts; it records every request, so that a test can say what must not have been sent.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import { createHash, createHmac, randomBytes, sign } from 'node:crypto';
import { keyPair } from '../support/key_pair.mjs';

const b64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
export const now = () => Math.floor(Date.now() / 1000);

export class SigningKey {
  constructor(kid) {
    const pair = keyPair('rsa', { modulusLength: 2048 });
    this.private = pair.privateKey;
    this.kid = kid;
    this.jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
  }

  sign(payload, header = {}) {
    const text = `${b64({ alg: 'RS256', kid: this.kid, ...header })}.${b64(payload)}`;
    return `${text}.${sign('sha256', Buffer.from(text), this.private).toString('base64url')}`;
  }
}

export class MisbehavingProvider {
  #first;

  /** `tls`: options of node:tls for an https provider at https://localhost. */
  static async start({ tls } = {}) {
    const provider = new MisbehavingProvider();
    const serve = (request, response) => provider.#serve(request, response);
    provider.server = tls ? createTlsServer(tls, serve) : createServer(serve);
    provider.server.listen(0, '127.0.0.1');
    await once(provider.server, 'listening');
    const { port } = provider.server.address();
    provider.issuer = tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
    provider.reset();
    return provider;
  }

  /** Good behaviour, no memory but of its key, which nexusd may have cached. */
  reset() {
    this.#first ??= new SigningKey('k1');
    this.key = this.#first;
    this.keys = [this.key.jwk];
    this.requests = [];
    this.revocation = 200;
    this.codes = new Map();
    this.counter = 0;
    this.refreshTokens = new Set();
    this.rotate = false;
    this.expiresIn = 3600;
    /** Parts that a test replaces. */
    this.metadata = (document) => document;
    this.authorizationResponse = (parameters) => parameters;
    this.claims = (claims) => claims;
    this.idToken = (claims) => this.key.sign(claims);
    this.tokenAnswer = (answer) => answer;
    this.onToken = null;  // (form, response) => true when it answered itself
    this.onOther = null;  // (path, response) => true when it answered itself
  }

  tokenRequests(grant) {
    return this.requests.filter((r) => r.path === '/token' && (!grant || r.form.get('grant_type') === grant));
  }

  async close() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  async #serve(request, response) {
    let body = '';
    for await (const part of request) body += part;
    const url = new URL(request.url, this.issuer);
    const entry = { path: url.pathname, method: request.method, headers: request.headers, query: url.searchParams, form: new URLSearchParams(body) };
    this.requests.push(entry);
    if (this.onOther?.(url.pathname, response, entry)) return;
    const json = (value, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    if (url.pathname === '/.well-known/openid-configuration') {
      json(this.metadata({
        issuer: this.issuer,
        authorization_endpoint: `${this.issuer}/authorize`,
        token_endpoint: `${this.issuer}/token`,
        jwks_uri: `${this.issuer}/jwks`,
        revocation_endpoint: `${this.issuer}/revoke`,
        id_token_signing_alg_values_supported: ['RS256'],
        authorization_response_iss_parameter_supported: true,
      }));
    } else if (url.pathname === '/jwks') {
      json({ keys: this.keys });
    } else if (url.pathname === '/token') {
      this.#token(entry, response, json);
    } else if (url.pathname === '/revoke') {
      json({}, this.revocation);
    } else {
      json({ error: 'not_found' }, 404);
    }
  }

  /** What a consenting person's browser would bring back for this authorization request. */
  consent(authUrl) {
    const asked = new URL(authUrl).searchParams;
    const code = randomBytes(16).toString('hex');
    this.codes.set(code, asked);
    const parameters = this.authorizationResponse(
      { code, state: asked.get('state'), iss: this.issuer }, asked);
    const callback = new URL(asked.get('redirect_uri'));
    for (const [name, value] of Object.entries(parameters))
      for (const one of [value].flat()) if (one !== undefined) callback.searchParams.append(name, one);
    return callback.href;
  }

  #token(entry, response, json) {
    const { form } = entry;
    if (this.onToken?.(form, response, entry)) return;
    if (form.get('grant_type') === 'refresh_token') {
      const token = form.get('refresh_token');
      if (!this.refreshTokens.has(token)) return json({ error: 'invalid_grant' }, 400);
      if (this.rotate) this.refreshTokens.delete(token);
      return this.#answer(json, null, this.rotate);
    }
    const asked = this.codes.get(form.get('code'));
    this.codes.delete(form.get('code'));
    const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
    if (!asked || asked.get('code_challenge') !== challenge || asked.get('redirect_uri') !== form.get('redirect_uri'))
      return json({ error: 'invalid_grant' }, 400);
    return this.#answer(json, asked, true);
  }

  #answer(json, asked, withRefreshToken) {
    const answer = { access_token: `at-${++this.counter}-${randomBytes(8).toString('hex')}`, token_type: 'Bearer', expires_in: this.expiresIn };
    if (withRefreshToken) {
      answer.refresh_token = `rt-${this.counter}-${randomBytes(8).toString('hex')}`;
      this.refreshTokens.add(answer.refresh_token);
    }
    if (asked?.get('scope')?.split(' ').includes('openid'))
      answer.id_token = this.idToken(this.claims({
        iss: this.issuer, sub: 'alice', aud: asked.get('client_id'), exp: now() + 600, iat: now(),
        nonce: asked.get('nonce'), email: 'alice@example.com',
      }));
    json(this.tokenAnswer(answer));
  }
}

/** Answers with JSON (a text is sent as it is); true, as the parts that answer themselves have to say. */
export function reply(response, body, status = 200, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
  return true;
}

export const hmacToken = (claims, secret) => {
  const text = `${b64({ alg: 'HS256', kid: 'k1' })}.${b64(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
};
export const unsignedToken = (claims, alg = 'none') => `${b64({ alg })}.${b64(claims)}.`;
