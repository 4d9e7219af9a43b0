/** A hotspot that only remembers: an OwnerDesk in memory, seeded with a believable day of a small café. */
import { MeshBoxError, formatAmount, inputError } from '../../src/base/index.ts'
import type { Clock } from '../../src/base/index.ts'
import type { Config } from '../../src/config/index.ts'
import type {
  DeviceCounters,
  HotspotStatus,
  OwnerDesk,
  PriceBoard,
  SessionView,
  VoucherBatchRequest,
  VoucherBatchRow,
  VoucherRow,
} from '../../src/hotspot/index.ts'
import { priceBoard } from '../../src/hotspot/tariff/index.ts'
import { encodeCode, encodeQr, voucherCsv, voucherId } from '../../src/hotspot/voucher/index.ts'
import { voucherSheet } from '../../src/hotspot/voucher/sheet.ts'
import { KEYS } from '../unit/voucher/fixed-keys.ts'

const PORTAL = 'http://wifi.meshbox.lan'
const MIB = 1_048_576
const DAY_MS = 86_400_000

/** What time does to a session is worked out when it is looked at. */
interface Kept {
  view: SessionView
  readonly totalSeconds: number | null
  /** Boot clock of the last reckoning. */
  atMs: number
  readonly downPerSecond: number
}

interface Batch {
  readonly id: string
  readonly label: string
  readonly createdWallMs: number
  readonly rows: VoucherRow[]
}

export class ScriptedDesk implements OwnerDesk {
  gate: HotspotStatus['gate'] = { state: 'ready', repairs: 0, devices: 0 }
  alarms: HotspotStatus['alarms'] = []
  readonly #config: () => Config
  readonly #clock: Clock
  readonly #sessions: Kept[] = []
  readonly #batches: Batch[] = []
  #lastSession = 0
  #lastSerial = 0

  constructor(config: () => Config, clock: Clock) {
    this.#config = config
    this.#clock = clock
  }

  // ---- seeding

  /** Newest last. `usedSeconds` of the package's time are gone. */
  addGuest(guest: {
    packageId: string
    mac: string
    ip4: string | null
    usedSeconds: number
    mibDown: number
    state?: 'active' | 'paused' | 'ended'
    source?: SessionView['source']
    more?: readonly { mac: string; ip4: string | null }[]
    startedAgoMs?: number
    endReason?: SessionView['endReason']
    trusted?: boolean
  }): string {
    const one = this.#package(guest.packageId)
    const state = guest.state ?? 'active'
    const id = `s${String(++this.#lastSession).padStart(6, '0')}`
    const isFree = guest.source === 'trial'
    const used = state === 'ended' && one.seconds !== null ? Math.min(one.seconds, guest.usedSeconds) : guest.usedSeconds
    this.#sessions.push({
      totalSeconds: one.seconds,
      atMs: this.#clock.boottimeMs(),
      downPerSecond: Math.round((guest.mibDown * MIB) / Math.max(60, guest.usedSeconds)),
      view: {
        id,
        state,
        endReason: state === 'ended' ? (guest.endReason ?? 'time-used') : null,
        pauseReason: state === 'paused' ? 'guest' : null,
        source: guest.source ?? 'voucher',
        label: isFree ? 'Free trial' : one.label,
        secondsLeft: one.seconds === null ? null : one.seconds - used,
        bytesLeft: one.bytes === null ? null : one.bytes - guest.mibDown * MIB,
        secondsUsed: used,
        upBytes: Math.round(guest.mibDown * 0.12 * MIB),
        downBytes: guest.mibDown * MIB,
        devices: [{ mac: guest.mac, ip4: guest.ip4 }, ...(guest.more ?? [])],
        devicesMax: one.devices,
        paid: isFree ? 0n : one.price,
        refunded: 0n,
        startedWallMs: this.#clock.wallMs() - (guest.startedAgoMs ?? used * 1000),
        startedWallTrusted: guest.trusted ?? true,
      },
    })
    return id
  }

  async addBatch(packageId: string, count: number, used: number, revoked: number, agoDays: number, note?: string): Promise<string> {
    const rows = await this.createVouchers({ packageId, count, ...(note === undefined ? {} : { note }) })
    const batch = this.#batches.at(-1)
    if (!batch) throw new Error('no batch was made')
    Object.assign(batch, { createdWallMs: this.#clock.wallMs() - agoDays * DAY_MS })
    rows.slice(0, used + revoked).forEach((row, index) => Object.assign(row, { state: index < used ? 'used' : 'revoked' }))
    const first = this.#sessions[0]?.view.id
    if (used > 0 && first !== undefined) Object.assign(rows[0] ?? {}, { sessionId: first })
    return batch.id
  }

  // ---- the desk

  status(): HotspotStatus {
    const open = this.#sessions.map((kept) => this.#now(kept))
    const count = (state: SessionView['state']): number => open.filter((view) => view.state === state).length
    return {
      gate: { ...this.gate, devices: count('active') },
      sessionsActive: count('active'),
      sessionsPaused: count('paused'),
      sessionsTotal: open.length,
      vouchersUnused: this.#batches.flatMap((batch) => batch.rows).filter((row) => row.state === 'unused').length,
      alarms: this.alarms,
      option114: 'withheld',
      option114Reason: 'no certificate is configured',
    }
  }

  sessions(filter: { state?: 'open' | 'all'; limit?: number; beforeId?: string } = {}): SessionView[] {
    const all = this.#sessions.map((kept) => this.#now(kept)).reverse()
    const from = filter.beforeId === undefined ? 0 : all.findIndex((view) => view.id === filter.beforeId) + 1
    const wanted = all.slice(from).filter((view) => filter.state === 'all' || (view.state !== 'ended' && view.state !== 'credited'))
    return wanted.slice(0, filter.limit ?? 100)
  }

  session(id: string): SessionView {
    return this.#now(this.#kept(id))
  }

  async counters(): Promise<DeviceCounters[]> {
    return []
  }

  async kick(id: string): Promise<SessionView> {
    return this.#set(id, { state: 'ended', endReason: 'ended-by-owner', pauseReason: null })
  }

  async pause(id: string): Promise<SessionView> {
    return this.#set(id, { state: 'paused', pauseReason: 'owner' })
  }

  async resume(id: string): Promise<SessionView> {
    return this.#set(id, { state: 'active', pauseReason: null })
  }

  async extend(id: string, add: { seconds?: number; bytes?: number }): Promise<SessionView> {
    const view = this.session(id)
    return this.#set(id, {
      ...(add.seconds === undefined || view.secondsLeft === null ? {} : { secondsLeft: view.secondsLeft + add.seconds }),
      ...(add.bytes === undefined || view.bytesLeft === null ? {} : { bytesLeft: view.bytesLeft + add.bytes }),
    })
  }

  async refund(id: string): Promise<{ session: SessionView; refunded: bigint }> {
    const view = this.session(id)
    const left = view.secondsLeft ?? 0
    const refunded = (view.paid * BigInt(left)) / BigInt(Math.max(1, left + view.secondsUsed))
    return { session: this.#set(id, { state: 'ended', endReason: 'refunded', refunded }), refunded }
  }

  async createVouchers(request: VoucherBatchRequest): Promise<VoucherRow[]> {
    const one = this.#package(request.packageId)
    const batch: Batch = {
      id: `b${String(this.#batches.length + 1).padStart(4, '0')}`,
      label: request.note ?? one.label,
      createdWallMs: this.#clock.wallMs(),
      rows: [],
    }
    for (let index = 0; index < request.count; index++) {
      const terms = {
        slot: one.slot,
        box: 0,
        serial: ++this.#lastSerial,
        seconds: one.seconds,
        bytes: one.bytes,
        tokens: null,
        devices: one.devices,
        downKbps: one.downKbps,
        upKbps: one.upKbps,
        price: one.price,
        validUntilDay: request.validUntilDay ?? null,
      }
      const code = encodeCode(terms, KEYS)
      const row: VoucherRow = { id: voucherId(terms), batch: batch.id, terms, label: batch.label, code, state: 'unused', sessionId: null, createdWallMs: batch.createdWallMs }
      batch.rows.push(row)
    }
    this.#batches.push(batch)
    return batch.rows
  }

  vouchers(filter: { batch?: string; state?: VoucherRow['state']; limit?: number; offset?: number } = {}): VoucherRow[] {
    const rows = this.#batches
      .flatMap((batch) => batch.rows)
      .filter((row) => (filter.batch === undefined || row.batch === filter.batch) && (filter.state === undefined || row.state === filter.state))
    const offset = filter.offset ?? 0
    return rows.slice(offset, offset + (filter.limit ?? 100))
  }

  voucherBatches(limit = 500): VoucherBatchRow[] {
    return this.#batches
      .map(({ id, label, createdWallMs, rows }) => ({
        batch: id,
        label,
        createdWallMs,
        price: rows[0]?.terms.price ?? 0n,
        count: rows.length,
        unused: rows.filter((row) => row.state === 'unused').length,
        used: rows.filter((row) => row.state === 'used').length,
        revoked: rows.filter((row) => row.state === 'revoked').length,
      }))
      .sort((a, b) => b.createdWallMs - a.createdWallMs)
      .slice(0, limit)
  }

  async revokeVouchers(ref: { id?: string; code?: string; batch?: string }): Promise<{ revoked: number }> {
    const rows = this.#batches.flatMap((batch) => batch.rows).filter((row) => row.id === ref.id || row.code === ref.code || row.batch === ref.batch)
    const alive = rows.filter((row) => row.state !== 'revoked')
    for (const row of alive) Object.assign(row, { state: 'revoked' })
    return { revoked: alive.length }
  }

  async voucherSheet(batchId: string): Promise<string> {
    const { rows } = this.#batch(batchId)
    return voucherSheet({
      venue: this.#config().main.name,
      portalHost: PORTAL,
      printedText: '',
      vouchers: rows.map((row) => ({ id: row.id, code: row.code, qrUrl: encodeQr(row.terms, KEYS, PORTAL), label: row.label, validUntilText: null })),
    })
  }

  async voucherCsv(batchId: string): Promise<string> {
    const { symbol, decimals } = this.#config().token
    return voucherCsv(
      this.#batch(batchId).rows.map((row) => ({
        ...row.terms,
        code: row.code,
        qrUrl: encodeQr(row.terms, KEYS, PORTAL),
        batch: row.batch,
        label: row.label,
        tokensText: row.terms.tokens === null ? null : formatAmount(row.terms.tokens, decimals),
        priceText: formatAmount(row.terms.price, decimals),
        tokenSymbol: symbol,
        validUntilText: null,
        state: row.state,
      })),
    )
  }

  board(): PriceBoard {
    return priceBoard(this.#config(), { boottimeMs: this.#clock.boottimeMs(), wallMs: this.#clock.wallMs(), wallTrusted: this.#clock.isWallTrusted() })
  }

  // ---- inside

  #package(id: string) {
    const one = this.#config().packages.find((known) => known.id === id)
    if (!one) throw inputError('packageId', id, this.#config().packages.map((known) => known.id).join(', '))
    return one
  }

  #batch(id: string): Batch {
    const batch = this.#batches.find((known) => known.id === id)
    if (!batch) throw new MeshBoxError('not-found', 'there is no such batch', { code: 'no-batch', field: 'batch' })
    return batch
  }

  #kept(id: string): Kept {
    const kept = this.#sessions.find((known) => known.view.id === id)
    if (!kept) throw new MeshBoxError('not-found', 'there is no such session', { code: 'no-session', field: 'id' })
    return kept
  }

  #now(kept: Kept): SessionView {
    const now = this.#clock.boottimeMs()
    const seconds = kept.view.state === 'active' ? Math.max(0, Math.floor((now - kept.atMs) / 1000)) : 0
    if (seconds > 0) {
      kept.atMs += seconds * 1000
      const { secondsLeft, secondsUsed, downBytes, upBytes } = kept.view
      const left = secondsLeft === null ? null : Math.max(0, secondsLeft - seconds)
      kept.view = {
        ...kept.view,
        secondsLeft: left,
        secondsUsed: secondsUsed + seconds,
        downBytes: downBytes + seconds * kept.downPerSecond,
        upBytes: upBytes + Math.round(seconds * kept.downPerSecond * 0.12),
        ...(left === 0 ? { state: 'ended', endReason: 'time-used' } : {}),
      }
    } else if (kept.view.state !== 'active') kept.atMs = now
    return kept.view
  }

  #set(id: string, change: Partial<SessionView>): SessionView {
    const kept = this.#kept(id)
    kept.view = { ...this.#now(kept), ...change }
    kept.atMs = this.#clock.boottimeMs()
    return kept.view
  }
}
