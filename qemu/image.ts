/**
 * Builds the images that are booted under QEMU: `node qemu/image.ts arm64 armhf`. What is up to date is left
 * alone: the name of an image is a hash of all it was made of. See docs/qemu.md.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BuildError } from '../scripts/native/run.ts'
import { architectureNamed, BOOT_MODULES, ROOT_MODULES, UNWANTED, type Architecture } from './image/architectures.ts'
import { debianFiles } from './image/debian.ts'
import { makeInitramfs, takeKernel } from './image/kernel.ts'
import { contentsOf, GUEST_FILES, keyOf, OPENWRT_FILES, QEMU_BUILD, ROOT, say } from './image/places.ts'
import { layRoot, packRoot } from './image/root.ts'

export interface Image {
  readonly architecture: Architecture
  readonly kernel: string
  readonly initramfs: string
  readonly root: string
  /** JSON: what the image was made of, with versions. */
  readonly manifest: string
}

/** The image, built if it is not there. */
export async function imageOf(architecture: Architecture): Promise<Image> {
  const debian = await debianFiles(architecture)
  const inputs = JSON.stringify([architecture, debian.files, BOOT_MODULES, ROOT_MODULES, String(UNWANTED)])
  const prefix = `image-${architecture.name}-`
  const name = `${prefix}${keyOf(inputs, contentsOf(GUEST_FILES, OPENWRT_FILES, join(ROOT, 'qemu/image')))}`
  const folder = join(QEMU_BUILD, name)
  if (!existsSync(folder)) await build(architecture, debian, folder)
  for (const old of readdirSync(QEMU_BUILD)) if (old.startsWith(prefix) && old !== name && isForgotten(join(QEMU_BUILD, old))) rmSync(join(QEMU_BUILD, old), { recursive: true, force: true })
  return { architecture, kernel: join(folder, 'vmlinuz'), initramfs: join(folder, 'initramfs.cpio'), root: join(folder, 'root.sqfs'), manifest: join(folder, 'manifest.json') }
}

/** Another program may just be about to boot a younger one. */
function isForgotten(folder: string): boolean {
  return Date.now() - statSync(folder).mtimeMs > 3_600_000
}

async function build(architecture: Architecture, debian: Awaited<ReturnType<typeof debianFiles>>, folder: string): Promise<void> {
  const startedAt = performance.now()
  const place = mkdtempSync(join(QEMU_BUILD, '.image-'))
  try {
    const goal = join(place, 'goal')
    const root = join(place, 'root')
    for (const made of [goal, root]) mkdirSync(made)
    say(`${architecture.name}: kernel and its modules`)
    const kernel = await takeKernel(debian, place, join(goal, 'vmlinuz'))
    say(`${architecture.name}: root from ${debian.files.length} Debian packages and Node ${architecture.node.version}`)
    await layRoot(architecture, debian, kernel, root)
    await makeInitramfs(kernel, debian, place, join(goal, 'initramfs.cpio'))
    say(`${architecture.name}: squashfs`)
    await packRoot(root, join(goal, 'root.sqfs'))
    const manifest = {
      architecture: architecture.name,
      kernel: kernel.version,
      node: `${architecture.node.name} ${architecture.node.version}`,
      debian: debian.files.filter((file) => !UNWANTED.test(file.name)).map(({ name, version, sha256 }) => ({ name, version, sha256 })),
    }
    writeFileSync(join(goal, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`)
    renameSync(goal, folder)
    const sizes = ['vmlinuz', 'initramfs.cpio', 'root.sqfs'].map((name) => `${name} ${(statSync(join(folder, name)).size / 1e6).toFixed(1)} MB`)
    say(`${architecture.name}: Linux ${kernel.version}, ${sizes.join(', ')}; took ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    for (const name of process.argv.slice(2)) {
      const image = await imageOf(architectureNamed(name))
      const { kernel, node } = JSON.parse(readFileSync(image.manifest, 'utf8')) as { kernel: string; node: string }
      say(`${name}: ready, Linux ${kernel}, ${node}`)
    }
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    console.error(`[qemu] ${error.message}`)
    process.exitCode = 1
  }
}
