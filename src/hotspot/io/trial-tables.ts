/** Free trials taken in the last day, and the age of the box by which that day is told. */
import type { ReadTx, Tx } from '../../store/index.ts'
import type { AgeMark, TrialUse } from '../tariff/index.ts'
import { TRIAL_DAY_MS } from '../tariff/index.ts'

interface Row {
  mac: string
  age_ms: number
  wall_ms: number
  wall_trusted: number
}

/** Oldest first. */
export function trialsTaken(tx: ReadTx): (TrialUse & { readonly mac: string })[] {
  return tx
    .all<Row>('SELECT * FROM hotspot_trial ORDER BY age_ms')
    .map((row) => ({ mac: row.mac, ageMs: row.age_ms, wallMs: row.wall_ms, wallTrusted: row.wall_trusted === 1 }))
}

/** Notes the trial and forgets those that are over, so that the table stays as small as a day's trials. */
export function insertTrial(tx: Tx, mac: string, now: TrialUse): void {
  tx.run(
    'DELETE FROM hotspot_trial WHERE age_ms <= ? OR (? = 1 AND wall_trusted = 1 AND wall_ms <= ?)',
    now.ageMs - TRIAL_DAY_MS,
    now.wallTrusted ? 1 : 0,
    now.wallMs - TRIAL_DAY_MS,
  )
  tx.run('INSERT OR REPLACE INTO hotspot_trial VALUES (?, ?, ?, ?)', mac, now.ageMs, now.wallMs, now.wallTrusted ? 1 : 0)
}

export function readAge(tx: ReadTx): AgeMark | null {
  return (
    tx.get<AgeMark>('SELECT boot_id AS bootId, boottime_ms AS boottimeMs, age_ms AS ageMs FROM hotspot_age WHERE one = 1') ?? null
  )
}

export function saveAge(tx: Tx, mark: AgeMark): void {
  tx.run('INSERT OR REPLACE INTO hotspot_age VALUES (1, ?, ?, ?)', mark.bootId, mark.boottimeMs, mark.ageMs)
}
