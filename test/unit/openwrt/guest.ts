/**
 * A small OpenWrt on this machine: the stand-in over busybox in a folder that is made the root, with its own process,
 * mount and network namespaces. All of it ends with the shell that was started in it. Needs root.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { STAND_IN } from './shells.ts'
import type { Result } from './shells.ts'

export interface Guest {
  readonly root: string
  write(path: string, text: string, mode?: number): void
  /** Runs a text in the guest's shell, with /proc and a loopback interface that is up. */
  run(text: string): Result
  remove(): void
}

/** @param programs more programs of this machine to have in it, with their libraries */
export function makeGuest(programs: readonly string[] = []): Guest {
  if (process.getuid?.() !== 0) throw new Error('the guest of these tests needs root: mount and network namespaces, chroot')
  const root = mkdtempSync(join(tmpdir(), 'openwrt-guest-'))
  chmodSync(root, 0o755) // services in it are not root
  for (const folder of ['proc', 'sys', 'dev', 'tmp', 'etc/config', 'etc/init.d', 'etc/rc.d', 'usr/bin', 'usr/sbin', 'bin', 'sbin', 'lib', 'root'])
    mkdirSync(join(root, folder), { recursive: true })
  const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim()
  copyProgram(root, busybox, '/bin/busybox')
  for (const applet of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n'))
    if (applet !== 'busybox') symlinkSync('/bin/busybox', join(root, 'bin', applet))
  for (const program of ['/usr/bin/setpriv', '/usr/bin/flock', ...programs]) {
    if (!existsSync(program)) throw new Error(`${program} is missing on this machine`)
    copyProgram(root, program, program)
  }
  cpSync(STAND_IN, root, { recursive: true })
  symlinkSync('tmp', join(root, 'var'))
  const guest: Guest = {
    root,
    write(path, text, mode = 0o644) {
      const file = join(root, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      chmodSync(file, mode)
    },
    run(text) {
      guest.write('root/script', `export PATH=/usr/sbin:/usr/bin:/sbin:/bin; ip link set lo up; ${text}\n`)
      const outside = `mount -t proc proc '${root}/proc' && mount -t tmpfs tmpfs '${root}/dev' && mount -t tmpfs tmpfs '${root}/tmp' && mknod -m 666 '${root}/dev/null' c 1 3 && mknod -m 666 '${root}/dev/urandom' c 1 9 && ln -s /proc/self/fd/2 '${root}/dev/stderr' && ln -s /proc/self/fd/0 '${root}/dev/stdin' && mkdir -p '${root}/var/lock' '${root}/var/run' && exec chroot '${root}' /bin/ash /root/script < /dev/null`
      const done = spawnSync('unshare', ['-m', '-p', '-n', '-f', '--kill-child', 'sh', '-c', outside], { encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' })
      if (done.error) throw done.error
      return { code: done.status, out: done.stdout, err: done.stderr }
    },
    remove() {
      rmSync(root, { recursive: true, force: true })
    },
  }
  guest.write('etc/passwd', 'root:x:0:0:root:/root:/bin/ash\nnobody:x:65534:65534:nobody:/var:/bin/false\n')
  guest.write('etc/group', 'root:x:0:\nnogroup:x:65534:\n')
  guest.write('etc/shadow', 'root:::0:99999:7:::\n', 0o600)
  return guest
}

/** A program and the libraries that ldd names, where the loader looks for them. */
function copyProgram(root: string, program: string, at: string): void {
  const put = (from: string, to: string): void => {
    if (existsSync(join(root, to))) return
    mkdirSync(dirname(join(root, to)), { recursive: true })
    copyFileSync(realpathSync(from), join(root, to))
  }
  put(program, at)
  chmodSync(join(root, at), 0o755)
  const said = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout
  for (const [, library] of said.matchAll(/(\/\S+) \(0x/g)) if (library) put(library, library)
}
