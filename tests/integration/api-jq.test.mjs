// nexus api --jq: what an expression makes of an answer, and what keeps a bad one from harm.
import { test, before, after, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemonAndProvider } from '../support/fixture.mjs';
import { stateOf } from '../support/exec_home.mjs';
import { connect, register } from '../support/flow.mjs';
import { BIN, until } from '../support/nexus.mjs';
import { Terminal } from '../support/terminal.mjs';
import { RecordingApi } from '../provider/recording_api.mjs';

const { home, provider } = await daemonAndProvider();
let api;
before(async () => {
  api = await RecordingApi.start();
  await register(home, provider.issuer, { api_base_url: api.url });
  await connect(home, provider);
});
after(() => api.close());
beforeEach(() => api.reset());

const answer = (body, { status = 200, type = 'application/json' } = {}) => {
  api.answer = (request, response) => response.writeHead(status, { 'content-type': type }).end(status === 204 ? undefined : body);
};
const jq = (expression, args = [], options) => home.nexus(['api', 'demo', '/x', '--jq', expression, ...args], options);
/** Three pages, which lead to each other. */
const pages = (body) => {
  api.answer = (request, response) => {
    const page = Number(new URL(request.url, api.url).searchParams.get('page') ?? 1);
    response.writeHead(200, page < 3 ? { link: `</x?page=${page + 1}>; rel="next"` } : {}).end(body(page));
  };
};
/** The nexus-jq that this process has started. */
const helperOf = (parent) => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).find((pid) => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return /^Name:\tnexus-jq$/m.test(status) && status.includes(`\nPPid:\t${parent}\n`);
  } catch { return false; }
});

test('each result is a line: a text as it is, everything else as JSON', async () => {
  answer('{"items":[{"name":"a b","id":1},{"name":"é\\"","id":2}],"next":null}');
  assert.deepEqual(await jq('.items[].name'), { code: 0, stdout: 'a b\né"\n', stderr: '' });
  assert.equal((await jq('.items[0], .next, (.items | length)')).stdout, '{"name":"a b","id":1}\nnull\n2\n');
  assert.equal((await home.nexus(['api', 'demo', '/x', '-q', '.items[0].id'])).stdout, '1\n');
  assert.equal((await jq('empty')).stdout, '');
  // Whatever the server calls it, as long as it is JSON.
  answer('{"a":1}\n{"a":2}\n', { type: 'text/plain' });
  assert.equal((await jq('.a')).stdout, '1\n2\n');
});

test('every page goes through it, or all of them as one list', async () => {
  pages((page) => `[{"id":${page}}]`);
  assert.equal((await jq('.[].id', ['--paginate'])).stdout, '1\n2\n3\n');
  assert.equal((await jq('add | map(.id) | add', ['--paginate', '--slurp'])).stdout, '6\n');
  const file = join(home.dir, 'ids');
  assert.equal((await jq('.[].id', ['--paginate', '-o', file])).stdout, '');
  assert.equal(readFileSync(file, 'utf8'), '1\n2\n3\n');
});

test('a wrong expression is told before anything is sent, and leaves the file alone', async () => {
  const file = join(home.dir, 'kept');
  writeFileSync(file, 'kept');
  for (const wrong of ['.a |', 'nonsense', '{', '.[] as [$a']) {
    const { code, stdout, stderr } = await jq(wrong, ['-o', file]);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /^nexus: '--jq' takes no such expression: .+\n {2}see: man jq\n$/);
  }
  assert.equal((await jq('.', ['--dry-run'])).code, 2);
  assert.equal(readFileSync(file, 'utf8'), 'kept');
  assert.deepEqual(api.requests, []);
});

test('an expression that fails on an answer ends with 1, and says with what', async () => {
  answer('{"a":"text"}');
  const { code, stdout, stderr } = await jq('.a, (.a | .b)');
  assert.deepEqual([code, stdout], [1, 'text\n']);
  assert.match(stderr, /^nexus: the expression of --jq failed: Cannot index string with string "b"\n/);
  assert.match((await jq('"stop here" | halt_error')).stderr, /halted: stop here/);
  const json = await jq('error("mine")', ['--json']);
  assert.match(JSON.parse(json.stdout).error.message, /failed: mine/);
});

test('an answer that is no JSON is an error with nothing on stdout', async () => {
  for (const body of ['<html>not for you</html>', '[1,2', '[1] x']) {
    answer(body, { type: 'text/html' });
    const { code, stdout, stderr } = await jq('.');
    assert.deepEqual([code, stdout], [1, ''], stderr);
    assert.match(stderr, /^nexus: the answer is no JSON: .+\n {2}leave --jq out/);
  }
  answer('', { status: 204 });
  assert.deepEqual(await jq('.'), { code: 0, stdout: '', stderr: '' });
});

test('the body of an error is shown as it is, since the expression is not meant for it', async () => {
  answer('{"message":"Not Found"}', { status: 404 });
  const { code, stdout, stderr } = await jq('.login');
  assert.deepEqual([code, stdout], [1, '{"message":"Not Found"}']);
  assert.match(stderr, /the API answered 404/);
  pages((page) => `[${page}]`);
  const three = api.answer;
  api.answer = (request, response) => (/page=3/.test(request.url) ? response.writeHead(500).end('broken') : three(request, response));
  assert.deepEqual(await jq('.', ['--paginate', '--slurp']), { code: 10, stdout: 'broken', stderr: 'nexus: the API answered 500\n' });
  assert.equal((await jq('.', ['--paginate'])).stdout, '[1]\n[2]\nbroken');
  const nobody = await home.nexus(['api', 'nobody', '/x', '--jq', '.']);
  assert.deepEqual([nobody.code, nobody.stdout], [6, '']);
});

test('deep, large and endless things are errors or go on, and never a crash of nexus', async () => {
  answer('['.repeat(2_000_000));
  const deep = await jq('.');
  assert.deepEqual([deep.code, deep.stdout], [1, '']);
  assert.match(deep.stderr, /no JSON: .*depth/);
  // libjq itself ends here, by a signal: it builds what it cannot take apart.
  answer('1');
  const fallen = await jq('reduce range(1000000) as $i (0; [.]) | tojson | length');
  assert.deepEqual([fallen.code, fallen.stdout], [1, '']);
  assert.match(fallen.stderr, /^nexus: the expression of --jq could not be worked out(: .+)?\n {2}it may need more memory/);
  api.answer = (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.on('error', () => {});
    response.write('["');
    response.end('x'.repeat(65 * 1024 * 1024));
  };
  const large = await jq('.');
  assert.deepEqual([large.code, large.stdout], [1, '']);
  assert.match(large.stderr, /too large for --jq: more than 64 MiB/);
  // More than a pipe holds, in both directions.
  answer(JSON.stringify(Array.from({ length: 200_000 }, (_, i) => `line ${i}`)));
  const file = join(home.dir, 'lines');
  assert.equal((await jq('.[]', ['-o', file])).code, 0);
  assert.equal(readFileSync(file, 'utf8').split('\n').length, 200_001);
});

test('an expression without an end goes when nexus goes', async () => {
  for (const expression of ['def f: f; f', 'repeat(.)']) {
    answer('1');
    const child = spawn(join(BIN, 'nexus'), ['api', 'demo', '/x', '--jq', expression], { env: home.env, stdio: ['ignore', 'pipe', 'ignore'] });
    await until(() => api.requests.length > 0);
    api.reset();
    const helper = await until(() => helperOf(child.pid));
    child.kill('SIGINT');
    child.stdout.destroy();
    await once(child, 'exit');
    await until(() => !existsSync(`/proc/${helper}`) || stateOf(helper) === 'Z');
  }
});

test('an expression finds no secret of nexus and no file', async () => {
  answer('{}');
  const env = { NEXUS_ENCRYPTION_KEY: 'canary-of-the-vault', API_KEY: 'canary-of-a-key', NEXUS_API_KEY: 'canary-of-the-gateway', COLOUR: 'blue', HOME: home.dir };
  writeFileSync(join(home.dir, '.jq'), 'def from_home: 1;');
  mkdirSync(join(home.dir, 'lib'), { recursive: true });
  writeFileSync(join(home.dir, 'lib', 'data.json'), '"canary-of-a-file"');
  writeFileSync(join(home.dir, 'lib', 'code.jq'), 'def f: "canary-of-a-file";');
  assert.equal((await jq('env.COLOUR, $ENV.COLOUR', [], { env })).stdout, 'blue\nblue\n');
  const whole = await jq('[env, $ENV, (try input catch null), (try input_filename catch null)] | tojson', [], { env });
  assert.equal(whole.code, 0, whole.stderr);
  assert.ok(!whole.stdout.includes('canary'), whole.stdout);
  for (const expression of ['from_home', `import "${home.dir}/lib/data" as $d; $d`, `include "${home.dir}/lib/code"; f`,
    `import "data" as $d {search: "${home.dir}/lib"}; $d`, `include "code" {search: "${home.dir}/lib"}; f`]) {
    const { code, stdout, stderr } = await jq(expression, [], { env });
    assert.equal(code, 2, `${expression}: ${stderr}`);
    assert.ok(!`${stdout}${stderr}`.includes('canary'));
  }
  const asked = await jq(`"${home.dir}/lib/code" | modulemeta`, [], { env });
  assert.deepEqual([asked.code, asked.stdout], [1, '']);
});

test('what debug and stderr say goes to stderr, and moves no cursor', async () => {
  answer('{"a":"x\\u009b2J\\u001b[2Jy"}');
  const { code, stdout, stderr } = await jq('(.a | debug | stderr | empty), 1');
  assert.deepEqual([code, stdout], [0, '1\n']);
  assert.match(stderr, /^\["DEBUG:","x.*y"\]\n"x.*y"\n?$/);
  // eslint-disable-next-line no-control-regex
  assert.ok(!/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(stderr), JSON.stringify(stderr));
});

test('a terminal is not moved by a text of the answer; a pipe gets it as it is', async () => {
  answer('["a\\u001b[2J\\u009b2Jb"]');
  const { code, text } = await new Terminal(home, ['api', 'demo', '/x', '--jq', '.[]']).end();
  assert.equal(code, 0);
  assert.match(text, /a.*b\n/);
  assert.ok(!text.includes('\u001b[2J') && !text.includes('\u009b2J'), JSON.stringify(text));
  assert.equal((await jq('.[]')).stdout, 'a\u001b[2J\u009b2Jb\n');
});
