/** `meshbox chain new FILE`: makes a community's own chain. Needs no service. */
import { SystemClock, systemRandomness } from '../../base/io/system.ts'
import { argument, numberOption, textOption, usageError } from '../command.ts'
import type { CommandSpec, Context } from '../command.ts'
import type { Address } from '../../spectrum/index.ts'
import type { CommunitySettings } from '../../spectrum/community/index.ts'
import { writeNewFile } from '../files.ts'
import { wrap } from '../text.ts'
import { channelAccounts, channelsIn } from './chain-channels.ts'
import { SMT_DECIMALS, addressList, addressOf, amountList, amountOf, descriptionJson, descriptionText } from './chain-file.ts'

const DAY_SECONDS = 86_400
const MAX_PERIOD_SECONDS = 3600
const MAX_CHAIN_ID = Number.MAX_SAFE_INTEGER
/** Chosen ids lie far above those of public networks, and fit the handshake's 32 bits. */
const CHOSEN_ID = { from: 1_000_000_000, count: 1_000_000_000 } as const
/** Every block's hash depends on it: clocks that are a little late can still start. */
const STARTED_AGO_SECONDS = 60
const MIN_DEPOSIT_SMT = '100'
const HALVING_DAYS = 365
const WITHDRAW_DAYS = 14
/** No secret, and the service, which is not root, has to read it. */
const PUBLIC_FILE_MODE = 0o644
const MAX_BLOCKS = 2 ** 32 - 1

export const chainNew: CommandSpec = {
  words: ['chain', 'new'],
  summary: "make a community's own chain: a file that other boxes join with",
  details: `FILE must not exist yet. It holds no secret: give it to everybody who joins, and
compare the genesis hash. Leaders seal the first block of each round and stand in
for others; name one now and a second as soon as there is another box. A box's
miner address is shown by meshbox identity. The owner is a wallet, the first of the
allocations if you name none. Amounts are in SMT. Works without the service.`,
  arguments: [{ name: 'FILE' }],
  options: [
    { name: 'name', value: 'NAME', help: '1 to 32 of a-z, 0-9 and - (needed)' },
    { name: 'leaders', value: 'A,B', help: 'addresses of 1 to 5 boxes that lead, in turn (needed)' },
    { name: 'owner', value: 'ADDRESS', help: 'wallet that adds and removes leaders' },
    { name: 'miners', value: 'A=N,B=N', help: 'boxes that take part at once, and deposits' },
    { name: 'allocations', value: 'A=N,B=N', help: 'who has how much SMT at the start' },
    { name: 'token', value: 'NAME,SYM,N,A', help: "own token: name, symbol, supply, holder" },
    { name: 'period', value: 'SECONDS', help: 'a block every SECONDS - 1 (default: 15)' },
    { name: 'round', value: 'BLOCKS', help: 'blocks in a round (default: fits the miners)' },
    { name: 'chain-id', value: 'N', help: 'number of the chain in signatures (default: drawn)' },
    { name: 'bootnodes', value: 'URL,URL', help: 'enode addresses that joining boxes ask first' },
  ],
  run: async (context) => {
    const { describe, encodeJoinFile, fitSignerLimit, genesisContracts, inspect, newCommunity } = await import('./chain-room.ts')
    const curve = inspect.toolCurve()
    const settings = settingsOf(context, fitSignerLimit)
    const contracts = genesisContracts((bytes) => curve.keccak256(bytes), settings.chainId)
    const community = newCommunity(curve, { ...settings, moreContracts: channelAccounts(contracts) })
    const channels = channelsIn(community.network, contracts)
    const bootnodes = textOption(context, 'bootnodes')?.split(',') ?? []
    const text = encodeJoinFile(curve, { community, bootnodes, staticPeers: [], checkpointKeys: [] })
    const made = describe(curve, community.network)
    const path = writeNewFile(context.io, argument(context, 0), text, PUBLIC_FILE_MODE)
    return { json: { path, ...descriptionJson(made, channels) }, text: `${descriptionText(made, channels)}\n\n${wrap(`Written to ${path}. Next: meshbox chain join ${path}, on this box and on every other.`)}` }
  },
}

/** A wallet, never a miner's key: that one signs a transaction in each of its blocks, and their nonces would cross. */
function ownerOf(owner: string | undefined, allocations: readonly { readonly address: Address }[]): Address {
  if (owner !== undefined) return addressOf('owner', owner)
  const [first] = allocations
  if (first === undefined) throw usageError('--owner is needed: the wallet that may add and remove leaders later')
  return first.address
}

function settingsOf(context: Context, fitSignerLimit: (miners: number) => number): CommunitySettings {
  const name = textOption(context, 'name')
  if (name === undefined) throw usageError('--name is needed')
  const leaders = addressList('leaders', textOption(context, 'leaders'))
  const [first] = leaders
  if (first === undefined) throw usageError('--leaders is needed: the address of this box, as meshbox identity shows it')
  const owner = textOption(context, 'owner')
  const allocations = amountList('allocations', textOption(context, 'allocations'))
  const miners = amountList('miners', textOption(context, 'miners'))
  const periodSeconds = numberOption(context, 'period', 2, MAX_PERIOD_SECONDS) ?? 15
  const blocksPerDay = Math.floor(DAY_SECONDS / (periodSeconds - 1))
  const chainId = numberOption(context, 'chain-id', 1, MAX_CHAIN_ID) ?? drawChainId()
  return {
    name,
    chainId: BigInt(chainId),
    periodSeconds,
    epochBlocks: blocksPerDay,
    signerLimit: numberOption(context, 'round', 1, 256) ?? fitSignerLimit(miners.length),
    startSeconds: Math.floor(new SystemClock().wallMs() / 1000) - STARTED_AGO_SECONDS,
    owner: ownerOf(owner, allocations),
    leaders,
    miners: miners.map(({ address, amountWei }) => ({ miner: address, owner: address, depositWei: amountWei })),
    minDepositWei: miners.reduce((least, { amountWei }) => (amountWei < least ? amountWei : least), amountOf('miners', MIN_DEPOSIT_SMT)),
    halvingBlocks: Math.min(MAX_BLOCKS, HALVING_DAYS * blocksPerDay),
    withdrawWaitBlocks: Math.min(MAX_BLOCKS, WITHDRAW_DAYS * blocksPerDay),
    allocations: allocations.map(({ address, amountWei }) => ({ address, balanceWei: amountWei })),
    token: tokenOf(textOption(context, 'token')),
  }
}

function tokenOf(text: string | undefined): CommunitySettings['token'] {
  if (text === undefined) return null
  const [name, symbol, supply, holder, ...more] = text.split(',').map((part) => part.trim())
  if (name === undefined || symbol === undefined || supply === undefined || holder === undefined || more.length > 0) throw usageError(`--token: '${text}' is not NAME,SYMBOL,SUPPLY,HOLDER`)
  return { name, symbol, decimals: SMT_DECIMALS, supply: amountOf('token', supply), holder: addressOf('token', holder) }
}

function drawChainId(): number {
  const [a = 0, b = 0, c = 0, d = 0] = systemRandomness.bytes(4)
  return CHOSEN_ID.from + ((((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % CHOSEN_ID.count)
}
