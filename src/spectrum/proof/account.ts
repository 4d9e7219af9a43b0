/**
 * Accounts, storage and code at a state root. Keys of both tries are hashed: keccak256(address), and
 * keccak256(slot as 32 bytes). Where things lie in a contract follows Solidity's storage layout: element j of
 * the array in slot q is at keccak256(q) + j, the value of key k of the map in slot q at keccak256(k ‖ q).
 */
import { MeshBoxError, concatBytes, decodeRlp, encodeRlp, integerBytes, integerOf } from '../../base/index.ts'
import { ADDRESS_BYTES, HASH_BYTES, bytesOf, hexField, hexOf, integerField, keccakHex, listField } from '../codec/fields.ts'
import type { Address, Hash, Keccak } from '../codec/fields.ts'
import { EMPTY_TRIE_ROOT, readTrie } from './read-trie.ts'
import type { NodeSource, Read, Unread } from './read-trie.ts'

export interface Account {
  readonly nonce: bigint
  readonly balanceWei: bigint
  readonly storageRoot: Hash
  readonly codeHash: Hash
}

/** keccak256 of nothing. */
export const EMPTY_CODE_HASH: Hash = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'
/** What an address has that the state does not mention. */
export const EMPTY_ACCOUNT: Account = { nonce: 0n, balanceWei: 0n, storageRoot: EMPTY_TRIE_ROOT, codeHash: EMPTY_CODE_HASH }
const ACCOUNT_LIMITS = { maxBytes: 128, maxItems: 5, maxDepth: 1 }
const SLOT_LIMITS = { maxBytes: HASH_BYTES + 1, maxItems: 1, maxDepth: 0 }
const UINT64_BYTES = 8
const WORDS = 1n << 256n

/** Errors: input. */
export function decodeAccount(bytes: Uint8Array): Account {
  const fields = listField(decodeRlp(bytes, ACCOUNT_LIMITS, 'account'), 'account', 4)
  return {
    nonce: integerField(fields[0], 'account.nonce', UINT64_BYTES),
    balanceWei: integerField(fields[1], 'account.balance'),
    storageRoot: hexField(fields[2], 'account.storageRoot', HASH_BYTES),
    codeHash: hexField(fields[3], 'account.codeHash', HASH_BYTES),
  }
}

export function encodeAccount(account: Account): Uint8Array {
  return encodeRlp([integerBytes(account.nonce), integerBytes(account.balanceWei), bytesOf(account.storageRoot), bytesOf(account.codeHash)])
}

/** An address that the state does not mention is read as EMPTY_ACCOUNT. */
export function readAccount(keccak: Keccak, stateRoot: Hash, address: Address, nodeOf: NodeSource): Read<Account> {
  return decoded(readTrie(keccak, stateRoot, keccak.keccak256(bytesOf(address)), nodeOf), stateRoot, EMPTY_ACCOUNT, decodeAccount)
}

/** A word of storage, 0 where none is written. `slot` below 2^256. */
export function readSlot(keccak: Keccak, storageRoot: Hash, slot: bigint, nodeOf: NodeSource): Read<bigint> {
  return decoded(readTrie(keccak, storageRoot, keccak.keccak256(wordOf(slot)), nodeOf), storageRoot, 0n, (bytes) => integerOf(decodeRlp(bytes, SLOT_LIMITS, 'slot'), 'slot'))
}

/** A contract's code by the hash in its account. */
export function readCode(keccak: Keccak, codeHash: Hash, nodeOf: NodeSource): Read<Uint8Array> {
  if (codeHash === EMPTY_CODE_HASH) return { kind: 'read', value: new Uint8Array(0) }
  const code = nodeOf(codeHash)
  if (code === undefined) return { kind: 'missing', hashes: [codeHash] }
  return keccakHex(keccak, code) === codeHash ? { kind: 'read', value: code } : { kind: 'invalid', hash: codeHash, reason: 'the code has another hash' }
}

/**
 * An array of addresses, one per word, in slot `slot`. All missing nodes are named at once. More than
 * `maxLength` elements are invalid: a contract that grows is not ours to follow.
 */
export function readAddresses(keccak: Keccak, storageRoot: Hash, slot: bigint, maxLength: number, nodeOf: NodeSource): Read<readonly Address[]> {
  const length = readSlot(keccak, storageRoot, slot, nodeOf)
  if (length.kind !== 'read') return length
  if (length.value > BigInt(maxLength)) return { kind: 'invalid', hash: storageRoot, reason: `${length.value} addresses in slot ${slot}; at most ${maxLength}` }
  return readAll(Array.from({ length: Number(length.value) }, (_, index) => readAddress(keccak, storageRoot, elementSlot(keccak, slot, index), nodeOf)))
}

export function readAddress(keccak: Keccak, storageRoot: Hash, slot: bigint, nodeOf: NodeSource): Read<Address> {
  const word = readSlot(keccak, storageRoot, slot, nodeOf)
  return word.kind === 'read' ? { kind: 'read', value: hexOf(wordOf(word.value).subarray(HASH_BYTES - ADDRESS_BYTES)) } : word
}

export function elementSlot(keccak: Keccak, slot: bigint, index: number): bigint {
  return (BigInt(keccakHex(keccak, wordOf(slot))) + BigInt(index)) % WORDS
}

export function mapSlot(keccak: Keccak, slot: bigint, key: Address | Hash): bigint {
  return BigInt(keccakHex(keccak, concatBytes(wordOf(BigInt(key)), wordOf(slot))))
}

/** 32 bytes. */
export function wordOf(value: bigint): Uint8Array {
  const out = new Uint8Array(HASH_BYTES)
  const bytes = integerBytes(value)
  out.set(bytes, HASH_BYTES - bytes.length)
  return out
}

/** All values, or everything that is missing, or the first that is invalid. */
export function readAll<T>(reads: readonly Read<T>[]): Read<readonly T[]> {
  const values: T[] = []
  const hashes = new Set<Hash>()
  for (const read of reads) {
    if (read.kind === 'invalid') return read
    if (read.kind === 'missing') for (const hash of read.hashes) hashes.add(hash)
    else values.push(read.value)
  }
  return hashes.size > 0 ? { kind: 'missing', hashes: [...hashes] } : { kind: 'read', value: values }
}

/** `absent` is the value of a key that is proved not to be there. */
export function decoded<T>(read: Read<Uint8Array | null>, root: Hash, absent: T, decode: (bytes: Uint8Array) => T): Read<T> {
  if (read.kind !== 'read') return read
  if (read.value === null) return { kind: 'read', value: absent }
  try {
    return { kind: 'read', value: decode(read.value) }
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return { kind: 'invalid', hash: root, reason: thrown.message } satisfies Unread
    throw thrown
  }
}
