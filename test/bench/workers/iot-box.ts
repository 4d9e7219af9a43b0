/**
 * The IoT room's paths in a process of their own, told by lines: `bridge` is packet forwarder → protobuf → MQTT, as a tenant's gateway bridge
 * would do it; `server` is the network server with its MIC check, decryption and commit; `tenants` bills what it hands to the broker; `none`
 * opens the store and nothing more.
 */
import { join } from 'node:path'
import { fromHex, momentOf, silentLog } from '../../../src/base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../../../src/base/io/system.ts'
import { LateFrames, lateMigrations } from '../../../src/iot/late/index.ts'
import { createLogTables, logMigrations } from '../../../src/iot/log/index.ts'
import { ChirpstackDelivery } from '../../../src/iot/mqtt/index.ts'
import { connectMqtt } from '../../../src/iot/mqtt/io/client.ts'
import { airtimeMigrations, airtimeTables, keptRows, networkMigrations, networkRows, openNetwork } from '../../../src/iot/network/index.ts'
import type { Delivery, Device, DeviceSession } from '../../../src/iot/ports.ts'
import { openRadio } from '../../../src/iot/radio/index.ts'
import type { OpenRadio } from '../../../src/iot/radio/index.ts'
import { createTenantHouse, tenantMigrations } from '../../../src/iot/tenants/index.ts'
import { createLedger, ledgerMigrations } from '../../../src/ledger/index.ts'
import { keepCompiledFrames } from '../../../src/main/iot-heap.ts'
import { loadUdp } from '../../../src/native/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { BOX, FakePayments, keccak, sign, tenant } from '../../unit/iot-tenants/tenant-box.ts'
import { say, task, told } from './lines.ts'

export interface IotTask {
  readonly path: 'bridge' | 'server' | 'tenants' | 'none'
  readonly dir: string
  readonly sqliteBinding: string
  readonly brokerUrl: string
  /** ABP, with the addresses from `firstDevAddr` on, all with one key. */
  readonly devices: number
  readonly firstDevAddr: number
  readonly keyHex: string
  /** Absolute path of udp.node; null: node:dgram. */
  readonly udpAddon: string | null
}

export interface IotFigures {
  readonly cpuMs: number
  readonly rssMib: number
  readonly heapMib: number
  /** Frames that came to their end: with the broker, on disk, or billed. */
  readonly done: number
  /** Of them, `tenants`: those that were handed over late. */
  readonly late: number
  readonly failed: number
  readonly isOnline: boolean
}

interface Counts {
  done: number
  late: number
  failed: number
}

async function main(): Promise<void> {
  const settings = task<IotTask>()
  const clock = new SystemClock('always')
  const counts: Counts = { done: 0, late: 0, failed: 0 }
  const store = openStore({ path: join(settings.dir, 'box.sqlite'), migrations: [...ledgerMigrations, ...networkMigrations, ...airtimeMigrations, ...logMigrations, ...tenantMigrations, ...lateMigrations], log: silentLog, nativeBinding: settings.sqliteBinding })
  const looks = settings.path === 'none' ? { port: 0, isOnline: () => true } : await open(settings, clock, store, counts)
  say({ port: looks.port })
  for await (const line of told()) {
    // Memory is what is still used; a collection that nobody asked for is no cost of the frames.
    if (line === 'memory') globalThis.gc?.()
    const { user, system } = process.cpuUsage()
    const { rss, heapUsed, external } = process.memoryUsage()
    const figures: IotFigures = { cpuMs: (user + system) / 1_000, rssMib: rss / 2 ** 20, heapMib: (heapUsed + external) / 2 ** 20, ...counts, isOnline: looks.isOnline() }
    say(figures)
  }
  process.exit(0)
}

async function open(settings: IotTask, clock: SystemClock, store: Store, counts: Counts): Promise<{ port: number; isOnline: () => boolean }> {
  keepCompiledFrames() // as the service does when it has the role
  const shared = { clock, timers: systemTimers, log: silentLog }
  const radio = await openRadio({ region: 'EU868', gwmp: { address: '127.0.0.1', port: 0, gateways: [] }, station: null, collectMs: 200 }, { ...shared, cups: null, openUdp: loadUdp(settings.udpAddon) })
  const port = radio.ports.gwmp ?? 0
  const count = (isDone: boolean): void => void (isDone ? counts.done++ : counts.failed++)
  if (settings.path === 'server') {
    await openServer(settings, clock, store, radio, count)
    return { port, isOnline: () => true }
  }
  const delivery = deliveryTo(settings.brokerUrl, clock)
  radio.onGateway((gateway) => delivery.gateway(gateway))
  if (settings.path === 'bridge') radio.onHeard((heard) => void delivery.deliver(heard).then(count))
  else await openTenants(settings, clock, store, radio, delivery, counts)
  return { port, isOnline: () => delivery.isOnline }
}

function deliveryTo(url: string, clock: SystemClock): ChirpstackDelivery {
  let id = 0
  return new ChirpstackDelivery(
    {
      topicPrefix: 'eu868',
      encoding: 'protobuf',
      connect: (own) => connectMqtt({ url, userName: null, password: null, ...own }, { timers: systemTimers, randomness: systemRandomness, log: silentLog, firstWaitMs: 100 }),
      clock,
      log: silentLog,
      nextDownlinkId: () => ++id,
    },
    1,
  )
}

async function openServer(settings: IotTask, clock: SystemClock, store: Store, radio: OpenRadio, count: (isDone: boolean) => void): Promise<void> {
  const readings = createLogTables({ days: 30, maxBytes: 64 << 20 })
  const network = await openNetwork({
    clock,
    timers: systemTimers,
    log: silentLog,
    store,
    rows: keptRows(networkRows({ seal: (key) => key, open: (sealed) => sealed })),
    airtime: airtimeTables,
    radio,
    random: systemRandomness,
    wishes: { region: 'EU868', netId: 0, hasAdr: false },
    keep: (tx, reading) => readings.add(tx, reading),
  })
  const key = fromHex(settings.keyHex)
  for (let n = 0; n < settings.devices; n++) {
    const devEui = (0x1000_0000 + n).toString(16).padStart(16, '0')
    const device: Device = { devEui, name: `sensor ${n}`, joinEui: '0000000000000000', macVersion: '1.0.3', region: 'EU868', deviceClass: 'A', activation: 'abp', appKey: null, rootKey: null, codec: null, allowsCounterReset: false, isDisabled: false, expectedIntervalSeconds: null }
    await network.devices.put(device, abpSession(devEui, settings.firstDevAddr + n, key, momentOf(clock)))
  }
  radio.onHeard((heard) => void network.server.take(heard).then((verdict) => count(verdict.kind === 'reading')))
}

/** One tenant who has all addresses, gave his network keys, and pays each receipt as it comes. */
async function openTenants(settings: IotTask, clock: SystemClock, store: Store, radio: OpenRadio, delivery: Delivery, counts: Counts): Promise<void> {
  const payments = new FakePayments()
  const terms = tenant({ routes: [{ kind: 'dev-addr', prefix: 0, prefixBits: 7 }], creditWindow: 1_000_000n })
  const house = createTenantHouse({
    airPrice: (price) => price,
    store, ledger: createLedger({ shares: () => [] }), seal: { seal: (key) => key, open: (sealed) => sealed }, signer: { address: BOX, sign: async (digest) => sign(digest) }, keccak, chainId: 7n,
    payments, channels: { channelOf: () => null }, contest: { isOurs: async () => true }, downlinks: { submit: () => Promise.reject(new Error('no radio')), budget: () => [] },
    late: new LateFrames(16 << 20), tokenSymbol: () => 'TOK', openDelivery: () => delivery, isOwnDevice: () => false, clock, timers: systemTimers, log: silentLog, limits: { uplinksPerSecond: 2_000, uplinkBurst: 4_000 },
  })
  house.onReceipt((_id, { cumAmount }) => payments.pay(cumAmount - payments.paid(null, terms.payer, terms.prices.token)))
  house.onBilled(({ kind }) => {
    counts.done++
    if (kind === 'late') counts.late++
  })
  await house.start()
  await house.admin.put(terms)
  const key = fromHex(settings.keyHex)
  await house.admin.putMicKeys(terms.id, Array.from({ length: settings.devices }, (_, n) => ({ devAddr: settings.firstDevAddr + n, key })))
  radio.onHeard((heard) => {
    void house.take(heard, house.route(heard.phy)).then((outcomes) => {
      const outcome = outcomes.get(terms.id)
      if (outcome !== 'sold' && outcome !== 'late') counts.failed++
    })
  })
}

function abpSession(devEui: string, devAddr: number, key: Uint8Array, startedAt: DeviceSession['startedAt']): DeviceSession {
  return {
    devEui, devAddr, keys: { fNwkSIntKey: key, sNwkSIntKey: key, nwkSEncKey: key, appSKey: key }, fCntUp: 0, fCntDown: 0, aFCntDown: 0, confFCnt: 0, rxDelaySeconds: 1, rx1DrOffset: 0,
    rx2DataRate: 0, rx2FrequencyHz: 869_525_000, channels: [], dataRate: 5, txPowerIndex: 0, nbTrans: 1, hasUplinkDwell: false, hasDownlinkDwell: false, maxEirpDbm: 16, history: [],
    pendingMac: [], lastUplink: null, awaitingAck: null, battery: null, marginDb: null, startedAt, lastSeen: null,
  }
}

void main()
