/** The live channels, found by id and by partner. */
import type { Address, Hash } from '../../base/index.ts'
import type { LiveChannel } from './live-channel.ts'

export class ChannelSet {
  readonly #byId = new Map<Hash, LiveChannel>()
  readonly #byPartner = new Map<Address, Set<LiveChannel>>()

  get size(): number {
    return this.#byId.size
  }

  get(channel: Hash): LiveChannel | undefined {
    return this.#byId.get(channel)
  }

  with(partner: Address): Iterable<LiveChannel> {
    return this.#byPartner.get(partner) ?? []
  }

  isPartner(peer: Address): boolean {
    return this.#byPartner.has(peer)
  }

  all(): IterableIterator<LiveChannel> {
    return this.#byId.values()
  }

  add(live: LiveChannel): void {
    this.#byId.set(live.state.key.channel, live)
    const same = this.#byPartner.get(live.partner)
    if (same === undefined) this.#byPartner.set(live.partner, new Set([live]))
    else same.add(live)
  }

  remove(live: LiveChannel): void {
    if (this.#byId.get(live.state.key.channel) === live) this.#byId.delete(live.state.key.channel)
    const same = this.#byPartner.get(live.partner)
    same?.delete(live)
    if (same?.size === 0) this.#byPartner.delete(live.partner)
  }
}
