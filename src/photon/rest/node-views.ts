/** Channels and payments as the node keeps them, in the shapes that clients see. */
import { ZERO_HASH, fromUtf8, toHex } from '../../base/index.ts'
import { restStateOf, settlementOf } from '../channel/index.ts'
import type { ChannelMoment, ChannelState, PendingLock } from '../channel/index.ts'
import type { InitiatorState, TargetState } from '../payment/index.ts'
import { CHANNEL_STATES, TRANSFER_STATES } from './api.ts'
import type { ChannelDetailView, ChannelView, LockView, PendingReceiptView, SentTransferView } from './api.ts'

/**
 * `balance` is what the contract would pay to each side now, pending locks counted to the one that gave them, as in the original:
 * deposit − given + received.
 */
export function channelView(state: ChannelState, moment: ChannelMoment, revealTimeout: number): ChannelView {
  const { own, partner } = state
  const [balance, partnerBalance] = settlementOf(own, partner)
  return {
    channel: state.key.channel,
    epoch: state.key.epoch,
    partner: partner.address,
    token: state.token,
    balance,
    partnerBalance,
    locked: own.locked,
    partnerLocked: partner.locked,
    state: CHANNEL_STATES[restStateOf(state, moment)] ?? 'invalid',
    settleTimeout: state.settleTimeout,
    revealTimeout,
  }
}

export function channelDetailView(state: ChannelState, moment: ChannelMoment, revealTimeout: number): ChannelDetailView {
  return { ...channelView(state, moment, revealTimeout), ...channelLocksView(state) }
}

export function channelLocksView(state: ChannelState): Omit<ChannelDetailView, keyof ChannelView> {
  return {
    closedBlock: state.dispute?.closeBlock ?? 0,
    settledBlock: state.dispute?.settleBlock ?? 0,
    ownLocks: state.own.locks.map(lockView),
    partnerLocks: state.partner.locks.map(lockView),
    ownProof: state.own.proof,
    partnerProof: state.partner.proof,
  }
}

function lockView(pending: PendingLock): LockView {
  const { expiration, amount, secretHash } = pending
  return { lock: { expiration, amount, secretHash }, lockHash: pending.hash, secret: pending.secret, isRegistered: pending.registeredBlock !== null }
}

/** `finishSeconds` 0: not ended. Of several parts the first one's channel is shown: clients know of one. */
export function sentTransferView(state: InitiatorState, sendingSeconds: number, finishSeconds: number): SentTransferView {
  const [part] = state.parts
  return {
    key: state.id,
    block: state.startedBlock,
    token: state.token,
    secretHash: state.secretHash,
    target: state.target,
    amount: state.amount,
    data: dataText(state.data),
    isDirect: false,
    sendingSeconds,
    finishSeconds,
    status: TRANSFER_STATES[state.status] ?? 'failed',
    statusMessage: state.failure?.reason ?? '',
    channel: part?.held.channel ?? ZERO_HASH,
    epoch: part?.held.epoch ?? 0n,
  }
}

/** Null when it is not under way any more, or no lock of it has come. */
export function pendingReceiptView(state: TargetState, account: TargetState['initiator'], block: number): PendingReceiptView | null {
  const ends = state.parts.filter((part) => part.phase === 'held').map((part) => part.held.lock.expiration)
  if (state.outcome !== 'open' || ends.length === 0) return null
  return {
    initiator: state.initiator,
    target: account,
    token: state.token,
    amount: state.amount,
    secret: state.secret,
    secretHash: state.secretHash,
    blocksLeft: Math.max(0, Math.min(...ends) - block),
    fee: 0n, // the target is the last: nothing is left over for a fee
    isDirect: false,
  }
}

/** Clients write text there; other bytes are shown as hex. */
export function dataText(data: Uint8Array): string {
  try {
    return fromUtf8(data, 'data')
  } catch {
    return `0x${toHex(data)}` // fromUtf8 fails in no other way than for bytes that are no text
  }
}
