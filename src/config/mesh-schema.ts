/** Options of `config mesh 'mesh'` and `config uplink '<id>'`: which community, what carrying costs, and the ways out. */
import { isHostName, parseIp } from './network-address.ts'
import { line, listOf, matching, money, oneOf, option, optional, requiredOption, wholeNumber } from './rules.ts'
import type { Rules } from './schema.ts'
import type { MeshConfig, MeshPeer, UplinkConfig } from './types.ts'

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const NO_ADDRESS = /^0x0{40}$/
const isAddress = (text: string): boolean => ADDRESS.test(text) && !NO_ADDRESS.test(text)
const address = matching('address', '0x and 40 hex digits', isAddress)
const interfaceName = matching('interface name', '1 to 15 letters, digits, ., _ or -, the first a letter or digit', (text) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(text))
const community = matching('community', "own, where this box begins the community and signs for it; else the community's address, 0x and 40 hex digits", (text) => text === 'own' || isAddress(text))
const rate = wholeNumber(8, 10_000_000, 'kbit/s')

const peer = {
  kind: 'box',
  allowed: 'address@multiaddress, such as 0x…@/ip6/fd00::7/tcp/60404',
  read: (text: string): MeshPeer | undefined => {
    const at = text.indexOf('@')
    const [box, where] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)]
    const isPlace = where.length <= 255 && /^\/(ip4|ip6|dns4|dns6)\/[0-9a-zA-Z.:-]+\/tcp\/[1-9]\d{0,4}(\/p2p\/[0-9A-Za-z]+)?$/.test(where)
    return isAddress(box) && isPlace ? { box: box.toLowerCase(), address: where } : undefined
  },
}

/** `1.1.1.1`, `2606:4700::1111`, `[2606:4700::1111]:443`, `example.org:443`; without a port, DNS is asked there. */
function isProbeTarget(text: string): boolean {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^[\]:]+))(?::([1-9]\d{0,4}))?$/.exec(text)
  if (match === null) return text.includes(':') && parseIp(text) !== null
  const [, six, plain, port] = match
  if (port !== undefined && Number(port) > 65_535) return false
  if (six !== undefined) return parseIp(six)?.length === 16
  return plain !== undefined && (parseIp(plain) !== null || (port !== undefined && isHostName(plain, 2)))
}

export const MESH: Rules<MeshConfig> = {
  community: optional(community, 'no mesh: join one with `meshbox join`, or write own', { doc: 'The community whose boxes this one talks with and carries for.', restart: true }),
  communityName: option(line(32), 'MeshBox', 'MeshBox', { doc: 'Name of the community; on the codes that a box which begins one gives out.', restart: true }),
  interface: option(interfaceName, 'bat0', 'bat0', { doc: "batman-adv's interface.", restart: true }),
  ulaPrefix: optional(matching('prefix', 'fdxx:xxxx:xxxx:xxxx::/64, without leading zeros', (text) => /^fd[0-9a-f]{2}(:(0|[1-9a-f][0-9a-f]{0,3})){2,3}::\/64$/.test(text)), 'whatever address the interface has that begins with fd', { doc: "Addresses of the mesh; who has one of them is a neighbour, and everybody else is on the Internet.", restart: true }),
  listenPort: option(wholeNumber(49_152, 65_535, 'port'), 60_404, '60404', { doc: 'TCP port for other boxes, on the mesh interface.', restart: true }),
  peers: listOf(peer, 32, { value: [], text: 'none: neighbours find each other' }, { doc: 'Boxes elsewhere that it always connects to.', restart: true }),
  maxPeers: option(wholeNumber(1, 64, 'boxes'), 50, '50', { doc: 'Boxes it is connected with at once.', restart: true }),
  token: optional(address, 'nothing is asked for carrying, and nothing is paid', { doc: 'Token that carrying is paid in, by payment channels.', restart: true }),
  pricePerMib: option(money, 0n, '0', { doc: "What this box keeps for a MiB (1048576 bytes) that it carries for a neighbour, on top of what the next box asks." }),
  settleAmount: option(money, 0n, '0', { doc: 'What is owed for carrying is paid when it is so much, or a minute old; 0: each minute.', restart: true }),
  maxDebt: option(money, 0n, '0', { doc: 'What a neighbour may owe before nothing more is carried for it; 0: the price of 64 MiB.', restart: true }),
  maxPricePerMib: option(money, 0n, '0', { doc: 'A neighbour that asks more for a MiB does not carry for this box; 0: any price is taken.' }),
  spendPerDay: option(money, 0n, '0', { doc: 'The most that the box spends in a day on being carried by neighbours; 0: it buys nothing.' }),
  roamSecondsWithoutKey: option(wholeNumber(30, 86_400, 'seconds'), 120, '120', { doc: 'What other boxes may count in all of the time of a guest of this box whose key keeps it, between two times that he shows the key.' }),
  roamEnforcement: option(oneOf('exit', 'access'), 'exit', 'exit', { doc: 'Where guests from other boxes are let through: `exit` at the box with the way out alone, `access` at the box whose Wi-Fi they use too.', restart: true }),
  roamPricePerMinute: option(money, 0n, '0', { doc: "What boxes of other owners pay this one for a minute that their guest uses here." }),
  upstreamCap: option(money, 0n, '0', { doc: 'The most that the box spends in a day, of its own money, on ways out that it buys (max_price_per_minute of section uplink), all together; 0: it buys none.' }),
}

export const UPLINK: Rules<Omit<UplinkConfig, 'id'>> = {
  interface: requiredOption(interfaceName, { doc: 'Interface that leads out.', restart: true }),
  kind: option(oneOf('ethernet', 'lte', 'satellite', 'wifi', 'neighbour'), 'ethernet', 'ethernet', { doc: 'What it is: how long an answer may take follows from it.', restart: true }),
  costPerMib: option(money, 0n, '0', { doc: 'What a MiB over it costs this box; 0: a flat rate.', restart: true }),
  maxPricePerMinute: option(money, 0n, '0', { doc: "Where it leads to the paid Wi-Fi of another MeshBox: the most that a minute there may cost. Minutes are then bought with this box's own money, up to mesh.upstream_cap in a day; 0: none are bought.", restart: true }),
  downKbit: option(rate, 10_000, '10000', { doc: 'Download rate that is told to the mesh.', restart: true }),
  upKbit: option(rate, 2000, '2000', { doc: 'Upload rate that is told to the mesh.', restart: true }),
  probes: listOf(
    matching('probe', 'an IP address, asked by DNS; or address:port or name:port, connected to by TCP', isProbeTarget),
    4,
    { value: ['1.1.1.1', '9.9.9.9'], text: '1.1.1.1, 9.9.9.9' },
    { doc: 'Who has to answer for it to count as good.', restart: true },
  ),
}
