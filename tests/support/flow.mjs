// The steps that many tests share: register the provider, ask for a connection, bring the answer.

export const SECRET = 'canary-client-secret-5f2c';

export async function register(home, issuer, fields = {}) {
  const answer = await home.api('POST', '/v1/providers', {
    name: 'demo', issuer, client_id: 'client-1', client_secret: SECRET, allow_insecure_http: true,
    scopes: ['openid', 'email'], ...fields,
  });
  if (answer.status !== 201) throw new Error(`provider refused: ${answer.text}`);
  return answer.json;
}

export async function request(home, fields = {}) {
  const answer = await home.api('POST', '/v1/request-connection',
    { workspace_id: 'default', provider_name: 'demo', ...fields });
  if (answer.status !== 200) throw new Error(`connection refused: ${answer.text}`);
  return answer.json;
}

/** Brings a browser's answer; gives status, headers and page. */
export async function visit(url) {
  const response = await fetch(url, { redirect: 'manual' });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The whole way with the misbehaving provider; returns the connection's id and the page. */
export async function connect(home, provider, fields = {}) {
  const asked = await request(home, fields);
  const page = await visit(provider.consent(asked.auth_url));
  return { id: asked.connection_id, asked, page };
}

/** What `act` reads of the store, by the name of each read; which /metrics itself makes is left out. */
export async function readsOf(home, act) {
  const reads = async () => Object.fromEntries([...(await home.api('GET', '/metrics')).text
    .matchAll(/^nexus_db_operation_duration_seconds_count\{.*method="(\w+)".*\} (\d+)$/gm)].map(([, method, count]) => [method, Number(count)]));
  const before = await reads();
  await act();
  const made = Object.entries(await reads()).map(([method, count]) => [method, count - (before[method] ?? 0)]);
  return Object.fromEntries(made.filter(([method, count]) => count > 0 && method !== 'count_by_status'));
}

export const token = (home, id, query = '') => home.api('GET', `/v1/token/${id}${query}`);

/** What earlier tests left would be refreshed in the background meanwhile: ends it, and the bad behaviour. */
export async function startOver(home, provider) {
  for (const { connection_id: id } of (await home.api('GET', '/v1/connections?pending=true')).json)
    await home.api('DELETE', `/v1/connections/${id}?keep_grant=true`);
  provider.reset();
}
