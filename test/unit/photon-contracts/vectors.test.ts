/** Committed bytes are what the sources give; the digests are those of photon.md 10.4, as the contract itself takes them. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileContracts } from '../../../scripts/contracts.ts'
import { ZERO_ADDRESS, ZERO_HASH, bytesOf, hexOf } from '../../../src/base/index.ts'
import type { Hash } from '../../../src/base/index.ts'
import { openConsentDigest, openingOrderDigest, paymentOrderDigest } from '../../../src/photon/contracts/orders.ts'
import { PHOTON_ARTIFACTS } from '../../../src/photon/contracts/artifacts.ts'
import { native } from '../spectrum/curves.ts'
import { bytes32 } from '../native/scalars.ts'
import { TYPES, digestOf } from './channel.ts'
import { ALICE, BOB, CHAIN_ID, Town, interfaceOf } from './town.ts'

const keccak = (bytes: Uint8Array): Uint8Array => native.keccak256(bytes)
const KEY1 = bytesOf('0x4359f525e2b373089be5fe8f9a4e8ffb6d30e2960918be426217921e1b2547f7')
const [ME, OTHER] = ['0x05e9918f4bCBf3C8307887d421Eb02B5e26b6F45', '0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF']
const ONE: Hash = `0x${'11'.repeat(32)}`
const channel = hexOf(keccak(new TextEncoder().encode('123')))

/** Type, values, typehash, digest, signature (10.4). */
const VECTORS: readonly (readonly [string, Readonly<Record<string, unknown>>, string, string, string])[] = [
  ['BalanceProof', { nonce: 11, transferred: 12, locksroot: ZERO_HASH, extra: ONE }, '0x7ab881703de03c89fa6db8ab679ad8615322242605182d04a030fee999c0b18a', '0x8127fbb988c50ce789d66bddad697cd21c1829e4f151770b26863735d9234a84', '0xfeab236c53906857454316be658c9821d8cefbc95dc931f417c2496eb6e86349461b09061876dfd3296188b67907136f9495b96cfa8d8e8e76b26411cb111fac1b'],
  ['UpdateDelegate', { nonce: 11, transferred: 12, locksroot: ZERO_HASH, watcher: ZERO_ADDRESS, reward: 5 }, '0x0d9c36934386f3697c38180a53a5025ac4ba45ad33e394c9b8515d6b1fb22895', '0x82db1fe590011523a421dad73e9f68ff7462fdb7e571a57242331f53cf580184', '0x8586ee2cc7612132ab6a50850d25af536fb09489f6fbdf6380c373ba8d6397b77f50f1bc1e9aeeb7becc2109f12172e719c5187c8b3a1965de37bf038af12f561b'],
  ['CoopSettle', { p1: ME, b1: 10, p2: OTHER, b2: 30, validUntil: 1000 }, '0xfc682c8e413d05353ee4e17bec683353c9e824e626ee3c4dd69f6c2d3e4a24f4', '0x19db98604c3ac4e4a7e620eb940a28abc800303b2103ac5d885773169bfa17aa', '0x08bbc6edd5384e739734e1fe5ae0115be725991033fab0b62ed49ead833ba7667054beef8249857fe25c3111e54ccd259283b444dc5822aa53a305bcefad44471b'],
  ['Withdraw', { participant: ME, total: 10, validUntil: 1000 }, '0x754ebe565bc1fe04218a4a98917ffb4ff5b0a02d56bb8194c5a531e99c539a4a', '0xb5a49523ca8833614b02289e28770d88fc62a4509fc131062814f0afd65bbb50', '0xc2b3877d0894d5238de17bcfa60edb4faf04dc156d3b01e6f318d0ad255d603b593d6b60d144b41131c5ba8135dbba05bd456c2fde8593466c6a8d3398e599c81b'],
  ['Voucher', { cumulative: 1000, tip: ONE, steps: 60, unit: 2 }, '0x627c4d77494f2b7a23931ef01a1672b0145308550720b68ba1a3e77f178e859d', '0xd7f94caf5fb6965da88a2056d60247147f16bd73fbceec61b97f2f35bd5ba541', '0x3807da41673037d290be786142fd60fcf6a8408a97d9db9292c08fdaf2debfb83f96284354f4706640f6d1009ea1118fe152b924f40636e633d6f946c3fb560e1c'],
  ['Disposed', { lockhash: ONE, extra: ZERO_HASH }, '0x86ff77c08d72adf79a9f5f0734dab61841ddcfd35a7e56047673402bfe5e35c3', '0x88fafada203206c49ed240f17e72b80622f2c3ffca6494690e72a131c056fea7', '0xb68d2241e275cd1c0ebb0138176e5606e2f45f2b15dfb52a450ad753e5d77f816f049996ae763cb235b33d83f37b575cb48b2c67b26f7f053258c0660ed9a2ca1b'],
]

describe('the artifacts', () => {
  it('are what the sources give', () => {
    const compiled = [...compileContracts('src/photon'), ...compileContracts('test/unit/photon-contracts')]
    expect(compiled.length).toBe(10)
    for (const [path, text] of compiled) expect(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8'), path).toBe(text)
  })

  it('lay out their storage as the readers expect it', () => {
    const slots = (name: string): readonly string[] => {
      const json = JSON.parse(readFileSync(new URL(`../../../src/photon/contracts/artifacts/${name}.json`, import.meta.url), 'utf8')) as { readonly storage: readonly { readonly slot: number; readonly label: string }[] }
      return json.storage.map(({ slot, label }) => `${slot} ${label}`)
    }
    expect(slots('PhotonV2')).toEqual(['0 guard', '1 chainId', '2 secretRegistry', '3 channels', '4 unlocked', '5 rewards', '6 owed'])
    expect(slots('Purse')).toEqual(['0 guard', '1 chainId', '2 channels', '3 balanceOf', '4 nextNumber', '5 orderOf'])
    expect(slots('SecretRegistry')).toEqual(['0 secrethash_to_block'])
  })

  it('fit into a chain', () => {
    for (const { bytecode } of Object.values(PHOTON_ARTIFACTS)) expect(bytecode.length / 2).toBeLessThan(24_576)
  })

  it('keep the selectors of the shared registry', () => {
    expect(interfaceOf('SecretRegistry').getFunction('registerSecret')?.selector).toBe('0x12ad8bfc')
    expect(interfaceOf('SecretRegistry').getFunction('getSecretRevealBlockHeight')?.selector).toBe('0xc1f62946')
    expect(interfaceOf('SecretRegistry').getEvent('SecretRevealed')?.topicHash).toBe('0x9b7ddc883342824bd7ddbff103e7a69f8f2e60b96c075cd1b8b8b9713ecc75a4')
  })
})

describe('typed data', () => {
  const domain = { name: 'Photon', version: '2', contract: `0x${'11'.repeat(20)}` as const, chainId: CHAIN_ID }

  it.each(VECTORS)('%s', (type, values, typehash, digest, signature) => {
    expect(hexOf(keccak(new TextEncoder().encode(`${type}(${TYPES[type] ?? ''})`)))).toBe(typehash)
    const hashed = digestOf(domain, type, { channel, epoch: 3, ...values })
    expect(hexOf(hashed)).toBe(digest)
    expect(hexOf(native.sign(hashed, KEY1))).toBe(signature)
    // The same types stand in the code that runs.
    expect(PHOTON_ARTIFACTS.PhotonV2.bytecode).toContain(typehash.slice(2))
  })

  it('the contract’s domain is that one', async () => {
    const town = await Town.build()
    const { TypedDataEncoder } = await import('ethers')
    const hash = (name: string, version: string, contract: string): string => TypedDataEncoder.hashDomain({ name, version, chainId: CHAIN_ID, verifyingContract: contract })
    expect(hash('Photon', '2', domain.contract)).toBe('0x512016f9598be7684c3dce95e42d8462ba066d518a47105f4f44db009c3cfd8e')
    expect((await town.ask(town.photon, 'domainSeparator'))[0]).toBe(hash('Photon', '2', town.photon))
    expect((await town.ask(town.purse, 'domainSeparator'))[0]).toBe(hash('Photon Purse', '1', town.purse))
  })

  it('orders of people without gas hash as ethers says', () => {
    const place = { chainId: CHAIN_ID, contract: domain.contract }
    const order = { token: ONE.slice(0, 42) as `0x${string}`, from: ALICE.address, fee: 3n, sender: ZERO_ADDRESS, number: 9n, validUntil: 77 }
    const open = { channel, epoch: 4n, participant: ALICE.address, amount: 2n ** 128n - 1n, settleTimeout: 2_700_000, validUntil: 5 }
    expect(openConsentDigest(keccak, place, open)).toEqual(digestOf(domain, 'Open', open))
    const payment = { ...order, to: BOB.address, amount: 2n ** 256n - 1n, inside: true }
    const purse = { ...domain, name: 'Photon Purse', version: '1' }
    expect(paymentOrderDigest(keccak, place, payment)).toEqual(digestOf(purse, 'Payment', payment))
    const opening = { ...order, partner: BOB.address, amount: 5n, settleTimeout: 6, epoch: 1n }
    expect(openingOrderDigest(keccak, place, opening)).toEqual(digestOf(purse, 'Opening', opening))
    expect(() => paymentOrderDigest(keccak, place, { ...payment, amount: -1n })).toThrow('amount')
    expect(() => paymentOrderDigest(keccak, place, { ...payment, amount: 2n ** 256n })).toThrow('amount')
  })

  it('key 1 is who the vectors say', () => {
    expect(hexOf(native.recoverAddress(bytes32(1n), native.sign(bytes32(1n), KEY1)) ?? new Uint8Array())).toBe(ME?.toLowerCase())
  })
})
