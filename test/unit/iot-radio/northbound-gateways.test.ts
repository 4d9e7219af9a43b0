/** Sessions at a server northbound: one for each gateway that is on-line, none for names that somebody makes up, and frames of all go out whoever has one. */
import { expect, it } from 'vitest'
import { fromHex, silentLog } from '../../../src/base/index.ts'
import type { Heard } from '../../../src/iot/ports.ts'
import { frameHash } from '../../../src/iot/radio/frame-hash.ts'
import { decodeDatagram, encodeDatagram } from '../../../src/iot/radio/gwmp/index.ts'
import { PathTable } from '../../../src/iot/radio/gwmp/paths.ts'
import { GwmpUpstream } from '../../../src/iot/radio/northbound/upstream.ts'
import { FakeTime } from '../../support/fakes.ts'

const PHY = fromHex('40f17dbe4900020001954378762b11ff0d')
const name = (n: number): string => n.toString(16).padStart(16, '0')

class Server {
  readonly time = new FakeTime()
  open = 0
  most = 0
  /** By kind: the gateways named, in order. */
  readonly named: Record<string, string[]> = {}
  readonly bodies: string[] = []
  readonly upstream: GwmpUpstream = new GwmpUpstream({ host: 'lns.example', port: 1700, routes: null }, {
    clock: this.time, timers: this.time, log: silentLog, nextDownlinkId: () => 1,
    openSocket: (_place, onDatagram) => {
      this.open += 1
      this.most = Math.max(this.most, this.open)
      return {
        send: (bytes) => {
          const { kind, token, gateway, body } = decodeDatagram(bytes)
          ;(this.named[kind] ??= []).push(gateway ?? '')
          if (kind === 'push-data') this.bodies.push(`${gateway} ${Buffer.from(body).toString()}`)
          if ((kind === 'pull-data' || kind === 'push-data') && !this.unknown.has(gateway ?? '')) queueMicrotask(() => onDatagram(encodeDatagram({ version: 2, token, kind: kind === 'pull-data' ? 'pull-ack' : 'push-ack', gateway: null, body: new Uint8Array() })))
        },
        close: () => { this.open -= 1 },
      }
    },
  })

  /** Gateways that the server does not know: it answers none of their datagrams. */
  readonly unknown = new Set<string>()

  heard(gateway: string): Heard {
    const copy = { gateway, time: { kind: 'counter', tmstUs: 7 }, arrivedMs: this.time.boottimeMs(), utcMs: null, gpsTimeMs: null, fineTimeNs: null, rssiDbm: -57, snrDb: 9, channel: 2, radio: 0, board: 0, antenna: 0 } as const
    return { id: frameHash(PHY), phy: PHY, frequencyHz: 868_100_000, modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' }, copies: [copy], isLate: false }
  }
  from(gateway: string): Promise<boolean> {
    return this.upstream.deliver(this.heard(gateway))
  }
}

it('made-up names open one session at most, and none once a gateway is there; each frame goes out in its own gateway’s name', async () => {
  const server = new Server()
  for (let n = 1; n <= 500; n++) {
    server.upstream.gateway({ id: name(n), isOnline: false })
    expect(await server.from(name(n))).toBe(true)
  }
  expect([server.open, server.upstream.size.sessions, server.most]).toEqual([1, 1, 1])
  expect(server.named['push-data']).toEqual(Array.from({ length: 500 }, (_, n) => name(n + 1)))
  expect(new Set(server.named['pull-data'])).toEqual(new Set([name(1)]))
  for (const id of [name(1_001), name(1_002)]) server.upstream.gateway({ id, isOnline: true })
  expect([server.open, server.upstream.size.sessions]).toEqual([2, 2])
  expect([await server.from(name(1_002)), await server.from(name(3))]).toEqual([true, true])
  // What a gateway heard is said of it alone.
  server.time.advance(30_000)
  const stats = server.bodies.filter((body) => body.includes('"stat"')).slice(-2)
  expect(stats.map((text) => [text.slice(0, 16), /"rxnb":(\d+)/.exec(text)?.[1]])).toEqual([[name(1_001), '0'], [name(1_002), '1']])
  await server.upstream.close()
  expect([server.open, server.time.pendingTimers]).toEqual([0, 0])
})

it('frames of a gateway that the server does not answer are not awaited, those of others are; who has no session goes over one that is answered', async () => {
  const server = new Server()
  server.unknown.add(name(1))
  for (const id of [name(1), name(2)]) server.upstream.gateway({ id, isOnline: true })
  for (let seconds = 0; seconds < 60; seconds++) {
    server.time.advance(1_000)
    await Promise.resolve()
  }
  const awaited = (n: number): boolean => server.upstream.isAwaited(server.heard(name(n)))
  expect([server.upstream.isOnline, awaited(1), awaited(2), awaited(3)]).toEqual([true, false, true, true])
  expect([await server.from(name(1)), await server.from(name(2)), await server.from(name(3))]).toEqual([false, true, true])
  await server.upstream.close()
  expect(awaited(2)).toBe(false)
})

it('a gateway that goes is asked for no more orders; one that there was no room for is next, and heard meanwhile', async () => {
  const server = new Server()
  for (let n = 1; n <= 70; n++) server.upstream.gateway({ id: name(n), isOnline: true })
  expect(server.open).toBe(64)
  expect(await server.from(name(70))).toBe(true)
  for (let n = 1; n <= 6; n++) server.upstream.gateway({ id: name(n), isOnline: false })
  expect([server.open, server.upstream.size.sessions]).toEqual([64, 64])
  server.named['pull-data'] = []
  server.time.advance(10_000)
  expect([...new Set(server.named['pull-data'])].sort()).toEqual(Array.from({ length: 64 }, (_, n) => name(n + 7)))
  for (let n = 7; n <= 70; n++) server.upstream.gateway({ id: name(n), isOnline: false })
  // The last one stays for frames.
  expect(server.open).toBe(1)
  expect(await server.from(name(9))).toBe(true)
})

it('a gateway gives way to another only after everybody was told that it went', () => {
  const paths = new PathTable()
  const host = { host: '192.0.2.7', port: 40_001 }
  for (let n = 0; n < 64; n++) paths.pulled(name(n), 2, host, 0)
  expect(paths.changes(0)).toHaveLength(64)
  expect(paths.heard(name(100), host, 91_000)).toBe('full')
  expect(paths.changes(91_000)).toHaveLength(64)
  expect(paths.heard(name(100), host, 91_000)).toBe('new')
})
