/**
 * The scheduler's state in SQLite: one row per job, nonce, ended duty and alarm (kept-json.ts). Only
 * rows that changed are written.
 */
import { readKept, writeKept } from './kept-json.ts'
import { transactionMigration } from './transaction-table.ts'
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'
import { NO_DUTIES } from '../duty-state.ts'
import type { DutyJob, DutyState, EndedDuty, NonceSlot } from '../duty-state.ts'

export const chainMigrations: readonly Migration[] = [
  {
    id: 'photon-chain-001',
    sql: `
      CREATE TABLE photon_chain_duty (
        part TEXT NOT NULL,
        name TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (part, name)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE photon_chain_position (
        contract TEXT PRIMARY KEY,
        number INTEGER NOT NULL,
        hash TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
  transactionMigration,
]

/** `scope`: whose they are, where an account beside the box's own has transactions of its own; it stands before each part's name. */
export function loadDuties(tx: ReadTx, scope = ''): DutyState {
  const parts = new Map<string, unknown[]>()
  for (const { part, body } of tx.all<{ part: string; body: string }>('SELECT part, body FROM photon_chain_duty')) parts.set(part, [...(parts.get(part) ?? []), readKept(body)])
  const of = (part: string): unknown[] => parts.get(scope + part) ?? []
  const [nextSequence = NO_DUTIES.nextSequence] = of('next') as number[]
  return {
    jobs: (of('job') as DutyJob[]).sort((a, b) => a.sequence - b.sequence),
    slots: (of('slot') as NonceSlot[]).sort((a, b) => (a.nonce < b.nonce ? -1 : 1)),
    ended: (of('ended') as EndedDuty[]).sort((a, b) => a.block - b.block),
    nextSequence,
    alarms: of('alarm') as string[],
  }
}

export function saveDuties(tx: Tx, before: DutyState, after: DutyState, scope = ''): void {
  if (before === after) return
  const [old, fresh] = [rowsOf(before), rowsOf(after)]
  for (const key of old.keys()) {
    const [part = '', name = ''] = splitKey(key)
    if (!fresh.has(key)) tx.run('DELETE FROM photon_chain_duty WHERE part = ? AND name = ?', scope + part, name)
  }
  for (const [key, body] of fresh) {
    const [part = '', name = ''] = splitKey(key)
    if (old.get(key) !== body) tx.run('INSERT OR REPLACE INTO photon_chain_duty (part, name, body) VALUES (?, ?, ?)', scope + part, name, body)
  }
}

function rowsOf(state: DutyState): Map<string, string> {
  const rows = new Map<string, string>([['next:', writeKept(state.nextSequence)]])
  for (const job of state.jobs) rows.set(`job:${job.id}`, writeKept(job))
  for (const slot of state.slots) rows.set(`slot:${slot.nonce}`, writeKept(slot))
  for (const one of state.ended) rows.set(`ended:${one.id}`, writeKept(one))
  for (const alarm of state.alarms) rows.set(`alarm:${alarm}`, writeKept(alarm))
  return rows
}

function splitKey(key: string): readonly [string, string] {
  const at = key.indexOf(':')
  return [key.slice(0, at), key.slice(at + 1)]
}
