/** Channels from outside the machines' own turns: opened on the chain, found there by proof, or brought to what was proved of them. */
import { MeshBoxError } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import { awaitPartner } from '../channel/index.ts'
import type { ChannelState } from '../channel/index.ts'
import type { Draft } from './draft.ts'
import type { Engine } from './engine.ts'
import { LiveChannel } from './live-channel.ts'
import type { ChannelAlarm } from './peer-desk.ts'
import { hasChannel, insertChannel } from './tables/channels.ts'
import { readPackets } from './tables/packets.ts'
import type { Who } from './tables/packets.ts'

/** Live channels of one node. */
const MAX_CHANNELS = 4096

export interface OutsideChannelsOptions {
  readonly contract: Address
  readonly store: Store
  readonly engine: Engine
  readonly meet: (draft: Draft, live: LiveChannel) => void
  readonly alarmed: (alarm: ChannelAlarm) => void
  readonly failed: (failure: string, error: unknown) => void
}

export class OutsideChannels {
  readonly #options: OutsideChannelsOptions

  constructor(options: OutsideChannelsOptions) {
    this.#options = options
  }

  /** Takes a channel in. Changes nothing where that life of it is known. Resolves when it is on disk. */
  async adopt(state: ChannelState): Promise<void> {
    const { contract, store, engine, alarmed } = this.#options
    const { channel, epoch } = state.key
    await engine.order((draft) => {
      if (store.read((tx) => hasChannel(tx, contract, channel, epoch))) return
      if (engine.channels.size >= MAX_CHANNELS) {
        // Anybody may open one with us: the chain's other news must not wait for it.
        draft.afterwards.push(() => alarmed({ channel, reason: `${MAX_CHANNELS} channels are open, and this one is not kept` }))
        return
      }
      let number = 0
      draft.writes.push((tx) => {
        number = insertChannel(tx, state)
      })
      draft.afterwards.push(() => this.#added(new LiveChannel(number, 0n, awaitPartner(state))))
    })
  }

  /** Brings a channel to what was proved of it; `change` is given the newest state and must not be wrong. Errors: not-found `photon-channel`. */
  amend(channel: Hash, change: (state: ChannelState) => ChannelState): Promise<void> {
    return this.#options.engine.order((draft) => {
      const live = this.#known(channel)
      draft.put(live, change(draft.state(live)))
      draft.dutiful.add(live)
    })
  }

  /** The stored packet of one nonce; null: not kept. For what the contract holds of a proof by its hash alone. */
  packet(channel: Hash, who: Who, nonce: bigint): Uint8Array | null {
    const live = this.#known(channel)
    const [stored] = this.#options.store.read((tx) => readPackets(tx, live.number, who, nonce, nonce, 1))
    return stored === undefined ? null : new Uint8Array(stored)
  }

  #added(live: LiveChannel): void {
    const { engine, meet, failed } = this.#options
    engine.channels.add(live)
    if (!engine.isConnected(live.partner)) return
    engine.order((draft) => meet(draft, live)).catch((error: unknown) => failed('a new channel could not be greeted', error))
  }

  #known(channel: Hash): LiveChannel {
    const live = this.#options.engine.channels.get(channel)
    if (live === undefined) throw new MeshBoxError('not-found', 'there is no such channel', { code: 'photon-channel', field: 'channel', value: channel })
    return live
  }
}
