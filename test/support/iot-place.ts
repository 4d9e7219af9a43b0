/**
 * The whole IoT room over GWMP on loopback, for simulations, the dashboard and the command line: two own devices, a pump that listens always, and a tenant with a
 * server of his own; a broker only if it is asked for.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { silentLog } from '../../src/base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../../src/base/io/system.ts'
import { startIot } from '../../src/iot/index.ts'
import type { IotRoom, IotRoomSettings, Tenant } from '../../src/iot/index.ts'
import { connectMqtt } from '../../src/iot/mqtt/io/client.ts'
import { openSessionKeys, sealData } from '../../src/iot/lorawan/index.ts'
import { iotMigrations } from '../../src/iot/tables/index.ts'
import { createLedger, ledgerMigrations } from '../../src/ledger/index.ts'
import type { Ledger } from '../../src/ledger/index.ts'
import { openStore } from '../../src/store/index.ts'
import type { Store } from '../../src/store/index.ts'
import { BOX, FakePayments, PAYER, TOKEN, keccak, sign, tenant } from '../unit/iot-tenants/tenant-box.ts'

/** India's plan has no limit by time: what is tested here is not how little air there is. */
export const FREQ_MHZ = 865.0625
export const GATEWAY = '016c001ff10a2035'
export const KEY = Uint8Array.from({ length: 16 }, (_, n) => n + 1)
const CODEC = fileURLToPath(new URL('../../src/iot/codecs/io/codec-child.ts', import.meta.url))
const CIPHERS = openSessionKeys({ fNwkSIntKey: KEY, sNwkSIntKey: KEY, nwkSEncKey: KEY, appSKey: KEY }, false)
/** Own devices; the last one is the pump. */
export const OWN = [0x0000_1001, 0x0000_1002, 0x0000_1003] as const
export const PUMP = OWN[2]
export const TENANTS = 0x2601_0001
/** Of the tenant, in his token; a unit costs 10. */
export const WINDOW = 1_000n

export const devEuiOf = (devAddr: number): string => `70b3d57e${devAddr.toString(16).padStart(8, '0')}`

export function frameOf(devAddr: number, fCnt: number, isConfirmed = false, frmPayload: Uint8Array = Uint8Array.of(fCnt & 255, fCnt >> 8)): Uint8Array {
  return sealData(CIPHERS, { direction: 'up', isConfirmed, devAddr, adr: false, adrAckReq: false, ack: false, bit4: false, fOpts: new Uint8Array(0), fPort: 1, frmPayload, fCnt32: fCnt })
}

export interface Place {
  readonly room: IotRoom
  readonly store: Store
  readonly ledger: Ledger
  readonly payments: FakePayments
}

export interface PlacePorts {
  /** UDP, of the box. */
  readonly gwmp: number
  /** UDP, of the tenant's server; it may be shut. */
  readonly server: number
  /** TCP, of the box's own mosquitto, whose user must be able to get to the folder; none: no broker. */
  readonly broker?: number
}

/** `change`: other settings than those, and terms of the tenant when he is let in. */
export async function openPlace(folder: string, ports: PlacePorts, change: { readonly settings?: IotRoomSettings; readonly terms?: Partial<Tenant> } = {}): Promise<Place> {
  const store = openStore({ path: join(folder, 'box.sqlite'), migrations: [...ledgerMigrations, ...iotMigrations], log: silentLog })
  const ledger = createLedger({ shares: () => [] })
  const payments = new FakePayments()
  const room = await startIot({
    openUdp: null,
    settings: change.settings ?? {
      region: 'IN865', netId: 0, gwmp: { address: '127.0.0.1', port: ports.gwmp, gateways: [] }, station: null, collectMs: 0,
      airtime: { reservedPpm: 0, soldPpm: 100_000, pricesPerMs: {}, priceDecimals: 6, dutyPpm: {}, surge: null },
      mqtt: { broker: ports.broker === undefined ? 'off' : 'own', url: null, userName: null, passwordFile: null, topicPrefix: 'meshbox', listen: [], homeAssistant: false, sparkplugGroup: null },
      log: { days: 30, maxBytes: 64 << 20 }, lateBytes: 1 << 20, ownBroker: { loopbackPort: ports.broker ?? 1, listeners: [] }, brokerPassword: null, nodeName: 'sim',
    },
    store, ledger, payments, keccak, chainId: 7n,
    seal: { seal: (key) => key, open: (sealed) => sealed },
    signer: { address: BOX, sign: async (digest) => sign(digest) },
    channels: { channelOf: () => null },
    contest: { isOurs: async () => true },
    tokens: () => [{ address: TOKEN, symbol: 'TOK', decimals: 6 }],
    loadMqtt: () => (wanted, limits = {}) => connectMqtt(wanted, { timers: systemTimers, randomness: systemRandomness, log: silentLog, ...limits }),
    mosquitto: { folder: join(folder, 'broker'), systemUser: 'nobody' },
    codec: { entryFile: CODEC, asUser: null },
    version: 'sim', clock: new SystemClock('always'), timers: systemTimers, randomness: systemRandomness, log: silentLog,
  })
  const { desk } = room
  if (desk.devices().length === 0) {
    for (const devAddr of OWN)
      await desk.putDevice({
        devEui: devEuiOf(devAddr), name: `device-${devAddr.toString(16)}`, joinEui: '0000000000000000', macVersion: '1.0.3', deviceClass: devAddr === PUMP ? 'C' : 'A', codec: null, allowsCounterReset: false,
        isDisabled: false, expectedIntervalSeconds: null, appKey: null, nwkKey: null, abp: { devAddr, nwkSKey: KEY, network11: null, appSKey: KEY, fCntUp: 0, fCntDown: 0, aFCntDown: 0 },
      })
  }
  if (desk.tenants().length === 0) {
    await desk.putTenant(tenant({ creditWindow: WINDOW, destination: { kind: 'gwmp', host: '127.0.0.1', port: ports.server }, ...change.terms }))
    await desk.putMicKeys('farm', [{ devAddr: TENANTS, key: KEY }])
  }
  return { room, store, ledger, payments }
}

/** What the tenant has a receipt for he pays, once; what he paid in an earlier life of the box he is told again. */
export function payReceipt({ room, payments }: Place): void {
  const due = (room.desk.tenant('farm')?.newestReceipt?.cumAmount ?? 0n) - payments.paid(null, PAYER, TOKEN)
  if (due > 0n) payments.pay(due)
}
