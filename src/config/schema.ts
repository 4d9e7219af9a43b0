/**
 * Every option of the configuration, once: kind, default, range, what it is for, and whether the running
 * service can take a change over. types.ts is what comes out; docs/configuration.md is printed from here.
 *
 * An option's name in the file is its property's name in snake_case: `pricePerMinute` is `price_per_minute`.
 */
import { CHAIN } from './chain-schema.ts'
import { IOT } from './iot-schema.ts'
import { MESH, UPLINK } from './mesh-schema.ts'
import { MILESTONE, PAYEE, PAYOUT } from './payout-schema.ts'
import { PHOTON } from './photon-schema.ts'
import { isAddressOrPrefix, isHostName, isWildcard, parseIp } from './network-address.ts'
import { absolutePath, flag, line, listOf, matching, minuteOf, money, oneOf, option, optional, requiredOption, wholeNumber } from './rules.ts'
import type { Rule } from './rules.ts'
import type {
  Config,
  HappyHourConfig,
  HotspotConfig,
  MainConfig,
  OwnerConfig,
  PackageConfig,
  Role,
  ShareConfig,
  TariffConfig,
  TokenConfig,
} from './types.ts'

export type Rules<Section> = { readonly [Name in keyof Section]-?: Rule<Section[Name]> }

/** The name of the configuration as a UCI package: /etc/config/meshbox. */
export const PACKAGE_NAME = 'meshbox'

const ROLES: readonly Role[] = ['hotspot', 'relay', 'light', 'sealer', 'photon', 'iot']

const interfaceName = matching(
  'interface name',
  '1 to 15 letters, digits, ., _ or -, the first a letter or digit',
  (text) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(text),
)
const rate = wholeNumber(8, 10_000_000, 'kbit/s')
const port = wholeNumber(1, 65_535, 'TCP port')
const venueUrl = matching('URL', 'an http or https URL of at most 255 characters', (text) => {
  if (text.length > 255 || !/^https?:\/\/[\x21-\x7e]+$/.test(text)) return false
  return URL.canParse(text)
})

const MAIN: Rules<MainConfig> = {
  name: option(line(48), 'MeshBox', 'MeshBox', { doc: 'Name of the place; guests see it on the page and on vouchers.' }),
  dataDir: option(absolutePath(), '/etc/meshbox', '/etc/meshbox', {
    doc: "Folder of the box's book, keys and password; has to survive a reboot and belongs to the service alone.",
    restart: true,
  }),
  controlSocket: option(absolutePath(107), '/var/run/meshbox.sock', '/var/run/meshbox.sock', {
    doc: 'Unix socket the `meshbox` command talks to.',
    restart: true,
  }),
  logLevel: option(oneOf('debug', 'info', 'warn', 'error'), 'info', 'info', { doc: 'The least important messages that are logged.' }),
  logStyle: option(oneOf('syslog', 'time'), 'syslog', 'syslog', {
    doc: '`syslog` puts a priority in front of each line (procd, journald), `time` the time (a terminal).',
    restart: true,
  }),
  roles: listOf(
    oneOf(...ROLES),
    6,
    { value: [], text: 'none: the box only serves its set-up page' },
    { doc: 'What this box does. Guarding neighbours\' channels is part of `photon`.', restart: true },
  ),
  clockTrust: option(oneOf('auto', 'always', 'never'), 'auto', 'auto', {
    doc: 'When the wall clock is believed: `auto` once two sources agree, `always` on machines with a battery clock, `never` for tests.',
    restart: true,
  }),
}

const TOKEN: Rules<TokenConfig> = {
  symbol: option(
    matching('text', '1 to 12 characters without blanks', (text) => /^[^\s\p{Control}]{1,12}$/u.test(text)),
    'token',
    'token',
    { doc: 'What prices are written in, as guests read it.', restart: true },
  ),
  decimals: option(wholeNumber(0, 36, 'digits'), 18, '18', {
    doc: 'Digits after the point of the smallest unit. Never change it once the box has earned: the book is kept in smallest units.',
    restart: true,
  }),
}

const HOTSPOT: Rules<HotspotConfig> = {
  gate: option(oneOf('nft', 'record'), 'nft', 'nft', {
    doc: '`nft` opens and closes the network with nftables; `record` only writes down what it would do (a laptop, no root).',
    restart: true,
  }),
  guestInterface: option(interfaceName, 'br-guest', 'br-guest', { doc: 'Bridge the guests are on.', restart: true }),
  uplinkInterfaces: listOf(interfaceName, 8, { value: [], text: 'none: upload is not shaped' }, {
    doc: 'Interfaces that lead to the Internet; needed for upload rates.',
    restart: true,
  }),
  portalHost: option(
    matching('host name', 'a lower-case host name with at least one dot, not ending in .local', (text) => isHostName(text, 2) && !text.endsWith('.local')),
    'meshbox.lan',
    'meshbox.lan',
    { doc: 'Name under which guests reach the page; the box answers for it by DNS. With TLS, the name in the certificate.', restart: true },
  ),
  portalAddress: option(
    matching('IP address', 'an IPv4 or IPv6 address; 0.0.0.0 or :: for all', (text) => parseIp(text) !== null),
    '::',
    '::',
    { doc: 'Address the guest page listens on; `::` is every IPv6 and IPv4 address of the box.', restart: true },
  ),
  portalPort: option(port, 2080, '2080', { doc: 'Port of the guest page; the web requests of unpaid guests are led there.', restart: true }),
  tlsPort: option(port, 2443, '2443', { doc: 'Port of the guest page over TLS, when a certificate is given.', restart: true }),
  boxesPort: option(wholeNumber(0, 65_535, 'port'), 2081, '2081', { doc: "Port on the guests' side where other boxes whose way out is this hotspot pay it and follow the chain, while minutes are sold by the second; 0: none.", restart: true }),
  tlsCertificateFile: optional(absolutePath(), 'no TLS, and the page is not announced by DHCP', {
    doc: 'Certificate chain (PEM) of `portal_host`.',
    restart: true,
  }),
  tlsKeyFile: optional(absolutePath(), 'no TLS', { doc: 'Key (PEM) of the certificate.', restart: true }),
  maxSessions: option(wholeNumber(1, 4096, 'sessions'), 1000, '1000', { doc: 'Sessions the box keeps open at once.', restart: true }),
  leaseSeconds: option(wholeNumber(5, 600, 'seconds'), 60, '60', {
    doc: 'How long the kernel keeps a paid guest open without hearing from the service: nobody stays longer when it dies.',
  }),
  checkpointSeconds: option(wholeNumber(1, 300, 'seconds'), 20, '20', {
    doc: 'How often the used time of running sessions is written down; a power cut gives back at most so much. Shorter than `lease_seconds`.',
  }),
  dnsQueriesPerSecond: option(wholeNumber(1, 1000, 'queries a second'), 20, '20', { doc: 'DNS queries an unpaid guest may send.', restart: true }),
  dnsKibPerMinute: option(wholeNumber(1, 65_536, 'KiB a minute'), 64, '64', {
    doc: 'DNS bytes an unpaid guest may use; keeps tunnels through DNS useless.',
    restart: true,
  }),
  clientIsolation: option(flag, true, '1', { doc: "Keep guests' devices from reaching each other.", restart: true }),
  portPinSeconds: option(wholeNumber(0, 86_400, 'seconds'), 15, '15', {
    doc: 'How long a silent device keeps its bridge port to itself, so that nobody can take its address over; 0 switches this off. A phone that changes from one radio of the box to the other waits no longer than this.',
    restart: true,
  }),
  walledGardenDomains: listOf(
    matching('host name', 'a lower-case host name', (text) => isHostName(text, 2)),
    128,
    { value: [], text: 'none' },
    { doc: 'Domains, with all below them, that unpaid guests may reach.', restart: true },
  ),
  walledGardenAddresses: listOf(
    matching('address or prefix', 'an IPv4 or IPv6 address, or address/length', isAddressOrPrefix),
    256,
    { value: [], text: 'none' },
    { doc: 'Addresses that unpaid guests may reach.', restart: true },
  ),
  dnsmasqLeasesFile: optional(absolutePath(), "guests' addresses are learned from the kernel alone", { doc: "dnsmasq's file of DHCP leases.", restart: true }),
  dnsmasqConfDir: optional(absolutePath(), 'no walled garden by domain', { doc: 'Folder dnsmasq reads by conf-dir; our snippet is written there.', restart: true }),
  dnsmasqOptionsFile: optional(absolutePath(), 'the page is not announced by DHCP', {
    doc: 'File dnsmasq reads by dhcp-optsfile; option 114 is written there.',
    restart: true,
  }),
  dnsmasqPidFile: optional(absolutePath(), 'dnsmasq is not told of changes', { doc: "dnsmasq's pid file.", restart: true }),
  guessBurst: option(wholeNumber(1, 100, 'tries'), 5, '5', { doc: 'Wrong voucher codes one device may type in a row.', restart: true }),
  guessSeconds: option(wholeNumber(1, 3600, 'seconds'), 30, '30', { doc: 'Seconds until one more try is given after that.', restart: true }),
  venueUrl: optional(venueUrl, 'none shown', { doc: 'Page about the place, shown by phones next to the network.' }),
  voucherBox: option(wholeNumber(0, 3, 'box number'), 0, '0', {
    doc: "Which of the owner's printing boxes this is; two boxes with the same voucher keys need different numbers.",
  }),
  voucherSiblings: listOf(wholeNumber(0, 3, 'box number'), 4, { value: [], text: 'none' }, {
    doc: "Box numbers of the owner's other boxes whose vouchers are taken here; each of them may then also be used once on each box until boxes talk to each other.",
  }),
  idlePauseMinutes: option(wholeNumber(0, 1440, 'minutes'), 0, '0', { doc: 'Pause a session by itself after so many minutes without traffic; 0 = never.' }),
  trialsPerDay: option(wholeNumber(0, 100_000, 'trials'), 200, '200', {
    doc: 'Free trials given out in a day over all devices: bounds what changing the device address wins.',
  }),
}

const OWNER: Rules<OwnerConfig> = {
  address: option(
    matching('IP address', "one address of the box on the owner's side; not 0.0.0.0 or ::", (text) => parseIp(text) !== null && !isWildcard(text)),
    '127.0.0.1',
    '127.0.0.1',
    { doc: "Address the dashboard listens on. Never an address of the guests' network.", restart: true },
  ),
  port: option(port, 2090, '2090', { doc: 'Port of the dashboard.', restart: true }),
  sessionMinutes: option(wholeNumber(1, 1440, 'minutes'), 30, '30', { doc: 'Minutes without a request after which a login ends.' }),
}

const TARIFF: Rules<TariffConfig> = {
  pricePerMinute: option(money, 0n, '0', { doc: 'Price of a minute; 0 = time is not sold singly. "1 token = 10 minutes" is 0.1.' }),
  pricePerMib: option(money, 0n, '0', { doc: 'Price of a MiB (1048576 bytes, up and down); 0 = bytes are not charged.' }),
  burnerCap: option(money, 0n, '0', {
    doc: 'The most that a guest page spends by the second when it came by plain HTTP, where somebody could have changed it; 0: the price of an hour.',
  }),
  trialMinutes: option(wholeNumber(0, 1440, 'minutes'), 0, '0', { doc: 'Free minutes for each device and day; 0 = no trial.' }),
  trialMib: optional(wholeNumber(1, 1_048_576, 'MiB'), 'no limit', { doc: 'Bytes of the free trial.' }),
  downKbps: optional(rate, 'not limited', { doc: "Download rate of trials and of minutes sold singly; a package has its own." }),
  upKbps: optional(rate, 'not limited', { doc: "Upload rate of trials and of minutes sold singly; a package has its own." }),
}

const PACKAGE: Rules<Omit<PackageConfig, 'id'>> = {
  slot: requiredOption(wholeNumber(0, 15, 'slot'), {
    doc: 'Number that printed vouchers carry for this package; each once. Do not give it to another package while old vouchers are about.',
  }),
  label: requiredOption(line(48), { doc: 'What guests read, such as "30 minutes".' }),
  seconds: optional(wholeNumber(1, 31_622_400, 'seconds'), 'not limited by time', { doc: 'Time it grants: 1800 is half an hour, 86400 a day.' }),
  bytes: optional(wholeNumber(1, 1_125_899_906_842_624, 'bytes'), 'not limited by bytes', {
    doc: 'Bytes it grants, up and down together: 1073741824 is a GiB.',
  }),
  tokens: optional(money, 'none', {
    doc: 'Tokens its vouchers put into a guest\'s payment channel, to pay by the second; then neither seconds nor bytes. Only printed, never offered on the page.',
  }),
  price: requiredOption(money, { doc: 'What it costs.' }),
  devices: option(wholeNumber(1, 16, 'devices'), 1, '1', { doc: 'Devices that may use it at the same time.' }),
  downKbps: optional(rate, 'not limited', { doc: 'Download rate of the whole session.' }),
  upKbps: optional(rate, 'not limited', { doc: 'Upload rate of the whole session.' }),
  offered: option(flag, true, '1', { doc: '1 shows it on the guest page; 0 only prints it on vouchers.' }),
}

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

const HAPPY_HOUR: Rules<Omit<HappyHourConfig, 'id'>> = {
  label: requiredOption(line(48), { doc: 'What guests read next to the lower price.' }),
  basis: option(oneOf('clock', 'uptime'), 'clock', 'clock', {
    doc: '`clock`: by time of day, only while the clock is trusted. `uptime`: by minutes since the box was switched on.',
  }),
  fromMinute: requiredOption(minuteOf(525_600), { doc: 'When it begins.' }),
  toMinute: requiredOption(minuteOf(525_600), { doc: 'When it ends; by the clock, an end before the beginning is on the next day.' }),
  days: listOf(oneOf(...WEEKDAYS), 7, { value: WEEKDAYS, text: 'every day' }, { doc: 'Days it begins on; only by the clock.' }),
  discountPercent: requiredOption(wholeNumber(1, 100, 'percent'), { doc: 'Percent taken off the prices.' }),
}

const SHARE: Rules<Omit<ShareConfig, 'id'>> = {
  role: requiredOption(oneOf('investor', 'relay', 'advertiser', 'community'), { doc: 'Why somebody else gets a part.' }),
  beneficiary: requiredOption(
    matching('account or address', '1 to 96 letters, digits, ., _, - or @; or 0x and 40 hex digits', (text) =>
      text.startsWith('0x') ? /^0x[0-9a-fA-F]{40}$/.test(text) : /^[A-Za-z0-9._@-]{1,96}$/.test(text),
    ),
    { doc: 'Account or address the part belongs to.' },
  ),
  partsPerMillion: requiredOption(wholeNumber(1, 1_000_000, 'parts per million'), {
    doc: 'Its part of each earning: 100000 is a tenth. All shares together at most 1000000; what is left over is the owner\'s.',
  }),
  sources: listOf(
    matching('source', 'a source of earnings, such as hotspot:voucher', (text) => /^[a-z][a-z0-9-]*(:[a-z0-9-]+)*$/.test(text) && text.length <= 64),
    32,
    { value: [], text: 'all earnings' },
    { doc: 'Earnings it is taken from.' },
  ),
}

/** The rules by the key of `Config` they make: what load.ts reads with. */
export const RULES = {
  main: MAIN,
  token: TOKEN,
  hotspot: HOTSPOT,
  owner: OWNER,
  tariff: TARIFF,
  packages: PACKAGE,
  happyHours: HAPPY_HOUR,
  shares: SHARE,
  chain: CHAIN,
  photon: PHOTON,
  mesh: MESH,
  uplinks: UPLINK,
  iot: IOT,
  payout: PAYOUT,
  payees: PAYEE,
  milestones: MILESTONE,
} as const satisfies { readonly [Key in keyof Config]: Readonly<Record<string, Rule<unknown>>> }

export interface SectionInfo {
  readonly key: keyof Config
  /** `config <type>` in the file. */
  readonly type: string
  /** The fixed name of a section that a file may hold once; null when the name is the section's id. */
  readonly name: string | null
  /** How many of them a file may hold. */
  readonly max: number
  readonly doc: string
}

export const SECTIONS: readonly SectionInfo[] = [
  { key: 'main', type: 'meshbox', name: 'main', max: 1, doc: 'The box as a whole.' },
  { key: 'token', type: 'token', name: 'token', max: 1, doc: 'What prices are written in.' },
  { key: 'hotspot', type: 'hotspot', name: 'hotspot', max: 1, doc: 'The guest network, its page and its gate.' },
  { key: 'owner', type: 'owner', name: 'owner', max: 1, doc: "The owner's dashboard." },
  { key: 'tariff', type: 'tariff', name: 'tariff', max: 1, doc: 'Prices of time and bytes sold singly, and the free trial.' },
  {
    key: 'packages',
    type: 'package',
    name: null,
    max: 16,
    doc: 'One thing to buy, or to print on vouchers: time, bytes or both, for a price. Guests see packages in the order of the file.',
  },
  { key: 'happyHours', type: 'happyhour', name: null, max: 32, doc: 'Hours with lower prices. The first in the file that matches applies.' },
  { key: 'shares', type: 'share', name: null, max: 64, doc: 'A part of the earnings that belongs to somebody else than the owner.' },
  { key: 'chain', type: 'chain', name: 'chain', max: 1, doc: 'The Spectrum chain: followed by the role `light`, sealed by the role `sealer`.' },
  { key: 'photon', type: 'photon', name: 'photon', max: 1, doc: 'Payment channels: kept by the role `photon`, which needs the role `light` or `sealer` too.' },
  { key: 'mesh', type: 'mesh', name: 'mesh', max: 1, doc: 'Boxes that find, pay and help each other: the role `relay`.' },
  { key: 'uplinks', type: 'uplink', name: null, max: 8, doc: 'A way out, for the role `relay`. The best healthy one is used; of equally good ones the first of the file.' },
  { key: 'iot', type: 'iot', name: 'iot', max: 1, doc: 'LoRa concentrators, devices, tenants and MQTT: the role `iot`.' },
  { key: 'payout', type: 'payout', name: 'payout', max: 1, doc: 'When those who have a share are paid.' },
  { key: 'payees', type: 'payee', name: null, max: 64, doc: 'Where the part of one account is sent, over payment channels.' },
  { key: 'milestones', type: 'milestone', name: null, max: 16, doc: 'A reward that is booked once, when so much was done.' },
]

/** Longest id of a section of which there may be several. */
export const ID_MAX_CHARS = 32

/** `pricePerMinute` → `price_per_minute`. */
export function optionName(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
