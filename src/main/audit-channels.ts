/** Payment channels and their history, as the audit reads them. */
import { equalBytesConstantTime, hexOf, utf8, type Address } from '../base/index.ts'
import type { Books, ChannelRow, HistoryRow, SettlementRow, SideRow } from '../audit/index.ts'
import { arrivalAtEnd, postedSettlement, settlementOf } from '../photon/channel/index.ts'
import type { ChannelSide, ChannelState } from '../photon/channel/index.ts'
import { decodeSnapshot } from '../photon/node/snapshot.ts'
import { readChannel } from '../photon/node/tables/channels.ts'
import { readHistoryAfter } from '../photon/node/tables/history.ts'
import { packetId } from '../photon/node/tables/packets.ts'
import { NOTE, referenceIn } from '../payout/statement/index.ts'
import { createDigests } from '../photon/wire/index.ts'
import type { ReadTx } from '../store/index.ts'
import type { Secp256k1 } from '../native/index.ts'

export interface ChannelTools {
  readonly curve: Pick<Secp256k1, 'keccak256' | 'recoverAddress'>
  /** As the ledger names it. */
  readonly symbolOf: (token: Address) => string
  /** Of channels that were met: a history has many rows of one. */
  readonly names: Map<number, ChannelNames>
}

type Pages = Pick<Books, 'channelsAfter' | 'historyAfter'>

const IOT_NOTE = utf8('iot')
const PAYOUT_NOTE = utf8(NOTE)

interface Stored {
  readonly number: number
  readonly contract: Uint8Array
  readonly acked: number
  readonly state: Uint8Array
}

export function channelPages(tx: ReadTx, tools: ChannelTools): Pages {
  return {
    channelsAfter: (number, most) => tx.all<Stored>('SELECT number, contract, acked, state FROM photon_channel WHERE number > ? ORDER BY number LIMIT ?', number, most).map((row) => channelRow(tx, row, tools)),
    historyAfter: (id, most) => readHistoryAfter(tx, id, most).map((row) => historyRow(tx, row, tools)),
  }
}

function channelRow(tx: ReadTx, row: Stored, { curve, symbolOf }: ChannelTools): ChannelRow {
  const state = decodeSnapshot<ChannelState>(row.state)
  const { own, partner, key } = state
  const digests = createDigests(state.domain, (bytes) => curve.keccak256(bytes))
  const side = (of: ChannelSide): SideRow => {
    const signer = of.proof === null ? null : curve.recoverAddress(digests.balanceProof(of.proof), of.proof.signature)
    return {
      address: of.address,
      deposit: of.deposit,
      withdrawn: of.withdrawn,
      claimed: of.claimed,
      nonce: of.nonce,
      transferred: of.transferred,
      locked: of.locked,
      locks: of.locks.reduce((sum, { amount }) => sum + amount, 0n),
      proved: of.proof?.transferred ?? 0n,
      isForged: of.proof !== null && (signer === null || hexOf(signer) !== of.address),
      streamed: of.stream?.value ?? 0n,
    }
  }
  return {
    number: row.number,
    contract: hexOf(row.contract),
    channel: key.channel,
    epoch: key.epoch,
    token: symbolOf(state.token),
    phase: state.phase,
    own: side(own),
    partner: side(partner),
    offlineFrom: state.offlineFrom,
    acked: BigInt(row.acked),
    waiting: waitingOf(tx, row.number, BigInt(row.acked), own.nonce),
    settlement: state.phase === 'settled' ? settlementRow(state) : null,
  }
}

function settlementRow(state: ChannelState): SettlementRow {
  const { own, partner, payout, dispute } = state
  const isCooperative = payout?.isCooperative ?? dispute === null
  const promised = own.stream === null || own.stream.value < own.transferred ? own.transferred : own.stream.value
  const [least] = settlementOf({ ...own, transferred: promised + own.locked }, partner)
  return { paid: payout == null ? null : { own: payout.own, partner: payout.partner }, isCooperative, due: dueOf(state, isCooperative), least }
}

function dueOf(state: ChannelState, isCooperative: boolean): bigint {
  const { own, partner, dispute, agreement } = state
  if (isCooperative && agreement?.kind === 'settle') return agreement.terms.p1 === own.address ? agreement.terms.balance1 : agreement.terms.balance2
  return (isCooperative || dispute === null ? settlementOf(own, partner) : postedSettlement(state, dispute))[0]
}

function waitingOf(tx: ReadTx, number: number, acked: bigint, nonce: bigint): number {
  return tx.get<{ n: number }>('SELECT count(*) AS n FROM photon_packet WHERE id > ? AND id <= ?', packetId(number, 'own', acked), packetId(number, 'own', nonce))?.n ?? 0
}

/** Of a channel's whole life, whatever else changes. */
export interface ChannelNames {
  readonly token: Address
  readonly partner: Address
}

function historyRow(tx: ReadTx, row: ReturnType<typeof readHistoryAfter>[number], { symbolOf, names }: ChannelTools): HistoryRow {
  const channel = row.channelNumber === 0 ? null : namesOf(tx, row.channelNumber, names)
  const token = row.token ?? channel?.token ?? null
  const routed = row.kind === 'sent' ? referenceIn(row.data) : null
  const isPayout = equalBytesConstantTime(row.data, PAYOUT_NOTE)
  return {
    id: row.id,
    kind: row.kind,
    channelNumber: row.channelNumber,
    nonce: row.nonce,
    amount: row.amount,
    token: token === null ? '' : symbolOf(token),
    payer: row.peer ?? channel?.partner ?? null,
    reference: routed ?? row.key,
    isForIot: equalBytesConstantTime(row.data, IOT_NOTE),
    isForPayout: routed !== null || isPayout,
    isLost: isPayout && row.kind === 'direct-sent' && isLost(tx, row),
    fee: row.fee ?? 0n,
    lock: routed === null ? null : row.key,
  }
}

function isLost(tx: ReadTx, { channelNumber, nonce }: ReturnType<typeof readHistoryAfter>[number]): boolean {
  const channel = readChannel(tx, channelNumber)
  return channel !== null && nonce > channel.acked && arrivalAtEnd(channel.state, nonce) === 'lost'
}

function namesOf(tx: ReadTx, number: number, names: Map<number, ChannelNames>): ChannelNames | null {
  const known = names.get(number)
  if (known !== undefined) return known
  const row = tx.get<{ state: Uint8Array }>('SELECT state FROM photon_channel WHERE number = ?', number)
  if (row === undefined) return null
  const { token, partner } = decodeSnapshot<ChannelState>(row.state)
  const found = { token, partner: partner.address }
  names.set(number, found)
  return found
}
