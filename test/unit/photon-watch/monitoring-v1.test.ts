/** The original monitoring payload: its JSON letter by letter, and signatures that the original contract would take. */
import { keccak256 } from 'ethers'
import { describe, expect, it } from 'vitest'
import { bytesOf, concatBytes, fromHex, utf8 } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { monitoringPayload } from '../../../src/photon/watch/index.ts'
import type { MonitoringOrder } from '../../../src/photon/watch/index.ts'
import { writeJson } from '../../../src/photon/rest/json.ts'
import { createDigests } from '../../../src/photon/wire/index.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import { signerOf } from './lane.ts'

const ME = signerOf(person(950))
const digests = createDigests({ profile: 'v1', chainId: 8888n, contract: `0x${'22'.repeat(20)}` }, (data) => native.keccak256(data))
const hash = (byte: string): Hash => `0x${byte.repeat(32)}`
const [TOKEN, PARTNER, THIRD]: [Address, Address, Address] = [`0x${'a1'.repeat(20)}`, `0x${'b2'.repeat(20)}`, `0x${'c3'.repeat(20)}`]
const lock = { expiration: 4589895, amount: 10n ** 20n, secretHash: hash('01') }
const key = { channel: hash('0c'), epoch: 3n }
const ORDER: MonitoringOrder = {
  ...key,
  openBlock: 3n,
  token: TOKEN,
  partner: PARTNER,
  thirdParty: THIRD,
  proof: { ...key, nonce: 11n, transferred: 2n ** 70n, locksroot: hash('0d'), extra: hash('0e'), signature: new Uint8Array(65).fill(0xff) },
  unlocks: [{ lock, secret: hash('02'), merkleProof: [hash('03'), hash('04')] }],
  punishes: [{ lockHash: hash('05'), extra: hash('06'), signature: new Uint8Array(65).fill(1) }],
}
const word = (value: bigint, bytes = 32): Uint8Array => bytesOf(`0x${value.toString(16).padStart(bytes * 2, '0')}`)
const signedBy = (payload: Uint8Array, base64: string): Address | null =>
  ME.recover(fromHex(keccak256(concatBytes(fromHex('19'), utf8('Spectrum Signed Message:\n'), payload))), new Uint8Array(Buffer.from(base64, 'base64')))

describe('the monitoring payload', () => {
  const text = writeJson(monitoringPayload(digests, (digest) => ME.sign(digest), ORDER), 'digits')
  const part = (pattern: RegExp): string => pattern.exec(text)?.[1] ?? ''

  it('is the JSON that the original prints: big numbers bare, bytes in base64, Go’s names for a lock', () => {
    const repeated = (byte: number, count: number): string => Buffer.alloc(count, byte).toString('base64')
    const nonClosing = part(/"non_closing_signature":"([^"]+)"/)
    const unlock = part(/"secret":"0x02[^"]*","signature":"([^"]+)"/)
    expect(text).toBe(
      `{"channel_identifier":"${hash('0c')}","open_block_number":3,"token_address":"${TOKEN}","partner_address":"${PARTNER}",` +
        `"update_transfer":{"nonce":11,"transfer_amount":1180591620717411303424,"locksroot":"${hash('0d')}","extra_hash":"${hash('0e')}","closing_signature":"${repeated(0xff, 65)}","non_closing_signature":"${nonClosing}"},` +
        `"unlocks":[{"lock":{"Expiration":4589895,"Amount":100000000000000000000,"LockSecretHash":"${hash('01')}"},"merkle_proof":"${Buffer.concat([bytesOf(hash('03')), bytesOf(hash('04'))]).toString('base64')}","secret":"${hash('02')}","signature":"${unlock}"}],` +
        `"punishes":[{"lock_hash":"${hash('05')}","additional_hash":"${hash('06')}","signature":"${repeated(1, 65)}"}]}`,
    )
  })

  it('signs the unlock over 188 bytes: the delegatee, the lock, the channel (F4)', () => {
    const body = concatBytes(bytesOf(THIRD), word(BigInt(lock.expiration)), word(lock.amount), bytesOf(lock.secretHash), bytesOf(key.channel), word(3n, 8), word(8888n))
    expect(body.length).toBe(188)
    expect(signedBy(concatBytes(utf8('188'), body), part(/"secret":"0x02[^"]*","signature":"([^"]+)"/))).toBe(ME.self)
  })

  it('signs the update over 144 bytes', () => {
    const body = concatBytes(word(2n ** 70n), bytesOf(hash('0d')), word(11n, 8), bytesOf(key.channel), word(3n, 8), word(8888n))
    expect(body.length).toBe(144)
    expect(signedBy(concatBytes(utf8('144'), body), part(/"non_closing_signature":"([^"]+)"/))).toBe(ME.self)
  })

  it('prints what is not there as Go does', () => {
    const empty = writeJson(monitoringPayload(digests, (digest) => ME.sign(digest), { ...ORDER, proof: null, unlocks: [], punishes: [] }), 'digits')
    expect(empty).toContain(`"update_transfer":{"nonce":0,"transfer_amount":null,"locksroot":"${hash('00')}","extra_hash":"${hash('00')}","closing_signature":null,"non_closing_signature":null},"unlocks":null,"punishes":null}`)
  })

  it('holds of our own contract’s channel the update alone, which names who may post it', () => {
    const ours = createDigests({ profile: 'v2', chainId: 1n, contract: TOKEN }, (data) => native.keccak256(data))
    const payload = monitoringPayload(ours, (digest) => ME.sign(digest), ORDER)
    expect([payload.unlocks, payload.punishes]).toEqual([null, null])
    const { nonce, transferred, locksroot } = ORDER.proof ?? missing()
    const by = (watcher: Address): Address | null => ME.recover(ours.updateDelegation({ ...key, nonce, transferred, locksroot, watcher, reward: 0n }), payload.update_transfer.non_closing_signature ?? missing())
    expect(by(THIRD)).toBe(ME.self)
    expect(by(PARTNER)).not.toBe(ME.self)
  })
})

function missing(): never {
  throw new Error('it is not there')
}
