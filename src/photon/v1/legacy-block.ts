/**
 * A block's logs of the original contract as what happened to our channels. They say too little (photon.md 1.8): a closing
 * and an update carry no nonce, and what a closing without proof says is the sender's word. So for channels of ours the
 * contract's own state at the end of that block is read, by proof.
 *
 * Of several proofs of one payer in one block the last one counts: only its nonce can be read, and the others are
 * void. A closing among them tells of no proof, and the last update then does.
 */
import { ZERO_HASH } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import { readLegacyLog } from '../chain/index.ts'
import type { LegacyEvent, ToldEvent } from '../chain/index.ts'
import type { ChainLog, ChainPoint, ChainPort, ChannelEvent } from '../ports.ts'
import { balanceHash } from '../wire/index.ts'
import type { Keccak } from '../wire/index.ts'
import { proveLegacyChannel } from './legacy-storage.ts'
import type { ProvedLegacyChannel } from './legacy-storage.ts'

export interface LegacyBlockTools {
  readonly chain: Pick<ChainPort, 'storage'>
  readonly keccak: Keccak
  readonly contract: Address
  readonly registry: Address
  /** Our account. */
  readonly self: Address
  /** A channel of ours that is not settled; null: it is none of ours. */
  channelOf(channel: Hash): OurChannel | null
}

export interface OurChannel {
  readonly partner: Address
  readonly token: Address
  readonly settleTimeout: number
}

/** What the contract writes as nonce of a proof that was voided by punishment. */
const VOID_NONCE = (1n << 64n) - 1n

type Named = Exclude<LegacyEvent, { kind: 'secret' | 'token-added' }>

/** `logs`: in the order of the block. Null: the contract's state is not to be had now. */
export async function readLegacyBlock(tools: LegacyBlockTools, point: ChainPoint, logs: readonly ChainLog[]): Promise<readonly ToldEvent[] | null> {
  const { keccak, contract, registry } = tools
  const events = logs.flatMap((log) => readLegacyLog(keccak, contract, registry, log, point.number))
  const told: ToldEvent[] = []
  const proved = new Map<Hash, ProvedLegacyChannel>()
  // What is opened in this block is not known to anybody else yet.
  const openedHere = new Map<Hash, OurChannel>()
  for (const [index, event] of events.entries()) {
    if (event.kind === 'secret') {
      told.push(event)
      continue
    }
    if (event.kind === 'token-added') continue
    const partner = event.kind === 'opened' ? ourPartner(tools.self, event) : null
    if (event.kind === 'opened' && partner !== null) openedHere.set(event.channel, { partner, token: event.token, settleTimeout: event.settleTimeout })
    const ours = openedHere.get(event.channel) ?? tools.channelOf(event.channel)
    if (ours === null) continue
    if (needsState(event) && !proved.has(event.channel)) {
      const state = await proveLegacyChannel(tools.chain, keccak, point, contract, event.channel, [tools.self, ours.partner])
      if (state === null) return null
      proved.set(event.channel, state)
    }
    told.push(...translated(tools, ours, event, events.slice(index + 1), proved.get(event.channel)))
  }
  return told
}

function ourPartner(self: Address, event: Extract<Named, { kind: 'opened' }>): Address | null {
  return event.participant === self ? event.partner : event.partner === self ? event.participant : null
}

function needsState(event: Named): boolean {
  return event.kind === 'closed' || event.kind === 'updated'
}

function translated(tools: LegacyBlockTools, ours: OurChannel, event: Named, later: readonly LegacyEvent[], state: ProvedLegacyChannel | undefined): readonly ChannelEvent[] {
  const { channel, block } = event
  const { partner } = ours
  const otherOf = (one: Address): Address => (one === tools.self ? partner : tools.self)
  switch (event.kind) {
    case 'opened':
      return [
        { kind: 'opened', channel, block, token: event.token, a: event.participant, b: event.partner, epoch: BigInt(block), settleTimeout: event.settleTimeout },
        { kind: 'deposited', channel, block, participant: event.participant, total: event.deposit },
      ]
    case 'deposited':
      return [{ kind: 'deposited', channel, block, participant: event.participant, total: event.total }]
    case 'closed': {
      if (state === undefined) return []
      const payer = otherOf(event.by)
      const nonce = nonceOf(tools, partner, payer, event, later, state)
      const proof = nonce === null ? { nonce: 0n, transferred: 0n, locksroot: ZERO_HASH } : { nonce, transferred: event.transferred, locksroot: event.locksroot }
      return [{ kind: 'closed', channel, block, by: event.by, settleBlock: state.settleBlock, ...proof }]
    }
    case 'updated': {
      const nonce = state === undefined ? null : nonceOf(tools, partner, event.payer, event, later, state)
      return nonce === null ? [] : [{ kind: 'updated', channel, block, payer: event.payer, nonce, transferred: event.transferred, locksroot: event.locksroot }]
    }
    case 'unlocked':
      return [{ kind: 'unlocked', channel, block, payer: event.payer, lockHash: event.lockHash, transferred: event.transferred }]
    case 'punished':
      return [{ kind: 'punished', channel, block, cheater: otherOf(event.beneficiary), lockHash: ZERO_HASH }]
    case 'settled':
      return [{ kind: 'settled', channel, block, cooperative: event.cooperative, amounts: event.amounts }]
    case 'withdrawn':
      // The contract begins a new life: nothing that was signed before holds, and each has what is left of his money.
      return [
        { kind: 'settled', channel, block, cooperative: true, amounts: [event.balance1, event.balance2] },
        { kind: 'opened', channel, block, token: ours.token, a: event.p1, b: event.p2, epoch: BigInt(block), settleTimeout: ours.settleTimeout },
        { kind: 'deposited', channel, block, participant: event.p1, total: event.balance1 },
        { kind: 'deposited', channel, block, participant: event.p2, total: event.balance2 },
      ]
  }
}

/** Null: there was no proof, or a later one of this block stands in its place. */
function nonceOf(tools: LegacyBlockTools, partner: Address, payer: Address, event: Extract<Named, { kind: 'closed' | 'updated' }>, later: readonly LegacyEvent[], state: ProvedLegacyChannel): bigint | null {
  const side = payer === partner ? state.sides[1] : state.sides[0]
  const after = later.filter((one): one is Named => 'channel' in one && one.channel === event.channel)
  if (after.some((one) => one.kind === 'updated' && one.payer === payer)) return null
  if (side.nonce === 0n || side.nonce === VOID_NONCE) return null
  // What was unlocked since stands in the hash too.
  const unlocks = after.flatMap((one) => (one.kind === 'unlocked' && one.payer === payer ? [one.transferred] : []))
  const transferred = unlocks.at(-1) ?? event.transferred
  return balanceHash(tools.keccak, transferred, event.locksroot) === side.balanceHash ? side.nonce : null
}
