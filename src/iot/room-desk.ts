/** What the owner may do and see, over the desks of the parts. Decides little: what a part refuses goes out as it is. */
import { MeshBoxError, inputError, momentOf } from '../base/index.ts'
import type { Cancel, Moment } from '../base/index.ts'
import type { BrokerSide } from './broker-side.ts'
import { CAYENNE_LPP } from './codecs/index.ts'
import type { BoxCodecs } from './codecs/index.ts'
import type { BrokerUserView, CodecView, DeviceOrder, DownlinkEvent, GatewayView, IotOverview, IotRoomDesk, RuleOrder, RuleTrial, RuleView, SendOrder, TenantDetail } from './desk.ts'
import type { KnownDevices } from './known-devices.ts'
import type { LateFrames } from './late/index.ts'
import type { LiveBoard } from './live-board.ts'
import type { DataLog, DataLogTables } from './log/index.ts'
import { MAX_BROKER_TENANTS, brokerUserTables, hashPassword, newPassword } from './mqtt/index.ts'
import { abpSession } from './network/index.ts'
import type { Network, networkRows } from './network/index.ts'
import type { IotParts } from './parts.ts'
import type { Actuators, BillableUnit, Device, DeviceSession, DeviceView, Eui, Expiry, FrameEvent, QueueItem, Reading, Receipt, RuleRun, SeriesPoint, Tenant, TenantId, Value } from './ports.ts'
import type { OpenRadio } from './radio/index.ts'
import { checkRule, parseRule, ruleText, trialOf } from './rules/index.ts'
import type { BoxRules, LocalRule } from './rules/index.ts'
import type { TenantDetails, TenantHouse } from './tenants/index.ts'

export interface RoomDeskParts extends Pick<IotParts, 'settings' | 'store' | 'tokens' | 'clock' | 'randomness'> {
  readonly radio: OpenRadio
  readonly network: Network
  readonly rows: ReturnType<typeof networkRows>
  readonly codecs: BoxCodecs
  readonly devices: KnownDevices
  readonly actuators: Actuators
  readonly rules: BoxRules
  readonly dataLog: DataLog
  readonly tables: DataLogTables
  readonly house: TenantHouse
  readonly late: LateFrames
  readonly broker: BrokerSide | null
  readonly isOwnBroker: boolean
  readonly board: LiveBoard
  readonly refusedPackets: () => number
}

const MAX_BROKER_USERS = 200
/** Readings that a rule is tried with. */
const TRIED_READINGS = 500
const STATS_GATEWAYS = 512

export class RoomDesk implements IotRoomDesk {
  readonly #parts: RoomDeskParts
  readonly #stats = new Map<Eui, NonNullable<GatewayView['stats']>>()

  constructor(parts: RoomDeskParts) {
    this.#parts = parts
    parts.radio.onStats((stats) => {
      this.#stats.delete(stats.gateway)
      this.#stats.set(stats.gateway, stats)
      if (this.#stats.size > STATS_GATEWAYS) this.#stats.delete(this.#stats.keys().next().value ?? '')
    })
  }

  overview(): IotOverview {
    const { settings, radio, network, house, rules, board, broker, store, late, refusedPackets } = this.#parts
    const { broker: kind } = settings.mqtt
    const [gateways, devices, tenants, allRules] = [radio.gateways(), network.devices.devices(), house.admin.tenants().filter(({ isEnded }) => !isEnded), rules.rules()]
    const { gwmp, station } = radio.ports
    const problem = broker === null ? null : broker.problem
    return {
      region: settings.region,
      doors: { gwmp: gwmp === null ? null : placeOf(settings.gwmp?.address, gwmp), station: station === null ? null : placeOf(settings.station?.address, station) },
      broker: { kind, isConnected: broker?.isConnected ?? false, problem, unpublished: broker?.unpublished ?? 0 },
      isBrokerConnected: broker?.isConnected ?? false,
      brokerProblem: problem,
      gateways: { online: gateways.filter(({ isOnline }) => isOnline).length, known: gateways.length },
      devices: { online: devices.filter(({ isOnline }) => isOnline).length, known: devices.length, joined: devices.filter(({ session }) => session !== null).length },
      tenants: { served: tenants.filter(({ isServed }) => isServed).length, known: tenants.length, expired: thatAre('expired', tenants), expiring: thatAre('expiring', tenants) },
      rules: { live: allRules.filter(({ isLive, isPaused }) => isLive && !isPaused).length, known: allRules.length },
      uplinks: board.uplinks,
      refusedPackets: refusedPackets(),
      downlinksSent: board.downlinksSent,
      downlinksFailed: board.downlinksFailed,
      late: store.read((tx) => late.stats(tx)),
    }
  }

  gateways(): readonly GatewayView[] {
    const { radio, network } = this.#parts
    return radio.gateways().map((gateway) => ({ ...gateway, stats: this.#stats.get(gateway.id) ?? null, budget: network.desk.budget(gateway.id) }))
  }

  // ---- devices

  devices(): readonly DeviceView[] {
    return this.#parts.network.devices.devices()
  }

  device(devEui: Eui): DeviceView | null {
    return this.#parts.network.devices.device(devEui)
  }

  async putDevice(order: DeviceOrder): Promise<DeviceView> {
    const { network, codecs, devices, house, store, rows, settings } = this.#parts
    if (order.codec !== null && !codecs.names().includes(order.codec)) throw inputError('codec', order.codec, codecs.names().join(', '))
    const taken = house.admin.tenants().find(({ routes }) => routes.some((route) => route.kind === 'join' && route.devEui === order.devEui))
    if (taken !== undefined) throw new MeshBoxError('conflict', `the device ${order.devEui} is the tenant ${taken.id}'s`, { code: 'device-is-tenants', field: 'devEui', value: order.devEui })
    const before = network.devices.device(order.devEui)
    if ((order.appKey !== null || order.nwkKey !== null) && order.abp !== null) throw inputError('abp', '(keys of two kinds)', 'either appKey, for a device that joins, or abp')
    if (order.abp !== null && (order.abp.network11 !== null) !== (order.macVersion === '1.1')) throw inputError('abp', `keys of ${order.abp.network11 === null ? '1.0' : '1.1'} for LoRaWAN ${order.macVersion}`, 'sNwkSIntKey and nwkSEncKey for 1.1, and neither for 1.0')
    const isAbp = order.abp !== null || (order.appKey === null && order.nwkKey === null && before?.activation === 'abp')
    const roots = isAbp ? { rootKey: null, appKey: null } : rootsOf(order, store.read((tx) => ({ rootKey: rows.rootKey(tx, order.devEui), appKey: rows.appKey(tx, order.devEui) })))
    const device: Device = {
      devEui: order.devEui,
      name: order.name,
      joinEui: order.joinEui,
      macVersion: order.macVersion,
      region: settings.region,
      deviceClass: order.deviceClass,
      activation: isAbp ? 'abp' : 'otaa',
      ...roots,
      codec: order.codec,
      allowsCounterReset: order.allowsCounterReset,
      isDisabled: order.isDisabled,
      expectedIntervalSeconds: order.expectedIntervalSeconds,
    }
    const view = await network.devices.put(device, order.abp === null ? null : this.#sessionOf(order.devEui, order.abp))
    devices.changed(order.devEui)
    return view
  }

  async removeDevice(devEui: Eui): Promise<boolean> {
    const { network, devices, broker } = this.#parts
    const wasThere = await network.devices.remove(devEui)
    devices.removed(devEui)
    if (wasThere) broker?.removed(devEui)
    return wasThere
  }

  forgetDevNonces(devEui: Eui): Promise<void> {
    return this.#parts.network.devices.forgetDevNonces(devEui)
  }

  readings(page: { readonly devEui: Eui; readonly beforeId?: number; readonly limit: number }): readonly (Reading & { readonly id: number })[] {
    return this.#parts.dataLog.rows(page)
  }

  series(ask: { readonly devEui: Eui; readonly name: string; readonly fromWallMs: number; readonly toWallMs: number; readonly points: number }): readonly SeriesPoint[] {
    return this.#parts.dataLog.series(ask)
  }

  csv(ask: { readonly devEui: Eui; readonly fromWallMs: number; readonly toWallMs: number }): AsyncIterable<string> {
    return this.#parts.dataLog.csv(ask)
  }

  // ---- live

  frames(limit: number): readonly FrameEvent[] {
    return this.#parts.board.frames(limit)
  }

  onFrame(listener: (frame: FrameEvent) => void): Cancel {
    return this.#parts.board.onFrame(listener)
  }

  queue(devEui: Eui): readonly QueueItem[] {
    this.#mustBeThere(devEui)
    return this.#parts.network.devices.queue(devEui)
  }

  send({ devEui, what, isConfirmed, expiresSeconds, asker }: SendOrder): Promise<QueueItem> {
    this.#mustBeThere(devEui)
    return this.#parts.actuators.send(devEui, what, { isConfirmed, asker, expiresAt: expiresSeconds === null ? null : this.#later(expiresSeconds) })
  }

  cancel(queueId: number): Promise<QueueItem> {
    return this.#parts.network.devices.cancel(queueId)
  }

  downlinks(limit: number): readonly DownlinkEvent[] {
    return this.#parts.board.downlinks(limit)
  }

  // ---- tenants

  tenants(): readonly TenantDetail[] {
    return this.#parts.house.admin.tenants().map((details) => this.#tenant(details))
  }

  tenant(id: TenantId): TenantDetail | null {
    return this.tenants().find((tenant) => tenant.id === id) ?? null
  }

  async putTenant(tenant: Tenant): Promise<TenantDetail> {
    const { house, isOwnBroker } = this.#parts
    const others = house.admin.tenants().filter(({ id, isEnded, destination }) => id !== tenant.id && !isEnded && destination.kind === 'broker').length
    if (isOwnBroker && tenant.destination.kind === 'broker' && others >= MAX_BROKER_TENANTS)
      throw new MeshBoxError('limit', `${MAX_BROKER_TENANTS} tenants fetch their frames at the box's own broker; that is all there is room for`, { code: 'broker-tenants-full', field: 'destination', value: 'broker', allowed: `at most ${MAX_BROKER_TENANTS}; others get them at a server or broker of their own (tenant set ${tenant.id} --to …)` })
    return this.#tenant(await house.admin.put(tenant))
  }

  async pauseTenant(id: TenantId, isPaused: boolean): Promise<TenantDetail> {
    return this.#tenant(await this.#parts.house.admin.pause(id, isPaused))
  }

  async endTenant(id: TenantId): Promise<TenantDetail> {
    const { house, store, isOwnBroker } = this.#parts
    const ended = await house.admin.end(id)
    if (isOwnBroker && (await store.turn((tx) => brokerUserTables.removeTenant(tx, id))) > 0) this.#useBrokerUsers()
    return this.#tenant(ended)
  }

  putMicKeys(id: TenantId, keys: readonly { readonly devAddr: number; readonly key: Uint8Array; readonly is11?: boolean }[]): Promise<void> {
    return this.#parts.house.admin.putMicKeys(id, keys)
  }

  forgetMicKeys(id: TenantId): Promise<number> {
    return this.#parts.house.admin.forgetMicKeys(id)
  }

  async catchUp(id: TenantId, receipt: Receipt | null): Promise<TenantDetail> {
    await this.#parts.house.catchUp(id, receipt)
    const tenant = this.tenant(id)
    if (tenant === null) throw new MeshBoxError('not-found', `there is no tenant ${id}`, { code: 'no-tenant', field: 'tenant', value: id })
    return tenant
  }

  receipts(id: TenantId, page: { readonly beforeSeq?: bigint; readonly limit: number }): readonly Receipt[] {
    return this.#parts.house.admin.receipts(id, page)
  }

  units(id: TenantId, page: { readonly afterSeq: bigint; readonly limit: number }): readonly BillableUnit[] {
    return this.#parts.house.admin.units(id, page)
  }

  // ---- rules

  rules(): readonly RuleView[] {
    return this.#parts.rules.rules().map((rule) => this.#rule(rule))
  }

  async putRule({ id, name, text, isLive, isPaused }: RuleOrder): Promise<RuleView> {
    return this.#rule(await this.#parts.rules.put({ id, name, isLive, isPaused, ...this.#parsed(text) }))
  }

  removeRule(id: string): Promise<boolean> {
    return this.#parts.rules.remove(id)
  }

  runs(page: { readonly rule?: string; readonly limit: number }): readonly RuleRun[] {
    return this.#parts.rules.runs(page)
  }

  tryRule(text: string): RuleTrial {
    const rule = checkRule({ id: 'trial', name: 'trial', isLive: false, isPaused: false, ...this.#parsed(text) })
    const readings = this.readings({ devEui: rule.when.devEui, limit: TRIED_READINGS })
    return { text: this.#textOf(rule), readings: readings.length, runs: trialOf(rule, [...readings].reverse()) }
  }

  // ---- codecs

  codecs(): readonly CodecView[] {
    const { codecs, network } = this.#parts
    const used = network.devices.devices().map(({ codec }) => codec)
    return codecs.names().map((name) => ({ name, isBuiltIn: name === CAYENNE_LPP, devices: used.filter((codec) => codec === name).length }))
  }

  putCodec(name: string, source: string): Promise<void> {
    return this.#parts.codecs.put(name, source)
  }

  async removeCodec(name: string): Promise<boolean> {
    const used = this.codecs().find((codec) => codec.name === name)?.devices ?? 0
    if (used > 0) throw new MeshBoxError('conflict', `${used} devices use the codec ${name}`, { code: 'codec-in-use', field: 'codec', value: name })
    return this.#parts.codecs.remove(name)
  }

  async tryCodec(name: string, { bytes, fPort }: { readonly bytes: Uint8Array; readonly fPort: number }): Promise<{ readonly values: readonly Value[] | null; readonly problem: string | null }> {
    const { codecs, clock } = this.#parts
    if (!codecs.names().includes(name)) throw new MeshBoxError('not-found', `there is no codec ${name}`, { code: 'no-codec', field: 'codec', value: name, allowed: codecs.names().join(', ') })
    return codecs.decode(name, { bytes, fPort, wallMs: clock.wallMs() })
  }

  // ---- names on the own broker

  brokerUsers(): readonly BrokerUserView[] {
    return this.#parts.store.read((tx) => brokerUserTables.users(tx)).map(({ name, may }) => ({ name, tenant: may.kind === 'tenant' ? may.tenant : null }))
  }

  async addBrokerUser({ name, tenant }: BrokerUserView): Promise<{ readonly password: string }> {
    const { store, house, randomness, isOwnBroker, settings } = this.#parts
    if (!isOwnBroker) throw new MeshBoxError('conflict', `names are given by the broker that the box uses (broker ${settings.mqtt.broker})`, { code: 'broker-not-own' })
    if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) throw inputError('name', name, 'lower-case letters, digits and -, at most 32')
    if (tenant !== null && house.admin.tenants().every(({ id, isEnded }) => id !== tenant || isEnded)) throw new MeshBoxError('not-found', `there is no tenant ${tenant}`, { code: 'no-tenant', field: 'tenant', value: tenant })
    const password = newPassword(randomness)
    const passwordHash = await hashPassword(password, randomness)
    await store.turn((tx) => {
      const users = brokerUserTables.users(tx)
      if (users.length >= MAX_BROKER_USERS && users.every((user) => user.name !== name)) throw new MeshBoxError('limit', `a broker has at most ${MAX_BROKER_USERS} names`, { code: 'broker-users-full' })
      brokerUserTables.put(tx, { name, passwordHash, may: tenant === null ? { kind: 'owner' } : { kind: 'tenant', tenant } })
    })
    this.#useBrokerUsers()
    return { password }
  }

  async removeBrokerUser(name: string): Promise<boolean> {
    const wasThere = await this.#parts.store.turn((tx) => brokerUserTables.remove(tx, name))
    if (wasThere) this.#useBrokerUsers()
    return wasThere
  }

  #useBrokerUsers(): void {
    this.#parts.broker?.setUsers(this.#parts.store.read((tx) => brokerUserTables.users(tx)))
  }

  #tenant(details: TenantDetails): TenantDetail {
    const { overlaps: _overlaps, balances: _balances, ...rest } = details
    const token = this.#parts.tokens().find(({ address }) => address === details.prices.token)
    // A token that the owner took out of the configuration: smallest units.
    const { symbol, decimals } = token ?? { symbol: `${details.prices.token.slice(0, 6)}…`, decimals: 0 }
    return { ...rest, symbol, decimals, newestReceipt: this.#parts.house.newestReceipt(details.id) }
  }

  #rule(rule: LocalRule): RuleView {
    return { ...rule, hysteresis: rule.hysteresis ?? null, text: this.#textOf(rule), lastRun: this.runs({ rule: rule.id, limit: 1 })[0] ?? null }
  }

  #textOf(rule: LocalRule): string {
    return ruleText(rule, (devEui) => this.#parts.devices.calledOf(devEui))
  }

  #parsed(text: string): ReturnType<typeof parseRule> {
    const { devices } = this.#parts
    const rule = parseRule(text, (name) => devices.devEuiOf(name))
    for (const devEui of [rule.when.devEui, rule.then.devEui]) this.#mustBeThere(devEui)
    return rule
  }

  /** As the owner gave it: a device that is switched on with keys and counters. */
  #sessionOf(devEui: Eui, { devAddr, nwkSKey, network11, appSKey, fCntUp, fCntDown, aFCntDown }: NonNullable<DeviceOrder['abp']>): DeviceSession {
    const keys = { fNwkSIntKey: nwkSKey, sNwkSIntKey: nwkSKey, nwkSEncKey: nwkSKey, ...network11, appSKey }
    return abpSession(this.#parts.settings.region, { devEui, devAddr, keys, fCntUp, fCntDown, aFCntDown }, momentOf(this.#parts.clock))
  }

  #mustBeThere(devEui: Eui): void {
    if (!this.#parts.devices.has(devEui)) throw new MeshBoxError('not-found', `no device ${devEui} is registered`, { code: 'device-unknown', field: 'devEui', value: devEui })
  }

  #later(seconds: number): Moment {
    const now = momentOf(this.#parts.clock)
    return { ...now, boottimeMs: now.boottimeMs + seconds * 1_000, wallMs: now.wallMs + seconds * 1_000 }
  }
}

/**
 * What is left out stays, but not across 1.0 and 1.1: the one root key of 1.0 is no NwkKey. The other way it is right: of 1.1 the NwkKey stays, which is what
 * such a device joins a network of 1.0 with. Errors: input.
 */
function rootsOf({ macVersion, appKey, nwkKey }: DeviceOrder, before: { readonly rootKey: Uint8Array | null; readonly appKey: Uint8Array | null }): { readonly rootKey: Uint8Array; readonly appKey: Uint8Array | null } {
  if (macVersion !== '1.1') {
    if (nwkKey !== null) throw inputError('nwkKey', '(a key)', 'none before LoRaWAN 1.1: one key, appKey, is all there is')
    const rootKey = appKey ?? before.rootKey
    if (rootKey === null) throw inputError('appKey', 'nothing', '32 hex digits, the AppKey on the device; or abp')
    return { rootKey, appKey: null }
  }
  const [root, application] = [nwkKey ?? (before.appKey === null ? null : before.rootKey), appKey ?? before.appKey]
  if (root === null) throw inputError('nwkKey', 'nothing', '32 hex digits, the NwkKey on the device: LoRaWAN 1.1 has two root keys')
  if (application === null) throw inputError('appKey', 'nothing', '32 hex digits, the AppKey on the device, beside the NwkKey')
  return { rootKey: root, appKey: application }
}

function thatAre(expiry: Expiry, tenants: readonly TenantDetails[]): readonly TenantId[] {
  return tenants.filter(({ tls }) => tls?.expiry === expiry).map(({ id }) => id)
}

function placeOf(address: string | undefined, port: number): string {
  return `${address?.includes(':') === true ? `[${address}]` : (address ?? '')}:${port}`
}
