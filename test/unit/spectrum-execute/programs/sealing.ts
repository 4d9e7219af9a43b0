/** Executes the same blocks on a state file, and tells each root when it is on disk. Killed by its test at any moment. */
import { createInlineExecutor, openStateStore } from '../../../../src/spectrum/execute/inline.ts'
import { native } from '../../spectrum/curves.ts'
import { person } from '../../spectrum/village.ts'
import { assemble } from '../assembly.ts'
import { address, send, townNetwork, townOver } from '../town.ts'

const [, , statePath = ''] = process.argv
const people = Array.from({ length: 20 }, (_, index) => person(index + 300))
/** Writes its data's first word into slots that depend on the block. */
const writer = { address: address('aa'), balanceWei: 0n, nonce: 1n, code: assemble(0, 'CALLDATALOAD', 'DUP1', 'NUMBER', 'MUL', 'SSTORE', 'STOP') }
const executor = createInlineExecutor({ curve: native, store: openStateStore({ path: statePath }), fetchNodes: null, ancestorHash: () => Promise.resolve(null), maxCacheBytes: 1 << 20 })
const place = await townOver(townNetwork({ people, accounts: [writer] }), executor)
let parent = place.genesis
for (let number = 1; number <= 60; number++) {
  // What was executed before the crash is executed again: the nodes are there already.
  const transactions = people.map((one, index) => send(place.network, one, number - 1, index % 2 === 0 ? { valueWei: BigInt(index) } : { to: writer.address, gas: 100_000n, data: new Uint8Array(32).fill(index) }))
  parent = (await place.next(parent, transactions)).header
  process.stdout.write(`${JSON.stringify({ number, root: parent.stateRoot })}\n`)
}
