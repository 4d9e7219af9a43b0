/**
 * The running room: concentrators, the network server, tenants, codecs, rules, log and broker, put together. One frame's way through them:
 * docs/iot.md, "Order of one uplink".
 */
import { asError, inputError } from '../base/index.ts'
import type { Address } from '../base/index.ts'
import { withDecimals } from './airtime/index.ts'
import { BrokerSide } from './broker-side.ts'
import { BoxCodecs, createCodecProcess } from './codecs/index.ts'
import { openDelivery } from './deliveries.ts'
import type { IotRoomDesk, IotToken } from './desk.ts'
import { KnownDevices } from './known-devices.ts'
import { LateFrames } from './late/index.ts'
import { LiveBoard, devEuiOf } from './live-board.ts'
import { DataLog, createLogTables } from './log/index.ts'
import { airtimeTables, keptRows, networkRows, openNetwork } from './network/index.ts'
import type { Network } from './network/index.ts'
import type { IotParts, IotRoom } from './parts.ts'
import type { Actuators, Eui, Heard, Reading } from './ports.ts'
import { openRadio, ownCups } from './radio/index.ts'
import type { OpenRadio } from './radio/index.ts'
import { RoomDesk } from './room-desk.ts'
import { BoxRules } from './rules/index.ts'
import { createTenantHouse } from './tenants/index.ts'
import type { TenantHouse } from './tenants/index.ts'

/** Undone in reverse. */
type Undo = () => Promise<void> | void

/** Errors: input for settings that cannot be; unavailable `cannot-listen`, `no-certificate` for the doors; what the store says. Nothing stays open then. */
export async function startIot(parts: IotParts): Promise<IotRoom> {
  const undo: Undo[] = []
  const stop = async (): Promise<void> => {
    for (const one of undo.splice(0).reverse()) await Promise.resolve(one()).catch((thrown: unknown) => parts.log.error('a part of the IoT room did not stop', { error: asError(thrown) }))
  }
  try {
    return { desk: await openRooms(parts, undo), stop }
  } catch (thrown) {
    await stop()
    throw thrown
  }
}

async function openRooms(parts: IotParts, undo: Undo[]): Promise<IotRoomDesk> {
  const { settings, store, clock, timers, log } = parts
  const random = parts.randomness
  const late = new LateFrames(settings.lateBytes)
  const tables = createLogTables(settings.log)
  const rows = keptRows(networkRows(parts.seal))
  const board = new LiveBoard(clock, log)

  const radio = await openRadio(settings, { clock, timers, log, cups: settings.station === null ? null : ownCups(settings.station), openUdp: parts.openUdp })
  undo.push(() => radio.close())
  /** Of the log, from the turn that stored it to the moment it is told. */
  const rowIds = new WeakMap<Reading, number>()
  let known: KnownDevices | null = null
  const network = await openNetwork({
    store,
    rows,
    airtime: airtimeTables,
    radio,
    clock,
    timers,
    random,
    log,
    wishes: { region: settings.region, netId: settings.netId },
    air: { ...settings.airtime },
    keep: (tx, reading) => void rowIds.set(reading, tables.add(tx, reading)),
    valuesOf: (devEui) => known?.valuesOf(devEui) ?? [],
  })
  undo.push(() => network.stop())
  const codecs = new BoxCodecs(store, createCodecProcess({ ...parts.codec, timers, onRestart: (why) => log.warn('the process of codecs was ended', { why }) }))
  undo.push(() => codecs.close())

  const devices = new KnownDevices({ store, log: tables, devices: network.devices, clock, timers, onAvailability: (devEui, isOnline) => broker?.availability(devEui, isOnline) })
  known = devices
  const actuators: Actuators = {
    async send(devEui, command, options) {
      const made = 'data' in command ? await codecs.encode(codecFor(devEui), command.data) : command
      return network.server.enqueue({ devEui, fPort: made.fPort, payload: made.bytes, ...options })
    },
  }
  const codecFor = (devEui: Eui): string => {
    const codec = devices.codecOf(devEui)
    if (codec === null && devices.has(devEui)) throw inputError('data', '(without a codec)', 'fPort and bytes: this device has no codec that could make bytes of it')
    return codec ?? ''
  }
  const complete = async (reading: Reading): Promise<Reading> => {
    const codec = devices.codecOf(reading.devEui)
    if (codec === null || reading.values !== null || reading.problem !== null) return reading
    const decoded = await codecs.decode(codec, { bytes: reading.payload, fPort: reading.fPort, wallMs: reading.at.wallMs })
    await store.turn((tx) => tables.setValues(tx, reading.devEui, reading.fCnt, decoded.values, decoded.problem))
    return { ...reading, ...decoded }
  }
  const rules = new BoxRules({ store, actuators, valueNames: (devEui) => devices.valueNames(devEui), clock, timers, log })
  const dataLog = new DataLog({ store, tables, clock, timers, log })
  await devices.start()
  undo.push(() => devices.stop())
  dataLog.start()
  undo.push(() => dataLog.stop())

  const open = settings.mqtt.broker === 'off' ? null : parts.loadMqtt()
  const own = await BrokerSide.startOwn(parts)
  if (own !== null) undo.push(() => own.stop())
  const broker = open === null ? null : new BrokerSide(parts, own, { open, devices, actuators, log: tables, complete })
  if (broker !== null) undo.push(() => broker.stop())

  const house = createTenantHouse({
    store,
    ledger: parts.ledger,
    seal: parts.seal,
    signer: parts.signer,
    keccak: parts.keccak,
    chainId: parts.chainId,
    payments: parts.payments,
    channels: parts.channels,
    contest: parts.contest,
    downlinks: network.desk,
    late,
    tokenSymbol: (token) => tokenOf(parts, token).symbol,
    airPrice: (price, token) => withDecimals(price, settings.airtime.priceDecimals, tokenOf(parts, token).decimals),
    openDelivery: (tenant) => openDelivery(tenant, { radio, connect: open === null ? null : (wanted) => open(wanted), broker: broker?.place ?? null, hasListener: (id, topic) => broker?.hasListener(id, topic) ?? null, nextDownlinkId: () => network.nextDownlinkId(), clock, timers, random, log }),
    isOwnDevice: (devEui) => devices.has(devEui),
    clock,
    timers,
    log,
  })
  await house.start()
  undo.push(() => house.stop())

  if (broker !== null) {
    house.onReceipt((tenant, receipt) => broker.receipt(tenant, receipt))
    broker.onConnected(() => {
      for (const { id } of house.admin.tenants()) {
        const receipt = house.newestReceipt(id)
        if (receipt !== null) broker.receipt(id, receipt)
      }
    })
    broker.start()
  }
  await rules.start()
  undo.push(() => rules.stop())
  listen({ network, board, devices, rules, broker, complete, rowIds, log })
  const frames = new FrameWay(network, house, board, devices, log)
  undo.push(radio.onHeard((heard) => frames.take(heard)))
  return new RoomDesk({ ...parts, radio, network, rows, codecs, devices, actuators, rules, dataLog, tables, house, late, broker, isOwnBroker: own !== null, board, refusedPackets: () => refusedOf(radio) })
}

/** Errors: input, naming those there are. */
function tokenOf({ tokens }: IotParts, token: Address): IotToken {
  const known = tokens()
  const found = known.find(({ address }) => address === token)
  if (found === undefined) throw inputError('token', token, known.map(({ address, symbol }) => `${symbol} (${address})`).join(', ') || 'a token that section photon names: there is none')
  return found
}

interface Listening {
  readonly network: Network
  readonly board: LiveBoard
  readonly devices: KnownDevices
  readonly rules: BoxRules
  readonly broker: BrokerSide | null
  readonly complete: (reading: Reading) => Promise<Reading>
  readonly rowIds: WeakMap<Reading, number>
  readonly log: IotParts['log']
}

/** What the network server tells, to whom it matters. Everything told is on disk. */
function listen({ network, board, devices, rules, broker, complete, rowIds, log }: Listening): void {
  network.server.onReading((stored) => {
    const id = rowIds.get(stored)
    if (id !== undefined) broker?.begin(id)
    complete(stored)
      // A disk that refuses the values keeps them from nobody.
      .catch((thrown: unknown) => {
        log.error('the values of a reading are not in the log', { device: stored.devEui, error: asError(thrown) })
        return stored
      })
      .then(async (reading) => {
        devices.take(reading)
        if (id !== undefined) broker?.reading(reading, id)
        await rules.take(reading)
      })
      .catch((thrown: unknown) => log.error('a reading did not get everywhere', { device: stored.devEui, error: asError(thrown) }))
  })
  network.server.onJoin((event) => broker?.join(event))
  network.server.onQueue((item) => {
    broker?.queueChanged(item)
    rules.queueChanged(item)
  })
  network.desk.onAck((ack, devEui, tenant) => board.downlink(ack, devEui, tenant))
}

/** Own devices first; what is nobody's here may be a tenant's. */
class FrameWay {
  readonly #network: Network
  readonly #house: TenantHouse
  readonly #board: LiveBoard
  readonly #devices: KnownDevices
  readonly #log: IotParts['log']

  constructor(network: Network, house: TenantHouse, board: LiveBoard, devices: KnownDevices, log: IotParts['log']) {
    this.#network = network
    this.#house = house
    this.#board = board
    this.#devices = devices
    this.#log = log
  }

  take(heard: Heard): void {
    this.#take(heard).catch((thrown: unknown) => this.#log.error('a frame could not be taken', { frame: heard.id, error: asError(thrown) }))
  }

  async #take(heard: Heard): Promise<void> {
    const verdict = await this.#network.server.take(heard)
    const devEui = devEuiOf(verdict)
    if (devEui !== null && verdict.kind !== 'refused') this.#devices.spoke(devEui)
    const tenants = verdict.kind === 'unknown' ? this.#house.route(heard.phy) : []
    const line = this.#board.frame(heard, verdict, tenants.length > 0)
    if (tenants.length > 0) line.sold(await this.#house.take(heard, tenants))
  }
}

function refusedOf(radio: OpenRadio): number {
  const { gwmp, station } = radio.counts()
  return (gwmp === null ? 0 : gwmp.refusedPackets + gwmp.refusedDatagrams) + (station === null ? 0 : station.refused)
}
