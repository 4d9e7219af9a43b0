/** Payment channels as the owner may have to look at them, and a desk that keeps what it is told. */
import { MeshBoxError, utf8 } from '../../src/base/index.ts'
import type { Address, Hash } from '../../src/base/index.ts'
import type { PhotonPort } from '../../src/owner/index.ts'
import type { ChannelSideView as DeskChannelSide, ChannelView as DeskChannel, DutyView, PaymentRow, PhotonDesk, PhotonStatus } from '../../src/photon/index.ts'

const NOW_MS = Date.UTC(2026, 10, 21, 18, 4)
export const HEAD = 48_213
export const account = (number: number): Address => `0x${number.toString(16).padStart(2, '0').repeat(20)}`
export const hash = (number: number): Hash => `0x${((number * 2_654_435_761) >>> 0).toString(16).padStart(8, '0').repeat(8)}`
export const SELF = account(0xa1)
export const NEIGHBOUR = account(0xb2)
export const GUEST = account(0xc3)
export const MINUTE: Address = account(0x70)
export const UNNAMED: Address = account(0x71)
/** Six decimals. */
const tokens = (text: string): bigint => BigInt(Math.round(Number(text) * 1e6))

function side(address: Address, deposit: string, spendable: string, locked = '0', nonce = 1n): DeskChannelSide {
  return { address, deposit: tokens(deposit), spendable: tokens(spendable), locked: tokens(locked), nonce }
}

function channel(id: number, over: Partial<DeskChannel>): DeskChannel {
  return {
    id: hash(id), epoch: 1n, token: MINUTE, symbol: 'MIN', decimals: 6, role: 'core', phase: 'opened', restState: 1, own: side(SELF, '1000', '620.5', '12'), partner: side(NEIGHBOUR, '1000', '1350', '17.5', 9n),
    isConnected: true, settleTimeout: 40_000, openBlock: 41_000, closedBlock: null, settleBlock: null, alarm: null, closeRefusal: null, openedAtMs: NOW_MS - 9 * 86_400_000, ...over,
  }
}

export const CHANNELS: readonly DeskChannel[] = [
  channel(1, {}),
  channel(2, { role: 'leaf', partner: side(GUEST, '25', '21.75', '0', 44n), own: side(SELF, '0', '3.25', '0', 0n), isConnected: false, settleTimeout: 600 }),
  channel(3, {
    phase: 'closed', restState: 2, partner: side(account(0xd4), '500', '120', '0', 71n), own: side(SELF, '500', '880'), closedBlock: 48_000, settleBlock: 88_000, isConnected: false,
    alarm: 'The partner closed with an old state; the newer one is on its way into the chain.',
  }),
  channel(4, { token: UNNAMED, symbol: null, decimals: 0, phase: 'error', restState: 10, partner: side(account(0xe5), '0.000009', '0.000009'), own: side(SELF, '0.00001', '0'), alarm: 'The partner signed two different states under one number.', openedAtMs: null }),
  channel(5, { phase: 'cooperative-settling', restState: 7, closeRefusal: { code: 5025, reason: 'a payment of mine is under way' }, partner: side(account(0xf6), '40', '40', '0', 3n), own: side(SELF, '40', '40', '0', 3n) }),
]

function payment(id: number, over: Partial<PaymentRow>): PaymentRow {
  return { id: hash(id), direction: 'sent', kind: 'locked', token: MINUTE, peer: NEIGHBOUR, amount: tokens('4'), fee: tokens('0.02'), status: 3, reason: null, secretHash: hash(id + 500), data: utf8('dinner'), atMs: NOW_MS - id * 1000, ...over }
}

/** Newest first. */
export const PAYMENTS: readonly PaymentRow[] = [
  payment(101, { status: 1, amount: tokens('12'), data: utf8('') }),
  payment(102, { direction: 'received', kind: 'direct', peer: GUEST, amount: tokens('0.25'), fee: 0n, secretHash: null, data: new Uint8Array([0xff, 0xfe]), place: { block: 48_100, packet: { channel: hash(2), epoch: 1n, nonce: 44n } } }),
  payment(103, { direction: 'forwarded', amount: tokens('80'), fee: tokens('0.4'), data: utf8('') }),
  payment(104, { place: { block: 48_150, packet: null } }),
  payment(105, { status: 5, reason: 'no path with enough money', fee: 0n, atMs: null }),
  payment(106, { status: 4, kind: 'swap', reason: 'called back', token: UNNAMED, amount: 7n, fee: 0n }),
  payment(107, { status: 1, peer: GUEST, fee: 0n, data: utf8('held until the parcel is here') }),
]

export const DUTIES: readonly DutyView[] = [
  { id: 7, kind: 'update', channel: hash(3), state: 'sent', deadlineBlock: 88_000, transaction: hash(900) },
  { id: 8, kind: 'settle', channel: hash(3), state: 'waiting', deadlineBlock: null, transaction: null },
]

export const STATUS: PhotonStatus = {
  state: 'ready', account: SELF, contract: account(0x99), chainId: 1_388_906_659n, head: HEAD, gasWei: 2_500_000_000_000_000_000n, wrapped: { token: account(0x72), balance: 40_000_000_000_000_000_000n }, original: { state: 'ready', account: account(0x73), contract: account(0x98), listening: '192.168.1.1:40001', gasWei: 0n }, channels: CHANNELS.length, peers: 2,
  listening: ['/ip4/10.7.0.1/tcp/4011/p2p/16Uiu2HAmTestTestTestTestTestTestTestTestTestTestTest'],
  alarms: [],
  earned: [{ token: MINUTE, symbol: 'MIN', fees: tokens('3.75'), streams: tokens('214.5') }],
}

export const ALARMED: PhotonStatus = {
  ...STATUS,
  state: 'halted',
  alarms: [
    { id: '1', code: 'chain-gap', text: 'Blocks 48,010 to 48,030 could not be read: channels may have changed in them.', atMs: NOW_MS, isClearable: true },
    { id: '2', code: 'gas-money', text: 'The account has too little for gas (update).', atMs: NOW_MS + 60_000, isClearable: false },
  ],
}

export interface ScriptedPhoton extends PhotonPort {
  /** Orders in words, as they came. */
  readonly asked: string[]
}

/** `change`: verbs that do something else. */
export function scriptedPhoton(change: Partial<PhotonDesk> = {}): ScriptedPhoton {
  const asked: string[] = []
  const channels = new Map(CHANNELS.map((one) => [one.id, one]))
  const payments = new Map(PAYMENTS.map((one) => [one.id, one]))
  const peers: { account: Address; address: string | null; isConnected: boolean }[] = [
    { account: NEIGHBOUR, address: '/ip4/10.7.0.12/tcp/4011', isConnected: true },
    { account: GUEST, address: null, isConnected: false },
  ]
  const over = (id: Hash, part: Partial<DeskChannel>): void => {
    const found = channels.get(id)
    if (found !== undefined) channels.set(id, { ...found, ...part })
  }
  const ended = (id: Hash, part: Partial<PaymentRow>): void => {
    const found = payments.get(id)
    if (found === undefined || found.status > 1) throw new MeshBoxError('conflict', 'the payment has ended (1017)', { code: 'photon-refused' })
    payments.set(id, { ...found, ...part })
  }
  const desk: PhotonDesk = {
    status: () => STATUS,
    channels: () => [...channels.values()],
    channel: (id) => channels.get(id) ?? null,
    async open(order) {
      asked.push(`open ${order.partner} ${order.token} ${order.amount} ${order.settleTimeout} ${order.role}`)
      return { channel: hash(6) }
    },
    async deposit(id, amount) {
      asked.push(`deposit ${id} ${amount}`)
      const found = channels.get(id)
      if (found !== undefined) over(id, { own: { ...found.own, deposit: found.own.deposit + amount, spendable: found.own.spendable + amount } })
    },
    async withdraw(id, amount) {
      asked.push(`withdraw ${id} ${amount}`)
      over(id, { phase: 'withdrawing', restState: 6 })
    },
    async close(id, isForced) {
      asked.push(`close ${id} ${isForced}`)
      over(id, isForced ? { phase: 'closing', restState: 4 } : { phase: 'cooperative-settling', restState: 7 })
    },
    async pay(order) {
      asked.push(`pay ${order.target} ${order.token} ${order.amount} ${order.isDirect} ${order.maxFee} ${order.data.length} ${order.secretHash}${order.secret ? ' with secret' : ''}`)
      const row = payment(100, { peer: order.target, amount: order.amount, fee: 0n, data: order.data, kind: order.isDirect ? 'direct' : 'locked', status: order.secretHash === null ? 3 : 1, secretHash: order.secretHash ?? hash(600) })
      payments.set(row.id, row)
      return { id: row.id }
    },
    cancel: async (id) => ended(id, { status: 4, reason: 'called back' }),
    allowReveal: async (id) => ended(id, { status: 2 }),
    giveSecret: async (secret) => void asked.push(`give-secret ${secret}`),
    swap: async (order) => void asked.push(`swap ${order.side} ${order.target} ${order.token} ${order.amount} ${order.receivingToken} ${order.receivingAmount} ${order.maxFee} ${order.secret === null ? 'no secret' : 'secret'}`),
    payment: (id) => payments.get(id) ?? null,
    payments({ before, limit }) {
      const from = before ?? 0
      const rows = [...payments.values()].slice(from, from + limit)
      return { rows, next: from + rows.length < payments.size ? from + rows.length : null }
    },
    duties: () => DUTIES,
    paths: (target, _token, amount) => [{ nodes: [target], fee: 0n }, { nodes: [NEIGHBOUR, target], fee: amount / 200n }],
    watching: () => ({ jobs: 3, guardians: [{ channel: hash(1), watcher: NEIGHBOUR, nonce: 9n }] }),
    peers: () => peers,
    async clearAlarm(id) {
      asked.push(`clear-alarm ${id}`)
      if (id !== '1') throw new MeshBoxError('not-found', `there is no alarm ${id}`, { code: 'photon-alarm', field: 'id', value: id })
    },
    wrap: async ({ amount }) => void asked.push(`wrap ${amount}`),
    unwrap: async ({ amount }) => void asked.push(`unwrap ${amount}`),
    async addPeer(who, address) {
      asked.push(`add-peer ${who} ${address}`)
      peers.push({ account: who, address, isConnected: true })
    },
    onChange: () => () => undefined,
    ...change,
  }
  return { desk, asked, tokens: () => [{ address: MINUTE, symbol: 'MIN', decimals: 6 }] }
}
