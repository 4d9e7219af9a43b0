/**
 * Calls every function of the bare addon, without its typed door, with arguments nobody would pass. The
 * only answers allowed are a value, a TypeError or a RangeError.
 * Usage: node addon-fuzz.ts <addon> <seconds> <seed>. Prints how many calls were made.
 */
import { randomStream } from '../random-stream.ts'

type AnyFunction = (...args: unknown[]) => unknown

const [path = '', seconds = '1', seed = '1'] = process.argv.slice(2)
const module: { exports: Record<string, AnyFunction> } = { exports: {} }
process.dlopen(module, path)
const functions = Object.entries(module.exports)
const random = randomStream(seed)
const LENGTHS = [0, 1, 20, 31, 32, 33, 63, 64, 65, 66, 96, 97, 98, 130, 161, 194, 322, 1000, 4160, 4225]

const things: readonly (() => unknown)[] = [
  () => random.bytes(random.pick(LENGTHS)),
  () => random.bytes(random.pick([32, 33, 64, 65, 97, 161])),
  () => point(),
  () => random.bytes(100).subarray(random.below(50), 50 + random.below(50)),
  () => Buffer.from(random.bytes(random.pick(LENGTHS))),
  () => new Uint8Array(new SharedArrayBuffer(random.pick(LENGTHS))),
  () => detached(random.pick(LENGTHS)),
  () => shrunk(),
  () => new Uint16Array(random.pick(LENGTHS)),
  () => new Float64Array(4),
  () => new DataView(new ArrayBuffer(32)),
  () => new ArrayBuffer(32),
  () => new Uint8ClampedArray(32),
  () => new Proxy(new Uint8Array(32), {}),
  () => Object.create(Uint8Array.prototype),
  () => random.below(2) === 0,
  () => random.pick([0, 1, 32, 33, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 32, 2 ** 53, Number.MAX_VALUE]),
  () => random.pick([undefined, null, '', 'text', 10n, Symbol('s'), {}, [], () => 1]),
  () => ({
    get length() {
      throw new RangeError('looked at')
    },
  }),
]

function point(): unknown {
  const key = random.bytes(32)
  return module.exports.publicKeyOf?.(key, random.below(2) === 0)
}
function detached(length: number): Uint8Array {
  const array = new Uint8Array(length)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}
/** A window of which a part has gone. */
function shrunk(): Uint8Array {
  const buffer = Reflect.construct(ArrayBuffer, [65, { maxByteLength: 65 }]) as ArrayBuffer & { resize(length: number): void }
  const array = random.below(2) === 0 ? new Uint8Array(buffer) : new Uint8Array(buffer, 0, 33)
  buffer.resize(random.pick([0, 16, 32, 33]))
  return array
}

const end = performance.now() + Number(seconds) * 1000
let calls = 0
const pending: Promise<unknown>[] = []
do {
  for (const [name, call] of functions) {
    const args = Array.from({ length: random.below(6) }, () => random.pick(things)())
    try {
      const value = call(...args)
      if (value instanceof Promise) pending.push(value)
    } catch (error) {
      if (!(error instanceof TypeError) && !(error instanceof RangeError)) throw new Error(`${name} threw ${String(error)}`)
    }
    calls++
  }
  if (pending.length > 50) await Promise.all(pending.splice(0))
} while (performance.now() < end)
await Promise.all(pending)
console.log(`${calls} calls`)
