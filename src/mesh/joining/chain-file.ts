/**
 * The chain's join file from neighbours, by the hash that the code names: whoever hands it out, it is the right one or it is
 * refused. Asked in pieces, so that no answer is large.
 *
 * | | `/meshbox/chain-file/1` |
 * |---|---|
 * | question | RLP hash, offset |
 * | answer | RLP length of the whole file, piece from there |
 */
import { MeshBoxError, concatBytes, equalBytesConstantTime, fromUtf8, hexOf, bytesOf, utf8 } from '../../base/index.ts'
import type { Hash } from '../../base/index.ts'
import { readDocument, writeDocument } from '../documents/index.ts'
import type { BoxId, PeerProtocol, PeerQuestions } from '../ports.ts'

const PIECE_BYTES = 3072
export const MAX_CHAIN_FILE_BYTES = 1 << 20
const ANSWER_MS = 10_000

export const CHAIN_FILE_PROTOCOL: PeerProtocol = {
  name: '/meshbox/chain-file/1',
  maxFrameBytes: 4096,
  maxQueuedBytes: 65_536,
  maxFramesPerSecond: 200,
  maxBytesPerSecond: 400_000,
  sides: ['mesh', 'internet'],
}

/** For `PeerNode.openQuestions`. `file`: what this box has; null: none. Null answers: not that one. Errors: input. */
export function chainFileAnswer(file: { readonly hash: Hash; readonly bytes: Uint8Array } | null, question: Uint8Array): Uint8Array | null {
  const { hash, offset } = readDocument('question', question, (reader) => ({ hash: reader.hash('hash'), offset: reader.number('offset', 0, MAX_CHAIN_FILE_BYTES) }))
  if (file === null || file.hash !== hash || offset >= file.bytes.length) return null
  return writeDocument('answer', [file.bytes.length, file.bytes.subarray(offset, offset + PIECE_BYTES)])
}

/** Asks one after the other. Errors: unavailable `no-chain-file`, with what each said. */
export async function fetchChainFile(questions: Pick<PeerQuestions, 'ask'>, keccak256: (bytes: Uint8Array) => Uint8Array, hash: Hash, peers: readonly BoxId[]): Promise<string> {
  const reasons: string[] = []
  for (const peer of peers) {
    try {
      return await fetchFrom(questions, keccak256, hash, peer)
    } catch (thrown) {
      reasons.push(`${peer}: ${thrown instanceof Error ? thrown.message : 'no answer'}`)
    }
  }
  throw new MeshBoxError('unavailable', `no neighbour has handed out the chain's join file ${hash}${reasons.length === 0 ? '' : ` (${reasons.join('; ')})`}`, { code: 'no-chain-file', field: 'chainFileHash', value: hash })
}

async function fetchFrom(questions: Pick<PeerQuestions, 'ask'>, keccak256: (bytes: Uint8Array) => Uint8Array, hash: Hash, peer: BoxId): Promise<string> {
  const pieces: Uint8Array[] = []
  let have = 0
  let length = 1
  while (have < length) {
    const answer = await questions.ask(peer, writeDocument('question', [hash, have]), ANSWER_MS)
    const piece = readDocument('answer', answer, (reader) => ({ length: reader.number('length', 1, MAX_CHAIN_FILE_BYTES), bytes: reader.string('piece', 1, PIECE_BYTES) }))
    if (have > 0 && piece.length !== length) throw new MeshBoxError('input', 'the file changed while it was read', { code: 'bad-input', field: 'length', value: piece.length })
    // Whole pieces: by single bytes the file would take a million questions, and a box that joins waits for one neighbour at a time.
    if (piece.bytes.length !== Math.min(PIECE_BYTES, piece.length - have)) throw new MeshBoxError('input', 'a piece of the file is not as long as pieces are', { code: 'bad-input', field: 'piece', value: piece.bytes.length })
    length = piece.length
    pieces.push(piece.bytes.slice())
    have += piece.bytes.length
  }
  const whole = concatBytes(...pieces)
  if (!equalBytesConstantTime(keccak256(whole), bytesOf(hash))) throw new MeshBoxError('input', 'it is another file', { code: 'bad-input', field: 'file', value: hexOf(keccak256(whole)) })
  return fromUtf8(whole, 'file')
}

export function chainFileHash(keccak256: (bytes: Uint8Array) => Uint8Array, text: string): Hash {
  return hexOf(keccak256(utf8(text)))
}
