/** What the owner does with tenants: terms, pause, end, keys; and what he and they are shown. Everything is on disk before it counts. */
import { MeshBoxError, inputError } from '../../base/index.ts'
import { secureContextOf } from '../io/server-tls.ts'
import { KEY_BYTES } from '../lorawan/index.ts'
import type { BillableUnit, DevAddr, Receipt, Tenant, TenantAdmin, TenantId, TenantView } from '../ports.ts'
import { maySpend, newAccount, owedOf } from './account.ts'
import { checkTls, tlsFacts, tlsOf } from './certificates.ts'
import { accountFor, accountsOf, receiptsBefore, statementOf, readAccount, unitsAfter } from './io/account-tables.ts'
import type { StoredAccount } from './io/account-tables.ts'
import { isSealedElsewhere } from './io/destination-secrets.ts'
import { forgetLines } from './io/line-tables.ts'
import { addMicKey, countMicKeys, readMicKeys, removeMicKey, removeMicKeys, setMicCounter, writeTenant } from './io/tenant-tables.ts'
import { MAX_KEYS_PER_ADDRESS, MAX_KEYS_PER_TENANT } from './mic-check.ts'
import type { Roster, Seat } from './roster.ts'
import { checkTenant } from './terms.ts'
import type { OutcomeCounts, RouteClash, StatementRow, TenantHouseDeps, TenantRecord } from './types.ts'

const MAX_PAGE = 1_000
const LAST_SEQ = BigInt(Number.MAX_SAFE_INTEGER)
const MAX_KEYS_AT_ONCE = 1_000
const LAST_DAY = '\uffff'

/** Beyond the port: an end, what other tenants' routes lie around, older accounts, statements, and how often what was refused. */
export interface TenantDetails extends TenantView {
  readonly isEnded: boolean
  readonly overlaps: readonly RouteClash[]
  readonly outcomes: OutcomeCounts
  readonly micKeys: boolean
  readonly isBehind: boolean
  /** Of every payer and token he ever had, the one in use too; more than zero is a debt. */
  readonly balances: readonly { readonly epoch: bigint; readonly payer: string; readonly token: string; readonly owed: bigint }[]
}

/** A network session key: NwkSKey, or with `is11` the FNwkSIntKey of a device of LoRaWAN 1.1. `lastFCntUp`: of the last frame known, when the session is older than 4 × 65536 frames. */
export interface MicKeyGiven {
  readonly devAddr: DevAddr
  readonly key: Uint8Array
  readonly is11?: boolean
  readonly lastFCntUp?: number
}

export class Admin implements TenantAdmin {
  readonly #deps: TenantHouseDeps
  readonly #roster: Roster
  readonly #onKeys: () => void

  constructor(deps: TenantHouseDeps, roster: Roster, onKeys: () => void) {
    this.#deps = deps
    this.#roster = roster
    this.#onKeys = onKeys
  }

  tenants(): readonly TenantDetails[] {
    return this.#roster.all().map((seat) => this.#view(seat))
  }

  /** Errors: input; conflict `route-taken`, `payer-taken`, `device-is-own`; limit. An ended tenant that is put again is served again. */
  async put(given: Tenant): Promise<TenantDetails> {
    checkTenant(given)
    const tenant: Tenant = { ...given, destination: checkTls(given.destination, this.#roster.get(given.id)?.record.destination ?? null, this.#deps.clock) }
    const tls = tlsOf(tenant.destination)
    if (tls !== null) secureContextOf(tls)
    this.#deps.tokenSymbol(tenant.prices.token)
    this.#roster.checkRoom(tenant.id)
    this.#roster.routes.check(tenant.id, tenant.routes)
    for (const route of tenant.routes)
      if (route.kind === 'join' && route.devEui !== null && this.#deps.isOwnDevice(route.devEui))
        throw new MeshBoxError('conflict', `the device ${route.devEui} is the owner's own`, { code: 'device-is-own', field: 'routes', value: route.devEui })
    const record = await this.#deps.store.turn((tx) => {
      const before: TenantRecord = { ...tenant, isEnded: false, epoch: this.#roster.get(tenant.id)?.record.epoch ?? 0n }
      writeTenant(tx, before, this.#deps.seal) // the account refers to him
      const stored = { ...before, epoch: accountFor(tx, tenant.id, tenant.payer, tenant.prices.token) }
      writeTenant(tx, stored, this.#deps.seal)
      return stored
    })
    await this.#roster.put(record)
    return this.#view(this.#seat(tenant.id))
  }

  async pause(id: TenantId, isPaused: boolean): Promise<TenantDetails> {
    return this.#change(id, (record) => ({ ...record, isPaused }))
  }

  /** His routes are free, his keys and late frames gone; account, receipts and debts stay, and payments still count. Errors: not-found. */
  async end(id: TenantId): Promise<TenantDetails> {
    const view = await this.#change(id, (record) => ({ ...record, isEnded: true, routes: [] }), true)
    this.#onKeys()
    this.#seat(id).hasMicKeys = false
    return view
  }

  async #change(id: TenantId, change: (record: TenantRecord) => TenantRecord, isEnd = false): Promise<TenantDetails> {
    const seat = this.#seat(id)
    const record = change(seat.record)
    await this.#deps.store.turn((tx) => {
      writeTenant(tx, record, this.#deps.seal)
      if (!isEnd) return
      removeMicKeys(tx, id)
      this.#deps.late.forget(tx, id)
      forgetLines(tx, id)
    })
    await this.#roster.put(record)
    return this.#view(seat)
  }

  /** Errors: not-found, input, limit; conflict `key-sealed-elsewhere`. A key that is there keeps its counter unless one is given. */
  async putMicKeys(id: TenantId, keys: readonly MicKeyGiven[]): Promise<void> {
    const seat = this.#seat(id)
    if (keys.length > MAX_KEYS_AT_ONCE) throw inputError('keys', `${keys.length} keys`, `at most ${MAX_KEYS_AT_ONCE} at once`)
    for (const { devAddr, key, lastFCntUp } of keys) {
      if (!Number.isInteger(devAddr) || devAddr < 0 || devAddr > 0xffff_ffff) throw inputError('devAddr', devAddr, 'a DevAddr of 32 bits')
      if (key.length !== KEY_BYTES) throw inputError('key', `${key.length} bytes`, `${KEY_BYTES} bytes`)
      if (lastFCntUp !== undefined && (!Number.isInteger(lastFCntUp) || lastFCntUp < 0 || lastFCntUp > 0xffff_ffff)) throw inputError('lastFCntUp', lastFCntUp, 'a counter of 32 bits')
    }
    const { store, seal } = this.#deps
    const isKey = (sealed: Uint8Array, key: Uint8Array, devAddr: DevAddr): boolean => {
      try {
        return Buffer.from(seal.open(sealed)).equals(key)
      } catch (thrown) {
        throw isSealedElsewhere(thrown) ? sealedElsewhere(id, devAddr, thrown) : thrown
      }
    }
    await store.turn((tx) => {
      for (const { devAddr, key, lastFCntUp, is11 = false } of keys) {
        const known = readMicKeys(tx, id, devAddr)
        const same = known.find((each) => each.is11 === is11 && isKey(each.sealed, key, devAddr))
        if (same !== undefined) {
          if (lastFCntUp !== undefined) setMicCounter(tx, id, devAddr, same.slot, lastFCntUp)
          continue
        }
        // The oldest makes room: a device that joined again has a new key, and the old one is of no use.
        for (const old of known.slice(MAX_KEYS_PER_ADDRESS - 1)) removeMicKey(tx, id, devAddr, old.slot)
        addMicKey(tx, id, devAddr, seal.seal(key), is11, lastFCntUp ?? null)
      }
      if (countMicKeys(tx, id) > MAX_KEYS_PER_TENANT) throw new MeshBoxError('limit', `a tenant may give ${MAX_KEYS_PER_TENANT} keys`, { code: 'mic-keys-too-many', field: 'keys', allowed: `at most ${MAX_KEYS_PER_TENANT}` })
    })
    if (keys.length > 0) seat.hasMicKeys = true
    this.#onKeys()
  }

  /** All of them: from then on he pays for every frame his routes fit. Errors: not-found. */
  async forgetMicKeys(id: TenantId): Promise<number> {
    const seat = this.#seat(id)
    const gone = await this.#deps.store.turn((tx) => removeMicKeys(tx, id))
    seat.hasMicKeys = false
    this.#onKeys()
    return gone
  }

  /** Of the account in use, newest first. Errors: not-found, input. */
  receipts(id: TenantId, page: { readonly beforeSeq?: bigint; readonly limit: number }): readonly Receipt[] {
    const { epoch } = this.#seat(id).record
    return this.#deps.store.read((tx) => receiptsBefore(tx, id, epoch, page.beforeSeq ?? LAST_SEQ, pageSize(page.limit)))
  }

  /** Of the account in use, oldest first. Errors: not-found, input. */
  units(id: TenantId, page: { readonly afterSeq: bigint; readonly limit: number }): readonly BillableUnit[] {
    const { epoch } = this.#seat(id).record
    return this.#deps.store.read((tx) => unitsAfter(tx, id, epoch, page.afterSeq, pageSize(page.limit)))
  }

  /** By day and kind, over all his accounts; bounds are compared as text, both included. Errors: not-found. */
  statement(id: TenantId, range: { readonly fromDay?: string; readonly toDay?: string } = {}): readonly StatementRow[] {
    this.#seat(id)
    return this.#deps.store.read((tx) => statementOf(tx, id, range.fromDay ?? '', range.toDay ?? LAST_DAY))
  }

  newestReceipt(id: TenantId): Receipt | null {
    return this.#roster.get(id) === undefined ? null : (this.receipts(id, { limit: 1 })[0] ?? null)
  }

  #seat(id: TenantId): Seat {
    const seat = this.#roster.get(id)
    if (seat === undefined) throw new MeshBoxError('not-found', `there is no tenant ${id}`, { code: 'no-tenant', field: 'tenant', value: id })
    return seat
  }

  #view(seat: Seat): TenantDetails {
    const { record } = seat
    const { store, payments, late } = this.#deps
    const tls = tlsOf(record.destination)
    return store.read((tx) => {
      const account = readAccount(tx, record.id, record.epoch)
      const paidOf = (of: Pick<StoredAccount, 'payer' | 'token'>): bigint => payments.paid(tx, of.payer, of.token)
      const paid = paidOf({ payer: record.payer, token: record.prices.token })
      const { heldAmount, heldCount: _held, chainHash: _hash, ...facts } = account ?? newAccount(record.epoch)
      return {
        ...record,
        account: { epoch: facts.epoch, seq: facts.seq, cumUplinks: facts.cumUplinks, cumUnits: facts.cumUnits, cumDownlinkMs: facts.cumDownlinkMs, cumAmount: facts.cumAmount },
        paid,
        owed: facts.cumAmount + heldAmount - paid,
        isServed: !record.isPaused && !record.isEnded && account !== null && !account.isBehind && maySpend(account, paid, record.prices.perUnit, record.creditWindow),
        isOnline: seat.delivery?.isOnline ?? false,
        lateFrames: late.count(tx, record.id),
        tls: tls === null ? null : tlsFacts(tls, this.#deps.clock),
        overlaps: this.#roster.routes.overlaps(record.id, record.routes),
        outcomes: { ...seat.counts },
        micKeys: seat.hasMicKeys,
        isBehind: account?.isBehind ?? false,
        balances: accountsOf(tx, record.id).map((each) => ({ epoch: each.epoch, payer: each.payer, token: each.token, owed: owedOf(each, paidOf(each)) })),
      }
    })
  }
}

function sealedElsewhere(id: TenantId, devAddr: DevAddr, cause: unknown): MeshBoxError {
  const value = devAddr.toString(16).padStart(8, '0')
  return new MeshBoxError('conflict', `a key that the tenant ${id} gave for ${value} was sealed by another box, and cannot be opened here`, { code: 'key-sealed-elsewhere', field: 'keys', value, allowed: `after \`meshbox tenant forget-keys ${id}\`, all of his keys again: \`meshbox tenant keys ${id} FILE\``, cause })
}

function pageSize(limit: number): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) throw inputError('limit', limit, `1 to ${MAX_PAGE}`)
  return limit
}
