/** The owner's verbs on IoT: the room's desk in the JSON of api/iot.ts, amounts in tokens. Decides nothing about it; what the desk refuses goes out as it is. */
import { MeshBoxError, fromHex, inputError, parseAmount } from '../base/index.ts'
import type { Address, Clock } from '../base/index.ts'
import type { IotRoomDesk, IotToken, Tenant, TenantDetail } from '../iot/index.ts'
import { parseAudit, receiptJson, unitJson } from '../iot/tenants/receipt/index.ts'
import type * as Json from './api/iot.ts'
import type { HealthLine } from './api/status.ts'
import { parseDestination, parseRoute, withCertificates, withKnownPassword } from './iot-terms.ts'
import { deviceJson, downlinkJson, frameJson, gatewayJson, overviewJson, queueJson, readingJson, ruleJson, runJson, tenantJson, timeJson } from './iot-views.ts'

export interface IotPort {
  /** Null: it could not be started; `fault` says why. */
  readonly desk: IotRoomDesk | null
  readonly fault?: string
  readonly tokens: () => readonly IotToken[]
}

type IotClock = Pick<Clock, 'bootId' | 'boottimeMs' | 'wallMs' | 'isWallTrusted'>

const NO_JOIN_EUI = '0000000000000000'
const DEFAULT_PAGE = 50
const DEFAULT_POINTS = 200
const SHOWN_RUNS = 100
const BILL_ROWS = 500
const DAY_MS = 86_400_000
const NEW_CERTIFICATE = 'Give a new one on the page Sensors, in the tenant, or by `meshbox tenant set ID --ca FILE`, or --client-cert and --client-key; `meshbox tenant show ID` says which.'

export class IotVerbs {
  readonly #port: IotPort | null
  readonly #clock: IotClock

  constructor(port: IotPort | null, clock: IotClock) {
    this.#port = port
    this.#clock = clock
  }

  get isOn(): boolean {
    return this.#port !== null
  }

  status(): Json.IotStatusJson {
    return overviewJson(this.#desk.overview())
  }

  /** Null where there is none, or it could not be started. */
  statusOrNull(): Json.IotStatusJson | null {
    return this.#port === null || this.#port.desk === null ? null : this.status()
  }

  /** One line for the box's health; null on a box without. */
  health(): HealthLine | null {
    if (this.#port === null) return null
    const line = (level: HealthLine['level'], text: string): HealthLine => ({ part: 'iot', level, text, ...(level === 'ok' ? {} : { advice: 'Look at the page Sensors, or `meshbox lora status`.' }) })
    if (this.#port.desk === null) return line('bad', `IoT could not be started: ${this.#port.fault ?? 'see the log'}`)
    const { broker, gateways, devices, tenants } = this.#port.desk.overview()
    if (broker.problem !== null) return line('bad', `IoT: the MQTT broker is not there: ${broker.problem}`)
    if (gateways.online === 0) return line('warn', gateways.known === 0 ? 'IoT: no concentrator has been heard yet' : 'IoT: no concentrator is online')
    if (tenants.expired.length > 0) return { ...line('warn', `IoT: a certificate on the way to ${someOf(tenants.expired)} has expired`), advice: NEW_CERTIFICATE }
    if (tenants.expiring.length > 0) return { ...line('warn', `IoT: a certificate on the way to ${someOf(tenants.expiring)} expires within 14 days`), advice: NEW_CERTIFICATE }
    return line('ok', `IoT: ${gateways.online} ${gateways.online === 1 ? 'concentrator' : 'concentrators'}, ${devices.online} of ${devices.known} devices online`)
  }

  gateways(): Json.IotGatewaysJson {
    return { gateways: this.#desk.gateways().map((gateway) => gatewayJson(gateway, this.#clock)) }
  }

  // ---- devices

  devices(): Json.IotDevicesJson {
    return { devices: this.#desk.devices().map((device) => deviceJson(device, this.#clock)) }
  }

  /** What is left out stays as it is. Errors: input; conflict `device-is-tenants`. */
  async putDevice(request: Json.IotDeviceRequest): Promise<Json.IotDeviceJson> {
    const before = this.#desk.device(request.devEui)
    const view = await this.#desk.putDevice({
      devEui: request.devEui,
      name: request.name,
      joinEui: request.joinEui ?? before?.joinEui ?? NO_JOIN_EUI,
      macVersion: request.macVersion ?? before?.macVersion ?? (request.nwkKey === undefined && request.abp?.sNwkSIntKey === undefined ? '1.0.4' : '1.1'),
      deviceClass: request.deviceClass ?? before?.deviceClass ?? 'A',
      codec: request.codec === undefined ? (before?.codec ?? null) : request.codec,
      allowsCounterReset: request.allowsCounterReset ?? before?.allowsCounterReset ?? false,
      isDisabled: request.isDisabled ?? before?.isDisabled ?? false,
      expectedIntervalSeconds: request.expectedIntervalSeconds === undefined ? (before?.expectedIntervalSeconds ?? null) : request.expectedIntervalSeconds,
      appKey: keyOf(request.appKey),
      nwkKey: keyOf(request.nwkKey),
      abp:
        request.abp === undefined
          ? null
          : {
              devAddr: Number.parseInt(request.abp.devAddr, 16),
              nwkSKey: fromHex(request.abp.nwkSKey.toLowerCase()),
              network11: network11Of(request.abp),
              appSKey: fromHex(request.abp.appSKey.toLowerCase()),
              fCntUp: request.abp.fCntUp ?? 0,
              fCntDown: request.abp.fCntDown ?? 0,
              aFCntDown: request.abp.aFCntDown ?? 0,
            },
    })
    return deviceJson(view, this.#clock)
  }

  /** Errors: not-found. */
  async removeDevice(devEui: string): Promise<Json.IotDevicesJson> {
    if (!(await this.#desk.removeDevice(devEui))) throw notFound('device', devEui)
    return this.devices()
  }

  async forgetDevNonces(devEui: string): Promise<Json.IotDevicesJson> {
    await this.#desk.forgetDevNonces(devEui)
    return this.devices()
  }

  readings(devEui: string, { before, limit = DEFAULT_PAGE }: Json.IotReadingsQuery): Json.IotReadingsJson {
    const rows = this.#desk.readings({ devEui, limit, ...(before === undefined ? {} : { beforeId: before }) })
    return { readings: rows.map((row) => readingJson(row, this.#clock)) }
  }

  series(devEui: string, { name, from, to, points = DEFAULT_POINTS }: Json.IotSeriesQuery): Json.IotSeriesJson {
    return { points: this.#desk.series({ devEui, name, fromWallMs: from, toWallMs: to, points }) }
  }

  /** In pieces. */
  csv(devEui: string, { from, to }: Json.IotSpanQuery): AsyncIterable<string> {
    if (this.#desk.device(devEui) === null) throw notFound('device', devEui)
    return this.#desk.csv({ devEui, fromWallMs: from ?? 0, toWallMs: to ?? Math.ceil(this.#clock.wallMs()) + DAY_MS })
  }

  queue(devEui: string): Json.IotQueueJson {
    return { queue: this.#desk.queue(devEui).map((item) => queueJson(item, this.#clock)) }
  }

  async send(devEui: string, { data, fPort, payload, isConfirmed = false, expiresSeconds }: Json.IotSendRequest): Promise<Json.IotQueueItemJson> {
    if ((data === undefined) === (payload === undefined)) throw inputError('data', data === undefined ? 'nothing' : '(both)', 'either data, for the codec, or payload with fPort')
    if (payload !== undefined && fPort === undefined) throw inputError('fPort', 'nothing', '1 to 223, beside payload')
    const what = payload === undefined ? { data } : { fPort: fPort ?? 1, bytes: fromHex(payload.toLowerCase()) }
    const item = await this.#desk.send({ devEui, what, isConfirmed, expiresSeconds: expiresSeconds ?? null, asker: 'rest' })
    return queueJson(item, this.#clock)
  }

  async cancel(queueId: number): Promise<Json.IotQueueItemJson> {
    return queueJson(await this.#desk.cancel(queueId), this.#clock)
  }

  frames({ limit = DEFAULT_PAGE }: Json.IotLimitQuery): Json.IotFramesJson {
    return { frames: this.#desk.frames(limit).map((frame) => frameJson(frame, this.#clock)) }
  }

  downlinks({ limit = DEFAULT_PAGE }: Json.IotLimitQuery): Json.IotDownlinksJson {
    return { downlinks: this.#desk.downlinks(limit).map((event) => downlinkJson(event, this.#clock)) }
  }

  // ---- tenants

  tenants(): Json.IotTenantsJson {
    return { tenants: this.#desk.tenants().map((tenant) => tenantJson(tenant)) }
  }

  /** Errors: input; conflict `route-taken`, `payer-taken`, `device-is-own`; limit. */
  async putTenant(request: Json.IotTenantRequest): Promise<Json.IotTenantJson> {
    const { address: token, decimals } = this.#token(request.token)
    const amount = (text: string, field: string): bigint => parseAmount(text, decimals, field)
    const before = this.#desk.tenant(request.id)
    const tenant: Tenant = {
      id: request.id,
      name: request.name,
      payer: request.payer.toLowerCase() as Address,
      routes: request.routes.map(parseRoute),
      destination: withCertificates(withKnownPassword(parseDestination(request.destination), before?.destination ?? null), before?.destination ?? null, request),
      prices: {
        token,
        perUnit: amount(request.perUnit, 'perUnit'),
        perJoin: amount(request.perJoin ?? '0', 'perJoin'),
        perLateFrame: latePrice(request.perLateFrame, before, amount),
        perDownlinkMs: Object.fromEntries((request.perDownlinkMs ?? []).map((text) => bandPrice(text, amount))),
      },
      creditWindow: amount(request.creditWindow ?? '0', 'creditWindow'),
      maxCopies: request.maxCopies ?? before?.maxCopies ?? 1,
      isPaused: before?.isPaused ?? false,
    }
    return tenantJson(await this.#desk.putTenant(tenant))
  }

  async pauseTenant(id: string, { isPaused }: { readonly isPaused: boolean }): Promise<Json.IotTenantJson> {
    return tenantJson(await this.#desk.pauseTenant(id, isPaused))
  }

  async endTenant(id: string): Promise<Json.IotTenantJson> {
    return tenantJson(await this.#desk.endTenant(id))
  }

  async putKeys(id: string, { keys }: Json.IotKeysRequest): Promise<Json.IotTenantJson> {
    await this.#desk.putMicKeys(id, keys.map(micKeyOf))
    return this.#tenant(id)
  }

  async forgetKeys(id: string): Promise<Json.IotTenantJson> {
    await this.#desk.forgetMicKeys(id)
    return this.#tenant(id)
  }

  /** Errors: input `receipt`; conflict `not-behind`. */
  async catchUp(id: string, { receipt }: Json.IotCatchUpRequest): Promise<Json.IotTenantJson> {
    if (receipt === null) return tenantJson(await this.#desk.catchUp(id, null))
    const { receipts } = parseAudit(receipt)
    const [newest] = [...receipts].sort((a, b) => (a.seq < b.seq ? 1 : -1))
    if (newest === undefined) throw inputError('receipt', 'none in it', 'a receipt, or a bill with receipts')
    return tenantJson(await this.#desk.catchUp(id, newest))
  }

  /** JSON in pieces, as `meshbox lora receipt verify` reads it: what lies on the box, receipts and the units since the oldest of them. Errors: not-found. */
  bill(id: string): AsyncIterable<string> {
    this.#tenant(id)
    return billText(this.#desk, id)
  }

  // ---- rules

  rules(): Json.IotRulesJson {
    return { rules: this.#desk.rules().map((rule) => ruleJson(rule, this.#clock)), runs: this.#desk.runs({ limit: SHOWN_RUNS }).map((run) => runJson(run, this.#clock)) }
  }

  async putRule(request: Json.IotRuleRequest): Promise<Json.IotRuleJson> {
    return ruleJson(await this.#desk.putRule(request), this.#clock)
  }

  async removeRule(id: string): Promise<Json.IotRulesJson> {
    if (!(await this.#desk.removeRule(id))) throw notFound('rule', id)
    return this.rules()
  }

  tryRule({ text }: Json.IotRuleTrialRequest): Json.IotRuleTrialJson {
    const { text: understood, readings, runs } = this.#desk.tryRule(text)
    return { text: understood, readings, runs: runs.map(({ at, because }) => ({ at: timeJson(at, this.#clock), because })) }
  }

  // ---- codecs and names on the broker

  codecs(): Json.IotCodecsJson {
    return { codecs: this.#desk.codecs() }
  }

  async putCodec({ name, source }: Json.IotCodecRequest): Promise<Json.IotCodecsJson> {
    await this.#desk.putCodec(name, source)
    return this.codecs()
  }

  tryCodec(name: string, { payload, fPort }: Json.IotCodecTrialRequest): Promise<Json.IotCodecTrialJson> {
    return this.#desk.tryCodec(name, { bytes: fromHex(payload.toLowerCase()), fPort })
  }

  async removeCodec(name: string): Promise<Json.IotCodecsJson> {
    if (!(await this.#desk.removeCodec(name))) throw notFound('codec', name)
    return this.codecs()
  }

  brokerUsers(): Json.IotBrokerUsersJson {
    return { users: this.#desk.brokerUsers() }
  }

  async addBrokerUser({ name, tenant = null }: Json.IotBrokerUserRequest): Promise<Json.IotBrokerUserReply> {
    const user = { name, tenant }
    return { ...user, ...(await this.#desk.addBrokerUser(user)) }
  }

  async removeBrokerUser(name: string): Promise<Json.IotBrokerUsersJson> {
    if (!(await this.#desk.removeBrokerUser(name))) throw notFound('name', name)
    return this.brokerUsers()
  }

  #tenant(id: string): Json.IotTenantJson {
    const found = this.#desk.tenant(id)
    if (found === null) throw notFound('tenant', id)
    return tenantJson(found)
  }

  get #desk(): IotRoomDesk {
    if (this.#port === null) throw new MeshBoxError('unavailable', "this box has no IoT; add 'iot' to the roles and restart the service", { code: 'iot-off' })
    const { desk, fault = 'see the log' } = this.#port
    if (desk === null) throw new MeshBoxError('unavailable', `IoT could not be started: ${fault}; mend that and restart the service`, { code: 'iot-not-started' })
    return desk
  }

  /** Errors: input `token`, naming those there are. */
  #token(named: string | undefined): IotToken {
    const tokens = this.#port?.tokens() ?? []
    const wanted = named?.toLowerCase()
    const found = wanted === undefined ? tokens[0] : tokens.find(({ address, symbol }) => address === wanted || symbol.toLowerCase() === wanted)
    if (found === undefined) throw inputError('token', named ?? 'nothing', tokens.map(({ address, symbol }) => `${symbol} (${address})`).join(', ') || 'a token that section photon names: there is none')
    return found
  }
}

async function* billText(desk: IotRoomDesk, id: string): AsyncIterable<string> {
  yield '{"receipts":['
  let isFirst = true
  let oldest: bigint | null = null
  for (;;) {
    const page = desk.receipts(id, { limit: BILL_ROWS, ...(oldest === null ? {} : { beforeSeq: oldest }) })
    for (const receipt of page) {
      yield `${isFirst ? '' : ','}${JSON.stringify(receiptJson(receipt))}`
      isFirst = false
      oldest = receipt.seq
    }
    if (page.length < BILL_ROWS) break
  }
  yield '],"units":['
  // Older units were forgotten, or begin at no receipt that is here.
  const [first] = desk.units(id, { afterSeq: 0n, limit: 1 })
  let after = first?.seq === 1n ? 0n : (oldest ?? 0n)
  isFirst = true
  for (;;) {
    const page = desk.units(id, { afterSeq: after, limit: BILL_ROWS })
    for (const unit of page) {
      yield `${isFirst ? '' : ','}${JSON.stringify(unitJson(unit))}`
      isFirst = false
      after = unit.seq
    }
    if (page.length < BILL_ROWS) break
  }
  yield ']}\n'
}

/** Who is let in anew pays for a late frame what one in time costs, unless it is said. */
function latePrice(asked: string | null | undefined, before: TenantDetail | null, amount: (text: string, field: string) => bigint): bigint | null {
  if (asked === undefined) return before === null || before.isEnded ? null : before.prices.perLateFrame
  return asked === null ? null : amount(asked, 'perLateFrame')
}

/** `L 0.001`. Errors: input `perDownlinkMs`. */
function bandPrice(text: string, amount: (text: string, field: string) => bigint): readonly [string, bigint] {
  const [band = '', price = '', ...more] = text.trim().split(/\s+/)
  if (price === '' || more.length > 0) throw inputError('perDownlinkMs', text, 'a sub-band and a price, `L 0.001`; `*` for the others')
  return [band, amount(price, 'perDownlinkMs')]
}

/** Errors: input `keys`. */
function someOf(ids: readonly string[]): string {
  return `${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ` and ${ids.length - 3} more` : ''}`
}

function micKeyOf({ devAddr, nwkSKey, fNwkSIntKey }: Json.IotKeysRequest['keys'][number]): { readonly devAddr: number; readonly key: Uint8Array; readonly is11: boolean } {
  const key = keyOf(fNwkSIntKey ?? nwkSKey)
  if (key === null || (nwkSKey !== undefined && fNwkSIntKey !== undefined)) throw inputError('keys', `${devAddr} with ${key === null ? 'no key' : 'both'}`, 'nwkSKey (LoRaWAN 1.0), or fNwkSIntKey (1.1)')
  return { devAddr: Number.parseInt(devAddr, 16), key, is11: fNwkSIntKey !== undefined }
}

function keyOf(hexDigits: string | undefined): Uint8Array | null {
  return hexDigits === undefined ? null : fromHex(hexDigits.toLowerCase())
}

/** Null: 1.0. Errors: input. */
function network11Of({ sNwkSIntKey, nwkSEncKey }: NonNullable<Json.IotDeviceRequest['abp']>): { readonly sNwkSIntKey: Uint8Array; readonly nwkSEncKey: Uint8Array } | null {
  const [serving, encryption] = [keyOf(sNwkSIntKey), keyOf(nwkSEncKey)]
  if ((serving === null) !== (encryption === null)) throw inputError('abp', 'one of sNwkSIntKey and nwkSEncKey', 'both, for LoRaWAN 1.1, or neither')
  return serving === null || encryption === null ? null : { sNwkSIntKey: serving, nwkSEncKey: encryption }
}

function notFound(what: 'device' | 'tenant' | 'rule' | 'codec' | 'name', value: string): MeshBoxError {
  return new MeshBoxError('not-found', `there is no ${what} ${value}`, { code: `no-${what}`, field: 'id', value })
}
