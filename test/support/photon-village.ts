/**
 * A village that pays by channels: the hall's box seals the chain from beyond the WAN cable, our box and the neighbour's only
 * verify it and have a channel, a guest pays by the second. So whoever pulls the cable takes the chain's view from both, and
 * leaves them each other. Shared by the end-to-end test and `make run`.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Contract, JsonRpcApiProvider, Network, parseEther, type JsonRpcPayload, type JsonRpcResult, type Wallet } from 'ethers'
import { silentLog } from '../../src/base/index.ts'
import { systemRandomness } from '../../src/base/io/system.ts'
import { formatUci, type PlainSection } from '../../src/config/index.ts'
import { openIdentity } from '../../src/identity/index.ts'
import { loadSecp256k1 } from '../../src/native/index.ts'
import type { EntriesJson, PhotonChannelJson, PhotonChannelsJson, PhotonStatusJson } from '../../src/owner/index.ts'
import { GENESIS_ADDRESSES } from '../../src/photon/contracts/index.ts'
import { COMMUNITY_ADDRESSES } from '../../src/spectrum/community/index.ts'
import { formatEnode } from '../../src/spectrum/source/index.ts'
import type { Host, Namespace } from './netns.ts'
import { NODE, ROOT, boxFiles, startService, waitFor, type BoxFiles, type Service } from './town-services.ts'

export const CHANNELS = GENESIS_ADDRESSES.PhotonV2
/** The coin as a token, which channels hold. */
export const WRAPPED = COMMUNITY_ADDRESSES.WrappedSmt
const CHAIN_PORT = 60_303
const PEER_PORT = 60_402
const RPC_PORT = 18_545
/** Blocks: as short as 17 blocks of waiting and an answer allow. With a block a second, also seconds. */
export const SETTLE_BLOCKS = 36
/** Tokens that a neighbour may owe while nobody sees the chain. */
export const EXPOSURE = '0.5'
export const PRICE_PER_MINUTE = '0.6'
/** Worth of a slip of paper. */
export const SLIP_TOKENS = '2'

/** Where a box's files are, and what others have to know of it. */
export interface Home {
  readonly files: BoxFiles
  /** Where others reach it. */
  readonly address: string
  readonly miner: string
  readonly account: `0x${string}`
  readonly enode: string
}

/** A box that was switched on for the first time: it has a book and keys, and no roles yet. `address`: where others will reach it. */
export async function firstStart(host: Host, dir: string, address: string): Promise<Home> {
  mkdirSync(dir, { recursive: true })
  const files = boxFiles(dir)
  writeFileSync(files.config, formatUci([mainSection(files, 'New box', []), OWNER_SECTION]))
  await (await startService(host, files)).stop()
  return homeOf(files, address)
}

/** Of one that has been on. */
export async function homeOf(files: BoxFiles, address: string): Promise<Home> {
  const identity = await openIdentity({ dataDir: files.dataDir, randomness: systemRandomness, log: silentLog })
  const nodeId = loadSecp256k1(null).publicKeyOf(identity.deriveSecret('chain-node')).subarray(1)
  return {
    files,
    address,
    miner: identity.addressFor('chain-miner').toLowerCase(),
    account: identity.addressFor('photon-account').toLowerCase() as `0x${string}`,
    enode: formatEnode({ nodeId, address, tcpPort: CHAIN_PORT, udpPort: CHAIN_PORT }),
  }
}

const mainSection = (files: BoxFiles, name: string, roles: readonly string[]): PlainSection => ({
  type: 'meshbox',
  name: 'main',
  options: { name, data_dir: files.dataDir, control_socket: files.socket, log_level: 'debug', log_style: 'time', clock_trust: 'always', ...(roles.length === 0 ? {} : { roles }) },
})
export const TOKEN_SECTION: PlainSection = { type: 'token', name: 'token', options: { symbol: 'SMT', decimals: '18' } }
const OWNER_SECTION: PlainSection = { type: 'owner', name: 'owner', options: { address: '127.0.0.1' } }

/** `coinbase`: where the coins of its blocks go. */
export function sealerConfig(home: Home, network: string, coinbase: string, peers: readonly Home[]): PlainSection[] {
  return [
    mainSection(home.files, 'Village hall', ['sealer']),
    OWNER_SECTION,
    {
      type: 'chain',
      name: 'chain',
      options: { network, coinbase, listen_address: home.address, rpc_address: '127.0.0.1', rpc_port: String(RPC_PORT), ...enodes(peers) },
    },
  ]
}

export function neighbourConfig(home: Home, network: string, hall: Home, partner: Home, moreTokens: readonly string[] = []): PlainSection[] {
  return [
    mainSection(home.files, 'Neighbour', ['light', 'photon']),
    TOKEN_SECTION,
    OWNER_SECTION,
    { type: 'chain', name: 'chain', options: { network, ...enodes([hall]) } },
    photonSection(home, partner, moreTokens),
  ]
}

/** Channels, and minutes by the second. `moreTokens`: beside the wrapped coin, as the configuration names them. */
export function photonSection(home: Home, partner: Home, moreTokens: readonly string[] = []): PlainSection {
  return channelSection({ tokens: [`${WRAPPED}:SMT:18`, ...moreTokens], listen_address: home.address, peers: [peerAt(partner)], stream_token: WRAPPED, stream_price_per_minute: PRICE_PER_MINUTE })
}

/** Channels in the wrapped coin alone, over whatever connects the boxes. */
export function channelSection(options: PlainSection['options'] = {}, settleBlocks = SETTLE_BLOCKS): PlainSection {
  return {
    type: 'photon',
    name: 'photon',
    options: {
      contract: CHANNELS,
      tokens: [`${WRAPPED}:SMT:18`],
      settle_timeout: String(settleBlocks),
      core_settle_timeout: String(settleBlocks),
      min_settle_timeout: '25',
      reveal_timeout: '4',
      max_offline_exposure: EXPOSURE,
      ...options,
    },
  }
}

/** As `photon.peers` names it. */
export const peerAt = ({ account, address }: Home): string => `${account}@/ip4/${address}/tcp/${PEER_PORT}`

export const SLIP: PlainSection = { type: 'package', name: 'slip', options: { slot: '9', label: `${SLIP_TOKENS} tokens`, tokens: SLIP_TOKENS, price: SLIP_TOKENS, offered: '0' } }

export const enodes = (peers: readonly Home[]): { readonly peers?: readonly string[] } => (peers.length === 0 ? {} : { peers: peers.map(({ enode }) => enode) })

/** JSON-RPC of a box from inside its own network: the cable between it and us may be the one that is pulled. */
export class InsideProvider extends JsonRpcApiProvider {
  readonly #host: Host

  constructor(host: Host, chainId: number) {
    const network = new Network('village', chainId)
    super(network, { staticNetwork: network, batchMaxCount: 1, cacheTimeout: -1, pollingInterval: 500 })
    this.#host = host
    this._start()
  }

  override async _send(payload: JsonRpcPayload): Promise<JsonRpcResult[]> {
    const asked = await this.#host.run('curl', ['-s', '-H', 'content-type: application/json', '--data-binary', '@-', `http://127.0.0.1:${RPC_PORT}/`], { input: JSON.stringify(payload) })
    if (asked.code !== 0) throw new Error(`no JSON-RPC: curl ended with ${asked.code} ${asked.stderr}`)
    return [JSON.parse(asked.stdout) as JsonRpcResult]
  }
}

const TOKEN_ABI = ['function deposit() payable', 'function transfer(address to, uint256 amount) returns (bool)', 'function balanceOf(address) view returns (uint256)']
const CHIEF_BASE_ABI = ['function appendLeader(address)', 'function removeLeader(address)']
const SEND_GAS = 21_000
const CALL_GAS = 100_000

/** The owner's wallet, outside of any box: what he does on the chain before channels can be. Amounts are in whole coins and tokens. */
export class OwnerWallet {
  readonly #wallet: Wallet

  constructor(wallet: Wallet) {
    this.#wallet = wallet
  }

  async sendCoins(accounts: readonly string[], amount: string): Promise<void> {
    for (const to of accounts) await mined(await this.#wallet.sendTransaction({ to, value: parseEther(amount), type: 0, gasLimit: SEND_GAS }))
  }

  async sendTokens(accounts: readonly string[], amount: string, token: string = WRAPPED): Promise<void> {
    for (const to of accounts) await mined(await this.#contract(token).getFunction('transfer').send(to, parseEther(amount), { type: 0, gasLimit: CALL_GAS }))
  }

  async wrap(amount: string): Promise<void> {
    await mined(await this.#contract(WRAPPED).getFunction('deposit').send({ value: parseEther(amount), type: 0, gasLimit: CALL_GAS }))
  }

  /** The office that ChiefBase gives its owner: who leads the sealing. */
  async leaders(verb: 'appendLeader' | 'removeLeader', miner: string): Promise<void> {
    await mined(await new Contract(COMMUNITY_ADDRESSES.ChiefBase, CHIEF_BASE_ABI, this.#wallet).getFunction(verb).send(miner, { type: 0 }))
  }

  async tokensOf(account: string, token: string = WRAPPED): Promise<bigint> {
    return (await this.#contract(token).getFunction('balanceOf')(account)) as bigint
  }

  #contract(token: string): Contract {
    return new Contract(token, TOKEN_ABI, this.#wallet)
  }
}

async function mined(sent: { wait(): Promise<{ status: number | null } | null> }): Promise<void> {
  const receipt = await sent.wait()
  if (receipt?.status !== 1) throw new Error('a transaction of the owner failed')
}

export const channelsOf = async (service: Service): Promise<readonly PhotonChannelJson[]> => (await service.cliJson<PhotonChannelsJson>('channel', 'list')).channels

/** Null: none that is not over. */
export const channelWith = async (service: Service, account: string): Promise<PhotonChannelJson | null> => (await channelsOf(service)).find(({ partner }) => partner.address === account.toLowerCase()) ?? null

export const photonStatus = async (service: Service): Promise<PhotonStatusJson> => {
  const asked = await service.cli('--json', 'channel', 'status') // exit code 1 while there is an alarm
  return JSON.parse(asked.stdout) as PhotonStatusJson
}

export const photonState = (what: string, service: Service, state: PhotonStatusJson['state'], timeoutMs = 90_000): Promise<true> =>
  waitFor(`${what} to be ${state}`, async () => (await photonStatus(service)).state === state, timeoutMs)

/** What the book has taken from a channel by the second, in smallest units. */
export async function bookedFrom(service: Service, channel: string): Promise<bigint> {
  const { entries } = await service.cliJson<EntriesJson>('earnings', 'entries', '--limit', '500')
  const postings = entries.flatMap((entry) => entry.postings).filter(({ account }) => account === `channel:${channel}`)
  return postings.reduce((sum, { amount }) => sum + BigInt(amount.units), 0n)
}

/** What the channel says that its partner has paid us in it, in smallest units. */
export const paidIn = ({ partner }: Pick<PhotonChannelJson, 'partner'>): bigint => BigInt(partner.deposit.units) - BigInt(partner.spendable.units) - BigInt(partner.locked.units)

/** A site on the mesh, such as a school's: it has no need of the Internet. */
export async function startSite(ns: Namespace): Promise<void> {
  ns.spawn(NODE, ['--disable-warning=ExperimentalWarning', join(ROOT, 'test/support/internet-server.ts')])
  await waitFor('the site on the mesh', async () => (await ns.run('curl', ['-s', 'http://127.0.0.1/'])).code === 0)
}
