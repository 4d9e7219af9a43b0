/** The udp addon on loopback, against node:dgram: what comes, what goes back, what a flood does, and what is left when it closes. MESHBOX_UDP_ROUNDS: of the memory test. */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { createRequire } from 'node:module'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadUdp } from '../../../src/native/index.ts'
import type { OpenUdp, UdpSocket } from '../../../src/native/index.ts'
import { builtAddon } from './built-addon.ts'
import { runProgram } from './run-node.ts'

const ROUNDS = process.env.MESHBOX_UDP_ROUNDS ?? '20000'
const RECEIVE_BYTES = 256 * 1024
const program = (name: string): string => new URL(`./udp-programs/${name}`, import.meta.url).pathname
const open: (() => void)[] = []
let addon: string
let openUdp: OpenUdp

beforeAll(async () => {
  addon = await builtAddon('host', 'udp')
  openUdp = loadUdp(addon) as OpenUdp
})
afterEach(() => {
  for (const close of open.splice(0).reverse()) close()
})

interface Arrived {
  readonly hex: string
  readonly host: string
  readonly port: number
}

/** Answers each datagram with its first byte, if it has one. */
function server(address = '127.0.0.1', port = 0): { readonly socket: UdpSocket; readonly arrived: Arrived[]; readonly batches: number[] } {
  const arrived: Arrived[] = []
  const batches: number[] = []
  const socket = openUdp({ address, port, receiveBytes: RECEIVE_BYTES, closeMs: 0, gatherMs: 0 }, (from, count) => {
    batches.push(count)
    for (let slot = 0; slot < count; slot++) {
      const bytes = from.bytes(slot)
      arrived.push({ hex: Buffer.from(bytes).toString('hex'), ...from.from(slot) })
      if (bytes.length > 0) from.mark(slot, bytes.subarray(0, 1))
    }
    expect(from.answer()).toBe(0)
  })
  open.push(() => socket.close())
  return { socket, arrived, batches }
}

async function client(type: 'udp4' | 'udp6' = 'udp4', address = '127.0.0.1'): Promise<{ readonly socket: Socket; readonly answers: string[]; readonly send: (bytes: Uint8Array, port: number, to?: string) => Promise<void> }> {
  const socket = createSocket(type)
  await new Promise<void>((bound) => socket.bind(0, address, bound))
  open.push(() => socket.close())
  const answers: string[] = []
  socket.on('message', (bytes) => answers.push(bytes.toString('hex')))
  return { socket, answers, send: (bytes, port, to = address) => new Promise((sent, failed) => socket.send(bytes, port, to, (error) => (error === null ? sent() : failed(error)))) }
}

/** Until it is so; the test's own limit ends a wait for nothing. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((later) => setTimeout(later, 2))
}

describe('a socket of the addon', () => {
  it('hears datagrams of every length in their order, and answers each where it came from', async () => {
    const { socket, arrived } = server()
    const [one, other] = [await client(), await client()]
    const lengths = [1, 4, 12, 200, 1_500, 9_000, 65_507, 0, 3]
    for (const [index, length] of lengths.entries()) {
      await (index % 2 === 0 ? one : other).send(new Uint8Array(length).fill(index + 1), socket.port)
      await until(() => arrived.length === index + 1)
    }
    expect(arrived.map(({ hex }) => hex.length / 2)).toEqual(lengths)
    expect(arrived.map(({ port }) => port)).toEqual(lengths.map((_, index) => (index % 2 === 0 ? one : other).socket.address().port))
    expect(new Set(arrived.map(({ host }) => host))).toEqual(new Set(['127.0.0.1']))
    await until(() => one.answers.length === 5 && other.answers.length === 3)
    expect([one.answers, other.answers]).toEqual([['01', '03', '05', '07', '09'], ['02', '04', '06']])
  })
  it('hears IPv4 and IPv6 through one door, and sends to both', async () => {
    const { socket, arrived } = server('::')
    const [v4, v6] = [await client(), await client('udp6', '::1')]
    await v4.send(Uint8Array.of(7), socket.port)
    await until(() => arrived.length === 1)
    await v6.send(Uint8Array.of(8), socket.port)
    await until(() => arrived.length === 2)
    expect(arrived).toEqual([{ hex: '07', host: '127.0.0.1', port: v4.socket.address().port }, { hex: '08', host: '::1', port: v6.socket.address().port }])
    for (const { host, port } of arrived) expect(socket.send(Uint8Array.of(0xab), { host, port })).toBe(true)
    await until(() => v4.answers.length === 2 && v6.answers.length === 2)
    expect([v4.answers.toSorted(), v6.answers.toSorted()]).toEqual([['07', 'ab'], ['08', 'ab']])
  })
  it('takes what waits in batches, none larger than its slots, and leaves the rest of a flood to the kernel', async () => {
    const { socket, arrived, batches } = server()
    const { send } = await client()
    // All of it is there before the event loop looks: more than fits, most of which is dropped.
    await Promise.all(Array.from({ length: 2_000 }, () => send(new Uint8Array(1_000), socket.port)))
    // It hears again what comes after: said until it is heard.
    while (arrived.at(-1)?.hex !== '0a') {
      await send(Uint8Array.of(10), socket.port)
      await new Promise((later) => setTimeout(later, 5))
    }
    expect(Math.max(...batches)).toBeGreaterThan(1)
    expect(Math.max(...batches)).toBeLessThanOrEqual(16)
  })
  it('lets those wait for each other that come close together, when it is asked to; one alone is heard at once', async () => {
    const batches: number[] = []
    const socket = openUdp({ address: '127.0.0.1', port: 0, receiveBytes: RECEIVE_BYTES, closeMs: 1_000, gatherMs: 200 }, (from, count) => {
      batches.push(count)
      for (let slot = 0; slot < count; slot++) from.mark(slot, Uint8Array.of(1))
      from.answer()
    })
    open.push(() => socket.close())
    const { send, answers } = await client()
    let sent = 0
    // A machine that stands still for longer than they wait hears them one by one: then once more.
    while (!batches.includes(2)) {
      for (const _ of [1, 2]) {
        await send(Uint8Array.of(1), socket.port)
        sent++
        for (let turn = 0; turn < 5; turn++) await new Promise((later) => setImmediate(later))
      }
      await until(() => answers.length === sent)
    }
    await send(Uint8Array.of(1), socket.port)
    socket.close() // while one waits
    for (let turn = 0; turn < 5; turn++) await new Promise((later) => setImmediate(later))
    expect(batches.reduce((sum, count) => sum + count, 0)).toBe(sent)
  })
  it('does not answer with more than came, nor twice', async () => {
    let again = 0
    const socket = openUdp({ address: '127.0.0.1', port: 0, receiveBytes: RECEIVE_BYTES, closeMs: 0, gatherMs: 0 }, (from, count) => {
      for (let slot = 0; slot < count; slot++) from.mark(slot, Uint8Array.of(1, 2, 3, 4))
      from.answer()
      again += from.answer()
    })
    open.push(() => socket.close())
    const { send, answers } = await client()
    for (const length of [3, 4, 5]) await send(new Uint8Array(length), socket.port)
    await until(() => answers.length === 2)
    await send(new Uint8Array(6), socket.port)
    await until(() => answers.length === 3)
    expect([answers, again]).toEqual([['01020304', '01020304', '01020304'], 0])
  })
  it('says when the kernel does not take what is sent, and goes on', async () => {
    const { socket, arrived } = server()
    expect(socket.send(Uint8Array.of(1), { host: '127.0.0.1', port: 0 })).toBe(false)
    expect(socket.send(Uint8Array.of(1), { host: '255.255.255.255', port: 9 })).toBe(false) // broadcast, which was not asked for
    expect(socket.send(new Uint8Array(65_508), { host: '127.0.0.1', port: 9 })).toBe(false)
    expect(socket.send(Uint8Array.of(1), { host: 'example.org', port: 9 })).toBe(false)
    expect(socket.send(Uint8Array.of(1), { host: '::1', port: 9 })).toBe(false) // not through a door of IPv4
    // Nobody is there: the kernel hears of it, and the socket has nothing to tell.
    const gone = await client()
    const { port } = gone.socket.address()
    open.pop()
    gone.socket.close()
    expect(socket.send(Uint8Array.of(1), { host: '127.0.0.1', port })).toBe(true)
    const { send } = await client()
    await send(Uint8Array.of(5), socket.port)
    await until(() => arrived.length === 1)
  })
  it('is refused a port that is taken and an address that is none, with the reason', () => {
    const { socket } = server()
    expect(() => server('127.0.0.1', socket.port)).toThrow(expect.objectContaining({ code: 'cannot-listen', message: `cannot listen at UDP 127.0.0.1:${socket.port}: bind: Address already in use` }))
    expect(() => server('192.0.2.1')).toThrow(/cannot listen at UDP 192\.0\.2\.1:0: bind: /)
    expect(() => server('gateway.example')).toThrow(/read the address/)
  })
  it('is silent from the moment it is closed, by its own listener too, with datagrams under way', async () => {
    let heard = 0
    const socket = openUdp({ address: '127.0.0.1', port: 0, receiveBytes: RECEIVE_BYTES, closeMs: 0, gatherMs: 0 }, (from, count) => {
      heard += count
      from.mark(0, new Uint8Array(0))
      from.close()
      expect([from.answer(), from.port, from.send(Uint8Array.of(1), { host: '127.0.0.1', port: 9 })]).toEqual([0, 0, false])
    })
    const { port } = socket
    const { send, answers } = await client()
    await Promise.all(Array.from({ length: 100 }, () => send(Uint8Array.of(1), port)))
    await until(() => heard > 0)
    const first = heard
    const next = server('127.0.0.1', port) // it is free at once
    await send(Uint8Array.of(2), port)
    await until(() => next.arrived.length === 1)
    await until(() => answers.length === 1)
    expect([heard, answers]).toEqual([first, ['02']])
    socket.close()
  })
  it('remembers a bounded number of places, and the same object for the same one', async () => {
    const places = new Set<object>()
    const socket = openUdp({ address: '127.0.0.1', port: 0, receiveBytes: RECEIVE_BYTES, closeMs: 0, gatherMs: 0 }, (from, count) => {
      for (let slot = 0; slot < count; slot++) places.add(from.from(slot))
    })
    open.push(() => socket.close())
    let heard = 0
    const { send } = await client()
    for (; heard < 50; heard++) await send(Uint8Array.of(1), socket.port)
    await until(() => places.size === 1)
    for (let other = 0; other < 300; other++) await (await client()).send(Uint8Array.of(1), socket.port)
    await until(() => places.size === 301)
  })
  it('ends when its memory is taken away, and takes no other', async () => {
    const bare = createRequire(import.meta.url)(addon) as { open(...arguments_: unknown[]): number; port(socket: number): number; close(socket: number): void }
    const bytes = new Uint8Array(16 * 65_536)
    const table = new Int32Array(16 * 8)
    for (const wrong of [[bytes.subarray(1), table], [bytes, new Int32Array(127)], [bytes, new Uint32Array(128)], [new Uint8ClampedArray(16 * 65_536), table]]) expect(() => bare.open('127.0.0.1', 0, 0, 0, 0, ...wrong, () => undefined)).toThrow(TypeError)
    let heard = 0
    const number = bare.open('127.0.0.1', 0, 0, 0, 0, bytes, table, () => heard++)
    const port = bare.port(number)
    const { send } = await client()
    structuredClone(bytes, { transfer: [bytes.buffer] })
    expect(bytes.length).toBe(0)
    await send(Uint8Array.of(1), port)
    await until(() => bare.port(number) === 0)
    expect(heard).toBe(0)
    bare.close(number)
    expect(bare.port(number)).toBe(0)
  })
})

describe('a long life', () => {
  it(`leaves no memory behind over ${ROUNDS} batches and some hundred sockets`, { timeout: 600_000 }, async () => {
    const ended = await runProgram(process.execPath, ['--expose-gc', '--max-semi-space-size=1', program('many.ts'), addon, ROUNDS], { MALLOC_ARENA_MAX: '1' })
    expect(ended, ended.output).toMatchObject({ code: 0 })
    const { heard, residents, files } = JSON.parse(ended.output) as { heard: number; residents: number[]; files: number[] }
    expect(heard).toBeGreaterThanOrEqual(Number(ROUNDS))
    const half = residents.slice(residents.length / 2)
    expect(Math.max(...half) - Math.min(...half), residents.join(' ')).toBeLessThan(2048)
    expect(files.at(-1)).toBe(files[0])
  })
  for (const [how, code] of [['exit', 7], ['throw', 1], ['end', 0], ['threads', 0]] as const)
    it(`ends with datagrams under way: ${how}`, { timeout: 120_000 }, async () => {
      const ended = await runProgram(process.execPath, [program('end.ts'), addon, how])
      expect(ended.signal, ended.output).toBeNull()
      expect(ended.code, ended.output).toBe(code)
      if (how === 'throw') expect(ended.output).toContain('on purpose')
    })
  it('keeps its process, also while a datagram waits for others, until it is closed', { timeout: 120_000 }, async () => {
    expect(await runProgram(process.execPath, [program('alone.ts'), addon])).toEqual({ code: 0, signal: null, output: '2 heard\n' })
  })
})
