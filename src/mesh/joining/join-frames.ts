/**
 * Frames of `/meshbox/join/1`, RLP lists.
 *
 * | frame | fields |
 * |---|---|
 * | hello, when a connection opens and when one's own paper changed | 1, sequence of the list it has, paper (0 none, 1 ticket, 2 admission), ticket or admission, claim |
 * | list | 2, sealed list |
 * | admission, from the community's box | 3, sealed admission |
 */
import { inputError } from '../../base/index.ts'
import { MAX_DOCUMENT_BYTES, readDocument, writeDocument } from '../documents/index.ts'
import type { PeerProtocol } from '../ports.ts'
import type { Paper } from './members.ts'

export const JOIN_PROTOCOL: PeerProtocol = {
  name: '/meshbox/join/1',
  maxFrameBytes: MAX_DOCUMENT_BYTES,
  maxQueuedBytes: 8 * MAX_DOCUMENT_BYTES,
  maxFramesPerSecond: 4,
  maxBytesPerSecond: 4 * MAX_DOCUMENT_BYTES,
  sides: ['mesh', 'internet'],
}

export type JoinFrame =
  | { readonly kind: 'hello'; readonly listSequence: number; readonly paper: Paper }
  | { readonly kind: 'list' | 'admission'; readonly frame: Uint8Array }

const HELLO = 1
const LIST = 2
const ADMISSION = 3
const PAPERS = ['none', 'ticket', 'admission'] as const
const MAX_PAPER_BYTES = 512
const MAX_SEQUENCE = 2 ** 40

export function encodeJoinFrame(frame: JoinFrame): Uint8Array {
  if (frame.kind !== 'hello') return writeDocument('frame', [frame.kind === 'list' ? LIST : ADMISSION, frame.frame])
  const { paper } = frame
  const [first, second] = paper.kind === 'ticket' ? [paper.ticket, paper.claim] : [paper.kind === 'admission' ? paper.admission : null, null]
  return writeDocument('frame', [HELLO, frame.listSequence, PAPERS.indexOf(paper.kind), first, second])
}

/** Errors: input of the field that is wrong. */
export function decodeJoinFrame(bytes: Uint8Array): JoinFrame {
  return readDocument('frame', bytes, (reader) => {
    const code = reader.number('code', HELLO, ADMISSION)
    if (code !== HELLO) return { kind: code === LIST ? 'list' : 'admission', frame: reader.string('frame', 1, MAX_DOCUMENT_BYTES) }
    const listSequence = reader.number('listSequence', 0, MAX_SEQUENCE)
    const kind = PAPERS[reader.number('paper', 0, PAPERS.length - 1)]
    const [first, second] = [reader.string('paper', 0, MAX_PAPER_BYTES), reader.string('claim', 0, MAX_PAPER_BYTES)]
    if (kind !== 'ticket' && second.length > 0) throw inputError('claim', `${second.length} bytes`, 'none without a ticket')
    if (kind === 'ticket') return { kind: 'hello', listSequence, paper: { kind, ticket: first, claim: second } }
    if (kind === 'admission') return { kind: 'hello', listSequence, paper: { kind, admission: first } }
    if (first.length > 0) throw inputError('paper', `${first.length} bytes`, 'none')
    return { kind: 'hello', listSequence, paper: { kind: 'none' } }
  })
}
