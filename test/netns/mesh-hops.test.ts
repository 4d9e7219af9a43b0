/**
 * A valley without Internet: four bundled services on one mesh and nothing else. The hall's box seals the chain; the others have it from
 * their neighbours alone, open their channels through them, and pay each other over three hops, through boxes that have no more than they.
 *
 *   anna ── ben ── cleo ── hall      (channels; on the mesh all hear each other)
 */
import { randomBytes } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Wallet } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { editUci, formatUci, type PlainSection } from '../../src/config/index.ts'
import type { PhotonPathsJson, PhotonPayReply, PhotonPaymentJson, PhotonPaymentsJson } from '../../src/owner/index.ts'
import { foundCommunity, meshSection, type MeshHome } from '../support/mesh-town.ts'
import { Namespace, isRoot } from '../support/netns.ts'
import { InsideProvider, OwnerWallet, channelSection, channelWith, homeOf, photonState, sealerConfig, type Home } from '../support/photon-village.ts'
import { CLI, NODE, boxFiles, startService, waitFor, type Service } from '../support/town-services.ts'

const OWNER = Wallet.createRandom()
const PATIENCE_MS = 240_000
const NAMES = ['hall', 'cleo', 'ben', 'anna'] as const
type Name = (typeof NAMES)[number]
/** Who opens a channel with whom. */
const CHANNELS = [['anna', 'ben'], ['ben', 'cleo'], ['cleo', 'hall']] as const
const LOOPBACK = '127.0.0.1'

describe.skipIf(!isRoot())('a valley without Internet (needs root)', () => {
  const id = randomBytes(3).toString('hex')
  const places = Object.fromEntries(NAMES.map((name) => [name, new Namespace(`mbh-${name}-${id}`)])) as Record<Name, Namespace>
  const homes = {} as Record<Name, Home>
  const boxes = {} as Record<Name, Service>
  let dir = ''
  let chain: InsideProvider | undefined

  /** All on one cable, whose switch is in the hall. */
  async function lay(): Promise<void> {
    for (const name of NAMES) {
      execFileSync('ip', ['netns', 'add', places[name].name])
      await places[name].ip('link', 'set', 'lo', 'up')
    }
    await places.hall.ip('link', 'add', 'mesh', 'type', 'bridge', 'mcast_snooping', '0')
    for (const [index, name] of NAMES.entries()) {
      if (name !== 'hall') {
        await places.hall.ip('link', 'add', `to-${name}`, 'type', 'veth', 'peer', 'name', 'mesh', 'netns', places[name].name)
        await places.hall.ip('link', 'set', `to-${name}`, 'master', 'mesh', 'up')
      }
      await places[name].ip('addr', 'add', `fd77:1:2:3::${index + 1}/64`, 'dev', 'mesh', 'nodad')
      await places[name].ip('link', 'set', 'mesh', 'up')
    }
  }

  function configure(name: Name, mesh: MeshHome, network: string): void {
    const { files } = homes[name]
    const photon = channelSection({ fee_constant: '0.0005' })
    const shared: PlainSection[] = [{ type: 'token', name: 'token', options: { symbol: 'SMT', decimals: '18' } }, photon, meshSection(mesh)]
    const main = { type: 'meshbox', name: 'main', options: { name, data_dir: files.dataDir, control_socket: files.socket, log_level: 'debug', log_style: 'time', clock_trust: 'always', roles: ['relay', 'light', 'photon'] } }
    const own =
      name === 'hall'
        ? editUci(formatUci(sealerConfig(homes.hall, network, OWNER.address, [])), [{ do: 'set-list', section: { name: 'main' }, option: 'roles', values: ['relay', 'sealer', 'photon'] }])
        : formatUci([main, { type: 'owner', name: 'owner', options: { address: LOOPBACK } }, { type: 'chain', name: 'chain', options: { network } }])
    writeFileSync(files.config, `${own}\n${formatUci(shared)}`)
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'meshbox-mesh-hops-'))
    await lay()
    for (const name of NAMES) mkdirSync(join(dir, name))
    const files = Object.fromEntries(NAMES.map((name) => [name, boxFiles(join(dir, name))])) as Record<Name, ReturnType<typeof boxFiles>>
    const [hall, cleo, ben, anna] = await foundCommunity(files.hall, files.cleo, files.ben, files.anna)
    const members = { hall, cleo, ben, anna }
    for (const name of NAMES) homes[name] = await homeOf(files[name], LOOPBACK)
    const network = join(dir, 'valley.json')
    const made = await places.hall.run(CLI, ['--json', 'chain', 'new', network, '--name', 'mesh-hops', '--leaders', homes.hall.miner, '--owner', OWNER.address, '--period', '2', '--allocations', `${OWNER.address}=1000`], { env: { MESHBOX_NODE: NODE } })
    expect([made.code, made.stderr]).toEqual([0, ''])
    for (const name of NAMES) configure(name, members[name], network)
    await Promise.all(NAMES.map(async (name) => (boxes[name] = await startService(places[name], files[name]))))
    chain = new InsideProvider(places.hall, Number((JSON.parse(made.stdout) as { chainId: string }).chainId))
    const wallet = new OwnerWallet(new Wallet(OWNER.privateKey, chain))
    await wallet.sendCoins(NAMES.map((name) => homes[name].account), '1')
    await wallet.wrap('40')
    await wallet.sendTokens(CHANNELS.map(([name]) => homes[name].account), '10')
  })
  afterAll(async () => {
    chain?.destroy()
    for (const name of NAMES) await boxes[name]?.stop()
    for (const name of NAMES) {
      await places[name].killAll()
      execFileSync('ip', ['netns', 'del', places[name].name])
    }
    if (process.env.MESHBOX_KEEP === undefined) rmSync(dir, { recursive: true, force: true })
  })

  const lastPayment = async (name: Name, direction: PhotonPaymentJson['direction']): Promise<PhotonPaymentJson | undefined> => (await boxes[name].cliJson<PhotonPaymentsJson>('pay', 'list')).payments.find((one) => one.direction === direction)

  /** Pays over the boxes between, and looks at what each of them wrote down. */
  async function pays(from: Name, to: Name, amount: string, between: readonly [Name, Name]): Promise<void> {
    const target = homes[to].account
    await waitFor(`a way from ${from} to ${to}`, async () => {
      const asked = await boxes[from].cli('--json', 'pay', 'paths', target, amount)
      return asked.code === 0 && (JSON.parse(asked.stdout) as PhotonPathsJson).paths.some(({ nodes }) => nodes.length === between.length + 1)
    }, PATIENCE_MS)
    const { payment } = await boxes[from].cliJson<PhotonPayReply>('pay', target, amount)
    const hash = payment?.secretHash ?? 'none'
    const sent = await waitFor(`${from} to have paid`, async () => {
      const found = await lastPayment(from, 'sent')
      return found?.secretHash === hash && found.state !== 'committed' && found.state !== 'started' && found.state !== 'cancellable' ? found : null
    }, PATIENCE_MS)
    expect([sent.state, sent.reason, sent.amount.text]).toEqual(['done', null, amount])
    const taken = await waitFor(`${to} to have it`, async () => ((await lastPayment(to, 'received'))?.secretHash === hash ? lastPayment(to, 'received') : null), PATIENCE_MS)
    expect(taken).toMatchObject({ state: 'done', amount: { text: amount } })
    let earned = 0n
    for (const name of between) {
      const carried = await waitFor(`${name} to have carried it`, async () => ((await lastPayment(name, 'forwarded'))?.secretHash === hash ? lastPayment(name, 'forwarded') : null), PATIENCE_MS)
      earned += BigInt(carried?.fee.units ?? 0n)
    }
    expect([earned > 0n, earned]).toEqual([true, BigInt(sent.fee.units)])
  }

  it('has the chain from its neighbours, and channels opened through them', async () => {
    await Promise.all(NAMES.map((name) => photonState(name, boxes[name], 'ready', PATIENCE_MS)))
    for (const [name, partner] of CHANNELS) {
      // A block's state may be on its way still: then the box says so, and is asked again.
      const isOpened = async (): Promise<boolean> => {
        const { code, stderr } = await boxes[name].cli('channel', 'open', homes[partner].account, '6', '--core')
        expect(stderr).toMatch(/^$|the chain cannot say now/)
        return code === 0
      }
      await waitFor(`${name} to open a channel with ${partner}`, isOpened, PATIENCE_MS)
    }
    for (const [name, partner] of CHANNELS)
      await waitFor(`${name}'s channel with ${partner}`, async () => (await channelWith(boxes[name], homes[partner].account))?.actions.includes('pay') === true && (await channelWith(boxes[partner], homes[name].account))?.isConnected === true, PATIENCE_MS)
  })

  it('pays over three hops', () => pays('anna', 'hall', '0.5', ['ben', 'cleo']))

  it('and is paid', () => pays('hall', 'anna', '0.2', ['cleo', 'ben']))
})
