/**
 * A guest walks between two boxes: two bundled services in namespaces with real gates, one link between them on which the boxes
 * find each other, one phone whose cable is put from one box's bridge into the other's. portal.md 2.11 and row 18: he goes on by
 * himself, no second is charged twice, and a box that is killed in the midst loses none.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SessionJson, SessionsJson, VoucherCreateReply } from '../../src/owner/index.ts'
import { TOWN, isRoot } from '../support/netns.ts'
import type { Phone } from '../support/phone.ts'
import { waitFor } from '../support/town-services.ts'
import { HOME, WalkingTown } from '../support/walking-town.ts'

describe.skipIf(!isRoot())('a guest who walks between two boxes (needs root)', () => {
  let street: WalkingTown
  let anna: Phone
  let boughtMs = 0
  let code = ''

  beforeAll(async () => {
    street = await WalkingTown.create()
    anna = street.phone
  })
  afterAll(() => street?.destroy())

  const passes = (): Promise<boolean> => anna.guest.ns.run('ping', ['-4', '-c', '1', '-W', '1', TOWN.internet4]).then(({ code: ended }) => ended === 0)
  /** He does nothing but try. */
  const goesOn = (where: string): Promise<unknown> => waitFor(`the guest to go on ${where}`, passes, 30_000)
  const session = async (): Promise<SessionJson | undefined> => (await street.ours.service.cliJson<SessionsJson>('sessions', 'list')).sessions.find(({ state }) => state !== 'ended')

  it('he buys ten minutes at ours', async () => {
    const { vouchers } = await street.ours.service.cliJson<VoucherCreateReply>('voucher', 'create', 'long', '1', '--codes')
    code = vouchers[0]?.code ?? ''
    expect((await anna.submit(HOME, '/redeem', { code })).status).toBe(303)
    boughtMs = performance.now()
    await goesOn('at the box that sold his time')
    expect((await session())?.state).toBe('active')
  })

  it('he walks to theirs and goes on by himself; his time stands still at ours', async () => {
    await street.walk()
    await goesOn('at the other box')
    expect(await session()).toMatchObject({ state: 'paused', pauseReason: 'away' })
    expect((await street.theirs.service.cliJson<SessionsJson>('sessions', 'list')).sessions).toEqual([]) // it is not theirs
    const shown = await anna.open(HOME)
    expect(shown.body).toContain('Corner café')
    expect(shown.body).not.toContain('action="/pause"')
  })

  it('the other box is killed and comes back: he goes on, and nothing was lost', async () => {
    await street.crash(street.theirs)
    await goesOn('after the other box came back')
    expect(await session()).toMatchObject({ state: 'paused', pauseReason: 'away' })
  })

  it('the box that sold it is killed while he is away: he stays, and it knows where he is when it is back', async () => {
    await street.crash(street.ours, async () => expect(await passes()).toBe(true))
    await goesOn('at the other box, still')
    expect(await session()).toMatchObject({ state: 'paused', pauseReason: 'away' })
  })

  it('he walks home: what he used elsewhere is charged once, and no more than passed', async () => {
    await street.walk()
    await goesOn('at home')
    const home = await waitFor('the session to run at home', async () => {
      const now = await session()
      return now?.state === 'active' ? now : null
    })
    const passedSeconds = (performance.now() - boughtMs) / 1000
    const usedSeconds = 600 - (home.secondsLeft ?? 0)
    // Rounded to the guest: what passed while a box was down, or between two, is not asked for twice.
    expect(usedSeconds).toBeLessThanOrEqual(Math.ceil(passedSeconds))
    expect(usedSeconds).toBeGreaterThan(0)
    expect((await anna.open(HOME)).body).toContain('action="/pause"')
  })

  it('somebody at theirs shows his address as his own: one of them is asked for the code, and who has it is in', async () => {
    const copy = await street.copyOfPhone()
    // Both send without a pause.
    for (const { guest } of [anna, copy]) guest.ns.spawn('ping', ['-4', '-q', '-i', '0.2', TOWN.internet4], { stdio: 'ignore' })
    const pages = (): Promise<string[]> => Promise.all([anna, copy].map((who) => who.open(HOME).then(({ body }) => body)))
    const asked = await waitFor('one of them to be asked', async () => [(await pages()).findIndex((body) => body.includes('in use in two places'))].find((index) => index >= 0) ?? null, 60_000)
    // By the code alone it moves now, to whichever of both shows it; the other stays outside, however much he tries.
    const outside = asked === 0 ? anna : copy
    await waitFor('the code to be taken', async () => (await outside.submit(HOME, '/redeem', { code }).catch(() => null))?.status === 303, 30_000)
    await waitFor('one of them to be in, and not the other', async () => (await pages()).every((body, index) => body.includes('<h1 class="ok">') === (index === asked)), 30_000)
  })
})
