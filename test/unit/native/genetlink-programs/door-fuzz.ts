/**
 * Calls every function of the bare addon, without its typed door, with arguments nobody would pass. The only
 * answers allowed are a value, a TypeError or a RangeError.
 * Usage: node door-fuzz.ts <addon> <seconds> <seed>. Prints how many calls were made, and how much was heard.
 */
import { randomStream } from '../random-stream.ts'

type AnyFunction = (...args: unknown[]) => unknown

const [path = '', seconds = '1', seed = '1'] = process.argv.slice(2)
const module: { exports: Record<string, AnyFunction> } = { exports: {} }
process.dlopen(module, path)
const random = randomStream(seed)
let heard = 0
let calls = 0
const channels: number[] = []
const listener = (...news: unknown[]): void => {
  heard++
  if (news.length !== 6 || !(news[5] instanceof Uint8Array)) throw new Error(`a listener was told ${String(news)}`)
  if (random.below(50) === 0) try_('close', channels.pop())
}

const strange: readonly (() => unknown)[] = [
  () => random.pick([0, 1, 16, 31, 255, 256, 65_535, 65_536, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53]),
  () => random.pick([undefined, null, '', 'lo', '/proc/self/ns/net', '/nonexistent', 'x'.repeat(5000), 'a\0b', '\ud800', 10n, Symbol('s'), {}, [], true, false]),
  () => random.bytes(random.pick([0, 1, 4, 100, 32_768, 32_769])),
  () => new Uint16Array(4),
  () => new DataView(new ArrayBuffer(32)),
  () => structuredClone(new Uint8Array(8)).subarray(3),
  () => listener,
]
/** Arguments of the right form, so that the kernel is really asked. */
const right: Readonly<Record<string, () => unknown[]>> = {
  open: () => [random.pick(['', '', '', '/proc/self/ns/net', '/nonexistent']), random.pick([0, 4096, 1_000_000]), listener, random.below(5) === 0],
  request: () => [random.pick(channels), ticket(), random.below(2) === 0, random.pick([16, 16, 17, 50, 1000]), random.pick([3, 3, 9]), 1, random.bytes(random.pick([0, 4, 8, 20])), random.pick([0, 100, 1_000_000])],
  setMembership: () => [random.pick(channels), ticket(), random.pick([1, 16, 17, 4000]), random.below(2) === 0],
  interfaceIndex: () => [random.pick(channels), ticket(), random.pick(['lo', 'nope0', ''])],
  cancel: () => [random.pick(channels), ticket()],
  hold: () => [random.pick(channels), random.below(2) === 0],
  close: () => [channels.length > 20 ? channels.shift() : undefined],
}
const ticket = (): number => 1 + random.below(50)

function try_(name: string, ...args: unknown[]): unknown {
  calls++
  try {
    return module.exports[name]?.(...args)
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof RangeError)) throw new Error(`${name} threw ${String(error)}`)
    return undefined
  }
}

const end = performance.now() + Number(seconds) * 1000
do {
  for (let i = 0; i < 200; i++) {
    const name = random.pick(Object.keys(right))
    if (name === 'open' && random.below(10) !== 0) continue
    const args = right[name]?.() ?? []
    if (random.below(3) === 0) args[random.below(args.length)] = random.pick(strange)()
    if (random.below(20) === 0) args.length = random.below(args.length + 1)
    const value = try_(name, ...args)
    if (name === 'open' && typeof value === 'number') channels.push(value)
  }
  await new Promise((resolve) => setImmediate(resolve))
} while (performance.now() < end)
console.log(`${calls} calls, ${heard} heard`)
process.exit(0) // with much still open and under way
