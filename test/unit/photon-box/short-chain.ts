/** The street's chain as one box sees it: what is too old is not there, and it may be out of view. */
import type { ChainPort } from '../../../src/photon/index.ts'
import type { SpectrumPort } from '../photon-chain/spectrum-port.ts'

/** A light box's view: of blocks below `first()` it has nothing. */
export class ShortChain implements ChainPort {
  readonly #chain: SpectrumPort
  first = 0
  frozen = false
  hasProofs = true

  constructor(chain: SpectrumPort) {
    this.#chain = chain
  }
  get chainId(): bigint {
    return this.#chain.chainId
  }
  head = (): ReturnType<ChainPort['head']> => this.#chain.head()
  safe = (): ReturnType<ChainPort['safe']> => this.#chain.safe()
  isFrozen = (): boolean => this.frozen
  at = (number: number): ReturnType<ChainPort['at']> => (number < this.first ? null : this.#chain.at(number))
  logs: ChainPort['logs'] = (point) => this.#chain.logs(point)
  storage: ChainPort['storage'] = async (point, contract, slot) => (this.hasProofs && point.number >= this.first ? this.#chain.storage(point, contract, slot) : null)
  account: ChainPort['account'] = (point, address) => this.#chain.account(point, address)
  send: ChainPort['send'] = (transaction) => this.#chain.send(transaction)
  receipt: ChainPort['receipt'] = (hash) => this.#chain.receipt(hash)
  onHead: ChainPort['onHead'] = (listener) => this.#chain.onHead(listener)
}
