/**
 * The round that the next block belongs to, slot by slot, for people to look at. What became of a slot is read
 * from the round as it was before its block: the contract strikes out who let it pass (rules/round.ts).
 */
import { ZERO_ADDRESS } from '../codec/fields.ts'
import type { Address } from '../codec/fields.ts'
import type { ChainBlock, ChainView } from '../ports.ts'

/** `stood-in`: nobody had the slot, another sealed. `missed`: its signer let it pass. `open`: nobody has it. */
export type SlotState = 'sealed' | 'stood-in' | 'missed' | 'next' | 'waiting' | 'open'

export interface Slot {
  readonly place: number
  readonly number: number
  /** Whose slot it is or was; who stood in where it was nobody's. Null: nobody's. */
  readonly signer: Address | null
  readonly isLeader: boolean
  readonly isOwn: boolean
  readonly state: SlotState
}

export interface RoundPicture {
  readonly slots: readonly Slot[]
  readonly next: readonly { readonly signer: Address; readonly isOwn: boolean }[]
  /** Most of `next`. */
  readonly nextLimit: number
  readonly epochEndsInBlocks: number
}

/** `own`: this box's miner; null where it has none. */
export function pictureRound(chain: Pick<ChainView, 'head' | 'block'>, own: Address | null): RoundPicture {
  const head = chain.head()
  const { round } = head
  const number = head.header.number + 1
  const place = number % round.signers.length
  const past = pastSlots(chain, head, place)
  const slots = round.signers.map((signer, at): Slot => {
    const known = past.get(at) ?? { state: at === place ? ('next' as const) : signer === ZERO_ADDRESS ? ('open' as const) : ('waiting' as const), signer }
    const who = known.signer === ZERO_ADDRESS ? null : known.signer
    return { place: at, number: number - place + at, signer: who, isLeader: who !== null && round.leaders.includes(who), isOwn: who !== null && who === own, state: known.state }
  })
  return {
    slots,
    next: round.next.map((signer) => ({ signer, isOwn: signer === own })),
    nextLimit: round.volunteerLimit,
    epochEndsInBlocks: round.epochBlocks - (head.header.number % round.epochBlocks),
  }
}

/** From the head back to the round's first block, or to where the tree begins. */
function pastSlots(chain: Pick<ChainView, 'block'>, head: ChainBlock, places: number): ReadonlyMap<number, { readonly state: SlotState; readonly signer: Address }> {
  const past = new Map<number, { readonly state: SlotState; readonly signer: Address }>()
  let block: ChainBlock | null = head
  for (let place = places - 1; place >= 0 && block !== null; place--) {
    const parent: ChainBlock | null = chain.block(block.header.parentHash)
    const signer = block.signer ?? ZERO_ADDRESS
    // Without the parent it is not known any more whose slot it was; who is struck out now had it perhaps.
    const due = parent?.round.signers[place] ?? block.round.signers[place] ?? ZERO_ADDRESS
    past.set(place, due === signer ? { state: 'sealed', signer } : due === ZERO_ADDRESS ? { state: 'stood-in', signer } : { state: 'missed', signer: due })
    block = parent
  }
  return past
}
