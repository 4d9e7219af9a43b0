/**
 * What the addons use of C++'s library, where the compiler brings that as sources: the compiler itself would compile the whole of it for
 * each machine, a minute of a processor, and link its unwinder and demangler, which nothing here can reach: no file has exceptions or rtti.
 * What is missing shows in the gates (musl's loader finds nothing unresolved) and under the emulated machines.
 */
import { join } from 'node:path'
import type { Unit } from './recipe.ts'

/** In the compiler's folder `lib`. An addon keeps of them what it calls (--gc-sections). */
const FILES = [
  ...['algorithm', 'hash', 'memory', 'mutex', 'mutex_destructor', 'new', 'random', 'string', 'system_error', 'verbose_abort'].map((name) => `libcxx/src/${name}.cpp`),
  ...['abort_message', 'cxa_default_handlers', 'cxa_guard', 'cxa_handlers', 'cxa_virtual', 'stdlib_new_delete'].map((name) => `libcxxabi/src/${name}.cpp`),
]

/** As the library's own build has them, but without exceptions and rtti. */
const FLAGS = ['-std=c++20', '-fno-exceptions', '-fno-rtti', '-w', '-DNDEBUG', '-D_LIBCPP_BUILDING_LIBRARY', '-DLIBCXX_BUILDING_LIBCXXABI', '-D_LIBCXXABI_BUILDING_LIBRARY']

export function cppRuntime(lib: string): Unit[] {
  return FILES.map((file) => ({ file: join(lib, file), flags: [...FLAGS, `-I${join(lib, 'libcxx/src')}`] }))
}
