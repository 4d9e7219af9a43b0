/** Where the images, their inputs and the running machines lie, and how the builder talks. */
import { createHash } from 'node:crypto'
import { globSync, lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../scripts/native/fetch.ts'

export { ROOT }
/** Everything this folder makes; `make clean` removes it. */
export const QEMU_BUILD = join(ROOT, 'build/qemu')
/** Files of this folder that go into the guest. */
export const GUEST_FILES = join(ROOT, 'qemu/guest')
/** The stand-in for OpenWrt's own userland, laid over the root. */
export const OPENWRT_FILES = join(ROOT, 'qemu/openwrt')

export function say(text: string): void {
  console.log(`[qemu] ${text}`)
}

/** One name for many inputs: 16 hex digits of their SHA-256. */
export function keyOf(...inputs: readonly string[]): string {
  const hash = createHash('sha256')
  for (const input of inputs) hash.update(`${input.length}:`).update(input)
  return hash.digest('hex').slice(0, 16)
}

/** Names, modes and contents of all files below the folders: changes when any of them does. */
export function contentsOf(...folders: readonly string[]): string {
  const hash = createHash('sha256')
  for (const folder of folders)
    for (const name of globSync('**/*', { cwd: folder }).sort()) {
      const state = lstatSync(join(folder, name))
      if (state.isSymbolicLink()) hash.update(`${name} -> ${readlinkSync(join(folder, name))}\n`)
      else if (state.isFile()) hash.update(`${name} ${state.mode & 0o777} ${state.size}\n`).update(readFileSync(join(folder, name)))
    }
  return hash.digest('hex')
}
