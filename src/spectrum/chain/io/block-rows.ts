/** Rows of the tree: written with each batch, read all at once when the box starts. */
import { MeshBoxError } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import type { ReadTx, Tx } from '../../../store/index.ts'
import { bytesOf, hexOf } from '../../codec/fields.ts'
import type { Hash } from '../../codec/fields.ts'
import { hashHeader, sealHash } from '../../codec/header.ts'
import type { ChainBlock } from '../../ports.ts'
import type { Round } from '../../rules/round.ts'
import { decodeEntries, encodeEntry, headerOfEntry } from '../compact-header.ts'
import { decodeRoundStep, encodeRound, encodeRoundStep } from '../round-bytes.ts'
import { HEADER_WEIGHT_BYTES, isStranger } from '../tree.ts'
import type { TreeBlock } from '../tree.ts'

interface BlockRow {
  readonly id: number
  readonly entry: Uint8Array
  readonly signer: Uint8Array | null
  readonly round: Uint8Array
  readonly bytes: number
}

/** `before`: the round after the parent; null where the parent is not in the tree. */
export function writeBlock(tx: Tx, curve: Secp256k1, { id, block }: TreeBlock, before: Round | null): void {
  const { header, signer, round } = block
  const step = signer === null ? encodeRound(round) : encodeRoundStep(before, { number: header.number, signer }, round)
  tx.run('INSERT INTO spectrum_block (id, entry, signer, round) VALUES (?, ?, ?, ?)', id, encodeEntry(curve, block, null), signer === null ? null : bytesOf(signer), step)
}

/** The base has no parent to take a step from. */
export function writeWholeRound(tx: Tx, { id, block }: TreeBlock): void {
  tx.run('UPDATE spectrum_block SET round = ? WHERE id = ?', encodeRound(block.round), id)
}

export function deleteBlock(tx: Tx, id: number): void {
  tx.run('DELETE FROM spectrum_block WHERE id = ?', id)
}

/** In the order of their heights, without sources. Errors: unavailable `chain-damaged`. */
export function readBlocks(tx: ReadTx, curve: Secp256k1): Map<Hash, TreeBlock> {
  const rows = tx.all<BlockRow>(
    `SELECT b.id, b.entry, b.signer, b.round, coalesce(length(c.body), 0) + coalesce(length(c.receipts), 0) AS bytes
     FROM spectrum_block b LEFT JOIN spectrum_body c ON c.id = b.id ORDER BY b.id`,
  )
  const blocks = new Map<Hash, TreeBlock>()
  for (const row of rows) {
    const one = readBlock(curve, row, blocks)
    blocks.set(one.block.hash, one)
  }
  return blocks
}

function readBlock(curve: Secp256k1, row: BlockRow, blocks: ReadonlyMap<Hash, TreeBlock>): TreeBlock {
  try {
    const [entry] = decodeEntries(row.entry)
    if (entry === undefined) throw damagedError(row.id, 'no entry')
    const header = headerOfEntry(curve, entry)
    const hash = hashHeader(curve, header)
    if (hash !== hexOf(entry.hash)) throw damagedError(row.id, 'another hash')
    const parent = blocks.get(header.parentHash)?.block ?? null
    const signer = row.signer === null ? null : hexOf(row.signer)
    const round = decodeRoundStep(parent?.round ?? null, { number: entry.number, signer: signer ?? '0x' }, row.round)
    const block: ChainBlock = { header, hash, sealHash: sealHash(curve, header), signer, totalDifficulty: entry.totalDifficulty, round }
    return { block, id: row.id, sources: [], bytes: HEADER_WEIGHT_BYTES + row.bytes, isStranger: isStranger(block, parent) }
  } catch (thrown) {
    if (thrown instanceof MeshBoxError && thrown.kind === 'input') throw damagedError(row.id, thrown.message)
    throw thrown
  }
}

export function damagedError(row: number, reason: string): MeshBoxError {
  return new MeshBoxError('unavailable', `the stored chain is damaged at row ${row}: ${reason}; it has to be fetched anew`, { code: 'chain-damaged' })
}
