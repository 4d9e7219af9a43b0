/** One node of the payment benchmark: a whole node with its own file, told by lines what to do. */
import { systemRandomness, systemTimers, SystemClock } from '../../../src/base/io/system.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import { createPeerBinding } from '../../../src/photon/node/index.ts'
import { Libp2pTransport } from '../../../src/photon/node/io/libp2p-transport.ts'
import { createDigests } from '../../../src/photon/wire/index.ts'
import { silentLog } from '../../../src/base/index.ts'
import { Box, DOMAIN, accountSigner, channelOf, keyOf } from '../../unit/photon-node/box.ts'
import { say, task, told } from './lines.ts'

export interface PeerTask {
  readonly key: number
  readonly partnerKey: number
  readonly dir: string
  readonly transport: 'tcp' | 'libp2p'
  readonly secp256k1Path: string | null
  readonly sqliteBinding: string
}

export type PeerOrder =
  | { readonly do: 'dial'; readonly address: string }
  | { readonly do: 'pay'; readonly window: number; readonly count: number }
  | { readonly do: 'figures' }
  | { readonly do: 'primitives'; readonly milliseconds: number }
  | { readonly do: 'stop' }

export interface PayResult {
  readonly wallMs: number
  readonly p50Ms: number
}

export interface Figures {
  readonly sys: number
  readonly cpuMs: number
  readonly commits: number
  readonly rssMib: number
  readonly received: number
}

export interface Primitives {
  readonly signMicros: number
  readonly recoverMicros: number
}

const settings = task<PeerTask>()
const secp256k1 = loadSecp256k1(settings.secp256k1Path)
const signer = accountSigner(secp256k1, keyOf(settings.key))
const partner = accountSigner(secp256k1, keyOf(settings.partnerKey)).account
const libp2p = settings.transport === 'tcp' ? null : await startLibp2p()
const box = new Box({ key: settings.key, dir: settings.dir, secp256k1, sqliteBinding: settings.sqliteBinding, ...(libp2p === null ? {} : { transport: libp2p }) })
let received = 0
box.node.onPayment(() => received++)
box.node.start()
await box.open(partner, 10n ** 30n)
const channel = channelOf(box.account, partner)
const address = libp2p === null ? String(await box.tcp.listen(0)) : (libp2p.addresses()[0] ?? '')
say({ address })

for await (const line of told()) {
  const order = JSON.parse(line) as PeerOrder
  if (order.do === 'dial') {
    await (libp2p === null ? box.tcp.dial(Number(order.address)) : libp2p.dial(order.address))
    while (!box.node.isReady(channel)) await new Promise((resolve) => setTimeout(resolve, 1))
    say({})
  } else if (order.do === 'pay') say(await pay(order.window, order.count))
  else if (order.do === 'figures') say(figures())
  else if (order.do === 'primitives') say(primitives(order.milliseconds))
  else break
}
process.stdin.destroy()
await box.node.stop()
await (libp2p === null ? box.tcp.close() : libp2p.close())
await box.store.close()
say({})

async function startLibp2p(): Promise<Libp2pTransport> {
  const digests = createDigests(DOMAIN, (data) => secp256k1.keccak256(data))
  const binding = createPeerBinding({ digests, signer, secp256k1, issuedSeconds: () => 1_800_000_000 })
  const transport = new Libp2pTransport({ account: signer.account, binding, seed: keyOf(settings.key), listen: ['/ip4/127.0.0.1/tcp/0'], clock: new SystemClock('always'), timers: systemTimers, log: silentLog, maxPeers: 8 })
  await transport.start()
  return transport
}

/** `window` payers, each waits until the partner has it on disk. */
async function pay(window: number, count: number): Promise<PayResult> {
  const data = new Uint8Array(0)
  const taken: number[] = []
  let left = count
  const start = performance.now()
  const payer = async (): Promise<void> => {
    while (left > 0) {
      left--
      const from = performance.now()
      const { delivered } = await box.node.payDirect({ channel, amount: 3n, data })
      await delivered
      taken.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: window }, payer))
  const wallMs = performance.now() - start
  taken.sort((a, b) => a - b)
  return { wallMs, p50Ms: taken[Math.floor(taken.length / 2)] ?? Number.NaN }
}

function figures(): Figures {
  const cpu = process.cpuUsage()
  return { sys: cpu.system / 1000, cpuMs: (cpu.user + cpu.system) / 1000, commits: box.store.stats().commits, rssMib: process.memoryUsage.rss() / 2 ** 20, received }
}

/** What a signature and a recovered signer cost in batches, on this machine in this moment. */
function primitives(milliseconds: number): Primitives {
  const digests = systemRandomness.bytes(256 * 32)
  const signatures = secp256k1.signBatch(digests, keyOf(settings.key))
  const frames = new Uint8Array(256 * 97)
  for (let i = 0; i < 256; i++) {
    frames.set(digests.subarray(i * 32, (i + 1) * 32), i * 97)
    frames.set(signatures.subarray(i * 65, (i + 1) * 65), i * 97 + 32)
  }
  const cost = (work: () => void): number => {
    const [start, until] = [process.cpuUsage(), performance.now() + milliseconds]
    let operations = 0
    for (; performance.now() < until; operations += 256) work()
    const used = process.cpuUsage(start)
    return (used.user + used.system) / operations
  }
  return { signMicros: cost(() => secp256k1.signBatch(digests, keyOf(settings.key))), recoverMicros: cost(() => secp256k1.recoverAddressBatch(frames)) }
}
