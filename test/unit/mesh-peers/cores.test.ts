/** The pure parts: addresses and sides, penalties, places, the dial plan, allowances, the hello's bytes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { addressText, hostOf, ip6Text, ipBytes, parseAddress, parsePrefix, portAt, sideOf } from '../../../src/mesh/peers/addresses.ts'
import { Allowance, RECEIVE_BURST_SECONDS } from '../../../src/mesh/peers/allowance.ts'
import { AWAY_AFTER_MS, BEACON_HOLDS_MS, DialPlan, LONGEST_WAIT_MS, MAX_ADDRESSES, MAX_BEACON_DIALS, SECOND_DIALS_AFTER_MS } from '../../../src/mesh/peers/dial-plan.ts'
import { decodeControl, encodeControl, openHello, sealHello } from '../../../src/mesh/peers/hello.ts'
import type { ControlFrame } from '../../../src/mesh/peers/hello.ts'
import { HostBook, MAX_HOSTS } from '../../../src/mesh/peers/host-book.ts'
import { FIRST_BAN_MS, GOOD_STANDING, LONGEST_BAN_MS, POINTS_REMEMBERED_MS, bannedByOwner, isBanned, penalised, pointsOf } from '../../../src/mesh/peers/penalties.ts'
import { keepsOlder, seatFor } from '../../../src/mesh/peers/places.ts'
import type { Place } from '../../../src/mesh/peers/places.ts'
import { documentsOf } from './boxes.ts'

describe('addresses', () => {
  it('are those of one box, without a zone', () => {
    for (const text of ['/ip6/fd12::1/tcp/40003', '/ip4/192.0.2.7/tcp/1', '/dns4/box.example/tcp/65535', '/ip6/fd12::1/tcp/40003/p2p/12D3KooWabc']) expect(parseAddress(text).text).toBe(text)
  })

  it.each([
    '/ip6/fe80::1/tcp/1', '/ip6/febf::1/tcp/1', '/ip6zone/bat0/ip6/fe80::1/tcp/1', '/ip6/fe80::1%bat0/tcp/1', '/ip6/ff02::1/tcp/1', '/ip6/::/tcp/1', '/ip4/0.0.0.0/tcp/1', '/ip4/224.0.0.1/tcp/1',
    '/ip4/169.254.1.1/tcp/1', '/ip4/1.2.3/tcp/1', '/ip4/1.2.3.04/tcp/1', '/ip4/fd00::1/tcp/1', '/ip6/1.2.3.4/tcp/1', '/ip6/1::2::3/tcp/1', '/ip6/fd00::1/tcp/0', '/ip6/fd00::1/tcp/65536', '/ip6/fd00::1/udp/1',
    '/ip6/fd00::1/tcp/1/ws', '', 'x'.repeat(300),
  ])('refuse %s', (text) => {
    expect(() => parseAddress(text)).toThrow(MeshBoxError)
  })

  it('are the same place however they are written', () => {
    const [one] = ['/ip6/fd00::1/tcp/1'].map((text) => parseAddress(text).key)
    expect(parseAddress('/ip6/FD00:0:0:0:0:0:0:1/tcp/1/p2p/abc').key).toBe(one)
    expect(parseAddress('/ip6/fd00::1/tcp/2').key).not.toBe(one)
    expect(hostOf('/ip6/fd00::1/tcp/9/p2p/x')).toBe('fd00::1')
    expect(hostOf('/dns4/box/tcp/9')).toBeNull()
    expect(addressText('fd00::1', 9)).toBe('/ip6/fd00::1/tcp/9')
  })

  it('come back from their bytes', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const bytes = ipBytes(text)
        if (bytes?.length === 16) expect(ipBytes(ip6Text(bytes))).toEqual(bytes)
        expect(bytes).not.toBeNull()
      }),
    )
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        expect([null, 4, 16]).toContain(ipBytes(text)?.length ?? null)
      }),
    )
  })

  it('tell the port at which this box listens on one of them', () => {
    const listening = ['/ip4/127.0.0.1/tcp/7/p2p/x', '/ip6/fe80::1/tcp/8/p2p/x', '/ip6/fd00:0:0::5/tcp/9/p2p/x']
    expect([portAt('fd00:0:0:0:0:0:0:5', listening), portAt('fd00::6', listening), portAt('fd00::6', [])]).toEqual([9, null, null])
  })

  it('are on the mesh by prefix alone, a mapped IPv4 like itself', () => {
    const prefixes = ['fd12:3456:789a::/48', '10.80.0.0/13'].map(parsePrefix)
    for (const [host, side] of [['fd12:3456:789a:1::5', 'mesh'], ['fd12:3456:789b::5', 'internet'], ['10.87.255.1', 'mesh'], ['10.88.0.1', 'internet'], ['::ffff:10.80.0.1', 'mesh'], ['fe80::1%bat0', 'internet'], ['box.example', 'internet']] as const) expect([host, sideOf(host, prefixes)]).toEqual([host, side])
    for (const bad of ['fd00::/0', 'fd00::/129', 'fd00::', '10.0.0.0/33', 'fd00::/x', '/8']) expect(() => parsePrefix(bad)).toThrow(MeshBoxError)
  })
})

describe('penalties', () => {
  const MINUTE = 60_000

  it('fade after ten minutes, and a hundred within them are a ban', () => {
    let standing = GOOD_STANDING
    for (let minute = 0; minute < 60; minute++) standing = penalised(standing, 9, 'often', minute * MINUTE)
    expect(isBanned(standing, 60 * MINUTE)).toBe(false)
    expect(standing.breaches.length).toBeLessThanOrEqual(10)
    standing = penalised(standing, 20, 'too often', 60 * MINUTE)
    expect(isBanned(standing, 60 * MINUTE)).toBe(true)
    expect(isBanned(standing, 60 * MINUTE + FIRST_BAN_MS)).toBe(false)
  })

  it('make each ban twice as long, up to a day', () => {
    let [standing, now] = [GOOD_STANDING, 0]
    const lengths: number[] = []
    for (let i = 0; i < 12; i++) {
      standing = penalised(standing, 100, 'again', now)
      lengths.push((standing.ban?.untilMs ?? 0) - now)
      now = standing.ban?.untilMs ?? now
    }
    expect(lengths.slice(0, 3)).toEqual([FIRST_BAN_MS, 2 * FIRST_BAN_MS, 4 * FIRST_BAN_MS])
    expect(lengths.at(-1)).toBe(LONGEST_BAN_MS)
  })

  it('keep to their range, do not lift the owner’s ban, and are forgotten', () => {
    expect(pointsOf(penalised(GOOD_STANDING, -5, '', 0), 0)).toBe(1)
    expect(penalised(GOOD_STANDING, 1e9, 'x'.repeat(1000), 0)).toMatchObject({ bans: 1, ban: { reason: 'x'.repeat(160) } })
    const shut = bannedByOwner(GOOD_STANDING, 'the owner')
    expect(isBanned(penalised(shut, 100, 'more', 5), LONGEST_BAN_MS * 100)).toBe(true)
    expect(pointsOf(penalised(GOOD_STANDING, 50, '', 0), POINTS_REMEMBERED_MS)).toBe(0)
  })

  it('of strangers are bounded, by the address that was bad last', () => {
    const hosts = new HostBook()
    for (let i = 0; i < 2 * MAX_HOSTS; i++) hosts.penalise(`fd00::${i.toString(16)}`, 100, 'garbage', 0)
    expect(hosts.size).toBe(MAX_HOSTS)
    expect([hosts.isBanned('fd00::0', 1), hosts.isBanned(`fd00::${(2 * MAX_HOSTS - 1).toString(16)}`, 1)]).toEqual([false, true])
  })
})

describe('places', () => {
  const place = (over: Partial<Place> = {}): Place => ({ side: 'mesh', isTagged: false, isStatic: false, points: 0, sinceMs: 0, ...over })
  const any = fc.record({ side: fc.constantFrom('mesh' as const, 'internet' as const), isTagged: fc.boolean(), isStatic: fc.boolean(), points: fc.integer({ min: 0, max: 99 }), sinceMs: fc.integer({ min: 0, max: 1000 }) })

  it('never send a partner away, and never one for somebody worse', () => {
    fc.assert(
      fc.property(any, fc.array(any, { maxLength: 12 }), fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 4 }), (newcomer, seated, maxPeers, maxInternetPeers) => {
        const seat = seatFor(newcomer, seated, { maxPeers, maxInternetPeers })
        if (seat.kind === 'instead') {
          expect(seat.of.isTagged).toBe(false)
          if (newcomer.side === 'mesh' && !newcomer.isTagged) expect(seated.length).toBeGreaterThanOrEqual(maxPeers)
        }
        if (seat.kind === 'none') expect(newcomer.isTagged).toBe(false)
        if (seat.kind === 'free' && !newcomer.isTagged) expect(seated.length).toBeLessThan(maxPeers)
      }),
    )
  })

  it('are kept by who was there before: newcomers alike wait', () => {
    const seated = Array.from({ length: 5 }, (_, sinceMs) => place({ sinceMs }))
    expect(seatFor(place({ sinceMs: 9 }), seated, { maxPeers: 5, maxInternetPeers: 2 })).toEqual({ kind: 'none' })
    expect(seatFor(place({ isStatic: true, sinceMs: 9 }), seated, { maxPeers: 5, maxInternetPeers: 2 })).toEqual({ kind: 'instead', of: seated[4] })
    const mixed = [place(), place({ side: 'internet' }), place({ points: 30 })]
    expect(seatFor(place(), mixed, { maxPeers: 3, maxInternetPeers: 2 })).toEqual({ kind: 'instead', of: mixed[1] })
    expect(seatFor(place({ side: 'internet' }), mixed, { maxPeers: 9, maxInternetPeers: 1 })).toEqual({ kind: 'none' })
  })

  it('of two connections the same one stays at both ends, whoever sees which first', () => {
    for (const isDialledByLowerFirstAtLower of [true, false]) {
      for (const isDialledByLowerFirstAtHigher of [true, false]) {
        const staysOfLower = (isSelfLower: boolean, isLowersFirst: boolean): boolean => {
          const isOlderOurs = isLowersFirst === isSelfLower
          const keeps = keepsOlder({ isOlderOurs, isNewerOurs: !isOlderOurs, apartMs: 100, isSelfLower })
          return keeps === isLowersFirst
        }
        expect([staysOfLower(true, isDialledByLowerFirstAtLower), staysOfLower(false, isDialledByLowerFirstAtHigher)]).toEqual([true, true])
      }
    }
    expect(keepsOlder({ isOlderOurs: true, isNewerOurs: false, apartMs: 60_000, isSelfLower: true })).toBe(false)
    expect(keepsOlder({ isOlderOurs: true, isNewerOurs: true, apartMs: 10, isSelfLower: true })).toBe(false)
  })
})

describe('the dial plan', () => {
  const at = (i: number) => parseAddress(`/ip6/fd00::${i.toString(16)}/tcp/1`)
  const never = (): boolean => false

  it('waits ever longer, by its own dice, up to a bound', () => {
    const plan = new DialPlan(() => 0.5)
    plan.learn(at(1), 'static', null, 0)
    const dials: number[] = []
    for (let now = 0; now < 3_600_000; now += 250) {
      for (const entry of plan.take(1, now, never)) {
        dials.push(now)
        plan.ended(entry.address.key, now)
      }
    }
    const waits = dials.slice(1).map((each, i) => each - (dials[i] ?? 0))
    expect(waits.slice(0, 4)).toEqual([750, 1500, 3000, 6000])
    expect(Math.max(...waits)).toBe(LONGEST_WAIT_MS.static * 0.75)
  })

  it('lets the other one of two dial first, and forgets who is not heard any more', () => {
    const plan = new DialPlan(() => 0)
    plan.learn(at(1), 'beacon', '0x01', 0, true)
    expect(plan.take(4, SECOND_DIALS_AFTER_MS - 1, never)).toEqual([])
    expect(plan.take(4, SECOND_DIALS_AFTER_MS, never)).toHaveLength(1)
    plan.ended(at(1).key, SECOND_DIALS_AFTER_MS)
    plan.take(4, BEACON_HOLDS_MS + 1, never)
    expect(plan.size).toBe(0)
  })

  it('dials at once who was away and is heard again, and not because he is heard on and on', () => {
    const failed = (isHeardAllTheTime: boolean): DialPlan => {
      const plan = new DialPlan(() => 0)
      plan.learn(at(1), 'beacon', '0x01', 0)
      for (let now = 0; now <= 12_000; now += 250) {
        if (isHeardAllTheTime && now % 1000 === 0) plan.learn(at(1), 'beacon', '0x01', now)
        for (const { address } of plan.take(1, now, never)) plan.ended(address.key, now)
      }
      return plan
    }
    const [away, there] = [failed(false), failed(true)]
    for (const plan of [away, there]) plan.learn(at(1), 'beacon', '0x01', 12_250)
    expect(away.take(1, 12_250, never)).toHaveLength(1)
    expect(there.take(1, 12_250, never)).toHaveLength(0)
    const second = failed(false)
    second.learn(at(1), 'beacon', '0x01', 12_250, true)
    expect(second.take(1, 12_250, never)).toHaveLength(0)
    expect(second.take(1, 12_250 + SECOND_DIALS_AFTER_MS, never)).toHaveLength(1)
    expect(AWAY_AFTER_MS).toBeGreaterThan(1200)
  })

  it('is bounded: what the owner named stays, a beacon gives way to nothing weaker', () => {
    const plan = new DialPlan(() => 0)
    plan.learn(at(0), 'static', null, 0)
    for (let i = 1; i < 2 * MAX_ADDRESSES; i++) plan.learn(at(i), 'beacon', null, i)
    expect(plan.size).toBe(MAX_ADDRESSES)
    expect(plan.entries().some(({ source }) => source === 'static')).toBe(true)
    expect(plan.entries().some(({ address }) => address.key === at(1).key)).toBe(false)
    expect(plan.learn(at(0xfff0), 'remembered', null, 9999)).toBe(true)
    const full = new DialPlan(() => 0)
    for (let i = 0; i < MAX_ADDRESSES; i++) full.learn(at(i), 'static', null, 0)
    expect(full.learn(at(0xfff0), 'beacon', null, 1)).toBe(false)
  })

  it('takes no more than there are places, and none twice', () => {
    const plan = new DialPlan(() => 0)
    for (let i = 1; i <= 10; i++) plan.learn(at(i), 'static', null, 0)
    expect(plan.take(4, 0, never)).toHaveLength(4)
    expect(plan.take(9, 0, never)).toHaveLength(6)
    expect(plan.take(9, 0, never)).toHaveLength(0)
  })

  it('keeps places for who is known, however many beacons are made up', () => {
    const plan = new DialPlan(() => 0)
    for (let i = 1; i <= 200; i++) plan.learn(at(i), 'beacon', null, 0)
    expect(plan.take(8, 0, never)).toHaveLength(MAX_BEACON_DIALS)
    plan.learn(at(0xa), 'beacon', null, 1)
    plan.learn(at(0xffff), 'remembered', null, 1)
    expect(plan.take(8 - MAX_BEACON_DIALS, 1, never).map(({ address }) => address.key)).toEqual([at(0xffff).key])
    plan.ended(at(1).key, 1)
    plan.learn(at(0xfffe), 'static', null, 2)
    expect(plan.take(2, 2, never).map(({ source }) => source)).toEqual(['static', 'beacon'])
  })
})

describe('an allowance', () => {
  it('lets through what the rate and the burst allow, and never more, however it is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 500 }), afterMs: fc.integer({ min: 0, max: 400 }) }), { minLength: 1, maxLength: 100 }), (asks) => {
        const allowance = new Allowance({ framesPerSecond: 10, bytesPerSecond: 1000 }, RECEIVE_BURST_SECONDS, 0)
        let [now, frames, bytes] = [0, 0, 0]
        for (const ask of asks) {
          now += ask.afterMs
          if (allowance.take(ask.bytes, now) > 0) continue
          frames += 1
          bytes += ask.bytes
        }
        expect(frames).toBeLessThanOrEqual(10 * (RECEIVE_BURST_SECONDS + now / 1000) + 1e-6)
        expect(bytes).toBeLessThanOrEqual(1000 * (RECEIVE_BURST_SECONDS + now / 1000) + 500)
      }),
    )
  })

  it('says how long to wait, and that is enough', () => {
    const allowance = new Allowance({ framesPerSecond: 0.1, bytesPerSecond: 100 }, 1, 0)
    expect(allowance.take(1000, 0)).toBe(0)
    const waitMs = allowance.take(10, 0)
    expect(waitMs).toBe(10_000)
    expect(allowance.take(10, waitMs)).toBe(0)
  })
})

describe('the control stream', () => {
  const [own, reader] = [Uint8Array.from({ length: 38 }, (_, i) => i), new Uint8Array(38).fill(9)]
  const documents = documentsOf(1)
  const facts = { instance: new Uint8Array(16).fill(3), community: new Uint8Array(8).fill(4), name: 'Dach süd', originator: '02:00:00:00:00:01', protocols: ['/a/1', '/b/2'] }

  it('carries frames of five kinds', () => {
    const frames: ControlFrame[] = [{ kind: 'welcome' }, { kind: 'ping', token: new Uint8Array(8) }, { kind: 'pong', token: new Uint8Array(8) }, { kind: 'farewell', reason: 'twin' }, { kind: 'hello', sealed: Uint8Array.of(1, 2) }]
    for (const frame of frames) expect(decodeControl(encodeControl(frame))).toEqual(frame)
  })

  it('of any bytes at all is a frame or a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          const frame = decodeControl(bytes)
          if (frame.kind === 'hello') openHello(documents, own, reader, frame.sealed)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(MeshBoxError)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('a hello holds for these two peer ids and this key only', () => {
    const sealed = sealHello(documents, own, reader, facts)
    expect(openHello(documents, own, reader, sealed)).toEqual({ ...facts, box: documents.self })
    expect(() => openHello(documents, reader, reader, sealed)).toThrow('peer id that noise has shown')
    expect(() => openHello(documents, own, own, sealed)).toThrow('made for this box')
    for (let at = 0; at < sealed.length; at += 5) {
      const changed = sealed.slice()
      changed[at] = (changed[at] ?? 0) ^ 0x10
      try {
        expect(openHello(documents, own, reader, changed).box).not.toBe(documents.self)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(MeshBoxError)
      }
    }
  })
})
