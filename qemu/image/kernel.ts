/**
 * The kernel, the modules the guest may load, and the initramfs that finds the root: a static busybox, the
 * modules of the disks in loading order, and guest/initramfs/init.
 */
import { copyFileSync, cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { BuildError, run } from '../../scripts/native/run.ts'
import { BOOT_MODULES, INITRAMFS_BUSYBOX, ROOT_MODULES } from './architectures.ts'
import type { DebianFiles } from './debian.ts'
import { GUEST_FILES } from './places.ts'

export interface Kernel {
  readonly version: string
  /** Folder with lib/modules/<version>: only what ROOT_MODULES asks for, with its index. */
  readonly modules: string
}

/** Unpacks the kernel's package below `place`, copies the kernel to `goal`. */
export async function takeKernel(debian: DebianFiles, place: string, goal: string): Promise<Kernel> {
  const file = debian.files.find((one) => one.name.startsWith('linux-image-'))
  if (file === undefined) throw new BuildError('no kernel among the Debian packages')
  const all = join(place, 'kernel')
  await run('dpkg-deb', ['-x', join(debian.folder, file.file), all])
  const version = readdirSync(join(all, 'lib/modules'))[0]
  if (version === undefined) throw new BuildError(`${file.file} has no modules`)
  await run('depmod', ['-b', all, version], { ifMissing: 'install kmod' })
  const modules = join(place, 'modules')
  for (const path of await moduleFiles(all, version, ROOT_MODULES)) {
    mkdirSync(dirname(join(modules, path)), { recursive: true })
    copyFileSync(join(all, path), join(modules, path))
  }
  for (const index of ['modules.order', 'modules.builtin', 'modules.builtin.modinfo']) {
    const from = join(all, 'lib/modules', version, index)
    if (existsSync(from)) copyFileSync(from, join(modules, 'lib/modules', version, index))
  }
  await run('depmod', ['-b', modules, version])
  copyFileSync(join(all, `boot/vmlinuz-${version}`), goal)
  return { version, modules }
}

/** Files of the modules, each after what it depends on; built-in ones have none. Relative to the root. */
async function moduleFiles(root: string, version: string, names: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const name of names) {
    const { stdout } = await run('modprobe', ['--show-depends', '-d', root, '-S', version, name])
    for (const [, path] of stdout.matchAll(/^insmod (\S+)/gm)) {
      const relative = (path as string).slice(root.length).replace(/^\/+/, '')
      if (!found.includes(relative)) found.push(relative)
    }
  }
  return found
}

export async function makeInitramfs(kernel: Kernel, debian: DebianFiles, place: string, goal: string): Promise<void> {
  const tree = mkdtempSync(join(place, 'initramfs-'))
  for (const folder of ['bin', 'dev', 'proc', 'sys', 'rom', 'overlay', 'root', 'modules']) mkdirSync(join(tree, folder))
  const busybox = debian.files.find((one) => one.name === INITRAMFS_BUSYBOX)
  if (busybox === undefined) throw new BuildError(`no ${INITRAMFS_BUSYBOX} among the Debian packages`)
  await run('dpkg-deb', ['-x', join(debian.folder, busybox.file), join(place, INITRAMFS_BUSYBOX)])
  copyFileSync(join(place, INITRAMFS_BUSYBOX, 'bin/busybox'), join(tree, 'bin/busybox'))
  cpSync(join(GUEST_FILES, 'initramfs'), tree, { recursive: true })
  const files = await moduleFiles(kernel.modules, kernel.version, BOOT_MODULES)
  for (const file of files) copyFileSync(join(kernel.modules, file), join(tree, 'modules', basename(file)))
  writeFileSync(join(tree, 'modules/order'), `${files.map((file) => basename(file)).join('\n')}\n`)
  const names = ['.', ...globSync('**/*', { cwd: tree })].sort()
  writeFileSync(join(place, 'initramfs.list'), `${names.join('\n')}\n`)
  await run('sh', ['-c', 'cpio --quiet --create --format=newc --owner=0:0 --reproducible < "$1" > "$2"', 'cpio', join(place, 'initramfs.list'), `${goal}.part`], {
    cwd: tree,
  })
  renameSync(`${goal}.part`, goal)
  rmSync(tree, { recursive: true, force: true })
}
