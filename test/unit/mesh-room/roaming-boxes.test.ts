/**
 * Two boxes as main joins them: real hotspots, stores and books, real roaming between them, payments over paper channels; kernels that
 * outlive their process, as the real one does. A guest walks to and fro until his time is used up, and either box is killed at every
 * moment of that walk: no minute is lost, none is had twice, and what one box booked as paid the other booked as earned.
 */
import { rmSync } from 'node:fs'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { afterEach, expect, it } from 'vitest'
import { silentLog, type Address, type Cancel } from '../../../src/base/index.ts'
import { loadConfig } from '../../../src/config/index.ts'
import { MeshRoaming } from '../../../src/main/roaming.ts'
import type { BoxId, PeerStatus, PurseChannels } from '../../../src/mesh/index.ts'
import { meshMigrations } from '../../../src/mesh/tables/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeGate, FakeKernel } from '../../support/fake-gate.ts'
import { FakeTime } from '../../support/fakes.ts'
import { fastFolder, guest, halfHour, makeBox, openTestStore, settle, testSigner, type TestBox } from '../../support/hotspot-box.ts'
import { standInDocuments } from '../mesh-roaming/village.ts'

const TOKEN: Address = `0x${'77'.repeat(20)}`
const PER_MINUTE = 600n
const SOLD_SECONDS = 120
const STEP_MS = 250
const anna = guest(1)
const mac = anna.mac ?? ''

type Payment = Parameters<PurseChannels['pay']>[0]
type Row = ReturnType<PurseChannels['after']>['payments'][number]

/** One end of a channel; its history is on its disk, whatever becomes of the process. */
class PaperChannel implements PurseChannels {
  readonly rows: Row[] = []
  readonly #listeners = new Set<(payment: Pick<Row, 'data'>) => void>()
  other: PaperChannel | null = null

  newest = (): number => this.rows.length
  after(id: number, most: number): ReturnType<PurseChannels['after']> {
    const payments = this.rows.slice(id, id + most)
    return { payments, lookedTo: payments.length < most ? null : id + most }
  }
  async pay({ token, amount, reference, data }: Payment): Promise<{ readonly delivered: Promise<void> }> {
    this.#add({ kind: 'sent', token, amount, reference, data })
    if (this.other !== null) this.other.#add({ kind: 'received', token, amount, reference, data })
    return { delivered: Promise.resolve() }
  }
  arrival = (): 'delivered' => 'delivered'
  onReceived(listener: (payment: Pick<Row, 'data'>) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  died(): void {
    this.#listeners.clear()
  }
  #add(payment: Omit<Row, 'id'>): void {
    this.rows.push({ ...payment, id: this.rows.length + 1 })
    if (payment.kind === 'received') for (const listener of this.#listeners) listener(payment)
  }
}

class RoamBox {
  readonly id: BoxId
  readonly street: Street
  readonly folder = fastFolder()
  readonly time = new FakeTime()
  readonly kernel = new FakeKernel(this.time)
  readonly channel = new PaperChannel()
  note: string | null = null
  answer: ((from: BoxId, question: Uint8Array) => Promise<Uint8Array | null>) | null = null
  opened: (peer: BoxId, side: 'mesh') => void = () => undefined
  box: TestBox | null = null
  #store: Store | null = null
  #roaming: MeshRoaming | null = null

  constructor(street: Street, n: number) {
    this.street = street
    this.id = `0x${(0xb000 + n).toString(16).padStart(40, '0')}`
  }

  async start(): Promise<void> {
    const life = { isDead: false }
    this.#kill = () => (life.isDead = true)
    const never = new Promise<void>(() => undefined)
    const store = (this.#store = openTestStore(this.folder, meshMigrations))
    const gate = new FakeGate(this.kernel, () => (life.isDead ? never : Promise.resolve()))
    const mesh = { ...loadConfig('', 'defaults').mesh, token: TOKEN, roamEnforcement: 'access' as const, roamPricePerMinute: PER_MINUTE, settleAmount: 300n, maxDebt: 100_000n }
    const box = makeBox({
      time: this.time,
      kernel: this.kernel,
      gate,
      store,
      folder: this.folder,
      seed: Number(BigInt(this.id) & 0xffn),
      signer: { ...testSigner, address: this.id },
      visitJournal: { read: () => this.note, write: (text) => void (this.note = text) },
      changes: { config: { mesh, packages: [{ ...halfHour, seconds: SOLD_SECONDS }] } },
    })
    this.box = box
    const roaming = (this.#roaming = new MeshRoaming({
      config: () => box.config,
      walking: box.hotspot.roaming,
      hub: {
        openQuestions: (_, answer) => {
          this.answer = (from, question) => (life.isDead ? new Promise(() => undefined) : answer(from, question))
          return { ask: (to, question, timeoutMs) => (life.isDead ? new Promise(() => undefined) : this.street.ask(this, to, question, timeoutMs)), onOpen: (listener) => ((this.opened = listener), () => undefined), onClose: () => () => undefined }
        },
        peers: () => [this.street.statusFor(this)],
        penalise: (box, points, reason) => void this.street.breaches.push(`${box} ${points} ${reason}`),
      },
      documents: standInDocuments(this.id),
      isWelcome: () => true,
      token: TOKEN,
      payeeOf: (other) => other,
      keccak256: keccak_256,
      store,
      ledger: box.ledger,
      clock: this.time,
      timers: this.time,
      log: silentLog,
    }))
    await box.hotspot.start()
    await roaming.part().start()
    roaming.usePayments({ direct: () => this.channel })
    this.street.met()
  }

  /** kill -9: nothing is written any more, the kernel keeps what it has. */
  async kill(): Promise<void> {
    this.#kill()
    this.answer = null
    this.box = null
    this.channel.died()
    this.time.reboot(this.time.bootId, this.time.boottimeMs())
    await settle()
    await this.#store?.close()
  }

  async stop(): Promise<void> {
    await this.#roaming?.part().stop()
    await this.box?.hotspot.stop()
    await this.#store?.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Debited to `account` in all. */
  booked(account: string): bigint {
    const { store, ledger } = this.box ?? missing()
    const entries = store.read((tx) => ledger.entries(tx, { limit: 1000 }))
    return entries.filter(({ source }) => source === 'mesh:roaming').flatMap(({ postings }) => postings).reduce((sum, posting) => (posting.account.startsWith(account) && posting.amount > 0n ? sum + posting.amount : sum), 0n)
  }

  #kill: () => void = () => undefined
}

class Street {
  readonly a = new RoamBox(this, 1)
  readonly b = new RoamBox(this, 2)
  readonly breaches: string[] = []
  at = this.a
  openMs = 0
  /** The longest that he had to wait at a place whose box ran all the while. */
  longestOutMs = 0
  #outMs = 0

  async start(): Promise<void> {
    this.a.channel.other = this.b.channel
    this.b.channel.other = this.a.channel
    await this.a.start()
    await this.b.start()
  }
  other = (of: RoamBox): RoamBox => (of === this.a ? this.b : this.a)

  met(): void {
    if (this.a.answer === null || this.b.answer === null) return
    this.a.opened(this.b.id, 'mesh')
    this.b.opened(this.a.id, 'mesh')
  }

  statusFor(of: RoamBox): PeerStatus {
    const other = this.other(of)
    return { box: other.id, peerId: '', side: 'mesh', address: '', originator: null, name: `box ${other.id.slice(-1)}`, isConnected: other.answer !== null, sinceMs: 0, roundTripMs: null, penalty: 0, bannedUntilMs: null, banReason: null, protocols: ['/meshbox/roam/1'] }
  }

  ask(from: RoamBox, to: BoxId, question: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const other = this.other(from)
    return new Promise((resolve, reject) => {
      from.time.after(timeoutMs, () => reject(new Error('no answer')))
      if (other.id !== to) return reject(new Error('no such box'))
      void other.answer?.(from.id, question).then((answer) => (answer === null ? reject(new Error('declined')) : resolve(answer)))
    })
  }

  /** A quarter of a second: he sends a packet where he is; time is had where a gate is open for him. `meanwhile`: while it is answered. */
  async step(meanwhile: () => Promise<void> = () => settle(3)): Promise<void> {
    const { at } = this
    if (!at.kernel.traffic(mac, 100, 1000)) at.box?.neighbours.hear(mac)
    await meanwhile()
    const places = [this.a, this.b].filter(({ kernel }) => kernel.isOpen(mac)).length
    this.openMs += places * STEP_MS
    this.#outMs = at.kernel.isOpen(mac) || at.box === null || this.other(at).box === null ? 0 : this.#outMs + STEP_MS
    this.longestOutMs = Math.max(this.longestOutMs, this.#outMs)
    for (const { time } of [this.a, this.b]) time.advance(STEP_MS)
    await settle(3)
  }

  async steps(seconds: number): Promise<void> {
    for (let n = 0; n < (seconds * 1000) / STEP_MS; n++) await this.step()
  }
}

const missing = (): never => {
  throw new Error('the box is off')
}
let street: Street
afterEach(async () => {
  for (const box of [street.a, street.b]) await box.stop()
})

async function bought(): Promise<void> {
  street = new Street()
  await street.start()
  const { box } = street.a
  if (box === null) return missing()
  const { code } = await box.voucher('half-hour')
  await box.hotspot.guests.redeem(anna, code)
}

/**
 * 20 s at each place, in turn; one is killed after so many seconds of it, in the midst of answering a packet: `turns` of the event loop
 * after it. It is back five seconds later.
 */
async function story(doomed: 'a' | 'b', atSeconds: number, turns: number): Promise<void> {
  await bought()
  for (let second = 0; second < 180; second++) {
    if (second % 20 === 0 && second > 0 && second <= 100) street.at = street.other(street.at)
    if (second === atSeconds)
      await street.step(async () => {
        await settle(turns)
        await street[doomed].kill()
      })
    if (second === atSeconds + 5) await street[doomed].start()
    await street.steps(1)
  }
  // Last words, and payments of what is a minute old.
  await street.steps(90)
}

it('walks to and fro: all his time, not a second twice, a second out at most; both books agree', async () => {
  await bought()
  const used: number[] = []
  for (let legs = 0; legs < 6; legs++) {
    street.longestOutMs = 0
    await street.steps(20)
    used.push(street.longestOutMs)
    street.at = street.other(street.at)
  }
  expect(Math.max(...used)).toBeLessThanOrEqual(1000)
  await street.steps(150)
  expect(Math.abs(street.openMs / 1000 - SOLD_SECONDS)).toBeLessThanOrEqual(4)
  expect(street.breaches).toEqual([])
  const paid = street.a.booked('cost:roaming')
  expect(street.b.booked('photon:')).toBe(paid)
  // Three stays of twenty seconds at 600 a minute.
  expect(Number(paid)).toBeGreaterThan(560)
  expect(Number(paid)).toBeLessThanOrEqual(640)
  expect(street.a.channel.rows.reduce((sum, { amount }) => sum + amount, 0n)).toBe(paid)
})

/** Along the walk; and turn by turn where he comes to the other box (20 s), and home (40 s). MESHBOX_ROAM_KILLS=1 tries every second and turn. */
const ALL = process.env.MESHBOX_ROAM_KILLS !== undefined
const MOMENTS: readonly (readonly [number, number])[] = ALL
  ? Array.from({ length: 110 }, (_, second) => Array.from({ length: 13 }, (_each, turns) => [second + 1, turns] as const)).flat()
  : [...[3, 17, 33, 58, 79, 96].map((second) => [second, 3] as const), ...[0, 1, 2, 4, 6, 9].flatMap((turns) => [[20, turns] as const, [40, turns] as const])]

it.each((['a', 'b'] as const).flatMap((box) => MOMENTS.map(([second, turns]) => [box, second, turns] as const)))('box %s is killed in second %i, turn %i: no minute lost, none doubled, both books agree', async (box, second, turns) => {
  await story(box, second, turns)
  const hadSeconds = street.openMs / 1000
  expect(hadSeconds).toBeGreaterThanOrEqual(SOLD_SECONDS - 2)
  // The kernel's lease at the other box, nine seconds, and what lies between two notes is what its death can give away.
  expect(hadSeconds).toBeLessThanOrEqual(SOLD_SECONDS + 15)
  expect(street.b.booked('photon:')).toBe(street.a.booked('cost:roaming'))
  expect(Number(street.a.booked('cost:roaming'))).toBeGreaterThan(480)
  expect(street.breaches).toEqual([])
})
