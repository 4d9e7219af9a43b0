/** Chains as the chain page may have to show them, each a state of its own. */
import type { ChainBranchesJson, ChainPageView, ChainPocJson, ChainSlotJson, ChainWalletJson, SlotState } from '../../src/owner/api.ts'
import type { ChainDesk } from '../../src/owner/index.ts'

const NOW_MS = Date.UTC(2026, 10, 21, 18, 4)
const TOKEN = { symbol: 'SMT', decimals: 18 }
const address = (number: number): string => `0x${number.toString(16).padStart(2, '0').repeat(20)}`
const hash = (number: number): string => `0x${((number * 2_654_435_761) >>> 0).toString(16).padStart(8, '0').repeat(8)}`
const money = (text: string) => ({ units: `${BigInt(Math.round(Number(text) * 1e6)) * 10n ** 12n}`, text })
const block = (number: number) => ({ number, hash: hash(number), timeWallMs: NOW_MS - 4000, signer: address(number % 17) })

function slots(count: number, first: number, states: readonly SlotState[], own: readonly number[]): ChainSlotJson[] {
  return Array.from({ length: count }, (_, place) => {
    const state = states[place] ?? 'waiting'
    return { place, number: first + place, signer: state === 'open' || state === 'stood-in' ? null : address(place + 1), isLeader: place === 0, isOwn: own.includes(place), state }
  })
}

const done = (count: number): SlotState[] => Array.from({ length: count }, () => 'sealed')

const LIVE: ChainPageView = {
  network: { name: 'corner-valley', chainId: '1388906659', genesisHash: hash(1), isCommunity: true, blockSeconds: 14 },
  state: 'live',
  head: block(48_213),
  headAgeSeconds: 4,
  safe: block(48_196),
  final: block(48_179),
  highestNumber: 48_213,
  sources: [
    { id: 'eth63:10.7.0.12:60303', kind: 'eth63', headNumber: 48_213, agrees: true },
    { id: 'eth63:[fd12:3456::21]:60303', kind: 'eth63', headNumber: 48_212, agrees: true },
    { id: 'mesh:a2:11:9f:04:33:01', kind: 'mesh', headNumber: 48_213, agrees: true },
    { id: 'rpc:https://chain.example/long/path/of/a/server/that/has/a/name', kind: 'rpc', headNumber: null, agrees: null },
  ],
  agreeing: 3,
  banned: 0,
  round: { slots: slots(17, 48_204, [...done(4), 'missed', ...done(3), 'stood-in', 'sealed', 'next', 'waiting', 'open'], [3, 13]), next: [5, 6, 7, 2].map((one) => ({ signer: address(one), isOwn: one === 2 })), nextLimit: 16, epochEndsInBlocks: 1153 },
  sealer: { address: address(4), coinbase: address(200), state: 'ready', reason: null, nextSlotInSeconds: 42, sealed: 312, missed: 1, token: TOKEN, earnedToday: money('10920.5'), earnedTotal: money('204312.75'), notFinal: money('70') },
  pool: { transactions: 7, bytes: 1204 },
  alarm: null,
  equivocations: [],
}

export const CHAIN_VIEWS: Readonly<Record<string, ChainPageView>> = {
  live: LIVE,
  alone: { ...LIVE, state: 'alone', sources: [], agreeing: 0, head: block(12), safe: null, final: null, highestNumber: null, pool: { transactions: 0, bytes: 0 }, round: { slots: [{ place: 0, number: 13, signer: address(4), isLeader: true, isOwn: true, state: 'next' }], next: [], nextLimit: 0, epochEndsInBlocks: 88 } },
  syncing: { ...LIVE, state: 'syncing', headAgeSeconds: 93_000, highestNumber: 54_900, agreeing: 1, sources: LIVE.sources.map((source, index) => ({ ...source, agrees: index === 0 ? true : null, headNumber: 54_900 })), sealer: { ...(LIVE.sealer ?? fail()), state: 'held', reason: 'It waits until all blocks are checked.', nextSlotInSeconds: null } },
  offline: { ...LIVE, state: 'offline', headAgeSeconds: 7400, sources: [], agreeing: 0, sealer: null },
  alarm: {
    ...LIVE,
    alarm: { code: 'deep-reorg', reason: 'a heavier chain would take back 41 blocks', atWallMs: NOW_MS },
    sources: LIVE.sources.map((source, index) => ({ ...source, agrees: index !== 1 })),
    agreeing: 2,
    banned: 2,
    headAgeSeconds: null,
    equivocations: [{ number: 48_190, signer: address(7) }],
    sealer: { ...(LIVE.sealer ?? fail()), state: 'stopped', nextSlotInSeconds: null },
  },
}

function fail(): never {
  throw new Error('no sealer in the sample')
}

export const CHAIN_POC: ChainPocJson = {
  miner: address(4), coinbase: address(200), wallet: address(200), goal: 'mining', state: 'waiting', token: TOKEN, deposit: money('100'), leastDeposit: money('100'), walletBalance: money('12.25'),
  boundTo: address(200), action: { kind: 'bind', hash: hash(9), outcome: 'mined', reason: null }, obstacle: null, number: 48_213,
}

export const CHAIN_WALLET: ChainWalletJson = { address: address(200), token: TOKEN, balance: money('12.25') }
export const CHAIN_BRANCHES: ChainBranchesJson = {
  head: LIVE.head,
  totalDifficulty: '289000',
  branches: [{ tip: block(48_220), totalDifficulty: '289100', fork: block(48_172), blocks: 48, takesBack: 41, signers: [address(7)], ourSigners: [address(2), address(3)] }],
}

/** A chain that says what it is told to: `live`, or `alarm` until the owner has looked. `asked`: orders in words, as they came. */
export function scriptedChain(first: 'live' | 'alarm' = 'live', asked: string[] = []): ChainDesk {
  let view = viewOf(first)
  return {
    page: () => view,
    clearAlarm: async () => (view = viewOf('live')),
    checkpoint: () => ({ number: 48_169, hash: `0x${'5e'.repeat(32)}`, text: '{"version":1}', signatures: 0 }),
    branches: () => ({ ...CHAIN_BRANCHES, head: view.head }),
    adopt: async (taken) => {
      asked.push(`adopt ${taken}`)
      return (view = viewOf('live'))
    },
    wallet: async () => CHAIN_WALLET,
    send: async (to, amount) => {
      asked.push(`send ${to} ${amount}`)
      return { hash: hash(11), token: TOKEN, amount: money(amount), mostFee: money('0.000378') }
    },
    poc: () => CHAIN_POC,
    pocOrder: async (order) => {
      asked.push(`poc ${order}`)
      return { ...CHAIN_POC, goal: order === 'stop' ? 'stopped' : order === 'withdraw' ? 'withdrawn' : 'mining' }
    },
    pocCalls: (wallet) => ({ miner: address(4), wallet, calls: [{ kind: 'deposit', to: address(90), data: `0xf2a558f9${'00'.repeat(96)}` }] }),
  }
}

function viewOf(name: string): ChainPageView {
  return CHAIN_VIEWS[name] ?? fail()
}
