/**
 * Three ways to say what a block does to the round, held against each other over random blocks with missed slots,
 * leaders coming and going, deposits, stops, starts and epochs: our pure round machine, our contracts, and the
 * original's contracts. Read back by ABI and by storage proof.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { COMMUNITY_ADDRESSES } from '../../../src/spectrum/community/index.ts'
import type { Community } from '../../../src/spectrum/community/index.ts'
import { readMiners, readRound } from '../../../src/spectrum/rules/read-round.ts'
import { excludedFrom, pickVolunteer } from '../../../src/spectrum/rules/volunteer.ts'
import { rankOf } from '../../../src/spectrum/rules/rank.ts'
import { applyBlock } from '../../../src/spectrum/rules/round.ts'
import { ZERO_ADDRESS } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Read, Round } from '../../../src/spectrum/index.ts'
import { native } from '../spectrum/curves.ts'
import { randomStream } from '../native/random-stream.ts'
import type { RandomStream } from '../native/random-stream.ts'
import { addressesOf, decode } from './evm.ts'
import { CONTRACTS, Twins } from './twins.ts'
import type { Act, Contract } from './twins.ts'
import { OWNER, PEOPLE, STRANGER, at, consent, village } from './village.ts'
import type { Person } from '../spectrum/village.ts'

const PROVED: readonly Address[] = CONTRACTS.map((contract) => COMMUNITY_ADDRESSES[contract])
const LEADERS = [0, 1, 2, 3, 4, 14].map(at)
const MINERS = [5, 6, 7, 8, 9, 10, 11, 12, 13].map(at)
const WALLETS = [15, 16, 17].map(at)

interface Story {
  readonly seed: string
  readonly blocks: number
  readonly signerLimit: number
  readonly epochBlocks: number
  readonly leaders: number
  readonly miners: number
  /** Volunteers that no node would let pass. The contracts take them all the same. */
  readonly isWild?: boolean
}

const STORIES: readonly Story[] = [
  { seed: 'rounds of five', blocks: 420, signerLimit: 5, epochBlocks: 25, leaders: 3, miners: 6 },
  { seed: 'one place', blocks: 160, signerLimit: 1, epochBlocks: 7, leaders: 5, miners: 1 },
  { seed: 'two places', blocks: 200, signerLimit: 2, epochBlocks: 9, leaders: 2, miners: 3 },
  { seed: 'rounds of seventeen', blocks: 480, signerLimit: 17, epochBlocks: 61, leaders: 5, miners: 9 },
  { seed: 'nobody deposits at first', blocks: 240, signerLimit: 4, epochBlocks: 16, leaders: 1, miners: 0 },
  { seed: 'wild', blocks: 360, signerLimit: 6, epochBlocks: 20, leaders: 4, miners: 6, isWild: true },
  { seed: 'wilder', blocks: 240, signerLimit: 9, epochBlocks: 9, leaders: 2, miners: 9, isWild: true },
]
const told = { blocks: 0, calls: 0, missed: 0, epochs: 0, stricter: 0, acts: new Map<string, number>() }

describe('the round', () => {
  it.each(STORIES)('$seed: $blocks blocks, no difference', async (story) => {
    await run(story)
  })

  afterAll(() => {
    // So that a generator that grows lame is seen: every kind of event has happened, and often.
    expect(told.blocks).toBeGreaterThanOrEqual(2000)
    expect(told.missed).toBeGreaterThan(60)
    expect(told.epochs).toBeGreaterThan(50)
    expect(told.calls).toBeGreaterThan(10_000)
    expect(told.stricter).toBeGreaterThan(0)
    for (const method of ['deposit', 'stop', 'start', 'withdraw', 'withdrawSurplus', 'appendLeader', 'removeLeader']) expect(told.acts.get(method) ?? 0, method).toBeGreaterThan(10)
  })
})

async function run(story: Story): Promise<void> {
  const random = randomStream(`community differential ${story.seed}`)
  const community = village({
    signerLimit: story.signerLimit,
    epochBlocks: story.epochBlocks,
    leaders: LEADERS.slice(0, story.leaders).map((one) => one.address),
    miners: MINERS.slice(0, story.miners).map((one, index) => ({ miner: one.address, owner: WALLETS[index % WALLETS.length]?.address ?? ZERO_ADDRESS, depositWei: 80n + BigInt(index) })),
  })
  const twins = await Twins.of(community)
  let { round, miners } = proved(community, twins, 0)
  // What POC's lists ought to be, by the round machine's words alone.
  let black: readonly Address[] = []
  for (let number = 1; number <= story.blocks; number++) {
    const sealer = chooseSealer(random, round, number)
    const index = random.bytes(32)
    const lawful = pickVolunteer({ extra: index }, miners, excludedFrom(round))
    const volunteer = story.isWild === true && random.below(4) === 0 ? wildVolunteer(random, round) : lawful
    const update = await twins.act({ from: sealer, contract: 'Chief', method: 'update', values: [volunteer] }, number)
    expect(update.isOk, `update at ${number}`).toBe(true)
    const step = applyBlock(round, number, sealer, volunteer)
    const wasMiner = step.missed !== null && miners.includes(step.missed)
    if (wasMiner && step.missed !== null) black = [...black, step.missed]
    if (step.endsEpoch) black = []
    const afterUpdate = proved(community, twins, number)
    expect(afterUpdate.round).toEqual(step.round)
    expect(new Set(afterUpdate.miners)).toEqual(new Set(miners.filter((miner) => miner !== step.missed)))
    const acted = await actRandomly(random, twins, number, step.round.leaders)
    const after = proved(community, twins, number)
    expect(after.round).toEqual({ ...step.round, leaders: acted.leaders })
    await compareAnswers(twins, number, after.round, after.miners, black)
    if (number % 10 === 0) await compareViews(twins, number)
    ;({ round, miners } = after)
    told.blocks++
    told.missed += wasMiner ? 1 : 0
    told.epochs += step.endsEpoch ? 1 : 0
  }
  told.calls += twins.calls
  told.stricter += twins.stricter.size
  for (const method of twins.stricter.keys()) expect(['ChiefBase.appendLeader', 'ChiefBase.removeLeader']).toContain(method)
}

/** From the storage tries, as a light node reads them; the same in the original's. */
function proved(community: Community, twins: Twins, number: number): { readonly round: Round; readonly miners: readonly Address[] } {
  twins.compareState(number)
  const { stateRoot, nodeOf } = twins.ours.proofs(PROVED)
  return { round: valueOf(readRound(native, community.network, number + 1, stateRoot, nodeOf)), miners: valueOf(readMiners(native, community.network, stateRoot, nodeOf)) }
}

async function compareAnswers(twins: Twins, number: number, round: Round, miners: readonly Address[], black: readonly Address[]): Promise<void> {
  const status = decode('Chief', 'getStatus', await twins.view('Chief', 'getStatus', [], number))
  expect(addressesOf(status[0])).toEqual(round.signers)
  expect(addressesOf(status[1])).toEqual(black)
  expect([status[4], status[5]]).toEqual([BigInt(round.next.length), BigInt(number)])
  if (number % 4 !== 0) return
  expect(addressesOf(decode('Chief', 'getVolunteers', await twins.view('Chief', 'getVolunteers', [], number))[0])).toEqual(round.next)
  expect(addressesOf(decode('ChiefBase', 'takeLeaderList', await twins.view('ChiefBase', 'takeLeaderList', [], number))[0])).toEqual(round.leaders)
  expect(addressesOf(decode('Poc', 'getNormalList', await twins.view('Poc', 'getNormalList', [], number))[0])).toEqual(miners)
}

const PLAIN_VIEWS: Readonly<Record<Contract, readonly string[]>> = {
  Chief: ['getNextRoundSignerList', 'getSignerLimit', 'getEpoch', 'getVolunteerLimit', 'version', 'blockNumber'],
  ChiefBase: ['takeLeaderLimit', 'takeSignerLimit', 'takeEpoch', 'takeVolunteerLimit', 'takeOwner', 'vsn', '_owner', '_tribe', 'leaderLimit', 'signerLimit', 'epoch', 'volunteerLimit', 'pocGetBlackList', 'pocUpdatedInitBlockNumber'],
  Poc: ['minDepositAmount', 'getStopList', 'getBlackList', 'getLockList', 'getOwnerList', 'getAll', 'withdrawWaitNumber', 'initMinDeposit', 'initBlockNumber', 'depositHalveLimitNumber', 'newOwnerEffectiveNumber'],
}

async function compareViews(twins: Twins, number: number): Promise<void> {
  for (const contract of CONTRACTS) for (const method of PLAIN_VIEWS[contract]) await twins.view(contract, method, [], number)
  await twins.view('Chief', 'filterVolunteer', [[OWNER.address, STRANGER.address]], number)
  await twins.view('Chief', '_signerList', [0], number)
  await twins.view('ChiefBase', 'leaderList', [0], number)
  for (const { address } of PEOPLE.slice(0, 15)) {
    await twins.view('ChiefBase', 'isLeader', [address], number)
    await twins.view('Poc', 'minerStatus', [address], number)
    await twins.view('Poc', 'blackAndLockStatus', [address], number)
  }
}

/** Mostly whose turn it is; else anybody who may stand in. */
function chooseSealer(random: RandomStream, round: Round, number: number): Address {
  const due = round.signers[number % round.signers.length] ?? ZERO_ADDRESS
  if (due !== ZERO_ADDRESS && random.below(5) > 0) return due
  const able = PEOPLE.map((one) => one.address).filter((address) => rankOf(round, number, 3, address).isAuthorised)
  // A leader's call counts for the contract even where no rank is left for it.
  return able.length > 0 ? random.pick(able) : random.pick(round.leaders)
}

/** Never twice in the next round: the contract would later refuse whom the rules let seal. */
function wildVolunteer(random: RandomStream, round: Round): Address {
  const others = MINERS.map((one) => one.address).filter((address) => !round.next.includes(address))
  return random.below(3) === 0 || others.length === 0 ? ZERO_ADDRESS : random.pick(others)
}

/** None to three calls of the owner, of miners' owners and of strangers; the leaders after them. */
async function actRandomly(random: RandomStream, twins: Twins, number: number, before: readonly Address[]): Promise<{ readonly leaders: readonly Address[] }> {
  let leaders = before
  for (let count = random.below(4); count > 0; count--) {
    const act = randomAct(random)
    const { isOk } = await twins.act(act, number)
    if (!isOk) continue
    told.acts.set(act.method, (told.acts.get(act.method) ?? 0) + 1)
    const [leader] = act.values as readonly [Address]
    if (act.method === 'appendLeader') leaders = [...leaders, leader]
    if (act.method === 'removeLeader') leaders = leaders.filter((one) => one !== leader)
  }
  return { leaders }
}

function randomAct(random: RandomStream): Act {
  const miner = random.pick(MINERS)
  const wallet = random.pick(WALLETS)
  const leader = random.pick(LEADERS).address
  const owner = random.below(8) === 0 ? STRANGER : OWNER
  const kinds: readonly (() => Act)[] = [
    () => ({ from: owner.address, contract: 'ChiefBase', method: 'appendLeader', values: [leader] }),
    () => ({ from: owner.address, contract: 'ChiefBase', method: 'removeLeader', values: [leader] }),
    () => depositOf(random, miner, wallet),
    () => depositOf(random, miner, wallet),
    ...['stop', 'start', 'start', 'withdraw', 'withdrawSurplus'].map((method) => (): Act => ({ from: random.pick([...WALLETS, STRANGER]).address, contract: 'Poc', method, values: [miner.address] })),
    // What only the chief and its base may call.
    () => ({ from: owner.address, contract: 'Chief', method: 'update', values: [miner.address] }),
    () => ({ from: owner.address, contract: 'ChiefBase', method: 'pocAddStop', values: [miner.address] }),
    () => ({ from: wallet.address, contract: 'ChiefBase', method: 'pocAddBlackList', values: [miner.address] }),
    () => ({ from: wallet.address, contract: 'ChiefBase', method: 'pocCleanBlackList', values: [] }),
    () => ({ from: owner.address, contract: 'Poc', method: random.pick(['ownerStop', 'ownerPushBlackList']), values: [miner.address] }),
    () => ({ from: owner.address, contract: 'Poc', method: 'ownerEmptyBlackList', values: [] }),
  ]
  return random.pick(kinds)()
}

/** Now and then too little money, or a signature for somebody else. */
function depositOf(random: RandomStream, miner: Person, wallet: Person): Act {
  const { r, s, v } = consent(miner, random.below(6) === 0 ? STRANGER.address : wallet.address)
  return { from: wallet.address, contract: 'Poc', method: 'deposit', values: [r, s, random.below(9) === 0 ? 29 : v], valueWei: random.pick([9n, 10n, 40n, 80n, 81n, 500n]) }
}

function valueOf<T>(read: Read<T>): T {
  if (read.kind !== 'read') throw new Error(`not read: ${JSON.stringify(read)}`)
  return read.value
}
