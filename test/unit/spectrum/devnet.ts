/**
 * The public test chain's blocks 0 to 30 and its trie nodes (origin named in test/vectors/spectrum). Receipts
 * lie there in the form that the chain's own node stores: status, cumulative gas, bloom, transaction hash,
 * contract address, logs (with their places appended), gas used.
 */
import { decodeRlp, fromHex } from '../../../src/base/index.ts'
import type { RlpItem } from '../../../src/base/index.ts'
import { receiptOf } from '../../../src/spectrum/codec/receipt.ts'
import { decodeBody } from '../../../src/spectrum/codec/body.ts'
import { decodeHeader } from '../../../src/spectrum/codec/header.ts'
import type { Body, Hash, Hex, Header, Receipt } from '../../../src/spectrum/index.ts'
import blocks from '../../vectors/spectrum/devnet-blocks.json' with { type: 'json' }
import nodes from '../../vectors/spectrum/devnet-nodes.json' with { type: 'json' }

export interface DevnetBlock {
  readonly number: number
  readonly hash: Hex
  readonly rlp: Uint8Array
  readonly bodyRlp: Uint8Array
  readonly header: Header
  readonly body: Body
  readonly receipts: readonly Receipt[]
  readonly gasUsed: readonly bigint[]
  readonly totalDifficulty: bigint
  readonly signer: string
}

const LIMITS = { maxBytes: 1 << 20, maxItems: 10_000, maxDepth: 5 }

export const DEVNET: readonly DevnetBlock[] = blocks.blocks.map((block) => {
  const [rlp, bodyRlp] = [fromHex(block.rlp), fromHex(block.body)]
  const stored = list(decodeRlp(fromHex(block.receipts), LIMITS)).map(list)
  return {
    number: block.number,
    hash: block.hash as Hex,
    rlp,
    bodyRlp,
    header: decodeHeader(rlp),
    body: decodeBody(bodyRlp),
    receipts: stored.map((fields) => receiptOf([...fields.slice(0, 3), list(fields[5]).map((log) => list(log).slice(0, 3))])),
    gasUsed: stored.map((fields) => BigInt(`0x0${Buffer.from(fields[6] as Uint8Array).toString('hex')}`)),
    totalDifficulty: BigInt(block.td),
    signer: block.signer,
  }
})

export const DEVNET_NODES: ReadonlyMap<Hash, Uint8Array> = new Map(Object.entries(nodes.nodes).map(([hash, node]) => [`0x${hash}` as Hash, fromHex(node)]))
/** Spec 5.2: the state of the last block, 56, which is not among the blocks of the file. */
export const HEAD_STATE_ROOT: Hash = '0x755ec1f6691acbb467093b8647531bda2f24296249c845e04b5b3b87f967b80d'
export const DEVNET_SIGNER = '0x9944d0cc757cd9391ee320fc17d5b6f61693f2c5'

export function devnetBlock(number: number): DevnetBlock {
  const block = DEVNET[number]
  if (block === undefined) throw new Error(`no block ${number} in the vectors`)
  return block
}

function list(item: RlpItem | undefined): readonly RlpItem[] {
  if (item === undefined || item instanceof Uint8Array) throw new Error('not a list in the vectors')
  return item
}
