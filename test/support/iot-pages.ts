/** What the sensors page may have to show: a farm at work, nothing yet, trouble everywhere, and sums and names beyond every measure. */
import type { IotBudgetJson, IotDeviceJson, IotFrameJson, IotGatewayJson, IotReadingJson, IotRuleJson, IotRuleRunJson, IotStatusJson, IotTenantJson, IotTimeJson, Money } from '../../src/owner/api.ts'
import { formatAmount } from '../../src/base/index.ts'
import type { IotPageProps } from '../../src/web/owner/views/iot.tsx'
import type { DeviceLookProps } from '../../src/web/owner/views/iot-device-look.tsx'

const NOON = Date.UTC(2026, 10, 21, 12)
export const ago = (agoSeconds: number): IotTimeJson => ({ wallMs: NOON - agoSeconds * 1_000, agoSeconds })
const EARLIER: IotTimeJson = { wallMs: null, agoSeconds: null }
const TOKEN = { address: `0x${'7a'.repeat(20)}`, symbol: 'VTK', decimals: 6 }
const money = (units: bigint): Money => ({ units: units.toString(), text: formatAmount(units, TOKEN.decimals) })

export const STATUS: IotStatusJson = {
  region: 'EU868',
  doors: { gwmp: '192.168.1.1:1700', station: null },
  broker: { kind: 'own', isConnected: true, problem: null, unpublished: 0 },
  gateways: { online: 1, known: 1 },
  devices: { online: 2, known: 4, joined: 3 },
  tenants: { served: 1, known: 2, expired: [], expiring: [] },
  rules: { live: 1, known: 2 },
  uplinks: 48_211,
  refusedPackets: 3,
  downlinksSent: 97,
  downlinksFailed: 2,
  late: { frames: 0, bytes: 0, lost: '0' },
}

const band = (name: string, fromMHz: number, toMHz: number, dutyPpm: number | null, usedMs: number): IotBudgetJson => {
  const wholeMs = dutyPpm === null ? 0 : (3_600_000 * dutyPpm) / 1e6
  return { name, fromHz: fromMHz * 1e6, toHz: toMHz * 1e6, dutyPpm, windowSeconds: 3_600, usedMs, reservedMs: wholeMs / 5, freeMs: Math.max(0, wholeMs * 0.8 - usedMs) }
}

export const GATEWAY: IotGatewayJson = {
  id: '016c001ff10a2035',
  door: 'gwmp',
  region: 'EU868',
  isOnline: true,
  lastSeen: ago(2),
  stats: { received: 412, receivedOk: 398, forwarded: 398, downlinksSent: 4, ackPercent: 100, temperatureC: 41, latitude: null, longitude: null },
  budget: [band('L', 865, 868, 10_000, 1_340), band('M', 868, 868.6, 10_000, 28_800), band('P', 869.4, 869.65, 100_000, 4_120), band('R', 869.7, 870, null, 0)],
}

export const SOIL: IotDeviceJson = {
  devEui: '70b3d57ed0012345',
  name: 'field-3',
  joinEui: '0000000000000000',
  macVersion: '1.0.3',
  deviceClass: 'A',
  activation: 'otaa',
  codec: 'cayenne-lpp',
  allowsCounterReset: false,
  isDisabled: false,
  expectedIntervalSeconds: null,
  isOnline: true,
  session: { devAddr: '26011bda', fCntUp: 8_412, fCntDown: 31, aFCntDown: null, dataRate: 5, battery: 203, marginDb: 12, startedAt: ago(900_000) },
  lastSeen: ago(74),
  lastJoin: { refused: null, at: ago(900_000) },
  values: [
    { name: 'soil', value: 18.2, unit: '%', at: ago(74) },
    { name: 'temperature', value: -1.25, unit: '°C', at: ago(74) },
    { name: 'light', value: 1_180, unit: 'lx', at: ago(74) },
  ],
  queued: 0,
}
const PUMP: IotDeviceJson = { ...SOIL, devEui: '70b3d57ed0012346', name: 'pump-1', macVersion: '1.1', deviceClass: 'C', activation: 'abp', session: { devAddr: '26011bdb', fCntUp: 102, fCntDown: 3, aFCntDown: 97, dataRate: 3, battery: 0, marginDb: null, startedAt: EARLIER }, values: [{ name: 'open', value: true, unit: null, at: ago(200) }], queued: 1, lastJoin: null, lastSeen: ago(200) }
const QUIET: IotDeviceJson = { ...SOIL, devEui: '70b3d57ed0012347', name: 'cold-room', isOnline: false, lastSeen: ago(190_000) }
const NEWCOMER: IotDeviceJson = { ...SOIL, devEui: '70b3d57ed0012348', name: 'gate', codec: null, isOnline: false, session: null, lastSeen: null, lastJoin: { refused: 'DevNonce 5 was used before', at: ago(30) }, values: [], queued: 0 }

export const ACME: IotTenantJson = {
  id: 'acme',
  name: 'Acme Metering',
  payer: `0x${'5a'.repeat(20)}`,
  token: TOKEN,
  routes: ['dev-addr 26020000/16', 'join 70b3d57ed0000000'],
  destination: 'chirpstack mqtt://broker.acme.example:1883 eu868 protobuf',
  tls: null,
  prices: { perUnit: money(10n), perJoin: money(0n), perDownlinkMs: { '*': money(2n), P: money(5n) }, perLateFrame: money(4n) },
  creditWindow: money(1_000n),
  maxCopies: 1,
  isPaused: false,
  isEnded: false,
  isServed: true,
  isBehind: false,
  isOnline: true,
  hasMicKeys: true,
  lateFrames: 0,
  uplinks: '39811',
  units: '41200',
  downlinkMs: '1840',
  billed: money(415_680n),
  paid: money(415_200n),
  owed: money(480n),
  outcomes: { sold: 39_811, duplicate: 212, 'bad-mic': 3 },
  newestReceipt: { receipt: {}, seq: '41200', amount: money(415_680n) },
}
const BROKE: IotTenantJson = { ...ACME, id: 'orchard', name: 'Orchard', isServed: false, isOnline: false, owed: money(1_000n), billed: money(9_000n), paid: money(8_000n), lateFrames: 214, hasMicKeys: false, newestReceipt: null, outcomes: { 'no-credit': 92, late: 214 } }

const RUN: IotRuleRunJson = { rule: 'water', at: ago(200), because: 'soil was 18.2, < 20', isDryRun: false, offAt: ago(-400), isOff: false, statuses: ['TOO_LATE', 'OK'] }
export const WATER: IotRuleJson = { id: 'water', name: 'Water the field', text: 'if soil of field-3 < 20 for 10 min set pump-1 {"open":true} for 10 min then {"open":false} wait 1 h', isLive: true, isPaused: false, lastRun: RUN }
const FROST: IotRuleJson = { id: 'frost', name: 'Frost', text: 'if temperature of field-3 < 0 set pump-1 {"open":true} for 1 h then {"open":false} wait 10 min', isLive: false, isPaused: false, lastRun: null }

const FRAME: IotFrameJson = { at: ago(2), frequencyHz: 868_100_000, dataRate: 'SF7BW125', bytes: 23, rssiDbm: -57, snrDb: 9.5, gateways: 1, verdict: 'reading', devEui: SOIL.devEui, tenants: [] }
const FRAMES: readonly IotFrameJson[] = [
  FRAME,
  { ...FRAME, at: ago(9), devEui: null, verdict: 'unknown', tenants: [{ id: 'acme', verdict: 'sold' }] },
  { ...FRAME, at: ago(31), devEui: NEWCOMER.devEui, verdict: 'refused', snrDb: -11.2, dataRate: 'SF12BW125' },
  { ...FRAME, at: ago(64), devEui: null, verdict: 'unknown', tenants: [{ id: 'orchard', verdict: 'no-credit' }] },
  { ...FRAME, at: ago(70), devEui: null, verdict: 'unknown' },
]

const DOWN = { at: ago(200), id: 7, gateway: GATEWAY.id, statuses: ['TOO_LATE', 'OK'], isSent: true, onAirMs: 61, devEui: PUMP.devEui, tenant: null }

const WORKING: IotPageProps = {
  status: STATUS,
  gateways: [GATEWAY],
  devices: [SOIL, PUMP, QUIET, NEWCOMER],
  tenants: [ACME, BROKE],
  rules: { rules: [WATER, FROST], runs: [RUN, { ...RUN, rule: 'frost', isDryRun: true, at: ago(5_000), because: 'temperature was -1.25, < 0', statuses: [], offAt: null }] },
  frames: FRAMES,
  downlinks: [DOWN, { ...DOWN, id: 8, devEui: null, tenant: 'acme', isSent: false, statuses: ['DUTY_CYCLE_OVERFLOW', 'DUTY_CYCLE_OVERFLOW'], onAirMs: 0, at: ago(3_900) }],
  problem: null,
}

const NOTHING: IotPageProps = {
  status: { ...STATUS, gateways: { online: 0, known: 0 }, uplinks: 0, refusedPackets: 0, devices: { online: 0, known: 0, joined: 0 }, tenants: { served: 0, known: 0, expired: [], expiring: [] }, rules: { live: 0, known: 0 }, doors: { gwmp: '192.168.1.1:1700', station: '192.168.1.1:3001' } },
  gateways: [],
  devices: [],
  tenants: [],
  rules: { rules: [], runs: [] },
  frames: [],
  downlinks: [],
  problem: null,
}

const HUGE = 123_456_789_012_345_678_901_234_567n
const WORD = 'wordwithoutanend'.repeat(5)

export const IOT_PAGES: Readonly<Record<string, IotPageProps>> = {
  working: WORKING,
  none: NOTHING,
  'no-mosquitto': { ...WORKING, status: { ...STATUS, broker: { kind: 'own', isConnected: false, problem: 'mosquitto is not installed', unpublished: 1_204 } } },
  silent: { ...WORKING, status: { ...STATUS, gateways: { online: 0, known: 1 }, late: { frames: 812, bytes: 61_440, lost: '17' } }, gateways: [{ ...GATEWAY, isOnline: false, lastSeen: ago(4_000), stats: null }] },
  shut: { ...NOTHING, status: { ...NOTHING.status, doors: { gwmp: null, station: null }, broker: { kind: 'off', isConnected: false, problem: null, unpublished: 0 } } },
  old: { ...WORKING, problem: 'the database is busy', gateways: [{ ...GATEWAY, lastSeen: EARLIER, budget: [] }] },
  huge: {
    ...WORKING,
    devices: [{ ...SOIL, name: WORD, values: Array.from({ length: 9 }, (_, index) => ({ name: `value_${index}_of_a_long_name`, value: index === 0 ? WORD : 10 ** (index * 2), unit: 'kWh', at: ago(1) })) }],
    tenants: [{ ...ACME, name: WORD, billed: money(HUGE), paid: money(HUGE / 2n), owed: money(HUGE / 2n), creditWindow: money(HUGE), uplinks: HUGE.toString(), units: HUGE.toString() }, { ...ACME, id: 'ahead', name: 'Paid ahead', creditWindow: money(0n), owed: money(-500n) }],
    rules: { rules: [{ ...WATER, name: WORD, text: `if ${WORD} of field < 1 set pump {"open":true}` }], runs: [{ ...RUN, because: WORD }] },
  },
}

const reading = (index: number): IotReadingJson => ({
  id: 900 - index,
  at: ago(74 + index * 600),
  fCnt: 8_412 - index,
  fPort: 1,
  isConfirmed: false,
  payload: '0167ffe1',
  values: index === 2 ? null : [{ name: 'soil', value: 18.2 + Math.abs(Math.sin(index)) * 4, unit: '%' }],
  problem: index === 2 ? 'the codec took longer than 50 ms and was ended' : null,
  frequencyHz: 868_100_000,
  dataRate: 'SF7BW125',
  rssiDbm: -57,
  snrDb: 9 - (index % 7),
  gateways: 1 + (index % 2),
})

export type LookSample = Omit<DeviceLookProps, 'onDraw' | 'onSpan' | 'onTakeBack'>

export const LOOKS: Readonly<Record<string, LookSample>> = {
  soil: {
    device: SOIL,
    readings: Array.from({ length: 40 }, (_, index) => reading(index)),
    queue: [
      { queueId: 4, fPort: 2, payload: '01ff', isConfirmed: true, asker: 'rule:water', state: 'queued', tries: [] },
      { queueId: 3, fPort: 2, payload: '0100', isConfirmed: false, asker: 'mqtt', state: 'failed', tries: [{ at: ago(500), statuses: ['TOO_LATE', 'DUTY_CYCLE_OVERFLOW'] }] },
    ],
    drawn: 'soil',
    span: 'day',
    points: Array.from({ length: 120 }, (_, index) => ({ wallMs: NOON - (120 - index) * 720_000, mean: 20 + 4 * Math.sin(index / 9), least: 19 + 4 * Math.sin(index / 9), most: 21.5 + 4 * Math.sin(index / 9) })),
  },
  pump: { device: PUMP, readings: [], queue: [], drawn: null, span: 'day', points: [] },
  newcomer: { device: NEWCOMER, readings: [], queue: [], drawn: null, span: 'day', points: [] },
  'one-point': { device: SOIL, readings: [reading(0)], queue: [], drawn: 'soil', span: 'week', points: [{ wallMs: NOON, mean: 18, least: 18, most: 18 }] },
  'no-point': { device: SOIL, readings: [{ ...reading(0), at: EARLIER }], queue: [], drawn: 'soil', span: 'month', points: [] },
}

const CA = { subject: 'CN=Acme Metering Root, O=Acme', notAfterMs: NOON + 900 * 86_400_000, isExpired: false, isExpiring: false }
const CLIENT = { subject: 'CN=box-17.gateways.acme.example', notAfterMs: NOON + 9 * 86_400_000, isExpired: false, isExpiring: true }
const WSS = 'station wss://lns.acme.example:8887/'

/** Tenants looked at closely, for their certificates. */
export const TENANT_LOOKS: Readonly<Record<string, IotTenantJson>> = {
  'no-tls': ACME,
  bare: { ...ACME, destination: WSS },
  expiring: { ...ACME, destination: WSS, tls: { ca: [CA], clientCertificate: CLIENT, isKeyLost: false, expiry: 'expiring' } },
  expired: { ...ACME, name: WORD, destination: `chirpstack mqtts://gate:***@${'a'.repeat(60)}.example:8883 eu868 json`, tls: { ca: [{ ...CA, subject: WORD, isExpired: true, notAfterMs: NOON - 86_400_000 }, CA], clientCertificate: { ...CLIENT, subject: `CN=${WORD}`, isExpired: true, isExpiring: false, notAfterMs: NOON - 86_400_000 }, isKeyLost: true, expiry: 'expired' } },
}
