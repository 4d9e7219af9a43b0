/** An OwnerDesk that keeps sessions and vouchers in memory and writes down what it was asked. */
import { MeshBoxError } from '../../../src/base/index.ts'
import type { HotspotStatus, OwnerDesk, PriceBoard, SessionView, VoucherBatchRequest, VoucherBatchRow, VoucherRow } from '../../../src/hotspot/index.ts'

export const CODE = '7K3QH-M9XWT'

export function sessionView(id: string, over: Partial<SessionView> = {}): SessionView {
  return {
    id,
    state: 'active',
    endReason: null,
    pauseReason: null,
    source: 'voucher',
    label: '30 minutes',
    secondsLeft: 1234,
    bytesLeft: null,
    secondsUsed: 566,
    upBytes: 1_000_000,
    downBytes: 20_000_000,
    devices: [{ mac: '02:00:00:00:00:01', ip4: '10.77.0.23' }],
    devicesMax: 1,
    paid: 3_000_000n,
    refunded: 0n,
    startedWallMs: 1_700_000_000_000,
    startedWallTrusted: true,
    ...over,
  }
}

export class ScriptedDesk implements OwnerDesk {
  readonly asked: string[] = []
  readonly all: SessionView[] = []
  readonly rows: VoucherRow[] = []
  hotspot: HotspotStatus = {
    gate: { state: 'ready', repairs: 1, devices: 1 },
    sessionsActive: 1,
    sessionsPaused: 0,
    sessionsTotal: 7,
    vouchersUnused: 3,
    alarms: [{ kind: 'duplicate-mac', detail: '02:00:00:00:00:01 on two ports', mac: '02:00:00:00:00:01', wallMs: 1_700_000_000_000 }],
    option114: 'withheld',
    option114Reason: 'no certificate',
  }

  status(): HotspotStatus {
    return this.hotspot
  }
  sessions(filter: { state?: 'open' | 'all'; limit?: number; beforeId?: string } = {}): SessionView[] {
    const newestFirst = [...this.all].reverse().filter((one) => filter.state === 'all' || one.state !== 'ended')
    const from = filter.beforeId === undefined ? 0 : newestFirst.findIndex((one) => one.id === filter.beforeId) + 1
    return newestFirst.slice(from, from + (filter.limit ?? 100))
  }
  session(id: string): SessionView {
    const found = this.all.find((one) => one.id === id)
    if (!found) throw new MeshBoxError('not-found', `there is no session ${id}`, { code: 'no-session', field: 'id', value: id })
    return found
  }
  async counters(): Promise<[]> {
    return []
  }
  async kick(id: string): Promise<SessionView> {
    return this.#change('kick', id, { state: 'ended', endReason: 'ended-by-owner' })
  }
  async pause(id: string): Promise<SessionView> {
    return this.#change('pause', id, { state: 'paused', pauseReason: 'owner' })
  }
  async resume(id: string): Promise<SessionView> {
    return this.#change('resume', id, { state: 'active', pauseReason: null })
  }
  async extend(id: string, add: { seconds?: number; bytes?: number }): Promise<SessionView> {
    return this.#change(`extend ${JSON.stringify(add)}`, id, { secondsLeft: (this.session(id).secondsLeft ?? 0) + (add.seconds ?? 0) })
  }
  async refund(id: string): Promise<{ session: SessionView; refunded: bigint }> {
    const session = this.#change('refund', id, { state: 'ended', endReason: 'refunded', refunded: 1_500_000n })
    return { session, refunded: 1_500_000n }
  }
  async createVouchers(request: VoucherBatchRequest): Promise<VoucherRow[]> {
    this.asked.push(`create ${JSON.stringify(request)}`)
    if (request.packageId !== 'half_hour')
      throw new MeshBoxError('input', `packageId: '${request.packageId}' is not a package`, { code: 'bad-input', field: 'packageId', value: request.packageId, allowed: 'half_hour' })
    const batch = `b${this.rows.length + 1}`
    const made = Array.from({ length: request.count }, (_unused, index) => voucherRow(`0.0.${this.rows.length + index}`, batch, request))
    this.rows.push(...made)
    return made
  }
  vouchers(filter: { batch?: string; state?: VoucherRow['state']; limit?: number; offset?: number } = {}): VoucherRow[] {
    return this.rows
      .filter((row) => (filter.batch === undefined || row.batch === filter.batch) && (filter.state === undefined || row.state === filter.state))
      .slice(filter.offset ?? 0, (filter.offset ?? 0) + (filter.limit ?? 100))
  }
  voucherBatches(): VoucherBatchRow[] {
    return [...new Set(this.rows.map((row) => row.batch))].map((batch) => {
      const rows = this.rows.filter((row) => row.batch === batch)
      return { batch, label: rows[0]?.label ?? '', createdWallMs: 1_700_000_000_000, price: 3_000_000n, count: rows.length, unused: rows.length, used: 0, revoked: 0 }
    })
  }
  async revokeVouchers(ref: { id?: string; code?: string; batch?: string }): Promise<{ revoked: number }> {
    this.asked.push(`revoke ${JSON.stringify(ref)}`)
    return { revoked: this.rows.filter((row) => row.batch === ref.batch || row.id === ref.id || row.code === ref.code).length }
  }
  voucherSheet(batch: string): string {
    return `<!doctype html><title>${this.#batch(batch)}</title>`
  }
  voucherCsv(batch: string): string {
    return `id,code\r\n0.0.0,${CODE}\r\n${this.#batch(batch)}\r\n`
  }
  board(): PriceBoard {
    return { symbol: 'TOK', decimals: 6, pricePerMinute: 100_000n, pricePerMib: 0n, offers: [], happyHour: null, trial: null }
  }

  #batch(batch: string): string {
    if (this.rows.some((row) => row.batch === batch)) return batch
    throw new MeshBoxError('not-found', `there is no batch ${batch}`, { code: 'no-batch', field: 'batch', value: batch })
  }
  #change(what: string, id: string, over: Partial<SessionView>): SessionView {
    const index = this.all.indexOf(this.session(id))
    const changed = { ...this.session(id), ...over }
    this.asked.push(`${what} ${id}`)
    this.all[index] = changed
    return changed
  }
}

function voucherRow(id: string, batch: string, request: VoucherBatchRequest): VoucherRow {
  return {
    id,
    batch,
    label: request.note ?? '30 minutes',
    code: CODE,
    state: 'unused',
    sessionId: null,
    createdWallMs: 1_700_000_000_000,
    terms: { slot: 0, box: 0, serial: 0, seconds: 1800, bytes: null, tokens: null, devices: 1, downKbps: null, upKbps: null, price: 3_000_000n, validUntilDay: request.validUntilDay ?? null },
  }
}
