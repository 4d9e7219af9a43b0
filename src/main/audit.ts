/**
 * `meshbox audit`: the box's own tables, keys and chain behind the audit's ports. Everything of it is reached through `auditBox`, so that it can lie in a
 * file of its own and be loaded when somebody asks.
 */
import { fromHex, toHex, type Address, type Timers } from '../base/index.ts'
import { audit, type AuditPorts, type AuditReport, type ChannelRow } from '../audit/index.ts'
import type { Config } from '../config/index.ts'
import { toChecksumAddress } from '../identity/index.ts'
import { nextChainHash } from '../iot/tenants/receipt/index.ts'
import type { Secp256k1 } from '../native/index.ts'
import { loadPosition } from '../photon/chain/io/index.ts'
import { proveChannel } from '../photon/chain/index.ts'
import type { ChainPoint } from '../photon/index.ts'
import type { AuditJson } from '../owner/index.ts'
import type { Spectrum } from '../spectrum/index.ts'
import type { Store } from '../store/index.ts'
import { booksOf, type BookTools } from './audit-books.ts'
import { UNPROVED_TICKS } from './stream-limits.ts'

export interface AuditBoxParts {
  readonly store: Pick<Store, 'read'>
  readonly config: Pick<Config, 'photon' | 'mesh' | 'token'>
  /** This box's address. */
  readonly self: string
  readonly curve: Pick<Secp256k1, 'keccak256' | 'recover' | 'recoverAddress'>
  /** What the chain has; null: the box follows none. */
  readonly chain: AuditChain | null
  readonly timers: Timers
}

export interface AuditChain {
  /** The point of that height, while it is on the chain; null: it is not to be had. */
  at(number: number): ChainPoint | null
  /** Proved against the block's state root. Null: not to be had now. */
  storage(point: ChainPoint, contract: Address, slot: bigint): Promise<bigint | null>
}

/** As in main/roaming.ts. */
const MAX_TOKEN_NAME = 32
const MINUTES_OF_DEBT = 30n

/** Reads only. Errors: what the store throws when it cannot be read. */
export function auditBox(parts: AuditBoxParts): Promise<AuditReport> {
  const { store, config, curve, timers } = parts
  const tools = toolsOf(parts)
  const ports: AuditPorts = {
    look: (body) => store.read((tx) => body(booksOf(tx, tools))),
    pause: () => new Promise((resolve) => void timers.after(0, resolve)),
    chainOf: (channel) => chainOf(parts, channel),
    nextChainHash: (previous, unit) => toHex(nextChainHash(fromHex(previous), unit, (bytes) => curve.keccak256(bytes))),
    limits: {
      offline: config.photon.maxOfflineExposure,
      carriage: config.mesh.maxDebt === 0n ? null : config.mesh.maxDebt,
      roaming: config.mesh.maxDebt === 0n ? config.mesh.roamPricePerMinute * MINUTES_OF_DEBT : config.mesh.maxDebt,
      streamTicks: UNPROVED_TICKS,
    },
  }
  return audit(ports)
}

function toolsOf({ config, curve, self }: AuditBoxParts): BookTools {
  const named = (address: Address): string | undefined => config.photon.tokens.find((token) => token.address === address)?.symbol
  const box = self.toLowerCase() as Address
  return {
    self: box,
    signer: toChecksumAddress(self),
    curve,
    receipts: { keccak: (bytes) => curve.keccak256(bytes), recover: (digest, signature) => curve.recover(digest, signature) },
    symbolOf: (address) => named(address) ?? address,
    meshToken: (address) => named(address) ?? address.slice(0, MAX_TOKEN_NAME),
    names: new Map(),
  }
}

/** As of the block up to which this box has taken in what happened to its channels. */
async function chainOf({ store, curve, chain }: AuditBoxParts, { contract, channel, epoch, own, partner }: ChannelRow): ReturnType<AuditPorts['chainOf']> {
  if (chain === null) return { why: 'this box follows no chain (role light or sealer)' }
  const position = store.read((tx) => loadPosition(tx, contract))
  if (position === null) return { why: 'nothing was heard of this contract yet' }
  const point = chain.at(position.number)
  if (point === null || point.hash !== position.hash) return { why: `block ${position.number}, up to which its news were taken in, is not on the chain that the box has now` }
  const proved = await proveChannel(chain, (bytes) => curve.keccak256(bytes), point, contract, channel, [own.address, partner.address])
  if (proved === null) return { why: `nobody gives the contract's state at block ${position.number} now` }
  const [ours, theirs] = proved.sides
  return { block: point.number, own: ours, partner: theirs, isOpen: proved.state !== 'none' && proved.epoch === epoch }
}

/** As the owner's API says it. */
export function auditJson({ differences, unnamed, looked, unchecked, contracts }: AuditReport): AuditJson {
  return {
    isSound: differences.length === 0,
    differences: differences.map(({ amount, ...rest }) => ({ ...rest, amount: amount === null ? null : { expected: amount.expected.toString(), found: amount.found.toString(), token: amount.token } })),
    unnamed,
    looked: { ...looked },
    unchecked: unchecked.map((each) => ({ ...each })),
    contracts: contracts.map((each) => ({ ...each, pot: each.pot.toString() })),
  }
}

/** The running chain, as far as an audit asks. */
export function auditChainOf({ chain, reads }: Pick<Spectrum, 'chain' | 'reads'>): AuditChain {
  return {
    at(number) {
      const known = chain.headerAt(number)
      return known === null ? null : { number: known.header.number, hash: known.hash, timeSeconds: known.header.timeSeconds }
    },
    async storage(point, contract, slot) {
      const known = chain.headerAt(point.number)
      try {
        return known?.hash === point.hash ? await reads.storage(known, contract, slot) : null
      } catch {
        return null // a source's failure is no difference: it is reported as not compared
      }
    },
  }
}
