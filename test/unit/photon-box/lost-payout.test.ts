/** A payout that its channel took with it when that was closed: never called delivered where the recipient had nothing of it, and paid anew, once. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { momentOf, silentLog } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { toChecksumAddress } from '../../../src/identity/index.ts'
import { textDigest } from '../../../src/identity/personal-message.ts'
import { createLedger } from '../../../src/ledger/index.ts'
import { channelPages } from '../../../src/main/audit-channels.ts'
import { Payouts } from '../../../src/payout/index.ts'
import type { PayoutChannels } from '../../../src/payout/index.ts'
import { verifyStatements } from '../../../src/payout/statement/index.ts'
import { payoutMigrations } from '../../../src/payout/tables/index.ts'
import type { Photon } from '../../../src/photon/index.ts'
import { curve, keyFrom } from '../../support/audited.ts'
import { payoutSettings } from '../../support/payout-box.ts'
import { person } from '../spectrum/village.ts'
import { MemoryDoor, Street } from './street.ts'
import type { Box } from './street.ts'

const folder = mkdtempSync(join(tmpdir(), 'photon-lost-'))
afterAll(() => rmSync(folder, { recursive: true }))
const KEY = keyFrom('box')
const SHARE = { partsPerMillion: 500_000, sources: [] }

/** Two boxes with a channel, a payout of 10 from the first to the second that nobody acknowledges, and the channel's end without the other. */
async function closedOn(people: number, who: 'unheard' | 'unacknowledged') {
  const [ALICE, BOB, MAKER] = [person(people), person(people + 1), person(people + 2)]
  const street = await Street.build(join(folder), [ALICE, BOB], MAKER)
  const { token, time } = street
  const bobs = new MuteDoor(street.net, BOB.address)
  let alices = new MuteDoor(street.net, ALICE.address)
  const aliceBox = (isMute: boolean): Promise<Box> => {
    alices = new MuteDoor(street.net, ALICE.address)
    alices.isMute = isMute
    return street.box(ALICE, { peers: [street.peerOf(BOB)] }, { migrations: payoutMigrations, openDoor: () => alices })
  }
  let alice = await aliceBox(false)
  const bob = await street.box(BOB, {}, { openDoor: () => bobs })
  await street.until(() => [alice, bob].every((box) => box.desk.status().state === 'ready'))
  const ledger = createLedger({ shares: () => [{ ...SHARE, role: 'investor', beneficiary: 'bob' }] })
  const settings = payoutSettings({ token: { symbol: 'TOK', decimals: 0 }, shares: [{ ...SHARE, account: 'investor:bob' }], payees: [{ account: 'investor:bob', address: BOB.address }], channelTokens: [{ address: token, symbol: 'TOK', decimals: 0 }] })
  const identity = { address: toChecksumAddress(KEY.address), signText: (text: string) => curve.sign(textDigest(text), KEY.secret), deriveSecret: () => KEY.secret }
  const begin = (): Payouts => {
    const { store, photon } = alice
    const payouts = new Payouts({ store, ledger, identity, settings: () => settings, channels: () => channelsOf(photon), clock: time, timers: time, log: silentLog })
    payouts.start()
    return payouts
  }
  const open = async (): Promise<Hash> => {
    const { channel } = await alice.desk.open({ partner: BOB.address, token, amount: 300n, settleTimeout: 20, role: 'core' })
    await street.until(() => alice.desk.channel(channel)?.isConnected === true && bob.desk.channel(channel)?.isConnected === true)
    return channel
  }
  const isOver = (box: Box): boolean => box.desk.channels().length === 0
  const town = {
    street,
    BOB,
    bob,
    open,
    /** The first is heard again. */
    unmute() {
      alices.isMute = false
      alices.disconnect(BOB.address)
    },
    payouts: begin(),
    get alice() {
      return alice
    },
    async restart() {
      await this.payouts.stop()
      await alice.stop()
      alice = await aliceBox(true)
      await street.until(() => alice.desk.status().state === 'ready')
      this.payouts = begin()
    },
    async stop() {
      await this.payouts.stop()
      await Promise.all([alice.stop(), bob.stop()])
    },
    balance: (account: string): bigint => alice.store.read((tx) => ledger.balance(tx, account, 'TOK')),
    lost: (): readonly boolean[] => alice.store.read((tx) => channelPages(tx, { curve, symbolOf: () => 'TOK', names: new Map() }).historyAfter(0, 9)).map(({ isLost }) => isLost),
  }
  const channel = await open()
  await alice.store.turn((tx) => ledger.earn(tx, { source: 'hotspot:voucher', token: 'TOK', amount: 20n, from: 'cash:vouchers', evidence: { type: 'voucher', id: 'v1' }, at: momentOf(time) }))
  for (const door of who === 'unheard' ? [alices] : [bobs]) door.isMute = true
  await town.payouts.payNow('investor:bob', 'TOK')
  await street.settled(() => (alice.photon.direct()?.newest() ?? 0) > 0)
  await alice.desk.close(channel, true)
  expect(town.payouts.payout(1)).toMatchObject({ stage: 'paying', payout: { state: 'open' } })
  await street.until(() => isOver(alice) && isOver(bob))
  return town
}

it('the recipient heard nothing of it: not paid, said so, and paid anew when there is a channel again', async () => {
  const town = await closedOn(870, 'unheard')
  const { street, bob, BOB } = town
  expect(town.alice.photon.direct()?.arrival(1)).toBe('lost')
  await street.settled(() => town.payouts.payout(1).stage === 'waiting')
  expect(town.payouts.payout(1).payout).toMatchObject({ state: 'open', attempts: 1, problem: expect.stringContaining('the chain has paid it back') as string })
  await town.restart()
  await street.pass()
  expect([town.payouts.payout(1).payout.state, town.balance('investor:bob'), await street.balance(BOB.address)]).toEqual(['open', -10n, 1000n])
  expect(town.alice.desk.payments({ before: null, limit: 9 }).rows.map(({ reason }) => reason)).toEqual(['its channel ended without it: the chain has paid it back'])
  town.unmute()
  await town.open()
  await town.payouts.resume(1, false)
  await street.settled(() => town.payouts.payout(1).payout.state === 'paid')
  expect(bob.desk.channels().map(({ own }) => own.spendable)).toContain(10n)
  expect(bob.photon.direct()?.after(0, 9).payments.map(({ amount, reference }) => [amount, reference])).toEqual([[10n, town.payouts.payout(1).payout.reference]])
  expect([town.balance('investor:bob'), town.lost()]).toEqual([0n, [true, false]])
  expect(verifyStatements(town.payouts.statement(1, false), { box: KEY.address, to: BOB.address, partsPerMillion: SHARE.partsPerMillion }).problems).toEqual([])
  await town.stop()
}, 120_000)

it('the recipient had it and could not say so: the chain shows it, and it is booked', async () => {
  const town = await closedOn(875, 'unacknowledged')
  const { street, BOB } = town
  await street.settled(() => town.payouts.payout(1).payout.state === 'paid')
  expect([town.alice.photon.direct()?.arrival(1), town.balance('investor:bob'), await street.balance(BOB.address), town.lost()]).toEqual(['delivered', 0n, 1010n, [false]])
  await town.stop()
}, 120_000)

function channelsOf(photon: Photon): PayoutChannels | null {
  const [direct, locked] = [photon.direct(), photon.routed()]
  if (direct === null || locked === null) return null
  return {
    newest: () => direct.newest(),
    after: (id, most) => direct.after(id, most),
    pay: (order) => direct.pay(order),
    arrival: (id) => direct.arrival(id),
    spendable: (to, of) => direct.spendable(to, of),
    locked,
  }
}

class MuteDoor extends MemoryDoor {
  isMute = false

  override send(to: Address, frame: Uint8Array): boolean {
    return this.isMute || super.send(to, frame)
  }
}
