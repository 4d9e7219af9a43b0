/**
 * A partner who is connected, and has not said yet where it stands in a channel, says so within seconds: when the two have
 * just connected, or the chain has just told one of them of the channel. The owner's payments wait for that instead of failing.
 */
import type { Address, Clock, Hash, Timers } from '../../base/index.ts'
import type { PhotonNode } from '../node/index.ts'

export interface GreetingOptions {
  readonly node: Pick<PhotonNode, 'channels' | 'isReady'>
  readonly isConnected: (account: Address) => boolean
  readonly clock: Clock
  readonly timers: Timers
}

/** One greeting that was lost is said again in half of that. */
export const PATIENCE_MS = 6_000
const LOOK_EVERY_MS = 200

/** Channels in `token` that can be paid through as soon as the partner has answered. */
function greeted({ node, isConnected }: GreetingOptions, token: Address): readonly Hash[] {
  return node.channels().flatMap((state) => (state.token === token && state.phase === 'opened' && state.sync.kind !== 'behind' && isConnected(state.partner.address) && !node.isReady(state.key.channel) ? [state.key.channel] : []))
}

/** Resolves when `isEnough`, when nobody in `token` has anything to say any more, or when it has taken too long. */
export async function awaitGreetings(options: GreetingOptions, token: Address, isEnough: (waiting: readonly Hash[]) => boolean): Promise<void> {
  const { clock, timers } = options
  const endMs = clock.boottimeMs() + PATIENCE_MS
  let before: string | null = null
  for (;;) {
    const waiting = greeted(options, token)
    if (waiting.length === 0) return
    // Looking for a path costs: only when another channel has come to what can be used.
    const names = waiting.join()
    if (names !== before && isEnough(waiting)) return
    before = names
    if (clock.boottimeMs() >= endMs) return
    await new Promise<void>((resolve) => void timers.after(LOOK_EVERY_MS, resolve))
  }
}
