/** Folders, package names and machines of the packer in one place. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
export const FEED = join(ROOT, 'openwrt-feed')
/** Where `make ipk` puts packages and `make feed` the index. */
export const PACKAGES = join(ROOT, 'build/packages')

/** Something is wrong with what is to be packed; the text says what and where. */
export class PackageError extends Error {
  override readonly name = 'PackageError'
}

/** What an ELF file says of the processor it is for (ELF specification, e_machine and EI_CLASS). */
export interface Processor {
  readonly name: string
  readonly elfMachine: number
  readonly bits: 32 | 64
}

const AARCH64: Processor = { name: 'aarch64', elfMachine: 183, bits: 64 }
const ARM: Processor = { name: 'arm', elfMachine: 40, bits: 32 }

/** Names of opkg for processors, and the target of the native build that runs on them. */
export const ARCHITECTURES: Readonly<Record<string, { readonly target: string; readonly processor: Processor }>> = {
  'aarch64_cortex-a53': { target: 'arm64-musl', processor: AARCH64 },
  'aarch64_cortex-a72': { target: 'arm64-musl', processor: AARCH64 },
  aarch64_generic: { target: 'arm64-musl', processor: AARCH64 },
  'arm_cortex-a7_neon-vfpv4': { target: 'armv7-musl', processor: ARM },
}

/** Targets whose C library is not OpenWrt's: good for Node of npm in an emulated machine, never for a router. */
export const EMULATION_TARGETS: Readonly<Record<string, Processor>> = { 'arm64-gnu': AARCH64, 'armv7-gnu': ARM }
