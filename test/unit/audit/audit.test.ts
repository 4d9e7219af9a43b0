/** A sound book has no difference; each kind of difference, planted, is named: what, where, how much. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuditReport, CheckName } from '../../../src/audit/index.ts'
import { PAGE_ROWS } from '../../../src/audit/index.ts'
import type { ChannelState } from '../../../src/photon/channel/index.ts'
import { channelSlot, sideSlots } from '../../../src/photon/chain/storage.ts'
import { auditOf, curve, openWholeStore } from '../../support/audited.ts'
import { CHANNEL, CONFIG, OLD_STREAM, OTHER, Planted, SELF, STREAM } from './planted.ts'

let planted: Planted
beforeEach(async () => {
  planted = await Planted.make()
})
afterEach(() => planted.close())

const brief = (report: AuditReport): readonly (readonly [CheckName, string])[] => report.differences.map(({ check, where }) => [check, where] as const)

it('sound books: nothing, and every check has looked at something', async () => {
  const report = await planted.audit()
  expect(report.differences).toEqual([])
  expect(report.unnamed).toBe(0)
  const noChain = `channel ${CHANNEL} with ${OTHER.address}: this box follows no chain (role light or sealer)`
  expect(report.unchecked).toEqual([
    { check: 'chain', why: noChain },
    { check: 'chain-sum', why: `all channels in TOK of contract ${CONTRACT}: ${noChain}` },
  ])
  expect(report.contracts).toEqual([])
  const looked: readonly CheckName[] = ['ledger-balance', 'ledger-totals', 'ledger-days', 'ledger-shares', 'voucher', 'session-unserved', 'session-unpaid', 'stream', 'top-up', 'channel', 'guarantee', 'exposure', 'history', 'outbox', 'carriage', 'roaming', 'uplink-twice', 'receipts', 'tenant-sums', 'tenant-credit', 'stream-unpaid', 'stream-claimed', 'receipt-postings', 'payout']
  for (const check of looked) expect([check, report.looked[check] ?? 0]).not.toEqual([check, 0])
})

const CONTRACT = `0x${'c0'.repeat(20)}` as const
const entryOf = (evidence: string): string => `(SELECT id FROM ledger_entries WHERE evidence_id = '${evidence}')`
/** SQL of other hands, and what is to be named: check, where (part of it), expected and found. */
const CASES: readonly (readonly [what: string, sql: readonly string[], check: CheckName, where: string, amount: readonly [bigint, bigint] | null])[] = [
  ['a posting that was changed', [`UPDATE ledger_postings SET amount = '3001' WHERE entry_id = ${entryOf('v1')} AND amount = '3000'`], 'ledger-balance', 'voucher v1', [0n, 1n]],
  ['an amount that is not the debits', [`UPDATE ledger_entries SET amount = '2999' WHERE evidence_id = 'p1'`], 'ledger-balance', 'payment p1', [7n, 2999n]],
  ['a balance that was changed', ["UPDATE ledger_totals SET balance = '1' WHERE account = 'purse:channels'"], 'ledger-totals', 'purse:channels', [-5000n, 1n]],
  ['a balance that is gone', ["DELETE FROM ledger_totals WHERE account = 'purse:channels'"], 'ledger-totals', 'purse:channels', [-5000n, 0n]],
  ['a day that was changed', ["UPDATE ledger_days SET gained = '9' WHERE account = 'purse:channels'"], 'ledger-days', 'purse:channels', [5000n, 9n]],
  ['shares that are not the earning', [`UPDATE ledger_postings SET amount = '-1' WHERE entry_id = ${entryOf('p1')} AND account = 'owner'`], 'ledger-shares', 'payment p1', [7n, 3n]],
  ['more taken back than earned', ["UPDATE ledger_entries SET taken = '3001' WHERE kind = 'reverse'"], 'ledger-shares', 'refund', [3000n, 3001n]],
  ['a used voucher without an entry', ["UPDATE hotspot_voucher SET state = 'used' WHERE id = 'v3'"], 'voucher', 'voucher v3', [3000n, 0n]],
  ['an unused voucher with an entry', ["UPDATE hotspot_voucher SET state = 'unused' WHERE id = 'v1'"], 'voucher', 'voucher v1', [0n, 3000n]],
  ['another price in the ledger', ["UPDATE hotspot_voucher SET price = '4000' WHERE id = 'v1'"], 'voucher', 'voucher v1', [4000n, 3000n]],
  ['an earning by an unknown voucher', ["DELETE FROM hotspot_voucher WHERE id = 'v1'"], 'voucher', 'voucher v1', [0n, 3000n]],
  ['a voucher used and not in its session', ["UPDATE hotspot_allotment SET bearer = 'x' WHERE bearer = 'v1'"], 'session-unserved', 'voucher v1, session 00000000000000a1', [3000n, 0n]],
  ['paid, ended and not served', ["UPDATE hotspot_progress SET used = replace(used, '1800000', '60000') WHERE session_id = '00000000000000a1'"], 'session-unserved', 'session 00000000000000a1', [3000n, 0n]],
  ['a refund that is not in the ledger', ["UPDATE hotspot_allotment SET refunded = '2000' WHERE session_id = '00000000000000a2'"], 'session-unserved', 'session 00000000000000a2', [2000n, 1000n]],
  ['served and not paid', ["UPDATE hotspot_allotment SET entry_id = NULL WHERE session_id = '00000000000000a1'"], 'session-unpaid', 'session 00000000000000a1', [3000n, 0n]],
  ['used more than bought', ["UPDATE hotspot_progress SET used = replace(used, '1800000', '1800001') WHERE session_id = '00000000000000a1'"], 'session-unpaid', 'session 00000000000000a1', [1_800_000n, 1_800_001n]],
  ['a stream noted for another value', [`UPDATE hotspot_stream_posted SET value = '80' WHERE stream = '${STREAM}'`], 'stream', `stream ${STREAM}`, [80n, 70n]],
  ['a stream earned beyond its vouchers', [`UPDATE photon_stream SET record = replace(record, '"steps":60', '"steps":30')`], 'stream', `stream ${STREAM}`, [60n, 70n]],
  ['seconds served beyond the words that are held', ["UPDATE hotspot_progress SET used = replace(used, '[40000,', '[300000,')  WHERE session_id = '00000000000000a1'"], 'stream-unpaid', `stream ${STREAM}`, [45n, 300n]],
  ['seconds served beyond the last voucher of an older stream', ["UPDATE hotspot_progress SET used = replace(used, '[30000,', '[226000,') WHERE session_id = '00000000000000a2'"], 'stream-unpaid', `stream ${OLD_STREAM}`, [30n, 226n]],
  ['seconds served without any proof', ['DELETE FROM photon_stream', 'DELETE FROM hotspot_stream_posted', "UPDATE hotspot_stream SET used_before_ms = 160000 WHERE is_over = 0"], 'stream-unpaid', `stream ${STREAM}`, [0n, 200n]],
  ['a stream that ended with more unpaid than its grace', [`UPDATE photon_stream SET record = replace(replace(replace(record, '"phase":"open"', '"phase":"over"'), '"owed":"0"', '"owed":"16"'), '"final":"30"', '"final":"70"')`], 'stream-unpaid', `stream ${STREAM}`, [15n, 16n]],
  ['a top-up without its entry', ["UPDATE hotspot_top_up SET amount = '6000'"], 'top-up', 'code v4', [6000n, 5000n]],
  ['a code that can be used again', ["UPDATE hotspot_voucher SET state = 'unused' WHERE id = 'v4'"], 'top-up', 'code v4', [5000n, 10_000n]],
  ['a fee that is not booked', ["UPDATE photon_history SET amount = '9' WHERE amount = '7'"], 'history', 'history up to row 6', [9n, 7n]],
  ["a tenant's payment that is not counted", ["UPDATE iot_paid SET amount = '150'"], 'history', `payer ${OTHER.address}`, [200n, 150n]],
  ['more came by the history than by the channel', ["UPDATE photon_history SET amount = '201' WHERE amount = '100'"], 'history', `channel ${CHANNEL}`, [300n, 401n]],
  ['a payment by a message that never was', ["UPDATE photon_history SET nonce = 99 WHERE amount = '100'"], 'history', `channel ${CHANNEL}`, null],
  ['a message that cannot be sent again', ['DELETE FROM photon_packet'], 'outbox', `channel ${CHANNEL}`, null],
  ['carrying that was paid and not booked', ["UPDATE mesh_carriages SET paid = '60'"], 'carriage', 'carriage ', [60n, 50n]],
  ['carrying paid beyond what was signed', ["UPDATE mesh_carriages SET paid = '91'"], 'carriage', 'carriage ', [90n, 91n]],
  ['carrying booked with one signature', [`UPDATE ledger_entries SET facts = json_remove(facts, '$.clientReading') WHERE evidence_id = 'c1'`], 'carriage', 'entry ', [0n, 50n]],
  ['roaming that was paid and not booked', [`UPDATE mesh_roam_accounts SET state = replace(state, '"60"', '"70"')`], 'roaming', `guests of ${OTHER.address}`, [70n, 60n]],
  ["roaming booked on somebody's ticket", [`UPDATE ledger_entries SET facts = json_set(facts, '$.seller', '${SELF.address}') WHERE evidence_type = 'roaming'`], 'roaming', 'entry ', [0n, 60n]],
  ['a guest box that owes too much', [`UPDATE mesh_roam_accounts SET state = replace(state, '"6000"', '"60000"')`], 'exposure', `guests of ${OTHER.address}`, [100n, 940n]],
  ['an uplink billed twice', ['UPDATE iot_unit SET frame = (SELECT frame FROM iot_unit WHERE seq = 1) WHERE seq = 3'], 'uplink-twice', 'tenant farm', [0n, 90n]],
  ['a unit that was changed', ["UPDATE iot_unit SET tmst_us = 7 WHERE seq = 2"], 'receipts', 'tenant farm', null],
  ['a unit that is gone', ['DELETE FROM iot_unit WHERE seq = 2'], 'receipts', 'tenant farm', null],
  ['a receipt of another', [`UPDATE iot_receipt SET gateway = '${OTHER.address}'`], 'receipts', 'tenant farm', null],
  ['a receipt for another sum', ["UPDATE iot_receipt SET cum_amount = '280'"], 'receipts', 'tenant farm', [270n, 280n]],
  ['a bill that is not its parts', ["UPDATE iot_account SET cum_amount = '271'"], 'tenant-sums', 'tenant farm', [270n, 271n]],
  ['booked, and not in the ledger', ["UPDATE iot_sum SET booked = '269'"], 'tenant-sums', 'tenant farm', [269n, 270n]],
  ['paid, and not in the ledger', ["UPDATE iot_account SET settled = '190'"], 'tenant-sums', 'tenant farm', [190n, 200n]],
  ['held, and nothing is delivered', ['DELETE FROM iot_held'], 'tenant-sums', 'tenant farm', [0n, 5n]],
  ['own carrying paid beyond its readings', [`UPDATE ledger_entries SET facts = json_set(facts, '$.owedParts', '${19n << 20n}') WHERE evidence_id = 'c2'`], 'receipt-postings', 'carriage-paid c2', [19n, 20n]],
  ['guests booked for another sum than their evidence adds', [`UPDATE ledger_entries SET facts = json_set(facts, '$.total', '70') WHERE evidence_type = 'roaming'`], 'receipt-postings', 'mesh:roaming', [70n, 60n]],
  ["guests' money from another box", [`UPDATE ledger_postings SET account = 'photon:0x00' WHERE account LIKE 'photon:%' AND entry_id = (SELECT id FROM ledger_entries WHERE evidence_type = 'roaming')`], 'receipt-postings', 'mesh:roaming', [60n, 0n]],
  ['a bill booked for another sum than its receipt', [`UPDATE ledger_entries SET facts = json_set(facts, '$.cumAmount', '271') WHERE evidence_type = 'iot-receipt'`], 'receipt-postings', 'farm:1:3', [270n, 271n]],
  ['a bill booked for less than its receipt', [`UPDATE ledger_entries SET amount = '260' WHERE evidence_type = 'iot-receipt'`], 'receipt-postings', 'tenant farm', [270n, 260n]],
  ['a bill on the account of another tenant', [`UPDATE ledger_postings SET account = 'due:iot-mill' WHERE account = 'due:iot-farm' AND amount = '270'`], 'receipt-postings', 'farm:1:3', [270n, 0n]],
  ['a payment booked for another sum than its evidence adds', [`UPDATE ledger_entries SET facts = json_set(facts, '$.paid', '210') WHERE evidence_type = 'iot-payment'`], 'receipt-postings', 'farm:1:200', [210n, 200n]],
  ['a payout that was never sent', [`DELETE FROM photon_history WHERE amount = '25'`], 'payout', 'payout 1 to community:club', [25n, 0n]],
  ['a payout that was sent twice', [`INSERT INTO photon_history (kind, channel, nonce, amount, wall_ms, key, data) SELECT kind, channel, nonce, amount, wall_ms, key, data FROM photon_history WHERE amount = '10'`], 'payout', 'payout 2', [10n, 20n]],
  ['a payout for another sum than was sent', [`UPDATE photon_history SET amount = '24' WHERE amount = '25'`], 'payout', 'payout 1', [25n, 24n]],
  ['money that no payout knows', ['DELETE FROM payouts WHERE id = 2'], 'payout', `to ${OTHER.address}, row 5`, [0n, 10n]],
  ['a posting that no payout knows', ['DELETE FROM payouts WHERE id = 2'], 'payout', 'entry ', [0n, 10n]],
  ['a payout that was given up and sent', [`UPDATE payouts SET state = 'dropped', signature = NULL WHERE id = 2`], 'payout', 'payout 2', [0n, 10n]],
  ['a payout for more than its lines', [`UPDATE payouts SET amount = '26' WHERE id = 1`], 'payout', 'payout 1', [25n, 26n]],
  ['a payout for other lines than its payment names', [`UPDATE payouts SET reference = zeroblob(32) WHERE id = 1`], 'payout', 'payout 1', null],
  ['a statement with the signature of another', [`UPDATE payouts SET signature = (SELECT signature FROM payouts WHERE id = 2) WHERE id = 1`], 'payout', 'payout 1', null],
  ['a payout that the ledger has not paid', ['UPDATE payouts SET entry_id = 1 WHERE id = 2'], 'payout', 'payout 2', [10n, 0n]],
  ['a payout posted to another', [`UPDATE ledger_postings SET account = 'photon:0x00' WHERE account LIKE 'photon:%' AND amount = '-25'`], 'payout', 'payout 1', [25n, 0n]],
  ['a line that is paid twice', ['UPDATE payouts SET after_entry = 0 WHERE id = 2'], 'payout', 'payout 2', [35n, 10n]],
  ['a payout that does not follow the one before', ['UPDATE payouts SET previous = zeroblob(32) WHERE id = 2'], 'payout', 'payout 2', null],
  ['a payout under two locks', [`INSERT INTO photon_history (kind, channel, nonce, amount, wall_ms, key, peer, data, token, fee) SELECT kind, channel, nonce, amount, wall_ms, zeroblob(32), peer, data, token, fee FROM photon_history WHERE fee = '2'`], 'payout', 'payout 3', [13n, 26n]],
  ['a payout under another lock than its statement says', [`UPDATE photon_history SET key = zeroblob(32) WHERE fee = '2'`], 'payout', 'payout 3', null],
  ['a payout over other boxes whose statement says directly', ['DELETE FROM payout_tries'], 'payout', 'payout 3', null],
  ['a payout directly whose statement says over other boxes', [`INSERT INTO payout_tries VALUES (1, 1, zeroblob(32), '5', 0, 'paid', NULL, '0', '[]', zeroblob(20))`], 'payout', 'payout 1', null],
  ['a fee of a payout that is not in the ledger', [`UPDATE ledger_entries SET source = 'milestone:reward' WHERE source = 'payout:fee'`], 'payout', 'payout 3', [2n, 0n]],
  ['another fee of a payout in the ledger', [`UPDATE ledger_postings SET amount = '1' WHERE account = 'cost:payout'`], 'payout', 'payout 3', [2n, 1n]],
  ['another fee of a payout in the history', [`UPDATE photon_history SET fee = '5' WHERE fee = '2'`], 'payout', 'payout 3', [2n, 5n]],
  ['a fee of a payout that went directly', [`UPDATE ledger_entries SET evidence_id = (SELECT evidence_id FROM ledger_entries WHERE source = 'payout:photon' ORDER BY id LIMIT 1) WHERE source = 'payout:fee'`], 'payout', 'entry ', [0n, 2n]],
  ['credit beyond its window', ["UPDATE iot_tenant SET credit_window = '74'"], 'tenant-credit', 'tenant farm', [74n, 75n]],
]

it('a carrier whose client paid for a last answer that never came has nothing to explain', async () => {
  await planted.spoil("UPDATE mesh_carriages SET paid = '91', stage = 'ended'")
  const { differences } = await planted.audit()
  expect(differences.filter(({ what }) => what.startsWith('more was paid for carrying'))).toEqual([])
})

describe('planted by other hands', () => {
  it.each(CASES)('%s', async (_, sql, check, where, amount) => {
    await planted.spoil(...sql)
    const { differences } = await planted.audit()
    const found = differences.filter((one) => one.check === check && one.where.includes(where) && (amount === null || (one.amount?.expected === amount[0] && one.amount.found === amount[1])))
    expect([found.length > 0, differences]).toEqual([true, differences])
    for (const { advice, what } of differences) expect([what === '', advice === '']).toEqual([false, false])
  })
})

describe('planted in a channel', () => {
  it('given more than there was, locks that are no sum, a proof of another, more counted than proved', async () => {
    await planted.changeChannel((state) => ({ ...state, own: { ...state.own, transferred: 1301n } }))
    expect((await planted.audit()).differences).toMatchObject([{ check: 'channel', what: 'the own side has given more than it had', amount: { expected: 0n, found: -1n } }])
    await planted.changeChannel((state) => ({ ...state, own: { ...state.own, transferred: 35n, locked: 4n } }))
    expect((await planted.audit()).differences).toMatchObject([{ check: 'channel', amount: { expected: 0n, found: 4n } }])
    await planted.changeChannel((state) => ({ ...state, own: { ...state.own, locked: 0n }, partner: { ...state.partner, claimed: 301n } }))
    expect(brief(await planted.audit())).toEqual([['channel', `channel ${CHANNEL} with ${OTHER.address}`]])
    await planted.changeChannel((state) => ({ ...state, partner: { ...state.partner, claimed: 0n, transferred: 310n } }))
    expect((await planted.audit()).differences).toMatchObject([{ check: 'guarantee', amount: { expected: 310n, found: 300n } }])
    await planted.changeChannel((state) => ({ ...state, partner: { ...state.partner, transferred: 300n, proof: state.partner.proof === null ? null : { ...state.partner.proof, nonce: 3n } } }))
    expect((await planted.audit()).differences).toMatchObject([{ check: 'channel', what: "the partner side's newest proof is not signed by it" }])
  })

  it.each([[15_600, []], [15_660, [['exposure', `guests of ${OTHER.address}`]]]] as const)('guests of another box: the last words of who was let in may bring its debt to twice the limit, and no further (%i parts)', async (parts, found) => {
    await planted.spoil(`UPDATE mesh_roam_accounts SET state = replace(state, '"6000"', '"${parts}"')`)
    expect(brief(await planted.audit())).toEqual(found)
  })

  it.each([[15_659n, 100n, []], [15_660n, 100n, ['exposure']], [15_660n, 101n, []], [9_659n, 0n, []], [9_660n, 0n, ['exposure']]] as const)('guests of another box, by what those who were in could still bring when the limit was passed (%i parts, %i units)', async (parts, beyond, found) => {
    await planted.spoil(`UPDATE mesh_roam_accounts SET state = replace(state, '{"n":"6000"}', '{"n":"${parts}"},"beyondParts":{"n":"${beyond * 60n}"}')`)
    expect((await planted.audit()).differences.map(({ check }) => check)).toEqual(found)
  })

  it('what another box owed and its owner wrote off is not open', async () => {
    await planted.spoil(`UPDATE mesh_roam_accounts SET state = replace(state, '{"n":"6000"}', '{"n":"60000"},"writtenOff":{"n":"840"}')`)
    expect((await planted.audit()).differences).toEqual([])
    await planted.spoil(`UPDATE mesh_roam_accounts SET state = replace(state, '"840"', '"739"')`)
    expect((await planted.audit()).differences).toMatchObject([{ check: 'exposure', amount: { expected: 100n, found: 201n } }])
  })

  it('more taken while nobody saw the chain than may be', async () => {
    await planted.changeChannel((state) => ({ ...state, offlineFrom: 199n }))
    expect((await planted.audit()).differences).toMatchObject([{ check: 'exposure', amount: { expected: 100n, found: 101n } }])
  })
})

describe('claims on the chain that were not the box\'s own', () => {
  const found = async (): Promise<readonly unknown[]> =>
    (await planted.audit()).differences.map(({ check, what, where, amount }) => [check, what, where, amount?.expected, amount?.found])
  const where = `channel ${CHANNEL}, life 1`
  /** 300 are proved, the stream is over, and somebody else has claimed 350. */
  const claimed = async (): Promise<void> => {
    await planted.changeChannel((state) => ({ ...state, partner: { ...state.partner, claimed: 350n, transferred: 350n } }))
    await planted.spoil(`UPDATE photon_stream SET record = replace(replace(record, '"phase":"open"', '"phase":"over"'), '"final":"30"', '"final":"75"')`)
  }
  const booked = (value: bigint): Promise<void> => planted.book(`${CHANNEL}.1.${value}`, value - 300n, { epoch: '1', base: '300', value: value.toString() }, value)
  it('are in the ledger', async () => {
    await claimed()
    expect(await found()).toEqual([['stream-claimed', 'the chain has paid more of a stream than the ledger has', where, 350n, 300n]])
    await booked(340n)
    expect(await found()).toEqual([['stream-claimed', 'the chain has paid more of a stream than the ledger has', where, 350n, 340n]])
    await booked(350n)
    expect(await found()).toEqual([])
  })
  it('are of what the chain has paid, and noted as booked', async () => {
    await claimed()
    await booked(351n)
    expect(await found()).toEqual([['stream-claimed', 'the ledger has earned more by claims of others than the chain has paid', where, 350n, 351n]])
    await planted.spoil("UPDATE hotspot_stream_claimed SET value = '350'")
    expect(await found()).toEqual([['stream-claimed', "the ledger's entry of a claim that was not the box's own is not for the value that was noted as posted", where, 350n, 351n]])
  })
})

describe('a channel that is settled', () => {
  /** 1000 each, 35 given, 300 got; 70 of those by streams: the ledger has them. */
  const ended = (own: bigint, partner: bigint, isCooperative: boolean, change: (state: ChannelState) => ChannelState = (state) => state): Promise<void> =>
    planted.changeChannel((state) => change({
      ...state, phase: 'settled', payout: { own, partner, isCooperative },
      dispute: isCooperative ? null : { closedBy: SELF.address, closeBlock: 50, settleBlock: 650, own: { ...POSTED, nonce: 1n, transferred: 35n }, partner: { ...POSTED, nonce: 2n, transferred: 300n } },
      agreement: isCooperative ? { kind: 'settle', asker: SELF.address, terms: { p1: OTHER.address, balance1: 735n, p2: SELF.address, balance2: 1265n, validUntil: 60 }, ownSignature: null, partnerSignature: null } : null,
    }))
  const POSTED = { nonce: 0n, transferred: 0n, locksroot: `0x${'00'.repeat(32)}`, unlocked: [] } as const
  const settled = async (): Promise<readonly (readonly [string, bigint | undefined, bigint | undefined])[]> =>
    (await planted.audit()).differences.filter(({ check }) => check === 'settled').map(({ what, amount }) => [what, amount?.expected, amount?.found] as const)

  it.each([true, false])('as its books say (by agreement: %s): nothing, and it was looked at', async (isCooperative) => {
    await ended(1265n, 735n, isCooperative)
    const report = await planted.audit()
    expect([report.differences, report.looked.settled]).toEqual([[], 1])
    expect(report.unchecked.filter(({ check }) => check === 'settled')).toEqual([])
  })

  it('for another sum than the contract had', async () => {
    await ended(1265n, 734n, true)
    expect(await settled()).toEqual([['the chain paid out another sum than the contract had of it', 2000n, 1999n]])
  })

  it('for another sum than both signed, or than the posted proofs come to', async () => {
    await ended(1266n, 734n, true)
    expect(await settled()).toEqual([['the chain paid this box another sum than both signed', 1265n, 1266n]])
    await ended(1266n, 734n, false)
    expect(await settled()).toEqual([['the chain paid this box another sum than the posted proofs come to', 1265n, 1266n]])
  })

  it('by an old proof of the partner that nobody answered: what was lost; one of ours that he did not post is no loss', async () => {
    const posted = (own: bigint, partner: bigint) => (state: ChannelState): ChannelState => (state.dispute === null ? state : { ...state, dispute: { ...state.dispute, own: { ...state.dispute.own, transferred: own }, partner: { ...state.dispute.partner, transferred: partner } } })
    await ended(1165n, 835n, false, posted(35n, 200n))
    expect(await settled()).toEqual([['the chain paid this box less than its newest state of the channel says', 1265n, 1165n]])
    await ended(1300n, 700n, false, posted(0n, 300n))
    expect(await settled()).toEqual([])
  })

  it('without payouts that were called paid: each is named, and the settled figures agree', async () => {
    await ended(1300n, 700n, false, (state) => (state.dispute === null ? state : { ...state, dispute: { ...state.dispute, own: POSTED } }))
    const { differences } = await planted.audit()
    expect(differences.map(({ check, where, amount }) => [check, where, amount?.expected, amount?.found])).toEqual([['payout', 'payout 1 to community:club', 25n, 0n], ['payout', 'payout 2 to community:club', 10n, 0n]])
    // Made anew and given up, it has not left.
    await planted.spoil("UPDATE payouts SET state = 'dropped', signature = NULL WHERE id = 2", "DELETE FROM photon_history WHERE amount = '25'")
    expect((await planted.audit()).differences.filter(({ what }) => what.includes('has left'))).toEqual([])
  })

  it('with a lock that the partner got: counted against us it is no loss', async () => {
    await ended(1260n, 740n, false, (state) => ({ ...state, own: { ...state.own, locked: 5n }, dispute: state.dispute === null ? null : { ...state.dispute, own: { ...state.dispute.own, transferred: 40n } } }))
    expect(await settled()).toEqual([])
  })

  it('for less than the ledger has earned by its streams', async () => {
    await ended(1030n, 970n, true, (state) => ({ ...state, partner: { ...state.partner, transferred: 65n }, agreement: state.agreement?.kind === 'settle' ? { ...state.agreement, terms: { ...state.agreement.terms, balance1: 970n, balance2: 1030n } } : null }))
    expect(await settled()).toEqual([["the ledger has earned more by the channel's streams than the chain gave of the partner's", 65n, 70n]])
  })

  it('of which nobody told, or that an earlier version saw, is said to be not compared', async () => {
    const without = async (payout: null | undefined): Promise<readonly string[]> => {
      await planted.changeChannel(({ payout: _, ...state }) => ({ ...state, phase: 'settled', ...(payout === null ? { payout } : {}) }))
      const report = await planted.audit()
      expect(report.differences.filter(({ check }) => check === 'settled')).toEqual([])
      return report.unchecked.flatMap(({ check, why }) => (check === 'settled' ? [why] : []))
    }
    for (const payout of [null, undefined] as const) expect(await without(payout)).toEqual([expect.stringContaining('nobody told what the chain paid out') as string])
  })
})

describe('the chain', () => {
  const zero = { number: 9, hash: `0x${'09'.repeat(32)}` } as const
  const at = (): Promise<void> => planted.turn((tx) => tx.run('INSERT INTO photon_chain_position VALUES (?, ?, ?)', CONTRACT, zero.number, zero.hash))
  const auditWith = (storage: (slot: bigint) => bigint | null, hash: string = zero.hash): Promise<AuditReport> =>
    auditOf({ store: planted.store, self: SELF.address, config: CONFIG, chain: { at: (): never => ({ ...zero, hash }) as never, storage: (_point, _contract, slot): Promise<bigint | null> => Promise.resolve(storage(slot)) } })
  const keccak = (bytes: Uint8Array): Uint8Array => curve.keccak256(bytes)
  /** The contract's storage with that channel open in its first life. */
  const holding = (own: bigint, partner: bigint) => (slot: bigint): bigint => {
    if (slot === channelSlot(keccak, CHANNEL)) return (1n << 160n) | 1n
    if (slot === sideSlots(keccak, CHANNEL, SELF.address)[0]) return own
    return slot === sideSlots(keccak, CHANNEL, OTHER.address)[0] ? partner : 0n
  }

  it('that has the same: what all channels hold is said, with the block', async () => {
    await at()
    const report = await auditWith(holding(1000n, 1000n))
    expect([report.differences, report.unchecked]).toEqual([[], []])
    expect(report.contracts).toEqual([{ contract: CONTRACT, token: 'TOK', block: 9, channels: 1, pot: 2000n }])
    expect([report.looked.chain, report.looked['chain-sum']]).toEqual([1, 1])
  })

  it('that holds less: by the side and by the sum', async () => {
    await at()
    const { differences } = await auditWith(holding(900n, 1000n))
    expect(differences).toMatchObject([
      { check: 'chain', what: "the own side's deposit is not what the contract has", amount: { expected: 900n, found: 1000n, token: 'TOK' } },
      { check: 'chain-sum', where: `contract ${CONTRACT}, block 9, channels: 1`, amount: { expected: 1900n, found: 2000n, token: 'TOK' } },
    ])
  })

  it('whose contract has no such channel', async () => {
    await at()
    const report = await auditWith(() => 0n)
    expect(report.differences).toMatchObject([{ check: 'chain', what: 'a channel that is kept is not in the contract' }, { check: 'chain-sum', amount: { expected: 0n, found: 2000n } }])
    expect(report.unchecked).toEqual([])
  })

  it.each([
    ['that went another way since', (): bigint => 0n, `0x${'08'.repeat(32)}`, 'block 9, up to which its news were taken in, is not on the chain that the box has now'],
    ['whose state nobody gives', (): null => null, zero.hash, "nobody gives the contract's state at block 9 now"],
  ] as const)('%s is not believed, and why is said', async (_, storage, hash, why) => {
    await at()
    const report = await auditWith(storage, hash)
    expect([report.differences, report.contracts]).toEqual([[], []])
    expect(report.unchecked).toMatchObject([{ check: 'chain', why: expect.stringContaining(why) }, { check: 'chain-sum', why: expect.stringContaining(why) }])
  })

  it('of which nothing was heard yet is said to be so', async () => {
    expect((await auditWith(() => 0n)).unchecked).toMatchObject([{ check: 'chain', why: expect.stringContaining('nothing was heard of this contract yet') }, { check: 'chain-sum' }])
  })
})

it('streams of an earlier version, without a price, are counted and not called sound', async () => {
  await planted.spoil(`UPDATE ledger_entries SET facts = json_remove(facts, '$.unit') WHERE evidence_type = 'stream-voucher'`)
  const report = await planted.audit()
  expect(report.differences).toEqual([])
  expect(report.unchecked).toContainEqual({ check: 'stream-unpaid', why: 'streams that an earlier version booked, without the price of a second: 1' })
})

it('more differences than are named are counted', async () => {
  await planted.turn((tx) => {
    for (let n = 100; n < 350; n++)
      tx.run("INSERT INTO hotspot_voucher (n, id, batch, slot, box, serial, label, devices, price, created_wall_ms, state, date_check) VALUES (?, ?, 'b', 1, 0, ?, '', 1, '5', 0, 'used', 'none')", n, `w${n}`, n)
  })
  const report = await planted.audit()
  expect([report.differences.length, report.unnamed]).toEqual([200, 50])
})

it('an empty book is sound, and pages are never longer than said', async () => {
  const store = openWholeStore(`${planted.folder}/empty.sqlite`)
  try {
    expect((await auditOf({ store, self: SELF.address })).differences).toEqual([])
    expect(PAGE_ROWS).toBeLessThanOrEqual(200)
  } finally {
    await store.close()
  }
})
