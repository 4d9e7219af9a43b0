/** Options of `config iot 'iot'`: region, doors for concentrators, airtime, the broker, and what is kept. docs/iot.md. */
import { parseIp } from './network-address.ts'
import { absolutePath, flag, listOf, matching, money, oneOf, option, optional, wholeNumber } from './rules.ts'
import type { Rules } from './schema.ts'
import type { IotBandPrice, IotConfig } from './types.ts'

/** As src/iot/lorawan names them. */
const REGIONS = ['EU868', 'US915', 'AS923', 'AS923-2', 'AS923-3', 'AS923-4', 'CN470', 'IN865'] as const
const address = matching('IP address', 'an IPv4 or IPv6 address', (text) => parseIp(text) !== null)
const eui = matching('EUI', '16 lower-case hex digits', (text) => /^[0-9a-f]{16}$/.test(text))
/** 0: the door stays shut. */
const doorPort = wholeNumber(0, 65_535, 'port; 0: shut')
const bandPrice = {
  kind: 'sub-band and price',
  allowed: `a sub-band of the region, a blank, and ${money.allowed}`,
  read: (text: string, context: Parameters<typeof money.read>[1]): IotBandPrice | undefined => {
    const [, band, price = ''] = /^([A-Za-z0-9._-]{1,16}) (\S+)$/.exec(text) ?? []
    const perMs = money.read(price, context)
    return band === undefined || perMs === undefined ? undefined : { band, perMs }
  },
}
const brokerUrl = matching('URL', 'mqtt:// or mqtts:// with a host, such as mqtts://broker.example:8883', (text) => /^mqtts?:\/\//.test(text) && text.length <= 512 && URL.canParse(text) && new URL(text).hostname !== '' && new URL(text).password === '')

export const IOT: Rules<IotConfig> = {
  region: option(oneOf(...REGIONS), 'EU868', 'EU868', { doc: 'LoRaWAN region: channels, data rates, limits of the air. It must be that of the country, and of the concentrator.', restart: true }),
  netId: option(matching('NetID', '6 lower-case hex digits', (text) => /^[0-9a-f]{6}$/.test(text)), '000000', '000000', { doc: 'Network id of the own devices; 000000 and 000001 are for private networks.', restart: true }),
  gwmpAddress: option(address, '127.0.0.1', '127.0.0.1', { doc: "Where packet forwarders (Semtech UDP) are heard. The protocol has no passwords: an address of the owner's network, never of guests or the mesh.", restart: true }),
  gwmpPort: option(doorPort, 1700, '1700', { doc: 'UDP port for packet forwarders.', restart: true }),
  gateways: listOf(eui, 64, { value: [], text: 'everybody who reaches the door' }, { doc: 'Packet forwarders that are listened to.', restart: true }),
  stationAddress: option(address, '127.0.0.1', '127.0.0.1', { doc: "Where Basics Station connects (LNS and CUPS): an address of the owner's network.", restart: true }),
  stationPort: option(doorPort, 0, '0', { doc: 'TCP port for Basics Station.', restart: true }),
  stationCertificateFile: optional(absolutePath(), 'no TLS', { doc: 'PEM certificate for Basics Station.', restart: true }),
  stationKeyFile: optional(absolutePath(), 'no TLS', { doc: 'PEM key of that certificate.', restart: true }),
  stationTokensFile: optional(absolutePath(), 'no tokens', { doc: 'File with one line for each gateway: its EUI, a blank, and what its Authorization header must say.', restart: true }),
  collectMs: option(wholeNumber(0, 1000, 'milliseconds'), 200, '200', { doc: 'How long copies of a frame are waited for when more than one concentrator is near.', restart: true }),
  airtimeReservedPpm: option(wholeNumber(0, 1_000_000, 'parts per million'), 200_000, '200000', { doc: "Part of each sub-band's airtime that only the owner's joins and acknowledgements may use.", restart: true }),
  airtimeSoldPpm: option(wholeNumber(0, 1_000_000, 'parts per million'), 100_000, '100000', { doc: "Of any hour of a sub-band, how much may have been on the air, by whomever, when a tenant's downlink is taken; where the law's share is smaller, that counts. A concentrator that sends hears nothing. 0: none are taken.", restart: true }),
  airtimePricePerMs: option(money, 0n, '0', { doc: "Least price of a started millisecond of a tenant's downlink, in his token; his own price list goes before.", restart: true }),
  airtimeBandPrices: listOf(bandPrice, 32, { value: [], text: 'none: `airtime_price_per_ms` is that of all' }, { doc: 'The same for one sub-band, such as `P 0.002`; `meshbox lora gateways` shows their names.', restart: true }),
  airtimeSurgeFromPpm: option(wholeNumber(0, 999_999, 'parts per million; 0: never'), 0, '0', { doc: 'From which part of an hour\'s airtime on that price rises.', restart: true }),
  airtimeSurgeTimes: option(wholeNumber(1, 1000, 'times'), 4, '4', { doc: 'To how many times the price has risen when all airtime is used.', restart: true }),
  broker: option(oneOf('own', 'url', 'off'), 'own', 'own', { doc: '`own`: the service runs mosquitto; `url`: somebody else\'s broker; `off`: no MQTT.', restart: true }),
  brokerPort: option(wholeNumber(1, 65_535, 'TCP port'), 1884, '1884', { doc: "Port of the own broker on 127.0.0.1, without a password; 1883 is the distribution's own mosquitto's.", restart: true }),
  brokerListenAddress: optional(address, 'the own broker is reached on this box alone', { doc: "Where the own broker is reached with a name and a password (`meshbox mqtt user add`): an address of the owner's network.", restart: true }),
  brokerListenPort: option(wholeNumber(1, 65_535, 'TCP port'), 8883, '8883', { doc: 'Port there.', restart: true }),
  brokerCertificateFile: optional(absolutePath(), 'no TLS', { doc: 'PEM certificate of the own broker; passwords go in the clear without one.', restart: true }),
  brokerKeyFile: optional(absolutePath(), 'no TLS', { doc: 'PEM key of that certificate.', restart: true }),
  brokerUrl: optional(brokerUrl, 'none', { doc: 'Broker to use, with `broker url`.', restart: true }),
  brokerUserName: optional(matching('name', '1 to 64 characters without blanks', (text) => /^\S{1,64}$/.test(text)), 'none', { doc: 'Name there.', restart: true }),
  brokerPasswordFile: optional(absolutePath(), 'none', { doc: 'File whose first line is the password there.', restart: true }),
  topicPrefix: option(matching('topic', '1 to 64 letters, digits, _ and -, in levels with /', (text) => text.length <= 64 && /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/.test(text)), 'meshbox', 'meshbox', { doc: "First levels of the box's own topics.", restart: true }),
  homeAssistant: option(flag, true, '1', { doc: 'Devices are announced to Home Assistant.', restart: true }),
  sparkplugGroup: optional(matching('group', '1 to 64 letters, digits, _, - and .', (text) => /^[A-Za-z0-9_.-]{1,64}$/.test(text)), 'no Sparkplug B', { doc: 'The box is a Sparkplug B edge node of this group, called as the box.', restart: true }),
  logDays: option(wholeNumber(1, 3650, 'days'), 365, '365', { doc: 'How long readings are kept.', restart: true }),
  logMib: option(wholeNumber(1, 4096, 'MiB'), 64, '64', { doc: 'What all readings together take at most; whoever has most loses the oldest first.', restart: true }),
  lateKib: option(wholeNumber(0, 16_384, 'KiB; 0: nothing'), 16_384, '16384', { doc: 'Room for frames that a tenant could not be given in time.', restart: true }),
}
