/**
 * A tenant who pays for real: two bundled services on a chain that a third seals. One hears the tenant's meters through a packet forwarder and sells the frames;
 * the other is the tenant's own box, which pays by the receipts, over a channel between the two, while the way out is cut. The
 * seller is killed with frames on their way, and again with a payment just made; in the end his bill, both books and both ends of the channel say one amount.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Wallet, formatEther, parseEther } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fromHex } from '../../src/base/index.ts'
import { formatUci, type PlainSection } from '../../src/config/index.ts'
import type { AuditJson, EntriesJson, IotStatusJson, IotTenantJson, PhotonChannelJson, PhotonPayReply } from '../../src/owner/index.ts'
import { Antenna, FIELD_KEY, TenantServer, humidity, sensorFrame } from '../support/iot-field.ts'
import { TOWN, Town, isRoot, type Namespace } from '../support/netns.ts'
import { EXPOSURE, InsideProvider, OwnerWallet, channelWith, firstStart, neighbourConfig, paidIn, photonState, sealerConfig, type Home } from '../support/photon-village.ts'
import { CLI, NODE, startInternet, startService, waitFor, type Service } from '../support/town-services.ts'

const OWNER = Wallet.createRandom()
const PATIENCE_MS = 180_000
const DEPOSIT = '2'
/** For a started 24 bytes: one that no rounding would leave as it is. */
const PRICE = '0.000900000000000007'
const UNIT = parseEther(PRICE)
/** Units that he may owe; more than half of it is reason for a receipt at once. */
const WINDOW = 40
const BURST = 24
const METER = 0x2601_0001
const SERVER_PORT = 1_700
/** Of `lora receipt verify`. */
interface Verdict {
  readonly valid: boolean
  readonly provenUnits: number
  readonly newest: { readonly cumAmount: string; readonly cumUnits: string }
}

describe.skipIf(!isRoot())('a tenant who pays over a channel (needs root)', () => {
  let town: Town
  let dir = ''
  let nextDoor: Namespace
  let ours: Home
  let theirs: Home
  let hall: Service
  let service: Service
  let payer: Service
  let chain: InsideProvider
  let antenna: Antenna
  let server: TenantServer
  /** Of the box that sells, by which it signs. */
  let seller = ''
  /** Frames that he was sold, in order; a number is a counter. */
  let sold = 0

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'meshbox-iot-paid-'))
    town = await Town.create({ guests: 1, addresses: 'static' })
    nextDoor = await town.addNeighbour()
    await startInternet(town, dir)
    const [hallHome, oursHome, theirsHome] = await Promise.all([firstStart(town.internet, join(dir, 'hall'), TOWN.internet4), firstStart(town.box, join(dir, 'ours'), TOWN.boxMesh4), firstStart(nextDoor, join(dir, 'theirs'), TOWN.neighbour4)])
    ;[ours, theirs] = [oursHome, theirsHome]
    const network = join(dir, 'village.json')
    const made = await town.box.run(CLI, ['--json', 'chain', 'new', network, '--name', 'iot-paid', '--leaders', hallHome.miner, '--owner', OWNER.address, '--period', '2', '--allocations', `${OWNER.address}=1000`], { env: { MESHBOX_NODE: NODE } })
    expect([made.code, made.stderr]).toEqual([0, ''])
    writeFileSync(hallHome.files.config, formatUci(sealerConfig(hallHome, network, OWNER.address, [])))
    writeFileSync(ours.files.config, formatUci([...neighbourConfig(ours, network, hallHome, theirs).map(withIot), { type: 'iot', name: 'iot', options: { broker: 'off' } }]))
    writeFileSync(theirs.files.config, formatUci(neighbourConfig(theirs, network, hallHome, ours)))
    ;[hall, service, payer] = await Promise.all([startService(town.internet, hallHome.files), startService(town.box, ours.files), startService(nextDoor, theirs.files)])
    chain = new InsideProvider(town.internet, Number((JSON.parse(made.stdout) as { chainId: string }).chainId))
    const wallet = new OwnerWallet(new Wallet(OWNER.privateKey, chain))
    await wallet.sendCoins([ours.account, theirs.account], '1')
    await wallet.wrap('10')
    await wallet.sendTokens([theirs.account], '5')
    await Promise.all([photonState('the seller', service, 'ready', PATIENCE_MS), photonState('the payer', payer, 'ready', PATIENCE_MS)])
    ;[antenna, server] = await Promise.all([Antenna.start(town.box), TenantServer.start(nextDoor, SERVER_PORT)])
    await gatewayIsThere()
  })
  afterAll(async () => {
    chain?.destroy()
    for (const one of [payer, service, hall]) await one?.stop()
    await town?.destroy()
    rmSync(dir, { recursive: true, force: true })
  })

  const gatewayIsThere = (): Promise<true> => waitFor('the gateway', async () => (JSON.parse((await service.cli('--json', 'lora', 'status')).stdout) as IotStatusJson).gateways.online === 1, PATIENCE_MS)
  const account = (): Promise<IotTenantJson> => service.cliJson<IotTenantJson>('tenant', 'show', 'meters')
  const frame = (fCnt: number): Uint8Array => sensorFrame(METER, fCnt, humidity(50))
  const channelAt = async (at: Service, other: Home): Promise<PhotonChannelJson> => (await channelWith(at, other.account)) ?? missing(`a channel with ${other.account}`)

  /** The next frames are said until `isOver`: a datagram that nobody took comes again, as a device's own repetition would. */
  const say = async (count: number, what: string, isOver: () => Promise<boolean>): Promise<void> => {
    const mine = Array.from({ length: count }, (_, n) => frame(sold + n))
    let looks = 0
    await waitFor(what, async () => {
      if (looks++ % 20 === 0) for (const phy of mine) if (!server.has(phy)) antenna.hear(phy)
      return await isOver()
    }, PATIENCE_MS)
  }
  const sell = async (count: number): Promise<void> => {
    await say(count, `${count} more frames, sold`, async () => (await account()).units === String(sold + count))
    sold += count
  }

  /** His bill, with the frames that his own server has, judged on his own box. */
  const judged = async (): Promise<Verdict> => {
    const file = join(dir, `bill-${++bills}.json`)
    expect(await service.cli('tenant', 'bill', 'meters', '--output', file)).toMatchObject({ code: 0 })
    const bill = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>
    writeFileSync(file, JSON.stringify({ ...bill, frames: server.frames.map((hex) => createHash('sha256').update(fromHex(hex)).digest('hex')) }))
    return payer.cliJson<Verdict>('lora', 'receipt', 'verify', file, '--box', seller, '--payer', theirs.account)
  }
  let bills = 0
  let paid = 0n
  /** What he has a receipt for, and has not paid yet. */
  const pay = async (): Promise<bigint> => {
    if ((await account()).newestReceipt === null) return 0n
    const { valid, newest } = await judged()
    expect(valid).toBe(true)
    const due = BigInt(newest.cumAmount) - paid
    if (due === 0n) return 0n
    const { payment } = await payer.cliJson<PhotonPayReply>('pay', ours.account, formatEther(due), '--direct', '--data', 'iot')
    expect([payment?.kind, payment?.state]).toEqual(['direct', 'done'])
    paid += due
    return due
  }
  /** All that was sold has a receipt, and is paid, to the unit. */
  const settles = (): Promise<true> =>
    waitFor('all to be paid', async () => {
      await pay()
      const { owed, billed } = await account()
      return owed.units === '0' && BigInt(billed.units) === BigInt(sold) * UNIT
    }, PATIENCE_MS)

  it('his terms: routes, network keys, a price, and what he may owe; a channel from his box to the seller', async () => {
    seller = (await service.cliJson<{ address: string }>('identity', 'show')).address
    const price = ['--token', 'SMT', '--price', PRICE, '--credit', formatEther(UNIT * BigInt(WINDOW))]
    await service.cliJson('tenant', 'set', 'meters', '--payer', theirs.account, '--route', `dev-addr ${hex8(METER)}/32`, '--to', `gwmp ${TOWN.neighbour4}:${SERVER_PORT}`, ...price)
    const keys = join(dir, 'keys')
    writeFileSync(keys, `${hex8(METER)} ${FIELD_KEY}\n`)
    expect(await service.cliJson<IotTenantJson>('tenant', 'keys', 'meters', keys)).toMatchObject({ hasMicKeys: true, isServed: true })
    await waitFor('his server', async () => (await account()).isOnline, PATIENCE_MS)
    expect((await payer.cli('channel', 'open', ours.account, DEPOSIT, '--core')).code).toBe(0)
    await waitFor('the channel', async () => {
      const [here, there] = await Promise.all([channelWith(service, theirs.account), channelWith(payer, ours.account)])
      return there?.actions.includes('pay') === true && there.own.deposit.text === DEPOSIT && here?.isConnected === true && here.partner.deposit.text === DEPOSIT
    }, PATIENCE_MS)
    await sell(BURST)
    await settles()
  })

  it('with the way out cut: sold up to his window, not one more; paid by receipt, and sold again', async () => {
    await town.setUplink('down')
    await Promise.all([photonState('the seller', service, 'offline', PATIENCE_MS), photonState('the payer', payer, 'offline', PATIENCE_MS)])
    await sell(WINDOW)
    const { owed, creditWindow, isServed } = await account()
    expect([owed.units, isServed]).toEqual([creditWindow.units, false])
    await say(1, 'a frame to be refused', async () => ((await account()).outcomes['no-credit'] ?? 0) > 0)
    expect([server.has(frame(sold)), (await account()).units]).toEqual([false, String(sold)])
    await settles()
    // What was refused was not sold: when it is said again, it is.
    await sell(1)
    // Said once more, with a wrong code, and by who recorded it.
    const forged = frame(sold)
    forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1
    for (const phy of [forged, frame(0), frame(sold - 1)]) antenna.hear(phy)
    await sell(BURST)
    expect(server.has(forged)).toBe(false)
    await settles()
  })

  it('the seller is killed with frames on their way, and when he was just paid: each is billed once, and each payment counts once', async () => {
    for (let life = 0; life < 3; life++) {
      const before = server.frames.length
      await say(BURST, 'some of them at his server', async () => Promise.resolve(server.frames.length > before))
      await service.crash()
      service = await startService(town.box, ours.files)
      await gatewayIsThere()
      await waitFor('his server', async () => (await account()).isOnline, PATIENCE_MS)
      await sell(BURST)
      await waitFor('the boxes to meet again', async () => (await channelWith(payer, ours.account))?.isConnected, PATIENCE_MS)
      await waitFor('a payment', async () => (await pay()) > 0n, PATIENCE_MS)
      await service.crash()
      service = await startService(town.box, ours.files)
      await gatewayIsThere()
      await waitFor('the boxes to meet again', async () => (await channelWith(payer, ours.account))?.isConnected, PATIENCE_MS)
      await settles()
    }
  })

  it('bill, books, and both ends of the channel say the same, before the way out is back and after', async () => {
    const total = BigInt(sold) * UNIT
    // All of it was taken on the word of the partner alone, but for what was paid before the cut.
    expect(total - BigInt(BURST) * UNIT).toBeLessThan(parseEther(EXPOSURE))
    const agree = async (): Promise<void> => {
      const { entries } = await service.cliJson<EntriesJson>('earnings', 'entries', '--limit', '500')
      const booked = (source: string, of: string): bigint => entries.filter((entry) => entry.source === source).flatMap(({ postings }) => postings).reduce((sum, posting) => (posting.account === of ? sum + BigInt(posting.amount.units) : sum), 0n)
      const { billed, paid: said, owed } = await account()
      const [here, there] = [await channelAt(service, theirs), await channelAt(payer, ours)]
      const verdict = await judged()
      const figures = {
        billed: BigInt(billed.units), paid: BigInt(said.units), signed: BigInt(verdict.newest.cumAmount),
        earned: booked('iot:uplink', 'due:iot-meters'), came: booked('iot:payment', 'cash:channels'), due: -booked('iot:payment', 'due:iot-meters'),
        taken: paidIn(here), spent: BigInt(there.own.deposit.units) - BigInt(there.own.spendable.units),
      }
      expect(figures).toEqual(Object.fromEntries(Object.keys(figures).map((name) => [name, total])))
      expect([owed.units, verdict]).toEqual(['0', expect.objectContaining({ valid: true, provenUnits: sold })])
      for (const one of [service, payer]) expect(await one.cliJson<AuditJson>('audit')).toMatchObject({ isSound: true, differences: [] })
    }
    await agree()
    await town.setUplink('up')
    await Promise.all([photonState('the seller', service, 'ready', PATIENCE_MS), photonState('the payer', payer, 'ready', PATIENCE_MS)])
    await agree()
  })
})

const hex8 = (value: number): string => value.toString(16).padStart(8, '0')

const withIot = (section: PlainSection): PlainSection =>
  section.type === 'meshbox' ? { ...section, options: { ...section.options, name: 'Gateway', roles: ['light', 'photon', 'iot'] } } : section

function missing(what: string): never {
  throw new Error(`there is none: ${what}`)
}
