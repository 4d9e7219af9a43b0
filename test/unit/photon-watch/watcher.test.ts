import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hexOf } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { DELEGATE_HEAD_BYTES, MAX_SECRETS, MAX_WATCH_FRAME_BYTES, RECEIPT_BYTES, VERDICT, decodeWatchFrame, encodeDelegation, encodeReceipt, jobHash, receiptDigest } from '../../../src/photon/watch/frames.ts'
import type { Delegation, Receipt, Verdict } from '../../../src/photon/watch/index.ts'
import { Channel, secretOf } from '../photon-contracts/channel.ts'
import { person } from '../spectrum/village.ts'
import { ALICE, BOB, CAROL, DAVE, Lane, REWARD, signerOf } from './lane.ts'
import type { WatcherBox } from './lane.ts'

let lane: Lane
let carol: WatcherBox
beforeEach(async () => {
  lane = await Lane.build()
  carol = lane.watcherBox(CAROL)
})
afterEach(() => lane.end())

/** What Carol answers Bob. */
async function verdictOn(delegation: Delegation, from = BOB.address): Promise<Verdict | null> {
  lane.air.sent = []
  await carol.watcher.receive(from, encodeDelegation(delegation))
  const answer = lane.air.sent.map(({ frame }) => decodeWatchFrame(frame))[0]
  return answer !== undefined && 'kind' in answer && answer.kind === 'receipt' ? answer.receipt.verdict : null
}

describe('a watcher', () => {
  it('receipts what it has stored, over its signature', async () => {
    const delegation = lane.delegation(CAROL, lane.pay(1n, 10n), { secrets: [{ expiration: 2000, secret: secretOf(1) }] })
    lane.air.at(BOB.address)
    expect(await verdictOn(delegation)).toBe(VERDICT.accepted)
    expect(carol.watcher.jobs).toBe(1)
    const message = decodeWatchFrame(lane.air.sent[0]?.frame ?? new Uint8Array())
    if (!('kind' in message) || message.kind !== 'receipt') throw new Error('expected a receipt')
    expect(message.receipt).toMatchObject({ channel: lane.channel.id, epoch: 1n, nonce: 1n, job: jobHash(encodeDelegation(delegation)) })
    expect(signerOf(BOB).recover(receiptDigest(lane.domain, message.receipt), message.receipt.signature)).toBe(CAROL.address)
  })

  it('keeps the newest state only', async () => {
    const [first, second] = [lane.delegation(CAROL, lane.pay(5n, 50n)), lane.delegation(CAROL, lane.pay(6n, 60n))]
    expect(await verdictOn(second)).toBe(VERDICT.accepted)
    expect(await verdictOn(first)).toBe(VERDICT.old)
    expect(await verdictOn(second)).toBe(VERDICT.accepted) // the receipt was lost: again, the same answer
    expect(await verdictOn(lane.delegation(CAROL, lane.pay(6n, 55n)))).toBe(VERDICT.old) // Alice has signed two states with one nonce: the first stays
    expect(carol.watcher.jobs).toBe(1)
  })

  it('refuses what is worthless or not its own', async () => {
    const proof = lane.pay(5n, 50n)
    const good = lane.delegation(CAROL, proof)
    const cases: readonly [string, Delegation, Verdict | null, Address?][] = [
      ['another watcher', lane.delegation(DAVE, proof), null],
      ['told by a third', good, null, DAVE.address],
      ['a state that Alice has not signed', { ...good, proof: { ...proof, transferred: 51n } }, VERDICT.wrongSignature],
      ['Alice’s signature over another nonce', { ...good, proof: { ...proof, nonce: 6n } }, VERDICT.wrongSignature],
      ['a reward that Bob has not signed', { ...good, reward: 6n }, VERDICT.wrongSignature],
      ['too small a reward', lane.delegation(CAROL, proof, { reward: REWARD - 1n }), VERDICT.tooLittle],
      ['more than the channel holds', lane.delegation(CAROL, proof, { reward: 1501n }), VERDICT.tooLittle],
      ['more than will be Bob’s', lane.delegation(CAROL, proof, { reward: 551n }), VERDICT.tooLittle],
      ['more than the contract pays', lane.delegation(CAROL, proof, { reward: 1n << 96n }), VERDICT.tooLittle],
      ['nothing received', lane.delegation(CAROL, { ...proof, nonce: 0n }), VERDICT.malformed],
      ['the nonce that bars all others (F9)', lane.delegation(CAROL, { ...proof, nonce: (1n << 64n) - 1n }), VERDICT.malformed],
      ['another channel’s id', { ...good, channel: hexOf(new Uint8Array(32)), proof: { ...proof, channel: hexOf(new Uint8Array(32)) } }, VERDICT.malformed],
      ['another token', { ...good, token: DAVE.address }, VERDICT.malformed],
      ['a life that is not', { ...good, epoch: 2n }, VERDICT.wrongSignature],
    ]
    for (const [what, delegation, verdict, from] of cases) {
      // A frame has one channel and one epoch; the proof's are those.
      const whole = { ...delegation, proof: { ...delegation.proof, epoch: delegation.epoch } }
      expect([what, await verdictOn(whole, from ?? BOB.address)]).toEqual([what, verdict])
      lane.time.advance(10_000)
    }
    expect(carol.watcher.jobs).toBe(0)
  })

  it('refuses a channel that the chain does not have, or whose dispute is nearly over', async () => {
    const strangers = new Channel(lane.town, lane.channel.token, DAVE, BOB)
    const signature = strangers.proofBy(DAVE, { nonce: 1n, transferred: 1n })
    const proof = { channel: strangers.id, epoch: 1n, nonce: 1n, transferred: 1n, locksroot: lane.pay(1n, 1n).locksroot, extra: lane.pay(1n, 1n).extra, signature }
    const receiverSignature = strangers.signed(BOB, 'UpdateDelegate', { nonce: 1n, transferred: 1n, locksroot: proof.locksroot, watcher: CAROL.address, reward: REWARD })
    expect(await verdictOn({ ...lane.delegation(CAROL, lane.pay(1n, 1n)), channel: strangers.id, partner: DAVE.address, proof, receiverSignature })).toBe(VERDICT.unknownChannel)
    await lane.channel.close(ALICE)
    lane.town.number += 95
    expect(await verdictOn(lane.delegation(CAROL, lane.pay(2n, 20n)))).toBe(VERDICT.late)
    expect(carol.watcher.jobs).toBe(0)
  })

  it('is for our contract only: the original one binds and pays no watcher', () => {
    const tools = lane.tools(DAVE)
    const legacy = { ...tools, digests: { ...tools.digests, domain: { ...lane.domain, profile: 'v1' as const } } }
    lane.tools = () => legacy
    expect(() => lane.watcherBox(DAVE)).toThrow(/profile/)
    expect(() => lane.guardian()).toThrow(/profile/)
  })

  it('says “later” when it has no view of the chain itself, and keeps nothing', async () => {
    lane.lookup = { find: () => Promise.resolve(null) }
    expect(await verdictOn(lane.delegation(CAROL, lane.pay(2n, 20n)))).toBe(VERDICT.tryLater)
    lane.lookup = { find: () => Promise.reject(new Error('the line is down')) }
    expect(await verdictOn(lane.delegation(CAROL, lane.pay(2n, 20n)))).toBe(VERDICT.tryLater)
    expect(carol.watcher.jobs).toBe(0)
  })

  it('does not say yes to what is not on disk', async () => {
    await carol.store.close()
    expect(await verdictOn(lane.delegation(CAROL, lane.pay(2n, 20n)))).not.toBe(VERDICT.accepted)
  })

  it('drops a job when the channel settles, and one of an earlier life when it opens again', async () => {
    await verdictOn(lane.delegation(CAROL, lane.pay(2n, 20n)))
    const opened = { kind: 'opened', channel: lane.channel.id, block: 1, token: lane.channel.token, a: ALICE.address, b: BOB.address, settleTimeout: 6 } as const
    await carol.watcher.onChain({ ...opened, epoch: 1n })
    expect(carol.watcher.jobs).toBe(1)
    await carol.watcher.onChain({ ...opened, epoch: 2n })
    expect(carol.watcher.jobs).toBe(0)
    await verdictOn(lane.delegation(CAROL, lane.pay(2n, 20n)))
    await carol.watcher.onChain({ kind: 'settled', channel: lane.channel.id, block: 3, cooperative: true, amounts: [1n, 2n] })
    expect(carol.watcher.jobs).toBe(0)
  })

  it('books a reward once, however often the chain tells of it, and only its own', async () => {
    const event = { kind: 'rewarded', channel: lane.channel.id, token: lane.channel.token, block: 9, logIndex: 3, watcher: CAROL.address, amount: 5n } as const
    for (const one of [event, event, { ...event, watcher: DAVE.address }, { ...event, logIndex: 4 }, { ...event, block: 10, amount: 7n }]) await carol.watcher.onChain(one)
    expect(carol.rewards).toEqual([5n, 5n, 7n]) // two states posted are two rewards in one settlement
  })
})

describe('a watcher under flood', () => {
  /** Channels of Bob's with people of his own making, all really open. */
  async function channelsOf(count: number): Promise<((nonce: bigint) => Delegation)[]> {
    const made: ((nonce: bigint) => Delegation)[] = []
    for (let at = 0; at < count; at++) {
      const other = person(700 + at)
      const channel = new Channel(lane.town, lane.channel.token, BOB, other)
      await channel.opened(10n, 0n)
      made.push((nonce) => {
        const proof = { nonce, transferred: 1n }
        const signature = channel.proofBy(other, proof)
        const alices = lane.pay(1n, 1n)
        const receiverSignature = channel.signed(BOB, 'UpdateDelegate', { ...proof, locksroot: alices.locksroot, watcher: CAROL.address, reward: REWARD })
        return { ...lane.delegation(CAROL, alices), channel: channel.id, partner: other.address, proof: { ...alices, ...proof, channel: channel.id, signature }, receiverSignature }
      })
    }
    return made
  }

  it('keeps so many jobs for one delegator and so many in all', async () => {
    carol.watcher.stop()
    carol = lane.watcherBox(CAROL, { maxJobsPerDelegator: 3, maxJobs: 3 })
    const verdicts = []
    const many = await channelsOf(5)
    for (const delegation of many) verdicts.push(await verdictOn(delegation(1n)))
    expect(verdicts).toEqual([VERDICT.accepted, VERDICT.accepted, VERDICT.accepted, VERDICT.full, VERDICT.full])
    expect(carol.watcher.jobs).toBe(3)
    expect(await verdictOn((many[0] as (nonce: bigint) => Delegation)(2n))).toBe(VERDICT.accepted) // a newer state of what it has needs no room
  })

  it('does the work of one neighbour one after the other, and drops what is too much before it costs anything', async () => {
    let [asked, atOnce, most] = [0, 0, 0]
    const find = lane.lookup.find
    lane.lookup = {
      find: async (what) => {
        asked++
        most = Math.max(most, ++atOnce)
        await new Promise((resolve) => setImmediate(resolve))
        atOnce--
        return find(what)
      },
    }
    const frames = Array.from({ length: 100 }, (_none, at) => encodeDelegation(lane.delegation(CAROL, lane.pay(BigInt(at + 1), 1n))))
    await Promise.all(frames.map((frame) => carol.watcher.receive(BOB.address, frame)))
    expect(most).toBe(1)
    expect(asked).toBeLessThanOrEqual(2 * 4) // four may wait; each asks once more after storing
    expect(carol.watcher.jobs).toBe(1)
  })
})

describe('the frames', () => {
  it('come back from their bytes', () => {
    const secrets = Array.from({ length: MAX_SECRETS }, (_none, at) => ({ expiration: at, secret: secretOf(at) }))
    for (const delegation of [lane.delegation(CAROL, lane.pay(5n, 50n)), lane.delegation(CAROL, lane.pay(5n, 50n), { secrets })]) {
      const frame = encodeDelegation(delegation)
      expect(frame.length).toBe(DELEGATE_HEAD_BYTES + 40 * delegation.secrets.length)
      expect(decodeWatchFrame(frame)).toEqual({ kind: 'delegate', delegation, job: jobHash(frame) })
    }
    const [delegation, socket] = [lane.delegation(CAROL, lane.pay(5n, 50n), { secrets }), Buffer.from(encodeDelegation(lane.delegation(CAROL, lane.pay(5n, 50n), { secrets })))]
    const message = decodeWatchFrame(socket)
    socket.fill(0) // a socket's buffer is used again
    expect(message).toMatchObject({ kind: 'delegate', delegation })
    expect(() => encodeDelegation(lane.delegation(CAROL, lane.pay(5n, 50n), { secrets: [...secrets, ...secrets] }))).toThrow(/secrets/)
    const receipt: Receipt = { channel: lane.channel.id, epoch: 1n, nonce: 5n, verdict: VERDICT.full, job: secretOf(1), signature: new Uint8Array(65).fill(7) }
    expect(encodeReceipt(receipt).length).toBe(RECEIPT_BYTES)
    expect(decodeWatchFrame(encodeReceipt(receipt))).toEqual({ kind: 'receipt', receipt })
  })

  it('never make the decoder throw, and have one form each', () => {
    const whole = encodeDelegation(lane.delegation(CAROL, lane.pay(5n, 50n), { secrets: [{ expiration: 9, secret: secretOf(1) }] }))
    const receipt = encodeReceipt({ channel: lane.channel.id, epoch: 1n, nonce: 5n, verdict: 0, job: secretOf(1), signature: new Uint8Array(65) })
    const frames = fc.oneof(
      fc.uint8Array({ maxLength: MAX_WATCH_FRAME_BYTES + 10 }),
      fc.tuple(fc.constantFrom(whole, receipt), fc.nat(), fc.nat(255)).map(([frame, at, value]) => frame.with(at % frame.length, value)),
      fc.tuple(fc.constantFrom(whole, receipt), fc.nat(500)).map(([frame, length]) => frame.slice(0, length)),
    )
    fc.assert(
      fc.property(frames, (frame) => {
        const message = decodeWatchFrame(frame)
        if ('refused' in message) return
        expect(hexOf(message.kind === 'delegate' ? encodeDelegation(message.delegation) : encodeReceipt(message.receipt))).toBe(hexOf(frame))
      }),
      { seed: 41, numRuns: 4000 },
    )
  })
})
