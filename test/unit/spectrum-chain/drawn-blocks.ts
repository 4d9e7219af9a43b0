/**
 * Blocks with real headers and hashes that only say who sealed them, so that thousands are quick to make: the
 * chain takes what was judged, and does not judge again.
 */
import { createHash } from 'node:crypto'
import { concatBytes } from '../../../src/base/index.ts'
import { EMPTY_UNCLE_HASH, genesisHeader } from '../../../src/spectrum/network/genesis.ts'
import { EMPTY_TRIE_ROOT } from '../../../src/spectrum/proof/read-trie.ts'
import { hashHeader, sealHash } from '../../../src/spectrum/codec/header.ts'
import { ZERO_ADDRESS, ZERO_HASH, hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Body, Hash, Header, KnownHeader, Round, VerifiedHeader } from '../../../src/spectrum/index.ts'
import type { NewBlock } from '../../../src/spectrum/ports.ts'
import type { ChainStart } from '../../../src/spectrum/chain/index.ts'
import { bytes32 } from '../native/scalars.ts'
import { native } from '../spectrum/curves.ts'
import { VILLAGE } from '../spectrum/village.ts'

export const addressOf = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`
export const SIGNERS = Array.from({ length: 17 }, (_, index) => addressOf(0xa00 + index))
export const DRAWN_ROUND: Round = { signers: SIGNERS, next: [], leaders: SIGNERS.slice(0, 3), volunteerLimit: 16, epochBlocks: 6171 }
const EMPTY_BODY: Body = { transactions: [], uncles: [] }
const DRAWN_GENESIS = genesisHeader(native, { ...VILLAGE.genesis, difficulty: 6n })
export const DRAWN_NETWORK = { ...VILLAGE, genesis: { ...VILLAGE.genesis, difficulty: 6n }, genesisHash: hashHeader(native, DRAWN_GENESIS) }
export const DRAWN_START: ChainStart = { known: { header: DRAWN_GENESIS, hash: DRAWN_NETWORK.genesisHash }, sealHash: sealHash(native, DRAWN_GENESIS), totalDifficulty: 6n, round: DRAWN_ROUND }
export const DRAWN_OPTIONS = { network: DRAWN_NETWORK, start: DRAWN_START } as const

export interface Drawing {
  readonly signer?: Address
  readonly difficulty?: bigint
  /** Makes another block of the same parent and signer. */
  readonly salt?: string
  readonly from?: string
  readonly body?: Body
  readonly round?: Round
  /** Another last byte of the seal: the same seal hash, another block hash. */
  readonly isTwin?: boolean
  readonly receiptsRoot?: Hash
  readonly bloom?: Uint8Array
}

const POINTS = Array.from({ length: 16 }, (_, index) => native.publicKeyOf(bytes32(BigInt(index + 1))))

/** Shaped like a VRF output and a seal: a point of the curve, its hash, and noise. */
function drawnExtra(seed: string): Uint8Array {
  const noise = (part: string): Uint8Array => createHash('sha512').update(`${part}${seed}`).digest()
  const dice = noise('scalars')
  const point = POINTS[(dice[0] ?? 0) % POINTS.length] ?? new Uint8Array(65)
  return concatBytes(createHash('sha256').update(point).digest(), dice, point, noise('seal'), new Uint8Array(1))
}

export function drawn(parent: KnownHeader, drawing: Drawing = {}): NewBlock {
  const number = parent.header.number + 1
  const signer = drawing.signer ?? SIGNERS[number % SIGNERS.length] ?? ZERO_ADDRESS
  const extra = drawnExtra(`${parent.hash}${signer}${drawing.salt ?? ''}`)
  extra[225] = drawing.isTwin === true ? 1 : 0
  const header: Header = {
    parentHash: parent.hash,
    uncleHash: EMPTY_UNCLE_HASH,
    coinbase: signer,
    stateRoot: hexOf(createHash('sha256').update(parent.hash).digest()),
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: drawing.receiptsRoot ?? EMPTY_TRIE_ROOT,
    bloom: drawing.bloom ?? new Uint8Array(256),
    difficulty: drawing.difficulty ?? 6n,
    number,
    gasLimit: 40_000_000n,
    gasUsed: 0n,
    timeSeconds: parent.header.timeSeconds + 14,
    extra,
    mixDigest: ZERO_HASH,
    nonce: '0x0000000000000000',
  }
  const verified: VerifiedHeader = { ok: true, header, hash: hashHeader(native, header), sealHash: sealHash(native, header), signer }
  return { verified, body: drawing.body ?? EMPTY_BODY, receipts: null, round: drawing.round ?? DRAWN_ROUND, from: drawing.from ?? 'test' }
}

/** `length` blocks on `parent`, each drawn as said. */
export function drawnBranch(parent: KnownHeader, length: number, drawing: Drawing = {}): NewBlock[] {
  const blocks: NewBlock[] = []
  for (let at = parent; blocks.length < length; ) {
    const block = drawn(at, drawing)
    blocks.push(block)
    at = block.verified
  }
  return blocks
}

export const hashesOf = (blocks: readonly NewBlock[]): Hash[] => blocks.map(({ verified }) => verified.hash)
