/** Headers, rounds and receipts as they lie on disk: exact, small, and nothing but an input error for any other bytes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, concatBytes } from '../../../src/base/index.ts'
import { applyBlock } from '../../../src/spectrum/rules/round.ts'
import { receiptsRootOf } from '../../../src/spectrum/proof/inclusion.ts'
import { bloomOfLogs, encodeReceipt } from '../../../src/spectrum/codec/receipt.ts'
import { decodeHeader, encodeHeader, hashHeader } from '../../../src/spectrum/codec/header.ts'
import { ZERO_ADDRESS, hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Header, Receipt, Round } from '../../../src/spectrum/index.ts'
import { ByteReader, varint } from '../../../src/spectrum/chain/byte-reader.ts'
import { QUIET_RECEIPTS_ROOT, decodeEntries, encodeEntry, headerOfEntry } from '../../../src/spectrum/chain/compact-header.ts'
import type { HeaderEntry } from '../../../src/spectrum/chain/compact-header.ts'
import { decodeRound, decodeRoundStep, encodeRound, encodeRoundStep } from '../../../src/spectrum/chain/round-bytes.ts'
import { decodeStoredReceipts, encodeReceipts, encodeStoredReceipts } from '../../../src/spectrum/chain/stored-receipts.ts'
import { BOTH, native, noble } from '../spectrum/curves.ts'
import { DEVNET } from '../spectrum/devnet.ts'
import { LEADERS, VILLAGE } from '../spectrum/village.ts'
import { DRAWN_ROUND, addressOf } from './drawn-blocks.ts'
import { VILLAGE_START, blockAfter, villageBlock } from './kept-chain.ts'
import { treeOf } from '../../../src/spectrum/chain/io/tables.ts'
import { headOf } from '../../../src/spectrum/chain/tree.ts'

const devnetEntries: HeaderEntry[] = DEVNET.map(({ header, hash, totalDifficulty }) => ({ header, hash, totalDifficulty }))

function villageEntries(length: number): HeaderEntry[] {
  let at = headOf(treeOf(VILLAGE_START))
  return Array.from({ length }, () => (at = blockAfter(at, villageBlock(at, LEADERS[0] ?? never()))))
}

function never(): never {
  throw new Error('the village has leaders')
}

const blobOf = (entries: readonly HeaderEntry[]): Uint8Array => concatBytes(...entries.map((entry, index) => encodeEntry(native, entry, entries[index - 1] ?? null)))
const expectInputError = (read: () => unknown): void => {
  try {
    read()
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(MeshBoxError)
    expect((thrown as MeshBoxError).kind).toBe('input')
  }
}

describe('headers', () => {
  it.each(BOTH)('of the public test chain and of a village come back byte for byte (%s)', (_name, curve) => {
    for (const entries of [devnetEntries, villageEntries(12)]) {
      const back = decodeEntries(blobOf(entries))
      expect(back).toHaveLength(entries.length)
      for (const [index, entry] of entries.entries()) {
        const stored = back[index] ?? never()
        const header = headerOfEntry(curve, stored)
        expect(encodeHeader(header)).toEqual(encodeHeader(entry.header))
        expect(hashHeader(curve, header)).toBe(entry.hash)
        expect([hexOf(stored.hash), stored.totalDifficulty]).toEqual([entry.hash, entry.totalDifficulty])
      }
    }
  })

  it('take 290 bytes in a quiet chain, and a receipts root and a bloom more where the block has them', () => {
    const [, first, second] = villageEntries(3)
    const size = (header: Partial<Header>): number => encodeEntry(native, { ...(second ?? never()), header: { ...(second ?? never()).header, ...header } }, first ?? never()).length
    expect(size({ receiptsRoot: QUIET_RECEIPTS_ROOT })).toBeLessThanOrEqual(290)
    expect(size({})).toBe(size({ receiptsRoot: QUIET_RECEIPTS_ROOT }) + 32)
    const bloom = new Uint8Array(256).fill(1, 10, 22)
    expect(size({ bloom })).toBe(size({}) + 1 + 2 * 12)
  })

  it('the root of quiet receipts is that of one success without gas or logs', () => {
    expect(receiptsRootOf(noble, [{ succeeded: true, cumulativeGasUsed: 0n, bloom: new Uint8Array(256), logs: [] }])).toBe(QUIET_RECEIPTS_ROOT)
  })

  it('that no honest sealer makes come back byte for byte too, in any order and with gaps', () => {
    const [base] = villageEntries(1)
    const bytes = (length: number): fc.Arbitrary<`0x${string}`> => fc.uint8Array({ minLength: length, maxLength: length }).map((raw) => `0x${Buffer.from(raw).toString('hex')}` as const)
    const sometimes = <T>(value: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> => fc.oneof(fc.constant(value), other)
    const honest = (base ?? never()).header
    const anyHeader: fc.Arbitrary<Header> = fc.record({
      parentHash: bytes(32),
      uncleHash: sometimes(honest.uncleHash, bytes(32)),
      coinbase: bytes(20),
      stateRoot: bytes(32),
      transactionsRoot: bytes(32),
      receiptsRoot: sometimes(QUIET_RECEIPTS_ROOT, bytes(32)),
      bloom: fc.oneof(fc.constant(new Uint8Array(256)), fc.uint8Array({ minLength: 256, maxLength: 256 }), fc.uint8Array({ minLength: 256, maxLength: 256, max: 1 })),
      difficulty: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
      number: fc.maxSafeNat(),
      gasLimit: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      gasUsed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      timeSeconds: fc.maxSafeNat(),
      extra: fc.oneof(fc.constant(honest.extra), fc.uint8Array({ maxLength: 1024 }), fc.uint8Array({ minLength: 226, maxLength: 226 }), fc.nat(225).map((at) => honest.extra.with(at, (honest.extra[at] ?? 0) ^ 1))),
      mixDigest: sometimes(honest.mixDigest, bytes(32)),
      nonce: sometimes(honest.nonce, bytes(8)),
    })
    const entry = fc.record({ header: anyHeader, totalDifficulty: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), isChild: fc.boolean() })
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 5 }), (drawnEntries) => {
        const entries: HeaderEntry[] = []
        for (const { header, totalDifficulty, isChild } of drawnEntries) {
          const parent = entries.at(-1)
          const linked: Header = isChild && parent !== undefined ? { ...header, parentHash: parent.hash, number: Math.min(parent.header.number + 1, Number.MAX_SAFE_INTEGER) } : header
          entries.push({ header: linked, hash: hashHeader(native, linked), totalDifficulty: isChild && parent !== undefined && parent.totalDifficulty + linked.difficulty < 2n ** 256n ? parent.totalDifficulty + linked.difficulty : totalDifficulty })
        }
        const back = decodeEntries(blobOf(entries))
        expect(back.map((stored) => ({ header: headerOfEntry(native, stored), hash: hexOf(stored.hash), totalDifficulty: stored.totalDifficulty }))).toEqual(entries)
      }),
      { numRuns: 300, seed: 11 },
    )
  })

  it('any other bytes: an input error, nothing else', () => {
    const blob = blobOf(villageEntries(3))
    const readAll = (bytes: Uint8Array): void => {
      for (const entry of decodeEntries(bytes)) headerOfEntry(native, entry)
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => expectInputError(() => readAll(bytes))), { numRuns: 2000, seed: 12 })
    fc.assert(
      fc.property(fc.nat(blob.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(blob.length), (at, change, length) => {
        expectInputError(() => readAll(blob.with(at, (blob[at] ?? 0) ^ change)))
        expectInputError(() => readAll(blob.subarray(0, length)))
      }),
      { numRuns: 3000, seed: 13 },
    )
    expect(() => decodeEntries(new Uint8Array(9 * 1024 * 1024))).toThrow(MeshBoxError)
  })
})

describe('numbers', () => {
  it('have one form, and an end', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (value) => {
        expect(new ByteReader(varint(value), 'n').varint(2n ** 256n - 1n)).toBe(value)
      }),
      { seed: 14 },
    )
    for (const bytes of [[0x80, 0], [0xff], [0x81, 0x80, 0], Array.from({ length: 80 }, () => 0x80), []]) expect(() => new ByteReader(Uint8Array.from(bytes), 'n').varint(2n ** 256n)).toThrow(MeshBoxError)
    expect(() => new ByteReader(varint(301n), 'n').varint(300n)).toThrow(MeshBoxError)
    expect(() => varint(-1)).toThrow(MeshBoxError)
  })
})

describe('rounds', () => {
  it('go on with 20 bytes a block by the rules, and whole where the leaders change', () => {
    const dice = fc.record({ signer: fc.nat(20), volunteer: fc.nat(30), change: fc.nat(12) })
    fc.assert(
      fc.property(fc.array(dice, { maxLength: 60 }), fc.nat(100), (steps, from) => {
        let before: Round = DRAWN_ROUND
        for (const [index, { signer, volunteer, change }] of steps.entries()) {
          const at = { number: from + index, signer: addressOf(0xa00 + signer) }
          const stepped = applyBlock(before, at.number, at.signer, volunteer === 0 ? ZERO_ADDRESS : addressOf(0xc00 + volunteer)).round
          const after = change === 0 ? { ...stepped, leaders: [...stepped.leaders].reverse().slice(0, 2) } : stepped
          const bytes = encodeRoundStep(before, at, after)
          if (change !== 0) expect(bytes).toHaveLength(20)
          expect(decodeRoundStep(before, at, bytes)).toEqual(after)
          expect(decodeRoundStep(null, at, encodeRoundStep(null, at, after))).toEqual(after)
          before = after
        }
      }),
      { numRuns: 100, seed: 15 },
    )
  })

  it('any other bytes: an input error, nothing else', () => {
    const bytes = encodeRound(DRAWN_ROUND)
    expect(decodeRound(bytes)).toEqual(DRAWN_ROUND)
    fc.assert(fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => expectInputError(() => decodeRound(bytes.with(at, value)))), { numRuns: 1000, seed: 16 })
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (any) => expectInputError(() => decodeRoundStep(null, { number: 1, signer: addressOf(1) }, any))), { numRuns: 1000, seed: 17 })
    expect(() => decodeRoundStep(null, { number: 1, signer: addressOf(1) }, new Uint8Array(20))).toThrow(MeshBoxError)
    expect(() => decodeRound(new Uint8Array(1 << 20))).toThrow(MeshBoxError)
  })
})

describe('receipts', () => {
  it('of the public test chain come back, on the wire as they are, on disk without blooms', () => {
    for (const { receipts } of DEVNET) {
      const stored = encodeStoredReceipts(native, receipts)
      expect(decodeStoredReceipts(noble, stored)).toEqual(receipts)
      expect(decodeStoredReceipts(native, encodeReceipts(receipts))).toEqual(receipts)
      if (receipts.length > 0) expect(stored.length).toBeLessThan(receipts.reduce((sum, receipt) => sum + encodeReceipt(receipt).length, 0) - 250)
    }
  })

  it('with a bloom that is not their logs’ keep it', () => {
    const log = { address: addressOf(7) as Address, topics: [], data: new Uint8Array(3) }
    const receipt: Receipt = { succeeded: false, cumulativeGasUsed: 9n, bloom: new Uint8Array(256).fill(255), logs: [log] }
    expect(decodeStoredReceipts(native, encodeStoredReceipts(native, [receipt]))).toEqual([receipt])
    const honest = { ...receipt, bloom: bloomOfLogs(native, [log]) }
    expect(decodeStoredReceipts(native, encodeStoredReceipts(native, [honest]))).toEqual([honest])
  })

  it('any other bytes: an input error, nothing else', () => {
    const bytes = encodeStoredReceipts(native, DEVNET.find(({ receipts }) => receipts.some(({ logs }) => logs.length > 0))?.receipts ?? [])
    fc.assert(fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => expectInputError(() => decodeStoredReceipts(native, bytes.with(at, value)))), { numRuns: 1000, seed: 18 })
  })
})

it('a village’s genesis comes back', () => {
  const [entry] = decodeEntries(encodeEntry(native, { ...VILLAGE_START.known, totalDifficulty: 1n }, null))
  expect(headerOfEntry(native, entry ?? never())).toEqual(VILLAGE_START.known.header)
  expect(decodeHeader(encodeHeader(headerOfEntry(native, entry ?? never())))).toEqual(VILLAGE_START.known.header)
  expect(VILLAGE.genesisHash).toBe(VILLAGE_START.known.hash)
})
