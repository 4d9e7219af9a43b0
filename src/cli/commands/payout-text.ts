/** Payouts on a terminal. */
import type { PayoutJson, PayoutMilestoneJson, PayoutPartyJson, PayoutRouteJson, PayoutsJson } from '../../owner/api/index.ts'
import { argument, usageError } from '../command.ts'
import type { Context } from '../command.ts'
import { duration, moment, pairs, plain, table, tokens, wrap } from '../text.ts'

const RIGHT = { align: 'right' } as const
const REASONS: Readonly<Record<PayoutJson['reason'], string>> = { threshold: 'the threshold was reached', daily: 'once a day', ordered: "the owner's order" }
const MEASURES: Readonly<Record<PayoutMilestoneJson['measure'], string>> = { minutes: 'minutes sold', earnings: 'earnings', tokens: 'tokens earned', days: 'days' }
const FEW = 10
/** Columns that a row of these has for its value. */
const ROW = 71
const LOCK_WAITS: Readonly<Record<NonNullable<PayoutRouteJson['waits']>['for'], string>> = {
  answer: "locked on its way; the recipient's box has not answered yet",
  secret: 'the recipient has the secret; the boxes between hand it back',
  end: 'waiting for the lock to end; then it is tried again',
}
/** Whatever an earlier try failed for. */
const NOT_ACKNOWLEDGED = "not acknowledged by the recipient's box yet; sent again until it is"

export function payoutsText({ parties, milestones, payouts }: PayoutsJson): string {
  if (parties.length === 0) return 'Nobody but the owner has a share: see `config share` and `config payee`.'
  const parts = [
    table([{ title: 'ACCOUNT', stretch: true }, { title: 'OWED', ...RIGHT }, { title: 'PAID', ...RIGHT }, { title: 'NOW' }], parties.map((party) => [party.account, tokens(party.owed, party.token), tokens(party.paid, party.token), standing(party)])),
    ...parties.flatMap(trouble),
  ]
  if (milestones.length > 0) parts.push('', table([{ title: 'MILESTONE' }, { title: 'FOR', stretch: true }, { title: 'REACHED', ...RIGHT }, { title: 'REWARD', ...RIGHT }, { title: 'BOOKED' }], milestones.map(milestoneRow)))
  if (payouts.length > 0) parts.push('', table([{ title: 'PAYOUT', ...RIGHT }, { title: 'TO', stretch: true }, { title: 'AMOUNT', ...RIGHT }, { title: 'STATE' }, { title: 'WHEN (UTC)' }], payouts.slice(0, FEW).map((one) => [String(one.id), one.account, tokens(one.amount, one.token), stateOf(one), moment(one.paidWallMs ?? one.madeWallMs)])))
  return parts.join('\n')
}

export function payoutText(payout: PayoutJson): string {
  const problem = plain(problemOf(payout) ?? '')
  const isShort = problem.length <= ROW
  const { id, account, number, amount, token, to, payment, reason, retrySeconds, attempts, madeWallMs, paidWallMs, entries } = payout
  const rows = pairs([
    ['Payout', String(id)],
    ['To', `${account}, statement ${number}`],
    ['Address', to],
    ['Amount', tokens(amount, token)],
    ['State', `${stateOf(payout)}${attempts > 0 ? `, ${attempts} tries failed` : ''}${retrySeconds === null ? '' : `, tried again in ${duration(retrySeconds)}`}`],
    ...(problem === '' || !isShort ? [] : [['Because', problem] as const]),
    ...routeRows(payout),
    ['Why', REASONS[reason]],
    ['Entries', `behind ${entries[0]}, up to ${entries[1]} of the book`],
    ['Payment', payment],
    ['Made', `${moment(madeWallMs)} UTC`],
    ...(paidWallMs === null ? [] : [['Paid', `${moment(paidWallMs)} UTC`] as const]),
  ])
  // In full: it says what to do.
  return isShort ? rows : `${rows}\n\n${wrap(`Because ${problem}`)}`
}

export function partyText({ account, owed, paid, token }: PayoutPartyJson): string {
  return `${account} is owed ${tokens(owed, token)}; ${tokens(paid, token)} were sent over channels.`
}

/** Errors: usage. */
export function payoutArgument(context: Context): string {
  const text = argument(context, 0)
  if (!/^[1-9]\d{0,14}$/.test(text)) throw usageError(`ID: '${text}' is not the number of a payout; meshbox payout list shows them`)
  return text
}

function standing({ open, waitsFor }: PayoutPartyJson): string {
  if (open !== null) return stateOf(open)
  return waitsFor === null ? '-' : 'accrues'
}

/** In full: it says what to do. */
function trouble({ account, open, waitsFor }: PayoutPartyJson): string[] {
  const reason = open === null ? (waitsFor === null ? null : `waits for ${waitsFor}`) : problemOf(open)
  return reason === null ? [] : [wrap(`${account}: ${plain(reason)}`, '  ')]
}

function problemOf({ stage, problem, routed }: PayoutJson): string | null {
  if (stage !== 'paying') return problem
  return routed?.waits == null ? NOT_ACKNOWLEDGED : LOCK_WAITS[routed.waits.for]
}

function routeRows({ routed, token, state }: PayoutJson): (readonly [string, string])[] {
  if (routed === null || (routed.waits === null && state !== 'paid')) return []
  const { endsBlock = null, endsInSeconds = null } = routed.waits ?? {}
  return [
    ['Through', `${routed.via.join(', ') || 'other boxes'}${routed.tries === 1 ? '' : `, try ${routed.tries}`}`],
    ['Fee', `${tokens(routed.fee, token)}, on top, at this box's cost`],
    ['Lock', routed.lock],
    ...(endsBlock === null ? [] : [['Over by', `block ${endsBlock}${endsInSeconds === null ? '' : `, in about ${duration(endsInSeconds)}`}: paid, or back`] as const]),
  ]
}

function stateOf({ state, stage, isAlarm }: PayoutJson): string {
  if (state === 'paid') return 'paid'
  if (state === 'dropped') return 'given up'
  if (isAlarm) return 'FAILS'
  return stage === 'waiting' ? 'waits' : 'under way'
}

function milestoneRow({ id, account, measure, count, reached, reward, entryId, isWaiting }: PayoutMilestoneJson): string[] {
  return [id, account, `${reached} of ${count} ${MEASURES[measure]}`, reward.text, entryId !== null ? `entry ${entryId}` : isWaiting ? 'not covered' : '-']
}
