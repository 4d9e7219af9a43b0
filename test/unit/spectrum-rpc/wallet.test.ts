/**
 * A wallet and the whole chain behind the door: a community's real contracts, real seals, the real executor and
 * transaction pool, the chain on disk. ethers sends a token transfer and waits until it is in a block.
 */
import { Contract, ContractFactory, Interface, JsonRpcProvider, Network as EthersNetwork, Wallet, isError, parseEther } from 'ethers'
import { onTestFinished, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../src/base/index.ts'
import { readAccount, readSlot } from '../../../src/spectrum/proof/account.ts'
import { nodeSet } from '../../../src/spectrum/proof/read-trie.ts'
import type { Address, Hash } from '../../../src/spectrum/index.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import { CHAIN_ID, LEADER, OWNER, TOKEN, openVillage } from './open-village.ts'

const BEN = person(22).address
const ABI = ['function transfer(address to, uint256 amount) returns (bool)', 'function balanceOf(address) view returns (uint256)', 'event Transfer(address indexed from, address indexed to, uint256 value)']
function connect(url: string): { readonly provider: JsonRpcProvider; readonly wallet: Wallet } {
  const provider = new JsonRpcProvider(url, EthersNetwork.from(CHAIN_ID), { staticNetwork: true, pollingInterval: 20, cacheTimeout: -1 })
  onTestFinished(() => provider.destroy())
  return { provider, wallet: new Wallet(`0x${toHex(OWNER.key)}`, provider) }
}

it('ethers sends a token transfer and waits for its receipt', async () => {
  const { url, box } = await openVillage()
  const { provider, wallet } = connect(url)
  const token = new Contract(TOKEN, ABI, wallet)
  const heard = new Promise<bigint>((resolve) => void token.on('Transfer', (_from: string, _to: string, value: bigint) => resolve(value)))
  const sent = await token.getFunction('transfer').send(BEN, parseEther('5'))
  expect([sent.type, sent.gasPrice]).toEqual([0, 18_000_000_000n])
  const receipt = await sent.wait()
  expect([receipt?.status, receipt?.logs.length]).toEqual([1, 1])
  expect(receipt?.gasUsed).toBe((await provider.getTransactionReceipt(sent.hash))?.gasUsed)
  expect(await token.getFunction('balanceOf')(BEN)).toBe(parseEther('5'))
  expect(await heard).toBe(parseEther('5'))
  await token.removeAllListeners()
  const filtered = await token.queryFilter(token.getEvent('Transfer')(null, BEN), 0)
  expect(filtered.map((log) => [log.transactionHash, log.blockNumber])).toEqual([[sent.hash, receipt?.blockNumber]])
  // What the block says and what the chain keeps are one.
  const block = await provider.getBlock(receipt?.blockNumber ?? 0, true)
  expect(block?.prefetchedTransactions.map((one) => one.hash)).toContain(sent.hash)
  expect(block?.hash).toBe(box.chain.headerAt(receipt?.blockNumber ?? 0)?.hash)
  // Its balance before: the state of older blocks is there too.
  expect(await token.getFunction('balanceOf')(BEN, { blockTag: (receipt?.blockNumber ?? 1) - 1 })).toBe(0n)
})

it('money, contracts, reverts and proofs as a wallet meets them', async () => {
  const { url } = await openVillage()
  const { provider, wallet } = connect(url)
  const paid = await (await wallet.sendTransaction({ to: BEN, value: parseEther('1') })).wait()
  expect([paid?.status, paid?.gasUsed, await provider.getBalance(BEN)]).toEqual([1, 21_000n, parseEther('1')])

  // Two at once: the pending count keeps them apart.
  const both = [await wallet.sendTransaction({ to: BEN, value: 1n }), await wallet.sendTransaction({ to: BEN, value: 2n })]
  expect((both[1]?.nonce ?? 0) - (both[0]?.nonce ?? 0)).toBe(1)
  for (const one of both) expect((await one.wait())?.status).toBe(1)

  // A transfer of more than there is reverts before it is sent, with the contract's words or data.
  const token = new Contract(TOKEN, ABI, wallet)
  const refused = await token.getFunction('transfer').send(BEN, parseEther('5000')).catch((error: unknown) => error)
  expect(isError(refused, 'CALL_EXCEPTION')).toBe(true)
  const poor = await new Wallet(`0x${toHex(person(30).key)}`, provider).sendTransaction({ to: BEN, value: 1n, gasLimit: 21_000n }).catch((error: unknown) => error)
  expect(isError(poor, 'INSUFFICIENT_FUNDS')).toBe(true)

  // PUSH1 2a PUSH1 00 MSTORE PUSH1 20 PUSH1 00 RETURN, behind what copies it out.
  const answer = await new ContractFactory(new Interface(['function any() view returns (uint256)']), '0x600a600c600039600a6000f3602a60005260206000f3', wallet).deploy()
  await answer.waitForDeployment()
  expect(BigInt(await provider.call({ to: await answer.getAddress() }))).toBe(42n)
  expect(await provider.getCode(await answer.getAddress())).toBe('0x602a60005260206000f3')

  const proof = (await provider.send('eth_getProof', [TOKEN, ['0x3'], 'latest'])) as { accountProof: string[]; storageHash: Hash; storageProof: { value: string; proof: string[] }[] }
  const known = await provider.send('eth_getBlockByNumber', ['latest', false]) as { stateRoot: Hash; number: string }
  const at = (await provider.send('eth_getProof', [TOKEN, ['0x3'], known.number])) as typeof proof
  const nodes = nodeSet(native, at.accountProof.map((node) => fromHex(node)))
  expect(readAccount(native, known.stateRoot, TOKEN.toLowerCase() as Address, nodes)).toMatchObject({ kind: 'read', value: { storageRoot: at.storageHash } })
  const [slot] = at.storageProof
  expect(readSlot(native, at.storageHash, 3n, nodeSet(native, (slot?.proof ?? []).map((node) => fromHex(node))))).toEqual({ kind: 'read', value: parseEther('1000') })
  expect(await provider.send('tribe_getStatus', [])).toMatchObject({ leaderList: [LEADER.address], signerList: [LEADER.address] })
  expect(await provider.send('tribe_pocGetStatus', [])).toEqual({ normal: [], stopped: [], black: [], locked: [] })
})
