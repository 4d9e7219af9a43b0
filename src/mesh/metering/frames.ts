/**
 * What two boxes say of carrying, on two lanes. Every frame is an RLP list.
 *
 * | lane | frame | fields |
 * |---|---|---|
 * | price | advert | payload (documents/price.ts), signature of the sender |
 * | carriage | 1 want | client: price sequence it takes, epoch it knows or empty, standing |
 * | | 2 begin | carrier: epoch in force, standing |
 * | | 3 reading | a signed reading |
 * | | 4 end | epoch or empty (none was begun), reason for people |
 *
 * A standing is a list of 0, 2 or 4 signed readings: of the number counted from (if any) the carrier's and the client's,
 * then the newest number's.
 */
import { encodeRlp, hexOf, inputError, integerBytes, utf8 } from '../../base/index.ts'
import { EPOCH_BYTES, decodePrice, decodeReading, encodePrice, encodeReading, openFrame, readDocument, sealFrame, writeDocument } from '../documents/index.ts'
import type { Field, FieldReader } from '../documents/index.ts'
import type { BoxId, Documents, PeerProtocol, PriceAdvert, Reading } from '../ports.ts'
import type { PriceOffer } from './prices.ts'

export const PRICE_LANE: PeerProtocol = { name: '/meshbox/price/1', maxFrameBytes: 1024, maxQueuedBytes: 8192, maxFramesPerSecond: 2, maxBytesPerSecond: 2048, sides: ['mesh'] }
export const CARRIAGE_LANE: PeerProtocol = { name: '/meshbox/carriage/1', maxFrameBytes: 2048, maxQueuedBytes: 16_384, maxFramesPerSecond: 4, maxBytesPerSecond: 8192, sides: ['mesh'] }

const MAX_REASON_BYTES = 200
const MAX_SEQUENCE = 2 ** 48
const MAX_READING_FRAME_BYTES = 400
const WANT = 1
const BEGIN = 2
const READING = 3
const END = 4

/** As it came: `frame` holds payload and signature, and is what evidence keeps. */
export interface SignedReading {
  readonly reading: Reading
  readonly frame: Uint8Array
}

export interface ShownStanding {
  readonly from: { readonly carrier: SignedReading; readonly client: SignedReading } | null
  readonly pair: { readonly carrier: SignedReading; readonly client: SignedReading }
}

export type CarriageFrame =
  | { readonly kind: 'want'; readonly priceSequence: number; readonly epoch: Uint8Array | null; readonly standing: ShownStanding | null }
  | { readonly kind: 'begin'; readonly epoch: Uint8Array; readonly standing: ShownStanding | null }
  | { readonly kind: 'reading'; readonly signed: SignedReading }
  | { readonly kind: 'end'; readonly epoch: Uint8Array | null; readonly reason: string }

export function encodeCarriageFrame(frame: CarriageFrame): Uint8Array {
  switch (frame.kind) {
    case 'want':
      return writeDocument('carriage', [WANT, frame.priceSequence, frame.epoch, standingFields(frame.standing)])
    case 'begin':
      return writeDocument('carriage', [BEGIN, frame.epoch, standingFields(frame.standing)])
    case 'reading':
      return writeDocument('carriage', [READING, frame.signed.frame])
    case 'end':
      return writeDocument('carriage', [END, frame.epoch, { text: shortReason(frame.reason) }])
  }
}

/** Errors: input. Whose signatures they are says `isSignedBy`. */
export function decodeCarriageFrame(bytes: Uint8Array): CarriageFrame {
  return readDocument('carriage', bytes, (reader): CarriageFrame => {
    const kind = reader.number('kind', WANT, END)
    if (kind === WANT) return { kind: 'want', priceSequence: reader.number('priceSequence', 1, MAX_SEQUENCE), epoch: reader.optional('epoch', epochOf), standing: readStanding(reader) }
    if (kind === BEGIN) return { kind: 'begin', epoch: epochOf(reader), standing: readStanding(reader) }
    if (kind === READING) return { kind: 'reading', signed: readSigned(reader) }
    return { kind: 'end', epoch: reader.optional('epoch', epochOf), reason: reader.text('reason', MAX_REASON_BYTES) }
  })
}

export function signReading(documents: Documents, reading: Reading): SignedReading {
  return { reading, frame: sealFrame(documents, 'reading', encodeReading(reading)) }
}

/** Errors: input. */
export function openReading(frame: Uint8Array): SignedReading {
  return { reading: decodeReading(openFrame(frame).payload), frame }
}

export function isSignedBy(documents: Documents, signed: SignedReading, box: BoxId): boolean {
  const { payload, signature } = openFrame(signed.frame)
  return documents.signer('reading', payload, signature) === box
}

/** The carrier's readings by the carrier, the client's by the client. */
export function isStandingSigned(documents: Documents, { from, pair }: ShownStanding, carrier: BoxId, client: BoxId): boolean {
  return [pair, ...(from === null ? [] : [from])].every((each) => isSignedBy(documents, each.carrier, carrier) && isSignedBy(documents, each.client, client))
}

export function sealAdvert(documents: Documents, offer: PriceOffer, sequence: number): Uint8Array {
  return sealFrame(documents, 'price', encodePrice({ ...offer, sequence }))
}

/** Errors: input; a frame that its sender did not sign is one too. */
export function openAdvert(documents: Documents, frame: Uint8Array, from: BoxId): PriceAdvert {
  const { payload, signature } = openFrame(frame)
  if (documents.signer('price', payload, signature) !== from) throw inputError('signature', hexOf(signature), `one of ${from}`)
  return { box: from, ...decodePrice(payload) }
}

/** Under this reference the `number`th payment of a carriage goes; both ends know it beforehand. */
export function paymentPreimage(carrier: BoxId, client: BoxId, epoch: Uint8Array, number: number): Uint8Array {
  return encodeRlp([utf8('meshbox relay payment 1'), utf8(carrier), utf8(client), epoch, integerBytes(number)])
}

/** Cut to what a frame takes. */
export function shortReason(reason: string): string {
  const plain = reason.replaceAll(/\p{Cc}/gu, ' ')
  let text = plain.slice(0, MAX_REASON_BYTES)
  while (utf8(text).length > MAX_REASON_BYTES) text = text.slice(0, -1)
  return text
}

function standingFields(standing: ShownStanding | null): Field {
  if (standing === null) return []
  const { from, pair } = standing
  return [...(from === null ? [] : [from.carrier.frame, from.client.frame]), pair.carrier.frame, pair.client.frame]
}

function readStanding(reader: FieldReader): ShownStanding | null {
  const all = reader.list('standing', 4, readSigned)
  const [a, b, c, d] = all
  if (a === undefined) return null
  if (b !== undefined && c === undefined) return { from: null, pair: { carrier: a, client: b } }
  if (b === undefined || c === undefined || d === undefined) throw inputError('standing', `${all.length} readings`, '0, 2 or 4 readings')
  return { from: { carrier: a, client: b }, pair: { carrier: c, client: d } }
}

function readSigned(reader: FieldReader): SignedReading {
  return openReading(reader.string('reading', 1, MAX_READING_FRAME_BYTES).slice())
}

function epochOf(reader: FieldReader): Uint8Array {
  return reader.string('epoch', EPOCH_BYTES).slice()
}
