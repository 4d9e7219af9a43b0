/**
 * Questions and answers of `/meshbox/roam/1`: RLP [kind, …]. Who asks is known by the connection; tickets and reports are signed
 * besides, because money follows from them.
 *
 *   1 where   mac                                        → seller · sessionId · number where it is now, of who sold it or holds it; nobody else answers
 *   2 claim   sessionId · mac · price · proof kind · proof → ticket's frame, or why not · number where it is now
 *   3 report  frame of a roam-claim of form 2            → for each stay: verdict · left · receipt's frame or nothing
 *   4 look    sessionId · number where it is now         → frame of a roam-claim of form 2 with that one stay
 *   5 kept    address of a guest's key                   → as 1, of who sold a session that this key holds
 */
import { inputError } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import type { BoxId, Mac, PeerProtocol } from '../ports.ts'
import { MAX_STAYS_A_REPORT, MAX_ROAM_COUNTER, macBytes, readDocument, sessionIdOf, writeDocument } from '../documents/index.ts'
import type { FieldReader } from '../documents/index.ts'
import type { SellersWord } from './held.ts'
import type { GuestProof } from './ports.ts'
import type { Refusal } from './sold.ts'

const MAX_CODE_BYTES = 64
/** Fewer than a document may list: each answer may carry a signed receipt, and all has to fit one. */
export const STAYS_A_REPORT = 8
const MAX_SECONDS = 2 ** 32
const MAX_FRAME_BYTES = 1024
const SIGNATURE_BYTES = 65

export const ROAM_PROTOCOL: PeerProtocol = {
  name: '/meshbox/roam/1',
  maxFrameBytes: 5120,
  maxQueuedBytes: 65_536,
  maxFramesPerSecond: 100,
  maxBytesPerSecond: 65_536,
  sides: ['mesh', 'internet'],
}

export type RoamQuestion =
  | { readonly kind: 'where'; readonly mac: Mac }
  /** `mac`: of the device it is for; another than before with the guest's key only. */
  | { readonly kind: 'claim'; readonly sessionId: string; readonly mac: Mac; readonly unitsPerMinute: bigint; readonly proof: GuestProof | null }
  | { readonly kind: 'report'; readonly frame: Uint8Array }
  | { readonly kind: 'look'; readonly sessionId: string; readonly counter: number }
  | { readonly kind: 'kept'; readonly key: Address }

/** `home`: never sent; what this box hears of itself. */
export type ClaimReply =
  | { readonly kind: 'home' }
  | { readonly kind: 'ticket'; readonly frame: Uint8Array }
  /** `counter`: of where it is now, for the guest's key to sign. */
  | { readonly kind: 'refused'; readonly why: Refusal | 'unknown' | 'key'; readonly counter: number }
export interface WordReply {
  readonly word: SellersWord
  readonly receipt: Uint8Array | null
}

const WHYS = ['unknown', 'ended', 'prove', 'again', 'too-dear', 'key'] as const
const VERDICTS = ['ok', 'gone', 'ended', 'prove'] as const

export function encodeQuestion(question: RoamQuestion): Uint8Array {
  switch (question.kind) {
    case 'where':
      return writeDocument('question', [1, macBytes(question.mac)])
    case 'claim': {
      const { proof } = question
      const shown = proof === null ? [0, null, null] : proof.kind === 'key' ? [1, proof.claim, proof.signature] : [2, proof.code, null]
      return writeDocument('question', [2, { text: question.sessionId }, macBytes(question.mac), question.unitsPerMinute, ...shown])
    }
    case 'report':
      return writeDocument('question', [3, question.frame])
    case 'look':
      return writeDocument('question', [4, { text: question.sessionId }, question.counter])
    case 'kept':
      return writeDocument('question', [5, question.key])
  }
}

/** Errors: input of the field that is wrong. */
export function decodeQuestion(bytes: Uint8Array): RoamQuestion {
  return readDocument<RoamQuestion>('question', bytes, (reader) => {
    switch (reader.number('kind', 1, 5)) {
      case 1:
        return { kind: 'where', mac: reader.mac('mac') }
      case 2:
        return { kind: 'claim', sessionId: sessionIdOf(reader), mac: reader.mac('mac'), unitsPerMinute: reader.amount('unitsPerMinute'), proof: proofOf(reader) }
      case 3:
        return { kind: 'report', frame: reader.string('frame', 1, 4096).slice() }
      case 5:
        return { kind: 'kept', key: reader.address('key') }
      default:
        return { kind: 'look', sessionId: sessionIdOf(reader), counter: reader.number('counter', 0, MAX_ROAM_COUNTER) }
    }
  })
}

export interface Whereabouts {
  readonly seller: BoxId
  readonly sessionId: string
  readonly counter: number
}

export function encodeWhere({ seller, sessionId, counter }: Whereabouts): Uint8Array {
  return writeDocument('where', [seller, { text: sessionId }, counter])
}

/** Errors: input. So do all that follow. */
export function decodeWhere(bytes: Uint8Array): Whereabouts {
  return readDocument('where', bytes, (reader) => ({ seller: reader.address('seller'), sessionId: sessionIdOf(reader), counter: reader.number('counter', 0, MAX_ROAM_COUNTER) }))
}

export function encodeClaimReply(reply: ClaimReply): Uint8Array {
  if (reply.kind === 'ticket') return writeDocument('claim', [1, reply.frame])
  if (reply.kind === 'home') return writeDocument('claim', [0, 0, 0])
  return writeDocument('claim', [0, WHYS.indexOf(reply.why), reply.counter])
}

export function decodeClaimReply(bytes: Uint8Array): ClaimReply {
  return readDocument<ClaimReply>('claim', bytes, (reader) => {
    if (reader.number('kind', 0, 1) === 1) return { kind: 'ticket', frame: reader.string('frame', 1, MAX_FRAME_BYTES).slice() }
    return { kind: 'refused', why: WHYS[reader.number('why', 0, WHYS.length - 1)] ?? 'unknown', counter: reader.number('counter', 0, MAX_ROAM_COUNTER) }
  })
}

export function encodeWords(replies: readonly WordReply[]): Uint8Array {
  const fields = replies.map(({ word, receipt }) => {
    const left = word.verdict === 'ok' ? [word.leftSeconds, word.leftBytes === null ? null : word.leftBytes + 1n] : [0, null]
    return [VERDICTS.indexOf(word.verdict), ...left, receipt]
  })
  return writeDocument('words', [fields])
}

export function decodeWords(bytes: Uint8Array): WordReply[] {
  return readDocument('words', bytes, (reader) => reader.list('words', MAX_STAYS_A_REPORT, wordOf))
}

function wordOf(reader: FieldReader): WordReply {
  const verdict = VERDICTS[reader.number('verdict', 0, VERDICTS.length - 1)] ?? 'gone'
  const leftSeconds = reader.number('leftSeconds', 0, MAX_SECONDS)
  const bound = reader.amount('leftBytes')
  const receipt = reader.string('receipt', 0, MAX_FRAME_BYTES).slice()
  const word: SellersWord = verdict === 'ok' ? { verdict, leftSeconds, leftBytes: bound === 0n ? null : bound - 1n } : { verdict }
  return { word, receipt: receipt.length === 0 ? null : receipt }
}

function proofOf(reader: FieldReader): GuestProof | null {
  const kind = reader.number('proof', 0, 2)
  const first = reader.string('shown', 0, MAX_FRAME_BYTES).slice()
  const second = reader.string('signature', 0, SIGNATURE_BYTES).slice()
  if (kind === 1) {
    if (second.length !== SIGNATURE_BYTES) throw inputError('signature', `${second.length} bytes`, `${SIGNATURE_BYTES} bytes`)
    return { kind: 'key', claim: first, signature: second }
  }
  if (second.length > 0 || (kind === 0 && first.length > 0)) throw inputError('proof', 'more than its kind has', 'one form')
  if (kind === 0) return null
  if (first.length === 0 || first.length > MAX_CODE_BYTES) throw inputError('code', `${first.length} bytes`, `1..${MAX_CODE_BYTES} bytes`)
  return { kind: 'code', code: first }
}
