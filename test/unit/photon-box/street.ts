/** Boxes with the whole of Photon in one process: one Spectrum chain that is really run, real books, a network in memory. */
import { join } from 'node:path'
import { bytesOf, concatBytes, silentLog } from '../../../src/base/index.ts'
import type { Address, Cancel, Hex } from '../../../src/base/index.ts'
import { systemRandomness } from '../../../src/base/io/system.ts'
import { createLedger, ledgerMigrations } from '../../../src/ledger/index.ts'
import { encodeCall } from '../../../src/photon/chain/index.ts'
import { encodeValues } from '../../../src/photon/chain/abi.ts'
import { PHOTON_ARTIFACTS } from '../../../src/photon/contracts/artifacts.ts'
import { startPhoton } from '../../../src/photon/index.ts'
import type { ChainPort, PeerDoor, PeerDoorTerms, PhotonRooms, PhotonSettings } from '../../../src/photon/index.ts'
import { photonMigrations } from '../../../src/photon/tables/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Migration, Store, Tx } from '../../../src/store/index.ts'
import { FakeTime } from '../../support/fakes.ts'
import plainToken from '../photon-contracts/artifacts/PlainToken.json' with { type: 'json' }
import { SpectrumPort } from '../photon-chain/spectrum-port.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { GAS_PRICE } from '../spectrum-execute/town.ts'

export const keccak = (bytes: Uint8Array): Uint8Array => native.keccak256(bytes)

/** Who is reachable under which name; a dial connects at once. */
export class Net {
  readonly doors = new Map<string, MemoryDoor>()
}

export class MemoryDoor implements PeerDoor {
  readonly self: Address
  readonly #net: Net
  readonly #peers = new Map<Address, MemoryDoor>()
  readonly #frames = new Set<(from: Address, frame: Uint8Array) => void>()
  readonly #connected = new Set<(peer: Address) => void>()
  readonly #gone = new Set<(peer: Address) => void>()

  constructor(net: Net, self: Address) {
    this.#net = net
    this.self = self
  }

  async start(): Promise<void> {
    this.#net.doors.set(this.self, this)
  }
  addresses(): readonly string[] {
    return [`/memory/${this.self}`]
  }
  async dial(address: string): Promise<void> {
    const other = this.#net.doors.get(address.split('/').at(-1) ?? '')
    if (other === undefined) throw new Error('nobody is there')
    if (this.#peers.has(other.self)) return
    this.#meet(other)
    other.#meet(this)
  }
  async close(): Promise<void> {
    this.#net.doors.delete(this.self)
    for (const peer of [...this.#peers.keys()]) this.disconnect(peer)
  }
  send(to: Address, frame: Uint8Array): boolean {
    const other = this.#peers.get(to)
    if (other === undefined) return false
    const copy = frame.slice()
    setImmediate(() => {
      if (this.#peers.get(to) === other) for (const listener of other.#frames) listener(this.self, copy)
    })
    return true
  }
  onFrame(listener: (from: Address, frame: Uint8Array) => void): Cancel {
    return added(this.#frames, listener)
  }
  onConnected(listener: (peer: Address) => void): Cancel {
    return added(this.#connected, listener)
  }
  onDisconnected(listener: (peer: Address) => void): Cancel {
    return added(this.#gone, listener)
  }
  pause(): void {
    throw new Error('nobody floods here')
  }
  resume(): void {
    throw new Error('nobody floods here')
  }
  disconnect(peer: Address): void {
    const other = this.#peers.get(peer)
    if (other === undefined) return
    this.#part(other)
    other.#part(this)
  }

  #meet(other: MemoryDoor): void {
    this.#peers.set(other.self, other)
    for (const listener of this.#connected) listener(other.self)
  }
  #part(other: MemoryDoor): void {
    this.#peers.delete(other.self)
    for (const listener of this.#gone) listener(other.self)
  }
}

function added<T>(set: Set<T>, one: T): Cancel {
  set.add(one)
  return () => set.delete(one)
}

export class Street {
  readonly chain: SpectrumPort
  readonly photon: Address
  readonly token: Address
  readonly purse: Address
  readonly net = new Net()
  readonly time = new FakeTime()
  readonly #folder: string

  private constructor(folder: string, chain: SpectrumPort, photon: Address, token: Address, purse: Address) {
    this.#folder = folder
    this.chain = chain
    this.photon = photon
    this.token = token
    this.purse = purse
  }

  /** The contracts, a token of which each has 1000, and a chain long enough to rest on. */
  static async build(folder: string, people: readonly Person[], maker: Person): Promise<Street> {
    const chain = await SpectrumPort.of([...people, maker], undefined)
    const creation = (bytecode: string, ...values: readonly (bigint | Hex)[]): Uint8Array => concatBytes(bytesOf(bytecode as Hex), encodeValues(values))
    const registry = await chain.deploy(maker, creation(PHOTON_ARTIFACTS.SecretRegistry.bytecode))
    const photon = await chain.deploy(maker, creation(PHOTON_ARTIFACTS.PhotonV2.bytecode, chain.chainId, registry))
    const token = await chain.deploy(maker, creation(plainToken.bytecode))
    const purse = await chain.deploy(maker, creation(PHOTON_ARTIFACTS.Purse.bytecode, chain.chainId, photon))
    for (const one of people) await chain.call(one, token, encodeCall(keccak, 'mint(address,uint256)', [one.address, 1000n]))
    return new Street(folder, chain, photon, token, purse)
  }

  /** `book`: another than its own, e.g. none that was ever written. `migrations`: of another room that has its tables there. */
  async box(who: Person, settings: Partial<PhotonSettings> = {}, more: { readonly book?: string; readonly migrations?: readonly Migration[]; readonly wrappedCoin?: Address; readonly chain?: ChainPort; readonly before?: (tx: Tx) => void; readonly openDoor?: (terms: PeerDoorTerms) => PeerDoor } = {}): Promise<Box> {
    const store = openStore({ path: join(this.#folder, `${more.book ?? who.address}.db`), migrations: [...ledgerMigrations, ...photonMigrations, ...(more.migrations ?? [])], log: silentLog })
    const { before } = more
    if (before !== undefined) await store.turn(before)
    const ledger = createLedger({ shares: () => [] })
    const photon = await startPhoton({
      settings: {
        contract: this.photon,
        firstBlock: 1,
        tokens: [{ address: this.token, symbol: 'TOK', decimals: 0 }],
        settleTimeout: 60,
        coreSettleTimeout: 80,
        minSettleTimeout: 10,
        revealTimeout: 4,
        maxOfflineExposure: 0n,
        coreMinDeposit: 1n,
        fee: { constant: 1n, ppm: 0, curve: [0, 0, 0, 0, 0] },
        topUpPerDay: 0n,
        watchReward: 0n,
        watchMinReward: 0n,
        maxGasPriceWei: 10n ** 12n,
        peers: [],
        maxPeers: 8,
        ...settings,
      },
      chain: more.chain ?? this.chain,
      wrappedCoin: more.wrappedCoin ?? null,
      gasPriceWei: () => GAS_PRICE,
      store,
      ledger,
      signer: { account: who.address, sign: (digests) => native.signBatch(digests, who.key), signInPool: (digests) => native.signBatchInPool(digests, who.key) },
      curve: native,
      backupKey: new Uint8Array(32).fill(7),
      openDoor: more.openDoor ?? (({ account }) => new MemoryDoor(this.net, account)),
      clock: this.time,
      timers: this.time,
      randomness: systemRandomness,
      soon: (work) => void setImmediate(work),
      log: silentLog,
    })
    return new Box(photon, store)
  }

  /** Blocks and seconds pass until it is so. */
  async until(isSo: () => boolean, most = 500): Promise<void> {
    for (let blocks = 0; !isSo(); blocks++) {
      if (blocks === most) throw new Error(`it has not come true in ${most} blocks`)
      await this.chain.mine()
      await this.pass()
    }
  }

  /** Two seconds without a block, and all that follows from what was said. */
  async pass(): Promise<void> {
    for (let half = 0; half < 4; half++) {
      this.time.advance(500)
      for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** The same without a block. */
  async settled(isSo: () => boolean): Promise<void> {
    for (let rounds = 0; !isSo(); rounds++) {
      if (rounds === 200) throw new Error('it has not come true')
      await this.pass()
    }
  }

  balance(owner: Address): Promise<bigint> {
    return this.chain.ask(this.token, encodeCall(keccak, 'balanceOf(address)', [owner]))
  }

  peerOf(who: Person): { readonly account: Address; readonly address: string } {
    return { account: who.address, address: `/memory/${who.address}` }
  }
}

export class Box {
  readonly photon: PhotonRooms
  readonly store: Store

  constructor(photon: PhotonRooms, store: Store) {
    this.photon = photon
    this.store = store
  }

  get desk(): PhotonRooms['desk'] {
    return this.photon.desk
  }

  async stop(): Promise<void> {
    await this.photon.stop()
    await this.store.close()
  }
}
