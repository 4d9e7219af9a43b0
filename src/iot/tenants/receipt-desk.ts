/**
 * Signs what was billed, and posts it in the ledger in the turn that stores the receipt: one entry per receipt and kind. When: after 100 units;
 * otherwise once a minute, or after a second as soon as half of the credit window is owed, since a payer pays by receipts. A signature
 * is made of what is committed, and given to nobody before it is stored: there are never two stories with one number.
 */
import { MeshBoxError, ZERO_HASH, equalBytesConstantTime, hexOf, inputError, momentOf } from '../../base/index.ts'
import type { Cancel } from '../../base/index.ts'
import type { Tx } from '../../store/index.ts'
import type { Receipt, TenantId } from '../ports.ts'
import { owedOf } from './account.ts'
import { allAccounts, caughtUp, readAccount, setBooked, sumsOf, writeReceipt } from './io/account-tables.ts'
import type { KindSum, StoredAccount } from './io/account-tables.ts'
import { receiptDigest } from './receipt/digest.ts'
import type { UnsignedReceipt } from './receipt/digest.ts'
import type { Roster } from './roster.ts'
import { dueAccount } from './settlement.ts'
import type { TenantHouseDeps } from './types.ts'

const RECEIPT_UNITS = 100
const RECEIPT_AGE_MS = 60_000
const RECEIPT_PAUSE_MS = 1_000

/** What was billed since the last receipt of one account. */
interface Open {
  readonly tenant: TenantId
  readonly epoch: bigint
  units: number
  readonly sinceMs: number
  isSigning: boolean
  /** After a failure: not before. */
  notBeforeMs: number
}

const RETRY_MS = 5_000

export class ReceiptDesk {
  readonly #deps: TenantHouseDeps
  readonly #roster: Roster
  readonly #open = new Map<string, Open>()
  readonly #lastSignedMs = new Map<string, number>()
  readonly #listeners = new Set<(tenant: TenantId, receipt: Receipt) => void>()
  readonly #running = new Set<Promise<void>>()

  constructor(deps: TenantHouseDeps, roster: Roster) {
    this.#deps = deps
    this.#roster = roster
  }

  onReceipt(listener: (tenant: TenantId, receipt: Receipt) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What was billed and not signed when the service ended. */
  resume(): void {
    for (const account of this.#deps.store.read(allAccounts)) if (account.seq > account.receiptSeq && !account.isBehind) this.billed(account.tenant, account.epoch, Number(account.seq - account.receiptSeq))
  }

  billed(tenant: TenantId, epoch: bigint, units = 1): void {
    const name = `${tenant} ${epoch}`
    const open = this.#open.get(name) ?? { tenant, epoch, units: 0, sinceMs: this.#deps.clock.boottimeMs(), isSigning: false, notBeforeMs: 0 }
    open.units += units
    this.#open.set(name, open)
    if (open.units >= RECEIPT_UNITS) this.#start(name, open)
  }

  /** About once a second. */
  tick(): void {
    const nowMs = this.#deps.clock.boottimeMs()
    for (const [name, open] of this.#open) {
      const isRested = nowMs - (this.#lastSignedMs.get(name) ?? -Infinity) >= RECEIPT_PAUSE_MS
      if (isRested && (open.units >= RECEIPT_UNITS || nowMs - open.sinceMs >= RECEIPT_AGE_MS || this.#isHalfUsed(open))) this.#start(name, open)
    }
  }

  /**
   * After an old copy of the book was put in place: goes on at `receipt`, the newest that the payer has, or, with null, where the book is. What the
   * receipt adds is in the ledger in the same turn. Errors: not-found; conflict `not-behind`; input `receipt`.
   */
  async catchUp(tenant: TenantId, epoch: bigint, receipt: Receipt | null): Promise<void> {
    const { store } = this.#deps
    if (receipt !== null) await this.#checkOwn(receipt)
    await store.turn((tx) => {
      const account = readAccount(tx, tenant, epoch)
      if (account === null || !account.isBehind) throw new MeshBoxError('conflict', `the account of ${tenant} is not behind`, { code: 'not-behind', field: 'tenant', value: tenant })
      if (receipt !== null && (receipt.tenant !== account.payer || receipt.token !== account.token)) throw inputError('receipt', `for ${receipt.tenant}`, `a receipt for ${account.payer} in the token ${account.token}`)
      // Older than the book: it says nothing that is not known, and all behind it was signed of this very book.
      const newer = receipt !== null && receipt.seq > account.seq ? receipt : null
      caughtUp(tx, account, newer)
      if (newer === null) return
      const after = { ...account, seq: newer.seq }
      if (writeReceipt(tx, tenant, epoch, newer)) for (const sum of sumsOf(tx, tenant, epoch)) this.#book(tx, after, newer, sum)
    })
    this.resume()
  }

  /** Our signatures are deterministic: what we signed once we sign alike. */
  async #checkOwn(receipt: Receipt): Promise<void> {
    const { signer, keccak, chainId } = this.#deps
    const isOurs = receipt.gateway === signer.address && receipt.chainId === chainId && equalBytesConstantTime(await signer.sign(receiptDigest(receipt, keccak)), receipt.signature)
    if (!isOurs) throw inputError('receipt', `of ${receipt.gateway}, number ${receipt.seq}`, `a receipt that this box (${signer.address}) signed`)
  }

  /** Everything billed so far, signed. Never rejects: what fails now is signed after the next start. */
  async signAll(): Promise<void> {
    for (const [name, open] of this.#open) this.#start(name, open)
    while (this.#running.size > 0) await Promise.all([...this.#running])
  }

  #isHalfUsed({ tenant, epoch }: Open): boolean {
    const window = this.#roster.get(tenant)?.record.creditWindow ?? 0n
    return this.#deps.store.read((tx) => {
      const account = readAccount(tx, tenant, epoch)
      return account !== null && 2n * owedOf(account, this.#deps.payments.paid(tx, account.payer, account.token)) >= window
    })
  }

  #start(name: string, open: Open): void {
    const nowMs = this.#deps.clock.boottimeMs()
    if (open.isSigning || nowMs < open.notBeforeMs) return
    open.isSigning = true
    this.#open.delete(name) // what is billed meanwhile is for the next one
    this.#lastSignedMs.set(name, nowMs)
    const work = this.#sign(open.tenant, open.epoch)
      .catch((error: unknown) => {
        this.#deps.log.error('a receipt is not signed; it is tried again', { tenant: open.tenant, error })
        const next = this.#open.get(name)
        this.#open.set(name, { ...open, units: open.units + (next?.units ?? 0), isSigning: false, notBeforeMs: nowMs + RETRY_MS })
      })
      .finally(() => this.#running.delete(work))
    this.#running.add(work)
  }

  async #sign(tenant: TenantId, epoch: bigint): Promise<void> {
    const { store, signer, keccak } = this.#deps
    const snapshot = store.read((tx) => ({ account: readAccount(tx, tenant, epoch), sums: sumsOf(tx, tenant, epoch) }))
    const { account, sums } = snapshot
    if (account === null || account.isBehind || account.seq <= account.receiptSeq) return
    const unsigned = this.#draft(account)
    const receipt: Receipt = { ...unsigned, signature: await signer.sign(receiptDigest(unsigned, keccak)) }
    const isNew = await store.turn((tx) => {
      if (!writeReceipt(tx, tenant, epoch, receipt)) return false
      for (const sum of sums) this.#book(tx, account, receipt, sum)
      return true
    })
    if (isNew) for (const listener of this.#listeners) listener(tenant, receipt)
  }

  #draft(account: StoredAccount): UnsignedReceipt {
    const { chainId, signer, channels } = this.#deps
    const channel = channels.channelOf(account.payer, account.token)
    const { seq, cumUplinks, cumUnits, cumDownlinkMs, cumAmount, payer, token } = account
    return {
      chainId, gateway: signer.address, tenant: payer, token, channel: channel?.channel ?? ZERO_HASH, channelEpoch: channel?.epoch ?? 0n,
      seq, cumUplinks, cumUnits, cumDownlinkMs, cumAmount, chainHash: hexOf(account.chainHash),
    }
  }

  /** What the receipt adds of one kind. Nothing is earned by frames that cost nothing. */
  #book(tx: Tx, account: StoredAccount, receipt: Receipt, { kind, amount }: KindSum): void {
    const booked = sumsOf(tx, account.tenant, account.epoch).find((sum) => sum.kind === kind)?.booked ?? 0n
    if (amount <= booked) return
    const { ledger, tokenSymbol, clock } = this.#deps
    ledger.earn(tx, {
      source: `iot:${kind}`,
      token: tokenSymbol(account.token),
      amount: amount - booked,
      from: dueAccount(account.tenant),
      evidence: { type: 'iot-receipt', id: `${account.tenant}:${account.epoch}:${receipt.seq}`, facts: { payer: account.payer, seq: receipt.seq.toString(), cumAmount: receipt.cumAmount.toString(), chainHash: receipt.chainHash } },
      at: momentOf(clock),
    })
    setBooked(tx, account.tenant, account.epoch, kind, amount)
  }
}
