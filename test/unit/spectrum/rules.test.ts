/** Tribe's pure rules: ranks, volunteers, rounds, rewards, gas limits, with the spec's numbers. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../src/base/index.ts'
import { blockRewardWei, burnWei, feeRecipient, isGasLimitBound, minGasLimit } from '../../../src/spectrum/rules/economy.ts'
import { excludedFrom, pickByIndex, pickVolunteer, updateCall, volunteerOf } from '../../../src/spectrum/rules/volunteer.ts'
import { oldRankOf, rankOf } from '../../../src/spectrum/rules/rank.ts'
import { applyBlock, checkRound } from '../../../src/spectrum/rules/round.ts'
import { DEVNET as DEVNET_NETWORK, MAINNET, TESTNET } from '../../../src/spectrum/network/networks.ts'
import { ZERO_ADDRESS } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Round } from '../../../src/spectrum/index.ts'
import { devnetBlock } from './devnet.ts'

const address = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`
const [L0, L1, L2, L3, L4, M1, M2, M3, M4, X] = Array.from({ length: 10 }, (_, index) => address(0xa0 + index)) as [Address, Address, Address, Address, Address, Address, Address, Address, Address, Address]
const LEADERS = [L0, L1, L2, L3, L4]
const ROUND: Round = { signers: [L1, M1, M2, ZERO_ADDRESS, M4], next: [], leaders: LEADERS, volunteerLimit: 4, epochBlocks: 25 }
const NOBODY = { isAuthorised: false, difficulty: 1n, delaySeconds: 38 }
const rank = (difficulty: bigint, delaySeconds: number) => ({ isAuthorised: true, difficulty, delaySeconds })

describe('rank', () => {
  const at = (number: number, signer: Address, round = ROUND) => rankOf(round, number, 15, signer)

  it('the signer of the place: 6, after 14 s', () => {
    expect([at(0, L1), at(5, L1), at(1, M1), at(4, M4)]).toEqual(Array.from({ length: 4 }, () => rank(6n, 14)))
  })

  it('the round’s leader elsewhere: 5, after 18 s', () => {
    expect([1, 2, 3, 4].map((number) => at(number, L1))).toEqual(Array.from({ length: 4 }, () => rank(5n, 18)))
  })

  it('the other leaders in turn from the round’s own', () => {
    expect([L2, L3, L4, L0].map((leader) => at(0, leader))).toEqual([rank(5n, 18), rank(4n, 22), rank(3n, 26), rank(2n, 30)])
    expect([L2, L3, L4, L0].map((leader) => at(1, leader))).toEqual([rank(4n, 22), rank(3n, 26), rank(2n, 30), rank(1n, 34)])
  })

  it('anybody else: 1, after 38 s, and not authorised', () => {
    expect([at(0, X), at(3, X), at(1, M2), at(3, ZERO_ADDRESS)]).toEqual(Array.from({ length: 4 }, () => NOBODY))
  })

  it('trap: a leader that sits at another place of the round is nobody', () => {
    const round = { ...ROUND, signers: [L1, L3, M2, ZERO_ADDRESS, M4] }
    expect(at(1, L3, round)).toEqual(rank(6n, 14))
    expect([0, 2, 3, 4].map((number) => at(number, L3, round))).toEqual(Array.from({ length: 4 }, () => NOBODY))
  })

  it('trap: a signer is looked up by its first place', () => {
    const round = { ...ROUND, signers: [L1, M1, M2, M1, L1] }
    expect(at(1, M1, round)).toEqual(rank(6n, 14))
    expect(at(3, M1, round)).toEqual(NOBODY)
    expect(at(4, L1, round)).toEqual(rank(5n, 18))
  })

  it('trap: where the round’s leader was removed, all stand in their own order, and nothing is left for the fifth', () => {
    const round = { ...ROUND, signers: [X, M1, M2, ZERO_ADDRESS, M4] }
    expect(LEADERS.map((leader) => at(0, leader, round))).toEqual([rank(5n, 18), rank(4n, 22), rank(3n, 26), rank(2n, 30), rank(1n, 34)])
    expect(LEADERS.map((leader) => at(1, leader, round))).toEqual([rank(4n, 22), rank(3n, 26), rank(2n, 30), rank(1n, 34), NOBODY])
    expect(at(0, X, round), 'though no leader, it is the first signer').toEqual(rank(6n, 14))
  })

  it('follows the period', () => {
    expect([rankOf(ROUND, 0, 2, L1), rankOf(ROUND, 0, 2, L2), rankOf(ROUND, 0, 2, X)].map(({ delaySeconds }) => delaySeconds)).toEqual([1, 5, 25])
  })

  it('before SIP100', () => {
    const list = [L0, L1, L2]
    const old = (number: number, signer: Address, sip002 = true) => oldRankOf(list, number, 15, sip002, signer)
    expect([1, 2, 3].map((number) => old(number, L2))).toEqual(Array.from({ length: 3 }, () => rank(2n, 18)))
    expect([old(6, L0), old(6, L1), old(6, L2)]).toEqual([rank(3n, 14), rank(2n, 18), rank(1n, 22)])
    expect([old(6, L0, false), old(6, L1, false)]).toEqual([rank(2n, 15), rank(1n, 15)])
    expect(old(6, X).isAuthorised).toBe(false)
  })

  it('never two of one height with one difficulty, unless nobody', () => {
    const members = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 7 }), members, fc.nat(1000), (signers, leaders, number) => {
        const round = { signers: signers.map(address), leaders: leaders.map(address) }
        const ranks = Array.from({ length: 12 }, (_, index) => rankOf(round, number, 15, address(index + 1))).filter(({ isAuthorised }) => isAuthorised)
        expect(new Set(ranks.map(({ difficulty }) => difficulty)).size).toBe(ranks.length)
        // Who has more difficulty waits less.
        const byDelay = [...ranks].sort((a, b) => a.delaySeconds - b.delaySeconds).map(({ difficulty }) => difficulty)
        expect(byDelay).toEqual([...byDelay].sort((a, b) => Number(b - a)))
        for (const { difficulty } of ranks) expect(difficulty >= 1n && difficulty <= 6n).toBe(true)
      }),
    )
  })
})

describe('volunteer', () => {
  const MINERS = Array.from({ length: 9 }, (_, index) => address(index + 1))

  it.each([[10, 3], [11, 3], [12, 5], [13, 5], [14, 7], [15, 7], [16, 9], [17, 9], [18, 1], [19, 3]])('the original’s cases: %i picks %i', (index, miner) => {
    expect(pickByIndex(BigInt(index), MINERS, new Set([2, 4, 6, 8].map(address)))).toBe(address(miner))
  })

  it('nobody is left, or nobody is there: the zero address', () => {
    expect(pickByIndex(7n, MINERS, new Set(MINERS))).toBe(ZERO_ADDRESS)
    expect(pickByIndex(7n, [], new Set())).toBe(ZERO_ADDRESS)
  })

  it('the index is the whole 32 bytes', () => {
    const extra = new Uint8Array(226).fill(0xff, 0, 32)
    expect(pickVolunteer({ extra }, MINERS, new Set())).toBe(MINERS[Number((2n ** 256n - 1n) % 9n)])
  })

  it('everybody of this round and the next is out', () => {
    expect(excludedFrom({ ...ROUND, next: [M3] })).toEqual(new Set([...ROUND.signers, M3]))
  })

  it('is read from the call as the original reads it', () => {
    expect(toHex(updateCall(M1))).toBe(`1c1b8772${'00'.repeat(12)}${M1.slice(2)}`)
    expect(volunteerOf(updateCall(M1))).toBe(M1)
    expect(volunteerOf(fromHex('1c1b8772'))).toBe(ZERO_ADDRESS)
    expect(volunteerOf(fromHex('1c1b877207'))).toBe(address(7))
    expect(volunteerOf(fromHex(`1c1b8772${'ff'.repeat(30)}${M2.slice(2)}`))).toBe(M2)
    expect([fromHex('1c1b87'), fromHex('1c1b8773'), new Uint8Array(0)].map(volunteerOf)).toEqual([null, null, null])
    expect(volunteerOf(devnetBlock(8).body.transactions[0]?.data ?? new Uint8Array(0))).toBe(ZERO_ADDRESS)
  })
})

describe('round', () => {
  /** Seals blocks from 0 mod L on, each by the signer of its place unless named otherwise. */
  const run = (start: Round, blocks: readonly { readonly by?: Address; readonly volunteer?: Address }[]): Round =>
    blocks.reduce((round, { by, volunteer = ZERO_ADDRESS }, number) => applyBlock(round, number, by ?? round.signers[number % 5] ?? ZERO_ADDRESS, volunteer).round, start)

  it('volunteers of the places 1 to 4 are the next round, behind the next leader', () => {
    const blocks = [{ volunteer: X }, { volunteer: M2 }, { volunteer: M1 }, { by: L1, volunteer: M4 }, { volunteer: M3 }]
    expect(run(ROUND, blocks)).toEqual({ ...ROUND, signers: [L2, M2, M1, M4, M3] })
  })

  it('a place without a volunteer stays empty at the end', () => {
    expect(run(ROUND, [{}, { volunteer: M2 }, {}, { by: L1 }, { volunteer: M3 }]).signers).toEqual([L2, M2, M3, ZERO_ADDRESS, ZERO_ADDRESS])
  })

  it('who misses its slot is struck out and named', () => {
    const step = applyBlock(ROUND, 2, L1, ZERO_ADDRESS)
    expect(step).toEqual({ round: { ...ROUND, signers: [L1, M1, ZERO_ADDRESS, ZERO_ADDRESS, M4] }, missed: M2, endsEpoch: false })
    expect(applyBlock(ROUND, 2, M2, ZERO_ADDRESS).missed).toBeNull()
    expect(applyBlock(ROUND, 3, L1, ZERO_ADDRESS).missed, 'nobody was due').toBeNull()
    expect(applyBlock(ROUND, 0, L2, M3), 'the first place is no slot').toEqual({ round: ROUND, missed: null, endsEpoch: true })
    expect(applyBlock(ROUND, 4, L1, ZERO_ADDRESS), 'in the last block too').toMatchObject({ missed: M4, round: { signers: [L2, ZERO_ADDRESS, ZERO_ADDRESS, ZERO_ADDRESS, ZERO_ADDRESS] } })
  })

  it('volunteers above the limit are not taken', () => {
    const full = { ...ROUND, volunteerLimit: 2, next: [M1, M2] }
    expect(applyBlock(full, 1, M1, M3).round.next).toEqual([M1, M2])
  })

  it('leaders follow each other and begin again; a removed one is followed by the first', () => {
    const next = (first: Address, leaders: readonly Address[]): Address | undefined => applyBlock({ ...ROUND, signers: [first, M1, M2, M3, M4], leaders }, 4, M4, ZERO_ADDRESS).round.signers[0]
    expect(LEADERS.map((leader) => next(leader, LEADERS))).toEqual([L1, L2, L3, L4, L0])
    expect(next(X, LEADERS)).toBe(L0)
    expect(next(L0, [L0])).toBe(L0)
  })

  it('the epoch ends with its multiple', () => {
    expect([24, 25, 50].map((number) => applyBlock(ROUND, number, L1, ZERO_ADDRESS).endsEpoch)).toEqual([false, true, true])
  })

  it('one box alone is a round of one', () => {
    const alone: Round = { signers: [L0], next: [], leaders: [L0], volunteerLimit: 0, epochBlocks: 10 }
    expect(applyBlock(checkRound(alone), 7, L0, X).round).toEqual(alone)
  })

  it('stays a round whatever happens, and is not changed in place', () => {
    const who = fc.constantFrom(...LEADERS, M1, M2, M3, M4, X, ZERO_ADDRESS)
    fc.assert(
      fc.property(fc.array(fc.tuple(who, who, fc.integer({ min: 1, max: 5 })), { maxLength: 60 }), (blocks) => {
        let round = ROUND
        blocks.forEach(([signer, volunteer, leaders], number) => {
          const frozen = structuredClone(round)
          const step = applyBlock({ ...round, leaders: LEADERS.slice(0, leaders) }, number, signer, volunteer)
          expect(round).toEqual(frozen)
          round = checkRound(step.round)
          expect(round.signers.length).toBe(5)
          if (number % 5 === 4) expect([round.next.length, LEADERS.includes(round.signers[0] ?? X)]).toEqual([0, true])
          if (number % 5 < 4) expect(round.next.length).toBeLessThanOrEqual(number % 5)
        })
      }),
    )
  })

  it.each<[string, Partial<Round>]>([
    ['signers', { signers: [] }],
    ['signers', { signers: Array.from({ length: 257 }, () => L0) }],
    ['leaders', { leaders: [] }],
    ['leaders', { leaders: [ZERO_ADDRESS] }],
    ['volunteerLimit', { volunteerLimit: 5 }],
    ['volunteerLimit', { volunteerLimit: -1 }],
    ['next', { volunteerLimit: 1, next: [M1, M2] }],
    ['epochBlocks', { epochBlocks: 0 }],
    ['epochBlocks', { epochBlocks: Number.NaN }],
  ])('a round with wrong %s is refused', (field, change) => {
    expect(() => checkRound({ ...ROUND, ...change })).toThrow(expect.objectContaining({ kind: 'input', field }))
  })
})

describe('money and gas', () => {
  it('the reward of mainnet and its halvings', () => {
    const at = (number: number): bigint => blockRewardWei(MAINNET, number)
    expect([2_823_365, 2_823_366, 7_328_365, 7_328_366, 11_833_366, 16_338_366, 20_843_366].map(at)).toEqual([0n, 35n * 10n ** 18n, 35n * 10n ** 18n, 175n * 10n ** 17n, 875n * 10n ** 16n, 4375n * 10n ** 15n, 21875n * 10n ** 14n])
    expect(at(Number.MAX_SAFE_INTEGER)).toBe(0n)
    expect(blockRewardWei({ forks: { ...MAINNET.forks, sip100: null } }, 5)).toBe(0n)
  })

  it('the burn is mainnet’s, at one height, and never more than is there', () => {
    expect(burnWei(MAINNET, 2_823_366, 10n ** 30n)).toBe(376_991_118_360_000_000_000_000_000n)
    expect(burnWei(MAINNET, 2_823_366, 7n)).toBe(7n)
    expect([burnWei(MAINNET, 2_823_367, 10n ** 30n), burnWei(TESTNET, 26, 10n ** 30n)]).toEqual([0n, 0n])
  })

  it('fees go to the coinbase, to the sealer without one, and back to who calls any chief', () => {
    const [coinbase, signer, sender] = [address(1), address(2), address(3)]
    expect(feeRecipient(MAINNET, { coinbase, signer }, { to: address(4), sender })).toBe(coinbase)
    expect(feeRecipient(MAINNET, { coinbase, signer }, { to: null, sender })).toBe(coinbase)
    expect(feeRecipient(MAINNET, { coinbase: ZERO_ADDRESS, signer }, { to: address(4), sender })).toBe(signer)
    for (const chief of MAINNET.chiefs) expect(feeRecipient(MAINNET, { coinbase, signer }, { to: chief.address, sender })).toBe(sender)
  })

  it('the gas limit moves by less than a 1024th', () => {
    const moves = (parent: bigint, gasLimit: bigint, number = 3_000_000): boolean => isGasLimitBound(MAINNET, parent, { number, gasLimit })
    expect([1023n, 1024n].map((by) => moves(1_048_576n, 1_048_576n + by))).toEqual([true, false])
    expect([1023n, 1024n].map((by) => moves(1_048_576n, 1_048_576n - by))).toEqual([true, false])
    expect([moves(5000n, 5000n), moves(5001n, 4999n)]).toEqual([true, false])
    expect(moves(1000n, 1000n), 'a parent so low that nothing may move').toBe(false)
  })

  it('from SIP004 on 40 M at least; anything at its first block', () => {
    expect([8_654_320, 8_654_321].map((number) => minGasLimit(MAINNET, number))).toEqual([5000n, 40_000_000n])
    expect(isGasLimitBound(MAINNET, 5000n, { number: 8_654_321, gasLimit: 90_000_000n })).toBe(true)
    expect(isGasLimitBound(MAINNET, 40_000_000n, { number: 8_654_322, gasLimit: 39_999_999n })).toBe(false)
    expect(isGasLimitBound(MAINNET, 40_000_000n, { number: 8_654_322, gasLimit: 40_000_001n })).toBe(true)
    expect(isGasLimitBound(DEVNET_NETWORK, 5000n, { number: 5, gasLimit: 5000n })).toBe(false)
  })
})
