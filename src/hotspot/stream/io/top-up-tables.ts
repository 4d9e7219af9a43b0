/** Codes worth tokens that were used: to whom the tokens are owed, and how far the deposit is. */
import type { ReadTx, Tx } from '../../../store/index.ts'
import type { GuestConsent } from '../door.ts'
import type { TopUp, TopUpState } from '../top-up.ts'

/** With what the guest signed so that a channel can be opened for it. */
export interface StoredTopUp extends TopUp {
  readonly consent: GuestConsent | null
}

interface Row {
  code: string
  payer: string
  amount: string
  price: string
  state: TopUpState
  tx_hash: string | null
  consent: string | null
  boot_id: string
  boottime_ms: number
  wall_ms: number
  wall_trusted: number
}

export function findTopUp(tx: ReadTx, code: string): StoredTopUp | null {
  const row = tx.get<Row>('SELECT * FROM hotspot_top_up WHERE code = ?', code)
  return row === undefined ? null : toTopUp(row)
}

/** Promised, and not in the chain for good. */
export function owedTopUps(tx: ReadTx): StoredTopUp[] {
  return tx.all<Row>(`SELECT * FROM hotspot_top_up WHERE state <> 'funded' ORDER BY code`).map(toTopUp)
}

export function saveTopUp(tx: Tx, { code, payer, state, transaction, consent, at }: StoredTopUp): void {
  tx.run(
    `INSERT INTO hotspot_top_up VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (code) DO UPDATE SET state = excluded.state, tx_hash = excluded.tx_hash, consent = excluded.consent`,
    code.id,
    payer,
    code.amount.toString(),
    code.price.toString(),
    state,
    transaction,
    consent === null ? null : JSON.stringify(consent),
    at.bootId,
    at.boottimeMs,
    at.wallMs,
    at.wallTrusted ? 1 : 0,
  )
}

function toTopUp(row: Row): StoredTopUp {
  return {
    code: { id: row.code, amount: BigInt(row.amount), price: BigInt(row.price) },
    payer: row.payer,
    state: row.state,
    transaction: row.tx_hash,
    consent: row.consent === null ? null : (JSON.parse(row.consent) as GuestConsent),
    at: { bootId: row.boot_id, boottimeMs: row.boottime_ms, wallMs: row.wall_ms, wallTrusted: row.wall_trusted === 1 },
  }
}
