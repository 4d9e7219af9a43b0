/** A payee's desk and payers on a lossy wire, in virtual time: what the tests of this folder share. */
import { createHash } from 'node:crypto'
import { silentLog } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import type { Duty, StreamAccount } from '../../../src/photon/ports.ts'
import { PayeeDesk } from '../../../src/photon/stream/payee/index.ts'
import type { HeldVoucher, StreamClaim, StreamDeskDeps, StreamFacts, StreamJournal, StreamPeer, StreamService } from '../../../src/photon/stream/payee/index.ts'
import { channelIdOf } from '../../../src/photon/stream/digests.ts'
import { step } from '../../../src/photon/stream/payer/step.ts'
import { newPayer, viewOf } from '../../../src/photon/stream/payer/state.ts'
import { decodeFrames, encodeFrame } from '../../../src/photon/stream/frames.ts'
import type { PayerOptions, PayerPorts, PayerState, StreamFrame } from '../../../src/photon/stream/payer/index.ts'
import type { StreamTerms } from '../../../src/photon/stream/terms.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'

export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())
export const address = (letter: string): Address => `0x${letter.repeat(40)}`
export const BOX = address('b')
export const ANNA = address('a')
export const TOKEN = address('7')
export const CONTRACT = { chainId: 2022n, contract: address('c') }

/** Stands for a signature where the test is not about the curve: digest ‖ signer, told apart by nobody else's. */
export function paperSign(signer: Address): (digest: Uint8Array) => Uint8Array {
  return (digest) => {
    const signature = new Uint8Array(65)
    signature.set(digest)
    signature.set(Buffer.from(signer.slice(2), 'hex'), 32)
    return signature
  }
}
export function paperRecover(digest: Uint8Array, signature: Uint8Array): Address | null {
  if (Buffer.compare(signature.subarray(0, 32), digest) !== 0) return null
  return `0x${Buffer.from(signature.subarray(32, 52)).toString('hex')}`
}

export function termsWith(changes: Partial<StreamTerms> = {}): StreamTerms {
  return { ...CONTRACT, token: TOKEN, unit: 7n, tickSeconds: 1, steps: 60, graceTicks: 15, minDeposit: 100n, settleTimeout: 600, validUntilSeconds: 2_000_000_000, ...changes }
}

export function accountOf(payer: Address, ceiling = 1_000_000n, payee = BOX): StreamAccount {
  return {
    channel: channelIdOf(payer, payee, TOKEN, CONTRACT.contract),
    epoch: 1n,
    domain: { profile: 'v2', ...CONTRACT },
    token: TOKEN,
    payer,
    payee,
    transferred: 0n,
    proved: 0n,
    ceiling,
  }
}

/** Serves whoever may be served, a tick each tick, and stops to the tick. */
export class TickService implements StreamService {
  readonly allowed = new Map<string, number>()
  readonly usedTicks = new Map<string, number>()
  readonly earnings = new Map<string, bigint>()
  readonly over = new Set<string>()
  readonly claims: (readonly [channel: string, from: bigint, value: bigint])[] = []

  allow({ stream }: StreamFacts, ticks: number): void {
    if (!this.over.has(stream)) this.allowed.set(stream, Math.max(ticks, this.allowed.get(stream) ?? 0))
  }
  used(stream: string): number {
    return this.usedTicks.get(stream) ?? 0
  }
  isOver(stream: string): boolean {
    return this.over.has(stream)
  }
  async end(stream: string): Promise<number> {
    this.over.add(stream)
    return this.used(stream)
  }
  earned({ channel }: StreamFacts, value: bigint): void {
    this.earnings.set(channel, value)
  }
  claimed({ channel, from, value }: StreamClaim): void {
    this.claims.push([channel, from, value])
  }
  second(): void {
    for (const [stream, allowed] of this.allowed) if (!this.over.has(stream) && this.used(stream) < allowed) this.usedTicks.set(stream, this.used(stream) + 1)
  }
  get total(): number {
    return [...this.usedTicks.values()].reduce((sum, ticks) => sum + ticks, 0)
  }
}

/** Keeps what a crash of the service, and one of the box, would leave. */
export class PaperJournal implements StreamJournal {
  readonly flash = new Map<string, string>()
  readonly fast = new Map<string, string>()
  writes = 0
  /** Flash takes nothing. */
  isFailing = false

  load(): ReturnType<StreamJournal['load']> {
    return [...new Map([...this.flash, ...this.fast])].map(([key, record]) => ({ record, isOnFlash: this.flash.get(key) === record }))
  }
  noteFast(records: ReadonlyMap<string, string>): void {
    for (const [key, record] of records) this.fast.set(key, record)
  }
  async writeFlash(records: ReadonlyMap<string, string>): Promise<void> {
    if (this.isFailing) throw new Error('the disk takes nothing')
    this.writes++
    for (const [key, record] of records) {
      this.flash.set(key, record)
      this.fast.set(key, record)
    }
  }
  powerCut(): void {
    this.fast.clear()
  }
}

export type Claim = Extract<Duty, { kind: 'claim' }>

export class Town {
  readonly time = new FakeTime()
  readonly random = seededRandom(99)
  readonly journal = new PaperJournal()
  service = new TickService()
  readonly claims: Claim[] = []
  readonly notes: HeldVoucher[] = []
  terms = termsWith()
  ceiling = 1_000_000n
  isClosing = false
  claimed = 0n
  /** By claims that were not the box's own. */
  paid = 0n
  readonly paidBefore = new Map<bigint, bigint>()
  threshold = 1n << 100n
  lowDeposit = 0n
  epoch = 1n
  recover: StreamDeskDeps['recover'] = paperRecover
  desk: PayeeDesk

  constructor() {
    this.desk = this.#newDesk()
    this.desk.start()
  }

  /** The service is killed and started again. */
  restart(): void {
    this.time.reboot(this.time.bootId, this.time.boottimeMs())
    this.desk = this.#newDesk()
    this.desk.start()
  }

  #newDesk(): PayeeDesk {
    const deps: StreamDeskDeps = {
      sha256,
      recover: (digest, signature) => this.recover(digest, signature),
      sign: paperSign(BOX),
      clock: this.time,
      timers: this.time,
      randomness: this.random,
      log: silentLog,
      terms: () => this.terms,
      account: (payer) => ({ ...accountOf(payer, this.ceiling), epoch: this.epoch, transferred: this.paid }),
      wrongSignatures: { burst: 200, perSecond: 40 },
      paid: ({ epoch }) => ({ claimed: epoch === this.epoch ? this.paid : (this.paidBefore.get(epoch) ?? 0n), proved: 0n }),
      claimFacts: () => ({ claimed: this.claimed, isClosing: this.isClosing }),
      service: this.service,
      journal: this.journal,
      policy: () => ({ flush: { everyMs: 60_000, value: 1n << 60n }, claim: { threshold: this.threshold, lowDeposit: this.lowDeposit }, idleMs: 600_000 }),
      note: (_account, point) => this.notes.push(point),
      claim: (duty) => this.claims.push(duty),
    }
    return new PayeeDesk(deps)
  }
}

export function payerOptions(changes: Partial<PayerOptions> = {}): PayerOptions {
  return {
    payer: ANNA,
    payee: BOX,
    contract: CONTRACT,
    token: TOKEN,
    master: new Uint8Array(32).fill(5),
    counter: 0n,
    known: 0n,
    limits: { unit: 10n, total: 1_000_000n },
    ...changes,
  }
}

/** Whether a message arrives now, twice, later, or never. */
export interface Wire {
  (deliver: () => void): void
}
export const cleanWire: Wire = (deliver) => deliver()

/** A guest's page: the pure payer with a connection. */
export class Page {
  state: PayerState
  readonly device: string
  readonly sent: StreamFrame[] = []
  readonly heard: StreamFrame[] = []
  /** The most that was ever signed and revealed, as an eavesdropper would know it. */
  revealedEver = 0n
  readonly #town: Town
  readonly #ports: PayerPorts
  wire: Wire
  #wakeAt = Number.POSITIVE_INFINITY

  constructor(town: Town, options: PayerOptions = payerOptions(), device = '02:00:00:00:00:0a', wire: Wire = cleanWire) {
    this.#town = town
    this.device = device
    this.wire = wire
    this.state = newPayer(options)
    this.#ports = { sha256, sign: paperSign(options.payer), recover: paperRecover }
  }

  readonly peer = (): StreamPeer => ({ device: this.device, send: (bytes) => this.wire(() => this.#receive(bytes)) })

  act(type: 'start' | 'stop' | 'connected' | 'wake'): void {
    this.#take({ type, nowMs: this.#town.time.boottimeMs() })
  }
  lead(seconds: number): void {
    this.#take({ type: 'lead', seconds, nowMs: this.#town.time.boottimeMs() })
  }
  /** Runs its timer if it is due; a page that sleeps is not asked. */
  due(): void {
    if (this.#town.time.boottimeMs() >= this.#wakeAt) this.act('wake')
  }
  get view(): ReturnType<typeof viewOf> {
    return viewOf(this.state)
  }
  say(frame: StreamFrame): void {
    this.#town.desk.receive(this.peer(), encodeFrame(frame))
  }

  #receive(bytes: Uint8Array): void {
    const frames = decodeFrames(bytes)
    if (frames === null) throw new Error('the desk sent what is no frame')
    for (const frame of frames) {
      this.heard.push(frame)
      this.#take({ type: 'frame', frame, nowMs: this.#town.time.boottimeMs() })
    }
  }

  #take(input: Parameters<typeof step>[1]): void {
    const { state, effects } = step(this.state, input, this.#ports)
    this.state = state
    const { voucher } = state
    if (voucher !== null) {
      const value = voucher.cumulative + voucher.unit * BigInt(voucher.revealed)
      if (value > this.revealedEver) this.revealedEver = value
    }
    for (const effect of effects)
      if (effect.type === 'wake') this.#wakeAt = effect.atMs
      else if (effect.type === 'send')
        for (const frame of effect.frames) {
          this.sent.push(frame)
          this.wire(() => this.say(frame))
        }
  }
}

/** Lets `seconds` pass: time, service, pages, and whatever waits for the disk. */
export async function pass(town: Town, seconds: number, ...pages: readonly Page[]): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    town.time.advance(1000)
    town.service.second()
    for (const page of pages) page.due()
    await settle(town)
  }
}

export async function settle(town: Town): Promise<void> {
  await town.desk.quiet()
}

export function hashOf(text: string): Hash {
  return `0x${Buffer.from(sha256(Buffer.from(text))).toString('hex')}`
}
