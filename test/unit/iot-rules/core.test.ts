import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { parseRule, ruleText } from '../../../src/iot/rules/index.ts'
import { checkRule } from '../../../src/iot/rules/rule.ts'
import { MAX_RUNS_AN_HOUR, NEW_WATCH, fits, look } from '../../../src/iot/rules/watch.ts'
import type { LocalRule } from '../../../src/iot/rules/index.ts'
import { PUMP, SOIL, rule } from './rules.ts'

const MINUTE = 60_000

function verdicts(of: LocalRule, values: readonly (readonly [minute: number, value: number | string | boolean])[]): string[] {
  let watch = NEW_WATCH
  return values.map(([minute, value]) => {
    const seen = look(watch, of, value, minute * MINUTE)
    watch = seen.watch
    return seen.verdict
  })
}

describe('a rule\'s watch', () => {
  it('fires when a spell has lasted, and not before', () => {
    expect(verdicts(rule(), [[0, 25], [5, 19], [10, 18], [14.9, 18], [15, 17], [16, 17]])).toEqual(['no', 'waits', 'waits', 'waits', 'fires', 'quiet'])
  })

  it('begins anew when a value does not fit, unless it is near', () => {
    expect(verdicts(rule(), [[0, 19], [5, 20.2], [6, 19], [12, 19], [16, 19]])).toEqual(['waits', 'no', 'waits', 'waits', 'fires'])
    expect(verdicts(rule({ hysteresis: 0.5 }), [[0, 19], [5, 20.2], [6, 19], [12, 20.4], [13, 19]])).toEqual(['waits', 'waits', 'waits', 'waits', 'fires'])
    expect(verdicts(rule({ hysteresis: 0.5 }), [[0, 20.2], [10, 20.2], [11, 19], [12, 20.5], [21, 19]])).toEqual(['no', 'no', 'waits', 'no', 'waits'])
    expect(verdicts(rule({ hysteresis: 2, when: { is: '>', than: 30 } }), [[0, 31], [5, 28.5], [10, 31], [11, 28]])).toEqual(['waits', 'waits', 'fires', 'no'])
  })

  it('keeps still while it is on and in its cool-down, then fires again', () => {
    const one = rule({ when: { forSeconds: 0 }, then: { durationSeconds: 600 }, coolDownSeconds: 3_600 })
    expect(verdicts(one, [[0, 1], [9, 1], [69.9, 1], [70, 1]])).toEqual(['fires', 'quiet', 'quiet', 'fires'])
  })

  it('does not assume that a spell went on through a long silence', () => {
    expect(verdicts(rule(), [[0, 19], [121, 19], [131, 19]])).toEqual(['waits', 'waits', 'fires'])
    expect(verdicts(rule({ when: { forSeconds: 4 * 3_600 } }), [[0, 19], [240, 19]])).toEqual(['waits', 'fires'])
  })

  it('runs at most so often in an hour, says so once, and goes on', () => {
    const busy = rule({ when: { forSeconds: 0 }, then: { off: null, durationSeconds: null }, coolDownSeconds: 10 })
    const all = verdicts(busy, Array.from({ length: 480 }, (_, n) => [n / 4, 1] as const))
    const tooOften = all.flatMap((verdict, n) => (verdict === 'too-often' ? [n] : []))
    expect(tooOften).toEqual([30, 270])
    for (let n = 0; n + 240 <= all.length; n++) expect(all.slice(n, n + 240).filter((verdict) => verdict === 'fires').length).toBeLessThanOrEqual(MAX_RUNS_AN_HOUR)
    expect(all.filter((verdict) => verdict === 'fires')).toHaveLength(60)
  })

  it('compares numbers as numbers, and texts and truths only with their own', () => {
    const when = (is: LocalRule['when']['is'], than: LocalRule['when']['than']): LocalRule => rule({ when: { is, than } })
    expect([fits(when('<', 20), '19.5'), fits(when('<', 20), ''), fits(when('<', 20), 'wet'), fits(when('>=', 1), true)]).toEqual([true, false, false, true])
    expect([fits(when('=', 'open'), 'open'), fits(when('!=', 'open'), 'shut'), fits(when('=', true), true), fits(when('=', true), 'true')]).toEqual([true, true, true, false])
    expect([fits(when('=', 20), 20), fits(when('!=', 20), Number.NaN)]).toEqual([true, false])
  })
})

describe('a rule', () => {
  it.each([
    ['id', rule({ id: '../x' })],
    ['when.value', rule({ when: { value: 'a b' } })],
    ['when.is', rule({ when: { is: '<', than: 'wet' } })],
    ['when.than', rule({ when: { than: Number.NaN } })],
    ['when.forSeconds', rule({ when: { forSeconds: -1 } })],
    ['then.on', rule({ then: { on: undefined } })],
    ['then.on', rule({ then: { on: 'x'.repeat(600) } })],
    ['then.off', rule({ then: { off: null } })],
    ['then.durationSeconds', rule({ then: { durationSeconds: 1e9 } })],
    ['coolDownSeconds', rule({ coolDownSeconds: 9 })],
    ['hysteresis', rule({ hysteresis: -1 })],
    ['hysteresis', rule({ hysteresis: 1, when: { is: '=' } })],
  ])('with a wrong %s is refused by that name', (field, wrong) => {
    expect(() => checkRule(wrong)).toThrow(expect.objectContaining({ kind: 'input', field }))
  })

  const devEuiOf = (name: string): string | null => (name === 'field-3' ? SOIL : name === 'pump 1' ? PUMP : null)
  const nameOf = (devEui: string): string => (devEui === SOIL ? 'field-3' : devEui === PUMP ? 'pump 1' : devEui)

  it('is read from a sentence', () => {
    const { when, then } = rule()
    expect(parseRule('if soil of field-3 < 20 for 10 min set "pump 1" {"valve": 3, "open": true} for 10 min then {"valve":3,"open":false} wait 1 h confirmed', devEuiOf)).toEqual({ when, then, coolDownSeconds: 3_600 })
    expect(parseRule(' if door of field-3 = "is {open}" near 0.5 set 00000000000000aa 1', devEuiOf)).toEqual({
      when: { devEui: SOIL, value: 'door', is: '=', than: 'is {open}', forSeconds: 0 },
      then: { devEui: PUMP, on: 1, off: null, durationSeconds: null, isConfirmed: false },
      coolDownSeconds: 600,
      hysteresis: 0.5,
    })
  })

  it.each(['', 'if', 'if soil of field-9 < 20 set field-3 1', 'if soil of field-3 < 20', 'if soil of field-3 < 20 set field-3 {"a"', 'if soil of field-3 < 20 set field-3 1 for 10 min', 'if soil of field-3 < 20 set field-3 1 later', 'if soil of field-3 ~ 20 set field-3 1', `if ${'x'.repeat(3_000)}`])('says what is wrong in: %s', (text) => {
    expect(() => parseRule(text, devEuiOf)).toThrow(expect.objectContaining({ kind: 'input', field: 'rule' }))
  })

  it('is written as a sentence that is read back the same', () => {
    const seconds = fc.oneof(fc.integer({ min: 1, max: 900 }), fc.constantFrom(60, 3_600, 86_400, 7 * 86_400))
    const json = fc.oneof(fc.integer(), fc.string({ maxLength: 12 }), fc.dictionary(fc.string({ maxLength: 6 }), fc.oneof(fc.integer(), fc.boolean(), fc.string({ maxLength: 9 })), { maxKeys: 4 }))
    fc.assert(
      fc.property(
        fc.record({
          is: fc.constantFrom('<' as const, '<=' as const, '>' as const, '>=' as const, '=' as const, '!=' as const),
          than: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string({ maxLength: 20 }), fc.boolean()),
          forSeconds: fc.oneof(fc.constant(0), seconds),
          on: json,
          back: fc.option(fc.record({ off: json, durationSeconds: seconds })),
          coolDownSeconds: seconds,
          hysteresis: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
          isConfirmed: fc.boolean(),
        }),
        ({ is, than, forSeconds, on, back, coolDownSeconds, hysteresis, isConfirmed }) => {
          const deed = {
            when: { devEui: SOIL, value: 'soil', is, than: Object.is(than, -0) ? 0 : than, forSeconds },
            then: { devEui: PUMP, on, off: back?.off ?? null, durationSeconds: back?.durationSeconds ?? null, isConfirmed },
            coolDownSeconds,
            ...(hysteresis === null ? {} : { hysteresis: Object.is(hysteresis, -0) ? 0 : hysteresis }),
          }
          expect(parseRule(ruleText(deed, nameOf), devEuiOf)).toEqual(JSON.parse(JSON.stringify(deed)))
        },
      ),
    )
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        try {
          parseRule(`if soil of field-3 < 1 ${text}`, devEuiOf)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(MeshBoxError)
        }
      }),
    )
  })
})
