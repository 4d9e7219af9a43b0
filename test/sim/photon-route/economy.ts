/**
 * "Economy of scale", as the white paper of core channels has it: does the same money carry more payments between
 * users when boxes hold it in channels among themselves than when users hold it in channels with each other?
 *
 * A town: `boxes` boxes in a radio mesh (each linked to its nearest), `users` users, each at one box. Both towns have the
 * same total deposit.
 *   core: each user has one channel with its box (`leafPercent` of all money), boxes have core channels along the mesh.
 *   user: users have channels with `degree` other users, and all money is there; whoever is on line mediates.
 * Then payments of random size between random users, one after the other, over at most five hops, each tried over at
 * most three of the router's answers; what passes moves balances. Nobody tops up. Payer and payee are on line, other
 * users with `onlinePercent`, drawn for each payment; boxes always are. The search is the product's own.
 */
import type { Address, Hash } from '../../../src/base/index.ts'
import { MAX_HOPS } from '../../../src/photon/route/router.ts'
import { singlePaths, splitPaths } from '../../../src/photon/route/parts.ts'
import { Lessons } from '../../../src/photon/route/estimates.ts'
import { FREE_POLICY, worstFeeOf } from '../../../src/photon/route/fee.ts'
import type { Edge, Found, Network } from '../../../src/photon/route/index.ts'
import { seededRandom } from '../../support/fakes.ts'

export interface EconomySetting {
  readonly users: number
  readonly boxes: number
  /** In all channels together, both sides. */
  readonly totalDeposit: bigint
  /** Payments are drawn from 1 to twice this. */
  readonly meanPayment: number
  readonly payments: number
  /** Channels that each user opens, in the user town. */
  readonly degree: number
  /** Share of all money in the users' channels with their boxes, in the core town. */
  readonly leafPercent: number
  readonly onlinePercent: number
  readonly maxParts: number
  readonly seed: number
}

export interface EconomyResult {
  readonly success: number
  readonly tries: number
  readonly channels: number
  readonly hopsPerPayment: number
  readonly feesPaid: bigint
  /** What all channels hold before and after. */
  readonly held: readonly [bigint, bigint]
  readonly isBelowZero: boolean
}

interface SimChannel {
  readonly id: Hash
  readonly ends: readonly [Address, Address]
  readonly balances: [bigint, bigint]
  readonly isCore: boolean
}

const MAX_TRIES = 3
const FEE_PPM = 1000
const BOX_LINKS = 3

export function coreTown(setting: EconomySetting): EconomyResult {
  const random = seededRandom(setting.seed)
  const boxes = Array.from({ length: setting.boxes }, (_none, at) => nameOf(0xb0, at))
  const users = Array.from({ length: setting.users }, (_none, at) => ({ name: nameOf(0xa0, at), box: boxes[Math.floor(random.next() * boxes.length)] as Address }))
  const places = boxes.map(() => [random.next(), random.next()] as const)
  const links = meshOf(places)
  const leafMoney = (setting.totalDeposit * BigInt(setting.leafPercent)) / 100n
  const perLeaf = leafMoney / BigInt(users.length)
  const perLink = (setting.totalDeposit - leafMoney) / BigInt(links.length)
  const channels = [
    ...users.map((user, at) => channelOf(at, [user.name, user.box], perLeaf, false)),
    ...links.map(([a, b], at) => channelOf(users.length + at, [boxes[a] as Address, boxes[b] as Address], perLink, true)),
  ]
  return play(setting, users.map((user) => user.name), channels, random)
}

export function userTown(setting: EconomySetting): EconomyResult {
  const random = seededRandom(setting.seed)
  const users = Array.from({ length: setting.users }, (_none, at) => nameOf(0xa0, at))
  const pairs = new Map<string, readonly [number, number]>()
  // A ring keeps the town in one piece; the rest is drawn.
  for (let at = 0; at < users.length; at++) addPair(pairs, at, (at + 1) % users.length)
  while (pairs.size < (users.length * setting.degree) / 2) addPair(pairs, Math.floor(random.next() * users.length), Math.floor(random.next() * users.length))
  const each = setting.totalDeposit / BigInt(pairs.size)
  const channels = [...pairs.values()].map(([a, b], at) => channelOf(at, [users[a] as Address, users[b] as Address], each, true))
  return play(setting, users, channels, random)
}

function play(setting: EconomySetting, users: readonly Address[], channels: readonly SimChannel[], random: ReturnType<typeof seededRandom>): EconomyResult {
  const byNode = new Map<Address, SimChannel[]>()
  for (const channel of channels) for (const end of channel.ends) byNode.set(end, [...(byNode.get(end) ?? []), channel])
  const byId = new Map(channels.map((channel) => [channel.id, channel]))
  const heldBy = (): bigint => channels.reduce((sum, channel) => sum + channel.balances[0] + channel.balances[1], 0n)
  const before = heldBy()
  let [passed, tries, hops, feesPaid, nowMs] = [0, 0, 0, 0n, 0]
  const lessonsOf = new Map<Address, Lessons>()
  for (let payment = 0; payment < setting.payments; payment++) {
    nowMs += 10_000
    const source = users[Math.floor(random.next() * users.length)] as Address
    let target = source
    while (target === source) target = users[Math.floor(random.next() * users.length)] as Address
    const amount = BigInt(1 + Math.floor(random.next() * 2 * setting.meanPayment))
    const away = new Set(users.filter((user) => user !== source && user !== target && random.next() * 100 >= setting.onlinePercent))
    const lessons = lessonsOf.get(source) ?? new Lessons(() => nowMs)
    lessonsOf.set(source, lessons)
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const network = networkOf(source, byNode, lessons, away)
      const query = { source, target, amount, maxFee: amount / 10n + 5n, maxHops: MAX_HOPS, isBanned: () => false }
      const single = singlePaths(network, query)[0]
      const parts = single !== undefined ? [single] : (splitPaths(network, query, setting.maxParts)[0] ?? null)
      if (parts === null) break
      tries++
      if (!pay(parts, byId, lessons)) continue
      passed++
      hops += parts.reduce((sum, part) => sum + part.edges.length, 0)
      feesPaid += parts.reduce((sum, part) => sum + part.fee, 0n)
      break
    }
  }
  return {
    success: passed / setting.payments,
    tries,
    channels: channels.length,
    hopsPerPayment: hops / Math.max(1, passed),
    feesPaid,
    held: [before, heldBy()],
    isBelowZero: channels.some(({ balances }) => balances[0] < 0n || balances[1] < 0n),
  }
}

/** All parts pass or nothing moves; the first edge that is too thin is learnt, as a refusal tells it. */
function pay(parts: readonly Found[], byId: ReadonlyMap<Hash, SimChannel>, lessons: Lessons): boolean {
  for (const part of parts)
    for (const [at, edge] of part.edges.entries()) {
      const channel = byId.get(edge.channel) as SimChannel
      const amount = part.amounts[at] as bigint
      if (channel.balances[sideOf(channel, edge.from)] >= amount) continue
      lessons.channelRefused(edge.channel, edge.from, amount, true)
      return false
    }
  for (const part of parts)
    for (const [at, edge] of part.edges.entries()) {
      const channel = byId.get(edge.channel) as SimChannel
      const from = sideOf(channel, edge.from)
      channel.balances[from] -= part.amounts[at] as bigint
      channel.balances[from === 0 ? 1 : 0] += part.amounts[at] as bigint
      lessons.passed(edge.channel, edge.from)
    }
  return true
}

/** As the payer sees it: own balances, others' capacities. */
function networkOf(source: Address, byNode: ReadonlyMap<Address, readonly SimChannel[]>, lessons: Lessons, away: ReadonlySet<Address>): Network {
  const policy = { ...FREE_POLICY, ppm: FEE_PPM }
  return {
    into: (to) =>
      (byNode.get(to) ?? []).map((channel): Edge => {
        const from = channel.ends[0] === to ? channel.ends[1] : channel.ends[0]
        const capacity = channel.balances[0] + channel.balances[1]
        return {
          from,
          to,
          channel: channel.id,
          isCore: channel.isCore,
          limit: away.has(from) ? 0n : from === source ? channel.balances[sideOf(channel, from)] : lessons.believed(channel.id, from, capacity),
          fee: (amount) => worstFeeOf(policy, amount),
          risk: (amount) => amount * (200n + lessons.penaltyPpm(channel.id, from) + (amount > capacity || from === source ? 0n : (amount * 2000n) / (capacity + 1n - amount))),
        }
      }),
  }
}

/** Each box with its nearest, and one link more wherever the mesh would fall apart. */
function meshOf(places: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  const pairs = new Map<string, readonly [number, number]>()
  const distance = (a: number, b: number): number => Math.hypot((places[a]?.[0] ?? 0) - (places[b]?.[0] ?? 0), (places[a]?.[1] ?? 0) - (places[b]?.[1] ?? 0))
  const others = (a: number): number[] => places.map((_place, b) => b).filter((b) => b !== a).sort((b, c) => distance(a, b) - distance(a, c))
  for (let a = 0; a < places.length; a++) for (const b of others(a).slice(0, BOX_LINKS)) addPair(pairs, a, b)
  for (;;) {
    const reached = new Set([0])
    for (let grown = true; grown; ) {
      grown = false
      for (const [a, b] of pairs.values())
        if (reached.has(a) !== reached.has(b)) {
          reached.add(a).add(b)
          grown = true
        }
    }
    const lost = places.map((_place, at) => at).find((at) => !reached.has(at))
    if (lost === undefined) return [...pairs.values()]
    addPair(pairs, lost, others(lost).find((at) => reached.has(at)) ?? 0)
  }
}

function addPair(pairs: Map<string, readonly [number, number]>, a: number, b: number): void {
  if (a !== b) pairs.set(`${Math.min(a, b)} ${Math.max(a, b)}`, [a, b])
}

/** `money` in all, half on each side. */
function channelOf(at: number, ends: readonly [Address, Address], money: bigint, isCore: boolean): SimChannel {
  return { id: `0x${at.toString(16).padStart(64, '0')}`, ends, balances: [money / 2n, money - money / 2n], isCore }
}

function sideOf(channel: SimChannel, end: Address): 0 | 1 {
  return channel.ends[0] === end ? 0 : 1
}

function nameOf(kind: number, at: number): Address {
  return `0x${kind.toString(16)}${at.toString(16).padStart(38, '0')}`
}

/** The defaults of the tables in docs/photon-routing.md: 400 units a user, payments of 20 on average. */
export function settingOf(users: number, seed: number, change: Partial<EconomySetting> = {}): EconomySetting {
  return { users, boxes: Math.max(4, Math.floor(users / 10)), totalDeposit: BigInt(users) * 400n, meanPayment: 20, payments: 200, degree: 4, leafPercent: 75, onlinePercent: 60, maxParts: 1, seed, ...change }
}
