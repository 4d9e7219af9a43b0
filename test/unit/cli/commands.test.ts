import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connectionLost } from '../../../src/cli/control-client.ts'
import { COMMANDS } from '../../../src/cli/commands.ts'
import { momentOf, toHex } from '../../../src/base/index.ts'
import { hashCounters, writeReceipt } from '../../../src/hotspot/receipt/index.ts'
import { CONFIG_TEXT, PASSWORD, PlainPassword, buildHouse } from '../owner/house.ts'
import type { House } from '../owner/house.ts'
import { CODE, sessionView } from '../owner/scripted-desk.ts'
import { devnetBlock } from '../spectrum/devnet.ts'
import { IOT_COMMANDS } from './iot-lines.ts'
import { PROOF, blockJson, blocksJson, inclusionProof, villageFile } from './chain-inputs.ts'
import { meshCode } from './mesh-code.ts'
import { hash } from '../../support/photon-views.ts'
import { meshbox } from './console.ts'
import type { Given, Run } from './console.ts'
import photonPackets from '../../vectors/photon/v1-packets.json' with { type: 'json' }

const ID = '00000000000000a2'
let house: House
const run = (line: string | readonly string[], given: Given = {}): Promise<Run> => meshbox(line, { cwd: house.dir, ...given, env: { MESHBOX_SOCKET: join(house.dir, 'control.sock') } })
const longest = (text: string): number => Math.max(...text.split('\n').map((line) => [...line].length))

async function receiptOf(from: House): Promise<string> {
  return writeReceipt(
    {
      venue: 'Café', receiptNumber: 'R-1', sessionId: ID, label: '30 minutes', boughtSeconds: 1800, boughtBytes: null, tokenSymbol: 'TOK', tokenDecimals: 6, price: 3_000_000n, refunded: 0n,
      secondsUsed: 60, upBytes: 1, downBytes: 2, startedUnixSeconds: 1_700_000_000, startedTrusted: false, endedUnixSeconds: null, endedTrusted: false, countersHash: hashCounters(ID, []),
    },
    from.identity,
  )
}

beforeEach(async () => {
  house = await buildHouse()
  await house.control().start()
  await house.owner.createVouchers({ packageId: 'half_hour', count: 3 })
  const at = momentOf(house.time)
  await house.store.turn((tx) => house.ledger.earn(tx, { source: 'hotspot:voucher', token: 'TOK', amount: 4_000_000n, from: 'cash:vouchers', evidence: { type: 'voucher', id: 'a' }, at }))
  writeFileSync(join(house.dir, 'receipt.txt'), await receiptOf(house))
  writeFileSync(join(house.dir, 'meshbox.conf'), CONFIG_TEXT)
  writeFileSync(join(house.dir, 'blocks.json'), blocksJson(0, 1))
  writeFileSync(join(house.dir, 'village.json'), villageFile())
  mkdirSync(join(house.dir, 'uci'))
  writeFileSync(join(house.dir, 'uci/meshbox'), `config meshbox 'main'\n option data_dir '${house.dir}'\n`)
  writeFileSync(join(house.dir, 'packages.json'), JSON.stringify([{ id: 'day', label: '1 day', seconds: 86_400, bytes: null, price: '18', devices: 2, downKbps: null, upKbps: null, offered: true }]))
})
afterEach(() => house.close())

/** One line for each command that does something; those of IoT are in iot-lines.ts. */
const LINES: Record<string, readonly [line: string, given?: Given]> = {
  status: ['status'],
  'sessions list': ['sessions'],
  'sessions show': [`sessions show ${ID}`],
  'sessions kick': [`sessions kick ${ID}`],
  'sessions pause': [`sessions pause ${ID}`],
  'sessions resume': ['sessions resume 00000000000000a3'],
  'sessions extend': [`sessions extend ${ID} --minutes 10 --mib 5`],
  'sessions refund': [`sessions refund ${ID}`],
  'voucher create': ["voucher create half_hour 2 --valid-until 2099-12-31 --note 'Fiesta'"],
  'voucher list': ['voucher'],
  'voucher batches': ['voucher batches'],
  'voucher revoke': ['voucher revoke --batch b1'],
  'voucher sheet': ['voucher sheet b1'],
  'voucher export': ['voucher export b1'],
  'voucher key words': ['voucher key words'],
  'voucher key adopt': ['voucher key adopt --replace', { stdin: 'legal winner thank year wave sausage worth useful legal winner thank yellow\n' }],
  'tariff show': ['tariff'],
  'tariff set': ['tariff set --minutes-per-token 20 --trial-minutes 5 --trial-mib none --packages packages.json'],
  earnings: ['earnings --days 3'],
  'earnings entries': ['earnings entries'],
  audit: ['audit'],
  backup: ['backup copy.sqlite3'],
  'support-bundle': ['support-bundle bundle.tar.gz'],
  'receipt verify': ['receipt verify receipt.txt'],
  'lora receipt verify': ['lora receipt verify -', { stdin: readFileSync(join(import.meta.dirname, '../../vectors/iot/tenant-bill.json'), 'utf8') }],
  'identity show': ['identity'],
  'identity words': ['identity words'],
  'identity restore': ['identity restore fresh', { stdin: 'test test test test test test test test test test test junk\n' }],
  'password set': ['password set', { stdin: 'another password\n' }],
  reload: ['reload'],
  'config check': ['config check meshbox.conf'],
  'chain status': ['chain'],
  'chain checkpoint': ['chain checkpoint'],
  'chain alarm clear': ['chain alarm clear'],
  'chain branches': ['chain branches'],
  'chain adopt': [`chain adopt 0x${'5e'.repeat(32)}`],
  'chain wallet': ['chain wallet'],
  'chain send': [`chain send 0x${'b2'.repeat(20)} 2.5`],
  'chain poc status': ['chain poc status'],
  'chain poc deposit': ['chain poc deposit'],
  'chain poc start': ['chain poc start'],
  'chain poc stop': ['chain poc stop'],
  'chain poc withdraw': ['chain poc withdraw'],
  'chain poc bind': [`chain poc bind 0x${'b2'.repeat(20)}`],
  'channel status': ['channel status'],
  'channel list': ['channel'],
  'channel show': ['channel show 0x9e3779b19e37'],
  'channel open': [`channel open 0x${'b2'.repeat(20)} 2.5 --token MIN --settle-blocks 600 --core`],
  'channel deposit': [`channel deposit ${hash(1)} 2.5`],
  'channel withdraw': [`channel withdraw ${hash(2)} 0.5`],
  'channel close': [`channel close ${hash(5)} --force`],
  'channel wrap': ['channel wrap 2.5'],
  'channel unwrap': ['channel unwrap 2.5'],
  'channel alarm': ['channel alarm'],
  'channel alarm clear': ['channel alarm clear 1'],
  'channel duties': ['channel duties'],
  'channel peers': ['channel peers'],
  'channel peers add': [`channel peers add 0x${'c3'.repeat(20)} /ip4/192.0.2.7/tcp/4011`],
  pay: [`pay 0x${'b2'.repeat(20)} 2.5 --token MIN --max-fee 0.1 --data 'two teas'`],
  'pay list': ['pay list'],
  'pay show': [`pay show ${hash(104)}`],
  'pay cancel': [`pay cancel ${hash(101)}`],
  'pay allow-reveal': [`pay allow-reveal ${hash(107)}`],
  'pay paths': [`pay paths 0x${'b2'.repeat(20)} 2.5`],
  'payout list': ['payout'],
  'payout note': ["payout note investor:lender 0.25 --memo 'in cash'"],
  'payout pay': ['payout pay investor:lender'],
  'payout show': ['payout show 1'],
  'payout resume': ['payout resume 1'],
  'payout statement': ['payout statement 1'],
  'payout verify': ['payout verify -', { stdin: readFileSync(join(import.meta.dirname, '../../vectors/payout/series.txt'), 'utf8') }],
  'watch status': ['watch'],
  join: ['join - --apply --config-dir uci', { stdin: meshCode() }],
  'join-undo': ['join-undo --config-dir uci'],
  leave: ['leave --config-dir uci'],
  'mesh new': ["mesh new 'Roofs of Alma' --config-dir uci"],
  'mesh status': ['mesh'],
  'mesh peers': ['mesh peers'],
  'mesh path': ['mesh path 02:00:00:00:00:02'],
  'mesh prices': ['mesh prices'],
  'mesh invite': ['mesh invite --uses 2 --days 7'],
  'mesh invitations': ['mesh invitations'],
  'mesh take-back': ['mesh take-back 3'],
  'mesh expel': [`mesh expel 0x${'b2'.repeat(20)}`],
  'mesh pardon': [`mesh pardon 0x${'b2'.repeat(20)}`],
  'mesh ban': [`mesh ban 0x${'b2'.repeat(20)} --reason noisy`],
  'mesh unban': [`mesh unban 0x${'b2'.repeat(20)}`],
  'mesh carriage end': [`mesh carriage end 0x${'b2'.repeat(20)} --reason noisy`],
  'mesh carriage readmit': [`mesh carriage readmit 0x${'b2'.repeat(20)}`],
  'mesh carriage write-off': [`mesh carriage write-off 0x${'b2'.repeat(20)}`],
  'mesh guests': ['mesh guests'],
  'chain new': [`chain new chain.json --name village --leaders 0x${'a1'.repeat(20)} --owner 0x${'b2'.repeat(20)}`],
  'chain join': ['chain join village.json'],
  'tool header': ['tool header', { stdin: toHex(devnetBlock(8).rlp) }],
  'tool block': [`tool block --parent ${toHex(devnetBlock(0).rlp)}`, { stdin: blockJson(1) }],
  'tool block replay': ['tool block replay blocks.json'],
  'tool vrf verify': [`tool vrf verify --key ${PROOF.Pub} --message ${PROOF.Msg} --proof ${PROOF.Vrfnp}`],
  'tool vrf prove': [`tool vrf prove --message ${PROOF.Msg}`, { stdin: PROOF.Key }],
  'tool proof': ['tool proof', { stdin: inclusionProof(9, 1) }],
  'tool photon decode': ['tool photon decode', { stdin: photonPackets.packets.Unlock }],
  'tool photon encode': [`tool photon encode --chain-id 1 --contract 0x${'c3'.repeat(20)}`, { stdin: JSON.stringify({ message: { kind: 'ping', nonce: 1 }, key: '01'.repeat(32) }) }],
  'tool photon verify': ['tool photon verify --chain-id 8888', { stdin: photonPackets.packets.Unlock }],
  'tool channel-id': [`tool channel-id 0x${'a1'.repeat(20)} 0x${'b2'.repeat(20)} --token 0x${'c3'.repeat(20)} --contract 0x${'d4'.repeat(20)}`],
  'tool lora decode': ['tool lora decode', { stdin: '40F17DBE4900020001954378762B11FF0D' }],
  'tool lora encode': ['tool lora encode', { stdin: JSON.stringify({ type: 'join-request', joinEui: '01'.repeat(8), devEui: '02'.repeat(8), devNonce: 771, appKey: '03'.repeat(16) }) }],
  'tool lora join': ['tool lora join', { stdin: JSON.stringify({ request: '0039363463336913AA05693574323831330489C65B1304', appKey: '98929b92c49edba9676d646d3b612456', joinNonce: 1, netId: '000013', devAddr: '26000001' }) }],
  'tool gwmp decode': ['tool gwmp decode', { stdin: '021234020016c001ff10a235' }],
}

describe('each command', () => {
  it('has its line here', () => {
    expect([...Object.keys(LINES), ...IOT_COMMANDS].sort()).toEqual(COMMANDS.map((command) => command.words.join(' ')).sort())
  })

  it('works, in 80 columns, with nothing on stderr', async () => {
    for (const [name, [line, given]] of Object.entries(LINES)) {
      const { code, out, err } = await run(line, given)
      expect([name, code, err]).toEqual([name, 0, ''])
      expect([name, out]).toEqual([name, expect.stringMatching(/\S[^]*\n$/)])
      if (!['voucher sheet', 'voucher export', 'backup', 'support-bundle', 'payout statement'].includes(name) && !name.startsWith('tool ') && !name.startsWith('chain ')) expect([name, Math.max(80, longest(out))]).toEqual([name, 80])
    }
  })

  it('gives one JSON document with --json', async () => {
    for (const [name, [line, given]] of Object.entries(LINES)) {
      const { code, out, err } = await run(`${line} --json`, given)
      expect([name, code, err]).toEqual([name, 0, ''])
      expect([name, typeof JSON.parse(out)]).toEqual([name, 'object'])
    }
  })

  it('says the same as before, to the letter', async () => {
    let all = ''
    for (const name of ['status', 'sessions list', 'sessions show', 'sessions extend', 'sessions refund', 'voucher create', 'voucher list', 'voucher batches', 'voucher revoke', 'tariff show', 'tariff set', 'earnings', 'earnings entries', 'receipt verify', 'password set', 'reload', 'config check']) {
      const [line, given] = LINES[name] ?? ['']
      const { out } = await run(line, given)
      all += `$ meshbox ${line}\n${out}\n`
    }
    const steady = all.replace(/0x[0-9a-fA-F]{40}/g, '0x' + 'A'.repeat(40)).replace(/^Books .*$/m, 'Books (…)')
    await expect(steady).toMatchFileSnapshot('golden/commands.txt')
  })
})

describe('what may not be seen', () => {
  it('shows no voucher code, word or password unless asked', async () => {
    const words = house.ports.voucherKeys.revealVoucherWords().join(' ')
    for (const [name, [line, given]] of Object.entries(LINES)) {
      if (['voucher export', 'voucher key words', 'identity words'].includes(name)) continue
      for (const json of ['', ' --json']) {
        const { out, err } = await run(`${line.replace('copy.', `copy${json.length}.`).replace('bundle.', `bundle${json.length}.`)}${json}`, given)
        for (const secret of [CODE, PASSWORD, 'another password', words]) expect([name, `${out}${err}`.includes(secret)]).toEqual([name, false])
      }
    }
  })

  it('shows codes with --codes', async () => {
    expect((await run('voucher list --codes')).out).toContain(CODE)
    expect((await run('voucher create half_hour 1 --codes --json')).out).toContain(CODE)
  })

  it('makes files only their owner can read', async () => {
    await run('support-bundle bundle.tar.gz')
    await run('voucher sheet b1 --output sheet.html')
    for (const name of ['bundle.tar.gz', 'sheet.html']) expect(statSync(join(house.dir, name)).mode & 0o777).toBe(0o600)
  })

  it('never writes over a file', async () => {
    writeFileSync(join(house.dir, 'precious'), 'precious')
    for (const line of ['support-bundle precious', 'voucher sheet b1 --output precious', 'backup precious']) {
      const { code, err } = await run(line)
      expect([line, code]).toEqual([line, 1])
      expect(err).toMatch(/exist/)
    }
    expect(readFileSync(join(house.dir, 'precious'), 'utf8')).toBe('precious')
  })

  it('does not let a name draw on the terminal', async () => {
    house.desk.all.push(sessionView('00000000000000a9', { label: 'evil\u001b[2J\u202e\nname' }))
    expect((await run('sessions')).out).not.toMatch(/[\u001b\u202e]/)
    expect((await run('sessions show 00000000000000a9')).out).not.toMatch(/[\u001b\u202e]/)
  })
})

describe('when it does not work', () => {
  const at = (socket: string, line = 'status'): Promise<Run> => meshbox([...line.split(' '), '--socket', socket])

  it('says that the service is not running, and how to start it', async () => {
    const { code, out, err } = await at(join(house.dir, 'nothing.sock'))
    expect([code, out]).toEqual([1, ''])
    expect(err).toMatch(/^meshbox: the service is not running: there is no socket .*; start it with `\/etc\/init\.d\/meshbox start`, or name its socket with --socket\n$/)
    writeFileSync(join(house.dir, 'file'), '')
    expect((await at(join(house.dir, 'file'))).err).toContain('the service is not running: nobody answers')
    expect((await at(join(house.dir, 'file/x'))).err).toContain('is not the socket of the service')
  })

  it('says so as JSON too', async () => {
    const { code, out } = await at(join(house.dir, 'nothing.sock'), 'status --json')
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ error: 'service-down' })
  })

  it.each([
    ['EACCES', 'no-permission', 'run this command as root'],
    ['EPERM', 'no-permission', 'run this command as root'],
    ['EINVAL', 'service-down', 'is not the socket of the service'],
    ['ECONNRESET', 'service-lost', 'see its log'],
  ])('says what to do about %s', (code, own, advice) => {
    const error = connectionLost('/run/x.sock', Object.assign(new Error('as the kernel says'), { code }))
    expect(error.code).toBe(own)
    expect(error.message).toContain(advice)
  })

  it('says when the service went away in the middle', async () => {
    const path = join(house.dir, 'half.sock')
    const half = createServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"half')))
    await new Promise<void>((resolve) => half.listen(path, resolve))
    const { code, err } = await at(path)
    expect(code).toBe(1)
    expect(err).toContain('did not finish its answer')
    half.close()
  })

  it.each([
    ['sessions show ffffffffffffffff', 'there is no session ffffffffffffffff'],
    ["sessions show 'a b'", 'id: a b is not allowed; allowed: letters, digits, and . _ : -'],
    ['voucher create nothing 1', "'nothing' is not a package"],
    ['voucher create half_hour 1 --valid-until 2026-02-30', 'validUntil: 2026-02-30 is not allowed'],
    ['voucher sheet b99', 'there is no batch b99'],
    ['tariff set --price-per-minute 0.12345678', 'price_per_minute'],
    ['tariff set --packages receipt.txt', 'receipt.txt is not JSON'],
    ['receipt verify nothing.txt', 'there is no file nothing.txt'],
    ['config check nothing.conf', 'does not exist'],
    ['backup nowhere/at/all', 'nowhere'],
  ])('meshbox %s: %s', async (line, text) => {
    const { code, out, err } = await run(line)
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain(text)
    const json = await run(`${line} --json`)
    expect([json.code, json.err]).toEqual([1, ''])
    expect(JSON.parse(json.out)).toMatchObject({ error: expect.any(String) as string, message: expect.any(String) as string })
  })
})

describe('single commands', () => {
  it('status: exit code 1 when something is bad, and the set-up code of a fresh box', async () => {
    house.desk.hotspot = { ...house.desk.hotspot, gate: { state: 'down', reason: 'no nft', repairs: 0, devices: 0 } }
    const { code, out } = await run('status')
    expect(code).toBe(1)
    expect(out).toMatch(/^bad +Gate down: no nft$/m)
    const fresh = await buildHouse({ password: new PlainPassword() })
    try {
      await fresh.control().start()
      expect((await meshbox(['status', '--socket', join(fresh.dir, 'control.sock')])).out).toContain(`Set-up code: ${fresh.owner.access.firstRun.setupCode}`)
    } finally {
      await fresh.close()
    }
  })

  it('password set: asks twice on a terminal, and takes only the same', async () => {
    const asked = await run('password set', { secrets: ['another password', 'another passwort'] })
    expect(asked.code).toBe(1)
    expect(asked.err).toContain('not the same')
    expect(await house.password.verify(PASSWORD)).toBe(true)
    expect((await run('password set', { secrets: ['another password', 'another password'] })).code).toBe(0)
    expect(await house.password.verify('another password')).toBe(true)
    expect((await run('password set', { stdin: '' })).err).toContain('empty')
  })

  it('voucher key adopt: counts the words before it asks the service', async () => {
    expect((await run('voucher key adopt', { stdin: 'legal winner thank' })).err).toContain('these are 3 words; there are 12')
    expect((await run('voucher key adopt', { stdin: '' })).err).toContain('these are 0 words')
    expect((await run('voucher key adopt --replace', { secrets: [house.ports.voucherKeys.revealVoucherWords().join('  ').toUpperCase()] })).code).toBe(0)
  })

  it('voucher revoke --code -: reads the code from standard input', async () => {
    expect((await run('voucher revoke --code -', { stdin: `${CODE}\n` })).out).toBe('3 vouchers revoked\n')
    expect(house.desk.asked.at(-1)).toBe(`revoke {"code":"${CODE}"}`)
  })

  it('support-bundle and sheet: write what the service sent', async () => {
    await run('support-bundle bundle.tar.gz')
    expect(readFileSync(join(house.dir, 'bundle.tar.gz')).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]))
    await run('voucher sheet b1 --output sheet.html')
    expect(readFileSync(join(house.dir, 'sheet.html'), 'utf8')).toBe('<!doctype html><title>b1</title>')
    expect((await run('voucher sheet b1')).out).toBe('<!doctype html><title>b1</title>\n')
  })

  it('receipt verify: needs no service, reads standard input, knows a forgery and another box', async () => {
    const receipt = await receiptOf(house)
    const offline = (line: string, stdin: string): Promise<Run> => meshbox(line, { stdin, env: { MESHBOX_SOCKET: '/nowhere.sock' } })
    expect((await offline('receipt verify -', receipt)).out).toContain(`VALID, signed by ${house.identity.address}`)
    expect((await offline(`receipt verify - --box ${house.identity.address.toLowerCase()}`, receipt)).code).toBe(0)
    const forged = await offline('receipt verify -', receipt.replace('Price: 3 ', 'Price: 1 '))
    expect([forged.code, forged.out]).toEqual([1, expect.stringMatching(/^NOT VALID: /)])
    const other = await offline(`receipt verify - --box 0x${'1'.repeat(40)} --json`, receipt)
    expect(other.code).toBe(1)
    expect(JSON.parse(other.out)).toMatchObject({ valid: false, ours: false, reason: 'signed by another box' })
    expect((await offline('receipt verify -', '')).code).toBe(1)
  })

  it('config check: names every problem with its line', async () => {
    writeFileSync(join(house.dir, 'bad.conf'), "config meshbox 'main'\n\toption nmae 'x'\n\tlist roles 'pilot'\n")
    const { code, out } = await run('config check bad.conf')
    expect(code).toBe(1)
    expect(out).toMatch(/bad\.conf:2: .*nmae/)
    expect(out).toMatch(/bad\.conf:3: .*pilot/)
    expect(out).toMatch(/bad\.conf is not valid: 2 problems\n$/)
    expect(JSON.parse((await run('config check bad.conf --json')).out)).toMatchObject({ valid: false, problems: [{ line: 2 }, { line: 3 }] })
  })

  it('sessions list: pages, and stays in 80 columns with the longest rows there are', async () => {
    house.desk.all.push(
      sessionView('ffffffffffffffff', { state: 'gate-open', label: 'x'.repeat(48), secondsLeft: 31_622_400, bytesLeft: 999_999_999_999, upBytes: 1e15, devices: [{ mac: '02:00:00:00:00:01', ip4: null }, { mac: '02:00:00:00:00:02', ip4: null }], devicesMax: 16 }),
    )
    const { out } = await run('sessions list --limit 1')
    expect(longest(out)).toBeLessThanOrEqual(80)
    expect(out).toContain('More: --before ffffffffffffffff')
  })

  it('shows on a terminal that long work goes on, and leaves nothing of it', async () => {
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const create = house.desk.createVouchers.bind(house.desk)
    house.desk.createVouchers = async (request) => {
      await held
      return create(request)
    }
    let seen = ''
    const { runCli } = await import('../../../src/cli/index.ts')
    const code = await runCli(['voucher', 'create', 'half_hour', '1', '--socket', join(house.dir, 'control.sock')], {
      stdout: () => undefined,
      stderr: (text) => {
        seen += text
        if (seen.includes('making vouchers')) release()
      },
      readStdin: async () => '',
      readSecret: async () => '',
      stdinIsTty: false,
      stderrIsTty: true,
      env: {},
      cwd: '/',
    })
    expect(code).toBe(0)
    expect(seen).toMatch(/^\r[|/\\-] making vouchers … \d+ s/)
    expect(seen.endsWith('\r\u001b[K')).toBe(true)
  })
})

describe('options of every command', () => {
  let other: House
  beforeAll(async () => {
    other = await buildHouse({ configText: CONFIG_TEXT.replace('Café Alegría', 'Other Place') })
    await other.control().start()
  })
  afterAll(() => other.close())

  it.each(['status --json --socket', '--socket', '--json status --socket'])('may stand anywhere: meshbox %s …', async (line) => {
    const words = line === '--socket' ? ['--socket', join(other.dir, 'control.sock'), 'status', '--json'] : [...line.split(' '), join(other.dir, 'control.sock')]
    const { out } = await meshbox(words, { env: { MESHBOX_SOCKET: join(house.dir, 'control.sock') } })
    expect(JSON.parse(out)).toMatchObject({ name: 'Other Place' })
  })
})
