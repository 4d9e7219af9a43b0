/**
 * Calls every function of the bare addon, without its typed door, with arguments nobody would pass. The only answers allowed are a value, a TypeError, a
 * RangeError, or an Error of open that says what the kernel refused. Usage: node bare-fuzz.ts <addon> <seconds> <seed>. Prints how many calls were made, and how much was heard.
 */
import { randomStream } from '../random-stream.ts'

type AnyFunction = (...args: unknown[]) => unknown

const [path = '', seconds = '1', seed = '1'] = process.argv.slice(2)
const module: { exports: Record<string, AnyFunction> } = { exports: {} }
process.dlopen(module, path)
const random = randomStream(seed)
const sockets: number[] = []
const ports: number[] = []
let heard = 0
let calls = 0
let bytes = new Uint8Array(16 * 65_536)
let table = new Int32Array(16 * 8)

const listener = (count: unknown): void => {
  heard++
  if (typeof count !== 'number' || count < 1 || count > 16) throw new Error(`a listener was told ${String(count)}`)
  for (let word = 0; word < table.length; word++) if (random.below(3) === 0) table[word] = random.below(100_000) - 1_000
  if (random.below(3) > 0) try_('answer', random.pick(sockets))
  if (random.below(50) === 0) try_('close', sockets.pop())
}
const strange: readonly (() => unknown)[] = [
  () => random.pick([0, 1, 15, 16, 65_535, 65_536, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53]),
  () => random.pick([undefined, null, '', '127.0.0.1', '::', 'x'.repeat(100), 'fe80::1%nowhere', 'a\0b', '\ud800', 10n, Symbol('s'), {}, [], true]),
  () => random.bytes(random.pick([0, 1, 4, 100])),
  () => new Int32Array(4),
  () => new DataView(new ArrayBuffer(32)),
  () => listener,
]
/** Arguments of the right form, so that the kernel is really asked. */
const right: Readonly<Record<string, () => unknown[]>> = {
  open: () => [random.pick(['127.0.0.1', '::ffff:127.0.0.1', '127.0.0.1', '256.1.1.1']), random.pick([0, 0, 0, random.pick(ports)]), random.pick([0, 4096, 1 << 20]), random.pick([0, 5, 1000]), random.pick([0, 1, 20]), bytes, table, listener],
  port: () => [random.pick(sockets)],
  answer: () => [random.pick(sockets)],
  host: () => [random.pick(sockets), random.below(16)],
  send: () => [random.pick(sockets), random.bytes(random.pick([0, 4, 100, 70_000])), '127.0.0.1', random.pick(ports)],
  close: () => [sockets.length > 20 ? sockets.shift() : undefined],
}

function try_(name: string, ...args: unknown[]): unknown {
  calls++
  try {
    return module.exports[name]?.(...args)
  } catch (error) {
    const isRefusal = name === 'open' && error instanceof Error && /^(bind|read the address|make a socket): /.test(error.message)
    if (!isRefusal && !(error instanceof TypeError) && !(error instanceof RangeError)) throw new Error(`${name} threw ${String(error)}`)
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
    if (name === 'open' && typeof value === 'number') {
      sockets.push(value)
      const port = try_('port', value)
      if (typeof port === 'number' && port > 0) ports.push(port)
      if (ports.length > 20) ports.shift()
    }
  }
  if (random.below(100) === 0) {
    structuredClone(bytes, { transfer: [bytes.buffer] })
    bytes = new Uint8Array(16 * 65_536)
    table = new Int32Array(16 * 8)
  }
  await new Promise((resolve) => setImmediate(resolve))
} while (performance.now() < end)
console.log(`${calls} calls, ${heard} heard`)
process.exit(0) // with much still open and under way
