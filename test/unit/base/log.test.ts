/** One line per event, levels, and no secret in any line. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLog, silentLog } from '../../../src/base/index.ts'
import type { LogOptions } from '../../../src/base/index.ts'

function recorder(style: LogOptions['style'] = 'syslog') {
  const lines: string[] = []
  const options: LogOptions = { level: 'debug', style, now: () => 1_700_000_000_000, write: (line) => lines.push(line) }
  return { lines, options, log: createLog(options) }
}

describe('a line', () => {
  it('has a priority or a time, level, room, message, fields', () => {
    const { lines, log } = recorder()
    log.info('started', { port: 80, name: 'Box One', id: 'a-1', big: 10n ** 20n, on: true, none: null, left: undefined })
    expect(lines).toEqual(['<6>info meshbox: started port=80 name="Box One" id=a-1 big=100000000000000000000 on=true none=null'])
    const timed = recorder('time')
    timed.log.room('gate').warn('slow')
    expect(timed.lines).toEqual(['2023-11-14T22:13:20.000Z warn gate: slow'])
  })

  it('carries the priority of its level', () => {
    const { lines, log } = recorder()
    log.debug('d')
    log.info('i')
    log.warn('w')
    log.error('e')
    expect(lines.map((line) => line.slice(0, 3))).toEqual(['<7>', '<6>', '<4>', '<3>'])
  })

  it('is left out below the level, which may change while running, also in rooms made before', () => {
    const { lines, log, options } = recorder()
    const room = log.room('hotspot')
    options.level = 'warn'
    room.info('no')
    room.warn('yes')
    options.level = 'debug'
    room.debug('again')
    expect(lines).toHaveLength(2)
  })

  it('stays one line and shows no control characters, whatever is in it', () => {
    const nasty = fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\u0000', '\u001b', '\u0085', '\u009b', '\u2028', '\u202e', '"', '\\', ' ', '='), maxLength: 20 })
    fc.assert(
      fc.property(nasty, nasty, nasty, (message, key, value) => {
        const { lines, log } = recorder()
        log.info(message, { [key]: value, error: new Error(value), list: [value], deep: { [value]: value } })
        expect(lines).toHaveLength(1)
        expect(lines[0]).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/)
      }),
    )
  })

  it('cuts long values and survives odd ones', () => {
    const { lines, log } = recorder()
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = cyclic
    log.info('odd', { long: 'x'.repeat(10_000), cyclic, call: () => 'a\nb', symbol: Symbol('s'), amounts: [1n], gone: { toJSON: () => undefined }, nan: Number.NaN })
    expect(lines).toHaveLength(1)
    expect(lines[0]?.length).toBeLessThan(1000)
    expect(lines[0]).toContain('amounts="[\\"1\\"]"')
  })
})

describe('secrets', () => {
  it.each(['password', 'newPassword', 'passphrase', 'secret', 'privateKey', 'recoveryWords', 'code', 'voucherCode', 'cookie', 'ticket', 'Authorization'])(
    'under %s never reach a line, also inside other values',
    (name) => {
      const { lines, log } = recorder()
      log.warn('refused', { [name]: 'hunter2-abcde', body: { [name]: 'hunter2-abcde', list: [{ [name]: { deep: 'hunter2-abcde' } }] } })
      expect(lines[0]).not.toContain('hunter2')
      expect(lines[0]).toContain('[hidden]')
    },
  )
})

it('the silent log says nothing in any room', () => {
  expect(silentLog.room('x').room('y')).toBe(silentLog)
  expect(silentLog.error('x')).toBeUndefined()
})
