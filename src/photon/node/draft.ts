/**
 * One turn in the making: what the inputs of a group have decided, laid over what is on disk. Nothing of it is true, and
 * nothing of it leaves the box, before it is stored. If storing fails, it is forgotten.
 */
import type { Address, Hash } from '../../base/index.ts'
import type { Tx } from '../../store/index.ts'
import type { ChannelState, Refusal, Sent } from '../channel/index.ts'
import type { ChainMoment, Message, Prepared } from '../ports.ts'
import type { LiveChannel } from './live-channel.ts'
import type { HistoryRow } from './tables/history.ts'
import type { PacketRow } from './tables/packets.ts'

/** A message without its signature yet. */
export interface Outgoing {
  readonly to: Address
  message: Message
  /** Null: it belongs to no channel of ours. */
  readonly live: LiveChannel | null
  readonly delivered: (() => void) | null
  prepared: Prepared | null
  packet: Uint8Array | null
}

export class Draft {
  readonly moment: ChainMoment
  readonly states = new Map<LiveChannel, ChannelState>()
  readonly outgoing: Outgoing[] = []
  /** The partner's packets that were taken. */
  readonly taken: PacketRow[] = []
  readonly history: HistoryRow[] = []
  /** To be acknowledged when this is on disk: v2 the newest of each channel is enough. */
  readonly acks = new Map<string, { readonly to: Address; readonly echo: Hash }>()
  /** Other rooms' writes of the same turn. */
  readonly writes: ((tx: Tx) => void)[] = []
  /** In order, after the commit. */
  readonly afterwards: (() => void)[] = []
  /** Channels whose duties are looked at before it is stored. */
  readonly dutiful = new Set<LiveChannel>()

  constructor(moment: ChainMoment) {
    this.moment = moment
  }

  state(live: LiveChannel): ChannelState {
    return this.states.get(live) ?? live.state
  }

  put(live: LiveChannel, state: ChannelState): void {
    if (state !== this.state(live)) this.states.set(live, state)
  }

  /** What a verb of the channel answered: taken over, or the refusal is handed back. */
  send(live: LiveChannel, outcome: Sent | Refusal, delivered: (() => void) | null = null): Refusal | null {
    if (!outcome.ok) return outcome
    this.put(live, outcome.state)
    this.outgoing.push({ to: live.partner, message: outcome.message, live, delivered, prepared: null, packet: null })
    return null
  }

  say(to: Address, message: Message): void {
    this.outgoing.push({ to, message, live: null, delivered: null, prepared: null, packet: null })
  }

  /** `line`: acknowledgements of one line that the newest of them stands for. */
  acknowledge(line: string, to: Address, echo: Hash): void {
    this.acks.set(line, { to, echo })
  }

  /** Whether there is anything to store, besides what is sent. */
  get hasWrites(): boolean {
    return this.states.size > 0 || this.taken.length > 0 || this.history.length > 0 || this.writes.length > 0
  }
}
