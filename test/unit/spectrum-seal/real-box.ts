/** A box of a real community chain: our contracts, the EVM, the chain on disk, state proved by hash; simulated time and network. */
import { onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { createLedger, ledgerMigrations } from '../../../src/ledger/index.ts'
import type { Ledger } from '../../../src/ledger/index.ts'
import { verifyBody } from '../../../src/spectrum/rules/verify-body.ts'
import { verifyHeader } from '../../../src/spectrum/rules/verify-header.ts'
import type { Address, Network } from '../../../src/spectrum/index.ts'
import { openChain, startFromGenesis } from '../../../src/spectrum/chain/index.ts'
import { spectrumMigrations } from '../../../src/spectrum/chain/io/migrations.ts'
import type { KeptChain } from '../../../src/spectrum/chain/index.ts'
import { createInlineExecutor, memoryStateStore } from '../../../src/spectrum/execute/inline.ts'
import type { Block, Executor } from '../../../src/spectrum/ports.ts'
import { createEarnings, createPocAgent, createSealer, openTransactionPool } from '../../../src/spectrum/seal/index.ts'
import { sealMigrations } from '../../../src/spectrum/seal/io/migrations.ts'
import type { Earnings, OwnerWallet, PocAgent, Sealer, SealingPool } from '../../../src/spectrum/seal/index.ts'
import { StateReader } from '../../../src/spectrum/sync/proved-state.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import type { FakeTime } from '../../support/fakes.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { minerKey, storePath } from './box.ts'

export interface RealSettings {
  readonly who: Person
  readonly network: Network
  readonly time: FakeTime
  readonly wallet: Person
  readonly coinbase: Address
  readonly onBlock: (block: Block, from: RealBox) => void
  readonly onTransaction: (raw: Uint8Array, from: RealBox) => void
}

export class RealBox {
  readonly settings: RealSettings
  readonly path = storePath()
  readonly ledger: Ledger = createLedger({ shares: () => [] })
  readonly executor: Executor
  readonly state: StateReader
  readonly published: Block[] = []
  store!: Store
  chain!: KeptChain
  pool!: SealingPool
  sealer!: Sealer
  agent!: PocAgent
  earnings!: Earnings
  isSealing = false
  isOpen = false
  #taking: Promise<void> = Promise.resolve()

  constructor(settings: RealSettings) {
    this.settings = settings
    const { network, time } = settings
    this.executor = createInlineExecutor({ curve: native, store: memoryStateStore(), fetchNodes: null, ancestorHash: async (_, number) => this.chain.headerAt(number)?.hash ?? null, maxCacheBytes: 4 * 1024 * 1024 })
    this.state = new StateReader({ keccak: native, network, kept: this.executor, sources: { usable: () => [], complain: () => undefined, thank: () => undefined }, clock: time, timers: time })
  }

  async open(): Promise<void> {
    const { network, time, who, wallet, coinbase, onBlock, onTransaction } = this.settings
    this.store = openStore({ path: this.path, migrations: [...ledgerMigrations, ...spectrumMigrations, ...sealMigrations], log: silentLog })
    const { store } = this
    onTestFinished(() => store.close())
    await this.executor.begin(network)
    this.chain = await openChain({ store, curve: native, network, clock: time, log: silentLog, start: startFromGenesis(native, network) })
    const parts = { curve: native, chain: this.chain, state: this.state, store, clock: time, timers: time, log: silentLog }
    this.pool = await openTransactionPool({ ...parts, isSealer: true })
    this.pool.onAdded((raw) => onTransaction(raw, this))
    const key = minerKey(who)
    this.sealer = createSealer({
      ...parts,
      executor: this.executor,
      pool: this.pool,
      key,
      coinbase: () => coinbase,
      isInSync: () => true,
      publish: (block) => {
        this.published.push(block)
        onBlock(block, this)
      },
    })
    const owner: OwnerWallet = { address: wallet.address, sign: minerKey(wallet).sign }
    this.agent = createPocAgent({ ...parts, pool: this.pool, key, wallet: owner, canSeal: () => this.isSealing })
    this.earnings = createEarnings({ ...parts, ledger: this.ledger, isOwners: (address) => address === coinbase, sealedBy: null, token: 'VIL' })
    await this.earnings.start()
    this.agent.start()
    this.isOpen = true
  }

  startSealing(): void {
    this.isSealing = true
    this.sealer.start()
  }

  async stopSealing(): Promise<void> {
    this.isSealing = false
    await this.sealer.stop()
  }

  async close(): Promise<void> {
    this.isOpen = false
    await this.stopSealing()
    await this.agent.stop()
    await this.earnings.stop()
    await this.pool.close()
    await this.store.close()
  }

  take(block: Block): Promise<void> {
    this.#taking = this.#taking.then(() => this.#take(block))
    return this.#taking
  }

  async #take(block: Block): Promise<void> {
    const { network } = this.settings
    const parent = this.chain.block(block.header.parentHash)
    if (parent === null) throw new Error(`no parent of ${block.header.number}`)
    const verified = verifyHeader({ curve: native, network, nowSeconds: null }, parent, block.header, parent.round)
    if (!verified.ok) throw new Error(`${verified.code}: ${verified.reason}`)
    const body = verifyBody(native, network, verified, block.body, await this.state.volunteer(parent.header, block.header, parent.round))
    if (!body.ok) throw new Error(`${body.code}: ${body.reason}`)
    const executed = await this.executor.execute(parent.header, block)
    if (!executed.ok) throw new Error(`${executed.code}: ${executed.reason}`)
    const round = await this.state.round(block.header)
    if (round === null) throw new Error('no round in the state')
    await this.chain.insert([{ verified, body: block.body, receipts: executed.receipts, round, from: 'test' }])
  }
}
