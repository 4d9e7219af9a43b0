/** Boxes that seal, in one process: each with its own chain, state, store, pool and sealer; one clock; a network that a test can cut. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { ledgerMigrations } from '../../../src/ledger/index.ts'
import { verifyBody } from '../../../src/spectrum/rules/verify-body.ts'
import { verifyHeader } from '../../../src/spectrum/rules/verify-header.ts'
import { applyBlock } from '../../../src/spectrum/rules/round.ts'
import { proveVrf } from '../../../src/spectrum/vrf.ts'
import type { Address, Network, Round } from '../../../src/spectrum/index.ts'
import type { Block, MinerKey } from '../../../src/spectrum/ports.ts'
import { createSealer, openTransactionPool } from '../../../src/spectrum/seal/index.ts'
import { sealMigrations } from '../../../src/spectrum/seal/io/migrations.ts'
import type { Sealer, SealerOptions, SealingPool } from '../../../src/spectrum/seal/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { native } from '../spectrum/curves.ts'
import { VILLAGE, person } from '../spectrum/village.ts'
import type { Person } from '../spectrum/village.ts'
import { LedgerState } from './ledger-state.ts'
import { MemoryChain } from './memory-chain.ts'

export const OWNER: Address = `0x${'aa'.repeat(20)}`

export function minerKey({ key, address }: Person): MinerKey {
  return {
    address,
    sign: (digest) => {
      const signature = native.sign(digest, key)
      signature[64] = (signature[64] ?? 0) - 27
      return signature
    },
    proveVrf: (message) => proveVrf(native, key, message, seededRandom(message.length)),
  }
}

/** Lets everything that waits for the disk or for a promise go on; simulated time stands still. */
export async function settle(turns = 40): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
}

/** The clock starts at the genesis, trusted. */
export function timeAtGenesis(network: Network = VILLAGE): FakeTime {
  const time = new FakeTime()
  time.trusted = true
  time.jumpWall(network.genesis.timeSeconds * 1000 - time.wallMs())
  return time
}

export async function pass(time: FakeTime, ms: number, stepMs = 250): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    time.advance(Math.min(stepMs, left))
    await settle()
  }
}

export function storePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-seal-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'box.db')
}

export function openBoxStore(path: string): Store {
  const store = openStore({ path, migrations: [...ledgerMigrations, ...sealMigrations], log: silentLog })
  onTestFinished(() => store.close())
  return store
}

export interface BoxSettings {
  readonly who: Person
  readonly round: Round
  readonly time: FakeTime
  readonly purses?: readonly (readonly [Address, bigint])[]
  readonly miners?: readonly Address[]
  readonly publish?: (block: Block, from: Box) => void
  readonly network?: Network
  readonly finalDepth?: number
}

export class Box {
  readonly settings: BoxSettings
  readonly path = storePath()
  readonly chain: MemoryChain
  readonly state: LedgerState
  readonly published: Block[] = []
  store: Store
  pool!: SealingPool
  sealer!: Sealer
  isOn = false
  isInSync = true

  constructor(settings: BoxSettings) {
    this.settings = settings
    const network = settings.network ?? VILLAGE
    this.chain = new MemoryChain(network, settings.round, settings.finalDepth)
    this.state = new LedgerState(network, this.chain.head().header, settings.purses ?? [])
    this.state.miners = settings.miners ?? []
    this.store = openBoxStore(this.path)
  }

  /** `change`: other parts than the usual. */
  async switchOn(change: Partial<SealerOptions> = {}): Promise<void> {
    const { time, who } = this.settings
    this.pool = await openTransactionPool({ curve: native, chain: this.chain, state: this.state, store: this.store, clock: time, timers: time, log: silentLog, isSealer: true })
    this.sealer = createSealer({
      curve: native,
      chain: this.chain,
      executor: this.state,
      state: this.state,
      pool: this.pool,
      key: minerKey(who),
      store: this.store,
      clock: time,
      timers: time,
      log: silentLog,
      coinbase: () => OWNER,
      isInSync: () => this.isInSync,
      publish: (block) => {
        this.published.push(block)
        this.settings.publish?.(block, this)
      },
      ...change,
    })
    this.isOn = true
    this.sealer.start()
  }

  async switchOff(): Promise<void> {
    this.isOn = false
    const stopped = this.sealer.stop()
    await settle()
    await stopped
    await this.pool.close()
  }

  /** As after a loss of power: the store is opened anew, chain and state are what was on disk. */
  async reboot(): Promise<void> {
    this.chain.forgetListeners()
    await this.store.close()
    this.store = openBoxStore(this.path)
  }

  /** Judges and imports somebody's block, as the importer does. Throws where it does not hold. */
  async take(block: Block): Promise<void> {
    const parent = this.chain.block(block.header.parentHash)
    if (parent === null) throw new Error(`box has no parent of ${block.header.number}`)
    const nowSeconds = Math.floor(this.settings.time.wallMs() / 1000)
    const verified = verifyHeader({ curve: native, network: this.chain.network, nowSeconds }, parent, block.header, parent.round)
    if (!verified.ok) throw new Error(`${verified.code}: ${verified.reason}`)
    const volunteer = await this.state.volunteer(parent.header, block.header, parent.round)
    const body = verifyBody(native, this.chain.network, verified, block.body, volunteer)
    if (!body.ok) throw new Error(`${body.code}: ${body.reason}`)
    const executed = await this.state.execute(parent.header, block)
    if (!executed.ok) throw new Error(`${executed.code}: ${executed.reason}`)
    const { round } = applyBlock(parent.round, block.header.number, verified.signer, volunteer)
    await this.chain.insert([{ verified, body: block.body, receipts: executed.receipts, round, from: 'test' }])
  }
}

export const people = (...numbers: readonly number[]): readonly Person[] => numbers.map(person)
