/** Sections mesh and uplink: what they make, and what they refuse. */
import { expect, it } from 'vitest'
import { ConfigError, keepUntilRestart, loadConfig } from '../../../src/config/index.ts'

const COMMUNITY = `0x${'C0'.repeat(20)}`
const mesh = (...lines: readonly string[]): string => ["config mesh 'mesh'", ...lines.map((line) => ` ${line}`)].join('\n')
const uplink = (id: string, ...lines: readonly string[]): string => [`config uplink '${id}'`, ...lines.map((line) => ` ${line}`)].join('\n')

function faults(text: string): readonly (string | undefined)[] {
  try {
    loadConfig(text, 'box')
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.problems.map(({ option }) => option)
    throw thrown
  }
  return []
}

it('is typed: community, boxes, prices, ways out in the order of the file', () => {
  const config = loadConfig(
    [
      mesh(`option community '${COMMUNITY}'`, `option token '${COMMUNITY}'`, "option price_per_mib '0.001'", `list peers '0x00000000000000000000000000000000000000BB@/ip6/fd00::7/tcp/60404'`),
      uplink('wan', "option interface 'eth0'", "list probes '9.9.9.9'", "list probes '[2620:fe::fe]:443'", "list probes 'example.org:443'"),
      uplink('modem', "option interface 'wwan0'", "option kind 'lte'", "option cost_per_mib '0.5'"),
    ].join('\n'),
    'box',
  )
  expect(config.mesh).toMatchObject({ community: COMMUNITY, pricePerMib: 10n ** 15n, listenPort: 60_404, interface: 'bat0', roamEnforcement: 'exit', peers: [{ box: '0x00000000000000000000000000000000000000bb', address: '/ip6/fd00::7/tcp/60404' }] })
  expect(config.uplinks).toMatchObject([
    { id: 'wan', interface: 'eth0', kind: 'ethernet', costPerMib: 0n, maxPricePerMinute: 0n, probes: ['9.9.9.9', '[2620:fe::fe]:443', 'example.org:443'] },
    { id: 'modem', interface: 'wwan0', kind: 'lte', costPerMib: 5n * 10n ** 17n, downKbit: 10_000 },
  ])
  expect(loadConfig(mesh("option community 'own'"), 'box').mesh).toMatchObject({ community: 'own', roamSecondsWithoutKey: 120 })
  expect(loadConfig(mesh("option roam_seconds_without_key '3600'"), 'box').mesh.roamSecondsWithoutKey).toBe(3600)
})

it('keeps the old price in other decimals until the next start', () => {
  const text = `${mesh(`option token '${COMMUNITY}'`, "option price_per_mib '1'")}\nconfig token 'token'\n option decimals '6'`
  const started = loadConfig(text, 'box')
  expect(keepUntilRestart(started, loadConfig(text.replace("'6'", "'2'"), 'box')).mesh.pricePerMib).toBe(1_000_000n)
  expect(keepUntilRestart(started, loadConfig(text.replace("price_per_mib '1'", "price_per_mib '2'"), 'box')).mesh.pricePerMib).toBe(2_000_000n)
})

it.each([
  ['a community that is no address', mesh("option community 'ours'"), ['community']],
  ['the community of nobody', mesh(`option community '0x${'00'.repeat(20)}'`), ['community']],
  ['a price in nothing', mesh("option price_per_mib '1'"), ['price_per_mib']],
  ['a debt that is cut off before it is asked for', mesh("option settle_amount '2'", "option max_debt '2'"), ['settle_amount']],
  ['a port that the firewall does not open', mesh("option listen_port '40003'"), ['listen_port']],
  ["the payment channels' port", `${mesh()}\nconfig photon 'photon'\n option listen_address '10.1.2.3'\n option listen_port '60404'`, ['listen_port']],
  ['addresses of the Internet for the mesh', mesh("option ula_prefix '2001:db8:1::/64'"), ['ula_prefix']],
  ['guests who are asked for their key before a page can be opened', mesh("option roam_seconds_without_key '5'"), ['roam_seconds_without_key']],
  ['a box without an address', mesh("list peers '/ip6/fd00::7/tcp/60404'"), ['peers']],
  ['a way out that is bought with nothing', uplink('wan', "option interface 'eth0'", "option max_price_per_minute '1'"), ['max_price_per_minute']],
  ['a way out without an interface', uplink('wan'), ['interface']],
  ['the mesh as a way out', uplink('wan', "option interface 'bat0'"), ['interface']],
  ['the guests as a way out', uplink('wan', "option interface 'br-guest'"), ['interface']],
  ['one interface twice', `${uplink('wan', "option interface 'eth0'")}\n${uplink('again', "option interface 'eth0'")}`, ['interface']],
  ['a probe of a name without a port', uplink('wan', "option interface 'eth0'", "list probes 'example.org'"), ['probes']],
  ['a probe at no port', uplink('wan', "option interface 'eth0'", "list probes '1.1.1.1:70000'"), ['probes']],
])('refuses %s', (_what, text, options) => {
  expect(faults(text)).toEqual(options)
})

it('refuses amounts in a token of other decimals than they are read with', () => {
  const text = (...amounts: string[]): string => [mesh("option community 'own'", `option token '${COMMUNITY}'`, ...amounts), "config photon 'photon'", ` list tokens '${COMMUNITY}:USD:6'`].join('\n')
  expect(faults(text("option price_per_mib '1'", "option spend_per_day '5'"))).toEqual(['price_per_mib', 'spend_per_day'])
  expect(faults(text())).toEqual([])
  expect(faults(`${text("option price_per_mib '1'")}\nconfig token 'token'\n option decimals '6'`)).toEqual([])
})
