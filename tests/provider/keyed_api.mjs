// An API that takes static credentials of every kind, and says 401 to wrong ones. What it expects is
// computed here anew, so that it agrees with nexusd only when both are right. It records every request.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { createHash, createHmac } from 'node:crypto';

export const KEY = 'canary-api-key-7d31';
export const USER = 'ada';
export const PASSWORD = 'canary-pässword-1b';
export const ACCESS_KEY = 'AKIDEXAMPLE';
export const SECRET_KEY = 'canary-aws-secret/K7MDENG+bPxRfiCY';

const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** AWS Signature Version 4 of a request without body, recomputed from what arrived. */
function isSignedByAws(request, url) {
  const [, credential, names, signature] = request.headers.authorization?.match(
    /^AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/) ?? [];
  if (!credential) return false;
  const [id, date, region, service] = credential.split('/');
  const canonical = [request.method, url.pathname, url.search.slice(1),
    ...names.split(';').map((name) => `${name}:${request.headers[name]}`), '', names, sha256('')].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = [date, region, service, 'aws4_request'].reduce(hmac, `AWS4${SECRET_KEY}`);
  return id === ACCESS_KEY && createHmac('sha256', key).update(text).digest('hex') === signature;
}

export class KeyedApi {
  static async start() {
    const api = new KeyedApi();
    api.server = createServer((request, response) => api.#serve(request, response)).listen(0, '127.0.0.1');
    await once(api.server, 'listening');
    api.url = `http://127.0.0.1:${api.server.address().port}`;
    api.reset();
    return api;
  }

  reset() {
    this.requests = [];
    this.answer = null;  // (response) => true when it answered itself
  }

  async close() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  #serve(request, response) {
    const url = new URL(request.url, this.url);
    this.requests.push({ path: url.pathname, query: url.searchParams, headers: request.headers });
    if (this.answer?.(response)) return;
    const { headers } = request;
    const good = {
      '/header': () => headers['x-api-key'] === KEY,
      '/bearer': () => headers.authorization === `Bearer ${KEY}` && headers['x-version'] === '7',
      '/query': () => url.searchParams.get('key') === KEY,
      '/basic': () => headers.authorization === `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`,
      '/hmac': () => headers['x-signature'] === createHmac('sha256', KEY).update('').digest('hex'),
      '/aws': () => isSignedByAws(request, url),
      [`/bot${encodeURIComponent(KEY)}/getMe`]: () => true,
    }[url.pathname];
    if (!good) return void response.writeHead(404).end();
    response.writeHead(good() ? 200 : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify(good() ? { login: 'octo', note: KEY } : { error: `what is ${KEY}?` }));
  }
}

/** A registration for each kind, and good credentials for it. */
export const KINDS = {
  api_key: { provider: { auth_type: 'api_key', user_info_endpoint: '/header' }, credentials: { api_key: KEY } },
  header: {
    provider: { auth_type: 'header', user_info_endpoint: '/bearer', params: { value_prefix: 'Bearer ', request_headers: { 'x-version': '7', 'x-again': 'again-{api_key}' } } },
    credentials: { api_key: KEY },
  },
  query_param: { provider: { auth_type: 'query_param', user_info_endpoint: '/query', params: { param_name: 'key' } }, credentials: { api_key: KEY } },
  basic_auth: { provider: { auth_type: 'basic_auth', user_info_endpoint: '/basic' }, credentials: { username: USER, password: PASSWORD } },
  hmac_payload: { provider: { auth_type: 'hmac_payload', user_info_endpoint: '/hmac', params: { header_name: 'X-Signature' } }, credentials: { api_secret: KEY } },
  aws_sigv4: { provider: { auth_type: 'aws_sigv4', user_info_endpoint: '/aws?Action=WhoAmI', params: { service: 'sts', region: 'eu-west-1' } }, credentials: { access_key: ACCESS_KEY, secret_key: SECRET_KEY } },
};
