/** Bob is away; Alice closes with an old state; Bob's neighbours answer. On the real contract. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ZERO_HASH } from '../../../src/base/index.ts'
import type { Delegation } from '../../../src/photon/watch/index.ts'
import { decodeWatchFrame } from '../../../src/photon/watch/frames.ts'
import { secretOf } from '../photon-contracts/channel.ts'
import { ALICE, BOB, CAROL, DAVE, Lane, REWARD, until } from './lane.ts'
import type { WatcherBox } from './lane.ts'

let lane: Lane
beforeEach(async () => {
  lane = await Lane.build()
})
afterEach(() => lane.end())

/** Bob's newest state, kept by these watchers. */
async function guarded(nonce: bigint, transferred: bigint, ...boxes: readonly WatcherBox[]): Promise<void> {
  const guardian = lane.guardian({ everyStates: 1n })
  lane.pay(nonce, transferred)
  await guardian.look()
  const isKept = (): boolean => (guardian.standing()[0]?.guards.filter((guard) => guard.kept?.nonce === nonce).length ?? 0) === boxes.length
  await until(isKept)
  expect(guardian.standing()[0]?.unguarded).toBe(0n)
  guardian.stop()
}

describe('a close by a cheat while the delegator is away', () => {
  it('is answered by a neighbour with the newest state, who is paid for it at the settlement', async () => {
    const carol = lane.watcherBox(CAROL)
    await guarded(7n, 600n, carol)
    lane.air.away.add(BOB.address)
    await lane.tell(await lane.channel.close(ALICE)) // as if Bob had never been paid
    expect(carol.duties).toHaveLength(1)
    const duty = carol.duties[0]
    if (duty?.kind !== 'update-delegate') throw new Error('expected an update')
    expect([duty.fromBlock, duty.deadlineBlock]).toEqual([lane.town.number + 1, lane.town.number + 100])
    lane.town.number++
    const posted = await lane.perform(carol, duty)
    expect(posted.verdict).toBe('ok')
    await lane.tell(posted)
    expect(carol.duties).toEqual([])
    await lane.channel.later()
    const [, bobBefore] = await lane.channel.money()
    await lane.tell(await lane.channel.settle([600n, ZERO_HASH]))
    const [, bob, left] = await lane.channel.money()
    expect([bob - bobBefore, left]).toEqual([500n + 600n - REWARD, 0n])
    expect(carol.rewards).toEqual([REWARD])
    expect(carol.watcher.jobs).toBe(0)
  })

  it('is a loss without a watcher: what the story is about', async () => {
    lane.pay(7n, 600n)
    await lane.channel.close(ALICE)
    await lane.channel.later()
    const [, before] = await lane.channel.money()
    await lane.channel.settle()
    expect((await lane.channel.money())[1] - before).toBe(500n)
  })

  it('pays one of two watchers who race; the other drops its duty', async () => {
    const [carol, dave] = [lane.watcherBox(CAROL), lane.watcherBox(DAVE)]
    await guarded(7n, 600n, carol, dave)
    await lane.tell(await lane.channel.close(ALICE))
    const [first, second] = [carol.duties[0], dave.duties[0]]
    if (first === undefined || second === undefined) throw new Error('both have a duty')
    lane.town.number++
    const posted = await lane.perform(dave, second)
    expect(posted.verdict).toBe('ok')
    expect((await lane.perform(carol, first)).verdict).not.toBe('ok') // too late in the same block
    await lane.tell(posted)
    expect([carol.duties, dave.duties]).toEqual([[], []])
    await lane.channel.later()
    await lane.tell(await lane.channel.settle([600n, ZERO_HASH]))
    expect([carol.rewards, dave.rewards]).toEqual([[], [REWARD]])
  })

  it('leaves Bob his newest state even if one watcher posts an older one that it was to forget', async () => {
    const [carol, dave] = [lane.watcherBox(CAROL), lane.watcherBox(DAVE)]
    await guarded(3n, 100n, carol, dave)
    const old = lane.air.sent.map(({ frame }) => decodeWatchFrame(frame)).find((message): message is { kind: 'delegate'; delegation: Delegation; job: `0x${string}` } => 'kind' in message && message.kind === 'delegate' && message.delegation.watcher === CAROL.address)
    await guarded(7n, 600n, carol, dave)
    await lane.tell(await lane.channel.close(ALICE))
    lane.town.number++
    const colluding = await lane.post(CAROL, old?.delegation as Delegation)
    expect(colluding.verdict).toBe('ok')
    await lane.tell(colluding)
    expect(dave.duties).toHaveLength(1) // nonce 3 is not 7
    const honest = await lane.perform(dave, dave.duties[0] as never)
    expect(honest.verdict).toBe('ok')
    await lane.tell(honest)
    expect((await lane.post(CAROL, old?.delegation as Delegation)).verdict).not.toBe('ok') // not back, and no second reward for it
    expect((await lane.perform(dave, { kind: 'update-delegate', delegation: (old as { delegation: Delegation }).delegation, fromBlock: 0, deadlineBlock: 0 })).verdict).not.toBe('ok') // nor anybody else
    await lane.channel.later()
    const [, before] = await lane.channel.money()
    await lane.tell(await lane.channel.settle([600n, ZERO_HASH]))
    // What a colluding watcher can cost: its own reward for a state that was once good.
    expect((await lane.channel.money())[1] - before).toBe(500n + 600n - 2n * REWARD)
    expect([carol.rewards, dave.rewards]).toEqual([[REWARD], [REWARD]])
  })

  it('is answered after the watcher’s own restart, from its disk', async () => {
    const carol = lane.watcherBox(CAROL)
    await guarded(7n, 600n, carol)
    await lane.tell(await lane.channel.close(ALICE))
    carol.watcher.stop()
    const again = lane.watcherBox(CAROL, {}, carol.store)
    expect(again.duties).toHaveLength(1)
    lane.town.number += 2
    expect((await lane.perform(again, again.duties[0] as never)).verdict).toBe('ok')
  })

  it('asks nothing of a watcher when the newest state is already posted', async () => {
    const carol = lane.watcherBox(CAROL)
    await guarded(7n, 600n, carol)
    await lane.tell(await lane.channel.close(BOB, { nonce: 7n, transferred: 600n }))
    expect(carol.duties).toEqual([])
  })

  it('is not taken for answered because Alice posted Bob’s own, higher number', async () => {
    const carol = lane.watcherBox(CAROL)
    await guarded(7n, 600n, carol)
    await lane.tell(await lane.channel.close(ALICE, { nonce: 90n, transferred: 20n })) // Bob’s 90th to her
    expect(carol.duties).toHaveLength(1)
    lane.town.number++
    expect((await lane.perform(carol, carol.duties[0] as never)).verdict).toBe('ok')
  })

  it('is answered when Bob himself closed with an old copy', async () => {
    const carol = lane.watcherBox(CAROL)
    await guarded(7n, 600n, carol)
    await lane.tell(await lane.channel.close(BOB, { nonce: 3n, transferred: 100n }))
    lane.town.number++
    expect((await lane.perform(carol, carol.duties[0] as never)).verdict).toBe('ok')
  })

  it('has the watcher register Bob’s secrets while their locks run', async () => {
    const carol = lane.watcherBox(CAROL)
    lane.secrets = [
      { expiration: lane.town.number + 50, secret: secretOf(1) },
      { expiration: lane.town.number - 1, secret: secretOf(2) },
    ]
    await guarded(7n, 600n, carol)
    await lane.tell(await lane.channel.close(ALICE))
    const secrets = carol.duties.filter((duty) => duty.kind === 'register-secret')
    expect(secrets).toEqual([{ kind: 'register-secret', secret: secretOf(1), fromBlock: lane.town.number + 1, deadlineBlock: lane.town.number + 50 }])
    expect((await lane.perform(carol, secrets[0] as never)).verdict).toBe('ok')
  })

  it('is answered by a watcher that is asked only when the channel is closed already', async () => {
    const carol = lane.watcherBox(CAROL)
    await lane.tell(await lane.channel.close(ALICE))
    await guarded(7n, 600n, carol)
    expect(carol.duties).toHaveLength(1)
  })

  it('is answered although it came while the watcher was still asking the chain', async () => {
    const carol = lane.watcherBox(CAROL)
    const find = lane.lookup.find
    let asked = 0
    lane.lookup = {
      find: async (what) => {
        const found = await find(what)
        if (++asked === 1) await lane.tell(await lane.channel.close(ALICE)) // open when it looked, closed when it stores
        return found
      },
    }
    await guarded(7n, 600n, carol)
    await until(() => carol.duties.length === 1)
  })
})
