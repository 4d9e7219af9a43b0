/** Headers, bodies, transactions and receipts: the public test chain's own, and bytes that are none. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, concatBytes, decodeRlp, encodeRlp, fromHex, integerBytes, toHex } from '../../../src/base/index.ts'
import type { RlpItem } from '../../../src/base/index.ts'
import { hashTransaction, mayContain } from '../../../src/spectrum/index.ts'
import { receiptsRootOf, transactionsRootOf } from '../../../src/spectrum/proof/inclusion.ts'
import { bloomOfLogs, decodeReceipt, encodeReceipt } from '../../../src/spectrum/codec/receipt.ts'
import { decodeTransaction, encodeTransaction, isProtected, senderOf, signTransaction, signingDigest } from '../../../src/spectrum/codec/transaction.ts'
import { decodeBody, encodeBody } from '../../../src/spectrum/codec/body.ts'
import { decodeHeader, encodeHeader, hashHeader, recoverSealer, sealHash, sealHeader } from '../../../src/spectrum/codec/header.ts'
import { hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Header } from '../../../src/spectrum/index.ts'
import { ORDER, bytes32, numberOf } from '../native/scalars.ts'
import { BOTH, native } from './curves.ts'
import { DEVNET, DEVNET_SIGNER, devnetBlock } from './devnet.ts'

const KEY = bytes32(7n)
const MAX_256 = 2n ** 256n - 1n
const hash32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hexOf)
const address20 = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(hexOf)
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const uint256 = fc.bigInt({ min: 0n, max: MAX_256 })
const header: fc.Arbitrary<Header> = fc.record({
  parentHash: hash32,
  uncleHash: hash32,
  coinbase: address20,
  stateRoot: hash32,
  transactionsRoot: hash32,
  receiptsRoot: hash32,
  bloom: fc.uint8Array({ minLength: 256, maxLength: 256 }),
  difficulty: uint256,
  number: fc.maxSafeNat(),
  gasLimit: uint64,
  gasUsed: uint64,
  timeSeconds: fc.maxSafeNat(),
  extra: fc.uint8Array({ maxLength: 1024 }),
  mixDigest: hash32,
  nonce: fc.uint8Array({ minLength: 8, maxLength: 8 }).map(hexOf),
})

describe.each(BOTH)('the test chain, %s', (_, curve) => {
  it('headers have their hashes and signers, and encode to the same bytes', () => {
    expect(DEVNET.length).toBe(31)
    for (const block of DEVNET) {
      expect(hashHeader(curve, block.header)).toBe(block.hash)
      expect(toHex(encodeHeader(block.header))).toBe(toHex(block.rlp))
      expect(recoverSealer(curve, block.header)?.address ?? 'genesis').toBe(block.signer)
    }
  })

  it('seal hashes of the spec', () => {
    expect(sealHash(curve, devnetBlock(7).header)).toBe('0xb751dcfabd7216c3dd2b89574412762d772542eb12d929df35ffd20460f862b5')
    expect(sealHash(curve, devnetBlock(8).header)).toBe('0xad0b7bdc685ad8cc21f867a532bb8ead62ac5c5a729ebb670feee9ea4c4581ef')
  })

  it('transactions, receipts, blooms and gas have the roots in the headers', () => {
    for (const { header: head, body, receipts, bodyRlp } of DEVNET) {
      expect(toHex(encodeBody(body))).toBe(toHex(bodyRlp))
      expect(transactionsRootOf(curve, body.transactions)).toBe(head.transactionsRoot)
      expect(receiptsRootOf(curve, receipts)).toBe(head.receiptsRoot)
      expect(toHex(bloomOfLogs(curve, receipts.flatMap((receipt) => receipt.logs)))).toBe(toHex(head.bloom))
      expect(receipts.at(-1)?.cumulativeGasUsed ?? 0n).toBe(head.gasUsed)
      expect(receipts.length).toBe(body.transactions.length)
      for (const receipt of receipts) expect(toHex(encodeReceipt(decodeReceipt(encodeReceipt(receipt))))).toBe(toHex(encodeReceipt(receipt)))
    }
  })

  it('the first transaction from block 4 on is the signer’s', () => {
    for (const { number, body } of DEVNET.slice(4)) {
      const [chief] = body.transactions
      expect(chief && senderOf(curve, chief, 4n), `block ${number}`).toBe(DEVNET_SIGNER)
      expect(chief && isProtected(chief)).toBe(true)
    }
  })
})

describe('header', () => {
  it('every header is decoded to what was encoded', () => {
    fc.assert(fc.property(header, (value) => void expect(decodeHeader(encodeHeader(value))).toEqual(value)))
  })

  it.each<[string, (fields: RlpItem[]) => RlpItem[]]>([
    ['14 fields', (fields) => fields.slice(0, 14)],
    ['16 fields, as after EIP-1559', (fields) => [...fields, Uint8Array.of(7)]],
    ['a short parent hash', (fields) => fields.with(0, new Uint8Array(31))],
    ['a long coinbase', (fields) => fields.with(2, new Uint8Array(21))],
    ['a short bloom', (fields) => fields.with(6, new Uint8Array(255))],
    ['a zero before the difficulty', (fields) => fields.with(7, Uint8Array.of(0, 3))],
    ['a difficulty of 33 bytes', (fields) => fields.with(7, new Uint8Array(33).fill(1))],
    ['a height above 2^53', (fields) => fields.with(8, integerBytes(2n ** 53n))],
    ['a time above 2^53', (fields) => fields.with(11, integerBytes(2n ** 64n))],
    ['a gas limit of 9 bytes', (fields) => fields.with(9, integerBytes(2n ** 64n))],
    ['an extra of 1025 bytes', (fields) => fields.with(12, new Uint8Array(1025))],
    ['a list as extra', (fields) => fields.with(12, [])],
    ['a nonce of 7 bytes', (fields) => fields.with(14, new Uint8Array(7))],
  ])('refuses %s', (_, change) => {
    const fields = decodeRlp(devnetBlock(8).rlp, { maxBytes: 1024, maxItems: 16, maxDepth: 1 }) as RlpItem[]
    expect(() => decodeHeader(encodeRlp(change(fields)))).toThrow(expect.objectContaining({ kind: 'input' }))
  })

  it('trap: its signature has a twin; both are the same signer and seal hash, and not the same block hash', () => {
    const { header: head } = devnetBlock(8)
    const seal = head.extra.subarray(-65)
    const twinSeal = concatBytes(seal.subarray(0, 32), bytes32(ORDER - numberOf(seal.subarray(32, 64))), Uint8Array.of(1 - (seal[64] ?? 0)))
    const twin: Header = { ...head, extra: concatBytes(head.extra.subarray(0, -65), twinSeal) }
    for (const [, curve] of BOTH) {
      expect(recoverSealer(curve, twin)?.address).toBe(DEVNET_SIGNER)
      expect(sealHash(curve, twin)).toBe(sealHash(curve, head))
      expect(hashHeader(curve, twin)).not.toBe(hashHeader(curve, head))
    }
  })

  it('trap: v 27 and 28 are no seals, nor is any other above 1', () => {
    const { header: head } = devnetBlock(8)
    for (const v of [2, 3, 4, 27, 28, 255]) {
      const extra = concatBytes(head.extra.subarray(0, -1), Uint8Array.of(v))
      for (const [, curve] of BOTH) expect(recoverSealer(curve, { ...head, extra })).toBeNull()
    }
  })

  it('a signature of nobody, or no signature, has no signer', () => {
    const { header: head } = devnetBlock(8)
    for (const [, curve] of BOTH) {
      for (const extra of [new Uint8Array(226), new Uint8Array(226).fill(0xff, 0, 225), new Uint8Array(64), new Uint8Array(0)]) expect(recoverSealer(curve, { ...head, extra })).toBeNull()
      expect(() => sealHash(curve, { ...head, extra: new Uint8Array(64) })).toThrow(MeshBoxError)
    }
  })

  it('sealing signs with low s and v 0 or 1, on both backends alike', () => {
    const { header: head } = devnetBlock(8)
    const [sealed, other] = BOTH.map(([, curve]) => sealHeader(curve, head, KEY))
    expect(sealed).toEqual(other)
    if (sealed === undefined) throw new Error('no backend')
    expect(recoverSealer(native, sealed)?.address).toBe(hexOf(native.keccak256(native.publicKeyOf(KEY).subarray(1)).subarray(12)))
    expect(sealed.extra[225]).toBeLessThan(2)
    expect(numberOf(sealed.extra.subarray(-33, -1)) <= ORDER / 2n).toBe(true)
  })
})

describe('transaction', () => {
  // EIP-155's own example.
  const EXAMPLE = { nonce: 9n, gasPriceWei: 20n * 10n ** 9n, gas: 21_000n, to: `0x${'35'.repeat(20)}` as const, valueWei: 10n ** 18n, data: new Uint8Array(0) }
  const EXAMPLE_KEY = fromHex('46'.repeat(32))

  it.each(BOTH)('EIP-155’s example, %s', (_, curve) => {
    expect(toHex(signingDigest(curve, EXAMPLE, 1n))).toBe('daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53')
    const signed = signTransaction(curve, EXAMPLE, 1n, EXAMPLE_KEY)
    expect(toHex(encodeTransaction(signed))).toBe(
      'f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
    )
    expect(senderOf(curve, signed, 1n)).toBe('0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f')
    expect(senderOf(curve, signed, 2n), 'on another chain').toBeNull()
  })

  it.each(BOTH)('the twin with high s is refused, v of another form too, %s', (_, curve) => {
    const signed = signTransaction(curve, EXAMPLE, 20180430n, KEY)
    expect(senderOf(curve, { ...signed, s: ORDER - signed.s, v: signed.v % 2n === 0n ? signed.v - 1n : signed.v + 1n }, 20180430n)).toBeNull()
    for (const v of [0n, 1n, 26n, 29n, 34n, signed.v + 2n, signed.v - 2n, MAX_256]) expect(senderOf(curve, { ...signed, v }, 20180430n), String(v)).toBeNull()
    for (const wrong of [{ r: 0n }, { s: 0n }, { r: ORDER }, { r: MAX_256 }, { s: MAX_256 }]) expect(senderOf(curve, { ...signed, ...wrong }, 20180430n)).toBeNull()
  })

  it.each(BOTH)('without a chain id: v 27 or 28, %s', (_, curve) => {
    const signature = curve.sign(signingDigest(curve, EXAMPLE, null), KEY)
    const old = { ...EXAMPLE, v: BigInt(signature[64] ?? 0), r: numberOf(signature.subarray(0, 32)), s: numberOf(signature.subarray(32, 64)) }
    expect(isProtected(old)).toBe(false)
    expect(senderOf(curve, old, 20180430n)).toBe(hexOf(curve.keccak256(curve.publicKeyOf(KEY).subarray(1)).subarray(12)))
  })

  it('every transaction is decoded to what was encoded, and has one hash', () => {
    const transaction = fc.record({ nonce: uint64, gasPriceWei: uint256, gas: uint256, to: fc.option(address20), valueWei: uint256, data: fc.uint8Array({ maxLength: 100 }), v: uint256, r: uint256, s: uint256 })
    fc.assert(
      fc.property(transaction, (value) => {
        expect(decodeTransaction(encodeTransaction(value))).toEqual(value)
        expect(hashTransaction(native, value)).toBe(hexOf(native.keccak256(encodeTransaction(value))))
      }),
    )
  })

  it('refuses a typed transaction, alone and in a body, and an address of 19 bytes', () => {
    expect(() => decodeTransaction(concatBytes(Uint8Array.of(2), encodeRlp([])))).toThrow(MeshBoxError)
    expect(() => decodeBody(encodeRlp([[Uint8Array.of(2, 0xc0)], []]))).toThrow(expect.objectContaining({ kind: 'input', field: 'transaction' }))
    const fields = decodeRlp(encodeTransaction(signTransaction(native, EXAMPLE, 1n, KEY)), { maxBytes: 200, maxItems: 10, maxDepth: 1 }) as RlpItem[]
    expect(() => decodeTransaction(encodeRlp(fields.with(3, new Uint8Array(19))))).toThrow(MeshBoxError)
  })
})

describe('receipt', () => {
  it('a status is 0 or 1, never a state root; topics are four at most', () => {
    const receipt = devnetBlock(8).receipts[0]
    const fields = decodeRlp(encodeReceipt(receipt ?? expect.fail('no receipt')), { maxBytes: 4096, maxItems: 50, maxDepth: 4 }) as RlpItem[]
    for (const status of [Uint8Array.of(2), new Uint8Array(32).fill(1), Uint8Array.of(0)]) expect(() => decodeReceipt(encodeRlp(fields.with(0, status)))).toThrow(MeshBoxError)
    const log = (topics: number): RlpItem => [[new Uint8Array(20), Array.from({ length: topics }, () => new Uint8Array(32)), new Uint8Array(0)]]
    expect(decodeReceipt(encodeRlp(fields.with(3, log(4)))).logs[0]?.topics.length).toBe(4)
    expect(() => decodeReceipt(encodeRlp(fields.with(3, log(5))))).toThrow(MeshBoxError)
  })

  it('a bloom says of all that is in it that it may be', () => {
    const log = fc.record({ address: address20, topics: fc.array(hash32, { maxLength: 4 }), data: fc.uint8Array({ maxLength: 4 }) })
    fc.assert(
      fc.property(fc.array(log, { maxLength: 5 }), (logs) => {
        const bloom = bloomOfLogs(native, logs)
        for (const { address, topics } of logs) for (const entry of [address, ...topics]) expect(mayContain(native, bloom, entry)).toBe(true)
      }),
    )
    expect(mayContain(native, new Uint8Array(256), `0x${'11'.repeat(20)}`)).toBe(false)
  })
})

describe('any bytes', () => {
  const real = [...DEVNET.slice(3, 9).flatMap(({ rlp, bodyRlp }) => [rlp, bodyRlp]), ...DEVNET.slice(1, 9).flatMap(({ body, receipts }) => [...body.transactions.map(encodeTransaction), ...receipts.map(encodeReceipt)])].filter((bytes) => bytes.length < 8000)
  const changed = fc.tuple(fc.constantFrom(...real), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat()).map(([bytes, changes, cut]) => {
    const out = Uint8Array.from(bytes)
    for (const [at, byte] of changes) out[Math.min(at % 600, at % out.length)] = byte
    return cut % 5 === 0 ? out.subarray(0, cut % out.length) : out
  })
  it.each([
    ['header', decodeHeader, (value: never) => encodeHeader(value)],
    ['body', decodeBody, (value: never) => encodeBody(value)],
    ['transaction', decodeTransaction, (value: never) => encodeTransaction(value)],
    ['receipt', decodeReceipt, (value: never) => encodeReceipt(value)],
  ])('are refused as input, or are the one encoding of a %s', (_, decode, encode) => {
    let accepted = 0
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        let value: unknown
        try {
          value = decode(bytes)
        } catch (thrown) {
          if (!(thrown instanceof MeshBoxError) || thrown.kind !== 'input') throw thrown
          return
        }
        accepted++
        expect(toHex(encode(value as never))).toBe(toHex(bytes))
      }),
      { numRuns: 3000 },
    )
    expect(accepted).toBeGreaterThan(0)
  })

  it('10 MiB of the smallest items are refused without being built', () => {
    const many = new Uint8Array(10 * 1024 * 1024).fill(0xc0)
    many.set([0xfa, 0x9f, 0xff, 0xfc])
    const before = process.memoryUsage().heapUsed
    for (const decode of [decodeHeader, decodeBody, decodeTransaction, decodeReceipt]) expect(() => decode(many)).toThrow(MeshBoxError)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(128 * 1024 * 1024)
  })
})
