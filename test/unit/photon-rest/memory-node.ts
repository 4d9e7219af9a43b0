/** A node that keeps what it is told in memory: enough to see every answer's form. */
import { hexOf } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { photonError } from '../../../src/photon/rest/index.ts'
import type { ChannelDetailView, FeeTable, PhotonApi, SentTransferView, TransferOrder } from '../../../src/photon/rest/index.ts'

const repeated = (digits: string, count: number): Hash => `0x${digits.repeat(count)}`
export const SELF: Address = '0x05e9918f4bcbf3c8307887d421eb02b5e26b6f45'
export const PARTNER: Address = '0x2b5ad5c4795c026514f8317c7a215e218dccd6cf'
export const TOKEN: Address = '0x83073fcd20b9d31c6c6b3aae1dee0a539458d0c5'
export const CONTRACT: Address = '0xf5deccfb4935ef57b500807a5214120addc86f74'
export const CHANNEL: Hash = '0x66e3dc166d8583603131e0a0e2e6f324c123380beb0e4931409a9f8c33430510'
export const SECRET = repeated('11', 32)
export const SECRET_HASH: Hash = '0x02d449a31fbb267c8f352e9968a79e3e5fc95c1bbeaa502fd6454ebde5a4bedc'
/** More than a double can hold. */
export const HUGE = 123_456_789_012_345_678_901_234_567n

const NOTHING = repeated('00', 32)
const SIGNATURE = new Uint8Array(65).fill(27)

export interface MemoryNode extends PhotonApi {
  /** What was asked of it, in order. */
  readonly asked: string[]
}

export function memoryNode(change: Partial<PhotonApi> = {}): MemoryNode {
  const asked: string[] = []
  const noted = <T>(what: string, answer: T): Promise<T> => {
    asked.push(what)
    return Promise.resolve(answer)
  }
  const lock = { expiration: 4_589_895, amount: 34n, secretHash: SECRET_HASH }
  const proof = { channel: CHANNEL, epoch: 3n, nonce: 11n, transferred: HUGE, locksroot: NOTHING, extra: SECRET, signature: SIGNATURE }
  const channel: ChannelDetailView = {
    channel: CHANNEL, epoch: 3n, partner: PARTNER, token: TOKEN, balance: HUGE, partnerBalance: 7n, locked: 34n, partnerLocked: 0n, state: 'opened', settleTimeout: 600, revealTimeout: 30,
    closedBlock: 0, settledBlock: 0,
    ownLocks: [{ lock, lockHash: repeated('ab', 32), secret: SECRET, isRegistered: true }],
    partnerLocks: [{ lock, lockHash: repeated('cd', 32), secret: null, isRegistered: false }],
    ownProof: null, partnerProof: proof,
  }
  let sent: (TransferOrder & { readonly hash: Hash }) | null = null
  let table: FeeTable = { account: { constant: 0n, divisor: 10_000n }, tokens: new Map(), channels: new Map() }
  const found = (id: Hash): ChannelDetailView => {
    if (id !== CHANNEL) throw photonError(3002, 'channel not found', 'not-found')
    return channel
  }
  const sentView = (order: TransferOrder & { readonly hash: Hash }): SentTransferView => ({
    key: `${order.token}-${order.hash}`, block: 5000, token: order.token, secretHash: order.hash, target: order.target, amount: order.amount, data: order.data, isDirect: order.isDirect,
    sendingSeconds: 1_566_000_000, finishSeconds: 1_566_000_001, status: 'success', statusMessage: 'done', channel: CHANNEL, epoch: 3n,
  })
  return {
    asked,
    account: SELF,
    build: () => ({ version: '2.0', commit: 'abcdef', built: '2026-01-01' }),
    status: () =>
      noted('status', { rpcEndpoint: 'light', isChainConnected: true, contract: CONTRACT, tokens: [TOKEN], block: 5000, blockSeconds: 1_566_000_000.25, networkType: 'libp2p', channels: 1, sent: 2, received: 3, dealing: 0 }),
    tokens: () => noted('tokens', [TOKEN]),
    balances: (token) => noted(`balances ${token}`, [{ token: TOKEN, balance: HUGE, locked: 34n }]),
    chainBalance: (of, token) => noted(`chain-balance ${of} ${token}`, HUGE),
    sendNative: (to, amount) => noted(`send ${to} ${amount}`, undefined),
    channels: () => noted('channels', [channel]),
    channel: (id) => noted(`channel ${id}`, id === CHANNEL ? channel : null),
    deposit: (order) => noted(`deposit ${order.amount} ${order.settleTimeout}`, { ...channel, balance: channel.balance + order.amount }),
    close: async (id, isForced) => noted(`close ${isForced}`, { ...found(id), state: isForced ? ('closing' as const) : ('cooperativeSettling' as const) }),
    settle: async (id) => noted('settle', { ...found(id), state: 'settling' as const }),
    withdraw: async (id, amount) => noted(`withdraw ${amount}`, { ...found(id), state: 'withdrawing' as const }),
    prepareWithdraw: async (id) => noted('prepare', { ...found(id), state: 'prepareForWithdraw' as const }),
    cancelPrepare: async (id) => noted('cancel-prepare', found(id)),
    watchPayload: (id, watcher) =>
      noted(`watch ${id} ${watcher}`, {
        channel_identifier: CHANNEL, open_block_number: 3n, token_address: TOKEN, partner_address: PARTNER,
        update_transfer: { nonce: 11n, transfer_amount: HUGE, locksroot: NOTHING, extra_hash: SECRET, closing_signature: SIGNATURE, non_closing_signature: SIGNATURE },
        unlocks: [{ lock: { Expiration: lock.expiration, Amount: lock.amount, LockSecretHash: lock.secretHash }, merkle_proof: new Uint8Array(64).fill(1), secret: SECRET, signature: SIGNATURE }],
        punishes: [{ lock_hash: repeated('ef', 32), additional_hash: SECRET, signature: SIGNATURE }],
      }),
    transfer: (order) => {
      sent = { ...order, hash: SECRET_HASH }
      return noted(`transfer ${order.amount} ${order.isDirect} ${order.isSync} ${order.data} ${order.secret} ${order.routes.length}`, SECRET_HASH)
    },
    sentTransfer: (_token, hash) => noted(`sent ${hash}`, sent === null || hash !== sent.hash ? null : sentView(sent)),
    cancelTransfer: () => Promise.reject(photonError(1017, 'the secret is out')),
    allowReveal: (token, hash) => noted(`allow ${token} ${hash}`, undefined),
    registerSecret: (token, secret) => noted(`register ${token} ${secret}`, undefined),
    pendingReceipt: (token, secretHash) => noted(`pending ${secretHash}`, secretHash === SECRET_HASH ? { initiator: PARTNER, target: SELF, token, amount: HUGE, secret: null, secretHash, blocksLeft: 42, fee: 0n, isDirect: false } : null),
    sentTransfers: (range) => noted(`sent-transfers ${range.fromBlock} ${range.toBlock} ${range.token}`, sent === null ? [] : [sentView(sent)]),
    receivedTransfers: (range) =>
      noted(`received-transfers ${range.fromBlock} ${range.toBlock} ${range.token}`, [
        { key: 'k', block: 5001, epoch: 3n, channel: CHANNEL, token: TOKEN, initiator: PARTNER, nonce: 12n, amount: HUGE, data: 'hello', seconds: 1_566_000_002 },
      ]),
    newSecret: () => ({ secret: SECRET, secretHash: SECRET_HASH }),
    swap: (order) => noted(`swap ${order.role} ${order.sendingAmount} for ${order.receivingAmount}`, undefined),
    paths: (_token, target, amount) => noted(`paths ${amount}`, [{ pathId: 0, hops: [PARTNER, target], fee: 5n }]),
    feeTable: () => noted('fee-table', table),
    setFeeTable: (next) => {
      table = { ...next, account: next.account ?? table.account }
      return noted('set-fee-table', undefined)
    },
    feesEarned: () =>
      noted('fees', [1n, HUGE].map((fee, index) => ({ key: `f${index}`, secretHash: SECRET_HASH, token: TOKEN, from: PARTNER, to: SELF, amount: 100n, inChannel: CHANNEL, outChannel: CHANNEL, fee, seconds: 1_566_000_003, data: '', block: 5002 }))),
    income: (token, from, to, limit) => noted(`income ${token} ${from} ${to} ${limit}`, [{ amount: HUGE, data: 'x', source: 'transfer' as const, seconds: 1_566_000_000 }, { amount: 1n, data: '', source: 'fee' as const, seconds: 1_566_000_001 }]),
    incomeOfDays: (token, days) => noted(`income-days ${token} ${days}`, [{ token: TOKEN, total: HUGE, days: [{ amount: HUGE, seconds: 1_565_913_600 }] }]),
    transactions: (filter) =>
      noted(`transactions ${filter.channel} ${filter.epoch} ${filter.token} ${filter.type} ${filter.status}`, [
        { hash: hexOf(new Uint8Array(32).fill(5)), channel: CHANNEL, epoch: 3n, token: TOKEN, type: 'ChannelDeposit', isOwnCall: true, params: '{}', status: 'success' as const, packBlock: 4999, callSeconds: 1_566_000_000, packSeconds: 1_566_000_009, gasPrice: 18_000_000_000n, gasUsed: 91_000n },
      ]),
    setOffline: (isOffline) => noted(`offline ${isOffline}`, undefined),
    setPeers: (peers) => noted(`peers ${peers.map((peer) => `${peer.account}@${peer.endpoint} ${peer.deviceType}`).join()}`, undefined),
    peer: (account) => noted(`peer ${account}`, { deviceType: 'meshbox', isOnline: true }),
    prepareUpdate: () => Promise.reject(photonError(1021, 'transfers are running')),
    stop: () => noted('stop', undefined),
    ...change,
  }
}
