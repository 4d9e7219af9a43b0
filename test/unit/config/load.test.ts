/** From text to the typed configuration: defaults, every kind of refusal, checks over several options. */
import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../../../src/config/index.ts'

const CONFIGS = new URL('../../../configs/', import.meta.url)

function problemsOf(text: string): readonly { line: number; option?: string; value?: string; what: string; section?: string; allowed?: string }[] {
  try {
    loadConfig(text, 'box')
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.problems
    throw thrown
  }
  return []
}

const PACKAGE = `config package 'a'\n option slot 3\n option label 'A'\n option seconds 60\n option price 0.5\n`

describe('a configuration', () => {
  it('may be empty: no role, loopback dashboard, nothing sold, nothing given away', () => {
    const config = loadConfig('', 'box')
    expect(config.main.roles).toEqual([])
    expect(config.owner.address).toBe('127.0.0.1')
    expect(config.tariff).toEqual({ pricePerMinute: 0n, pricePerMib: 0n, burnerCap: 0n, trialMinutes: 0, trialMib: null, downKbps: null, upKbps: null })
    expect([config.packages, config.happyHours, config.shares]).toEqual([[], [], []])
  })

  it('is typed: numbers, flags, lists, money, ids', () => {
    const config = loadConfig(
      `package meshbox
config tariff 'tariff'
 option price_per_minute '0.25'
 option down_kbps 2000
config token 'token'
 option symbol 'SMT'
 option decimals 6
config hotspot 'hotspot'
 option client_isolation 0
 list walled_garden_addresses 10.0.0.0/8
 list walled_garden_addresses 2001:db8::/32
 option venue_url 'https://example.org/venue?x=1'
config meshbox 'main'
 list roles hotspot
${PACKAGE} option bytes 1125899906842624
 option offered 0
config happyhour 'h'
 option label 'H'
 option from_minute '22:00'
 option to_minute '02:30'
 list days sat
 option discount_percent 50
config share 's'
 option role community
 option beneficiary 0x00000000000000000000000000000000000000ff
 option parts_per_million 250000
 list sources hotspot:voucher
`,
      'box',
    )
    expect(config.tariff).toMatchObject({ pricePerMinute: 250_000n, downKbps: 2000 })
    expect(config.hotspot).toMatchObject({ clientIsolation: false, walledGardenAddresses: ['10.0.0.0/8', '2001:db8::/32'] })
    expect(config.main.roles).toEqual(['hotspot'])
    expect(config.packages).toEqual([
      { id: 'a', slot: 3, label: 'A', seconds: 60, bytes: 2 ** 50, tokens: null, price: 500_000n, devices: 1, downKbps: null, upKbps: null, offered: false },
    ])
    expect(config.happyHours).toEqual([{ id: 'h', label: 'H', basis: 'clock', fromMinute: 1320, toMinute: 150, days: ['sat'], discountPercent: 50 }])
    expect(config.shares[0]).toMatchObject({ id: 's', partsPerMillion: 250_000, sources: ['hotspot:voucher'] })
  })

  it('takes an empty value for none, as libuci does', () => {
    expect(loadConfig(`config tariff 'tariff'\n option trial_mib ''\n option trial_minutes ''\n`, 'box').tariff).toMatchObject({ trialMib: null, trialMinutes: 0 })
  })

  it.each(readdirSync(CONFIGS))('configs/%s/meshbox is ready to use', (name) => {
    const file = new URL(`${name}/meshbox`, CONFIGS)
    const config = loadConfig(readFileSync(file, 'utf8'), name)
    expect(config.main.roles).toContain('hotspot')
    expect(config.packages.length).toBeGreaterThanOrEqual(4)
  })

  it('of the café says 1 token = 10 minutes', () => {
    const config = loadConfig(readFileSync(new URL('cafe/meshbox', CONFIGS), 'utf8'), 'cafe')
    expect(config.tariff.pricePerMinute * 10n).toBe(10n ** BigInt(config.token.decimals))
  })
})

describe('a value that is not allowed', () => {
  const inSection = (section: string, line: string): string => `config ${section}\n ${line}\n`
  const main = "meshbox 'main'"
  const hotspot = "hotspot 'hotspot'"
  const owner = "owner 'owner'"
  const tariff = "tariff 'tariff'"
  const chain = "chain 'chain'"
  it.each([
    [main, `option name '${'n'.repeat(49)}'`],
    [main, `option name ' padded'`],
    [main, `option name 'two\nlines'`],
    [main, `option name 'bell\u0085'`],
    [main, `option data_dir 'relative/path'`],
    [main, `option data_dir '/a/../b'`],
    [main, `option data_dir '/'`],
    [main, `option control_socket '/${'s'.repeat(107)}'`],
    [main, `option log_level 'verbose'`],
    [main, `list roles 'watch'`],
    [main, `list roles 'hotspot'\n list roles 'hotspot'`],
    [main, `list roles ''`],
    ["token 'token'", `option decimals 37`],
    ["token 'token'", `option decimals 018`],
    ["token 'token'", `option symbol 'a b'`],
    [hotspot, `option gate 'ebpf'`],
    [hotspot, `option guest_interface 'br guest'`],
    [hotspot, `option guest_interface 'waytoolonginterface'`],
    [hotspot, `option guest_interface '..'`],
    [hotspot, `option guest_interface 'eth0@if5'`],
    [hotspot, `option portal_host 'nodots'`],
    [hotspot, `option portal_host 'box.local'`],
    [hotspot, `option portal_host 'UPPER.lan'`],
    [hotspot, `option portal_host '10.0.0.1'`],
    [hotspot, `option portal_address 'localhost'`],
    [hotspot, `option portal_address 'fe80::1%br-guest'`],
    [hotspot, `option portal_port 0`],
    [hotspot, `option portal_port 65536`],
    [hotspot, `option portal_port +80`],
    [hotspot, `option portal_port 80.0`],
    [hotspot, `option max_sessions 4097`],
    [hotspot, `option lease_seconds -1`],
    [hotspot, `option lease_seconds 1e2`],
    [hotspot, `option client_isolation yes`],
    [hotspot, `list walled_garden_domains '*.example.org'`],
    [hotspot, `list walled_garden_addresses '10.0.0.1/8'`],
    [hotspot, `list walled_garden_addresses '10.0.0.0/33'`],
    [hotspot, `list walled_garden_addresses '10.0.0'`],
    [hotspot, `option venue_url 'ftp://example.org'`],
    [hotspot, `option venue_url 'https://exa mple.org'`],
    [hotspot, `option venue_url 'https://'`],
    [hotspot, `option voucher_box 4`],
    [owner, `option address '0.0.0.0'`],
    [owner, `option address '::'`],
    [owner, `option address '::ffff:0.0.0.0'`],
    [owner, `option address '0:0:0:0:0:0:0:0'`],
    [owner, `option session_minutes 0`],
    [tariff, `option price_per_minute '-1'`],
    [tariff, `option price_per_minute '1,5'`],
    [tariff, `option price_per_minute '.5'`],
    [tariff, `option price_per_minute '1e3'`],
    [tariff, `option price_per_minute '0.${'1'.repeat(19)}'`],
    [tariff, `option price_per_minute '${'9'.repeat(30)}'`],
    [chain, `option network 'ropsten'`],
    [chain, `option network 'chain.json'`],
    [chain, `list peers 'enode://${'a'.repeat(127)}@192.0.2.1:60303'`],
    [chain, `list peers 'enode://${'a'.repeat(128)}@example.org:60303'`],
    [chain, `list peers 'enode://${'a'.repeat(128)}@192.0.2.1:65536'`],
    [chain, `list servers 'ws://192.0.2.1:18546'`],
    [chain, `option listen_address 'example.org'`],
    [chain, `list checkpoint_keys '${'A'.repeat(64)}'`],
    [chain, `list checkpoint_keys '${'a'.repeat(64)}'`],
    [chain, `option coinbase '0x${'0'.repeat(40)}'`],
    [chain, `option rpc_address '0.0.0.0'`],
    [chain, `option max_peers 51`],
    [tariff, `option down_kbps 7`],
    [tariff, `option trial_mib 0`],
  ])('config %s / %s', (section, line) => {
    const problems = problemsOf(inSection(section, line))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({ line: 2, section, option: line.split(' ')[1] })
    expect(problems[0]?.allowed).toBeTruthy()
    expect(problems[0]?.value).toBeDefined()
  })

  it.each([
    ['option slot 16', 'slot'],
    ['option devices 0', 'devices'],
    ['option offered true', 'offered'],
    ['option bytes 0', 'bytes'],
    ['option seconds 1.5', 'seconds'],
    ['option label ""\n option devices 17', 'devices'],
  ])('package: %s', (line, option) => {
    const text = PACKAGE.split('\n').filter((known) => !known.includes(` ${option} `) && !line.includes(known.split(' ')[2] ?? '?')).join('\n')
    expect(problemsOf(`${text}\n ${line}\n`).map((problem) => problem.option)).toContain(option)
  })

  it('over several lines asks for the closing quote', () => {
    expect(problemsOf(`config meshbox 'main'\n option name 'Box\n option log_level info'\n`)[0]?.what).toMatch(/is a closing quote missing/)
  })
})

describe('the chain', () => {
  const COINBASE = `0x${'5'.repeat(40)}`
  const file = (roles: string, chain: string): string => `config meshbox 'main'\n${roles}\nconfig chain 'chain'\n${chain}\n`

  it('of a community, sealed by this box', () => {
    const text = file(" list roles 'sealer'", ` option network '/etc/meshbox/village.json'\n option coinbase '${COINBASE}'\n list peers 'enode://${'ab'.repeat(64)}@[2001:db8::1]:60303'\n option rpc_address '192.168.1.1'`)
    expect(loadConfig(text, 'box').chain).toMatchObject({ network: '/etc/meshbox/village.json', coinbase: COINBASE, minGasPriceGwei: 18, rpcAddress: '192.168.1.1', rpcPort: 18_545, listenAddress: null })
  })

  it.each([
    ["no chain for the role 'light'", " list roles 'light'", '', 'network'],
    ['nobody to pay', " list roles 'sealer'", " option network 'testnet'", 'coinbase'],
    ["the guests' side", '', " option rpc_address '192.168.77.1'\nconfig hotspot 'hotspot'\n option portal_address '192.168.77.1'", 'rpc_address'],
    ["the dashboard's port", '', " option rpc_address '127.0.0.1'\n option rpc_port 2090", 'rpc_port'],
  ])('is refused: %s', (_what, roles, chain, option) => {
    expect(problemsOf(file(roles, chain))).toEqual([expect.objectContaining({ option })])
  })
})

describe('what the file does not know', () => {
  it('names the nearest section and option', () => {
    expect(problemsOf(`config hotsopt 'hotspot'\n`)[0]?.what).toMatch(/did you mean config hotspot\?/)
    expect(problemsOf(`config tariff 'tariff'\n option price_per_minutes 1\n`)[0]?.what).toMatch(/did you mean price_per_minute\?/)
    expect(problemsOf(`config tariff 'tariff'\n option pricePerMinute 1\n`)[0]?.what).toMatch(/did you mean price_per_minute\?/)
  })

  it('lists what there is when nothing is near', () => {
    expect(problemsOf(`config wireguard\n`)[0]?.allowed).toContain('happyhour')
    expect(problemsOf(`config tariff 'tariff'\n option colour red\n`)[0]?.allowed).toContain('trial_minutes')
  })

  it.each([
    ['single section under another name', `config tariff 'prices'\n`, 1, 'wrong name'],
    ['single section without a name', `config tariff\n`, 1, 'wrong name'],
    ['package without a name', `config package\n`, 1, 'has no name'],
    ['id too long', `config package '${'p'.repeat(33)}'\n`, 1, 'too long a name'],
    ['list written as option', `config meshbox 'main'\n option roles hotspot\n`, 2, 'is written as option'],
    ['option written as list', `config meshbox 'main'\n list name Box\n`, 2, 'is written as list'],
    ['package of another name', `package network\n`, 0, "another package, 'network'"],
  ])('%s', (_name, text, line, what) => {
    expect(problemsOf(text)).toMatchObject([{ line, what: expect.stringContaining(what) as string }])
  })

  it('allows 16 packages and names the 17th', () => {
    const many = Array.from({ length: 17 }, (_, index) => PACKAGE.replace("'a'", `'p${index}'`).replace('slot 3', `slot ${index % 16}`)).join('')
    expect(problemsOf(many)).toMatchObject([{ section: "package 'p16'", what: 'is one too many' }])
  })

  it('says which options of a package are missing', () => {
    expect(problemsOf(`config package 'a'\n`).map((problem) => problem.option)).toEqual(['slot', 'label', 'price', 'seconds'])
  })
})

describe('values that do not fit together', () => {
  const hotspot = (...lines: string[]): string => `config hotspot 'hotspot'\n ${lines.join('\n ')}\n`
  const owner = (...lines: string[]): string => `config owner 'owner'\n ${lines.join('\n ')}\n`
  const hour = (...lines: string[]): string => `config happyhour 'h'\n option label H\n option discount_percent 5\n ${lines.join('\n ')}\n`
  const share = (id: string, parts: number): string => `config share '${id}'\n option role relay\n option beneficiary b\n option parts_per_million ${parts}\n`
  it.each([
    ['certificate without key', hotspot('option tls_certificate_file /c'), 'tls_key_file', 1],
    ['key without certificate', hotspot('option tls_key_file /k'), 'tls_certificate_file', 1],
    ['checkpoint as long as the lease', hotspot('option lease_seconds 30', 'option checkpoint_seconds 30'), 'checkpoint_seconds', 3],
    ['lease below the default checkpoint', hotspot('option lease_seconds 20'), 'checkpoint_seconds', 1],
    ['guests behind themselves', hotspot('list uplink_interfaces br-guest'), 'uplink_interfaces', 2],
    ['portal ports the same', hotspot('option tls_port 2080'), 'tls_port', 2],
    ["boxes at the page's port", hotspot('option boxes_port 2080'), 'boxes_port', 2],
    ["boxes at the page's TLS port", hotspot('option boxes_port 2443'), 'boxes_port', 2],
    ["boxes at the dashboard's port", hotspot('option boxes_port 8080') + owner('option address 192.168.1.1', 'option port 8080'), 'boxes_port', 2],
    ["dashboard on the guests' address", hotspot('option portal_address 10.1.0.1') + owner('option address 10.1.0.1'), 'address', 4],
    ["dashboard on the guests' address, otherwise written", hotspot('option portal_address FD00::1') + owner('option address fd00:0:0::0001'), 'address', 4],
    ["dashboard on the guests' address, mapped", hotspot('option portal_address 10.1.0.1') + owner('option address ::ffff:10.1.0.1'), 'address', 4],
    ["dashboard on the page's port", owner('option port 2080'), 'port', 2],
    ["dashboard on the page's TLS port", owner('option port 2443'), 'port', 2],
    ["dashboard on the page's port, both on loopback", hotspot('option portal_address 127.0.0.1') + owner('option port 2080'), 'port', 4],
    ['slot twice', PACKAGE + PACKAGE.replace("'a'", "'b'"), 'slot', 7],
    ['package that grants nothing', PACKAGE.replace(' option seconds 60\n', ''), 'seconds', 1],
    ['happy hour of no length', hour('option from_minute 10:00', 'option to_minute 600'), 'to_minute', 5],
    ['happy hour at 24:00', hour('option from_minute 24:00', 'option to_minute 1:00'.replace('1:', '01:')), 'from_minute', 4],
    ['happy hour longer than a day', hour('option from_minute 0', 'option to_minute 1441'), 'to_minute', 5],
    ['happy hour backwards by uptime', hour('option from_minute 60', 'option to_minute 30', 'option basis uptime'), 'to_minute', 5],
    ['happy hour by uptime on days', hour('option from_minute 0', 'option to_minute 30', 'option basis uptime', 'list days mon'), 'days', 7],
    ['shares above all', share('a', 600_000) + share('b', 400_001), 'parts_per_million', 8],
  ])('%s', (_name, text, option, line) => {
    const problems = problemsOf(text)
    expect(problems.map((problem) => problem.option)).toEqual([option])
    expect(problems[0]?.line).toBe(line)
  })

  it('takes 0 for no port of boxes, and one of its own', () => {
    expect(problemsOf(hotspot('option boxes_port 0'))).toEqual([])
    expect(problemsOf(hotspot('option boxes_port 4711'))).toEqual([])
    expect(problemsOf(hotspot('option boxes_port 65536')).map(({ option }) => option)).toEqual(['boxes_port'])
  })

  it('lets a dashboard and a page share a loopback address, and a dashboard use the page port of another address', () => {
    expect(problemsOf(hotspot('option portal_address 127.0.0.1'))).toEqual([])
    expect(problemsOf(hotspot('option portal_address 10.1.0.1') + owner('option port 2080'))).toEqual([])
  })

  it('lets shares give all away', () => {
    expect(problemsOf(share('a', 600_000) + share('b', 400_000))).toEqual([])
  })
})

describe('a file with many mistakes', () => {
  const text = `config tariff 'tariff'
 option price_per_minute abc
 option trial_minutes
config token 'token'
 option decimals x
config package 'a'
 option slot 99
 option label 'A
 option price 1
config nonsense
`
  it('has all of them reported, in the order of the lines, each on its own line', () => {
    const broken = text.replace("'A\n", 'A\n')
    const problems = problemsOf(broken)
    expect(problems.map((problem) => problem.line)).toEqual([2, 3, 5, 6, 7, 10])
    try {
      loadConfig(broken, '/etc/config/meshbox')
    } catch (thrown) {
      const error = thrown as ConfigError
      expect(error.message.split('\n')).toHaveLength(6)
      expect(error.message.split('\n')[0]).toBe(
        "/etc/config/meshbox:2: tariff 'tariff', option price_per_minute, value 'abc': is not allowed; allowed: a decimal number such as 0.5, with no more digits after the point than the token has",
      )
      expect(error.toPublic()).toMatchObject({ error: 'bad-config', field: "tariff 'tariff', price_per_minute", value: 'abc', problems: problems.map((problem) => ({ ...problem, file: '/etc/config/meshbox' })) })
      expect(error.kind).toBe('input')
    }
    expect.assertions(5)
  })

  it('does not guess about a section of which a line could not be read', () => {
    expect(problemsOf(text).map((problem) => problem.line)).toEqual([2, 3, 5, 7, 8, 10])
  })

  it('stays short however bad it is', () => {
    const bad = `config tariff 'tariff'\n${Array.from({ length: 500 }, (_, index) => ` option o${index} 1\n`).join('')}`
    expect(problemsOf(bad)).toHaveLength(100)
    expect(() => loadConfig(bad, 'box')).toThrow(/box: and 400 more$/)
  })
})
