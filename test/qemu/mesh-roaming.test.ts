/**
 * A guest walks between two access boxes of one community, on emulated ARM: real batman-adv with a box between them, the bundled services
 * with their gates. The second box pulls his session's ticket over the mesh and lets him on; no second is charged twice. Kills, copies
 * and losses: test/netns/mesh-roaming.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { say } from '../../qemu/image/places.ts'
import type { MeshGuestsJson, SessionJson, SessionsJson, VoucherCreateReply } from '../../src/owner/index.ts'
import { waitFor } from '../support/town-services.ts'
import { HOME } from '../support/walking-town.ts'
import { BOUGHT_SECONDS, EmulatedWalk, PATIENCE_MS } from './mesh-walk.ts'
import type { Site } from './mesh-walk.ts'

/** A bound against hanging on a busy machine, not a measure. */
const BOUND_MS = 3_600_000

describe('a guest who walks between two boxes on batman-adv, on emulated arm64', { timeout: BOUND_MS }, () => {
  let street: EmulatedWalk
  let boughtMs = 0

  beforeAll(async () => {
    street = await EmulatedWalk.create()
  }, BOUND_MS)
  afterAll(() => street?.remove())

  const session = async (): Promise<SessionJson | undefined> => (await street.cli<SessionsJson>('ours', 'sessions', 'list')).sessions.find(({ state }) => state !== 'ended')
  const guests = (site: Site): Promise<MeshGuestsJson> => street.cli<MeshGuestsJson>(site, 'mesh', 'guests')

  it('batman-adv leads from one to the other over the box between', async () => {
    for (const site of ['ours', 'theirs'] as const) await waitFor(`a way of ${site} to the other over the box between`, () => street.leadsOverAnother(site), PATIENCE_MS)
  })

  it('he buys his time at ours, and is in', async () => {
    const { vouchers } = await street.cli<VoucherCreateReply>('ours', 'voucher', 'create', 'long', '1', '--codes')
    boughtMs = performance.now()
    expect((await street.phone.submit(HOME, '/redeem', { code: vouchers[0]?.code ?? '' })).status).toBe(303)
    street.talk()
    await waitFor('the guest to be in', () => street.hasAnswer(), PATIENCE_MS)
    expect((await session())?.state).toBe('active')
  })

  it('he walks to theirs, which pulls his ticket and lets him on; his time stands still at ours', async () => {
    say(`walk: to a box with a gate of its own, over one between -> first answer: ${(await street.walk()).toFixed(0)} ms`)
    const sold = await session()
    expect(sold).toMatchObject({ state: 'paused', pauseReason: 'away' })
    expect((await street.cli<SessionsJson>('theirs', 'sessions', 'list')).sessions).toEqual([]) // it is not theirs
    const { visitors } = await guests('theirs')
    expect(visitors).toMatchObject([{ mac: street.phone.guest.mac, sessionId: sold?.id, seller: street.boxes.ours, isIn: true, reason: null }])
    const away = await waitFor('ours to have heard of his time there', async () => (await guests('ours')).away.find(({ usedSeconds }) => usedSeconds > 0), PATIENCE_MS)
    expect(away).toMatchObject({ mac: street.phone.guest.mac, sessionId: sold?.id, holder: street.boxes.theirs, isContested: false })
  })

  it('he walks home: what he used elsewhere is charged once, and no more than passed', async () => {
    say(`walk: home -> first answer: ${(await street.walk()).toFixed(0)} ms`)
    const home = await waitFor('the session to run at home', async () => {
      const now = await session()
      return now?.state === 'active' ? now : null
    }, PATIENCE_MS)
    const passedSeconds = (performance.now() - boughtMs) / 1000
    const usedSeconds = BOUGHT_SECONDS - (home.secondsLeft ?? 0)
    expect(usedSeconds).toBeLessThanOrEqual(Math.ceil(passedSeconds))
    expect(usedSeconds).toBeGreaterThan(0)
    await waitFor('nobody to be away', async () => (await guests('ours')).away.length === 0 && (await guests('theirs')).visitors.every(({ isIn }) => !isIn), PATIENCE_MS)
  })
})
