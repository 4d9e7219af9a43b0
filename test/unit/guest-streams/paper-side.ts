/** The channels' side of streams on paper: one guest's channel that opens, grows and closes as a test says. */
import type { Address, Hash } from '../../../src/base/index.ts'
import type { Channels } from '../../../src/main/guest-streams.ts'
import type { DutyView, GuestChannel, GuestOpening, StreamSide } from '../../../src/photon/index.ts'
import type { GuestOrderState } from '../../../src/photon/chain/index.ts'
import type { PhotonStatus } from '../../../src/photon/index.ts'
import { nodeSha256 } from '../../../src/photon/stream/index.ts'
import { channelIdOf } from '../../../src/photon/stream/digests.ts'
import { streamSigner } from '../../../src/web/stream/index.ts'

export const TOKEN: Address = `0x${'70'.repeat(20)}`
export const DOMAIN = { profile: 'v2', chainId: 8888n, contract: `0x${'c0'.repeat(20)}` } as const
export const BOX = streamSigner(new Uint8Array(32).fill(0x42))
const STATUS: PhotonStatus = {
  state: 'ready',
  account: BOX.address,
  contract: DOMAIN.contract,
  chainId: DOMAIN.chainId,
  head: 1000,
  gasWei: null,
  wrapped: null,
  original: null,
  channels: 0,
  peers: 0,
  listening: [],
  alarms: [],
  earned: [],
}

export class PaperSide implements StreamSide {
  readonly self = BOX.address
  readonly domain = DOMAIN
  readonly sha256 = nodeSha256
  readonly sign = BOX.sign
  readonly recover = BOX.recover
  /** Of any payer: there is one guest. */
  channelState: GuestChannel['state'] = 'none'
  deposit = 0n
  epoch = 1n
  status: PhotonStatus = STATUS
  duties: DutyView[] = []
  /** Of whom the chain cannot say anything. */
  readonly unknown = new Set<string>()
  /** How the orders stand, by reference. */
  readonly placed = new Map<string, GuestOrderState>()
  readonly opened: GuestOpening[] = []
  readonly funded: bigint[] = []
  readonly claims: bigint[] = []
  /** The next order dies before it is on disk, as the process would. */
  isBroken = false
  readonly #listeners = new Set<Parameters<StreamSide['onChannel']>[0]>()

  channelOf(payer: Address): Hash {
    return channelIdOf(payer, this.self, TOKEN, this.domain.contract)
  }
  account(payer: Address): ReturnType<StreamSide['account']> {
    if (this.channelState !== 'open') return null
    return { channel: this.channelOf(payer), epoch: this.epoch, domain: DOMAIN, token: TOKEN, payer, payee: this.self, transferred: 0n, proved: 0n, ceiling: this.deposit }
  }
  paid(): null {
    return null
  }
  claimFacts(): ReturnType<StreamSide['claimFacts']> {
    return { claimed: 0n, isClosing: this.channelState === 'closing' }
  }
  note(): void {
    return undefined
  }
  claim(duty: Parameters<StreamSide['claim']>[0]): void {
    this.claims.push(duty.voucher.cumulative + duty.voucher.unit * BigInt(duty.steps))
  }
  onChannel(listener: Parameters<StreamSide['onChannel']>[0]): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  async standing(payer: Address): Promise<GuestChannel> {
    if (this.unknown.has(payer)) throw new Error('no proof')
    return { channel: this.channelOf(payer), epoch: this.epoch, state: this.channelState, deposit: this.deposit }
  }
  async openFor(order: GuestOpening): Promise<void> {
    this.#breakIfAsked()
    this.opened.push(order)
    this.#put('open-for', this.channelOf(order.payer), order.reference)
  }
  async fund(payer: Address, _token: Address, amount: bigint, reference: string): Promise<void> {
    this.#breakIfAsked()
    this.funded.push(amount)
    this.#put('deposit', this.channelOf(payer), reference)
  }
  orderState(_payer: Address, _token: Address, _epoch: bigint, reference: string): GuestOrderState {
    return this.placed.get(reference) ?? 'unknown'
  }

  /** What was ordered is in the chain, as deep as it must be. */
  confirm(amount: bigint): void {
    this.end('done')
    this.deposit += amount
    this.channelState = 'open'
  }
  /** What was ordered is over. */
  end(outcome: GuestOrderState): void {
    this.duties = []
    for (const [reference, state] of this.placed) if (state === 'waiting') this.placed.set(reference, outcome)
  }
  changed(channel: Hash): void {
    for (const listener of this.#listeners) listener({ channel, epoch: this.epoch })
  }
  /** As main hands it over; only what streams ask of it. */
  get photon(): Channels {
    return { desk: { status: () => this.status, duties: () => this.duties }, streams: () => this }
  }

  #put(kind: string, channel: Hash, reference: string): void {
    this.placed.set(reference, 'waiting')
    this.duties = [{ id: 1, kind, channel, state: 'waiting', deadlineBlock: null, transaction: null }]
  }
  #breakIfAsked(): void {
    if (!this.isBroken) return
    this.isBroken = false
    throw new Error('the process dies here')
  }
}
