/**
 * The chapter of payment channels: the village hall seals the chain from beyond the WAN cable, our box and the one next door
 * have channels, a guest pays by the second in a real browser, the cable is pulled and comes back, and all is paid out.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatEther, parseEther } from 'ethers'
import type { Page } from 'playwright-core'
import { editUci, formatUci, writeConfigFile, type PlainSection, type UciEdit } from '../../src/config/index.ts'
import type { PhotonChannelJson, PhotonPayReply, PhotonPaymentsJson, SessionsJson, VoucherCreateReply } from '../../src/owner/index.ts'
import { launchIn } from '../../test/support/chromium.ts'
import { TOWN } from '../../test/support/netns.ts'
import { Phone } from '../../test/support/phone.ts'
import {
  CHANNELS, EXPOSURE, InsideProvider, OwnerWallet, SETTLE_BLOCKS, SLIP, SLIP_TOKENS, WRAPPED, bookedFrom, channelsOf, enodes, firstStart, homeOf, neighbourConfig, paidIn, photonSection, photonState, photonStatus,
  TOKEN_SECTION, sealerConfig, startSite, type Home,
} from '../../test/support/photon-village.ts'
import { startService, waitFor, type Service } from '../../test/support/town-services.ts'
import { BEN, ownerKey, providerOf } from './chain.ts'
import { Field, IOT_PAID, iotSection, tellOfSensors, type FieldParts } from './iot.ts'
import { order } from './order.ts'
import { claim, note, step } from './say.ts'
import { paidBefore } from './story-plan.ts'
import type { Box } from './story.ts'

/** After the settle timeout the contract gives both sides time to punish a lock that was given up and claimed all the same. */
const PUNISH_BLOCKS = 257
const PATIENT_BLOCKS = '240'
const METER_TOKENS = '15'
/** Tokens, while nobody sees the chain: beyond what the neighbour lets us owe. */
const LATE = '0.25'

/** `meanwhile`: told while the chain counts blocks for a settlement. Result: the field, which can go on selling to next door; null with `--once`. */
export async function tellOfChannels(box: Box, meanwhile: () => Promise<void>): Promise<Field | null> {
  const { town, files } = box
  const [first] = town.guests
  if (first === undefined) throw new Error('the chapter needs a guest')
  const nextDoor = await town.addNeighbour()
  const [hall, ours, theirs] = await Promise.all([firstStart(town.internet, join(files.dir, 'hall'), TOWN.internet4), homeOf(files, TOWN.boxMesh4), firstStart(nextDoor, join(files.dir, 'neighbour'), TOWN.neighbour4)])

  step('The village hall takes the sealing over; our box only verifies')
  const { chainId, network, token: villageToken } = box.chain
  const chain = new InsideProvider(town.internet, chainId)
  let isFieldKept = false
  try {
    // Through our box while it seals, through the hall's from then on.
    const early = providerOf(box.chain)
    const office = new OwnerWallet(ownerKey(early))
    await office.leaders('appendLeader', hall.miner)
    writeFileSync(hall.files.config, formatUci([...sealerConfig(hall, network, BEN, [{ ...ours, enode: ours.enode.replace(TOWN.boxMesh4, TOWN.boxWan4) }]), TOKEN_SECTION]))
    const sealer = await startService(town.internet, hall.files)
    box.others.set('hall', { name: 'Village hall', host: town.internet, service: sealer })
    await waitFor('a block of the hall’s', async () => (await chain.getBlock('latest').catch(() => null))?.miner === BEN, 60_000)
    await office.leaders('removeLeader', ours.miner)
    early.destroy()
    const owner = new OwnerWallet(ownerKey(chain))
    await box.service.stop()
    switchOn(files.config, ours, theirs, hall, villageToken)
    writeFileSync(theirs.files.config, formatUci(neighbourConfig(theirs, network, hall, ours, [villageTokenOption(villageToken)]).map(patient)))
    box.service = await startService(town.box, files)
    const neighbour = await startService(nextDoor, theirs.files)
    box.others.set('box2', { name: 'Next door', host: nextDoor, service: neighbour })
    await startSite(nextDoor)
    await Promise.all([photonState('our box', box.service, 'ready'), photonState('the neighbour', neighbour, 'ready')])
    claim(`the hall seals, blocks come; our box and the one next door (${TOWN.neighbour4}, over the mesh) verify them and have channels on`, true)
    const told = new Chapter(box, { ours, theirs, neighbour, owner, chain, villageToken })
    await told.openAndPay()
    await told.stream(first)
    const parts: FieldParts = {
      box: town.box, service: () => box.service, nextDoor, neighbour: () => box.others.get('box2')?.service ?? neighbour, ours, theirs,
      server: { address: TOWN.neighbour4, port: 1_700 }, heardElsewhere: null,
    }
    const field = await Field.open(parts)
    try {
      await tellOfSensors(field, parts, box.plan)
      await told.payOut(meanwhile)
      if (box.options.isOnce) return null
      await told.openForTheMeter()
      isFieldKept = true
      return field
    } finally {
      if (!isFieldKept) field.close()
    }
  } catch (error) {
    for (const { service } of box.others.values()) note(service.log().split('\n').slice(-6).join('\n'))
    throw error
  } finally {
    chain.destroy()
  }
}

/** What README's "Paid by the second" has the owner type with uci. */
function switchOn(config: string, ours: Home, theirs: Home, hall: Home, villageToken: string): void {
  const edits: UciEdit[] = [
    { do: 'set-list', section: { name: 'main' }, option: 'roles', values: ['hotspot', 'light', 'photon', 'iot'] },
    { do: 'set-list', section: { name: 'chain' }, option: 'peers', values: enodes([hall]).peers ?? [] },
    { do: 'add-section', section: patient(photonSection(ours, theirs, [villageTokenOption(villageToken)])) },
    { do: 'add-section', section: SLIP },
    iotSection(ours.files, null),
  ]
  writeConfigFile(config, editUci(readFileSync(config, 'utf8'), edits))
}

/** On a busy machine the chapter without the cable takes long; with few blocks to settle in, streams could not be noted to its end. What is closed without the partner's word names its own. */
const patient = (section: PlainSection): PlainSection => (section.type === 'photon' ? { ...section, options: { ...section.options, settle_timeout: PATIENT_BLOCKS, core_settle_timeout: PATIENT_BLOCKS } } : section)

const villageTokenOption = (token: string): string => `${token}:VTK:18`

interface Parts {
  readonly ours: Home
  readonly theirs: Home
  readonly neighbour: Service
  readonly owner: OwnerWallet
  readonly chain: InsideProvider
  readonly villageToken: string
}

class Chapter {
  readonly #box: Box
  readonly #parts: Parts

  constructor(box: Box, parts: Parts) {
    this.#box = box
    this.#parts = parts
  }

  async openAndPay(): Promise<void> {
    const { ours, theirs, neighbour, owner } = this.#parts
    const { goods, locked, direct, villageTokens } = this.#box.plan
    step('The owner puts coins into channels')
    await owner.sendCoins([ours.account, theirs.account], '21')
    await owner.sendTokens([ours.account], '5', this.#parts.villageToken)
    await waitFor('the coins', async () => parseFloat((await photonStatus(this.#box.service)).gas?.text ?? '0') >= 21, 60_000)
    note((await this.#do('channel', 'wrap', '20')).trimEnd())
    await waitFor('the tokens', async () => (await owner.tokensOf(ours.account)) === parseEther('20'), 60_000)
    note((await this.#do('channel', 'open', theirs.account, '5', '--core')).trimEnd())
    await this.#do('channel', 'open', theirs.account, '5', '--token', 'VTK', '--settle-blocks', String(SETTLE_BLOCKS))
    await waitFor('both channels', async () => (await this.#both()).every((list) => list.length === 2 && list.every(({ isConnected, actions }) => isConnected && actions.includes('force-close'))), 120_000)
    note((await this.#do('channel', 'list')).trimEnd())

    step('Our box pays the one next door')
    await this.#pays([locked, '--data', goods], 'locked done', `${locked} under a lock, as it would go over other boxes too`)
    await this.#pays([direct, '--direct'], 'direct done', `${direct} directly`)
    await this.#pays([villageTokens, '--direct', '--token', 'VTK'], 'direct done', `${villageTokens} VTK directly`)
    await waitFor('the other book', async () => (await neighbour.cliJson<PhotonPaymentsJson>('pay', 'list')).payments.length === 3)
    const [sent, taken] = await Promise.all([this.#box.service, neighbour].map(async (one) => (await one.cliJson<PhotonPaymentsJson>('pay', 'list')).payments.map(({ kind, state, amount, token }) => `${amount.text} ${token.symbol} ${kind} ${state}`)))
    claim(`both boxes have the same list: ${taken?.join('; ')}`, sent?.join() === taken?.join(), sent?.join('; '))
    for (const token of ['SMT', 'VTK']) {
      const [mine, other] = (await this.#both()).map((list) => list.find((one) => one.token.symbol === token))
      claim(`and the ${token} channel says the same at both ends: ${mine?.own.spendable.text} here, ${mine?.partner.spendable.text} there`, mine !== undefined && mine.own.spendable.units === other?.partner.spendable.units && mine.partner.spendable.units === other.own.spendable.units, `${other?.partner.spendable.text}, ${other?.own.spendable.text}`)
    }
    const vtk = (await channelsOf(this.#box.service)).find(({ token }) => token.symbol === 'VTK')
    if (this.#box.options.isQuick) {
      await this.#do('channel', 'close', vtk?.id ?? '')
      await waitFor('the VTK to be paid out', async () => (await this.#both()).every((list) => !list.some(({ token }) => token.symbol === 'VTK')), 120_000)
      return note('the VTK channel is closed with the partner’s word: paid out with the next blocks (without --quick the story waits for a settlement without it)')
    }
    await this.#do('channel', 'close', vtk?.id ?? '', '--force')
    note(`meshbox channel close ${vtk?.id.slice(0, 10)}… --force   (the VTK: without the partner's word it takes ${SETTLE_BLOCKS} + ${PUNISH_BLOCKS} blocks; we look again at the end)`)
  }

  async stream(guest: Box['town']['guests'][number]): Promise<void> {
    const { portal } = this.#box
    const { neighbour } = this.#parts
    const { her } = this.#box.plan
    const phone = new Phone(guest)
    step(`${her} buys tokens for cash and pays by the second, in a browser`)
    const made = await this.#box.service.cliJson<VoucherCreateReply>('voucher', 'create', 'slip', '1', '--codes')
    const chromium = await launchIn(guest.ns)
    try {
      const page = await (await chromium.browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'en' })).newPage()
      await waitFor('minutes by the second to be offered', async () => {
        await page.goto(`${portal}wallet`)
        return (await page.locator('#pay-code').count()) === 1
      })
      await page.fill('#pay-code', made.vouchers[0]?.code ?? '')
      await page.click('#pay-add')
      await page.waitForSelector('#pay-start:not([disabled])', { timeout: 120_000 })
      claim(`a slip of paper worth ${SLIP_TOKENS} tokens is a channel of her own now; her page says: ${await shown(page, 'pay-balance')}`, (await shown(page, 'pay-balance')).startsWith(SLIP_TOKENS))
      await page.check('input[value="0"]')
      await page.click('#pay-start')
      await waitFor('the gate', () => phone.isOnline(4, TOWN.internet4))
      await spends(page, '0.05')
      const session = (await this.#box.service.cliJson<SessionsJson>('sessions', 'list')).sessions[0]
      claim(`online; the session has used ${session?.secondsUsed} s, and a moment later her page has spent ${await shown(page, 'pay-spent')}`, session?.state === 'active' && session.source === 'stream')

      step('Somebody pulls the WAN cable')
      await this.#box.setUplink('down')
      await Promise.all([photonState('our box', this.#box.service, 'offline'), photonState('the neighbour', neighbour, 'offline')])
      note(`nobody has seen a block for ten block times: meshbox channel status says "off line"`)
      await spends(page, '0.03')
      claim(`${her}'s stream goes on: ${await shown(page, 'pay-spent')}`, true)
      claim('no ping comes back from the Internet', !(await phone.isOnline(4, TOWN.internet4)))
      const school = await phone.ask(`http://${TOWN.neighbour4}/`)
      claim(`the site next door is there: http://${TOWN.neighbour4}/ answers ${school.status}`, school.status === 200)
      await this.#pays(['0.1'], 'locked failed: no view of the chain: direct payments only (1014)', '0.1 under a lock is refused')
      await this.#pays([EXPOSURE, '--direct'], 'direct done', `${EXPOSURE} directly goes: as much as the neighbour lets us owe (max_offline_exposure ${EXPOSURE})`)
      const taken = paidBefore(this.#box.plan) + parseEther(EXPOSURE)
      await waitFor('it to be taken', () => this.#hasGot(taken))
      await this.#pays([LATE, '--direct'], 'direct committed: not acknowledged yet', `${LATE} more are signed and wait`)
      await waitFor('the refusal', () => neighbour.log().includes('is taken without a view of the chain'))
      claim('the neighbour does not take them yet', await this.#hasGot(taken))
      await page.click('#pay-stop')
      await page.waitForSelector('#pay[data-phase="over"]')
      const hers = await this.#hers()
      const [spent, booked, channel] = [await shown(page, 'pay-spent'), await bookedFrom(this.#box.service, hers.id), paidIn(hers)]
      const [last] = (await this.#box.service.cliJson<SessionsJson>('sessions', 'list', '--all')).sessions
      note(`her page: ${spent}    the session: ${last?.secondsUsed} s, ${last?.paid.text}    the ledger: ${booked}    the channel: ${channel}`)
      claim('page, session, ledger and channel agree to the unit', booked === channel && channel === amountOf(spent) && last?.paid.units === String(channel))
      const seconds = Number(channel / parseEther('0.01'))
      claim(`${seconds} seconds paid for ${last?.secondsUsed} whole ones used: one that has begun counts`, seconds === last?.secondsUsed || seconds - 1 === last?.secondsUsed)
    } finally {
      await chromium.close()
    }

    step('The cable is back')
    await this.#box.setUplink('up')
    await Promise.all([photonState('our box', this.#box.service, 'ready'), photonState('the neighbour', neighbour, 'ready')])
    // What was not taken is sent again ever more seldom, once a minute at last.
    await waitFor('what had to wait', () => this.#hasGot(paidBefore(this.#box.plan) + parseEther(EXPOSURE) + parseEther(LATE)), 120_000)
    claim(`the neighbour has seen the chain again and takes the ${LATE} that waited`, true)
  }

  async payOut(meanwhile: () => Promise<void>): Promise<void> {
    const { ours, theirs, owner, neighbour, villageToken } = this.#parts
    step('Channels are closed and paid out on the chain')
    const hers = await this.#hers()
    const streamed = paidIn(hers)
    const with_ = await this.#smt(this.#box.service, theirs)
    note((await this.#do('channel', 'close', with_.id)).trimEnd().split('\n').slice(0, 2).join('\n'))
    await waitFor('the end of it', async () => (await this.#both()).every((list) => !list.some(({ id }) => id === with_.id)), 120_000)
    await this.#do('channel', 'close', hers.id, '--force')
    await waitFor('the claim', async () => (await channelsOf(this.#box.service)).some(({ id, phase }) => id === hers.id && phase === 'closed') && (await owner.tokensOf(CHANNELS)) === parseEther(SLIP_TOKENS) - streamed, 120_000)
    const slip = parseEther(SLIP_TOKENS)
    const paid = paidBefore(this.#box.plan) + parseEther(EXPOSURE) + parseEther(LATE)
    const villageTokens = parseEther(this.#box.plan.villageTokens)
    const rows: readonly (readonly [string, string, string, bigint])[] = [
      ['our box', 'SMT', ours.account, parseEther('20') - paid - slip + streamed + IOT_PAID],
      ['next door', 'SMT', theirs.account, paid - IOT_PAID],
      [`in the contract, for ${this.#box.plan.her}`, 'SMT', CHANNELS, slip - streamed],
    ]
    await this.#count(rows, parseEther('20'), WRAPPED)
    const vtk = (): Promise<PhotonChannelJson | undefined> => channelsOf(this.#box.service).then((list) => list.find(({ token }) => token.symbol === 'VTK'))
    const settleBlock = (await vtk())?.settleBlock ?? 0
    if (settleBlock > 0) note(`the VTK were closed without the partner's word: paid out after block ${settleBlock + PUNISH_BLOCKS}; it is block ${await this.#parts.chain.getBlockNumber()}`)
    await meanwhile()
    step('What the chain says at the end')
    await waitFor('the settlement', async () => (await vtk()) === undefined && (await channelsOf(neighbour)).length === 0, 420_000)
    await this.#count([['our box', 'VTK', ours.account, parseEther('5') - villageTokens], ['next door', 'VTK', theirs.account, villageTokens], ['in the contract', 'VTK', CHANNELS, 0n]], parseEther('5'), villageToken)
    note((await this.#box.service.cli('channel', 'status')).stdout.trimEnd())
  }

  /** From next door's own coins: what the meter's frames cost for hours. */
  async openForTheMeter(): Promise<void> {
    const { ours, theirs, neighbour, owner } = this.#parts
    step('Next door opens a channel for its meter')
    const before = await owner.tokensOf(theirs.account)
    await order(neighbour, ['channel', 'wrap', METER_TOKENS])
    await waitFor('the tokens', async () => (await owner.tokensOf(theirs.account)) === before + parseEther(METER_TOKENS), 120_000)
    await order(neighbour, ['channel', 'open', ours.account, METER_TOKENS, '--core'])
    await waitFor('the channel at both ends', async () => (await this.#both()).every(([one]) => one !== undefined && one.phase === 'opened' && one.isConnected), 120_000)
    claim(`${METER_TOKENS} SMT are in it, all of next door's`, (await this.#smt(neighbour, ours)).own.spendable.text === METER_TOKENS)
  }

  async #count(rows: readonly (readonly [who: string, symbol: string, account: string, expected: bigint])[], whole: bigint, token: string): Promise<void> {
    let sum = 0n
    for (const [who, symbol, account, expected] of rows) {
      const has = await this.#parts.owner.tokensOf(account, token)
      sum += has
      claim(`on the chain, ${who}: ${formatEther(has)} ${symbol}`, has === expected, `${formatEther(expected)} expected`)
    }
    claim(`together ${formatEther(sum)}: what was there at the beginning, to the unit`, sum === whole)
  }

  /** `meshbox …` of our box, which must succeed. */
  async #do(...words: string[]): Promise<string> {
    return `meshbox ${words.join(' ')}\n${await order(this.#box.service, words)}`
  }

  async #pays(words: readonly string[], expected: string, what: string): Promise<void> {
    const { stdout } = await this.#box.service.cli('--json', 'pay', this.#parts.theirs.account, ...words)
    const { payment } = JSON.parse(stdout) as PhotonPayReply
    const said = `${payment?.kind} ${payment?.state}${payment?.reason === null ? '' : `: ${payment?.reason}`}`
    claim(`${what} (meshbox pay ${this.#parts.theirs.account.slice(0, 6)}… ${words.join(' ')} → ${said})`, said === expected, said)
  }

  #both(): Promise<(readonly PhotonChannelJson[])[]> {
    return Promise.all([this.#box.service, this.#parts.neighbour].map(channelsOf))
  }

  async #smt(of: Service, other: Home): Promise<PhotonChannelJson> {
    const found = (await channelsOf(of)).find(({ partner, token }) => partner.address === other.account && token.symbol === 'SMT')
    if (found === undefined) throw new Error('the channel between the two boxes is gone')
    return found
  }

  /** Next door, of ours; smallest units. */
  async #hasGot(units: bigint): Promise<boolean> {
    return (await this.#smt(this.#parts.neighbour, this.#parts.ours)).own.spendable.units === units.toString()
  }

  async #hers(): Promise<PhotonChannelJson> {
    const found = (await channelsOf(this.#box.service)).find(({ partner }) => partner.address !== this.#parts.theirs.account)
    if (found === undefined) throw new Error("the guest's channel is gone")
    return found
  }
}

async function shown(page: Page, id: string): Promise<string> {
  return ((await page.textContent(`#${id}`)) ?? '').replace('\u00a0', ' ')
}

/** In smallest units. */
function amountOf(text: string): bigint {
  return parseEther(/^[\d.]+/.exec(text)?.[0] ?? '0')
}

async function spends(page: Page, more: string): Promise<void> {
  const from = amountOf(await shown(page, 'pay-spent'))
  await waitFor(`${more} more to be spent`, async () => amountOf(await shown(page, 'pay-spent')) >= from + parseEther(more), 30_000)
}
