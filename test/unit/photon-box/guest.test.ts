/** A guest without gas: the box opens a channel for him, he streams, and what he has paid comes to the box on the chain. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { hexOf } from '../../../src/base/index.ts'
import { openConsentDigest } from '../../../src/photon/contracts/orders.ts'
import type { StreamSide } from '../../../src/photon/index.ts'
import { newChannel } from '../../../src/photon/stream/payee/channel.ts'
import { claimDuty } from '../../../src/photon/stream/payee/claim.ts'
import { createDigests } from '../../../src/photon/wire/index.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import { Street, keccak } from './street.ts'

const [BOX, GUEST, MAKER] = [person(740), person(741), person(742)]
const folder = mkdtempSync(join(tmpdir(), 'photon-guest-'))
afterAll(() => rmSync(folder, { recursive: true }))
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

it('opens for a guest, tops up, notes what he streams, and claims it', async () => {
  const street = await Street.build(folder, [BOX], MAKER)
  const { token, chain } = street
  const box = await street.box(BOX, { maxOfflineExposure: 30n })
  expect(box.photon.streams()).toBeNull()
  await street.until(() => box.desk.status().state === 'ready')
  const streams = box.photon.streams() as StreamSide
  const terms = { token, minDeposit: 50n, settleTimeout: 60 }

  const before = await streams.standing(GUEST.address, token)
  expect(before).toMatchObject({ state: 'none', epoch: 1n, deposit: 0n })
  const consent = { channel: before.channel, epoch: 1n, participant: GUEST.address, amount: 60n, settleTimeout: 60, validUntil: (chain.head()?.number ?? 0) + 100 }
  const signature = native.sign(openConsentDigest(keccak, streams.domain, consent), GUEST.key)
  const order = { payer: GUEST.address, token, amount: 60n, settleTimeout: 60, epoch: 1n, validUntil: consent.validUntil, signature, reference: 'opening' }
  await expect(streams.openFor({ ...order, amount: 61n })).rejects.toMatchObject({ field: 'signature' })
  await streams.openFor(order)
  expect(await streams.standing(GUEST.address, token)).toMatchObject({ state: 'opening' })
  await street.until(() => streams.account(GUEST.address, terms) !== null)
  expect(await streams.standing(GUEST.address, token)).toMatchObject({ state: 'open', deposit: 60n })
  expect(box.desk.channels()).toMatchObject([{ role: 'leaf', partner: { address: GUEST.address, deposit: 60n } }])

  expect(streams.orderState(GUEST.address, token, 1n, 'opening')).toBe('done')
  expect(streams.orderState(GUEST.address, token, 1n, 'slip')).toBe('unknown')
  await streams.fund(GUEST.address, token, 40n, 'slip')
  expect(streams.orderState(GUEST.address, token, 1n, 'slip')).toBe('waiting')
  await streams.fund(GUEST.address, token, 40n, 'slip')
  await street.until(() => streams.account(GUEST.address, terms)?.ceiling === 100n)
  await street.until(() => streams.orderState(GUEST.address, token, 1n, 'slip') === 'done')
  await streams.fund(GUEST.address, token, 40n, 'slip')
  expect(streams.orderState(GUEST.address, token, 1n, 'slip')).toBe('done')

  const account = streams.account(GUEST.address, terms)
  if (account === null) throw new Error('no account')
  const words: Uint8Array[] = [new Uint8Array(32).fill(9)]
  for (let step = 0; step < 10; step++) words.unshift(sha256(words[0] ?? new Uint8Array()))
  const body = { channel: account.channel, epoch: account.epoch, cumulative: 0n, tip: hexOf(words[0] ?? new Uint8Array()), steps: 10, unit: 7n }
  const voucher = { ...body, signature: native.sign(createDigests(streams.domain, keccak).voucher(body), GUEST.key) }
  const point = { voucher, index: 4, preimage: words[4] ?? new Uint8Array() }
  streams.note(account, point)
  await street.settled(() => box.desk.channel(account.channel)?.partner.spendable === 72n)
  expect(streams.claimFacts(account)).toEqual({ claimed: 0n, isClosing: false })

  // The chain is out of view: the guest's counter may rise by what the owner risks, from where it was.
  chain.isFrozen = () => true
  await street.pass()
  expect([box.desk.status().state, streams.account(GUEST.address, terms)?.ceiling]).toEqual(['offline', 58n])
  chain.isFrozen = () => false
  await street.pass()

  const told: string[] = []
  streams.onChannel(({ channel }) => told.push(channel))
  streams.claim(claimDuty(newChannel(account), point), account, 'threshold')
  await street.settled(() => streams.claimFacts(account).claimed === 28n)
  await street.until(() => told.includes(account.channel) && box.desk.duties().length === 0)
  expect(await street.balance(BOX.address)).toBe(1000n - 100n + 28n)

  // The guest's page is gone for good: the box closes alone, and both have what is theirs.
  await box.desk.close(account.channel, true)
  await street.until(() => box.desk.channels().length === 0)
  expect([await street.balance(BOX.address), await street.balance(GUEST.address)]).toEqual([928n, 72n])
  expect(streams.claimFacts(account).claimed > 28n).toBe(true)
  expect(box.desk.status().alarms).toEqual([])
  await box.stop()
})
