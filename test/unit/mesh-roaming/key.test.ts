/** Sessions that a guest's key holds: found by it from any box and any device, and charged elsewhere on the device's word alone for no longer than said. */
import { describe, expect, it } from 'vitest'
import { encodeRoamClaim } from '../../../src/mesh/documents/index.ts'
import { NEEDS_KEY } from '../../../src/mesh/roaming/index.ts'
import { claimSold, leftHome, leftOf, newSoldRoam, reportSold, spentElsewhere, ticketOf } from '../../../src/mesh/roaming/sold.ts'
import type { SoldRoam } from '../../../src/mesh/roaming/sold.ts'
import { PROOF_AFTER_SECONDS, TOKEN, Village, boxId, guestKey, hashes, macOf, standInDocuments } from './village.ts'
import type { VillageBox } from './village.ts'

const KEY = guestKey(1)
const MAC = macOf(1)
const SELLER = boxId(0)

const sold = (): SoldRoam => newSoldRoam(SELLER, { seller: SELLER, sessionId: 's', mac: MAC, bearerHash: hashes.ofKey(KEY), leftSeconds: 3600, leftBytes: null, unitsPerMinute: 6n, token: TOKEN, counter: 0, holder: SELLER, proofAfterSeconds: 120 })
const claim = (n: number, nowMs: number, more = {}) => ({ claimant: boxId(n), hasProof: false, isNewDevice: false, unitsPerMinute: 5n, homeIdleMs: 60_000, nowMs, ...more })
const report = (counter: number, seconds: number) => ({ sessionId: 's', counter, seconds, bytes: 0n, isIdle: false, isFinal: false })

function moved(state: SoldRoam, n: number, nowMs: number, more = {}): SoldRoam {
  const answer = claimSold(state, SELLER, claim(n, nowMs, more))
  if (answer.kind !== 'move') throw new Error(`it did not move: ${answer.kind}`)
  return state.holder === SELLER ? leftHome(answer.state, { seconds: 3600, bytes: null }, nowMs) : answer.state
}

describe('what a box may charge', () => {
  it('is so many seconds on the device’s word, however long it says that he was there and however often it claims him', () => {
    let state = moved(sold(), 1, 0)
    expect(ticketOf(state, SELLER, state.stays[0]!)).toMatchObject({ proofAfterSeconds: 120 })
    expect(reportSold(state, boxId(1), report(1, 100), 110_000).verdict).toBe('ok')
    const lie = reportSold(state, boxId(1), report(1, 3000), 3_000_000)
    expect(lie).toMatchObject({ verdict: 'prove', state: { stays: [{ usedSeconds: 120 }] } })
    state = lie.state
    expect(claimSold(state, SELLER, claim(1, 3_000_000))).toMatchObject({ kind: 'refused', why: 'prove' })
    expect(claimSold(state, SELLER, claim(2, 3_000_000))).toMatchObject({ kind: 'refused', why: 'prove' })
    // Home again it runs; what was had without the key is not had a second time.
    state = moved(state, 0, 3_100_000)
    expect(spentElsewhere(state, 9_000_000).seconds).toBe(120)
    expect(claimSold(state, SELLER, claim(1, 3_200_000))).toMatchObject({ kind: 'refused', why: 'prove' })
  })

  it('counts several boxes together, and what is silent as used', () => {
    let state = moved(sold(), 1, 0)
    state = reportSold(state, boxId(1), report(1, 50), 50_000).state
    state = moved(state, 2, 50_000)
    expect(state.stays.at(-1)).toMatchObject({ unprovedSeconds: 70 })
    expect(leftOf(state, 50_000 + 200_000).seconds).toBe(3600 - 50 - 60)
    expect(reportSold(state, boxId(2), report(2, 90), 200_000)).toMatchObject({ verdict: 'prove', state: { stays: [{ usedSeconds: 50 }, { usedSeconds: 70 }] } })
  })

  it('is all that passes from when the key was shown, and nothing that is said of before', () => {
    let state = moved(sold(), 1, 0)
    state = reportSold(state, boxId(1), report(1, 120), 1_000_000).state
    const shown = claimSold(state, SELLER, claim(1, 1_000_000, { hasProof: true }))
    expect(shown).toMatchObject({ kind: 'same', state: { unprovedSeconds: 0, stays: [{ provedMs: 1_000_000 }] } })
    state = shown.state
    expect(ticketOf(state, SELLER, state.stays[0]!)).toMatchObject({ proofAfterSeconds: null })
    expect(reportSold(state, boxId(1), report(1, 1300), 1_300_000)).toMatchObject({ verdict: 'ok', state: { stays: [{ usedSeconds: 420 }] } })
    // The same proof once more, kept for later, gives nothing.
    const again = claimSold(state, SELLER, claim(1, 1_300_000, { hasProof: true }))
    expect(again.state.stays[0]).toMatchObject({ provedMs: 1_000_000 })
    // Shown where he goes next, that stay has no bound; and a walk by device alone has the whole grace again.
    state = moved(state, 2, 1_400_000, { hasProof: true })
    expect(reportSold(state, boxId(2), report(2, 500), 1_900_000)).toMatchObject({ verdict: 'ok', state: { stays: [{}, { usedSeconds: 500 }] } })
    expect(moved(state, 3, 2_000_000).stays.at(-1)).toMatchObject({ unprovedSeconds: 120 })
  })
})

async function three(): Promise<{ village: Village; a: VillageBox; b: VillageBox; c: VillageBox }> {
  const village = new Village(1, 3)
  await village.start()
  const [a, b, c] = village.boxes as [VillageBox, VillageBox, VillageBox]
  a.place.sellKept('session-1', MAC, KEY, 600)
  return { village, a, b, c }
}

async function stay(village: Village, box: VillageBox, mac: string, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    box.place.packet(mac)
    await village.run(500, 50)
  }
}

/** As the wallet page does it: asks what is to be signed, signs it, says it. */
async function show(village: Village, box: VillageBox, mac: string, key = KEY): Promise<string> {
  const { roaming } = box
  if (roaming === null) throw new Error('the box is off')
  const [walk] = await village.finish(roaming.kept(mac, key))
  if (walk === undefined) return 'nothing to sign'
  const bytes = encodeRoamClaim({ form: 'move', seller: walk.seller, sessionId: walk.sessionId, counter: walk.counter, claimant: box.id })
  const outcome = await village.finish(roaming.showKey(mac, walk.sessionId, standInDocuments(key).sign('roam-claim', bytes)))
  return outcome.kind === 'in' ? (walk.isHere ? 'in, as before' : 'in') : outcome.why
}

describe('a guest with a key', () => {
  it('is served at once by his device, then asked for the key; with it he stays', async () => {
    const { village, b } = await three()
    await stay(village, b, MAC, 3000)
    expect(b.place.isOpen(MAC)).toBe(true)
    expect(b.roaming?.sight(MAC).held).toMatchObject({ isIn: true, ticket: { proofAfterSeconds: PROOF_AFTER_SECONDS } })
    await stay(village, b, MAC, PROOF_AFTER_SECONDS * 1000 + 10_000)
    expect(b.place.isOpen(MAC)).toBe(false)
    expect(b.roaming?.sight(MAC)).toMatchObject({ why: 'key', held: { reason: NEEDS_KEY } })
    // Its page need not be pressed for that: it is this very guest, and nobody else has gone on with it.
    expect(await show(village, b, MAC)).toBe('in, as before')
    await stay(village, b, MAC, 120_000)
    expect(b.place.isOpen(MAC)).toBe(true)
    expect(b.roaming?.sight(MAC).held?.ticket.proofAfterSeconds).toBe(null)
    expect(await show(village, b, MAC)).toBe('nothing to sign')
  })

  it('whose page is open shows it in time and is never out', async () => {
    const { village, a, b } = await three()
    await stay(village, b, MAC, 5000)
    expect(await show(village, b, MAC)).toBe('in, as before')
    for (let n = 0; n < 120; n++) {
      expect(b.place.isOpen(MAC)).toBe(true)
      await stay(village, b, MAC, 500)
    }
    await village.run(5000)
    expect(a.roaming?.sold()[0]?.stays.at(-1)?.usedSeconds).toBeGreaterThan(55)
  })

  it('who was let go for want of the key and has gone on elsewhere is not brought back by an open page', async () => {
    const { village, b, c } = await three()
    await stay(village, b, MAC, PROOF_AFTER_SECONDS * 1000 + 10_000)
    expect(b.roaming?.sight(MAC)).toMatchObject({ why: 'key' })
    expect(await show(village, c, macOf(7))).toBe('in')
    expect(await village.finish(b.roaming!.kept(MAC, KEY))).toMatchObject([{ isHere: false }])
  })

  it('on a new phone finds his time at any box, and the old phone loses it; home again it is the new one’s', async () => {
    const { village, a, b, c } = await three()
    const fresh = macOf(7)
    await stay(village, b, MAC, 3000)
    await stay(village, c, fresh, 3000)
    expect(c.place.isOpen(fresh)).toBe(false)
    expect(await show(village, c, fresh)).toBe('in')
    await village.run(2000)
    expect([c.place.isOpen(fresh), b.place.isOpen(MAC)]).toEqual([true, false])
    expect(a.place.sold.get('session-1')).toMatchObject({ mac: fresh })
    // Another device of his at the same box: the one before is out.
    const third = macOf(8)
    expect(await show(village, c, third)).toBe('in')
    await village.run(2000)
    expect([c.place.isOpen(third), c.place.isOpen(fresh)]).toEqual([true, false])
    expect(await show(village, a, fresh)).toBe('in')
    await village.run(3000)
    expect([a.place.isOpen(fresh), c.place.isOpen(third)]).toEqual([true, false])
    expect(await show(village, a, fresh)).toBe('nothing to sign')
  })

  it('used in two places, it is where the key was shown last', async () => {
    const { village, b, c } = await three()
    for (const [box, other] of [[b, c], [c, b], [b, c]] as const) {
      for (let n = 0; n < 20; n++) {
        b.place.packet(MAC)
        c.place.packet(MAC)
        await village.run(500, 50)
      }
      expect(await show(village, box, MAC)).toMatch(/^in/)
      for (let n = 0; n < 20; n++) {
        b.place.packet(MAC)
        c.place.packet(MAC)
        await village.run(500, 50)
      }
      expect([box.place.isOpen(MAC), other.place.isOpen(MAC)]).toEqual([true, false])
    }
  })

  it('whose key is another’s, or who signed for another box, gets nothing; nor does a box that makes it up', async () => {
    const { village, a, b, c } = await three()
    expect(await show(village, b, macOf(9), guestKey(2))).toBe('nothing to sign')
    const [walk] = await village.finish(b.roaming!.kept(MAC, KEY))
    expect(walk).toMatchObject({ seller: a.id, sessionId: 'session-1', isHere: false })
    const forC = encodeRoamClaim({ form: 'move', seller: a.id, sessionId: 'session-1', counter: walk!.counter, claimant: c.id })
    expect(await village.finish(b.roaming!.showKey(MAC, 'session-1', standInDocuments(KEY).sign('roam-claim', forC)))).toMatchObject({ kind: 'refused', why: 'key' })
    expect(await village.finish(b.roaming!.showKey(MAC, 'session-2', new Uint8Array(65)))).toMatchObject({ kind: 'refused' })
    expect(a.penalties).toEqual([])
    expect(a.roaming?.sold() ?? []).toEqual([])
  })
})
