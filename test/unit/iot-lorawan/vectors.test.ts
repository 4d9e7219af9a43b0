/**
 * Published vectors: RFC 4493; lora-packet's and brocaar/lorawan's tests (also recomputed by each other); The Things Stack's key tests.
 */
import { createCipheriv } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fromHex, fromUtf8, toHex } from '../../../src/base/index.ts'
import {
  AesKey,
  decodeFrame,
  encodeFrame,
  isJoinRequestBy,
  isMicRight,
  joinServerKeys,
  makeJoinRequest,
  openData,
  openJoinAccept,
  openSessionKeys,
  readUpCommands,
  sealData,
  sealJoinAccept,
  sessionKeys10,
  sessionKeys11,
  writeUpCommands,
} from '../../../src/iot/lorawan/index.ts'
import type { DataFrame, JoinAccept } from '../../../src/iot/lorawan/index.ts'
import { seededRandom } from '../../support/fakes.ts'

const base64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))
const RISING = fromHex('0102030405060708090a0b0c0d0e0f10')
const FALLING = fromHex('100f0e0d0c0b0a090807060504030201')

function keys10(nwkSKey: string, appSKey: string) {
  const network = fromHex(nwkSKey)
  return openSessionKeys({ fNwkSIntKey: network, sNwkSIntKey: network, nwkSEncKey: network, appSKey: fromHex(appSKey) }, false)
}

function data(phy: Uint8Array): DataFrame {
  const frame = decodeFrame(phy)
  if (frame.type !== 'data') throw new Error(`it is a ${frame.type}`)
  return frame
}

describe('AES', () => {
  const key = new AesKey(fromHex('2b7e151628aed2a6abf7158809cf4f3c'))
  const message = fromHex('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710')

  it.each([
    [0, 'bb1d6929e95937287fa37d129b756746'],
    [16, '070a16b46b4d4144f79bdd9dd04a287c'],
    [40, 'dfa66747de9ae63030ca32611497c827'],
    [64, '51f0bebf7e3b9d92fc49741779363cfe'],
  ])('makes the CMAC of RFC 4493 over %i bytes', (length, expected) => {
    expect(toHex(key.cmac(message.subarray(0, length)))).toBe(expected)
  })

  it('makes the same CMAC again whatever was made before', () => {
    const fresh = (bytes: Uint8Array): string => toHex(new AesKey(fromHex('2b7e151628aed2a6abf7158809cf4f3c')).cmac(bytes))
    for (let length = 0; length < 64; length++) expect(toHex(key.cmac(message.subarray(0, length)))).toBe(fresh(message.subarray(0, length)))
  })

  it('does not change its message, and its answers do not change later', () => {
    const before = toHex(message)
    const first = key.cmac(message)
    const shown = toHex(first)
    key.cmac(message.subarray(3))
    expect([toHex(message), toHex(first)]).toEqual([before, shown])
  })

  it('encrypts and decrypts blocks (FIPS 197, appendix C.1)', () => {
    const fips = new AesKey(fromHex('000102030405060708090a0b0c0d0e0f'))
    const cipher = fips.encryptBlocks(fromHex('00112233445566778899aabbccddeeff'))
    expect(toHex(cipher)).toBe('69c4e0d86a7b0430d8cdb78070b4c55a')
    expect(toHex(fips.decryptBlocks(cipher))).toBe('00112233445566778899aabbccddeeff')
  })

  it('agrees with node:crypto under any key, for any number of blocks', () => {
    const random = seededRandom(7)
    for (let round = 0; round < 300; round++) {
      const [bytes, blocks] = [random.bytes(16), random.bytes(16 * (round % 5))]
      const oracle = createCipheriv('aes-128-ecb', bytes, null).setAutoPadding(false)
      const ours = new AesKey(bytes)
      expect(toHex(ours.encryptBlocks(blocks))).toBe(oracle.update(blocks).toString('hex'))
      expect(toHex(ours.decryptBlocks(ours.encryptBlocks(blocks)))).toBe(toHex(blocks))
      // RFC 4493 over one block: CBC of it, masked by the doubled cipher of zero.
      const one = random.bytes(16)
      const zero = BigInt(`0x${oracle.update(new Uint8Array(16)).toString('hex')}`)
      const mask = BigInt.asUintN(128, zero << 1n) ^ (zero >> 127n === 1n ? 0x87n : 0n)
      const masked = (BigInt(`0x${toHex(one)}`) ^ mask).toString(16).padStart(32, '0')
      expect(toHex(ours.cmac(one))).toBe(oracle.update(Buffer.from(masked, 'hex')).toString('hex'))
    }
  })

  it('refuses other lengths without showing the key', () => {
    expect(() => new AesKey(fromHex('deadbeef'))).toThrow(/key: 4 bytes is not allowed; allowed: 16 bytes/)
    expect(() => key.encryptBlocks(new Uint8Array(15))).toThrow(/multiple of 16/)
  })
})

describe('data frames of 1.0', () => {
  const keys = keys10('44024241ed4ce9a68c6a8bc055233fd3', 'ec925802ae430ca77fd3dd73cb2cc588')

  it.each([
    ['40F17DBE4900020001954378762B11FF0D', 2, 'test'],
    ['40f17dbe490004000155332de41a11adc072553544429ce7787707d1c316e027e7e5e334263376affb8aa17ad30075293f28dea8a20af3c5e7', 4, 'The quick brown fox jumps over the lazy dog.'],
  ])('opens %s', (hex, fCnt, text) => {
    const phy = fromHex(hex)
    const frame = data(phy)
    expect(frame).toMatchObject({ direction: 'up', isConfirmed: false, devAddr: 0x49be7df1, fCnt16: fCnt, fPort: 1, adr: false, ack: false })
    expect(isMicRight(keys, phy, 'up', fCnt)).toBe(true)
    expect(isMicRight(keys, phy, 'up', fCnt + 0x1_0000)).toBe(false)
    expect(isMicRight(keys, phy, 'down', fCnt)).toBe(false)
    expect(fromUtf8(openData(keys, frame, fCnt).payload)).toBe(text)
  })

  it('knows a frame without port', () => {
    const phy = fromHex('40F17DBE49000300012A3518AF')
    const frame = data(phy)
    expect(frame.fPort).toBe(1)
    expect(frame.frmPayload).toHaveLength(0)
    expect(isMicRight(keys, phy, 'up', 3)).toBe(true)
  })

  it('knows an ACK downward', () => {
    const phy = fromHex('60f17dbe4920020001f9d65d27')
    expect(data(phy)).toMatchObject({ direction: 'down', ack: true, fCnt16: 2 })
    expect(isMicRight(keys, phy, 'down', 2)).toBe(true)
  })

  it('opens a frame of other keys (brocaar/lorawan)', () => {
    const phy = base64('QAQDAgGAAQABppRkJhXWw7WC')
    const others = keys10('02'.repeat(16), '01'.repeat(16))
    expect(data(phy)).toMatchObject({ adr: true, devAddr: 0x01020304, fCnt16: 1, fPort: 1 })
    expect(isMicRight(others, phy, 'up', 1)).toBe(true)
    expect(fromUtf8(openData(others, data(phy), 1).payload)).toBe('hello')
  })

  it('makes a confirmed frame with DevStatusAns in FOpts', () => {
    const keys2 = openSessionKeys({ fNwkSIntKey: RISING, sNwkSIntKey: RISING, nwkSEncKey: RISING, appSKey: FALLING }, false)
    const fOpts = writeUpCommands([{ name: 'DevStatusAns', battery: 115, margin: 7 }])
    const phy = sealData(keys2, { direction: 'up', isConfirmed: true, devAddr: 0x01020304, adr: false, adrAckReq: false, ack: false, bit4: false, fCnt32: 0, fOpts, fPort: 10, frmPayload: fromHex('01020304') })
    expect(Buffer.from(phy).toString('base64')).toBe('gAQDAgEDAAAGcwcK4mTU9+EX0sA=')
    expect(readUpCommands(data(phy).fOpts)).toEqual({ commands: [{ name: 'DevStatusAns', battery: 115, margin: 7 }], unread: new Uint8Array() })
    expect(encodeFrame(decodeFrame(phy))).toEqual(phy)
  })

  it('reads FOpts of a frame in the field (lora-packet, issue 18)', () => {
    const frame = data(fromHex('4084412505A3010009110308B33750F504D4B86A'))
    expect([toHex(frame.fOpts), frame.adr, frame.ack]).toEqual(['091103', true, true])
  })
})

describe('joining', () => {
  it('makes and checks a join request', () => {
    const phy = fromHex('0039363463336913AA05693574323831330489C65B1304')
    const key = new AesKey(fromHex('98929b92c49edba9676d646d3b612456'))
    expect(decodeFrame(phy)).toMatchObject({ type: 'join-request', joinEui: 'aa13693363343639', devEui: '3331383274356905', devNonce: 0x8904 })
    expect(isJoinRequestBy(key, phy)).toBe(true)
    expect(isJoinRequestBy(new AesKey(RISING), phy)).toBe(false)
    expect(toHex(makeJoinRequest(key, { joinEui: 'aa13693363343639', devEui: '3331383274356905', devNonce: 0x8904 }))).toBe(toHex(phy))
  })

  it('makes the join request of brocaar/lorawan', () => {
    const phy = makeJoinRequest(new AesKey(RISING), { joinEui: '01'.repeat(8), devEui: '02'.repeat(8), devNonce: 771 })
    expect(Buffer.from(phy).toString('base64')).toBe('AAEBAQEBAQEBAgICAgICAgIDAwm5ezI=')
  })

  const ACCEPT: JoinAccept = { joinNonce: 65793, netId: 0x020202, devAddr: 0x01020304, optNeg: false, rx1DrOffset: 0, rx2DataRate: 0, rxDelaySeconds: 0, cfList: null }

  it('seals and opens a join accept of 1.0', () => {
    const key = new AesKey(RISING)
    const phy = sealJoinAccept(key, ACCEPT)
    expect(Buffer.from(phy).toString('base64')).toBe('ICPPM1SJquMYPAvguqje5fM=')
    const opened = openJoinAccept(key, phy)
    expect(opened).toMatchObject({ accept: ACCEPT, isMicRight: true })
    expect(toHex(opened.open.subarray(1))).toBe('0101010202020403020100003449f212')
    expect(openJoinAccept(new AesKey(FALLING), phy).isMicRight).toBe(false)
  })

  it('opens the join accept of an old test of brocaar/lorawan', () => {
    const { accept, isMicRight: right } = openJoinAccept(new AesKey(fromHex('00112233445566778899aabbccddeeff')), fromHex('20493eeb51fba2116f810edb3742975142'))
    expect(right).toBe(true)
    expect(accept).toMatchObject({ joinNonce: 0x570bc7, netId: 0x221101, devAddr: 0x02031980, rx1DrOffset: 0, rx2DataRate: 0, rxDelaySeconds: 0, cfList: null })
  })

  it('seals and opens a join accept of 1.1', () => {
    const key = new AesKey(RISING)
    const version = { jsIntKey: RISING, requestType: 0xff, joinEui: '0807060504030201', devNonce: 258 }
    const phy = sealJoinAccept(key, { ...ACCEPT, optNeg: true }, version)
    expect(Buffer.from(phy).toString('base64')).toBe('IHq+6gawKSDxHALQNI/PGBU=')
    expect(toHex(openJoinAccept(key, phy, version).open.subarray(1))).toBe('01010102020204030201800093ff9a3a')
    expect(openJoinAccept(key, phy, version).isMicRight).toBe(true)
    expect(openJoinAccept(key, phy, { ...version, devNonce: 259 }).isMicRight).toBe(false)
  })

  it('derives session keys of 1.0', () => {
    const first = sessionKeys10(fromHex('98929b92c49edba9676d646d3b612456'), { joinNonce: 0x376338, netId: 0xaabbcc, devNonce: 0xf18e })
    expect([toHex(first.nwkSEncKey), toHex(first.appSKey)]).toEqual(['4e3d6e6afbcc67af2ba3c8e8ec4acf4b', '610897aa6f1460623443b527d3ac6a9d'])
    const second = sessionKeys10(fromHex('BEC499C69E9C939E413B663961636C61'), { joinNonce: 0xae3b1c, netId: 0x020101, devNonce: 0x7369 })
    expect([toHex(second.fNwkSIntKey), toHex(second.appSKey)]).toEqual(['0db924ee6af90698e05fc7ce48303c01', '8c1e0543a229088de6f84e74bb46bd62'])
  })

  it('derives session keys of 1.1', () => {
    const root = fromHex('BEC499C69E9C939E413B663961636C61')
    const keys = sessionKeys11(root, root, { joinNonce: 0xae3b1c, joinEui: '0000001223224242', devNonce: 0x7369 })
    expect([keys.fNwkSIntKey, keys.sNwkSIntKey, keys.nwkSEncKey, keys.appSKey].map(toHex)).toEqual([
      '379084e7ce22ff191bff4b77536f2aa3',
      '63c59309d53485bc5164dbf71627aeb9',
      'ce07a009a3970ac0519a099ed53e550b',
      'b035cce24e4a040eb5cecbf21724412d',
    ])
    const server = joinServerKeys(root, '0102030405060708')
    expect(toHex(server.int)).not.toBe(toHex(server.enc))
  })
})

describe('data frames of 1.1', () => {
  it('encrypts FOpts downward', () => {
    const keys = openSessionKeys({ fNwkSIntKey: RISING, sNwkSIntKey: fromHex(`${'01'.repeat(15)}00`), nwkSEncKey: fromHex(`${'01'.repeat(14)}0200`), appSKey: FALLING }, true)
    const phy = base64('YAQDAgEDAAAirAoB8LRo3ape0To=')
    const frame = data(phy)
    expect(isMicRight(keys, phy, 'down', 0)).toBe(true)
    const opened = openData(keys, frame, 0)
    expect([toHex(opened.fOpts), toHex(opened.payload)]).toEqual(['020701', '01020304'])
    expect(toHex(sealData(keys, { ...frame, fCnt32: 0, fOpts: opened.fOpts, frmPayload: opened.payload }))).toBe(toHex(phy))
  })

  it('judges an uplink on port 0 by both halves of the MIC', () => {
    const keys = openSessionKeys(
      {
        fNwkSIntKey: fromHex('07c105892e1bbb7f7101d13a5f78249b'),
        sNwkSIntKey: fromHex('f9162a2fcf6e70867cee523249282844'),
        nwkSEncKey: fromHex('a5406d11c50850c965c2545ad81980a7'),
        appSKey: fromHex('38034b6efc87cf9c40ac0b45b460d395'),
      },
      true,
    )
    const phy = fromHex('40679810e080000000c2c5248de748')
    const sent = { confFCnt: 0, dataRate: 0, channel: 1 }
    expect(isMicRight(keys, phy, 'up', 0, sent)).toBe(true)
    // Without ACK the confirmed counter is 0 whatever is passed; what was on the air counts.
    expect(isMicRight(keys, phy, 'up', 0, { ...sent, confFCnt: 7 })).toBe(true)
    expect(isMicRight(keys, phy, 'up', 0, { ...sent, channel: 0 })).toBe(false)
    expect(isMicRight(keys, phy, 'up', 0, { ...sent, dataRate: 1 })).toBe(false)
    expect(readUpCommands(openData(keys, data(phy), 0).payload).commands).toEqual([{ name: 'RekeyInd', minor: 1 }])
  })
})
