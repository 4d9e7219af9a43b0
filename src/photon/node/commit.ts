/** What one turn writes: all of it or nothing. */
import type { Address } from '../../base/index.ts'
import type { Tx } from '../../store/index.ts'
import type { Draft, Outgoing } from './draft.ts'
import type { LiveChannel } from './live-channel.ts'
import { updateAcked, updateChannel } from './tables/channels.ts'
import { insertHistory } from './tables/history.ts'
import { deleteOutbox, insertOutbox } from './tables/outbox.ts'
import type { OutboxRow } from './tables/outbox.ts'
import { insertPackets, purgePackets } from './tables/packets.ts'
import type { PacketRow } from './tables/packets.ts'

export interface TurnWrites {
  readonly contract: Address
  readonly draft: Draft
  /** Own packets with a nonce. */
  readonly sent: readonly PacketRow[]
  readonly outbox: readonly OutboxRow[]
  /** Arrived since the last turn. */
  readonly outboxDone: readonly number[]
  /** Channels of which more has been acknowledged than their rows say, other than those of the draft. */
  readonly acked: readonly LiveChannel[]
}

export function storeTurn(tx: Tx, turn: TurnWrites): void {
  const { draft, contract } = turn
  insertPackets(tx, turn.sent)
  insertPackets(tx, draft.taken)
  insertHistory(tx, draft.history, draft.moment.block)
  for (const [live, state] of draft.states) {
    updateChannel(tx, live.number, live.acked, live.state, state)
    purgePackets(tx, live.number, 'own', state.own.nonce, live.acked)
    purgePackets(tx, live.number, 'partner', state.partner.nonce, state.partner.nonce)
  }
  for (const live of turn.acked) updateAcked(tx, live.number, live.acked)
  insertOutbox(tx, contract, turn.outbox)
  deleteOutbox(tx, turn.outboxDone)
  for (const write of draft.writes) write(tx)
}

/** Kept per nonce for ever, or until acknowledged, or only said once. */
export function keptAs(one: Outgoing): 'packet' | 'outbox' | 'nothing' {
  if ('envelope' in one.message) return 'packet'
  return one.message.kind === 'reestablish' || one.message.kind === 'ping' || one.message.kind === 'ack' ? 'nothing' : 'outbox'
}
