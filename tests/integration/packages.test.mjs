// What is handed out works where it is installed: the Debian package from its installation over an upgrade to its
// purge, and the archive that needs no root. On a copy of this machine that is thrown away.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { SECRET, visit } from '../support/flow.mjs';
import { BIN, freePort } from '../support/nexus.mjs';
import { ScratchRoot } from '../support/scratch_root.mjs';

const SOURCE = new URL('../..', import.meta.url).pathname;
const isRelease = /^CMAKE_BUILD_TYPE:STRING=Release$/m.test(readFileSync(join(BIN, 'CMakeCache.txt'), 'utf8'));
const DATA = '.local/share/nexusd', STATE = '.local/state/nexusd';

/** Why it cannot be tried here, or false. */
async function unable() {
  if (!isRelease) return 'packs a release build';
  if (process.getuid() !== 0) return 'only root can install packages';
  if (['dh', 'lintian', 'patchelf'].some((program) => spawnSync(program, ['--version']).error)) return 'needs debhelper, lintian and patchelf';
  try {
    await (await ScratchRoot.make('/mnt')).remove();
    return false;
  } catch (error) {
    return error.message;
  }
}
const skip = await unable();

let provider;
let packed;
before(async () => {
  if (skip) return;
  provider = await MisbehavingProvider.start();
  packed = mkdtempSync(join(tmpdir(), 'nexus-packed-'));
  chmodSync(packed, 0o755);
});
after(async () => {
  await provider?.close();
  if (packed) rmSync(packed, { recursive: true });
});

const SOME_TIME = { ...process.env, SOURCE_DATE_EPOCH: '1700000000' };
const pack = (kind) => execFileSync(join(SOURCE, 'packaging', kind), ['--build', BIN, '--output', packed], { encoding: 'utf8', env: SOME_TIME });
const packedAs = (ending) => readdirSync(packed).find((name) => name.endsWith(ending));

/** A person in a root, who connects to the provider with the `nexus` that is there, and uses the token. */
class Person {
  static async settle(root, name, nexus = 'nexus') {
    const person = Object.assign(new Person(), { root, name, nexus });
    await root.ok(`useradd -m ${name}`);
    await person.do(`mkdir -p ~/.config/nexus && printf '[callback]\\nbase_url = "http://127.0.0.1:${await freePort()}"\\n' > ~/.config/nexus/nexus.toml`);
    return person;
  }

  do(command, options) { return this.root.ok(command, { user: this.name, ...options }); }

  async connect() {
    await this.do(`${this.nexus} provider add demo --issuer ${provider.issuer} --client-id client-1 --client-secret-file - --scope openid --allow-insecure-http`, { input: SECRET });
    const { auth_url: url } = JSON.parse(await this.do(`${this.nexus} connect demo --no-browser --no-wait --json`));
    await visit(provider.consent(url));
  }

  async token(options = '') { return (await this.do(`${this.nexus} token demo ${options}`)).trim(); }
}

test('the Debian package is installed, used, upgraded with its data, removed and purged', { skip }, async () => {
  pack('deb');  // lintian is part of it
  const deb = packedAs('.deb');
  const root = await ScratchRoot.make(packed);
  try {
    // The version before, which is this one under a lower number.
    await root.ok(`dpkg-deb -R /mnt/${deb} /tmp/before && sed -i 's/^Version: .*/Version: 0.0.1/' /tmp/before/DEBIAN/control && dpkg-deb -Znone -b /tmp/before /tmp/before.deb`);
    await root.ok('dpkg -i /tmp/before.deb');
    const alice = await Person.settle(root, 'alice');
    await alice.connect();
    const first = await alice.token();
    assert.ok(first.length > 10);
    assert.match(await alice.do('nexus provider show github --json'), /github\.com/, 'the catalogue');
    assert.match(await alice.do('git credential-nexus 2>&1 || true'), /nexus credential/, 'a helper by its name');
    assert.equal((await alice.do('nexus daemon status --json | grep -c "/home/alice/.local/share/nexusd"')).trim(), '1');

    await root.ok(`dpkg -i /mnt/${deb}`);
    assert.equal(await alice.token(), first, 'by the daemon that ran meanwhile');
    await alice.do('nexus daemon stop');
    assert.equal(await alice.token(), first, 'by the new one, from the same vault');
    assert.notEqual(await alice.token('--refresh'), first);

    assert.ok(root.changed('usr').includes('/usr/bin/nexus'));
    // What the machine's own daemon would have made.
    await root.ok('install -d -o nexusd -m 700 /var/lib/nexusd /var/lib/nexusd-state && touch /var/lib/nexusd/nexus.db');
    await alice.do('nexus daemon stop');
    await root.ok('dpkg -r nexus');
    assert.notEqual((await root.run('command -v nexus')).code, 0);
    assert.equal((await root.run('test -e /var/lib/nexusd/nexus.db')).code, 0, 'removal leaves data');
    assert.match(await root.ok('dpkg -P nexus 2>&1'), /Removing the vault of nexusd-system.service: \/var\/lib\/nexusd/);
    assert.equal((await root.run('ls -d /var/lib/nexusd*')).stdout, '');
    assert.equal((await root.run(`test -s /home/alice/${DATA}/nexus.db`)).code, 0, 'what is in a home stays');
    // Beside that: the user nexusd, and what dpkg and useradd keep.
    const left = root.changed('etc', 'usr', 'var', 'opt').filter((path) => !/^\/(etc\/(passwd|group|g?shadow|sub[ug]id)-?|etc\/\.pwd\.lock|var\/(lib\/(dpkg|systemd)|cache|log|mail|spool)\/.*)$/.test(path));
    assert.deepEqual(left, []);
  } finally {
    await root.remove();
  }
});

test('the units of the package are sound, and the machine\'s daemon is confined', { skip: skip || (spawnSync('systemd-analyze', ['--version']).error && 'needs systemd') }, async () => {
  const root = await ScratchRoot.make(packed);
  try {
    await root.ok(`dpkg -i /mnt/${packedAs('.deb')}`);
    assert.equal((await root.ok('stat -c "%U:%G %a" /run/nexusd')).trim(), 'root:nexusd 750');
    const verified = await root.run('systemd-analyze verify --man=no --recursive-errors=no /lib/systemd/system/nexusd-system.socket /lib/systemd/system/nexusd-system.service', { env: { SYSTEMD_LOG_LEVEL: 'warning' } });
    assert.deepEqual([verified.code, verified.stdout + verified.stderr], [0, '']);
    const own = await root.run('XDG_RUNTIME_DIR=/tmp systemd-analyze --user verify --man=no --recursive-errors=no /usr/lib/systemd/user/nexusd.socket /usr/lib/systemd/user/nexusd.service');
    assert.deepEqual([own.code, own.stdout + own.stderr], [0, '']);
    // Exposure of 2.0 of 10 at the most.
    await root.ok('systemd-analyze security --offline=true --threshold=20 /lib/systemd/system/nexusd-system.service');
  } finally {
    await root.remove();
  }
});

test('the archive is installed without root and without the libraries, used, replaced and uninstalled', { skip }, async () => {
  pack('tarball');
  const root = await ScratchRoot.make(packed);
  try {
    // A machine that has none of them.
    await root.ok('cd /usr/lib/*-linux-gnu && rm -f libcjose.so* libre2.so* libjq.so* libprometheus-cpp* libsodium.so* libjansson.so*');
    const bob = await Person.settle(root, 'bob', '~/.local/bin/nexus');
    await bob.do('mkdir -p ~/.local/bin && echo mine > ~/.local/bin/mine');
    const archive = packedAs('.tar.gz');
    await bob.do(`tar -xzf /mnt/${archive}`);
    const directory = archive.replace('.tar.gz', '');
    const before = await bob.do('find ~ | sort');
    const installed = await bob.do(`~/${directory}/install`);
    assert.match(installed, /To remove it: \/home\/bob\/\.local\/libexec\/nexus\/uninstall\nPut \/home\/bob\/\.local\/bin on your PATH/);
    await bob.connect();
    const first = await bob.token();
    assert.match(await bob.do('cat ~/.local/share/systemd/user/nexusd.service'), /^ExecStart=\/home\/bob\/\.local\/bin\/nexusd /m);

    // The next version has a file less.
    await bob.do(`rm ~/${directory}/share/doc/nexus/openapi.yaml && ~/${directory}/install`);
    assert.equal((await root.run('test -e /home/bob/.local/share/doc/nexus/openapi.yaml')).code, 1);
    assert.equal(await bob.token(), first);

    const daemonRuns = async () => (await root.run("grep -qs '^nexusd$' /proc/[0-9]*/comm")).code === 0;
    assert.ok(await daemonRuns());
    const said = await bob.do('~/.local/libexec/nexus/uninstall');
    assert.match(said, /Your connections and their key stay in \/home\/bob\/\.local\/share\/nexusd\.\nWhat tells an old copy of them from the newest stays in \/home\/bob\/\.local\/state\/nexusd\.\nYour settings stay in \/home\/bob\/\.config\/nexus\./);
    assert.ok(!await daemonRuns());
    const left = (await bob.do(`find ~ -path ~/${DATA} -prune -o -path ~/${STATE} -prune -o -path ~/${directory} -prune -o -print | sort`)).trim().split('\n');
    assert.deepEqual(left.filter((path) => !before.split('\n').includes(path)), ['/home/bob/.local/share', '/home/bob/.local/state']);
    assert.equal(await bob.do('cat ~/.local/bin/mine'), 'mine\n');
  } finally {
    await root.remove();
  }
});

test('the archive\'s installer replaces nothing that is not its own, and says what is wrong', { skip }, async () => {
  const root = await ScratchRoot.make(packed);
  try {
    const carol = await Person.settle(root, 'carol');
    const archive = packedAs('.tar.gz');
    await carol.do(`tar -xzf /mnt/${archive} --strip-components=1 -C ~ --one-top-level=unpacked`);
    const refused = async (command, code, pattern) => {
      const { code: was, stderr } = await root.run(command, { user: 'carol' });
      assert.equal(was, code, stderr);
      assert.match(stderr, pattern);
    };
    await refused('~/unpacked/install --prefix', 2, /--prefix wants a directory/);
    await refused('~/unpacked/install --prefix here', 2, /here is not an absolute path/);
    await refused('~/unpacked/install --frob', 2, /unknown argument: --frob/);
    await refused('~/unpacked/install --prefix /usr/local', 1, /./);
    await refused('HOME= ~carol/unpacked/install', 2, /HOME is not set/);
    await refused('~/unpacked/uninstall', 1, /there is no \S+manifest/);
    await carol.do('mkdir -p ~/.local/bin && echo mine > ~/.local/bin/nexus');
    await refused('~/unpacked/install', 1, /\.local\/bin\/nexus is there already/);
    assert.equal(await carol.do('cat ~/.local/bin/nexus'), 'mine\n');
    assert.equal((await carol.do('ls ~/.local')).trim(), 'bin', 'and nothing else was made');

    // A prefix with what means something in units and shells.
    await carol.do("~/unpacked/install --prefix ~/'100% a & b'");
    assert.match(await carol.do("cat ~/100*/share/systemd/user/nexusd.service"), /^ExecStart=\/home\/carol\/100%%\\x20a\\x20&\\x20b\/bin\/nexusd /m);
    assert.match(await carol.do("~/'100% a & b/bin/nexus' --version"), /^nexus \d/);
    await carol.do("~/'100% a & b/libexec/nexus/uninstall'");
    assert.equal(await carol.do("ls ~"), 'unpacked\n');
  } finally {
    await root.remove();
  }
});

test('README.md tells how large they are', { skip }, () => {
  const readme = readFileSync(join(SOURCE, 'README.md'), 'utf8');
  const told = (what) => new RegExp(`^\\| ${what}.* \\| ([\\d.]+) MB, ([\\d.]+) MB installed \\|$`, 'm').exec(readme).slice(1).map(Number);
  const output = (...words) => execFileSync(words[0], words.slice(1), { encoding: 'utf8' });
  const [deb, archive] = ['.deb', '.tar.gz'].map((ending) => join(packed, packedAs(ending)));
  const unpacked = output('tar', '-tvzf', archive).split('\n').reduce((sum, line) => sum + Number(line.split(/ +/)[2] ?? 0), 0);
  for (const [what, sizes] of [['a Debian package', [statSync(deb).size, 1024 * output('dpkg-deb', '-f', deb, 'Installed-Size')]], ['an archive', [statSync(archive).size, unpacked]]])
    for (const [at, bytes] of sizes.entries())
      assert.ok(Math.abs(told(what)[at] * 1e6 / bytes - 1) < 0.15, `${what}: ${told(what)[at]} MB, and it is ${(bytes / 1e6).toFixed(1)} MB`);
});

test('the spec is of the version that is built', () => {
  const version = (file, pattern) => pattern.exec(readFileSync(join(SOURCE, file), 'utf8'))[1];
  assert.equal(version('packaging/rpm/nexus.spec', /^Version: +(\S+)$/m), version('CMakeLists.txt', /^project\(nexus VERSION (\S+)/m));
});

test('the list of parts names what the programs are linked with', { skip: !isRelease && 'reads a release build' }, () => {
  const list = JSON.parse(execFileSync(join(SOURCE, 'packaging/sbom'), [BIN], { encoding: 'utf8', env: SOME_TIME }));
  assert.equal(list.metadata.timestamp, '2023-11-14T22:13:20.000Z');
  const linkage = Object.fromEntries(list.components.map(({ name, properties }) => [name, properties[0].value]));
  for (const [name, how] of Object.entries({ libcurl4: 'shared', libssl3: 'shared', 'libsodium-dev': 'static', 'libyaml-cpp-dev': 'static', 'libcli11-dev': 'header', 'nlohmann-json3-dev': 'header', 'libtomlplusplus-dev': 'header' }))
    assert.equal(linkage[name], how, name);
  assert.ok(!('catch2' in linkage), 'the tests\' libraries are no part');
});
