/**
 * Shares that are paid: three bundled services on one machine, one of which seals their chain. The sealer earns its blocks, a ten-thousandth of them
 * is an investor's, who has a box of his own; it is paid over a real channel, once the channel is there, and he checks the statement on
 * his box, which asks nothing of the one that paid. Another investor has a channel with the first one only: he is paid over that box, through
 * kill -9 of the one that pays. The boxes' clocks run faster: money rests 17 blocks deep.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import { systemRandomness } from '../../src/base/io/system.ts'
import { formatUci } from '../../src/config/index.ts'
import { openIdentity } from '../../src/identity/index.ts'
import { loadSecp256k1 } from '../../src/native/index.ts'
import type { AuditJson, ChainPageView, PayoutJson, PayoutsJson, PhotonChannelsJson, PhotonPathsJson, PhotonPaymentsJson, PhotonStatusJson } from '../../src/owner/index.ts'
import { GENESIS_ADDRESSES } from '../../src/photon/contracts/index.ts'
import { COMMUNITY_ADDRESSES } from '../../src/spectrum/community/index.ts'
import { formatEnode } from '../../src/spectrum/source/index.ts'
import { hurried } from '../support/fake-time.ts'
import { thisMachine } from '../support/netns.ts'
import { NODE, boxFiles, copyOfBundle, startService, waitFor, type BoxFiles, type Service } from '../support/town-services.ts'

const TOKEN = COMMUNITY_ADDRESSES.WrappedSmt
const SHARE = 100
const PATIENCE_MS = 240_000
const SPEED = 8
const folder = mkdtempSync(join(tmpdir(), 'meshbox-payout-town-'))
const bundle = copyOfBundle(join(folder, 'bundle'))
const CLI = join(bundle, 'meshbox')

interface Home {
  readonly files: BoxFiles
  readonly box: string
  readonly account: string
  readonly miner: string
  readonly enode: string
  readonly ports: { readonly owner: number; readonly chain: number; readonly photon: number }
}
let homes: Home[] = []
let services: Service[] = []
const home = (index: number): Home => homes[index] ?? missing()
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

async function firstStart(name: string): Promise<Home> {
  const files = boxFiles(join(folder, name))
  // As a box comes up first: its keys and its book are made together.
  writeFileSync(files.config, formatUci([{ type: 'meshbox', name: 'main', options: { data_dir: files.dataDir, control_socket: files.socket, log_style: 'time' } }, { type: 'owner', name: 'owner', options: { address: '127.0.0.1', port: String(await freePort()) } }]))
  await (await startService(thisMachine, files, {}, bundle)).stop()
  const identity = await openIdentity({ dataDir: files.dataDir, randomness: systemRandomness, log: silentLog })
  const [owner, chain, photon] = [await freePort(), await freePort(), await freePort()]
  const nodeId = loadSecp256k1(null).publicKeyOf(identity.deriveSecret('chain-node')).subarray(1)
  return {
    files,
    box: identity.address,
    account: identity.addressFor('photon-account').toLowerCase(),
    miner: identity.addressFor('chain-miner').toLowerCase(),
    enode: formatEnode({ nodeId, address: '127.0.0.1', tcpPort: chain, udpPort: chain }),
    ports: { owner, chain, photon },
  }
}

/** `others`: the first is of the same chain, all are known by address. */
function configOf(one: Home, others: readonly [Home, ...Home[]], network: string, role: 'sealer' | 'light', payout: Parameters<typeof formatUci>[0]): string {
  return formatUci([
    { type: 'meshbox', name: 'main', options: { data_dir: one.files.dataDir, control_socket: one.files.socket, log_style: 'time', clock_trust: 'always', roles: [role, 'photon'] } },
    { type: 'token', name: 'token', options: { symbol: 'SMT', decimals: '18' } },
    { type: 'owner', name: 'owner', options: { address: '127.0.0.1', port: String(one.ports.owner) } },
    { type: 'chain', name: 'chain', options: { network, listen_address: '127.0.0.1', listen_port: String(one.ports.chain), peers: [others[0].enode], ...(role === 'sealer' ? { coinbase: one.miner } : {}) } },
    {
      type: 'photon',
      name: 'photon',
      options: {
        contract: GENESIS_ADDRESSES.PhotonV2, tokens: [`${TOKEN}:SMT:18`], listen_address: '127.0.0.1', listen_port: String(one.ports.photon),
        peers: others.map(({ account, ports }) => `${account}@/ip4/127.0.0.1/tcp/${ports.photon}`), settle_timeout: '36', core_settle_timeout: '1600', min_settle_timeout: '25', reveal_timeout: '4',
      },
    },
    ...payout,
  ])
}

beforeAll(async () => {
  const [hall, shop, farm] = [await firstStart('hall'), await firstStart('shop'), await firstStart('farm')]
  homes = [hall, shop, farm]
  const network = join(folder, 'village.json')
  const made = await thisMachine.run(
    CLI,
    ['--json', 'chain', 'new', network, '--name', 'village', '--leaders', hall.miner, '--owner', hall.miner, '--period', '2', '--allocations', `${hall.account}=100,${shop.account}=100,${farm.account}=100`],
    { env: { MESHBOX_NODE: NODE } },
  )
  expect([made.code, made.stderr]).toEqual([0, ''])
  writeFileSync(
    hall.files.config,
    configOf(hall, [shop], network, 'sealer', [
      { type: 'share', name: 'shop', options: { role: 'investor', beneficiary: 'shop', parts_per_million: String(SHARE) } },
      { type: 'payee', name: 'shop_box', options: { account: 'investor:shop', address: shop.account } },
    ]),
  )
  writeFileSync(shop.files.config, configOf(shop, [hall], network, 'light', []))
  writeFileSync(farm.files.config, configOf(farm, [hall, shop], network, 'light', []))
  services = await Promise.all(homes.map(({ files }) => startService(thisMachine, files, hurried(SPEED), bundle)))
})
afterAll(async () => {
  services[2]?.process.kill('SIGCONT')
  for (const one of services) await one.stop()
  rmSync(folder, { recursive: true, force: true })
})

const statusOf = (index: number): Promise<PhotonStatusJson> => service(index).cliJson<PhotonStatusJson>('channel', 'status')
const headOf = async (index: number): Promise<number> => (await service(index).cliJson<ChainPageView>('chain', 'status')).head.number
const payoutsOf = (): Promise<PayoutsJson> => service(0).cliJson<PayoutsJson>('payout', 'list')

it('accrues, waits for a channel and says so, and is paid once when the channel is there', async () => {
  // Blocks are booked when they are final; wrapping its coins makes the sealer earn the gas, where a block alone is worth nothing.
  await waitFor('payment channels', async () => (await statusOf(0)).state === 'ready' && (await statusOf(1)).state === 'ready', PATIENCE_MS)
  expect((await service(0).cli('channel', 'wrap', '20')).code).toBe(0)
  await waitFor('earnings of blocks', async () => BigInt((await payoutsOf()).parties[0]?.owed.units ?? 0) > 0n, PATIENCE_MS)
  const ordered = await service(0).cliJson<PayoutJson>('payout', 'pay', 'investor:shop')
  expect(ordered).toMatchObject({ id: 1, account: 'investor:shop', to: home(1).account, state: 'open', stage: 'waiting', problem: expect.stringContaining('there is no open channel') as string })

  await waitFor('the tokens', async () => (await statusOf(0)).wrapped?.balance?.text === '20', PATIENCE_MS)
  expect((await service(0).cli('channel', 'open', home(1).account, '5', '--core')).code).toBe(0)
  await waitFor('the channel', async () => (await service(1).cliJson<PhotonChannelsJson>('channel', 'list')).channels[0]?.isConnected === true && (await service(0).cliJson<PhotonChannelsJson>('channel', 'list')).channels[0]?.own.deposit.text === '5', PATIENCE_MS)
  const { amount } = ordered
  await waitFor('the payout', async () => (await service(0).cliJson<PayoutJson>('payout', 'resume', '1').catch(() => service(0).cliJson<PayoutJson>('payout', 'show', '1'))).state === 'paid', PATIENCE_MS)
  const { payments } = await service(1).cliJson<PhotonPaymentsJson>('pay', 'list')
  expect(payments).toMatchObject([{ id: ordered.payment, direction: 'received', amount, peer: home(0).account, data: 'payout' }])
})

it('comes with a statement that the investor checks on his own box', async () => {
  const file = join(folder, 'statement.txt')
  expect((await service(0).cli('payout', 'statement', '1', '--output', file)).code).toBe(0)
  const wishes = ['--box', home(0).box, '--to', home(1).account, '--share', String(SHARE), '--received']
  const check = await service(1).cli('payout', 'verify', file, ...wishes)
  expect([check.code, check.stderr]).toEqual([0, ''])
  expect(check.stdout).toContain(`VALID, signed by ${home(0).box}`)
  expect(await service(1).cli('payout', 'verify', file, '--box', home(1).box)).toMatchObject({ code: 1, stdout: expect.stringContaining('NOT VALID') as string })
  // The box that paid never received it.
  expect(await service(0).cli('payout', 'verify', file, '--received')).toMatchObject({ code: 1, stdout: expect.stringMatching(/is none that\s+this box received/) as string })
})

it('goes on after a restart: what was earned since goes out by the threshold, once, and its statement follows the first', async () => {
  await service(0).stop()
  const before = await headOf(1)
  writeFileSync(home(0).files.config, `${readFileSync(home(0).files.config, 'utf8')}\n${formatUci([{ type: 'payout', name: 'payout', options: { threshold: '1000' } }])}`)
  services = [await startService(thisMachine, home(0).files, hurried(SPEED), bundle), ...services.slice(1)]
  // Sealed by another clock, the blocks would be old when they come: the other box would see no chain, and take no payment.
  await waitFor('new blocks, fresh at both boxes', async () => (await headOf(1)) > before && (await statusOf(1)).state === 'ready' && (await statusOf(0)).state === 'ready', PATIENCE_MS)
  expect((await service(0).cli('channel', 'unwrap', '1')).code).toBe(0)
  await waitFor('more earnings', async () => BigInt((await payoutsOf()).parties[0]?.owed.units ?? 0) > 0n, PATIENCE_MS)
  expect((await payoutsOf()).payouts).toHaveLength(1)

  writeFileSync(home(0).files.config, readFileSync(home(0).files.config, 'utf8').replace("option threshold '1000'", "option threshold '0.000000000000000001'"))
  const reload = await service(0).cli('reload')
  expect([reload.code, reload.stdout]).toEqual([0, expect.stringContaining('payout.threshold') as string])
  const isPaid = ({ id, state }: PayoutJson): boolean => id === 2 && state === 'paid'
  await waitFor('the second payout', async () => (await payoutsOf()).payouts.some(isPaid), PATIENCE_MS)
  const second = (await payoutsOf()).payouts.find(isPaid)
  expect(second).toMatchObject({ account: 'investor:shop', reason: 'threshold', to: home(1).account })
  const { payments } = await service(1).cliJson<PhotonPaymentsJson>('pay', 'list')
  expect(payments.filter(({ id }) => id === second?.payment)).toMatchObject([{ direction: 'received', amount: second?.amount, peer: home(0).account, data: 'payout' }])

  const file = join(folder, 'series.txt')
  expect((await service(0).cli('payout', 'statement', '2', '--series', '--output', file)).code).toBe(0)
  const check = await service(1).cli('payout', 'verify', file, '--box', home(0).box, '--to', home(1).account, '--share', String(SHARE), '--received')
  expect([check.code, check.stderr]).toEqual([0, ''])
})

it('pays who has no channel with it over the box between, once, whenever it is killed; the fee is its own cost', async () => {
  const farm = home(2)
  expect((await service(1).cli('channel', 'wrap', '20')).code).toBe(0)
  await waitFor("the shop's tokens", async () => (await statusOf(1)).wrapped?.balance?.text === '20', PATIENCE_MS)
  await waitFor('all to be connected', async () => (await Promise.all([1, 2].map(statusOf))).every(({ state }) => state === 'ready') && (await statusOf(2)).peers >= 2, PATIENCE_MS)
  const opened = await service(1).cli('channel', 'open', farm.account, '10', '--core')
  expect(opened.code, opened.stderr).toBe(0)
  await waitFor('the channel from the shop to the farm', async () => (await service(2).cliJson<PhotonChannelsJson>('channel', 'list')).channels[0]?.isConnected === true && (await service(1).cliJson<PhotonChannelsJson>('channel', 'list')).channels.some(({ own }) => own.deposit.text === '10'), PATIENCE_MS)

  const config = readFileSync(home(0).files.config, 'utf8').replace("option threshold '0.000000000000000001'", "option threshold '1000'")
  writeFileSync(home(0).files.config, `${config}\n${formatUci([{ type: 'share', name: 'farm', options: { role: 'investor', beneficiary: 'farm', parts_per_million: String(SHARE) } }, { type: 'payee', name: 'farm_box', options: { account: 'investor:farm', address: farm.account } }])}`)
  expect((await service(0).cli('reload')).code).toBe(0)
  expect((await service(0).cli('channel', 'unwrap', '1')).code).toBe(0)
  const owed = async (): Promise<bigint> => BigInt((await payoutsOf()).parties.find(({ account }) => account === 'investor:farm')?.owed.units ?? 0)
  await waitFor('earnings for the farm', async () => (await owed()) > 0n, PATIENCE_MS)
  // Gossip has to bring the channel that is none of its own; until then there is no way.
  await waitFor('a way', async () => (await service(0).cliJson<PhotonPathsJson>('pay', 'paths', farm.account, '0.2')).paths.length > 0, PATIENCE_MS)
  service(2).process.kill('SIGSTOP')
  const ordered = await service(0).cliJson<PayoutJson>('payout', 'pay', 'investor:farm')
  const show = (): Promise<PayoutJson> => service(0).cliJson<PayoutJson>('payout', 'show', String(ordered.id))
  const resumed = async (): Promise<PayoutJson> => service(0).cliJson<PayoutJson>('payout', 'resume', String(ordered.id)).catch(show)
  await waitFor('a lock that nobody answers', async () => (await show()).routed?.waits?.for === 'answer', PATIENCE_MS)
  expect(await show()).toMatchObject({ state: 'open', routed: { via: [home(1).account], waits: { for: 'answer' } } })
  const before = await headOf(1)
  await service(0).crash()
  service(2).process.kill('SIGCONT')
  services = [await startService(thisMachine, home(0).files, hurried(SPEED), bundle), ...services.slice(1)]
  await waitFor('new blocks, fresh at all boxes', async () => (await headOf(1)) > before && (await Promise.all([0, 1, 2].map(statusOf))).every(({ state }) => state === 'ready'), PATIENCE_MS)
  await waitFor('the payout over the shop', async () => (await resumed()).state === 'paid', PATIENCE_MS)
  const paid = await show()
  expect(paid).toMatchObject({ state: 'paid', to: farm.account, amount: ordered.amount, payment: ordered.payment, routed: { via: [home(1).account], waits: null } })

  // On both ends, once, and by its reference; nobody has sent the farm anything else.
  const { payments } = await service(2).cliJson<PhotonPaymentsJson>('pay', 'list')
  expect(payments).toMatchObject([{ id: paid.routed?.lock, direction: 'received', kind: 'locked', amount: ordered.amount, peer: home(0).account, data: `payout ${ordered.payment}` }])
  const sent = (await service(0).cliJson<PhotonPaymentsJson>('pay', 'list')).payments.filter(({ peer, state }) => peer === farm.account && state !== 'failed')
  expect(sent).toMatchObject([{ id: paid.routed?.lock, direction: 'sent', state: 'done', amount: ordered.amount, fee: paid.routed?.fee }])
  const books = await service(0).cliJson<AuditJson>('audit')
  expect([books.differences, books.looked.payout]).toEqual([[], expect.any(Number)])

  const file = join(folder, 'farm.txt')
  expect((await service(0).cli('payout', 'statement', String(ordered.id), '--output', file)).code).toBe(0)
  expect(readFileSync(file, 'utf8')).toContain(`\nRouted: ${paid.routed?.lock ?? ''}, fee ${paid.routed?.fee.units ?? ''}, over ${home(1).account}\n`)
  const check = await service(2).cli('payout', 'verify', file, '--box', home(0).box, '--to', farm.account, '--share', String(SHARE), '--received')
  expect([check.code, check.stderr]).toEqual([0, ''])
}, 1_200_000)
