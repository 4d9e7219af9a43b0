/**
 * The end of a stream that ran for longer than the audit lets pass without proofs: the box dies at each edge of it in turn, and comes back on the same
 * disk, tmpfs and kernel, or after a power cut. The guest's phone is gone then, or its page goes on, or another page of his begins. Whatever it was:
 * what the guest paid for once he is served once.
 */
import { afterEach, describe, expect, it } from 'vitest'
import type { Address } from '../../src/base/index.ts'
import { guest, halfHour, settle } from '../support/hotspot-box.ts'
import type { ConfigChanges } from '../support/hotspot-box.ts'
import { PayingBox } from '../support/paying-box.ts'
import { PayingPage } from '../support/paying-page.ts'

const UNIT = 1000n
const GRACE_SECONDS = 15
const LEASE_SECONDS = 60
const CHECKPOINT_SECONDS = 20
const STEP_MS = 1000
/** More than the audit's 195 ticks, twice over. */
const RAN_SECONDS = 420
const LEAD_SECONDS = 30
/** Paid since the last write to flash: a minute, and what goes to tmpfs with the next message. */
const UNWRITTEN_SECONDS = 60 + 3
const CHANGES: ConfigChanges = { hotspot: { leaseSeconds: LEASE_SECONDS, checkpointSeconds: CHECKPOINT_SECONDS }, config: { packages: [halfHour] } }
const PAYER: Address = `0x${'a1'.repeat(20)}`

type Kind = 'service' | 'power'
type Guest = 'is gone' | 'goes on' | 'begins anew'

class Story {
  readonly box = new PayingBox(CHANGES, UNIT)
  readonly device = guest(1)
  page!: PayingPage
  #pages = 0

  get onlineSeconds(): number {
    return [...this.box.crash.onlineMs.values()].reduce((sum, ms) => sum + ms, 0) / 1000
  }

  get booked(): bigint {
    const { crash, channels } = this.box
    return crash.store.read((tx) => crash.box.ledger.balance(tx, `channel:${channels.channelOf(PAYER)}`, 'MBX'))
  }

  async begin(): Promise<void> {
    this.box.channels.openBefore(PAYER, 5000n * UNIT)
    await this.box.crash.start()
    await this.pay()
    await this.pass(RAN_SECONDS)
    expect(this.page.phase).toBe('paying')
    expect(this.onlineSeconds).toBeGreaterThan(RAN_SECONDS - 10)
  }

  async pay(): Promise<void> {
    const { box } = this
    const shown = this.page?.shown ?? 0n
    this.page?.close()
    this.page = new PayingPage(PAYER, this.device.mac ?? '', this.#pages++, UNIT, () => box.phoneMs, () => box.streams.door(), shown)
    this.page.act({ type: 'lead', seconds: LEAD_SECONDS })
    this.page.act({ type: 'start' })
    await settle(4)
  }

  async pass(seconds: number): Promise<void> {
    for (let left = seconds * 1000; left > 0 && !this.box.crash.isDead; left -= STEP_MS) {
      this.box.crash.pass(STEP_MS)
      this.box.phoneMs += STEP_MS
      this.page.due()
      await settle(3)
    }
  }

  /** Dies at the so-manieth edge of the end; false: the end has no so many. */
  async stop(edge: number): Promise<boolean> {
    const { crash } = this.box
    crash.phase = 'stop'
    crash.dieIn(edge)
    this.page.act({ type: 'stop' })
    await settle(20)
    const isDead = crash.isDead
    crash.dieIn(0)
    return isDead
  }

  async comeBack(kind: Kind): Promise<void> {
    await this.box.afterDeath(kind, true)
    this.box.crash.nextDeath = 0
    expect(await this.box.crash.start()).toBe(true)
    await settle(4)
  }

  async dispose(): Promise<void> {
    await this.box.crash.dispose()
  }
}

let story: Story
afterEach(() => story.dispose())

/** At each edge in turn, until the end has no more of them. */
describe.each<{ kind: Kind; who: Guest }>([
  { kind: 'service', who: 'is gone' },
  { kind: 'service', who: 'goes on' },
  { kind: 'service', who: 'begins anew' },
  { kind: 'power', who: 'is gone' },
  { kind: 'power', who: 'goes on' },
  { kind: 'power', who: 'begins anew' },
])('a stream ends, the $kind dies at each edge of that, and the guest $who', ({ kind, who }) => {
  it('he is served for what he paid, once', async () => {
    const edges: string[] = []
    for (let edge = 1; await dieAt(edge, kind, who); edge++) {
      edges.push(...story.box.crash.crashed.keys())
      await story.dispose()
    }
    // The session, the stream, the desk's record and the ledger are written one after the other.
    expect(edges.filter((name) => name.endsWith('commit')).length, edges.join(', ')).toBeGreaterThanOrEqual(6)
  })
})

async function dieAt(edge: number, kind: Kind, who: Guest): Promise<boolean> {
  story = new Story()
  const { box, device } = story
  await story.begin()
  const isDead = await story.stop(edge)
  if (!isDead) return false
  const [name] = box.crash.crashed.keys()
  const given = kind === 'power' ? LEASE_SECONDS + CHECKPOINT_SECONDS : 2
  await story.comeBack(kind)
  if (who === 'begins anew') await story.pay()
  else if (who === 'goes on') story.page.act({ type: 'connected' })
  else story.page.close()
  await story.pass(300)
  box.expectProofs()
  const shown = Number(story.page.shown / UNIT)
  expect(story.onlineSeconds, `online, died at edge ${edge}, ${name}`).toBeLessThanOrEqual(shown + GRACE_SECONDS + given)
  // Whoever comes back can pay again, and goes with his last word; what he left unpaid he has paid then.
  if (who !== 'begins anew') await story.pay()
  await story.pass(60)
  expect(story.page.phase, `a guest who comes back, died at edge ${edge}, ${name}`).toBe('paying')
  await story.stop(0)
  await story.pass(5)
  expect(story.page.phase).toBe('over')
  expect(box.crash.kernel.isOpen(device.mac ?? '')).toBe(false)
  box.expectProofs()
  expect(box.channels.paperOf(PAYER).noted, 'what the channel was told').toBe(story.booked)
  expect(story.booked, 'charged').toBeLessThanOrEqual(story.page.shown)
  const lost = given + (kind === 'power' ? UNWRITTEN_SECONDS : 3)
  expect(Number(story.booked / UNIT), `earned of ${story.onlineSeconds} s, died at edge ${edge}, ${name}`).toBeGreaterThanOrEqual(Math.floor(story.onlineSeconds) - GRACE_SECONDS - lost)
  return true
}
