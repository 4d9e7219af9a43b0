/** Three boxes in a row: who has no channel with the box that owes him is paid over the one between, once, though the process ends while the lock is open. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { fromUtf8, momentOf, silentLog } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { toChecksumAddress } from '../../../src/identity/index.ts'
import { textDigest } from '../../../src/identity/personal-message.ts'
import { createLedger } from '../../../src/ledger/index.ts'
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

const [ALICE, BOB, CAROL, MAKER] = [person(860), person(861), person(862), person(863)]
const folder = mkdtempSync(join(tmpdir(), 'photon-payout-'))
afterAll(() => rmSync(folder, { recursive: true }))
const KEY = keyFrom('box')
const SHARE = { partsPerMillion: 500_000, sources: [] }

it('a share reaches the recipient over the box between, and the statement says what carrying cost', async () => {
  const street = await Street.build(folder, [ALICE, BOB, CAROL], MAKER)
  const { token, time } = street
  const carols = new MuteDoor(street.net, CAROL.address)
  const peers = [street.peerOf(BOB), street.peerOf(CAROL)]
  const aliceBox = (): Promise<Box> => street.box(ALICE, { peers }, { migrations: payoutMigrations })
  let alice = await aliceBox()
  const bob = await street.box(BOB, { peers: [street.peerOf(CAROL)] })
  const carol = await street.box(CAROL, {}, { openDoor: () => carols })
  await street.until(() => [alice, bob, carol].every((box) => box.desk.status().state === 'ready' && box.desk.status().peers === 2))
  const { channel: ab } = await alice.desk.open({ partner: BOB.address, token, amount: 300n, settleTimeout: null, role: 'core' })
  const { channel: bc } = await bob.desk.open({ partner: CAROL.address, token, amount: 300n, settleTimeout: null, role: 'core' })
  await street.until(() => bob.desk.channel(ab)?.isConnected === true && carol.desk.channel(bc)?.isConnected === true)
  await bob.desk.deposit(ab, 100n)
  await carol.desk.deposit(bc, 100n)
  await street.until(() => alice.desk.channel(ab)?.partner.deposit === 100n && bob.desk.channel(bc)?.partner.deposit === 100n)
  await street.settled(() => alice.desk.paths(CAROL.address, token, 10n).length > 0)

  const ledger = createLedger({ shares: () => [{ ...SHARE, role: 'investor', beneficiary: 'carol' }] })
  const settings = payoutSettings({ token: { symbol: 'TOK', decimals: 0 }, maxFeePpm: 100_000, shares: [{ ...SHARE, account: 'investor:carol' }], payees: [{ account: 'investor:carol', address: CAROL.address }], channelTokens: [{ address: token, symbol: 'TOK', decimals: 0 }] })
  const identity = { address: toChecksumAddress(KEY.address), signText: (text: string) => curve.sign(textDigest(text), KEY.secret), deriveSecret: () => KEY.secret }
  const begin = (): Payouts => {
    const { store, photon } = alice
    const payouts = new Payouts({ store, ledger, identity, settings: () => settings, channels: () => channelsOf(photon), clock: time, timers: time, log: silentLog })
    payouts.start()
    return payouts
  }
  await alice.store.turn((tx) => ledger.earn(tx, { source: 'hotspot:voucher', token: 'TOK', amount: 20n, from: 'cash:vouchers', evidence: { type: 'voucher', id: 'v1' }, at: momentOf(time) }))

  let payouts = begin()
  carols.isMute = true
  const { payout } = await payouts.payNow('investor:carol', 'TOK')
  await street.settled(() => (payouts.payout(1).routed?.lock ?? null) !== null)
  const locked = payouts.payout(1).routed
  expect(locked).toMatchObject({ fee: 1n, via: [BOB.address], tries: 1, lock: { isRevealed: false, isGivenUp: false } })
  await payouts.stop()
  await alice.stop()
  alice = await aliceBox()
  payouts = begin()
  await street.until(() => alice.desk.status().state === 'ready')
  await street.settled(() => payouts.payout(1).stage === 'paying' && payouts.payout(1).routed?.secretHash === locked?.secretHash)
  await expect(payouts.resume(1, true)).rejects.toMatchObject({ code: 'payout-left' })

  carols.isMute = false
  carols.disconnect(BOB.address)
  await street.until(() => payouts.payout(1).payout.state === 'paid')
  expect(payouts.payout(1).routed).toEqual({ secretHash: locked?.secretHash, fee: 1n, via: [BOB.address], tries: 1, lock: null })
  await street.settled(() => carol.desk.channel(bc)?.own.spendable === 110n)
  expect(alice.desk.channel(ab)?.own.spendable).toBe(289n)
  const rows = [alice, carol].map((box) => box.desk.payments({ before: null, limit: 9 }).rows.map(({ id, amount, data }) => [id, amount, fromUtf8(data, 'data')]))
  expect(rows).toEqual(Array(2).fill([[locked?.secretHash, 10n, `payout ${payout.reference}`]]))
  const balance = (account: string): bigint => alice.store.read((tx) => ledger.balance(tx, account, 'TOK'))
  expect(['investor:carol', 'cost:payout', `photon:${CAROL.address}`, `photon:${BOB.address}`].map(balance)).toEqual([0n, 1n, -10n, -1n])
  const text = payouts.statement(1, false)
  expect(text).toContain(`\nRouted: ${locked?.secretHash}, fee 1, over ${BOB.address}\n`)
  expect(verifyStatements(text, { box: KEY.address, to: CAROL.address, partsPerMillion: SHARE.partsPerMillion }).problems).toEqual([])
  await payouts.stop()
  await Promise.all([alice.stop(), bob.stop(), carol.stop()])
})

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
