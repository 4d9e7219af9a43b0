/**
 * The contract of photon.md 9.3 as far as a run needs it, in a few lines and exact: close, update by the receiver only,
 * secrets once for ever, unlock by merkle proof, punish, settle after the time for punishing. One block at a time;
 * what is refused has no effect.
 */
import type { Address, Hash } from '../../../src/base/index.ts'
import { ZERO_HASH } from '../../../src/base/index.ts'
import { secretHashOf, settlementOf } from '../../../src/photon/channel/index.ts'
import { SETTLE_DELAY_BLOCKS } from '../../../src/photon/channel/rules.ts'
import type { BalanceProof, ChannelEvent, ChannelKey, Duty, Lock, SecretEvent } from '../../../src/photon/ports.ts'
import { lockHash as lockHashOf } from '../../../src/photon/wire/index.ts'
import { proofRoot } from '../../../src/photon/wire/merkle.ts'
import { digest, isDisposalOf, isProofOf, textOf } from './signing.ts'

interface Side {
  deposit: bigint
  nonce: bigint
  transferred: bigint
  locksroot: Hash
  readonly unlocked: Set<Hash>
}

export interface ModelChannel {
  readonly key: ChannelKey
  readonly parties: readonly [Address, Address]
  readonly settleTimeout: number
  readonly sides: Map<Address, Side>
  state: 'open' | 'closed' | 'settled'
  settleBlock: number
  readonly payout: Map<Address, bigint>
}

export type Event = ChannelEvent | SecretEvent

export class ModelChain {
  block = 100
  readonly channels = new Map<Hash, ModelChannel>()
  /** In the order in which they happened. */
  readonly events: Event[] = []
  readonly #secrets = new Map<Hash, number>()
  #pool: { readonly by: Address; readonly key: ChannelKey | null; readonly duty: Duty; readonly name: string; readonly fromBlock: number }[] = []
  /** How many blocks a transaction waits before it is mined. */
  delayOf = (): number => 0

  open(key: ChannelKey, a: Address, b: Address, deposits: readonly [bigint, bigint], settleTimeout: number): void {
    const side = (deposit: bigint): Side => ({ deposit, nonce: 0n, transferred: 0n, locksroot: ZERO_HASH, unlocked: new Set() })
    const sides = new Map([[a, side(deposits[0])], [b, side(deposits[1])]])
    this.channels.set(key.channel, { key, parties: [a, b], settleTimeout, sides, state: 'open', settleBlock: 0, payout: new Map() })
  }

  /** What waits already is not sent twice. */
  send(by: Address, key: ChannelKey | null, duty: Duty): void {
    const name = textOf([by, key, duty])
    if (!this.#pool.some((one) => one.name === name)) this.#pool.push({ by, key, duty, name, fromBlock: this.block + 1 + this.delayOf() })
  }

  /** The next block, with all that was sent. */
  mine(): void {
    this.block++
    const due = this.#pool.filter((one) => one.fromBlock <= this.block)
    this.#pool = this.#pool.filter((one) => one.fromBlock > this.block)
    for (const { by, key, duty } of due) this.#run(by, key, duty)
  }

  /** Empty blocks. */
  skip(blocks: number): void {
    this.block += blocks
  }

  #run(by: Address, key: ChannelKey | null, duty: Duty): void {
    if (duty.kind === 'register-secret') return this.#register(duty.secret)
    const channel = key === null ? undefined : this.channels.get(key.channel)
    if (channel === undefined || !channel.parties.includes(by)) return
    const partner = channel.parties[0] === by ? channel.parties[1] : channel.parties[0]
    if (duty.kind === 'close') this.#close(channel, by, partner, duty.proof)
    if (duty.kind === 'update') this.#update(channel, partner, duty.proof)
    if (duty.kind === 'unlock') this.#unlock(channel, partner, duty.transferred, duty.lock, duty.merkleProof)
    if (duty.kind === 'punish') this.#punish(channel, by, partner, duty.lockHash, duty.extra, duty.signature)
    if (duty.kind === 'settle') this.#settle(channel)
  }

  #register(secret: Hash): void {
    const secretHash = secretHashOf(secret)
    if (this.#secrets.has(secretHash)) return
    this.#secrets.set(secretHash, this.block)
    this.events.push({ kind: 'secret', secret, secretHash, block: this.block })
  }

  #post(channel: ModelChannel, payer: Address, proof: BalanceProof): boolean {
    const side = sideOf(channel, payer)
    if (proof.channel !== channel.key.channel || proof.epoch !== channel.key.epoch || proof.nonce <= side.nonce || !isProofOf(payer, proof)) return false
    side.nonce = proof.nonce
    side.transferred = proof.transferred
    side.locksroot = proof.locksroot
    side.unlocked.clear()
    return true
  }

  #close(channel: ModelChannel, by: Address, partner: Address, proof: BalanceProof | null): void {
    if (channel.state !== 'open' || (proof !== null && !this.#post(channel, partner, proof))) return
    channel.state = 'closed'
    channel.settleBlock = this.block + channel.settleTimeout
    const side = sideOf(channel, partner)
    const { key: { channel: id }, settleBlock } = channel
    this.events.push({ kind: 'closed', channel: id, block: this.block, by, nonce: side.nonce, locksroot: side.locksroot, transferred: side.transferred, settleBlock })
  }

  #update(channel: ModelChannel, payer: Address, proof: BalanceProof): void {
    if (channel.state !== 'closed' || this.block > channel.settleBlock || !this.#post(channel, payer, proof)) return
    const { nonce, locksroot, transferred } = sideOf(channel, payer)
    this.events.push({ kind: 'updated', channel: channel.key.channel, block: this.block, payer, nonce, locksroot, transferred })
  }

  #unlock(channel: ModelChannel, payer: Address, transferred: bigint, lock: Lock, merkleProof: readonly Hash[]): void {
    const side = sideOf(channel, payer)
    const registered = this.#secrets.get(lock.secretHash)
    if (channel.state !== 'closed' || this.block > channel.settleBlock || registered === undefined || registered > lock.expiration) return
    const hash = lockHashOf(digest, lock)
    if (side.transferred !== transferred || side.unlocked.has(hash) || proofRoot(digest, hash, merkleProof) !== side.locksroot) return
    side.unlocked.add(hash)
    side.transferred += lock.amount
    this.events.push({ kind: 'unlocked', channel: channel.key.channel, block: this.block, payer, lockHash: hash, transferred: side.transferred })
  }

  #punish(channel: ModelChannel, by: Address, cheater: Address, lockHash: Hash, extra: Hash, signature: Uint8Array): void {
    const side = sideOf(channel, by)
    const { channel: id, epoch } = channel.key
    if (channel.state !== 'closed' || !side.unlocked.has(lockHash) || !isDisposalOf(cheater, id, epoch, lockHash, extra, signature)) return
    side.unlocked.clear()
    Object.assign(side, { nonce: (1n << 64n) - 1n, transferred: 0n, locksroot: ZERO_HASH })
    const other = sideOf(channel, cheater)
    side.deposit += other.deposit
    other.deposit = 0n
    this.events.push({ kind: 'punished', channel: id, block: this.block, cheater, lockHash })
  }

  #settle(channel: ModelChannel): void {
    if (channel.state !== 'closed' || this.block < channel.settleBlock + SETTLE_DELAY_BLOCKS) return
    const [a, b] = channel.parties
    const figures = (who: Address) => ({ ...sideOf(channel, who), withdrawn: 0n, claimed: 0n })
    const amounts = settlementOf(figures(a), figures(b))
    channel.state = 'settled'
    channel.payout.set(a, amounts[0]).set(b, amounts[1])
    this.events.push({ kind: 'settled', channel: channel.key.channel, block: this.block, cooperative: false, amounts })
  }
}

function sideOf(channel: ModelChannel, who: Address): Side {
  const side = channel.sides.get(who)
  if (side === undefined) throw new Error('not a party')
  return side
}
