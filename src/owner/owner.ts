/**
 * The owner's verbs, the same for the dashboard (io/owner-server.ts) and the command line
 * (io/control-server.ts): asks the rooms, answers in the JSON of api.ts. Decides nothing about sessions,
 * money or keys; that is the business of their rooms. Who may ask is the doors' business, with `access`.
 */
import { MeshBoxError, formatAmount, inputError, momentOf, toHex } from '../base/index.ts'
import type { OwnerDesk, SessionView } from '../hotspot/index.ts'
import { verifyReceipt } from '../hotspot/receipt/index.ts'
import { dayOf } from '../ledger/index.ts'
import type * as Api from './api.ts'
import { AuditVerb } from './audit.ts'
import { OwnerAccess } from './access.ts'
import { ConfigEditor } from './config-editor.ts'
import { earningsJson, entryJson } from './earnings.ts'
import { metricsText } from './metrics.ts'
import { dateOfDay, dayOfDate, money, priceOfMinutesPerToken } from './money.ts'
import type { ChainDesk, OwnerPorts } from './ports.ts'
import { IotVerbs } from './iot.ts'
import { MeshVerbs } from './mesh.ts'
import { PayoutVerbs } from './payout.ts'
import { PhotonVerbs } from './photon.ts'
import { receiptJson } from './receipt.ts'
import { settingsJson } from './settings.ts'
import { statusJson } from './status.ts'
import { supportBundle } from './support-bundle.ts'
import { isSessionFound, sessionJson, tariffJson, voucherBatchJson, voucherJson } from './views.ts'
import { Wizard } from './wizard.ts'

const DEFAULT_PAGE = 100
const DEFAULT_DAYS = 30
/** Sessions looked through for a text, newest first. */
const FIND_WITHIN = 4000
const FIND_PAGE = 500
const MAX_BATCHES = 500
/** Accounts without an entry for so long are not listed. */
const ACCOUNT_DAYS = 400
const MAX_EXTEND_SECONDS = 366 * 86_400
const MAX_EXTEND_BYTES = 2 ** 40

export class Owner {
  readonly access: OwnerAccess
  readonly wizard: Wizard
  /** Payment channels. */
  readonly photon: PhotonVerbs
  /** Other boxes. */
  readonly mesh: MeshVerbs
  readonly iot: IotVerbs
  readonly audit: AuditVerb
  readonly payouts: PayoutVerbs
  readonly #ports: OwnerPorts
  readonly #editor: ConfigEditor
  readonly #startedBoottimeMs: number

  constructor(ports: OwnerPorts) {
    this.#ports = ports
    this.#startedBoottimeMs = ports.clock.boottimeMs()
    this.#editor = new ConfigEditor(ports.config)
    this.access = new OwnerAccess({
      password: ports.password,
      clock: ports.clock,
      randomness: ports.randomness,
      log: ports.log,
      boxName: () => ports.config.current().main.name,
      idleMinutes: () => ports.config.current().owner.sessionMinutes,
      observeOwnerClock: ports.observeOwnerClock,
    })
    this.photon = new PhotonVerbs(ports.photon ?? null)
    this.mesh = new MeshVerbs(ports.mesh ?? null, ports.joining ?? null, ports.clock)
    this.audit = new AuditVerb(ports.audit ?? null)
    this.iot = new IotVerbs(ports.iot ?? null, ports.clock)
    this.payouts = new PayoutVerbs(ports.payouts ?? null)
    this.wizard = new Wizard(this.access, ports.password, ports.config, this.#editor)
  }

  // ---- status

  status(): Api.StatusJson {
    return statusJson(this.#ports, this.photon, this.mesh, this.iot, this.payouts, this.#startedBoottimeMs)
  }

  /** With the set-up code while the box has no owner: only for who is on the box itself. */
  consoleStatus(): Api.StatusJson {
    return this.access.isUnclaimed ? { ...this.status(), setupCode: this.access.firstRun.setupCode } : this.status()
  }

  recentEvents(query: { limit?: number; level?: Api.LogEventJson['level'] } = {}): Api.LogJson {
    const { ring } = this.#ports
    return { events: ring.last(query.limit ?? DEFAULT_PAGE, query.level ?? 'info'), dropped: ring.dropped }
  }

  metrics(): string {
    const { ledger, store, clock, config } = this.#ports
    return metricsText(this.status(), config.current().token, store.read((tx) => ledger.totals(tx, momentOf(clock))), this.photon.statusOrNull(), this.mesh.isOn ? { status: this.mesh.statusOrNull() } : null, this.iot.statusOrNull())
  }

  // ---- sessions

  sessions(query: Api.SessionsQuery = {}): Api.SessionsJson {
    const limit = query.limit ?? DEFAULT_PAGE
    const state = query.state ?? 'open'
    const { find } = query
    const page = (size: number, beforeId: string | undefined): SessionView[] =>
      this.#desk.sessions({ state, limit: size, ...(beforeId === undefined ? {} : { beforeId }) })
    if (find === undefined || find === '') {
      const views = page(limit, query.beforeId)
      return { sessions: this.#sessionsJson(views), nextBeforeId: views.length < limit ? null : (views.at(-1)?.id ?? null) }
    }
    const found: SessionView[] = []
    let beforeId = query.beforeId
    for (let looked = 0; looked < FIND_WITHIN; looked += FIND_PAGE) {
      const views = page(FIND_PAGE, beforeId)
      for (const view of views) {
        beforeId = view.id
        if (isSessionFound(view, find)) found.push(view)
        if (found.length === limit) return { sessions: this.#sessionsJson(found), nextBeforeId: beforeId }
      }
      if (views.length < FIND_PAGE) return { sessions: this.#sessionsJson(found), nextBeforeId: null }
    }
    return { sessions: this.#sessionsJson(found), nextBeforeId: beforeId ?? null }
  }

  session(id: string): Api.SessionJson {
    return this.#sessionJson(this.#desk.session(id))
  }

  async kick(id: string): Promise<Api.SessionJson> {
    return this.#sessionJson(await this.#desk.kick(id))
  }

  async pause(id: string): Promise<Api.SessionJson> {
    return this.#sessionJson(await this.#desk.pause(id))
  }

  async resume(id: string): Promise<Api.SessionJson> {
    return this.#sessionJson(await this.#desk.resume(id))
  }

  async extend(id: string, add: Api.ExtendRequest): Promise<Api.SessionJson> {
    const within = (value: number | undefined, max: number): boolean => value === undefined || (Number.isInteger(value) && value > 0 && value <= max)
    if (!within(add.seconds, MAX_EXTEND_SECONDS)) throw inputError('seconds', add.seconds, `1..${MAX_EXTEND_SECONDS}`)
    if (!within(add.bytes, MAX_EXTEND_BYTES)) throw inputError('bytes', add.bytes, `1..${MAX_EXTEND_BYTES}`)
    if (add.seconds === undefined && add.bytes === undefined) throw inputError('seconds', 'nothing', 'seconds, bytes or both')
    return this.#sessionJson(await this.#desk.extend(id, add))
  }

  async refund(id: string): Promise<Api.RefundReply> {
    const { session, refunded } = await this.#desk.refund(id)
    return { session: this.#sessionJson(session), refunded: money(refunded, this.#decimals) }
  }

  // ---- vouchers

  vouchers(query: Api.VouchersQuery = {}): Api.VouchersJson {
    const limit = query.limit ?? DEFAULT_PAGE
    const offset = query.offset ?? 0
    const rows = this.#desk.vouchers({
      limit,
      offset,
      ...(query.batch === undefined ? {} : { batch: query.batch }),
      ...(query.state === undefined ? {} : { state: query.state }),
    })
    return { vouchers: rows.map((row) => voucherJson(row, this.#decimals)), nextOffset: rows.length < limit ? null : offset + limit }
  }

  voucherBatches(): Api.VoucherBatchesJson {
    return { batches: this.#desk.voucherBatches(MAX_BATCHES).map((row) => voucherBatchJson(row, this.#decimals)) }
  }

  async createVouchers(request: Api.VoucherCreateRequest): Promise<Api.VoucherCreateReply> {
    const validUntilDay = request.validUntil === undefined ? undefined : dayOfDate(request.validUntil, 'validUntil')
    const { clock } = this.#ports
    if (validUntilDay !== undefined && clock.isWallTrusted() && (validUntilDay + 1) * 86_400_000 <= clock.wallMs())
      throw inputError('validUntil', request.validUntil, 'today or later')
    const rows = await this.#desk.createVouchers({
      packageId: request.packageId,
      count: request.count,
      ...(validUntilDay === undefined ? {} : { validUntilDay }),
      ...(request.note === undefined ? {} : { note: request.note }),
    })
    const first = rows[0]
    if (!first) throw new MeshBoxError('internal', 'the hotspot made no vouchers', { code: 'no-vouchers' })
    return { batch: first.batch, vouchers: rows.map((row) => voucherJson(row, this.#decimals)) }
  }

  async revokeVouchers(request: Api.VoucherRevokeRequest): Promise<Api.VoucherRevokeReply> {
    const given = Object.values(request).filter((value) => value !== undefined)
    if (given.length !== 1) throw inputError('id, code, batch', `${given.length} of them`, 'exactly one of the three')
    return this.#desk.revokeVouchers(request)
  }

  /** A4 HTML page for printing. */
  async voucherSheet(batch: string): Promise<string> {
    return this.#desk.voucherSheet(batch)
  }

  async voucherCsv(batch: string): Promise<string> {
    return this.#desk.voucherCsv(batch)
  }

  // ---- prices and settings

  tariff(): Api.TariffJson {
    return tariffJson(this.#ports.config.current(), this.#ports.desk?.board() ?? null)
  }

  async changeTariff(change: Api.TariffChange): Promise<Api.TariffReply> {
    const { packages, happyHours, minutesPerToken, ...prices } = change
    if (minutesPerToken !== undefined && prices.pricePerMinute !== undefined)
      throw inputError('minutesPerToken', minutesPerToken, 'pricePerMinute or minutesPerToken, not both')
    const perMinute =
      minutesPerToken === undefined ? {} : { pricePerMinute: formatAmount(priceOfMinutesPerToken(minutesPerToken, this.#decimals), this.#decimals) }
    const reload = await this.#editor.change({
      tariff: { ...prices, ...perMinute },
      ...(packages === undefined ? {} : { packages }),
      ...(happyHours === undefined ? {} : { happyHours }),
    })
    this.#ports.log.info('prices changed by the owner', { applied: reload.applied.join(' ') })
    return { tariff: this.tariff(), reload }
  }

  settings(ownerTls: boolean): Api.SettingsJson {
    return settingsJson(this.#ports, ownerTls)
  }

  async changeSettings(change: Api.SettingsChange, ownerTls: boolean): Promise<Api.SettingsReply> {
    const reload = await this.#editor.change(change)
    return { settings: this.settings(ownerTls), reload }
  }

  reload(): Promise<Api.ReloadReportJson> {
    return this.#editor.reload()
  }

  // ---- earnings

  earnings(query: Api.EarningsQuery = {}): Api.EarningsJson {
    const { ledger, store, clock } = this.#ports
    const { symbol, decimals } = this.#ports.config.current().token
    const now = momentOf(clock)
    return store.read((tx) => {
      const range = now.wallTrusted ? { fromDay: dateOfDay(Math.floor(now.wallMs / 86_400_000) - ACCOUNT_DAYS) } : {}
      const accounts = [...new Set(ledger.statements(tx, range).filter((row) => row.token === symbol).map((row) => row.account))].sort()
      return earningsJson({
        symbol,
        decimals,
        days: query.days ?? DEFAULT_DAYS,
        wallMs: now.wallMs,
        clockTrusted: now.wallTrusted,
        totals: ledger.totals(tx, now),
        balances: accounts.map((account) => ({ account, balance: ledger.balance(tx, account, symbol) })),
        today: dayOf(now),
      })
    })
  }

  entries(query: Api.EntriesQuery = {}): Api.EntriesJson {
    const { ledger, store } = this.#ports
    const { symbol, decimals } = this.#ports.config.current().token
    const limit = query.limit ?? DEFAULT_PAGE
    const entries = store.read((tx) => ledger.entries(tx, { limit, ...(query.afterId === undefined ? {} : { afterId: query.afterId }) }))
    return {
      entries: entries.map((entry) => entryJson(entry, symbol, decimals)),
      nextAfterId: entries.length < limit ? null : (entries.at(-1)?.id ?? null),
    }
  }

  // ---- keys, receipts, copies

  verifyReceipt(request: Api.ReceiptVerifyRequest): Api.ReceiptVerifyReply {
    return receiptJson(verifyReceipt(request.receipt), this.#ports.identity.address)
  }

  /** Once in the life of the key. Errors: conflict `words-already-shown`. */
  async recoveryWords(): Promise<Api.WordsReply> {
    this.#ports.log.warn('recovery words of the box shown to the owner')
    return { words: await this.#ports.identity.revealRecoveryWords() }
  }

  voucherWords(): Api.WordsReply {
    this.#ports.log.warn('voucher words shown to the owner')
    return { words: this.#ports.voucherKeys.revealVoucherWords() }
  }

  async adoptVoucherWords(request: Api.AdoptRequest): Promise<Api.AdoptReply> {
    await this.#ports.voucherKeys.adoptVoucherWords(request.words, request.replace ?? false)
    this.#ports.log.warn('voucher keys of another box adopted')
    return { voucherPublicKey: toHex(this.#ports.voucherKeys.publicKey) }
  }

  /** Writes a consistent copy of the books to a new file. */
  async backup(path: string): Promise<Api.BackupReply> {
    const { bytes } = await this.#ports.store.backup(path)
    return { path, bytes }
  }

  /** tar.gz without secrets. */
  supportBundle(): Promise<Uint8Array> {
    return supportBundle(this.#ports, this.status(), [this.access.firstRun.setupCode])
  }

  get #desk(): OwnerDesk {
    if (this.#ports.desk === null)
      throw new MeshBoxError('unavailable', "the hotspot is not switched on; add 'hotspot' to the roles and restart the service", { code: 'hotspot-off' })
    return this.#ports.desk
  }

  get #decimals(): number {
    return this.#ports.config.current().token.decimals
  }

  // ---- chain

  chain(): Api.ChainPageView {
    return this.#chain().page()
  }

  clearChainAlarm(): Promise<Api.ChainPageView> {
    return this.#chain().clearAlarm()
  }

  chainCheckpoint(): Api.ChainCheckpointJson {
    return this.#chain().checkpoint()
  }

  chainBranches(): Api.ChainBranchesJson {
    return this.#chain().branches()
  }

  adoptBranch(hash: string): Promise<Api.ChainPageView> {
    return this.#chain().adopt(hash)
  }

  chainWallet(): Promise<Api.ChainWalletJson> {
    return this.#chain().wallet()
  }

  sendCoins({ to, amount }: Api.ChainSendRequest): Promise<Api.ChainSentJson> {
    return this.#chain().send(to, amount)
  }

  chainPoc(): Api.ChainPocJson {
    return this.#chain().poc()
  }

  orderPoc(order: Api.ChainPocOrder): Promise<Api.ChainPocJson> {
    return this.#chain().pocOrder(order)
  }

  chainPocCalls(wallet: string): Api.ChainPocCallsJson {
    return this.#chain().pocCalls(wallet)
  }

  #sessionJson(view: SessionView): Api.SessionJson {
    return sessionJson(view, this.#decimals)
  }

  #sessionsJson(views: readonly SessionView[]): Api.SessionJson[] {
    const decimals = this.#decimals
    return views.map((view) => sessionJson(view, decimals))
  }

  #chain(): ChainDesk {
    if (!this.#ports.chain) throw new MeshBoxError('unavailable', "this box follows no chain; name one in section chain 'chain', add 'light' or 'sealer' to the roles, and restart the service", { code: 'chain-off' })
    return this.#ports.chain
  }
}
