import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { bytesOf, concatBytes, silentLog } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../../../src/base/io/system.ts'
import { PeerLinks } from '../../../src/photon/node/io/peer-links.ts'
import { TcpTransport } from '../../../src/photon/node/io/tcp-transport.ts'
import type { BytePipe, Hello } from '../../../src/photon/node/index.ts'
import { joinFrames } from '../../../src/photon/node/framing.ts'
import { FakeTime } from '../../support/fakes.ts'
import { accountSigner, keyOf, noble, until } from './box.ts'

const LOW: Address = `0x${'11'.repeat(20)}`
const HIGH: Address = `0x${'99'.repeat(20)}`

class Pipe implements BytePipe {
  isClosed = false
  queued = 0
  readonly written: Uint8Array[] = []
  write(bytes: Uint8Array): void {
    this.written.push(bytes)
  }
  queuedBytes(): number {
    return this.queued
  }
  pause(): void {
    this.queued += 0
  }
  resume(): void {
    this.queued += 0
  }
  close(): void {
    this.isClosed = true
  }
}

/** The first frame is the name of who is there. */
const named: Hello = { first: () => Uint8Array.of(1), next: (frame) => ({ say: null, peer: frame[0] === 1 ? LOW : HIGH }) }
const greet = (who: Address): Uint8Array => joinFrames([Uint8Array.of(who === LOW ? 1 : 9)])

describe('links to accounts', () => {
  const links = (self: Address, time = new FakeTime(), maxPeers = 4, keeps: (peer: Address) => boolean = () => false): PeerLinks => new PeerLinks({ self, clock: time, timers: time, log: silentLog, maxPeers, keeps })

  test.each([
    ['the lower account keeps what it dialled', LOW, HIGH, true],
    ['the higher account keeps what it was dialled', HIGH, LOW, false],
  ])('when both dialled at once, %s, whichever came first', (_name, self, peer, keepsOutbound) => {
    for (const order of [[true, false], [false, true]]) {
      const all = links(self)
      const pipes = order.map((isOutbound) => {
        const pipe = new Pipe()
        all.adopt(pipe, isOutbound, named).onBytes(greet(peer))
        return { pipe, isOutbound }
      })
      expect(pipes.filter(({ pipe }) => !pipe.isClosed).map(({ isOutbound }) => isOutbound)).toEqual([keepsOutbound])
    }
  })

  test('a later connection replaces an older one, and what was lost is told in order', () => {
    const time = new FakeTime()
    const all = links(LOW, time)
    const told: string[] = []
    all.onConnected(() => told.push('here'))
    all.onDisconnected(() => told.push('gone'))
    const [old, young] = [new Pipe(), new Pipe()]
    all.adopt(old, true, named).onBytes(greet(HIGH))
    time.advance(10_000)
    all.adopt(young, false, named).onBytes(greet(HIGH))
    expect([old.isClosed, young.isClosed]).toEqual([true, false])
    expect(told).toEqual(['here', 'gone', 'here'])
  })

  test('frames of one loop turn are one write; a peer that does not read gets no more', async () => {
    const all = links(LOW)
    const pipe = new Pipe()
    all.adopt(pipe, true, named).onBytes(greet(HIGH))
    await Promise.resolve()
    pipe.written.length = 0
    for (let i = 0; i < 100; i++) expect(all.send(HIGH, Uint8Array.of(i))).toBe(true)
    await Promise.resolve()
    expect(pipe.written).toHaveLength(1)
    pipe.queued = 3 * 1024 * 1024
    expect(all.send(HIGH, Uint8Array.of(1))).toBe(false)
    expect(all.send('0x0000000000000000000000000000000000000001', Uint8Array.of(1))).toBe(false)
  })

  test('who does not say who it is, is ourselves, or is one too many, is shown out', () => {
    const time = new FakeTime()
    const all = links(LOW, time, 1)
    const [silent, self, first, second] = [new Pipe(), new Pipe(), new Pipe(), new Pipe()]
    all.adopt(silent, false, named)
    all.adopt(self, false, named).onBytes(greet(LOW))
    time.advance(10_000)
    expect([silent.isClosed, self.isClosed]).toEqual([true, true])
    all.adopt(first, false, named).onBytes(greet(HIGH))
    const other: Hello = { first: () => Uint8Array.of(1), next: () => ({ say: null, peer: '0x0000000000000000000000000000000000000001' }) }
    all.adopt(second, false, other).onBytes(greet(HIGH))
    expect([first.isClosed, second.isClosed]).toEqual([false, true])
    const strangers = Array.from({ length: 40 }, () => {
      const pipe = new Pipe()
      all.adopt(pipe, false, named)
      return pipe
    })
    expect(strangers.filter((pipe) => pipe.isClosed)).toHaveLength(8)
    all.closeAll()
    expect(time.pendingTimers).toBe(0)
  })

  const account = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`
  const hello = (peer: Address): Hello => ({ first: () => Uint8Array.of(1), next: () => ({ say: null, peer }) })

  test('strangers who hold all places give way to a partner, and partners to nobody', () => {
    const partners = new Set([account(1), account(2), account(3)])
    const all = links(LOW, new FakeTime(), 3, (peer) => partners.has(peer))
    const told: string[] = []
    all.onDisconnected((peer) => told.push(peer))
    const join = (number: number): Pipe => {
      const pipe = new Pipe()
      all.adopt(pipe, false, hello(account(number))).onBytes(greet(HIGH))
      return pipe
    }
    const crowd = [10, 11, 12].map(join)
    expect(join(13).isClosed).toBe(true)
    expect([1, 2, 3].map((number) => join(number).isClosed)).toEqual([false, false, false])
    expect(crowd.map((pipe) => pipe.isClosed)).toEqual([true, true, true])
    expect(told).toEqual([10, 11, 12].map(account))
    partners.add(account(4))
    expect(join(4).isClosed).toBe(true)
    expect(all.peers()).toEqual([1, 2, 3].map(account))
  })

  test('connections that say nothing do not keep the door shut', () => {
    const time = new FakeTime()
    const all = links(LOW, time)
    const silent = Array.from({ length: 32 }, () => {
      const pipe = new Pipe()
      all.adopt(pipe, false, named)
      return pipe
    })
    const [early, late] = [new Pipe(), new Pipe()]
    all.adopt(early, false, hello(account(1))).onBytes(greet(HIGH))
    expect(early.isClosed).toBe(true) // they have not had their time yet
    time.advance(2_000)
    all.adopt(late, false, hello(account(1))).onBytes(greet(HIGH))
    expect([late.isClosed, all.isConnected(account(1))]).toEqual([false, true])
    expect(silent.filter((pipe) => pipe.isClosed)).toHaveLength(1)
  })
})

describe('the hello over TCP', () => {
  const cleanUps: (() => unknown)[] = []
  afterEach(async () => {
    for (const clean of cleanUps.splice(0).reverse()) await clean()
  })

  test('who names an account without its key is not let in, nor who plays our own words back', async () => {
    const server = new TcpTransport({ signer: accountSigner(noble, keyOf(1)), secp256k1: noble, randomness: systemRandomness, clock: new SystemClock('always'), timers: systemTimers, log: silentLog })
    const port = await server.listen(0)
    cleanUps.push(() => server.close())
    const seen: string[] = []
    server.onConnected((peer) => seen.push(peer))
    const thief = accountSigner(noble, keyOf(3))
    const closed = async (talk: (socket: Socket) => void): Promise<void> => {
      const socket = connect(port, '127.0.0.1')
      let isClosed = false
      socket.on('close', () => (isClosed = true)).on('error', () => undefined)
      talk(socket)
      await until(() => isClosed)
    }
    const victim = bytesOf(accountSigner(noble, keyOf(2)).account)
    await closed((socket) => {
      socket.write(joinFrames([concatBytes(Uint8Array.of(1), victim, new Uint8Array(32)), thief.sign(new Uint8Array(32).fill(5))]))
      socket.resume()
    })
    await closed((socket) => socket.on('data', (bytes) => socket.write(bytes)))
    expect(seen).toEqual([])
  })
})
