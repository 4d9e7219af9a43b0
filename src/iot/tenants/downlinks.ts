/**
 * A downlink of a tenant's server: quoted at its dearest window, held against his credit, given to the DownlinkDesk, and billed by
 * started milliseconds of the window that was on the air. His price list says what a millisecond costs, by sub-band or `*`; what it leaves
 * open costs what the airtime ledger asks now. Nothing on the air, nothing billed.
 */
import { createHash } from 'node:crypto'
import { MeshBoxError, inputError, momentOf } from '../../base/index.ts'
import { timeOnAirUs } from '../lorawan/index.ts'
import type { Downlink, FrameId, PriceList, SubBandBudget, TenantId, TxAck, TxWindow } from '../ports.ts'
import { maySpend } from './account.ts'
import { bill, hold, letGo, readAccount } from './io/account-tables.ts'
import type { Seat } from './roster.ts'
import type { HeldUnit, TenantHouseDeps } from './types.ts'
import type { SaleParts } from './uplinks.ts'

const MAX_WINDOWS = 8

/** Of one window. */
interface AirQuote {
  readonly frame: FrameId
  readonly onAirUs: number
  readonly pricePerMs: bigint
}

/** `airPrice`: as TenantHouseDeps has it. Errors: input for a window that cannot be sent. */
function quoteOf(window: TxWindow, prices: PriceList, bands: readonly SubBandBudget[], airPrice: TenantHouseDeps['airPrice']): AirQuote {
  const band = bands.find(({ fromHz, toHz }) => window.frequencyHz >= fromHz && window.frequencyHz < toHz)
  return {
    frame: createHash('sha256').update(window.phy).digest('hex'),
    onAirUs: timeOnAirUs(window.modulation, window.phy.length, { hasCrc: window.hasCrc, preambleSymbols: window.preambleSymbols }),
    pricePerMs: (band === undefined ? undefined : prices.perDownlinkMs[band.name]) ?? prices.perDownlinkMs['*'] ?? airPrice(band?.pricePerMs ?? 0n, prices.token),
  }
}

function costOf({ pricePerMs, onAirUs }: AirQuote): { readonly units: number; readonly amount: bigint } {
  const units = Math.ceil(onAirUs / 1_000)
  return { units, amount: pricePerMs * BigInt(units) }
}

export class DownlinkSales {
  readonly #parts: SaleParts

  constructor(parts: SaleParts) {
    this.#parts = parts
  }

  /** Errors: not-found; forbidden `tenant-paused`, `tenant-no-credit`; limit `downlinks-too-many`; conflict `held-already`; input. */
  async order(id: TenantId, downlink: Omit<Downlink, 'tenant'>): Promise<TxAck> {
    const { deps, roster, batch, patience, onBilled } = this.#parts
    const seat = roster.get(id)
    if (seat === undefined || seat.record.isEnded) throw new MeshBoxError('not-found', `there is no tenant ${id}`, { code: 'no-tenant', field: 'tenant', value: id })
    if (seat.record.isPaused) throw new MeshBoxError('forbidden', `the tenant ${id} is paused`, { code: 'tenant-paused', value: id })
    if (downlink.windows.length < 1 || downlink.windows.length > MAX_WINDOWS) throw inputError('windows', downlink.windows.length, `1 to ${MAX_WINDOWS}`)
    const bands = deps.downlinks.budget(downlink.gateway)
    const quotes = downlink.windows.map((window) => quoteOf(window, seat.record.prices, bands, deps.airPrice))
    const waitSeconds = roster.downlinkRate.take(id, deps.clock.boottimeMs())
    if (waitSeconds > 0) throw new MeshBoxError('limit', 'more downlinks than one tenant may order at once', { code: 'downlinks-too-many', value: id, retryAfterSeconds: waitSeconds })

    const key = await this.#hold(seat, downlink, quotes)
    let ack: TxAck
    try {
      ack = await deps.downlinks.submit({ ...downlink, tenant: id })
    } catch (thrown) {
      await patience.insist('a downlink let go', deps.log, () => batch.turn((tx) => letGo(tx, id, key)))
      throw thrown
    }
    const sent = ack.sent === null ? undefined : quotes[ack.sent]
    const billed = await patience.insist('the bill of a downlink', deps.log, () =>
      batch.turn((tx) => {
        if (sent !== undefined) return bill(tx, id, key, deps.keccak, { frame: sent.frame, ...costOf({ ...sent, onAirUs: billableUs(ack, sent) }) })
        letGo(tx, id, key)
        return null
      }),
    )
    if (ack.sent !== null && downlink.purpose === 'join') seat.joinAnsweredMs = deps.clock.boottimeMs()
    if (billed !== null) onBilled(billed)
    return ack
  }

  async #hold(seat: Seat, downlink: Omit<Downlink, 'tenant'>, quotes: readonly AirQuote[]): Promise<string> {
    const { store, payments, clock } = this.#parts.deps
    const { record } = seat
    const costs = quotes.map(costOf)
    const dearest = costs.reduce((most, cost) => (cost.amount > most.amount ? cost : most))
    const unit: HeldUnit = { tenant: record.id, key: `downlink ${downlink.gateway} ${downlink.id}`, epoch: record.epoch, kind: 'downlink', frame: quotes[0]?.frame ?? '', tmstUs: 0, ...dearest, at: momentOf(clock), heard: null }
    await store.turn((tx) => {
      const account = readAccount(tx, record.id, record.epoch)
      if (account === null || account.isBehind || !maySpend(account, payments.paid(tx, record.payer, record.prices.token), dearest.amount, record.creditWindow))
        throw new MeshBoxError('forbidden', `the tenant ${record.id} owes too much for this downlink`, { code: 'tenant-no-credit', value: record.id, allowed: 'a payment first' })
      hold(tx, unit, null)
    })
    return unit.key
  }
}

/** What the gateway says, where it says less than the frame must have taken: nobody pays for more than his own frame. */
function billableUs(ack: TxAck, sent: AirQuote): number {
  return ack.onAirUs > 0 ? Math.min(ack.onAirUs, sent.onAirUs) : sent.onAirUs
}
