/** The beacon: its bytes, what is believed of it, and the station that says and hears it. */
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { MeshBoxError, encodeRlp, silentLog } from '../../../src/base/index.ts'
import { sealFrame } from '../../../src/mesh/documents/index.ts'
import { ip6Text, ipBytes } from '../../../src/mesh/peers/addresses.ts'
import { BEACON_EVERY_MS, BeaconStation } from '../../../src/mesh/peers/beacon-station.ts'
import type { BeaconSocketEnds } from '../../../src/mesh/peers/index.ts'
import { MAX_BEACON_BYTES, openBeacon, readBeacon, sealBeacon } from '../../../src/mesh/peers/beacon.ts'
import type { BeaconFacts } from '../../../src/mesh/peers/beacon.ts'
import { openHello, sealHello } from '../../../src/mesh/peers/hello.ts'
import type { Beacon } from '../../../src/mesh/ports.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { COMMUNITY, documentsOf } from './boxes.ts'

const documents = documentsOf(1)
const FACTS: BeaconFacts = { peerId: Uint8Array.from({ length: 38 }, (_, i) => i), ip6: 'fd00:0:0:0:0:0:0:1', port: 40_003, community: COMMUNITY, originator: '02:00:00:00:00:01' }

const facts = fc.record({
  peerId: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  ip6: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
    bytes[0] = 0xfc | ((bytes[0] ?? 0) & 1)
    return ip6Text(bytes)
  }),
  port: fc.integer({ min: 1, max: 65_535 }),
  community: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  originator: fc.option(fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':'))),
})

describe('a beacon', () => {
  it('comes back as it was, with whose it is', () => {
    fc.assert(
      fc.property(facts, (each) => {
        expect(openBeacon(documents, sealBeacon(documents, each))).toEqual({ box: documents.self, ...each })
      }),
      { numRuns: 50 },
    )
  })

  it('fits into one datagram, however long its fields are', () => {
    expect(sealBeacon(documents, { ...FACTS, peerId: new Uint8Array(64).fill(255) }).length).toBeLessThan(MAX_BEACON_BYTES / 2)
  })

  it.each(['fe80::1', '2001:db8::1', 'ff02::1', '::1', '127.0.0.1', 'fd00::1%bat0'])('does not name %s', (ip6) => {
    expect(() => sealBeacon(documents, { ...FACTS, ip6 })).toThrow('unique local')
    const bytes = ipBytes(ip6)
    if (bytes === null) return
    const forged = sealFrame(documents, 'binding', encodeRlp([Uint8Array.of(2), FACTS.peerId, bytes, Uint8Array.of(1), COMMUNITY, new Uint8Array(0)]))
    expect(() => openBeacon(documents, forged)).toThrow(MeshBoxError)
  })

  it('is no hello, and a hello is no beacon', () => {
    const hello = sealHello(documents, FACTS.peerId, FACTS.peerId, { instance: new Uint8Array(16), community: COMMUNITY, name: 'x', originator: null, protocols: [] })
    expect(() => openBeacon(documents, hello)).toThrow('purpose')
    expect(() => openHello(documents, FACTS.peerId, FACTS.peerId, sealBeacon(documents, FACTS))).toThrow('purpose')
  })

  it('that was changed is of nobody, or of somebody else, or refused', () => {
    const good = sealBeacon(documents, FACTS)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: good.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const bad = good.slice()
        bad[at] = (bad[at] ?? 0) ^ mask
        try {
          expect(openBeacon(documents, bad).box).not.toBe(documents.self)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(MeshBoxError)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('of any bytes at all is read or refused, nothing else', () => {
    const near = fc.array(fc.oneof(fc.uint8Array({ maxLength: 70 }), fc.constant([] as Uint8Array[])), { maxLength: 8 }).map((items) => encodeRlp([encodeRlp(items), new Uint8Array(65)]))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), near), (bytes) => {
        try {
          readBeacon(bytes)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(MeshBoxError)
        }
      }),
      { numRuns: Number(process.env.MESHBOX_FUZZ_RUNS ?? 2000) },
    )
  })
})

describe('the station', () => {
  let time: FakeTime
  let sent: Uint8Array[]
  let heard: Beacon[]
  let ends: BeaconSocketEnds | null
  let opened: string[]
  let now: BeaconFacts | null
  let refuses: boolean
  let signatures: number
  let looked: number
  let station: BeaconStation
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 100) {
      time.advance(100)
      await turn()
    }
  }

  beforeEach(() => {
    time = new FakeTime()
    sent = []
    heard = []
    ends = null
    opened = []
    now = FACTS
    refuses = false
    signatures = 0
    looked = 0
    const counted = {
      ...documents,
      sign: (...args: Parameters<typeof documents.sign>) => {
        signatures += 1
        return documents.sign(...args)
      },
      signer: (...args: Parameters<typeof documents.signer>) => {
        looked += 1
        return documents.signer(...args)
      },
    }
    station = new BeaconStation({
      documents: counted,
      clock: time,
      timers: time,
      randomness: seededRandom(1),
      log: silentLog,
      facts: () => now,
      onBeacon: (beacon) => heard.push(beacon),
      open: async (ip6, given) => {
        opened.push(ip6)
        if (refuses) throw new MeshBoxError('unavailable', 'no such interface', { code: 'cannot-listen' })
        ends = given
        return { send: (datagram) => sent.push(datagram), close: async () => undefined }
      },
    })
    station.start()
  })

  it('says the same bytes about once a second, signed once, and new ones when something changed', async () => {
    await pass(20 * BEACON_EVERY_MS)
    expect(sent.length).toBeGreaterThan(15)
    expect(sent.length).toBeLessThan(20)
    expect(signatures).toBe(1)
    now = { ...FACTS, originator: null }
    await pass(2 * BEACON_EVERY_MS)
    expect(signatures).toBe(2)
    expect(openBeacon(documents, sent.at(-1) ?? new Uint8Array(0)).originator).toBeNull()
  })

  it('opens anew when its address changes, falls silent without one, and says why', async () => {
    await pass(2000)
    now = { ...FACTS, ip6: 'fd00:0:0:0:0:0:0:2' }
    await pass(2000)
    expect(opened).toEqual([FACTS.ip6, 'fd00:0:0:0:0:0:0:2'])
    now = null
    await pass(2000)
    const before = sent.length
    await pass(5000)
    expect(sent.length).toBe(before)
    expect(station.trouble()).toContain('unique local address')
  })

  it('looks again for an interface that is not there, and for one that went away', async () => {
    await station.stop()
    refuses = true
    opened = []
    station.start()
    await pass(30_000)
    expect(station.trouble()).toBe('no such interface')
    expect(opened.length).toBeGreaterThan(3)
    expect(opened.length).toBeLessThan(8)
    refuses = false
    await pass(8000)
    expect(station.trouble()).toBeNull()
    ends?.onFailed(new Error('the interface went away'))
    expect(station.trouble()).toBe('the interface went away')
    await pass(10_000)
    expect(station.trouble()).toBeNull()
  })

  it('hears others from where they say they are, and looks at a signature once', async () => {
    await pass(2000)
    const other = sealBeacon(documentsOf(2), { ...FACTS, ip6: 'fd00:0:0:0:0:0:0:2' })
    for (let i = 0; i < 10; i++) ends?.onDatagram(other, 'fd00::2')
    expect(heard).toHaveLength(10)
    expect(looked).toBe(1)
    ends?.onDatagram(other, 'fd00::3')
    ends?.onDatagram(other, 'fe80::2')
    expect(heard).toHaveLength(10)
    expect(looked).toBe(1)
  })

  it('spends few signatures on a flood, of one place or of many', async () => {
    await pass(2000)
    for (let i = 1; i < 500; i++) ends?.onDatagram(sealBeacon(documents, { ...FACTS, ip6: 'fd00:0:0:0:0:0:0:2', port: i }), 'fd00::2')
    expect(looked).toBe(3)
    for (let i = 1; i < 300; i++) ends?.onDatagram(sealBeacon(documents, { ...FACTS, ip6: `fd00:0:0:0:0:0:1:${i.toString(16)}` }), `fd00::1:${i.toString(16)}`)
    expect(looked).toBe(60)
    ends?.onDatagram(new Uint8Array(MAX_BEACON_BYTES + 1), 'fd00::5')
    ends?.onDatagram(Uint8Array.of(1, 2, 3), 'fd00::5')
    expect(looked).toBe(60)
  })
})
