/**
 * What the REST interface asks, answered over the owner's desk and the one for programs. What they do not keep is null, 0 or
 * zeros where a client can live with that, and refused with a number where it cannot: docs/photon-rest.md has the list.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { ZERO_ADDRESS, ZERO_HASH, hexOf, utf8 } from '../../base/index.ts'
import type { Address, Hash, Randomness, Timers } from '../../base/index.ts'
import type { ChannelView as DeskChannel, OrderedRoute, PaymentRow, PhotonDesk } from '../desk.ts'
import type { ChannelState } from '../channel/index.ts'
import type { ProgramDesk } from '../program-desk.ts'
import { CHANNEL_STATES, TRANSFER_STATES, photonError } from './api.ts'
import type { BlockRange, BuildInfo, ChannelDetailView, ChannelView, FeeTable, Income, IncomeOfDays, PhotonApi, SentTransferView, TransferOrder } from './api.ts'
import { channelLocksView, dataText, pendingReceiptView } from './node-views.ts'
import { isWanted, transactionView } from './transactions.ts'

export interface DeskApiParts {
  readonly desk: PhotonDesk
  readonly build: BuildInfo
  /** Blocks before a lock's end by which its secret has to be known. */
  readonly revealTimeout: number
  readonly programs: Pick<ProgramDesk, keyof ProgramDesk>
  readonly randomness: Randomness
  readonly timers: Timers
  /** Where original nodes are on the LAN, `endpoint` as address:port. Null or left out: they are not spoken to. Errors: input. */
  readonly updateNodes?: ((nodes: readonly PeerPlace[]) => void | Promise<void>) | null
}

type PeerPlace = Parameters<PhotonApi['setPeers']>[0][number]

/** The original's numbers (6.3). */
const CODE = {
  argument: 1, invalidState: 1007, unknownAddress: 1009, cannotCancel: 1017, timeout: 1020, channelNotFound: 3002, noRoute: 3003, transferNotFound: 3004, channelExists: 3005,
  transportType: 6000, withdrawNotAllowed: 5000, channelState: 5001, settleNotReached: 5002,
} as const
const PPM = 1_000_000n
const DAY_SECONDS = 86_400
/** A client that waits does so no longer. */
const SYNC_MS = 60_000
/** Payments looked through: the newest. */
const MOST_ROWS = 2000
const PAGE = 200
const ENDED_FROM = 3
const SUCCESS = 3
const CLOSED_STATES = new Set(['closed', 'settling'])

export function deskApi(parts: DeskApiParts): PhotonApi {
  const { desk, programs, randomness } = parts
  const view = (channel: DeskChannel): ChannelView => channelView(channel, parts.revealTimeout)

  function found(id: Hash): DeskChannel {
    const channel = desk.channel(id)
    if (channel === null) throw photonError(CODE.channelNotFound, 'channel not found', 'not-found')
    return channel
  }
  /** As it is after an order; as it was where it has gone since. */
  async function ordered(id: Hash, order: () => Promise<void>): Promise<ChannelView> {
    const before = found(id)
    await order()
    return view(desk.channel(id) ?? before)
  }
  function between(partner: Address, token: Address): DeskChannel | undefined {
    return desk.channels().find((one) => one.partner.address === partner && one.token === token && one.phase !== 'settled')
  }

  function rows(wanted: (row: PaymentRow) => boolean): PaymentRow[] {
    const list: PaymentRow[] = []
    let before: number | null = null
    for (let looked = 0; looked < MOST_ROWS; looked += PAGE) {
      const page: ReturnType<PhotonDesk['payments']> = desk.payments({ before, limit: PAGE })
      list.push(...page.rows.filter(wanted))
      if (page.next === null) break
      before = page.next
    }
    return list
  }
  /** Clients know a payment by its secret's hash, a direct one by its id. */
  function payment(direction: PaymentRow['direction'], token: Address, hash: Hash): PaymentRow | null {
    const fits = (row: PaymentRow): boolean => row.direction === direction && row.token === token && (row.id === hash || row.secretHash === hash)
    const own = desk.payment(hash)
    return own !== null && fits(own) ? own : (rows(fits)[0] ?? null)
  }
  function sentOrThrow(token: Address, hash: Hash): PaymentRow {
    const row = payment('sent', token, hash)
    if (row === null) throw photonError(CODE.transferNotFound, 'transfer not found', 'not-found')
    return row
  }
  /** The channel as it was used; where that is not kept, the one there is with the other side. */
  function placeOf({ place, peer, token }: PaymentRow): { readonly channel: Hash; readonly epoch: bigint; readonly nonce: bigint; readonly block: number } {
    const known = place?.packet ?? null
    const there = known === null ? between(peer, token) : undefined
    return { channel: known?.channel ?? there?.id ?? ZERO_HASH, epoch: known?.epoch ?? there?.epoch ?? 0n, nonce: known?.nonce ?? 0n, block: place?.block ?? 0 }
  }
  const sentView = (row: PaymentRow): SentTransferView => {
    const { channel, epoch, block } = placeOf(row)
    const seconds = secondsOf(row)
    return {
      key: row.id, block, token: row.token, secretHash: row.secretHash ?? row.id, target: row.peer, amount: row.amount, data: dataText(row.data), isDirect: row.kind === 'direct', sendingSeconds: seconds,
      finishSeconds: row.status >= ENDED_FROM ? seconds : 0, status: TRANSFER_STATES[row.status] ?? 'failed', statusMessage: row.reason ?? '', channel, epoch,
    }
  }

  /** Resolves when the payment has ended. Errors: 1020 when that takes too long, else why it failed. */
  async function ending(id: Hash): Promise<void> {
    const end = await new Promise<PaymentRow | null>((resolve) => {
      const look = (): void => {
        const row = desk.payment(id)
        if (row === null || row.status < ENDED_FROM) return
        stop()
        resolve(row)
      }
      const unlisten = desk.onChange(look)
      const giveUp = parts.timers.after(SYNC_MS, () => {
        stop()
        resolve(desk.payment(id))
      })
      const stop = (): void => {
        unlisten()
        giveUp()
      }
      look()
    })
    if (end?.status === SUCCESS) return
    if (end === null || end.status < ENDED_FROM) throw photonError(CODE.timeout, 'the transfer is still under way')
    throw photonError(CODE.noRoute, end.reason ?? 'the transfer failed')
  }

  async function transfer(order: TransferOrder): Promise<Hash> {
    const maxFee = mostFee(order.routes)
    const { id } = await desk.pay({ target: order.target, token: order.token, amount: order.amount, isDirect: order.isDirect, maxFee, data: utf8(order.data), secretHash: null, secret: order.secret, ...orderedRoutes(order.routes) })
    if (order.isSync) await ending(id)
    return desk.payment(id)?.secretHash ?? id
  }

  const api: PhotonApi = {
    get account() {
      return desk.status().account
    },
    build: () => parts.build,
    async status() {
      const { state, contract, head, channels } = desk.status()
      const all = rows((row) => row.direction !== 'forwarded')
      return {
        rpcEndpoint: 'light', isChainConnected: state === 'ready', contract: contract ?? ZERO_ADDRESS, tokens: tokensOf(desk), block: head ?? 0, blockSeconds: 0, networkType: 'libp2p', channels,
        sent: all.filter((row) => row.direction === 'sent').length, received: all.filter((row) => row.direction === 'received').length, dealing: all.filter((row) => row.status < ENDED_FROM).length,
      }
    },
    tokens: async () => tokensOf(desk),
    async balances(token) {
      const tokens = token === null ? tokensOf(desk) : [token]
      return tokens.map((one) => {
        const own = desk.channels().filter((channel) => channel.token === one).map((channel) => channel.own)
        return { token: one, balance: own.reduce((sum, side) => sum + side.spendable + side.locked, 0n), locked: own.reduce((sum, side) => sum + side.locked, 0n) }
      })
    },
    chainBalance: (of, token) => programs.balanceOf(of, token),
    sendNative: (to, amount) => programs.sendCoin(to, amount),

    channels: async () => desk.channels().map(view),
    async channel(id) {
      const [channel, state] = [desk.channel(id), programs.channel(id)]
      return channel === null || state === null ? null : detailView(channel, state, parts.revealTimeout)
    },
    async deposit({ partner, token, amount, settleTimeout }) {
      const there = between(partner, token)
      if (settleTimeout === null) {
        if (there === undefined) throw photonError(CODE.channelNotFound, 'channel not found', 'not-found')
        return ordered(there.id, () => desk.deposit(there.id, amount))
      }
      if (there !== undefined) throw photonError(CODE.channelExists, 'channel already exists')
      const { channel: id } = await desk.open({ partner, token, amount, settleTimeout: settleTimeout === 0 ? null : settleTimeout, role: 'leaf' })
      const made = desk.channel(id)
      if (made !== null) return view(made)
      return { channel: id, epoch: 0n, partner, token, balance: 0n, partnerBalance: 0n, locked: 0n, partnerLocked: 0n, state: 'invalid', settleTimeout, revealTimeout: parts.revealTimeout }
    },
    close: (id, isForced) => ordered(id, () => desk.close(id, isForced)),
    async settle(id) {
      const channel = found(id)
      // The box settles by itself, as a duty: the order can only be too early, or be kept already.
      if (!CLOSED_STATES.has(channel.phase)) throw photonError(CODE.channelState, `the channel is ${channel.phase}, not closed`)
      if (CHANNEL_STATES[channel.restState] !== 'settling') throw photonError(CODE.settleNotReached, 'the settle timeout is not over; the box settles by itself when it is')
      return view(channel)
    },
    withdraw: (id, amount) => ordered(id, () => desk.withdraw(id, amount)),
    prepareWithdraw: async () => {
      throw photonError(CODE.withdrawNotAllowed, 'not offered: withdraw needs no preparation here', 'input')
    },
    cancelPrepare: async (id) => {
      found(id)
      throw photonError(CODE.invalidState, 'nothing is prepared')
    },
    watchPayload: async (id, watcher) => programs.monitoring(id, watcher),

    transfer,
    async sentTransfer(token, hash) {
      const row = payment('sent', token, hash)
      return row === null ? null : sentView(row)
    },
    async cancelTransfer(token, hash) {
      const row = sentOrThrow(token, hash)
      if (row.status >= 2) throw photonError(CODE.cannotCancel, 'the transfer cannot be cancelled any more')
      await desk.cancel(row.id)
    },
    async allowReveal(token, hash) {
      await desk.allowReveal(sentOrThrow(token, hash).id)
    },
    registerSecret: (_token, secret) => desk.giveSecret(secret),
    async pendingReceipt(token, hash) {
      const waiting = programs.waiting(token, hash)
      return waiting === null ? null : pendingReceiptView(waiting.payment, desk.status().account, waiting.block)
    },
    sentTransfers: async (range) => inRange(range, (wanted) => rows((row) => row.direction === 'sent' && wanted(row)).map(sentView)),
    receivedTransfers: async (range) =>
      inRange(range, (wanted) =>
        rows((row) => row.direction === 'received' && row.status === SUCCESS && wanted(row)).map((row) => {
          const { block, epoch, channel, nonce } = placeOf(row)
          return { key: row.id, block, epoch, channel, token: row.token, initiator: row.peer, nonce, amount: row.amount, data: dataText(row.data), seconds: secondsOf(row) }
        }),
      ),
    newSecret() {
      const secret = randomness.bytes(32)
      return { secret: hexOf(secret), secretHash: hexOf(sha256(secret)) }
    },
    swap: ({ target, secretHash, role, sendingAmount, sendingToken, receivingAmount, receivingToken, secret, routes }) =>
      desk.swap({ target, side: role, secretHash, secret, token: sendingToken, amount: sendingAmount, receivingToken, receivingAmount, maxFee: mostFee(routes), ...orderedRoutes(routes) }),
    paths: async (token, target, amount) => desk.paths(target, token, amount).map(({ nodes, fee }, pathId) => ({ pathId, hops: [...nodes], fee })),

    feeTable: async () => feeTableOf(programs.fees()),
    setFeeTable: (table) => programs.setFees(table),
    feesEarned: async () =>
      rows(isFeeEarned).map((row) => ({
        key: row.id, secretHash: row.secretHash ?? row.id, token: row.token, from: row.peer, to: ZERO_ADDRESS, amount: row.amount, inChannel: between(row.peer, row.token)?.id ?? ZERO_HASH, outChannel: ZERO_HASH, fee: row.fee,
        seconds: secondsOf(row), data: dataText(row.data), block: row.place?.block ?? 0,
      })),
    income: async (token, from, to, limit) => incomeOf(rows(earns), token).filter(({ seconds }) => seconds >= (from ?? 0) && seconds <= (to ?? Number.MAX_SAFE_INTEGER)).slice(0, limit ?? MOST_ROWS).map(({ token: _token, ...one }) => one),
    incomeOfDays: async (token, days) => byDay(incomeOf(rows(earns), token), days),
    transactions: async (filter) => programs.transactions().map(transactionView).filter((one) => isWanted(one, filter)),

    setOffline: async (isOffline) => programs.setDirectOnly(isOffline),
    async setPeers(peers) {
      const dialled = peers.filter(({ endpoint }) => endpoint.startsWith('/'))
      const onLan = peers.filter(({ endpoint }) => !endpoint.startsWith('/'))
      if (onLan.length > 0 && !parts.updateNodes) throw photonError(CODE.transportType, 'this box does not speak to nodes on the LAN by address and port; a multiaddr such as /ip4/192.0.2.7/tcp/4011 is dialled', 'unavailable')
      if (onLan.length > 0) await parts.updateNodes?.(onLan)
      for (const { account, endpoint } of dialled) await desk.addPeer(account, endpoint)
    },
    async peer(account) {
      const known = desk.peers().find((one) => one.account === account)
      const channel = desk.channels().find((one) => one.partner.address === account)
      if (known === undefined && channel === undefined) throw photonError(CODE.unknownAddress, 'unknown address', 'not-found')
      return { deviceType: channel?.role === 'leaf' ? 'mobile' : 'meshbox', isOnline: known?.isConnected ?? channel?.isConnected ?? false }
    },
    prepareUpdate: async () => programs.prepareUpdate(),
    stop: () => programs.stop(),
  }
  return api
}

function channelView(channel: DeskChannel, revealTimeout: number): ChannelView {
  const { own, partner } = channel
  return {
    channel: channel.id, epoch: channel.epoch, partner: partner.address, token: channel.token, balance: own.spendable + own.locked, partnerBalance: partner.spendable + partner.locked, locked: own.locked, partnerLocked: partner.locked,
    state: CHANNEL_STATES[channel.restState] ?? 'invalid', settleTimeout: channel.settleTimeout, revealTimeout,
  }
}

/** Of the routes that the client has chosen from. */
function mostFee(routes: TransferOrder['routes']): bigint {
  return routes.reduce((most, route) => (route.fee > most ? route.fee : most), 0n)
}

function orderedRoutes(routes: TransferOrder['routes']): { readonly routes?: readonly OrderedRoute[] } {
  return routes.length === 0 ? {} : { routes: routes.map(({ hops, fee }) => ({ nodes: hops, fee })) }
}

/** Amounts and state as in the list of channels; locks and proofs as the room keeps them. */
function detailView(channel: DeskChannel, state: ChannelState, revealTimeout: number): ChannelDetailView {
  return { ...channelView(channel, revealTimeout), ...channelLocksView(state) }
}

function tokensOf(desk: PhotonDesk): readonly Address[] {
  return [...new Set(desk.channels().map((channel) => channel.token))]
}

/** 4.1 knows a constant and a divisor; the configuration's is rounded down, so that a client reckons with no less than is asked. */
function feeTableOf({ set, configured }: ReturnType<ProgramDesk['fees']>): FeeTable {
  const divisor = configured.ppm <= 0 ? 0n : PPM / BigInt(configured.ppm)
  return { account: set.account ?? { constant: configured.constant, divisor }, tokens: set.tokens, channels: set.channels }
}

/** A payment whose block is not known is in no range that has a bound. */
function inRange<T>({ fromBlock, toBlock, token }: BlockRange, list: (wanted: (row: PaymentRow) => boolean) => T): T {
  const from = fromBlock ?? 0
  return list((row) => {
    const block = row.place?.block ?? 0
    const isBounded = from > 0 || toBlock !== null
    return (token === null || row.token === token) && (!isBounded || (block > 0 && block >= from && block <= (toBlock ?? Number.MAX_SAFE_INTEGER)))
  })
}

function secondsOf(row: PaymentRow): number {
  return row.atMs === null ? 0 : Math.floor(row.atMs / 1000)
}

function isFeeEarned(row: PaymentRow): boolean {
  return row.direction === 'forwarded' && row.status === SUCCESS && row.fee > 0n
}

function earns(row: PaymentRow): boolean {
  return isFeeEarned(row) || (row.direction === 'received' && row.status === SUCCESS)
}

interface TokenIncome extends Income {
  readonly token: Address
}

function incomeOf(list: readonly PaymentRow[], token: Address | null): TokenIncome[] {
  const wanted = list.filter((row) => token === null || row.token === token)
  return wanted.map((row) => ({ token: row.token, amount: row.direction === 'forwarded' ? row.fee : row.amount, data: dataText(row.data), source: row.direction === 'forwarded' ? 'fee' : 'transfer', seconds: secondsOf(row) }))
}

/** Days of UTC that something came in on, of the last `days` up to the newest income; what has no time is left out. */
function byDay(list: readonly TokenIncome[], days: number): IncomeOfDays[] {
  const timed = list.filter(({ seconds }) => seconds > 0)
  const lastDay = Math.max(0, ...timed.map(({ seconds }) => Math.floor(seconds / DAY_SECONDS)))
  const sums = new Map<Address, Map<number, bigint>>()
  for (const { token, amount, seconds } of timed) {
    const day = Math.floor(seconds / DAY_SECONDS)
    if (day <= lastDay - days) continue
    const ofToken = sums.get(token) ?? new Map<number, bigint>()
    sums.set(token, ofToken.set(day, (ofToken.get(day) ?? 0n) + amount))
  }
  return [...sums].map(([token, byNumber]) => ({
    token,
    total: [...byNumber.values()].reduce((sum, one) => sum + one, 0n),
    days: [...byNumber].sort(([a], [b]) => a - b).map(([day, amount]) => ({ amount, seconds: day * DAY_SECONDS })),
  }))
}
