/**
 * Ends while the pool is full of batches. Usage: node exit-busy.ts <addon> <how>, how: `exit` (at once),
 * `later` (while some are being computed), `throw` (an error nobody catches), `end` (nothing more to do).
 */
import { concatBytes } from '../../../../src/base/index.ts'
import { loadSecp256k1 } from '../../../../src/native/index.ts'

const [path = '', how = 'exit'] = process.argv.slice(2)
const x = loadSecp256k1(path)
const key = new Uint8Array(32).fill(7)
const digest = new Uint8Array(32).fill(9)
const frames = concatBytes(...Array.from({ length: 100 }, () => concatBytes(digest, x.sign(digest, key))))
let done = 0
const batches = Array.from({ length: 40 }, async (_, index) => {
  await (index % 2 === 0 ? x.recoverBatchInPool(frames) : x.signBatchInPool(frames.subarray(0, 3200), key))
  done++
  if (how === 'later' && done === 5) process.exit(7)
  if (how === 'throw' && done === 5) throw new Error('on purpose')
})
if (how === 'exit') process.exit(7)
await Promise.all(batches)
console.log(`${done} done`)
