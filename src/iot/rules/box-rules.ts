/**
 * The owner's rules, run on the box with nothing but the box. What is switched on, and until when, is on disk before the order is given;
 * the way back is owed until it is in the queue, over restarts and changed rules. One thing at a time: two readings never see the
 * same rule in two states.
 */
import { MeshBoxError, asError, inputError, momentOf } from '../../base/index.ts'
import type { Cancel, Clock, Log, Moment, Timers } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import type { Actuators, Eui, QueueItem, Reading, RuleDesk, RuleRun } from '../ports.ts'
import { ruleTables, viewOf } from './io/tables.ts'
import type { StoredRun } from './io/tables.ts'
import { MAX_RULES, checkRule, doesTheSame } from './rule.ts'
import type { LocalRule } from './rule.ts'
import { ON_EXPIRES_SECONDS, ageOf, backFailed, dueInMs, heardOf, later } from './runs.ts'
import { MAX_RUNS_AN_HOUR, NEW_WATCH, look } from './watch.ts'
import type { Watch } from './watch.ts'

export interface BoxRulesParts {
  readonly store: Store
  readonly actuators: Actuators
  /** Names of the values that a device has sent; empty: none yet. Null: no such device. */
  readonly valueNames: (devEui: Eui) => readonly string[] | null
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
}

const MAX_PAGE = 500
/** Longest wait of one timer: Node counts in 31 bits. */
const LONGEST_TIMER_MS = 2_000_000_000

export class BoxRules implements RuleDesk {
  readonly #parts: BoxRulesParts
  #rules: readonly LocalRule[] = []
  readonly #watches = new Map<string, Watch>()
  /** Runs that are on, and those whose orders may still be answered. */
  readonly #open = new Map<number, StoredRun>()
  readonly #timers = new Map<number, Cancel>()
  #line: Promise<unknown> = Promise.resolve()
  #isStopped = true

  constructor(parts: BoxRulesParts) {
    this.#parts = parts
  }

  /** What was on when the box went down is ended in its time, or at once. */
  async start(): Promise<void> {
    this.#isStopped = false
    const { store } = this.#parts
    const { rules, running, recent } = store.read((tx) => ({ rules: ruleTables.rules(tx), running: ruleTables.running(tx), recent: ruleTables.storedRuns(tx, { limit: 100 }) }))
    this.#rules = rules
    const now = this.#now()
    for (const run of [...recent].reverse()) this.#remember(run, now)
    for (const run of running) this.#hold(run)
    await this.idle()
  }

  stop(): void {
    this.#isStopped = true
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }

  /** Resolves when all that was begun is done. */
  async idle(): Promise<void> {
    await this.#line
  }

  rules(): readonly LocalRule[] {
    return this.#rules
  }

  put(given: LocalRule): Promise<LocalRule> {
    return this.#inLine(async () => {
      const rule = checkRule(given)
      const known = this.#rules.find(({ id }) => id === rule.id)
      if (known === undefined && this.#rules.length >= MAX_RULES) throw new MeshBoxError('limit', `a box keeps at most ${MAX_RULES} rules`, { code: 'rules-full' })
      if (rule.isLive && (known === undefined || !doesTheSame(known, rule))) throw inputError('isLive', true, 'false for what is new: look at its dry run first, then put the same rule with true')
      const { valueNames } = this.#parts
      const values = valueNames(rule.when.devEui)
      if (values === null || valueNames(rule.then.devEui) === null) throw new MeshBoxError('not-found', 'no such device', { code: 'no-device', field: values === null ? 'when.devEui' : 'then.devEui' })
      if (values.length > 0 && !values.includes(rule.when.value)) throw new MeshBoxError('not-found', `the device has sent no ${rule.when.value}, only ${values.slice(0, 20).join(', ')}`, { code: 'no-value', field: 'when.value' })
      await this.#parts.store.turn((tx) => ruleTables.putRule(tx, rule))
      this.#rules = [...this.#rules.filter(({ id }) => id !== rule.id), rule].sort((left, right) => (left.id < right.id ? -1 : 1))
      // A rule that goes live does not count the air that its dry run would have used.
      if (known === undefined || !doesTheSame(known, rule) || known.isLive !== rule.isLive) this.#watches.delete(rule.id)
      return rule
    })
  }

  /** What it has switched on is switched off first. */
  remove(id: string): Promise<boolean> {
    return this.#inLine(async () => {
      for (const run of [...this.#open.values()]) if (run.rule === id && isOwed(run)) await this.#goBack(run)
      const isGone = await this.#parts.store.turn((tx) => ruleTables.removeRule(tx, id))
      this.#rules = this.#rules.filter((rule) => rule.id !== id)
      this.#watches.delete(id)
      return isGone
    })
  }

  runs(page: { readonly rule?: string; readonly limit: number }): readonly RuleRun[] {
    if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > MAX_PAGE) throw inputError('limit', page.limit, `1 to ${MAX_PAGE}`)
    return this.#parts.store.read((tx) => ruleTables.runs(tx, page))
  }

  /** Late readings and those without values move nothing. */
  take(reading: Reading): Promise<readonly RuleRun[]> {
    const { values } = reading
    if (reading.isLate || values === null) return Promise.resolve([])
    const concerned = this.#rules.filter((rule) => rule.when.devEui === reading.devEui && !rule.isPaused)
    if (concerned.length === 0) return Promise.resolve([])
    return this.#inLine(async () => {
      const runs: RuleRun[] = []
      for (const { id } of concerned) {
        const rule = this.#rules.find((one) => one.id === id)
        const value = rule === undefined ? undefined : values.find(({ name }) => name === rule.when.value)
        const run = rule === undefined || value === undefined ? null : await this.#consider(rule, value.value)
        if (run !== null) runs.push(viewOf(run))
      }
      return runs
    })
  }

  /** News of orders, from NetworkServer.onQueue. */
  queueChanged(item: QueueItem): void {
    if (!item.asker.startsWith('rule:')) return
    void this.#inLine(async () => {
      const run = [...this.#open.values()].find(({ queueId, offQueueId }) => queueId === item.queueId || offQueueId === item.queueId)
      if (run === undefined) return
      const next = heardOf(run, item, this.#now())
      if (next === run) return
      if (run.offAt !== null && next.offAt === null && next.backTries > 0) this.#parts.log.error('a rule cannot switch its device off', { rule: run.rule, device: run.back?.devEui ?? '', tries: next.backTries })
      await this.#write(next)
      if (item.queueId === run.queueId && (item.state === 'sent' || item.state === 'acknowledged')) await this.#supersede(next)
    }).catch((thrown: unknown) => this.#parts.log.error('a rule\'s run could not be written', { problem: asError(thrown).message }))
  }

  async #consider(rule: LocalRule, value: number | string | boolean): Promise<StoredRun | null> {
    const now = this.#now()
    const before = this.#watches.get(rule.id) ?? NEW_WATCH
    const { watch, verdict } = look(before, rule, value, now.boottimeMs)
    this.#watches.set(rule.id, watch)
    const { when, then } = rule
    const because = `${when.value} was ${JSON.stringify(value)}, ${when.is} ${JSON.stringify(when.than)}${when.forSeconds === 0 ? '' : ` for ${when.forSeconds} s`}`
    const plain = { rule: rule.id, at: now, queueId: null, offAt: null, offQueueId: null, statuses: [], back: null, backTries: 0 }
    try {
      if (verdict === 'too-often') return await this.#insert({ ...plain, because: `${because}; kept still: ${MAX_RUNS_AN_HOUR} runs in the last hour`, isDryRun: true })
      if (verdict !== 'fires') return null
      if (!rule.isLive) return await this.#insert({ ...plain, because, isDryRun: true })
      const { off, durationSeconds } = then
      const back = off === null || durationSeconds === null ? null : { devEui: then.devEui, off, durationSeconds, isConfirmed: then.isConfirmed }
      const offAt = durationSeconds === null ? null : later(now, durationSeconds * 1_000)
      const run = await this.#insert({ ...plain, because, isDryRun: false, back, offAt })
      return await this.#order(run, then.devEui, then.on, offAt ?? later(now, ON_EXPIRES_SECONDS * 1_000), then.isConfirmed)
    } catch (thrown) {
      // The disk: nothing was switched on that is not written. The spell goes on, and the next reading tries again.
      this.#watches.set(rule.id, before)
      this.#parts.log.error('a rule could not run', { rule: rule.id, problem: asError(thrown).message })
      return null
    }
  }

  /** Ways back of earlier runs that are still tried would shut what this one has opened: it has its own. Not before it is out: it may never be. */
  async #supersede(run: StoredRun): Promise<void> {
    if (run.back === null || !(isOwed(run) || run.offQueueId !== null)) return
    const earlier = [...this.#open.values()].filter((one) => one.rule === run.rule && one.id < run.id && one.back !== null)
    if (earlier.length === 0) return
    const ended = earlier.map((one) => ({ ...one, back: null, ...(isOwed(one) ? { offAt: null, because: `${one.because}; a later run has taken over` } : {}) }))
    await this.#parts.store.turn((tx) => ended.forEach((one) => ruleTables.updateRun(tx, one)))
    for (const one of ended) this.#hold(one)
  }

  async #order(run: StoredRun, devEui: Eui, data: unknown, expiresAt: Moment, isConfirmed: boolean): Promise<StoredRun> {
    try {
      const { queueId } = await this.#parts.actuators.send(devEui, { data }, { isConfirmed, asker: `rule:${run.rule}`, expiresAt })
      return await this.#write({ ...run, queueId })
    } catch (thrown) {
      // It was refused: nothing is on, and nothing is to be ended.
      return await this.#write({ ...run, offAt: null, because: `${run.because}; ${asError(thrown).message}`.slice(0, 400) })
    }
  }

  /** The way back, now. It may be said twice, after a power cut in between: shutting a valve twice does no harm. */
  async #goBack(run: StoredRun): Promise<void> {
    const { back } = run
    if (back === null) return
    try {
      const { queueId } = await this.#parts.actuators.send(back.devEui, { data: back.off }, { isConfirmed: back.isConfirmed, asker: `rule:${run.rule}`, expiresAt: null })
      await this.#write({ ...run, offQueueId: queueId })
    } catch (thrown) {
      this.#parts.log.warn('a rule could not switch its device off; it tries again', { rule: run.rule, device: back.devEui, problem: asError(thrown).message })
      await this.#write(backFailed(run, this.#now()))
    }
  }

  async #insert(run: Omit<StoredRun, 'id'>): Promise<StoredRun> {
    const stored = await this.#parts.store.turn((tx) => ruleTables.insertRun(tx, run))
    this.#hold(stored)
    return stored
  }

  async #write(run: StoredRun): Promise<StoredRun> {
    await this.#parts.store.turn((tx) => ruleTables.updateRun(tx, run))
    this.#hold(run)
    return run
  }

  /** In memory, with a timer for its end. */
  #hold(run: StoredRun): void {
    this.#timers.get(run.id)?.()
    this.#timers.delete(run.id)
    this.#open.set(run.id, run)
    const oldest = [...this.#open.values()].find((one) => !isOwed(one))
    if (this.#open.size > 2 * MAX_RULES && oldest !== undefined) this.#open.delete(oldest.id)
    if (this.#isStopped || !isOwed(run) || run.offAt === null) return
    const wait = Math.min(LONGEST_TIMER_MS, dueInMs(run.offAt, this.#now()))
    this.#timers.set(run.id, this.#parts.timers.after(wait, () => void this.#ended(run.id)))
  }

  async #ended(id: number): Promise<void> {
    await this.#inLine(async () => {
      const run = this.#open.get(id)
      if (run === undefined || run.offAt === null || !isOwed(run) || this.#isStopped) return
      if (dueInMs(run.offAt, this.#now()) > 0) return this.#hold(run)
      await this.#goBack(run)
    }).catch((thrown: unknown) => {
      this.#parts.log.error('a rule\'s end could not be written; it tries again', { problem: asError(thrown).message })
      if (!this.#isStopped) this.#timers.set(id, this.#parts.timers.after(60_000, () => void this.#ended(id)))
    })
  }

  /** A rule keeps its cool-down and its runs of an hour over a restart. After a reboot without a believed clock its last run counts as just begun. */
  #remember(run: StoredRun, now: Moment): void {
    const rule = this.#rules.find(({ id }) => id === run.rule)
    this.#open.set(run.id, run)
    if (rule === undefined || run.isDryRun === rule.isLive) return
    const watch = this.#watches.get(rule.id) ?? NEW_WATCH
    const ageMs = ageOf(run.at, now)
    const startMs = now.boottimeMs - (ageMs ?? 0)
    const quietUntilMs = startMs + ((rule.then.durationSeconds ?? 0) + rule.coolDownSeconds) * 1_000
    this.#watches.set(rule.id, { ...watch, quietUntilMs: Math.max(watch.quietUntilMs, quietUntilMs), startsMs: ageMs === null ? watch.startsMs : [...watch.startsMs, startMs] })
  }

  #inLine<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#line.then(work)
    this.#line = done.catch(() => undefined)
    return done
  }

  #now(): Moment {
    return momentOf(this.#parts.clock)
  }
}

function isOwed(run: StoredRun): boolean {
  return run.back !== null && run.offAt !== null && run.offQueueId === null && !run.isDryRun
}
