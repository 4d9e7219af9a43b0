/** Wrapped SMT, the community's token, and the binding of miners to wallets. */
import { beforeEach, describe, expect, it } from 'vitest'
import { COMMUNITY_ADDRESSES } from '../../../src/spectrum/community/index.ts'
import type { ContractName } from '../../../src/spectrum/community/index.ts'
import { bytesOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Hex } from '../../../src/spectrum/index.ts'
import { randomStream } from '../native/random-stream.ts'
import type { Person } from '../spectrum/village.ts'
import { ATTACKER } from './attacker.ts'
import { World, addressesOf, data, decode, interfaceOf } from './evm.ts'
import type { Outcome } from './evm.ts'
import { ORIGINAL } from './original.ts'
import { HOLDER, PEOPLE, SETTINGS, STRANGER, at, consent, village } from './village.ts'

const ZERO: Address = `0x${'00'.repeat(20)}`
const MOST = 2n ** 256n - 1n
let on: World

beforeEach(async () => {
  on = await World.of([...village().network.genesis.accounts.filter((account) => account.code !== undefined), ...PEOPLE.map((one) => ({ address: one.address, balanceWei: 1_000_000n }))])
})

function call(name: ContractName, from: Address, method: string, values: readonly unknown[], valueWei = 0n): Promise<Outcome> {
  return on.call({ from, to: COMMUNITY_ADDRESSES[name], data: data(name, method, ...values), valueWei, number: 1 })
}

async function ask(name: ContractName, method: string, ...values: readonly unknown[]): Promise<unknown> {
  return decode(name, method, (await call(name, STRANGER.address, method, values)).output)[0]
}

const errorOf = (name: ContractName, outcome: Outcome): string | undefined => (outcome.isOk ? 'none' : interfaceOf(name).parseError(outcome.output)?.name)

describe('wrapped SMT', () => {
  const wsmt = COMMUNITY_ADDRESSES.WrappedSmt

  it('says what it is', async () => {
    expect([await ask('WrappedSmt', 'name'), await ask('WrappedSmt', 'symbol'), await ask('WrappedSmt', 'decimals'), await ask('WrappedSmt', 'totalSupply')]).toEqual(['Wrapped SMT', 'WSMT', 18n, 0n])
  })

  it('wraps what it is sent, either way, and gives it back', async () => {
    const deposited = await call('WrappedSmt', HOLDER.address, 'deposit', [], 70n)
    expect(deposited.logs.map((log) => interfaceOf('WrappedSmt').parseLog({ topics: [...log.topics], data: `0x${Buffer.from(log.data).toString('hex')}` })?.name)).toEqual(['Transfer', 'Deposit'])
    expect((await on.call({ from: HOLDER.address, to: wsmt, data: new Uint8Array(0), valueWei: 30n, number: 1 })).isOk).toBe(true)
    expect([await ask('WrappedSmt', 'balanceOf', HOLDER.address), await ask('WrappedSmt', 'totalSupply'), on.balance(wsmt)]).toEqual([100n, 100n, 100n])
    expect(errorOf('WrappedSmt', await call('WrappedSmt', HOLDER.address, 'withdraw', [101n]))).toBe('InsufficientBalance')
    expect((await call('WrappedSmt', HOLDER.address, 'withdraw', [100n])).isOk).toBe(true)
    expect([await ask('WrappedSmt', 'totalSupply'), on.balance(wsmt), on.balance(HOLDER.address)]).toEqual([0n, 0n, 1_000_000n])
  })

  it('holds a coin for each token, whatever anybody calls', async () => {
    const random = randomStream('wrapped')
    const people = [at(1), at(2), at(3), at(4)]
    for (let turn = 0; turn < 400; turn++) {
      const [from, to] = [random.pick(people).address, random.pick(people).address]
      const value = BigInt(random.below(300))
      await random.pick([
        () => call('WrappedSmt', from, 'deposit', [], value),
        () => call('WrappedSmt', from, 'withdraw', [value]),
        () => call('WrappedSmt', from, 'transfer', [to, value]),
        () => call('WrappedSmt', from, 'approve', [to, value]),
        () => call('WrappedSmt', to, 'transferFrom', [from, random.pick(people).address, value]),
      ])()
    }
    const balances = await Promise.all(people.map((one) => ask('WrappedSmt', 'balanceOf', one.address)))
    expect(balances.reduce((sum: bigint, one) => sum + BigInt(String(one)), 0n)).toBe(on.balance(wsmt))
    expect(await ask('WrappedSmt', 'totalSupply')).toBe(on.balance(wsmt))
    expect(on.balance(wsmt)).toBeGreaterThan(0n)
  })

  it('pays a wallet that calls back no more than it has', async () => {
    const thief: Address = `0x${'7e'.repeat(20)}`
    await on.put({ address: thief, balanceWei: 0n, nonce: 1n, code: bytesOf(ATTACKER.runtime) })
    const through = (method: string, values: readonly unknown[], valueWei = 0n): Promise<Outcome> => on.call({ from: STRANGER.address, to: thief, data: bytesOf(ATTACKER.calls.encodeFunctionData(method, values) as Hex), valueWei, number: 1 })
    await call('WrappedSmt', HOLDER.address, 'deposit', [], 1000n)
    await through('run', [wsmt, 50n, data('WrappedSmt', 'deposit')], 50n)
    await through('arm', [wsmt, data('WrappedSmt', 'withdraw', 50n)])
    expect((await through('run', [wsmt, 0n, data('WrappedSmt', 'withdraw', 50n)])).isOk).toBe(true)
    expect([on.balance(thief), on.balance(wsmt)]).toEqual([50n, 1000n])
  })

  it('takes no coin with a call that it does not know', async () => {
    expect((await on.call({ from: HOLDER.address, to: wsmt, data: Uint8Array.of(1, 2, 3, 4), valueWei: 5n, number: 1 })).isOk).toBe(false)
  })
})

describe("the community's token", () => {
  it('is all with its holder', async () => {
    const { token } = SETTINGS
    expect([await ask('CommunityToken', 'name'), await ask('CommunityToken', 'symbol'), await ask('CommunityToken', 'decimals')]).toEqual([token?.name, token?.symbol, BigInt(token?.decimals ?? 0)])
    expect([await ask('CommunityToken', 'totalSupply'), await ask('CommunityToken', 'balanceOf', HOLDER.address)]).toEqual([token?.supply, token?.supply])
  })

  it('moves as ERC-20 says, and is not lost where nobody can use it', async () => {
    const supply = SETTINGS.token?.supply ?? 0n
    const moved = await call('CommunityToken', HOLDER.address, 'transfer', [at(1).address, 10n])
    expect(decode('CommunityToken', 'transfer', moved.output)[0]).toBe(true)
    for (const to of [ZERO, COMMUNITY_ADDRESSES.CommunityToken]) expect(errorOf('CommunityToken', await call('CommunityToken', HOLDER.address, 'transfer', [to, 1n]))).toBe('BadReceiver')
    expect(errorOf('CommunityToken', await call('CommunityToken', at(1).address, 'transfer', [at(2).address, 11n]))).toBe('InsufficientBalance')
    expect((await call('CommunityToken', at(1).address, 'transfer', [at(1).address, 10n])).isOk).toBe(true)
    expect([await ask('CommunityToken', 'balanceOf', HOLDER.address), await ask('CommunityToken', 'balanceOf', at(1).address)]).toEqual([supply - 10n, 10n])
  })

  it('counts an allowance down, but not one without limit', async () => {
    await call('CommunityToken', HOLDER.address, 'approve', [at(1).address, 5n])
    expect(errorOf('CommunityToken', await call('CommunityToken', at(1).address, 'transferFrom', [HOLDER.address, at(2).address, 6n]))).toBe('InsufficientAllowance')
    expect((await call('CommunityToken', at(1).address, 'transferFrom', [HOLDER.address, at(2).address, 3n])).isOk).toBe(true)
    expect(await ask('CommunityToken', 'allowance', HOLDER.address, at(1).address)).toBe(2n)
    await call('CommunityToken', HOLDER.address, 'approve', [at(1).address, MOST])
    expect((await call('CommunityToken', at(1).address, 'transferFrom', [HOLDER.address, at(2).address, 3n])).isOk).toBe(true)
    expect(await ask('CommunityToken', 'allowance', HOLDER.address, at(1).address)).toBe(MOST)
    expect(errorOf('CommunityToken', await call('CommunityToken', at(3).address, 'transferFrom', [HOLDER.address, at(3).address, 1n]))).toBe('InsufficientAllowance')
  })
})

describe('Anmap', () => {
  const [miner, wallet, other] = [at(5), at(15), at(16)]
  const sign = (method: 'bind' | 'unbindBySig', from: Person, who: Person = miner, signedFor: Address = from.address): Promise<Outcome> => {
    const { r, s, v } = consent(who, signedFor)
    return call('Anmap', from.address, method, [who.address, v, r, s])
  }
  const info = async (address: Address): Promise<{ readonly from: Address; readonly miners: readonly Address[] }> => {
    const [from, miners] = decode('Anmap', 'bindInfo', (await call('Anmap', STRANGER.address, 'bindInfo', [address])).output).toArray() as [string, readonly string[]]
    return { from: from.toLowerCase() as Address, miners: addressesOf([...miners]) }
  }

  it('binds a miner to the wallet that it signed for, once', async () => {
    expect(errorOf('Anmap', await sign('bind', other, miner, wallet.address))).toBe('NoMinersSignature')
    expect((await sign('bind', wallet)).isOk).toBe(true)
    expect(await info(miner.address)).toEqual({ from: wallet.address, miners: [miner.address] })
    expect(errorOf('Anmap', await sign('bind', other))).toBe('AlreadyBound')
  })

  it('keeps any number of miners per wallet, in order, and lets each go', async () => {
    for (const number of [5, 6, 7]) expect((await sign('bind', wallet, at(number))).isOk).toBe(true)
    expect(await info(wallet.address)).toEqual({ from: wallet.address, miners: [5, 6, 7].map((number) => at(number).address) })
    expect((await sign('unbindBySig', wallet, at(5))).isOk).toBe(true)
    expect((await info(wallet.address)).miners).toEqual([6, 7].map((number) => at(number).address))
    expect(await info(at(5).address)).toEqual({ from: at(5).address, miners: [] })
    expect(errorOf('Anmap', await sign('unbindBySig', wallet, at(5)))).toBe('NotBound')
    expect((await sign('bind', wallet, at(5))).isOk).toBe(true)
    expect((await info(wallet.address)).miners.at(-1)).toBe(at(5).address)
  })

  it('answers as the original does, call by call', async () => {
    const original = await World.of([{ address: COMMUNITY_ADDRESSES.Anmap, balanceWei: 0n, nonce: 1n, code: ORIGINAL.Anmap }])
    const random = randomStream('anmap')
    const [miners, wallets] = [[5, 6, 7, 8].map(at), [10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map(at)]
    const replaced = new Set<string>()
    const both = async (from: Address, bytes: Uint8Array): Promise<boolean> => {
      const call = { from, to: COMMUNITY_ADDRESSES.Anmap, data: bytes, number: 1 }
      const [mine, theirs] = [await on.call(call), await original.call(call)]
      expect(mine.isOk).toBe(theirs.isOk)
      if (mine.isOk) expect(mine.output).toBe(theirs.output)
      return mine.isOk
    }
    const done = { bind: 0, unbindBySig: 0 }
    for (let turn = 0; turn < 400; turn++) {
      const one = random.pick(miners)
      const { from: bound } = await info(one.address)
      const from = random.below(2) === 0 ? random.pick(wallets) : (wallets.find((wallet) => wallet.address === bound) ?? random.pick(wallets))
      // What ours alone refuses is another test's.
      if (replaced.has(one.address + from.address)) continue
      const method = random.pick(['bind', 'bind', 'unbindBySig'] as const)
      // Few replacements: each takes a pair out of the game.
      if (method === 'unbindBySig' && bound !== from.address && bound !== one.address && random.below(4) > 0) continue
      const { r, s, v } = consent(random.below(6) === 0 ? STRANGER : one, random.below(6) === 0 ? STRANGER.address : from.address)
      if (await both(from.address, data('Anmap', method, one.address, v, r, s))) {
        done[method]++
        if (method === 'unbindBySig' && bound !== from.address) replaced.add(one.address + bound)
      }
      for (const who of [one, from, STRANGER]) expect(await both(STRANGER.address, data('Anmap', 'bindInfo', who.address))).toBe(true)
    }
    expect([done.bind > 30, done.unbindBySig > 30, replaced.size > 1]).toEqual([true, true, true])
  })

  it('never takes a replaced wallet’s old signature again', async () => {
    expect((await sign('bind', wallet)).isOk).toBe(true)
    expect((await sign('unbindBySig', other)).isOk).toBe(true)
    for (const method of ['bind', 'unbindBySig'] as const) expect(errorOf('Anmap', await sign(method, wallet)), method).toBe('Replaced')
    expect((await sign('bind', other)).isOk).toBe(true)
    expect(errorOf('Anmap', await sign('unbindBySig', wallet))).toBe('Replaced')
    expect((await info(miner.address)).from).toBe(other.address)
    // In the original it still ends the new binding.
    const original = await World.of([{ address: COMMUNITY_ADDRESSES.Anmap, balanceWei: 0n, nonce: 1n, code: ORIGINAL.Anmap }])
    for (const [method, from] of [['bind', wallet], ['unbindBySig', other], ['bind', other], ['unbindBySig', wallet]] as const) {
      const { r, s, v } = consent(miner, from.address)
      expect((await original.call({ from: from.address, to: COMMUNITY_ADDRESSES.Anmap, data: data('Anmap', method, miner.address, v, r, s), number: 1 })).isOk).toBe(true)
    }
    // For another miner it is as good as any.
    expect((await sign('bind', wallet, at(6))).isOk).toBe(true)
  })

  it('binds nobody by a signature of nobody', async () => {
    const noise = new Uint8Array(32).fill(0xff)
    for (const v of [0, 27, 28, 255]) expect(errorOf('Anmap', await call('Anmap', STRANGER.address, 'bind', [ZERO, v, noise, noise]))).toBe('NoMinersSignature')
  })
})
