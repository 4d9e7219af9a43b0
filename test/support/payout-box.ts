/** A box that pays shares: real store, ledger and key in a folder, channels on paper that outlive the process, time moved by hand. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MeshBoxError, bytesOf, hexOf, momentOf, silentLog } from '../../src/base/index.ts'
import type { Address, Hash } from '../../src/base/index.ts'
import { openIdentity } from '../../src/identity/index.ts'
import type { Identity } from '../../src/identity/index.ts'
import { createLedger, ledgerMigrations } from '../../src/ledger/index.ts'
import type { ChannelPayment, Ledger } from '../../src/ledger/index.ts'
import { Payouts } from '../../src/payout/index.ts'
import type { LockStanding, LockedChannels, PayoutChannels, PayoutSettings } from '../../src/payout/index.ts'
import { payoutMigrations } from '../../src/payout/tables/index.ts'
import { openStore } from '../../src/store/index.ts'
import type { Store } from '../../src/store/index.ts'
import { FakeTime, seededRandom } from './fakes.ts'

export const SMT: Address = `0x${'70'.repeat(20)}`
export const ANNA: Address = `0x${'aa'.repeat(20)}`
export const HILL: Address = `0x${'bb'.repeat(20)}`
/** Between the box and whoever is paid. */
export const BRIDGE: Address = `0x${'b1'.repeat(20)}`

type LockOrder = Parameters<LockedChannels['pay']>[0]

interface PaperLock extends LockOrder {
  readonly secretHash: Hash
  standing: LockStanding
  /** Only the history has it. */
  isForgotten: boolean
}

const OPEN: LockStanding = { state: 'open', isRevealed: false, isGivenUp: false, endsBlock: 137, endsInSeconds: 600, fee: 2n, via: [BRIDGE] }

/** Payments under hashes over one box between, which end when the test says so. */
export class PaperLocks implements LockedChannels {
  contract: Address = `0x${'C0'.repeat(20)}`
  readonly all: PaperLock[] = []
  hasRoute = false
  /** What becomes of one as soon as it is ordered; null: it stays open. */
  next: LockStanding | null = null

  hasWay({ maxFee }: Parameters<LockedChannels['hasWay']>[0]): boolean {
    return this.hasRoute && maxFee >= 2n
  }

  async pay(order: LockOrder): Promise<void> {
    const secretHash = hexOf(createHash('sha256').update(bytesOf(order.secret)).digest())
    if (this.all.some((lock) => lock.secretHash === secretHash)) return
    this.all.push({ ...order, secretHash, standing: this.next ?? OPEN, isForgotten: false })
  }

  standing(_token: Address, secretHash: Hash): LockStanding | null {
    const lock = this.all.find((one) => one.secretHash === secretHash)
    return lock === undefined || lock.isForgotten ? null : lock.standing
  }

  endedAfter(id: number, most: number): ReturnType<LockedChannels['endedAfter']> {
    const some = this.all.slice(id, id + most)
    return { payments: some.filter(({ standing }) => standing.state !== 'open'), lookedTo: some.length < most ? null : id + most }
  }

  /** Of all that are open. */
  conclude(standing: LockStanding): void {
    for (const lock of this.all) if (lock.standing.state === 'open') lock.standing = standing
  }
}

export const LOCK_SENT: Extract<LockStanding, { state: 'sent' }> = { state: 'sent', fee: 2n, via: [BRIDGE] }
export const LOCK_FAILED: LockStanding = { state: 'failed', problem: 'nobody claimed it in time (5006)', isKnownThere: false }

/** Channels with a history, as photon's are: ids only rise, what is on disk stays. */
export class PaperChannels implements PayoutChannels {
  readonly locked = new PaperLocks()
  readonly rows: ChannelPayment[] = []
  readonly acknowledged = new Set<number>()
  /** Never acknowledged, and their channel's end paid them back. */
  readonly lost = new Set<number>()
  /** Never acknowledged, and nothing shows what became of them in their channel. */
  readonly untold = new Set<number>()
  /** Why nothing can be paid now. */
  fails: Error | null = null
  /** Why the next one cannot be paid. */
  failsOnce: Error | null = null
  /** The partner is off line: what is sent waits. */
  isAway = false

  newest(): number {
    return this.rows.length
  }

  spendable(): bigint | null {
    return this.fails === null ? 2n ** 127n : null
  }

  after(id: number, most: number): ReturnType<PayoutChannels['after']> {
    const payments = this.rows.slice(id, id + most)
    return { payments, lookedTo: payments.length < most ? null : (payments.at(-1)?.id ?? null) }
  }

  async pay({ to, token, amount, reference, data }: Parameters<PayoutChannels['pay']>[0]): Promise<{ readonly delivered: Promise<void> }> {
    const failure = this.fails ?? this.failsOnce
    this.failsOnce = null
    if (failure !== null) throw failure
    const id = this.rows.length + 1
    this.rows.push({ id, kind: 'sent', partner: to, token, amount, reference, data })
    if (this.isAway) return { delivered: new Promise(() => undefined) }
    this.acknowledged.add(id)
    return { delivered: Promise.resolve() }
  }

  arrival(id: number): 'delivered' | 'waiting' | 'lost' | 'unknown' {
    return this.lost.has(id) ? 'lost' : this.untold.has(id) ? 'unknown' : this.acknowledged.has(id) ? 'delivered' : 'waiting'
  }

  paidTo(account: Address): bigint {
    const over = this.locked.all.reduce((sum, { to, amount, standing }) => (to === account && standing.state === 'sent' ? sum + amount : sum), 0n)
    return this.rows.reduce((sum, { partner, amount }) => (partner === account ? sum + amount : sum), over)
  }
}

export const noChannel = (): Error => new MeshBoxError('not-found', 'there is no open channel', { code: 'photon-channel' })

export function payoutSettings(changes: Partial<PayoutSettings> = {}): PayoutSettings {
  return {
    token: { symbol: 'SMT', decimals: 6 },
    threshold: 0n,
    dailyHour: null,
    dust: 0n,
    maxFeePpm: 500_000,
    alarmAfter: 3,
    shares: [
      { account: 'investor:anna', partsPerMillion: 250_000, sources: [] },
      { account: 'relay:hill', partsPerMillion: 100_000, sources: ['mesh'] },
    ],
    payees: [{ account: 'investor:anna', address: ANNA }],
    milestones: [],
    channelTokens: [{ address: SMT, symbol: 'SMT', decimals: 6 }],
    ...changes,
  }
}

export interface PayoutBox {
  readonly time: FakeTime
  readonly channels: PaperChannels
  readonly identity: Identity
  readonly ledger: Ledger
  settings: PayoutSettings
  /** Null: not up. */
  use: PayoutChannels | null
  readonly store: Store
  readonly payouts: Payouts
  earn(amount: bigint, source?: string): Promise<number>
  /** Gives everything that is ready its turn. */
  settle(): Promise<void>
  /** The process dies with what it holds in memory; another one comes up on the same disk. */
  restart(): Promise<void>
  close(): Promise<void>
}

export async function openPayoutBox(changes: Partial<PayoutSettings> = {}, wrap: (channels: PaperChannels) => PayoutChannels = (channels) => channels): Promise<PayoutBox> {
  const dir = mkdtempSync(join(tmpdir(), 'meshbox-payout-'))
  const open = (): Store => openStore({ path: join(dir, 'box.db'), migrations: [...ledgerMigrations, ...payoutMigrations], log: silentLog })
  const channels = new PaperChannels()
  const identity = await openIdentity({ dataDir: dir, randomness: seededRandom(7), log: silentLog })
  const time = new FakeTime()
  time.trusted = true
  let store = open()
  let earnings = 0
  const make = (): Payouts => new Payouts({ store, ledger, identity, settings: () => box.settings, channels: () => box.use, clock: time, timers: time, log: silentLog })
  const ledger = createLedger({ shares: () => box.settings.shares.map(({ account, ...share }) => ({ ...share, role: account.split(':')[0] ?? '', beneficiary: account.slice(account.indexOf(':') + 1) })) })
  let payouts: Payouts
  const box: PayoutBox = {
    time,
    channels,
    identity,
    ledger,
    settings: payoutSettings(changes),
    use: wrap(channels),
    get store() {
      return store
    },
    get payouts() {
      return payouts
    },
    earn: (amount, source = 'hotspot:voucher') => {
      const id = `v${++earnings}`
      return store.turn((tx) => ledger.earn(tx, { source, token: 'SMT', amount, from: 'cash:vouchers', evidence: { type: 'voucher', id, facts: { seconds: 600 } }, at: momentOf(time) }))
    },
    async settle() {
      await payouts.round()
      // Until what was ordered is booked, or waits; of a partner that is away, until it was ordered.
      // One whose lock is open waits for the clock.
      const isBusy = (): boolean => payouts.payouts({ beforeId: null, limit: 20 }).some(({ stage, payout, routed }) => stage === 'booking' || (stage === 'paying' && (routed?.lock ?? null) === null && !(channels.isAway && channels.rows.some((row) => row.reference === payout.reference))))
      do {
        await new Promise((resolve) => setImmediate(resolve))
        await store.turn(() => undefined)
      } while (isBusy())
    },
    async restart() {
      await payouts.stop()
      await store.close()
      store = open()
      payouts = make()
    },
    async close() {
      await payouts.stop()
      await store.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
  payouts = make()
  return box
}

export const owedTo = (box: PayoutBox, account: string): bigint => box.store.read((tx) => -box.ledger.balance(tx, account, 'SMT'))
