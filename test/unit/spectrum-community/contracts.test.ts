/** The committed bytes are what the sources give, and the genesis is what the constructors leave. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileContracts } from '../../../scripts/contracts.ts'
import { COMMUNITY_ADDRESSES } from '../../../src/spectrum/community/index.ts'
import { ARTIFACTS } from '../../../src/spectrum/community/artifacts.ts'
import type { ContractName } from '../../../src/spectrum/community/index.ts'
import { encodeRlp, integerBytes } from '../../../src/base/index.ts'
import { baseStorage, chiefStorage, pocStorage } from '../../../src/spectrum/community/contract-storage.ts'
import type { Storage } from '../../../src/spectrum/community/contract-storage.ts'
import { DEVNET as DEVNET_NETWORK } from '../../../src/spectrum/network/networks.ts'
import { readAccount, wordOf } from '../../../src/spectrum/proof/account.ts'
import { buildTrie } from '../../../src/spectrum/proof/build-trie.ts'
import { bytesOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Hex, TrieEntry } from '../../../src/spectrum/index.ts'
import { native } from '../spectrum/curves.ts'
import { DEVNET_NODES, HEAD_STATE_ROOT } from '../spectrum/devnet.ts'
import { World, data, interfaceOf } from './evm.ts'
import { SETTINGS, at, consent, village } from './village.ts'
import base from '../../../src/spectrum/community/artifacts/ChiefBase.json' with { type: 'json' }
import chief from '../../../src/spectrum/community/artifacts/Chief.json' with { type: 'json' }
import poc from '../../../src/spectrum/community/artifacts/Poc.json' with { type: 'json' }
import anmap from '../../../src/spectrum/community/artifacts/Anmap.json' with { type: 'json' }

const NAMES = Object.keys(ARTIFACTS) as ContractName[]
/** Spec 2.10. */
const SELECTORS: Readonly<Partial<Record<ContractName, Readonly<Record<string, string>>>>> = {
  Chief: {
    update: '1c1b8772',
    getStatus: '4e69d560',
    getVolunteers: 'd7ca4a1c',
    getNextRoundSignerList: '53f197fe',
    getSignerLimit: 'eb5c0011',
    getEpoch: '757991a8',
    getVolunteerLimit: '961c5c7a',
    filterVolunteer: '20c1a518',
    version: '54fd4d50',
  },
  ChiefBase: { takeLeaderList: 'f0d55817', takeLeaderLimit: '40e2f991', takeSignerLimit: '6da50830', takeEpoch: '4067f0c8', isLeader: 'db512e85', appendLeader: 'bfe3a272', removeLeader: '9037f182' },
  Poc: {
    deposit: 'f2a558f9',
    start: 'dd0b281e',
    stop: '656cb0bc',
    withdraw: '51cff8d9',
    withdrawSurplus: '65e73e32',
    minDepositAmount: '645006ca',
    getNormalList: '51393ce3',
    getStopList: '9c52ade2',
    getBlackList: '360b97b9',
    getLockList: 'ed1eeaf1',
    getAll: '53ed5143',
    minerStatus: '0c58ed8e',
    withdrawWaitNumber: '14704970',
  },
  Anmap: { bind: 'f65f2eec', unbindBySig: '99ab9fca', bindInfo: '8d04cd30' },
}
const TOPICS: Readonly<Record<string, string>> = {
  Deposit: '0x5548c837ab068cf56a2c2479df0882a4922fd203edb7517321831d95078c5f62',
  Start: '0x84d0447ca38875fa61115673259a210915bc1dd53a3c112d6f0790f15956a965',
  Stop: '0x5f8b016b80ca3a499d7fc818528ee3c8658d421489a9efdf1d365c4241ddd883',
  Withdraw: '0x9b1bfa7fa9ee420a16e124f794c35ac9f90472acc99140eb2f6447c714cad8eb',
}

describe('artifacts', () => {
  it('are byte for byte what the committed sources compile to', () => {
    const compiled = compileContracts('src/spectrum')
    expect([...compiled.keys()].map((path) => path.split('/').at(-1))).toEqual(NAMES.map((name) => `${name}.json`))
    for (const [path, text] of compiled) expect(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8') === text, path).toBe(true)
  })

  it('hold no instruction that the chain does not have', () => {
    for (const name of NAMES) expect(unknownOpcodes(bytesOf(ARTIFACTS[name].runtime)), name).toEqual([])
  })

  it.each(Object.entries(SELECTORS))('%s has the selectors of the original', (name, methods) => {
    for (const [method, selector] of Object.entries(methods)) expect(interfaceOf(name as ContractName).getFunction(method)?.selector, method).toBe(`0x${selector}`)
  })

  it('POC has the event topics of the original', () => {
    for (const [event, topic] of Object.entries(TOPICS)) expect(interfaceOf('Poc').getEvent(event)?.topicHash).toBe(topic)
  })

  it('lay their storage out as the original does', () => {
    const slots = (json: { readonly storage: readonly { readonly slot: number; readonly offset: number; readonly label: string }[] }): string[] => json.storage.map(({ slot, offset, label }) => `${slot}.${offset} ${label}`)
    expect(slots(chief)).toEqual(['0.0 vsn', '1.0 base', '2.0 _signerList', '3.0 _nextRoundSignerList', '4.0 blockNumber', '5.0 signersMap'])
    expect(slots(base).slice(0, 10)).toEqual(['0.0 vsn', '1.0 poc', '2.0 _owner', '3.0 _tribe', '4.0 leaderList', '5.0 leaderLimit', '6.0 signerLimit', '7.0 epoch', '8.0 volunteerLimit', '9.0 pocUpdatedInitBlockNumber'])
    const lists = ['1.0 normalList', '2.0 normalPlaces', '3.0 stopList', '4.0 stopPlaces', '5.0 blackList', '6.0 blackPlaces', '7.0 lockList', '8.0 lockPlaces', '9.0 owners']
    expect(slots(poc)).toEqual(['0.0 miners', ...lists, '10.0 initMinDeposit', '11.0 initBlockNumber', '12.0 depositHalveLimitNumber', '13.0 withdrawWaitNumber', '14.0 newOwnerEffectiveNumber'])
    expect(slots(anmap).slice(0, 2)).toEqual(['0.0 minersOf', '1.0 walletOf'])
  })
})

describe('the genesis', () => {
  it.each([
    ['three leaders, four miners', {}],
    ['one box alone', { signerLimit: 1, leaders: [at(0).address], miners: [], token: null }],
    ['five leaders, rounds of 17', { signerLimit: 17, leaders: [0, 1, 2, 3, 4].map((number) => at(number).address), epochBlocks: 6171 }],
  ])('of %s holds what the constructors and the deposits leave', async (_, changes) => {
    const settings = { ...SETTINGS, ...changes }
    const { network } = village(changes)
    const names = COMMUNITY_ADDRESSES
    const world = await World.of(settings.miners.map((one) => ({ address: one.owner, balanceWei: one.depositWei })))
    const construct = async (name: ContractName, ...values: readonly unknown[]): Promise<void> => {
      const creation = `${ARTIFACTS[name].bytecode}${interfaceOf(name).encodeDeploy(values).slice(2)}` as Hex
      await world.construct(names[name], bytesOf(creation), 0)
    }
    await construct('Poc', names.ChiefBase, settings.minDepositWei, settings.withdrawWaitBlocks, settings.halvingBlocks)
    await construct('ChiefBase', settings.owner, names.Chief, names.Poc, settings.epochBlocks, settings.signerLimit, settings.leaders)
    await construct('Chief', names.ChiefBase, 0)
    await construct('Anmap')
    await construct('WrappedSmt')
    if (settings.token !== null) await construct('CommunityToken', settings.token.name, settings.token.symbol, settings.token.decimals, settings.token.supply, settings.token.holder)
    for (const one of settings.miners) {
      const { r, s, v } = consent(at([5, 6, 7, 8].find((number) => at(number).address === one.miner) ?? -1), one.owner)
      const outcome = await world.call({ from: one.owner, to: names.Poc, data: data('Poc', 'deposit', r, s, v), valueWei: one.depositWei, number: 0 })
      expect(outcome.isOk).toBe(true)
    }
    for (const account of network.genesis.accounts.filter((one) => one.code !== undefined)) {
      const name = NAMES.find((candidate) => names[candidate] === account.address) as ContractName
      expect(world.code(account.address), name).toBe(ARTIFACTS[name].runtime)
      expect(sorted(world.storage(account.address)), name).toEqual(sorted(account.storage ?? new Map()))
      expect(world.balance(account.address), name).toBe(account.balanceWei)
    }
    expect(network.genesis.accounts.filter((one) => one.code !== undefined).length).toBe(settings.token === null ? 5 : 6)
  })
})

describe('the layout by hand', () => {
  // Spec 2.10, read from that chain's state: rounds of 5, epochs of 25, one leader, 10 wei, halving after 300, wait 100.
  const leader: Address = '0x9944d0cc757cd9391ee320fc17d5b6f61693f2c5'
  const owner: Address = '0xbf1736a65f8beadd71b321be585fd883503fdeaa'
  const chiefAddress: Address = '0x21c5dc409138205291d6a7ef2dbb1701ac02ff96'
  const { chiefBase, poc: pocAddress } = DEVNET_NETWORK
  it.each<[string, Address, Storage]>([
    ['chief', chiefAddress, new Map([...chiefStorage(native, chiefBase, leader, 5), [4n, 22n]])],
    ['chief base', chiefBase, baseStorage(native, { owner, chief: chiefAddress, poc: pocAddress, epochBlocks: 25, signerLimit: 5, leaders: [leader] })],
    ['POC', pocAddress, new Map([...pocStorage(native, { base: chiefBase, minDepositWei: 10n, withdrawWaitBlocks: 100, halvingBlocks: 300, miners: [] }), [11n, 51n]])],
  ])('gives the storage root that the %s of the public test chain has', (_, address, storage) => {
    const account = readAccount(native, HEAD_STATE_ROOT, address, (hash) => DEVNET_NODES.get(hash))
    const entries = [...storage].map(([slot, word]): TrieEntry => [native.keccak256(wordOf(slot)), encodeRlp(integerBytes(word))])
    expect(account).toMatchObject({ kind: 'read', value: { storageRoot: buildTrie(native, entries) } })
  })
})

describe('constructors refuse', () => {
  const zero: Address = `0x${'00'.repeat(20)}`
  const one = at(0).address
  it.each<[string, ContractName, readonly unknown[]]>([
    ['a chief base without an owner', 'ChiefBase', [zero, one, one, 10, 5, [one]]],
    ['a chief base without leaders', 'ChiefBase', [one, one, one, 10, 5, []]],
    ['a leader twice', 'ChiefBase', [one, one, one, 10, 5, [one, one]]],
    ['six leaders', 'ChiefBase', [one, one, one, 10, 5, [0, 1, 2, 3, 4, 5].map((number) => at(number).address)]],
    ['a leader of zeros', 'ChiefBase', [one, one, one, 10, 5, [zero]]],
    ['rounds of no block', 'ChiefBase', [one, one, one, 10, 0, [one]]],
    ['epochs of no block', 'ChiefBase', [one, one, one, 0, 5, [one]]],
    ['a least deposit that halves to nothing', 'Poc', [one, 7, 1, 1]],
    ['a deposit that halves at once', 'Poc', [one, 8, 1, 0]],
    ['a POC of nobody', 'Poc', [zero, 8, 1, 1]],
    ['a token for nobody', 'CommunityToken', ['T', 'T', 0, 1, zero]],
    ['a chief without a base', 'Chief', [zero, 0]],
  ])('%s', async (_, name, values) => {
    const world = await World.of([])
    const creation = bytesOf(`${ARTIFACTS[name].bytecode}${interfaceOf(name).encodeDeploy(values).slice(2)}` as Hex)
    await expect(world.construct(COMMUNITY_ADDRESSES[name], creation, 0)).rejects.toThrow('failed')
  })
})

function sorted(storage: ReadonlyMap<bigint, bigint>): readonly string[] {
  return [...storage].map(([slot, word]) => `${slot.toString(16)}=${word.toString(16)}`).sort()
}

/** Instructions that came after Petersburg, save those that the chain has all the same (spec 1.3). */
function unknownOpcodes(code: Uint8Array): readonly string[] {
  const late = new Set([0x48, 0x49, 0x4a, 0x5c, 0x5d, 0x5e, 0x5f])
  const found: string[] = []
  for (let place = 0; place < code.length; place++) {
    const opcode = code[place] ?? 0
    // Constants stand behind the last function in some contracts; none of ours has any.
    if (late.has(opcode)) found.push(`0x${opcode.toString(16)} at ${place}`)
    if (opcode >= 0x60 && opcode <= 0x7f) place += opcode - 0x5f
  }
  return found
}
