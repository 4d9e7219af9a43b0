/** Guests between a few boxes: resuming, proof, two places, partitions, crashes, lies. */
import { describe, expect, it } from 'vitest'
import { encodeRoamClaim, encodeTicket, sealFrame } from '../../../src/mesh/documents/index.ts'
import { decodeQuestion, decodeWords, encodeClaimReply, encodeQuestion, encodeWords } from '../../../src/mesh/roaming/frames.ts'
import { SELLER_OWES, SELLER_SILENT, USED_UP } from '../../../src/mesh/roaming/index.ts'
import { LEASE_MS } from '../../../src/mesh/roaming/sold.ts'
import type { Mac } from '../../../src/mesh/ports.ts'
import { Village, boxId, guestKey, hashes, macOf, proofByKey, standInDocuments } from './village.ts'
import type { VillageBox } from './village.ts'

const MAC = macOf(1)
const KEY = guestKey(1)

async function three(seconds = 600, terms = {}): Promise<{ village: Village; a: VillageBox; b: VillageBox; c: VillageBox }> {
  const village = new Village(1, 3, terms)
  await village.start()
  const [a, b, c] = village.boxes as [VillageBox, VillageBox, VillageBox]
  a.place.sell('session-1', MAC, hashes.ofKey(KEY), seconds)
  return { village, a, b, c }
}

/** The guest is heard at a box twice a second. */
async function stay(village: Village, box: VillageBox, ms: number): Promise<number | null> {
  let passedAfterMs: number | null = null
  for (let passed = 0; passed < ms; passed += 100) {
    if (passed % 500 === 0 && box.place.packet(MAC)) passedAfterMs ??= passed
    await village.run(100, 20)
    if (box.place.isOpen(MAC)) passedAfterMs ??= passed + 100
  }
  return passedAfterMs
}

const open = (village: Village): string[] => village.boxes.filter((box) => box.place.isOpen(MAC)).map((box) => box.id)
const charged = ({ place }: VillageBox): number => {
  place.run()
  const session = place.sold.get('session-1')
  return session === undefined ? Number.NaN : Math.round((session.soldMs - place.leftMs(session)) / 1000)
}

describe('walking', () => {
  it('the session resumes within a second at each box, and is nowhere else soon after', async () => {
    const { village, a, b, c } = await three()
    await stay(village, a, 10_000)
    for (const box of [b, c, a, c]) {
      expect(await stay(village, box, 15_000)).toBeLessThanOrEqual(1000)
      expect(open(village)).toEqual([box.id])
    }
    await village.run(3000)
    expect(charged(a) + (c.roaming?.held()[0]?.used.seconds ?? 0)).toBeGreaterThan(45)
  })

  it('what is used elsewhere is charged to the second, whatever moves there were', async () => {
    const { village, a, b, c } = await three()
    for (const box of [b, c, b, a]) await stay(village, box, 20_000)
    await village.run(5000)
    const passed = 85
    expect(Math.abs(charged(a) - passed)).toBeLessThanOrEqual(4)
    expect(charged(a)).toBeLessThanOrEqual(passed + 1)
  })

  it('a session that is used up ends where it is', async () => {
    const { village, a, b } = await three(30)
    await stay(village, b, 45_000)
    expect(open(village)).toEqual([])
    expect(b.roaming?.sight(MAC).why).toBe('ended')
    expect(a.roaming?.sold()[0]?.stays.reduce((sum, each) => sum + each.usedSeconds, a.roaming.sold()[0]?.settledSeconds ?? 0)).toBeGreaterThanOrEqual(28)
    expect([USED_UP, undefined]).toContain(b.roaming?.held()[0]?.reason ?? undefined)
  })

  it('devices that nobody sold to are asked for ever more seldom', async () => {
    const { village, b } = await three()
    let questions = 0
    const carry = village.carry.bind(village)
    village.carry = (...all) => {
      questions += 1
      return carry(...all)
    }
    for (let second = 0; second < 120; second++) {
      b.place.packet(macOf(99))
      await village.run(1000, 50)
    }
    expect(questions).toBeLessThanOrEqual(2 * 12)
  })
})

describe('two places', () => {
  it('are found within 10 s; then only the key moves it, and a claim that was used is worth nothing', async () => {
    const { village, a, b, c } = await three()
    let refusedAtMs: number | null = null
    let twoSinceMs: number | null = null
    for (let ms = 0; ms < 30_000; ms += 200) {
      b.place.packet(MAC)
      c.place.packet(MAC)
      await village.run(200, 20)
      if (b.roaming?.sight(MAC).why === 'prove' || c.roaming?.sight(MAC).why === 'prove') refusedAtMs ??= ms
      twoSinceMs = open(village).length > 1 ? (twoSinceMs ?? ms) : null
      expect(ms - (twoSinceMs ?? ms)).toBeLessThan(10_000)
    }
    expect(refusedAtMs).toBeLessThan(10_000)
    const [holder] = open(village)
    const other = holder === b.id ? c : b
    const { toProve } = other.roaming!.sight(MAC)
    expect(toProve).toMatchObject({ seller: a.id, sessionId: 'session-1' })
    const wrong = await village.finish(other.roaming!.seek(MAC, proofByKey(guestKey(2), a.id, 'session-1', toProve!.counter, other.id)))
    expect(wrong).toMatchObject({ kind: 'refused', why: 'prove' })
    const proof = proofByKey(KEY, a.id, 'session-1', a.roaming!.sold()[0]!.counter, other.id)
    expect(await village.finish(other.roaming!.seek(MAC, proof))).toEqual({ kind: 'in' })
    await village.run(2000)
    expect(open(village)).toEqual([other.id])
    // Shown again at another box, or after it moved on, it moves nothing.
    const third = holder === b.id ? b : c
    expect(await village.finish(third.roaming!.seek(MAC, proof))).toMatchObject({ kind: 'refused', why: 'prove' })
    // Nor at the same box, after the guest was elsewhere.
    await village.run(5000)
    const onward = proofByKey(KEY, a.id, 'session-1', a.roaming!.sold()[0]!.counter, a.id)
    expect(await village.finish(a.roaming!.seek(MAC, onward))).toEqual({ kind: 'in' })
    await village.run(5000)
    a.place.packet(MAC)
    expect(await village.finish(other.roaming!.seek(MAC, proof))).toMatchObject({ kind: 'refused', why: 'prove', counter: a.roaming!.sold()[0]!.counter })
    const back = proofByKey(KEY, a.id, 'session-1', a.roaming!.sold()[0]!.counter, other.id)
    expect(await village.finish(other.roaming!.seek(MAC, back))).toEqual({ kind: 'in' })
    // The one without the key stays out while the other is heard.
    for (let ms = 0; ms < 10_000; ms += 200) {
      b.place.packet(MAC)
      c.place.packet(MAC)
      await village.run(200, 20)
      expect(other.place.isOpen(MAC)).toBe(true)
    }
  })

  it('a code that was bought is as good as a key, and guesses are few', async () => {
    const { village, a, b } = await three()
    const code = new TextEncoder().encode('GOLD-7')
    a.place.sold.clear()
    a.place.sell('session-1', MAC, hashes.ofCode(code), 600)
    for (let guess = 0; guess < 8; guess++) expect(await village.finish(b.roaming!.seek(MAC, { kind: 'code', code: Uint8Array.of(guess) }))).toMatchObject({ kind: 'refused', why: 'prove' })
    expect(await village.finish(b.roaming!.seek(MAC, { kind: 'code', code }))).toMatchObject({ kind: 'refused', why: 'prove' })
    await village.run(61_000, 100)
    expect(await village.finish(b.roaming!.seek(MAC, { kind: 'code', code }))).toEqual({ kind: 'in' })
  })
})

describe('when boxes are gone', () => {
  it("a seller that is cut off: the holder's lease ends with a reason, the time is kept, and it goes on afterwards", async () => {
    const { village, a, b } = await three()
    await stay(village, b, 5000)
    village.cutOff(a, b)
    await stay(village, b, LEASE_MS + 10_000)
    expect(open(village)).toEqual([])
    expect(b.roaming?.sight(MAC).held?.reason).toBe(SELLER_SILENT)
    const before = charged(a)
    village.cut.clear()
    expect(await stay(village, b, 5000)).toBeLessThanOrEqual(2500)
    await village.run(35_000, 50)
    expect(charged(a)).toBeLessThanOrEqual(before + LEASE_MS / 1000 + 46)
  })

  it('crashes of either box lose no session: it resumes where the guest is', async () => {
    for (const who of ['a', 'b'] as const) {
      const boxes = await three()
      const { village, b, c } = boxes
      await stay(village, b, 20_000)
      boxes[who].crash()
      await village.run(3000)
      await village.finish(boxes[who].start())
      await stay(village, b, 8000)
      expect(open(village)).toEqual([b.id])
      expect(await stay(village, c, 10_000)).toBeLessThanOrEqual(1000)
      expect(open(village)).toEqual([c.id])
    }
  })

  it('a session whose price was given back, or that was ended where it was sold, ends where it is used', async () => {
    const { village, a, b } = await three()
    await stay(village, b, 20_000)
    expect(open(village)).toEqual([b.id])
    a.place.sold.delete('session-1')
    await stay(village, b, 6000)
    expect(open(village)).toEqual([])
    expect(await stay(village, b, 60_000)).toBeNull()
    // What was used until then is paid.
    expect([...b.payments.values()].reduce((sum, each) => sum + each, 0n)).toBeGreaterThan(0n)
  })

  it.each([
    ['that was told', false],
    ['that never came back', true],
  ])('of a session that is over nothing is kept where it was sold, by the last word of a holder %s', async (_, isSilent) => {
    const { village, a, b } = await three()
    await stay(village, b, 20_000)
    expect(a.roaming?.sold()).toHaveLength(1)
    a.place.sold.delete('session-1')
    if (isSilent) b.crash()
    else await stay(village, b, 6000)
    await village.run(11 * 60_000, 1000)
    expect(a.roaming?.sold()).toEqual([])
    a.crash()
    await village.finish(a.start())
    expect(a.roaming?.sold()).toEqual([])
  })

  it('a session that is over is not in the way of what its device has bought since, here or at another box', async () => {
    const { village, a, b, c } = await three()
    await stay(village, b, 20_000)
    a.place.sold.delete('session-1')
    await stay(village, b, 6000)
    a.place.sell('session-2', MAC, hashes.ofKey(KEY), 600)
    await stay(village, b, 40_000)
    expect(b.place.isOpenFor('session-2')).toBe(true)

    a.place.sold.delete('session-2')
    await stay(village, b, 6000)
    c.place.sell('session-3', MAC, hashes.ofKey(KEY), 600)
    await stay(village, a, 40_000)
    expect(a.place.isOpenFor('session-3')).toBe(true)
  })

  it('after a power cut at the holder the stay goes on counting from what was known of it: no second is given twice', async () => {
    const { village, a, b } = await three()
    await stay(village, b, 100_000)
    const before = charged(a)
    expect(before).toBeGreaterThan(90)
    for (let cut = 0; cut < 3; cut++) {
      b.crash()
      // What the gate had counted was in memory and on tmpfs.
      b.place.admissions.clear()
      await village.finish(b.start())
      await stay(village, b, 60_000)
    }
    // Each cut costs what was not in the receipt on disk, half a minute and one report.
    expect(charged(a)).toBeGreaterThanOrEqual(before + 3 * (60 - 35))
    expect(charged(a)).toBeLessThanOrEqual(100 + 3 * 60 + 5)
  })

  it('a hotspot that cannot let go refuses the move, and finishes it later', async () => {
    const { village, a, b } = await three()
    a.place.isBroken = true
    await stay(village, b, 3000)
    expect(open(village)).toEqual([a.id])
    a.place.isBroken = false
    await stay(village, b, 5000)
    expect(open(village)).toEqual([b.id])
  })
})

describe('money', () => {
  it('what is paid is what the seller signed, to the unit; the ledger gets both signed tickets', async () => {
    const { village, a, b, c } = await three(600, { settleAmount: 1n })
    await stay(village, b, 50_000)
    await stay(village, c, 45_000)
    await stay(village, a, 20_000)
    await village.run(70_000, 50)
    for (const holder of [b, c]) {
      const owed = a.roaming!.accounts().find((each) => each.partner === holder.id)!
      const due = holder.roaming!.accounts().find((each) => each.partner === a.id)!
      expect(due.owedParts).toBe(owed.owedParts)
      expect(owed.owedParts % 5n).toBe(0n)
      expect(due.paid).toBe(owed.owedParts / 60n)
      expect(owed.paid).toBe(due.paid)
      expect(holder.disk.earned.reduce((sum, each) => sum + each.amount, 0n)).toBe(due.paid)
      expect([...holder.payments.values()]).toEqual([due.paid])
      expect(holder.disk.earned[0]?.evidence).toHaveLength(2)
      expect(Number(owed.owedParts / 5n)).toBeGreaterThan(40)
      expect(Number(owed.owedParts / 5n)).toBeLessThanOrEqual(51)
    }
  })

  it('a seller that does not pay is served no further than the debt allows', async () => {
    const { village, a, b } = await three(6000, { maxDebt: 3n })
    village.isPaying = false
    await stay(village, b, 130_000)
    expect(open(village)).toEqual([])
    expect(b.roaming!.sight(MAC).held?.reason).toBe(SELLER_OWES)
    expect(await village.finish(b.roaming!.seek(MAC, null))).toMatchObject({ kind: 'refused', why: 'seller-owes' })
    expect(a.roaming!.accounts()[0]!.owedParts / 60n).toBeGreaterThan(3n)
  })

  it('what a seller with many guests owes is the limit, and what each of them who was in then brings at most: nobody is let in after', async () => {
    const { village, a, b } = await three(6000, { maxDebt: 30n })
    village.isPaying = false
    const guests = Array.from({ length: 40 }, (_, n) => macOf(100 + n))
    for (const [n, mac] of guests.entries()) a.place.sell(`of-${n}`, mac, hashes.ofKey(guestKey(100 + n)), 6000)
    const seek = async (macs: readonly Mac[]): Promise<void> => {
      for (const mac of macs) {
        b.place.heardMs.set(mac, village.time.boottimeMs())
        await village.finish(b.roaming!.seek(mac, null))
      }
    }
    await seek(guests.slice(0, 20))
    await village.run(200_000, 50)
    await seek(guests.slice(20))
    await village.run(60_000, 50)
    const account = b.roaming!.accounts()[0]!
    const open = account.owedParts / 60n
    expect(open).toBeGreaterThan(30n)
    expect(account.beyondParts).toBe(20n * 180n * 5n)
    expect(open).toBeLessThanOrEqual(30n + account.beyondParts / 60n)
    expect(b.roaming!.held().length).toBeLessThanOrEqual(20)
    // Paid, it is within the limit again.
    village.isPaying = true
    await village.run(70_000, 50)
    await seek(guests.slice(20, 21))
    await village.run(40_000, 50)
    expect(b.roaming!.accounts()[0]!.beyondParts).toBe(0n)
  })

  it('a seller that never signs for what was used is not served for long', async () => {
    const { village, a, b } = await three(6000)
    const answer = a.answer!
    a.answer = (from, question) => (decodeQuestion(question).kind === 'report' ? Promise.resolve(encodeWords([{ word: { verdict: 'ok', leftSeconds: 5000, leftBytes: null }, receipt: null }])) : answer(from, question))
    await stay(village, b, 110_000)
    expect(open(village)).toEqual([b.id])
    await stay(village, b, 20_000)
    expect(b.roaming!.sight(MAC).held?.reason).toBe(SELLER_OWES)
    expect(b.roaming!.held()[0]!.isIn).toBe(false)
  })

  it('a payment that comes before its receipt, or just before a crash, is posted all the same', async () => {
    const { village, a, b } = await three(600, { settleAmount: 1n })
    const answer = a.answer!
    a.answer = async (from, question) => {
      const reply = await answer(from, question)
      return reply === null || decodeQuestion(question).kind !== 'report' ? reply : encodeWords(decodeWords(reply).map(({ word }) => ({ word, receipt: null })))
    }
    await stay(village, b, 50_000)
    const [came] = [...b.payments.values()]
    expect(came).toBeGreaterThan(0n)
    expect(b.disk.earned.reduce((sum, each) => sum + each.amount, 0n)).toBe(came)
    const reference = [...b.payments.keys()][0]!
    b.crash()
    b.payments.set(reference, came! + 3n)
    await village.finish(b.start())
    await village.run(1000)
    expect(b.disk.earned.reduce((sum, each) => sum + each.amount, 0n)).toBe(came! + 3n)
  })

  it('a box that asks for more than a minute is worth is told so', async () => {
    const { village, a, b } = await three()
    a.place.unitsPerMinute = 4n
    expect(await village.finish(b.roaming!.seek(MAC, null))).toMatchObject({ kind: 'refused', why: 'too-dear' })
    expect(open(village)).toEqual([a.id])
  })
})

describe('lies', () => {
  const ticket = { seller: boxId(0), sessionId: 'session-1', mac: MAC, bearerHash: hashes.ofKey(KEY), leftSeconds: 900, leftBytes: null, unitsPerMinute: 5n, token: null, counter: 7, holder: boxId(1), proofAfterSeconds: null } as const

  it.each([
    ['forged: signed by another', sealFrame(standInDocuments(boxId(2)), 'ticket', encodeTicket(ticket))],
    ["replayed: another box's", sealFrame(standInDocuments(boxId(0)), 'ticket', encodeTicket({ ...ticket, holder: boxId(2) }))],
    ["another session's", sealFrame(standInDocuments(boxId(0)), 'ticket', encodeTicket({ ...ticket, sessionId: 'session-2' }))],
    ["another device's", sealFrame(standInDocuments(boxId(0)), 'ticket', encodeTicket({ ...ticket, mac: macOf(2) }))],
    ['with nothing left', sealFrame(standInDocuments(boxId(0)), 'ticket', encodeTicket({ ...ticket, leftSeconds: 0 }))],
    ['cheaper than asked', sealFrame(standInDocuments(boxId(0)), 'ticket', encodeTicket({ ...ticket, unitsPerMinute: 1n }))],
    ['no ticket at all', Uint8Array.of(1, 2, 3)],
  ])('a ticket that is %s lets nobody in', async (_, frame) => {
    const { village, a, b } = await three()
    const answer = a.answer!
    a.answer = (from, question) => (decodeQuestion(question).kind === 'claim' ? Promise.resolve(encodeClaimReply({ kind: 'ticket', frame })) : answer(from, question))
    await stay(village, b, 4000)
    expect(b.place.isOpen(MAC)).toBe(false)
    expect(b.roaming!.held()).toEqual([])
  })

  it('an older ticket, sent again after a newer one, changes nothing', async () => {
    const { village, a, b, c } = await three()
    const answer = a.answer!
    let first: Uint8Array | null = null
    a.answer = async (from, question) => {
      const reply = await answer(from, question)
      if (decodeQuestion(question).kind !== 'claim' || from !== b.id) return reply
      first ??= reply
      return first
    }
    await stay(village, b, 3000)
    await stay(village, c, 5000)
    await village.run(10_000)
    await stay(village, b, 3000)
    // The old ticket's number was the guest's place once; the seller's word about it ends it within a report.
    await village.run(6000)
    expect(b.place.isOpen(MAC)).toBe(false)
  })

  it('a holder that says more than the time that passed is believed no more than that; a stranger, nothing', async () => {
    const { village, a, b, c } = await three()
    await stay(village, b, 10_000)
    const stays = [{ sessionId: 'session-1', counter: a.roaming!.sold()[0]!.counter, seconds: 500, bytes: 0n, isIdle: false, isFinal: true }]
    const report = (box: VillageBox): Uint8Array => encodeQuestion({ kind: 'report', frame: sealFrame(standInDocuments(box.id), 'roam-claim', encodeRoamClaim({ form: 'stays', seller: a.id, stays })) })
    await village.finish(a.answer!(b.id, report(b)))
    expect(a.roaming!.sold()[0]!.stays[0]!.usedSeconds).toBeLessThanOrEqual(10)
    await village.finish(a.answer!(c.id, report(c)))
    expect(a.roaming!.accounts().map(({ partner }) => partner)).toEqual([b.id])
    // Its neighbour's report, passed on as its own.
    expect(await village.finish(a.answer!(c.id, report(b)))).toBeNull()
    expect(a.penalties).toHaveLength(1)
  })

  it('any question that cannot be read is refused and counted against its sender', async () => {
    const { village, a, b } = await three()
    for (const bytes of [new Uint8Array(0), Uint8Array.of(0xc1, 9), new Uint8Array(6000)]) expect(await village.finish(a.answer!(b.id, bytes))).toBeNull()
    expect(a.penalties).toHaveLength(3)
  })
})
