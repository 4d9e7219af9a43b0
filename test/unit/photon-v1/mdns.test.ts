/** mDNS as the original's library speaks it: the codec against hand-made bytes and against noise, and two boxes that find each other. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, fromHex, utf8 } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import { Places } from '../../../src/photon/v1/index.ts'
import { MAX_MDNS_BYTES, TYPE, decodeMdns, encodeMdns } from '../../../src/photon/v1/mdns-codec.ts'
import { Announcer } from '../../../src/photon/v1/announcer.ts'
import type { GroupSocket, MdnsMessage, Place } from '../../../src/photon/v1/index.ts'
import { openAskingSocket, openGroupSocket, openPacketSocket } from '../../../src/photon/v1/io/udp-socket.ts'
import { FakeTime } from '../../support/fakes.ts'

const [ALICE, BOB]: readonly Address[] = ['0x05e9918f4bcbf3c8307887d421eb02b5e26b6f45', '0x2b5ad5c4795c026514f8317c7a215e218dccd6cf']
const RUNS = Number(process.env['MESHBOX_FUZZ_RUNS'] ?? 2_000)
const label = (text: string): Uint8Array => concatBytes(Uint8Array.of(text.length), utf8(text))
const SERVICE = concatBytes(label('_photon'), label('local'), Uint8Array.of(0))

describe('the codec', () => {
  it('reads the original’s question', () => {
    const question = concatBytes(fromHex('000000000001000000000000'), SERVICE, fromHex('000c0001'))
    expect(decodeMdns(question)).toEqual({ id: 0, isResponse: false, questions: [{ name: ['_photon', 'local'], type: TYPE.PTR, wantsUnicast: false }], records: [] })
    expect(encodeMdns({ id: 0, isResponse: false, questions: [{ name: ['_photon', 'local'], type: TYPE.PTR, wantsUnicast: false }], records: [] })).toEqual(question)
  })

  it('reads an answer with pointers, records that it does not know, and upper case', () => {
    const account = `0x05E9918f4bCBf3C8307887d421Eb02B5e26b6F45`
    // PTR at 12: name, type, class, ttl, length, then the instance, which points back to the service.
    const instance = concatBytes(label(account), fromHex('c00c'))
    const head = fromHex('000084000000000400000000')
    const ptr = concatBytes(SERVICE, fromHex('000c000100000078'), Uint8Array.of(0, instance.length), instance)
    const at = 12 + SERVICE.length + 10
    const pointer = Uint8Array.of(0xc0 | (at >> 8), at & 0xff)
    const host = concatBytes(label('old-node'), Uint8Array.of(0))
    const srv = concatBytes(pointer, fromHex('0021000100000078'), Uint8Array.of(0, 6 + host.length), fromHex('000a00019c41'), host)
    const other = concatBytes(pointer, fromHex('002f00010000007800020001'))
    const a = concatBytes(host, fromHex('00010001000000780004c0a80107'))
    expect(decodeMdns(concatBytes(head, ptr, srv, other, a))).toEqual({
      id: 0,
      isResponse: true,
      questions: [],
      records: [
        { kind: 'PTR', name: ['_photon', 'local'], ttlSeconds: 120, target: [account.toLowerCase(), '_photon', 'local'] },
        { kind: 'SRV', name: [account.toLowerCase(), '_photon', 'local'], ttlSeconds: 120, port: 40001, target: ['old-node'] },
        { kind: 'A', name: ['old-node'], ttlSeconds: 120, address: '192.168.1.7' },
      ],
    })
  })

  const name = fc.array(fc.stringMatching(/^[a-z0-9_-]{1,20}$/), { minLength: 1, maxLength: 4 })
  const record = fc.oneof(
    fc.record({ kind: fc.constant('PTR' as const), name, ttlSeconds: fc.nat(), target: name }),
    fc.record({ kind: fc.constant('SRV' as const), name, ttlSeconds: fc.nat(), port: fc.nat(65_535), target: name }),
    fc.record({ kind: fc.constant('TXT' as const), name, ttlSeconds: fc.nat(), texts: fc.array(fc.stringMatching(/^[ -~]{1,60}$/), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('A' as const), name, ttlSeconds: fc.nat(), address: fc.ipV4() }),
  )
  const message: fc.Arbitrary<MdnsMessage> = fc.record({
    id: fc.nat(65_535),
    isResponse: fc.boolean(),
    questions: fc.array(fc.record({ name, type: fc.nat(255), wantsUnicast: fc.boolean() }), { maxLength: 2 }),
    records: fc.array(record, { maxLength: 4 }),
  })

  it('reads what it has written', () => {
    const written = fc.property(message, (one) => {
      expect(decodeMdns(encodeMdns(one))).toEqual(one)
    })
    fc.assert(written, { seed: 5353, numRuns: Math.min(RUNS, 500) })
  })

  it('never throws, whatever comes, and ends', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.tuple(message, fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 8 })).map(([one, hits]) => {
        const bytes = encodeMdns(one)
        for (const [at, value] of hits) if (at < bytes.length) bytes[at] = value
        return bytes
      }),
    )
    fc.assert(
      fc.property(noise, (bytes) => {
        const found = decodeMdns(bytes)
        expect(found === null || found.records.length <= 64).toBe(true)
      }),
      { seed: 5354, numRuns: RUNS },
    )
  })

  it('refuses pointers that turn round, names without end, counts above the bound, and too much', () => {
    const question = (name: Uint8Array): Uint8Array => concatBytes(fromHex('000000000001000000000000'), name, fromHex('000c0001'))
    expect(decodeMdns(question(fromHex('c00c')))).toBeNull() // itself
    expect(decodeMdns(question(fromHex('c020')))).toBeNull() // forwards
    expect(decodeMdns(question(concatBytes(...Array.from({ length: 5 }, () => label('x'.repeat(63))), Uint8Array.of(0))))).toBeNull()
    expect(decodeMdns(fromHex('00000000ffff000000000000'))).toBeNull()
    expect(decodeMdns(fromHex('000084000000ffff00000000'))).toBeNull()
    expect(decodeMdns(new Uint8Array(MAX_MDNS_BYTES + 1))).toBeNull()
    expect(decodeMdns(new Uint8Array(11))).toBeNull()
  })
})

/** A network in memory: what is sent to the group reaches all, the rest whom it names. */
class Bus {
  readonly #sockets = new Map<string, (bytes: Uint8Array, from: Place) => void>()
  readonly sent: { readonly to: Place; readonly message: MdnsMessage | null }[] = []
  readonly group: Place = { host: '224.0.0.251', port: 5353 }
  #port = 50_000

  joins = 0

  open(host: string, port: number, onDatagram: (bytes: Uint8Array, from: Place) => void): Promise<GroupSocket> {
    const local = { host, port: port === 0 ? this.#port++ : port }
    const key = `${local.host}:${local.port}`
    this.#sockets.set(key, onDatagram)
    return Promise.resolve({
      local,
      send: (bytes, to) => {
        this.sent.push({ to, message: decodeMdns(bytes) })
        this.say(bytes, local, to)
      },
      close: () => Promise.resolve(void this.#sockets.delete(key)),
      renew: () => void this.joins++,
    })
  }

  say(bytes: Uint8Array, from: Place, to: Place = this.group): void {
    for (const [key, hear] of [...this.#sockets]) if (to.host === this.group.host ? key.endsWith(':5353') : key === `${to.host}:${to.port}`) hear(bytes, from)
  }
}

async function box(bus: Bus, time: FakeTime, self: Address, host: string): Promise<{ readonly places: Places; readonly announcer: Announcer }> {
  const places = new Places(self, () => new Set())
  const announcer = new Announcer({ self, local: { host, port: 40_001 }, places, group: bus.group, openGroup: (hear) => bus.open(host, 5353, hear), openAsker: (hear) => bus.open(host, 0, hear), isNear: (other) => other.startsWith('192.168.1.'), clock: time, timers: time })
  await announcer.start()
  return { places, announcer }
}

describe('finding each other', () => {
  it('two boxes know each other at once, forget who is silent for 20 s, and who says goodbye at once', async () => {
    const [bus, time] = [new Bus(), new FakeTime()]
    const alice = await box(bus, time, ALICE ?? '0x', '192.168.1.2')
    const bob = await box(bus, time, BOB ?? '0x', '192.168.1.3')
    const known = (): (Place | null)[] => [alice.places.of(BOB ?? '0x', time.boottimeMs()), bob.places.of(ALICE ?? '0x', time.boottimeMs())].map((place) => (place === null ? null : { host: place.host, port: place.port }))
    expect(known()).toEqual([{ host: '192.168.1.3', port: 40_001 }, { host: '192.168.1.2', port: 40_001 }])
    time.advance(300_000)
    expect(known()).not.toContain(null)
    await bob.announcer.stop()
    expect(known()[0]).toBeNull()
    expect(bob.places.of(ALICE ?? '0x', time.boottimeMs())).not.toBeNull()
    time.advance(20_000)
    expect(bob.places.of(ALICE ?? '0x', time.boottimeMs())).toBeNull()
    await alice.announcer.stop()
  })

  it('answers a simple resolver, as the original is one, to itself alone, with all that it needs', async () => {
    const [bus, time] = [new Bus(), new FakeTime()]
    const alice = await box(bus, time, ALICE ?? '0x', '192.168.1.2')
    bus.sent.splice(0)
    bus.say(encodeMdns({ id: 77, isResponse: false, questions: [{ name: ['_photon', 'local'], type: TYPE.PTR, wantsUnicast: false }], records: [] }), { host: '192.168.1.9', port: 51_515 })
    expect(bus.sent).toHaveLength(1)
    expect(bus.sent[0]).toMatchObject({ to: { host: '192.168.1.9', port: 51_515 }, message: { id: 77, questions: [{ type: TYPE.PTR }] } })
    expect(bus.sent[0]?.message?.records.map(({ kind }) => kind)).toEqual(['PTR', 'SRV', 'TXT', 'A'])
    expect(bus.sent[0]?.message?.records[2]).toMatchObject({ texts: [ALICE] })
    await alice.announcer.stop()
  })

  it('believes nobody’s word about another machine, nor anybody from elsewhere, and answers a flood only now and then', async () => {
    const [bus, time] = [new Bus(), new FakeTime()]
    const alice = await box(bus, time, ALICE ?? '0x', '192.168.1.2')
    const instance = [BOB ?? '', '_photon', 'local']
    const announcement = (address: string): Uint8Array =>
      encodeMdns({
        id: 0,
        isResponse: true,
        questions: [],
        records: [
          { kind: 'PTR', name: ['_photon', 'local'], ttlSeconds: 120, target: instance },
          { kind: 'SRV', name: instance, ttlSeconds: 120, port: 40_001, target: ['x'] },
          { kind: 'TXT', name: instance, ttlSeconds: 120, texts: [BOB ?? ''] },
          { kind: 'A', name: ['x'], ttlSeconds: 120, address },
        ],
      })
    bus.say(announcement('192.168.1.66'), { host: '192.168.1.3', port: 5353 })
    bus.say(announcement('10.0.0.3'), { host: '10.0.0.3', port: 5353 })
    expect(alice.places.of(BOB ?? '0x', time.boottimeMs())).toBeNull()
    bus.say(announcement('192.168.1.3'), { host: '192.168.1.3', port: 5353 })
    expect(alice.places.of(BOB ?? '0x', time.boottimeMs())).toMatchObject({ host: '192.168.1.3' })
    // What the owner says stands above it.
    alice.places.own([{ account: BOB ?? '0x', endpoint: '192.168.1.4:7', deviceType: 'other' }])
    bus.say(announcement('192.168.1.3'), { host: '192.168.1.3', port: 5353 })
    expect(alice.places.of(BOB ?? '0x', time.boottimeMs())).toMatchObject({ host: '192.168.1.4', port: 7 })
    bus.sent.splice(0)
    for (let i = 0; i < 500; i++) bus.say(encodeMdns({ id: i, isResponse: false, questions: [{ name: ['_photon', 'local'], type: TYPE.ANY, wantsUnicast: true }], records: [] }), { host: `192.168.1.${10 + (i % 200)}`, port: 9 })
    expect(bus.sent.length).toBeLessThanOrEqual(16)
    await alice.announcer.stop()
  })

  it('joins the group again each minute, and hears it still', async () => {
    const [bus, time] = [new Bus(), new FakeTime()]
    const { announcer } = await box(bus, time, ALICE ?? '0x', '192.168.1.2')
    time.advance(180_000)
    expect(bus.joins).toBe(3)
    await announcer.stop()
    time.advance(180_000)
    expect(bus.joins).toBe(3)
    const heard: number[] = []
    const reserved = await openPacketSocket('127.0.0.1', 0, () => undefined)
    const group = { host: '224.0.0.251', port: reserved.local.port }
    await reserved.close()
    const socket = await openGroupSocket('127.0.0.1', group, (bytes) => heard.push(bytes.length))
    socket.renew()
    while (heard.length === 0) {
      socket.send(new Uint8Array(7), group)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(heard[0]).toBe(7)
    await socket.close()
    expect(() => socket.renew()).not.toThrow() // the network may go at any time
  })

  it('finds a box through the kernel’s own multicast', async () => {
    // A port of this test alone: the group's own may belong to somebody here.
    const reserved = await openPacketSocket('127.0.0.1', 0, () => undefined)
    const group = { host: '224.0.0.251', port: reserved.local.port }
    await reserved.close()
    const time = new FakeTime()
    const start = async (self: Address, port: number): Promise<{ readonly places: Places; readonly announcer: Announcer }> => {
      const places = new Places(self, () => new Set())
      const announcer = new Announcer({
        self,
        local: { host: '127.0.0.1', port },
        places,
        group,
        openGroup: (hear) => openGroupSocket('127.0.0.1', group, hear),
        openAsker: (hear) => openAskingSocket('127.0.0.1', hear),
        isNear: (host) => host === '127.0.0.1',
        clock: time,
        timers: systemTimers,
      })
      await announcer.start()
      return { places, announcer }
    }
    const alice = await start(ALICE ?? '0x', 40_001)
    const bob = await start(BOB ?? '0x', 40_002)
    while (alice.places.of(BOB ?? '0x', time.boottimeMs()) === null || bob.places.of(ALICE ?? '0x', time.boottimeMs()) === null) await new Promise((resolve) => setImmediate(resolve))
    expect(alice.places.of(BOB ?? '0x', time.boottimeMs())).toMatchObject({ host: '127.0.0.1', port: 40_002 })
    expect(bob.places.of(ALICE ?? '0x', time.boottimeMs())).toMatchObject({ host: '127.0.0.1', port: 40_001 })
    for (const { announcer } of [alice, bob]) await announcer.stop()
  })
})
