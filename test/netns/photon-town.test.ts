/**
 * Payment channels whole: three bundled services in namespaces on a chain that one of them seals, a guest with a real browser
 * who pays by the second, the WAN cable pulled and put back, kill -9 in the midst, and both ways to end a channel.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Wallet, formatEther, parseEther } from 'ethers'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { editUci, formatUci } from '../../src/config/index.ts'
import type { PhotonChannelJson, PhotonPayReply, PhotonPaymentsJson, SessionJson, SessionsJson, VoucherCreateReply } from '../../src/owner/index.ts'
import { PORTAL, boxConfig } from '../support/box-config.ts'
import { launchIn, type GuestBrowser } from '../support/chromium.ts'
import { TOWN, Town, isRoot, type Namespace } from '../support/netns.ts'
import { Phone } from '../support/phone.ts'
import {
  CHANNELS, InsideProvider, OwnerWallet, SLIP, SLIP_TOKENS, bookedFrom, channelWith, channelsOf, enodes, firstStart, paidIn, neighbourConfig, photonSection, photonState, photonStatus, sealerConfig, startSite,
  type Home,
} from '../support/photon-village.ts'
import { CLI, NODE, dhcp, startBoxDnsmasq, startInternet, startService, waitFor, type Service } from '../support/town-services.ts'

const OWNER = Wallet.createRandom()
const NAME = 'photon-town'
const UNIT = parseEther('0.01')

describe.skipIf(!isRoot())('a town with payment channels (needs root)', () => {
  let town: Town
  let dir = ''
  let hall: Home
  let box: Home
  let neighbour: Home
  let nextDoor: Namespace
  let sealer: Service
  let service: Service
  let partner: Service
  let chain: InsideProvider
  let wallet: OwnerWallet
  let anna: Phone
  let chromium: GuestBrowser
  let page: Page

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'meshbox-photon-town-'))
    town = await Town.create({ guests: 1, addresses: 'dynamic' })
    nextDoor = await town.addNeighbour()
    await startInternet(town, dir)
    ;[hall, box, neighbour] = await Promise.all([firstStart(town.internet, join(dir, 'hall'), TOWN.internet4), firstStart(town.box, dir, TOWN.boxMesh4), firstStart(nextDoor, join(dir, 'neighbour'), TOWN.neighbour4)])
    const network = join(dir, 'village.json')
    const made = await town.box.run(CLI, ['--json', 'chain', 'new', network, '--name', NAME, '--leaders', hall.miner, '--owner', OWNER.address, '--period', '2', '--allocations', `${OWNER.address}=1000`], { env: { MESHBOX_NODE: NODE } })
    const { chainId } = JSON.parse(made.stdout) as { chainId: string }
    const chainSection = { type: 'chain', name: 'chain', options: { network, ...enodes([hall]) } }
    const ours = editUci(boxConfig(box.files, { main: { clock_trust: 'always' } }), [{ do: 'set-list', section: { name: 'main' }, option: 'roles', values: ['hotspot', 'light', 'photon'] }])
    writeFileSync(hall.files.config, formatUci(sealerConfig(hall, network, OWNER.address, [])))
    writeFileSync(box.files.config, `${ours}\n${formatUci([chainSection, photonSection(box, neighbour), SLIP])}`)
    writeFileSync(neighbour.files.config, formatUci(neighbourConfig(neighbour, network, hall, box)))
    ;[sealer, service, partner] = await Promise.all([startService(town.internet, hall.files), startService(town.box, box.files), startService(nextDoor, neighbour.files)])
    await startBoxDnsmasq(town, box.files)
    await startSite(nextDoor)
    chain = new InsideProvider(town.internet, Number(chainId))
    wallet = new OwnerWallet(new Wallet(OWNER.privateKey, chain))
    await wallet.sendCoins([box.account, neighbour.account], '1')
    await wallet.wrap('40')
    await wallet.sendTokens([box.account, neighbour.account], '20')
    const [guest] = town.guests
    if (guest === undefined) throw new Error('no guest')
    await dhcp(guest, box.files)
    anna = new Phone(guest)
    chromium = await launchIn(guest.ns)
    page = await (await chromium.browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'en' })).newPage()
    await Promise.all([photonState('our box', service, 'ready'), photonState('the neighbour', partner, 'ready')])
  })
  afterAll(async () => {
    await chromium?.close()
    chain?.destroy()
    for (const one of [service, partner, sealer]) await one?.stop()
    await town?.destroy()
    if (process.env.MESHBOX_KEEP === undefined) rmSync(dir, { recursive: true, force: true })
  })

  const core = async (of: Service, other: Home): Promise<PhotonChannelJson> => (await channelWith(of, other.account)) ?? missing(other.account)
  const guestChannel = async (): Promise<PhotonChannelJson | null> => (await channelsOf(service)).find((one) => one.partner.address !== neighbour.account) ?? null
  /** How `meshbox pay` to the box next door ended, and why. */
  const pay = async (...words: string[]): Promise<string> => {
    const { code, stdout } = await service.cli('--json', 'pay', neighbour.account, ...words)
    const { payment } = JSON.parse(stdout) as PhotonPayReply
    expect(code).toBe(payment?.state === 'failed' ? 1 : 0)
    return `${payment?.kind} ${payment?.state}${payment?.reason === null ? '' : `: ${payment?.reason}`}`
  }
  const session = async (): Promise<SessionJson | undefined> => (await service.cliJson<SessionsJson>('sessions', 'list')).sessions.find(({ state }) => state !== 'ended')
  const shown = async (id: string): Promise<string> => ((await page.textContent(`#${id}`)) ?? '').replace('\u00a0', ' ')
  /** In smallest units. */
  const spent = async (): Promise<bigint> => parseEther(/^[\d.]+/.exec(await shown('pay-spent'))?.[0] ?? '0')
  const spends = (more: bigint, what: string): Promise<true> => {
    let from: bigint | null = null
    return waitFor(what, async () => {
      const now = await spent()
      from ??= now
      return now - from >= more
    }, 30_000)
  }
  const start = async (): Promise<void> => {
    await page.check('input[value="0"]')
    await page.click('#pay-start:not([disabled])')
    await page.waitForSelector('#pay[data-phase="paying"]')
  }
  const stop = async (): Promise<void> => {
    await page.click('#pay-stop')
    await page.waitForSelector('#pay[data-phase="over"]')
  }

  /** What the page has spent, what the book has earned and what the channel says are one amount. */
  const booksAgree = async (amount: bigint): Promise<void> => {
    const channel = (await guestChannel()) ?? missing('channel')
    expect([await bookedFrom(service, channel.id), paidIn(channel)]).toEqual([amount, amount])
    streamed = amount
  }
  let streamed = 0n

  it('the owner opens a channel to the box next door, and a slip of paper becomes a channel of the guest’s own', async () => {
    expect((await service.cli('channel', 'open', neighbour.account, '5', '--core')).code).toBe(0)
    const made = await service.cliJson<VoucherCreateReply>('voucher', 'create', 'slip', '1', '--codes')
    // The hotspot looks once a second whether the channels are there.
    await waitFor('minutes by the second to be offered', async () => {
      await page.goto(`${PORTAL}wallet`)
      return (await page.locator('#pay-code').count()) === 1
    })
    await page.fill('#pay-code', made.vouchers[0]?.code ?? '')
    await page.click('#pay-add')
    await page.waitForSelector('#pay-say:has-text("on its way")')
    await waitFor('the channel next door', async () => (await channelWith(partner, box.account))?.isConnected, 90_000)
    await waitFor('our side of it', async () => (await core(service, neighbour)).actions.includes('pay'), 30_000)
    expect((await core(service, neighbour)).own.spendable.text).toBe('5')
    await page.waitForSelector('#pay-start:not([disabled])', { timeout: 90_000 })
    expect(await shown('pay-balance')).toBe('2 SMT')
  })

  it('pays over it, and both books say the same', async () => {
    expect(await pay('0.5', '--data', 'a bag of rice')).toBe('locked done')
    expect(await pay('1.25', '--direct')).toBe('direct done')
    await waitFor('both sides to say so', async () => (await core(partner, box)).own.spendable.text === '1.75' && (await core(service, neighbour)).own.spendable.text === '3.25')
    await waitFor('the other book', async () => (await partner.cliJson<PhotonPaymentsJson>('pay', 'list')).payments.length === 2)
    const [sent, taken] = await Promise.all([service, partner].map(async (one) => (await one.cliJson<PhotonPaymentsJson>('pay', 'list')).payments.map(({ kind, state, amount }) => [kind, state, amount.text])))
    expect(taken).toEqual(sent)
  })

  it('the guest’s page pays by the second, and the time is counted to the second', async () => {
    await start()
    await waitFor('the gate', () => anna.isOnline(4, TOWN.internet4))
    await spends(parseEther('0.04'), 'four seconds')
    expect(await session()).toMatchObject({ state: 'active', source: 'stream' })
    await stop()
    await waitFor('the gate to close', async () => !(await anna.isOnline(4, TOWN.internet4)))
    const [{ secondsUsed, paid } = missing('session')] = (await service.cliJson<SessionsJson>('sessions', 'list', '--all')).sessions
    expect(paid.units).toBe(String(await spent()))
    const ticks = Number((await spent()) / UNIT)
    expect([ticks, ticks - 1]).toContain(secondsUsed) // a second that has begun is paid
    await booksAgree(await spent())
  })

  it('kill -9 of the service in the midst: the page goes on, nothing is lost', async () => {
    await start()
    await spends(parseEther('0.03'), 'three seconds')
    await service.crash()
    expect(await anna.isOnline(4, TOWN.internet4)).toBe(true)
    service = await startService(town.box, box.files)
    await spends(parseEther('0.05'), 'five more seconds')
    expect(await anna.isOnline(4, TOWN.internet4)).toBe(true)
    await waitFor('the box next door', async () => (await core(service, neighbour)).isConnected)
    expect([(await core(service, neighbour)).own.spendable.text, (await core(partner, box)).own.spendable.text]).toEqual(['3.25', '1.75'])
  })

  it('the cable is pulled: the stream and the site next door go on, locks are refused, direct payments go up to the exposure', async () => {
    await town.setUplink('down')
    await Promise.all([photonState('our box', service, 'offline'), photonState('the neighbour', partner, 'offline')])
    await spends(parseEther('0.03'), 'three seconds off the Internet')
    expect(await anna.isOnline(4, TOWN.internet4)).toBe(false)
    expect((await anna.ask(`http://${TOWN.neighbour4}/`)).status).toBe(200)
    expect(await pay('0.1')).toBe('locked failed: no view of the chain: direct payments only (1014)')
    expect(await pay('0.5', '--direct')).toBe('direct done')
    await waitFor('it to be taken', async () => (await core(partner, box)).own.spendable.text === '2.25')
    // More than the neighbour wants to be owed: it is not taken now, and waits.
    expect(await pay('0.25', '--direct')).toBe('direct committed: not acknowledged yet')
    await waitFor('the refusal', () => partner.log().includes('at most 500000000000000000 is taken without a view of the chain'))
    expect((await core(partner, box)).own.spendable.text).toBe('2.25')
    const before = paidIn((await guestChannel()) ?? missing('channel'))
    await stop()
    expect(paidIn((await guestChannel()) ?? missing('channel'))).toBeGreaterThan(before)
    await booksAgree(streamed + (await spent()))
  })

  it('the cable is back: one channel is closed with the partner’s word, one without, and every unit is on the chain again', async () => {
    await town.setUplink('up')
    await Promise.all([photonState('our box', service, 'ready'), photonState('the neighbour', partner, 'ready')])
    // What was not taken is sent again ever more seldom, once a minute at last.
    await waitFor('what had to wait', async () => (await core(partner, box)).own.spendable.text === '2.5', 120_000)
    const guest = (await guestChannel()) ?? missing('channel')
    const streamedInAll = paidIn(guest)
    expect((await service.cli('channel', 'close', guest.id, '--force')).code).toBe(0)
    expect((await service.cli('channel', 'close', (await core(service, neighbour)).id)).code).toBe(0)
    await waitFor('the one to be closed', async () => (await guestChannel())?.phase === 'closed', 60_000)
    await waitFor('the other to be over', async () => (await channelWith(service, neighbour.account)) === null && (await channelWith(partner, box.account)) === null, 60_000)
    const balances = async (): Promise<string[]> => Promise.all([box.account, neighbour.account, guest.partner.address, CHANNELS].map(async (one) => formatEther(await wallet.tokensOf(one))))
    const slip = parseEther(SLIP_TOKENS)
    // The stream was claimed with the close; what is left of the slip is the guest's when the time to object and to punish is over.
    const expected = [parseEther('17.5') - slip + streamedInAll, parseEther('22.5'), 0n, slip - streamedInAll].map((amount) => formatEther(amount))
    await waitFor('the claim', async () => (await balances())[0] === expected[0], 60_000).catch(() => undefined)
    expect(await balances()).toEqual(expected)
    expect((await photonStatus(service)).alarms).toEqual([])
  })
})

function missing(what: string): never {
  throw new Error(`there is none: ${what}`)
}
