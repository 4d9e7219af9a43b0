/** Writes 12 MB of nodes into a state file, looks each up again, and tells how much anonymous memory the process has more, in bytes. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { openStateStore } from '../../../../src/spectrum/execute/inline.ts'
import { hexOf } from '../../../../src/spectrum/codec/fields.ts'
import type { Hash } from '../../../../src/spectrum/index.ts'

const [ROUNDS, NODES, NODE_BYTES] = [60, 400, 500]
const store = openStateStore({ path: process.argv[2] ?? '' })
const hashOf = (n: number): Hash => hexOf(createHash('sha256').update(String(n)).digest())

function anonymous(): number {
  globalThis.gc?.()
  return Number(/^Anonymous:\s+(\d+) kB/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1]) * 1024
}

function round(first: number): void {
  store.write(new Map(Array.from({ length: NODES }, (_, n) => [hashOf(first + n), new Uint8Array(NODE_BYTES).fill(n)])), null)
  for (let n = 0; n < NODES; n++) if (store.node(hashOf(first + n)) === undefined) throw new Error('a node is lost')
}

round(0) // what the compiler and the first pages take is not looked for
const before = anonymous()
for (let at = 1; at <= ROUNDS; at++) round(at * NODES)
const grown = anonymous() - before
store.close()
process.stdout.write(JSON.stringify({ grown }))
