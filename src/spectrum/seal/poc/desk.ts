/**
 * The miner's deposit as its owner handles it. The box signs calls only for its own address, so that address has
 * to be the coinbase: earnings then pay for the calls. For a wallet outside of the box the miner gives its signed
 * word, and that wallet sends the call itself. No private key goes either way.
 */
import { MeshBoxError, inputError } from '../../../base/index.ts'
import { ZERO_ADDRESS } from '../../codec/fields.ts'
import type { Address, Keccak } from '../../codec/fields.ts'
import type { ChainView, MinerKey } from '../../ports.ts'
import { DEFAULT_CALL_GAS_PRICE_WEI, POC_CALL_GAS } from './agent.ts'
import type { PocAgent, PocStatus } from './agent.ts'
import { pocCall } from './calls.ts'
import type { ContractCall } from './calls.ts'
import { POC_ORDERS, judgeOrder } from './orders.ts'
import type { PocOrder } from './orders.ts'

export interface PocDeskOptions {
  readonly keccak: Keccak
  readonly chain: ChainView
  readonly key: MinerKey
  readonly coinbase: Address
  /** The address that this box signs calls for. */
  readonly ownAddress: Address
  /** Null: the coinbase is not the box's own address. */
  readonly agent: PocAgent | null
  readonly gasPriceWei?: bigint
}

export interface PocView {
  readonly miner: Address
  /** Signs and pays for the calls; null where that is not this box. */
  readonly wallet: Address | null
  readonly coinbase: Address
  /** Null where this box does not look after the deposit. */
  readonly status: PocStatus | null
}

/** A call to be sent by a wallet outside of the box. */
export interface WalletCall extends ContractCall {
  readonly kind: 'deposit' | 'bind'
}

export interface PocDesk {
  view(): PocView
  /** The goal is on disk when it resolves. Errors: input `order`; conflict and unavailable, see `judgeOrder`; conflict `poc-other-wallet`. */
  order(order: PocOrder): Promise<PocView>
  /** What `wallet` has to send so that the miner's deposit is its own, and the miner bound to it. Errors: input `wallet`. */
  callsFor(wallet: Address): readonly WalletCall[]
}

export function createPocDesk(options: PocDeskOptions): PocDesk {
  const { keccak, chain, key, coinbase, ownAddress, agent, gasPriceWei = DEFAULT_CALL_GAS_PRICE_WEI } = options
  const view = (): PocView => ({ miner: key.address, wallet: agent === null ? null : ownAddress, coinbase, status: agent?.status() ?? null })
  return {
    view,
    async order(order) {
      if (!POC_ORDERS.includes(order)) throw inputError('order', order, POC_ORDERS.join(', '))
      if (agent === null)
        throw new MeshBoxError('conflict', `earnings go to ${coinbase}, whose key this box has not: send the calls from that wallet (chain poc bind shows them), or make ${ownAddress} the coinbase, which this box signs for`, { code: 'poc-other-wallet' })
      await agent.look()
      const goal = judgeOrder(order, { network: chain.network, head: chain.head(), alarm: chain.alarm(), miner: key.address, wallet: ownAddress, status: agent.status(), callCostWei: POC_CALL_GAS * gasPriceWei })
      await agent.setGoal(goal)
      await agent.look()
      return view()
    },
    callsFor(wallet) {
      if (wallet === ZERO_ADDRESS || wallet === key.address) throw inputError('wallet', wallet, "the address of a wallet; not the miner's own")
      return (['deposit', 'bind'] as const).flatMap((kind) => {
        const call = pocCall(keccak, chain.network, kind, key, wallet)
        return call === null ? [] : [{ kind, ...call }]
      })
    },
  }
}
