/** Options of `config photon 'photon'`: which channel contract, with which boxes, on which terms. */
import { isWildcard, parseIp } from './network-address.ts'
import { flag, listOf, matching, money, oneOf, option, optional, wholeNumber } from './rules.ts'
import type { Rules } from './schema.ts'
import type { PhotonConfig, PhotonLanNode, PhotonPeer, PhotonToken } from './types.ts'

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const NO_ADDRESS = /^0x0{40}$/
const isAddress = (text: string): boolean => ADDRESS.test(text) && !NO_ADDRESS.test(text)
const address = matching('address', '0x and 40 hex digits', isAddress)
const blocks = (least: number): ReturnType<typeof wholeNumber> => wholeNumber(least, 2_700_000, 'blocks')
const ownAddress = matching('IP address', 'one address of the box; not 0.0.0.0 or ::', (text) => parseIp(text) !== null && !isWildcard(text))

const token = {
  kind: 'token',
  allowed: "address:symbol:decimals, such as 0x…:SMT:18; a symbol of 1 to 12 letters and digits, 0 to 36 decimals",
  read: (text: string): PhotonToken | undefined => {
    const [found = '', symbol = '', decimals = '', more] = text.split(':')
    if (more !== undefined || !isAddress(found) || !/^[A-Za-z0-9]{1,12}$/.test(symbol) || !/^\d{1,2}$/.test(decimals) || Number(decimals) > 36) return undefined
    return { address: found.toLowerCase(), symbol, decimals: Number(decimals) }
  },
}
const peer = {
  kind: 'box',
  allowed: "account@multiaddress, such as 0x…@/ip4/192.0.2.7/tcp/60402 (`meshbox channel status` of that box shows it)",
  read: (text: string): PhotonPeer | undefined => {
    const at = text.indexOf('@')
    const [account, where] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)]
    const isPlace = where.length <= 255 && /^\/(ip4|ip6|dns4|dns6)\/[0-9a-zA-Z.:-]+\/tcp\/[1-9]\d{0,4}(\/p2p\/[0-9A-Za-z]+)?$/.test(where)
    return isAddress(account) && isPlace ? { account: account.toLowerCase(), address: where } : undefined
  },
}

const lanAddress = matching('IPv4 address', "one IPv4 address of the box on the owner's network; not 0.0.0.0", (text) => parseIp(text)?.length === 4 && !text.includes(':') && !isWildcard(text))
const lanNode = {
  kind: 'node',
  allowed: 'account@address:port, such as 0x…@192.168.1.7:40001',
  read: (text: string): PhotonLanNode | undefined => {
    const [account = '', endpoint = '', more] = text.split('@')
    const [host = '', port = '', rest] = endpoint.split(':')
    const isPlace = more === undefined && rest === undefined && parseIp(host)?.length === 4 && !isWildcard(host) && /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535
    return isAddress(account) && isPlace ? { account: account.toLowerCase(), endpoint } : undefined
  },
}

export const PHOTON: Rules<PhotonConfig> = {
  contract: optional(address, 'no payment channels', { doc: 'The channel contract (PhotonV2) on the chain; `meshbox chain new` puts one into a new chain.', restart: true }),
  firstBlock: option(wholeNumber(0, 2 ** 32 - 1, 'block'), 1, '1', { doc: 'Block in which the contract was made: nothing is looked for before it.', restart: true }),
  tokens: listOf(token, 16, { value: [], text: 'none: tokens are shown by address, in smallest units, and no channel in them carries for others' }, { doc: 'Tokens that this box knows by name, and takes core channels in.', restart: true }),
  listenAddress: optional(ownAddress, 'other boxes cannot connect to this one; it connects to them', { doc: "Address on the mesh at which other boxes reach this one. Never an address of the guests' network.", restart: true }),
  listenPort: option(wholeNumber(1, 65_535, 'port'), 60_402, '60402', { doc: 'TCP port for other boxes.', restart: true }),
  listenZones: listOf(oneOf('mesh', 'wan'), 2, { value: [], text: 'none: closed to the mesh and to the Internet' }, { doc: "From where other boxes may connect through the router's firewall, while `listen_address` is set: the mesh, the Internet. TCP at `listen_port` and nothing else is opened, and only for a port from 49152 up.", restart: true }),
  peers: listOf(peer, 32, { value: [], text: 'none' }, { doc: 'Boxes it always connects to.', restart: true }),
  maxPeers: option(wholeNumber(1, 64, 'boxes'), 32, '32', { doc: 'Boxes it is connected with at once.', restart: true }),
  settleTimeout: option(blocks(6), 600, '600', { doc: 'Blocks that a closed channel waits for the other side, in channels that are no core channels. Shorter frees money sooner; longer lets a box be away longer.', restart: true }),
  minSettleTimeout: option(blocks(6), 77, '77', { doc: 'Channels that settle faster are not paid into, and nothing is taken from them. At least 17 and twice reveal_timeout.', restart: true }),
  revealTimeout: option(wholeNumber(3, 10_000, 'blocks'), 30, '30', { doc: 'Blocks it takes for sure to bring a secret to the chain.', restart: true }),
  maxOfflineExposure: option(money, 0n, '0', { doc: 'The most that is taken from one partner while the chain is out of view: what a partner could take back then.', restart: true }),
  feeConstant: option(money, 0n, '0', { doc: 'Fee for each payment carried for others.', restart: true }),
  feePpm: option(wholeNumber(0, 1_000_000, 'parts per million'), 100, '100', { doc: 'Fee of the amount of each payment carried for others, on top.', restart: true }),
  coreMinDeposit: option(money, 0n, '0', { doc: 'What each side has to put into a channel that carries payments for others.', restart: true }),
  coreSettleTimeout: option(blocks(6), 40_000, '40000', { doc: 'Blocks that a closed core channel waits: both boxes may be away for days.', restart: true }),
  topUpPerDay: option(money, 0n, '0', { doc: "What the box may put of its own into core channels that run dry, in a day and each token; 0: the owner does it. Money is also moved in circles, for a tenth of a percent at most.", restart: true }),
  watchReward: option(money, 0n, '0', { doc: 'What a neighbour gets when it posts the newest state of a channel for this box; 0: nobody is asked.', restart: true }),
  watchMinReward: option(money, 0n, '0', { doc: "The least for which this box watches a neighbour's channel, which may cost it gas; 0: it watches for nobody.", restart: true }),
  maxGasPriceGwei: option(wholeNumber(1, 1_000_000, 'Gwei'), 1000, '1000', { doc: 'The most that is paid for gas when a deadline comes near.', restart: true }),
  streamToken: optional(address, 'minutes are not sold by the second', { doc: 'Token that guests pay minutes with by the second, in a channel with this box.', restart: true }),
  streamPricePerMinute: option(money, 0n, '0', { doc: "Price of a minute paid by the second; 0: the tariff's `price_per_minute`." }),
  streamMinDeposit: option(money, 0n, '0', { doc: "The least a guest's channel has to hold.", restart: true }),
  streamClaimThreshold: option(money, 0n, '0', { doc: 'What a guest has to have paid before the box spends gas on claiming it while the channel stays open; 0: only when the channel closes or runs out.', restart: true }),
  purse: optional(address, "the one of a new chain's first block where `contract` is too, else none", { doc: 'The purse (Purse) on the chain, in which guests without coin for gas have tokens; it must be of `contract`.', restart: true }),
  orderFee: option(money, 0n, '0', { doc: "What the box takes, in `stream_token`, for each order of a guest that it sends and pays the gas of: to open or fill his channel from the purse, to send his tokens to somebody, to end his channel. It has to be worth the gas; 0: no such orders are taken.", restart: true }),
  rest: option(flag, false, '0', { doc: "The original node's REST interface, `/api/1` and `/api/2`, on the owner's door, for programs with the owner's password or the token in `photon-token` of `data_dir`: see docs/photon-rest.md.", restart: true }),
  v1Contract: optional(address, 'no channels with nodes of the original Photon', { doc: 'The original channel contract (TokensNetwork) on the chain: the box keeps channels of it, beside its own, with original nodes on the LAN. See docs/photon-v1.md before switching it on.', restart: true }),
  v1FirstBlock: option(wholeNumber(0, 2 ** 32 - 1, 'block'), 1, '1', { doc: 'Block in which that contract was made.', restart: true }),
  v1ListenAddress: optional(lanAddress, 'missing: needed where `v1_contract` is given', { doc: "Address at which original nodes reach the box: of the owner's network, never of the guests'. Their packets are signed and not private, and nobody outside that network is heard.", restart: true }),
  v1ListenPort: option(wholeNumber(1, 65_535, 'port'), 40_001, '40001', { doc: 'UDP port for original nodes.', restart: true }),
  v1Mdns: option(flag, true, '1', { doc: 'Be found by original nodes, and find them, by mDNS (`_photon`) on that network.', restart: true }),
  v1Nodes: listOf(lanNode, 64, { value: [], text: 'none' }, { doc: 'Where original nodes are; what is said here stands above what mDNS says, which nobody signs.', restart: true }),
  v1Trusted: listOf(address, 32, { value: [], text: 'none' }, { doc: 'Accounts of original nodes for whom the box signs that a channel ends at once, or that they take money out. Such a signature never ends, and can be used to take what the box was paid: only nodes of your own.', restart: true }),
}
