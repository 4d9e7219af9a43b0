/** Payments over other boxes under hashes that another room has chosen, so that it finds each again after any crash (shares of the earnings, for one). */
import type { Address, Hash } from '../../base/index.ts'
import type { PhotonNode, StoredPayment } from '../node/index.ts'
import type { RoutedSide, RoutedStanding } from '../parts.ts'
import { DEFAULT_PAYMENT_RULES, PAYMENT_CODE, STATUS, initiatorId, isPartPaid } from '../payment/index.ts'
import type { InitiatorState, OutPart } from '../payment/index.ts'
import type { ChainMoment, ChainPort, Router } from '../ports.ts'
import type { PaymentModes } from './payment-modes.ts'

export interface RoutedPayerTools {
  readonly contract: Address
  readonly node: Pick<PhotonNode, 'payLocked' | 'payment' | 'paymentsAfter'>
  readonly modes: Pick<PaymentModes, 'lockFault'>
  readonly router: Pick<Router, 'find'>
  readonly moment: () => ChainMoment
  readonly chain: Pick<ChainPort, 'head' | 'safe'>
}

/** A payment is one lock: of several, one could be paid and another end. */
const ONE_PART = 1

export class RoutedPayer implements RoutedSide {
  readonly #tools: RoutedPayerTools

  constructor(tools: RoutedPayerTools) {
    this.#tools = tools
  }

  get contract(): Address {
    return this.#tools.contract
  }

  hasWay({ to, token, amount, maxFee }: Parameters<RoutedSide['hasWay']>[0]): boolean {
    const { modes, moment, router } = this.#tools
    return modes.lockFault() === null && !moment().isFrozen && router.find({ token, target: to, amount, maxFee, maxParts: ONE_PART }).length > 0
  }

  async pay({ to, token, amount, maxFee, reference, secret, data }: Parameters<RoutedSide['pay']>[0]): Promise<void> {
    await this.#tools.node.payLocked({ token, target: to, amount, maxFee, maxParts: ONE_PART, paymentId: reference, secret, data })
  }

  standing(token: Address, secretHash: Hash): RoutedStanding | null {
    const state = this.#tools.node.payment(initiatorId(token, secretHash))
    if (state?.role !== 'initiator') return null
    if (!state.isEnded) return this.#open(state)
    if (state.status === STATUS.success) return { state: 'sent', ...carried(state.parts.filter((part) => isPartPaid(state, part))) }
    return { state: 'failed', problem: state.failure === null ? 'it was called off' : `${state.failure.reason} (${state.failure.code})`, isKnownThere: state.failure?.code === PAYMENT_CODE.duplicateSecret }
  }

  endedAfter(id: number, most: number): ReturnType<RoutedSide['endedAfter']> {
    const rows = this.#tools.node.paymentsAfter(id, most)
    return {
      payments: rows.flatMap((row) => {
        const standing = endedOf(row)
        return standing === null ? [] : [{ secretHash: row.key, standing }]
      }),
      lookedTo: rows.length < most ? null : (rows.at(-1)?.id ?? null),
    }
  }

  #open(state: InitiatorState): RoutedStanding {
    const pending = state.parts.filter(({ phase }) => phase === 'locked' || phase === 'owed' || phase === 'refunding')
    const last = pending.reduce((most, { held }) => Math.max(most, held.lock.expiration), 0)
    const endsBlock = last === 0 ? null : last + DEFAULT_PAYMENT_RULES.confirmationBlocks
    const isGivenUp = state.status === STATUS.cancelled || pending.some(({ phase }) => phase === 'refunding')
    return { state: 'open', isRevealed: state.isRevealed, isGivenUp, endsBlock, endsInSeconds: this.#secondsTo(endsBlock), ...carried(pending) }
  }

  /** As fast as the newest blocks came. */
  #secondsTo(block: number | null): number | null {
    const [head, safe] = [this.#tools.chain.head(), this.#tools.chain.safe()]
    if (block === null || head === null || safe === null || head.number <= safe.number) return null
    const perBlock = (head.timeSeconds - safe.timeSeconds) / (head.number - safe.number)
    return Math.max(0, Math.ceil((block - this.#tools.moment().block) * perBlock))
  }
}

/** The recipient is the last of a path. */
function carried(parts: readonly OutPart[]): { readonly fee: bigint; readonly via: readonly Address[] } {
  return { fee: parts.reduce((sum, { path }) => sum + path.fee, 0n), via: parts.at(-1)?.path.hops.slice(0, -1).map(({ node }) => node) ?? [] }
}

function endedOf({ kind, fee, note }: StoredPayment): RoutedStanding | null {
  if (kind === 'sent') return { state: 'sent', fee: fee ?? 0n, via: [] }
  if (kind !== 'failed' && kind !== 'cancelled') return null
  return { state: 'failed', problem: note === '' ? 'it was called off' : note, isKnownThere: note.endsWith(`(${PAYMENT_CODE.duplicateSecret})`) }
}
