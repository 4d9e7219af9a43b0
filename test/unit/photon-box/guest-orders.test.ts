/** A guest with tokens and no gas orders through his purse: what is sent for him, what is refused before it costs gas, and what failed ones cost. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ZERO_ADDRESS } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { createLedger } from '../../../src/ledger/index.ts'
import { openConsentDigest, openingOrderDigest, paymentOrderDigest } from '../../../src/photon/contracts/orders.ts'
import type { GuestOrders, PlacedOrder, PurseStanding, StreamSide } from '../../../src/photon/index.ts'
import { encodeCall } from '../../../src/photon/chain/index.ts'
import { createDigests } from '../../../src/photon/wire/index.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import type { Person } from '../spectrum/village.ts'
import { Street, keccak } from './street.ts'
import type { Box } from './street.ts'

const [BOX, ANNA, BEN, RICH, MAKER, OTHER] = [person(760), person(761), person(762), person(763), person(764), person(765)]
const FEE = 3n
const folder = mkdtempSync(join(tmpdir(), 'photon-orders-'))
let street: Street
let box: Box
let orders: GuestOrders
let side: StreamSide
/** RICH has gas, and pays into people's purses. */
const fund = async (who: Person, amount: bigint): Promise<void> => {
  await street.chain.call(RICH, street.token, encodeCall(keccak, 'approve(address,uint256)', [street.purse, amount]))
  await street.chain.call(RICH, street.purse, encodeCall(keccak, 'fund(address,address,uint256)', [street.token, who.address, amount]))
}
const mined = async (blocks: number): Promise<void> => {
  for (let block = 0; block < blocks; block++) {
    await street.chain.mine()
    await street.pass()
  }
}
const inPurse = (who: Address): Promise<bigint> => street.chain.ask(street.purse, encodeCall(keccak, 'balanceOf(address,address)', [street.token, who]))
const gasSpent = async (): Promise<bigint> => {
  const head = street.chain.head()
  return head === null ? 0n : -((await street.chain.account(head, BOX.address))?.balanceWei ?? 0n)
}

beforeAll(async () => {
  street = await Street.build(folder, [BOX, RICH], MAKER)
  box = await street.box(BOX, { orders: { purse: street.purse, fee: FEE } })
  await street.until(() => box.desk.status().state === 'ready')
  side = box.photon.streams() as StreamSide
  orders = side.orders as GuestOrders
  await fund(ANNA, 500n)
})
afterAll(async () => {
  await box.stop()
  rmSync(folder, { recursive: true })
})

interface Change {
  readonly who?: Person
  readonly signer?: Person
  readonly consentBy?: Person
  /** What was signed differs from what is sent. */
  readonly signed?: { readonly chainId?: bigint; readonly purse?: Address; readonly sender?: Address; readonly fee?: bigint; readonly amount?: bigint; readonly to?: Address; readonly partner?: Address; readonly epoch?: bigint }
  readonly sent?: Partial<Record<'amount' | 'fee' | 'number', bigint>> & { readonly validUntil?: number; readonly to?: Address; readonly epoch?: bigint; readonly settleTimeout?: number }
}

async function order(what: PlacedOrder['what'], amount: bigint, { who = ANNA, signer = who, consentBy = who, signed = {}, sent = {} }: Change = {}, now?: PurseStanding): Promise<PlacedOrder> {
  const { token, purse, chain } = street
  const at = now ?? (await orders.standing(who.address, token))
  const common = { token, from: who.address, amount, fee: FEE, number: at.number, validUntil: at.head + 200, ...sent }
  const place = { chainId: signed.chainId ?? chain.chainId, contract: signed.purse ?? purse }
  const digested = { ...common, sender: signed.sender ?? BOX.address, fee: signed.fee ?? common.fee, amount: signed.amount ?? common.amount }
  if (what === 'pay') {
    const rest = { to: BEN.address, inside: false, ...(sent.to === undefined ? {} : { to: sent.to }) }
    return { what, ...common, ...rest, signature: native.sign(paymentOrderDigest(keccak, place, { ...digested, ...rest, to: signed.to ?? rest.to }), signer.key) }
  }
  const { epoch, channel } = at.channel
  const terms = { epoch: sent.epoch ?? epoch, settleTimeout: sent.settleTimeout ?? at.settleTimeout }
  const signature = native.sign(openingOrderDigest(keccak, place, { ...digested, ...terms, epoch: signed.epoch ?? terms.epoch, partner: signed.partner ?? BOX.address }), signer.key)
  if (what === 'put-in') return { what, ...common, ...terms, signature }
  const consent = native.sign(openConsentDigest(keccak, side.domain, { channel, participant: who.address, amount: common.amount, validUntil: common.validUntil, ...terms }), consentBy.key)
  return { what, ...common, ...terms, signature, consent }
}

describe('an order', () => {
  it('counts only what is deep enough in the chain', async () => {
    expect(await orders.standing(ANNA.address, street.token)).toMatchObject({ balance: 0n, arriving: 500n, number: 0n, order: null, channel: { state: 'none', epoch: 1n } })
    await expect(order('open', 100n).then((one) => orders.place(one))).rejects.toMatchObject({ code: 'purse-short' })
    await mined(18)
    expect(await orders.standing(ANNA.address, street.token)).toMatchObject({ balance: 500n, arriving: 0n })
    expect(orders.finalSeconds()).toBeGreaterThan(0)
  })

  it('that would fail, or is not just what was signed for this box, is refused and costs no gas', async () => {
    const before = await gasSpent()
    const at = await orders.standing(ANNA.address, street.token)
    const refused: readonly [string, PlacedOrder['what'], bigint, Change, string][] = [
      ['another chain', 'pay', 10n, { signed: { chainId: 1n } }, 'bad-signature'],
      ['another purse', 'pay', 10n, { signed: { purse: street.photon } }, 'bad-signature'],
      ['for another relayer', 'pay', 10n, { signed: { sender: OTHER.address } }, 'bad-signature'],
      ['for whoever is first', 'pay', 10n, { signed: { sender: ZERO_ADDRESS } }, 'bad-signature'],
      ['a fee that was not signed', 'pay', 10n, { signed: { fee: 1n } }, 'bad-signature'],
      ['less than the fee', 'pay', 10n, { sent: { fee: 0n } }, 'bad-order'],
      ['more than the fee', 'pay', 10n, { sent: { fee: FEE + 1n } }, 'bad-order'],
      ['another amount', 'pay', 10n, { signed: { amount: 9n } }, 'bad-signature'],
      ['another receiver', 'pay', 10n, { signed: { to: OTHER.address } }, 'bad-signature'],
      ['of somebody else', 'pay', 10n, { signer: OTHER }, 'bad-signature'],
      ['for nobody', 'pay', 10n, { sent: { to: ZERO_ADDRESS } }, 'bad-order'],
      ['to the token itself', 'pay', 10n, { sent: { to: street.token } }, 'bad-order'],
      ['to the purse', 'pay', 10n, { sent: { to: street.purse } }, 'bad-order'],
      ['nothing', 'pay', 0n, {}, 'bad-order'],
      ['more than a channel holds', 'put-in', 1n << 128n, { signed: { amount: 10n } }, 'bad-order'],
      ['the number before', 'pay', 10n, { sent: { number: at.number + 1n } }, 'order-old'],
      ['expired', 'pay', 10n, { sent: { validUntil: at.head - 1 } }, 'order-old'],
      ['about to expire', 'pay', 10n, { sent: { validUntil: at.head + 5 } }, 'order-old'],
      ['good for ever', 'pay', 10n, { sent: { validUntil: at.head + 100_000 } }, 'order-old'],
      ['more than he has', 'pay', 498n, {}, 'purse-short'],
      ['with nothing in the purse', 'pay', 1n, { who: OTHER }, 'purse-short'],
      ['with another box', 'open', 10n, { signed: { partner: OTHER.address } }, 'bad-signature'],
      ['without his consent', 'open', 10n, { consentBy: OTHER }, 'bad-signature'],
      ['of another life', 'open', 10n, { sent: { epoch: 2n } }, 'order-old'],
      ['that settles too fast', 'open', 10n, { sent: { settleTimeout: 6 } }, 'order-old'],
      ['into no channel', 'put-in', 10n, {}, 'order-old'],
    ]
    for (const [name, what, amount, change, code] of refused) await expect(order(what, amount, change).then((one) => orders.place(one)), name).rejects.toMatchObject({ code })
    await mined(3)
    expect([await gasSpent(), box.desk.duties().length, await inPurse(ANNA.address)]).toEqual([before, 0, 500n])
  })

  it('opens the channel; twice is once, another has to wait, and nothing counts before it is deep', async () => {
    const open = await order('open', 200n)
    const [first, again] = await Promise.all([orders.place(open), orders.place(open).catch((error: unknown) => error)])
    expect(first).toMatchObject({ state: 'waiting' })
    // Told at the same moment one of the two is refused; told after, it is the same.
    expect([first.hash, 'order-running']).toContain((again as { hash?: string; code?: string }).hash ?? (again as { code?: string }).code)
    expect(await orders.place(open)).toEqual(first)
    expect(box.desk.duties()).toHaveLength(1)
    await expect(order('pay', 10n).then((one) => orders.place(one))).rejects.toMatchObject({ code: 'order-running' })
    expect(await side.standing(ANNA.address, street.token)).toMatchObject({ state: 'opening' })
    await mined(2)
    expect(await orders.standing(ANNA.address, street.token)).toMatchObject({ number: 1n, order: { hash: first.hash, state: 'confirming' }, balance: 297n })
    expect(side.account(ANNA.address, { token: street.token, minDeposit: 1n, settleTimeout: 60 })).toBeNull()
    await street.until(() => side.account(ANNA.address, { token: street.token, minDeposit: 1n, settleTimeout: 60 })?.ceiling === 200n)
    await street.until(() => box.desk.duties().length === 0)
    expect(await orders.standing(ANNA.address, street.token)).toMatchObject({ order: { hash: first.hash, state: 'done' }, channel: { state: 'open', deposit: 200n } })
    expect([await inPurse(ANNA.address), await inPurse(BOX.address)]).toEqual([297n, FEE])
    // A page that never heard asks again: it is told, and nothing is sent.
    expect(await orders.place(open)).toMatchObject({ hash: first.hash, state: 'done' })
    expect(box.desk.duties()).toEqual([])
  })

  it('puts more into the open channel, and sends tokens to who has no gas either', async () => {
    await expect(order('open', 50n, { sent: { epoch: 1n } }).then((one) => orders.place(one))).rejects.toMatchObject({ code: 'order-old' })
    await orders.place(await order('put-in', 60n))
    await street.until(() => side.account(ANNA.address, { token: street.token, minDeposit: 1n, settleTimeout: 60 })?.ceiling === 260n)
    await street.until(() => box.desk.duties().length === 0)
    await orders.place(await order('pay', 50n))
    await street.until(() => box.desk.duties().length === 0)
    expect([await inPurse(ANNA.address), await street.balance(BEN.address), await inPurse(BOX.address)]).toEqual([500n - 200n - 60n - 50n - 3n * FEE, 50n, 3n * FEE])
  })

  it('that another relayer got in before fails once, costs one call, and then its owner waits', async () => {
    await fund(BEN, 100n)
    await mined(18)
    const now = await orders.standing(BEN.address, street.token)
    const mine = await order('pay', 20n, { who: BEN, sent: { to: ANNA.address } }, now)
    // He signed the same number for another box, and that one is faster: ours is lost on the way, comes later, and fails.
    const theirs = { token: street.token, from: BEN.address, to: OTHER.address, amount: 95n, inside: false, fee: 1n, sender: RICH.address, number: now.number, validUntil: now.head + 200 }
    const signature = native.sign(paymentOrderDigest(keccak, { chainId: street.chain.chainId, contract: street.purse }, theirs), BEN.key)
    const theirCall = encodeCall(keccak, 'pay((address,address,address,uint256,bool,uint256,address,uint256,uint64),bytes)', [theirs.token, theirs.from, theirs.to, theirs.amount, theirs.inside, theirs.fee, theirs.sender, theirs.number, theirs.validUntil, signature])
    await orders.place(mine)
    street.chain.undo(0)
    await street.chain.call(RICH, street.purse, theirCall)
    await street.until(() => box.desk.duties().length === 0)
    expect(await orders.standing(BEN.address, street.token)).toMatchObject({ order: { state: 'failed' } })
    expect(await inPurse(BEN.address)).toBe(4n)
    await expect(order('pay', 1n, { who: BEN, sent: { to: ANNA.address } }).then((one) => orders.place(one))).rejects.toMatchObject({ code: 'too-many-requests' })
    // The owner of the box is not called for a stranger's mistake.
    expect(box.desk.status().alarms).toEqual([])
  })

  it('is one of six of all at once; and when many have failed, no more are taken', async () => {
    const crowd = Array.from({ length: 8 }, (_, index) => person(770 + index))
    for (const one of crowd) await fund(one, 20n)
    await mined(18)
    const spoil = async (who: Person, number: bigint, head: number): Promise<void> => {
      const theirs = { token: street.token, from: who.address, to: OTHER.address, amount: 20n, inside: false, fee: 0n, sender: RICH.address, number, validUntil: head + 200 }
      const signature = native.sign(paymentOrderDigest(keccak, { chainId: street.chain.chainId, contract: street.purse }, theirs), who.key)
      // What the box has sent is lost on the way, and sent again later.
      street.chain.undo(0)
      await street.chain.call(RICH, street.purse, encodeCall(keccak, 'pay((address,address,address,uint256,bool,uint256,address,uint256,uint64),bytes)', [theirs.token, theirs.from, theirs.to, theirs.amount, theirs.inside, theirs.fee, theirs.sender, theirs.number, theirs.validUntil, signature]))
    }
    const [first = ANNA, ...rest] = crowd
    const placed: Person[] = []
    for (const one of [first, ...rest.slice(0, 5)]) {
      await orders.place(await order('pay', 1n, { who: one }))
      placed.push(one)
    }
    await expect(order('pay', 1n, { who: rest[5] ?? ANNA }).then((one) => orders.place(one))).rejects.toMatchObject({ code: 'orders-full' })
    for (const one of placed) await spoil(one, 0n, street.chain.head()?.number ?? 0)
    await street.until(() => box.desk.duties().length === 0)
    for (const one of placed) expect(await orders.standing(one.address, street.token), one.address).toMatchObject({ order: { state: 'failed' } })
    const late = rest[5] ?? ANNA
    await orders.place(await order('pay', 1n, { who: late }))
    await spoil(late, 0n, street.chain.head()?.number ?? 0)
    await street.until(() => box.desk.duties().length === 0)
    await expect(order('pay', 1n, { who: rest[6] ?? ANNA }).then((one) => orders.place(one))).rejects.toMatchObject({ code: 'orders-full', retryAfterSeconds: 3600 })
    for (let block = 0; block < 300; block++) await street.chain.mine()
    await street.pass()
    await orders.place(await order('pay', 1n, { who: rest[6] ?? ANNA, sent: { to: OTHER.address } }))
    await street.until(() => box.desk.duties().length === 0)
  })

  it('is not taken while the chain is out of view, and is gone on with after a restart', async () => {
    const pay = await order('pay', 5n)
    street.chain.isFrozen = () => true
    await street.pass()
    await expect(orders.place(pay)).rejects.toMatchObject({ code: 'chain-offline' })
    street.chain.isFrozen = () => false
    await street.pass()
    await orders.place(pay)
    await box.stop()
    box = await street.box(BOX, { orders: { purse: street.purse, fee: FEE } })
    side = box.photon.streams() as StreamSide
    orders = side.orders as GuestOrders
    await street.until(() => box.desk.duties().length === 0)
    expect(await street.balance(BEN.address)).toBe(55n)
    expect(await orders.place(pay)).toMatchObject({ state: 'done' })
  })
})

describe('an order whose receipt nobody has any more', () => {
  const restart = async (): Promise<void> => {
    box = await street.box(BOX, { orders: { purse: street.purse, fee: FEE } })
    side = box.photon.streams() as StreamSide
    orders = side.orders as GuestOrders
  }
  const isIdle = (): boolean => box.desk.duties().length === 0
  const feesOf = (who: Person): readonly bigint[] => {
    const ledger = createLedger({ shares: () => [] })
    const entries = box.store.read((tx) => ledger.entries(tx, { limit: 1000 }))
    return entries.filter(({ source }) => source === 'photon:order').flatMap(({ postings }) => postings.filter(({ account }) => account === `purse:${who.address}`).map(({ amount }) => amount))
  }
  /** Not less than a day of blocks would be: what was is in no node's memory. */
  const longAway = async (): Promise<void> => {
    await box.stop()
    for (let block = 0; block < 320; block++) await street.chain.mine()
    street.chain.keptFrom = (street.chain.head()?.number ?? 0) - 100
    await restart()
  }

  it('is done, by the purse’s own word: its fee is booked once, no gas is spent again, and its owner need not wait', async () => {
    const [ida, uma] = [person(790), person(791)]
    await fund(ida, 30n)
    await mined(18)
    const pay = await order('pay', 7n, { who: ida, sent: { to: uma.address } })
    const { hash } = await orders.place(pay)
    await street.pass()
    await street.chain.mine()
    expect(await street.balance(uma.address)).toBe(7n)
    expect(feesOf(ida)).toEqual([])
    await longAway()
    const spent = await gasSpent()
    await street.until(isIdle, 30)
    expect(await orders.standing(ida.address, street.token)).toMatchObject({ number: 1n, balance: 30n - 7n - FEE, order: { hash, state: 'done' } })
    expect([feesOf(ida), await gasSpent(), await street.balance(uma.address), box.desk.status().alarms]).toEqual([[FEE], spent, 7n, []])
    await orders.place(await order('pay', 1n, { who: ida, sent: { to: uma.address } }))
    await street.until(isIdle)
    expect([feesOf(ida), await street.balance(uma.address)]).toEqual([[FEE, FEE], 8n])
    // Long after, when the box has forgotten it too, the page that never heard asks again.
    for (let block = 0; block < 1010; block++) await street.chain.mine()
    await orders.place(await order('pay', 1n, { who: ida, sent: { to: uma.address } }))
    await street.until(isIdle)
    expect(box.store.read((tx) => tx.get('SELECT name FROM photon_chain_duty WHERE name LIKE ?', `%${hash}`))).toBeUndefined()
    expect(await orders.place(pay)).toEqual({ hash, state: 'done' })
    expect([feesOf(ida), isIdle()]).toEqual([[FEE, FEE, FEE], true])
  })

  it('that lost its number to another box is failed, and nothing is booked', async () => {
    const eve = person(792)
    await fund(eve, 60n)
    await mined(18)
    const now = await orders.standing(eve.address, street.token)
    await orders.place(await order('pay', 20n, { who: eve }, now))
    const theirs = { token: street.token, from: eve.address, to: OTHER.address, amount: 50n, inside: false, fee: FEE, sender: RICH.address, number: now.number, validUntil: now.head + 200 }
    const signature = native.sign(paymentOrderDigest(keccak, { chainId: street.chain.chainId, contract: street.purse }, theirs), eve.key)
    street.chain.undo(0)
    await street.chain.call(RICH, street.purse, encodeCall(keccak, 'pay((address,address,address,uint256,bool,uint256,address,uint256,uint64),bytes)', [theirs.token, theirs.from, theirs.to, theirs.amount, theirs.inside, theirs.fee, theirs.sender, theirs.number, theirs.validUntil, signature]))
    // Ours is sent again, comes second, and fails; of that, too, no receipt is left.
    const before = await gasSpent()
    await mined(5)
    expect(await gasSpent()).toBeGreaterThan(before)
    await longAway()
    await street.until(isIdle, 30)
    expect(await orders.standing(eve.address, street.token)).toMatchObject({ order: { state: 'failed' }, balance: 60n - 50n - FEE })
    expect(feesOf(eve)).toEqual([])
  })

  it('is judged by proof also where the box’s book is an old copy that does not know that it was sent', async () => {
    const [ann, bob] = [person(793), person(794)]
    await fund(ann, 30n)
    await mined(18)
    const pay = await order('pay', 9n, { who: ann, sent: { to: bob.address } })
    const { hash } = await orders.place(pay)
    await box.stop()
    const book = join(folder, `${BOX.address}.db`)
    copyFileSync(book, `${book}.old`)
    await restart()
    await street.until(isIdle)
    expect([await street.balance(bob.address), feesOf(ann)]).toEqual([9n, [FEE]])
    await box.stop()
    for (const end of ['-wal', '-shm']) rmSync(`${book}${end}`, { force: true })
    copyFileSync(`${book}.old`, book)
    street.chain.keptFrom = (street.chain.head()?.number ?? 0) + 1
    await restart()
    expect(feesOf(ann)).toEqual([])
    await street.until(isIdle)
    expect(await orders.standing(ann.address, street.token)).toMatchObject({ order: { hash, state: 'done' } })
    expect([await street.balance(bob.address), feesOf(ann)]).toEqual([9n, [FEE]])
  })
})

describe('taking the money out', () => {
  const TERMS = { minDeposit: 1n, settleTimeout: 60 }

  it('is signed by the guest over what the box’s books say and its fee, and by nobody else', async () => {
    const earned = 40n
    const offer = orders.settleOffer(ANNA.address, street.token, earned)
    expect(offer.terms).toMatchObject({ p1: ANNA.address, balance1: 260n - earned - FEE, p2: BOX.address, balance2: earned + FEE })
    const until = offer.terms.validUntil ?? 0
    const sign = (terms: typeof offer.terms, who = ANNA): Uint8Array => native.sign(createDigests(side.domain, keccak).cooperativeSettle(offer, terms), who.key)
    const settle = (signature: Uint8Array, more: { readonly earned?: bigint; readonly asked?: () => bigint; readonly until?: number } = {}): Promise<unknown> => orders.settle(ANNA.address, street.token, more.asked ?? (() => more.earned ?? earned), more.until ?? until, signature)
    await expect(settle(sign(offer.terms, OTHER))).rejects.toMatchObject({ code: 'bad-signature' })
    await expect(settle(sign({ ...offer.terms, balance1: 260n, balance2: 0n }))).rejects.toMatchObject({ code: 'bad-signature' })
    // More was streamed meanwhile.
    await expect(settle(sign(offer.terms), { earned: 41n })).rejects.toMatchObject({ code: 'bad-signature' })
    await expect(settle(sign(offer.terms), { until: until + 100 })).rejects.toMatchObject({ code: 'order-old' })
    let asked = 0
    await expect(settle(sign(offer.terms), { asked: () => earned + BigInt(asked++) })).rejects.toMatchObject({ code: 'order-old' })
    expect(() => orders.settleOffer(OTHER.address, street.token, 0n)).toThrowError(expect.objectContaining({ code: 'photon-no-channel' }))
    expect(() => orders.settleOffer(ANNA.address, street.token, 258n)).toThrowError(expect.objectContaining({ code: 'purse-short' }))
    expect(side.account(ANNA.address, { token: street.token, ...TERMS })).not.toBeNull()

    await settle(sign(offer.terms))
    // Nothing moves any more, and no claim comes in between.
    expect(side.account(ANNA.address, { token: street.token, ...TERMS })).toBeNull()
    expect(side.claimFacts(offer)).toMatchObject({ isClosing: false })
    await expect(settle(sign(offer.terms))).rejects.toMatchObject({ code: 'photon-no-channel' })
    await expect(order('put-in', 1n).then((one) => orders.place(one))).rejects.toMatchObject({ kind: 'conflict' })
    await street.until(() => box.desk.channels().length === 0)
    expect(await street.balance(ANNA.address)).toBe(260n - earned - FEE)
    await street.until(() => box.desk.duties().length === 0)
    expect(await orders.standing(ANNA.address, street.token)).toMatchObject({ channel: { state: 'none', epoch: 2n } })
  })
})
