/** The lab's own chain: one signer in the box, two seconds a period, a wrapped SMT and a token; and a wallet that uses it. */
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { Contract, JsonRpcProvider, Wallet, formatUnits, parseUnits, type Provider } from 'ethers'
import { editUci, writeConfigFile, type UciEdit } from '../../src/config/index.ts'
import type { Host } from '../../test/support/netns.ts'
import { startService, waitFor, type BoxFiles, type Service } from '../../test/support/town-services.ts'
import type { SettingsJson } from '../../src/owner/index.ts'
import { claim, note } from './say.ts'

/** Of the words "test … junk" that every chain's developers use: a key that everybody knows. */
const OWNER_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
export const BEN = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const PORT = 18_545
const TOKEN_ABI = ['function transfer(address to, uint256 amount) returns (bool)', 'function balanceOf(address) view returns (uint256)']

export interface LabChain {
  readonly url: string
  readonly chainId: number
  readonly token: string
  /** The join file. */
  readonly network: string
}

/** Starts the box once to learn its miner's address, makes the chain, and writes it into the configuration. `chainAddress`: where other nodes find it; null: there are none. */
export async function giveChain(host: Host, files: BoxFiles, folder: string, ownerAddress: string, chainAddress: string | null): Promise<LabChain> {
  const wallet = new Wallet(OWNER_KEY).address
  const file = join(folder, 'village.json')
  const service = await startService(host, files)
  try {
    const { minerAddress } = await service.cliJson<SettingsJson['identity']>('identity', 'show')
    const made = await service.cliJson<{ chainId: string; tokens: { address: string; symbol: string }[] }>(
      ...['chain', 'new', file, '--name', 'village', '--leaders', minerAddress, '--owner', wallet, '--period', '2'],
      ...['--allocations', `${wallet}=1000`, '--token', `Village Token,VTK,1000000,${wallet}`],
    )
    const token = made.tokens.find(({ symbol }) => symbol === 'VTK')
    if (token === undefined) throw new Error('the chain has no token of its own')
    const chain: UciEdit = { do: 'add-section', section: { type: 'chain', name: 'chain', options: { network: file, coinbase: wallet, ...(chainAddress === null ? {} : { listen_address: chainAddress }), rpc_address: ownerAddress, rpc_port: String(PORT) } } }
    const role: UciEdit = { do: 'set-list', section: { name: 'main' }, option: 'roles', values: ['hotspot', 'sealer'] }
    writeConfigFile(files.config, editUci(readFileSync(files.config, 'utf8'), [role, chain]))
    return { url: `http://${ownerAddress}:${PORT}`, chainId: Number(made.chainId), token: token.address, network: file }
  } finally {
    await service.stop()
  }
}

export function ownerKey(provider: Provider): Wallet {
  return new Wallet(OWNER_KEY, provider)
}

export function providerOf(chain: LabChain): JsonRpcProvider {
  return new JsonRpcProvider(chain.url, { chainId: chain.chainId, name: 'village' }, { staticNetwork: true, pollingInterval: 250, cacheTimeout: -1 })
}

export async function headNumber(chain: LabChain): Promise<number> {
  const provider = providerOf(chain)
  try {
    return await provider.getBlockNumber()
  } finally {
    provider.destroy()
  }
}

export async function tellOfChain(chain: LabChain, service: Service, him: string): Promise<void> {
  const provider = providerOf(chain)
  try {
    const from = await provider.getBlockNumber()
    const to = await waitFor('two more blocks', async () => {
      const number = await provider.getBlockNumber()
      return number >= from + 2 && number
    }, 60_000)
    claim(`the box seals its community's chain: block ${from}, block ${to}`, true)
    const wallet = ownerKey(provider)
    const token = new Contract(chain.token, TOKEN_ABI, wallet)
    const amount = parseUnits('5', 18)
    const before = (await token.getFunction('balanceOf')(BEN)) as bigint
    const sent = await token.getFunction('transfer').send(BEN, amount, { type: 0 })
    const receipt = await sent.wait()
    const after = (await token.getFunction('balanceOf')(BEN)) as bigint
    claim(`a wallet sends ${him} 5 tokens; in block ${receipt?.blockNumber}, ${receipt?.gasUsed} gas`, receipt?.status === 1 && after - before === amount, `${before} to ${after}`)
    const balance = await provider.getBalance(wallet.address)
    note(`the owner's wallet has ${formatUnits(balance, 18)} SMT: 1000 at the start, and what its blocks earned`)
    const proof = (await provider.send('eth_getProof', [chain.token, [], 'latest'])) as { accountProof: string[] }
    claim('and any balance comes with its proof', proof.accountProof.length > 0)
    note((await service.cli('chain', 'status')).stdout.trimEnd())
  } finally {
    provider.destroy()
  }
}
