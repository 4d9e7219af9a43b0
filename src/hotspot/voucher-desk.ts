/** Vouchers, from the owner's side: print, list, take back. */
import { MeshBoxError, formatAmount, inputError } from '../base/index.ts'
import { foreignTerms } from './bearers.ts'
import { batchLabel, batchVouchers, batches, findVoucher, insertBatch, insertVoucher, revoke, serialsOf, voucherPage } from './io/voucher-tables.ts'
import type { StoredVoucher } from './io/voucher-tables.ts'
import type { Keeper } from './keeper.ts'
import type { Lanes } from './lanes.ts'
import { voucherLane } from './lanes.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { HotspotDeps } from './ports.ts'
import type { Redeem } from './redeem.ts'
import { MAX_SERIAL, drawSerials, freeSerials } from './serials.ts'
import { packageTerms } from './tariff/index.ts'
import type { VoucherBatchRequest, VoucherBatchRow, VoucherRow } from './types.ts'
import { encodeCode, encodeQr, readCode, voucherCsv, voucherId, voucherSheetParts } from './voucher/index.ts'
import type { VoucherId } from './voucher/index.ts'

const MAX_BATCH = 1000
const MAX_PAGE = 1000
const DEFAULT_PAGE = 100
const MAX_OFFSET = 1_000_000
const MAX_DAY = 99_999
const MAX_NOTE = 48
/** Vouchers signed or drawn without a break. */
const AT_A_STRETCH = 4
const STATES = ['unused', 'used', 'revoked'] as const
const DAY_MS = 86_400_000

export interface VoucherDeskParts {
  readonly live: LiveSessions
  readonly lanes: Lanes
  readonly keeper: Keeper
  readonly redeem: Redeem
}

export class VoucherDesk {
  readonly #deps: HotspotDeps
  readonly #parts: VoucherDeskParts

  constructor(deps: HotspotDeps, parts: VoucherDeskParts) {
    this.#deps = deps
    this.#parts = parts
  }

  /** All of the run or nothing, in one turn. Throws `input`, `limit` code `no-serials`. */
  async create(request: VoucherBatchRequest): Promise<VoucherRow[]> {
    const { config, clock, store, randomness } = this.#deps
    const pack = config().packages.find((each) => each.id === request.packageId)
    if (pack === undefined)
      throw inputError('packageId', request.packageId, config().packages.map((each) => each.id).join(', ') || 'no package is configured')
    checkWhole('count', request.count, 1, MAX_BATCH)
    if (request.validUntilDay !== undefined) checkWhole('validUntilDay', request.validUntilDay, 0, MAX_DAY)
    const label = request.note ?? pack.label
    if (label.trim() === '' || label.length > MAX_NOTE) throw inputError('note', label, `1 to ${MAX_NOTE} characters`)
    const box = config().hotspot.voucherBox
    const wallMs = clock.wallMs()
    const vouchers = await store.turn((tx) => {
      const free = freeSerials(serialsOf(tx, pack.slot, box))
      if (free.length < request.count)
        throw new MeshBoxError('limit', `package ${pack.id} has only ${free.length} voucher numbers left; give a new package another slot`, {
          code: 'no-serials',
        })
      const serials = drawSerials(free, request.count, randomness)
      const batch = insertBatch(tx, { label, price: pack.price, box, wallMs })
      return serials.map((serial): StoredVoucher => {
        const terms = packageTerms(pack, { box, serial }, request.validUntilDay ?? null)
        const voucher = { id: voucherId(terms), batch, terms, label, state: 'unused', sessionId: null, createdWallMs: wallMs } as const
        insertVoucher(tx, voucher)
        return voucher
      })
    })
    return vouchers.map((voucher) => this.#withCode(voucher))
  }

  list(filter: { batch?: string; state?: VoucherRow['state']; limit?: number; offset?: number } = {}): VoucherRow[] {
    const { limit = DEFAULT_PAGE, offset = 0 } = filter
    checkWhole('limit', limit, 1, MAX_PAGE)
    checkWhole('offset', offset, 0, MAX_OFFSET)
    if (filter.state !== undefined && !STATES.includes(filter.state)) throw inputError('state', filter.state, STATES.join(', '))
    const page = { batch: filter.batch ?? null, state: filter.state ?? null, limit, offset }
    return this.#deps.store.read((tx) => voucherPage(tx, page)).map((voucher) => this.#withCode(voucher))
  }

  runs(limit = DEFAULT_PAGE): VoucherBatchRow[] {
    checkWhole('limit', limit, 1, MAX_PAGE)
    return this.#deps.store.read((tx) => batches(tx, limit))
  }

  /** Exactly one of id, code, batch. What is revoked already is not counted again. */
  async revoke(ref: { id?: string; code?: string; batch?: string }): Promise<{ revoked: number }> {
    const given = [ref.id, ref.code, ref.batch].filter((each) => each !== undefined)
    if (given.length !== 1) throw inputError('voucher', given.length, 'exactly one of id, code and batch')
    const ids = ref.batch === undefined ? [this.#idOf(ref)] : this.#idsOf(ref.batch)
    const outcomes = await Promise.all(ids.map((id) => this.#parts.lanes.run([voucherLane(id)], () => this.#revokeOne(id))))
    return { revoked: outcomes.filter(Boolean).length }
  }

  async sheet(batch: string): Promise<string> {
    const { config, clock, voucherKeys } = this.#deps
    const { token } = config()
    const vouchers = this.#batch(batch)
    const printed = new Date(vouchers[0]?.createdWallMs ?? clock.wallMs())
    const signed = await this.#eachInTurn(vouchers.values(), ({ id, terms, label }) => ({
      id,
      code: encodeCode(terms, voucherKeys),
      qrUrl: encodeQr(terms, voucherKeys, this.#portalUrl()),
      label,
      validUntilText: dayText(terms.validUntilDay),
      ...(terms.price === 0n ? {} : { note: `${formatAmount(terms.price, token.decimals)} ${token.symbol}` }),
    }))
    const parts = voucherSheetParts({
      venue: config().main.name,
      portalHost: config().hotspot.portalHost,
      vouchers: signed,
      printedText: `${batch} · ${Number.isNaN(printed.getTime()) ? '' : printed.toISOString().slice(0, 10)}`,
    })
    return (await this.#eachInTurn(parts, (part) => part)).join('')
  }

  async csv(batch: string): Promise<string> {
    const { symbol, decimals } = this.#deps.config().token
    const { voucherKeys } = this.#deps
    return voucherCsv(
      await this.#eachInTurn(this.#batch(batch).values(), ({ terms, state, label, ...voucher }) => ({
        slot: terms.slot,
        box: terms.box,
        serial: terms.serial,
        code: encodeCode(terms, voucherKeys),
        qrUrl: encodeQr(terms, voucherKeys, this.#portalUrl()),
        batch: voucher.batch,
        label,
        seconds: terms.seconds,
        bytes: terms.bytes,
        tokensText: terms.tokens === null ? null : formatAmount(terms.tokens, decimals),
        devices: terms.devices,
        priceText: formatAmount(terms.price, decimals),
        tokenSymbol: symbol,
        validUntilText: dayText(terms.validUntilDay),
        state,
      })),
    )
  }

  /** Signing and drawing take a router some milliseconds each: guests get their turn in between. */
  async #eachInTurn<T, R>(items: Iterator<T>, work: (item: T) => R): Promise<R[]> {
    const results: R[] = []
    for (let item = items.next(); item.done !== true; item = items.next()) {
      results.push(work(item.value))
      if (results.length % AT_A_STRETCH === 0) await new Promise<void>((resolve) => this.#deps.timers.after(0, resolve))
    }
    return results
  }

  /** The lock and the end of its session are one turn; the session goes on with what other bearers paid. */
  async #revokeOne(id: VoucherId): Promise<boolean> {
    const { live, keeper, redeem } = this.#parts
    return redeem.withSessions(
      () => [live.ofBearer(id)],
      async () => {
        const known = this.#deps.store.read((tx) => findVoucher(tx, id))
        if (known?.state === 'revoked') return false
        // Its tokens are owed to whoever used it.
        if (known?.state === 'used' && known.terms.tokens !== null) return false
        const session = await redeem.charged(live.ofBearer(id))
        if (session === undefined) {
          await this.#deps.store.turn((tx) => {
            if (known === null) insertVoucher(tx, this.#foreign(id))
            revoke(tx, id)
          })
        } else {
          await keeper.perform(session, { type: 'revoke', at: keeper.now(), bearer: id }, (tx, next) => {
            revoke(tx, id)
            return next
          })
        }
        return true
      },
    )
  }

  /** A voucher of another box of the owner, taken back here before it was seen. */
  #foreign(id: VoucherId): StoredVoucher {
    const [slot = 0, box = 0, serial = 0] = id.split('.').map(Number)
    const { config, clock } = this.#deps
    if (box === config().hotspot.voucherBox) throw new MeshBoxError('not-found', `there is no voucher ${id}`, { code: 'no-voucher', field: 'id', value: id })
    const { terms, label } = foreignTerms(config(), { number: { slot, box, serial }, terms: null })
    return { id, batch: '', terms, label, state: 'unused', sessionId: null, createdWallMs: clock.wallMs() }
  }

  #idOf(ref: { id?: string; code?: string }): VoucherId {
    if (ref.code !== undefined) return voucherId(readCode(ref.code, this.#deps.voucherKeys))
    const id = ref.id ?? ''
    const [slot = -1, box = -1, serial = -1] = /^\d{1,2}\.\d\.\d{1,5}$/.test(id) ? id.split('.').map(Number) : []
    const isNumber = slot >= 0 && slot <= 15 && box <= 3 && serial <= MAX_SERIAL && id === `${slot}.${box}.${serial}`
    if (!isNumber) throw inputError('id', id, 'slot.box.serial, e.g. 3.0.17')
    return id
  }

  #idsOf(batch: string): VoucherId[] {
    return this.#batch(batch).map((voucher) => voucher.id)
  }

  #batch(batch: string): StoredVoucher[] {
    const { store } = this.#deps
    if (batch === '' || batch.length > 32 || store.read((tx) => batchLabel(tx, batch)) === null)
      throw new MeshBoxError('not-found', `there is no printing run ${batch.slice(0, 32)}`, { code: 'no-batch', field: 'batch', value: batch })
    return store.read((tx) => batchVouchers(tx, batch))
  }

  #withCode(voucher: StoredVoucher): VoucherRow {
    return { ...voucher, code: encodeCode(voucher.terms, this.#deps.voucherKeys) }
  }

  /** Plain HTTP unless the box has a certificate; the port is in it, since only unpaid guests are redirected. */
  #portalUrl(): string {
    const { portalHost, portalPort, tlsPort, tlsCertificateFile } = this.#deps.config().hotspot
    if (tlsCertificateFile !== null) return `https://${portalHost}${tlsPort === 443 ? '' : `:${tlsPort}`}`
    return `http://${portalHost}${portalPort === 80 ? '' : `:${portalPort}`}`
  }
}

function dayText(day: number | null): string | null {
  return day === null ? null : new Date(day * DAY_MS).toISOString().slice(0, 10)
}

function checkWhole(field: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) throw inputError(field, value, `a whole number from ${least} to ${most}`)
}
