/** Sound books of every room in one file, small and made by the rooms' own code where that decides about money; and a hand that spoils them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ZERO_HASH, hexOf, momentOf, silentLog, toHex, utf8 } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import type { AuditReport } from '../../../src/audit/index.ts'
import { nextChainHash, receiptDigest } from '../../../src/iot/tenants/receipt/index.ts'
import { toChecksumAddress } from '../../../src/identity/index.ts'
import { textDigest } from '../../../src/identity/personal-message.ts'
import { createLedger } from '../../../src/ledger/index.ts'
import { createDocuments, encodeTicket, sealFrame } from '../../../src/mesh/documents/index.ts'
import { rowOf, withFrames } from '../../../src/mesh/metering/account.ts'
import type { Account } from '../../../src/mesh/metering/account.ts'
import { signReading } from '../../../src/mesh/metering/frames.ts'
import { writeCarriage } from '../../../src/mesh/metering/io/tables.ts'
import { referenceOf } from '../../../src/mesh/roaming/account.ts'
import type { Reading } from '../../../src/mesh/ports.ts'
import { openChannel } from '../../../src/photon/channel/index.ts'
import type { ChannelState } from '../../../src/photon/channel/index.ts'
import { decodeSnapshot } from '../../../src/photon/node/snapshot.ts'
import { insertChannel, updateChannel } from '../../../src/photon/node/tables/channels.ts'
import { insertHistory } from '../../../src/photon/node/tables/history.ts'
import { insertPackets } from '../../../src/photon/node/tables/packets.ts'
import { recordOf } from '../../../src/photon/stream/index.ts'
import { Payouts } from '../../../src/payout/index.ts'
import type { PayoutChannels } from '../../../src/payout/index.ts'
import { channelId, createDigests } from '../../../src/photon/wire/index.ts'
import type { Store, Tx } from '../../../src/store/index.ts'
import { auditOf, curve, keyFrom, openWholeStore } from '../../support/audited.ts'
import { FakeTime } from '../../support/fakes.ts'
import { LOCK_SENT, PaperLocks, payoutSettings } from '../../support/payout-box.ts'

export const SELF = keyFrom('self')
export const OTHER = keyFrom('other')
export const TOKEN: Address = `0x${'70'.repeat(20)}`
const CONTRACT: Address = `0x${'c0'.repeat(20)}`
const DOMAIN = { profile: 'v2', chainId: 7n, contract: CONTRACT } as const
export const CONFIG = `config token 'token'\n\toption symbol 'TOK'\n\toption decimals '6'\nconfig photon 'photon'\n\tlist tokens '${TOKEN}:TOK:6'\n\toption max_offline_exposure '0.0001'\nconfig mesh 'mesh'\n\toption token '${TOKEN}'\n\toption max_debt '0.0001'\n`
export const CHANNEL = channelId((bytes) => curve.keccak256(bytes), SELF.address, OTHER.address, TOKEN, CONTRACT)
const EPOCH = new Uint8Array(8).fill(5)
/** Running, and one before it on the same channel. */
export const STREAM = `${CHANNEL}.1.00000007`
export const OLD_STREAM = `${CHANNEL}.1.00000006`
export const UNITS = 3

const ledger = createLedger({ shares: () => [{ role: 'investor', beneficiary: 'lender', partsPerMillion: 250_000, sources: [] }] })
const time = new FakeTime()
const documentsOf = ({ secret, address }: typeof SELF) =>
  createDocuments(address, { keccak256: (bytes) => curve.keccak256(bytes), sign: (digest) => curve.sign(digest, secret), recoverAddress: (digest, signature) => curve.recoverAddress(digest, signature) })

export class Planted {
  readonly folder = mkdtempSync(join(tmpdir(), 'meshbox-audit-'))
  readonly store: Store = openWholeStore(join(this.folder, 'box.sqlite'))

  static async make(): Promise<Planted> {
    const planted = new Planted()
    await planted.store.turn((tx) => {
      hotspot(tx)
      channels(tx)
      carriage(tx)
      roaming(tx)
      tenants(tx)
    })
    await planted.pay(25n)
    await planted.pay(10n)
    await planted.pay(13n, true)
    return planted
  }

  /** Other hands at the file. Triggers that hold the book against our own mistakes are out of their way. */
  async spoil(...sql: readonly string[]): Promise<void> {
    await this.store.turn((tx) => {
      for (const name of ['ledger_entries_keep', 'ledger_entries_stay', 'ledger_postings_keep', 'ledger_postings_stay', 'ledger_postings_late']) tx.run(`DROP TRIGGER IF EXISTS ${name}`)
      for (const each of sql) if (tx.run(each) === 0) throw new Error(`nothing was changed by ${each}`)
    })
  }

  async changeChannel(change: (state: ChannelState) => ChannelState): Promise<void> {
    await this.store.turn((tx) => {
      const row = tx.get<{ state: Uint8Array; acked: number }>('SELECT state, acked FROM photon_channel WHERE number = 1')
      if (row === undefined) throw new Error('no channel')
      const before = decodeSnapshot<ChannelState>(row.state)
      updateChannel(tx, 1, BigInt(row.acked), before, change(before))
    })
  }

  /** An earning by a claim that was not the box's own, and its note. */
  async book(id: string, amount: bigint, facts: Readonly<Record<string, string>>, value: bigint): Promise<void> {
    await this.store.turn((tx) => {
      const entry = ledger.earn(tx, { source: 'hotspot:stream', token: 'TOK', amount, from: `channel:${CHANNEL}`, evidence: { type: 'stream-claim', id, facts }, at: momentOf(time) })
      tx.run('INSERT OR REPLACE INTO hotspot_stream_claimed VALUES (?, ?, ?, ?)', CHANNEL, '1', value.toString(), entry)
    })
  }

  /** A reward, and the payout of it, by the room itself: over channels that keep no more than their history. `isRouted`: over another box. */
  async pay(reward: bigint, isRouted = false): Promise<void> {
    const { store } = this
    const locked = new PaperLocks()
    const lock = locked.pay.bind(locked)
    Object.assign(locked, { hasRoute: isRouted, next: LOCK_SENT })
    locked.pay = async (order) => {
      await lock(order)
      const key = locked.all.at(-1)?.secretHash ?? ZERO_HASH
      await store.turn((tx) => insertHistory(tx, [{ channelNumber: 0, nonce: 0n, wallMs: 0, key, peer: order.to, note: '', kind: 'sent', amount: order.amount, data: order.data, token: order.token, fee: LOCK_SENT.fee }], 5))
    }
    await store.turn((tx) => ledger.post(tx, { source: 'milestone:reward', token: 'TOK', evidence: { type: 'milestone', id: `of ${reward}` }, postings: [{ account: 'owner', amount: reward }, { account: 'community:club', amount: -reward }], at }))
    const channels: PayoutChannels = {
      spendable: () => (isRouted ? null : 2n ** 127n),
      locked,
      newest: () => 0,
      after: () => ({ payments: [], lookedTo: null }),
      arrival: () => 'delivered',
      async pay({ amount, reference, data }) {
        await store.turn((tx) => insertHistory(tx, [{ channelNumber: 1, nonce: 1n, wallMs: 0, key: reference, peer: null, note: '', kind: 'direct-sent', amount, data }], 5))
        return { delivered: Promise.resolve() }
      },
    }
    const settings = payoutSettings({ token: { symbol: 'TOK', decimals: 6 }, shares: [], payees: [{ account: 'community:club', address: OTHER.address }], channelTokens: [{ address: TOKEN, symbol: 'TOK', decimals: 6 }] })
    const identity = { address: toChecksumAddress(SELF.address), signText: (text: string) => curve.sign(textDigest(text), SELF.secret), deriveSecret: () => SELF.secret }
    const payouts = new Payouts({ store, ledger, identity, settings: () => settings, channels: () => channels, clock: time, timers: time, log: silentLog })
    const { payout } = await payouts.payNow('community:club', 'TOK')
    while (payouts.payout(payout.id).payout.state === 'open') await store.turn(() => undefined)
    await payouts.stop()
  }

  turn(body: (tx: Tx) => void): Promise<void> {
    return this.store.turn(body)
  }

  audit(): Promise<AuditReport> {
    return auditOf({ store: this.store, self: SELF.address, config: CONFIG })
  }

  async close(): Promise<void> {
    await this.store.close()
    rmSync(this.folder, { recursive: true })
  }
}

const at = momentOf(time)
const [bootId, , wallMs] = [at.bootId, 0, at.wallMs]

function hotspot(tx: Tx): void {
  const voucher = (n: number, state: string, session: string | null, tokens: string | null): void => {
    tx.run(
      'INSERT INTO hotspot_voucher (n, id, batch, slot, box, serial, label, seconds, bytes, devices, price, created_wall_ms, state, session_id, date_check, tokens) VALUES (?, ?, ?, 1, 0, ?, ?, 1800, NULL, 1, ?, ?, ?, ?, ?, ?)',
      n, `v${n}`, 'b1', n, 'half an hour', '3000', wallMs, state, session, 'none', tokens,
    )
  }
  tx.run("INSERT INTO hotspot_session (id, state, end_reason, ticket_counter) VALUES ('00000000000000a1', 'ended', 'time-used', 0), ('00000000000000a2', 'ended', 'refunded', 0)")
  voucher(1, 'used', '00000000000000a1', null)
  voucher(2, 'used', '00000000000000a2', null)
  voucher(3, 'unused', null, null)
  voucher(4, 'used', null, '5000')
  for (const [n, refunded, usedMs] of [[1, '0', 1_800_000], [2, '1000', 1_200_000]] as const) {
    const entry = ledger.earn(tx, { source: 'hotspot:voucher', token: 'TOK', amount: 3000n, from: 'cash:vouchers', evidence: { type: 'voucher', id: `v${n}` }, at })
    const session = `00000000000000a${n}`
    if (refunded !== '0') ledger.reverse(tx, entry, BigInt(refunded), { type: 'refund', id: `${session}.0` }, at)
    tx.run('INSERT INTO hotspot_allotment VALUES (?, 0, ?, ?, ?, 1800000, NULL, 1, NULL, NULL, ?, ?, ?, ?)', session, 'voucher', `v${n}`, 'half an hour', '3000', refunded, entry, refunded === '0' ? 0 : 1)
    tx.run('INSERT INTO hotspot_progress VALUES (?, ?, NULL, NULL, ?)', session, bootId, JSON.stringify({ allotments: [[usedMs, 0], [n === 1 ? 40_000 : 30_000, 0]], bytes: [0, 0], devices: {} }))
    const stream = n === 1 ? STREAM : OLD_STREAM
    tx.run('INSERT INTO hotspot_allotment VALUES (?, 1, ?, ?, ?, 60000, NULL, 1, NULL, NULL, ?, ?, NULL, 0)', session, 'stream', stream, 'by the second', '0', '0')
    tx.run('INSERT INTO hotspot_stream (stream, session_id, used_before_ms, is_over) VALUES (?, ?, 0, ?)', stream, session, n - 1)
  }
  tx.run("INSERT INTO hotspot_top_up (code, payer, amount, price, state, boot_id, boottime_ms, wall_ms, wall_trusted) VALUES ('v4', ?, '5000', '3000', 'funded', ?, 0, 0, 0)", OTHER.address, bootId)
  ledger.post(tx, { source: 'hotspot:top-up', token: 'TOK', evidence: { type: 'token-voucher', id: 'v4' }, postings: [{ account: 'cash:vouchers', amount: 3000n }, { account: 'top-up:difference', amount: 2000n }, { account: 'purse:channels', amount: -5000n }], at })
  for (const [stream, base, value] of [[OLD_STREAM, 0n, 30n], [STREAM, 30n, 70n]] as const) {
    const facts = { epoch: '1', value: value.toString(), base: base.toString(), unit: '1', tickSeconds: 1 }
    const entry = ledger.earn(tx, { source: 'hotspot:stream', token: 'TOK', amount: value - base, from: `channel:${CHANNEL}`, evidence: { type: 'stream-voucher', id: `${stream}.${value}`, facts }, at })
    tx.run('INSERT INTO hotspot_stream_posted VALUES (?, ?, ?)', stream, value.toString(), entry)
  }
  tx.run('INSERT INTO photon_stream VALUES (?, 1, ?)', CHANNEL, streamRecord())
}

/** 45 seconds are paid since value 30, by a voucher for 60. */
function streamRecord(): string {
  const word: Hash = `0x${'0d'.repeat(32)}`
  const key = { channel: CHANNEL, epoch: 1n }
  const voucher = { ...key, cumulative: 30n, tip: word, steps: 60, unit: 1n, signature: new Uint8Array(65) }
  const terms = { chainId: 7n, contract: CONTRACT, token: TOKEN, unit: 1n, tickSeconds: 1, steps: 60, graceTicks: 15, minDeposit: 1n, settleTimeout: 600, validUntilSeconds: 0 }
  return recordOf({
    account: { ...key, domain: DOMAIN, token: TOKEN, payer: OTHER.address, payee: SELF.address, transferred: 0n, proved: 0n, ceiling: 1000n },
    final: 30n, owed: 0n, claim: null,
    session: { id: 7, challenge: word, device: '02:00:00:00:00:01', terms, phase: 'open', base: 30n, debtTicks: 0, servedTicks: 40, vouchers: [{ voucher, index: 45, preimage: new Uint8Array(32) }], lastAckMs: null, wrongTicks: 0 },
  })
}

function channels(tx: Tx): void {
  const fresh = openChannel({ domain: DOMAIN, token: TOKEN, own: SELF.address, partner: OTHER.address, key: { channel: CHANNEL, epoch: 1n }, settleTimeout: 600, role: 'core', ownDeposit: 1000n, partnerDeposit: 1000n, openBlock: 5 })
  const envelope = { channel: CHANNEL, epoch: 1n, nonce: 2n, transferred: 300n, locksroot: fresh.own.locksroot }
  const extra: Hash = `0x${'0e'.repeat(32)}`
  const digest = createDigests(DOMAIN, (bytes) => curve.keccak256(bytes)).balanceProof({ ...envelope, extra })
  const proof = { ...envelope, extra, signature: curve.sign(digest, OTHER.secret) }
  insertChannel(tx, { ...fresh, own: { ...fresh.own, nonce: 1n, transferred: 35n }, partner: { ...fresh.partner, nonce: 2n, transferred: 300n, proof } })
  insertPackets(tx, [{ channelNumber: 1, who: 'own', nonce: 1n, packet: new Uint8Array(3) }])
  const row = { channelNumber: 1, nonce: 1n, wallMs: 0, key: extra, peer: null, note: '' }
  insertHistory(tx, [{ ...row, kind: 'direct-received', amount: 200n, data: utf8('iot') }, { ...row, kind: 'direct-received', amount: 100n, data: new Uint8Array(0) }, { ...row, kind: 'mediated', channelNumber: 0, amount: 7n, data: new Uint8Array(0), token: TOKEN, fee: 7n }], 5)
  ledger.earn(tx, { source: 'photon:fee', token: 'TOK', amount: 7n, from: `photon:${OTHER.address}`, evidence: { type: 'payment', id: 'p1' }, at })
}

function carriage(tx: Tx): void {
  const reading = (sequence: number): Reading => ({ carrier: SELF.address, client: OTHER.address, epoch: EPOCH, sequence, priceSequence: 1, bytes: { up: 1n << 20n, down: 0n }, after: 0, owedParts: 0n, token: TOKEN })
  const signed = reading(1)
  const frames = { carrier: signReading(documentsOf(SELF), signed), client: signReading(documentsOf(OTHER), signed) }
  const pair = { carrier: signed, client: signed }
  const account: Account = withFrames(
    {
      state: {
        role: 'carrier', carrier: SELF.address, client: OTHER.address, token: TOKEN, epoch: EPOCH, state: 'running', reason: null, isBroken: false, sinceMs: 0, prices: [{ sequence: 1, unitsPerMiB: 90n }],
        agreed: { from: null, pair, owedParts: 90n << 20n, stretch: { carrier: 0n, client: 0n }, tally: { short: 0n, judgedBytes: 0n, judgedShort: 0n, drifts: 0, allDrifts: 0 }, isOver: false }, answered: null, waiting: null, lastNumber: 1, heardMs: 0, paid: 50n, openSinceMs: 0,
      } as Account['state'],
      meter: { role: 'carrier', bytes: { up: 0n, down: 0n }, marks: new Map() }, frames: new Map(), payments: 1, order: null, payee: SELF.address, writtenOff: 0n, isReadmitted: false,
    },
    [{ by: 'carrier', ...frames.carrier }, { by: 'client', ...frames.client }],
  )
  writeCarriage(tx, rowOf(account, bootId), false)
  const facts = { carrier: SELF.address, client: OTHER.address, epoch: toHex(EPOCH), owedParts: '1', carrierReading: hexOf(frames.carrier.frame), clientReading: hexOf(frames.client.frame) }
  const theirs: Reading = { ...signed, carrier: OTHER.address, client: SELF.address }
  const paid = { carrier: OTHER.address, client: SELF.address, epoch: '06'.repeat(8), owedParts: (20n << 20n).toString(), carrierReading: hexOf(signReading(documentsOf(OTHER), theirs).frame), clientReading: hexOf(signReading(documentsOf(SELF), theirs).frame) }
  ledger.post(tx, { source: 'mesh:relay', token: 'TOK', evidence: { type: 'carriage-paid', id: 'c2', facts: paid }, postings: [{ account: 'cost:relay', amount: 20n }, { account: `photon:${OTHER.address}`, amount: -20n }], at })
  ledger.earn(tx, { source: 'mesh:relay', token: 'TOK', amount: 50n, from: `photon:${OTHER.address}`, evidence: { type: 'carriage', id: 'c1', facts }, at })
}

function roaming(tx: Tx): void {
  const reference = referenceOf((bytes) => curve.keccak256(bytes), OTHER.address, SELF.address, TOKEN)
  tx.run("INSERT INTO mesh_roam_accounts VALUES ('holder', ?, ?, ?)", OTHER.address, TOKEN, JSON.stringify({ role: 'holder', partner: OTHER.address, token: TOKEN, owedParts: { n: '6000' }, paid: { n: '60' }, openSinceMs: null }))
  const ticket = encodeTicket({ sessionId: '00000000000000a9', mac: '02:00:00:00:00:01', bearerHash: `0x${'00'.repeat(32)}`, leftSeconds: 60, leftBytes: null, unitsPerMinute: 60n, token: TOKEN, counter: 1, holder: SELF.address, proofAfterSeconds: null })
  const facts = { seller: OTHER.address, total: '60', ticket1: hexOf(sealFrame(documentsOf(OTHER), 'ticket', ticket)) }
  ledger.earn(tx, { source: 'mesh:roaming', token: 'TOK', amount: 60n, from: `photon:${OTHER.address}`, evidence: { type: 'roaming', id: `${reference}:60`, facts }, at })
}

function tenants(tx: Tx): void {
  tx.run("INSERT INTO iot_tenant VALUES ('farm', 'Farm', ?, ?, '{}', '{}', '100', 1, 0, 0, 1, NULL)", OTHER.address, TOKEN)
  let hash: Uint8Array = new Uint8Array(32)
  for (let seq = 1; seq <= UNITS; seq++) {
    const frame = new Uint8Array(32).fill(seq)
    hash = nextChainHash(hash, { frame: toHex(frame), tmstUs: seq, units: 1, amount: 90n }, (bytes) => curve.keccak256(bytes))
    if (seq === 1) tx.run("INSERT INTO iot_account VALUES ('farm', 1, ?, ?, 0, 0, 0, 0, '0', ?, '5', 1, 0, '200', 0)", OTHER.address, TOKEN, hash)
    tx.run("INSERT INTO iot_unit VALUES ('farm', 1, ?, 'uplink', ?, ?, 1, '90', ?, 0, 0, 0)", seq, frame, seq, bootId)
  }
  tx.run("UPDATE iot_account SET seq = ?, cum_uplinks = ?, cum_units = ?, cum_amount = '270', chain_hash = ?, receipt_seq = ?", UNITS, UNITS, UNITS, hash, UNITS)
  tx.run("INSERT INTO iot_held VALUES ('farm', 'k1', 1, 'uplink', ?, 9, 1, '5', NULL, ?, 0, 0, 0)", new Uint8Array(32).fill(9), bootId)
  tx.run("INSERT INTO iot_sum VALUES ('farm', 1, 'uplink', '270', '270')")
  const receipt = { chainId: 7n, gateway: SELF.address, tenant: OTHER.address, token: TOKEN, channel: CHANNEL, channelEpoch: 1n, seq: BigInt(UNITS), cumUplinks: BigInt(UNITS), cumUnits: BigInt(UNITS), cumDownlinkMs: 0n, cumAmount: 270n, chainHash: hexOf(hash) }
  const signature = curve.sign(receiptDigest(receipt, (bytes) => curve.keccak256(bytes)), SELF.secret)
  tx.run("INSERT INTO iot_receipt VALUES ('farm', 1, ?, '7', ?, ?, ?, ?, '1', ?, ?, 0, '270', ?, ?)", UNITS, SELF.address, OTHER.address, TOKEN, CHANNEL, UNITS, UNITS, hash, signature)
  ledger.earn(tx, { source: 'iot:uplink', token: 'TOK', amount: 270n, from: 'due:iot-farm', evidence: { type: 'iot-receipt', id: `farm:1:${UNITS}`, facts: { payer: OTHER.address, seq: String(UNITS), cumAmount: '270', chainHash: hexOf(hash) } }, at })
  ledger.post(tx, { source: 'iot:payment', token: 'TOK', evidence: { type: 'iot-payment', id: 'farm:1:200', facts: { payer: OTHER.address, paid: '200' } }, postings: [{ account: 'cash:channels', amount: 200n }, { account: 'due:iot-farm', amount: -200n }], at })
  tx.run("INSERT INTO iot_paid VALUES (?, ?, '200')", OTHER.address, TOKEN)
  tx.run('INSERT INTO iot_paid_mark VALUES (1, 3)')
}
