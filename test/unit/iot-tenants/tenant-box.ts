/** A box with tenants for tests: real store, ledger, receipts and late ring; fake time, payments and servers. */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { hexOf, silentLog } from '../../../src/base/index.ts'
import type { Address, Cancel } from '../../../src/base/index.ts'
import { nobleSigner } from '../../../src/identity/index.ts'
import { LateFrames, lateMigrations } from '../../../src/iot/late/index.ts'
import { decodeFrame, openSessionKeys, sealData } from '../../../src/iot/lorawan/index.ts'
import type { BillableUnit, Delivery, Downlink, DownlinkDesk, Heard, Receipt, Tenant, TenantId, TxAck } from '../../../src/iot/ports.ts'
import { createTenantHouse, tenantMigrations } from '../../../src/iot/tenants/index.ts'
import type { TenantHouse, TenantHouseDeps, TenantLimits, TenantOutcome } from '../../../src/iot/tenants/index.ts'
import { createLedger, ledgerMigrations } from '../../../src/ledger/index.ts'
import type { Ledger } from '../../../src/ledger/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Migration, ReadTx, Store, Tx } from '../../../src/store/index.ts'
import { FakeTime } from '../../support/fakes.ts'

export const TOKEN: Address = `0x${'11'.repeat(20)}`
export const PAYER: Address = `0x${'22'.repeat(20)}`
const BOX_KEY = createHash('sha256').update('the box').digest()
export const keccak = (bytes: Uint8Array): Uint8Array => keccak_256(bytes)
export const curve = { keccak, recover: nobleSigner.recover }
export const BOX: Address = hexOf(keccak(nobleSigner.publicKeyOf(BOX_KEY).subarray(1)).subarray(12))
export const sign = (digest: Uint8Array): Uint8Array => nobleSigner.sign(digest, BOX_KEY)

export const NWK_KEY = Uint8Array.from({ length: 16 }, (_, i) => i + 1)

export function tenant(change: Partial<Tenant> = {}): Tenant {
  return {
    id: 'farm',
    name: 'Farm',
    payer: PAYER,
    routes: [{ kind: 'dev-addr', prefix: 0x2601_0000, prefixBits: 16 }],
    destination: { kind: 'broker' },
    prices: { token: TOKEN, perUnit: 10n, perJoin: 0n, perDownlinkMs: { '*': 3n }, perLateFrame: 4n },
    creditWindow: 1_000n,
    maxCopies: 1,
    isPaused: false,
    ...change,
  }
}

/** A frame with a right code for `key`. */
export function uplink(fCnt: number, change: { devAddr?: number; bytes?: number; key?: Uint8Array; fOpts?: Uint8Array } = {}): Uint8Array {
  const key = change.key ?? NWK_KEY
  const keys = openSessionKeys({ fNwkSIntKey: key, sNwkSIntKey: key, nwkSEncKey: key, appSKey: new Uint8Array(16) }, false)
  return sealData(keys, { direction: 'up', isConfirmed: false, devAddr: change.devAddr ?? 0x2601_0001, adr: false, adrAckReq: false, ack: false, bit4: false, fOpts: change.fOpts ?? new Uint8Array(0), fPort: 1, frmPayload: new Uint8Array(change.bytes ?? 10), fCnt32: fCnt })
}

/** Of LoRaWAN 1.1. The tenant's server alone has the second key, and knows data rate and channel. */
export function uplink11(fCnt: number, change: { key?: Uint8Array; channel?: number; devAddr?: number } = {}): Uint8Array {
  const keys = openSessionKeys({ fNwkSIntKey: change.key ?? NWK_KEY, sNwkSIntKey: new Uint8Array(16).fill(0x51), nwkSEncKey: new Uint8Array(16).fill(0x52), appSKey: new Uint8Array(16) }, true)
  const clear = { direction: 'up' as const, isConfirmed: false, devAddr: change.devAddr ?? 0x2601_0001, adr: false, adrAckReq: false, ack: false, bit4: false, fOpts: new Uint8Array(0), fPort: 1, frmPayload: new Uint8Array(10), fCnt32: fCnt }
  return sealData(keys, clear, { confFCnt: 0, dataRate: 5, channel: change.channel ?? 2 })
}

export function heardOf(phy: Uint8Array, change: Partial<Heard> = {}): Heard {
  return {
    id: createHash('sha256').update(phy).digest('hex'),
    phy,
    frequencyHz: 868_100_000,
    modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' },
    copies: [{ gateway: '0102030405060708', time: { kind: 'counter', tmstUs: 4_000_000_123 }, arrivedMs: 5, utcMs: null, gpsTimeMs: null, fineTimeNs: null, rssiDbm: -57, snrDb: 9.5, channel: 2, radio: 1, board: 0, antenna: 0 }],
    isLate: false,
    ...change,
  }
}

/** A tenant's network server. */
export class FakeServer implements Delivery {
  isOnline = true
  takesLate = true
  isAwaited: (heard: Heard) => boolean = () => true
  /** What it says to a frame; a promise that never ends is a server that never answers. */
  answer: (heard: Heard) => boolean | Promise<boolean> = () => true
  readonly got: Heard[] = []
  closed = 0
  #order: ((downlink: Omit<Downlink, 'tenant'>) => Promise<TxAck>) | null = null

  async deliver(heard: Heard): Promise<boolean> {
    this.got.push(heard)
    return this.answer(heard)
  }
  onDownlink(listener: (downlink: Omit<Downlink, 'tenant'>) => Promise<TxAck>): Cancel {
    this.#order = listener
    return () => (this.#order = null)
  }
  order(downlink: Omit<Downlink, 'tenant'>): Promise<TxAck> {
    if (this.#order === null) throw new Error('nobody listens to this server')
    return this.#order(downlink)
  }
  async close(): Promise<void> {
    this.closed++
  }
}

export class FakePayments {
  readonly #paid = new Map<string, bigint>()
  readonly #listeners = new Set<(payer: Address, token: Address) => void>()
  paid(_tx: unknown, payer: Address, token: Address): bigint {
    return this.#paid.get(`${payer} ${token}`) ?? 0n
  }
  onPaid(listener: (payer: Address, token: Address) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  pay(amount: bigint, payer = PAYER, token = TOKEN): void {
    this.#paid.set(`${payer} ${token}`, this.paid(null, payer, token) + amount)
    for (const listener of this.#listeners) listener(payer, token)
  }
}

/** The air, as the DownlinkDesk answers for it. */
export class FakeAir implements DownlinkDesk {
  readonly sent: Downlink[] = []
  answer: (downlink: Downlink) => TxAck | Promise<TxAck> = (downlink) => ({ id: downlink.id, gateway: downlink.gateway, statuses: ['OK'], sent: 0, onAirUs: 41_216 })
  async submit(downlink: Downlink): Promise<TxAck> {
    this.sent.push(downlink)
    return this.answer(downlink)
  }
  budget(): ReturnType<DownlinkDesk['budget']> {
    return [{ name: 'P', fromHz: 869_400_000, toHz: 869_650_000, dutyPpm: 100_000, windowMs: 3_600_000, usedUs: 0, reservedUs: 0, freeUs: 1, pricePerMs: 7n }]
  }
}

/** A store whose power goes at one of its turns: before it was written, or after it is on disk and before anybody heard of it. */
export class CutStore implements Pick<Store, 'turn' | 'read'> {
  turns = 0
  isDead = false
  readonly #inner: Store
  #cutAt: number
  readonly #isAfter: boolean

  constructor(inner: Store, cutAt = Infinity, isAfter = false) {
    this.#inner = inner
    this.#cutAt = cutAt
    this.#isAfter = isAfter
  }

  /** The power stays. */
  spare(): void {
    this.#cutAt = Infinity
  }

  async turn<T>(body: (tx: Tx) => T): Promise<T> {
    if (this.isDead) return never()
    if (++this.turns < this.#cutAt) {
      const done = await this.#inner.turn(body)
      return this.isDead ? never() : done
    }
    this.isDead = true
    if (this.#isAfter) await this.#inner.turn(body)
    return never()
  }

  read<T>(body: (tx: ReadTx) => T): T {
    return this.#inner.read(body)
  }
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined)
}

export const MIGRATIONS: readonly Migration[] = [...ledgerMigrations, ...tenantMigrations, ...lateMigrations]

export interface BoxOptions {
  readonly limits?: Partial<TenantLimits>
  readonly lateBytes?: number
  readonly deps?: Partial<TenantHouseDeps>
}

/** What outlives a power cut. */
export class TenantBox {
  readonly folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'meshbox-tenants-'))
  readonly store: Store
  readonly ledger: Ledger = createLedger({ shares: () => [] })
  readonly payments = new FakePayments()
  readonly air = new FakeAir()
  readonly servers = new Map<TenantId, FakeServer>()
  readonly late: LateFrames
  readonly #options: BoxOptions
  time = new FakeTime()
  house: TenantHouse

  /** `store`: of an earlier life. */
  constructor(options: BoxOptions = {}, store?: Store) {
    this.#options = options
    this.store = store ?? openStore({ path: join(this.folder, 'box.db'), migrations: MIGRATIONS, log: silentLog })
    this.late = new LateFrames(options.lateBytes ?? 1 << 20)
    this.house = this.newHouse(this.store)
  }

  /** The server of a tenant: the same one after a restart. */
  server(id: TenantId = 'farm'): FakeServer {
    const server = this.servers.get(id) ?? new FakeServer()
    this.servers.set(id, server)
    return server
  }

  newHouse(store: Pick<Store, 'turn' | 'read'>, deps: Partial<TenantHouseDeps> = {}): TenantHouse {
    return createTenantHouse({
      store: store as Store,
      ledger: this.ledger,
      seal: { seal: (key) => key.map((byte) => byte ^ 0x5a), open: (sealed) => sealed.map((byte) => byte ^ 0x5a) },
      signer: { address: BOX, sign: async (digest) => sign(digest) },
      keccak,
      chainId: 7n,
      payments: this.payments,
      channels: { channelOf: () => null },
      contest: { isOurs: async () => true },
      downlinks: this.air,
      late: this.late,
      tokenSymbol: () => 'TOK',
      airPrice: (price) => price,
      openDelivery: (of) => this.server(of.id),
      isOwnDevice: () => false,
      clock: this.time,
      timers: this.time,
      log: silentLog,
      ...(this.#options.limits === undefined ? {} : { limits: this.#options.limits }),
      ...this.#options.deps,
      ...deps,
    })
  }

  /** The process is gone, the machine goes on (or, with another boot id, was switched on again). */
  async restart(store: Pick<Store, 'turn' | 'read'> = this.store, bootId?: string): Promise<void> {
    const before = this.time
    this.time = new FakeTime(bootId ?? before.bootId)
    this.time.advance(bootId === undefined ? before.boottimeMs() - this.time.boottimeMs() : 0)
    this.house = this.newHouse(store)
    await this.run(this.house.start())
  }

  /** Dies now, and is there again so much later: what ticks in between is not waited for. */
  async sleep(ms: number): Promise<void> {
    const later = new FakeTime(this.time.bootId)
    later.advance(this.time.boottimeMs() + ms - later.boottimeMs())
    this.time = later
    await this.restart()
  }

  /** Lets time pass until the work is done. */
  async run<T>(work: Promise<T>, stepMs = 10, most = 20_000): Promise<T> {
    let isDone = false
    const done = work.finally(() => (isDone = true))
    done.catch(() => undefined) // its caller has it below
    for (let i = 0; !isDone; i++) {
      if (i > most) throw new Error('the work does not end')
      await turns()
      if (!isDone) this.time.advance(stepMs)
    }
    return done
  }

  async pass(ms: number, stepMs = 50): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.time.advance(stepMs)
      await turns()
    }
  }

  async take(phy: Uint8Array, id: TenantId = 'farm'): Promise<TenantOutcome | undefined> {
    return (await this.run(this.house.take(heardOf(phy), [id]))).get(id)
  }

  units(id: TenantId = 'farm'): readonly BillableUnit[] {
    const all: BillableUnit[] = []
    for (;;) {
      const page = this.house.admin.units(id, { afterSeq: all.at(-1)?.seq ?? 0n, limit: 1_000 })
      all.push(...page)
      if (page.length < 1_000) return all
    }
  }

  receipts(id: TenantId = 'farm'): readonly Receipt[] {
    return this.house.admin.receipts(id, { limit: 1_000 })
  }

  /** What the owner's book says he earned by IoT. */
  earned(): bigint {
    return this.store.read((tx) => -this.ledger.balance(tx, 'owner', 'TOK'))
  }

  balance(account: string): bigint {
    return this.store.read((tx) => this.ledger.balance(tx, account, 'TOK'))
  }

  async close(): Promise<void> {
    await this.store.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Lets turns of the store and what follows from them happen. */
export async function turns(count = 4): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

export async function opened(options: BoxOptions = {}, tenants: readonly Tenant[] = [tenant()]): Promise<TenantBox> {
  const box = new TenantBox(options)
  await box.run(box.house.start())
  for (const each of tenants) await box.run(box.house.admin.put(each))
  return box
}

export function payloadBytes(phy: Uint8Array): number {
  const frame = decodeFrame(phy)
  return frame.type === 'data' ? frame.fOpts.length + frame.frmPayload.length : 0
}
