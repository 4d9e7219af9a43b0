/**
 * A checkpoint: the block a box may start from, and who may seal after it (spec 6). One line of JSON with the
 * keys in this order and no spaces, so that the same checkpoint is always the same bytes:
 *
 *     {"version":1,"chainId":"777001","genesisHash":"0x…","number":16,"hash":"0x…","header":"0x… (RLP)",
 *      "totalDifficulty":"97","round":{"signers":[…],"next":[],"leaders":[…],"volunteerLimit":16,"epochBlocks":6171},
 *      "time":1700000000,"signatures":[{"key":"64 hex digits","signature":"128 hex digits"},…]}
 *
 * Signed is `meshbox checkpoint\n` and everything before `,"signatures"` with `}` behind it, by Ed25519. Signatures are
 * in the order of their keys, one of each.
 */
import { fromUtf8, inputError, utf8 } from '../../base/index.ts'
import type { Keccak } from '../codec/fields.ts'
import { ADDRESS_BYTES, HASH_BYTES, bytesOf, hexOf, keccakHex } from '../codec/fields.ts'
import type { Address, Hash, Hex } from '../codec/fields.ts'
import { MAX_HEADER_BYTES, decodeHeader, encodeHeader, sealHash } from '../codec/header.ts'
import type { Network } from '../network/network.ts'
import type { ChainBlock, ChainView } from '../ports.ts'
import { MAX_LEADERS, MAX_SIGNERS, checkRound } from '../rules/round.ts'
import type { Round } from '../rules/round.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import type { ChainStart } from './start.ts'

export interface Checkpoint {
  readonly chainId: bigint
  readonly genesisHash: Hash
  /** Its last of a round: number ≡ L − 1 mod L. */
  readonly known: KnownHeader
  readonly totalDifficulty: bigint
  /** After this block; nobody has volunteered yet. */
  readonly round: Round
}

export interface CheckpointSignature {
  /** Ed25519, 64 hex digits. */
  readonly key: string
  /** 128 hex digits. */
  readonly signature: string
}

export interface SignedCheckpoint {
  readonly checkpoint: Checkpoint
  readonly signatures: readonly CheckpointSignature[]
}

const MAX_CHECKPOINT_BYTES = 64 * 1024
const MAX_SIGNATURES = 16
const VERSION = 1
const SIGN_DOMAIN = 'meshbox checkpoint\n'

/** One line, without a newline. */
export function encodeCheckpoint({ checkpoint, signatures }: SignedCheckpoint): string {
  return JSON.stringify({ ...fieldsOf(checkpoint), signatures: signatures.map(({ key, signature }) => ({ key, signature })) })
}

/** What is signed. */
export function checkpointMessage(checkpoint: Checkpoint): Uint8Array {
  return utf8(SIGN_DOMAIN + JSON.stringify(fieldsOf(checkpoint)))
}

function fieldsOf({ chainId, genesisHash, known, totalDifficulty, round }: Checkpoint): Record<string, unknown> {
  return {
    version: VERSION,
    chainId: chainId.toString(),
    genesisHash,
    number: known.header.number,
    hash: known.hash,
    header: hexOf(encodeHeader(known.header)),
    totalDifficulty: totalDifficulty.toString(),
    round: { signers: round.signers, next: round.next, leaders: round.leaders, volunteerLimit: round.volunteerLimit, epochBlocks: round.epochBlocks },
    time: known.header.timeSeconds,
  }
}

/**
 * Strict: what is read is written again and must be the same text. `text`: whatever was sent; a newline at
 * the end is allowed. Errors: input, naming the field; nothing else.
 */
export function decodeCheckpoint(keccak: Keccak, text: string | Uint8Array): SignedCheckpoint {
  if (text.length > MAX_CHECKPOINT_BYTES) throw inputError('checkpoint', `${text.length} bytes`, `at most ${MAX_CHECKPOINT_BYTES} bytes`)
  const line = (typeof text === 'string' ? text : fromUtf8(text, 'checkpoint')).replace(/\n$/, '')
  const fields = recordOf(parseJson(line), 'checkpoint')
  if (fields['version'] !== VERSION) throw inputError('checkpoint.version', fields['version'], `${VERSION}`)
  const round = recordOf(fields['round'], 'checkpoint.round')
  const header = decodeHeader(bytesOf(hexText(fields['header'], 'checkpoint.header', MAX_HEADER_BYTES)))
  const known = { header, hash: keccakHex(keccak, encodeHeader(header)) }
  if (fields['number'] !== header.number) throw inputError('checkpoint.number', fields['number'], `${header.number}, the header's`)
  if (fields['hash'] !== known.hash) throw inputError('checkpoint.hash', fields['hash'], `${known.hash}, the header's`)
  if (fields['time'] !== header.timeSeconds) throw inputError('checkpoint.time', fields['time'], `${header.timeSeconds}, the header's`)
  const signed: SignedCheckpoint = {
    checkpoint: {
      chainId: decimal(fields['chainId'], 'checkpoint.chainId'),
      genesisHash: fixedHex(fields['genesisHash'], 'checkpoint.genesisHash', HASH_BYTES),
      known,
      totalDifficulty: decimal(fields['totalDifficulty'], 'checkpoint.totalDifficulty'),
      round: checkRound({
        signers: addresses(round['signers'], 'checkpoint.round.signers', MAX_SIGNERS),
        next: addresses(round['next'], 'checkpoint.round.next', MAX_SIGNERS),
        leaders: addresses(round['leaders'], 'checkpoint.round.leaders', MAX_LEADERS),
        volunteerLimit: Number(round['volunteerLimit']),
        epochBlocks: Number(round['epochBlocks']),
      }),
    },
    signatures: listOf(fields['signatures'], 'checkpoint.signatures', MAX_SIGNATURES).map(signatureOf),
  }
  const keys = signed.signatures.map(({ key }) => key)
  if (keys.some((key, index) => index > 0 && key <= (keys[index - 1] ?? ''))) throw inputError('checkpoint.signatures', keys, 'keys in rising order, each once')
  if (encodeCheckpoint(signed) !== line) throw inputError('checkpoint', line, 'the keys in their order, each once, without spaces or other keys')
  return signed
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw inputError('checkpoint', line, 'one line of JSON')
  }
}

function recordOf(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw inputError(field, value, 'an object')
  return value as Record<string, unknown>
}

function listOf(value: unknown, field: string, most: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > most) throw inputError(field, value, `a list of at most ${most}`)
  return value
}

function signatureOf(value: unknown): CheckpointSignature {
  const { key, signature } = recordOf(value, 'checkpoint.signatures')
  if (typeof key !== 'string' || !/^[0-9a-f]{64}$/.test(key)) throw inputError('checkpoint.signatures.key', key, '64 lower-case hex digits')
  if (typeof signature !== 'string' || !/^[0-9a-f]{128}$/.test(signature)) throw inputError('checkpoint.signatures.signature', signature, '128 lower-case hex digits')
  return { key, signature }
}

function decimal(value: unknown, field: string): bigint {
  if (typeof value !== 'string' || !/^(0|[1-9][0-9]{0,77})$/.test(value)) throw inputError(field, value, 'decimal digits in quotes')
  return BigInt(value)
}

function hexText(value: unknown, field: string, maxBytes: number): Hex {
  if (typeof value !== 'string' || value.length > 2 + 2 * maxBytes || !/^0x([0-9a-f]{2})*$/.test(value)) throw inputError(field, value, `0x and lower-case hex digits, at most ${maxBytes} bytes`)
  return value as Hex
}

function fixedHex(value: unknown, field: string, bytes: number): Hex {
  const hex = hexText(value, field, bytes)
  if (hex.length !== 2 + 2 * bytes) throw inputError(field, value, `${bytes} bytes`)
  return hex
}

function addresses(value: unknown, field: string, most: number): Address[] {
  return listOf(value, field, most).map((one) => fixedHex(one, field, ADDRESS_BYTES))
}

/** Of a block of our own chain. Errors: input `number` where it does not end a round. */
export function checkpointOf(network: Network, block: ChainBlock): Checkpoint {
  if (!endsRound(block.header.number, block.round)) throw inputError('number', block.header.number, `the last block of a round of ${block.round.signers.length}`)
  return { chainId: network.chainId, genesisHash: network.genesisHash, known: { header: block.header, hash: block.hash }, totalDifficulty: block.totalDifficulty, round: block.round }
}

/** The newest block that a checkpoint can be made of: final, the last of its round. Null: there is none yet. */
export function newestCheckpointBlock(chain: Pick<ChainView, 'final' | 'block'>): ChainBlock | null {
  let at = chain.final()
  while (at !== null && !endsRound(at.header.number, at.round)) at = chain.block(at.header.parentHash)
  // The block the chain was started from is somebody else's to sign for.
  return at?.signer === null ? null : at
}

export function endsRound(number: number, { signers }: Pick<Round, 'signers'>): boolean {
  return number > 0 && number % signers.length === signers.length - 1
}

/** Of a checkpoint that was verified, and proved against its state. */
export function startFromCheckpoint(keccak: Keccak, { known, totalDifficulty, round }: Checkpoint): ChainStart {
  return { known, sealHash: sealHash(keccak, known.header), totalDifficulty, round }
}
