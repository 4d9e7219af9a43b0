/** A whole node in this process: real SQLite file, real sockets, a chain that is what the test says. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hexOf, silentLog } from '../../../src/base/index.ts'
import type { Address, Cancel, Clock, Hash, Log, Timers } from '../../../src/base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../../../src/base/io/system.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import type { Secp256k1 } from '../../../src/native/index.ts'
import { PhotonNode } from '../../../src/photon/node/index.ts'
import { TcpTransport } from '../../../src/photon/node/io/tcp-transport.ts'
import { photonMigrations } from '../../../src/photon/node/tables/migrations.ts'
import type { AccountSigner, FeeEarning, MomentSource, PacedTransport } from '../../../src/photon/node/index.ts'
import type { ChainMoment, ChannelEvent, Domain, DueDuty, Path, PathRequest } from '../../../src/photon/ports.ts'
import { channelId } from '../../../src/photon/wire/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'

export const DOMAIN: Domain = { profile: 'v2', chainId: 8888n, contract: '0xc0ffee00000000000000000000000000000000aa' }
export const TOKEN: Address = '0x7000000000000000000000000000000000000001'
export const noble = loadSecp256k1(null)

export const keyOf = (n: number): Uint8Array => new Uint8Array(32).fill(n)

export function accountSigner(secp256k1: Secp256k1, key: Uint8Array): AccountSigner {
  const publicKey = secp256k1.publicKeyOf(key)
  return {
    account: hexOf(secp256k1.keccak256(publicKey.subarray(1)).subarray(12)),
    sign: (digests) => secp256k1.signBatch(digests, key),
    signInPool: (digests) => secp256k1.signBatchInPool(digests, key),
  }
}

/** A chain view that moves when told. */
export class TestMoments implements MomentSource {
  moment: ChainMoment
  readonly #listeners = new Set<(moment: ChainMoment) => void>()

  constructor(block = 1000) {
    this.moment = { block, isFrozen: false }
  }
  now(): ChainMoment {
    return this.moment
  }
  onChange(listener: (moment: ChainMoment) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  move(moment: Partial<ChainMoment>): void {
    this.moment = { ...this.moment, ...moment }
    for (const listener of this.#listeners) listener(this.moment)
  }
}

export interface BoxSettings {
  readonly key: number
  readonly dir: string
  readonly secp256k1?: Secp256k1
  readonly transport?: PacedTransport
  readonly wrapStore?: (store: Store) => Store
  readonly domain?: Domain
  readonly log?: Log
  readonly clock?: Clock
  readonly timers?: Timers
  readonly sqliteBinding?: string
  readonly maxOfflineExposure?: bigint
  readonly paths?: (request: PathRequest) => readonly (readonly Path[])[]
}

export class Box {
  readonly node: PhotonNode
  readonly store: Store
  readonly transport: PacedTransport
  readonly moments = new TestMoments()
  readonly duties: DueDuty[] = []
  readonly fees: FeeEarning[] = []
  readonly account: Address

  constructor(settings: BoxSettings) {
    const secp256k1 = settings.secp256k1 ?? noble
    const signer = accountSigner(secp256k1, keyOf(settings.key))
    const log = settings.log ?? silentLog
    const [clock, timers] = [settings.clock ?? new SystemClock('always'), settings.timers ?? systemTimers]
    this.account = signer.account
    const store = openStore({ path: join(settings.dir, 'box.sqlite'), migrations: photonMigrations, log, ...(settings.sqliteBinding === undefined ? {} : { nativeBinding: settings.sqliteBinding }) })
    this.store = settings.wrapStore?.(store) ?? store
    this.transport = settings.transport ?? new TcpTransport({ signer, secp256k1, randomness: systemRandomness, clock, timers, log })
    this.node = new PhotonNode({
      domain: settings.domain ?? DOMAIN,
      keccak256: (data) => secp256k1.keccak256(data),
      signer,
      recovery: secp256k1,
      store: this.store,
      transport: this.transport,
      clock,
      timers,
      randomness: systemRandomness,
      soon: (work) => void setImmediate(work),
      log,
      moments: this.moments,
      duties: { put: (_tx, duties) => void this.duties.push(...duties) },
      roleOf: () => 'core',
      router: { find: (request) => settings.paths?.(request) ?? [], report: () => undefined },
      fees: { post: (_tx, earning) => void this.fees.push(earning) },
      feeFor: () => 1n,
      ...(settings.maxOfflineExposure === undefined ? {} : { rules: { maxOfflineExposure: settings.maxOfflineExposure } }),
    })
  }

  get tcp(): TcpTransport {
    if (!(this.transport instanceof TcpTransport)) throw new Error('this box has another transport')
    return this.transport
  }

  /** The channel with `partner` as the chain would tell of it, both sides with `deposit`. */
  async open(partner: Address, deposit: bigint, settleTimeout = 600, token = TOKEN): Promise<Hash> {
    const channel = channelOf(this.account, partner, token)
    for (const event of openingEvents(this.account, partner, deposit, settleTimeout, token)) await this.node.onChannelEvent(event)
    return channel
  }

  async stop(): Promise<void> {
    await this.node.stop()
    if (this.transport instanceof TcpTransport) await this.transport.close()
    await this.store.close()
  }
}

export function channelOf(a: Address, b: Address, token = TOKEN): Hash {
  return channelId(noble.keccak256, a, b, token, DOMAIN.contract)
}

export function openingEvents(a: Address, b: Address, deposit: bigint, settleTimeout = 600, token = TOKEN): readonly ChannelEvent[] {
  const channel = channelOf(a, b, token)
  return [
    { channel, block: 900, kind: 'opened', token, a, b, epoch: 1n, settleTimeout },
    { channel, block: 900, kind: 'deposited', participant: a, total: deposit },
    { channel, block: 900, kind: 'deposited', participant: b, total: deposit },
  ]
}

/** Resolves when `isSo`, looking after each turn of the loop; the test's own timeout is the bound. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2))
}

export function tempDir(cleanUps: (() => unknown)[]): string {
  const dir = mkdtempSync(join(tmpdir(), 'photon-node-'))
  cleanUps.push(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}
