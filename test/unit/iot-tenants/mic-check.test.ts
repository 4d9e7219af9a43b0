/** Codes of LoRaWAN 1.1 by the FNwkSIntKey alone. lora-packet is the oracle. */
import loraPacket from 'lora-packet'
import { expect, it } from 'vitest'
import { AesKey } from '../../../src/iot/lorawan/index.ts'
import { checkMic } from '../../../src/iot/tenants/mic-check.ts'
import type { MicKey } from '../../../src/iot/tenants/mic-check.ts'
import { NWK_KEY, uplink, uplink11 } from './tenant-box.ts'

const phy = uplink11(9)
const frame = { fCnt16: 9, mic: phy.slice(-4) }
const key = (slot: number, lastFCntUp: number | null, bytes: Uint8Array = NWK_KEY): MicKey => ({ slot, is11: true, lastFCntUp, open: () => new AesKey(bytes, 'key') })

it('is the half that another library makes with it, whatever the other half is', () => {
  // ConfFCnt, data rate and channel are in the half of the SNwkSIntKey only.
  const theirs = (around: string): Buffer => loraPacket.calculateMIC(loraPacket.fromWire(Buffer.from(phy)), Buffer.from(NWK_KEY), Buffer.alloc(16, 0x51), Buffer.alloc(2), Buffer.from(around, 'hex'))
  for (const around of ['00000502', '00000001']) expect(checkMic([key(1, 8)], phy, { fCnt16: 9, mic: theirs(around) })).toEqual({ kind: 'right', slot: 1, fCnt: 9 })
  for (const at of [2, 3]) {
    const mic = Uint8Array.from(theirs('00000502'))
    mic[at] = (mic[at] ?? 0) ^ 1
    expect(checkMic([key(1, 8)], phy, { fCnt16: 9, mic })).toEqual({ kind: 'wrong' })
  }
})

it('of several keys that fit means the one whose counter moves least', () => {
  expect(checkMic([key(1, null), key(2, 0), key(3, 7), key(4, 5)], phy, frame)).toEqual({ kind: 'right', slot: 3, fCnt: 9 })
  expect(checkMic([key(1, 7), key(2, 9)], phy, frame)).toEqual({ kind: 'repeated' })
  expect(checkMic([key(1, null)], phy, frame)).toEqual({ kind: 'right', slot: 1, fCnt: 9 })
})

it('goes behind the whole code of 1.0', () => {
  const of10 = uplink(9)
  expect(checkMic([key(1, 8), { ...key(2, 0), is11: false }], of10, { fCnt16: 9, mic: of10.slice(-4) })).toEqual({ kind: 'right', slot: 2, fCnt: 9 })
  // The whole code of one device is never half of another's.
  expect(checkMic([{ ...key(1, 8), is11: false }], phy, frame)).toEqual({ kind: 'wrong' })
})

it('never takes more than 64 codes', () => {
  let codes = 0
  const wrong = Array.from({ length: 32 }, (_, slot): MicKey => ({ slot, is11: true, lastFCntUp: null, open: () => (codes++, new AesKey(new Uint8Array(16).fill(slot + 100), 'key')) }))
  expect(checkMic(wrong, phy, frame)).toEqual({ kind: 'wrong' })
  expect(codes).toBe(64)
})

it('of 32 new keys on one DevAddr leaves none out, of either version', () => {
  const bytesOf = (slot: number): Uint8Array => new Uint8Array(16).fill(slot + 100)
  for (const is11 of [true, false])
    for (let own = 0; own < 32; own++) {
      // The others are of the other version in every second case: neither uses up what the other is to have.
      const keys = Array.from({ length: 32 }, (_, slot): MicKey => ({ ...key(slot, null, bytesOf(slot)), is11: slot === own ? is11 : slot % 2 === 0 }))
      for (const fCnt of [9, 0x1_0009]) {
        const theirs = is11 ? uplink11(fCnt, { key: bytesOf(own) }) : uplink(fCnt, { key: bytesOf(own) })
        expect(checkMic(keys, theirs, { fCnt16: 9, mic: theirs.slice(-4) }), `${own} ${fCnt}`).toEqual({ kind: 'right', slot: own, fCnt })
      }
    }
})

it('a whole code is meant before half of one that fits by chance', () => {
  const of10 = uplink(0x1_0009)
  // Half of it fits a key of 1.1 with less of a jump, too.
  const same = { ...key(2, 0x1_0008), is11: true }
  const mic = of10.slice(-4)
  const half = uplink11(9, { key: NWK_KEY })
  expect(checkMic([same, { ...key(1, null), is11: false }], of10, { fCnt16: 9, mic })).toEqual({ kind: 'right', slot: 1, fCnt: 0x1_0009 })
  expect(checkMic([same, { ...key(1, null), is11: false }, key(3, 8)], half, { fCnt16: 9, mic: half.slice(-4) })).toEqual({ kind: 'right', slot: 3, fCnt: 9 })
})
