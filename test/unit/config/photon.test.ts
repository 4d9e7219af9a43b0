/** Section photon: what it makes, and what it refuses. */
import { expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../../../src/config/index.ts'

const CONTRACT = `0x${'4D'.repeat(20)}`
const whole = (roles: readonly string[], ...photon: readonly string[]): string =>
  [
    "config meshbox 'main'",
    ...roles.map((role) => ` list roles '${role}'`),
    "config chain 'chain'",
    " option network 'testnet'",
    "config photon 'photon'",
    ` option contract '${CONTRACT}'`,
    ...photon.map((line) => ` ${line}`),
  ].join('\n')

function faults(text: string): readonly (string | undefined)[] {
  try {
    loadConfig(text, 'box')
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.problems.map(({ option }) => option)
    throw thrown
  }
  return []
}

it('is typed: tokens, boxes, amounts', () => {
  const { photon } = loadConfig(
    whole(['light', 'photon'], "list tokens '0x00000000000000000000000000000000000000Aa:SMT:18'", `list peers '0x00000000000000000000000000000000000000BB@/ip4/192.0.2.7/tcp/40002'`, "option watch_reward '0.5'", "option listen_address '10.1.2.3'", "list listen_zones 'mesh'", "option rest '1'"),
    'box',
  )
  expect(photon).toMatchObject({
    contract: CONTRACT,
    tokens: [{ address: '0x00000000000000000000000000000000000000aa', symbol: 'SMT', decimals: 18 }],
    peers: [{ account: '0x00000000000000000000000000000000000000bb', address: '/ip4/192.0.2.7/tcp/40002' }],
    watchReward: 5n * 10n ** 17n,
    minSettleTimeout: 77,
    coreSettleTimeout: 40_000,
    maxOfflineExposure: 0n,
    listenZones: ['mesh'],
    rest: true,
  })
})

it.each([
  ['no chain', whole(['photon']), ['roles']],
  ['no contract', whole(['light', 'photon']).replace(/ option contract.*\n?/, ''), ['contract']],
  ['a token without decimals', whole(['light'], `list tokens '${CONTRACT}:SMT'`), ['tokens']],
  ['a token with too many words', whole(['light'], `list tokens '${CONTRACT}:SMT:18:1'`), ['tokens']],
  ['a box without an account', whole(['light'], "list peers '/ip4/192.0.2.7/tcp/40002'"), ['peers']],
  ['a box at no address', whole(['light'], `list peers '${CONTRACT}@192.0.2.7:40002'`), ['peers']],
  ['a door to every network', whole(['light'], "option listen_address '0.0.0.0'"), ['listen_address']],
  ["a door on the guests' side", `${whole(['light'], "option listen_address '10.9.0.1'")}\nconfig hotspot 'hotspot'\n option portal_address '10.9.0.1'`, ['listen_address']],
  ['secrets that come too late', whole(['light'], "option reveal_timeout '50'"), ['min_settle_timeout']],
  ['too little time to answer a closing', whole(['light'], "option reveal_timeout '31'"), ['min_settle_timeout']],
  ['an opened firewall with nobody behind it', whole(['light'], "list listen_zones 'mesh'"), ['listen_address']],
  ['a zone for a port that the firewall keeps shut', whole(['light'], "option listen_address '10.1.2.3'", "option listen_port '2222'", "list listen_zones 'wan'"), ['listen_port']],
  ["the same of the chain's door", whole(['light']).replace("'testnet'", "'testnet'\n list listen_zones 'mesh'"), ['listen_address']],
  ['channels that settle too fast', whole(['light'], "option settle_timeout '60'"), ['settle_timeout']],
])('refuses %s', (_what, text, options) => {
  expect(faults(text)).toEqual(options)
})
