// nexus credential setup: it shows the change to a program's configuration, makes it, and takes back exactly
// that.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { credentialHelpers } from '../support/credential_helpers.mjs';
import { BIN } from '../support/nexus.mjs';

const { home, links, plain, work, run } = await credentialHelpers();

/** A home with these configurations; `setup` runs in it, `files` tells what is there then. */
function configured(before) {
  const dir = mkdtempSync(join(home.dir, 'setup-'));
  const toml = join(dir, 'nexus.toml');
  const put = (name, text) => { mkdirSync(dirname(join(dir, name)), { recursive: true }); writeFileSync(join(dir, name), text); };
  put('nexus.toml', plain);
  for (const [name, text] of Object.entries(before)) put(name, text);
  const read = (name) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : undefined);
  const env = { HOME: dir, NEXUS_CONFIG: toml, PATH: `${links}:${process.env.PATH}` };
  return { dir, env, read, put, setup: (...args) => home.nexus(['credential', 'setup', ...args], { env }) };
}
/** What setup does is shown and, taken back, leaves every byte as it was. */
async function thereAndBack(name, text, args, undo, check) {
  const { setup, read, ...rest } = configured(text === undefined ? {} : { [name]: text });
  const asked = await setup(...args);
  assert.deepEqual([asked.code, read(name)], [1, text], 'without --yes nothing is changed');
  assert.match(asked.stderr, /nothing was changed\n {2}run it again with --yes/);
  assert.match(asked.stdout, /^\+ /m);
  const done = await setup(...args, '--yes');
  assert.deepEqual([done.code, done.stdout], [0, asked.stdout], done.stderr);
  await check?.({ ...rest, text: read(name) });
  const again = await setup(...args, '--yes');
  assert.deepEqual([again.code, again.stdout, again.stderr], [0, '', 'there is nothing to change\n']);
  const back = await setup(...undo, '--undo', '--yes');
  assert.equal(back.code, 0, back.stderr);
  assert.equal(read(name), text);
  assert.equal(read('nexus.toml'), plain);
  assert.equal((await setup(...undo, '--undo', '--yes')).stderr, 'there is nothing to change\n');
}

test('setup git: the only helper for the URL, and back to the byte', async () => {
  for (const text of [undefined, '[user]\n\tname = T # x\n', '[credential]\n\thelper = store\n\n', '[user]\n\tname = no line end', '[credential "https://github.com"]\n\tusername = x\n'])
    await thereAndBack('.gitconfig', text, ['git', 'github.com', '--connection', 'work'], ['git', 'https://github.com/'], ({ text: now }) => {
      assert.ok(now.endsWith('[credential "https://github.com"]\n\thelper =\n\thelper = nexus --connection work\n'), now);
    });
  await thereAndBack('.gitconfig', undefined, ['git', 'http://127.0.0.1:3000/acme', '--connection', 'work'], ['git', 'http://127.0.0.1:3000/acme'], ({ text: now }) => {
    assert.match(now, /^\[credential "http:\/\/127\.0\.0\.1:3000\/acme"\]$/m);
  });
});

test('setup shows what it writes as it is indented', async () => {
  const { setup } = configured({});
  const { stdout } = await setup('git', 'github.com', '--connection', 'work');
  assert.deepEqual(stdout.split('\n').slice(1), ['+ # written by nexus credential setup', '+ [credential "https://github.com"]', '+     helper =', '+     helper = nexus --connection work', '']);
});

test('setup docker: its config.json and nexus.toml, and back to the byte', async () => {
  const compact = '{"auths":{"x":{"auth":"e30="}},"credHelpers":{"gcr.io":"gcloud"}}';
  for (const text of [undefined, '{}', '{ }\n', '{"credHelpers":{}}', compact, '{\n\t"auths": {},\n\t"credHelpers": {\n\t\t"a": "b{\\"}"\n\t},\n\t"credsStore": "x"\n}'])
    await thereAndBack('.docker/config.json', text, ['docker', 'ghcr.io', '--connection', 'work'], ['docker', 'ghcr.io'], async ({ text: now, env }) => {
      const was = text === undefined ? {} : JSON.parse(text);
      assert.deepEqual(JSON.parse(now), { ...was, credHelpers: { ...was.credHelpers, 'ghcr.io': 'nexus' } });
      const answer = await run('docker-credential-nexus', ['get'], 'ghcr.io', env);
      assert.equal(JSON.parse(answer.stdout).Secret, work.token, 'and it works');
    });
});

test('setup: what is no file is left as it is', async () => {
  const { dir, env, setup } = configured({});
  const pipe = join(dir, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const [file, kind] of [['/dev/null', 'isCharacterDevice'], [pipe, 'isFIFO']]) {
    env.GIT_CONFIG_GLOBAL = file;
    const { code, stderr } = await setup('git', 'github.com', '--connection', 'work', '--yes');
    assert.equal(code, 2, stderr);
    assert.ok(stderr.startsWith(`nexus: cannot read ${file}: `), stderr);
    assert.ok(statSync(file)[kind]());
  }
});

test('setup docker: what docker has written anew since is taken out as well', async () => {
  const { setup, read, put } = configured({ '.docker/config.json': '{"auths":{}}' });
  await setup('docker', 'ghcr.io', '--connection', 'work', '--yes');
  put('.docker/config.json', '{\n\t"auths": {},\n\t"credHelpers": {\n\t\t"gcr.io": "gcloud",\n\t\t"ghcr.io": "nexus"\n\t}\n}');
  await setup('docker', 'ghcr.io', '--undo', '--yes');
  assert.equal(read('.docker/config.json'), '{\n\t"auths": {},\n\t"credHelpers": {\n\t\t"gcr.io": "gcloud"\n\t}\n}');
});

test('setup aws: credential_process of a profile, and back to the byte', async () => {
  for (const text of [undefined, '[default]\nregion = eu-west-1\n', '[profile other]\nregion = x\n\n', '[profile work]\nregion = eu-west-1\n[profile z]\nregion = y', '[profile work]'])
    await thereAndBack('.aws/config', text, ['aws', 'work', '--connection', 'my-aws-sigv4'], ['aws', 'work'], ({ text: now }) => {
      assert.match(now, new RegExp(`^\\[profile work\\]\ncredential_process = ${BIN}/nexus credential aws my-aws-sigv4$`, 'm'));
    });
});

test('setup: of a file nothing is shown but the change, and what others added since stays', async () => {
  const docker = configured({ '.docker/config.json': '{"auths":{"x":{"auth":"canary-login"}},"HttpHeaders":{}}' });
  for (const args of [['--connection', 'work'], ['--connection', 'work', '--yes'], ['--undo', '--yes']]) {
    const { stdout, stderr } = await docker.setup('docker', 'ghcr.io', ...args);
    assert.ok(stdout.includes('"ghcr.io": "nexus"') && !stdout.includes('canary'), stdout);
    assert.ok(!stderr.includes('canary'));
  }
  const aws = configured({ '.aws/config': '[profile work]\ncli_pager =\n' });
  assert.match((await aws.setup('aws', 'work', '--connection', 'work')).stdout, /^\+ credential_process = \S+ credential aws work\n$/m);

  const { setup, read, put } = configured({ '.gitconfig': '[user]\n\tname = T\n' });
  await setup('git', 'github.com', '--connection', 'work', '--yes');
  put('.gitconfig', `${read('.gitconfig')}\tusername = bob\n[core]\n\tpager = less\n`);
  await setup('git', 'github.com', '--undo', '--yes');
  assert.equal(read('.gitconfig'), '[user]\n\tname = T\n\n# written by nexus credential setup\n[credential "https://github.com"]\n\tusername = bob\n[core]\n\tpager = less\n');
});

test('setup: what is somebody else\'s stays, and says so', async () => {
  const cases = [
    ['.docker/config.json', '{"credHelpers":{"ghcr.io":"other"}}', ['docker', 'ghcr.io', '--connection', 'work'], /another helper for ghcr\.io/],
    ['.docker/config.json', '{"credHelpers":[]}', ['docker', 'ghcr.io', '--connection', 'work'], /is no object/],
    ['.docker/config.json', '{,}', ['docker', 'ghcr.io', '--connection', 'work'], /not well-formed/],
    ['.aws/config', '[profile work]\ncredential_process = other\n', ['aws', 'work', '--connection', 'work'], /another credential_process/],
    ['nexus.toml', `${plain}\n[credential]\n"ghcr.io" = "other"\n`, ['docker', 'ghcr.io', '--connection', 'work'], /mapped to other/],
    ['nexus.toml', `credential = { "x.example.com" = "work" }\n${plain}`, ['docker', 'ghcr.io', '--connection', 'work'], /cannot be added[\s\S]*yourself: "ghcr\.io" = "work"/],
    ['.gitconfig', 'x', ['git', 'github.com'], /no connection is named/],
    ['.gitconfig', 'x', ['git', 'http://github.com', '--connection', 'work'], /no host that credentials are for/],
    ['.gitconfig', 'x', ['git', 'github.com', '--connection', 'a b'], /cannot be written/],
    ['.gitconfig', 'x', ['git', 'github.com"]', '--connection', 'work'], /cannot be written/],
    ['.gitconfig', 'x', ['git', 'github.com', '--connection', 'nobody'], /nobody/],
  ];
  for (const [name, text, args, said] of cases) {
    const { setup, read } = configured({ [name]: text });
    const { code, stderr } = await setup(...args, '--yes');
    assert.notEqual(code, 0, args.join(' '));
    assert.match(stderr, said);
    assert.equal(read(name), text);
  }
  const { setup, read, env } = configured({ '.docker/config.json': '{"credHelpers":{"ghcr.io":"other"}}' });
  assert.equal((await setup('docker', 'ghcr.io', '--undo', '--yes')).stderr, 'there is nothing to change\n');
  assert.equal(read('.docker/config.json'), '{"credHelpers":{"ghcr.io":"other"}}');
  const json = await home.nexus(['credential', 'setup', 'git', 'github.com', '--connection', 'work', '--yes', '--json'], { env });
  const file = join(env.HOME, '.gitconfig');
  assert.deepEqual(JSON.parse(json.stdout), { applied: true, changes: [{ file, lines: ['+ # written by nexus credential setup', '+ [credential "https://github.com"]', '+ \thelper =', '+ \thelper = nexus --connection work'] }] });
  assert.equal(JSON.parse((await home.nexus(['credential', 'setup', 'git', 'github.com', '--undo', '--json'], { env })).stdout).applied, false);
  assert.match(readFileSync(file, 'utf8'), /helper = nexus/, 'which was only told');
});

test('setup kubectl: tells kubectl\'s own command', async () => {
  const { setup } = configured({});
  const { code, stdout } = await setup('kubectl', 'me', '--connection', 'work');
  assert.deepEqual([code, stdout], [0, 'kubectl config set-credentials me --exec-command=nexus --exec-api-version=client.authentication.k8s.io/v1 --exec-interactive-mode=Never --exec-arg=credential --exec-arg=kubectl --exec-arg=work\n']);
  assert.equal((await setup('kubectl', 'me', '--undo')).stdout, 'kubectl config unset users.me\n');
  assert.equal((await setup('kubectl', 'me')).code, 2);
  assert.match(JSON.parse((await setup('kubectl', 'me', '--connection', 'work', '--json')).stdout).command, /^kubectl config set-credentials me /);
});

test('setup: permissions and symbolic links of the files stay, new ones are the owner\'s alone', async () => {
  const { dir, setup, put } = configured({});
  const mode = (name) => statSync(join(dir, name)).mode & 0o777;
  await setup('docker', 'ghcr.io', '--connection', 'work', '--yes');
  assert.equal(mode('.docker/config.json'), 0o600);
  put('dotfiles/gitconfig', '[user]\n\tname = T\n');
  chmodSync(join(dir, 'dotfiles/gitconfig'), 0o640);
  symlinkSync('dotfiles/gitconfig', join(dir, '.gitconfig'));
  await setup('git', 'github.com', '--connection', 'work', '--yes');
  assert.ok(lstatSync(join(dir, '.gitconfig')).isSymbolicLink());
  assert.equal(mode('dotfiles/gitconfig'), 0o640);
  assert.match(readFileSync(join(dir, 'dotfiles/gitconfig'), 'utf8'), /helper = nexus --connection work/);
});
