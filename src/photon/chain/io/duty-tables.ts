/**
 * The scheduler's state in SQLite: one row per job, nonce, ended duty and alarm, as JSON in which {"n": "12"} is a bigint
 * and {"b": "00ff"} are bytes. Only rows that changed are written.
 */
import { fromHex, toHex } from '../../../base/index.ts'
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
]

/** `scope`: whose they are, where an account beside the box's own has transactions of its own; it stands before each part's name. */
export function loadDuties(tx: ReadTx, scope = ''): DutyState {
  const parts = new Map<string, unknown[]>()
  for (const { part, body } of tx.all<{ part: string; body: string }>('SELECT part, body FROM photon_chain_duty')) parts.set(part, [...(parts.get(part) ?? []), JSON.parse(body, revive)])
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
  const rows = new Map<string, string>([['next:', write(state.nextSequence)]])
  for (const job of state.jobs) rows.set(`job:${job.id}`, write(job))
  for (const slot of state.slots) rows.set(`slot:${slot.nonce}`, write(slot))
  for (const one of state.ended) rows.set(`ended:${one.id}`, write(one))
  for (const alarm of state.alarms) rows.set(`alarm:${alarm}`, write(alarm))
  return rows
}

function splitKey(key: string): readonly [string, string] {
  const at = key.indexOf(':')
  return [key.slice(0, at), key.slice(at + 1)]
}

function write(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? { n: inner.toString() } : inner instanceof Uint8Array ? { b: toHex(inner) } : inner))
}

function revive(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const keys = Object.keys(value)
  if (keys.length !== 1) return value
  const { n, b } = value as { readonly n?: unknown; readonly b?: unknown }
  if (typeof n === 'string') return BigInt(n)
  return typeof b === 'string' ? fromHex(b) : value
}
