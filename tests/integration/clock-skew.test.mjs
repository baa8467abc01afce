// The time in AWS signatures: nexusd's zone and language do not matter, and a clock that the API does not
// agree with is told where the API refuses.
import { test, before, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { KeyedApi, KINDS } from '../provider/keyed_api.mjs';
import { Home } from '../support/nexus.mjs';

const MINUTE = 60_000;
let home;
let api;
before(async () => {
  api = await KeyedApi.start();
  home = await Home.make();
  await home.start({ env: { TZ: 'Asia/Tokyo', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' } });
  for (const kind of ['aws_sigv4', 'header']) {
    const { provider, credentials } = KINDS[kind];
    const name = kind.replaceAll('_', '-');
    await home.api('POST', '/v1/providers', { name, api_base_url: api.url, allow_insecure_http: true, ...provider });
    const { state } = (await home.api('POST', '/v1/request-connection', { provider_name: name })).json;
    assert.equal((await home.api('POST', '/v1/capture-credential', { state, credentials })).status, 200);
  }
});
after(async () => { await home.remove(); await api.close(); });
beforeEach(() => api.reset());

/** The API answers so, by a clock that is so many ms ahead of ours; null: without a Date. */
const answers = (status, ahead, body = '') => {
  api.answer = (response) => {
    response.sendDate = false;
    if (ahead !== null) response.setHeader('Date', new Date(Date.now() + ahead).toUTCString());
    response.setHeader('X-Nexus-Hint', 'a server is not heard on this');
    return response.writeHead(status).end(body);
  };
};
const asked = (provider = 'aws-sigv4') => home.nexus(['api', provider, '/aws?Action=WhoAmI', '-i']);
const warnings = () => home.log.split('\n').filter((line) => /signature_refused/.test(line));

test('a date is UTC\'s in the zone and the language of the machine (M5)', async () => {
  const from = Date.now() - 1000;
  const { code, stderr } = await asked();
  assert.equal(code, 0, stderr);
  const [, year, month, day, hour, minute, second] = api.requests[0].headers['x-amz-date'].match(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/);
  const signed = Date.UTC(year, month - 1, day, hour, minute, second);
  assert.ok(from - 1000 <= signed && signed <= Date.now(), api.requests[0].headers['x-amz-date']);
});

test('a signature that is refused for the time is told as such, and the body is the server\'s (M5)', async () => {
  const bodies = ['{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Signature expired: 20261129T010000Z"}',
    '<?xml version="1.0"?><Error><Code>RequestTimeTooSkewed</Code></Error>'];
  for (const [status, ahead, said] of [[403, 12, /nexusd's clock is 1[12] min behind the API's/], [400, -12, /nexusd's clock is 12 min ahead of the API's/],
    [401, 60 * 24 * 365, /nexusd's clock is 525\d{3} min behind the API's/]])
    for (const body of bodies) {
      const warned = warnings().length;
      answers(status, ahead * MINUTE, body);
      const { code, stdout, stderr } = await asked();
      assert.equal(code, 1);
      assert.ok(stdout.endsWith(`\n\n${body}`), stdout);
      assert.match(stdout, /^x-nexus-hint: nexusd's clock/im);
      assert.match(stderr, new RegExp(`^nexus: the API answered ${status}\\n {2}${said.source}, which refuses .*: set the clock\\n$`));
      assert.equal(warnings().length, warned + 1);
      assert.match(warnings().at(-1), / (warn|warning) .*connection=\S*conn_.*provider=\S*aws-sigv4/i);
    }
});

test('nothing is said of clocks that agree, of answers that are none of a clock, and where no time is signed (M5)', async () => {
  const warned = warnings().length;
  for (const [status, ahead, provider] of [[403, 4 * MINUTE], [403, -4 * MINUTE], [403, null], [200, 60 * MINUTE], [404, 60 * MINUTE], [500, 60 * MINUTE],
    [403, 60 * MINUTE, 'header']]) {
    answers(status, ahead);
    const { stdout, stderr } = await asked(provider);
    assert.match(stdout, new RegExp(`^HTTP/1.1 ${status} `));
    assert.ok(!/hint|clock/i.test(`${stdout}${stderr}`), `${status} ${ahead}: ${stdout}${stderr}`);
  }
  api.answer = (response) => { response.setHeader('Date', 'yesterday, or so'); return response.writeHead(403).end(); };
  assert.ok(!/hint/i.test((await asked()).stdout));
  assert.equal(warnings().length, warned);
});
