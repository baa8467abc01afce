// What the tests of requests that are sent on begin with: a daemon with a connection whose API records
// what arrives there, and a way to send requests whose bodies are streams.
import { after, beforeEach } from 'node:test';
import { request as httpRequest } from 'node:http';
import { RecordingApi } from '../provider/recording_api.mjs';
import { daemonAndProvider } from './fixture.mjs';
import { connect, register } from './flow.mjs';

/** `to` is a path of the connection `id`, which `key` may use, and nothing else. */
export async function forwarding() {
  const { home, provider } = await daemonAndProvider({ gateway: true });
  const api = await RecordingApi.start();
  after(() => api.close());
  beforeEach(() => api.reset());
  await register(home, provider.issuer, { api_base_url: `${api.url}/v3` });
  const { id } = await connect(home, provider);
  const key = await home.makeKey('app', '--use', id);
  const to = (path, connection = id) => `/v1/proxy/${connection}${path}`;
  const send = (method, path, { withKey = key, ...options } = {}) => sendTo(home, method, path, { withKey, ...options });
  return { home, provider, api, id, key, to, send };
}

/** One request with a body that may be a stream; gives status, headers, body as a Buffer. */
function sendTo(home, method, path, { headers = {}, body, gateway = false, withKey } = {}) {
  return new Promise((resolve, reject) => {
    const where = gateway ? { host: '127.0.0.1', port: home.gatewayPort } : { socketPath: home.socket };
    const request = httpRequest({ ...where, method, path, agent: false, headers: { ...(gateway && withKey ? { 'x-api-key': withKey } : {}), ...headers } }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('close', () => {
        const data = Buffer.concat(parts);
        let json;
        try { json = JSON.parse(data); } catch { json = undefined; }
        resolve({ status: response.statusCode, headers: response.headers, data, json, complete: response.complete });
      });
    });
    request.on('error', reject);
    if (body && typeof body.pipe === 'function') body.pipe(request);
    else request.end(body);
  });
}
