/**
 * Calls every function of the bare addon, without its typed door, with arguments nobody would pass, in this
 * process's network namespace. What may come back: a value, a TypeError, a RangeError, or an Error that says
 * that a session is busy or cannot be opened.
 * Usage: node fuzz-exports.ts <addon> <seconds> <seed>. Prints how many calls were made.
 */
import { randomStream } from '../../unit/native/random-stream.ts'

type AnyFunction = (...args: unknown[]) => unknown

const [path = '', seconds = '1', seed = '1'] = process.argv.slice(2)
const module: { exports: Record<string, AnyFunction> } = { exports: {} }
process.dlopen(module, path)
const { open, close, ...rest } = module.exports
if (open === undefined || close === undefined) throw new Error('no addon')
const random = randomStream(seed)
const sessions: number[] = []
const heard = (): void => undefined

const things: readonly (() => unknown)[] = [
  () => random.pick(sessions),
  () => random.pick(sessions),
  () => random.pick(sessions),
  () => random.pick([0, 1, 2, 5, 7, 10, 255, 256, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 32, 2 ** 53]),
  () => random.bytes(random.pick([0, 1, 12, 20, 40, 100, 1000])),
  () => changes(),
  () => changes().subarray(random.below(4)),
  () => changes().with(random.below(12), random.below(256)),
  () => Buffer.from(changes()),
  () => detached(),
  () => new Uint16Array(20),
  () => new DataView(new ArrayBuffer(32)),
  () => random.pick(['t', 's', 'x'.repeat(255), 'x'.repeat(256), '', 'a\0b', '\ud800', '/proc/self/ns/net', '/nowhere']),
  () => random.pick(['t', 's']),
  () => heard,
  () => random.below(2) === 0,
  () => random.pick([undefined, null, 10n, Symbol('s'), {}, []]),
]

/** Elements for the set `s` of the table `t`, as changes.h lays them out. */
function changes(): Uint8Array {
  const count = random.below(5)
  const bytes = [1 + random.below(5), 1, random.below(4), 1, 1, 0, 0, 0, count, 0, 0, 0, 116, 115]
  for (let i = 0; i < count; i++) bytes.push(random.below(32), 0, 4, 0, random.below(2) * 4, 0, 0, 0, ...random.bytes(4 + random.below(40)))
  return Uint8Array.from(bytes)
}
function detached(): Uint8Array {
  const array = new Uint8Array(40)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

const end = performance.now() + Number(seconds) * 1000
let calls = 0
const pending: Promise<unknown>[] = []
const attempt = (name: string, call: AnyFunction, args: readonly unknown[]): unknown => {
  calls++
  try {
    const value = call(...args)
    if (value instanceof Promise) pending.push(value)
    return value
  } catch (error) {
    const isAllowed = error instanceof TypeError || error instanceof RangeError || (error instanceof Error && /busy|namespace|socket|descriptor/.test(error.message))
    if (!isAllowed) throw new Error(`${name} threw ${String(error)}`)
    return undefined
  }
}
do {
  while (sessions.length < 4) sessions.push(open(random.below(2) === 0 ? null : '/proc/self/ns/net') as number)
  attempt('open', open, [random.pick(things)()])
  for (const [name, call] of Object.entries(rest)) {
    attempt(name, call, [random.pick(sessions), ...Array.from({ length: random.below(5) }, () => random.pick(things)())])
    attempt(name, call, Array.from({ length: random.below(6) }, () => random.pick(things)()))
  }
  attempt('dumpElementsInPool', rest['dumpElementsInPool'] ?? heard, [random.pick(sessions), 1, 't', 's'])
  attempt('watch', rest['watch'] ?? heard, [random.pick(sessions), heard, false, 65_536])
  if (random.below(3) === 0) attempt('close', close, [sessions.splice(random.below(sessions.length), 1)[0]])
  if (random.below(20) === 0) await new Promise((resolve) => setImmediate(resolve))
  if (pending.length > 20) await Promise.all(pending.splice(0))
} while (performance.now() < end)
await Promise.all(pending)
console.log(`${calls} calls`)
