/** Debts between boxes for seconds of each other's guests: kept, paid when due, and known to be paid. */
import { asError } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { BoxId } from '../ports.ts'
import { isPaymentDue, newAccount, openUnits, owe, paid, payable, referenceOf, withLimit, writeOff } from './account.ts'
import type { RoamAccount } from './account.ts'
import { Lane } from './parts.ts'
import type { RoamParts } from './parts.ts'
import type { RoamChange, RoamPayer } from './ports.ts'

const keyOf = (role: RoamAccount['role'], partner: BoxId, token: Address): string => `${role} ${partner} ${token}`
const PAY_AGAIN_MS = 5000

type TillParts = Pick<RoamParts, 'self' | 'book' | 'payer' | 'terms' | 'clock' | 'log' | 'hashes'>

export class RoamTill {
  readonly #parts: TillParts
  readonly #accounts = new Map<string, RoamAccount>()
  readonly #notBeforeMs = new Map<string, number>()
  readonly #lane = new Lane()
  readonly #evidenceOf: (seller: BoxId) => readonly Uint8Array[]
  #isPaying = false
  #unlisten: () => void = () => undefined

  /** `evidenceOf`: signed tickets and receipts of a seller's sessions that were used here. */
  constructor(parts: TillParts, evidenceOf: (seller: BoxId) => readonly Uint8Array[]) {
    this.#parts = parts
    this.#evidenceOf = evidenceOf
  }

  start(accounts: readonly RoamAccount[]): void {
    for (const account of accounts) this.#accounts.set(keyOf(account.role, account.partner, account.token), account)
    this.#unlisten = this.#parts.payer?.onPaid(({ reference }) => this.#noteReceived(reference)) ?? this.#unlisten
    // What came, and was not written here before a crash.
    for (const { role, partner, token } of accounts) if (role === 'holder') this.#noteReceived(referenceOf(this.#parts.hashes.keccak256, partner, this.#parts.self, token))
  }

  stop(): Promise<void> {
    this.#unlisten()
    return this.#lane.idle()
  }

  accounts(): readonly RoamAccount[] {
    return [...this.#accounts.values()]
  }

  /** The seller owes more than is borne. */
  isOverdrawn(seller: BoxId): boolean {
    const { maxDebt } = this.#parts.terms
    return this.accounts().some((account) => account.role === 'holder' && account.partner === seller && openUnits(account) > maxDebt)
  }

  /**
   * Writes what `make` adds to accounts together with what it changes elsewhere, in one turn, and only then believes it.
   * Debts are added here and nowhere else, so that none is lost between two who write. `guests`: the partner's here, where it is a holder's debt.
   */
  record(debts: readonly { readonly role: RoamAccount['role']; readonly partner: BoxId; readonly token: Address | null; readonly unitsPerMinute: bigint; readonly seconds: number; readonly guests?: number }[], write: (accounts: readonly RoamAccount[]) => Promise<void>): Promise<void> {
    return this.#lane.run(async () => {
      const changed = new Map<string, RoamAccount>()
      for (const { role, partner, token, unitsPerMinute, seconds, guests = 0 } of debts) {
        if (token === null || unitsPerMinute === 0n) continue
        const key = keyOf(role, partner, token)
        const before = changed.get(key) ?? this.#accounts.get(key) ?? newAccount(role, partner, token)
        const owing = owe(before, unitsPerMinute, seconds, this.#parts.clock.boottimeMs())
        const after = role === 'seller' ? owing : withLimit(before, owing, { maxDebt: this.#parts.terms.maxDebt, unitsPerMinute, guests })
        // Also one with nothing in it: a payment may come before the receipt that says what for.
        if (after !== before || !this.#accounts.has(key)) changed.set(key, after)
      }
      await write([...changed.values()])
      for (const [key, account] of changed) this.#accounts.set(key, account)
    })
  }

  /** What this seller owes for its guests here is asked for no more; on disk when it resolves. False: it owes nothing. */
  writeOff(seller: BoxId): Promise<boolean> {
    return this.#lane.run(async () => {
      const open = [...this.#accounts].filter(([, account]) => account.role === 'holder' && account.partner === seller && openUnits(account) > 0n)
      for (const [key, before] of open) {
        const after = writeOff(before)
        await this.#parts.book.write({ accounts: [after], writtenOff: this.#givenUp(before, after) })
        this.#accounts.set(key, after)
      }
      return open.length > 0
    })
  }

  #givenUp(before: RoamAccount, after: RoamAccount): NonNullable<RoamChange['writtenOff']> {
    const { hashes, self } = this.#parts
    const { partner, token, writtenOff } = after
    return { seller: partner, token, amount: writtenOff - before.writtenOff, total: writtenOff, owed: payable(after), reference: referenceOf(hashes.keccak256, partner, self, token) }
  }

  /** Pays what is due, one after the other. */
  async settle(): Promise<void> {
    const { payer, terms, clock, log, hashes, self, book } = this.#parts
    if (payer === null || this.#isPaying) return
    this.#isPaying = true
    try {
      for (const [key, account] of this.#accounts) {
        const nowMs = clock.boottimeMs()
        if (!isPaymentDue(account, terms.settleAmount, nowMs) || nowMs < (this.#notBeforeMs.get(key) ?? 0)) continue
        const to = payer.payeeOf(account.partner)
        if (to === null) continue
        const amount = payable(account)
        try {
          const reference = referenceOf(hashes.keccak256, self, account.partner, account.token)
          await payer.pay({ to, token: account.token, amount, reference })
          await this.#lane.run(async () => {
            const before = this.#accounts.get(key) ?? account
            const after = paid(before, amount, clock.boottimeMs())
            if (after === before) return
            await book.write({ accounts: [after], spent: { holder: after.partner, token: after.token, amount: after.paid - before.paid, total: after.paid, reference } })
            this.#accounts.set(key, after)
          })
          this.#notBeforeMs.delete(key)
        } catch (thrown) {
          // Cumulative and under one reference: the same again costs nothing.
          this.#notBeforeMs.set(key, clock.boottimeMs() + PAY_AGAIN_MS)
          log.warn('roaming: a neighbour could not be paid; trying again', { box: account.partner, error: asError(thrown) })
        }
      }
    } finally {
      this.#isPaying = false
    }
  }

  #noteReceived(reference: Hash): void {
    const { payer, log } = this.#parts
    if (payer === null) return
    this.#lane.run(() => this.#received(payer, reference)).catch((thrown) => log.error('roaming: a payment could not be written', { error: asError(thrown) }))
  }

  async #received(payer: RoamPayer, reference: Hash): Promise<void> {
    const { hashes, self, book, clock } = this.#parts
    for (const [key, account] of this.#accounts) {
      if (account.role !== 'holder' || referenceOf(hashes.keccak256, account.partner, self, account.token) !== reference) continue
      const after = paid(account, payer.received(reference, account.token), clock.boottimeMs())
      if (after === account) return
      const earned = { seller: account.partner, token: account.token, amount: after.paid - account.paid, total: after.paid, reference, evidence: this.#evidenceOf(account.partner) }
      await book.write({ accounts: [after], earned, ...(after.writtenOff === account.writtenOff ? {} : { writtenOff: this.#givenUp(account, after) }) })
      this.#accounts.set(key, after)
      return
    }
  }
}
