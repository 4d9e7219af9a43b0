/** Puts the network server together and takes up where the last run ended. */
import { asError } from '../../base/index.ts'
import type { Clock, Log, Randomness, Timers } from '../../base/index.ts'
import type { Store, Tx } from '../../store/index.ts'
import { airRules } from '../airtime/index.ts'
import type { AirWishes } from '../airtime/index.ts'
import type { AirtimeTables, DeviceDesk, DeviceView, Eui, Radio, Reading } from '../ports.ts'
import { Answering } from './answering.ts'
import { CipherCache } from './ciphers.ts'
import { SlotDesk } from './desk.ts'
import { Devices } from './devices.ts'
import { networkPlan } from './plan.ts'
import type { NetworkWishes } from './plan.ts'
import { DownlinkIds, NetworkEvents, gpsNowMs } from './room.ts'
import type { Room } from './room.ts'
import type { NetworkRows } from './rows.ts'
import { DeviceServer } from './server.ts'

/** A disk that lied about its last commit must not make a counter come twice. */
const SKIP_AFTER_UNCLEAN_END = 32

export interface NetworkParts {
  readonly store: Store
  readonly rows: NetworkRows
  readonly airtime: AirtimeTables
  readonly radio: Radio
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Randomness
  readonly log: Log
  readonly wishes: NetworkWishes
  readonly air?: AirWishes
  /** In the turn that stores a frame's counter: its row in the log. */
  readonly keep?: (tx: Tx, reading: Reading) => void
  readonly valuesOf?: (devEui: Eui) => DeviceView['values']
}

export interface Network {
  readonly server: DeviceServer
  readonly desk: SlotDesk
  readonly devices: DeviceDesk
  /** For who submits to the desk: numbers that nobody else has. Errors: unavailable. */
  nextDownlinkId(): number
  /** Nothing is sent any more; the end is a clean one when this resolves. */
  stop(): Promise<void>
}

/** Errors: input for wishes that cannot be; what the store says. */
export async function openNetwork(parts: NetworkParts): Promise<Network> {
  const { store, rows, airtime, radio, clock, timers, random, log } = parts
  const plan = networkPlan(parts.wishes)
  airRules(plan.region, 'window', parts.air) // the desk makes its own for each kind of gateway, when one comes: a wrong wish is told now
  const desk = new SlotDesk({ store, airtime, radio, clock, timers, log, region: plan.region, air: parts.air ?? {}, gpsNowMs: () => gpsNowMs(clock) })
  const ids = new DownlinkIds(store, rows, log)
  await store.turn((tx) => {
    if (!rows.beginRun(tx)) rows.skipDownCounters(tx, SKIP_AFTER_UNCLEAN_END)
  })
  await ids.load()
  await desk.load()
  const room: Room = { store, rows, clock, timers, random, log, plan, radio, ciphers: new CipherCache(), desk, ids, events: new NetworkEvents(log), joinedBy: new Map() }
  const answering = new Answering(room)
  const server = new DeviceServer(room, answering, parts.keep ?? (() => undefined))
  const devices = new Devices(room, parts.valuesOf ?? (() => []))
  const [waiting, classC] = store.read((tx) => [rows.sessions(tx).filter((session) => session.awaitingAck !== null), new Set(rows.devices(tx).flatMap((device) => (device.deviceClass === 'C' ? [device.devEui] : [])))])
  for (const session of waiting) if (classC.has(session.devEui)) answering.resume(session)
  answering.pushAll()
  const stopListening = radio.onGateway((gateway) => {
    if (gateway.isOnline) answering.pushAll()
  })
  return {
    server,
    desk,
    devices,
    nextDownlinkId: () => ids.next(),
    async stop() {
      stopListening()
      answering.stop()
      desk.stop()
      await store.turn((tx) => rows.endRun(tx)).catch((error: unknown) => log.error('the end of the run is not on disk; counters will skip at the next start', { error: asError(error) }))
    },
  }
}
