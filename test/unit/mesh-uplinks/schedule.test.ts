/** When a way out is tried, how soon a loss is known, and that bytes that cost are bounded. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PROBE_BYTES, PROBE_BYTES_PER_DAY, dueMs, newCourse, stepCourse } from '../../../src/mesh/uplinks/schedule.ts'
import type { Course, CourseEffect, Use } from '../../../src/mesh/uplinks/schedule.ts'

const TARGETS = ['192.0.2.1', '192.0.2.2', '192.0.2.3']

/** A way whose targets answer after `answerMs(target, now)`, or never (null). Steps of 10 ms. */
class Line {
  course: Course
  nowMs = 0
  asked: { readonly target: string; readonly atMs: number }[] = []
  #answers: { readonly atMs: number; readonly effect: CourseEffect; readonly sentMs: number }[] = []

  readonly answerMs: (target: string, nowMs: number) => number | null
  readonly use: (nowMs: number) => Use

  constructor(isMetered: boolean, answerMs: (target: string, nowMs: number) => number | null, use: (nowMs: number) => Use = () => 'busy') {
    this.answerMs = answerMs
    this.use = use
    this.course = newCourse(TARGETS, isMetered, 0)
  }

  runTo(endMs: number, stepMs = 10): void {
    for (; this.nowMs < endMs; this.nowMs += stepMs) {
      const { nowMs } = this
      for (const each of this.#answers.filter(({ atMs }) => atMs <= nowMs))
        this.course = stepCourse(this.course, { kind: 'result', round: each.effect.round, ok: true, roundTripMs: each.atMs - each.sentMs, reason: 'answers', nowMs }).course
      this.#answers = this.#answers.filter(({ atMs }) => atMs > nowMs)
      const step = stepCourse(this.course, { kind: 'tick', nowMs, use: this.use(nowMs) })
      this.course = step.course
      for (const effect of step.effects) {
        this.asked.push({ target: effect.target, atMs: nowMs })
        const after = this.answerMs(effect.target, nowMs)
        if (after !== null && after <= effect.timeoutMs) this.#answers.push({ atMs: nowMs + after, effect, sentMs: nowMs })
      }
    }
  }
}

describe('a way in use', () => {
  it('is asked every second, of one target after the other', () => {
    const line = new Line(false, () => 20)
    line.runTo(6000)
    expect(line.asked.map(({ target }) => target)).toEqual([...TARGETS, ...TARGETS])
    expect(line.course.health.health).toBe('good')
  })

  it('is known to be down within 3 s of any moment and at any usual speed, and never for one target that is silent', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5000, max: 9000 }), fc.integer({ min: 5, max: 700 }), (lossMs, answerMs) => {
        const line = new Line(false, (_, nowMs) => (nowMs + answerMs < lossMs ? answerMs : null))
        line.runTo(lossMs)
        expect(line.course.health.health).not.toBe('down')
        line.runTo(lossMs + 2990)
        expect(line.course.health.health).toBe('down')
      }),
      { numRuns: 40 },
    )
    const line = new Line(false, (target) => (target === '192.0.2.2' ? null : 30))
    line.runTo(60_000)
    expect(line.course.health.fallsAtMs).toEqual([])
    expect(line.course.health.health).toBe('good')
  })

  it('asks all at once when one fails', () => {
    const line = new Line(false, (_, nowMs) => (nowMs < 5000 ? 20 : null))
    line.runTo(6000)
    const last = line.asked.slice(-4)
    expect(new Set(last.slice(1).map(({ target }) => target))).toEqual(new Set(TARGETS))
    expect(new Set(last.slice(1).map(({ atMs }) => atMs)).size).toBe(1)
  })

  it('is not down where answers only come late', () => {
    let isSlow = false
    const line = new Line(false, () => (isSlow ? 1100 : 20))
    line.runTo(5000)
    isSlow = true
    line.runTo(30_000)
    expect(line.course.health.fallsAtMs).toEqual([])
  })

  it('comes back after three answers', () => {
    const line = new Line(false, (_, nowMs) => (nowMs > 5000 && nowMs < 20_000 ? null : 20))
    line.runTo(20_000)
    expect(line.course.health.health).toBe('down')
    line.runTo(25_000)
    expect(line.course.health.health).toBe('good')
  })
})

describe('a way whose bytes cost', () => {
  it('is asked each half minute while nothing goes over it, and within a second when something does', () => {
    const line = new Line(true, () => 20, (nowMs) => (nowMs < 100_000 ? 'idle' : 'busy'))
    line.runTo(100_000)
    expect(line.asked.length).toBeLessThanOrEqual(4)
    line.runTo(105_000)
    expect(line.asked.length).toBeGreaterThanOrEqual(8)
  })

  it('in reserve costs less than a MiB a day', () => {
    const line = new Line(true, () => 20, () => 'reserve')
    line.runTo(86_400_000, 1000)
    expect(line.course.spentBytes).toBeLessThan(1024 * 1024)
  })

  it('never costs more than it may in any 24 hours, working or not', () => {
    const line = new Line(true, (_, nowMs) => (nowMs % 50_000 < 30_000 ? 20 : null))
    line.runTo(3 * 86_400_000, 500)
    let [from, most] = [0, 0]
    line.asked.forEach(({ atMs }, index) => {
      while ((line.asked[from]?.atMs ?? 0) < atMs - 86_400_000) from += 1
      most = Math.max(most, index - from + 1)
    })
    expect(most * PROBE_BYTES).toBeLessThanOrEqual(PROBE_BYTES_PER_DAY)
    expect(most * PROBE_BYTES).toBeGreaterThan(PROBE_BYTES_PER_DAY / 2)
  })
})

it('any course of inputs: one round at a time, a due time that is reached, no answer counted twice', () => {
  const input = fc.oneof(
    fc.record({ kind: fc.constant('tick' as const), passedMs: fc.nat(3000) }),
    fc.record({ kind: fc.constant('result' as const), back: fc.nat(3), ok: fc.boolean() }),
    fc.record({ kind: fc.constant('loss' as const) }),
    fc.record({ kind: fc.constant('hurry' as const) }),
  )
  fc.assert(
    fc.property(fc.array(input, { maxLength: 100 }), fc.boolean(), (inputs, isMetered) => {
      let course = newCourse(TARGETS, isMetered, 0)
      let nowMs = 0
      for (const each of inputs) {
        const before = course.health.window.length + course.health.fallsAtMs.length
        switch (each.kind) {
          case 'tick': {
            nowMs += each.passedMs
            const step = stepCourse(course, { kind: 'tick', nowMs, use: 'busy' })
            expect(step.effects.every(({ round }) => round === step.course.round?.id)).toBe(true)
            course = step.course
            break
          }
          case 'result':
            course = stepCourse(course, { kind: 'result', round: course.rounds - each.back, ok: each.ok, roundTripMs: 5, reason: '', nowMs }).course
            break
          case 'loss':
            course = stepCourse(course, { kind: 'loss', reason: 'the link is down', nowMs }).course
            break
          case 'hurry':
            course = stepCourse(course, { kind: 'hurry' }).course
        }
        expect(course.health.window.length + course.health.fallsAtMs.length).toBeLessThanOrEqual(before + 2)
        expect(dueMs(course, 'busy') - nowMs).toBeLessThanOrEqual(30_000)
        expect(course.allowance.bytes >= 0 || !isMetered).toBe(true)
      }
    }),
  )
})
