/** What there is once: which chain this is, its head, its alarm; and the log of those who sealed twice. */
import { MeshBoxError } from '../../../base/index.ts'
import type { ReadTx, Tx } from '../../../store/index.ts'
import { bytesOf, hexOf } from '../../codec/fields.ts'
import type { Hash } from '../../codec/fields.ts'
import type { Network } from '../../network/network.ts'
import type { ChainAlarm } from '../../ports.ts'
import type { Equivocation } from '../insert.ts'
import type { ExpectedBlock } from '../tree.ts'

export interface ChainRow {
  readonly start: number
  readonly head: number
  readonly thinnedBelow: number
  readonly alarm: ChainAlarm | null
  readonly dismissed: readonly Hash[]
  readonly expected: ExpectedBlock | null
}

interface StoredRow {
  readonly chain_id: string
  readonly genesis_hash: string
  readonly start: number
  readonly head: number
  readonly thinned_below: number
  readonly alarm: string | null
  readonly dismissed: string
  readonly expected: string | null
}

/** Evidence enough; the oldest go. */
const MAX_EQUIVOCATION_ROWS = 4096

export function writeChain(tx: Tx, network: Network, row: ChainRow): void {
  const text = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))
  tx.run(
    `INSERT OR REPLACE INTO spectrum_chain (one, chain_id, genesis_hash, start, head, thinned_below, alarm, dismissed, expected) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)`,
    network.chainId.toString(), network.genesisHash, row.start, row.head, row.thinnedBelow, text(row.alarm), JSON.stringify(row.dismissed), text(row.expected),
  )
}

/** Null: no chain is kept. Errors: conflict `chain-foreign`: another one is. */
export function readChain(tx: ReadTx, network: Network): ChainRow | null {
  const row = tx.get<StoredRow>('SELECT * FROM spectrum_chain')
  if (row === undefined) return null
  if (row.genesis_hash !== network.genesisHash || row.chain_id !== network.chainId.toString())
    throw new MeshBoxError('conflict', `the chain on disk is ${row.chain_id} with genesis ${row.genesis_hash}, not ${network.name} (${network.chainId}, ${network.genesisHash}); it has to be removed first`, {
      code: 'chain-foreign',
    })
  return {
    start: row.start,
    head: row.head,
    thinnedBelow: row.thinned_below,
    alarm: row.alarm === null ? null : (JSON.parse(row.alarm) as ChainAlarm),
    dismissed: JSON.parse(row.dismissed) as Hash[],
    expected: row.expected === null ? null : (JSON.parse(row.expected) as ExpectedBlock),
  }
}

/** Everything that is kept of a chain. */
export function deleteChain(tx: Tx): void {
  for (const table of ['chain', 'block', 'segment', 'hash', 'body', 'transaction', 'equivocation']) tx.run(`DELETE FROM spectrum_${table}`)
}

export function writeEquivocation(tx: Tx, { number, signer, sealHashes }: Equivocation): void {
  for (const [seen, hash] of sealHashes.entries()) tx.run('INSERT OR IGNORE INTO spectrum_equivocation (number, signer, seal_hash, seen) VALUES (?, ?, ?, ?)', number, bytesOf(signer), bytesOf(hash), seen)
  tx.run(
    `DELETE FROM spectrum_equivocation WHERE number < (SELECT number FROM spectrum_equivocation ORDER BY number DESC LIMIT 1 OFFSET ?)`,
    MAX_EQUIVOCATION_ROWS,
  )
}

/** From this height on, ascending. */
export function readEquivocations(tx: ReadTx, from: number): Equivocation[] {
  const rows = tx.all<{ number: number; signer: Uint8Array; seal_hash: Uint8Array }>('SELECT number, signer, seal_hash FROM spectrum_equivocation WHERE number >= ? ORDER BY number, signer, seen', from)
  const found: { signer: Equivocation['signer']; number: number; sealHashes: Hash[] }[] = []
  for (const row of rows) {
    const signer = hexOf(row.signer)
    const last = found.at(-1)
    if (last !== undefined && last.number === row.number && last.signer === signer) last.sealHashes.push(hexOf(row.seal_hash))
    else found.push({ number: row.number, signer, sealHashes: [hexOf(row.seal_hash)] })
  }
  return found
}
