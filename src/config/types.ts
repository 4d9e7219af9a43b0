/**
 * The one typed configuration. Every option is documented once, in schema.ts, next to its default and
 * its check; docs/configuration.md is printed from there.
 *
 * Units are in the names. Money is bigint in the smallest unit of `token`.
 */
import type { LogLevel } from '../base/index.ts'

export interface Config {
  readonly main: MainConfig
  readonly token: TokenConfig
  readonly hotspot: HotspotConfig
  readonly owner: OwnerConfig
  readonly tariff: TariffConfig
  /** `config package`, in file order; ids are unique. */
  readonly packages: readonly PackageConfig[]
  /** `config happyhour`, in file order: the first that matches applies. */
  readonly happyHours: readonly HappyHourConfig[]
  /** `config share`: parts per million, sum ≤ 1,000,000; what is left over is the owner's. */
  readonly shares: readonly ShareConfig[]
  readonly chain: ChainConfig
  readonly photon: PhotonConfig
  readonly mesh: MeshConfig
  /** `config uplink`, in file order: of equally good ones the first. */
  readonly uplinks: readonly UplinkConfig[]
  readonly iot: IotConfig
  readonly payout: PayoutConfig
  /** `config payee`: where the part of an account is sent. */
  readonly payees: readonly PayeeConfig[]
  readonly milestones: readonly MilestoneConfig[]
}

/** `config meshbox 'main'` */
export interface MainConfig {
  /** Shown to guests and on vouchers; 1–48 characters. */
  readonly name: string
  readonly dataDir: string
  readonly controlSocket: string
  readonly logLevel: LogLevel
  readonly logStyle: 'time' | 'syslog'
  readonly roles: readonly Role[]
  readonly clockTrust: 'auto' | 'always' | 'never'
}
export type Role = 'hotspot' | 'relay' | 'light' | 'sealer' | 'photon' | 'iot'

/** `config token 'token'`: what prices are written in. */
export interface TokenConfig {
  readonly symbol: string
  readonly decimals: number
}

/** `config hotspot 'hotspot'` */
export interface HotspotConfig {
  readonly gate: 'nft' | 'record'
  /** Guest bridge, e.g. br-guest. */
  readonly guestInterface: string
  /** Interfaces that lead out, for upload shaping. */
  readonly uplinkInterfaces: readonly string[]
  /** Name guests resolve to the box; the portal's own host. */
  readonly portalHost: string
  /** Address the portal listens on ('0.0.0.0' and '::' are refused by the owner side, allowed here). */
  readonly portalAddress: string
  readonly portalPort: number
  readonly tlsPort: number
  /** 0: none. */
  readonly boxesPort: number
  readonly tlsCertificateFile: string | null
  readonly tlsKeyFile: string | null
  readonly maxSessions: number
  readonly leaseSeconds: number
  readonly checkpointSeconds: number
  readonly dnsQueriesPerSecond: number
  readonly dnsKibPerMinute: number
  readonly clientIsolation: boolean
  /** Seconds a silent client keeps its bridge port to itself; 0 switches port pinning off. */
  readonly portPinSeconds: number
  /** Domains unpaid guests may reach (dnsmasq nftset). */
  readonly walledGardenDomains: readonly string[]
  /** Addresses or CIDRs unpaid guests may reach. */
  readonly walledGardenAddresses: readonly string[]
  readonly dnsmasqLeasesFile: string | null
  /** Folder dnsmasq reads with conf-dir; our snippet is written there. */
  readonly dnsmasqConfDir: string | null
  /** File dnsmasq reads with dhcp-optsfile (option 114), re-read on SIGHUP. */
  readonly dnsmasqOptionsFile: string | null
  readonly dnsmasqPidFile: string | null
  /** Wrong voucher codes one client may try: burst, then one more each this many seconds. */
  readonly guessBurst: number
  readonly guessSeconds: number
  readonly venueUrl: string | null
  /** 0–3: which of the owner's printing boxes this is; part of each voucher's number. */
  readonly voucherBox: number
  /** The owner's other printing boxes whose vouchers are taken here as well. */
  readonly voucherSiblings: readonly number[]
  /** Pause a session by itself after so many minutes without traffic; 0 = never. */
  readonly idlePauseMinutes: number
  /** Free trials given out per day over all devices: bounds what changing the MAC address wins. */
  readonly trialsPerDay: number
}

/** `config owner 'owner'` */
export interface OwnerConfig {
  /** Never a guest or mesh address; 127.0.0.1 by default. */
  readonly address: string
  readonly port: number
  /** Minutes without a request after which a login ends. */
  readonly sessionMinutes: number
}

/** `config tariff 'tariff'` */
export interface TariffConfig {
  /** Smallest units per minute; 0 = time is not sold singly. */
  readonly pricePerMinute: bigint
  /** Smallest units per MiB; 0 = bytes are not charged. */
  readonly pricePerMib: bigint
  /** What a page that came by plain HTTP may spend by the second; 0: an hour's price. */
  readonly burnerCap: bigint
  readonly trialMinutes: number
  readonly trialMib: number | null
  readonly downKbps: number | null
  readonly upKbps: number | null
}

/** `config package '<id>'`: what a voucher or a purchase grants. */
export interface PackageConfig {
  readonly id: string
  /** 0–15, the number that typed voucher codes carry; unique. */
  readonly slot: number
  readonly label: string
  readonly seconds: number | null
  readonly bytes: number | null
  /** Smallest units that its vouchers put into a guest's payment channel; null: it grants time or bytes. */
  readonly tokens: bigint | null
  readonly price: bigint
  readonly devices: number
  readonly downKbps: number | null
  readonly upKbps: number | null
  /** False: only printed, not offered on the page. */
  readonly offered: boolean
}

/** `config happyhour '<id>'` */
export interface HappyHourConfig {
  readonly id: string
  readonly label: string
  /** By trusted wall clock (minutes of the local day) or by minutes since the box was switched on. */
  readonly basis: 'clock' | 'uptime'
  readonly fromMinute: number
  readonly toMinute: number
  readonly days: readonly ('mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun')[]
  /** Percent taken off the price, 1–100. */
  readonly discountPercent: number
}

/** `config share '<id>'` */
export interface ShareConfig {
  readonly id: string
  readonly role: 'investor' | 'relay' | 'advertiser' | 'community'
  /** Account or address the share belongs to. */
  readonly beneficiary: string
  readonly partsPerMillion: number
  /** Ledger sources it applies to; empty = all. */
  readonly sources: readonly string[]
}

/** `config chain 'chain'`: docs/spectrum.md. */
export interface ChainConfig {
  /** `none`, a public network, or the path of a community's join file. */
  readonly network: string
  /** enode URLs. */
  readonly peers: readonly string[]
  readonly bootnodes: readonly string[]
  /** JSON-RPC URLs. */
  readonly servers: readonly string[]
  readonly listenAddress: string | null
  readonly listenPort: number
  /** From where the router's firewall lets other nodes connect; the package's `setup` reads it. */
  readonly listenZones: readonly string[]
  readonly maxPeers: number
  readonly checkpointFile: string | null
  /** Ed25519, hex. */
  readonly checkpointKeys: readonly string[]
  readonly coinbase: string | null
  readonly minGasPriceGwei: number
  readonly rpcAddress: string | null
  readonly rpcPort: number
  /** Whether guests with a running session may ask the chain, at /rpc of the portal. */
  readonly guestRpc: boolean
}

/** `config photon 'photon'`: payment channels, docs/photon.md. Amounts are in the smallest unit of `token`. */
export interface PhotonConfig {
  /** Address of PhotonV2; null: none. */
  readonly contract: string | null
  /** Block in which the contract was made. */
  readonly firstBlock: number
  readonly tokens: readonly PhotonToken[]
  readonly listenAddress: string | null
  readonly listenPort: number
  /** From where the router's firewall lets other boxes connect; the package's `setup` reads it. */
  readonly listenZones: readonly string[]
  /** Boxes it always connects to. */
  readonly peers: readonly PhotonPeer[]
  readonly maxPeers: number
  /** Of channels that this box opens, in blocks. */
  readonly settleTimeout: number
  readonly minSettleTimeout: number
  readonly revealTimeout: number
  readonly maxOfflineExposure: bigint
  readonly feeConstant: bigint
  readonly feePpm: number
  readonly coreMinDeposit: bigint
  readonly coreSettleTimeout: number
  /** What may be put into core channels by itself in a day; 0: nothing. */
  readonly topUpPerDay: bigint
  readonly watchReward: bigint
  readonly watchMinReward: bigint
  readonly maxGasPriceGwei: number
  /** Token that minutes are sold for by the second; null: they are not. */
  readonly streamToken: string | null
  /** 0: the tariff's price. */
  readonly streamPricePerMinute: bigint
  readonly streamMinDeposit: bigint
  readonly streamClaimThreshold: bigint
  /** Null: that of a new chain's first block, where `contract` is. */
  readonly purse: string | null
  /** For a guest's order; 0: none are taken. */
  readonly orderFee: bigint
  /** The original's REST interface on the owner's door. */
  readonly rest: boolean
  /** The original's contract; null: no channels with its nodes. */
  readonly v1Contract: string | null
  readonly v1FirstBlock: number
  /** IPv4; never null beside `v1Contract`. */
  readonly v1ListenAddress: string | null
  readonly v1ListenPort: number
  readonly v1Mdns: boolean
  readonly v1Nodes: readonly PhotonLanNode[]
  /** For whom signatures are given that never end. */
  readonly v1Trusted: readonly string[]
}

/** `0x…@192.168.1.7:40001` */
export interface PhotonLanNode {
  readonly account: string
  /** address:port */
  readonly endpoint: string
}

/** `0x…:SYMBOL:DECIMALS` */
export interface PhotonToken {
  readonly address: string
  readonly symbol: string
  readonly decimals: number
}

/** `0x…@/ip4/…/tcp/…` */
export interface PhotonPeer {
  readonly account: string
  /** libp2p's multiaddress. */
  readonly address: string
}

/** `config mesh 'mesh'`: docs/mesh.md. Amounts are in the smallest unit of `token`. */
export interface MeshConfig {
  /** `own`: this box signs for it. Null: none. */
  readonly community: string | null
  readonly communityName: string
  /** batman-adv's. */
  readonly interface: string
  /** `fd…::/64`; null: that of the interface's address. */
  readonly ulaPrefix: string | null
  readonly listenPort: number
  readonly peers: readonly MeshPeer[]
  readonly maxPeers: number
  /** In which carrying is paid; null: it is free. */
  readonly token: string | null
  readonly pricePerMib: bigint
  /** 0: by time alone. */
  readonly settleAmount: bigint
  /** 0: the price of 64 MiB. */
  readonly maxDebt: bigint
  /** Dearer neighbours do not carry for this box; 0: any price. */
  readonly maxPricePerMib: bigint
  /** For being carried, in a day; 0: nothing is bought. */
  readonly spendPerDay: bigint
  readonly roamEnforcement: 'exit' | 'access'
  readonly roamPricePerMinute: bigint
  readonly roamSecondsWithoutKey: number
  /** Of a day; 0: no way out is bought. */
  readonly upstreamCap: bigint
}

/** `0x…@/ip6/…/tcp/…` */
export interface MeshPeer {
  readonly box: string
  /** libp2p's multiaddress. */
  readonly address: string
}

/** `config uplink '<id>'` */
export interface UplinkConfig {
  readonly id: string
  readonly interface: string
  readonly kind: 'ethernet' | 'lte' | 'satellite' | 'wifi' | 'neighbour'
  readonly costPerMib: bigint
  /** Of the paid hotspot that it leads to; 0: nothing is bought there. */
  readonly maxPricePerMinute: bigint
  readonly downKbit: number
  readonly upKbit: number
  readonly probes: readonly string[]
}

export interface IotBandPrice {
  /** As the region names it. */
  readonly band: string
  /** Smallest units. */
  readonly perMs: bigint
}

/** `config iot 'iot'`: docs/iot.md. A door whose port is 0 stays shut. */
export interface IotConfig {
  readonly region: string
  /** 6 hex digits. */
  readonly netId: string
  readonly gwmpAddress: string
  readonly gwmpPort: number
  /** Empty: everybody. */
  readonly gateways: readonly string[]
  readonly stationAddress: string
  readonly stationPort: number
  readonly stationCertificateFile: string | null
  readonly stationKeyFile: string | null
  readonly stationTokensFile: string | null
  readonly collectMs: number
  readonly airtimeReservedPpm: number
  readonly airtimeSoldPpm: number
  readonly airtimePricePerMs: bigint
  readonly airtimeBandPrices: readonly IotBandPrice[]
  /** 0: the price stays. */
  readonly airtimeSurgeFromPpm: number
  readonly airtimeSurgeTimes: number
  readonly broker: 'own' | 'url' | 'off'
  readonly brokerPort: number
  readonly brokerListenAddress: string | null
  readonly brokerListenPort: number
  readonly brokerCertificateFile: string | null
  readonly brokerKeyFile: string | null
  readonly brokerUrl: string | null
  readonly brokerUserName: string | null
  readonly brokerPasswordFile: string | null
  readonly topicPrefix: string
  readonly homeAssistant: boolean
  readonly sparkplugGroup: string | null
  readonly logDays: number
  readonly logMib: number
  readonly lateKib: number
}

/** `config payout 'payout'`: docs/payouts.md. Amounts in the box's token. */
export interface PayoutConfig {
  /** 0: no payment by amount. */
  readonly threshold: bigint
  /** UTC hour of the daily payment; null: none. */
  readonly dailyHour: number | null
  readonly dust: bigint
  /** Of a payout over other boxes. */
  readonly maxFeePpm: number
  /** Failed tries in a row. */
  readonly alarmAfter: number
}

/** `config payee '<id>'` */
export interface PayeeConfig {
  readonly id: string
  /** Of the book: `investor:anna`. */
  readonly account: string
  /** The Photon account that it is paid to: 0x and 40 hex digits. */
  readonly address: string
}

/** `config milestone '<id>'` */
export interface MilestoneConfig {
  readonly id: string
  readonly account: string
  readonly measure: 'minutes' | 'earnings' | 'tokens' | 'days'
  readonly count: number
  readonly reward: bigint
  /** Ledger sources that count; empty = all. */
  readonly sources: readonly string[]
}
