/** What the desk keeps in memory of one channel. */
import type { Voucher } from '../../ports.ts'
import type { PayeeChannel } from './channel.ts'
import { claimable } from './claim.ts'
import { factsOf } from './facts.ts'
import { flushedNow } from './flush.ts'
import type { Flushed } from './flush.ts'
import type { StreamDeskDeps, StreamPeer } from './ports.ts'

export interface Entry {
  channel: PayeeChannel
  peer: StreamPeer | null
  heardMs: number
  flushed: Flushed
  /** As flash has it; null: not known to be there. */
  written: PayeeChannel | null
  /** Earnings to be told when what proves them is on flash: after a power cut the books must not know more than the stream does. */
  untold: (() => void)[]
  /** Changed since tmpfs saw it. */
  isDirty: boolean
  /** What is being carried out; null: nothing, and the next input may go at once. */
  lane: Promise<void> | null
  waiting: number
}

export function newEntry(channel: PayeeChannel, nowMs: number): Entry {
  return { channel, peer: null, heardMs: nowMs, flushed: flushedNow(channel, nowMs), written: null, untold: [], isDirty: false, lane: null, waiting: 0 }
}

/** Tells service and channel what the counter is worth to us, as it is now. */
export function earning({ note, service, sha256 }: Pick<StreamDeskDeps, 'note' | 'service' | 'sha256'>, channel: PayeeChannel, { value, voucher }: { readonly value: bigint; readonly voucher: Voucher }): () => void {
  const { account, session } = channel
  return () => {
    if (session !== null) service.earned(factsOf(channel, session), value, voucher)
    const point = claimable(sha256, channel)
    if (point !== null) note(account, point)
  }
}
