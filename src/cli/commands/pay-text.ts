/** Payments over channels on a terminal. */
import type { PhotonPathsJson, PhotonPaymentJson, PhotonPaymentsJson, PhotonPaymentState, PhotonWatchJson } from '../../owner/api/index.ts'
import { argument } from '../command.ts'
import type { Context } from '../command.ts'
import { moment, pairs, table, tokens } from '../text.ts'
import { beginningOf, onlyOne, shortAccount, shortHash } from './channel-text.ts'

const STATES: Readonly<Record<PhotonPaymentState, string>> = { started: 'started', cancellable: 'under way', committed: 'nearly done', done: 'done', cancelled: 'called back', failed: 'FAILED' }
const DIRECTIONS = { sent: 'to', received: 'from', forwarded: 'for' } as const
const SIGNS = { sent: '-', received: '+', forwarded: '' } as const
const HASH_CHARS = 66
/** Looked through for an id that is not given whole. */
const NEWEST = 200
const RIGHT = { align: 'right' } as const

export function paymentText(payment: PhotonPaymentJson): string {
  const { token, fee, atWallMs } = payment
  return pairs([
    ['Payment', payment.id],
    ['State', `${STATES[payment.state]}${payment.reason === null ? '' : `: ${payment.reason}`}`],
    ['Amount', tokens(payment.amount, token)],
    ['Fee', tokens(fee, token)],
    [payment.direction === 'sent' ? 'To' : payment.direction === 'received' ? 'From' : 'Carried for', payment.peer],
    ['Kind', payment.kind],
    ...(payment.secretHash === null ? [] : [['Secret hash', payment.secretHash] as const]),
    ...(payment.data === '' ? [] : [['Says', payment.data] as const]),
    ...(atWallMs === null ? [] : [['When', `${moment(atWallMs)} UTC`] as const]),
  ])
}

export function paymentsText({ payments, next }: PhotonPaymentsJson): string {
  if (payments.length === 0) return 'No payments.'
  const rows = payments.map((one) => [shortHash(one.id), one.atWallMs === null ? '-' : moment(one.atWallMs), STATES[one.state], `${SIGNS[one.direction]}${one.amount.text}`, one.token.symbol, `${DIRECTIONS[one.direction]} ${shortAccount(one.peer)}`])
  const columns = [{ title: 'PAYMENT' }, { title: 'WHEN (UTC)' }, { title: 'STATE' }, { title: 'AMOUNT', ...RIGHT }, { title: 'TOKEN' }, { title: 'WHO', stretch: true }]
  return `${table(columns, rows)}${next === null ? '' : `\nMore: --before ${next}`}`
}

export function pathsText({ paths, amount, token }: PhotonPathsJson): string {
  if (paths.length === 0) return `No way carries ${tokens(amount, token)} now.`
  return table([{ title: 'FEE', ...RIGHT }, { title: 'BY WAY OF', stretch: true }], paths.map(({ nodes, fee }) => [tokens(fee, token), nodes.length === 1 ? 'a channel of its own' : nodes.slice(0, -1).map(shortAccount).join(', ')]))
}

export function watchText({ jobs, guardians }: PhotonWatchJson): string {
  const guarded = guardians.map(({ channel, watcher, nonce }) => [shortHash(channel), watcher, nonce])
  const list = guarded.length === 0 ? 'Nobody guards the channels of this box.' : table([{ title: 'CHANNEL' }, { title: 'GUARDED BY' }, { title: 'UP TO', ...RIGHT }], guarded)
  return `This box guards ${jobs} channels of others.\n\n${list}`
}

/** Errors: usage; not-found, or input where several begin so. */
export async function paymentArgument(context: Context, index: number): Promise<string> {
  const name = beginningOf(argument(context, index).toLowerCase(), 'PAYMENT')
  if (name.length === HASH_CHARS) return name
  const { payments } = await context.service.call('photonPayments', { query: { limit: NEWEST } })
  return onlyOne(name, payments.map((one) => one.id), 'payment')
}
