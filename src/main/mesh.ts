/**
 * The mesh of this box, from its configuration: batman-adv seen, other boxes found and talked with, members let in and shown
 * out, the chain's file handed on, ways out tried and taken, carrying counted and paid where a token is named.
 */
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { MeshBoxError, asError, bytesOf, utf8, type Address, type Cancel, type Hash, type Log } from '../base/index.ts'
import { systemRandomness, systemTimers, type SystemClock } from '../base/io/system.ts'
import { parseUci, type Config } from '../config/index.ts'
import type { Identity } from '../identity/index.ts'
import {
  CHAIN_FILE_PROTOCOL,
  Community,
  KernelUplinkRoutes,
  MAX_CHAIN_FILE_BYTES,
  MeshRoom,
  MeshWatch,
  PeerHub,
  UplinkWatch,
  chainFileAnswer,
  chainFileHash,
  codeParts,
  createDocuments,
  createNeighbourhood,
  createPeerShelf,
  createUplinkLinks,
  createUplinkProbe,
  fetchChainFile,
  invitationKeys,
  keyOf,
  meshDesk,
  readInvitation,
  readTicket,
  signClaim,
  type BoxId,
  type CodeTerms,
  type CommunityCode,
  type Documents,
  type MeshAlarm,
  type MeshDesk,
  type MeshPart,
  type PeerAlarm,
  type PeerQuestions,
  type Reach,
  type Wire,
} from '../mesh/index.ts'
import type { Secp256k1 } from '../native/index.ts'
import type { Ledger } from '../ledger/index.ts'
import type { Photon } from '../photon/index.ts'
import type { Store } from '../store/index.ts'
import type { Spectrum } from '../spectrum/index.ts'
import { MeshChain } from './mesh-chain.ts'
import { MeshKernel } from './mesh-kernel.ts'
import { MeshLora } from './mesh-lora.ts'
import { MeshPhoton } from './mesh-photon.ts'
import { MeshRelay } from './mesh-relay.ts'
import { meshSettingsOf } from './mesh-settings.ts'
import { MeshUpstream } from './mesh-upstream.ts'
import { MeshRoaming, type MeshRoamingParts } from './roaming.ts'
import { netlinkOpener } from './native-parts.ts'

export interface MeshRoomParts {
  /** As it was at the start. */
  readonly config: Config
  /** As it is now. */
  readonly inForce: () => Config
  readonly store: Store
  readonly ledger: Ledger
  readonly identity: Identity
  readonly curve: Secp256k1
  readonly clock: SystemClock
  readonly log: Log
  /** Folder of the bundle. */
  readonly folder: string
  /** OpenWrt's configuration of the radios: what goes on codes. */
  readonly wirelessFile: string
  /** Null: the box follows no chain. */
  readonly spectrum: Pick<Spectrum, 'neighbour'> | null
  /** Its guests' sessions; null: this box has no hotspot. */
  readonly walking: MeshRoamingParts['walking'] | null
  /** Told where the hotspot behind a way out that is bought talks with boxes. */
  readonly meetHotspot: (host: string, port: number) => void
}

export interface RunningMesh {
  readonly desk: MeshDesk
  /** For payment channels; null: this box has none. */
  readonly photon: MeshPhoton | null
  /** For what concentrators hear; null: this box has none. */
  readonly lora: MeshLora | null
  /** For guests: what has been so for a while. */
  wayOut(): Reach
  /** They run, or wait for their contract. Before they stop. */
  usePayments(photon: Pick<Photon, 'direct'>): void
  stop(): Promise<void>
}

/** What peer.cjs has. */
interface PeerFile {
  readonly Libp2pWire: new (options: { readonly seed: Uint8Array; readonly listen: readonly string[]; readonly maxConnections: number; readonly onTrouble: (message: string, error: Error) => void }) => Wire
}

/** As `meshbox join` lays it. */
const CODE_FILE = 'mesh-code'
const MAX_TEXT_BYTES = 256 * 1024
const COMMUNITY_BYTES = 8
const SPARE_CONNECTIONS = 16
const CHAIN_FILE_AGAIN_MS = 30_000
/** A way out that is being changed is no news for guests; nor is the time before the first probe. */
const REACH_HOLDS_MS = 20_000

/** Errors: input for what the configuration cannot mean; what reading the book throws. What the kernel or the network cannot do now is an alarm of the running room. */
export async function startMesh(parts: MeshRoomParts): Promise<RunningMesh> {
  const { config, store, identity, curve, clock, folder } = parts
  const log = parts.log.room('mesh')
  const { mesh } = config
  const self = identity.address.toLowerCase() as Address
  if (mesh.community === null) throw new MeshBoxError('input', 'mesh.community is missing', { code: 'bad-input', field: 'mesh.community' })
  const community = mesh.community === 'own' ? self : (mesh.community.toLowerCase() as Address)
  const documents = createDocuments(self, {
    keccak256: (bytes) => curve.keccak256(bytes),
    sign: (digest) => identity.signDigest(digest),
    recoverAddress: (digest, signature) => curve.recoverAddress(digest, signature),
  })
  const keys = invitationKeys(curve)
  const tools = { clock, timers: systemTimers, randomness: systemRandomness, log, documents }

  const kernel = new MeshKernel(pathOf(folder, 'genetlink.node'), mesh.interface)
  const view = new MeshWatch({ reader: kernel.reader, clock, timers: systemTimers, log })

  const settings = meshSettingsOf(mesh, config.main.name, (networkInterfaces()[mesh.interface] ?? []).map(({ address }) => address))
  const communityName = curve.keccak256(bytesOf(community)).slice(0, COMMUNITY_BYTES)
  const { Libp2pWire } = createRequire(join(folder, 'peer.cjs'))(join(folder, 'peer.cjs')) as PeerFile
  const wire = new Libp2pWire({
    seed: identity.deriveSecret('mesh-peer'),
    listen: [`/ip6/::/tcp/${mesh.listenPort}`],
    maxConnections: mesh.maxPeers + SPARE_CONNECTIONS,
    onTrouble: (message, error) => log.debug(message, { error }),
  })
  const originator = (): string | null => view.state().self
  const hub = new PeerHub({ ...tools, settings: { ...settings, community: communityName }, wire, shelf: createPeerShelf(store), originator })
  const neighbourhood = createNeighbourhood({ ...tools, hub, peerId: wire.peerId, interfaceName: mesh.interface, meshPrefixes: settings.meshPrefixes, community: communityName, originator })

  const members = new Community({ ...tools, store, keys, peers: hub, community })
  const code = readCode(join(config.main.dataDir, CODE_FILE), documents, keys, community, log)
  const file = config.chain.network.startsWith('/') ? config.chain.network : null
  const chainFile = chainFileOf(file, curve)
  const questions = hub.openQuestions(CHAIN_FILE_PROTOCOL, async (_from, question) => chainFileAnswer(chainFile(), question))
  const wanted = code?.facts.chainFileHash ?? null
  const { spectrum } = parts
  const isWelcome = (box: BoxId): boolean => ['admitted', 'provisional'].includes(members.standing(box))
  const chain = spectrum === null ? null : new MeshChain(hub, { open: (transport) => spectrum.neighbour(transport), isWelcome, timers: systemTimers, log })

  const links = createUplinkLinks()
  const routes = new KernelUplinkRoutes({ interfaceNames: config.uplinks.map((uplink) => uplink.interface), links, gatewayMode: kernel.gatewayMode, timers: systemTimers, log })
  const upstream = new MeshUpstream({ config: parts.inForce, links, meetHotspot: parts.meetHotspot, store, ledger: parts.ledger, clock, timers: systemTimers, randomness: systemRandomness, log })
  const uplinks = new UplinkWatch({
    settings: config.uplinks.map(({ id, interface: interfaceName, kind, costPerMib, downKbit, upKbit, probes }) => ({ name: id, kind, interfaceName, unitsPerMiB: costPerMib, downKbit, upKbit, targets: probes })),
    probe: createUplinkProbe({ clock, timers: systemTimers, randomness: systemRandomness }),
    links,
    routes,
    purses: upstream.purses,
    clock,
    timers: systemTimers,
    log,
  })

  const account = config.main.roles.includes('photon') ? (identity.addressFor('photon-account').toLowerCase() as Address) : null
  const photon = account === null ? null : new MeshPhoton({ hub, peerId: wire.peerId, account, isWelcome, timers: systemTimers, log })
  if (photon !== null) members.onStanding(() => photon.look())
  const token = mesh.token === null ? null : (mesh.token.toLowerCase() as Address)
  const relay =
    account === null || token === null
      ? null
      : new MeshRelay({
          ...tools,
          config: parts.inForce,
          token,
          payee: account,
          hub,
          isWelcome,
          view,
          hardInterfaces: () => kernel.hardInterfaces(),
          uplink: () => uplinks.states().find(({ isChosen, kind }) => isChosen && kind !== 'neighbour') ?? null,
          openNetlink: netlinkOpener(join(folder, 'native/nfnetlink.node')),
          nft: ['nft'],
          leaving: { openRoute: () => kernel.openRoute(), tc: ['tc'] },
          ip: ['ip'],
          runtimeDir: tmpdir(),
          keccak256: (bytes) => curve.keccak256(bytes),
          store,
          ledger: parts.ledger,
        })

  const lora = config.main.roles.includes('iot') ? new MeshLora({ self, hub, isWelcome }) : null
  const { walking } = parts
  const roaming =
    walking === null || mesh.roamEnforcement === 'exit'
      ? null
      : new MeshRoaming({ ...tools, config: parts.inForce, walking, hub, isWelcome, token: account === null ? null : token, payeeOf: (box) => photon?.accountOf(box) ?? null, keccak256: (bytes) => curve.keccak256(bytes), store, ledger: parts.ledger })

  const peerAlarms = new PeerAlarms(clock)
  const room = new MeshRoom({ clock, timers: systemTimers, log }, [
    { name: "batman-adv's view", start: () => view.start(), stop: () => view.stop() },
    {
      name: 'members',
      start: async () => {
        members.start()
        if (code !== null) await members.usePaper(code.paper)
      },
      stop: () => members.stop(),
    },
    ...(relay?.parts() ?? []),
    ...(roaming === null ? [] : [roaming.part()]),
    once({ name: 'other boxes', start: () => hub.start(), stop: () => hub.stop() }),
    { name: 'the beacon', start: () => neighbourhood.start(), stop: () => neighbourhood.stop() },
    ...(config.uplinks.length === 0 ? [] : [{ name: 'ways out', start: () => routes.start().then(() => uplinks.start()), stop: () => Promise.resolve(uplinks.stop()).then(() => routes.stop()) }]),
  ])
  hub.onAlarm((alarm) => peerAlarms.add(alarm))
  const fetching = new ChainFileFetch({ file, wanted, questions, hub, curve, log })
  await room.start()
  if (relay === null) log.info('carrying for neighbours is neither counted nor paid: mesh.token names no token')
  return {
    photon,
    lora,
    wayOut: () => {
      const { reach, sinceMs } = uplinks.reach()
      return config.uplinks.length === 0 || clock.boottimeMs() - sinceMs < REACH_HOLDS_MS ? 'internet' : reach
    },
    usePayments: (channels) => {
      relay?.usePayments(channels)
      roaming?.usePayments(channels)
      upstream.usePayments(channels)
    },
    desk: meshDesk({
      view,
      peers: hub,
      community: members,
      relay: relay?.desk ?? null,
      roaming,
      uplinks: config.uplinks.length === 0 ? null : uplinks,
      purchases: () => [...upstream.purses].map(([uplink, purse]) => ({ uplink, ...purse.view() })),
      token,
      codeTerms: () => codeTermsOf(config, parts.wirelessFile, settings.meshPrefixes[0] ?? null, chainFile()?.hash ?? null),
      alarms: () => [...room.alarms(), ...peerAlarms.all(), ...beaconAlarm(neighbourhood.trouble())],
    }),
    async stop() {
      fetching.stop()
      chain?.stop()
      await room.stop()
      upstream.stop()
      await kernel.close()
    },
  }
}

/** A node starts once in its life: a port that is taken stays an alarm until the service is started again. */
function once(part: MeshPart): MeshPart {
  let failure: unknown
  return {
    ...part,
    async start() {
      if (failure !== undefined) throw failure
      try {
        await part.start()
      } catch (thrown) {
        failure = thrown
        throw thrown
      }
    },
  }
}

interface ChainFileFetchParts {
  readonly file: string | null
  readonly wanted: Hash | null
  readonly questions: PeerQuestions
  readonly hub: Pick<PeerHub, 'peers'>
  readonly curve: Pick<Secp256k1, 'keccak256'>
  readonly log: Log
}

/** The file that the code names, while this box has none: asked for when a box connects, and again where nobody had it. */
class ChainFileFetch {
  readonly #parts: ChainFileFetchParts
  #isBusy = false
  #cancels: Cancel[] = []

  constructor(parts: ChainFileFetchParts) {
    this.#parts = parts
    if (parts.file === null || parts.wanted === null || existsSync(parts.file)) return
    this.#cancels = [parts.questions.onOpen(() => void this.#ask()), systemTimers.every(CHAIN_FILE_AGAIN_MS, () => void this.#ask())]
  }

  stop(): void {
    for (const cancel of this.#cancels.splice(0)) cancel()
  }

  async #ask(): Promise<void> {
    const { file, wanted, questions, hub, curve, log } = this.#parts
    const peers = hub.peers().filter(({ isConnected }) => isConnected).map(({ box }) => box)
    if (this.#isBusy || file === null || wanted === null || peers.length === 0) return
    this.#isBusy = true
    try {
      const text = await fetchChainFile(questions, (bytes) => curve.keccak256(bytes), wanted, peers)
      // Whole or not at all: what a power cut leaves is no chain's file.
      writeFileSync(`${file}.draft`, text, { mode: 0o644, flush: true })
      renameSync(`${file}.draft`, file)
      this.stop()
      log.warn("the chain's file came from a neighbour: restart the service to follow the chain", { file })
    } catch (thrown) {
      log.info("the chain's file is not here yet", { error: asError(thrown) })
    } finally {
      this.#isBusy = false
    }
  }
}

const MAX_ALARMS = 32

class PeerAlarms {
  readonly #clock: Pick<SystemClock, 'boottimeMs'>
  readonly #alarms = new Map<string, MeshAlarm>()

  constructor(clock: Pick<SystemClock, 'boottimeMs'>) {
    this.#clock = clock
  }

  add(alarm: PeerAlarm): void {
    const text = alarmText(alarm)
    if (this.#alarms.has(text)) return
    const oldest = this.#alarms.keys().next()
    if (this.#alarms.size >= MAX_ALARMS && !oldest.done) this.#alarms.delete(oldest.value)
    this.#alarms.set(text, { code: alarm.kind, text, sinceMs: this.#clock.boottimeMs() })
  }

  all(): readonly MeshAlarm[] {
    return [...this.#alarms.values()]
  }
}

function alarmText(alarm: PeerAlarm): string {
  switch (alarm.kind) {
    case 'twin':
      return `two boxes show the key of ${alarm.box}, at ${alarm.addresses.join(' and ')}; neither is let in`
    case 'own-key-elsewhere':
      return `another box shows this box's key, at ${alarm.address}: was its backup put on a second box?`
    case 'called-twin':
      return `${alarm.by} says that another box shows this box's key`
    case 'not-written':
      return `what is known of other boxes could not be written: ${alarm.reason}`
  }
}

function beaconAlarm(trouble: string | null): readonly MeshAlarm[] {
  return trouble === null ? [] : [{ code: 'beacon', text: `neighbours cannot find this box: ${trouble}`, sinceMs: null }]
}

interface Code {
  readonly facts: CommunityCode
  readonly paper: { readonly kind: 'ticket'; readonly ticket: Uint8Array; readonly claim: Uint8Array }
}

/** Null: it joined without a code, or what is there is not one of this community. */
function readCode(path: string, documents: Documents, keys: ReturnType<typeof invitationKeys>, community: Address, log: Log): Code | null {
  if (!existsSync(path)) return null
  try {
    const parts = codeParts(keys, readFileSync(path, 'utf8'))
    const facts = readInvitation(documents, keys, parts)
    if (facts.community !== community) throw new MeshBoxError('input', `it is of the community ${facts.community}`, { code: 'other-community' })
    return { facts, paper: { kind: 'ticket', ticket: parts.ticket, claim: signClaim(keyOf(keys, parts.settings), readTicket(documents, parts.ticket), documents.self) } }
  } catch (thrown) {
    log.error('the code that this box joined by is not used', { path, error: asError(thrown) })
    return null
  }
}

/** Read when first asked for; null: there is none yet. */
function chainFileOf(file: string | null, curve: Secp256k1): () => { readonly hash: Hash; readonly bytes: Uint8Array } | null {
  let known: { readonly hash: Hash; readonly bytes: Uint8Array } | null = null
  return () => {
    if (known !== null || file === null || !existsSync(file) || statSync(file).size > MAX_CHAIN_FILE_BYTES) return known
    const text = readFileSync(file, 'utf8')
    known = { hash: chainFileHash((bytes) => curve.keccak256(bytes), text), bytes: utf8(text) }
    return known
  }
}

/** What goes on codes: the radio's mesh as it is configured. Null: there is none, or it has no addresses. */
function codeTermsOf(config: Config, wirelessFile: string, ulaPrefix: string | null, chainHash: Hash | null): CodeTerms | null {
  if (ulaPrefix === null || !existsSync(wirelessFile) || statSync(wirelessFile).size > MAX_TEXT_BYTES) return null
  const wireless = parseUci(readFileSync(wirelessFile, 'utf8'), wirelessFile)
  const optionOf = (name: string, option: string): string | null => wireless.sections.find((section) => section.name === name)?.options.find((each) => each.name === option)?.values[0]?.text ?? null
  const [radio, meshId] = [optionOf('meshbox_mesh', 'device'), optionOf('meshbox_mesh', 'mesh_id')]
  const channel = Number(radio === null ? Number.NaN : optionOf(radio, 'channel'))
  if (meshId === null || !Number.isInteger(channel)) return null
  const { mesh, photon, tariff } = config
  return {
    name: mesh.communityName,
    chainFileHash: chainHash,
    meshId,
    meshChannel: channel,
    meshSecret: optionOf('meshbox_mesh', 'key') ?? '',
    ulaPrefix,
    contract: photon.contract === null ? null : (photon.contract.toLowerCase() as Address),
    tokens: photon.tokens.filter(({ address }) => address === mesh.token?.toLowerCase()).map(({ address, symbol, decimals }) => ({ address: address as Address, symbol, decimals })),
    prices: { token: mesh.token === null ? null : (mesh.token.toLowerCase() as Address), perMiB: mesh.pricePerMib, perMinute: tariff.pricePerMinute },
  }
}

function pathOf(folder: string, name: string): string | null {
  const path = join(folder, 'native', name)
  return existsSync(path) ? path : null
}
