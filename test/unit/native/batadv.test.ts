/** What batman-adv's messages mean, by messages of a real kernel and by messages with parts missing. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, fromHex } from '../../../src/base/index.ts'
import { attribute, u32Attribute } from '../../../src/native/index.ts'
import { textAttribute } from '../../../src/native/genetlink-attributes.ts'
import {
  decodeBackbone,
  decodeClaim,
  decodeConfigEvent,
  decodeGateway,
  decodeGlobalTranslation,
  decodeHardInterface,
  decodeLocalTranslation,
  decodeMesh,
  decodeNeighbour,
  decodeOriginator,
} from '../../../src/native/batadv.ts'
import { captured, everyCaptured, withUnknown } from './genetlink-vectors.ts'

const DECODERS = [decodeMesh, decodeHardInterface, decodeOriginator, decodeNeighbour, decodeGateway, decodeLocalTranslation, decodeGlobalTranslation, decodeClaim, decodeBackbone, decodeConfigEvent]
const message = (...attributes: Uint8Array[]): { command: number; version: number; attributes: Uint8Array } => ({ command: 8, version: 1, attributes: concatBytes(...attributes) })
const MAC = fromHex('02000000000a')
const NO_FLAGS = { isDeleted: false, isRoaming: false, isWifi: false, isIsolated: false, isNeverPurged: false, isNew: false, isPending: false, isTemporary: false }

describe('a real kernel, BATMAN_IV', () => {
  it('mesh', () => {
    expect(captured('BATMAN_IV c batadv 1').map(decodeMesh)).toEqual([
      {
        version: '2022.3',
        algorithm: 'BATMAN_IV',
        interfaceName: 'bat0',
        interfaceIndex: 2,
        address: 'ca:60:7b:20:7a:dd',
        primary: { interfaceName: 'left', address: '8a:d9:07:75:26:8b' },
        translationVersion: 2,
        gatewayMode: 'server',
        gatewayDownKbit: 12_000,
        gatewayUpKbit: 3_000,
        originatorIntervalMs: 200,
        hopPenalty: 30,
        isApIsolated: false,
        isBridgeLoopAvoided: false,
      },
    ])
    // A mesh without hard interfaces.
    expect(captured('BATMAN_IV a batadv 1').map(decodeMesh)).toMatchObject([{ interfaceName: 'bat1', primary: null, isBridgeLoopAvoided: true, gatewayMode: 'off' }])
  })

  it('hard interfaces', () => {
    const rest = { isActive: true, hopPenalty: 0, elpIntervalMs: 500, throughputOverrideKbit: 0 }
    expect(captured('BATMAN_IV b batadv 5').map(decodeHardInterface)).toEqual([
      { interfaceName: 'left', interfaceIndex: 3, address: 'e6:42:e0:f3:bc:2d', ...rest },
      { interfaceName: 'right', interfaceIndex: 4, address: '12:04:73:5c:a6:19', ...rest },
    ])
  })

  it('originators have a TQ', () => {
    const rest = { neighbour: 'e6:42:e0:f3:bc:2d', interfaceName: 'right', interfaceIndex: 3, isBest: true, throughputKbit: null }
    expect(captured('BATMAN_IV a batadv 8').map(decodeOriginator)).toEqual([
      { originator: 'e6:42:e0:f3:bc:2d', lastSeenMs: 172, tq: 133, ...rest },
      { originator: '8a:d9:07:75:26:8b', lastSeenMs: 8, tq: 46, ...rest },
    ])
  })

  it('neighbours', () => {
    expect(captured('BATMAN_IV b batadv 9').map(decodeNeighbour)).toEqual([
      { neighbour: '1e:aa:78:b0:3b:13', interfaceName: 'left', interfaceIndex: 3, lastSeenMs: 204, throughputKbit: null },
      { neighbour: '8a:d9:07:75:26:8b', interfaceName: 'right', interfaceIndex: 4, lastSeenMs: 148, throughputKbit: null },
    ])
  })

  it('gateways', () => {
    expect(captured('BATMAN_IV a batadv 10').map(decodeGateway)).toEqual([
      { originator: '8a:d9:07:75:26:8b', router: 'e6:42:e0:f3:bc:2d', interfaceName: 'right', bandwidthDownKbit: 12_000, bandwidthUpKbit: 3_000, isBest: false, tq: 67, throughputKbit: null },
    ])
  })

  it('translation tables', () => {
    const local = captured('BATMAN_IV a batadv 6').map(decodeLocalTranslation)
    expect(local).toHaveLength(6)
    expect(local).toContainEqual({ address: 'b2:08:da:58:90:48', vlan: 7, crc32: 3_260_666_055, flags: { ...NO_FLAGS, isNeverPurged: true }, lastSeenMs: null })
    expect(local).toContainEqual({ address: 'b2:08:da:58:90:48', vlan: null, crc32: 2_846_507_424, flags: { ...NO_FLAGS, isNeverPurged: true }, lastSeenMs: null })
    const global = captured('BATMAN_IV a batadv 7').map(decodeGlobalTranslation)
    expect(global).toHaveLength(10)
    expect(global[0]).toEqual({ address: 'ca:60:7b:20:7a:dd', vlan: null, crc32: 856_590_211, flags: NO_FLAGS, originator: '8a:d9:07:75:26:8b', version: 1, lastVersion: 3, isBest: true })
  })

  it('backbones', () => {
    expect(captured('BATMAN_IV a batadv 12').map(decodeBackbone)).toEqual([
      { backbone: '1e:aa:78:b0:3b:13', vlan: 7, crc: 0, isOwn: true, lastSeenMs: 56 },
      { backbone: '1e:aa:78:b0:3b:13', vlan: null, crc: 0, isOwn: true, lastSeenMs: 1004 },
    ])
  })

  it('events of settings', () => {
    expect(captured('BATMAN_IV a batadv event config').map(decodeConfigEvent)).toMatchObject([
      { kind: 'mesh', mesh: { interfaceName: 'bat0', originatorIntervalMs: 300, gatewayMode: 'client' } },
      { kind: 'hard-interface', meshName: 'bat0', hardInterface: { interfaceName: 'right', hopPenalty: 5, isActive: true } },
      { kind: 'vlan', meshName: 'bat0', vlan: 7, isApIsolated: true },
    ])
  })
})

describe('a real kernel, BATMAN_V', () => {
  it('tells throughput in place of a TQ, to gateways too', () => {
    expect(captured('BATMAN_V a batadv 8').map(decodeOriginator)).toMatchObject([
      { originator: '6a:7a:96:bf:f3:9d', tq: null, throughputKbit: 8_823_500 },
      { originator: '66:87:6e:61:ef:30', tq: null, throughputKbit: 10_000_000 },
    ])
    expect(captured('BATMAN_V b batadv 9').map(decodeNeighbour)).toMatchObject([{ throughputKbit: 10_000_000 }, { throughputKbit: 10_000_000 }])
    // The kernel tells the way to a gateway in another unit than the same way to the originator.
    expect(captured('BATMAN_V a batadv 10').map(decodeGateway)).toMatchObject([{ originator: '6a:7a:96:bf:f3:9d', tq: null, throughputKbit: 8_823_500, bandwidthDownKbit: 12_000 }])
    expect(captured('BATMAN_V c batadv 1').map(decodeMesh)).toMatchObject([{ algorithm: 'BATMAN_V' }])
  })
})

describe('other kernels', () => {
  it('may add attributes', () => {
    for (const real of everyCaptured()) for (const decode of DECODERS) expect(decode(withUnknown(real))).toEqual(decode(real))
  })

  it('may leave out all but the address an entry is about', () => {
    expect(decodeOriginator(message(attribute(9, MAC)))).toEqual({ originator: '02:00:00:00:00:0a', neighbour: null, interfaceName: null, interfaceIndex: null, lastSeenMs: null, isBest: false, tq: null, throughputKbit: null })
    expect(decodeNeighbour(message(attribute(24, MAC)))).toEqual({ neighbour: '02:00:00:00:00:0a', interfaceName: null, interfaceIndex: null, lastSeenMs: null, throughputKbit: null })
    expect(decodeGateway(message(attribute(9, MAC)))).toMatchObject({ originator: '02:00:00:00:00:0a', router: null, bandwidthDownKbit: null, tq: null, throughputKbit: null, isBest: false })
    expect(decodeLocalTranslation(message(attribute(16, MAC)))).toEqual({ address: '02:00:00:00:00:0a', vlan: null, crc32: null, flags: NO_FLAGS, lastSeenMs: null })
    expect(decodeGlobalTranslation(message(attribute(16, MAC)))).toMatchObject({ originator: null, version: null, isBest: false })
    expect(decodeClaim(message(attribute(31, MAC)))).toEqual({ address: '02:00:00:00:00:0a', vlan: null, backbone: null, crc: null, isOwn: false })
    expect(decodeBackbone(message(attribute(33, MAC)))).toMatchObject({ vlan: null, crc: null, isOwn: false, lastSeenMs: null })
    expect(decodeMesh(message())).toMatchObject({ version: null, algorithm: null, primary: null, gatewayMode: null, isApIsolated: null })
    expect(decodeHardInterface(message())).toMatchObject({ interfaceName: null, isActive: false, hopPenalty: null })
  })

  it('that leave out even that give no entry', () => {
    for (const decode of [decodeOriginator, decodeNeighbour, decodeGateway, decodeLocalTranslation, decodeGlobalTranslation, decodeClaim, decodeBackbone]) {
      expect(decode(message(u32Attribute(23, 1)))).toBeNull()
      expect(decode(message(...[9, 16, 24, 31, 33].map((type) => attribute(type, fromHex('0200'))))), 'half an address').toBeNull()
    }
    expect(decodeConfigEvent({ ...message(), command: 77 })).toBeNull()
  })

  it('may know more modes of a gateway', () => {
    expect(decodeMesh(message(attribute(51, fromHex('09')))).gatewayMode).toBeNull()
    expect(['00', '01', '02'].map((mode) => decodeMesh(message(attribute(51, fromHex(mode)))).gatewayMode)).toEqual(['off', 'client', 'server'])
  })
})

describe('flags and numbers', () => {
  it('of translations, one by one', () => {
    const flagsOf = (flags: number): string[] =>
      Object.entries(decodeLocalTranslation(message(attribute(16, MAC), u32Attribute(21, flags)))?.flags ?? {}).flatMap(([name, isSet]) => (isSet ? [name] : []))
    const expected: [number, string][] = [[1, 'isDeleted'], [2, 'isRoaming'], [16, 'isWifi'], [32, 'isIsolated'], [256, 'isNeverPurged'], [512, 'isNew'], [1024, 'isPending'], [2048, 'isTemporary']]
    for (const [flag, name] of expected) expect(flagsOf(flag)).toEqual([name])
    expect(flagsOf(0xffff_ffff)).toHaveLength(expected.length)
  })

  it('of VLANs: only with the mark of a tag', () => {
    const vlanOf = (hex: string): number | null | undefined => decodeLocalTranslation(message(attribute(16, MAC), attribute(20, fromHex(hex))))?.vlan
    expect(['0780', '0700', '0080', 'ff8f'].map(vlanOf)).toEqual([7, null, 0, 4095])
  })

  it('no bytes break a decoder', () => {
    fc.assert(
      fc.property(fc.constantFrom(...everyCaptured()), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }), fc.nat(), (real, changes, cut) => {
        const attributes = real.attributes.slice(0, cut % (real.attributes.length + 1))
        for (const [at, byte] of changes) if (attributes.length > 0) attributes[at % attributes.length] = byte
        for (const decode of DECODERS) expect(() => decode({ ...real, attributes })).not.toThrow()
      }),
    )
    expect(decodeMesh(message(textAttribute(2, 'BATMAN_V'))).algorithm).toBe('BATMAN_V')
  })
})
