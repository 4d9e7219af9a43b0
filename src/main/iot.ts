/** LoRa, MQTT and tenants of this box, from its configuration: which doors, which broker, with which keys, and who pays. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { asError, inputError, type Address, type Log } from '../base/index.ts'
import { systemRandomness, systemTimers, type SystemClock } from '../base/io/system.ts'
import type { Config } from '../config/index.ts'
import type { Identity } from '../identity/index.ts'
import { NeighbourContest, SOLE_BOX, startIot, type ContestPeers, type IotRoom, type IotRoomSettings, type IotToken, type MqttConnection, type MqttParts, type MqttSettings } from '../iot/index.ts'
import type { Ledger } from '../ledger/index.ts'
import type { Photon } from '../photon/index.ts'
import type { Secp256k1 } from '../native/index.ts'
import type { Spectrum } from '../spectrum/index.ts'
import type { Store } from '../store/index.ts'
import { guestInterfaceOf, refuseGuests } from './guest-side.ts'
import { keepCompiledFrames } from './iot-heap.ts'
import { IotPayments } from './iot-payments.ts'
import { keySeal } from './iot-seal.ts'
import { udpOpener } from './native-parts.ts'

export interface IotRoomParts {
  readonly config: Config
  readonly store: Store
  readonly ledger: Ledger
  readonly identity: Identity
  readonly curve: Secp256k1
  /** Null: a box without a chain; its receipts are of chain 0. */
  readonly spectrum: Spectrum | null
  /** Null: a box without payment channels; tenants pay in other ways, or nothing. */
  readonly channels: Photon | null
  readonly tokens: () => readonly IotToken[]
  /** Other boxes that may have heard a frame too; null: this box is alone. */
  readonly neighbours: ContestPeers | null
  readonly clock: SystemClock
  readonly log: Log
  /** Folder of the bundle. */
  readonly folder: string
  readonly version: string
}

/** What mqtt.cjs has. */
interface MqttFile {
  readonly connectMqtt: (settings: MqttSettings, parts: MqttParts) => MqttConnection
}

const PPM = 1_000_000
/** Of the packages `mosquitto-ssl` and `mosquitto-nossl`. */
const MOSQUITTO_USER = 'mosquitto'
const CODEC_USER = 'nobody'
const KIB = 1024
const MAX_SMALL_FILE = 64 * KIB

/** Errors: input for files and options that cannot be; forbidden `bad-iot-address`; unavailable `cannot-listen`, `no-certificate`; what the store says. */
export async function startIotRoom(parts: IotRoomParts): Promise<IotRoom> {
  const { config, store, ledger, identity, curve, spectrum, clock, folder } = parts
  const log = parts.log.room('iot')
  refuseGuestDoors(config)
  const settings = iotSettings(config)
  keepCompiledFrames()
  const payments = new IotPayments({ store, channels: parts.channels, timers: systemTimers, log })
  await payments.start()
  const contest = parts.neighbours === null ? null : new NeighbourContest(parts.neighbours, clock, systemTimers)
  try {
    const room = await startIot({
      settings,
      store,
      ledger,
      seal: keySeal(identity.deriveSecret('iot-keys'), systemRandomness),
      signer: { address: identity.address.toLowerCase() as Address, sign: (digest) => Promise.resolve(identity.signDigest(digest)) },
      keccak: (bytes) => curve.keccak256(bytes),
      chainId: spectrum?.status().network.chainId ?? 0n,
      payments,
      channels: { channelOf: (payer, token) => channelOf(parts.channels, payer, token) },
      contest: contest ?? SOLE_BOX,
      tokens: parts.tokens,
      loadMqtt: () => {
        const file = join(folder, 'mqtt.cjs')
        const { connectMqtt } = createRequire(file)(file) as MqttFile
        return (wanted, limits = {}) => connectMqtt(wanted, { timers: systemTimers, randomness: systemRandomness, log, ...limits })
      },
      mosquitto: { folder: join(dirname(config.main.controlSocket), 'meshbox-mosquitto'), systemUser: userFor(MOSQUITTO_USER) },
      codec: { entryFile: join(folder, 'codec.cjs'), asUser: process.getuid?.() === 0 ? idsOf(CODEC_USER) : null },
      openUdp: udpOpener(join(folder, 'native/udp.node'), log),
      version: parts.version,
      clock,
      timers: systemTimers,
      randomness: systemRandomness,
      log,
    })
    log.info('IoT runs', { region: settings.region, devices: room.desk.devices().length, tenants: room.desk.tenants().length })
    return {
      desk: room.desk,
      stop: async () => {
        await room.stop()
        contest?.close()
        await payments.stop()
      },
    }
  } catch (thrown) {
    await payments.stop()
    throw thrown
  }
}

/** Concentrators and programs of the owner's are not looked for among the guests. Errors: forbidden `bad-iot-address`. */
export function refuseGuestDoors(config: Config): void {
  const { gwmpAddress, gwmpPort, stationAddress, stationPort, brokerListenAddress } = config.iot
  const guests = guestInterfaceOf(config)
  if (gwmpPort !== 0) refuseGuests('iot.gwmp_address', gwmpAddress, guests)
  if (stationPort !== 0) refuseGuests('iot.station_address', stationAddress, guests)
  if (brokerListenAddress !== null) refuseGuests('iot.broker_listen_address', brokerListenAddress, guests)
}

/** Errors: input, naming the option whose file cannot be read or used. */
export function iotSettings(config: Config): IotRoomSettings {
  const { iot, main, token } = config
  const { airtimeSurgeFromPpm, airtimeSurgeTimes } = iot
  const brokerTls = iot.brokerCertificateFile === null || iot.brokerKeyFile === null ? null : { certificateFile: iot.brokerCertificateFile, keyFile: iot.brokerKeyFile }
  return {
    region: iot.region,
    netId: Number.parseInt(iot.netId, 16),
    gwmp: iot.gwmpPort === 0 ? null : { address: iot.gwmpAddress, port: iot.gwmpPort, gateways: iot.gateways },
    station:
      iot.stationPort === 0
        ? null
        : { address: iot.stationAddress, port: iot.stationPort, certificateFile: iot.stationCertificateFile, keyFile: iot.stationKeyFile, tokens: stationTokens(iot) },
    collectMs: iot.collectMs,
    airtime: {
      reservedPpm: iot.airtimeReservedPpm,
      soldPpm: iot.airtimeSoldPpm,
      pricesPerMs: { '*': iot.airtimePricePerMs, ...Object.fromEntries(iot.airtimeBandPrices.map(({ band, perMs }) => [band, perMs])) },
      priceDecimals: token.decimals,
      dutyPpm: {},
      surge: airtimeSurgeFromPpm === 0 ? null : { fromPpm: airtimeSurgeFromPpm, timesPpm: airtimeSurgeTimes * PPM },
    },
    mqtt: {
      broker: iot.broker,
      url: iot.brokerUrl,
      userName: iot.brokerUserName,
      passwordFile: iot.brokerPasswordFile,
      topicPrefix: iot.topicPrefix,
      listen: iot.brokerListenAddress === null ? [] : [{ address: iot.brokerListenAddress, port: iot.brokerListenPort, isTls: brokerTls !== null }],
      homeAssistant: iot.homeAssistant,
      sparkplugGroup: iot.sparkplugGroup,
    },
    ownBroker: { loopbackPort: iot.brokerPort, listeners: iot.brokerListenAddress === null ? [] : [{ address: iot.brokerListenAddress, port: iot.brokerListenPort, tls: brokerTls }] },
    brokerPassword: iot.brokerPasswordFile === null ? null : (readSmall('broker_password_file', iot.brokerPasswordFile).split('\n')[0] ?? '').trim(),
    nodeName: main.name.replace(/[^A-Za-z0-9-]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 32) || 'box',
    log: { days: iot.logDays, maxBytes: iot.logMib * KIB * KIB },
    lateBytes: iot.lateKib * KIB,
  }
}

/** `EUI token`, one in a line; empty lines and those that begin with # count for nothing. */
function stationTokens({ stationTokensFile }: Config['iot']): Readonly<Record<string, string>> {
  if (stationTokensFile === null) return {}
  const tokens: Record<string, string> = {}
  for (const [index, line] of readSmall('station_tokens_file', stationTokensFile).split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, eui, token] = /^([0-9a-f]{16})\s+(\S.*?)\s*$/.exec(line) ?? []
    if (eui === undefined || token === undefined) throw inputError('station_tokens_file', `line ${index + 1}`, 'an EUI of 16 lower-case hex digits, a blank, and what its Authorization header must say')
    tokens[eui] = token
  }
  return tokens
}

function readSmall(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(0, MAX_SMALL_FILE)
  } catch (error) {
    throw inputError(option, path, `a file that can be read (${asError(error).message})`)
  }
}

/** For receipts: the channel that he pays by. */
function channelOf(photon: Photon | null, payer: Address, token: Address): ReturnType<Parameters<typeof startIot>[0]['channels']['channelOf']> {
  if (photon === null) return null
  const found = photon.desk.channels().find((channel) => channel.partner.address === payer && channel.token === token)
  return found === undefined ? null : { channel: found.id, epoch: found.epoch }
}

/** Whom mosquitto becomes when root starts it: its own user, or nobody where the package made none. */
function userFor(name: string): string {
  return idsOf(name) === null ? CODEC_USER : name
}

/** Null: there is no such user. */
function idsOf(name: string): { readonly uid: number; readonly gid: number } | null {
  if (!existsSync('/etc/passwd')) return null
  const [, , uid, gid] = readFileSync('/etc/passwd', 'utf8').split('\n').find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) }
}
