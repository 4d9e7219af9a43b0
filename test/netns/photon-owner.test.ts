/**
 * Channels as their owner and his programs use them: two bundled services on one machine, one of which seals their chain. Coins are
 * wrapped, a channel is opened, paid over, added to, taken from and ended, by the original's REST over real HTTP and by every verb
 * of `meshbox channel`, `pay` and `watch`. The boxes' clocks run faster: each step waits for 17 blocks.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import { systemRandomness } from '../../src/base/io/system.ts'
import { formatUci } from '../../src/config/index.ts'
import { openIdentity } from '../../src/identity/index.ts'
import { loadSecp256k1 } from '../../src/native/index.ts'
import type { PhotonChannelJson, PhotonChannelsJson, PhotonDutiesJson, PhotonPayReply, PhotonStatusJson } from '../../src/owner/index.ts'
import { GENESIS_ADDRESSES } from '../../src/photon/contracts/index.ts'
import { COMMUNITY_ADDRESSES } from '../../src/spectrum/community/index.ts'
import { formatEnode } from '../../src/spectrum/source/index.ts'
import { hurried } from '../support/fake-time.ts'
import { thisMachine } from '../support/netns.ts'
import { NODE, boxFiles, copyOfBundle, startService, waitFor, type BoxFiles, type Service } from '../support/town-services.ts'

const PASSWORD = 'a password of the test'
const TOKEN = COMMUNITY_ADDRESSES.WrappedSmt
const SMT = 10n ** 18n
const GIFT = `0x${'9a'.repeat(20)}`
/** A chain of one sealer makes a block a second of the boxes' time, and money rests 17 blocks deep: minutes for each step where the machine has other work. */
const PATIENCE_MS = 180_000
const SPEED = 4
const folder = mkdtempSync(join(tmpdir(), 'meshbox-photon-owner-'))
const bundle = copyOfBundle(join(folder, 'bundle'))
const CLI = join(bundle, 'meshbox')

interface Home {
  readonly files: BoxFiles
  readonly account: string
  readonly miner: string
  readonly enode: string
  readonly ports: { readonly owner: number; readonly chain: number; readonly photon: number }
}
let [hall, shop]: Home[] = []
let services: Service[] = []
const hallHome = (): Home => hall ?? missing()
const shopHome = (): Home => shop ?? missing()
const service = (index: number): Service => services[index] ?? missing()
function missing(): never {
  throw new Error('that box is not there')
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

async function home(name: string): Promise<Home> {
  const files = boxFiles(join(folder, name))
  // As a box comes up first: its keys and its book are made together.
  writeFileSync(files.config, formatUci([{ type: 'meshbox', name: 'main', options: { data_dir: files.dataDir, control_socket: files.socket, log_style: 'time' } }, { type: 'owner', name: 'owner', options: { address: '127.0.0.1', port: String(await freePort()) } }]))
  await (await startService(thisMachine, files, {}, bundle)).stop()
  const identity = await openIdentity({ dataDir: files.dataDir, randomness: systemRandomness, log: silentLog })
  const [owner, chain, photon] = [await freePort(), await freePort(), await freePort()]
  const nodeId = loadSecp256k1(null).publicKeyOf(identity.deriveSecret('chain-node')).subarray(1)
  return {
    files,
    account: identity.addressFor('photon-account').toLowerCase(),
    miner: identity.addressFor('chain-miner').toLowerCase(),
    enode: formatEnode({ nodeId, address: '127.0.0.1', tcpPort: chain, udpPort: chain }),
    ports: { owner, chain, photon },
  }
}

/** `rest`: the one option that this is about. */
function configOf(one: Home, other: Home, network: string, role: 'sealer' | 'light', rest: '0' | '1'): string {
  return formatUci([
    { type: 'meshbox', name: 'main', options: { data_dir: one.files.dataDir, control_socket: one.files.socket, log_style: 'time', clock_trust: 'always', roles: [role, 'photon'] } },
    { type: 'token', name: 'token', options: { symbol: 'SMT', decimals: '18' } },
    { type: 'owner', name: 'owner', options: { address: '127.0.0.1', port: String(one.ports.owner) } },
    { type: 'chain', name: 'chain', options: { network, listen_address: '127.0.0.1', listen_port: String(one.ports.chain), peers: [other.enode], ...(role === 'sealer' ? { coinbase: one.miner } : {}) } },
    {
      type: 'photon',
      name: 'photon',
      options: {
        contract: GENESIS_ADDRESSES.PhotonV2, tokens: [`${TOKEN}:SMT:18`], listen_address: '127.0.0.1', listen_port: String(one.ports.photon),
        peers: [`${other.account}@/ip4/127.0.0.1/tcp/${other.ports.photon}`], settle_timeout: '36', core_settle_timeout: '36', min_settle_timeout: '25', reveal_timeout: '4', rest,
      },
    },
  ])
}

beforeAll(async () => {
  ;[hall, shop] = [await home('hall'), await home('shop')]
  const network = join(folder, 'village.json')
  const made = await thisMachine.run(
    CLI,
    ['--json', 'chain', 'new', network, '--name', 'village', '--leaders', hall.miner, '--owner', hall.miner, '--period', '2', '--allocations', `${hall.account}=100,${shop.account}=100`],
    { env: { MESHBOX_NODE: NODE } },
  )
  expect([made.code, made.stderr]).toEqual([0, ''])
  writeFileSync(hall.files.config, configOf(hall, shop, network, 'sealer', '1'))
  writeFileSync(shop.files.config, configOf(shop, hall, network, 'light', '0'))
  services = await Promise.all([hall, shop].map(({ files }) => startService(thisMachine, files, hurried(SPEED), bundle)))
  for (const { files } of [hall, shop])
    expect((await thisMachine.run(CLI, ['--socket', files.socket, 'password', 'set'], { env: { MESHBOX_NODE: NODE }, input: `${PASSWORD}\n` })).code).toBe(0)
})
afterAll(async () => {
  for (const one of services) await one.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Answer {
  readonly status: number
  readonly code: number
  readonly message: string
  readonly data: unknown
  readonly text: string
}
const bearer = (): string => `Bearer ${readFileSync(join(hallHome().files.dataDir, 'photon-token'), 'utf8').trim()}`
async function rest(method: string, path: string, body?: unknown, headers: Record<string, string> = { authorization: bearer() }, at: Home = hallHome()): Promise<Answer> {
  const answer = await fetch(`http://127.0.0.1:${at.ports.owner}/api/${path}`, { method, headers, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) })
  const text = await answer.text()
  const { error_code: code, error_message: message, data } = JSON.parse(text) as { error_code: number; error_message: string; data: unknown }
  return { status: answer.status, code, message, data, text }
}
async function statusOf(index: number): Promise<PhotonStatusJson> {
  const { code, stdout, stderr } = await service(index).cli('--json', 'channel', 'status')
  if (stdout === '') throw new Error(`meshbox channel status says nothing (${code}): ${stderr}`)
  return JSON.parse(stdout) as PhotonStatusJson
}
const dutiesOf = (index: number): Promise<PhotonDutiesJson> => service(index).cliJson<PhotonDutiesJson>('channel', 'duties')
const isIdle = async (index: number): Promise<boolean> => (await dutiesOf(index)).duties.length === 0
const channelAt = async (index: number): Promise<PhotonChannelJson | undefined> => (await service(index).cliJson<PhotonChannelsJson>('channel', 'list')).channels[0]
/** What a person sees: no error, and nothing on stderr. */
async function says(index: number, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await service(index).cli(...words)
  expect([words, code, stderr]).toEqual([words, 0, ''])
  return stdout
}
async function refuses(index: number, words: readonly string[], code: number, text: string): Promise<void> {
  const run = await service(index).cli(...words)
  expect([words, run.code, run.stdout]).toEqual([words, code, ''])
  expect(run.stderr).toContain(text)
}
let channel = ''

it('is there only where it is wanted, and only for who may', async () => {
  const at = `http://127.0.0.1:${hallHome().ports.owner}/api/1/address`
  expect((await fetch(`http://127.0.0.1:${shopHome().ports.owner}/api/1/address`, { headers: { authorization: bearer() } })).status).toBe(404)
  expect(statSync(join(hallHome().files.dataDir, 'photon-token')).mode & 0o777).toBe(0o600)
  for (const headers of [{}, { authorization: 'Bearer wrong-token-of-nobody' }, { authorization: `Basic ${btoa('owner:wrong')}` }]) expect((await fetch(at, { headers })).status).toBe(401)
  expect((await fetch(at, { headers: { authorization: bearer(), origin: 'http://evil.example' } })).status).toBe(403)
  const login = await fetch(`http://127.0.0.1:${hallHome().ports.owner}/api/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ password: PASSWORD }) })
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
  expect([login.status, (await fetch(at, { headers: { cookie } })).status]).toEqual([200, 401])
  const own = await rest('GET', '1/address', undefined, { authorization: `Basic ${btoa(`anyone:${PASSWORD}`)}` })
  expect([own.code, String(own.data).toLowerCase()]).toEqual([0, hallHome().account])
})

it('says what is not there yet, by number', async () => {
  const channelless = await rest('GET', `1/channels/0x${'12'.repeat(32)}`)
  expect([channelless.status, channelless.code]).toEqual([200, 3002])
  expect((await rest('GET', '1/nothing')).status).toBe(404)
  expect((await rest('GET', '1/channels/0x12')).code).toBe(1)
  expect((await rest('POST', '1/fee_policy', '{"account_fee":')).code).toBe(1)
  expect((await rest('GET', '1/tokens')).text).toBe('{"error_code":0,"error_message":"SUCCESS","data":null}')
  expect((await rest('PUT', `1/settle/0x${'12'.repeat(32)}`)).code).toBe(1)
  expect((await rest('POST', '1/updatenodes', [{ address: shopHome().account, ip_port: '127.0.0.1:40001', device_type: 'mobile' }])).code).toBe(6000)
  expect((await rest('POST', '1/updatenodes', 'x'.repeat(70_000))).status).toBe(413)
})

it('wraps the coins of the account', async () => {
  await waitFor('both to be ready', async () => (await statusOf(0)).state === 'ready' && (await statusOf(1)).state === 'ready', PATIENCE_MS)
  await refuses(0, ['channel', 'wrap', '1000'], 1, 'are free for it')
  await refuses(0, ['channel', 'unwrap', '1'], 1, '0 are free for it')
  expect(await says(0, 'channel', 'wrap', '20')).toContain('Ordered')
  await says(1, 'channel', 'wrap', '20')
  expect(await says(0, 'channel', 'duties')).toContain('wrap')
  await waitFor('the tokens', async () => (await statusOf(0)).wrapped?.balance?.text === '20' && (await statusOf(1)).wrapped?.balance?.text === '20', PATIENCE_MS)
  expect(await says(0, 'channel', 'status')).toMatch(/As tokens +20 SMT/)
})

it('opens a channel over REST', async () => {
  const order = { partner_address: shopHome().account, token_address: TOKEN, balance: 3, settle_timeout: 0, new_channel: false }
  expect((await rest('PUT', '1/deposit', order)).code).toBe(3002)
  expect((await rest('PUT', '1/deposit', { ...order, settle_timeout: 9 })).code).toBe(1)
  const made = await rest('PUT', '1/deposit', `{"partner_address":"${shopHome().account}","token_address":"${TOKEN}","balance":5000000000000000000,"settle_timeout":160,"new_channel":true}`)
  expect([made.code, made.message]).toEqual([0, 'SUCCESS'])
  channel = (made.data as { channel_identifier: string }).channel_identifier
  // Amounts of any size are bare digits, as the original has them.
  expect(made.text).toMatch(/"state":0|"balance":5000000000000000000,/)
  await waitFor('the channel', async () => (await channelAt(1))?.isConnected === true && (await channelAt(0))?.own.deposit.text === '5', PATIENCE_MS)
  const one = await rest('GET', `1/channels/${channel}`)
  expect(one.text).toContain('"balance":5000000000000000000,')
  expect(one.data).toMatchObject({ channel_identifier: channel, state: 1, state_string: 'opened', settle_timeout: 160, reveal_timeout: 4 })
  expect((await rest('GET', `2/channels/${channel}`)).data).toMatchObject({ balance: '5000000000000000000' })
  expect((await rest('GET', `1/tokens/${TOKEN}/partners`)).data).toEqual([{ partner_address: expect.stringMatching(/^0x/) as string, channel: `api/1/channles/${channel}` }])
  expect((await rest('PUT', '1/deposit', { ...order, new_channel: true })).code).toBe(3005)
})

it('pays both ways, and tells of it as the original does', async () => {
  const paid = await rest('POST', `1/transfers/${TOKEN}/${shopHome().account}`, '{"amount":1500000000000000000,"is_direct":true,"sync":true,"data":"tea"}')
  expect([paid.code, paid.data]).toMatchObject([0, { is_direct: true, sync: true, data: 'tea' }])
  expect(paid.text).toContain('"amount":1500000000000000000,')
  const { lockSecretHash } = paid.data as { lockSecretHash: string }
  expect((await rest('GET', `1/transferstatus/${TOKEN}/${lockSecretHash}`)).data).toMatchObject({ status: 3, data: 'tea', channel_identifier: channel })
  const locked = await rest('POST', `1/transfers/${TOKEN}/${shopHome().account}`, { amount: 7, sync: true })
  expect(locked.code).toBe(0)
  const back = await service(1).cliJson<PhotonPayReply>('pay', hallHome().account, '0.5', '--direct', '--data', 'change')
  expect(back.payment?.state).toBe('done')
  await waitFor('what came back', async () => ((await rest('GET', '2/queryreceivedtransfer')).data as unknown[]).length === 1)
  expect((await rest('GET', '2/queryreceivedtransfer')).data).toMatchObject([{ amount: String(SMT / 2n), data: 'change', channel_identifier: channel }])
  const sent = async (range: string): Promise<number> => ((await rest('GET', `1/querysenttransfer${range}`)).data as unknown[] | null)?.length ?? 0
  expect([await sent(''), await sent('?from_block=1'), await sent('?from_block=1&to_block=2'), await sent('?to_block=-1')]).toEqual([2, 2, 0, 2])
  expect((await rest('POST', `1/transfers/${TOKEN}/${shopHome().account}`, '{"amount":99000000000000000000,"is_direct":true}')).code).toBeGreaterThan(1000)
  expect((await rest('POST', `1/transfers/${TOKEN}/0x${'9'.repeat(40)}`, { amount: 1, sync: true })).code).toBeGreaterThan(1000)
  expect((await rest('POST', `1/transfers/${TOKEN}/${shopHome().account}`, { amount: 0 })).code).toBe(1003)
})

it('answers on every other path', async () => {
  const { account } = shopHome()
  for (const [method, path, code, body] of [
    ['GET', 'version', 0], ['GET', 'balance', 0], ['GET', `balance/${TOKEN}`, 0], ['GET', 'tokens', 0], ['GET', 'channels', 0], ['GET', 'secret', 0], ['GET', `path/${account}/${TOKEN}/10`, 0], ['GET', 'fee_policy', 0], ['GET', 'fee', 0],
    ['POST', 'income/details', 0, {}], ['POST', 'income/days', 0, { days: 3 }], ['POST', 'tx/query', 0, {}], ['GET', `node-status/${account}`, 0], ['GET', `node-status/0x${'9'.repeat(40)}`, 1009], ['GET', 'debug/system-status', 0],
    ['GET', 'debug/ethstatus', 0], ['GET', `debug/ethbalance/${hallHome().account}`, 0], ['GET', `debug/balance/${TOKEN}/${account}`, 0], ['GET', `debug/balance/0x${'8'.repeat(40)}/${account}`, 2999], ['GET', `thirdparty/${channel}/${account}`, 1],
    ['GET', `thirdparty/${channel}/0x${'9'.repeat(40)}`, 0], ['POST', 'fee_policy', 0, { account_fee: { fee_constant: 2, fee_percent: 100 }, channel_fee_map: { [channel]: { fee_constant: 1, fee_percent: 0 } } }], ['POST', 'fee_policy', 0, {}],
    ['GET', 'switch/true', 0], ['POST', `transfers/${TOKEN}/${account}`, 1014, { amount: 7 }], ['GET', 'switch/false', 0], ['POST', `transfer-smt/${account}/5`, 0], ['PUT', `withdraw/${channel}`, 5000, { op: 'preparewithdraw' }], ['PUT', `withdraw/${channel}`, 1007, { op: 'cancelprepare' }],
    ['PATCH', `channels/${channel}`, 5001, { state: 'settled' }], ['POST', `transfercancel/${TOKEN}/0x${'12'.repeat(32)}`, 3004], ['GET', `getunfinishedreceivedtransfer/${TOKEN}/0x${'12'.repeat(32)}`, 3004],
    ['POST', 'updatenodes', 0, [{ address: account, ip_port: `/ip4/127.0.0.1/tcp/${shopHome().ports.photon}`, device_type: 'meshbox' }]],
  ] as const) {
    for (const version of [1, 2]) {
      const { status, code: given } = await rest(method, `${version}/${path}`, body)
      expect([path, version, status, given]).toEqual([path, version, 200, code])
    }
  }
})

it('is looked after by every verb of the command line', async () => {
  const { account } = shopHome()
  const short = channel.slice(0, 12)
  // Called back at once; the lock itself ends with its blocks, while all the rest is asked.
  const secret = Buffer.alloc(32, 7)
  const held = `0x${createHash('sha256').update(secret).digest('hex')}`
  expect(await says(0, 'pay', account, '0.1', '--hold', held)).toMatch(/^State +under way$/m)
  expect(await says(0, 'pay', 'show', held.slice(0, 12))).toContain(held.slice(2, 10))
  expect(await says(0, 'pay', 'cancel', held)).toContain('called back')
  for (const words of [
    ['channel'], ['channel', 'list', '--limit', '1'], ['channel', 'show', short], ['channel', 'status'], ['channel', 'duties'], ['channel', 'alarm'], ['channel', 'peers'], ['channel', 'peers', 'add', account, `/ip4/127.0.0.1/tcp/${shopHome().ports.photon}`],
    ['pay', 'list'], ['pay', 'paths', account, '0.1'], ['watch'], ['watch', 'status'], ['pay', account, '0.1', '--data', 'two teas'], ['pay', account, '0.1', '--max-fee', '0'],
  ]) {
    expect((await says(0, ...words)).length).toBeGreaterThan(5)
    expect(await service(0).cliJson<object>(...words)).toBeTypeOf('object')
  }
  await waitFor('nothing locked', async () => (await channelAt(0))?.own.locked.units === '0', PATIENCE_MS)
  expect(await says(0, 'channel', 'alarm')).toContain('No alarms')
  await refuses(0, ['channel', 'alarm', 'clear', '7'], 1, 'there is no such alarm')
  await refuses(0, ['channel', 'show', '0xffff'], 1, 'there is no channel')
  await refuses(0, ['channel', 'open', account, '1'], 1, 'there is such a channel already')
  await refuses(0, ['channel', 'open', hallHome().account, '1'], 1, "another box's account")
  await refuses(0, ['channel', 'withdraw', short, '99'], 1, 'at most')
  await refuses(0, ['pay', account, '99', '--direct'], 1, 'meshbox:')
  await refuses(0, ['pay', 'allow-reveal', held], 1, 'under way')
  await refuses(0, ['channel', 'close', 'all'], 2, 'is not an id')
})

it('takes more in, gives some out, ends, and turns tokens back into coins', async () => {
  await says(1, 'channel', 'unwrap', '1')
  await says(1, 'channel', 'deposit', channel, '2')
  await waitFor('the deposit', async () => (await channelAt(0))?.partner.deposit.text === '2', PATIENCE_MS)
  await waitFor('both to be there', async () => (await channelAt(0))?.isConnected === true && (await channelAt(0))?.actions.includes('withdraw') === true, PATIENCE_MS)
  expect((await rest('PUT', `1/withdraw/${channel}`, '{"amount":1000000000000000000}')).data).toMatchObject({ channel_identifier: channel })
  await waitFor('what was taken out', async () => (await channelAt(0))?.phase === 'opened' && (await isIdle(0)) && (await isIdle(1)), PATIENCE_MS)
  const before = await channelAt(0)
  expect((await rest('POST', `1/transfer-smt/${GIFT}/5000`)).code).toBe(0)
  expect((await rest('PATCH', `1/channels/${channel}`, { state: 'closed', force: false })).code).toBe(0)
  await waitFor('the end', async () => (await channelAt(0)) === undefined && (await channelAt(1)) === undefined && (await isIdle(0)) && (await isIdle(1)), PATIENCE_MS)
  expect((await rest('GET', `1/channels/${channel}`)).code).toBe(3002)
  // 20 were wrapped by each; here 5 put in, 1 taken out, there 2 put in, 1 turned back; what the channel said at the end is paid out.
  const paidOut = 20n * SMT - 5n * SMT + SMT + BigInt(before?.own.spendable.units ?? 0)
  await waitFor('the money', async () => BigInt((await statusOf(0)).wrapped?.balance?.units ?? 0) === paidOut, PATIENCE_MS)
  const theirs = 20n * SMT - 2n * SMT - SMT + BigInt(before?.partner.spendable.units ?? 0)
  await waitFor('the neighbour’s money', async () => BigInt((await statusOf(1)).wrapped?.balance?.units ?? 0) === theirs, PATIENCE_MS)
  expect([(await statusOf(0)).alarms, (await statusOf(1)).alarms]).toEqual([[], []])
})

it('coin that a program gave away has arrived; then the box holds back new payments, and stops them all, until the service starts again', async () => {
  const coin = async (): Promise<string> => String((await rest('GET', `2/debug/ethbalance/${GIFT}`)).data)
  await waitFor('the coin', async () => (await coin()) === '5000', PATIENCE_MS)
  expect((await rest('POST', '1/prepare-update')).code).toBe(0)
  expect((await rest('POST', `1/transfers/${TOKEN}/${shopHome().account}`, { amount: 1 })).code).toBe(1013)
  // Its code says that there are alarms.
  expect(await service(0).cli('channel', 'alarm')).toMatchObject({ code: 1, stdout: expect.stringContaining('prepare-update') as string })
  expect((await rest('GET', '1/stop')).code).toBe(0)
  expect((await statusOf(0)).alarms).toMatchObject([{ code: 'held-back' }])
  await waitFor('the shop to have lost it', async () => (await statusOf(1)).peers === 0, PATIENCE_MS)
})
