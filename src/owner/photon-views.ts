/** Channels, payments and what belongs to them as the owner's JSON; pure. */
import { MeshBoxError, fromUtf8, toHex } from '../base/index.ts'
import type { Address } from '../base/index.ts'
import type { ChannelSideView as DeskChannelSide, ChannelView as DeskChannel, DutyView, PaymentRow } from '../photon/index.ts'
import type { PhotonChannelAction, PhotonChannelJson, PhotonDutyJson, PhotonPaymentJson, PhotonPaymentState, PhotonSideJson, PhotonTokenJson } from './api/photon.ts'
import { money } from './money.ts'

/** By the number a payment's state has in the original. */
const PAYMENT_STATES: readonly PhotonPaymentState[] = ['started', 'cancellable', 'committed', 'done', 'cancelled', 'failed']
/** The channel machine's words for "nothing is being agreed on, nothing is over". */
const AT_WORK = 'opened'
/** The way out is under way or behind us. */
const LEAVING = new Set(['closing', 'closed', 'settling', 'settled'])

/** What a token is called that nobody has named. */
export function unnamedToken(address: Address): PhotonTokenJson {
  return { address, symbol: `${address.slice(0, 6)}…${address.slice(-4)}`, decimals: 0 }
}

export function channelJson(view: DeskChannel, token: PhotonTokenJson): PhotonChannelJson {
  return {
    id: view.id,
    epoch: view.epoch.toString(),
    token,
    role: view.role,
    phase: view.phase,
    own: sideJson(view.own, token.decimals),
    partner: sideJson(view.partner, token.decimals),
    isConnected: view.isConnected,
    settleTimeoutBlocks: view.settleTimeout,
    openBlock: view.openBlock,
    closedBlock: view.closedBlock,
    settleBlock: view.settleBlock,
    alarm: view.alarm,
    closeRefusal: LEAVING.has(view.phase) ? null : view.closeRefusal, // what was refused happened otherwise
    openedWallMs: view.openedAtMs,
    actions: actionsOf(view),
  }
}

function sideJson(side: DeskChannelSide, decimals: number): PhotonSideJson {
  return { address: side.address, deposit: money(side.deposit, decimals), spendable: money(side.spendable, decimals), locked: money(side.locked, decimals), nonce: side.nonce.toString() }
}

/** What the machine would not refuse outright; locks can still stand in the way of the agreed ones. */
function actionsOf(view: DeskChannel): PhotonChannelAction[] {
  if (LEAVING.has(view.phase)) return []
  if (view.phase !== AT_WORK || view.alarm !== null) return ['force-close']
  return [...(view.own.spendable > 0n ? (['pay', 'withdraw'] as const) : []), 'deposit', 'close', 'force-close']
}

export function paymentJson(row: PaymentRow, token: PhotonTokenJson): PhotonPaymentJson {
  return {
    id: row.id,
    direction: row.direction,
    kind: row.kind,
    token,
    peer: row.peer,
    amount: money(row.amount, token.decimals),
    fee: money(row.fee, token.decimals),
    state: PAYMENT_STATES[row.status] ?? 'failed',
    reason: row.reason,
    secretHash: row.secretHash,
    data: readable(row.data),
    atWallMs: row.atMs,
  }
}

export function dutyJson(duty: DutyView, head: number | null): PhotonDutyJson {
  const { id, kind, channel, state, deadlineBlock, transaction } = duty
  return { id, kind, channel, state, deadlineBlock, blocksLeft: deadlineBlock === null || head === null ? null : Math.max(0, deadlineBlock - head), transaction }
}

/** Payers write text there; other bytes are shown as hex. */
function readable(data: Uint8Array): string {
  try {
    return fromUtf8(data, 'data')
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return `0x${toHex(data)}`
    throw thrown
  }
}
