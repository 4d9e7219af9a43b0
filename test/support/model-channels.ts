/**
 * Guests' channels with a box, on paper: the chain and the box's orders for it, which outlive the process. One guest's
 * channel each, opened and filled by the box's orders, or by the guest himself. Orders are on disk when `fund` and
 * `openFor` resolve, land when the test mines, or fail.
 */
import { createHash } from 'node:crypto'
import type { Address, Hash } from '../../src/base/index.ts'
import type { Channels } from '../../src/main/guest-streams.ts'
import type { GuestChannel, GuestOpening, PhotonStatus, StreamSide } from '../../src/photon/index.ts'
import { channelIdOf } from '../../src/photon/stream/digests.ts'

export const PAPER_TOKEN: Address = `0x${'70'.repeat(20)}`
export const PAPER_BOX: Address = `0x${'b0'.repeat(20)}`
export const PAPER_DOMAIN = { profile: 'v2', chainId: 8888n, contract: `0x${'c0'.repeat(20)}` } as const

export const nodeHash = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

/** Stands for a signature where the test is not about the curve: digest ‖ signer, and v. */
export function paperSign(signer: Address, digest: Uint8Array): Uint8Array {
  const signature = new Uint8Array(65)
  signature.set(digest)
  signature.set(Buffer.from(signer.slice(2), 'hex'), 32)
  return signature
}
export function paperRecover(digest: Uint8Array, signature: Uint8Array): Address | null {
  if (Buffer.compare(signature.subarray(0, 32), digest) !== 0) return null
  return `0x${Buffer.from(signature.subarray(32, 52)).toString('hex')}`
}

interface Order {
  readonly kind: 'open-for' | 'deposit'
  readonly reference: string
  readonly amount: bigint
}

interface Paper {
  readonly payer: Address
  isOpen: boolean
  /** As the chain has it. */
  deposit: bigint
  /** Of that, what the box paid in. */
  fromBox: bigint
  /** What of the guest's counter the channel was told is the box's. */
  noted: bigint
  orders: Order[]
  /** How those that are over ended, by reference. */
  readonly ended: Map<string, 'done' | 'failed'>
}

export class ModelChannels {
  status: PhotonStatus['state'] = 'ready'
  head = 1000
  readonly #papers = new Map<Address, Paper>()

  paperOf(payer: Address): Paper {
    const known = this.#papers.get(payer)
    const paper = known ?? { payer, isOpen: false, deposit: 0n, fromBox: 0n, noted: 0n, orders: [], ended: new Map() }
    this.#papers.set(payer, paper)
    return paper
  }

  channelOf(payer: Address): Hash {
    return channelIdOf(payer, PAPER_BOX, PAPER_TOKEN, PAPER_DOMAIN.contract)
  }

  /** The oldest order of this guest lands, or fails for good; that takes blocks. */
  mine(payer: Address, lands: boolean): void {
    this.head += 20
    const paper = this.paperOf(payer)
    const order = paper.orders.shift()
    if (order === undefined) return
    // A channel that is there already is not opened again.
    const isDone = lands && !(order.kind === 'open-for' && paper.isOpen)
    paper.ended.set(order.reference, isDone ? 'done' : 'failed')
    if (!isDone) return
    paper.isOpen = true
    paper.deposit += order.amount
    paper.fromBox += order.amount
  }

  /** A channel that the guest opened and filled himself. */
  openBefore(payer: Address, deposit: bigint): void {
    const paper = this.paperOf(payer)
    paper.isOpen = true
    paper.deposit += deposit
  }

  /** The guest puts something in himself; nothing, where there is no channel. */
  ownDeposit(payer: Address, amount: bigint): void {
    const paper = this.paperOf(payer)
    if (paper.isOpen) paper.deposit += amount
  }

  /** As a new process sees it; it may die before and after each order. */
  seenBy(edge: (name: string) => Promise<void>): Channels {
    const papers = this
    const put = async (payer: Address, order: Order): Promise<void> => {
      await edge('before order')
      const { orders, ended } = papers.paperOf(payer)
      const isKnown = orders.some(({ reference }) => reference === order.reference) || ended.has(order.reference)
      if (!isKnown) orders.push(order)
      await edge('after order')
    }
    const side: StreamSide = {
      self: PAPER_BOX,
      domain: PAPER_DOMAIN,
      sha256: nodeHash,
      sign: (digest) => paperSign(PAPER_BOX, digest),
      recover: paperRecover,
      account: (payer) => {
        const { isOpen, deposit, noted } = papers.paperOf(payer)
        if (!isOpen) return null
        return { channel: papers.channelOf(payer), epoch: 1n, domain: PAPER_DOMAIN, token: PAPER_TOKEN, payer, payee: PAPER_BOX, transferred: noted, proved: noted, ceiling: deposit }
      },
      paid: () => null,
      claimFacts: () => ({ claimed: 0n, isClosing: false }),
      note: ({ payer }, { voucher, index }) => {
        const value = voucher.cumulative + voucher.unit * BigInt(index)
        void edge('before note').then(() => {
          const paper = papers.paperOf(payer)
          if (value > paper.noted) paper.noted = value
        })
      },
      claim: () => undefined,
      onChannel: () => () => undefined,
      standing: async (payer): Promise<GuestChannel> => {
        const { isOpen, deposit, orders } = papers.paperOf(payer)
        const state = isOpen ? 'open' : orders.some(({ kind }) => kind === 'open-for') ? 'opening' : 'none'
        return { channel: papers.channelOf(payer), epoch: 1n, state, deposit }
      },
      openFor: ({ payer, amount, reference }: GuestOpening) => put(payer, { kind: 'open-for', reference, amount }),
      fund: (payer, _token, amount, reference) => put(payer, { kind: 'deposit', reference, amount }),
      orderState: (payer, _token, _epoch, reference) => {
        const { orders, ended } = papers.paperOf(payer)
        return orders.some((order) => order.reference === reference) ? 'waiting' : (ended.get(reference) ?? 'unknown')
      },
    }
    return {
      streams: () => side,
      desk: {
        status: () => papers.#status(),
        duties: () => [...papers.#papers.values()].flatMap(({ payer, orders }) => orders.map(({ kind }, id) => ({ id, kind, channel: papers.channelOf(payer), state: 'waiting', deadlineBlock: null, transaction: null }))),
      },
    }
  }

  #status(): PhotonStatus {
    return {
      state: this.status,
      account: PAPER_BOX,
      contract: PAPER_DOMAIN.contract,
      chainId: PAPER_DOMAIN.chainId,
      head: this.head,
      gasWei: null,
      wrapped: null,
      original: null,
      channels: this.#papers.size,
      peers: 0,
      listening: [],
      alarms: [],
      earned: [],
    }
  }
}
