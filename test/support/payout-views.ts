/** A payouts' desk that only remembers, with every state that a party can be in. */
import { MeshBoxError } from '../../src/base/index.ts'
import type { Address, Hash } from '../../src/base/index.ts'
import type { PartyView, Payout, PayoutDesk, PayoutView } from '../../src/payout/index.ts'

const TOKEN = 10n ** 18n
const BEGIN_WALL_MS = Date.UTC(2026, 10, 20, 3, 0)
const DAY_MS = 86_400_000
const hashOf = (n: number): Hash => `0x${n.toString(16).padStart(64, '0')}`
const addressOf = (n: number): Address => `0x${n.toString(16).padStart(2, '0').repeat(20)}`

function payoutOf(id: number, account: string, amount: bigint, change: Partial<Payout> = {}): Payout {
  const wallMs = BEGIN_WALL_MS - id * DAY_MS
  return {
    id, account, token: 'MBX', number: id, previous: null, tokenAddress: addressOf(0x70), decimals: 18, to: addressOf(0xaa), terms: [], afterEntry: 40 * (9 - id), upToEntry: 40 * (10 - id), amount,
    reference: hashOf(id), reason: 'daily', day: '2026-11-20', state: 'paid', attempts: 0, problem: null, madeWallMs: wallMs, paid: { wallMs, isTrusted: true, entryId: id, signature: new Uint8Array(65) }, ...change,
  }
}

const viewOf = (payout: Payout, change: Partial<PayoutView> = {}): PayoutView => ({ payout, stage: 'over', retrySeconds: null, isAlarm: false, routed: null, ...change })
const openOf = (id: number, account: string, amount: bigint, attempts: number, problem: string | null): Payout => payoutOf(id, account, amount, { state: 'open', paid: null, attempts, problem })

const ROUTED = { secretHash: hashOf(77), fee: TOKEN / 400n, via: [addressOf(0xdd)], tries: 1 }
const PLAIN: Omit<PartyView, 'account'> = { shares: [{ partsPerMillion: 100_000, sources: [] }], token: 'MBX', decimals: 18, owed: 0n, paid: 0n, address: addressOf(0xaa), last: null, open: null, waitsFor: null, stuck: null }
const PARTIES: readonly PartyView[] = [
  { ...PLAIN, account: 'investor:maria', owed: 12_500_000_000_000_000_000n, paid: 431n * TOKEN, last: { id: 1, amount: 31n * TOKEN, wallMs: BEGIN_WALL_MS }, waitsFor: '03:00 UTC, or payout.threshold' },
  {
    ...PLAIN, account: 'relay:hill-house', shares: [{ partsPerMillion: 25_000, sources: ['hotspot'] }, { partsPerMillion: 200_000, sources: ['mesh:relay'] }], owed: 3n * TOKEN, address: addressOf(0xbb),
    open: viewOf(openOf(8, 'relay:hill-house', 3n * TOKEN, 4, 'there is no open channel with 0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb in this token: open one with `meshbox channel open 0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb AMOUNT --core`'), { stage: 'waiting', retrySeconds: 240, isAlarm: true }),
  },
  { ...PLAIN, account: 'advertiser:bakery', owed: TOKEN / 4n, address: addressOf(0xcc), paid: 2n * TOKEN, last: { id: 2, amount: 2n * TOKEN, wallMs: BEGIN_WALL_MS - DAY_MS }, open: viewOf(openOf(9, 'advertiser:bakery', TOKEN / 4n, 0, null), { stage: 'paying', routed: { ...ROUTED, lock: { isRevealed: true, isGivenUp: false, endsBlock: 120_450, endsInSeconds: 660 } } }) },
  { ...PLAIN, account: 'community:football-club', shares: [], owed: 50n * TOKEN, address: null, waitsFor: "an address: add a config payee with account 'community:football-club'" },
  { ...PLAIN, account: 'investor:uncle', shares: [{ partsPerMillion: 5_000, sources: [] }] },
]

export interface ScriptedPayouts {
  readonly desk: PayoutDesk
  readonly token: () => { readonly symbol: string; readonly decimals: number }
  /** Orders in words, as they came. */
  readonly asked: string[]
}

export function scriptedPayouts(parties: readonly PartyView[] = PARTIES): ScriptedPayouts {
  const asked: string[] = []
  const paid = [1, 2, 3].map((id) => viewOf(payoutOf(id, id === 2 ? 'advertiser:bakery' : 'investor:maria', BigInt(31 - id) * TOKEN), id === 1 ? { routed: { ...ROUTED, lock: null } } : {}))
  const dropped = viewOf(payoutOf(4, 'relay:hill-house', 3n * TOKEN, { state: 'dropped', paid: null, reason: 'ordered' }))
  const payouts = parties.length === 0 ? [] : [...parties.flatMap(({ open }) => open ?? []), ...paid, dropped]
  const [any] = paid
  if (any === undefined) throw new Error('no payout in the sample')
  const partyOf = (account: string): PartyView => {
    const found = parties.find((party) => party.account === account)
    if (found === undefined) throw new MeshBoxError('not-found', `nobody called ${account} has a share`, { code: 'payout-account', field: 'account', value: account })
    return found
  }
  return {
    asked,
    token: () => ({ symbol: 'MBX', decimals: 18 }),
    desk: {
      parties: () => parties,
      milestones: () => (parties.length === 0 ? [] : [{ id: 'first', account: 'community:football-club', measure: 'minutes', count: 10_000, reward: 20n * TOKEN, sources: [], reached: 6_200n * 60n, entryId: null, isWaiting: false }]),
      payouts: ({ limit }) => payouts.slice(0, limit),
      payout: (id) => payouts.find(({ payout }) => payout.id === id) ?? any,
      payNow: async (account, token) => {
        asked.push(`pay ${account} ${token ?? ''}`)
        return viewOf(openOf(10, account, partyOf(account).owed, 0, null), { stage: 'paying' })
      },
      resume: async (id, isAnew) => {
        asked.push(`resume ${id} ${isAnew}`)
        return any
      },
      note: async ({ account, token, amount, memo }) => {
        asked.push(`note ${account} ${token ?? ''} ${amount} ${memo ?? ''}`)
        return partyOf(account)
      },
      statement: (id) => `statement ${id}\n`,
    },
  }
}

/** Sums and names beyond every usual width. */
export const HUGE_PARTIES: readonly PartyView[] = [
  {
    ...PLAIN, account: `community:${'verylongname'.repeat(10)}`, owed: 123_456_789_012_345_678_901_234_567_890_123n, paid: 123_456_789_012_345_678_901_234_567_890_123n, last: { id: 1, amount: 1n, wallMs: BEGIN_WALL_MS }, waitsFor: "the owner's order: neither payout.threshold nor payout.daily_hour is set",
    shares: Array.from({ length: 6 }, (_unused, at) => ({ partsPerMillion: 10_000 + at, sources: ['hotspot', 'mesh:relay', 'iot:uplink'] })),
  },
]
