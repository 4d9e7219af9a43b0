/** Whether a router's path is one we could pay over: a router is asked, not believed. */
import type { Address } from '../../base/index.ts'
import type { Path } from '../ports.ts'
import type { ChannelGlance, PaymentView } from './view.ts'

/** Our own channel it starts with, if it can carry something new. */
export function pathChannel(path: Path, token: Address, view: PaymentView): ChannelGlance | undefined {
  const first = path.hops[0]
  if (first === undefined) return undefined
  const channel = view.channel(first.channel)
  return channel !== undefined && channel.isUsable && channel.token === token && channel.partner === first.node ? channel : undefined
}

/** Ends at the target with the amount, gets no fatter on the way, visits nobody twice, and is short enough. */
export function isPathSound(path: Path, target: Address, view: PaymentView): boolean {
  const last = path.hops.at(-1)
  if (last === undefined || last.node !== target || last.amount !== path.amount || path.amount <= 0n || path.fee < 0n) return false
  if (path.hops.length > view.rules.maxHops || path.hops[0]?.amount !== path.amount + path.fee) return false
  if (path.hops.some((hop, at) => at > 0 && hop.amount > (path.hops[at - 1]?.amount ?? 0n))) return false
  const nodes = path.hops.map((hop) => hop.node)
  return new Set(nodes).size === nodes.length && !nodes.slice(0, -1).includes(view.self)
}
