/** What the dashboard reads from fields and writes into the page, without a browser. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatAmount, parseAmount } from '../../../src/base/index.ts'
import type { TariffJson } from '../../../src/owner/index.ts'
import { contentsBeside, minuteOfDay, showBytes, showClock, showContents, showDay, showDuration, showMinuteOfDay } from '../../../src/web/owner/format.ts'
import { perMille, showAmount, showMoney, showRough, typedDecimal, typedUnits } from '../../../src/web/owner/money.ts'
import { passwordStrength } from '../../../src/web/owner/password-strength.ts'
import { parseRoute } from '../../../src/web/owner/router.ts'
import { source } from '../../../src/web/owner/strings.ts'
import { freeId } from '../../../src/web/owner/views/free-id.ts'
import { changeOf, draftOf, draftProblems } from '../../../src/web/owner/views/price-draft.ts'

const MBX = { symbol: 'MBX', decimals: 18 }
const SRC = join(import.meta.dirname, '../../../src')
const ONE = 10n ** 18n

describe('money on the page', () => {
  it.each([
    [0n, 18, '0'],
    [ONE, 18, '1'],
    [ONE / 2n, 18, '0.50'],
    [1_234_567n * ONE + ONE / 4n, 18, '1,234,567.25'],
    [-3n * ONE, 18, '−3'],
    [1n, 18, '0.000000…'],
    [4_013_888_888_888_888_888n, 18, '4.013888…'],
    [5n, 1, '0.5'],
    [42n, 0, '42'],
  ])('%s with %i decimals is %s', (units, decimals, text) => {
    expect(showAmount(units, decimals)).toBe(text)
  })

  it('an estimate is cut to two decimals, never rounded up', () => {
    expect(showRough(4_019_999_999_999_999_999n, MBX)).toBe('4.01\u00a0MBX')
    expect(showMoney(7_500_000_000_000_000_000n, MBX)).toBe('7.50\u00a0MBX')
  })

  it('what is typed comes out as the same units the box reads', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 30n - 1n), fc.integer({ min: 0, max: 18 }), (units, decimals) => {
        const text = formatAmount(units, decimals)
        expect(typedUnits(text, decimals)).toBe(units)
        expect(parseAmount(typedDecimal(text) ?? '', decimals)).toBe(units)
      }),
    )
  })

  it.each([
    ['2.5', '2.5'],
    [' 2,5 ', '2.5'],
    ['0,25', '0.25'],
    ['3.', '3'],
    ['1,500', null], // one thousand five hundred, or one and a half?
    ['1,500.00', null],
    ['1.2.3', null],
    ['-1', null],
    ['1e3', null],
    ['', null],
    ['.5', null],
  ])('typed %s is read as %s', (text, decimal) => {
    expect(typedDecimal(text)).toBe(decimal)
  })

  it('does not take more digits than the token has', () => {
    expect(typedUnits('1.23', 1)).toBeNull()
    expect(typedUnits('1.2', 1)).toBe(12n)
  })

  it('a part of a whole stays between 0 and 1000 per mille', () => {
    expect([perMille(1n, 0n), perMille(-5n, 10n), perMille(1n, 3n), perMille(10n, 10n)]).toEqual([0, 0, 333, 1000])
  })
})

describe('times and sizes', () => {
  it.each([
    [0, '0:00'],
    [59, '0:59'],
    [570, '9:30'],
    [3849, '1:04:09'],
    [86_399, '23:59:59'],
    [187_200, '2 d 4 h'],
    [-4, '0:00'],
  ])('%i seconds on a clock are %s', (seconds, text) => {
    expect(showClock(seconds)).toBe(text)
  })

  it('lengths, contents and bytes are short', () => {
    expect([showDuration(45), showDuration(1800), showDuration(5400), showDuration(86_400), showDuration(604_800)]).toEqual(['45 s', '30 min', '1 h 30 min', '1 day', '7 days'])
    expect(showBytes(1_610_612_736)).toBe('1.5\u00a0GiB')
    expect(showBytes(512)).toBe('512\u00a0B')
    expect(showContents(3600, 1_048_576)).toBe('1 h · 1\u00a0MiB')
    expect(showContents(null, null)).toBe('no limit')
  })

  it('contents are left out beside a label that says them', () => {
    expect(contentsBeside('30 minutes', 1800, null)).toBe('')
    expect(contentsBeside('1 hour with your meal', 3600, null)).toBe('')
    expect(contentsBeside('Day pass', 86_400, null)).toBe('1 day')
  })

  it('days, and minutes of a day, there and back', () => {
    expect(showDay('2026-11-21')).toContain('21 Nov')
    expect(showDay('boot:1a2b3c4d')).toBe('no date')
    expect([minuteOfDay('09:30'), minuteOfDay('24:00'), minuteOfDay('24:01'), minuteOfDay('nine')]).toEqual([570, 1440, null, null])
    fc.assert(fc.property(fc.integer({ min: 0, max: 1440 }), (minute) => void expect(minuteOfDay(showMinuteOfDay(minute))).toBe(minute)))
  })
})

describe('password hint', () => {
  it.each([
    ['short', 0],
    ['aaaaaaaaaaaa', 1],
    ['abcdefghijkl', 1],
    ['password1234', 1],
    ['seven green old bicycles', 4],
  ])('%s is %i', (password, level) => {
    expect(passwordStrength(password, 10)).toBe(level)
  })
  it('never gets weaker by one more new word', () => {
    fc.assert(
      fc.property(fc.constantFrom('copper lantern', 'river stone', 'quiet maple tree'), fc.constantFrom('vivid', 'jumbo', 'fjord'), (start, word) => {
        expect(passwordStrength(`${start} ${word}`, 10)).toBeGreaterThanOrEqual(passwordStrength(start, 10))
      }),
    )
  })
})

describe('addresses of views', () => {
  it.each([
    ['', 'home', null],
    ['#/guests', 'guests', null],
    ['#/guests/s000011', 'guests', 's000011'],
    ['#/vouchers/a%2Fb', 'vouchers', 'a/b'],
    ['#/vouchers/%E0%A4%A', 'vouchers', '%E0%A4%A'],
    ['#/channels/new', 'channels', 'new'],
    ['#/nowhere/x', 'home', null],
  ])('%s is %s %s', (hash, view, id) => {
    expect(parseRoute(hash)).toEqual({ view, id })
  })
})

describe('new names for the configuration', () => {
  it('are plain, short and free', () => {
    expect(freeId('Day pass!', [])).toBe('day_pass')
    expect(freeId('Day pass', [{ id: 'day_pass' }, { id: 'day_pass_2' }])).toBe('day_pass_3')
    expect(freeId('Über-Nacht', [])).toBe('uber_nacht')
    expect(freeId('يوم', [])).toBe('item')
    fc.assert(fc.property(fc.string(), (label) => void expect(freeId(label, [])).toMatch(/^[a-z0-9_]{1,32}$/)))
  })
})

describe('half-typed prices', () => {
  const zero = { units: '0', text: '0' }
  const tariff: TariffJson = {
    token: MBX,
    pricePerMinute: { units: String(ONE / 10n), text: '0.1' },
    pricePerMib: zero,
    minutesPerToken: '10', burnerCap: { units: '0', text: '0' },
    trialMinutes: 10,
    trialMib: 50,
    downKbps: null,
    upKbps: 2000,
    packages: [],
    happyHours: [],
    happyHourNow: null,
  }
  it('change nothing until they say something else', () => {
    const draft = draftOf(tariff)
    expect(changeOf(draft, tariff)).toEqual({})
    expect(changeOf({ ...draft, pricePerMinute: '0.100' }, tariff)).toEqual({})
    expect(changeOf({ ...draft, pricePerMinute: '0,2', upKbps: '' }, tariff)).toEqual({ pricePerMinute: '0.2', upKbps: null })
    expect(changeOf({ ...draft, trialOn: false, trialMib: 'x' }, tariff)).toEqual({ trialMinutes: 0 })
  })
  it('name the fields that cannot be sent', () => {
    const draft = { ...draftOf(tariff), pricePerMinute: '1,500', downKbps: 'fast', trialMinutes: '0' }
    expect(Object.keys(draftProblems(draft, 18)).sort()).toEqual(['downKbps', 'pricePerMinute', 'trialMinutes'])
    expect(draftProblems(draftOf(tariff), 18)).toEqual({})
  })
})

describe('what earns has a name', () => {
  /** In the book without being an earning: money that only moves, or is lost. */
  const MOVES = new Set(['hotspot:top-up', 'iot:payment', 'mesh:upstream', 'mesh:write-off'])

  it('each source that a room posts under', () => {
    const posted = new Set<string>()
    for (const file of readdirSync(SRC, { recursive: true, encoding: 'utf8' }))
      if (file.endsWith('.ts') && !file.startsWith('web/'))
        for (const [, name = ''] of readFileSync(join(SRC, file), 'utf8').matchAll(/'((?:hotspot|mesh|iot|photon|chain):[a-z-]+)'/g)) posted.add(name)
    for (const name of MOVES) expect(posted.delete(name)).toBe(true)
    expect(posted.size).toBeGreaterThan(8)
    expect([...posted].filter((name) => source[name] === undefined)).toEqual([])
  })
})
