/**
 * A lane of boxes over the real contract in a real EVM: Alice pays Bob, Carol and Dave watch for Bob. Frames go through
 * memory, and what a box has on disk is a real database.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ZERO_HASH, hexOf, silentLog } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import type { BalanceProof, Domain } from '../../../src/photon/index.ts'
import { GUARD_RULES, Guardian, WATCH_JOBS, Watcher } from '../../../src/photon/watch/index.ts'
import { watchMigrations } from '../../../src/photon/watch/io/job-table.ts'
import type { Candidate, ChannelLookup, Delegation, GuardRules, GuardedChannel, GuardedSecret, JobTools, WatchDuty, WatchEvent, WatchLimits, WatchSigner, WatchTransport } from '../../../src/photon/watch/index.ts'
import { createDigests } from '../../../src/photon/wire/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeTime } from '../../support/fakes.ts'
import { Channel } from '../photon-contracts/channel.ts'
import { ALICE, BOB, CAROL, CHAIN_ID, DAVE, Town, interfaceOf } from '../photon-contracts/town.ts'
import type { Outcome } from '../photon-contracts/town.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { addressOfKey } from '../../../src/spectrum/codec/header.ts'

export { ALICE, BOB, CAROL, DAVE }
export const REWARD = 5n

export function signerOf(person: Person): WatchSigner {
  return {
    self: person.address,
    sign: (digest) => native.sign(digest, person.key),
    recover(digest, signature) {
      const publicKey = signature.length === 65 ? native.recover(digest, signature) : null
      return publicKey === null ? null : addressOfKey(native, publicKey)
    },
  }
}

/** Frames between all boxes that are here. */
export class Air {
  readonly #ears = new Map<Address, ((from: Address, frame: Uint8Array) => void)[]>()
  readonly away = new Set<Address>()
  sent: { readonly from: Address; readonly to: Address; readonly frame: Uint8Array }[] = []

  at(self: Address): WatchTransport {
    const ears = this.#ears.get(self) ?? []
    this.#ears.set(self, ears)
    return {
      neighbours: () => [...this.#ears.keys()].filter((one) => one !== self && !this.away.has(one) && !this.away.has(self)),
      send: (to, frame) => {
        if (this.away.has(to) || this.away.has(self)) return false
        this.sent.push({ from: self, to, frame })
        for (const ear of this.#ears.get(to) ?? []) ear(self, frame)
        return true
      },
      onFrame: (listener) => {
        ears.push(listener)
        return () => void ears.splice(ears.indexOf(listener), 1)
      },
    }
  }
}

export interface WatcherBox {
  readonly person: Person
  readonly store: Store
  readonly watcher: Watcher
  duties: WatchDuty[]
  readonly rewards: bigint[]
}

export class Lane {
  readonly time = new FakeTime()
  readonly air = new Air()
  readonly dir = mkdtempSync(join(tmpdir(), 'photon-watch-'))
  readonly #stores: Store[] = []
  readonly town: Town
  readonly channel: Channel
  readonly domain: Domain
  readonly boxes = new Map<Address, WatcherBox>()
  proof: BalanceProof | null = null
  secrets: GuardedSecret[] = []
  isBlind = false
  candidates: Candidate[] = []

  private constructor(town: Town, channel: Channel) {
    this.town = town
    this.channel = channel
    this.domain = { profile: 'v2', chainId: CHAIN_ID, contract: town.photon }
  }

  static async build(): Promise<Lane> {
    const town = await Town.build()
    const token = await town.token('PlainToken', 10_000n)
    const channel = new Channel(town, token, ALICE, BOB)
    channel.settleTimeout = 100
    return new Lane(town, await channel.opened(1000n, 500n))
  }

  tools(person: Person): JobTools {
    return { digests: createDigests(this.domain, (data) => native.keccak256(data)), keccak: (data) => native.keccak256(data), signer: signerOf(person) }
  }

  store(name: string): Store {
    const store = openStore({ path: join(this.dir, `${name}-${this.#stores.length}`, 'box.sqlite'), migrations: watchMigrations, log: silentLog })
    this.#stores.push(store)
    return store
  }

  lookup: ChannelLookup = {
    find: async ({ token, a, b }) => {
      const [, epoch, settleBlock, state] = (await this.town.ask(this.town.photon, 'info', token, a, b)).toArray() as [string, bigint, bigint, bigint]
      if (state === 0n) return 'absent'
      const side = async (one: Address, other: Address): Promise<bigint[]> => (await this.town.ask(this.town.photon, 'sideOf', token, one, other)).toArray() as bigint[]
      const [sideA, sideB] = [await side(a, b), await side(b, a)]
      return { epoch, capacity: (sideA[0] ?? 0n) + (sideB[0] ?? 0n), receiverFunds: sideA[0] ?? 0n, settleBlock: state === 2n ? Number(settleBlock) : null, postedNonce: sideB[3] ?? 0n }
    },
  }

  watcherBox(person: Person, limits: Partial<WatchLimits> = {}, store = this.store('watcher')): WatcherBox {
    const rewards: bigint[] = []
    const box: WatcherBox = {
      person,
      store,
      rewards,
      duties: [],
      watcher: new Watcher({
        tools: this.tools(person),
        limits: { ...WATCH_JOBS, minReward: () => REWARD, ...limits },
        store,
        lookup: { find: (what) => this.lookup.find(what) },
        duties: {
          add: (duty) => {
            const name = (one: WatchDuty): string => (one.kind === 'update-delegate' ? `u${one.delegation.channel}` : one.secret)
            box.duties = [...box.duties.filter((one) => name(one) !== name(duty)), duty]
          },
          drop: (channel) => (box.duties = box.duties.filter((one) => one.kind !== 'update-delegate' || one.delegation.channel !== channel)),
        },
        transport: this.air.at(person.address),
        head: () => this.town.number,
        clock: this.time,
        log: silentLog,
        onReward: (_tx, reward) => void rewards.push(reward.amount),
      }),
    }
    this.boxes.set(person.address, box)
    this.candidates = [...this.boxes.keys()].map((watcher) => ({ watcher, seesChain: true }))
    box.watcher.start()
    return box
  }

  guardian(rules: Partial<GuardRules> = {}, store = this.store('bob')): Guardian {
    const guardian = new Guardian({
      tools: this.tools(BOB),
      rules: { ...GUARD_RULES, ...rules },
      store,
      transport: this.air.at(BOB.address),
      channels: () => [this.guarded()],
      candidates: () => this.candidates,
      secretsOf: () => this.secrets,
      rewardOf: () => REWARD,
      isBlind: () => this.isBlind,
      clock: this.time,
      timers: this.time,
      log: silentLog,
    })
    guardian.start()
    return guardian
  }

  guarded(): GuardedChannel {
    return { channel: this.channel.id, epoch: this.channel.epoch, token: this.channel.token, partner: ALICE.address, proof: this.proof }
  }

  /** Alice has paid Bob so much in all, with her n-th message. */
  pay(nonce: bigint, transferred: bigint): BalanceProof {
    const signature = this.channel.proofBy(ALICE, { nonce, transferred })
    this.proof = { channel: this.channel.id, epoch: this.channel.epoch, nonce, transferred, locksroot: ZERO_HASH, extra: ZERO_HASH, signature }
    return this.proof
  }

  /** What Bob would sign for a watcher. */
  delegation(watcher: Person, proof: BalanceProof, change: Partial<Delegation> = {}): Delegation {
    const { nonce, transferred, locksroot } = proof
    const reward = change.reward ?? REWARD
    const signature = this.channel.signed(BOB, 'UpdateDelegate', { nonce, transferred, locksroot, watcher: watcher.address, reward })
    return { channel: this.channel.id, epoch: this.channel.epoch, token: this.channel.token, receiver: BOB.address, partner: ALICE.address, proof, watcher: watcher.address, reward, receiverSignature: signature, secrets: [], ...change }
  }

  /** Tells all watchers what a call has done to the channel. */
  async tell(outcome: Outcome): Promise<void> {
    for (const event of this.events(outcome)) for (const box of this.boxes.values()) await box.watcher.onChain(event)
  }

  events(outcome: Outcome): WatchEvent[] {
    const events = interfaceOf('PhotonV2')
    const block = this.town.number
    return outcome.logs.flatMap((log, logIndex): WatchEvent[] => {
      const parsed = log.address === this.town.photon ? events.parseLog({ topics: [...log.topics], data: hexOf(log.data) }) : null
      const [id, x, y, z, v, w] = (parsed?.args.toArray() ?? []) as [Hash, never, never, never, never, never]
      const lower = (address: unknown): Address => String(address).toLowerCase() as Address
      switch (parsed?.name) {
        case 'Closed':
          return [{ kind: 'closed', channel: id, block, by: lower(x), nonce: y, locksroot: z, transferred: v, settleBlock: Number(w) }]
        case 'Updated':
          return [{ kind: 'updated', channel: id, block, payer: lower(x), nonce: y, locksroot: z, transferred: v }]
        case 'Settled':
          return [{ kind: 'settled', channel: id, block, amounts: [x, y], cooperative: z }]
        case 'Rewarded':
          return [{ kind: 'rewarded', channel: id, token: this.channel.token, block, logIndex, watcher: lower(x), amount: y }]
        default:
          return []
      }
    })
  }

  /** The watcher's account posts what its duty says. */
  async perform(box: Pick<WatcherBox, 'person'>, duty: WatchDuty): Promise<Outcome> {
    if (duty.kind === 'register-secret') return this.town.call(box.person.address, this.town.registry, 'registerSecret', duty.secret)
    return this.post(box.person, duty.delegation)
  }

  post(from: Person, it: Delegation): Promise<Outcome> {
    const { proof } = it
    const update = [it.token, it.partner, it.receiver, proof.transferred, proof.locksroot, proof.nonce, proof.extra, it.watcher, it.reward]
    return this.town.call(from.address, this.town.photon, 'updateDelegate', update, proof.signature, it.receiverSignature)
  }

  async end(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()))
    rmSync(this.dir, { recursive: true })
  }
}

export async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) {
    if (isTrue()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('it did not come true')
}

