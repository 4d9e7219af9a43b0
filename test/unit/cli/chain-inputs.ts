/** What people give to `meshbox tool` and `meshbox chain`, made of the public test chain's blocks. */
import { toHex } from '../../../src/base/index.ts'
import { buildListTrie } from '../../../src/spectrum/proof/build-trie.ts'
import { encodeTransaction } from '../../../src/spectrum/codec/transaction.ts'
import { hexOf } from '../../../src/spectrum/codec/fields.ts'
import { encodeJoinFile, newCommunity } from '../../../src/spectrum/community/index.ts'
import { native } from '../spectrum/curves.ts'
import { DEVNET, devnetBlock } from '../spectrum/devnet.ts'
import vectors from '../../vectors/spectrum/vrf.json' with { type: 'json' }

export const PROOF = vectors.proofs[0] ?? ({} as (typeof vectors.proofs)[0])

/** As the shared vectors have a block. */
export function blockJson(number: number): string {
  const { rlp, bodyRlp } = devnetBlock(number)
  return JSON.stringify({ number, rlp: toHex(rlp), body: toHex(bodyRlp) })
}

export function blocksJson(from: number, to: number): string {
  return JSON.stringify({ network: 'devnet', blocks: DEVNET.slice(from, to + 1).map((block) => JSON.parse(blockJson(block.number)) as unknown) })
}

/** All nodes of a block's trie of transactions prove any of them. */
export function inclusionProof(number: number, index: number): string {
  const nodes: string[] = []
  const root = buildListTrie(native, devnetBlock(number).body.transactions.map(encodeTransaction), (_hash, node) => void nodes.push(hexOf(node)))
  return JSON.stringify({ kind: 'transaction', root, index, proof: nodes })
}

export function villageFile(): string {
  const leader = `0x${'a1'.repeat(20)}` as const
  const community = newCommunity(native, {
    name: 'village', chainId: 777_002n, periodSeconds: 3, epochBlocks: 50, signerLimit: 1, startSeconds: 1_700_000_000, owner: leader, leaders: [leader], miners: [], minDepositWei: 10n ** 18n,
    halvingBlocks: 1000, withdrawWaitBlocks: 100, allocations: [{ address: leader, balanceWei: 5n * 10n ** 18n }], token: null,
  })
  return encodeJoinFile(native, { community, bootnodes: [], staticPeers: [], checkpointKeys: [] })
}
