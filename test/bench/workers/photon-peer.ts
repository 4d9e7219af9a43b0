/** One node of the payment benchmark: a whole node with its own file, told by lines what to do. */
import type { Address } from '../../../src/base/index.ts'
import { ZERO_HASH, silentLog } from '../../../src/base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../../../src/base/io/system.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import type { Secp256k1 } from '../../../src/native/index.ts'
import { createPeerBinding } from '../../../src/photon/node/index.ts'
import type { Libp2pTransport } from '../../../src/photon/node/io/libp2p-transport.ts'
import { createDigests } from '../../../src/photon/wire/index.ts'
import { openStore } from '../../../src/store/index.ts'
import { Box, DOMAIN, TOKEN, accountSigner, channelOf, keyOf } from '../../unit/photon-node/box.ts'
import { say, task, told } from './lines.ts'

export interface PeerTask {
  readonly key: number
  /** Whose channels with us are open. */
  readonly partners: readonly number[]
  /** Where locked payments go: through these, the last one is paid. */
  readonly route: readonly number[]
  readonly dir: string
  /** `none`: what a box has loaded anyway. */
  readonly transport: 'tcp' | 'libp2p' | 'none'
  readonly secp256k1Path: string | null
  readonly sqliteBinding: string
}

export type PeerOrder =
  | { readonly do: 'dial'; readonly address: string; readonly partner: number | null }
  | { readonly do: 'pay'; readonly kind: 'direct' | 'locked'; readonly window: number; readonly count: number }
  | { readonly do: 'figures' }
  | { readonly do: 'primitives'; readonly milliseconds: number }
  | { readonly do: 'stop' }

export interface PayResult {
  readonly wallMs: number
  readonly p50Ms: number
}

export interface Figures {
  readonly cpuMs: number
  readonly commits: number
  readonly rssMib: number
  /** Of all channels, as this end has it on disk; smallest units. */
  readonly sent: string
  readonly got: string
}

/** Microseconds of CPU. `hash`: what both ends hash of one direct payment's 178 bytes, its typed proof and its digest. */
export interface Primitives {
  readonly sign: number
  readonly recover: number
  readonly hash: number
}

const BATCH = 256

async function main(): Promise<void> {
  const settings = task<PeerTask>()
  const secp256k1 = loadSecp256k1(settings.secp256k1Path)
  if (settings.transport === 'none') {
    openStore({ path: `${settings.dir}/box.sqlite`, migrations: [], log: silentLog, nativeBinding: settings.sqliteBinding })
    say({ address: '' })
    for await (const _line of told()) say(figuresOf(0, []))
    return
  }
  const libp2p = settings.transport === 'tcp' ? null : await startLibp2p(secp256k1, settings.key)
  const account = (key: number): Address => accountSigner(secp256k1, keyOf(key)).account
  const hops = settings.route.map(account)
  const box: Box = new Box({
    key: settings.key,
    dir: settings.dir,
    secp256k1,
    sqliteBinding: settings.sqliteBinding,
    ...(libp2p === null ? {} : { transport: libp2p }),
    paths: ({ amount }) => {
      const fee = BigInt(hops.length - 1)
      return [[{ hops: hops.map((node, index) => ({ node, channel: ways[index] ?? ZERO_HASH, amount: amount + fee - BigInt(index) })), amount, fee }]]
    },
  })
  // Known beforehand, as to a router: finding them is not what is measured.
  const ways = hops.map((node, index) => channelOf(index === 0 ? box.account : (hops[index - 1] ?? node), node))
  box.node.onPayment(() => undefined)
  box.node.start()
  for (const partner of settings.partners) await box.open(account(partner), 10n ** 30n)
  say({ address: libp2p === null ? String(await box.tcp.listen(0)) : (libp2p.addresses()[0] ?? '') })
  for await (const line of told()) {
    const order = JSON.parse(line) as PeerOrder
    if (order.do === 'dial') {
      await (libp2p === null ? box.tcp.dial(Number(order.address)) : libp2p.dial(order.address))
      while (order.partner !== null && !box.node.isReady(channelOf(box.account, account(order.partner)))) await new Promise((resolve) => setTimeout(resolve, 1))
      say({})
    } else if (order.do === 'pay') say(await (order.kind === 'direct' ? payDirect(box, hops[0] ?? box.account, order.window, order.count) : payLocked(box, hops.at(-1) ?? box.account, order.window, order.count)))
    else if (order.do === 'figures') say(figuresOf(box.store.stats().commits, box.node.channels()))
    else if (order.do === 'primitives') say(primitives(secp256k1, order.milliseconds))
    else break
  }
  process.stdin.destroy()
  await box.node.stop()
  await (libp2p === null ? box.tcp.close() : libp2p.close())
  await box.store.close()
  say({})
}

async function startLibp2p(secp256k1: Secp256k1, key: number): Promise<Libp2pTransport> {
  const { Libp2pTransport: Transport } = await import('../../../src/photon/node/io/libp2p-transport.ts')
  const digests = createDigests(DOMAIN, (data) => secp256k1.keccak256(data))
  const signer = accountSigner(secp256k1, keyOf(key))
  const binding = createPeerBinding({ digests, signer, secp256k1, issuedSeconds: () => 1_800_000_000 })
  const transport = new Transport({ account: signer.account, binding, seed: keyOf(key), listen: ['/ip4/127.0.0.1/tcp/0'], clock: new SystemClock('always'), timers: systemTimers, log: silentLog, maxPeers: 8, keeps: () => false })
  await transport.start()
  return transport
}

/** `window` payers; each waits until the partner has it on disk. */
async function payDirect(box: Box, partner: Address, window: number, count: number): Promise<PayResult> {
  const channel = channelOf(box.account, partner)
  return timed(window, count, async () => (await box.node.payDirect({ channel, amount: 3n })).delivered)
}

/** `window` payers; each waits until its payment is told as sent: the lock is paid out. */
async function payLocked(box: Box, target: Address, window: number, count: number): Promise<PayResult> {
  const waiting = new Map<string, (failure: string | null) => void>()
  const early = new Map<string, string | null>()
  const cancel = box.node.onNotice(({ id, what, failure }) => {
    if (what !== 'sent' && what !== 'failed') return
    const reason = what === 'sent' ? null : (failure?.reason ?? 'no reason')
    const tell = waiting.get(id)
    if (tell === undefined) early.set(id, reason)
    else tell(reason)
  })
  const result = await timed(window, count, async () => {
    const id = await box.node.payLocked({ token: TOKEN, target, amount: 3n, maxFee: 10n })
    const known = early.get(id)
    const reason = known === undefined ? await new Promise<string | null>((tell) => waiting.set(id, tell)) : known
    early.delete(id)
    waiting.delete(id)
    if (reason !== null) throw new Error(`a payment failed: ${reason}`)
  })
  cancel()
  return result
}

async function timed(window: number, count: number, payOne: () => Promise<void>): Promise<PayResult> {
  const taken: number[] = []
  let left = count
  const start = performance.now()
  const payer = async (): Promise<void> => {
    while (left > 0) {
      left--
      const from = performance.now()
      await payOne()
      taken.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: window }, payer))
  const wallMs = performance.now() - start
  taken.sort((a, b) => a - b)
  return { wallMs, p50Ms: taken[Math.floor(taken.length / 2)] ?? Number.NaN }
}

function figuresOf(commits: number, channels: readonly { readonly own: { readonly transferred: bigint }; readonly partner: { readonly transferred: bigint } }[]): Figures {
  const cpu = process.cpuUsage()
  const sum = (amounts: readonly bigint[]): string => String(amounts.reduce((all, one) => all + one, 0n))
  return { sent: sum(channels.map(({ own }) => own.transferred)), got: sum(channels.map(({ partner }) => partner.transferred)), cpuMs: (cpu.user + cpu.system) / 1000, commits, rssMib: process.memoryUsage.rss() / 2 ** 20 }
}

/** In batches, on this machine in this moment. */
function primitives(secp256k1: Secp256k1, milliseconds: number): Primitives {
  const digests = systemRandomness.bytes(BATCH * 32)
  const signatures = secp256k1.signBatch(digests, keyOf(1))
  const frames = new Uint8Array(BATCH * 97)
  for (let i = 0; i < BATCH; i++) {
    frames.set(digests.subarray(i * 32, (i + 1) * 32), i * 97)
    frames.set(signatures.subarray(i * 65, (i + 1) * 65), i * 97 + 32)
  }
  const [body, proof, digest] = [new Uint8Array(BATCH * 178), new Uint8Array(BATCH * 224), new Uint8Array(BATCH * 66)]
  const cost = (work: () => void): number => {
    const [start, until] = [process.cpuUsage(), performance.now() + milliseconds]
    let operations = 0
    for (; performance.now() < until; operations += BATCH) work()
    const used = process.cpuUsage(start)
    return (used.user + used.system) / operations
  }
  return {
    sign: cost(() => secp256k1.signBatch(digests, keyOf(1))),
    recover: cost(() => secp256k1.recoverAddressBatch(frames)),
    hash: 2 * cost(() => [secp256k1.keccak256Batch(body, 178), secp256k1.keccak256Batch(proof, 224), secp256k1.keccak256Batch(digest, 66)]),
  }
}

void main()
