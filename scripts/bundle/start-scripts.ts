/** The shell scripts `meshboxd` and `meshbox` of the bundle: the one place where Node's flags and its environment are set. */

/**
 * Measured in docs/memory.md. One thread for V8's own work, small first generation, less compiled code in
 * memory; the last is only a cap.
 */
export const V8_FLAGS: readonly string[] = ['--v8-pool-size=1', '--max-semi-space-size=1', '--optimize-for-size', '--max-old-space-size=128']

/**
 * For glibc; musl's allocator gives back by itself. The thresholds stay where they are: left alone they rise with the first large block
 * that is freed, which is the text of the program. The compiler works in blocks of 32 KiB: those go back one by one, and do not
 * lie among what stays.
 */
export const MALLOC_ENVIRONMENT: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '32768', MALLOC_TRIM_THRESHOLD_: '131072' }

/** `entry`: file beside the script. */
export function startScript(program: string, entry: string): string {
  return `#!/bin/sh
# Starts ${entry} with the Node that MESHBOX_NODE names, or the system's.
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
node=\${MESHBOX_NODE:-node}
command -v "$node" > /dev/null || { echo "${program}: there is no program '$node'; install Node 22.14 or newer (OpenWrt: node127)" >&2; exit 127; }
export ${Object.entries(MALLOC_ENVIRONMENT).map(([name, value]) => `${name}=${value}`).join(' ')}
export UV_THREADPOOL_SIZE="\${UV_THREADPOOL_SIZE:-2}"
exec "$node" ${V8_FLAGS.join(' ')} "$here/${entry}" "$@"
`
}
