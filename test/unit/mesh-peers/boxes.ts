/** Boxes for the tests of this folder: real keys and documents, a shelf in memory, what each heard and was told. */
import { silentLog } from '../../../src/base/index.ts'
import type { Address, Clock, Log, Timers } from '../../../src/base/index.ts'
import { hexOf } from '../../../src/base/index.ts'
import { createDocuments } from '../../../src/mesh/documents/index.ts'
import { PeerHub } from '../../../src/mesh/peers/index.ts'
import type { PeerAlarm, PeerParts, PeerSettings, PeerShelf, StoredPeer, Wire } from '../../../src/mesh/peers/index.ts'
import type { BoxId, Documents, PeerProtocol } from '../../../src/mesh/ports.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import type { Secp256k1 } from '../../../src/native/index.ts'
import { seededRandom } from '../../support/fakes.ts'

const noble = loadSecp256k1(null)

export const COMMUNITY = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

export const NOTES: PeerProtocol = { name: '/test/notes/1', maxFrameBytes: 1024, maxQueuedBytes: 64 * 1024, maxFramesPerSecond: 200, maxBytesPerSecond: 64 * 1024, sides: ['mesh', 'internet'] }

export function keyOf(number: number): Uint8Array {
  const key = new Uint8Array(32).fill(7)
  new DataView(key.buffer).setUint32(28, number)
  return key
}

export function documentsOf(number: number, curve: Secp256k1 = noble): Documents {
  const key = keyOf(number)
  const of = { keccak256: (bytes: Uint8Array) => curve.keccak256(bytes), sign: (digest: Uint8Array) => curve.sign(digest, key), recoverAddress: (digest: Uint8Array, signature: Uint8Array) => curve.recoverAddress(digest, signature) }
  const digest = curve.keccak256(Uint8Array.of(1))
  const own = curve.recoverAddress(digest, curve.sign(digest, key))
  if (own === null) throw new Error('a key without an address')
  return createDocuments(hexOf(own), of)
}

export class MemoryShelf implements PeerShelf {
  readonly rows = new Map<Address, StoredPeer>()
  refuses = false

  load(): readonly StoredPeer[] {
    return [...this.rows.values()]
  }

  save(peer: StoredPeer): Promise<void> {
    if (this.refuses) return Promise.reject(new Error('the disk is full'))
    this.rows.set(peer.box, peer)
    return Promise.resolve()
  }

  remove(boxes: readonly BoxId[]): Promise<void> {
    for (const box of boxes) this.rows.delete(box)
    return Promise.resolve()
  }
}

export interface BoxOptions {
  readonly number: number
  readonly wire: Wire
  readonly time: Clock & Timers
  readonly shelf?: PeerShelf
  readonly settings?: Partial<PeerSettings>
  readonly log?: Log
  /** Of the run: another one, another start. */
  readonly run?: number
  readonly refuses?: PeerParts['refuses']
  /** Missing: JavaScript. */
  readonly secp256k1?: Secp256k1
}

export interface TestBox {
  readonly hub: PeerHub
  readonly documents: Documents
  readonly alarms: PeerAlarm[]
}

export function boxOf({ number, wire, time, shelf = new MemoryShelf(), settings = {}, log = silentLog, run = 0, refuses, secp256k1 }: BoxOptions): TestBox {
  const documents = documentsOf(number, secp256k1)
  const hub = new PeerHub({
    documents,
    wire,
    shelf,
    clock: time,
    timers: time,
    randomness: seededRandom(1000 * number + run + 1),
    log,
    originator: () => null,
    ...(refuses === undefined ? {} : { refuses }),
    settings: { name: `box ${number}`, community: COMMUNITY, meshPrefixes: ['fd00::/16', '127.0.0.0/8'], acceptsInternet: false, staticPeers: [], maxPeers: 50, maxInternetPeers: 16, ...settings },
  })
  const alarms: PeerAlarm[] = []
  hub.onAlarm((alarm) => alarms.push(alarm))
  return { hub, documents, alarms }
}
