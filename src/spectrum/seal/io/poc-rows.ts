/** The owner's wish, and every transaction sent for it: on disk before it is sent, at most one without an end. */
import type { ReadTx, Tx } from '../../../store/index.ts'
import type { Address, Hash } from '../../codec/fields.ts'
import { POC_GOALS } from '../poc/plan.ts'
import type { PocAction, PocGoal } from '../poc/plan.ts'

export type PocOutcome = 'mined' | 'failed' | 'dropped'

export interface PocActionRow {
  readonly id: number
  readonly kind: PocAction
  readonly nonce: bigint
  readonly hash: Hash
  readonly raw: Uint8Array
  readonly madeAt: number
  readonly endedAt: number | null
  readonly outcome: PocOutcome | null
  readonly reason: string | null
}

export function pocGoal(tx: ReadTx, chain: Hash, miner: Address): PocGoal {
  const stored = tx.get<{ goal: string }>('SELECT goal FROM spectrum_poc_goal WHERE chain = ? AND miner = ?', chain, miner)?.goal
  return POC_GOALS.find((goal) => goal === stored) ?? 'none'
}

export function setPocGoal(tx: Tx, chain: Hash, miner: Address, goal: PocGoal): void {
  tx.run('INSERT INTO spectrum_poc_goal (chain, miner, goal) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET goal = excluded.goal', chain, miner, goal)
}

/** The newest, whether it has ended or not. */
export function lastPocAction(tx: ReadTx, chain: Hash, miner: Address): PocActionRow | null {
  const row = tx.get<{ id: number; kind: PocAction; nonce: string; hash: Hash; raw: Uint8Array; made_at: number; ended_at: number | null; outcome: PocOutcome | null; reason: string | null }>(
    'SELECT * FROM spectrum_poc_action WHERE chain = ? AND miner = ? ORDER BY id DESC LIMIT 1',
    chain, miner,
  )
  if (row === undefined) return null
  return { id: row.id, kind: row.kind, nonce: BigInt(row.nonce), hash: row.hash, raw: Uint8Array.from(row.raw), madeAt: row.made_at, endedAt: row.ended_at, outcome: row.outcome, reason: row.reason }
}

/** Errors: internal `store-constraint` while another has no end. */
export function insertPocAction(tx: Tx, chain: Hash, miner: Address, action: Pick<PocActionRow, 'kind' | 'nonce' | 'hash' | 'raw' | 'madeAt'>): void {
  tx.run(
    'INSERT INTO spectrum_poc_action (chain, miner, kind, nonce, hash, raw, made_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    chain, miner, action.kind, action.nonce.toString(), action.hash, action.raw, action.madeAt,
  )
}

export function endPocAction(tx: Tx, id: number, endedAt: number, outcome: PocOutcome, reason: string | null): void {
  tx.run('UPDATE spectrum_poc_action SET ended_at = ?, outcome = ?, reason = ? WHERE id = ? AND outcome IS NULL', endedAt, outcome, reason, id)
}
