/**
 * The executor's core, wherever it runs: jobs one after the other over a store of nodes. `worker` and `inline`
 * put it into a thread or beside the caller.
 */
import { MeshBoxError, inputError } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { Body } from '../codec/body.ts'
import { bytesOf } from '../codec/fields.ts'
import type { Hash } from '../codec/fields.ts'
import { hashHeader } from '../codec/header.ts'
import type { Header } from '../codec/header.ts'
import type { Receipt } from '../codec/receipt.ts'
import { genesisHeader } from '../network/genesis.ts'
import type { Network } from '../network/network.ts'
import type { CallRequest, CallResult, Draft } from '../ports.ts'
import { EMPTY_CODE_HASH, decodeAccount } from '../proof/account.ts'
import { EMPTY_TRIE_ROOT } from '../proof/read-trie.ts'
import type { Refusal } from '../rules/codes.ts'
import { draftBlock, runBlock } from './block.ts'
import type { Drafted } from './block.ts'
import { callAt, estimateAt } from './call.ts'
import type { CallPlace } from './call.ts'
import type { BlockHashOf } from './evm.ts'
import { NodeSource, unavailable } from './node-source.ts'
import type { FetchNodes } from './node-source.ts'
import { RestoreWork } from './restore.ts'
import type { RestoreStep } from './restore.ts'
import type { PruneWork, StateStore } from './state-store.ts'
import { childHashes, decodeNode, leafValues } from './trie-nodes.ts'
import { World } from './world.ts'

export interface EngineOptions {
  readonly curve: Secp256k1
  readonly store: StateStore
  /** Null: this box keeps its state, and what is not on its disk is not to be had. */
  readonly fetchNodes: FetchNodes | null
  /** Hash of the ancestor of `parent` at this height, which is below the parent's by 2 to 256; null: not known here. */
  readonly ancestorHash: (parent: Header, number: number) => Promise<Hash | null>
  /** Of decoded nodes and code. */
  readonly maxCacheBytes: number
  readonly maxSteps?: number
}

/** A block's receipts, or why it is refused. */
export type EngineVerdict = { readonly ok: true; readonly receipts: readonly Receipt[] } | Refusal

export class Engine {
  readonly #options: EngineOptions
  readonly #source: NodeSource
  #network: Network | null = null
  #restoring: RestoreWork | null = null
  #isPruning = false

  constructor(options: EngineOptions) {
    this.#options = options
    this.#source = new NodeSource({ keccak: options.curve, store: options.store, fetch: options.fetchNodes, maxCacheBytes: options.maxCacheBytes })
  }

  /** Errors: input `network` where its genesis block is not what its accounts make. */
  begin(network: Network): void {
    const { curve, store } = this.#options
    const nodes = new Map<Hash, Uint8Array>()
    const header = genesisHeader(curve, network.genesis, (hash, node) => void nodes.set(hash, node))
    const hash = hashHeader(curve, header)
    if (hash !== network.genesisHash) throw inputError('network', `${network.name} with genesis ${hash}`, network.genesisHash)
    this.#network = network
    if (!store.hasState(header.stateRoot)) store.write(nodes, header.stateRoot)
  }

  async execute(parent: Header, header: Header, body: Body): Promise<EngineVerdict> {
    const parentHash = hashHeader(this.#options.curve, parent)
    if (header.parentHash !== parentHash || header.number !== parent.number + 1) throw inputError('block', `${header.number} on ${header.parentHash}`, `${parent.number + 1} on ${parentHash}`)
    const world = this.#worlds(parent.stateRoot)()
    const ran = await runBlock({ ...this.#place(), world, blockHash: this.#blockHash(parent, parentHash) }, header, body)
    if (!ran.ok) return ran
    const { store } = this.#options
    const isWhole = store.hasState(parent.stateRoot)
    store.write(new Map([...this.#source.fetched(), ...ran.commit.nodes]), isWhole ? ran.commit.root : null)
    return { ok: true, receipts: ran.receipts }
  }

  async build(draft: Draft): Promise<Drafted> {
    const parentHash = hashHeader(this.#options.curve, draft.parent)
    if (draft.number !== draft.parent.number + 1) throw inputError('draft.number', draft.number, `${draft.parent.number + 1}`)
    const chiefError = (reason: string): Error => inputError('draft.chief', reason, 'a chief transaction that succeeds')
    return draftBlock({ ...this.#place(), blockHash: this.#blockHash(draft.parent, parentHash) }, this.#worlds(draft.parent.stateRoot), draft, chiefError)
  }

  call(at: Header, request: CallRequest): Promise<CallResult> {
    return callAt(this.#callPlace(at), at, request)
  }

  estimateGas(at: Header, request: CallRequest): Promise<bigint> {
    return estimateAt(this.#callPlace(at), at, request)
  }

  /** Errors: conflict `restoring`. */
  prune(keep: readonly Hash[]): PruneWork {
    // What was fetched for a state that is not whole yet belongs to no kept root.
    if (this.#restoring !== null) throw new MeshBoxError('conflict', 'a state is being restored', { code: 'restoring' })
    const work = this.#options.store.startPruning(keep, childrenOf)
    this.#isPruning = true
    return {
      step: () => {
        const step = work.step()
        if (step === null) this.#isPruning = false
        return step
      },
    }
  }

  /** Begins, or begins anew. Errors: conflict `pruning`. */
  restore(stateRoot: Hash): RestoreStep {
    if (this.#isPruning) throw new MeshBoxError('conflict', 'old states are being forgotten', { code: 'pruning' })
    this.#restoring = new RestoreWork(this.#options.curve, this.#options.store, stateRoot)
    return this.restoreStep([])
  }

  /** Errors: conflict `restore-lost`; unavailable for a state that is none. */
  restoreStep(given: readonly Uint8Array[]): RestoreStep {
    if (this.#restoring === null) throw new MeshBoxError('conflict', 'no restoring has begun', { code: 'restore-lost' })
    const step = this.#restoring.step(given)
    if (step.isDone) this.#restoring = null
    return step
  }

  /** Whoever fetched has given up; what came stays until the next pruning. */
  endRestore(): void {
    this.#restoring = null
  }

  #place(): { readonly network: Network; readonly curve: Secp256k1; readonly maxSteps?: number } {
    const { curve, maxSteps } = this.#options
    if (this.#network === null) throw new MeshBoxError('unavailable', 'the executor has not begun', { code: 'executor-not-begun' })
    return { network: this.#network, curve, ...(maxSteps === undefined ? {} : { maxSteps }) }
  }

  /** Fresh worlds at a root for one job. Errors: unavailable where this box keeps states, and not this one. */
  #worlds(root: Hash): () => World {
    const { curve, store, fetchNodes } = this.#options
    if (fetchNodes === null && !store.hasState(root)) throw unavailable(`${root} is not a state of this box`)
    this.#source.begin()
    return () => new World(this.#source, curve, root)
  }

  /** A call runs in the context of the block whose state it reads, so its ancestors are that block's. */
  #callPlace(at: Header): CallPlace {
    const ancestor: BlockHashOf = async (number) => {
      if (number === at.number) return bytesOf(hashHeader(this.#options.curve, at)) // on the genesis only
      return bytesOf(number === at.number - 1 ? at.parentHash : await this.#ancestor(at, number))
    }
    return { ...this.#place(), fresh: this.#worlds(at.stateRoot), blockHash: ancestor }
  }

  #blockHash(parent: Header, parentHash: Hash): BlockHashOf {
    return async (number) => {
      if (number === parent.number) return bytesOf(parentHash)
      return bytesOf(number === parent.number - 1 ? parent.parentHash : await this.#ancestor(parent, number))
    }
  }

  async #ancestor(parent: Header, number: number): Promise<Hash> {
    const hash = await this.#options.ancestorHash(parent, number)
    if (hash === null) throw unavailable(`the hash of block ${number} is not known`)
    return hash
  }
}

/** What a node of the state leads to: nodes, and from an account its storage and its code. A word of storage leads nowhere. */
function childrenOf(bytes: Uint8Array): readonly Hash[] {
  let node
  try {
    node = decodeNode(bytes)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return [] // contract code
    throw thrown
  }
  return [...childHashes(node), ...leafValues(node).flatMap(accountHashes)]
}

function accountHashes(value: Uint8Array): Hash[] {
  try {
    const { storageRoot, codeHash } = decodeAccount(value)
    return [...(storageRoot === EMPTY_TRIE_ROOT ? [] : [storageRoot]), ...(codeHash === EMPTY_CODE_HASH ? [] : [codeHash])]
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return [] // a word of storage
    throw thrown
  }
}
