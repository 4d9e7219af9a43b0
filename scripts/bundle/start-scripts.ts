/** The shell scripts `meshboxd` and `meshbox` of the bundle: the one place where Node's flags and its environment are set. */

/**
 * Measured in docs/memory.md. One thread for V8's own work, small first generation, less compiled code in
 * memory; the last is only a cap.
 */
export const V8_FLAGS: readonly string[] = ['--v8-pool-size=1', '--max-semi-space-size=1', '--optimize-for-size', '--max-old-space-size=128']

/** `entry`: file beside the script. */
export function startScript(program: string, entry: string): string {
  return `#!/bin/sh
# Starts ${entry} with the Node that MESHBOX_NODE names, or the system's.
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
node=\${MESHBOX_NODE:-node}
command -v "$node" > /dev/null || { echo "${program}: there is no program '$node'; install Node 22.14 or newer (OpenWrt: node127)" >&2; exit 127; }
export MALLOC_ARENA_MAX=1 UV_THREADPOOL_SIZE="\${UV_THREADPOOL_SIZE:-2}"
exec "$node" ${V8_FLAGS.join(' ')} "$here/${entry}" "$@"
`
}
