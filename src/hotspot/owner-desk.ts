/** What the owner can ask for; behind his login or the local control socket. */
import { MeshBoxError, inputError } from '../base/index.ts'
import type { Alarms } from './alarms.ts'
import type { DeviceCounters } from './gate/types.ts'
import { countSessions, findSession, sessionIds } from './io/session-tables.ts'
import { countUnused } from './io/voucher-tables.ts'
import type { Keeper } from './keeper.ts'
import type { Lanes } from './lanes.ts'
import { sessionLane } from './lanes.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { Metering } from './metering.ts'
import type { Opening } from './opening.ts'
import type { HotspotDeps } from './ports.ts'
import { viewOf } from './session/index.ts'
import type { Session } from './session/index.ts'
import { priceBoard } from './tariff/index.ts'
import type {
  HotspotStatus,
  OwnerDesk,
  PriceBoard,
  SessionView,
  VoucherBatchRequest,
  VoucherBatchRow,
  VoucherRow,
} from './types.ts'
import type { VoucherDesk } from './voucher-desk.ts'

const MAX_PAGE = 1000
const DEFAULT_PAGE = 100
const MAX_EXTEND_SECONDS = 366 * 86_400
const MAX_EXTEND_BYTES = 2 ** 40
const SESSION_ID = /^[0-9a-f]{16}$/

export interface OwnerDeskParts {
  readonly live: LiveSessions
  readonly lanes: Lanes
  readonly keeper: Keeper
  readonly metering: Metering
  readonly opening: Opening
  readonly vouchers: VoucherDesk
  readonly alarms: Alarms
}

export class OwnerCounter implements OwnerDesk {
  readonly #deps: HotspotDeps
  readonly #parts: OwnerDeskParts

  constructor(deps: HotspotDeps, parts: OwnerDeskParts) {
    this.#deps = deps
    this.#parts = parts
  }

  status(): HotspotStatus {
    const { gate, store, option114 } = this.#deps
    const { live, alarms } = this.#parts
    const announced = option114()
    return {
      gate: gate.health(),
      sessionsActive: live.taken,
      sessionsPaused: live.paused,
      sessionsTotal: store.read(countSessions),
      vouchersUnused: store.read(countUnused),
      alarms: alarms.newestFirst(),
      option114: announced.state,
      option114Reason: announced.reason,
    }
  }

  /** Newest first. */
  sessions(filter: { state?: 'open' | 'all'; limit?: number; beforeId?: string } = {}): SessionView[] {
    const { state = 'open', limit = DEFAULT_PAGE, beforeId } = filter
    if (state !== 'open' && state !== 'all') throw inputError('state', state, 'open, all')
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) throw inputError('limit', limit, `a whole number from 1 to ${MAX_PAGE}`)
    if (beforeId !== undefined && !SESSION_ID.test(beforeId)) throw inputError('beforeId', beforeId, '16 lower-case hex digits')
    this.#parts.metering.looked()
    return (state === 'open' ? this.#openSessions(limit, beforeId) : this.#allSessions(limit, beforeId)).map((session) => this.#show(session))
  }

  session(id: string): SessionView {
    this.#parts.metering.looked()
    const session = this.#find(id)
    if (session === undefined) throw noSession(id)
    return this.#show(session)
  }

  async counters(): Promise<DeviceCounters[]> {
    return this.#deps.gate.counters()
  }

  async kick(sessionId: string): Promise<SessionView> {
    const { keeper, metering } = this.#parts
    return this.#onSession(sessionId, 'ended-by-owner', async (session) => {
      const charged = await metering.charge(session)
      if (charged.state === 'ended') return charged
      return keeper.perform(charged, { type: 'end', at: keeper.now(), reason: 'ended-by-owner' })
    })
  }

  async pause(sessionId: string): Promise<SessionView> {
    const { keeper, metering } = this.#parts
    return this.#onSession(sessionId, null, async (session) => {
      const charged = await metering.charge(session)
      return keeper.perform(charged, { type: 'pause', at: keeper.now(), reason: 'owner' })
    })
  }

  async resume(sessionId: string): Promise<SessionView> {
    const { opening } = this.#parts
    return this.#onSession(sessionId, null, (session) => opening.withPlace(session.id, () => opening.open(session, 'owner')))
  }

  async extend(sessionId: string, add: { seconds?: number; bytes?: number }): Promise<SessionView> {
    const { keeper } = this.#parts
    checkAmount('seconds', add.seconds, MAX_EXTEND_SECONDS)
    checkAmount('bytes', add.bytes, MAX_EXTEND_BYTES)
    if (add.seconds === undefined && add.bytes === undefined) throw inputError('extend', 'nothing', 'seconds, bytes, or both')
    return this.#onSession(sessionId, null, async (session) => {
      const last = session.allotments.at(-1)
      return keeper.perform(session, {
        type: 'bought',
        at: keeper.now(),
        terms: {
          source: 'owner',
          bearer: null,
          label: last?.label ?? 'Extension',
          grantedMs: add.seconds === undefined ? null : add.seconds * 1000,
          grantedBytes: add.bytes ?? null,
          devices: last?.devices ?? 1,
          downKbps: last?.downKbps ?? null,
          upKbps: last?.upKbps ?? null,
          price: 0n,
        },
      })
    })
  }

  /** Asked again for a session that was refunded: what was given back then. */
  async refund(sessionId: string): Promise<{ session: SessionView; refunded: bigint }> {
    const { keeper, metering } = this.#parts
    const session = await this.#onSession(sessionId, 'refunded', async (open) => {
      const charged = await metering.charge(open)
      return keeper.perform(charged, { type: 'refund', at: keeper.now() })
    })
    return { session, refunded: session.refunded }
  }

  createVouchers(request: VoucherBatchRequest): Promise<VoucherRow[]> {
    return this.#parts.vouchers.create(request)
  }

  vouchers(filter?: { batch?: string; state?: VoucherRow['state']; limit?: number; offset?: number }): VoucherRow[] {
    return this.#parts.vouchers.list(filter)
  }

  voucherBatches(limit?: number): VoucherBatchRow[] {
    return this.#parts.vouchers.runs(limit)
  }

  revokeVouchers(ref: { id?: string; code?: string; batch?: string }): Promise<{ revoked: number }> {
    return this.#parts.vouchers.revoke(ref)
  }

  async voucherSheet(batch: string): Promise<string> {
    return this.#parts.vouchers.sheet(batch)
  }

  async voucherCsv(batch: string): Promise<string> {
    return this.#parts.vouchers.csv(batch)
  }

  board(): PriceBoard {
    const { boottimeMs, wallMs, wallTrusted } = this.#parts.keeper.now()
    return priceBoard(this.#deps.config(), { boottimeMs, wallMs, wallTrusted })
  }

  /** `already`: a session that ended for this reason is simply shown again. */
  async #onSession(id: string, already: Session['endReason'], task: (session: Session) => Promise<Session>): Promise<SessionView> {
    if (this.#find(id) === undefined) throw noSession(id)
    return this.#parts.lanes.run([sessionLane(id)], async () => {
      const session = this.#parts.live.get(id)
      if (session !== undefined) return this.#show(await task(session))
      const over = this.#find(id)
      if (over !== undefined && already !== null && over.endReason === already) return this.#show(over)
      throw new MeshBoxError('conflict', 'this session is over', { code: 'session-ended', field: 'session', value: id })
    })
  }

  #openSessions(limit: number, beforeId: string | undefined): Session[] {
    const open = [...this.#parts.live.all()].filter((session) => beforeId === undefined || session.id < beforeId)
    return open.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit)
  }

  #allSessions(limit: number, beforeId: string | undefined): Session[] {
    const { live } = this.#parts
    return this.#deps.store.read((tx) =>
      sessionIds(tx, limit, beforeId ?? null).flatMap((id) => live.get(id) ?? findSession(tx, id)?.session ?? []),
    )
  }

  #find(id: string): Session | undefined {
    if (!SESSION_ID.test(id)) throw inputError('session', id, '16 lower-case hex digits')
    return this.#parts.live.get(id) ?? this.#deps.store.read((tx) => findSession(tx, id))?.session
  }

  #show(session: Session): SessionView {
    return viewOf(session, this.#deps.clock.boottimeMs())
  }
}

function checkAmount(field: string, amount: number | undefined, most: number): void {
  if (amount !== undefined && (!Number.isInteger(amount) || amount < 1 || amount > most))
    throw inputError(field, amount, `a whole number from 1 to ${most}`)
}

function noSession(id: string): MeshBoxError {
  return new MeshBoxError('not-found', `there is no session ${id}`, { code: 'no-session', field: 'session', value: id })
}
