/** Rows of channels: one life each, newest state as one compact row, written once per turn however many packets moved it. */
import { bytesOf } from '../../../base/index.ts'
import type { Address } from '../../../base/index.ts'
import type { ReadTx, Tx } from '../../../store/index.ts'
import type { ChannelState } from '../../channel/index.ts'
import type { ChannelKey } from '../../ports.ts'
import { decodeSnapshot, encodeSnapshot } from '../snapshot.ts'

export interface ChannelRow {
  readonly number: number
  /** Nonces of ours that the partner has acknowledged, as far as that was stored. */
  readonly acked: bigint
  readonly state: ChannelState
}

export function insertChannel(tx: Tx, state: ChannelState): number {
  const { number } = tx.get<{ number: number }>('SELECT coalesce(max(number), 0) + 1 AS number FROM photon_channel') ?? { number: 1 }
  tx.run(
    'INSERT INTO photon_channel (number, contract, channel, epoch, partner, is_live, acked, state) VALUES (?, ?, ?, ?, ?, 1, 0, ?)',
    number,
    bytesOf(state.domain.contract),
    bytesOf(state.key.channel),
    state.key.epoch.toString(),
    bytesOf(state.partner.address),
    encodeSnapshot(state),
  )
  return number
}

/** `before`: as the row has it. A statement that names `is_live` writes a page of its index too, changed or not. */
export function updateChannel(tx: Tx, number: number, acked: bigint, before: ChannelState, state: ChannelState): void {
  const isSettled = state.phase === 'settled'
  if (isSettled === (before.phase === 'settled')) tx.run('UPDATE photon_channel SET acked = ?, state = ? WHERE number = ?', acked, encodeSnapshot(state), number)
  else tx.run('UPDATE photon_channel SET acked = ?, is_live = ?, state = ? WHERE number = ?', acked, isSettled ? 0 : 1, encodeSnapshot(state), number)
}

export function updateAcked(tx: Tx, number: number, acked: bigint): void {
  tx.run('UPDATE photon_channel SET acked = ? WHERE number = ?', acked, number)
}

/** Those not settled. */
export function readLiveChannels(tx: ReadTx, contract: Address): readonly ChannelRow[] {
  return tx.all<Stored>('SELECT number, acked, state FROM photon_channel WHERE contract = ? AND is_live = 1 ORDER BY number', bytesOf(contract)).map(rowOf)
}

/** Of any contract. */
export function readChannel(tx: ReadTx, number: number): ChannelRow | null {
  const row = tx.get<Stored>('SELECT number, acked, state FROM photon_channel WHERE number = ?', number)
  return row === undefined ? null : rowOf(row)
}

export function hasChannel(tx: ReadTx, contract: Address, channel: `0x${string}`, epoch: bigint): boolean {
  return tx.get('SELECT 1 FROM photon_channel WHERE contract = ? AND channel = ? AND epoch = ?', bytesOf(contract), bytesOf(channel), epoch.toString()) !== undefined
}

/** Null: not known. */
export function readLife(tx: ReadTx, contract: Address, { channel, epoch }: ChannelKey): ChannelState | null {
  const row = tx.get<{ state: Uint8Array }>('SELECT state FROM photon_channel WHERE contract = ? AND channel = ? AND epoch = ?', bytesOf(contract), bytesOf(channel), epoch.toString())
  return row === undefined ? null : decodeSnapshot<ChannelState>(row.state)
}

interface Stored {
  readonly number: number
  readonly acked: number
  readonly state: Uint8Array
}

function rowOf(row: Stored): ChannelRow {
  return { number: row.number, acked: BigInt(row.acked), state: decodeSnapshot<ChannelState>(row.state) }
}
