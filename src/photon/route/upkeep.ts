/**
 * The care of core channels (photon.md 7.2): own money for a channel that has little left (top-up from the chain), or
 * better, money moved in a circle from a channel that has too much. Pure: what is, what the owner allows, and what to do.
 */
import type { Address, Hash } from '../../base/index.ts'
import type { OwnChannel } from './ports.ts'
import type { Cycle, CycleRequest } from './router.ts'

export interface UpkeepLimits {
  /** What may still be put into channels in this token before the owner's cap. */
  readonly topUpLeft: bigint
  /** What may still be paid in fees for circles before the owner's cap. */
  readonly feesLeft: bigint
  /** At most so much fee for what is moved. */
  readonly maxFeePpm: bigint
  /** A top-up costs gas: less is not worth it. */
  readonly minTopUp: bigint
}

export type UpkeepOrder =
  | { readonly kind: 'rebalance'; readonly back: Hash; readonly cycle: Cycle }
  | { readonly kind: 'top-up'; readonly channel: Hash; readonly epoch: bigint; readonly partner: Address; readonly token: Address; readonly amount: bigint }

const PERCENT = 100n
const TOP_UP_BELOW_PERCENT = 25n
const REBALANCE_BELOW_PERCENT = 20n
/** Both bring the channel back to its middle; a giver keeps at least that too. */
const MIDDLE_PERCENT = 50n
const MILLION = 1_000_000n

/** Orders for the core channels of one token, the emptiest first, together within the limits. `findCycle`: the router's. */
export function upkeepOrders(channels: readonly OwnChannel[], limits: UpkeepLimits, findCycle: (request: CycleRequest) => Cycle | null): readonly UpkeepOrder[] {
  const orders: UpkeepOrder[] = []
  let { topUpLeft, feesLeft } = limits
  const core = channels.filter((channel) => channel.role === 'core' && channel.isUsable && channel.capacity > 0n)
  /** What each may still give without falling under its middle, after the orders before. */
  const spare = new Map(core.map((channel) => [channel.channel, channel.spendable - middleOf(channel)]))
  for (const channel of [...core].sort(byShare)) {
    if (!isBelow(channel, TOP_UP_BELOW_PERCENT)) break
    const wanted = middleOf(channel) - channel.spendable
    const cycle = isBelow(channel, REBALANCE_BELOW_PERCENT) ? circle(channel, wanted, spare, min(feesLeft, (wanted * limits.maxFeePpm) / MILLION), findCycle) : null
    if (cycle !== null) {
      const out = cycle.path.hops[0]
      if (out !== undefined) spare.set(out.channel, (spare.get(out.channel) ?? 0n) - out.amount)
      feesLeft -= cycle.path.fee
      orders.push({ kind: 'rebalance', back: channel.channel, cycle })
      continue
    }
    // A deposit makes the channel larger too: x more of own money gives (spendable + x) / (capacity + x).
    const amount = min(channel.capacity - 2n * channel.spendable, topUpLeft)
    if (amount < limits.minTopUp || amount <= 0n) continue
    topUpLeft -= amount
    orders.push({ kind: 'top-up', channel: channel.channel, epoch: channel.epoch, partner: channel.partner, token: channel.token, amount })
  }
  return orders
}

/** As much as is wanted, or the half or the quarter of it, as the givers and the ways allow. */
function circle(channel: OwnChannel, wanted: bigint, spare: ReadonlyMap<Hash, bigint>, maxFee: bigint, findCycle: (request: CycleRequest) => Cycle | null): Cycle | null {
  for (const amount of [wanted, wanted / 2n, wanted / 4n]) {
    if (amount <= 0n) return null
    const fee = (maxFee * amount) / wanted
    const cycle = findCycle({ token: channel.token, back: channel.channel, amount, maxFee: fee, mayLeave: (out) => (spare.get(out) ?? 0n) >= amount + fee })
    if (cycle !== null) return cycle
  }
  return null
}

function byShare(one: OwnChannel, other: OwnChannel): number {
  const [a, b] = [one.spendable * other.capacity, other.spendable * one.capacity]
  return a < b ? -1 : a > b ? 1 : one.channel < other.channel ? -1 : 1
}

function isBelow(channel: OwnChannel, percent: bigint): boolean {
  return channel.spendable * PERCENT < channel.capacity * percent
}

function middleOf(channel: OwnChannel): bigint {
  return (channel.capacity * MIDDLE_PERCENT) / PERCENT
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
