/** The tail of every message that moves money, the same in both profiles: nonce 8 ‖ channel 32 ‖ epoch 8 ‖ transferred 32 ‖ locksroot 32. */
import { ZERO_HASH, inputError } from '../../base/index.ts'
import type { ChannelKey, Envelope } from '../ports.ts'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'

/** The original holds the open block as a signed number. */
const MAX_V1_EPOCH = (1n << 63n) - 1n

/** Errors: input, for what the other side would refuse. */
export function writeEnvelope(out: ByteWriter, envelope: Envelope): void {
  if (envelope.nonce === 0n) throw inputError('envelope.nonce', 0, '1 or more')
  out.u64(envelope.nonce, 'envelope.nonce')
  writeKey(out, envelope)
  out.u256(envelope.transferred, 'envelope.transferred').hash(envelope.locksroot, 'envelope.locksroot')
}

export function readEnvelope(from: ByteReader): Envelope {
  const nonce = from.u64()
  const key = readKey(from)
  const transferred = from.u256()
  const locksroot = from.hash()
  if (nonce === 0n) from.refuse('nonce: 0')
  return { channel: key.channel, epoch: key.epoch, nonce, transferred, locksroot }
}

/** channel 32 ‖ epoch 8. Errors: input for no channel and for an epoch that never was. */
export function writeKey(out: ByteWriter, key: ChannelKey): void {
  if (key.channel === ZERO_HASH) throw inputError('channel', key.channel, 'a channel id')
  if (key.epoch <= 0n || key.epoch > MAX_V1_EPOCH) throw inputError('epoch', key.epoch, '1 to 2^63 - 1')
  out.hash(key.channel, 'channel').u64(key.epoch, 'epoch')
}

export function readKey(from: ByteReader): ChannelKey {
  const channel = from.hash()
  const epoch = from.u64()
  if (channel === ZERO_HASH) from.refuse('channel: zero')
  if (epoch === 0n || epoch > MAX_V1_EPOCH) from.refuse(`epoch: ${epoch}`)
  return { channel, epoch }
}
