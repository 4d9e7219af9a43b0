/** The root of a trie from all its entries at once, and its nodes: for a genesis, and for a block's transactions and receipts. */
import { encodeRlp, inputError, integerBytes, toHex } from '../../base/index.ts'
import type { RlpItem } from '../../base/index.ts'
import { HASH_BYTES, hexOf } from '../codec/fields.ts'
import type { Hash, Keccak } from '../codec/fields.ts'
import { EMPTY_TRIE_ROOT } from './read-trie.ts'
import { BRANCH_CHILDREN, encodePath, nibblesOf } from './trie-node.ts'

export type TrieEntry = readonly [key: Uint8Array, value: Uint8Array]
type Entry = { readonly nibbles: Uint8Array; readonly value: Uint8Array }

const NOTHING = new Uint8Array(0)

/** `keep` gets every node that stands under a hash. Errors: input `entries` for a key given twice or an empty value. */
export function buildTrie(keccak: Keccak, entries: Iterable<TrieEntry>, keep: (hash: Hash, node: Uint8Array) => void = () => undefined): Hash {
  const sorted = Array.from(entries, ([key, value]): Entry => ({ nibbles: nibblesOf(key), value })).sort((a, b) => Buffer.compare(a.nibbles, b.nibbles))
  sorted.forEach(({ nibbles, value }, index) => {
    if (value.length === 0) throw inputError('entries', 'an empty value', 'no entry where there is no value')
    if (index > 0 && Buffer.compare(nibbles, sorted[index - 1]?.nibbles ?? NOTHING) === 0) throw inputError('entries', toHex(nibbles), 'each key once')
  })
  if (sorted.length === 0) return EMPTY_TRIE_ROOT
  const store = (node: Uint8Array): Uint8Array => {
    const hash = keccak.keccak256(node)
    keep(hexOf(hash), node)
    return hash
  }
  return hexOf(store(encodeRlp(nodeOf(sorted, 0, store))))
}

/** The root over a list: its keys are RLP(0), RLP(1), … */
export function buildListTrie(keccak: Keccak, values: readonly Uint8Array[], keep?: (hash: Hash, node: Uint8Array) => void): Hash {
  return buildTrie(keccak, values.map((value, index): TrieEntry => [listKey(index), value]), keep)
}

export function listKey(index: number): Uint8Array {
  return encodeRlp(integerBytes(index))
}

/** `entries` are sorted and share their first `from` nibbles. */
function nodeOf(entries: readonly Entry[], from: number, store: (node: Uint8Array) => Uint8Array): RlpItem {
  const [first] = entries
  const last = entries[entries.length - 1]
  if (first === undefined || last === undefined) return NOTHING
  if (entries.length === 1) return [encodePath(first.nibbles.subarray(from), true), first.value]
  const shared = sharedLength(first.nibbles, last.nibbles)
  if (shared > from) return [encodePath(first.nibbles.subarray(from, shared), false), reference(nodeOf(entries, shared, store), store)]
  const ending = first.nibbles.length === from ? first : undefined
  const children = Array.from({ length: BRANCH_CHILDREN }, (_, nibble) => {
    const below = entries.filter((entry) => entry.nibbles.length > from && entry.nibbles[from] === nibble)
    return below.length === 0 ? NOTHING : reference(nodeOf(below, from + 1, store), store)
  })
  return [...children, ending?.value ?? NOTHING]
}

function reference(node: RlpItem, store: (node: Uint8Array) => Uint8Array): RlpItem {
  const encoded = encodeRlp(node)
  return encoded.length < HASH_BYTES ? node : store(encoded)
}

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}
