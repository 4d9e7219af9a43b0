/**
 * Boxes with both rooms on a chain that is really run, with the stand-in for the original contract; their doors are real UDP
 * sockets on loopback, with a net between that loses and repeats as it is told.
 */
import { join } from 'node:path'
import { bytesOf, concatBytes, silentLog } from '../../../src/base/index.ts'
import type { Address, Hex } from '../../../src/base/index.ts'
import { systemRandomness } from '../../../src/base/io/system.ts'
import { createLedger, ledgerMigrations } from '../../../src/ledger/index.ts'
import { encodeCall } from '../../../src/photon/chain/index.ts'
import { encodeValues } from '../../../src/photon/chain/abi.ts'
import { PHOTON_ARTIFACTS } from '../../../src/photon/contracts/artifacts.ts'
import { startPhoton } from '../../../src/photon/index.ts'
import type { ChainPort, DatagramSocket, LegacyParts, LegacySettings, PhotonRooms, PhotonSettings, Place } from '../../../src/photon/index.ts'
import { openAskingSocket, openGroupSocket, openPacketSocket } from '../../../src/photon/v1/io/udp-socket.ts'
import { photonMigrations } from '../../../src/photon/tables/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeTime } from '../../support/fakes.ts'
import { MemoryDoor, Net, keccak } from '../photon-box/street.ts'
import plainToken from '../photon-contracts/artifacts/PlainToken.json' with { type: 'json' }
import { SpectrumPort } from '../photon-chain/spectrum-port.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { GAS_PRICE } from '../spectrum-execute/town.ts'
import { legacyNetworkCode } from './compile.ts'

export const LOOPBACK = '127.0.0.1'

/** What becomes of a datagram that a box sends: so many copies of it arrive. */
export type Weather = (bytes: Uint8Array) => number
export const FAIR: Weather = () => 1

/** mDNS at a port of this run alone: the usual one may belong to somebody here. */
export async function freeGroup(): Promise<Place> {
  const reserved = await openPacketSocket(LOOPBACK, 0, () => undefined)
  await reserved.close()
  return { host: '224.0.0.251', port: reserved.local.port }
}

/** Seeded: loses and doubles a part of all datagrams. */
export function storm(seed: number, lostPercent: number, doubledPercent: number): Weather {
  let state = seed >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) % 100
  }
  return () => {
    const roll = next()
    return roll < lostPercent ? 0 : roll < lostPercent + doubledPercent ? 2 : 1
  }
}

export class Lan {
  readonly chain: SpectrumPort
  /** PhotonV2: the boxes have a room for it too. */
  readonly photon: Address
  readonly legacy: Address
  readonly token: Address
  readonly time = new FakeTime()
  readonly net = new Net()
  readonly #folder: string

  private constructor(folder: string, chain: SpectrumPort, photon: Address, legacy: Address, token: Address) {
    this.#folder = folder
    this.chain = chain
    this.photon = photon
    this.legacy = legacy
    this.token = token
  }

  /** The contracts, and a token of which each has 1000. */
  static async build(folder: string, people: readonly Person[], maker: Person): Promise<Lan> {
    const chain = await SpectrumPort.of([...people, maker], undefined)
    const creation = (bytecode: string, ...values: readonly (bigint | Hex)[]): Uint8Array => concatBytes(bytesOf(bytecode as Hex), encodeValues(values))
    const registry = await chain.deploy(maker, creation(PHOTON_ARTIFACTS.SecretRegistry.bytecode))
    const photon = await chain.deploy(maker, creation(PHOTON_ARTIFACTS.PhotonV2.bytecode, chain.chainId, registry))
    // The original's number need not be the network's.
    const legacy = await chain.deploy(maker, creation(legacyNetworkCode(), LEGACY_CHAIN_ID))
    const token = await chain.deploy(maker, creation(plainToken.bytecode))
    for (const one of people) await chain.call(one, token, encodeCall(keccak, 'mint(address,uint256)', [one.address, 1000n]))
    return new Lan(folder, chain, photon, legacy, token)
  }

  async box(who: Person, options: { readonly legacy?: Partial<LegacySettings>; readonly settings?: Partial<PhotonSettings>; readonly weather?: Weather; readonly group?: Place; readonly chain?: ChainPort } = {}): Promise<LanBox> {
    const store = openStore({ path: join(this.#folder, `${who.address}.db`), migrations: [...ledgerMigrations, ...photonMigrations], log: silentLog })
    const signer = { account: who.address, sign: (digests: Uint8Array) => native.signBatch(digests, who.key), signInPool: (digests: Uint8Array) => native.signBatchInPool(digests, who.key) }
    const own = new Uint8Array(32).fill(0x77)
    own.set(who.key.subarray(0, 16), 8)
    const ownKey = { account: addressOf(own), sign: (digests: Uint8Array) => native.signBatch(digests, own), signInPool: (digests: Uint8Array) => native.signBatchInPool(digests, own) }
    const { weather = FAIR, group } = options
    const lan: LegacyParts = {
      settings: { contract: this.legacy, firstBlock: 1, trustedPeers: [], nodes: [], maxPeers: 8, ...options.legacy },
      signer,
      openSocket: async (onDatagram) => stormy(await openPacketSocket(LOOPBACK, 0, onDatagram), weather),
      isNear: (host) => host === LOOPBACK,
      mdns: group === undefined ? null : { group, openGroup: (hear) => openGroupSocket(LOOPBACK, group, hear), openAsker: (hear) => openAskingSocket(LOOPBACK, hear) },
    }
    const photon = await startPhoton(
      {
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
          ...options.settings,
        },
        chain: options.chain ?? this.chain,
        gasPriceWei: () => GAS_PRICE,
        store,
        ledger: createLedger({ shares: () => [] }),
        signer: ownKey,
        curve: native,
        backupKey: new Uint8Array(32).fill(7),
        openDoor: ({ account }) => new MemoryDoor(this.net, account),
        clock: this.time,
        timers: this.time,
        randomness: systemRandomness,
        soon: (work) => void setImmediate(work),
        log: silentLog,
      },
      lan,
    )
    return new LanBox(photon, store)
  }

  /** Blocks and seconds pass until it is so. */
  async until(isSo: () => boolean, most = 500): Promise<void> {
    for (let blocks = 0; !isSo(); blocks++) {
      if (blocks === most) throw new Error(`it has not come true in ${most} blocks`)
      await this.chain.mine()
      await this.pass()
    }
  }

  /** Seconds without a block, and what the sockets bring meanwhile. */
  async settled(isSo: () => boolean, most = 600): Promise<void> {
    for (let rounds = 0; !isSo(); rounds++) {
      if (rounds === most) throw new Error('it has not come true')
      await this.pass()
    }
  }

  /** Two seconds; after each half the loop turns often enough for a datagram, its answer and what is stored between. */
  async pass(): Promise<void> {
    for (let half = 0; half < 4; half++) {
      this.time.advance(500)
      for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve))
      // What is done beside the loop (commits, signatures) is waited for by rounds, not by time.
      await new Promise((resolve) => setTimeout(resolve, 0))
    }
  }

  balance(owner: Address): Promise<bigint> {
    return this.chain.ask(this.token, encodeCall(keccak, 'balanceOf(address)', [owner]))
  }
}

export const LEGACY_CHAIN_ID = 3n

export class LanBox {
  readonly photon: PhotonRooms
  readonly store: Store

  constructor(photon: PhotonRooms, store: Store) {
    this.photon = photon
    this.store = store
  }

  get desk(): PhotonRooms['desk'] {
    return this.photon.desk
  }

  get lan(): NonNullable<PhotonRooms['lan']> {
    if (this.photon.lan === null) throw new Error('this box has no room for the LAN')
    return this.photon.lan
  }

  get place(): Place {
    const place = this.lan.status().listening
    if (place === null) throw new Error('its door is not open')
    return place
  }

  /** As the owner would name it to another node. */
  get node(): { readonly account: Address; readonly endpoint: string; readonly deviceType: string } {
    return { account: this.lan.account, endpoint: `${this.place.host}:${this.place.port}`, deviceType: 'meshbox' }
  }

  async stop(): Promise<void> {
    await this.photon.stop()
    await this.store.close()
  }
}

function stormy(socket: DatagramSocket, weather: Weather): DatagramSocket {
  return {
    local: socket.local,
    send: (bytes, to) => {
      for (let copies = weather(bytes); copies > 0; copies--) socket.send(bytes, to)
    },
    close: () => socket.close(),
  }
}

function addressOf(key: Uint8Array): Address {
  return `0x${Buffer.from(native.keccak256(native.publicKeyOf(key).subarray(1)).subarray(12)).toString('hex')}`
}
