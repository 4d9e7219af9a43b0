/**
 * The channels' contract as the town's chain has it: what was put in and what was claimed, block by block, in its own storage layout, so that a box's
 * audit reads it as it would by proof. It is told by what happens on the chain, never by what a box believes.
 */
import type { Address, Hash } from '../../../src/base/index.ts'
import type { AuditChain } from '../../../src/main/audit.ts'
import { channelSlot, sideSlots } from '../../../src/photon/chain/storage.ts'
import type { ChannelEvent } from '../../../src/photon/ports.ts'
import { keccak } from '../../unit/iot-tenants/tenant-box.ts'

const OPEN = 1n

interface Side {
  deposit: bigint
  /** Of what this side has signed: what was paid to the other one, by block. */
  readonly claims: { readonly block: number; readonly cumulative: bigint }[]
}

export class PaperContract {
  readonly #sides = new Map<Hash, Map<Address, Side>>()
  /** What a slot holds as of a block. */
  readonly #slots = new Map<bigint, (block: number) => bigint>()

  /** Told again it changes nothing, as a transaction that is in the chain already. */
  take(event: ChannelEvent): void {
    if (event.kind === 'opened') return this.#open(event.channel, [event.a, event.b], event.epoch)
    const side = this.#sides.get(event.channel)?.get(event.kind === 'deposited' ? event.participant : event.kind === 'claimed' ? event.payer : '0x')
    if (side === undefined) throw new Error(`no such channel or side for ${event.kind}: ${event.channel}`)
    if (event.kind === 'deposited') side.deposit = event.total
    else if (event.kind === 'claimed' && event.cumulative > claimed(side, Infinity)) side.claims.push({ block: event.block, cumulative: event.cumulative })
  }

  /** All that it holds, in all channels. */
  get pot(): bigint {
    return [...this.#sides.values()].flatMap((sides) => [...sides.values()]).reduce((sum, side) => sum + side.deposit - claimed(side, Infinity), 0n)
  }

  hashOf(block: number): Hash {
    return `0x${block.toString(16).padStart(64, '0')}`
  }

  chain(): AuditChain {
    return {
      at: (number) => ({ number, hash: this.hashOf(number), timeSeconds: number * 15 }),
      storage: (point, _contract, slot) => Promise.resolve(this.#slots.get(slot)?.(point.number) ?? 0n),
    }
  }

  #open(channel: Hash, participants: readonly Address[], epoch: bigint): void {
    if (this.#sides.has(channel)) return
    const sides = new Map(participants.map((participant): [Address, Side] => [participant, { deposit: 0n, claims: [] }]))
    this.#sides.set(channel, sides)
    this.#slots.set(channelSlot(keccak, channel), () => (OPEN << 160n) | epoch)
    for (const [participant, side] of sides) this.#slots.set(sideSlots(keccak, channel, participant)[0], (block) => (claimed(side, block) << 128n) | side.deposit)
  }
}

function claimed({ claims }: Side, block: number): bigint {
  return claims.findLast((each) => each.block <= block)?.cumulative ?? 0n
}
