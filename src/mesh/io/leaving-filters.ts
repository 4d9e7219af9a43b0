/**
 * Traffic control's filters and counters of what leaves (metering/leaving-rules.ts): set by one `tc -batch` for each change, read by one
 * dump over rtnetlink. Counters live in the kernel's actions: a restart of the service finds them again by their cookies. Filters
 * are made anew when the service begins, or when a reading shows that somebody took them away.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { MeshBoxError, asError } from '../../base/index.ts'
import type { Log } from '../../base/index.ts'
import type { TrafficActions } from '../../native/index.ts'
import { BPF, LEAVING_WORDS, MAX_NEIGHBOURS, U32, actionPlace, clearLines, counterLines, hookLine, marksProbe, readCookie, removeCounterLines } from '../metering/index.ts'
import type { CarryRules, LeavingKind, LeavingLine, LeavingWords, Matching } from '../metering/index.ts'
import type { Mac } from '../ports.ts'

const run = promisify(execFile)
const TC_TIMEOUT_MS = 20_000
/** Of what tc says, in an error. */
const MAX_WORDS = 500

export interface LeavingTools {
  /** `['tc']`, or with what goes before it to reach another network namespace. */
  readonly tc: readonly string[]
  readonly actions: TrafficActions
  /** Default: gact. */
  readonly words?: LeavingWords
}

export interface LeavingParts extends LeavingTools {
  readonly runtimeDir: string
  readonly log: Log
}

export interface LeftBytes {
  readonly bytes: bigint
  readonly packets: bigint
}

/** With Ethernet headers. */
export type Left = Readonly<Record<LeavingKind, LeftBytes>>

const NOTHING: LeftBytes = { bytes: 0n, packets: 0n }
const KINDS_PER_NEIGHBOUR = 2
/** The kernel lets go of filters, and so of counters, some moments after they went. */
const REMOVING_RUNS = 50

export class LeavingFilters {
  readonly #parts: LeavingParts
  readonly #words: LeavingWords
  #matching: Matching | null = null
  #rules: CarryRules | null = null
  /** Of neighbours that are counted. */
  readonly #places = new Map<Mac, number>()
  #open: ReadonlySet<Mac> = new Set()
  /** It was said that filters are gone, and they are not back. */
  #isBroken = false
  #lane: Promise<unknown> = Promise.resolve()

  constructor(parts: LeavingParts) {
    this.#parts = parts
    this.#words = parts.words ?? LEAVING_WORDS
  }

  /** Counters of before go on. Where carrying is paid for, nobody is open until `set` says so. Errors: unavailable `carry-filters` in tc's words. */
  install(rules: CarryRules): Promise<void> {
    return this.#alone(async () => {
      const unused = this.#rules?.interfaces.filter((name) => !rules.interfaces.includes(name)) ?? []
      this.#rules = null
      this.#matching ??= await this.#findMatching(rules.interfaces[0] ?? '')
      this.#places.clear()
      for (const { neighbour, place } of await this.#counters()) this.#places.set(neighbour, place)
      this.#open = new Set(rules.isGated ? [] : this.#places.keys())
      await this.#build(rules, unused)
      this.#rules = rules
    })
  }

  /** `counted`: with their counters, from now on. `open`: of them, to whom frames are forwarded. Errors: as `install`. */
  set(counted: ReadonlySet<Mac>, open: ReadonlySet<Mac>): Promise<void> {
    return this.#alone(async () => {
      const rules = this.#rules
      if (rules === null) return
      const there = await this.#counters()
      const before = { places: new Map(this.#places), open: this.#open }
      for (const mac of before.places.keys()) if (!counted.has(mac)) this.#places.delete(mac)
      const taken = new Set([...there.map(({ place }) => place), ...before.places.values()])
      const free = Array.from({ length: MAX_NEIGHBOURS }, (_, place) => place).filter((place) => !taken.has(place))
      for (const mac of counted) {
        const place = this.#places.has(mac) ? undefined : free.shift()
        if (place !== undefined) this.#places.set(mac, place)
      }
      this.#open = new Set([...this.#places.keys()].filter((mac) => !rules.isGated || open.has(mac)))
      // Counters of those that went earlier; of those that go now, the kernel would not let go yet.
      const left = there.filter(({ neighbour, place, filters }) => this.#places.get(neighbour) !== place && filters === 0)
      const lines = [...left.flatMap(({ place }) => removeCounterLines(this.#words, place)), ...this.#changes(rules, before)]
      if (lines.length === 0) return
      try {
        await this.#tell(lines)
      } catch (thrown) {
        this.#parts.log.warn('filters that count what leaves are not as they were left; all are made again', { error: asError(thrown) })
        await this.#build(rules)
      }
    })
  }

  /** Of those that are counted. One dump; where filters are gone, also one run of tc. Errors: as `install`, and those of the dump. */
  async read(): Promise<ReadonlyMap<Mac, Left>> {
    const { left, isWhole } = await this.#look()
    if (isWhole) return left
    await this.#alone(async () => {
      const rules = this.#rules
      if (rules === null || (await this.#look()).isWhole) return
      if (!this.#isBroken) this.#parts.log.warn('filters that count what leaves were gone; they are made again', { interfaces: rules.interfaces.join() })
      this.#isBroken = true
      await this.#build(rules)
      this.#isBroken = false
    })
    return left
  }

  /** Filters and counters go; clsact stays. Errors: as `install`. */
  remove(interfaces: readonly string[]): Promise<void> {
    return this.#alone(async () => {
      this.#rules = null
      this.#places.clear()
      this.#open = new Set()
      await this.#tell(interfaces.flatMap(clearLines))
      for (let run = 0; run < REMOVING_RUNS; run++) {
        const there = await this.#counters()
        if (there.length === 0) return
        await this.#tell(there.flatMap(({ place }) => removeCounterLines(this.#words, place)))
      }
      throw refused('counters are in use by filters on other interfaces')
    })
  }

  /** One change after the other. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#lane.then(work)
    this.#lane = result.catch(() => undefined) // who asked has the rejection
    return result
  }

  async #look(): Promise<{ readonly left: ReadonlyMap<Mac, Left>; readonly isWhole: boolean }> {
    const left = new Map<Mac, Record<LeavingKind, LeftBytes>>()
    const interfaces = this.#rules?.interfaces.length ?? 0
    let whole = 0
    for (const { index, cookie, bytes, packets, filters } of await this.#parts.actions.list(this.#words.kind)) {
      const counter = readCookie(cookie)
      if (counter === null || this.#places.get(counter.neighbour) !== actionPlace(index)) continue
      const mine = left.get(counter.neighbour) ?? { forwarded: NOTHING, other: NOTHING }
      mine[counter.kind] = { bytes, packets }
      left.set(counter.neighbour, mine)
      // More than that: the kernel has not let go of filters that went just now.
      if (filters >= (counter.kind === 'other' || this.#open.has(counter.neighbour) ? interfaces : 0)) whole++
    }
    return { left, isWhole: this.#rules === null || whole === KINDS_PER_NEIGHBOUR * this.#places.size }
  }

  /** Ours, in the kernel; of each neighbour two at its place. */
  async #counters(): Promise<readonly { readonly neighbour: Mac; readonly place: number; readonly filters: number }[]> {
    return (await this.#parts.actions.list(this.#words.kind)).flatMap(({ index, cookie, filters }) => {
      const counter = readCookie(cookie)
      const place = actionPlace(index)
      return counter === null || place === null ? [] : [{ neighbour: counter.neighbour, place, filters }]
    })
  }

  #changes(rules: CarryRules, before: { readonly places: ReadonlyMap<Mac, number>; readonly open: ReadonlySet<Mac> }): readonly LeavingLine[] {
    const matching = this.#matchingNow()
    const now = [...this.#places]
    const fresh = now.filter(([mac, place]) => before.places.get(mac) !== place)
    const gone = [...before.places].filter(([mac]) => !this.#places.has(mac))
    const shut = [...before.places].filter(([mac]) => before.open.has(mac) && !this.#open.has(mac))
    const opened = now.filter(([mac]) => this.#open.has(mac) && !before.open.has(mac))
    return [
      ...fresh.flatMap(([mac, place]) => counterLines(this.#words, place, mac)),
      ...rules.interfaces.flatMap((name) => [
        ...shut.map(([mac, place]) => matching.end('forwarded', name, place, mac)),
        ...gone.map(([mac, place]) => matching.end('other', name, place, mac)),
        ...fresh.map(([mac, place]) => matching.count(this.#words, 'other', name, place, mac)),
        ...opened.map(([mac, place]) => matching.count(this.#words, 'forwarded', name, place, mac)),
      ]),
    ]
  }

  /** All filters, from nothing: for a moment nothing is counted, and what is forwarded passes. */
  #build(rules: CarryRules, unused: readonly string[] = []): Promise<void> {
    const matching = this.#matchingNow()
    const places = [...this.#places]
    return this.#tell([
      ...unused.flatMap(clearLines),
      ...rules.interfaces.flatMap((name) => [hookLine(name), ...clearLines(name)]),
      // One that is there refuses and goes on; if one could not be made, its filters say so.
      ...places.flatMap(([mac, place]) => counterLines(this.#words, place, mac).map(({ text }) => ({ text, mayFail: true }))),
      ...rules.interfaces.flatMap((name) => [
        ...matching.ground(this.#words, name, rules.isGated),
        ...places.map(([mac, place]) => matching.count(this.#words, 'other', name, place, mac)),
        ...places.filter(([mac]) => this.#open.has(mac)).map(([mac, place]) => matching.count(this.#words, 'forwarded', name, place, mac)),
      ]),
    ])
  }

  async #findMatching(name: string): Promise<Matching> {
    const { lines, show, taken } = marksProbe(name)
    await this.#tell(lines)
    const [program = 'tc', ...words] = this.#parts.tc
    const shown = await run(program, [...words, ...show], { timeout: TC_TIMEOUT_MS }).catch((thrown: unknown) => {
      throw refused(asError(thrown).message, asError(thrown))
    })
    return taken.test(shown.stdout) ? U32 : BPF
  }

  #matchingNow(): Matching {
    if (this.#matching === null) throw new MeshBoxError('unavailable', 'nothing that leaves is counted yet', { code: 'not-counting' })
    return this.#matching
  }

  async #tell(lines: readonly LeavingLine[]): Promise<void> {
    const [program = 'tc', ...words] = this.#parts.tc
    const folder = await mkdtemp(join(this.#parts.runtimeDir, 'leaving-'))
    try {
      const file = join(folder, 'leaving.tc')
      await writeFile(file, lines.map(({ text }) => `${text}\n`).join(''), { mode: 0o600 })
      await run(program, [...words, '-force', '-batch', file], { timeout: TC_TIMEOUT_MS })
    } catch (thrown) {
      const said = typeof thrown === 'object' && thrown !== null && 'stderr' in thrown ? String(thrown.stderr) : ''
      const why = said === '' ? asError(thrown).message : complaint(said, lines)
      if (why !== null) throw refused(why, asError(thrown))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** The first that matters, with the line that it is about; null: none does. */
function complaint(said: string, lines: readonly LeavingLine[]): string | null {
  let words: string[] = []
  let isAnyNamed = false
  for (const text of said.split('\n')) {
    const failed = /^Command failed .*:(\d+)$/.exec(text)
    if (failed === null) {
      words.push(text.trim())
      continue
    }
    isAnyNamed = true
    const line = lines[Number(failed[1]) - 1]
    if (line?.mayFail !== true) return `${words.filter((each) => each !== '').join('; ')} (${line?.text ?? 'unknown line'})`
    words = []
  }
  return isAnyNamed ? null : said.trim()
}

function refused(why: string, cause?: Error): MeshBoxError {
  return new MeshBoxError('unavailable', `what leaves is not counted as it should be: ${why.slice(0, MAX_WORDS)}`, { code: 'carry-filters', ...(cause === undefined ? {} : { cause }) })
}
