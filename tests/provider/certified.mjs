// A real OpenID provider (npm oidc-provider, certified) for tests, benchmarks and the quickstart.
// As a program: node certified.mjs --port 9100 [--callback URL]… prints one JSON line and serves.
import { createServer } from 'node:http';
import { once } from 'node:events';
import Provider from 'oidc-provider';
import { setStorage } from '../node_modules/oidc-provider/lib/adapters/memory_adapter.js';

// Its own memory forgets all but the latest thousand things: 200 connections would lose their grants.
setStorage(new Map());

export const CLIENT_ID = 'nexus-demo';
export const CLIENT_SECRET = 'demo-client-secret-0123456789abcdef';

/**
 * @param {object} options port (0: any), callbacks (redirect URIs), accessTokenTtl in seconds,
 *   rotate (refresh tokens), extraClients
 * @returns {Promise<object>} issuer, counts (requests by path), revokeGrants, close
 */
export async function startCertifiedProvider({
  port = 0,
  callbacks = ['http://127.0.0.1:8090/auth/callback'],
  accessTokenTtl = 3600,
  rotate = true,
  extraClients = [],
} = {}) {
  const counts = {};
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const client = {
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    redirect_uris: callbacks,
  };
  // oidc-provider warns about its development key set, which is what a test wants.
  const silenced = { info: console.info, warn: console.warn };
  console.info = console.warn = () => {};
  const provider = new Provider(issuer, {
    clients: [client, ...extraClients],
    scopes: ['openid', 'offline_access', 'profile', 'email'],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({ sub, name: `${sub} Example`, email: `${sub}@example.com`, email_verified: true }),
    }),
    conformIdTokenClaims: false,
    rotateRefreshToken: rotate,
    issueRefreshToken: (_, c, code) =>
      c.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
    pkce: { required: () => true, methods: ['S256'] },
    ttl: {
      AccessToken: accessTokenTtl, RefreshToken: 86400, Grant: 86400, Session: 86400,
      Interaction: 600, IdToken: 3600,
    },
    features: {
      devInteractions: { enabled: true }, revocation: { enabled: true }, deviceFlow: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true, defaultResource: () => [], useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({ scope: 'api:read api:write', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: accessTokenTtl }),
      },
    },
    cookies: { keys: ['test-cookie-key'] },
  });
  Object.assign(console, silenced);
  const grants = new Set();
  provider.on('grant.success', (context) => grants.add(context.oidc.entities.Grant?.jti));
  const handler = provider.callback();
  server.on('request', (request, response) => {
    const path = request.url.split('?')[0];
    counts[path] = (counts[path] ?? 0) + 1;
    handler(request, response);
  });
  return {
    issuer,
    provider,
    counts,
    /** Ends every grant, as a person does who withdraws access. */
    async revokeGrants() {
      for (const grant of grants) {
        await provider.RefreshToken.revokeByGrantId(grant);
        await provider.AccessToken.revokeByGrantId(grant);
      }
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const values = (name) =>
    process.argv.flatMap((word, at) => (word === name ? [process.argv[at + 1]] : []));
  const options = { port: Number(values('--port')[0] ?? 0) };
  if (values('--callback').length) options.callbacks = values('--callback');
  if (values('--ttl').length) options.accessTokenTtl = Number(values('--ttl')[0]);
  const running = await startCertifiedProvider(options);
  console.log(JSON.stringify({ issuer: running.issuer, client_id: CLIENT_ID }));
}
