/**
 * Keeps the miner's deposit as the owner wants it: looks at the proved record with every head and sends the one
 * transaction that is next. It is on disk before it is sent, and sent again, the same bytes, until it is mined
 * or can never be: a restart sends nothing twice.
 */
import { MeshBoxError, asError, inputError } from '../../../base/index.ts'
import type { Cancel, Log } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import type { Store } from '../../../store/index.ts'
import type { Address, Hash } from '../../codec/fields.ts'
import { encodeTransaction, hashTransaction } from '../../codec/transaction.ts'
import type { Transaction } from '../../codec/transaction.ts'
import type { ChainBlock, ChainView, MinerKey, PoolRefusalCode, ProvedState, TransactionPool } from '../../ports.ts'
import { signWith } from '../assemble.ts'
import { endPocAction, insertPocAction, lastPocAction, pocGoal, setPocGoal } from '../io/poc-rows.ts'
import type { PocActionRow, PocOutcome } from '../io/poc-rows.ts'
import { SEALER_MIN_GAS_PRICE_WEI } from '../pool/limits.ts'
import { pocCall } from './calls.ts'
import { readBinding, readMinerRecord, readPocTerms } from './miner-record.ts'
import { POC_GOALS, nextAction, pocState } from './plan.ts'
import type { PocAction, PocGoal, PocSight, PocState } from './plan.ts'

/** The wallet that deposits, and owns the deposit. Its key stays where it is. */
export interface OwnerWallet {
  readonly address: Address
  /** 65 bytes r ‖ s ‖ v (0 or 1), low s. */
  sign(digest: Uint8Array): Uint8Array
}

export interface PocAgentOptions {
  readonly curve: Secp256k1
  readonly chain: ChainView
  readonly state: Pick<ProvedState, 'account' | 'storage'>
  readonly pool: TransactionPool
  readonly key: MinerKey
  readonly wallet: OwnerWallet
  readonly store: Store
  readonly log: Log
  /** Has this box what sealing needs: a trusted clock, the head's state? */
  readonly canSeal: () => boolean
  /** Default 18 Gwei. */
  readonly gasPriceWei?: bigint
}

export interface PocStatus {
  readonly goal: PocGoal
  /** Null: not proved yet. */
  readonly state: PocState | null
  readonly depositWei: bigint | null
  /** Null: the chain binds nobody, or not proved yet. */
  readonly boundTo: Address | null
  readonly minDepositWei: bigint | null
  /** What the wallet has; null: not proved yet. */
  readonly walletWei: bigint | null
  /** On its way, or the last one with its end. */
  readonly action: { readonly kind: PocAction; readonly hash: Hash; readonly outcome: PocOutcome | null; readonly reason: string | null } | null
  /** Why nothing happens that should: e.g. the wallet has too little. */
  readonly obstacle: string | null
  /** The block that this is proved at. */
  readonly number: number | null
}

export interface PocAgent {
  start(): void
  status(): PocStatus
  /** On disk when it resolves. Errors: input `goal`. */
  setGoal(goal: PocGoal): Promise<void>
  /** Something outside the chain changed, or a test waits: resolves when everything is up to the head. */
  look(): Promise<void>
  stop(): Promise<void>
}

/** Enough for the dearest of the calls, a deposit (some 190,000). */
export const POC_CALL_GAS = 400_000n
export const DEFAULT_CALL_GAS_PRICE_WEI = SEALER_MIN_GAS_PRICE_WEI
/** The same again not before a block of this depth cannot be taken back any more, as a rule. */
const AGAIN_AFTER_BLOCKS = 17
/** The contract said no, and will probably again. */
const AGAIN_AFTER_FAILURE_BLOCKS = 170
/** Refusals that pass. */
const PASSING: ReadonlySet<PoolRefusalCode> = new Set(['known', 'pool-full', 'nonce-gap', 'nonce-too-low', 'insufficient-funds'])

export function createPocAgent(options: PocAgentOptions): PocAgent {
  return new BoundPocAgent(options)
}

class BoundPocAgent implements PocAgent {
  readonly #options: PocAgentOptions
  readonly #chain: Hash
  readonly #miner: Address
  #isStarted = false
  #mustLookAgain = false
  #running: Promise<void> | null = null
  #off: Cancel = () => undefined
  #proved: Pick<PocStatus, 'state' | 'depositWei' | 'boundTo' | 'minDepositWei' | 'walletWei' | 'number'> = { state: null, depositWei: null, boundTo: null, minDepositWei: null, walletWei: null, number: null }
  #obstacle: string | null = null

  constructor(options: PocAgentOptions) {
    this.#options = options
    this.#chain = options.chain.network.genesisHash
    this.#miner = options.key.address
  }

  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.#off = this.#options.chain.on((event) => {
      if (event.kind === 'head') void this.look()
    })
    void this.look()
  }

  status(): PocStatus {
    const action = this.#last()
    return {
      goal: this.#goal(),
      ...this.#proved,
      action: action && { kind: action.kind, hash: action.hash, outcome: action.outcome, reason: action.reason },
      obstacle: this.#obstacle,
    }
  }

  async setGoal(goal: PocGoal): Promise<void> {
    if (!POC_GOALS.includes(goal)) throw inputError('goal', goal, POC_GOALS.join(', '))
    await this.#options.store.turn((tx) => setPocGoal(tx, this.#chain, this.#miner, goal))
    void this.look()
  }

  async look(): Promise<void> {
    if (!this.#isStarted) return
    this.#mustLookAgain = true
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
    await this.#running
  }

  async stop(): Promise<void> {
    this.#isStarted = false
    this.#off()
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#mustLookAgain && this.#isStarted) {
      this.#mustLookAgain = false
      try {
        await this.#step()
      } catch (thrown) {
        // Unavailable is usual: no node to prove with. The next head tries again.
        this.#obstacle = asError(thrown).message
        if (!(thrown instanceof MeshBoxError)) this.#options.log.error('the miner’s deposit could not be looked at', { error: asError(thrown) })
      }
    }
  }

  async #step(): Promise<void> {
    const { chain, curve, state, wallet, canSeal } = this.#options
    const head = chain.head()
    const reading = { keccak: curve, state, network: chain.network, at: head.header }
    const record = await readMinerRecord(reading, this.#miner)
    const terms = await readPocTerms(reading)
    const binding = await readBinding(reading, this.#miner)
    const { balanceWei } = await state.account(head.header, wallet.address)
    const sight: PocSight = { goal: this.#goal(), record, terms, binding, round: head.round, number: head.header.number, miner: this.#miner, wallet: wallet.address, canSeal: canSeal() }
    this.#proved = { state: pocState(sight), depositWei: record.amountWei, boundTo: binding, minDepositWei: terms.minDepositWei, walletWei: balanceWei, number: head.header.number }
    const alarm = chain.alarm()
    this.#obstacle = alarm === null ? null : `an alarm of the chain is set: ${alarm.reason}`
    // What is sent now may be paid on the branch that is given up.
    if (alarm !== null) return
    const last = this.#last()
    if (last?.outcome === null) return await this.#follow(last, head)
    const action = nextAction(sight)
    if (action === null && !sight.canSeal && nextAction({ ...sight, canSeal: true }) !== null) this.#obstacle = 'this box cannot seal now, and would miss its slot'
    if (action === null || !isTimeFor(action, last, head.header.number)) return
    await this.#send(action, action === 'deposit' ? terms.minDepositWei : 0n, head)
  }

  /** One that is on its way: mined, lost, or sent again. */
  async #follow(action: PocActionRow, head: ChainBlock): Promise<void> {
    const { chain, pool, state, wallet } = this.#options
    const found = chain.transaction(action.hash)
    if (found !== null) {
      const isFailed = chain.receipts(found.blockHash)?.[found.index]?.succeeded === false
      return await this.#end(action, head, isFailed ? 'failed' : 'mined', isFailed ? 'the contract refused it' : null)
    }
    const account = await state.account(head.header, wallet.address)
    if (account.nonce > action.nonce) return await this.#end(action, head, 'dropped', `another transaction of the wallet has nonce ${action.nonce}`)
    if (pool.get(action.hash) !== null) return
    await this.#offer(action, head)
  }

  async #offer(action: PocActionRow, head: ChainBlock): Promise<void> {
    const added = await this.#options.pool.add(action.raw, 'wallet')
    if (added.ok || added.code === 'known') return
    this.#obstacle = added.reason
    if (!PASSING.has(added.code)) await this.#end(action, head, 'dropped', `${added.code}: ${added.reason}`)
  }

  async #send(kind: PocAction, valueWei: bigint, head: ChainBlock): Promise<void> {
    const { chain, curve, key, pool, state, wallet, gasPriceWei = DEFAULT_CALL_GAS_PRICE_WEI } = this.#options
    const call = pocCall(curve, chain.network, kind, key, wallet.address)
    if (call === null) return
    const account = await state.account(head.header, wallet.address)
    const cost = valueWei + POC_CALL_GAS * gasPriceWei
    if (account.balanceWei < cost) {
      this.#obstacle = `${kind} needs ${cost} wei in the wallet; it has ${account.balanceWei}`
      return
    }
    const waiting = pool.nextNonce(wallet.address)
    const nonce = waiting !== null && waiting > account.nonce ? waiting : account.nonce
    const transaction: Transaction = signWith(curve, { nonce, gasPriceWei, gas: POC_CALL_GAS, to: call.to, valueWei, data: call.data }, chain.network.chainId, (digest) => wallet.sign(digest))
    const action = { kind, nonce, hash: hashTransaction(curve, transaction), raw: encodeTransaction(transaction), madeAt: head.header.number }
    await this.#options.store.turn((tx) => insertPocAction(tx, this.#chain, this.#miner, action))
    const stored = this.#last()
    if (stored !== null) await this.#offer(stored, head)
  }

  async #end(action: PocActionRow, head: ChainBlock, outcome: PocOutcome, reason: string | null): Promise<void> {
    await this.#options.store.turn((tx) => endPocAction(tx, action.id, head.header.number, outcome, reason))
    this.#options.log.info('a step of the miner’s deposit ended', { step: action.kind, hash: action.hash, outcome, reason: reason ?? undefined })
    // What comes next is seen at this head, not only at the next.
    this.#mustLookAgain = true
  }

  #goal(): PocGoal {
    return this.#options.store.read((tx) => pocGoal(tx, this.#chain, this.#miner))
  }

  #last(): PocActionRow | null {
    return this.#options.store.read((tx) => lastPocAction(tx, this.#chain, this.#miner))
  }
}

function isTimeFor(action: PocAction, last: PocActionRow | null, number: number): boolean {
  if (last === null || last.kind !== action || last.endedAt === null) return true
  return number - last.endedAt >= (last.outcome === 'failed' ? AGAIN_AFTER_FAILURE_BLOCKS : AGAIN_AFTER_BLOCKS)
}
