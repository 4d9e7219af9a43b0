/** The chain of this box, from its configuration: which network, where it begins, with whom, and who seals. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { MeshBoxError, asError, type Log } from '../base/index.ts'
import { systemRandomness, systemTimers, type SystemClock } from '../base/io/system.ts'
import type { ChainConfig, Config } from '../config/index.ts'
import type { Identity } from '../identity/index.ts'
import type { Ledger } from '../ledger/index.ts'
import type { Secp256k1 } from '../native/index.ts'
import {
  MAX_JOIN_FILE_BYTES,
  decodeCheckpoint,
  decodeJoinFile,
  minerKeyOf,
  publicNetwork,
  startFromCheckpoint,
  startFromGenesis,
  startSpectrum,
  verifyCheckpoint,
  type Address,
  type ChainStart,
  type Network,
  type OwnerWallet,
  type Spectrum,
} from '../spectrum/index.ts'
import type { Store } from '../store/index.ts'
import { guestInterfaceOf, ownersSide, refuseGuests } from './guest-side.ts'

export interface ChainParts {
  readonly config: Config
  readonly store: Store
  readonly ledger: Ledger
  readonly identity: Identity
  readonly curve: Secp256k1
  readonly clock: SystemClock
  readonly log: Log
  readonly version: string
  /** Folder of the bundle. */
  readonly folder: string
  /** Absolute path of secp256k1.node; null where it is not used. */
  readonly secp256k1Path: string | null
}

const GWEI = 1_000_000_000n
/** Where v is in a signature, and what the identity's counts from. */
const V_AT = 64
const V_BASE = 27
const MAX_CHECKPOINT_FILE_BYTES = 64 * 1024

/** Errors: input naming the option or the file's field; forbidden `bad-chain-address`; conflict `checkpoint-needed`; what the parts throw. */
export async function startChain(parts: ChainParts): Promise<Spectrum> {
  const { config, curve, clock, log } = parts
  const settings = config.chain
  const isSealer = config.main.roles.includes('sealer')
  const joined = networkOf(settings, curve)
  const { dataDir } = config.main
  const guests = guestInterfaceOf(config)
  if (settings.rpcAddress !== null) refuseGuests('chain.rpc_address', settings.rpcAddress, guests)
  return startSpectrum({
    settings: {
      network: joined.network,
      start: startOf(parts, joined.network, joined.checkpointKeys),
      doesExecute: isSealer,
      sealing: isSealer && settings.coinbase !== null ? { key: minerKeyOf(curve, parts.identity.deriveSecret('chain-miner'), systemRandomness), coinbase: settings.coinbase.toLowerCase() as Address } : null,
      wallet: walletOf(parts.identity),
      minGasPriceWei: BigInt(settings.minGasPriceGwei) * GWEI,
      peers: {
        listen: settings.listenAddress === null ? null : { address: settings.listenAddress, port: settings.listenPort },
        fixed: [...joined.staticPeers, ...settings.peers],
        bootnodes: [...joined.bootnodes, ...settings.bootnodes],
        max: settings.maxPeers,
      },
      servers: settings.servers,
      rpc: settings.rpcAddress === null ? null : { address: settings.rpcAddress, port: settings.rpcPort, origins: [`http://${config.owner.address}:${config.owner.port}`], admits: ownersSide(guests, () => clock.boottimeMs()) },
      servesGuests: settings.guestRpc && config.main.roles.includes('hotspot'),
    },
    store: parts.store,
    ledger: parts.ledger,
    curve,
    clock,
    timers: systemTimers,
    randomness: systemRandomness,
    log: log.room('spectrum'),
    version: parts.version,
    nodeKey: parts.identity.deriveSecret('chain-node'),
    executor: {
      workerFile: join(parts.folder, 'executor.cjs'),
      statePath: join(dataDir, 'chain-state.sqlite'),
      sqliteBinding: join(parts.folder, 'native/better_sqlite3.node'),
      secp256k1Path: parts.secp256k1Path,
    },
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
  })
}

/** The box's own address, as a wallet. */
function walletOf(identity: Identity): OwnerWallet {
  return {
    address: identity.address.toLowerCase() as Address,
    sign(digest) {
      const signature = identity.signDigest(digest)
      signature[V_AT] = (signature[V_AT] ?? 0) - V_BASE // of texts 27 or 28, of transactions 0 or 1
      return signature
    },
  }
}

interface Joined {
  readonly network: Network
  readonly staticPeers: readonly string[]
  readonly bootnodes: readonly string[]
  readonly checkpointKeys: readonly string[]
}

function networkOf(settings: ChainConfig, curve: Secp256k1): Joined {
  const known = settings.network.startsWith('/') ? null : publicNetwork(settings.network)
  if (known !== null) return { network: known, staticPeers: [], bootnodes: [], checkpointKeys: [] }
  const file = decodeJoinFile(curve, readBounded(settings.network, MAX_JOIN_FILE_BYTES, 'chain.network'))
  return { network: file.community.network, staticPeers: file.staticPeers, bootnodes: file.bootnodes, checkpointKeys: file.checkpointKeys.map((key) => key.slice(2)) }
}

/** A checkpoint where one is named; else the genesis, where that says who seals. Null: whatever is kept goes on. */
function startOf({ config, curve, clock, log }: ChainParts, network: Network, joinedKeys: readonly string[]): ChainStart | null {
  const { checkpointFile, checkpointKeys } = config.chain
  if (checkpointFile === null) {
    try {
      return startFromGenesis(curve, network)
    } catch (error) {
      if (error instanceof MeshBoxError && error.code === 'checkpoint-needed') return null // a kept chain goes on; without one, opening says what is missing
      throw error
    }
  }
  const keys = checkpointKeys.length > 0 ? checkpointKeys : joinedKeys
  const judge = { curve, network, keys, nowSeconds: clock.isWallTrusted() ? Math.floor(clock.wallMs() / 1000) : null, isAgeAccepted: false }
  const judged = verifyCheckpoint(judge, decodeCheckpoint(curve, readBounded(checkpointFile, MAX_CHECKPOINT_FILE_BYTES, 'chain.checkpoint_file')))
  if (judged.ok) return startFromCheckpoint(curve, judged.checkpoint)
  log.error('the checkpoint is not used; a chain that is kept goes on without it', { file: checkpointFile, code: judged.code, reason: judged.reason })
  return null
}

function readBounded(path: string, maxBytes: number, option: string): string {
  try {
    if (statSync(path).size > maxBytes) throw new MeshBoxError('limit', `${option}: ${path} is larger than ${maxBytes} bytes`, { code: 'file-too-large', field: option })
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof MeshBoxError) throw error
    throw new MeshBoxError('input', `${option}: ${path} cannot be read: ${asError(error).message}`, { code: 'bad-input', field: option, value: path, allowed: 'a file that the service may read' })
  }
}
