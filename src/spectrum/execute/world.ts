/**
 * The state while blocks and calls run: accounts, storage and code over a root, changed in memory with a list of
 * what to undo, and hashed once at the end. Also the state that @ethereumjs/evm asks for (`StateManagerInterface`).
 */
import type { AccountFields, StateManagerInterface } from '@ethereumjs/common'
import { Account } from '@ethereumjs/util'
import type { Address as EvmAddress } from '@ethereumjs/util'
import { MeshBoxError, decodeRlp, encodeRlp, integerBytes } from '../../base/index.ts'
import { bytesOf, hexOf, keccakHex } from '../codec/fields.ts'
import type { Address, Hash, Keccak } from '../codec/fields.ts'
import { EMPTY_CODE_HASH, decodeAccount } from '../proof/account.ts'
import { EMPTY_TRIE_ROOT } from '../proof/read-trie.ts'
import { TrieEdit, readKey } from './edit-trie.ts'
import type { NodeSource } from './node-source.ts'
import { damaged } from './trie-nodes.ts'

const NOTHING = new Uint8Array(0)
const EMPTY_ROOT_BYTES = bytesOf(EMPTY_TRIE_ROOT)
const EMPTY_CODE_BYTES = bytesOf(EMPTY_CODE_HASH)
const SLOT_LIMITS = { maxBytes: 33, maxItems: 1, maxDepth: 0 }

/** Words of one contract: read ones and written ones. */
interface Storage {
  /** Where the words that are not in `words` are read; the empty root once the contract was deleted or made anew. */
  readonly root: Hash
  /** Slot as 64 hex digits → word without leading zeros. */
  readonly words: Map<string, Uint8Array>
  /** Slots in `words` that were written; some may be as they were. */
  readonly written: Set<string>
}

export interface Commit {
  readonly root: Hash
  /** Every node and code that is new under the root. */
  readonly nodes: ReadonlyMap<Hash, Uint8Array>
}

export class World implements StateManagerInterface {
  readonly #source: NodeSource
  readonly #keccak: Keccak
  readonly #root: Hash
  readonly #accounts = new Map<Address, Account | null>()
  readonly #changed = new Set<Address>()
  readonly #storages = new Map<Address, Storage>()
  readonly #code = new Map<Hash, Uint8Array>()
  readonly #undo: (() => void)[] = []
  readonly #checkpoints: number[] = []
  /** The EVM empties it between transactions; Petersburg never asks for it. */
  readonly originalStorageCache = { get: (address: EvmAddress, key: Uint8Array): Promise<Uint8Array> => this.getStorage(address, key), clear: (): void => undefined }

  constructor(source: NodeSource, keccak: Keccak, root: Hash) {
    this.#source = source
    this.#keccak = keccak
    this.#root = root
  }

  // Accounts. What is handed out and taken in is copied: the EVM changes its accounts in place.

  async account(address: Address): Promise<Account | null> {
    const known = this.#accounts.get(address)
    if (known !== undefined) return known === null ? null : copyOf(known)
    const read = await this.#source.through(() => this.#readAccount(address))
    this.#accounts.set(address, read)
    return read === null ? null : copyOf(read)
  }

  setAccount(address: Address, account: Account | null): void {
    this.#set(address, account === null ? null : copyOf(account))
  }

  /** The account and all its words go. */
  removeAccount(address: Address): void {
    this.#emptyStorage(address)
    this.#set(address, null)
  }

  /** Adds to a balance; an account that is empty afterwards is not kept (EIP-161). */
  async credit(address: Address, amountWei: bigint): Promise<void> {
    const account = await this.account(address)
    if (account === null && amountWei === 0n) return
    const credited = account ?? new Account()
    credited.balance += amountWei
    if (credited.isEmpty()) this.removeAccount(address)
    else this.#set(address, credited)
  }

  #set(address: Address, account: Account | null): void {
    const before = this.#accounts.get(address)
    this.#accounts.set(address, account)
    this.#changed.add(address)
    if (this.#checkpoints.length > 0) this.#undo.push(() => (before === undefined ? this.#accounts.delete(address) : this.#accounts.set(address, before)))
  }

  #readAccount(address: Address): Account | null {
    const bytes = readKey(this.#source, this.#root, this.#keccak.keccak256(bytesOf(address)))
    if (bytes === null) return null
    const { nonce, balanceWei, storageRoot, codeHash } = inputAsDamage(() => decodeAccount(bytes))
    return new Account(nonce, balanceWei, bytesOf(storageRoot), bytesOf(codeHash))
  }

  // The EVM's view.

  async getAccount(address: EvmAddress): Promise<Account | undefined> {
    return (await this.account(address.toString())) ?? undefined
  }

  putAccount(address: EvmAddress, account?: Account): Promise<void> {
    this.setAccount(address.toString(), account ?? null)
    return DONE
  }

  deleteAccount(address: EvmAddress): Promise<void> {
    this.removeAccount(address.toString())
    return DONE
  }

  async modifyAccountFields(address: EvmAddress, fields: AccountFields): Promise<void> {
    const account = (await this.getAccount(address)) ?? new Account()
    this.setAccount(address.toString(), Object.assign(account, fields))
  }

  async putCode(address: EvmAddress, value: Uint8Array): Promise<void> {
    const account = (await this.getAccount(address)) ?? new Account()
    const hash = value.length === 0 ? EMPTY_CODE_HASH : keccakHex(this.#keccak, value)
    if (value.length > 0) this.#code.set(hash, value)
    account.codeHash = bytesOf(hash)
    this.setAccount(address.toString(), account)
  }

  async getCode(address: EvmAddress): Promise<Uint8Array> {
    const account = await this.getAccount(address)
    if (account === undefined || Buffer.compare(account.codeHash, EMPTY_CODE_BYTES) === 0) return NOTHING
    const hash = hexOf(account.codeHash)
    return this.#code.get(hash) ?? this.#source.through(() => this.#source.code(hash))
  }

  async getCodeSize(address: EvmAddress): Promise<number> {
    return (await this.getCode(address)).length
  }

  /** A word without its leading zeros. */
  async getStorage(address: EvmAddress, key: Uint8Array): Promise<Uint8Array> {
    const owner = address.toString()
    const slot = Buffer.from(key).toString('hex')
    const storage = this.#storages.get(owner) ?? (await this.#openStorage(owner))
    const known = storage.words.get(slot)
    if (known !== undefined) return known
    const bytes = storage.root === EMPTY_TRIE_ROOT ? null : await this.#source.through(() => readKey(this.#source, storage.root, this.#keccak.keccak256(key)))
    const word = bytes === null ? NOTHING : wordOf(bytes)
    storage.words.set(slot, word)
    return word
  }

  async putStorage(address: EvmAddress, key: Uint8Array, value: Uint8Array): Promise<void> {
    const owner = address.toString()
    const slot = Buffer.from(key).toString('hex')
    const before = await this.getStorage(address, key)
    const storage = this.#storages.get(owner) ?? (await this.#openStorage(owner))
    storage.words.set(slot, withoutZeros(value))
    storage.written.add(slot)
    this.#changed.add(owner)
    if (this.#checkpoints.length > 0) this.#undo.push(() => storage.words.set(slot, before))
  }

  clearStorage(address: EvmAddress): Promise<void> {
    this.#emptyStorage(address.toString())
    return DONE
  }

  checkpoint(): Promise<void> {
    this.#checkpoints.push(this.#undo.length)
    return DONE
  }

  commit(): Promise<void> {
    this.#checkpoints.pop()
    if (this.#checkpoints.length === 0) this.#undo.length = 0
    return DONE
  }

  revert(): Promise<void> {
    const to = this.#checkpoints.pop() ?? 0
    while (this.#undo.length > to) this.#undo.pop()?.()
    return DONE
  }

  getStateRoot(): Promise<Uint8Array> {
    return Promise.resolve(bytesOf(this.#root))
  }

  setStateRoot(): Promise<void> {
    return Promise.reject(new MeshBoxError('internal', 'a world stays at its root', { code: 'world-moved' }))
  }

  hasStateRoot(root: Uint8Array): Promise<boolean> {
    return Promise.resolve(hexOf(root) === this.#root)
  }

  clearCaches(): void {
    this.originalStorageCache.clear()
  }

  shallowCopy(): StateManagerInterface {
    return new World(this.#source, this.#keccak, this.#root)
  }

  /** Asks at once for what these accounts need, where nodes come over the network. */
  prefetch(addresses: Iterable<Address>): Promise<void> {
    return this.#source.prefetch([...new Set(addresses)].map((address) => () => void this.#readAccount(address)))
  }

  /** Root of the state as it is now. The world may be read on, not changed. */
  finish(): Promise<Commit> {
    return this.#source.through(() => this.#hash())
  }

  #hash(): Commit {
    const nodes = new Map<Hash, Uint8Array>()
    const keep = (hash: Hash, bytes: Uint8Array): void => void nodes.set(hash, bytes)
    const accounts = new TrieEdit(this.#source, this.#keccak, this.#root)
    for (const address of this.#changed) {
      const account = this.#accounts.get(address)
      if (account === undefined) continue // read, changed, and undone
      const key = this.#keccak.keccak256(bytesOf(address))
      if (account === null) {
        accounts.delete(key)
        continue
      }
      const code = this.#code.get(hexOf(account.codeHash))
      if (code !== undefined) keep(hexOf(account.codeHash), code)
      accounts.put(key, encodeRlp([integerBytes(account.nonce), integerBytes(account.balance), this.#storageRoot(address, account, keep), account.codeHash]))
    }
    return { root: accounts.finish(keep), nodes }
  }

  #storageRoot(address: Address, account: Account, keep: (hash: Hash, bytes: Uint8Array) => void): Uint8Array {
    const storage = this.#storages.get(address)
    if (storage === undefined) return account.storageRoot
    const words = new TrieEdit(this.#source, this.#keccak, storage.root)
    for (const slot of storage.written) {
      const word = storage.words.get(slot) ?? NOTHING
      const key = this.#keccak.keccak256(Buffer.from(slot, 'hex'))
      if (word.length === 0) words.delete(key)
      else words.put(key, encodeRlp(word))
    }
    return bytesOf(words.finish(keep))
  }

  async #openStorage(owner: Address): Promise<Storage> {
    const account = await this.account(owner)
    const root = account === null || Buffer.compare(account.storageRoot, EMPTY_ROOT_BYTES) === 0 ? EMPTY_TRIE_ROOT : hexOf(account.storageRoot)
    const storage: Storage = { root, words: new Map(), written: new Set() }
    this.#storages.set(owner, storage)
    return storage
  }

  #emptyStorage(owner: Address): void {
    const before = this.#storages.get(owner)
    this.#storages.set(owner, { root: EMPTY_TRIE_ROOT, words: new Map(), written: new Set() })
    this.#changed.add(owner)
    if (this.#checkpoints.length > 0) this.#undo.push(() => (before === undefined ? this.#storages.delete(owner) : this.#storages.set(owner, before)))
  }
}

const DONE = Promise.resolve()

function copyOf(account: Account): Account {
  return new Account(account.nonce, account.balance, account.storageRoot, account.codeHash)
}

function wordOf(bytes: Uint8Array): Uint8Array {
  const word = inputAsDamage(() => decodeRlp(bytes, SLOT_LIMITS, 'slot'))
  if (!(word instanceof Uint8Array) || word.length === 0) throw damaged('a word that is none')
  return word.slice()
}

/** The hash of what is read was right: a state that does not decode is no state. */
function inputAsDamage<T>(read: () => T): T {
  try {
    return read()
  } catch (thrown) {
    if (thrown instanceof MeshBoxError && thrown.kind === 'input') throw damaged(thrown.message)
    throw thrown
  }
}

function withoutZeros(value: Uint8Array): Uint8Array {
  let at = 0
  while (at < value.length && value[at] === 0) at++
  return at === 0 ? value : value.slice(at)
}
