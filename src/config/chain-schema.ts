/** Options of `config chain 'chain'`: which Spectrum chain the box follows or seals, with whom, and who may ask it. */
import { isWildcard, parseIp } from './network-address.ts'
import { absolutePath, flag, listOf, matching, oneOf, option, optional, wholeNumber } from './rules.ts'
import type { Rules } from './schema.ts'
import type { ChainConfig } from './types.ts'

const PUBLIC_CHAINS = ['none', 'mainnet', 'testnet', 'devnet']
const chainName = matching('chain', `${PUBLIC_CHAINS.join(', ')}, or the absolute path of a community's join file`, (text) => PUBLIC_CHAINS.includes(text) || absolutePath().read(text, { decimals: null }) !== undefined)
const enode = matching('enode URL', 'enode://, 128 hex digits, @, an IP address, : and a port', (text) => {
  const match = /^enode:\/\/[0-9a-f]{128}@(\[[0-9a-fA-F:.]+\]|[0-9.]+):([1-9]\d{0,4})(\?discport=\d{1,5})?$/.exec(text)
  return match !== null && parseIp((match[1] ?? '').replace(/^\[|\]$/g, '')) !== null && Number(match[2]) <= 65_535
})
const serverUrl = matching('URL', 'an http or https URL of at most 255 characters', (text) => text.length <= 255 && /^https?:\/\/[\x21-\x7e]+$/.test(text) && URL.canParse(text))
const ownAddress = matching('IP address', 'one address of the box; not 0.0.0.0 or ::', (text) => parseIp(text) !== null && !isWildcard(text))
const port = wholeNumber(1, 65_535, 'port')

export const CHAIN: Rules<ChainConfig> = {
  network: option(chainName, 'none', 'none', { doc: "The chain: one of the public ones, or the join file of a community's own (`meshbox chain new`, `meshbox chain join`).", restart: true }),
  peers: listOf(enode, 16, { value: [], text: 'none' }, { doc: 'Nodes it always connects to.', restart: true }),
  bootnodes: listOf(enode, 16, { value: [], text: 'none: no other nodes are looked for' }, { doc: 'Nodes that are asked for other nodes.', restart: true }),
  servers: listOf(serverUrl, 8, { value: [], text: 'none' }, { doc: 'JSON-RPC servers that carry blocks; nothing they say is believed without proof.', restart: true }),
  listenAddress: optional(
    matching('IP address', 'an IPv4 or IPv6 address; 0.0.0.0 or :: for all', (text) => parseIp(text) !== null),
    'other nodes cannot connect to this one',
    { doc: 'Address other nodes connect to. Leave it out on a box behind somebody else\'s router.', restart: true },
  ),
  listenPort: option(port, 60_303, '60303', { doc: 'TCP and UDP port for other nodes.', restart: true }),
  listenZones: listOf(oneOf('mesh', 'wan'), 2, { value: [], text: 'none: closed to the mesh and to the Internet' }, { doc: "From where other nodes may connect through the router's firewall, while `listen_address` is set: the mesh, the Internet. TCP at `listen_port` and nothing else is opened, and only for a port from 49152 up. The owner's network always may.", restart: true }),
  maxPeers: option(wholeNumber(1, 50, 'nodes'), 8, '8', { doc: 'Nodes it is connected with at once.', restart: true }),
  checkpointFile: optional(absolutePath(), 'a community\'s chain starts at its genesis, a public one not at all', { doc: 'Signed checkpoint the chain is started from.', restart: true }),
  checkpointKeys: listOf(
    matching('Ed25519 public key', '64 hex digits', (text) => /^[0-9a-f]{64}$/.test(text)),
    8,
    { value: [], text: 'none' },
    { doc: 'Whose checkpoints are believed; two of them have to have signed.', restart: true },
  ),
  coinbase: optional(
    matching('address', '0x and 40 hex digits', (text) => /^0x[0-9a-fA-F]{40}$/.test(text) && !/^0x0{40}$/.test(text)),
    'this box seals no blocks',
    { doc: "The owner's address: block rewards and gas of sealed blocks go there.", restart: true },
  ),
  minGasPriceGwei: option(wholeNumber(0, 1_000_000, 'Gwei'), 18, '18', { doc: 'Least gas price of transactions that this box passes on and seals.', restart: true }),
  rpcAddress: optional(ownAddress, 'no JSON-RPC', { doc: "Address on the owner's side at which wallets reach the box's JSON-RPC.", restart: true }),
  rpcPort: option(port, 18_545, '18545', { doc: 'Port of the JSON-RPC.', restart: true }),
  guestRpc: option(flag, true, '1', { doc: "Guests with a running session may ask the chain at /rpc of the guest page: a wallet's few methods, at a low rate.", restart: true }),
}
