/** Section iot: what it makes, and what it refuses. */
import { expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../../../src/config/index.ts'

const iot = (...lines: readonly string[]): string => ["config meshbox 'main'", " list roles 'iot'", "config iot 'iot'", ...lines.map((line) => ` ${line}`)].join('\n')

function faults(text: string): readonly (string | undefined)[] {
  try {
    loadConfig(text, 'box')
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.problems.map(({ option }) => option)
    throw thrown
  }
  return []
}

it('listens on the box alone unless it is told otherwise', () => {
  expect(loadConfig(iot(), 'box').iot).toMatchObject({ region: 'EU868', gwmpAddress: '127.0.0.1', gwmpPort: 1700, stationPort: 0, broker: 'own', brokerListenAddress: null, gateways: [] })
})

it('is typed: doors, prices, the broker', () => {
  const text = iot("option region 'CN470'", "option gwmp_address '192.168.1.1'", "list gateways '0102030405060708'", "option airtime_price_per_ms '0.000001'", "list airtime_band_prices 'CN 0.5'", "option broker 'url'", "option broker_url 'mqtts://broker.example:8883'", "option topic_prefix 'farm/box-1'")
  expect(loadConfig(text, 'box').iot).toMatchObject({ region: 'CN470', gwmpAddress: '192.168.1.1', gateways: ['0102030405060708'], airtimePricePerMs: 10n ** 12n, airtimeBandPrices: [{ band: 'CN', perMs: 5n * 10n ** 17n }], brokerUrl: 'mqtts://broker.example:8883', topicPrefix: 'farm/box-1' })
})

it.each([
  ['a door on every address, the guests\' too', iot("option gwmp_address '0.0.0.0'"), ['gwmp_address']],
  ["a door on the guests' side", `${iot("option gwmp_address '10.77.0.1'")}\nconfig hotspot 'hotspot'\n option portal_address '10.77.0.1'`, ['gwmp_address']],
  ['the same of Basics Station', iot("option station_address '::'", "option station_port '3001'"), ['station_address']],
  ['the same of the broker', iot("option broker_listen_address '0.0.0.0'"), ['broker_listen_address']],
  ['a certificate without its key', iot("option station_certificate_file '/etc/x.pem'"), ['station_key_file']],
  ['a key without its certificate', iot("option broker_key_file '/etc/x.pem'"), ['broker_certificate_file']],
  ["somebody else's broker, of which nobody says where", iot("option broker 'url'"), ['broker_url']],
  ['a password in a URL', iot("option broker 'url'", "option broker_url 'mqtt://me:secret@host'"), ['broker_url']],
  ['a prefix that is a wildcard', iot("option topic_prefix '#'"), ['topic_prefix']],
  ['a sub-band without a price', iot("list airtime_band_prices 'P'"), ['airtime_band_prices']],
  ['two prices for one sub-band', iot("list airtime_band_prices 'P 1'", "list airtime_band_prices 'P 2'"), ['airtime_band_prices']],
  ['a region that nobody knows', iot("option region 'EU433'"), ['region']],
  ["the dashboard's port", iot("option station_address '127.0.0.1'", "option station_port '2090'"), ['station_port']],
])('refuses %s', (_what, text, options) => {
  expect(faults(text)).toEqual(options)
})

it('lets a door that is shut have any address', () => {
  expect(faults(iot("option gwmp_address '0.0.0.0'", "option gwmp_port '0'"))).toEqual([])
})
