/**
 * One end of the peers' benchmark, told by lines: `mesh` is the box's node with its streams over libp2p, `tcp` and `tls` the same
 * frames over a bare socket. One end answers each frame with the same; the other asks, so many at a time.
 */
import { connect as connectTcp, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import type { TlsOptions } from 'node:tls'
import { hexOf, silentLog } from '../../../src/base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../../../src/base/io/system.ts'
import { createDocuments } from '../../../src/mesh/documents/index.ts'
import { PeerHub } from '../../../src/mesh/peers/index.ts'
import type { PacedLane } from '../../../src/mesh/peers/index.ts'
import { Libp2pWire } from '../../../src/mesh/peers/io/libp2p-wire.ts'
import type { BoxId, PeerProtocol } from '../../../src/mesh/ports.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import type { Secp256k1 } from '../../../src/native/index.ts'
import { COMMUNITY, MemoryShelf, keyOf } from '../../unit/mesh-peers/boxes.ts'
import { say, task, told } from './lines.ts'

export interface MeshPeerTask {
  readonly transport: 'mesh' | 'tcp' | 'tls'
  readonly number: number
  readonly secp256k1Path: string
}

export type MeshPeerOrder =
  | { readonly do: 'dial'; readonly address: string }
  /** That many more boxes of this process dial it, one after the other, and stay. */
  | { readonly do: 'crowd'; readonly address: string; readonly count: number }
  | { readonly do: 'ask'; readonly window: number; readonly count: number }
  | { readonly do: 'figures' }

export interface Asked {
  readonly wallMs: number
  readonly p50Ms: number
}

export interface PeerFigures {
  readonly cpuMs: number
  readonly rssMib: number
}

const FRAME_BYTES = 200
/** A box takes 20 connections a second from one host, and refuses what is more. */
const DIAL_EVERY_MS = 100
const LANE: PeerProtocol = { name: '/bench/frames/1', maxFrameBytes: 4096, maxQueuedBytes: 1_048_576, maxFramesPerSecond: 10_000_000, maxBytesPerSecond: 10_000_000_000, sides: ['mesh'] }
const PSK: TlsOptions = { ciphers: 'ECDHE-PSK-CHACHA20-POLY1305', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }
const PSK_KEY = Buffer.alloc(32, 7)
const time = Object.assign(new SystemClock('always'), systemTimers)

interface End {
  readonly address: string
  dial(address: string): Promise<void>
  send(frame: Uint8Array): void
  onFrame: () => void
}

interface MeshBox {
  readonly hub: PeerHub
  readonly lane: PacedLane
  /** Resolves when its stream is open. */
  dial(address: string): Promise<BoxId>
}

function meshBox(number: number, curve: Secp256k1): MeshBox {
  const key = keyOf(number)
  const wire = new Libp2pWire({ seed: keyOf(100 + number), listen: ['/ip4/127.0.0.1/tcp/0'], maxConnections: 64, onTrouble: () => undefined })
  const hub = new PeerHub({
    documents: createDocuments(hexOf(curve.keccak256(curve.publicKeyOf(key).subarray(1)).subarray(12)), {
      keccak256: (bytes) => curve.keccak256(bytes),
      sign: (digest) => curve.sign(digest, key),
      recoverAddress: (digest, signature) => curve.recoverAddress(digest, signature),
    }),
    ...{ wire, shelf: new MemoryShelf(), clock: time, timers: time, randomness: systemRandomness, log: silentLog },
    originator: () => null,
    settings: { name: `box ${number}`, community: COMMUNITY, meshPrefixes: ['127.0.0.0/8'], acceptsInternet: false, staticPeers: [], maxPeers: 50, maxInternetPeers: 16 },
  })
  const lane = hub.open(LANE)
  const waiting: ((peer: BoxId) => void)[] = []
  lane.onOpen((peer) => waiting.shift()?.(peer))
  const dial = async (address: string): Promise<BoxId> => {
    const open = new Promise<BoxId>((resolve) => waiting.push(resolve))
    await hub.dial(address)
    return open
  }
  return { hub, lane, dial }
}

async function meshEnd(number: number, curve: Secp256k1): Promise<End> {
  const { hub, lane, dial } = meshBox(number, curve)
  let partner: BoxId | null = null
  await hub.start()
  const end: End = {
    address: (hub.addresses()[0] ?? '').replace(/\/p2p\/.*/, ''),
    onFrame: () => undefined,
    async dial(address) {
      partner = await dial(address)
    },
    send: (frame) => void (partner !== null && lane.send(partner, frame)),
  }
  // Who did not dial answers.
  lane.onFrame((from, frame) => (partner === null ? lane.send(from, frame) : end.onFrame()))
  return end
}

/** Frames of one length need no length before them. */
async function socketEnd(isTls: boolean): Promise<End> {
  const read = (from: Socket, onFrame: () => void): void => {
    let have = 0
    from.setNoDelay(true)
    from.on('error', () => undefined)
    from.on('data', (bytes) => {
      for (have += bytes.length; have >= FRAME_BYTES; have -= FRAME_BYTES) onFrame()
    })
  }
  const frame = Buffer.alloc(FRAME_BYTES, 1)
  const echo = (from: Socket): void => read(from, coalesced(from, frame))
  const server = isTls ? createTlsServer({ ...PSK, pskCallback: () => PSK_KEY }, echo) : createServer(echo)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const end: End = {
    address: String((server.address() as AddressInfo).port),
    onFrame: () => undefined,
    async dial(port) {
      const where = { host: '127.0.0.1', port: Number(port) }
      const made = isTls ? connectTls({ ...where, ...PSK, checkServerIdentity: () => undefined, pskCallback: () => ({ psk: PSK_KEY, identity: 'bench' }) }) : connectTcp(where)
      await new Promise<void>((resolve, reject) => made.once(isTls ? 'secureConnect' : 'connect', resolve).once('error', reject))
      read(made, () => end.onFrame())
      const write = coalesced(made, frame)
      end.send = () => write()
    },
    send: () => undefined,
  }
  return end
}

/** What is written in one turn leaves in one piece, as the node's own streams do it. */
function coalesced(socket: Socket, frame: Uint8Array): () => void {
  let waiting = 0
  return () => {
    waiting += 1
    if (waiting > 1) return
    queueMicrotask(() => {
      socket.write(waiting === 1 ? frame : Buffer.alloc(waiting * frame.length, 1))
      waiting = 0
    })
  }
}

async function ask(end: End, window: number, count: number): Promise<Asked> {
  const frame = new Uint8Array(FRAME_BYTES).fill(1)
  const sentAt: number[] = []
  const tookMs: number[] = []
  const startedAt = performance.now()
  await new Promise<void>((resolve) => {
    let [sent, came] = [0, 0]
    const fill = (): void => {
      for (; sent < count && sent - came < window; sent++) {
        sentAt.push(performance.now())
        end.send(frame)
      }
    }
    end.onFrame = () => {
      tookMs.push(performance.now() - (sentAt[came] ?? 0))
      came += 1
      if (came === count) resolve()
      else fill()
    }
    fill()
  })
  tookMs.sort((a, b) => a - b)
  return { wallMs: performance.now() - startedAt, p50Ms: tookMs[Math.floor(tookMs.length / 2)] ?? 0 }
}

/** Of each box, from the dial to the open stream, ms. */
async function crowd(address: string, count: number, curve: Secp256k1): Promise<number[]> {
  const tookMs: number[] = []
  for (let number = 0; number < count; number++) {
    const { hub, dial } = meshBox(1000 + number, curve)
    await hub.start()
    const startedAt = performance.now()
    await dial(address)
    const took = performance.now() - startedAt
    tookMs.push(took)
    await setTimeout(Math.max(0, DIAL_EVERY_MS - took))
  }
  return tookMs
}

function figures(): PeerFigures {
  const used = process.cpuUsage()
  globalThis.gc?.()
  return { cpuMs: (used.user + used.system) / 1000, rssMib: process.memoryUsage.rss() / 1_048_576 }
}

async function main(): Promise<void> {
  const { transport, number, secp256k1Path } = task<MeshPeerTask>()
  const curve = loadSecp256k1(secp256k1Path)
  const end = transport === 'mesh' ? await meshEnd(number, curve) : await socketEnd(transport === 'tls')
  say({ address: end.address })
  for await (const line of told()) {
    const order = JSON.parse(line) as MeshPeerOrder
    if (order.do === 'dial') say(await end.dial(order.address).then(() => ({})))
    else if (order.do === 'crowd') say({ tookMs: await crowd(order.address, order.count, curve) })
    else if (order.do === 'ask') say(await ask(end, order.window, order.count))
    else say(figures())
  }
  process.exit(0)
}

void main()
