/** Routes: the longest prefix wins, against an oracle that looks at all of them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/base/index.ts'
import { encodeFrame, hasPrefix } from '../../../src/iot/lorawan/index.ts'
import { RouteTable } from '../../../src/iot/tenants/index.ts'
import type { Route } from '../../../src/iot/ports.ts'
import { opened, tenant, uplink } from './tenant-box.ts'

type Prefix = Extract<Route, { kind: 'dev-addr' }>
const prefix: fc.Arbitrary<Prefix> = fc.record({ bits: fc.integer({ min: 1, max: 32 }), address: fc.nat(0xffff_ffff) }).map(({ bits, address }) => ({ kind: 'dev-addr', prefixBits: bits, prefix: address - (address % 2 ** (32 - bits)) }))

function frame(address: number): Uint8Array {
  const phy = new Uint8Array(12)
  phy[0] = 0x40
  new DataView(phy.buffer).setUint32(1, address, true)
  return phy
}

const key = (route: Prefix): string => `${route.prefix}/${route.prefixBits}`

describe('a data frame', () => {
  it('goes to the longest prefix that fits', () => {
    fc.assert(
      fc.property(fc.uniqueArray(prefix, { selector: key, maxLength: 60 }), fc.array(fc.nat(0xffff_ffff), { minLength: 5, maxLength: 20 }), (routes, others) => {
        const table = new RouteTable()
        routes.forEach((_, i) => table.set(`t${i % 7}`, [...routes.filter((_, j) => j % 7 === i % 7 && j <= i)]))
        for (const address of [...others, ...routes.map((route) => route.prefix)]) {
          const best = routes.map((route, i) => ({ route, owner: `t${i % 7}` })).filter(({ route }) => hasPrefix(address, { prefix: route.prefix, bits: route.prefixBits })).sort((a, b) => b.route.prefixBits - a.route.prefixBits)[0]
          expect(table.find(frame(address))).toEqual(best === undefined ? [] : [best.owner])
        }
      }),
      { numRuns: 200 },
    )
  })

  it('overlaps are those an oracle finds', () => {
    fc.assert(
      fc.property(fc.uniqueArray(prefix, { selector: key, minLength: 2, maxLength: 40 }), (routes) => {
        const table = new RouteTable()
        const [mine, theirs] = [routes.filter((_, i) => i % 2 === 0), routes.filter((_, i) => i % 2 === 1)]
        table.set('mine', mine)
        table.set('theirs', theirs)
        const expected = theirs.filter((their) => mine.some((own) => (own.prefixBits <= their.prefixBits ? hasPrefix(their.prefix, { prefix: own.prefix, bits: own.prefixBits }) : hasPrefix(own.prefix, { prefix: their.prefix, bits: their.prefixBits }))))
        expect(table.overlaps('mine', mine).map(({ route }) => route)).toEqual(expected)
      }),
      { numRuns: 200 },
    )
  })

  it('downward, too short, or of no kind is nobody\'s', () => {
    const table = new RouteTable()
    table.set('all', [{ kind: 'dev-addr', prefix: 0, prefixBits: 1 }, { kind: 'dev-addr', prefix: 0x8000_0000, prefixBits: 1 }])
    expect(table.find(uplink(1))).toEqual(['all'])
    expect(table.find(uplink(1).subarray(0, 11))).toEqual([])
    for (const mhdr of [0x20, 0x60, 0xa0, 0xc0, 0xe0]) expect(table.find(Uint8Array.of(mhdr, ...new Uint8Array(20)))).toEqual([])
    expect(table.find(new Uint8Array(0))).toEqual([])
  })
})

describe('a join request', () => {
  it('goes to the device\'s tenant before its JoinEUI\'s', () => {
    const phy = fromHex('0039363463336913AA05693574323831330489C65B1304')
    const eui = (at: number): string => [...phy.subarray(at, at + 8)].reverse().map((byte) => byte.toString(16).padStart(2, '0')).join('')
    const table = new RouteTable()
    table.set('joins', [{ kind: 'join', joinEui: eui(1), devEui: null }])
    expect(table.find(phy)).toEqual(['joins'])
    table.set('device', [{ kind: 'join', joinEui: eui(1), devEui: eui(9) }])
    expect(table.find(phy)).toEqual(['device'])
    expect(table.overlaps('device', [{ kind: 'join', joinEui: eui(1), devEui: eui(9) }])).toHaveLength(1)
    table.remove('device')
    expect(table.find(phy)).toEqual(['joins'])
    expect(() => table.set('rival', [{ kind: 'join', joinEui: eui(1), devEui: null }])).toThrow(expect.objectContaining({ code: 'route-taken' }))
    expect(table.find(phy.subarray(0, 22))).toEqual([])
  })
})

describe('a rejoin request', () => {
  const [joinEui, otherJoinEui, devEui, otherDevEui] = ['70b3d57ed0000000', '70b3d57ed0000001', '0004a30b001c0530', '0004a30b001c0531']
  const rejoin = (rejoinType: 0 | 1 | 2, of = devEui, netId = 0x13): Uint8Array =>
    encodeFrame({ type: 'rejoin-request', rejoinType, netId: rejoinType === 1 ? null : netId, joinEui: rejoinType === 1 ? joinEui : null, devEui: of, rejoinCount: 7, mic: Uint8Array.of(1, 2, 3, 4) })
  const TYPES = [0, 1, 2] as const

  it('goes by what it names: JoinEUI and DevEUI, or DevEUI before NetID', () => {
    const table = new RouteTable()
    const found = (of = devEui, netId = 0x13): readonly (string | undefined)[] => TYPES.map((type) => table.find(rejoin(type, of, netId))[0])
    expect(found()).toEqual([undefined, undefined, undefined])
    table.set('network', [{ kind: 'net-id', netId: 0x13 }])
    expect(found()).toEqual(['network', undefined, 'network'])
    table.set('joins', [{ kind: 'join', joinEui, devEui: null }])
    expect(found()).toEqual(['network', 'joins', 'network'])
    table.set('device', [{ kind: 'join', joinEui, devEui }])
    expect([found(), found(otherDevEui), found(devEui, 0x14)]).toEqual([['device', 'device', 'device'], ['network', 'joins', 'network'], ['device', 'device', 'device']])
    // A DevEUI that two tenants have tells nothing without its JoinEUI.
    table.set('rival', [{ kind: 'join', joinEui: otherJoinEui, devEui }])
    expect(found()).toEqual(['network', 'device', 'network'])
    table.remove('rival')
    expect(found()).toEqual(['device', 'device', 'device'])
    for (const type of TYPES) for (const cut of [rejoin(type).subarray(0, -1), Uint8Array.of(...rejoin(type), 0)]) expect(table.find(cut)).toEqual([])
    expect(table.find(Uint8Array.of(0xc0, 3, ...new Uint8Array(17)))).toEqual([])
  })

  it('is sold like a join, once', async () => {
    const box = await opened({}, [tenant({ routes: [{ kind: 'join', joinEui, devEui }], prices: { ...tenant().prices, perJoin: 5n } })])
    try {
      for (const type of TYPES) expect([box.house.route(rejoin(type)), await box.take(rejoin(type)), await box.take(rejoin(type))]).toEqual([['farm'], 'sold', 'repeated'])
      expect(box.units().map(({ kind, units, amount }) => [kind, units, amount])).toEqual(Array(3).fill(['join', 1, 5n]))
    } finally {
      await box.close()
    }
  })
})
