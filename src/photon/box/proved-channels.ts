/** What the contract's own storage says of a channel, by proof: for gossip, for watching, and for opening the next life. */
import type { Address, Hash } from '../../base/index.ts'
import { proveChannel } from '../chain/index.ts'
import type { ProvedChannel } from '../chain/index.ts'
import type { ChainPort } from '../ports.ts'
import type { ChannelProver } from '../route/index.ts'
import type { ChannelLookup } from '../watch/index.ts'

export class ProvedChannels {
  readonly #chain: Pick<ChainPort, 'storage' | 'safe' | 'head'>
  readonly #keccak: (data: Uint8Array) => Uint8Array
  readonly #contract: Address

  constructor(chain: Pick<ChainPort, 'storage' | 'safe' | 'head'>, keccak: (data: Uint8Array) => Uint8Array, contract: Address) {
    this.#chain = chain
    this.#keccak = keccak
    this.#contract = contract
  }

  /** At the depth that money may rest on. Null: not to be had now. */
  async safe(channel: Hash, a: Address, b: Address): Promise<ProvedChannel | null> {
    const point = this.#chain.safe()
    return point === null ? null : proveChannel(this.#chain, this.#keccak, point, this.#contract, channel, [a, b])
  }

  /** As it is just now; a reorganisation may still change it. */
  async newest(channel: Hash, a: Address, b: Address): Promise<ProvedChannel | null> {
    const point = this.#chain.head()
    return point === null ? null : proveChannel(this.#chain, this.#keccak, point, this.#contract, channel, [a, b])
  }

  readonly prover: ChannelProver = {
    prove: async ({ channel, epoch, token, a, b }) => {
      const found = await this.safe(channel, a, b)
      if (found === null) return null
      if (found.state !== 'open' || found.epoch !== epoch) return 'absent'
      const [sideA, sideB] = found.sides
      const funds = ({ deposit, claimed, withdrawn }: typeof sideA): bigint => deposit - claimed - withdrawn
      return { channel, epoch, token, a, b, fundsA: funds(sideA), fundsB: funds(sideB), settleTimeout: found.settleTimeout }
    },
  }

  readonly lookup: ChannelLookup = {
    find: async ({ channel, a, b }) => {
      // A watcher that is asked during a dispute has no time to wait for depth: it looks at the newest block.
      const found = await this.newest(channel, a, b)
      if (found === null) return null
      if (found.state === 'none') return 'absent'
      const [receiver, partner] = found.sides
      return {
        epoch: found.epoch,
        capacity: receiver.deposit + partner.deposit - receiver.claimed - partner.claimed - receiver.withdrawn - partner.withdrawn,
        receiverFunds: receiver.deposit - receiver.claimed - receiver.withdrawn,
        settleBlock: found.state === 'closed' ? found.settleBlock : null,
        postedNonce: partner.nonce,
      }
    },
  }
}
