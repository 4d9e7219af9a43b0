/** One node of ours with its real door on loopback and a real book, under a chain that is what the test says. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hexOf, silentLog } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../../../src/base/io/system.ts'
import { PhotonNode } from '../../../src/photon/node/index.ts'
import { photonMigrations } from '../../../src/photon/node/tables/migrations.ts'
import type { Domain, Router } from '../../../src/photon/index.ts'
import { Places } from '../../../src/photon/v1/index.ts'
import { LanDoor } from '../../../src/photon/v1/lan-door.ts'
import type { Place } from '../../../src/photon/v1/index.ts'
import { openPacketSocket } from '../../../src/photon/v1/io/udp-socket.ts'
import { createWire } from '../../../src/photon/wire/index.ts'
import { openStore } from '../../../src/store/index.ts'
import { TestMoments } from '../photon-node/box.ts'
import { native } from '../spectrum/curves.ts'
import { accountOf, keccak } from './old-node.ts'

export const LOOPBACK = '127.0.0.1'
export const TOKEN: Address = '0x7000000000000000000000000000000000000001'

export interface HouseOptions {
  readonly key: Uint8Array
  readonly domain: Domain
  readonly trusted?: readonly Address[]
  readonly isNear?: (host: string) => boolean
  readonly router?: Router
}

export class House {
  readonly node: PhotonNode
  readonly door: LanDoor
  readonly places: Places
  readonly account: Address
  readonly moments = new TestMoments(4_589_800)
  readonly alarms: string[] = []
  readonly #folder: string
  readonly #store

  private constructor({ key, domain, trusted = [], isNear = (host) => host.startsWith('127.'), router = { find: () => [], report: () => undefined } }: HouseOptions) {
    this.#folder = mkdtempSync(join(tmpdir(), 'photon-v1-house-'))
    this.#store = openStore({ path: join(this.#folder, 'book.db'), migrations: photonMigrations, log: silentLog })
    this.account = accountOf(key)
    this.places = new Places(this.account, () => new Set(this.node.channels().map(({ partner }) => partner.address)))
    const clock = new SystemClock()
    this.door = new LanDoor({
      self: this.account,
      wire: createWire(domain, keccak),
      keccak,
      recover: (digest, signature) => {
        const found = native.recoverAddress(digest, signature, 'accept')
        return found === null ? null : hexOf(found)
      },
      partnerOf: (channel) => this.node.channel(channel)?.partner.address ?? null,
      nonceOf: (channel) => this.node.channel(channel)?.partner.nonce ?? 0n,
      places: this.places,
      maxPeers: 4,
      openSocket: (onDatagram) => openPacketSocket(LOOPBACK, 0, onDatagram),
      isNear,
      clock,
      timers: systemTimers,
      log: silentLog,
    })
    this.node = new PhotonNode({
      domain,
      keccak256: keccak,
      signer: { account: this.account, sign: (digests) => native.signBatch(digests, key), signInPool: (digests) => native.signBatchInPool(digests, key) },
      recovery: {
        recoverAddressBatch: (frames) => native.recoverAddressBatch(frames, 'accept'),
        recoverAddressBatchInPool: (frames) => native.recoverAddressBatchInPool(frames, 'accept'),
        recoverOneSignerBatch: (frames) => native.recoverOneSignerBatch(frames, 'accept'),
        recoverOneSignerBatchInPool: (frames) => native.recoverOneSignerBatchInPool(frames, 'accept'),
      },
      store: this.#store,
      transport: this.door,
      clock,
      timers: systemTimers,
      randomness: systemRandomness,
      soon: (work) => void setImmediate(work),
      log: silentLog,
      moments: this.moments,
      duties: { put: () => undefined },
      router,
      fees: { post: () => undefined },
      feeFor: () => 0n,
      roleOf: () => 'leaf',
      rules: { trustedPartners: new Set(trusted) },
    })
    this.node.onAlarm(({ reason }) => this.alarms.push(reason))
  }

  static async with(options: HouseOptions): Promise<House> {
    const house = new House(options)
    house.node.start([])
    await house.door.start()
    return house
  }

  get place(): Place {
    if (this.door.local === null) throw new Error('the door is shut')
    return this.door.local
  }

  /** A channel under any name, as an event of the chain tells of it. */
  async channel(channel: Hash, epoch: bigint, partner: Address, own: bigint, partners: bigint, token = TOKEN): Promise<void> {
    await this.node.onChannelEvent({ kind: 'opened', channel, block: Number(epoch), token, a: this.account, b: partner, epoch, settleTimeout: 200 })
    await this.node.onChannelEvent({ kind: 'deposited', channel, block: Number(epoch), participant: this.account, total: own })
    await this.node.onChannelEvent({ kind: 'deposited', channel, block: Number(epoch), participant: partner, total: partners })
  }

  async close(): Promise<void> {
    await this.node.stop()
    await this.door.close()
    await this.#store.close()
    rmSync(this.#folder, { recursive: true })
  }
}
