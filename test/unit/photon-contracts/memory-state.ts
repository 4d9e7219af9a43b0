/** The state that an EVM runs on, in memory, with what to undo: no tries, no roots, no copies. */
import type { AccountFields, StateManagerInterface } from '@ethereumjs/common'
import { Account } from '@ethereumjs/util'
import type { Address } from '@ethereumjs/util'
import { native } from '../spectrum/curves.ts'

const NOTHING = new Uint8Array(0)
const DONE = Promise.resolve()

export class MemoryState implements StateManagerInterface {
  readonly #accounts = new Map<string, Account>()
  readonly #code = new Map<string, Uint8Array>()
  readonly #words = new Map<string, Uint8Array>()
  readonly #undo: (() => void)[] = []
  readonly #checkpoints: number[] = []
  readonly #originals = new Map<string, Uint8Array>()
  readonly originalStorageCache = {
    get: (address: Address, key: Uint8Array): Promise<Uint8Array> => {
      const slot = slotOf(address, key)
      const known = this.#originals.get(slot) ?? this.#words.get(slot) ?? NOTHING
      return Promise.resolve(known)
    },
    clear: (): void => this.#originals.clear(),
  }

  #put<T>(map: Map<string, T>, key: string, value: T | undefined): void {
    const before = map.get(key)
    if (value === undefined) map.delete(key)
    else map.set(key, value)
    if (this.#checkpoints.length > 0) this.#undo.push(() => void (before === undefined ? map.delete(key) : map.set(key, before)))
  }

  getAccount(address: Address): Promise<Account | undefined> {
    const known = this.#accounts.get(textOf(address.bytes))
    return Promise.resolve(known === undefined ? undefined : new Account(known.nonce, known.balance, known.storageRoot, known.codeHash))
  }

  putAccount(address: Address, account?: Account): Promise<void> {
    this.#put(this.#accounts, textOf(address.bytes), account)
    return DONE
  }

  deleteAccount(address: Address): Promise<void> {
    return this.putAccount(address)
  }

  async modifyAccountFields(address: Address, fields: AccountFields): Promise<void> {
    await this.putAccount(address, Object.assign((await this.getAccount(address)) ?? new Account(), fields))
  }

  async putCode(address: Address, value: Uint8Array): Promise<void> {
    this.#put(this.#code, textOf(address.bytes), value)
    await this.modifyAccountFields(address, { codeHash: native.keccak256(value) })
  }

  getCode(address: Address): Promise<Uint8Array> {
    return Promise.resolve(this.#code.get(textOf(address.bytes)) ?? NOTHING)
  }

  async getCodeSize(address: Address): Promise<number> {
    return (await this.getCode(address)).length
  }

  getStorage(address: Address, key: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(this.#words.get(slotOf(address, key)) ?? NOTHING)
  }

  putStorage(address: Address, key: Uint8Array, value: Uint8Array): Promise<void> {
    const slot = slotOf(address, key)
    if (!this.#originals.has(slot)) this.#originals.set(slot, this.#words.get(slot) ?? NOTHING)
    this.#put(this.#words, slot, value.length === 0 ? undefined : value)
    return DONE
  }

  clearStorage(): Promise<void> {
    return DONE // contracts are made at fresh addresses only
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
    return Promise.resolve(new Uint8Array(32))
  }

  setStateRoot(): Promise<void> {
    return Promise.reject(new Error('this state has no roots'))
  }

  hasStateRoot(): Promise<boolean> {
    return Promise.resolve(false)
  }

  clearCaches(): void {
    this.#originals.clear()
  }

  shallowCopy(): StateManagerInterface {
    throw new Error('this state is not copied')
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function slotOf(address: Address, key: Uint8Array): string {
  return textOf(address.bytes) + textOf(key)
}
