/**
 * Money of carriages. A client's order is on disk before it is given, and is given again under the same reference until it is
 * paid; a carrier books what came behind its mark, payment, posting and mark in one turn. So a crash at any moment neither pays
 * twice nor books twice, and nothing is forgotten.
 */
import { MeshBoxError, asError, hexOf, momentOf, toHex } from '../../base/index.ts'
import type { Address, Cancel, Clock, Hash, Log } from '../../base/index.ts'
import type { Evidence } from '../../ledger/index.ts'
import type { Store } from '../../store/index.ts'
import type { AccountBook } from './account-book.ts'
import { accountKey, partnerOf, signedOf } from './account.ts'
import type { Account } from './account.ts'
import type { CarriageInput } from './carriage.ts'
import { paymentPreimage } from './frames.ts'
import { readMark, writeMark } from './io/tables.ts'
import type { EarningsBook, ReceivedPayment, RelayPayments } from './ports.ts'

const SOURCE = 'mesh:relay'
const COST_ACCOUNT = 'cost:relay'
const RETRY_MS = 30_000
const PAYMENTS_AT_ONCE = 64

export interface PaymentTools {
  readonly store: Store
  readonly ledger: EarningsBook
  readonly tokenName: (token: Address) => string
  readonly payments: RelayPayments
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
  readonly clock: Clock
  readonly log: Log
  readonly book: AccountBook
  /** One after the other with all other inputs of the desk. */
  readonly run: (work: () => Promise<void>) => Promise<void>
  readonly input: (account: Account, input: CarriageInput) => Promise<void>
}

export class PaymentDesk {
  readonly #tools: PaymentTools
  /** Orders given in this run of the process, and since when. */
  readonly #given = new Map<string, { readonly atMs: number; readonly isUnderWay: boolean; readonly problem: string | null }>()
  #mark: bigint | null = null

  constructor(tools: PaymentTools) {
    this.#tools = tools
  }

  listen(): Cancel {
    return this.#tools.payments.onPaid(() => void this.#tools.run(() => this.#bookReceived()))
  }

  problemOf(account: Account): string | null {
    return account.order === null ? null : (this.#given.get(accountKey(account))?.problem ?? null)
  }

  /** What came is booked; what was ordered and is not paid is ordered again. */
  async round(): Promise<void> {
    await this.#bookReceived()
    for (const account of this.#tools.book.all()) if (account.order !== null) this.order(account)
  }

  /** Its order is on disk. */
  order(account: Account): void {
    const { payments, clock, run, log } = this.#tools
    const { order, payee, state } = account
    const key = accountKey(account)
    const given = this.#given.get(key)
    if (order === null || given?.isUnderWay === true || (given !== undefined && clock.boottimeMs() - given.atMs < RETRY_MS)) return
    this.#given.set(key, { atMs: clock.boottimeMs(), isUnderWay: true, problem: given?.problem ?? null })
    const reference = this.#referenceOf(account, order.number)
    payments.pay({ to: payee, token: state.token, amount: order.amount, reference }).then(
      () => run(() => this.#paid(account, reference)),
      (thrown: unknown): void => {
        const error = asError(thrown)
        // Its channel is over, and nothing shows whether the other box had it: it is not sent twice, and must not stand before all that is paid later.
        if (error instanceof MeshBoxError && error.code === 'mesh-unknown') {
          log.error('a payment for carrying is booked as sent; only the other box can say whether it came', { box: partnerOf(account), amount: order.amount, reference, error })
          run(() => this.#paid(account, reference))
          return
        }
        // Channels that are not up yet cost nothing to ask: it is ordered as soon as they are.
        const isEarly = error instanceof MeshBoxError && error.code === 'mesh-no-channels'
        const before = this.#given.get(key)?.problem
        this.#given.set(key, { atMs: isEarly ? Number.NEGATIVE_INFINITY : clock.boottimeMs(), isUnderWay: false, problem: error.message })
        if (isEarly && before === error.message) return
        log.warn('carrying cannot be paid now; it is tried again', { box: partnerOf(account), amount: order.amount, error })
      },
    )
  }

  async #paid(ordered: Account, reference: Hash): Promise<void> {
    const { book, ledger, tokenName, clock } = this.#tools
    const account = book.now(ordered)
    if (account.order?.number !== ordered.order?.number || account.order === null) return
    const { amount } = account.order
    try {
      await book.write([{ ...account, order: null }], (tx) => {
        ledger.post(tx, {
          source: SOURCE,
          token: tokenName(account.state.token),
          evidence: this.#evidence(account, 'carriage-paid', reference),
          postings: [
            { account: COST_ACCOUNT, amount },
            { account: `photon:${account.payee}`, amount: -amount },
          ],
          at: momentOf(clock),
        })
      })
      this.#given.delete(accountKey(account))
    } catch (error) {
      // Paid, and not booked: it is asked for again under the same reference, and booked then.
      this.#given.set(accountKey(account), { atMs: clock.boottimeMs(), isUnderWay: false, problem: asError(error).message })
      throw error
    }
  }

  async #bookReceived(): Promise<void> {
    const { payments, store, log } = this.#tools
    this.#mark ??= store.read(readMark)
    for (;;) {
      const some = payments.receivedAfter(this.#mark, PAYMENTS_AT_ONCE)
      if (some.length === 0) return
      const expected = this.#expected()
      for (const payment of some) {
        const account = expected.get(payment.reference)
        if (account !== undefined && account.state.token !== payment.token) log.warn('a payment for carrying came in another token; it is not counted for that', { box: partnerOf(account), token: payment.token, amount: payment.amount })
        else if (account !== undefined) {
          await this.#book(account, payment)
          // The next of the same client may be in the same page.
          for (const [reference, next] of this.#expected()) expected.set(reference, next)
        }
        this.#mark = payment.mark
      }
    }
  }

  async #book(known: Account, payment: ReceivedPayment): Promise<void> {
    const { book, ledger, tokenName, clock, input } = this.#tools
    const account = book.now(known)
    const nowMs = clock.boottimeMs()
    await book.write([{ ...account, payments: account.payments + 1, state: { ...account.state, paid: account.state.paid + payment.amount } }], (tx) => {
      ledger.earn(tx, {
        source: SOURCE,
        token: tokenName(payment.token),
        amount: payment.amount,
        from: `photon:${payment.from}`,
        evidence: this.#evidence(account, 'carriage', payment.reference),
        at: momentOf(clock),
      })
      writeMark(tx, payment.mark)
    })
    // On disk: the gate opens, if that was what it waited for.
    await input(book.now(account), { kind: 'paid', nowMs })
  }

  /** Both ends' newest readings with both signatures: who carried how much, and what sum both signed before. */
  #evidence(account: Account, type: string, reference: Hash): Evidence {
    const { state } = account
    const pair = state.agreed?.pair ?? null
    const head = { carrier: state.carrier, client: state.client, epoch: toHex(state.epoch), owedParts: (state.agreed?.owedParts ?? 0n).toString() }
    if (pair === null) return { type, id: reference, facts: head }
    return { type, id: reference, facts: { ...head, carrierReading: hexOf(signedOf(account, 'carrier', pair.carrier).frame), clientReading: hexOf(signedOf(account, 'client', pair.client).frame) } }
  }

  #expected(): Map<Hash, Account> {
    const expected = new Map<Hash, Account>()
    for (const account of this.#tools.book.all()) if (account.state.role === 'carrier') expected.set(this.#referenceOf(account, account.payments + 1), account)
    return expected
  }

  #referenceOf({ state }: Account, number: number): Hash {
    return hexOf(this.#tools.keccak256(paymentPreimage(state.carrier, state.client, state.epoch, number)))
  }
}
