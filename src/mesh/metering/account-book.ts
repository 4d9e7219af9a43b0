/**
 * The carriages of this box: in memory as they are now, on disk as of the last turn that had to be there. What is in memory
 * changes only when its turn is on disk, or when losing it costs nothing: a reading that both ends signed is shown again by
 * the partner (standing.ts).
 */
import { MeshBoxError, hexOf } from '../../base/index.ts'
import type { Clock } from '../../base/index.ts'
import type { Store, Tx } from '../../store/index.ts'
import type { BoxId } from '../ports.ts'
import { NUMBERS_LEFT_OUT, accountKey, accountOf, partnerOf, residueOf, rowOf } from './account.ts'
import type { Account } from './account.ts'
import { REST_MS, owedUnits } from './carriage.ts'
import { hasCarriage, readCarriages, writeCarriage } from './io/tables.ts'
import { withNewCounters } from './meter.ts'

/** Readings are written with the next turn that has to be, or after so long: flash wears. */
const WRITE_EVERY_MS = 60_000

export class AccountBook {
  readonly #store: Store
  readonly #clock: Clock
  readonly #accounts = new Map<string, Account>()
  /** As on disk. */
  readonly #stored = new Map<string, { readonly account: Account; readonly atMs: number }>()

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** `self`: rows of another key that this box had before are left alone. Gives why rows could not be read; these stay as they are. */
  load(self: BoxId): readonly string[] {
    const nowMs = this.#clock.boottimeMs()
    const problems: string[] = []
    for (const row of this.#store.read(readCarriages)) {
      if (row[row.role] !== self) continue
      let read: Account
      try {
        read = accountOf(row, nowMs)
      } catch (error) {
        if (!(error instanceof MeshBoxError)) throw error
        problems.push(`the row of ${row.carrier} and ${row.client}, epoch ${row.epoch}, cannot be read: ${error.message}`)
        continue
      }
      const account = row.bootId === this.#clock.bootId ? read : { ...read, meter: withNewCounters(read.meter) }
      this.#accounts.set(accountKey(account), account)
      this.#stored.set(accountKey(account), { account, atMs: nowMs })
    }
    return problems
  }

  all(): readonly Account[] {
    return [...this.#accounts.values()]
  }

  of(partner: BoxId, role: 'carrier' | 'client'): readonly Account[] {
    return this.all().filter((account) => account.state.role === role && partnerOf(account) === partner)
  }

  live(partner: BoxId, role: 'carrier' | 'client'): Account | null {
    return this.of(partner, role).find(({ state }) => state.state !== 'ended') ?? null
  }

  find(carrier: BoxId, client: BoxId, epoch: Uint8Array): Account | null {
    return this.#accounts.get(`${carrier} ${client} ${hexOf(epoch)}`) ?? null
  }

  /** Also one that was settled long ago: its payments' references are used up. */
  isUsed(carrier: BoxId, client: BoxId, epoch: Uint8Array): boolean {
    return this.#store.read((tx) => hasCarriage(tx, carrier, client, epoch))
  }

  /** The newest of this carriage; the argument if it is new. */
  now(account: Account): Account {
    return this.#accounts.get(accountKey(account)) ?? account
  }

  /** In memory only. */
  keep(account: Account): void {
    this.#accounts.set(accountKey(account), account)
  }

  /** On disk, then in memory; rejects and changes nothing if the disk does not take it. `more`: in the same turn. */
  async write(accounts: readonly Account[], more: (tx: Tx) => void = () => undefined): Promise<void> {
    const nowMs = this.#clock.boottimeMs()
    await this.#store.turn((tx) => {
      for (const account of accounts) writeCarriage(tx, rowOf(account, this.#clock.bootId), isSettled(account, nowMs))
      more(tx)
    })
    for (const account of accounts) {
      this.#accounts.set(accountKey(account), account)
      this.#stored.set(accountKey(account), { account, atMs: nowMs })
    }
  }

  /** Those whose rows are old, or behind by as much as is paid at once. */
  overdue(settleAmount: bigint | null): readonly Account[] {
    const nowMs = this.#clock.boottimeMs()
    return this.all().filter((account) => {
      const stored = this.#stored.get(accountKey(account))
      if (stored === undefined) return true
      if (stored.account === account) return false
      const isBehind = settleAmount !== null && owedUnits(account.state) - owedUnits(stored.account.state) >= settleAmount
      return isBehind || (nowMs - stored.atMs >= WRITE_EVERY_MS && hasMoved(stored.account, account))
    })
  }

  /** The disk took nothing for so long that numbers could come twice after a crash. */
  isFarAhead(account: Account): boolean {
    const stored = this.#stored.get(accountKey(account))
    return stored !== undefined && account.state.lastNumber - stored.account.state.lastNumber >= NUMBERS_LEFT_OUT - 1
  }

  /** Ended, paid, and free to begin anew: only the disk knows them from here on. */
  async settleOld(): Promise<void> {
    const nowMs = this.#clock.boottimeMs()
    const old = this.all().filter((account) => isSettled(account, nowMs))
    if (old.length === 0) return
    await this.write(old)
    for (const account of old) {
      this.#accounts.delete(accountKey(account))
      this.#stored.delete(accountKey(account))
    }
  }
}

export function isResting({ state, isReadmitted }: Account, nowMs: number): boolean {
  return state.state === 'ended' && state.isBroken && !isReadmitted && nowMs - state.sinceMs < REST_MS
}

/** Not at once: people may look why it ended, and a client may hold one exchange more for owed, and pay it. */
function isSettled(account: Account, nowMs: number): boolean {
  return account.state.state === 'ended' && account.order === null && residueOf(account) === 0n && nowMs - account.state.sinceMs >= REST_MS
}

/** A quiet carriage, of which only numbers and times change, is not written each minute. */
function hasMoved(stored: Account, now: Account): boolean {
  return (
    stored.state.state !== now.state.state ||
    stored.meter.bytes.up !== now.meter.bytes.up ||
    stored.meter.bytes.down !== now.meter.bytes.down ||
    (stored.state.agreed?.owedParts ?? 0n) !== (now.state.agreed?.owedParts ?? 0n) ||
    now.state.lastNumber - stored.state.lastNumber > 100
  )
}
