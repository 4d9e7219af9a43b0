/** The owner pays while the partner, connected, has not said yet where it stands: the payment waits for its word, not for ever. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { Address } from '../../../src/base/index.ts'
import { PATIENCE_MS } from '../../../src/photon/box/greetings.ts'
import { secretHashOf } from '../../../src/photon/channel/index.ts'
import { STATUS } from '../../../src/photon/payment/index.ts'
import { person } from '../spectrum/village.ts'
import { MemoryDoor, Street } from './street.ts'

const [ALICE, BOB, MAKER] = [person(760), person(761), person(762)]
const folder = mkdtempSync(join(tmpdir(), 'photon-greetings-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What is said here is lost on the way while it is mute. */
class MuteDoor extends MemoryDoor {
  isMute = false
  override send(to: Address, frame: Uint8Array): boolean {
    return this.isMute || super.send(to, frame)
  }
}

it('a payment waits some seconds for the partner’s greeting, and no longer', async () => {
  const street = await Street.build(folder, [ALICE, BOB], MAKER)
  const { token } = street
  const alice = await street.box(ALICE, { peers: [street.peerOf(BOB)] })
  const door = new MuteDoor(street.net, BOB.address)
  const bob = await street.box(BOB, {}, { openDoor: () => door })
  await street.until(() => [alice, bob].every((box) => box.desk.status().state === 'ready'))
  const { channel } = await alice.desk.open({ partner: BOB.address, token, amount: 300n, settleTimeout: null, role: 'leaf' })
  await street.until(() => [alice, bob].every(({ desk }) => desk.channel(channel)?.isConnected === true && desk.channel(channel)?.phase === 'opened') && alice.desk.channel(channel)?.own.deposit === 300n)

  const order = { target: BOB.address, token, amount: 50n, maxFee: 0n, data: new Uint8Array(0), secretHash: null }
  /** A new connection on which Bob says nothing yet. */
  const meetMute = async (): Promise<void> => {
    door.isMute = true
    door.disconnect(ALICE.address)
    await street.settled(() => alice.desk.peers().some(({ account, isConnected }) => account === BOB.address && isConnected))
    expect(alice.desk.channel(channel)?.isConnected).toBe(false)
  }
  const begin = (isDirect: boolean): { readonly ended: string[] } => {
    const ended: string[] = []
    alice.desk.pay({ ...order, isDirect }).then(({ id }) => ended.push(id), ({ code }: { code: string }) => ended.push(code))
    return { ended }
  }

  for (const isDirect of [false, true]) {
    await meetMute()
    const { ended } = begin(isDirect)
    await street.pass()
    expect(ended).toEqual([])
    door.isMute = false
    await street.settled(() => ended.length > 0)
    await street.settled(() => alice.desk.payment(ended[0] as Address)?.status === STATUS.success)
  }
  expect(bob.desk.channel(channel)?.own.spendable).toBe(100n)

  await meetMute()
  const before = street.time.boottimeMs()
  const [locked, direct] = [begin(false), begin(true)]
  await street.settled(() => locked.ended.length > 0 && direct.ended.length > 0)
  expect(street.time.boottimeMs() - before).toBeLessThanOrEqual(PATIENCE_MS + 2_000) // time passes in steps of two seconds
  expect(alice.desk.payment(locked.ended[0] as Address)).toMatchObject({ status: STATUS.failed, reason: expect.stringContaining('no path has the money') as string })
  expect(direct.ended).toEqual(['photon-not-ready'])
  door.isMute = false

  // A swap's first lock waits for it as well.
  await meetMute()
  const secret = `0x${'5c'.repeat(32)}` as const
  let hasBegun = false
  const swap = alice.desk.swap({ target: BOB.address, side: 'maker', secretHash: secretHashOf(secret), secret, token, amount: 9n, receivingToken: BOB.address, receivingAmount: 1n, maxFee: 0n }).then(() => (hasBegun = true))
  await street.pass()
  expect(hasBegun).toBe(false)
  door.isMute = false
  await street.settled(() => hasBegun)
  await swap
  await street.settled(() => alice.desk.channel(channel)?.own.locked === 9n)
  await Promise.all([alice.stop(), bob.stop()])
})
