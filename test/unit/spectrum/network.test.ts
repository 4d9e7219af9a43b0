/** The three public networks rebuilt from their parameters, their forks, and networks of one's own. */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../src/base/index.ts'
import { publicNetwork } from '../../../src/spectrum/index.ts'
import { customNetwork } from '../../../src/spectrum/network/custom.ts'
import { genesisHeader } from '../../../src/spectrum/network/genesis.ts'
import { DEVNET as DEVNET_NETWORK, MAINNET, PUBLIC_NETWORKS, TESTNET } from '../../../src/spectrum/network/networks.ts'
import { chiefAt, isActive, isChief } from '../../../src/spectrum/network/network.ts'
import { readAccount, readCode, readSlot } from '../../../src/spectrum/proof/account.ts'
import { nodeSet } from '../../../src/spectrum/proof/read-trie.ts'
import { encodeHeader, hashHeader } from '../../../src/spectrum/codec/header.ts'
import type { CustomNetwork } from '../../../src/spectrum/index.ts'
import { BOTH, native } from './curves.ts'
import { devnetBlock } from './devnet.ts'

describe('public networks', () => {
  it.each([
    [MAINNET, '0x83c4c375f7e906789a78fc79de9a59b741e455450017ac6ec19f8f355aac71c5', 617],
    [TESTNET, '0xbb8db5737b8d2cb9a749d17ceccfab471cafd920d87832493388ee7c68826521', 618],
    [DEVNET_NETWORK, '0xc7649c0b33acd04e33e22e02f5cc93b04ec68c0660e55760b7cfc9af5dcba5e0', 618],
  ])('$name: state root, bytes and hash of its genesis', (network, stateRoot, bytes) => {
    for (const [, curve] of BOTH) {
      const header = genesisHeader(curve, network.genesis)
      expect(header.stateRoot).toBe(stateRoot)
      expect(encodeHeader(header).length).toBe(bytes)
      expect(hashHeader(curve, header)).toBe(network.genesisHash)
    }
  })

  it('devnet’s genesis is block 0 of the test chain, byte for byte', () => {
    expect(toHex(encodeHeader(genesisHeader(native, DEVNET_NETWORK.genesis)))).toBe(toHex(devnetBlock(0).rlp))
  })

  it('which chief rules which block', () => {
    const version = (network: typeof MAINNET, number: number): string | undefined => chiefAt(network, number)?.version
    expect([0, 1, 2, 595_887, 595_888, 2_823_365, 2_823_366, 10_000_000].map((number) => version(MAINNET, number))).toEqual([undefined, undefined, '0.0.5', '0.0.5', '0.0.6', '0.0.6', '1.0.0', '1.0.0'])
    expect([1, 2, 25, 26].map((number) => version(TESTNET, number))).toEqual([undefined, '0.0.2', '0.0.2', '1.0.0'])
    expect([2, 3, 62, 63].map((number) => version(DEVNET_NETWORK, number))).toEqual([undefined, '0.0.7', '0.0.7', '1.0.0'])
    for (const network of PUBLIC_NETWORKS) {
      // Trap: the difficulty is not checked where a chief starts, and there only.
      expect(network.uncheckedDifficulty).toEqual(network.chiefs.map((chief) => chief.startBlock))
      expect(network.chiefs.at(-1)?.startBlock).toBe(network.forks.sip100)
      expect(network.uncheckedGasLimit).toBe(network.forks.sip004)
      expect(network.uncheckedVolunteer).toBe(network.forks.sip100)
      for (const chief of network.chiefs) expect(isChief(network, chief.address)).toBe(true)
      expect(isChief(network, network.poc)).toBe(false)
    }
  })

  it('forks begin with their block', () => {
    expect([588_887, 588_888].map((number) => isActive(MAINNET, 'sip002', number))).toEqual([false, true])
    expect([808_887, 808_888].map((number) => isActive(MAINNET, 'sip003', number))).toEqual([false, true])
    expect([8_654_320, 8_654_321].map((number) => isActive(MAINNET, 'sip004', number))).toEqual([false, true])
    expect([23, 24].map((number) => isActive(TESTNET, 'sip001', number))).toEqual([false, true])
    expect(isActive(MAINNET, 'sip001', 0)).toBe(true)
    expect(isActive({ forks: { ...MAINNET.forks, sip100: null } }, 'sip100', 1e9)).toBe(false)
  })

  it('are found by name', () => {
    for (const network of PUBLIC_NETWORKS) expect(publicNetwork(network.name)).toBe(network)
    expect(() => publicNetwork('ropsten')).toThrow(/network: "?ropsten.*mainnet, testnet, devnet/)
    // Trap: the network id of the handshake is not the chain id.
    expect(PUBLIC_NETWORKS.map(({ networkId, chainId }) => [networkId, chainId])).toEqual([[1, 20180430n], [3, 2022n], [1, 4n]])
  })
})

describe('a network of one’s own', () => {
  const address = (byte: string) => `0x${byte.repeat(20)}` as const
  const SETTINGS: CustomNetwork = {
    name: 'village',
    chainId: 777_001n,
    networkId: 777_001,
    periodSeconds: 2,
    genesis: {
      timeSeconds: 1_700_000_000,
      difficulty: 1n,
      gasLimit: 40_000_000n,
      signer: address('01'),
      accounts: [
        { address: address('0a'), balanceWei: 5n },
        { address: address('0b'), balanceWei: 0n, nonce: 1n, code: Uint8Array.of(0x60, 0), storage: new Map([[0n, 7n], [1n, 0n], [2n, 2n ** 255n]]) },
      ],
    },
    chief: address('0b'),
    chiefBase: address('0c'),
    poc: address('0d'),
    anmap: null,
  }

  it('has a genesis whose accounts, code and storage can be proved', () => {
    const nodes: Uint8Array[] = []
    const network = customNetwork(native, SETTINGS)
    const header = genesisHeader(native, network.genesis, (_, node) => nodes.push(node))
    expect(hashHeader(native, header)).toBe(network.genesisHash)
    const nodeOf = nodeSet(native, nodes)
    expect(readAccount(native, header.stateRoot, address('0a'), nodeOf)).toMatchObject({ value: { balanceWei: 5n, nonce: 0n } })
    const contract = readAccount(native, header.stateRoot, address('0b'), nodeOf)
    if (contract.kind !== 'read') throw new Error(contract.kind)
    expect(readCode(native, contract.value.codeHash, nodeOf)).toEqual({ kind: 'read', value: Uint8Array.of(0x60, 0) })
    for (const [slot, word] of [[0n, 7n], [1n, 0n], [2n, 2n ** 255n], [9n, 0n]] as const) expect(readSlot(native, contract.value.storageRoot, slot, nodeOf)).toEqual({ kind: 'read', value: word })
    expect(readAccount(native, header.stateRoot, address('ff'), nodeOf)).toMatchObject({ kind: 'read', value: { balanceWei: 0n } })
  })

  it('has no height at which something is left unchecked', () => {
    expect(customNetwork(native, SETTINGS)).toMatchObject({ uncheckedDifficulty: [], uncheckedGasLimit: null, uncheckedVolunteer: null, firstJudgedBlock: 1, forks: { sip100: 1 } })
  })

  it.each<[string, Partial<CustomNetwork>]>([
    ['name', { name: 'mainnet' }],
    ['name', { name: 'Village' }],
    ['chainId', { chainId: 0n }],
    ['networkId', { networkId: 0.5 }],
    ['periodSeconds', { periodSeconds: 1 }],
    ['genesis.gasLimit', { genesis: { ...SETTINGS.genesis, gasLimit: 5000n } }],
    ['genesis.difficulty', { genesis: { ...SETTINGS.genesis, difficulty: 7n } }],
    ['genesis.timeSeconds', { genesis: { ...SETTINGS.genesis, timeSeconds: -1 } }],
    ['poc', { poc: '0x12' }],
    ['chief', { poc: address('0b') }],
    ['genesis.signer', { genesis: { ...SETTINGS.genesis, signer: '0xAB' } }],
    ['entries', { genesis: { ...SETTINGS.genesis, accounts: [{ address: address('0a'), balanceWei: 5n }, { address: address('0a'), balanceWei: 6n }] } }],
  ])('refuses a wrong %s', (field, change) => {
    expect(() => customNetwork(native, { ...SETTINGS, ...change })).toThrow(expect.objectContaining({ kind: 'input', field }))
  })
})
