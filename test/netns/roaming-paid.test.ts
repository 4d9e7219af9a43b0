/**
 * Minutes of another's guest, paid for real: two bundled services of different owners that know no address of each other, a chain
 * that a third seals, a payment channel between the two over the mesh, real gates, one phone that walks. Either box is killed when
 * money may be under way; in the end both books, both records of the debt and both ends of the channel say one amount.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Wallet, parseEther } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatUci } from '../../src/config/index.ts'
import type { AuditJson, EntriesJson, MeshGuestDebtJson, MeshGuestsJson, PhotonChannelJson, PhotonPaymentsJson, SessionsJson, VoucherCreateReply } from '../../src/owner/index.ts'
import { MESH } from '../support/mesh-town.ts'
import { TOWN, isRoot } from '../support/netns.ts'
import type { Phone } from '../support/phone.ts'
import { InsideProvider, OwnerWallet, WRAPPED, channelSection, channelWith, enodes, firstStart, homeOf, paidIn, photonState, sealerConfig, type Home } from '../support/photon-village.ts'
import { CLI, NODE, startService, waitFor } from '../support/town-services.ts'
import { HOME, WalkingTown, type Site } from '../support/walking-town.ts'

const OWNER = Wallet.createRandom()
const PATIENCE_MS = 180_000
/** No whole number of units in a second: what is paid has to be cut off, and once only. */
const PER_MINUTE = '0.060000000000000007'
/** Less than what half a minute costs, after which seconds are signed for. */
const SETTLE_AMOUNT = '0.02'
const DEPOSIT = '5'

describe.skipIf(!isRoot())('minutes of a guest, paid between two owners (needs root)', () => {
  let street: WalkingTown
  let anna: Phone
  let chain: InsideProvider
  let ours: Home
  let theirs: Home

  beforeAll(async () => {
    street = await WalkingTown.create(async (town, dir, oursFiles, theirsFiles) => {
      const hall = await firstStart(town.internet, join(dir, 'hall'), TOWN.internet4)
      ;[ours, theirs] = await Promise.all([homeOf(oursFiles, TOWN.boxWan4), homeOf(theirsFiles, MESH.theirWan4)])
      const network = join(dir, 'village.json')
      const made = await town.box.run(CLI, ['--json', 'chain', 'new', network, '--name', 'roaming-paid', '--leaders', hall.miner, '--owner', OWNER.address, '--period', '2', '--allocations', `${OWNER.address}=1000`], { env: { MESHBOX_NODE: NODE } })
      expect([made.code, made.stderr]).toEqual([0, ''])
      writeFileSync(hall.files.config, formatUci(sealerConfig(hall, network, OWNER.address, [])))
      await startService(town.internet, hall.files)
      chain = new InsideProvider(town.internet, Number((JSON.parse(made.stdout) as { chainId: string }).chainId))
      const wallet = new OwnerWallet(new Wallet(OWNER.privateKey, chain))
      await wallet.sendCoins([ours.account, theirs.account], '1')
      await wallet.wrap('20')
      await wallet.sendTokens([ours.account], '10')
      return {
        roles: ['light', 'photon'],
        sections: [{ type: 'chain', name: 'chain', options: { network, ...enodes([hall]) } }, channelSection()],
        mesh: { token: WRAPPED, roam_price_per_minute: PER_MINUTE, settle_amount: SETTLE_AMOUNT },
      }
    })
    anna = street.phone
    await Promise.all([photonState('our box', street.ours.service, 'ready', PATIENCE_MS), photonState('their box', street.theirs.service, 'ready', PATIENCE_MS)])
  })
  afterAll(async () => {
    chain?.destroy()
    await street?.destroy()
  })

  const goesOn = (where: string): Promise<unknown> => waitFor(`the guest to go on ${where}`, async () => (await anna.guest.ns.run('ping', ['-4', '-c', '1', '-W', '1', TOWN.internet4])).code === 0, 60_000)
  const debtAt = async ({ service }: Site): Promise<MeshGuestDebtJson | null> => (await service.cliJson<MeshGuestsJson>('mesh', 'guests')).debts[0] ?? null
  const owedAt = async (site: Site): Promise<bigint> => BigInt((await debtAt(site))?.owed.units ?? 0)
  const channelAt = async ({ service }: Site, other: Home): Promise<PhotonChannelJson> => (await channelWith(service, other.account)) ?? missing(`a channel with ${other.account}`)
  const booked = async ({ service }: Site, account: string): Promise<bigint> => {
    const { entries } = await service.cliJson<EntriesJson>('earnings', 'entries', '--limit', '500')
    return entries.filter(({ source }) => source === 'mesh:roaming').flatMap(({ postings }) => postings).filter((posting) => posting.account.startsWith(account)).reduce((sum, { amount }) => sum + BigInt(amount.units), 0n)
  }
  const movedBy = async ({ service }: Site): Promise<bigint> => (await service.cliJson<PhotonPaymentsJson>('pay', 'list')).payments.reduce((sum, { state, amount }) => (state === 'done' ? sum + BigInt(amount.units) : sum), 0n)

  /** Every place that knows of it, at both boxes. */
  const figures = async (): Promise<readonly bigint[]> => {
    const [here, there] = [street.ours, street.theirs]
    const [spentOf, earnedBy] = [await channelAt(here, theirs), await channelAt(there, ours)]
    return [
      ...[await debtAt(here), await debtAt(there)].map((debt) => BigInt(debt?.paid.units ?? 0)),
      await booked(here, 'cost:roaming'),
      await booked(there, 'photon:'),
      BigInt(spentOf.own.deposit.units) - BigInt(spentOf.own.spendable.units),
      paidIn(earnedBy),
      BigInt(earnedBy.own.spendable.units) - BigInt(earnedBy.own.deposit.units),
      await movedBy(here),
      await movedBy(there),
    ]
  }
  /** All say the same, and it is more than before. Gives what they say. */
  const agreeOnMoreThan = async (before: bigint): Promise<bigint> => {
    let said: readonly bigint[] = []
    await waitFor('every book to say the same', async () => {
      said = await figures()
      return (said[0] ?? 0n) > before && said.every((figure) => figure === said[0])
    }, PATIENCE_MS).catch((error: unknown) => {
      throw new Error(`the books say ${said.join(', ')}`, { cause: error })
    })
    return said[0] ?? 0n
  }
  let paid = 0n

  it('a channel is opened over the mesh, and both owners ask the same for a minute', async () => {
    expect((await street.ours.service.cli('channel', 'open', theirs.account, DEPOSIT, '--core')).code).toBe(0)
    await waitFor('the channel', async () => {
      const [here, there] = await Promise.all([channelWith(street.ours.service, theirs.account), channelWith(street.theirs.service, ours.account)])
      return here?.actions.includes('pay') === true && here.own.deposit.text === DEPOSIT && there?.isConnected === true && there.partner.deposit.text === DEPOSIT
    }, PATIENCE_MS)
  })

  it('he walks with minutes bought at ours; the box that lets him through is killed when it is owed for them, and is paid once', async () => {
    const { vouchers } = await street.ours.service.cliJson<VoucherCreateReply>('voucher', 'create', 'long', '1', '--codes')
    expect((await anna.submit(HOME, '/redeem', { code: vouchers[0]?.code ?? '' })).status).toBe(303)
    await goesOn('at the box that sold his time')
    await street.walk()
    await goesOn('at the other box')
    await waitFor('ours to have signed for seconds there', async () => (await owedAt(street.ours)) > 0n, PATIENCE_MS)
    await street.crash(street.theirs)
    paid = await agreeOnMoreThan(0n)
    await goesOn('at the other box, still')
  })

  it('the box that pays is killed when it owes more: that is paid once, too', async () => {
    const before = await owedAt(street.ours)
    await waitFor('ours to have signed for more', async () => (await owedAt(street.ours)) > before, PATIENCE_MS)
    await street.crash(street.ours)
    paid = await agreeOnMoreThan(paid)
  })

  it('he comes home: the last seconds are signed for and paid, to the unit', async () => {
    await street.walk()
    await goesOn('at home')
    const [here, there] = await waitFor('nothing to be open', async () => {
      const debts = [await debtAt(street.ours), await debtAt(street.theirs)]
      return debts.every((debt) => debt?.open.units === '0') && debts[0]?.owed.units === debts[1]?.owed.units ? debts : null
    }, PATIENCE_MS)
    expect([here?.isOurs, there?.isOurs]).toEqual(['seller', 'holder'])
    paid = await agreeOnMoreThan(paid - 1n)
    expect(here?.owed.units).toBe(String(paid))
    // Whole seconds of his time, no more than he had used of it by then.
    const [session] = (await street.ours.service.cliJson<SessionsJson>('sessions', 'list')).sessions
    const perMinute = parseEther(PER_MINUTE)
    const seconds = (paid * 60n + perMinute - 1n) / perMinute
    expect(paid).toBe((perMinute * seconds) / 60n)
    expect(Number(seconds)).toBeLessThanOrEqual(600 - (session?.secondsLeft ?? 600))
    for (const { service } of [street.ours, street.theirs]) expect(await service.cliJson<AuditJson>('audit')).toMatchObject({ isSound: true, differences: [] })
  })
})

function missing(what: string): never {
  throw new Error(`there is none: ${what}`)
}
