/**
 * A hotspot whose process dies at a chosen edge: before or after a commit, before or after the kernel is
 * told. What is in memory is gone then; the SQLite file and the kernel stay as they were.
 */
import { rmSync } from 'node:fs'
import type { Migration, Store, Tx } from '../../src/store/index.ts'
import { FakeGate, FakeKernel } from './fake-gate.ts'
import { FakeTime } from './fakes.ts'
import { fastFolder, makeBox, openTestStore, settle } from './hotspot-box.ts'
import type { BoxOptions, ConfigChanges, TestBox } from './hotspot-box.ts'

const FOREVER = new Promise<never>(() => undefined)

/** One life of the process. */
class Life {
  isDead = false
  readonly died: Promise<void>
  #die: () => void = () => undefined
  #edgesLeft: number
  readonly #passed: (edge: string, crashed: boolean) => void

  constructor(edgesLeft: number, passed: (edge: string, crashed: boolean) => void) {
    this.#edgesLeft = edgesLeft
    this.#passed = passed
    this.died = new Promise((resolve) => {
      this.#die = resolve
    })
  }

  dieIn(edges: number): void {
    this.#edgesLeft = edges
  }

  /** Goes on, or never. */
  async edge(name: string): Promise<void> {
    if (!this.isDead) {
      this.#edgesLeft--
      this.isDead = this.#edgesLeft === 0
      this.#passed(name, this.isDead)
      if (this.isDead) this.#die()
    }
    if (this.isDead) await FOREVER
  }
}

class MortalStore implements Store {
  readonly #store: Store
  readonly #life: Life
  readonly #refusal: () => Error | null

  constructor(store: Store, life: Life, refusal: () => Error | null) {
    this.#store = store
    this.#life = life
    this.#refusal = refusal
  }

  async turn<T>(body: (tx: Tx) => T): Promise<T> {
    await this.#life.edge('before commit')
    const refusal = this.#refusal()
    if (refusal !== null) throw refusal
    const result = await this.#store.turn((tx) => {
      if (this.#life.isDead) throw new Error('the process is dead')
      return body(tx)
    })
    await this.#life.edge('after commit')
    return result
  }
  read<T>(body: Parameters<Store['read']>[0] & ((tx: Parameters<Parameters<Store['read']>[0]>[0]) => T)): T {
    return this.#store.read(body)
  }
  backup(targetPath: string): Promise<{ bytes: number }> {
    return this.#store.backup(targetPath)
  }
  stats(): ReturnType<Store['stats']> {
    return this.#store.stats()
  }
  close(): Promise<void> {
    return this.#store.close()
  }
}

/** What the guests of one session had, as the kernel let them: milliseconds with an open gate. */
export type OnlineMs = Map<string, number>

/** What else lives and dies with the process, beside the hotspot. */
export interface CrashParts {
  readonly migrations?: readonly Migration[]
  readonly options?: Pick<BoxOptions, 'signer' | 'visitJournal'>
  /** In each new process that came through the hotspot's start; `edge` is where it may die. */
  readonly begin?: (box: TestBox, store: Store, edge: (name: string) => Promise<void>) => void
}

export class CrashBox {
  readonly time: FakeTime
  readonly kernel: FakeKernel
  readonly folder = fastFolder()
  readonly onlineMs: OnlineMs = new Map()
  /** How often each edge was passed and died at: `redeem · before commit`. */
  readonly passed = new Map<string, number>()
  readonly crashed = new Map<string, number>()
  /** What the guests and the owner are doing, for the names of edges. */
  phase = 'start'
  /** What the disk says to each turn, as when it is full; null: it takes them. */
  refusal: Error | null = null
  /** Edges until the next death; 0 = none is planned. */
  nextDeath = 0
  box!: TestBox
  #life!: Life
  #store: Store
  readonly #changes: ConfigChanges
  readonly #parts: CrashParts
  #boots = 0

  constructor(changes: ConfigChanges, parts: CrashParts = {}) {
    this.time = new FakeTime()
    this.kernel = new FakeKernel(this.time)
    this.#changes = changes
    this.#parts = parts
    this.#store = this.#open()
  }

  get store(): Store {
    return this.#store
  }
  get isDead(): boolean {
    return this.#life.isDead
  }

  /** The process that runs dies at the so-manieth edge from now; 0: at none. */
  dieIn(edges: number): void {
    this.#life.dieIn(edges)
  }

  /** A new process on the same disk and kernel. Resolves false if it died while starting. */
  async start(): Promise<boolean> {
    this.#life = new Life(this.nextDeath, (edge, isCrash) => {
      const name = `${this.phase} · ${edge}`
      this.passed.set(name, (this.passed.get(name) ?? 0) + 1)
      if (isCrash) this.crashed.set(name, (this.crashed.get(name) ?? 0) + 1)
    })
    const life = this.#life
    const store = new MortalStore(this.#store, life, () => this.refusal)
    this.box = makeBox({
      changes: this.#changes,
      time: this.time,
      kernel: this.kernel,
      gate: new FakeGate(this.kernel, (verb, when) => life.edge(`${when} ${verb}`)),
      store,
      folder: this.folder,
      seed: this.time.boottimeMs(),
      ...this.#parts.options,
    })
    await Promise.race([this.box.hotspot.start(), life.died])
    if (!life.isDead) this.#parts.begin?.(this.box, store, (name) => life.edge(name))
    return !life.isDead
  }

  /** Runs until it is done or the process died, whichever is first; undefined when it died. */
  async attempt<T>(work: Promise<T>): Promise<{ done: T } | { refused: unknown } | undefined> {
    const outcome = work.then(
      (done) => ({ done }),
      (refused: unknown) => ({ refused }),
    )
    const first = await Promise.race([outcome, this.#life.died.then(() => undefined)])
    // What was on its way to the disk when the process died arrives, or does not, before the next one starts.
    if (this.isDead) await settle(3)
    return this.isDead ? undefined : first
  }

  /** Time passes; who is online is noted by the millisecond. Stops when the process dies. */
  async advance(ms: number, stepMs = 2000): Promise<void> {
    for (let left = ms; left > 0 && !this.isDead; left -= stepMs) {
      const now = Math.min(left, stepMs)
      this.pass(now)
      await settle(3)
    }
  }

  /** Time passes with nobody at work. */
  pass(ms: number): void {
    const start = this.time.boottimeMs()
    const online = new Map<string, number>()
    for (const mac of this.kernel.openMacs()) {
      const sessionId = this.kernel.grantOf(mac)?.sessionId ?? ''
      const untilMs = Math.min(start + ms, this.kernel.openUntilMs(mac) ?? start)
      online.set(sessionId, Math.max(online.get(sessionId) ?? 0, untilMs - start))
    }
    for (const [id, had] of online) this.onlineMs.set(id, (this.onlineMs.get(id) ?? 0) + had)
    this.time.advance(ms)
  }

  /** The process is gone: its timers too. The machine goes on, or was switched off and on. */
  async afterDeath(kind: 'service' | 'power', reopenFile: boolean, boottimeMs = 15_000): Promise<void> {
    await settle(3)
    if (kind === 'power') {
      this.kernel.reboot()
      this.#boots++
      this.time.reboot(`boot-${this.#boots}`, boottimeMs)
    } else this.time.reboot(this.time.bootId, this.time.boottimeMs())
    if (!reopenFile) return
    await this.#store.close()
    this.#store = this.#open()
  }

  #open(): Store {
    return openTestStore(this.folder, this.#parts.migrations)
  }

  async dispose(): Promise<void> {
    await this.#store.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
