/**
 * Nodes that have answered a ping, by their distance from us (Kademlia): per distance a few, per network a few,
 * so that one owner of many addresses does not fill it. Pure.
 */
import { toHex } from '../../../base/index.ts'
import type { Keccak } from '../../codec/fields.ts'
import type { Enode } from '../enode.ts'

const BUCKET_NODES = 8
const MAX_NODES = 256
/** Of one IPv4 /24 or IPv6 /48; this box's own networks are not limited, they are few by themselves. */
const NETWORK_NODES = 8
/** Unanswered pings after which a node is forgotten. */
const MAX_FAILURES = 3

export interface TableNode extends Enode {
  readonly idHash: Uint8Array
}

interface Entry {
  node: TableNode
  failures: number
}

export class NodeTable {
  readonly #keccak: Keccak
  readonly #ownHash: Uint8Array
  readonly #entries = new Map<string, Entry>()

  constructor(keccak: Keccak, ownId: Uint8Array) {
    this.#keccak = keccak
    this.#ownHash = keccak.keccak256(ownId)
  }

  get size(): number {
    return this.#entries.size
  }
  nodes(): readonly TableNode[] {
    return [...this.#entries.values()].map(({ node }) => node)
  }
  has(nodeId: Uint8Array): boolean {
    return this.#entries.has(toHex(nodeId))
  }

  /** It answered. False: known already (its place is renewed), or no room at its distance or in its network. */
  add(enode: Enode): boolean {
    const key = toHex(enode.nodeId)
    const node: TableNode = { ...enode, idHash: this.#keccak.keccak256(enode.nodeId) }
    const known = this.#entries.get(key)
    if (known !== undefined) {
      // The longest known stand first; a new address is taken over, since it was proved.
      known.node = node
      known.failures = 0
      return false
    }
    const distance = distanceOf(this.#ownHash, node.idHash)
    if (distance === 0) return false
    const inBucket = [...this.#entries].filter(([, entry]) => distanceOf(this.#ownHash, entry.node.idHash) === distance)
    const network = networkOf(node.address)
    const inNetwork = [...this.#entries.values()].filter((entry) => networkOf(entry.node.address) === network).length
    if (network !== null && inNetwork >= NETWORK_NODES) return false
    if (inBucket.length >= BUCKET_NODES || this.#entries.size >= MAX_NODES) {
      const failing = inBucket.find(([, entry]) => entry.failures > 0)
      if (failing === undefined) return false
      this.#entries.delete(failing[0])
    }
    this.#entries.set(key, { node, failures: 0 })
    return true
  }

  /** It did not answer. */
  failed(nodeId: Uint8Array): void {
    const key = toHex(nodeId)
    const entry = this.#entries.get(key)
    if (entry !== undefined && ++entry.failures >= MAX_FAILURES) this.#entries.delete(key)
  }

  /** Nearest first. `target`: a node id. */
  closest(target: Uint8Array, count: number): readonly TableNode[] {
    const hash = this.#keccak.keccak256(target)
    return this.nodes()
      .toSorted((a, b) => compareDistance(hash, a.idHash, b.idHash))
      .slice(0, count)
  }

  /** To be asked whether it is still there: each in its turn. */
  oldest(): TableNode | null {
    const first = this.#entries.entries().next()
    if (first.done === true) return null
    const [key, entry] = first.value
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.node
  }
}

/** 0: the same; else the place of the highest bit in which they differ, 1 to 256. */
export function distanceOf(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) ^ (b[i] ?? 0)
    if (difference !== 0) return (a.length - i) * 8 - Math.clz32(difference) + 24
  }
  return 0
}

function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < target.length; i++) {
    const difference = ((a[i] ?? 0) ^ (target[i] ?? 0)) - ((b[i] ?? 0) ^ (target[i] ?? 0))
    if (difference !== 0) return difference
  }
  return 0
}

/** Null: not limited. */
function networkOf(address: string): string | null {
  if (isOwnNetwork(address)) return null
  return address.includes(':') ? address.split(':').slice(0, 3).join(':') : address.split('.').slice(0, 3).join('.')
}

/** Loopback, private, link-local: addresses that mean something only where they are used. */
function isOwnNetwork(address: string): boolean {
  if (address.includes(':')) return /^(0:0:0:0:0:0:0:1$|::1$|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/i.test(address)
  const [a = 0, b = 0] = address.split('.').map(Number)
  return a === 10 || a === 127 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254) || (a === 100 && b >= 64 && b < 128)
}

/** An address that a node can be at, told of by somebody at `teller`. */
export function isPlausible(address: string, teller: string): boolean {
  if (address === '' || address === '0.0.0.0' || /^(0:){7}0$|^::$|^ff/i.test(address)) return false
  if (!address.includes(':') && Number(address.split('.')[0]) >= 224) return false
  // A stranger on the Internet does not know our own network, and would make us probe it.
  return !isOwnNetwork(address) || isOwnNetwork(teller)
}
