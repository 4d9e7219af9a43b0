/** The rules at the fields of the settings page are the service's own: the same texts pass both, or none. */
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError, formatUci, loadConfig } from '../../../src/config/index.ts'
import type { OptionValue } from '../../../src/config/index.ts'
import { Base, format } from './harness/base.ts'

const RESOURCES = fileURLToPath(new URL('../../../openwrt-feed/luci-app-meshbox/htdocs/luci-static/resources/', import.meta.url))
const FILES = readdirSync(RESOURCES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'))

type Check = (text: string) => true | string
interface Rules {
  line(max: number): Check
  whole(min: number, max: number): Check
  price(decimals: number): Check
  readonly symbol: Check
  readonly interfaceName: Check
  readonly hostName: Check
  readonly portalHost: Check
  readonly prefix: Check
  readonly ownAddress: Check
  readonly url: Check
  readonly account: Check
  readonly enode: Check
  readonly box: Check
  readonly token: Check
  readonly chain: Check
  readonly ip: Check
  readonly ownAddress4: Check
}

function loadRules(): Rules {
  Object.defineProperty(String.prototype, 'format', { configurable: true, value: function (this: string, ...values: unknown[]) { return format(this, values) } })
  const Made = new Function('baseclass', '_', readFileSync(`${RESOURCES}meshbox/rules.js`, 'utf8'))(Base, (text: string) => text) as new () => Rules
  return new Made()
}
const rules = loadRules()

/** Does the service take this text for this option? Objections to other options do not count. */
function takes(type: string, name: string, option: string, value: OptionValue): boolean {
  const needed = type === 'package' ? { slot: '0', label: 'l', price: '1', seconds: '60' } : {}
  try {
    loadConfig(formatUci([{ type, name, options: { ...needed, [option]: value } }]), 'meshbox')
    return true
  } catch (thrown) {
    if (thrown instanceof ConfigError) return !thrown.problems.some((problem) => JSON.stringify(problem).includes(`"${option}"`))
    throw thrown
  }
}

const ODD = [
  'a', '0', '1', '00', '01', '-1', '+1', '1.0', '1e3', '0x10', ' 1', '1 ', '', 'é', '😀', 'a b', ' a', 'a ', '\u00a0', '\u200b', 'x'.repeat(12), 'x'.repeat(13), 'x'.repeat(48), 'x'.repeat(49), '😀'.repeat(48), '😀'.repeat(49), '\u2028', 'a\u0085b',
  '15', '16', '1440', '1441', '4096', '4097', '65535', '65536', '100000', '100001', '10000000', '10000001', '1125899906842624', '1125899906842625', '9999999999999999', '99999999999999999',
  '0.5', '.5', '5.', '0,5', '0.000000000000000001', '0.0000000000000000001', '309485009.821345068724781055', '309485009.821345068724781056', '309485010', '1'.repeat(29), '1'.repeat(81),
  'br-guest', 'wan', 'wlan0.5', '-eth', 'eth-0', 'interfacename15', 'interfacename_16', 'a:b', 'a/b',
  'example.org', 'Example.org', 'example', 'a.b', 'a..b', '-a.b', 'a-.b', 'a.b.', 'a_b.c', 'box.local', 'local.box', 'xn--e1afmkfd.xn--p1ai', `${'a'.repeat(63)}.b`, `${'a'.repeat(64)}.b`, '1.2', '1.2.3.4', '1.2.3.4.5', '256.1.1.1',
  '127.0.0.1', '0.0.0.0', '::', '::1', '::0', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0', '::ffff:0:0', '::ffff:1.2.3.4', '2001:db8::1', '2001:db8::/32', '2001:db8::1/32', '2001:DB8::', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7::', '1::2:3:4:5:6:7:8', '1:2:3:4:5:6:7', ':::', '1::2::3', 'fe80::1%eth0', '1.2.3.4::', '::1.2.3.4', '::1.2.3.4:5', '12345::', 'g::', ':1', '1:',
  '192.0.2.0/24', '192.0.2.1/24', '192.0.2.1/32', '192.0.2.1/33', '0.0.0.0/0', '192.0.2.0/', '/24', '192.0.2.0/024', '192.0.2.0/24/1', '::/0', '::/128', '::1/129', '192.0.2.01',
  `0x${'a'.repeat(40)}`, `0x${'aB'.repeat(20)}`, `0x${'0'.repeat(40)}`, `0x${'a'.repeat(39)}`, `0x${'a'.repeat(41)}`, `0x${'a'.repeat(40)}:SMT:18`, `0x${'a'.repeat(40)}:SMT:37`, `0x${'a'.repeat(40)}:S T:1`, `0x${'a'.repeat(40)}:SMT:018`, `0x${'a'.repeat(40)}:SMT`, `0x${'0'.repeat(40)}:SMT:1`,
  `0x${'a'.repeat(40)}@/ip4/192.0.2.7/tcp/60402`, `0x${'a'.repeat(40)}@/dns4/box.example/tcp/1/p2p/16Uiu2HAm`, `0x${'a'.repeat(40)}@/ip4/192.0.2.7/udp/1`, `0x${'0'.repeat(40)}@/ip4/192.0.2.7/tcp/1`, `@/ip4/192.0.2.7/tcp/1`, `0x${'a'.repeat(40)}@/ip4/192.0.2.7/tcp/0`,
  `enode://${'a'.repeat(128)}@192.0.2.7:30303`, `enode://${'a'.repeat(128)}@[2001:db8::1]:30303?discport=1`, `enode://${'A'.repeat(128)}@192.0.2.7:30303`, `enode://${'a'.repeat(128)}@192.0.2.777:30303`, `enode://${'a'.repeat(128)}@192.0.2.7:65536`, `enode://${'a'.repeat(127)}@192.0.2.7:1`,
  'none', 'mainnet', 'Mainnet', '/etc/meshbox/village.json', '/', 'village.json', '/é', '/a/../b', '/./a', `/${'é'.repeat(127)}`, `/${'é'.repeat(128)}`,
  'http://example.org', 'https://example.org/a?b#c', 'ftp://example.org', 'http://', 'http://a b', 'http://é', 'http:///', 'http://[::1]/', 'http://[', `http://${'a'.repeat(248)}`, `http://${'a'.repeat(249)}`, 'HTTP://example.org', 'javascript:alert(1)',
]

describe.each<[string, Check, string, string, string, boolean]>([
  ['line', rules.line(48), 'meshbox', 'main', 'name', false],
  ['symbol', rules.symbol, 'token', 'token', 'symbol', false],
  ['price', rules.price(18), 'tariff', 'tariff', 'price_per_minute', false],
  ['minutes', rules.whole(0, 1440), 'tariff', 'tariff', 'trial_minutes', false],
  ['port', rules.whole(1, 65535), 'owner', 'owner', 'port', false],
  ['bytes', rules.whole(1, 1125899906842624), 'package', 'p', 'bytes', false],
  ['rate', rules.whole(8, 10000000), 'tariff', 'tariff', 'down_kbps', false],
  ['sessions', rules.whole(1, 4096), 'hotspot', 'hotspot', 'max_sessions', false],
  ['trials', rules.whole(0, 100000), 'hotspot', 'hotspot', 'trials_per_day', false],
  ['devices', rules.whole(1, 16), 'package', 'p', 'devices', false],
  ['interface', rules.interfaceName, 'hotspot', 'hotspot', 'guest_interface', false],
  ['portal host', rules.portalHost, 'hotspot', 'hotspot', 'portal_host', false],
  ['domain', rules.hostName, 'hotspot', 'hotspot', 'walled_garden_domains', true],
  ['prefix', rules.prefix, 'hotspot', 'hotspot', 'walled_garden_addresses', true],
  ['owner address', rules.ownAddress, 'owner', 'owner', 'address', false],
  ['account', rules.account, 'photon', 'photon', 'contract', false],
  ['wallet', rules.account, 'chain', 'chain', 'coinbase', false],
  ['node', rules.enode, 'chain', 'chain', 'peers', true],
  ['box', rules.box, 'photon', 'photon', 'peers', true],
  ['token', rules.token, 'photon', 'photon', 'tokens', true],
  ['chain', rules.chain, 'chain', 'chain', 'network', false],
  ['address', rules.ip, 'chain', 'chain', 'listen_address', false],
  ['LAN address', rules.ownAddress4, 'photon', 'photon', 'v1_listen_address', false],
  ['cap', rules.price(18), 'tariff', 'tariff', 'burner_cap', false],
  ['fee', rules.whole(0, 1000000), 'photon', 'photon', 'fee_ppm', false],
  ['url', rules.url, 'hotspot', 'hotspot', 'venue_url', false],
])('%s', (_name, check, type, name, option, isList) => {
  const agree = (text: string): void => {
    const verdict = check(text)
    // A list has no empty items, and an option left empty has its default: neither is a mistake.
    if (text !== '') expect(verdict === true, JSON.stringify(text)).toBe(takes(type, name, option, isList ? [text] : text))
    if (verdict !== true) expect(verdict.length).toBeGreaterThan(5)
  }
  it('judges odd texts as the service does', () => ODD.filter((text) => !/[\n\r]/.test(text)).forEach(agree))
  it('judges mixed texts as the service does', () => {
    const letters = fc.constantFrom(...'0123456789', '.', ':', '/', '-', 'a', 'f', 'z', '::', '.1', 'fe80', ' ')
    fc.assert(fc.property(fc.array(letters, { minLength: 1, maxLength: 9 }), (parts) => agree(parts.join(''))), { numRuns: 120, seed: 20261122 })
  })
})

it.each(FILES)('%s: LuCI squeezes it without harm', (file) => {
  const source = readFileSync(`${RESOURCES}${file}`, 'utf8')
  // The squeezer takes a slash for a pattern only behind ( , = : [ ! & | ? + { } ; and has no template texts.
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
  expect(code).not.toMatch(/(?:=>|return|typeof|case)\s*\/(?![/*])/)
  expect(code).not.toContain('`')
  expect(source.startsWith("'use strict';\n")).toBe(true)
})
