/**
 * A box whose way out is the guest network of another box buys minutes there by itself: two bundled services, a chain that a third seals,
 * a payment channel between the two over their link, a real gate. The buyer is killed when it has paid and knows not yet of it; all
 * books say one amount. At the cap of the day it ends, and its owner is told.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Wallet, parseEther } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { editUci, formatUci } from '../../src/config/index.ts'
import type { AuditJson, EntriesJson, MeshPeersJson, MeshStatusJson, PhotonChannelJson, PhotonPayReply, SessionJson, SessionsJson } from '../../src/owner/index.ts'
import { boxConfig } from '../support/box-config.ts'
import { MESH, foundCommunity, meshSection } from '../support/mesh-town.ts'
import { TOWN, Town, isRoot, type Namespace } from '../support/netns.ts'
import { InsideProvider, OwnerWallet, WRAPPED, channelSection, channelWith, enodes, firstStart, homeOf, paidIn, photonState, sealerConfig, type Home } from '../support/photon-village.ts'
import { CLI, NODE, boxFiles, startInternet, startService, waitFor, type Service } from '../support/town-services.ts'

const OWNER = Wallet.createRandom()
const PATIENCE_MS = 180_000
/** No whole number of units in a second. Ten minutes, which is what a box buys at once, cost ten times that. */
const PER_MINUTE = '0.060000000000000007'
const BLOCK = 10n * parseEther(PER_MINUTE)
/** One block, and not two. */
const CAP = '1'
const PORT = 'next-door'
const BUYER = '10.77.0.60'
/** Where the chain is sealed: the buyer reaches that much over the link, and nothing else of the Internet. */
const HALL = '198.51.100.11'

describe.skipIf(!isRoot())('a way out that is bought (needs root)', () => {
  let dir = ''
  let town: Town
  let next: Namespace
  let chain: InsideProvider
  let hall: Home
  let sellerHome: Home
  let buyerHome: Home
  let hallService: Service
  let seller: Service
  let buyer: Service

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'meshbox-upstream-'))
    town = await Town.create({ guests: 0, addresses: 'static' })
    next = await town.addNeighbour()
    await town.box.ip('addr', 'add', `${MESH.ours6}/64`, 'dev', 'mesh', 'nodad')
    await next.ip('addr', 'add', `${MESH.theirs6}/64`, 'dev', 'mesh', 'nodad')
    // Its only way out is the other's guest network.
    await next.ip('route', 'del', 'default')
    await town.box.ip('link', 'add', PORT, 'type', 'veth', 'peer', 'name', TOWN.wanInterface, 'netns', next.name)
    await town.box.ip('link', 'set', PORT, 'addrgenmode', 'none')
    await town.box.ip('link', 'set', PORT, 'master', TOWN.guestInterface)
    await town.box.ip('link', 'set', PORT, 'up')
    await next.ip('addr', 'add', `${BUYER}/24`, 'dev', TOWN.wanInterface)
    await next.ip('link', 'set', TOWN.wanInterface, 'up')
    await next.ip('route', 'add', 'default', 'via', TOWN.box4, 'dev', TOWN.wanInterface)
    await town.internet.ip('addr', 'add', `${HALL}/24`, 'dev', 'eth0')
    await next.ip('route', 'add', HALL, 'via', TOWN.boxMesh4)
    await startInternet(town, dir)
    const [sellerFiles, buyerFiles] = [boxFiles(join(dir, 'seller')), boxFiles(join(dir, 'buyer'))]
    const [founder, member] = await foundCommunity(sellerFiles, buyerFiles)
    ;[hall, sellerHome, buyerHome] = await Promise.all([firstStart(town.internet, join(dir, 'hall'), HALL), homeOf(sellerFiles, TOWN.boxWan4), homeOf(buyerFiles, BUYER)])
    const network = join(dir, 'village.json')
    const made = await town.box.run(CLI, ['--json', 'chain', 'new', network, '--name', 'upstream', '--leaders', hall.miner, '--owner', OWNER.address, '--period', '2', '--allocations', `${OWNER.address}=1000`], { env: { MESHBOX_NODE: NODE } })
    expect([made.code, made.stderr]).toEqual([0, ''])
    writeFileSync(hall.files.config, formatUci(sealerConfig(hall, network, OWNER.address, [])))
    hallService = await startService(town.internet, hall.files)
    chain = new InsideProvider(town.internet, Number((JSON.parse(made.stdout) as { chainId: string }).chainId))
    const wallet = new OwnerWallet(new Wallet(OWNER.privateKey, chain))
    await wallet.sendCoins([sellerHome.account, buyerHome.account], '1')
    await wallet.wrap('20')
    await wallet.sendTokens([sellerHome.account], '10')
    const chainSection = { type: 'chain', name: 'chain', options: { network, ...enodes([hall]) } }
    const withRoles = (home: Home, name: string, roles: readonly string[]): string => editUci(boxConfig(home.files, { main: { name, clock_trust: 'always' } }), [{ do: 'set-list', section: { name: 'main' }, option: 'roles', values: [...roles, 'relay', 'light', 'photon'] }])
    writeFileSync(sellerHome.files.config, `${withRoles(sellerHome, 'Seller', ['hotspot'])}\n${formatUci([chainSection, channelSection({ tokens: [`${WRAPPED}:SMT:18`], stream_token: WRAPPED, stream_price_per_minute: PER_MINUTE }), meshSection(founder)])}`)
    writeFileSync(
      buyerHome.files.config,
      `${withRoles(buyerHome, 'Buyer', [])}\n${formatUci([
        chainSection,
        channelSection(),
        meshSection(member, { token: WRAPPED, upstream_cap: '0' }),
        { type: 'uplink', name: 'wan', options: { interface: TOWN.wanInterface, max_price_per_minute: '0.1', probes: [`${TOWN.internet4}:7`] } },
      ])}`,
    )
    ;[seller, buyer] = await Promise.all([startService(town.box, sellerHome.files), startService(next, buyerHome.files)])
    await waitFor('the boxes to know each other', async () => (await buyer.cliJson<MeshPeersJson>('mesh', 'peers')).peers.some(({ isConnected }) => isConnected), PATIENCE_MS)
    await Promise.all([photonState('the seller', seller, 'ready', PATIENCE_MS), photonState('the buyer', buyer, 'ready', PATIENCE_MS)])
  })
  afterAll(async () => {
    chain?.destroy()
    for (const one of [buyer, seller, hallService]) await one?.stop()
    await town?.destroy()
    if (process.env.MESHBOX_KEEP === undefined) rmSync(dir, { recursive: true, force: true })
  })

  const isOut = async (): Promise<boolean> => (await next.run('ping', ['-4', '-c', '1', '-W', '1', TOWN.internet4])).code === 0
  const status = async (): Promise<MeshStatusJson> => JSON.parse((await buyer.cli('--json', 'mesh', 'status')).stdout) as MeshStatusJson // its exit code tells of alarms
  const purchase = async (): Promise<MeshStatusJson['purchases'][number]> => (await status()).purchases[0] ?? missing('a way out that is bought')
  const channelAt = async (service: Service, other: Home): Promise<PhotonChannelJson> => (await channelWith(service, other.account)) ?? missing('a channel')
  const sessions = async (): Promise<readonly SessionJson[]> => (await seller.cliJson<SessionsJson>('sessions', 'list')).sessions
  const booked = async (service: Service, source: string, account: string): Promise<bigint> => {
    const { entries } = await service.cliJson<EntriesJson>('earnings', 'entries', '--limit', '500')
    return entries.filter((entry) => entry.source === source).flatMap(({ postings }) => postings).filter((posting) => posting.account.startsWith(account)).reduce((sum, { amount }) => sum + BigInt(amount.units), 0n)
  }
  const setCap = (cap: string): void => {
    const { config } = buyerHome.files
    writeFileSync(config, readFileSync(config, 'utf8').replace(/option upstream_cap '[^']*'/, `option upstream_cap '${cap}'`))
    buyer.process.kill('SIGHUP')
  }
  /** Nothing arrives at the buyer over the link; both ends stay up, as radio links end. */
  const cutLink = (): Promise<string> => next.must('nft', 'add table netdev cut; add chain netdev cut mesh { type filter hook ingress device mesh priority 0; policy drop; }')
  const mendLink = (): Promise<string> => next.must('nft', 'delete table netdev cut')
  let given = 0n
  /** Of what the buyer was given at the beginning. */
  const paid = async (): Promise<bigint> => given - BigInt((await channelAt(buyer, sellerHome)).own.spendable.units)

  it('has no Internet and buys none, while its owner allows nothing', async () => {
    expect((await seller.cli('channel', 'open', buyerHome.account, '5', '--core')).code).toBe(0)
    let [there, here]: (PhotonChannelJson | null)[] = []
    await waitFor('the channel', async () => {
      ;[there, here] = await Promise.all([channelWith(seller, buyerHome.account), channelWith(buyer, sellerHome.account)])
      return there?.actions.includes('pay') === true && here?.isConnected === true && here.partner.deposit.text === '5'
    }, PATIENCE_MS).catch((error: unknown) => {
      throw new Error(`the seller has ${JSON.stringify(there)}, the buyer ${JSON.stringify(here)}`, { cause: error })
    })
    const { payment } = JSON.parse((await seller.cli('--json', 'pay', buyerHome.account, '3', '--direct')).stdout) as PhotonPayReply
    expect(payment?.state).toBe('done')
    given = parseEther('3')
    await waitFor('the money to be there', async () => (await paid()) === 0n, PATIENCE_MS)
    expect(await isOut()).toBe(false)
    await waitFor('its owner to be told', async () => (await purchase()).reason.includes('upstream_cap'), PATIENCE_MS)
    expect(await sessions()).toEqual([])
  })

  it('is killed when it has paid and nobody has answered: it is let in, and paid once', async () => {
    await cutLink()
    setCap(CAP)
    await waitFor('it to have paid', async () => (await paid()) > 0n, PATIENCE_MS)
    expect(await isOut()).toBe(false)
    await buyer.crash()
    await mendLink()
    buyer = await startService(next, buyerHome.files)
    await waitFor('the Internet', isOut, PATIENCE_MS)
    await waitFor('its owner to be told', async () => (await purchase()).paidForSeconds !== null, PATIENCE_MS)
    expect(await paid()).toBe(BLOCK)
    expect(await purchase()).toMatchObject({ isSpent: false, spent: { units: String(BLOCK) } })
    const all = await sessions()
    expect(all).toMatchObject([{ state: 'active', source: 'voucher', paid: { units: String(BLOCK) }, devices: [{ ip4: BUYER }] }])
    expect(all[0]?.secondsLeft).toBeLessThanOrEqual(600)
  })

  it('its traffic passes the gate, by the way that was bought', async () => {
    const before = (await sessions())[0]?.downBytes ?? 0
    const got = await next.run('curl', ['-s', '-o', '/dev/null', '-w', '%{size_download}', `http://${TOWN.internet4}/big?bytes=300000`])
    expect(got.stdout).toBe('300000')
    await waitFor('the gate to have counted it', async () => Number((await sessions())[0]?.downBytes ?? 0) - Number(before) >= 300_000, PATIENCE_MS)
    await waitFor('the way to be in use', async () => (await status()).uplink === 'wan', PATIENCE_MS)
  })

  it('every book says the same', async () => {
    const [here, there] = [await channelAt(buyer, sellerHome), await channelAt(seller, buyerHome)]
    expect([
      await booked(buyer, 'mesh:upstream', 'cost:upstream'),
      await booked(seller, 'hotspot:ahead', 'photon:'),
      given - BigInt(here.own.spendable.units),
      given - BigInt(there.partner.spendable.units),
      given + paidIn(there), // of a channel that only the seller has filled: less than nothing came in
    ]).toEqual([BLOCK, BLOCK, BLOCK, BLOCK, BLOCK])
    for (const service of [seller, buyer]) expect(await service.cliJson<AuditJson>('audit')).toMatchObject({ isSound: true, differences: [] })
  })

  it('at the cap it ends, its owner is told, and nothing more is paid', async () => {
    const [session] = await sessions()
    expect((await seller.cli('sessions', 'kick', session?.id ?? '')).code).toBe(0)
    await waitFor('the gate to shut', async () => !(await isOut()), PATIENCE_MS)
    // Killed once more: it does not know what it had, and asks.
    await buyer.crash()
    buyer = await startService(next, buyerHome.files)
    const spent = await waitFor('it to be spent', async () => {
      const { purchases, alarms } = await status()
      return purchases[0]?.isSpent === true ? { purchase: purchases[0], alarms } : null
    }, PATIENCE_MS)
    expect(spent.alarms.map(({ code }) => code)).toContain('upstream-spent')
    expect(spent.purchase).toMatchObject({ paidForSeconds: null, spent: { units: String(BLOCK) }, cap: { text: CAP } })
    expect((await buyer.cli('mesh', 'status')).stdout).toMatch(/Buys wan\s+spent; /)
    expect([await isOut(), await paid()]).toEqual([false, BLOCK])
    // The owner allows more: it goes on by itself.
    setCap('2')
    await waitFor('the Internet', isOut, PATIENCE_MS)
    await waitFor('it to be in the books', async () => (await booked(buyer, 'mesh:upstream', 'cost:upstream')) === 2n * BLOCK, PATIENCE_MS)
    expect([await paid(), await booked(seller, 'hotspot:ahead', 'photon:')]).toEqual([2n * BLOCK, 2n * BLOCK])
  })
})

function missing(what: string): never {
  throw new Error(`there is none: ${what}`)
}
