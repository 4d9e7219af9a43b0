/** Channels, payments and duties as the owner's desk shows them. */
import type { Address, Hash } from '../../base/index.ts'
import { restStateOf, spendable } from '../channel/index.ts'
import type { Arrival, ChannelMoment, ChannelSide, ChannelState } from '../channel/index.ts'
import type { DutyJob, DutyState } from '../chain/index.ts'
import type { ChannelSideView, ChannelView, DutyView, PaymentRow } from '../desk.ts'
import type { HistoryKind, StoredPayment } from '../node/index.ts'
import type { TokenName } from '../parts.ts'
import { STATUS, orderedHash } from '../payment/index.ts'
import type { OutPart, PaymentState } from '../payment/index.ts'

/** Why a channel closes when nothing is wrong: no alarm. */
export const BY_OWNER = 'ordered by the owner'

export interface ViewTools {
  readonly moment: ChannelMoment
  tokenOf(address: Address): TokenName | null
  isReady(channel: Hash): boolean
  /** What the partner said when it was last asked to settle together, if it was no. */
  refusalOf(state: ChannelState): ChannelView['closeRefusal']
  /** Of a block's time stamp; null where it is not kept any more. */
  blockMs(number: number): number | null
}

export function channelView(state: ChannelState, tools: ViewTools): ChannelView {
  const { key, token, own, partner, phase, dispute, note, sync } = state
  const name = tools.tokenOf(token)
  const behind = sync.kind === 'behind' ? 'this box runs on an old copy of the channel; the partner is asked for what is missing' : null
  const stopped = phase === 'error' || (note !== '' && note !== BY_OWNER && (phase === 'closing' || phase === 'prepare-cooperative-settle')) ? note : null
  return {
    id: key.channel,
    epoch: key.epoch,
    token,
    symbol: name?.symbol ?? null,
    decimals: name?.decimals ?? 0,
    role: state.role,
    phase,
    restState: restStateOf(state, tools.moment),
    own: sideView(own, spendable(state)),
    partner: sideView(partner, spendable({ own: partner, partner: own })),
    isConnected: tools.isReady(key.channel),
    settleTimeout: state.settleTimeout,
    openBlock: state.openBlock,
    closedBlock: dispute?.closeBlock ?? null,
    settleBlock: dispute?.settleBlock ?? null,
    alarm: stopped ?? behind,
    closeRefusal: tools.refusalOf(state),
    openedAtMs: tools.blockMs(state.openBlock),
  }
}

function sideView({ address, deposit, locked, nonce }: ChannelSide, free: bigint): ChannelSideView {
  return { address, deposit, spendable: free, locked, nonce }
}

const DIRECTIONS: Readonly<Record<HistoryKind, PaymentRow['direction']>> = {
  'direct-sent': 'sent',
  'direct-received': 'received',
  sent: 'sent',
  received: 'received',
  mediated: 'forwarded',
  swapped: 'sent',
  failed: 'sent',
  cancelled: 'sent',
}

/** What to say of a direct payment of ours, and whether its money is still, or again, ours. */
const ARRIVALS = {
  delivered: { status: STATUS.success, reason: null },
  waiting: { status: STATUS.cannotCancel, reason: 'not acknowledged yet' },
  unknown: { status: STATUS.cannotCancel, reason: 'not acknowledged, and its channel is over' },
  lost: { status: STATUS.failed, reason: 'its channel ended without it: the chain has paid it back' },
} as const

/** `channel`: the state of the life that the row names; null for payments through no channel alone. */
export function historyRow(row: StoredPayment, channel: ChannelState | null, self: Address, arrival: Arrival): PaymentRow {
  const isDirect = row.kind === 'direct-sent' || row.kind === 'direct-received'
  return {
    id: row.key,
    direction: DIRECTIONS[row.kind],
    kind: isDirect ? 'direct' : row.kind === 'swapped' ? 'swap' : 'locked',
    token: row.token ?? channel?.token ?? self,
    peer: row.peer ?? channel?.partner.address ?? self,
    amount: row.amount,
    fee: row.fee ?? 0n,
    status: row.kind === 'failed' ? STATUS.failed : row.kind === 'cancelled' ? STATUS.cancelled : ARRIVALS[arrival].status,
    reason: row.note !== '' ? row.note : ARRIVALS[arrival].reason,
    secretHash: isDirect ? null : row.key,
    data: row.data,
    atMs: row.wallMs,
    place: { block: row.block, packet: isDirect && channel !== null ? { ...channel.key, nonce: row.nonce } : null },
  }
}

/** One that is under way, of those that concern this box as payer, payee or carrier; null: a record for the machines alone. */
export function openRow(payment: PaymentState): PaymentRow | null {
  const common = { id: payment.secretHash, token: payment.token, secretHash: payment.secretHash, fee: 0n, data: new Uint8Array(0), atMs: null }
  switch (payment.role) {
    case 'initiator':
      return { ...common, id: orderedHash(payment), direction: 'sent', kind: 'locked', peer: payment.target, amount: payment.amount, fee: payment.parts.reduce((sum, part) => sum + part.path.fee, 0n), status: payment.status, reason: payment.failure?.reason ?? null, data: payment.data, place: { block: payment.startedBlock, packet: packetOf(payment.parts[0]) } }
    case 'target':
      return { ...common, direction: 'received', kind: 'locked', peer: payment.initiator, amount: payment.amount, status: STATUS.init, reason: null, data: payment.data }
    case 'mediator':
      return { ...common, direction: 'forwarded', kind: 'locked', peer: payment.initiator, amount: payment.outgoing?.lock.amount ?? payment.incoming.lock.amount, fee: payment.fee, status: STATUS.init, reason: payment.failure?.reason ?? null }
    case 'swap':
      return { ...common, direction: 'sent', kind: 'swap', peer: payment.pay.target, amount: payment.pay.amount, status: STATUS.init, reason: null }
    default:
      return null
  }
}

/** Of several parts the first one's channel is shown. */
function packetOf(part: OutPart | undefined): NonNullable<PaymentRow['place']>['packet'] {
  return part === undefined ? null : { channel: part.held.channel, epoch: part.held.epoch, nonce: 0n }
}

export function dutyViews({ jobs, slots }: DutyState): readonly DutyView[] {
  return jobs.map((job) => {
    const sent = slots.filter((slot) => slot.job === job.id)
    return { id: job.sequence, kind: job.due.duty.kind, channel: job.due.key?.channel ?? null, state: stateOf(job, sent.length > 0), deadlineBlock: job.due.deadlineBlock, transaction: sent.at(-1)?.versions.at(-1)?.hash ?? null }
  })
}

function stateOf(job: DutyJob, isSent: boolean): string {
  if (isSent) return 'sent'
  return job.attempts > 0 ? 'trying again' : 'waiting'
}
