/**
 * Headers as they lie on disk (spec 7.2): without what can be computed again, one behind the other.
 *
 * | part | bytes |
 * |---|---|
 * | flags, little-endian | 2 |
 * | number, parent hash, total difficulty, time: only where the entry is not the child of the one before | ~45 |
 * | hash | 32 |
 * | uncle hash, mix digest, nonce: only where they are not those of every block | 0 |
 * | coinbase, state root, transactions root | 84 |
 * | receipts root: only where the block did more than call its chief | 0 or 32 |
 * | bloom: nothing, or (place, byte) of each byte that is not zero, or all | 0.. |
 * | difficulty, gas limit, gas used, seconds since the parent | ~9 |
 * | VRF's s, t, point compressed; seal | 162 |
 *
 * Numbers are little-endian groups of 7 bits. The VRF's index is SHA-256 of its point. Every header has one
 * entry and comes back byte for byte: where a rule above does not fit it, a flag says so and the part is whole.
 */
import { createHash } from 'node:crypto'
import { concatBytes, inputError } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import { ADDRESS_BYTES, HASH_BYTES, ZERO_HASH, bytesOf, hexOf } from '../codec/fields.ts'
import type { Hash } from '../codec/fields.ts'
import { BLOOM_BYTES, MAX_EXTRA_BYTES, SEAL_BYTES, VRF_BYTES } from '../codec/header.ts'
import type { Header } from '../codec/header.ts'
import { EMPTY_UNCLE_HASH, ZERO_NONCE } from '../network/genesis.ts'
import { ByteReader, varint } from './byte-reader.ts'

/** A header with its place in the chain. */
export interface HeaderEntry {
  readonly header: Header
  readonly hash: Hash
  readonly totalDifficulty: bigint
}

/** An entry read back: windows on its bytes. Its header is made by `headerOfEntry`, which needs the curve. */
export interface StoredEntry {
  readonly number: number
  readonly hash: Uint8Array
  readonly totalDifficulty: bigint
  readonly timeSeconds: number
  readonly parts: EntryParts
}

interface EntryParts {
  readonly parentHash: Uint8Array
  /** Null: that of every block. */
  readonly uncleHash: Uint8Array | null
  readonly mixDigest: Uint8Array | null
  readonly nonce: Uint8Array | null
  readonly receiptsRoot: Uint8Array | null
  readonly coinbase: Uint8Array
  readonly stateRoot: Uint8Array
  readonly transactionsRoot: Uint8Array
  /** Pairs, or all of it, or empty. */
  readonly bloom: Uint8Array
  readonly difficulty: bigint
  readonly gasLimit: bigint
  readonly gasUsed: bigint
  /** Compressed, or as it was where `isExtraWhole`. */
  readonly extra: Uint8Array
  readonly isExtraWhole: boolean
}

const FLAG = { alone: 1, uncleHash: 2, mixDigest: 4, nonce: 8, bloomPairs: 16, bloomWhole: 32, quiet: 64, extraWhole: 128 } as const
const KNOWN_FLAGS = Object.values(FLAG).reduce((sum, flag) => sum | flag, 0)
/** The root of one receipt: success, no gas, no logs. Most blocks of a quiet network have it. */
export const QUIET_RECEIPTS_ROOT: Hash = '0xb64408da6b8fe39ab764af88ece1e8cca1c35fd988db57806e99138c629365a0'
const NONCE_BYTES = 8
const INDEX_BYTES = 32
const SCALARS_BYTES = 64
const COMPRESSED_BYTES = 33
const SHORT_EXTRA_BYTES = SCALARS_BYTES + COMPRESSED_BYTES + SEAL_BYTES
/** Twice as many bytes as they name: from here on the whole bloom is shorter. */
const MAX_BLOOM_PAIRS = 127
const MAX_UINT256 = 2n ** 256n - 1n
const MAX_UINT64 = 2n ** 64n - 1n
const MAX_NUMBER = BigInt(Number.MAX_SAFE_INTEGER)
/** More than this box writes into one blob. */
const MAX_ENTRIES = 4096
const MAX_BLOB_BYTES = 8 * 1024 * 1024
const NO_BLOOM = new Uint8Array(0)

/** `previous`: the entry before it in the same blob, null for the first. */
export function encodeEntry(curve: Secp256k1, entry: HeaderEntry, previous: HeaderEntry | null): Uint8Array {
  const { header } = entry
  const parent = previous !== null && isChild(entry, previous) ? previous : null
  const short = shortExtra(curve, header.extra)
  const bloom = encodeBloom(header.bloom)
  const flags =
    (parent === null ? FLAG.alone : 0) |
    (header.uncleHash === EMPTY_UNCLE_HASH ? 0 : FLAG.uncleHash) |
    (header.mixDigest === ZERO_HASH ? 0 : FLAG.mixDigest) |
    (header.nonce === ZERO_NONCE ? 0 : FLAG.nonce) |
    bloom.flag |
    (header.receiptsRoot === QUIET_RECEIPTS_ROOT ? FLAG.quiet : 0) |
    (short === null ? FLAG.extraWhole : 0)
  return concatBytes(
    Uint8Array.of(flags & 0xff, flags >> 8),
    ...(parent === null ? [varint(header.number), bytesOf(header.parentHash), varint(entry.totalDifficulty)] : []),
    bytesOf(entry.hash),
    ...(flags & FLAG.uncleHash ? [bytesOf(header.uncleHash)] : []),
    ...(flags & FLAG.mixDigest ? [bytesOf(header.mixDigest)] : []),
    ...(flags & FLAG.nonce ? [bytesOf(header.nonce)] : []),
    bytesOf(header.coinbase),
    bytesOf(header.stateRoot),
    bytesOf(header.transactionsRoot),
    ...(flags & FLAG.quiet ? [] : [bytesOf(header.receiptsRoot)]),
    bloom.bytes,
    varint(header.difficulty),
    varint(header.gasLimit),
    varint(header.gasUsed),
    varint(header.timeSeconds - (parent?.header.timeSeconds ?? 0)),
    ...(short === null ? [varint(header.extra.length), header.extra] : [short]),
  )
}

function isChild({ header, totalDifficulty }: HeaderEntry, previous: HeaderEntry): boolean {
  return (
    header.parentHash === previous.hash &&
    header.number === previous.header.number + 1 &&
    header.timeSeconds >= previous.header.timeSeconds &&
    totalDifficulty === previous.totalDifficulty + header.difficulty
  )
}

/** Null: not a VRF output and a seal, or not as every honest sealer writes them. */
function shortExtra(curve: Secp256k1, extra: Uint8Array): Uint8Array | null {
  if (extra.length !== VRF_BYTES + SEAL_BYTES) return null
  const point = extra.subarray(INDEX_BYTES + SCALARS_BYTES, VRF_BYTES)
  const compressed = point[0] === 4 ? curve.convertPublicKey(point, 'compressed') : null
  if (compressed === null || Buffer.compare(sha256(point), extra.subarray(0, INDEX_BYTES)) !== 0) return null
  return concatBytes(extra.subarray(INDEX_BYTES, INDEX_BYTES + SCALARS_BYTES), compressed, extra.subarray(VRF_BYTES))
}

function encodeBloom(bloom: Uint8Array): { readonly flag: number; readonly bytes: Uint8Array } {
  const pairs: number[] = []
  for (let place = 0; place < bloom.length; place++) {
    const byte = bloom[place] ?? 0
    if (byte !== 0) pairs.push(place, byte)
  }
  if (pairs.length === 0) return { flag: 0, bytes: new Uint8Array(0) }
  const count = pairs.length / 2
  return count > MAX_BLOOM_PAIRS ? { flag: FLAG.bloomWhole, bytes: bloom } : { flag: FLAG.bloomPairs, bytes: Uint8Array.of(count, ...pairs) }
}

/** All entries of a blob. Errors: input, naming the field; nothing else, whatever the bytes are. */
export function decodeEntries(blob: Uint8Array): StoredEntry[] {
  if (blob.length > MAX_BLOB_BYTES) throw inputError('entries', `${blob.length} bytes`, `at most ${MAX_BLOB_BYTES} bytes`)
  const reader = new ByteReader(blob, 'entry')
  const entries: StoredEntry[] = []
  while (!reader.isAtEnd) {
    if (entries.length === MAX_ENTRIES) throw inputError('entries', `more than ${MAX_ENTRIES}`, `at most ${MAX_ENTRIES}`)
    entries.push(readEntry(reader, entries.at(-1) ?? null))
  }
  return entries
}

function readEntry(reader: ByteReader, previous: StoredEntry | null): StoredEntry {
  const [low = 0, high = 0] = reader.take(2)
  const flags = low | (high << 8)
  if ((flags & ~KNOWN_FLAGS) !== 0) throw inputError('entry.flags', flags, `bits of ${KNOWN_FLAGS}`)
  const has = (flag: number): boolean => (flags & flag) !== 0
  const parent = has(FLAG.alone) ? null : previous
  if (parent === null && !has(FLAG.alone)) throw inputError('entry.flags', flags, 'an entry that stands alone at the start')
  const number = parent === null ? Number(reader.varint(MAX_NUMBER)) : parent.number + 1
  const parentHash = parent === null ? reader.take(HASH_BYTES) : parent.hash
  const ownTotal = parent === null ? reader.varint(MAX_UINT256) : null
  const hash = reader.take(HASH_BYTES)
  const uncleHash = has(FLAG.uncleHash) ? reader.take(HASH_BYTES) : null
  const mixDigest = has(FLAG.mixDigest) ? reader.take(HASH_BYTES) : null
  const nonce = has(FLAG.nonce) ? reader.take(NONCE_BYTES) : null
  const coinbase = reader.take(ADDRESS_BYTES)
  const stateRoot = reader.take(HASH_BYTES)
  const transactionsRoot = reader.take(HASH_BYTES)
  const receiptsRoot = has(FLAG.quiet) ? null : reader.take(HASH_BYTES)
  const bloom = readBloom(reader, has(FLAG.bloomPairs), has(FLAG.bloomWhole))
  const difficulty = reader.varint(MAX_UINT256)
  const gasLimit = reader.varint(MAX_UINT64)
  const gasUsed = reader.varint(MAX_UINT64)
  const timeSeconds = Number(reader.varint(MAX_NUMBER)) + (parent?.timeSeconds ?? 0)
  if (!Number.isSafeInteger(timeSeconds)) throw inputError('entry.time', timeSeconds, 'at most 2^53 - 1')
  const isExtraWhole = has(FLAG.extraWhole)
  const extra = reader.take(isExtraWhole ? Number(reader.varint(BigInt(MAX_EXTRA_BYTES))) : SHORT_EXTRA_BYTES)
  const totalDifficulty = ownTotal ?? (parent?.totalDifficulty ?? 0n) + difficulty
  const parts = { parentHash, uncleHash, mixDigest, nonce, receiptsRoot, coinbase, stateRoot, transactionsRoot, bloom, difficulty, gasLimit, gasUsed, extra, isExtraWhole }
  return { number, hash, totalDifficulty, timeSeconds, parts }
}

function readBloom(reader: ByteReader, hasPairs: boolean, isWhole: boolean): Uint8Array {
  if (hasPairs && isWhole) throw inputError('entry.flags', 'two blooms', 'one')
  if (isWhole) return reader.take(BLOOM_BYTES)
  if (!hasPairs) return NO_BLOOM
  const [count = 0] = reader.take(1)
  if (count === 0 || count > MAX_BLOOM_PAIRS) throw inputError('entry.bloom', count, `1 to ${MAX_BLOOM_PAIRS} pairs`)
  return reader.take(2 * count)
}

/** Errors: input `entry.point` where the VRF's point is none, `entry.bloom` where a pair says what another has said. */
export function headerOfEntry(curve: Secp256k1, { number, timeSeconds, parts }: StoredEntry): Header {
  return {
    parentHash: hexOf(parts.parentHash),
    uncleHash: parts.uncleHash === null ? EMPTY_UNCLE_HASH : hexOf(parts.uncleHash),
    coinbase: hexOf(parts.coinbase),
    stateRoot: hexOf(parts.stateRoot),
    transactionsRoot: hexOf(parts.transactionsRoot),
    receiptsRoot: parts.receiptsRoot === null ? QUIET_RECEIPTS_ROOT : hexOf(parts.receiptsRoot),
    bloom: wholeBloom(parts.bloom),
    difficulty: parts.difficulty,
    number,
    gasLimit: parts.gasLimit,
    gasUsed: parts.gasUsed,
    timeSeconds,
    extra: parts.isExtraWhole ? parts.extra : longExtra(curve, parts.extra),
    mixDigest: parts.mixDigest === null ? ZERO_HASH : hexOf(parts.mixDigest),
    nonce: parts.nonce === null ? ZERO_NONCE : hexOf(parts.nonce),
  }
}

function wholeBloom(stored: Uint8Array): Uint8Array {
  if (stored.length === BLOOM_BYTES) return stored
  const bloom = new Uint8Array(BLOOM_BYTES)
  let last = -1
  for (let at = 0; at < stored.length; at += 2) {
    const [place = 0, byte = 0] = stored.subarray(at, at + 2)
    if (place <= last || byte === 0) throw inputError('entry.bloom', `${byte} at ${place}`, 'rising places of bytes that are not zero')
    bloom[place] = byte
    last = place
  }
  return bloom
}

function longExtra(curve: Secp256k1, short: Uint8Array): Uint8Array {
  const scalars = short.subarray(0, SCALARS_BYTES)
  const compressed = short.subarray(SCALARS_BYTES, SCALARS_BYTES + COMPRESSED_BYTES)
  const point = curve.convertPublicKey(compressed, 'uncompressed')
  if (point === null) throw inputError('entry.point', hexOf(compressed), 'a point of the curve')
  return concatBytes(sha256(point), scalars, point, short.subarray(SCALARS_BYTES + COMPRESSED_BYTES))
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}
