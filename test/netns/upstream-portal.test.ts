/**
 * A box whose only way out is the guest network of a hotspot of another community: no mesh between the two, no address, no route to
 * anything else. It learns of the hotspot's port from its page, follows the chain there, opens a channel by a transaction that goes
 * that way, pays and is let in; killed when it has paid and knows not yet of it, it has paid once. A guest that floods the port keeps
 * nobody out.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Wallet, parseEther } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { editUci, formatUci } from '../../src/config/index.ts'
import type { AuditJson, EntriesJson, MeshStatusJson, PhotonChannelJson, SessionJson, SessionsJson } from '../../src/owner/index.ts'
import { boxConfig } from '../support/box-config.ts'
import { foundCommunity, meshSection } from '../support/mesh-town.ts'
import { TOWN, Town, isRoot, type Namespace } from '../support/netns.ts'
import { InsideProvider, OwnerWallet, WRAPPED, channelSection, channelWith, enodes, firstStart, homeOf, photonState, sealerConfig, type Home } from '../support/photon-village.ts'
import { CLI, NODE, boxFiles, startInternet, startService, waitFor, type Service } from '../support/town-services.ts'

const OWNER = Wallet.createRandom()
const PATIENCE_MS = 240_000
/** No whole number of units in a second. Ten minutes, which is what a box buys at once, cost ten times that. */
const PER_MINUTE = '0.060000000000000007'
const BLOCK = 10n * parseEther(PER_MINUTE)
const PORT = 'next-door'
const BUYER = '10.77.0.60'
const BOXES_PORT = 2081
/** Where the chain is sealed: only the seller reaches it. */
const HALL = '198.51.100.11'

describe.skipIf(!isRoot())('a way out that is bought over the guest network alone (needs root)', () => {
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
    dir = mkdtempSync(join(tmpdir(), 'meshbox-upstream-portal-'))
    town = await Town.create({ guests: 1, addresses: 'static' })
    next = await town.addNeighbour()
    // Its only way out is the other's guest network; the link between the two as neighbours is cut.
    await next.ip('route', 'del', 'default')
    await next.ip('link', 'set', 'mesh', 'down')
    await town.box.ip('link', 'add', PORT, 'type', 'veth', 'peer', 'name', TOWN.wanInterface, 'netns', next.name)
    await town.box.ip('link', 'set', PORT, 'addrgenmode', 'none')
    await town.box.ip('link', 'set', PORT, 'master', TOWN.guestInterface)
    await town.box.ip('link', 'set', PORT, 'up')
    await next.ip('addr', 'add', `${BUYER}/24`, 'dev', TOWN.wanInterface)
    await next.ip('link', 'set', TOWN.wanInterface, 'up')
    await next.ip('route', 'add', 'default', 'via', TOWN.box4, 'dev', TOWN.wanInterface)
    await town.internet.ip('addr', 'add', `${HALL}/24`, 'dev', 'eth0')
    await startInternet(town, dir)
    const [sellerFiles, buyerFiles, strangerFiles] = [boxFiles(join(dir, 'seller')), boxFiles(join(dir, 'buyer')), boxFiles(join(dir, 'stranger'))]
    const [founder] = await foundCommunity(buyerFiles, strangerFiles)
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
    await wallet.sendTokens([buyerHome.account], '10')
    const chainSection = { type: 'chain', name: 'chain', options: { network, ...enodes([hall]) } }
    const withRoles = (home: Home, name: string, roles: readonly string[]): string => editUci(boxConfig(home.files, { main: { name, clock_trust: 'always' } }), [{ do: 'set-list', section: { name: 'main' }, option: 'roles', values: [...roles, 'light', 'photon'] }])
    writeFileSync(sellerHome.files.config, `${withRoles(sellerHome, 'Seller', ['hotspot'])}\n${formatUci([chainSection, channelSection({ tokens: [`${WRAPPED}:SMT:18`], stream_token: WRAPPED, stream_price_per_minute: PER_MINUTE })])}`)
    writeFileSync(
      buyerHome.files.config,
      `${withRoles(buyerHome, 'Buyer', ['relay'])}\n${formatUci([
        chainSection,
        channelSection(),
        meshSection(founder, { token: WRAPPED, upstream_cap: '1' }),
        { type: 'uplink', name: 'wan', options: { interface: TOWN.wanInterface, max_price_per_minute: '0.1', probes: [`${TOWN.internet4}:7`] } },
      ])}`,
    )
    ;[seller, buyer] = await Promise.all([startService(town.box, sellerHome.files), startService(next, buyerHome.files)])
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
  let given = 0n
  /** Of what the buyer put in. */
  const paid = async (): Promise<bigint> => given - BigInt((await channelAt(buyer, sellerHome)).own.spendable.units)

  it('it has no Internet, and its owner is told with whom to open a channel', async () => {
    expect(await isOut()).toBe(false)
    await waitFor('its owner to be told', async () => (await purchase()).reason.includes(sellerHome.account), PATIENCE_MS)
    expect(await sessions()).toEqual([])
  })

  it('opens the channel by way of the hotspot, pays and is let in', async () => {
    const opened = await buyer.cli('channel', 'open', sellerHome.account, '5', '--core')
    expect([opened.code, opened.stderr]).toEqual([0, ''])
    given = parseEther('5')
    await waitFor('the Internet', isOut, PATIENCE_MS)
    await waitFor('its owner to be told', async () => (await purchase()).paidForSeconds !== null, PATIENCE_MS)
    expect(await paid()).toBe(BLOCK)
    expect(await sessions()).toMatchObject([{ state: 'active', source: 'voucher', paid: { units: String(BLOCK) }, devices: [{ ip4: BUYER }] }])
  })

  it('a guest that floods the port keeps nobody out, and reaches nothing by it', async () => {
    const [guest] = town.guests
    if (guest === undefined) throw new Error('there is no guest')
    const flood = guest.ns.run(NODE, ['-e', FLOOD])
    await buyer.crash()
    buyer = await startService(next, buyerHome.files)
    await photonState('the buyer', buyer, 'ready', PATIENCE_MS)
    await waitFor('the two to be connected', async () => (await channelAt(buyer, sellerHome)).isConnected, PATIENCE_MS)
    expect((await flood).code).toBe(0)
    expect((await seller.cliJson<AuditJson>('audit')).isSound).toBe(true)
    // Not on the box's other sides: the port is the guests' alone.
    expect((await town.internet.run('curl', ['-s', '-m', '2', `telnet://${TOWN.boxWan4}:${BOXES_PORT}`])).code).not.toBe(0)
  })

  it('is killed when it has paid and nobody has answered: it is let in, and paid once more', async () => {
    const [session] = await sessions()
    expect((await seller.cli('sessions', 'kick', session?.id ?? '')).code).toBe(0)
    await waitFor('the gate to shut', async () => !(await isOut()), PATIENCE_MS)
    // It does not know what it had, and asks; its cap is reached.
    await buyer.crash()
    buyer = await startService(next, buyerHome.files)
    await photonState('the buyer', buyer, 'ready', PATIENCE_MS)
    await waitFor('it to be spent', async () => (await purchase()).isSpent, PATIENCE_MS)
    await waitFor('the two to be connected', async () => (await channelAt(buyer, sellerHome)).isConnected, PATIENCE_MS)
    // What the hotspot says to the payment does not arrive; both ends stay up.
    await next.must('nft', `add table netdev cut; add chain netdev cut in { type filter hook ingress device ${TOWN.wanInterface} priority 0; tcp sport ${BOXES_PORT} drop; }`)
    setCap('2')
    await waitFor('it to have paid', async () => (await paid()) > BLOCK, PATIENCE_MS)
    await buyer.crash()
    await next.must('nft', 'delete table netdev cut')
    buyer = await startService(next, buyerHome.files)
    await waitFor('the Internet', isOut, PATIENCE_MS).catch(async (error: unknown) => {
      throw new Error(`it buys so: ${JSON.stringify(await purchase())}; its channel: ${JSON.stringify(await channelAt(buyer, sellerHome))}`, { cause: error })
    })
    await waitFor('it to be in the books', async () => (await booked(buyer, 'mesh:upstream', 'cost:upstream')) === 2n * BLOCK, PATIENCE_MS)
    expect([await paid(), await booked(seller, 'hotspot:ahead', 'photon:')]).toEqual([2n * BLOCK, 2n * BLOCK])
    for (const service of [seller, buyer]) expect(await service.cliJson<AuditJson>('audit')).toMatchObject({ isSound: true, differences: [] })
  })
})

/** Connections without end, some silent, some with rubbish; ends well when some were refused. */
const FLOOD = `
const net = require('node:net')
let made = 0, refused = 0
const until = Date.now() + 20000
const one = (n) => {
  const socket = net.connect(${BOXES_PORT}, '${TOWN.box4}')
  socket.on('connect', () => { made++; if (n % 2) socket.write(Buffer.alloc(70000, n)) })
  socket.on('error', () => {})
  socket.on('close', () => { refused++; if (Date.now() < until) setTimeout(one, 5, n + 1) })
}
for (let n = 0; n < 64; n++) one(n)
setTimeout(() => process.exit(made > 0 && refused > 0 ? 0 : 1), 21000)
`

function missing(what: string): never {
  throw new Error(`there is none: ${what}`)
}
