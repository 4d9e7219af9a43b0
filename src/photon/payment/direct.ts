/** Records of direct payments (photon.md 2.3): two nodes, one message, final when received; they need no chain. */
import type { Hash } from '../../base/index.ts'
import { ZERO_HASH } from '../../base/index.ts'
import { STATUS, directId } from './state.ts'
import type { DirectState, Failure } from './state.ts'
import type { ChannelGlance } from './view.ts'

interface DirectTerms {
  readonly amount: bigint
  readonly paymentId: Hash | null
  readonly data: Uint8Array
}

/** `reference`: unique, from whoever orders it. */
export function directSent(channel: ChannelGlance, terms: DirectTerms, reference: Hash, block: number): DirectState {
  return record('sent', channel, terms, reference, block, STATUS.cannotCancel, false)
}

export function directReceived(channel: ChannelGlance, terms: DirectTerms, nonce: bigint, block: number): DirectState {
  return record('received', channel, terms, nonce, block, STATUS.success, true)
}

/** The partner has it on disk. */
export function directDelivered(state: DirectState): DirectState {
  return { ...state, status: STATUS.success, isEnded: true }
}

export function directFailed(state: DirectState, failure: Failure): DirectState {
  return { ...state, status: STATUS.failed, isEnded: true, failure }
}

function record(direction: DirectState['direction'], channel: ChannelGlance, terms: DirectTerms, name: bigint | Hash, block: number, status: DirectState['status'], isEnded: boolean): DirectState {
  return {
    role: 'direct',
    id: directId(direction, channel.key, name),
    token: channel.token,
    secretHash: ZERO_HASH,
    secret: null,
    registeredBlock: null,
    isEnded,
    direction,
    key: channel.key,
    partner: channel.partner,
    amount: terms.amount,
    paymentId: terms.paymentId,
    data: terms.data,
    status,
    block,
    failure: null,
  }
}
