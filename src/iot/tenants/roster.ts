/** The tenants as the running service has them: their terms as stored, the way to each, and what happened since the start. */
import { Complaints, MeshBoxError, RateLimit, asError } from '../../base/index.ts'
import type { Cancel, Clock, Log } from '../../base/index.ts'
import type { Delivery, Downlink, Tenant, TenantId, TxAck } from '../ports.ts'
import { RouteTable } from './routing.ts'
import { Trust } from './trust.ts'
import type { TenantLimits, TenantOutcome, TenantRecord } from './types.ts'

/** A day of a device that speaks each quarter of an hour. Who has his devices count backwards gets no more for nothing than this, and one frame in eleven. */
export const FREE_TENTHS = 960
export const FREE_FRAME_TENTHS = 10

export interface Seat {
  /** Replaced only after a commit. */
  record: TenantRecord
  /** Null: ended, or it could not be opened. */
  delivery: Delivery | null
  /** He pays only for frames that one of his keys fits. */
  hasMicKeys: boolean
  /** Frames that are being held or delivered. */
  inFlight: number
  /** In the server that he has now. */
  trust: Trust
  /** When his server last answered a join through this box, and no device has begun anew since; milliseconds since boot. */
  joinAnsweredMs: number
  /** Frames whose counter did not rise that he may still be given, times ten: each uplink or join that he pays adds one. */
  freeTenths: number
  /** Something may lie in late/ for him. */
  mayHaveLate: boolean
  readonly counts: Record<TenantOutcome, number>
}

type OrderTaker = (tenant: TenantId, downlink: Omit<Downlink, 'tenant'>) => Promise<TxAck>

const MAX_TENANTS = 256

export class Roster {
  readonly routes = new RouteTable()
  readonly uplinkRate: RateLimit
  readonly downlinkRate: RateLimit
  readonly #seats = new Map<TenantId, Seat & { cancelOrders: Cancel | null }>()
  readonly #limits: TenantLimits
  readonly #open: (tenant: Tenant) => Delivery
  readonly #log: Log
  readonly #complaints: Complaints
  #takeOrder: OrderTaker | null = null

  constructor(limits: TenantLimits, { openDelivery, log, clock }: { readonly openDelivery: (tenant: Tenant) => Delivery; readonly log: Log; readonly clock: Clock }) {
    this.uplinkRate = new RateLimit({ burst: limits.uplinkBurst, perSecond: limits.uplinksPerSecond }, MAX_TENANTS)
    this.downlinkRate = new RateLimit({ burst: limits.downlinkBurst, perSecond: limits.downlinksPerSecond }, MAX_TENANTS)
    this.#limits = limits
    this.#open = openDelivery
    this.#log = log
    this.#complaints = new Complaints({ log, clock })
  }

  /** Whom a tenant's server orders from. */
  onOrder(take: OrderTaker): void {
    this.#takeOrder = take
  }

  get(id: TenantId): Seat | undefined {
    return this.#seats.get(id)
  }

  all(): readonly Seat[] {
    return [...this.#seats.values()]
  }

  /** Errors: limit. */
  checkRoom(id: TenantId): void {
    if (!this.#seats.has(id) && this.#seats.size >= MAX_TENANTS) throw new MeshBoxError('limit', `there are ${MAX_TENANTS} tenants; that is all there is room for`, { code: 'too-many-tenants', allowed: `at most ${MAX_TENANTS}` })
  }

  /** What is on disk, at the start. */
  async load(records: readonly TenantRecord[], hasMicKeys: (id: TenantId) => boolean): Promise<void> {
    this.routes.load(records.filter((record) => !record.isEnded).map((record) => [record.id, record.routes]))
    for (const record of records) await this.#seat(record, hasMicKeys(record.id))
  }

  /** After the commit that stored it. */
  async put(record: TenantRecord): Promise<void> {
    if (record.isEnded) this.routes.remove(record.id)
    else this.routes.set(record.id, record.routes)
    await this.#seat(record, this.#seats.get(record.id)?.hasMicKeys ?? false)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#seats.values()].map((seat) => this.#shut(seat)))
  }

  async #seat(record: TenantRecord, hasMicKeys: boolean): Promise<void> {
    const known = this.#seats.get(record.id)
    const seat = known ?? { record, delivery: null, cancelOrders: null, hasMicKeys, inFlight: 0, trust: new Trust(this.#limits.unanswered), joinAnsweredMs: -Infinity, freeTenths: FREE_TENTHS, mayHaveLate: true, counts: emptyCounts() }
    const isSamePath = known !== undefined && JSON.stringify(known.record.destination) === JSON.stringify(record.destination)
    seat.record = record
    this.#seats.set(record.id, seat)
    if (record.isEnded) return this.#shut(seat)
    if (isSamePath && seat.delivery !== null) return
    await this.#shut(seat)
    if (!isSamePath) seat.trust = new Trust(this.#limits.unanswered)
    this.#connect(seat)
  }

  #connect(seat: Seat & { cancelOrders: Cancel | null }): void {
    const { id } = seat.record
    try {
      const delivery = this.#open(seat.record)
      seat.delivery = delivery
      seat.cancelOrders = delivery.onDownlink((downlink) => this.#ordered(id, downlink))
    } catch (thrown) {
      this.#log.error('a tenant cannot be reached: his frames wait in the late ring', { tenant: id, error: asError(thrown) })
    }
  }

  /** Never rejects: his server gets an answer it understands, and the owner the reason. */
  async #ordered(id: TenantId, downlink: Omit<Downlink, 'tenant'>): Promise<TxAck> {
    try {
      if (this.#takeOrder === null) throw new MeshBoxError('unavailable', 'the service is starting', { code: 'starting' })
      return await this.#takeOrder(id, downlink)
    } catch (thrown) {
      this.#complaints.warn('a downlink of a tenant was refused', { tenant: id, error: asError(thrown) }, id)
      return { id: downlink.id, gateway: downlink.gateway, statuses: downlink.windows.map(() => 'INTERNAL_ERROR'), sent: null, onAirUs: 0 }
    }
  }

  async #shut(seat: Seat & { cancelOrders: Cancel | null }): Promise<void> {
    const { delivery, cancelOrders } = seat
    seat.delivery = null
    seat.cancelOrders = null
    cancelOrders?.()
    if (delivery === null) return
    try {
      await delivery.close()
    } catch (thrown) {
      this.#log.warn('the way to a tenant did not close cleanly', { tenant: seat.record.id, error: asError(thrown) })
    }
  }
}

function emptyCounts(): Record<TenantOutcome, number> {
  return { sold: 0, free: 0, duplicate: 0, repeated: 0, 'bad-mic': 0, 'no-credit': 0, paused: 0, 'not-ours': 0, late: 0, 'over-limit': 0, undelivered: 0, 'not-stored': 0 }
}
