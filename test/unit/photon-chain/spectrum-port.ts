/** A ChainPort over our own Spectrum executor: real blocks, real receipts, account and storage by proof, a simple pool. */
import { MeshBoxError, ZERO_HASH, hexOf } from '../../../src/base/index.ts'
import type { Address, Cancel, Hash } from '../../../src/base/index.ts'
import type { ChainLog, ChainPoint, ChainPort } from '../../../src/photon/index.ts'
import { hashTransaction } from '../../../src/spectrum/index.ts'
import { readAccount, readSlot } from '../../../src/spectrum/proof/account.ts'
import { decodeTransaction, senderOf } from '../../../src/spectrum/codec/transaction.ts'
import { hashHeader } from '../../../src/spectrum/codec/header.ts'
import type { Header, Receipt, Transaction } from '../../../src/spectrum/index.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { GAS_PRICE, send, town } from '../spectrum-execute/town.ts'
import type { Town } from '../spectrum-execute/town.ts'

interface Mined {
  readonly header: Header
  readonly point: ChainPoint
  /** Of its transactions. */
  readonly hashes: readonly Hash[]
  readonly receipts: readonly Receipt[]
}

export const DEPTH = 17

export class SpectrumPort implements ChainPort {
  readonly #place: Town
  readonly #blocks: Mined[]
  readonly #listeners = new Set<(head: ChainPoint, reorgFrom: number | null) => void>()
  readonly #pool = new Map<string, Transaction>()
  /** Receipts of blocks below are not kept by anybody. */
  keptFrom = 0

  private constructor(place: Town) {
    this.#place = place
    this.#blocks = [{ header: place.genesis, point: pointOf(place.genesis), hashes: [], receipts: [] }]
  }

  static async of(people: readonly Person[], sip004: number | undefined): Promise<SpectrumPort> {
    return new SpectrumPort(await town({ people, ...(sip004 === undefined ? {} : { sip004 }) }))
  }

  get chainId(): bigint {
    return this.#place.network.chainId
  }

  get network(): Town['network'] {
    return this.#place.network
  }

  head(): ChainPoint | null {
    return this.#blocks.at(-1)?.point ?? null
  }

  safe(): ChainPoint | null {
    return this.#blocks[this.#blocks.length - 1 - DEPTH]?.point ?? null
  }

  isFrozen(): boolean {
    return false
  }

  at(number: number): ChainPoint | null {
    return this.#blocks[number]?.point ?? null
  }

  #logsOf(block: Mined): readonly ChainLog[] {
    let logIndex = 0
    return block.receipts.flatMap((receipt, index) => receipt.logs.map((log) => ({ ...log, logIndex: logIndex++, transactionHash: block.hashes[index] ?? ZERO_HASH })))
  }

  logs(point: ChainPoint): Promise<readonly ChainLog[] | null> {
    const block = this.#blocks[point.number]
    return Promise.resolve(block?.point.hash !== point.hash ? null : this.#logsOf(block))
  }

  #account(point: ChainPoint, address: Address): { readonly nonce: bigint; readonly balanceWei: bigint; readonly storageRoot: Hash; readonly codeHash: Hash } | null {
    const block = this.#blocks[point.number]
    if (block === undefined) return null
    const read = readAccount(native, block.header.stateRoot, address, (hash) => this.#place.executor.node(hash))
    return read.kind === 'read' ? read.value : null
  }

  account(point: ChainPoint, address: Address): Promise<{ readonly nonce: bigint; readonly balanceWei: bigint } | null> {
    return Promise.resolve(this.#account(point, address))
  }

  storage(point: ChainPoint, contract: Address, slot: bigint): Promise<bigint | null> {
    const account = this.#account(point, contract)
    if (account === null) return Promise.resolve(null)
    const read = readSlot(native, account.storageRoot, slot, (hash) => this.#place.executor.node(hash))
    return Promise.resolve(read.kind === 'read' ? read.value : null)
  }

  send(raw: Uint8Array): Promise<Hash> {
    const transaction = decodeTransaction(raw)
    const sender = senderOf(native, transaction, this.chainId)
    if (sender === null) return Promise.reject(new MeshBoxError('conflict', 'signed by nobody', { code: 'test' }))
    const place = `${sender}/${transaction.nonce}`
    const before = this.#pool.get(place)
    if (before !== undefined && before.gasPriceWei > transaction.gasPriceWei) return Promise.reject(new MeshBoxError('conflict', 'it pays less', { code: 'test' }))
    this.#pool.set(place, transaction)
    return Promise.resolve(hashTransaction(native, transaction))
  }

  receipt(hash: Hash): Promise<{ readonly point: ChainPoint; readonly succeeded: boolean; readonly gasUsed: bigint; readonly logs: readonly ChainLog[] } | null> {
    for (const block of this.#blocks) {
      const index = block.hashes.indexOf(hash)
      if (index >= 0 && block.point.number >= this.keptFrom) return Promise.resolve({ point: block.point, succeeded: block.receipts[index]?.succeeded ?? false, gasUsed: (block.receipts[index]?.cumulativeGasUsed ?? 0n) - (block.receipts[index - 1]?.cumulativeGasUsed ?? 0n), logs: this.#logsOf(block).filter((log) => log.transactionHash === hash) })
    }
    return Promise.resolve(null)
  }

  onHead(listener: (head: ChainPoint, reorgFrom: number | null) => void): Cancel {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** One block more, of what the pool has. */
  async mine(): Promise<void> {
    const parent = this.#blocks.at(-1)?.header ?? this.#place.genesis
    const candidates = [...this.#pool.values()].sort((a, b) => Number(a.nonce - b.nonce))
    const { block } = await this.#place.block(parent, candidates)
    const verdict = await this.#place.executor.execute(parent, block)
    if (!verdict.ok) throw new Error(verdict.reason)
    this.#blocks.push({ header: block.header, point: pointOf(block.header), hashes: block.body.transactions.map((one) => hashTransaction(native, one)), receipts: verdict.receipts })
    for (const [place, transaction] of this.#pool) if (block.body.transactions.includes(transaction)) this.#pool.delete(place)
    for (const listener of this.#listeners) listener(pointOf(block.header), null)
  }

  /** The last blocks were another branch's; their transactions are in nobody's pool. */
  undo(count: number): void {
    this.#blocks.splice(this.#blocks.length - count)
    this.#pool.clear()
  }

  /** A contract made by `from` now. Errors: where its constructor fails. */
  async deploy(from: Person, creation: Uint8Array): Promise<Address> {
    const head = this.head()
    const nonce = head === null ? 0n : (this.#account(head, from.address)?.nonce ?? 0n)
    return this.#run(send(this.network, from, nonce, { to: null, gas: 6_000_000n, data: creation, gasPriceWei: GAS_PRICE }), from, nonce)
  }

  /** A call by `from` now. Errors: where it fails. */
  async call(from: Person, to: Address, data: Uint8Array): Promise<void> {
    const head = this.head()
    const nonce = head === null ? 0n : (this.#account(head, from.address)?.nonce ?? 0n)
    await this.#run(send(this.network, from, nonce, { to, gas: 500_000n, data, gasPriceWei: GAS_PRICE }), from, nonce)
  }

  async #run(transaction: Transaction, from: Person, nonce: bigint): Promise<Address> {
    this.#pool.set(`${from.address}/${nonce}`, transaction)
    await this.mine()
    const receipt = await this.receipt(hashTransaction(native, transaction))
    if (receipt?.succeeded !== true) throw new Error(`a transaction of ${from.address} failed`)
    const { getCreateAddress } = await import('ethers')
    return getCreateAddress({ from: from.address, nonce }).toLowerCase() as Address
  }

  /** At the head. */
  codeOf(address: Address): Uint8Array {
    const head = this.head()
    const account = head === null ? null : this.#account(head, address)
    return account === null ? new Uint8Array() : (this.#place.executor.node(account.codeHash) ?? new Uint8Array())
  }

  async view(point: ChainPoint, contract: Address, data: Uint8Array): Promise<Uint8Array | 'reverted' | null> {
    const header = this.#blocks[point.number]?.header
    if (header === undefined) return null
    const result = await this.#place.executor.call(header, { from: contract, to: contract, data, valueWei: 0n, gas: 1_000_000n, gasPriceWei: 0n })
    return result.status === 'returned' ? result.output : 'reverted'
  }

  /** What a view function returns, at the head. */
  async ask(to: Address, data: Uint8Array): Promise<bigint> {
    const head = this.#blocks.at(-1)?.header ?? this.#place.genesis
    const result = await this.#place.executor.call(head, { from: to, to, data, valueWei: 0n, gas: 1_000_000n, gasPriceWei: 0n })
    if (result.status !== 'returned') throw new Error(result.reason ?? result.status)
    return BigInt(hexOf(result.output.subarray(0, 32)))
  }
}

function pointOf(header: Header): ChainPoint {
  return { number: header.number, hash: hashHeader(native, header), timeSeconds: header.timeSeconds }
}
