/**
 * A box without Internet that guards its neighbour's channel: three bundled services. Bob is paid by the village hall, which is on the
 * Internet; Carol has nothing but the mesh, from where she has the chain and Bob's watch job. Bob loses his power, the hall closes the
 * channel as if it had never paid him, and Carol cannot see it. When a cable gives her a way out she posts Bob's newest state by herself.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Contract, Wallet } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { editUci, formatUci, type PlainSection } from '../../src/config/index.ts'
import type { PhotonWatchJson } from '../../src/owner/index.ts'
import { addWayOut, foundCommunity, meshSection, nameOnLink, plugIn, type MeshHome } from '../support/mesh-town.ts'
import { TOWN, Town, isRoot, type Namespace } from '../support/netns.ts'
import { CHANNELS, InsideProvider, OwnerWallet, WRAPPED, channelSection, channelWith, enodes, firstStart, homeOf, peerAt, photonState, sealerConfig, type Home } from '../support/photon-village.ts'
import { CLI, NODE, boxFiles, startService, waitFor, type Service } from '../support/town-services.ts'

const OWNER = Wallet.createRandom()
const PATIENCE_MS = 200_000
/** As the contract calls it. */
const CLOSED = 2n
/** Time for an answer, in blocks of about a second. */
const SETTLE_BLOCKS = 900
const WATCH_REWARD = '0.1'
/** A watcher gets a newer state when it is behind by more than 2^62 smallest units. */
const MUCH = '4.7'

describe.skipIf(!isRoot())('a box without Internet that guards its neighbour’s channel (needs root)', () => {
  let dir = ''
  let town: Town
  let carolsPlace: Namespace
  let hall: Home
  let bob: Home
  let carol: Home
  let chain: InsideProvider
  let halls: Service
  let bobs: Service
  let carols: Service

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'meshbox-mesh-watch-'))
    town = await Town.create({ guests: 0, addresses: 'static' })
    carolsPlace = await town.addNeighbour()
    await nameOnLink(town, carolsPlace)
    await addWayOut(town, carolsPlace)
    hall = await firstStart(town.internet, join(dir, 'hall'), TOWN.internet4)
    const [bobFiles, carolFiles] = [boxFiles(join(dir, 'bob')), boxFiles(join(dir, 'carol'))]
    const [founder, member] = await foundCommunity(bobFiles, carolFiles)
    ;[bob, carol] = await Promise.all([homeOf(bobFiles, TOWN.boxWan4), homeOf(carolFiles, TOWN.neighbour4)])
    const network = join(dir, 'village.json')
    const made = await town.internet.run(CLI, ['--json', 'chain', 'new', network, '--name', 'mesh-watch', '--leaders', hall.miner, '--owner', OWNER.address, '--period', '2', '--allocations', `${OWNER.address}=1000`], { env: { MESHBOX_NODE: NODE } })
    expect([made.code, made.stderr]).toEqual([0, ''])
    const token: PlainSection = { type: 'token', name: 'token', options: { symbol: 'SMT', decimals: '18' } }
    const sealing = editUci(formatUci(sealerConfig(hall, network, OWNER.address, [])), [{ do: 'set-list', section: { name: 'main' }, option: 'roles', values: ['sealer', 'photon'] }])
    writeFileSync(hall.files.config, `${sealing}\n${formatUci([token, channelSection({ listen_address: hall.address }, SETTLE_BLOCKS)])}`)
    const boxOf = (one: Home, home: MeshHome, name: string, photon: PlainSection): void => {
      const main = { type: 'meshbox', name: 'main', options: { name, data_dir: one.files.dataDir, control_socket: one.files.socket, log_level: 'debug', log_style: 'time', clock_trust: 'always', roles: ['relay', 'light', 'photon'] } }
      writeFileSync(one.files.config, formatUci([main, token, { type: 'owner', name: 'owner', options: { address: '127.0.0.1' } }, { type: 'chain', name: 'chain', options: { network, ...enodes([hall]) } }, photon, meshSection(home)]))
    }
    boxOf(bob, founder, 'Bob', channelSection({ peers: [peerAt(hall)], watch_reward: WATCH_REWARD }, SETTLE_BLOCKS))
    boxOf(carol, member, 'Carol', channelSection({ watch_min_reward: WATCH_REWARD }, SETTLE_BLOCKS))
    ;[halls, bobs, carols] = await Promise.all([startService(town.internet, hall.files), startService(town.box, bob.files), startService(carolsPlace, carol.files)])
    chain = new InsideProvider(town.internet, Number((JSON.parse(made.stdout) as { chainId: string }).chainId))
    const wallet = new OwnerWallet(new Wallet(OWNER.privateKey, chain))
    await wallet.sendCoins([hall.account, bob.account, carol.account], '1')
    await wallet.wrap('20')
    await wallet.sendTokens([hall.account], '10')
  })
  afterAll(async () => {
    chain?.destroy()
    for (const one of [carols, bobs, halls]) await one?.stop()
    await town?.destroy()
    if (process.env.MESHBOX_KEEP === undefined) rmSync(dir, { recursive: true, force: true })
  })

  const watching = (of: Service): Promise<PhotonWatchJson> => of.cliJson<PhotonWatchJson>('watch', 'status')
  const onChain = async (view: string, returns: string): Promise<readonly bigint[]> => {
    const contract = new Contract(CHANNELS, [`function ${view}(address, address, address) view returns ${returns}`], chain)
    return (await contract.getFunction(view)(WRAPPED, hall.account, bob.account)) as readonly bigint[]
  }
  /** Of the hall's payments, as the contract has it. */
  const postedNonce = async (): Promise<bigint> => (await onChain('sideOf', '(uint128, uint128, uint128, uint64, bytes24)'))[3] ?? 0n
  let newest = '0'

  it('follows the chain by its neighbour alone', async () => {
    await Promise.all([photonState('the hall', halls, 'ready', PATIENCE_MS), photonState('Bob', bobs, 'ready', PATIENCE_MS), photonState('Carol', carols, 'ready', PATIENCE_MS)])
    expect((await carolsPlace.run('ping', ['-4', '-c', '1', '-W', '1', TOWN.internet4])).code).not.toBe(0)
  })

  it('keeps the newest state of a channel that it has no part in', async () => {
    expect((await halls.cli('channel', 'open', bob.account, '6', '--core')).code).toBe(0)
    await waitFor('the channel', async () => (await channelWith(halls, bob.account))?.actions.includes('pay') === true && (await channelWith(bobs, hall.account))?.isConnected === true, PATIENCE_MS)
    for (const amount of ['0.2', MUCH]) {
      const before = newest
      expect((await halls.cli('pay', bob.account, amount, '--direct')).code).toBe(0)
      newest = await waitFor('Carol to keep it', async () => (await watching(bobs)).guardians.find(({ watcher, nonce }) => watcher === carol.account && nonce !== before)?.nonce, PATIENCE_MS)
    }
    expect(await watching(carols)).toMatchObject({ jobs: 1 })
  })

  it('posts it when a way out appears, after a close that nobody here could see', async () => {
    await bobs.crash()
    await photonState('Carol', carols, 'offline', PATIENCE_MS)
    const channel = (await channelWith(halls, bob.account))?.id ?? ''
    expect((await halls.cli('channel', 'close', channel, '--force')).code).toBe(0)
    await waitFor('it to be closed', async () => (await onChain('info', '(bytes32, uint64, uint64, uint8)'))[3] === CLOSED, PATIENCE_MS)
    expect([await postedNonce(), (await watching(carols)).jobs]).toEqual([0n, 1])
    // The hall is alone with its chain: what it knows of it is in its own blocks.
    await waitFor('the hall to know', async () => (await channelWith(halls, bob.account))?.phase === 'closed', PATIENCE_MS)
    await plugIn(carolsPlace)
    await waitFor('Carol to have answered', async () => (await postedNonce()) === BigInt(newest), PATIENCE_MS)
  })

  it('Bob, when he is back, sees it closed with all that he was paid', async () => {
    bobs = await startService(town.box, bob.files)
    const channel = await waitFor('Bob to see it', async () => {
      const now = await channelWith(bobs, hall.account)
      return now?.phase === 'closed' ? now : null
    }, PATIENCE_MS)
    expect([channel.own.spendable.text, await postedNonce()]).toEqual(['4.9', BigInt(newest)])
  })
})
