/** Payouts as their owner asks for them: the room's desk in the API's words. */
import { MeshBoxError, inputError, parseAmount } from '../base/index.ts'
import type { MilestoneView, PartyView, PayoutDesk, PayoutView, RoutedView } from '../payout/index.ts'
import type * as Json from './api/payout.ts'
import type { HealthLine } from './api/status.ts'
import { amountsInTokens, money } from './money.ts'

export interface PayoutPort {
  readonly desk: PayoutDesk
  /** That prices are in. */
  readonly token: () => { readonly symbol: string; readonly decimals: number }
}

const DEFAULT_PAGE = 50

export class PayoutVerbs {
  readonly #port: PayoutPort | null

  constructor(port: PayoutPort | null) {
    this.#port = port
  }

  payouts({ beforeId, limit = DEFAULT_PAGE }: Json.PayoutsQuery = {}): Json.PayoutsJson {
    const desk = this.#desk
    const payouts = desk.payouts({ beforeId: beforeId ?? null, limit })
    return {
      parties: desk.parties().map(partyJson),
      milestones: desk.milestones().map((milestone) => this.#milestoneJson(milestone)),
      payouts: payouts.map(payoutJson),
      nextBeforeId: payouts.length < limit ? null : (payouts.at(-1)?.payout.id ?? null),
    }
  }

  payout(id: number): Json.PayoutJson {
    return payoutJson(this.#desk.payout(id))
  }

  async payNow({ account, token }: Json.PayoutPayRequest): Promise<Json.PayoutJson> {
    return payoutJson(await this.#desk.payNow(account, token ?? null))
  }

  async resume(id: number, { isAnew = false }: Json.PayoutResumeRequest): Promise<Json.PayoutJson> {
    return payoutJson(await this.#desk.resume(id, isAnew))
  }

  async note({ account, token, amount, memo }: Json.PayoutNoteRequest): Promise<Json.PayoutPartyJson> {
    const named = this.#desk.parties().filter((party) => party.account === account && (token === undefined || party.token === token))
    const party = named.find((each) => each.token === this.#token.symbol) ?? named[0]
    if (party === undefined) throw new MeshBoxError('not-found', `nobody called ${account} has a share; meshbox payout list shows who has`, { code: 'payout-account', field: 'account', value: account })
    const units = parseAmount(amount, party.decimals ?? 0, 'amount')
    if (units < 1n) throw inputError('amount', amount, 'more than nothing')
    return partyJson(await this.#desk.note({ account, token: party.token, amount: units, memo: memo ?? null }))
  }

  statement(id: number, isSeries: boolean): string {
    return this.#desk.statement(id, isSeries)
  }

  /** One line for the box's health; null where nobody but the owner has a share. */
  health(): HealthLine | null {
    const parties = this.#port?.desk.parties() ?? []
    if (parties.length === 0) return null
    const unmade = parties.find((party) => party.stuck !== null)
    const stuck = parties.filter(({ open }) => open?.isAlarm === true)
    const [first] = stuck
    if (first === undefined && unmade !== undefined) return { part: 'payout', level: 'bad', text: `A payout to ${unmade.account} is due and cannot be made: ${amountsInTokens(unmade.stuck ?? '', { symbol: unmade.token, decimals: unmade.decimals ?? 0 })}`, advice: 'See `meshbox payout list`; `meshbox payout note` writes down what is paid in another way.' }
    if (first === undefined) return { part: 'payout', level: 'ok', text: 'Shares are paid or wait for their time' }
    const problem = amountsInTokens(first.open?.payout.problem ?? '', { symbol: first.token, decimals: first.decimals ?? 0 })
    return { part: 'payout', level: 'bad', text: `${stuck.length === 1 ? 'A payout fails' : `${stuck.length} payouts fail`} again and again: ${first.account}: ${problem}`, advice: 'See `meshbox payout list`; then `meshbox payout resume ID`.' }
  }

  get #desk(): PayoutDesk {
    if (this.#port === null) throw new MeshBoxError('unavailable', 'payouts could not be started; see the log', { code: 'payout-off' })
    return this.#port.desk
  }

  get #token(): { readonly symbol: string; readonly decimals: number } {
    return this.#port?.token() ?? { symbol: '', decimals: 0 }
  }

  #milestoneJson({ id, account, measure, count, reached, reward, entryId, isWaiting }: MilestoneView): Json.PayoutMilestoneJson {
    const { decimals } = this.#token
    const one = measure === 'minutes' ? 60n : measure === 'tokens' ? 10n ** BigInt(decimals) : 1n
    return { id, account, measure, count, reached: (reached / one).toString(), reward: money(reward, decimals), entryId, isWaiting }
  }
}

function payoutJson({ payout, stage, retrySeconds, isAlarm, routed }: PayoutView): Json.PayoutJson {
  const { id, account, number, token: symbol, decimals, amount, to, reference, reason, state, attempts, problem, madeWallMs, paid, afterEntry, upToEntry } = payout
  const token = { symbol, decimals }
  return {
    id, account, number, token, amount: money(amount, decimals), to, payment: reference, reason, state, stage, attempts,
    problem: problem === null ? null : amountsInTokens(problem, token),
    retrySeconds, isAlarm, madeWallMs: Math.floor(madeWallMs), paidWallMs: paid === null ? null : Math.floor(paid.wallMs), entries: [afterEntry, upToEntry],
    routed: routed === null ? null : routeJson(routed, decimals),
  }
}

function routeJson({ secretHash, fee, via, tries, lock }: RoutedView, decimals: number): Json.PayoutRouteJson {
  const waits = lock === null ? null : { for: lock.isRevealed ? ('secret' as const) : lock.isGivenUp ? ('end' as const) : ('answer' as const), endsBlock: lock.endsBlock, endsInSeconds: lock.endsInSeconds }
  return { lock: secretHash, fee: money(fee, decimals), via, tries, waits }
}

function partyJson({ account, shares, token, decimals, owed, paid, address, last, open, waitsFor }: PartyView): Json.PayoutPartyJson {
  const places = decimals ?? 0
  return { account, shares, token: { symbol: token, decimals: places }, owed: money(owed, places), paid: money(paid, places), address, last: last === null ? null : { id: last.id, amount: money(last.amount, places), paidWallMs: Math.floor(last.wallMs) }, open: open === null ? null : payoutJson(open), waitsFor }
}
