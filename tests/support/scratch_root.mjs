// The whole machine to try things on: an overlay over / in namespaces of its own, which leaves nothing behind.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The upper directory is in memory; / has to be one file system, /run and /tmp are empty. Orphans are reaped.
const HOLD = `set -e
mount -t tmpfs tmpfs "$1"
cd "$1"
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
mount -t proc proc root/proc
mount --rbind /dev root/dev
for directory in run tmp; do mount -t tmpfs -o mode=1777 tmpfs root/$directory; done
chmod 755 root/run
mkdir -p root/mnt
mount --bind -o ro "$2" root/mnt
echo ready
exec perl -e '$SIG{CHLD} = "IGNORE"; sleep 1 while 1'`;

export class ScratchRoot {
  /** `shown` is a directory of the machine, which is /mnt there. Throws where this machine does not let us. */
  static async make(shown) {
    const root = new ScratchRoot();
    root.place = mkdtempSync(join(tmpdir(), 'nexus-root-'));
    chmodSync(root.place, 0o755);
    root.holder = spawn('unshare', ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', HOLD, 'hold', root.place, shown],
      { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    root.holder.stderr.on('data', (text) => { said += text; });
    const [first] = await Promise.race([once(root.holder.stdout, 'data'), once(root.holder, 'close').then(() => [''])]);
    if (!String(first).startsWith('ready')) throw new Error(`no scratch root: ${said}`);
    root.pid = readFileSync(`/proc/${root.holder.pid}/task/${root.holder.pid}/children`, 'utf8').trim();
    return root;
  }

  /** Runs a shell command there to its end, as root or as `user` in their home. */
  async run(command, { user, env = {}, input = '' } = {}) {
    const as = user ? ['runuser', '-u', user, '--'] : [];
    const child = spawn('nsenter', ['-t', this.pid, '--mount', '--pid', 'chroot', join(this.place, 'root'), ...as, 'sh', '-c', user ? `cd && ${command}` : command],
      { cwd: '/', env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive', TERM: 'dumb', HOME: user ? `/home/${user}` : '/root', ...env } });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr']) child[stream].setEncoding('utf8').on('data', (text) => { said[stream] += text; });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [code] = await once(child, 'close');
    return { code, ...said };
  }

  /** The same, of what has to go well; gives what it printed. */
  async ok(command, options) {
    const { code, stdout, stderr } = await this.run(command, options);
    if (code !== 0) throw new Error(`${command}: ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /** The files and links that are there now and were not, or are not as they were, below the given directories. */
  changed(...directories) {
    const { stdout } = spawnSync('nsenter', ['-t', this.pid, '--mount', 'sh', '-c',
      'cd "$1/upper" && shift && find "$@" ! -type d 2>/dev/null | sort', 'find', this.place, ...directories], { cwd: '/', encoding: 'utf8' });
    return stdout.trim().split('\n').filter(Boolean).map((path) => `/${path}`);
  }

  async remove() {
    const ended = once(this.holder, 'close');
    this.holder.kill('SIGKILL');
    await ended;
    rmdirSync(this.place);
  }
}
