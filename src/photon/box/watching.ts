/** The box as its neighbours' watcher, its own guardians, and copies of its states at neighbours: started together. */
import { hexOf, momentOf } from '../../base/index.ts'
import type { Address, Cancel, Hash } from '../../base/index.ts'
import type { DutyDesk, RewardedEvent } from '../chain/index.ts'
import type { PhotonDesk } from '../desk.ts'
import type { AccountSigner, PhotonNode } from '../node/index.ts'
import type { PhotonParts } from '../parts.ts'
import type { ChannelEvent, Domain } from '../ports.ts'
import { Backups, GUARD_RULES, Guardian, MAX_BACKUP_CHANNELS, WATCH_JOBS, Watcher, jobsOn } from '../watch/index.ts'
import type { BackupRecord, WatchDuty, WatchSigner } from '../watch/index.ts'
import { createDigests } from '../wire/index.ts'
import type { Alarms } from './alarms.ts'
import type { FrameLane } from './frame-lanes.ts'
import { guardedChannels, guardedSecrets } from './own-channels.ts'
import type { ProvedChannels } from './proved-channels.ts'

export interface WatchingOptions {
  readonly parts: PhotonParts
  readonly domain: Domain
  readonly node: PhotonNode
  readonly duties: DutyDesk
  readonly lane: FrameLane
  readonly proved: ProvedChannels
  readonly alarms: Alarms
  symbolOf(token: Address): string
}

const BACKUP_EVERY_MS = 120_000
const KEEPERS = 3
const MAX_OWNERS = 64

export class Watching {
  readonly #options: WatchingOptions
  /** Null: the owner watches for nobody. */
  readonly #watcher: Watcher | null
  /** Null: the owner pays nobody for it. */
  readonly #guardian: Guardian | null
  readonly #backups: Backups
  #cancel: Cancel = () => undefined
  #backedUp = ''

  constructor(options: WatchingOptions) {
    const { parts, domain, node, lane, proved } = options
    const { store, clock, timers, randomness, log, settings, curve, backupKey } = parts
    this.#options = options
    const signer = watchSigner(parts)
    const keccak = (bytes: Uint8Array): Uint8Array => curve.keccak256(bytes)
    const tools = { digests: createDigests(domain, keccak), keccak, signer }
    const head = (): number => parts.chain.head()?.number ?? 0
    const watcher = (): Watcher => new Watcher({
      tools,
      limits: { ...WATCH_JOBS, minReward: () => settings.watchMinReward },
      store,
      lookup: proved.lookup,
      duties: { add: (duty) => this.#add(duty), drop: (channel, epoch) => this.#drop(channel, epoch) },
      transport: lane,
      head,
      clock,
      log,
      onReward: (tx, { channel, token, amount, block }) =>
        void parts.ledger.earn(tx, {
          source: 'photon:watch',
          token: options.symbolOf(token),
          amount,
          from: `photon:${channel}`,
          evidence: { type: 'reward', id: `${channel}/${block}` },
          at: momentOf(clock),
        }),
    })
    // Posting costs gas: nobody has it for nothing.
    this.#watcher = settings.watchMinReward === 0n ? null : watcher()
    this.#guardian =
      settings.watchReward === 0n
        ? null
        : new Guardian({
            tools,
            rules: GUARD_RULES,
            store,
            transport: lane,
            channels: () => guardedChannels(node),
            // Who is connected is a box that keeps to the chain; one that does not refuses the job.
            candidates: () => lane.neighbours().map((watcher) => ({ watcher, seesChain: true })),
            secretsOf: (channel) => guardedSecrets(node, channel),
            rewardOf: () => settings.watchReward,
            isBlind: () => parts.chain.isFrozen(),
            clock,
            timers,
            log,
          })
    this.#backups = new Backups({ domain, signer, key: backupKey, store, transport: lane, randomness, clock, log, maxOwners: MAX_OWNERS })
  }

  start(): void {
    this.#watcher?.start()
    this.#guardian?.start()
    this.#backups.start()
    this.#cancel = this.#options.parts.timers.every(BACKUP_EVERY_MS, () => void this.#backUp())
  }

  stop(): void {
    this.#cancel()
    this.#watcher?.stop()
    this.#guardian?.stop()
    this.#backups.stop()
  }

  /** Copies of this box's own states at neighbours, for who has lost the book. */
  get copies(): Pick<Backups, 'ask' | 'answers' | 'restored'> {
    return this.#backups
  }

  /** After blocks that were not seen: the neighbours' channels as the chain has them now. False: it cannot say. */
  async recheck(): Promise<boolean> {
    return (await this.#watcher?.recheck()) ?? true
  }

  async heard(event: ChannelEvent): Promise<void> {
    await this.#watcher?.onChain(event)
    await this.#guardian?.onChain(event)
  }

  async rewarded(event: RewardedEvent): Promise<void> {
    const job = this.#options.parts.store.read((tx) => jobsOn(tx, event.channel))[0]
    if (job !== undefined) await this.#watcher?.onChain({ ...event, token: job.delegation.token })
  }

  standing(): ReturnType<PhotonDesk['watching']> {
    const guards = this.#guardian?.standing() ?? []
    return {
      jobs: this.#watcher?.jobs ?? 0,
      guardians: guards.flatMap(({ channel, guards: each }) => each.flatMap(({ watcher, kept }) => (kept === null ? [] : [{ channel, watcher, nonce: kept.nonce }]))),
    }
  }

  #add(duty: WatchDuty): void {
    const { fromBlock, deadlineBlock } = duty
    if (duty.kind === 'register-secret') return this.#turn([{ duty: { kind: 'register-secret', secret: duty.secret }, key: null, fromBlock, deadlineBlock }])
    const { channel, epoch, token, partner, receiver, proof, receiverSignature, watcher, reward } = duty.delegation
    this.#turn([{ duty: { kind: 'update-delegate', token, partner, receiver, proof, receiverSignature, watcher, reward }, key: { channel, epoch }, fromBlock, deadlineBlock }])
  }

  #turn(due: Parameters<DutyDesk['put']>[1]): void {
    const { parts, duties } = this.#options
    parts.store.turn((tx) => duties.put(tx, due)).then(
      () => void duties.look(),
      (error: unknown) => parts.log.error('a watcher’s transaction could not be stored; it is made anew at the next start', { error }),
    )
  }

  #drop(channel: Hash, epoch: bigint): void {
    const { parts, duties } = this.#options
    parts.store.turn((tx) => duties.drop(tx, { channel, epoch }, 'update-delegate')).catch((error: unknown) => parts.log.error('a watcher’s transaction could not be dropped', { error }))
  }

  /** Only when something has moved since the last. */
  async #backUp(): Promise<void> {
    const { node, lane, parts, alarms } = this.#options
    const holders = this.#backups.newerAt
    if (holders.length > 0) alarms.raise('old-state', `${holders.length} neighbours keep newer states of this box's channels than it has itself: it runs on an old copy`)
    const records = node.channels().slice(0, MAX_BACKUP_CHANNELS).map(recordOf)
    const text = records.map(({ channel, epoch, ownNonce, proof }) => `${channel}/${epoch}/${ownNonce}/${proof?.nonce ?? 0n}`).join(' ')
    const keepers = lane.neighbours().slice(0, KEEPERS)
    if (records.length === 0 || keepers.length === 0 || text === this.#backedUp) return
    try {
      await this.#backups.put(records, keepers)
      this.#backedUp = text
    } catch (error) {
      parts.log.warn('no copy of the channels could be given to neighbours', { error })
    }
  }
}

function recordOf(state: ReturnType<PhotonNode['channels']>[number]): BackupRecord {
  const { key, token, own, partner } = state
  return { ...key, token, partner: partner.address, ownNonce: own.nonce, ownHash: own.proof?.extra ?? NO_HASH, ownTransferred: own.transferred, ownLocksroot: own.locksroot, proof: partner.proof }
}

export function watchSigner({ signer, curve }: { readonly signer: AccountSigner; readonly curve: PhotonParts['curve'] }): WatchSigner {
  return {
    self: signer.account,
    sign: (digest) => signer.sign(digest),
    recover(digest, signature) {
      if (signature.length !== SIGNATURE_BYTES) return null
      const found = curve.recoverAddress(digest, signature)
      return found === null ? null : hexOf(found)
    },
  }
}

const SIGNATURE_BYTES = 65
const NO_HASH: Hash = `0x${'00'.repeat(32)}`
