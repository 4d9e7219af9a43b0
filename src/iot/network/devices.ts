/** What the owner may do with his devices, and what he sees of them. Keys go in and never come out. */
import { MeshBoxError, inputError, momentOf } from '../../base/index.ts'
import type { Clock, Moment } from '../../base/index.ts'
import { KEY_BYTES, dataRate, euiBytes, regionNamed, subBandAt } from '../lorawan/index.ts'
import type { Device, DeviceDesk, DeviceSession, DeviceView, Eui, JoinEvent, QueueItem } from '../ports.ts'
import type { Room } from './room.ts'
import type { KeylessDevice } from './rows.ts'
import { registeredSession } from './session.ts'
import type { NetworkSession } from './session.ts'

const MAX_DEVICES = 10_000
const MOST_NAME = 64
const LEAST_OFFLINE_MS = 3_600_000
const MISSED_INTERVALS = 3
/** Last joins are for the eye: kept in memory, of so many devices. */
const JOINS_KEPT = 1_000

type Values = DeviceView['values']

export class Devices implements DeviceDesk {
  readonly #room: Room
  readonly #valuesOf: (devEui: Eui) => Values
  readonly #joins = new Map<Eui, JoinEvent>()

  /** `valuesOf`: the last values by name, which codecs/ and log/ know. */
  constructor(room: Room, valuesOf: (devEui: Eui) => Values) {
    this.#room = room
    this.#valuesOf = valuesOf
    room.events.onJoin((event) => {
      this.#joins.delete(event.devEui)
      this.#joins.set(event.devEui, event)
      if (this.#joins.size > JOINS_KEPT) for (const oldest of this.#joins.keys()) {
        this.#joins.delete(oldest)
        break
      }
    })
  }

  devices(): readonly DeviceView[] {
    const { store, rows } = this.#room
    return store.read((tx) => {
      const sessions = new Map(rows.sessions(tx).map((session) => [session.devEui, session]))
      const waiting = rows.waiting(tx)
      return rows.devices(tx).map((device) => this.#view(device, sessions.get(device.devEui) ?? null, waiting.get(device.devEui) ?? 0))
    })
  }

  device(devEui: Eui): DeviceView | null {
    const { store, rows } = this.#room
    return store.read((tx) => {
      const device = rows.device(tx, devEui)
      return device === null ? null : this.#view(device, rows.session(tx, devEui), rows.queue(tx, devEui).filter((item) => item.state === 'queued').length)
    })
  }

  async put(device: Device, session: DeviceSession | null): Promise<DeviceView> {
    const { store, rows, plan, clock, ciphers } = this.#room
    checkDevice(device, plan.region.name)
    if (session !== null) checkSession(device, session, plan.region.name)
    await store.turn((tx) => {
      const before = rows.device(tx, device.devEui)
      if (before === null && rows.countDevices(tx) >= MAX_DEVICES) throw new MeshBoxError('limit', `${MAX_DEVICES} devices are registered`, { code: 'devices-full' })
      const known = before?.activation === 'abp' ? rows.session(tx, device.devEui) : null
      if (device.activation === 'abp' && session === null && known?.is11 !== (device.macVersion === '1.1')) throw inputError('session', null, 'the session of an ABP device: address, keys and counters')
      rows.putDevice(tx, device)
      if (before !== null && before.activation !== device.activation) rows.retireSession(tx, device.devEui)
      if (session === null) return
      const life = rows.lastLife(tx, device.devEui)
      const past = life === null ? null : { ...life, hasSameKeys: life.keysMark === rows.keysMark(session.keys) }
      rows.startSession(tx, registeredSession(plan.region, device, session, past, momentOf(clock)), session.keys)
    })
    ciphers.forget(device.devEui)
    const view = this.device(device.devEui)
    if (view === null) throw new MeshBoxError('conflict', 'the device was removed meanwhile', { code: 'device-removed' })
    return view
  }

  async remove(devEui: Eui): Promise<boolean> {
    const { store, rows, ciphers } = this.#room
    const wasThere = await store.turn((tx) => rows.removeDevice(tx, devEui))
    ciphers.forget(devEui)
    this.#room.joinedBy.delete(devEui)
    this.#joins.delete(devEui)
    return wasThere
  }

  async forgetDevNonces(devEui: Eui): Promise<void> {
    const { store, rows } = this.#room
    await store.turn((tx) => {
      if (rows.device(tx, devEui) === null) throw unknownDevice(devEui)
      rows.forgetDevNonces(tx, devEui)
    })
    this.#room.joinedBy.delete(devEui)
  }

  queue(devEui: Eui): readonly QueueItem[] {
    return this.#room.store.read((tx) => this.#room.rows.queue(tx, devEui))
  }

  async cancel(queueId: number): Promise<QueueItem> {
    const { store, rows, events } = this.#room
    const item = await store.turn((tx): QueueItem => {
      const found = rows.queueItem(tx, queueId)
      if (found === null) throw new MeshBoxError('not-found', `no downlink ${queueId}`, { code: 'downlink-unknown', field: 'queue-id', value: queueId })
      if (found.state !== 'queued') throw new MeshBoxError('conflict', `the downlink is ${found.state} already`, { code: 'downlink-gone' })
      const gone: QueueItem = { ...found, state: 'expired' }
      rows.saveQueueItem(tx, gone)
      return gone
    })
    events.queue([item])
    return item
  }

  #view(device: KeylessDevice, session: NetworkSession | null, queued: number): DeviceView {
    return {
      ...device,
      session: session === null ? null : withoutMac(session),
      isOnline: session !== null && isOnline(device, session, this.#room.clock),
      values: this.#valuesOf(device.devEui),
      lastJoin: this.#joins.get(device.devEui) ?? null,
      queued,
    }
  }
}

function withoutMac({ pendingMac: _pending, ...session }: NetworkSession): NonNullable<DeviceView['session']> {
  return session
}

/** Silent for longer than three of its intervals, and an hour at least: offline. After a reboot nobody is online who cannot be dated. */
function isOnline(device: Pick<Device, 'expectedIntervalSeconds'>, session: Pick<NetworkSession, 'lastSeen' | 'intervalSeconds'>, clock: Clock): boolean {
  const silentMs = session.lastSeen === null ? null : sinceMs(session.lastSeen, clock)
  const intervalMs = (device.expectedIntervalSeconds ?? session.intervalSeconds ?? 0) * 1_000
  return silentMs !== null && silentMs <= Math.max(MISSED_INTERVALS * intervalMs, LEAST_OFFLINE_MS)
}

function sinceMs(moment: Moment, clock: Clock): number | null {
  if (moment.bootId === clock.bootId) return clock.boottimeMs() - moment.boottimeMs
  return moment.wallTrusted && clock.isWallTrusted() ? clock.wallMs() - moment.wallMs : null
}

function checkDevice(device: Device, region: string): void {
  euiBytes(device.devEui, 'dev-eui')
  euiBytes(device.joinEui, 'join-eui')
  if (device.name.length < 1 || device.name.length > MOST_NAME || /\p{Control}/u.test(device.name)) throw inputError('name', device.name, `1 to ${MOST_NAME} printable characters`)
  if (!['1.0.2', '1.0.3', '1.0.4', '1.1'].includes(device.macVersion)) throw inputError('mac-version', device.macVersion, '1.0.2, 1.0.3, 1.0.4, 1.1')
  const is11 = device.macVersion === '1.1'
  if (!['A', 'C'].includes(device.deviceClass)) throw inputError('class', device.deviceClass, 'A, C')
  if (regionNamed(device.region).name !== region) throw inputError('region', device.region, `${region}, as the box is set up`)
  if (device.activation === 'otaa') {
    if (device.rootKey?.length !== KEY_BYTES) throw inputError(is11 ? 'nwk-key' : 'app-key', `${device.rootKey?.length ?? 0} bytes`, `${KEY_BYTES} bytes`)
    if (is11 && device.appKey?.length !== KEY_BYTES) throw inputError('app-key', `${device.appKey?.length ?? 0} bytes`, `${KEY_BYTES} bytes beside the NwkKey`)
    if (device.allowsCounterReset) throw inputError('allows-counter-reset', true, 'false for OTAA: a device that starts from 0 joins again')
  } else if (device.activation !== 'abp') throw inputError('activation', device.activation, 'otaa, abp')
  else if (device.rootKey !== null) throw inputError('app-key', 'a key', 'none for ABP: its session has the keys')
  if (is11 && device.allowsCounterReset) throw inputError('allows-counter-reset', true, 'false for 1.1: its counters never start again')
  if (device.appKey !== null && !(is11 && device.activation === 'otaa')) throw inputError('app-key', 'a second key', 'one key: two are LoRaWAN 1.1')
  const seconds = device.expectedIntervalSeconds
  if (seconds !== null && !(seconds > 0 && seconds <= 31_536_000)) throw inputError('interval', seconds, 'more than 0 seconds, at most a year')
}

function checkSession(device: Device, session: DeviceSession, region: string): void {
  if (device.activation !== 'abp') throw inputError('session', 'a session', 'none for OTAA: it comes from the join')
  const { keys } = session
  for (const [name, key] of Object.entries(keys)) if (!(key instanceof Uint8Array) || key.length !== KEY_BYTES) throw inputError(name, 'a key', `${KEY_BYTES} bytes`)
  const hasThree = Buffer.compare(keys.fNwkSIntKey, keys.sNwkSIntKey) !== 0 || Buffer.compare(keys.fNwkSIntKey, keys.nwkSEncKey) !== 0
  if (hasThree && device.macVersion !== '1.1') throw inputError('keys', 'three network keys', 'one NwkSKey: three are LoRaWAN 1.1')
  whole('dev-addr', session.devAddr, 0, 2 ** 32 - 1)
  if (device.macVersion !== '1.1' && session.aFCntDown !== 0) throw inputError('aFCntDown', session.aFCntDown, '0: a second counter downward is LoRaWAN 1.1')
  for (const field of ['fCntUp', 'fCntDown', 'aFCntDown'] as const) whole(field, session[field], 0, 2 ** 32)
  const plan = regionNamed(region)
  whole('rx-delay', session.rxDelaySeconds, 1, 15)
  whole('rx1-dr-offset', session.rx1DrOffset, 0, plan.maxRx1DrOffset)
  if (!dataRate(plan, session.rx2DataRate).isDown) throw inputError('rx2-data-rate', session.rx2DataRate, 'a data rate for downlinks')
  if (subBandAt(plan, session.rx2FrequencyHz) === null) throw inputError('rx2-frequency', session.rx2FrequencyHz, `one of ${plan.name}`)
  if (!dataRate(plan, session.dataRate).isUp) throw inputError('data-rate', session.dataRate, 'a data rate for uplinks')
  whole('tx-power', session.txPowerIndex, 0, plan.txPowerStepsDb.length - 1)
  whole('nb-trans', session.nbTrans, 1, 15)
  if (session.channels.length > plan.maxChannels) throw inputError('channels', `${session.channels.length} of them`, `at most ${plan.maxChannels}`)
}

function whole(field: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) throw inputError(field, value, `a whole number from ${least} to ${most}`)
}

function unknownDevice(devEui: Eui): MeshBoxError {
  return new MeshBoxError('not-found', `no device ${devEui} is registered`, { code: 'device-unknown', field: 'dev-eui', value: devEui })
}
