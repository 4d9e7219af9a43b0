/** New chains: settings refused by name, the state at block 0, and what is told of it. */
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createMPT } from '@ethereumjs/mpt'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import { Address as EvmAddress, MapDB, bytesToUnprefixedHex } from '@ethereumjs/util'
import { describe, expect, it } from 'vitest'
import { COMMUNITY_ADDRESSES, describe as describeCommunity, fitSignerLimit, newCommunity } from '../../../src/spectrum/community/index.ts'
import { tokensOf } from '../../../src/spectrum/community/describe.ts'
import { genesisNodes } from '../../../src/spectrum/community/genesis-nodes.ts'
import type { CommunitySettings } from '../../../src/spectrum/community/index.ts'
import { readMiners, readRound } from '../../../src/spectrum/rules/read-round.ts'
import { genesisHeader } from '../../../src/spectrum/network/genesis.ts'
import { hashHeader } from '../../../src/spectrum/codec/header.ts'
import { ZERO_ADDRESS, bytesOf, hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Hash } from '../../../src/spectrum/index.ts'
import { native, noble } from '../spectrum/curves.ts'
import { OWNER, SETTINGS, at, village } from './village.ts'

const upper = (address: Address): Address => address.toUpperCase().replace('0X', '0x') as Address
const token = SETTINGS.token
if (token === null) throw new Error('the village has a token')

describe('a new community', () => {
  it('has a genesis that proves its first round and its miners', () => {
    const { network } = village()
    const nodes = genesisNodes(native, network)
    const header = genesisHeader(native, network.genesis)
    const nodeOf = (hash: Hash): Uint8Array | undefined => nodes.get(hash)
    expect(hashHeader(native, header)).toBe(network.genesisHash)
    expect(readRound(native, network, 1, header.stateRoot, nodeOf)).toEqual({
      kind: 'read',
      value: { signers: [at(0).address, ZERO_ADDRESS, ZERO_ADDRESS, ZERO_ADDRESS, ZERO_ADDRESS], next: [], leaders: [0, 1, 2].map((number) => at(number).address), volunteerLimit: 4, epochBlocks: 25 },
    })
    expect(readMiners(native, network, header.stateRoot, nodeOf)).toEqual({ kind: 'read', value: SETTINGS.miners.map((one) => one.miner) })
    for (const [hash, node] of nodes) expect(hexOf(native.keccak256(node))).toBe(hash)
  })

  it('is the same chain on every box, whatever computes it', () => {
    expect(village().network.genesisHash).toBe(newCommunity(noble, SETTINGS).network.genesisHash)
    for (const changes of [{ name: 'other' }, { chainId: 424_243n }, { networkId: 5 }, { periodSeconds: 4 }, { startSeconds: 1 }, { epochBlocks: 26 }, { leaders: [at(1).address] }, { token: null }, { minDepositWei: 79n }, { owner: at(1).address }] as const)
      expect(village(changes).network.genesisHash).not.toBe(village().network.genesisHash)
  })

  it('can be begun with by an EVM: its nodes are a whole state', async () => {
    const { network } = village()
    const { stateRoot } = genesisHeader(native, network.genesis)
    const db = new MapDB<string, string>()
    for (const [hash, node] of genesisNodes(native, network)) db.put(hash.slice(2), bytesToUnprefixedHex(node))
    const common = new Common({ chain: Mainnet, hardfork: Hardfork.Petersburg })
    const state = new MerkleStateManager({ common, trie: await createMPT({ db, root: bytesOf(stateRoot), useKeyHashing: true }) })
    for (const account of network.genesis.accounts) {
      const address = new EvmAddress(bytesOf(account.address))
      expect((await state.getAccount(address))?.balance, account.address).toBe(account.balanceWei)
      for (const [slot, word] of account.storage ?? []) expect(BigInt(hexOf(await state.getStorage(address, bytesOf(`0x${slot.toString(16).padStart(64, '0')}`))))).toBe(word)
    }
  })

  it('keeps the coins of deposits in POC', () => {
    const accounts = village().network.genesis.accounts
    expect(accounts.find((account) => account.address === COMMUNITY_ADDRESSES.Poc)?.balanceWei).toBe(SETTINGS.miners.reduce((sum, one) => sum + one.depositWei, 0n))
  })

  it('takes its network id from the chain id, and never 0', () => {
    expect(village().network.networkId).toBe(424_242)
    expect(village({ chainId: 2n ** 40n + 7n }).network.networkId).toBe(7)
    expect(village({ chainId: 2n ** 40n }).network.networkId).toBe(1)
    expect(village({ networkId: 9 }).network.networkId).toBe(9)
  })

  it.each<[string, Partial<CommunitySettings>]>([
    ['name', { name: 'Village' }],
    ['name', { name: 'mainnet' }],
    ['chainId', { chainId: 0n }],
    ['chainId', { chainId: -1n }],
    ['chainId', { chainId: 2n ** 53n }],
    ['networkId', { networkId: 1.5 }],
    ['networkId', { networkId: -1 }],
    ['periodSeconds', { periodSeconds: 1 }],
    ['periodSeconds', { periodSeconds: Number.NaN }],
    ['epochBlocks', { epochBlocks: 0 }],
    ['signerLimit', { signerLimit: 0 }],
    ['signerLimit', { signerLimit: 257 }],
    ['signerLimit', { signerLimit: 1.5 }],
    ['owner', { owner: ZERO_ADDRESS }],
    ['owner', { owner: upper(OWNER.address) }],
    ['leaders', { leaders: [] }],
    ['leaders', { leaders: [0, 1, 2, 3, 4, 14].map((number) => at(number).address) }],
    ['leaders', { leaders: [at(0).address, at(0).address] }],
    ['leaders[0]', { leaders: ['0x12'] }],
    ['miners[0].miner', { miners: [{ miner: at(0).address, owner: at(9).address, depositWei: 80n }] }],
    ['miners[0].owner', { miners: [{ miner: at(5).address, owner: ZERO_ADDRESS, depositWei: 80n }] }],
    ['miners[0].depositWei', { miners: [{ miner: at(5).address, owner: at(9).address, depositWei: 79n }] }],
    ['miners', { miners: [80n, 81n].map((depositWei) => ({ miner: at(5).address, owner: at(9).address, depositWei })) }],
    ['minDepositWei', { minDepositWei: 7n }],
    ['halvingBlocks', { halvingBlocks: 0 }],
    ['withdrawWaitBlocks', { withdrawWaitBlocks: -1 }],
    ['genesis.timeSeconds', { startSeconds: -1 }],
    ['allocations[0].address', { allocations: [{ address: COMMUNITY_ADDRESSES.Poc, balanceWei: 1n }] }],
    ['allocations[0].address', { allocations: [{ address: '0x4d657368426f7800000000000000000000001000', balanceWei: 1n }] }],
    ['allocations[0].balanceWei', { allocations: [{ address: at(1).address, balanceWei: 0n }] }],
    ['allocations', { allocations: [1n, 2n].map((balanceWei) => ({ address: at(1).address, balanceWei })) }],
    ['allocations', { allocations: [1, 2].map((number) => ({ address: at(number).address, balanceWei: 2n ** 127n + 1n })) }],
    ['token.name', { token: { ...token, name: '' } }],
    ['token.name', { token: { ...token, name: 'x'.repeat(32) } }],
    ['token.name', { token: { ...token, name: 'SMТ' } }],
    ['token.symbol', { token: { ...token, symbol: 'A B' } }],
    ['token.decimals', { token: { ...token, decimals: 37 } }],
    ['token.supply', { token: { ...token, supply: 2n ** 256n } }],
    ['token.holder', { token: { ...token, holder: ZERO_ADDRESS } }],
  ])('is refused, naming %s', (field, changes) => {
    expect(() => village(changes)).toThrowError(expect.objectContaining({ name: 'MeshBoxError', kind: 'input', field }))
  })

  it('has rounds as long as its miners can fill', () => {
    expect([0, 1, 2, 3, 4, 31, 32, 200].map(fitSignerLimit)).toEqual([1, 1, 2, 2, 3, 16, 17, 17])
  })
})

describe('what is told of it', () => {
  it('comes from the genesis', () => {
    const { network } = village()
    const told = describeCommunity(native, network)
    expect(told).toMatchObject({
      name: 'village',
      chainId: 424_242n,
      genesisHash: network.genesisHash,
      blockSeconds: 2,
      signerLimit: 5,
      epochBlocks: 25,
      owner: OWNER.address,
      leaders: SETTINGS.leaders,
      miners: SETTINGS.miners.map((one) => one.miner),
      isKnownCode: true,
      tokens: [
        { kind: 'wrapped-smt', address: COMMUNITY_ADDRESSES.WrappedSmt, name: 'Wrapped SMT', symbol: 'WSMT', decimals: 18, supply: 0n },
        { kind: 'erc20', address: COMMUNITY_ADDRESSES.CommunityToken, name: 'Village Token', symbol: 'VIL', decimals: 6, supply: token.supply },
      ],
    })
    expect(told.allocatedWei).toBe([...SETTINGS.allocations.map((one) => one.balanceWei), ...SETTINGS.miners.map((one) => one.depositWei)].reduce((sum, wei) => sum + wei, 0n))
  })

  it('warns of one leader, of rounds of one block and of empty places', () => {
    const notes = (changes: Partial<CommunitySettings>): string => describeCommunity(native, village(changes).network).notes.join('\n')
    expect(notes({ leaders: [at(0).address], miners: [], signerLimit: 1 })).toMatch(/One leader.*\n.*Rounds of one block/)
    expect(notes({})).toMatch(/stand in for each other[^]*4 miners for 4 places/)
    expect(notes({ signerLimit: 3 })).not.toMatch(/miners for/)
  })

  it('says so where the code is not ours', () => {
    const { network } = village()
    const accounts = network.genesis.accounts.map((account) => (account.address === COMMUNITY_ADDRESSES.Chief ? { ...account, code: Uint8Array.of(0) } : account))
    const other = { ...network, genesis: { ...network.genesis, accounts } }
    expect(describeCommunity(native, other).isKnownCode).toBe(false)
  })

  it('shows no token name that could deceive', () => {
    const { network } = village()
    const spoil = (word: bigint): readonly string[] => {
      const accounts = network.genesis.accounts.map((account) => (account.address === COMMUNITY_ADDRESSES.CommunityToken ? { ...account, storage: new Map([...(account.storage ?? []), [0n, word]]) } : account))
      return tokensOf({ ...network, genesis: { ...network.genesis, accounts } }).map((one) => one.name)
    }
    // A line feed; a length beyond the slot; an odd one.
    for (const word of [(0x0an << 248n) | 2n, 0xffn, 0x40n]) expect(spoil(word)).toEqual(['Wrapped SMT', '?'])
  })
})
