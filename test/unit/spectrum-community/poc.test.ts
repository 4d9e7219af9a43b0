/** Deposits: the life of one, its borders in blocks and wei, and that no money appears or vanishes. */
import { Interface } from 'ethers'
import { beforeEach, describe, expect, it } from 'vitest'
import { COMMUNITY_ADDRESSES } from '../../../src/spectrum/community/index.ts'
import { bytesOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Hex } from '../../../src/spectrum/index.ts'
import { randomStream } from '../native/random-stream.ts'
import type { Person } from '../spectrum/village.ts'
import { ATTACKER } from './attacker.ts'
import { World, addressesOf, data, decode, interfaceOf } from './evm.ts'
import type { Outcome } from './evm.ts'
import { Twins } from './twins.ts'
import { OWNER, PEOPLE, SETTINGS, STRANGER, at, consent, village } from './village.ts'

const POC = COMMUNITY_ADDRESSES.Poc
const [miner, wallet] = [at(9), at(15)]
const community = village()

async function world(): Promise<World> {
  const people = PEOPLE.map((one) => ({ address: one.address, balanceWei: 10n ** 24n }))
  return World.of([...community.network.genesis.accounts.filter((account) => account.code !== undefined), ...people])
}

const lists = async (on: World, number: number): Promise<{ readonly normal: readonly Address[]; readonly stopped: readonly Address[]; readonly black: readonly Address[]; readonly amounts: bigint }> => {
  const read = async (method: string): Promise<ReturnType<typeof decode>> => decode('Poc', method, (await on.call({ from: STRANGER.address, to: POC, data: data('Poc', method), number })).output)
  const all = await read('getAll')
  return { normal: addressesOf((await read('getNormalList'))[0]), stopped: addressesOf((await read('getStopList'))[0]), black: addressesOf((await read('getBlackList'))[0]), amounts: (all[1] as readonly bigint[]).reduce((sum, amount) => sum + amount, 0n) }
}

describe('a deposit, in ours and in the original alike', () => {
  let twins: Twins
  const poc = async (from: Person, method: string, number: number, values: readonly unknown[] = [miner.address], valueWei = 0n): Promise<boolean> => {
    const { isOk } = await twins.act({ from: from.address, contract: 'Poc', method, values, valueWei }, number)
    twins.compareState(number)
    return isOk
  }
  const deposit = (number: number, valueWei: bigint): Promise<boolean> => {
    const { r, s, v } = consent(miner, wallet.address)
    return poc(wallet, 'deposit', number, [r, s, v], valueWei)
  }
  const update = async (sealer: Address, number: number): Promise<void> => {
    expect((await twins.act({ from: sealer, contract: 'Chief', method: 'update', values: [`0x${'00'.repeat(20)}`] }, number)).isOk).toBe(true)
    twins.compareState(number)
  }

  beforeEach(async () => {
    twins = await Twins.of(community)
  })

  it('is least at the border, and halves three times', async () => {
    for (const [number, least] of [[0, 80n], [99, 80n], [100, 40n], [199, 40n], [200, 20n], [300, 10n], [400, 10n], [4_000_000, 10n]] as const) {
      expect(BigInt(await twins.view('Poc', 'minDepositAmount', [], number)), `block ${number}`).toBe(least)
      twins = await Twins.of(community)
      expect(await deposit(number, least - 1n)).toBe(false)
      expect(await deposit(number, least)).toBe(true)
    }
  })

  it('is made once per miner, by whom the miner signed for', async () => {
    const { r, s, v } = consent(miner, wallet.address)
    expect(await poc(STRANGER, 'deposit', 1, [r, s, 26], 80n)).toBe(false)
    expect(await deposit(1, 80n)).toBe(true)
    expect(await deposit(2, 80n)).toBe(false)
    const other = consent(miner, STRANGER.address)
    expect(await poc(STRANGER, 'deposit', 2, [other.r, other.s, other.v], 80n)).toBe(false)
    expect(decode('Poc', 'minerStatus', await twins.view('Poc', 'minerStatus', [miner.address], 2)).toArray().map(String)).toEqual(['80', '0', expect.stringMatching(new RegExp(wallet.address, 'i'))])
    // A stranger that shows the same signature stands for another miner, whose key nobody has.
    expect(await poc(STRANGER, 'deposit', 3, [r, s, v], 80n)).toBe(true)
    expect(await poc(STRANGER, 'stop', 3)).toBe(false)
  })

  it('is stopped, started, stopped, and withdrawn after the wait and not before', async () => {
    expect(await deposit(1, 90n)).toBe(true)
    for (const method of ['start', 'withdraw']) expect(await poc(wallet, method, 2), method).toBe(false)
    expect(await poc(wallet, 'stop', 2)).toBe(true)
    expect(await poc(wallet, 'stop', 3)).toBe(false)
    expect(await poc(wallet, 'start', 3)).toBe(true)
    expect(await poc(wallet, 'stop', 5)).toBe(true)
    for (const method of ['stop', 'start', 'withdraw', 'withdrawSurplus']) expect(await poc(STRANGER, method, 30), method).toBe(false)
    const before = twins.ours.balance(wallet.address)
    expect(await poc(wallet, 'withdraw', 5 + SETTINGS.withdrawWaitBlocks)).toBe(false)
    expect(await poc(wallet, 'withdraw', 6 + SETTINGS.withdrawWaitBlocks)).toBe(true)
    expect(twins.ours.balance(wallet.address) - before).toBe(90n)
    expect(await poc(wallet, 'withdraw', 60)).toBe(false)
    expect(await deposit(61, 80n)).toBe(true)
  })

  it('gives back what is above the least, and no more', async () => {
    expect(await deposit(1, 100n)).toBe(true)
    expect(await poc(wallet, 'withdrawSurplus', 2)).toBe(true)
    expect(await poc(wallet, 'withdrawSurplus', 2)).toBe(false)
    expect(await poc(wallet, 'withdrawSurplus', 100)).toBe(true)
    const { amounts } = await lists(twins.ours, 100)
    expect(twins.ours.balance(POC)).toBe(amounts)
    expect(BigInt((await twins.view('Poc', 'minerStatus', [miner.address], 100)).slice(0, 66))).toBe(40n)
  })

  it('of a miner that missed its slot is kept until the epoch ends, then started or withdrawn', async () => {
    // Let miner 5 into the round, and miss: blocks 1 to 4 end round one, block 6 is its place in round two.
    await twins.act({ from: at(0).address, contract: 'Chief', method: 'update', values: [at(5).address] }, 1)
    for (const number of [2, 3, 4]) await update(at(0).address, number)
    await update(at(1).address, 5)
    await update(at(1).address, 6)
    const late = at(5).address
    expect(await lists(twins.ours, 6)).toMatchObject({ stopped: [late], black: [late] })
    expect(await poc(at(10), 'start', 7, [late])).toBe(false)
    expect(await poc(at(10), 'withdraw', 24, [late])).toBe(false)
    await update(at(1).address, 25)
    expect(await poc(at(10), 'start', 26, [late])).toBe(true)
    expect((await lists(twins.ours, 26)).normal.at(-1)).toBe(late)
  })
})

describe('money', () => {
  it('in POC is the sum of its deposits, whatever anybody calls', async () => {
    const on = await world()
    const random = randomStream('poc money')
    const wallets = [15, 16].map(at)
    const miners = [5, 6, 9, 10, 11].map(at)
    let done = 0
    for (let number = 1; number <= 800; number++) {
      const [from, one] = [random.pick(wallets), random.pick(miners)]
      const { r, s, v } = consent(one, from.address)
      const method = random.pick(['deposit', 'stop', 'start', 'withdraw', 'withdrawSurplus'])
      const call = method === 'deposit' ? data('Poc', method, r, s, v) : data('Poc', method, one.address)
      const outcome = await on.call({ from: from.address, to: POC, data: call, valueWei: method === 'deposit' ? BigInt(random.below(200)) : 0n, number })
      done += outcome.isOk ? 1 : 0
      if (number % 5 !== 0) continue
      const { normal, stopped, amounts } = await lists(on, number)
      expect(on.balance(POC)).toBe(amounts)
      expect(new Set([...normal, ...stopped]).size).toBe(normal.length + stopped.length)
    }
    expect(done).toBeGreaterThan(60)
  })

  it('cannot be sent to POC, to the chief or to its base by mistake', async () => {
    const on = await world()
    for (const to of [POC, COMMUNITY_ADDRESSES.Chief, COMMUNITY_ADDRESSES.ChiefBase, COMMUNITY_ADDRESSES.Anmap])
      for (const bytes of [new Uint8Array(0), data('Poc', 'getAll'), data('Poc', 'stop', miner.address)]) expect((await on.call({ from: OWNER.address, to, data: bytes, valueWei: 1n, number: 1 })).isOk, to).toBe(false)
  })

  it('is paid once to a wallet that calls back while it is paid', async () => {
    const on = await world()
    const thief: Address = `0x${'7e'.repeat(20)}`
    await on.put({ address: thief, balanceWei: 0n, nonce: 1n, code: bytesOf(ATTACKER.runtime) })
    const run = (to: Address, call: Uint8Array, valueWei: bigint, number: number): Promise<Outcome> => on.call({ from: STRANGER.address, to: thief, data: bytesOf(ATTACKER.calls.encodeFunctionData('run', [to, valueWei, call]) as Hex), valueWei, number })
    const arm = (to: Address, call: Uint8Array): Promise<Outcome> => on.call({ from: STRANGER.address, to: thief, data: bytesOf(ATTACKER.calls.encodeFunctionData('arm', [to, call]) as Hex), number: 1 })
    const number = async (name: string): Promise<bigint> => BigInt((await on.call({ from: STRANGER.address, to: thief, data: bytesOf(ATTACKER.calls.encodeFunctionData(name, []) as Hex), number: 1 })).output)
    const { r, s, v } = consent(miner, thief)
    expect((await run(POC, data('Poc', 'deposit', r, s, v), 120n, 1)).isOk).toBe(true)
    const held = on.balance(POC) - 120n
    await arm(POC, data('Poc', 'withdrawSurplus', miner.address))
    expect((await run(POC, data('Poc', 'withdrawSurplus', miner.address), 0n, 2)).isOk).toBe(true)
    expect([await number('gained'), await number('times')]).toEqual([40n, 1n])
    expect((await run(POC, data('Poc', 'stop', miner.address), 0n, 2)).isOk).toBe(true)
    await arm(POC, data('Poc', 'withdraw', miner.address))
    expect((await run(POC, data('Poc', 'withdraw', miner.address), 0n, 50)).isOk).toBe(true)
    expect([await number('gained'), await number('times'), on.balance(POC)]).toEqual([120n, 2n, held])
  })
})

describe('strangers', () => {
  it('change nothing in chief, base and POC, whatever they call', async () => {
    const on = await world()
    const random = randomStream('strangers')
    const names = ['Chief', 'ChiefBase', 'Poc'] as const
    const before = names.map((name) => [...on.storage(COMMUNITY_ADDRESSES[name])].sort())
    let refused = 0
    for (let turn = 0; turn < 1500; turn++) {
      const name = random.pick(names)
      const methods = interfaceOf(name).fragments.flatMap((fragment) => (fragment.type === 'function' && 'stateMutability' in fragment && fragment.stateMutability !== 'view' && fragment.stateMutability !== 'pure' ? [fragment] : []))
      const method = random.pick(methods)
      const values = method.inputs.map((input) => (input.type === 'address' ? random.pick([...PEOPLE.map((one) => one.address), ...Object.values(COMMUNITY_ADDRESSES)]) : input.type === 'uint8' ? random.pick([27, 28, 0, 255]) : random.bytes(32)))
      // Anybody may deposit, and then it is their miner: here with a wei too little.
      const valueWei = 'payable' in method && method.payable === true ? BigInt(random.below(10)) : 0n
      const outcome = await on.call({ from: random.pick([STRANGER, at(23)]).address, to: COMMUNITY_ADDRESSES[name], data: bytesOf(interfaceOf(name).encodeFunctionData(method.format('sighash'), values) as Hex), valueWei, number: 1 + random.below(1000) })
      refused += outcome.isOk ? 0 : 1
    }
    expect(refused).toBe(1500)
    expect(names.map((name) => [...on.storage(COMMUNITY_ADDRESSES[name])].sort())).toEqual(before)
  })

  it('are told no by code that is no call at all', async () => {
    const on = await world()
    const random = randomStream('noise')
    for (let turn = 0; turn < 200; turn++) expect((await on.call({ from: STRANGER.address, to: random.pick(Object.values(COMMUNITY_ADDRESSES)), data: random.bytes(1 + random.below(80)), number: 1 })).isOk).toBe(false)
  })
})

describe('miners', () => {
  const deposit = (on: World, who: Person, from: Person): Promise<Outcome> => {
    const { r, s, v } = consent(who, from.address)
    return on.call({ from: from.address, to: POC, data: data('Poc', 'deposit', r, s, v), valueWei: 80n, number: 1 })
  }
  const append = (on: World, leader: Person): Promise<Outcome> => on.call({ from: OWNER.address, to: COMMUNITY_ADDRESSES.ChiefBase, data: data('ChiefBase', 'appendLeader', leader.address), number: 1 })

  it('are no leaders, whichever comes first', async () => {
    const on = await world()
    expect(interfaceOf('Poc').parseError((await deposit(on, at(0), wallet)).output)?.name).toBe('MinerLeads')
    expect((await deposit(on, miner, wallet)).isOk).toBe(true)
    expect(interfaceOf('ChiefBase').parseError((await append(on, miner)).output)?.name).toBe('LeaderHasDeposit')
    // Stopped is not gone.
    expect((await on.call({ from: wallet.address, to: POC, data: data('Poc', 'stop', miner.address), number: 2 })).isOk).toBe(true)
    expect((await append(on, miner)).isOk).toBe(false)
    expect((await on.call({ from: wallet.address, to: POC, data: data('Poc', 'withdraw', miner.address), number: 50 })).isOk).toBe(true)
    expect((await append(on, miner)).isOk).toBe(true)
  })

  it('are 1024 at most, so that every node can read them at every block', async () => {
    const on = await world()
    expect((await deposit(on, miner, wallet)).isOk).toBe(true)
    expect((await on.call({ from: wallet.address, to: POC, data: data('Poc', 'stop', miner.address), number: 2 })).isOk).toBe(true)
    await on.write(POC, 1n, 1023n)
    expect((await deposit(on, at(10), wallet)).isOk).toBe(true)
    expect(interfaceOf('Poc').parseError((await deposit(on, at(11), wallet)).output)?.name).toBe('TooManyMiners')
    expect(interfaceOf('Poc').parseError((await on.call({ from: wallet.address, to: POC, data: data('Poc', 'start', miner.address), number: 3 })).output)?.name).toBe('TooManyMiners')
    expect((await on.call({ from: wallet.address, to: POC, data: data('Poc', 'withdraw', miner.address), number: 50 })).isOk).toBe(true)
  })
})

describe('the owner', () => {
  const base = COMMUNITY_ADDRESSES.ChiefBase
  const call = (on: World, from: Person, method: string, ...values: readonly unknown[]): Promise<Outcome> => on.call({ from: from.address, to: base, data: data('ChiefBase', method, ...values), number: 1 })
  const failsWith = async (outcome: Promise<Outcome>, error: string): Promise<void> => {
    const { isOk, output } = await outcome
    expect(isOk).toBe(false)
    expect(interfaceOf('ChiefBase').parseError(output)?.name).toBe(error)
  }

  it('adds leaders up to five, each once, and never takes the last', async () => {
    const on = await world()
    await failsWith(call(on, STRANGER, 'appendLeader', at(3).address), 'NotOwner')
    await failsWith(call(on, OWNER, 'appendLeader', `0x${'00'.repeat(20)}`), 'BadLeader')
    await failsWith(call(on, OWNER, 'appendLeader', at(0).address), 'AlreadyLeader')
    for (const number of [3, 4]) expect((await call(on, OWNER, 'appendLeader', at(number).address)).isOk).toBe(true)
    await failsWith(call(on, OWNER, 'appendLeader', at(14).address), 'TooManyLeaders')
    await failsWith(call(on, OWNER, 'removeLeader', at(14).address), 'NotLeader')
    for (const number of [0, 2, 3, 1]) expect((await call(on, OWNER, 'removeLeader', at(number).address)).isOk).toBe(true)
    await failsWith(call(on, OWNER, 'removeLeader', at(4).address), 'LastLeader')
  })

  it('hands over only to somebody who takes it', async () => {
    const on = await world()
    await failsWith(call(on, STRANGER, 'setOwner', STRANGER.address), 'NotOwner')
    expect((await call(on, OWNER, 'setOwner', at(18).address)).isOk).toBe(true)
    await failsWith(call(on, STRANGER, 'acceptOwner'), 'NotPendingOwner')
    expect((await call(on, OWNER, 'removeLeader', at(1).address)).isOk).toBe(true)
    expect((await call(on, at(18), 'acceptOwner')).isOk).toBe(true)
    await failsWith(call(on, OWNER, 'removeLeader', at(2).address), 'NotOwner')
    await failsWith(call(on, at(18), 'acceptOwner'), 'NotPendingOwner')
    expect((await call(on, at(18), 'removeLeader', at(2).address)).isOk).toBe(true)
  })
})

describe('what the original allows and ours has no call for', () => {
  const base = COMMUNITY_ADDRESSES.ChiefBase
  const calls = new Interface(['function setOwner(address)', 'function pocChangeOwner(address,uint256)', 'function pocSetInitBlockNumber(uint256)', 'function takeOwner() view returns (address)', 'function getOwnerList() view returns (address[])'])
  const send = async (on: World, method: string, ...values: readonly unknown[]): Promise<boolean> => (await on.call({ from: OWNER.address, to: base, data: bytesOf(calls.encodeFunctionData(method, values) as Hex), number: 10 })).isOk
  const leaders = async (on: World): Promise<readonly Address[]> => addressesOf(decode('ChiefBase', 'takeLeaderList', (await on.call({ from: OWNER.address, to: base, data: data('ChiefBase', 'takeLeaderList'), number: 10 })).output)[0])
  const append = (on: World, leader: Address): Promise<Outcome> => on.call({ from: OWNER.address, to: base, data: data('ChiefBase', 'appendLeader', leader), number: 10 })

  it('the owner hands POC over and moves its least deposit', async () => {
    const twins = await Twins.of(community)
    for (const [method, ...values] of [['pocSetInitBlockNumber', 9], ['pocChangeOwner', STRANGER.address, 0]] as const) {
      expect(await send(twins.original, method, ...values), method).toBe(true)
      expect(await send(twins.ours, method, ...values), method).toBe(false)
    }
    expect(twins.original.storage(POC).get(11n)).toBe(9n)
    const owners = (on: World): Promise<Outcome> => on.call({ from: OWNER.address, to: POC, data: data('Poc', 'getOwnerList'), number: 10 })
    expect(addressesOf(decode('Poc', 'getOwnerList', (await owners(twins.original)).output)[0])).toEqual([base, STRANGER.address])
    expect(addressesOf(decode('Poc', 'getOwnerList', (await owners(twins.ours)).output)[0])).toEqual([base])
  })

  it('the owner gives its office away at once', async () => {
    const twins = await Twins.of(community)
    for (const [on, owner] of [[twins.original, STRANGER], [twins.ours, OWNER]] as const) {
      expect(await send(on, 'setOwner', STRANGER.address)).toBe(true)
      expect(on.storage(base).get(2n)).toBe(BigInt(owner.address))
    }
  })

  it('a leader of zeros comes in, a sixth is dropped without a word, a stranger is removed without a word', async () => {
    const twins = await Twins.of(community)
    const zero: Address = `0x${'00'.repeat(20)}`
    expect([(await append(twins.original, zero)).isOk, (await append(twins.ours, zero)).isOk]).toEqual([true, false])
    expect((await leaders(twins.original)).at(-1)).toBe(zero)
    expect((await append(twins.original, at(3).address)).isOk).toBe(true)
    expect([(await append(twins.original, at(4).address)).isOk, (await leaders(twins.original)).length]).toEqual([true, 5])
    const remove = data('ChiefBase', 'removeLeader', STRANGER.address)
    expect([(await twins.original.call({ from: OWNER.address, to: base, data: remove, number: 10 })).isOk, (await twins.ours.call({ from: OWNER.address, to: base, data: remove, number: 10 })).isOk]).toEqual([true, false])
  })
})
