// The credential helper of git, and which connection is for which host: what is sent and expected, as
// git-credential(1) has it. credential-tools.test.mjs has the other programs; the programs themselves, where
// this machine has them, are in e2e/credential.test.mjs.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { KEY, USER, PASSWORD, SECRET_KEY } from '../provider/keyed_api.mjs';
import { reply } from '../provider/misbehaving.mjs';
import { credentialHelpers, SILENCE } from '../support/credential_helpers.mjs';
import { connect, token } from '../support/flow.mjs';
import { until } from '../support/nexus.mjs';

const { home, provider, work, aliased, tokenOf, map, run, endGrant } = await credentialHelpers();
const attributes = (...lines) => `${lines.join('\n')}\n\n`;

const git = (operation, input, args = []) => run('git-credential-nexus', [...args, operation], input);
const github = ['protocol=https', 'host=github.com'];

test('git get: a name and the token for the host that is mapped, with its end', async () => {
  const { json } = await token(home, work.id);
  const answer = await git('get', attributes(...github));
  assert.deepEqual(answer, { code: 0, stdout: `username=oauth2\npassword=${json.access_token}\npassword_expiry_utc=${json.expires_at}\n`, stderr: '' });
  assert.equal((await git('get', github.join('\n'))).stdout, answer.stdout, 'the end of the input is one, too');
  assert.equal((await home.nexus(['credential', 'git', 'get'], { input: attributes(...github) })).stdout, answer.stdout);
  assert.equal((await home.nexus(['--workspace', 'default', 'credential', 'git', 'get'], { input: attributes(...github) })).stdout, answer.stdout, 'the whole parser says the same');
  const unknown = ['wwwauth[]=Basic realm="x"', 'oauth_refresh_token=x', 'something[]=new', 'url='];
  assert.equal((await git('get', attributes('capability[]=', ...github, ...unknown))).stdout, answer.stdout);
});

test('git get: the name that git has, else the mapping\'s, else an argument\'s', async () => {
  const nameIn = ({ stdout }) => /^username=(.*)$/m.exec(stdout)[1];
  map(['"github.com" = { connection = "work", username = "x-access-token" }']);
  assert.equal(nameIn(await git('get', attributes(...github))), 'x-access-token');
  assert.equal(nameIn(await git('get', attributes(...github), ['--username', 'other'])), 'other');
  assert.equal(nameIn(await git('get', attributes(...github, 'username=ada'))), 'ada');
});

test('git get: the longest prefix of the path, part by part, of exactly that host', async () => {
  const other = await aliased('other');
  map(['"github.com" = "work"', '"github.com/acme" = "other"', '"git.example.com:8443" = "other"', '"localhost:3000" = "other"']);
  const password = async (...lines) => /^password=(.*)$/m.exec((await git('get', attributes(...lines))).stdout)?.[1];
  assert.equal(await password(...github, 'path=acme/x.git'), other.token);
  assert.equal(await password(...github, 'path=acme'), other.token);
  assert.equal(await password('protocol=https', 'host=GitHub.com:443', 'path=acme'), other.token);
  for (const path of ['acmeevil/x.git', 'Acme/x.git', 'x/acme', 'acme/../x', ''])
    assert.equal(await password(...github, `path=${path}`), work.token, path);
  assert.equal(await password('protocol=https', 'host=git.example.com:8443'), other.token);
  assert.equal(await password('protocol=http', 'host=localhost:3000'), other.token);
  for (const [protocol, host] of [['http', 'github.com'], ['ssh', 'github.com'], ['https', 'github.com.evil.example'], ['https', 'evil.github.com'],
    ['https', 'github.com@evil.example'], ['https', 'evil.example/github.com'], ['https', 'github.com:8443'], ['https', 'git.example.com'],
    ['https', 'github.com\r'], ['https', 'github.com%0ahost=evil.example'], ['http', 'localhost.evil.example:3000']])
    assert.deepEqual(await git('get', attributes(`protocol=${protocol}`, `host=${host}`)), SILENCE, `${protocol} ${host}`);
});

test('git get: by an argument where git itself chooses by the URL; never in the clear', async () => {
  map([]);
  const byArgument = await git('get', attributes('protocol=https', 'host=git.example.org'), ['--connection', 'work']);
  assert.match(byArgument.stdout, new RegExp(`^password=${work.token}$`, 'm'));
  assert.deepEqual(await git('get', attributes('protocol=http', 'host=git.example.org'), ['--connection', 'work']), SILENCE);
});

test('git get: a bearer token only where git takes it and the server nothing else', async () => {
  const capable = ['capability[]=authtype', 'capability[]=state'];
  const bearer = await git('get', attributes(...capable, ...github, 'wwwauth[]=Bearer realm="x"'));
  assert.match(bearer.stdout, new RegExp(`^capability\\[\\]=authtype\\nauthtype=Bearer\\ncredential=${work.token}\\nephemeral=1\\npassword_expiry_utc=\\d+\\ncapability\\[\\]=state\\nstate\\[\\]=nexus:${work.id}\\n$`));
  for (const lines of [
    [...capable, ...github, 'wwwauth[]=Basic realm="x"'],
    [...capable, ...github, 'wwwauth[]=Bearer', 'wwwauth[]=basic realm="x"'],
    [...capable, ...github],
    ['capability[]=state', ...github, 'wwwauth[]=Bearer'],
  ]) {
    const { stdout } = await git('get', attributes(...lines));
    assert.match(stdout, new RegExp(`^username=oauth2\\npassword=${work.token}\\n`), lines.join(' '));
    assert.ok(!stdout.includes('authtype'));
    assert.ok(stdout.endsWith(`state[]=nexus:${work.id}\n`));
  }
  assert.deepEqual(await git('capability'), { code: 0, stdout: 'version 0\ncapability authtype\ncapability state\n', stderr: '' });
});

test('git get: passwords and keys as well, a password under its own name alone', async () => {
  map(['"github.com" = "my-basic-auth"', '"key.example.com" = "my-header"', '"aws.example.com" = "my-aws-sigv4"']);
  assert.equal((await git('get', attributes(...github))).stdout, `username=${USER}\npassword=${PASSWORD}\n`);
  assert.equal((await git('get', attributes(...github, `username=${USER}`))).stdout, `username=${USER}\npassword=${PASSWORD}\n`);
  const foreign = await git('get', attributes(...github, 'username=bob'));
  assert.deepEqual([foreign.code, foreign.stdout], [2, 'quit=1\n']);
  assert.equal((await git('get', attributes('protocol=https', 'host=key.example.com'))).stdout, `username=oauth2\npassword=${KEY}\n`);
  const several = await git('get', attributes('protocol=https', 'host=aws.example.com'));
  assert.equal(several.stdout, 'quit=1\n');
  assert.ok(!several.stderr.includes(SECRET_KEY));
});

test('git get: who has to reconnect is told so at once, without a prompt and without a secret', async () => {
  const tired = await aliased('tired');
  await endGrant(tired.id);
  map(['"github.com" = "tired"', '"gone.example.com" = "nobody"']);
  const answer = await git('get', attributes(...github));
  assert.deepEqual([answer.code, answer.stdout], [4, 'quit=1\n']);
  assert.match(answer.stderr, /^nexus: connection \S+ needs attention: .*\n {2}run: nexus connect demo --replace \S+\n$/);
  assert.ok(!answer.stderr.includes(tired.token));
  const gone = await git('get', attributes('protocol=https', 'host=gone.example.com'));
  assert.deepEqual([gone.code, gone.stdout], [6, 'quit=1\n']);
  const away = await run('git-credential-nexus', ['get'], attributes(...github), { NEXUS_SOCKET: join(home.dir, 'nowhere.sock') });
  assert.deepEqual([away.code, away.stdout], [8, 'quit=1\n']);
});

test('git get: what git does not send gets nothing', async () => {
  for (const input of ['', '\n', 'nonsense\n\n', attributes('protocol=https'), attributes(...github, 'host=evil.example'),
    attributes('protocol=https', 'host=evil.example', 'host=github.com'), attributes(...github, 'protocol=http'),
    attributes(...github, 'path=a\0b'), `${github.join('\n')}\nwwwauth[]=${'x'.repeat(70000)}\n\n`, 'x'.repeat(10_000_000)]) {
    const { code, stdout, stderr } = await git('get', input);
    assert.deepEqual([code, stdout], [2, ''], input.slice(0, 80));
    assert.match(stderr, /^nexus: /);
  }
  assert.equal((await git('get', attributes(...github).replace('\n\n', '\n\nhost=evil.example\n'))).code, 0, 'an empty line ends it');
});

test('git store, and what a later git may ask, is read and does nothing', async () => {
  const login = attributes(...github, 'username=oauth2', 'password=typed-by-hand');
  assert.deepEqual(await git('store', login), SILENCE);
  assert.deepEqual(await git('store', 'x'.repeat(5_000_000)), SILENCE);
  assert.deepEqual(await git('renew', login), SILENCE);
  assert.equal((await run('git-credential-nexus', [])).code, 2);
  assert.equal(await tokenOf(work.id), work.token);
});

test('git erase: the token that failed is replaced, and only that one', async () => {
  const mine = await aliased('mine');
  map(['"github.com" = "mine"']);
  const refreshes = () => provider.tokenRequests('refresh_token').length;
  const before = refreshes();
  for (const other of [['password=typed-by-hand'], [], ['password='], ['authtype=Bearer']])
    assert.deepEqual(await git('erase', attributes(...github, 'username=oauth2', ...other)), SILENCE);
  assert.deepEqual(await git('erase', attributes('protocol=https', 'host=evil.example', `password=${mine.token}`)), SILENCE);
  assert.equal(refreshes(), before);
  const failed = attributes(...github, 'username=oauth2', `password=${mine.token}`);
  assert.deepEqual(await git('erase', failed), SILENCE);
  assert.equal(refreshes(), before + 1);
  const second = await tokenOf(mine.id);
  assert.notEqual(second, mine.token);
  assert.match((await git('get', attributes(...github))).stdout, new RegExp(`^password=${second}$`, 'm'));
  assert.deepEqual(await git('erase', failed), SILENCE);
  assert.deepEqual(await Promise.all(Array.from({ length: 5 }, () => git('erase', attributes(...github, `credential=${second}`, `state[]=nexus:${mine.id}`)))), Array(5).fill(SILENCE));
  assert.equal(refreshes(), before + 2);
});

test('the API refreshes for a token that was refused, and says what is wrong with the question', async () => {
  const { id, token: refused } = await aliased('asked');
  const sha256 = createHash('sha256').update(refused).digest('hex');
  const ask = (query) => home.api('POST', `/v1/refresh/${id}?${query}`);
  for (const query of ['if_token_sha256=x', `if_token_sha256=${sha256.slice(1)}`, `if_token_sha256=${sha256}g`, `if_token_sha256=${sha256}&scope=email`, `if_token_sha256=${sha256}&audience=https%3A%2F%2Fx`]) {
    const { status, json } = await ask(query);
    assert.deepEqual([status, json.code], [400, 'invalid_field'], query);
  }
  assert.equal((await ask(`if_token_sha256=${'0'.repeat(64)}`)).json.access_token, refused);
  const { json } = await ask(`if_token_sha256=${sha256.toUpperCase()}`);
  assert.notEqual(json.access_token, refused);
  assert.equal((await ask(`if_token_sha256=${sha256}`)).json.access_token, json.access_token);
});

test('git erase: its connection is the one that the answer came from, whatever is mapped now', async () => {
  const former = await aliased('former');
  assert.deepEqual(await git('erase', attributes(...github, 'state[]=other:x', `state[]=nexus:${former.id}`, `password=${former.token}`)), SILENCE);
  assert.notEqual(await tokenOf(former.id), former.token);
  assert.equal(await tokenOf(work.id), work.token);
});

test('git erase: git waits for no provider, and hears nothing of it', async () => {
  const slow = await aliased('slow');
  map(['"github.com" = "slow"']);
  let answer;
  provider.onToken = (form, response) => { answer = () => reply(response, { access_token: 'at-late', token_type: 'Bearer', expires_in: 3600 }); return true; };
  const from = Date.now();
  assert.deepEqual(await git('erase', attributes(...github, `password=${slow.token}`)), SILENCE);
  assert.ok(Date.now() - from < 6000);
  provider.onToken = null;
  answer();
  await until(async () => (await tokenOf(slow.id)) === 'at-late', 'the daemon has gone on by itself');
  const away = await run('git-credential-nexus', ['erase'], attributes(...github, 'password=x'), { NEXUS_SOCKET: join(home.dir, 'nowhere.sock') });
  assert.deepEqual(away, SILENCE);
});


const docker = (operation, input = '') => run('docker-credential-nexus', [operation], input);

test('nexus.toml: a mapping that says nothing clear is passed over, with a warning', async () => {
  for (const bad of ['github.com = "work"', '"https://github.com" = "work"', '"github.com" = ""', '"github.com" = 7', '"git hub.com" = "work"', '"*.github.com" = "work"',
    '"github.com" = { username = "x" }', '"github.com" = { connection = "work", user = "x" }', '"github.com" = { connection = "work", username = "a\\nhost=evil" }', '"a@github.com" = "work"']) {
    map([bad, '"ghcr.io" = "work"']);
    const { code, stdout, stderr } = await docker('get', 'ghcr.io');
    assert.equal(code, 0, `${bad}: ${stdout}`);
    assert.match(stderr, /nexus\.toml:\d+: 'credential\..*' is no host and connection/, bad);
    assert.equal((await git('get', attributes(...github))).stdout, '', bad);
  }
  map(['"GHCR.io:443/" = "work"', '"ghcr.io" = "my-header"']);
  const twice = await docker('get', 'ghcr.io');
  assert.match(twice.stderr, /nexus\.toml:\d+: 'credential\..*' is mapped twice/);
});
