/**
 * A second opinion on our contracts: Foundry's EVM, told every call that a town makes in ours, in the same block, by JSON-RPC.
 * What it makes of them must be the same: taken or refused, returned bytes, logs, and under London's rules gas. (Under older
 * rules anvil 1.7.1 counts storage at London's prices: to write over a word costs 2,900 there, at Byzantium it is 5,000.)
 * The calls of one block wait until the town's clock moves or `settle` is called; then the block is mined and looked at.
 */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { hexOf } from '../../../src/base/index.ts'
import type { Address, Hash, Hex } from '../../../src/base/index.ts'
import type { Rules, SeenCall, Witness } from './town.ts'

interface Trace {
  readonly output?: Hex
  readonly error?: string
}

interface Receipt {
  readonly status: Hex
  readonly gasUsed: Hex
  readonly contractAddress: Address | null
  readonly logs: readonly { readonly address: Address; readonly topics: readonly Hash[]; readonly data: Hex }[]
}

interface Ask {
  readonly method: string
  readonly params: readonly unknown[]
}

/** The first that a town uses. */
const FIRST_BLOCK = 1000
const number = (value: bigint | number): Hex => `0x${value.toString(16)}`

/** One process: one set of rules. */
class Node {
  readonly #child: ChildProcessByStdio<null, Readable, null>
  readonly #url: string
  readonly hasTrueGas: boolean
  #snapshot: Hex = '0x'
  height = FIRST_BLOCK - 1
  waiting: SeenCall[] = []
  nonces = new Map<Address, bigint>()
  readonly marks: { readonly snapshot: Hex; readonly height: number; readonly nonces: ReadonlyMap<Address, bigint> }[] = []

  private constructor(rules: Rules, child: ChildProcessByStdio<null, Readable, null>, url: string) {
    this.#child = child
    this.#url = url
    this.hasTrueGas = rules === 'london'
  }

  static async start(rules: Rules): Promise<Node> {
    const folder = dirname(createRequire(import.meta.url).resolve('@foundry-rs/anvil-linux-amd64/package.json'))
    const words = ['--port', '0', '--number', String(FIRST_BLOCK - 1), '--hardfork', rules, '--no-mining', '--order', 'fifo', '--accounts', '1', '--gas-price', '0', '--block-base-fee-per-gas', '0', '--disable-block-gas-limit', '--auto-impersonate']
    const child = spawn(join(folder, 'bin', 'anvil'), words, { stdio: ['ignore', 'pipe', 'inherit'] })
    process.once('exit', () => child.kill('SIGKILL'))
    child.unref()
    const port = await new Promise<string>((resolve, reject) => {
      let said = ''
      child.once('error', reject)
      child.once('exit', () => reject(new Error(`anvil ended: ${said}`)))
      // Read on to the end: it says something about every call, and waits when nobody reads.
      child.stdout.on('data', (chunk: Buffer) => {
        if (said.length < 4096) said += chunk.toString()
        const found = /^Listening on 127\.0\.0\.1:(\d+)$/m.exec(said)?.[1]
        if (found !== undefined) resolve(found)
      })
    })
    const node = new Node(rules, child, `http://127.0.0.1:${port}`)
    node.#snapshot = await node.ask<Hex>('evm_snapshot')
    return node
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }

  async ask<T>(method: string, ...params: readonly unknown[]): Promise<T> {
    const [answer] = await this.askAll<T>([{ method, params }])
    if (answer === undefined) throw new Error(`anvil: no answer to ${method}`)
    return answer
  }

  async askAll<T>(asks: readonly Ask[]): Promise<readonly T[]> {
    const body = JSON.stringify(asks.map((ask, id) => ({ jsonrpc: '2.0', id, ...ask })))
    const response = await fetch(this.#url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const answers = (await response.json()) as readonly { readonly id: number; readonly result?: T; readonly error?: { readonly message: string } }[]
    return [...answers]
      .sort((a, b) => a.id - b.id)
      .map(({ id, result, error }) => {
        if (result === undefined) throw new Error(`anvil: ${asks[id]?.method}: ${error?.message}`)
        return result
      })
  }

  /** As it was at the start. */
  async reset(): Promise<void> {
    await this.ask('evm_revert', this.#snapshot)
    this.#snapshot = await this.ask<Hex>('evm_snapshot')
    this.height = FIRST_BLOCK - 1
    this.nonces.clear()
    this.marks.length = 0
  }

  nonceOf(who: Address): bigint {
    const nonce = this.nonces.get(who) ?? 0n
    this.nonces.set(who, nonce + 1n)
    return nonce
  }
}

/** Starts what it needs; `stop` ends it. */
export class Anvil implements Witness {
  readonly #nodes = new Map<Rules, Node>()
  #node: Node | null = null
  /** Calls that were looked at. */
  calls = 0
  refused = 0

  async build(rules: Rules): Promise<void> {
    await this.settle()
    const node = this.#nodes.get(rules) ?? (await Node.start(rules))
    this.#nodes.set(rules, node)
    await node.reset()
    this.#node = node
  }

  async saw(call: SeenCall): Promise<void> {
    const node = this.#current()
    if (node.waiting[0] !== undefined && node.waiting[0].block !== call.block) await this.settle()
    node.waiting.push(call)
  }

  async mark(): Promise<void> {
    await this.settle()
    const node = this.#current()
    node.marks.push({ snapshot: await node.ask<Hex>('evm_snapshot'), height: node.height, nonces: new Map(node.nonces) })
  }

  async back(): Promise<void> {
    await this.settle()
    const node = this.#current()
    const mark = node.marks.pop()
    if (mark === undefined) throw new Error('no mark to go back to')
    await node.ask('evm_revert', mark.snapshot)
    node.height = mark.height
    node.nonces = new Map(mark.nonces)
  }

  /** Mines what waits, and throws where the two do not agree. */
  async settle(): Promise<void> {
    const node = this.#node
    const calls = node?.waiting.splice(0) ?? []
    const [first] = calls
    if (node === null || first === undefined) return
    if (first.block <= node.height) throw new Error(`block ${first.block} is mined already`)
    if (first.block - 1 > node.height) await node.ask('anvil_mine', number(first.block - 1 - node.height)).catch(ignoreNull)
    const hashes: Hash[] = []
    // One by one: those of one batch may change places.
    for (const { from, to, data, gas } of calls) {
      const call = { from, ...(to === null ? {} : { to }), data: hexOf(data), gas: number(gas), gasPrice: '0x0', nonce: number(node.nonceOf(from)) }
      hashes.push(await node.ask<Hash>('eth_sendTransaction', call))
    }
    await node.ask('evm_mine')
    node.height = first.block
    const receipts = await node.askAll<Receipt>(hashes.map((hash) => ({ method: 'eth_getTransactionReceipt', params: [hash] })))
    const traces = await node.askAll<Trace>(hashes.map((hash) => ({ method: 'debug_traceTransaction', params: [hash, { tracer: 'callTracer' }] })))
    calls.forEach((call, index) => this.#compare(call, receipts[index], traces[index]))
  }

  stop(): void {
    for (const node of this.#nodes.values()) node.stop()
  }

  #compare(call: SeenCall, receipt: Receipt | undefined, trace: Trace | undefined): void {
    if (receipt === undefined || trace === undefined) throw new Error('anvil has no receipt')
    this.calls++
    const isOk = receipt.status === '0x1'
    if (!isOk) this.refused++
    const theirs = {
      isOk,
      output: call.to === null ? (receipt.contractAddress ?? '0x') : (trace.output ?? '0x'),
      gasUsed: this.#node?.hasTrueGas === true ? BigInt(receipt.gasUsed) : call.gasUsed,
      logs: JSON.stringify(receipt.logs.map(({ address, topics, data }) => ({ address, topics, data }))),
    }
    const ours = { isOk: call.isOk, output: call.output, gasUsed: call.gasUsed, logs: JSON.stringify(call.logs.map(({ address, topics, data }) => ({ address, topics, data: hexOf(data) }))) }
    for (const field of ['isOk', 'output', 'gasUsed', 'logs'] as const)
      if (theirs[field] !== ours[field]) throw new Error(`anvil does not agree about ${call.what} in block ${call.block}: ${field} ${theirs[field]}, in our EVM ${ours[field]}`)
  }

  #current(): Node {
    if (this.#node === null) throw new Error('no town was built')
    return this.#node
  }
}

/** anvil_mine answers null. */
function ignoreNull(thrown: unknown): void {
  if (!String(thrown).includes('anvil_mine: undefined')) throw thrown
}
