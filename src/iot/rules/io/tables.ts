/** Rules and what they did. A run that has to be ended is found again after a restart: `ends` is 1 until the way back is in the queue. */
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'
import type { RuleRun, RuleTables } from '../../ports.ts'
import type { LocalRule } from '../rule.ts'

export const ruleMigrations: readonly Migration[] = [
  {
    id: 'iot-rules-001',
    sql: `
      CREATE TABLE iot_rule (
        id TEXT PRIMARY KEY,
        body TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE iot_rule_run (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        rule TEXT NOT NULL,
        ends INTEGER NOT NULL,
        body TEXT NOT NULL
      ) STRICT;
      CREATE INDEX iot_rule_run_of ON iot_rule_run (rule);
      CREATE INDEX iot_rule_run_ends ON iot_rule_run (ends) WHERE ends = 1;
    `,
  },
]

export interface StoredRun extends RuleRun {
  readonly id: number
  /** The way back as it was when the run began, so that it can be taken after the rule was changed. Null: there is none. */
  readonly back: { readonly devEui: string; readonly off: unknown; readonly durationSeconds: number; readonly isConfirmed: boolean } | null
  /** Orders for the way back that were refused or not acknowledged. */
  readonly backTries: number
}

export type NewRun = Omit<StoredRun, 'id'>

export interface LocalRuleTables extends RuleTables {
  rules(tx: ReadTx): readonly LocalRule[]
  insertRun(tx: Tx, run: NewRun): StoredRun
  updateRun(tx: Tx, run: StoredRun): void
  storedRuns(tx: ReadTx, page: { readonly rule?: string; readonly limit: number }): readonly StoredRun[]
  running(tx: ReadTx): readonly StoredRun[]
}

/** Older ones go, unless their end is still owed. */
const KEPT_RUNS = 1_000

export const ruleTables: LocalRuleTables = {
  rules: (tx) => tx.all<{ body: string }>('SELECT body FROM iot_rule ORDER BY id').map(({ body }) => JSON.parse(body) as LocalRule),
  putRule: (tx, rule) => void tx.run('INSERT INTO iot_rule VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body', rule.id, JSON.stringify(rule)),
  removeRule: (tx, id) => tx.run('DELETE FROM iot_rule WHERE id = ?', id) > 0,

  addRun: (tx, run) => void insertRun(tx, { ...run, back: null, backTries: 0 }),
  insertRun,
  updateRun(tx, { id, ...run }) {
    tx.run('UPDATE iot_rule_run SET ends = ?, body = ? WHERE id = ?', endsOf(run), JSON.stringify(run), id)
  },
  runs: (tx, page) => storedRuns(tx, page).map(viewOf),
  storedRuns,
  running: (tx) => tx.all<Row>('SELECT id, body FROM iot_rule_run WHERE ends = 1 ORDER BY id').map(runOf),
}

/** What others see of it. */
export function viewOf({ id: _id, back: _back, backTries: _backTries, ...run }: StoredRun): RuleRun {
  return run
}

interface Row {
  readonly id: number
  readonly body: string
}

function insertRun(tx: Tx, run: NewRun): StoredRun {
  tx.run('INSERT INTO iot_rule_run (rule, ends, body) VALUES (?, ?, ?)', run.rule, endsOf(run), JSON.stringify(run))
  const id = tx.get<{ id: number }>('SELECT last_insert_rowid() AS id')?.id ?? 0
  tx.run('DELETE FROM iot_rule_run WHERE ends = 0 AND id <= ?', id - KEPT_RUNS)
  return { ...run, id }
}

function storedRuns(tx: ReadTx, { rule, limit }: { readonly rule?: string; readonly limit: number }): readonly StoredRun[] {
  const rows =
    rule === undefined
      ? tx.all<Row>('SELECT id, body FROM iot_rule_run ORDER BY id DESC LIMIT ?', limit)
      : tx.all<Row>('SELECT id, body FROM iot_rule_run WHERE rule = ? ORDER BY id DESC LIMIT ?', rule, limit)
  return rows.map(runOf)
}

function runOf({ id, body }: Row): StoredRun {
  return { ...(JSON.parse(body) as NewRun), id }
}

function endsOf(run: NewRun): number {
  return run.back !== null && run.offAt !== null && run.offQueueId === null && !run.isDryRun ? 1 : 0
}
