/** What a box did not take while it had no view of the chain comes as soon as it has one again. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { person } from '../spectrum/village.ts'
import { ShortChain } from './short-chain.ts'
import { Street } from './street.ts'

const [ALICE, BOB, MAKER] = [person(850), person(851), person(852)]
const folder = mkdtempSync(join(tmpdir(), 'photon-thaw-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('is sent again at once, not when its sender tries the next time', async () => {
  const street = await Street.build(folder, [ALICE, BOB], MAKER)
  const view = new ShortChain(street.chain)
  const alice = await street.box(ALICE, { peers: [street.peerOf(BOB)] })
  const bob = await street.box(BOB, { maxOfflineExposure: 10n }, { chain: view })
  await street.until(() => [alice, bob].every((box) => box.desk.status().state === 'ready'))
  const { channel } = await alice.desk.open({ partner: BOB.address, token: street.token, amount: 300n, settleTimeout: null, role: 'core' })
  await street.until(() => bob.desk.channel(channel)?.isConnected === true)

  view.frozen = true
  await street.settled(() => bob.desk.status().state === 'offline')
  const pay = async (amount: bigint): Promise<void> => void (await alice.desk.pay({ target: BOB.address, token: street.token, amount, isDirect: true, maxFee: 0n, data: new Uint8Array(0), secretHash: null }))
  await pay(6n)
  await street.settled(() => bob.desk.channel(channel)?.own.spendable === 6n)
  await pay(30n)
  // Alice has become patient: once a minute.
  for (let seconds = 0; seconds < 130; seconds += 2) await street.pass()
  expect(bob.desk.channel(channel)?.own.spendable).toBe(6n)

  view.frozen = false
  for (let seconds = 0; seconds < 6; seconds += 2) await street.pass()
  expect(bob.desk.channel(channel)?.own.spendable).toBe(36n)
  expect(alice.desk.payments({ before: null, limit: 5 }).rows.map(({ status }) => status)).toEqual([3, 3])
  await Promise.all([alice.stop(), bob.stop()])
})
